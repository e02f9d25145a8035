package console_test

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"

	"pulih/internal/letter"
	"pulih/internal/store/storetest"
	"pulih/migrations"
)

func TestMain(m *testing.M) {
	letter.ChildMain()
	storetest.Main(m, func(ctx context.Context, url string) error {
		pool, err := pgxpool.New(ctx, url)
		if err != nil {
			return err
		}
		defer pool.Close()
		return migrations.Apply(ctx, pool)
	}, func() { closeBrowser() })
}
