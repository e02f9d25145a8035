package request

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"pulih/internal/agency"
	"pulih/internal/sop"
)

// Reminder is a mark of a clock that was passed: its holder, and later their superiors, are told once.
type Reminder struct {
	Step  string  // sop.Step.ID or TotalStep
	Mark  string  // per cent of the norm: "60", "90", "100"; superiors: "atasan-1", "atasan-2", ...
	Level int     // 0: the holder; 1: the direct superior; ...
	Share float64 // of the norm
	At    time.Time
}

// Shorter norms get one mark before the end instead of the agency's own: nobody reads two mails within two minutes.
const shortNorm = 15 * time.Minute

// superiorsAfter is how long a superior has before the next one is told, at least; half of the norm if that is longer.
const superiorsAfter = 30 * time.Minute

// Reminders lists the marks that are passed and not yet told. Of several passed marks of one clock only the last counts: nobody is told
// at once that 60 % and 90 % are gone. Nothing is due outside office hours: it comes when they begin.
func Reminders(s State, a *agency.Agency, now time.Time) ([]Reminder, error) {
	if !a.Calendar.Open(now) {
		return nil, nil
	}
	clocks, err := untold(s, a)
	if err != nil {
		return nil, err
	}
	var due []Reminder
	for _, marks := range clocks {
		for i := len(marks) - 1; i >= 0; i-- {
			if !marks[i].At.After(now) {
				due = append(due, marks[i])
				break
			}
		}
	}
	return due, nil
}

// NextMark is the first instant at which a mark comes that nobody was told of; zero when none will. It follows from the events and the
// calendar alone, so that the sweep's index can be rebuilt.
func NextMark(s State, a *agency.Agency) (time.Time, error) {
	clocks, err := untold(s, a)
	if err != nil {
		return time.Time{}, err
	}
	var next time.Time
	for _, marks := range clocks {
		if len(marks) > 0 && (next.IsZero() || marks[0].At.Before(next)) {
			next = marks[0].At
		}
	}
	return next, nil
}

// applicantsDay is the measure of the reminders to an applicant whose SOP gives them no time: after one day, after three, and then the
// verifiers call. Nobody broke a promise by it, but a link that lies unopened helps nobody.
var applicantsDay = sop.Norm{Length: 24 * time.Hour, Clock: sop.Elapsed}

func applicantsMarks(c StepClock) []Reminder {
	return []Reminder{{Step: c.Step.ID, Mark: "1-hari", Share: 1}, {Step: c.Step.ID, Mark: "3-hari", Share: 3}, {Step: c.Step.ID, Mark: "atasan-1", Level: 1, Share: 5}}
}

// untold lists, for each running clock, the marks after the last one that was told, in order of time.
func untold(s State, a *agency.Agency) ([][]Reminder, error) {
	if !s.Status.Open() || s.Status == StatusReturned {
		return nil, nil
	}
	if s.Status == StatusPhoneCheck { // the office's clock stands still, but the applicant may not know that BSrE waits for them
		marks, err := phoneCheck(s, a)
		return [][]Reminder{marks}, err
	}
	steps, total, err := Clocks(s, a, s.Since)
	if err != nil {
		return nil, err
	}
	var out [][]Reminder
	c, ok := Current(steps)
	if ok && (c.Step.Norm != nil || s.Status == StatusLink) {
		norm := applicantsDay
		if c.Step.Norm != nil {
			norm = *c.Step.Norm
		}
		marks, err := untoldOf(c, norm, s, a)
		if err != nil {
			return nil, err
		}
		out = append(out, marks)
	}
	if total != nil && total.Running() {
		marks, err := untoldOf(*total, *a.Procedure(s.SOPVersion).Total, s, a)
		if err != nil {
			return nil, err
		}
		out = append(out, marks)
	}
	if ok && s.resetWaits() {
		marks, err := waitMarks(c, s, a, len(out) == 0, slices.ContainsFunc(out, func(m []Reminder) bool { return len(m) > 0 }))
		if err != nil {
			return nil, err
		}
		out = append(out, marks)
	}
	return out, nil
}

// resetWaits reports that a reset waits for the office: these never wait without anybody being told, whatever the SOP promises.
func (s *State) resetWaits() bool {
	return s.Status.AwaitsReset() || slices.Contains([]Status{StatusSecond, StatusBooked, StatusUncertain, StatusRefused}, s.Status)
}

// verifiersHour is the measure where the SOP gives the step no time, or where its marks were all told before the request came back to the
// verifiers: a link that can't be sent again by itself must not be forgotten.
var verifiersHour = sop.Norm{Length: time.Hour, Clock: sop.Working}

// waitMarks are told by that measure, counted from when the request came to stand where it stands. bare: no clock runs; more: a clock has
// marks to come.
func waitMarks(c StepClock, s State, a *agency.Agency, bare, more bool) ([]Reminder, error) {
	mark := func(share float64, level int) Reminder {
		return Reminder{Step: c.Step.ID, Mark: fmt.Sprintf("tunggu-%d-%g", s.SinceVersion, share), Share: share, Level: level}
	}
	var all []Reminder
	switch {
	case bare:
		all = []Reminder{mark(1, 0), mark(4, 0), mark(8, 1)}
	case !more && !s.RemindedHere:
		all = []Reminder{mark(1, 0)}
	}
	c.Start = s.Since
	return dated(all, c, verifiersHour, s, a)
}

// phoneCheck is the clock over BSrE's check of the applicant's telephone.
func phoneCheck(s State, a *agency.Agency) ([]Reminder, error) {
	// It runs while the office's stands still.
	c := StepClock{Step: sop.Step{ID: fmt.Sprintf("phone-check-%d", s.PhoneAsked)}, Start: s.Since}
	return dated(applicantsMarks(c), c, applicantsDay, s, a)
}

func untoldOf(c StepClock, norm sop.Norm, s State, a *agency.Agency) ([]Reminder, error) {
	_, length := norm.Measure()
	all := marks(c, s, a, length)
	if c.Step.Norm == nil && c.Step.ID != TotalStep {
		all = applicantsMarks(c)
	}
	return dated(all, c, norm, s, a)
}

// dated leaves out what was told and says when the rest comes.
func dated(all []Reminder, c StepClock, norm sop.Norm, s State, a *agency.Agency) ([]Reminder, error) {
	kind, length := norm.Measure()
	for i := len(all) - 1; i >= 0; i-- {
		if s.Reminded[all[i].Step+"/"+all[i].Mark] {
			all = all[i+1:]
			break
		}
	}
	for i, m := range all {
		at, err := a.Calendar.Due(sop.Norm{Length: time.Duration(m.Share * float64(length)), Clock: kind}, c.Start, c.Pauses)
		if errors.Is(err, sop.ErrNoCalendar) {
			return all[:i], nil // it comes when the next year's closed days do; a letter must not be lost for it
		} else if err != nil {
			return nil, fmt.Errorf("mark %s of step %s of %s: %w", m.Mark, m.Step, s.Number, err)
		}
		all[i].At = at
	}
	return all, nil
}

func marks(c StepClock, s State, a *agency.Agency, length time.Duration) []Reminder {
	shares := a.Rules.RemindAt
	if len(shares) == 0 {
		shares = []float64{0.6, 0.9}
	}
	if length < shortNorm {
		shares = shares[:1]
	}
	var out []Reminder
	for _, share := range append(append([]float64{}, shares...), 1) {
		out = append(out, Reminder{Step: c.Step.ID, Mark: strconv.Itoa(int(share*100 + 0.5)), Share: share})
	}
	wait := max(superiorsAfter, length/2)
	for level := 1; level <= superiors(s); level++ {
		share := 1 + float64(level)*float64(wait)/float64(length)
		out = append(out, Reminder{Step: c.Step.ID, Mark: fmt.Sprintf("atasan-%d", level), Level: level, Share: share})
	}
	return out
}

// superiors counts the levels above whoever is reminded; for the applicant's and BSrE's steps those are the verifiers.
func superiors(s State) int {
	if s.Holder == sop.Applicant {
		return 1
	}
	return max(s.reminded().Depth(), 0)
}

// reminded is the role that is told about a running clock.
func (s *State) reminded() sop.Role {
	if s.Holder == sop.BSrE || s.Holder == "" {
		return sop.Verifier
	}
	return s.Holder
}

func (d *decision) remind(c Remind) error {
	for _, r := range c.Due {
		if d.s.Reminded[r.Step+"/"+r.Mark] || !d.s.Status.Open() {
			continue
		}
		kind := Reminded
		if r.Level > 0 {
			kind = Escalated
		}
		d.add(Event{Kind: kind, By: System, Step: r.Step, Mark: r.Mark})
		d.do(d.remindWhom(r)...)
	}
	return nil
}

func (d *decision) remindWhom(r Reminder) []Effect {
	switch {
	case d.s.Status == StatusPhoneCheck && r.Level == 0:
		return toApplicant(MailPhoneCheck, d.s)
	case d.s.Holder == sop.Applicant && r.Level > 0:
		return toStaff(MailCallApplicant, d.a.Holders(sop.Verifier, d.now))
	case d.s.Holder == sop.Applicant:
		return toApplicant(MailReminderPassphrase, d.s)
	case r.Level > 0:
		role := sop.Chain[max(d.s.reminded().Depth()-r.Level, 0)]
		return bundled(MailEscalation, d.a.Holders(role, d.now), r)
	case d.s.Holder == sop.BSrE:
		return bundled(MailReminder, wanting(d.a.Holders(sop.Verifier, d.now), r), r)
	}
	return bundled(MailReminder, wanting(holders(d.s, d.a, d.now), r), r)
}

// wanting leaves out who chose not to be reminded so early, or at all.
func wanting(people []agency.Person, r Reminder) []agency.Person {
	return slices.DeleteFunc(slices.Clone(people), func(p agency.Person) bool { return !p.Wants(r.Share) })
}

func bundled(template string, people []agency.Person, r Reminder) []Effect {
	var out []Effect
	for _, e := range toStaff(template, people) {
		m := e.(Mail)
		m.Step, m.Mark, m.Bundle = r.Step, r.Mark, true
		out = append(out, m)
	}
	return out
}
