package sop

import (
	"cmp"
	"crypto/sha256"
	"errors"
	"fmt"
	"math"
	"math/bits"
	"slices"
	"sort"
	"time"
)

// ErrNoCalendar is what working clocks answer for a year without closed days: counting on would promise times that nobody checked.
var ErrNoCalendar = errors.New("kalender kerja belum ada")

// ErrPaused is Due's answer while a pause is still open: nobody knows yet when the clock goes on.
var ErrPaused = errors.New("the clock stands still")

// Calendar is an agency's office hours and closed days, laid out once as a row of open spans, so that each question is a binary search.
// It is read-only and may be shared. Instants may come in any zone; answers are in Zone.
type Calendar struct {
	Zone *time.Location

	covered map[int]bool // years with national holidays
	last    int          // the last of them
	spans   []span       // open time of the covered years, in order
	days    []day        // the days that open at all
	unit    int64        // what a day is worth on the WorkingDays clock: every day's length in microseconds divides it
	version string
}

// span is one open interval, in nanoseconds since 1970.
type span struct {
	from, to int64
	before   int64 // open time of all spans before it
	day      int   // index of its day
}

// day is one day with open hours.
type day struct {
	before int64 // open time of all days before it
	worth  int64 // on the WorkingDays clock, of each open microsecond
}

// NewCalendar lays out a calendar. Of the hours that cover a day the rule with the narrower span of dates wins, and the later one among
// equals; one rule without dates must say what is usual. The years covered are those in which closed has a national holiday.
func NewCalendar(zone *time.Location, hours []Hours, closed []ClosedDay) (*Calendar, error) {
	if zone == nil {
		return nil, errors.New("the calendar has no time zone")
	}
	if !slices.ContainsFunc(hours, Hours.usual) {
		return nil, errors.New("the usual hours are missing; expected one rule of hours without dates")
	}
	for _, h := range hours {
		if err := h.check(); err != nil {
			return nil, err
		}
	}
	c := &Calendar{Zone: zone, covered: map[int]bool{}}
	shut := map[Date][]ClosedDay{}
	for _, d := range closed {
		if err := d.check(); err != nil {
			return nil, err
		}
		shut[d.Date] = append(shut[d.Date], d)
		if d.Kind == National {
			c.covered[d.Date.Year] = true
			c.last = max(c.last, d.Date.Year)
		}
	}
	for year := 2000; year <= c.last; year++ {
		if c.covered[year] {
			c.layOut(year, hours, shut)
		}
	}
	if err := c.weigh(); err != nil {
		return nil, err
	}
	c.version = fingerprint(c, hours, closed)
	return c, nil
}

// ShippedCalendar is the calendar of the shipped hours and closed days in a zone.
func ShippedCalendar(zone *time.Location) *Calendar {
	c, err := NewCalendar(zone, ShippedHours(), ShippedClosedDays())
	if err != nil {
		panic(err) // embedded; a test builds it
	}
	return c
}

func (c *Calendar) layOut(year int, hours []Hours, shut map[Date][]ClosedDay) {
	for d := (Date{year, time.January, 1}); d.Year == year; d = d.next() {
		open := hoursOn(hours, d)
		for _, s := range shut[d] {
			open = intersect(open, s.Open)
		}
		before := c.total()
		for _, i := range open {
			from, to := d.at(i.From, c.Zone).UnixNano(), d.at(i.To, c.Zone).UnixNano()
			if from < to { // not swallowed by a change of the zone's offset
				c.spans = append(c.spans, span{from: from, to: to, before: c.total(), day: len(c.days)})
			}
		}
		if c.total() > before {
			c.days = append(c.days, day{before: before})
		}
	}
}

// weigh finds a unit in which each day is worth the same whatever its hours, in whole numbers: with rounded ones, a norm in days that ends
// at the beginning of a break could slip behind it.
func (c *Calendar) weigh() error {
	c.unit = 1
	lengths := make([]int64, len(c.days))
	for i, d := range c.days {
		end := c.total()
		if i+1 < len(c.days) {
			end = c.days[i+1].before
		}
		lengths[i] = (end - d.before) / 1000
		c.unit = c.unit / gcd(c.unit, lengths[i]) * lengths[i]
		if c.unit > math.MaxInt64/int64(len(c.days)) {
			return errors.New("the days' hours have no common measure; expected hours in steps of 5 minutes")
		}
	}
	for i := range c.days {
		c.days[i].worth = c.unit / lengths[i]
	}
	return nil
}

func gcd(a, b int64) int64 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// total is the open time of all spans laid out so far.
func (c *Calendar) total() int64 {
	if len(c.spans) == 0 {
		return 0
	}
	s := c.spans[len(c.spans)-1]
	return s.before + s.to - s.from
}

// Version names the calendar's content: the years that it covers and a hash of zone, hours and closed days. Stored beside what was
// computed with it.
func (c *Calendar) Version() string { return c.version }

// Covers reports whether the calendar knows the year's closed days.
func (c *Calendar) Covers(year int) bool { return c.covered[year] }

// EndsAt is the first instant after t, midnight of a 1 January, of which the calendar knows nothing: t itself if its year isn't covered.
// The health turns red when that comes near.
func (c *Calendar) EndsAt(t time.Time) time.Time {
	t = t.In(c.Zone)
	if !c.covered[t.Year()] {
		return t
	}
	year := t.Year()
	for c.covered[year] {
		year++
	}
	return Date{year, time.January, 1}.at(0, c.Zone)
}

// Open reports whether the office is open at t. It is closed in years that the calendar doesn't cover.
func (c *Calendar) Open(t time.Time) bool {
	i := c.spanAt(t.UnixNano())
	return i >= 0 && t.UnixNano() < c.spans[i].to
}

// NextOpen is t itself if the office is open, else the next opening.
func (c *Calendar) NextOpen(t time.Time) (time.Time, error) {
	if c.Open(t) {
		return t.In(c.Zone), nil
	}
	i := c.spanAt(t.UnixNano()) + 1
	if i == len(c.spans) {
		return time.Time{}, c.missing(max(t.In(c.Zone).Year(), c.last+1))
	}
	next := c.instant(c.spans[i].from)
	return next, c.check(t, next)
}

// Opening is a span in which the office is open; Until is no longer in it.
type Opening struct{ From, Until time.Time }

// Hours are the openings of the day on which t falls in the calendar's zone: none on a closed day, nor in a year that isn't covered.
func (c *Calendar) Hours(t time.Time) []Opening {
	date := DateOf(t.In(c.Zone))
	midnight, next := date.at(0, c.Zone).UnixNano(), date.next().at(0, c.Zone).UnixNano()
	var out []Opening
	for i := c.spanAt(midnight-1) + 1; i < len(c.spans) && c.spans[i].from < next; i++ {
		out = append(out, Opening{c.instant(c.spans[i].from), c.instant(c.spans[i].to)})
	}
	return out
}

// CloseOfDay is when the office closes on the day of t in the calendar's zone; false on a day without hours.
func (c *Calendar) CloseOfDay(t time.Time) (time.Time, bool) {
	hours := c.Hours(t)
	if len(hours) == 0 {
		return time.Time{}, false
	}
	return hours[len(hours)-1].Until, true
}

// Used is the time that a clock of that kind counts from one instant to another, pauses left out; 0 if to isn't after from. Pauses may
// overlap and come in any order; an open one lasts for ever, one that ends before it begins counts as none. On WorkingDays a day is 24
// hours, and the answer is in whole milliseconds. The error is ErrNoCalendar, and only for working clocks.
func (c *Calendar) Used(kind ClockKind, from, to time.Time, pauses []Pause) (time.Duration, error) {
	if !from.Before(to) {
		return 0, nil
	}
	if err := c.checkKind(kind, from, to); err != nil {
		return 0, err
	}
	var used int64
	for cur := range running(from, to, pauses) {
		used += c.count(kind, cur.Until) - c.count(kind, cur.From)
	}
	if kind == WorkingDays {
		return time.Duration(scale(used, int64(Day/time.Millisecond), c.unit)) * time.Millisecond, nil
	}
	return time.Duration(used), nil
}

// Due is the earliest instant at which the time used since start reaches the norm: an hour begun at 15.00 on a day that closes at 16.00 is
// due at 16.00. A pause that is still open before that instant gives ErrPaused, an end beyond the calendar ErrNoCalendar.
func (c *Calendar) Due(n Norm, start time.Time, pauses []Pause) (time.Time, error) {
	kind, amount := n.Measure()
	left := int64(amount)
	if kind == WorkingDays {
		left = scaleUp(left, c.unit, int64(Day))
	}
	if left <= 0 {
		return start.In(c.Zone), nil
	}
	if err := c.checkKind(kind, start, start); err != nil {
		return time.Time{}, err
	}
	for cur := range running(start, forever, pauses) {
		if n := c.count(kind, cur.Until) - c.count(kind, cur.From); n < left && !cur.Until.Equal(forever) {
			left -= n // a pause follows
			continue
		}
		due, ok := c.inverse(kind, c.count(kind, cur.From)+left)
		if !ok {
			return time.Time{}, c.missing(c.last + 1)
		}
		return due, c.checkKind(kind, start, due)
	}
	return time.Time{}, ErrPaused
}

// forever is later than any instant that a calendar can hold.
var forever = time.Unix(0, 1<<63-1)

// running yields what the pauses leave of from..to, in order, empty pieces left out.
func running(from, to time.Time, pauses []Pause) func(func(Pause) bool) {
	return func(yield func(Pause) bool) {
		if len(pauses) > 1 && !slices.IsSortedFunc(pauses, byFrom) {
			pauses = slices.Clone(pauses)
			slices.SortFunc(pauses, byFrom)
		}
		for _, p := range pauses {
			if !p.Until.IsZero() && !p.From.Before(p.Until) {
				continue
			}
			if end := earlier(p.From, to); from.Before(end) && !yield(Pause{from, end}) {
				return
			}
			if p.Until.IsZero() {
				return
			}
			if from.Before(p.Until) {
				from = p.Until
			}
		}
		if from.Before(to) {
			yield(Pause{from, to})
		}
	}
}

func byFrom(a, b Pause) int { return a.From.Compare(b.From) }

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// count is the time on that clock from its own beginning to t, in nanoseconds or, on WorkingDays, units; only differences of it mean
// anything.
func (c *Calendar) count(kind ClockKind, t time.Time) int64 {
	at := t.UnixNano()
	if kind == Elapsed {
		return at
	}
	i := c.spanAt(at)
	if i < 0 {
		return 0
	}
	s := c.spans[i]
	open := s.before + min(at, s.to) - s.from
	if kind == Working {
		return open
	}
	d := c.days[s.day]
	return int64(s.day)*c.unit + (open-d.before)/1000*d.worth
}

// inverse is the earliest instant at which count is at least n; false if the calendar ends before that.
func (c *Calendar) inverse(kind ClockKind, n int64) (time.Time, bool) {
	switch kind {
	case Elapsed:
		return c.instant(n), true
	case WorkingDays:
		k := int((n - 1) / c.unit) // the day on which it falls; a whole day ends on that day, not at the start of the next
		if k >= len(c.days) {
			return time.Time{}, false
		}
		d := c.days[k]
		n = d.before + (n-int64(k)*c.unit+d.worth-1)/d.worth*1000
	}
	i := sort.Search(len(c.spans), func(i int) bool { s := c.spans[i]; return s.before+s.to-s.from >= n })
	if i == len(c.spans) {
		return time.Time{}, false
	}
	return c.instant(c.spans[i].from + n - c.spans[i].before), true
}

// scale is n*num/den rounded down, for n, num >= 0 and a result that an int64 holds.
func scale(n, num, den int64) int64 {
	hi, lo := bits.Mul64(uint64(n), uint64(num))
	q, _ := bits.Div64(hi, lo, uint64(den))
	return int64(q)
}

// scaleUp is scale rounded up.
func scaleUp(n, num, den int64) int64 {
	hi, lo := bits.Mul64(uint64(n), uint64(num))
	q, r := bits.Div64(hi, lo, uint64(den))
	if r > 0 {
		q++
	}
	return int64(q)
}

// spanAt is the last span that begins at or before the instant, -1 if none does.
func (c *Calendar) spanAt(at int64) int {
	return sort.Search(len(c.spans), func(i int) bool { return c.spans[i].from > at }) - 1
}

func (c *Calendar) instant(ns int64) time.Time { return time.Unix(0, ns).In(c.Zone) }

func (c *Calendar) checkKind(kind ClockKind, from, to time.Time) error {
	switch kind {
	case Elapsed:
		return nil
	case Working, WorkingDays:
		return c.check(from, to)
	}
	return fmt.Errorf("clock %q is unknown; expected working or elapsed", kind)
}

// check refuses spans that touch a year which the calendar doesn't cover.
func (c *Calendar) check(from, to time.Time) error {
	for year := from.In(c.Zone).Year(); year <= to.In(c.Zone).Year(); year++ {
		if !c.covered[year] {
			return c.missing(year)
		}
	}
	return nil
}

func (c *Calendar) missing(year int) error {
	return fmt.Errorf("%w: hari libur tahun %d tidak ada di kalender, jadi batas waktunya tidak dapat dihitung; tambahkan berkas hari libur %d",
		ErrNoCalendar, year, year)
}

func fingerprint(c *Calendar, hours []Hours, closed []ClosedDay) string {
	h := sha256.New()
	fmt.Fprintln(h, c.Zone)
	for _, r := range hours {
		fmt.Fprintf(h, "%q %v %v", r.Name, r.From, r.To)
		for wd := time.Sunday; wd <= time.Saturday; wd++ {
			fmt.Fprintf(h, " %v", r.Days[wd])
		}
		fmt.Fprintln(h)
	}
	closed = slices.Clone(closed)
	slices.SortStableFunc(closed, func(a, b ClosedDay) int { return cmp.Compare(a.Date.number(), b.Date.number()) })
	for _, d := range closed {
		fmt.Fprintf(h, "%v %q %q %q %v\n", d.Date, d.Kind, d.Name, d.Decree, d.Open)
	}
	years := slices.Sorted(func(yield func(int) bool) {
		for y := range c.covered {
			if !yield(y) {
				return
			}
		}
	})
	if len(years) == 0 {
		return fmt.Sprintf("none-%x", h.Sum(nil)[:6])
	}
	return fmt.Sprintf("%d-%d-%x", years[0], years[len(years)-1], h.Sum(nil)[:6])
}
