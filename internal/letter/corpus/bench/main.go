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

	"golang.org/x/sys/unix"

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
	scans, err := corpus.Scans(ctx, reader)
	if err != nil {
		return fmt.Errorf("preparing scans: %w", err)
	}
	for _, group := range []struct {
		kind string
		goal float64
	}{{"eml", 200}, {"eml_with_file", 20}, {"html", 200}, {"docx", 10}, {"zip", 5}, {"signed", 10}, {"scan", 0.2}} {
		issue := func(n int) ([]corpus.Letter, error) { return issueOf(n, group.kind), nil }
		switch group.kind {
		case "scan":
			issue = func(int) ([]corpus.Letter, error) { return scans, nil }
		case "signed":
			issue = func(n int) ([]corpus.Letter, error) { return signed(issueOf(n, "pdf")) }
		}
		rate, err := perSecond(issue, func(l corpus.Letter) error {
			reader.Read(ctx, letter.InputOf(l.File.Name, l.File.Data))
			return ctx.Err()
		})
		if err != nil {
			return err
		}
		figure("letters_per_second_"+group.kind, rate, "letters/s", ">=", group.goal)
	}
	if err := besidePDFToText(ctx, reader); err != nil {
		return err
	}
	var children unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_CHILDREN, &children); err != nil {
		return fmt.Errorf("asking for the children's memory: %w", err)
	}
	figure("memory", resident(), "MiB", "<=", 150)
	figure("memory_largest_child", float64(children.Maxrss)/1024, "MiB", "<=", 250)
	return nil
}

// issueOf are the corpus's letters of one kind of source, about other people each time: nothing is read twice.
func issueOf(n int, kind string) []corpus.Letter {
	var out []corpus.Letter
	for _, l := range corpus.Issue(n + 1) {
		if l.Want.KindOnly {
			continue
		}
		name := l.File.Name
		of := name[strings.LastIndexByte(name, '.')+1:]
		switch {
		case strings.HasSuffix(name, "html.eml"):
			of = "html"
		case of == "eml" && bytes.Contains(l.File.Data, []byte("Content-Disposition: attachment")):
			of = "eml_with_file"
		}
		if of == kind {
			out = append(out, l)
		}
	}
	return out
}

// signed are the letters with a signature each: checking it takes a child of its own.
func signed(letters []corpus.Letter) ([]corpus.Letter, error) {
	now := time.Now() //nolint:forbidigo // certificates of today
	pki, err := corpus.NewPKI("Akar Contoh", now.AddDate(-1, 0, 0), now.AddDate(1, 0, 0))
	if err != nil {
		return nil, err
	}
	s, err := pki.Issue("PENANDA TANGAN", now.AddDate(-1, 0, 0), now.AddDate(1, 0, 0))
	if err != nil {
		return nil, err
	}
	var out []corpus.Letter
	for _, l := range letters {
		b := corpus.NewPDFBuilder(l.File.Data)
		if err := b.Sign(pki, s, corpus.SignOptions{}); err != nil {
			return nil, err
		}
		l.File.Data = b.Data
		out = append(out, l)
	}
	return out, nil
}

// besidePDFToText takes turns, letter by letter. The overhead is one of processor time, that of the children included: by the clock, what
// else the machine does would count for more than what is measured.
func besidePDFToText(ctx context.Context, reader *letter.Reader) error {
	var alone, whole span
	n := 0.0
	for round := range 6 {
		for _, l := range issueOf(round, "pdf") {
			began := mark()
			cmd := exec.CommandContext(ctx, "pdftotext", "-layout", "-enc", "UTF-8", "-", "-")
			cmd.Stdin = bytes.NewReader(l.File.Data)
			if _, err := cmd.Output(); err != nil {
				return fmt.Errorf("running pdftotext: %w", err)
			}
			middle := mark()
			reader.Read(ctx, letter.InputOf(l.File.Name, l.File.Data))
			alone.add(began, middle)
			whole.add(middle, mark())
			n++
		}
	}
	figure("letters_per_second_pdf", n/whole.clock.Seconds(), "letters/s", ">=", 20)
	figure("letters_per_second_pdftotext_alone", n/alone.clock.Seconds(), "letters/s", ">=", 20)
	figure("overhead_over_pdftotext", 100*(whole.cpu.Seconds()/alone.cpu.Seconds()-1), "percent", "<=", 20)
	return nil
}

// span is what something took by the clock and of the processor.
type span struct{ clock, cpu time.Duration }

func (s *span) add(from, to instant) {
	s.clock += to.clock.Sub(from.clock)
	s.cpu += to.cpu - from.cpu
}

type instant struct {
	clock time.Time
	cpu   time.Duration // of this process and its children so far
}

func mark() instant {
	now := instant{clock: time.Now()} //nolint:forbidigo // a benchmark measures
	for _, who := range []int{unix.RUSAGE_SELF, unix.RUSAGE_CHILDREN} {
		var u unix.Rusage
		if unix.Getrusage(who, &u) == nil {
			now.cpu += time.Duration(u.Utime.Nano() + u.Stime.Nano())
		}
	}
	return now
}

// perSecond reads for two seconds, one issue after the other.
func perSecond(issue func(n int) ([]corpus.Letter, error), read func(corpus.Letter) error) (float64, error) {
	var took time.Duration
	n := 0
	for round := 0; took < 2*time.Second; round++ {
		letters, err := issue(round)
		if err != nil {
			return 0, err
		}
		began := time.Now() //nolint:forbidigo // a benchmark measures
		for _, l := range letters {
			if err := read(l); err != nil {
				return 0, fmt.Errorf("reading %s: %w", l.ID, err)
			}
		}
		n += len(letters)
		took += time.Since(began) //nolint:forbidigo // a benchmark measures
	}
	return float64(n) / took.Seconds(), nil
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
