package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river/rivertype"
)

// Unfinished are the states in which a second job of the same kind would be one too many.
var Unfinished = []rivertype.JobState{
	rivertype.JobStateAvailable, rivertype.JobStatePending, rivertype.JobStateRetryable, rivertype.JobStateRunning, rivertype.JobStateScheduled,
}

// Source is how a mailbox or a gateway fares, for the health pages.
type Source struct {
	Name         string
	LastSuccess  *time.Time
	FailingSince *time.Time
	Problem      string
}

// Sources tells how all gateways and mailboxes fare.
func (s *Store) Sources(ctx context.Context) (gateways, mailboxes []Source, err error) {
	if gateways, err = s.sources(ctx, `SELECT agency, last_success, failing_since, coalesce(problem, '') FROM gateways ORDER BY agency`); err != nil {
		return nil, nil, err
	}
	mailboxes, err = s.sources(ctx, `SELECT mailbox, last_success, failing_since, coalesce(problem, '') FROM mailboxes ORDER BY mailbox`)
	return gateways, mailboxes, err
}

func (s *Store) sources(ctx context.Context, sql string) ([]Source, error) {
	rows, err := s.Pool.Query(ctx, sql)
	if err != nil {
		return nil, fmt.Errorf("reading the sources: %w", err)
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[Source])
}

// LockMailbox makes this daemon the one reader of a mailbox until release is called or its connection is lost. False means that another
// daemon reads it.
func (s *Store) LockMailbox(ctx context.Context, mailbox string) (release func(), ok bool, err error) {
	return s.lock(ctx, 7239002, mailbox)
}

// lock takes a session's advisory lock on a connection of its own.
func (s *Store) lock(ctx context.Context, class int32, name string) (release func(), ok bool, err error) {
	conn, err := s.Pool.Acquire(ctx)
	if err != nil {
		return nil, false, fmt.Errorf("locking %s: %w", name, err)
	}
	if err := conn.QueryRow(ctx, `SELECT pg_try_advisory_lock($1, hashtext($2))`, class, name).Scan(&ok); err != nil || !ok {
		conn.Release()
		if err != nil {
			err = fmt.Errorf("locking %s: %w", name, err)
		}
		return nil, false, err
	}
	return func() {
		// The connection holds the lock: where asking doesn't give it back, closing it does.
		var free bool
		err := conn.QueryRow(context.WithoutCancel(ctx), `SELECT pg_advisory_unlock($1, hashtext($2))`, class, name).Scan(&free)
		if err != nil || !free {
			_ = conn.Conn().Close(context.WithoutCancel(ctx))
		}
		conn.Release()
	}, true, nil
}

// LastRun is when a schedule ran last; false if never.
func (s *Store) LastRun(ctx context.Context, agencyKey, name string) (at time.Time, ok bool, err error) {
	err = s.Pool.QueryRow(ctx, `SELECT last FROM schedule_runs WHERE agency = $1 AND name = $2`, agencyKey, name).Scan(&at)
	if errors.Is(err, pgx.ErrNoRows) {
		return at, false, nil
	} else if err != nil {
		return at, false, fmt.Errorf("reading the schedule %s of %s: %w", name, agencyKey, err)
	}
	return at, true, nil
}

// Ran notes that a schedule ran for an instant, in the transaction of what it did. It answers false when another daemon was first.
func (tx *Tx) Ran(agencyKey, name string, before, at time.Time) (bool, error) {
	tag, err := tx.Exec(tx.ctx, `INSERT INTO schedule_runs AS r (agency, name, last) VALUES ($1, $2, $3)
		ON CONFLICT (agency, name) DO UPDATE SET last = $3 WHERE r.last = $4`, agencyKey, name, at, before)
	if err != nil {
		return false, fmt.Errorf("noting the schedule %s of %s: %w", name, agencyKey, err)
	}
	return tag.RowsAffected() == 1, nil
}
