package scheduler

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/riverqueue/river"

	"pulih/internal/letter"
	"pulih/internal/request"
	"pulih/internal/store"
	"pulih/srikandi"
)

// followUpWorker writes one follow-up into Srikandi, in order per letter.
type followUpWorker struct {
	river.WorkerDefaults[store.WriteFollowUp]
	d *Daemon
}

func (w *followUpWorker) Work(ctx context.Context, job *river.Job[store.WriteFollowUp]) error {
	f, mustWait, err := w.d.store.FollowUp(ctx, job.Args.FollowUpID)
	if err != nil {
		return err
	}
	t, err := w.d.tenant(ctx, f.Agency)
	if err != nil {
		return err
	}
	if t == nil || t.gateway == nil || f.State != "waiting" {
		return nil
	}
	if mustWait { // the one before wakes this one; looking again by itself is for the case that it can't
		return w.d.snooze(nil, job.CreatedAt)
	}
	err = w.write(ctx, t, f)
	switch {
	case err == nil:
		err = w.settle(ctx, t, f, "done", nil)
	case errors.Is(err, srikandi.ErrGone), errors.Is(err, srikandi.ErrNotOffered), errors.Is(err, srikandi.ErrWithdrawn), isRefused(err):
		w.d.log.Warn("follow-up given up", "agency", t.Key, "number", f.Number, "err", err)
		err = w.settle(ctx, t, f, "dropped", err)
	default:
		return w.d.snooze(err, job.CreatedAt)
	}
	if err != nil {
		return err
	}
	return w.d.store.WakeFollowUp(ctx, t.Key, f.SrikandiID)
}

// write says it on the disposition; on the letter, if that was withdrawn; on the request's other letter, if the first is no longer there: letters
// are lost in outages, and registered again. Each is a call of its own, with a key of its own.
func (w *followUpWorker) write(ctx context.Context, t *tenant, f store.FollowUp) error {
	send := srikandi.FollowUp{DispositionID: f.Disposition, Status: f.Status, Note: srikandi.Note(f.Number, f.Note)}
	_, err := t.gateway.FollowUp(ctx, f.SrikandiID, f.Key, send)
	if errors.Is(err, srikandi.ErrWithdrawn) && send.DispositionID != "" {
		send.DispositionID = ""
		_, err = t.gateway.FollowUp(ctx, f.SrikandiID, f.Key+"-naskah", send)
	}
	if !errors.Is(err, srikandi.ErrGone) {
		return err
	}
	twin, look := w.d.store.TwinOf(ctx, f)
	if look != nil || twin == "" {
		return errors.Join(err, look)
	}
	send.DispositionID = ""
	_, err = t.gateway.FollowUp(ctx, twin, f.Key+"-"+twin, send)
	return err
}

// settle notes what became of a follow-up. One that can't be written is told on the request, for the people there won't read it in Srikandi.
func (w *followUpWorker) settle(ctx context.Context, t *tenant, f store.FollowUp, state string, cause error) error {
	why := ""
	if cause != nil {
		why = cause.Error()
	}
	return w.d.store.InTx(ctx, w.d.now(), func(tx *store.Tx) error {
		err := tx.SettleFollowUp(f.ID, state, why)
		if err != nil || cause == nil || errors.Is(cause, srikandi.ErrNotOffered) || store.IsComplaint(f.Number) {
			return err
		}
		text := fmt.Sprintf("Tindak lanjut %q tidak dapat ditulis di Srikandi; naskahnya tidak ada lagi di sana atau menolaknya.", f.Status)
		_, err = tx.Act(t.Agency, f.Number, request.Note{By: request.System, Text: text})
		return err
	})
}

// registerWorker writes a letter that came by mail into Srikandi, where the gateway can.
type registerWorker struct {
	river.WorkerDefaults[store.RegisterLetter]
	d *Daemon
}

// Timeout is enough to send a mail's files over a slow line.
func (w *registerWorker) Timeout(*river.Job[store.RegisterLetter]) time.Duration {
	return 15 * time.Minute
}

// askRegister is how long a gateway's word lasts that it registers nothing.
const askRegister = 24 * time.Hour

func (w *registerWorker) Work(ctx context.Context, job *river.Job[store.RegisterLetter]) error {
	l, err := w.d.store.Letter(ctx, job.Args.LetterID)
	if err != nil {
		return err
	}
	t, err := w.d.tenant(ctx, l.Agency)
	if err != nil {
		return err
	}
	if t == nil || t.gateway == nil {
		return nil
	}
	g, err := w.d.store.Gateway(ctx, t.Key, nil)
	if err != nil {
		return err
	}
	if g.NoRegisterAt != nil && w.d.now().Sub(*g.NoRegisterAt) < askRegister {
		return w.d.registered(ctx, t, l, "", false)
	}
	r, err := w.d.store.Reading(ctx, l.ID)
	if err != nil {
		return err
	}
	files, err := w.d.mailFiles(ctx, l)
	if err != nil {
		return err
	}
	// The key is the mail's own sum, not its number here: a database that was lost and filled again must not meet another letter's receipt.
	n, err := t.gateway.Register(ctx, "pulih-"+t.Key+"-surel-"+l.Source[:min(len(l.Source), 40)], naskahOf(t, l, r), files)
	switch {
	case err == nil:
		return w.d.registered(ctx, t, l, n.ID, false)
	case errors.Is(err, srikandi.ErrNotOffered):
		return w.d.registered(ctx, t, l, "", true)
	case isRefused(err), errors.Is(err, srikandi.ErrGone):
		w.d.log.Error("registration refused", "agency", t.Key, "letter", l.ID, "err", err)
		return w.d.registered(ctx, t, l, "", false)
	}
	return w.d.snooze(err, job.CreatedAt)
}

// registered notes what became of a registration. Without an id the letter stays in our own archive alone.
func (d *Daemon) registered(ctx context.Context, t *tenant, l store.Letter, srikandiID string, notOffered bool) error {
	return d.store.InTx(ctx, d.now(), func(tx *store.Tx) error {
		if notOffered {
			if err := tx.NoteNoRegister(t.Key); err != nil {
				return err
			}
		}
		return tx.Registered(t.Key, l.ID, srikandiID)
	})
}

func naskahOf(t *tenant, l store.Letter, r letter.Reading) srikandi.NewNaskah {
	n := srikandi.NewNaskah{Number: deref(r.Letter.Number), Date: deref(r.Letter.Date), Subject: deref(r.Letter.Subject), Type: "Surat Dinas",
		ReceivedAt: l.ReceivedAt.In(t.Zone), Summary: "Masuk lewat surel dinas."}
	n.From.Agency, n.From.Unit = t.Name, deref(r.Letter.Office)
	if s := r.Letter.Signer; s != nil {
		n.From.Name, n.From.NIP, n.From.Position = deref(s.Name), deref(s.NIP), deref(s.Position)
	}
	return n
}

// mailFiles are the attachments of a mail, or the mail itself where the letter is its text.
func (d *Daemon) mailFiles(ctx context.Context, l store.Letter) ([]letter.File, error) {
	raw, err := d.store.Raw(ctx, l.ID)
	if err != nil {
		return nil, err
	}
	m, err := letter.ParseMail(raw)
	if err != nil {
		return nil, fmt.Errorf("reading mail %d for its registration: %w", l.ID, err)
	}
	var files []letter.File
	for _, p := range m.Parts {
		if p.Name != "" && len(p.Data) > 0 && !p.Inline {
			files = append(files, letter.File{Name: p.Name, MIME: p.MIME, Data: p.Data})
		}
	}
	if len(files) == 0 {
		files = append(files, letter.File{Name: "surat.eml", MIME: "message/rfc822", Data: raw})
	}
	return files, nil
}
