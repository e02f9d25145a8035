package console_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"pulih/internal/demo"
	"pulih/internal/request"
	"pulih/internal/sop"
	"pulih/internal/store"
	"pulih/mailflow"
)

// chromium is one browser for all tests; each has a window of its own, with cookies of its own.
var chromium = sync.OnceValues(func() (context.Context, error) {
	dir, err := os.MkdirTemp("", "pulih-chromium-")
	if err != nil {
		return nil, err
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.NoSandbox, chromedp.DisableGPU, chromedp.UserDataDir(dir), chromedp.Flag("hide-scrollbars", true))
	allocator, stop := chromedp.NewExecAllocator(context.Background(), options...)
	browser, done := chromedp.NewContext(allocator)
	closeBrowser = func() { done(); stop(); _ = os.RemoveAll(dir) }
	return browser, chromedp.Do(browser, chromedp.Navigate("about:blank"))
})

var closeBrowser = func() {}

// window is a browser window of one person.
type window struct {
	d   *desk
	ctx context.Context
}

func (d *desk) window() *window {
	d.t.Helper()
	browser, err := chromium()
	if err != nil {
		d.t.Fatalf("starting chromium (scripts/setup installs it): %v", err)
	}
	ctx, done := chromedp.NewContext(browser, chromedp.WithNewBrowserContext())
	d.t.Cleanup(done)
	ctx, cancel := context.WithTimeout(ctx, 20*time.Minute)
	d.t.Cleanup(cancel)
	w := &window{d, ctx}
	w.do(chromedp.EmulateViewport(1440, 900))
	return w
}

// sit opens a window in which somebody is signed in.
func (d *desk) sit(key, id string) *window {
	d.t.Helper()
	w := d.window()
	w.open("/demo/" + key + "/" + id)
	return w
}

func (w *window) do(steps ...chromedp.Action[chromedp.Void]) {
	w.d.t.Helper()
	if err := chromedp.Do(w.ctx, steps...); err != nil {
		text, _ := chromedp.Run(w.ctx, chromedp.Evaluate[string](`location.pathname + ": " + (document.querySelector("main")?.innerText || "").slice(0, 600)`))
		w.d.t.Fatalf("%v\nat %s", err, text)
	}
}

func (w *window) open(path string) { w.d.t.Helper(); w.do(chromedp.Navigate(w.d.url + path)) }

// press clicks the button with these words, in the opened part of the page that has it.
func (w *window) press(words string) {
	w.d.t.Helper()
	w.do(chromedp.Click(fmt.Sprintf(`//button[normalize-space(.)=%q]`, words)))
}

// unfold opens an action by its title.
func (w *window) unfold(title string) {
	w.d.t.Helper()
	w.do(chromedp.Click(fmt.Sprintf(`//details[not(@open)]/summary[normalize-space(.)=%q]`, title)))
}

func (w *window) tick(values ...string) {
	w.d.t.Helper()
	for _, v := range values {
		w.do(chromedp.Click(fmt.Sprintf(`details[open] input[value=%q]`, v)))
	}
}

func (w *window) fill(selector, text string) {
	w.d.t.Helper()
	w.do(chromedp.SetValue(selector, text))
}

// reads waits until the page says something. A poll ends with the page that it began on, so the next page gets a new one.
func (w *window) reads(words string) {
	w.d.t.Helper()
	ctx, cancel := context.WithTimeout(w.ctx, 20*time.Second)
	defer cancel()
	quoted, err := json.Marshal(words)
	if err != nil {
		w.d.t.Fatal(err)
	}
	for ctx.Err() == nil {
		found, err := chromedp.Run(ctx, chromedp.Poll[bool](`(document.querySelector("main")?.innerText || "").includes(`+string(quoted)+`)`))
		if err == nil && found {
			return
		}
	}
	w.d.t.Fatalf("the page doesn't say %q:\n%.1500s", words, w.text())
}

func (d *desk) wantStatus(number string, want request.Status) request.State {
	d.t.Helper()
	s := d.state(number)
	if s.Status != want {
		d.t.Fatalf("%s is %s, want %s", number, s.Status, want)
	}
	return s
}

const wahyu, fajar, lestari = "198504222010011912", "198007192009031914", "198301192008012962"

func TestVerifierApproves(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	number := d.request("purbalingga", "dindikbud", wahyu)
	d.atVerifier("purbalingga", number)
	w := d.sit("purbalingga", "rini")
	w.reads(number)
	w.do(chromedp.KeyEvent("j"), chromedp.KeyEvent("\r")) // by keys alone
	w.reads("Setujui reset")
	w.reads("BSrE akan mengirim tautan ke wahyu.nugroho@purbalinggakab.go.id")
	w.tick("letter", "signature", "stamp")
	w.press("Setujui")
	w.reads("Disetujui.")
	s := d.wantStatus(number, request.StatusApproved)
	if s.Approval.By.ID != "rini" || s.Approval.By.Via != "console" || s.Approval.Subject.NIP != wahyu {
		t.Errorf("approved by %+v", s.Approval.By)
	}
	w.do(chromedp.Click(`//a[normalize-space(.)="Sambungkan sesi AMS"]`))
	w.reads("Kode OTP")
	w.press("Sambungkan")
	w.reads("Sesi AMS tersambung")
	if holders, err := d.store.SessionHolders(t.Context(), "purbalingga", d.clock()); err != nil || len(holders) != 1 || holders[0] != "rini" {
		t.Errorf("sessions of %v, %v", holders, err)
	}
	w.open("/purbalingga/permohonan/" + number)
	w.press("Bandingkan dengan AMS")
	w.do(chromedp.WaitVisible(`.facts thead th:nth-child(4)`))
	if heads, err := chromedp.Run(w.ctx, chromedp.Evaluate[[]string](`[...document.querySelectorAll(".facts thead th")].map((h) => h.innerText.trim())`)); err != nil || strings.Join(heads, ",") != "Data,Surat,Daftar pejabat,AMS" {
		t.Errorf("the facts have the columns %q, %v", heads, err)
	}
	w.press("Akhiri sesi")
	w.reads("Sesi AMS diakhiri")
}

func TestVerifierReturnsAndOfficeCompletes(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	number := d.request("purbalingga", "dindikbud", wahyu)
	d.atVerifier("purbalingga", number)
	w := d.sit("purbalingga", "rini")
	w.open("/purbalingga/permohonan/" + number)
	w.unfold("Kembalikan untuk dilengkapi")
	w.do(chromedp.Click(`input[name=kurang][value=stamp]`), chromedp.Click(`input[name=kurang][value=nip]`))
	w.fill("#lainnya", "Halaman kedua surat")
	w.press("Lihat surelnya dahulu")
	w.reads("dindikbud@purbalinggakab.go.id")
	w.reads("Dibubuhi stempel OPD")
	d.wantStatus(number, request.StatusChecking) // nothing has happened yet
	w.press("Kembalikan dan kirim")
	w.reads("Dikembalikan.")
	s := d.wantStatus(number, request.StatusReturned)
	if want := []string{"Dibubuhi stempel OPD", "NIP pemohon yang lengkap (18 angka)", "Halaman kedua surat"}; strings.Join(s.Missing, "|") != strings.Join(want, "|") {
		t.Errorf("asked for %q", s.Missing)
	}
	w.press("Nyatakan lengkap")
	w.reads("Kelengkapan dinyatakan diterima")
	d.wantStatus(number, request.StatusChecking)
}

func TestVerifierRejectsAndReopens(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	number := d.request("purbalingga", "dindikbud", wahyu)
	d.atVerifier("purbalingga", number)
	w := d.sit("purbalingga", "rini")
	w.open("/purbalingga/permohonan/" + number)
	w.unfold("Tolak")
	w.fill("#alasan-tolak", "Surat tidak berasal dari kantor.")
	w.press("Tolak permohonan")
	w.reads("Ditolak. Kantor dan pemohon diberi tahu.")
	d.wantStatus(number, request.StatusRejected)
	w.unfold("Buka kembali")
	w.fill("#alasan-buka", "Kantor menjelaskan.")
	w.press("Buka kembali")
	w.reads("Permohonan dibuka kembali.")
	d.wantStatus(number, request.StatusChecking)
}

// Assisted mode: the verifier makes the reset in AMS and says what became of it.
func TestAssistedMode(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]struct {
		act  func(w *window)
		want request.Status
	}{
		"made": {func(w *window) { w.press("Reset sudah terlaksana"); w.reads("Reset dinyatakan terlaksana") }, request.StatusLink},
		"not made": {func(w *window) {
			w.fill("#alasan-gagal", "Akun pemohon tidak ditemukan.")
			w.press("Tidak dapat dilakukan")
			w.reads("kembali ke pemeriksaan")
		}, request.StatusRefused},
		"unsure": {func(w *window) { w.press("Belum pasti"); w.reads("belum pasti") }, request.StatusUncertain},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t)
			number := d.request("madiun", "bkpsdm", lestari)
			d.atVerifier("madiun", number)
			w := d.sit("madiun", "citra")
			w.open("/madiun/permohonan/" + number)
			w.tick("letter", "identity", "email")
			w.press("Setujui")
			w.reads("Manajemen Pengguna")
			end.act(w)
			d.wantStatus(number, end.want)
		})
	}
}

// After an uncertain call nothing is made again by itself: the verifier says why it may.
func TestUncertainIsBookedAgainWithAReason(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	number := d.request("madiun", "bkpsdm", lestari)
	d.atVerifier("madiun", number)
	by := request.Actor{Role: sop.Verifier, ID: "citra", Name: "Citra", Via: "console"}
	_, err := d.store.Act(t.Context(), d.agency("madiun"), number, d.clock(), request.Approve{By: by, Subject: d.state(number).Subject}, request.Unsure{By: by})
	if err != nil {
		t.Fatal(err)
	}
	w := d.sit("madiun", "citra")
	w.open("/madiun/permohonan/" + number)
	w.unfold("Ajukan sekali lagi")
	w.fill("#mengapa", "Di AMS tidak tampak pengiriman tautan.")
	w.tick("letter", "identity", "email")
	w.press("Ajukan lagi")
	w.reads("Disetujui.")
	if s := d.wantStatus(number, request.StatusApproved); s.Approvals != 2 {
		t.Errorf("%d approvals", s.Approvals)
	}
}

func TestHeadPassesOnAndSectionAssigns(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	number := d.request("purbalingga", "dindikbud", wahyu)
	w := d.sit("purbalingga", "surya")
	w.open("/purbalingga/permohonan/" + number)
	w.press("Teruskan")
	w.reads("Surat diteruskan.")
	if s := d.wantStatus(number, request.StatusChain); s.Holder != sop.Division || len(s.HolderIDs) != 1 || s.HolderIDs[0] != "laras" {
		t.Errorf("held by %s %v", s.Holder, s.HolderIDs)
	}
	b := d.sit("purbalingga", "bagas")
	b.open("/purbalingga/permohonan/" + number)
	b.unfold("Tugaskan kepada verifikator")
	b.fill("#petugas", "galih")
	b.press("Tugaskan")
	b.reads("Ditugaskan.")
	if s := d.wantStatus(number, request.StatusChecking); len(s.HolderIDs) != 1 || s.HolderIDs[0] != "galih" {
		t.Errorf("held by %v", s.HolderIDs)
	}
}

// Two pairs of eyes: whoever approved first can't approve second.
func TestSecondApproval(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	first := d.request("purbalingga", "dindikbud", wahyu)
	d.atVerifier("purbalingga", first)
	rini := request.Actor{Role: sop.Verifier, ID: "rini", Name: "Rini", Via: "console"}
	if _, err := d.store.Act(t.Context(), d.agency("purbalingga"), first, d.clock(), request.Approve{By: rini, Subject: d.state(first).Subject}, request.Confirm{By: rini},
		request.Observe{Kind: request.Usable, At: d.clock(), By: rini}); err != nil {
		t.Fatal(err)
	}
	d.pass(26 * time.Hour)
	number := d.request("purbalingga", "dindikbud", wahyu)
	d.atVerifier("purbalingga", number)
	w := d.sit("purbalingga", "rini")
	w.open("/purbalingga/permohonan/" + number)
	w.tick("letter", "signature", "stamp")
	w.press("Setujui")
	w.reads("Persetujuan pertama tercatat")
	d.wantStatus(number, request.StatusSecond)
	if body := w.text(); strings.Contains(body, "Setujui (persetujuan kedua)") {
		t.Error("the first verifier is offered the second approval")
	}
	g := d.sit("purbalingga", "galih")
	g.open("/purbalingga/permohonan/" + number)
	g.reads("telah menyetujui lebih dahulu")
	g.tick("letter", "signature", "stamp")
	g.press("Setujui")
	g.reads("Disetujui.")
	d.wantStatus(number, request.StatusApproved)
}

func (w *window) text() string {
	w.d.t.Helper()
	text, err := chromedp.Run(w.ctx, chromedp.Evaluate[string](`document.querySelector("main").innerText`))
	if err != nil {
		w.d.t.Fatal(err)
	}
	return text
}

// A NIK is masked until somebody clicks, and the click is written down; so is a look at the original sheets.
func TestIdentityIsShownOnARecordedClick(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	number := d.request("purbalingga", "dindikbud", wahyu)
	d.atVerifier("purbalingga", number)
	nik := d.world.NIK(wahyu)
	w := d.sit("purbalingga", "rini")
	w.open("/purbalingga/permohonan/" + number)
	w.reads("9999********")
	if html, _ := chromedp.Run(w.ctx, chromedp.Evaluate[string](`document.documentElement.outerHTML`)); strings.Contains(html, nik) {
		t.Fatal("the page holds the NIK before the click")
	}
	const sheet = "/purbalingga/surat/1/lembar/0/1"
	if status, _ := d.as("purbalingga", "rini").get(sheet); status != 404 {
		t.Errorf("the sheet before the click: %d", status)
	}
	w.press("Tampilkan NIK")
	w.reads(nik)
	w.press("Lihat lembar asli")
	w.do(chromedp.WaitVisible(`.sheets img`))
	loaded := chromedp.Poll[bool](`[...document.querySelectorAll(".sheets img")].every((i) => i.complete && i.naturalWidth > 500)`)
	if _, err := chromedp.Run(w.ctx, loaded); err != nil {
		t.Error("the sheets are no pictures:", err)
	}
	log, err := d.store.AuditLog(t.Context(), "purbalingga", "", 10)
	if err != nil {
		t.Fatal(err)
	}
	var said []string
	for _, l := range log {
		said = append(said, l.Person+" "+l.Action)
	}
	if got := strings.Join(said, "; "); got != "rini melihat lembar asli; rini melihat NIK" {
		t.Errorf("the log says %q", got)
	}
	d.pass(11 * time.Minute)
	w.open("/purbalingga/permohonan/" + number)
	w.reads("9999********")
	other := d.sit("purbalingga", "galih")
	other.open("/purbalingga/permohonan/" + number)
	if status, _ := d.as("purbalingga", "galih").get(sheet); status != 404 {
		t.Errorf("another verifier sees the sheet without a click: %d", status)
	}
	if strings.Contains(other.text(), nik) {
		t.Error("another verifier sees the NIK without a click")
	}
}

// What happens elsewhere shows without a reload, and doesn't disturb what somebody is typing.
func TestNewsArrives(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	w := d.sit("purbalingga", "rini")
	w.reads("Belum ada permohonan.")
	number := d.request("purbalingga", "dindikbud", wahyu)
	w.reads(number)
	d.atVerifier("purbalingga", number)
	w.reads("Menunggu pemeriksaan")
	w.open("/purbalingga/permohonan/" + number)
	w.unfold("Tolak")
	w.do(chromedp.SendKeys("#alasan-tolak", "Saya sedang menulis"))
	by := request.Actor{Role: sop.Verifier, ID: "galih", Name: "Galih Prasetyo", Via: "console"}
	if _, err := d.store.Act(t.Context(), d.agency("purbalingga"), number, d.clock(), request.Return{By: by, Missing: []string{"Stempel"}}); err != nil {
		t.Fatal(err)
	}
	w.reads("Dikembalikan: kelengkapan")
	w.reads("Keadaan permohonan ini baru saja berubah")
	if text, err := chromedp.Run(w.ctx, chromedp.Value("#alasan-tolak")); err != nil || text != "Saya sedang menulis" {
		t.Errorf("what was typed is %q, %v", text, err)
	}
	// Whoever acts all the same is told, and nothing happens.
	if status, body := d.as("purbalingga", "rini").post("/purbalingga/permohonan/"+number+"/setujui", url.Values{"periksa": {"letter", "signature", "stamp"}}); status != 409 {
		t.Errorf("approving a returned request: %d %.300s", status, body)
	}
}

// unclearForm is a combined form on which nothing is ticked.
func unclearForm(p *demo.Paper, _ *demo.Message) {
	p.Subject, p.Body = "Permohonan Tanda Tangan Elektronik", "Mohon layanan tanda tangan elektronik: Pembuatan Baru / Pembaharuan / Reset *)\n*) coret yang tidak perlu"
}

func TestUnclearLetterBecomesARequest(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	id, r := d.mail("purbalingga", "dpupr", "", unclearForm)
	if r.Kind != "unclear" {
		t.Fatalf("the letter is read as %s", r.Kind)
	}
	aside, _ := d.mail("purbalingga", "dinkes", "", unclearForm)
	w := d.sit("purbalingga", "rini")
	w.reads("2 surat belum dapat ditentukan")
	w.open(fmt.Sprintf("/purbalingga/surat/%d", id))
	w.fill("#pejabat-0", fajar)
	w.press("Jadikan permohonan")
	w.reads("Surat dijadikan permohonan.")
	requests, err := d.store.RequestsOfLetter(t.Context(), id)
	if err != nil || len(requests) != 1 {
		t.Fatalf("%d requests, %v", len(requests), err)
	}
	if s := d.wantStatus(requests[0].Number, request.StatusChecking); s.Subject.NIP != fajar || !s.Subject.Known || s.HolderIDs[0] != "rini" {
		t.Errorf("opened for %q, held by %v", s.Subject.Name, s.HolderIDs)
	}
	w.open(fmt.Sprintf("/purbalingga/surat/%d", aside))
	w.unfold("Bukan permohonan reset")
	w.tick("other")
	w.press("Sisihkan")
	w.reads("Surat disisihkan.")
	if list, err := d.store.Attention(t.Context(), "purbalingga"); err != nil || len(list) != 0 {
		t.Errorf("%d letters still wait, %v", len(list), err)
	}
}

func TestQuarantineIsReadAgain(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	id, _ := d.mail("purbalingga", "dinkes", fajar)
	if err := d.store.InTx(t.Context(), d.clock(), func(tx *store.Tx) error { return tx.Quarantine(id, "Surel tidak dapat diurai.") }); err != nil {
		t.Fatal(err)
	}
	w := d.sit("purbalingga", "oka") // the operator, who may not read what letters say
	w.open("/purbalingga/surat")
	w.reads("Surel tidak dapat diurai.")
	w.open(fmt.Sprintf("/purbalingga/surat/%d", id))
	if strings.Contains(w.text(), "Fajar") {
		t.Error("the operator reads the letter")
	}
	w.press("Baca ulang")
	w.reads("Surat dibaca ulang.")
	if l, err := d.store.Letter(t.Context(), id); err != nil || l.State != "stored" {
		t.Errorf("the letter is %s, %v", l.State, err)
	}
}

// The applicant answers by a form: opening the mail's link changes nothing, since mail scanners open links too.
func TestApplicantAnswers(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		answer string
		act    func(w *window)
		want   request.Status
	}{
		"sudah": {"sudah", func(w *window) { w.press("Sudah berhasil"); w.reads("Selesai: TTE dapat digunakan kembali") }, request.StatusClosed},
		"belum": {"belum", func(w *window) {
			w.fill("#cerita-belum", "Tautan tidak datang.")
			w.do(chromedp.Click(`details[open] form button`))
			w.reads("surel BSrE belum datang. Verifikator akan menghubungi Anda.")
		}, request.StatusLink},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t)
			number := d.request("madiun", "bkpsdm", lestari)
			d.atVerifier("madiun", number)
			by := request.Actor{Role: sop.Verifier, ID: "citra", Name: "Citra", Via: "console"}
			if _, err := d.store.Act(t.Context(), d.agency("madiun"), number, d.clock(), request.Approve{By: by, Subject: d.state(number).Subject}, request.Confirm{By: by}); err != nil {
				t.Fatal(err)
			}
			w := d.window()
			w.open(mailflow.StatusPath(d.store.Keys.Derive("status-link"), number, mailflow.ForApplicant) + "?jawab=" + c.answer)
			w.reads("BSrE telah mengirim tautan ke e-mail dinas")
			d.wantStatus(number, request.StatusLink)
			c.act(w)
			s := d.wantStatus(number, c.want)
			if name == "belum" && (!strings.Contains(s.LastNote, "Tautan tidak datang.") || s.Trouble != request.NoLink) {
				t.Errorf("the note is %q, the trouble %q", s.LastNote, s.Trouble)
			}
		})
	}
}

func TestComplaint(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	w := d.sit("purbalingga", "rini")
	w.open("/purbalingga/pengaduan/baru")
	w.fill("#isi", "Tautan belum saya terima sejak kemarin.")
	w.fill("#nama", "Wahyu Nugroho")
	w.fill("#saluran", "telephone")
	w.press("Simpan")
	w.reads("PBG-P-2026-000001")
	w.reads("usul pulih")
	w.tick("light")
	w.fill("#jawaban", "Tautan telah dikirim ulang.")
	w.tick("ya")
	w.press("Jawab dan selesaikan")
	w.reads("Dijawab")
	if s, err := d.store.ComplaintState(t.Context(), "PBG-P-2026-000001"); err != nil || s.Answer != "Tautan telah dikirim ulang." || s.Class.ID != "light" {
		t.Errorf("%+v, %v", s.Class, err)
	}
}

// A complaint that may be about a verifier is not for verifiers to read.
func TestComplaintAboutVerifiersIsHidden(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	rini, bagas := d.as("purbalingga", "rini"), d.as("purbalingga", "bagas")
	status, body := rini.post("/purbalingga/pengaduan", url.Values{"saluran": {"in-person"}, "waktu": {d.clock().Format("2006-01-02T15:04")}, "isi": {"Petugas meminta uang."}})
	if status != 404 && !strings.Contains(body, "Tidak ada pengaduan") {
		t.Errorf("after entering it: %d", status)
	}
	const path = "/purbalingga/pengaduan/PBG-P-2026-000001"
	if status, _ := rini.get(path); status != 404 {
		t.Errorf("a verifier reads it: %d", status)
	}
	if _, body := rini.get("/purbalingga/pengaduan"); strings.Contains(body, "meminta uang") {
		t.Error("a verifier sees it in the list")
	}
	if status, body := bagas.get(path); status != 200 || !strings.Contains(body, "meminta uang") {
		t.Errorf("the section head: %d", status)
	}
}

// A changed address counts once a second person agrees; then an open request can take it over.
func TestAddressNeedsASecondPerson(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	number := d.request("purbalingga", "dinkes", fajar, func(o *request.Open) { o.Subject.Email, o.Subject.Known = "", false })
	d.atVerifier("purbalingga", number)
	rini, galih := d.sit("purbalingga", "rini"), d.sit("purbalingga", "galih")
	rini.open("/purbalingga/kantor/dinkes")
	rini.unfold("dr. Fajar Setiadi")
	rini.fill("details[open] input[name=surel]", "fajar.baru@purbalinggakab.go.id")
	rini.do(chromedp.Click(`details[open] form button`))
	rini.reads("Perubahan yang menunggu orang kedua")
	rini.reads("menunggu orang lain")
	if status, _ := d.as("purbalingga", "rini").post("/purbalingga/usul/1", url.Values{"terima": {"ya"}}); status != 404 {
		t.Errorf("somebody agreed to their own change: %d", status)
	}
	galih.open("/purbalingga/kantor")
	galih.reads("fajar.setiadi@purbalinggakab.go.id menjadi fajar.baru@purbalinggakab.go.id")
	galih.press("Setujui")
	galih.reads("Tersimpan.")
	a, err := d.store.Directory(t.Context(), d.agency("purbalingga"))
	if err != nil {
		t.Fatal(err)
	}
	if f, _, _ := a.Official(fajar, ""); f.Email != "fajar.baru@purbalinggakab.go.id" {
		t.Errorf("the directory says %q", f.Email)
	}
	rini.open("/purbalingga/permohonan/" + number)
	rini.reads("E-mail dinas menurut daftar pejabat: fajar.baru@purbalinggakab.go.id")
	rini.press("Pakai data itu")
	rini.reads("Data pemohon dibetulkan.")
	if s := d.state(number); s.Subject.Email != "fajar.baru@purbalinggakab.go.id" || !s.Subject.Known {
		t.Errorf("the request's address is %q", s.Subject.Email)
	}
}

func TestBrakeAndVisits(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	surya := d.as("purbalingga", "surya")
	w := d.sit("purbalingga", "oka")
	w.open("/purbalingga/sistem")
	w.unfold("Tahan semua reset")
	w.press("Tahan sekarang")
	w.reads("Semua reset ditahan")
	if stopped, err := d.store.ResetsStopped(t.Context(), "purbalingga"); err != nil || !stopped {
		t.Errorf("stopped: %v, %v", stopped, err)
	}
	if status, _ := d.as("purbalingga", "rini").post("/purbalingga/sistem/reset", url.Values{"tahan": {"tidak"}}); status != 403 {
		t.Errorf("a verifier lets go of the brake: %d", status)
	}
	for _, path := range []string{"/purbalingga", "/purbalingga/sistem"} { // everybody sees who holds them
		if _, body := d.as("purbalingga", "rini").get(path); !strings.Contains(body, "oleh Oka Permana") {
			t.Errorf("%s doesn't say who holds the resets", path)
		}
	}
	w.press("Lepas penahanan")
	w.reads("Bila ada dugaan penyalahgunaan")
	w.do(chromedp.Click(`//li[contains(., "Surya")]//button`))
	w.reads("Sesi diakhiri.")
	if got := surya.ask("GET /{agency}", "purbalingga"); got != 303 {
		t.Errorf("a visit that was ended goes on: %d", got)
	}
}

// The office complains from its signed page; the desk has it with the request that it is about.
func TestComplaintFromStatusPage(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	number := d.request("purbalingga", "dindikbud", wahyu)
	w := d.window()
	w.open(mailflow.StatusPath(d.store.Keys.Derive("status-link"), number, mailflow.ForOffice))
	w.unfold("Sampaikan pengaduan")
	w.fill("#pengaduan", "Sudah tiga jam belum ada kabar.")
	w.press("Kirim pengaduan")
	w.reads("Pengaduan Anda kami terima.")
	s, err := d.store.ComplaintState(t.Context(), "PBG-P-2026-000001")
	if err != nil || s.From.Email != "dindikbud@purbalinggakab.go.id" || s.Link == nil || s.Link.Number != number || !s.Link.Theirs {
		t.Errorf("%+v, %v", s.Link, err)
	}
}
