package letter

import (
	"strings"
	"testing"
)

// A word for a secret is on a list, and nothing else is to be done for it.
func TestWhateverWordASecretIsCalledItIsMasked(t *testing.T) {
	t.Parallel()
	nouns := []string{"passphrase", "pasfrase", "passphrase/PIN", "user/password"}
	for w := range secretNouns {
		nouns = append(nouns, w)
	}
	for first, seconds := range secretPairs {
		for second := range seconds {
			nouns = append(nouns, first+" "+second)
		}
	}
	for _, n := range nouns {
		for _, w := range []string{n, strings.ToUpper(n), strings.ToUpper(n[:1]) + n[1:]} {
			for _, text := range []string{w + " : Melati#24", w + "nya: Melati#24", "Dengan " + w + " Melati#24", w + "\tMelati#24", w + " TTE\n\nMelati#24", "No\t" + w + "\n1\tMelati#24"} {
				if got := Mask(text); strings.Contains(got, "Melati") {
					t.Errorf("Mask(%q) = %q", text, got)
				}
			}
		}
	}
}
