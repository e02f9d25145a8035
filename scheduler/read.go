package scheduler

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/riverqueue/river"

	"pulih/internal/agency"
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
	l, sealed, err := w.d.store.Attempt(ctx, job.Args.LetterID, job.Args.Version)
	if errors.Is(err, store.ErrNotFound) {
		return nil // read already, or changed since
	} else if err != nil {
		return err
	}
	t, err := w.d.tenant(ctx, l.Agency)
	if err != nil || t == nil { // of an agency that isn't configured any more
		return err
	}
	if l.Attempts > maxReads {
		return w.d.quarantine(ctx, t, l, fmt.Sprintf("Tidak terbaca setelah %d kali dicoba.", maxReads))
	}
	defer w.d.turns.enter(l)()
	raw, err := w.d.store.OpenRaw(l, sealed)
	if err != nil {
		return err
	}
	if l.Channel == "srikandi" {
		return w.d.readNaskah(ctx, t, l, raw)
	}
	if len(raw) == 0 {
		return w.d.fetchAgain(ctx, t, l)
	}
	return w.d.readMail(ctx, t, l, raw)
}

func (d *Daemon) quarantine(ctx context.Context, t *tenant, l store.Letter, why string) error {
	return d.store.InTx(ctx, d.now(), func(tx *store.Tx) error {
		if err := tx.Quarantine(l.ID, why); err != nil {
			return err
		}
		if _, err := d.underBacklog(tx, t, l); err != nil {
			return err
		}
		return d.tellVerifiers(tx, t, l.ID, mailflow.NoticeUnclearLetter)
	})
}

// mostToldAnHour is how many mails of one kind about letters that need a decision a verifier gets in an hour.
const mostToldAnHour = 10

// tellVerifiers writes to each verifier about a letter that needs a decision, once a letter.
func (d *Daemon) tellVerifiers(tx *store.Tx, t *tenant, letterID int64, template string) error {
	for _, p := range t.Holders(sop.Verifier, d.now()) {
		told, err := tx.ToldSince(t.Key, template, p.Email, d.now().Add(-time.Hour))
		if err != nil {
			return err
		}
		if told >= mostToldAnHour {
			continue // a stranger's thousand letters are no thousand mails: the page Surat and the morning's digest count them all
		}
		err = tx.Notify(store.Notice{
			Agency: t.Key, Once: fmt.Sprintf("letter/%d/%s/%s", letterID, template, p.Email), LetterID: letterID, Template: template,
			To: request.Recipient{Kind: "staff", ID: p.ID, Name: p.Name, Address: p.Email},
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// markRead writes down what a letter is and does what follows from it. A letter that has changed meanwhile is left to the job of its new
// version: what an older one says is no longer true.
func (d *Daemon) markRead(ctx context.Context, t *tenant, l store.Letter, kind letter.Kind, r letter.Reading, then func(tx *store.Tx) error) error {
	if kind == letter.ResetRequest && l.ReadVersion == 0 && d.turns.before(l, d.turnPatience()) != nil {
		if err := d.store.Spare(ctx, l); err != nil {
			return err
		}
		d.turns.wait(ctx, l, d.turnPatience())
	}
	err := d.store.InTx(ctx, d.now(), func(tx *store.Tx) error {
		if err := tx.MarkRead(l.ID, l.Version, kind, r); err != nil {
			return err
		}
		held, err := d.underBacklog(tx, t, l)
		if err != nil || then == nil {
			return err
		}
		if err := then(tx); err != nil || !held {
			return err
		}
		return d.remindHeld(tx, t, l)
	})
	if errors.Is(err, store.ErrChanged) {
		return nil
	}
	return err
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
	return d.markRead(ctx, t, l, r.Kind, r, func(tx *store.Tx) error {
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
	dead, err := d.deadAddresses(ctx, t, subjects)
	if err != nil {
		return nil, err
	}
	r.Findings = append(append(r.Findings, letter.Check(*r, env, t.Agency, past, d.now())...), dead...)
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
		keys := d.store.Keys.LetterKeys(keyNumber(ref, n), ref.Date, store.FileSums(l, r), ref.SrikandiID, s.NIP, s.Name)
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
		opening := request.Open{Letter: ref, Subject: s, Findings: r.Findings, By: by}
		if n != nil {
			opening.Dispositions = srikandi.Counting(srikandi.Dispositions(*n, t.Agency))
		}
		st, opened, err := tx.Receive(t.Agency, keys, opening)
		if err != nil {
			return nil, err
		}
		if opened && n != nil {
			if err := d.noteOutage(tx, t, l, st.Number); err != nil {
				return nil, err
			}
		}
		if opened && t.esign != nil && len(r.Attachments) > 0 {
			if err := tx.Enqueue(askSignature{LetterID: l.ID}, onlyOne); err != nil {
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
