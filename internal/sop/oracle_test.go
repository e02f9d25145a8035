package sop

import (
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// oracle is the slow way to count: it asks of each minute of 2026 and 2027 whether the office is open, in the words of the office's own
// table, and shares nothing with Calendar but the file of closed days.
type oracle struct {
	first time.Time
	open  []bool
	day   []int // minutes that the office is open on the minute's day
}

func newOracle(t testing.TB, zone *time.Location) *oracle {
	t.Helper()
	data, err := os.ReadFile("data/holidays.csv")
	if err != nil {
		t.Fatal(err)
	}
	closed := map[string]bool{}
	for line := range strings.Lines(string(data)) {
		date, _, _ := strings.Cut(line, ",")
		closed[date] = true
	}
	o := &oracle{first: time.Date(2026, 1, 1, 0, 0, 0, 0, zone)}
	perDay := map[string]int{}
	var dates []string
	for at := o.first; at.Year() < 2028; at = at.Add(time.Minute) {
		date := at.Format(time.DateOnly)
		open := !closed[date] && openInWords(at.Weekday(), date, at.Format("15.04"))
		o.open = append(o.open, open)
		dates = append(dates, date)
		if open {
			perDay[date]++
		}
	}
	for _, date := range dates {
		o.day = append(o.day, perDay[date])
	}
	return o
}

func openInWords(weekday time.Weekday, date, clock string) bool {
	within := func(from, to string) bool { return clock >= from && clock < to }
	ramadan := date >= "2026-02-19" && date <= "2026-03-20" || date >= "2027-02-08" && date <= "2027-03-09"
	switch {
	case weekday == time.Saturday || weekday == time.Sunday:
		return false
	case weekday == time.Friday && ramadan:
		return within("08.00", "11.30") || within("12.30", "15.30")
	case weekday == time.Friday:
		return within("07.30", "11.30") || within("13.00", "16.30")
	case ramadan:
		return within("08.00", "12.00") || within("12.30", "15.00")
	}
	return within("07.30", "12.00") || within("13.00", "16.00")
}

// walk counts minute by minute from start until at, and notes when the norm was used up. On working days each open minute counts as its
// share of the day; the sum is a floating-point number, so the end is right to the minute.
func (o *oracle) walk(kind ClockKind, norm time.Duration, start, at int, pauses [][2]int) (used time.Duration, due int) {
	due = -1
	var sum, target, total float64
	target = norm.Minutes()
	if kind == WorkingDays {
		target = float64(norm) / float64(Day)
	}
	const dust = 1e-9
	for m := start; m < len(o.open); m++ {
		if m == at {
			total = sum
		}
		if due < 0 && sum > target-dust {
			due = m
		}
		if m >= at && due >= 0 {
			break
		}
		switch {
		case inPause(pauses, m):
		case kind == Elapsed:
			sum++
		case !o.open[m]:
		case kind == Working:
			sum++
		default:
			sum += 1 / float64(o.day[m])
		}
	}
	if kind == WorkingDays {
		return time.Duration(total * float64(Day)), due
	}
	return time.Duration(total * float64(time.Minute)), due
}

func inPause(pauses [][2]int, m int) bool {
	for _, p := range pauses {
		if m >= p[0] && m < p[1] {
			return true
		}
	}
	return false
}

func TestClocksAgreeWithCountingMinutes(t *testing.T) {
	t.Parallel()
	cals := calendars(t)
	var oracles []*oracle
	for _, c := range cals {
		oracles = append(oracles, newOracle(t, c.Zone))
	}
	check(t, func(t *rapid.T) {
		i := rapid.IntRange(0, len(cals)-1).Draw(t, "zone")
		c, o := cals[i], oracles[i]
		instant := func(m int) time.Time { return o.first.Add(time.Duration(m) * time.Minute) }
		norm := Norm{Length: time.Duration(rapid.IntRange(1, 3000).Draw(t, "minutes")) * time.Minute, Clock: Working}
		switch rapid.IntRange(0, 3).Draw(t, "kind") {
		case 0:
			norm.Clock = Elapsed
		case 1:
			norm = Norm{Days: rapid.IntRange(1, 30).Draw(t, "days"), Clock: Working}
		}
		start := int(drawInstant(t, "start").Sub(o.first) / time.Minute)
		at := start + rapid.IntRange(0, 40*24*60).Draw(t, "at")
		var pauses [][2]int
		var clock = Clock{Start: instant(start), Norm: norm}
		for range rapid.IntRange(0, 3).Draw(t, "pauses") {
			from := start + rapid.IntRange(-500, 20000).Draw(t, "pause")
			p := [2]int{from, from + rapid.IntRange(0, 6000).Draw(t, "length")}
			pauses = append(pauses, p)
			clock.Pauses = append(clock.Pauses, Pause{instant(p[0]), instant(p[1])})
		}

		kind, length := norm.Measure()
		used, due := o.walk(kind, length, start, at, pauses)
		r, err := c.Read(clock, instant(at))
		if due < 0 {
			if !errors.Is(err, ErrNoCalendar) && kind != Elapsed {
				t.Fatalf("the norm isn't used up by the end of 2027, but %+v, %v", r, err)
			}
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		if off := (r.Used - used).Abs(); off > time.Millisecond {
			t.Fatalf("used %v, minutes say %v", r.Used, used)
		}
		// Ramadan's minutes are no whole share of a day: such a norm ends within the last minute that was counted.
		if early := instant(due).Sub(r.Due); early < 0 || early >= time.Minute || (kind != WorkingDays && early != 0) {
			t.Fatalf("due %v, minutes say %v", r.Due, instant(due))
		}
	})
}
