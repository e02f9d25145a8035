package scheduler

import (
	"context"
	"fmt"
	"time"

	"github.com/riverqueue/river"
	"golang.org/x/sync/errgroup"

	"pulih/internal/letter"
	"pulih/internal/store"
	"pulih/mailflow"
)

// batchWorker reads the mails that one round of a mailbox brought. Most of an office's mail asks for nothing: that is marked read in one
// transaction. What asks for something, needs a child process to be read, or fails, gets a ReadLetter of its own, with its own attempts.
type batchWorker struct {
	river.WorkerDefaults[store.ReadMails]
	d *Daemon
}

func (w *batchWorker) Timeout(*river.Job[store.ReadMails]) time.Duration { return 5 * time.Minute }

func (w *batchWorker) Work(ctx context.Context, job *river.Job[store.ReadMails]) error {
	mails, err := w.d.store.UnreadMails(ctx, job.Args.LetterIDs)
	if err != nil || len(mails) == 0 {
		return err
	}
	t, err := w.d.tenant(ctx, mails[0].Agency) // one round is of one mailbox
	if err != nil {
		return err
	}
	// One of them may have stopped the daemon last time: each alone harms none of the others. River's count of attempts doesn't tell, since
	// TakeOver takes those back that a crash has ended.
	again := len(job.AttemptedBy) > 1
	looks := make([]*mail, len(mails))
	if !again && t != nil {
		w.look(ctx, t, mails, looks)
	}
	var idle []store.MailRead
	var alone []store.Mail
	for i, m := range mails {
		switch look := looks[i]; {
		case look == nil:
			alone = append(alone, m)
		case look.idle():
			look.reading.Findings = append(look.reading.Findings, letter.Check(look.reading, look.env, t.Agency, nil, w.d.now())...)
			idle = append(idle, store.MailRead{Letter: m.Letter, Reading: look.reading})
		default:
			alone = append(alone, m)
		}
	}
	return w.d.store.InTx(ctx, w.d.now(), func(tx *store.Tx) error {
		if err := tx.MarkMailsRead(idle); err != nil {
			return err
		}
		return tx.EnqueueEach(alone)
	})
}

// look fills in what one look tells, two at a time; those that are better read alone stay nil.
func (w *batchWorker) look(ctx context.Context, t *tenant, mails []store.Mail, looks []*mail) {
	var work errgroup.Group
	work.SetLimit(2)
	for i := range mails {
		work.Go(func() error {
			looks[i] = w.lookAt(ctx, t, mails[i])
			return nil
		})
	}
	_ = work.Wait()
}

// maxLight is the size of a mail that is read together with others, in bytes.
const maxLight = 1 << 20

func (w *batchWorker) lookAt(ctx context.Context, t *tenant, m store.Mail) (out *mail) {
	defer func() {
		if p := recover(); p != nil {
			w.d.log.Error("reading a mail panicked", "letter", m.ID, "panic", fmt.Sprintf("%T", p))
			out = nil
		}
	}()
	if t.conf.Inbox == nil || m.HeadersOnly || len(m.Raw) > maxLight {
		return nil
	}
	parsed, err := letter.ParseMail(m.Raw)
	if err != nil || !parsed.Light() || mailflow.AsksDNS(parsed, mailflow.Trust{ServerID: t.conf.Inbox.AuthservID}) {
		return nil
	}
	look := w.d.glance(ctx, t, m.Letter, parsed, m.Raw)
	return &look
}
