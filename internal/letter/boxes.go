package letter

import (
	"strings"
)

// form is what a combined form's boxes say.
type form struct {
	ticked      []string
	resetTicked bool
	otherTicked bool
	options     int
}

// subjectLists: the form's subject names all its services ("Permohonan Penerbitan/Pembaruan/Reset"), so it decides nothing.
func (f form) subjectLists(subj *signals) bool {
	return len(subj.services) > 1 || len(subj.services) >= 1 && subj.bare != ""
}

var (
	box         = compile(`\[\s*([xXvV√✓✔☑☒✗✘*●■]?)\s*\]|\(\s*([xXvV√✓✔☑☒✗✘*●]?)\s*\)|\{\s*([xXvV√✓]?)\s*\}|(☐|□|▢|◻|○|❏|❑|❒)|(☑|☒|✅|🗹|🗷|■|●|◉|▣)|\s(√|✓|✔|✗|✘)(?:\s|$)|^\s*(√|✓|✔|✗|✘)|_\s?([xXvV√✓])\s?_|(?:^|\s)(_{2,5})(?:\s|$)`)
	optionWord  = compile(`(?i)\b(reset|lupa|atur(an)? ulang|pengaturan ulang|pembuatan|pendaftaran|penerbitan|registrasi|baru|pembaharuan|pembaruan|perpanjangan|pencabutan|perubahan|aktivasi|renewal|penonaktifan|revoke)\b`)
	resetOption = compile(`(?i)\b(reset|lupa|atur ulang|pengaturan ulang|pemulihan)\b`)
	otherReset  = compile(`(?i)\b(password|kata sandi|sandi|akun)\b.*\b(e-?mail|srikandi|portal|vpn|cpanel|website|simpeg|otp)\b|\b(reset|lupa)\s+(e-?mail|otp|akun|srikandi)\b`)
)

// What OCR makes of "[X]" and "[ ]".
var (
	ocrBox      = compile(`[\[({|LI]\s?[xXvV√*]\s?[\])}|J1lI]`)
	ocrEmptyBox = compile(`[\[({|]\s{0,3}[\])}|J]|\bL\]|\[J\b|\bLJ\b|\bL\s\]|\[\sJ\b|\bU\b\s|\bO\b\s`)
)

// chosen reads "Jenis permohonan : Reset": a single choice that was typed in.
func (s *sheet) chosen(i int) (option, bool) {
	before, value, ok := cutColon(strings.Join(strings.Fields(s.lines[i].text), " "))
	if !ok || !choiceLabel.MatchString(before) || value == "" || box.MatchString(value) || strings.ContainsAny(value, "/*") {
		return option{}, false
	}
	value = strings.Trim(value, " .;,:")
	if len(value) > 60 || !optionWord.MatchString(value) {
		return option{}, false
	}
	return option{value, true, i}, true
}

var choiceLabel = compile(`(?i)^\s*(?:\d+[.)]\s*)?(jenis (layanan|permohonan|pengajuan)|layanan( yang (dimohon|diminta))?|permohonan|pilihan layanan)( .{0,30})?$`)

// option is one choice of a form.
type option struct {
	text   string
	ticked bool
	line   int
}

// readBoxes reads a combined form: ok is false unless at least two services stand beside boxes, a reset among them.
func readBoxes(s *sheet) (form, bool) {
	var options []option
	for i := range s.lines {
		options = append(options, s.lineOptions(i)...)
	}
	var f form
	reset := false
	for _, o := range options {
		f.options++
		isReset := resetOption.MatchString(o.text) && !otherReset.MatchString(o.text)
		reset = reset || isReset
		if o.ticked {
			f.ticked = append(f.ticked, o.text)
			f.resetTicked = f.resetTicked || isReset
			f.otherTicked = f.otherTicked || !isReset
		}
	}
	if f.options >= 2 && reset {
		return f, true
	}
	for i := range s.lines {
		if o, ok := s.chosen(i); ok && resetOption.MatchString(o.text) && !otherReset.MatchString(o.text) && formTopic.MatchString(s.text()) {
			f = form{ticked: []string{o.text}, resetTicked: true, otherTicked: countServices(o.text) > 1, options: 1}
			return f, true
		}
	}
	return f, false
}

var formTopic = compile(`(?i)\btte\b|tanda\s*tangan\s*elektronik|sertifikat\s*elektronik|pass?\s?phrase`)

// lineOptions reads the boxes of one line with the words that belong to each: those behind it where a box comes first, those before it
// where words come first.
func (s *sheet) lineOptions(i int) []option {
	text := strings.Join(strings.Fields(strings.ReplaceAll(s.lines[i].text, "\t", "  ")), " ")
	if !optionWord.MatchString(text) {
		return nil
	}
	if reasonLabel.MatchString(text) {
		return nil
	}
	if o, ok := s.tickColumn(i); ok {
		return []option{o}
	}
	if s.how == "ocr" {
		text = ocrBox.ReplaceAllString(text, "[X]")
		text = ocrEmptyBox.ReplaceAllString(text, "[ ]")
	}
	marks := box.FindAllStringSubmatchIndex(text, 30)
	if len(marks) == 0 {
		return s.bareTick(i, text)
	}
	head := text[:marks[0][0]]
	if _, v, ok := cutColon(head); ok {
		head = v
	} else if strings.HasSuffix(strings.TrimSpace(head), ":") {
		head = ""
	}
	boxFirst := !optionWord.MatchString(head)
	var out []option
	for k, m := range marks {
		var label string
		if boxFirst {
			end := len(text)
			if k+1 < len(marks) {
				end = marks[k+1][0]
			}
			label = text[m[1]:end]
		} else {
			from := m[0] - len(head)
			if k > 0 {
				from = marks[k-1][1]
			}
			label = text[from:m[0]]
		}
		label = strings.Trim(strings.TrimSpace(label), "/,;.*:- ")
		if label == "" || !optionWord.MatchString(label) {
			continue
		}
		out = append(out, option{label, ticked(m), i})
	}
	return out
}

// reasonLabel begins the lines of a form whose boxes choose no service.
var reasonLabel = compile(`(?i)^(\d+[.)]\s*)?(alasan|penyebab|status|kelengkapan|berkas|lampiran|dokumen|persyaratan|keperluan)\b`)

func ticked(m []int) bool {
	for _, g := range []int{1, 2, 3, 5, 6, 7, 8} {
		if m[2*g] >= 0 && m[2*g+1] > m[2*g] {
			return true
		}
	}
	return false
}

var tickOnly = compile(`^\s*(?:[xXvV√✓✔☑☒✗✘■●*]|\[\s*[xXvV√✓✔]\s*\]|\(\s*[xXvV√✓✔]\s*\))\s*$`)
var emptyOnly = compile(`^\s*(?:\[\s*\]|\(\s*\)|[☐□○▢-]|)\s*$`)

// tickColumn reads a table row of an option and a cell with nothing but its mark.
func (s *sheet) tickColumn(i int) (option, bool) {
	if !strings.Contains(strings.TrimSpace(s.lines[i].text), "\t") {
		return option{}, false
	}
	label, mark, seen := "", false, false
	for _, c := range s.cells[i] {
		switch {
		case tickOnly.MatchString(c.text):
			mark, seen = true, true
		case emptyOnly.MatchString(c.text):
			seen = true
		case optionWord.MatchString(c.text) && !strings.Contains(c.text, ":") && len(c.text) < 80 && !box.MatchString(c.text):
			if label != "" {
				return option{}, false
			}
			label = c.text
		case isOrdinal(c.text):
		default:
			return option{}, false
		}
	}
	return option{label, mark, i}, label != "" && (seen || s.tickNear(i))
}

// tickNear: a neighbouring row of the table has a mark, so this one's empty cell is a box too.
func (s *sheet) tickNear(i int) bool {
	for j := max(0, i-6); j < min(len(s.cells), i+7); j++ {
		if j == i || len(s.cells[j]) == 0 {
			continue
		}
		hasTick, hasOption := false, false
		for _, c := range s.cells[j] {
			hasTick = hasTick || tickOnly.MatchString(c.text)
			hasOption = hasOption || optionWord.MatchString(c.text)
		}
		if hasTick && hasOption {
			return true
		}
	}
	return false
}

var bareMark = compile(`^(?:[-•*]\s*)?(?:\(?[a-z\d][.)]\s*)?([xXvV√✓✔☑])\s+(.+)$|^(.+?)\s+([vV√✓✔☑]|[xX])\s*$`)

// bareTick reads "v Reset Passphrase" without a bracket, among lines that are options too.
func (s *sheet) bareTick(i int, text string) []option {
	if len(text) > 70 || strings.Contains(text, ":") {
		return nil
	}
	m := bareMark.FindStringSubmatch(text)
	near := false
	for j := max(0, i-4); j < min(len(s.lines), i+5); j++ {
		t := strings.Join(strings.Fields(s.lines[j].text), " ")
		if j != i && len(t) < 70 && optionWord.MatchString(t) && bareMark.MatchString(t) {
			near = true
		}
	}
	switch {
	case m != nil:
		label := m[2] + m[3]
		// Another short option line near it makes this a form.
		for j := max(0, i-3); j < min(len(s.lines), i+4); j++ {
			t := strings.Join(strings.Fields(s.lines[j].text), " ")
			if j != i && t != "" && len(t) < 60 && optionWord.MatchString(t) && !strings.Contains(t, ":") {
				return []option{{label, true, i}}
			}
		}
	case near && len(text) < 60:
		return []option{{text, false, i}}
	}
	return nil
}

var strikeCue = compile(`(?i)\bcoret\b|dicoret|coret salah satu|pilih salah satu|lingkari|\*\)\s*pilih`)
var serviceWords = []*pattern{
	compile(`(?i)\b(reset|lupa|pengaturan ulang|atur ulang)\b`),
	compile(`(?i)\b(pembuatan|penerbitan|pendaftaran|registrasi)\b`),
	compile(`(?i)\b(perpanjangan|pembaruan|pembaharuan)\b`),
	compile(`(?i)\b(pencabutan|penonaktifan)\b`),
	compile(`(?i)\b(perubahan)\b`),
}

// combined finds a line that offers a reset beside other services.
func combined(s *sheet) string {
	for i := range s.lines {
		t := strings.Join(strings.Fields(s.lines[i].text), " ")
		if len(t) < 160 && strings.ContainsAny(t, "/[]()☐□*:|") && serviceWords[0].MatchString(t) && countServices(t) >= 2 {
			return t
		}
	}
	return ""
}

func countServices(t string) int {
	n := 0
	for _, re := range serviceWords {
		if re.MatchString(t) {
			n++
		}
	}
	return n
}

// strikeOut finds a form whose unwanted services are to be struck out.
func strikeOut(s *sheet) (string, bool) {
	cue := false
	for _, l := range s.lines {
		cue = cue || strikeCue.MatchString(l.text) || strings.Contains(l.text, "~~")
	}
	for i := range s.lines {
		t := s.lines[i].text
		if i+1 < len(s.lines) {
			t += " " + s.lines[i+1].text
		}
		if serviceWords[0].MatchString(t) && countServices(t) >= 2 && (cue || strings.Contains(t, "*)")) && strings.Contains(t, "/") {
			return strings.Join(strings.Fields(s.lines[i].text), " "), true
		}
	}
	return "", false
}
