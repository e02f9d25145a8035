package scheduler

import (
	"context"
	"errors"
	"strings"
	"time"

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
	t, err := w.d.tenantOf(ctx, s)
	if err != nil || t == nil {
		return err
	}
	if !s.Status.Open() {
		return w.d.store.InTx(ctx, w.d.now(), func(tx *store.Tx) error { return tx.EndWatch(s.Number) })
	}
	watch, ok, err := w.d.store.Watch(ctx, s.Number)
	if err != nil || !ok || t.ams == nil {
		return err // nobody can look: the applicant's answer or the verifier's word will tell
	}
	l, ok, err := w.d.anyHolder(ctx, t)
	if err != nil || !ok {
		return err
	}
	uid := ""
	if s.LastCall != nil {
		uid = s.LastCall.UID
	}
	_, after, err := w.d.record(ctx, t, s, uid, &l)
	if errors.Is(err, bsre.ErrSessionEnded) {
		return nil // nobody can look now; whoever signs in next makes the later looks
	} else if err != nil {
		return err
	}
	return w.d.look(ctx, t, s, watch, after)
}

// look compares the details with those before the reset.
func (d *Daemon) look(ctx context.Context, t *tenant, s request.State, watch store.Watch, after bsre.Details) error {
	before, known, err := d.baseline(ctx, s.Number)
	if err != nil {
		return err
	}
	at, serial := s.LastCallAt, ""
	if s.LastCall != nil {
		serial = s.LastCall.Serial
	} else if at = s.Ended[sop.EndsReset]; at.IsZero() {
		at = s.Since // made by hand, or perhaps made
	}
	var done bool
	var why string
	switch {
	case known && serial != "":
		done, why = bsre.Completed(before, after, at, serial)
	case known:
		if old, err := bsre.Choose(before, at); err == nil {
			serial = old.Serial
		}
		done, why = bsre.Completed(before, after, at, serial)
	default: // made by hand: nobody read the certificate before, so only one that is younger than the reset counts
		done, why = bsre.Completed(bsre.Details{}, after, at.Add(bsre.Backdating), "")
	}
	switch {
	case done:
		return d.completed(ctx, t, s, after, at, why)
	case !known:
		return d.store.InTx(ctx, d.now(), func(tx *store.Tx) error { return tx.KeepBaseline(t.Key, s.Number, after) })
	case s.Status == request.StatusUncertain && watch.Tries < 2: // what the verifier has to know before they decide about a second call
		_, err = d.store.Act(ctx, t.Agency, s.Number, d.now(), request.Note{By: byAMS, Text: "Data di AMS dibaca sesudah panggilan yang belum pasti. " + why})
	}
	return err
}

var byAMS = request.Actor{Role: sop.BSrE, Name: "BSrE", Via: "ams"}

// completed writes that the certificate was renewed after the reset of that instant.
func (d *Daemon) completed(ctx context.Context, t *tenant, s request.State, after bsre.Details, since time.Time, why string) error {
	now := d.now()
	at := now
	if c, err := bsre.Choose(after, now); err == nil && c.NotBefore.After(since) && c.NotBefore.Before(now) {
		at = c.NotBefore
	}
	_, err := d.store.Act(ctx, t.Agency, s.Number, now, request.Observe{Kind: request.CertificateIssued, At: at, By: byAMS, Text: why},
		request.Observe{Kind: request.Usable, At: now, By: byAMS, Text: why})
	return err
}

func (d *Daemon) tenantOf(ctx context.Context, s request.State) (*tenant, error) {
	prefix, _, _ := strings.Cut(s.Number, "-")
	for _, t := range d.order {
		if t.Prefix == prefix {
			return d.tenant(ctx, t.Key)
		}
	}
	return nil, nil
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
	t, err := w.d.tenantOf(ctx, s)
	if err != nil {
		return err
	}
	if t == nil || t.esign == nil || !s.Status.Open() {
		return nil
	}
	status, err := t.esign.Status(ctx, bsre.Identity{NIK: s.Subject.NIK, Email: s.Subject.Email})
	if errors.Is(err, bsre.ErrNobody) {
		_, err = w.d.store.Act(ctx, t.Agency, s.Number, w.d.now(), request.SeeStatus{Text: "Status sertifikat tidak dapat ditanyakan: NIK pemohon tidak ada dalam surat. Periksa di AMS."})
		return err
	}
	if t.ams == nil { // else AMS's own silence counts: no reset waits for the gateway
		err = w.d.heard(ctx, t, err)
	}
	if err != nil {
		return err
	}
	code := string(status.Code)
	if status.Code == bsre.Unknown {
		code = ""
	}
	words, _ := bsre.Advice(status.Code)
	_, err = w.d.store.Act(ctx, t.Agency, s.Number, w.d.now(), request.SeeStatus{Code: code, Text: words})
	return err
}
