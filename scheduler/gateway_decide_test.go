package scheduler_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pulih/internal/demo/srikandisim"
	"pulih/internal/request"
)

// A verifier may work wholly inside Srikandi.
func TestTheVerifierDecidesInSrikandi(t *testing.T) {
	t.Parallel()
	d, _ := setUpRini(t, 1)
	d.says("diproses", "dikembalikan: fotokopi SK jabatan")
	s := d.request(in(request.StatusReturned))
	if !slices.Equal(s.Missing, []string{"fotokopi SK jabatan"}) {
		t.Errorf("missing: %q", s.Missing)
	}
	d.advance(time.Hour)
	paper := d.letter(0, "500.12.10/1/2026") // the office puts the paper onto its letter
	d.sim.Edit(d.id, func(l *srikandisim.Letter) {
		l.Files = append(paper.Files, srikandisim.File{Name: "sk.txt", MIME: "text/plain", Data: []byte("Surat Keputusan")})
	})
	d.request(in(request.StatusChecking))
	d.says("selesai", "disetujui")
	s = d.request(func(s request.State) bool { return s.Approvals > 0 || s.LastNote != "" })
	if s.Status != request.StatusApproved || s.Approval.By.ID != "rini" || s.Approval.By.Via != "srikandi" {
		t.Errorf("status %s, note %q", s.Status, s.LastNote)
	}
}

// A word that was given before the letter was edited is not one on what the letter says now.
func TestADecisionOnAnOlderEditionDoesNotCount(t *testing.T) {
	t.Parallel()
	d, _ := setUpRini(t, 2)
	d.stop()
	d.says("selesai", "disetujui")
	d.exchange(d.id, 1, "500.12.10/1/2026")
	d.advance(time.Minute)
	d.serve()
	s := d.request(func(s request.State) bool { return s.LastNote != "" })
	if s.Approval != nil || s.Status != request.StatusChecking {
		t.Errorf("status %s", s.Status)
	}
	d.reads("Keputusan di Srikandi tidak dijalankan: surat diubah") // who works wholly inside Srikandi
	d.toldTheVerifier(s, "surat diubah setelah")
}

// toldTheVerifier expects one mail to Rini, with the request's number, its applicant and why her decision isn't carried out.
func (d *desk) toldTheVerifier(s request.State, why string) {
	d.t.Helper()
	const mails = `SELECT count(*) FROM outbox WHERE template = 'undecided'`
	d.until("the verifier is told", func() bool { return d.count(mails+` AND state = 'sent'`) > 0 })
	d.advance(time.Hour)
	d.polled() // more of the letter, and of the same decision, is read
	if n, hers := d.count(mails), d.count(mails+` AND address = 'rini@purbalinggakab.go.id'`); n != 1 || hers != 1 {
		d.t.Errorf("%d mails, %d to her", n, hers)
	}
	if notes := d.events(s.Number, request.NoteAdded); len(notes) != 1 {
		d.t.Errorf("%d notes", len(notes))
	}
	text := strings.Join(strings.Fields(d.mailTo("undecided", "rini")), " ")
	for _, want := range []string{s.Number, s.Subject.Name, why} {
		if !strings.Contains(strings.ToLower(text), strings.ToLower(want)) {
			d.t.Errorf("the mail doesn't say %q: %s", want, text)
		}
	}
}

// An approval written in Srikandi that is carried out nowhere is never silence: its verifier would wait for the reset.
func TestAnApprovalThatIsNotCarriedOutIsTold(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, why string
		decides   bool            // the rule srikandi_decides
		before    request.Command // the approval
	}{
		{"where decisions are made on the desk alone", "di meja kerja", false, nil},
		{"while papers are missing", "sedang tidak menunggu pemeriksaan", true, request.Return{By: rini, Missing: []string{"stempel"}}},
		{"after the request was rejected", "sedang tidak menunggu pemeriksaan", true, request.Reject{By: rini, Text: "Bukan pejabat."}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			d, s := setUpRini(t, 1, func(yaml string) string {
				return strings.Replace(yaml, "srikandi_decides: true", fmt.Sprint("srikandi_decides: ", c.decides), 1)
			})
			if c.before != nil {
				d.advance(time.Minute)
				d.act(s.Number, c.before)
			}
			d.says("selesai", "disetujui")
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
	d, _ := setUpRini(t, 1, func(yaml string) string {
		return strings.Replace(yaml, "srikandi_decides: true", "srikandi_decides: true\n      four_eyes: true", 1)
	})
	d.advance(time.Minute)
	second := d.pass(d.id, "surya", "galih")
	d.says("selesai", "disetujui")
	d.request(in(request.StatusSecond))
	d.advance(2 * time.Minute)
	d.polled()
	d.sim.Answer(d.id, second, d.party("galih").NIP, "selesai", "disetujui")
	s := d.request(in(request.StatusApproved))
	if s.Approval.By.ID != "rini" || s.Approval.Second == nil || s.Approval.Second.ID != "galih" {
		t.Errorf("approved by %+v", s.Approval)
	}
	d.advance(2 * time.Minute)
	d.act(s.Number, request.Unable{Text: "Tidak ada di AMS."})
	d.sim.Edit(d.id, func(l *srikandisim.Letter) { l.Summary = "lain" })
	d.request(flagged("letter-changed"))
	d.polled()
	if n := d.count(`SELECT count(*) FROM outbox WHERE template = 'undecided'`); n != 0 {
		t.Errorf("%d mails", n)
	}
}

// A word of a gateway whose clock is ahead looks newer than whatever became of it. It is carried out once all the same.
func TestAWordFromAClockThatIsAhead(t *testing.T) {
	t.Parallel()
	d, _ := setUpRini(t, 1)
	d.sim.SetSkew(3 * time.Hour)
	d.says("selesai", "disetujui")
	s := d.request(in(request.StatusApproved))
	d.advance(time.Minute)
	d.act(s.Number, request.Unable{Text: "Tidak ada di AMS."})
	d.advance(time.Minute)
	d.sim.Edit(d.id, func(l *srikandisim.Letter) { l.Summary = "lain" })
	d.request(flagged("letter-changed"))
	d.polled()
	if s = d.requests()[0]; s.Status != request.StatusRefused || s.Approvals != 1 {
		t.Errorf("%s after %d approvals", s.Status, s.Approvals)
	}
}

// Many words hold "disetujui" and are no approval. Nothing is done on them, and who wrote them is told.
func TestAWordThatIsNoPlainDecisionIsTold(t *testing.T) {
	t.Parallel()
	for _, word := range []string{"disetujui?", "Disetujui bila data lengkap", "ACC", "disetujui / dikembalikan"} {
		t.Run(word, func(t *testing.T) {
			t.Parallel()
			d, s := setUpRini(t, 1)
			d.says("diproses", word)
			d.toldTheVerifier(s, "tidak jelas sebagai keputusan")
			if s = d.requests()[0]; s.Approval != nil || s.Status != request.StatusChecking {
				t.Errorf("it is in %s", s.Status)
			}
		})
	}
}

// On a disposition that only informs nothing can be decided. Who tries, while the letter still lies higher up, is told where to write it.
func TestAWordAsideIsTold(t *testing.T) {
	t.Parallel()
	d := setUp(t, 1, srikandisim.Options{})
	id := d.received()
	s := d.request(opened)
	informed := d.sim.Dispose(id, srikandisim.Disposition{From: d.party("surya"), To: []srikandisim.Receiver{{Party: d.party("rini")}}, Instructions: []string{"Untuk diketahui"}})
	d.advance(time.Minute)
	d.sim.Answer(id, informed, d.party("rini").NIP, "selesai", "disetujui")
	d.toldTheVerifier(s, "hanya untuk diketahui")
	if s = d.requests()[0]; s.Approval != nil || s.Status != request.StatusReceived {
		t.Errorf("it is in %s", s.Status)
	}
}

// A word was about those whom the letter named when it was written.
func TestAWordCoversNobodyWhoEntersTheLetterLater(t *testing.T) {
	t.Parallel()
	d, _ := setUpRini(t, 2)
	d.says("selesai", "disetujui")
	d.request(in(request.StatusApproved))
	d.advance(time.Minute)
	other := d.letter(1, "500.12.10/2/2026")
	d.sim.Edit(d.id, func(l *srikandisim.Letter) {
		added := other.Files[0]
		added.ID, added.Name = "", "tambahan.pdf"
		l.Files = append(l.Files, added)
	})
	d.until("the second request", func() bool { return len(d.requests()) == 2 })
	d.advance(time.Minute)
	d.polled()
	for _, s := range d.requests() {
		if s.Approval != nil {
			t.Errorf("%s for %s is approved", s.Number, s.Subject.Name)
		}
	}
}

// As long as its reset wasn't made, an approval can be taken back where it was given.
func TestAnApprovalTakenBackInSrikandiIsVoid(t *testing.T) {
	t.Parallel()
	answers := func(edit func(r *srikandisim.Receiver)) func(*srikandisim.Letter) {
		return func(l *srikandisim.Letter) {
			all := slices.Clone(l.Dispositions)
			for i := range all {
				all[i].To = slices.Clone(all[i].To)
				for k := range all[i].To {
					edit(&all[i].To[k])
				}
			}
			l.Dispositions = all
		}
	}
	for name, c := range map[string]struct {
		edit func(l *srikandisim.Letter)
		want request.Status
	}{
		"made a return": {answers(func(r *srikandisim.Receiver) {
			at := r.FollowUps[0].At
			r.FollowUps = []srikandisim.FollowUp{{At: at, Status: "diproses", Note: "dikembalikan: NIP salah"}}
		}), request.StatusReturned},
		"made doubtful":             {answers(func(r *srikandisim.Receiver) { r.FollowUps[0].Note = "disetujui bila SK ada" }), request.StatusRefused},
		"deleted":                   {answers(func(r *srikandisim.Receiver) { r.FollowUps = nil }), request.StatusRefused},
		"its disposition withdrawn": {answers(func(r *srikandisim.Receiver) { r.Status = "dibatalkan" }), request.StatusRefused},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d, _ := setUpRini(t, 1)
			d.says("selesai", "disetujui")
			d.request(in(request.StatusApproved))
			d.advance(time.Minute)
			d.sim.Edit(d.id, c.edit)
			s := d.request(in(c.want))
			if s.Approval != nil || len(d.events(s.Number, request.ApprovalVoided)) != 1 {
				t.Errorf("it is in %s, approval %+v", s.Status, s.Approval)
			}
		})
	}
}

// After a void the verifier goes on where they work; the old word counts no second time.
func TestTheVerifierApprovesAgainInSrikandi(t *testing.T) {
	t.Parallel()
	d, _ := setUpRini(t, 1)
	d.sim.SetSkew(10 * time.Minute) // the old word seems to have come after the void
	d.says("selesai", "disetujui")
	s := d.request(in(request.StatusApproved))
	d.advance(time.Minute)
	d.act(s.Number, request.Unable{Text: "Tidak ada di AMS."})
	d.sim.Edit(d.id, func(l *srikandisim.Letter) { l.Summary = "lain" })
	s = d.request(flagged("letter-changed"))
	if s.Status != request.StatusRefused {
		t.Errorf("it is in %s", s.Status)
	}
	d.reads("Reset tidak terlaksana")
	d.says("selesai", "disetujui")
	d.request(in(request.StatusApproved))
}
