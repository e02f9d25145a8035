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
	"pulih/internal/request"
)

// FirstWatch is how long after the reset the certificate is looked at first: nobody sets a passphrase sooner.
const FirstWatch = 2 * time.Minute

// watch begins to look after a certificate, or begins anew: often at first, less later.
func (tx *Tx) watch(a *agency.Agency, s request.State, w request.Watch) error {
	_, err := tx.Exec(tx.ctx, `INSERT INTO watches (number, agency, next_at) VALUES ($1, $2, $3)
		ON CONFLICT (number) DO UPDATE SET next_at = $3, tries = 0`, s.Number, a.Key, tx.now.Add(FirstWatch))
	if err != nil {
		return fmt.Errorf("starting the watch: %w", err)
	}
	if !w.AtOnce {
		return nil
	}
	return tx.Enqueue(WatchRequest{Number: s.Number}, nil)
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

// Watch is how the looks after a certificate stand. Baseline is nil until one was kept.
type Watch struct {
	Tries    int
	Baseline []byte // JSON
}

// Watch returns the watch of a request; false when nobody looks after it.
func (s *Store) Watch(ctx context.Context, number string) (w Watch, ok bool, err error) {
	var sealed []byte
	err = s.Pool.QueryRow(ctx, `SELECT tries, baseline FROM watches WHERE number = $1`, number).Scan(&w.Tries, &sealed)
	if errors.Is(err, pgx.ErrNoRows) {
		return w, false, nil
	} else if err != nil {
		return w, false, fmt.Errorf("reading the watch of %s: %w", number, err)
	}
	w.Baseline, err = s.Keys.Open("watches:"+number+":baseline", sealed)
	return w, err == nil, err
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
