package demo

import (
	"context"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"pulih/internal/demo/bsresim"
	"pulih/internal/demo/mailsim"
	"pulih/internal/request"
	"pulih/internal/store"
)

// Without a database of its own the daemon has one: it dies with the daemon, and is there again with the next one.
func TestInvariant6TheDaemonsOwnDatabaseIsKilledWithItAndComesBack(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o711); err != nil { // the database's own user must reach its part
		t.Fatal(err)
	}
	t.Cleanup(func() { // what is left of a database whose postmaster was killed ends when it notices, and writes until then
		again := time.NewTicker(100 * time.Millisecond)
		defer again.Stop()
		for tries := 0; os.RemoveAll(filepath.Join(dir, "state", "postgres")) != nil && tries < 100; tries++ {
			<-again.C
		}
	})
	h := &house{t: t}
	h.enter(WorldOptions{Dir: dir, Clock: NewClock(monday, 90), Listen: "127.0.0.1:0", Poll: time.Second})
	h.play = &Play{World: h.world, Verifier: true}
	if err := h.play.Begin(); err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(seed(t), 2))
	for range dose(4, 40) {
		d := h.start()
		h.move(t)
		life, end := context.WithTimeout(t.Context(), time.Duration(rng.IntN(3000))*time.Millisecond)
		err := h.play.Forever(life)
		end()
		if err != nil {
			t.Fatalf("%v\n%s", err, h.lastWords())
		}
		h.slay(d)
		h.store.Close()
	}
	h.start()
	h.move(t)
	defer h.store.Close()
	h.until(4*time.Minute, h.play.Done)
	h.until(2*time.Minute, h.settled)
	a := newAudit(h)
	t.Run("letters", a.letters)
	t.Run("requests", a.requests)
	t.Run("resets", a.resets)
	t.Run("mails", func(t *testing.T) { a.mails(t) })
	t.Run("events", a.truth)
}

// move waits for the daemon's database and enters it.
func (h *house) move(t *testing.T) {
	t.Helper()
	keys, err := store.OpenKeys(h.world.Config.Keys.File)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for {
		var address []byte
		if address, err = os.ReadFile(filepath.Join(h.world.Config.State, "database-url")); err == nil {
			if h.store, err = store.Open(ctx, strings.TrimSpace(string(address)), keys); err == nil {
				// Migrated, too: the first life makes the tables.
				if _, err = h.store.Counts(ctx, h.world.Clock.Now()); err == nil {
					h.play.Store = h.store
					return
				}
				h.store.Close()
			}
		}
		select {
		case <-ctx.Done():
			t.Fatalf("the daemon's database doesn't come up: %v\n%s", err, h.living()[0].log)
		case <-time.After(beat):
		}
	}
}

// A stop, as systemd asks for it, in the middle of a reset and a mail whose partners say nothing any more.
func TestTheDaemonStopsWithinTenSecondsWithWorkUnderWay(t *testing.T) {
	t.Parallel()
	h := newHouse(t, 90, WorldOptions{})
	if err := h.play.Begin(); err != nil {
		t.Fatal(err)
	}
	// The applicant of the first letter: BSrE says nothing to the reset; the mail server says nothing to mails for the verifier.
	var once sync.Once
	called, stalled, free := make(chan struct{}), make(chan struct{}, 100), make(chan struct{})
	applicant := h.world.users["198504222010011912"] // of the agency whose resets the daemon makes
	h.world.meddle = func(c bsresim.Call, r *http.Request) bsresim.Fault {
		fault := bsresim.NoFault
		if c == bsresim.CallReset && strings.Contains(r.URL.Path, applicant) {
			once.Do(func() { close(called); fault = bsresim.HangAfter })
		}
		return fault
	}
	stalling := func(string, string) *mailsim.Fault {
		select {
		case <-called:
			stalled <- struct{}{}
			return &mailsim.Fault{At: mailsim.AtDot, Stall: free, Cut: true}
		default:
			return nil
		}
	}
	h.world.Mail.Fail(stalling)
	d := h.start()
	h.until(2*time.Minute, func(context.Context) ([]string, error) {
		select {
		case <-called:
			if len(stalled) > 0 {
				return nil, nil
			}
		default:
		}
		return []string{"a reset and a mail under way"}, nil
	})

	asked := time.Now()
	if err := d.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	select {
	case <-d.gone:
	case <-time.After(time.Minute):
		t.Fatalf("the daemon doesn't stop\n%s", h.lastWords())
	}
	t.Logf("stopped after %.1f s", time.Since(asked).Seconds())
	if !d.cmd.ProcessState.Success() {
		t.Errorf("it ended with %v\n%s", d.cmd.ProcessState, d.log)
	}
	// The promise is 10 s; nothing would end by itself within a minute.
	if took := time.Since(asked); took > 20*time.Second {
		t.Errorf("it took %v to stop", took)
	}
	h.daemons = nil
	a := newAudit(h)
	for what, sql := range map[string]string{
		"jobs that nobody handed back":  `SELECT count(*) FROM river_job WHERE state = 'running'`,
		"mails left in the middle":      `SELECT count(*) FROM outbox WHERE state = 'sending'`,
		"resets left without a outcome": `SELECT count(*) FROM requests WHERE status = 'booked'`,
	} {
		if n := a.count(t, sql); n != 0 {
			t.Errorf("%s: %d", what, n)
		}
	}
	if n := a.count(t, `SELECT count(*) FROM requests WHERE status = $1`, request.StatusUncertain); n != 1 {
		t.Errorf("%d requests are uncertain, want the one whose call got no answer", n)
	}

	close(free)
	h.world.Mail.Fail(nil)
	h.start()
	h.until(4*time.Minute, h.play.Done)
	h.until(2*time.Minute, h.settled)
	a = newAudit(h)
	t.Run("resets", a.resets)
	t.Run("mails", func(t *testing.T) { a.mails(t) })
}
