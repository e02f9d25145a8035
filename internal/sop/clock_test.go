package sop

import (
	"testing"
	"time"
)

func TestAClockThatEndedIsKeptOrBroken(t *testing.T) {
	t.Parallel()
	c := jakarta(t)
	clock := Clock{Start: at(t, c, "2026-11-16 15.00"), Norm: Norm{Length: time.Hour, Clock: Working}}
	for _, w := range []struct {
		end, at string
		want    ClockState
		used    time.Duration
	}{
		{"2026-11-16 15.40", "2026-11-20 09.00", Kept, 40 * time.Minute},
		{"2026-11-16 16.00", "2026-11-20 09.00", Kept, time.Hour},
		{"2026-11-16 19.00", "2026-11-20 09.00", Kept, time.Hour}, // after hours no time is used
		{"2026-11-17 07.30", "2026-11-20 09.00", Kept, time.Hour},
		{"2026-11-17 07.31", "2026-11-20 09.00", Broken, 61 * time.Minute},
		{"2026-11-17 07.31", "2026-11-17 07.31", Broken, 61 * time.Minute},
		{"2026-11-17 07.31", "2026-11-16 15.30", Running, 30 * time.Minute}, // as it could be told then
		{"2026-11-16 14.00", "2026-11-20 09.00", Kept, 0},                   // a source whose clock is behind
	} {
		clock.End = at(t, c, w.end)
		r, err := c.Read(clock, at(t, c, w.at))
		if err != nil || r.State != w.want || r.Used != w.used || !r.Due.Equal(at(t, c, "2026-11-16 16.00")) {
			t.Errorf("ended %s, seen %s: %+v (%v), expected %s after %v", w.end, w.at, r, err, w.want, w.used)
		}
	}
}

func TestAPauseBeginsAtItsFirstInstantAndEndsBeforeItsLast(t *testing.T) {
	t.Parallel()
	c := jakarta(t)
	clock := Clock{Start: at(t, c, "2026-11-16 08.00"), Norm: Norm{Length: 150 * time.Minute, Clock: Working},
		Pauses: []Pause{{at(t, c, "2026-11-16 09.00"), at(t, c, "2026-11-16 10.00")}}}
	for seen, want := range map[string]ClockState{
		"2026-11-16 08.59": Running, "2026-11-16 09.00": Paused, "2026-11-16 09.59": Paused, "2026-11-16 10.00": Running,
	} {
		if r, err := c.Read(clock, at(t, c, seen)); err != nil || r.State != want {
			t.Errorf("at %s: %s (%v), expected %s", seen, r.State, err, want)
		}
	}
	clock.Pauses = []Pause{{From: at(t, c, "2026-11-16 09.00")}} // open: it isn't known when the norm ends, and that is no error
	r, err := c.Read(clock, at(t, c, "2026-11-18 09.00"))
	if err != nil || !r.Due.IsZero() || r.State != Paused || r.Used != time.Hour {
		t.Errorf("%+v (%v)", r, err)
	}
	if zero, err := c.Due(Norm{Clock: Working}, clock.Start.UTC(), nil); err != nil || !zero.Equal(clock.Start) {
		t.Errorf("a norm of nothing ends at %v (%v)", zero, err)
	}
}

func TestStatesInWords(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, s := range []ClockState{Running, Outside, Near, Paused, Over, Kept, Broken} {
		if title := s.Title(); title == string(s) || seen[title] {
			t.Errorf("%s is called %q", s, title)
		} else {
			seen[title] = true
		}
	}
}

// BenchmarkSweep reads 100,000 open clocks, as the sweep for due ones does: half of them paused once, one in ten in working days.
func BenchmarkSweep(b *testing.B) {
	c := jakarta(b)
	now := at(b, c, "2026-11-20 10.00")
	clocks := make([]Clock, 100_000)
	for i := range clocks {
		start := now.Add(-time.Duration(i) * 7 * time.Minute)
		if start.Year() < 2026 {
			start = now.Add(-time.Duration(i%1000) * time.Minute)
		}
		clocks[i] = Clock{Start: start, Norm: Norm{Length: 150 * time.Minute, Clock: Working}}
		if i%10 == 0 {
			clocks[i].Norm = Norm{Days: 20, Clock: Working}
		}
		if i%2 == 0 {
			clocks[i].Pauses = []Pause{{start.Add(time.Hour), start.Add(30 * time.Hour)}}
		}
	}
	for b.Loop() {
		for _, cl := range clocks {
			if _, err := c.Read(cl, now); err != nil {
				b.Fatal(err)
			}
		}
	}
}

func TestADayInRamadanEndsToTheMicrosecond(t *testing.T) {
	t.Parallel()
	c := jakarta(t)
	// One second of a usual day of 7 h 30 min is worth 13/15 s of a day of 6 h 30 min.
	due, err := c.Due(Norm{Days: 1, Clock: Working}, at(t, c, "2026-02-18 07.30").Add(time.Second), nil)
	if want := at(t, c, "2026-02-19 08.00").Add(866_667 * time.Microsecond); err != nil || !due.Equal(want) {
		t.Errorf("ends at %v (%v), expected %v", due, err, want)
	}
}
