package scheduler

import (
	"cmp"
	"context"
	"sync"
	"time"

	"pulih/internal/store"
)

// turns lets letters that are read at the same time open their requests in the order of their arrival: of a backlog, the lower number is the
// letter that came first.
type turns struct {
	mu      sync.Mutex
	reading map[int64]*turn // by letter
}

type turn struct {
	store.Letter
	slow bool // nobody waits for it any more
	done chan struct{}
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
	t := &turn{Letter: l, done: make(chan struct{})}
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

// wait returns when the agency's earlier letters are done, or when one of them has let another wait for so long: a scan of many pages stops
// nobody twice.
func (q *turns) wait(ctx context.Context, l store.Letter, patience time.Duration) {
	within, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		before := q.before(l)
		if before == nil {
			return
		}
		select {
		case <-before.done:
		case <-within.Done():
			q.overtake(l)
			return
		}
	}
}

func (q *turns) before(l store.Letter) *turn {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, t := range q.reading {
		if t.earlier(l) && !t.slow {
			return t
		}
	}
	return nil
}

func (q *turns) overtake(l store.Letter) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, t := range q.reading {
		t.slow = t.slow || t.earlier(l)
	}
}

func (t *turn) earlier(l store.Letter) bool {
	return t.Agency == l.Agency && cmp.Or(t.ReceivedAt.Compare(l.ReceivedAt), cmp.Compare(t.ID, l.ID)) < 0
}
