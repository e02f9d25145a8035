package sop

import (
	"errors"
	"strings"
	"testing"
	"time"
)

func at(t testing.TB, c *Calendar, s string) time.Time {
	t.Helper()
	when, err := time.ParseInLocation("2006-01-02 15.04", s, c.Zone)
	if err != nil {
		t.Fatal(err)
	}
	return when
}

func jakarta(t testing.TB) *Calendar { return ShippedCalendar(zone(t, "Asia/Jakarta")) }

func TestTheShippedWeeksAreThoseOfTheDecree(t *testing.T) {
	t.Parallel()
	c := jakarta(t)
	for week, want := range map[string]time.Duration{
		"2026-11-16 00.00": 37*time.Hour + 30*time.Minute,
		"2026-03-02 00.00": 32*time.Hour + 30*time.Minute,
		"2027-02-15 00.00": 32*time.Hour + 30*time.Minute,
	} {
		monday := at(t, c, week)
		if got, err := c.Used(Working, monday, monday.AddDate(0, 0, 7), nil); err != nil || got != want {
			t.Errorf("the week of %s has %v (%v), expected %v", week, got, err, want)
		}
	}
}

func TestOfficeHoursOfADay(t *testing.T) {
	t.Parallel()
	c := jakarta(t)
	for _, w := range []struct{ day, opens, closes string }{
		{"2026-11-16 23.59", "07.30", "16.00"}, // Monday
		{"2026-11-20 00.00", "07.30", "16.30"}, // Friday
		{"2026-03-02 12.10", "08.00", "15.00"}, // Ramadan
		{"2026-03-06 12.10", "08.00", "15.30"}, // its Friday
		{"2026-11-21 10.00", "", ""},           // Saturday
		{"2026-12-25 10.00", "", ""},           // Christmas
		{"2028-01-03 10.00", "", ""},           // not covered
	} {
		day := at(t, c, w.day)
		hours := c.Hours(day)
		closes, open := c.CloseOfDay(day)
		if !open || len(hours) == 0 {
			if w.opens != "" || open || len(hours) > 0 {
				t.Errorf("%s: %v", w.day, hours)
			}
			continue
		}
		if got := hours[0].From.Format("15.04"); got != w.opens || len(hours) != 2 {
			t.Errorf("%s opens at %s, expected %s", w.day, got, w.opens)
		}
		if got := closes.Format("15.04"); got != w.closes {
			t.Errorf("%s closes at %s, expected %s", w.day, got, w.closes)
		}
	}
}

func TestOpenAndNextOpen(t *testing.T) {
	t.Parallel()
	c := jakarta(t)
	for _, w := range []struct {
		at   string
		open bool
		next string
	}{
		{"2026-11-16 07.29", false, "2026-11-16 07.30"},
		{"2026-11-16 07.30", true, "2026-11-16 07.30"},
		{"2026-11-16 11.59", true, "2026-11-16 11.59"},
		{"2026-11-16 12.00", false, "2026-11-16 13.00"},
		{"2026-11-20 16.30", false, "2026-11-23 07.30"},
		{"2026-03-17 15.00", false, "2026-03-25 07.30"},
		{"2026-12-31 20.00", false, "2027-01-04 07.30"},
	} {
		when := at(t, c, w.at)
		if c.Open(when) != w.open {
			t.Errorf("open at %s: %v", w.at, c.Open(when))
		}
		if next, err := c.NextOpen(when.UTC()); err != nil || !next.Equal(at(t, c, w.next)) || next.Location() != c.Zone {
			t.Errorf("after %s opens at %v (%v), expected %s", w.at, next, err, w.next)
		}
	}
	for _, late := range []string{"2027-12-31 16.30", "2028-06-01 09.00", "2025-12-31 15.00"} {
		if next, err := c.NextOpen(at(t, c, late)); !errors.Is(err, ErrNoCalendar) {
			t.Errorf("after %s opens at %v, %v", late, next, err)
		}
	}
}

func TestAYearWithoutClosedDaysIsRefused(t *testing.T) {
	t.Parallel()
	c := jakarta(t)
	if !c.Covers(2026) || !c.Covers(2027) || c.Covers(2025) || c.Covers(2028) {
		t.Error("the shipped calendar covers 2026 and 2027")
	}
	if ends := c.EndsAt(at(t, c, "2026-11-20 10.00")); !ends.Equal(at(t, c, "2028-01-01 00.00")) {
		t.Errorf("it ends at %v", ends)
	}
	if missing := at(t, c, "2025-11-20 10.00"); !c.EndsAt(missing).Equal(missing) {
		t.Errorf("in a year without data it ends at %v", c.EndsAt(missing))
	}
	_, err := c.Used(Working, at(t, c, "2027-12-30 10.00"), at(t, c, "2028-01-03 10.00"), nil)
	if !errors.Is(err, ErrNoCalendar) || !strings.Contains(err.Error(), "hari libur tahun 2028 tidak ada di kalender") {
		t.Errorf("counting into 2028: %v", err)
	}
	// A local day alone doesn't make a year known, and a gap between two known years isn't jumped.
	closed := append(ShippedClosedDays(),
		ClosedDay{Date: Date{2028, time.May, 1}, Kind: Local, Name: "Hari jadi"},
		ClosedDay{Date: Date{2029, time.January, 1}, Kind: National, Name: "Tahun Baru Masehi"})
	gap, err := NewCalendar(c.Zone, ShippedHours(), closed)
	if err != nil {
		t.Fatal(err)
	}
	if gap.Covers(2028) || !gap.Covers(2029) {
		t.Error("2028 has a local day only, 2029 a national one")
	}
	if due, err := gap.Due(Norm{Length: time.Hour, Clock: Working}, at(t, c, "2027-12-31 16.00"), nil); !errors.Is(err, ErrNoCalendar) {
		t.Errorf("an hour jumped over 2028 to %v (%v)", due, err)
	}
	if next, err := gap.NextOpen(at(t, c, "2027-12-31 16.30")); !errors.Is(err, ErrNoCalendar) {
		t.Errorf("the next opening jumped over 2028 to %v (%v)", next, err)
	}
	paused := []Pause{{at(t, c, "2027-12-30 10.00"), at(t, c, "2029-01-04 10.00")}}
	if due, err := gap.Due(Norm{Length: time.Hour, Clock: Working}, at(t, c, "2027-12-30 09.30"), paused); !errors.Is(err, ErrNoCalendar) {
		t.Errorf("a pause jumped over 2028 to %v (%v)", due, err)
	}
	if due, err := gap.Due(Norm{Length: time.Hour, Clock: Working}, at(t, c, "2027-12-30 09.00"), paused); err != nil {
		t.Errorf("an hour used up before the pause: %v (%v)", due, err)
	}
}

func TestTheNarrowerRuleOfHoursWins(t *testing.T) {
	t.Parallel()
	morning := func(from, to int) map[time.Weekday][]Interval {
		return map[time.Weekday][]Interval{time.Monday: {{from * 60, to * 60}}}
	}
	day := func(d int) Date { return Date{2026, time.November, d} }
	c, err := NewCalendar(zone(t, "Asia/Jakarta"), []Hours{
		{Name: "one day", From: day(16), To: day(16), Days: morning(6, 7)},
		{Name: "month", From: day(1), To: day(30), Days: morning(9, 12)},
		{Name: "usual", Days: morning(8, 12)},
		{Name: "usual, later in the list", Days: morning(8, 11)},
		{Name: "week", From: day(23), To: day(29), Days: morning(10, 12)},
		{Name: "same week, later in the list", From: day(23), To: day(29), Days: morning(11, 12)},
	}, ShippedClosedDays())
	if err != nil {
		t.Fatal(err)
	}
	for date, want := range map[string]string{
		"2026-11-09 00.00": "09.00", "2026-11-16 00.00": "06.00", "2026-11-23 00.00": "11.00", "2026-12-07 00.00": "08.00",
	} {
		hours := c.Hours(at(t, c, date))
		if len(hours) != 1 || hours[0].From.Format("15.04") != want {
			t.Errorf("%s: %v, expected to open at %s", date, hours, want)
		}
	}
	if closes, _ := c.CloseOfDay(at(t, c, "2026-12-07 00.00")); closes.Format("15.04") != "11.00" {
		t.Errorf("of two usual rules the later counts, but the office closes at %v", closes)
	}
}

func TestAHalfDayNeverOpensLonger(t *testing.T) {
	t.Parallel()
	half := ClosedDay{Date: Date{2026, time.November, 20}, Kind: Local, Name: "Setengah hari", Open: []Interval{{6 * 60, 9 * 60}, {11 * 60, 14 * 60}}}
	c, err := NewCalendar(zone(t, "Asia/Jakarta"), ShippedHours(), append(ShippedClosedDays(), half))
	if err != nil {
		t.Fatal(err)
	}
	day := at(t, c, "2026-11-20 00.00")
	got, err := c.Used(Working, day, day.Add(24*time.Hour), nil) // 07.30-09.00, 11.00-11.30, 13.00-14.00
	if err != nil || got != 3*time.Hour {
		t.Errorf("open for %v (%v)", got, err)
	}
}

func TestTheVersionFollowsTheContent(t *testing.T) {
	t.Parallel()
	c := jakarta(t)
	if again := jakarta(t); again.Version() != c.Version() {
		t.Errorf("%s, then %s", c.Version(), again.Version())
	}
	closed := ShippedClosedDays()
	closed[0], closed[1] = closed[1], closed[0]
	if swapped, err := NewCalendar(c.Zone, ShippedHours(), closed); err != nil || swapped.Version() != c.Version() {
		t.Errorf("another order is another version: %s, %v", swapped.Version(), err)
	}
	closed[0].Date.Day++
	hours := ShippedHours()
	hours[0].Days[time.Friday] = []Interval{{8 * 60, 12 * 60}}
	seen := map[string]string{c.Version(): "shipped"}
	for name, build := range map[string]func() (*Calendar, error){
		"moved holiday": func() (*Calendar, error) { return NewCalendar(c.Zone, ShippedHours(), closed) },
		"other Friday":  func() (*Calendar, error) { return NewCalendar(c.Zone, hours, ShippedClosedDays()) },
		"other zone": func() (*Calendar, error) {
			return NewCalendar(zone(t, "Asia/Makassar"), ShippedHours(), ShippedClosedDays())
		},
		"extra day": func() (*Calendar, error) {
			return NewCalendar(c.Zone, ShippedHours(), append(ShippedClosedDays(), ClosedDay{Date: Date{2026, time.December, 18}, Kind: Local, Name: "Hari jadi"}))
		},
	} {
		other, err := build()
		if err != nil {
			t.Fatal(err)
		}
		if twin := seen[other.Version()]; twin != "" {
			t.Errorf("%s has the version of %s", name, twin)
		}
		seen[other.Version()] = name
	}
	if !strings.HasPrefix(c.Version(), "2026-2027-") {
		t.Errorf("version %s doesn't name its years", c.Version())
	}
}

func TestImpossibleCalendarsAreRefused(t *testing.T) {
	t.Parallel()
	wib := zone(t, "Asia/Jakarta")
	usual := ShippedHours()[:1]
	with := func(h Hours) []Hours { return append(ShippedHours()[:1], h) }
	monday := func(list ...Interval) map[time.Weekday][]Interval {
		return map[time.Weekday][]Interval{time.Monday: list}
	}
	holiday := ClosedDay{Date: Date{2026, 1, 1}, Kind: National, Name: "Tahun Baru"}
	odd := []Hours{{Days: map[time.Weekday][]Interval{
		time.Monday: {{0, 1439}}, time.Tuesday: {{0, 1433}}, time.Wednesday: {{0, 1429}}, time.Thursday: {{0, 1427}}, time.Friday: {{0, 1423}},
	}}}
	for _, c := range []struct {
		name   string
		zone   *time.Location
		hours  []Hours
		closed []ClosedDay
		want   string
	}{
		{"no zone", nil, usual, nil, "no time zone"},
		{"no hours", wib, nil, nil, "the usual hours are missing"},
		{"never open", wib, []Hours{{Name: "x"}}, nil, "the office never opens"},
		{"one date", wib, with(Hours{Name: "x", From: Date{2026, 1, 1}}), nil, "one of the two dates is missing"},
		{"backwards", wib, with(Hours{Name: "x", From: Date{2026, 2, 1}, To: Date{2026, 1, 1}}), nil, "the last day 2026-01-01 is before the first day 2026-02-01"},
		{"overlap", wib, []Hours{{Days: monday(Interval{480, 720}, Interval{700, 800})}}, nil, "hours 11.40-13.20 begin before those in front of them end"},
		{"no length", wib, []Hours{{Days: monday(Interval{480, 480})}}, nil, "hours 08.00-08.00 are impossible"},
		{"past midnight", wib, []Hours{{Days: monday(Interval{1380, 1500})}}, nil, "impossible"},
		{"kind", wib, usual, []ClosedDay{{Date: Date{2026, 1, 1}, Kind: "libur", Name: "x"}}, `kind "libur" is unknown; expected one of national, joint-leave, local`},
		{"no date", wib, usual, []ClosedDay{{Kind: National, Name: "x"}}, "has no date"},
		{"no name", wib, usual, []ClosedDay{{Date: Date{2026, 1, 1}, Kind: National}}, "2026-01-01 has no name"},
		{"no common measure", wib, odd, []ClosedDay{holiday}, "no common measure"},
	} {
		if _, err := NewCalendar(c.zone, c.hours, c.closed); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, expected %q", c.name, err, c.want)
		}
	}
	empty, err := NewCalendar(wib, usual, nil)
	if err != nil {
		t.Fatal(err)
	}
	if due, err := empty.Due(Norm{Days: 1, Clock: Working}, time.Date(2026, 11, 20, 3, 0, 0, 0, time.UTC), nil); !errors.Is(err, ErrNoCalendar) {
		t.Errorf("a calendar without years says %v, %v", due, err)
	}
	if _, err := jakarta(t).Due(Norm{Length: time.Hour, Clock: "kantor"}, time.Date(2026, 11, 20, 3, 0, 0, 0, time.UTC), nil); err == nil {
		t.Error("an unknown clock was accepted")
	}
}

func TestClosedDaysAreReadStrictly(t *testing.T) {
	t.Parallel()
	days, err := ParseClosedDays([]byte("\ufeffkind,date, name,open,decree\n# remark\n\nlocal,2026-12-18,\"Hari jadi, ke-196\",07.30-11.00,Perbup 12/2026\n"), "x.csv")
	if err != nil || len(days) != 1 {
		t.Fatalf("%v, %v", days, err)
	}
	d := days[0]
	if d.Date != (Date{2026, time.December, 18}) || d.Kind != Local || d.Name != "Hari jadi, ke-196" || d.Decree != "Perbup 12/2026" || len(d.Open) != 1 || d.Open[0] != (Interval{450, 660}) {
		t.Errorf("read %+v", d)
	}
	if n := len(ShippedClosedDays()); n != 51 {
		t.Errorf("%d shipped days, expected the 51 of 2026 and 2027", n)
	}
	const head = "date,kind,name\n"
	for _, c := range []struct{ file, want string }{
		{"", "x.csv:1: the file is empty"},
		{"date,kind\n", `x.csv:1: column "name" is missing`},
		{"date,kind,name,nama\n", `x.csv:1: column "nama" is unknown; expected date, kind, name, decree, open`},
		{"date,kind,name,name\n", `x.csv:1: column "name" is there twice`},
		{head + "2026-01-01,national,A\n2026-13-01,national,B\n", `x.csv:3: "2026-13-01" is no day between 2000 and 2199; expected e.g. 2026-02-19`},
		{head + "1 Januari 2026,national,A\n", `x.csv:2: "1 Januari 2026" is no day`},
		{head + "2026-01-01,libur,A\n", `x.csv:2: kind "libur" is unknown`},
		{head + "2026-01-01,national,\n", "x.csv:2: the closed day 2026-01-01 has no name"},
		{head + "2026-01-01,national\n", "x.csv:2: wrong number of fields"},
		{head + "2026-01-01,national,\"A\n", "x.csv:"},
		{"date,kind,name,open\n2026-01-01,local,A,7-11\n", `x.csv:2: "7-11" are no hours; expected e.g. 07.30-12.00, 13.00-16.00`},
		{"date,kind,name,open\n2026-01-01,local,A,11.00-07.30\n", "x.csv:2: hours 11.00-07.30 are impossible"},
	} {
		if _, err := ParseClosedDays([]byte(c.file), "x.csv"); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: %v, expected %s", c.file, err, c.want)
		}
	}
}

func TestHoursInWords(t *testing.T) {
	t.Parallel()
	list, err := ParseIntervals("07.30-12.00, 13:00 - 24.00")
	if err != nil || len(list) != 2 || list[0] != (Interval{450, 720}) || list[1] != (Interval{780, 1440}) {
		t.Errorf("%v, %v", list, err)
	}
	if list[0].String() != "07.30-12.00" {
		t.Errorf("said %s", list[0])
	}
	for _, bad := range []string{"x", "08.00", "08.00-", "8-9", "08.60-09.00", "08.00-24.01", "-1.00-09.00", "09.00-10.00, 09.30-11.00", "08.00-09.00,", "008.00-09.00", "08.00-12.00-13.00"} {
		if list, err := ParseIntervals(bad); err == nil {
			t.Errorf("%q was read as %v", bad, list)
		}
	}
}
