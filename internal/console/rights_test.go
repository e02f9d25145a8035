package console_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"pulih/internal/console"
	"pulih/internal/store"
)

// matrix is who reaches what: K the head of agency (Kadin), B division (Kabid), S section (Kasi), V verifier, O operator, A auditor. It is
// written by hand, beside the one in rights.go: a route that is missing here, or opens to one role more, fails.
var matrix = map[string]string{
	"GET /{agency}":       "KBSVA",
	"GET /{agency}/kabar": "KBSVOA",

	"GET /{agency}/permohonan/{number}":                   "KBSVA",
	"POST /{agency}/permohonan/{number}/teruskan":         "KBS",
	"POST /{agency}/permohonan/{number}/tugaskan":         "KBSV",
	"POST /{agency}/permohonan/{number}/setujui":          "V",
	"POST /{agency}/permohonan/{number}/pratinjau":        "V",
	"POST /{agency}/permohonan/{number}/kembalikan":       "V",
	"POST /{agency}/permohonan/{number}/tolak":            "V",
	"POST /{agency}/permohonan/{number}/lengkap":          "V",
	"POST /{agency}/permohonan/{number}/terlaksana":       "V",
	"POST /{agency}/permohonan/{number}/tidak-dapat":      "V",
	"POST /{agency}/permohonan/{number}/belum-pasti":      "V",
	"POST /{agency}/permohonan/{number}/dapat-dipakai":    "V",
	"POST /{agency}/permohonan/{number}/buka-kembali":     "V",
	"POST /{agency}/permohonan/{number}/sesuaikan":        "V",
	"POST /{agency}/permohonan/{number}/ams":              "V",
	"POST /{agency}/permohonan/{number}/nik":              "V",
	"POST /{agency}/permohonan/{number}/catatan":          "KBSV",
	"POST /{agency}/permohonan/{number}/betulkan":         "V",
	"POST /{agency}/permohonan/{number}/surat/{id}/pisah": "V",
	"POST /{agency}/permohonan/{number}/alasan":           "KBSV",

	"GET /{agency}/surat":                           "KBSVOA",
	"GET /{agency}/surat/{id}":                      "KBSVOA",
	"POST /{agency}/surat/{id}/permohonan":          "V",
	"POST /{agency}/surat/{id}/sisihkan":            "V",
	"POST /{agency}/surat/{id}/ulang":               "VO",
	"POST /{agency}/surat/{id}/gabung":              "V",
	"GET /{agency}/tertolak/{id}":                   "KBSVA",
	"GET /{agency}/ragu/{id}":                       "KBSVA",
	"POST /{agency}/ragu/{id}":                      "V",
	"POST /{agency}/surat/{id}/lembar":              "KBSVA",
	"GET /{agency}/surat/{id}/lembar/{file}/{page}": "KBSVA",
	"GET /{agency}/surat/{id}/berkas/{file}":        "KBSVA",

	"GET /{agency}/ams":         "V",
	"POST /{agency}/ams":        "V",
	"POST /{agency}/ams/akhiri": "V",

	"GET /{agency}/pengaduan":                 "KBSVA",
	"GET /{agency}/pengaduan/baru":            "KBSV",
	"POST /{agency}/pengaduan":                "KBSV",
	"GET /{agency}/pengaduan/{number}":        "KBSVA",
	"POST /{agency}/pengaduan/{number}/{act}": "KBSV",

	"GET /{agency}/kantor":                   "KBSVOA",
	"GET /{agency}/kantor/daftar.csv":        "KBSVOA",
	"GET /{agency}/kantor/{office}":          "KBSVOA",
	"POST /{agency}/kantor":                  "VO",
	"POST /{agency}/kantor/impor":            "VO",
	"POST /{agency}/usul/{id}":               "VO",
	"POST /{agency}/kantor/{office}":         "VO",
	"POST /{agency}/kantor/{office}/pejabat": "VO",
	"POST /{agency}/kantor/{office}/hapus":   "VO",

	"GET /{agency}/pimpinan":                      "KBSVA",
	"GET /{agency}/pimpinan/lewat.csv":            "KBSVA",
	"GET /{agency}/pimpinan/bahan":                "KBSVA",
	"GET /{agency}/pimpinan/bahan/{month}/{kind}": "KBSVA",

	"GET /{agency}/sistem":                       "KVOA",
	"POST /{agency}/sistem/pekerjaan/{id}/ulang": "O",
	"POST /{agency}/sistem/pekerjaan/{id}/batal": "O",
	"POST /{agency}/sistem/surel/{id}/ulang":     "O",
	"POST /{agency}/sistem/reset":                "KVO",
	"POST /{agency}/sistem/periksa":              "O",
	"POST /{agency}/sesi/{id}/akhiri":            "O",

	"GET /{agency}/akun":                   "KBSVOA",
	"GET /{agency}/akun/masuk":             "KBSVOA",
	"GET /{agency}/akun/kunci":             "KBSVOA",
	"POST /{agency}/akun/kunci/minta":      "KBSVOA",
	"POST /{agency}/akun/kunci/simpan":     "KBSVOA",
	"POST /{agency}/akun/kunci/tanya":      "KBSVOA",
	"POST /{agency}/akun/kunci/tunjukkan":  "KBSVOA",
	"POST /{agency}/akun/kunci/cabut":      "KBSVOA",
	"POST /{agency}/akun/sesi/{id}/akhiri": "KBSVOA",
	"POST /{agency}/kunci/setujui":         "VO",
	"POST /{agency}/kunci/tolak":           "VO",
}

// staff of Purbalingga, one for each letter of the matrix.
var staff = map[string]string{"K": "surya", "B": "laras", "S": "bagas", "V": "rini", "O": "oka", "A": "ayu"}

func TestMatrixNamesEveryRoute(t *testing.T) {
	t.Parallel()
	for _, pattern := range console.Patterns() {
		if _, ok := matrix[pattern]; !ok {
			t.Errorf("%s is not in the matrix", pattern)
		}
	}
	for pattern := range matrix {
		if !slices.Contains(console.Patterns(), pattern) {
			t.Errorf("%s is in the matrix and no route", pattern)
		}
	}
}

// ask sends an empty request to a route and answers the status; redirects aren't followed.
func (p *person) ask(pattern, key string) int {
	method, path, _ := strings.Cut(pattern, " ")
	path = strings.NewReplacer("{agency}", key, "{number}", "PBG-2026-000001", "{id}", "1", "{file}", "0", "{page}", "1", "{office}", "dinkes", "{act}", "catatan", "{month}", "2026-11", "{kind}", "pdf").Replace(path)
	still := *p
	client := *p.client
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	still.client = &client
	var status int
	if method == "GET" {
		status, _ = still.get(path)
	} else {
		status, _ = still.post(path, url.Values{})
	}
	return status
}

func TestAllRolesAgainstAllRoutes(t *testing.T) {
	t.Parallel()
	d := openDesk(t, &desk{t: t, now: monday, stub: true})
	for letter, id := range staff {
		who := d.as("purbalingga", id)
		for pattern, allowed := range matrix {
			want := http.StatusNotFound
			if strings.Contains(allowed, letter) {
				want = http.StatusOK
			}
			if got := who.ask(pattern, "purbalingga"); got != want {
				t.Errorf("%s, %s: %d, want %d", pattern, id, got, want)
			}
		}
	}
}

// A person of another agency finds nothing, whatever their role; neither does a role of the software that no person should have.
func TestOtherAgencyFindsNothing(t *testing.T) {
	t.Parallel()
	d := openDesk(t, &desk{t: t, now: monday, stub: true})
	for _, id := range []string{"hendra", "nurul", "yoga", "citra", "dimas", "oka", "ayu"} {
		who := d.as("madiun", id)
		for pattern := range matrix {
			if got := who.ask(pattern, "purbalingga"); got != http.StatusNotFound {
				t.Errorf("%s of Madiun reaches %s of Purbalingga: %d", id, pattern, got)
			}
		}
	}
}

// Whoever isn't signed in is asked to; a form that they send changes nothing.
func TestStrangersAreAskedToSignIn(t *testing.T) {
	t.Parallel()
	d := openDesk(t, &desk{t: t, now: monday, stub: true})
	who := d.stranger()
	for pattern := range matrix {
		want := http.StatusSeeOther
		if strings.HasPrefix(pattern, "POST") {
			want = http.StatusUnauthorized
		}
		if got := who.ask(pattern, "purbalingga"); got != want {
			t.Errorf("%s: %d, want %d", pattern, got, want)
		}
	}
}

// A verifier who came by mail alone reaches nothing but their own account until the passkey was shown; a head needs none.
func TestApproversNeedPasskey(t *testing.T) {
	t.Parallel()
	d := openDesk(t, &desk{t: t, now: monday, stub: true})
	for id, weak := range map[string]bool{"rini": true, "oka": true, "surya": false, "ayu": false} {
		who := d.visiting("purbalingga", id, store.Visit{})
		for pattern, allowed := range matrix {
			if strings.Contains(pattern, "/akun") || strings.HasSuffix(pattern, "/kabar") || !strings.Contains(allowed, letterOf(id)) {
				continue
			}
			got := who.ask(pattern, "purbalingga")
			if weak && got != http.StatusSeeOther || !weak && got != http.StatusOK {
				t.Errorf("%s without a passkey, %s: %d", id, pattern, got)
			}
		}
	}
}

func letterOf(id string) string {
	for letter, have := range staff {
		if have == id {
			return letter
		}
	}
	return "?"
}

// visiting gives somebody a visit behind the desk's back.
func (d *desk) visiting(key, id string, v store.Visit) *person {
	d.t.Helper()
	v.Agency, v.Person = key, id
	secret := "rahasia-" + key + "-" + id
	if err := d.store.BeginVisit(d.t.Context(), secret, v, d.clock()); err != nil {
		d.t.Fatal(err)
	}
	p := d.stranger()
	at, err := url.Parse(d.url)
	if err != nil {
		d.t.Fatal(err)
	}
	p.client.Jar.SetCookies(at, []*http.Cookie{{Name: "pulih", Value: secret, Path: "/"}})
	return p
}

func TestVisitsEnd(t *testing.T) {
	t.Parallel()
	d := openDesk(t, &desk{t: t, now: monday, stub: true})
	idle, busy := d.visiting("purbalingga", "surya", store.Visit{}), d.visiting("purbalingga", "laras", store.Visit{})
	for range 13 {
		d.pass(55 * time.Minute)
		if d.clock().Sub(monday) < store.VisitMost {
			if got := busy.ask("GET /{agency}", "purbalingga"); got != http.StatusOK {
				t.Fatalf("a visit in use ended after %v: %d", d.clock().Sub(monday), got)
			}
		}
	}
	d.pass(10 * time.Minute)
	if got := busy.ask("GET /{agency}", "purbalingga"); got != http.StatusSeeOther {
		t.Errorf("a visit in use goes on after %v: %d", d.clock().Sub(monday), got)
	}
	if got := idle.ask("GET /{agency}", "purbalingga"); got != http.StatusSeeOther {
		t.Errorf("an idle visit goes on: %d", got)
	}
}
