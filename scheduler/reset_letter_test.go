package scheduler

import (
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/riverqueue/river"

	"pulih/internal/agency"
	"pulih/internal/demo"
	"pulih/internal/demo/bsresim"
	"pulih/internal/demo/srikandisim"
	"pulih/internal/request"
	"pulih/internal/sop"
	"pulih/internal/store"
)

// register is a portal whose letters come from a simulated Srikandi.
type register struct {
	*portal
	letters *srikandisim.Server
}

func openRegister(t *testing.T, edits ...func(string) string) *register {
	t.Helper()
	r := &register{}
	r.letters = srikandisim.New(srikandisim.Options{ClientID: "pulih", ClientSecret: "rahasia-uji", Now: func() time.Time { return r.now() }})
	server := httptest.NewServer(r.letters)
	t.Cleanup(server.Close)
	r.portal = openPortal(t, bsresim.Options{}, append(edits, replace("    inbox:\n", `    srikandi: {url: "`+server.URL+`", client_id: pulih, client_secret_file: SECRET}
    inbox:
`))...)
	return r
}

// approvedLetter is a letter about an official that a verifier has just approved, and its request.
func (r *register) approvedLetter(nip string) (id, number string) {
	r.t.Helper()
	f, o, ok := r.Official(nip, "")
	if !ok {
		r.t.Fatalf("nobody has NIP %s", nip)
	}
	paper := demo.Paper{Office: o, Agency: r.Agency, Number: "500.12/" + nip[14:] + "/2026", Date: r.now(), Subject: "Permohonan Reset Passphrase Tanda Tangan Elektronik (TTE)",
		Applicants: []agency.Official{f}}
	id = r.letters.AddLetter(srikandisim.Letter{Number: paper.Number, Date: paper.Date.Format(time.DateOnly), Subject: paper.Subject,
		From:  srikandisim.Party{Agency: r.Name, Unit: o.Name, Position: o.Head.Position, Name: o.Head.Name, NIP: o.Head.NIP},
		Files: []srikandisim.File{{Name: "surat.pdf", MIME: "application/pdf", Data: paper.PDF()}}})
	head, verifier := r.Holders(sop.Head, r.now())[0], r.Holders(sop.Verifier, r.now())[0]
	r.letters.Dispose(id, srikandisim.Disposition{From: srikandisim.Party{Position: head.Position, Name: head.Name, NIP: head.NIP}, Instructions: []string{"Tindaklanjuti"},
		To: []srikandisim.Receiver{{Party: srikandisim.Party{Position: verifier.Position, Name: verifier.Name, NIP: verifier.NIP}}}})
	r.poll()
	l := r.read()
	if err := r.store.Pool.QueryRow(r.t.Context(), `SELECT number FROM request_letters WHERE letter_id = $1`, l.ID).Scan(&number); err != nil {
		r.t.Fatal(err)
	}
	r.do(number, request.Approve{By: by("rini"), Subject: r.state(number).Subject, SeenRisks: true})
	return id, number
}

func (r *register) poll() {
	r.t.Helper()
	poll := &river.Job[store.PollGateway]{Args: store.PollGateway{Agency: r.Key}}
	if err := (&pollWorker{d: r.Daemon}).Work(r.t.Context(), poll); err != nil {
		r.t.Fatal(err)
	}
}

// heldUntilRead sees a reset wait for its letter, has that read, and a minute pass.
func (r *register) heldUntilRead() {
	r.t.Helper()
	r.run()
	r.expectCalls()
	r.read()
	r.pass(time.Minute)
}

// The letter is looked at right before its reset, whatever the polls have seen: no reset is made for one that was withdrawn after its approval.
func TestNoResetForAWithdrawnLetter(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(r *register, id string){
		"deleted": func(r *register, id string) { r.letters.Delete(id) },
		"cancelled": func(r *register, id string) { // it is read first, as any edited letter
			r.letters.Cancel(id)
			r.heldUntilRead()
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := openRegister(t)
			r.signIn("rini")
			id, number := r.approvedLetter(wahyu)
			end(r, id)
			r.run()
			r.expectCalls()
			s := r.expect(number, request.StatusRefused)
			if !s.Has("letter-gone") || !strings.Contains(s.Words, "Reset tidak diajukan") || r.mails("refused-by-bsre") != 2 {
				t.Errorf("findings %v, words %q, %d mails", s.Findings, s.Words, r.mails("refused-by-bsre"))
			}
		})
	}
}

// A verifier who approves a letter that they know to be withdrawn is heard.
func TestAResetForALetterKnownToBeWithdrawn(t *testing.T) {
	t.Parallel()
	r := openRegister(t)
	r.signIn("rini")
	id, number := r.approvedLetter(wahyu)
	r.letters.Delete(id)
	r.run()
	r.expect(number, request.StatusRefused)
	r.do(number, request.Approve{By: by("rini"), Subject: r.state(number).Subject, SeenRisks: true, Text: "kantor mendaftarkannya lagi"})
	r.run()
	r.expect(number, request.StatusLink)
}

// What was changed in a letter since its approval holds its reset until that is read; a change on which the approval rests voids it.
func TestAResetWaitsForAnEditedLetterToBeRead(t *testing.T) {
	t.Parallel()
	r := openRegister(t)
	r.signIn("rini")
	id, number := r.approvedLetter(wahyu)
	r.letters.Edit(id, func(l *srikandisim.Letter) { l.Summary = "passphrase TTE" })
	r.run()
	r.expect(number, request.StatusApproved)
	if why, err := r.store.HeldFor(t.Context(), number); err != nil || !strings.Contains(why, "diubah di Srikandi") {
		t.Errorf("held for %q, %v", why, err)
	}
	r.read()
	r.pass(time.Minute)
	r.run()
	r.expect(number, request.StatusLink)

	id, number = r.approvedLetter(endah)
	r.letters.Edit(id, func(l *srikandisim.Letter) { l.Summary = "lain" }) // and the reading of it never comes
	for range 4 {
		r.run()
		r.pass(4 * time.Minute)
	}
	if s := r.expect(number, request.StatusRefused); !strings.Contains(s.Words, "belum terbaca") {
		t.Errorf("words %q", s.Words)
	}
}

// No reset is made on an approval that rests on what is different now.
func TestNoResetForALetterThatBecameAnother(t *testing.T) {
	t.Parallel()
	for name, edit := range map[string]func(*srikandisim.Letter){
		"its number": func(l *srikandisim.Letter) { l.Number = "500.12/17/2026" },
		"its office": func(l *srikandisim.Letter) { l.From.Unit = "Dinas Kesehatan" },
		"its paper": func(l *srikandisim.Letter) {
			l.Files = []srikandisim.File{{Name: "surat.pdf", MIME: "application/pdf", Data: append(l.Files[0].Data, "% lain"...)}}
		},
		"no paper": func(l *srikandisim.Letter) { l.Files = nil },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := openRegister(t)
			r.signIn("rini")
			id, number := r.approvedLetter(wahyu)
			r.letters.Edit(id, edit)
			r.heldUntilRead()
			r.run()
			r.expectCalls()
			if s := r.expect(number, request.StatusRefused); !strings.Contains(s.Words, "diubah di Srikandi") && !strings.Contains(s.Words, "berubah setelah disetujui") {
				t.Errorf("words %q", s.Words)
			}
		})
	}
}

// The last look sees, too, that the word on which the approval rests was taken back since the last poll.
func TestNoResetOnAWordTakenBack(t *testing.T) {
	t.Parallel()
	r := openRegister(t, rule("srikandi_decides: true"))
	r.signIn("rini")
	id, number := r.approvedLetter(wahyu)
	r.do(number, request.Unable{Text: "Sertifikat belum siap."})
	r.pass(time.Minute)
	letters, _ := r.letters.Truth()
	disposition := letters[0].Dispositions[0]
	r.letters.Answer(id, disposition.ID, disposition.To[0].NIP, "selesai", "disetujui")
	r.poll()
	r.read()
	if s := r.expect(number, request.StatusApproved); s.Approval.Letter == 0 {
		t.Fatalf("approved by %+v", s.Approval)
	}
	r.pass(time.Minute)
	r.letters.Withdraw(id, disposition.ID)
	r.heldUntilRead()
	r.run()
	r.expectCalls()
	if s := r.state(number); s.Approval != nil {
		t.Errorf("it is in %s: %s", s.Status, s.Words)
	}
}

// A Srikandi that is out of reach holds a reset for minutes, not for the weeks that an outage may last; the request says so.
func TestAnOutageOfSrikandiHoldsAResetForMinutes(t *testing.T) {
	t.Parallel()
	r := openRegister(t)
	r.signIn("rini")
	_, number := r.approvedLetter(wahyu)
	r.letters.SetOutage(true)
	r.run()
	r.expect(number, request.StatusApproved)
	r.pass(time.Minute)
	r.run()
	r.expect(number, request.StatusApproved)
	if why, err := r.store.HeldFor(t.Context(), number); err != nil || !strings.Contains(why, "Srikandi tidak menjawab") {
		t.Errorf("held for %q, %v", why, err)
	}
	r.pass(5 * time.Minute)
	r.run()
	if s := r.expect(number, request.StatusLink); !strings.Contains(s.LastNote, "tanpa melihat surat sekali lagi") {
		t.Errorf("note %q", s.LastNote)
	}
}
