package letter

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"io"
	"slices"
	"sort"
	"strconv"
	"strings"
	"unicode"
)

// rule is a line drawn on a page: across at height at, or down at column at; from and to are its ends. In pixels.
type rule struct {
	down         bool
	at, from, to int
}

// gather joins the runs of dark pixels that make one drawn line.
func gather(runs []rule) []rule {
	sort.Slice(runs, func(a, b int) bool { return runs[a].at < runs[b].at })
	var out []rule
	last := 0
	for _, r := range runs {
		if n := len(out); n > 0 && r.at-last <= 5 && out[n-1].down == r.down {
			out[n-1].from, out[n-1].to = min(out[n-1].from, r.from), max(out[n-1].to, r.to)
		} else {
			out = append(out, r)
		}
		last = r.at
	}
	return out
}

// writeRules and readRules carry a page's rules from the child that found them, ahead of the cleaned picture.
func writeRules(out io.Writer, rules []rule) error {
	for _, r := range rules[:min(len(rules), 500)] {
		word := "across"
		if r.down {
			word = "down"
		}
		if _, err := fmt.Fprintf(out, "%s %d %d %d\n", word, r.at, r.from, r.to); err != nil {
			return fmt.Errorf("writing the rules: %w", err)
		}
	}
	return nil
}

func readRules(data []byte) (rules []rule, picture []byte) {
	for bytes.HasPrefix(data, []byte("across ")) || bytes.HasPrefix(data, []byte("down ")) {
		l, rest := cutLine(data)
		var r rule
		var word string
		if _, err := fmt.Sscanf(string(l), "%s %d %d %d", &word, &r.at, &r.from, &r.to); err != nil {
			break
		}
		r.down = word == "down"
		rules, data = append(rules, r), rest
	}
	return rules, data
}

// grid is a ruled table: the edges of its columns and rows.
type grid struct {
	columns, rows []int
}

// grids finds the tables: lines down that stand side by side, and lines across that span them.
func grids(rules []rule) []grid {
	var down, across []rule
	for _, r := range rules {
		if r.down && r.to-r.from >= 60 {
			down = append(down, r)
		} else if !r.down {
			across = append(across, r)
		}
	}
	sort.Slice(down, func(a, b int) bool { return down[a].from < down[b].from })
	var out []grid
	for i := 0; i < len(down); {
		bottom, k := down[i].to, i+1
		for k < len(down) && down[k].from < bottom {
			bottom = max(bottom, down[k].to)
			k++
		}
		var g grid
		for _, d := range down[i:k] {
			g.columns = append(g.columns, d.at)
		}
		sort.Ints(g.columns)
		width := g.columns[len(g.columns)-1] - g.columns[0]
		for _, a := range across {
			if a.at >= down[i].from-10 && a.at <= bottom+10 && min(a.to, g.columns[len(g.columns)-1])-max(a.from, g.columns[0]) > width/2 {
				g.rows = append(g.rows, a.at)
			}
		}
		sort.Ints(g.rows)
		if len(g.columns) >= 3 && len(g.rows) >= 3 {
			out = append(out, g)
		}
		i = k
	}
	return out
}

// layOutRuled writes words as they stand on the page, and those within ruled tables as rows of cells with tabs between them: a rule tells a
// column better than any blank.
func layOutRuled(words []ocrWord, rules []rule) string {
	var b strings.Builder
	top := -1 << 30
	for _, g := range grids(rules) {
		b.WriteString(layOut(between(words, top, g.rows[0])))
		for k := 1; k < len(g.rows); k++ {
			if row := g.row(words, g.rows[k-1], g.rows[k]); strings.TrimSpace(row) != "" {
				b.WriteString(row)
				b.WriteByte('\n')
			}
		}
		top = g.rows[len(g.rows)-1]
		b.WriteByte('\n')
	}
	b.WriteString(layOut(between(words, top, 1<<30)))
	return b.String()
}

// brokenName: a double name that was broken at its hyphen.
var brokenName = compile(`\pL-$`)

func between(words []ocrWord, top, bottom int) []ocrWord {
	var out []ocrWord
	for _, w := range words {
		if m := (w.top + w.base) / 2; m >= top && m < bottom {
			out = append(out, w)
		}
	}
	return out
}

// row writes the cells between two rules.
func (g grid) row(words []ocrWord, top, bottom int) string {
	cells := make([]string, len(g.columns)-1)
	for k := range cells {
		var in []ocrWord
		for _, w := range between(words, top, bottom) {
			if m := (w.left + w.right) / 2; m >= g.columns[k] && m < g.columns[k+1] {
				in = append(in, w)
			}
		}
		cells[k] = unwrap(strings.Split(strings.TrimSpace(layOut(in)), "\n"))
	}
	return strings.Join(cells, "\t")
}

// addressHead is the part of an address above the line with its sign; no name, and no telephone.
var addressHead = compile(`^(\d*[a-z]|[A-Z]+[A-Z._\d])[\w.%+\-]*$`)

// unwrap joins the lines of a cell. An address or a number is broken where its cell ends, text between words.
func unwrap(lines []string) string {
	cell := ""
	for _, l := range lines {
		l = strings.Join(strings.Fields(l), " ")
		broken := strings.Contains(cell, "@") && strings.ContainsFunc(l, unicode.IsLetter) || strings.Contains(l, "@") && addressHead.MatchString(cell) ||
			brokenName.MatchString(cell) || len(l) <= 4 && digitsOf(l) == l && cell != "" && strings.ContainsAny(cell[len(cell)-1:], "0123456789-")
		if cell != "" && !broken {
			cell += " "
		}
		cell += l
	}
	return cell
}

// ruledPages lays out anew the doubtful pages of a PDF, from 1, by the rules drawn on them: where cells are wrapped, pdftotext's blanks don't
// tell whose line is whose, and a NIP must never reach the next row's person.
func (w *work) ruledPages(ctx context.Context, data []byte, doubtful []int, pages []string) bool {
	const most, dpi = 4, 144
	if len(doubtful) == 0 {
		return false
	}
	doubtful = doubtful[:min(len(doubtful), most)]
	first, last := strconv.Itoa(doubtful[0]), strconv.Itoa(doubtful[len(doubtful)-1])
	words, err := w.run(ctx, child{path: w.reader.opts.PDFToText, args: []string{"-tsv", "-enc", "UTF-8", "-f", first, "-l", last, "-", "-"}, input: data})
	if err != nil {
		return false // the text without rules stays
	}
	changed := false
	for i := range pages {
		if !slices.Contains(doubtful, i+1) {
			continue
		}
		n := strconv.Itoa(i + 1)
		img, err := w.run(ctx, child{path: w.reader.opts.PDFToPPM, args: []string{"-q", "-gray", "-aa", "no", "-aaVector", "no", "-r", strconv.Itoa(dpi), "-f", n, "-l", n, "-singlefile", "-"}, input: data})
		if err != nil {
			continue
		}
		page, err := decodePGM(img) // the tool's, not the stranger's: a head of one form, and a byte a pixel
		if err != nil {
			continue
		}
		if rules := removeRules(page); len(grids(rules)) > 0 {
			pages[i] = layOutRuled(parseTSV(string(words), i+1, dpi/72.0), rules)
			changed = true
		}
	}
	return changed
}

// whiten takes the rules off the picture.
func whiten(g *image.Gray, runs []rule) {
	w, h := g.Rect.Dx(), g.Rect.Dy()
	for _, r := range runs {
		x0, y0, x1, y1 := r.from, r.at, r.to, r.at+1
		if r.down {
			x0, y0, x1, y1 = r.at, r.from, r.at+1, r.to
		}
		for y := max(0, y0-1); y < min(h, y1+1); y++ {
			for x := max(0, x0-1); x < min(w, x1+1); x++ {
				g.Pix[y*g.Stride+x] = 255
			}
		}
	}
}
