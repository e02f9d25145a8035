package bsre_test

import (
	"slices"
	"strings"
	"testing"

	"pulih/bsre"
)

func TestDifferencesBetweenLetterAndAMS(t *testing.T) {
	t.Parallel()
	same := bsre.Profile{
		Name: "SULASTRI", NIP: "19900405 201504 2 001", NIK: nik, Email: "Sulastri@PurbalinggaKab.go.id",
		Unit: "Dinas Pendidikan dan Kebudayaan Kabupaten Purbalingga", Organization: "Pemerintah Kabupaten Purbalingga",
	}
	want := bsre.Subject{
		Name: "Dra. Sulastri, S.Pd., M.M.", NIP: "199004052015042001", NIK: nik, Email: email,
		Office: "Dinas Pendidikan dan Kebudayaan", OfficeAliases: []string{"Dindikbud"},
	}
	for _, c := range []struct {
		name string
		edit func(*bsre.Profile)
		want []string // field:severity
	}{
		{"the same, written otherwise", func(*bsre.Profile) {}, nil},
		{"blank in AMS", func(p *bsre.Profile) { *p = bsre.Profile{} }, nil},
		{"the office by an alias", func(p *bsre.Profile) { p.Unit = "DINDIKBUD" }, nil},
		{"the office in the other field", func(p *bsre.Profile) { p.Unit, p.Organization = "Sekretariat", want.Office }, nil},
		{"another e-mail", func(p *bsre.Profile) { p.Email = "sulastri@gmail.com" }, []string{"email:danger"}},
		{"another NIP", func(p *bsre.Profile) { p.NIP = "199004052015042002" }, []string{"nip:danger"}},
		{"another NIK", func(p *bsre.Profile) { p.NIK = "3303014504900002" }, []string{"nik:danger"}},
		{"a misspelt name of the same person", func(p *bsre.Profile) { p.Name = "Sulastrie" }, []string{"name:warning"}},
		{"another name, nothing else to go by", func(p *bsre.Profile) { p.Name, p.NIP, p.NIK = "Rahayu", "", "" }, []string{"name:danger"}},
		{"another office", func(p *bsre.Profile) { p.Unit = "Dinas Kesehatan" }, []string{"office:warning"}},
		{"somebody else", func(p *bsre.Profile) {
			*p = bsre.Profile{Name: "Rahayu", NIP: "1", NIK: "2", Email: "x@y.id", Unit: "RSUD"}
		}, []string{"name:danger", "nip:danger", "nik:danger", "email:danger", "office:warning"}},
	} {
		p := same
		c.edit(&p)
		var got []string
		for _, d := range bsre.Compare(bsre.Details{Profile: p}, want) {
			got = append(got, d.Field+":"+string(d.Severity))
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
	if got := bsre.Unrecorded(bsre.Details{Profile: bsre.Profile{Name: "x", Email: "y"}}); !slices.Equal(got, []string{"nip", "nik", "office"}) {
		t.Errorf("unrecorded: %v", got)
	}
	middle := bsre.Compare(bsre.Details{Profile: bsre.Profile{NIK: "3303014504911101"}}, bsre.Subject{NIK: nik})
	if len(middle) != 1 || middle[0].Letter == middle[0].AMS {
		t.Error("two NIKs that differ in the middle look the same on the page")
	}
}

func TestTheGuideNamesWhatToClick(t *testing.T) {
	t.Parallel()
	guide := bsre.Guide{PortalURL: "https://ams.contoh.go.id", Users: "Manajemen Pengguna", Search: "E-mail", Details: "Detail", Reset: "Atur Ulang Passphrase"}
	chosen := until("AA01", bsre.Issue, 9)
	steps := strings.Join(guide.Steps(bsre.Subject{Name: "Sulastri, S.Pd.", Email: email, NIK: nik}, &chosen), "\n")
	for _, want := range []string{"https://ams.contoh.go.id", "Manajemen Pengguna", "Atur Ulang Passphrase", email, "Sulastri, S.Pd.", "AA01", "29 November 2026", "satu kali"} {
		if !strings.Contains(steps, want) {
			t.Errorf("the steps don't say %q", want)
		}
	}
	if strings.Contains(steps, nik) {
		t.Error("the steps hold the NIK")
	}
	unread := strings.Join(guide.Steps(bsre.Subject{Name: "Sulastri", Email: email}, nil), "\n")
	if !strings.Contains(unread, "berstatus ISSUE dengan masa berlaku paling akhir") {
		t.Error("without a look into AMS the steps don't say which certificate")
	}
}
