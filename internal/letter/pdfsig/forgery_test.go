package pdfsig_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"pulih/internal/letter/corpus"
	"pulih/internal/letter/pdfsig"
)

// What a forger does behind a signature, without its key. None may end as valid; the published attacks have their names.
func TestNothingThatShowsMayFollowASignature(t *testing.T) {
	t.Parallel()
	f, stranger := newFixture(t), newFixture(t)
	visible := "/Rect [0 0 600 800] /AP << /N 70 0 R >>"
	overlay := "<< /Type /XObject /Subtype /Form /BBox [0 0 600 800] /Length 0 >>\nstream\n\nendstream"
	for name, change := range map[string]func(*corpus.PDFBuilder){
		"shadow: content called an object stream": func(b *corpus.PDFBuilder) {
			b.Append(map[int]string{4: "<< /Type /ObjStm /N 0 /First 0 /Length 0 >>\nstream\n\nendstream"})
		},
		"shadow: content called metadata": func(b *corpus.PDFBuilder) {
			b.Append(map[int]string{4: "<< /Type /Metadata /Length 0 >>\nstream\n\nendstream"})
		},
		"shadow: content freed":                 func(b *corpus.PDFBuilder) { b.Free(4) },
		"shadow: an object that was only named": func(b *corpus.PDFBuilder) { b.Append(map[int]string{60: "<< /Length 0 >>\nstream\n\nendstream"}) },
		"shadow: the security store's own page": func(b *corpus.PDFBuilder) { b.Append(map[int]string{61: "<< /Length 0 >>\nstream\n\nendstream"}) },
		"fonts of the form":                     func(b *corpus.PDFBuilder) { b.Extend("", " /DR << /Font << /F 60 0 R >> >>") },
		"fields drawn anew":                     func(b *corpus.PDFBuilder) { b.Extend("", " /NeedAppearances true") },
		"a script":                              func(b *corpus.PDFBuilder) { b.Extend("/OpenAction << /S /JavaScript /JS (app.alert(1)) >>", "") },
		"layers":                                func(b *corpus.PDFBuilder) { b.Extend("/OCProperties << /D << >> /OCGs [] >>", "") },
		"a comment over the page":               func(b *corpus.PDFBuilder) { annotate(b, "/Subtype /FreeText /Contents (X) "+visible, overlay) },
		"a comment that calls itself a field":   func(b *corpus.PDFBuilder) { annotate(b, "/FT /Sig /Subtype /FreeText "+visible, overlay) },
		"sneaky: an empty signature field":      func(b *corpus.PDFBuilder) { annotate(b, "/FT /Sig /Subtype /Widget "+visible, overlay) },
		"sneaky: a field of the first signature": func(b *corpus.PDFBuilder) {
			annotate(b, "/FT /Sig /Subtype /Widget /V "+signatureRef(b)+" "+visible, overlay)
		},
		"a text field": func(b *corpus.PDFBuilder) { annotate(b, "/FT /Tx /V (X) /Subtype /Widget "+visible, overlay) },
		"another catalog": func(b *corpus.PDFBuilder) {
			b.Append(map[int]string{80: "<< /Type /Catalog /Pages 81 0 R >>"})
			i := bytes.LastIndex(b.Data, []byte("/Root "))
			b.Data = append(b.Data[:i:i], append([]byte("/Root 80 0 R %"), b.Data[i:]...)...)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := corpus.NewPDFBuilder(plain()) // prepared by the forger: the page names objects that aren't there yet, or that the store names too
			n, c := b.Root()
			b.Append(map[int]string{3: strings.Replace(object(b, 3), "/Contents 4 0 R", "/Contents [4 0 R 60 0 R 61 0 R]", 1),
				61: "<< /Length 1 >>\nstream\n \nendstream", n: "<<" + c + " /DSS << /Certs [61 0 R] >> >>"})
			must(t, b.Sign(f.pki, f.signer, corpus.SignOptions{}))
			expect(t, pdfsig.Verify(b.Data, f.roots, now), pdfsig.Valid)
			change(b)
			expect(t, pdfsig.Verify(b.Data, f.roots, now), pdfsig.Invalid, pdfsig.ChangedAfter)
			// A timestamp of the forger's own behind it heals nothing.
			must(t, b.StampDocument(stranger.pki, now))
			if r := pdfsig.Verify(b.Data, f.roots, now); r.Status != pdfsig.Invalid {
				t.Errorf("with a timestamp behind it: %s", r.Status)
			}
		})
	}
}

// annotate adds an annotation to the first page, which fpdf writes as object 3.
func annotate(b *corpus.PDFBuilder, entries, appearance string) {
	page := strings.TrimSuffix(object(b, 3), ">>") + "/Annots [71 0 R] >>"
	b.Append(map[int]string{3: page, 70: appearance, 71: "<< /Type /Annot " + entries + " >>"})
}

// object is the newest text of an object.
func object(b *corpus.PDFBuilder, num int) string {
	mark := fmt.Appendf(nil, "\n%d 0 obj", num)
	text := string(b.Data[bytes.LastIndex(b.Data, mark)+len(mark):])
	return strings.TrimSpace(text[:strings.Index(text, "endobj")])
}

// signatureRef names the first signature's dictionary.
func signatureRef(b *corpus.PDFBuilder) string {
	i := bytes.Index(b.Data, []byte("<< /Type /Sig"))
	head := strings.Fields(string(b.Data[i-20 : i]))
	return head[len(head)-3] + " 0 R"
}

// A revision that points past the signed one to an older draft takes the signed words back.
func TestASignedRevisionCannotBeSkipped(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	b := corpus.NewPDFBuilder(plain())
	draft := strings.TrimSpace(string(b.Data[bytes.LastIndex(b.Data, []byte("startxref"))+10 : bytes.LastIndex(b.Data, []byte("%%EOF"))]))
	b.Append(map[int]string{4: "<< /Length 0 >>\nstream\n\nendstream"})
	must(t, b.Sign(f.pki, f.signer, corpus.SignOptions{}))
	expect(t, pdfsig.Verify(b.Data, f.roots, now), pdfsig.Valid)
	signed := string(b.Data[bytes.LastIndex(b.Data, []byte("\nxref\n"))+6 : bytes.LastIndex(b.Data, []byte("trailer"))])
	trailer := string(b.Data[bytes.LastIndex(b.Data, []byte("trailer")):bytes.LastIndex(b.Data, []byte("/Prev"))])
	b.Data = fmt.Appendf(b.Data, "xref\n%s%s/Prev %s >>\nstartxref\n%d\n%%%%EOF\n", signed, trailer, draft, len(b.Data))
	expect(t, pdfsig.Verify(b.Data, f.roots, now), pdfsig.Invalid, pdfsig.ChangedAfter)
}

// Universal signature forgery: readers were made to skip the check by taking away what it needs.
func TestASignatureWithoutItsPartsIsInvalid(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	good := f.signed(t, corpus.SignOptions{}).Data
	at := bytes.LastIndex(good, []byte("/ByteRange"))
	byteRange := string(good[at : at+bytes.IndexByte(good[at:], ']')+1])
	contents := string(good[bytes.LastIndex(good, []byte("/Contents <")):])
	contents = contents[:strings.IndexByte(contents, '>')+1]
	for _, part := range []string{byteRange, contents} {
		key := strings.Fields(part)[0]
		for _, instead := range []string{"", key + " null", key + " 0", key + " (x)", key + " <>", key + " <00>", key + " []", key + " [0 0 0 0]", key + " 999 0 R", key + " [null]"} {
			data := bytes.Replace(good, []byte(part), []byte(instead+strings.Repeat(" ", max(0, len(part)-len(instead)))), 1)
			if r := pdfsig.Verify(data, f.roots, now); r.Status != pdfsig.Invalid {
				t.Errorf("%q instead of the %s: %s", instead, key, r.Status)
			}
		}
	}
}

// The author of a certified file said whether others may sign (DocMDP).
func TestACertificationThatAllowsNothingForbidsLaterSignatures(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	second, err := f.pki.Issue("SITI AMINAH", now.Add(-year), now.Add(year))
	must(t, err)
	for p, want := range map[int]pdfsig.Status{1: pdfsig.Invalid, 2: pdfsig.Valid, 3: pdfsig.Valid} {
		certify := corpus.SignOptions{Entries: fmt.Sprintf("/Reference [<< /Type /SigRef /TransformMethod /DocMDP /TransformParams << /Type /TransformParams /P %d /V /1.2 >> >>]", p)}
		b := f.signed(t, certify)
		must(t, b.StampDocument(f.pki, now)) // PAdES allows these under any permission
		expect(t, pdfsig.Verify(b.Data, f.roots, now), pdfsig.Valid)
		must(t, b.Sign(f.pki, second, corpus.SignOptions{}))
		expect(t, pdfsig.Verify(b.Data, f.roots, now), want)
		filled := f.signed(t, certify)
		annotate(filled, "/Subtype /FreeText /Rect [0 0 600 800]", "null")
		expect(t, pdfsig.Verify(filled.Data, f.roots, now), pdfsig.Invalid, pdfsig.ChangedAfter)
	}
}

// A signature with an appearance on the page, as offices use it, and a second one that fills a prepared field.
func TestVisibleSignaturesStayValid(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	second, err := f.pki.Issue("SITI AMINAH", now.Add(-year), now.Add(year))
	must(t, err)
	b := f.signed(t, corpus.SignOptions{Widget: "/Rect [300 100 500 200] /AP << /N 4 0 R >>"})
	b.AddStore(nil, nil, [][]byte{f.pki.Root.Raw})
	must(t, b.Sign(f.pki, second, corpus.SignOptions{Widget: "/Rect [100 100 200 200] /AP << /N 4 0 R >>"}))
	b.AddStore(nil, nil, [][]byte{f.pki.Root.Raw, second.Cert.Raw}) // the same store, written anew
	must(t, b.StampDocument(f.pki, now))
	r := pdfsig.Verify(b.Data, f.roots, now)
	expect(t, r, pdfsig.Valid)
	if len(r.Signatures) != 3 {
		t.Errorf("%d signatures", len(r.Signatures))
	}
}
