package console

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"pulih/internal/agency"
	"pulih/internal/request"
	"pulih/internal/store"
)

// Tries within limitWindow: enough for a person who mistypes, too few for a machine that guesses.
const (
	triesByBrowser = 20 // links asked for, or opened, from one address
	triesByPerson  = 5  // mails to one person
)

type signInPage struct {
	base
	To, Address, Problem string
	Sent                 bool
	OIDC                 []oidcChoice
	Name                 string // of the person, when a link is opened
	Path                 string
}

func (c *Console) signInForm(p *page) error {
	if p.who != nil {
		return p.redirect(home(p.who))
	}
	return c.show(p, http.StatusOK, "masuk", signInPage{base: c.base(p, "Masuk", ""), To: p.URL.Query().Get("ke"), OIDC: c.oidcChoices()})
}

// sendLink mails a link to an official address. The answer is the same whether it is known or not: nobody learns here who works where.
func (c *Console) sendLink(p *page) error {
	d := signInPage{base: c.base(p, "Masuk", ""), To: p.PostFormValue("ke"), Address: p.text("alamat", 200), OIDC: c.oidcChoices()}
	if !c.tries.allow("sign-in/"+remote(p.Request), triesByBrowser, p.now) {
		return say(http.StatusTooManyRequests, "Terlalu banyak permintaan masuk dari jaringan ini. Tunggu sepuluh menit, lalu coba lagi.")
	}
	if !strings.Contains(d.Address, "@") {
		d.Problem = "Tuliskan alamat e-mail dinas yang lengkap, misalnya nama@" + c.o.Agencies[0].Domains[0] + "."
		return c.show(p, http.StatusUnprocessableEntity, "masuk", d)
	}
	browser := c.browserSecret(p)
	if c.tries.allow("mail/"+strings.ToLower(d.Address), triesByPerson, p.now) {
		for _, a := range c.o.Agencies {
			person, ok := a.PersonByEmail(d.Address)
			if !ok {
				continue
			}
			err := c.o.Store.InTx(p.ctx(), p.now, func(tx *store.Tx) error {
				id, err := tx.OfferSignIn(a.Key, person.ID, newSecret(), browser)
				if err != nil {
					return err
				}
				return tx.MailSignIn(a.Key, id, request.Recipient{Kind: "staff", ID: person.ID, Name: person.Name, Address: person.Email})
			})
			if err != nil {
				return err
			}
		}
	}
	if c.safeTarget(d.To) {
		c.setCookie(p.w, targetCookie, d.To, int(store.SignInSpan.Seconds()))
	}
	d.Sent = true
	return c.show(p, http.StatusOK, "masuk", d)
}

const targetCookie = "pulih-ke" // where the person wanted to go before they had to sign in

// browserSecret marks this browser: a link that was asked for here opens nothing elsewhere.
func (c *Console) browserSecret(p *page) string {
	if cookie, err := p.Cookie(c.cookieName(browserCookie)); err == nil && len(cookie.Value) == 43 {
		return cookie.Value
	}
	secret := newSecret()
	c.setCookie(p.w, browserCookie, secret, int(store.SignInSpan.Seconds()))
	return secret
}

// linkPage asks for a click before a link is spent: mail scanners open links, they press no buttons.
func (c *Console) linkPage(p *page) error {
	l, err := c.link(p)
	if err != nil {
		return err
	}
	d := signInPage{base: c.base(p, "Masuk", ""), Path: p.URL.Path}
	if person, ok := c.personOf(l.Agency, l.Person); ok {
		d.Name = person.Name
	}
	return c.show(p, http.StatusOK, "tautan", d)
}

// link finds a link that this browser may use now.
func (c *Console) link(p *page) (store.SignIn, error) {
	if !c.tries.allow("link/"+remote(p.Request), triesByBrowser*2, p.now) {
		return store.SignIn{}, say(http.StatusTooManyRequests, "Terlalu banyak percobaan dari jaringan ini. Tunggu sepuluh menit, lalu coba lagi.")
	}
	l, err := c.o.Store.FindSignIn(p.ctx(), p.PathValue("secret"))
	ended := say(http.StatusGone, "Tautan ini sudah dipakai atau sudah lewat 15 menit. Mintalah tautan baru di halaman masuk.")
	switch {
	case errors.Is(err, store.ErrNotFound):
		return l, ended
	case err != nil:
		return l, err
	case l.UsedAt != nil || !p.now.Before(l.EndsAt):
		return l, ended
	}
	cookie, err := p.Cookie(c.cookieName(browserCookie))
	if l.Bound && (err != nil || !l.SameBrowser(cookie.Value)) {
		return l, say(http.StatusForbidden, "Tautan ini diminta dari peramban lain. Bukalah di peramban tempat Anda memintanya, atau mintalah tautan baru dari peramban ini.")
	}
	return l, nil
}

func (c *Console) personOf(key, id string) (agency.Person, bool) {
	a, ok := c.agencies[key]
	if !ok {
		return agency.Person{}, false
	}
	return a.Person(id)
}

func (c *Console) useLink(p *page) error {
	l, err := c.link(p)
	if err != nil {
		return err
	}
	if _, ok := c.personOf(l.Agency, l.Person); !ok {
		return fmt.Errorf("sign-in link: %w", store.ErrNotFound)
	}
	secret := newSecret()
	ok, err := c.o.Store.UseSignIn(p.ctx(), l, secret, store.Visit{Agency: l.Agency, Person: l.Person, Vouched: l.Vouched, Browser: browserName(p.UserAgent())}, p.now)
	if err != nil {
		return err
	}
	if !ok {
		return say(http.StatusGone, "Tautan ini sudah dipakai. Mintalah tautan baru di halaman masuk.")
	}
	c.setCookie(p.w, visitCookie, secret, 0)
	c.setCookie(p.w, browserCookie, "", -1)
	return p.redirect(c.target(p, l.Agency))
}

// target is where the person wanted to go, if it is a page of their agency's desk.
func (c *Console) target(p *page, key string) string {
	cookie, err := p.Cookie(c.cookieName(targetCookie))
	if err == nil && safePath(cookie.Value, key) {
		c.setCookie(p.w, targetCookie, "", -1)
		return cookie.Value
	}
	return "/" + key + "/akun/masuk"
}

func (c *Console) safeTarget(path string) bool {
	for key := range c.agencies {
		if safePath(path, key) {
			return true
		}
	}
	return false
}

// landed sends a person to their first page, after a sign-in.
func (c *Console) landed(p *page) error { return p.redirect(home(p.who)) }

func (c *Console) signOut(p *page) error {
	if p.who != nil {
		err := c.o.Store.EndVisit(p.ctx(), p.who.agency.Key, "", p.who.visit.ID)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
	}
	c.setCookie(p.w, visitCookie, "", -1)
	return p.redirect("/")
}

// Invite makes a link for a person of the staff without a mail: for the first start, and for whoever lost their passkey. It vouches for its
// holder, so it is shown to somebody at the operator's machine alone.
func Invite(tx *store.Tx, publicURL, agencyKey, person string) (url string, err error) {
	secret := newSecret()
	if _, err := tx.OfferSignIn(agencyKey, person, secret, ""); err != nil {
		return "", err
	}
	if err := tx.Audit(agencyKey, person, "diundang dari mesin operator", "petugas/"+person, ""); err != nil {
		return "", err
	}
	return LinkURL(publicURL, secret), nil
}

// LinkURL is the address of a sign-in link.
func LinkURL(publicURL, secret string) string {
	return strings.TrimSuffix(publicURL, "/") + "/masuk/tautan/" + secret
}
