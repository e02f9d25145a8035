package scheduler

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/riverqueue/river"

	"pulih/bsre"
	"pulih/internal/config"
	"pulih/internal/request"
	"pulih/internal/sop"
	"pulih/internal/store"
	"pulih/mailflow"
)

// resetWorker makes an agency's approved resets, one at a time, in order of their deadline.
type resetWorker struct {
	river.WorkerDefaults[store.RunResets]
	d *Daemon
}

// Timeout lets a reset run to the end of its own patience.
func (w *resetWorker) Timeout(*river.Job[store.RunResets]) time.Duration { return 10 * time.Minute }

// Work never waits for anything: what can't be made now has its time in the queue, and the sweep looks for it then. A job that finds another
// one at work may go, too: that one looks once more after it has given the lock back.
func (w *resetWorker) Work(ctx context.Context, job *river.Job[store.RunResets]) error {
	t, err := w.d.tenant(ctx, job.Args.Agency)
	if err != nil {
		return err
	}
	if t == nil || t.ams == nil {
		return nil
	}
	for due := true; due; {
		open, err := w.d.runResets(ctx, t)
		if err != nil || !open {
			return err
		}
		if due, err = w.d.store.ResetsDue(ctx, t.Key, w.d.now()); err != nil {
			return err
		}
	}
	return nil
}

// runResets makes all resets that can be made now. open is false when the way is closed: another worker is on it, the resets are stopped, the
// portal rests.
func (d *Daemon) runResets(ctx context.Context, t *tenant) (open bool, err error) {
	release, ok, err := d.store.LockResets(ctx, t.Key)
	if err != nil || !ok {
		return false, err
	}
	defer release()
	for more := true; more && err == nil; {
		more, open, err = d.nextReset(ctx, t)
	}
	return open, err
}

// wakeResets makes sure that a queue with something to do has a job: the one that was there may have been given up. Sessions that have ended
// are forgotten, whether anybody asks for them or not.
func (d *Daemon) wakeResets(ctx context.Context, t *tenant) error {
	if t.ams == nil {
		return nil
	}
	if err := d.store.DropOldSessions(ctx, t.Key, d.now()); err != nil {
		return err
	}
	due, err := d.store.ResetsDue(ctx, t.Key, d.now())
	if err != nil || !due {
		return err
	}
	return d.store.InTx(ctx, d.now(), func(tx *store.Tx) error { return tx.Enqueue(store.RunResets{Agency: t.Key}, onlyOne) })
}

// nextReset makes the most urgent reset that can be made now. more says that another may follow at once. The lock is held.
func (d *Daemon) nextReset(ctx context.Context, t *tenant) (more, open bool, err error) {
	if err := d.settleBooked(ctx, t); err != nil {
		return false, false, err
	}
	line, err := d.store.Line(ctx, t.Key)
	if err != nil {
		return false, false, err
	}
	now := d.now()
	resting := line.CalledAt != nil && now.Before(line.CalledAt.Add(t.conf.BSrE.AMS.Gap)) && !now.Before(*line.CalledAt)
	if line.StoppedAt != nil || resting || !inWindow(t.conf.BSrE.AMS.Windows, now.In(t.Zone)) {
		return false, false, nil
	}
	waiting, err := d.store.WaitingResets(ctx, t.Key, now)
	if err != nil {
		return false, false, err
	}
	for _, r := range waiting {
		called, err := d.resetOne(ctx, t, r)
		if called || err != nil && ctx.Err() != nil {
			return err == nil, true, err
		}
		if err == nil {
			continue
		}
		level := slog.LevelWarn
		if h := held(""); errors.As(err, &h) { // its time hasn't come: nothing is wrong
			level = slog.LevelInfo
		}
		d.log.Log(ctx, level, "reset can't be made now", "agency", t.Key, "number", r.Number, "err", err)
		if err := d.store.HoldReset(ctx, r, holdWords(err), now); err != nil {
			return false, false, err
		}
	}
	return false, true, nil
}

// held is why a reset waits, in words that the verifiers may see.
type held string

func (h held) Error() string { return string(h) }

func holdWords(err error) string {
	var h held
	switch {
	case errors.As(err, &h):
		return string(h)
	case silent(err), errors.Is(err, bsre.ErrResting):
		return "BSrE tidak dapat dihubungi; dicoba lagi."
	}
	return "Reset belum dapat disiapkan; dicoba lagi."
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
		err := d.settle(ctx, t, r.Number, request.Outcome{Kind: request.ResetUncertain, By: request.System,
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
	if s.Approval == nil || s.Approval.Version != r.Approval || s.Booking != nil || !s.Status.AwaitsReset() {
		return false, d.store.InTx(ctx, d.now(), func(tx *store.Tx) error { return tx.LeaveQueue(r) })
	}
	lent, ok, err := d.lend(ctx, t, s)
	if err != nil {
		return false, err
	}
	var p *plan
	if ok {
		p, err = d.prepare(ctx, t, s, lent)
	}
	if !ok || errors.Is(err, bsre.ErrSessionEnded) {
		return false, errors.Join(d.awaitSession(ctx, t, s), held("Menunggu sesi AMS verifikator."))
	}
	if err != nil || p == nil {
		return false, err
	}
	err = d.letterStands(ctx, t, s)
	patient := d.now().Before(s.Approval.At.Add(lookPatience)) || held(r.Why) != unanswered && held(r.Why) != unread
	switch {
	case errors.Is(err, unanswered) && !patient:
		p.unseen = true
	case errors.Is(err, unread) && !patient:
		return false, d.unable(ctx, t, s, "Surat ini diubah di Srikandi setelah disetujui, dan perubahannya belum terbaca. Reset tidak diajukan.")
	case err != nil:
		return false, err
	}
	d.reached("prepared")
	if err := d.book(ctx, t, r, p); err != nil {
		return false, err
	}
	d.reached("booked")
	return true, d.call(ctx, t, r, p)
}

// awaitSession tells once that a session is needed: another request's mail to the same people does for this one.
func (d *Daemon) awaitSession(ctx context.Context, t *tenant, s request.State) error {
	if s.Status == request.StatusWaitingSession {
		return nil
	}
	others, err := d.store.AwaitingSession(ctx, t.Key)
	if err != nil {
		return err
	}
	told := false
	for _, r := range others {
		other, err := d.store.State(ctx, r.Number)
		if err != nil {
			return err
		}
		told = told || other.Approval != nil && (t.Rules.LendSessions || other.Approval.By.ID == s.Approval.By.ID)
	}
	_, err = d.store.Act(ctx, t.Agency, s.Number, d.now(), request.AwaitSession{Quiet: told})
	return err
}

// book commits the call exactly as it will be made, before it is made. Whoever has stopped the resets meanwhile is heard.
func (d *Daemon) book(ctx context.Context, t *tenant, r store.WaitingReset, p *plan) error {
	return d.store.InTx(ctx, d.now(), func(tx *store.Tx) error {
		cmds := []request.Command{request.Book{Booking: p.booking}}
		if p.unseen {
			cmds = append(cmds, request.Note{By: request.System, Text: "Srikandi tidak menjawab; reset diajukan tanpa melihat surat sekali lagi di sana."})
		}
		if _, err := tx.Act(t.Agency, r.Number, cmds...); err != nil {
			return err
		}
		line, err := tx.Line(t.Key)
		if err != nil {
			return err
		}
		if line.StoppedAt != nil {
			return held("Pengajuan reset sedang dihentikan untuk instansi ini.")
		}
		d.reached("booking")
		return errors.Join(tx.KeepBaseline(t.Key, r.Number, p.before), tx.Calling(t.Key, p.booking.Verifier, r))
	})
}

// call makes the one request. A stop of the daemon ends the wait for an answer: the outcome is uncertain then. It is written whatever
// happens.
func (d *Daemon) call(ctx context.Context, t *tenant, r store.WaitingReset, p *plan) (err error) {
	out := t.ams.Reset(ctx, p.session, p.booking.UID, p.booking.Serial)
	ctx = context.WithoutCancel(ctx)
	d.reached("called")
	cmd := request.Outcome{Approval: p.booking.Approval, By: request.Actor{Role: sop.BSrE, Name: "BSrE", Via: "ams"}, Text: out.Message, Kind: request.ResetUncertain}
	switch out.Kind {
	case bsre.Accepted:
		cmd.Kind = request.ResetAccepted
	case bsre.Refused:
		cmd.Kind = request.ResetRefused
	case bsre.NotSent:
		cmd.Kind = request.ResetNotSent
	}
	// A 401 is a refusal like any other: only reading calls are repeated with a new token (contracts/bsre.md), and one approval is one call.
	if out.Kind == bsre.Refused && out.SessionEnded {
		cmd.Text = "AMS menolak karena sesi sudah berakhir; reset tidak dijalankan. Setujui sekali lagi bila datanya masih benar. Jawaban AMS: " + out.Message
	}
	if err := d.settle(ctx, t, r.Number, cmd); err != nil {
		return err
	}
	d.reached("settled")
	if out.SessionEnded {
		if _, err := d.renew(ctx, t, p.booking.Verifier, p.session); err != nil && !errors.Is(err, bsre.ErrSessionEnded) {
			d.log.Warn("renewing a session", "agency", t.Key, "err", err)
		}
	}
	if cmd.Kind != request.ResetNotSent {
		return nil
	}
	if !out.SessionEnded { // the portal couldn't even be dialled
		err = d.store.BeginOutage(ctx, t.Key, "bsre", "BSrE tidak menjawab.", d.now())
	}
	return errors.Join(err, d.store.HoldReset(ctx, r, out.Message, d.now()))
}

// tripAfter is how many calls in a row may end in the unknown before all resets of the agency are held: the next link would be lost, too.
const tripAfter = 3

// breaker is who stops the resets then.
const breaker = "pulih (hasil reset berulang kali tidak pasti)"

// settle writes the outcome of a booked call, and stops the agency's resets when too many in a row are uncertain. A human lets them go on.
func (d *Daemon) settle(ctx context.Context, t *tenant, number string, cmd request.Outcome) error {
	return d.store.InTx(ctx, d.now(), func(tx *store.Tx) error {
		if _, err := tx.Act(t.Agency, number, cmd); err != nil || cmd.Kind == request.ResetNotSent {
			return err
		}
		d.reached("settling")
		n, err := tx.CountUncertain(t.Key, cmd.Kind == request.ResetUncertain)
		if err != nil || n < tripAfter {
			return err
		}
		if err := tx.StopResets(t.Key, breaker, true); err != nil {
			return err
		}
		return d.tellBreaker(tx, t)
	})
}

func (d *Daemon) tellBreaker(tx *store.Tx, t *tenant) error {
	now := d.now()
	to := []request.Recipient{{Kind: "operator", Name: "Operator", Address: d.cfg.Operator.Email}}
	for _, p := range t.Holders(sop.Verifier, now) {
		to = append(to, request.Recipient{Kind: "staff", ID: p.ID, Name: p.Name, Address: p.Email})
	}
	words := fmt.Sprintf("Semua reset %s ditahan: %d hasil berturut-turut tidak pasti. Sesudah AMS diperiksa: pulih stop-resets --agency %s --resume", t.Name, tripAfter, t.Key)
	for _, r := range to {
		err := tx.Notify(store.Notice{Agency: t.Key, Once: fmt.Sprintf("breaker/%s/%s/%s", t.Key, now.UTC().Format(time.RFC3339Nano), r.Address),
			Template: mailflow.NoticeOperatorAlarm, To: r, Items: []store.BundleItem{{Text: words}}})
		if err != nil {
			return err
		}
	}
	return nil
}

// reached tells the crash tests how far a reset has come; nobody else sets the field.
func (d *Daemon) reached(point string) {
	if d.failpoint != nil {
		d.failpoint(point)
	}
}
