package pdfsig_test

import (
	"bytes"
	"compress/zlib"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"pulih/internal/letter/corpus"
	"pulih/internal/letter/pdfsig"
)

var objectText = regexp.MustCompile(`(?s)(\d+) 0 obj\s*(.*?)\s*endobj`)

// modern writes fpdf's output as newer programs do: dictionaries in an object stream, cross-references as a stream. hybrid leaves a table
// beside it for old readers.
func modern(t *testing.T, old []byte, hybrid bool) []byte {
	t.Helper()
	var out, head, body bytes.Buffer
	out.WriteString("%PDF-1.7\n")
	root := regexp.MustCompile(`/Root (\d+) 0 R`).FindSubmatch(old)
	size, _ := strconv.Atoi(string(regexp.MustCompile(`/Size (\d+)`).FindSubmatch(old)[1]))
	at, within := map[int]int{}, map[int]int{}
	for _, m := range objectText.FindAllSubmatch(old, -1) {
		num, _ := strconv.Atoi(string(m[1]))
		if bytes.Contains(m[2], []byte("stream")) || string(m[1]) == string(root[1]) {
			at[num] = out.Len()
			fmt.Fprintf(&out, "%d 0 obj\n%s\nendobj\n", num, m[2])
			continue
		}
		within[num] = len(within)
		fmt.Fprintf(&head, "%d %d ", num, body.Len())
		body.Write(append(m[2], '\n'))
	}
	pressed := deflate(t, append(head.Bytes(), body.Bytes()...))
	at[size] = out.Len()
	fmt.Fprintf(&out, "%d 0 obj\n<< /Type /ObjStm /N %d /First %d /Filter /FlateDecode /Length %d >>\nstream\n%s\nendstream\nendobj\n", size, len(within), head.Len(), len(pressed), pressed)
	at[size+1] = out.Len()
	var rows bytes.Buffer
	prev := make([]byte, 5)
	for num := range size + 2 {
		row := []byte{0, 0, 0, 0, 0}
		if o, ok := at[num]; ok {
			row = []byte{1, byte(o >> 16), byte(o >> 8), byte(o), 0}
		} else if i, ok := within[num]; ok {
			row = []byte{2, 0, byte(size >> 8), byte(size), byte(i)}
		}
		rows.WriteByte(2) // each byte as its difference from the one above
		for i := range row {
			rows.WriteByte(row[i] - prev[i])
		}
		prev = row
	}
	xref := deflate(t, rows.Bytes())
	stream := out.Len()
	fmt.Fprintf(&out, "%d 0 obj\n<< /Type /XRef /Size %d /W [1 3 1] /Root %s 0 R /Filter /FlateDecode /DecodeParms << /Predictor 12 /Columns 5 >> /Length %d >>\nstream\n%s\nendstream\nendobj\n", size+1, size+2, root[1], len(xref), xref)
	start := stream
	if hybrid {
		start = out.Len()
		fmt.Fprintf(&out, "xref\n0 %d\n", size+2)
		for num := range size + 2 {
			if o, ok := at[num]; ok {
				fmt.Fprintf(&out, "%010d 00000 n \n", o)
			} else {
				out.WriteString("0000000000 65535 f \n")
			}
		}
		fmt.Fprintf(&out, "trailer\n<< /Size %d /Root %s 0 R /XRefStm %d >>\n", size+2, root[1], stream)
	}
	fmt.Fprintf(&out, "startxref\n%d\n%%%%EOF\n", start)
	return out.Bytes()
}

func deflate(t *testing.T, b []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w := zlib.NewWriter(&out)
	_, err := w.Write(b)
	must(t, err)
	must(t, w.Close())
	return out.Bytes()
}

// However a PDF is laid out, its signature is found, and so is a change behind it. Poppler's pdfsig, another program on another library,
// must be of the same opinion about the signature itself.
func TestEachLayoutOfAFileWithASecondOpinion(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	for name, base := range map[string][]byte{
		"table":     plain(),
		"stream":    modern(t, plain(), false),
		"hybrid":    modern(t, plain(), true),
		"encrypted": (&corpus.Doc{}).Para("Kami mohon reset passphrase TTE.").EncryptedPDF(""),
	} {
		b := corpus.NewPDFBuilder(base)
		must(t, b.Sign(f.pki, f.person(t, rsaKey(t, 2048), nil), corpus.SignOptions{}))
		expect(t, pdfsig.Verify(b.Data, f.roots, now), pdfsig.Valid)
		if said := poppler(t, b.Data); !strings.Contains(said, "Signature is Valid.") || !strings.Contains(said, "Total document signed") {
			t.Errorf("%s: poppler says %s", name, said)
		}
		broken := bytes.Clone(b.Data)
		broken[bytes.LastIndex(broken, []byte("/Filter /Adobe"))+9] ^= 1
		expect(t, pdfsig.Verify(broken, f.roots, now), pdfsig.Invalid, pdfsig.DigestDiffers)
		if said := poppler(t, broken); strings.Contains(said, "Signature is Valid.") {
			t.Errorf("%s, changed: poppler says %s", name, said)
		}
		must(t, b.Sign(f.pki, f.signer, corpus.SignOptions{}))
		expect(t, pdfsig.Verify(b.Data, f.roots, now), pdfsig.Valid)
		b.Append(map[int]string{3: "<< /Type /Page /MediaBox [0 0 1 1] >>"})
		expect(t, pdfsig.Verify(b.Data, f.roots, now), pdfsig.Invalid, pdfsig.ChangedAfter)
		if t.Failed() {
			t.Fatalf("layout: %s", name)
		}
	}
}

// poppler is what pdfsig says about the signatures of a file.
func poppler(t *testing.T, pdf []byte) string {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "surat.pdf")
	must(t, os.WriteFile(file, pdf, 0o600))
	cmd := exec.Command("pdfsig", "-nocert", file)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir} // its certificates would lie in the home folder
	out, err := cmd.Output()
	if err != nil {
		t.Logf("pdfsig: %v", err)
	}
	return string(out)
}
