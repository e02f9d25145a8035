package console

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"pulih/internal/store"
)

// OIDC is an office's single sign-on (OpenID Connect Core 1.0), by configuration.
type OIDC struct {
	Issuer, ClientID, ClientSecret string
	Name                           string // on the button: "SSO Kabupaten"
	// Strong: the provider asks for a second factor, so that no passkey is asked for here. Otherwise it stands for the mailed link alone.
	Strong bool
	Client *http.Client // nil: the usual one
}

type oidcChoice struct{ Name, Path string }

func (c *Console) oidcChoices() []oidcChoice {
	var out []oidcChoice
	for _, a := range c.o.Agencies {
		if o, ok := c.o.OIDC[a.Key]; ok {
			out = append(out, oidcChoice{Name: or(o.Name, "Masuk lewat SSO "+a.Name), Path: "/oidc/" + a.Key})
		}
	}
	return out
}

// errand is what the browser keeps between going to the provider and coming back, sealed.
type errand struct {
	Agency, State, Nonce, Verifier string
	Until                          time.Time
}

const (
	oidcCookie  = "pulih-oidc"
	oidcPlace   = "cookie:oidc"
	oidcTimeout = 15 * time.Second
)

func (c *Console) oidcClient(ctx context.Context, key string) (*oidc.Provider, oauth2.Config, OIDC, error) {
	o, ok := c.o.OIDC[key]
	if !ok {
		return nil, oauth2.Config{}, o, fmt.Errorf("single sign-on of %s: %w", key, store.ErrNotFound)
	}
	provider, err := oidc.NewProvider(ctx, o.Issuer)
	if err != nil {
		return nil, oauth2.Config{}, o, say(http.StatusBadGateway, "Layanan masuk (SSO) tidak dapat dihubungi sekarang. Coba lagi, atau masuk dengan tautan lewat surel.")
	}
	return provider, oauth2.Config{ClientID: o.ClientID, ClientSecret: o.ClientSecret, Endpoint: provider.Endpoint(),
		RedirectURL: strings.TrimSuffix(c.o.PublicURL, "/") + "/oidc/" + key + "/kembali", Scopes: []string{oidc.ScopeOpenID, "email"}}, o, nil
}

func (c *Console) oidcContext(p *page, key string) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithTimeout(p.ctx(), oidcTimeout)
	if o := c.o.OIDC[key]; o.Client != nil {
		ctx = oidc.ClientContext(ctx, o.Client)
	}
	return ctx, cancel
}

// oidcGo sends the browser to the provider, with state, nonce and PKCE (RFC 7636).
func (c *Console) oidcGo(p *page) error {
	key := p.PathValue("key")
	if !c.tries.allow("oidc/"+remote(p.Request), triesByBrowser, p.now) {
		return say(http.StatusTooManyRequests, "Terlalu banyak permintaan masuk dari jaringan ini. Tunggu sepuluh menit, lalu coba lagi.")
	}
	ctx, cancel := c.oidcContext(p, key)
	defer cancel()
	_, client, _, err := c.oidcClient(ctx, key)
	if err != nil {
		return err
	}
	e := errand{Agency: key, State: newSecret(), Nonce: newSecret(), Verifier: oauth2.GenerateVerifier(), Until: p.now.Add(10 * time.Minute)}
	plain, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("keeping a sign-in: %w", err)
	}
	c.setCookie(p.w, oidcCookie, encode(c.o.Store.Keys.Seal(oidcPlace, plain)), 600)
	return p.redirect(client.AuthCodeURL(e.State, oidc.Nonce(e.Nonce), oauth2.S256ChallengeOption(e.Verifier)))
}

// oidcBack takes the provider's answer. Only a verified address of the agency's own staff begins a visit.
func (c *Console) oidcBack(p *page) error {
	key := p.PathValue("key")
	refused := say(http.StatusForbidden, "Masuk lewat SSO tidak berhasil. Mulailah lagi dari halaman masuk.")
	e, ok := c.errandOf(p)
	c.setCookie(p.w, oidcCookie, "", -1)
	if !ok || e.Agency != key || e.State == "" || p.URL.Query().Get("state") != e.State || p.now.After(e.Until) {
		return refused
	}
	ctx, cancel := c.oidcContext(p, key)
	defer cancel()
	provider, client, o, err := c.oidcClient(ctx, key)
	if err != nil {
		return err
	}
	email, err := verifiedEmail(ctx, provider, client, e, p.URL.Query().Get("code"))
	if err != nil {
		c.o.Log.Warn("single sign-on", "agency", key, "err", err)
		return refused
	}
	person, ok := c.agencies[key].PersonByEmail(email)
	if !ok {
		return say(http.StatusForbidden, "Akun SSO Anda bukan petugas layanan ini. Hubungi operator bila seharusnya ya.")
	}
	if err := c.begin(p, store.Visit{Agency: key, Person: person.ID, Strong: o.Strong}); err != nil {
		return err
	}
	return p.redirect("/" + key + "/akun/masuk")
}

func verifiedEmail(ctx context.Context, provider *oidc.Provider, client oauth2.Config, e errand, code string) (string, error) {
	token, err := client.Exchange(ctx, code, oauth2.VerifierOption(e.Verifier))
	if err != nil {
		return "", errors.New("exchanging the code failed") // the library's words may hold the code
	}
	raw, ok := token.Extra("id_token").(string)
	if !ok {
		return "", errors.New("the answer has no id_token")
	}
	id, err := provider.Verifier(&oidc.Config{ClientID: client.ClientID}).Verify(ctx, raw)
	if err != nil {
		return "", errors.New("the id_token doesn't verify")
	}
	var claims struct {
		Email    string `json:"email"`
		Verified bool   `json:"email_verified"`
	}
	switch err := id.Claims(&claims); {
	case err != nil:
		return "", errors.New("the id_token's claims can't be read")
	case id.Nonce != e.Nonce:
		return "", errors.New("the nonce is another")
	case claims.Email == "" || !claims.Verified:
		return "", errors.New("the provider names no verified address")
	}
	return claims.Email, nil
}

func (c *Console) errandOf(p *page) (errand, bool) {
	var e errand
	cookie, err := p.Cookie(c.cookieName(oidcCookie))
	if err != nil {
		return e, false
	}
	plain, err := c.o.Store.Keys.Open(oidcPlace, decode(cookie.Value))
	return e, err == nil && json.Unmarshal(plain, &e) == nil
}
