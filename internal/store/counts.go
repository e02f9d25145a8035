package store

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// Count is one number for the metrics.
type Count struct {
	What   string
	Labels []string
	N      int64
}

// Counts counts what the metrics show.
func (s *Store) Counts(ctx context.Context, now time.Time) ([]Count, error) {
	rows, err := s.Pool.Query(ctx, `
		SELECT 'letters', ARRAY[agency, channel, state], count(*) FROM letters GROUP BY agency, channel, state
		UNION ALL SELECT 'requests', ARRAY[agency, status], count(*) FROM requests GROUP BY agency, status
		UNION ALL SELECT 'mails', ARRAY[agency, state], count(*) FROM outbox GROUP BY agency, state
		UNION ALL SELECT 'jobs', ARRAY[kind, state::text], count(*) FROM river_job WHERE state NOT IN ('completed', 'cancelled') GROUP BY kind, state
		UNION ALL SELECT 'overdue', ARRAY[agency], count(*) FROM requests WHERE closed_at IS NULL AND due_at < $1 GROUP BY agency`, now)
	if err != nil {
		return nil, fmt.Errorf("counting: %w", err)
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[Count])
}
