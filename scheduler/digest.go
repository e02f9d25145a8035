package scheduler

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"pulih/internal/request"
	"pulih/internal/sop"
	"pulih/internal/store"
	"pulih/mailflow"
)

func isDigest(template string) bool { return slices.Contains(mailflow.DigestTemplates(), template) }

// digest makes the report that a row of the outbox announces, as things stand now.
func (d *Daemon) digest(ctx context.Context, t *tenant, m store.Outgoing) (mailflow.Digest, error) {
	words := strings.SplitN(m.Items[0].Text, " ", 3)
	if len(words) != 3 {
		return mailflow.Digest{}, fmt.Errorf("digest %d has no period", m.ID)
	}
	from, err := time.Parse(time.RFC3339, words[0])
	if err != nil {
		return mailflow.Digest{}, fmt.Errorf("digest %d: %w", m.ID, err)
	}
	until, err := time.Parse(time.RFC3339, words[1])
	if err != nil {
		return mailflow.Digest{}, fmt.Errorf("digest %d: %w", m.ID, err)
	}
	out, err := d.Report(ctx, t.Key, m.Template, words[2], from, until)
	out.To = mailflow.NoticePerson{Kind: noticeKind(m.Kind), Name: m.Name, Address: m.Address}
	return out, err
}

// Report computes a digest of one of mailflow.DigestTemplates over [from, until), for an office or, with an empty one, the whole agency.
func (d *Daemon) Report(ctx context.Context, agencyKey, template, office string, from, until time.Time) (mailflow.Digest, error) {
	t, ok := d.tenants[agencyKey]
	if !ok {
		return mailflow.Digest{}, fmt.Errorf("agency %s: %w", agencyKey, store.ErrNotFound)
	}
	now := d.now().In(t.Zone)
	out := mailflow.Digest{Template: template, Now: now, From: from.In(t.Zone), Until: until.In(t.Zone), Agency: mailflow.NoticeAgencyOf(t.Agency)}
	if o, ok := t.Office(office); ok {
		out.Office = o.Name
	}
	if t.SOP.Total != nil {
		out.Promise = mailflow.NoticeNorm(*t.SOP.Total)
	}
	if d.cfg.PublicURL != "" {
		out.Links.Desk = strings.TrimSuffix(d.cfg.PublicURL, "/") + "/" + t.Key
	}
	states, err := d.store.StatesTouching(ctx, t.Key, office, from.AddDate(0, 0, -8*7), until)
	if err != nil {
		return out, err
	}
	g := gathering{t: t, out: &out, from: from, until: until, now: now, times: map[string][]time.Duration{}, over: map[string]int{}}
	for _, s := range states {
		if err := g.add(s); err != nil {
			return out, err
		}
	}
	g.finish(weekStart(until.In(t.Zone)))
	unclear, err := d.store.Attention(ctx, t.Key)
	if err != nil {
		return out, err
	}
	for _, l := range unclear {
		if l.State == "quarantined" {
			out.Quarantine++
		} else {
			out.Unclear++
		}
	}
	return out, nil
}

// gathering adds up requests.
type gathering struct {
	t           *tenant
	out         *mailflow.Digest
	from, until time.Time
	now         time.Time
	times       map[string][]time.Duration
	over        map[string]int
	weeks       []week
}

type week struct {
	opened time.Time
	ended  time.Time
	kept   bool
}

func (g *gathering) within(at time.Time) bool { return !at.Before(g.from) && at.Before(g.until) }

func (g *gathering) add(s request.State) error {
	steps, total, err := request.Clocks(s, g.t.Agency, g.now)
	if err != nil {
		return err
	}
	if g.within(s.OpenedAt) {
		g.out.In++
	}
	w := week{opened: s.OpenedAt, kept: promiseKept(steps, total)}
	if !s.Status.Open() {
		w.ended = s.ClosedAt
	}
	g.weeks = append(g.weeks, w)
	if s.Status.Open() && s.OpenedAt.Before(g.until) {
		g.open(s, steps, total)
	}
	if !s.Status.Open() && g.within(s.ClosedAt) {
		g.closed(s, steps, total, w.kept)
	}
	return nil
}

func promiseKept(steps []request.StepClock, total *request.StepClock) bool {
	if total != nil {
		return total.Reading == nil || total.Reading.Left >= 0
	}
	return !slices.ContainsFunc(steps, func(c request.StepClock) bool { return c.Reading != nil && c.Reading.Left < 0 })
}

func (g *gathering) open(s request.State, steps []request.StepClock, total *request.StepClock) {
	g.out.Waiting++
	row := mailflow.DigestOpen{Number: s.Number, Office: s.Subject.Office, Applicant: s.Subject.Name, Step: s.ForOffice(), Holder: s.Holder.Title(),
		Since: s.OpenedAt.In(g.t.Zone), Due: request.Due(steps, total)}
	if s.Status == request.StatusReturned {
		row.Paused = true
		g.out.Paused++
	}
	c, running := request.Current(steps)
	if total != nil && total.Running() {
		c, running = *total, true
	}
	if running && c.Reading != nil {
		row.Left = c.Reading.Left
	}
	g.out.Oldest = append(g.out.Oldest, row)
	if next, ok := nextWorkday(g.t.Calendar, g.now); ok && !row.Due.IsZero() {
		g.out.NextDay = next
		if !row.Due.Before(next) && row.Due.Before(next.AddDate(0, 0, 1)) {
			g.out.DueNext = append(g.out.DueNext, row)
		}
	}
	switch s.Status {
	case request.StatusWaitingSession:
		g.out.Sessions++
	case request.StatusUncertain:
		g.out.Uncertain++
	}
	if s.Holder == sop.Verifier {
		g.out.Work = append(g.out.Work, row)
	}
}

func (g *gathering) closed(s request.State, steps []request.StepClock, total *request.StepClock, kept bool) {
	if s.Status == request.StatusRejected {
		g.out.Refused++
	} else {
		g.out.Closed++
	}
	if kept {
		g.out.Kept++
	} else {
		g.out.Broken++
	}
	all := slices.Clone(steps)
	if total != nil {
		all = append([]request.StepClock{*total}, all...)
	}
	for _, c := range all {
		if c.Start.IsZero() || c.End.IsZero() || c.Reading == nil {
			continue
		}
		g.times[c.Step.ID] = append(g.times[c.Step.ID], c.Reading.Used)
		if c.Reading.Left < 0 {
			g.over[c.Step.ID]++
			g.out.Breaches = append(g.out.Breaches, mailflow.DigestBreach{Number: s.Number, Office: s.Subject.Office, Applicant: s.Subject.Name,
				Step: request.StepTitle(g.t.SOP, c.Step.ID), Over: -c.Reading.Left})
		}
	}
}

// finish sorts the lists and sums up times and weeks.
func (g *gathering) finish(lastWeek time.Time) {
	o := g.out
	slices.SortStableFunc(o.Oldest, func(a, b mailflow.DigestOpen) int { return a.Since.Compare(b.Since) })
	slices.SortStableFunc(o.Work, func(a, b mailflow.DigestOpen) int { return cmp.Compare(a.Left, b.Left) })
	slices.SortStableFunc(o.Breaches, func(a, b mailflow.DigestBreach) int { return cmp.Compare(b.Over, a.Over) })
	if g.t.SOP.Total != nil {
		o.Times = append(o.Times, g.time(request.TotalStep, g.t.SOP.Total))
	}
	for _, step := range g.t.SOP.Steps {
		if step.Norm != nil {
			o.Times = append(o.Times, g.time(step.ID, step.Norm))
		}
	}
	for i := 7; i >= 0; i-- {
		from := lastWeek.AddDate(0, 0, -7*i)
		w := mailflow.DigestWeek{From: from}
		until := from.AddDate(0, 0, 7)
		for _, r := range g.weeks {
			if !r.opened.Before(from) && r.opened.Before(until) {
				w.In++
			}
			if !r.ended.IsZero() && !r.ended.Before(from) && r.ended.Before(until) {
				if r.kept {
					w.Kept++
				} else {
					w.Broken++
				}
			}
		}
		o.Trend = append(o.Trend, w)
	}
}

func (g *gathering) time(step string, norm *sop.Norm) mailflow.DigestTime {
	list := g.times[step]
	slices.Sort(list)
	out := mailflow.DigestTime{Title: request.StepTitle(g.t.SOP, step), Norm: mailflow.NoticeNorm(*norm), Count: len(list), Over: g.over[step]}
	if len(list) > 0 {
		out.Median, out.P90 = rank(list, 50), rank(list, 90)
	}
	return out
}

// rank is the nearest-rank percentile of a sorted list.
func rank(list []time.Duration, percent int) time.Duration {
	return list[max((len(list)*percent+99)/100, 1)-1]
}

func weekStart(until time.Time) time.Time {
	last := day(until.Add(-time.Nanosecond))
	return last.AddDate(0, 0, -(int(last.Weekday())+6)%7)
}

func nextWorkday(cal *sop.Calendar, now time.Time) (time.Time, bool) {
	next, err := cal.NextOpen(day(now).AddDate(0, 0, 1))
	if err != nil {
		return time.Time{}, false
	}
	return day(next), true
}
