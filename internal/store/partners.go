package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"pulih/internal/agency"
)

// This file keeps what the partners' workers need: follow-ups and registrations for Srikandi, the queue of resets, sessions and watches
// for BSrE.

// FollowUp is a row of follow_ups.
type FollowUp struct {
	ID          int64
	Agency      string
	Number      string
	SrikandiID  string
	Disposition string
	Status      string
	Note        string
	Key         string
	State       string
}

// FollowUp returns one row and whether an earlier one of the same letter still waits: they are written in order.
func (s *Store) FollowUp(ctx context.Context, id int64) (f FollowUp, mustWait bool, err error) {
	var sealed []byte
	err = s.Pool.QueryRow(ctx, `SELECT id, agency, number, srikandi_id, coalesce(disposition, ''), status, note, sealed, key, state,
		EXISTS (SELECT FROM follow_ups e WHERE e.agency = f.agency AND e.srikandi_id = f.srikandi_id AND e.id < f.id AND e.state = 'waiting')
		FROM follow_ups f WHERE id = $1`, id).Scan(&f.ID, &f.Agency, &f.Number, &f.SrikandiID, &f.Disposition, &f.Status, &f.Note, &sealed, &f.Key, &f.State, &mustWait)
	if err == nil && sealed != nil {
		var plain []byte
		plain, err = s.Keys.Open(notePlace(f.Key), sealed)
		f.Note = string(plain)
	}
	if err != nil {
		return f, false, fmt.Errorf("reading follow-up %d: %w", id, err)
	}
	return f, mustWait, nil
}

// SettleFollowUp writes what became of it: "done", or "dropped" when the letter is gone.
func (s *Store) SettleFollowUp(ctx context.Context, id int64, state, reply string, now time.Time) error {
	_, err := s.Pool.Exec(ctx, `UPDATE follow_ups SET state = $2, reply = $3, done_at = $4 WHERE id = $1`, id, state, reply, now)
	if err != nil {
		return fmt.Errorf("settling follow-up %d: %w", id, err)
	}
	return nil
}

// AskRegistration queues a letter that came by mail for Srikandi, once.
func (tx *Tx) AskRegistration(agencyKey string, letterID int64) error {
	tag, err := tx.Exec(tx.ctx, `INSERT INTO registrations (letter_id, agency, state) VALUES ($1, $2, 'waiting') ON CONFLICT DO NOTHING`, letterID, agencyKey)
	if err != nil {
		return fmt.Errorf("queueing the registration of letter %d: %w", letterID, err)
	}
	if tag.RowsAffected() == 0 {
		return nil
	}
	return tx.Enqueue(RegisterLetter{LetterID: letterID}, nil)
}

// Registered notes where a letter from the mail stands in Srikandi; an empty id means that the gateway offers no registration. The
// requests of the letter are known by that id from now on.
func (tx *Tx) Registered(agencyKey string, letterID int64, srikandiID string) error {
	state := "done"
	if srikandiID == "" {
		state = "not-offered"
	}
	_, err := tx.Exec(tx.ctx, `UPDATE registrations SET state = $2, srikandi_id = nullif($3, '') WHERE letter_id = $1`, letterID, state, srikandiID)
	if err != nil {
		return fmt.Errorf("noting the registration of letter %d: %w", letterID, err)
	}
	return nil
}

// RegisteredFrom finds the letter from the mail that was registered in Srikandi under an id.
func (s *Store) RegisteredFrom(ctx context.Context, agencyKey, srikandiID string) (letterID int64, ok bool, err error) {
	err = s.Pool.QueryRow(ctx, `SELECT letter_id FROM registrations WHERE agency = $1 AND srikandi_id = $2`, agencyKey, srikandiID).Scan(&letterID)
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, false, nil
	} else if err != nil {
		return 0, false, fmt.Errorf("looking for a registered letter: %w", err)
	}
	return letterID, true, nil
}

// WaitingReset is an approved reset in the queue.
type WaitingReset struct {
	Number   string
	Approval int
	DueAt    time.Time
}

// WaitingResets lists an agency's queue in order of the deadlines.
func (s *Store) WaitingResets(ctx context.Context, agencyKey string) ([]WaitingReset, error) {
	rows, err := s.Pool.Query(ctx, `SELECT number, approval, due_at FROM resets WHERE agency = $1 AND state = 'waiting' ORDER BY due_at, number`, agencyKey)
	if err != nil {
		return nil, fmt.Errorf("reading the resets of %s: %w", agencyKey, err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[WaitingReset])
	if err != nil {
		return nil, fmt.Errorf("reading the resets of %s: %w", agencyKey, err)
	}
	return list, nil
}

// LeaveQueue takes a reset out of the queue, in the transaction of the event that does.
func (tx *Tx) LeaveQueue(r WaitingReset) error {
	_, err := tx.Exec(tx.ctx, `UPDATE resets SET state = 'done' WHERE number = $1 AND approval = $2`, r.Number, r.Approval)
	if err != nil {
		return fmt.Errorf("taking the reset of %s from the queue: %w", r.Number, err)
	}
	return nil
}

// Booked lists an agency's requests whose call was booked and has no outcome: after a crash these are uncertain.
func (s *Store) Booked(ctx context.Context, agencyKey string) ([]Request, error) {
	return s.requests(ctx, `WHERE agency = $1 AND status = 'booked' ORDER BY number`, agencyKey)
}

// ResetsSince counts the calls that an agency made since an instant.
func (s *Store) ResetsSince(ctx context.Context, agencyKey string, since time.Time) (n int, err error) {
	err = s.Pool.QueryRow(ctx, `SELECT count(*) FROM events WHERE agency = $1 AND kind IN ('ResetBooked', 'ResetConfirmed') AND at >= $2`, agencyKey, since).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("counting the resets of %s: %w", agencyKey, err)
	}
	return n, nil
}

// StopResets holds all resets of an agency at once, or lets them go on.
func (s *Store) StopResets(ctx context.Context, agencyKey, by string, stop bool, now time.Time) error {
	return s.InTx(ctx, now, func(tx *Tx) error {
		var at *time.Time
		if stop {
			at = &now
		}
		_, err := tx.Exec(ctx, `INSERT INTO switches (agency, resets_stopped_at, stopped_by) VALUES ($1, $2, $3)
			ON CONFLICT (agency) DO UPDATE SET resets_stopped_at = $2, stopped_by = $3`, agencyKey, at, by)
		if err != nil {
			return fmt.Errorf("switching the resets of %s: %w", agencyKey, err)
		}
		if stop {
			return nil
		}
		return tx.Enqueue(RunResets{Agency: agencyKey}, nil)
	})
}

// ResetsStopped reports whether an agency's resets are held.
func (s *Store) ResetsStopped(ctx context.Context, agencyKey string) (stopped bool, err error) {
	err = s.Pool.QueryRow(ctx, `SELECT EXISTS (SELECT FROM switches WHERE agency = $1 AND resets_stopped_at IS NOT NULL)`, agencyKey).Scan(&stopped)
	if err != nil {
		return false, fmt.Errorf("reading the switch of %s: %w", agencyKey, err)
	}
	return stopped, nil
}

// SaveSession keeps a verifier's AMS tokens, sealed, and wakes the resets that wait for one.
func (s *Store) SaveSession(ctx context.Context, agencyKey, verifier string, tokens []byte, expires, now time.Time) error {
	return s.InTx(ctx, now, func(tx *Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO ams_sessions (agency, verifier, tokens, expires_at, used_at) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (agency, verifier) DO UPDATE SET tokens = excluded.tokens, expires_at = excluded.expires_at, used_at = excluded.used_at`,
			agencyKey, verifier, s.Keys.Seal(sessionPlace(agencyKey, verifier), tokens), expires, now)
		if err != nil {
			return fmt.Errorf("keeping a session of %s: %w", agencyKey, err)
		}
		return tx.Enqueue(RunResets{Agency: agencyKey}, nil)
	})
}

// RenewSession keeps refreshed tokens of a session that is still there: one that was signed out meanwhile stays away.
func (s *Store) RenewSession(ctx context.Context, agencyKey, verifier string, tokens []byte, expires, now time.Time) error {
	_, err := s.Pool.Exec(ctx, `UPDATE ams_sessions SET tokens = $3, expires_at = $4, used_at = $5 WHERE agency = $1 AND verifier = $2`,
		agencyKey, verifier, s.Keys.Seal(sessionPlace(agencyKey, verifier), tokens), expires, now)
	if err != nil {
		return fmt.Errorf("renewing a session of %s: %w", agencyKey, err)
	}
	return nil
}

func sessionPlace(agencyKey, verifier string) string {
	return "ams_sessions:" + agencyKey + "/" + verifier + ":tokens"
}

// SessionIdle is how long an AMS session lives without use (contracts/bsre.md).
const SessionIdle = 12 * time.Hour

// Session returns a verifier's live tokens; false when there are none. Expired ones are dropped.
func (s *Store) Session(ctx context.Context, agencyKey, verifier string, now time.Time) (tokens []byte, ok bool, err error) {
	_, err = s.Pool.Exec(ctx, `DELETE FROM ams_sessions WHERE agency = $1 AND (expires_at <= $2 OR used_at <= $3)`, agencyKey, now, now.Add(-SessionIdle))
	if err != nil {
		return nil, false, fmt.Errorf("dropping old sessions of %s: %w", agencyKey, err)
	}
	var sealed []byte
	err = s.Pool.QueryRow(ctx, `UPDATE ams_sessions SET used_at = $3 WHERE agency = $1 AND verifier = $2 RETURNING tokens`, agencyKey, verifier, now).Scan(&sealed)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, false, nil
	} else if err != nil {
		return nil, false, fmt.Errorf("reading a session of %s: %w", agencyKey, err)
	}
	tokens, err = s.Keys.Open(sessionPlace(agencyKey, verifier), sealed)
	return tokens, err == nil, err
}

// SessionHolders lists the verifiers with a live session.
func (s *Store) SessionHolders(ctx context.Context, agencyKey string, now time.Time) ([]string, error) {
	rows, err := s.Pool.Query(ctx, `SELECT verifier FROM ams_sessions WHERE agency = $1 AND expires_at > $2 AND used_at > $3 ORDER BY verifier`,
		agencyKey, now, now.Add(-SessionIdle))
	if err != nil {
		return nil, fmt.Errorf("listing the sessions of %s: %w", agencyKey, err)
	}
	return pgx.CollectRows(rows, pgx.RowTo[string])
}

// DropSession ends a verifier's AMS session.
func (s *Store) DropSession(ctx context.Context, agencyKey, verifier string) error {
	if _, err := s.Pool.Exec(ctx, `DELETE FROM ams_sessions WHERE agency = $1 AND verifier = $2`, agencyKey, verifier); err != nil {
		return fmt.Errorf("dropping a session of %s: %w", agencyKey, err)
	}
	return nil
}

// Watch is a request whose certificate is looked after.
type Watch struct {
	Number string
	Agency string
	Tries  int
}

// WatchesDue books the next look of each watch that has come, before it is made, and inserts its job. The looks grow apart: 2 minutes,
// 4, 8, ... up to 4 hours.
func (s *Store) WatchesDue(ctx context.Context, now time.Time) (n int, err error) {
	err = s.InTx(ctx, now, func(tx *Tx) error {
		rows, err := tx.Query(ctx, `UPDATE watches SET tries = tries + 1, next_at = $1::timestamptz + least(interval '4 hours', interval '2 minutes' * power(2, least(tries, 10)))
			WHERE number IN (SELECT number FROM watches WHERE next_at <= $1 ORDER BY next_at LIMIT 100 FOR UPDATE SKIP LOCKED) RETURNING number`, now)
		if err != nil {
			return fmt.Errorf("reading the watches: %w", err)
		}
		numbers, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			return fmt.Errorf("reading the watches: %w", err)
		}
		for _, number := range numbers {
			if err := tx.Enqueue(WatchRequest{Number: number}, &river.InsertOpts{UniqueOpts: river.UniqueOpts{ByArgs: true, ByState: Unfinished}}); err != nil {
				return err
			}
		}
		n = len(numbers)
		return nil
	})
	return n, err
}

// Baseline returns what KeepBaseline kept for a watch.
func (s *Store) Baseline(ctx context.Context, number string, into any) (bool, error) {
	var sealed []byte
	err := s.Pool.QueryRow(ctx, `SELECT baseline FROM watches WHERE number = $1`, number).Scan(&sealed)
	if errors.Is(err, pgx.ErrNoRows) || (err == nil && sealed == nil) {
		return false, nil
	} else if err != nil {
		return false, fmt.Errorf("reading the watch of %s: %w", number, err)
	}
	plain, err := s.Keys.Open("watches:"+number+":baseline", sealed)
	if err != nil {
		return false, err
	}
	if err := json.Unmarshal(plain, into); err != nil {
		return false, fmt.Errorf("reading the watch of %s: %w", number, err)
	}
	return true, nil
}

// KeepBaseline keeps the certificate as it was before the reset; the watch itself begins with the outcome.
func (tx *Tx) KeepBaseline(agencyKey, number string, details any) error {
	plain, err := json.Marshal(details)
	if err != nil {
		return fmt.Errorf("keeping the certificate of %s: %w", number, err)
	}
	_, err = tx.Exec(tx.ctx, `INSERT INTO watches (number, agency, next_at, baseline) VALUES ($1, $2, 'infinity', $3)
		ON CONFLICT (number) DO UPDATE SET baseline = excluded.baseline`, number, agencyKey, tx.s.Keys.Seal("watches:"+number+":baseline", plain))
	if err != nil {
		return fmt.Errorf("keeping the certificate of %s: %w", number, err)
	}
	return nil
}

// EndWatch stops looking after a certificate.
func (tx *Tx) EndWatch(number string) error {
	if _, err := tx.Exec(tx.ctx, `DELETE FROM watches WHERE number = $1`, number); err != nil {
		return fmt.Errorf("ending the watch of %s: %w", number, err)
	}
	return nil
}

// LockResets makes this the one worker that makes an agency's resets, across all daemons, until release.
func (s *Store) LockResets(ctx context.Context, agencyKey string) (release func(), ok bool, err error) {
	return s.lock(ctx, 7239003, agencyKey)
}

// LastReset is when a reset was last made, or may have been, for a person in any other request; zero if never.
func (s *Store) LastReset(ctx context.Context, agencyKey, nip, except string) (time.Time, error) {
	var at *time.Time
	err := s.Pool.QueryRow(ctx, `SELECT max(e.at) FROM events e JOIN requests r ON r.number = e.number
		WHERE e.agency = $1 AND r.nip_key = $2 AND r.number <> $3 AND e.kind IN ('ResetAccepted', 'ResetConfirmed', 'ResetUncertain')`,
		agencyKey, s.Keys.Lookup("nip", agency.Digits(nip)), except).Scan(&at)
	if err != nil {
		return time.Time{}, fmt.Errorf("looking for the last reset: %w", err)
	}
	if at == nil {
		return time.Time{}, nil
	}
	return *at, nil
}

// LockSession waits until this worker is the only one that may refresh a verifier's AMS session.
func (s *Store) LockSession(ctx context.Context, agencyKey, verifier string) (release func(), err error) {
	tx, err := s.Pool.Begin(ctx)
	if err == nil {
		_, err = tx.Exec(ctx, `SELECT pg_advisory_xact_lock(7239005, hashtext($1))`, agencyKey+"/"+verifier)
	}
	if err != nil {
		return nil, fmt.Errorf("locking a session of %s: %w", agencyKey, err)
	}
	return func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }, nil
}
