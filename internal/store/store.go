// Package store keeps everything in PostgreSQL: letters as raw sealed bytes, the events of requests with their chain of hashes, the
// projection that pages query, and the rows and jobs of every effect. Plain SQL stands beside its method.
package store

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"

	"pulih/internal/agency"
	"pulih/internal/request"
)

// Store is the database. It is safe for concurrent use, and several daemons may share one database.
type Store struct {
	Pool *pgxpool.Pool
	Keys *Keys
	jobs *river.Client[pgx.Tx]
	// directories holds each agency's newest directory, by its key.
	directories sync.Map
}

// ErrNotFound means that there is no such row.
var ErrNotFound = errors.New("not found")

// Open connects to a migrated database.
func Open(ctx context.Context, url string, keys *Keys) (*Store, error) {
	cfg, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, errors.New("the database URL can't be read") // it may hold a password: not shown
	}
	cfg.ConnConfig.RuntimeParams["application_name"] = "pulih"
	cfg.ConnConfig.RuntimeParams["TimeZone"] = "UTC"
	// One for each mailbox whose lock is held, a few for the workers and pages. A private cluster takes 100, so two daemons fit.
	cfg.MaxConns = max(cfg.MaxConns, 40)
	pool, err := pgxpool.NewWithConfig(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("connecting to the database: %w", err)
	}
	if err := pool.Ping(ctx); err != nil {
		pool.Close()
		return nil, fmt.Errorf("connecting to the database: %w", err)
	}
	// One notification a millisecond and queue: with the usual tenth of a second, a job that is inserted shortly after another one would wait
	// for the workers' next look of their own.
	jobs, err := river.NewClient(riverpgxv5.New(pool), &river.Config{FetchCooldown: time.Millisecond})
	if err != nil {
		pool.Close()
		return nil, fmt.Errorf("making the job inserter: %w", err)
	}
	return &Store{Pool: pool, Keys: keys, jobs: jobs}, nil
}

// closeWithin is how long Close waits for connections in use: a page that still holds one must not keep the program from ending in time.
const closeWithin = 2 * time.Second

// Close ends all connections, and forsakes those that nobody gives back.
func (s *Store) Close() {
	closed := make(chan struct{})
	go func() {
		s.Pool.Close()
		close(closed)
	}()
	select {
	case <-closed:
	case <-time.After(closeWithin):
	}
}

// Tx is one transaction. Bundled mails are written at its end.
type Tx struct {
	pgx.Tx
	s       *Store
	ctx     context.Context
	now     time.Time
	bundles map[bundleKey]*bundle
	order   []bundleKey
	hold    bool // see Hold
	ends    map[string]chainEnd
}

// InTx runs f in a transaction at an instant of the agency's clock; an error, or a crash, undoes all of it.
func (s *Store) InTx(ctx context.Context, now time.Time, f func(tx *Tx) error) error {
	return pgx.BeginFunc(ctx, s.Pool, func(ptx pgx.Tx) error {
		tx := &Tx{Tx: ptx, s: s, ctx: ctx, now: now, bundles: map[bundleKey]*bundle{}, ends: map[string]chainEnd{}}
		if err := f(tx); err != nil {
			return err
		}
		return tx.writeBundles()
	})
}

// Enqueue inserts a job that runs when the transaction has committed.
func (tx *Tx) Enqueue(args river.JobArgs, opts *river.InsertOpts) error {
	if _, err := tx.s.jobs.InsertTx(tx.ctx, tx.Tx, args, opts); err != nil {
		return fmt.Errorf("inserting job %s: %w", args.Kind(), err)
	}
	return nil
}

// Act carries out commands on a request, one after the other, in one transaction of its own. A *request.Refusal undoes all of them.
func (s *Store) Act(ctx context.Context, a *agency.Agency, number string, now time.Time, cmds ...request.Command) (request.State, error) {
	var state request.State
	err := s.InTx(ctx, now, func(tx *Tx) error {
		var err error
		state, err = tx.Act(a, number, cmds...)
		return err
	})
	return state, err
}

func token(n int) string {
	const letters = "abcdefghjkmnpqrstuvwxyz23456789"
	b := make([]byte, n)
	rand.Read(b)
	for i := range b {
		b[i] = letters[int(b[i])%len(letters)]
	}
	return string(b)
}
