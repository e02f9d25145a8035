package config

import (
	"fmt"
	"slices"
	"strings"
)

// Problem is one mistake in the file.
type Problem struct {
	File string `json:"file"`
	Line int    `json:"line"` // from 1
	Key  string `json:"key"`  // "agencies[0].zone"; "" for the file as a whole
	Text string `json:"text"` // what is wrong and what was expected; never a secret, NIK or NIP
}

// String is "pulih.yaml:12: agencies[0].zone: "Asia/Jakata" is no time zone; expected ...".
func (p Problem) String() string {
	s := p.File
	if p.Line > 0 {
		s += fmt.Sprintf(":%d", p.Line)
	}
	if p.Key != "" {
		s += ": " + p.Key
	}
	return s + ": " + p.Text
}

// Problems are all the mistakes of a file, one a line.
type Problems []Problem

func (p Problems) Error() string {
	lines := make([]string, len(p))
	for i := range p {
		lines[i] = p[i].String()
	}
	return strings.Join(lines, "\n")
}

// sorted gives the problems in the order of the file, each once.
func (r *reader) sorted() Problems {
	slices.SortStableFunc(r.problems, func(a, b Problem) int { return a.Line - b.Line })
	return slices.Compact(r.problems)
}

// bad records a mistake at a key. The line is that of the key, or of the nearest thing around it that the file has.
func (r *reader) bad(key, format string, args ...any) {
	r.problems = append(r.problems, Problem{File: r.file, Line: r.line(key), Key: key, Text: fmt.Sprintf(format, args...)})
}

// faulty reports a mistake at the key or below it: what follows from it need not be said again.
func (r *reader) faulty(key string) bool {
	return slices.ContainsFunc(r.problems, func(p Problem) bool {
		rest, ok := strings.CutPrefix(p.Key, key)
		return ok && (rest == "" || rest[0] == '.' || rest[0] == '[')
	})
}

func (r *reader) line(key string) int {
	for key != "" {
		if n, ok := r.lines[key]; ok {
			return n
		}
		key = key[:max(strings.LastIndexAny(key, ".["), 0)]
	}
	return r.lines[""]
}
