package sop

import (
	"bytes"
	"embed"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

//go:embed data
var shipped embed.FS

// Kinds of closed days. A year is covered by the calendar once it has a national holiday: local days alone don't make it known.
const (
	National   = "national"    // libur nasional
	JointLeave = "joint-leave" // cuti bersama
	Local      = "local"       // a day of the agency's own
)

var kinds = []string{National, JointLeave, Local}

// ClosedDay is a day on which the office does not open, or opens only for the hours in Open (a half day; never longer than usual).
type ClosedDay struct {
	Date   Date
	Kind   string
	Name   string
	Decree string // SKB or local decision, "" if not known
	Open   []Interval
}

// ParseClosedDays reads a CSV file whose first line names its columns: date, kind and name, and optionally decree and open (the hours of
// a half day, "07.30-11.30"). Empty lines and lines that begin with # are skipped. The file's name and the line stand in every error.
func ParseClosedDays(data []byte, name string) ([]ClosedDay, error) {
	r := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(data, []byte("\ufeff"))))
	r.Comment = '#'
	r.TrimLeadingSpace = true
	head, err := r.Read()
	if err != nil {
		return nil, closedDaysError(name, 1, err)
	}
	columns, err := closedDayColumns(head)
	if err != nil {
		return nil, closedDaysError(name, 1, err)
	}
	var out []ClosedDay
	for {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		line, _ := r.FieldPos(0)
		if err != nil {
			return nil, closedDaysError(name, line, err)
		}
		day, err := closedDay(row, columns)
		if err != nil {
			return nil, closedDaysError(name, line, err)
		}
		out = append(out, day)
	}
}

// ShippedClosedDays are the national holidays and joint leave of 2026 and 2027. Islamic dates may still move: an operator replaces the
// file when a new decree comes.
func ShippedClosedDays() []ClosedDay {
	const name = "data/holidays.csv"
	data, err := shipped.ReadFile(name)
	if err != nil {
		panic(err) // embedded
	}
	days, err := ParseClosedDays(data, name)
	if err != nil {
		panic(err) // a test parses it
	}
	return days
}

func closedDayColumns(head []string) (map[string]int, error) {
	columns := map[string]int{}
	for i, h := range head {
		h = strings.ToLower(strings.TrimSpace(h))
		if !slices.Contains([]string{"date", "kind", "name", "decree", "open"}, h) {
			return nil, fmt.Errorf("column %q is unknown; expected date, kind, name, decree, open", h)
		}
		if _, twice := columns[h]; twice {
			return nil, fmt.Errorf("column %q is there twice", h)
		}
		columns[h] = i
	}
	for _, h := range []string{"date", "kind", "name"} {
		if _, ok := columns[h]; !ok {
			return nil, fmt.Errorf("column %q is missing; expected a first line with date, kind, name", h)
		}
	}
	return columns, nil
}

func closedDay(row []string, columns map[string]int) (ClosedDay, error) {
	field := func(name string) string {
		if i, ok := columns[name]; ok {
			return strings.TrimSpace(row[i])
		}
		return ""
	}
	date, err := ParseDate(field("date"))
	if err != nil {
		return ClosedDay{}, err
	}
	open, err := ParseIntervals(field("open"))
	if err != nil {
		return ClosedDay{}, err
	}
	day := ClosedDay{Date: date, Kind: field("kind"), Name: field("name"), Decree: field("decree"), Open: open}
	return day, day.check()
}

func (d ClosedDay) check() error {
	switch {
	case d.Date.IsZero():
		return errors.New("a closed day has no date")
	case !slices.Contains(kinds, d.Kind):
		return fmt.Errorf("kind %q is unknown; expected one of %s", d.Kind, strings.Join(kinds, ", "))
	case d.Name == "":
		return fmt.Errorf("the closed day %s has no name", d.Date)
	}
	if err := checkIntervals(d.Open); err != nil {
		return fmt.Errorf("closed day %s: %w", d.Date, err)
	}
	return nil
}

func closedDaysError(name string, line int, err error) error {
	if parse, ok := errors.AsType[*csv.ParseError](err); ok {
		line, err = parse.Line, parse.Err
	}
	if errors.Is(err, io.EOF) {
		err = errors.New("the file is empty; expected a first line with date, kind, name")
	}
	return fmt.Errorf("%s:%d: %w", name, line, err)
}
