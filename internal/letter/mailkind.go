package letter

import (
	"strings"
)

var (
	caseNumber      = compile(`\b[A-Z]{2,6}-20\d{2}-\d{4,8}\b`)
	replyPrefix     = compile(`(?i)^\s*(\[[^\]]*\]\s*)?(re|bls|balas|balasan|sv|aw|antw|tanggapan)\s*(\[\d+\])?\s*:`)
	bounceFrom      = compile(`(?i)^(mailer-daemon|postmaster|mail-daemon|mailerdaemon|bounce[s+-].*|bounces?)@|^mailer-daemon$`)
	bounceTitle     = compile(`(?i)undeliver|undelivered|delivery (status|failure|failed|has failed|incomplete)|returned mail|mail delivery (failed|system|subsystem)|failure notice|delayed mail|message not delivered|non remis|tidak (dapat|terkirim|bisa) (terkirim|dikirim)|gagal (terkirim|dikirim)|pengiriman gagal|delivery delayed|warning: could not send`)
	autoTitle       = compile(`(?i)^\s*((automatic|auto)[- ]?(reply|response)|out of (the )?office|autoreply|balasan otomatis|jawaban otomatis|respon otomatis|pesan otomatis|auto:|sedang cuti|vacation|pemberitahuan cuti)`)
	autoText        = compile(`(?i)(ini adalah (balasan|pesan|jawaban|surel|email) otomatis|(balasan|pesan) (ini )?(dikirim|dibuat) (secara )?otomatis|this is an automat(ic|ed) (reply|response|message)|saya sedang (cuti|dinas luar|tidak (berada )?di kantor)|out of (the )?office|terima kasih,? surel anda telah kami terima dan akan)`)
	instruction     = compile(`(?i)\b(tindak\s?lanjuti|ditindak\s?lanjuti|untuk ditindaklanjuti|proses (lebih lanjut|sesuai ketentuan|segera)|diproses|selesaikan|diselesaikan|koordinasikan|teruskan|diteruskan|untuk diketahui|arsip(kan)?|seperlunya|teliti|pelajari|telaah|untuk dijawab|siapkan bahan|wakili|disposisi|segera diproses|di\s?proses|tl\b|monggo|mohon dibantu proses|cek dan proses|lanjutkan)\b`)
	subordinate     = compile(`(?i)\b(kabid|kasi|kepala (bidang|seksi)|verifikator|sandiman|pranata komputer)\b`)
	colleague       = compile(`(?i)\b(sdr\.?i?|mas|mbak|kpd\.?|tolong|monggo|mbak)\b`)
	superior        = compile(`(?i)\b(kadin|kadis|sekdin|kepala dinas|kepala bidang|kepala seksi|sekretaris)\b`)
	chainLocal      = compile(`(?i)\b(kadin|kadis|kabid|kasi|sekdin|kepala|sekretaris)[\w.-]*@`)
	chainUnit       = compile(`(?i)(kominfo|komunikasi dan informatika|persandian|statistik)`)
	petition        = compile(`(?i)\b(kami (mohon|mengajukan|sampaikan|kirimkan|lampirkan|teruskan)|bersama ini (kami|saya)|saya (mohon|mengajukan|sampaikan)|terlampir (kami|surat permohonan)|dengan hormat,? (kami|bersama)|dari opd kami|kami dari)\b`)
	complaintBig    = compile(`(?i)\b(pengaduan|mengadukan|mengadu|aduan|komplain|complain|complaint|kecewa|sangat tidak puas|protes|keluhan (atas|terhadap|tentang|mengenai|pelayanan|layanan|terkait)|mengeluhkan|keberatan atas|(menyampaikan|mengajukan|ada|punya) keluhan|mengecewakan|pungli|pungutan liar|tidak ramah|arogan|(meminta|minta|memungut) (uang|biaya|imbalan|bayaran))\b`)
	complaintLow    = compile(`(?i)\b(belum (juga )?(ada|mendapat(kan)?|di\s?(proses|tanggapi|respon|balas|tindak\s?lanjuti|kerjakan)|selesai|menerima|memperoleh)|tidak (ada|mendapat|pernah ada) (tanggapan|respon|balasan|jawaban|tindak lanjut)|tidak (di)?(respon|tanggapi|dilayani)|lambat|lamban|berlarut)\b`)
	dispositionWord = compile(`(?i)\bdisposisi\b|\bdisp(os)?\.\s+surat\b`)
	grievance       = compile(`(?i)\bkeluhan\b`)
	serviceTopic    = compile(`(?i)(\btte\b|pass?\s?-?phrase|sertifikat elektronik|tanda tangan elektronik|\breset\b|bsre|verifikator|dinkominfo|diskominfo|kominfo|pelayanan|layanan)`)
	continuation    = compile(`(?i)(pass?\s?-?phrase|permohonan|berkas|dokumen|kelengkapan|lampir|terima kasih|konfirmasi|kekurangan|tautan|link|reset|surat|tte|sertifikat|perbaikan|revisi|sudah (kami|saya)|telah (kami|saya)|baik|siap|diproses)`)
)

// judgeMail tells the kinds that a mail's envelope decides: bounce, auto-reply, provider's notice. ok is false for an ordinary mail.
func judgeMail(m *Mail) (verdict, bool) {
	var v verdict
	from := ""
	if len(m.From) > 0 {
		from = strings.ToLower(m.From[0].Address)
	}
	kind, params := contentType(m.header)
	subject := strings.ToLower(m.Subject)
	switch {
	case kind == "multipart/report" && strings.EqualFold(params["report-type"], "delivery-status") || hasPart(m, "message/delivery-status"):
		v.kind = Bounce
		return v.because("laporan pengiriman (multipart/report, RFC 3464)"), true
	case m.Get("X-Failed-Recipients") != "":
		v.kind = Bounce
		return v.because("kepala surel X-Failed-Recipients"), true
	case (bounceFrom.MatchString(from) || strings.TrimSpace(m.Get("Return-Path")) == "<>" && !autoMark(m)) && bounceTitle.MatchString(subject):
		v.kind = Bounce
		return v.because("dikirim oleh sistem surel (%s) dengan perihal kegagalan pengiriman", localPart(from)), true
	case bounceFrom.MatchString(from) && from != "" && strings.HasPrefix(from, "mailer-daemon"):
		v.kind = Bounce
		return v.because("dikirim oleh sistem surel"), true
	}
	if domain := domainOf(from); domain == "bssn.go.id" || strings.HasSuffix(domain, ".bssn.go.id") {
		v.kind = ProviderNotice
		return v.because("pengirim berada di domain BSSN (%s)", domain), true
	}
	if domain := domainOf(from); (domain == "lapor.go.id" || strings.HasSuffix(domain, ".lapor.go.id")) && serviceTopic.MatchString(m.Subject+" "+m.Text) {
		v.kind = Complaint
		return v.because("laporan melalui SP4N-LAPOR (%s)", domain), true
	}
	if autoMark(m) {
		v.kind = AutoReply
		return v.because("tanda balasan otomatis pada kepala surel (RFC 3834)"), true
	}
	if strings.HasPrefix(strings.ToLower(strings.TrimSpace(m.Get("Auto-Submitted"))), "auto-generated") && receipt.MatchString(m.Subject+"\n"+m.Text) {
		v.kind = AutoReply
		return v.because("tanda terima otomatis (RFC 3834)"), true
	}
	if autoTitle.MatchString(m.Subject) {
		v.kind = AutoReply
		return v.because("perihal balasan otomatis"), true
	}
	if (m.Get("Auto-Submitted") != "" || replyPrefix.MatchString(m.Subject) || len(m.InReplyTo) > 0) && autoText.MatchString(m.Text) && len(m.Text) < 2500 {
		v.kind = AutoReply
		return v.because("isi surel menyatakan balasan otomatis"), true
	}
	return v, false
}

// autoMark reads RFC 3834's field and those that systems used before it. auto-generated alone is no mark: scanners send letters so.
func autoMark(m *Mail) bool {
	if a := strings.ToLower(strings.TrimSpace(m.Get("Auto-Submitted"))); strings.HasPrefix(a, "auto-replied") || strings.HasPrefix(a, "auto-notified") {
		return true
	}
	for _, k := range []string{"X-Autoreply", "X-Autorespond", "X-Autoresponse", "X-Auto-Reply", "X-Mail-Autoreply", "X-Vacation", "X-Autoresponder", "X-AutoReply-From"} {
		if v := strings.ToLower(m.Get(k)); v != "" && v != "no" && v != "false" {
			return true
		}
	}
	p := strings.ToLower(m.Get("Precedence"))
	return strings.Contains(p, "auto_reply") || strings.Contains(p, "auto-reply") || strings.EqualFold(m.Get("X-Precedence"), "auto_reply") ||
		strings.Contains(strings.ToLower(m.Get("X-Auto-Response-Suppress")), "oof") && autoTitle.MatchString(m.Subject)
}

// receipt is what a ticket system answers by itself.
var receipt = compile(`(?i)\b(tiket|ticket|no-?reply|do not reply|jangan (membalas|balas)|balasan otomatis|dijawab otomatis|dibuat (secara )?otomatis|telah kami terima|has been received)\b`)

// bulk: a newsletter, sent to many (RFC 2369, RFC 2919).
func bulk(m *Mail) bool {
	return m.Get("List-Unsubscribe") != "" || m.Get("List-Id") != "" || strings.EqualFold(strings.TrimSpace(m.Get("Precedence")), "bulk")
}

func hasPart(m *Mail, mime string) bool {
	for _, p := range m.Parts {
		if p.MIME == mime {
			return true
		}
	}
	return false
}

func localPart(address string) string {
	l, _, _ := strings.Cut(address, "@")
	return l
}

func domainOf(address string) string {
	if i := strings.LastIndexByte(address, '@'); i >= 0 {
		return strings.TrimSuffix(strings.ToLower(address[i+1:]), ".")
	}
	return ""
}

// Complains reports whether a mail complains about this service in its own words, whatever else it is: a reply may do so too.
func Complains(m *Mail) bool {
	_, ok := judgeComplaint(m.Subject, m.Text)
	return ok
}

// judgeComplaint looks for a complaint about this service in a subject and a text.
func judgeComplaint(subject, text string) (verdict, bool) {
	var v verdict
	plainSubject := replyPrefix.ReplaceAllString(subject, "")
	topic := serviceTopic.MatchString(subject + " " + text)
	if w := lapor.FindString(subject + " " + text); w != "" && topic {
		v.kind = Complaint
		return v.because("laporan melalui %s", w), true
	}
	if !topic {
		return v, false
	}
	if sig := signalsOf([]line{{text: plainSubject}}, true); sig.event != "" {
		w := accusation.FindString(plainSubject + "\n" + text)
		if sig.event != "laporan" || w == "" || periodic.MatchString(plainSubject) {
			return v, false
		}
		v.kind = Complaint
		return v.because("laporan menyebut %q", strings.ToLower(w)), true
	}
	v.kind = Complaint
	if w := complaintBig.FindString(plainSubject); w != "" {
		return v.because("perihal menyebut %q", strings.ToLower(w)), true
	}
	if grievance.MatchString(plainSubject) {
		return v.because("perihal menyebut %q", "keluhan"), true
	}
	if w := complaintBig.FindString(text); w != "" {
		return v.because("isi menyebut %q", strings.ToLower(w)), true
	}
	if w := complaintLow.FindString(text); w != "" && waited.MatchString(text) {
		return v.because("isi menyebut %q atas permohonan terdahulu", strings.ToLower(w)), true
	}
	return v, false
}

// A report of what somebody did is a complaint; one of a month's work isn't.
var (
	accusation = compile(`(?i)\b(oknum|pungli|pungutan( liar)?|(meminta|minta|memungut|dimintai) (uang|biaya|imbalan|bayaran)|tidak (pernah )?(dilayani|ditanggapi|ditindaklanjuti)|tidak ramah|arogan)\b`)
	periodic   = compile(`(?i)\blaporan\s+(pelaksanaan|kegiatan|bulan(an)?|triwulan|semester|tahun(an)?|mingguan|harian|kinerja|hasil|capaian|evaluasi|monitoring|survei|akhir|penyelenggaraan|pertanggungjawaban|rekapitulasi|statistik|data)\b`)
)

// lapor is the national complaint site (service.md, "Complaints").
var lapor = compile(`(?i)SP4N(-| )?LAPOR|\bLAPOR!|lapor\.go\.id`)

var waited = compile(`(?i)(sampai (saat|hari|dengan hari|sekarang|kini)|hingga (saat|kini|hari|sekarang)|sudah (lebih dari )?(\w+|\d+) (hari|minggu|bulan|kali)|sejak (tanggal|hari|minggu|bulan|senin|selasa|rabu|kamis|jumat|kemarin|\d)|padahal|berkali-kali|telah (lewat|lebih))`)

// judgeForward tells a disposition from a letter that its office merely passes on: who hands a letter down writes tersely, to a
// subordinate, with a word of instruction.
func judgeForward(m *Mail, hasLetter bool) (verdict, bool) {
	var v verdict
	forwarded := forwardSubject.MatchString(m.Subject) || strings.TrimSpace(m.Forwarded) != ""
	for _, p := range m.Parts {
		forwarded = forwarded || p.Mail != nil
	}
	explicit := dispositionWord.MatchString(m.Text + " " + m.Subject)
	if !forwarded && !(explicit && hasLetter) {
		return v, false
	}
	w := instruction.FindString(m.Text)
	if w == "" {
		return v, false
	}
	if chainScore(m, explicit) < 3 {
		return v, false
	}
	v.kind = Disposition
	return v.because("surel meneruskan surat dengan instruksi %q", strings.ToLower(w)), true
}

// dispositionSlip: the mail is a disposition by its title, of a letter that went another way.
func dispositionSlip(m *Mail) bool {
	return slipTitle.MatchString(m.Subject) || slipTitle.MatchString(strings.TrimSpace(m.Text))
}

var slipTitle = compile(`(?i)^(?:lembar\s+disposisi|disposisi)\b`)

// onlyInforms: every instruction in the mail is for the reader's information.
func onlyInforms(m *Mail) bool {
	for _, w := range instruction.FindAllString(m.Text, 20) {
		if w = strings.ToLower(w); w != "untuk diketahui" && !strings.HasPrefix(w, "arsip") && w != "seperlunya" {
			return false
		}
	}
	return true
}

// chainScore weighs what speaks for a hand of the agency's chain: the word itself, who is addressed, who sends, and how terse it is.
func chainScore(m *Mail, explicit bool) int {
	text := strings.TrimSpace(m.Text)
	from := ""
	if len(m.From) > 0 {
		from = m.From[0].Name + " " + m.From[0].Address
	}
	score := 0
	add := func(n int, yes bool) {
		if yes {
			score += n
		}
	}
	add(3, explicit)
	add(2, subordinate.MatchString(text))
	add(1, colleague.MatchString(text))
	add(2, chainUnit.MatchString(from))
	add(1, chainUnit.MatchString(text+" "+m.Sign))
	add(1, superior.MatchString(from+" "+m.Sign+" "+text))
	add(1, chainLocal.MatchString(from))
	add(1, len(text) < 160)
	add(1, len(text) < 60)
	add(-4, petition.MatchString(text))
	return score
}

// judgeReply: the mail belongs to an open case by number or thread. The thread itself is checked where the cases are known.
func judgeReply(m *Mail, fresh verdict) (verdict, bool) {
	var v verdict
	v.kind = Reply
	if n := caseNumber.FindString(m.Subject); n != "" && !forwardSubject.MatchString(m.Subject) {
		return v.because("nomor permohonan %s pada perihal", n), true
	}
	for _, id := range append(append([]string{}, m.InReplyTo...), m.References...) {
		if n := caseNumber.FindString(strings.ToUpper(id)); n != "" {
			return v.because("utas surel memuat nomor %s", n), true
		}
	}
	if !replyPrefix.MatchString(m.Subject) {
		return v, false
	}
	if n := caseNumber.FindString(m.Quoted); n != "" && fresh.kind != ResetRequest {
		return v.because("mengutip surel kami tentang %s", n), true
	}
	if len(m.InReplyTo)+len(m.References) == 0 || fresh.kind == ResetRequest || fresh.kind == Unclear || fresh.kind == OtherCertificateService {
		return v, false
	}
	if strings.Contains(m.Text, "?") && !continuation.MatchString(m.Text) {
		return v, false
	}
	return v.because("membalas utas surel (In-Reply-To)"), true
}

// quotedReset: only older, quoted mail asks for a reset.
func quotedReset(m *Mail) bool {
	if strings.TrimSpace(m.Quoted) == "" {
		return false
	}
	return len(signalsOf(newDocument("", "", m.Quoted).lines, false).resets) > 0
}
