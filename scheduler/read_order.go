package scheduler

import (
	"cmp"
	"context"
	"sync"
	"time"

	"pulih/internal/store"
)

// turns lets letters that are read at the same time open their requests in the order of their arrival: of a backlog, the lower number is the
// letter that came first. Two daemons that read the same backlog know nothing of each other's turns.
type turns struct {
	mu      sync.Mutex
	reading map[int64]*turn // by letter
}

type turn struct {
	store.Letter
	began time.Time
	done  chan struct{}
}

// turnPatience is how long a letter waits for those before it.
func (d *Daemon) turnPatience() time.Duration {
	if d.opts.Fast {
		return 5 * time.Second
	}
	return time.Second
}

// enter notes that a letter is being read, until leave is called.
func (q *turns) enter(l store.Letter) (leave func()) {
	t := &turn{Letter: l, began: time.Now(), done: make(chan struct{})}
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.reading == nil {
		q.reading = map[int64]*turn{}
	}
	q.reading[l.ID] = t
	return func() {
		q.mu.Lock()
		defer q.mu.Unlock()
		if q.reading[l.ID] == t {
			delete(q.reading, l.ID)
		}
		close(t.done)
	}
}

// wait returns when the agency's earlier letters are done, but within patience.
func (q *turns) wait(ctx context.Context, l store.Letter, patience time.Duration) {
	late := time.After(patience)
	for t := q.before(l, patience); t != nil; t = q.before(l, patience) {
		select {
		case <-t.done:
		case <-late:
			return
		case <-ctx.Done():
			return
		}
	}
}

// before finds an earlier letter that is being read. One that takes longer than is patient, a scan of many pages, stops nobody any more.
func (q *turns) before(l store.Letter, patience time.Duration) *turn {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, t := range q.reading {
		if t.earlier(l) && time.Since(t.began) < patience {
			return t
		}
	}
	return nil
}

func (t *turn) earlier(l store.Letter) bool {
	return t.Agency == l.Agency && cmp.Or(t.ReceivedAt.Compare(l.ReceivedAt), cmp.Compare(t.ID, l.ID)) < 0
}
