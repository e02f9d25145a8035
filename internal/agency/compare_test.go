package agency

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestInDomainComparesOnLabelBoundaries(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		address, domain string
		want            bool
	}{
		{"tte@purbalinggakab.go.id", "purbalinggakab.go.id", true},
		{"tte@dindikbud.purbalinggakab.go.id", "purbalinggakab.go.id", true},
		{"TTE@PurbalinggaKab.GO.ID.", "purbalinggakab.go.id", true},
		{" tte@purbalinggakab.go.id ", "purbalinggakab.go.id", true},
		{"tte@evilpurbalinggakab.go.id", "purbalinggakab.go.id", false},
		{"tte@purbalinggakab.go.id.evil.example", "purbalinggakab.go.id", false},
		{"tte@go.id", "purbalinggakab.go.id", false},
		{"tte@evil.example@purbalinggakab.go.id", "purbalinggakab.go.id", false},
		{"evil.example <tte@purbalinggakab.go.id", "purbalinggakab.go.id", false},
		{"@purbalinggakab.go.id", "purbalinggakab.go.id", false},
		{"purbalinggakab.go.id", "purbalinggakab.go.id", false},
		{"tte@purbalinggakab.go.id", "", false},
		{"", "", false},
	} {
		if got := InDomain(c.address, c.domain); got != c.want {
			t.Errorf("InDomain(%q, %q) = %v, want %v", c.address, c.domain, got, c.want)
		}
	}
}

func TestSameNameIgnoresTitlesAndPunctuation(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{"Drs. H. Slamet Riyadi, M.Si.", "SLAMET RIYADI", true},
		{"Slamet Riyadi, S.Pd", "Slamet  Riyadi S.Pd., M.Pd.", true},
		{"dr.Hj.Siti Aminah", "Siti Aminah, Sp.A", true},
		{"Muh. Ali Wardana", "Mohammad Ali Wardana", true},
		{"Nur-Hayati Dewi", "Nur Hayati Dewi", true},
		{"Ma'ruf Amin", "Maruf Amin", true},
		{"Bapak Slamet Riyadi", "Slamet Riyadi", true},
		{"Slamet Riyadi", "Slamet Riyanto", false},
		{"Slamet", "Slamet Riyadi", false},
		{"Muhammad Ali", "Ali", false},
		{"", "", false},
		{"H.", "", false},
	} {
		if got := SameName(c.a, c.b); got != c.want {
			t.Errorf("SameName(%q, %q) = %v, want %v (%q, %q)", c.a, c.b, got, c.want, FoldName(c.a), FoldName(c.b))
		}
	}
}

func TestSameNameIsAnEquivalence(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.StringMatching(`[A-Z][a-z]{2,8} [A-Z][a-z]{2,8}`).Draw(t, "name")
		dressed := rapid.SampledFrom([]string{"Drs. ", "Dr. Ir. ", "Hj. ", ""}).Draw(t, "before") + strings.ToUpper(name) + rapid.SampledFrom([]string{", S.Pd.", ", M.Si", ""}).Draw(t, "after")
		if !SameName(name, dressed) || !SameName(dressed, name) || !SameName(name, name) {
			t.Fatalf("%q and %q differ", name, dressed)
		}
		if FoldName(FoldName(name)) != FoldName(name) {
			t.Fatalf("folding %q twice changes it", name)
		}
	})
}

func TestSameNumberIgnoresBlanksAndCase(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{"000.5.6.2/X /2025", "000.5.6.2/x/2025", true},
		{"500.12.11/        /2025", "500.12.11//2025", true},
		{"B/500.12.16.3/573/BPBD-KL/IX/2026", "b / 500.12.16.3 / 573 / bpbd-kl / ix / 2026", true},
		{"500.12.10.1/223/33", "500.12.10.1/223/34", false},
		{"", "", false},
	} {
		if got := SameNumber(c.a, c.b); got != c.want {
			t.Errorf("SameNumber(%q, %q) = %v", c.a, c.b, got)
		}
	}
}

func TestOfficesAreFoundAsLetterheadsWriteThem(t *testing.T) {
	t.Parallel()
	a := &Agency{Offices: []Office{
		{ID: "dindikbud", Name: "Dinas Pendidikan dan Kebudayaan", Aliases: []string{"Dindikbud"}, Addresses: []string{"dindikbud@purbalinggakab.go.id"}, Head: Official{Name: "Drs. Slamet Riyadi", NIP: "197001011990031001"}},
		{ID: "kutasari", Name: "UPT Puskesmas Kutasari", Officials: []Official{{Name: "dr. Siti Aminah", NIP: "198001012005012001", Email: "siti@purbalinggakab.go.id"}, {Name: "Slamet Riyadi, S.E."}}},
	}}
	for name, want := range map[string]string{
		"DINAS PENDIDIKAN DAN KEBUDAYAAN": "dindikbud", "Dinas Pendidikan & Kebudayaan Kabupaten Purbalingga": "dindikbud", "dindikbud": "dindikbud",
		"UPTD PUSKESMAS KUTASARI": "kutasari", "Dinas Kesehatan": "", "": "",
	} {
		o, ok := a.OfficeByName(name)
		if ok != (want != "") || ok && o.ID != want {
			t.Errorf("OfficeByName(%q) = %v, %v; want %q", name, o, ok, want)
		}
	}
	if _, o, ok := a.Official("19800101 200501 2 001", ""); !ok || o.ID != "kutasari" {
		t.Errorf("an official isn't found by a NIP with blanks")
	}
	if _, _, ok := a.Official("", "Slamet Riyadi"); ok {
		t.Errorf("a name that two officials share must not be taken for one of them")
	}
	if o, ok := a.OfficeByAddress("SITI@purbalinggakab.go.id"); !ok || o.ID != "kutasari" {
		t.Errorf("an official's address doesn't lead to the office")
	}
}
