package scheduler

import (
	"testing"
	"testing/synctest"
	"time"

	"pulih/internal/store"
)

// Three letters of an agency are read at once: the newer ones wait for the oldest, but not longer than is patient, and only once.
func TestLettersWaitForEarlierOnes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		arrived := func(id int64, agency string, day int) store.Letter {
			return store.Letter{ID: id, Agency: agency, ReceivedAt: begin.AddDate(0, 0, day)}
		}
		// Their ids are not in the order of arrival: the cursor follows changes.
		oldest, middle, newest, other := arrived(9, "pbg", 1), arrived(2, "pbg", 2), arrived(5, "pbg", 3), arrived(1, "mdn", 0)
		var q turns
		const patience = time.Second
		waits := func(l store.Letter) <-chan time.Duration {
			waited := make(chan time.Duration, 1)
			go func() {
				from := time.Now()
				q.wait(t.Context(), l, patience)
				waited <- time.Since(from)
			}()
			synctest.Wait() // it has returned, or waits for somebody
			return waited
		}
		leaveOldest, leaveMiddle, leaveNewest, leaveOther := q.enter(oldest), q.enter(middle), q.enter(newest), q.enter(other)
		defer leaveNewest()
		defer leaveOther()
		if d := <-waits(oldest); d != 0 {
			t.Errorf("the oldest waited %v", d)
		}
		waiting := waits(newest)
		leaveMiddle()
		if d := <-waiting; d != patience {
			t.Errorf("the newest waited %v for a slow one", d)
		}
		if d := <-waits(newest); d != 0 {
			t.Errorf("it waited %v more", d)
		}
		leaveOldest()
		leaveMiddle = q.enter(middle)
		waiting = waits(newest)
		select {
		case d := <-waiting:
			t.Errorf("it waited %v for one that isn't done", d)
		default:
		}
		leaveMiddle()
		synctest.Wait()
		select {
		case <-waiting:
		default:
			t.Error("it waits on for one that is done")
		}
	})
}
