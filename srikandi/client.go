package srikandi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/sony/gobreaker/v2"

	"pulih/internal/letter"
)

// ClientConfig says where an agency's gateway is and how patient to be. BaseURL, ClientID, ClientSecret, Zone and Now are needed.
type ClientConfig struct {
	BaseURL      string // "https://host/prefix"; http only to a loopback address
	ClientID     string
	ClientSecret string
	Zone         *time.Location // of timestamps that come without one
	Now          func() time.Time

	Timeout           time.Duration // of a call, and of silence inside a download; 0 is 30 s
	AttachmentTimeout time.Duration // of a whole download; 0 is 5 min
	MaxAnswer         int64         // bytes of a JSON answer; 0 is 16 MiB
	SignInRest        time.Duration // how long a refused sign-in rests; 0 is 12 h
	RefusedAt         time.Time     // a refusal from before a restart, so that a restart is no login loop
	BreakAfter        uint32        // failures in a row that open the breaker; 0 is 5
	BreakFor          time.Duration // how long it stays open, on the wall clock; 0 is 30 s
}

// Client is a Gateway over HTTP. It is safe for concurrent use. One Client serves one agency, so that one agency's outage or refused
// sign-in is no other's.
type Client struct {
	cfg     ClientConfig
	base    *url.URL
	http    *http.Client
	breaker *gobreaker.CircuitBreaker[struct{}]
	signIn  signIn
	rest    rest
}

var _ Gateway = (*Client)(nil)

// NewClient checks the configuration; it makes no call.
func NewClient(cfg ClientConfig) (*Client, error) {
	base, err := url.Parse(strings.TrimSuffix(cfg.BaseURL, "/"))
	switch {
	case err != nil || base.Host == "" || base.User != nil || base.RawQuery != "" || base.Fragment != "":
		return nil, errors.New("srikandi: the base URL must look like https://host/path")
	case !secure(base, true):
		return nil, errors.New("srikandi: the base URL must be https (http only to a loopback address)")
	case cfg.ClientID == "" || cfg.ClientSecret == "" || cfg.Zone == nil || cfg.Now == nil:
		return nil, errors.New("srikandi: client id, client secret, zone and clock are needed")
	}
	cfg.Timeout = or(cfg.Timeout, 30*time.Second)
	cfg.AttachmentTimeout = or(cfg.AttachmentTimeout, 5*time.Minute)
	cfg.MaxAnswer = or(cfg.MaxAnswer, 16<<20)
	cfg.SignInRest = or(cfg.SignInRest, 12*time.Hour)
	cfg.BreakAfter = or(cfg.BreakAfter, 5)
	cfg.BreakFor = or(cfg.BreakFor, 30*time.Second)
	transport := &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		TLSHandshakeTimeout:   10 * time.Second,
		ResponseHeaderTimeout: cfg.Timeout,
		MaxIdleConnsPerHost:   8,
		IdleConnTimeout:       90 * time.Second,
		ForceAttemptHTTP2:     true,
	}
	c := &Client{cfg: cfg, base: base, http: &http.Client{
		Transport: transport,
		// Redirects are followed by hand, and without the bearer token (contract, "Reading").
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	c.signIn.refused = cfg.RefusedAt
	c.breaker = gobreaker.NewCircuitBreaker[struct{}](gobreaker.Settings{
		Timeout:      cfg.BreakFor,
		ReadyToTrip:  func(n gobreaker.Counts) bool { return n.ConsecutiveFailures >= cfg.BreakAfter },
		IsSuccessful: func(err error) bool { return !outage(err) },
		IsExcluded: func(err error) bool {
			return errors.Is(err, ErrSignIn) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
		},
	})
	return c, nil
}

// Close drops idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// List implements Gateway.
func (c *Client) List(ctx context.Context, q Query) (Page, error) {
	values := url.Values{"limit": {strconv.Itoa(or(q.Limit, 50))}}
	since := later(q.UpdatedSince, time.Unix(0, 0))
	values.Set("updated_since", since.In(c.cfg.Zone).Format(time.RFC3339)) // whole seconds, rounded down: inclusive either way
	if q.Cursor != "" {
		values.Set("cursor", q.Cursor)
	}
	var page Page
	err := c.call(ctx, call{method: http.MethodGet, path: []string{"v1", "naskah-masuk"}, query: values}, func(a answer) (err error) {
		page, err = decodePage(a.body, c.cfg.Zone)
		return err
	})
	return page, wrap(err, "listing letters")
}

// Letter implements Gateway.
func (c *Client) Letter(ctx context.Context, id string) (Naskah, error) {
	var n Naskah
	err := c.call(ctx, call{method: http.MethodGet, path: []string{"v1", "naskah-masuk", id}}, func(a answer) (err error) {
		n, err = decodeLetter(a.body, id, c.cfg.Zone)
		return err
	})
	return n, wrap(c.surelyGone(ctx, err), "reading letter "+id)
}

// FollowUp implements Gateway.
func (c *Client) FollowUp(ctx context.Context, naskahID, key string, f FollowUp) (FollowUpResult, error) {
	body, err := json.Marshal(map[string]any{
		"disposisi_id": orNil(f.DispositionID), "status": f.Status, "catatan": f.Note, "lampiran": []string{},
	})
	if err != nil {
		return FollowUpResult{}, fmt.Errorf("writing a follow-up: %w", err)
	}
	var result FollowUpResult
	err = c.call(ctx, call{
		method: http.MethodPost, path: []string{"v1", "naskah-masuk", naskahID, "tindak-lanjut"},
		key: key, body: body, mime: "application/json",
	}, func(a answer) error {
		r := newRow(a.body, "", c.cfg.Zone)
		result = FollowUpResult{ID: r.text("id"), Status: r.text("status"), Replay: a.status == http.StatusOK}
		if r.err() != nil || result.ID == "" && result.Status == "" {
			return unreadable("a follow-up's receipt")
		}
		return nil
	})
	var refused *Refused
	if errors.As(err, &refused) && refused.Status == http.StatusConflict {
		err = ErrWithdrawn
	}
	return result, wrap(c.surelyGone(ctx, err), "writing a follow-up on letter "+naskahID)
}

// Register implements Gateway.
func (c *Client) Register(ctx context.Context, key string, n NewNaskah, files []letter.File) (Naskah, error) {
	body, mime, err := registration(n, files)
	if err != nil {
		return Naskah{}, fmt.Errorf("registering a letter: %w", err)
	}
	var out Naskah
	err = c.call(ctx, call{
		method: http.MethodPost, path: []string{"v1", "naskah-masuk"}, key: key, body: body, mime: mime, long: true,
	}, func(a answer) (err error) {
		out, err = decodeLetter(a.body, "", c.cfg.Zone)
		return err
	})
	// It is registered if it has an ID: the next poll reads the rest.
	var bad *BadLetter
	if errors.As(err, &bad) && bad.Row.ID != "" {
		return Naskah{ID: bad.Row.ID, Raw: bad.Row.Raw}, nil
	}
	return out, wrap(err, "registering a letter")
}

// surelyGone doubts a 404 without the contract's body: a proxy that lost its way answers so for every letter. It is believed only if
// the gateway itself answers at the same moment.
func (c *Client) surelyGone(ctx context.Context, err error) error {
	if !errors.Is(err, errMaybeGone) {
		return err
	}
	if _, listErr := c.List(ctx, Query{UpdatedSince: c.cfg.Now(), Limit: 1}); listErr != nil {
		return err
	}
	return ErrGone
}

var errMaybeGone = fmt.Errorf("%w: 404 without an error body", ErrAnswer)

func decodePage(body []byte, zone *time.Location) (Page, error) {
	r := newRow(body, "", zone)
	var rows []json.RawMessage
	data := r.get("data")
	// An empty list is null for some servers; an object without any of the page's fields is no page.
	if data == nil && r.get("server_time") == nil && r.get("next_cursor") == nil || data != nil && json.Unmarshal(data, &rows) != nil {
		return Page{}, unreadable("a page")
	}
	page := Page{NextCursor: r.text("next_cursor")}
	if r.err() != nil {
		return Page{}, unreadable("a page")
	}
	page.ServerTime = r.time("server_time") // for judging clocks only: an unreadable one is unknown
	for _, raw := range rows {
		if n, bad := decodeRow(raw, zone); bad != nil {
			page.Bad = append(page.Bad, *bad)
		} else {
			page.Rows = append(page.Rows, n)
		}
	}
	return page, nil
}

// decodeLetter reads a whole letter. One that isn't the letter asked for is an unreadable answer; one that can't be read is a BadLetter.
func decodeLetter(body []byte, id string, zone *time.Location) (Naskah, error) {
	if !json.Valid(body) {
		return Naskah{}, unreadable("a letter")
	}
	n, bad := decodeRow(body, zone)
	switch {
	case bad != nil && bad.ID == "":
		return Naskah{}, unreadable("a letter")
	case bad != nil:
		return Naskah{}, &Temporary{Err: &BadLetter{*bad}}
	case id != "" && n.ID != id:
		return Naskah{}, unreadable("a letter: it is another one")
	}
	return n, nil
}

// BadLetter is a letter that came but could not be read; its raw JSON is kept for a human. It stands inside a *Temporary.
type BadLetter struct{ Row BadRow }

func (b *BadLetter) Error() string { return b.Row.Err.Error() }

func wrap(err error, doing string) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", doing, err)
}

func unreadable(what string) error {
	return &Temporary{Err: fmt.Errorf("%w: %s", ErrAnswer, what)}
}

func or[T comparable](v, fallback T) T {
	var zero T
	if v == zero {
		return fallback
	}
	return v
}
