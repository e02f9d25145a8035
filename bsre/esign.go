package bsre

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/sony/gobreaker/v2"
)

// ESignConfig is an agency's own eSign gateway.
type ESignConfig struct {
	BaseURL        string
	User, Password string
	Version        int           // 1 or 2; 0 means 2
	AllowPlainHTTP bool          // for a gateway inside an intranet; loopback is always allowed
	Timeout        time.Duration // of a status call; 0 means 20 s
	VerifyTimeout  time.Duration // of a PDF's verification; 0 means 90 s (it can take 40 s for a few megabytes)
	RootCAs        *x509.CertPool
	Rest           time.Duration // how long the breaker stays open; 0 means 30 s
}

// ESign is a client of the gateway. It is safe for concurrent use. Its breaker, connections and limits are its own: a gateway that hangs
// delays no call to AMS.
type ESign struct {
	conf    ESignConfig
	base    *url.URL
	status  *http.Client
	verify  *http.Client
	breaker *gobreaker.CircuitBreaker[answer]
}

// Identity is whom a status is asked for. Version 1 needs the NIK, version 2 takes either.
type Identity struct {
	NIK   string
	Email string
}

func (Identity) String() string       { return "[identity]" }
func (Identity) GoString() string     { return "[identity]" }
func (Identity) LogValue() slog.Value { return slog.StringValue("[identity]") }

// NewESign checks the configuration; it dials nothing.
func NewESign(conf ESignConfig) (*ESign, error) {
	base, err := baseURL("esign.base_url", conf.BaseURL, conf.AllowPlainHTTP)
	if err != nil {
		return nil, err
	}
	if conf.Version == 0 {
		conf.Version = 2
	}
	if conf.Version != 1 && conf.Version != 2 {
		return nil, fmt.Errorf("esign.version: expected 1 or 2, not %d", conf.Version)
	}
	if conf.Timeout == 0 {
		conf.Timeout = 20 * time.Second
	}
	if conf.VerifyTimeout == 0 {
		conf.VerifyTimeout = 90 * time.Second
	}
	if conf.Rest == 0 {
		conf.Rest = 30 * time.Second
	}
	tlsConfig := &tls.Config{RootCAs: conf.RootCAs, MinVersion: tls.VersionTLS12}
	return &ESign{
		conf: conf, base: base,
		status:  newClient(tlsConfig, conf.Timeout),
		verify:  newClient(tlsConfig, conf.VerifyTimeout),
		breaker: newBreaker("esign", conf.Rest),
	}, nil
}

// newBreaker opens after five failures in a row, for the given time. What the caller cancelled is no failure.
func newBreaker(name string, rest time.Duration) *gobreaker.CircuitBreaker[answer] {
	return gobreaker.NewCircuitBreaker[answer](gobreaker.Settings{
		Name:        name,
		Timeout:     rest,
		ReadyToTrip: func(c gobreaker.Counts) bool { return c.ConsecutiveFailures >= 5 },
		IsExcluded:  func(err error) bool { return errors.Is(err, context.Canceled) },
	})
}

// guarded makes the call behind the breaker. A 5xx counts as a failure and is still returned as the answer it is.
func guarded(b *gobreaker.CircuitBreaker[answer], c call, req *http.Request) (answer, error) {
	var got answer
	_, err := b.Execute(func() (answer, error) {
		var err error
		got, err = c.do(req)
		if err == nil && got.status >= 500 {
			err = errServer
		}
		return got, err
	})
	switch {
	case errors.Is(err, errServer):
		return got, nil
	case errors.Is(err, gobreaker.ErrOpenState), errors.Is(err, gobreaker.ErrTooManyRequests):
		return answer{}, fmt.Errorf("%s: %w", c.doing, ErrResting)
	}
	return got, err
}

var errServer = errors.New("5xx")

// Status asks for a user's status. With an error the code is Unknown, and the error is temporary unless it is
// ErrCredentials or ErrNobody: version 1 of the gateway knows people by their NIK alone.
func (e *ESign) Status(ctx context.Context, who Identity) (Status, error) {
	c := call{client: e.status, doing: "asking the eSign gateway for a status"}
	req, err := e.statusRequest(ctx, who)
	if err != nil {
		return Status{Code: Unknown}, fmt.Errorf("%s: %w", c.doing, err)
	}
	a, err := guarded(e.breaker, c, req)
	if err != nil {
		return Status{Code: Unknown}, err
	}
	return readStatus(c, a, who.NIK)
}

func (e *ESign) statusRequest(ctx context.Context, who Identity) (*http.Request, error) {
	if e.conf.Version == 1 {
		if who.NIK == "" {
			return nil, ErrNobody
		}
		return e.request(ctx, http.MethodGet, "/api/user/status/"+url.PathEscape(who.NIK), nil)
	}
	question := map[string]string{"nik": who.NIK}
	if who.NIK == "" {
		if who.Email == "" {
			return nil, ErrNobody
		}
		question = map[string]string{"email": who.Email}
	}
	return e.request(ctx, http.MethodPost, "/api/v2/user/check/status", question)
}

func (e *ESign) request(ctx context.Context, method, path string, body any) (*http.Request, error) {
	req, err := newRequest(ctx, method, e.base, path, body)
	if err != nil {
		return nil, err
	}
	req.SetBasicAuth(e.conf.User, e.conf.Password)
	return req, nil
}

// newRequest builds a JSON request; path is escaped already. Its errors hold no URL.
func newRequest(ctx context.Context, method string, base *url.URL, path string, body any) (*http.Request, error) {
	var raw []byte
	if body != nil {
		var err error
		if raw, err = json.Marshal(body); err != nil {
			return nil, errors.New("the question can't be written as JSON")
		}
	}
	req, err := http.NewRequestWithContext(ctx, method, base.String()+path, bytes.NewReader(raw))
	if err != nil {
		return nil, errors.New("the address can't be built")
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	} else {
		req.Body, req.ContentLength = nil, 0
	}
	return req, nil
}
