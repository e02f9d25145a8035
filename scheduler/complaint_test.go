package scheduler

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"pulih/internal/complaint"
	"pulih/internal/letter"
	"pulih/internal/request"
	"pulih/internal/sop"
	"pulih/internal/store"
)

var (
	rini  = request.Actor{Role: sop.Verifier, ID: "rini", Name: "Rini Wulandari, S.Kom.", Via: "console"}
	bagas = request.Actor{Role: sop.Section, ID: "bagas", Via: "console"}
)

const grievance = "Dengan hormat,\n\nSaya mengadukan layanan reset passphrase: tautan belum saya terima sejak kemarin dan tidak ada tanggapan.\n\nSeseorang"

func TestAStrangersComplaintByMailIsNumberedReceiptedAndAnswered(t *testing.T) {
	t.Parallel()
	o := begin(t, "2026-11-16 09.00")
	o.openRequest(t, "Wahyu Nugroho, S.Pd.")
	l := o.mail("Seseorang <seseorang@surel.example>", "Pengaduan layanan TTE", grievance)
	if l.Kind != letter.Complaint {
		t.Fatalf("the letter is %q", l.Kind)
	}
	list, err := o.store.OpenComplaints(t.Context(), "purbalingga")
	if err != nil || len(list) != 1 {
		t.Fatal(list, err)
	}
	c := list[0]
	if c.Number != "PBG-P-2026-000001" || c.From != "Seseorang" || c.Class != "light" || c.ClassSet || c.DueAt == nil || !c.DueAt.Equal(o.wib("2026-11-16 11.00")) {
		t.Errorf("the complaint's row is %+v", c)
	}
	receipt := o.last("complaint-received")
	if !strings.HasPrefix(receipt.Subject, "[PBG-P-2026-000001] ") {
		t.Errorf("the receipt's subject is %q", receipt.Subject)
	}
	if strings.Contains(receipt.Text+receipt.HTML, "Wahyu") || strings.Contains(receipt.Text, "PBG-2026-") {
		t.Error("the receipt tells a stranger of somebody's request")
	}
	if out := o.outbox(); count(out, "complaint-assigned > rini@") != 1 || count(out, "complaint-assigned > galih@") != 1 {
		t.Errorf("the verifiers were not told: %q", out)
	}

	// About a request that isn't theirs: the desk sees it, the complainant's mails never do.
	aboutIt, err := o.store.About(t.Context(), "purbalingga", "PBG-2026-000001")
	if err != nil {
		t.Fatal(err)
	}
	o.act(t, c.Number, complaint.Relate{By: rini, About: aboutIt}, complaint.Classify{By: rini, Class: "light"})
	_, err = o.store.ActComplaint(t.Context(), o.Agency, c.Number, o.Daemon.now(), complaint.Answer{By: rini, Text: "Permohonan PBG-2026-000001 sudah selesai."})
	var refusal *request.Refusal
	if !errors.As(err, &refusal) || refusal.Code != complaint.Discloses {
		t.Errorf("an answer that names a stranger's request gave %v", err)
	}
	o.clock("2026-11-16 10.00")
	o.act(t, c.Number, complaint.Answer{By: rini, Text: "Tautan dikirim BSrE ke alamat dinas. Passphrase: Rahasia#2026"})
	answer := o.last("complaint-answered")
	if !strings.Contains(answer.Text, "Tautan dikirim BSrE") || strings.Contains(answer.Text, "Rahasia#2026") || strings.Contains(answer.Text, "PBG-2026-000001") {
		t.Errorf("the answer says %q", answer.Text)
	}
}

func TestAReplyJoinsItsComplaintAndOpensAnAnsweredOneAgain(t *testing.T) {
	t.Parallel()
	o := begin(t, "2026-11-16 09.00")
	o.mail("Seseorang <seseorang@surel.example>", "Pengaduan", grievance)
	receipt := o.last("complaint-received")
	number := "PBG-P-2026-000001"

	o.mail("seseorang@surel.example", "Re: "+receipt.Subject, "Tambahan: NIP saya keliru diketik.", "In-Reply-To: <"+o.idOf("complaint-received")+">")
	st := o.complaint(t, number)
	if len(st.Letters) != 2 || len(st.Texts) != 2 || o.complaints(t) != 1 {
		t.Errorf("the reply by its token did not join: %d letters, %d complaints", len(st.Letters), o.complaints(t))
	}
	o.mail("orang.lain@surel.example", "Re: ["+number+"] Pengaduan", "Saya juga mengadukan layanan reset passphrase ini.")
	if st := o.complaint(t, number); len(st.Letters) != 2 || o.complaints(t) != 2 {
		t.Errorf("the number in the subject was enough for somebody else: %d letters, %d complaints", len(st.Letters), o.complaints(t))
	}
	o.mail("seseorang@surel.example", "Re: ["+number+"] Pengaduan", "Sudah ada kabar?")
	if st := o.complaint(t, number); len(st.Letters) != 3 {
		t.Error("the complainant's own mail with the number in its subject did not join")
	}

	o.act(t, number, complaint.Answer{By: rini, Class: "light", Text: "Sudah kami kirim ulang."})
	o.last("complaint-answered")
	o.clock("2026-11-16 10.00")
	o.mail("seseorang@surel.example", "Re: Jawaban", "Terima kasih banyak.", "In-Reply-To: <"+o.idOf("complaint-answered")+">")
	if st := o.complaint(t, number); st.Status != complaint.StatusAnswered {
		t.Error("a thank-you opened the complaint again")
	}
	o.mail("seseorang@surel.example", "Re: Jawaban", "Tautannya tetap tidak ada.", "In-Reply-To: <"+o.idOf("complaint-answered")+">")
	if st := o.complaint(t, number); !st.Status.Open() || len(st.Rounds) != 2 {
		t.Error("a reply that isn't content did not open the complaint again")
	}
}

func TestAnAnswerThatBouncesIsNoAnswer(t *testing.T) {
	t.Parallel()
	o := begin(t, "2026-11-16 09.00")
	o.mail("Seseorang <seseorang@surel.example>", "Pengaduan", grievance)
	o.act(t, "PBG-P-2026-000001", complaint.Answer{By: rini, Class: "light", Text: "Sudah kami kirim ulang."})
	o.last("complaint-answered")
	report := strings.Join([]string{"--b", "Content-Type: text/plain", "", "Tidak sampai.", "--b", "Content-Type: message/delivery-status", "",
		"Reporting-MTA: dns; mx.surel.example", "", "Final-Recipient: rfc822; seseorang@surel.example", "Action: failed", "Status: 5.1.1", "--b",
		"Content-Type: message/rfc822", "", "Message-ID: <" + o.idOf("complaint-answered") + ">", "Subject: x", "", "x", "--b--", ""}, "\n")
	o.bounce(report)
	st := o.complaint(t, "PBG-P-2026-000001")
	if !st.Status.Open() || !strings.Contains(st.Words, "tidak sampai") {
		t.Errorf("the complaint is %s: %q", st.Status, st.Words)
	}
}

func TestMachinesAndManyMailsGetNoMoreReceipts(t *testing.T) {
	t.Parallel()
	o := begin(t, "2026-11-16 09.00")
	o.mail("sistem@surel.example", "Pengaduan", grievance, "Precedence: bulk")
	if n := count(o.outbox(), "complaint-received"); n != 0 {
		t.Errorf("a machine got %d receipts", n)
	}
	for i := range 12 {
		o.set(o.wib("2026-11-16 09.10").Add(time.Duration(i) * time.Minute))
		o.mail("Tekun <tekun@surel.example>", "Pengaduan ke-"+string(rune('a'+i)), grievance+strings.Repeat(".", i))
	}
	out := o.outbox()
	if n := count(out, "complaint-received > tekun@"); n != 5 {
		t.Errorf("%d receipts for twelve mails of a day, want 5", n)
	}
	if n := o.complaints(t); n != 6 {
		t.Errorf("%d complaints, want the machine's and five", n)
	}
	if n := count(out, "complaint-assigned > rini@"); n > 11 {
		t.Errorf("%d mails to a verifier", n)
	}
	letters, err := o.store.LettersOfComplaint(t.Context(), "PBG-P-2026-000006")
	if err != nil || len(letters) != 8 {
		t.Errorf("the last complaint has %d letters, want 8: none may be lost (%v)", len(letters), err)
	}
}

func TestAComplaintInTheThreadOfARequestIsAboutIt(t *testing.T) {
	t.Parallel()
	o := begin(t, "2026-11-16 09.00")
	o.openRequest(t, "Wahyu Nugroho, S.Pd.")
	o.last("receipt-office")
	o.mail("dindikbud@purbalinggakab.go.id", "Re: Surat diterima", "Kami mengadukan lambatnya layanan: sejak kemarin belum ada tanggapan.",
		"In-Reply-To: <"+o.idOf("receipt-office")+">", "Authentication-Results: mx.purbalinggakab.go.id; dmarc=pass header.from=purbalinggakab.go.id")
	list, err := o.store.ComplaintsAbout(t.Context(), "purbalingga", "PBG-2026-000001")
	if err != nil || len(list) != 1 {
		t.Fatalf("%d complaints about the request, %v", len(list), err)
	}
}

func TestComplaintsOfOtherChannelsAreEnteredAndRemindedOf(t *testing.T) {
	t.Parallel()
	o := begin(t, "2026-11-16 09.00")
	st, err := o.store.EnterComplaint(t.Context(), o.Agency, o.Daemon.now(), complaint.Open{
		Channel: complaint.WhatsApp, At: o.wib("2026-11-16 08.30"), From: complaint.Complainant{Name: "Pelapor", Phone: "0812000000"},
		Text: "Kapan selesai?", Class: "light", By: rini,
	})
	if err != nil || st.Number != "PBG-P-2026-000001" {
		t.Fatal(st.Number, err)
	}
	for _, at := range []string{"09.36", "09.46", "10.22", "10.34", "11.34", "12.30", "13.04", "14.04", "15.04"} {
		o.clock("2026-11-16 " + at)
		if err := o.remind(t.Context(), o.tenant); err != nil {
			t.Fatal(err)
		}
	}
	o.clock("2026-11-16 22.00")
	if err := o.remind(t.Context(), o.tenant); err != nil {
		t.Fatal(err)
	}
	out := o.outbox()
	want := map[string]int{"reminder > galih@": 3, "reminder > rini@": 3, "escalation > bagas@": 1, "escalation > laras@": 1, "escalation > surya@": 1}
	for mail, n := range want {
		if got := count(out, mail); got != n {
			t.Errorf("%d × %s, want %d: %q", got, mail, n, out)
		}
	}
	if got := o.last("escalation"); !strings.Contains(got.Subject, "1 pengaduan") {
		t.Errorf("the escalation's subject is %q", got.Subject)
	}
	if _, err := o.store.ActComplaint(t.Context(), o.Agency, st.Number, o.Daemon.now(), complaint.Answer{By: rini, Text: "Sudah."}); err == nil {
		t.Error("an answer that nobody told went through")
	}
	o.act(t, st.Number, complaint.Answer{By: rini, Text: "Sudah.", Delivered: true})
	if got := o.last("reminder"); got.Subject != "" {
		t.Error("a reminder of an answered complaint would still be sent")
	}
}

func TestComplaintsSurviveARebuildAndKeepTheChain(t *testing.T) {
	t.Parallel()
	o := begin(t, "2026-11-16 09.00")
	o.openRequest(t, "Wahyu Nugroho, S.Pd.")
	o.mail("Seseorang <seseorang@surel.example>", "Pengaduan", grievance)
	o.act(t, "PBG-P-2026-000001", complaint.Classify{By: rini, Class: "supervised", Text: "menyangkut pegawai"})
	o.act(t, "PBG-P-2026-000001", complaint.Assign{By: bagas, Person: "bagas"})
	if n, different, err := o.store.RebuildComplaints(t.Context(), o.Agency, o.Daemon.now()); err != nil || n != 1 || len(different) != 0 {
		t.Errorf("rebuilding found %d complaints, %q different, %v", n, different, err)
	}
	if n, different, err := o.store.Rebuild(t.Context(), o.Agency, o.Daemon.now()); err != nil || n != 1 || len(different) != 0 {
		t.Errorf("rebuilding found %d requests, %q different, %v", n, different, err)
	}
	if _, err := o.store.Pool.Exec(t.Context(), `UPDATE complaints SET class = 'light', due_at = NULL`); err != nil {
		t.Fatal(err)
	}
	if _, different, err := o.store.RebuildComplaints(t.Context(), o.Agency, o.Daemon.now()); err != nil || !slices.Equal(different, []string{"PBG-P-2026-000001"}) {
		t.Errorf("rebuilding a spoilt row found %q, %v", different, err)
	}
	if c, err := o.store.Complaint(t.Context(), "purbalingga", "PBG-P-2026-000001"); err != nil || c.Class != "supervised" || c.HolderID != "bagas" || c.DueAt == nil {
		t.Errorf("after the rebuild the row is %+v, %v", c, err)
	}
	if _, err := o.store.VerifyChain(t.Context(), "purbalingga"); err != nil {
		t.Error(err)
	}
	// A complaint's number is no request's, for commands neither.
	if _, err := o.store.State(t.Context(), "PBG-P-2026-000001"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("reading a complaint as a request gave %v", err)
	}
	if _, err := o.store.Act(t.Context(), o.Agency, "PBG-P-2026-000001", o.Daemon.now(), request.Note{By: rini, Text: "x"}); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("acting on a complaint as a request gave %v", err)
	}
	var clear int
	err := o.store.Pool.QueryRow(t.Context(), `SELECT count(*) FROM complaints WHERE complaints::text LIKE '%Seseorang%'`).Scan(&clear)
	if err != nil || clear != 0 {
		t.Errorf("the complainant's name stands in the clear (%v)", err)
	}
}

// openRequest opens a request of Dindikbud for an official, as a letter by mail does; it goes straight to the verifiers.
func (o *office) openRequest(t *testing.T, name string) request.State {
	t.Helper()
	official, of, ok := o.Official("", name)
	if !ok {
		t.Fatalf("no official %s", name)
	}
	o.uid++
	var st request.State
	err := o.store.InTx(t.Context(), o.Daemon.now(), func(tx *store.Tx) error {
		var id int64
		err := tx.QueryRow(t.Context(), `INSERT INTO letters (agency, channel, source, sha256, size, raw, received_at, seen_at, state, kind)
			VALUES ('purbalingga', 'mail', $1, '', 0, '', $2, $2, 'read', 'reset-request') RETURNING id`, "request-"+string(rune('a'+o.uid)), o.Daemon.now()).Scan(&id)
		if err != nil {
			return err
		}
		st, _, err = tx.Receive(o.Agency, [][]byte{o.store.Keys.Lookup("request", "test"+string(rune('a'+o.uid)))}, request.Open{
			Letter:  request.Letter{ID: id, Channel: "mail", ReceivedAt: o.Daemon.now()},
			Subject: request.Subject{Name: official.Name, NIP: official.NIP, Email: official.Email, OfficeID: of.ID, Office: of.Name, Known: true},
		})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return st
}

// A promise of 30 working days is told in working days, not in hours of a measure that nobody knows.
func TestWorkingDaysAreToldAsDays(t *testing.T) {
	t.Parallel()
	o := begin(t, "2026-11-16 08.00")
	st, err := o.store.EnterComplaint(t.Context(), o.Agency, o.Daemon.now(), complaint.Open{
		Channel: complaint.Telephone, At: o.Daemon.now(), From: complaint.Complainant{Name: "Pelapor"}, Text: "Petugas meminta uang.", Class: "supervised", By: rini,
	})
	if err != nil {
		t.Fatal(err)
	}
	o.clock("2026-11-20 09.00")
	c, err := complaintClock(o.tenant, st, o.Daemon.now())
	if err != nil || !c.Days || c.Norm != "30 hari kerja" {
		t.Errorf("the clock is %+v, %v", c, err)
	}
	if m := o.last(complaint.MailAssigned); !strings.Contains(m.Text, "25 hari kerja") || strings.Contains(m.Text, " jam (") {
		t.Errorf("the mail says\n%s", m.Text)
	}
}

func (o *office) act(t *testing.T, number string, cmds ...complaint.Command) complaint.State {
	t.Helper()
	st, err := o.store.ActComplaint(t.Context(), o.Agency, number, o.Daemon.now(), cmds...)
	if err != nil {
		t.Fatal(err)
	}
	return st
}

func (o *office) complaint(t *testing.T, number string) complaint.State {
	t.Helper()
	st, err := o.store.ComplaintState(t.Context(), number)
	if err != nil {
		t.Fatal(err)
	}
	return st
}

func (o *office) complaints(t *testing.T) int {
	t.Helper()
	list, err := o.store.Complaints(t.Context(), "purbalingga", time.Time{}, o.Daemon.now().AddDate(1, 0, 0))
	if err != nil {
		t.Fatal(err)
	}
	return len(list)
}

func (o *office) bounce(report string) {
	o.t.Helper()
	o.mailAs("MAILER-DAEMON@mx.surel.example", "Undelivered Mail Returned to Sender", report, "multipart/report; report-type=delivery-status; boundary=b")
}

func TestAComplaintThroughSrikandiIsAnsweredThereAndSealed(t *testing.T) {
	t.Parallel()
	o := begin(t, "2026-11-16 09.00")
	lay := func(versi int) {
		t.Helper()
		raw := fmt.Sprintf(`{"id":"nm-7","versi":%d,"nomor_naskah":"045/7/DINDIKBUD/XI/2026","nomor_sementara":false,"tanggal_naskah":"2026-11-16",
			"tanggal_diterima":"2026-11-16T09:00:00+07:00","jenis_naskah":"Surat Dinas","hal":"Pengaduan layanan reset passphrase TTE",
			"ringkasan":"Kami mengadukan bahwa permohonan reset passphrase kami sejak hari Jumat belum ada tanggapan.",
			"asal":{"instansi":"Pemerintah Kabupaten Purbalingga","unit":"Dinas Pendidikan dan Kebudayaan","jabatan":"Kepala Dinas","nama":"Tri Handayani, S.Pd., M.M.","nip":"197105301997022911"},
			"tujuan":[],"tembusan":[],"lampiran":[],"dibatalkan":false,"updated_at":"2026-11-16T09:0%d:00+07:00","disposisi":[],"riwayat":[]}`, versi, versi)
		err := o.store.InTx(t.Context(), o.Daemon.now(), func(tx *store.Tx) error {
			_, err := tx.SaveNaskah("purbalingga", []store.Naskah{{ID: "nm-7", Raw: []byte(raw), ReceivedAt: o.Daemon.now(), ChangedAt: o.Daemon.now().Add(time.Duration(versi) * time.Minute)}})
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if l := o.read(); l.Kind != letter.Complaint {
			t.Fatalf("the letter is %q", l.Kind)
		}
	}
	lay(1)
	lay(2) // edited there: the same complaint
	st := o.complaint(t, "PBG-P-2026-000001")
	if o.complaints(t) != 1 || len(st.Letters) != 1 || !st.From.Proven || st.From.OfficeID != "dindikbud" || st.Channel != complaint.Srikandi {
		t.Errorf("%d complaints; from %+v", o.complaints(t), st.From)
	}
	o.act(t, st.Number, complaint.Answer{By: rini, Class: "light", Text: "Reset telah diajukan hari ini."})
	rows, err := o.store.Pool.Query(t.Context(), `SELECT id FROM follow_ups WHERE number = $1 ORDER BY id`, st.Number)
	if err != nil {
		t.Fatal(err)
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	if err != nil || len(ids) != 2 {
		t.Fatalf("%d follow-ups, %v", len(ids), err)
	}
	f, _, err := o.store.FollowUp(t.Context(), ids[1])
	if err != nil || f.Status != "selesai" || f.Note != "Reset telah diajukan hari ini." || f.SrikandiID != "nm-7" {
		t.Errorf("the answer's follow-up is %+v, %v", f, err)
	}
	var clear int
	err = o.store.Pool.QueryRow(t.Context(), `SELECT count(*) FROM follow_ups WHERE follow_ups::text LIKE '%Reset telah%'`).Scan(&clear)
	if err != nil || clear != 0 {
		t.Errorf("the answer stands in the clear (%v)", err)
	}
}
