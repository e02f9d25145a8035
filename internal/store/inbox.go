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
		for _, a := range arrivals {
			if err := tx.saveArrival(agencyKey, mailbox, a); err != nil {
				return err
			}
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

func (tx *Tx) saveArrival(agencyKey, mailbox string, a mailflow.Arrival) error {
	var known bool
	err := tx.QueryRow(tx.ctx, `SELECT EXISTS (SELECT FROM sightings WHERE mailbox = $1 AND uid_validity = $2 AND uid = $3)`,
		mailbox, a.UIDValidity, a.UID).Scan(&known)
	if err != nil {
		return fmt.Errorf("looking for a message: %w", err)
	}
	if known {
		return nil
	}
	id, err := tx.saveMail(agencyKey, mailbox, a)
	if err != nil {
		return err
	}
	_, err = tx.Exec(tx.ctx, `INSERT INTO sightings (mailbox, uid_validity, uid, letter_id, seen_at) VALUES ($1, $2, $3, $4, $5)`,
		mailbox, a.UIDValidity, a.UID, id, tx.now)
	if err != nil {
		return fmt.Errorf("keeping where a message was seen: %w", err)
	}
	return nil
}

// saveMail keeps the bytes, or finds the letter that has them.
func (tx *Tx) saveMail(agencyKey, mailbox string, a mailflow.Arrival) (id int64, err error) {
	raw := a.Raw
	if raw == nil {
		raw = []byte{}
	}
	sum := sha256.Sum256(raw)
	source := hex.EncodeToString(sum[:])
	if len(raw) == 0 { // nothing to recognise it by but its place
		source = fmt.Sprintf("%s/%d/%d", mailbox, a.UIDValidity, a.UID)
	}
	err = tx.QueryRow(tx.ctx, `SELECT id FROM letters WHERE agency = $1 AND channel = 'mail' AND source = $2`, agencyKey, source).Scan(&id)
	if err == nil || !errors.Is(err, pgx.ErrNoRows) {
		return id, err
	}
	state, messageID := "stored", headMessageID(raw)
	if a.Problem != "" {
		state = "quarantined"
	}
	err = tx.QueryRow(tx.ctx, `INSERT INTO letters (agency, channel, source, sha256, size, raw, received_at, seen_at, message_id, headers_only, state,
			problem, duplicate_of)
		VALUES ($1, 'mail', $2, $3, $4, $5, $6, $7, nullif($8, ''), $9, $10, nullif($11, ''),
			(SELECT id FROM letters WHERE agency = $1 AND message_id = nullif($8, '') ORDER BY id LIMIT 1)) RETURNING id`,
		agencyKey, source, sum[:], a.Size, tx.s.Keys.Seal(rawPlace(agencyKey, "mail", source, 1), raw), a.InternalDate, tx.now, messageID,
		a.HeadersOnly, state, a.Problem).Scan(&id)
	if err != nil {
		return 0, fmt.Errorf("keeping a message: %w", err)
	}
	if state == "quarantined" {
		return id, nil
	}
	return id, tx.Enqueue(ReadLetter{LetterID: id, Version: 1}, nil)
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

// Event records something that the operator should know of.
func (in *Inbox) Event(ctx context.Context, mailbox string, e mailflow.Event) error {
	_, err := in.s.Pool.Exec(ctx, `INSERT INTO mailbox_events (mailbox, at, what, detail) VALUES ($1, $2, $3, $4)`, mailbox, e.At, e.Kind, e.Detail)
	if err == nil && (e.Kind == mailflow.OutageBegan || e.Kind == mailflow.SignInRefused) {
		_, err = in.s.Pool.Exec(ctx, `UPDATE mailboxes SET failing_since = coalesce(failing_since, $2), problem = $3 WHERE mailbox = $1`, mailbox, e.At, e.Detail)
	}
	if err != nil {
		return fmt.Errorf("recording an event of a mailbox: %w", err)
	}
	return nil
}
