package store

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/jackc/pgx/v5"

	"pulih/internal/letter"
)

// Mail is a letter from the mail with its bytes.
type Mail struct {
	Letter
	Raw []byte
}

// UnreadMails returns those of the mails that nobody has read yet.
func (s *Store) UnreadMails(ctx context.Context, ids []int64) ([]Mail, error) {
	rows, err := s.Pool.Query(ctx, `SELECT `+letterColumns+`, raw FROM letters WHERE id = ANY($1) AND channel = 'mail' AND state = 'stored' ORDER BY id`, ids)
	if err != nil {
		return nil, fmt.Errorf("reading mails: %w", err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Mail])
	if err != nil {
		return nil, fmt.Errorf("reading mails: %w", err)
	}
	for i, m := range list {
		if list[i].Raw, err = s.Keys.Open(rawPlace(m.Agency, m.Channel, m.Source, m.Version), m.Raw); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// MailRead is what was found in a mail from which nothing follows.
type MailRead struct {
	Letter  Letter
	Reading letter.Reading
}

// MarkMailsRead is MarkRead for many mails. Those that somebody else has read or changed meanwhile stay as they are.
func (tx *Tx) MarkMailsRead(list []MailRead) error {
	var ids []int64
	var versions []int
	var kinds []string
	var readings [][]byte
	for _, r := range list {
		sealed, err := tx.s.sealReading(r.Letter.ID, r.Letter.Version, r.Reading)
		if err != nil {
			return err
		}
		ids, versions = append(ids, r.Letter.ID), append(versions, r.Letter.Version)
		kinds, readings = append(kinds, string(r.Reading.Kind)), append(readings, sealed)
	}
	_, err := tx.Exec(tx.ctx, `UPDATE letters SET state = 'read', kind = t.kind, reading = t.reading, read_version = t.version, problem = NULL,
			attempts = attempts + 1
		FROM unnest($1::bigint[], $2::int[], $3::text[], $4::bytea[]) AS t (id, version, kind, reading)
		WHERE letters.id = t.id AND letters.version = t.version AND letters.state = 'stored'`, ids, versions, kinds, readings)
	if err != nil {
		return fmt.Errorf("marking %d mails read: %w", len(list), err)
	}
	return nil
}

func (s *Store) sealReading(letterID int64, version int, r letter.Reading) ([]byte, error) {
	plain, err := json.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("writing the reading of letter %d: %w", letterID, err)
	}
	return s.Keys.Seal(fmt.Sprintf("letters:%d/%d:reading", letterID, version), plain), nil
}

// EnqueueEach has each letter read by itself.
func (tx *Tx) EnqueueEach(list []Mail) error {
	for _, m := range list {
		if err := tx.Enqueue(ReadLetter{LetterID: m.ID, Version: m.Version}, nil); err != nil {
			return err
		}
	}
	return nil
}
