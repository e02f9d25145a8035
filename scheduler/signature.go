package scheduler

import (
	"bytes"
	"context"
	"errors"
	"fmt"
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
	for _, pdf := range pdfs {
		v, err := t.esign.VerifyPDF(ctx, pdf)
		var denied *bsre.Denied
		switch {
		case errors.As(err, &denied): // the gateway doesn't take this file: it says nothing about the signature
			continue
		case err != nil:
			return err
		}
		if f, differs := compareSignature(r.Signature, v); differs {
			return w.d.addFinding(ctx, t, l, f)
		}
	}
	return nil
}

// compareSignature holds our own verdict against the gateway's. "Untrusted" and "indeterminate" of ours only mean that we lack a root or
// revocation data, so they contradict nothing.
func compareSignature(own letter.Signature, v bsre.Verification) (letter.Finding, bool) {
	signed := own.Status != letter.SignatureNone && own.Status != ""
	switch {
	case own.Status == letter.SignatureValid && !v.Valid:
		return letter.Finding{Code: "signature-differs", Severity: letter.Danger,
			Detail: "Tanda tangan elektronik kami nilai sah, tetapi BSrE menilai lain (" + v.Conclusion + ")."}, true
	case own.Status == letter.SignatureInvalid && v.Valid:
		return letter.Finding{Code: "signature-differs", Severity: letter.Danger,
			Detail: "BSrE menilai tanda tangan elektronik sah, tetapi menurut pemeriksaan kami berkasnya berubah sesudah ditandatangani."}, true
	case signed && len(v.Signatures) == 0, !signed && len(v.Signatures) > 0:
		return letter.Finding{Code: "signature-differs", Severity: letter.Warning,
			Detail: fmt.Sprintf("BSrE menemukan %d tanda tangan elektronik pada surat; pemeriksaan kami menemukan jumlah lain.", len(v.Signatures))}, true
	}
	return letter.Finding{}, false
}

// pdfs are the PDF files of a letter, whichever way it came.
func (d *Daemon) pdfs(ctx context.Context, l store.Letter) ([][]byte, error) {
	var files []letter.File
	var err error
	if l.Channel == "mail" {
		files, err = d.mailFiles(ctx, l)
	} else {
		var kept []store.File
		kept, err = d.store.Files(ctx, l.ID)
		for _, f := range kept {
			files = append(files, letter.File{Data: f.Data})
		}
	}
	var out [][]byte
	for _, f := range files {
		if bytes.HasPrefix(f.Data, []byte("%PDF-")) {
			out = append(out, f.Data)
		}
	}
	return out, err
}

// addFinding puts a finding beside the requests of a letter.
func (d *Daemon) addFinding(ctx context.Context, t *tenant, l store.Letter, f letter.Finding) error {
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
			_, err := d.store.Act(ctx, t.Agency, r.Number, d.now(), request.Join{Letter: ref, Changed: []string{f.Detail}, Findings: []letter.Finding{f}})
			if err != nil {
				return err
			}
		}
	}
	return nil
}
