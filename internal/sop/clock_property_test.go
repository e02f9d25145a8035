package sop

import (
	"errors"
	"flag"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// check gives each property 100,000 cases instead of 100 when PULIH_SOAK is set.
func check(t *testing.T, property func(*rapid.T)) {
	t.Helper()
	soak.Do(func() {
		if os.Getenv("PULIH_SOAK") == "" {
			return
		}
		if err := flag.Set("rapid.checks", "100000"); err != nil {
			panic(err)
		}
	})
	rapid.Check(t, property)
}

var soak sync.Once

var zones = []string{"Asia/Jakarta", "Asia/Makassar", "Asia/Jayapura"}

func calendars(t testing.TB) []*Calendar {
	var out []*Calendar
	for _, name := range zones {
		out = append(out, ShippedCalendar(zone(t, name)))
	}
	return out
}

// drawInstant stays far enough from the ends of 2026 and 2027 for every drawn norm; about one in three lies near a Ramadan, a long row of
// closed days or the turn of the year.
func drawInstant(t *rapid.T, label string) time.Time {
	from, to := time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC), time.Date(2027, 10, 1, 0, 0, 0, 0, time.UTC)
	near := []time.Time{
		time.Date(2026, 2, 18, 0, 0, 0, 0, time.UTC), time.Date(2026, 3, 17, 0, 0, 0, 0, time.UTC), time.Date(2026, 12, 30, 0, 0, 0, 0, time.UTC),
		time.Date(2027, 2, 4, 0, 0, 0, 0, time.UTC), time.Date(2027, 3, 5, 0, 0, 0, 0, time.UTC),
	}
	if rapid.IntRange(0, 2).Draw(t, label+" near") == 0 {
		from = rapid.SampledFrom(near).Draw(t, label+" day")
		to = from.Add(9 * 24 * time.Hour)
	}
	return from.Add(time.Duration(rapid.Int64Range(0, int64(to.Sub(from))).Draw(t, label)))
}

// drawPauses come in any order and may overlap, be empty or lie outside; the last one may be open.
func drawPauses(t *rapid.T, around time.Time) []Pause {
	var out []Pause
	for range rapid.IntRange(0, 4).Draw(t, "pauses") {
		from := around.Add(time.Duration(rapid.Int64Range(-int64(2*Day), int64(10*Day)).Draw(t, "pause after")))
		out = append(out, Pause{from, from.Add(time.Duration(rapid.Int64Range(0, int64(4*Day)).Draw(t, "pause length")))})
	}
	if rapid.IntRange(0, 4).Draw(t, "open pause") == 0 {
		out = append(out, Pause{From: around.Add(time.Duration(rapid.Int64Range(0, int64(10*Day)).Draw(t, "open after")))})
	}
	return out
}

func drawNorm(t *rapid.T) Norm {
	kind := rapid.SampledFrom([]ClockKind{Working, Elapsed}).Draw(t, "kind")
	if rapid.IntRange(0, 3).Draw(t, "in days") == 0 {
		return Norm{Days: rapid.IntRange(1, 30).Draw(t, "days"), Clock: kind}
	}
	return Norm{Length: time.Duration(rapid.Int64Range(1, int64(60*time.Hour)).Draw(t, "length")), Clock: kind}
}

func TestInvariant9TimeUsedPlusTimeLeftIsTheNorm(t *testing.T) {
	t.Parallel()
	cals := calendars(t)
	check(t, func(t *rapid.T) {
		c := cals[rapid.IntRange(0, len(cals)-1).Draw(t, "zone")]
		start := drawInstant(t, "start")
		clock := Clock{Start: start, Norm: drawNorm(t), Pauses: drawPauses(t, start)}
		if rapid.Bool().Draw(t, "ended") {
			clock.End = drawInstant(t, "end")
		}
		r, err := c.Read(clock, drawInstant(t, "at"))
		if err != nil {
			t.Fatal(err)
		}
		_, norm := clock.Norm.Measure()
		if r.Used+r.Left != norm {
			t.Fatalf("used %v + left %v is not %v", r.Used, r.Left, norm)
		}
		if r.Used < 0 {
			t.Fatalf("used %v", r.Used)
		}
		if over := r.State == Over || r.State == Broken; over != (r.Left < 0) {
			t.Fatalf("%s with %v left", r.State, r.Left)
		}
	})
}

func TestTimeUsedAddsUp(t *testing.T) {
	t.Parallel()
	cals := calendars(t)
	check(t, func(t *rapid.T) {
		c := cals[rapid.IntRange(0, len(cals)-1).Draw(t, "zone")]
		at := []time.Time{drawInstant(t, "a"), drawInstant(t, "b"), drawInstant(t, "c")}
		slices.SortFunc(at, time.Time.Compare)
		kind := rapid.SampledFrom([]ClockKind{Working, Elapsed, WorkingDays}).Draw(t, "kind")
		pauses := drawPauses(t, at[0])
		used := func(from, to time.Time) time.Duration {
			d, err := c.Used(kind, from, to, pauses)
			if err != nil {
				t.Fatal(err)
			}
			return d
		}
		ab, bc, ac := used(at[0], at[1]), used(at[1], at[2]), used(at[0], at[2])
		rounded := time.Duration(0)
		if kind == WorkingDays {
			rounded = time.Millisecond
		}
		if ab+bc > ac || ab+bc < ac-rounded {
			t.Fatalf("%v + %v is not %v", ab, bc, ac)
		}
		if ab < 0 || bc < 0 {
			t.Fatalf("time runs backwards: %v, %v", ab, bc)
		}
		if kind != WorkingDays && ac > at[2].Sub(at[0]) {
			t.Fatalf("%v used in %v", ac, at[2].Sub(at[0]))
		}
		if used(at[1], at[0]) != 0 {
			t.Fatal("time was used before the start")
		}
	})
}

func TestDueIsTheEarliestInstantAtWhichTheNormIsUsed(t *testing.T) {
	t.Parallel()
	cals := calendars(t)
	check(t, func(t *rapid.T) {
		c := cals[rapid.IntRange(0, len(cals)-1).Draw(t, "zone")]
		start := drawInstant(t, "start")
		norm, pauses := drawNorm(t), drawPauses(t, start)
		kind, amount := norm.Measure()
		due, err := c.Due(norm, start, pauses)
		if errors.Is(err, ErrPaused) {
			before, err := c.Used(kind, start, start.Add(60*Day), pauses)
			if err != nil || before >= amount {
				t.Fatalf("paused, though %v of %v is used", before, amount)
			}
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		at, err := c.Used(kind, start, due, pauses)
		if err != nil {
			t.Fatal(err)
		}
		if at != amount {
			t.Fatalf("%v is used at the end of a norm of %v", at, amount)
		}
		before, err := c.Used(kind, start, due.Add(-1), pauses)
		if err != nil || before >= amount {
			t.Fatalf("a nanosecond before its end %v of %v is used (%v)", before, amount, err)
		}
	})
}

func TestMorePausesNeverBringTheEndNearer(t *testing.T) {
	t.Parallel()
	cals := calendars(t)
	check(t, func(t *rapid.T) {
		c := cals[rapid.IntRange(0, len(cals)-1).Draw(t, "zone")]
		start := drawInstant(t, "start")
		norm, pauses := drawNorm(t), drawPauses(t, start)
		more := append(slices.Clone(pauses), drawPauses(t, start)...)
		due, err1 := c.Due(norm, start, pauses)
		later, err2 := c.Due(norm, start, more)
		if errors.Is(err2, ErrPaused) || errors.Is(err2, ErrNoCalendar) {
			return
		}
		if err1 != nil || err2 != nil || later.Before(due) {
			t.Fatalf("%v (%v) without, %v (%v) with more pauses", due, err1, later, err2)
		}
		longer := norm
		longer.Length += time.Minute
		if norm.Days == 0 {
			if d, err := c.Due(longer, start, pauses); err == nil && !d.After(due) {
				t.Fatalf("a longer norm ends at %v, the shorter at %v", d, due)
			}
		}
	})
}

func TestPausesMayComeInAnyOrderAndZone(t *testing.T) {
	t.Parallel()
	cals := calendars(t)
	check(t, func(t *rapid.T) {
		c := cals[rapid.IntRange(0, len(cals)-1).Draw(t, "zone")]
		start := drawInstant(t, "start")
		clock := Clock{Start: start, Norm: drawNorm(t), Pauses: drawPauses(t, start)}
		at := drawInstant(t, "at")
		r, err := c.Read(clock, at)
		if err != nil {
			t.Fatal(err)
		}
		elsewhere := time.FixedZone("elsewhere", rapid.IntRange(-12*3600, 14*3600).Draw(t, "offset"))
		clock.Start = start.In(elsewhere)
		kept := slices.Clone(clock.Pauses)
		clock.Pauses = rapid.Permutation(clock.Pauses).Draw(t, "order")
		shuffled := slices.Clone(clock.Pauses)
		again, err := c.Read(clock, at.In(elsewhere))
		if err != nil || again != r {
			t.Fatalf("%+v, then %+v (%v), from pauses %v", r, again, err, kept)
		}
		if !slices.Equal(clock.Pauses, shuffled) {
			t.Fatal("the caller's pauses were changed")
		}
	})
}
