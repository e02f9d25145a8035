// Package storetest gives each test a database of its own on a real PostgreSQL.
package storetest

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"

	"pulih/internal/store"
)

// server is the cluster of this test binary; the first New starts it.
var server struct {
	migrate  func(ctx context.Context, url string) error
	start    func() (*cluster, error)
	lastName atomic.Int64
}

// Main runs the tests of a package, for its TestMain, and exits. Migrate brings an empty database up to date; it runs once, and leaves no
// connection open. Nothing is started for a run that needs no database. After is what the package wants done at the end.
func Main(m *testing.M, migrate func(ctx context.Context, url string) error, after ...func()) {
	started := false
	server.migrate = migrate
	server.start = sync.OnceValues(func() (*cluster, error) {
		started = true
		return startCluster(context.Background(), migrate)
	})
	code := m.Run()
	if started {
		if c, err := server.start(); err == nil {
			err = c.stop()
			if err != nil {
				fmt.Fprintln(os.Stderr, err)
				code = max(code, 1)
			}
		}
	}
	for _, f := range after {
		f()
	}
	os.Exit(code)
}

// New makes a database for this test alone, migrated and empty, and returns its address. It is dropped after the test, with the
// connections that the test leaves open. The package's TestMain must call Main.
func New(t testing.TB) string {
	t.Helper()
	if server.start == nil {
		t.Fatal("storetest.New without storetest.Main in TestMain")
	}
	c, err := server.start()
	if err != nil {
		t.Fatal(err)
	}
	name := fmt.Sprintf("t%d", server.lastName.Add(1))
	if err := c.execute(t.Context(), "CREATE DATABASE "+name+" TEMPLATE tpl"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.execute(context.Background(), "DROP DATABASE "+name+" WITH (FORCE)"); err != nil {
			t.Error(err)
		}
	})
	return c.address(name)
}

type cluster struct {
	*store.Cluster
	dir   string
	mu    sync.Mutex // guards admin
	admin *pgx.Conn
}

func startCluster(ctx context.Context, migrate func(ctx context.Context, url string) error) (_ *cluster, err error) {
	dir, err := os.MkdirTemp("", "pulih-test-")
	if err != nil {
		return nil, err
	}
	c := &cluster{dir: dir}
	defer func() {
		if err != nil {
			err = errors.Join(err, c.stop())
		}
	}()
	if c.Cluster, err = store.StartThrowawayCluster(ctx, dir); err != nil {
		return nil, err
	}
	if c.admin, err = pgx.Connect(ctx, c.URL()); err != nil {
		return nil, fmt.Errorf("connecting to the tests' PostgreSQL: %w", err)
	}
	if err = c.execute(ctx, "CREATE DATABASE tpl"); err != nil {
		return nil, err
	}
	if err = migrate(ctx, c.address("tpl")); err != nil {
		return nil, fmt.Errorf("migrating the tests' template database: %w", err)
	}
	return c, nil
}

func (c *cluster) stop() error {
	var err error
	if c.admin != nil {
		err = c.admin.Close(context.Background())
	}
	if c.Cluster != nil {
		err = errors.Join(err, c.Stop())
	}
	return errors.Join(err, os.RemoveAll(c.dir))
}

// execute runs one statement at a time: PostgreSQL refuses to copy a template that another session uses.
func (c *cluster) execute(ctx context.Context, sql string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, err := c.admin.Exec(ctx, sql); err != nil {
		return fmt.Errorf("%s: %w", sql, err)
	}
	return nil
}

func (c *cluster) address(database string) string {
	address, err := url.Parse(c.URL())
	if err != nil {
		panic(err) // it is our own
	}
	address.Path = "/" + database
	return address.String()
}
