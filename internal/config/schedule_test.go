package config

import (
	"testing"
	"time"

	"pulih/internal/sop"
)

func schedule(t *testing.T, spec string) Schedule {
	t.Helper()
	zone, err := time.LoadLocation("Asia/Jayapura")
	if err != nil {
		t.Fatal(err)
	}
	calendar, err := sop.NewCalendar(zone, sop.ShippedHours(), sop.ShippedClosedDays())
	if err != nil {
		t.Fatal(err)
	}
	var s Schedule
	if err := s.set(spec); err != nil {
		t.Fatal(err)
	}
	s.on(calendar)
	return s
}

func TestSchedulesFollowTheAgencysDay(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ why, spec, after, want string }{
		{"cron fields are in the agency's zone", "45 7 * * 1-5", "2026-11-20T00:00:00+09:00", "2026-11-20T07:45:00+09:00"},
		{"a firing isn't repeated", "45 7 * * 1-5", "2026-11-20T07:45:00+09:00", "2026-11-23T07:45:00+09:00"},
		{"Thursday closes at 16.00", "close-15m", "2026-11-19T08:00:00+09:00", "2026-11-19T15:45:00+09:00"},
		{"Friday closes at 16.30", "close-15m", "2026-11-20T08:00:00+09:00", "2026-11-20T16:15:00+09:00"},
		{"over the weekend", "close-15m", "2026-11-20T16:15:00+09:00", "2026-11-23T15:45:00+09:00"},
		{"Ramadan closes at 15.00", "close-15m", "2026-02-23T08:00:00+09:00", "2026-02-23T14:45:00+09:00"},
		{"Ramadan opens at 08.00", "open+15m", "2026-02-23T07:45:00+09:00", "2026-02-23T08:15:00+09:00"},
		{"25 December is closed, and the weekend", "open", "2026-12-24T12:00:00+09:00", "2026-12-28T07:30:00+09:00"},
		{"an instant in another zone", "open", "2026-11-19T22:00:00Z", "2026-11-20T07:30:00+09:00"},
		{"off", "off", "2026-11-20T00:00:00+09:00", "2200-01-01T00:00:00Z"},
		{"no calendar beyond 2027", "open", "2028-03-01T00:00:00+09:00", "2200-01-01T00:00:00Z"},
	} {
		after, err := time.Parse(time.RFC3339, c.after)
		if err != nil {
			t.Fatal(err)
		}
		if got := schedule(t, c.spec).Next(after); got.Format(time.RFC3339) != c.want {
			t.Errorf("%s: %s after %s comes at %s, expected %s", c.why, c.spec, c.after, got.Format(time.RFC3339), c.want)
		}
	}
}

func TestWindowsGoOverTheWeekend(t *testing.T) {
	t.Parallel()
	var w Window
	if err := w.set("sat-mon 08.00-12.00"); err != nil {
		t.Fatal(err)
	}
	open := ""
	for d := range 7 { // 2026-11-16 is a Monday
		if w.Open(time.Date(2026, 11, 16+d, 11, 59, 59, 0, time.UTC)) {
			open += weekdays[(1+d)%7] + " "
		}
		if w.Open(time.Date(2026, 11, 16+d, 12, 0, 0, 0, time.UTC)) || w.Open(time.Date(2026, 11, 16+d, 7, 59, 59, 0, time.UTC)) {
			t.Errorf("open outside its hours")
		}
	}
	if open != "mon sat sun " {
		t.Errorf("open on %s", open)
	}
}
