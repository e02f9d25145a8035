package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"pulih/internal/letter"
	"pulih/mailflow"
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

// EnqueueEach has each letter read by itself, once however often it is asked.
func (tx *Tx) EnqueueEach(list []Mail) error {
	once := &river.InsertOpts{UniqueOpts: river.UniqueOpts{ByArgs: true, ByState: Unfinished}}
	for _, m := range list {
		if err := tx.Enqueue(ReadLetter{LetterID: m.ID, Version: m.Version}, once); err != nil {
			return err
		}
	}
	return nil
}

// MailPlace says where a mail was seen last: its mailbox (mailflow.Mailbox.Key) and UIDs. ErrNotFound where it never was.
func (s *Store) MailPlace(ctx context.Context, letterID int64) (mailbox string, uidValidity, uid uint32, err error) {
	err = s.Pool.QueryRow(ctx, `SELECT mailbox, uid_validity, uid FROM sightings WHERE letter_id = $1 ORDER BY seen_at DESC LIMIT 1`, letterID).
		Scan(&mailbox, &uidValidity, &uid)
	if errors.Is(err, pgx.ErrNoRows) {
		err = ErrNotFound
	}
	if err != nil {
		return "", 0, 0, fmt.Errorf("looking for the place of letter %d: %w", letterID, err)
	}
	return mailbox, uidValidity, uid, nil
}

// Refetched gives a letter the bytes that the server didn't give at first. Where another letter has them already, that one's id is the
// answer, the place now leads to it, and nothing else changes; otherwise the answer is 0.
func (s *Store) Refetched(ctx context.Context, l Letter, mailbox string, arrival mailflow.Arrival, now time.Time) (same int64, err error) {
	a := newArriving(mailbox, arrival)
	err = s.InTx(ctx, now, func(tx *Tx) error {
		known, err := tx.mailsBySource(l.Agency, []arriving{a})
		if err != nil {
			return err
		}
		if same = known[a.source]; same != 0 {
			_, err := tx.Exec(ctx, `UPDATE sightings SET letter_id = $2 WHERE letter_id = $1`, l.ID, same)
			return err
		}
		_, err = tx.Exec(ctx, `UPDATE letters SET source = $2, sha256 = $3, size = $4, raw = $5, received_at = $6, message_id = nullif($7, ''),
				headers_only = $8, duplicate_of = (SELECT id FROM letters WHERE agency = $9 AND message_id = nullif($7, '') AND id <> $1 ORDER BY id LIMIT 1)
			WHERE id = $1`, l.ID, a.source, a.sum[:], a.Size, s.Keys.Seal(rawPlace(l.Agency, "mail", a.source, l.Version), a.Raw), a.InternalDate,
			headMessageID(a.Raw), a.HeadersOnly, l.Agency)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("keeping letter %d, fetched again: %w", l.ID, err)
	}
	return same, nil
}
