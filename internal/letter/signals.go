package letter

import (
	"cmp"
	"slices"
	"strings"
)

// signals are what speaks for and against a kind in one text.
type signals struct {
	resets    []string // pairs of action and object that are asked for, as found
	mentions  []string // pairs that are only mentioned
	passing   []string // pairs that name a service, a condition or what is done already: nobody asks here
	denied    []string // "tidak lupa passphrase"
	services  map[term]string
	bare      string // "reset TTE": no passphrase named
	change    string // "ubah passphrase"
	account   string // "reset password e-mail"
	event     string // undangan, edaran
	howTo     string
	cancel    string
	trouble   string
	status    string // asks after an earlier request
	naked     string // "direset", and no word of what
	secret    bool
	signature bool
	known     bool            // the writer says that the old one is still known
	lost      bool            // "lupa" stands somewhere, not denied
	weak      map[term]string // services named, not asked for in the same sentence
	forgot    bool            // first person, "lupa"
	direct    bool            // "mohon reset passphrase" outright
	asked     bool
	pleads    bool   // "mohon", "minta": something is asked for outright
	elsewhere bool   // a reset is named where something else is asked for: "mohon daftar pejabat yang meminta reset"
	named     bool   // a reset is asked for by its name; else only "lupa" speaks for it
	other     string // another service that is asked for in so many words
	choice    string // "direset atau diterbitkan ulang"
	plea      bool   // "tolong direset", of something named in another sentence
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
	for i := range marks {
		s.note(words, marks, i, heading)
	}
	if s.plea && s.secret && s.lost && !s.known && len(s.mentions) == 1 && len(s.resets)+len(s.passing)+len(s.services) == 0 && s.cancel+s.event+s.account == "" && s.howTo == "" {
		s.resets, s.mentions = s.mentions, nil // "Bu Kabid lupa passphrase. Tolong direset."
	}
	return s
}

// note takes down what one mark tells.
func (s *signals) note(words []word, marks []mark, i int, heading bool) {
	m := marks[i]
	if s.other == "" && otherService(words, marks, i) {
		s.other = m.text
	}
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
		if (heading || eventWeight(m.text)) && !reportsTrouble(words, m.at) {
			s.event = cmp.Or(s.event, m.text)
		}
	case termHowTo:
		if heading || explains(words, marks, m) {
			s.howTo = cmp.Or(s.howTo, m.text)
		}
	case termCancel:
		if nearReset(words, marks, i) {
			s.cancel = cmp.Or(s.cancel, m.text)
		}
	case termTrouble:
		s.trouble = cmp.Or(s.trouble, m.text)
	case termStatus:
		if nearReset(words, marks, i) {
			s.status = cmp.Or(s.status, m.text)
		}
	case termAsk:
		s.asked = true
		s.pleads = s.pleads || asksOutright(m.text)
	case termReset:
		s.choice = cmp.Or(s.choice, alternative(words, marks, i))
		if !negated(words, marks, m) && !inPassing(words, marks, m) {
			s.plea = s.plea || directAsk(words, marks, m)
			s.naked = cmp.Or(s.naked, m.text)
		}
	}
}

// explains: a way to reset is told or asked for; "Contoh" in a name and "Prosedur" in a position tell of none.
func explains(words []word, marks []mark, way mark) bool {
	return slices.ContainsFunc(marks, func(x mark) bool {
		return slices.Contains([]term{termSecret, termReset, termForget}, x.term) && sameSentence(words, way.at, x.at)
	})
}

// reportsTrouble: "Laporan Lupa Passphrase", "Laporan dan Permohonan Reset" are no periodic reports.
func reportsTrouble(words []word, at int) bool {
	if words[at].text != "laporan" || at+1 == len(words) {
		return false
	}
	next := words[at+1].text
	return loss[next] || (next == "dan" || next == "sekaligus") && at+2 < len(words) && requestNoun[words[at+2].text]
}

var loss = setOf("lupa kendala kehilangan hambatan permasalahan masalah gangguan")

var stillKnown = compile(`(?i)masih\s+(saya\s+|kami\s+|beliau\s+)?(ingat|hafal|hapal|tahu|mengingat|mengetahui)|tidak lupa|secara (berkala|mandiri)|belum lupa`)

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
		if d < score && slices.Contains(terms, x.term) && sameSentence(words, x.at, m.at) {
			best, score = x, d
		}
	}
	return best, score < 1<<30
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
	a, ok := resetOf(words, marks, i)
	if !ok {
		return
	}
	found := quotePair(a, m)
	ask := askFor(words, marks, a)
	other := otherLock(words, m)
	switch {
	case negated(words, marks, a):
		s.denied = append(s.denied, found)
	case inPassing(words, marks, a) || addressed(words, a, m):
		s.elsewhere = s.elsewhere || ask == askedElse && strings.HasPrefix(a.text, "di")
		s.passing = append(s.passing, found)
	case other != "":
		s.account = found + " " + other
	case ask == askedElse:
		s.mentions = append(s.mentions, found)
		s.elsewhere = s.elsewhere || !heading
		s.cancel = cmp.Or(s.cancel, refused(words, a))
	default:
		s.weigh(a, found, heading, around(words, marks, i, a, heading || ask == askedThis))
	}
}

// resetOf is what is to happen to a passphrase, or has: the reset, the forgetting.
func resetOf(words []word, marks []mark, i int) (mark, bool) {
	if a, ok := action(words, marks, i, 6, 5, termReset, termForget, termReplace); ok {
		return a, true
	}
	a, ok := action(words, marks, i, 0, 16, termReset) // "passphrase TTE Rini Pratiwi, S.E., NIP 1985..., direset"
	return a, ok && strings.HasPrefix(a.text, "di") && !slices.ContainsFunc(marks, func(x mark) bool {
		return x.at >= marks[i].end && x.at < a.at && slices.Contains([]term{termSecret, termPassword, termAccount}, x.term)
	})
}

// company is what a sentence says beside an action and its object.
type company struct {
	direct bool // "mohon reset"
	asked  bool
	self   bool // "saya", "kami", "karena"
	event  bool
	howTo  bool
	guide  bool // "cara" right before the action
	ifs    bool // "bila" before the action
	theirs bool // it follows somebody else's request: "sesuai permintaan BPK"

	recommends bool // anywhere in the text
}

func around(words []word, marks []mark, i int, a mark, asked bool) company {
	c := company{direct: directAsk(words, marks, a), recommends: recommended(marks)}
	c.asked = asked || c.direct
	for _, x := range sentence(words, marks, i) {
		switch x.term {
		case termAsk:
			c.asked = c.asked || x.at > a.at && (x.at < marks[i].at || !needsObject[x.text])
			c.theirs = c.theirs || x.at < a.at && requestNoun[x.text] && answering[paperOf(words, x)]
		case termSelf:
			c.self = true
		case termEvent:
			c.event = true
		case termHowTo:
			c.howTo = true
			c.guide = c.guide || x.end <= a.at && a.at-x.end <= 5
		case termNot:
			c.ifs = c.ifs || x.at < a.at && a.at-x.at < 8 && hypothetical[x.text]
		}
	}
	return c
}

// weigh tells whether an action on the passphrase is asked for or only mentioned.
func (s *signals) weigh(a mark, found string, heading bool, c company) {
	forgets := a.term == termForget
	if a.term == termReplace && s.known {
		s.change = found
		return
	}
	if a.term == termReplace && (!c.asked || !strings.HasPrefix(a.text, "pe") && !s.lost) {
		s.mentions = append(s.mentions, found)
		return
	}
	s.forgot = s.forgot || forgets && c.self && !c.ifs
	switch {
	case c.direct && !c.ifs && !c.howTo:
		s.direct, s.named = true, true
		s.resets = append(s.resets, found)
	case c.event, c.theirs && !c.asked, c.ifs && !heading, c.guide && !(c.self && s.lost):
		s.mentions = append(s.mentions, found)
	case c.howTo && !(c.asked && a.term == termReset && !heading) && !c.self:
		s.mentions = append(s.mentions, found)
	case c.asked, c.self && forgets, a.term == termReset && s.lost && c.recommends:
		s.named = s.named || !forgets
		s.resets = append(s.resets, found)
	default:
		s.mentions = append(s.mentions, found)
	}
}

// inPassing: the action is part of a name ("tautan reset", "layanan reset"), of a condition that follows it ("reset bila lupa"), or of what
// was done already ("telah dilakukan reset", "telah direset").
func inPassing(words []word, marks []mark, a mark) bool {
	for k := a.at - 1; k >= max(0, a.at-3) && !words[k+1].stop; k-- {
		switch words[k].text {
		case "tautan", "link", "fitur", "menu", "petugas", "tombol", "kolom", "halaman":
			return true
		case "layanan", "pelayanan", "proses":
			if k == a.at-1 && a.term == termReset {
				return askFor(words, marks, a) != askedThis
			}
		case "dilakukan", "diproses", "selesai", "melakukan", "memproses":
			if a.term == termReset && k > 0 && !words[k].stop && slices.ContainsFunc(words[max(0, k-2):k], func(w word) bool { return done[w.text] }) {
				return true
			}
		case "telah", "sudah":
			if k == a.at-1 && a.term == termReset && strings.HasPrefix(a.text, "di") {
				return true
			}
		}
	}
	for k := a.end; k < min(len(words), a.end+6) && !words[k].stop; k++ {
		switch words[k].text {
		case "belum", "tidak":
			return false
		case "selesai", "berhasil":
			return a.term == termReset
		case "sudah", "telah":
			if k+1 < len(words) && a.term == termReset && doneVerb[words[k+1].text] {
				return true
			}
		}
	}
	for _, x := range marks {
		if x.term == termNot && hypothetical[x.text] && x.at >= a.end && x.at-a.end <= 3 && sameSentence(words, a.at, x.at) && a.term == termReset {
			for _, y := range marks {
				if y.term == termForget && y.at >= x.end && y.at-x.end <= 4 {
					return true
				}
			}
		}
	}
	return false
}

// addressed: "reset passphrase TTE Anda", "segera lakukan reset": the reader is told, nobody asks the reader.
func addressed(words []word, a, m mark) bool {
	for k := max(a.end, m.end); k < min(len(words), max(a.end, m.end)+3) && !words[k].stop; k++ {
		if words[k].text == "anda" {
			return true
		}
	}
	for k := a.at - 1; k >= max(0, a.at-2) && !words[k+1].stop; k-- {
		switch words[k].text {
		case "lakukan", "lakukanlah", "silakan", "silahkan", "klik", "please":
			return k == 0 || words[k].stop || words[k-1].text != "mohon" && words[k-1].text != "tolong" && words[k-1].text != "kami"
		}
	}
	return false
}

var (
	// doneVerb: behind "sudah" or "telah", a word by which the reset is done.
	doneVerb     = setOf("dilakukan dilaksanakan diproses selesai ditindaklanjuti dikirim berhasil dikerjakan kami")
	done         = setOf("telah sudah selesai")
	hypothetical = setOf("bila jika apabila kalau seandainya ketika")
)

// negated: "tidak lupa", "jangan sampai lupa", "bukan permohonan reset".
func negated(words []word, marks []mark, a mark) bool {
	for _, x := range marks {
		if x.term == termNot && !hypothetical[x.text] && x.end <= a.at && a.at-x.end <= 2 && sameSentence(words, x.at, a.at) {
			return a.at-x.end < 2 || !asksOutright(words[a.at-1].text) // "tidak berlaku, mohon diperbarui"
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
	s.afterClause(words, marks, i)
}

// afterClause finds what is asked for the certificate in a later clause, or what is wrong with it: "TTE Bu Lurah sudah expired, mohon
// diperbarui". Where the passphrase is named too, the letter is about that.
func (s *signals) afterClause(words []word, marks []mark, i int) {
	around := sentence(words, marks, i)
	if slices.ContainsFunc(around, func(x mark) bool { return x.term == termSecret }) {
		return
	}
	for k, x := range marks {
		if x.at < marks[i].end || x.at-marks[i].end > 20 || !sameSentence(words, marks[i].at, x.at) || !otherService(words, marks, k) {
			continue
		}
		if x.term == termReplace || x.term == termChange {
			x.term = termChangeData
		}
		s.weak[x.term] = quotePair(marks[i], x)
	}
	for k := marks[i].end; k < min(len(words), marks[i].end+20) && !words[k].stop; k++ {
		if expiry[words[k].text] && !slices.Contains([]string{"belum", "tidak", "bukan"}, words[k-1].text) {
			s.weak[termRenew] = marks[i].text + " … " + words[k].text
		}
	}
}

// expiry are words for a certificate past its time.
var expiry = setOf("expired expire kadaluarsa kedaluwarsa kadaluwarsa kedaluarsa")

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
		case "tautan", "link", "sejak", "setelah", "saat", "sebelum", "yang", "selama", "keperluan", "syarat", "persyaratan", "rangka", "penyelenggara", "petugas", "hasil", "ketika":
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
			if direction[words[k].text] {
				return
			}
		}
		for k := range marks {
			if marks[k].term == termSecret && sameSentence(words, marks[k].at, marks[i].at) && abs(marks[k].at-a.at) <= 4 {
				if own, ok := action(words, marks, k, 6, 5, termReset, termForget); !ok || own.at == a.at {
					return // "reset passphrase (kata sandi)": one thing, one action
				}
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
var direction = setOf("ke melalui via di pada lewat dari kepada")

func abs(n int) int { return max(n, -n) }

func nearReset(words []word, marks []mark, i int) bool {
	for _, x := range sentence(words, marks, i) {
		if x.term == termReset || x.term == termForget || x.term == termSecret || x.term == termAsk && strings.HasPrefix(x.text, "permohonan") {
			return true
		}
	}
	return false
}

// otherLock is what a passphrase opens that is no certificate.
func otherLock(words []word, m mark) string {
	for k := m.end; k < min(len(words), m.end+2) && !words[k].stop; k++ {
		switch w := words[k].text; w {
		case "wifi", "wi", "hotspot", "vpn", "ssh", "router", "keepass", "bitlocker", "laptop", "komputer", "server":
			return w
		}
	}
	return ""
}

// otherService: the mark names another service, or the change of an address, and it is asked for: "mohon sertifikatnya dicabut".
func otherService(words []word, marks []mark, i int) bool {
	m := marks[i]
	switch m.term {
	case termIssue, termRenew, termRevoke, termChangeData:
	case termReplace, termChange:
		if _, ok := action(words, marks, i, 6, 3, termAccount); !ok {
			return false
		}
	default:
		return false
	}
	if passive(words, m) || negated(words, marks, m) {
		return false
	}
	return slices.ContainsFunc(marks, func(x mark) bool {
		return x.term == termAsk && asksOutright(x.text) && x.at < m.at && m.at-x.end <= 8 && sameSentence(words, x.at, m.at)
	})
}

// alternative is a reset that the writer leaves to choose against another service.
func alternative(words []word, marks []mark, i int) string {
	for _, x := range marks {
		if slices.Contains([]term{termIssue, termRenew, termRevoke}, x.term) && abs(x.at-marks[i].at) <= 5 && sameSentence(words, x.at, marks[i].at) {
			for k := min(x.at, marks[i].at); k < max(x.at, marks[i].at); k++ {
				if words[k].text == "atau" {
					return marks[i].text + " atau " + x.text
				}
			}
		}
	}
	return ""
}

// recommended: the letter recommends, which is how an office asks (letters.md, "Layouts").
func recommended(marks []mark) bool {
	return slices.ContainsFunc(marks, func(m mark) bool {
		return m.term == termAsk && (m.text == "rekomendasi" || m.text == "merekomendasikan")
	})
}
