package complaint

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"

	"pulih/internal/agency"
	"pulih/internal/request"
	"pulih/internal/sop"
)

// Reading tells how the running or the last promise stands at an instant; nil when the SOP promises nothing, or the complaint was dismissed.
// Errors come from the calendar: a year without closed days.
func Reading(s State, a *agency.Agency, at time.Time) (*sop.Reading, error) {
	round := s.Round()
	clock, ok := round.Clock()
	if !ok || round.Dismissed {
		return nil, nil
	}
	r, err := a.Calendar.Read(clock, at)
	if err != nil {
		return nil, fmt.Errorf("clock of complaint %s: %w", s.Number, err)
	}
	return &r, nil
}

// MarkClass reminds the holder that nobody has set the class yet, once the shortest promise of all classes is used up: a long one that the
// rules proposed by mistake must not hide a short one.
const MarkClass = "golongan"

// Superiors come one after the other: half of the norm apart, within these bounds. On norms in working days the longest wait is one of them.
const (
	shortestWait = 30 * time.Minute
	longestWait  = 4 * time.Hour
)

// Reminders lists the marks of the running promise that are passed and not yet told. Of several passed marks only the last counts. Nothing is
// due outside office hours: it comes when they begin.
func Reminders(s State, a *agency.Agency, now time.Time) ([]request.Reminder, error) {
	if !a.Calendar.Open(now) {
		return nil, nil
	}
	marks, class, err := untold(s, a)
	if err != nil {
		return nil, err
	}
	var due []request.Reminder
	for _, m := range slices.Backward(marks) {
		if !m.At.After(now) {
			due = append(due, m)
			break
		}
	}
	if class != nil && !class.At.After(now) {
		due = append(due, *class)
	}
	return due, nil
}

// NextMark is the first instant at which a mark comes that nobody was told of; zero when none will.
func NextMark(s State, a *agency.Agency) (time.Time, error) {
	marks, class, err := untold(s, a)
	if err != nil {
		return time.Time{}, err
	}
	if class != nil {
		marks = append(marks, *class)
	}
	var next time.Time
	for _, m := range marks {
		if next.IsZero() || m.At.Before(next) {
			next = m.At
		}
	}
	return next, nil
}

// untold lists the marks after the last one that was told, in order of time, and the one for the class if it is still to come.
func untold(s State, a *agency.Agency) (marks []request.Reminder, class *request.Reminder, err error) {
	clock, ok := s.Round().Clock()
	if !ok || !s.Status.Open() {
		return nil, nil, nil
	}
	step := s.Promise()
	marks = promiseMarks(step, clock.Norm, s.Holder, a.Rules.RemindAt)
	for i := len(marks) - 1; i >= 0; i-- {
		if s.Reminded[step+"/"+marks[i].Mark] {
			marks = marks[i+1:]
			break
		}
	}
	for i, m := range marks {
		if marks[i].At, err = dueAt(a, clock.Norm, m.Share, clock.Start); err != nil {
			return nil, nil, fmt.Errorf("mark %s of complaint %s: %w", m.Mark, s.Number, err)
		}
	}
	if first := shortest(a.SOP.Complaints); !s.ClassSet && first != nil && compareNorms(first.Norm, clock.Norm) < 0 && !s.Reminded[step+"/"+MarkClass] {
		class = &request.Reminder{Step: step, Mark: MarkClass, Share: 1}
		if class.At, err = dueAt(a, first.Norm, 1, clock.Start); err != nil {
			return nil, nil, fmt.Errorf("mark %s of complaint %s: %w", MarkClass, s.Number, err)
		}
	}
	return marks, class, nil
}

// Promise names the running promise in reminders, so that a reopened complaint is reminded of anew: "answer", "answer-2", ...
func (s *State) Promise() string {
	if len(s.Rounds) < 2 {
		return "answer"
	}
	return fmt.Sprintf("answer-%d", len(s.Rounds))
}

func promiseMarks(step string, norm sop.Norm, holder sop.Role, shares []float64) []request.Reminder {
	if len(shares) == 0 {
		shares = []float64{0.6, 0.9}
	}
	var out []request.Reminder
	for _, share := range append(slices.Clone(shares), 1) {
		out = append(out, request.Reminder{Step: step, Mark: strconv.Itoa(int(math.Round(share * 100))), Share: share})
	}
	kind, length := norm.Measure()
	longest := longestWait
	if kind == sop.WorkingDays {
		longest = sop.Day
	}
	wait := min(max(shortestWait, length/2), longest)
	for level := 1; level <= holder.Depth(); level++ {
		share := 1 + float64(level)*float64(wait)/float64(length)
		out = append(out, request.Reminder{Step: step, Mark: fmt.Sprintf("atasan-%d", level), Level: level, Share: share})
	}
	return out
}

// dueAt is when a share of the norm is used.
func dueAt(a *agency.Agency, norm sop.Norm, share float64, start time.Time) (time.Time, error) {
	kind, length := norm.Measure()
	return a.Calendar.Due(sop.Norm{Length: time.Duration(share * float64(length)), Clock: kind}, start, nil)
}

func (d *decision) remind(c Remind) error {
	for _, r := range c.Due {
		if d.s.Reminded[r.Step+"/"+r.Mark] || !d.s.Status.Open() {
			continue
		}
		e := Event{Kind: Reminded, By: request.System, Step: r.Step, Mark: r.Mark}
		template, people := MailReminder, holders(d.s, d.a, d.now)
		if r.Level > 0 {
			e.Kind = Escalated
			template, people = MailEscalation, d.a.Holders(sop.Chain[max(d.s.Holder.Depth()-r.Level, 0)], d.now)
		}
		d.add(e)
		for _, p := range people {
			if p.Email != "" && (r.Level > 0 || p.Wants(r.Share)) {
				d.do(request.Mail{Template: template, To: staff(p), Step: r.Step, Mark: r.Mark, Bundle: true})
			}
		}
	}
	return nil
}
