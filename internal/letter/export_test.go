package letter

import "context"

// RunChild starts one kind of child work for the tests of the limits.
func RunChild(ctx context.Context, r *Reader, work string, input []byte) ([]byte, error) {
	return r.self(work, input).run(ctx)
}
