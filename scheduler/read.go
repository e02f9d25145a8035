package scheduler

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/riverqueue/river"

	"pulih/internal/agency"
	"pulih/internal/complaint"
	"pulih/internal/letter"
	"pulih/internal/request"
	"pulih/internal/sop"
	"pulih/internal/store"
	"pulih/mailflow"
	"pulih/srikandi"
)

// readWorker reads a stored letter and does what follows from it, in one transaction.
type readWorker struct {
	river.WorkerDefaults[store.ReadLetter]
	d *Daemon
}

// Timeout is enough for a letter of many scanned pages.
func (w *readWorker) Timeout(*river.Job[store.ReadLetter]) time.Duration { return 15 * time.Minute }

// maxReads is after how many tries a letter that can't be read goes to quarantine. A crash while reading counts as a try.
const maxReads = 5

func (w *readWorker) Work(ctx context.Context, job *river.Job[store.ReadLetter]) error {
	l, err := w.d.store.Letter(ctx, job.Args.LetterID)
	if err != nil {
		return err
	}
	t, ok := w.d.tenants[l.Agency]
	if !ok || l.State != "stored" || l.Version != job.Args.Version {
		return nil // read already, changed since, or of an agency that isn't configured any more
	}
	attempts, err := w.d.store.Attempt(ctx, l.ID)
	if err != nil {
		return err
	}
	if attempts > maxReads {
		return w.d.quarantine(ctx, t, l, fmt.Sprintf("Tidak terbaca setelah %d kali dicoba.", maxReads))
	}
	raw, err := w.d.store.Raw(ctx, l.ID)
	if err != nil {
		return err
	}
	if l.Channel == "srikandi" {
		return w.d.readNaskah(ctx, t, l, raw)
	}
	return w.d.readMail(ctx, t, l, raw)
}

func (d *Daemon) quarantine(ctx context.Context, t *tenant, l store.Letter, why string) error {
	return d.store.InTx(ctx, d.now(), func(tx *store.Tx) error {
		if err := tx.Quarantine(l.ID, why); err != nil {
			return err
		}
		if err := d.underBacklog(tx, t, l); err != nil {
			return err
		}
		return d.tellVerifiers(tx, t, l.ID, mailflow.NoticeUnclearLetter)
	})
}

// tellVerifiers writes to each verifier about a letter that needs a decision, once a letter.
func (d *Daemon) tellVerifiers(tx *store.Tx, t *tenant, letterID int64, template string) error {
	for _, p := range t.Holders(sop.Verifier, d.now()) {
		err := tx.Notify(store.Notice{
			Agency: t.Key, Once: fmt.Sprintf("letter/%d/%s/%s", letterID, template, p.Email), LetterID: letterID, Template: template,
			To: request.Recipient{Kind: "staff", ID: p.ID, Name: p.Name, Address: p.Email},
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// readMail tells apart what a machine sent, what belongs to a request, and what is a letter of its own.
func (d *Daemon) readMail(ctx context.Context, t *tenant, l store.Letter, raw []byte) error {
	m, err := letter.ParseMail(raw)
	if err != nil {
		return d.quarantine(ctx, t, l, "Surel tidak dapat diurai.")
	}
	if l.HeadersOnly {
		return d.markRead(ctx, l, letter.Unclear, letter.Reading{Kind: letter.Unclear,
			Reasons: []string{"Surel melebihi batas ukuran; hanya kepalanya yang diambil. Bacalah di kotak surat."}}, func(tx *store.Tx) error {
			return d.tellVerifiers(tx, t, l.ID, mailflow.NoticeUnclearLetter)
		})
	}
	if b, ok := mailflow.ReadBounce(m); ok {
		return d.readBounce(ctx, t, l, b)
	}
	if kind, why := mailflow.IsAutomatic(m); kind == mailflow.AutoReply {
		return d.markRead(ctx, l, letter.AutoReply, letter.Reading{Kind: letter.AutoReply, Reasons: []string{why}}, nil)
	}
	reading := d.reader.Read(ctx, letter.Input{Mail: raw})
	env := letter.Envelope{Channel: "mail", From: sender(m), ReceivedAt: l.ReceivedAt}
	auth := mailflow.Authenticate(m, raw, mailflow.Trust{ServerID: t.conf.Inbox.AuthservID})
	env.Auth = &auth
	if number, ok, err := d.threadOf(ctx, t, l, m, env); err != nil {
		return err
	} else if ok {
		return d.readReply(ctx, t, l, m, reading, env, number)
	}
	if reading.Kind == letter.Reply && letter.Complains(m) {
		reading.Kind = letter.Complaint // to a thread that isn't theirs, or that we don't know
	}
	ref := request.Letter{ID: l.ID, Channel: "mail", From: env.From, MessageID: l.MessageID, ReceivedAt: l.ReceivedAt}
	switch reading.Kind {
	case letter.Complaint:
		return d.readComplaint(ctx, t, l, m, reading, env, "")
	case letter.ProviderNotice:
		return d.readNotice(ctx, t, l, m, reading, ref)
	case letter.Disposition:
		return d.readDisposition(ctx, t, l, m, reading, env, ref)
	}
	return d.readLetter(ctx, t, l, reading, env, ref)
}

func sender(m *letter.Mail) string {
	if len(m.From) == 0 {
		return ""
	}
	return m.From[0].Address
}

// markRead writes down what a letter is and does what follows from it. A letter that has changed meanwhile is left to the job of its new
// version: what an older one says is no longer true.
func (d *Daemon) markRead(ctx context.Context, l store.Letter, kind letter.Kind, r letter.Reading, then func(tx *store.Tx) error) error {
	err := d.store.InTx(ctx, d.now(), func(tx *store.Tx) error {
		if err := tx.MarkRead(l.ID, l.Version, kind, r); err != nil {
			return err
		}
		if err := d.underBacklog(tx, d.tenants[l.Agency], l); err != nil || then == nil {
			return err
		}
		return then(tx)
	})
	if errors.Is(err, store.ErrChanged) {
		return nil
	}
	return err
}

// threadOf finds the request that a mail answers: by our signed Message-ID, or by the number in the subject when the sender belongs to
// that request; never by subject alone (RFC 5322 says nothing about who may write one).
func (d *Daemon) threadOf(ctx context.Context, t *tenant, l store.Letter, m *letter.Mail, env letter.Envelope) (string, bool, error) {
	thread := mailflow.ReadThread(d.mailKey, m)
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
		theirs, err := d.complaintInSubject(ctx, t, thread.Number, env.From)
		return thread.Number, theirs, err
	}
	s, err := d.store.State(ctx, thread.Number)
	if errors.Is(err, store.ErrNotFound) {
		return "", false, nil
	} else if err != nil {
		return "", false, err
	}
	return thread.Number, belongs(t.Agency, s, env.From), nil
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
	if !known || env.Auth == nil || env.Auth.DMARC != "pass" && env.Auth.DKIM != "pass" || len(to) == 0 || len(r.Applicants) == 0 {
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
func (d *Daemon) readBounce(ctx context.Context, t *tenant, l store.Letter, b mailflow.Bounce) error {
	r := letter.Reading{Kind: letter.Bounce, Reasons: []string{b.Why}}
	_, verdict := mailflow.ReadToken(d.mailKey, b.Of)
	if verdict != mailflow.Genuine || b.Delayed {
		return d.markRead(ctx, l, letter.Bounce, r, nil)
	}
	return d.markRead(ctx, l, letter.Bounce, r, func(tx *store.Tx) error {
		m, err := tx.MarkBounced(b.Of, b.Why, b.Permanent)
		if errors.Is(err, store.ErrNotFound) {
			return nil
		} else if err != nil || m.Number == "" || !b.Permanent {
			return err
		}
		why := "Surel ke " + m.Address + " kembali: " + b.Why
		if store.IsComplaint(m.Number) {
			_, err := tx.ActComplaint(t.Agency, m.Number, complaint.Undelivered{Answer: m.Template == complaint.MailAnswered, Text: why})
			return err
		}
		if _, err := tx.Act(t.Agency, m.Number, request.Note{By: request.System, Text: why}); err != nil {
			return err
		}
		if m.Kind != "applicant" {
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

// readLetter acts on a letter from the mail that stands by itself; readNaskah does so for one from Srikandi.
func (d *Daemon) readLetter(ctx context.Context, t *tenant, l store.Letter, r letter.Reading, env letter.Envelope, ref request.Letter) error {
	ref.Number, ref.Date, ref.Subject = deref(r.Letter.Number), deref(r.Letter.Date), deref(r.Letter.Subject)
	if r.Letter.Signer != nil {
		ref.Signer = deref(r.Letter.Signer.Name)
	}
	subjects, err := d.judge(ctx, t, l, &r, env)
	if err != nil {
		return err
	}
	return d.markRead(ctx, l, r.Kind, r, func(tx *store.Tx) error {
		_, err := d.receive(tx, t, l, r, ref, subjects, nil)
		return err
	})
}

// judge adds what speaks for and against the letter, and says whose passphrase it is about.
func (d *Daemon) judge(ctx context.Context, t *tenant, l store.Letter, r *letter.Reading, env letter.Envelope) ([]request.Subject, error) {
	var subjects []request.Subject
	var past []letter.Past
	for _, ap := range r.Applicants {
		s := subjectOf(t.Agency, ap, *r, env)
		earlier, err := d.store.Past(ctx, t.Key, s.NIP, s.Name, deref(r.Letter.Number))
		if err != nil {
			return nil, err
		}
		mine, err := d.store.RequestsOfLetter(ctx, l.ID)
		if err != nil {
			return nil, err
		}
		// A letter that is read again is no repetition of itself.
		earlier = slices.DeleteFunc(earlier, func(p letter.Past) bool {
			return slices.ContainsFunc(mine, func(m store.Request) bool { return m.Number == p.Request })
		})
		past = append(past, earlier...)
		subjects = append(subjects, s)
	}
	r.Findings = append(r.Findings, letter.Check(*r, env, t.Agency, past, d.now())...)
	return subjects, nil
}

// subjectOf holds an applicant against the directory. The address is always the registered one: an address that only the letter knows is
// how an attacker would catch the link (letters.md, "Bait").
func subjectOf(a *agency.Agency, ap letter.Applicant, r letter.Reading, env letter.Envelope) request.Subject {
	s := request.Subject{
		Name: deref(ap.Name), NIP: agency.Digits(deref(ap.NIP)), NIK: agency.Digits(deref(ap.NIK)), Phone: deref(ap.Phone),
		Position: deref(ap.Position), Office: deref(ap.Office),
	}
	if s.Office == "" {
		s.Office = deref(r.Letter.Office)
	}
	if f, o, ok := a.Official(s.NIP, s.Name); ok {
		s.Email, s.Known = f.Email, f.Email != ""
		s.OfficeID, s.Office = o.ID, o.Name
		s.NIP = or(s.NIP, agency.Digits(f.NIP))
		s.Name, s.Position, s.Phone = or(s.Name, f.Name), or(s.Position, f.Position), or(s.Phone, f.Phone)
		return s
	}
	if o, ok := a.OfficeByName(s.Office); ok {
		s.OfficeID, s.Office = o.ID, o.Name
	} else if o, ok := a.OfficeByAddress(env.From); ok {
		s.OfficeID = o.ID
		s.Office = or(s.Office, o.Name)
	}
	return s
}

// receive opens or joins a request for each applicant; what isn't a request goes to a human or stays where it is.
func (d *Daemon) receive(tx *store.Tx, t *tenant, l store.Letter, r letter.Reading, ref request.Letter, subjects []request.Subject, n *srikandi.Naskah) ([]string, error) {
	switch r.Kind {
	case letter.ResetRequest:
	case letter.Reply: // to nothing that we know of: a human finds out
		return nil, errors.Join(tx.SetKind(l.ID, letter.Unclear), d.tellVerifiers(tx, t, l.ID, mailflow.NoticeUnclearLetter))
	case letter.Unclear:
		return nil, d.tellVerifiers(tx, t, l.ID, mailflow.NoticeUnclearLetter)
	case letter.OtherCertificateService:
		return nil, d.tellVerifiers(tx, t, l.ID, mailflow.NoticeOtherService)
	default:
		return nil, nil
	}
	if len(subjects) == 0 {
		// It asks for a reset and doesn't say whose: a human reads it.
		return nil, errors.Join(tx.SetKind(l.ID, letter.Unclear), d.tellVerifiers(tx, t, l.ID, mailflow.NoticeUnclearLetter))
	}
	if n != nil && n.Cancelled {
		return nil, nil
	}
	var numbers []string
	for _, s := range subjects {
		keys := d.store.Keys.LetterKeys(keyNumber(ref, n), ref.Date, fileSums(l, r), ref.SrikandiID, s.NIP, s.Name)
		if len(keys) == 0 {
			keys = [][]byte{d.store.Keys.Lookup("request", fmt.Sprintf("letter\x00%d\x00%s", l.ID, s.NIP+s.Name))}
		}
		ask, err := d.doubt(tx, t, l, ref, keyNumber(ref, n), s, keys)
		if err != nil {
			return nil, err
		}
		if ask.join != "" {
			if _, err := tx.JoinLetter(t.Agency, ask.join, keys, request.Join{Letter: ref, Findings: r.Findings}, true); err != nil {
				return nil, err
			}
			numbers = append(numbers, ask.join)
			continue
		}
		if ask.waits {
			continue
		}
		by := request.Actor{Role: sop.Applicant, Name: s.Office, Via: ref.Channel}
		st, opened, err := tx.Receive(t.Agency, keys, request.Open{Letter: ref, Subject: s, Findings: r.Findings, By: by})
		if err != nil {
			return nil, err
		}
		if opened && n != nil {
			if err := d.noteOutage(tx, t, l, st.Number); err != nil {
				return nil, err
			}
		}
		if opened && ref.Channel == "mail" && t.gateway != nil {
			if err := tx.AskRegistration(t.Key, l.ID); err != nil {
				return nil, err
			}
		}
		numbers = append(numbers, st.Number)
	}
	return numbers, nil
}

// keyNumber leaves out a temporary number: it is not the letter's (contracts/srikandi.md).
func keyNumber(ref request.Letter, n *srikandi.Naskah) string {
	if n != nil && n.Temporary {
		return ""
	}
	return ref.Number
}

// fileSums are the contents by which a letter is known again; a mail itself is one, since we register it so in Srikandi.
func fileSums(l store.Letter, r letter.Reading) [][]byte {
	var sums [][]byte
	if sum, err := hex.DecodeString(l.Source); err == nil && l.Channel == "mail" {
		sums = append(sums, sum)
	}
	for _, f := range r.Attachments {
		if sum, err := hex.DecodeString(f.SHA256); err == nil && len(sum) > 0 {
			sums = append(sums, sum)
		}
	}
	return sums
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

func or(a, b string) string {
	if a == "" {
		return b
	}
	return a
}
