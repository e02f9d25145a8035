package scheduler

import (
	"context"
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"log/slog"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"
	"golang.org/x/time/rate"

	"pulih/internal/config"
	"pulih/mailflow"
	"pulih/srikandi"
)

// This file turns the configuration's plain values into the partners' own settings, and River's failures into log lines.

func (d *Daemon) gatewayOf(conf *config.Tenant) (srikandi.Gateway, error) {
	s := conf.Srikandi
	if s == nil {
		return nil, nil
	}
	zone, err := time.LoadLocation(s.Zone)
	if err != nil {
		return nil, fmt.Errorf("srikandi.zone: %w", err)
	}
	if s.Source == "folder" {
		return srikandi.NewFolder(s.Folder, "", zone)
	}
	return srikandi.NewClient(srikandi.ClientConfig{BaseURL: s.URL, ClientID: s.ClientID, ClientSecret: s.ClientSecret.Reveal(), Zone: zone,
		Now: d.now, Timeout: s.Timeout})
}

func mailbox(conf *config.Tenant) mailflow.Mailbox {
	in := conf.Inbox
	m := mailflow.Mailbox{
		Agency: conf.Key, Host: in.Host, Port: in.Port, TLS: mailflow.TLSMode(in.TLS), User: in.User, Folder: in.Folder,
		Marker: in.Target, PollEvery: in.Poll, Limit: int64(in.Limit),
	}
	if in.After != "none" {
		m.After = mailflow.After(in.After)
	}
	m.Password, m.Token = secrets(in.Password, in.OAuthToken)
	return m
}

func account(conf *config.Tenant) mailflow.Account {
	out := conf.Outbox
	a := mailflow.Account{
		Agency: conf.Key, Host: out.Host, Port: out.Port, TLS: mailflow.TLSMode(out.TLS), User: out.User,
		Rate: rate.NewLimiter(rate.Limit(float64(out.RatePerMinute)/60), max(out.RatePerMinute/6, 1)),
	}
	a.Password, a.Token = secrets(out.Password, out.OAuthToken)
	if k := out.DKIM; k != nil {
		if key, err := signingKey(k.Key.Reveal()); err == nil {
			a.DKIM = &mailflow.DKIM{Domain: k.Domain, Selector: k.Selector, Key: key}
		}
	}
	return a
}

func secrets(password, token config.Secret) (p, t func(context.Context) (string, error)) {
	if !password.IsZero() {
		p = func(context.Context) (string, error) { return password.Read() }
	}
	if !token.IsZero() {
		t = func(context.Context) (string, error) { return token.Read() }
	}
	return p, t
}

// signingKey reads a PEM key; the configuration has checked it.
func signingKey(text string) (crypto.Signer, error) {
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return nil, fmt.Errorf("the DKIM key is no PEM")
	}
	if key, err := x509.ParsePKCS1PrivateKey(block.Bytes); err == nil {
		return key, nil
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("reading the DKIM key: %w", err)
	}
	signer, ok := key.(crypto.Signer)
	if !ok {
		return nil, fmt.Errorf("the DKIM key can't sign")
	}
	return signer, nil
}

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
