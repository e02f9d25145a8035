package scheduler

import (
	"context"
	"regexp"
	"strings"

	"pulih/internal/letter"
	"pulih/internal/request"
	"pulih/internal/sop"
	"pulih/internal/store"
)

var (
	setWords  = regexp.MustCompile(`(?i)(pass?\s?-?phrase|sertifikat)[^.]*\b(berhasil|telah|sudah)\b[^.]*\b(di(atur|buat|set|perbarui|terbitkan|ubah|ganti|reset)|terbit|aktif)|\bberhasil\b[^.]*(mengatur|membuat|mengubah|mengganti)[^.]*pass?\s?-?phrase`)
	linkWords = regexp.MustCompile(`(?i)\b(tautan|link|klik)\b`)
	unfitting = regexp.MustCompile(`(?i)\b(gagal|tidak|belum|ditolak|dibatalkan|kedaluwarsa|kadaluarsa|bila|jika|apabila)\b`)
)

// noticed is what a notice of BSrE says has happened; empty for anything that isn't plain.
func noticed(m *letter.Mail) request.Kind {
	text := m.Subject + ".\n" + m.Text
	switch link := linkWords.MatchString(text); {
	case !link && setWords.MatchString(text) && !unfitting.MatchString(text):
		return request.Usable
	case link && strings.Contains(strings.ToLower(text), "reset"):
		return request.LinkMailed
	}
	return ""
}

// readNotice joins a notice from BSrE to the request that it names, if it names just one. It counts when the agency's mail server vouches for
// its sender, it says plainly what happened, and it came after the reset; else it is a note, which has AMS looked at.
func (d *Daemon) readNotice(ctx context.Context, t *tenant, l store.Letter, m mail, ref request.Letter) error {
	named, err := d.namedIn(ctx, t, m.Mail)
	if err != nil {
		return err
	}
	return d.markRead(ctx, t, l, m.reading.Kind, m.reading, func(tx *store.Tx) error {
		if named == nil {
			return nil
		}
		ref.Subject = m.Subject
		subject := letter.Mask(m.Subject)
		proven, kind := vouched(t, m.env), noticed(m.Mail)
		var cmd request.Command = request.Evidence{By: request.Actor{Name: m.env.From, Via: "mail"}, Text: "Surel yang mengaku dari BSrE, pengirimnya tidak terbukti: " + subject}
		if by := (request.Actor{Role: sop.BSrE, Name: "BSrE", Via: "mail"}); proven && kind != "" && named.AfterReset(l.ReceivedAt) {
			cmd = request.Observe{Kind: kind, At: l.ReceivedAt, By: by, Text: "Pemberitahuan BSrE: " + subject}
		} else if proven {
			cmd = request.Evidence{By: by, Text: "Pemberitahuan BSrE: " + subject}
		}
		_, err := tx.Act(t.Agency, named.Number, request.Join{Letter: ref}, cmd)
		return err
	})
}

// namedIn is the one open request with an approval whose applicant's address a mail names; nil for none or several.
func (d *Daemon) namedIn(ctx context.Context, t *tenant, m *letter.Mail) (named *request.State, err error) {
	queue, err := d.store.Queue(ctx, t.Key)
	if err != nil {
		return nil, err
	}
	text := strings.ToLower(m.Subject + "\n" + m.Text)
	for _, q := range queue {
		s, err := d.store.State(ctx, q.Number)
		if err != nil {
			return nil, err
		}
		if s.Approvals == 0 || s.Subject.Email == "" || !strings.Contains(text, strings.ToLower(s.Subject.Email)) {
			continue
		}
		if named != nil {
			return nil, nil
		}
		named = &s
	}
	return named, nil
}
