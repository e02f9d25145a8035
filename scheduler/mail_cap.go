package scheduler

import (
	"context"
	"errors"
	"slices"
	"time"

	"pulih/internal/agency"
	"pulih/internal/letter"
	"pulih/internal/request"
	"pulih/internal/store"
	"pulih/mailflow"
)

// mostReceiptsADay is how many receipts one address gets in 24 hours. The largest office of a regency has fewer letters a day; a machine
// that sends one after the other, or somebody who uses an office's name, has more.
const mostReceiptsADay = 20

// mostOfStrangersAnHour is how many mails about letters of strangers a person gets in an hour: whoever floods the mailbox shall not flood them,
// nor keep the news of a genuine letter from them.
const mostOfStrangersAnHour = 3

// unwanted says why a mail that letters from outside call for is better left out: it would answer a machine (RFC 3834), or its reader had
// more than enough of its kind. The letters themselves, and their requests, are there all the same; reminders are never left out.
func (d *Daemon) unwanted(ctx context.Context, m store.Outgoing) (why string, err error) {
	if m.Attempts > 0 || store.IsComplaint(m.Number) {
		return "", nil
	}
	switch m.Template {
	case request.MailReceiptOffice, request.MailReceiptApplicant, request.MailWork:
		s, err := d.store.State(ctx, m.Number)
		if err != nil || len(s.Letters) == 0 || s.Letters[0].Channel != "mail" {
			return "", err
		}
		if m.Template == request.MailWork {
			return d.unwantedNews(ctx, m, s.Findings)
		}
		return d.unwantedReceipt(ctx, m, s.Letters[0])
	case mailflow.NoticeUnclearLetter, mailflow.NoticeOtherService:
		r, err := d.store.Reading(ctx, m.LetterID)
		if errors.Is(err, store.ErrNotFound) { // in quarantine
			return "", nil
		} else if err != nil {
			return "", err
		}
		return d.unwantedNews(ctx, m, r.Findings)
	}
	return "", nil
}

// unwantedNews is about letters for which nothing vouches, and against whose sender something speaks.
func (d *Daemon) unwantedNews(ctx context.Context, m store.Outgoing, findings []letter.Finding) (why string, err error) {
	stranger := slices.ContainsFunc(findings, func(f letter.Finding) bool {
		return f.Severity == letter.Danger && (f.Code == "sender-outside-domain" || f.Code == "sender-unauthenticated")
	})
	if !stranger {
		return "", nil
	}
	told, err := d.store.WrittenBefore(ctx, m, time.Hour)
	if err != nil || told < mostOfStrangersAnHour {
		return "", err
	}
	return "batas pemberitahuan tentang surat dari pengirim tak dikenal dalam satu jam; semuanya ada di meja kerja", nil
}

func (d *Daemon) unwantedReceipt(ctx context.Context, m store.Outgoing, l request.Letter) (why string, err error) {
	told, err := d.store.WrittenBefore(ctx, m, 24*time.Hour)
	if err != nil {
		return "", err
	}
	if told >= mostReceiptsADay {
		return "batas jawaban kepada satu alamat dalam sehari", nil
	}
	if !agency.SameAddress(m.Address, l.From) {
		return "", nil // it isn't the sender who is answered
	}
	raw, err := d.store.Raw(ctx, l.ID)
	if err != nil {
		return "", err
	}
	sent, err := letter.ParseMail(raw)
	if err != nil { // it was read before; what can't be told isn't answered
		return "surel asal tidak dapat diurai", nil //nolint:nilerr // that is the answer
	}
	_, why = mailflow.MayAnswer(sent, told, mostReceiptsADay)
	return why, nil
}
