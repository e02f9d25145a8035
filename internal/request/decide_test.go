package request_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pulih/internal/agency"
	"pulih/internal/letter"
	"pulih/internal/request"
	"pulih/internal/sop"
)

func TestWhoMayDecide(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		who  string
		by   request.Actor
		code string // of approving, returning and rejecting; empty: they may
	}{
		{"a verifier", rini, ""},
		{"another verifier", galih, ""},
		{"the head of agency", kadin, request.NotAllowed},
		{"the head of section", kasi, request.NotAllowed},
		{"the operator", operator, request.NotAllowed},
		{"somebody of another agency", stranger, request.NotAllowed},
		{"nobody", request.Actor{}, request.NotAllowed},
		{"the software itself", request.System, request.NotAllowed},
		{"an applicant who says that they are a verifier", request.Actor{Name: applicant.Name, Role: sop.Verifier}, request.NotAllowed},
	} {
		t.Run(c.who, func(t *testing.T) {
			f := open(t, office(t, "purbalingga", agency.AMS)).toVerifier()
			for _, cmd := range []request.Command{
				f.approval(c.by),
				request.Return{By: c.by, Missing: []string{"stempel"}},
				request.Reject{By: c.by, Text: "Bukan pejabat kami."},
			} {
				at := *f
				if c.code != "" {
					at.refused(c.code, cmd)
				} else if err := at.try(cmd); err != nil {
					t.Errorf("%T: %v", cmd, err)
				}
			}
		})
	}
}

func TestADeputyDecidesWhileTheVerifierIsAway(t *testing.T) {
	t.Parallel()
	a := office(t, "purbalingga", agency.AMS)
	for i := range a.Staff {
		if a.Staff[i].ID == rini.ID {
			a.Staff[i].Leave = []agency.Leave{{Deputy: kasi.ID, From: morning, Until: morning.AddDate(0, 0, 1)}}
		}
	}
	f := open(t, a).toVerifier()
	f.must(f.approval(kasi))
	f.is(request.StatusApproved)
	tomorrow := open(t, a).toVerifier()
	tomorrow.later(24 * time.Hour)
	tomorrow.refused(request.NotAllowed, tomorrow.approval(kasi))
}

func TestNobodyApprovesTheirOwnReset(t *testing.T) {
	t.Parallel()
	for what, change := range map[string]func(*request.Subject, agency.Person){
		"the NIP is the verifier's":            func(s *request.Subject, p agency.Person) { s.NIP = p.NIP },
		"the NIP with blanks":                  func(s *request.Subject, p agency.Person) { s.NIP = p.NIP[:8] + " " + p.NIP[8:] },
		"the address, another NIP":             func(s *request.Subject, p agency.Person) { s.Email = "RINI@contoh.go.id" },
		"the name, where no NIP is in the way": func(s *request.Subject, p agency.Person) { s.NIP, s.Name = "", p.Name },
	} {
		t.Run(what, func(t *testing.T) {
			a := office(t, "purbalingga", agency.AMS)
			p, _ := a.Person(rini.ID)
			f := open(t, a, func(o *request.Open) { change(&o.Subject, p) }).toVerifier()
			f.refused(request.OwnRequest, f.approval(rini))
			f.refused(request.OwnRequest, request.Return{By: rini, Missing: []string{"x"}})
			f.must(f.approval(galih)) // the colleague may
			f.refused(request.OwnRequest, request.Confirm{By: rini})
		})
	}
}

func TestAnApprovalNeedsWhatItIsMadeOn(t *testing.T) {
	t.Parallel()
	a := office(t, "purbalingga", agency.AMS)
	t.Run("a letter that nobody has passed on", func(t *testing.T) {
		f := open(t, a)
		f.refused(request.WrongState, f.approval(rini))
		f.must(request.Forward{By: kadin, To: []request.Actor{kabid}})
		f.refused(request.WrongState, f.approval(rini))
	})
	t.Run("data as they were seen", func(t *testing.T) {
		f := open(t, a).toVerifier()
		seen := f.approval(rini)
		seen.Subject.Email = "wahyu@surel-gratis.example"
		f.refused(request.DataChanged, seen)
	})
	t.Run("an official that the directory knows", func(t *testing.T) {
		f := open(t, a, func(o *request.Open) { o.Subject.Known = false }).toVerifier()
		f.refused(request.NoAddress, f.approval(rini))
	})
	t.Run("an address", func(t *testing.T) {
		f := open(t, a, func(o *request.Open) { o.Subject.Email = "" }).toVerifier()
		f.refused(request.NoAddress, f.approval(rini))
	})
	t.Run("a look at the dangers", func(t *testing.T) {
		f := open(t, a, func(o *request.Open) { o.Findings = danger("sender-unauthentic") }).toVerifier()
		f.refused(request.RisksUnseen, f.approval(rini))
		seen := f.approval(rini)
		seen.SeenRisks = true
		f.must(seen)
		f.is(request.StatusApproved)
	})
	t.Run("a warning is no danger", func(t *testing.T) {
		f := open(t, a, func(o *request.Open) { o.Findings = []letter.Finding{{Code: "old-letter", Severity: letter.Warning}} }).toVerifier()
		f.must(f.approval(rini))
	})
	t.Run("a request that waits for it", func(t *testing.T) {
		f := open(t, a).toVerifier()
		f.must(f.approval(rini))
		f.refused(request.WrongState, f.approval(rini))
		f.must(f.booking())
		f.refused(request.WrongState, f.approval(galih))
	})
}

func TestWhatNeedsTwoVerifiers(t *testing.T) {
	t.Parallel()
	careful := *office(t, "purbalingga", agency.AMS)
	careful.Rules.FourEyes = true
	for why, f := range map[string]*file{
		"a repeated reset": open(t, office(t, "purbalingga", agency.AMS), func(o *request.Open) {
			o.Findings = []letter.Finding{{Code: "repeated-reset", Severity: letter.Warning, Detail: "Reset tiga hari lalu."}}
		}),
		"an agency with four eyes": open(t, &careful),
	} {
		t.Run(why, func(t *testing.T) {
			f.t = t
			f.toVerifier()
			f.must(f.approval(rini))
			f.is(request.StatusSecond)
			for _, e := range f.effects {
				if _, ok := e.(request.Reset); ok {
					t.Error("one approval queued a reset")
				}
			}
			f.refused(request.WrongState, f.booking())
			f.refused(request.SameVerifier, f.approval(rini))
			f.must(f.approval(galih))
			f.is(request.StatusApproved)
			if f.s.Approval.By.ID != "rini" || f.s.Approval.Second == nil || f.s.Approval.Second.ID != "galih" {
				t.Errorf("approved by %v and %v", f.s.Approval.By, f.s.Approval.Second)
			}
			f.must(f.booking())
		})
	}
}

// Invariants 3 and 4 at the last door before BSrE.
func TestInvariant3ACallIsBookedOnExactlyWhatWasApproved(t *testing.T) {
	t.Parallel()
	approved := func(t *testing.T) *file {
		f := open(t, office(t, "purbalingga", agency.AMS)).toVerifier()
		f.must(f.approval(rini))
		return f
	}
	for what, c := range map[string]struct {
		change func(*request.Booking)
		code   string
	}{
		"another address":       {func(b *request.Booking) { b.Email = "lain@contoh.go.id" }, request.DataChanged},
		"another approval":      {func(b *request.Booking) { b.Approval-- }, request.DataChanged},
		"a user without an id":  {func(b *request.Booking) { b.UID = "" }, request.Incomplete},
		"no certificate's name": {func(b *request.Booking) { b.Serial = "" }, request.Incomplete},
	} {
		t.Run(what, func(t *testing.T) {
			f := approved(t)
			b := f.booking()
			c.change(&b.Booking)
			f.refused(c.code, b)
		})
	}
	t.Run("without an approval", func(t *testing.T) {
		f := approved(t)
		b := f.booking()
		g := open(t, f.a).toVerifier()
		g.refused(request.WrongState, b)
	})
	t.Run("a second time", func(t *testing.T) {
		f := approved(t)
		b := f.booking()
		f.must(b)
		f.refused(request.WrongState, b)
		f.must(request.Outcome{Kind: request.ResetUncertain})
		f.refused(request.WrongState, b)
		f.must(request.Outcome{Kind: request.ResetRefused})
		f.refused(request.WrongState, b)
	})
	t.Run("again after a call that never left", func(t *testing.T) {
		f := approved(t)
		f.must(f.booking())
		f.must(request.Outcome{Kind: request.ResetNotSent})
		f.is(request.StatusApproved)
		f.must(f.booking())
		f.is(request.StatusBooked)
	})
}

func TestInvariant4AfterAnUncertainCallOnlyAVerifierDecides(t *testing.T) {
	t.Parallel()
	uncertain := func(t *testing.T) *file {
		f := open(t, office(t, "purbalingga", agency.AMS)).toVerifier().booked()
		f.must(request.Outcome{Kind: request.ResetUncertain, Text: "Sambungan terputus."})
		f.is(request.StatusUncertain)
		return f
	}
	t.Run("nothing calls again by itself", func(t *testing.T) {
		f := uncertain(t)
		for _, e := range f.effects {
			if _, ok := e.(request.Reset); ok {
				t.Error("an uncertain call queued another one")
			}
		}
		if len(f.mails()[request.MailUncertain]) != 2 {
			t.Errorf("the verifiers are told by %v", f.mails())
		}
	})
	t.Run("another approval says why", func(t *testing.T) {
		f := uncertain(t)
		f.refused(request.Incomplete, request.Approve{By: rini, Subject: f.s.Subject})
		f.refused(request.NotAllowed, request.Approve{By: kadin, Subject: f.s.Subject, Text: "Segera."})
		f.must(request.Approve{By: rini, Subject: f.s.Subject, Text: "Di AMS tidak tampak pengiriman."})
		f.must(f.booking())
	})
	t.Run("a verifier saw that it went", func(t *testing.T) {
		f := uncertain(t)
		f.refused(request.NotAllowed, request.Confirm{By: kasi})
		f.must(request.Confirm{By: rini})
		f.is(request.StatusLink)
	})
	t.Run("a verifier saw that it didn't", func(t *testing.T) {
		f := uncertain(t)
		f.refused(request.Incomplete, request.CouldNot{By: rini})
		f.must(request.CouldNot{By: rini, Text: "Tidak tampak di AMS."})
		f.is(request.StatusRefused)
		f.refused(request.WrongState, request.Confirm{By: rini})
		f.must(f.approval(galih))
	})
	t.Run("the answer came after all", func(t *testing.T) {
		f := uncertain(t)
		f.must(request.Outcome{Kind: request.ResetAccepted})
		f.is(request.StatusLink)
	})
	t.Run("a new certificate shows that it went", func(t *testing.T) {
		f := uncertain(t)
		f.must(request.Observe{Kind: request.Usable, At: f.now, Text: "Sertifikat lebih baru."})
		f.is(request.StatusClosed)
	})
}

func TestTheWaysToTheEnd(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		mode agency.ResetMode
		way  func(f *file)
		want request.Status
	}{
		{"the software calls, BSrE answers", agency.AMS, func(f *file) {
			f.toVerifier().booked().must(request.Outcome{Kind: request.ResetAccepted}, request.Observe{Kind: request.PassphraseSet, At: f.now},
				request.Observe{Kind: request.CertificateIssued, At: f.now}, request.Observe{Kind: request.Usable, At: f.now})
		}, request.StatusClosed},
		{"the verifier calls by hand, the applicant tells", agency.Assisted, func(f *file) {
			f.toVerifier().must(f.approval(rini))
			f.must(request.Confirm{By: rini}, request.Observe{Kind: request.Usable, At: f.now})
		}, request.StatusClosed},
		{"a session is waited for", agency.AMS, func(f *file) {
			f.toVerifier().must(f.approval(rini))
			f.must(request.AwaitSession{}, request.AwaitSession{}, f.booking(), request.Outcome{Kind: request.ResetAccepted}, request.Observe{Kind: request.Usable, At: f.now})
		}, request.StatusClosed},
		{"the telephone is checked first", agency.AMS, func(f *file) {
			f.toVerifier().must(f.approval(rini))
			f.must(request.AskPhone{}, f.booking(), request.Outcome{Kind: request.ResetAccepted}, request.Observe{Kind: request.Usable, At: f.now})
		}, request.StatusClosed},
		{"BSrE refuses, and is asked again", agency.AMS, func(f *file) {
			f.toVerifier().booked().must(request.Outcome{Kind: request.ResetRefused, Text: "Nomor telepon belum diverifikasi"}, f.approval(rini))
			f.must(f.booking(), request.Outcome{Kind: request.ResetAccepted}, request.Observe{Kind: request.Usable, At: f.now})
		}, request.StatusClosed},
		{"the call can't be prepared", agency.AMS, func(f *file) {
			f.toVerifier().must(f.approval(rini))
			f.must(request.Unable{Text: "Tidak ada di AMS."})
		}, request.StatusRefused},
		{"papers are missing, the office answers", agency.AMS, func(f *file) {
			f.toVerifier().must(request.Return{By: rini, Missing: []string{"stempel"}})
			f.later(time.Hour)
			f.must(request.Complete{By: request.Actor{Role: sop.Applicant}, Letter: &request.Letter{ID: 2, Channel: "mail", ReceivedAt: f.now}})
		}, request.StatusChecking},
		{"rejected", agency.AMS, func(f *file) { f.toVerifier().must(request.Reject{By: rini, Text: "Surat palsu."}) }, request.StatusRejected},
		{"rejected while returned", agency.AMS, func(f *file) {
			f.toVerifier().must(request.Return{By: rini, Missing: []string{"stempel"}}, request.Reject{By: rini, Text: "Tidak dilengkapi."})
		}, request.StatusRejected},
		{"rejected and taken up again", agency.AMS, func(f *file) {
			f.toVerifier().must(request.Reject{By: rini, Text: "Surat palsu."}, request.Reopen{By: galih, Text: "Ternyata asli."})
		}, request.StatusChecking},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			f := open(t, office(t, "madiun", c.mode))
			c.way(f)
			f.is(c.want)
		})
	}
}

func TestEachCommandHasItsTime(t *testing.T) {
	t.Parallel()
	closedFile := func(t *testing.T) *file {
		f := open(t, office(t, "purbalingga", agency.AMS)).toVerifier().booked()
		f.must(request.Outcome{Kind: request.ResetAccepted}, request.Observe{Kind: request.Usable, At: f.now})
		f.is(request.StatusClosed)
		return f
	}
	f := closedFile(t)
	for _, cmd := range []request.Command{
		f.approval(rini), request.Return{By: rini, Missing: []string{"x"}}, request.Reject{By: rini, Text: "x"}, request.Confirm{By: rini},
		request.CouldNot{By: rini, Text: "x"}, request.Complete{By: rini}, request.Assign{By: kadin}, request.Forward{By: kadin, To: []request.Actor{kabid}},
		request.Unable{Text: "x"}, request.Trouble{By: request.Actor{Role: sop.Applicant}}, request.Open{Letter: request.Letter{ID: 9}, Subject: applicant},
	} {
		f.refused(request.WrongState, cmd)
	}
	for _, cmd := range []request.Command{
		request.Dispose{LetterID: 1}, request.Gone{LetterID: 1}, request.Back{LetterID: 1}, request.Observe{Kind: request.Usable, At: f.now}, request.AwaitSession{}, request.AskPhone{},
		request.Remind{Due: []request.Reminder{{Step: "1", Mark: "60"}}},
	} {
		before := f.s.Version
		f.must(cmd)
		if f.s.Version != before || len(f.effects) > 0 {
			t.Errorf("%T did something to a closed request", cmd)
		}
	}
	empty := &file{t: t, a: f.a, now: morning, s: request.Fold("CTH-2026-000002", nil)}
	empty.refused(request.WrongState, f.approval(rini))

	incomplete := open(t, f.a).toVerifier()
	incomplete.refused(request.Incomplete, request.Return{By: rini})
	incomplete.refused(request.Incomplete, request.Reject{By: rini, Text: "  "})
}

func TestTheLetterGoesDownTheChain(t *testing.T) {
	t.Parallel()
	at := func(minutes int) time.Time { return morning.Add(time.Duration(minutes) * time.Minute) }
	for _, c := range []struct {
		name   string
		now    []request.Disposition
		status request.Status
		holder sop.Role
		ids    []string
	}{
		{"to the head of division", []request.Disposition{passed("d1", at(5), kadin, kabid)}, request.StatusChain, sop.Division, []string{"laras"}},
		{"step by step", []request.Disposition{passed("d1", at(5), kadin, kabid), passed("d2", at(9), kabid, kasi), passed("d3", at(12), kasi, rini)}, request.StatusChecking, sop.Verifier, []string{"rini"}},
		{"levels are skipped", []request.Disposition{passed("d1", at(5), kadin, rini, galih)}, request.StatusChecking, sop.Verifier, []string{"rini", "galih"}},
		{"back up", []request.Disposition{passed("d1", at(5), kadin, kasi), passed("d2", at(6), kasi, kabid)}, request.StatusChain, sop.Division, []string{"laras"}},
		{"back up by one who doesn't hold it", []request.Disposition{passed("d1", at(5), kadin, kasi), passed("d2", at(6), kabid, kadin)}, request.StatusChain, sop.Section, []string{"bagas"}},
		{"sideways", []request.Disposition{passed("d1", at(5), kadin, rini), passed("d2", at(6), rini, galih)}, request.StatusChecking, sop.Verifier, []string{"galih"}},
		{"for information only", []request.Disposition{{ID: "d1", From: kadin, To: []request.Actor{rini}, SentAt: at(5), Text: "Untuk diketahui"}}, request.StatusReceived, sop.Head, nil},
		{"the first of two counts", []request.Disposition{passed("d1", at(7), kadin, kasi), passed("d2", at(5), kadin, kasi)}, request.StatusChain, sop.Section, []string{"bagas"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			f := open(t, office(t, "madiun", agency.Assisted))
			f.later(20 * time.Minute)
			f.must(request.Dispose{LetterID: 1, Now: c.now})
			if f.s.Status != c.status || f.s.Holder != c.holder || !slices.Equal(f.s.HolderIDs, c.ids) {
				t.Errorf("%s at %s %v, want %s at %s %v", f.s.Status, f.s.Holder, f.s.HolderIDs, c.status, c.holder, c.ids)
			}
			version := f.s.Version
			f.must(request.Dispose{LetterID: 1, Now: c.now})
			if f.s.Version != version || len(f.effects) > 0 {
				t.Error("the same dispositions, seen again, are news")
			}
		})
	}
}

func TestAWithdrawnDispositionCountsAsNeverSent(t *testing.T) {
	t.Parallel()
	f := open(t, office(t, "madiun", agency.Assisted))
	down := []request.Disposition{passed("d1", morning.Add(5*time.Minute), kadin, kabid), passed("d2", morning.Add(9*time.Minute), kabid, rini)}
	f.later(10 * time.Minute)
	f.must(request.Dispose{LetterID: 1, Now: down})
	f.is(request.StatusChecking)
	f.must(request.Dispose{LetterID: 1, Now: down[:1]})
	f.is(request.StatusChain)
	if f.s.Holder != sop.Division {
		t.Errorf("it is with %s, want with the head of division", f.s.Holder)
	}
	f.must(request.Dispose{LetterID: 1, Now: nil})
	f.is(request.StatusReceived)
	// What a person passed on at the desk isn't Srikandi's to withdraw.
	f.must(request.Forward{By: kadin, To: []request.Actor{rini}})
	f.must(request.Dispose{LetterID: 1, Now: nil})
	f.is(request.StatusChecking)
	f.must(f.approval(rini))
	f.must(request.Dispose{LetterID: 1, Now: down[:1]})
	f.is(request.StatusApproved) // what was decided stays decided
}

func TestWhoPassesALetterOnAtTheDesk(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		cmd  request.Forward
		code string
	}{
		{"the head, down", request.Forward{By: kadin, To: []request.Actor{kasi}}, ""},
		{"nobody to pass it to", request.Forward{By: kadin}, request.Incomplete},
		{"a verifier", request.Forward{By: rini, To: []request.Actor{galih}}, request.NotAllowed},
		{"one below the holder", request.Forward{By: kasi, To: []request.Actor{rini}}, request.NotAllowed},
		{"upwards", request.Forward{By: kadin, To: []request.Actor{kadin}}, request.NotAllowed},
		{"to somebody without the role", request.Forward{By: kadin, To: []request.Actor{{ID: "op", Role: sop.Verifier}}}, request.NotAllowed},
		{"somebody who claims the role", request.Forward{By: request.Actor{ID: "op", Role: sop.Head}, To: []request.Actor{kasi}}, request.NotAllowed},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			f := open(t, office(t, "madiun", agency.Assisted))
			if c.code != "" {
				f.refused(c.code, c.cmd)
			} else {
				f.must(c.cmd)
			}
		})
	}
}

func TestAReturnedRequestsClockStandsStill(t *testing.T) {
	t.Parallel()
	f := open(t, office(t, "purbalingga", agency.AMS))
	f.later(30 * time.Minute)
	f.toVerifier().must(request.Return{By: rini, Missing: []string{"stempel dinas"}})
	if got := f.mails()[request.MailReturned]; !slices.Contains(got, "dindikbud@contoh.go.id") || !slices.Contains(got, applicant.Email) {
		t.Errorf("the return is mailed to %v", got)
	}
	used := func() time.Duration {
		t.Helper()
		_, total, err := request.Clocks(f.s, f.a, f.now)
		if err != nil {
			t.Fatal(err)
		}
		if sum := total.Reading.Used + total.Reading.Left; sum != 150*time.Minute {
			t.Errorf("used and left make %v, want the norm", sum)
		}
		return total.Reading.Used
	}
	f.later(2 * time.Hour)
	if got := used(); got != 30*time.Minute {
		t.Errorf("used %v while the office completes its papers, want 30m", got)
	}
	_, total, err := request.Clocks(f.s, f.a, f.now)
	if err != nil || total.Reading.State != sop.Paused || !request.Due(nil, total).IsZero() {
		t.Errorf("the clock is %v with a deadline, %v", total.Reading.State, err)
	}
	// The answer arrived an hour ago; it is read only now.
	f.must(request.Complete{By: request.Actor{Role: sop.Applicant}, Letter: &request.Letter{ID: 2, Channel: "mail", ReceivedAt: f.now.Add(-time.Hour)}})
	if got := used(); got != 90*time.Minute {
		t.Errorf("used %v, want 30m before and 1h after", got)
	}
	// An answer dated before the question counts from now.
	g := open(t, office(t, "purbalingga", agency.AMS)).toVerifier()
	g.later(time.Hour)
	g.must(request.Return{By: rini, Missing: []string{"stempel dinas"}})
	g.later(time.Hour)
	g.must(request.Complete{By: request.Actor{Role: sop.Applicant}, Letter: &request.Letter{ID: 2, ReceivedAt: morning.AddDate(0, 0, -3)}})
	if _, total, _ := request.Clocks(g.s, g.a, g.now); total.Reading.Used != time.Hour {
		t.Errorf("used %v, want 1h", total.Reading.Used)
	}
}

func TestSkippedLevelsEndWithTheOneThatDidTheirPart(t *testing.T) {
	t.Parallel()
	f := open(t, office(t, "madiun", agency.Assisted))
	f.later(4 * time.Minute)
	f.toVerifier()
	steps, _, err := request.Clocks(f.s, f.a, f.now)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range steps[1:4] { // Kadin, Kabid, Kasi
		if !c.End.Equal(f.now) || c.By.ID != kadin.ID {
			t.Errorf("step %s ended %v by %q, want now by the head", c.Step.ID, c.End, c.By.ID)
		}
	}
	if steps[1].Reading.Used != 4*time.Minute || steps[2].Reading.Used != 0 {
		t.Errorf("used %v and %v, want all on the head's account", steps[1].Reading.Used, steps[2].Reading.Used)
	}
	if c, ok := request.Current(steps); !ok || c.Step.Actors[0] != sop.Verifier {
		t.Errorf("at work is %v", c.Step)
	}
}

func TestMailsGoToRegisteredAddressesAlone(t *testing.T) {
	t.Parallel()
	unknown := func(o *request.Open) {
		o.Subject.Known, o.Subject.Email, o.Subject.OfficeID = false, "penipu@surel-gratis.example", ""
		o.Letter.From = "penipu@surel-gratis.example"
	}
	f := open(t, office(t, "purbalingga", agency.AMS), unknown)
	for template, addresses := range f.mails() {
		for _, address := range addresses {
			if !agency.InDomain(address, "contoh.go.id") {
				t.Errorf("%s goes to %s", template, address)
			}
		}
	}
	g := open(t, office(t, "purbalingga", agency.AMS))
	if got := g.mails(); !slices.Equal(got[request.MailReceiptOffice], []string{"dindikbud@contoh.go.id"}) ||
		!slices.Equal(got[request.MailReceiptApplicant], []string{applicant.Email}) || !slices.Equal(got[request.MailWork], []string{"surya@contoh.go.id"}) {
		t.Errorf("a letter's receipts: %v", got)
	}
}

func TestTheSameLetterByTheOtherChannelJoins(t *testing.T) {
	t.Parallel()
	f := open(t, office(t, "purbalingga", agency.AMS), func(o *request.Open) {
		o.Letter = request.Letter{ID: 1, Channel: "mail", ReceivedAt: morning}
	})
	f.later(time.Hour)
	other := request.Letter{ID: 2, Channel: "srikandi", SrikandiID: "nm-7", ReceivedAt: f.now}
	f.must(request.Join{Letter: other})
	if len(f.s.Letters) != 2 || !f.s.OpenedAt.Equal(morning) {
		t.Errorf("%d letters, opened %v", len(f.s.Letters), f.s.OpenedAt)
	}
	if l, ok := f.s.InSrikandi(); !ok || l.SrikandiID != "nm-7" {
		t.Error("follow-ups have no letter in Srikandi to go to")
	}
	version := f.s.Version
	f.must(request.Join{Letter: other})
	if f.s.Version != version {
		t.Error("the same letter, read again, is news")
	}
}

func TestTheEndIsWrittenToEachCopyInSrikandi(t *testing.T) {
	t.Parallel()
	f := open(t, office(t, "purbalingga", agency.AMS), func(o *request.Open) {
		o.Letter = request.Letter{ID: 1, Channel: "srikandi", SrikandiID: "nm-1", ReceivedAt: morning}
	}).toVerifier()
	f.must(request.Join{Letter: request.Letter{ID: 2, Channel: "srikandi", SrikandiID: "nm-2", ReceivedAt: f.now}})
	f.must(request.Reject{By: rini, Text: "Bukan pejabat kami."})
	var written []string
	for _, e := range f.effects {
		if w, ok := e.(request.FollowUp); ok {
			written = append(written, fmt.Sprint(w.SrikandiID, " ", w.Status, " ", w.Copy))
		}
	}
	if !slices.Equal(written, []string{"nm-1 selesai 0", "nm-2 selesai 1"}) {
		t.Errorf("written to Srikandi: %q", written)
	}
}

func TestALetterThatJoinsWhatIsDoneIsDoneInSrikandiToo(t *testing.T) {
	t.Parallel()
	f := open(t, office(t, "purbalingga", agency.AMS), func(o *request.Open) {
		o.Letter = request.Letter{ID: 1, Channel: "mail", ReceivedAt: morning}
	}).toVerifier()
	f.must(request.Reject{By: rini, Text: "Bukan pejabat kami."}, request.Join{Letter: request.Letter{ID: 2, Channel: "srikandi", SrikandiID: "nm-7", ReceivedAt: f.now}})
	var written []string
	for _, e := range f.effects {
		if w, ok := e.(request.FollowUp); ok {
			written = append(written, w.SrikandiID+" "+w.Status)
		}
	}
	if !slices.Equal(written, []string{"nm-7 selesai"}) {
		t.Errorf("written to Srikandi: %q", written)
	}
}
