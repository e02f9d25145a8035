package scheduler

import (
	"context"
	"errors"
	"strings"
	"time"

	"pulih/internal/agency"
	"pulih/internal/complaint"
	"pulih/internal/letter"
	"pulih/internal/request"
	"pulih/internal/sop"
	"pulih/internal/store"
	"pulih/mailflow"
	"pulih/srikandi"
)

// readComplaint opens a complaint from a mail. about is the request whose thread it was written into, or "".
func (d *Daemon) readComplaint(ctx context.Context, t *tenant, l store.Letter, m *letter.Mail, r letter.Reading, env letter.Envelope, about string) error {
	ref := request.Letter{ID: l.ID, Channel: "mail", From: env.From, MessageID: l.MessageID, ReceivedAt: l.ReceivedAt, Subject: m.Subject}
	open := complaint.Open{
		Channel: complaint.Mail, At: l.ReceivedAt, From: complainantOf(t.Agency, m, env), Text: letter.Mask(or(strings.TrimSpace(m.Text), m.Subject)), Letter: &ref,
		By: request.Actor{Name: env.From, Via: "mail"},
	}
	if about != "" {
		var err error
		if open.About, err = d.store.About(ctx, t.Key, about); err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
	}
	keys := d.store.Keys.ComplaintKeys(l.ID, deref(r.Letter.Number), deref(r.Letter.Date), store.FileSums(l, r), "")
	return d.markRead(ctx, t, l, letter.Complaint, r, func(tx *store.Tx) error {
		today, err := tx.ComplaintsFrom(t.Key, env.From, d.now().Add(-24*time.Hour))
		if err != nil {
			return err
		}
		if len(today) >= mailflow.DefaultDailyAnswers {
			// More than a person writes in a day: kept with the newest, so that neither they nor the verifiers get a storm of mails.
			_, err := tx.ActComplaint(t.Agency, today[0], complaint.Join{Letter: ref, Text: open.Text})
			return err
		}
		may, _ := mailflow.MayAnswer(m, len(today), 0)
		open.Quiet = !may
		_, _, err = tx.ReceiveComplaint(t.Agency, keys, open)
		return err
	})
}

// complainantOf is who wrote a mail. Their identity stands when the address is a registered one and the agency's own mail server vouches
// for its domain (DMARC, RFC 7489: SPF and DKIM alone may speak for another domain than From's).
func complainantOf(a *agency.Agency, m *letter.Mail, env letter.Envelope) complaint.Complainant {
	from := complaint.Complainant{Email: env.From}
	if len(m.From) > 0 {
		from.Name = m.From[0].Name
	}
	if o, ok := a.OfficeByAddress(env.From); ok {
		from.OfficeID = o.ID
		from.Proven = env.Auth != nil && env.Auth.DMARC == "pass"
	}
	return from
}

// readComplaintNaskah opens a complaint from a letter in Srikandi, which knows its senders.
func (d *Daemon) readComplaintNaskah(ctx context.Context, t *tenant, l store.Letter, r letter.Reading, n srikandi.Naskah) error {
	ref := refOf(l, n)
	from := complaint.Complainant{Name: or(n.From.Name, n.From.Unit), NIP: agency.Digits(n.From.NIP)}
	if o, ok := t.OfficeByName(n.From.Unit); ok {
		from.OfficeID, from.Proven = o.ID, true
	}
	open := complaint.Open{
		Channel: complaint.Srikandi, At: l.ReceivedAt, From: from, Text: letter.Mask(naskahWords(n, r)), Letter: &ref,
		By: request.Actor{Name: from.Name, Via: "srikandi"},
	}
	keys := d.store.Keys.ComplaintKeys(l.ID, keyNumber(ref, &n), ref.Date, store.FileSums(l, r), n.ID)
	return d.markRead(ctx, t, l, letter.Complaint, r, func(tx *store.Tx) error {
		if n.Cancelled {
			return nil
		}
		_, _, err := tx.ReceiveComplaint(t.Agency, keys, open)
		return err
	})
}

func naskahWords(n srikandi.Naskah, r letter.Reading) string {
	words := []string{n.Subject, n.Summary}
	for _, a := range r.Attachments {
		words = append(words, deref(a.Text))
	}
	return strings.TrimSpace(strings.Join(words, "\n\n"))
}

// readComplaintReply joins an answer to its complaint.
func (d *Daemon) readComplaintReply(ctx context.Context, t *tenant, l store.Letter, m *letter.Mail, r letter.Reading, number string) error {
	join := complaint.Join{Text: letter.Mask(m.Text), Letter: request.Letter{
		ID: l.ID, Channel: "mail", From: sender(m), MessageID: l.MessageID, ReceivedAt: l.ReceivedAt, Subject: m.Subject,
	}}
	return d.markRead(ctx, t, l, letter.Reply, r, func(tx *store.Tx) error {
		_, err := tx.ActComplaint(t.Agency, number, join)
		return err
	})
}

// complaintInSubject says whether a mail belongs to the complaint whose number its subject names: only when the complainant wrote it.
func (d *Daemon) complaintInSubject(ctx context.Context, t *tenant, number, from string) (bool, error) {
	if _, err := d.store.Complaint(ctx, t.Key, number); errors.Is(err, store.ErrNotFound) {
		return false, nil
	} else if err != nil {
		return false, err
	}
	st, err := d.store.ComplaintState(ctx, number)
	return err == nil && agency.SameAddress(st.From.Email, from), err
}

// fillComplaint says what was true of the complaint at the mail's event. It answers false when nothing is to be said any more.
func (d *Daemon) fillComplaint(ctx context.Context, t *tenant, m store.Outgoing, n *mailflow.Notice) (send bool, err error) {
	events, err := d.store.ComplaintEvents(ctx, m.Number)
	if err != nil {
		return false, err
	}
	at := len(events)
	if m.Version > 0 && m.Version <= len(events) {
		at = m.Version
	}
	st := complaint.Fold(m.Number, events[:at])
	if now := complaint.Fold(m.Number, events); m.Template == complaint.MailAssigned && !now.Status.Open() {
		return false, nil
	}
	staff := m.Kind == "staff"
	n.Complaint = mailflow.NoticeComplaint{Number: st.Number, Channel: st.Channel.Title(), ReceivedAt: st.ReceivedAt.In(t.Zone), Answer: letter.Mask(st.Answer)}
	if st.Class != nil && (st.ClassSet || staff) {
		n.Complaint.Class = strings.ToLower(st.Class.Title)
	}
	if at > 0 && events[at-1].Kind == complaint.HandedOn {
		n.Reason = letter.Mask(events[at-1].Text)
	}
	if staff {
		n.Complaint.From = st.From.Called()
		if len(st.Texts) > 0 {
			n.Complaint.Summary = letter.Mask(st.Texts[len(st.Texts)-1])
		}
		n.Links.Desk = d.complaintURL(t, st.Number)
		if st.Link != nil {
			n.Request.Number, n.Request.Applicant = st.Link.Number, st.Link.Applicant
		}
	} else if st.Link != nil && st.Link.Theirs {
		n.Request.Number = st.Link.Number
	}
	n.Step, err = complaintClock(t, st, d.now())
	return true, err
}

func (d *Daemon) complaintURL(t *tenant, number string) string {
	if d.cfg.PublicURL == "" {
		return ""
	}
	return strings.TrimSuffix(d.cfg.PublicURL, "/") + "/" + t.Key + "/pengaduan/" + number
}

func complaintClock(t *tenant, st complaint.State, now time.Time) (mailflow.NoticeClock, error) {
	c := mailflow.NoticeClock{Title: "Jawaban pengaduan", Holder: st.Holder.Title()}
	r, err := complaint.Reading(st, t.Agency, now)
	if errors.Is(err, sop.ErrNoCalendar) || err == nil && r == nil {
		return c, nil
	} else if err != nil {
		return c, err
	}
	norm := st.Round().Class.Norm
	kind, _ := norm.Measure()
	c.Norm, c.Used, c.Left, c.Due, c.Days = mailflow.NoticeNorm(norm), r.Used, r.Left, r.Due, kind == sop.WorkingDays
	return c, nil
}

// complaintItem is a complaint's line in a bundled mail; false when the promise that it is about has ended.
func (d *Daemon) complaintItem(ctx context.Context, t *tenant, i store.BundleItem) (mailflow.NoticeItem, bool, error) {
	st, err := d.store.ComplaintState(ctx, i.Number)
	if err != nil {
		return mailflow.NoticeItem{}, false, err
	}
	if !st.Status.Open() || st.Promise() != i.Step || i.Mark == complaint.MarkClass && st.ClassSet {
		return mailflow.NoticeItem{}, false, nil
	}
	c, err := complaintClock(t, st, d.now())
	if err != nil {
		return mailflow.NoticeItem{}, false, err
	}
	line := mailflow.NoticeItem{Number: st.Number, Applicant: "Pengaduan melalui " + st.Channel.Title(), Step: st.ForOffice(), Holder: c.Holder, Left: c.Left, Due: c.Due, Days: c.Days,
		URL: d.complaintURL(t, st.Number)}
	if o, ok := t.Office(st.From.OfficeID); ok {
		line.Office = o.Name
	}
	if i.Mark == complaint.MarkClass {
		line.Note = "Golongannya belum ditetapkan."
	}
	return line, true, nil
}
