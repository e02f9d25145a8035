package console

import (
	"fmt"
	"regexp"
	"strings"

	"pulih/internal/letter"
)

// document is one part's text.
type document struct {
	Name  string
	Lines []textLine
}

// textLine is a line with the fields that were found in it, or the break before a page.
type textLine struct {
	ID     string // of a line with fields: their source links here
	Indent string // blanks before the text
	Text   string
	Fields string
	How    string
	Page   int // begins here; 0: an ordinary line
}

const linesShown = 400 // of one document

// laidText lays the texts of a letter out on the page, and keeps where each field's line stands.
type laidText struct {
	v    *letterView
	r    letter.Reading
	hide func(string) string
}

func layText(v *letterView, r letter.Reading) *laidText {
	v.anchors = map[string]string{}
	return &laidText{v: v, r: r, hide: hiding(r)}
}

// add lays out the text of a part, unless it is blank, page by page; evidence of that part marks its lines.
func (t *laidText) add(name, part, text string) {
	if strings.TrimSpace(text) == "" {
		return
	}
	d := document{Name: name}
	var evidence []letter.Evidence
	for _, e := range t.r.Evidence {
		if e.Part == part && fold(e.Text) != "" {
			evidence = append(evidence, e)
		}
	}
	pages := strings.Split(strings.TrimRight(letter.Mask(text), "\f \n"), "\f")
	blank := 0
	for n, page := range pages {
		if n > 0 {
			d.Lines = append(d.Lines, textLine{Page: n + 1})
		}
		for raw := range strings.SplitSeq(page, "\n") {
			if len(d.Lines) >= linesShown {
				d.Lines = append(d.Lines, textLine{Text: "… selebihnya ada pada berkas aslinya."})
				t.v.Texts = append(t.v.Texts, d)
				return
			}
			if strings.TrimSpace(raw) == "" {
				if blank++; blank > 1 {
					continue
				}
			} else {
				blank = 0
			}
			line := t.line(strings.TrimRight(strings.ReplaceAll(raw, "\t", "    "), " "))
			for _, e := range evidence {
				if fold(e.Text) == fold(raw) && (e.Page == 0 || len(pages) == 1 || e.Page == n+1) {
					t.mark(&line, e)
				}
			}
			d.Lines = append(d.Lines, line)
		}
	}
	t.v.Texts = append(t.v.Texts, d)
}

// metadata lays out what Srikandi's register says of the letter.
func (t *laidText) metadata() {
	d := document{Name: "Data naskah di Srikandi"}
	for _, e := range t.r.Evidence {
		if e.Part == "srikandi" {
			line := t.line(e.Text)
			t.mark(&line, e)
			d.Lines = append(d.Lines, line)
		}
	}
	if len(d.Lines) > 0 {
		t.v.Texts = append(t.v.Texts, d)
	}
}

// rest lays out the lines of fields that no text shows as they were read: cells of a table put together, or lines beyond those shown.
func (t *laidText) rest() {
	t.v.Other.Name = "Juga terbaca di surat"
	for _, e := range t.r.Evidence {
		if t.v.anchors[e.Field] != "" || fieldWord(e.Field) == "" || e.Part == "mail" && fold(e.Text) == fold(t.v.Subject) { // the subject stands above
			continue
		}
		line := t.line(e.Text)
		t.mark(&line, e)
		line.Fields += " · " + sourceWords(letter.Evidence{Part: e.Part, Page: e.Page})
		t.v.Other.Lines = append(t.v.Other.Lines, line)
	}
}

func (t *laidText) line(raw string) textLine {
	text := t.hide(raw)
	flush := strings.TrimLeft(text, " ")
	return textLine{Indent: text[:len(text)-len(flush)], Text: flush}
}

// mark notes that a field was found in the line.
func (t *laidText) mark(l *textLine, e letter.Evidence) {
	word := fieldWord(e.Field)
	if word == "" {
		return
	}
	l.How = e.How
	if l.ID == "" {
		l.ID = fmt.Sprintf("baris-%d-%d", t.v.ID, len(t.v.anchors)+1)
	}
	if t.v.anchors[e.Field] == "" {
		t.v.anchors[e.Field] = "#" + l.ID
	}
	switch {
	case l.Fields == "":
		l.Fields = word
	case !strings.Contains(l.Fields, word):
		l.Fields += ", " + word
	}
}

// hiding masks secrets and identity numbers in a letter's text, those too in which letters were read for digits.
func hiding(r letter.Reading) func(string) string {
	var misread []*regexp.Regexp
	for _, c := range r.Corrections {
		if !strings.HasSuffix(c.Field, ".nik") {
			continue
		}
		var chars []string
		for _, x := range bare(c.Read) {
			chars = append(chars, regexp.QuoteMeta(string(x)))
		}
		if re, err := regexp.Compile(strings.Join(chars, `[\s\x{a0}.\-]*`)); err == nil && len(chars) > 0 {
			misread = append(misread, re)
		}
	}
	return func(s string) string {
		for _, re := range misread {
			s = re.ReplaceAllStringFunc(s, hideNIK)
		}
		return clean(s)
	}
}

// hideNIK keeps the ends of an identity number, whatever was read in it.
func hideNIK(s string) string {
	r := bare(s)
	if len(r) < 12 {
		return strings.Repeat("*", len(r))
	}
	return string(r[:4]) + "********" + string(r[len(r)-4:])
}
