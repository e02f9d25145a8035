package letter

import (
	"strings"
)

// setText chooses the body and sets apart what was quoted, passed on, and the signature.
func (m *Mail) setText(b bodies) {
	plain := strings.TrimRight(strings.Join(b.plain, "\n"), "\n ")
	rich := ""
	tables := false
	for _, h := range b.html {
		rich += htmlText(h) + "\n"
		tables = tables || strings.Contains(strings.ToLower(h), "<table")
	}
	rich = strings.TrimRight(rich, "\n ")
	text := plain
	if strings.TrimSpace(plain) == "" || (tables && strings.Contains(rich, "\t") && len(rich) > len(plain)/2) {
		// A plain twin flattens tables; the HTML one still knows which cell is in which column.
		text, m.Alternative = rich, plain
	} else {
		m.Alternative = rich
	}
	if strings.TrimSpace(text) == "" {
		m.Alternative = ""
	}
	text = strings.NewReplacer("\r\n", "\n", "\r", "\n", "\u00a0", " ", "\u200b", "", "\ufeff", "").Replace(text)
	m.Text, m.Quoted, m.Forwarded, m.Sign = setApart(text, forwardSubject.MatchString(m.Subject))
}

var (
	forwardLine  = compile(`(?i)^[\s>*_-]*-{2,}\s*(forwarded message|forwarded by .*|pesan (yang )?(diteruskan|terusan|diforward)|pesan yang diteruskan|surel diteruskan|diteruskan|message transféré)\s*[:-]*|^\s*>?\s*(begin forwarded message|awal pesan (yang )?diteruskan|mulai pesan (yang )?diteruskan|pesan diteruskan|pesan terusan)\s*:?\s*$`)
	originalLine = compile(`(?i)^\s*-{2,}\s*(original message|pesan asli|pesan sebelumnya|original appointment|reply message|balasan|original-nachricht)\s*-*\s*$`)
	wroteLine    = compile(`(?i)^\s*(on|pada|el|le|am|tanggal|pd\.?)\b.{0,200}\b(wrote|menulis|tulis|menuliskan)\b.{0,120}:\s*$|^.{0,160}<?[\w.+-]+@[\w.-]+>?\)?\s*(wrote|menulis)\s*:\s*$|^\s*[\w ,.'-]{3,80}\b(menulis|wrote)\s*:\s*$`)
	headerFrom   = compile(`(?i)^\s*\*?(from|dari|pengirim)\s*\*?\s*:\*?\s*\S`)
	headerOther  = compile(`(?i)^\s*\*?(sent|date|to|cc|subject|dikirim|terkirim|tanggal|kepada|ke|subjek|perihal|hal|subyek|untuk)\s*\*?\s*:\*?\s*\S`)
	headerStrong = compile(`(?i)^\s*\*?(sent|date|subject|dikirim|terkirim|subjek|subyek|to|tanggal|kepada|ke)\s*\*?\s*:`)
	ruleLine     = compile(`^\s*_{20,}\s*$`)
	signLine     = compile(`^-- ?$`)
	mobileSign   = compile(`(?i)^\s*((sent|dikirim|terkirim|get) (from|dari|outlook|lewat|menggunakan|via) .{2,60}|dapatkan outlook untuk .*|sent with .*|diunduh dari .*)$`)
)

// setApart separates a mail's new text from older mail quoted in it, from a mail passed on in it, and from the sender's signature. Lines
// marked "> " are quoted wherever they stand, so answers between them stay part of the text. Outlook puts the same block of header lines
// above what it quotes and what it passes on: forward, from the subject, tells which.
func setApart(text string, forward bool) (fresh, quoted, forwarded, sign string) {
	lines := strings.Split(text, "\n")
	var f, q, fw, s []string
	into := &f
	for i := 0; i < len(lines); i++ {
		l := lines[i]
		switch {
		case into == &fw:
			// Everything below a forward mark belongs to what was passed on.
			*into = append(*into, unquote(l))
			continue
		case forwardLine.MatchString(l) && into != &q:
			into = &fw
			continue
		case originalLine.MatchString(l):
			into = &q
			continue
		case wroteLine.MatchString(l), i+1 < len(lines) && strings.TrimSpace(l) != "" && len(l) < 120 && attributionStart.MatchString(l) && wroteLine.MatchString(l+" "+lines[i+1]):
			if !wroteLine.MatchString(l) {
				i++ // the attribution runs over two lines
			}
			if restIsQuoted(lines[i+1:]) {
				into = &q
			}
			continue
		case headerBlock(lines[i:]):
			into = &q
			if forward || strings.TrimSpace(strings.Join(f, "")) == "" {
				into = &fw
			}
			*into = append(*into, l)
			continue
		case ruleLine.MatchString(l) && i+1 < len(lines) && headerBlock(lines[i+1:]):
			continue
		case signLine.MatchString(strings.TrimRight(l, "\r")) && into == &f:
			into = &s
			continue
		}
		if into != &q && strings.HasPrefix(strings.TrimLeft(l, " "), ">") {
			q = append(q, unquote(l))
			continue
		}
		if mobileSign.MatchString(l) && into == &f {
			s = append(s, l)
			continue
		}
		*into = append(*into, l)
	}
	return join(f), join(q), join(fw), join(s)
}

var forwardSubject = compile(`(?i)^\s*(\[[^\]]*\]\s*)?(fw|fwd|trs|tr|terusan|diteruskan|forward|i)\s*:`)

var attributionStart = compile(`(?i)^\s*(on|pada)\b.*\d`)

// headerBlock reports whether the lines begin with the header block that Outlook puts above older mail.
func headerBlock(lines []string) bool {
	if !headerFrom.MatchString(lines[0]) {
		return false
	}
	n, strong := 0, 0
	for _, l := range lines[1:min(len(lines), 7)] {
		if headerOther.MatchString(l) {
			n++
		}
		if headerStrong.MatchString(l) {
			strong++
		}
	}
	return n >= 2 && strong >= 2
}

// restIsQuoted: after "Pada ... menulis:" everything is quoted unless some lines carry no mark while others do.
func restIsQuoted(lines []string) bool {
	for _, l := range lines {
		if strings.HasPrefix(strings.TrimLeft(l, " "), ">") {
			return false // marks will tell line by line; answers below stay
		}
	}
	return true
}

func unquote(l string) string {
	for {
		t := strings.TrimLeft(l, " ")
		if !strings.HasPrefix(t, ">") {
			return l
		}
		l = strings.TrimPrefix(strings.TrimPrefix(t, ">"), " ")
	}
}

func join(lines []string) string {
	return strings.Trim(strings.Join(lines, "\n"), "\n \t")
}
