package console

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"pulih/internal/letter"
	"pulih/internal/letter/pdfsig"
)

// signatureView is what the desk says of a letter's electronic signatures: one sentence, and each of them below it.
type signatureView struct {
	verdict
	Words string // the sentence
	Who   string // who signed, where it is one person
	At    *time.Time
	Each  []signedView
}

// verdict is a signature's status in a word, with the weight and the icon that go with it.
type verdict struct{ Word, Weight, Icon string }

type signedView struct {
	verdict
	Who    string
	Issuer string // as the certificate says
	File   string
	At     *time.Time // of a trusted timestamp
	Covers string     // how much of the file
	Notes  []string   // why the verdict, and what else is worth knowing
}

var verdicts = map[letter.SignatureStatus]verdict{
	letter.SignatureNone:          {"tidak ada", "none", "info"},
	letter.SignatureValid:         {"sah", "good", "check"},
	letter.SignatureUntrusted:     {"penerbit belum dipercaya", "warning", "warning"},
	letter.SignatureIndeterminate: {"belum dapat dipastikan", "warning", "warning"},
	letter.SignatureInvalid:       {"tidak sah", "danger", "danger"},
}

// signatureOf is nil where nobody looked for signatures: in letters that were read before pulih did.
func signatureOf(s letter.Signature) *signatureView {
	judged, ok := verdicts[s.Status]
	if !ok {
		return nil
	}
	out := &signatureView{verdict: judged, Who: str(s.Signer)}
	people, count := 0, map[letter.SignatureStatus]int{}
	for _, one := range s.Each {
		out.Each = append(out.Each, signedOf(one))
		if !one.Stamp {
			people++
			count[one.Status]++
			out.At = one.Time
		}
	}
	switch {
	case s.Status == letter.SignatureNone:
		out.Words = "Tanpa tanda tangan elektronik"
	case people > 1:
		var parts []string
		for _, status := range []letter.SignatureStatus{letter.SignatureInvalid, letter.SignatureUntrusted, letter.SignatureIndeterminate, letter.SignatureValid} {
			if n := count[status]; n > 0 {
				parts = append(parts, fmt.Sprintf("%d %s", n, verdicts[status].Word))
			}
		}
		out.Words, out.Who, out.At = fmt.Sprintf("%d tanda tangan elektronik: %s", people, strings.Join(parts, ", ")), "", nil
	default:
		out.Words = "Tanda tangan elektronik " + judged.Word
	}
	return out
}

func signedOf(s letter.Signed) signedView {
	out := signedView{verdict: verdicts[s.Status], Who: str(s.Signer), Issuer: str(s.Issuer), File: safeName(s.File), At: s.Time}
	switch {
	case s.Stamp:
		out.Who = "Stempel waktu dokumen"
	case out.Who == "":
		out.Who = "Penanda tangan tidak terbaca"
	}
	has := func(c pdfsig.Code) bool { return slices.Contains(s.Codes, string(c)) }
	switch {
	case has(pdfsig.ChangedAfter):
		out.Covers = "Berkas diubah sesudahnya"
	case has(pdfsig.BadRange), has(pdfsig.DigestDiffers), has(pdfsig.BrokenCMS), has(pdfsig.BadSignature):
		out.Covers = "Tidak menjamin isi berkas"
	case s.Whole:
		out.Covers = "Seluruh berkas; tidak ada yang ditambahkan sesudahnya"
	case has(pdfsig.NotInForm), has(pdfsig.Unsupported), has(pdfsig.Encrypted), has(pdfsig.BrokenFile): // nobody could see what followed
	default:
		out.Covers = "Sesudahnya hanya ada tanda tangan berikutnya"
	}
	for _, c := range s.Codes {
		if w := signatureWords[pdfsig.Code(c)]; w != "" {
			out.Notes = append(out.Notes, w)
		}
	}
	return out
}

// signatureWords say why a signature is judged so.
var signatureWords = map[pdfsig.Code]string{
	pdfsig.ChangedAfter:   "Ada isi yang diubah atau ditambahkan setelah ditandatangani.",
	pdfsig.BadRange:       "Tanda tangan tidak mencakup isi berkas sebagaimana mestinya: kemungkinan pemalsuan.",
	pdfsig.DigestDiffers:  "Isi berkas berbeda dari yang ditandatangani.",
	pdfsig.BadSignature:   "Tanda tangan tidak cocok dengan sertifikatnya.",
	pdfsig.BrokenCMS:      "Tanda tangan rusak.",
	pdfsig.Weak:           "Algoritmanya sudah lemah.",
	pdfsig.NoRoot:         "Penerbit sertifikatnya tidak ada dalam daftar akar yang dipasang operator.",
	pdfsig.WrongUse:       "Sertifikatnya bukan untuk menandatangani dokumen.",
	pdfsig.OutOfValidity:  "Sertifikatnya tidak berlaku pada waktu itu.",
	pdfsig.ExpiredNoStamp: "Sertifikatnya sudah kedaluwarsa, dan tidak ada stempel waktu yang dipercaya.",
	pdfsig.Revoked:        "Sertifikatnya sudah dicabut pada waktu itu.",
	pdfsig.NoRevocation:   "Berkas tidak memuat data pencabutan; belum diperiksa apakah sertifikatnya dicabut.",
	pdfsig.NoTimestamp:    "Tanpa stempel waktu; dinilai pada waktu surat dibaca.",
	pdfsig.BadTimestamp:   "Stempel waktunya tidak sah.",
	pdfsig.StampUntrusted: "Penyedia stempel waktunya tidak dikenal.",
	pdfsig.Unsupported:    "Formatnya belum didukung; periksa dengan cara lain.",
	pdfsig.NotInForm:      "Tidak terpasang pada dokumen sebagaimana mestinya.",
	pdfsig.BrokenFile:     "Susunan berkasnya rusak.",
	pdfsig.Encrypted:      "Berkas terenkripsi; tidak semuanya dapat diperiksa.",
}
