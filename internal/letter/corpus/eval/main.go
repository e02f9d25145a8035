// Command eval reads the corpus and prints how well: confusion by kind, false and lost resets, exact matches by field.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"sort"
	"strings"

	"pulih/internal/letter"
	"pulih/internal/letter/corpus"
)

func main() {
	letter.ChildMain()
	verbose := flag.Bool("v", false, "print every difference")
	scans := flag.Bool("scans", true, "read scans too (OCR)")
	out := flag.String("write", "", "write the letters to this folder instead of reading them")
	only := flag.String("only", "", "read only letters whose ID or layout contains this, and print them in full")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *verbose, *scans, *out, *only); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, verbose, scans bool, out, only string) error {
	letters := corpus.Letters()
	hand, err := corpus.Hand()
	if err != nil {
		return err
	}
	letters = append(letters, hand...)
	reader := letter.NewReader(letter.Options{})
	if scans {
		s, err := corpus.Scans(ctx, reader)
		if err != nil {
			return err
		}
		letters = append(letters, s...)
	}
	if out != "" {
		return write(letters, out)
	}
	var e corpus.Score
	for _, l := range letters {
		if only != "" && !strings.Contains(l.ID+" "+l.Layout+" "+l.File.Name, only) {
			continue
		}
		r := reader.Read(ctx, letter.InputOf(l.File.Name, l.File.Data))
		diffs := e.Add(l, r)
		if (verbose || only != "") && len(diffs) > 0 {
			fmt.Printf("%s %s (%s)\n", l.ID, l.Layout, l.File.Name)
			for _, d := range diffs {
				fmt.Println("    " + d)
			}
		}
		if only != "" {
			fmt.Printf("%s %v\n", r.Kind, r.Reasons)
		}
	}
	fmt.Print(e.String())
	if e.False+e.Lost > 0 {
		return fmt.Errorf("%d false resets, %d lost resets", e.False, e.Lost)
	}
	return nil
}

func write(letters []corpus.Letter, dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("writing the corpus: %w", err)
	}
	sort.Slice(letters, func(i, j int) bool { return letters[i].ID < letters[j].ID })
	for _, l := range letters {
		if err := os.WriteFile(filepath.Join(dir, l.ID+"-"+l.File.Name), l.File.Data, 0o644); err != nil {
			return fmt.Errorf("writing the corpus: %w", err)
		}
	}
	return nil
}
