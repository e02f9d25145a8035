package config

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"pulih/internal/agency"
	"pulih/internal/sop"
)

// verify looks for what single values can't show: names that mean nothing, two of what must be one, people whom the SOP needs.
func (c *Config) verify(r *reader) {
	if plain(c.PublicURL) {
		r.bad("public_url", "sign-in links would go over plain http; expected https, or http to this machine alone")
	}
	if u := c.Database.URL.Reveal(); u != "" && !strings.HasPrefix(u, "postgres://") && !strings.HasPrefix(u, "postgresql://") {
		r.bad("database.url", "the value is no PostgreSQL URL; expected postgres://user@host/database")
	}
	once := unique{r: r, seen: map[string]string{}}
	for i := range c.Tenants {
		t, key := &c.Tenants[i], item("agencies", i)
		once.check("key", t.Key, key+".key")
		once.check("prefix", t.Prefix, key+".prefix")
		if t.Inbox != nil {
			once.check("mailbox", strings.ToLower(t.Inbox.Host+" "+t.Inbox.User+" "+t.Inbox.Folder), key+".inbox")
		}
		if s := t.Srikandi; s != nil {
			once.check("Srikandi account", strings.TrimSpace(s.URL+" "+s.ClientID+" "+s.Folder), key+".srikandi")
		}
		// The pages of an agency begin with its key.
		if slices.Contains(PageWords, t.Key) {
			r.bad(key+".key", "%q is a page of the program itself; expected another, e.g. the region's name", t.Key)
		}
		t.verify(r, key)
	}
}

// PageWords begin the paths of pages that belong to no agency.
var PageWords = []string{"aset", "demo", "healthz", "keluar", "masuk", "metrics", "oidc", "readyz"}

// unique finds values that stand in two places.
type unique struct {
	r    *reader
	seen map[string]string // kind and value to the key that has it
}

func (u unique) check(kind, value, key string) {
	if value == "" {
		return
	}
	if first, twice := u.seen[kind+" "+value]; twice {
		u.r.bad(key, "the same %s as %s in line %d; expected one of its own", kind, first, u.r.line(first))
		return
	}
	u.seen[kind+" "+value] = key
}

func (t *Tenant) verify(r *reader, key string) {
	if t.Srikandi == nil && t.Inbox == nil && !r.has(key+".srikandi") && !r.has(key+".inbox") {
		r.bad(key, "no way for letters to come in; expected srikandi, inbox or both")
	}
	if t.Mode == "ams" {
		if t.Consent == "" {
			r.bad(key+".mode", `"ams" is allowed with BSrE's consent alone; expected its reference as consent, or mode: assisted`)
		}
		if t.BSrE.AMS == nil && !r.has(key+".bsre.ams") {
			r.bad(key+".mode", `"ams" needs the portal; expected bsre.ams, or mode: assisted`)
		}
	}
	for i, share := range t.Rules.RemindAt {
		if r.faulty(key + ".rules.remind_at") {
			break
		}
		if !(share > 0 && share < 1) || i > 0 && share <= t.Rules.RemindAt[i-1] {
			r.bad(key+".rules.remind_at", "expected shares of a norm between 0 and 1, the smaller first, e.g. [0.6, 0.9]")
			break
		}
	}
	if t.Templates != "" {
		if info, err := os.Stat(t.Templates); err != nil || !info.IsDir() {
			r.bad(key+".templates", "no directory; expected one with the templates that the agency words itself")
		}
	}
	t.verifySrikandi(r, key+".srikandi")
	t.verifyMail(r, key)
	t.verifyBSrE(r, key+".bsre")
	if t.SSO != nil && plain(t.SSO.Issuer) {
		r.bad(key+".sso.issuer", "the client's secret would go over plain http; expected https, or http to this machine alone")
	}
	t.verifyStaff(r, key)
	t.verifyLeave(r, key)
	t.verifyOffices(r, key)
}

func (t *Tenant) verifySrikandi(r *reader, key string) {
	s := t.Srikandi
	if s == nil {
		return
	}
	if s.Source == "folder" {
		if s.Folder == "" && !r.has(key+".folder") {
			r.bad(key+".folder", "missing; source: folder expects the directory that letters are dropped in")
		}
		return
	}
	if s.URL == "" && !r.has(key+".url") {
		r.bad(key+".url", "missing; expected the gateway's URL, or source: folder")
	}
	if s.ClientID == "" {
		r.bad(key+".client_id", "missing; expected the account at the gateway")
	}
	if s.ClientSecret.IsZero() && !r.has(key+".client_secret") {
		r.bad(key+".client_secret", "missing; expected client_secret_file or client_secret_env")
	}
	if plain(s.URL) {
		r.bad(key+".url", "the client's secret would go over plain http; expected https, or http to this machine alone")
	}
}

func (t *Tenant) verifyMail(r *reader, key string) {
	if in := t.Inbox; in != nil {
		at := key + ".inbox"
		if in.TLS == "none" && !loopback(in.Host) {
			r.bad(at+".tls", "the password would go unencrypted to %s; expected tls or starttls (none is for this machine alone)", in.Host)
		}
		if in.Password.IsZero() == in.OAuthToken.IsZero() && !r.has(at+".password") && !r.has(at+".oauth_token") {
			r.bad(at+".password", "expected either password_file, password_env or oauth_token_file, and one of them alone")
		}
		if in.After != "none" && in.Target == "" {
			r.bad(at+".target", "missing; after: %s expects the name of the %s", in.After, map[string]string{"keyword": "keyword", "move": "folder"}[in.After])
		}
		if in.After == "move" && in.Target == in.Folder {
			r.bad(at+".target", "%q is the folder that is read; expected another", in.Target)
		}
		if in.After == "keyword" && strings.ContainsAny(in.Target, " (){%*\"\\]") {
			r.bad(at+".target", "%q is no IMAP keyword; expected a word such as Pulih", in.Target)
		}
	}
	out := t.Outbox
	if out == nil {
		return
	}
	at := key + ".outbox"
	if out.TLS == "none" && !loopback(out.Host) {
		r.bad(at+".tls", "mails and the password would go unencrypted to %s; expected tls or starttls (none is for this machine alone)", out.Host)
	}
	if out.User == "" && (!out.Password.IsZero() || !out.OAuthToken.IsZero()) {
		r.bad(at+".user", "missing; a password without a user")
	}
	if out.User != "" && out.Password.IsZero() == out.OAuthToken.IsZero() && !r.has(at+".password") && !r.has(at+".oauth_token") {
		r.bad(at+".password", "expected either password_file, password_env or oauth_token_file, and one of them alone")
	}
	t.ownAddress(r, out.From, at+".from")
	if out.DKIM != nil && out.DKIM.Key.Reveal() != "" {
		if _, err := out.DKIM.Signer(); err != nil {
			r.bad(at+".dkim.key", "%s; expected -----BEGIN PRIVATE KEY----- with an RSA or Ed25519 key", err)
		}
	}
}

func (t *Tenant) verifyBSrE(r *reader, key string) {
	if e := t.BSrE.ESign; e != nil && plain(e.URL) && !e.PlainHTTP {
		r.bad(key+".esign.url", "NIK and password would go over plain http; expected https, or plain_http: true inside an intranet")
	}
	if a := t.BSrE.AMS; a != nil {
		if plain(a.BeIDURL) {
			r.bad(key+".ams.beid_url", "passwords would go over plain http; expected https")
		}
		if plain(a.PortalURL) {
			r.bad(key+".ams.portal_url", "tokens would go over plain http; expected https")
		}
		if strings.Count(a.DetailsPath, "{uid}") != 1 {
			r.bad(key+".ams.details_path", "expected {uid} in it, once")
		}
		if strings.Count(a.ResetPath, "{uid}") != 1 || strings.Count(a.ResetPath, "{serialNumber}") != 1 {
			r.bad(key+".ams.reset_path", "expected {uid} and {serialNumber} in it, each once")
		}
	}
}

// verifyStaff holds the people to the SOP: a role that it names and nobody holds would stop every letter at that step.
func (t *Tenant) verifyStaff(r *reader, key string) {
	once := unique{r: r, seen: map[string]string{}}
	held := map[string]bool{}
	verifiers := 0
	for i, p := range t.Staff {
		at := item(key+".staff", i)
		once.check("id", p.ID, at+".id")
		once.check("NIP", agency.Digits(p.NIP), at+".nip") // the message names the place, not the number
		once.check("address", strings.ToLower(p.Email), at+".email")
		t.ownAddress(r, p.Email, at+".email")
		for j, role := range p.Roles {
			if slices.Index(p.Roles, role) < j {
				r.bad(item(at+".roles", j), "%q is given twice", role)
			}
			held[role] = true
			if role == string(sop.Verifier) {
				verifiers++
			}
		}
		if found, ok := t.Agency.PersonByPosition(p.Position); ok && found.ID != p.ID {
			r.bad(at+".position", "%q is also the position of %s; expected one of its own, or dispositions could not be told apart", p.Position, found.ID)
		}
	}
	if len(t.Staff) == 0 {
		return
	}
	for _, role := range []sop.Role{sop.Head, sop.Verifier} { // who else answers for it, who else checks
		if !held[string(role)] {
			r.bad(key+".staff", "nobody has the role %s (%s); expected at least one person", role, role.Title())
		}
	}
	if t.Rules.FourEyes && verifiers == 1 {
		r.bad(key+".rules.four_eyes", "one person alone has the role verifier; expected at least two, or no approval would ever suffice")
	}
	t.verifySteps(r, key, held)
}

func (t *Tenant) verifySteps(r *reader, key string, held map[string]bool) {
	if t.Agency.SOP == nil {
		return
	}
	for _, step := range t.Agency.SOP.Steps {
		var names []string
		done := false
		for _, role := range step.Actors {
			names = append(names, string(role))
			done = done || held[string(role)] || role.Depth() < 0 // applicants and BSrE are not staff
		}
		named := slices.Contains(names, string(sop.Head)) || slices.Contains(names, string(sop.Verifier)) // said above
		if !done && !named {
			r.bad(key+".staff", "the SOP's step %s is nobody's; expected somebody with the role %s", step.ID, strings.Join(names, " or "))
		}
	}
}

func (t *Tenant) verifyLeave(r *reader, key string) {
	for i, p := range t.Staff {
		for j, l := range p.Leave {
			at := item(item(key+".staff", i)+".leave", j)
			if l.First.IsZero() || l.Last.IsZero() || l.Deputy == "" {
				continue // said already
			}
			if l.Last.Before(l.First.Date) {
				r.bad(at+".last_day", "%s is before first_day %s", l.Last, l.First)
			}
			if l.Deputy == p.ID {
				r.bad(at+".deputy", "%q can't be their own deputy", l.Deputy)
			} else if _, ok := t.Agency.Person(l.Deputy); !ok {
				r.bad(at+".deputy", "%q is nobody's id in staff; expected one of: %s", l.Deputy, strings.Join(t.ids(), ", "))
			} else if circle(t.Agency, p.ID, l.First.In(t.Agency.Zone)) {
				r.bad(at+".deputy", "the deputies of %s stand in a circle on %s; expected somebody who is there", p.ID, l.First)
			}
			for k, other := range p.Leave[:j] {
				if !other.Last.Before(l.First.Date) && !l.Last.Before(other.First.Date) {
					r.bad(at+".first_day", "overlaps leave[%d] (%s to %s)", k, other.First, other.Last)
				}
			}
		}
	}
}

func (t *Tenant) ids() []string {
	out := make([]string, len(t.Staff))
	for i, p := range t.Staff {
		out[i] = p.ID
	}
	return out
}

// circle reports that following the deputies of a person at an instant never ends at somebody who is there.
func circle(a *agency.Agency, id string, at time.Time) bool {
	for range a.Staff {
		p, _ := a.Person(id)
		i := slices.IndexFunc(p.Leave, func(l agency.Leave) bool { return !at.Before(l.From) && at.Before(l.Until) })
		if i < 0 {
			return false
		}
		id = p.Leave[i].Deputy
	}
	return true
}

// verifyOffices makes sure that a name leads to one office and an address to one person: a reset for one must never go to the other.
func (t *Tenant) verifyOffices(r *reader, key string) {
	once := unique{r: r, seen: map[string]string{}}
	for i := range t.Offices {
		o, at := &t.Offices[i], item(key+".offices", i)
		once.check("id", o.ID, at+".id")
		names := map[string]string{at + ".name": o.Name}
		for j, alias := range o.Aliases {
			names[item(at+".aliases", j)] = alias
		}
		for where, name := range names {
			if found, ok := t.Agency.OfficeByName(name); ok && found != &t.Agency.Offices[i] && found.ID != o.ID {
				r.bad(where, "%q is also a name of %s; expected one of its own", name, found.ID)
			}
		}
		for j, address := range o.Addresses {
			once.check("address", strings.ToLower(address), item(at+".addresses", j))
			t.ownAddress(r, address, item(at+".addresses", j))
		}
		if o.Head != nil {
			t.verifyOfficial(r, once, *o.Head, at+".head")
		}
		for j, f := range o.Acting { // somebody who acts here is usually listed where they belong
			t.ownAddress(r, f.Email, item(at+".acting", j)+".email")
			t.verifyActing(r, f, item(at+".acting", j))
		}
		for j, f := range o.Officials {
			t.verifyOfficial(r, once, f, item(at+".officials", j))
		}
	}
}

func (t *Tenant) verifyOfficial(r *reader, once unique, f Official, key string) {
	t.ownAddress(r, f.Email, key+".email")
	once.check("NIP", agency.Digits(f.NIP), key+".nip")
	once.check("NIK", f.NIK, key+".nik")
	once.check("address", strings.ToLower(f.Email), key+".email")
}

// verifyActing holds somebody who is listed twice to one address: with two of them nobody could say where a reset goes.
func (t *Tenant) verifyActing(r *reader, f Official, key string) {
	for i := range t.Agency.Offices {
		for _, other := range t.Agency.Offices[i].All() {
			sameAddress := agency.SameAddress(f.Email, other.Email)
			sameNIP := f.NIP != "" && agency.Digits(f.NIP) == other.NIP
			if sameNIP && !sameAddress {
				r.bad(key+".email", "another address than the same person has in %s; expected the same", t.Offices[i].ID)
				return
			}
			if sameAddress && !sameNIP && !agency.SameName(f.Name, other.Name) {
				r.bad(key+".email", "the address of somebody else in %s; expected one of their own", t.Offices[i].ID)
				return
			}
		}
	}
}

// ownAddress holds an address to the agency's domains (service.md, "Mail").
func (t *Tenant) ownAddress(r *reader, address, key string) {
	if address != "" && !slices.Contains(t.Domains, "") && len(t.Domains) > 0 && !t.Agency.OwnDomain(address) {
		r.bad(key, "%q is outside the agency's domains; expected an address in: %s", address, strings.Join(t.Domains, ", "))
	}
}

// plain reports a URL that would carry secrets over the network unencrypted.
func plain(raw string) bool { return strings.HasPrefix(raw, "http://") && !loopback(host(raw)) }

func item(key string, i int) string { return fmt.Sprintf("%s[%d]", key, i) }
