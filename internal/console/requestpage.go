package console

import (
	"cmp"
	"crypto/hmac"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"slices"
	"time"

	"pulih/internal/agency"
	"pulih/internal/letter"
	"pulih/internal/report"
	"pulih/internal/request"
	"pulih/internal/sop"
	"pulih/internal/store"
)

// requestPage is Permohonan: what a verifier needs to decide, and what they can do.
type requestPage struct {
	base
	S          request.State
	Words      string
	Holder     string
	Clock      clock
	Letters    []letterView
	Facts      []fact
	Findings   []letter.Finding
	Timeline   []line
	Steps      []stepView
	Total      *stepView
	Checks     []sop.Requirement
	Can        can
	Seen       string // what an approval covers: see seal
	AMS        *amsState
	Guide      []string        // assisted mode: what to do in AMS
	NIK        string          // shown on a recorded click
	Portal     bool            // the facts have a column of AMS
	Below      []agency.Person // who a letter can be passed on to
	Verifiers  []agency.Person
	OwnRequest bool
	Newer      []string // what the directory knows now and the request doesn't
	Danger     bool     // there are findings of severity danger
	Compare    string   // what the verifier compares with the letter before they approve: "NIP dan e-mail"
	Reasons    []reason
	First      string // who gave the first of two approvals
	Path       string
	Related    []store.Request
	Doubts     []store.Doubt // other letters that may belong here
	Held       string        // why the reset waits
	Earlier    *sop.SOP      // in force when the letter came, where that isn't today's
	Officials  []officeGroup // for a correction
	Outages    []outageRow   // of partners, while this request was open
	WouldKeep  bool          // a broken promise would have been kept without them
}

type outageRow struct {
	report.Outage
	Title string
}

// can says which actions the page offers. request.Decide has the last word.
type can struct {
	Forward, Assign, Approve, Again, Second, Return, Reject, Complete, Confirm, CouldNot, Unsure, Observe, Reopen, Note, Correct, Part, Reveal, Explain bool
}

// stepView is a step of the SOP with its clock.
type stepView struct {
	Title, Who string
	Ended      time.Time
	Clock      clock
	State      string // done, now, later
	Without    string // the time used without the partners' outages, where that differs
}

func (c *Console) requestPage(p *page) error {
	d, err := c.loadRequest(p, p.PathValue("number"))
	if err != nil {
		return err
	}
	return c.show(p, http.StatusOK, "permohonan", d)
}

// loadRequest gathers the page. ErrNotFound: also for a number of another agency.
func (c *Console) loadRequest(p *page, number string) (*requestPage, error) {
	if _, err := c.o.Store.Request(p.ctx(), p.agency.Key, number); err != nil {
		return nil, err
	}
	events, err := c.o.Store.Events(p.ctx(), number)
	if err != nil {
		return nil, err
	}
	s := request.Fold(number, events)
	d := &requestPage{base: c.base(p, number, "Meja kerja"), S: s, Words: s.ForOffice(), Holder: holderWords(p.agency, p.who, s, p.now),
		Checks: p.agency.Procedure(s.SOPVersion).Requirements, Seen: c.seal(s.Subject), Path: "/" + p.agency.Key + "/permohonan/" + number, Verifiers: p.agency.Holders(sop.Verifier, p.now)}
	if d.Mark, err = c.o.Store.Mark(p.ctx(), p.agency.Key); err != nil {
		return nil, err
	}
	if earlier := p.agency.Procedure(s.SOPVersion); earlier != p.agency.SOP {
		d.Earlier = earlier
	}
	d.Findings = slices.Clone(s.Findings)
	slices.SortStableFunc(d.Findings, func(a, b letter.Finding) int { return cmp.Compare(weight(b.Severity), weight(a.Severity)) })
	if steps, total, err := request.Clocks(s, p.agency, p.now); err == nil {
		d.Clock = mainClock(s, p.agency, steps, total, p.now)
		d.setSteps(p, s, steps, total)
		d.Can.Explain = p.who.may(explainBreach) && anyOver(steps, total)
		if err := c.withoutOutages(p, d, steps, total); err != nil {
			return nil, err
		}
	}
	if d.NIK, err = c.revealed(p, s); err != nil {
		return nil, err
	}
	if err := c.loadLetters(p, d); err != nil {
		return nil, err
	}
	mails, err := c.o.Store.MailsOf(p.ctx(), number)
	if err != nil {
		return nil, err
	}
	d.Timeline = timeline(p.agency, s.SOPVersion, events, mails)
	d.Danger = slices.ContainsFunc(s.Findings, func(f letter.Finding) bool { return f.Severity == letter.Danger })
	d.Reasons = reasons
	if _, newer := fromDirectory(p.agency, s.Subject); s.Status.Open() && s.Booking == nil && p.who.may(decide) {
		d.Newer = newer
	}
	d.offer(p, s)
	if s.Approval != nil {
		d.First = s.Approval.By.Name
	}
	if d.Can.Confirm {
		d.Guide = c.guide(p, s.Subject, d.NIK, nil)
	}
	if d.AMS, err = c.amsState(p, 0); err != nil {
		return nil, err
	}
	if d.Held, err = c.o.Store.HeldFor(p.ctx(), number); err != nil {
		return nil, err
	}
	if d.Doubts, err = c.doubtsAbout(p, number); err != nil {
		return nil, err
	}
	if d.Can.Correct {
		d.Officials = officials(p.agency)
	}
	d.Related, err = c.related(p, s)
	return d, err
}

// related are the other requests of the same letters: one letter may ask for several people.
func (c *Console) related(p *page, s request.State) ([]store.Request, error) {
	var out []store.Request
	for _, l := range s.Letters {
		list, err := c.o.Store.RequestsOfLetter(p.ctx(), l.ID)
		if err != nil {
			return nil, err
		}
		for _, r := range list {
			if r.Number != s.Number && r.Agency == p.agency.Key && !slices.ContainsFunc(out, func(o store.Request) bool { return o.Number == r.Number }) {
				out = append(out, r)
			}
		}
	}
	return out, nil
}

func weight(s letter.Severity) int {
	return slices.Index([]letter.Severity{letter.Info, letter.Warning, letter.Danger}, s)
}

// seal is a mark of the subject that the verifier sees: if it has changed when they approve, the approval is refused. It is keyed, since it
// stands in a page and identity numbers can be guessed.
func (c *Console) seal(s request.Subject) string {
	plain, _ := json.Marshal(s) // strings: can't fail
	return hex.EncodeToString(c.o.Store.Keys.Lookup("subject", string(plain)))
}

// seen is the subject if it is the one that the mark was made of; else another one, so that Decide says what is wrong.
func (c *Console) seen(s request.Subject, mark string) request.Subject {
	if hmac.Equal([]byte(c.seal(s)), []byte(mark)) {
		return s
	}
	return request.Subject{Name: "berubah"}
}

func (d *requestPage) setSteps(p *page, s request.State, steps []request.StepClock, total *request.StepClock) {
	view := func(sc request.StepClock) stepView {
		v := stepView{Title: request.StepTitle(p.agency.Procedure(s.SOPVersion), sc.Step.ID), Ended: sc.End, Clock: clockOf(s, p.agency, sc, p.now), State: "later", Who: sc.By.Name}
		switch {
		case !sc.End.IsZero():
			v.State = "done"
		case !sc.Start.IsZero():
			v.State = "now"
		}
		if v.Who == "" || v.State != "done" {
			v.Who = ""
			for i, r := range sc.Step.Actors {
				if i > 0 {
					v.Who += " / "
				}
				v.Who += r.Title()
			}
		}
		return v
	}
	now := false
	for _, sc := range steps {
		v := view(sc)
		if v.State == "now" { // only the first is at work
			if now {
				v.State = "later"
			}
			now = true
		}
		d.Steps = append(d.Steps, v)
	}
	if total != nil {
		v := view(*total)
		d.Total = &v
	}
}

func anyOver(steps []request.StepClock, total *request.StepClock) bool {
	over := func(c request.StepClock) bool { return c.Reading != nil && c.Reading.Left < 0 }
	return slices.ContainsFunc(steps, over) || total != nil && over(*total)
}

// withoutOutages shows beside the clocks how they would stand without the partners' outages. The promise itself is the one with them.
func (c *Console) withoutOutages(p *page, d *requestPage, steps []request.StepClock, total *request.StepClock) error {
	until := p.now
	if !d.S.ClosedAt.IsZero() {
		until = d.S.ClosedAt
	}
	outages, err := c.o.Store.Outages(p.ctx(), p.agency.Key, d.S.OpenedAt, until, p.now)
	if err != nil || len(outages) == 0 {
		return err
	}
	for _, o := range outages {
		d.Outages = append(d.Outages, outageRow{o, o.Title()})
	}
	stepsNow, totalNow, err := report.ClocksWithout(d.S, p.agency, p.now, outages)
	if err != nil {
		return nil //nolint:nilerr // a year without a calendar: the page does without
	}
	tell := func(v *stepView, with, without request.StepClock) {
		if with.Reading != nil && without.Reading != nil && with.Reading.Used != without.Reading.Used {
			v.Without = with.Step.Norm.Say(without.Reading.Used)
		}
	}
	for i := range min(len(steps), len(stepsNow), len(d.Steps)) {
		tell(&d.Steps[i], steps[i], stepsNow[i])
	}
	if total != nil && totalNow != nil && d.Total != nil {
		tell(d.Total, *total, *totalNow)
	}
	d.WouldKeep = anyOver(steps, total) && !anyOver(stepsNow, totalNow)
	return nil
}

// offer decides which buttons stand on the page.
func (d *requestPage) offer(p *page, s request.State) {
	in := func(list ...request.Status) bool { return slices.Contains(list, s.Status) }
	w := p.who
	explain := d.Can.Explain
	d.Can = can{
		Explain:  explain,
		Part:     w.may(sortLetters) && len(s.Letters) > 1 && s.Status != request.StatusUncertain && (s.Approval == nil || !s.Status.Open()),
		Correct:  w.may(decide) && correctable(s.Status),
		Forward:  w.may(forward) && in(request.StatusReceived, request.StatusChain) && w.actor(forward).Role.Depth() <= s.Holder.Depth(),
		Assign:   w.may(assign) && in(request.StatusReceived, request.StatusChain, request.StatusChecking, request.StatusRefused),
		Approve:  w.may(decide) && in(request.StatusChecking, request.StatusRefused),
		Again:    w.may(decide) && in(request.StatusUncertain),
		Second:   w.may(decide) && in(request.StatusSecond),
		Return:   w.may(decide) && in(request.StatusChecking, request.StatusRefused, request.StatusSecond),
		Reject:   w.may(decide) && in(request.StatusChecking, request.StatusReturned, request.StatusRefused, request.StatusSecond, request.StatusUncertain),
		Complete: w.may(decide) && in(request.StatusReturned),
		Confirm:  w.may(decide) && in(request.StatusApproved, request.StatusWaitingSession, request.StatusPhoneCheck, request.StatusUncertain),
		Observe:  w.may(decide) && in(request.StatusLink, request.StatusPassphrase, request.StatusCertificate, request.StatusUncertain),
		Reopen:   w.may(decide) && in(request.StatusClosed, request.StatusRejected, request.StatusLink, request.StatusPassphrase, request.StatusCertificate),
		Unsure:   w.may(decide) && in(request.StatusApproved, request.StatusWaitingSession, request.StatusPhoneCheck),
		Note:     w.may(note),
		Reveal:   w.may(seeIdentity) && s.Subject.NIK != "",
	}
	d.Can.CouldNot = d.Can.Confirm
	own := agency.Digits(w.person.NIP) != "" && agency.Digits(w.person.NIP) == agency.Digits(s.Subject.NIP)
	if own || agency.SameAddress(w.person.Email, s.Subject.Email) {
		d.OwnRequest = true
		d.Can = can{Note: d.Can.Note, Explain: explain}
	}
	if d.Can.Second && s.Approval != nil && s.Approval.By.ID == w.person.ID {
		d.Can.Second = false
	}
	if d.Can.Forward {
		depth := w.actor(forward).Role.Depth()
		for _, r := range sop.Chain[depth+1:] {
			d.Below = append(d.Below, p.agency.Holders(r, p.now)...)
		}
	}
}
