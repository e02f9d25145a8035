package config

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"pulih/internal/sop"
)

// Date is a day of the calendar.
type Date struct{ sop.Date }

func (d *Date) set(text string) error {
	day, err := sop.ParseDate(text)
	if err != nil {
		return fmt.Errorf("%q is no day between 2000 and 2199; expected e.g. 2026-11-16", text)
	}
	d.Date = day
	return nil
}

// In is the first instant of the day in a zone.
func (d Date) In(zone *time.Location) time.Time {
	return time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, zone)
}

// End is the first instant of the day after.
func (d Date) End(zone *time.Location) time.Time {
	return time.Date(d.Year, d.Month, d.Day+1, 0, 0, 0, 0, zone)
}

// Size is a number of bytes.
type Size int64

func (s *Size) set(text string) error {
	for _, unit := range []struct {
		name  string
		bytes int64
	}{{"KB", 1 << 10}, {"MB", 1 << 20}, {"GB", 1 << 30}} {
		if n, ok := strings.CutSuffix(text, unit.name); ok {
			v, err := strconv.ParseUint(strings.TrimSpace(n), 10, 20)
			if err == nil {
				*s = Size(int64(v) * unit.bytes)
				return nil
			}
		}
	}
	return fmt.Errorf("%q is no size; expected e.g. 35MB", text)
}

// Intervals are the open hours of a day.
type Intervals struct{ List []sop.Interval }

func (i *Intervals) set(text string) error {
	if text == "closed" {
		return nil
	}
	list, err := sop.ParseIntervals(text)
	if err != nil {
		return fmt.Errorf("%q are no hours of a day in their order; expected e.g. \"07.30-12.00, 13.00-16.00\", or closed", text)
	}
	i.List = list
	return nil
}

// Window is a span of some weekdays.
type Window struct {
	Days  [7]bool // by time.Weekday
	Hours sop.Interval
}

var weekdays = []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

func (w *Window) set(text string) error {
	days, hours, ok := strings.Cut(text, " ")
	if !ok { // no days: every day
		days, hours = "sun-sat", text
	}
	list, err := sop.ParseIntervals(hours)
	if err != nil || len(list) != 1 || !w.setDays(days) {
		return fmt.Errorf("%q is no window; expected days and hours, e.g. mon-fri 07.30-21.00", text)
	}
	w.Hours = list[0]
	return nil
}

func (w *Window) setDays(text string) bool {
	first, last, span := strings.Cut(text, "-")
	if !span {
		last = first
	}
	a, b := weekday(first), weekday(last)
	if a < 0 || b < 0 {
		return false
	}
	for d := a; ; d = (d + 1) % 7 { // sat-mon goes over Sunday
		w.Days[d] = true
		if d == b {
			return true
		}
	}
}

func weekday(name string) int {
	for i, w := range weekdays {
		if w == strings.ToLower(name) {
			return i
		}
	}
	return -1
}

// Open reports whether the window holds the instant, in the instant's own zone.
func (w Window) Open(at time.Time) bool {
	minute := at.Hour()*60 + at.Minute()
	return w.Days[at.Weekday()] && minute >= w.Hours.From && minute < w.Hours.To
}
