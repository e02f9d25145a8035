package console_test

import (
	"net/http"
	"strings"
	"testing"
)

// Every page of the desk opens for somebody who may, with its words.
func TestPages(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	number := d.request("purbalingga", "dindikbud", "198504222010011912")
	d.atVerifier("purbalingga", number)
	galih := d.as("purbalingga", "galih")
	for path, want := range map[string]string{
		"/purbalingga":                         "Wahyu Nugroho",
		"/purbalingga/permohonan/" + number:    "Setujui reset",
		"/purbalingga/surat":                   "Surat",
		"/purbalingga/surat/1":                 "surat.pdf",
		"/purbalingga/pengaduan":               "Catat pengaduan",
		"/purbalingga/pengaduan/baru":          "Saluran",
		"/purbalingga/kantor":                  "Dinas Kesehatan",
		"/purbalingga/kantor/dinkes":           "Endah Kusumastuti",
		"/purbalingga/kantor/daftar.csv":       "kode_kantor",
		"/purbalingga/pimpinan":                "150 menit",
		"/purbalingga/sistem":                  "Sumber surat",
		"/purbalingga/akun":                    "Sesi saya",
		"/purbalingga/ams":                     "Kode OTP",
		"/purbalingga/kabar":                   "-",
		"/purbalingga?saring=lewat":            "Tidak ada yang lewat waktu",
		"/purbalingga?cari=Wahyu":              number,
		"/purbalingga?cari=19850422+201001+":   "Tidak ada permohonan yang cocok",
		"/purbalingga?cari=198504222010011912": number,
		"/":                                    "Selamat datang",
	} {
		status, body := galih.get(path)
		if status != http.StatusOK || !strings.Contains(body, want) {
			t.Errorf("%s: %d, without %q:\n%.600s", path, status, want, body)
		}
		if len(body) > 100<<10 {
			t.Errorf("%s has %d bytes, more than 100 KB", path, len(body))
		}
	}
}
