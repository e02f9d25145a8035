package sop

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Date is a day without a clock or a zone. The zero Date is no day.
type Date struct {
	Year  int
	Month time.Month
	Day   int
}

// ParseDate reads "2026-02-19", for the years 2000 to 2199.
func ParseDate(s string) (Date, error) {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil || t.Year() < 2000 || t.Year() > 2199 {
		return Date{}, fmt.Errorf("%q is no day between 2000 and 2199; expected e.g. 2026-02-19", s)
	}
	return DateOf(t), nil
}

// DateOf is the day on which t falls, in t's own zone.
func DateOf(t time.Time) Date {
	y, m, d := t.Date()
	return Date{y, m, d}
}

func (d Date) String() string { return fmt.Sprintf("%04d-%02d-%02d", d.Year, d.Month, d.Day) }

// IsZero reports whether d is no day.
func (d Date) IsZero() bool { return d == Date{} }

// Before reports whether d comes before e.
func (d Date) Before(e Date) bool { return d.number() < e.number() }

// at is the instant m minutes after midnight; the zone's offset of that moment counts.
func (d Date) at(m int, zone *time.Location) time.Time {
	return time.Date(d.Year, d.Month, d.Day, 0, m, 0, 0, zone)
}

func (d Date) next() Date { return DateOf(time.Date(d.Year, d.Month, d.Day+1, 0, 0, 0, 0, time.UTC)) }

func (d Date) weekday() time.Weekday { return d.at(0, time.UTC).Weekday() }

// number counts days, so that dates can be compared and subtracted.
func (d Date) number() int { return int(d.at(0, time.UTC).Unix() / (24 * 60 * 60)) }

// Interval is a span within a day, in minutes after midnight, local time: 0 <= From < To <= 1440. From is in it, To no longer.
type Interval struct{ From, To int }

// ParseIntervals reads "07.30-12.00, 13.00-16.00"; colons do as well. Empty text is no interval. They must be in order and not overlap.
func ParseIntervals(s string) ([]Interval, error) {
	if strings.TrimSpace(s) == "" {
		return nil, nil
	}
	var out []Interval
	for part := range strings.SplitSeq(s, ",") {
		from, to, ok := strings.Cut(part, "-")
		f, okf := minutes(from)
		t, okt := minutes(to)
		if !ok || !okf || !okt {
			return nil, fmt.Errorf("%q are no hours; expected e.g. 07.30-12.00, 13.00-16.00", strings.TrimSpace(part))
		}
		out = append(out, Interval{f, t})
	}
	return out, checkIntervals(out)
}

func minutes(s string) (int, bool) {
	h, m, ok := strings.Cut(strings.ReplaceAll(strings.TrimSpace(s), ":", "."), ".")
	if !ok || len(h) == 0 || len(h) > 2 || len(m) != 2 {
		return 0, false
	}
	hours, err1 := strconv.ParseUint(h, 10, 8)
	mins, err2 := strconv.ParseUint(m, 10, 8)
	total := int(hours*60 + mins)
	return total, err1 == nil && err2 == nil && mins < 60 && total <= 24*60
}

func checkIntervals(list []Interval) error {
	end := 0
	for _, i := range list {
		switch {
		case i.From < 0 || i.To > 24*60 || i.From >= i.To:
			return fmt.Errorf("hours %s are impossible; expected an end after the start, within one day", i)
		case i.From < end:
			return fmt.Errorf("hours %s begin before those in front of them end; expected hours in their order", i)
		}
		end = i.To
	}
	return nil
}

func (i Interval) String() string {
	return fmt.Sprintf("%02d.%02d-%02d.%02d", i.From/60, i.From%60, i.To/60, i.To%60)
}

// Hours is a rule of office hours. A weekday that Days doesn't name is closed.
type Hours struct {
	Name     string // "biasa", "Ramadan 1447 H"
	From, To Date   // the first and the last day; both zero for the usual hours
	Days     map[time.Weekday][]Interval
}

func (h Hours) usual() bool { return h.From.IsZero() && h.To.IsZero() }

func (h Hours) covers(d Date) bool {
	return h.usual() || (!d.Before(h.From) && !h.To.Before(d))
}

// width is the number of days that the rule spans, for "the narrower rule wins".
func (h Hours) width() int {
	if h.usual() {
		return 1 << 30
	}
	return h.To.number() - h.From.number() + 1
}

func (h Hours) check() error {
	switch {
	case h.From.IsZero() != h.To.IsZero():
		return fmt.Errorf("hours %q: one of the two dates is missing; expected both or none", h.Name)
	case h.To.Before(h.From):
		return fmt.Errorf("hours %q: the last day %s is before the first day %s", h.Name, h.To, h.From)
	}
	open := false
	for _, day := range h.Days {
		if err := checkIntervals(day); err != nil {
			return fmt.Errorf("hours %q: %w", h.Name, err)
		}
		open = open || len(day) > 0
	}
	if !open && h.usual() {
		return fmt.Errorf("hours %q: the office never opens; expected hours for one weekday at least", h.Name)
	}
	return nil
}

// hoursOn are the intervals of a day: from the narrowest rule that covers it, the later one in the list among equals.
func hoursOn(rules []Hours, d Date) []Interval {
	best := -1
	for i, h := range rules {
		if h.covers(d) && (best < 0 || h.width() <= rules[best].width()) {
			best = i
		}
	}
	if best < 0 {
		return nil
	}
	return rules[best].Days[d.weekday()]
}

// intersect keeps the time that is in both lists.
func intersect(a, b []Interval) []Interval {
	var out []Interval
	for _, x := range a {
		for _, y := range b {
			if from, to := max(x.From, y.From), min(x.To, y.To); from < to {
				out = append(out, Interval{from, to})
			}
		}
	}
	slices.SortFunc(out, func(x, y Interval) int { return x.From - y.From })
	return out
}

// ShippedHours are the hours of service.md, "Office hours": an assumption of ours that adds up to the weeks of Perpres 21/2023, 37 h 30 min
// and 32 h 30 min in Ramadan.
func ShippedHours() []Hours {
	week := func(monToThu, friday []Interval) map[time.Weekday][]Interval {
		return map[time.Weekday][]Interval{
			time.Monday: monToThu, time.Tuesday: monToThu, time.Wednesday: monToThu, time.Thursday: monToThu, time.Friday: friday,
		}
	}
	usual := week(
		[]Interval{{7*60 + 30, 12 * 60}, {13 * 60, 16 * 60}},
		[]Interval{{7*60 + 30, 11*60 + 30}, {13 * 60, 16*60 + 30}})
	ramadan := week(
		[]Interval{{8 * 60, 12 * 60}, {12*60 + 30, 15 * 60}},
		[]Interval{{8 * 60, 11*60 + 30}, {12*60 + 30, 15*60 + 30}})
	return []Hours{
		{Name: "biasa", Days: usual},
		{Name: "Ramadan 1447 H", From: Date{2026, time.February, 19}, To: Date{2026, time.March, 20}, Days: ramadan},
		{Name: "Ramadan 1448 H", From: Date{2027, time.February, 8}, To: Date{2027, time.March, 9}, Days: ramadan},
	}
}
