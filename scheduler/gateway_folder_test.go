package scheduler_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pulih/internal/demo/srikandisim"
	"pulih/internal/request"
)

// folderDesk is a desk whose letters are dropped into a folder, in place: nobody hides them while they are written.
type folderDesk struct {
	*desk
	in string
}

func setUpFolder(t *testing.T, people int) *folderDesk {
	t.Helper()
	in := t.TempDir()
	return &folderDesk{in: in, desk: setUp(t, people, srikandisim.Options{}, func(yaml string) string {
		begin, end := strings.Index(yaml, "      url: "), strings.Index(yaml, "      poll: 1s")
		return yaml[:begin] + "      source: folder\n      folder: " + in + "\n" + yaml[end:]
	})}
}

// drop writes the letter of one official as somebody exports it by hand; told is what it says of its file besides the name.
func (d *folderDesk) drop(name, id string, i int, told string) {
	d.t.Helper()
	l := d.letter(i, fmt.Sprintf("500.12.10/%d/2026", i+1))
	out, err := json.Marshal(map[string]any{
		"id": id, "nomor_naskah": l.Number, "tanggal_naskah": l.Date, "hal": l.Subject, "tanggal_diterima": d.Now(),
		"asal":     map[string]string{"instansi": l.From.Agency, "unit": l.From.Unit, "jabatan": l.From.Position, "nama": l.From.Name, "nip": l.From.NIP},
		"lampiran": []json.RawMessage{json.RawMessage(fmt.Sprintf(`{"id":"1","nama":"%s.pdf","mime":"application/pdf"%s}`, id, told))},
	})
	if err != nil {
		d.t.Fatal(err)
	}
	d.write(name, out)
}

// attach writes the PDF of one official's letter.
func (d *folderDesk) attach(name string, i int) { d.write(name, d.pdf(i)) }

func (d *folderDesk) pdf(i int) []byte {
	return d.letter(i, fmt.Sprintf("500.12.10/%d/2026", i+1)).Files[0].Data
}

func (d *folderDesk) write(name string, content []byte) {
	d.t.Helper()
	if err := os.WriteFile(filepath.Join(d.in, name), content, 0o644); err != nil {
		d.t.Fatal(err)
	}
}

// A PDF that is put beside its letter long after it is read with it, however often it was looked for in vain.
func TestAPDFThatComesLate(t *testing.T) {
	t.Parallel()
	d := setUpFolder(t, 1)
	d.drop("f40.json", "f40", 0, `,"sha256":null`)
	d.serve()
	d.until("seven tries", func() bool {
		return d.count(`SELECT coalesce(max(array_length(errors, 1)), 0) FROM river_job WHERE kind = 'fetch_files'`) >= 7
	})
	d.attach("f40.pdf", 0)
	s := d.request(opened)
	if s.Subject.NIP != official(0).NIP || s.Has("attachment-missing") || s.Has("attachment-differs") {
		t.Errorf("request of %s, findings %+v", s.Subject.Name, s.Findings)
	}
}

// A file that isn't what its letter tells is taken in the end, with a finding, as from a gateway.
func TestAFileBesideItsLetterThatDiffers(t *testing.T) {
	t.Parallel()
	d := setUpFolder(t, 2)
	d.drop("f41.json", "f41", 0, fmt.Sprintf(`,"ukuran":%d,"sha256":%q`, len(d.pdf(0)), strings.Repeat("0", 64)))
	d.attach("f41.pdf", 0)
	d.serve()
	s := d.request(flagged("attachment-differs"))
	if s.Subject.NIP != official(0).NIP {
		t.Errorf("request of %s", s.Subject.Name)
	}
}

// A PDF that is replaced beside an unchanged JSON is another letter, and the verifiers see that: half of it first, then the whole, then that of
// another applicant.
func TestAPDFThatIsReplaced(t *testing.T) {
	t.Parallel()
	d := setUpFolder(t, 2)
	d.drop("f33.json", "f33", 0, "")
	d.write("f33.pdf", d.pdf(0)[:400])
	d.serve()
	d.until("the half is read", func() bool {
		return d.count(`SELECT count(*) FROM letters WHERE state = 'read' AND read_version = version`) == 1
	})
	if n := len(d.requests()); n != 0 {
		t.Fatalf("half a PDF made %d requests", n)
	}
	d.attach("f33.pdf", 0)
	s := d.request(opened)
	if s.Subject.NIP != official(0).NIP {
		t.Errorf("request of %s", s.Subject.Name)
	}
	d.attach("f33.pdf", 1)
	s = d.request(flagged("letter-changed"))
	changed := d.events(s.Number, request.LetterChanged)
	if len(changed) == 0 || !strings.Contains(changed[len(changed)-1].Text, "Lampiran berubah") {
		t.Errorf("events %+v", changed)
	}
}

// While its file is written anew, a letter is neither gone nor its approval void; the broken file is kept for a human.
func TestALetterThatIsWrittenAnew(t *testing.T) {
	t.Parallel()
	d := setUpFolder(t, 1)
	d.drop("f34.json", "f34", 0, "")
	d.attach("f34.pdf", 0)
	d.serve()
	d.request(opened)
	whole, err := os.ReadFile(filepath.Join(d.in, "f34.json"))
	if err != nil {
		t.Fatal(err)
	}
	d.write("f34.json", whole[:len(whole)/2])
	d.until("it is kept for a human", func() bool { return d.count(`SELECT count(*) FROM rejections`) == 1 })
	d.advance(minutes) // letters of open requests are asked for
	d.done("poll_gateway")
	d.write("f34.json", whole)
	d.done("poll_gateway")
	s := d.request(opened)
	if n := d.count(`SELECT count(*) FROM letters WHERE gone_at IS NOT NULL`) + len(d.events(s.Number, request.LetterGone)); n != 0 {
		t.Error("the letter was taken for gone")
	}
	if n := d.count(`SELECT count(*) FROM outbox WHERE template = 'operator-alarm'`); n != 1 {
		t.Errorf("the operator was told %d times", n)
	}
}

// Of two letters with one id one counts, and the other is kept for a human, who is told once.
func TestTwoLettersOfOneIDInAFolder(t *testing.T) {
	t.Parallel()
	d := setUpFolder(t, 2)
	d.drop("f8.json", "f8", 0, "")
	d.attach("f8.pdf", 1)
	d.drop("f8b.json", "f8", 1, "")
	d.serve()
	s := d.request(opened)
	if s.Subject.NIP != official(1).NIP {
		t.Errorf("request of %s", s.Subject.Name)
	}
	d.done("poll_gateway")
	list, err := d.store.Rejections(t.Context(), d.a.Key)
	if err != nil || len(list) != 1 || !strings.Contains(list[0].What, "f8") {
		t.Fatalf("kept for a human: %+v, %v", list, err)
	}
	raw, err := d.store.RejectedRaw(t.Context(), list[0].ID)
	if err != nil || !strings.Contains(string(raw), "500.12.10/1/2026") {
		t.Errorf("kept: %s, %v", raw, err)
	}
	if n := d.count(`SELECT count(*) FROM outbox WHERE template = 'operator-alarm'`); n != 1 {
		t.Errorf("the operator was told %d times", n)
	}
}
