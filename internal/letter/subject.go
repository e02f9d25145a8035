package letter

import (
	"slices"
	"strings"
)

// asksFirst tells whether a subject that names a reset asks for it, and doesn't speak about one: it begins with the request, or with what is
// done to the passphrase. "Ralat Permohonan Reset", "Permohonan Data Pejabat Lupa Passphrase" and "Balasan atas ..." begin with another thing.
// Who writes, a number and a word of haste may stand before a colon or a dash.
func asksFirst(subject string) bool {
	for part := range strings.SplitSeq(headingBreak.ReplaceAllString(subject, "\n"), "\n") {
		if b := beginsWith(wordsOf([]line{{text: part}})); b != onlyAddress {
			return b == theRequest
		}
	}
	return false
}

// onlyMentions takes from a subject what it seemed to ask. One that names another service, an account or a withdrawal beside the reset goes to a
// human as it is.
func (s *signals) onlyMentions() {
	if len(s.services) == 0 && s.cancel+s.account+s.status+s.event == "" {
		s.resets, s.mentions = nil, append(s.resets, s.mentions...)
		s.named, s.direct = false, false
	}
}

// withoutSubject are the lines of the text but for those of its subject, whose "permohonan" isn't the writer's.
func (c *content) withoutSubject() []line {
	lines := slices.Clone(c.sheet.lines)
	repeats := func(x cell) bool { return len(x.text) > 3 && strings.Contains(c.subject.text, x.text) }
	for i := c.subject.line; c.subject.text != "" && i < len(lines) && (i == c.subject.line || slices.ContainsFunc(c.sheet.cells[i], repeats)); i++ {
		lines[i].text = ""
	}
	return lines
}

// headingBreak is what sets parts of a subject apart, and a letter's number.
var headingBreak = compile(`[:;|()\[\]—]|\s[-–]\s|\S*\d\S*/\S+`)

// What a part of a subject begins with.
const (
	onlyAddress  = iota // nothing yet: "Penting", "Dinas Kesehatan", "Re"
	theRequest          // "permohonan reset", "lupa passphrase", "passphrase TTE"
	anotherThing        // "ralat permohonan reset"
)

// beginsWith judges one part of a subject by the words before the action or the passphrase.
func beginsWith(words []word) int {
	begins := map[int]mark{}
	for _, m := range marksOf(words) {
		begins[m.at] = m
	}
	asked, named := false, false
	for k := 0; k < len(words); k++ {
		w := words[k].text
		m, known := begins[k]
		if known {
			k = m.end - 1
		}
		switch {
		case m.term == termForget:
			return theRequest
		case m.term == termReset, m.term == termReplace, m.term == termSecret:
			if named && !asked {
				return anotherThing
			}
			return theRequest
		case m.term == termAsk:
			asked = true
		case w == "surat" && asked: // "permohonan surat keterangan reset"
			return anotherThing
		case persons[w], honorific[w], officeWord.MatchString(w):
			named = named || !asked
		case reportsTrouble(words, k):
		case opening[w], helping[w], joining[w], reason[w], purpose[w], strings.ContainsAny(w, "0123456789"),
			slices.Contains([]term{termSelf, termTrouble, termSignature, termPassword, termNot}, m.term),
			asked && slices.Contains([]term{termIssue, termRenew, termRevoke, termChange, termChangeData}, m.term), // each is weighed by itself
			named && !known: // the rest of a name
		default:
			return anotherThing
		}
	}
	return onlyAddress
}

var (
	// opening words stand before a request without being what it is about.
	opening   = setOf("formulir form pengantar penyampaian re fw fwd penting urgent mendesak darurat asap naskah masuk baru srikandi yang orang ulang nomor no")
	honorific = setOf("pak bu bapak ibu sdr sdri saudara saudari kec kel")
)
