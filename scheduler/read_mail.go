package scheduler

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"pulih/internal/agency"
	"pulih/internal/complaint"
	"pulih/internal/letter"
	"pulih/internal/request"
	"pulih/internal/sop"
	"pulih/internal/store"
	"pulih/mailflow"
	"pulih/srikandi"
)

// mail is what one look at a letter from the mail tells, before anything is done about it.
type mail struct {
	*letter.Mail
	bounce  *mailflow.Bounce // nil for all else
	thread  mailflow.Thread
	reading letter.Reading
	env     letter.Envelope
}

// readMail tells apart what a machine sent, what belongs to a request, and what is a letter of its own.
func (d *Daemon) readMail(ctx context.Context, t *tenant, l store.Letter, raw []byte) error {
	m, err := letter.ParseMail(raw)
	if err != nil {
		return d.quarantine(ctx, t, l, "Surel tidak dapat diurai.")
	}
	return d.heed(ctx, t, l, d.glance(ctx, t, l, m, raw))
}

// glance reads a mail. It touches nothing.
func (d *Daemon) glance(ctx context.Context, t *tenant, l store.Letter, m *letter.Mail, raw []byte) mail {
	out := mail{Mail: m, env: letter.Envelope{Channel: "mail", From: sender(m), ReceivedAt: l.ReceivedAt}}
	if l.HeadersOnly {
		out.reading = letter.Reading{Kind: letter.Unclear,
			Reasons: []string{"Surel melebihi batas ukuran; hanya kepalanya yang diambil. Bacalah di kotak surat."}}
		return out
	}
	if b, ok := mailflow.ReadBounce(m); ok {
		out.bounce = &b
		out.reading = letter.Reading{Kind: letter.Bounce, Reasons: []string{b.Why}}
		return out
	}
	if kind, why := mailflow.IsAutomatic(m); kind == mailflow.AutoReply {
		out.reading = letter.Reading{Kind: letter.AutoReply, Reasons: []string{why}}
		return out
	}
	out.reading = d.reader.Read(ctx, letter.Input{Mail: raw, Parsed: m})
	auth := mailflow.Authenticate(m, raw, mailflow.Trust{ServerID: t.conf.Inbox.AuthservID})
	out.env.Auth = &auth
	out.thread = mailflow.ReadThread(d.mailKey, m)
	return out
}

// idle reports whether nothing follows from a mail but that it was read.
func (m mail) idle() bool {
	switch m.reading.Kind {
	case letter.AutoReply:
		return true
	case letter.Other:
		return len(m.reading.Applicants) == 0 && m.thread == mailflow.Thread{Verdict: mailflow.Foreign}
	}
	return false
}

// heed does what follows from a mail.
func (d *Daemon) heed(ctx context.Context, t *tenant, l store.Letter, m mail) error {
	switch {
	case l.HeadersOnly:
		return d.markRead(ctx, l, letter.Unclear, m.reading, func(tx *store.Tx) error {
			return d.tellVerifiers(tx, t, l.ID, mailflow.NoticeUnclearLetter)
		})
	case m.bounce != nil:
		return d.readBounce(ctx, t, l, *m.bounce, m.reading)
	case m.reading.Kind == letter.AutoReply:
		return d.markRead(ctx, l, letter.AutoReply, m.reading, nil)
	}
	if number, ok, err := d.threadOf(ctx, t, l, m); err != nil {
		return err
	} else if ok {
		return d.readReply(ctx, t, l, m.Mail, m.reading, m.env, number)
	}
	if m.reading.Kind == letter.Reply && letter.Complains(m.Mail) {
		m.reading.Kind = letter.Complaint // to a thread that isn't theirs, or that we don't know
	}
	ref := request.Letter{ID: l.ID, Channel: "mail", From: m.env.From, MessageID: l.MessageID, ReceivedAt: l.ReceivedAt}
	switch m.reading.Kind {
	case letter.Complaint:
		return d.readComplaint(ctx, t, l, m.Mail, m.reading, m.env, "")
	case letter.ProviderNotice:
		return d.readNotice(ctx, t, l, m.Mail, m.reading, ref)
	case letter.Disposition:
		return d.readDisposition(ctx, t, l, m.Mail, m.reading, m.env, ref)
	}
	return d.readLetter(ctx, t, l, m.reading, m.env, ref)
}

func sender(m *letter.Mail) string {
	if len(m.From) == 0 {
		return ""
	}
	return m.From[0].Address
}

// threadOf finds the request that a mail answers: by our signed Message-ID, or by the number in the subject when the sender belongs to
// that request; never by subject alone (RFC 5322 says nothing about who may write one).
func (d *Daemon) threadOf(ctx context.Context, t *tenant, l store.Letter, m mail) (string, bool, error) {
	thread := m.thread
	if thread.Forged {
		err := d.store.InTx(ctx, d.now(), func(tx *store.Tx) error {
			return tx.Refuse(t.Key, "Surel menyebut tanda balasan yang bukan buatan kami.", fmt.Sprintf("letter %d", l.ID), []byte(l.MessageID))
		})
		if err != nil {
			return "", false, err
		}
	}
	if thread.Verdict == mailflow.Genuine && thread.Token.Agency == t.Key && thread.Token.Request != "" {
		return thread.Token.Request, true, nil
	}
	if thread.Number == "" || len(m.InReplyTo)+len(m.References) == 0 && !strings.HasPrefix(strings.ToLower(m.Subject), "re:") {
		return "", false, nil
	}
	if store.IsComplaint(thread.Number) {
		theirs, err := d.complaintInSubject(ctx, t, thread.Number, m.env.From)
		return thread.Number, theirs, err
	}
	s, err := d.store.State(ctx, thread.Number)
	if errors.Is(err, store.ErrNotFound) {
		return "", false, nil
	} else if err != nil {
		return "", false, err
	}
	return thread.Number, belongs(t.Agency, s, m.env.From), nil
}

func belongs(a *agency.Agency, s request.State, from string) bool {
	if agency.SameAddress(from, s.Subject.Email) {
		return true
	}
	o, ok := a.OfficeByAddress(from)
	return ok && o.ID == s.Subject.OfficeID
}

// readReply joins an answer to its request: it completes a returned one, complains about one, and is a note on any other.
func (d *Daemon) readReply(ctx context.Context, t *tenant, l store.Letter, m *letter.Mail, r letter.Reading, env letter.Envelope, number string) error {
	if store.IsComplaint(number) {
		return d.readComplaintReply(ctx, t, l, m, r, number)
	}
	if ok, err := d.readAnswer(ctx, l, t, m, r, number); ok || err != nil {
		return err
	}
	from := sender(m)
	if letter.Complains(m) {
		s, err := d.store.State(ctx, number)
		if err != nil {
			return err
		}
		if s.Status != request.StatusReturned {
			return d.readComplaint(ctx, t, l, m, r, env, number)
		}
	}
	return d.markRead(ctx, l, letter.Reply, r, func(tx *store.Tx) error {
		s, err := d.store.State(ctx, number)
		if err != nil {
			return err
		}
		joined := request.Letter{ID: l.ID, Channel: "mail", From: from, MessageID: l.MessageID, ReceivedAt: l.ReceivedAt, Subject: m.Subject}
		by := request.Actor{Role: sop.Applicant, Name: from, Via: "mail"}
		if s.Status == request.StatusReturned && belongs(t.Agency, s, from) {
			_, err = tx.Act(t.Agency, number, request.Complete{By: by, Letter: &joined})
			return err
		}
		_, err = tx.Act(t.Agency, number, request.Join{Letter: joined}, request.Note{By: by, Text: "Balasan masuk: " + m.Subject})
		if err == nil {
			err = d.tellVerifiers(tx, t, l.ID, mailflow.NoticeUnclearLetter)
		}
		return err
	})
}

// readNotice joins a notice from BSrE to the request that it names, if it names just one. A stranger may have written it, so it is
// a note beside the request and moves nothing.
func (d *Daemon) readNotice(ctx context.Context, t *tenant, l store.Letter, m *letter.Mail, r letter.Reading, ref request.Letter) error {
	queue, err := d.store.Queue(ctx, t.Key)
	if err != nil {
		return err
	}
	text := strings.ToLower(m.Subject + "\n" + m.Text)
	var named []string
	for _, q := range queue {
		s, err := d.store.State(ctx, q.Number)
		if err != nil {
			return err
		}
		if s.Approvals > 0 && s.Subject.Email != "" && strings.Contains(text, strings.ToLower(s.Subject.Email)) {
			named = append(named, q.Number)
		}
	}
	return d.markRead(ctx, l, r.Kind, r, func(tx *store.Tx) error {
		if len(named) != 1 {
			return nil
		}
		ref.Subject = m.Subject
		_, err := tx.Act(t.Agency, named[0], request.Join{Letter: ref},
			request.Evidence{By: request.Actor{Role: sop.BSrE, Name: "BSrE", Via: "mail"}, Text: "Pemberitahuan masuk: " + letter.Mask(m.Subject)})
		return err
	})
}

// readDisposition takes a letter that an official of the chain forwards with an instruction for a disposition in Srikandi. Who they are must
// be certain: their registered address, and the agency's own mail server vouches for it.
func (d *Daemon) readDisposition(ctx context.Context, t *tenant, l store.Letter, m *letter.Mail, r letter.Reading, env letter.Envelope, ref request.Letter) error {
	by, known := t.PersonByEmail(env.From)
	to := receivers(t.Agency, m)
	if !known || !vouched(t, env) || len(to) == 0 || len(r.Applicants) == 0 {
		return d.markRead(ctx, l, letter.Unclear, r, func(tx *store.Tx) error { return d.tellVerifiers(tx, t, l.ID, mailflow.NoticeUnclearLetter) })
	}
	acts := srikandi.Instruct(strings.Split(m.Text, "\n")...).Moves() // the same words as in Srikandi
	r.Kind = letter.ResetRequest                                      // the letter within is one; how it came is the disposition
	ref.Number, ref.Date, ref.Subject = deref(r.Letter.Number), deref(r.Letter.Date), deref(r.Letter.Subject)
	subjects, err := d.judge(ctx, t, l, &r, env)
	if err != nil {
		return err
	}
	return d.markRead(ctx, l, letter.Disposition, r, func(tx *store.Tx) error {
		numbers, err := d.receive(tx, t, l, r, ref, subjects, nil)
		if err != nil {
			return err
		}
		from := request.Actor{ID: by.ID, Name: by.Name, Role: deepest(by), Via: "mail"}
		for _, number := range numbers {
			_, err := tx.Act(t.Agency, number, request.Dispose{LetterID: l.ID, Now: []request.Disposition{{
				ID: fmt.Sprintf("mail-%d", l.ID), From: from, To: to, Acts: acts, Text: letter.Mask(firstLine(m.Text)), SentAt: l.ReceivedAt,
			}}})
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// vouched reports whether From is proven: by DMARC at the agency's own mail server, or, where there is none, by a signature of From's domain
// that was checked here.
func vouched(t *tenant, env letter.Envelope) bool {
	return env.Auth != nil && (env.Auth.DMARC == "pass" || t.conf.Inbox.AuthservID == "" && env.Auth.DKIM == "pass")
}

// receivers are the members of the chain that a mail goes to.
func receivers(a *agency.Agency, m *letter.Mail) []request.Actor {
	var out []request.Actor
	for _, to := range append(slices.Clone(m.To), m.Cc...) {
		if p, ok := a.PersonByEmail(to.Address); ok && deepest(p) != "" {
			out = append(out, request.Actor{ID: p.ID, Name: p.Name, Role: deepest(p), Via: "mail"})
		}
	}
	return out
}

// deepest is the person's role furthest down the chain; "" for somebody outside it.
func deepest(p agency.Person) sop.Role {
	var role sop.Role
	for _, r := range p.Roles {
		if r.Depth() > role.Depth() {
			role = r
		}
	}
	return role
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(s), "\n")
	return line
}

// readBounce believes a report only when it names a mail of ours by its signed Message-ID.
func (d *Daemon) readBounce(ctx context.Context, t *tenant, l store.Letter, b mailflow.Bounce, r letter.Reading) error {
	_, verdict := mailflow.ReadToken(d.mailKey, b.Of)
	if verdict != mailflow.Genuine || b.Delayed {
		return d.markRead(ctx, l, letter.Bounce, r, nil)
	}
	m, err := d.store.MailSent(ctx, b.Of)
	if errors.Is(err, store.ErrNotFound) {
		return d.markRead(ctx, l, letter.Bounce, r, nil)
	} else if err != nil {
		return err
	}
	// Whoever got a mail of ours can write a report about it: an address is dead only when the report is about that mail's own recipient.
	dead := b.Permanent && agency.SameAddress(b.Recipient, m.Address)
	return d.markRead(ctx, l, letter.Bounce, r, func(tx *store.Tx) error {
		if _, err := tx.MarkBounced(b.Of, b.Why, dead); err != nil || m.Number == "" || !b.Permanent {
			return err
		}
		why := "Surel ke " + m.Address + " kembali: " + b.Why
		if !dead {
			why = "Surel ke " + m.Address + " diteruskan ke alamat lain dan kembali dari sana: " + b.Why
		}
		if store.IsComplaint(m.Number) {
			_, err := tx.ActComplaint(t.Agency, m.Number, complaint.Undelivered{Answer: m.Template == complaint.MailAnswered, Text: why})
			return err
		}
		if _, err := tx.Act(t.Agency, m.Number, request.Note{By: request.System, Text: why}); err != nil {
			return err
		}
		if m.Kind != "applicant" || !dead {
			return nil
		}
		// BSrE's link would not arrive either.
		for _, p := range t.Holders(sop.Verifier, d.now()) {
			err := tx.Notify(store.Notice{Agency: t.Key, Once: fmt.Sprintf("dead/%s/%s/%s", m.Number, m.Address, p.Email), Number: m.Number,
				Template: mailflow.NoticeAddressDead, To: request.Recipient{Kind: "staff", ID: p.ID, Name: p.Name, Address: p.Email}})
			if err != nil {
				return err
			}
		}
		return nil
	})
}
