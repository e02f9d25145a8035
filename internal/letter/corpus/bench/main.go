// Command bench measures how many letters a second are read, by kind of source, and what reading a PDF costs beside pdftotext alone, in
// one run on one machine. It prints a figure a line.
package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"strings"
	"time"

	"pulih/internal/letter"
	"pulih/internal/letter/corpus"
)

func main() {
	letter.ChildMain()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	reader := letter.NewReader(letter.Options{})
	groups := map[string][]corpus.Letter{}
	for _, l := range corpus.Letters() {
		if l.Want.KindOnly {
			continue
		}
		name := l.File.Name
		key := name[strings.LastIndexByte(name, '.')+1:]
		if strings.HasSuffix(name, "html.eml") {
			key = "html"
		}
		groups[key] = append(groups[key], l)
	}
	scans, err := corpus.Scans(ctx, reader)
	if err != nil {
		return fmt.Errorf("preparing scans: %w", err)
	}
	groups["scan"] = scans
	for _, key := range []string{"eml", "html", "docx", "zip", "scan"} {
		rate, err := perSecond(groups[key], func(l corpus.Letter) error {
			reader.Read(ctx, letter.InputOf(l.File.Name, l.File.Data))
			return ctx.Err()
		})
		if err != nil {
			return err
		}
		figure("letters_per_second_"+key, rate, "letters/s", ">=", map[string]float64{"eml": 200, "html": 200, "docx": 10, "zip": 5, "scan": 0.2}[key])
	}
	if err := besidePDFToText(ctx, reader, groups["pdf"]); err != nil {
		return err
	}
	figure("resident_memory", resident(), "MiB", "<=", 150)
	return nil
}

// besidePDFToText takes turns, letter by letter, so that both meet the same load of the machine.
func besidePDFToText(ctx context.Context, reader *letter.Reader, letters []corpus.Letter) error {
	var alone, whole time.Duration
	n := 0
	for range 6 {
		for _, l := range letters {
			began := time.Now() //nolint:forbidigo // a benchmark measures
			cmd := exec.CommandContext(ctx, "pdftotext", "-layout", "-enc", "UTF-8", "-", "-")
			cmd.Stdin = bytes.NewReader(l.File.Data)
			if _, err := cmd.Output(); err != nil {
				return fmt.Errorf("running pdftotext: %w", err)
			}
			middle := time.Now() //nolint:forbidigo // a benchmark measures
			reader.Read(ctx, letter.InputOf(l.File.Name, l.File.Data))
			alone += middle.Sub(began)
			whole += time.Since(middle) //nolint:forbidigo // a benchmark measures
			n++
		}
	}
	figure("letters_per_second_pdf", float64(n)/whole.Seconds(), "letters/s", ">=", 20)
	figure("letters_per_second_pdftotext_alone", float64(n)/alone.Seconds(), "letters/s", ">=", 20)
	figure("overhead_over_pdftotext", 100*(whole.Seconds()/alone.Seconds()-1), "percent", "<=", 20)
	return nil
}

func perSecond(letters []corpus.Letter, read func(corpus.Letter) error) (float64, error) {
	began, n := time.Now(), 0               //nolint:forbidigo // a benchmark measures
	for time.Since(began) < 2*time.Second { //nolint:forbidigo // a benchmark measures
		for _, l := range letters {
			if err := read(l); err != nil {
				return 0, fmt.Errorf("reading %s: %w", l.ID, err)
			}
			n++
		}
	}
	return float64(n) / time.Since(began).Seconds(), nil //nolint:forbidigo // a benchmark measures
}

func figure(name string, value float64, unit, op string, goal float64) {
	verdict := "short"
	if op == ">=" && value >= goal || op == "<=" && value <= goal {
		verdict = "ok"
	}
	fmt.Printf("figure %s %.1f %s goal %s %.1f %s\n", name, value, unit, op, goal, verdict)
}

// resident is this process's memory in MiB.
func resident() float64 {
	b, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	fields := strings.Fields(string(b))
	if len(fields) < 2 {
		return 0
	}
	pages, _ := strconv.ParseFloat(fields[1], 64)
	return pages * float64(os.Getpagesize()) / (1 << 20)
}
