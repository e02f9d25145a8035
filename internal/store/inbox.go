package store

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/textproto"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"pulih/mailflow"
)

// Inbox is the archive of the mailboxes: it implements mailflow.Archive.
type Inbox struct {
	s   *Store
	now func() time.Time
}

var _ mailflow.Archive = (*Inbox)(nil)

// Inbox makes the archive for the mailboxes; now is the agencies' clock.
func (s *Store) Inbox(now func() time.Time) *Inbox { return &Inbox{s: s, now: now} }

// Cursor returns how far a mailbox was read.
func (in *Inbox) Cursor(ctx context.Context, mailbox string) (mailflow.Cursor, error) {
	var c mailflow.Cursor
	var at *time.Time
	err := in.s.Pool.QueryRow(ctx, `SELECT uid_validity, uid, read_at FROM mailboxes WHERE mailbox = $1`, mailbox).Scan(&c.UIDValidity, &c.UID, &at)
	if errors.Is(err, pgx.ErrNoRows) {
		return mailflow.Cursor{}, nil
	} else if err != nil {
		return c, fmt.Errorf("reading the cursor of a mailbox: %w", err)
	}
	if at != nil {
		c.At = *at
	}
	return c, nil
}

// Save commits arrivals and cursor in one transaction.
func (in *Inbox) Save(ctx context.Context, mailbox string, arrivals []mailflow.Arrival, next mailflow.Cursor) error {
	agencyKey, _, _ := strings.Cut(mailbox, "/")
	return in.s.InTx(ctx, in.now(), func(tx *Tx) error {
		if next.More {
			// Whatever is committed after this one and does wait for the disk takes this one with it: the log is written in order.
			if _, err := tx.Exec(ctx, `SET LOCAL synchronous_commit = off`); err != nil {
				return fmt.Errorf("relaxing a commit: %w", err)
			}
		}
		if err := tx.saveArrivals(agencyKey, mailbox, arrivals); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `INSERT INTO mailboxes (mailbox, uid_validity, uid, read_at, last_success) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (mailbox) DO UPDATE SET uid_validity = excluded.uid_validity, read_at = coalesce(excluded.read_at, mailboxes.read_at),
				uid = CASE WHEN mailboxes.uid_validity = excluded.uid_validity THEN greatest(mailboxes.uid, excluded.uid) ELSE excluded.uid END,
				last_success = excluded.last_success, failing_since = NULL, problem = NULL`,
			mailbox, next.UIDValidity, next.UID, optional(next.At), tx.now)
		if err != nil {
			return fmt.Errorf("moving the cursor of a mailbox: %w", err)
		}
		return nil
	})
}

// arriving is a message on its way into the archive.
type arriving struct {
	mailflow.Arrival
	sum      [32]byte
	source   string
	letterID int64
}

// saveArrivals keeps what wasn't seen yet. Each statement goes for all messages at once: a backlog of thousands is kept as fast as the
// disk takes it.
func (tx *Tx) saveArrivals(agencyKey, mailbox string, arrivals []mailflow.Arrival) error {
	fresh, err := tx.unseen(mailbox, arrivals)
	if err != nil || len(fresh) == 0 {
		return err
	}
	known, err := tx.mailsBySource(agencyKey, fresh)
	if err != nil {
		return err
	}
	var first []*arriving // of each content that is new
	contents := map[string]bool{}
	for i := range fresh {
		if a := &fresh[i]; known[a.source] == 0 && !contents[a.source] {
			contents[a.source] = true
			first = append(first, a)
		}
	}
	if err := tx.insertMails(agencyKey, first); err != nil {
		return err
	}
	var toRead []int64
	for _, a := range first {
		known[a.source] = a.letterID
		if a.Problem == "" {
			toRead = append(toRead, a.letterID)
		}
	}
	if err := tx.insertSightings(mailbox, fresh, known); err != nil {
		return err
	}
	switch len(toRead) {
	case 0:
		return nil
	case 1:
		return tx.Enqueue(ReadLetter{LetterID: toRead[0], Version: 1}, nil)
	}
	return tx.Enqueue(ReadMails{LetterIDs: toRead}, nil)
}

// unseen are the arrivals that lie at places where nothing was seen yet.
func (tx *Tx) unseen(mailbox string, arrivals []mailflow.Arrival) ([]arriving, error) {
	type place struct{ UIDValidity, UID uint32 }
	uids := make([]int64, len(arrivals))
	for i, a := range arrivals {
		uids[i] = int64(a.UID)
	}
	rows, err := tx.Query(tx.ctx, `SELECT uid_validity, uid FROM sightings WHERE mailbox = $1 AND uid = ANY($2)`, mailbox, uids)
	if err != nil {
		return nil, fmt.Errorf("looking for messages: %w", err)
	}
	places, err := pgx.CollectRows(rows, pgx.RowToStructByPos[place])
	if err != nil {
		return nil, fmt.Errorf("looking for messages: %w", err)
	}
	seen := map[place]bool{}
	for _, p := range places {
		seen[p] = true
	}
	fresh := make([]arriving, 0, len(arrivals))
	for _, a := range arrivals {
		if p := (place{a.UIDValidity, a.UID}); !seen[p] {
			seen[p] = true
			fresh = append(fresh, newArriving(mailbox, a))
		}
	}
	return fresh, nil
}

func newArriving(mailbox string, a mailflow.Arrival) arriving {
	if a.Raw == nil {
		a.Raw = []byte{}
	}
	out := arriving{Arrival: a, sum: sha256.Sum256(a.Raw)}
	out.source = hex.EncodeToString(out.sum[:])
	if len(a.Raw) == 0 { // nothing to recognise it by but its place
		out.source = fmt.Sprintf("%s/%d/%d", mailbox, a.UIDValidity, a.UID)
	}
	return out
}

// mailsBySource finds the letters that have the same bytes.
func (tx *Tx) mailsBySource(agencyKey string, list []arriving) (map[string]int64, error) {
	sources := make([]string, len(list))
	for i, a := range list {
		sources[i] = a.source
	}
	known := map[string]int64{}
	rows, err := tx.Query(tx.ctx, `SELECT source, id FROM letters WHERE agency = $1 AND channel = 'mail' AND source = ANY($2)`, agencyKey, sources)
	if err != nil {
		return nil, fmt.Errorf("recognising messages: %w", err)
	}
	var source string
	var id int64
	_, err = pgx.ForEachRow(rows, []any{&source, &id}, func() error {
		known[source] = id
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("recognising messages: %w", err)
	}
	return known, nil
}

// insertMails keeps the bytes and sets each one's letterID.
func (tx *Tx) insertMails(agencyKey string, list []*arriving) error {
	var batch pgx.Batch
	for _, a := range list {
		state := "stored"
		if a.Problem != "" {
			state = "quarantined"
		}
		batch.Queue(`INSERT INTO letters (agency, channel, source, sha256, size, raw, received_at, seen_at, message_id, headers_only, state, problem,
				duplicate_of)
			VALUES ($1, 'mail', $2, $3, $4, $5, $6, $7, nullif($8, ''), $9, $10, nullif($11, ''),
				(SELECT id FROM letters WHERE agency = $1 AND message_id = nullif($8, '') ORDER BY id LIMIT 1)) RETURNING id`,
			agencyKey, a.source, a.sum[:], a.Size, tx.s.Keys.Seal(rawPlace(agencyKey, "mail", a.source, 1), a.Raw), a.InternalDate, tx.now,
			headMessageID(a.Raw), a.HeadersOnly, state, a.Problem).
			QueryRow(func(row pgx.Row) error { return row.Scan(&a.letterID) })
	}
	if err := tx.SendBatch(tx.ctx, &batch).Close(); err != nil {
		return fmt.Errorf("keeping %d messages: %w", len(list), err)
	}
	return nil
}

func (tx *Tx) insertSightings(mailbox string, list []arriving, letters map[string]int64) error {
	var epochs, uids, ids []int64
	for _, a := range list {
		epochs, uids, ids = append(epochs, int64(a.UIDValidity)), append(uids, int64(a.UID)), append(ids, letters[a.source])
	}
	_, err := tx.Exec(tx.ctx, `INSERT INTO sightings (mailbox, uid_validity, uid, letter_id, seen_at)
		SELECT $1, epoch, uid, letter, $2 FROM unnest($3::bigint[], $4::bigint[], $5::bigint[]) AS t (epoch, uid, letter)`,
		mailbox, tx.now, epochs, uids, ids)
	if err != nil {
		return fmt.Errorf("keeping where messages were seen: %w", err)
	}
	return nil
}

// headMessageID reads the Message-ID alone: the letter itself is parsed later, after its bytes are safe.
func headMessageID(raw []byte) string {
	head := raw[:min(len(raw), 64<<10)]
	h, _ := textproto.NewReader(bufio.NewReader(bytes.NewReader(head))).ReadMIMEHeader()
	id := strings.TrimSpace(h.Get("Message-Id"))
	if len(id) > 900 || strings.ContainsRune(id, 0) {
		return ""
	}
	return strings.ToValidUTF8(id, "\uFFFD")
}

// Event records something that the operator should know of, and what it says of how the mailbox fares.
func (in *Inbox) Event(ctx context.Context, mailbox string, e mailflow.Event) error {
	err := in.s.InTx(ctx, in.now(), func(tx *Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO mailbox_events (mailbox, at, what, detail) VALUES ($1, $2, $3, $4)`, mailbox, e.At, e.Kind, e.Detail)
		if err != nil {
			return err
		}
		switch e.Kind {
		case mailflow.OutageBegan, mailflow.SignInRefused: // one that was never read gets a row with the zero cursor
			_, err = tx.Exec(ctx, `INSERT INTO mailboxes (mailbox, uid_validity, uid, failing_since, problem) VALUES ($1, 0, 0, $2, $3)
				ON CONFLICT (mailbox) DO UPDATE SET failing_since = coalesce(mailboxes.failing_since, excluded.failing_since), problem = excluded.problem`,
				mailbox, e.At, e.Detail)
		case mailflow.OutageEnded, mailflow.ReadingBegan:
			_, err = tx.Exec(ctx, `UPDATE mailboxes SET failing_since = NULL, problem = NULL, last_success = $2 WHERE mailbox = $1`, mailbox, e.At)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("recording an event of a mailbox: %w", err)
	}
	return nil
}
