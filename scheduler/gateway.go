package scheduler

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/riverqueue/river"

	"pulih/internal/request"
	"pulih/internal/store"
	"pulih/mailflow"
	"pulih/srikandi"
)

// pollWorker reads what is new in an agency's Srikandi.
type pollWorker struct {
	river.WorkerDefaults[store.PollGateway]
	d     *Daemon
	begun sync.Map // agencies that this daemon has begun to poll
	last  sync.Map // agency -> when its chores were done last by this daemon
}

// Timeout lets a backlog of weeks be read in one go: each call has a limit of its own.
func (w *pollWorker) Timeout(*river.Job[store.PollGateway]) time.Duration { return 2 * time.Hour }

func (w *pollWorker) Work(ctx context.Context, job *river.Job[store.PollGateway]) error {
	t, err := w.d.tenant(ctx, job.Args.Agency)
	if err != nil {
		return err
	}
	if t == nil || t.gateway == nil {
		return nil
	}
	if err := w.begin(ctx, t); err != nil {
		return err
	}
	var cur srikandi.Cursor
	g, err := w.d.store.Gateway(ctx, t.Key, &cur)
	if err != nil {
		return err
	}
	if err := w.d.shareRefusal(ctx, t, g); err != nil {
		return err
	}
	if since := t.conf.Srikandi.Since; cur == (srikandi.Cursor{}) && !since.IsZero() {
		cur.UpdatedSince = since.In(t.Zone)
	}
	sink := &sink{d: w.d, t: t}
	poller := srikandi.Poller{Gateway: t.gateway, Sink: sink, Overlap: t.conf.Srikandi.Overlap, Now: w.d.now}
	_, err = poller.Poll(ctx, cur)
	if kept := sink.stored(); kept != nil {
		return kept
	}
	if err != nil {
		return w.d.pollFailed(ctx, t, err)
	}
	if err := w.d.pollDone(ctx, t, g); err != nil {
		return err
	}
	if err := w.chores(ctx, t); err != nil {
		return err
	}
	if sink.news || g.ChangedAt == nil {
		now := w.d.now()
		g.ChangedAt = &now
	}
	if w.d.opts.Fast {
		return nil // the periodic job follows at once
	}
	// The job lives on and paces itself; the periodic one stands by for the case that it is lost.
	return river.JobSnooze(w.d.pace(t, *g.ChangedAt))
}

// old is the age of a letter that is no news when an agency is read for the first time.
const old = 24 * time.Hour

// begin looks, at this daemon's first poll, whether anybody polled shortly before: what gathered while none ran is a backlog, and so is what
// lies in the register of a new agency since long.
func (w *pollWorker) begin(ctx context.Context, t *tenant) error {
	if _, begun := w.begun.Load(t.Key); begun {
		return nil
	}
	g, err := w.d.store.Gateway(ctx, t.Key, nil)
	if err != nil {
		return err
	}
	now := w.d.now()
	switch {
	case g.FailingSince != nil: // the outage goes on, and its end will tell
	case g.LastSuccess == nil:
		err = w.d.store.NoteSilence(ctx, t.Key, now.Add(-old), now.Add(-old))
	case now.Sub(*g.LastSuccess) > max(time.Hour, 6*t.conf.Srikandi.Poll): // more than the slowest pace
		err = w.d.store.NoteSilence(ctx, t.Key, *g.LastSuccess, now)
	}
	if err == nil {
		w.begun.Store(t.Key, true)
	}
	return err
}

// quick is how long polls follow faster after a change: dispositions come in quick succession.
const quick = 5 * time.Minute

// pace is the time to the next poll: four times as often, but at most every 5 s, for a while after a change, and a fifth as often outside
// office hours, up to the minute when they begin.
func (d *Daemon) pace(t *tenant, changed time.Time) time.Duration {
	every, now := t.conf.Srikandi.Poll, d.now()
	if now.Sub(changed) < quick {
		return max(every/4, min(every, 5*time.Second))
	}
	if t.Calendar.Open(now) {
		return every
	}
	wait := 5 * every
	if opens, err := t.Calendar.NextOpen(now); err == nil && opens.Sub(now) < wait {
		wait = max(opens.Sub(now), every)
	}
	return wait
}

// shareRefusal makes a refused sign-in known across restarts and daemons, and ends it everywhere when an operator has looked.
func (d *Daemon) shareRefusal(ctx context.Context, t *tenant, g store.Gateway) error {
	c, ok := t.gateway.(*srikandi.Client)
	if !ok {
		return nil
	}
	since, _, refused := c.SignInRefused()
	switch {
	case refused && g.RetryAt != nil && g.RetryAt.After(since):
		c.Retry()
	case refused && (g.RefusedAt == nil || g.RefusedAt.Before(since)):
		return d.store.NoteRefusal(ctx, t.Key, since)
	case !refused && g.RefusedAt != nil:
		c.Rest(*g.RefusedAt)
	}
	return nil
}

// rememberRefusals is shareRefusal for a start: before any job can call.
func (d *Daemon) rememberRefusals(ctx context.Context) error {
	for _, t := range d.order {
		if t.gateway == nil {
			continue
		}
		g, err := d.store.Gateway(ctx, t.Key, nil)
		if err == nil {
			err = d.shareRefusal(ctx, t, g)
		}
		if err != nil {
			return err
		}
	}
	return d.store.WakeSource(ctx)
}

// pollDone notes that a poll came to its end, and does what waits for that.
func (d *Daemon) pollDone(ctx context.Context, t *tenant, before store.Gateway) error {
	if err := d.store.GatewayWorks(ctx, t.Key, d.now()); err != nil {
		return err
	}
	if before.FailingSince != nil {
		if err := errors.Join(d.store.EndOutage(ctx, t.Key, "srikandi", d.now()), d.store.WakeSource(ctx)); err != nil {
			return err
		}
	}
	if before.FailingSince != nil || before.Backlog != nil {
		if _, err := d.store.EndBacklog(ctx, t.Key, mailflow.NoticeBacklogSummary, d.now()); err != nil {
			return err
		}
	}
	return nil
}

// choresEvery is how often a poll also looks after what nothing else would find: forgotten letters, doubts and broken downloads.
const choresEvery = 10 * time.Minute

func (w *pollWorker) chores(ctx context.Context, t *tenant) error {
	now := w.d.now()
	if last, ok := w.last.Load(t.Key); ok && now.Sub(last.(time.Time)) < choresEvery {
		return nil
	}
	w.last.Store(t.Key, now)
	if err := w.d.askAgain(ctx, t); err != nil {
		return err
	}
	if _, err := w.d.store.ReviveUnread(ctx, t.Key, now); err != nil {
		return err
	}
	return w.d.store.SweepChunks(ctx)
}

// pollFailed notes an outage. It is tried again at the usual pace, or when the gateway asked for it; the operator is told once, and at once only
// when somebody must act. The job itself hasn't failed: what is wrong stands in the gateway's row.
func (d *Daemon) pollFailed(ctx context.Context, t *tenant, cause error) error {
	if ctx.Err() != nil {
		return cause
	}
	problem := "Srikandi tidak dapat dihubungi."
	if errors.Is(cause, srikandi.ErrSignIn) {
		problem = "Srikandi menolak akun instansi; pembacaan berhenti sampai akun diperiksa dan pulih sources retry dijalankan."
		if c, ok := t.gateway.(*srikandi.Client); ok {
			if since, _, refused := c.SignInRefused(); refused {
				if err := d.store.NoteRefusal(ctx, t.Key, since); err != nil {
					return errors.Join(cause, err)
				}
			}
		}
	}
	now := d.now()
	since, err := d.store.GatewayFailed(ctx, t.Key, problem, now)
	if since.Equal(now.Truncate(time.Microsecond)) {
		d.log.Warn("Srikandi can't be read", "agency", t.Key, "err", cause)
	}
	if err == nil {
		err = d.store.BeginOutage(ctx, t.Key, "srikandi", problem, since)
	}
	if err != nil {
		return errors.Join(cause, err)
	}
	if errors.Is(cause, srikandi.ErrSignIn) || now.Sub(since) > 30*time.Minute {
		once := fmt.Sprintf("alarm/%s/srikandi/%s", t.Key, since.UTC().Format(time.RFC3339))
		if err := d.alarm(ctx, t, once, problem); err != nil {
			return errors.Join(cause, err)
		}
	}
	if d.opts.Fast {
		return nil
	}
	wait := t.conf.Srikandi.Poll
	var temporary *srikandi.Temporary
	if errors.As(cause, &temporary) && !errors.Is(cause, srikandi.ErrOpen) {
		wait = max(wait, temporary.RetryAfter)
	}
	return river.JobSnooze(wait)
}

// alarm mails the operator once for one outage.
func (d *Daemon) alarm(ctx context.Context, t *tenant, once, problem string) error {
	return d.store.InTx(ctx, d.now(), func(tx *store.Tx) error { return d.alarmIn(tx, t, once, problem) })
}

func (d *Daemon) alarmIn(tx *store.Tx, t *tenant, once, problem string) error {
	return tx.Notify(store.Notice{Agency: t.Key, Once: once, Template: mailflow.NoticeOperatorAlarm, Items: []store.BundleItem{{Text: problem}},
		To: request.Recipient{Kind: "operator", Name: "Operator", Address: d.cfg.Operator.Email}})
}

// sink keeps what a poll reads.
type sink struct {
	d    *Daemon
	t    *tenant
	news bool // a letter was new or had changed
	slow bool // an attachment wasn't had at once: the jobs fetch the rest of this poll's

	storing chan error // of the page that is being stored, while the next is fetched; nil when none is
}

func (s *sink) Known(ctx context.Context, rows []srikandi.Stamp) (map[string]bool, error) {
	ids := make([]string, len(rows))
	for i, r := range rows {
		ids[i] = r.ID
	}
	have, err := s.d.store.NaskahStamps(ctx, s.t.Key, ids)
	if err != nil {
		return nil, err
	}
	known := map[string]bool{}
	for _, r := range rows {
		at, ok := have[r.ID]
		known[r.ID] = ok && at.Equal(r.UpdatedAt.UTC().Truncate(time.Microsecond))
	}
	return known, nil
}

func (s *sink) Due(ctx context.Context) ([]string, error) {
	if err := s.stored(); err != nil {
		return nil, err
	}
	return s.d.store.NaskahDue(ctx, s.t.Key, s.d.now(), s.d.askEvery(s.t))
}

// Commit begins to store a page when the one before is stored: their order is that of the cursor.
func (s *sink) Commit(ctx context.Context, b srikandi.Batch) error {
	taken, err := s.take(ctx, b.Letters)
	if err = errors.Join(s.stored(), err); err != nil {
		return err
	}
	s.storing = make(chan error, 1)
	go func() {
		defer func() {
			if p := recover(); p != nil { // River looks after panics of its own goroutines alone
				s.storing <- fmt.Errorf("storing a page panicked: %T", p)
			}
		}()
		s.storing <- s.store(ctx, b, taken)
	}()
	return nil
}

// stored waits for the page that is being stored.
func (s *sink) stored() error {
	if s.storing == nil {
		return nil
	}
	err := <-s.storing
	s.storing = nil
	return err
}

func (s *sink) store(ctx context.Context, b srikandi.Batch, taken [][]*store.Download) error {
	return s.d.store.InTx(context.WithoutCancel(ctx), s.d.now(), func(tx *store.Tx) error {
		list := make([]store.Naskah, len(b.Letters))
		came := append([]string{}, b.Gone...)
		for i, n := range b.Letters {
			list[i] = s.d.kept(n)
			list[i].Taken = taken[i]
			came = append(came, n.ID)
		}
		written, err := tx.SaveNaskah(s.t.Key, list)
		if err != nil {
			return err
		}
		s.news = s.news || written > 0
		if err := s.d.whereabouts(tx, s.t, b.Letters, b.Gone); err != nil {
			return err
		}
		if err := tx.Paid(s.t.Key, came); err != nil {
			return err
		}
		for _, bad := range b.Bad {
			if err := s.bad(tx, bad); err != nil {
				return err
			}
		}
		return tx.SaveGatewayCursor(s.t.Key, b.Next, written)
	})
}

// kept is a letter as the archive takes it. One without a date of arrival, or with one to come, arrived when it was seen.
func (d *Daemon) kept(n srikandi.Naskah) store.Naskah {
	received := n.ReceivedAt
	if received.IsZero() || received.After(d.now()) { // a gateway's clock that is ahead lengthens nobody's time
		received = d.now()
	}
	return store.Naskah{ID: n.ID, Raw: n.Raw, ReceivedAt: received, ChangedAt: n.UpdatedAt, Settled: n.Settled, Files: len(n.Attachments) > 0}
}

// bad keeps a row that could not be read, until its letter comes. With an id it is owed and asked for again; the operator is told of one that
// can't be asked for when it is new, and of another after several tries.
func (s *sink) bad(tx *store.Tx, bad srikandi.BadRow) error {
	what := "Baris dari Srikandi tidak dapat dibaca: "
	switch {
	case bad.Gone:
		what = "Baris dari Srikandi tidak dapat dibaca, dan naskahnya tidak ada di sana: "
	case bad.ID != "":
		what = "Naskah di Srikandi belum dapat diambil, dan diminta lagi: "
	}
	tell, err := tx.Refuse(s.t.Key, what+bad.Err.Error(), store.OwedSource(bad.ID), bad.Raw)
	if err == nil && bad.ID != "" && !bad.Gone {
		tell, err = tx.Owe(s.t.Key, bad.ID, bad.Err.Error(), bad.Raw)
	}
	if err != nil || !tell {
		return err
	}
	once := fmt.Sprintf("alarm/%s/srikandi-rows/%s", s.t.Key, s.d.now().In(s.t.Zone).Format(time.DateOnly)) // a day's rows are one mail
	return s.d.alarmIn(tx, s.t, once, "Ada naskah di Srikandi yang tidak dapat dibaca; isinya disimpan untuk diperiksa (pulih quarantine list), yang lain terus dibaca.")
}

// snooze waits as long as a partner asks for, or a while that grows with the wait so far; it counts no attempt, so that an outage of weeks
// loses nothing, and is no storm of tries. The first poll that succeeds wakes everything (store.WakeSource).
func (d *Daemon) snooze(cause error, waiting time.Time) error {
	wait := min(max(time.Since(waiting)/4, time.Minute), 15*time.Minute)
	var temporary *srikandi.Temporary
	if errors.As(cause, &temporary) && !errors.Is(cause, srikandi.ErrOpen) {
		wait = max(wait, min(temporary.RetryAfter, time.Hour))
	}
	if errors.Is(cause, srikandi.ErrSignIn) {
		wait = 30 * time.Minute
	}
	if d.opts.Fast {
		wait = 200 * time.Millisecond
	}
	return river.JobSnooze(wait)
}
