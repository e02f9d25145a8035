// Package report computes and draws what the digests, the monthly pack and the head's page tell: how many requests came and went, whether
// the promise was kept, and which step broke it. It is pure: rows come in, figures and files come out.
package report

import (
	"cmp"
	"errors"
	"slices"
	"time"

	"pulih/internal/agency"
	"pulih/internal/request"
	"pulih/internal/sop"
)

// Row is what is counted of one request: nothing personal.
type Row struct {
	Number   string
	OfficeID string
	OpenedAt time.Time
	ClosedAt time.Time // zero while open
	Rejected bool
	Decided  string // agency.Person.ID of the verifier who approved or rejected
	SOP      string // sop.SOP.Version in force when it came
	Used     Used
}

// Used is the time that the whole took, and then each step in the SOP's order: in whole seconds, rounded up, on the clock that the norm
// counts (working hours where there is none). NotEnded stands where nothing ended yet.
type Used []int32

// NotEnded marks a step that has not ended, or never began.
const NotEnded int32 = -1

// Measure computes the row of a request as it stands. A year without a calendar leaves Used empty.
func Measure(s request.State, a *agency.Agency) (Row, error) {
	r := Row{Number: s.Number, OfficeID: s.Subject.OfficeID, OpenedAt: s.OpenedAt, Rejected: s.Status == request.StatusRejected, Used: Used{},
		Decided: s.DecidedBy.ID, SOP: s.SOPVersion}
	if !s.Status.Open() {
		r.ClosedAt = s.ClosedAt
	}
	used, err := measure(s, a)
	if errors.Is(err, sop.ErrNoCalendar) {
		return r, nil
	} else if err != nil {
		return r, err
	}
	r.Used = used
	return r, nil
}

func measure(s request.State, a *agency.Agency) (Used, error) {
	steps, total, err := request.Clocks(s, a, s.Since)
	if err != nil {
		return nil, err
	}
	whole := request.StepClock{Start: s.OpenedAt, End: s.ClosedAt, Pauses: s.Pauses}
	if total != nil {
		whole = *total
	}
	used := make(Used, 0, len(steps)+1)
	for _, c := range append([]request.StepClock{whole}, steps...) {
		seconds := NotEnded
		if !c.Start.IsZero() && !c.End.IsZero() {
			d, err := a.Calendar.Used(clockOf(c.Step.Norm), c.Start, c.End, c.Pauses)
			if err != nil {
				return nil, err
			}
			seconds = int32((d + time.Second - 1) / time.Second)
		}
		used = append(used, seconds)
	}
	return used, nil
}

func clockOf(norm *sop.Norm) sop.ClockKind {
	if norm == nil {
		return sop.Working
	}
	kind, _ := norm.Measure()
	return kind
}

// Broken holds the row against the promises in force when the request came.
func (r Row) Broken(a *agency.Agency) (step int, over time.Duration, broken bool) {
	return r.Used.broken(normsOf(a.Procedure(r.SOP)))
}

// normsOf are the promises that Used is held against, in seconds; 0 where the SOP promises nothing.
func normsOf(p *sop.SOP) []int32 {
	seconds := func(n *sop.Norm) int32 {
		if n == nil {
			return 0
		}
		_, length := n.Measure()
		return int32(length / time.Second)
	}
	out := []int32{seconds(p.Total)}
	for _, step := range p.Steps {
		out = append(out, seconds(step.Norm))
	}
	return out
}

// broken says whether the promise was broken, at which step (an index of the SOP's steps, or -1 where that can't be told) and by how much.
// A promise for the whole decides alone; the step is then the one furthest over its own norm, or else the longest. Without one, a single
// step over its norm breaks the promise.
func (u Used) broken(norms []int32) (step int, over time.Duration, broken bool) {
	if len(u) == 0 {
		return -1, 0, false
	}
	step, most := -1, int32(0)
	longest, length := -1, int32(0)
	for i := 1; i < len(u) && i < len(norms) && len(u) == len(norms); i++ {
		if norms[i] > 0 && u[i]-norms[i] > most {
			step, most = i-1, u[i]-norms[i]
		}
		if u[i] > length {
			longest, length = i-1, u[i]
		}
	}
	if norms[0] > 0 {
		if u[0] <= norms[0] {
			return -1, 0, false
		}
		if step < 0 {
			step = longest
		}
		return step, time.Duration(u[0]-norms[0]) * time.Second, true
	}
	return step, time.Duration(most) * time.Second, step >= 0
}

// Figures are a period's counts.
type Figures struct {
	From, Until time.Time

	In      int // opened in the period
	Closed  int // ended with a usable signature
	Refused int // rejected
	Kept    int // of those that ended
	Broken  int

	Times     []StepTime // the whole first, then each step, in the SOP's order
	Breaches  []Breach   // the worst first
	Weeks     []Week     // the eight up to the period's end, oldest first
	Offices   []Share    // by office, the most requests first; ID is the office's
	Verifiers []Share    // by who decided; ID is the person's
	Days      []int      // requests opened on each day of the period
}

// StepTime sums up how long something took among requests that ended in the period.
type StepTime struct {
	Step        int // index of the steps of the SOP in force; -1 for the whole
	Count, Over int // how many ended, and how many of those beyond the norm
	Median, P90 time.Duration
}

// Breach is a promise that was not kept.
type Breach struct {
	Number string
	Step   string // the title of the step that broke it; the whole's where that can't be told
	Over   time.Duration
}

// Week is one column of the trend.
type Week struct {
	From             time.Time // Monday
	In, Kept, Broken int
}

// Share is one office's or one verifier's part.
type Share struct {
	ID               string
	In, Kept, Broken int
	Refused          int
	Median           time.Duration // of the whole
	whole            []int32
}

// Ended counts what ended.
func (s Share) Ended() int { return s.Kept + s.Broken }

// Weeks is how far the trend reaches back.
const Weeks = 8

// TrendFrom is the first instant that a report up to until looks at.
func TrendFrom(from, until time.Time) time.Time {
	first := monday(until).AddDate(0, 0, -7*(Weeks-1))
	if from.Before(first) {
		return from
	}
	return first
}

// monday is the beginning of the week that the last instant before until lies in, in until's zone.
func monday(until time.Time) time.Time {
	last := until.Add(-time.Nanosecond)
	day := time.Date(last.Year(), last.Month(), last.Day(), 0, 0, 0, 0, last.Location())
	return day.AddDate(0, 0, -(int(day.Weekday())+6)%7)
}

// Sum counts rows over [from, until), both in the agency's zone. Rows from TrendFrom on make the trend. Each is held against the SOP in force
// when it came; the times are told by the steps of today's, those of others left out.
func Sum(rows []Row, a *agency.Agency, from, until time.Time) Figures {
	g := gathering{a: a, measures: map[string]measured{}, offices: map[string]*Share{}, verifiers: map[string]*Share{}}
	g.From, g.Until = from, until
	for i := range len(a.SOP.Steps) + 1 {
		g.Times = append(g.Times, StepTime{Step: i - 1})
	}
	g.times = make([][]int32, len(g.Times))
	g.Days = make([]int, max(0, daysBetween(from, until)))
	first := monday(until).AddDate(0, 0, -7*(Weeks-1))
	for i := range Weeks {
		g.Weeks = append(g.Weeks, Week{From: first.AddDate(0, 0, 7*i)})
	}
	for _, r := range rows {
		g.add(r)
	}
	g.finish()
	return g.Figures
}

type gathering struct {
	Figures
	a         *agency.Agency
	measures  map[string]measured
	times     [][]int32
	offices   map[string]*Share
	verifiers map[string]*Share
}

// measured is an SOP as rows are held against it.
type measured struct {
	sop   *sop.SOP
	norms []int32
	place []int // of each element of Used among the steps of today's SOP; -1: it has none like it
}

func (g *gathering) measured(version string) measured {
	if m, ok := g.measures[version]; ok {
		return m
	}
	p := g.a.Procedure(version)
	m := measured{sop: p, norms: normsOf(p), place: []int{0}}
	for _, step := range p.Steps {
		m.place = append(m.place, slices.IndexFunc(g.a.SOP.Steps, func(now sop.Step) bool { return now.ID == step.ID })+1)
		if last := &m.place[len(m.place)-1]; *last == 0 {
			*last = -1
		}
	}
	g.measures[version] = m
	return m
}

func (m measured) title(step int) string {
	if step < 0 {
		return request.StepTitle(m.sop, request.TotalStep)
	}
	return m.sop.Steps[step].Title
}

func (g *gathering) within(at time.Time) bool { return !at.Before(g.From) && at.Before(g.Until) }

func (g *gathering) add(r Row) {
	if w := g.week(r.OpenedAt); w != nil {
		w.In++
	}
	office := share(g.offices, r.OfficeID)
	if g.within(r.OpenedAt) {
		g.In++
		office.In++
		if day := daysBetween(g.From, r.OpenedAt); day < len(g.Days) {
			g.Days[day]++
		}
	}
	if r.ClosedAt.IsZero() {
		return
	}
	m := g.measured(r.SOP)
	step, over, broken := r.Used.broken(m.norms)
	if w := g.week(r.ClosedAt); w != nil {
		if broken {
			w.Broken++
		} else {
			w.Kept++
		}
	}
	if !g.within(r.ClosedAt) {
		return
	}
	if r.Rejected {
		g.Refused++
	} else {
		g.Closed++
	}
	g.Kept, g.Broken = count(broken, g.Kept, g.Broken)
	if broken {
		g.Breaches = append(g.Breaches, Breach{Number: r.Number, Step: m.title(step), Over: over})
	}
	for _, s := range []*Share{office, share(g.verifiers, r.Decided)} {
		s.Kept, s.Broken = count(broken, s.Kept, s.Broken)
		if r.Rejected {
			s.Refused++
		}
		if len(r.Used) > 0 && r.Used[0] != NotEnded {
			s.whole = append(s.whole, r.Used[0])
		}
	}
	for i, used := range r.Used {
		if used == NotEnded || i > 0 && len(r.Used) != len(m.norms) || m.place[i] < 0 {
			continue
		}
		at := m.place[i]
		g.times[at] = append(g.times[at], used)
		if m.norms[i] > 0 && used > m.norms[i] {
			g.Times[at].Over++
		}
	}
}

func count(broken bool, kept, lost int) (int, int) {
	if broken {
		return kept, lost + 1
	}
	return kept + 1, lost
}

func share(in map[string]*Share, id string) *Share {
	if in[id] == nil {
		in[id] = &Share{ID: id}
	}
	return in[id]
}

// week is the trend's column of an instant; nil outside of it.
func (g *gathering) week(at time.Time) *Week {
	first := g.Weeks[0].From
	if at.Before(first) {
		return nil
	}
	if i := int(at.Sub(first) / (7 * 24 * time.Hour)); i < len(g.Weeks) && at.Before(g.Until) {
		return &g.Weeks[i]
	}
	return nil
}

func (g *gathering) finish() {
	for i, list := range g.times {
		g.Times[i].Count = len(list)
		g.Times[i].Median, g.Times[i].P90 = ranks(list)
	}
	slices.SortStableFunc(g.Breaches, func(a, b Breach) int {
		return cmp.Or(cmp.Compare(b.Over, a.Over), cmp.Compare(a.Number, b.Number))
	})
	g.Offices, g.Verifiers = shares(g.offices), shares(g.verifiers)
}

func shares(in map[string]*Share) []Share {
	out := make([]Share, 0, len(in))
	for _, s := range in {
		if s.In+s.Ended() == 0 {
			continue
		}
		s.Median, _ = ranks(s.whole)
		s.whole = nil
		out = append(out, *s)
	}
	slices.SortFunc(out, func(a, b Share) int {
		return cmp.Or(cmp.Compare(b.In+b.Ended(), a.In+a.Ended()), cmp.Compare(a.ID, b.ID))
	})
	return out
}

// ranks are the median and the 90th percentile by nearest rank. The list is sorted in place.
func ranks(list []int32) (median, p90 time.Duration) {
	if len(list) == 0 {
		return 0, 0
	}
	slices.Sort(list)
	at := func(percent int) time.Duration {
		return time.Duration(list[max((len(list)*percent+99)/100, 1)-1]) * time.Second
	}
	return at(50), at(90)
}

// daysBetween counts midnights; Indonesia has no daylight saving.
func daysBetween(from, until time.Time) int {
	until = until.In(from.Location())
	midnight := func(t time.Time) time.Time { return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC) }
	return int(midnight(until).Sub(midnight(from)) / (24 * time.Hour))
}

// Repeat is an applicant who asked more than once.
type Repeat struct {
	Applicant, Office string
	Numbers           []string
}
