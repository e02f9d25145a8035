package console_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"pulih/internal/agency"
	"pulih/internal/console"
	"pulih/internal/demo"
	"pulih/internal/letter"
	"pulih/internal/request"
	"pulih/internal/store"
)

// blurred is a request for Wahyu whose letter has letters among the digits of NIP and NIK; change may make more of its reading.
func (d *desk) blurred(change ...func(*letter.Reading)) (number, misreadNIK string) {
	d.t.Helper()
	nik := d.world.NIK(wahyu)
	misreadNIK = nik[:5] + "l" + nik[6:12] + strings.Replace(nik[12:], "0", "O", 1)
	id, r := d.mail("purbalingga", "dindikbud", wahyu, func(p *demo.Paper, _ *demo.Message) {
		f := p.Applicants[0]
		f.NIP = "1985O42220100l1912"
		p.Applicants, p.NIK = []agency.Official{f}, func(string) string { return misreadNIK }
	})
	for _, f := range change {
		f(&r)
		if err := d.store.InTx(d.t.Context(), d.clock(), func(tx *store.Tx) error { return tx.MarkRead(id, 1, r.Kind, r) }); err != nil {
			d.t.Fatal(err)
		}
	}
	number = d.requestFrom("purbalingga", id, r, wahyu)
	d.atVerifier("purbalingga", number)
	return number, misreadNIK
}

func (w *window) evaluate(script string) string {
	w.d.t.Helper()
	out, err := chromedp.Run(w.ctx, chromedp.Evaluate[string](script))
	if err != nil {
		w.d.t.Fatal(err)
	}
	return out
}

// What OCR took for letters is laid under what pulih reads, and nobody approves before they say that they compared it with the letter.
func TestVerifierComparesWhatWasCorrected(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	number, misreadNIK := d.blurred()
	path, ticked := "/purbalingga/permohonan/"+number, map[string][]string{"periksa": {"letter", "signature", "stamp"}}
	w := d.sit("purbalingga", "rini")
	w.open(path)
	w.reads("Sudah saya cocokkan dengan surat")
	const compared = `[...document.querySelectorAll(".chars")].map((c) => [...c.querySelectorAll("dd")].map((dd) => dd.textContent + " (" + [...dd.querySelectorAll("mark")].map((m) => m.textContent).join("") + ")").join(" / ")).join("; ")`
	if got := w.evaluate(compared); got != "1985O422 20100l 1 912 (Ol) / 19850422 201001 1 912 (01); •••••l •••••• O••• (lO) / •••••1 •••••• 0••• (10)" {
		t.Errorf("the page compares %s", got)
	}
	w.reads("NIP : 1985O422 20100l 1 912")
	html := w.evaluate(`document.documentElement.outerHTML`)
	if strings.Contains(html, misreadNIK) || strings.Contains(html, d.world.NIK(wahyu)) {
		t.Error("the page holds the NIK before the click")
	}
	axe, err := os.ReadFile("testdata/axe.min.js")
	if err != nil {
		t.Fatal(err)
	}
	for _, width := range []int64{390, 1440} {
		w.do(chromedp.EmulateViewport(width, 900))
		w.fits("a correction", width)
		w.inspect(string(axe), "a correction")
		w.keep("koreksi-" + map[int64]string{390: "ponsel", 1440: "lebar"}[width])
	}

	// Whoever leaves the browser's own check out is refused all the same, and told what is missing.
	mark := w.evaluate(`document.querySelector("input[name=lihat]").value`)
	ticked["lihat"] = []string{mark}
	if status, body := d.as("purbalingga", "rini").post(path+"/setujui", ticked); status != 409 || !strings.Contains(body, "Untuk NIP dan NIK pemohon dipakai koreksi pulih") {
		t.Errorf("approved without comparing: %d %s", status, body[max(0, strings.Index(body, "<main")):])
	}
	d.wantStatus(number, request.StatusChecking)
	w.press("Tampilkan NIK")
	w.reads("NIK : " + misreadNIK)
	w.tick("letter", "signature", "stamp", "ya")
	w.press("Setujui")
	w.reads("Disetujui.")
	w.reads("Sudah dicocokkan dengan surat: NIP dan NIK.")
	d.wantStatus(number, request.StatusApproved)
}

// Each character stands under the one that it was read for, however the letter spaces them.
func TestCorrectionsStandUnderEachOther(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ field, read, proposed, upper, lower string }{
		{"nip", "1985O422 20100l 1 912", wahyu, "1985[O]422 20100[l] 1 912", "1985[0]422 20100[1] 1 912"},
		{"nip", "1985-O422.201001 1 9I2", wahyu, "1985[O]422 201001 1 9[I]2", "1985[0]422 201001 1 9[1]2"},
		{"nip", "1 19850422 201001 1 912", wahyu, "[1]19850422 201001 1 912", "[–]19850422 201001 1 912"}, // a colon that was read as a one
		{"nik", "9999O1 220485 0002", "9999012204850002", "9999[O]1 220485 0002", "9999[0]1 220485 0002"},
		{"email", "wahyu nugroho@contoh.go.id", "wahyu_nugroho@contoh.go.id", "wahyu[␣]nugroho@contoh.go.id", "wahyu[_]nugroho@contoh.go.id"},
		{"nip", "", wahyu, "[–––––––– –––––– – –––]", "[19850422 201001 1 912]"},
	} {
		upper, lower := console.Aligned(letter.Correction{Field: "applicants[0]." + c.field, Read: c.read, Proposed: c.proposed, Used: true})
		if c.read == "" { // gaps are the same in both, and nothing else is
			upper, lower = strings.ReplaceAll(upper, "] [", " "), strings.ReplaceAll(lower, "] [", " ")
		}
		if upper != c.upper || lower != c.lower {
			t.Errorf("%q is shown as\n%s\n%s", c.read, upper, lower)
		}
	}
}

// Each field leads to its line in the letter, on the right page of a scan; a line that no text shows is shown by itself.
func TestEachFieldLeadsToItsLine(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	number, _ := d.blurred(func(r *letter.Reading) {
		text := "Nama : Wahyu Nugroho\nLampiran I\fLampiran II\nNama : Wahyu Nugroho\nPassphrase : Rahasia-2026 milik Kepala Bidang\f"
		r.Attachments[0].Text = &text
		r.Evidence = []letter.Evidence{
			{Field: "applicants[0].name", Part: "surat.pdf", Page: 2, Text: "Nama : Wahyu Nugroho", How: "ocr"},
			{Field: "applicants[0].position", Part: "surat.pdf", Page: 2, Text: letter.Mask("Passphrase : Rahasia-2026 milik Kepala Bidang"), How: "ocr"},
			{Field: "applicants[0].nip", Part: "surat.pdf", Page: 2, Text: "19850422 201001 1 912 dalam tabel", How: "ocr"},
			{Field: "applicants[0].email", Part: "mail", Text: "Terlampir surat permohonan.", How: "text"},
		}
	})
	w := d.sit("purbalingga", "rini")
	w.open("/purbalingga/permohonan/" + number)
	w.reads("halaman 2")
	const lead = `[...document.querySelectorAll(".facts a.source:not(.compare a)")].map((a) => {
		const line = document.querySelector(a.hash), before = [...line.parentNode.children].slice(0, [...line.parentNode.children].indexOf(line));
		return a.closest("tr").querySelector("th").innerText + "=" + a.innerText + ">" + before.filter((p) => p.className == "leaf").length + line.innerText.replace(/\s+/g, " ") }).join("|")`
	got := w.evaluate(lead)
	for _, want := range []string{
		"Nama=halaman 2 · hasil pindai>1Nama : Wahyu Nugroho Nama · hasil pindai", "E-mail dinas=isi surel>0Terlampir surat permohonan.",
		"NIP=halaman 2 · hasil pindai>019850422 201001 1 912 dalam tabel NIP · surat.pdf, halaman 2 · hasil pindai", "Jabatan=halaman 2 · hasil pindai>1Passphrase : ",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("the fields lead to %s\nwant %s", got, want)
		}
	}
	if strings.Contains(w.evaluate(`document.documentElement.outerHTML`), "Rahasia-2026") {
		t.Error("the page shows a passphrase")
	}
	// On a phone the line is in another part of the page than the field.
	w.do(chromedp.EmulateViewport(390, 900))
	w.open("/purbalingga/permohonan/" + number + "?sempit")
	seen := w.evaluate(`(() => {
		const shown = () => String(document.querySelector(".sheet-text").offsetParent !== null);
		document.querySelector('.parts a[href="#data"]').click();
		const before = shown();
		document.querySelector(".facts a.source").click();
		return before + " " + shown() + " " + (document.querySelector(".sheet-text :target")?.innerText || "").includes("Wahyu Nugroho");
	})()`)
	if seen != "false true true" {
		t.Errorf("the letter is in sight before and after the click, with its line: %s", seen)
	}
}

// The electronic signatures of a letter are told in one line, and each by itself.
func TestSignaturesAreTold(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	tri, issuer, at := "Tri Handayani, S.Pd., M.M.", "Penerbit Contoh", time.Date(2026, 11, 23, 1, 12, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		s    letter.Signature
		want []string
		not  string
	}{
		"none": {letter.Signature{Status: letter.SignatureNone}, []string{"Tanpa tanda tangan elektronik", "Periksa tanda tangan dan stempel pada lembar asli."}, "rincian"},
		"one": {letter.Signature{Status: letter.SignatureValid, Signer: &tri, Each: []letter.Signed{{File: "surat.pdf", Signer: &tri, Issuer: &issuer, Status: letter.SignatureValid, Time: &at, Whole: true}}},
			[]string{"Tanda tangan elektronik sah Tri Handayani, S.Pd., M.M. Senin, 23 November 2026 pukul 08.12 WIB", "Waktu Senin, 23 November 2026 pukul 08.12 WIB, menurut stempel waktu",
				"Penerbit Penerbit Contoh, menurut sertifikatnya", "Seluruh berkas; tidak ada yang ditambahkan sesudahnya"}, "Catatan"},
		"two and a timestamp": {letter.Signature{Status: letter.SignatureInvalid, Signer: &tri, Each: []letter.Signed{
			{File: "surat.pdf", Signer: &tri, Status: letter.SignatureUntrusted, Codes: []string{"no-trusted-root", "no-timestamp"}},
			{File: "surat.pdf", Status: letter.SignatureInvalid, Codes: []string{"changed-after-signing"}},
			{File: "surat.pdf", Status: letter.SignatureValid, Stamp: true, Time: &at, Whole: true}}},
			[]string{"2 tanda tangan elektronik: 1 tidak sah, 1 penerbit belum dipercaya", "Tri Handayani, S.Pd., M.M. penerbit belum dipercaya Waktu tanpa stempel waktu yang dipercaya Cakupan Sesudahnya hanya ada tanda tangan berikutnya",
				"daftar akar yang dipasang operator. Tanpa stempel waktu;", "Penanda tangan tidak terbaca tidak sah", "Berkas diubah sesudahnya", "Stempel waktu dokumen sah"}, ""},
		"one that nobody could check": {letter.Signature{Status: letter.SignatureIndeterminate}, []string{"Tanda tangan elektronik belum dapat dipastikan"}, "rincian"},
		"read before pulih looked":    {letter.Signature{}, nil, "tanda tangan elektronik"},
	} {
		number, _ := d.blurred(func(r *letter.Reading) { r.Signature, r.Corrections = c.s, nil })
		w := d.sit("purbalingga", "rini")
		w.open("/purbalingga/permohonan/" + number)
		text := w.evaluate(`(document.querySelectorAll("details.signature").forEach((e) => e.open = true), [...document.querySelectorAll(".signature")].map((e) => e.innerText).join(" ").replace(/\s+/g, " "))`)
		for _, want := range c.want {
			if !strings.Contains(text, want) {
				t.Errorf("%s: the page says %q, not %q", name, text, want)
			}
		}
		if c.not != "" && strings.Contains(strings.ToLower(text), strings.ToLower(c.not)) {
			t.Errorf("%s: the page says %q", name, text)
		}
		if strings.Contains(w.text(), "Sudah saya cocokkan") {
			t.Errorf("%s: there is nothing to compare", name)
		}
	}
}
