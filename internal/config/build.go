package config

import (
	"crypto/x509"
	"net/url"
	"path/filepath"
	"strings"
	"time"

	"pulih/internal/agency"
	"pulih/internal/sop"
)

// complete fills the defaults that depend on other keys, and builds each tenant's agency.
func (c *Config) complete(r *reader) {
	if c.Keys.File == "" {
		c.Keys.File = filepath.Join(c.State, "keys")
	}
	if c.PublicURL == "" && !r.has("public_url") {
		c.PublicURL = "http://" + strings.Replace(c.Listen, "127.0.0.1", "localhost", 1)
	}
	c.PublicURL = strings.TrimSuffix(c.PublicURL, "/")
	for i := range c.Tenants {
		t, key := &c.Tenants[i], item("agencies", i)
		t.ports()
		t.RootCAs = t.authorities(r, key+".ca_file")
		t.Agency = t.agency(r, key)
	}
}

func (t *Tenant) ports() {
	if t.Inbox != nil && t.Inbox.Port == 0 {
		t.Inbox.Port = 143
		if t.Inbox.TLS == "tls" {
			t.Inbox.Port = 993
		}
	}
	if t.Outbox != nil && t.Outbox.Port == 0 {
		t.Outbox.Port = map[string]int{"tls": 465, "starttls": 587, "none": 25}[t.Outbox.TLS]
	}
}

// authorities adds the agency's own certificate authorities to the system's: intranet servers often have none that the world knows.
func (t *Tenant) authorities(r *reader, key string) *x509.CertPool {
	if t.CAFile == "" {
		return nil
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	data, err := readFile(t.CAFile)
	if err != nil {
		r.bad(key, "reading the certificates: %s", err)
	} else if !pool.AppendCertsFromPEM(data) {
		r.bad(key, "no certificate in PEM; expected -----BEGIN CERTIFICATE-----")
	}
	return pool
}

// agency builds what the rest of the program knows of the tenant. With mistakes in the file it is incomplete; then nobody sees it.
func (t *Tenant) agency(r *reader, key string) *agency.Agency {
	zone, err := time.LoadLocation(t.Zone)
	if err != nil {
		zone = time.UTC
	}
	a := &agency.Agency{
		Key: t.Key, Prefix: t.Prefix, Name: t.Name, Unit: t.Unit, Team: t.Team, Phone: t.Phone, Hours: t.HoursText, Domains: t.Domains,
		Zone: zone, Mode: agency.ResetMode(t.Mode), SOP: t.procedure(r, key), Calendar: t.calendar(r, key, zone),
		Rules: agency.Rules{
			MaxLetterAge: t.Rules.MaxLetterAge, RepeatWithin: t.Rules.RepeatWithin, SrikandiDecides: t.Rules.SrikandiDecides,
			MailSkipsChain: t.Rules.MailSkipsChain, DailyResets: t.Rules.DailyResets,
			VerifierDailyResets: t.Rules.VerifierResets, FourEyes: t.Rules.FourEyes, LendSessions: t.Rules.LendSessions, RemindAt: t.Rules.RemindAt,
		},
	}
	if t.Outbox != nil {
		a.Address = t.Outbox.From
	}
	if a.Calendar != nil {
		for _, s := range t.Schedules.all() {
			s.on(a.Calendar)
		}
	}
	for i := range t.Staff {
		a.Staff = append(a.Staff, t.Staff[i].person(zone))
	}
	for i := range t.Offices {
		a.Offices = append(a.Offices, t.Offices[i].office())
	}
	return a
}

// procedure reads the SOP: one that ships with the program by its name, or a file.
func (t *Tenant) procedure(r *reader, key string) *sop.SOP {
	if t.SOP == "" {
		return nil
	}
	if !strings.ContainsAny(t.SOP, "./\\") {
		s, err := sop.Shipped(t.SOP)
		if err != nil {
			r.bad(key+".sop", "%s, or a file such as ./sop-kami.yaml", err)
		}
		return s
	}
	data, err := readFile(r.path(t.SOP))
	if err != nil {
		r.bad(key+".sop", "reading %q: %s", t.SOP, err)
		return nil
	}
	s, err := sop.Parse(data, t.SOP)
	if err != nil {
		r.bad(key+".sop", "%s", err)
	}
	return s
}

func (t *Tenant) calendar(r *reader, key string, zone *time.Location) *sop.Calendar {
	hours, closed := sop.ShippedHours(), sop.ShippedClosedDays()
	if r.has(key + ".hours") {
		hours = nil
		for i, h := range t.Hours {
			h.verify(r, item(key+".hours", i))
			hours = append(hours, h.rule())
		}
		if r.faulty(key + ".hours") {
			return nil
		}
	}
	if r.has(key + ".closed_days") {
		closed = nil
		for i, path := range t.ClosedDays {
			days, err := readClosedDays(path)
			if err != nil {
				r.bad(item(key+".closed_days", i), "reading the closed days: %s", err)
				return nil
			}
			closed = append(closed, days...)
		}
	}
	calendar, err := sop.NewCalendar(zone, hours, closed)
	if err != nil {
		r.bad(key+".hours", "%s", err)
		return nil
	}
	return calendar
}

func readClosedDays(path string) ([]sop.ClosedDay, error) {
	data, err := readFile(path)
	if err != nil {
		return nil, err
	}
	return sop.ParseClosedDays(data, filepath.Base(path))
}

func (h *Hours) verify(r *reader, key string) {
	if h.First.IsZero() != h.Last.IsZero() {
		r.bad(key, "%q has one end; expected both first_day and last_day, or neither for the usual hours", h.Name)
	} else if h.Last.Before(h.First.Date) {
		r.bad(key+".last_day", "%s is before first_day %s", h.Last, h.First)
	}
}

func (h *Hours) rule() sop.Hours {
	days := map[time.Weekday][]sop.Interval{}
	for d, i := range []Intervals{h.Sunday, h.Monday, h.Tuesday, h.Wednesday, h.Thursday, h.Friday, h.Saturday} {
		if len(i.List) > 0 {
			days[time.Weekday(d)] = i.List
		}
	}
	return sop.Hours{Name: h.Name, From: h.First.Date, To: h.Last.Date, Days: days}
}

func (s *Schedules) all() []*Schedule {
	return []*Schedule{&s.DigestHead, &s.DigestHeadWeekly, &s.DigestOffice, &s.DigestVerifier, &s.Pack}
}

func (p *Person) person(zone *time.Location) agency.Person {
	out := agency.Person{
		ID: p.ID, Name: p.Name, NIP: agency.Digits(p.NIP), Position: p.Position, Aliases: p.Aliases, Email: p.Email, Phone: p.Phone,
		Reminders: agency.Reminders(p.Reminders),
	}
	for _, role := range p.Roles {
		out.Roles = append(out.Roles, sop.Role(role))
	}
	for _, l := range p.Leave {
		out.Leave = append(out.Leave, agency.Leave{Deputy: l.Deputy, From: l.First.In(zone), Until: l.Last.End(zone)})
	}
	return out
}

func (o *Office) office() agency.Office {
	out := agency.Office{ID: o.ID, Name: o.Name, Aliases: o.Aliases, Addresses: o.Addresses}
	if o.Head != nil {
		out.Head = o.Head.official()
	}
	for i := range o.Acting {
		out.Acting = append(out.Acting, o.Acting[i].official())
	}
	for i := range o.Officials {
		out.Officials = append(out.Officials, o.Officials[i].official())
	}
	return out
}

func (f *Official) official() agency.Official {
	return agency.Official{Name: f.Name, NIP: agency.Digits(f.NIP), NIK: f.NIK, Position: f.Position, Email: f.Email, Phone: f.Phone}
}

// host is the host of a URL that passed the rule "url"; "" otherwise.
func host(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return ""
	}
	return u.Hostname()
}
