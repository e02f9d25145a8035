package scheduler

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"pulih/internal/demo/bsresim"
	"pulih/internal/request"
	"pulih/internal/sop"
)

// TestHistoriesOnTheRealWorker plays what request's model plays, with the worker itself: PostgreSQL, HTTP through a wire that is cut at any
// byte, two daemons that crash at any step. PULIH_SOAK=1 plays 500; a failing one is named by its seed.
func TestHistoriesOnTheRealWorker(t *testing.T) {
	t.Parallel()
	n := 24
	if os.Getenv("PULIH_SOAK") != "" {
		n = 500
	}
	lanes := make(chan bool, 3)
	for seed := range n {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			lanes <- true
			defer func() { <-lanes }()
			h := newHistory(t, seed)
			for _, a := range rapid.SliceOfN(rapid.Custom(drawAct), 10, 45).Example(seed) {
				h.play(a)
			}
			h.rest()
			h.check()
		})
	}
}

// act is one thing that happens.
type act struct {
	what     string
	number   int
	verifier string
	daemon   int
	crash    string // the failpoint where the daemon dies; empty: it lives
	nth      int    // at the how-many-eth time that it gets there
	fault    bsresim.Fault
	asking   int // the byte at which the reset's request is cut; -1: not
	answer   int // likewise its answer
	jump     time.Duration
}

func drawAct(t *rapid.T) act {
	of := func(list ...string) string { return rapid.SampledFrom(list).Draw(t, "of") }
	a := act{
		what: of("run", "run", "run", "run", "both", "approve", "approve", "approve", "approve", "could-not", "unsure", "confirm", "reopen", "sign-in", "sign-in", "sign-out",
			"end-sessions", "stop", "go-on", "jump", "jump", "sweep", "look", "passphrase", "works", "trouble", "phone"),
		number: rapid.IntRange(0, 2).Draw(t, "number"), verifier: of("rini", "galih"), daemon: rapid.IntRange(0, 1).Draw(t, "daemon"),
		crash: of("", "", "prepared", "booking", "booked", "called", "settled"), nth: rapid.IntRange(1, 2).Draw(t, "nth"), asking: -1, answer: -1,
		fault: rapid.SampledFrom(append(slices.Repeat([]bsresim.Fault{bsresim.NoFault}, 20), quickFaults()...)).Draw(t, "fault"),
		jump:  rapid.SampledFrom([]time.Duration{time.Second, time.Minute, time.Hour, 24 * time.Hour, 8 * 24 * time.Hour, -time.Hour}).Draw(t, "jump"),
	}
	switch rapid.IntRange(0, 5).Draw(t, "cut") {
	case 0:
		a.asking = rapid.IntRange(0, 400).Draw(t, "asking")
	case 1:
		a.answer = rapid.IntRange(0, 250).Draw(t, "answer")
	}
	return a
}

// quickFaults leaves those out that only patience ends.
func quickFaults() []bsresim.Fault {
	return slices.DeleteFunc(slices.Clone(bsresim.Faults), func(f bsresim.Fault) bool { return strings.HasPrefix(string(f), "hang") })
}

type history struct {
	*portal
	daemons [2]*Daemon
	numbers []string
	wire    *wire
	human   map[string]int // version of the request when a human last acted on it

	mu    sync.Mutex
	fault bsresim.Fault // of the next reset
}

type crashed struct{}

func newHistory(t *testing.T, seed int) *history {
	h := &history{human: map[string]int{}}
	edits := []func(string) string{}
	if seed%3 == 0 {
		edits = append(edits, rule("lend_sessions: true"))
	}
	h.portal = openPortalThrough(t, bsresim.Options{Decide: h.decide}, func(url string) string { h.wire = newWire(t, url); return h.wire.url() }, edits...)
	h.daemons = [2]*Daemon{h.Daemon, h.daemon(h.edit...)}
	third := endah
	if seed%5 == 0 {
		third = head // two letters are about one person
	}
	for i, nip := range []string{head, wahyu, third} {
		number := h.ask(nip)
		h.numbers = append(h.numbers, number)
		if (seed+i)%4 > 0 {
			h.decided(number, request.Approve{By: by("rini"), Subject: h.state(number).Subject})
		}
	}
	if seed%4 > 0 {
		h.signIn("rini")
		h.signIn("galih")
	}
	u, _ := h.sim.UserByEmail("wahyu.nugroho@purbalinggakab.go.id")
	h.sim.Change(u.UID, func(u *bsresim.User) { u.PhoneUnverified = seed%4 == 0 })
	return h
}

func (h *history) decide(c bsresim.Call, _ *http.Request) bsresim.Fault {
	h.mu.Lock()
	defer h.mu.Unlock()
	if c != bsresim.CallReset {
		return bsresim.NoFault
	}
	fault := h.fault
	h.fault = bsresim.NoFault
	return fault
}

func (h *history) play(a act) {
	number := h.numbers[a.number]
	s := h.state(number)
	ctx := h.t.Context()
	switch a.what {
	case "run":
		h.arm(a)
		h.runUntil(a.daemon, a)
	case "both":
		h.arm(a)
		var wg sync.WaitGroup
		wg.Go(func() { h.runUntil(0, a) })
		wg.Go(func() { h.runUntil(1, act{}) })
		wg.Wait()
	case "approve":
		h.decided(number, request.Approve{By: by(a.verifier), Subject: s.Subject, Text: "di AMS tidak tampak pengiriman"})
	case "could-not":
		h.decided(number, request.CouldNot{By: by(a.verifier), Text: "tidak terkirim"})
	case "unsure":
		h.decided(number, request.Unsure{By: by(a.verifier)})
	case "confirm":
		h.decided(number, request.Confirm{By: by(a.verifier)})
	case "reopen":
		h.decided(number, request.Reopen{By: by(a.verifier), Text: "tautan tidak sampai"})
	case "sign-in":
		if h.sim.Code(a.verifier) != "" {
			h.signIn(a.verifier)
		}
	case "sign-out":
		h.must(h.store.DropSession(ctx, h.Key, a.verifier))
	case "end-sessions":
		h.sim.EndSessions()
	case "stop", "go-on":
		h.must(h.store.StopResets(ctx, h.Key, "operator", a.what == "stop" && a.nth == 1, h.now()))
	case "jump":
		h.pass(a.jump)
	case "sweep":
		h.must(h.remind(ctx, h.tenant))
	case "look":
		h.look(number)
	case "passphrase":
		if u, ok := h.sim.UserByEmail(s.Subject.Email); ok {
			_ = h.sim.SetPassphrase(u.UID)
		}
	case "works":
		_, _ = h.store.Act(ctx, h.Agency, number, h.now(), request.Observe{Kind: request.Usable, At: h.now(), By: request.Actor{Role: sop.Applicant}})
	case "trouble":
		_, _ = h.store.Act(ctx, h.Agency, number, h.now(), request.Trouble{By: request.Actor{Role: sop.Applicant}, Text: "belum ada e-mail"})
	case "phone":
		u, _ := h.sim.UserByEmail("wahyu.nugroho@purbalinggakab.go.id")
		h.sim.ConfirmPhone(u.UID)
	}
}

func (h *history) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

func (h *history) decided(number string, cmd request.Command) {
	if s, err := h.store.Act(h.t.Context(), h.Agency, number, h.now(), cmd); err == nil {
		h.human[number] = s.Version
	}
}

func (h *history) arm(a act) {
	h.mu.Lock()
	h.fault = a.fault
	h.mu.Unlock()
	h.wire.cutAt(a.asking, a.answer)
}

// runUntil works the queue with a daemon that dies at its failpoint: what it held in memory is gone, and its locks are free.
func (h *history) runUntil(daemon int, a act) {
	d := h.daemons[daemon]
	nth := a.nth
	d.failpoint = func(point string) {
		if point == a.crash {
			if nth--; nth == 0 {
				panic(crashed{})
			}
		}
	}
	defer func() {
		if r := recover(); r != nil && r != (crashed{}) {
			panic(r)
		}
	}()
	if err := h.runOn(d); err != nil {
		h.t.Error(err)
	}
}

// rest plays what comes after: the daemons run, nothing fails, no human does anything.
func (h *history) rest() {
	h.arm(act{asking: -1, answer: -1})
	for range 9 {
		h.pass(13 * time.Hour)
		if open, err := h.Calendar.NextOpen(h.now()); err == nil && !h.Calendar.Open(h.now()) {
			h.set(open)
		}
		h.runUntil(0, act{})
		h.runUntil(1, act{})
		h.must(h.remind(h.t.Context(), h.tenant))
		for _, number := range h.numbers {
			h.look(number)
		}
	}
	h.sim.Quiet()
}

func (h *history) check() {
	t := h.t
	arrived := map[string]int{} // resets that came to BSrE, whatever it did about them
	for _, e := range h.sim.Journal() {
		u, _ := h.sim.User(e.UID)
		arrived[u.Email]++
	}
	booked := map[string]int{}
	for _, number := range h.numbers {
		events, err := h.store.Events(t.Context(), number)
		h.must(err)
		s := request.Fold(number, events)
		booked[s.Subject.Email] += h.checkBookings(number, events)
		if s.Status == request.StatusBooked {
			t.Errorf("%s: a booked call was forgotten\n%s", number, h.story(number))
		}
		if s.Status.Open() && h.human[number] > 0 && !h.told(number, h.human[number]) {
			t.Errorf("%s waits in %s, and nobody was told since a human acted\n%s", number, s.Status, h.story(number))
		}
	}
	for email, n := range arrived {
		if n > booked[email] {
			t.Errorf("BSrE got %d resets for %s, on %d approvals that were booked: %+v", n, email, booked[email], h.sim.Journal())
			for _, number := range h.numbers {
				t.Log(number + "\n" + h.story(number))
			}
		}
	}
	if _, err := h.store.VerifyChain(t.Context(), h.Key); err != nil {
		t.Error(err)
	}
	if _, different, err := h.store.Rebuild(t.Context(), h.Agency, h.now()); err != nil || len(different) > 0 {
		t.Errorf("rebuilt %v, %v", different, err)
	}
}

// checkBookings counts the approvals that were booked; each must be a verifier's, on the address that was called.
func (h *history) checkBookings(number string, events []request.Event) int {
	may, all := map[int]bool{}, map[int]bool{}
	open := 0
	for _, e := range events {
		switch e.Kind {
		case request.ResetBooked:
			open = e.Booking.Approval
			approved := events[open-1]
			if approved.Kind != request.Approved || approved.By.Role != sop.Verifier || approved.Subject.Email != e.Booking.Email {
				h.t.Errorf("%s: booked on %s by %s", number, approved.Kind, approved.By.ID)
			}
			if may[open] {
				h.t.Errorf("%s: approval %d was booked again after a call that may have left\n%s", number, open, h.story(number))
			}
			may[open], all[open] = true, true
		case request.ResetNotSent:
			delete(may, open)
		}
	}
	return len(all)
}

// told reports whether a mail about the request was written since that version of it, or one that everything stands still.
func (h *history) told(number string, version int) (ok bool) {
	h.must(h.store.Pool.QueryRow(h.t.Context(), `SELECT EXISTS (SELECT FROM outbox, jsonb_array_elements(items) i WHERE i->>'number' = $1 AND (i->>'version')::int >= $2)
		OR EXISTS (SELECT FROM switches WHERE resets_stopped_at IS NOT NULL AND stopped_by = $3)`, number, version, breaker).Scan(&ok))
	return ok
}

// wire carries all exchanges with BSrE, and cuts those of a reset.
type wire struct {
	l              net.Listener
	target         string
	mu             sync.Mutex
	asking, answer int
	tap            func(at string) // told of a reset: "left", "answered"
}

func newWire(t *testing.T, url string) *wire {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &wire{l: l, target: strings.TrimPrefix(url, "http://"), asking: -1, answer: -1}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() { w.carry(conn) })
		}
	})
	t.Cleanup(func() { l.Close(); all.Wait() })
	return w
}

func (w *wire) url() string { return "http://" + w.l.Addr().String() }

func (w *wire) cutAt(asking, answer int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.asking, w.answer = asking, answer
}

func (w *wire) carry(client net.Conn) {
	defer client.Close()
	host, err := net.Dial("tcp", w.target)
	if err != nil {
		return
	}
	defer host.Close()
	first := make([]byte, 64<<10)
	n, err := client.Read(first)
	if err != nil {
		return
	}
	asking, answer, tap := -1, -1, func(string) {}
	if bytes.HasPrefix(first, []byte("GET /api/rest/manage/cert/passphrase/reset/")) {
		w.mu.Lock()
		asking, answer, w.asking, w.answer = w.asking, w.answer, -1, -1
		if w.tap != nil {
			tap = w.tap
		}
		w.mu.Unlock()
	}
	tap("left")
	if asking >= 0 && asking < n {
		_, _ = host.Write(first[:asking])
		return
	}
	_, _ = host.Write(first[:n])
	go func() { _, _ = io.Copy(host, client) }() // ends with the deferred closes
	if answer >= 0 {
		_, _ = io.CopyN(client, host, int64(answer))
		return
	}
	_, _ = io.Copy(client, host)
	tap("answered")
}
