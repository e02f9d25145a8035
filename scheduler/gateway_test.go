package scheduler_test

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"pulih/internal/demo"
	"pulih/internal/demo/srikandisim"
	"pulih/internal/letter"
	"pulih/internal/request"
	"pulih/internal/sop"
	"pulih/internal/store"
	"pulih/mailflow"
)

// A letter that the gateway answers with 500 by itself, until it has left the overlap window for good, is not lost.
func TestALetterThatCantBeHadIsOwed(t *testing.T) {
	t.Parallel()
	d := setUp(t, 2, srikandisim.Options{})
	id := d.sim.AddLetter(d.letter(0, "500.12.10/1/2026"))
	d.broken.Store(id, http.StatusInternalServerError)
	d.serve()
	d.until("it is owed", func() bool { return d.count(`SELECT count(*) FROM owed_letters WHERE srikandi_id = $1`, id) == 1 })
	d.advance(2 * time.Hour)
	d.sim.AddLetter(d.letter(1, "500.12.10/2/2026")) // moves the cursor away from it
	d.until("the other is read", func() bool { return len(d.requests()) == 1 })
	d.polled()
	d.broken.Delete(id)
	d.polled()
	if d.count(`SELECT count(*) FROM letters WHERE source = $1`, id) != 0 {
		t.Error("it was asked for before its time")
	}
	d.advance(24 * time.Hour)
	d.until("it is read", func() bool { return len(d.requests()) == 2 })
	if n := d.count(`SELECT count(*) FROM owed_letters`) + d.count(`SELECT count(*) FROM rejections`); n != 0 {
		t.Errorf("%d rows tell of a letter that came after all", n)
	}
}

// Rows without an id are for a human at once, those with one after several tries; the operator gets one mail a day.
func TestRowsForAHuman(t *testing.T) {
	t.Parallel()
	d := setUp(t, 1, srikandisim.Options{Seed: 3})
	d.sim.AddLetter(d.letter(0, "500.12.10/1/2026"))
	d.sim.SetFaults(srikandisim.Faults{Chance: map[srikandisim.Fault]float64{srikandisim.Malformed: 1}})
	d.serve()
	d.until("rows are kept", func() bool { return d.count(`SELECT count(*) FROM rejections WHERE source LIKE 'srikandi /%'`) >= 3 })
	d.polled()
	d.polled()
	if n := d.count(`SELECT count(*) FROM rejections`); n > 6 {
		t.Errorf("%d rows kept of 5 different ones and a letter", n)
	}
	if n := d.count(`SELECT count(*) FROM outbox WHERE template = 'operator-alarm'`); n != 1 {
		t.Errorf("%d alarms", n)
	}
	if len(d.requests()) != 1 {
		t.Error("a bad row stopped the letter beside it")
	}
	rows, err := d.store.Rejections(t.Context(), d.a.Key)
	if err != nil || len(rows) == 0 {
		t.Fatalf("%d rows to look at, %v", len(rows), err)
	}
	for _, r := range rows {
		if raw, err := d.store.RejectedRaw(t.Context(), r.ID); err != nil || len(raw) == 0 || !strings.HasPrefix(r.Source, "srikandi") || r.What == "" {
			t.Errorf("row %+v: %q, %v", r, raw, err)
		}
	}
}

// A row that can't be read, of a letter that isn't there by itself, is all that anybody will ever see of it: it is kept, once, and told once.
func TestARowWithoutALetterIsKept(t *testing.T) {
	t.Parallel()
	d := setUp(t, 1, srikandisim.Options{Seed: 3})
	id := d.sim.AddLetter(d.letter(0, "500.12.10/1/2026"))
	d.broken.Store(id, http.StatusNotFound)
	d.sim.SetFaults(srikandisim.Faults{Chance: map[srikandisim.Fault]float64{srikandisim.Malformed: 1}})
	d.serve()
	d.until("the row is kept, and the five that name no letter", func() bool { return d.count(`SELECT count(*) FROM rejections`) == 6 })
	rows, err := d.store.Rejections(t.Context(), d.a.Key)
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(rows, func(r store.Rejection) bool { return r.Source == "srikandi "+id })
	if i < 0 || !strings.Contains(rows[i].What, "naskahnya tidak ada di sana") {
		t.Fatalf("%s isn't among %+v", id, rows)
	}
	if raw, err := d.store.RejectedRaw(t.Context(), rows[i].ID); err != nil || !strings.Contains(string(raw), "kemarin sore") {
		t.Errorf("the row reads %q, %v", raw, err)
	}
	d.advance(25 * time.Hour)
	d.polled()
	if n := d.count(`SELECT count(*) FROM rejections`) + d.count(`SELECT count(*) FROM owed_letters`); n != 6 {
		t.Errorf("%d rows a day later", n)
	}
	if n := d.count(`SELECT count(*) FROM outbox WHERE template = 'operator-alarm'`); n != 1 {
		t.Errorf("%d alarms", n)
	}
}

func TestAnEditedLetterReachesItsRequest(t *testing.T) {
	t.Parallel()
	d := setUp(t, 2, srikandisim.Options{})
	id := d.sim.AddLetter(d.letter(0, "500.12.10/1/2026"))
	d.serve()
	d.request(func(s request.State) bool { return s.Subject.NIP == official(0).NIP })
	d.advance(time.Minute)

	// The number alone: an event, no other applicant.
	d.sim.Edit(id, func(l *srikandisim.Letter) { l.Number = "500.12.10/77/2026" })
	s := d.request(flagged("letter-changed"))
	changes := d.events(s.Number, request.LetterChanged)
	if len(changes) != 1 || !strings.Contains(changes[0].Text, "500.12.10/77/2026") || changes[0].Subject != nil {
		t.Errorf("events: %+v", changes)
	}

	// The letter is exchanged for one about somebody else, before anybody decided: the same request is about them.
	d.exchange(id, 1, "500.12.10/77/2026")
	s = d.request(func(s request.State) bool { return s.Subject.NIP == official(1).NIP })
	changes = d.events(s.Number, request.LetterChanged)
	if last := changes[len(changes)-1]; !strings.Contains(last.Text, "NIP pemohon berubah") || strings.Contains(last.Text, official(1).NIP) {
		t.Errorf("the verifier reads %q", last.Text)
	}
	if s.Subject.Email != official(1).Email {
		t.Errorf("the link would go to %s", s.Subject.Email)
	}
}

// An approval doesn't cover an applicant whom nobody had seen when it was given.
func TestAnEditAfterTheApprovalVoidsIt(t *testing.T) {
	t.Parallel()
	d, s := setUpRini(t, 2)
	d.act(s.Number, approval(s))
	d.exchange(d.id, 1, "500.12.10/1/2026")
	s = d.request(func(s request.State) bool { return s.Subject.NIP == official(1).NIP })
	if s.Approval != nil || s.Status != request.StatusRefused {
		t.Errorf("status %s, approval %+v", s.Status, s.Approval)
	}
}

// Once the reset was made it is too late to change whom it was for: that is a danger, not a new subject.
func TestAnEditAfterTheResetIsAFinding(t *testing.T) {
	t.Parallel()
	d, s := setUpRini(t, 2)
	d.act(s.Number, approval(s), request.Confirm{By: rini})
	d.exchange(d.id, 1, "500.12.10/1/2026")
	s = d.request(flagged("subject-changed"))
	if s.Subject.NIP != official(0).NIP || s.Status != request.StatusLink {
		t.Errorf("status %s, subject of another person: %v", s.Status, s.Subject.NIP != official(0).NIP)
	}
}

// Dispositions alone open no file again, and never move what they don't ask for.
func TestDispositionsAloneAreNoNewReading(t *testing.T) {
	t.Parallel()
	d := setUp(t, 1, srikandisim.Options{})
	id := d.sim.AddLetter(d.letter(0, "500.12.10/1/2026"))
	d.serve()
	d.request(in(request.StatusReceived))
	d.advance(time.Minute)
	d.sim.Dispose(id, srikandisim.Disposition{From: d.party("surya"), To: []srikandisim.Receiver{{Party: d.party("rini")}}, Instructions: []string{"Untuk diketahui"}})
	d.advance(time.Minute)
	first := d.pass(id, "surya", "laras")
	d.advance(time.Minute)
	second := d.pass(id, "laras", "rini")
	d.request(in(request.StatusChecking))
	d.advance(time.Minute)
	d.sim.Withdraw(id, second)
	s := d.request(func(s request.State) bool { return s.Holder == sop.Division })
	if !slices.ContainsFunc(s.Dispositions, func(x request.Disposition) bool { return x.ID == first }) {
		t.Error("the first disposition is gone too")
	}
	if n := len(d.events(s.Number, request.LetterChanged)); n != 0 {
		t.Errorf("%d changes of a letter that nobody edited", n)
	}
	if got := d.sim.Journal().Calls[srikandisim.Attachment]; got != 1 {
		t.Errorf("the file was downloaded %d times", got)
	}
}

// One refused sign-in, then quiet: also across restarts and daemons, until an operator has looked.
func TestARefusedSignIn(t *testing.T) {
	t.Parallel()
	d := setUp(t, 1, srikandisim.Options{})
	d.sim.RefuseSignIn(true)
	d.sim.AddLetter(d.letter(0, "500.12.10/1/2026"))
	stop := d.serve()
	d.until("the operator is told", func() bool { return d.count(`SELECT count(*) FROM outbox WHERE template = 'operator-alarm'`) == 1 })
	tries := len(d.sim.Journal().Tokens)
	stop()
	d.serve()
	d.serve()
	polls := func() int {
		return d.count(`SELECT count(*) FROM river_job WHERE kind = 'poll_gateway' AND finalized_at IS NOT NULL`)
	}
	before := polls()
	d.until("more polls", func() bool { return polls() > before+5 })
	if n := len(d.sim.Journal().Tokens); n != tries || tries != 1 {
		t.Errorf("%d sign-ins, %d after a restart", tries, n)
	}
	if n := d.count(`SELECT count(*) FROM outbox WHERE template = 'operator-alarm'`); n != 1 {
		t.Errorf("%d alarms", n)
	}
	d.sim.RefuseSignIn(false)
	d.advance(time.Minute)
	if err := d.store.RetrySignIn(t.Context(), d.a.Key, d.Now()); err != nil {
		t.Fatal(err)
	}
	d.until("it is read", func() bool { return len(d.requests()) == 1 })
}

// Weeks of silence: what came meanwhile is read in order, each person gets one mail about all of it, and clocks run from the arrival.
func TestTheBacklogOfAnOutage(t *testing.T) {
	t.Parallel()
	d := setUp(t, 13, srikandisim.Options{})
	d.received()
	d.sim.SetOutage(true)
	d.until("it fails", func() bool { return d.count(`SELECT count(*) FROM gateways WHERE failing_since IS NOT NULL`) == 1 })
	before := d.count(singleMails)
	arrived := map[string]time.Time{}
	for i := 1; i <= 12; i++ {
		d.advance(40 * time.Hour) // three weeks, all in all
		l := d.letter(i, "500.12.10/"+string(rune('A'+i))+"/2026")
		l.ReceivedAt = d.Now()
		id := d.sim.AddLetter(l)
		d.pass(id, "surya", "laras")
		d.pass(id, "laras", "rini")
		arrived[official(i).NIP] = d.Now()
	}
	d.until("the operator is told", func() bool { return d.count(`SELECT count(*) FROM outbox WHERE template = 'operator-alarm'`) == 1 })
	d.sim.SetOutage(false)
	d.until("the summaries", func() bool { return d.count(`SELECT count(*) FROM outbox WHERE template = 'backlog-summary'`) > 0 })
	if n := d.count(singleMails) - before; n != 0 {
		t.Errorf("%d single mails beside the summaries", n)
	}
	all := d.requests()
	if len(all) != 13 {
		t.Fatalf("%d requests", len(all))
	}
	for i, s := range all[1:] {
		if at := arrived[s.Subject.NIP]; !s.OpenedAt.Equal(at) {
			t.Errorf("%s runs from %s, arrived %s", s.Number, s.OpenedAt, at)
		}
		if s.Subject.NIP != official(i+1).NIP {
			t.Errorf("%s isn't in order", s.Number)
		}
		notes := d.events(s.Number, request.NoteAdded)
		if len(notes) != 1 || !strings.Contains(notes[0].Text, "tidak terbaca oleh pulih") {
			t.Errorf("%s: notes %+v", s.Number, notes)
		}
	}
	// The head and the division passed everything on: nothing waits for them. Of the two verifiers one was named.
	d.until("all mails are out", func() bool { return d.count(`SELECT count(*) FROM outbox WHERE state IN ('waiting', 'sending')`) == 0 })
	if n := d.count(`SELECT count(*) FROM outbox WHERE template = 'backlog-summary' AND kind = 'staff' AND state = 'sent'`); n != 1 {
		t.Errorf("%d members of staff got a summary", n)
	}
	if n := d.count(`SELECT count(*) FROM outbox WHERE template = 'backlog-summary' AND kind = 'applicant' AND state = 'sent'`); n != 12 {
		t.Errorf("%d applicants got a summary", n)
	}
	if n := d.count(`SELECT count(*) FROM held_mails`) + d.count(`SELECT count(*) FROM gateways WHERE outage_until IS NOT NULL`); n != 0 {
		t.Error("the backlog didn't end")
	}
}

// Two weeks in which no daemon ran are like an outage: one mail a person, and each request says so.
func TestADaemonThatWasOff(t *testing.T) {
	t.Parallel()
	d := setUp(t, 13, srikandisim.Options{})
	d.sim.AddLetter(d.letter(0, "500.12.10/1000/2026"))
	stop := d.serve()
	d.request(opened)
	d.polled()
	stop()
	before := d.count(singleMails)
	for i := 1; i <= 12; i++ {
		d.advance(28 * time.Hour)
		d.pass(d.sim.AddLetter(d.letter(i, fmt.Sprintf("500.12.10/%d/2026", i))), "surya", "rini")
	}
	d.serve()
	d.until("the summaries", func() bool { return d.count(`SELECT count(*) FROM outbox WHERE template = 'backlog-summary'`) > 0 })
	if n := d.count(singleMails) - before; n != 0 {
		t.Errorf("%d single mails beside the summaries", n)
	}
	for i, s := range d.requests()[1:] {
		if notes := d.events(s.Number, request.NoteAdded); len(notes) != 1 || !strings.Contains(notes[0].Text, "tidak terbaca oleh pulih") {
			t.Errorf("%s: notes %+v", s.Number, notes)
		}
		if s.Subject.NIP != official(i+1).NIP {
			t.Errorf("%s isn't in order", s.Number)
		}
	}
	if n := d.count(`SELECT count(*) FROM outages WHERE system = 'srikandi'`); n != 0 {
		t.Error("Srikandi is blamed for it")
	}
}

// A new agency's register is read from its beginning, or from the day that the configuration names; what lies there since long makes no storm
// of mails.
func TestTheFirstReading(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, since string
		want        int
	}{
		{"all that there is", "", 9},
		{"since a day", "      since: 2026-12-01\n", 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			d := setUp(t, 9, srikandisim.Options{}, func(yaml string) string {
				return strings.Replace(yaml, "      poll: 1s\n", "      poll: 1s\n"+c.since, 1)
			})
			for i := range 8 {
				d.sim.AddLetter(d.letter(i, fmt.Sprintf("500.12.10/%d/2026", i)))
			}
			d.advance(30 * 24 * time.Hour)
			d.sim.AddLetter(d.letter(8, "500.12.10/8/2026"))
			d.serve()
			d.until("all is read", func() bool { return len(d.requests()) == c.want })
			d.polled()
			d.until("no backlog is left", func() bool { return d.count(`SELECT count(*) FROM gateways WHERE outage_until IS NOT NULL`) == 0 })
			newest := d.count(singleMails)
			if newest == 0 || newest > 4 {
				t.Errorf("%d single mails, for the one letter of today", newest)
			}
			for _, s := range d.requests() {
				if notes := d.events(s.Number, request.NoteAdded); len(notes) != 0 {
					t.Errorf("%s: %+v", s.Number, notes)
				}
			}
		})
	}
}

const singleMails = `SELECT count(*) FROM outbox WHERE template IN ('work', 'receipt-office', 'receipt-applicant')`

// Follow-ups wait through weeks, then go in order, each once.
func TestFollowUpsOutlastAnOutage(t *testing.T) {
	t.Parallel()
	d, s := setUpRini(t, 1)
	d.followUps(1) // the receipt
	d.sim.SetOutage(true)
	d.act(s.Number, request.Return{By: rini, Missing: []string{"Fotokopi SK"}}, request.Complete{By: rini}, approval(s), request.Confirm{By: rini},
		request.Observe{Kind: request.Usable, At: d.Now(), By: rini, Text: "pemohon"})
	d.advance(20 * 24 * time.Hour)
	d.sim.Inject(srikandisim.Follow, srikandisim.Lost, srikandisim.Cut, srikandisim.Internal, srikandisim.Lost)
	d.sim.SetOutage(false)
	d.until("all are written", func() bool { return d.count(`SELECT count(*) FROM follow_ups WHERE state = 'waiting'`) == 0 })
	var words []string
	for _, f := range d.sim.Journal().FollowUps {
		if !f.Replay {
			words = append(words, f.Status)
		}
	}
	if want := []string{"diproses", "dikembalikan", "diproses", "selesai"}; !slices.Equal(words, want) {
		t.Errorf("%v, want %v", words, want)
	}
}

// What was to be said on a disposition that was withdrawn meanwhile is said on the letter.
func TestAFollowUpOnAWithdrawnDisposition(t *testing.T) {
	t.Parallel()
	d, s := setUpRini(t, 1)
	d.followUps(1) // the receipt
	d.stop()
	d.act(s.Number, request.Return{By: rini, Missing: []string{"Fotokopi SK"}})
	d.sim.Withdraw(d.id, d.disposition)
	d.serve()
	if f := d.followUps(2); f.DispositionID != "" || f.Status != "dikembalikan" || f.Replay {
		t.Errorf("%+v", f)
	}
}

// What was to be said on a letter that was lost and registered again is said on the new one; without one, the request says that it wasn't.
func TestAFollowUpOnALetterThatIsGone(t *testing.T) {
	t.Parallel()
	for _, again := range []bool{true, false} {
		t.Run(fmt.Sprint("registered again: ", again), func(t *testing.T) {
			t.Parallel()
			d, s := setUpRini(t, 1)
			d.followUps(1) // the receipt
			twin, told := "", 1
			if again {
				there, _ := d.sim.Truth()
				l := d.letter(0, "500.12.10/8/2026")
				l.Files = there[0].Files // the same paper
				twin, told = d.sim.AddLetter(l), 2
				d.request(func(s request.State) bool { return len(s.Letters) == 2 })
				d.followUps(2) // the new one is told where it went
			}
			d.stop()
			d.sim.Delete(d.id)
			d.act(s.Number, request.Return{By: rini, Missing: []string{"Fotokopi SK"}})
			d.serve()
			d.until("it is settled", func() bool { return d.count(`SELECT count(*) FROM follow_ups WHERE state = 'waiting'`) == 0 })
			written := d.sim.Journal().FollowUps
			notes := d.events(s.Number, request.NoteAdded)
			if !again {
				if len(written) != told || len(notes) != 1 || !strings.Contains(notes[0].Text, "tidak dapat ditulis di Srikandi") {
					t.Errorf("%d written, notes %+v", len(written), notes)
				}
				return
			}
			if last := written[len(written)-1]; len(written) != told+1 || last.NaskahID != twin || last.Status != "dikembalikan" || len(notes) != 0 {
				t.Errorf("written %+v, notes %+v", last, notes)
			}
		})
	}
}

// A file of several chunks comes whole; one that isn't what its letter promises is taken in the end, with a finding.
func TestFiles(t *testing.T) {
	t.Parallel()
	d := setUp(t, 1, srikandisim.Options{Redirect: true})
	l := d.letter(0, "500.12.10/1/2026")
	large := bytes.Repeat([]byte("lampiran besar "), 250_000) // 3.75 MB
	l.Files = append(l.Files, srikandisim.File{Name: "besar.txt", MIME: "text/plain", Data: large})
	id := d.sim.AddLetter(l)
	faults := make([]srikandisim.Fault, 0, 14)
	faults = append(faults, srikandisim.None)
	for range 8 { // one for the page, and six tries of the job at least
		faults = append(faults, srikandisim.Mismatch)
	}
	d.sim.Inject(srikandisim.Attachment, faults...)
	d.serve()
	s := d.request(opened)
	if !s.Has("attachment-differs") {
		t.Errorf("findings: %+v", s.Findings)
	}
	row, _, err := d.store.LetterBySource(t.Context(), d.a.Key, "srikandi", id)
	if err != nil {
		t.Fatal(err)
	}
	files, err := d.store.Files(t.Context(), row.ID)
	if err != nil || len(files) != 2 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	if i := slices.IndexFunc(files, func(f store.File) bool { return f.Name == "besar.txt" }); !bytes.HasSuffix(files[i].Data, large) {
		t.Errorf("%d bytes kept of %d", len(files[i].Data), len(large))
	}
	if n := d.count(`SELECT count(*) FROM file_chunks c WHERE NOT EXISTS (SELECT FROM files f WHERE f.upload = c.upload)`); n != 0 {
		t.Errorf("%d parts of broken downloads are left", n)
	}
}

// A letter that was lost in Srikandi's outage and sent by mail, with another number, is doubted like one that was registered again.
func TestADoubtAcrossChannels(t *testing.T) {
	t.Parallel()
	d := setUp(t, 1, srikandisim.Options{}, withInbox)
	d.sim.OfferRegister(false)
	d.received()
	d.advance(time.Hour)
	d.mail(0, "500.12.10/9/2026")
	d.until("a human is asked", func() bool { return d.count(`SELECT count(*) FROM doubts WHERE verdict IS NULL`) == 1 })
	open, err := d.store.Doubts(t.Context(), d.a.Key)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.store.SettleDoubt(t.Context(), open[0].ID, store.Join, "rini", d.Now()); err != nil {
		t.Fatal(err)
	}
	s := d.request(func(s request.State) bool { return len(s.Letters) == 2 })
	if s.Letters[0].Channel != "srikandi" || s.Letters[1].Channel != "mail" {
		t.Errorf("letters %+v", s.Letters)
	}
}

// A file past the limit is left where it is, and the request says so until the file is gone; the rest of the letter is read.
func TestAFilePastTheLimit(t *testing.T) {
	t.Parallel()
	d := setUp(t, 1, srikandisim.Options{})
	l := d.letter(0, "500.12.10/1/2026")
	l.Files = append(l.Files, srikandisim.File{Name: "rekaman.mp4", MIME: "video/mp4", Data: make([]byte, 35<<20+1)},
		srikandisim.File{Name: "rekaman2.mp4", MIME: "video/mp4", Data: make([]byte, 35<<20+1), NoSum: true})
	id := d.sim.AddLetter(l)
	d.serve()
	s := d.request(opened)
	if !s.Has("attachment-missing") || s.Subject.NIP != official(0).NIP {
		t.Errorf("findings %+v", s.Findings)
	}
	if n := d.count(`SELECT count(*) FROM files`); n != 1 {
		t.Errorf("%d files kept", n)
	}
	d.advance(time.Minute)
	d.sim.Edit(id, func(l *srikandisim.Letter) { l.Files = l.Files[:1] })
	if s := d.request(flagged("letter-changed")); s.Has("attachment-missing") {
		t.Errorf("nothing is missing any more: %+v", s.Findings)
	}
}

// A letter whose job was lost is found again.
func TestALetterWithoutAJobIsRevived(t *testing.T) {
	t.Parallel()
	d := setUp(t, 1, srikandisim.Options{})
	d.received()
	d.polled()
	if d.count(`WITH l AS (UPDATE letters SET state = 'stored' RETURNING id) SELECT count(*) FROM l`) != 1 {
		t.Fatal("no letter")
	}
	unread := func() int { return d.count(`SELECT count(*) FROM letters WHERE state = 'stored'`) }
	d.polled()
	if unread() != 1 {
		t.Error("it was revived before its time")
	}
	d.advance(2 * time.Hour)
	d.until("it is read again", func() bool { return unread() == 0 })
}

// A letter that comes again under another number waits for a human, who joins it or keeps it apart.
func TestDoubts(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name     string
		second   func(d *desk) srikandisim.Letter
		verdict  store.Verdict
		requests int
	}{
		{"registered again under another number: joined", func(d *desk) srikandisim.Letter { return d.letter(0, "500.12.10/9/2026") }, store.Join, 1},
		{"registered again under another number: apart", func(d *desk) srikandisim.Letter { return d.letter(0, "500.12.10/9/2026") }, store.Apart, 2},
		{"the same number, another applicant: joined", func(d *desk) srikandisim.Letter { return d.letter(1, "500.12.10/1/2026") }, store.Join, 1},
		{"the same number, another applicant: apart", func(d *desk) srikandisim.Letter { return d.letter(1, "500.12.10/1/2026") }, store.Apart, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			d := setUp(t, 2, srikandisim.Options{})
			d.received()
			second := d.sim.AddLetter(c.second(d))
			var open []store.Doubt
			d.until("a human is asked", func() bool {
				var err error
				if open, err = d.store.Doubts(t.Context(), d.a.Key); err != nil {
					t.Fatal(err)
				}
				return len(open) > 0
			})
			if len(d.requests()) != 1 || len(open) != 1 {
				t.Fatalf("%d requests, %d doubts", len(d.requests()), len(open))
			}
			if n := d.count(`SELECT count(*) FROM outbox WHERE template = 'unclear-letter' AND letter_id = $1`, open[0].LetterID); n != 2 {
				t.Errorf("%d mails to two verifiers", n)
			}
			d.pass(second, "surya", "laras") // the world goes on meanwhile
			d.advance(time.Minute)
			if err := d.store.SettleDoubt(t.Context(), open[0].ID, c.verdict, "rini", d.Now()); err != nil {
				t.Fatal(err)
			}
			letters := func() int { return d.count(`SELECT count(*) FROM request_letters`) }
			d.until("the letter has its request", func() bool { return letters() == 2 })
			if n := len(d.requests()); n != c.requests {
				t.Errorf("%d requests, want %d", n, c.requests)
			}
			err := d.store.SettleDoubt(t.Context(), open[0].ID, store.Apart, "galih", d.Now())
			if !errors.Is(err, store.ErrNotFound) {
				t.Errorf("settled twice: %v", err)
			}
		})
	}
}

// The same file under a new id and number needs nobody: it is the same letter.
func TestALetterRegisteredAgainJoins(t *testing.T) {
	t.Parallel()
	d := setUp(t, 1, srikandisim.Options{})
	l := d.letter(0, "500.12.10/1/2026")
	first := d.sim.AddLetter(l)
	d.serve()
	d.request(opened)
	d.sim.Delete(first)
	d.advance(25 * time.Hour)
	l.Number = "500.12.10/88/2026"
	d.sim.AddLetter(l)
	s := d.request(func(s request.State) bool { return len(s.Letters) == 2 })
	if n := d.count(`SELECT count(*) FROM doubts`); n != 0 {
		t.Errorf("%d doubts about %s", n, s.Number)
	}
}

// What inside a letter can't be read is left out, and said.
func TestFlawsAreAFinding(t *testing.T) {
	t.Parallel()
	d := setUp(t, 1, srikandisim.Options{})
	id := d.sim.AddLetter(d.letter(0, "500.12.10/1/2026"))
	d.sim.Dispose(id, srikandisim.Disposition{ID: " ", From: d.party("surya"), To: []srikandisim.Receiver{{Party: d.party("rini")}}, Instructions: []string{"Tindaklanjuti"}})
	d.serve()
	s := d.request(opened)
	i := slices.IndexFunc(s.Findings, func(f letter.Finding) bool { return f.Code == "srikandi-flaws" })
	if i < 0 || !strings.Contains(s.Findings[i].Detail, "disposisi") {
		t.Errorf("findings: %+v", s.Findings)
	}
}

// A letter that came by mail is registered once, under the mail's own key, and joins itself when Srikandi shows it.
func TestALetterFromTheMailIsRegisteredOnce(t *testing.T) {
	t.Parallel()
	d := setUp(t, 3, srikandisim.Options{}, withInbox)
	d.sim.Inject(srikandisim.Register, srikandisim.Lost, srikandisim.Unavailable, srikandisim.Lost)
	d.mail(0, "500.12.10/1/2026")
	d.serve()
	d.until("it is registered", func() bool { return d.count(`SELECT count(*) FROM registrations WHERE state = 'done'`) == 1 })
	s := d.request(func(s request.State) bool { return len(s.Letters) == 2 })
	if l, ok := s.InSrikandi(); !ok || l.SrikandiID == "" {
		t.Error("the request doesn't know its letter in Srikandi")
	}
	var first []string
	for _, r := range d.sim.Journal().Registrations {
		if !r.Replay {
			first = append(first, r.NaskahID)
		}
	}
	if truth, _ := d.sim.Truth(); len(first) != 1 || len(truth) != 1 || len(truth[0].Files) != 1 {
		t.Errorf("registered as %v", first)
	}
}

// A gateway that registers nothing (501) is asked once a day, not once a letter.
func TestAGatewayThatRegistersNothing(t *testing.T) {
	t.Parallel()
	d := setUp(t, 3, srikandisim.Options{}, withInbox)
	d.sim.OfferRegister(false)
	d.mail(0, "500.12.10/1/2026")
	d.serve()
	d.until("the first", func() bool { return d.count(`SELECT count(*) FROM registrations WHERE state = 'not-offered'`) == 1 })
	d.mail(1, "500.12.10/2/2026")
	d.until("the second", func() bool { return d.count(`SELECT count(*) FROM registrations WHERE state = 'not-offered'`) == 2 })
	if n := d.sim.Journal().Calls[srikandisim.Register]; n != 1 {
		t.Errorf("asked %d times", n)
	}
	d.advance(25 * time.Hour)
	d.mail(2, "500.12.10/3/2026")
	d.until("the third", func() bool { return d.count(`SELECT count(*) FROM registrations WHERE state = 'not-offered'`) == 3 })
	if n := d.sim.Journal().Calls[srikandisim.Register]; n != 2 {
		t.Errorf("asked %d times", n)
	}
}

func withInbox(yaml string) string {
	i := strings.Index(yaml, "    outbox:")
	return yaml[:i] + `    inbox:
      host: 127.0.0.1
      port: 1
      tls: none
      user: tte@purbalinggakab.go.id
      password_file: ` + strings.TrimSpace(between(yaml, "client_secret_file:", "\n")) + `
      authserv_id: mx.purbalinggakab.go.id
` + yaml[i:]
}

func between(s, from, to string) string {
	_, s, _ = strings.Cut(s, from)
	s, _, _ = strings.Cut(s, to)
	return s
}

// mail lays a letter into the archive as the inbox does.
func (d *desk) mail(i int, number string) {
	d.t.Helper()
	l := d.letter(i, number)
	m := demo.Message{From: "dindikbud@purbalinggakab.go.id", To: "tte@purbalinggakab.go.id", Subject: l.Subject, Text: "Terlampir surat kami.",
		Name: "surat.pdf", Data: l.Files[0].Data, At: d.Now()}
	raw, uid := m.Raw(), uint32(i+1)
	err := d.store.Inbox(d.Now).Save(d.t.Context(), d.a.Key+"/INBOX", []mailflow.Arrival{{UIDValidity: 1, UID: uid, Raw: raw, Size: int64(len(raw)), InternalDate: d.Now()}},
		mailflow.Cursor{UIDValidity: 1, UID: uid})
	if err != nil {
		d.t.Fatal(err)
	}
}
