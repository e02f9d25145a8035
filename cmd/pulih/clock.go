package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"pulih/internal/config"
	"pulih/internal/sop"
)

// ClockCmd computes a deadline and how a clock stands, on an agency's calendar or on the shipped one.
type ClockCmd struct {
	SOP    string   `name:"sop" placeholder:"NAME" help:"Shipped SOP: its zone, with the shipped hours and closed days (purbalingga, madiun)."`
	Config string   `placeholder:"FILE" help:"Configuration file, instead of --sop."`
	Agency string   `placeholder:"KEY" help:"Agency in the configuration file."`
	Start  string   `placeholder:"TIME" help:"When the clock begins, RFC 3339 in any zone."`
	Norm   string   `placeholder:"NORM" help:"Promised time: 150m, 2h30m, 24h, 1d, \"30 hari kerja\". A working day counts as 86,400 seconds, spent evenly over its office hours."`
	Clock  string   `default:"working" placeholder:"KIND" help:"What counts: working (office hours, the default) or elapsed."`
	Pause  []string `placeholder:"FROM/UNTIL" sep:"none" help:"Time in which the clock stands still; an empty UNTIL is still open. May be repeated."`
	At     string   `placeholder:"TIME" help:"Instant for which time used and left are told; now if left out."`
	JSON   bool     `name:"json" help:"Print one JSON object."`
}

// Run prints the clock. Whatever it can't compute is a mistake in what it was given, told in one sentence.
func (c *ClockCmd) Run() error {
	if err := c.run(os.Stdout, time.Now()); err != nil {
		return mistake{err}
	}
	return nil
}

func (c *ClockCmd) run(out io.Writer, now time.Time) error {
	calendar, err := c.calendar()
	if err != nil {
		return err
	}
	clock, at, err := c.clock(now)
	if err != nil {
		return err
	}
	r, err := calendar.Read(clock, at)
	if err != nil {
		return fmt.Errorf("computing the clock: %w", err)
	}
	if c.JSON {
		return json.NewEncoder(out).Encode(clockJSON(calendar, clock, r))
	}
	return printClock(out, calendar, clock, r)
}

// calendar is that of the configured agency, or the shipped one in the zone of the shipped SOPs' agencies.
func (c *ClockCmd) calendar() (*sop.Calendar, error) {
	switch {
	case (c.SOP == "") == (c.Config == ""):
		return nil, errors.New("expected either --sop NAME or --config FILE --agency KEY")
	case (c.Config == "") != (c.Agency == ""):
		return nil, errors.New("--config and --agency belong together; expected both or neither")
	case c.Config != "":
		return c.configured()
	}
	if _, err := sop.Shipped(c.SOP); err != nil {
		return nil, fmt.Errorf("--sop: %w", err)
	}
	wib, err := time.LoadLocation("Asia/Jakarta")
	if err != nil {
		return nil, fmt.Errorf("loading the zone of %s: %w", c.SOP, err)
	}
	return sop.ShippedCalendar(wib), nil
}

func (c *ClockCmd) configured() (*sop.Calendar, error) {
	cfg, err := config.Load(c.Config)
	if err != nil {
		return nil, err
	}
	a, ok := cfg.Agency(c.Agency)
	if !ok {
		var keys []string
		for _, a := range cfg.Agencies() {
			keys = append(keys, a.Key)
		}
		return nil, fmt.Errorf("--agency: %q is unknown; expected one of %s", c.Agency, strings.Join(keys, ", "))
	}
	return a.Calendar, nil
}

func (c *ClockCmd) clock(now time.Time) (clock sop.Clock, at time.Time, err error) {
	if clock.Start, err = parseTime("--start", c.Start); err != nil {
		return clock, at, err
	}
	if clock.Norm, err = sop.ParseNorm(c.Norm, sop.ClockKind(c.Clock)); err != nil {
		return clock, at, fmt.Errorf("--norm, --clock: %w", err)
	}
	for _, p := range c.Pause {
		pause, err := parsePause(p)
		if err != nil {
			return clock, at, err
		}
		clock.Pauses = append(clock.Pauses, pause)
	}
	if c.At == "" {
		return clock, now, nil
	}
	at, err = parseTime("--at", c.At)
	return clock, at, err
}

func parseTime(flag, text string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339, strings.ToUpper(text)) // RFC 3339, 5.6: "t" and "z" may be small
	if err != nil {
		return t, fmt.Errorf("%s: %q is no time; expected RFC 3339, e.g. 2026-11-20T15:00:00+07:00", flag, text)
	}
	if t.Year() < 2000 || t.Year() > 2199 {
		return t, fmt.Errorf("%s: %q is out of range; expected a year from 2000 to 2199", flag, text)
	}
	return t, nil
}

func parsePause(text string) (sop.Pause, error) {
	from, until, ok := strings.Cut(text, "/")
	if !ok {
		return sop.Pause{}, fmt.Errorf("--pause: %q is no span; expected FROM/UNTIL, both RFC 3339", text)
	}
	var p sop.Pause
	var err error
	if p.From, err = parseTime("--pause", from); err != nil {
		return p, err
	}
	if until == "" {
		return p, nil
	}
	if p.Until, err = parseTime("--pause", until); err != nil {
		return p, err
	}
	if p.Until.Before(p.From) {
		return p, fmt.Errorf("--pause: %q ends before it begins", text)
	}
	return p, nil
}

// clockReading is what --json prints. On norms in working days a day counts as 86,400 seconds.
type clockReading struct {
	Due      *string        `json:"due"` // null while an open pause keeps it unknown
	Used     int64          `json:"used_s"`
	Left     int64          `json:"left_s"`
	State    sop.ClockState `json:"state"`
	Calendar string         `json:"calendar"`
}

// clockJSON rounds to whole seconds so that used and left still make the norm, and the due time is never earlier than it is.
func clockJSON(calendar *sop.Calendar, clock sop.Clock, r sop.Reading) clockReading {
	_, norm := clock.Norm.Measure()
	out := clockReading{Used: int64(r.Used / time.Second), State: r.State, Calendar: calendar.Version()}
	out.Left = int64(norm/time.Second) - out.Used
	if !r.Due.IsZero() {
		due := r.Due.Add(time.Second - 1).Truncate(time.Second).Format(time.RFC3339)
		out.Due = &due
	}
	return out
}

func printClock(out io.Writer, calendar *sop.Calendar, clock sop.Clock, r sop.Reading) error {
	due := "belum diketahui: jam berhenti"
	if !r.Due.IsZero() {
		due = r.Due.Format("2006-01-02 15.04.05 MST")
	}
	left := "tersisa " + clock.Norm.Say(r.Left)
	if r.Left < 0 {
		left = "lewat " + clock.Norm.Say(r.Left)
	}
	_, err := fmt.Fprintf(out, "Norma        %s\nJatuh tempo  %s\nTerpakai     %s\nKeadaan      %s, %s\nKalender     %s\n",
		clock.Norm, due, clock.Norm.Say(r.Used), r.State.Title(), left, calendar.Version())
	return err
}
