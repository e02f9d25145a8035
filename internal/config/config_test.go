package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pulih/internal/agency"
	"pulih/internal/sop"
)

// example is the shipped example in a directory of its own, with a file for each secret that it names.
func example(t testing.TB) (text, path string, env func(string) string) {
	t.Helper()
	data, err := os.ReadFile("../../docs/pulih.example.yaml")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	text = strings.ReplaceAll(string(data), "/run/madiun", dir)
	if err := os.Mkdir(filepath.Join(dir, "secrets"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{
		"imap-token", "secrets/purbalingga-srikandi", "secrets/purbalingga-imap", "secrets/purbalingga-smtp", "secrets/purbalingga-esign",
		"secrets/madiun-esign",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("sesuatu-"+filepath.Base(name)+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return text, filepath.Join(dir, "pulih.yaml"), func(name string) string { return "sesuatu-" + name }
}

func TestTheShippedExampleIsAWholeInstallation(t *testing.T) {
	t.Parallel()
	text, path, env := example(t)
	c, err := Parse([]byte(text), path, env)
	if err != nil {
		t.Fatal(err)
	}
	if got := len(c.Agencies()); got != 2 {
		t.Fatalf("%d agencies, expected 2", got)
	}
	pbg, ok := c.Agency("purbalingga")
	if !ok {
		t.Fatal("purbalingga is missing")
	}
	mdn, _ := c.Tenant("madiun")
	noon := time.Date(2026, 12, 22, 12, 0, 0, 0, pbg.Zone)
	for what, ok := range map[string]bool{
		"number prefix":                 pbg.Prefix == "PBG",
		"address of mails":              pbg.Address == "tte@purbalinggakab.go.id",
		"zone":                          pbg.Zone.String() == "Asia/Jakarta",
		"SOP of its own":                pbg.SOP.Total != nil && mdn.Agency.SOP.Total == nil,
		"shipped calendar":              pbg.Calendar.Covers(2027),
		"NIP without blanks":            pbg.Staff[0].NIP == "196802141993031901",
		"deputy inside the leave":       pbg.Holders(sop.Division, noon)[0].ID == "bagas",
		"deputy on the last day":        pbg.Holders(sop.Division, noon.AddDate(0, 0, 1))[0].ID == "bagas",
		"no deputy the day after":       pbg.Holders(sop.Division, noon.AddDate(0, 0, 2))[0].ID == "laras",
		"mode":                          pbg.Mode == agency.Assisted && mdn.Agency.Mode == agency.AMS,
		"default port by tls":           c.Tenants[0].Inbox.Port == 993 && mdn.Outbox.Port == 465,
		"given port":                    mdn.Inbox.Port == 143,
		"default reminders":             len(pbg.Rules.RemindAt) == 2 && pbg.Rules.RemindAt[0] == 0.6,
		"days as a length of time":      pbg.Rules.MaxLetterAge == 90*24*time.Hour,
		"secret from a file":            c.Tenants[0].Inbox.Password.Reveal() == "sesuatu-purbalingga-imap",
		"secret from the environment":   mdn.Outbox.Password.Reveal() == "sesuatu-PULIH_MADIUN_SMTP",
		"keys below the state":          c.Keys.File == "/var/lib/pulih/keys",
		"no database: the embedded one": c.Database.URL.IsZero(),
		"size":                          c.Tenants[0].Inbox.Limit == 35<<20,
		"schedule in the agency's zone": mdn.Schedules.Pack.Next(noon).Equal(time.Date(2027, 1, 5, 9, 0, 0, 0, pbg.Zone)),
		"schedule by office hours":      mdn.Schedules.DigestHead.Next(noon).Equal(time.Date(2026, 12, 22, 15, 30, 0, 0, pbg.Zone)),
		"window":                        mdn.BSrE.AMS.Windows[1].Open(time.Date(2026, 11, 21, 9, 0, 0, 0, pbg.Zone)),
	} {
		if !ok {
			t.Errorf("wrong: %s", what)
		}
	}
}

func TestAnAgencysOwnHoursClosedDaysAndSOP(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"libur.csv": "date,kind,name\n2026-01-01,national,Tahun Baru Masehi\n",
		"lokal.csv": "date,kind,name,open\n2026-11-18,local,Hari Jadi,\n2026-11-19,local,Gladi,07.30-10.00\n",
		"sop.yaml":  "id: contoh-1\ntitle: Contoh\nsource: Contoh\nsteps:\n  - {id: masuk, title: Surat masuk, actors: [applicant], ends: received}\n  - {id: periksa, title: Periksa, actors: [verifier], ends: approved, norm: 10 menit, clock: working}\n  - {id: ajukan, title: Ajukan, actors: [verifier], ends: reset, norm: 10 menit, clock: working}\n  - {id: selesai, title: Selesai, actors: [applicant], ends: usable}\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	text := strings.NewReplacer("sop: purbalingga", `sop: ./sop.yaml
    closed_days: [libur.csv, lokal.csv]
    hours:
      - {name: biasa, wednesday: "08.00-12.00", thursday: "08.00-12.00, 13.00-15.00", saturday: closed}
      - {name: sibuk, first_day: 2026-11-25, last_day: 2026-11-25, wednesday: "06.00-18.00"}`).Replace(small)
	c, err := Parse([]byte(text), filepath.Join(dir, "pulih.yaml"), smallEnv)
	if err != nil {
		t.Fatal(err)
	}
	a := c.Agencies()[0]
	if a.SOP.ID != "contoh-1" {
		t.Errorf("SOP %q", a.SOP.ID)
	}
	for day, want := range map[int]string{11: "08.00-12.00", 12: "08.00-12.00 13.00-15.00", 13: "", 18: "", 19: "08.00-10.00", 25: "06.00-18.00"} {
		var got []string
		for _, o := range a.Calendar.Hours(time.Date(2026, 11, day, 12, 0, 0, 0, a.Zone)) {
			got = append(got, o.From.Format("15.04")+"-"+o.Until.Format("15.04"))
		}
		if strings.Join(got, " ") != want {
			t.Errorf("2026-11-%02d is open %s, expected %s", day, got, want)
		}
	}
}
