package letter

import (
	"fmt"
	"regexp"
	"strings"
)

// signals are what speaks for and against a kind in one text.
type signals struct {
	resets    []string // pairs of action and object that are asked for, as found
	mentions  []string // pairs that are only mentioned
	denied    []string // "tidak lupa passphrase"
	services  map[term]string
	bare      string // "reset TTE": no passphrase named
	change    string // "ubah passphrase"
	account   string // "reset password e-mail"
	event     string // undangan, edaran
	howTo     string
	cancel    string
	trouble   string
	naked     string // "direset", and no word of what
	secret    bool
	signature bool
	known     bool            // the writer says that the old one is still known
	lost      bool            // "lupa" stands somewhere, not denied
	weak      map[term]string // services named, not asked for in the same sentence
	forgot    bool            // first person, "lupa"
	asked     bool
}

// serviceNames are said in reasons.
var serviceNames = map[term]string{termIssue: "penerbitan/pendaftaran", termRenew: "perpanjangan/pembaruan", termRevoke: "pencabutan", termChangeData: "perubahan data"}

// signalsOf reads a text; heading says that it is a subject, where the thing itself is asked for without a verb.
func signalsOf(lines []line, heading bool) *signals {
	words := wordsOf(lines)
	marks := marksOf(words)
	s := &signals{services: map[term]string{}, weak: map[term]string{}}
	s.known = stillKnown.MatchString(plain(lines))
	for _, m := range marks {
		s.lost = s.lost || m.term == termForget && !negated(words, marks, m)
	}
	for i, m := range marks {
		switch m.term {
		case termSecret:
			s.secret = true
			s.object(words, marks, i, heading)
		case termSignature:
			s.signature = true
			s.signatureObject(words, marks, i, heading)
		case termPassword, termAccount:
			s.accountObject(words, marks, i)
		case termEvent:
			if s.event == "" && (heading || eventWeight(m.text)) {
				s.event = m.text
			}
		case termHowTo:
			if s.howTo == "" {
				s.howTo = m.text
			}
		case termCancel:
			if s.cancel == "" && nearReset(words, marks, i) {
				s.cancel = m.text
			}
		case termTrouble:
			if s.trouble == "" {
				s.trouble = m.text
			}
		case termAsk:
			s.asked = true
		case termReset:
			if s.naked == "" && !negated(words, marks, m) {
				s.naked = m.text
			}
		}
	}
	return s
}

var stillKnown = regexp.MustCompile(`(?i)masih\s+(saya\s+|kami\s+|beliau\s+)?(ingat|hafal|hapal|tahu|mengingat|mengetahui)|tidak lupa|secara (berkala|mandiri)|belum lupa`)

func plain(lines []line) string {
	var b strings.Builder
	for _, l := range lines {
		b.WriteString(l.text + " ")
	}
	return b.String()
}

// eventWeight: words that make a whole letter an invitation or circular when they stand in its body.
func eventWeight(w string) bool {
	switch w {
	case "undangan", "mengundang", "sosialisasi", "bimbingan teknis", "bimtek", "pelatihan", "webinar", "workshop", "surat edaran", "edaran", "himbauan", "imbauan", "pengumuman", "peserta", "diklat", "newsletter", "narasumber":
		return true
	}
	return false
}

// sameSentence: no stop between two places.
func sameSentence(words []word, a, b int) bool {
	if a > b {
		a, b = b, a
	}
	for i := a + 1; i <= b && i < len(words); i++ {
		if words[i].stop {
			return false
		}
	}
	return true
}

// action finds the nearest of the terms to a mark, at most before words ahead of it or after behind it, within the sentence.
func action(words []word, marks []mark, i, before, after int, terms ...term) (mark, bool) {
	m := marks[i]
	best, score := mark{}, 1<<30
	for k := range marks {
		x := marks[k]
		var d int
		switch {
		case x.end <= m.at:
			d = m.at - x.end
			if d > before {
				continue
			}
		case x.at >= m.end:
			d = x.at - m.end
			if d > after {
				continue
			}
		default:
			continue
		}
		if d < score && has(terms, x.term) && sameSentence(words, x.at, m.at) {
			best, score = x, d
		}
	}
	return best, score < 1<<30
}

func has(list []term, t term) bool {
	for _, x := range list {
		if x == t {
			return true
		}
	}
	return false
}

// sentence returns the marks of the sentence around a mark.
func sentence(words []word, marks []mark, i int) []mark {
	var out []mark
	for k := range marks {
		if d := marks[k].at - marks[i].at; d > -45 && d < 30 && sameSentence(words, marks[k].at, marks[i].at) {
			out = append(out, marks[k])
		}
	}
	return out
}

// object weighs one mention of the passphrase.
func (s *signals) object(words []word, marks []mark, i int, heading bool) {
	m := marks[i]
	if c, ok := action(words, marks, i, 4, 2, termChange); ok {
		if f, forgot := action(words, marks, i, 8, 6, termForget, termReset); !forgot || negated(words, marks, f) {
			s.change = c.text + " " + m.text
			return
		}
	}
	a, ok := action(words, marks, i, 6, 5, termReset, termForget, termReplace)
	if !ok {
		return
	}
	found := quotePair(a, m)
	if negated(words, marks, a) {
		s.denied = append(s.denied, found)
		return
	}
	around := sentence(words, marks, i)
	asked, self, event, howTo, not := heading, false, false, false, false
	for _, x := range around {
		switch x.term {
		case termAsk:
			asked = true
		case termSelf:
			self = true
		case termEvent:
			event = true
		case termHowTo:
			howTo = true
		case termNot:
			not = not || x.at < a.at && a.at-x.at < 8 && hypothetical(x.text)
		}
	}
	if a.term == termReplace && s.known {
		s.change = found
		return
	}
	if a.term == termReplace && (!asked || !strings.HasPrefix(a.text, "pe") && !s.lost) {
		s.mentions = append(s.mentions, found)
		return
	}
	if a.term == termForget && self {
		s.forgot = s.forgot || !not
	}
	switch {
	case event, not && !heading:
		s.mentions = append(s.mentions, found)
	case howTo && !(asked && a.term == termReset && !heading) && !self:
		s.mentions = append(s.mentions, found)
	case asked, self && a.term == termForget:
		s.resets = append(s.resets, found)
	default:
		s.mentions = append(s.mentions, found)
	}
}

func hypothetical(w string) bool {
	switch w {
	case "bila", "jika", "apabila", "kalau", "seandainya", "ketika":
		return true
	}
	return false
}

// negated: "tidak lupa", "jangan sampai lupa", "bukan permohonan reset".
func negated(words []word, marks []mark, a mark) bool {
	for _, x := range marks {
		if x.term == termNot && !hypothetical(x.text) && x.end <= a.at && a.at-x.end <= 2 && sameSentence(words, x.at, a.at) {
			return true
		}
	}
	return false
}

func quotePair(a, b mark) string {
	if a.at < b.at {
		return a.text + " … " + b.text
	}
	return b.text + " … " + a.text
}

// signatureObject weighs one mention of TTE or the certificate.
func (s *signals) signatureObject(words []word, marks []mark, i int, heading bool) {
	if a, ok := action(words, marks, i, 2, 1, termReset, termForget); ok && !negated(words, marks, a) {
		// "reset passphrase TTE" is no bare reset.
		if _, ok := action(words, marks, i, 4, 3, termSecret, termPassword); !ok && s.bare == "" {
			s.bare = quotePair(a, marks[i])
		}
	}
	for _, svc := range []term{termIssue, termRenew, termRevoke, termChangeData} {
		a, ok := action(words, marks, i, 6, 3, svc)
		if ok && svc == termIssue && accountFirst(marks, a, marks[i]) {
			continue // "pembuatan e-mail dinas untuk TTE"
		}
		if !ok || s.services[svc] != "" || negated(words, marks, a) {
			continue
		}
		asked := heading
		for _, x := range sentence(words, marks, i) {
			asked = asked || x.term == termAsk && x.at < max(a.at, marks[i].at)+1
		}
		switch {
		case passive(words, a):
		case asked:
			s.services[svc] = quotePair(a, marks[i])
		default:
			s.weak[svc] = quotePair(a, marks[i])
		}
	}
}

// accountFirst: between a service and the certificate stands an account, which is what the service is about.
func accountFirst(marks []mark, a, object mark) bool {
	for _, x := range marks {
		if x.term == termAccount && x.text != "akun" && x.at >= a.end && x.at-a.end <= 1 && x.at < object.at {
			return true
		}
	}
	return false
}

// passive: "yang diterbitkan oleh", "sejak penerbitan", "setelah pembaruan": nothing that is asked for.
func passive(words []word, a mark) bool {
	for k := a.at - 1; k >= 0 && k >= a.at-2; k-- {
		switch words[k].text {
		case "sejak", "setelah", "saat", "sebelum", "yang", "selama", "keperluan", "syarat", "persyaratan", "rangka", "penyelenggara", "petugas", "hasil", "ketika":
			return true
		}
	}
	return a.end < len(words) && words[a.end].text == "oleh"
}

// accountObject notes a reset of something else.
func (s *signals) accountObject(words []word, marks []mark, i int) {
	if s.account != "" {
		return
	}
	before, after := 3, 2
	if marks[i].term == termAccount {
		before, after = 1, 1 // "reset akun Srikandi"; not "tautan reset dikirim ke e-mail"
	}
	if a, ok := action(words, marks, i, before, after, termReset, termForget, termReplace); ok && !negated(words, marks, a) {
		for k := min(a.end, marks[i].end); k < max(a.at, marks[i].at); k++ {
			if direction(words[k].text) {
				return
			}
		}
		for k := range marks {
			if marks[k].term == termSecret && sameSentence(words, marks[k].at, marks[i].at) && abs(marks[k].at-a.at) <= 4 {
				return
			}
		}
		if marks[i].term == termAccount && (marks[i].text == "aplikasi" || marks[i].text == "akun" || marks[i].text == "web") {
			if _, ok := action(words, marks, i, 3, 4, termSignature, termSecret); ok {
				return
			}
		}
		s.account = quotePair(a, marks[i])
	}
}

// direction: a word after which an account is where something goes, not what is reset.
func direction(w string) bool {
	switch w {
	case "ke", "melalui", "via", "di", "pada", "lewat", "dari", "kepada":
		return true
	}
	return false
}

func abs(n int) int { return max(n, -n) }

func nearReset(words []word, marks []mark, i int) bool {
	for _, x := range sentence(words, marks, i) {
		if x.term == termReset || x.term == termForget || x.term == termSecret || x.term == termAsk && strings.HasPrefix(x.text, "permohonan") {
			return true
		}
	}
	return false
}

// verdict is a kind with its reasons.
type verdict struct {
	kind    Kind
	reasons []string
}

func (v *verdict) because(format string, args ...any) verdict {
	v.reasons = append(v.reasons, fmt.Sprintf(format, args...))
	return *v
}

// judge tells the kind of one document from its subject, its text and its boxes. The order of safety: a reset wrongly opened is worse
// than unclear, and a reset left in the inbox is worse than unclear.
func judge(c *content, subject string, subjectCounts bool) verdict {
	where := partName(c.sheet.part)
	subj := &signals{services: map[term]string{}}
	if subjectCounts && subject != "" {
		subj = signalsOf([]line{{text: subject}}, true)
	}
	body := signalsOf(c.sheet.lines, false)
	var v verdict
	v.note(where, subject, subj, body)
	if form, ok := readBoxes(c.sheet); ok {
		return judgeForm(v, form, subj, where)
	}
	if strike, ok := strikeOut(c.sheet); ok {
		v.kind = Unclear
		return v.because("formulir meminta pencoretan (%s); coretan tidak dapat dibaca dari teks", strike)
	}
	identity := len(c.applicants) > 0
	resets := len(subj.resets) + len(body.resets)
	services := merged(subj.services, body.services)
	switch {
	case subj.event != "" && len(subj.resets) == 0 || subj.event != "" && subj.event != "kegiatan":
		if len(body.resets) > 0 && identity && body.forgot {
			v.kind = Unclear
			return v.because("perihalnya %q, tetapi isinya juga meminta reset", subj.event)
		}
		v.kind = Other
		return v.because("perihalnya %q: hanya menyebut, tidak meminta reset", subj.event)
	case resets > 0 && (subj.cancel != "" || body.cancel != ""):
		v.kind = Unclear
		return v.because("ada kata pembatalan (%q)", subj.cancel+body.cancel)
	case resets > 0 && len(services) > 0:
		v.kind = Unclear
		return v.because("surat campuran: selain reset juga meminta %s", serviceList(services))
	case resets > 0 && (subj.account != "" || body.account != ""):
		v.kind = Unclear
		return v.because("selain passphrase TTE juga meminta reset lain (%s)", subj.account+body.account)
	case len(subj.resets) == 0 && body.event != "" && !body.forgot && resets > 0:
		v.kind = Unclear
		if !identity {
			v.kind = Other
		}
		return v.because("surat bersifat kegiatan atau edaran (%q)", body.event)
	case len(subj.resets) == 0 && subj.howTo != "" && !body.forgot && !identity,
		resets > 0 && body.howTo != "" && len(subj.resets) == 0 && !identity && !body.forgot && isQuestion(c.sheet):
		v.kind = Other
		return v.because("bertanya atau menjelaskan cara, bukan meminta reset")
	case resets > 0 && c.template():
		v.kind = Unclear
		return v.because("formulir belum diisi")
	case resets > 0:
		v.kind = ResetRequest
		return v
	}
	return judgeWithoutReset(v, c, subj, body, services)
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
		v.kind = Unclear
		return v.because("meminta %s, tetapi juga menyebut lupa atau reset", serviceList(services))
	case len(services) > 0 && event == "" && combined(c.sheet) == "":
		v.kind = OtherCertificateService
		return v.because("meminta %s sertifikat elektronik", serviceList(services))
	case event == "" && combined(c.sheet) != "":
		v.kind = Unclear
		return v.because("formulir gabungan yang pilihannya tidak terbaca (%q)", combined(c.sheet))
	case event != "":
		v.kind = Other
		return v.because("surat bersifat kegiatan, laporan atau edaran (%q)", event)
	case len(body.weak) > 0 && (body.asked || subj.asked) && mentions == 0 && bare == "" && combined(c.sheet) == "":
		v.kind = OtherCertificateService
		return v.because("menyebut %s sertifikat elektronik dalam sebuah permohonan", serviceList(body.weak))
	case subj.change != "" || body.change != "":
		v.kind = Other
		return v.because("mengubah passphrase yang masih diketahui dilakukan sendiri oleh pemilik (%q)", subj.change+body.change)
	case len(body.denied) > 0 && mentions == 0 && bare == "":
		v.kind = Other
		return v.because("lupa atau reset disebut dengan ingkar (%q)", body.denied[0])
	case bare != "":
		v.kind = Unclear
		return v.because("menyebut %q tanpa menyebut passphrase", bare)
	case mentions > 0 && (subj.howTo != "" || body.howTo != "") && len(c.applicants) == 0 && !body.forgot:
		v.kind = Other
		return v.because("bertanya atau menjelaskan cara, bukan meminta reset")
	case mentions > 0:
		v.kind = Unclear
		return v.because("reset disebut tetapi tidak jelas diminta")
	case subj.account != "" || body.account != "":
		v.kind = Other
		return v.because("reset untuk akun lain, bukan passphrase TTE (%q)", subj.account+body.account)
	case (subj.secret || body.secret) && body.trouble != "" && (body.asked || subj.asked):
		v.kind = Unclear
		return v.because("kendala pada passphrase (%q): mungkin perlu reset", body.trouble)
	}
	if naked := subj.naked + body.naked; naked != "" && (body.asked || subj.asked) && (len(c.applicants) > 0 || letters(c.sheet.text()) < 200) {
		v.kind = Unclear
		return v.because("meminta %q tanpa menyebut apa yang direset", naked)
	}
	v.kind = Other
	return v
}

// judgeForm decides a combined form by its ticks.
func judgeForm(v verdict, f form, subj *signals, where string) verdict {
	switch {
	case len(f.ticked) == 0:
		v.kind = Unclear
		return v.because("formulir gabungan tanpa pilihan yang ditandai (%s)", where)
	case f.resetTicked && len(f.ticked) > 1:
		v.kind = Unclear
		return v.because("formulir gabungan dengan lebih dari satu pilihan: %s", strings.Join(f.ticked, ", "))
	case f.resetTicked && len(subj.services) > 0 && len(subj.resets) == 0 && !f.subjectLists(subj):
		v.kind = Unclear
		return v.because("pilihan Reset ditandai, tetapi perihalnya %s", serviceList(subj.services))
	case f.resetTicked:
		v.kind = ResetRequest
		return v.because("pilihan %q ditandai pada formulir", f.ticked[0])
	case len(subj.resets) > 0:
		v.kind = Unclear
		return v.because("perihalnya reset, tetapi pilihan yang ditandai %q", f.ticked[0])
	}
	v.kind = OtherCertificateService
	return v.because("pilihan yang ditandai pada formulir: %s", strings.Join(f.ticked, ", "))
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

// template: a form that nobody has filled in.
func (c *content) template() bool {
	return len(c.applicants) == 0 && c.blanks >= 2
}
