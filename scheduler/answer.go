package scheduler

import (
	"context"
	"errors"
	"regexp"
	"slices"
	"strings"

	"pulih/internal/agency"
	"pulih/internal/letter"
	"pulih/internal/request"
	"pulih/internal/sop"
	"pulih/internal/store"
	"pulih/mailflow"
)

var (
	wordOf    = regexp.MustCompile(`\pL+`)
	quoted    = regexp.MustCompile(`(?i)^\s*(>|on .+ wrote:|pada .+ menulis:|-{2,}|_{5,}|(from|dari): )`)
	aboutLink = regexp.MustCompile(`(?i)^\s*belum\s*([.!,\n]|$)|^\s*(belum|tidak) (ada|terima|menerima|dapat|mendapat|masuk)\b.*(e-?mail|surel|tautan|link)`)
	yesWords  = []string{"sudah", "berhasil", "selesai", "telah"}
	noWords   = []string{"belum", "gagal", "tidak", "tdk", "blm"}
	buts      = []string{"tapi", "tetapi", "namun", "masih", "kenapa", "mengapa", "bagaimana", "error", "salah", "lagi"}
)

// answerIn reads "SUDAH" or "BELUM" from what somebody wrote above the mail that they answer: the first word decides, and only when the
// rest doesn't speak against it. Everything else is for a human.
func answerIn(text string) (yes, no bool) {
	var words []string
	for line := range strings.Lines(text) {
		if quoted.MatchString(line) {
			break
		}
		words = append(words, wordOf.FindAllString(strings.ToLower(line), -1)...)
	}
	if len(words) == 0 || len(words) > 60 || strings.Contains(text, "?") && !strings.Contains(text, ">") {
		return false, false
	}
	against := slices.ContainsFunc(words, func(w string) bool { return slices.Contains(noWords, w) || slices.Contains(buts, w) })
	switch {
	case slices.Contains(yesWords, words[0]):
		return !against, false
	case slices.Contains(noWords, words[0]):
		return false, !slices.ContainsFunc(words[1:], func(w string) bool { return slices.Contains(yesWords, w) })
	}
	return false, false
}

// readAnswer takes the applicant's "sudah" or "belum" by mail, as the buttons of our mails take it. It counts only from their registered
// address and in answer to a mail of ours: both together are what the signed page asks for. ok is false for anything else.
func (d *Daemon) readAnswer(ctx context.Context, l store.Letter, t *tenant, m *letter.Mail, r letter.Reading, number string) (ok bool, err error) {
	yes, no := answerIn(m.Text)
	thread := mailflow.ReadThread(d.mailKey, m)
	if !yes && !no || thread.Verdict != mailflow.Genuine || thread.Token.Request != number {
		return false, nil
	}
	s, err := d.store.State(ctx, number)
	if err != nil || !agency.SameAddress(sender(m), s.Subject.Email) {
		return false, err
	}
	waiting := []request.Status{request.StatusUncertain, request.StatusLink, request.StatusPassphrase, request.StatusCertificate}
	if !slices.Contains(waiting, s.Status) {
		return false, nil
	}
	by := request.Actor{Role: sop.Applicant, Name: s.Subject.Name, Via: "mail"}
	var cmd request.Command = request.Observe{Kind: request.Usable, At: l.ReceivedAt, By: by, Text: "Pemohon membalas: sudah berhasil."}
	if no {
		code := request.Failed
		if aboutLink.MatchString(m.Text) {
			code = request.NoLink
		}
		cmd = request.Trouble{By: by, Code: code, Text: "Pemohon membalas: " + letter.MaskNIK(letter.Mask(firstLine(m.Text)))}
	}
	joined := request.Letter{ID: l.ID, Channel: "mail", From: sender(m), MessageID: l.MessageID, ReceivedAt: l.ReceivedAt, Subject: m.Subject}
	err = d.markRead(ctx, t, l, letter.Reply, r, func(tx *store.Tx) error {
		_, err := tx.Act(t.Agency, number, request.Join{Letter: joined}, cmd)
		return err
	})
	var refusal *request.Refusal
	if errors.As(err, &refusal) { // somebody was faster; then it is a reply like any other
		return false, nil
	}
	return err == nil, err
}
