package scheduler

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/riverqueue/river"

	"pulih/bsre"
	"pulih/internal/config"
	"pulih/internal/request"
	"pulih/internal/sop"
	"pulih/internal/store"
)

// resetWorker makes an agency's approved resets, one at a time, in order of their deadline.
type resetWorker struct {
	river.WorkerDefaults[store.RunResets]
	d *Daemon
}

// Timeout lets a reset run to the end of its own patience.
func (w *resetWorker) Timeout(*river.Job[store.RunResets]) time.Duration { return 4 * time.Minute }

func (w *resetWorker) Work(ctx context.Context, job *river.Job[store.RunResets]) error {
	t, ok := w.d.tenants[job.Args.Agency]
	if !ok || t.ams == nil {
		return nil
	}
	release, ok, err := w.d.store.LockResets(ctx, t.Key)
	if err != nil {
		return err
	}
	if !ok { // another one is at it, and may have passed the place where this one's request stands
		return w.snooze(2 * time.Second)
	}
	defer release()
	if err := w.d.settleBooked(ctx, t); err != nil {
		return err
	}
	stopped, err := w.d.store.ResetsStopped(ctx, t.Key)
	if err != nil || stopped {
		return err
	}
	if !inWindow(t.conf.BSrE.AMS.Windows, w.d.now().In(t.Zone)) {
		return w.snooze(time.Minute)
	}
	waiting, err := w.d.store.WaitingResets(ctx, t.Key)
	if err != nil {
		return err
	}
	hold := false
	for _, r := range waiting {
		called, err := w.d.resetOne(ctx, t, r)
		if called {
			return w.snooze(t.conf.BSrE.AMS.Gap) // at most one, then the gap; the next run finds the rest
		}
		if err != nil {
			w.d.log.Warn("reset can't be prepared now", "agency", t.Key, "number", r.Number, "err", err)
			hold = true
		}
	}
	if hold {
		return w.snooze(time.Minute)
	}
	return nil
}

func (w *resetWorker) snooze(wait time.Duration) error {
	if w.d.opts.Fast {
		wait = min(wait, 200*time.Millisecond)
	}
	return river.JobSnooze(wait)
}

// inWindow reports whether resets are made at that time of the week; without windows, always.
func inWindow(windows []config.Window, at time.Time) bool {
	minute := at.Hour()*60 + at.Minute()
	return len(windows) == 0 || slices.ContainsFunc(windows, func(w config.Window) bool {
		return w.Days[at.Weekday()] && minute >= w.Hours.From && minute < w.Hours.To
	})
}

// settleBooked finds calls that were booked and have no outcome. The lock is held, so nobody is making them: a daemon died in the middle,
// and nobody knows whether the call left. It is never made again by itself (invariant 4).
func (d *Daemon) settleBooked(ctx context.Context, t *tenant) error {
	booked, err := d.store.Booked(ctx, t.Key)
	if err != nil {
		return err
	}
	for _, r := range booked {
		_, err := d.store.Act(ctx, t.Agency, r.Number, d.now(), request.Outcome{Kind: request.ResetUncertain, By: request.System,
			Text: "pulih berhenti di tengah pengajuan; tidak diketahui apakah BSrE menerimanya."})
		if err != nil {
			return err
		}
	}
	return nil
}

// resetOne prepares a call, books it, makes it and writes the outcome. called says that a call was booked. An error before that means
// "later"; whatever forbids the reset for good goes back to the verifiers as a refusal.
func (d *Daemon) resetOne(ctx context.Context, t *tenant, r store.WaitingReset) (called bool, err error) {
	s, err := d.store.State(ctx, r.Number)
	if err != nil {
		return false, err
	}
	if s.Approval == nil || s.Approval.Version != r.Approval || s.Booking != nil || !awaitsReset(s.Status) {
		return false, d.leaveQueue(ctx, r)
	}
	session, ok, err := d.session(ctx, t, s.Approval.By.ID)
	if err != nil {
		return false, err
	}
	if !ok {
		_, err := d.store.Act(ctx, t.Agency, r.Number, d.now(), request.AwaitSession{})
		return false, err
	}
	plan, err := d.prepare(ctx, t, s, &session)
	if err != nil || plan == nil {
		return false, err
	}
	if err := d.book(ctx, t, r, s, plan); err != nil {
		return false, err
	}
	return true, d.call(ctx, t, r, session, plan)
}

func awaitsReset(s request.Status) bool {
	return s == request.StatusApproved || s == request.StatusWaitingSession || s == request.StatusPhoneCheck
}

func (d *Daemon) leaveQueue(ctx context.Context, r store.WaitingReset) error {
	return d.store.InTx(ctx, d.now(), func(tx *store.Tx) error { return tx.LeaveQueue(r) })
}

// session loads the verifier's AMS session and makes sure that its token lasts through a call. A refresh spends the refresh token, so only
// one worker at a time may make it: the lock is held just for that, so that a look at a certificate never delays a reset.
func (d *Daemon) session(ctx context.Context, t *tenant, verifier string) (bsre.Session, bool, error) {
	release, err := d.store.LockSession(ctx, t.Key, verifier)
	if err != nil {
		return bsre.Session{}, false, err
	}
	defer release()
	plain, ok, err := d.store.Session(ctx, t.Key, verifier, d.now())
	if err != nil || !ok {
		return bsre.Session{}, false, err
	}
	s, err := bsre.OpenSession(plain)
	if err != nil {
		return s, false, err
	}
	before := s
	err = t.ams.Fresh(ctx, &s)
	if errors.Is(err, bsre.ErrSessionEnded) {
		return s, false, d.store.DropSession(ctx, t.Key, verifier)
	} else if err != nil {
		return s, false, err
	}
	return s, true, d.keepSession(ctx, t, verifier, before, s)
}

func (d *Daemon) keepSession(ctx context.Context, t *tenant, verifier string, before, after bsre.Session) error {
	if before == after {
		return nil
	}
	return d.store.RenewSession(ctx, t.Key, verifier, after.Plain(), later(after.ExpiresAt, after.RefreshExpiresAt), d.now())
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// plan is a call ready to be booked.
type plan struct {
	booking request.Booking
	before  bsre.Details
}

// prepare reads AMS and holds what it says against the approval. A nil plan without an error means that the verifiers were told, or that
// the reset waits for a reason they know.
func (d *Daemon) prepare(ctx context.Context, t *tenant, s request.State, session *bsre.Session) (*plan, error) {
	subject := s.Approval.Subject
	before := *session
	uid, err := t.ams.Find(ctx, session, subject.Email, subject.NIK)
	var details bsre.Details
	if err == nil {
		details, err = t.ams.Details(ctx, session, uid)
	}
	if err := errors.Join(d.keepSession(ctx, t, s.Approval.By.ID, before, *session)); err != nil {
		return nil, err
	}
	switch {
	case errors.Is(err, bsre.ErrAmbiguous):
		return nil, d.unable(ctx, t, s, "AMS menemukan lebih dari satu pengguna untuk pemohon ini; reset tidak diajukan.")
	case errors.Is(err, bsre.ErrNotFound):
		return nil, d.unable(ctx, t, s, "Pemohon tidak ditemukan di AMS dengan e-mail dinas maupun NIK.")
	case err != nil:
		return nil, err
	}
	chosen, err := bsre.Choose(details, d.now())
	var none *bsre.NoChoice
	if errors.As(err, &none) {
		return nil, d.unable(ctx, t, s, none.Sentence())
	} else if err != nil {
		return nil, err
	}
	for _, diff := range bsre.Compare(details, bsre.Subject{Name: subject.Name, NIP: subject.NIP, NIK: subject.NIK, Email: subject.Email}) {
		if diff.Severity == bsre.Danger {
			return nil, d.unable(ctx, t, s, "Data di AMS berbeda dari surat dan direktori ("+diff.Field+"); reset tidak diajukan.")
		}
	}
	if ok, err := d.guard(ctx, t, s, uid, details, chosen, *session); err != nil || !ok {
		return nil, err
	}
	return &plan{before: details, booking: request.Booking{Approval: s.Approval.Version, UID: uid, Serial: chosen.Serial, Email: details.Profile.Email,
		Verifier: s.Approval.By.ID}}, nil
}

func (d *Daemon) unable(ctx context.Context, t *tenant, s request.State, why string) error {
	return d.store.InTx(ctx, d.now(), func(tx *store.Tx) error {
		if _, err := tx.Act(t.Agency, s.Number, request.Unable{Text: why}); err != nil {
			return err
		}
		return tx.LeaveQueue(store.WaitingReset{Number: s.Number, Approval: s.Approval.Version})
	})
}

// guard asks the rails of bsre.Guard. What only holds the reset leaves it in the queue.
func (d *Daemon) guard(ctx context.Context, t *tenant, s request.State, uid string, details bsre.Details, chosen bsre.Certificate, session bsre.Session) (bool, error) {
	now := d.now()
	midnight := time.Date(now.In(t.Zone).Year(), now.In(t.Zone).Month(), now.In(t.Zone).Day(), 0, 0, 0, 0, t.Zone)
	today, err := d.store.ResetsSince(ctx, t.Key, midnight)
	if err != nil {
		return false, err
	}
	stopped, err := d.store.ResetsStopped(ctx, t.Key)
	if err != nil {
		return false, err
	}
	last, err := d.store.LastReset(ctx, t.Key, s.Subject.NIP, s.Number)
	if err != nil {
		return false, err
	}
	in := bsre.GuardInput{Now: now, Mode: t.Mode, Rules: t.Rules, Stopped: stopped, Address: s.Approval.Subject.Email, Serial: chosen.Serial,
		AMS: &details, LastReset: last, AgencyToday: today}
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
		return false, d.askPhone(ctx, t, s, uid, details.Profile.Phone, session)
	}
	return false, errors.New(refusal.Sentence)
}

// askPhone has BSrE check the applicant's telephone, once: a second WhatsApp message would only confuse them.
func (d *Daemon) askPhone(ctx context.Context, t *tenant, s request.State, uid, phone string, session bsre.Session) error {
	if s.Status == request.StatusPhoneCheck {
		return errors.New("waiting for BSrE's check of the telephone")
	}
	if _, err := d.store.Act(ctx, t.Agency, s.Number, d.now(), request.AskPhone{}); err != nil {
		return err
	}
	if out := t.ams.VerifyPhone(ctx, session, uid, or(phone, s.Subject.Phone)); out.Kind == bsre.Refused {
		return d.unable(ctx, t, s, "BSrE tidak dapat memeriksa telepon pemohon: "+out.Message)
	}
	return errors.New("waiting for BSrE's check of the telephone")
}

// book commits the call exactly as it will be made, before it is made.
func (d *Daemon) book(ctx context.Context, t *tenant, r store.WaitingReset, s request.State, p *plan) error {
	return d.store.InTx(ctx, d.now(), func(tx *store.Tx) error {
		if _, err := tx.Act(t.Agency, s.Number, request.Book{Booking: p.booking}); err != nil {
			return err
		}
		if err := tx.KeepBaseline(t.Key, s.Number, p.before); err != nil {
			return err
		}
		return tx.LeaveQueue(r)
	})
}

// call makes the one request. From here on nothing cancels it but its own patience, and the outcome is written whatever happens.
func (d *Daemon) call(ctx context.Context, t *tenant, r store.WaitingReset, session bsre.Session, p *plan) error {
	ctx = context.WithoutCancel(ctx)
	out := t.ams.Reset(ctx, session, p.booking.UID, p.booking.Serial)
	cmd := request.Outcome{By: request.Actor{Role: sop.BSrE, Name: "BSrE", Via: "ams"}, Text: out.Message, Kind: request.ResetUncertain}
	switch out.Kind {
	case bsre.Accepted:
		cmd.Kind = request.ResetAccepted
	case bsre.Refused:
		cmd.Kind = request.ResetRefused
	case bsre.NotSent:
		cmd.Kind = request.ResetNotSent
	}
	if out.SessionEnded {
		cmd.Kind = request.ResetNotSent
		if err := d.store.DropSession(ctx, t.Key, p.booking.Verifier); err != nil {
			return err
		}
	}
	if _, err := d.store.Act(ctx, t.Agency, r.Number, d.now(), cmd); err != nil {
		return err
	}
	return nil
}
