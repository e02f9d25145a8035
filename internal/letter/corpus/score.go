package corpus

import (
	"context"
	"fmt"
	"sort"
	"strings"

	"pulih/internal/letter"
)

// Score counts how readings compare with what was wanted.
type Score struct {
	Letters   int
	Right     int // kinds
	False     int // a reset opened that nobody asked for
	Lost      int // a reset left in the inbox
	confusion map[[2]letter.Kind]int
	fields    map[string][2]int // right, all
}

// Add compares one reading and returns the differences.
func (s *Score) Add(l Letter, r letter.Reading) []string {
	if s.confusion == nil {
		s.confusion, s.fields = map[[2]letter.Kind]int{}, map[string][2]int{}
	}
	var diffs []string
	s.Letters++
	s.confusion[[2]letter.Kind{l.Want.Kind, r.Kind}]++
	if l.Want.Kind == r.Kind {
		s.Right++
	} else {
		diffs = append(diffs, fmt.Sprintf("kind: want %s, got %s %v", l.Want.Kind, r.Kind, r.Reasons))
	}
	if r.Kind == letter.ResetRequest && l.Want.Kind != letter.ResetRequest {
		s.False++
	}
	if l.Want.Kind == letter.ResetRequest && r.Kind != letter.ResetRequest && r.Kind != letter.Unclear {
		s.Lost++
	}
	if l.Want.KindOnly {
		return diffs
	}
	field := func(name string, want, got *string) {
		c := s.fields[name]
		c[1]++
		if deref(want) == deref(got) {
			c[0]++
		} else {
			diffs = append(diffs, fmt.Sprintf("%s: want %q, got %q", name, deref(want), deref(got)))
		}
		s.fields[name] = c
	}
	field("number", l.Want.Letter.Number, r.Letter.Number)
	field("date", l.Want.Letter.Date, r.Letter.Date)
	field("subject", l.Want.Letter.Subject, r.Letter.Subject)
	field("office", l.Want.Letter.Office, r.Letter.Office)
	ws, gs := l.Want.Letter.Signer, r.Letter.Signer
	if ws == nil {
		ws = &letter.Signer{}
	}
	if gs == nil {
		gs = &letter.Signer{}
	}
	field("signer.name", ws.Name, gs.Name)
	field("signer.nip", ws.NIP, gs.NIP)
	field("signer.position", ws.Position, gs.Position)
	if len(l.Want.Applicants) != len(r.Applicants) {
		diffs = append(diffs, fmt.Sprintf("applicants: want %d, got %d", len(l.Want.Applicants), len(r.Applicants)))
	}
	for i := range max(len(l.Want.Applicants), len(r.Applicants)) {
		var w, g letter.Applicant
		if i < len(l.Want.Applicants) {
			w = l.Want.Applicants[i]
		}
		if i < len(r.Applicants) {
			g = r.Applicants[i]
		}
		field("applicant.name", w.Name, g.Name)
		field("applicant.nip", w.NIP, g.NIP)
		field("applicant.nik", w.NIK, g.NIK)
		field("applicant.email", w.Email, g.Email)
		field("applicant.phone", w.Phone, g.Phone)
		field("applicant.position", w.Position, g.Position)
		field("applicant.rank", w.Rank, g.Rank)
		field("applicant.office", w.Office, g.Office)
	}
	return diffs
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// String is the report of make eval-letters.
func (s *Score) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "letters %d, kind right %d (%.1f %%), false resets %d, lost resets %d\n", s.Letters, s.Right, 100*float64(s.Right)/float64(max(1, s.Letters)), s.False, s.Lost)
	var pairs [][2]letter.Kind
	for p := range s.confusion {
		pairs = append(pairs, p)
	}
	sort.Slice(pairs, func(i, j int) bool {
		return string(pairs[i][0])+string(pairs[i][1]) < string(pairs[j][0])+string(pairs[j][1])
	})
	for _, p := range pairs {
		mark := " "
		if p[0] != p[1] {
			mark = "!"
		}
		fmt.Fprintf(&b, "%s %-26s read as %-26s %d\n", mark, p[0], p[1], s.confusion[p])
	}
	var names []string
	right, all := 0, 0
	for n, c := range s.fields {
		names = append(names, n)
		right, all = right+c[0], all+c[1]
	}
	sort.Strings(names)
	for _, n := range names {
		c := s.fields[n]
		fmt.Fprintf(&b, "  %-20s %4d of %4d exact (%.1f %%)\n", n, c[0], c[1], 100*float64(c[0])/float64(c[1]))
	}
	fmt.Fprintf(&b, "  %-20s %4d of %4d exact (%.1f %%)\n", "all fields", right, all, 100*float64(right)/float64(max(1, all)))
	return b.String()
}

// Scans prints some letters and scans them: their pages as pictures, as PDF without text and as PNG.
func Scans(ctx context.Context, reader *letter.Reader) ([]Letter, error) {
	var out []Letter
	for i, k := range []int{0, 1, 10, 12, 15, 19, 3, 24, 25, 4} {
		l := resetLayouts[k]
		w := newWorld(uint64(7000+i), l.people)
		d, want := l.write(w)
		pages, err := reader.Pages(ctx, d.PDF(), 3)
		if err != nil {
			return nil, fmt.Errorf("printing a letter: %w", err)
		}
		x := Letter{ID: fmt.Sprintf("S%03d", i+1), Layout: l.name + ", pindaian", Want: want, Scan: true}
		if i%2 == 0 && len(pages) == 1 {
			x.File = File{fmt.Sprintf("s%02d.png", i), pages[0]}
		} else {
			x.File = File{fmt.Sprintf("s%02d.pdf", i), ScanPDF(pages...)}
		}
		out = append(out, x)
	}
	return out, nil
}

// Shares are the shares of right kinds and of exact fields.
func (s *Score) Shares() (kinds, fields float64) {
	right, all := 0, 0
	for _, c := range s.fields {
		right, all = right+c[0], all+c[1]
	}
	return float64(s.Right) / float64(max(1, s.Letters)), float64(right) / float64(max(1, all))
}
