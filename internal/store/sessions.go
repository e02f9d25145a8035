package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// Verifiers' AMS sessions: two tokens, sealed, for at most the session's life. Passwords and one-time codes are kept nowhere.

// SaveSession keeps the tokens of a verifier who has signed in, sealed, and wakes the resets that wait for one.
func (s *Store) SaveSession(ctx context.Context, agencyKey, verifier string, tokens []byte, expires, now time.Time) error {
	return s.InTx(ctx, now, func(tx *Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO ams_sessions (agency, verifier, tokens, expires_at, used_at) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (agency, verifier) DO UPDATE SET tokens = excluded.tokens, expires_at = excluded.expires_at, used_at = excluded.used_at`,
			agencyKey, verifier, s.Keys.Seal(sessionPlace(agencyKey, verifier), tokens), expires, now)
		if err != nil {
			return fmt.Errorf("keeping a session of %s: %w", agencyKey, err)
		}
		return tx.hurry(agencyKey)
	})
}

// RenewSession keeps refreshed tokens of a session that is still there: one that was signed out meanwhile stays away. Hold LockSession.
func (s *Store) RenewSession(ctx context.Context, agencyKey, verifier string, tokens []byte, expires time.Time) error {
	_, err := s.Pool.Exec(ctx, `UPDATE ams_sessions SET tokens = $3, expires_at = $4 WHERE agency = $1 AND verifier = $2`,
		agencyKey, verifier, s.Keys.Seal(sessionPlace(agencyKey, verifier), tokens), expires)
	if err != nil {
		return fmt.Errorf("renewing a session of %s: %w", agencyKey, err)
	}
	return nil
}

func sessionPlace(agencyKey, verifier string) string {
	return "ams_sessions:" + agencyKey + "/" + verifier + ":tokens"
}

// SessionIdle is how long an AMS session lives without use (contracts/bsre.md). Use is a sign-in or a reset: what the software reads for
// itself would keep a session alive for ever that its verifier has forgotten.
const SessionIdle = 12 * time.Hour

// Session returns a verifier's live tokens; false when there are none.
func (s *Store) Session(ctx context.Context, agencyKey, verifier string, now time.Time) (tokens []byte, ok bool, err error) {
	var sealed []byte
	err = s.Pool.QueryRow(ctx, `SELECT tokens FROM ams_sessions WHERE agency = $1 AND verifier = $2 AND expires_at > $3 AND used_at > $4`,
		agencyKey, verifier, now, now.Add(-SessionIdle)).Scan(&sealed)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, false, s.DropOldSessions(ctx, agencyKey, now)
	} else if err != nil {
		return nil, false, fmt.Errorf("reading a session of %s: %w", agencyKey, err)
	}
	tokens, err = s.Keys.Open(sessionPlace(agencyKey, verifier), sealed)
	return tokens, err == nil, err
}

// DropOldSessions forgets the tokens of sessions that have ended.
func (s *Store) DropOldSessions(ctx context.Context, agencyKey string, now time.Time) error {
	_, err := s.Pool.Exec(ctx, `DELETE FROM ams_sessions WHERE agency = $1 AND (expires_at <= $2 OR used_at <= $3)`, agencyKey, now, now.Add(-SessionIdle))
	if err != nil {
		return fmt.Errorf("dropping old sessions of %s: %w", agencyKey, err)
	}
	return nil
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

// DropSessionOf ends the session of those tokens; another one that took its place meanwhile stays.
func (s *Store) DropSessionOf(ctx context.Context, agencyKey, verifier string, tokens []byte) error {
	err := pgx.BeginFunc(ctx, s.Pool, func(tx pgx.Tx) error {
		var sealed []byte
		err := tx.QueryRow(ctx, `SELECT tokens FROM ams_sessions WHERE agency = $1 AND verifier = $2 FOR UPDATE`, agencyKey, verifier).Scan(&sealed)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		} else if err != nil {
			return err
		}
		if have, err := s.Keys.Open(sessionPlace(agencyKey, verifier), sealed); err != nil || !bytes.Equal(have, tokens) {
			return err
		}
		_, err = tx.Exec(ctx, `DELETE FROM ams_sessions WHERE agency = $1 AND verifier = $2`, agencyKey, verifier)
		return err
	})
	if err != nil {
		return fmt.Errorf("dropping a session of %s: %w", agencyKey, err)
	}
	return nil
}

// LockSession waits until this worker is the only one that may refresh or drop a verifier's AMS session.
func (s *Store) LockSession(ctx context.Context, agencyKey, verifier string) (release func(), err error) {
	tx, err := s.Pool.Begin(ctx)
	if err == nil {
		_, err = tx.Exec(ctx, `SELECT pg_advisory_xact_lock(7239005, hashtext($1))`, agencyKey+"/"+verifier)
		if err != nil {
			_ = tx.Rollback(context.WithoutCancel(ctx))
		}
	}
	if err != nil {
		return nil, fmt.Errorf("locking a session of %s: %w", agencyKey, err)
	}
	return func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }, nil
}
