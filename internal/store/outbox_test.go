package store_test

import (
	"testing"
	"time"

	"pulih/internal/request"
	"pulih/internal/store"
)

// mailed lays a mail into the outbox.
func (s *archive) mailed(once string) int64 {
	s.t.Helper()
	s.in(noon, func(tx *store.Tx) error {
		return tx.Notify(store.Notice{Agency: "contoh", Once: once, Template: "operator-alarm", Items: []store.BundleItem{{Text: "alarm"}},
			To: request.Recipient{Kind: "operator", Name: "Operator", Address: "operator@contoh.go.id"}})
	})
	var id int64
	if err := s.Pool.QueryRow(s.t.Context(), `SELECT id FROM outbox WHERE once = $1`, once).Scan(&id); err != nil {
		s.t.Fatal(err)
	}
	return id
}

func (s *archive) state(id int64) string {
	s.t.Helper()
	m, err := s.Outgoing(s.t.Context(), id)
	if err != nil {
		s.t.Fatal(err)
	}
	return m.State
}

func TestInvariant5OneEventAndRecipientIsOneMail(t *testing.T) {
	t.Parallel()
	s := open(t)
	first, again, other := s.mailed("event/1"), s.mailed("event/1"), s.mailed("event/2")
	if first != again || first == other {
		t.Error("a mail's name doesn't make it one")
	}
	if n := s.count(`SELECT count(*) FROM river_job WHERE kind = 'send_mail'`); n != 2 {
		t.Errorf("%d jobs, want one a mail", n)
	}
}

func TestInvariant5AnAttemptIsBookedBeforeItIsMade(t *testing.T) {
	t.Parallel()
	s := open(t)
	ctx := t.Context()
	id := s.mailed("event/1")
	dial := func() bool {
		t.Helper()
		ok, err := s.Dial(ctx, id, "<m1@contoh.go.id>", map[string]string{"Text": "isi surat"})
		if err != nil {
			t.Fatal(err)
		}
		return ok
	}
	settle := func(state string) {
		t.Helper()
		if err := s.Settle(ctx, id, state, "kata server", noon); err != nil {
			t.Fatal(err)
		}
	}
	chance := func(rest time.Duration) (bool, time.Duration) {
		t.Helper()
		ok, wait, err := s.SecondChance(ctx, id, rest)
		if err != nil {
			t.Fatal(err)
		}
		return ok, wait
	}
	if !dial() || s.state(id) != "sending" {
		t.Fatal("a waiting mail can't be dialled")
	}
	settle("waiting") // the server said: later
	var kept map[string]string
	if err := s.MailContent(ctx, id, &kept); err != nil || kept["Text"] != "isi surat" {
		t.Errorf("its text is %v, %v", kept, err)
	}
	if !dial() {
		t.Fatal("a mail that was put off can't be dialled again")
	}
	// The daemon dies here. Whoever finds it doesn't know.
	if dial() || s.state(id) != "uncertain" {
		t.Fatalf("found in the middle of an attempt it is %s", s.state(id))
	}
	if dial() {
		t.Error("an uncertain mail is dialled without a second chance")
	}
	if ok, wait := chance(time.Hour); ok || wait <= 0 || wait > time.Hour {
		t.Errorf("no rest before the second chance: %v, %v", ok, wait)
	}
	if ok, _ := chance(0); !ok || s.state(id) != "waiting" {
		t.Fatal("there is no second chance")
	}
	if !dial() || dial() || s.state(id) != "uncertain" {
		t.Fatal("the second attempt")
	}
	if ok, wait := chance(0); ok || wait != 0 || dial() {
		t.Error("there is a third attempt")
	}
	settle("sent")
	if m, err := s.Outgoing(ctx, id); err != nil || m.SentAt == nil || !m.SentAt.Equal(noon) {
		t.Errorf("%+v, %v", m, err)
	}
}

func TestADeadAddressIsKnownUntilAMailArrives(t *testing.T) {
	t.Parallel()
	s := open(t)
	for _, at := range []time.Time{noon, noon.Add(time.Hour)} { // the second bounce says nothing new
		s.in(at, func(tx *store.Tx) error {
			since, err := tx.MarkDead("contoh", "Operator@contoh.go.id", "kotak surat tidak ada")
			if err == nil && !since.Equal(noon) {
				t.Errorf("dead since %v", since)
			}
			return err
		})
	}
	wants := func(agency string, want time.Time) {
		t.Helper()
		if since, err := s.DeadSince(t.Context(), agency, "operator@Contoh.go.id"); err != nil || !since.Equal(want) {
			t.Errorf("%s: dead since %v, %v, want %v", agency, since, err, want)
		}
	}
	wants("contoh", noon)
	wants("lain", time.Time{})
	for _, agency := range []string{"lain", "contoh"} {
		if err := s.Revive(t.Context(), agency, "OPERATOR@contoh.go.id"); err != nil {
			t.Fatal(err)
		}
		wants("contoh", map[string]time.Time{"lain": noon, "contoh": {}}[agency])
	}
}

func TestInvariant8AScheduleRunsOnce(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.in(noon, func(tx *store.Tx) error { _, err := tx.Ran("contoh", "digest", noon, noon); return err })
	first := 0
	for range 3 { // three daemons that saw the same last run
		s.in(noon, func(tx *store.Tx) error {
			ok, err := tx.Ran("contoh", "digest", noon, noon.Add(time.Hour))
			if ok {
				first++
			}
			return err
		})
	}
	if first != 1 {
		t.Errorf("%d of them ran", first)
	}
}

func TestTheWorkOfADeadDaemonIsHandedOver(t *testing.T) {
	t.Parallel()
	s := open(t)
	ctx := t.Context()
	alive, err := s.Announce(ctx, "pulih-alive")
	if err != nil {
		t.Fatal(err)
	}
	defer alive.End(ctx)
	dead, err := s.Announce(ctx, "pulih-dead")
	if err != nil {
		t.Fatal(err)
	}
	for i, by := range []string{"pulih-alive", "pulih-dead"} {
		s.mailed(by)
		s.run(`UPDATE river_job SET state = 'running', attempt = 1, attempted_at = now(), attempted_by = ARRAY[$1::text] WHERE id = (SELECT max(id) FROM river_job)`, by)
		s.run(`DELETE FROM river_leader`)
		s.run(`INSERT INTO river_leader (elected_at, expires_at, leader_id) VALUES (now(), now() + interval '1 hour', $1)`, by)
		if i == 0 {
			if err := s.TakeOver(ctx); err != nil {
				t.Fatal(err)
			}
			if s.count(`SELECT count(*) FROM river_job WHERE state = 'running'`) != 1 || s.count(`SELECT count(*) FROM river_leader`) != 1 {
				t.Error("a living daemon's work was taken over")
			}
		}
	}
	dead.End(ctx)
	if err := s.TakeOver(ctx); err != nil {
		t.Fatal(err)
	}
	if n := s.count(`SELECT count(*) FROM river_job WHERE state = 'running'`); n != 1 {
		t.Errorf("%d jobs run, want the living daemon's", n)
	}
	if n := s.count(`SELECT count(*) FROM river_job WHERE state = 'available' AND attempt = 0`); n != 1 {
		t.Errorf("%d jobs go on, their attempt not counted; want the dead daemon's", n)
	}
	if n := s.count(`SELECT count(*) FROM river_leader`); n != 0 {
		t.Error("a dead daemon still leads")
	}
	// The database hangs up on everybody: who lives says so again.
	s.run(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database()`)
	if err := alive.Renew(ctx); err != nil {
		t.Fatal(err)
	}
	if err := s.TakeOver(ctx); err != nil {
		t.Fatal(err)
	}
	if n := s.count(`SELECT count(*) FROM river_job WHERE state = 'running'`); n != 1 {
		t.Error("a living daemon's work was taken over after its connection was lost")
	}
}
