package scheduler_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pulih/internal/demo/srikandisim"
	"pulih/internal/request"
	"pulih/internal/sop"
	"pulih/mailflow"
)

// A verifier may work wholly inside Srikandi.
func TestTheVerifierDecidesInSrikandi(t *testing.T) {
	t.Parallel()
	d := setUp(t, 1, srikandisim.Options{})
	id := d.sim.AddLetter(d.letter(0, "500.12.10/1/2026"))
	disposition := d.pass(id, "surya", "rini")
	d.serve()
	d.request(atVerifier)
	d.advance(time.Minute)
	d.sim.Answer(id, disposition, d.party("rini").NIP, "diproses", "dikembalikan: fotokopi SK jabatan")
	s := d.request(func(s request.State) bool { return s.Status == request.StatusReturned })
	if !slices.Equal(s.Missing, []string{"fotokopi SK jabatan"}) {
		t.Errorf("missing: %q", s.Missing)
	}
	d.advance(time.Hour)
	paper := d.letter(0, "500.12.10/1/2026") // the office puts the paper onto its letter
	d.sim.Edit(id, func(l *srikandisim.Letter) {
		l.Files = append(paper.Files, srikandisim.File{Name: "sk.txt", MIME: "text/plain", Data: []byte("Surat Keputusan")})
	})
	d.request(atVerifier)
	d.advance(time.Minute)
	d.sim.Answer(id, disposition, d.party("rini").NIP, "selesai", "disetujui")
	s = d.request(func(s request.State) bool { return s.Approvals > 0 || s.LastNote != "" })
	if s.Status != request.StatusApproved || s.Approval.By.ID != "rini" || s.Approval.By.Via != "srikandi" {
		t.Errorf("status %s, note %q", s.Status, s.LastNote)
	}
}

// A word that was given before the letter was edited is not one on what the letter says now.
func TestADecisionOnAnOlderEditionDoesNotCount(t *testing.T) {
	t.Parallel()
	d := setUp(t, 2, srikandisim.Options{})
	id := d.sim.AddLetter(d.letter(0, "500.12.10/1/2026"))
	disposition := d.pass(id, "surya", "rini")
	stop := d.serve()
	d.request(atVerifier)
	stop()
	d.advance(time.Minute)
	d.sim.Answer(id, disposition, d.party("rini").NIP, "selesai", "disetujui")
	d.advance(time.Minute)
	other := d.letter(1, "500.12.10/1/2026")
	d.sim.Edit(id, func(l *srikandisim.Letter) { l.Files = other.Files })
	d.advance(time.Minute)
	d.serve()
	s := d.request(func(s request.State) bool { return s.LastNote != "" })
	if s.Approval != nil || s.Status != request.StatusChecking {
		t.Errorf("status %s", s.Status)
	}
	// Who works wholly inside Srikandi reads it there.
	d.until("it is said there", func() bool {
		return slices.ContainsFunc(d.sim.Journal().FollowUps, func(f srikandisim.FollowUpCall) bool {
			return f.DispositionID == disposition && strings.Contains(f.Note, "Keputusan di Srikandi tidak dijalankan: surat diubah")
		})
	})
	d.toldTheVerifier(s, "surat diubah setelah")
}

// toldTheVerifier expects one mail to Rini, with the request's number, its applicant and why her decision isn't carried out.
func (d *desk) toldTheVerifier(s request.State, why string) {
	d.t.Helper()
	const mails = `FROM outbox WHERE template = 'undecided' AND state = 'sent'`
	d.until("the verifier is told", func() bool { return d.count(`SELECT count(*) `+mails) > 0 })
	d.advance(time.Hour)
	d.polled() // more of the letter, and of the same decision, is read
	var id int64
	var address string
	if err := d.store.Pool.QueryRow(d.t.Context(), `SELECT id, address `+mails).Scan(&id, &address); err != nil {
		d.t.Fatal(err)
	}
	if n := d.count(`SELECT count(*) FROM outbox WHERE template = 'undecided'`); n != 1 || address != "rini@purbalinggakab.go.id" {
		d.t.Errorf("%d mails, the first to %s", n, address)
	}
	if notes := d.events(s.Number, request.NoteAdded); len(notes) != 1 {
		d.t.Errorf("%d notes", len(notes))
	}
	var e mailflow.Envelope
	if err := d.store.MailContent(d.t.Context(), id, &e); err != nil {
		d.t.Fatal(err)
	}
	for _, want := range []string{s.Number, s.Subject.Name, why} {
		if text := strings.Join(strings.Fields(e.Text), " "); !strings.Contains(text, want) {
			d.t.Errorf("the mail doesn't say %q: %s", want, text)
		}
	}
}

// An approval written in Srikandi that is carried out nowhere is never silence: its verifier would wait for the reset.
func TestAnApprovalThatIsNotCarriedOutIsTold(t *testing.T) {
	t.Parallel()
	rini := request.Actor{Role: sop.Verifier, ID: "rini", Name: "Rini"}
	for _, c := range []struct {
		name, why string
		edit      func(yaml string) string
		before    func(d *desk, number, letter string) // the approval
	}{
		{"where decisions are made on the desk alone", "di meja kerja", func(yaml string) string {
			return strings.Replace(yaml, "srikandi_decides: true", "srikandi_decides: false", 1)
		}, nil},
		{"while papers are missing", "sedang tidak menunggu pemeriksaan", nil, func(d *desk, number, _ string) {
			d.act(number, request.Return{By: rini, Missing: []string{"stempel"}})
		}},
		{"after the request was rejected", "sedang tidak menunggu pemeriksaan", nil, func(d *desk, number, _ string) {
			d.act(number, request.Reject{By: rini, Text: "Bukan pejabat."})
		}},
		{"after its reset was refused", "sedang tidak menunggu pemeriksaan", nil, func(d *desk, number, _ string) {
			d.act(number, request.Approve{By: rini, Subject: d.requests()[0].Subject, SeenRisks: true}, request.Unable{Text: "Tidak ada di AMS."})
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			edit := func(yaml string) string { return yaml }
			if c.edit != nil {
				edit = c.edit
			}
			d := setUp(t, 1, srikandisim.Options{}, edit)
			id := d.sim.AddLetter(d.letter(0, "500.12.10/1/2026"))
			disposition := d.pass(id, "surya", "rini")
			d.serve()
			s := d.request(atVerifier)
			d.advance(2 * time.Minute)
			if c.before != nil {
				c.before(d, s.Number, id)
				d.advance(2 * time.Minute)
			}
			d.sim.Answer(id, disposition, d.party("rini").NIP, "selesai", "disetujui")
			d.toldTheVerifier(s, c.why)
			if s = d.requests()[0]; s.Approval != nil {
				t.Errorf("it is in %s", s.Status)
			}
		})
	}
}

// An approval that was carried out isn't told as one that was not, whatever becomes of it.
func TestAnApprovalThatWasCarriedOut(t *testing.T) {
	t.Parallel()
	d := setUp(t, 1, srikandisim.Options{}, func(yaml string) string {
		return strings.Replace(yaml, "srikandi_decides: true", "srikandi_decides: true\n      four_eyes: true", 1)
	})
	id := d.sim.AddLetter(d.letter(0, "500.12.10/1/2026"))
	first, second := d.pass(id, "surya", "rini"), d.pass(id, "surya", "galih")
	d.serve()
	d.request(atVerifier)
	d.advance(2 * time.Minute)
	d.sim.Answer(id, first, d.party("rini").NIP, "selesai", "disetujui")
	d.request(func(s request.State) bool { return s.Status == request.StatusSecond })
	d.advance(2 * time.Minute)
	d.polled()
	d.sim.Answer(id, second, d.party("galih").NIP, "selesai", "disetujui")
	s := d.request(func(s request.State) bool { return s.Status == request.StatusApproved })
	if s.Approval.By.ID != "rini" || s.Approval.Second == nil || s.Approval.Second.ID != "galih" {
		t.Errorf("approved by %+v", s.Approval)
	}
	d.advance(2 * time.Minute)
	d.act(s.Number, request.Unable{Text: "Tidak ada di AMS."})
	d.sim.Edit(id, func(l *srikandisim.Letter) { l.Summary = "lain" })
	d.request(func(s request.State) bool { return s.Has("letter-changed") })
	d.polled()
	if n := d.count(`SELECT count(*) FROM outbox WHERE template = 'undecided'`); n != 0 {
		t.Errorf("%d mails", n)
	}
}

func (d *desk) act(number string, cmds ...request.Command) {
	d.t.Helper()
	if _, err := d.store.Act(d.t.Context(), d.a, number, d.Now(), cmds...); err != nil {
		d.t.Fatal(err)
	}
}
