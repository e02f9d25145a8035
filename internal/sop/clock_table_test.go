package sop

import (
	"errors"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
	_ "time/tzdata"
)

// TestClocksByHand holds the program to testdata/clocks.md, which an official can check with a pencil.
func TestClocksByHand(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("testdata/clocks.md")
	if err != nil {
		t.Fatal(err)
	}
	var calendar *Calendar
	rows := 0
	for line := range strings.Lines(string(data)) {
		if heading, ok := strings.CutPrefix(line, "## "); ok {
			calendar = calendarOf(t, heading)
		}
		cells := strings.Split(line, "|")
		if len(cells) != 12 {
			continue
		}
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		if _, err := strconv.Atoi(cells[1]); err != nil {
			continue // the head of the table
		}
		rows++
		cal := calendar
		t.Run(cells[1]+" "+cells[10], func(t *testing.T) { checkRow(t, cal, cells) })
	}
	if rows < 60 {
		t.Errorf("%d rows were read, expected at least 60", rows)
	}
}

func calendarOf(t *testing.T, heading string) *Calendar {
	t.Helper()
	_, name, _ := strings.Cut(strings.TrimSpace(heading), "(")
	closed := ShippedClosedDays()
	if strings.HasPrefix(heading, "Hari setengah") {
		closed = append(closed,
			ClosedDay{Date: Date{2026, time.December, 31}, Kind: Local, Name: "Hari setengah", Open: []Interval{{7*60 + 30, 11 * 60}}},
			ClosedDay{Date: Date{2026, time.November, 30}, Kind: Local, Name: "Hari jadi"})
	}
	c, err := NewCalendar(zone(t, strings.TrimSuffix(name, ")")), ShippedHours(), closed)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func checkRow(t *testing.T, c *Calendar, cells []string) {
	start := handTime(t, c.Zone, cells[2])
	text, wall := strings.CutSuffix(cells[3], " dinding")
	kind := Working
	if wall {
		kind = Elapsed
	}
	norm, err := ParseNorm(text, kind)
	if err != nil {
		t.Fatal(err)
	}
	clock := Clock{Start: start, Norm: norm, Pauses: handPauses(t, c.Zone, cells[4])}

	due, err := c.Due(norm, start, clock.Pauses)
	switch cells[5] {
	case "ditolak":
		if !errors.Is(err, ErrNoCalendar) {
			t.Fatalf("due %v, %v; expected ErrNoCalendar", due, err)
		}
		return
	case "belum diketahui":
		if !errors.Is(err, ErrPaused) || !due.IsZero() {
			t.Fatalf("due %v, %v; expected ErrPaused", due, err)
		}
	default:
		if want := handTime(t, c.Zone, cells[5]); err != nil || !due.Equal(want) {
			t.Errorf("due %v, %v; expected %v", due, err, want)
		}
		if due.Location() != c.Zone {
			t.Errorf("due is told in %v, expected %v", due.Location(), c.Zone)
		}
	}

	if cells[6] == "-" {
		return
	}
	r, err := c.Read(clock, handTime(t, c.Zone, cells[6]))
	if err != nil {
		t.Fatal(err)
	}
	if want := handLength(t, cells[7]); r.Used != want {
		t.Errorf("used %v, expected %v", r.Used, want)
	}
	if want := handLength(t, cells[8]); r.Left != want {
		t.Errorf("left %v, expected %v", r.Left, want)
	}
	if r.State.Title() != cells[9] {
		t.Errorf("state %q, expected %q", r.State.Title(), cells[9])
	}
}

var weekdays = []string{"Min", "Sen", "Sel", "Rab", "Kam", "Jum", "Sab"}

// handTime reads "Jum 20-11-2026 15.00", and holds the weekday to the date; or RFC 3339.
func handTime(t *testing.T, zone *time.Location, s string) time.Time {
	t.Helper()
	if at, err := time.Parse(time.RFC3339, s); err == nil {
		return at
	}
	weekday, rest, _ := strings.Cut(s, " ")
	at, err := time.ParseInLocation("02-01-2006 15.04", rest, zone)
	if err != nil {
		t.Fatal(err)
	}
	if weekdays[at.Weekday()] != weekday {
		t.Fatalf("%s is a %s", s, weekdays[at.Weekday()])
	}
	return at
}

func handPauses(t *testing.T, zone *time.Location, s string) []Pause {
	t.Helper()
	var out []Pause
	for part := range strings.SplitSeq(s, ";") {
		part = strings.TrimSpace(part)
		from, until, closed := strings.Cut(part, " s.d. ")
		switch {
		case part == "":
		case closed:
			out = append(out, Pause{handTime(t, zone, from), handTime(t, zone, until)})
		default:
			out = append(out, Pause{From: handTime(t, zone, strings.TrimPrefix(part, "sejak "))})
		}
	}
	return out
}

// handLength reads "-1 jam 30 menit" and, for norms in working days, "0,5 hari".
func handLength(t *testing.T, s string) time.Duration {
	t.Helper()
	s, negative := strings.CutPrefix(s, "-")
	words := strings.Fields(s)
	var d time.Duration
	for i := 0; i+1 < len(words); i += 2 {
		n, err := strconv.ParseFloat(strings.ReplaceAll(words[i], ",", "."), 64)
		unit := map[string]time.Duration{"hari": Day, "jam": time.Hour, "menit": time.Minute}[words[i+1]]
		if err != nil || unit == 0 {
			t.Fatalf("%q is no length", s)
		}
		d += time.Duration(n * float64(unit))
	}
	if negative {
		return -d
	}
	return d
}

func zone(t testing.TB, name string) *time.Location {
	t.Helper()
	z, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}
