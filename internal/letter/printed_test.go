package letter_test

import (
	"strings"
	"testing"

	"pulih/internal/letter"
	"pulih/internal/letter/corpus"
)

// Each person of a printed table is read with the values of its own row, whatever names, offices and addresses make its lines break.
func TestRowsOfPrintedTablesStayApart(t *testing.T) {
	t.Parallel()
	reader := letter.NewReader(letter.Options{NoOCR: true})
	var score corpus.Score
	for n := range 6 {
		for _, l := range corpus.Issue(n + 1) {
			if strings.HasSuffix(l.File.Name, "pdf.pdf") && (strings.Contains(l.Layout, "tabel") || strings.Contains(l.Layout, "lampiran")) {
				for _, mistake := range score.Add(l, read(t, reader, l.File.Name, l.File.Data)) {
					t.Errorf("%s of issue %d: %s", l.Layout, n+1, mistake)
				}
			}
		}
	}
	if score.Letters < 50 {
		t.Errorf("%d letters with tables", score.Letters)
	}
}
