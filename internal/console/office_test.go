package console_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// The directory goes out as a table and comes back changed: what changes is shown first, and what concerns addresses waits for a second person.
func TestDirectoryAsTable(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	w := d.sit("purbalingga", "rini")
	status, table := d.as("purbalingga", "rini").get("/purbalingga/kantor/daftar.csv")
	if status != 200 || !strings.HasPrefix(table, "\uFEFFkode_kantor;kantor;") || !strings.Contains(table, "dr. Fajar Setiadi") {
		t.Fatalf("%d %.300s", status, table)
	}
	if strings.Contains(table, d.world.NIK(fajar)) {
		t.Error("the table holds a NIK")
	}
	var changed []string
	for line := range strings.Lines(table) {
		switch {
		case strings.Contains(line, "dr. Fajar Setiadi"):
			line = strings.Replace(line, "fajar.setiadi@", "fajar.s@", 1)
		case strings.Contains(line, "Wahyu Nugroho"):
			cells := strings.Split(line, ";")
			cells[6] = "=1+1" // a formula is text, here and when it goes out again
			line = strings.Join(cells, ";")
		}
		changed = append(changed, line)
	}
	file := filepath.Join(t.TempDir(), "daftar.csv")
	if err := os.WriteFile(file, []byte(strings.Join(changed, "")), 0o600); err != nil {
		t.Fatal(err)
	}
	w.open("/purbalingga/kantor")
	w.do(chromedp.SetUploadFiles(`#berkas`, []string{file}))
	w.press("Lihat perubahan")
	w.reads("2 perubahan; 1 di antaranya")
	w.reads("fajar.setiadi@purbalinggakab.go.id menjadi fajar.s@purbalinggakab.go.id")
	w.press("Terapkan")
	w.reads("Perubahan yang menunggu orang kedua")
	a, err := d.store.Directory(t.Context(), d.agency("purbalingga"))
	if err != nil {
		t.Fatal(err)
	}
	if f, _, _ := a.Official(fajar, ""); f.Email != "fajar.setiadi@purbalinggakab.go.id" {
		t.Errorf("the address holds before anybody agreed: %q", f.Email)
	}
	if f, _, _ := a.Official(wahyu, ""); f.Position != "=1+1" {
		t.Errorf("the position is %q", f.Position)
	}
	if _, table := d.as("purbalingga", "rini").get("/purbalingga/kantor/daftar.csv"); !strings.Contains(table, "'=1+1") {
		t.Error("a formula goes out as a formula")
	}
	log, err := d.store.AuditLog(t.Context(), "purbalingga", "", 20)
	if err != nil {
		t.Fatal(err)
	}
	actions := ""
	for _, l := range log {
		actions += l.Person + " " + l.Action + "\n"
	}
	for _, want := range []string{"rini mengubah daftar pejabat\n", "rini mengusulkan perubahan daftar pejabat\n", "rini mengunduh daftar pejabat\n"} {
		if !strings.Contains(actions, want) {
			t.Errorf("the log lacks %q:\n%s", want, actions)
		}
	}
}
