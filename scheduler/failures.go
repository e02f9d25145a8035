package scheduler

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"
)

// retryPolicy waits 2, 4, 8, ... seconds, up to a quarter of an hour: an outage of weeks is many tries, not a storm of them.
type retryPolicy struct{ fast bool }

func (p retryPolicy) NextRetry(job *rivertype.JobRow) time.Time {
	wait := min(time.Second<<min(len(job.Errors)+1, 12), 15*time.Minute)
	if p.fast {
		wait = min(wait/10, time.Second)
	}
	return time.Now().Add(wait)
}

// failures logs a job's failure once, at the edge. Errors never hold personal data (house rule), arguments are ids.
type failures struct{ log *slog.Logger }

func (f *failures) HandleError(_ context.Context, job *rivertype.JobRow, err error) *river.ErrorHandlerResult {
	level := slog.LevelWarn
	if job.Attempt >= job.MaxAttempts && job.Kind != "poll_gateway" && job.Kind != "sweep" {
		level = slog.LevelError // given up: a human's task
	}
	f.log.Log(context.Background(), level, "job failed", "kind", job.Kind, "args", string(job.EncodedArgs), "attempt", job.Attempt, "err", err)
	return nil
}

func (f *failures) HandlePanic(_ context.Context, job *rivertype.JobRow, panicVal any, trace string) *river.ErrorHandlerResult {
	f.log.Error("job panicked", "kind", job.Kind, "args", string(job.EncodedArgs), "panic", fmt.Sprintf("%T", panicVal), "trace", trace)
	return nil
}

// levelHandler keeps River's own remarks below a warning out of the log: the failures above say the same with more sense.
type levelHandler struct{ slog.Handler }

func (h levelHandler) Enabled(_ context.Context, level slog.Level) bool {
	return level >= slog.LevelError
}
func (h levelHandler) WithAttrs(a []slog.Attr) slog.Handler {
	return levelHandler{h.Handler.WithAttrs(a)}
}
func (h levelHandler) WithGroup(name string) slog.Handler {
	return levelHandler{h.Handler.WithGroup(name)}
}
