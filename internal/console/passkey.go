package console

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"pulih/internal/store"
)

// newWebAuthn is nil where browsers know no passkeys: an address without a name, or http beyond this machine (WebAuthn Level 3, section 5.1.2).
func newWebAuthn(public *url.URL) (*webauthn.WebAuthn, error) {
	host := public.Hostname()
	if host == "" || net.ParseIP(host) != nil {
		return nil, nil
	}
	w, err := webauthn.New(&webauthn.Config{RPID: host, RPDisplayName: "pulih", RPOrigins: []string{public.Scheme + "://" + public.Host}})
	if err != nil {
		return nil, fmt.Errorf("preparing passkeys: %w", err)
	}
	return w, nil
}

// holder is a person as WebAuthn knows them.
type holder struct {
	v           *visitor
	credentials []webauthn.Credential
}

func (h holder) WebAuthnID() []byte                         { return []byte(h.v.agency.Key + "/" + h.v.person.ID) }
func (h holder) WebAuthnName() string                       { return h.v.person.Email }
func (h holder) WebAuthnDisplayName() string                { return h.v.person.Name }
func (h holder) WebAuthnCredentials() []webauthn.Credential { return h.credentials }

// holder loads the visitor's passkeys; only those that somebody consented to, or all.
func (c *Console) holder(p *page, all bool) (holder, error) {
	keys, err := c.o.Store.Passkeys(p.ctx(), p.agency.Key, p.who.person.ID)
	if err != nil {
		return holder{}, err
	}
	h := holder{v: p.who}
	for _, k := range keys {
		if k.ConsentedBy == "" && !all {
			continue
		}
		var cred webauthn.Credential
		if err := json.Unmarshal(k.Credential, &cred); err != nil {
			return h, fmt.Errorf("reading a passkey: %w", err)
		}
		h.credentials = append(h.credentials, cred)
	}
	return h, nil
}

type keyPage struct {
	base
	Has, Waiting, Able bool
	Vouched            bool
	Helpers            []string
}

// keyPage is the gate of everybody who can approve: it asks for the passkey, or has them enrol one.
func (c *Console) keyPage(p *page) error {
	if !p.who.weak() {
		return p.redirect(home(p.who))
	}
	keys, err := c.o.Store.Passkeys(p.ctx(), p.agency.Key, p.who.person.ID)
	if err != nil {
		return err
	}
	d := keyPage{base: c.base(p, "Kunci sandi", ""), Able: c.webauthn != nil, Vouched: p.who.visit.Vouched}
	for _, k := range keys {
		d.Has = d.Has || k.ConsentedBy != ""
		d.Waiting = d.Waiting || k.ConsentedBy == ""
	}
	for _, person := range p.agency.Staff {
		if person.ID != p.who.person.ID && permitted(rolesOf(p.agency, person, p.now), consent) {
			d.Helpers = append(d.Helpers, person.Name)
		}
	}
	return c.show(p, http.StatusOK, "kunci", d)
}

var errNoPasskeys = say(http.StatusConflict, "Kunci sandi memerlukan alamat https dengan nama. Hubungi operator.")

// enrolBegin asks the browser for a new passkey.
func (c *Console) enrolBegin(p *page) error {
	if c.webauthn == nil {
		return errNoPasskeys
	}
	h, err := c.holder(p, true)
	if err != nil {
		return err
	}
	known, err := c.holder(p, false)
	if err != nil {
		return err
	}
	if p.who.weak() && !p.who.visit.Vouched && len(known.credentials) > 0 {
		return say(http.StatusForbidden, "Tunjukkan dahulu kunci sandi Anda yang sudah ada; sesudah itu Anda dapat menambah yang lain.")
	}
	options, session, err := c.webauthn.BeginRegistration(h, webauthn.WithExclusions(webauthn.Credentials(h.credentials).CredentialDescriptors()),
		webauthn.WithAuthenticatorSelection(protocol.AuthenticatorSelection{ResidentKey: protocol.ResidentKeyRequirementPreferred, UserVerification: protocol.VerificationRequired}))
	if err != nil {
		return fmt.Errorf("asking for a new passkey: %w", err)
	}
	return c.ceremony(p, session, options.Response)
}

// ceremony keeps the question with the visit, and hands it to the browser.
func (c *Console) ceremony(p *page, session *webauthn.SessionData, options any) error {
	plain, err := json.Marshal(session)
	if err != nil {
		return fmt.Errorf("keeping a passkey's question: %w", err)
	}
	if err := c.o.Store.BeginCeremony(p.ctx(), p.who.visit.ID, plain); err != nil {
		return err
	}
	return answerJSON(p, options)
}

func answerJSON(p *page, v any) error {
	p.w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(p.w).Encode(v); err != nil {
		return fmt.Errorf("writing an answer: %w", err)
	}
	return nil
}

func (c *Console) taken(p *page) (webauthn.SessionData, error) {
	var session webauthn.SessionData
	plain, err := c.o.Store.TakeCeremony(p.ctx(), p.who.visit.ID)
	if errors.Is(err, store.ErrNotFound) {
		return session, say(http.StatusConflict, "Permintaan kunci sandi ini sudah dipakai. Muat ulang halaman, lalu coba lagi.")
	} else if err != nil {
		return session, err
	}
	if err := json.Unmarshal(plain, &session); err != nil {
		return session, fmt.Errorf("reading a passkey's question: %w", err)
	}
	return session, nil
}

var errBadKey = say(http.StatusUnprocessableEntity, "Kunci sandi tidak dapat diperiksa. Coba lagi; bila tetap gagal, hubungi operator.")

// enrolEnd keeps the new passkey. It opens the desk once somebody else has consented, or at once for whoever was invited or showed another.
func (c *Console) enrolEnd(p *page) error {
	session, err := c.taken(p)
	if err != nil {
		return err
	}
	h, err := c.holder(p, true)
	if err != nil {
		return err
	}
	cred, err := c.webauthn.FinishRegistration(h, session, p.Request)
	if err != nil {
		return errBadKey
	}
	plain, err := json.Marshal(cred)
	if err != nil {
		return fmt.Errorf("keeping a passkey: %w", err)
	}
	k := store.Passkey{ID: cred.ID, Agency: p.agency.Key, Person: p.who.person.ID, Name: browserName(p.UserAgent()), Credential: plain}
	switch {
	case p.who.visit.Vouched:
		k.ConsentedBy = "undangan"
	case p.who.visit.Strong && !c.o.Demo:
		k.ConsentedBy = p.who.person.ID // they showed one that somebody consented to
	}
	err = c.o.Store.InTx(p.ctx(), p.now, func(tx *store.Tx) error {
		if err := tx.AddPasskey(k); err != nil {
			return err
		}
		return tx.Audit(p.agency.Key, p.who.person.ID, "mendaftarkan kunci sandi", "petugas/"+p.who.person.ID, k.Name)
	})
	if err != nil {
		return err
	}
	if k.ConsentedBy != "" && !p.who.visit.Strong {
		if err := c.strengthen(p); err != nil {
			return err
		}
	}
	return answerJSON(p, map[string]string{"ke": c.afterKey(p)})
}

// afterKey is where the browser goes next.
func (c *Console) afterKey(p *page) string {
	if p.who.weak() {
		return "/" + p.agency.Key + "/akun/kunci"
	}
	return home(p.who)
}

func (c *Console) strengthen(p *page) error {
	secret := newSecret()
	if err := c.o.Store.StrengthenVisit(p.ctx(), p.who.visit.ID, secret, p.now); err != nil {
		return err
	}
	c.setCookie(p.w, visitCookie, secret, 0)
	p.who.visit.Strong = true
	return nil
}

// showBegin asks for the passkey of the visitor.
func (c *Console) showBegin(p *page) error {
	if c.webauthn == nil {
		return errNoPasskeys
	}
	if !c.tries.allow("passkey/"+p.agency.Key+"/"+p.who.person.ID, triesByBrowser, p.now) {
		return say(http.StatusTooManyRequests, "Terlalu banyak percobaan. Tunggu sepuluh menit, lalu coba lagi.")
	}
	h, err := c.holder(p, false)
	if err != nil {
		return err
	}
	if len(h.credentials) == 0 {
		return say(http.StatusConflict, "Anda belum mempunyai kunci sandi yang disetujui.")
	}
	options, session, err := c.webauthn.BeginLogin(h, webauthn.WithUserVerification(protocol.VerificationRequired))
	if err != nil {
		return fmt.Errorf("asking for a passkey: %w", err)
	}
	return c.ceremony(p, session, options.Response)
}

func (c *Console) showEnd(p *page) error {
	session, err := c.taken(p)
	if err != nil {
		return err
	}
	h, err := c.holder(p, false)
	if err != nil {
		return err
	}
	cred, err := c.webauthn.FinishLogin(h, session, p.Request)
	if err != nil || cred.Authenticator.CloneWarning {
		return errBadKey
	}
	plain, err := json.Marshal(cred)
	if err != nil {
		return fmt.Errorf("keeping a passkey: %w", err)
	}
	if err := c.o.Store.UsePasskey(p.ctx(), cred.ID, plain, p.now); err != nil {
		return err
	}
	if err := c.strengthen(p); err != nil {
		return err
	}
	return answerJSON(p, map[string]string{"ke": c.afterKey(p)})
}

// accountPage is a person's own visits and passkeys, and those of others that wait for consent.
type accountPage struct {
	base
	Email   string
	Keys    []keyRow
	Waiting []keyRow
	Visits  []visitRow
	Audit   []auditLine
	Able    bool
	Roles   []string
}

type keyRow struct {
	store.Passkey
	Code, Owner, By string
}

type visitRow struct {
	store.Visit
	Owner string
	Here  bool
}

func (c *Console) accountPage(p *page) error {
	d := accountPage{base: c.base(p, "Akun saya", ""), Email: p.who.person.Email, Able: c.webauthn != nil}
	for _, r := range p.who.roles {
		d.Roles = append(d.Roles, r.Title())
	}
	keys, err := c.o.Store.Passkeys(p.ctx(), p.agency.Key, "")
	if err != nil {
		return err
	}
	for _, k := range keys {
		row := keyRow{Passkey: k, Code: base64.RawURLEncoding.EncodeToString(k.ID), Owner: c.nameOf(p, k.Person), By: c.nameOf(p, k.ConsentedBy)}
		switch {
		case k.Person == p.who.person.ID:
			d.Keys = append(d.Keys, row)
		case k.ConsentedBy == "" && p.who.may(consent):
			d.Waiting = append(d.Waiting, row)
		}
	}
	if d.Visits, err = c.visits(p, p.who.person.ID); err != nil {
		return err
	}
	if d.Audit, err = c.auditOf(p, "petugas/"+p.who.person.ID); err != nil {
		return err
	}
	return c.show(p, http.StatusOK, "akun", d)
}

func (c *Console) nameOf(p *page, id string) string {
	if person, ok := p.agency.Person(id); ok {
		return person.Name
	}
	return id
}

func (c *Console) visits(p *page, person string) ([]visitRow, error) {
	list, err := c.o.Store.Visits(p.ctx(), p.agency.Key, person, p.now)
	if err != nil {
		return nil, err
	}
	out := make([]visitRow, len(list))
	for i, v := range list {
		out[i] = visitRow{Visit: v, Owner: c.nameOf(p, v.Person), Here: v.ID == p.who.visit.ID}
	}
	return out, nil
}

// endOwnVisit ends a visit of the visitor; endVisit anybody's at the agency.
func (c *Console) endOwnVisit(p *page) error { return c.endVisitOf(p, p.who.person.ID, "/akun") }
func (c *Console) endVisit(p *page) error    { return c.endVisitOf(p, "", "/sistem") }

func (c *Console) endVisitOf(p *page, person, back string) error {
	id, err := pathID(p, "id")
	if err != nil {
		return err
	}
	if err := c.o.Store.EndVisit(p.ctx(), p.agency.Key, person, id); err != nil {
		return err
	}
	if id == p.who.visit.ID {
		return p.redirect("/")
	}
	return p.redirect("/" + p.agency.Key + back + "?kabar=ended")
}

func keyID(p *page) ([]byte, error) {
	id, err := base64.RawURLEncoding.DecodeString(p.text("kunci", 2000))
	if err != nil || len(id) == 0 {
		return nil, fmt.Errorf("passkey: %w", store.ErrNotFound)
	}
	return id, nil
}

func (c *Console) dropKey(p *page) error {
	if p.who.weak() {
		return say(http.StatusForbidden, "Tunjukkan kunci sandi Anda dahulu.")
	}
	return c.changeKey(p, "mencabut kunci sandi", func(tx *store.Tx, id []byte) (string, error) {
		return tx.DropPasskey(p.agency.Key, p.who.person.ID, id)
	})
}

// refuseKey is a helper's or operator's no to somebody's passkey, also later: a lost device.
func (c *Console) refuseKey(p *page) error {
	return c.changeKey(p, "mencabut kunci sandi petugas", func(tx *store.Tx, id []byte) (string, error) {
		return tx.DropPasskey(p.agency.Key, "", id)
	})
}

func (c *Console) consentKey(p *page) error {
	return c.changeKey(p, "menyetujui kunci sandi", func(tx *store.Tx, id []byte) (string, error) {
		return tx.ConsentPasskey(p.agency.Key, id, p.who.person.ID)
	})
}

func (c *Console) changeKey(p *page, action string, change func(tx *store.Tx, id []byte) (owner string, err error)) error {
	id, err := keyID(p)
	if err != nil {
		return err
	}
	err = c.o.Store.InTx(p.ctx(), p.now, func(tx *store.Tx) error {
		owner, err := change(tx, id)
		if err != nil {
			return err
		}
		return tx.Audit(p.agency.Key, p.who.person.ID, action, "petugas/"+owner, "")
	})
	if err != nil {
		return err
	}
	return p.redirect("/" + p.agency.Key + "/akun?kabar=saved")
}

// EndsBy is when a visit ends without another click.
func (v visitRow) EndsBy() time.Time {
	if idle := v.UsedAt.Add(store.VisitIdle); idle.Before(v.EndsAt) {
		return idle
	}
	return v.EndsAt
}
