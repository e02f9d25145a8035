package bsre

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"regexp"
	"strings"
)

// Code is the state of a user or of a certificate at BSrE (contracts/bsre.md, section 1).
type Code string

// The codes that BSrE documents. Everything else is Unknown, which is never treated as Issue.
const (
	Issue                  Code = "ISSUE"
	Expired                Code = "EXPIRED"
	Renew                  Code = "RENEW"
	WaitingForVerification Code = "WAITING_FOR_VERIFICATION"
	New                    Code = "NEW"
	NoCertificate          Code = "NO_CERTIFICATE"
	NotRegistered          Code = "NOT_REGISTERED"
	Suspend                Code = "SUSPEND"
	Revoke                 Code = "REVOKE"
	Unknown                Code = "UNKNOWN"
)

// Codes lists every known code.
var Codes = []Code{Issue, Expired, Renew, WaitingForVerification, New, NoCertificate, NotRegistered, Suspend, Revoke}

var separators = regexp.MustCompile(`[\s\-_]+`)

// ReadCode reads a status word in any case, with blanks or hyphens for underscores.
func ReadCode(word string) Code {
	word = strings.ToUpper(separators.ReplaceAllString(strings.TrimSpace(word), "_"))
	for _, c := range Codes {
		if string(c) == word {
			return c
		}
	}
	return Unknown
}

// Status is what the gateway says about a user.
type Status struct {
	Code    Code
	Raw     string // the word or number that decided, as written; empty when there was none
	Message string // the gateway's words, fit to be shown
}

// Resettable reports whether a reset of the passphrase is sensible: only with an active certificate.
func (s Status) Resettable() bool { return s.Code == Issue }

// LogValue leaves the gateway's words out.
func (s Status) LogValue() slog.Value { return slog.StringValue(string(s.Code)) }

func (s Status) String() string { return string(s.Code) }

// Advice says what to do about a status, to the verifier and to the applicant, in Indonesian; with the letter that the applicant's
// office has to bring instead, where one is needed.
func Advice(c Code) (forVerifier, forApplicant string) {
	a, ok := advice[c]
	if !ok {
		a = advice[Unknown]
	}
	return a[0], a[1]
}

var advice = map[Code][2]string{
	Issue: {
		"Sertifikat aktif. Reset passphrase dapat diajukan.",
		"Sertifikat elektronik Bapak/Ibu aktif, sehingga passphrase dapat direset.",
	},
	Expired: {
		"Masa berlaku sertifikat telah habis. Reset tidak berguna; mintakan penerbitan sertifikat baru dengan surat permohonan penerbitan sertifikat elektronik.",
		"Masa berlaku sertifikat elektronik Bapak/Ibu telah habis, sehingga passphrase tidak dapat direset. Mohon kantor Bapak/Ibu mengirim Surat Permohonan Penerbitan Sertifikat Elektronik yang ditandatangani kepala perangkat daerah.",
	},
	Renew: {
		"Pembaruan sertifikat sedang berjalan. Tunggu sampai statusnya ISSUE, lalu periksa kembali; reset belum dapat diajukan.",
		"Pembaruan sertifikat elektronik Bapak/Ibu sedang berjalan di BSrE. Tidak perlu surat baru: mohon selesaikan pembaruan lewat e-mail dari BSrE, atau tunggu kabar dari kami.",
	},
	WaitingForVerification: {
		"Data pemohon masih menunggu verifikasi. Selesaikan verifikasinya di AMS; reset belum dapat diajukan.",
		"Data Bapak/Ibu masih menunggu verifikasi. Tidak perlu surat baru: kami akan memberi kabar setelah verifikasi selesai.",
	},
	New: {
		"Sertifikat sudah terbit tetapi belum diaktifkan. Yang diperlukan aktivasi, bukan reset; kirim ulang tautan aktivasi dari AMS bila perlu.",
		"Sertifikat elektronik Bapak/Ibu belum diaktifkan. Mohon buka e-mail aktivasi dari BSrE di alamat e-mail dinas dan buat passphrase di sana; tidak perlu surat baru. Bila e-mail itu tidak ada, hubungi kami.",
	},
	NoCertificate: {
		"Pemohon terdaftar tetapi belum memiliki sertifikat. Mintakan penerbitan dengan surat permohonan penerbitan sertifikat elektronik.",
		"Bapak/Ibu sudah terdaftar di BSrE tetapi belum memiliki sertifikat elektronik. Mohon kantor Bapak/Ibu mengirim Surat Permohonan Penerbitan Sertifikat Elektronik yang ditandatangani kepala perangkat daerah.",
	},
	NotRegistered: {
		"Pemohon tidak terdaftar di BSrE. Periksa dahulu NIK dan e-mail dinas dalam surat; bila benar, mintakan pendaftaran dengan surat permohonan pendaftaran sertifikat elektronik.",
		"Data Bapak/Ibu tidak terdaftar di BSrE. Mohon kantor Bapak/Ibu memeriksa NIK dan alamat e-mail dinas dalam surat; bila memang belum terdaftar, mohon kirim Surat Permohonan Pendaftaran Sertifikat Elektronik yang ditandatangani kepala perangkat daerah.",
	},
	Suspend: {
		"Sertifikat ditangguhkan. Tangani secara manual: cari sebab penangguhan di AMS dan hubungi BSrE. Jangan ajukan reset.",
		"Sertifikat elektronik Bapak/Ibu sedang ditangguhkan, sehingga passphrase tidak dapat direset. Tim kami akan menanyakan sebabnya ke BSrE dan menghubungi Bapak/Ibu; mohon siapkan Surat Permohonan Pengaktifan Kembali Sertifikat Elektronik bila kami minta.",
	},
	Revoke: {
		"Sertifikat telah dicabut. Reset tidak mungkin; mintakan penerbitan sertifikat baru dengan surat permohonan penerbitan, dan periksa alasan pencabutan.",
		"Sertifikat elektronik Bapak/Ibu telah dicabut, sehingga passphrase tidak dapat direset. Mohon kantor Bapak/Ibu mengirim Surat Permohonan Penerbitan Sertifikat Elektronik yang ditandatangani kepala perangkat daerah, dengan alasan pencabutan.",
	},
	Unknown: {
		"Status sertifikat tidak dapat dipastikan. Periksa langsung di AMS; jangan ajukan reset sebelum statusnya terbukti ISSUE.",
		"Status sertifikat elektronik Bapak/Ibu belum dapat kami pastikan. Tim kami akan memeriksanya dan memberi kabar; Bapak/Ibu belum perlu melakukan apa pun.",
	},
}

// readStatus reads an answer of either version. The error is nil when the gateway said something about the user, even something
// unknown; Code is Unknown with every error.
//
// ISSUE is taken from a 2xx JSON object alone, without any word against it: a second status that differs, an error, success false.
func readStatus(c call, a answer, hide ...string) (Status, error) {
	if a.status == 401 || a.status == 403 {
		return Status{Code: Unknown}, fmt.Errorf("%s: %w", c.doing, ErrCredentials)
	}
	ok2xx := a.status >= 200 && a.status < 300
	o, isObject := object(a.body)
	if !isObject {
		return readStatusText(c, a, hide...)
	}
	r := gather(o, 0)
	s := Status{Code: Unknown, Message: a.words(r.spoken, hide...)}
	s.Raw = a.clean(firstOf(r.word, r.number), hide...)
	registered := r.number == "1111"
	switch {
	case notRegistered(r.number) || notRegistered(trailingCode(s.Message)):
		s.Code = NotRegistered
	case a.status >= 500:
		return s, c.unreadable(a)
	case !ok2xx || r.against:
	case r.number != "" && r.number != "200" && !registered: // a word beside an error's code
	case len(r.codes) == 1 && !r.odd:
		s.Code = r.codes[0]
	case len(r.codes) == 0 && registered && !negated.MatchString(r.word+" "+s.Message):
		s.Code = Issue
	}
	if s.Code == Unknown && s.Raw == "" && s.Message == "" {
		return s, c.unreadable(a)
	}
	return s, nil
}

// readStatusText reads plain text and HTML. Of these only "not registered" is believed.
func readStatusText(c call, a answer, hide ...string) (Status, error) {
	words := a.clean(strings.Trim(string(a.body), `"`), hide...)
	if code := trailingCode(words); notRegistered(code) {
		return Status{Code: NotRegistered, Raw: code, Message: words}, nil
	}
	if a.status >= 500 || words == "" || words == "null" || strings.ContainsAny(string(a.body), "<{[") {
		return Status{Code: Unknown}, c.unreadable(a)
	}
	return Status{Code: Unknown, Message: words}, nil
}

// reading is what an answer's levels say together.
type reading struct {
	codes   []Code // distinct known codes
	word    string // the innermost status word, as written
	odd     bool   // a word that is neither a code nor an envelope's "success"
	number  string // status_code
	against bool   // an error, success false, several users
	spoken  map[string]json.RawMessage
}

func (r reading) says(c Code) bool {
	for _, have := range r.codes {
		if have == c {
			return true
		}
	}
	return false
}

func gather(o map[string]json.RawMessage, depth int) reading {
	r := reading{spoken: o, number: textOf(member(o, "status_code"))}
	r.addWord(textOf(member(o, "status")))
	if e := textOf(member(o, "error")); e != "" && e != "false" || isObjectOrList(member(o, "error")) {
		r.against = true
	}
	if strings.EqualFold(textOf(member(o, "success")), "false") {
		r.against = true
	}
	if depth >= 3 {
		return r
	}
	for _, key := range []string{"data", "result", "user"} {
		inner, ok := only(member(o, key))
		if ok {
			r.join(gather(inner, depth+1))
		} else if isObjectOrList(member(o, key)) && string(member(o, key)) != "[]" {
			r.against = true // several users: which of them?
		}
	}
	return r
}

func (r *reading) addWord(word string) {
	switch strings.ToUpper(word) {
	case "", "OK", "SUCCESS", "SUKSES", "BERHASIL", "TRUE", "200": // an envelope's own status
		return
	}
	r.word = word
	c := ReadCode(word)
	if c == Unknown {
		r.odd = true
	} else if !r.says(c) {
		r.codes = append(r.codes, c)
	}
}

func (r *reading) join(in reading) {
	r.against, r.odd = r.against || in.against, r.odd || in.odd
	for _, c := range in.codes {
		if !r.says(c) {
			r.codes = append(r.codes, c)
		}
	}
	r.word = firstOf(in.word, r.word)
	if r.number == "" || r.number == "200" {
		r.number = firstOf(in.number, r.number)
	} else if in.number != "" && in.number != "200" && in.number != r.number {
		r.against = true
	}
	if wordsOf(r.spoken) == "" {
		r.spoken = in.spoken
	}
}

// only returns the object, or the one object of a list.
func only(raw json.RawMessage) (map[string]json.RawMessage, bool) {
	if o, ok := object(raw); ok {
		return o, true
	}
	var list []json.RawMessage
	if json.Unmarshal(raw, &list) == nil && len(list) == 1 {
		return object(list[0])
	}
	return nil, false
}

func isObjectOrList(raw json.RawMessage) bool {
	return len(raw) > 0 && (raw[0] == '{' || raw[0] == '[')
}

var codeAtEnd = regexp.MustCompile(`(?:^|[^\d])(\d{4})[\s.)\]]*$`)

// trailingCode is the error code at the end of a text: "Proses signing gagal : User tidak terdaftar 2011".
func trailingCode(words string) string {
	if m := codeAtEnd.FindStringSubmatch(words); m != nil {
		return m[1]
	}
	return ""
}

func notRegistered(number string) bool { return number == "2011" || number == "1110" }

// negated finds words that contradict "1111, registered and active".
var negated = regexp.MustCompile(`(?i)tidak|belum|bukan|nonaktif|non-aktif|inactive|\bnot\b|habis|cabut|tangguh|kedaluwarsa|kadaluarsa|expired|revoke|suspend`)

func firstOf(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}
