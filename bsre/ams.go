package bsre

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/sony/gobreaker/v2"
)

// AMSConfig is the certificate authority's sign-in and portal. Its paths are undocumented and free to change, so they are configuration.
type AMSConfig struct {
	BeIDURL    string // https, or http to a loopback address
	PortalURL  string
	OperatorIP string // X-USER-IP: the address that the operator works from; required by the portal
	ClientID   string // "ams"

	TokenPath   string
	FindPath    string
	DetailsPath string // with {uid}
	PhonePath   string
	ResetPath   string // with {uid} and {serialNumber}

	Timeout      time.Duration  // of a reading call; 0 means 30 s
	ResetTimeout time.Duration  // of the reset from the first byte sent; 0 means 60 s
	DialTimeout  time.Duration  // of the reset's connection; 0 means 10 s
	Zone         *time.Location // of the portal's dates without a zone; nil means WIB
	RootCAs      *x509.CertPool
	Rest         time.Duration    // how long the breaker of reading calls stays open; 0 means 30 s
	Now          func() time.Time // nil means time.Now
}

// AMS is a client of the portal, safe for concurrent use; a Session is not. Reading calls and resets share nothing but the
// configuration: no connection, no limit, no breaker.
type AMS struct {
	conf    AMSConfig
	beid    *url.URL
	portal  *url.URL
	tls     *tls.Config
	client  *http.Client
	breaker *gobreaker.CircuitBreaker[answer]
	renew   func(ctx context.Context, failed Session) (Session, error) // nil: Refresh
}

// Renewing returns a client whose reading calls take a new session from renew when the portal says that the token ran out. Who shares a
// session with others needs it: a refresh spends the refresh token, so one of two that refresh at once would think that the session is over.
func (a *AMS) Renewing(renew func(ctx context.Context, failed Session) (Session, error)) *AMS {
	other := *a
	other.renew = renew
	return &other
}

// NewAMS checks the configuration; it dials nothing.
func NewAMS(conf AMSConfig) (*AMS, error) {
	beid, err := baseURL("ams.beid_url", conf.BeIDURL, false)
	if err != nil {
		return nil, err
	}
	portal, err := baseURL("ams.portal_url", conf.PortalURL, false)
	if err != nil {
		return nil, err
	}
	if net.ParseIP(conf.OperatorIP) == nil {
		return nil, fmt.Errorf("ams.operator_ip: expected an IP address (the portal requires X-USER-IP)")
	}
	conf = withDefaults(conf)
	for name, path := range map[string]string{"details_path": conf.DetailsPath, "reset_path": conf.ResetPath} {
		if !strings.Contains(path, "{uid}") || name == "reset_path" && !strings.Contains(path, "{serialNumber}") {
			return nil, fmt.Errorf("ams.%s: expected {uid}, and for the reset {serialNumber}", name)
		}
	}
	tlsConfig := &tls.Config{RootCAs: conf.RootCAs, MinVersion: tls.VersionTLS12}
	return &AMS{
		conf: conf, beid: beid, portal: portal, tls: tlsConfig,
		client:  newClient(tlsConfig, conf.Timeout),
		breaker: newBreaker("ams", conf.Rest),
	}, nil
}

func withDefaults(c AMSConfig) AMSConfig {
	word := func(have *string, otherwise string) {
		if *have == "" {
			*have = otherwise
		}
	}
	word(&c.ClientID, "ams")
	word(&c.TokenPath, "/realms/external-service/protocol/openid-connect/token")
	word(&c.FindPath, "/api/rest/manage/user/list")
	word(&c.DetailsPath, "/api/rest/manage/user/details/{uid}")
	word(&c.PhonePath, "/api/rest/manage/user/verify/phone")
	word(&c.ResetPath, "/api/rest/manage/cert/passphrase/reset/{uid}/{serialNumber}")
	span := func(have *time.Duration, otherwise time.Duration) {
		if *have == 0 {
			*have = otherwise
		}
	}
	span(&c.Timeout, 30*time.Second)
	span(&c.ResetTimeout, 60*time.Second)
	span(&c.DialTimeout, 10*time.Second)
	span(&c.Rest, 30*time.Second)
	if c.Zone == nil {
		c.Zone = WIB
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return c
}

// Find identifies a user by e-mail, and by NIK where the e-mail is unknown to the portal. ErrAmbiguous: more than one row, which is never
// guessed at. Like every reading call it renews *s in place when the portal says that the token ran out (once); save it when it changed.
func (a *AMS) Find(ctx context.Context, s *Session, email, nik string) (uid string, err error) {
	for _, filter := range []struct{ name, value string }{{"email", email}, {"nik", nik}} {
		if filter.value == "" {
			continue
		}
		uid, err = a.find(ctx, s, filter.name, filter.value)
		if err != nil || uid != "" {
			return uid, err
		}
	}
	return "", fmt.Errorf("finding the user in AMS: %w", ErrNotFound)
}

func (a *AMS) find(ctx context.Context, s *Session, filter, value string) (uid string, err error) {
	c := call{client: a.client, doing: "finding the user in AMS by " + filter}
	question := map[string]any{"search": "", "start": 0, "length": 10, "filters": map[string]string{filter: value}}
	got, err := a.read(ctx, s, c, http.MethodPost, a.conf.FindPath, question)
	if err != nil {
		return "", err
	}
	var wire struct {
		Records text `json:"records"`
		Rows    []struct {
			ID text `json:"id"`
		} `json:"aaData"`
	}
	if err := c.data(got, &wire, value); err != nil {
		return "", err
	}
	records, _ := strconv.Atoi(string(wire.Records))
	switch {
	case records > 1 || len(wire.Rows) > 1:
		return "", fmt.Errorf("%s: %w", c.doing, ErrAmbiguous)
	case len(wire.Rows) == 0 && records == 0 && (wire.Rows != nil || wire.Records == "0"):
		return "", nil
	case len(wire.Rows) == 0 || !isUID(string(wire.Rows[0].ID)):
		return "", c.unreadable(got)
	}
	return string(wire.Rows[0].ID), nil
}

// Details reads a user's profile and certificates.
func (a *AMS) Details(ctx context.Context, s *Session, uid string) (Details, error) {
	c := call{client: a.client, doing: "reading the user's details in AMS"}
	if !isUID(uid) {
		return Details{}, fmt.Errorf("%s: %w: the user's id is no id", c.doing, ErrNotFound)
	}
	got, err := a.read(ctx, s, c, http.MethodGet, strings.ReplaceAll(a.conf.DetailsPath, "{uid}", uid), nil)
	if err != nil {
		return Details{}, err
	}
	return readDetails(c, got, uid, a.conf.Zone)
}

// read makes a reading call in the session, behind the breaker. On 401 it refreshes and repeats exactly once.
func (a *AMS) read(ctx context.Context, s *Session, c call, method, path string, body any) (answer, error) {
	got, err := a.readOnce(ctx, *s, c, method, path, body)
	if err != nil || got.status != http.StatusUnauthorized {
		return got, err
	}
	renew := a.renew
	if renew == nil {
		renew = a.Refresh
	}
	renewed, err := renew(ctx, *s)
	if err != nil {
		return answer{}, fmt.Errorf("%s: %w", c.doing, err)
	}
	*s = renewed
	got, err = a.readOnce(ctx, *s, c, method, path, body)
	if err == nil && got.status == http.StatusUnauthorized {
		return answer{}, fmt.Errorf("%s: %w", c.doing, ErrSessionEnded)
	}
	return got, err
}

func (a *AMS) readOnce(ctx context.Context, s Session, c call, method, path string, body any) (answer, error) {
	if s.tokens == nil {
		return answer{}, fmt.Errorf("%s: %w", c.doing, ErrSessionEnded)
	}
	req, err := newRequest(ctx, method, a.portal, path, body)
	if err != nil {
		return answer{}, fmt.Errorf("%s: %w", c.doing, err)
	}
	a.identify(req, s)
	return guarded(a.breaker, c, req)
}

func (a *AMS) identify(req *http.Request, s Session) {
	req.Header.Set("Authorization", "Bearer "+s.tokens.access)
	req.Header.Set("X-USER-IP", a.conf.OperatorIP)
	req.Header.Set("User-Agent", "pulih")
}

// data decodes the member "data" of a good answer; success false and refusals with words become *Denied.
func (c call) data(got answer, into any, hide ...string) error {
	o, ok := object(got.body)
	refused := ok && strings.EqualFold(textOf(member(o, "success")), "false")
	if refused || ok && got.status >= 400 && got.status < 500 {
		if words := got.words(o, hide...); words != "" {
			return fmt.Errorf("%s: %w", c.doing, &Denied{Words: words})
		}
	}
	inner := member(o, "data")
	if got.status < 200 || got.status > 299 || refused || inner == nil || json.Unmarshal(inner, into) != nil {
		return c.unreadable(got)
	}
	return nil
}

// isUID reports whether s can be a path segment that identifies a user: a uuid in practice.
func isUID(s string) bool {
	if s == "" || len(s) > 64 {
		return false
	}
	for _, r := range s {
		if !(r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r == '-') {
			return false
		}
	}
	return true
}
