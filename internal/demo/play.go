package demo

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"pulih/bsre"
	"pulih/internal/agency"
	"pulih/internal/demo/bsresim"
	"pulih/internal/demo/mailsim"
	"pulih/internal/demo/srikandisim"
	"pulih/internal/request"
	"pulih/internal/sop"
	"pulih/internal/store"
)

// Play directs the world: offices write, officials pass letters on, applicants set passphrases. With a verifier of its own it needs nobody;
// without, the decisions are left to the person at the page.
type Play struct {
	World    *World
	Store    *store.Store
	Verifier bool          // play the verifiers too
	Tell     func(string)  // one plain line an event; may be nil
	Every    time.Duration // between two letters of the world's crowd, on the demo's clock

	scenes  []scene
	begun   time.Time
	sent    map[string]bool   // scenes whose letter is under way
	chains  map[string]*chain // letters in Srikandi, by agency and id
	links   []bsresim.Link
	replied map[string]bool // requests whose office has answered
	byHand  map[string]bool // requests that the verifier made in AMS
	portal  *bsre.AMS
	told    map[string]int64 // events told so far, by agency
}

// chain is a letter in Srikandi on its way down.
type chain struct {
	agency *agency.Agency
	id     string
	depth  int
	since  time.Time
}

// How long people take, on the demo's clock.
const (
	passesOn   = 90 * time.Second // an official of the chain
	examines   = 2 * time.Minute  // a verifier
	dawdles    = 9 * time.Minute  // a verifier who lets the norm pass
	answers    = 3 * time.Minute  // an office that owes papers
	setsPhrase = 4 * time.Minute  // an applicant, after the link
)

// verifiersIP is the machine from which the play's verifiers use the portal by hand: another one than the daemon's.
const verifiersIP = "127.0.0.2"

// Begin makes the play ready; its first letter comes with the first Step.
func (p *Play) Begin() error {
	p.scenes, p.begun = append(scenario(), crowdScenes(p.World.crowd, p.Every)...), p.World.Clock.Now()
	p.sent, p.chains, p.replied, p.byHand, p.told = map[string]bool{}, map[string]*chain{}, map[string]bool{}, map[string]bool{}, map[string]int64{}
	conf := p.World.Config.Tenants[0].BSrE.AMS
	var err error
	p.portal, err = bsre.NewAMS(bsre.AMSConfig{BeIDURL: conf.BeIDURL, PortalURL: conf.PortalURL, OperatorIP: verifiersIP, Now: p.World.Clock.Now})
	if err != nil {
		return fmt.Errorf("the verifiers' way to AMS: %w", err)
	}
	if i := slices.IndexFunc(p.scenes, func(s scene) bool { return s.fault }); i >= 0 {
		p.loseAnswer(p.scenes[i])
	}
	return nil
}

// loseAnswer has BSrE carry the reset out for one applicant and lose the answer.
func (p *Play) loseAnswer(s scene) {
	uid := p.World.users[s.who[0]]
	p.World.LoseAnswer(uid)
}

// Step does what is due now.
func (p *Play) Step(ctx context.Context) error {
	if err := p.write(); err != nil {
		return err
	}
	p.passOn()
	p.applicants()
	return errors.Join(p.requests(ctx), p.tell(ctx))
}

func (p *Play) elapsed() time.Duration { return p.World.Clock.Now().Sub(p.begun) }

// write sends the letters whose time has come.
func (p *Play) write() error {
	for _, s := range p.scenes {
		if p.sent[s.name] || p.elapsed() < s.after {
			continue
		}
		p.sent[s.name] = true
		paper, err := p.World.paper(p.scenes, s)
		if err != nil {
			return err
		}
		if s.channel == "srikandi" {
			p.writeSrikandi(s, paper)
		} else if err := p.writeMail(s, paper); err != nil {
			return err
		}
	}
	return nil
}

func (p *Play) writeSrikandi(s scene, paper Paper) {
	a, head := paper.Agency, paper.Office.Head
	to := a.Holders(sop.Head, p.World.Clock.Now())[0]
	id := p.World.Srikandi[a.Key].AddLetter(srikandisim.Letter{
		Number: paper.Number, Date: paper.Date.Format("2006-01-02"), Type: "Surat Dinas", Nature: "Biasa", Urgency: "Segera", Subject: paper.Subject,
		From: srikandisim.Party{Agency: a.Name, Unit: paper.Office.Name, Position: head.Position, Name: head.Name, NIP: head.NIP},
		To:   []srikandisim.Party{party(to)}, ReceivedAt: p.World.Clock.Now(),
		Files: []srikandisim.File{{Name: "surat.pdf", MIME: "application/pdf", Data: paper.PDF()}},
	})
	p.chains[a.Key+"/"+id] = &chain{agency: a, id: id, since: p.World.Clock.Now()}
}

func party(p agency.Person) srikandisim.Party {
	return srikandisim.Party{Unit: "Dinkominfo", Position: p.Position, Name: p.Name, NIP: p.NIP}
}

func (p *Play) writeMail(s scene, paper Paper) error {
	a := paper.Agency
	m := Message{From: s.from, To: a.Address, Subject: paper.Subject, At: p.World.Clock.Now().In(a.Zone), Headers: s.headers, Unauthentic: s.from != ""}
	if m.From == "" {
		m.From = paper.Office.Addresses[0]
	}
	switch {
	case s.raw != nil:
		m.Text, m.Name, m.Data = s.body, "surat.pdf", s.raw
	case s.headers != nil:
		m.Text = s.body
	case s.plain:
		m.Text = strings.Join(paper.Lines(), "\n")
	default:
		m.Text, m.Name, m.Data = "Yth. Bapak/Ibu,\n\nTerlampir surat permohonan dari "+paper.Office.Name+".\n\nTerima kasih.", "surat.pdf", paper.PDF()
	}
	return p.deliver(a, m)
}

func (p *Play) deliver(a *agency.Agency, m Message) error {
	if err := p.World.Mail.DeliverTo(a.Address, "INBOX", m.Raw(), m.At); err != nil {
		return fmt.Errorf("delivering a mail of the play: %w", err)
	}
	return nil
}

// passOn plays the chain: each official passes the letter to the next one, also those letters that came by mail and were registered.
func (p *Play) passOn() {
	for key, sim := range p.World.Srikandi {
		a, _ := p.World.Config.Agency(key)
		for _, r := range sim.Journal().Registrations {
			if p.chains[key+"/"+r.NaskahID] == nil {
				p.chains[key+"/"+r.NaskahID] = &chain{agency: a, id: r.NaskahID, since: r.At}
			}
		}
	}
	now := p.World.Clock.Now()
	for _, c := range p.chains {
		if c.depth >= len(sop.Chain)-1 || now.Sub(c.since) < passesOn {
			continue
		}
		from, to := c.agency.Holders(sop.Chain[c.depth], now)[0], c.agency.Holders(sop.Chain[c.depth+1], now)[0]
		p.World.Srikandi[c.agency.Key].Dispose(c.id, srikandisim.Disposition{
			From: party(from), To: []srikandisim.Receiver{{Party: party(to)}}, Instructions: []string{"Untuk ditindaklanjuti"}, SentAt: now,
		})
		c.depth, c.since = c.depth+1, now
	}
}

// applicants open BSrE's links after a while.
func (p *Play) applicants() {
	p.World.BSrE.Tick()
	for {
		select {
		case l := <-p.World.Links():
			p.links = append(p.links, l)
			continue
		default:
		}
		break
	}
	now := p.World.Clock.Now()
	p.links = slices.DeleteFunc(p.links, func(l bsresim.Link) bool {
		if now.Sub(l.At) < setsPhrase {
			return false
		}
		_ = p.World.BSrE.SetPassphrase(l.User.UID) // a newer link has replaced this one: then that one is opened
		return true
	})
}

// requests plays the verifiers, and the offices and applicants that answer them.
func (p *Play) requests(ctx context.Context) error {
	for _, a := range p.World.Config.Agencies() {
		queue, err := p.Store.Queue(ctx, a.Key)
		if err != nil {
			return err
		}
		for _, r := range queue {
			if err := p.request(ctx, a, r); err != nil {
				return err
			}
		}
	}
	return nil
}

func (p *Play) request(ctx context.Context, a *agency.Agency, r store.Request) error {
	waited := p.World.Clock.Now().Sub(r.Since)
	switch r.Status {
	case request.StatusReturned:
		if waited >= answers && !p.replied[r.Number] {
			return p.reply(a, r)
		}
	case request.StatusLink:
		if p.byHand[r.Number] {
			return p.confirmUse(ctx, a, r)
		}
	}
	if !p.Verifier {
		return nil
	}
	switch r.Status {
	case request.StatusLink:
		if a.Mode == agency.AMS { // a session that ended in the meantime is lent anew, so that the certificate can be looked at
			if holders, err := p.Store.SessionHolders(ctx, a.Key, p.World.Clock.Now()); err != nil || len(holders) == 0 {
				return errors.Join(err, p.SignIn(ctx, a))
			}
		}
	case request.StatusChecking, request.StatusRefused:
		if waited >= p.patience(r) {
			return p.examine(ctx, a, r)
		}
	case request.StatusApproved:
		if a.Mode == agency.Assisted && waited >= examines/2 {
			return p.assist(ctx, a, r)
		}
	case request.StatusWaitingSession:
		return p.SignIn(ctx, a)
	case request.StatusUncertain:
		if waited >= examines {
			return p.settle(ctx, a, r)
		}
	}
	return nil
}

func (p *Play) sceneOf(r store.Request) scene {
	for _, s := range p.scenes {
		if s.number == r.LetterNumber {
			return s
		}
	}
	return scene{}
}

func (p *Play) patience(r store.Request) time.Duration {
	if p.sceneOf(r).slow {
		return dawdles
	}
	return examines
}

// verifier is who examines in the play: not the applicant.
func (p *Play) verifier(a *agency.Agency) request.Actor {
	v := a.Holders(sop.Verifier, p.World.Clock.Now())[0]
	return request.Actor{Role: sop.Verifier, ID: v.ID, Name: v.Name, Via: "console"}
}

func (p *Play) examine(ctx context.Context, a *agency.Agency, r store.Request) error {
	s, err := p.Store.State(ctx, r.Number)
	if err != nil {
		return err
	}
	by := p.verifier(a)
	var cmd request.Command = request.Approve{By: by, Subject: s.Subject, SeenRisks: true, Compared: true}
	switch v := p.sceneOf(r).verifier; {
	case v == rejects:
		cmd = request.Reject{By: by, Text: "Surat tidak berasal dari alamat dinas dan alamat tujuan bukan e-mail dinas pemohon."}
	case v == returns && !p.replied[r.Number]:
		cmd = request.Return{By: by, Missing: []string{"Stempel dinas pada surat permohonan"}}
	}
	return p.act(ctx, a, r.Number, cmd)
}

// act carries out a command. A refusal means that somebody else was faster; the next step sees how things stand.
func (p *Play) act(ctx context.Context, a *agency.Agency, number string, cmd request.Command) error {
	_, err := p.Store.Act(ctx, a, number, p.World.Clock.Now(), cmd)
	var refusal *request.Refusal
	if errors.As(err, &refusal) {
		return nil
	}
	return err
}

// reply is the office's answer to a returned request, in the thread of the mail that asked for it.
func (p *Play) reply(a *agency.Agency, r store.Request) error {
	o, ok := a.Office(r.OfficeID)
	if !ok {
		return fmt.Errorf("the play's office %q is unknown", r.OfficeID)
	}
	asked := slices.IndexFunc(p.World.Mail.Journal(), func(m mailsim.Accepted) bool {
		return slices.Contains(m.To, o.Addresses[0]) && strings.Contains(string(m.Raw), r.Number) && strings.Contains(string(m.Raw), "Stempel")
	})
	if asked < 0 {
		return nil // the mail is still under way
	}
	p.replied[r.Number] = true
	now := p.World.Clock.Now().In(a.Zone)
	return p.deliver(a, Message{From: o.Addresses[0], To: a.Address, Subject: "Re: [" + r.Number + "] Kelengkapan", At: now,
		Text: "Yth. Bapak/Ibu,\n\nTerlampir surat yang telah dibubuhi stempel dinas.\n\nTerima kasih.", InReplyTo: p.World.Mail.Journal()[asked].MessageID,
		Name: "surat-berstempel.pdf", Data: []byte("%PDF-1.4\n% pindaian\n")})
}

// assist plays the assisted mode: the verifier makes the reset in AMS by hand and confirms it.
func (p *Play) assist(ctx context.Context, a *agency.Agency, r store.Request) error {
	s, err := p.Store.State(ctx, r.Number)
	if err != nil {
		return err
	}
	by := p.verifier(a)
	if !p.byHand[r.Number] {
		session, err := p.portal.SignIn(ctx, by.ID, secret, p.World.BSrE.Code(by.ID))
		if err != nil {
			return nil //nolint:nilerr // the one-time codes of this minute are spent: the verifier waits for the next
		}
		uid, err := p.portal.Find(ctx, &session, s.Subject.Email, "")
		if err != nil {
			return fmt.Errorf("the play's verifier in AMS: %w", err)
		}
		details, err := p.portal.Details(ctx, &session, uid)
		if err != nil {
			return fmt.Errorf("the play's verifier in AMS: %w", err)
		}
		certificate, err := bsre.Choose(details, p.World.Clock.Now())
		if err != nil {
			return fmt.Errorf("the play's verifier in AMS: %w", err)
		}
		p.byHand[r.Number] = true
		if out := p.portal.Reset(ctx, session, uid, certificate.Serial); out.Kind != bsre.Accepted {
			return fmt.Errorf("the play's verifier in AMS: %s", out.Message)
		}
	}
	return p.act(ctx, a, r.Number, request.Confirm{By: by})
}

// confirmUse is the applicant's answer, where nobody can look into AMS: "berhasil".
func (p *Play) confirmUse(ctx context.Context, a *agency.Agency, r store.Request) error {
	s, err := p.Store.State(ctx, r.Number)
	if err != nil {
		return err
	}
	u, ok := p.World.BSrE.UserByEmail(s.Subject.Email)
	if !ok || len(u.Certificates) == 0 || !u.Certificates[len(u.Certificates)-1].NotBefore.After(s.OpenedAt) {
		return nil
	}
	by := request.Actor{Role: sop.Applicant, Name: s.Subject.Name, Via: "mail"}
	return p.act(ctx, a, r.Number, request.Observe{Kind: request.Usable, At: p.World.Clock.Now(), By: by, Text: "Pemohon menjawab: berhasil."})
}

// SignIn has the play's verifier lend the software an AMS session, as they would on the page.
func (p *Play) SignIn(ctx context.Context, a *agency.Agency) error {
	by := p.verifier(a)
	session, err := p.portal.SignIn(ctx, by.ID, secret, p.World.BSrE.Code(by.ID))
	if err != nil {
		return nil //nolint:nilerr // the one-time codes of this minute are spent
	}
	return p.Store.SaveSession(ctx, a.Key, by.ID, session.Plain(), session.RefreshExpiresAt, p.World.Clock.Now())
}

// settle plays a verifier who looks into AMS after a lost answer: the portal shows that the link was sent.
func (p *Play) settle(ctx context.Context, a *agency.Agency, r store.Request) error {
	s, err := p.Store.State(ctx, r.Number)
	if err != nil {
		return err
	}
	if s.Booking == nil {
		return nil
	}
	for _, e := range p.World.BSrE.Journal() {
		if e.UID == s.Booking.UID && e.Executed && !e.At.Before(s.BookedAt.Add(-time.Minute)) {
			return p.act(ctx, a, r.Number, request.Confirm{By: p.verifier(a)})
		}
	}
	return p.act(ctx, a, r.Number, request.CouldNot{By: p.verifier(a), Text: "Di AMS tidak tampak adanya pengiriman tautan."})
}
