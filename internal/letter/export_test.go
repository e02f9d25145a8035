package letter

import "context"

// RaceEnabled tells tests that everything takes ten times as long.
const RaceEnabled = raceEnabled

// RunChild starts one kind of child work for the tests of the limits.
func RunChild(ctx context.Context, r *Reader, work string, input []byte) ([]byte, error) {
	return r.self(work, input).run(ctx)
}
