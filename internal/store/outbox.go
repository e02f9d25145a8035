package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// Outgoing is a row of the outbox.
type Outgoing struct {
	ID        int64
	Agency    string
	Number    string
	Version   int
	LetterID  int64
	Template  string
	Kind      string
	Person    string
	Name      string
	Address   string
	Items     []BundleItem
	MessageID string
	State     string // waiting, sending, sent, uncertain, failed, cancelled
	Attempts  int
	Reply     string
	CreatedAt time.Time
	SentAt    *time.Time
	BouncedAt *time.Time
}

const outboxColumns = `id, agency, coalesce(number, ''), coalesce(version, 0), coalesce(letter_id, 0), template, kind, person, name, address, items,
	coalesce(message_id, ''), state, attempts, coalesce(reply, ''), created_at, sent_at, bounced_at`

// Outgoing returns one row, or ErrNotFound.
func (s *Store) Outgoing(ctx context.Context, id int64) (Outgoing, error) {
	list, err := s.outgoing(ctx, `WHERE id = $1`, id)
	if err == nil && len(list) == 0 {
		err = fmt.Errorf("mail %d: %w", id, ErrNotFound)
	}
	if err != nil {
		return Outgoing{}, err
	}
	return list[0], nil
}

// MailsOf lists the mails about a request, oldest first, bundled ones among them.
func (s *Store) MailsOf(ctx context.Context, number string) ([]Outgoing, error) {
	return s.outgoing(ctx, `WHERE number = $1 OR (number IS NULL AND items @> jsonb_build_array(jsonb_build_object('number', $1::text))) ORDER BY id`, number)
}

// UncertainMails lists an agency's mails that may or may not have arrived, or were given up.
func (s *Store) UncertainMails(ctx context.Context, agencyKey string) ([]Outgoing, error) {
	return s.outgoing(ctx, `WHERE agency = $1 AND state IN ('uncertain', 'failed') ORDER BY id DESC LIMIT 200`, agencyKey)
}

func (s *Store) outgoing(ctx context.Context, where string, args ...any) ([]Outgoing, error) {
	rows, err := s.Pool.Query(ctx, `SELECT `+outboxColumns+` FROM outbox `+where, args...)
	if err != nil {
		return nil, fmt.Errorf("reading the outbox: %w", err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Outgoing])
	if err != nil {
		return nil, fmt.Errorf("reading the outbox: %w", err)
	}
	return list, nil
}

// Dial books an attempt before it is made. A row that is found in the middle of an attempt was left there by a crash: nobody knows whether
// the mail went, and it answers false after marking it uncertain (invariant 5). MessageID and content are kept from the first attempt on.
func (s *Store) Dial(ctx context.Context, id int64, messageID string, content any) (ok bool, err error) {
	plain, err := json.Marshal(content)
	if err != nil {
		return false, fmt.Errorf("keeping the text of mail %d: %w", id, err)
	}
	tag, err := s.Pool.Exec(ctx, `UPDATE outbox SET state = 'sending', attempts = attempts + 1, message_id = $2, content = coalesce(content, $3)
		WHERE id = $1 AND state = 'waiting'`, id, messageID, s.Keys.Seal(mailPlace(id), plain))
	if err != nil {
		return false, fmt.Errorf("booking mail %d: %w", id, err)
	}
	if tag.RowsAffected() == 1 {
		return true, nil
	}
	_, err = s.Pool.Exec(ctx, `UPDATE outbox SET state = 'uncertain', uncertain_at = clock_timestamp(), reply = 'berhenti di tengah pengiriman'
		WHERE id = $1 AND state = 'sending'`, id)
	if err != nil {
		return false, fmt.Errorf("marking mail %d uncertain: %w", id, err)
	}
	return false, nil
}

func mailPlace(id int64) string { return fmt.Sprintf("outbox:%d:content", id) }

// MailContent returns what a mail said, as given to Dial; ErrNotFound before its first attempt.
func (s *Store) MailContent(ctx context.Context, id int64, into any) error {
	var sealed []byte
	err := s.Pool.QueryRow(ctx, `SELECT content FROM outbox WHERE id = $1`, id).Scan(&sealed)
	if errors.Is(err, pgx.ErrNoRows) || (err == nil && sealed == nil) {
		return fmt.Errorf("text of mail %d: %w", id, ErrNotFound)
	} else if err != nil {
		return fmt.Errorf("reading the text of mail %d: %w", id, err)
	}
	plain, err := s.Keys.Open(mailPlace(id), sealed)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(plain, into); err != nil {
		return fmt.Errorf("reading the text of mail %d: %w", id, err)
	}
	return nil
}

// Settle writes what became of an attempt: "sent", "waiting" (to be tried again), "uncertain", "failed" or "cancelled". Reply is the
// server's answer.
func (s *Store) Settle(ctx context.Context, id int64, state, reply string, now time.Time) error {
	return s.InTx(ctx, now, func(tx *Tx) error { return tx.Settle(id, state, reply) })
}

// Settle is Store.Settle together with what follows from it.
func (tx *Tx) Settle(id int64, state, reply string) error {
	_, err := tx.Exec(tx.ctx, `UPDATE outbox SET state = $2, reply = $3, sent_at = CASE WHEN $2 = 'sent' THEN $4::timestamptz ELSE sent_at END,
		uncertain_at = CASE WHEN $2 = 'uncertain' THEN clock_timestamp() ELSE uncertain_at END WHERE id = $1`, id, state, reply, tx.now)
	if err != nil {
		return fmt.Errorf("settling mail %d: %w", id, err)
	}
	return nil
}

// MailSent finds the mail that has a Message-ID, or ErrNotFound.
func (s *Store) MailSent(ctx context.Context, messageID string) (Outgoing, error) {
	list, err := s.outgoing(ctx, `WHERE message_id = $1`, messageID)
	if err == nil && len(list) == 0 {
		err = fmt.Errorf("mail by its Message-ID: %w", ErrNotFound)
	}
	if err != nil {
		return Outgoing{}, err
	}
	return list[0], nil
}

// MarkBounced notes that a mail came back.
func (tx *Tx) MarkBounced(id int64) error {
	if _, err := tx.Exec(tx.ctx, `UPDATE outbox SET bounced_at = $2 WHERE id = $1`, id, tx.now); err != nil {
		return fmt.Errorf("marking a bounce: %w", err)
	}
	return nil
}

// MarkDead notes that an address takes no mail any more, and answers since when that is known.
func (tx *Tx) MarkDead(agencyKey, address, why string) (since time.Time, err error) {
	err = tx.QueryRow(tx.ctx, `INSERT INTO dead_addresses (agency, address, bounced_at, why) VALUES ($1, lower($2), $3, $4)
		ON CONFLICT (agency, address) DO UPDATE SET why = excluded.why RETURNING bounced_at`, agencyKey, address, tx.now, why).Scan(&since)
	if err != nil {
		return since, fmt.Errorf("marking an address dead: %w", err)
	}
	return since, nil
}

// DeadSince says since when mail to an address has come back for good; zero: it doesn't.
func (s *Store) DeadSince(ctx context.Context, agencyKey, address string) (since time.Time, err error) {
	err = s.Pool.QueryRow(ctx, `SELECT bounced_at FROM dead_addresses WHERE agency = $1 AND address = lower($2)`, agencyKey, address).Scan(&since)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return since, fmt.Errorf("looking for a dead address: %w", err)
	}
	return since, nil
}

// Revive takes the mark of a dead address away: a mail of ours has arrived there.
func (s *Store) Revive(ctx context.Context, agencyKey, address string) error {
	if _, err := s.Pool.Exec(ctx, `DELETE FROM dead_addresses WHERE agency = $1 AND address = lower($2)`, agencyKey, address); err != nil {
		return fmt.Errorf("reviving an address: %w", err)
	}
	return nil
}

// WrittenBefore counts the mails of the same template to the same address that were written in the span before one and not left out.
func (s *Store) WrittenBefore(ctx context.Context, m Outgoing, span time.Duration) (n int, err error) {
	err = s.Pool.QueryRow(ctx, `SELECT count(*) FROM outbox WHERE agency = $1 AND template = $2 AND address = $3 AND id < $4 AND created_at > $5
		AND state <> 'cancelled'`, m.Agency, m.Template, m.Address, m.ID, m.CreatedAt.Add(-span)).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("counting the mails before mail %d: %w", m.ID, err)
	}
	return n, nil
}

// SecondChance lets an uncertain mail be sent once more, ever, after a rest on the wall's clock. It answers true the first time, and the row
// waits again; before that, how long the rest still lasts.
func (s *Store) SecondChance(ctx context.Context, id int64, rest time.Duration) (chance bool, wait time.Duration, err error) {
	var resent bool
	var passed float64
	err = s.Pool.QueryRow(ctx, `SELECT resent, coalesce(extract(epoch FROM clock_timestamp() - uncertain_at), 1e9)::float8 FROM outbox WHERE id = $1`, id).
		Scan(&resent, &passed)
	if err != nil {
		return false, 0, fmt.Errorf("giving mail %d a second chance: %w", id, err)
	}
	if resent {
		return false, 0, nil
	}
	if wait = rest - time.Duration(passed*float64(time.Second)); wait > 0 {
		return false, wait, nil
	}
	tag, err := s.Pool.Exec(ctx, `UPDATE outbox SET state = 'waiting', resent = true WHERE id = $1 AND state = 'uncertain' AND NOT resent`, id)
	if err != nil {
		return false, 0, fmt.Errorf("giving mail %d a second chance: %w", id, err)
	}
	return tag.RowsAffected() == 1, 0, nil
}

// CountAttempt counts a try that ended before the mail was booked.
func (s *Store) CountAttempt(ctx context.Context, id int64) error {
	if _, err := s.Pool.Exec(ctx, `UPDATE outbox SET attempts = attempts + 1 WHERE id = $1`, id); err != nil {
		return fmt.Errorf("counting a try at mail %d: %w", id, err)
	}
	return nil
}
