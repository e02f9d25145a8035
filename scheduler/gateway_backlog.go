package scheduler

import (
	"context"
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
func (d *Daemon) underBacklog(tx *store.Tx, t *tenant, l store.Letter) error {
	if l.Channel != "srikandi" {
		return nil
	}
	g, err := tx.Gateway(t.Key)
	if err != nil || g.Backlog == nil || g.Backlog.Letters <= fewLetters || l.ReceivedAt.After(g.Backlog.Until) {
		return err
	}
	tx.Hold()
	return nil
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
		seen[name] = true
		line, ok, err := d.backlogLine(ctx, t, m, i)
		if err != nil {
			return false, err
		}
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
	line := mailflow.NoticeItem{Number: s.Number, Applicant: s.Subject.Name, Office: s.Subject.Office}
	if m.Kind != "staff" {
		line.Step, line.URL = s.ForApplicant(), d.links(t, s, m.Kind).Status
		return line, true, nil
	}
	line.Step, line.URL = s.ForOffice(), d.links(t, s, "staff").Desk
	return line, s.Status.Open() && holds(t, s, m.Person, d.now()), nil
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
