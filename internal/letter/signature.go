package letter

import (
	"bufio"
	"bytes"
	"context"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"pulih/internal/letter/pdfsig"
)

// signatureTask precedes the PDF that a child checks.
type signatureTask struct {
	Roots [][]byte  `json:"roots"` // DER
	Now   time.Time `json:"now"`
}

// signedFile is the verdict on one attachment.
type signedFile struct {
	name   string
	report pdfsig.Report
}

// checkSignatures has a child check a PDF's signatures. Files without any mark of one are left alone: a signature's dictionary is never
// compressed, since its place in the file is part of what is signed.
func (w *work) checkSignatures(ctx context.Context, data []byte, name string) {
	if !bytes.Contains(data, []byte("ByteRange")) && !bytes.Contains(data, []byte("/Sig")) && !bytes.Contains(data, []byte("/Byte#")) {
		return
	}
	var roots [][]byte
	var err error
	if folder := w.reader.opts.Roots; folder != "" {
		roots, err = RootsIn(folder)
	}
	if err != nil {
		w.find("roots-unreadable", Warning, "Folder sertifikat akar tidak terbaca; tanda tangan elektronik tidak dapat dipercaya.")
	}
	head, err := json.Marshal(signatureTask{Roots: roots, Now: w.reader.now()})
	if err != nil {
		return
	}
	input := append(append(head, '\n'), data...)
	out, err := w.run(ctx, w.reader.self("pdfsig", input))
	var report pdfsig.Report
	if err != nil || json.Unmarshal(out, &report) != nil {
		w.find("signature-unchecked", Warning, fmt.Sprintf("Tanda tangan elektronik pada %q tidak dapat diperiksa dalam batas waktu dan memori.", name))
		report = pdfsig.Report{Status: pdfsig.Indeterminate}
	}
	w.signatures = append(w.signatures, signedFile{name, report})
	w.signatureFindings(name, report)
}

func childSignatures(data []byte, out *bufio.Writer) error {
	head, pdf, ok := bytes.Cut(data, []byte("\n"))
	var task signatureTask
	if !ok {
		return errors.New("no task")
	}
	if err := json.Unmarshal(head, &task); err != nil {
		return fmt.Errorf("reading the task: %w", err)
	}
	pool := x509.NewCertPool()
	for _, der := range task.Roots {
		if c, err := x509.ParseCertificate(der); err == nil {
			pool.AddCert(c)
		}
	}
	return json.NewEncoder(out).Encode(pdfsig.Verify(pdf, pool, task.Now))
}

// now is the time at which signatures without a timestamp are judged.
func (r *Reader) now() time.Time {
	if r.opts.Now != nil {
		return r.opts.Now()
	}
	return time.Now() //nolint:forbidigo // the default clock of a long-running reader
}

// RootsIn reads the operator's certificates, as DER: every PEM or DER file of the folder. Letters read it afresh each time, so that a new
// one counts at once.
func RootsIn(folder string) ([][]byte, error) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil, fmt.Errorf("reading the folder of roots: %w", err)
	}
	var out [][]byte
	for _, e := range entries {
		if e.IsDir() || len(out) > 200 {
			continue
		}
		b, err := os.ReadFile(filepath.Join(folder, e.Name()))
		if err != nil || len(b) > 1<<20 {
			continue
		}
		for block, rest := pem.Decode(b); block != nil; block, rest = pem.Decode(rest) {
			if block.Type == "CERTIFICATE" {
				out = append(out, block.Bytes)
			}
			b = nil
		}
		if _, err := x509.ParseCertificate(b); err == nil {
			out = append(out, b)
		}
	}
	return out, nil
}

// codeFindings are what a verifier reads about a signature.
var codeFindings = map[pdfsig.Code]struct {
	code     string
	severity Severity
	detail   string
}{
	pdfsig.ChangedAfter:   {"pdf-changed-after-signing", Danger, "Berkas %q diubah setelah ditandatangani secara elektronik."},
	pdfsig.DigestDiffers:  {"pdf-changed-after-signing", Danger, "Isi berkas %q berbeda dari yang ditandatangani secara elektronik."},
	pdfsig.BadRange:       {"signature-wrapped", Danger, "Tanda tangan elektronik pada %q tidak mencakup isinya sebagaimana mestinya (kemungkinan pemalsuan)."},
	pdfsig.BadSignature:   {"signature-invalid", Danger, "Tanda tangan elektronik pada %q tidak sah."},
	pdfsig.BrokenCMS:      {"signature-invalid", Danger, "Tanda tangan elektronik pada %q rusak."},
	pdfsig.Revoked:        {"certificate-revoked", Danger, "Sertifikat penanda tangan pada %q sudah dicabut saat menandatangani."},
	pdfsig.NoRoot:         {"signature-untrusted", Warning, "Tanda tangan elektronik pada %q utuh, tetapi penerbit sertifikatnya tidak ada di daftar akar yang dipercaya."},
	pdfsig.Weak:           {"signature-weak", Warning, "Tanda tangan elektronik pada %q memakai algoritma yang sudah lemah; keasliannya tidak dapat dijamin."},
	pdfsig.WrongUse:       {"certificate-wrong-use", Warning, "Sertifikat pada %q tidak diterbitkan untuk menandatangani dokumen."},
	pdfsig.OutOfValidity:  {"certificate-expired", Warning, "Sertifikat penanda tangan pada %q tidak berlaku pada saat menandatangani."},
	pdfsig.Encrypted:      {"signature-encrypted", Warning, "Berkas %q terenkripsi; tanda tangannya tidak dapat diperiksa seluruhnya."},
	pdfsig.ExpiredNoStamp: {"certificate-expired", Warning, "Sertifikat penanda tangan pada %q sudah kedaluwarsa dan tidak ada stempel waktu tepercaya."},
	pdfsig.BadTimestamp:   {"timestamp-invalid", Warning, "Stempel waktu tanda tangan pada %q tidak sah."},
	pdfsig.StampUntrusted: {"timestamp-untrusted", Info, "Stempel waktu tanda tangan pada %q tidak berasal dari penyedia yang dipercaya."},
	pdfsig.Unsupported:    {"signature-unsupported", Warning, "Format tanda tangan elektronik pada %q belum didukung; periksa dengan cara lain."},
	pdfsig.NotInForm:      {"signature-outside-form", Danger, "Tanda tangan elektronik pada %q tidak terpasang pada dokumen sebagaimana mestinya."},
	pdfsig.BrokenFile:     {"pdf-structure-broken", Warning, "Susunan berkas PDF %q rusak; tanda tangannya tidak dapat dipastikan."},
	pdfsig.NoRevocation:   {"revocation-unknown", Info, "Berkas %q tidak memuat data pencabutan sertifikat; status pencabutan tidak diperiksa."},
	pdfsig.NoTimestamp:    {"timestamp-missing", Info, "Tanda tangan pada %q tidak memiliki stempel waktu; dinilai pada saat ini."},
}

func (w *work) signatureFindings(name string, r pdfsig.Report) {
	codes := append([]pdfsig.Code{}, r.Codes...)
	for _, s := range r.Signatures {
		codes = append(codes, s.Codes...)
	}
	for _, c := range codes {
		if f, ok := codeFindings[c]; ok && (r.Status != pdfsig.None || f.severity == Danger) {
			w.find(f.code, f.severity, fmt.Sprintf(f.detail, name))
		}
	}
}

// signature sums up all signed files: the worst verdict and the last signer. The letter's signer must be among those who signed.
func (w *work) signature(r *Reading) Signature {
	out := Signature{Status: SignatureNone, Each: []Signed{}}
	order := map[SignatureStatus]int{SignatureNone: 0, SignatureValid: 1, SignatureIndeterminate: 2, SignatureUntrusted: 3, SignatureInvalid: 4}
	for _, s := range w.signatures {
		if st := SignatureStatus(s.report.Status); order[st] > order[out.Status] {
			out.Status = st
		}
		if s.report.Signer != "" {
			out.Signer = str(s.report.Signer)
		}
		for _, one := range s.report.Signatures {
			out.Each = append(out.Each, signed(s.name, one))
		}
	}
	if r.Letter.Signer == nil || r.Letter.Signer.Name == nil || out.Signer == nil {
		return out
	}
	for _, one := range out.Each {
		if one.Signer != nil && one.Status != SignatureInvalid && foldedPerson(*one.Signer) == foldedPerson(*r.Letter.Signer.Name) {
			return out
		}
	}
	if out.Status != SignatureInvalid || foldedPerson(*out.Signer) != foldedPerson(*r.Letter.Signer.Name) {
		w.find("signature-other-person", Danger, fmt.Sprintf("Tanda tangan elektronik atas nama %s, sedangkan surat atas nama %s.", *out.Signer, *r.Letter.Signer.Name))
	}
	return out
}

func signed(file string, s pdfsig.Signature) Signed {
	out := Signed{File: file, Status: SignatureStatus(s.Status), Codes: []string{}, Whole: s.Whole, Stamp: s.Timestamp}
	if s.Signer != "" {
		out.Signer = str(s.Signer)
	}
	if s.Issuer != "" {
		out.Issuer = str(s.Issuer)
	}
	if !s.Time.IsZero() {
		out.Time = &s.Time
	}
	for _, c := range s.Codes {
		out.Codes = append(out.Codes, string(c))
	}
	return out
}
