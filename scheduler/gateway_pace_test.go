package scheduler

import (
	"testing"
	"time"

	"pulih/internal/agency"
	"pulih/internal/config"
	"pulih/internal/sop"
)

// Polls come slower outside office hours, until the minute when they begin, and faster for a while after a change.
func TestThePaceOfPolls(t *testing.T) {
	t.Parallel()
	zone := time.FixedZone("WIB", 7*3600)
	at := func(clock string) time.Time {
		v, err := time.ParseInLocation("2006-01-02 15:04", clock, zone)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	for _, c := range []struct {
		name, now string
		poll      time.Duration
		changed   time.Duration // ago
		want      time.Duration
	}{
		{"in office hours", "2026-11-23 09:00", time.Minute, time.Hour, time.Minute},
		{"after a change", "2026-11-23 09:00", time.Minute, time.Minute, 15 * time.Second},
		{"after a change, at night", "2026-11-23 22:00", time.Minute, time.Minute, 15 * time.Second},
		{"after a change, never more than every 5 s", "2026-11-23 09:00", 10 * time.Second, time.Minute, 5 * time.Second},
		{"after a change, as often as was asked for", "2026-11-23 09:00", 2 * time.Second, time.Minute, 2 * time.Second},
		{"some time after a change", "2026-11-23 09:00", time.Minute, 6 * time.Minute, time.Minute},
		{"at night", "2026-11-23 22:00", time.Minute, time.Hour, 5 * time.Minute},
		{"on Sunday", "2026-11-22 10:00", time.Minute, time.Hour, 5 * time.Minute},
		{"at lunch", "2026-11-23 12:30", time.Minute, time.Hour, 5 * time.Minute},
		{"shortly before the office opens", "2026-11-23 07:28", time.Minute, time.Hour, 2 * time.Minute},
		{"at the last minute", "2026-11-23 07:29", 5 * time.Minute, time.Hour, 5 * time.Minute},
	} {
		now := at(c.now)
		d := &Daemon{now: func() time.Time { return now }}
		tn := &tenant{&agency.Agency{Calendar: sop.ShippedCalendar(zone), Zone: zone}, &connections{conf: &config.Tenant{Srikandi: &config.Srikandi{Poll: c.poll}}}}
		if got := d.pace(tn, now.Add(-c.changed)); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

// A deleted letter is noticed within minutes while people work on it, and within the hour otherwise.
func TestOpenLettersAreAskedForInOfficeHours(t *testing.T) {
	t.Parallel()
	zone := time.FixedZone("WIB", 7*3600)
	tn := &tenant{&agency.Agency{Calendar: sop.ShippedCalendar(zone), Zone: zone}, nil}
	for at, want := range map[time.Time]time.Duration{
		time.Date(2026, 11, 23, 9, 0, 0, 0, zone):  5 * time.Minute,
		time.Date(2026, 11, 23, 22, 0, 0, 0, zone): time.Hour,
		time.Date(2026, 11, 22, 9, 0, 0, 0, zone):  time.Hour,
	} {
		d := &Daemon{now: func() time.Time { return at }}
		if got := d.askEvery(tn); got != want {
			t.Errorf("%s: %s, want %s", at, got, want)
		}
	}
}
