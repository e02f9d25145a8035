package mailflow_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"sync"
	"testing"

	"pulih/mailflow"
)

// ledger is an Archive in memory that holds the inbox to its side of the bargain: it fails the test when the cursor goes back or passes a
// message that was never committed.
type ledger struct {
	t testing.TB

	mu      sync.Mutex
	cursor  mailflow.Cursor
	rows    []mailflow.Arrival        // one each content
	seen    map[place]int             // sightings by place
	content map[[sha256.Size]byte]int // rows by content
	events  []mailflow.Event
	refuse  func(batch int) error // asked at each Save
	relaxed int                   // batches that needn't wait for the disk
	batches int
	changed chan struct{}
}

type place struct{ validity, uid uint32 }

func newLedger(t testing.TB) *ledger {
	return &ledger{t: t, seen: map[place]int{}, content: map[[sha256.Size]byte]int{}, changed: make(chan struct{})}
}

func (l *ledger) Cursor(context.Context, string) (mailflow.Cursor, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.cursor, nil
}

func (l *ledger) Save(_ context.Context, mailbox string, arrivals []mailflow.Arrival, next mailflow.Cursor) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.batches++
	if l.refuse != nil {
		if err := l.refuse(l.batches); err != nil {
			return err
		}
	}
	if next.UIDValidity == l.cursor.UIDValidity && next.UID < l.cursor.UID {
		l.t.Errorf("the cursor of %s goes back from %d to %d", mailbox, l.cursor.UID, next.UID)
	}
	for _, a := range arrivals {
		l.seen[place{a.UIDValidity, a.UID}]++
		sum := sha256.Sum256(append([]byte(a.Problem), a.Raw...))
		if l.content[sum]++; l.content[sum] == 1 {
			l.rows = append(l.rows, a)
		}
	}
	if next.More {
		l.relaxed++
	}
	next.More = false
	l.cursor = next
	l.tell()
	return nil
}

func (l *ledger) Event(_ context.Context, _ string, e mailflow.Event) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.events = append(l.events, e)
	l.tell()
	return nil
}

func (l *ledger) tell() {
	close(l.changed)
	l.changed = make(chan struct{})
}

// wait returns when the ledger is as wished, and fails the test when the context ends before.
func (l *ledger) wait(ctx context.Context, wish string, is func() bool) {
	l.t.Helper()
	for {
		l.mu.Lock()
		ok, changed, state := is(), l.changed, fmt.Sprintf("%d rows, cursor %d/%d, events %v", len(l.rows), l.cursor.UIDValidity, l.cursor.UID, l.events)
		l.mu.Unlock()
		if ok {
			return
		}
		select {
		case <-changed:
		case <-ctx.Done():
			l.t.Fatalf("waited in vain for %s: %s", wish, state)
		}
	}
}

func (l *ledger) waitRows(ctx context.Context, n int) {
	l.t.Helper()
	l.wait(ctx, fmt.Sprintf("%d rows", n), func() bool { return len(l.rows) >= n })
}

func (l *ledger) happened(kind mailflow.EventKind) int {
	n := 0
	for _, e := range l.events {
		if e.Kind == kind {
			n++
		}
	}
	return n
}

// messages lists the rows' content in order.
func (l *ledger) messages() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var out []string
	for _, a := range l.rows {
		out = append(out, string(a.Raw))
	}
	return out
}
