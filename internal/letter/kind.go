package letter

import (
	"fmt"
	"strings"
)

// verdict is a kind with its reasons.
type verdict struct {
	kind    Kind
	reasons []string
}

func (v *verdict) because(format string, args ...any) verdict {
	v.reasons = append(v.reasons, fmt.Sprintf(format, args...))
	return *v
}

func (v *verdict) is(kind Kind, format string, args ...any) verdict {
	v.kind = kind
	return v.because(format, args...)
}

// judge tells the kind of one document from its subject, its text and its boxes. The order of safety: a reset wrongly opened is worse
// than unclear, and a reset left in the inbox is worse than unclear.
func judge(c *content, subject string, subjectCounts bool) verdict {
	where := partName(c.sheet.part)
	subj := &signals{services: map[term]string{}}
	if subjectCounts && subject != "" {
		subj = signalsOf([]line{{text: subject}}, true)
	}
	lines := c.sheet.lines
	if subj.secret && !asksFirst(subject) {
		subj.onlyMentions()
		lines = c.withoutSubject()
	}
	body := signalsOf(lines, false)
	var v verdict
	v.note(where, subject, subj, body)
	if form, ok := readBoxes(c.sheet); ok {
		return judgeForm(v, form, subj, where)
	}
	if strike, ok := strikeOut(c.sheet); ok {
		return v.is(Unclear, "formulir meminta pencoretan (%s); coretan tidak dapat dibaca dari teks", strike)
	}
	identity := len(c.applicants) > 0
	resets := len(subj.resets) + len(body.resets)
	services := merged(subj.services, body.services)
	aside := Other // a letter that only speaks of resets; a human looks at one that names people
	if identity {
		aside = Unclear
	}
	switch {
	case subj.event != "" && (len(subj.resets) == 0 || subj.event != "kegiatan"):
		if identity && (len(body.resets) > 0 && (body.forgot || body.direct) || body.lost && body.naked != "") {
			return v.is(Unclear, "perihalnya %q, tetapi isinya juga meminta reset", subj.event)
		}
		return v.is(Other, "perihalnya %q: hanya menyebut, tidak meminta reset", subj.event)
	case !identity && !subj.pleads && !body.pleads && lure.MatchString(plain(c.sheet.lines)):
		return v.is(Other, "iklan atau pancingan: menawarkan sesuatu kepada pembaca, tidak meminta apa pun")
	case resets > 0 && c.circular():
		return v.is(aside, "surat ditujukan kepada banyak kantor: memberi petunjuk, bukan meminta reset")
	case resets > 0 && (drillSubject.MatchString(subject) || drill.MatchString(c.sheet.text())):
		return v.is(Unclear, "surat menyebut dirinya latihan, contoh atau arsip")
	case resets > 0 && (subj.cancel != "" || body.cancel != ""):
		return v.is(Unclear, "ada kata pembatalan (%q)", subj.cancel+body.cancel)
	case onlyRevocation(subj, body):
		return v.is(OtherCertificateService, "meminta %s; lupa passphrase hanya disebut sebagai keadaan", serviceList(services))
	case resets > 0 && len(services) > 0:
		return v.is(Unclear, "surat campuran: selain reset juga meminta %s", serviceList(services))
	case resets > 0 && (subj.account != "" || body.account != ""):
		return v.is(Unclear, "selain passphrase TTE juga meminta reset lain (%s)", subj.account+body.account)
	case len(subj.resets) == 0 && body.event != "" && !body.forgot && resets > 0 && !(body.direct && identity):
		return v.is(aside, "surat bersifat kegiatan atau edaran (%q)", body.event)
	case len(subj.resets) == 0 && subj.howTo != "" && !body.forgot && !identity,
		resets > 0 && body.howTo != "" && len(subj.resets) == 0 && !identity && !body.forgot && isQuestion(c.sheet):
		return v.is(Other, "bertanya atau menjelaskan cara, bukan meminta reset")
	case resets > 0 && (subj.status != "" && !(body.direct && identity) || body.status != "" && !body.direct && !identity):
		return v.is(Unclear, "menanyakan permohonan terdahulu (%q); permohonan baru tidak jelas diminta", subj.status+body.status)
	case resets > 0:
		return judgeReset(v, c, subj, body)
	}
	return judgeWithoutReset(v, c, subj, body, services)
}

// judgeReset goes on where a reset of a passphrase, and nothing beside it, is asked for in the subject or in the text.
func judgeReset(v verdict, c *content, subj, body *signals) verdict {
	switch {
	case len(subj.resets) > 0 && len(body.resets) == 0 && len(c.applicants) == 0 && len(body.mentions)+len(body.passing) > 0:
		return v.is(Unclear, "hanya perihalnya yang meminta reset; isinya sekadar menyebut")
	case len(subj.resets) > 0 && len(body.resets) == 0 && body.elsewhere:
		return v.is(Unclear, "perihalnya reset, tetapi isinya meminta hal lain tentang reset")
	case len(subj.resets) > 0 && len(body.resets) == 0 && len(body.weak) > 0 && body.asked:
		return v.is(Unclear, "perihalnya reset, tetapi isinya menyebut %s", serviceList(body.weak))
	case body.choice+subj.choice != "":
		return v.is(Unclear, "surat membiarkan pilihan (%q)", subj.choice+body.choice)
	case !subj.named && !body.named && subj.naked+body.naked == "" && len(subj.resets) == 0 && body.other != "":
		return v.is(Unclear, "lupa disebut sebagai alasan; yang diminta %q", body.other)
	case c.template():
		return v.is(Unclear, "formulir belum diisi")
	}
	v.kind = ResetRequest
	return v
}

// onlyRevocation: the subject asks to revoke, and nobody speaks of a reset: an old passphrase that is forgotten with it matters no more.
func onlyRevocation(subj, body *signals) bool {
	others := len(body.services)
	if body.services[termRevoke] != "" {
		others--
	}
	return subj.services[termRevoke] != "" && others == 0 && len(subj.resets) == 0 && !body.direct && body.naked == ""
}

// judgeWithoutReset goes on where no reset of a passphrase is asked for outright.
func judgeWithoutReset(v verdict, c *content, subj, body *signals, services map[term]string) verdict {
	bare := subj.bare + body.bare
	event := subj.event
	if event == "" {
		event = body.event
	}
	mentions := len(subj.mentions) + len(body.mentions)
	switch {
	case len(services) > 0 && (body.forgot || bare != "" && event == ""):
		return v.is(Unclear, "meminta %s, tetapi juga menyebut lupa atau reset", serviceList(services))
	case len(services) > 0 && event == "" && combined(c.sheet) == "":
		return v.is(OtherCertificateService, "meminta %s sertifikat elektronik", serviceList(services))
	case event == "" && combined(c.sheet) != "":
		return v.is(Unclear, "formulir gabungan yang pilihannya tidak terbaca (%q)", combined(c.sheet))
	case event != "":
		return v.is(Other, "surat bersifat kegiatan, laporan atau edaran (%q)", event)
	case len(body.weak) > 0 && (body.asked || subj.asked) && mentions == 0 && bare == "" && combined(c.sheet) == "":
		return v.is(OtherCertificateService, "menyebut %s sertifikat elektronik dalam sebuah permohonan", serviceList(body.weak))
	case subj.change != "" || body.change != "":
		return v.is(Other, "mengubah passphrase yang masih diketahui dilakukan sendiri oleh pemilik (%q)", subj.change+body.change)
	case len(body.denied) > 0 && mentions == 0 && bare == "":
		return v.is(Other, "lupa atau reset disebut dengan ingkar (%q)", body.denied[0])
	case bare != "":
		return v.is(Unclear, "menyebut %q tanpa menyebut passphrase", bare)
	case mentions > 0 && (subj.howTo != "" || body.howTo != "") && len(c.applicants) == 0 && !body.forgot:
		return v.is(Other, "bertanya atau menjelaskan cara, bukan meminta reset")
	case mentions > 0:
		return v.is(Unclear, "reset disebut tetapi tidak jelas diminta")
	case subj.account != "" || body.account != "":
		return v.is(Other, "reset untuk akun lain, bukan passphrase TTE (%q)", subj.account+body.account)
	case (subj.secret || body.secret) && body.trouble != "" && (body.asked || subj.asked):
		return v.is(Unclear, "kendala pada passphrase (%q): mungkin perlu reset", body.trouble)
	case (subj.secret || body.secret) && len(c.applicants) > 0 && c.applicants[0].values[fieldNIP] != "":
		return v.is(Unclear, "menyebut passphrase seseorang dengan kata yang tidak dikenal")
	}
	if naked := subj.naked + body.naked; naked != "" && (body.asked || subj.asked) && (len(c.applicants) > 0 || letters(c.sheet.text()) < 200) {
		return v.is(Unclear, "meminta %q tanpa menyebut apa yang direset", naked)
	}
	v.kind = Other
	return v
}

// judgeForm decides a combined form by its ticks.
func judgeForm(v verdict, f form, subj *signals, where string) verdict {
	switch {
	case len(f.ticked) == 0:
		return v.is(Unclear, "formulir gabungan tanpa pilihan yang ditandai (%s)", where)
	case f.resetTicked && f.otherTicked:
		return v.is(Unclear, "formulir gabungan dengan lebih dari satu pilihan: %s", strings.Join(f.ticked, ", "))
	case f.resetTicked && len(subj.services) > 0 && len(subj.resets) == 0 && !f.subjectLists(subj):
		return v.is(Unclear, "pilihan Reset ditandai, tetapi perihalnya %s", serviceList(subj.services))
	case f.resetTicked:
		return v.is(ResetRequest, "pilihan %q ditandai pada formulir", f.ticked[0])
	case len(subj.resets) > 0:
		return v.is(Unclear, "perihalnya reset, tetapi pilihan yang ditandai %q", f.ticked[0])
	}
	return v.is(OtherCertificateService, "pilihan yang ditandai pada formulir: %s", strings.Join(f.ticked, ", "))
}

func (v *verdict) note(where, subject string, subj, body *signals) {
	if len(subj.resets) > 0 {
		v.because("perihal %q meminta reset", subject)
	}
	for _, r := range first(body.resets, 3) {
		v.because("%s: ditemukan %q", where, r)
	}
	for _, r := range first(body.mentions, 2) {
		v.because("%s: hanya disebut %q", where, r)
	}
}

func first(list []string, n int) []string { return list[:min(len(list), n)] }

func partName(part string) string {
	switch {
	case part == "mail":
		return "isi surel"
	case strings.HasPrefix(part, "mail"):
		return "surel yang diteruskan"
	case part == "srikandi":
		return "metadata Srikandi"
	}
	return fmt.Sprintf("lampiran %q", part)
}

func merged(a, b map[term]string) map[term]string {
	out := map[term]string{}
	for k, v := range b {
		out[k] = v
	}
	for k, v := range a {
		out[k] = v
	}
	return out
}

func serviceList(s map[term]string) string {
	var out []string
	for _, t := range []term{termIssue, termRenew, termRevoke, termChangeData} {
		if s[t] != "" {
			out = append(out, serviceNames[t])
		}
	}
	return strings.Join(out, ", ")
}

func isQuestion(s *sheet) bool {
	for _, l := range s.lines {
		if strings.Contains(l.text, "?") {
			return true
		}
	}
	return false
}

// lure is how those write who want something of the reader.
var lure = compile(`(?i)\b(diskon|garansi|promo|harga spesial)\b|\bklik\b.{0,40}\b(tautan|link|tombol|di sini|disini)\b`)

// A letter that says of itself that it asks for nothing: in its subject, in its text.
var (
	drillSubject = compile(`(?i)\b(simulasi|uji\s?coba|gladi)\b|^\s*(contoh|latihan)\s*([:–-]|surat|permohonan)|\((latihan|contoh|arsip)\)|[-–]\s*(latihan|arsip)\s*$`)
	drill        = compile(`(?i)\b(hanya|sekadar|sekedar|dalam rangka|untuk)\s+(keperluan\s+)?(simulasi|uji\s?coba|latihan|gladi)\b|bukan\s+(surat|permohonan)\s+(yang\s+)?(sebenarnya|sesungguhnya)|\buntuk\s+arsip\s+(saudara|bapak|ibu)\b`)
)

// template: a form that nobody has filled in.
func (c *content) template() bool {
	return len(c.applicants) == 0 && c.blanks >= 2
}

// circular: the letter goes to many offices at once, and tells them what to do.
func (c *content) circular() bool { return manyOffices.MatchString(plain(c.sheet.lines)) }

var manyOffices = compile(`(?i)\byth\b[.:]?\s*(saudara\s+|sdr\.?\s+|bapak/ibu\s+)?(\d[.)]\s*)?(para|seluruh|semua|masing-masing)\b|\byth\b[.:]?\s*(saudara\s+|sdr\.?\s+|bapak/ibu\s+)?kepala\s+(perangkat\s+daerah|opd|skpd)\b|\bse-?\s?(kabupaten|kota|provinsi)\s+\pL`)
