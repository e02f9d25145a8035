package scheduler

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pulih/internal/demo/bsresim"
	"pulih/internal/request"
	"pulih/internal/sop"
)

func TestAnApprovalIsOneReset(t *testing.T) {
	t.Parallel()
	p := openPortal(t, bsresim.Options{})
	p.signIn("rini")
	number := p.approved(head, "rini")
	p.run()
	p.run()
	p.expectCalls(headEmail)
	s := p.expect(number, request.StatusLink)
	if b := s.LastCall; b.Verifier != "rini" || b.Email != headEmail || b.Serial == "" || b.UID == "" || p.has(number, request.ResetBooked).By.ID != "rini" {
		t.Errorf("booked %+v", b)
	}
	u, _ := p.sim.UserByEmail(headEmail)
	p.pass(10 * time.Minute)
	p.look(number)
	p.expect(number, request.StatusLink) // ISSUE alone proves nothing
	if err := p.sim.SetPassphrase(u.UID); err != nil {
		t.Fatal(err)
	}
	p.pass(2 * time.Minute)
	p.look(number)
	p.expect(number, request.StatusClosed)
	p.look(number)
	if _, ok, _ := p.store.Watch(t.Context(), number); ok {
		t.Error("a closed request is still watched")
	}
}

func TestWithoutASessionResetsWaitAndAreToldOnce(t *testing.T) {
	t.Parallel()
	p := openPortal(t, bsresim.Options{})
	a, b := p.approved(head, "rini"), p.approved(wahyu, "rini")
	for range 3 {
		p.run()
		p.pass(5 * time.Minute)
	}
	p.expect(a, request.StatusWaitingSession)
	s := p.expect(b, request.StatusWaitingSession)
	if n := p.mails("session-needed"); n != 1 {
		t.Errorf("%d mails about the session, want 1", n)
	}
	if s.ForOffice() != "Menunggu sesi AMS verifikator" || s.Holder != sop.Verifier {
		t.Errorf("state %q", s.ForOffice())
	}
	p.signIn("galih") // another verifier's session is not lent here
	p.run()
	p.expectCalls()
	p.signIn("rini")
	p.run()
	p.expect(a, request.StatusLink)
	p.expect(b, request.StatusLink)
}

func TestAnotherVerifiersSessionIsLentWhereAllowed(t *testing.T) {
	t.Parallel()
	p := openPortal(t, bsresim.Options{}, rule("lend_sessions: true"))
	p.signIn("galih")
	number := p.approved(head, "rini")
	p.run()
	p.expect(number, request.StatusLink)
	if by := p.has(number, request.ResetBooked).By.ID; by != "galih" || p.sim.Journal()[0].By != "galih" {
		t.Errorf("booked in the name of %q", by)
	}
}

// A session ends at its own end, at sign-out, and after 12 hours in which its verifier made no reset, however often the software read with it.
func TestASessionEnds(t *testing.T) {
	t.Parallel()
	live := func(p *portal) bool {
		_, ok, err := p.store.Session(p.t.Context(), p.Key, "rini", p.now())
		if err != nil {
			p.t.Fatal(err)
		}
		return ok
	}
	t.Run("signed out", func(t *testing.T) {
		t.Parallel()
		p := openPortal(t, bsresim.Options{})
		p.signIn("rini")
		if err := p.store.DropSession(t.Context(), p.Key, "rini"); err != nil || live(p) {
			t.Error("still there", err)
		}
	})
	t.Run("ended by the portal", func(t *testing.T) {
		t.Parallel()
		p := openPortal(t, bsresim.Options{})
		p.signIn("rini")
		p.sim.EndSessions()
		number := p.approved(head, "rini")
		p.run()
		p.expect(number, request.StatusWaitingSession)
		if live(p) || p.mails("session-needed") != 1 {
			t.Error("the verifier doesn't know that the session is over")
		}
		p.expectCalls()
	})
	t.Run("idle", func(t *testing.T) {
		t.Parallel()
		p := openPortal(t, bsresim.Options{})
		p.signIn("rini")
		number := p.approved(head, "rini")
		p.run()
		p.expect(number, request.StatusLink)
		for range 11 { // the watch keeps reading
			p.pass(time.Hour)
			p.look(number)
		}
		if !live(p) {
			t.Fatal("gone after 11 h")
		}
		p.pass(time.Hour)
		p.look(number)
		if live(p) {
			t.Error("still there after 12 h without use")
		}
	})
}

// The look after a certificate and a reset find at once that their token is over; a refresh token works once.
func TestTwoWhoRenewASessionAtOnceKeepIt(t *testing.T) {
	t.Parallel()
	var over atomic.Value // the token that has run out
	p := openPortal(t, bsresim.Options{Decide: func(c bsresim.Call, r *http.Request) bsresim.Fault {
		if c == bsresim.CallFind && r.Header.Get("Authorization") == over.Load() {
			return bsresim.Unauthorized
		}
		return bsresim.NoFault
	}})
	p.signIn("rini")
	first, ok, err := p.session(t.Context(), p.tenant, "rini")
	if err != nil || !ok {
		t.Fatal(err)
	}
	var tokens struct{ A string }
	if err := json.Unmarshal(first.Plain(), &tokens); err != nil {
		t.Fatal(err)
	}
	over.Store("Bearer " + tokens.A)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			s := first
			uid, err := p.renewing(p.tenant, "rini").Find(t.Context(), &s, headEmail, "")
			if err != nil || uid == "" {
				t.Errorf("reading: %v", err)
			}
		})
	}
	wg.Wait()
	if _, ok, err := p.session(t.Context(), p.tenant, "rini"); err != nil || !ok {
		t.Errorf("the session is gone: %v", err)
	}
	stale := first // tokens that failed long ago drop nothing
	if err := p.store.DropSessionOf(t.Context(), p.Key, "rini", stale.Plain()); err != nil {
		t.Fatal(err)
	}
	if _, ok, _ := p.session(t.Context(), p.tenant, "rini"); !ok {
		t.Error("a session was dropped for another one's tokens")
	}
}

func TestALostAnswerIsNeverACallAgain(t *testing.T) {
	t.Parallel()
	for _, fault := range []bsresim.Fault{bsresim.DropAfter, bsresim.DropBefore, bsresim.ErrorAfter, bsresim.HTMLAfter, bsresim.CutBody, bsresim.BlockedAfter} {
		t.Run(string(fault), func(t *testing.T) {
			t.Parallel()
			p := openPortal(t, bsresim.Options{})
			p.signIn("rini")
			p.sim.Script(bsresim.CallReset, fault)
			number := p.approved(head, "rini")
			p.run()
			s := p.expect(number, request.StatusUncertain)
			if s.Words == "" || p.mails("uncertain") != 2 {
				t.Errorf("the verifiers don't know why: %q, %d mails", s.Words, p.mails("uncertain"))
			}
			if mail := p.last("uncertain").Text; !strings.Contains(mail, s.LastCall.Serial) || !strings.Contains(mail, headEmail) {
				t.Errorf("the mail doesn't say what to look for:\n%s", mail)
			}
			var looks int
			if err := p.store.Pool.QueryRow(t.Context(), `SELECT count(*) FROM river_job WHERE kind = 'watch_request'`).Scan(&looks); err != nil || looks != 1 {
				t.Errorf("%d looks right away, want 1 (%v)", looks, err)
			}
			p.look(number)
			if n := p.has(number, request.NoteAdded); n == nil || !strings.Contains(n.Text, "ISSUE saja tidak membuktikan") {
				t.Error("what AMS shows isn't told")
			}
			for range 5 {
				p.pass(time.Hour)
				p.run()
			}
			p.expectCalls(headEmail)
			if _, err := p.store.Act(t.Context(), p.Agency, number, p.now(), request.Approve{By: by("rini"), Subject: s.Subject}); err == nil {
				t.Error("a second call without a reason")
			}
			p.approve(number, "rini")
			p.run()
			p.expectCalls(headEmail, headEmail)
			p.expect(number, request.StatusLink)
		})
	}
}

// A token that runs out between the last reading and the call: AMS turned the call away, and still it is no call to be repeated by itself.
func TestACallOnADeadTokenIsNeverRepeated(t *testing.T) {
	t.Parallel()
	p := openPortal(t, bsresim.Options{})
	p.signIn("rini")
	p.sim.Script(bsresim.CallReset, bsresim.Unauthorized)
	number := p.approved(head, "rini")
	for range 3 {
		p.run()
		p.pass(16 * time.Minute)
	}
	p.expectCalls(headEmail)
	if s := p.expect(number, request.StatusRefused); !strings.Contains(s.Words, "sesi sudah berakhir") || p.mails("refused-by-bsre") != 2 {
		t.Errorf("words %q, %d mails", s.Words, p.mails("refused-by-bsre"))
	}
	if _, ok, err := p.session(t.Context(), p.tenant, "rini"); err != nil || !ok {
		t.Errorf("the session wasn't renewed: %v", err)
	}
	p.approve(number, "rini")
	p.run()
	p.expectCalls(headEmail, headEmail)
	p.expect(number, request.StatusLink)
}

// While BSrE doesn't answer, the span is kept: the clocks are shown with it and without.
func TestBSrEsOutagesAreKept(t *testing.T) {
	t.Parallel()
	p := openPortal(t, bsresim.Options{})
	p.signIn("rini")
	p.sim.Script(bsresim.CallFind, bsresim.ErrorBefore, bsresim.DropBefore, bsresim.HTMLBefore)
	number := p.approved(head, "rini")
	begun := p.now()
	for range 4 {
		p.run()
		p.pass(16 * time.Minute)
	}
	p.expect(number, request.StatusLink)
	list, err := p.store.Outages(t.Context(), p.Key, begun, p.now(), p.now())
	if err != nil || len(list) != 1 || list[0].System != "bsre" || !list[0].From.Equal(begun) || list[0].Until.Sub(begun) != 48*time.Minute {
		t.Errorf("outages %+v, %v", list, err)
	}
}

// A second call that a verifier has approved isn't made when the certificate shows that the first one has worked.
func TestASecondCallIsSparedWhenTheFirstWorked(t *testing.T) {
	t.Parallel()
	p := openPortal(t, bsresim.Options{})
	p.signIn("rini")
	p.sim.Script(bsresim.CallReset, bsresim.DropAfter)
	number := p.approved(head, "rini")
	p.run()
	p.pass(10 * time.Minute)
	u, _ := p.sim.UserByEmail(headEmail)
	p.sim.Tick()
	if err := p.sim.SetPassphrase(u.UID); err != nil {
		t.Fatal(err)
	}
	p.pass(time.Minute)
	p.approve(number, "rini")
	p.run()
	p.expectCalls(headEmail)
	p.expect(number, request.StatusClosed)
}

// Three lost answers in a row hold everything, and a human lets it go on.
func TestResetsStopAfterRepeatedUncertainOutcomes(t *testing.T) {
	t.Parallel()
	p := openPortal(t, bsresim.Options{})
	p.signIn("rini")
	p.sim.Script(bsresim.CallReset, bsresim.DropAfter, bsresim.ErrorAfter, bsresim.HTMLAfter)
	for _, nip := range []string{head, wahyu, endah} {
		p.approved(nip, "rini")
	}
	p.run()
	if n := len(p.calls()); n != 3 {
		t.Fatalf("%d calls", n)
	}
	if stopped, _ := p.store.ResetsStopped(t.Context(), p.Key); !stopped || p.mails("operator-alarm") != 3 { // two verifiers and the operator
		t.Errorf("stopped %v, %d told", stopped, p.mails("operator-alarm"))
	}
	p.pass(time.Hour)
	number := p.queue()[0]
	p.approve(number, "rini")
	p.run()
	if n := len(p.calls()); n != 3 {
		t.Fatalf("a call while stopped: %d", n)
	}
	if err := p.store.StopResets(t.Context(), p.Key, "operator", false, p.now()); err != nil {
		t.Fatal(err)
	}
	p.run()
	if n := len(p.calls()); n != 4 {
		t.Fatalf("%d calls after the switch was taken back", n)
	}
}

func (p *portal) queue() (numbers []string) {
	list, err := p.store.Queue(p.t.Context(), p.Key)
	if err != nil {
		p.t.Fatal(err)
	}
	for _, r := range list {
		numbers = append(numbers, r.Number)
	}
	slices.Sort(numbers)
	return numbers
}

func TestTheTelephoneIsCheckedFirst(t *testing.T) {
	t.Parallel()
	var asked []string
	p := openPortal(t, bsresim.Options{OnPhone: func(u bsresim.User) { asked = append(asked, u.Email) }})
	u, _ := p.sim.UserByEmail(headEmail)
	p.sim.Change(u.UID, func(u *bsresim.User) { u.PhoneUnverified = true })
	p.signIn("rini")
	p.sim.Script(bsresim.CallPhone, bsresim.Unauthorized) // nothing was asked: not a state of its own yet
	number := p.approved(head, "rini")
	p.run()
	p.expect(number, request.StatusApproved)
	for range 4 {
		p.pass(20 * time.Minute)
		p.run()
	}
	s := p.expect(number, request.StatusPhoneCheck)
	if len(asked) != 1 || p.mails("phone-check") != 1 || s.Holder != sop.Applicant {
		t.Errorf("asked %d times, %d mails, with %s", len(asked), p.mails("phone-check"), s.Holder)
	}
	steps, total, err := request.Clocks(s, p.Agency, p.now())
	if err != nil || total.Reading.State != sop.Paused {
		t.Errorf("the clock runs on: %v %v", steps, err)
	}
	// The session ends, and its verifier is asked for another; the applicant isn't written to again.
	p.sim.EndSessions()
	p.pass(20 * time.Minute)
	p.run()
	p.expect(number, request.StatusWaitingSession)
	p.signIn("rini")
	p.run()
	p.expect(number, request.StatusPhoneCheck)
	if len(asked) != 1 || p.mails("phone-check") != 1 {
		t.Errorf("asked %d times, %d mails", len(asked), p.mails("phone-check"))
	}
	p.expectCalls()
	p.sim.ConfirmPhone(u.UID)
	p.pass(20 * time.Minute)
	p.run()
	p.expect(number, request.StatusLink)
}

// Who forgets BSrE's check is reminded, and then called.
func TestAForgottenTelephoneCheckIsRemindedOf(t *testing.T) {
	t.Parallel()
	p := openPortal(t, bsresim.Options{})
	u, _ := p.sim.UserByEmail(headEmail)
	p.sim.Change(u.UID, func(u *bsresim.User) { u.PhoneUnverified = true })
	p.signIn("rini")
	p.approved(head, "rini")
	p.run()
	for range 10 {
		p.pass(24 * time.Hour)
		if err := p.remind(t.Context(), p.tenant); err != nil {
			t.Fatal(err)
		}
	}
	if a, b := p.mails("phone-check"), p.mails("call-applicant"); a != 3 || b != 2 {
		t.Errorf("the applicant got %d mails, the verifiers %d; want 3 and 2", a, b)
	}
}

func TestWhatAMSSaysDifferentlyIsAFinding(t *testing.T) {
	t.Parallel()
	p := openPortal(t, bsresim.Options{})
	p.signIn("rini")
	change := func(email string, edit func(*bsresim.User)) {
		u, _ := p.sim.UserByEmail(email)
		p.sim.Change(u.UID, edit)
	}
	change(headEmail, func(u *bsresim.User) { u.Unit = "Dinas Perhubungan" })
	change("wahyu.nugroho@purbalinggakab.go.id", func(u *bsresim.User) { u.NIP = "198001012005011001" })
	moved, other := p.approved(head, "rini"), p.approved(wahyu, "rini")
	p.run()
	p.expectCalls(headEmail)
	if s := p.expect(moved, request.StatusLink); !s.Has("ams-office") {
		t.Errorf("findings %v", s.Findings)
	}
	s := p.expect(other, request.StatusRefused)
	if !s.Has("ams-nip") || strings.Contains(s.Words, "1980") || p.mails("refused-by-bsre") != 2 {
		t.Errorf("findings %v, words %q, %d mails", s.Findings, s.Words, p.mails("refused-by-bsre"))
	}
}

// Who can't be told apart isn't reset, and of several certificates it is the one that lasts longest.
func TestWhoAndWhichCertificate(t *testing.T) {
	t.Parallel()
	p := openPortal(t, bsresim.Options{})
	p.signIn("rini")
	p.sim.Script(bsresim.CallFind, bsresim.Ambiguous)
	number := p.approved(head, "rini")
	p.run()
	if s := p.expect(number, request.StatusRefused); !strings.Contains(s.Words, "lebih dari satu pengguna") || p.mails("refused-by-bsre") != 2 {
		t.Errorf("words %q, %d mails", s.Words, p.mails("refused-by-bsre"))
	}
	p.expectCalls()
	u, _ := p.sim.UserByEmail(headEmail)
	p.sim.Change(u.UID, func(u *bsresim.User) {
		first := u.Certificates[0]
		for i, until := range []time.Duration{-24 * time.Hour, 30 * 24 * time.Hour, -48 * time.Hour} {
			c := first
			c.Serial, c.NotAfter = fmt.Sprintf("77%014X", i), first.NotAfter.Add(until)
			u.Certificates = append(u.Certificates, c)
		}
		revoked := first
		revoked.Serial, revoked.Status, revoked.NotAfter = "99", "REVOKE", first.NotAfter.AddDate(3, 0, 0)
		u.Certificates = append(u.Certificates, revoked)
	})
	p.approve(number, "rini")
	p.run()
	if s := p.expect(number, request.StatusLink); s.LastCall.Serial != fmt.Sprintf("77%014X", 1) || p.sim.Journal()[0].Serial != s.LastCall.Serial {
		t.Errorf("reset of %s, BSrE got %s", s.LastCall.Serial, p.sim.Journal()[0].Serial)
	}
}

func TestGuardRailsAtTheCall(t *testing.T) {
	t.Parallel()
	t.Run("daily cap of a verifier", func(t *testing.T) {
		t.Parallel()
		p := openPortal(t, bsresim.Options{}, rule("verifier_daily_resets: 1"))
		p.signIn("rini")
		p.approved(head, "rini")
		number := p.approved(wahyu, "rini")
		p.run()
		p.expectCalls(headEmail)
		if why, err := p.store.HeldFor(t.Context(), number); err != nil || !strings.Contains(why, "Batas 1 reset sehari") {
			t.Errorf("held for %q, %v", why, err)
		}
		p.clock("2026-11-17 08.00")
		p.signIn("rini")
		p.run()
		p.expect(number, request.StatusLink)
	})
	t.Run("daily cap of the agency", func(t *testing.T) {
		t.Parallel()
		p := openPortal(t, bsresim.Options{}, rule("daily_resets: 1"))
		p.signIn("rini")
		p.signIn("galih")
		p.approved(head, "rini")
		number := p.approved(wahyu, "galih")
		p.run()
		p.expectCalls(headEmail)
		if why, err := p.store.HeldFor(t.Context(), number); err != nil || !strings.Contains(why, "untuk instansi ini telah tercapai") {
			t.Errorf("held for %q, %v", why, err)
		}
	})
	t.Run("stop switch", func(t *testing.T) {
		t.Parallel()
		p := openPortal(t, bsresim.Options{})
		p.signIn("rini")
		p.approved(head, "rini")
		if err := p.store.StopResets(t.Context(), p.Key, "operator", true, p.now()); err != nil {
			t.Fatal(err)
		}
		p.run()
		p.expectCalls()
	})
	t.Run("stopped while it was prepared", func(t *testing.T) {
		t.Parallel()
		p := openPortal(t, bsresim.Options{})
		p.signIn("rini")
		number := p.approved(head, "rini")
		p.failpoint = func(point string) {
			if point == "prepared" {
				if err := p.store.StopResets(t.Context(), p.Key, "operator", true, p.now()); err != nil {
					t.Error(err)
				}
			}
		}
		p.run()
		p.expectCalls()
		p.expect(number, request.StatusApproved)
	})
	t.Run("again within days", func(t *testing.T) {
		t.Parallel()
		p := openPortal(t, bsresim.Options{})
		p.signIn("rini")
		first, second := p.approved(head, "rini"), p.approved(head, "rini") // two letters, approved before either reset
		p.run()
		p.expectCalls(headEmail)
		p.expect(first, request.StatusLink)
		p.expect(second, request.StatusRefused)
		p.approve(second, "rini")
		p.expect(second, request.StatusSecond)
		p.approve(second, "galih")
		p.run()
		p.expectCalls(headEmail, headEmail)
	})
	t.Run("certificate not in ISSUE", func(t *testing.T) {
		t.Parallel()
		p := openPortal(t, bsresim.Options{})
		p.signIn("rini")
		u, _ := p.sim.UserByEmail(headEmail)
		p.sim.Change(u.UID, func(u *bsresim.User) { u.Certificates[0].Status = "REVOKE" })
		number := p.approved(head, "rini")
		p.run()
		p.expectCalls()
		p.expect(number, request.StatusRefused)
	})
	t.Run("address in AMS", func(t *testing.T) {
		t.Parallel()
		p := openPortal(t, bsresim.Options{})
		p.signIn("rini")
		u, _ := p.sim.UserByEmail(headEmail)
		p.sim.Change(u.UID, func(u *bsresim.User) { u.Email = "tri.handayani@contoh.example" })
		number := p.approved(head, "rini") // found by NIK all the same
		p.run()
		p.expectCalls()
		p.expect(number, request.StatusRefused)
	})
}

func TestTheQueueKeepsOrderGapAndWindow(t *testing.T) {
	t.Parallel()
	p := openPortal(t, bsresim.Options{}, replace("gap: 0s", `gap: 10m, windows: ["mon-fri 09.00-15.00"]`))
	p.signIn("rini")
	late := p.ask(wahyu)
	p.pass(time.Minute)
	later := p.ask(head) // opened later, so its deadline is later, too
	p.approve(later, "rini")
	p.approve(late, "rini")
	p.run()
	p.expectCalls() // 08.01: BSrE's service isn't open
	p.clock("2026-11-16 09.00")
	p.run()
	p.expectCalls("wahyu.nugroho@purbalinggakab.go.id")
	p.pass(9 * time.Minute)
	p.run()
	p.expectCalls("wahyu.nugroho@purbalinggakab.go.id")
	p.pass(time.Minute)
	p.run()
	p.expectCalls("wahyu.nugroho@purbalinggakab.go.id", headEmail)
}

func TestSeveralDaemonsMakeOneResetAtATime(t *testing.T) {
	t.Parallel()
	p := openPortal(t, bsresim.Options{})
	p.signIn("rini")
	for _, nip := range []string{head, wahyu, endah} {
		p.approved(nip, "rini")
	}
	others := []*Daemon{p.Daemon, p.daemon(p.edit...), p.daemon(p.edit...)}
	var wg sync.WaitGroup
	for range 4 {
		for _, d := range others {
			wg.Go(func() {
				if err := p.runOn(d); err != nil {
					t.Error(err)
				}
			})
		}
	}
	wg.Wait()
	p.run()
	got := p.calls()
	slices.Sort(got)
	if len(slices.Compact(got)) != 3 || len(p.calls()) != 3 {
		t.Errorf("calls %v", p.calls())
	}
}
