package storetest_test

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5"

	"pulih/internal/store/storetest"
)

func TestMain(m *testing.M) {
	storetest.Main(m, func(ctx context.Context, url string) error {
		conn, err := pgx.Connect(ctx, url)
		if err != nil {
			return err
		}
		defer conn.Close(ctx)
		_, err = conn.Exec(ctx, "create table letters (number text); insert into letters values ('first')")
		return err
	})
}

func TestEachTestHasADatabaseOfItsOwn(t *testing.T) {
	t.Parallel()
	for range 8 {
		t.Run("", func(t *testing.T) {
			t.Parallel()
			// Left open: dropping the database must not wait for it.
			conn, err := pgx.Connect(t.Context(), storetest.New(t))
			if err != nil {
				t.Fatal(err)
			}
			var n int
			err = conn.QueryRow(t.Context(), "with mine as (insert into letters values ('mine') returning 1) "+
				"select (select count(*) from mine) + (select count(*) from letters)").Scan(&n)
			if err != nil || n != 2 {
				t.Errorf("%d letters, %v; want the migration's and mine", n, err)
			}
		})
	}
}

func TestDatabaseIsGoneAfterItsTest(t *testing.T) {
	t.Parallel()
	var address string
	t.Run("", func(t *testing.T) { address = storetest.New(t) })
	if conn, err := pgx.Connect(t.Context(), address); err == nil {
		conn.Close(t.Context())
		t.Error("the database is still there")
	}
}
