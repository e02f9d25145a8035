package console

import (
	"crypto/rand"
	"encoding/base64"
	"net/http"
	"strings"
	"time"

	"pulih/internal/agency"
	"pulih/internal/sop"
	"pulih/internal/store"
)

// visitor is who looks at a page.
type visitor struct {
	agency *agency.Agency
	person agency.Person
	roles  []sop.Role
	visit  store.Visit
}

// weak: they signed in by mail alone, and their role needs a passkey.
func (v *visitor) weak() bool { return !v.visit.Strong && needsPasskey(v.roles) }

// Name is the person's, with titles.
func (v *visitor) Name() string { return v.person.Name }

// Title names the roles: "Verifikator, Operator".
func (v *visitor) Title() string {
	titles := make([]string, len(v.roles))
	for i, r := range v.roles {
		titles[i] = r.Title()
	}
	return strings.Join(titles, ", ")
}

// cookieName: the prefix has browsers refuse the cookie from a subdomain or without TLS (RFC 6265bis, section 4.1.3.2).
func (c *Console) cookieName(name string) string {
	if c.secure {
		return "__Host-" + name
	}
	return name
}

const (
	visitCookie   = "pulih"
	browserCookie = "pulih-peramban" // marks the browser that asked for a sign-in link
)

// visitorOf finds the visit behind a request's cookie; nil when there is none, or the person is no longer in the configuration.
func (c *Console) visitorOf(r *http.Request, now time.Time) (*visitor, error) {
	cookie, err := r.Cookie(c.cookieName(visitCookie))
	if err != nil || len(cookie.Value) > 100 {
		return nil, nil //nolint:nilerr // no cookie, no visit
	}
	v, ok, err := c.o.Store.Visit(r.Context(), cookie.Value, now)
	if err != nil || !ok {
		return nil, err
	}
	a, ok := c.agencies[v.Agency]
	if !ok {
		return nil, nil
	}
	p, ok := a.Person(v.Person)
	if !ok {
		return nil, nil
	}
	return &visitor{agency: a, person: p, roles: rolesOf(a, p, now), visit: v}, nil
}

// begin starts a visit: always under a new secret, so that one planted before is worth nothing.
func (c *Console) begin(p *page, v store.Visit) error {
	secret := newSecret()
	v.Browser = browserName(p.UserAgent())
	if err := c.o.Store.BeginVisit(p.ctx(), secret, v, p.now); err != nil {
		return err
	}
	c.setCookie(p.w, visitCookie, secret, 0)
	return nil
}

func (c *Console) setCookie(w http.ResponseWriter, name, value string, maxAge int) {
	http.SetCookie(w, &http.Cookie{Name: c.cookieName(name), Value: value, Path: "/", HttpOnly: true, Secure: c.secure, SameSite: http.SameSiteLaxMode,
		MaxAge: maxAge})
}

func newSecret() string {
	b := make([]byte, 32)
	rand.Read(b)
	return base64.RawURLEncoding.EncodeToString(b)
}

// browserName is enough for a person to know their own browser again: "Chrome di Windows".
func browserName(agent string) string {
	name, system := "Peramban", ""
	for _, b := range [][2]string{{"Edg/", "Edge"}, {"OPR/", "Opera"}, {"Firefox/", "Firefox"}, {"Chrome/", "Chrome"}, {"Safari/", "Safari"}} {
		if strings.Contains(agent, b[0]) {
			name = b[1]
			break
		}
	}
	for _, s := range [][2]string{{"Android", "Android"}, {"iPhone", "iPhone"}, {"iPad", "iPad"}, {"Windows", "Windows"}, {"Mac OS", "Mac"}, {"Linux", "Linux"}} {
		if strings.Contains(agent, s[0]) {
			system = " di " + s[1]
			break
		}
	}
	return name + system
}

func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// decode is nil for what isn't base64: Keys.Open refuses it.
func decode(s string) []byte {
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil {
		return []byte{}
	}
	return b
}
