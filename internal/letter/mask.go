package letter

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

const masked = "[disamarkan]"

// Mask replaces the values of passphrases, passwords, PINs and OTPs that a sender wrote into a text: behind the word, in the next cell or
// line, or in a table's column. Everything that shows, mails or logs a letter's text goes through it; the raw bytes stay sealed in the
// archive. Lines stay lines.
func Mask(text string) string {
	out, _ := mask(text)
	return out
}

func mask(text string) (string, bool) {
	m := masker{lines: strings.Split(text, "\n")}
	named := make([]bool, len(m.lines))
	for i := range m.lines {
		named[i] = m.inline(i)
	}
	for i, l := range m.lines {
		if named[i] || secretHint.may(l) {
			m.cells(i)
		}
		if slices.Contains(named[max(0, i-2):min(len(named), i+3)], true) {
			m.recalled(i, named[i])
		}
	}
	return strings.Join(m.lines, "\n"), m.hit
}

// secretHint is in every line with a word for a secret that isn't misspelt: its own words are all that it needs.
var secretHint = compile(`(?i)pas|fras|pwd|pw|sandi|otp|pin|kode|kunci|token|phrase|pswd`)

// masker works on the lines of a text.
type masker struct {
	lines []string
	hit   bool
}

var (
	quoted = compile(`^\s*["'“‘«(]([^"'”’»)]{3,60})["'”’»)]`)
	// secretNouns are words for a secret; misspelt passphrases are told by passphraseWord.
	secretNouns = setOf("password passwords passwd pasword pswd passcode pwd pw pass sandi pin mpin otp token keyphrase frasa frase pas-phrase pass-phrase")
	// secretPairs are two words for one: what may follow the first.
	secretPairs = map[string]map[string]bool{
		"kata": setOf("sandi kunci"), "frasa": setOf("sandi kunci"), "frase": setOf("sandi kunci"),
		"pas": setOf("phrase prase frase frasa word"), "pass": setOf("phrase prase frase frasa word"),
		"kode": setOf("otp verifikasi rahasia akses keamanan pin aktivasi"),
	}
	// secretOf are words between the noun and its value: whose, which, of what.
	secretOf = compile(`^(?i:tte|saya|sy|aku|punya|kami|lama|baru|sementara|terakhir|beliau|nya|yang|e-?mail|dinas|akun|srikandi|sertifikat|elektronik|tanda|tangan|sebelumnya|sekarang|bapak|ibu|pak|bu|itu|login|wifi|bsre|ams|aktif|awal|default|adalah|yaitu|ialah|yakni|menjadi|berupa|is|user|asli|digital)$`)
	says     = compile(`^(?i:adalah|yaitu|ialah|yakni|menjadi|berupa|is)$`)
	// notSecret are words that follow the noun without being its value.
	notSecret = compile(`^(?i:[.\-_…*•/()]+|lupa.*|reset.*|direset|tidak|tdk|belum|sudah|telah|yang|untuk|dan|atau|tersebut|saya|kami|tte|sertifikat|elektronik|rahasia|kombinasi|kerahasiaan|sebagai|mohon|memohon|permohonan|n/a|nihil|salah|gagal|error|terblokir|terkunci|bermasalah|hilang|invalid|masih|akan|agar|jika|bila|apabila|sesuai|minimal|maksimal|harus|wajib|terdiri|jangan|kedaluwarsa|kadaluarsa|expired|nama|nip|nik|perlu|minta|mau|ingin|dari|pada|dengan|karena|ini|itu|serta|ada|bukan|yaitu|adalah|milik|atas|a\.n\.?|an\.?|berikut|sbb|selalu|dapat|bisa|tautan|link|sementara|lama|baru|ya|kosong|dikosongkan|dirahasiakan|diisi|dikirim.*|kepada|oleh|penggantian|pengaturan|ubah|perubahan|data|pemohon|jabatan|unit|email|e-mail|kata|sandi|terima|\[disamarkan\].*)[.,;:]*$`)
)

// noun tells whether the tokens from k on name a secret, and how many they are.
func noun(tokens []string, k int) int {
	w := bareWord(tokens[k])
	if after := secretPairs[w]; k+1 < len(tokens) && after[stem(tokens[k+1])] {
		return 2
	}
	base := stem(w)
	last := base[strings.LastIndexByte(base, '/')+1:] // "user/password"
	if secretNouns[base] || passphraseWord(base) || secretNouns[last] || passphraseWord(last) {
		return 1
	}
	return 0
}

const wordMarks = " .,;()[]\"'“”‘’*_"

func bareWord(s string) string { return strings.ToLower(strings.Trim(s, wordMarks)) }

// stem is "sandi" of "sandinya" and of "sandi-nya".
func stem(s string) string { return strings.TrimSuffix(strings.TrimSuffix(bareWord(s), "nya"), "-") }

// inline masks what stands behind the noun on its line, and tells whether there is one.
func (m *masker) inline(i int) bool {
	for range 8 { // each round masks one value; a line has few
		from, to, named := secretIn(m.lines[i])
		if to == 0 {
			return named
		}
		m.hit = true
		m.lines[i] = m.lines[i][:from] + masked + m.lines[i][to:]
	}
	return true
}

// triedCue stands before what was tried, is remembered or wished for: "sudah dicoba X", "seingat kami X", "kalau tidak salah X", "kalau bisa X".
var triedCue = compile(`(?i)\b(\w*coba|masukkan|dimasukkan|pakai|memakai|dipakai|(meng|di)?gunakan|seingat|(di)?ingat(nya)?|tidak salah|tdk salah|(kalau|jika|bila) (bisa|boleh|dapat)|diganti|menjadi|jadi)( (lagi|saya|sy|kami|beliau|itu|adalah|yaitu|dengan|pakai|memakai|menggunakan|ke|passphrase|password|sandi|yang|lama|baru|kata))*[ :,]*["'“‘(]?$`)

// recalled masks a value that stands apart from its noun, on a line near it: behind such a cue, or, beside the noun, a word of letters, digits
// and signs, as only secrets are.
func (m *masker) recalled(i int, beside bool) {
	tokens, at := tokensOf(m.lines[i])
	for k := len(tokens) - 1; k >= 0; k-- {
		w := strings.Trim(tokens[k], `.,;:?()"'“”‘’*_`)
		if w == "" || strings.Contains(w, masked) || !looksSecret(w, "") || plainAddress.MatchString(w) {
			continue
		}
		before := m.lines[i][:at[k][0]]
		if i > 0 && len(before) < 40 {
			before = m.lines[i-1] + " " + strings.TrimSpace(before)
		}
		before = strings.TrimRight(before[max(0, len(before)-80):], " ")
		strong := strings.ContainsAny(w, "!@#$%^&*") && strings.ContainsAny(w, "0123456789") && len(digitsOf(w)) < len(w)-1
		if len(digitsOf(w)) < len(w) && triedCue.MatchString(before) || beside && strong {
			from := at[k][0] + strings.Index(tokens[k], w)
			m.lines[i], m.hit = m.lines[i][:from]+masked+m.lines[i][from+len(w):], true
		}
	}
}

// plainAddress is what is no secret, wherever it stands.
var plainAddress = compile(`(?i)^\S+@[\w.-]+\.(id|com|net|org)$|^https?:`)

// tokensOf cuts a line at blanks, and tells where each token stands; a colon or an equals sign is a token of its own.
func tokensOf(l string) (tokens []string, at [][2]int) {
	from := -1
	end := func(to int) {
		if from >= 0 {
			tokens, at = append(tokens, l[from:to]), append(at, [2]int{from, to})
		}
		from = -1
	}
	for i, r := range l {
		switch {
		case len(tokens) >= 400:
			return tokens, at
		case r == ':' || r == '=' || r == '：':
			end(i)
			from = i
			end(i + utf8.RuneLen(r))
		case unicode.IsSpace(r):
			end(i)
		case from < 0:
			from = i
		}
	}
	end(len(l))
	return tokens, at
}

// secretIn finds the first value of a secret on a line, and whether the line names one.
func secretIn(l string) (from, to int, named bool) {
	tokens, at := tokensOf(l)
	for k := range tokens {
		n := noun(tokens, k)
		if n == 0 {
			continue
		}
		named = true
		colon, said := false, false
		v := k + n
		for ; v < len(tokens) && v < k+n+9 && !endsSentence(tokens[v-1]); v++ {
			if strings.Trim(tokens[v], ":=：>-–—") == "" {
				colon = colon || strings.ContainsAny(tokens[v], ":=：>")
				continue
			}
			if colon || !secretOf.MatchString(bareWord(tokens[v])) {
				break
			}
			said = said || says.MatchString(bareWord(tokens[v]))
		}
		if v >= len(tokens) || endsSentence(tokens[v-1]) || strings.Contains(l[at[k][1]:at[v][0]], "\t") || strings.Contains(tokens[v], masked) {
			continue
		}
		name := stem(tokens[k+n-1])
		if from, to, ok := valueIn(l, at[k][0], at[v][0], name, colon, said); ok {
			return from, to, true
		}
		// "passphrase yang biasa dipakai: ..."
		for far := v; !colon && far+1 < len(tokens) && far < v+4 && !isLabel(tokens[far]); far++ {
			if w := strings.Trim(tokens[far+1], `.,;()"'`); strings.Trim(tokens[far], ":=：") == "" && len(w) >= 6 && len(digitsOf(w)) < len(w) && looksSecret(w, name) {
				return at[far+1][0] + strings.Index(tokens[far+1], w), at[far+1][0] + strings.Index(tokens[far+1], w) + len(w), true
			}
		}
	}
	return 0, 0, named
}

func endsSentence(token string) bool { return len(token) > 3 && strings.HasSuffix(token, ".") }

// valueIn tells how far a secret reaches that would begin at v; the noun stands at k.
func valueIn(l string, k, v int, noun string, colon, said bool) (from, to int, ok bool) {
	if q := quoted.FindStringSubmatchIndex(l[v:]); q != nil && !notSecret.MatchString(strings.Fields(l[v+q[2]:v+q[3]] + " x")[0]) && (colon || said || l[v] != '(') {
		return v + q[2], v + q[3], true
	}
	end := v + strings.IndexFunc(l[v:]+" ", unicode.IsSpace)
	word := strings.TrimRight(strings.TrimLeft(l[v:end], `"'“‘(*_`), `.,;:)"'”’*_`)
	from = v + strings.Index(l[v:], word)
	if word == "" || notSecret.MatchString(word) || plainAddress.MatchString(word) {
		return 0, 0, false
	}
	switch {
	case colon && beginsLine(l, k): // a labelled line of its own: a passphrase may hold blanks
		rest := l[from:]
		if i := strings.IndexAny(rest, "\r\t"); i >= 0 {
			rest = rest[:i]
		}
		if i := strings.Index(rest, "   "); i >= 0 {
			rest = rest[:i]
		}
		if isLabel(rest) {
			return 0, 0, false
		}
		return from, from + len(strings.TrimRight(rest, " .,;")), len(word) >= 3 || strings.Contains(rest, " ")
	case colon:
		return from, from + len(word), len(word) >= 3 && !isLabel(word)
	case said:
		return from, from + len(word), looksSecret(word, noun) || len(word) >= 4 && strings.ContainsAny(word, "0123456789!@#$%^&*_+?")
	}
	return from, from + len(word), looksSecret(word, noun)
}

// beginsLine: nothing but blanks, list marks or another word with a stroke ("user/") stand before the place on its line.
func beginsLine(l string, at int) bool {
	before := strings.Trim(l[strings.LastIndexByte(l[:at], '\t')+1:at], " *-•_(")
	return before == "" || isOrdinal(before) || listMarkEnd(before+" ") > 0 || len(before) < 16 && strings.HasSuffix(before, "/")
}

// looksSecret: letters with digits or signs among them, or a short number where a PIN or code was announced.
func looksSecret(w, noun string) bool {
	digits, letters, signs := 0, 0, 0
	for _, r := range w {
		switch {
		case unicode.IsDigit(r):
			digits++
		case unicode.IsLetter(r):
			letters++
		case strings.ContainsRune("!@#$%^&*_+?", r):
			signs++
		default:
			if !strings.ContainsRune(".-", r) {
				return false
			}
		}
	}
	if letters == 0 && signs == 0 {
		code := strings.HasSuffix(noun, "pin") || noun == "otp" || noun == "verifikasi" || noun == "token" || noun == "sandi"
		return digits == len(w) && (digits >= 6 && digits <= 12 || code && digits >= 4 && digits <= 8)
	}
	return len(w) >= 5 && letters > 0 && digits+signs > 0 && !strings.HasPrefix(w, ".") && !emailRun.MatchString(w)
}

// cells masks what stands beside or below a cell that says nothing but the noun.
func (m *masker) cells(i int) {
	row := cellsOf(m.lines[i])
	for k, c := range row {
		colon := strings.HasSuffix(strings.TrimSpace(c.text), ":")
		name, ok := onlyNoun(c.text)
		if !ok {
			continue
		}
		if k+1 < len(row) {
			if k+2 == len(row) && !isLabel(row[k+1].text) {
				m.maskCell(i, strings.TrimLeft(row[k+1].text, ": "), true, name)
			}
			if k == 0 || len(row) > 2 {
				m.column(i, c, name)
			}
			continue
		}
		if k > 0 {
			m.column(i, c, name)
			continue
		}
		for j := i + 1; j < len(m.lines) && j <= i+2; j++ {
			if next := cellsOf(m.lines[j]); len(next) > 0 {
				if len(next) == 1 && !isLabel(next[0].text) && !startsSentence(next[0].text) {
					m.maskCell(j, strings.TrimLeft(next[0].text, ": "), colon, name)
				}
				break
			}
		}
	}
}

// column masks the cells below a table's heading.
func (m *masker) column(i int, head cell, name string) {
	misses := 0
	for j := i + 1; j < len(m.lines) && misses < 2; j++ {
		found := false
		for _, c := range cellsOf(m.lines[j]) {
			if c.at < head.end && head.at < c.end || c.at == head.at {
				found = true
				m.maskCell(j, c.text, strings.Contains(m.lines[i], "\t"), name)
			}
		}
		if !found {
			misses++
		}
	}
}

// maskCell masks a cell's text: where a label or tab vouches for it whatever it is, else only what looks like a secret.
func (m *masker) maskCell(i int, text string, vouched bool, name string) {
	w := strings.Fields(text)
	if len(w) == 0 || len(w) > 6 || notSecret.MatchString(w[0]) || strings.Contains(text, masked) || isLabel(text) || emailRun.MatchString(text) || len(digitsOf(text)) > 14 {
		return
	}
	if !vouched && !looksSecret(w[0], name) || len(text) < 3 {
		return
	}
	if at := strings.LastIndex(m.lines[i], text); at >= 0 {
		m.hit = true
		m.lines[i] = m.lines[i][:at] + masked + m.lines[i][at+len(text):]
	}
}

// onlyNoun: a cell of the noun and its adjectives alone.
func onlyNoun(s string) (string, bool) {
	if n := listMarkEnd(s); n > 0 {
		s = s[n:]
	}
	w := strings.Fields(strings.Trim(s, " :=*_"))
	if len(w) == 0 || len(w) > 7 {
		return "", false
	}
	n := noun(w, 0)
	if n == 0 {
		return "", false
	}
	for _, x := range w[n:] {
		if b := bareWord(x); b != "" && !secretOf.MatchString(b) {
			return "", false
		}
	}
	return bareWord(w[n-1]), true
}

// digitRun is a whole run of digits with single marks between them, so that the 18 digits of a NIP are not taken for 16.
var digitRun = compile(`\d(?:[ .\-]?\d){15,}`)

// Scrub is a text without secrets and identity numbers, of citizens and of officials: for what is kept in clear, so that it can be sorted
// and searched. Strangers write such numbers anywhere, into subjects and the names of files too.
func Scrub(text string) string {
	return digitRun.ReplaceAllStringFunc(Mask(text), func(s string) string {
		if n := len(digitsOf(s)); n != 16 && n != 18 {
			return s
		}
		return "(nomor identitas)"
	})
}

// MaskNIK hides the middle of every 16-digit number of a text: the region and the serial stay, so that a person can still compare.
func MaskNIK(text string) string {
	return digitRun.ReplaceAllStringFunc(text, func(s string) string {
		d := digitsOf(s)
		if len(d) != 16 {
			return s
		}
		return d[:4] + "********" + d[12:]
	})
}
