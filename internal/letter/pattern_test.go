package letter

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// A pattern says of every text what package regexp says: of texts that its expression makes, whole and cut.
func TestPatternsMatchWhatTheirExpressionsMatch(t *testing.T) {
	t.Parallel()
	if len(patterns) < 100 {
		t.Fatalf("only %d patterns", len(patterns))
	}
	known, begun := 0, 0
	for _, p := range patterns {
		p.may("")
		if p.needs.known() {
			known++
		}
		if p.starts.known() {
			begun++
		}
		plain, text := regexp.MustCompile(p.expr), rapid.StringMatching(p.expr)
		rapid.Check(t, func(t *rapid.T) {
			s := text.Draw(t, "text")
			if rapid.Bool().Draw(t, "after other words") {
				s = rapid.SampledFrom([]string{"a", " ", "é", "\n", "lupa ", "resets, Kepala "}).Draw(t, "before") + s
			}
			if rapid.Bool().Draw(t, "cut") {
				s = s[rapid.IntRange(0, len(s)).Draw(t, "from"):]
			}
			s = strings.NewReplacer(string(longS), "s", string(kelvin), "k").Replace(s)
			if got, want := p.MatchString(s), plain.MatchString(s); got != want {
				t.Fatalf("%q on %q: %v, regexp says %v (needs %q, starts %q)", p.expr, s, got, want, p.needs.list, p.starts.list)
			}
			if got, want := p.FindStringSubmatchIndex(s), plain.FindStringSubmatchIndex(s); !slices.Equal(got, want) {
				t.Fatalf("%q on %q: found at %v, regexp says %v (starts %q)", p.expr, s, got, want, p.starts.list)
			}
		})
	}
	if known < len(patterns)*2/3 {
		t.Errorf("needs are known of %d of %d patterns only", known, len(patterns))
	}
	if begun < len(patterns)/4 {
		t.Errorf("it is known how they begin of %d of %d patterns only", begun, len(patterns))
	}
}

// The two letters beyond ASCII that (?i) takes for one of it reach no pattern.
func TestLettersThatFoldIntoASCIIArePlain(t *testing.T) {
	t.Parallel()
	if got := cleanText("re\u017fet pa\u017f\u017fphrase, \u212aota"); got != "reset passphrase, Kota" {
		t.Errorf("%q", got)
	}
}
