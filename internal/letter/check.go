package letter

import (
	"fmt"
	"strings"
	"time"

	"pulih/internal/agency"
	"pulih/internal/sop"
)

// Defaults of agency.Rules where they are zero.
const (
	defaultLetterAge = 90 * 24 * time.Hour
	defaultRepeat    = 7 * 24 * time.Hour
)

// Check compares a reading with what is known: how the letter came, the directory of offices and officials, and earlier requests. It is
// pure; now must carry any zone, since days are counted in the agency's. Each finding is shown to the verifier beside the letter; none
// drops a letter by itself (letters.md, "Bait"). docs/findings.md lists the codes.
func Check(r Reading, env Envelope, a *agency.Agency, past []Past, now time.Time) []Finding {
	c := &check{r: r, env: env, a: a, past: past, now: now, seen: map[string]bool{}}
	c.sender()
	office := c.office()
	c.signer(office)
	for i := range r.Applicants {
		c.applicant(i, office)
	}
	c.age()
	c.number()
	return c.out
}

type check struct {
	r    Reading
	env  Envelope
	a    *agency.Agency
	past []Past
	now  time.Time
	out  []Finding
	seen map[string]bool
}

func (c *check) find(code string, s Severity, format string, args ...any) {
	detail := fmt.Sprintf(format, args...)
	if !c.seen[code+detail] {
		c.seen[code+detail] = true
		c.out = append(c.out, Finding{Code: code, Severity: s, Detail: detail})
	}
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return strings.TrimSpace(*s)
}

// sender: a From address proves nothing by itself (service.md, "Mail").
func (c *check) sender() {
	if c.env.Channel != "mail" {
		return
	}
	if !c.a.OwnDomain(c.env.From) {
		c.find("sender-outside-domain", Danger, "Surel dikirim dari %s, di luar domain resmi %s.", showDomain(c.env.From), strings.Join(c.a.Domains, ", "))
	} else if _, ok := c.a.OfficeByAddress(c.env.From); !ok {
		if _, staff := c.a.PersonByEmail(c.env.From); !staff {
			c.find("sender-unknown", Info, "Alamat pengirim berada di domain resmi tetapi tidak terdaftar pada kantor mana pun.")
		}
	}
	auth := c.env.Auth
	if auth == nil {
		c.find("sender-unauthenticated", Warning, "Keaslian pengirim tidak dapat dipastikan: tidak ada hasil SPF, DKIM atau DMARC.")
		return
	}
	switch {
	case failed(auth.DMARC):
		c.find("sender-unauthenticated", Danger, "Pemeriksaan DMARC gagal: surel ini mungkin tidak berasal dari %s.", showDomain(c.env.From))
	case auth.DMARC == "pass", auth.DKIM == "pass", auth.SPF == "pass": // one that is aligned is enough (RFC 7489 section 3.1)
	case failed(auth.DKIM) || failed(auth.SPF):
		c.find("sender-unauthenticated", Danger, "Pemeriksaan %s gagal: surel ini mungkin tidak berasal dari %s.", failedOf(auth), showDomain(c.env.From))
	default:
		c.find("sender-unauthenticated", Warning, "Keaslian pengirim tidak dapat dipastikan: SPF, DKIM dan DMARC tidak memberi hasil.")
	}
}

// failed: softfail counts, since an own domain is expected to publish what it means; a temporary error proves nothing either way.
func failed(v string) bool {
	switch strings.ToLower(v) {
	case "fail", "softfail", "permerror", "hardfail":
		return true
	}
	return false
}

func failedOf(a *Authentication) string {
	if failed(a.DKIM) {
		return "DKIM"
	}
	return "SPF"
}

func showDomain(address string) string {
	if d := domainOf(address); d != "" {
		return "domain " + d
	}
	return "alamat yang tidak lengkap"
}

// office is the office that the letter comes from: by its letterhead, else its signer, else the sender's address.
func (c *check) office() *agency.Office {
	name := text(c.r.Letter.Office)
	byName, named := c.a.OfficeByName(name)
	bySender, sent := c.a.OfficeByAddress(c.env.From)
	if c.env.Channel != "mail" {
		sent = false
	}
	if named && sent && byName.ID != bySender.ID {
		c.find("sender-other-office", Warning, "Surel dikirim dari alamat %s, sedangkan surat berkop %s.", bySender.Name, byName.Name)
	}
	if named {
		return byName
	}
	if name != "" {
		c.find("office-unknown", Info, "Kantor pada surat (%s) tidak dikenal dalam daftar kantor.", name)
	}
	if s := c.r.Letter.Signer; s != nil {
		if _, o, ok := c.a.Official(text(s.NIP), text(s.Name)); ok {
			return o
		}
	}
	if sent {
		return bySender
	}
	return nil
}

// signer: only the head of the office, or who acts for them, may ask (service.md, Standard A).
func (c *check) signer(office *agency.Office) {
	s := c.r.Letter.Signer
	if s == nil || text(s.Name) == "" && text(s.NIP) == "" {
		if c.r.Kind == ResetRequest {
			c.find("signer-missing", Warning, "Penanda tangan surat tidak ditemukan.")
		}
		return
	}
	if office == nil {
		return
	}
	switch {
	case isOfficial(office.Head, s):
		c.signerDetails(office.Head, s)
	case acts(office, s):
	case text(c.r.Letter.Office) == "" && len(c.r.Applicants) == 0:
	default:
		c.find("signer-not-head", Danger, "Penanda tangan (%s) bukan kepala %s (%s) maupun pejabat yang ditunjuk.", orDash(s.Name), office.Name, office.Head.Name)
	}
}

func orDash(s *string) string {
	if text(s) == "" {
		return "tanpa nama"
	}
	return *s
}

// isOfficial compares by NIP where both have one, else by name: a right name with another person's NIP is not the official.
func isOfficial(o agency.Official, s *Signer) bool {
	if nip := agency.Digits(text(s.NIP)); nip != "" && agency.Digits(o.NIP) != "" {
		return nip == agency.Digits(o.NIP)
	}
	return agency.SameName(o.Name, text(s.Name))
}

func acts(office *agency.Office, s *Signer) bool {
	for _, o := range office.Acting {
		if isOfficial(o, s) {
			return true
		}
	}
	return false
}

func (c *check) signerDetails(head agency.Official, s *Signer) {
	if text(s.Name) != "" && !agency.SameName(head.Name, *s.Name) {
		c.find("signer-name-differs", Warning, "NIP penanda tangan milik %s, tetapi nama pada surat %s.", head.Name, *s.Name)
	}
}

// applicant checks one person against the directory.
func (c *check) applicant(i int, office *agency.Office) {
	ap := c.r.Applicants[i]
	who := text(ap.Name)
	if who == "" {
		who = fmt.Sprintf("pemohon ke-%d", i+1)
	}
	c.incomplete(ap, who)
	known, own, ok := c.a.Official(text(ap.NIP), text(ap.Name))
	switch {
	case !ok && (text(ap.NIP) != "" || text(ap.Name) != ""):
		c.find("applicant-unknown", Warning, "%s tidak ada dalam daftar pejabat; alamat resminya belum diketahui.", who)
		if byName, _, found := c.a.Official("", text(ap.Name)); found && text(ap.NIP) != "" {
			c.find("nip-differs", Danger, "NIP %s pada surat berbeda dari yang terdaftar.", byName.Name)
		}
	case ok:
		c.known(ap, known, own, office, who)
	}
	c.address(ap, known, ok, who)
	c.self(ap, who)
	c.repeated(ap, who)
}

func (c *check) incomplete(ap Applicant, who string) {
	if c.r.Kind != ResetRequest {
		return
	}
	if text(ap.NIP) == "" && text(ap.NIK) == "" {
		c.find("identity-missing", Warning, "Surat tidak memuat NIP maupun NIK %s.", who)
	}
	if text(ap.Email) == "" {
		c.find("address-missing", Info, "Surat tidak memuat e-mail dinas %s.", who)
	}
}

// known compares a registered official with what the letter says.
func (c *check) known(ap Applicant, o agency.Official, own, office *agency.Office, who string) {
	if office != nil && own != nil && own.ID != office.ID {
		c.find("applicant-other-office", Danger, "%s terdaftar di %s, bukan di %s yang menandatangani surat.", who, own.Name, office.Name)
	}
	if n := text(ap.Name); n != "" && !agency.SameName(o.Name, n) {
		c.find("applicant-name-differs", Danger, "NIP pada surat milik %s, tetapi nama pada surat %s.", o.Name, n)
	}
	if nik := agency.Digits(text(ap.NIK)); nik != "" && agency.Digits(o.NIK) != "" && nik != agency.Digits(o.NIK) {
		c.find("nik-differs", Danger, "NIK %s pada surat berbeda dari yang terdaftar.", who)
	}
	if p := agency.Digits(text(ap.Phone)); p != "" && o.Phone != "" && !samePhone(p, agency.Digits(o.Phone)) {
		c.find("phone-differs", Info, "Nomor telepon %s pada surat berbeda dari yang terdaftar.", who)
	}
}

func samePhone(a, b string) bool { return localPhone(a) == localPhone(b) }

func localPhone(d string) string {
	d = strings.TrimPrefix(d, "62")
	return strings.TrimLeft(d, "0")
}

// address: an official e-mail that differs from the registered one is how an attacker would catch the reset link.
func (c *check) address(ap Applicant, o agency.Official, known bool, who string) {
	e := text(ap.Email)
	if e == "" {
		return
	}
	if known && o.Email != "" && !agency.SameAddress(o.Email, e) {
		c.find("address-differs", Danger, "E-mail %s pada surat berbeda dari alamat resmi yang terdaftar; tautan reset hanya boleh ke alamat terdaftar.", who)
	}
	if known && o.Email == "" || !known {
		c.find("address-unknown", Warning, "Alamat resmi %s belum terdaftar; pastikan ke kantornya sebelum reset.", who)
	}
	if !c.a.OwnDomain(e) {
		c.find("address-outside-domain", Danger, "E-mail %s pada surat berada di luar domain resmi (%s).", who, showDomain(e))
	}
	for k := range c.r.Applicants {
		if other := c.r.Applicants[k]; text(other.Name) != text(ap.Name) && agency.SameAddress(text(other.Email), e) {
			c.find("address-shared", Warning, "Beberapa pemohon memakai alamat e-mail yang sama.")
		}
	}
}

// self: who asks for themselves, or would verify their own request.
func (c *check) self(ap Applicant, who string) {
	if s := c.r.Letter.Signer; s != nil && sameIdentity(text(ap.NIP), text(ap.Name), text(s.NIP), text(s.Name)) {
		c.find("applicant-is-signer", Warning, "%s menandatangani permohonan untuk dirinya sendiri; pastikan identitasnya dengan cara lain.", who)
	}
	for _, p := range c.a.Staff {
		if !sameIdentity(text(ap.NIP), text(ap.Name), p.NIP, p.Name) {
			continue
		}
		if p.Has(sop.Verifier) {
			c.find("applicant-is-verifier", Danger, "%s adalah verifikator; permohonannya harus diperiksa verifikator lain.", who)
		} else {
			c.find("applicant-is-staff", Warning, "%s termasuk petugas layanan ini; ia tidak boleh memproses permohonannya sendiri.", who)
		}
	}
}

func sameIdentity(nip, name, otherNIP, otherName string) bool {
	a, b := agency.Digits(nip), agency.Digits(otherNIP)
	if a != "" && b != "" {
		return a == b
	}
	return agency.SameName(name, otherName)
}

func (c *check) repeated(ap Applicant, who string) {
	within := c.a.Rules.RepeatWithin
	if within == 0 {
		within = defaultRepeat
	}
	for _, p := range c.past {
		if !p.Reset || p.At.After(c.now) || !sameIdentity(text(ap.NIP), text(ap.Name), p.ApplicantNIP, p.ApplicantName) {
			continue
		}
		if c.now.Sub(p.At) <= within {
			c.find("repeated-reset", Danger, "%s sudah direset %s (%s); reset berulang memerlukan verifikator kedua.", who, ago(c.now.Sub(p.At)), p.Request)
		}
	}
}

func ago(d time.Duration) string {
	switch days := int(d / (24 * time.Hour)); days {
	case 0:
		return "kurang dari satu hari lalu"
	default:
		return fmt.Sprintf("%d hari lalu", days)
	}
}

// age: the letter's own date, in days of the agency's zone.
func (c *check) age() {
	s := text(c.r.Letter.Date)
	if s == "" {
		if c.r.Kind == ResetRequest {
			c.find("date-missing", Info, "Tanggal surat tidak ditemukan.")
		}
		return
	}
	zone := c.a.Zone
	if zone == nil {
		zone = time.UTC
	}
	day, err := time.ParseInLocation(time.DateOnly, s, zone)
	if err != nil {
		return
	}
	limit := c.a.Rules.MaxLetterAge
	if limit == 0 {
		limit = defaultLetterAge
	}
	received := c.env.ReceivedAt
	if received.IsZero() {
		received = c.now
	}
	switch age := received.Sub(day); {
	case age > limit:
		c.find("letter-old", Warning, "Surat bertanggal %s, %d hari sebelum diterima.", s, int(age/(24*time.Hour)))
	case age < -24*time.Hour:
		c.find("letter-in-future", Warning, "Surat bertanggal %s, sesudah hari diterimanya.", s)
	}
}

// number: the same letter sent again with another applicant is an old trick; with the same one it is a second copy.
func (c *check) number() {
	n := text(c.r.Letter.Number)
	if n == "" {
		if c.r.Kind == ResetRequest {
			c.find("number-missing", Info, "Nomor surat tidak ditemukan.")
		}
		return
	}
	for _, p := range c.past {
		if !agency.SameNumber(p.LetterNumber, n) {
			continue
		}
		if c.hasApplicant(p) {
			c.find("number-known", Info, "Surat dengan nomor dan pemohon yang sama sudah ada pada %s.", p.Request)
		} else {
			c.find("number-reused", Danger, "Nomor surat ini sudah dipakai pada %s untuk pemohon lain.", p.Request)
		}
	}
}

func (c *check) hasApplicant(p Past) bool {
	for _, ap := range c.r.Applicants {
		if sameIdentity(text(ap.NIP), text(ap.Name), p.ApplicantNIP, p.ApplicantName) {
			return true
		}
	}
	return len(c.r.Applicants) == 0
}
