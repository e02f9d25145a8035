package console

import (
	"fmt"
	"slices"
	"strings"

	"pulih/internal/agency"
	"pulih/internal/letter"
	"pulih/internal/request"
)

// fact is one line of the comparison: what the letter says, what the directory knows.
type fact struct {
	Key               string // of the field in letter.Applicant; "signer"
	Label             string
	Letter, Directory string
	AMS               string // as the portal has it, when the verifier asked
	Source            *source
	Corrections       []comparison
	Differs           bool
	Missing           bool // the directory doesn't know it
	Identity          bool // a NIK: masked
}

// factsOf holds what the first letter says of the applicant beside the directory.
func factsOf(a *agency.Agency, s request.State, r letter.Reading) []fact {
	ap := applicantOf(r, s.Subject)
	f, o, known := a.Official(s.Subject.NIP, s.Subject.Name)
	var office string
	if o != nil && known {
		office = o.Name
	} else {
		f = agency.Official{}
	}
	same := func(x, y string) bool { return agency.SameName(x, y) || fold(x) == fold(y) }
	list := []fact{
		row4("Nama", str(ap.Name), f.Name, same), row4("NIP", spacedNIP(str(ap.NIP)), spacedNIP(f.NIP), same),
		row4("Jabatan", str(ap.Position), f.Position, same), row4("Kantor", str(ap.Office), office, sameOffice(a)),
		row4("E-mail dinas", str(ap.Email), f.Email, agency.SameAddress), row4("Telepon", str(ap.Phone), f.Phone, same),
		row4("NIK", s.Subject.NIK, f.NIK, same),
	}
	for i, key := range []string{"name", "nip", "position", "office", "email", "phone", "nik"} {
		list[i].Key, list[i].Identity = key, key == "nik"
	}
	if signer := r.Letter.Signer; signer != nil {
		head := agency.Official{}
		if o != nil {
			head = o.Head
			for _, acting := range o.Acting {
				if agency.SameName(acting.Name, str(signer.Name)) {
					head = acting
				}
			}
		}
		f := row4("Penanda tangan", str(signer.Name), head.Name, same)
		f.Key = "signer"
		list = append(list, f)
	}
	return slices.DeleteFunc(list, func(f fact) bool { return f.Letter == "" && f.Directory == "" })
}

func row4(label, inLetter, inDirectory string, same func(a, b string) bool) fact {
	return fact{Label: label, Letter: inLetter, Directory: inDirectory, Missing: inDirectory == "",
		Differs: inLetter != "" && inDirectory != "" && !same(inLetter, inDirectory)}
}

func sameOffice(a *agency.Agency) func(x, y string) bool {
	return func(x, y string) bool {
		ox, okX := a.OfficeByName(x)
		oy, okY := a.OfficeByName(y)
		return fold(x) == fold(y) || okX && okY && ox.ID == oy.ID
	}
}

// applicantOf is the applicant of the reading that the request is about.
func applicantOf(r letter.Reading, s request.Subject) letter.Applicant {
	if i := applicantAt(r, s); i >= 0 {
		return r.Applicants[i]
	}
	return letter.Applicant{}
}

// applicantAt is their place in the reading, -1 if it has none: by NIP, then by name.
func applicantAt(r letter.Reading, s request.Subject) int {
	i := slices.IndexFunc(r.Applicants, func(ap letter.Applicant) bool {
		nip := agency.Digits(str(ap.NIP))
		return nip != "" && nip == agency.Digits(s.NIP)
	})
	if i < 0 {
		i = slices.IndexFunc(r.Applicants, func(ap letter.Applicant) bool { return agency.SameName(str(ap.Name), s.Name) })
	}
	return i
}

// tellSources says of each fact where this letter has it, and what was corrected there. Only the first letter's values stand in the facts.
func (d *requestPage) tellSources(v letterView, r letter.Reading, first bool) {
	at := fmt.Sprintf("applicants[%d].", applicantAt(r, d.S.Subject))
	resting := d.S.Subject.RestsOn(r.Corrections)
	for i := range d.Facts {
		f := &d.Facts[i]
		field, number := at+f.Key, at+f.Key
		if f.Key == "signer" {
			field, number = "letter.signer.name", "letter.signer.nip"
		}
		if first {
			f.Source = v.sourceOf(r, field)
		}
		for _, c := range r.Corrections {
			if c.Field == number || slices.Contains(resting, c) && strings.HasSuffix(c.Field, "."+f.Key) {
				f.Corrections = append(f.Corrections, d.comparison(c, v, r))
			}
		}
	}
}

// source is where a field was found.
type source struct {
	Href  string // the line in the letter's text, on this page
	Words string // "surat.pdf, halaman 2 · hasil pindai"
}

// sourceOf is nil for what this letter doesn't say.
func (v letterView) sourceOf(r letter.Reading, field string) *source {
	i := slices.IndexFunc(r.Evidence, func(e letter.Evidence) bool { return e.Field == field })
	if i < 0 {
		return nil
	}
	e := r.Evidence[i]
	words := sourceWords(e)
	if _, page, ok := strings.Cut(words, ", halaman "); ok && len(v.Files) == 1 { // there is no other file
		words = "halaman " + page
	}
	return &source{Href: v.anchors[field], Words: words}
}

func sourceWords(e letter.Evidence) string {
	words := map[string]string{"mail": "isi surel", "mail:forwarded": "surel yang diteruskan", "srikandi": "data Srikandi"}[e.Part]
	if words == "" {
		words = safeName(e.Part)
	}
	if e.Page > 0 {
		words += fmt.Sprintf(", halaman %d", e.Page)
	}
	if e.How == "ocr" {
		words += " · hasil pindai"
	}
	return words
}
