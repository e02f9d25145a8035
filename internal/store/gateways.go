package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"pulih/internal/request"
)

// Gateway is what is kept of an agency's Srikandi beside its letters.
type Gateway struct {
	LastSuccess  *time.Time // of a poll
	FailingSince *time.Time
	ChangedAt    *time.Time
	RefusedAt    *time.Time // since when the sign-in is refused
	RetryAt      *time.Time // an operator has looked
	NoRegisterAt *time.Time
	Backlog      *Backlog
}

// Backlog is what gathered in Srikandi while it couldn't be read, until the last of it is read.
type Backlog struct {
	From, Until time.Time // of the outage
	Letters     int       // read of it so far
	CaughtUpAt  *time.Time
}

// Has reports that what arrived at an instant is part of the backlog. A new agency's reaches back without end.
func (b *Backlog) Has(at time.Time) bool {
	return !at.After(b.Until) && (!at.Before(b.From) || b.From.Equal(b.Until))
}

// Gateway returns what is kept, and loads the cursor; nothing is there the first time.
func (s *Store) Gateway(ctx context.Context, agencyKey string, cursor any) (Gateway, error) {
	return readGateway(ctx, s.Pool, agencyKey, cursor)
}

// Gateway is what this transaction sees.
func (tx *Tx) Gateway(agencyKey string) (Gateway, error) {
	return readGateway(tx.ctx, tx, agencyKey, nil)
}

func readGateway(ctx context.Context, q interface {
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}, agencyKey string, cursor any) (Gateway, error) {
	var g Gateway
	var b Backlog
	var raw []byte
	var from, until *time.Time
	err := q.QueryRow(ctx, `SELECT cursor, last_success, failing_since, changed_at, refused_at, retry_at, no_register_at, outage_from, outage_until, backlog_letters, caught_up_at
		FROM gateways WHERE agency = $1`, agencyKey).
		Scan(&raw, &g.LastSuccess, &g.FailingSince, &g.ChangedAt, &g.RefusedAt, &g.RetryAt, &g.NoRegisterAt, &from, &until, &b.Letters, &b.CaughtUpAt)
	if errors.Is(err, pgx.ErrNoRows) {
		return g, nil
	}
	if err == nil && cursor != nil {
		err = json.Unmarshal(raw, cursor)
	}
	if err != nil {
		return g, fmt.Errorf("reading the state of %s: %w", agencyKey, err)
	}
	if until != nil {
		b.From, b.Until = *from, *until
		g.Backlog = &b
	}
	return g, nil
}

// NoteSilence notes that nobody read an agency's Srikandi from one instant to another, though it may have worked: the daemon was off, or is new
// here. What came until then is a backlog, as after an outage.
func (s *Store) NoteSilence(ctx context.Context, agencyKey string, from, until time.Time) error {
	_, err := s.Pool.Exec(ctx, `INSERT INTO gateways AS g (agency, outage_from, outage_until) VALUES ($1, $2, $3)
		ON CONFLICT (agency) DO UPDATE SET outage_from = coalesce(g.outage_from, $2), outage_until = $3, caught_up_at = NULL`, agencyKey, from, until)
	if err != nil {
		return fmt.Errorf("noting the silence of %s: %w", agencyKey, err)
	}
	return nil
}

// NoteRefusal keeps since when an agency's sign-in is refused, unless an operator has looked since.
func (s *Store) NoteRefusal(ctx context.Context, agencyKey string, at time.Time) error {
	_, err := s.Pool.Exec(ctx, `INSERT INTO gateways (agency, refused_at) VALUES ($1, $2)
		ON CONFLICT (agency) DO UPDATE SET refused_at = $2 WHERE gateways.retry_at IS NULL OR gateways.retry_at < $2`, agencyKey, at)
	if err != nil {
		return fmt.Errorf("noting the refusal of %s: %w", agencyKey, err)
	}
	return nil
}

// RetrySignIn ends the rest after a refused sign-in: the operator has looked. Every daemon sees it at its next poll.
func (s *Store) RetrySignIn(ctx context.Context, agencyKey string, now time.Time) error {
	tag, err := s.Pool.Exec(ctx, `UPDATE gateways SET refused_at = NULL, retry_at = $2 WHERE agency = $1`, agencyKey, now)
	if err == nil && tag.RowsAffected() == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return fmt.Errorf("ending the rest of %s: %w", agencyKey, err)
	}
	return s.WakeSource(ctx)
}

// NoteNoRegister keeps that a gateway offers no registration.
func (tx *Tx) NoteNoRegister(agencyKey string) error {
	_, err := tx.Exec(tx.ctx, `INSERT INTO gateways (agency, no_register_at) VALUES ($1, $2) ON CONFLICT (agency) DO UPDATE SET no_register_at = $2`, agencyKey, tx.now)
	if err != nil {
		return fmt.Errorf("noting that %s registers nothing: %w", agencyKey, err)
	}
	return nil
}

// SaveGatewayCursor moves the cursor, in the transaction that keeps the rows before it. Letters is how many of them were new or changed.
func (tx *Tx) SaveGatewayCursor(agencyKey string, cursor any, letters int) error {
	raw, err := json.Marshal(cursor)
	if err != nil {
		return fmt.Errorf("moving the cursor of %s: %w", agencyKey, err)
	}
	return answered(tx.ctx, tx, agencyKey, raw, letters, false, tx.now)
}

// GatewayWorks notes that a poll came to its end, also one that found nothing.
func (s *Store) GatewayWorks(ctx context.Context, agencyKey string, now time.Time) error {
	return answered(ctx, s.Pool, agencyKey, nil, 0, true, now)
}

// answered notes that a gateway answered. After a failure of more than an hour what is read from here on is a backlog.
func answered(ctx context.Context, q interface {
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
}, agencyKey string, cursor []byte, letters int, atEnd bool, now time.Time) error {
	_, err := q.Exec(ctx, `INSERT INTO gateways AS g (agency, cursor, last_success, changed_at)
			VALUES ($1, coalesce($2::jsonb, '{}'::jsonb), $3::timestamptz, CASE WHEN $4::int > 0 THEN $3::timestamptz END)
		ON CONFLICT (agency) DO UPDATE SET
			cursor = coalesce($2::jsonb, g.cursor), last_success = $3::timestamptz, failing_since = NULL, problem = NULL, refused_at = NULL,
			changed_at = CASE WHEN $4::int > 0 THEN $3::timestamptz ELSE g.changed_at END,
			outage_from = CASE WHEN g.failing_since < $3::timestamptz - interval '1 hour' THEN coalesce(g.outage_from, g.failing_since) ELSE g.outage_from END,
			outage_until = CASE WHEN g.failing_since < $3::timestamptz - interval '1 hour' THEN $3::timestamptz ELSE g.outage_until END,
			backlog_letters = CASE WHEN g.outage_until IS NOT NULL OR g.failing_since < $3::timestamptz - interval '1 hour' THEN g.backlog_letters + $4::int ELSE 0 END,
			caught_up_at = CASE WHEN g.failing_since < $3::timestamptz - interval '1 hour' THEN NULL
				WHEN $5::boolean AND g.outage_until IS NOT NULL THEN coalesce(g.caught_up_at, $3::timestamptz) ELSE g.caught_up_at END`,
		agencyKey, cursor, now, letters, atEnd)
	if err != nil {
		return fmt.Errorf("noting the success of %s: %w", agencyKey, err)
	}
	return nil
}

// GatewayFailed notes that a poll failed, and answers since when it does: the first time is news.
func (s *Store) GatewayFailed(ctx context.Context, agencyKey, problem string, now time.Time) (since time.Time, err error) {
	err = s.Pool.QueryRow(ctx, `INSERT INTO gateways (agency, failing_since, problem) VALUES ($1, $2, $3)
		ON CONFLICT (agency) DO UPDATE SET failing_since = coalesce(gateways.failing_since, $2), problem = $3 RETURNING failing_since`,
		agencyKey, now, problem).Scan(&since)
	if err != nil {
		return since, fmt.Errorf("noting the failure of %s: %w", agencyKey, err)
	}
	return since, nil
}

// Hold keeps this transaction's mails back that a backlog makes by the hundred; EndBacklog tells of them in one mail a person.
func (tx *Tx) Hold() { tx.hold = true }

// held are the templates that a backlog makes by the hundred.
var held = map[string]bool{
	request.MailWork: true, request.MailReceiptOffice: true, request.MailReceiptApplicant: true, "unclear-letter": true, "other-service": true,
	request.MailReminder: true, request.MailEscalation: true,
}

func (tx *Tx) holdBack(n Notice) error {
	_, err := tx.Exec(tx.ctx, `INSERT INTO held_mails (agency, once, number, letter_id, template, kind, person, name, address)
		VALUES ($1, $2, $3, nullif($4, 0), $5, $6, $7, $8, $9) ON CONFLICT (once) DO NOTHING`,
		n.Agency, n.Once, n.Number, n.LetterID, n.Template, n.To.Kind, n.To.ID, n.To.Name, n.To.Address)
	if err != nil {
		return fmt.Errorf("holding notice %s: %w", n.Template, err)
	}
	return nil
}

// EndBacklog ends an agency's backlog once all of it is read, or two hours after the last poll of it whatever is still missing, and writes the
// one mail a person. It answers false while it goes on.
func (s *Store) EndBacklog(ctx context.Context, agencyKey, template string, now time.Time) (ended bool, err error) {
	err = s.InTx(ctx, now, func(tx *Tx) error {
		var from, until time.Time
		err := tx.QueryRow(ctx, `SELECT outage_from, outage_until FROM gateways g WHERE agency = $1 AND caught_up_at IS NOT NULL
			AND (caught_up_at < $2::timestamptz - interval '2 hours' OR NOT EXISTS (SELECT FROM letters l
				WHERE l.agency = $1 AND l.channel = 'srikandi' AND l.state = 'stored' AND l.received_at <= g.outage_until)) FOR UPDATE`, agencyKey, now).Scan(&from, &until)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		}
		if err == nil {
			_, err = tx.Exec(ctx, `UPDATE gateways SET outage_from = NULL, outage_until = NULL, backlog_letters = 0, caught_up_at = NULL WHERE agency = $1`, agencyKey)
		}
		if err != nil {
			return fmt.Errorf("ending the backlog of %s: %w", agencyKey, err)
		}
		ended = true
		return tx.summarise(agencyKey, template, from, until)
	})
	return ended, err
}

// heldMail is a mail that was held back.
type heldMail struct {
	Number   string
	LetterID int64
	Template string
	Kind     string
	Person   string
	Name     string
	Address  string
}

func (tx *Tx) summarise(agencyKey, template string, from, until time.Time) error {
	rows, err := tx.Query(tx.ctx, `WITH gone AS (DELETE FROM held_mails WHERE agency = $1 RETURNING *)
		SELECT number, coalesce(letter_id, 0), template, kind, person, name, address FROM gone ORDER BY id`, agencyKey)
	if err != nil {
		return fmt.Errorf("reading the held mails of %s: %w", agencyKey, err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[heldMail])
	if err != nil {
		return fmt.Errorf("reading the held mails of %s: %w", agencyKey, err)
	}
	span := from.UTC().Format(time.RFC3339) + " " + until.UTC().Format(time.RFC3339)
	people := map[string]*Notice{}
	var order []string
	for _, m := range list {
		n, ok := people[m.Kind+" "+m.Address]
		if !ok {
			n = &Notice{Agency: agencyKey, Once: fmt.Sprintf("backlog/%s/%d/%s/%s", agencyKey, until.Unix(), m.Kind, m.Address), Template: template,
				To: request.Recipient{Kind: m.Kind, ID: m.Person, Name: m.Name, Address: m.Address}, Items: []BundleItem{{Text: span}}}
			people[m.Kind+" "+m.Address] = n
			order = append(order, m.Kind+" "+m.Address)
		}
		n.Items = append(n.Items, BundleItem{Number: m.Number, Letter: m.LetterID, Step: m.Template})
	}
	for _, key := range order {
		if err := tx.Notify(*people[key]); err != nil {
			return err
		}
	}
	return nil
}
