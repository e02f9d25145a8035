package report

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
	_ "time/tzdata"

	"pulih/internal/agency"
	"pulih/internal/request"
	"pulih/internal/sop"
)

// The pack as it is printed: with a hundred requests, with none, and with names that don't fit. `go test ./internal/report -run Look -artifacts
// -outputdir DIR` keeps the pages as pictures.
func TestPackLook(t *testing.T) {
	t.Parallel()
	for name, p := range map[string]Pack{"hundred": sample(t, "madiun", 100, ""), "zero": sample(t, "purbalingga", 0, ""), "purbalingga": sample(t, "purbalingga", 640, ""),
		"long": sample(t, "madiun", 100, "Prof. Dr. Contohwijayakusumaningratdiningratsewandanawatimisalnyahadiningrat, S.Kom., M.M. ")} {
		data, err := p.PDF()
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.ArtifactDir(), name+".pdf")
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		pages := info(t, path)
		if pages < 2 || pages > 4 {
			t.Errorf("%s has %d pages, want two to four", name, pages)
		}
		if out, err := exec.Command("pdftoppm", "-r", "80", "-png", path, strings.TrimSuffix(path, ".pdf")).CombinedOutput(); err != nil {
			t.Fatalf("drawing %s: %v: %s", name, err, out)
		}
		words, err := exec.Command("pdftotext", "-layout", path, "-").Output()
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{"Bahan rapat evaluasi layanan", "November 2026", "Yang perlu dibahas", "Pengaduan menurut golongan", "Dibandingkan bulan sebelumnya"} {
			if !strings.Contains(string(words), want) {
				t.Errorf("%s doesn't say %q", name, want)
			}
		}
		again, err := p.PDF()
		if err != nil || string(again) != string(data) {
			t.Errorf("%s drawn twice differs (%v)", name, err)
		}
	}
}

// taken is how long a step with a norm takes in the sample: now and then longer.
func taken(rng *rand.Rand, norm int32) int32 {
	if rng.IntN(60) == 0 {
		return norm + norm/3
	}
	return int32(float64(norm) * (0.2 + 0.8*rng.Float64()))
}

func info(t *testing.T, path string) (pages int) {
	t.Helper()
	out, err := exec.Command("pdfinfo", path).Output()
	if err != nil {
		t.Fatalf("pdfinfo: %v", err)
	}
	for line := range strings.Lines(string(out)) {
		if rest, ok := strings.CutPrefix(line, "Pages:"); ok {
			fmt.Sscan(rest, &pages)
		}
	}
	return pages
}

// sample is a pack of n requests of November 2026, most of them in time, with names that begin with prefix.
func sample(t testing.TB, which string, n int, prefix string) Pack {
	t.Helper()
	wib := time.FixedZone("WIB", 7*3600)
	p, err := sop.Shipped(which)
	if err != nil {
		t.Fatal(err)
	}
	a := &agency.Agency{Key: which, Prefix: "PBG", Unit: "Dinkominfo Kabupaten Contoh", Name: "Pemerintah Kabupaten Contoh", Zone: wib, SOP: p, Calendar: sop.ShippedCalendar(wib)}
	for i, office := range []string{"Dinas Pendidikan dan Kebudayaan", "Dinas Kesehatan", "Badan Perencanaan Pembangunan, Penelitian dan Pengembangan Daerah", "Inspektorat",
		"Sekretariat DPRD", "Kecamatan Contohsari", "Dinas Pekerjaan Umum dan Penataan Ruang"} {
		a.Offices = append(a.Offices, agency.Office{ID: fmt.Sprint("o", i), Name: prefix + office})
	}
	for i, name := range []string{"Rini Contohwati, S.Kom.", "Galih Misalkan, A.Md.", "Ayu Umpamasari, S.Tr.TP."} {
		a.Staff = append(a.Staff, agency.Person{ID: fmt.Sprint("v", i), Name: prefix + name, Roles: []sop.Role{sop.Verifier}})
	}
	rng := rand.New(rand.NewPCG(1, 2))
	norms := normsOf(p)
	row := func(i int, from time.Time) Row {
		opened := from.Add(time.Duration(rng.IntN(29*24)) * time.Hour)
		r := Row{Number: fmt.Sprintf("PBG-2026-%06d", i+1), OfficeID: fmt.Sprint("o", min(rng.IntN(9), rng.IntN(9))), OpenedAt: opened, ClosedAt: opened.Add(26 * time.Hour),
			Rejected: rng.IntN(20) == 0, Decided: fmt.Sprint("v", min(rng.IntN(3), rng.IntN(4)))}
		r.Used = Used{int32(2500 + rng.IntN(6600))}
		for _, norm := range norms[1:] {
			r.Used = append(r.Used, taken(rng, norm))
		}
		return r
	}
	from, until, err := ParsePeriod("2026-11", wib)
	if err != nil {
		t.Fatal(err)
	}
	var rows, before []Row
	for i := range n {
		rows = append(rows, row(i, from))
		if i%3 > 0 {
			before = append(before, row(i, from.AddDate(0, -1, 0)))
		}
	}
	pack := Pack{Agency: a, From: from, Until: until, Made: time.Date(2026, 12, 3, 9, 0, 0, 0, wib), Now: Sum(append(rows, before...), a, from, until),
		Before: Sum(before, a, from.AddDate(0, -1, 0), from), Resets: map[request.Kind]int{}}
	for _, c := range p.Complaints {
		pack.Complaints = append(pack.Complaints, ClassCount{ID: c.ID, Title: c.Title, Norm: c.Norm, In: n / 25, Open: n / 90, Kept: n / 30, Broken: n / 100})
	}
	for _, r := range rows {
		pack.Rows = append(pack.Rows, PackRow{Row: r, Applicant: prefix + "Endah Contohsari, S.Pd., M.M."})
	}
	reasons := []string{"AMS menolak masuk dari pukul 10.00 sampai 13.00; verifikator lain sedang dinas luar.", "", "Surat didisposisikan sore hari."}
	for i, b := range pack.Now.Breaches {
		pack.Breaches = append(pack.Breaches, PackBreach{Breach: b, Office: prefix + "Dinas Kesehatan", Applicant: prefix + "drg. Tirto Misalkan", Reason: reasons[i%3]})
	}
	if n > 0 {
		pack.Waiting = 4
		pack.Resets = map[request.Kind]int{request.ResetAccepted: n * 8 / 10, request.ResetConfirmed: n / 20, request.ResetRefused: n / 25, request.ResetUncertain: 1}
		pack.Outages = []PackOutage{{Outage: Outage{System: "srikandi", From: from.Add(8*24*time.Hour + 9*time.Hour), Until: from.Add(8*24*time.Hour + 13*time.Hour)}, Broken: 3}}
		pack.Repeats = []Repeat{{Applicant: prefix + "Endah Contohsari, S.Pd., M.M.", Office: prefix + "Dinas Kesehatan", Numbers: []string{"PBG-2026-000003", "PBG-2026-000061", "PBG-2026-000077"}}}
	}
	return pack
}
