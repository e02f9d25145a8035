package console

import (
	"slices"
	"strings"
	"testing"

	"pulih/internal/config"
)

// An agency whose key is also the first word of a page would hide that page, or be hidden by it. One letter is no key at all.
func TestNoAgencyMayBeNamedAsAPage(t *testing.T) {
	for _, r := range openRoutes {
		_, path, _ := strings.Cut(r.pattern, " /")
		word, _, _ := strings.Cut(path, "/")
		if word != "{$}" && len(word) > 1 && !slices.Contains(config.PageWords, word) {
			t.Errorf("the configuration allows an agency %q, which is a page", word)
		}
	}
}
