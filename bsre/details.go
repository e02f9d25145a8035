package bsre

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"time"
)

// Details is a user's record in AMS. It holds identity numbers: it prints as a count, and is sealed before it is stored.
type Details struct {
	UID          string
	Profile      Profile
	Certificates []Certificate
}

// Profile is the person. Blank fields are normal.
type Profile struct {
	Name         string
	Email        string // where BSrE sends the link
	NIK          string
	NIP          string
	Position     string // jabatanOrganisasi
	Unit         string // organisasiUnit: the office
	Organization string // organisasi: the local government
	Phone        string
	Status       Code // Unknown when blank
	// NeedsPhoneCheck: the portal says that the phone isn't verified, so a reset would be refused.
	NeedsPhoneCheck bool
}

// Certificate is one of the user's.
type Certificate struct {
	ID        string
	Status    Code
	Product   string
	Serial    string    // hex, as the portal writes it; compare with SameSerial
	NotBefore time.Time // zero when blank or unreadable
	NotAfter  time.Time // likewise
	Kind      string    // jenisSertifikat
}

func (d Details) summary() string {
	return fmt.Sprintf("[details: %d certificates]", len(d.Certificates))
}
func (d Details) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(d.summary())) }
func (d Details) LogValue() slog.Value       { return slog.StringValue(d.summary()) }
func (p Profile) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte("[profile]")) }
func (p Profile) LogValue() slog.Value       { return slog.StringValue("[profile]") }

// SameSerial compares serial numbers as numbers: without case, separators and leading zeros. Blank ones equal nothing.
func SameSerial(a, b string) bool {
	fa, fb := foldSerial(a), foldSerial(b)
	return fa != "" && fa == fb
}

func foldSerial(s string) string {
	s = strings.ToLower(strings.NewReplacer(":", "", " ", "", "0x", "", "0X", "").Replace(strings.TrimSpace(s)))
	return strings.TrimLeft(s, "0")
}

// isSerial reports whether s is a serial number as the reset's URL takes it: hex digits alone. A certificate's uuid is none.
func isSerial(s string) bool {
	if s == "" || len(s) > 64 {
		return false
	}
	return strings.Trim(strings.ToLower(s), "0123456789abcdef") == ""
}

func readDetails(c call, got answer, uid string, zone *time.Location) (Details, error) {
	var wire struct {
		Profile      json.RawMessage   `json:"profile"`
		Certificates []json.RawMessage `json:"sertifikat"`
	}
	if err := c.data(got, &wire, uid); err != nil {
		return Details{}, err
	}
	var p struct {
		Name     text `json:"nama"`
		Email    text `json:"emailAddress"`
		NIK      text `json:"nik"`
		NIP      text `json:"nip"`
		Position text `json:"jabatanOrganisasi"`
		Unit     text `json:"organisasiUnit"`
		Org      text `json:"organisasi"`
		Phone    text `json:"phone"`
		Status   text `json:"status"`
		Verified text `json:"phoneVerified"`
	}
	if _, ok := object(wire.Profile); !ok || json.Unmarshal(wire.Profile, &p) != nil {
		return Details{}, c.unreadable(got)
	}
	verified := strings.ToLower(string(p.Verified))
	d := Details{UID: uid, Profile: Profile{
		Name: string(p.Name), Email: string(p.Email), NIK: string(p.NIK), NIP: string(p.NIP), Position: string(p.Position),
		Unit: string(p.Unit), Organization: string(p.Org), Phone: string(p.Phone), Status: ReadCode(string(p.Status)),
		NeedsPhoneCheck: verified == "false" || verified == "0",
	}}
	for _, raw := range wire.Certificates {
		d.Certificates = append(d.Certificates, readCertificate(raw, zone))
	}
	return d, nil
}

// readCertificate reads one row; a row that isn't an object is a certificate in an unknown state.
func readCertificate(raw json.RawMessage, zone *time.Location) Certificate {
	var w struct {
		ID        text `json:"id"`
		Status    text `json:"status"`
		Product   text `json:"product"`
		Serial    text `json:"serialNumber"`
		NotBefore text `json:"notBeforeDate"`
		NotAfter  text `json:"notAfterDate"`
		Kind      text `json:"jenisSertifikat"`
	}
	if json.Unmarshal(raw, &w) != nil {
		return Certificate{Status: Unknown}
	}
	return Certificate{
		ID: string(w.ID), Status: ReadCode(string(w.Status)), Product: string(w.Product), Serial: string(w.Serial), Kind: string(w.Kind),
		NotBefore: readDate(string(w.NotBefore), zone), NotAfter: readDate(string(w.NotAfter), zone),
	}
}

// dateForms are the portal's two, and their near relatives.
var dateForms = []string{
	time.RFC3339Nano, "2006-01-02T15:04:05.999999999Z0700", "2006-01-02 15:04:05", "2006-01-02T15:04:05", "2006-01-02 15:04", "2006-01-02",
}

// readDate reads a date; one without a zone is in the given one. The zero time is "unknown".
func readDate(s string, zone *time.Location) time.Time {
	s = strings.TrimSpace(s)
	for _, form := range dateForms {
		if t, err := time.ParseInLocation(form, s, zone); err == nil && t.Year() > 1990 && t.Year() < 2200 {
			return t
		}
	}
	return time.Time{}
}
