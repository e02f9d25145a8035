package scheduler_test

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"pulih/internal/config"
	"pulih/internal/demo"
	"pulih/internal/demo/srikandisim"
	"pulih/internal/processtest"
	"pulih/internal/request"
	"pulih/internal/store"
	"pulih/scheduler"
	"pulih/srikandi"
)

// Every fault of the contract's last section, each alone and then all mixed, while letters arrive, are edited, passed on, withdrawn, cancelled
// and deleted, and daemons, one or two at a time, are killed: at the end the database equals the gateway's register, each letter has one
// request, and nothing is twice in the gateway's journal. PULIH_SOAK=1 makes it 10,000 letters and 30,000 dispositions.
func TestEveryFaultOfSrikandi(t *testing.T) {
	t.Parallel()
	letters, patience := 150, 90*time.Second
	if os.Getenv("PULIH_SOAK") != "" {
		letters, patience = 10_000, time.Hour
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	clock := demo.NewClock(time.Date(2026, 11, 23, 8, 30, 0, 0, wib), 300)
	s := &storm{clock: clock, rng: rand.New(rand.NewPCG(seed, 5)), patience: patience, of: map[string]int{}}
	s.desk = setUp(t, letters, srikandisim.Options{Now: clock.Now, Seed: seed, Redirect: seed%2 == 0, NaiveTimes: seed%3 == 0, OmitParents: seed%5 == 0})
	t.Cleanup(s.killAll)
	s.operate()
	s.start()
	all := map[srikandisim.Fault]float64{}
	for _, f := range []srikandisim.Fault{srikandisim.Unauthorized, srikandisim.TooMany, srikandisim.Unavailable, srikandisim.Internal, srikandisim.BadGateway,
		srikandisim.HTML, srikandisim.LostPage, srikandisim.Empty, srikandisim.Drop, srikandisim.Cut, srikandisim.Lost, srikandisim.Slow, srikandisim.Malformed,
		srikandisim.Repeated, srikandisim.Mismatch, srikandisim.Expired} {
		all[f] = 0.02
		s.fault(srikandisim.Faults{Chance: map[srikandisim.Fault]float64{f: 0.3}, RetryAfter: 5 * time.Second, SlowBy: 50 * time.Millisecond})
		s.live(3)
		s.caughtUp(string(f))
	}
	s.fault(srikandisim.Faults{Late: 1, LateBy: 10 * time.Minute})
	s.live(3)
	s.caughtUp("late rows")
	s.sim.SetSkew(-2 * time.Minute)
	s.fault(srikandisim.Faults{Chance: all, RetryAfter: 5 * time.Second, SlowBy: 50 * time.Millisecond, Late: 0.1, LateBy: 10 * time.Minute})
	for round := max(5, letters/400); len(s.ids) < letters; {
		s.live(min(round+s.rng.IntN(4*round), letters-len(s.ids)))
		s.turmoil()
	}
	s.settle()
	s.compare()
}

// TestDaemonProcess is no test: it is the daemon that a test can kill, in a process of its own.
func TestDaemonProcess(t *testing.T) {
	at, text := os.Getenv("PULIH_TEST_DAEMON"), os.Getenv("PULIH_TEST_CLOCK")
	if at == "" {
		return
	}
	clock, err := demo.ParseClock(text)
	if err != nil {
		t.Fatal(err)
	}
	cfg, err := config.Load(at)
	if err != nil {
		t.Fatal(err)
	}
	keys, err := store.OpenKeys(cfg.Keys.File)
	if err != nil {
		t.Fatal(err)
	}
	st, err := store.Open(t.Context(), cfg.Database.URL.Reveal(), keys)
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))
	d, err := scheduler.New(cfg, st, scheduler.Options{Now: clock.Now, Log: log, Fast: true, Sweep: 200 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Error(d.Run(t.Context()))
}

type storm struct {
	*desk
	clock    *demo.Clock
	rng      *rand.Rand
	patience time.Duration

	ids     []string
	of      map[string]int // letter -> official
	daemons []*process
	kills   int
}

// process is a daemon in a process of its own.
type process struct {
	*exec.Cmd
	gone <-chan struct{}
}

// start begins a daemon, which dies with the test.
func (s *storm) start() {
	s.t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestDaemonProcess$", "-test.timeout=0")
	cmd.Env = append(os.Environ(), "PULIH_TEST_DAEMON="+s.config, "PULIH_TEST_CLOCK="+s.clock.String())
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr // errors alone are logged; what ends the daemon is told by its test
	s.daemons = append(s.daemons, &process{cmd, processtest.Start(s.t, cmd)})
}

// kill ends the oldest daemon by SIGKILL, wherever it is.
func (s *storm) kill() {
	_ = s.daemons[0].Process.Kill()
	<-s.daemons[0].gone
	s.daemons = s.daemons[1:]
	s.kills++
}

func (s *storm) killAll() {
	for len(s.daemons) > 0 {
		s.kill()
	}
}

// operate plays the operator, who lets the daemon sign in again after each refusal.
func (s *storm) operate() {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(200 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			g, err := s.store.Gateway(ctx, s.a.Key, nil)
			if err == nil && g.RefusedAt != nil {
				err = s.store.RetrySignIn(ctx, s.a.Key, s.clock.Now())
			}
			if err != nil && ctx.Err() == nil {
				s.t.Errorf("the operator: %v", err)
			}
		}
	}()
	s.t.Cleanup(func() { cancel(); <-done })
}

func (s *storm) fault(f srikandisim.Faults) { s.sim.SetFaults(f) }

func (s *storm) one(ids []string) string { return ids[s.rng.IntN(len(ids))] }

// live lets offices write letters, and the staff pass them on: three dispositions a letter.
func (s *storm) live(letters int) {
	people := []string{"surya", "laras", "bagas", "rini", "galih"}
	for range letters {
		i := len(s.ids)
		id := s.sim.AddLetter(s.letter(i, fmt.Sprintf("500.12.10/%d/2026", i+1)))
		s.ids, s.of[id] = append(s.ids, id), i
		for range 3 {
			at := s.one(s.ids[max(0, len(s.ids)-60):])
			d := s.sim.Dispose(at, srikandisim.Disposition{From: s.party(s.one(people)), To: []srikandisim.Receiver{{Party: s.party(s.one(people))}},
				Instructions: []string{s.one([]string{"Tindaklanjuti", "Untuk diketahui", "Teruskan"})}})
			switch s.rng.IntN(12) {
			case 0:
				s.sim.Withdraw(at, d)
			case 1:
				s.sim.Remove(at, d)
			case 2:
				s.sim.Answer(at, d, s.party("rini").NIP, "selesai", "disetujui")
			case 3:
				s.sim.Edit(at, func(l *srikandisim.Letter) { l.Summary += " ubah" })
			}
		}
		switch s.rng.IntN(40) {
		case 0:
			s.sim.Cancel(s.one(s.ids))
		case 1:
			s.sim.Delete(s.one(s.ids))
		case 2:
			s.sim.RevokeTokens()
		}
	}
}

// turmoil kills daemons and cuts lines.
func (s *storm) turmoil() {
	switch s.rng.IntN(6) {
	case 0:
		s.kill()
		s.start()
	case 1:
		s.start() // two at once
		s.kill()
	case 2:
		s.sim.SetOutage(true)
		s.later(20)
		s.sim.SetOutage(false)
	}
	s.sim.SetSkew(time.Duration(s.rng.IntN(240)-120) * time.Second)
	s.later(10)
	if len(s.ids) > 1000 { // a soak doesn't run away from the reader
		s.untilWithin(s.patience, "most is read", func() bool { return s.count(`SELECT count(*) FROM letters WHERE state = 'stored'`) < 300 })
	}
}

// later waits until the daemons have called the gateway so many times more, or for a while where they don't.
func (s *storm) later(calls int) {
	total := func() (n int) {
		for _, c := range s.sim.Journal().Calls {
			n += c
		}
		return n
	}
	end, stop := total()+calls, time.Now().Add(3*time.Second)
	s.until("calls", func() bool { return total() >= end || time.Now().After(stop) })
}

// caughtUp waits until everything that the register has is read as it is.
func (s *storm) caughtUp(under string) {
	s.t.Helper()
	var missing string
	defer func() {
		if s.t.Failed() {
			s.t.Logf("under %s: %s", under, missing)
		}
	}()
	begun := time.Now()
	s.untilWithin(s.patience, "everything is read under: "+under, func() bool {
		missing = s.unread()
		return missing == ""
	})
	s.t.Logf("%s: %s", under, time.Since(begun).Round(time.Millisecond))
}

// unread names a letter that isn't read as the register has it; "" when all are.
func (s *storm) unread() string {
	truth, _ := s.sim.Truth()
	rows, err := s.store.Pool.Query(s.t.Context(), `SELECT source, coalesce(changed_at, '-infinity'), state FROM letters WHERE channel = 'srikandi'`)
	if err != nil {
		s.t.Fatal(err)
	}
	defer rows.Close()
	have := map[string]string{}
	for rows.Next() {
		var id, state string
		var at time.Time
		if err := rows.Scan(&id, &at, &state); err != nil {
			s.t.Fatal(err)
		}
		have[id] = fmt.Sprint(at.Unix(), state)
	}
	for _, l := range truth {
		if got := have[l.ID]; got != fmt.Sprint(l.UpdatedAt.Unix(), "read") {
			return fmt.Sprintf("%s of %d is %q", l.ID, l.UpdatedAt.Unix(), got)
		}
	}
	return ""
}

// settle ends the faults, and gives the software the day that it needs to find what is gone.
func (s *storm) settle() {
	s.killAll()
	s.fault(srikandisim.Faults{})
	s.sim.SetSkew(0)
	s.clock.Jump(s.clock.Now().Add(25 * time.Hour))
	s.start()
	s.caughtUp("nothing")
	_, deleted := s.sim.Truth()
	s.untilWithin(s.patience, "the deleted are noticed", func() bool {
		return s.count(`SELECT count(*) FROM letters l JOIN request_letters rl ON rl.letter_id = l.id WHERE l.gone_at IS NULL AND l.source = ANY($1)`, deleted) == 0
	})
	s.untilWithin(s.patience, "everything is written", func() bool {
		return s.count(`SELECT (SELECT count(*) FROM follow_ups WHERE state = 'waiting') + (SELECT count(*) FROM owed_letters)
			+ (SELECT count(*) FROM letters WHERE state = 'stored')`) == 0 && s.unread() == ""
	})
}

func (s *storm) compare() {
	truth, deleted := s.sim.Truth()
	requests := map[string][]request.State{} // by applicant
	for _, r := range s.requests() {
		requests[r.Subject.NIP] = append(requests[r.Subject.NIP], r)
	}
	dispositions := 0
	for _, want := range truth {
		dispositions += len(want.Dispositions)
		row, n := s.stored(want.ID)
		if a, b := told(n), trueLetter(want); a != b {
			s.t.Fatalf("%s\n read %s\n true %s", want.ID, a, b)
		}
		s.files(row, want)
		mine := requests[official(s.of[want.ID]).NIP]
		if len(mine) > 1 || len(mine) == 0 && !want.Cancelled {
			s.t.Errorf("%s has %d requests", want.ID, len(mine))
		}
		if len(mine) == 1 {
			s.seat(mine[0], row, n)
		}
		if want.Cancelled && len(mine) == 1 && mine[0].Status.Open() && !mine[0].Has("letter-gone") {
			s.t.Errorf("%s was cancelled, and its request doesn't say so", want.ID)
		}
	}
	for _, id := range deleted {
		if mine := requests[official(s.of[id]).NIP]; len(mine) > 1 || len(mine) == 1 && mine[0].Status.Open() && !mine[0].Has("letter-gone") {
			s.t.Errorf("%s was deleted, and its %d requests don't say so", id, len(mine))
		}
	}
	written := s.journal()
	if _, err := s.store.VerifyChain(s.t.Context(), s.a.Key); err != nil {
		s.t.Error(err)
	}
	for what, sql := range map[string]string{
		"rejected rows that had an id": `SELECT count(*) FROM rejections WHERE source LIKE 'srikandi nm-%'`,
		"letters in quarantine":        `SELECT count(*) FROM letters WHERE state = 'quarantined'`,
		"doubts":                       `SELECT count(*) FROM doubts`,
		"jobs given up":                `SELECT count(*) FROM river_job WHERE state = 'discarded' AND kind <> 'poll_gateway' AND kind <> 'sweep'`,
	} {
		if n := s.count(sql); n != 0 {
			s.t.Errorf("%d %s", n, what)
		}
	}
	calls := s.sim.Journal().Calls
	s.t.Logf("%d letters, %d dispositions there at the end, %d deleted, %d follow-ups, %d daemons killed, %d calls", len(truth), dispositions, len(deleted),
		written, s.kills, calls[srikandisim.List]+calls[srikandisim.Whole]+calls[srikandisim.Attachment])
}

func (s *storm) stored(id string) (store.Letter, srikandi.Naskah) {
	s.t.Helper()
	row, ok, err := s.store.LetterBySource(s.t.Context(), s.a.Key, "srikandi", id)
	if err != nil || !ok {
		s.t.Fatalf("%s is missing: %v", id, err)
	}
	raw, err := s.store.Raw(s.t.Context(), row.ID)
	if err != nil {
		s.t.Fatal(err)
	}
	n, err := srikandi.Decode(raw, wib)
	if err != nil {
		s.t.Fatal(err)
	}
	return row, n
}

func (s *storm) files(row store.Letter, want srikandisim.Letter) {
	s.t.Helper()
	files, err := s.store.Files(s.t.Context(), row.ID)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, f := range want.Files {
		if n := len(slices.DeleteFunc(slices.Clone(files), func(g store.File) bool { return g.Source != f.ID || string(g.Data) != string(f.Data) })); n != 1 {
			s.t.Errorf("attachment %s of %s is there %d times among %d", f.ID, want.ID, n, len(files))
		}
	}
}

// seat holds the dispositions that count on a request against those of its letter.
func (s *storm) seat(r request.State, row store.Letter, n srikandi.Naskah) {
	s.t.Helper()
	var want, have []string
	for _, d := range srikandi.Dispositions(n, s.a) {
		if !d.Withdrawn {
			want = append(want, d.ID)
		}
	}
	for _, d := range r.Dispositions {
		if d.LetterID == row.ID {
			have = append(have, d.ID)
		}
	}
	slices.Sort(want)
	slices.Sort(have)
	if !slices.Equal(want, have) {
		s.t.Errorf("%s counts %v, its letter has %v", r.Number, have, want)
	}
}

// journal counts the follow-ups in the gateway's journal: each once, and all of them.
func (s *storm) journal() int {
	s.t.Helper()
	j := s.sim.Journal()
	first := map[string]int{}
	for _, f := range j.FollowUps {
		if !f.Replay {
			first[f.Key]++
		}
	}
	for key, n := range first {
		if n != 1 {
			s.t.Errorf("%s was written %d times", key, n)
		}
	}
	if done := s.count(`SELECT count(*) FROM follow_ups WHERE state = 'done'`); done != len(first) {
		s.t.Errorf("%d follow-ups are done here, %d there", done, len(first))
	}
	if n := s.count(`SELECT count(*) FROM follow_ups f JOIN letters l ON l.source = f.srikandi_id WHERE f.state = 'dropped' AND l.gone_at IS NULL`); n != 0 {
		s.t.Errorf("%d follow-ups were dropped on letters that are there", n)
	}
	if j.BearersLeaked != 0 {
		s.t.Errorf("%d bearer tokens leaked", j.BearersLeaked)
	}
	return len(first)
}

// told and trueLetter tell a letter in words, from either side.
func told(n srikandi.Naskah) string {
	var b strings.Builder
	fmt.Fprint(&b, n.Version, n.Number, n.Subject, n.Summary, n.Cancelled, n.UpdatedAt.Unix(), n.From.NIP, n.Flaws)
	for _, d := range n.Dispositions {
		fmt.Fprint(&b, " | ", d.ID, d.From.NIP, d.From.Position, d.SentAt.Unix(), d.Instructions[0].Text)
		for _, r := range d.To {
			fmt.Fprint(&b, " > ", r.NIP, r.Status)
			for _, f := range r.FollowUps {
				fmt.Fprint(&b, " ", f.At.Unix(), f.Status, f.Note)
			}
		}
	}
	return b.String()
}

func trueLetter(l srikandisim.Letter) string {
	var b strings.Builder
	fmt.Fprint(&b, l.Version, l.Number, l.Subject, strings.TrimSpace(l.Summary), l.Cancelled, l.UpdatedAt.Unix(), l.From.NIP, []string(nil))
	for _, d := range l.Dispositions {
		fmt.Fprint(&b, " | ", d.ID, d.From.NIP, d.From.Position, d.SentAt.Unix(), d.Instructions[0])
		for _, r := range d.To {
			fmt.Fprint(&b, " > ", r.NIP, r.Status)
			for _, f := range r.FollowUps {
				fmt.Fprint(&b, " ", f.At.Unix(), f.Status, f.Note)
			}
		}
	}
	return b.String()
}
