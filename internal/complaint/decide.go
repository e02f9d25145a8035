package complaint

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"pulih/internal/agency"
	"pulih/internal/request"
	"pulih/internal/sop"
)

// Refusal codes beside those of requests.
const (
	Unclassified = "unclassified" // a person must set the class first
	Discloses    = "discloses"    // the answer tells a stranger of somebody's request
)

// MaxText bounds what is kept of a complaint's or an answer's words, in characters; the letter itself is in the archive.
const MaxText = 8000

func refuse(code, format string, args ...any) error {
	return &request.Refusal{Code: code, Message: fmt.Sprintf(format, args...)}
}

// Decide says what follows from a command: the new events, in order, and the effects that they call for; or a *request.Refusal. No events
// and no error means that there is nothing new.
func Decide(s State, cmd Command, a *agency.Agency, now time.Time) ([]Event, []request.Effect, error) {
	d := decision{s: s, a: a, now: now}
	if err := d.decide(cmd); err != nil {
		return nil, nil, err
	}
	return d.events, d.effects, nil
}

// decision gathers events; s runs ahead with each of them, so that later rules of one command see what earlier ones brought.
type decision struct {
	s       State
	a       *agency.Agency
	now     time.Time
	events  []Event
	effects []request.Effect
}

func (d *decision) add(e Event) {
	e.Seen = d.now
	if e.At.IsZero() {
		e.At = d.now
	}
	d.events = append(d.events, e)
	d.s = d.s.With([]Event{e})
}

func (d *decision) do(effects ...request.Effect) { d.effects = append(d.effects, effects...) }

func (d *decision) decide(cmd Command) error {
	if _, opens := cmd.(Open); !opens && d.s.Version == 0 {
		return refuse(request.WrongState, "Pengaduan ini belum ada.")
	}
	switch c := cmd.(type) {
	case Open:
		return d.open(c)
	case Join:
		return d.join(c)
	case Classify:
		before := d.s.Holder
		err := d.classify(c.By, c.Class, c.Text)
		if d.s.Holder != before {
			d.work(c.By)
		}
		return err
	case Assign:
		return d.assign(c)
	case Relate:
		return d.relate(c)
	case HandOn:
		return d.handOn(c)
	case HandBack:
		return d.handBack(c)
	case Answer:
		return d.answer(c)
	case Undelivered:
		return d.undelivered(c)
	case Dismiss:
		return d.dismiss(c)
	case Reopen:
		return d.reopen(c)
	case Note:
		d.add(Event{Kind: NoteAdded, By: c.By, Text: short(c.Text)})
		return nil
	case Remind:
		return d.remind(c)
	}
	return fmt.Errorf("unknown command %T", cmd)
}

func (d *decision) open(c Open) error {
	if d.s.Version != 0 {
		return refuse(request.WrongState, "Pengaduan ini sudah ada.")
	}
	if !c.Channel.Valid() {
		return refuse(request.Incomplete, "Pilih saluran pengaduan.")
	}
	if strings.TrimSpace(c.Text) == "" && c.Letter == nil {
		return refuse(request.Incomplete, "Tuliskan isi pengaduan.")
	}
	if c.At.IsZero() || c.At.After(d.now) {
		c.At = d.now // a sender's clock that runs ahead may not shorten anything
	}
	from, text := c.From, short(c.Text)
	p := Propose(text, d.a.SOP.Complaints)
	d.add(Event{Kind: Received, At: c.At, By: c.By, Channel: c.Channel, From: &from, Letter: c.Letter, Text: text, Class: p.Class, Reasons: p.Reasons})
	if c.About != nil {
		d.link(c.By, c.About)
	}
	if !c.Quiet {
		d.do(d.toComplainant(MailReceived, "diproses", "Pengaduan tercatat dengan nomor "+d.s.Number+".")...)
	}
	if c.Class != "" && d.mayAct(c.By) == nil {
		// Somebody who may not hold what the rules propose can't classify it away: it stays as proposed.
		if err := d.classify(c.By, c.Class, "ditetapkan saat pengaduan dicatat"); err != nil {
			return err
		}
	}
	d.work(c.By)
	return nil
}

// work tells those who hold the complaint now, but not the one who just acted.
func (d *decision) work(by request.Actor) {
	for _, p := range holders(d.s, d.a, d.now) {
		if p.ID != by.ID && p.Email != "" {
			d.do(request.Mail{Template: MailAssigned, To: staff(p)})
		}
	}
}

func (d *decision) join(c Join) error {
	if slices.ContainsFunc(d.s.Letters, func(l request.Letter) bool { return l.ID == c.Letter.ID }) {
		return nil
	}
	l := c.Letter
	by := request.Actor{Name: l.From, Via: l.Channel}
	e := Event{Kind: LetterJoined, At: l.ReceivedAt, By: by, Letter: &l}
	own := !c.Same && (l.SrikandiID != "" || agency.SameAddress(l.From, d.s.From.Email))
	if own {
		e.Text = short(c.Text) // others may write what they like; it isn't the complainant's word
	}
	flood := d.joinedLately() >= dailyNews
	d.add(e)
	switch {
	case c.Same:
	case flood && d.s.Status.Open():
		// It is all kept; who holds the complaint has mail enough to look.
	case d.s.Status.Open(), !own:
		d.work(by)
	case !onlyThanks(c.Text, d.s.From.Name):
		// The answer's mail says that a reply opens the complaint again.
		at := l.ReceivedAt
		if at.Before(d.s.ClosedAt) {
			at = d.s.ClosedAt // it crossed our answer on the way
		}
		d.add(Event{Kind: Reopened, At: at, By: by, Text: "Pelapor membalas jawaban."})
		d.work(by)
	}
	return nil
}

// dailyNews is how many letters to one complaint are announced within a day: a stranger may not make us flood our own people.
const dailyNews = 5

func (d *decision) joinedLately() int {
	n := 0
	for _, l := range d.s.Letters {
		if d.now.Sub(l.ReceivedAt) < 24*time.Hour {
			n++
		}
	}
	return n
}

// undelivered: an answer that didn't arrive is none, so the promise runs on from where the mail server said so.
func (d *decision) undelivered(c Undelivered) error {
	if d.s.Status != StatusAnswered || !c.Answer {
		d.add(Event{Kind: NoteAdded, By: request.System, Text: short(c.Text)})
		return nil
	}
	d.add(Event{Kind: Reopened, By: request.System, Text: short("Jawaban tidak sampai. " + c.Text)})
	d.work(request.System)
	return nil
}

func (d *decision) classify(by request.Actor, id, why string) error {
	if err := d.mayAct(by); err != nil {
		return err
	}
	if !d.s.Status.Open() {
		return refuse(request.WrongState, "Pengaduan ini sudah selesai.")
	}
	class, ok := find(d.a.SOP.Complaints, id)
	if !ok {
		return refuse(request.Incomplete, "Pilih golongan pengaduan.")
	}
	if d.s.ClassSet && d.s.Class.ID == class.ID {
		return nil
	}
	longer := d.s.Class != nil && compareNorms(class.Norm, d.s.Class.Norm) > 0
	if longer && strings.TrimSpace(why) == "" {
		return refuse(request.Incomplete, "Tuliskan mengapa golongannya %s: batas jawabannya menjadi lebih lama, %s.", strings.ToLower(class.Title), class.Norm)
	}
	d.add(Event{Kind: Classified, By: by, Class: class, Text: short(why)})
	return nil
}

// assign gives the complaint to a person of the role that holds it, or of one above.
func (d *decision) assign(c Assign) error {
	if err := d.mayAct(c.By); err != nil {
		return err
	}
	if !d.s.Status.Open() {
		return refuse(request.WrongState, "Pengaduan ini sudah selesai.")
	}
	e := Event{Kind: Assigned, By: c.By, Person: c.Person, Text: short(c.Text)}
	switch {
	case c.Person != "":
		role, ok := d.roleOf(c.Person)
		if !ok {
			return refuse(request.NotAllowed, "Yang ditugaskan harus %s atau atasannya.", d.classHolder().Title())
		}
		e.Role = role
	default:
		e.Role = d.classHolder()
	}
	d.add(e)
	d.work(c.By)
	return nil
}

func (d *decision) classHolder() sop.Role {
	if d.s.Class != nil {
		return d.s.Class.Holder
	}
	return sop.Verifier
}

// roleOf is the lowest role in which the person may hold this complaint.
func (d *decision) roleOf(person string) (sop.Role, bool) {
	for depth := d.classHolder().Depth(); depth >= 0; depth-- {
		role := sop.Chain[depth]
		if slices.ContainsFunc(d.a.Holders(role, d.now), func(p agency.Person) bool { return p.ID == person }) {
			return role, true
		}
	}
	return "", false
}

func (d *decision) relate(c Relate) error {
	if err := d.mayAct(c.By); err != nil {
		return err
	}
	if c.About == nil {
		if d.s.Link != nil {
			d.add(Event{Kind: Linked, By: c.By})
		}
		return nil
	}
	if d.s.Link == nil || d.s.Link.Number != c.About.Number {
		d.link(c.By, c.About)
	}
	return nil
}

func (d *decision) link(by request.Actor, about *About) {
	d.add(Event{Kind: Linked, By: by, Link: &Link{
		Number: about.Number, Applicant: about.Subject.Name, Theirs: theirs(d.s.From, about.Subject, d.a),
	}})
}

// theirs: the complainant is beyond doubt the applicant, or the office that wrote, in person of its mailbox, its head or an acting one.
func theirs(from Complainant, subject request.Subject, a *agency.Agency) bool {
	if !from.Proven {
		return false
	}
	if agency.Digits(from.NIP) != "" && agency.Digits(from.NIP) == agency.Digits(subject.NIP) || agency.SameAddress(from.Email, subject.Email) {
		return true
	}
	office, ok := a.Office(subject.OfficeID)
	if !ok {
		return false
	}
	heads := append([]agency.Official{office.Head}, office.Acting...)
	return slices.ContainsFunc(office.Addresses, func(have string) bool { return agency.SameAddress(have, from.Email) }) ||
		slices.ContainsFunc(heads, func(h agency.Official) bool {
			return agency.SameAddress(h.Email, from.Email) || agency.Digits(from.NIP) != "" && agency.Digits(h.NIP) == agency.Digits(from.NIP)
		})
}

func (d *decision) handOn(c HandOn) error {
	if err := d.mayAct(c.By); err != nil {
		return err
	}
	if d.s.Status != StatusNew && d.s.Status != StatusOpen {
		return refuse(request.WrongState, "Pengaduan ini tidak sedang menunggu jawaban kantor.")
	}
	if err := d.mayTell(c.Text); err != nil {
		return err
	}
	d.add(Event{Kind: HandedOn, By: c.By, Text: short(c.Text)})
	d.do(d.toComplainant(MailForwarded, "diproses", "Pengaduan diteruskan ke BSrE.")...)
	return nil
}

func (d *decision) handBack(c HandBack) error {
	if c.By != request.System {
		if err := d.mayAct(c.By); err != nil {
			return err
		}
	}
	if d.s.Status != StatusBSrE {
		return refuse(request.WrongState, "Pengaduan ini tidak sedang di BSrE.")
	}
	d.add(Event{Kind: HandedBack, By: c.By, Text: short(c.Text)})
	d.work(c.By)
	return nil
}

func (d *decision) answer(c Answer) error {
	if err := d.mayAct(c.By); err != nil {
		return err
	}
	if !d.s.Status.Open() {
		return refuse(request.WrongState, "Pengaduan ini sudah selesai.")
	}
	if c.Class != "" {
		if err := d.classify(c.By, c.Class, ""); err != nil {
			return err
		}
		if err := d.mayAct(c.By); err != nil {
			return err // the class that they set isn't theirs to answer
		}
	}
	if !d.s.ClassSet && len(d.a.SOP.Complaints) > 0 {
		return refuse(Unclassified, "Tetapkan golongan pengaduan sebelum menjawab.")
	}
	if strings.TrimSpace(c.Text) == "" {
		return refuse(request.Incomplete, "Tuliskan jawabannya; pelapor akan membacanya.")
	}
	if err := d.mayTell(c.Text); err != nil {
		return err
	}
	text := short(c.Text)
	tell := func() []request.Effect { return d.toComplainant(MailAnswered, "selesai", text) }
	if len(tell()) == 0 && !c.Delivered {
		return refuse(request.Incomplete, "Sampaikan jawabannya melalui %s, lalu tandai bahwa sudah disampaikan.", d.s.Channel.Title())
	}
	d.add(Event{Kind: Answered, By: c.By, Text: text})
	d.do(tell()...)
	return nil
}

// mayTell refuses words that would show a stranger somebody else's request: its number or the applicant's name, unless the complainant
// wrote them first.
func (d *decision) mayTell(text string) error {
	l := d.s.Link
	if l == nil || l.Theirs {
		return nil
	}
	own, text := fold(strings.Join(d.s.Texts, " ")), fold(text)
	for _, secret := range []string{fold(l.Number), agency.FoldName(l.Applicant)} {
		if secret != "" && strings.Contains(text, secret) && !strings.Contains(own, secret) {
			return refuse(Discloses, "Pelapor tidak terbukti sebagai pemohon atau kantornya: jangan menyebut nomor atau nama pemohon pada permohonan yang terkait.")
		}
	}
	return nil
}

func (d *decision) dismiss(c Dismiss) error {
	if err := d.mayAct(c.By); err != nil {
		return err
	}
	if !d.s.Status.Open() {
		return refuse(request.WrongState, "Pengaduan ini sudah selesai.")
	}
	if strings.TrimSpace(c.Text) == "" {
		return refuse(request.Incomplete, "Tuliskan mengapa pengaduan ini ditutup tanpa jawaban.")
	}
	d.add(Event{Kind: Dismissed, By: c.By, Text: short(c.Text)})
	return nil
}

func (d *decision) reopen(c Reopen) error {
	if err := d.mayAct(c.By); err != nil {
		return err
	}
	if d.s.Status.Open() {
		return refuse(request.WrongState, "Pengaduan ini masih terbuka.")
	}
	d.add(Event{Kind: Reopened, By: c.By, Text: short(c.Text)})
	d.work(c.By)
	return nil
}

// mayAct: whoever does the work of the role that holds the complaint today, and everybody above it. A complaint that may be about a verifier
// is not theirs (service.md: supervision is the direct superior's).
func (d *decision) mayAct(by request.Actor) error {
	for depth := d.s.Holder.Depth(); depth >= 0; depth-- {
		role := sop.Chain[depth]
		if slices.ContainsFunc(d.a.Holders(role, d.now), func(p agency.Person) bool { return p.ID == by.ID }) {
			return nil
		}
	}
	return refuse(request.NotAllowed, "Pengaduan ini ditangani %s atau atasannya.", d.s.Holder.Title())
}

func fold(text string) string { return strings.Join(strings.Fields(strings.ToLower(text)), " ") }

func short(text string) string {
	text = strings.TrimSpace(text)
	if runes := []rune(text); len(runes) > MaxText {
		return string(runes[:MaxText]) + " …"
	}
	return text
}
