package console_test

import (
	"fmt"
	"testing"

	"github.com/chromedp/chromedp"

	"pulih/internal/request"
	"pulih/mailflow"
)

// The operator has failed work tried again or given up, and mails sent once more; others can't, and see nothing of another agency's.
func TestFailedWork(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	for range 2 {
		d.mail("purbalingga", "dinkes", fajar) // with the job that reads it
	}
	_, err := d.store.Pool.Exec(t.Context(), `UPDATE river_job SET state = 'discarded', finalized_at = now(), attempt = 25,
		errors = ARRAY['{"at":"2026-11-23T02:00:00Z","attempt":25,"error":"pembaca surat berhenti","trace":""}'::jsonb] WHERE kind = 'read_letter'`)
	if err != nil {
		t.Fatal(err)
	}
	state := func(letter int) (s string) {
		t.Helper()
		err := d.store.Pool.QueryRow(t.Context(), `SELECT state FROM river_job WHERE kind = 'read_letter' AND args->>'letter_id' = $1 ORDER BY id LIMIT 1`, fmt.Sprint(letter)).Scan(&s)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	w := d.sit("purbalingga", "oka")
	w.open("/purbalingga/sistem")
	w.reads("Keterangan teknis")
	w.do(chromedp.Click(`//tr[contains(., "surat 1")]//button[normalize-space(.)="Coba sekarang"]`))
	w.reads("Tersimpan.")
	if got := state(1); got != "available" {
		t.Errorf("the job that shall be tried again is %s", got)
	}
	w.do(chromedp.Click(`//tr[contains(., "surat 2")]//button[normalize-space(.)="Batalkan"]`))
	w.reads("Tidak ada pekerjaan yang gagal.")
	if got := state(2); got != "cancelled" {
		t.Errorf("the job that was given up is %s", got)
	}
	var job int64
	if err := d.store.Pool.QueryRow(t.Context(), `SELECT min(id) FROM river_job WHERE kind = 'read_letter'`).Scan(&job); err != nil {
		t.Fatal(err)
	}
	if status, _ := d.as("madiun", "oka").post(fmt.Sprintf("/madiun/sistem/pekerjaan/%d/batal", job), nil); status != 404 {
		t.Errorf("another agency's operator: %d", status)
	}
}

func TestTroubledMailIsSentAgain(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.request("purbalingga", "dindikbud", wahyu)
	_, err := d.store.Pool.Exec(t.Context(), `UPDATE outbox SET state = 'failed', reply = '550 5.1.1 unknown' WHERE template = 'receipt-office'`)
	if err != nil {
		t.Fatal(err)
	}
	w := d.sit("purbalingga", "oka")
	w.open("/purbalingga/sistem")
	w.reads("550 5.1.1 unknown")
	w.press("Kirim ulang")
	w.reads("Tidak ada surel yang bermasalah.")
	var waiting int
	if err := d.store.Pool.QueryRow(t.Context(), `SELECT count(*) FROM outbox WHERE template = 'receipt-office' AND state = 'waiting'`).Scan(&waiting); err != nil || waiting != 1 {
		t.Errorf("%d mails wait, %v", waiting, err)
	}
}

// A note is kept with who wrote it, and a passphrase that somebody writes into one is masked.
func TestNote(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	number := d.request("purbalingga", "dindikbud", wahyu)
	d.atVerifier("purbalingga", number)
	w := d.sit("purbalingga", "bagas")
	w.open("/purbalingga/permohonan/" + number)
	w.fill("#catatan-baru", "Sudah ditelepon, NIK 9999010101900001.")
	w.press("Simpan catatan")
	w.reads("Catatan disimpan.")
	w.reads("Sudah ditelepon, NIK 9999********")
	if !d.did(number, request.NoteAdded, "bagas") {
		t.Error("the note isn't kept with its writer")
	}
}

// What BSrE is asked about is answered without waiting for the verifiers: an applicant of an uncertain reset, and of one whose telephone is checked.
func TestApplicantAnswersWhileTheOfficeWaits(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	number := d.request("madiun", "bkpsdm", lestari)
	d.atVerifier("madiun", number)
	by := request.Actor{Role: "verifier", ID: "citra", Name: "Citra", Via: "console"}
	if _, err := d.store.Act(t.Context(), d.agency("madiun"), number, d.clock(), request.Approve{By: by, Subject: d.state(number).Subject}, request.Unsure{By: by}); err != nil {
		t.Fatal(err)
	}
	w := d.window()
	w.open(mailflow.StatusPath(d.store.Keys.Derive("status-link"), number, mailflow.ForApplicant))
	w.reads("Kami sedang memastikan apakah BSrE sudah mengirim tautan.")
	w.press("Sudah berhasil")
	w.reads("Selesai: TTE dapat digunakan kembali")
	d.wantStatus(number, request.StatusClosed)
}
