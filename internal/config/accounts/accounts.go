// Package accounts opens what an agency's configuration names, its Srikandi gateway, mailbox, mail server, eSign gateway and AMS, and tries
// them out for the operator: `pulih check` and the console's page on the system say the same sentences.
package accounts

import (
	"context"
	"crypto/tls"
	"errors"
	"net/http"
	"time"

	"golang.org/x/time/rate"

	"pulih/bsre"
	"pulih/internal/config"
	"pulih/mailflow"
	"pulih/srikandi"
)

// ErrNone: the agency has no such account. That is allowed, and says so here rather than as a nil that somebody calls.
var ErrNone = errors.New("not configured")

// Gateway opens the agency's Srikandi, with a client set up as tune likes. Close what it gives when it is an io.Closer.
func Gateway(t *config.Tenant, now func() time.Time, tune ...func(*srikandi.ClientConfig)) (srikandi.Gateway, error) {
	s := t.Srikandi
	if s == nil {
		return nil, ErrNone
	}
	zone, err := time.LoadLocation(s.Zone)
	if err != nil {
		return nil, err
	}
	if s.Source == "folder" {
		return srikandi.NewFolder(s.Folder, s.FollowUps, zone)
	}
	client := srikandi.ClientConfig{
		BaseURL: s.URL, ClientID: s.ClientID, ClientSecret: s.ClientSecret.Reveal(), Zone: zone, Now: now, Timeout: s.Timeout,
	}
	for _, set := range tune {
		set(&client)
	}
	return srikandi.NewClient(client)
}

// Mailbox is the agency's inbox; ErrNone without one.
func Mailbox(t *config.Tenant) (mailflow.Mailbox, error) {
	in := t.Inbox
	if in == nil {
		return mailflow.Mailbox{}, ErrNone
	}
	m := mailflow.Mailbox{
		Agency: t.Key, Host: in.Host, Port: in.Port, TLS: mailflow.TLSMode(in.TLS), TLSConfig: tlsConfig(t),
		User: in.User, Password: reader(in.Password), Token: reader(in.OAuthToken),
		Folder: in.Folder, Marker: in.Target, PollEvery: in.Poll, Limit: int64(in.Limit),
	}
	if !in.Since.IsZero() {
		m.Since = in.Since.In(t.Agency.Zone)
	}
	if in.After != "none" {
		m.After = mailflow.After(in.After)
	}
	return m, nil
}

// Account is how the agency's mail is sent. The limiter is new with each call: keep one Account an agency.
func Account(t *config.Tenant) mailflow.Account {
	out := t.Outbox
	a := mailflow.Account{
		Agency: t.Key, Host: out.Host, Port: out.Port, TLS: mailflow.TLSMode(out.TLS), TLSConfig: tlsConfig(t),
		User: out.User, Password: reader(out.Password), Token: reader(out.OAuthToken),
		Rate: rate.NewLimiter(rate.Limit(float64(out.RatePerMinute)/60), max(1, out.RatePerMinute/6)),
	}
	if d := out.DKIM; d != nil {
		if key, err := d.Signer(); err == nil { // the configuration has checked it
			a.DKIM = &mailflow.DKIM{Domain: d.Domain, Selector: d.Selector, Key: key}
		}
	}
	return a
}

// ESign opens the agency's eSign gateway; ErrNone without one.
func ESign(t *config.Tenant) (*bsre.ESign, error) {
	e := t.BSrE.ESign
	if e == nil {
		return nil, ErrNone
	}
	version := 2
	if e.Version == "v1" {
		version = 1
	}
	return bsre.NewESign(bsre.ESignConfig{
		BaseURL: e.URL, User: e.User, Password: e.Password.Reveal(), Version: version, AllowPlainHTTP: e.PlainHTTP,
		Timeout: e.Timeout, VerifyTimeout: e.VerifyTimeout, RootCAs: t.RootCAs,
	})
}

// AMS opens BeID and the portal; ErrNone without them.
func AMS(t *config.Tenant, now func() time.Time) (*bsre.AMS, error) {
	a := t.BSrE.AMS
	if a == nil {
		return nil, ErrNone
	}
	return bsre.NewAMS(bsre.AMSConfig{
		BeIDURL: a.BeIDURL, PortalURL: a.PortalURL, OperatorIP: a.OperatorIP, ClientID: a.ClientID,
		TokenPath: a.TokenPath, FindPath: a.FindPath, DetailsPath: a.DetailsPath, PhonePath: a.PhonePath, ResetPath: a.ResetPath,
		Timeout: a.Timeout, ResetTimeout: a.ResetTimeout, RootCAs: t.RootCAs, Now: now,
	})
}

// Guide is where a verifier clicks in the portal, for resets made by hand.
func Guide(t *config.Tenant) bsre.Guide {
	g := t.BSrE.Guide
	if g.PortalURL == "" && t.BSrE.AMS != nil {
		g.PortalURL = t.BSrE.AMS.PortalURL
	}
	return bsre.Guide(g)
}

// HTTPClient trusts the agency's certificate authorities: for its single sign-on.
func HTTPClient(t *config.Tenant) *http.Client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = tlsConfig(t)
	return &http.Client{Transport: transport, Timeout: 30 * time.Second}
}

// reader asks for the secret at each sign-in, so that a renewed file needs no restart; nil without a secret.
func reader(s config.Secret) func(context.Context) (string, error) {
	if s.IsZero() {
		return nil
	}
	return func(context.Context) (string, error) { return s.Read() }
}

func tlsConfig(t *config.Tenant) *tls.Config {
	if t.RootCAs == nil {
		return nil
	}
	return &tls.Config{RootCAs: t.RootCAs, MinVersion: tls.VersionTLS12}
}
