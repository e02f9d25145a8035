package scheduler

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/riverqueue/river"

	"pulih/internal/letter"
	"pulih/internal/store"
	"pulih/mailflow"
)

// mailWorker makes one try to send one row of the outbox.
type mailWorker struct {
	river.WorkerDefaults[store.SendMail]
	d *Daemon
}

func (w *mailWorker) Work(ctx context.Context, job *river.Job[store.SendMail]) error {
	m, err := w.d.store.Outgoing(ctx, job.Args.OutboxID)
	if err != nil {
		return err
	}
	t, err := w.d.tenant(ctx, m.Agency)
	if err != nil {
		return err
	}
	if t == nil {
		return nil
	}
	switch m.State {
	case "waiting":
	case "uncertain":
		return w.again(ctx, t, m)
	case "sending":
		// A crash in the middle of an attempt: Dial says that it is uncertain now.
		if _, err := w.d.store.Dial(ctx, m.ID, m.MessageID, nil); err != nil {
			return err
		}
		return river.JobSnooze(w.d.uncertainRest())
	default:
		return nil
	}
	if m.Template == mailflow.NoticeAssisted {
		if stopped, err := w.d.store.ResetsStopped(ctx, t.Key); err != nil {
			return err
		} else if stopped { // the switch holds the resets that people make, too
			return river.JobSnooze(time.Minute)
		}
		if wait, err := w.d.lookBeforeAssisted(ctx, t, m.Number); err != nil {
			return err
		} else if wait {
			return river.JobSnooze(time.Second)
		}
	}
	if why, err := w.d.unwanted(ctx, m); err != nil {
		return err
	} else if why != "" {
		return w.d.store.Settle(ctx, m.ID, "cancelled", why, w.d.now())
	}
	e, send, err := w.d.envelope(ctx, t, m)
	if err != nil {
		return err
	}
	if !send {
		return w.d.store.Settle(ctx, m.ID, "cancelled", "tidak diperlukan lagi", w.d.now())
	}
	return w.try(ctx, t, m, e)
}

// try makes one attempt. The row is booked at the last moment at which the mail certainly isn't sent yet, so that a crash leaves the one
// mail in doubt that was on its way, and none that waited for its turn.
func (w *mailWorker) try(ctx context.Context, t *tenant, m store.Outgoing, e mailflow.Envelope) error {
	booked := false
	result := t.sender.SendBooked(ctx, e, func(ctx context.Context) error {
		ok, err := w.d.store.Dial(ctx, m.ID, e.MessageID, e)
		if err == nil && !ok {
			err = errTaken
		}
		booked = err == nil
		return err
	})
	// The outcome must be written even while the daemon stops: an unwritten one is an uncertain one.
	ctx = context.WithoutCancel(ctx)
	switch result.State {
	case mailflow.Sent:
		return w.d.store.Settle(ctx, m.ID, "sent", result.Why, w.d.now())
	case mailflow.NotBooked:
		return nil // another worker has it
	case mailflow.Uncertain:
		if err := w.d.store.Settle(ctx, m.ID, "uncertain", result.Why, w.d.now()); err != nil {
			return err
		}
		return river.JobSnooze(w.d.uncertainRest())
	case mailflow.Retry:
		return w.retry(ctx, t, m, result, booked)
	}
	w.d.log.Error("mail refused for good", "agency", t.Key, "mail", m.ID, "template", m.Template, "code", result.Code)
	return w.d.failForGood(ctx, t, m, result)
}

var errTaken = errors.New("the row was taken by another worker")

func (w *mailWorker) retry(ctx context.Context, t *tenant, m store.Outgoing, result mailflow.Result, booked bool) error {
	wait, more := mailflow.RetryAfter(m.Attempts + 1)
	if w.d.opts.Fast {
		wait /= 600
	}
	if !more {
		w.d.log.Error("mail given up after two days", "agency", t.Key, "mail", m.ID, "template", m.Template, "code", result.Code)
		return w.d.failForGood(ctx, t, m, result)
	}
	if !booked { // the server didn't even take the recipient: that is an attempt, too
		if err := w.d.store.CountAttempt(ctx, m.ID); err != nil {
			return err
		}
	}
	if err := w.d.store.Settle(ctx, m.ID, "waiting", result.Why, w.d.now()); err != nil {
		return err
	}
	if result.Refused {
		if err := w.d.alarm(ctx, t, "alarm/"+t.Key+"/smtp/"+w.d.now().Format("2006-01-02"), "Server pengirim surel menolak akun instansi."); err != nil {
			return err
		}
	}
	return river.JobSnooze(wait)
}

// uncertainRest is how long an uncertain mail waits for its second chance.
func (d *Daemon) uncertainRest() time.Duration {
	if d.opts.Fast {
		return mailflow.UncertainAfter / 3600
	}
	return mailflow.UncertainAfter
}

// again sends an uncertain mail once more, with the same Message-ID, so that a program that keeps one of each shows it once. It keeps its
// mark. When it was uncertain is in its row: a job that a crash hands back early waits out the rest.
func (w *mailWorker) again(ctx context.Context, t *tenant, m store.Outgoing) error {
	chance, wait, err := w.d.store.SecondChance(ctx, m.ID, w.d.uncertainRest())
	switch {
	case err != nil:
		return err
	case wait > 0:
		return river.JobSnooze(wait)
	case !chance:
		return nil
	}
	var e mailflow.Envelope
	if err := w.d.store.MailContent(ctx, m.ID, &e); err != nil {
		return err
	}
	return w.try(ctx, t, m, e)
}

// envelope renders a row. At later tries it is what the first one said.
func (d *Daemon) envelope(ctx context.Context, t *tenant, m store.Outgoing) (e mailflow.Envelope, send bool, err error) {
	if m.Attempts > 0 {
		if err := d.store.MailContent(ctx, m.ID, &e); err == nil && e.MessageID != "" {
			return e, true, nil
		}
	}
	r, send, err := d.render(ctx, t, m)
	if err != nil || !send {
		return e, send, err
	}
	from := t.conf.Outbox.From
	e = mailflow.Envelope{
		From: letter.Address{Name: t.Unit, Address: from}, To: letter.Address{Name: m.Name, Address: m.Address},
		MessageID: mailflow.NewMessageID(d.mailKey, domainOf(from), t.Key, m.Number, strconv.FormatInt(m.ID, 10)),
		Date:      m.CreatedAt.In(t.Zone), Subject: r.Subject, Text: r.Text, HTML: r.HTML,
	}
	if m.Template == mailflow.NoticeEvaluationPack {
		if e.Files, err = d.packFiles(ctx, t, m); err != nil {
			return e, false, err
		}
	}
	if m.Number != "" {
		// All mails of a request hang together, below a root that nobody ever sends.
		e.References = []string{mailflow.NewMessageID(d.mailKey, domainOf(from), t.Key, m.Number, "root")}
	}
	if isDigest(m.Template) {
		e.ListUnsubscribe = fmt.Sprintf("mailto:%s?subject=berhenti%%20ringkasan", from)
	}
	return e, true, nil
}

func domainOf(address string) string {
	for i := len(address) - 1; i >= 0; i-- {
		if address[i] == '@' {
			return address[i+1:]
		}
	}
	return "localhost"
}
