package request_test

import (
	"reflect"
	"slices"
	"time"

	"pgregory.net/rapid"

	"pulih/internal/request"
	"pulih/internal/sop"
)

// The model's worker and portal, and what must hold at the end of a history.

// work has a worker take its next step. A crash may come between any two.
func (m *model) work(i int) {
	w := &m.workers[i]
	switch w.at {
	case "":
		if m.locked == -1 {
			m.locked, w.at = i, "settle"
		}
	case "settle":
		for _, c := range m.cases {
			if c.state.Status == request.StatusBooked {
				m.settle(c, request.Outcome{Kind: request.ResetUncertain, By: request.System})
			}
		}
		w.at = "choose"
	case "choose":
		w.at = ""
		if !m.stopped && m.choose(w) {
			w.at = "book"
		} else {
			m.locked = -1
		}
	case "book":
		w.at = "exchange"
		if m.stopped || !m.act(w.row.c, request.Book{Booking: w.book}) {
			w.row.next = m.now.Add(time.Minute)
			w.at = "choose"
		} else {
			w.row.done = true
		}
	case "exchange":
		w.out = m.exchange(w)
		w.at = "outcome"
	case "outcome":
		m.settle(w.row.c, request.Outcome{Approval: w.book.Approval, Kind: w.out, By: request.Actor{Role: sop.BSrE, Via: "ams"}})
		if w.out == request.ResetNotSent {
			w.row.next = m.now.Add(time.Minute)
		}
		w.at = "settle"
	}
}

// settle: an outcome is never refused, whenever it comes.
func (m *model) settle(c *caseFile, o request.Outcome) {
	if !m.act(c, o) {
		m.t.Fatalf("the outcome %s was refused in %s", o.Kind, c.state.Status)
	}
	switch o.Kind {
	case request.ResetUncertain:
		m.inARow++
	case request.ResetAccepted, request.ResetRefused:
		m.inARow = 0
	}
	if m.inARow >= 3 {
		m.stopped, m.inARow = true, 0
		for _, c := range m.cases { // verifiers and operator are told that everything stands still
			c.toldAt = m.tick
		}
	}
}

// choose finds the most urgent reset that can be made now, as resetOne and prepare do.
func (m *model) choose(w *worker) bool {
	for _, q := range m.queue {
		if q.done || q.next.After(m.now) {
			continue
		}
		c, s := q.c, q.c.state
		if s.Approval == nil || s.Approval.Version != q.approval || s.Booking != nil || !s.Status.AwaitsReset() {
			q.done = true
			continue
		}
		verifier := m.lend(s)
		facts := m.facts(c, verifier)
		last := facts.LastReset
		if s.LastReset.After(last) {
			last = s.LastReset
		}
		switch {
		case verifier == "":
			told := slices.ContainsFunc(m.cases, func(o *caseFile) bool {
				return o.state.Status == request.StatusWaitingSession && o.state.Approval.By.ID == s.Approval.By.ID
			})
			m.act(c, request.AwaitSession{Quiet: told})
			q.next = m.now.Add(time.Minute)
		case s.LastCall != nil && s.Tried && c.renewed:
			m.look(c)
			q.done = true
		case !last.IsZero() && m.now.Sub(last) < 7*24*time.Hour && s.Approval.Second == nil:
			m.act(c, request.Unable{Text: "sudah ada reset"})
			q.done = true
		case c.phone:
			m.act(c, request.AskPhone{Again: s.PhoneAsked == s.Approval.Version})
			q.next = m.now.Add(time.Minute)
		default:
			w.row, w.book = q, request.Booking{Approval: q.approval, UID: "u", Serial: "5A", Email: s.Approval.Subject.Email, Verifier: verifier}
			return true
		}
	}
	return false
}

func (m *model) lend(s request.State) string {
	if m.sessions[s.Approval.By.ID] {
		return s.Approval.By.ID
	}
	for _, p := range m.a.Staff {
		if m.a.Rules.LendSessions && m.sessions[p.ID] && !s.Subject.Is(p) {
			return p.ID
		}
	}
	return ""
}

const asking, answering = 420, 230 // bytes of a call and of its answer

// exchange makes the one call, cut at any byte, refused, or answered by a machine in between.
func (m *model) exchange(w *worker) request.Kind {
	if m.quiet {
		m.arrive(w, true)
		return request.ResetAccepted
	}
	switch rapid.IntRange(0, 9).Draw(m.t, "fault") {
	case 0:
		return request.ResetNotSent // nobody answers the dial
	case 1: // cut while asking: the portal acts only on the whole of it
		if rapid.IntRange(0, asking).Draw(m.t, "at") == asking {
			m.arrive(w, true)
		}
		return request.ResetUncertain
	case 2: // cut while answering
		m.arrive(w, true)
		if rapid.IntRange(0, answering).Draw(m.t, "at") < answering {
			return request.ResetUncertain
		}
		return request.ResetAccepted
	case 3: // 5xx, HTML, a time-out: it may have acted or not
		m.arrive(w, rapid.Bool().Draw(m.t, "acted"))
		return request.ResetUncertain
	case 4: // acts when its client has long gone
		m.late = append(m.late, &arrival{c: w.row.c, approval: w.book.Approval})
		return request.ResetUncertain
	case 5:
		m.arrive(w, false)
		return request.ResetRefused
	}
	m.arrive(w, true)
	return request.ResetAccepted
}

// rest plays the time after the history: the daemons run, nothing fails any more, and no human does anything.
func (m *model) rest() {
	m.crash(0)
	m.crash(1)
	m.quiet = true
	m.arriveLate()
	for range 60 {
		m.now = m.now.Add(5 * time.Hour)
		if open, err := m.a.Calendar.NextOpen(m.now); err == nil && !m.a.Calendar.Open(m.now) {
			m.now = open
		}
		for range 12 {
			m.work(0)
			m.work(1)
		}
		m.sweep()
		for _, c := range m.cases {
			m.look(c)
		}
	}
}

func (m *model) check() {
	for i, call := range m.calls {
		for _, other := range m.calls[:i] {
			if other.c == call.c && other.approval == call.approval {
				m.t.Errorf("%s: two calls on approval %d", call.c.number, call.approval)
			}
		}
		m.checkApproval(call)
	}
	for _, c := range m.cases {
		if folded := request.Fold(c.number, c.events); !reflect.DeepEqual(folded, c.state) {
			m.t.Errorf("%s: the events fold to another state", c.number)
		}
		if c.state.Status == request.StatusBooked {
			m.t.Errorf("%s: a booked call was forgotten", c.number)
		}
		waits := c.state.Status.Open() && c.state.Status != request.StatusReturned
		if waits && c.toldAt < c.humanAt {
			m.t.Errorf("%s waits in %s, and nobody was told since a human acted\n%s", c.number, c.state.Status, story(c))
		}
	}
}

// checkApproval: a call follows an approval by a verifier who isn't the applicant, on exactly this person; after an earlier reset of theirs, by
// two verifiers, unless that one's outcome was unknown and the verifier says why once more.
func (m *model) checkApproval(call *arrival) {
	c := call.c
	if call.approval < 1 || call.approval > len(c.events) || c.events[call.approval-1].Kind != request.Approved {
		m.t.Fatalf("%s: a call without an approval", c.number)
	}
	approved := c.events[call.approval-1]
	p, ok := m.a.Person(approved.By.ID)
	if !ok || approved.Subject.Is(p) || approved.Subject.Email != c.events[0].Subject.Email {
		m.t.Errorf("%s: approved by %q", c.number, approved.By.ID)
	}
	booked, second := -1, ""
	for i, e := range c.events {
		if e.Kind == request.ResetBooked && e.Booking.Approval == call.approval {
			booked = i
		}
		if e.Kind == request.Approved && i > call.approval-1 && second == "" && booked < 0 {
			second = e.By.ID
		}
	}
	if booked < 0 {
		m.t.Fatalf("%s: a call that was never booked", c.number)
	}
	if approved.Mark != "" && (second == "" || second == approved.By.ID) {
		m.t.Errorf("%s: a repeated reset with one verifier", c.number)
	}
	if approved.Again && approved.Text == "" {
		m.t.Errorf("%s: a second call that nobody gave a reason for", c.number)
	}
	for _, other := range m.cases {
		for i, e := range other.events {
			made := e.Kind == request.ResetAccepted || e.Kind == request.ResetConfirmed || e.Kind == request.ResetUncertain && other != c
			same := other.state.Subject.NIP == c.state.Subject.NIP && other.ticks[i] < c.ticks[booked]
			if made && same && c.events[booked].At.Sub(e.At) < 7*24*time.Hour && approved.Mark == "" {
				m.t.Errorf("%s: a reset after %s of %s by one verifier alone\n%s", c.number, e.Kind, other.number, story(c))
			}
		}
	}
}

func story(c *caseFile) (out string) {
	for _, e := range c.events {
		out += "  " + string(e.Kind) + " " + e.At.Format("01-02 15:04") + " " + e.By.ID + " " + e.Step + "/" + e.Mark + "\n"
	}
	return out
}
