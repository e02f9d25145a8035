package scheduler

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"pulih/internal/letter"
	"pulih/internal/request"
	"pulih/internal/sop"
	"pulih/internal/store"
	"pulih/mailflow"
)

// fewLetters may come after an outage without being a backlog.
const fewLetters = 5

// underBacklog holds the mails of a transaction back that reads a letter which came while Srikandi couldn't be read, together with many others:
// each person gets one mail about all of them (store.EndBacklog).
func (d *Daemon) underBacklog(tx *store.Tx, t *tenant, l store.Letter) (held bool, err error) {
	if l.Channel != "srikandi" {
		return false, nil
	}
	g, err := tx.Gateway(t.Key)
	if err != nil || !many(g) || l.ReceivedAt.After(g.Backlog.Until) {
		return false, err
	}
	tx.Hold()
	return true, nil
}

// many reports that a backlog is being read, and is more than a few letters.
func many(g store.Gateway) bool { return g.Backlog != nil && g.Backlog.Letters > fewLetters }

// remindHeld tells the marks in the summary that a letter's requests passed before anybody could read it: no sweep mails them beside it.
func (d *Daemon) remindHeld(tx *store.Tx, t *tenant, l store.Letter) error {
	numbers, err := tx.NumbersOfLetter(l.ID)
	if err != nil {
		return err
	}
	for _, number := range numbers {
		if err := tx.Remind(t.Agency, number); err != nil {
			return err
		}
	}
	return nil
}

// afterSummary leaves out the requests whose marks wait until the summary of their backlog is written.
func (d *Daemon) afterSummary(ctx context.Context, t *tenant, due []store.Request) ([]store.Request, error) {
	g, err := d.store.Gateway(ctx, t.Key, nil)
	if err != nil || !many(g) || g.FailingSince != nil { // it fails again: nobody knows for how long
		return due, err
	}
	return slices.DeleteFunc(due, func(r store.Request) bool { return g.Backlog.Has(r.OpenedAt) }), nil
}

// noteOutage writes on a request whose letter lay in Srikandi while nobody read it there: its clocks run from the letter's arrival all
// the same.
func (d *Daemon) noteOutage(tx *store.Tx, t *tenant, l store.Letter, number string) error {
	g, err := tx.Gateway(t.Key)
	if err != nil || g.Backlog == nil || l.ReceivedAt.After(g.Backlog.Until) || l.ReceivedAt.Before(g.Backlog.From) {
		return err
	}
	from, until := g.Backlog.From.In(t.Zone), g.Backlog.Until.In(t.Zone)
	text := fmt.Sprintf("Surat ini masuk ketika Srikandi tidak terbaca oleh pulih (%s sampai %s). Waktu layanan tetap dihitung sejak surat diterima.",
		mailflow.NoticeDateTime(from), mailflow.NoticeDateTime(until))
	_, err = tx.Act(t.Agency, number, request.Note{By: request.System, Text: text})
	return err
}

// manyItems is how many lines a summary has at most; the desk shows the rest.
const manyItems = 200

// fillBacklog tells one person of all that was held back and still concerns them, each request once.
func (d *Daemon) fillBacklog(ctx context.Context, t *tenant, m store.Outgoing, n *mailflow.Notice) (send bool, err error) {
	n.Outage.System = "Srikandi"
	from, until, _ := strings.Cut(m.Items[0].Text, " ")
	n.Outage.From, _ = time.Parse(time.RFC3339, from) // ours: written by store.EndBacklog
	n.Outage.Until, _ = time.Parse(time.RFC3339, until)
	if n.Outage.From.Equal(n.Outage.Until) {
		n.Outage = mailflow.NoticeOutage{System: n.Outage.System} // an agency's first reading: nothing was out of order
	} else {
		n.Outage.From, n.Outage.Until = n.Outage.From.In(t.Zone), n.Outage.Until.In(t.Zone)
	}
	seen := map[string]bool{}
	more := 0
	for _, i := range slices.Backward(m.Items[1:]) {
		name := fmt.Sprint(i.Number, "/", i.Letter)
		if seen[name] {
			continue
		}
		line, ok, err := d.backlogLine(ctx, t, m, i)
		if err != nil {
			return false, err
		}
		seen[name] = ok
		if ok && len(n.Items) == manyItems {
			more++
		} else if ok {
			n.Items = append(n.Items, line)
		}
	}
	slices.Reverse(n.Items)
	if more > 0 {
		n.Items = append(n.Items, mailflow.NoticeItem{Number: fmt.Sprintf("dan %d lagi", more), Note: "Selengkapnya di meja kerja."})
	}
	return len(n.Items) > 0, nil
}

func (d *Daemon) backlogLine(ctx context.Context, t *tenant, m store.Outgoing, i store.BundleItem) (mailflow.NoticeItem, bool, error) {
	if i.Number == "" {
		l, err := d.store.Letter(ctx, i.Letter)
		if err != nil {
			return mailflow.NoticeItem{}, false, err
		}
		why, err := d.whyDoubtful(ctx, l.ID)
		if err != nil {
			return mailflow.NoticeItem{}, false, err
		}
		line := mailflow.NoticeItem{Number: fmt.Sprintf("Surat %d", l.ID), Note: or(why, "Perlu dibaca: isinya belum dapat dipastikan.")}
		if d.cfg.PublicURL != "" {
			line.URL = fmt.Sprintf("%s/%s/surat/%d", strings.TrimSuffix(d.cfg.PublicURL, "/"), t.Key, l.ID)
		}
		return line, why != "" || l.Kind == letter.Unclear || l.Kind == letter.OtherCertificateService || l.State == "quarantined", nil
	}
	s, err := d.store.State(ctx, i.Number)
	if err != nil {
		return mailflow.NoticeItem{}, false, err
	}
	if m.Kind != "staff" {
		return mailflow.NoticeItem{Number: s.Number, Applicant: s.Subject.Name, Office: s.Subject.Office, Step: s.ForApplicant(),
			URL: d.links(t, s, m.Kind).Status}, true, nil
	}
	steps, total, err := request.Clocks(s, t.Agency, d.now())
	if err != nil && !errors.Is(err, sop.ErrNoCalendar) {
		return mailflow.NoticeItem{}, false, err
	}
	c, _ := request.Current(steps)
	if c.Reading == nil && total != nil {
		c = *total
	}
	line := item(s, noticeClock(c, s), d.links(t, s, "staff").Desk)
	mine := holds(t, s, m.Person, d.now())
	if !mine && i.Step == request.MailEscalation {
		line.Note = "Lewat waktu pada staf Bapak/Ibu."
	}
	return line, s.Status.Open() && (mine || i.Step == request.MailEscalation), nil
}

// holds reports whether a request is the work of a person now.
func holds(t *tenant, s request.State, person string, now time.Time) bool {
	if s.Holder.Depth() < 0 || s.Holder == sop.Applicant {
		return false
	}
	for _, p := range t.Holders(s.Holder, now) {
		if p.ID == person {
			return len(s.HolderIDs) == 0 || slices.Contains(s.HolderIDs, person)
		}
	}
	return false
}
