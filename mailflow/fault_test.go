package mailflow_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pulih/internal/demo/mailsim"
	"pulih/mailflow"
	"pulih/mailflow/mailtest"
)

// faultySession runs an inbox over a proxy that treats the first connection badly, and wants every message committed once, in order.
func faultySession(t *testing.T, sim *mailsim.Sim, want []string, patience time.Duration, treatment mailtest.Treatment, what string) {
	t.Helper()
	proxy := mailtest.StartProxy(t, sim.IMAP, func(n int) mailtest.Treatment {
		if n == 0 {
			return treatment
		}
		return nil
	})
	defer proxy.Close()
	box, l := boxAt(t, proxy.Addr), newLedger(t)
	box.ReadTimeout = patience
	in := mailflow.NewInbox(box, l, impatient, nil, nil)
	stop := running(t, in)
	l.wait(within(t, 30*time.Second), "all messages after "+what, func() bool { return len(l.rows) == len(want) && l.cursor.UID == uint32(len(want)) })
	stop()
	got := l.messages()
	slices.Sort(got)
	if sorted := slices.Sorted(slices.Values(want)); !slices.Equal(got, sorted) {
		t.Errorf("%s: other messages than were sent: %q", what, got)
	}
}

// sessionLength is how much a server says in a session that reads all there is.
func sessionLength(t *testing.T, sim *mailsim.Sim, messages int) int {
	t.Helper()
	length := 0
	proxy := mailtest.StartProxy(t, sim.IMAP, func(int) mailtest.Treatment {
		return func(piece []byte, _ <-chan struct{}) ([]byte, bool) {
			length += len(piece)
			return piece, true
		}
	})
	l := newLedger(t)
	if err := mailflow.NewInbox(boxAt(t, proxy.Addr), l, impatient, nil, nil).Poll(within(t, 20*time.Second)); err != nil || len(l.rows) != messages {
		t.Fatalf("reading %d messages: %v", len(l.rows), err)
	}
	proxy.Close()
	return length
}

// eachPosition calls do for every step-th byte of a session, a few at a time.
func eachPosition(length, step int, do func(n int)) {
	positions := make(chan int)
	var workers sync.WaitGroup
	for range 16 {
		workers.Go(func() {
			for n := range positions {
				do(n)
			}
		})
	}
	for n := 0; n < length; n += step {
		positions <- n
	}
	close(positions)
	workers.Wait()
}

func TestConnectionCutAtEveryByte(t *testing.T) {
	t.Parallel()
	sim := world(t, mailsim.Options{})
	want := []string{"Subject: Satu\r\n\r\nIsi satu.\r\n", "Subject: Dua\r\n\r\nIsi dua.\r\n"} // short, so that every byte is tried soon
	for _, raw := range want {
		if err := sim.Deliver(user, []byte(raw)); err != nil {
			t.Fatal(err)
		}
	}
	eachPosition(sessionLength(t, sim, 2), 1, func(n int) {
		faultySession(t, sim, want, 20*time.Second, mailtest.CutAfter(n), fmt.Sprintf("a cut after byte %d", n))
	})
}

func TestServerFallsSilent(t *testing.T) {
	t.Parallel()
	sim := world(t, mailsim.Options{})
	want := deliver(t, sim, 1, 2, 3)
	eachPosition(sessionLength(t, sim, 3), 61, func(n int) {
		faultySession(t, sim, want, 100*time.Millisecond, mailtest.StallAfter(n), fmt.Sprintf("silence after byte %d", n))
	})
}

func TestSlowButSteadyServerIsPatientlyRead(t *testing.T) {
	t.Parallel()
	sim := world(t, mailsim.Options{})
	for n := range 30 {
		if err := sim.Deliver(user, mailtest.Message(n, 30_000, noon)); err != nil {
			t.Fatal(err)
		}
	}
	proxy := mailtest.StartProxy(t, sim.IMAP, func(int) mailtest.Treatment {
		return func(piece []byte, over <-chan struct{}) ([]byte, bool) {
			select { // a slow line
			case <-time.After(20 * time.Millisecond):
			case <-over:
			}
			return piece, true
		}
	})
	box, l := boxAt(t, proxy.Addr), newLedger(t)
	box.ReadTimeout = 250 * time.Millisecond
	if err := mailflow.NewInbox(box, l, impatient, nil, nil).Poll(within(t, 30*time.Second)); err != nil || len(l.rows) != 30 {
		t.Errorf("%d rows, %v", len(l.rows), err)
	}
}

func TestGarbageInTheStream(t *testing.T) {
	t.Parallel()
	sim := world(t, mailsim.Options{})
	want := deliver(t, sim, 1)
	// Within a message's bytes garbage can't be told from mail; before and after it can.
	greeting := sessionLength(t, sim, 1)
	for _, garbage := range []string{
		"\x00\xff\xfe garbage\r\n", "* 1 FETCH (UID 99999999999999999999)\r\n", "T999 OK nobody asked\r\n", "* 7 FETCH (BODY[] {99999999999}\r\n",
		"+ go on\r\n", "* " + strings.Repeat("(", 5000) + "\r\n", "* OK [UIDVALIDITY x]\r\n",
	} {
		for _, n := range []int{0, greeting} {
			what := fmt.Sprintf("%.20q at byte %d", garbage, n)
			if n == greeting {
				want = append(want, deliver(t, sim, len(want)+1)...) // the garbage comes while idling or after
				n = sessionLength(t, sim, len(want))
			}
			faultySession(t, sim, want, 500*time.Millisecond, mailtest.InsertAfter(n, garbage), what)
		}
	}
}

func TestSilenceWhileIdlingIsNoticed(t *testing.T) {
	t.Parallel()
	sim := world(t, mailsim.Options{})
	deliver(t, sim, 1)
	silent := make(chan struct{})
	proxy := mailtest.StartProxy(t, sim.IMAP, func(n int) mailtest.Treatment {
		if n > 0 {
			return nil
		}
		return func(piece []byte, over <-chan struct{}) ([]byte, bool) {
			select {
			case <-silent: // the connection stays open, and nothing comes through it any more
				<-over
				return nil, false
			default:
				return piece, true
			}
		}
	})
	box, l := boxAt(t, proxy.Addr), newLedger(t)
	box.PollEvery, box.ReadTimeout = 20*time.Millisecond, 100*time.Millisecond
	running(t, mailflow.NewInbox(box, l, impatient, nil, nil))
	ctx := within(t, 20*time.Second)
	l.waitRows(ctx, 1)
	close(silent)
	deliver(t, sim, 2)
	l.waitRows(ctx, 2)
	if n := proxy.Count(); n < 2 {
		t.Errorf("%d connections: the dead one was not given up", n)
	}
}
