package letter_test

import (
	"bytes"
	"compress/zlib"
	"errors"
	"fmt"
	"image"
	"image/png"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"pulih/internal/letter"
	"pulih/internal/letter/corpus"
)

// hostile are files that are built to hang, exhaust or deceive a reader. Each must be answered with a finding, within the limits.
var hostile = []struct {
	name string
	code string // a finding that must be there; empty means only that the reading ends
	data func(t testing.TB) []byte
}{
	{"bom.pdf", "", func(t testing.TB) []byte { return pdfWithStream(t, bytes.Repeat([]byte("(halo) Tj "), 30_000_000/10)) }},
	{"teksbom.pdf", "", func(t testing.TB) []byte {
		return pdfWithStream(t, []byte("BT /F1 9 Tf "+strings.Repeat("1 0 0 1 10 10 Tm (aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa) Tj ", 2_000_000)+"ET"))
	}},
	{"lingkaran.pdf", "file-broken", func(testing.TB) []byte {
		return []byte("%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[2 0 R 2 0 R]/Count 2>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF")
	}},
	{"xref.pdf", "", func(testing.TB) []byte {
		return []byte("%PDF-1.7\n1 0 obj<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[3 0 R]>>>>endobj\n2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj\n3 0 obj<</FT/Sig/Kids[3 0 R]>>endobj\nxref\n0 1\n0000000000 65535 f \ntrailer<</Root 1 0 R/Prev 161/Size 4>>\nstartxref\n161\n%%EOF")
	}},
	{"halaman.pdf", "pages-left-out", manyPages},
	{"bukan.pdf", "file-broken", func(testing.TB) []byte { return []byte("%PDF-1.7 hanya mengaku") }},
	{"sarang.pdf", "", func(testing.TB) []byte {
		return append([]byte("%PDF-1.7\n1 0 obj"), bytes.Repeat([]byte("[<<"), 3_000_000)...)
	}},
	{"bom.zip", "file-limits", func(t testing.TB) []byte {
		return corpus.Zip(corpus.File{Name: "a.txt", Data: make([]byte, 120<<20)})
	}},
	{"banyak.zip", "file-limits", func(t testing.TB) []byte {
		var files []corpus.File
		for i := range 3000 {
			files = append(files, corpus.File{Name: fmt.Sprint(i, ".txt"), Data: []byte("x")})
		}
		return corpus.Zip(files...)
	}},
	{"sarang.zip", "zip-too-deep", func(testing.TB) []byte {
		data := corpus.Zip(corpus.File{Name: "isi.txt", Data: []byte("isi")})
		for range 8 {
			data = corpus.Zip(corpus.File{Name: "lapis.zip", Data: data})
		}
		return data
	}},
	{"jalan.zip", "", func(testing.TB) []byte {
		return corpus.Zip(corpus.File{Name: "../../../../etc/cron.d/jahat", Data: []byte("* * * * * root true")})
	}},
	{"terkunci.zip", "file-encrypted", func(t testing.TB) []byte {
		data := corpus.Zip(corpus.File{Name: "surat.txt", Data: []byte("Permohonan reset passphrase")})
		data[6] |= 1 // the encryption flag, in the local header and in the directory
		i := bytes.Index(data, []byte("PK\x01\x02"))
		data[i+8] |= 1
		return data
	}},
	{"xxe.docx", "file-entities", func(testing.TB) []byte {
		return corpus.Zip(corpus.File{Name: "word/document.xml", Data: []byte(`<?xml version="1.0"?><!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/passwd">]><w:document xmlns:w="w"><w:body><w:p><w:r><w:t>&x;</w:t></w:r></w:p></w:body></w:document>`)})
	}},
	{"miliar.docx", "file-entities", func(testing.TB) []byte {
		return corpus.Zip(corpus.File{Name: "word/document.xml", Data: []byte(`<!DOCTYPE d [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><w:document><w:t>&b;</w:t></w:document>`)})
	}},
	{"makro.docx", "file-macro", func(testing.TB) []byte {
		return corpus.Zip(corpus.File{Name: "word/document.xml", Data: []byte(`<w:document xmlns:w="w"><w:body><w:p><w:r><w:t>Kami mohon reset passphrase TTE.</w:t></w:r></w:p></w:body></w:document>`)}, corpus.File{Name: "word/vbaProject.bin", Data: []byte("x")})
	}},
	{"bom.docx", "", func(testing.TB) []byte {
		return corpus.Zip(corpus.File{Name: "word/document.xml", Data: append([]byte(`<w:document xmlns:w="w">`), bytes.Repeat([]byte("<w:p><w:r><w:t>a</w:t></w:r></w:p>"), 4_000_000)...)})
	}},
	{"sarang.docx", "file-broken", func(testing.TB) []byte {
		return corpus.Zip(corpus.File{Name: "word/document.xml", Data: bytes.Repeat([]byte("<w:tbl><w:tr><w:tc>"), 300_000)})
	}},
	{"besar.png", "file-broken", func(t testing.TB) []byte { return hugePNG(30_000, 30_000) }},
	{"derau.png", "", func(t testing.TB) []byte {
		img := image.NewGray(image.Rect(0, 0, 2500, 3500))
		seed := uint32(7)
		for i := range img.Pix {
			seed = seed*1664525 + 1013904223
			img.Pix[i] = byte(seed >> 24)
		}
		var b bytes.Buffer
		if err := png.Encode(&b, img); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}},
	{"dua.pdf", "polyglot", func(testing.TB) []byte {
		return append([]byte("<html><script>alert(1)</script></html>\n"), (&corpus.Doc{}).Para("Kami mohon reset passphrase TTE pejabat kami.").PDF()...)
	}},
	{"gambar.jpg", "type-differs", func(testing.TB) []byte {
		return (&corpus.Doc{}).Para("Kami mohon reset passphrase TTE pejabat kami.").PDF()
	}},
	{"teks.zip", "file-limits", func(testing.TB) []byte {
		var files []corpus.File
		for i := range 15 {
			files = append(files, corpus.File{Name: fmt.Sprint(i, ".txt"), Data: bytes.Repeat([]byte("surat yang panjang\n"), 60_000)})
		}
		return corpus.Zip(files...)
	}},
	{"panjang.txt", "file-degraded", func(testing.TB) []byte {
		return bytes.Repeat([]byte("surat yang panjang\n"), 120_000)
	}},
	{"panjang.html", "file-degraded", func(testing.TB) []byte {
		return append([]byte("<html>"), bytes.Repeat([]byte("<table><tr><td>"), 400_000)...)
	}},
	{"rentetan.pdf", "file-broken", func(testing.TB) []byte { // a page's object that is a nest of errors: the tool complains by the gigabyte
		return append([]byte("%PDF-1.7\n/ByteRange "), bytes.Repeat([]byte("xref\n0 0\ntrailer<</Root 1 0 R/Prev 20>>\n"), 100)...)
	}},
	{"program.exe", "file-dangerous", func(testing.TB) []byte { return []byte("MZ\x90\x00\x03\x00\x00\x00\x04\x00") }},
	{"kosong.pdf", "file-empty", func(testing.TB) []byte { return nil }},
}

func TestHostileFilesEndWithinTheirLimits(t *testing.T) {
	reader := letter.NewReader(letter.Options{MaxTime: 4 * time.Second}) // less than in service, to keep the test short
	for _, h := range hostile {
		t.Run(h.name, func(t *testing.T) {
			data := h.data(t)
			began := time.Now()
			r := reader.Read(t.Context(), letter.Input{Files: []letter.File{{Name: h.name, Data: data}}})
			t.Logf("%d bytes, %v, %s", len(data), time.Since(began).Round(time.Millisecond), codes(r))
			if h.code != "" && !hasCode(r.Findings, h.code) {
				t.Errorf("no finding %q: %s", h.code, codes(r))
			}
			if h.code != "" && strings.HasPrefix(h.code, "file-") && h.code != "file-macro" && r.Kind == letter.ResetRequest {
				t.Errorf("kind %s", r.Kind)
			}
			for _, a := range r.Attachments {
				if strings.ContainsAny(a.Name, `/\`) {
					t.Errorf("a path became a name: %q", a.Name)
				}
				if a.Text != nil && strings.Contains(*a.Text, "root:") {
					t.Errorf("a file of this machine was read")
				}
			}
		})
	}
}

// BenchmarkHostile tells what the worst of these files cost with the limits of the service. `make bench-letters` runs it.
func BenchmarkHostile(b *testing.B) {
	reader := letter.NewReader(letter.Options{})
	for range b.N {
		var slowest time.Duration
		for _, h := range hostile {
			in := letter.Input{Files: []letter.File{{Name: h.name, Data: h.data(b)}}}
			forgetPeak(b)
			began := time.Now()
			reader.Read(b.Context(), in)
			took := time.Since(began)
			b.Logf("%-14s %5.2f s", h.name, took.Seconds())
			slowest = max(slowest, took)
		}
		var children syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_CHILDREN, &children); err != nil {
			b.Fatal(err)
		}
		figure("hostile_slowest", slowest.Seconds(), "s", 10)
		figure("hostile_largest_child", float64(children.Maxrss)/1024, "MiB", 300)
	}
}

// forgetPeak sets this process's peak of memory back to what it holds (proc(5), clear_refs): a child counts as its own what its parent held.
func forgetPeak(tb testing.TB) {
	tb.Helper()
	debug.FreeOSMemory()
	if err := os.WriteFile("/proc/self/clear_refs", []byte("5"), 0); err != nil {
		tb.Fatal(err)
	}
}

func figure(name string, value float64, unit string, most float64) {
	verdict := "ok"
	if value > most {
		verdict = "short"
	}
	fmt.Printf("figure %s %.2f %s goal <= %.0f %s\n", name, value, unit, most, verdict)
}

func codes(r letter.Reading) string {
	var out []string
	for _, f := range r.Findings {
		out = append(out, f.Code)
	}
	return string(r.Kind) + " " + strings.Join(out, " ")
}

func pdfWithStream(t testing.TB, content []byte) []byte {
	t.Helper()
	var z bytes.Buffer
	w := zlib.NewWriter(&z)
	if _, err := w.Write(content); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return fmt.Appendf(nil, "%%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 800]/Resources<</Font<</F1<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>>>/Contents 4 0 R>>endobj\n4 0 obj<</Length %d/Filter/FlateDecode>>stream\n%s\nendstream endobj\ntrailer<</Root 1 0 R>>\n%%%%EOF", z.Len(), z.Bytes())
}

func manyPages(testing.TB) []byte {
	var b bytes.Buffer
	b.WriteString("%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Count 10000/Kids[")
	for i := range 10_000 {
		fmt.Fprintf(&b, "%d 0 R ", i+4)
	}
	b.WriteString("]>>endobj\n3 0 obj<</Length 96>>stream\nBT /F1 12 Tf 50 700 Td (Surat ini sangat panjang sekali dan tidak pernah selesai ditulis) Tj ET \nendstream endobj\n")
	for i := range 10_000 {
		fmt.Fprintf(&b, "%d 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 800]/Contents 3 0 R/Resources<</Font<</F1<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>>>>>endobj\n", i+4)
	}
	b.WriteString("trailer<</Root 1 0 R>>\n%%EOF")
	return b.Bytes()
}

// hugePNG claims many pixels in few bytes.
func hugePNG(w, h int) []byte {
	var b bytes.Buffer
	_ = png.Encode(&b, image.NewGray(image.Rect(0, 0, 1, 1)))
	data := b.Bytes()
	for i := range 4 {
		data[16+i], data[20+i] = byte(w>>(24-8*i)), byte(h>>(24-8*i))
	}
	return data
}

// A child that spins or hoards is stopped, and has no environment.
func TestChildrenAreLimited(t *testing.T) {
	t.Setenv("PULIH_RAHASIA", "jangan terlihat")
	reader := letter.NewReader(letter.Options{Limits: letter.Limits{Time: 2 * time.Second, Memory: 200 << 20}})
	for work, want := range map[string]string{"spin": "waktu", "hoard": "gagal"} {
		_, err := letter.RunChild(t.Context(), reader, work, nil)
		if err == nil {
			t.Errorf("%s ended well", work)
		} else if !strings.Contains(err.Error(), want) && !strings.Contains(err.Error(), "memori") && !strings.Contains(err.Error(), "waktu") {
			t.Errorf("%s: %v", work, err)
		}
	}
	out, err := letter.RunChild(t.Context(), reader, "environment", nil)
	if err != nil || bytes.Contains(out, []byte("RAHASIA")) || !bytes.Contains(out, []byte("PATH=")) {
		t.Errorf("environment %q %v", out, err)
	}
}

// A child whose reader was taken over reaches neither the network nor this process, its files or its own limits; as root, and, by the same
// test run again, as an ordinary user.
func TestChildrenReachNothing(t *testing.T) {
	if letter.ChildIsolation() != letter.IsolationFull {
		t.Fatalf("isolation is %s: this kernel has no seccomp or no Landlock", letter.ChildIsolation())
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	dir := t.TempDir()
	key := filepath.Join(dir, "kunci")
	if err := os.WriteFile(key, []byte("rahasia"), 0o600); err != nil {
		t.Fatal(err)
	}
	secret := byte(7)
	reader := letter.NewReader(letter.Options{})
	for _, try := range [][2]string{
		{"dial", listener.Addr().String()}, {"datagram", "192.0.2.1:9"}, {"read", key}, {"read", "/etc/passwd"}, {"read", fmt.Sprintf("/proc/%d/environ", os.Getpid())},
		{"write", filepath.Join(dir, "baru")}, {"write", key}, {"memory", fmt.Sprint(uintptr(unsafe.Pointer(&secret)))}, {"trace", ""}, {"signal", ""}, {"unlimit", ""},
	} {
		out, err := letter.RunChild(t.Context(), reader, try[0], []byte(try[1]))
		if err == nil || string(out) == "done" {
			t.Errorf("a child could %s %s", try[0], try[1])
		}
	}
	runtime.KeepAlive(&secret)
	if out, err := letter.RunChild(t.Context(), reader, "read", []byte("/usr/bin/pdftotext")); err != nil || string(out) != "done" {
		t.Errorf("a child can't read a program: %v", err)
	}
	if os.Geteuid() == 0 {
		asUser(t)
	}
}

// asUser runs this test again as nobody, who can neither see this binary's folder nor a namespace of root's.
func asUser(t *testing.T) {
	t.Helper()
	dir, err := os.MkdirTemp("", "pulih-nobody-")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	exe, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	bin := filepath.Join(dir, "letter.test")
	if err := errors.Join(os.WriteFile(bin, exe, 0o600), os.Chmod(bin, 0o755), os.Chmod(dir, 0o777)); err != nil { //nolint:gosec // for nobody
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), bin, "-test.run", "^TestChildrenReachNothing$", "-test.v")
	cmd.Dir, cmd.Env = dir, []string{"PATH=/usr/bin:/bin", "TMPDIR=" + dir}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	if out, err := cmd.CombinedOutput(); err != nil || !bytes.Contains(out, []byte("--- PASS")) {
		t.Errorf("as a user: %v\n%s", err, out)
	}
}

// An image of 200 MB is refused by its size, before any child sees it.
func TestAHugeFileIsRefusedBySize(t *testing.T) {
	t.Parallel()
	reader := letter.NewReader(letter.Options{})
	r := reader.Read(t.Context(), letter.Input{Files: []letter.File{{Name: "foto.jpg", Data: append([]byte("\xff\xd8\xff\xe0"), make([]byte, 200<<20)...)}}})
	if r.Kind != letter.Unclear || !hasCode(r.Findings, "file-too-large") {
		t.Errorf("%s", codes(r))
	}
}

// An encrypted PDF says that it is locked. It is made with a real tool where there is one; Debian's poppler has none, so the test writes
// the dictionary that makes pdftotext ask for a password.
func TestAnEncryptedPDFIsUnclear(t *testing.T) {
	t.Parallel()
	pdf := (&corpus.Doc{}).Para("Kami mohon reset passphrase TTE.").EncryptedPDF("rahasia")
	r := read(t, letter.NewReader(letter.Options{}), "kunci.pdf", pdf)
	if r.Kind != letter.Unclear || !hasCode(r.Findings, "file-encrypted") {
		t.Errorf("%s", codes(r))
	}
}
