package config

import (
	"errors"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// whole says what Parse promises of any input: a configuration with every agency built, or Problems that name the file.
func whole(t interface{ Fatalf(string, ...any) }, data []byte) {
	c, err := Parse(data, "pulih.yaml", smallEnv)
	if err == nil {
		for _, a := range c.Agencies() {
			if a == nil || a.SOP == nil || a.Calendar == nil || a.Zone == nil || a.Key == "" || len(a.Staff) == 0 || len(a.Offices) == 0 {
				t.Fatalf("accepted, but an agency is incomplete:\n%s", data)
			}
		}
		return
	}
	var all Problems
	if !errors.As(err, &all) || len(all) == 0 || c != nil {
		t.Fatalf("no list of problems but %v", err)
	}
	lines := strings.Count(strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(string(data)), "\n") + 1
	for _, p := range all {
		if p.Line < 1 || p.Line > lines || p.Text == "" || strings.Contains(p.Text, "\n") {
			t.Fatalf("a problem that helps nobody: %+v in\n%s", p, data)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(small))
	text, _, _ := example(f)
	f.Add([]byte(text))
	for _, s := range []string{"", "a", "- a", "a: &b [*b]", "? [a]\n: b", "<<: {a: b}", "operator: {<<: *x}", "a: !!binary x", "%YAML 1.2\n---\na: 1", "\x00", "a: \"\\x", "agencies:\n- - - -"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) { whole(t, data) })
}

// Mutations of a good file come further than noise: lines are dropped, doubled, moved, and words are replaced.
func TestNoMutationOfAGoodFilePanics(t *testing.T) {
	t.Parallel()
	words := []string{"[]", "{}", "null", "~", "''", "0", "-1", "true", "99999999999999999999", "&a", "*a", "!!str", "|", "- ", "? ", "a: b", "2026-13-01", "off", "\t"}
	rapid.Check(t, func(t *rapid.T) {
		lines := strings.Split(small, "\n")
		for range rapid.IntRange(1, 4).Draw(t, "changes") {
			i := rapid.IntRange(0, len(lines)-1).Draw(t, "line")
			switch rapid.IntRange(0, 4).Draw(t, "how") {
			case 0:
				lines[i] = ""
			case 1:
				lines[i] += "\n" + lines[i]
			case 2:
				j := rapid.IntRange(0, len(lines)-1).Draw(t, "other")
				lines[i], lines[j] = lines[j], lines[i]
			case 3:
				fields := strings.SplitAfter(lines[i], " ")
				fields[rapid.IntRange(0, len(fields)-1).Draw(t, "word")] = rapid.SampledFrom(words).Draw(t, "by")
				lines[i] = strings.Join(fields, "")
			case 4:
				lines[i] = strings.Repeat(" ", rapid.IntRange(0, 8).Draw(t, "indent")) + strings.TrimLeft(lines[i], " ")
			}
		}
		whole(t, []byte(strings.Join(lines, "\n")))
	})
}
