package srikandi_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"pulih/internal/demo/srikandisim"
	"pulih/srikandi"
)

// poll polls once and expects no error.
func (w *world) poll(t *testing.T, r *register) srikandi.Polled {
	t.Helper()
	p, err := w.poller(r).Poll(t.Context(), r.cursor)
	if err != nil {
		t.Fatalf("polling: %v", err)
	}
	return p
}

// add registers n letters, a second apart.
func (w *world) add(n int) []string {
	var ids []string
	for i := range n {
		ids = append(ids, w.sim.AddLetter(permohonan(fmt.Sprint(i+1))))
		w.Advance(time.Second)
	}
	w.Advance(time.Minute)
	return ids
}

func TestPollReadsEverythingOnce(t *testing.T) {
	t.Parallel()
	w, r := newWorld(t, srikandisim.Options{}), newRegister()
	ids := w.add(250)
	p := w.poll(t, r)
	if p.Pages != 3 || p.Letters != 250 || len(r.letters) != 250 {
		t.Fatalf("%+v, %d letters", p, len(r.letters))
	}
	before := w.sim.Journal().Calls
	r.fetched = map[string]int{}
	if p := w.poll(t, r); p.Letters != 0 || len(r.fetched) != 0 {
		t.Errorf("an idle poll fetched %d letters", p.Letters)
	}
	after := w.sim.Journal().Calls
	if after[srikandisim.Whole] != before[srikandisim.Whole] {
		t.Error("an idle poll asked for letters that didn't change")
	}
	w.sim.Dispose(ids[7], srikandisim.Disposition{From: staff("kadin"), To: to("kabid")})
	w.sim.Edit(ids[9], func(l *srikandisim.Letter) { l.Number = "edited" })
	w.Advance(time.Minute)
	if p := w.poll(t, r); p.Letters != 2 || len(r.letters[ids[7]].Dispositions) != 1 || r.letters[ids[9]].Number != "edited" || r.letters[ids[9]].Version != 2 {
		t.Errorf("after two changes: %+v", p)
	}
}

// An idle poll is one call and no write.
func TestAnIdlePollIsOneCall(t *testing.T) {
	t.Parallel()
	w, r := newWorld(t, srikandisim.Options{}), newRegister()
	w.add(1)
	w.poll(t, r)
	w.Advance(time.Hour)
	before := w.sim.Journal().Calls
	poller := w.poller(r)
	poller.Sink = noCommit{r, t}
	if _, err := poller.Poll(t.Context(), r.cursor); err != nil {
		t.Fatal(err)
	}
	after := w.sim.Journal().Calls
	if n := after[srikandisim.List] - before[srikandisim.List]; n != 1 || after[srikandisim.Whole] != before[srikandisim.Whole] {
		t.Errorf("%d lists, %d letters", n, after[srikandisim.Whole]-before[srikandisim.Whole])
	}
}

type noCommit struct {
	*register
	t *testing.T
}

func (n noCommit) Commit(context.Context, srikandi.Batch) error {
	n.t.Error("an idle poll wrote")
	return nil
}

// Gateways date changes to the second: two in one second look like one.
func TestTwoChangesInOneSecondAreBothSeen(t *testing.T) {
	t.Parallel()
	w, r := newWorld(t, srikandisim.Options{}), newRegister()
	id := w.sim.AddLetter(permohonan("1"))
	w.poll(t, r)
	w.sim.Edit(id, func(l *srikandisim.Letter) { l.Number = "2" })
	w.poll(t, r)
	if got := r.letters[id].Number; got != "2" {
		t.Fatalf("the number is %s: the second change was missed", got)
	}
	w.Advance(3 * time.Second)
	w.poll(t, r)
	if !r.letters[id].Settled {
		t.Error("never settled")
	}
	n := r.fetched[id]
	w.poll(t, r)
	if r.fetched[id] != n {
		t.Error("a settled letter is fetched again and again")
	}
}

func TestLateRowsAreSeen(t *testing.T) {
	t.Parallel()
	w, r := newWorld(t, srikandisim.Options{}), newRegister()
	w.sim.SetFaults(srikandisim.Faults{Late: 1, LateBy: 14 * time.Minute})
	late := w.sim.AddLetter(permohonan("terlambat"))
	w.sim.SetFaults(srikandisim.Faults{})
	w.Advance(time.Minute)
	w.add(3)
	w.poll(t, r)
	if _, ok := r.letters[late]; ok {
		t.Fatal("not late at all")
	}
	w.Advance(13 * time.Minute)
	w.poll(t, r)
	if _, ok := r.letters[late]; !ok {
		t.Error("a late row was lost")
	}
}

// A row dated in the future must not hide what follows it.
func TestARowFromTheFutureHidesNothing(t *testing.T) {
	t.Parallel()
	w, r := newWorld(t, srikandisim.Options{}), newRegister()
	w.sim.SetSkew(365 * 24 * time.Hour)
	future := w.sim.AddLetter(permohonan("masa depan"))
	w.poll(t, r)
	w.sim.SetSkew(0)
	w.Advance(time.Hour)
	ids := w.add(3)
	w.poll(t, r)
	for _, id := range append(ids, future) {
		if _, ok := r.letters[id]; !ok {
			t.Errorf("letter %s was hidden", r.letters[id].Number)
		}
	}
}

func TestABadRowStopsNothing(t *testing.T) {
	t.Parallel()
	w, r := newWorld(t, srikandisim.Options{}), newRegister()
	w.add(30)
	w.sim.SetFaults(srikandisim.Faults{Chance: map[srikandisim.Fault]float64{srikandisim.Malformed: 1}})
	poller := w.poller(r)
	poller.Limit = 7
	for range 4 {
		if _, err := poller.Poll(t.Context(), r.cursor); err != nil {
			t.Fatal(err)
		}
	}
	if len(r.letters) != 30 {
		t.Errorf("%d letters of 30", len(r.letters))
	}
	if len(r.bad) == 0 {
		t.Fatal("no bad row was kept")
	}
	for _, bad := range r.bad {
		if !json.Valid(bad.Raw) || bad.Err == nil || bad.ID != "" {
			t.Errorf("kept %q %v %q: rows with an id are letters that could be had by themselves", bad.Raw, bad.Err, bad.ID)
		}
	}
}

func TestRepeatedRowsAreReadOnce(t *testing.T) {
	t.Parallel()
	w, r := newWorld(t, srikandisim.Options{}), newRegister()
	w.add(40)
	w.sim.SetFaults(srikandisim.Faults{Chance: map[srikandisim.Fault]float64{srikandisim.Repeated: 1}})
	poller := w.poller(r)
	poller.Limit = 5
	if _, err := poller.Poll(t.Context(), r.cursor); err != nil {
		t.Fatal(err)
	}
	if len(r.letters) != 40 {
		t.Errorf("%d letters of 40", len(r.letters))
	}
	for id, n := range r.fetched {
		if n != 1 {
			t.Errorf("%s was read %d times", id, n)
		}
	}
}

func TestDeletedLetters(t *testing.T) {
	t.Parallel()
	w, r := newWorld(t, srikandisim.Options{}), newRegister()
	ids := w.add(3)
	w.poll(t, r)
	w.sim.Delete(ids[1])
	r.watch = true
	w.poll(t, r)
	if !r.gone[ids[1]] || len(r.gone) != 1 || len(r.letters) != 2 {
		t.Errorf("gone: %v", r.gone)
	}
}

// One letter that can't be had stops no other; it is owed, and read when it can be.
func TestOneBrokenLetterStopsNoOther(t *testing.T) {
	t.Parallel()
	for _, fault := range []srikandisim.Fault{srikandisim.Internal, srikandisim.HTML, srikandisim.Empty, srikandisim.Cut} {
		w, r := newWorld(t, srikandisim.Options{}), newRegister()
		w.add(10)
		// The third letter fails, and fails again when the poll's end asks for it by itself.
		faults := make([]srikandisim.Fault, 11)
		for i := range faults {
			faults[i] = srikandisim.None
		}
		faults[2], faults[10] = fault, fault
		w.sim.Inject(srikandisim.Whole, faults...)
		w.poll(t, r)
		if len(r.letters) != 9 || len(r.bad) != 1 {
			t.Fatalf("%s: %d letters, %d owed", fault, len(r.letters), len(r.bad))
		}
		w.poll(t, r)
		if len(r.letters) != 10 || len(r.bad) != 0 {
			t.Errorf("%s: afterwards %d letters, %d owed", fault, len(r.letters), len(r.bad))
		}
	}
}

// When the gateway asks to wait in the middle of a page, what was read stays read, and the cursor stays where it was.
func TestALongPageMakesProgress(t *testing.T) {
	t.Parallel()
	w, r := newWorld(t, srikandisim.Options{}), newRegister()
	w.add(100)
	w.sim.SetFaults(srikandisim.Faults{RetryAfter: 5 * time.Second})
	polls := 0
	for ; len(r.letters) < 100; polls++ {
		for range 20 {
			w.sim.Inject(srikandisim.Whole, srikandisim.None)
		}
		w.sim.Inject(srikandisim.Whole, srikandisim.TooMany)
		had := len(r.letters)
		_, err := w.poller(r).Poll(t.Context(), r.cursor)
		if len(r.letters) == had {
			t.Fatalf("no progress at %d letters: %v", had, err)
		}
		if err != nil && !r.cursor.UpdatedSince.IsZero() {
			t.Fatal("the cursor went past letters that weren't read")
		}
		w.Advance(time.Minute)
	}
	if len(r.bad) != 0 || polls < 3 {
		t.Errorf("%d owed after %d polls", len(r.bad), polls)
	}
}

func TestACursorThatRanOutBeginsTheRoundAnew(t *testing.T) {
	t.Parallel()
	w, r := newWorld(t, srikandisim.Options{}), newRegister()
	w.add(3)
	for _, fault := range []srikandisim.Fault{srikandisim.None, srikandisim.LostPage} { // the refusal may come as a page, too
		r.cursor.Page = "kedaluwarsa"
		w.sim.Inject(srikandisim.List, fault)
		w.poll(t, r)
		if len(r.letters) != 3 || r.cursor.Page != "" {
			t.Errorf("%s: %d letters, cursor %+v", fault, len(r.letters), r.cursor)
		}
	}
}

func TestACursorThatRunsInACircleEnds(t *testing.T) {
	t.Parallel()
	gateway := answering(t, func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasSuffix(r.URL.Path, "nm-1"):
			io.WriteString(w, `{"id":"nm-1","updated_at":"2026-11-20T08:00:00+07:00"}`)
		default:
			next := map[string]string{"": "a", "a": "b", "b": "a"}[r.URL.Query().Get("cursor")]
			fmt.Fprintf(w, `{"data":[{"id":"nm-1","updated_at":"2026-11-20T08:00:00+07:00"}],"next_cursor":%q,"server_time":"2026-11-20T09:00:00+07:00"}`, next)
		}
	})
	r := newRegister()
	now := func() time.Time { return time.Date(2026, 11, 20, 9, 0, 0, 0, wib) }
	_, err := srikandi.Poller{Gateway: newClient(t, gateway, now), Sink: r, Now: now}.Poll(t.Context(), r.cursor)
	is(t, err, srikandi.ErrAnswer)
	if len(r.letters) != 1 || r.cursor.Page != "" || !r.cursor.UpdatedSince.Equal(now().Add(-time.Hour)) {
		t.Errorf("%d letters, cursor %+v", len(r.letters), r.cursor)
	}
}

func TestPagesTooLargeAreHalved(t *testing.T) {
	t.Parallel()
	w, r := newWorld(t, srikandisim.Options{}, func(c *srikandi.ClientConfig) { c.MaxAnswer = 6000 }), newRegister()
	w.add(50)
	p := w.poll(t, r)
	if len(r.letters) != 50 || p.Pages < 5 {
		t.Errorf("%d letters in %d pages", len(r.letters), p.Pages)
	}
}

func TestAnOutageOfWeeks(t *testing.T) {
	t.Parallel()
	w, r := newWorld(t, srikandisim.Options{}), newRegister()
	ids := w.add(2)
	w.poll(t, r)
	w.sim.SetOutage(true)
	for range 21 {
		ids = append(ids, w.add(5)...)
		if _, err := w.poller(r).Poll(t.Context(), r.cursor); err == nil {
			t.Fatal("no error in an outage")
		}
		w.Advance(24 * time.Hour)
	}
	w.sim.SetOutage(false)
	var read []string
	poller := w.poller(r)
	poller.Sink = inOrder{r, &read}
	if _, err := poller.Poll(t.Context(), r.cursor); err != nil {
		t.Fatal(err)
	}
	if len(r.bad) != 0 || strings.Join(read, " ") != strings.Join(ids[2:], " ") {
		t.Errorf("the backlog was read as %v, want %v", read, ids[2:])
	}
}

type inOrder struct {
	*register
	read *[]string
}

func (o inOrder) Commit(ctx context.Context, b srikandi.Batch) error {
	for _, n := range b.Letters {
		*o.read = append(*o.read, n.ID)
	}
	return o.register.Commit(ctx, b)
}

func TestRefusedSignInStopsThePoll(t *testing.T) {
	t.Parallel()
	w, r := newWorld(t, srikandisim.Options{}), newRegister()
	w.add(50)
	for range 200 {
		w.sim.Inject(srikandisim.Whole, srikandisim.Unauthorized)
	}
	_, err := w.poller(r).Poll(t.Context(), r.cursor)
	is(t, err, srikandi.ErrSignIn)
	if len(r.bad) != 0 || !r.cursor.UpdatedSince.IsZero() {
		t.Errorf("%d letters owed, cursor %+v: nothing is wrong with the letters", len(r.bad), r.cursor)
	}
	if n := w.sim.Journal().Calls[srikandisim.Whole]; n > 20 {
		t.Errorf("%d letters asked for after the refusal", n)
	}
}

// A store that fails, at whatever commit, loses nothing (invariant 1).
func TestAStoreThatFailsLosesNothing(t *testing.T) {
	t.Parallel()
	w, r := newWorld(t, srikandisim.Options{}), newRegister()
	ids := w.add(60)
	broken := errors.New("the database went away")
	for at := 0; ; at++ {
		left := at % 5
		poller := w.poller(r)
		poller.Limit = 7
		poller.Sink = failingSink{r, &left, broken}
		_, err := poller.Poll(t.Context(), r.cursor)
		if err == nil {
			break
		}
		is(t, err, broken)
		if at > 100 {
			t.Fatal("never finishes")
		}
	}
	for _, id := range ids {
		if _, ok := r.letters[id]; !ok {
			t.Errorf("%s was lost", id)
		}
	}
}

type failingSink struct {
	*register
	left *int
	err  error
}

func (f failingSink) Commit(ctx context.Context, b srikandi.Batch) error {
	if *f.left == 0 {
		return f.err
	}
	*f.left--
	return f.register.Commit(ctx, b)
}

// A round that is interrupted near the present and goes on much later must not leave behind what came late meanwhile.
func TestALateRowBehindAnInterruptedRound(t *testing.T) {
	t.Parallel()
	for name, ahead := range map[string]time.Duration{"clocks agree": 0, "ours is ahead": time.Hour, "ours is behind": -time.Hour} {
		t.Run(name, func(t *testing.T) { t.Parallel(); lateBehindInterruption(t, ahead) })
	}
}

func lateBehindInterruption(t *testing.T, ahead time.Duration) {
	w, r := newWorld(t, srikandisim.Options{}), newRegister()
	w.sim.SetFaults(srikandisim.Faults{Late: 1, LateBy: 10 * time.Minute})
	late := w.sim.AddLetter(permohonan("terlambat"))
	w.sim.SetFaults(srikandisim.Faults{})
	w.Advance(time.Second)
	w.add(5)
	poller := w.poller(r)
	poller.Now = func() time.Time { return w.Now().Add(ahead) }
	poller.Limit = 3
	w.sim.Inject(srikandisim.List, srikandisim.None, srikandisim.Internal)
	if _, err := poller.Poll(t.Context(), r.cursor); err == nil || r.cursor.Page == "" {
		t.Fatal("the round was not interrupted")
	}
	w.Advance(72 * time.Hour)
	w.add(5)
	for range 2 {
		if _, err := poller.Poll(t.Context(), r.cursor); err != nil {
			t.Fatal(err)
		}
	}
	if _, ok := r.letters[late]; !ok || len(r.letters) != 11 {
		t.Errorf("%d letters of 11", len(r.letters))
	}
}

func TestSinceListsALetterOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, srikandisim.Options{})
	w.add(5)
	w.Advance(time.Hour)
	since := w.Now()
	ids := w.add(230)
	w.sim.SetFaults(srikandisim.Faults{Chance: map[srikandisim.Fault]float64{srikandisim.Repeated: 1}})
	rows, bad, err := srikandi.Since(t.Context(), w.client, since)
	if err != nil || len(bad) != 0 {
		t.Fatal(bad, err)
	}
	got := map[string]int{}
	for _, n := range rows {
		got[n.ID]++
	}
	for _, id := range ids {
		if got[id] != 1 {
			t.Errorf("%s is listed %d times", id, got[id])
		}
	}
}
