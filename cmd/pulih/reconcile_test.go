package main

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pulih/internal/store"
)

// An operator's commands for Srikandi, on an agency whose letters come as files.
func TestSrikandisCommands(t *testing.T) {
	t.Parallel()
	dir, err := os.MkdirTemp("", "rekonsiliasi") // short: a socket lies in it
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	file := ConfigFlag{filepath.Join(dir, "pulih.yaml")}
	letters := filepath.Join(dir, "naskah")
	if err := os.Mkdir(letters, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file.Config, []byte(strings.Replace(quarantineYAML, "folder: .", "folder: naskah", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	expect := func(what string, run func(context.Context, io.Writer) error, parts ...string) {
		t.Helper()
		var out bytes.Buffer
		if err := run(t.Context(), &out); err != nil {
			out.WriteString("error: " + err.Error())
		}
		for _, want := range parts {
			if !strings.Contains(out.String(), want) {
				t.Errorf("%s lacks %q in\n%s", what, want, &out)
			}
		}
	}
	in := func(do func(o *opened, tx *store.Tx) error) {
		t.Helper()
		err := file.with(t.Context(), func(o *opened) error {
			return o.store.InTx(t.Context(), time.Now(), func(tx *store.Tx) error { return do(o, tx) })
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(letters, "surat.json"), []byte(`{"id":"nm-1","hal":"Permohonan"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	compare := (&ReconcileCmd{ConfigFlag: file, Since: "2026-01-01"}).run
	expect("a letter that was never read", compare, "1 naskah di Srikandi; 1 belum ada di pulih", "belum ada", "nm-1", "error: 1 naskah belum terbaca")
	expect("a bad date", (&ReconcileCmd{ConfigFlag: file, Since: "kemarin"}).run, "error:", "tulis seperti 2026-11-20")
	expect("no such agency", (&ReconcileCmd{ConfigFlag: file, Since: "2026-01-01", Agency: "lain"}).run, "error: tidak ada instansi")
	expect("having it fetched", (&ReconcileCmd{ConfigFlag: file, Since: "2026-01-01", Fetch: true}).run, "1 belum ada")
	var first int64
	in(func(o *opened, tx *store.Tx) error {
		due, err := o.store.NaskahDue(t.Context(), "kota-madiun", time.Now(), time.Hour)
		if err != nil || len(due) != 1 || due[0] != "nm-1" {
			t.Errorf("the daemon will ask for %v, %v", due, err)
		}
		now := time.Now().Add(time.Minute)
		for _, id := range []string{"nm-1", "nm-2"} {
			if _, err := tx.SaveNaskah("kota-madiun", []store.Naskah{{ID: id, Raw: []byte(`{"id":"` + id + `"}`), ReceivedAt: now, ChangedAt: now, Settled: true}}); err != nil {
				return err
			}
		}
		return tx.QueryRow(t.Context(), `SELECT id FROM letters WHERE source = 'nm-2'`).Scan(&first)
	})
	expect("one that is no longer there, and one of another state", compare, "0 belum ada di pulih, 1 lebih baru di Srikandi, 1 ada di pulih tetapi tidak lagi di Srikandi", "tidak lagi di Srikandi  nm-2")

	expect("no doubts", (&DoubtsListCmd{file}).run, "Tidak ada surat yang perlu dibandingkan.")
	var doubt int64
	in(func(o *opened, tx *store.Tx) (err error) {
		doubt, err = tx.AskDoubt("kota-madiun", first, []byte("siapa"), "MDN-2026-000001", "Nomor surat sama.")
		return err
	})
	expect("a doubt", (&DoubtsListCmd{file}).run, "MDN-2026-000001", "Nomor surat sama.", "WIB")
	settle := func(by string, id int64) func(context.Context, io.Writer) error {
		return func(ctx context.Context, out io.Writer) error {
			return (&settling{file, by, id}).settle(ctx, store.Apart, out)
		}
	}
	expect("settled by a stranger", settle("siapa", doubt), `error: "siapa" bukan verifikator`)
	expect("settled by who is no verifier", settle("hendra", doubt), `error: "hendra" bukan verifikator`)
	expect("another doubt", settle("ayu", doubt+1), "error: pertanyaan", "tidak ada")
	expect("settled", settle("ayu", doubt), "terpisah dari MDN-2026-000001")
	expect("settled twice", settle("ayu", doubt), "error: pertanyaan", "sudah dijawab oleh ayu")

	retry := (&SourcesRetryCmd{file, "kota-madiun"}).run
	expect("a source that was never read", retry, "error: Srikandi instansi", "belum pernah dibaca")
	in(func(o *opened, _ *store.Tx) error { return o.store.NoteRefusal(t.Context(), "kota-madiun", time.Now()) })
	expect("a refused sign-in", compare, "Srikandi menolak akun instansi")
	expect("letting it sign in again", retry, "mencoba masuk ke Srikandi lagi")
	expect("afterwards", compare, "1 lebih baru di Srikandi")
}
