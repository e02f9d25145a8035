package request_test

import (
	"slices"
	"strings"
	"testing"

	"pulih/internal/agency"
	"pulih/internal/letter"
	"pulih/internal/request"
	"pulih/internal/sop"
)

// misread are corrections of one letter about the applicant of the tests' requests: "O" and "l" stood among the digits of the NIP.
func misread(field, proposed string) []letter.Correction {
	return []letter.Correction{{Field: field, Read: strings.Replace(proposed, "0", "O", 1), Proposed: proposed, Used: true}}
}

// A NIP, NIK or e-mail that pulih corrected is compared with the letter by whoever approves, whichever way they do.
func TestACorrectionIsComparedBeforeItIsApproved(t *testing.T) {
	t.Parallel()
	a := office(t, "purbalingga", agency.AMS)
	fresh := func() *file {
		return open(t, a, func(o *request.Open) { o.Subject.NIK = "9999010101900001" }).toVerifier()
	}
	whom := fresh().s.Subject
	for name, c := range map[string]struct {
		corrections []letter.Correction
		word        string // what has to be compared; empty: nothing
	}{
		"the NIP":                       {misread("applicants[0].nip", whom.NIP), "NIP"},
		"the NIK":                       {misread("applicants[0].nik", whom.NIK), "NIK"},
		"the address, with other case":  {misread("applicants[0].email", strings.ToUpper(whom.Email)), "e-mail"},
		"two of them":                   {append(misread("applicants[0].nip", whom.NIP), misread("applicants[0].email", whom.Email)...), "NIP dan e-mail"},
		"the NIP, in each of two files": {append(misread("applicants[0].nip", whom.NIP), misread("applicants[2].nip", whom.NIP)...), "NIP"},
		"another applicant's NIP":       {misread("applicants[1].nip", "198612242011011924"), ""},
		"the signer's NIP":              {misread("letter.signer.nip", whom.NIP), ""},
		"a proposal that isn't used":    {[]letter.Correction{{Field: "applicants[0].nip", Read: "x", Proposed: whom.NIP}}, ""},
		"a field of no identity":        {misread("applicants[0].phone", whom.NIP), ""},
	} {
		t.Run(name, func(t *testing.T) {
			for _, via := range []string{"console", "cli", "srikandi"} {
				f := fresh()
				cmd := f.approval(request.Actor{Role: sop.Verifier, ID: rini.ID, Name: rini.Name, Via: via})
				cmd.Facts.Corrections = c.corrections
				if c.word != "" {
					at := *f
					at.refused(request.NotCompared, cmd)
					if err := at.try(cmd); !strings.Contains(err.Error(), "Untuk "+c.word+" pemohon dipakai koreksi") || strings.Contains(err.Error(), whom.NIP) {
						t.Errorf("%s: the refusal says %q", via, err)
					}
					cmd.Compared = true
				}
				f.must(cmd)
				f.is(request.StatusApproved)
				kept := slices.ContainsFunc(f.events, func(e request.Event) bool {
					return e.Kind == request.Validated && e.By.ID == rini.ID && e.Text == "Sudah dicocokkan dengan surat: "+c.word+"."
				})
				if kept != (c.word != "") {
					t.Errorf("%s: the history says that it was compared: %v", via, kept)
				}
			}
		})
	}
}

func TestBothVerifiersCompareACorrection(t *testing.T) {
	t.Parallel()
	careful := *office(t, "purbalingga", agency.AMS)
	careful.Rules.FourEyes = true
	f := open(t, &careful).toVerifier()
	by := func(who request.Actor, compared bool) request.Approve {
		cmd := f.approval(who)
		cmd.Facts.Corrections, cmd.Compared = misread("applicants[0].nip", f.s.Subject.NIP), compared
		return cmd
	}
	f.must(by(rini, true))
	f.is(request.StatusSecond)
	f.refused(request.NotCompared, by(galih, false))
	f.must(by(galih, true))
	f.is(request.StatusApproved)
	var said []string
	for _, e := range f.events {
		if e.Kind == request.Validated {
			said = append(said, e.By.ID)
		}
	}
	if !slices.Equal(said, []string{rini.ID, galih.ID}) {
		t.Errorf("compared by %v", said)
	}
}
