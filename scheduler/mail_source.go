package scheduler

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"pulih/internal/store"
	"pulih/mailflow"
)

// patientWith is how long a mailbox may be out of reach before the operator is written to. A refused sign-in doesn't pass by itself: they
// hear of it at once.
const patientWith = 30 * time.Minute

// mailArchive is the store's, which also has the operator told.
type mailArchive struct {
	*store.Inbox
	d *Daemon
	t *tenant
}

// Event records an event of a mailbox.
func (a mailArchive) Event(ctx context.Context, mailbox string, e mailflow.Event) error {
	err := a.Inbox.Event(ctx, mailbox, e)
	if e.Kind == mailflow.SignInRefused {
		err = errors.Join(err, a.d.alarm(ctx, a.t, mailboxAlarm(mailbox, e.At), "Kotak surat resmi menolak akun instansi: periksa nama pengguna dan kata sandi atau token"))
	}
	return err
}

// mailboxAlarm names one outage.
func mailboxAlarm(mailbox string, since time.Time) string {
	return fmt.Sprintf("alarm/%s/inbox/%s", mailbox, since.UTC().Truncate(time.Second).Format(time.RFC3339))
}

// watchMailboxes writes to the operator about each mailbox that has been out of reach for long, once an outage.
func (d *Daemon) watchMailboxes(ctx context.Context) error {
	_, mailboxes, err := d.store.Sources(ctx)
	if err != nil {
		return err
	}
	for _, m := range mailboxes {
		key, _, _ := strings.Cut(m.Name, "/")
		t, ok := d.tenants[key]
		if !ok || m.FailingSince == nil || d.now().Sub(*m.FailingSince) < patientWith {
			continue
		}
		problem := fmt.Sprintf("Kotak surat resmi tidak terbaca (%s)", strings.TrimSuffix(m.Problem, "."))
		if err := d.alarm(ctx, t, mailboxAlarm(m.Name, *m.FailingSince), problem); err != nil {
			return err
		}
	}
	return nil
}
