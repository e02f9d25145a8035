package store_test

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/jackc/pgx/v5/pgxpool"

	"pulih/internal/agency"
	"pulih/internal/request"
	"pulih/internal/sop"
	"pulih/internal/store"
	"pulih/internal/store/storetest"
	"pulih/migrations"
)

func TestMain(m *testing.M) {
	storetest.Main(m, func(ctx context.Context, url string) error {
		pool, err := pgxpool.New(ctx, url)
		if err != nil {
			return err
		}
		defer pool.Close()
		return migrations.Apply(ctx, pool)
	})
}

var (
	wib  = time.FixedZone("WIB", 7*3600)
	noon = time.Date(2026, 11, 23, 11, 0, 0, 0, wib) // a Monday
	rini = request.Actor{ID: "rini", Name: "Rini", Role: sop.Verifier}
	// An invented official.
	wahyu = request.Subject{Name: "Wahyu Nugroho", NIP: "198504222010011912", NIK: "9999010101800001", Email: "wahyu@contoh.go.id", Known: true}
)

// archive is a store on a database of its own.
type archive struct {
	*store.Store
	t       *testing.T
	address string
	a       *agency.Agency
}

func open(t *testing.T) *archive {
	t.Helper()
	s := &archive{t: t, address: storetest.New(t), a: office(t, "contoh", "CTH")}
	s.Store = s.join()
	return s
}

// join opens the same database once more, as another daemon does.
func (s *archive) join() *store.Store {
	s.t.Helper()
	keys, err := store.OpenKeys(filepath.Join(s.t.TempDir(), "keys"))
	if err != nil {
		s.t.Fatal(err)
	}
	if s.Store != nil {
		keys = s.Keys
	}
	st, err := store.Open(s.t.Context(), s.address, keys)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(st.Close)
	return st
}

func office(t *testing.T, key, prefix string) *agency.Agency {
	t.Helper()
	p, err := sop.Shipped("madiun")
	if err != nil {
		t.Fatal(err)
	}
	return &agency.Agency{Key: key, Prefix: prefix, Zone: wib, SOP: p, Calendar: sop.ShippedCalendar(wib), Mode: agency.AMS, Staff: []agency.Person{
		{ID: "surya", Name: "Surya", Email: "surya@contoh.go.id", Roles: []sop.Role{sop.Head}},
		{ID: "rini", Name: "Rini", NIP: "199001252019032904", Email: "rini@contoh.go.id", Roles: []sop.Role{sop.Verifier}},
		{ID: "galih", Name: "Galih", NIP: "199508112022031905", Email: "galih@contoh.go.id", Roles: []sop.Role{sop.Verifier}},
	}}
}

// in runs f in a transaction at an instant.
func (s *archive) in(at time.Time, f func(tx *store.Tx) error) {
	s.t.Helper()
	if err := s.InTx(s.t.Context(), at, f); err != nil {
		s.t.Fatal(err)
	}
}

// letter lays a letter from Srikandi into the archive.
func (s *archive) letter(id string) int64 {
	s.t.Helper()
	s.in(noon, func(tx *store.Tx) error {
		_, err := tx.SaveNaskah(s.a.Key, []store.Naskah{{ID: id, Raw: []byte(`{"id":"` + id + `"}`), ReceivedAt: noon, ChangedAt: noon, Settled: true}})
		return err
	})
	l, ok, err := s.LetterBySource(s.t.Context(), s.a.Key, "srikandi", id)
	if err != nil || !ok {
		s.t.Fatalf("letter %s: %v, %v", id, ok, err)
	}
	return l.ID
}

// receive opens or joins the request of a letter.
func receive(ctx context.Context, st *store.Store, a *agency.Agency, letterID int64, number string, who request.Subject, at time.Time) (s request.State, opened bool, err error) {
	keys := st.Keys.LetterKeys(number, "2026-11-20", nil, "", who.NIP, who.Name)
	err = st.InTx(ctx, at, func(tx *store.Tx) error {
		s, opened, err = tx.Receive(a, keys, request.Open{Letter: request.Letter{ID: letterID, Channel: "srikandi", Number: number, ReceivedAt: at}, Subject: who,
			By: request.Actor{Role: sop.Applicant}})
		return err
	})
	return s, opened, err
}

func (s *archive) opened(number string) request.State {
	s.t.Helper()
	st, _, err := receive(s.t.Context(), s.Store, s.a, s.letter(number), number, wahyu, noon)
	if err != nil {
		s.t.Fatal(err)
	}
	return st
}

func (s *archive) count(sql string, args ...any) (n int) {
	s.t.Helper()
	if err := s.Pool.QueryRow(s.t.Context(), sql, args...).Scan(&n); err != nil {
		s.t.Fatal(err)
	}
	return n
}

func (s *archive) run(sql string, args ...any) {
	s.t.Helper()
	if _, err := s.Pool.Exec(s.t.Context(), sql, args...); err != nil {
		s.t.Fatal(fmt.Errorf("%s: %w", sql, err))
	}
}
