package letter

import (
	"context"
	"sort"
	"strconv"
	"strings"
	"unicode/utf8"
)

// ocr reads one image that tesseract can read itself and lays its words out as they stand on the page, as pdftotext -layout does: columns
// and indentation tell labels from values. sure is how many letters and digits stand in words that tesseract is sure of.
func (w *work) ocr(ctx context.Context, img []byte, rules []rule) (text string, sure int, err error) {
	out, err := w.run(ctx, child{path: w.reader.opts.Tesseract, args: []string{"stdin", "stdout", "-l", "ind", "--psm", "4", "--dpi", "215", "tsv"}, input: img})
	words := apart(parseTSV(string(out), 0, 1))
	for _, x := range words {
		if x.conf >= 60 {
			sure += letters(x.text)
		}
	}
	return layOutRuled(words, rules), sure, err
}

// ocrWord is one word of tesseract's TSV, in pixels.
type ocrWord struct {
	text                   string
	left, top, right, base int
	conf                   float64 // percent
}

// parseTSV reads the level 5 rows of tesseract and of pdftotext: level page block par line word left top width height conf text. scale makes
// pixels of their units; page is 0 for all.
func parseTSV(tsv string, page int, scale float64) []ocrWord {
	var out []ocrWord
	for _, l := range strings.Split(tsv, "\n") {
		f := strings.SplitN(l, "\t", 12)
		if len(f) < 12 || f[0] != "5" || strings.TrimSpace(f[11]) == "" || len(out) > 20_000 || page > 0 && f[1] != strconv.Itoa(page) {
			continue
		}
		n := [5]float64{} // left top width height conf
		ok := true
		for i := range n {
			v, err := strconv.ParseFloat(f[6+i], 64)
			n[i], ok = v, ok && err == nil && v < 1e6 && v > -1e6
		}
		text := strings.TrimSpace(f[11])
		if !ok || n[4] < 0 || n[4] < 50 && letters(text) == 0 && text != ":" {
			continue
		}
		out = append(out, ocrWord{text: text, left: int(n[0] * scale), top: int(n[1] * scale), right: int((n[0] + n[2]) * scale), base: int((n[1] + n[3]) * scale), conf: n[4]})
	}
	return out
}

// apart drops words that tesseract read twice: of two that cover each other, the surer stays.
func apart(words []ocrWord) []ocrWord {
	var out []ocrWord
	for i, w := range words {
		twice := false
		for k := max(0, i-60); k < min(len(words), i+60); k++ {
			x := words[k]
			across, down := min(w.right, x.right)-max(w.left, x.left), min(w.base, x.base)-max(w.top, x.top)
			if k != i && across > 0 && down > 0 && 2*across*down > (w.right-w.left)*(w.base-w.top) && (x.conf > w.conf || x.conf == w.conf && k < i) {
				twice = true
			}
		}
		if !twice {
			out = append(out, w)
		}
	}
	return out
}

// layOut writes words on a grid whose columns are the usual width of a letter. Words whose middles stand at the same height are one line,
// whatever block tesseract put them in.
func layOut(words []ocrWord) string {
	if len(words) == 0 {
		return ""
	}
	width, height := letterSize(words)
	sort.SliceStable(words, func(i, j int) bool { return words[i].top+words[i].base < words[j].top+words[j].base })
	var rows [][]ocrWord
	for _, w := range words {
		middle := (w.top + w.base) / 2
		if n := len(rows); n > 0 {
			last := rows[n-1]
			if at := (last[0].top + last[0].base) / 2; middle-at < height*6/10 || sameHeight(last, w) {
				rows[n-1] = append(last, w)
				continue
			}
		}
		rows = append(rows, []ocrWord{w})
	}
	margin := words[0].left
	for _, w := range words {
		margin = min(margin, w.left)
	}
	var b strings.Builder
	prev := 0
	for i, row := range rows {
		sort.SliceStable(row, func(a, c int) bool { return row[a].left < row[c].left })
		if i > 0 && row[0].top-prev > height*12/10 {
			b.WriteByte('\n')
		}
		prev = row[0].base
		col := 0
		for k, w := range row {
			want := int(float64(w.left-margin)/width + 0.5)
			gap := want - col
			if k > 0 {
				if space := float64(w.left-row[k-1].right) / width; space < 2.2 {
					gap = 1
				} else {
					gap = max(2, gap)
				}
			}
			b.WriteString(strings.Repeat(" ", max(0, min(gap, 200))))
			b.WriteString(w.text)
			col += max(0, min(gap, 200)) + utf8.RuneCountInString(w.text)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// sameHeight: the word stands beside its neighbour on the row, however far the two reach up and down.
func sameHeight(row []ocrWord, w ocrWord) bool {
	near, dist := row[0], 1<<30
	for _, x := range row {
		if d := max(x.left-w.right, w.left-x.right); d < 0 {
			return false // one above the other
		} else if d < dist {
			near, dist = x, d
		}
	}
	shared := min(near.base, w.base) - max(near.top, w.top)
	return 2*shared > min(near.base-near.top, w.base-w.top)
}

// letterSize is the median width of a letter and height of a word.
func letterSize(words []ocrWord) (float64, int) {
	var widths []float64
	var heights []int
	for _, w := range words {
		if n := utf8.RuneCountInString(w.text); n >= 3 {
			widths = append(widths, float64(w.right-w.left)/float64(n))
			heights = append(heights, w.base-w.top)
		}
	}
	if len(widths) == 0 {
		return 10, 20
	}
	sort.Float64s(widths)
	sort.Ints(heights)
	return max(1, widths[len(widths)/2]), max(4, heights[len(heights)/2])
}
