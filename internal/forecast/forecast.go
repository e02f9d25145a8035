// Package forecast plays an office on a fast clock: letters arrive at random, people of the chain and verifiers work them off by the same
// rules and on the same calendar as the service itself, and the figures say how many promises would be kept and where the queue forms. It is
// pure and in memory; the same seed gives the same year.
package forecast

import (
	"container/heap"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"pulih/internal/agency"
	"pulih/internal/report"
	"pulih/internal/request"
	"pulih/internal/sop"
)

// Plan is what is assumed. Defaults holds the shipped guesses; all of them are printed with the answer.
type Plan struct {
	Arrivals  float64 // letters on a working day, on average
	Verifiers int
	Days      int       // working days
	Start     time.Time // the first of them
	Seed      uint64

	Glance      time.Duration // until an official of the chain looks at a new letter, on average, in office hours
	Look        time.Duration // the same for the verifiers
	Forward     time.Duration // hands-on work to pass a letter on, each level
	Check       time.Duration // hands-on work of a verifier to check a request
	Reset       time.Duration // hands-on work of a verifier to make the reset in AMS
	ChiefShare  float64       // of their office hours that heads have for letters
	VerifyShare float64       // of their office hours that verifiers have for requests
	After       float64       // share of the letters that come after office hours
	Returned    float64       // share of the requests that lack something
	Answer      time.Duration // until the office completes it, on average, in office hours
	Link        time.Duration // until BSrE mails the link, on average
	Passphrase  time.Duration // until the applicant sets the passphrase, on average
	Certificate time.Duration // until the certificate has been issued, on average
}

// Defaults are guesses where nobody has measured: `pulih digest` tells the office's own figures.
func Defaults() Plan {
	return Plan{
		Arrivals: 40, Verifiers: 3, Days: 250, Seed: 1, Glance: 20 * time.Minute, Look: 10 * time.Minute, Forward: time.Minute,
		Check: 6 * time.Minute, Reset: 8 * time.Minute, ChiefShare: 0.4, VerifyShare: 0.6,
		After: 0.1, Returned: 0.08, Answer: 8 * time.Hour, Link: 5 * time.Minute, Passphrase: 40 * time.Minute, Certificate: time.Hour,
	}
}

// Desk is how one role fared.
type Desk struct {
	Role       sop.Role
	People     int
	Done       int
	Busy       float64       // share of the time that its people have for it, 1 is all
	Wait       time.Duration // office hours that work waited before somebody took it up, on average
	LongestRow int           // the most that ever waited
}

// Result is the answer for one number of verifiers.
type Result struct {
	Plan    Plan
	Figures report.Figures
	Open    int // still open at the end
	Desks   []Desk
	Backlog []int // what waited at the verifiers at the close of each working day
}

// Kept is the share of kept promises, 0 to 1; 1 when none was put to the test.
func (r Result) Kept() float64 {
	n := r.Figures.Kept + r.Figures.Broken
	if n == 0 {
		return 1
	}
	return float64(r.Figures.Kept) / float64(n)
}

// Run plays the plan. The agency gives SOP, calendar and rules; its people are replaced by as many as the plan has. Errors come from the
// calendar: a year without closed days.
func Run(a *agency.Agency, p Plan) (Result, error) {
	if p.Arrivals <= 0 || p.Verifiers < 1 || p.Days < 1 {
		return Result{}, errors.New("a forecast needs letters, verifiers and days")
	}
	o := newOffice(a, p)
	if err := o.arrivals(); err != nil {
		return Result{}, err
	}
	for len(o.events) > 0 {
		e := heap.Pop(&o.events).(event)
		if e.at.After(o.until) {
			break
		}
		o.now = e.at
		if err := e.do(); err != nil {
			return Result{}, err
		}
	}
	return o.result()
}

// office is the world at work.
type office struct {
	*agency.Agency
	plan   Plan
	rng    *rand.Rand
	now    time.Time
	until  time.Time
	events queue
	serial int
	states []request.State
	desks  map[sop.Role]*desk
	chain  []sop.Role
	days   []time.Time // closes of the working days
	seen   []int
}

// desk is a role's people with the work before them.
type desk struct {
	role  sop.Role
	share float64
	look  time.Duration
	free  int
	row   []work
	Desk
	waited time.Duration
	worked time.Duration
}

type work struct {
	since  time.Time
	length time.Duration
	do     func() error
}

func newOffice(a *agency.Agency, p Plan) *office {
	copied := *a
	copied.Mode, copied.Staff, copied.Offices = agency.Assisted, nil, nil
	copied.Rules.DailyResets = math.MaxInt32
	o := &office{Agency: &copied, plan: p, rng: rand.New(rand.NewPCG(p.Seed, 7)), desks: map[sop.Role]*desk{}}
	o.chain = chain(a.SOP)
	for _, role := range append(slices.Clone(o.chain), sop.Verifier) {
		d := &desk{role: role, share: p.ChiefShare, look: p.Glance, free: 1}
		if role == sop.Verifier {
			d.share, d.look, d.free = p.VerifyShare, p.Look, p.Verifiers
		}
		d.Desk = Desk{Role: role, People: d.free}
		o.desks[role] = d
		for i := range d.People {
			copied.Staff = append(copied.Staff, agency.Person{ID: fmt.Sprint(role, i), Name: fmt.Sprint(role.Title(), " ", i+1), Roles: []sop.Role{role}})
		}
	}
	return o
}

// chain are the roles that pass a letter on, from the top.
func chain(p *sop.SOP) []sop.Role {
	var out []sop.Role
	for _, role := range sop.Chain[:len(sop.Chain)-1] {
		if role == sop.Head || slices.ContainsFunc(p.Steps, func(s sop.Step) bool { return s.Ends == sop.EndsDisposition && slices.Contains(s.Actors, role) }) {
			out = append(out, role)
		}
	}
	return out
}

// arrivals books all letters: a Poisson number each working day, over the office hours or the evening after them.
func (o *office) arrivals() error {
	at := o.plan.Start
	for range o.plan.Days {
		next, err := o.Calendar.NextOpen(at)
		if err != nil {
			return fmt.Errorf("the calendar ends before the forecast does: %w", err)
		}
		hours := o.Calendar.Hours(next)
		open, closed := hours[0].From, hours[len(hours)-1].Until
		for range o.poisson(o.plan.Arrivals) {
			arrival := open.Add(time.Duration(o.rng.Float64() * float64(closed.Sub(open))))
			if o.rng.Float64() < o.plan.After {
				arrival = closed.Add(time.Duration(o.rng.Float64() * float64(4*time.Hour)))
			}
			o.book(arrival, func() error { return o.receive() })
		}
		o.book(closed, func() error { o.seen = append(o.seen, len(o.desks[sop.Verifier].row)); return nil })
		o.days = append(o.days, closed)
		o.until = closed
		at = time.Date(next.Year(), next.Month(), next.Day()+1, 0, 0, 0, 0, next.Location())
	}
	return nil
}

func (o *office) poisson(mean float64) int {
	n, p, limit := 0, 1.0, math.Exp(-min(mean, 500))
	for {
		if p *= o.rng.Float64(); p <= limit {
			return n
		}
		n++
	}
}

// around is a random length with this mean: most are shorter, some much longer.
func (o *office) around(mean time.Duration) time.Duration {
	const spread = 0.6
	return time.Duration(float64(mean) * math.Exp(o.rng.NormFloat64()*spread-spread*spread/2))
}

func (o *office) book(at time.Time, do func() error) {
	o.serial++
	heap.Push(&o.events, event{at: at, order: o.serial, do: do})
}

// later books something that takes its time, whoever works.
func (o *office) later(mean time.Duration, do func() error) { o.book(o.now.Add(o.around(mean)), do) }

// give lays work on a role's desk, where it is seen after a while.
func (o *office) give(role sop.Role, mean time.Duration, do func() error) error {
	d := o.desks[role]
	w := work{since: o.now, length: time.Duration(float64(o.around(mean)) / d.share), do: do}
	seen, err := o.Calendar.Due(sop.Norm{Length: max(o.around(d.look), time.Second), Clock: sop.Working}, o.now, nil)
	if err != nil {
		return err
	}
	o.book(seen, func() error {
		d.row = append(d.row, w)
		d.LongestRow = max(d.LongestRow, len(d.row))
		return o.take(d)
	})
	return nil
}

// goOn lays the second half of a work on the desk at once: nobody has to look for what they have in hand.
func (o *office) goOn(role sop.Role, mean time.Duration, do func() error) error {
	d := o.desks[role]
	d.row = slices.Insert(d.row, 0, work{since: o.now, length: time.Duration(float64(o.around(mean)) / d.share), do: do})
	d.LongestRow = max(d.LongestRow, len(d.row))
	return o.take(d)
}

// take lets a free person begin what waits longest; they work in office hours only.
func (o *office) take(d *desk) error {
	for d.free > 0 && len(d.row) > 0 {
		w := d.row[0]
		d.row = d.row[1:]
		d.free--
		waited, err := o.Calendar.Used(sop.Working, w.since, o.now, nil)
		if err != nil {
			return err
		}
		done, err := o.Calendar.Due(sop.Norm{Length: w.length, Clock: sop.Working}, o.now, nil)
		if err != nil {
			return err
		}
		d.waited, d.worked = d.waited+waited, d.worked+w.length
		d.Done++
		o.book(done, func() error {
			d.free++
			return errors.Join(w.do(), o.take(d))
		})
	}
	return nil
}

// act carries out commands by the service's own rules.
func (o *office) act(i int, cmds ...request.Command) error {
	for _, cmd := range cmds {
		events, _, err := request.Decide(o.states[i], cmd, o.Agency, o.now)
		if err != nil {
			return fmt.Errorf("request %d on %s: %w", i+1, o.now.Format("2006-01-02 15.04"), err)
		}
		o.states[i] = o.states[i].With(events)
	}
	return nil
}

func (o *office) actor(role sop.Role) request.Actor {
	return request.Actor{Role: role, ID: fmt.Sprint(role, 0), Name: role.Title(), Via: "srikandi"}
}

func (o *office) receive() error {
	i := len(o.states)
	o.states = append(o.states, request.Fold(fmt.Sprintf("%s-%06d", o.Prefix, i+1), nil))
	subject := request.Subject{Name: fmt.Sprint("Pemohon ", i+1), NIP: fmt.Sprintf("%018d", i+1), Email: fmt.Sprintf("pemohon%d@contoh.example", i+1), Known: true}
	if err := o.act(i, request.Open{Letter: request.Letter{ID: int64(i + 1), Channel: "srikandi", SrikandiID: fmt.Sprint(i), ReceivedAt: o.now}, Subject: subject}); err != nil {
		return err
	}
	return o.forward(i, 0)
}

// forward passes the letter down level by level.
func (o *office) forward(i, level int) error {
	if level == len(o.chain) {
		return o.check(i)
	}
	role, next := o.chain[level], sop.Verifier
	if level+1 < len(o.chain) {
		next = o.chain[level+1]
	}
	return o.give(role, o.plan.Forward, func() error {
		if err := o.act(i, request.Forward{By: o.actor(role), To: []request.Actor{o.actor(next)}}); err != nil {
			return err
		}
		return o.forward(i, level+1)
	})
}

// check is the verifier's part: the papers, sometimes a return, then the reset.
func (o *office) check(i int) error {
	verifier := o.actor(sop.Verifier)
	return o.give(sop.Verifier, o.plan.Check, func() error {
		if len(o.states[i].Pauses) == 0 && o.rng.Float64() < o.plan.Returned {
			if err := o.act(i, request.Return{By: verifier, Missing: []string{"stempel"}}); err != nil {
				return err
			}
			back, err := o.Calendar.Due(sop.Norm{Length: o.around(o.plan.Answer), Clock: sop.Working}, o.now, nil)
			if err != nil {
				return err
			}
			o.book(back, func() error {
				if err := o.act(i, request.Complete{By: verifier}); err != nil {
					return err
				}
				return o.check(i)
			})
			return nil
		}
		if err := o.act(i, request.Approve{By: verifier, Subject: o.states[i].Subject}); err != nil {
			return err
		}
		return o.goOn(sop.Verifier, o.plan.Reset, func() error {
			if err := o.act(i, request.Confirm{By: verifier}); err != nil {
				return err
			}
			o.finish(i)
			return nil
		})
	})
}

// finish is what BSrE and the applicant do: nobody of the office can hasten it.
func (o *office) finish(i int) {
	bsre := request.Actor{Role: sop.BSrE, Name: "BSrE", Via: "ams"}
	see := func(kind request.Kind) error { return o.act(i, request.Observe{Kind: kind, At: o.now, By: bsre}) }
	o.later(o.plan.Link, func() error {
		if err := see(request.LinkMailed); err != nil {
			return err
		}
		o.later(o.plan.Passphrase, func() error {
			if err := see(request.PassphraseSet); err != nil {
				return err
			}
			o.later(o.plan.Certificate, func() error { return see(request.Usable) })
			return nil
		})
		return nil
	})
}

func (o *office) result() (Result, error) {
	r := Result{Plan: o.plan, Backlog: o.seen}
	var rows []report.Row
	for _, s := range o.states {
		row, err := report.Measure(s, o.Agency)
		if err != nil {
			return r, err
		}
		if row.ClosedAt.IsZero() {
			r.Open++
		}
		rows = append(rows, row)
	}
	from := time.Date(o.plan.Start.Year(), o.plan.Start.Month(), o.plan.Start.Day(), 0, 0, 0, 0, o.Zone)
	r.Figures = report.Sum(rows, o.Agency, from, o.until.Add(time.Second))
	hours, err := o.Calendar.Used(sop.Working, from, o.until, nil)
	if err != nil {
		return r, err
	}
	for _, role := range append(slices.Clone(o.chain), sop.Verifier) {
		d := o.desks[role]
		d.Busy = float64(d.worked) / (float64(hours) * float64(d.People))
		if d.Done > 0 {
			d.Wait = d.waited / time.Duration(d.Done)
		}
		r.Desks = append(r.Desks, d.Desk)
	}
	return r, nil
}

// event is something that happens; those of one instant happen in the order in which they were booked.
type event struct {
	at    time.Time
	order int
	do    func() error
}

type queue []event

func (q queue) Len() int { return len(q) }
func (q queue) Less(i, j int) bool {
	if q[i].at.Equal(q[j].at) {
		return q[i].order < q[j].order
	}
	return q[i].at.Before(q[j].at)
}
func (q queue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *queue) Push(x any)   { *q = append(*q, x.(event)) }
func (q *queue) Pop() any {
	old := *q
	last := old[len(old)-1]
	*q = old[:len(old)-1]
	return last
}
