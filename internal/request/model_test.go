package request_test

import (
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"pulih/internal/agency"
	"pulih/internal/request"
	"pulih/internal/sop"
)

// A model of the whole way from the approval to a usable signature: requests decided by this package, a queue, two daemons that crash at any
// step, a portal that loses any byte of the exchange, verifiers, applicants, sessions, the stop switch and a clock that jumps. The worker here
// does in memory what scheduler/reset.go does on PostgreSQL; scheduler/reset_history_test.go plays the same with the real one.

// TestHistoriesOfResets holds the invariants 3 and 4 of architecture.md, and that nothing waits for ever unless somebody was told.
func TestHistoriesOfResets(t *testing.T) {
	t.Parallel()
	rounds := 30
	if os.Getenv("PULIH_SOAK") != "" {
		rounds = 1000
	}
	for range rounds { // of 100 histories each
		rapid.Check(t, func(rt *rapid.T) {
			m := newModel(rt)
			for range rapid.IntRange(5, 60).Draw(rt, "length") {
				m.step()
			}
			m.rest()
			m.check()
		})
	}
}

type model struct {
	t        *rapid.T
	a        *agency.Agency
	now      time.Time
	cases    []*caseFile
	queue    []*queued
	sessions map[string]bool
	stopped  bool
	inARow   int
	locked   int // worker, -1: none
	workers  [2]worker
	calls    []*arrival
	late     []*arrival // a portal that acts when everybody has gone
	quiet    bool       // no more faults
	tick     int
}

// caseFile is one request with what the world knows of it.
type caseFile struct {
	number          string
	events          []request.Event
	ticks           []int // when each came, whatever the clock said
	state           request.State
	watched         bool
	phone           bool // the portal wants the telephone checked
	link            bool // a link lies in the applicant's mailbox
	renewed         bool // the certificate is newer than the reset
	toldAt, humanAt int  // ticks
}

type queued struct {
	c        *caseFile
	approval int
	due      time.Time
	next     time.Time
	done     bool
}

type arrival struct {
	c        *caseFile
	approval int
	executed bool
}

type worker struct {
	at   string // what it does next; empty: nothing
	row  *queued
	book request.Booking
	out  request.Kind
}

var verifiers = []string{"rini", "bagus", "sari"}

func modelAgency(mode agency.ResetMode, lends bool) *agency.Agency {
	zone := time.FixedZone("WIB", 7*3600)
	calendar, err := sop.NewCalendar(zone, sop.ShippedHours(), sop.ShippedClosedDays())
	if err != nil {
		panic(err)
	}
	procedure, err := sop.Shipped("purbalingga")
	if err != nil {
		panic(err)
	}
	a := &agency.Agency{Key: "purbalingga", Prefix: "PBG", Zone: zone, SOP: procedure, Calendar: calendar, Mode: mode, Rules: agency.Rules{LendSessions: lends, MailSkipsChain: true}}
	for i, id := range verifiers {
		a.Staff = append(a.Staff, agency.Person{ID: id, Name: "Verifikator " + id, NIP: fmt.Sprintf("19900101201501200%d", i), Email: id + "@contoh.go.id", Roles: []sop.Role{sop.Verifier}})
	}
	for _, role := range []sop.Role{sop.Head, sop.Division, sop.Section} {
		a.Staff = append(a.Staff, agency.Person{ID: string(role), Name: role.Title(), Email: string(role) + "@contoh.go.id", Roles: []sop.Role{role}})
	}
	return a
}

func newModel(t *rapid.T) *model {
	mode := rapid.SampledFrom([]agency.ResetMode{agency.AMS, agency.AMS, agency.Assisted}).Draw(t, "mode")
	m := &model{t: t, a: modelAgency(mode, rapid.Bool().Draw(t, "lends")), now: time.Date(2026, 11, 16, 8, 0, 0, 0, time.FixedZone("WIB", 7*3600)),
		sessions: map[string]bool{}, locked: -1}
	for i := range rapid.IntRange(1, 3).Draw(t, "requests") {
		c := &caseFile{number: fmt.Sprintf("PBG-2026-%06d", i+1), phone: rapid.IntRange(0, 4).Draw(t, "phone") == 0}
		c.state = request.Fold(c.number, nil)
		who := rapid.IntRange(0, 1).Draw(t, "applicant") // two letters may be about one person
		subject := request.Subject{Name: fmt.Sprintf("Pemohon %d", who), NIP: fmt.Sprintf("19850505201001100%d", who), Email: fmt.Sprintf("pemohon%d@contoh.go.id", who), Known: true}
		if rapid.IntRange(0, 9).Draw(t, "verifier's own") == 0 {
			subject.NIP, subject.Email = m.a.Staff[0].NIP, m.a.Staff[0].Email
		}
		m.cases = append(m.cases, c)
		m.act(c, request.Open{Letter: request.Letter{ID: int64(i + 1), Channel: "mail", ReceivedAt: m.now}, Subject: subject, By: request.Actor{Role: sop.Applicant}})
	}
	return m
}

// act decides a command and keeps what follows, all or nothing.
func (m *model) act(c *caseFile, cmds ...request.Command) bool {
	m.tick++
	state, events := c.state, []request.Event(nil)
	var effects []request.Effect
	for _, cmd := range cmds {
		switch known := cmd.(type) {
		case request.Approve:
			known.Facts = m.facts(c, known.By.ID)
			cmd = known
		case request.Book:
			known.Facts = m.facts(c, known.Booking.Verifier)
			cmd = known
		case request.Confirm:
			known.Facts = m.facts(c, known.By.ID)
			cmd = known
		}
		e, f, err := request.Decide(state, cmd, m.a, m.now)
		if err != nil {
			return false
		}
		events, effects, state = append(events, e...), append(effects, f...), state.With(e)
	}
	c.events, c.state = append(c.events, events...), state
	for range events {
		c.ticks = append(c.ticks, m.tick)
	}
	for _, effect := range effects {
		switch e := effect.(type) {
		case request.Mail:
			c.toldAt = m.tick
		case request.Reset:
			m.enqueue(c, c.state.Approval.Version, e.Due)
		case request.Watch:
			c.watched = true
		}
	}
	return true
}

func (m *model) enqueue(c *caseFile, approval int, due time.Time) {
	for _, q := range m.queue {
		if q.c == c && q.approval == approval {
			q.done = false
			return
		}
	}
	m.queue = append(m.queue, &queued{c: c, approval: approval, due: due})
	slices.SortStableFunc(m.queue, func(a, b *queued) int { return a.due.Compare(b.due) })
}

func (m *model) facts(c *caseFile, verifier string) request.Facts {
	f := request.Facts{Stopped: m.stopped}
	for _, other := range m.cases {
		for _, e := range other.events {
			switch e.Kind {
			case request.ResetAccepted, request.ResetConfirmed, request.ResetUncertain:
				if other != c && other.state.Subject.NIP == c.state.Subject.NIP && e.At.After(f.LastReset) {
					f.LastReset = e.At
				}
			}
		}
	}
	return f
}

func (m *model) step() {
	c := m.cases[rapid.IntRange(0, len(m.cases)-1).Draw(m.t, "case")]
	switch action := rapid.IntRange(0, 23).Draw(m.t, "action"); {
	case action < 9:
		m.work(rapid.IntRange(0, 1).Draw(m.t, "worker"))
	case action < 14:
		m.verifier(c)
	case action == 14:
		m.crash(rapid.IntRange(0, 1).Draw(m.t, "crash"))
	case action == 15:
		m.applicant(c)
	case action == 16:
		m.sessions[rapid.SampledFrom(verifiers).Draw(m.t, "who")] = rapid.Bool().Draw(m.t, "in")
	case action == 17:
		m.wake()
	case action == 18:
		m.stopped = rapid.IntRange(0, 2).Draw(m.t, "stop") == 0
	case action == 19:
		jump := rapid.SampledFrom([]time.Duration{time.Second, time.Minute, time.Hour, 24 * time.Hour, 8 * 24 * time.Hour, -time.Hour}).Draw(m.t, "jump")
		m.now = m.now.Add(jump)
	case action == 20:
		m.sweep()
	case action == 21:
		m.look(c)
	case action == 22:
		c.phone = false
	case action == 23:
		m.arriveLate()
	}
}

// wake plays a sign-in of everybody, which has all of the queue tried at once.
func (m *model) wake() {
	for _, v := range verifiers {
		m.sessions[v] = true
	}
	for _, q := range m.queue {
		q.next = time.Time{}
	}
}

func (m *model) verifier(c *caseFile) {
	by := request.Actor{Role: sop.Verifier, ID: rapid.SampledFrom(verifiers).Draw(m.t, "verifier"), Via: "console"}
	var cmd request.Command
	switch rapid.IntRange(0, 10).Draw(m.t, "decision") {
	default:
		cmd = request.Approve{By: by, Subject: c.state.Subject, SeenRisks: true, Text: "di AMS tidak tampak pengiriman"}
	case 5:
		cmd = request.Approve{By: by, Subject: c.state.Subject}
	case 6:
		cmd = request.CouldNot{By: by, Text: "tidak terkirim"}
	case 7:
		cmd = request.Unsure{By: by}
	case 8:
		cmd = request.Confirm{By: by}
	case 9:
		cmd = request.Reopen{By: by, Text: "tautan tidak sampai"}
	case 10:
		cmd = request.Return{By: by, Missing: []string{"stempel"}}
	}
	if m.act(c, cmd) {
		c.humanAt = m.tick
	}
}

func (m *model) applicant(c *caseFile) {
	by := request.Actor{Role: sop.Applicant, Via: "status"}
	switch rapid.IntRange(0, 3).Draw(m.t, "applicant") {
	case 0:
		if c.link {
			c.link, c.renewed = false, true
		}
	case 1:
		if c.renewed {
			m.act(c, request.Observe{Kind: request.Usable, At: m.now, By: by})
		}
	case 2:
		m.act(c, request.Trouble{By: by, Text: "belum ada e-mail"})
	case 3:
		m.act(c, request.Complete{By: by, Letter: &request.Letter{ID: 99, ReceivedAt: m.now}})
	}
}

func (m *model) look(c *caseFile) {
	if c.watched && c.renewed && len(m.sessions) > 0 {
		m.act(c, request.Observe{Kind: request.CertificateIssued, At: m.now, By: request.Actor{Role: sop.BSrE, Via: "ams"}}, request.Observe{Kind: request.Usable, At: m.now, By: request.Actor{Role: sop.BSrE, Via: "ams"}})
	}
}

// sweep tells of the clocks' marks that have come.
func (m *model) sweep() {
	for _, c := range m.cases {
		due, err := request.Reminders(c.state, m.a, m.now)
		if err != nil {
			m.t.Fatal(err)
		}
		m.act(c, request.Remind{Due: due})
	}
}

func (m *model) crash(i int) {
	w := &m.workers[i]
	if w.at == "exchange" && rapid.Bool().Draw(m.t, "left before the crash") {
		m.arrive(w, rapid.Bool().Draw(m.t, "acted"))
	}
	if m.locked == i {
		m.locked = -1
	}
	*w = worker{}
}

func (m *model) arrive(w *worker, executed bool) {
	m.calls = append(m.calls, &arrival{w.row.c, w.book.Approval, executed})
	w.row.c.link = w.row.c.link || executed
}

// arriveLate has the portal act on what its client gave up long ago.
func (m *model) arriveLate() {
	for _, l := range m.late {
		l.executed, l.c.link = true, true
		m.calls = append(m.calls, l)
	}
	m.late = nil
}
