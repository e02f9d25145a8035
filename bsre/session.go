package bsre

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// IdleLimit is how long the portal keeps a session that nobody uses (contracts/bsre.md, section 2).
const IdleLimit = 12 * time.Hour

// Session is what a verifier lends by signing in: two tokens and when they end. Neither fmt, slog nor JSON shows the tokens; to
// keep it, seal what Plain returns. Sessions compare equal with == when they are the same sign-in or refresh of this process.
type Session struct {
	tokens           *tokens // behind a pointer, so that %+v of a struct around it prints an address
	ExpiresAt        time.Time
	RefreshExpiresAt time.Time
}

type tokens struct{ access, refresh string }

// Alive reports whether the session can make a call at that instant, if need be after a refresh.
func (s Session) Alive(now time.Time) bool {
	if s.tokens == nil {
		return false
	}
	return now.Before(s.ExpiresAt) || s.tokens.refresh != "" && now.Before(s.RefreshExpiresAt)
}

func (Session) String() string       { return "[session]" }
func (Session) LogValue() slog.Value { return slog.StringValue("[session]") }

type plainSession struct {
	Access           string    `json:"a"`
	Refresh          string    `json:"r"`
	ExpiresAt        time.Time `json:"e"`
	RefreshExpiresAt time.Time `json:"x"`
}

// Plain is the session in clear, to be sealed at once and written nowhere else.
func (s Session) Plain() []byte {
	p := plainSession{ExpiresAt: s.ExpiresAt, RefreshExpiresAt: s.RefreshExpiresAt}
	if s.tokens != nil {
		p.Access, p.Refresh = s.tokens.access, s.tokens.refresh
	}
	raw, _ := json.Marshal(p) // strings and years below 10000: can't fail
	return raw
}

// OpenSession reads what Plain wrote. Its error holds none of it.
func OpenSession(plain []byte) (Session, error) {
	var p plainSession
	if json.Unmarshal(plain, &p) != nil || p.Access == "" {
		return Session{}, errors.New("opening a stored session: unreadable")
	}
	return Session{&tokens{p.Access, p.Refresh}, p.ExpiresAt, p.RefreshExpiresAt}, nil
}

// SignIn takes the verifier's own password and one-time code, uses them for one request and keeps neither. A refusal is a *Denied with
// BeID's words; it is never tried again by itself (the code is spent, and accounts get locked).
func (a *AMS) SignIn(ctx context.Context, user, password, otp string) (Session, error) {
	form := url.Values{
		"grant_type": {"password"}, "client_id": {a.conf.ClientID}, "scope": {"openid"},
		"username": {user}, "password": {password}, "totp": {otp},
	}
	s, err := a.token(ctx, form, password, otp)
	if err != nil {
		return Session{}, fmt.Errorf("signing in at BeID: %w", err)
	}
	return s, nil
}

// Refresh takes new tokens. ErrSessionEnded means that the verifier must sign in again; the old session is of no use after success.
func (a *AMS) Refresh(ctx context.Context, s Session) (Session, error) {
	const doing = "refreshing the AMS session"
	if s.tokens == nil || s.tokens.refresh == "" {
		return Session{}, fmt.Errorf("%s: %w", doing, ErrSessionEnded)
	}
	form := url.Values{"grant_type": {"refresh_token"}, "client_id": {a.conf.ClientID}, "refresh_token": {s.tokens.refresh}}
	renewed, err := a.token(ctx, form, s.tokens.refresh, s.tokens.access)
	var denied *Denied
	if errors.As(err, &denied) {
		return Session{}, fmt.Errorf("%s: %w", doing, ErrSessionEnded)
	}
	if err != nil {
		return Session{}, fmt.Errorf("%s: %w", doing, err)
	}
	if renewed.tokens.refresh == "" { // RFC 6749, section 6: the old one stays in force
		renewed.tokens.refresh, renewed.RefreshExpiresAt = s.tokens.refresh, s.RefreshExpiresAt
	}
	return renewed, nil
}

// Fresh makes sure that the session's token lasts for at least another minute, by a refresh if need be. Call it before a reset is booked:
// a reset itself is never preceded by a refresh.
func (a *AMS) Fresh(ctx context.Context, s *Session) error {
	if s.tokens != nil && a.conf.Now().Add(time.Minute).Before(s.ExpiresAt) {
		return nil
	}
	renewed, err := a.Refresh(ctx, *s)
	if err == nil {
		*s = renewed
	}
	return err
}

func (a *AMS) token(ctx context.Context, form url.Values, hide ...string) (Session, error) {
	c := call{client: a.client, doing: "token"}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, a.beid.String()+a.conf.TokenPath, strings.NewReader(form.Encode()))
	if err != nil {
		return Session{}, errors.New("the address can't be built")
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	asked := a.conf.Now()
	got, err := c.do(req)
	if err != nil {
		return Session{}, err
	}
	return readToken(c, got, asked, hide...)
}

func readToken(c call, got answer, asked time.Time, hide ...string) (Session, error) {
	o, isObject := object(got.body)
	if got.status == http.StatusBadRequest || got.status == http.StatusUnauthorized {
		if isObject && textOf(member(o, "error")) != "" {
			return Session{}, &Denied{Words: clean(firstOf(textOf(member(o, "error_description")), textOf(member(o, "error"))), hide...)}
		}
		return Session{}, c.unreadable(got)
	}
	access := textOf(member(o, "access_token"))
	if got.status != http.StatusOK || access == "" || strings.ContainsFunc(access, notInHeader) {
		return Session{}, c.unreadable(got)
	}
	s := Session{tokens: &tokens{access, textOf(member(o, "refresh_token"))}}
	s.ExpiresAt = asked.Add(seconds(o, "expires_in", time.Minute))
	// Keycloak writes 0 for "never"; the portal's own limit holds then.
	s.RefreshExpiresAt = asked.Add(min(seconds(o, "refresh_expires_in", IdleLimit), IdleLimit))
	return s, nil
}

func notInHeader(r rune) bool { return r <= ' ' || r > '~' }

func seconds(o map[string]json.RawMessage, key string, otherwise time.Duration) time.Duration {
	var n json.Number
	if json.Unmarshal([]byte(textOf(member(o, key))), &n) == nil {
		if f, err := n.Float64(); err == nil && f > 0 && f < 1e8 {
			return time.Duration(f * float64(time.Second))
		}
	}
	return otherwise
}
