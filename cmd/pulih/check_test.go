package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pulih/internal/config/accounts"
)

func TestCheckNamesEveryMistakeAndTriesNothing(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "pulih.yaml")
	if err := os.WriteFile(file, []byte("operator: {email: a@pulih.example}\nlisten: '8028'\nagencies: []\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var text, object bytes.Buffer
	err := (&CheckCmd{ConfigFlag{file}, false}).run(t.Context(), &text, time.Now())
	if err == nil || err.Error() != "konfigurasi tidak dapat dipakai: 2 kesalahan" {
		t.Errorf("error: %v", err)
	}
	lines := strings.Split(text.String(), "\n")
	if len(lines) != 4 || lines[0] != "Konfigurasi "+file+": 2 kesalahan." ||
		!strings.HasPrefix(lines[1], file+":2: listen: ") || !strings.HasPrefix(lines[2], file+":3: agencies: ") {
		t.Errorf("printed:\n%s", &text)
	}
	if err := (&CheckCmd{ConfigFlag{file}, true}).run(t.Context(), &object, time.Now()); err == nil {
		t.Error("no error with --json")
	}
	var report checkReport
	if err := json.Unmarshal(object.Bytes(), &report); err != nil {
		t.Fatal(err)
	}
	if report.OK || len(report.Problems) != 2 || report.Problems[0].Line != 2 || report.Problems[0].Key != "listen" || len(report.Findings) != 0 {
		t.Errorf("printed: %s", &object)
	}
}

func TestCheckOfAMissingFileSaysWhich(t *testing.T) {
	t.Parallel()
	err := (&CheckCmd{ConfigFlag{"tidak-ada.yaml"}, false}).run(t.Context(), &bytes.Buffer{}, time.Now())
	if err == nil || err.Error() != "reading the configuration tidak-ada.yaml: no such file or directory" {
		t.Errorf("error: %v", err)
	}
}

// Everything of this installation listens at a port that is closed: the check fails, but says what works.
func TestCheckFailsWhenAConnectionDoes(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "pulih.yaml")
	if err := os.WriteFile(file, []byte(`operator: {email: a@pulih.example}
agencies:
  - key: kota-madiun
    prefix: MDN
    name: Pemerintah Kota Madiun
    unit: Dinkominfo
    phone: 0351-555010
    hours_text: Senin-Jumat
    domains: [madiunkota.go.id]
    sop: madiun
    srikandi: {source: folder, folder: .}
    outbox: {host: 127.0.0.1, port: 9, tls: none, from: tte@madiunkota.go.id}
    staff:
      - {id: hendra, name: Hendra, position: Kadin, email: hendra@madiunkota.go.id, roles: [head, division]}
      - {id: ayu, name: Ayu, position: Verifikator, email: ayu@madiunkota.go.id, roles: [section, verifier]}
    offices:
      - {id: dukcapil, name: Dukcapil, head: {name: Agung, position: Kepala, email: agung@madiunkota.go.id}}
`), 0o600); err != nil {
		t.Fatal(err)
	}
	var text, object bytes.Buffer
	err := (&CheckCmd{ConfigFlag{file}, false}).run(t.Context(), &text, time.Date(2026, 11, 20, 3, 0, 0, 0, time.UTC))
	if err == nil || err.Error() != "1 dari 8 pemeriksaan gagal" {
		t.Errorf("error: %v", err)
	}
	for _, want := range []string{
		"Konfigurasi " + file + ": dapat dipakai, 1 instansi.\n",
		"baik       Basis data: PostgreSQL milik sendiri dapat dijalankan di komputer ini.\n",
		"baik       Srikandi Kota Madiun: folder " + dir + " terbaca.\n",
		"GAGAL      Pengiriman surat Kota Madiun: alamat 127.0.0.1:9 menolak sambungan; periksa outbox.host, outbox.port dan outbox.tls, dan apakah servernya berjalan.\n",
	} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("lacks %q in\n%s", want, &text)
		}
	}
	if err := (&CheckCmd{ConfigFlag{file}, true}).run(t.Context(), &object, time.Now()); err == nil {
		t.Error("no error with --json")
	}
	var report checkReport
	if err := json.Unmarshal(object.Bytes(), &report); err != nil {
		t.Fatal(err)
	}
	if report.OK || len(report.Findings) != 8 || report.Findings[7].State != accounts.Failed || report.Findings[7].Agency != "kota-madiun" {
		t.Errorf("printed: %s", &object)
	}
}
