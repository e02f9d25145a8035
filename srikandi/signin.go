package srikandi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"
)

// signIn holds the bearer token in memory, and what a refusal forbids. Contract: on 401 one new token; a second 401 stops the agency's
// polling, never a login loop.
type signIn struct {
	mu      sync.Mutex // held while a token is fetched: callers that met the same 401 share one new token
	token   string
	expires time.Time // zero: not known
	// unproven counts the tokens fetched since a call was last accepted. Workers that meet refusals at the same time take two at most.
	unproven atomic.Int32

	state   sync.Mutex
	refused time.Time // zero: not refused
}

// SignInRefused says since when the gateway has been refusing the credentials, and until when the client rests.
func (c *Client) SignInRefused() (since, until time.Time, refused bool) {
	c.signIn.state.Lock()
	defer c.signIn.state.Unlock()
	if c.signIn.refused.IsZero() {
		return time.Time{}, time.Time{}, false
	}
	return c.signIn.refused, c.signIn.refused.Add(c.cfg.SignInRest), true
}

// Retry ends the rest after a refused sign-in: the operator has looked.
func (c *Client) Retry() { c.signIn.setRefused(time.Time{}) }

// Rest begins the rest as of a refusal that another process met.
func (c *Client) Rest(since time.Time) { c.signIn.setRefused(since) }

func (s *signIn) setRefused(at time.Time) {
	s.state.Lock()
	defer s.state.Unlock()
	s.refused = at
}

func (s *signIn) allowed(now time.Time, rest time.Duration) error {
	s.state.Lock()
	defer s.state.Unlock()
	if !s.refused.IsZero() && now.Before(s.refused.Add(rest)) {
		return ErrSignIn
	}
	return nil
}

// withToken runs a call with the bearer token, a second time with a new one if the first is refused, and not a third time.
func (c *Client) withToken(ctx context.Context, do func(token string) error) error {
	token, err := c.token(ctx, "")
	if err != nil {
		return err
	}
	if err = do(token); !errors.Is(err, errUnauthorized) {
		c.signIn.proven(err)
		return err
	}
	if token, err = c.token(ctx, token); err != nil {
		return err
	}
	if err = do(token); errors.Is(err, errUnauthorized) {
		c.signIn.mu.Lock()
		defer c.signIn.mu.Unlock()
		return c.signIn.refuse(c.cfg.Now(), "a new token was refused too")
	}
	c.signIn.proven(err)
	return err
}

func (s *signIn) proven(err error) {
	if err == nil {
		s.unproven.Store(0)
	}
}

// refuse begins the rest. The caller holds mu.
func (s *signIn) refuse(now time.Time, why string) error {
	s.token = ""
	s.unproven.Store(0)
	s.setRefused(now)
	return fmt.Errorf("%w: %s", ErrSignIn, why)
}

// token returns a bearer token that isn't the refused one, fetching it where there is none.
func (c *Client) token(ctx context.Context, refused string) (string, error) {
	s := &c.signIn
	s.mu.Lock()
	defer s.mu.Unlock()
	now := c.cfg.Now()
	if s.token != "" && s.token != refused && (s.expires.IsZero() || now.Before(s.expires)) {
		return s.token, nil
	}
	// Whoever waited for the lock while another was refused must not try again.
	if err := s.allowed(now, c.cfg.SignInRest); err != nil {
		return "", err
	}
	if s.unproven.Load() >= 2 {
		return "", s.refuse(now, "two tokens in a row were refused")
	}
	s.token = ""
	token, lasts, err := c.fetchToken(ctx)
	if err != nil {
		return "", err
	}
	s.unproven.Add(1)
	s.setRefused(time.Time{})
	s.token, s.expires = token, time.Time{}
	if lasts > 0 {
		// A little early, so that a token doesn't run out on its way.
		s.expires = now.Add(lasts - min(30*time.Second, lasts/10))
	}
	return token, nil
}

// fetchToken signs in. The caller holds mu.
func (c *Client) fetchToken(ctx context.Context) (token string, lasts time.Duration, err error) {
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {c.cfg.ClientID}, "client_secret": {c.cfg.ClientSecret}}
	resp, err := c.send(ctx, call{
		method: http.MethodPost, path: []string{"oauth", "token"},
		body: []byte(form.Encode()), mime: "application/x-www-form-urlencoded",
	}, "")
	if err != nil {
		return "", 0, err
	}
	defer resp.Body.Close()
	body, err := readAll(resp.Body, c.cfg.MaxAnswer)
	switch failed := c.failure(resp, body); {
	case resp.StatusCode == http.StatusNotFound, resp.StatusCode == http.StatusGone:
		return "", 0, &Temporary{Err: fmt.Errorf("%w: no token endpoint (status %d)", ErrAnswer, resp.StatusCode)}
	case isTemporary(failed) && !errors.Is(failed, errPage): // a refusal is one in any form: never a login loop
		return "", 0, failed
	case failed != nil:
		return "", 0, c.signIn.refuse(c.cfg.Now(), fmt.Sprintf("status %d for a token", resp.StatusCode))
	case err != nil:
		return "", 0, err
	}
	r := newRow(body, "", c.cfg.Zone)
	token, seconds := r.text("access_token"), r.number("expires_in")
	if r.err() != nil || token == "" {
		return "", 0, unreadable("a token")
	}
	return token, time.Duration(min(seconds, 1<<31)) * time.Second, nil
}

func isTemporary(err error) bool {
	var t *Temporary
	return errors.As(err, &t)
}
