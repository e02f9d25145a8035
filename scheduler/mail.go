package scheduler

import (
	"context"
	"fmt"
	"strconv"

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
	t, ok := w.d.tenants[m.Agency]
	if !ok {
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
		return w.rest()
	default:
		return nil
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

func (w *mailWorker) try(ctx context.Context, t *tenant, m store.Outgoing, e mailflow.Envelope) error {
	if ok, err := w.d.store.Dial(ctx, m.ID, e.MessageID, e); err != nil || !ok {
		return err
	}
	result := t.sender.Send(ctx, e)
	// The outcome must be written even while the daemon stops: an unwritten one is an uncertain one.
	ctx = context.WithoutCancel(ctx)
	switch result.State {
	case mailflow.Sent:
		if err := w.d.store.Settle(ctx, m.ID, "sent", result.Why, w.d.now()); err != nil {
			return err
		}
		return w.d.store.EndOutage(ctx, t.Key, "outbox", w.d.now())
	case mailflow.Uncertain:
		if err := w.d.store.Settle(ctx, m.ID, "uncertain", result.Why, w.d.now()); err != nil {
			return err
		}
		return w.rest()
	case mailflow.Retry:
		if result.Code == 0 || result.Refused {
			if err := w.d.store.BeginOutage(ctx, t.Key, "outbox", result.Why, w.d.now()); err != nil {
				return err
			}
		}
		return w.retry(ctx, t, m, result)
	}
	w.d.log.Error("mail refused for good", "agency", t.Key, "mail", m.ID, "template", m.Template, "code", result.Code)
	return w.d.store.Settle(ctx, m.ID, "failed", result.Why, w.d.now())
}

func (w *mailWorker) retry(ctx context.Context, t *tenant, m store.Outgoing, result mailflow.Result) error {
	wait, more := mailflow.RetryAfter(m.Attempts + 1)
	if w.d.opts.Fast {
		wait /= 600
	}
	if !more {
		w.d.log.Error("mail given up after two days", "agency", t.Key, "mail", m.ID, "template", m.Template, "code", result.Code)
		return w.d.store.Settle(ctx, m.ID, "failed", result.Why, w.d.now())
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

// rest waits before an uncertain mail gets its second chance.
func (w *mailWorker) rest() error {
	wait := mailflow.UncertainAfter
	if w.d.opts.Fast {
		wait /= 3600
	}
	return river.JobSnooze(wait)
}

// again sends an uncertain mail once more, with the same Message-ID, so that a program that keeps one of each shows it once; then it stays
// uncertain for good, unless the server takes this one.
func (w *mailWorker) again(ctx context.Context, t *tenant, m store.Outgoing) error {
	first, err := w.d.store.SecondChance(ctx, m.ID)
	if err != nil || !first {
		return err
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
