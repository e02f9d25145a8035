package console_test

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"pulih/internal/agency"
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

// Offices and officials come and go by the page's forms; addresses outside the agency's domain are refused with words.
func TestOfficesAreKept(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	oka, rini := d.as("purbalingga", "oka"), d.as("purbalingga", "rini")
	now := func() *agency.Agency {
		t.Helper()
		a, err := d.store.Directory(t.Context(), d.agency("purbalingga"))
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	for _, c := range []struct {
		path string
		form url.Values
		want int
		says string
	}{
		{"/purbalingga/kantor", url.Values{"nama": {"Dinas Perikanan"}, "kode": {"Dinas Ikan"}}, 200, "Tersimpan."},
		{"/purbalingga/kantor", url.Values{"nama": {"Dinas Lain"}, "kode": {"dinkes"}}, 409, "sudah dipakai"},
		{"/purbalingga/kantor/dinas-ikan", url.Values{"nama": {"Dinas Perikanan"}, "alamat": {"ikan@purbalinggakab.go.id"}}, 200, "menunggu orang kedua"},
		{"/purbalingga/kantor/dinas-ikan", url.Values{"nama": {"Dinas Perikanan"}, "alamat": {"ikan@purbalinggakab.go.id.jahat.example"}}, 422, "bukan alamat dinas"},
		{"/purbalingga/kantor/dinas-ikan/pejabat", url.Values{"nama": {"Eko Contoh"}, "nip": {"123"}, "tempat": {"official"}}, 422, "seharusnya 18"},
		{"/purbalingga/kantor/dinas-ikan/pejabat", url.Values{"nama": {"Eko Contoh"}, "tempat": {"official"}}, 200, "Tersimpan."},
		{"/purbalingga/kantor/dinas-ikan/pejabat", url.Values{"nama": {"Kepala Contoh"}, "tempat": {"head"}}, 200, "menunggu orang kedua"},
		{"/purbalingga/kantor/tidak-ada/pejabat", url.Values{"nama": {"Siapa"}}, 404, "tidak ada"},
	} {
		if status, body := oka.post(c.path, c.form); status != c.want || !strings.Contains(body, c.says) {
			t.Errorf("%s %v: %d, without %q", c.path, c.form, status, c.says)
		}
	}
	if o, ok := now().Office("dinas-ikan"); !ok || len(o.Addresses) != 0 || o.Head.Name != "" || len(o.Officials) != 1 {
		t.Errorf("before a second person agreed: %+v", o)
	}
	for id := range 6 { // those that wait are settled, the others aren't there to settle
		rini.post(fmt.Sprintf("/purbalingga/usul/%d", id+1), url.Values{"terima": {"ya"}})
	}
	if o, _ := now().Office("dinas-ikan"); len(o.Addresses) != 1 || o.Head.Name != "Kepala Contoh" {
		t.Errorf("after a second person agreed: %+v", o)
	}
	oka.post("/purbalingga/kantor/dinas-ikan/hapus", url.Values{"nama": {"Eko Contoh"}})
	if o, _ := now().Office("dinas-ikan"); len(o.Officials) != 0 {
		t.Errorf("who left is still there: %+v", o.Officials)
	}
	if status, body := oka.post("/purbalingga/kantor/dinas-ikan/hapus", url.Values{"nama": {"Kepala Contoh"}}); status != 409 || !strings.Contains(body, "diganti, bukan dihapus") {
		t.Errorf("removing a head: %d", status)
	}
}
