package scheduler

import (
	"context"
	"fmt"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/riverqueue/river"

	"pulih/internal/demo/bsresim"
	"pulih/internal/request"
	"pulih/internal/sop"
	"pulih/internal/store"
)

// portal is an office that makes its resets in AMS, before a simulated BSrE that knows its officials.
type portal struct {
	*office
	sim  *bsresim.Sim
	url  string
	edit []func(string) string
}

const amsPassword = "Sandi-Rahasia-77"

// openPortal begins at 08.00 on a working Monday. through, where given, stands between the daemon and BSrE: it gets BSrE's address and
// answers the one to dial.
func openPortal(t *testing.T, opt bsresim.Options, edit ...func(string) string) *portal {
	t.Helper()
	return openPortalThrough(t, opt, func(url string) string { return url }, edit...)
}

func openPortalThrough(t *testing.T, opt bsresim.Options, through func(url string) string, edit ...func(string) string) *portal {
	t.Helper()
	p := &portal{}
	opt.Now = func() time.Time { return p.office.now() }
	opt.GatewayUser, opt.GatewayPassword = "pulih", "rahasia-uji" // the office's secret
	p.sim = bsresim.New(opt)
	server := httptest.NewServer(p.sim)
	t.Cleanup(func() { p.sim.Close(); server.Close() })
	p.url = through(server.URL)
	p.edit = append([]func(string) string{amsYAML(p.url)}, edit...)
	p.office = begin(t, "2026-11-16 08.00", p.edit...)
	p.populate()
	return p
}

// amsYAML turns the office's configuration to AMS mode.
func amsYAML(url string) func(string) string {
	return func(yaml string) string {
		return strings.Replace(yaml, "    inbox:\n", `    mode: ams
    consent: Surat persetujuan BSrE nomor 000/UJI/2026
    bsre:
      esign: {url: "`+url+`", user: pulih, password_file: SECRET}
      ams: {beid_url: "`+url+`", portal_url: "`+url+`", operator_ip: 203.0.113.7, gap: 0s}
    inbox:
`, 1)
	}
}

// replace edits the configuration.
func replace(old, with string) func(string) string {
	return func(yaml string) string { return strings.Replace(yaml, old, with, 1) }
}

func rule(line string) func(string) string {
	return replace("    rules:\n", "    rules:\n      "+line+"\n")
}

// populate gives each official a certificate, and each verifier an account.
func (p *portal) populate() {
	n := 0
	for _, v := range []string{"rini", "galih"} {
		p.sim.AddOperator(v, amsPassword)
	}
	for i := range p.Offices {
		for _, f := range p.Offices[i].All() {
			n++
			p.sim.AddUser(bsresim.User{
				UID: fmt.Sprintf("00000000-0000-4000-a000-%012d", n), NIP: f.NIP, NIK: fmt.Sprintf("999901010180%04d", n), Name: f.Name, Email: f.Email, Position: f.Position,
				Unit: p.Offices[i].Name, Organization: p.Name, Phone: fmt.Sprintf("08110000%04d", n), Certificates: []bsresim.Certificate{{
					Status: "ISSUE", Serial: fmt.Sprintf("5A%014X", 0xBEEF00+n), NotBefore: p.now().AddDate(-1, 0, 0), NotAfter: p.now().AddDate(1, 0, 0),
				}},
			})
		}
	}
}

// ask opens a request for an official of the directory, as a letter that was read does; it stands at the verifiers.
func (p *portal) ask(nip string) string {
	p.t.Helper()
	f, o, ok := p.Official(nip, "")
	if !ok {
		p.t.Fatalf("nobody has NIP %s", nip)
	}
	p.uid++
	u, _ := p.sim.UserByEmail(f.Email)
	subject := request.Subject{Name: f.Name, NIP: f.NIP, NIK: u.NIK, Email: f.Email, Phone: u.Phone, Position: f.Position, OfficeID: o.ID, Office: o.Name, Known: true}
	var number string
	err := p.store.InTx(p.t.Context(), p.now(), func(tx *store.Tx) error {
		var id int64
		err := tx.QueryRow(p.t.Context(), `INSERT INTO letters (agency, channel, source, sha256, size, raw, received_at, seen_at, state)
			VALUES ('purbalingga', 'mail', $1, '', 0, '', $2, $2, 'read') RETURNING id`, fmt.Sprint("surat-", p.uid), p.now()).Scan(&id)
		if err != nil {
			return err
		}
		s, _, err := tx.Receive(p.Agency, [][]byte{fmt.Appendf(nil, "surat-%d", p.uid)}, request.Open{Subject: subject, By: request.Actor{Role: sop.Applicant},
			Letter: request.Letter{ID: id, Channel: "mail", Number: fmt.Sprintf("500.12/%d/2026", p.uid), ReceivedAt: p.now()}})
		number = s.Number
		return err
	})
	if err != nil {
		p.t.Fatal(err)
	}
	return number
}

// The officials of the office's directory.
const (
	head      = "197105301997022911"
	wahyu     = "198504222010011912"
	endah     = "197001081999032913"
	headEmail = "tri.handayani@purbalinggakab.go.id"
)

func by(verifier string) request.Actor {
	return request.Actor{Role: sop.Verifier, ID: verifier, Via: "console"}
}

// do carries a command out and fails the test when it is refused.
func (p *portal) do(number string, cmd request.Command) request.State {
	p.t.Helper()
	s, err := p.store.Act(p.t.Context(), p.Agency, number, p.now(), cmd)
	if err != nil {
		p.t.Fatalf("%T: %v", cmd, err)
	}
	return s
}

func (p *portal) approve(number, verifier string) request.State {
	p.t.Helper()
	return p.do(number, request.Approve{By: by(verifier), Subject: p.state(number).Subject, Text: "di AMS tidak tampak pengiriman"})
}

// approved is a request that a verifier has just approved.
func (p *portal) approved(nip, verifier string) string {
	p.t.Helper()
	number := p.ask(nip)
	p.approve(number, verifier)
	return number
}

func (p *portal) state(number string) request.State {
	p.t.Helper()
	s, err := p.store.State(p.t.Context(), number)
	if err != nil {
		p.t.Fatal(err)
	}
	return s
}

func (p *portal) expect(number string, status request.Status) request.State {
	p.t.Helper()
	s := p.state(number)
	if s.Status != status {
		p.t.Fatalf("%s is in %s, not %s: %q\n%s", number, s.Status, status, s.Words, p.story(number))
	}
	return s
}

func (p *portal) story(number string) string {
	events, err := p.store.Events(context.WithoutCancel(p.t.Context()), number)
	if err != nil {
		return err.Error()
	}
	var b strings.Builder
	for i, e := range events {
		fmt.Fprintf(&b, "  %d %s %s %s %s\n", i+1, e.Kind, e.At.In(p.Zone).Format("01-02 15:04:05"), e.By.ID, e.Text)
	}
	return b.String()
}

// signIn lends the verifier's session, as the page does.
func (p *portal) signIn(verifier string) {
	p.t.Helper()
	ctx := p.t.Context()
	s, err := p.ams.SignIn(ctx, verifier, amsPassword, p.sim.Code(verifier))
	if err != nil {
		p.t.Fatal(err)
	}
	if err := p.store.SaveSession(ctx, p.Key, verifier, s.Plain(), s.RefreshExpiresAt, p.now()); err != nil {
		p.t.Fatal(err)
	}
}

// run does the work of the queue once, as its job does.
func (p *portal) run() {
	p.t.Helper()
	if err := p.runOn(p.Daemon); err != nil {
		p.t.Fatal(err)
	}
}

func (p *portal) runOn(d *Daemon) error {
	return (&resetWorker{d: d}).Work(p.t.Context(), &river.Job[store.RunResets]{Args: store.RunResets{Agency: p.Key}})
}

// look has the watch look once.
func (p *portal) look(number string) {
	p.t.Helper()
	err := (&watchWorker{d: p.Daemon}).Work(p.t.Context(), &river.Job[store.WatchRequest]{Args: store.WatchRequest{Number: number}})
	if err != nil {
		p.t.Fatal(err)
	}
}

// pass moves the clock.
func (p *portal) pass(d time.Duration) { p.set(p.now().Add(d)) }

// calls are the resets that arrived at BSrE, by e-mail of the applicant.
func (p *portal) calls() []string {
	var out []string
	for _, e := range p.sim.Journal() {
		u, _ := p.sim.User(e.UID)
		out = append(out, u.Email)
	}
	return out
}

func (p *portal) expectCalls(want ...string) {
	p.t.Helper()
	if got := p.calls(); !slices.Equal(got, want) {
		p.t.Fatalf("BSrE got resets for %v, want %v", got, want)
	}
}

// mails counts those of a template so far.
func (p *portal) mails(template string) int { return count(p.outbox(), template+" > ") }

func (p *portal) has(number string, kind request.Kind) *request.Event {
	p.t.Helper()
	events, err := p.store.Events(p.t.Context(), number)
	if err != nil {
		p.t.Fatal(err)
	}
	for i := range slices.Backward(events) {
		if events[i].Kind == kind {
			return &events[i]
		}
	}
	return nil
}
