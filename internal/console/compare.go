package console

import (
	"slices"
	"strings"

	"pulih/internal/letter"
)

// comparison shows what a letter has beside what pulih reads there, character below character.
type comparison struct {
	Label          string
	Read, Proposed []run
	Used           bool
	Email          bool
	Hidden         bool   // a NIK that the visitor hasn't asked to see: only what differs is shown
	Line           string // of the letter
	Source         *source
}

// run is a stretch of characters that are the same in both, or all differ.
type run struct {
	Text    string
	Differs bool
}

func (d *requestPage) comparison(c letter.Correction, v letterView, r letter.Reading) comparison {
	out := comparison{Label: fieldWord(c.Field), Used: c.Used, Source: v.sourceOf(r, c.Field)}
	if c.Field == "letter.signer.nip" {
		out.Label = "NIP penanda tangan"
	}
	gaps := map[int]bool{8: true, 14: true, 15: true} // as spacedNIP writes it
	switch {
	case strings.HasSuffix(c.Field, ".email"):
		gaps, out.Email = nil, true
	case strings.HasSuffix(c.Field, ".nik"):
		gaps, out.Hidden = map[int]bool{6: true, 12: true}, d.NIK == ""
	}
	out.Read, out.Proposed = alignRuns(c, gaps, out.Hidden)
	hide := hiding(r)
	if i := slices.IndexFunc(r.Evidence, func(e letter.Evidence) bool { return e.Field == c.Field }); i >= 0 {
		if out.Line = letter.Mask(r.Evidence[i].Text); d.NIK == "" {
			out.Line = hide(out.Line)
		}
	}
	return out
}

// alignRuns lays both texts under each other, in the groups in which such a number is written. A correction is as long as what was read, but for
// a colon before the number that was read as its first digit.
func alignRuns(c letter.Correction, gaps map[int]bool, hidden bool) (read, proposed []run) {
	a, b := []rune(strings.ReplaceAll(c.Read, " ", "␣")), []rune(c.Proposed)
	if gaps != nil {
		a = bare(c.Read)
	}
	long := max(len(a), len(b))
	a, b = padded(a, long), padded(b, long)
	for i := range long {
		differs := a[i] != b[i]
		x, y := string(a[i]), string(b[i])
		if hidden && !differs {
			x, y = "•", "•"
		}
		if gaps[i-long+len([]rune(c.Proposed))] {
			read, proposed = grow(read, " ", false), grow(proposed, " ", false)
		}
		read, proposed = grow(read, x, differs), grow(proposed, y, differs)
	}
	return read, proposed
}

// bare is a number without what people write between its digits.
func bare(s string) []rune {
	return slices.DeleteFunc([]rune(s), func(r rune) bool { return strings.ContainsRune(" \t.-\u00a0", r) })
}

func padded(r []rune, n int) []rune {
	return append(slices.Repeat([]rune{'–'}, n-len(r)), r...)
}

func grow(list []run, text string, differs bool) []run {
	if n := len(list); n > 0 && list[n-1].Differs == differs {
		list[n-1].Text += text
		return list
	}
	return append(list, run{text, differs})
}
