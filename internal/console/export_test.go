package console

import (
	"slices"

	"pulih/internal/letter"
)

// NewStubbed is New with routes that answer 200 and do nothing: what remains is who may reach them.
func NewStubbed(o Options) (*Console, error) {
	stubs := slices.Clone(routes)
	for i := range stubs {
		stubs[i].serve = func(*Console, *page) error { return nil }
	}
	return newConsole(o, stubs)
}

// Patterns lists the desk's routes.
func Patterns() []string {
	var out []string
	for _, r := range routes {
		out = append(out, r.pattern)
	}
	return out
}

// Aligned is a correction of a field as the page shows it, in two lines; what differs stands in brackets.
func Aligned(c letter.Correction) (read, proposed string) {
	shown := (&requestPage{NIK: "shown"}).comparison(c, letterView{}, letter.Reading{})
	say := func(list []run) (out string) {
		for _, r := range list {
			if r.Differs {
				r.Text = "[" + r.Text + "]"
			}
			out += r.Text
		}
		return out
	}
	return say(shown.Read), say(shown.Proposed)
}
