package bsre

import (
	"fmt"
	"log/slog"
	"strings"

	"pulih/internal/agency"
)

// Subject is the applicant as the letter and the directory have them. Blank fields aren't compared.
type Subject struct {
	Name  string
	NIP   string
	NIK   string
	Email string
	// Office is the applicant's office by name; OfficeAliases are its other names.
	Office        string
	OfficeAliases []string
}

func (Subject) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte("[subject]")) }
func (Subject) LogValue() slog.Value       { return slog.StringValue("[subject]") }

// Severity is the weight of a difference, in letter's words.
type Severity string

// The weights. Danger blocks a reset.
const (
	Warning Severity = "warning"
	Danger  Severity = "danger"
)

// Difference is a field in which AMS and the letter disagree. The values are for the verifier's page; a NIK is masked in them.
type Difference struct {
	Field    string // "name", "nip", "nik", "email", "office"
	Letter   string
	AMS      string
	Severity Severity
}

func (d Difference) summary() string            { return d.Field + " (" + string(d.Severity) + ")" }
func (d Difference) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(d.summary())) }
func (d Difference) LogValue() slog.Value       { return slog.StringValue(d.summary()) }

// Compare compares AMS's record with the applicant, field by field. What is blank in AMS is "tidak tercatat" (see Unrecorded), not a
// difference. A difference in e-mail, NIP or NIK is a danger: the link would go to, or for, somebody else. One in the name is a danger
// unless NIP or NIK confirm the person (names get misspelt); one in the office is a warning (people are moved).
func Compare(d Details, want Subject) []Difference {
	p := d.Profile
	var out []Difference
	differ := func(field, letter, ams string, s Severity) { out = append(out, Difference{field, letter, ams, s}) }
	both := func(a, b string) bool { return strings.TrimSpace(a) != "" && strings.TrimSpace(b) != "" }

	sameNIP := sameDigits(p.NIP, want.NIP)
	sameNIK := sameDigits(p.NIK, want.NIK)
	if both(want.Name, p.Name) && !agency.SameName(want.Name, p.Name) {
		severity := Danger
		if sameNIP || sameNIK {
			severity = Warning
		}
		differ("name", want.Name, p.Name, severity)
	}
	if both(want.NIP, p.NIP) && !sameNIP {
		differ("nip", want.NIP, p.NIP, Danger)
	}
	if both(want.NIK, p.NIK) && !sameNIK {
		letter, ams := maskNIK(want.NIK), maskNIK(p.NIK)
		if letter == ams {
			ams += " (angka lain berbeda)"
		}
		differ("nik", letter, ams, Danger)
	}
	if both(want.Email, p.Email) && !agency.SameAddress(want.Email, p.Email) {
		differ("email", want.Email, p.Email, Danger)
	}
	if both(want.Office, p.Unit) && !sameOffice(p, want) {
		differ("office", want.Office, p.Unit, Warning)
	}
	return out
}

// Unrecorded lists the fields that AMS leaves blank, under Difference's names.
func Unrecorded(d Details) []string {
	p := d.Profile
	var out []string
	for _, f := range []struct{ name, value string }{{"name", p.Name}, {"nip", p.NIP}, {"nik", p.NIK}, {"email", p.Email}, {"office", p.Unit}} {
		if strings.TrimSpace(f.value) == "" {
			out = append(out, f.name)
		}
	}
	return out
}

func sameDigits(a, b string) bool {
	a, b = agency.Digits(a), agency.Digits(b)
	return a != "" && a == b
}

// maskNIK leaves the region's province and the serial: enough to see which number is meant, too little to use it.
func maskNIK(nik string) string {
	d := agency.Digits(nik)
	if len(d) < 8 {
		return strings.Repeat("•", len(d))
	}
	return d[:2] + strings.Repeat("•", len(d)-4) + d[len(d)-2:]
}

// sameOffice asks the agency's own comparison, which knows that "Dinas Kesehatan Kabupaten Purbalingga" is "Dinas Kesehatan".
func sameOffice(p Profile, want Subject) bool {
	a := agency.Agency{Offices: []agency.Office{{Name: want.Office, Aliases: want.OfficeAliases}}}
	for _, name := range []string{p.Unit, p.Organization} {
		if _, ok := a.OfficeByName(name); ok {
			return true
		}
	}
	return false
}
