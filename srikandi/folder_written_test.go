package srikandi_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pulih/srikandi"
)

// write puts a file in place as an editor or a copy does: without a hidden name first.
func write(t *testing.T, dir, name, content string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

// While a letter's file is being written again, or holds what can't be read, the letter is what it was: not gone.
func TestAFileThatIsHalfWrittenTakesNoLetterAway(t *testing.T) {
	t.Parallel()
	const first, second = `{"id":"nm-34","hal":"Reset passphrase"}`, `{"id":"nm-34","hal":"Reset passphrase, ralat"}`
	const list = `[{"id":"nm-7","hal":"tujuh"},` + first + `]`
	for name, c := range map[string]struct {
		was, cut, now string
		restart       bool
	}{
		"cut in the middle":                 {first, first[:25], second, false},
		"nothing written yet":               {first, "", second, false},
		"a list, cut before the letter":     {list, list[:len(list)/2], "[" + second + "]", false},
		"cut, and the daemon starts anew":   {first, first[:25], second, true},
		"empty, and the daemon starts anew": {first, " \n", second, true},
		"a field that can't be read":        {first, `{"id":"nm-34","versi":"entah"}`, second, false},
		"the same, and the daemon starts":   {first, `{"id":"nm-34","versi":"entah"}`, second, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			f, r := openFolder(t, dir, ""), newRegister()
			r.watch = true
			write(t, dir, "surat.json", c.was)
			pollFolder(t, f, r, 0)
			if r.letters["nm-34"].Subject != "Reset passphrase" {
				t.Fatalf("read %q", r.letters["nm-34"].Subject)
			}
			write(t, dir, "surat.json", c.cut)
			if c.restart {
				f = openFolder(t, dir, "")
			}
			for range 3 {
				pollFolder(t, f, r, 0)
			}
			if len(r.gone) > 0 || r.letters["nm-34"].Subject != "Reset passphrase" {
				t.Errorf("gone: %v, letter %q", r.gone, r.letters["nm-34"].Subject)
			}
			if len(r.bad) == 0 {
				t.Error("nobody is told of the file")
			}
			for _, bad := range r.bad {
				if bad.ID == "" && !strings.Contains(bad.Err.Error(), "surat.json") {
					t.Errorf("nobody is told which file: %v", bad.Err)
				}
			}
			write(t, dir, "surat.json", c.now)
			pollFolder(t, f, r, 0)
			if r.letters["nm-34"].Subject != "Reset passphrase, ralat" {
				t.Errorf("then read %q", r.letters["nm-34"].Subject)
			}
			if err := os.Remove(filepath.Join(dir, "surat.json")); err != nil {
				t.Fatal(err)
			}
			pollFolder(t, f, r, 0)
			if !r.gone["nm-34"] {
				t.Error("a letter whose file was taken away isn't gone")
			}
		})
	}
}

// A broken file says nothing of letters that it doesn't name: one that is taken away is gone beside it.
func TestABrokenFileHoldsNoOtherLetter(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	f := openFolder(t, dir, "")
	write(t, dir, "rusak.json", `{"id":"nm-1","hal":`)
	_, err := f.Letter(t.Context(), "nm-2")
	is(t, err, srikandi.ErrGone)
	_, err = f.Letter(t.Context(), "nm-1")
	var temporary *srikandi.Temporary
	if !errors.As(err, &temporary) {
		t.Errorf("error is %v", err)
	}
}

// An attached file that is replaced, or grows while it is copied, is a change of the letter, whatever its JSON tells of it.
func TestAFileThatIsReplacedChangesItsLetter(t *testing.T) {
	t.Parallel()
	const whole = "%PDF surat Staf Uji 03"
	sum := sha256.Sum256([]byte(whole))
	hash := hex.EncodeToString(sum[:])
	for name, l := range map[string]string{
		"nothing told":      `{"id":"l-1","nama":"f3.pdf"}`,
		"the size told":     fmt.Sprintf(`{"id":"l-1","nama":"f3.pdf","ukuran":%d}`, len(whole)),
		"the checksum told": fmt.Sprintf(`{"id":"l-1","nama":"f3.pdf","sha256":%q}`, hash),
		"both told":         fmt.Sprintf(`{"id":"l-1","nama":"f3.pdf","ukuran":%d,"sha256":%q}`, len(whole), strings.ToUpper(hash)),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			f, r := openFolder(t, dir, ""), newRegister()
			poll := func() srikandi.Naskah {
				pollFolder(t, f, r, 0)
				return r.letters["f3"]
			}
			drop(t, dir, map[string]string{"f3.json": `{"id":"f3","updated_at":"2026-11-20T08:00:00+07:00","lampiran":[` + l + `,"rusak"]}`})
			none := poll()
			write(t, dir, "f3.pdf", whole[:8])
			half := poll()
			write(t, dir, "f3.pdf", whole)
			all := poll()
			write(t, dir, "f3.pdf", "%PDF surat Staf Uji 99")
			other := poll()
			for what, pair := range map[string][2]srikandi.Naskah{"it came": {none, half}, "it grew": {half, all}, "it was replaced": {all, other}} {
				if !pair[1].UpdatedAt.After(pair[0].UpdatedAt) || bytes.Equal(pair[0].Raw, pair[1].Raw) {
					t.Errorf("%s: changed at %v, before at %v; as JSON %s, before %s", what, pair[1].UpdatedAt, pair[0].UpdatedAt, pair[1].Raw, pair[0].Raw)
				}
				changes := srikandi.Changes(pair[0], pair[1])
				if told := strings.Contains(l, "sha256") && what == "it came"; len(changes) == 0 && !told || len(changes) > 0 && changes[0].Field != "lampiran" {
					t.Errorf("%s: changes %+v", what, changes)
				}
			}
			var got bytes.Buffer
			err := f.Attachment(t.Context(), "f3", all.Attachments[0], &got, 100)
			is(t, err, srikandi.ErrMismatch)
			write(t, dir, "f3.pdf", whole)
			got.Reset()
			if err := openFolder(t, dir, "").Attachment(t.Context(), "f3", all.Attachments[0], &got, 100); err != nil || got.String() != whole {
				t.Errorf("got %q, %v", got.String(), err)
			}
			if again := poll(); len(srikandi.Changes(all, again)) != 0 {
				t.Errorf("the file is what it was, and the changes are %+v", srikandi.Changes(all, again))
			}
		})
	}
}

// Two letters under one ID: the one whose file changed last counts, and the other doesn't vanish. A copy, or the letter before it was edited,
// is no other letter.
func TestTwoLettersWithOneID(t *testing.T) {
	t.Parallel()
	const staff08 = `{"id":"f8","nomor_naskah":"500/8/2026","hal":"Reset passphrase Staf Uji 08"}`
	for name, c := range map[string]struct {
		second string
		kept   bool
	}{
		"another letter":             {`{"id":"f8","nomor_naskah":"500/9/2026","hal":"Reset passphrase Staf Uji 09"}`, true},
		"another, with a version":    {`{"id":"f8","versi":2,"nomor_naskah":"500/9/2026","hal":"Reset passphrase Staf Uji 09"}`, true},
		"the same without a version": {`{"id":"f8","nomor_naskah":"500/8/2026","hal":"Reset passphrase Staf Uji 09"}`, true},
		"the same after an edit":     {`{"id":"f8","versi":2,"nomor_naskah":"500/8/2026","hal":"Reset passphrase Staf Uji 09"}`, false},
		"the same, passed on":        {staff08[:len(staff08)-1] + `,"disposisi":[{"id":"d-1"}]}`, false},
		"a copy":                     {staff08, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			f := openFolder(t, dir, "")
			drop(t, dir, map[string]string{"f8.json": staff08})
			drop(t, dir, map[string]string{"f8b.json": c.second})
			page, err := f.List(t.Context(), srikandi.Query{})
			if err != nil || len(page.Rows) != 1 || !strings.Contains(c.second, page.Rows[0].Subject) {
				t.Fatalf("rows %+v, %v", page.Rows, err)
			}
			if n, err := f.Letter(t.Context(), "f8"); err != nil || !strings.Contains(c.second, n.Subject) {
				t.Errorf("the letter is %q, %v", n.Subject, err)
			}
			late, err := f.List(t.Context(), srikandi.Query{UpdatedSince: page.Rows[0].UpdatedAt})
			if err != nil || len(late.Bad) != len(page.Bad) {
				t.Errorf("asked from the second file's time on there are %d bad rows, %v", len(late.Bad), err)
			}
			if !c.kept {
				if len(page.Bad) != 0 {
					t.Errorf("bad rows %+v", page.Bad)
				}
				return
			}
			if len(page.Bad) != 1 || page.Bad[0].ID != "" || !strings.Contains(string(page.Bad[0].Raw), "Staf Uji 08") || !strings.Contains(page.Bad[0].Err.Error(), "f8.json") {
				t.Fatalf("bad rows %+v", page.Bad)
			}
			if err := os.Remove(filepath.Join(dir, "f8b.json")); err != nil {
				t.Fatal(err)
			}
			if n, err := f.Letter(t.Context(), "f8"); err != nil || !strings.HasSuffix(n.Subject, "08") {
				t.Errorf("without the second file the letter is %q, %v", n.Subject, err)
			}
		})
	}
}
