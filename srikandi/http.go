package srikandi

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/sony/gobreaker/v2"
)

// call is one request of the contract. Its body is kept in memory, since a refused token makes it go out twice.
type call struct {
	method string
	path   []string
	query  url.Values
	key    string // Idempotency-Key
	body   []byte
	mime   string
	long   bool // carries files: AttachmentTimeout instead of Timeout
}

// answer is a bounded JSON answer.
type answer struct {
	status int
	body   []byte
}

// call makes a request and reads its answer: behind the breaker, within the timeout, with a fresh token where the old one is refused.
func (c *Client) call(ctx context.Context, rq call, read func(answer) error) error {
	limit := c.cfg.Timeout
	if rq.long {
		limit = c.cfg.AttachmentTimeout
	}
	return c.guarded(ctx, limit, func(ctx context.Context) error {
		return c.withToken(ctx, func(token string) error {
			resp, err := c.send(ctx, rq, token)
			if err != nil {
				return err
			}
			defer resp.Body.Close()
			body, err := readAll(resp.Body, c.cfg.MaxAnswer)
			if failed := c.failure(resp, body); failed != nil {
				return failed // a cut error body changes nothing about the error
			}
			if err != nil {
				return err
			}
			return read(answer{resp.StatusCode, body})
		})
	})
}

// guarded runs a call behind everything that may forbid it, and makes our own timeout a temporary error while the caller's stays theirs.
func (c *Client) guarded(ctx context.Context, limit time.Duration, do func(context.Context) error) error {
	if err := c.signIn.allowed(c.cfg.Now(), c.cfg.SignInRest); err != nil {
		return err
	}
	if err := c.rest.allowed(c.cfg.Now()); err != nil {
		return err
	}
	_, err := c.breaker.Execute(func() (struct{}, error) {
		within, cancel := context.WithTimeout(ctx, limit)
		defer cancel()
		err := do(within)
		if ctx.Err() != nil {
			return struct{}{}, ctx.Err()
		}
		return struct{}{}, err
	})
	if errors.Is(err, gobreaker.ErrOpenState) || errors.Is(err, gobreaker.ErrTooManyRequests) {
		return &Temporary{RetryAfter: c.cfg.BreakFor, Err: ErrOpen}
	}
	return err
}

// outage says whether an error speaks against the gateway as a whole: it was not reached, was broken, or answered nonsense.
func outage(err error) bool {
	var t *Temporary
	var bad *BadLetter
	return errors.As(err, &t) && t.RetryAfter == 0 && !errors.As(err, &bad) && !errors.Is(err, ErrMismatch)
}

// send makes one request. net/http repeats one by itself whose kept-alive connection died without an answer, if it reads or carries an
// Idempotency-Key: with the contract's keys that is safe.
func (c *Client) send(ctx context.Context, rq call, token string) (*http.Response, error) {
	target := c.base.JoinPath()
	for _, segment := range rq.path {
		target = target.JoinPath(url.PathEscape(segment))
	}
	target.RawQuery = rq.query.Encode()
	req, err := http.NewRequestWithContext(ctx, rq.method, target.String(), bytes.NewReader(rq.body))
	if err != nil {
		return nil, errors.New("srikandi: the request can't be built")
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", "pulih")
	if rq.mime != "" {
		req.Header.Set("Content-Type", rq.mime)
	}
	if rq.key != "" {
		req.Header.Set("Idempotency-Key", rq.key)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, broken(err)
	}
	return resp, nil
}

// errUnauthorized stays inside the package: it becomes a new token or ErrSignIn.
var errUnauthorized = errors.New("srikandi: token refused")

// failure makes an error of an answer that isn't a success. Of the body it takes the error code alone, and only if that is a plain word:
// messages of strangers may hold names and numbers.
func (c *Client) failure(resp *http.Response, body []byte) error {
	status := resp.StatusCode
	code, ours := errorCode(body)
	after := c.retryAfter(resp)
	switch {
	case status == http.StatusOK || status == http.StatusCreated:
		return nil
	case status == http.StatusUnauthorized:
		return errUnauthorized
	case status == http.StatusNotImplemented:
		return ErrNotOffered
	case status == http.StatusTooManyRequests, status == http.StatusServiceUnavailable:
		c.rest.until(c.cfg.Now().Add(after))
		return &Temporary{RetryAfter: after, Err: fmt.Errorf("srikandi: asked to wait (status %d)", status)}
	case status >= 500, status == http.StatusRequestTimeout, status == http.StatusTooEarly, status < 400:
		return &Temporary{Err: fmt.Errorf("%w: status %d", ErrAnswer, status)}
	case isPage(body) && status != http.StatusRequestEntityTooLarge: // whoever finds our call too large finds it so the next time
		return &Temporary{Err: fmt.Errorf("%w (status %d)", errPage, status)}
	case status == http.StatusGone, status == http.StatusNotFound && ours:
		return ErrGone
	case status == http.StatusNotFound:
		return &Temporary{Err: errMaybeGone}
	}
	return &Refused{Status: status, Code: code}
}

// errPage is an answer of something on the way: it says nothing of the letter, and nothing of what the gateway thinks of the call.
var errPage = fmt.Errorf("%w: a web page", ErrAnswer)

// isPage holds for a body that isn't the gateway's, which speaks JSON or says nothing.
func isPage(body []byte) bool { return len(bytes.TrimSpace(body)) > 0 && !json.Valid(body) }

var plainWord = regexp.MustCompile(`^[A-Za-z][A-Za-z_.-]{0,39}$`)

// errorCode reads {"error":{"code":..}}; ours says whether the body has the contract's form at all.
func errorCode(body []byte) (code string, ours bool) {
	var e struct {
		Error json.RawMessage `json:"error"`
	}
	if json.Unmarshal(body, &e) != nil || e.Error == nil {
		return "", false
	}
	var inner struct {
		Code string `json:"code"`
	}
	if json.Unmarshal(e.Error, &inner) == nil && plainWord.MatchString(inner.Code) {
		code = inner.Code
	}
	return code, true
}

// retryAfter reads the header in both forms of RFC 9110, section 10.2.3, at most a day: a slip there must not silence an agency.
func (c *Client) retryAfter(resp *http.Response) time.Duration {
	header := strings.TrimSpace(resp.Header.Get("Retry-After"))
	var after time.Duration
	if seconds, err := strconv.ParseUint(header, 10, 31); err == nil {
		after = time.Duration(seconds) * time.Second
	} else if at, err := http.ParseTime(header); err == nil {
		after = at.Sub(c.cfg.Now())
	}
	return min(max(after, 0), 24*time.Hour)
}

// rest is the pause that the gateway asked for; all callers of the agency keep it.
type rest struct {
	mu sync.Mutex
	to time.Time
}

func (r *rest) until(t time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if t.After(r.to) {
		r.to = t
	}
}

func (r *rest) allowed(now time.Time) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if now.Before(r.to) {
		return &Temporary{RetryAfter: r.to.Sub(now), Err: errors.New("srikandi: waiting as the gateway asked")}
	}
	return nil
}

// secure says whether a URL may be called: https, or http to a loopback address where that is allowed.
func secure(u *url.URL, loopback bool) bool {
	return u.Scheme == "https" || u.Scheme == "http" && loopback && isLoopback(u)
}

func isLoopback(u *url.URL) bool {
	ip := net.ParseIP(u.Hostname())
	return strings.EqualFold(u.Hostname(), "localhost") || ip != nil && ip.IsLoopback()
}

// readAll reads at most limit bytes.
func readAll(r io.Reader, limit int64) ([]byte, error) {
	body, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err != nil {
		return body, broken(err)
	}
	if int64(len(body)) > limit {
		return nil, fmt.Errorf("%w: an answer of more than %d bytes", ErrTooLarge, limit)
	}
	return body, nil
}

// broken names what went wrong on the way. Only texts that can't hold an answer's bytes or a URL are passed on: net/http quotes both.
func broken(err error) error {
	var dns *net.DNSError
	var op *net.OpError
	var cert *tls.CertificateVerificationError
	var unknown x509.UnknownAuthorityError
	var timeout interface{ Timeout() bool }
	what := errors.New("connection broke")
	switch {
	case errors.As(err, &cert):
		what = cert
	case errors.As(err, &unknown):
		what = unknown
	case errors.As(err, &dns):
		what = dns
	case errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, syscall.ECONNRESET):
		if errors.As(err, &op) {
			what = op
		}
	case errors.As(err, &timeout) && timeout.Timeout():
		what = errors.New("no answer in time")
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		what = errors.New("connection ended early")
	}
	return &Temporary{Err: fmt.Errorf("srikandi: %w", what)}
}
