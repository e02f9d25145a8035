package scheduler

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/riverqueue/river"

	"pulih/internal/demo/bsresim"
	"pulih/internal/demo/mailsim"
	"pulih/internal/request"
	"pulih/internal/sop"
	"pulih/internal/store"
)

// byHand is an office in assisted mode; its AMS is configured, so that a verifier's session lets the software look.
func byHand(t *testing.T, edit ...func(string) string) *portal {
	t.Helper()
	return openPortal(t, bsresim.Options{}, append([]func(string) string{replace("mode: ams\n", "mode: assisted\n")}, edit...)...)
}

// inAMS plays the verifier who makes the reset in the portal.
func (p *portal) inAMS(email string) {
	p.t.Helper()
	s, err := p.ams.SignIn(p.t.Context(), "galih", amsPassword, p.sim.Code("galih"))
	if err != nil {
		p.t.Fatal(err)
	}
	u, _ := p.sim.UserByEmail(email)
	p.ams.Reset(p.t.Context(), s, u.UID, u.Certificates[0].Serial)
}

func TestAssistedFromApprovalToTheEnd(t *testing.T) {
	t.Parallel()
	p := byHand(t)
	number := p.approved(head, "rini")
	p.run() // the software makes no call
	p.expectCalls()
	mail := p.last("assisted").Text
	for _, want := range []string{headEmail, "ISSUE", "Reset Passphrase", "jangan ulangi"} {
		if !strings.Contains(mail, want) {
			t.Errorf("the mail lacks %q:\n%s", want, mail)
		}
	}
	p.inAMS(headEmail)
	p.do(number, request.Confirm{By: by("rini")})
	p.expect(number, request.StatusLink)
	p.signIn("rini") // a live session is enough to see how it went on
	p.pass(5 * time.Minute)
	p.look(number)
	u, _ := p.sim.UserByEmail(headEmail)
	if err := p.sim.SetPassphrase(u.UID); err != nil {
		t.Fatal(err)
	}
	p.pass(5 * time.Minute)
	p.look(number)
	p.expect(number, request.StatusClosed)
}

func TestAssistedOtherEnds(t *testing.T) {
	t.Parallel()
	t.Run("couldn't", func(t *testing.T) {
		t.Parallel()
		p := byHand(t)
		number := p.approved(head, "rini")
		p.do(number, request.CouldNot{By: by("rini"), Text: "pengguna tidak ditemukan"})
		if s := p.expect(number, request.StatusRefused); s.Approval != nil {
			t.Error("the approval is still in force")
		}
	})
	t.Run("unsure", func(t *testing.T) {
		t.Parallel()
		p := byHand(t)
		number := p.approved(head, "rini")
		p.do(number, request.Unsure{By: by("rini")})
		p.expect(number, request.StatusUncertain)
		if p.mails("uncertain") != 2 {
			t.Error("the verifiers weren't told")
		}
	})
	t.Run("nothing", func(t *testing.T) {
		t.Parallel()
		p := byHand(t)
		p.approved(head, "rini")
		for range 14 {
			p.pass(30 * time.Minute)
			if err := p.remind(t.Context(), p.tenant); err != nil {
				t.Fatal(err)
			}
		}
		if p.mails("reminder") == 0 || p.mails("escalation") == 0 {
			t.Errorf("nobody was reminded: %v", p.outbox())
		}
	})
	t.Run("one's own", func(t *testing.T) {
		t.Parallel()
		p := byHand(t, replace(`head: {name: "Tri Handayani, S.Pd., M.M."`, `head: {name: "Rini Wulandari, S.Kom.", nip: "199001252019032904", position: Pejabat, email: rini@purbalinggakab.go.id}
        acting:
          - {name: "Tri Handayani, S.Pd., M.M."`))
		number := p.ask("199001252019032904")
		_, err := p.store.Act(t.Context(), p.Agency, number, p.now(), request.Approve{By: by("rini"), Subject: p.state(number).Subject})
		expectRefusal(t, err, request.OwnRequest)
	})
}

func expectRefusal(t *testing.T, err error, code string) {
	t.Helper()
	var refusal *request.Refusal
	if !errors.As(err, &refusal) || refusal.Code != code {
		t.Errorf("got %v, want a refusal %s", err, code)
	}
}

func TestAssistedKeepsTheRails(t *testing.T) {
	t.Parallel()
	t.Run("daily cap", func(t *testing.T) {
		t.Parallel()
		p := byHand(t, rule("daily_resets: 1"))
		first, second := p.approved(head, "rini"), p.ask(wahyu)
		p.do(first, request.Confirm{By: by("rini")})
		_, err := p.store.Act(t.Context(), p.Agency, second, p.now(), request.Approve{By: by("rini"), Subject: p.state(second).Subject})
		expectRefusal(t, err, request.CapReached)
	})
	t.Run("again within days", func(t *testing.T) {
		t.Parallel()
		p := byHand(t)
		first, second := p.approved(head, "rini"), p.ask(head)
		p.do(first, request.Confirm{By: by("rini")})
		p.approve(second, "rini")
		p.expect(second, request.StatusSecond)
		if p.mails("assisted") != 1 {
			t.Error("the instructions went out on one word")
		}
	})
	t.Run("stop switch", func(t *testing.T) {
		t.Parallel()
		p := byHand(t)
		if err := p.store.StopResets(t.Context(), p.Key, "operator", true, p.now()); err != nil {
			t.Fatal(err)
		}
		number := p.approved(head, "rini")
		p.do(number, request.Confirm{By: by("rini")}) // it was made all the same: written down, and shown
		if s := p.expect(number, request.StatusLink); !s.Has("reset-while-stopped") {
			t.Errorf("findings %v", s.Findings)
		}
	})
	t.Run("stop switch and the instructions", func(t *testing.T) {
		t.Parallel()
		smtp, server := sendingTo(t, func(string) *mailsim.Fault { return nil })
		p := byHand(t, smtp)
		got := func() (n int) {
			p.send()
			for _, m := range server.Journal() {
				if bytes.Contains(m.Raw, []byte("Ajukan reset di AMS")) {
					n++
				}
			}
			return n
		}
		p.approved(head, "rini")
		for _, stop := range []bool{true, false} {
			if err := p.store.StopResets(t.Context(), p.Key, "operator", stop, p.now()); err != nil {
				t.Fatal(err)
			}
			if n := got(); n != map[bool]int{true: 0, false: 1}[stop] {
				t.Errorf("stopped %v: %d mails say how to make the reset", stop, n)
			}
		}
	})
}

// The applicant's answer by mail counts like the button, from their own address and in answer to a mail of ours.
func TestAnswersByMail(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		from, text string
		forged     bool
		want       request.Status
		told       int // mails to the verifiers to call
	}{
		"sudah":              {headEmail, "SUDAH\n\n> Yth. Ibu Tri", false, request.StatusClosed, 0},
		"sudah in words":     {headEmail, "Sudah berhasil, terima kasih.", false, request.StatusClosed, 0},
		"belum":              {headEmail, "Belum ada e-mail dari BSrE", false, request.StatusLink, 2},
		"belum alone":        {headEmail, "BELUM\n\n> Yth. Ibu Tri", false, request.StatusLink, 2},
		"sudah but":          {headEmail, "Sudah saya coba tapi gagal", false, request.StatusLink, 0},
		"somebody else":      {"orang.lain@contoh.example", "SUDAH", false, request.StatusLink, 0},
		"without our thread": {headEmail, "SUDAH", true, request.StatusLink, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := openPortal(t, bsresim.Options{})
			p.signIn("rini")
			number := p.approved(head, "rini")
			p.run()
			p.last("reset-submitted")
			id := p.idOf("reset-submitted")
			if c.forged {
				id = "lain@contoh.example"
			}
			p.mail(c.from, "Re: ["+number+"] Reset", c.text, "In-Reply-To: <"+id+">")
			p.expect(number, c.want)
			if n := p.mails("call-applicant"); n != c.told {
				t.Errorf("%d mails to call, want %d", n, c.told)
			}
			if s := p.state(number); c.told > 0 && s.Trouble != request.NoLink {
				t.Errorf("the trouble is %q", s.Trouble)
			}
		})
	}
}

// A gateway that hangs when it is asked for statuses holds no reset up: the real daemon, with its queues.
func TestStatusCallsDelayNoReset(t *testing.T) {
	t.Parallel()
	p := openPortal(t, bsresim.Options{})
	for range 40 {
		p.sim.Script(bsresim.CallStatus, bsresim.HangBefore)
	}
	p.signIn("rini")
	numbers := []string{p.ask(head), p.ask(wahyu), p.ask(endah)}
	for range 4 {
		for _, number := range numbers {
			p.do(number, request.Recheck{By: by("rini")})
		}
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- p.Run(ctx) }()
	p.sim.AwaitCalls(bsresim.CallStatus, 4) // all who ask for statuses hang
	for _, number := range numbers {
		p.approve(number, "rini")
	}
	p.sim.AwaitCalls(bsresim.CallReset, 3)
	stop()
	p.sim.Close()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if n := p.sim.Calls()[bsresim.CallStatus]; n > 8 {
		t.Errorf("%d status calls got through: they didn't hang", n)
	}
}

// A notice in the inbox counts when the agency's mail server vouches for BSrE and it says plainly what happened. Anybody may write another one: it
// moves nothing, but AMS is looked at again at once, and what it shows counts.
func TestANoticeInTheInbox(t *testing.T) {
	t.Parallel()
	const set, link = "Yth. Pengguna " + headEmail + ",\n\npassphrase sertifikat elektronik Anda telah berhasil diatur ulang.", "Kepada " + headEmail + ": buka tautan berikut untuk reset passphrase."
	for name, c := range map[string]struct {
		fault  bsresim.Fault
		text   string
		proven bool
		want   request.Status
		looks  int
	}{
		"set":                     {bsresim.NoFault, set, true, request.StatusClosed, 0},
		"set by a stranger":       {bsresim.NoFault, set, false, request.StatusLink, 1},
		"the link":                {bsresim.NoFault, link, true, request.StatusLink, 0},
		"the link when uncertain": {bsresim.DropAfter, link, true, request.StatusLink, 1},
		"uncertain by a stranger": {bsresim.DropAfter, link, false, request.StatusUncertain, 2},
		"something else":          {bsresim.NoFault, headEmail + ": layanan AMS dipelihara.", true, request.StatusLink, 1},
		"bad news":                {bsresim.NoFault, headEmail + ": passphrase telah gagal diatur ulang.", true, request.StatusLink, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := openPortal(t, bsresim.Options{})
			p.signIn("rini")
			p.sim.Script(bsresim.CallReset, c.fault)
			number := p.approved(head, "rini")
			p.run()
			p.pass(time.Minute)
			verdict := map[bool]string{true: "pass", false: "fail"}[c.proven]
			for range 2 { // the second one says nothing new
				p.mail("BSrE <noreply@bsre.bssn.go.id>", "Pemberitahuan Sertifikat Elektronik", c.text,
					"Authentication-Results: mx.purbalinggakab.go.id; dmarc="+verdict+" header.from=bsre.bssn.go.id")
			}
			s := p.expect(number, c.want)
			var looks int
			if err := p.store.Pool.QueryRow(t.Context(), `SELECT count(*) FROM river_job WHERE kind = 'watch_request'`).Scan(&looks); err != nil || looks != c.looks {
				t.Errorf("%d looks, want %d (%v)", looks, c.looks, err)
			}
			if note := p.has(number, request.NoteAdded); note != nil && !c.proven && note.By.Role == sop.BSrE {
				t.Errorf("a stranger's mail is told as BSrE's: %q", note.Text)
			}
			if c.want == request.StatusUncertain && (p.mails("uncertain") != 4 || !strings.Contains(s.Words, "tidak terbukti")) {
				t.Errorf("the verifiers got %d mails, words %q", p.mails("uncertain"), s.Words)
			}
			p.expectCalls(headEmail)
		})
	}
}

// After a reset made by hand the software asks the eSign gateway, which is all that it can read: a certificate that isn't in ISSUE any more is
// a finding.
func TestAStatusThatFellAfterTheResetIsAFinding(t *testing.T) {
	t.Parallel()
	p := byHand(t)
	number := p.approved(head, "rini")
	u, _ := p.sim.UserByEmail(headEmail)
	p.sim.Change(u.UID, func(u *bsresim.User) { u.Status = "SUSPEND" })
	p.do(number, request.Confirm{By: by("rini")})
	var asked int
	if err := p.store.Pool.QueryRow(t.Context(), `SELECT count(*) FROM river_job WHERE kind = 'ask_status' AND args ->> 'number' = $1`, number).Scan(&asked); err != nil || asked != 2 {
		t.Errorf("the gateway is asked %d times, want for the verifier and after the reset (%v)", asked, err)
	}
	if err := (&statusWorker{d: p.Daemon}).Work(t.Context(), &river.Job[store.AskStatus]{Args: store.AskStatus{Number: number}}); err != nil {
		t.Fatal(err)
	}
	if s := p.expect(number, request.StatusLink); !s.Has("status-after-reset") {
		t.Errorf("findings %v", s.Findings)
	}
}

// A notice that may be BSrE's is evidence when nobody knows what a call did.
func TestEvidenceOnAnUncertainReset(t *testing.T) {
	t.Parallel()
	p := openPortal(t, bsresim.Options{})
	p.signIn("rini")
	p.sim.Script(bsresim.CallReset, bsresim.DropAfter)
	number := p.approved(head, "rini")
	p.run()
	p.do(number, request.Evidence{By: request.Actor{Role: sop.BSrE, Name: "BSrE", Via: "mail"}, Text: "Pemberitahuan masuk: Reset Passphrase"})
	if s := p.expect(number, request.StatusUncertain); !strings.Contains(s.Words, "Pemberitahuan") || p.mails("uncertain") != 4 {
		t.Errorf("words %q, %d mails", s.Words, p.mails("uncertain"))
	}
	p.look(number)
	p.run()
	p.expectCalls(headEmail)
}

// A link that never came goes back to the verifiers, and needs two of them.
func TestALinkThatNeverCame(t *testing.T) {
	t.Parallel()
	p := openPortal(t, bsresim.Options{})
	p.signIn("rini")
	number := p.approved(head, "rini")
	p.run()
	p.do(number, request.Trouble{By: request.Actor{Role: sop.Applicant, Via: "status"}, Text: "belum ada e-mail"})
	if p.mails("call-applicant") != 2 {
		t.Error("the verifiers weren't told")
	}
	p.do(number, request.Reopen{By: by("rini"), Text: "e-mail dinas sempat penuh"})
	p.approve(number, "rini")
	p.expect(number, request.StatusSecond)
	p.run()
	p.expectCalls(headEmail)
	p.approve(number, "galih")
	p.run()
	p.expectCalls(headEmail, headEmail)
}
