package letter_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pulih/internal/agency"
	"pulih/internal/letter"
	"pulih/internal/sop"
)

var wib = time.FixedZone("WIB", 7*3600)

func office() *agency.Agency {
	return &agency.Agency{Key: "purbalingga", Domains: []string{"purbalinggakab.go.id"}, Zone: wib,
		Staff: []agency.Person{
			{ID: "rini", Name: "Rini Wulandari, S.Kom.", NIP: "198501012010012001", Roles: []sop.Role{sop.Verifier}},
			{ID: "joko", Name: "Joko Purwanto", NIP: "197501012000011001", Roles: []sop.Role{sop.Section}},
		},
		Offices: []agency.Office{
			{ID: "dindik", Name: "Dinas Pendidikan dan Kebudayaan", Addresses: []string{"dindik@purbalinggakab.go.id"},
				Head:      agency.Official{Name: "Drs. Slamet Riyadi, M.Pd.", NIP: "197001011990031001", Email: "slamet@purbalinggakab.go.id"},
				Acting:    []agency.Official{{Name: "Siti Aminah, S.E.", NIP: "197202021995032002"}},
				Officials: []agency.Official{{Name: "Bambang Nugroho", NIP: "198003032005011003", Email: "bambang@purbalinggakab.go.id", NIK: "3303010303800001", Phone: "+62 812-3456"}, {Name: "Wening Astuti", NIP: "198104042006042004"}}},
			{ID: "dinkes", Name: "Dinas Kesehatan", Addresses: []string{"dinkes@purbalinggakab.go.id"}, Head: agency.Official{Name: "dr. Teguh Wibowo", NIP: "196905051998031005"},
				Officials: []agency.Official{{Name: "Ratna Dewi", NIP: "198606062011012006", Email: "ratna@purbalinggakab.go.id"}}},
		}}
}

func s(v string) *string { return &v }

// good is a letter that nothing speaks against.
func good() (letter.Reading, letter.Envelope) {
	return letter.Reading{Kind: letter.ResetRequest,
			Letter: letter.Fields{Number: s("500.12/1/2026"), Date: s("2026-11-19"), Office: s("DINAS PENDIDIKAN DAN KEBUDAYAAN"),
				Signer: &letter.Signer{Name: s("Drs. SLAMET RIYADI, M.Pd."), NIP: s("197001011990031001"), Position: s("Kepala Dinas")}},
			Applicants: []letter.Applicant{{Name: s("Bambang Nugroho, S.T."), NIP: s("198003032005011003"), Email: s("Bambang@purbalinggakab.go.id"), NIK: s("3303010303800001"), Phone: s("08123456")}}},
		letter.Envelope{Channel: "mail", From: "dindik@purbalinggakab.go.id", ReceivedAt: time.Date(2026, 11, 20, 8, 0, 0, 0, wib), Auth: &letter.Authentication{DMARC: "pass"}}
}

var today = time.Date(2026, 11, 20, 8, 5, 0, 0, wib)

func TestAGoodLetterHasNoFindings(t *testing.T) {
	t.Parallel()
	r, env := good()
	if f := letter.Check(r, env, office(), nil, today); len(f) > 0 {
		t.Errorf("%+v", f)
	}
	env = letter.Envelope{Channel: "srikandi"}
	if f := letter.Check(r, env, office(), nil, today); len(f) > 0 {
		t.Errorf("through Srikandi: %+v", f)
	}
}

// The bait list of letters.md, one by one: what changes, and which finding must follow.
func TestBaitIsFound(t *testing.T) {
	t.Parallel()
	past := func(p letter.Past) []letter.Past { p.Request = "PBG-2026-000001"; return []letter.Past{p} }
	for _, c := range []struct {
		code     string
		severity letter.Severity
		change   func(*letter.Reading, *letter.Envelope)
		past     []letter.Past
	}{
		{"sender-outside-domain", letter.Danger, func(_ *letter.Reading, e *letter.Envelope) { e.From = "dindik@purbalinggakab.go.id.evil.example" }, nil},
		{"sender-outside-domain", letter.Danger, func(_ *letter.Reading, e *letter.Envelope) { e.From = "dindik@evilpurbalinggakab.go.id" }, nil},
		{"sender-unauthenticated", letter.Danger, func(_ *letter.Reading, e *letter.Envelope) {
			e.Auth = &letter.Authentication{DMARC: "fail", SPF: "pass"}
		}, nil},
		{"sender-unauthenticated", letter.Danger, func(_ *letter.Reading, e *letter.Envelope) { e.Auth = &letter.Authentication{SPF: "softfail"} }, nil},
		{"sender-unauthenticated", letter.Warning, func(_ *letter.Reading, e *letter.Envelope) { e.Auth = nil }, nil},
		{"sender-unauthenticated", letter.Warning, func(_ *letter.Reading, e *letter.Envelope) { e.Auth = &letter.Authentication{DKIM: "policy"} }, nil},
		{"sender-other-office", letter.Warning, func(_ *letter.Reading, e *letter.Envelope) { e.From = "dinkes@purbalinggakab.go.id" }, nil},
		{"sender-unknown", letter.Info, func(_ *letter.Reading, e *letter.Envelope) { e.From = "siapa@purbalinggakab.go.id" }, nil},
		{"address-differs", letter.Danger, func(r *letter.Reading, _ *letter.Envelope) {
			r.Applicants[0].Email = s("bambang2@purbalinggakab.go.id")
		}, nil},
		{"address-outside-domain", letter.Danger, func(r *letter.Reading, _ *letter.Envelope) { r.Applicants[0].Email = s("bambang@gmail.com") }, nil},
		{"address-unknown", letter.Warning, func(r *letter.Reading, _ *letter.Envelope) {
			r.Applicants[0] = letter.Applicant{Name: s("Wening Astuti"), NIP: s("198104042006042004"), Email: s("wening@purbalinggakab.go.id")}
		}, nil},
		{"applicant-other-office", letter.Danger, func(r *letter.Reading, _ *letter.Envelope) {
			r.Applicants[0] = letter.Applicant{Name: s("Ratna Dewi"), NIP: s("198606062011012006"), Email: s("ratna@purbalinggakab.go.id")}
		}, nil},
		{"signer-not-head", letter.Danger, func(r *letter.Reading, _ *letter.Envelope) {
			r.Letter.Signer = &letter.Signer{Name: s("dr. Teguh Wibowo"), NIP: s("196905051998031005")}
		}, nil},
		{"signer-not-head", letter.Danger, func(r *letter.Reading, _ *letter.Envelope) { r.Letter.Signer.NIP = s("197001011990031009") }, nil},
		{"signer-name-differs", letter.Warning, func(r *letter.Reading, _ *letter.Envelope) { r.Letter.Signer.Name = s("Slamet Riyanto") }, nil},
		{"signer-missing", letter.Warning, func(r *letter.Reading, _ *letter.Envelope) { r.Letter.Signer = nil }, nil},
		{"number-reused", letter.Danger, nil, past(letter.Past{LetterNumber: "500.12 / 1 / 2026", ApplicantNIP: "198606062011012006", At: today.Add(-time.Hour)})},
		{"number-known", letter.Info, nil, past(letter.Past{LetterNumber: "500.12/1/2026", ApplicantNIP: "198003032005011003", At: today.Add(-time.Hour)})},
		{"letter-old", letter.Warning, func(r *letter.Reading, _ *letter.Envelope) { r.Letter.Date = s("2026-08-01") }, nil},
		{"letter-in-future", letter.Warning, func(r *letter.Reading, _ *letter.Envelope) { r.Letter.Date = s("2026-12-01") }, nil},
		{"repeated-reset", letter.Danger, nil, past(letter.Past{ApplicantName: "Bambang Nugroho", At: today.Add(-6 * 24 * time.Hour), Reset: true})},
		{"applicant-is-signer", letter.Warning, func(r *letter.Reading, _ *letter.Envelope) {
			r.Applicants[0] = letter.Applicant{Name: s("Slamet Riyadi"), NIP: s("197001011990031001"), Email: s("slamet@purbalinggakab.go.id")}
		}, nil},
		{"applicant-is-verifier", letter.Danger, func(r *letter.Reading, _ *letter.Envelope) {
			r.Applicants[0] = letter.Applicant{Name: s("RINI WULANDARI"), NIP: s("198501012010012001")}
		}, nil},
		{"applicant-is-staff", letter.Warning, func(r *letter.Reading, _ *letter.Envelope) {
			r.Applicants[0] = letter.Applicant{Name: s("Joko Purwanto")}
		}, nil},
		{"applicant-name-differs", letter.Danger, func(r *letter.Reading, _ *letter.Envelope) { r.Applicants[0].Name = s("Bambang Nugraha") }, nil},
		{"nip-differs", letter.Danger, func(r *letter.Reading, _ *letter.Envelope) { r.Applicants[0].NIP = s("198003032005011999") }, nil},
		{"nik-differs", letter.Danger, func(r *letter.Reading, _ *letter.Envelope) { r.Applicants[0].NIK = s("3303010303800002") }, nil},
		{"phone-differs", letter.Info, func(r *letter.Reading, _ *letter.Envelope) { r.Applicants[0].Phone = s("0899") }, nil},
		{"identity-missing", letter.Warning, func(r *letter.Reading, _ *letter.Envelope) { r.Applicants[0].NIP, r.Applicants[0].NIK = nil, nil }, nil},
	} {
		r, env := good()
		if c.change != nil {
			c.change(&r, &env)
		}
		found := letter.Check(r, env, office(), c.past, today)
		i := slices.IndexFunc(found, func(f letter.Finding) bool { return f.Code == c.code })
		if i < 0 {
			t.Errorf("no %s in %+v", c.code, found)
			continue
		}
		if found[i].Severity != c.severity {
			t.Errorf("%s is %s, want %s", c.code, found[i].Severity, c.severity)
		}
		for _, f := range found {
			if strings.ContainsAny(f.Detail, "\n") || len(f.Detail) < 20 || longNumber(f.Detail) {
				t.Errorf("%s: %q", f.Code, f.Detail)
			}
		}
	}
}

// longNumber: an identity number in a sentence that is shown and mailed.
func longNumber(s string) bool {
	n := 0
	for _, r := range s {
		if r >= '0' && r <= '9' {
			if n++; n > 10 {
				return true
			}
		} else {
			n = 0
		}
	}
	return false
}

func TestWhoActsForTheHeadMaySign(t *testing.T) {
	t.Parallel()
	r, env := good()
	r.Letter.Signer = &letter.Signer{Name: s("Siti Aminah"), NIP: s("197202021995032002"), Position: s("Plt. Kepala Dinas")}
	if f := letter.Check(r, env, office(), nil, today); len(f) > 0 {
		t.Errorf("%+v", f)
	}
}

func TestAnOldResetIsNoRepetition(t *testing.T) {
	t.Parallel()
	r, env := good()
	for _, p := range []letter.Past{
		{ApplicantNIP: "198003032005011003", At: today.Add(-8 * 24 * time.Hour), Reset: true},
		{ApplicantNIP: "198003032005011003", At: today.Add(-time.Hour), Reset: false},
		{ApplicantNIP: "198606062011012006", At: today.Add(-time.Hour), Reset: true},
	} {
		if f := letter.Check(r, env, office(), []letter.Past{p}, today); len(f) > 0 {
			t.Errorf("%+v: %+v", p, f)
		}
	}
}
