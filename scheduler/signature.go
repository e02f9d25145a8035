package scheduler

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/riverqueue/river"

	"pulih/bsre"
	"pulih/internal/letter"
	"pulih/internal/request"
	"pulih/internal/store"
)

// askSignature has the agency's eSign gateway verify the PDFs of a letter that opened a request. It can take 40 s (contracts/bsre.md), so
// it delays nothing: what it finds joins the request when it comes.
type askSignature struct {
	LetterID int64 `json:"letter_id"`
}

func (askSignature) Kind() string { return "ask_signature" }

func (askSignature) InsertOpts() river.InsertOpts {
	return river.InsertOpts{Queue: store.QueueWatch, MaxAttempts: 5}
}

type signatureWorker struct {
	river.WorkerDefaults[askSignature]
	d *Daemon
}

// Timeout lets several large files through.
func (w *signatureWorker) Timeout(*river.Job[askSignature]) time.Duration { return 4 * time.Minute }

func (w *signatureWorker) Work(ctx context.Context, job *river.Job[askSignature]) error {
	l, err := w.d.store.Letter(ctx, job.Args.LetterID)
	if err != nil {
		return err
	}
	t, err := w.d.tenant(ctx, l.Agency)
	if err != nil {
		return err
	}
	if t == nil || t.esign == nil {
		return nil
	}
	r, err := w.d.store.Reading(ctx, l.ID)
	if err != nil {
		return err
	}
	pdfs, err := w.d.pdfs(ctx, l)
	if err != nil {
		return err
	}
	var found []letter.Finding // told when all were asked: a job that is tried again tells nothing twice
	for _, f := range pdfs {
		v, err := t.esign.VerifyPDF(ctx, f.Data)
		var denied *bsre.Denied
		switch {
		case errors.As(err, &denied): // the gateway doesn't take this file: it says nothing about the signature
			continue
		case err != nil:
			return err
		}
		if differs, ok := compareSignature(verdictOn(r.Signature, f.Name), v); ok {
			found = append(found, differs)
		}
	}
	if len(found) == 0 {
		return nil
	}
	return w.d.addFindings(ctx, t, l, found)
}

// verdictOn is our own verdict on one file of a letter, the worst of its persons' signatures.
func verdictOn(own letter.Signature, name string) letter.SignatureStatus {
	if own.Each == nil { // read before each signature was kept
		return own.Status
	}
	order := []letter.SignatureStatus{letter.SignatureNone, letter.SignatureValid, letter.SignatureIndeterminate, letter.SignatureUntrusted, letter.SignatureInvalid}
	worst := 0
	for _, s := range own.Each {
		if s.File == name && !s.Stamp {
			worst = max(worst, slices.Index(order, s.Status))
		}
	}
	return order[worst]
}

// compareSignature holds our own verdict against the gateway's. "Untrusted" and "indeterminate" of ours only mean that we lack a root or
// revocation data, so they don't contradict a good answer.
func compareSignature(own letter.SignatureStatus, v bsre.Verification) (letter.Finding, bool) {
	differs := func(s letter.Severity, detail string) (letter.Finding, bool) {
		return letter.Finding{Code: "signature-differs", Severity: s, Detail: detail}, true
	}
	unsigned := own == letter.SignatureNone || own == ""
	switch {
	case unsigned && len(v.Signatures) > 0:
		return differs(letter.Warning, fmt.Sprintf("BSrE menemukan %d tanda tangan elektronik pada surat; pemeriksaan kami tidak menemukannya.", len(v.Signatures)))
	case unsigned:
		return letter.Finding{}, false
	case len(v.Signatures) == 0:
		return differs(letter.Warning, "BSrE tidak menemukan tanda tangan elektronik pada surat; pemeriksaan kami menemukannya.")
	case own == letter.SignatureInvalid && v.Valid:
		return differs(letter.Danger, "BSrE menilai tanda tangan elektronik sah, tetapi menurut pemeriksaan kami tidak sah atau berkasnya berubah sesudah ditandatangani.")
	case own == letter.SignatureValid && !v.Valid:
		return differs(letter.Danger, "Tanda tangan elektronik kami nilai sah, tetapi BSrE menilai lain ("+v.Conclusion+").")
	case own != letter.SignatureInvalid && !v.Valid:
		return differs(letter.Danger, "BSrE tidak menilai tanda tangan elektronik sah ("+v.Conclusion+"); kami sendiri hanya dapat memastikan bahwa berkasnya utuh.")
	}
	return letter.Finding{}, false
}

// maxAsked is the largest PDF that the gateway is asked about, in bytes.
const maxAsked = 20 << 20

// pdfs are the PDF files of a letter, whichever way it came.
func (d *Daemon) pdfs(ctx context.Context, l store.Letter) ([]letter.File, error) {
	var files []letter.File
	if l.Channel == "mail" {
		raw, err := d.store.Raw(ctx, l.ID)
		if err != nil {
			return nil, err
		}
		m, err := letter.ParseMail(raw)
		if err != nil {
			return nil, fmt.Errorf("reading mail %d for its signatures: %w", l.ID, err)
		}
		files = filesWithin(m)
	} else {
		kept, err := d.store.Files(ctx, l.ID)
		if err != nil {
			return nil, err
		}
		for _, f := range kept {
			files = append(files, letter.File{Name: f.Name, Data: f.Data})
		}
	}
	return slices.DeleteFunc(files, func(f letter.File) bool {
		return len(f.Data) > maxAsked || !bytes.Contains(f.Data[:min(len(f.Data), 1024)], []byte("%PDF-"))
	}), nil
}

// filesWithin are all files of a mail and of the mails within it, those that a program shows in the text too.
func filesWithin(m *letter.Mail) []letter.File {
	var out []letter.File
	for _, p := range m.Parts {
		if p.Mail != nil {
			out = append(out, filesWithin(p.Mail)...)
			continue
		}
		out = append(out, letter.File{Name: p.Name, MIME: p.MIME, Data: p.Data})
	}
	return out
}

// addFindings puts findings beside the requests of a letter.
func (d *Daemon) addFindings(ctx context.Context, t *tenant, l store.Letter, found []letter.Finding) error {
	var changed []string
	for _, f := range found {
		changed = append(changed, f.Detail)
	}
	list, err := d.store.RequestsOfLetter(ctx, l.ID)
	if err != nil {
		return err
	}
	for _, r := range list {
		s, err := d.store.State(ctx, r.Number)
		if err != nil {
			return err
		}
		for _, ref := range s.Letters {
			if ref.ID != l.ID {
				continue
			}
			_, err := d.store.Act(ctx, t.Agency, r.Number, d.now(), request.Join{Letter: ref, Changed: changed, Findings: found})
			if err != nil {
				return err
			}
		}
	}
	return nil
}
