package store

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// NewClientID names a daemon for River and for TakeOver.
func NewClientID() string { return "pulih-" + token(12) }

// Alive holds a lock named for a daemon for as long as its connection lives: others know by it whether the daemon does.
func (s *Store) Alive(ctx context.Context, clientID string) (release func(), err error) {
	conn, err := s.Pool.Acquire(ctx)
	if err != nil {
		return nil, fmt.Errorf("announcing the daemon: %w", err)
	}
	if _, err := conn.Exec(ctx, `SELECT pg_advisory_lock(7239004, hashtext($1))`, clientID); err != nil {
		conn.Release()
		return nil, fmt.Errorf("announcing the daemon: %w", err)
	}
	return func() {
		_ = conn.Conn().Close(context.WithoutCancel(ctx))
		conn.Release()
	}, nil
}

// TakeOver hands the running jobs of dead daemons back to their queues. River does so by itself only after a long silence; a job that
// was running when its daemon was killed should go on at once (invariant 6).
func (s *Store) TakeOver(ctx context.Context) error {
	return pgx.BeginFunc(ctx, s.Pool, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, `SELECT DISTINCT attempted_by[array_upper(attempted_by, 1)] FROM river_job WHERE state = 'running'`)
		if err != nil {
			return fmt.Errorf("looking for orphaned jobs: %w", err)
		}
		clients, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			return fmt.Errorf("looking for orphaned jobs: %w", err)
		}
		for _, client := range clients {
			// Who can take the lock knows that its holder is gone.
			_, err := tx.Exec(ctx, `UPDATE river_job SET state = 'available', scheduled_at = now(), attempt = greatest(attempt - 1, 0)
				WHERE state = 'running' AND attempted_by[array_upper(attempted_by, 1)] = $1 AND pg_try_advisory_xact_lock(7239004, hashtext($1))`, client)
			if err != nil {
				return fmt.Errorf("taking over orphaned jobs: %w", err)
			}
		}
		return nil
	})
}
