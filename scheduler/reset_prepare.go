package scheduler

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"pulih/bsre"
	"pulih/internal/letter"
	"pulih/internal/request"
	"pulih/internal/sop"
	"pulih/internal/store"
)

// plan is a call ready to be booked.
type plan struct {
	booking request.Booking
	before  bsre.Details
	session bsre.Session
	unseen  bool // Srikandi didn't answer when the letter was to be looked at once more
}

// prepare reads AMS and holds what it says against the approval. A nil plan without an error means that the request left the queue, and
// that who has to know was told.
func (d *Daemon) prepare(ctx context.Context, t *tenant, s request.State, l lent) (*plan, error) {
	uid, details, err := d.record(ctx, t, s, "", &l)
	switch {
	case errors.Is(err, bsre.ErrAmbiguous):
		return nil, d.unable(ctx, t, s, "AMS menemukan lebih dari satu pengguna untuk pemohon ini; reset tidak diajukan.")
	case errors.Is(err, bsre.ErrNotFound):
		return nil, d.unable(ctx, t, s, "Pemohon tidak ditemukan di AMS dengan e-mail dinas maupun NIK.")
	case err != nil:
		return nil, err
	}
	if done, err := d.doneBefore(ctx, t, s, details); err != nil || done {
		return nil, err
	}
	if danger, err := d.compare(ctx, t, s, details); err != nil {
		return nil, err
	} else if danger != "" {
		return nil, d.unable(ctx, t, s, danger+" Reset tidak diajukan.")
	}
	chosen, err := bsre.Choose(details, d.now())
	var none *bsre.NoChoice
	if errors.As(err, &none) {
		return nil, d.unable(ctx, t, s, none.Sentence())
	} else if err != nil {
		return nil, err
	}
	if ok, err := d.guard(ctx, t, s, details, chosen, l); err != nil || !ok {
		return nil, err
	}
	return &plan{before: details, session: l.session, booking: request.Booking{Approval: s.Approval.Version, UID: uid, Serial: chosen.Serial,
		Email: details.Profile.Email, Verifier: l.verifier}}, nil
}

// record reads the applicant's details in AMS; an empty uid is looked for first.
func (d *Daemon) record(ctx context.Context, t *tenant, s request.State, uid string, l *lent) (_ string, details bsre.Details, err error) {
	ams := d.renewing(t, l.verifier)
	if uid == "" {
		uid, err = ams.Find(ctx, &l.session, s.Subject.Email, s.Subject.NIK)
	}
	if err == nil {
		details, err = ams.Details(ctx, &l.session, uid)
	}
	err = d.heard(ctx, t, err)
	if errors.Is(err, bsre.ErrSessionEnded) {
		return uid, details, errors.Join(err, d.store.DropSessionOf(ctx, t.Key, l.verifier, l.session.Plain()))
	}
	return uid, details, err
}

// heard keeps the spans in which BSrE doesn't answer, for the clocks that are shown without them. It hands the call's error on.
func (d *Daemon) heard(ctx context.Context, t *tenant, err error) error {
	switch {
	case ctx.Err() != nil || errors.Is(err, bsre.ErrResting):
		return err
	case silent(err):
		return errors.Join(err, d.store.BeginOutage(ctx, t.Key, "bsre", "BSrE tidak menjawab.", d.now()))
	}
	return errors.Join(err, d.store.EndOutage(ctx, t.Key, "bsre", d.now()))
}

func silent(err error) bool {
	return errors.Is(err, bsre.ErrUnreachable) || errors.Is(err, bsre.ErrUnreadable)
}

// doneBefore finds that an earlier call, of which nobody knew the outcome, has led to a new certificate: another one would only undo it.
func (d *Daemon) doneBefore(ctx context.Context, t *tenant, s request.State, now bsre.Details) (bool, error) {
	if s.LastCall == nil || !s.Tried {
		return false, nil
	}
	before, known, err := d.baseline(ctx, s.Number)
	if err != nil || !known {
		return false, err
	}
	done, why := bsre.Completed(before, now, s.LastCallAt, s.LastCall.Serial)
	if !done {
		return false, nil
	}
	return true, d.completed(ctx, t, s, now, s.LastCallAt, why)
}

func (d *Daemon) baseline(ctx context.Context, number string) (before bsre.Details, known bool, err error) {
	w, ok, err := d.store.Watch(ctx, number)
	if err != nil || !ok || w.Baseline == nil {
		return before, false, err
	}
	if err := json.Unmarshal(w.Baseline, &before); err != nil {
		return before, false, fmt.Errorf("reading the certificate of %s before the reset: %w", number, err)
	}
	return before, true, nil
}

func (d *Daemon) unable(ctx context.Context, t *tenant, s request.State, why string) error {
	return d.store.InTx(ctx, d.now(), func(tx *store.Tx) error {
		if _, err := tx.Act(t.Agency, s.Number, request.Unable{Text: why}); err != nil {
			return err
		}
		return tx.LeaveQueue(store.WaitingReset{Number: s.Number, Approval: s.Approval.Version})
	})
}

// compare makes findings of what differs between AMS and the approved data. danger is what blocks the reset, in words.
func (d *Daemon) compare(ctx context.Context, t *tenant, s request.State, details bsre.Details) (danger string, err error) {
	subject := s.Approval.Subject
	want := bsre.Subject{Name: subject.Name, NIP: subject.NIP, NIK: subject.NIK, Email: subject.Email, Office: subject.Office}
	if o, ok := t.Office(subject.OfficeID); ok {
		want.Office, want.OfficeAliases = o.Name, o.Aliases
	}
	var findings []letter.Finding
	for _, diff := range bsre.Compare(details, want) {
		f := letter.Finding{Code: "ams-" + diff.Field, Severity: letter.Severity(diff.Severity), Detail: differs(diff)}
		findings = append(findings, f)
		if diff.Severity == bsre.Danger && danger == "" {
			danger = f.Detail
		}
	}
	if len(findings) > 0 {
		_, err = d.store.Act(ctx, t.Agency, s.Number, d.now(), request.Flag{By: request.Actor{Role: sop.BSrE, Name: "BSrE", Via: "ams"}, Findings: findings})
	}
	return danger, err
}

// differs says what differs, without identity numbers.
func differs(diff bsre.Difference) string {
	switch diff.Field {
	case "name":
		return fmt.Sprintf("Nama di AMS (%s) berbeda dari surat (%s).", letter.MaskNIK(diff.AMS), letter.MaskNIK(diff.Letter))
	case "nip":
		return "NIP di AMS berbeda dari surat."
	case "nik":
		return "NIK di AMS berbeda dari surat."
	case "email":
		return fmt.Sprintf("E-mail di AMS (%s) berbeda dari e-mail dinas yang terdaftar (%s).", diff.AMS, diff.Letter)
	case "office":
		return fmt.Sprintf("Unit kerja di AMS (%s) berbeda dari surat (%s).", letter.MaskNIK(diff.AMS), letter.MaskNIK(diff.Letter))
	}
	return "Data di AMS berbeda dari surat (" + diff.Field + ")."
}

// guard asks the rails of bsre.Guard. What only holds the reset leaves it in the queue.
func (d *Daemon) guard(ctx context.Context, t *tenant, s request.State, details bsre.Details, chosen bsre.Certificate, l lent) (bool, error) {
	now := d.now()
	facts, err := d.store.Facts(ctx, t.Agency, s, l.verifier, now)
	if err != nil {
		return false, err
	}
	last := facts.LastReset
	if s.LastReset.After(last) {
		last = s.LastReset
	}
	in := bsre.GuardInput{Now: now, Mode: t.Mode, Rules: t.Rules, Stopped: facts.Stopped, Address: s.Approval.Subject.Email, Serial: chosen.Serial,
		AMS: &details, Status: bsre.Code(s.Certificate), LastReset: last, AgencyToday: facts.AgencyToday, VerifierToday: facts.VerifierToday,
		VerifierCap: t.Rules.VerifierDailyResets}
	in.Applicant, _, _ = t.Official(s.Subject.NIP, s.Subject.Name)
	in.Approver, _ = t.Person(s.Approval.By.ID)
	if s.Approval.Second != nil {
		in.Second, _ = t.Person(s.Approval.Second.ID)
	}
	refusals := bsre.Guard(in)
	if len(refusals) == 0 {
		return true, nil
	}
	// What forbids it for good outweighs what only holds it.
	first := slices.IndexFunc(refusals, func(r bsre.Refusal) bool { return !r.Hold })
	refusal := refusals[max(first, 0)]
	switch {
	case !refusal.Hold:
		return false, d.unable(ctx, t, s, refusal.Sentence)
	case refusal.Rule == bsre.RulePhone:
		return false, d.askPhone(ctx, t, s, details, l)
	}
	return false, held(refusal.Sentence)
}

// askPhone has BSrE check the applicant's telephone, once an approval: a second WhatsApp message would only confuse them. The event follows
// the call, so that a call that never left is made again; a crash in between costs one message more, and no reset.
func (d *Daemon) askPhone(ctx context.Context, t *tenant, s request.State, details bsre.Details, l lent) error {
	waits := held("BSrE sedang memeriksa nomor telepon pemohon.")
	if s.Status == request.StatusPhoneCheck {
		return waits
	}
	cmd := request.AskPhone{Again: true}
	if s.PhoneAsked != s.Approval.Version {
		out := t.ams.VerifyPhone(ctx, l.session, details.UID, or(details.Profile.Phone, s.Subject.Phone))
		switch {
		case out.SessionEnded:
			_, err := d.renew(ctx, t, l.verifier, l.session)
			return errors.Join(err, held("Sesi AMS berakhir sebelum telepon pemohon diperiksa."))
		case out.Kind == bsre.Refused:
			return d.unable(ctx, t, s, "BSrE tidak dapat memeriksa telepon pemohon: "+out.Message)
		case out.Kind == bsre.NotSent:
			return held(out.Message)
		}
		cmd = request.AskPhone{Text: out.Message}
	}
	if _, err := d.store.Act(ctx, t.Agency, s.Number, d.now(), cmd); err != nil {
		return err
	}
	return waits
}
