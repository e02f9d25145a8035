package request_test

import (
	"slices"
	"testing"
	"time"

	"pulih/internal/agency"
	"pulih/internal/request"
	"pulih/internal/sop"
)

// What comes back: a request that is opened again, an applicant who answers again, a letter that turns out to be another one's.

func TestAReopenedRequestOwesNothingForTheTimeItWasClosed(t *testing.T) {
	t.Parallel()
	f := open(t, office(t, "purbalingga", agency.AMS)).toVerifier().booked()
	f.must(request.Outcome{Kind: request.ResetAccepted})
	f.later(30 * time.Minute)
	f.must(request.Observe{Kind: request.Usable, At: f.now, By: request.Actor{Role: sop.Applicant}})
	f.is(request.StatusClosed)
	before, err := f.total()
	if err != nil {
		t.Fatal(err)
	}
	f.later(24 * time.Hour)
	f.must(request.Reopen{By: rini, Text: "Passphrase tidak dapat dipakai."})
	f.later(10 * time.Minute)
	after, err := f.total()
	if err != nil || after-before != 10*time.Minute {
		t.Errorf("%s used when it was closed, %s now, %v", before, after, err)
	}
	steps, _, err := request.Clocks(f.s, f.a, f.now)
	if err != nil {
		t.Fatal(err)
	}
	now, ok := request.Current(steps)
	if !ok || now.Step.Ends != sop.EndsApproved && now.Step.Ends != sop.EndsReset || f.now.Sub(now.Start) != 10*time.Minute {
		t.Errorf("at work is %s since %s", now.Step.ID, now.Start)
	}
}

// total is the time used on the whole.
func (f *file) total() (time.Duration, error) {
	_, total, err := request.Clocks(f.s, f.a, f.now)
	if err != nil {
		return 0, err
	}
	return total.Reading.Used, nil
}

func TestTheVerifiersAreToldOfATroubleOnce(t *testing.T) {
	t.Parallel()
	f := open(t, office(t, "purbalingga", agency.AMS)).toVerifier().booked()
	f.must(request.Outcome{Kind: request.ResetAccepted})
	by := request.Actor{Role: sop.Applicant, Via: "status"}
	say := func(code, text string, want int) {
		t.Helper()
		f.must(request.Trouble{By: by, Code: code, Text: text})
		if n := len(f.mails()[request.MailCallApplicant]); n != want {
			t.Errorf("%s %q: %d mails to the verifiers, want %d", code, text, n, want)
		}
	}
	say(request.NoLink, "belum ada e-mail", 2)
	version := f.s.Version
	say(request.NoLink, "belum ada e-mail", 0)
	if f.s.Version != version {
		t.Error("the same answer twice is two events")
	}
	say(request.NoLink, "masih belum ada", 0)
	say(request.Failed, "swafoto ditolak", 2)
	f.must(request.Note{By: rini, Text: "Sudah saya telepon."})
	say(request.Failed, "swafoto ditolak lagi", 2)
	f.must(request.Observe{Kind: request.Usable, At: f.now, By: by})
	f.is(request.StatusClosed)
}

// A notice may be anybody's: it has AMS looked at, and moves nothing.
func TestANoticeHasAMSLookedAt(t *testing.T) {
	t.Parallel()
	f := open(t, office(t, "purbalingga", agency.AMS)).toVerifier().booked()
	f.must(request.Outcome{Kind: request.ResetUncertain})
	notice := request.Evidence{By: request.Actor{Role: sop.BSrE, Name: "BSrE", Via: "mail"}, Text: "Pemberitahuan masuk: Reset Passphrase"}
	f.must(notice)
	f.is(request.StatusUncertain)
	if !slices.Contains(f.effects, request.Effect(request.Watch{AtOnce: true})) || len(f.mails()[request.MailUncertain]) != 2 {
		t.Errorf("effects %v", f.effects)
	}
	f.must(notice) // a stranger who goes on writing
	if len(f.effects) != 0 {
		t.Errorf("a second notice led to %v", f.effects)
	}
}

func TestALetterIsPartedByAVerifier(t *testing.T) {
	t.Parallel()
	joined := func(t *testing.T) *file {
		f := open(t, office(t, "purbalingga", agency.AMS)).toVerifier()
		f.must(request.Join{By: rini, Letter: request.Letter{ID: 77, Channel: "mail", ReceivedAt: f.now}})
		if e := f.events[len(f.events)-1]; e.Kind != request.LetterJoined || e.By != rini {
			t.Errorf("joined by %v", e.By)
		}
		return f
	}
	part := request.Part{By: rini, LetterID: 77, Text: "Surat orang lain."}
	f := joined(t)
	f.refused(request.NotAllowed, request.Part{By: kasi, LetterID: 77, Text: "x"})
	f.refused(request.WrongState, request.Part{By: rini, LetterID: 78, Text: "x"})
	f.refused(request.Incomplete, request.Part{By: rini, LetterID: 77})
	f.must(part)
	if len(f.s.Letters) != 1 || f.s.Letters[0].ID == 77 {
		t.Errorf("letters %v", f.s.Letters)
	}
	f.refused(request.WrongState, part)
	f.refused(request.WrongState, request.Part{By: rini, LetterID: f.s.Letters[0].ID, Text: "x"}) // the last one
	f = joined(t)
	f.must(f.approval(rini))
	f.refused(request.WrongState, part)
	f.must(request.Unsure{By: rini})
	f.refused(request.WrongState, part)
}

// A letter that was passed on before it was first seen is nobody's work above.
// Of a request's letters each that is gone counts: the warning stays until the last one is back, or is no longer of this request.
func TestALetterThatIsGoneIsBack(t *testing.T) {
	t.Parallel()
	f := open(t, office(t, "purbalingga", agency.AMS)).toVerifier()
	f.must(request.Join{Letter: request.Letter{ID: 2, Channel: "srikandi", SrikandiID: "nm-2"}}, request.Join{Letter: request.Letter{ID: 3, Channel: "srikandi", SrikandiID: "nm-3"}})
	f.must(request.Gone{LetterID: 1, Text: "x"}, request.Gone{LetterID: 2, Text: "x"}, request.Gone{LetterID: 3, Text: "x"})
	version := f.s.Version
	f.must(request.Gone{LetterID: 2, Text: "x"})
	if f.s.Version != version {
		t.Error("a letter that is gone was told of twice")
	}
	f.must(request.Back{LetterID: 1, Text: "y"}, request.Back{LetterID: 2, Text: "y"})
	if !f.s.Has("letter-gone") || !f.s.Has("letter-back") {
		t.Errorf("one letter is gone still, and there is %v", f.s.Findings)
	}
	version = f.s.Version
	f.must(request.Back{LetterID: 2, Text: "y"})
	if f.s.Version != version {
		t.Error("a letter that was there is told of as back")
	}
	parted := f.s.With(nil)
	f.must(request.Back{LetterID: 3, Text: "y"})
	if f.s.Has("letter-gone") || !f.s.ChangedAt.Equal(f.now) {
		t.Errorf("all letters are there, and there is %v, changed at %v", f.s.Findings, f.s.ChangedAt)
	}
	f.s = parted
	f.must(request.Part{By: rini, LetterID: 3, Text: "surat lain"})
	if f.s.Has("letter-gone") {
		t.Error("the letter that is gone is of another request, and the warning stays")
	}
}

func TestWhoHasPassedALetterOnIsNotAskedTo(t *testing.T) {
	t.Parallel()
	f := open(t, office(t, "madiun", agency.AMS), func(o *request.Open) {
		o.Dispositions = []request.Disposition{passed("d1", o.Letter.ReceivedAt, kadin, kabid), passed("d2", o.Letter.ReceivedAt, kabid, kasi), passed("d3", o.Letter.ReceivedAt, kasi, rini)}
	})
	f.is(request.StatusChecking)
	if got := f.mails()[request.MailWork]; !slices.Equal(got, []string{"rini@contoh.go.id"}) {
		t.Errorf("asked to work on it: %v", got)
	}
	f.must(request.Dispose{LetterID: 1, Now: f.s.Dispositions})
	if len(f.effects) != 0 {
		t.Errorf("the same dispositions again led to %v", f.effects)
	}
}

// The letter in Srikandi tells its office how long each part took.
func TestTheLettersLastFollowUpHasTheTimes(t *testing.T) {
	t.Parallel()
	f := open(t, office(t, "purbalingga", agency.AMS)).toVerifier()
	f.later(20 * time.Minute)
	f.booked()
	f.must(request.Outcome{Kind: request.ResetAccepted})
	f.later(time.Hour)
	f.must(request.Observe{Kind: request.Usable, At: f.now, By: request.Actor{Role: sop.Applicant}})
	i := slices.IndexFunc(f.effects, func(e request.Effect) bool { _, ok := e.(request.FollowUp); return ok })
	const want = "Passphrase telah diatur ulang; TTE dapat digunakan kembali. Diterima 23/11/2026 08.00, disetujui 23/11/2026 08.20, diajukan ke BSrE 23/11/2026 08.20, " +
		"tautan terkirim 23/11/2026 08.20, selesai 23/11/2026 09.20 WIB."
	if i < 0 || f.effects[i].(request.FollowUp).Text != want {
		t.Errorf("effects %v", f.effects)
	}
}

// What comes back comes back to whom it was given; a reset is the work of whoever approved it.
func TestWhoseWorkItIsWhenItComesBack(t *testing.T) {
	t.Parallel()
	with := func(f *file, what string, want ...string) {
		t.Helper()
		if !slices.Equal(f.s.HolderIDs, want) {
			t.Errorf("%s: with %v, want %v", what, f.s.HolderIDs, want)
		}
	}
	f := open(t, office(t, "purbalingga", agency.AMS)).toVerifier()
	with(f, "passed to rini", rini.ID)
	f.must(request.Return{By: galih, Missing: []string{"stempel"}}, request.Complete{By: galih})
	with(f, "completed", rini.ID)
	f.must(f.approval(galih))
	with(f, "approved by galih", galih.ID)
	f.must(request.AwaitSession{})
	with(f, "waiting for galih's session", galih.ID)
	f.must(request.Unable{Text: "Tidak ditemukan di AMS."})
	with(f, "nothing could be sent", rini.ID)
	if e := f.events[len(f.events)-1]; e.Kind != request.ApprovalVoided {
		t.Errorf("that BSrE was never asked is recorded as %s", e.Kind)
	}
	f.must(f.approval(rini))
	f.must(f.booking(), request.Outcome{Kind: request.ResetAccepted}, request.Reopen{By: rini, Text: "Tautan tidak sampai."})
	f.must(f.approval(rini))
	f.is(request.StatusSecond)
	with(f, "a second verifier must agree")
	f.must(f.approval(galih), request.CouldNot{By: galih, Text: "Portal tidak dapat dibuka."}, request.Assign{By: kasi})
	with(f, "given to all verifiers")
}

// A letter that is exchanged after its approval is looked at as the danger that it may be.
func TestALetterExchangedAfterItsApproval(t *testing.T) {
	t.Parallel()
	f := open(t, office(t, "purbalingga", agency.AMS)).toVerifier()
	f.must(f.approval(rini))
	other := f.s.Subject
	other.Name, other.Email = "Orang Lain", "orang.lain@contoh.go.id"
	f.must(request.Join{Letter: f.s.Letters[0], Subject: &other, Changed: []string{"Nama pemohon berubah"}})
	f.is(request.StatusRefused)
	f.refused(request.RisksUnseen, f.approval(rini))
}
