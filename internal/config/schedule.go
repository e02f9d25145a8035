package config

import (
	"fmt"
	"strings"
	"time"

	"github.com/robfig/cron/v3"

	"pulih/internal/sop"
)

// Schedule says when a report goes out: a cron specification of five fields in the agency's zone, or "open+15m" and "close-15m", which
// follow the office hours of each open day, in Ramadan as well. "off" never fires.
type Schedule struct {
	Spec string

	cron     *cron.SpecSchedule
	office   string // "open", "close" or ""
	shift    time.Duration
	calendar *sop.Calendar
}

// firings that are looked at for what a schedule may not do; with one a day they reach over half a year.
const firings = 200

// longestShift from the opening or closing: beyond it a report would leave the office hours of a short day.
const longestShift = 2 * time.Hour

func (s *Schedule) set(text string) error {
	*s = Schedule{Spec: text}
	if text == "off" {
		return nil
	}
	if s.setOffice(text) {
		return nil
	}
	// robfig/cron panics on "CRON_TZ=X" without fields, and takes "@every -5s": neither has a place here.
	if len(strings.Fields(text)) != 5 || strings.ContainsAny(text, "=@") {
		return fmt.Errorf("%q is no schedule; expected five fields (minute hour day month weekday), e.g. \"45 7 * * 1-5\", or open+15m, close-15m, off", text)
	}
	parsed, err := cron.ParseStandard(text)
	if err != nil {
		return fmt.Errorf("%q is no schedule: %w; expected five fields (minute hour day month weekday), e.g. \"45 7 * * 1-5\"", text, err)
	}
	s.cron = parsed.(*cron.SpecSchedule)
	s.cron.Location = time.UTC
	return s.sane(text)
}

// setOffice reads "open", "open+15m", "close", "close-15m".
func (s *Schedule) setOffice(text string) bool {
	for _, form := range []struct {
		word, sign string
		factor     time.Duration
	}{{"open", "+", 1}, {"close", "-", -1}} {
		rest, ok := strings.CutPrefix(text, form.word)
		if !ok {
			continue
		}
		if rest != "" {
			length, err := parseDuration(strings.TrimPrefix(rest, form.sign))
			if err != nil || !strings.HasPrefix(rest, form.sign) || length > longestShift {
				return false
			}
			s.shift = form.factor * length //nolint:durationcheck // the factor is a sign
		}
		s.office = form.word
		return true
	}
	return false
}

// sane refuses a schedule that never comes, as on 31 February, and one that would be a mail storm.
func (s *Schedule) sane(text string) error {
	last := s.cron.Next(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
	if last.IsZero() {
		return fmt.Errorf("%q never comes; expected a day that the month has", text)
	}
	for range firings {
		next := s.cron.Next(last)
		if !next.IsZero() && next.Sub(last) < time.Hour {
			return fmt.Errorf("%q would send mails more than once an hour; expected e.g. \"45 7 * * 1-5\"", text)
		}
		last = next
	}
	return nil
}

// on ties the schedule to the agency's zone and office hours.
func (s *Schedule) on(calendar *sop.Calendar) {
	s.calendar = calendar
	if s.cron != nil {
		s.cron.Location = calendar.Zone
	}
}

// Off reports that the schedule never fires.
func (s Schedule) Off() bool { return s.cron == nil && s.office == "" }

// never is after every schedule. It is no zero time, which a periodic job would take for "now".
var never = time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC)

// Next is the first firing after t; a time in the year 2200 when there is none: the schedule is off, or it follows office hours and the
// calendar ends (which the health check reports 60 days ahead). It makes a Schedule a cron.Schedule and a River PeriodicSchedule.
func (s Schedule) Next(t time.Time) time.Time {
	switch {
	case s.cron != nil:
		if next := s.cron.Next(t); !next.IsZero() {
			return next
		}
	case s.office != "":
		return s.nextOffice(t)
	}
	return never
}

// nextOffice looks from day to day; the longest row of closed days is far shorter than two months.
func (s Schedule) nextOffice(t time.Time) time.Time {
	for i := range 60 {
		open := s.calendar.Hours(t.In(s.calendar.Zone).AddDate(0, 0, i))
		if len(open) == 0 {
			continue
		}
		at := open[0].From
		if s.office == "close" {
			at = open[len(open)-1].Until
		}
		if at = at.Add(s.shift); at.After(t) {
			return at
		}
	}
	return never
}

// String is the specification as the file has it.
func (s Schedule) String() string { return s.Spec }
