package scheduler

import (
	"context"
	"errors"
	"fmt"

	"pulih/internal/config/accounts"
	"pulih/internal/letter"
	"pulih/internal/store"
	"pulih/mailflow"
)

// fetchAgain asks the mail server once more for a message that it didn't give: an operator wants it read (pulih quarantine retry). What is
// only a bad moment is an error, and tried again as any reading is.
func (d *Daemon) fetchAgain(ctx context.Context, t *tenant, l store.Letter) error {
	box, err := accounts.Mailbox(t.conf)
	if errors.Is(err, accounts.ErrNone) {
		return d.quarantine(ctx, t, l, "Kotak surat asal pesan ini tidak lagi ada dalam konfigurasi.")
	} else if err != nil {
		return err
	}
	mailbox, uidValidity, uid, err := d.store.MailPlace(ctx, l.ID)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	if err != nil || mailbox != box.Key() {
		return d.quarantine(ctx, t, l, "Kotak surat asal pesan ini tidak lagi ada dalam konfigurasi.")
	}
	a, err := mailflow.FetchAgain(ctx, box, uidValidity, uid)
	if errors.Is(err, mailflow.ErrGone) {
		return d.quarantine(ctx, t, l, "Pesan ini tidak ada lagi di kotak surat.")
	} else if err != nil {
		return err
	}
	if len(a.Raw) == 0 {
		return d.quarantine(ctx, t, l, or(a.Problem, "Server tetap tidak memberikan isi pesan ini."))
	}
	same, err := d.store.Refetched(ctx, l, mailbox, a, d.now())
	if err != nil {
		return err
	}
	if same != 0 {
		return d.markRead(ctx, t, l, letter.Other, letter.Reading{Kind: letter.Other, Reasons: []string{fmt.Sprintf("Isinya sama dengan surat %d.", same)}}, nil)
	}
	if l, err = d.store.Letter(ctx, l.ID); err != nil {
		return err
	}
	return d.readMail(ctx, t, l, a.Raw)
}
