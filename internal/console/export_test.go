package console

import "slices"

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
