package srikandi_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pulih/srikandi"
)

// drop writes files into a folder as a bridge does: under a hidden name first.
func drop(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, content := range files {
		path := filepath.Join(dir, name)
		hidden := filepath.Join(filepath.Dir(path), ".baru")
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(hidden, []byte(content), 0o644), os.Rename(hidden, path)); err != nil {
			t.Fatal(err)
		}
	}
}

func openFolder(t *testing.T, dir, outbox string) *srikandi.Folder {
	t.Helper()
	f, err := srikandi.NewFolder(dir, outbox, wib)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func pollFolder(t *testing.T, f *srikandi.Folder, r *register, limit int) {
	t.Helper()
	_, err := srikandi.Poller{Gateway: f, Sink: r, Limit: limit, Now: time.Now}.Poll(t.Context(), r.cursor)
	if err != nil {
		t.Fatal(err)
	}
}

func TestAFolderIsAGateway(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	drop(t, dir, map[string]string{
		"satu.json":                     example,
		"2026/halaman.json":             `{"data":[{"id":"h-1","hal":"tanpa updated_at"},{"id":"h-2","updated_at":"1999-01-01T00:00:00Z"},"rusak"],"next_cursor":null}`,
		"2026/daftar.JSON":              `[{"id":"l-1"},{"id":"l-2","updated_at":"2026-11-20T08:00:00"}]`,
		"rusak.json":                    `{"id":"setengah","hal":`,
		"bukan-surat.txt":               `{"id":"txt"}`,
		".tersembunyi.json":             `{"id":"hidden"}`,
		".dir/x.json":                   `{"id":"hidden-2"}`,
		"nm-2026-000123/surat.pdf":      "%PDF lain",
		"nm-2026-000123/l-1":            "%PDF isi",
		"2026/dengan-bom.json":          "\ufeff" + `{"id":"bom"}`,
		"2026/h-1/lampiran-tak-dikenal": "x",
	})
	f, r := openFolder(t, dir, ""), newRegister()
	pollFolder(t, f, r, 2)
	var ids []string
	for _, id := range []string{"nm-2026-000123", "h-1", "h-2", "l-1", "l-2", "bom"} {
		if _, ok := r.letters[id]; !ok {
			ids = append(ids, id)
		}
	}
	if len(ids) > 0 || len(r.letters) != 6 {
		t.Errorf("%d letters, missing %v", len(r.letters), ids)
	}
	for id, n := range r.letters {
		if again, err := srikandi.Decode(n.Raw, wib); err != nil || again.ID != id {
			t.Errorf("%s as it is archived can't be read: %v", id, err)
		}
	}
	if len(r.bad) != 2 {
		t.Errorf("%d bad rows, want the broken file and the broken element", len(r.bad))
	}
	n := r.letters["nm-2026-000123"]
	if n.Number == "" || len(n.Dispositions) != 1 {
		t.Errorf("read %q with %d dispositions", n.Number, len(n.Dispositions))
	}
	if raw := string(r.letters["l-2"].Raw); raw != `{"id":"l-2","updated_at":"2026-11-20T08:00:00"}` {
		t.Errorf("a letter with nothing beside it is kept as %s", raw)
	}

	var got bytes.Buffer
	if err := f.Attachment(t.Context(), n.ID, srikandi.Lampiran{ID: "l-1", Name: "surat.pdf"}, &got, 100); err != nil || got.String() != "%PDF isi" {
		t.Errorf("attachment %q, %v", got.String(), err)
	}
	is(t, f.Attachment(t.Context(), n.ID, srikandi.Lampiran{ID: "l-1", Size: 99}, &got, 100), srikandi.ErrMismatch)
	is(t, f.Attachment(t.Context(), n.ID, srikandi.Lampiran{ID: "l-1"}, &got, 3), srikandi.ErrTooLarge)
	is(t, f.Attachment(t.Context(), "nm-9", srikandi.Lampiran{ID: "l-1"}, &got, 3), srikandi.ErrGone)
	_, err := f.Letter(t.Context(), "nm-9")
	is(t, err, srikandi.ErrGone)
	_, err = f.Register(t.Context(), "k", srikandi.NewNaskah{}, nil)
	is(t, err, srikandi.ErrNotOffered)
	_, err = f.FollowUp(t.Context(), n.ID, "k", srikandi.FollowUp{})
	is(t, err, srikandi.ErrNotOffered)
}

func TestAnOldLetterDroppedTodayIsNewToday(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	f, r := openFolder(t, dir, ""), newRegister()
	r.cursor.UpdatedSince = time.Now().Add(-time.Hour)
	drop(t, dir, map[string]string{"lama.json": `{"id":"lama","updated_at":"2020-01-01T00:00:00Z"}`})
	old := time.Now().Add(-1000 * time.Hour)
	if err := os.Chtimes(filepath.Join(dir, "lama.json"), old, old); err != nil {
		t.Fatal(err)
	}
	pollFolder(t, f, r, 0)
	if _, ok := r.letters["lama"]; !ok {
		t.Fatal("an old letter that was copied with its times is never read")
	}
	drop(t, dir, map[string]string{"lama.json": `{"id":"lama","updated_at":"2020-01-01T00:00:00Z","versi":2}`})
	pollFolder(t, f, r, 0)
	if r.letters["lama"].Version != 2 {
		t.Error("a file that was replaced isn't read again")
	}
	if err := os.Remove(filepath.Join(dir, "lama.json")); err != nil {
		t.Fatal(err)
	}
	r.watch = true
	pollFolder(t, f, r, 0)
	if !r.gone["lama"] {
		t.Error("a file taken away is still a letter")
	}
}

// Names come from strangers: none of them leads out of the folder.
func TestNoNameLeadsOutOfTheFolder(t *testing.T) {
	t.Parallel()
	parent := t.TempDir()
	dir := filepath.Join(parent, "surat")
	drop(t, parent, map[string]string{"rahasia": "isi rahasia", "surat/a.json": `{"id":"a"}`})
	if err := os.Symlink(filepath.Join(parent, "rahasia"), filepath.Join(dir, "tautan")); err != nil {
		t.Fatal(err)
	}
	f := openFolder(t, dir, "")
	if _, err := f.Letter(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"../rahasia", "../../rahasia", filepath.Join(parent, "rahasia"), "a/../../rahasia", "tautan", "", ".", "a.json/.."} {
		var got bytes.Buffer
		err := f.Attachment(t.Context(), "a", srikandi.Lampiran{ID: "l", Name: name}, &got, 100)
		var temporary *srikandi.Temporary
		if !errors.As(err, &temporary) || strings.Contains(got.String(), "rahasia") {
			t.Errorf("%q gives %q, %v", name, got.String(), err)
		}
	}
}

func TestFollowUpsInAFolderAreWrittenOnce(t *testing.T) {
	t.Parallel()
	outbox := t.TempDir()
	f := openFolder(t, t.TempDir(), outbox)
	first, err := f.FollowUp(t.Context(), "nm-1", "kunci/../1", srikandi.FollowUp{DispositionID: "d-1", Status: srikandi.StatusDone, Note: "ok"})
	if err != nil || first.Replay {
		t.Fatal(first, err)
	}
	again, err := f.FollowUp(t.Context(), "nm-1", "kunci/../1", srikandi.FollowUp{Status: srikandi.StatusReturned})
	if err != nil || !again.Replay || again.Status != srikandi.StatusDone || again.ID != first.ID {
		t.Errorf("%+v, %v", again, err)
	}
	entries, err := os.ReadDir(outbox)
	if err != nil || len(entries) != 1 {
		t.Fatalf("%d files, %v", len(entries), err)
	}
	var got map[string]any
	data, err := os.ReadFile(filepath.Join(outbox, entries[0].Name()))
	if err := errors.Join(err, json.Unmarshal(data, &got)); err != nil || fmt.Sprintln(got["naskah_id"], got["disposisi_id"], got["status"]) != "nm-1 d-1 selesai\n" {
		t.Errorf("%v, %v", got, err)
	}
}
