package request

import (
	"fmt"
	"slices"
	"time"

	"pulih/internal/agency"
	"pulih/internal/sop"
)

// TotalStep is the name of the clock over the whole SOP, beside those of its steps.
const TotalStep = "total"

// StepClock is how one step of the SOP stands, or the whole.
type StepClock struct {
	Step    sop.Step     // for the whole: ID TotalStep
	Start   time.Time    // zero: not begun
	End     time.Time    // zero: not done
	By      Actor        // who did it
	Pauses  []sop.Pause  // when it stood still
	Reading *sop.Reading // nil without a norm, or not begun
}

// Running reports whether the step is the one at work.
func (c StepClock) Running() bool { return !c.Start.IsZero() && c.End.IsZero() }

// Clocks computes how the request stands at an instant against the SOP in force when it came: one row a step, and the total if the SOP
// promises one. Errors come from the calendar: a year without closed days.
func Clocks(s State, a *agency.Agency, at time.Time) (steps []StepClock, total *StepClock, err error) {
	p := a.Procedure(s.SOPVersion)
	ends := stepEnds(s, p)
	start := s.OpenedAt
	for i, step := range p.Steps {
		c := StepClock{Step: step, By: s.By[step.Ends], Pauses: s.Pauses}
		if !start.IsZero() {
			c.Start, c.End = start, ends[i]
		}
		for _, r := range s.Reopenings { // the step that it came back to begins anew; the whole doesn't
			if !c.Start.IsZero() && c.Start.Before(r.At) && (c.End.IsZero() || c.End.After(r.At)) {
				c.Start = r.At
			}
		}
		if step.Ends == sop.EndsDisposition {
			c.By = passer(s, step)
		}
		if c.End.IsZero() && !s.ClosedAt.IsZero() && !c.Start.IsZero() {
			c.End = s.ClosedAt // rejected: what was running stops
		}
		if err := c.read(s, a.Calendar, step.Norm, at); err != nil {
			return nil, nil, err
		}
		steps = append(steps, c)
		start = ends[i]
	}
	if p.Total != nil && !s.OpenedAt.IsZero() {
		end := s.Ended[p.TotalEnds]
		if end.IsZero() {
			end = s.ClosedAt
		}
		if !end.IsZero() && end.Before(s.OpenedAt) {
			end = s.OpenedAt // another clock's word; see stepEnds
		}
		total = &StepClock{Step: sop.Step{ID: TotalStep, Title: "Keseluruhan", Norm: p.Total}, Start: s.OpenedAt, End: end, Pauses: wholesPauses(s, p)}
		if err := total.read(s, a.Calendar, p.Total, at); err != nil {
			return nil, nil, err
		}
	}
	return steps, total, nil
}

func (c *StepClock) read(s State, cal *sop.Calendar, norm *sop.Norm, at time.Time) error {
	if norm == nil || c.Start.IsZero() {
		return nil
	}
	r, err := cal.Read(sop.Clock{Start: c.Start, Norm: *norm, Pauses: c.Pauses, End: c.End}, at)
	if err != nil {
		return fmt.Errorf("clock of step %s of %s: %w", c.Step.ID, s.Number, err)
	}
	c.Reading = &r
	return nil
}

// wholesPauses are those of the total: it stood still, too, from when its promise was kept, or the request was closed, until it was opened
// again.
func wholesPauses(s State, p *sop.SOP) []sop.Pause {
	out := slices.Clip(s.Pauses)
	for _, r := range s.Reopenings {
		from := r.Ended[p.TotalEnds]
		if from.IsZero() {
			from = r.ClosedAt
		}
		if !from.IsZero() && from.Before(r.At) {
			out = append(out, sop.Pause{From: from, Until: r.At})
		}
	}
	return out
}

// stepEnds says when each step ended. A step that was skipped ended when a later one did: a head who passes the letter straight to the
// verifier has done the division's and the section's part. Ends never go backwards, whatever the sources' clocks say.
func stepEnds(s State, p *sop.SOP) []time.Time {
	ends := make([]time.Time, len(p.Steps))
	var later time.Time
	for i, step := range slices.Backward(p.Steps) {
		end := s.Ended[step.Ends]
		if step.Ends == sop.EndsDisposition {
			end = passedOn(s, step)
		}
		if end.IsZero() || (!later.IsZero() && later.Before(end)) {
			end = later
		}
		ends[i], later = end, end
	}
	for i := range ends {
		floor := s.OpenedAt
		if i > 0 {
			floor = ends[i-1]
		}
		if !ends[i].IsZero() && ends[i].Before(floor) {
			ends[i] = floor
		}
	}
	return ends
}

// passedOn is when the letter first went to somebody further down the chain than all of the step's actors.
func passedOn(s State, step sop.Step) time.Time {
	at := s.Ended[sop.EndsDisposition] // an assignment passes every level
	for _, d := range s.Dispositions {
		if beyond(d, step) && (at.IsZero() || d.SentAt.Before(at)) {
			at = d.SentAt
		}
	}
	return at
}

func passer(s State, step sop.Step) Actor {
	at := passedOn(s, step)
	for _, d := range s.Dispositions {
		if beyond(d, step) && d.SentAt.Equal(at) {
			return d.From
		}
	}
	return s.By[sop.EndsDisposition]
}

func beyond(d Disposition, step sop.Step) bool {
	depth := -1
	for _, r := range step.Actors {
		depth = max(depth, r.Depth())
	}
	return d.Acts && slices.ContainsFunc(d.To, func(to Actor) bool { return to.Role.Depth() > depth })
}

// Current is the step at work: the first that has begun and not ended; false when all are done or the request is closed.
func Current(steps []StepClock) (StepClock, bool) {
	for _, c := range steps {
		if c.Running() {
			return c, true
		}
	}
	return StepClock{}, false
}

// Due is the instant by which the request should be moved on: the earlier of the running step's deadline and the total's; zero when
// nothing runs or the clocks stand still.
func Due(steps []StepClock, total *StepClock) time.Time {
	var due time.Time
	running := steps
	if total != nil {
		running = append(slices.Clone(steps), *total)
	}
	for _, c := range running {
		if c.Running() && c.Reading != nil && !c.Reading.Due.IsZero() && (due.IsZero() || c.Reading.Due.Before(due)) {
			due = c.Reading.Due
		}
	}
	return due
}

func (d *decision) resetDue() time.Time {
	steps, total, err := Clocks(d.s, d.a, d.now)
	if err != nil {
		return d.now // without a calendar the order is that of the approvals; the calendar's own alarm tells the operator
	}
	if due := Due(steps, total); !due.IsZero() {
		return due
	}
	return d.now
}
