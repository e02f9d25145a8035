package store

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"pulih/internal/agency"
	"pulih/internal/sop"
)

// KeepSOP keeps the text of the agency's SOP and fills in those that were in force before, so that a changed file changes nothing for the
// requests that came under another one. Call it before anything reads the agency.
func (s *Store) KeepSOP(ctx context.Context, a *agency.Agency, now time.Time) error {
	_, err := s.Pool.Exec(ctx, `INSERT INTO procedures (agency, version, file, since) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`,
		a.Key, a.SOP.Version, a.SOP.File, now)
	if err != nil {
		return fmt.Errorf("keeping the SOP of %s: %w", a.Key, err)
	}
	rows, err := s.Pool.Query(ctx, `SELECT version, file FROM procedures WHERE agency = $1 AND version <> $2`, a.Key, a.SOP.Version)
	if err != nil {
		return fmt.Errorf("reading the earlier SOPs of %s: %w", a.Key, err)
	}
	a.Earlier = map[string]*sop.SOP{}
	var version string
	var file []byte
	_, err = pgx.ForEachRow(rows, []any{&version, &file}, func() error {
		p, err := sop.Parse(file, a.Key+"-"+version+".yaml")
		if err == nil {
			a.Earlier[version] = p
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("reading the earlier SOPs of %s: %w", a.Key, err)
	}
	return nil
}

// OpenUnder counts an agency's open requests by the version of the SOP under which they came; "" for those from before versions were noted.
func (s *Store) OpenUnder(ctx context.Context, agencyKey string) (map[string]int, error) {
	rows, err := s.Pool.Query(ctx, `SELECT m.sop, count(*) FROM requests r JOIN measures m USING (number)
		WHERE r.agency = $1 AND r.closed_at IS NULL GROUP BY m.sop`, agencyKey)
	if err != nil {
		return nil, fmt.Errorf("counting the open requests of %s by their SOP: %w", agencyKey, err)
	}
	out := map[string]int{}
	var version string
	var n int
	if _, err := pgx.ForEachRow(rows, []any{&version, &n}, func() error { out[version] = n; return nil }); err != nil {
		return nil, fmt.Errorf("counting the open requests of %s by their SOP: %w", agencyKey, err)
	}
	return out, nil
}
