package scheduler

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"pulih/bsre"
	"pulih/internal/config/accounts"
	"pulih/internal/letter"
	"pulih/internal/request"
	"pulih/internal/sop"
	"pulih/internal/store"
	"pulih/mailflow"
)

// render makes the text of a row of the outbox. It answers false when nothing is to be said any more: a reminder of a step that is done.
func (d *Daemon) render(ctx context.Context, t *tenant, m store.Outgoing) (mailflow.Rendered, bool, error) {
	if isDigest(m.Template) {
		digest, err := d.digest(ctx, t, m)
		if err != nil {
			return mailflow.Rendered{}, false, err
		}
		if digest.Template == mailflow.DigestOffice && digest.In+digest.Closed+digest.Refused+digest.Waiting == 0 {
			return mailflow.Rendered{}, false, nil // an office without requests isn't written to
		}
		r, err := mailflow.RenderDigest(digest, t.templates)
		if err != nil && t.templates != nil {
			d.distrust(t, m.Template, err)
			r, err = mailflow.RenderDigest(digest, nil)
		}
		return r, true, err
	}
	n := mailflow.Notice{
		Template: m.Template, Now: d.now(), Agency: mailflow.NoticeAgencyOf(t.Agency),
		To: mailflow.NoticePerson{Kind: noticeKind(m.Kind), Name: m.Name, Address: m.Address},
	}
	send, err := d.fill(ctx, t, m, &n)
	if err != nil || !send {
		return mailflow.Rendered{}, false, err
	}
	r, err := mailflow.RenderNotice(n, t.templates)
	if err != nil && t.templates != nil {
		d.distrust(t, m.Template, err)
		r, err = mailflow.RenderNotice(n, nil)
	}
	return r, true, err
}

// distrust logs once that an agency's own template is broken: the shipped one is used then, and no mail waits for a repair.
func (d *Daemon) distrust(t *tenant, template string, err error) {
	if _, known := t.broken.LoadOrStore(template, true); !known {
		d.log.Error("the agency's own template is broken, the shipped one is used", "agency", t.Key, "template", template, "err", err)
	}
}

func noticeKind(kind string) mailflow.NoticeKind {
	if kind == "operator" {
		return mailflow.NoticeToStaff
	}
	return mailflow.NoticeKind(kind)
}

func (d *Daemon) fill(ctx context.Context, t *tenant, m store.Outgoing, n *mailflow.Notice) (send bool, err error) {
	switch {
	case m.Template == mailflow.NoticeReminder || m.Template == mailflow.NoticeEscalation:
		return d.fillBundle(ctx, t, m, n)
	case m.Template == mailflow.NoticeBacklogSummary:
		return d.fillBacklog(ctx, t, m, n)
	case m.Template == mailflow.NoticeSignInLink:
		return d.fillSignIn(ctx, m, n)
	case m.Template == mailflow.NoticeEvaluationPack:
		return true, d.fillPack(t, m, n)
	case m.Template == mailflow.NoticeOperatorAlarm:
		n.Alarm = mailflow.NoticeAlarm{Title: strings.TrimSuffix(m.Items[0].Text, "."), Since: m.CreatedAt, Effect: "Selama itu surat dan hasilnya tertunda; tidak ada yang hilang.",
			Do: []string{"Jalankan pulih check dan ikuti kalimatnya.", "Buka halaman Sistem untuk melihat sejak kapan dan mengapa."}}
		return true, nil
	case m.Number == "" && m.LetterID != 0:
		return true, d.fillLetter(ctx, t, m, n)
	case store.IsComplaint(m.Number):
		return d.fillComplaint(ctx, t, m, n)
	}
	events, err := d.store.Events(ctx, m.Number)
	if err != nil {
		return false, err
	}
	at := len(events)
	if m.Version > 0 && m.Version <= len(events) {
		at = m.Version // what a mail says is what was true at its event
	}
	s := request.Fold(m.Number, events[:at])
	if stale(m.Template, request.Fold(m.Number, events)) {
		return false, nil
	}
	return true, d.fillRequest(t, s, m, n)
}

// fillSignIn opens the link's secret at the last moment: the outbox knows it by its id alone. A link that was used or has ended isn't mailed.
func (d *Daemon) fillSignIn(ctx context.Context, m store.Outgoing, n *mailflow.Notice) (send bool, err error) {
	secret, ends, err := d.store.SignInSecret(ctx, m.Items[0].Text, d.now())
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	} else if err != nil {
		return false, err
	}
	n.SignIn = mailflow.NoticeSignIn{URL: strings.TrimSuffix(d.cfg.PublicURL, "/") + "/masuk/tautan/" + secret, Until: ends}
	return true, nil
}

// stale reports that a mail asks for something that was done meanwhile.
func stale(template string, now request.State) bool {
	switch template {
	case mailflow.NoticeAssisted:
		return !now.Status.AwaitsReset()
	case mailflow.NoticeUndecided:
		return now.Approval != nil && now.Status != request.StatusSecond && now.Status != request.StatusUncertain
	case mailflow.NoticeWork, mailflow.NoticeSecondApproval, mailflow.NoticeSessionNeeded, mailflow.NoticeReminderPassphrase, mailflow.NoticeCallApplicant:
		return !now.Status.Open()
	}
	return false
}

func (d *Daemon) fillRequest(t *tenant, s request.State, m store.Outgoing, n *mailflow.Notice) error {
	n.Request = d.noticeRequest(t, s, m.Kind)
	n.PassOn = s.Holder != sop.Verifier
	n.Missing, n.Reason = s.Missing, letter.Mask(s.Words)
	switch {
	case m.Template == mailflow.NoticeAddressDead, m.Template == mailflow.NoticeCallApplicant && s.Trouble != "":
		n.Reason = letter.Mask(s.LastNote)
	case m.Template == mailflow.NoticeUndecided:
		n.Reason = letter.Mask(m.Items[0].Text)
	case m.Template == mailflow.NoticeCallApplicant: // nobody said anything: the time is over
		n.Reason = ""
	}
	n.Links = d.links(t, s, m.Kind)
	steps, total, err := request.Clocks(s, t.Agency, d.now())
	if err != nil && !errors.Is(err, sop.ErrNoCalendar) {
		return err
	}
	if c, ok := request.Current(steps); ok {
		n.Step = noticeClock(c, s)
	}
	if total != nil {
		n.Total = noticeClock(*total, s)
	}
	if m.Template == mailflow.NoticeAssisted || m.Template == mailflow.NoticeUncertain {
		n.Instructions = d.instructions(t, s)
	}
	if m.Template == mailflow.NoticeSessionNeeded {
		n.Items = []mailflow.NoticeItem{item(s, n.Step, "")}
	}
	return nil
}

func (d *Daemon) noticeRequest(t *tenant, s request.State, kind string) mailflow.NoticeRequest {
	r := mailflow.NoticeRequest{
		Number: s.Number, State: s.ForOffice(), OpenedAt: s.OpenedAt.In(t.Zone), Office: s.Subject.Office, Applicant: s.Subject.Name,
		Position: s.Subject.Position,
	}
	if kind != "staff" {
		r.State = s.ForApplicant()
	}
	if kind == "staff" || kind == "applicant" {
		r.Address = s.Subject.Email
	}
	if len(s.Letters) > 0 {
		l := s.Letters[0]
		r.LetterNumber, r.LetterSubject, r.Channel = l.Number, l.Subject, "surel"
		if l.Channel == "srikandi" {
			r.Channel = "Srikandi"
		}
		if day, err := time.ParseInLocation("2006-01-02", l.Date, t.Zone); err == nil {
			r.LetterDate = day
		}
	}
	return r
}

func noticeClock(c request.StepClock, s request.State) mailflow.NoticeClock {
	n := mailflow.NoticeClock{Title: c.Step.Title, Holder: s.Holder.Title()}
	if c.Reading == nil {
		return n
	}
	n.Used, n.Left, n.Due, n.Paused = c.Reading.Used, c.Reading.Left, c.Reading.Due, c.Reading.State == sop.Paused
	n.Norm = mailflow.NoticeNorm(*c.Step.Norm)
	return n
}

func (d *Daemon) links(t *tenant, s request.State, kind string) mailflow.NoticeLinks {
	if d.cfg.PublicURL == "" {
		return mailflow.NoticeLinks{}
	}
	base := strings.TrimSuffix(d.cfg.PublicURL, "/")
	key := d.store.Keys.Derive("status-link")
	switch kind {
	case "applicant":
		page := mailflow.StatusURL(key, base, s.Number, mailflow.ForApplicant)
		return mailflow.NoticeLinks{Status: page, Yes: page + "?jawab=sudah", No: page + "?jawab=belum", Failed: page + "?jawab=gagal"}
	case "office":
		return mailflow.NoticeLinks{Status: mailflow.StatusURL(key, base, s.Number, mailflow.ForOffice)}
	}
	return mailflow.NoticeLinks{Desk: fmt.Sprintf("%s/%s/permohonan/%s", base, t.Key, s.Number)}
}

// instructions prepare what a verifier does in AMS by hand: the reset, or the look after one that is uncertain.
func (d *Daemon) instructions(t *tenant, s request.State) mailflow.NoticeInstructions {
	guide := accounts.Guide(t.conf)
	steps := guide.Steps(bsre.Subject{Name: s.Subject.Name, Email: s.Subject.Email}, nil)
	in := mailflow.NoticeInstructions{Portal: guide.PortalURL, Search: s.Subject.Email, Name: s.Subject.Name,
		Clicks: steps[:len(steps)-1]} // the last one leads back to the page, which the mail does in its own words
	if s.Status == request.StatusUncertain && s.LastCall != nil {
		in.Serial = s.LastCall.Serial
	}
	return in
}

func item(s request.State, c mailflow.NoticeClock, url string) mailflow.NoticeItem {
	return mailflow.NoticeItem{Number: s.Number, Applicant: s.Subject.Name, Office: s.Subject.Office, Step: s.ForOffice(), Holder: c.Holder,
		Left: c.Left, Due: c.Due, URL: url}
}

// fillBundle tells of several requests at once; those whose step is done meanwhile are left out.
func (d *Daemon) fillBundle(ctx context.Context, t *tenant, m store.Outgoing, n *mailflow.Notice) (send bool, err error) {
	seen := map[string]bool{}
	for _, i := range m.Items {
		if store.IsComplaint(i.Number) {
			line, ok, err := d.complaintItem(ctx, t, i)
			if err != nil {
				return false, err
			}
			if ok && !seen[i.Number] {
				n.Items = append(n.Items, line)
			}
			seen[i.Number] = seen[i.Number] || ok
			continue
		}
		s, err := d.store.State(ctx, i.Number)
		if err != nil {
			return false, err
		}
		steps, total, err := request.Clocks(s, t.Agency, d.now())
		if err != nil {
			return false, err
		}
		c, ok := request.Current(steps)
		if i.Step == request.TotalStep && total != nil {
			c, ok = *total, total.Running()
		}
		if !ok || c.Step.ID != i.Step || seen[s.Number] {
			continue
		}
		seen[s.Number] = true
		n.Items = append(n.Items, item(s, noticeClock(c, s), d.links(t, s, "staff").Desk))
		n.Request, n.Step = d.noticeRequest(t, s, "staff"), noticeClock(c, s)
	}
	return len(n.Items) > 0, nil
}

// fillLetter tells of a letter that is no request yet.
func (d *Daemon) fillLetter(ctx context.Context, t *tenant, m store.Outgoing, n *mailflow.Notice) error {
	l, err := d.store.Letter(ctx, m.LetterID)
	if err != nil {
		return err
	}
	n.Request.OpenedAt, n.Request.Channel = l.ReceivedAt.In(t.Zone), "surel"
	if l.Channel == "srikandi" {
		n.Request.Channel = "Srikandi"
	}
	if l.Channel == "mail" {
		if n.Sender, err = d.senderOf(ctx, l); err != nil {
			return err
		}
	}
	if n.Reason, err = d.whyDoubtful(ctx, l.ID); err != nil {
		return err
	}
	n.Reason = or(n.Reason, l.Problem)
	if d.cfg.PublicURL != "" {
		n.Links.Desk = fmt.Sprintf("%s/%s/surat/%d", strings.TrimSuffix(d.cfg.PublicURL, "/"), t.Key, l.ID)
	}
	r, err := d.store.Reading(ctx, l.ID)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	} else if err != nil {
		return err
	}
	n.Request.LetterNumber, n.Request.LetterSubject = deref(r.Letter.Number), letter.Mask(deref(r.Letter.Subject))
	n.Request.Office = deref(r.Letter.Office)
	lines := []string{n.Reason}
	if n.Reason == "" {
		lines = r.Reasons
	}
	for _, f := range r.Findings {
		if f.Severity == letter.Danger && !slices.Contains(lines, f.Detail) {
			lines = append(lines, f.Detail)
		}
	}
	n.Reason = letter.Mask(strings.Join(lines, "\n"))
	return nil
}

// senderOf is the From address of a letter from the mail; empty where it can't be read.
func (d *Daemon) senderOf(ctx context.Context, l store.Letter) (string, error) {
	raw, err := d.store.Raw(ctx, l.ID)
	if err != nil {
		return "", err
	}
	m, err := letter.ParseMail(raw)
	if err != nil {
		return "", nil //nolint:nilerr // nobody can be named
	}
	return sender(m), nil
}
