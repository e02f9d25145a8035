package scheduler

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"pulih/internal/report"
	"pulih/internal/sop"
	"pulih/internal/store"
	"pulih/mailflow"
)

// repeatedWithin is how far back an applicant's earlier requests are looked for.
const repeatedWithin = 90

// Pack computes the evaluation pack of a month, or of any other span, in an agency.
func (d *Daemon) Pack(ctx context.Context, agencyKey string, from, until time.Time) (report.Pack, error) {
	t, err := d.tenant(ctx, agencyKey)
	if err != nil {
		return report.Pack{}, err
	}
	if t == nil {
		return report.Pack{}, fmt.Errorf("agency %s: %w", agencyKey, store.ErrNotFound)
	}
	from, until = from.In(t.Zone), until.In(t.Zone)
	before := from.AddDate(0, -1, 0)
	p := report.Pack{Agency: t.Agency, From: from, Until: until, Made: d.now()}
	earliest := report.TrendFrom(from, until)
	if second := report.TrendFrom(before, from); second.Before(earliest) {
		earliest = second
	}
	rows, err := d.store.Measures(ctx, t.Key, "", earliest, until)
	if err != nil {
		return p, err
	}
	p.Now, p.Before = report.Sum(rows, t.Agency, from, until), report.Sum(rows, t.Agency, before, from)
	for _, part := range []func(context.Context, *tenant, *report.Pack, []report.Row) error{d.packBreaches, d.packCounts, d.packRows} {
		if err := part(ctx, t, &p, rows); err != nil {
			return p, err
		}
	}
	return p, nil
}

// packBreaches names the broken promises with their reasons, and holds them against the outages.
func (d *Daemon) packBreaches(ctx context.Context, t *tenant, p *report.Pack, _ []report.Row) error {
	named := p.Now.Breaches[:min(len(p.Now.Breaches), blamed)]
	states, err := d.store.StatesOf(ctx, t.Key, numbersOf(named))
	if err != nil {
		return err
	}
	for _, b := range p.Now.Breaches {
		s := states[b.Number]
		p.Breaches = append(p.Breaches, report.PackBreach{Breach: b, Office: s.Subject.Office, Applicant: s.Subject.Name, Reason: s.BreachReason})
	}
	outages, err := d.store.Outages(ctx, t.Key, p.From, p.Until, d.now())
	if err != nil {
		return err
	}
	for _, o := range outages {
		po := report.PackOutage{Outage: o}
		for _, s := range states {
			to, err := report.BlamedOn(s, t.Agency, []report.Outage{o})
			if err != nil {
				return err
			}
			if to {
				po.Broken++
			}
		}
		p.Outages = append(p.Outages, po)
	}
	return nil
}

func (d *Daemon) packCounts(ctx context.Context, t *tenant, p *report.Pack, _ []report.Row) (err error) {
	at := p.Until
	if at.After(d.now()) {
		at = d.now()
	}
	open, err := d.store.OpenCount(ctx, t.Key, "", at)
	if err != nil {
		return err
	}
	for _, n := range open {
		p.Waiting += n
	}
	if p.Resets, err = d.store.ResetCounts(ctx, t.Key, p.From, p.Until); err != nil {
		return err
	}
	if p.Repeats, err = d.store.Repeated(ctx, t.Key, p.From.AddDate(0, 0, -repeatedWithin), p.From, p.Until); err != nil {
		return err
	}
	for span, into := range map[[2]time.Time]*[]report.ClassCount{{p.From, p.Until}: &p.Complaints, {p.Before.From, p.From}: &p.ComplBefore} {
		states, err := d.store.ComplaintsTouching(ctx, t.Key, span[0], span[1])
		if err != nil {
			return err
		}
		if *into, err = report.SumComplaints(states, t.Agency, span[0], span[1], at); err != nil {
			return err
		}
	}
	return nil
}

// packRows are the requests that were opened or ended in the period, with their applicants' names.
func (d *Daemon) packRows(ctx context.Context, t *tenant, p *report.Pack, rows []report.Row) error {
	names, err := d.store.Applicants(ctx, t.Key, p.From, p.Until)
	if err != nil {
		return err
	}
	for _, r := range rows {
		if name, ok := names[r.Number]; ok {
			p.Rows = append(p.Rows, report.PackRow{Row: r, Applicant: name})
		}
	}
	slices.SortFunc(p.Rows, func(a, b report.PackRow) int { return a.OpenedAt.Compare(b.OpenedAt) })
	return nil
}

// packFiles are the attachments of the pack's mail. They are made at the first attempt and kept sealed with it: a later one sends the same.
func (d *Daemon) packFiles(ctx context.Context, t *tenant, m store.Outgoing) ([]mailflow.Attached, error) {
	from, until, _, err := spanOf(m)
	if err != nil {
		return nil, err
	}
	p, err := d.Pack(ctx, t.Key, from, until)
	if err != nil {
		return nil, err
	}
	return PackFiles(p)
}

// fillPack says what is attached.
func (d *Daemon) fillPack(t *tenant, m store.Outgoing, n *mailflow.Notice) error {
	from, until, _, err := spanOf(m)
	if err != nil {
		return err
	}
	p := report.Pack{Agency: t.Agency, From: from.In(t.Zone), Until: until.In(t.Zone)}
	n.Period, n.Files = p.Period(), []string{p.Name() + ".pdf", p.Name() + ".xlsx"}
	if d.cfg.PublicURL != "" {
		n.Links.Desk = strings.TrimSuffix(d.cfg.PublicURL, "/") + "/" + t.Key
	}
	return nil
}

// PackFiles draws a pack's PDF and writes its workbook.
func PackFiles(p report.Pack) ([]mailflow.Attached, error) {
	pdf, err := p.PDF()
	if err != nil {
		return nil, err
	}
	xlsx, err := p.XLSX()
	if err != nil {
		return nil, err
	}
	return []mailflow.Attached{
		{Name: p.Name() + ".pdf", MIME: "application/pdf", Data: pdf},
		{Name: p.Name() + ".xlsx", MIME: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", Data: xlsx},
	}, nil
}

// packToMeeting sends the pack of the month before to those who meet: head of agency, of division and of section, and the verifiers.
func packToMeeting(t *tenant, _, at time.Time) []sending {
	until := time.Date(at.Year(), at.Month(), 1, 0, 0, 0, 0, at.Location())
	var out []sending
	seen := map[string]bool{}
	for _, role := range sop.Chain {
		for _, s := range toRole(t, role, at, until.AddDate(0, -1, 0), until) {
			if !seen[s.to.Address] {
				seen[s.to.Address] = true
				out = append(out, s)
			}
		}
	}
	return out
}
