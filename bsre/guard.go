package bsre

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"pulih/internal/agency"
)

// GuardInput is everything that the guard rails look at. It is gathered just before a reset is booked.
type GuardInput struct {
	Now     time.Time
	Mode    agency.ResetMode
	Rules   agency.Rules
	Stopped bool // the agency's stop switch

	// Applicant is the official as the directory knows them; the zero value when it doesn't.
	Applicant agency.Official
	Address   string // where the approval says that the link goes
	Serial    string // the certificate that the approval names

	// AMS is what was just read; nil in assisted mode without a session.
	AMS *Details
	// Status is the newest word on the user's certificate from the gateway; empty when no gateway is configured.
	Status Code

	Approver agency.Person
	Second   agency.Person // the second verifier, where one agreed; zero otherwise

	LastReset     time.Time // the last reset for this person that was made or is uncertain; zero: never
	AgencyToday   int       // resets booked today, in the agency's zone
	VerifierToday int       // those in the approver's name
	VerifierCap   int       // most a day in one verifier's name; 0 means no cap of its own
}

// Rule names a guard rail.
type Rule string

// The guard rails.
const (
	RuleStopped        Rule = "stopped"
	RuleUnknownAddress Rule = "unknown-address" // the directory doesn't know the address
	RuleOtherAddress   Rule = "other-address"   // AMS would send elsewhere
	RuleOwnRequest     Rule = "own-request"     // the approver is the applicant
	RuleRepeat         Rule = "repeat"          // twice within the agency's span, without a second verifier
	RuleNotIssue       Rule = "not-issue"
	RuleOtherSerial    Rule = "other-serial" // AMS's certificate isn't the approved one
	RuleNotRead        Rule = "not-read"     // AMS wasn't read
	RulePhone          Rule = "phone"        // the portal wants the phone checked first
	RuleAgencyCap      Rule = "agency-cap"
	RuleVerifierCap    Rule = "verifier-cap"
)

// Refusal is a guard rail that stands in the way.
type Refusal struct {
	Rule     Rule
	Hold     bool   // the reset waits and may go out later; otherwise a verifier must decide anew
	Sentence string // Indonesian, for the verifier
}

// Guard returns every rule that forbids the reset; none means that it may be booked. What a verifier must decide anew comes first, then what
// only holds the reset, and the phone check last: the applicant is asked to take part only when nothing else is in the way.
func Guard(in GuardInput) []Refusal {
	var out []Refusal
	refuse := func(r Rule, hold bool, sentence string, args ...any) {
		out = append(out, Refusal{r, hold, fmt.Sprintf(sentence, args...)})
	}
	if in.Stopped {
		refuse(RuleStopped, true, "Pengajuan reset sedang dihentikan untuk instansi ini.")
	}
	if !agency.SameAddress(in.Applicant.Email, in.Address) {
		refuse(RuleUnknownAddress, false, "Alamat tujuan bukan e-mail dinas pemohon yang tercatat di direktori.")
	}
	guardAMS(in, refuse)
	if in.Status != "" && in.Status != Issue {
		refuse(RuleNotIssue, in.Status == Unknown, "Status sertifikat %s, bukan ISSUE.", in.Status)
	}
	guardPeople(in, refuse)
	guardCaps(in, refuse)
	slices.SortStableFunc(out, func(a, b Refusal) int { return a.rank() - b.rank() })
	return out
}

func (r Refusal) rank() int {
	switch {
	case r.Rule == RulePhone:
		return 2
	case r.Hold:
		return 1
	}
	return 0
}

type refuseFunc func(r Rule, hold bool, sentence string, args ...any)

func guardAMS(in GuardInput, refuse refuseFunc) {
	if in.AMS == nil {
		if in.Mode != agency.Assisted {
			refuse(RuleNotRead, true, "Data pemohon di AMS belum dibaca.")
		}
		return
	}
	if !agency.SameAddress(in.AMS.Profile.Email, in.Address) {
		refuse(RuleOtherAddress, false, "AMS akan mengirim tautan ke alamat lain dari yang disetujui.")
	}
	if in.AMS.Profile.NeedsPhoneCheck {
		refuse(RulePhone, true, "Nomor telepon pemohon belum diverifikasi; BSrE mengirim pemeriksaan lewat WhatsApp lebih dahulu.")
	}
	chosen, err := Choose(*in.AMS, in.Now)
	var none *NoChoice
	if errors.As(err, &none) {
		refuse(RuleNotIssue, false, "%s", none.Sentence())
	} else if !SameSerial(chosen.Serial, in.Serial) {
		refuse(RuleOtherSerial, false, "Sertifikat ISSUE terakhir di AMS bukan lagi yang disetujui.")
	}
}

func guardPeople(in GuardInput, refuse refuseFunc) {
	if in.Approver.ID == "" || samePerson(in.Approver, in.Applicant) {
		refuse(RuleOwnRequest, false, "Verifikator tidak boleh menyetujui reset untuk dirinya sendiri.")
	}
	span := in.Rules.RepeatWithin
	if span == 0 {
		span = 7 * 24 * time.Hour
	}
	second := in.Second.ID != "" && in.Second.ID != in.Approver.ID && !samePerson(in.Second, in.Applicant)
	if !in.LastReset.IsZero() && in.Now.Sub(in.LastReset) < span && !second {
		refuse(RuleRepeat, false, "Sudah ada reset untuk pemohon ini dalam %d hari terakhir; diperlukan persetujuan verifikator kedua.", int(span.Hours()/24))
	}
}

func guardCaps(in GuardInput, refuse refuseFunc) {
	limit := in.Rules.DailyResets
	if limit == 0 {
		limit = 50
	}
	if in.AgencyToday >= limit {
		refuse(RuleAgencyCap, true, "Batas %d reset sehari untuk instansi ini telah tercapai.", limit)
	}
	if in.VerifierCap > 0 && in.VerifierToday >= in.VerifierCap {
		refuse(RuleVerifierCap, true, "Batas %d reset sehari untuk verifikator ini telah tercapai.", in.VerifierCap)
	}
}

// samePerson compares by whatever both are known by. Names alone count too: two people of one name can ask a colleague to approve.
func samePerson(p agency.Person, o agency.Official) bool {
	return sameDigits(p.NIP, o.NIP) || agency.SameAddress(p.Email, o.Email) || agency.SameName(p.Name, o.Name)
}
