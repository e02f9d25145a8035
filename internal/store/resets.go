package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"pulih/internal/agency"
	"pulih/internal/letter"
	"pulih/internal/request"
)

// WaitingReset is an approved reset in the queue.
type WaitingReset struct {
	Number   string
	Approval int
	DueAt    time.Time
	Tries    int    // how often it was held
	Why      string // what for, the last time
}

// WaitingResets lists those of an agency's queue that may be tried now, in order of the deadlines.
func (s *Store) WaitingResets(ctx context.Context, agencyKey string, now time.Time) ([]WaitingReset, error) {
	rows, err := s.Pool.Query(ctx, `SELECT number, approval, due_at, tries, why FROM resets WHERE agency = $1 AND state = 'waiting' AND next_at <= $2
		ORDER BY due_at, number`, agencyKey, now)
	if err != nil {
		return nil, fmt.Errorf("reading the resets of %s: %w", agencyKey, err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[WaitingReset])
	if err != nil {
		return nil, fmt.Errorf("reading the resets of %s: %w", agencyKey, err)
	}
	return list, nil
}

// reset puts an approval into the queue, or back into it.
func (tx *Tx) reset(a *agency.Agency, s request.State, r request.Reset) error {
	_, err := tx.Exec(tx.ctx, `INSERT INTO resets (number, approval, agency, due_at) VALUES ($1, $2, $3, $4)
		ON CONFLICT (number, approval) DO UPDATE SET state = 'waiting'`, s.Number, s.Approval.Version, a.Key, r.Due)
	if err != nil {
		return fmt.Errorf("queueing the reset: %w", err)
	}
	return tx.Enqueue(RunResets{Agency: a.Key}, nil)
}

// hurry has all resets of an agency tried now, whatever they were held for.
func (tx *Tx) hurry(agencyKey string) error {
	if _, err := tx.Exec(tx.ctx, `UPDATE resets SET next_at = '-infinity' WHERE agency = $1 AND state = 'waiting'`, agencyKey); err != nil {
		return fmt.Errorf("waking the resets of %s: %w", agencyKey, err)
	}
	return tx.Enqueue(RunResets{Agency: agencyKey}, nil)
}

// longestHold is the most that a reset waits between two tries.
const longestHold = 15 * time.Minute

// HoldReset leaves a reset in the queue for later: after 1 minute, 2, 4, ... up to a quarter of an hour. why is an Indonesian sentence
// without personal data.
func (s *Store) HoldReset(ctx context.Context, r WaitingReset, why string, now time.Time) error {
	next := now.Add(min(time.Minute<<min(r.Tries, 10), longestHold))
	_, err := s.Pool.Exec(ctx, `UPDATE resets SET tries = tries + 1, next_at = $3, why = $4 WHERE number = $1 AND approval = $2 AND state = 'waiting'`,
		r.Number, r.Approval, next, why)
	if err != nil {
		return fmt.Errorf("holding the reset of %s: %w", r.Number, err)
	}
	return nil
}

// HeldFor says why a request's reset waits in the queue; empty when it doesn't, or nothing is known against it.
func (s *Store) HeldFor(ctx context.Context, number string) (why string, err error) {
	err = s.Pool.QueryRow(ctx, `SELECT why FROM resets WHERE number = $1 AND state = 'waiting' ORDER BY approval DESC LIMIT 1`, number).Scan(&why)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return "", fmt.Errorf("reading the queue for %s: %w", number, err)
	}
	return why, nil
}

// LeaveQueue takes a reset out of the queue, in the transaction of the event that does.
func (tx *Tx) LeaveQueue(r WaitingReset) error {
	_, err := tx.Exec(tx.ctx, `UPDATE resets SET state = 'done' WHERE number = $1 AND approval = $2`, r.Number, r.Approval)
	if err != nil {
		return fmt.Errorf("taking the reset of %s from the queue: %w", r.Number, err)
	}
	return nil
}

// ResetsDue reports whether an agency's queue has work now: a reset that may be tried, or a call that was booked and has no outcome.
func (s *Store) ResetsDue(ctx context.Context, agencyKey string, now time.Time) (due bool, err error) {
	err = s.Pool.QueryRow(ctx, `SELECT EXISTS (SELECT FROM resets WHERE agency = $1 AND state = 'waiting' AND next_at <= $2)
		OR EXISTS (SELECT FROM requests WHERE agency = $1 AND status = 'booked')`, agencyKey, now).Scan(&due)
	if err != nil {
		return false, fmt.Errorf("reading the resets of %s: %w", agencyKey, err)
	}
	return due, nil
}

// Booked lists an agency's requests whose call was booked and has no outcome: after a crash these are uncertain.
func (s *Store) Booked(ctx context.Context, agencyKey string) ([]Request, error) {
	return s.requests(ctx, `WHERE agency = $1 AND status = 'booked' ORDER BY number`, agencyKey)
}

// AwaitingSession lists an agency's requests whose reset waits for a verifier's session.
func (s *Store) AwaitingSession(ctx context.Context, agencyKey string) ([]Request, error) {
	return s.requests(ctx, `WHERE agency = $1 AND status = 'waiting-session' ORDER BY number`, agencyKey)
}

// LockResets makes this the one worker that makes an agency's resets, across all daemons, until release.
func (s *Store) LockResets(ctx context.Context, agencyKey string) (release func(), ok bool, err error) {
	return s.lock(ctx, 7239003, agencyKey)
}

// Line is the way to the portal that all resets of an agency share.
type Line struct {
	StoppedAt *time.Time // nil: open
	StoppedBy string
	CalledAt  *time.Time // the last call; nil: never
}

// Line returns an agency's.
func (s *Store) Line(ctx context.Context, agencyKey string) (Line, error) {
	l, _, err := line(ctx, s.Pool, agencyKey, "")
	return l, err
}

// Line is the same, held until the end of the transaction: whoever stops the resets waits for it, and comes before or after.
func (tx *Tx) Line(agencyKey string) (Line, error) {
	l, ok, err := line(tx.ctx, tx, agencyKey, " FOR UPDATE")
	if err != nil || ok {
		return l, err
	}
	if _, err := tx.Exec(tx.ctx, `INSERT INTO switches (agency) VALUES ($1) ON CONFLICT DO NOTHING`, agencyKey); err != nil {
		return l, fmt.Errorf("reading the switch of %s: %w", agencyKey, err)
	}
	l, _, err = line(tx.ctx, tx, agencyKey, " FOR UPDATE")
	return l, err
}

// line is false where nothing was ever switched.
func line(ctx context.Context, q querier, agencyKey, lock string) (l Line, ok bool, err error) {
	rows, err := q.Query(ctx, `SELECT resets_stopped_at, coalesce(stopped_by, ''), called_at FROM switches WHERE agency = $1`+lock, agencyKey)
	if err == nil {
		l, err = pgx.CollectExactlyOneRow(rows, pgx.RowToStructByPos[Line])
	}
	if errors.Is(err, pgx.ErrNoRows) {
		return l, false, nil
	} else if err != nil {
		return l, false, fmt.Errorf("reading the switch of %s: %w", agencyKey, err)
	}
	return l, true, nil
}

// Calling notes that a call is about to be made in a verifier's session, and takes it from the queue, in the transaction that books it.
func (tx *Tx) Calling(agencyKey, verifier string, r WaitingReset) error {
	batch := &pgx.Batch{}
	batch.Queue(`UPDATE switches SET called_at = $2 WHERE agency = $1`, agencyKey, tx.now)
	batch.Queue(`UPDATE ams_sessions SET used_at = $3 WHERE agency = $1 AND verifier = $2`, agencyKey, verifier, tx.now)
	batch.Queue(`UPDATE resets SET state = 'done' WHERE number = $1 AND approval = $2`, r.Number, r.Approval)
	if err := tx.SendBatch(tx.ctx, batch).Close(); err != nil {
		return fmt.Errorf("noting a call of %s: %w", agencyKey, err)
	}
	return nil
}

// CountUncertain counts the calls in a row that nobody knows the outcome of; one with an outcome ends the row.
func (tx *Tx) CountUncertain(agencyKey string, uncertain bool) (inARow int, err error) {
	err = tx.QueryRow(tx.ctx, `INSERT INTO switches AS s (agency, uncertain) VALUES ($1, $2::int)
		ON CONFLICT (agency) DO UPDATE SET uncertain = CASE WHEN $2 = 1 THEN s.uncertain + 1 ELSE 0 END RETURNING uncertain`, agencyKey, bit(uncertain)).Scan(&inARow)
	if err != nil {
		return 0, fmt.Errorf("counting the uncertain resets of %s: %w", agencyKey, err)
	}
	return inARow, nil
}

func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}

// StopResets holds all resets of an agency at once, or lets them go on. When it returns, no call is booked any more; one that was booked
// before may still be under way.
func (s *Store) StopResets(ctx context.Context, agencyKey, by string, stop bool, now time.Time) error {
	return s.InTx(ctx, now, func(tx *Tx) error { return tx.StopResets(agencyKey, by, stop) })
}

// StopResets is the same in a transaction.
func (tx *Tx) StopResets(agencyKey, by string, stop bool) error {
	var at *time.Time
	if stop {
		at = &tx.now
	}
	_, err := tx.Exec(tx.ctx, `INSERT INTO switches (agency, resets_stopped_at, stopped_by) VALUES ($1, $2, $3)
		ON CONFLICT (agency) DO UPDATE SET resets_stopped_at = $2, stopped_by = $3, uncertain = 0`, agencyKey, at, by)
	if err != nil {
		return fmt.Errorf("switching the resets of %s: %w", agencyKey, err)
	}
	if stop {
		return nil
	}
	return tx.hurry(agencyKey)
}

// ResetsStopped reports whether an agency's resets are held.
func (s *Store) ResetsStopped(ctx context.Context, agencyKey string) (stopped bool, err error) {
	l, err := s.Line(ctx, agencyKey)
	return l.StoppedAt != nil, err
}

// Facts gathers what a decision about a reset needs to know beyond its request.
func (s *Store) Facts(ctx context.Context, a *agency.Agency, st request.State, verifier string, now time.Time) (f request.Facts, err error) {
	if f, err = s.facts(ctx, s.Pool, a, st); err == nil {
		err = s.countToday(ctx, s.Pool, a, verifier, now, &f)
	}
	return f, err
}

// informed fills the facts of a command in, as the transaction sees them. In AMS mode only the call itself is counted: its guard asks Facts.
func (tx *Tx) informed(a *agency.Agency, st request.State, cmd request.Command) (_ request.Command, err error) {
	switch c := cmd.(type) {
	case request.Approve:
		if c.Facts, err = tx.s.facts(tx.ctx, tx, a, st); err == nil && a.Mode != agency.AMS {
			err = tx.s.countToday(tx.ctx, tx, a, c.By.ID, tx.now, &c.Facts)
		}
		if err == nil {
			c.Facts.Corrections, err = tx.corrections(st)
		}
		return c, err
	case request.Book:
		c.Facts, err = tx.s.facts(tx.ctx, tx, a, st)
		return c, err
	case request.Confirm:
		if c.Facts, err = tx.s.facts(tx.ctx, tx, a, st); err == nil {
			err = tx.s.countToday(tx.ctx, tx, a, c.By.ID, tx.now, &c.Facts)
		}
		return c, err
	}
	return cmd, nil
}

// corrections are those of all letters of a request that could be read.
func (tx *Tx) corrections(st request.State) ([]letter.Correction, error) {
	var out []letter.Correction
	for _, l := range st.Letters {
		r, err := tx.s.reading(tx.ctx, tx, l.ID)
		if err != nil && !errors.Is(err, ErrNotFound) {
			return nil, err
		}
		out = append(out, r.Corrections...)
	}
	return out, nil
}

func (s *Store) facts(ctx context.Context, q querier, a *agency.Agency, st request.State) (f request.Facts, err error) {
	l, _, err := line(ctx, q, a.Key, "")
	if err != nil {
		return f, err
	}
	f.Stopped = l.StoppedAt != nil
	f.LastReset, err = s.lastReset(ctx, q, a.Key, st)
	return f, err
}

// countToday counts this day's resets, in the agency's zone. In whose name they were made is sealed, so that each is opened: a daily cap
// keeps them few.
func (s *Store) countToday(ctx context.Context, q querier, a *agency.Agency, verifier string, now time.Time, f *request.Facts) error {
	local := now.In(a.Zone)
	rows, err := q.Query(ctx, `SELECT `+eventColumns+` FROM events e WHERE agency = $1 AND kind IN ('ResetBooked', 'ResetConfirmed') AND at >= $2`,
		a.Key, time.Date(local.Year(), local.Month(), local.Day(), 0, 0, 0, 0, a.Zone))
	if err != nil {
		return fmt.Errorf("counting the resets of %s: %w", a.Key, err)
	}
	today, err := pgx.CollectRows(rows, pgx.RowToStructByPos[eventRow])
	if err != nil {
		return fmt.Errorf("counting the resets of %s: %w", a.Key, err)
	}
	events, err := s.openEvents(today)
	if err != nil {
		return err
	}
	f.AgencyToday = len(events)
	for _, e := range events {
		if e.By.ID == verifier {
			f.VerifierToday++
		}
	}
	return nil
}

// lastReset is when a reset was last made, or may have been, for the same person in any other request; zero if never. Who has no NIP is
// known by name.
func (s *Store) lastReset(ctx context.Context, q querier, agencyKey string, st request.State) (time.Time, error) {
	rows, err := q.Query(ctx, `SELECT max(e.at) FROM events e
		WHERE e.kind IN ('ResetAccepted', 'ResetConfirmed', 'ResetUncertain') AND e.number <> $4 AND e.number IN (
			SELECT number FROM requests WHERE agency = $1 AND nip_key = $2
			UNION SELECT number FROM requests WHERE agency = $1 AND applicant_fold = $3 AND ($2::bytea IS NULL OR nip_key IS NULL))`,
		agencyKey, s.Keys.Lookup("nip", agency.Digits(st.Subject.NIP)), agency.FoldName(st.Subject.Name), st.Number)
	if err != nil {
		return time.Time{}, fmt.Errorf("looking for the last reset: %w", err)
	}
	at, err := pgx.CollectExactlyOneRow(rows, pgx.RowTo[*time.Time])
	if err != nil {
		return time.Time{}, fmt.Errorf("looking for the last reset: %w", err)
	}
	if at == nil {
		return time.Time{}, nil
	}
	return *at, nil
}
