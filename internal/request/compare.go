package request

import (
	"slices"
	"strings"

	"pulih/internal/agency"
	"pulih/internal/letter"
)

// RestsOn picks the corrections that the subject rests on: the letter has something else, and the subject holds what pulih proposed instead.
// Nothing is applied silently: a verifier compares it with the letter before they approve, since what can't be told from a letter's text goes
// to a human (letters.md) and since it is they who validate identity and e-mail (Madiun's SOP, step 5). What a person has corrected since rests on their word.
func (s Subject) RestsOn(all []letter.Correction) []letter.Correction {
	var out []letter.Correction
	for _, c := range all {
		var held bool
		switch what(c) {
		case "NIP":
			held = agency.Digits(s.NIP) == agency.Digits(c.Proposed)
		case "NIK":
			held = agency.Digits(s.NIK) == agency.Digits(c.Proposed)
		case "e-mail":
			held = agency.SameAddress(s.Email, c.Proposed)
		}
		if c.Used && held {
			out = append(out, c)
		}
	}
	return out
}

// what names an applicant's field for people; empty for fields that a reset doesn't rest on, the signer's among them.
func what(c letter.Correction) string {
	if !strings.HasPrefix(c.Field, "applicants[") {
		return ""
	}
	return map[string]string{"nip": "NIP", "nik": "NIK", "email": "e-mail"}[c.Field[strings.LastIndexByte(c.Field, '.')+1:]]
}

// FieldWords lists the fields of corrections, each once: "NIP dan e-mail".
func FieldWords(list []letter.Correction) string {
	var out []string
	for _, c := range list {
		if w := what(c); !slices.Contains(out, w) {
			out = append(out, w)
		}
	}
	return strings.Join(out, " dan ")
}
