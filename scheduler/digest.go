package scheduler

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"pulih/internal/complaint"
	"pulih/internal/report"
	"pulih/internal/request"
	"pulih/internal/sop"
	"pulih/internal/store"
	"pulih/mailflow"
)

func isDigest(template string) bool { return slices.Contains(mailflow.DigestTemplates(), template) }

// digest makes the report that a row of the outbox announces, as things stand now.
func (d *Daemon) digest(ctx context.Context, t *tenant, m store.Outgoing) (mailflow.Digest, error) {
	from, until, office, err := spanOf(m)
	if err != nil {
		return mailflow.Digest{}, err
	}
	out, err := d.Report(ctx, t.Key, m.Template, office, from, until)
	out.To = mailflow.NoticePerson{Kind: noticeKind(m.Kind), Name: m.Name, Address: m.Address}
	return out, err
}

// spanOf reads what DigestNotice wrote.
func spanOf(m store.Outgoing) (from, until time.Time, office string, err error) {
	words := strings.SplitN(m.Items[0].Text, " ", 3)
	if len(words) != 3 {
		return from, until, "", fmt.Errorf("report %d has no period", m.ID)
	}
	from, err1 := time.Parse(time.RFC3339, words[0])
	until, err2 := time.Parse(time.RFC3339, words[1])
	if err := errors.Join(err1, err2); err != nil {
		return from, until, "", fmt.Errorf("report %d: %w", m.ID, err)
	}
	return from, until, words[2], nil
}

// How many rows of a list are looked at; what a mail shows is fewer (mailflow.Digest).
const (
	listed       = 10
	workListed   = 300
	fallingToday = 300
)

// Report computes a digest of one of mailflow.DigestTemplates over [from, until), for an office or, with an empty one, the whole agency.
func (d *Daemon) Report(ctx context.Context, agencyKey, template, office string, from, until time.Time) (mailflow.Digest, error) {
	t, err := d.tenant(ctx, agencyKey)
	if err != nil {
		return mailflow.Digest{}, err
	}
	if t == nil {
		return mailflow.Digest{}, fmt.Errorf("agency %s: %w", agencyKey, store.ErrNotFound)
	}
	r := reporting{d: d, t: t, ctx: ctx, office: office, now: d.now().In(t.Zone)}
	r.out = mailflow.Digest{Template: template, Now: r.now, From: from.In(t.Zone), Until: until.In(t.Zone), Agency: mailflow.NoticeAgencyOf(t.Agency)}
	if o, ok := t.Office(office); ok {
		r.out.Office = o.Name
	}
	if t.SOP.Total != nil {
		r.out.Promise = mailflow.NoticeNorm(*t.SOP.Total)
	}
	if d.cfg.PublicURL != "" {
		r.out.Links.Desk = strings.TrimSuffix(d.cfg.PublicURL, "/") + "/" + t.Key
	}
	parts := []func() error{r.ended, r.waiting, r.due, r.complaints}
	if template == mailflow.DigestVerifier {
		parts = append(parts, r.work, r.letters)
	}
	for _, part := range parts {
		if err := part(); err != nil {
			return r.out, err
		}
	}
	return r.out, nil
}

// reporting gathers one digest.
type reporting struct {
	d      *Daemon
	t      *tenant
	ctx    context.Context
	office string
	now    time.Time
	out    mailflow.Digest
}

// seenAt is the instant as of which open requests are told: the period's end, or now while it lasts.
func (r *reporting) seenAt() time.Time {
	if r.out.Until.Before(r.now) {
		return r.out.Until
	}
	return r.now
}

// ended tells what came and went, the promises, and how long things took.
func (r *reporting) ended() error {
	rows, err := r.d.store.Measures(r.ctx, r.t.Key, r.office, report.TrendFrom(r.out.From, r.out.Until), r.out.Until)
	if err != nil {
		return err
	}
	f := report.Sum(rows, r.t.Agency, r.out.From, r.out.Until)
	o := &r.out
	o.In, o.Closed, o.Refused, o.Kept, o.Broken = f.In, f.Closed, f.Refused, f.Kept, f.Broken
	for _, st := range f.Times {
		o.Times = append(o.Times, digestTime(r.t.SOP, st))
	}
	for _, w := range f.Weeks {
		o.Trend = append(o.Trend, mailflow.DigestWeek{From: w.From, In: w.In, Kept: w.Kept, Broken: w.Broken})
	}
	return r.breaches(f)
}

func digestTime(p *sop.SOP, st report.StepTime) mailflow.DigestTime {
	out := mailflow.DigestTime{Title: stepTitle(p, st.Step), Count: st.Count, Median: st.Median, P90: st.P90, Over: st.Over}
	norm := p.Total
	if st.Step >= 0 {
		norm = p.Steps[st.Step].Norm
	}
	if norm != nil {
		out.Norm = mailflow.NoticeNorm(*norm)
	} else if st.P90 == 0 {
		out.Count = 0 // nobody waits for it, and nothing is promised: the row says nothing
	}
	return out
}

// stepTitle is the name of the step with that index; the whole's for -1.
func stepTitle(p *sop.SOP, step int) string {
	if step < 0 {
		return request.StepTitle(p, request.TotalStep)
	}
	return p.Steps[step].Title
}

// breaches names the worst of the broken promises, and how many of all a partner's outage broke.
func (r *reporting) breaches(f report.Figures) error {
	outages, err := r.d.store.Outages(r.ctx, r.t.Key, r.out.From, r.out.Until, r.now)
	if err != nil {
		return err
	}
	worst := f.Breaches[:min(len(f.Breaches), blamed)]
	states, err := r.d.store.StatesOf(r.ctx, r.t.Key, numbersOf(worst))
	if err != nil {
		return err
	}
	for _, b := range worst {
		row := mailflow.DigestBreach{Number: b.Number, Step: b.Step, Over: b.Over}
		if s, ok := states[b.Number]; ok {
			row.Office, row.Applicant, row.Reason = s.Subject.Office, s.Subject.Name, s.BreachReason
		}
		r.out.Breaches = append(r.out.Breaches, row)
	}
	for _, o := range outages {
		line := mailflow.DigestOutage{System: o.Title(), From: o.From.In(r.t.Zone)}
		if !o.Lasts() {
			line.Until = o.Until.In(r.t.Zone)
		}
		for _, s := range states {
			to, err := report.BlamedOn(s, r.t.Agency, []report.Outage{o})
			if err != nil {
				return err
			}
			if to {
				line.Broken++
			}
		}
		r.out.Outages = append(r.out.Outages, line)
	}
	return nil
}

// blamed is how many broken promises are named and held against an outage, the worst first.
const blamed = 500

func numbersOf(list []report.Breach) []string {
	out := make([]string, len(list))
	for i, b := range list {
		out[i] = b.Number
	}
	return out
}

// waiting tells what is open, and for how long.
func (r *reporting) waiting() error {
	open, err := r.d.store.OpenCount(r.ctx, r.t.Key, r.office, r.seenAt())
	if err != nil {
		return err
	}
	for _, n := range open {
		r.out.Waiting += n
	}
	r.out.Paused = open[request.StatusReturned] + open[request.StatusPhoneCheck]
	r.out.Sessions, r.out.Uncertain = open[request.StatusWaitingSession], open[request.StatusUncertain]
	list, err := r.d.store.Oldest(r.ctx, r.t.Key, r.office, r.seenAt(), listed)
	if err != nil {
		return err
	}
	if r.out.Oldest, err = r.open(list); err != nil {
		return err
	}
	// The rest is counted, not named.
	if more := r.out.Waiting - len(r.out.Oldest); more > 0 {
		r.out.Oldest = append(r.out.Oldest, make([]mailflow.DigestOpen, more)...)
	}
	return nil
}

// due tells what falls due on the next working day.
func (r *reporting) due() error {
	next, ok := nextWorkday(r.t.Calendar, r.now)
	if !ok {
		return nil
	}
	r.out.NextDay = next
	list, err := r.d.store.Falling(r.ctx, r.t.Key, r.office, next, next.AddDate(0, 0, 1), fallingToday)
	if err == nil {
		r.out.DueNext, err = r.open(list)
	}
	return err
}

// work tells a verifier what waits for them today, complaints among it.
func (r *reporting) work() error {
	list, err := r.d.store.HeldBy(r.ctx, r.t.Key, string(sop.Verifier), workListed)
	if err != nil {
		return err
	}
	if r.out.Work, err = r.open(list); err != nil {
		return err
	}
	complaints, err := r.d.store.OpenComplaints(r.ctx, r.t.Key)
	if err != nil {
		return err
	}
	for _, c := range complaints[:min(len(complaints), workListed)] {
		if c.Holder != sop.Verifier {
			continue
		}
		row, err := r.complaint(c)
		if err != nil {
			return err
		}
		r.out.Work = append(r.out.Work, row)
	}
	slices.SortStableFunc(r.out.Work, func(a, b mailflow.DigestOpen) int {
		switch {
		case a.Due.IsZero() || b.Due.IsZero():
			return boolOrder(a.Due.IsZero(), b.Due.IsZero())
		default:
			return a.Due.Compare(b.Due)
		}
	})
	return nil
}

func boolOrder(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

func (r *reporting) complaint(c store.Complaint) (mailflow.DigestOpen, error) {
	st, err := r.d.store.ComplaintState(r.ctx, c.Number)
	if err != nil {
		return mailflow.DigestOpen{}, err
	}
	row := mailflow.DigestOpen{Number: c.Number, Applicant: "Pengaduan melalui " + c.Channel.Title(), Step: st.ForOffice(), Since: c.ReceivedAt.In(r.t.Zone)}
	clock, err := complaintClock(r.t, st, r.now)
	row.Left, row.Due, row.Days = clock.Left, clock.Due, clock.Days
	return row, err
}

// letters counts what lies on the desk that is no request yet.
func (r *reporting) letters() error {
	list, err := r.d.store.Attention(r.ctx, r.t.Key)
	for _, l := range list {
		if l.State == "quarantined" {
			r.out.Quarantine++
		} else {
			r.out.Unclear++
		}
	}
	return err
}

// open says how requests stood at the instant that the report looks at.
func (r *reporting) open(list []store.Request) ([]mailflow.DigestOpen, error) {
	numbers := make([]string, len(list))
	for i, q := range list {
		numbers[i] = q.Number
	}
	states, err := r.d.store.StatesOf(r.ctx, r.t.Key, numbers)
	if err != nil {
		return nil, err
	}
	var out []mailflow.DigestOpen
	for _, number := range numbers {
		s, ok := states[number]
		if !ok {
			continue
		}
		row := mailflow.DigestOpen{Number: number, Office: s.Subject.Office, Applicant: s.Subject.Name, Step: s.ForOffice(), Holder: s.Holder.Title(),
			Since: s.OpenedAt.In(r.t.Zone)}
		steps, total, err := request.Clocks(s, r.t.Agency, r.seenAt())
		if err != nil && !errors.Is(err, sop.ErrNoCalendar) {
			return nil, err
		}
		c, running := request.Current(steps)
		if total != nil && total.Running() {
			c, running = *total, true
		}
		if running && c.Reading != nil {
			row.Left, row.Due, row.Paused = c.Reading.Left, c.Reading.Due, c.Reading.State == sop.Paused
		}
		out = append(out, row)
	}
	return out, nil
}

// complaints counts the classes: what came in, is open, and whether the answers were in time.
func (r *reporting) complaints() error {
	states, err := r.d.store.ComplaintsTouching(r.ctx, r.t.Key, r.out.From, r.out.Until)
	if err != nil {
		return err
	}
	if r.office != "" {
		states = slices.DeleteFunc(states, func(s complaint.State) bool { return s.From.OfficeID != r.office })
	}
	counts, err := report.SumComplaints(states, r.t.Agency, r.out.From, r.out.Until, r.seenAt())
	if err != nil {
		return err
	}
	for _, c := range counts {
		r.out.Complaints = append(r.out.Complaints, mailflow.DigestComplaints{Class: strings.ToLower(c.Title), Norm: mailflow.NoticeNorm(c.Norm),
			In: c.In, Open: c.Open, Kept: c.Kept, Broken: c.Broken})
	}
	return nil
}

func nextWorkday(cal *sop.Calendar, now time.Time) (time.Time, bool) {
	next, err := cal.NextOpen(day(now).AddDate(0, 0, 1))
	if err != nil {
		return time.Time{}, false
	}
	return day(next), true
}
