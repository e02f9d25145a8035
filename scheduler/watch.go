package scheduler

import (
	"context"
	"errors"

	"github.com/riverqueue/river"

	"pulih/bsre"
	"pulih/internal/request"
	"pulih/internal/sop"
	"pulih/internal/store"
)

// watchWorker looks once after the certificate of a request.
type watchWorker struct {
	river.WorkerDefaults[store.WatchRequest]
	d *Daemon
}

func (w *watchWorker) Work(ctx context.Context, job *river.Job[store.WatchRequest]) error {
	s, err := w.d.store.State(ctx, job.Args.Number)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	} else if err != nil {
		return err
	}
	t, ok := w.d.tenantOf(s)
	if !ok {
		return nil
	}
	if !s.Status.Open() {
		return w.d.store.InTx(ctx, w.d.now(), func(tx *store.Tx) error { return tx.EndWatch(s.Number) })
	}
	var before bsre.Details
	known, err := w.d.store.Baseline(ctx, s.Number, &before)
	if err != nil || !known || t.ams == nil || s.Booking == nil {
		return err // made by hand: the applicant's answer or the verifier's word will tell
	}
	after, ok, err := w.d.look(ctx, t, s.Booking.UID)
	if err != nil || !ok {
		return err
	}
	done, why := bsre.Completed(before, after, s.BookedAt, s.Booking.Serial)
	if !done {
		return nil
	}
	at, now := w.d.now(), w.d.now()
	if c, err := bsre.Choose(after, now); err == nil && c.NotBefore.After(s.BookedAt) && c.NotBefore.Before(now) {
		at = c.NotBefore
	}
	by := request.Actor{Role: sop.BSrE, Name: "BSrE", Via: "ams"}
	_, err = w.d.store.Act(ctx, t.Agency, s.Number, now, request.Observe{Kind: request.CertificateIssued, At: at, By: by, Text: why},
		request.Observe{Kind: request.Usable, At: now, By: by, Text: why})
	return err
}

func (d *Daemon) tenantOf(s request.State) (*tenant, bool) {
	for _, t := range d.order {
		if len(s.Number) > len(t.Prefix) && s.Number[:len(t.Prefix)+1] == t.Prefix+"-" {
			return t, true
		}
	}
	return nil, false
}

// look reads a user's details in any live session of the agency: reading is not acting in somebody's name.
func (d *Daemon) look(ctx context.Context, t *tenant, uid string) (bsre.Details, bool, error) {
	holders, err := d.store.SessionHolders(ctx, t.Key, d.now())
	if err != nil {
		return bsre.Details{}, false, err
	}
	for _, verifier := range holders {
		session, ok, err := d.session(ctx, t, verifier)
		if err != nil {
			return bsre.Details{}, false, err
		}
		if !ok {
			continue
		}
		before := session
		details, err := t.ams.Details(ctx, &session, uid)
		if keep := d.keepSession(ctx, t, verifier, before, session); keep != nil {
			return details, false, keep
		}
		return details, err == nil, err
	}
	return bsre.Details{}, false, nil
}

// statusWorker asks the agency's eSign gateway about a certificate. What it can't tell is left open: unknown is never ISSUE, and it is no
// reason to refuse either.
type statusWorker struct {
	river.WorkerDefaults[store.AskStatus]
	d *Daemon
}

func (w *statusWorker) Work(ctx context.Context, job *river.Job[store.AskStatus]) error {
	s, err := w.d.store.State(ctx, job.Args.Number)
	if err != nil {
		return err
	}
	t, ok := w.d.tenantOf(s)
	if !ok || t.esign == nil || s.Status != request.StatusChecking {
		return nil
	}
	status, err := t.esign.Status(ctx, bsre.Identity{NIK: s.Subject.NIK, Email: s.Subject.Email})
	if err != nil {
		return err
	}
	code, words := string(status.Code), ""
	if status.Code == bsre.Unknown {
		code = ""
	}
	words, _ = bsre.Advice(status.Code)
	_, err = w.d.store.Act(ctx, t.Agency, s.Number, w.d.now(), request.SeeStatus{Code: code, Text: words})
	return err
}
