// Package agency describes one tenant: the local government that runs the service, its staff with their roles, the offices (OPD) that
// write to it, and the officials whose passphrase may be reset. It is pure: the configuration fills it, everything else reads it.
package agency

import (
	"slices"
	"strings"
	"time"

	"pulih/internal/sop"
)

// ResetMode says who makes the reset call (contracts/bsre.md, "Who makes the call").
type ResetMode string

// The two modes. Assisted is the default.
const (
	Assisted ResetMode = "assisted" // the verifier makes it in the AMS portal and confirms
	AMS      ResetMode = "ams"      // the software makes it in the session that a verifier lent
)

// Agency is one local government with everything that its requests need. It is read-only after it was built.
type Agency struct {
	Key     string // "purbalingga": in URLs, tables and logs
	Prefix  string // "PBG": the beginning of request numbers
	Name    string // "Pemerintah Kabupaten Purbalingga"
	Unit    string // "Dinkominfo Kabupaten Purbalingga": who runs the service
	Team    string // "Tim Verifikator Sertifikat Elektronik": signs the mails
	Address string // official e-mail address; From of every mail
	Phone   string
	Hours   string   // office hours in words, for the foot of mails
	Domains []string // domains of official addresses, compared on label boundaries

	Zone     *time.Location
	SOP      *sop.SOP            // in force: what comes now is received under it
	Earlier  map[string]*sop.SOP // those before it, by version: what came under them keeps them (store.KeepSOP fills it)
	Calendar *sop.Calendar

	Mode  ResetMode
	Rules Rules

	Staff   []Person
	Offices []Office
}

// Rules are the agency's own choices where the standards leave one.
type Rules struct {
	// MaxLetterAge: an older letter is a finding. Zero means 90 days.
	MaxLetterAge time.Duration
	// RepeatWithin: a second reset for the same person within this span is a finding and needs a second verifier. Zero means 7 days.
	RepeatWithin time.Duration
	// SrikandiDecides: a verifier's follow-up in Srikandi ("disetujui", "dikembalikan: ...") counts as their decision.
	SrikandiDecides bool
	// MailSkipsChain: a letter that came by mail and can't be registered in Srikandi goes to the verifier without dispositions.
	MailSkipsChain bool
	// DailyResets is the most resets a day for the whole agency. Zero means 50.
	DailyResets int
	// VerifierDailyResets is the most resets a day in one verifier's name. Zero means 30.
	VerifierDailyResets int
	// FourEyes: each approval needs a second verifier's.
	FourEyes bool
	// LendSessions: an approved reset may be made in another verifier's live AMS session when the approving one has none.
	LendSessions bool
	// RemindAt are the shares of a norm at which its holder is reminded. Empty means 0.6 and 0.9.
	RemindAt []float64
}

// Person is a member of the agency's staff.
type Person struct {
	ID       string // stable key, unique within the agency: "rini"
	Name     string // with titles: "Rini Wulandari, S.Kom."
	NIP      string // 18 digits without blanks
	Position string // as Srikandi writes it: "Kepala Dinas Komunikasi dan Informatika"
	Aliases  []string
	Email    string
	Phone    string
	Roles    []sop.Role
	Leave    []Leave
	// Reminders says which reminders of their own work they want; empty is RemindAll. Of promises that their people broke superiors are told
	// all the same.
	Reminders Reminders
}

// Reminders is a person's choice.
type Reminders string

// The choices.
const (
	RemindAll Reminders = "all"
	RemindEnd Reminders = "end" // only when the time is used up
	RemindOff Reminders = "off"
)

// Leave is a span in which a deputy (Plh., Plt.) acts for a person. From is inclusive, Until exclusive.
type Leave struct {
	Deputy      string // Person.ID
	From, Until time.Time
}

// Office is an OPD or UPT that may send letters.
type Office struct {
	ID        string // "dindikbud"
	Name      string // "Dinas Pendidikan dan Kebudayaan"
	Aliases   []string
	Addresses []string // official e-mail addresses of the office itself
	Head      Official
	// Acting are officials who may sign for the head (Plt., Plh., a.n.).
	Acting    []Official
	Officials []Official
}

// Official is a holder of a certificate: a possible applicant or signer. Email is the registered official address, the only one a reset
// may go to.
type Official struct {
	Name     string
	NIP      string // 18 digits without blanks
	NIK      string // 16 digits; usually unknown
	Position string
	Email    string
	Phone    string
}

// Procedure is the SOP of that version: the one in force when a request came. Of a version that nobody kept, and of requests from before
// versions were noted, it is the one in force now.
func (a *Agency) Procedure(version string) *sop.SOP {
	if p, ok := a.Earlier[version]; ok && version != a.SOP.Version {
		return p
	}
	return a.SOP
}

// Has reports whether the person holds the role.
func (p Person) Has(role sop.Role) bool {
	for _, r := range p.Roles {
		if r == role {
			return true
		}
	}
	return false
}

// Wants reports whether the person wants to be reminded when a share of a norm is used: 0.6, 0.9 or, at its end, 1.
func (p Person) Wants(share float64) bool {
	switch p.Reminders {
	case RemindOff:
		return false
	case RemindEnd:
		return share >= 1
	}
	return true
}

// Person returns the member of staff with that ID.
func (a *Agency) Person(id string) (Person, bool) {
	for _, p := range a.Staff {
		if p.ID == id {
			return p, true
		}
	}
	return Person{}, false
}

// Holders are the people who do the role's work at that instant: its members, each replaced by their deputy while on leave.
func (a *Agency) Holders(role sop.Role, at time.Time) []Person {
	var out []Person
	seen := map[string]bool{}
	for _, p := range a.Staff {
		if !p.Has(role) {
			continue
		}
		acting := a.Acting(p, at)
		if !seen[acting.ID] {
			seen[acting.ID] = true
			out = append(out, acting)
		}
	}
	return out
}

// Acting is who does the person's work at that instant; it follows deputies of deputies, at most as far as there are people.
func (a *Agency) Acting(p Person, at time.Time) Person {
	for range a.Staff {
		next, ok := a.deputy(p, at)
		if !ok {
			return p
		}
		p = next
	}
	return p
}

func (a *Agency) deputy(p Person, at time.Time) (Person, bool) {
	for _, l := range p.Leave {
		if !at.Before(l.From) && at.Before(l.Until) {
			return a.Person(l.Deputy)
		}
	}
	return Person{}, false
}

// PersonByNIP finds staff by NIP, blanks ignored.
func (a *Agency) PersonByNIP(nip string) (Person, bool) {
	nip = Digits(nip)
	if nip == "" {
		return Person{}, false
	}
	for _, p := range a.Staff {
		if Digits(p.NIP) == nip {
			return p, true
		}
	}
	return Person{}, false
}

// PersonByEmail finds staff by official address, case ignored.
func (a *Agency) PersonByEmail(email string) (Person, bool) {
	for _, p := range a.Staff {
		if SameAddress(p.Email, email) {
			return p, true
		}
	}
	return Person{}, false
}

// PersonByPosition finds staff by the position that Srikandi shows, or an alias of it; a leading Plt. or Plh. is not compared.
func (a *Agency) PersonByPosition(position string) (Person, bool) {
	want := foldPosition(position)
	if want == "" {
		return Person{}, false
	}
	for _, p := range a.Staff {
		for _, have := range append([]string{p.Position}, p.Aliases...) {
			if foldPosition(have) == want {
				return p, true
			}
		}
	}
	return Person{}, false
}

// Superiors are the holders of the roles above the given one, nearest first: the way of an escalation, up to the head.
func (a *Agency) Superiors(role sop.Role, at time.Time) []Person {
	var out []Person
	for d := role.Depth() - 1; d >= 0; d-- {
		out = append(out, a.Holders(sop.Chain[d], at)...)
	}
	return out
}

// Office returns the office with that ID.
func (a *Agency) Office(id string) (*Office, bool) {
	for i := range a.Offices {
		if a.Offices[i].ID == id {
			return &a.Offices[i], true
		}
	}
	return nil, false
}

// OfficeByName finds an office by its name or an alias as a letter writes it: case, blanks and the agency's own name behind it ignored.
func (a *Agency) OfficeByName(name string) (*Office, bool) {
	want := foldOffice(name)
	if want == "" {
		return nil, false
	}
	for i := range a.Offices {
		for _, have := range append([]string{a.Offices[i].Name, a.Offices[i].ID}, a.Offices[i].Aliases...) {
			if foldOffice(have) == want {
				return &a.Offices[i], true
			}
		}
	}
	return nil, false
}

// OfficeByAddress finds the office that an e-mail address belongs to: one of the office's own, or its head's or an official's.
func (a *Agency) OfficeByAddress(email string) (*Office, bool) {
	for i := range a.Offices {
		o := &a.Offices[i]
		for _, have := range o.Addresses {
			if SameAddress(have, email) {
				return o, true
			}
		}
		for _, f := range o.All() {
			if SameAddress(f.Email, email) {
				return o, true
			}
		}
	}
	return nil, false
}

// All lists the office's head, acting heads and officials, each once by NIP or name.
func (o *Office) All() []Official {
	var out []Official
	seen := map[string]bool{} // NIPs: offices have thousands of officials, and every letter looks here
	for _, f := range append(append([]Official{o.Head}, o.Acting...), o.Officials...) {
		nip := Digits(f.NIP)
		dup := f.Name == "" || nip != "" && seen[nip]
		if nip == "" {
			dup = dup || slices.ContainsFunc(out, func(g Official) bool { return SameName(f.Name, g.Name) })
		}
		if !dup {
			out = append(out, f)
			seen[nip] = true
		}
	}
	return out
}

// Official finds a holder of a certificate anywhere in the agency: by NIP where given, else by name if the name is unique. The office is
// the one they belong to.
func (a *Agency) Official(nip, name string) (Official, *Office, bool) {
	nip = Digits(nip)
	var found Official
	var office *Office
	matches := 0
	for i := range a.Offices {
		for _, f := range a.Offices[i].All() {
			if nip != "" && Digits(f.NIP) == nip {
				return f, &a.Offices[i], true
			}
			if nip == "" && SameName(f.Name, name) {
				found, office = f, &a.Offices[i]
				matches++
			}
		}
	}
	return found, office, matches == 1
}

// Official reports whether an address lies in one of the agency's domains.
func (a *Agency) OwnDomain(email string) bool {
	for _, d := range a.Domains {
		if InDomain(email, d) {
			return true
		}
	}
	return false
}

func foldPosition(s string) string {
	s = fold(s)
	for _, lead := range []string{"plt. ", "plt ", "plh. ", "plh ", "pj. ", "pj "} {
		s = strings.TrimPrefix(s, lead)
	}
	return s
}
