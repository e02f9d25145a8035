package letter

import (
	"regexp"
	"testing"

	"pgregory.net/rapid"
)

// A pattern says of every text what package regexp says: of texts that its expression makes, whole and cut.
func TestPatternsMatchWhatTheirExpressionsMatch(t *testing.T) {
	t.Parallel()
	if len(patterns) < 100 {
		t.Fatalf("only %d patterns", len(patterns))
	}
	known := 0
	for _, p := range patterns {
		p.may("")
		if len(p.needs) > 0 {
			known++
		}
		plain, text := regexp.MustCompile(p.expr), rapid.StringMatching(p.expr)
		rapid.Check(t, func(t *rapid.T) {
			s := text.Draw(t, "text")
			if rapid.Bool().Draw(t, "cut") {
				s = s[rapid.IntRange(0, len(s)).Draw(t, "from"):]
			}
			if got, want := p.MatchString(s), plain.MatchString(s); got != want {
				t.Fatalf("%q on %q: %v, regexp says %v (needs %q)", p.expr, s, got, want, p.needs)
			}
		})
	}
	if known < len(patterns)*2/3 {
		t.Errorf("needs are known of %d of %d patterns only", known, len(patterns))
	}
}

func TestPatternsKnowTheFormsOfALetter(t *testing.T) {
	t.Parallel()
	for expr, s := range map[string]string{`(?i)kasi`: "\u212aA\u017fI", `(?i)sandi`: "ſandi", `(?i)é+l`: "ÉL", `(?i)[k]sandi`: "\u212aſandi"} {
		p := pattern{expr: expr}
		if !p.MatchString(s) {
			t.Errorf("%q doesn't match %q", expr, s)
		}
	}
}
