package scheduler

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"pulih/internal/agency"
	"pulih/internal/complaint"
	"pulih/internal/letter"
	"pulih/internal/request"
	"pulih/internal/sop"
	"pulih/internal/store"
	"pulih/mailflow"
)

// readBounce believes a report only when it names a mail of ours by its signed Message-ID.
func (d *Daemon) readBounce(ctx context.Context, t *tenant, l store.Letter, b mailflow.Bounce, r letter.Reading) error {
	_, verdict := mailflow.ReadToken(d.mailKey, b.Of)
	if verdict != mailflow.Genuine || b.Delayed {
		return d.markRead(ctx, t, l, letter.Bounce, r, nil)
	}
	m, err := d.store.MailSent(ctx, b.Of)
	if errors.Is(err, store.ErrNotFound) {
		return d.markRead(ctx, t, l, letter.Bounce, r, nil)
	} else if err != nil {
		return err
	}
	// Whoever got a mail of ours can write a report about it: an address is dead only when the report is about that mail's own recipient.
	dead := b.Permanent && agency.SameAddress(b.Recipient, m.Address)
	why := "Surel ke " + m.Address + " kembali: " + b.Why
	if !dead {
		why = "Surel ke " + m.Address + " diteruskan ke alamat lain dan kembali dari sana: " + b.Why
	}
	return d.markRead(ctx, t, l, letter.Bounce, r, func(tx *store.Tx) error {
		if err := tx.MarkBounced(m.ID); err != nil || !b.Permanent {
			return err
		}
		return d.undelivered(tx, t, m, why, dead)
	})
}

// failForGood ends a mail that the server refused, or that two days of tries didn't bring off.
func (d *Daemon) failForGood(ctx context.Context, t *tenant, m store.Outgoing, r mailflow.Result) error {
	return d.store.InTx(ctx, d.now(), func(tx *store.Tx) error {
		if err := tx.Settle(m.ID, "failed", r.Why); err != nil {
			return err
		}
		return d.undelivered(tx, t, m, "Surel ke "+m.Address+" ditolak: "+r.Why, r.Dead)
	})
}

// undelivered writes on the case that a mail of its own didn't arrive. Where the applicant's official address is dead, BSrE's link wouldn't
// arrive either: that is a finding, and the verifiers are told.
func (d *Daemon) undelivered(tx *store.Tx, t *tenant, m store.Outgoing, why string, dead bool) error {
	since := d.now()
	if dead {
		var err error
		if since, err = tx.MarkDead(t.Key, m.Address, why); err != nil {
			return err
		}
	}
	if m.Number == "" {
		return nil
	}
	if store.IsComplaint(m.Number) {
		_, err := tx.ActComplaint(t.Agency, m.Number, complaint.Undelivered{Answer: m.Template == complaint.MailAnswered, Text: why})
		return err
	}
	s, err := tx.Act(t.Agency, m.Number, request.Note{By: request.System, Text: why})
	if err != nil || !dead || !s.Status.Open() || !agency.SameAddress(s.Subject.Email, m.Address) {
		return err
	}
	told := s.Version // the mail quotes the note
	if _, err := tx.Act(t.Agency, m.Number, request.Flag{By: request.System, Findings: []letter.Finding{addressDead(t, m.Address, since)}}); err != nil {
		return err
	}
	for _, p := range t.Holders(sop.Verifier, d.now()) {
		err := tx.Notify(store.Notice{Agency: t.Key, Once: fmt.Sprintf("dead/%s/%s/%s", m.Number, strings.ToLower(m.Address), p.Email), Number: m.Number,
			Version: told, Template: mailflow.NoticeAddressDead, To: request.Recipient{Kind: "staff", ID: p.ID, Name: p.Name, Address: p.Email}})
		if err != nil {
			return err
		}
	}
	return nil
}

func addressDead(t *tenant, address string, since time.Time) letter.Finding {
	return letter.Finding{Code: "address-dead", Severity: letter.Danger, Detail: fmt.Sprintf(
		"Alamat dinas %s tidak menerima surel sejak %s: tautan BSrE pun tidak akan sampai ke sana.", address, mailflow.NoticeDateTime(since.In(t.Zone)))}
}

// deadAddresses finds the applicants whose official address didn't take our last mail.
func (d *Daemon) deadAddresses(ctx context.Context, t *tenant, subjects []request.Subject) ([]letter.Finding, error) {
	var out []letter.Finding
	for _, s := range subjects {
		since, err := d.store.DeadSince(ctx, t.Key, s.Email)
		if err != nil {
			return nil, err
		}
		if !since.IsZero() {
			out = append(out, addressDead(t, s.Email, since))
		}
	}
	return out, nil
}
