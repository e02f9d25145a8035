package main

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"pulih/mailflow"
)

const quarantineYAML = `operator: {email: a@pulih.example}
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
`

// What can't be read lies in quarantine with its reason, is shown, and is read again by command. The daemon's part is in the scheduler.
func TestQuarantineIsListedShownAndReadAgain(t *testing.T) {
	t.Parallel()
	dir, err := os.MkdirTemp("", "karantina") // short: a socket lies in it
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	file := ConfigFlag{filepath.Join(dir, "pulih.yaml")}
	if err := os.WriteFile(file.Config, []byte(quarantineYAML), 0o600); err != nil {
		t.Fatal(err)
	}
	said := func(run func(context.Context, io.Writer) error) string {
		t.Helper()
		var out bytes.Buffer
		if err := run(t.Context(), &out); err != nil {
			return "error: " + err.Error()
		}
		return out.String()
	}
	wants := func(what, got string, parts ...string) {
		t.Helper()
		for _, want := range parts {
			if !strings.Contains(got, want) {
				t.Errorf("%s lacks %q in\n%s", what, want, got)
			}
		}
	}
	list := (&QuarantineListCmd{file}).run
	wants("an empty quarantine", said(list), "Karantina kosong.")

	at := time.Date(2026, 11, 20, 1, 30, 0, 0, time.UTC)
	raw := "Subject: Permohonan\r\n\r\nIsi surat.\r\n"
	var id int64
	err = file.with(t.Context(), func(o *opened) error {
		arrivals := []mailflow.Arrival{{UIDValidity: 1, UID: 7, Raw: []byte(raw), Size: 512, InternalDate: at, Problem: "Server tidak memberikan pesan UID 7."}}
		if err := o.store.Inbox(time.Now).Save(t.Context(), "kota-madiun/tte/INBOX", arrivals, mailflow.Cursor{UIDValidity: 1, UID: 7}); err != nil {
			return err
		}
		return o.store.Pool.QueryRow(t.Context(), `SELECT id FROM letters`).Scan(&id)
	})
	if err != nil {
		t.Fatal(err)
	}
	wants("the list", said(list), strconv.FormatInt(id, 10), "kota-madiun", "mail", "2026-11-20 08:30 WIB", "Server tidak memberikan pesan UID 7.")
	wants("the letter", said((&QuarantineShowCmd{file, id, false}).run), "512 bita", "dalam karantina", "Sebab: Server tidak memberikan")
	if got := said((&QuarantineShowCmd{file, id, true}).run); got != raw {
		t.Errorf("its bytes are %q", got)
	}
	wants("another letter", said((&QuarantineShowCmd{file, id + 1, true}).run), "error: tidak ada surat")

	retry := (&QuarantineRetryCmd{file, id}).run
	wants("reading it again", said(retry), "dibaca lagi")
	wants("reading it twice", said(retry), "error: surat", "tidak ada dalam karantina")
	wants("the list afterwards", said(list), "Karantina kosong.")
	wants("the letter afterwards", said((&QuarantineShowCmd{file, id, false}).run), "menunggu dibaca")
	err = file.with(t.Context(), func(o *opened) error {
		var jobs int
		err := o.store.Pool.QueryRow(t.Context(), `SELECT count(*) FROM river_job WHERE kind = 'read_letter' AND (args->>'letter_id')::bigint = $1`, id).Scan(&jobs)
		if err == nil && jobs != 1 {
			t.Errorf("%d jobs read the letter again", jobs)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestMailPreviewRendersEveryMail(t *testing.T) {
	t.Parallel()
	to := filepath.Join(t.TempDir(), "surel")
	var out bytes.Buffer
	if err := (&MailPreviewCmd{To: to}).run(&out); err != nil {
		t.Fatal(err)
	}
	index, err := os.ReadFile(filepath.Join(to, "index.html"))
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range mailflow.NoticeSamples() {
		page, err := os.ReadFile(filepath.Join(to, n.Template+".html"))
		text, err2 := os.ReadFile(filepath.Join(to, n.Template+".txt"))
		if err != nil || err2 != nil || !strings.Contains(string(index), n.Template+".html") {
			t.Errorf("%s: %v, %v", n.Template, err, err2)
		}
		if !bytes.Contains(page, []byte("<!doctype html>")) || !bytes.HasPrefix(text, []byte("Subject: ")) {
			t.Errorf("%s is no mail: %.40q, %.40q", n.Template, page, text)
		}
	}

	// The author of a template learns which one is broken, and sees the others.
	broken := t.TempDir()
	if err := os.WriteFile(filepath.Join(broken, "work.html"), []byte("{{.Tidak.Ada}}"), 0o600); err != nil {
		t.Fatal(err)
	}
	err = (&MailPreviewCmd{To: to, Templates: broken}).run(&out)
	if err == nil || !strings.Contains(err.Error(), "work") {
		t.Errorf("a broken template: %v", err)
	}
}

func TestCheckTellsOfABrokenTemplate(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, text := range map[string]string{"work.html": "{{.Tidak.Ada}}", "reminder.html": "{{define \"subject\"}}Pengingat{{end}}"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	file := filepath.Join(t.TempDir(), "pulih.yaml")
	text := strings.Replace(quarantineYAML, "    sop: madiun", "    templates: "+dir+"\n    sop: madiun", 1)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	_ = (&CheckCmd{ConfigFlag{file}, false}).run(t.Context(), &out, time.Date(2026, 11, 20, 3, 0, 0, 0, time.UTC))
	for line := range strings.Lines(out.String()) {
		if strings.HasPrefix(line, "GAGAL") && strings.Contains(line, "Naskah surel") && strings.Contains(line, "template work: ") && strings.Contains(line, "template reminder: ") {
			return
		}
	}
	t.Errorf("printed:\n%s", &out)
}
