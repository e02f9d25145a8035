package sop

import (
	"errors"
	"time"
)

// Clock is a norm at work: when it began, when it stood still and, once that is known, when it ended.
type Clock struct {
	Start  time.Time
	Norm   Norm
	Pauses []Pause
	End    time.Time // zero while it runs
}

// ClockState is how a promise stands.
type ClockState string

// The states of a clock. Kept and Broken are final.
const (
	Running ClockState = "running"
	Outside ClockState = "outside" // a working clock while the office is closed
	Near    ClockState = "near"    // 90 % of the norm or more is used
	Paused  ClockState = "paused"
	Over    ClockState = "over" // more than the norm is used
	Kept    ClockState = "kept"
	Broken  ClockState = "broken"
)

// Title says the state in Indonesian (desk.md, "Words").
func (s ClockState) Title() string {
	switch s {
	case Running:
		return "dalam waktu"
	case Outside:
		return "di luar jam kerja"
	case Near:
		return "hampir lewat"
	case Paused:
		return "berhenti"
	case Over:
		return "lewat"
	case Kept:
		return "ditepati"
	case Broken:
		return "tidak ditepati"
	}
	return string(s)
}

// Reading is what a clock shows at one instant. Used + Left is the norm, always; Left is negative once the promise is broken. For a norm
// in working days both count 24 hours a day; Norm.Say puts them into words.
type Reading struct {
	Due   time.Time // zero while an open pause keeps it unknown
	Used  time.Duration
	Left  time.Duration
	State ClockState
}

// Read tells how the clock stands at an instant, as it could be told then: an End after it hasn't happened yet. A norm whose time is used
// to the last second is kept; it is over only when more is used, so a working clock that ends at the close of hours is not over before
// the office opens again. The error is ErrNoCalendar.
func (c *Calendar) Read(cl Clock, at time.Time) (Reading, error) {
	ended := !cl.End.IsZero() && !cl.End.After(at)
	until := at
	if ended {
		until = cl.End
	}
	kind, norm := cl.Norm.Measure()
	used, err := c.Used(kind, cl.Start, until, cl.Pauses)
	if err != nil {
		return Reading{}, err
	}
	r := Reading{Used: used, Left: norm - used}
	r.Due, err = c.Due(cl.Norm, cl.Start, cl.Pauses)
	if err != nil && !errors.Is(err, ErrPaused) {
		return Reading{}, err
	}
	switch {
	case ended && r.Left < 0:
		r.State = Broken
	case ended:
		r.State = Kept
	case r.Left < 0:
		r.State = Over
	case paused(cl.Pauses, at):
		r.State = Paused
	case kind != Elapsed && !c.Open(at):
		r.State = Outside
	case r.Left*10 <= norm:
		r.State = Near
	default:
		r.State = Running
	}
	return r, nil
}

func paused(pauses []Pause, at time.Time) bool {
	for _, p := range pauses {
		if !at.Before(p.From) && (p.Until.IsZero() || at.Before(p.Until)) {
			return true
		}
	}
	return false
}
