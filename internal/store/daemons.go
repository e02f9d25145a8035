package store

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// NewClientID names a daemon for River and for Announce.
func NewClientID() string { return "pulih-" + token(12) }

// Presence is the lock named for a daemon, held for as long as its connection lives: others know by it whether the daemon does.
type Presence struct {
	store    *Store
	clientID string
	conn     *pgxpool.Conn
}

// Announce makes a daemon known to the others until End, or until this process dies.
func (s *Store) Announce(ctx context.Context, clientID string) (*Presence, error) {
	p := &Presence{store: s, clientID: clientID}
	return p, p.Renew(ctx)
}

// Renew takes the lock again when its connection was lost, as happens when the database is restarted: without it the others would take
// the work of a living daemon over, again and again.
func (p *Presence) Renew(ctx context.Context) error {
	if p.conn != nil {
		err := p.conn.Ping(ctx)
		if err == nil || ctx.Err() != nil {
			return err
		}
		p.End(ctx)
	}
	conn, err := p.store.Pool.Acquire(ctx)
	if err != nil {
		return fmt.Errorf("announcing the daemon: %w", err)
	}
	if _, err := conn.Exec(ctx, `SELECT pg_advisory_lock(7239004, hashtext($1))`, p.clientID); err != nil {
		conn.Release()
		return fmt.Errorf("announcing the daemon: %w", err)
	}
	p.conn = conn
	return nil
}

// End gives the lock back. Closing its connection is the sure way, but the server hears of that when it can.
func (p *Presence) End(ctx context.Context) {
	if p.conn != nil {
		within, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		_, _ = p.conn.Exec(within, `SELECT pg_advisory_unlock(7239004, hashtext($1))`, p.clientID)
		_ = p.conn.Conn().Close(within)
		p.conn.Release()
		p.conn = nil
	}
}

// TakeOver hands the running jobs of dead daemons back to their queues, and ends their leadership of the periodic jobs. River does both by
// itself only after a silence; what a killed daemon was at should go on at once (invariant 6).
func (s *Store) TakeOver(ctx context.Context) error {
	return pgx.BeginFunc(ctx, s.Pool, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, `SELECT attempted_by[array_upper(attempted_by, 1)] FROM river_job WHERE state = 'running'
			UNION SELECT leader_id FROM river_leader`)
		if err != nil {
			return fmt.Errorf("looking for dead daemons: %w", err)
		}
		clients, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			return fmt.Errorf("looking for dead daemons: %w", err)
		}
		for _, client := range clients {
			var dead bool // who can take the lock knows that its holder is gone
			if err := tx.QueryRow(ctx, `SELECT pg_try_advisory_xact_lock(7239004, hashtext($1))`, client).Scan(&dead); err != nil {
				return fmt.Errorf("looking for dead daemons: %w", err)
			}
			if !dead {
				continue
			}
			// As in wake, a row that River has locked is left alone, for the next TakeOver: waiting for it may be a deadlock.
			_, err := tx.Exec(ctx, `UPDATE river_job SET state = 'available', scheduled_at = now(), attempt = greatest(attempt - 1, 0)
				WHERE id IN (SELECT id FROM river_job WHERE state = 'running' AND attempted_by[array_upper(attempted_by, 1)] = $1 FOR UPDATE SKIP LOCKED)`, client)
			if err == nil {
				_, err = tx.Exec(ctx, `DELETE FROM river_leader WHERE leader_id = $1`, client)
			}
			if err != nil {
				return fmt.Errorf("taking over from a dead daemon: %w", err)
			}
		}
		return nil
	})
}
