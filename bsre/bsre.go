// Package bsre speaks with BSrE, the certificate authority: the status of an official's certificate through the agency's eSign gateway,
// their record in the AMS portal, and the reset of a passphrase, which is made once or not at all. The wire is contracts/bsre.md.
//
// What it promises:
//
//   - An unknown answer is never read as ISSUE, and never as a reset that was accepted, refused or not sent.
//   - A reset is one HTTP request on a connection of its own. No layer below repeats it, follows a redirect or uses a proxy.
//   - Errors and printed values hold no identity number, token, URL or answer body; what a server said is passed on in fields made for
//     showing, bounded and with long numbers masked.
package bsre

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"syscall"
	"time"
	"unicode"

	"golang.org/x/net/html"
)

// What can go wrong while reading. All but ErrAmbiguous, ErrNotFound, ErrNobody and those about a sign-in are temporary: ask again later.
var (
	// ErrUnreachable: no answer came (dial, time-out, cut connection).
	ErrUnreachable = errors.New("BSrE tidak dapat dihubungi")
	// ErrUnreadable: an answer came that isn't one of the contract's (HTML, empty, cut, a 5xx).
	ErrUnreadable = errors.New("jawaban BSrE tidak terbaca")
	// ErrResting: the breaker is open after repeated failures; nothing was sent.
	ErrResting = errors.New("panggilan ke BSrE sedang diistirahatkan")
	// ErrCredentials: the gateway refused the user name or password of the agency (HTTP 401, 403).
	ErrCredentials = errors.New("akun eSign ditolak")
	// ErrSessionEnded: the lent session is over and can't be refreshed; the verifier must sign in again.
	ErrSessionEnded = errors.New("sesi AMS telah berakhir")
	// ErrAmbiguous: more than one user matches, so the applicant can't be identified.
	ErrAmbiguous = errors.New("lebih dari satu pengguna AMS cocok")
	// ErrNotFound: no user matches.
	ErrNotFound = errors.New("pengguna AMS tidak ditemukan")
	// ErrNobody: too little is known of the person to ask about them; nothing was sent.
	ErrNobody = errors.New("NIK atau e-mail yang diperlukan tidak diketahui")
)

// WIB is the zone of BSrE's dates that carry none (UTC+7, no summer time).
var WIB = time.FixedZone("WIB", 7*60*60)

// Denied is a server's plain refusal. Words are for showing to the verifier; Error leaves them out, so that they reach no log.
type Denied struct{ Words string }

func (*Denied) Error() string { return "ditolak oleh BSrE" }

// maxAnswer bounds every answer but that of a PDF's verification, in bytes.
const maxAnswer = 1 << 20

// call is one exchange of the reading kind.
type call struct {
	client *http.Client
	doing  string // for errors: "asking the eSign gateway for a status"
	limit  int64  // bytes of the answer; 0 means maxAnswer
}

// answer is what came back, whole and within its limit.
type answer struct {
	status int
	body   []byte
	sent   []string // the request's credentials: some servers echo what they were sent
}

func (c call) do(req *http.Request) (answer, error) {
	req.Header.Set("Accept", "application/json")
	resp, err := c.client.Do(req)
	if err != nil {
		return answer{}, fmt.Errorf("%s: %w", c.doing, cause(err))
	}
	defer resp.Body.Close()
	limit := c.limit
	if limit == 0 {
		limit = maxAnswer
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, limit+1))
	if err != nil {
		return answer{}, fmt.Errorf("%s: %w", c.doing, cause(err))
	}
	if int64(len(body)) > limit {
		return answer{}, fmt.Errorf("%s: %w: longer than %d bytes", c.doing, ErrUnreadable, limit)
	}
	return answer{resp.StatusCode, body, credentials(req)}, nil
}

// credentials are the secrets in a request's Authorization header.
func credentials(req *http.Request) []string {
	_, secret, _ := strings.Cut(req.Header.Get("Authorization"), " ")
	_, password, _ := req.BasicAuth()
	return []string{secret, password}
}

// words is what the answer's object says to a person, without the request's secrets and those in hide.
func (a answer) words(o map[string]json.RawMessage, hide ...string) string {
	return wordsOf(o, append(hide, a.sent...)...)
}

func (a answer) clean(words string, hide ...string) string {
	return clean(words, append(hide, a.sent...)...)
}

// unreadable is the error for an answer outside the contract: its status and form are told, never its text.
func (c call) unreadable(a answer) error {
	form := "JSON"
	if !json.Valid(a.body) {
		form = "no JSON"
	}
	if len(a.body) == 0 {
		form = "empty"
	}
	return fmt.Errorf("%s: %w: HTTP %d, %s", c.doing, ErrUnreadable, a.status, form)
}

// cause turns an error of net/http into one that may be logged. The original is dropped on purpose: url.Error prints the URL, which in
// eSign v1 holds the NIK, and "malformed HTTP response" quotes the answer.
func cause(err error) error {
	var (
		dns  *net.DNSError
		cert *tls.CertificateVerificationError
		timo net.Error
	)
	switch {
	case errors.Is(err, context.Canceled):
		return fmt.Errorf("%w: %w", ErrUnreachable, context.Canceled)
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timo) && timo.Timeout():
		return fmt.Errorf("%w: %w", ErrUnreachable, context.DeadlineExceeded)
	case errors.As(err, &dns):
		return fmt.Errorf("%w: host name not found", ErrUnreachable)
	case errors.As(err, &cert):
		return fmt.Errorf("%w: the server's certificate is not trusted", ErrUnreachable)
	case errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Errorf("%w: connection refused", ErrUnreachable)
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return fmt.Errorf("%w: connection reset", ErrUnreachable)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("%w: connection closed early", ErrUnreachable)
	}
	return fmt.Errorf("%w: the exchange failed", ErrUnreachable)
}

// newClient is a client for reading calls. It follows no redirect (the token and, in eSign v1, the NIK would travel along) and uses no
// proxy from the environment (one that logs URLs would log the NIK).
func newClient(tlsConfig *tls.Config, timeout time.Duration) *http.Client {
	return &http.Client{
		Timeout:       timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			Proxy:                  nil,
			DialContext:            (&net.Dialer{Timeout: 10 * time.Second}).DialContext,
			TLSClientConfig:        tlsConfig,
			TLSHandshakeTimeout:    10 * time.Second,
			DisableKeepAlives:      true, // calls are few, and a kept connection that died fails a POST for nothing
			MaxConnsPerHost:        4,
			MaxResponseHeaderBytes: 64 << 10,
		},
	}
}

// baseURL reads a configured address. Plain HTTP is for loopback, or where the caller allows it.
func baseURL(name, raw string, allowPlain bool) (*url.URL, error) {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, fmt.Errorf("%s: expected an address like https://host/path", name)
	}
	switch {
	case u.Scheme == "https":
	case u.Scheme == "http" && (allowPlain || loopback(u.Hostname())):
	case u.Scheme == "http":
		return nil, fmt.Errorf("%s: plain HTTP is allowed only to a loopback address", name)
	default:
		return nil, fmt.Errorf("%s: expected https, not %q", name, u.Scheme)
	}
	u.Path = strings.TrimRight(u.Path, "/")
	return u, nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// object decodes a JSON object, with nothing behind it; anything else is not one.
func object(body []byte) (map[string]json.RawMessage, bool) {
	var o map[string]json.RawMessage
	if json.Unmarshal(body, &o) != nil || o == nil {
		return nil, false
	}
	return o, true
}

// member looks a key up, without case where it isn't there as written.
func member(o map[string]json.RawMessage, key string) json.RawMessage {
	if v, ok := o[key]; ok {
		return v
	}
	for k, v := range o {
		if strings.EqualFold(k, key) {
			return v
		}
	}
	return nil
}

// text reads a JSON scalar as trimmed text: BSrE's answers have numbers, strings, null and blanks in the same field. What is no scalar
// is blank.
type text string

func (t *text) UnmarshalJSON(raw []byte) error {
	*t = ""
	var s string
	switch {
	case len(raw) == 0 || raw[0] == '{' || raw[0] == '[' || string(raw) == "null":
	case json.Unmarshal(raw, &s) == nil:
		*t = text(strings.TrimSpace(s))
	default:
		*t = text(raw) // a number or a bool, as written
	}
	return nil
}

func textOf(raw json.RawMessage) string {
	var t text
	_ = t.UnmarshalJSON(raw)
	return string(t)
}

// wordsOf finds what an answer says to a person.
func wordsOf(o map[string]json.RawMessage, hide ...string) string {
	for _, key := range []string{"message", "error_description", "error", "description", "pesan"} {
		raw := member(o, key)
		if inner, ok := object(raw); ok {
			if w := wordsOf(inner, hide...); w != "" {
				return w
			}
		}
		if w := textOf(raw); w != "" && w != "false" && w != "true" {
			return clean(w, hide...)
		}
	}
	return ""
}

var longNumber = regexp.MustCompile(`\d(?:[ .\-]?\d){7,}`)

// clean makes a server's words fit to be shown: tags out, one line, at most 200 characters, with the given secrets and every number of
// eight digits or more masked (NIK, NIP, telephone).
func clean(words string, hide ...string) string {
	for _, h := range hide {
		if len(h) >= 4 {
			words = regexp.MustCompile(`(?i)`+regexp.QuoteMeta(h)).ReplaceAllString(words, "***")
		}
	}
	if strings.ContainsRune(words, '<') {
		words = withoutTags(words)
	}
	words = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == unicode.ReplacementChar {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(words, " "))
	words = longNumber.ReplaceAllString(strings.Join(strings.Fields(words), " "), "***")
	if r := []rune(words); len(r) > 200 {
		words = string(r[:199]) + "…"
	}
	return words
}

func withoutTags(s string) string {
	var b strings.Builder
	z := html.NewTokenizer(strings.NewReader(s))
	skip := false
	for {
		switch z.Next() {
		case html.ErrorToken:
			return b.String()
		case html.TextToken:
			if !skip {
				b.WriteString(string(z.Text()) + " ")
			}
		case html.StartTagToken:
			name, _ := z.TagName()
			skip = string(name) == "script" || string(name) == "style"
		case html.EndTagToken:
			skip = false
		}
	}
}
