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
		waited := func(l store.Letter) time.Duration {
			from := time.Now()
			q.wait(t.Context(), l, time.Second)
			return time.Since(from)
		}
		leaveOldest, leaveMiddle, leaveNewest, leaveOther := q.enter(oldest), q.enter(middle), q.enter(newest), q.enter(other)
		defer leaveNewest()
		defer leaveOther()
		if d := waited(oldest); d != 0 {
			t.Errorf("the oldest waited %v", d)
		}
		go func() {
			time.Sleep(400 * time.Millisecond)
			leaveMiddle()
		}()
		if d := waited(newest); d != time.Second {
			t.Errorf("the newest waited %v for a slow one", d)
		}
		if d := waited(newest); d != 0 {
			t.Errorf("it waited %v more", d)
		}
		leaveOldest()
		leaveMiddle = q.enter(middle)
		go func() {
			time.Sleep(300 * time.Millisecond)
			leaveMiddle()
		}()
		if d := waited(newest); d != 300*time.Millisecond {
			t.Errorf("it waited %v for one that was done after 300 ms", d)
		}
	})
}
