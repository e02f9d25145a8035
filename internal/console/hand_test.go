package console_test

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"pulih/internal/request"
	"pulih/internal/store"
)

// doubt asks whether a letter belongs to a request, as the scheduler does.
func (d *desk) doubt(key, number string, letterID int64, nip string) int64 {
	d.t.Helper()
	var id int64
	err := d.store.InTx(d.t.Context(), d.clock(), func(tx *store.Tx) (err error) {
		id, err = tx.AskDoubt(key, letterID, d.store.Keys.Who(nip, ""), number, "Pemohon masih mempunyai permohonan yang berjalan, "+number+", dari surat lain.")
		return err
	})
	if err != nil || id == 0 {
		d.t.Fatalf("doubt %d: %v", id, err)
	}
	return id
}

// A letter that may be a request which is there already is held against that request's letter, and a verifier says which.
func TestDoubtIsSettled(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	number := d.request("purbalingga", "dindikbud", wahyu)
	d.atVerifier("purbalingga", number)
	w := d.sit("purbalingga", "rini")
	for verdict, button := range map[store.Verdict]string{store.Join: "Sama: gabungkan", store.Apart: "Berbeda: pisahkan"} {
		copied, _ := d.mail("purbalingga", "dindikbud", wahyu)
		id := d.doubt("purbalingga", number, copied, wahyu)
		w.open("/purbalingga")
		w.reads("1 surat mungkin sama dengan permohonan yang sudah ada")
		w.open("/purbalingga/permohonan/" + number)
		w.reads("Surat lain mungkin bagian dari permohonan ini.")
		w.open("/purbalingga/surat")
		w.do(chromedp.Click(fmt.Sprintf(`//a[normalize-space(.)="Surat %d dan %s"]`, copied, number)))
		w.reads("Apakah kedua surat ini sama?")
		rows, err := chromedp.Run(w.ctx, chromedp.Evaluate[string](`[...document.querySelectorAll(".alike tbody tr")].map((r) => r.className + "/" + r.innerText).join("|")`))
		if err != nil || !strings.Contains(rows, "differs/Nomor surat") || !strings.Contains(rows, "/Pemohon") || strings.Contains(rows, "differs/Pemohon") {
			t.Errorf("the letters are compared as %q, %v", rows, err)
		}
		w.press(button)
		w.reads(map[store.Verdict]string{store.Join: "Surat digabungkan", store.Apart: "Surat dipisahkan"}[verdict])
		q, err := d.store.Doubt(t.Context(), id)
		if err != nil || q.Verdict != verdict || q.SettledBy != "rini" {
			t.Errorf("settled as %q by %q, %v", q.Verdict, q.SettledBy, err)
		}
		rini := d.as("purbalingga", "rini")
		if status, _ := rini.post(fmt.Sprintf("/purbalingga/ragu/%d", id), url.Values{"putusan": {"apart"}}); status != 409 {
			t.Errorf("a second word on it: %d", status)
		}
		if status, _ := d.as("madiun", "citra").get(fmt.Sprintf("/madiun/ragu/%d", id)); status != 404 {
			t.Errorf("another agency reads it: %d", status)
		}
	}
}

// A letter that only a person can place becomes part of a request that waits for it.
func TestLetterIsJoinedByHand(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	number := d.request("purbalingga", "dpupr", "198612242011011924")
	d.atVerifier("purbalingga", number)
	by := request.Actor{Role: "verifier", ID: "rini", Name: "Rini", Via: "console"}
	if _, err := d.store.Act(t.Context(), d.agency("purbalingga"), number, d.clock(), request.Return{By: by, Missing: []string{"Stempel OPD"}}); err != nil {
		t.Fatal(err)
	}
	id, _ := d.mail("purbalingga", "dpupr", "", unclearForm)
	rini := d.as("purbalingga", "rini")
	if status, body := rini.post(fmt.Sprintf("/purbalingga/surat/%d/gabung", id), url.Values{"nomor": {"MAD-2026-000001"}}); status != 422 || !strings.Contains(body, "tidak ditemukan") {
		t.Errorf("joining a request that isn't there: %d", status)
	}
	w := d.sit("purbalingga", "rini")
	w.open(fmt.Sprintf("/purbalingga/surat/%d", id))
	w.unfold("Bagian dari permohonan yang sudah ada")
	w.fill("#nomor-gabung", strings.ToLower(number))
	w.do(chromedp.Click(`details[open] input[name=lengkap]`))
	w.press("Gabungkan")
	w.reads("Surat digabungkan dengan permohonan.")
	s := d.wantStatus(number, request.StatusChecking)
	if len(s.Letters) != 2 || s.Letters[1].ID != id || !d.did(number, request.LetterJoined, "rini") {
		t.Errorf("letters %+v", s.Letters)
	}
	if list, err := d.store.Attention(t.Context(), "purbalingga"); err != nil || len(list) != 0 {
		t.Errorf("%d letters still wait, %v", len(list), err)
	}
	if status, _ := rini.post(fmt.Sprintf("/purbalingga/surat/%d/gabung", id), url.Values{"nomor": {number}}); status != 409 {
		t.Errorf("joining it twice: %d", status)
	}

	// It was a mistake: the letter is taken out again, and can become a request of its own.
	w.open("/purbalingga/permohonan/" + number)
	w.do(chromedp.Click(`.more-letter > summary`))
	w.do(chromedp.Click(`.more-letter .part > summary`))
	w.fill(fmt.Sprintf("#pisah-%d", id), "Tentang orang lain.")
	w.do(chromedp.Click(`.more-letter .part button`))
	w.reads("Surat dipisahkan.")
	w.reads("Belum jelas")
	if s := d.state(number); len(s.Letters) != 1 || !d.did(number, request.LetterParted, "rini") {
		t.Errorf("letters %+v", s.Letters)
	}
	w.fill("#pejabat-0", fajar)
	w.press("Jadikan permohonan")
	w.reads("Surat dijadikan permohonan.")
	if list, err := d.store.RequestsOfLetter(t.Context(), id); err != nil || len(list) != 1 || list[0].Number == number {
		t.Errorf("the letter belongs to %+v, %v", list, err)
	}
}

// did reports whether a person caused an event of a request.
func (d *desk) did(number string, kind request.Kind, person string) bool {
	d.t.Helper()
	events, err := d.store.Events(d.t.Context(), number)
	if err != nil {
		d.t.Fatal(err)
	}
	return slices.ContainsFunc(events, func(e request.Event) bool { return e.Kind == kind && e.By.ID == person })
}

// What can't even become a letter is there for a human to read, as it came but for the numbers of people.
func TestRejectedRowIsShown(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	raw := `{"id":"nm-rusak","lampiran":"bukan daftar","catatan":"NIK 9999010101900001 <script>alert(1)</script>"}`
	err := d.store.InTx(t.Context(), d.clock(), func(tx *store.Tx) error {
		_, err := tx.Refuse("purbalingga", "Baris dari Srikandi tidak dapat dibaca.", "srikandi nm-rusak", []byte(raw))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	w := d.sit("purbalingga", "rini")
	w.open("/purbalingga/surat")
	w.reads("Baris dari Srikandi tidak dapat dibaca.")
	w.do(chromedp.Click(`//a[normalize-space(.)="srikandi nm-rusak"]`))
	w.reads(`"lampiran":"bukan daftar"`)
	if text := w.text(); strings.Contains(text, "9999010101900001") || !strings.Contains(text, "<script>") {
		t.Errorf("the row is shown as %s", text)
	}
	if status, _ := d.as("madiun", "citra").get("/madiun/tertolak/1"); status != 404 {
		t.Errorf("another agency reads it: %d", status)
	}
}

// Whoever corrects a field is kept with what stood there before, on the way to a request and after it.
func TestCorrectionsAreKept(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	id, _ := d.mail("purbalingga", "dinkes", "", unclearForm)
	w := d.sit("purbalingga", "rini")
	nobody := chromedp.Evaluate[bool](`["#pejabat-0", "#nip-0"].every((f) => (document.querySelector(f).value = "") === "")`)
	w.open(fmt.Sprintf("/purbalingga/surat/%d", id))
	if _, err := chromedp.Run(w.ctx, nobody); err != nil { // whomever the letter was read to be about
		t.Fatal(err)
	}
	w.fill("#nama-0", "Pemohon Belum Terdaftar")
	w.fill("#nomor-0", "800/77/2026")
	w.press("Jadikan permohonan")
	w.reads("Surat dijadikan permohonan.")
	w.reads("menjadi Pemohon Belum Terdaftar")
	w.reads("menjadi 800/77/2026")
	requests, err := d.store.RequestsOfLetter(t.Context(), id)
	if err != nil || len(requests) != 1 {
		t.Fatalf("%d requests, %v", len(requests), err)
	}
	number := requests[0].Number
	w.unfold("Betulkan data pemohon")
	w.fill("#pejabat", fajar)
	w.press("Betulkan")
	w.reads("Data pemohon dibetulkan.")
	w.reads("nama: Pemohon Belum Terdaftar menjadi dr. Fajar Setiadi")
	s := d.state(number)
	if s.Subject.NIP != fajar || !s.Subject.Known || s.Subject.Email == "" {
		t.Errorf("the request is about %q, %q", s.Subject.Name, s.Subject.Email)
	}
	if !d.did(number, request.NoteAdded, "rini") || !d.did(number, request.LetterChanged, "rini") {
		t.Error("who corrected isn't kept")
	}
	// Once the reset is made, the data are what it was made on.
	by := request.Actor{Role: "verifier", ID: "galih", Name: "Galih", Via: "console"}
	if _, err := d.store.Act(t.Context(), d.agency("purbalingga"), number, d.clock(), request.Approve{By: by, Subject: s.Subject, SeenRisks: true}, request.Confirm{By: by}); err != nil {
		t.Fatal(err)
	}
	if status, _ := d.as("purbalingga", "rini").post("/purbalingga/permohonan/"+number+"/betulkan", url.Values{"pejabat": {wahyu}}); status != 409 {
		t.Errorf("corrected after the reset: %d", status)
	}
}

// Why a promise was broken is written down once it is, and the head reads it.
func TestBreachIsExplained(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	number := d.request("purbalingga", "dindikbud", wahyu)
	d.atVerifier("purbalingga", number)
	if status, _ := d.as("purbalingga", "rini").post("/purbalingga/permohonan/"+number+"/alasan", url.Values{"alasan": {"Belum lewat."}}); status != 409 {
		t.Errorf("explaining what wasn't broken: %d", status)
	}
	if err := d.store.BeginOutage(t.Context(), "purbalingga", "bsre", "Portal tidak menjawab.", d.clock().Add(10*time.Minute)); err != nil {
		t.Fatal(err)
	}
	d.pass(6 * time.Hour)
	if err := d.store.EndOutage(t.Context(), "purbalingga", "bsre", d.clock()); err != nil {
		t.Fatal(err)
	}
	w := d.sit("purbalingga", "rini")
	w.open("/purbalingga/permohonan/" + number)
	w.reads("Gangguan selama permohonan ini")
	w.reads("Tanpa gangguan itu waktunya tidak lewat.")
	w.reads("tanpa gangguan terpakai 10 menit")
	w.fill("#alasan-lewat", "Portal BSrE tidak dapat dibuka sejak pagi.")
	w.press("Catat alasan")
	w.reads("Alasan dicatat.")
	w.reads("Alasan lewat waktu")
	rini := request.Actor{Role: "verifier", ID: "rini", Name: "Rini", Via: "console"}
	if _, err := d.store.Act(t.Context(), d.agency("purbalingga"), number, d.clock(), request.Reject{By: rini, Text: "Surat ditarik kantor."}); err != nil {
		t.Fatal(err)
	}
	head := d.sit("purbalingga", "surya")
	head.open("/purbalingga/pimpinan")
	head.reads("Portal BSrE tidak dapat dibuka sejak pagi.")
	if status, body := d.as("purbalingga", "surya").get("/purbalingga/pimpinan/lewat.csv"); status != 200 || !strings.Contains(body, "Portal BSrE") {
		t.Errorf("the table: %d %s", status, body)
	}
}

func TestPackIsDownloaded(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.request("purbalingga", "dindikbud", wahyu)
	surya := d.as("purbalingga", "surya")
	for kind, magic := range map[string]string{"pdf": "%PDF-", "xlsx": "PK\x03\x04"} {
		res, err := surya.client.Get(d.url + "/purbalingga/pimpinan/bahan?bulan=2026-11&berkas=" + kind)
		if err != nil {
			t.Fatal(err)
		}
		status, body := surya.read(res, nil)
		if status != 200 || !strings.HasPrefix(body, magic) || !strings.Contains(res.Header.Get("Content-Disposition"), `attachment; filename="PBG-evaluasi-2026-11.`+kind+`"`) {
			t.Errorf("%s: %d %q %.20q", kind, status, res.Header.Get("Content-Disposition"), body)
		}
	}
	for path, want := range map[string]int{"2027-11/pdf": 404, "1026-01/pdf": 404, "2026-11/exe": 404, "..%2f..%2f/pdf": 404} {
		if status, _ := surya.get("/purbalingga/pimpinan/bahan/" + path); status != want {
			t.Errorf("%s: %d, want %d", path, status, want)
		}
	}
	if log, err := d.store.AuditLog(t.Context(), "purbalingga", "bahan/2026-11", 10); err != nil || len(log) != 2 {
		t.Errorf("%d downloads in the log, %v", len(log), err)
	}
	w := d.sit("purbalingga", "surya")
	w.open("/purbalingga/pimpinan")
	w.reads("Bahan rapat evaluasi")
}

// The operator has the connections tried, a few times at most.
func TestConnectionsAreChecked(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	w := d.sit("purbalingga", "oka")
	w.open("/purbalingga/sistem")
	w.press("Periksa semua sambungan sekarang")
	w.reads("Hasil pemeriksaan")
	text := w.text()
	if !strings.Contains(text, "Srikandi Purbalingga") || strings.Contains(text, "Madiun") {
		t.Errorf("the page says %.1200s", text)
	}
	oka := d.as("purbalingga", "oka")
	for range 3 {
		oka.post("/purbalingga/sistem/periksa", nil)
	}
	if status, _ := oka.post("/purbalingga/sistem/periksa", nil); status != 429 {
		t.Errorf("the fifth try: %d", status)
	}
}

// The head looks at one week; the chart keeps showing the last twelve, the same whether its newest weeks come from the report or not.
func TestReportOfOneWeek(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.pastWeeks(3)
	surya := d.as("purbalingga", "surya")
	weeks := func(path string) string {
		t.Helper()
		status, body := surya.get(path)
		_, table, ok := strings.Cut(body, "Angkanya sebagai tabel")
		if status != 200 || !ok {
			t.Fatalf("%s: %d", path, status)
		}
		table, _, _ = strings.Cut(table, "</table>")
		return table
	}
	all := weeks("/purbalingga/pimpinan?masa=12")
	if n := strings.Count(all, "<tr>") - 1; n != 12 {
		t.Errorf("%d weeks", n)
	}
	if one := weeks("/purbalingga/pimpinan?masa=2026-11-09"); one != all {
		t.Errorf("the chart differs:\n%s\n%s", all, one)
	}
	if _, body := surya.get("/purbalingga/pimpinan?masa=2026-11-09"); !strings.Contains(body, "Minggu yang mulai 9 November 2026") {
		t.Error("the week isn't told")
	}
	for _, odd := range []string{"2026-11-10", "2030-01-07", "besok", "0001-01-01"} {
		if status, body := surya.get("/purbalingga/pimpinan?masa=" + odd); status != 200 || strings.Contains(body, "Minggu yang mulai") {
			t.Errorf("%s: %d", odd, status)
		}
	}
}
