package request

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"pulih/internal/agency"
	"pulih/internal/letter"
	"pulih/internal/sop"
)

// Refusal is why a command was not carried out. Message is for the person who asked, in Indonesian.
type Refusal struct {
	Code    string
	Message string
}

func (r *Refusal) Error() string { return r.Message }

// The refusals' codes.
const (
	NotAllowed   = "not-allowed"   // this person may not do it
	WrongState   = "wrong-state"   // it doesn't fit where the request stands
	DataChanged  = "data-changed"  // the subject is no longer what the person saw
	OwnRequest   = "own-request"   // the verifier is the applicant
	NoAddress    = "no-address"    // the directory knows no official address for the applicant
	RisksUnseen  = "risks-unseen"  // there are findings of severity danger
	NotCompared  = "not-compared"  // the subject rests on a correction that nobody has compared with the letter
	SameVerifier = "same-verifier" // the second approval must come from another verifier
	Incomplete   = "incomplete"    // the command lacks what it needs
	NotIssue     = "not-issue"     // the certificate can't be reset
	CapReached   = "cap-reached"   // the daily limit of resets
)

// issue is the only status of a certificate that can be reset (contracts/bsre.md).
const issue = "ISSUE"

func refuse(code, format string, args ...any) error {
	return &Refusal{Code: code, Message: fmt.Sprintf(format, args...)}
}

// Decide says what follows from a command: the new events, in order, and the effects that they call for; or a *Refusal. No events and no
// error means that there is nothing new.
func Decide(s State, cmd Command, a *agency.Agency, now time.Time) ([]Event, []Effect, error) {
	d := decision{s: s, a: a, now: now}
	err := d.decide(cmd)
	if err != nil {
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
	effects []Effect
}

func (d *decision) add(e Event) {
	e.Seen = d.now
	if e.At.IsZero() || e.At.After(d.now) { // a clock that is ahead lengthens nobody's time
		e.At = d.now
	}
	d.events = append(d.events, e)
	d.s = d.s.With([]Event{e})
}

func (d *decision) do(effects ...Effect) { d.effects = append(d.effects, effects...) }

func (d *decision) decide(cmd Command) error {
	if _, opens := cmd.(Open); !opens && d.s.Version == 0 {
		return refuse(WrongState, "Permohonan ini belum ada.")
	}
	switch c := cmd.(type) {
	case Open:
		return d.open(c)
	case Join:
		return d.join(c)
	case Part:
		return d.part(c)
	case Dispose:
		return d.dispose(c)
	case Forward:
		return d.forward(c)
	case Back:
		d.back(c)
		return nil
	case Gone:
		d.gone(c)
		return nil
	case Assign:
		return d.assign(c)
	case SeeStatus:
		d.seeStatus(c)
		return nil
	case Recheck:
		d.do(CheckStatus{})
		return nil
	case Approve:
		return d.approve(c)
	case Return:
		return d.giveBack(c)
	case Complete:
		return d.complete(c)
	case Reject:
		return d.reject(c)
	case Reopen:
		return d.reopen(c)
	case Note:
		d.add(Event{Kind: NoteAdded, By: c.By, Text: c.Text})
		return nil
	case Explain:
		return d.explain(c)
	case Remind:
		return d.remind(c)
	}
	return d.decideReset(cmd)
}

func (d *decision) seeStatus(c SeeStatus) {
	if !d.s.Status.Open() || c.Code == d.s.Certificate && !d.s.CertificateSeen.IsZero() {
		return
	}
	by := Actor{Role: sop.BSrE, Name: "BSrE", Via: "esign"}
	d.add(Event{Kind: StatusSeen, By: by, Code: c.Code, Text: c.Text})
	if _, reset := d.s.Ended[sop.EndsReset]; reset && c.Code != "" && c.Code != issue {
		d.flag(by, []letter.Finding{{Code: "status-after-reset", Severity: letter.Warning,
			Detail: "Sesudah reset, eSign menyebut status sertifikat " + c.Code + ", bukan ISSUE; periksa di AMS."}})
	}
}

func (d *decision) open(c Open) error {
	if d.s.Version != 0 {
		return refuse(WrongState, "Permohonan ini sudah ada.")
	}
	subject, l := c.Subject, c.Letter
	d.add(Event{Kind: Received, At: l.ReceivedAt, By: c.By, SOP: d.a.SOP.ID, SOPVersion: d.a.SOP.Version, Subject: &subject, Letter: &l, Findings: c.Findings})
	d.do(toOffice(MailReceiptOffice, d.s, d.a)...)
	d.do(toApplicant(MailReceiptApplicant, d.s)...)
	d.do(followUp(d.s, "diproses", "Surat diterima dan tercatat dengan nomor "+d.s.Number+".")...)
	for _, n := range c.Dispositions {
		n.LetterID = l.ID
		d.add(Event{Kind: DispositionSeen, At: n.SentAt, By: n.From, Disposition: &n})
	}
	switch {
	case c.By.Role == sop.Verifier:
		d.add(Event{Kind: Assigned, By: c.By, Person: c.By.ID})
	case l.Channel == "mail" && d.a.Rules.MailSkipsChain:
		d.add(Event{Kind: Assigned, At: l.ReceivedAt, By: System, Text: "Surat lewat e-mail langsung ke verifikator menurut aturan instansi."})
	}
	d.work()
	return nil
}

// work tells whoever holds the request now; for a verifier the certificate's status is asked beforehand.
func (d *decision) work() {
	d.do(toStaff(MailWork, holders(d.s, d.a, d.now))...)
	if d.s.Status == StatusChecking {
		d.do(CheckStatus{})
	}
}

func (d *decision) join(c Join) error {
	known := slices.ContainsFunc(d.s.Letters, func(l Letter) bool { return l.ID == c.Letter.ID })
	other := known && c.Subject != nil && *c.Subject != d.s.Subject && (d.subjectOpen() || !d.s.Has("subject-changed"))
	if known && len(c.Changed) == 0 && !other {
		return nil
	}
	l := c.Letter
	e := Event{Kind: LetterJoined, At: l.ReceivedAt, By: c.By, Letter: &l}
	if c.By == (Actor{}) {
		e.By = System
	}
	if known {
		e.Kind, e.At, e.Text = LetterChanged, d.now, strings.Join(c.Changed, "; ")
		e.Findings = d.findingsNow(c, other)
	}
	if other && d.subjectOpen() {
		e.Subject = c.Subject
	}
	voidable := d.s.Voidable()
	d.add(e)
	// An approval that was made on other data is used up, and the verifiers look again (invariant 3).
	switch {
	case voidable && e.Subject != nil:
		d.voided("Data pemohon dalam surat berubah setelah disetujui")
	case voidable && c.Recheck:
		d.voided("Surat diubah di Srikandi setelah disetujui (" + e.Text + ")")
	}
	if !known && l.SrikandiID != "" { // registered from the mail, or again: whoever looks at it there finds where it went
		here := FollowUp{SrikandiID: l.SrikandiID, Status: "diproses", Text: "Surat ini tercatat pada permohonan nomor " + d.s.Number + "."}
		if !d.s.Status.Open() {
			here.Status, here.Text = "selesai", "Surat ini tercatat pada permohonan nomor "+d.s.Number+", yang telah selesai ditangani."
		}
		d.do(here)
	}
	return nil
}

// findingsNow are a request's findings when a letter of it was read again: what may have been settled has to be found again. Other says that it
// names its applicant differently.
func (d *decision) findingsNow(c Join, other bool) []letter.Finding {
	more := c.Findings
	switch {
	case other && !d.subjectOpen():
		more = append(slices.Clone(more), letter.Finding{Code: "subject-changed", Severity: letter.Danger,
			Detail: "Data pemohon dalam surat berubah setelah reset diajukan; periksa apakah reset itu untuk orang yang benar."})
	case other && d.s.Approval != nil && c.By == (Actor{}): // a letter that was exchanged behind its approval; who corrects it by hand knows
		more = append(slices.Clone(more), letter.Finding{Code: "approved-other", Severity: letter.Danger,
			Detail: "Data pemohon dalam surat berubah setelah disetujui; periksa siapa yang sebenarnya dimohonkan."})
	}
	alone := len(d.s.Letters) == 1 // of another letter it may still be true
	have := slices.DeleteFunc(slices.Clone(d.s.Findings), func(f letter.Finding) bool {
		switch f.Code {
		case "number-temporary":
			return true
		case "applicant-gone":
			return c.Subject != nil
		case "attachment-missing", "attachment-differs", "srikandi-flaws":
			return alone
		}
		return false
	})
	return mergeFindings(have, more)
}

// voided uses up an approval whose reset wasn't made.
func (d *decision) voided(why string) {
	d.add(Event{Kind: ApprovalVoided, By: System, Text: why + "; reset belum diajukan. Periksa sekali lagi."})
	d.do(toStaff(MailWork, d.a.Holders(sop.Verifier, d.now))...)
	d.do(followUp(d.s, "diproses", "Persetujuan batal karena surat berubah; reset belum diajukan dan permohonan diperiksa kembali.")...)
}

// part: what was decided on a letter isn't undone behind its approver's back, nor while nobody knows what a call did.
func (d *decision) part(c Part) error {
	if err := d.verifier(c.By); err != nil {
		return err
	}
	i := slices.IndexFunc(d.s.Letters, func(l Letter) bool { return l.ID == c.LetterID })
	switch {
	case i < 0:
		return refuse(WrongState, "Surat ini bukan milik permohonan ini.")
	case len(d.s.Letters) == 1:
		return refuse(WrongState, "Permohonan harus punya surat; tolak permohonannya bila suratnya keliru.")
	case d.s.Approval != nil && d.s.Status != StatusClosed && d.s.Status != StatusRejected, d.s.Status == StatusUncertain:
		return refuse(WrongState, "Permohonan ini sudah disetujui berdasarkan surat-suratnya; selesaikan dahulu resetnya.")
	case strings.TrimSpace(c.Text) == "":
		return refuse(Incomplete, "Tuliskan mengapa surat ini dipisahkan.")
	}
	l, before := d.s.Letters[i], d.s
	d.add(Event{Kind: LetterParted, By: c.By, Letter: &l, Text: c.Text})
	d.workIfMoved(before)
	return nil
}

// subjectOpen reports that no reset was made yet, nor may have been, on the subject as it stands.
func (d *decision) subjectOpen() bool {
	return slices.Contains([]Status{StatusReceived, StatusChain, StatusChecking, StatusReturned, StatusSecond, StatusApproved, StatusWaitingSession,
		StatusPhoneCheck, StatusRefused}, d.s.Status)
}

func mergeFindings(have, more []letter.Finding) []letter.Finding {
	out := slices.Clone(have)
	for _, f := range more {
		if !slices.ContainsFunc(out, func(h letter.Finding) bool { return h.Code == f.Code && h.Detail == f.Detail }) {
			out = append(out, f)
		}
	}
	return out
}

func (d *decision) dispose(c Dispose) error {
	if !d.s.Status.Open() {
		return nil
	}
	before := d.s
	for _, have := range before.Dispositions {
		still := slices.ContainsFunc(c.Now, func(n Disposition) bool { return n.ID == have.ID })
		// Forward's dispositions have no letter: Srikandi doesn't know them and can't withdraw them.
		if have.LetterID == c.LetterID && !still {
			gone := have
			d.add(Event{Kind: DispositionWithdrawn, By: System, Disposition: &gone})
		}
	}
	for _, n := range c.Now {
		n.LetterID = c.LetterID
		if !slices.ContainsFunc(before.Dispositions, func(have Disposition) bool { return sameDisposition(have, n) }) {
			d.add(Event{Kind: DispositionSeen, At: n.SentAt, By: n.From, Disposition: &n})
		}
	}
	d.workIfMoved(before)
	return nil
}

func sameDisposition(a, b Disposition) bool {
	return a.ID == b.ID && a.LetterID == b.LetterID && a.Acts == b.Acts && a.Text == b.Text && a.SentAt.Equal(b.SentAt) &&
		slices.Equal(a.To, b.To)
}

func (d *decision) workIfMoved(before State) {
	if d.s.Holder != before.Holder || !slices.Equal(d.s.HolderIDs, before.HolderIDs) {
		d.work()
	}
}

func (d *decision) forward(c Forward) error {
	if d.s.Status != StatusReceived && d.s.Status != StatusChain {
		return refuse(WrongState, "Surat ini tidak lagi menunggu disposisi.")
	}
	if depth := c.By.Role.Depth(); depth < 0 || depth > d.s.Holder.Depth() || c.By.Role == sop.Verifier || !d.isStaff(c.By, c.By.Role) {
		return refuse(NotAllowed, "Hanya %s atau atasannya yang dapat meneruskan surat ini.", d.s.Holder.Title())
	}
	for _, to := range c.To {
		if to.Role.Depth() <= c.By.Role.Depth() || !d.isStaff(to, to.Role) {
			return refuse(NotAllowed, "Surat hanya dapat diteruskan ke bawahan.")
		}
	}
	if len(c.To) == 0 {
		return refuse(Incomplete, "Pilih penerima disposisi.")
	}
	before := d.s
	n := Disposition{ID: fmt.Sprintf("own-%d", d.s.Version+1), From: c.By, To: c.To, Acts: true, Text: c.Text, SentAt: d.now}
	d.add(Event{Kind: DispositionSeen, By: c.By, Disposition: &n})
	d.workIfMoved(before)
	return nil
}

func (d *decision) gone(c Gone) {
	if !d.s.Status.Open() || slices.Contains(d.s.Gone, c.LetterID) {
		return
	}
	f := letter.Finding{Code: "letter-gone", Severity: letter.Warning, Detail: c.Text}
	d.add(Event{Kind: LetterGone, By: System, Letter: &Letter{ID: c.LetterID}, Text: c.Text, Findings: mergeFindings(d.s.Findings, []letter.Finding{f})})
}

func (d *decision) back(c Back) {
	if !d.s.Status.Open() || !slices.Contains(d.s.Gone, c.LetterID) {
		return
	}
	f := letter.Finding{Code: "letter-back", Severity: letter.Info, Detail: c.Text}
	d.add(Event{Kind: LetterBack, By: System, Letter: &Letter{ID: c.LetterID}, Text: c.Text, Findings: mergeFindings(d.s.Findings, []letter.Finding{f})})
}

func (d *decision) assign(c Assign) error {
	if c.By != System && c.By.Role.Depth() < 0 {
		return refuse(NotAllowed, "Hanya pejabat dalam rantai disposisi yang dapat menugaskan verifikator.")
	}
	if !slices.Contains([]Status{StatusReceived, StatusChain, StatusChecking, StatusRefused}, d.s.Status) {
		return refuse(WrongState, "Permohonan ini tidak sedang menunggu pemeriksaan.")
	}
	if c.Person != "" && !d.isStaff(Actor{ID: c.Person}, sop.Verifier) {
		return refuse(NotAllowed, "Yang ditugaskan harus verifikator.")
	}
	d.add(Event{Kind: Assigned, By: c.By, Person: c.Person, Text: c.Text})
	d.work()
	return nil
}

// isStaff reports whether the actor does the role's work today, as its holder or as a deputy.
func (d *decision) isStaff(by Actor, role sop.Role) bool {
	if p, ok := d.a.Person(by.ID); ok && p.Has(role) {
		return true
	}
	return slices.ContainsFunc(d.a.Holders(role, d.now), func(p agency.Person) bool { return p.ID == by.ID })
}

// verifier refuses everybody who isn't a verifier of this agency, and the applicant themselves (invariant 3).
func (d *decision) verifier(by Actor) error {
	p, ok := d.a.Person(by.ID)
	if !ok || !d.isStaff(by, sop.Verifier) {
		return refuse(NotAllowed, "Hanya verifikator instansi ini yang dapat melakukannya.")
	}
	if d.s.Subject.Is(p) {
		return refuse(OwnRequest, "Verifikator tidak dapat memutuskan permohonannya sendiri.")
	}
	return nil
}

// Is reports whether a member of staff is the applicant.
func (s Subject) Is(p agency.Person) bool {
	return agency.Digits(p.NIP) != "" && agency.Digits(p.NIP) == agency.Digits(s.NIP) || agency.SameAddress(p.Email, s.Email) ||
		s.NIP == "" && agency.SameName(p.Name, s.Name)
}

func (d *decision) approve(c Approve) error {
	if err := d.verifier(c.By); err != nil {
		return err
	}
	if err := d.mayApprove(c); err != nil {
		return err
	}
	subject := d.s.Subject
	again := d.s.Status == StatusUncertain
	second := d.s.Status == StatusSecond
	compared := d.s.Subject.RestsOn(c.Facts.Corrections)
	if len(compared) > 0 { // each verifier for themselves
		d.add(Event{Kind: Validated, By: c.By, Text: "Sudah dicocokkan dengan surat: " + FieldWords(compared) + "."})
	} else if !second {
		d.add(Event{Kind: Validated, By: c.By})
	}
	e := Event{Kind: Approved, By: c.By, Subject: &subject, Letter: c.Letter, Text: c.Text, Again: again}
	if !c.Written.IsZero() {
		e.Written = &c.Written
	}
	if !second && (d.a.Rules.FourEyes || d.repeated(c.Facts)) {
		e.Mark = needsSecond
		d.add(e)
		d.do(toStaff(MailSecondApproval, d.otherVerifiers(c.By))...)
		return nil
	}
	d.add(e)
	if d.a.Mode == agency.AMS {
		d.do(Reset{Due: d.resetDue()})
	} else if p, ok := d.a.Person(c.By.ID); ok {
		d.do(toStaff(MailAssisted, []agency.Person{p})...)
	}
	d.do(followUp(d.s, "diproses", "Permohonan disetujui; reset akan diajukan ke BSrE.")...)
	return nil
}

func (d *decision) mayApprove(c Approve) error {
	switch d.s.Status {
	case StatusChecking, StatusRefused:
	case StatusUncertain:
		if strings.TrimSpace(c.Text) == "" {
			return refuse(Incomplete, "Tuliskan mengapa reset boleh diajukan lagi walau panggilan sebelumnya belum pasti.")
		}
	case StatusSecond:
		if c.By.ID == d.s.Approval.By.ID {
			return refuse(SameVerifier, "Persetujuan kedua harus dari verifikator lain.")
		}
	case StatusReceived, StatusChain:
		return refuse(WrongState, "Surat belum didisposisikan kepada verifikator.")
	default:
		return refuse(WrongState, "Permohonan ini tidak sedang menunggu persetujuan.")
	}
	if c.Subject != d.s.Subject {
		return refuse(DataChanged, "Data pemohon berubah sejak Anda melihatnya; periksa sekali lagi.")
	}
	if d.s.Certificate != "" && d.s.Certificate != issue {
		return refuse(NotIssue, "Status sertifikat pemohon %s, bukan ISSUE; reset tidak menolongnya.", d.s.Certificate)
	}
	if !d.s.Subject.Known || d.s.Subject.Email == "" {
		return refuse(NoAddress, "E-mail dinas pemohon tidak ada dalam daftar pejabat; daftarkan dahulu, karena tautan BSrE hanya boleh ke alamat terdaftar.")
	}
	if words := d.capped(c.Facts); words != "" && d.a.Mode != agency.AMS { // in AMS mode the reset waits for the next day instead
		return refuse(CapReached, "%s Setujui lagi besok, atau minta operator menaikkan batasnya.", words)
	}
	danger := slices.ContainsFunc(d.s.Findings, func(f letter.Finding) bool { return f.Severity == letter.Danger })
	if danger && !c.SeenRisks {
		return refuse(RisksUnseen, "Ada temuan berbahaya pada surat ini; nyatakan bahwa Anda telah memeriksanya.")
	}
	if unsure := d.s.Subject.RestsOn(c.Facts.Corrections); len(unsure) > 0 && !c.Compared {
		return refuse(NotCompared, "Untuk %s pemohon dipakai koreksi pulih, karena tidak terbaca utuh di surat. Bandingkan di halaman permohonan, lalu nyatakan \"Sudah saya cocokkan dengan surat\".", FieldWords(unsure))
	}
	return nil
}

func (d *decision) otherVerifiers(by Actor) []agency.Person {
	return slices.DeleteFunc(d.a.Holders(sop.Verifier, d.now), func(p agency.Person) bool { return p.ID == by.ID })
}

func (d *decision) giveBack(c Return) error {
	if err := d.verifier(c.By); err != nil {
		return err
	}
	if !slices.Contains([]Status{StatusChecking, StatusRefused, StatusSecond}, d.s.Status) {
		return refuse(WrongState, "Permohonan ini tidak sedang diperiksa.")
	}
	if len(c.Missing) == 0 {
		return refuse(Incomplete, "Sebutkan apa yang perlu dilengkapi.")
	}
	d.add(Event{Kind: ReturnedToApplicant, By: c.By, Missing: c.Missing, Text: c.Text})
	d.do(toOffice(MailReturned, d.s, d.a)...)
	d.do(toApplicant(MailReturned, d.s)...)
	d.do(followUp(d.s, "dikembalikan", "Mohon dilengkapi: "+strings.Join(c.Missing, "; ")+".")...)
	return nil
}

func (d *decision) complete(c Complete) error {
	if d.s.Status != StatusReturned {
		return refuse(WrongState, "Permohonan ini tidak sedang menunggu kelengkapan.")
	}
	e := Event{Kind: Completed, By: c.By}
	if c.Letter != nil {
		l := *c.Letter
		d.add(Event{Kind: LetterJoined, At: l.ReceivedAt, By: c.By, Letter: &l})
		e.At = l.ReceivedAt
		if n := len(d.s.Pauses); n > 0 && e.At.Before(d.s.Pauses[n-1].From) {
			e.At = d.now // an answer can't be older than the question: a sender's clock is no evidence
		}
	} else if err := d.verifier(c.By); err != nil {
		return err
	}
	d.add(e)
	d.do(toOffice(MailCompleted, d.s, d.a)...)
	d.work()
	return nil
}

func (d *decision) reject(c Reject) error {
	if err := d.verifier(c.By); err != nil {
		return err
	}
	if strings.TrimSpace(c.Text) == "" {
		return refuse(Incomplete, "Tuliskan alasan penolakan; kantor pemohon akan membacanya.")
	}
	if !slices.Contains([]Status{StatusChecking, StatusReturned, StatusRefused, StatusSecond, StatusUncertain}, d.s.Status) {
		return refuse(WrongState, "Permohonan ini tidak dapat ditolak lagi pada tahap ini.")
	}
	d.add(Event{Kind: Rejected, By: c.By, Text: c.Text})
	d.do(toOffice(MailRejected, d.s, d.a)...)
	d.do(toApplicant(MailRejected, d.s)...)
	d.do(followUp(d.s, "selesai", "Permohonan tidak dapat diproses: "+c.Text)...)
	return nil
}

func (d *decision) reopen(c Reopen) error {
	if err := d.verifier(c.By); err != nil {
		return err
	}
	// A link that never reached the applicant, or that they can't use, needs another reset: back to the verifier, and to a second one.
	lost := slices.Contains([]Status{StatusLink, StatusPassphrase, StatusCertificate}, d.s.Status)
	if d.s.Status.Open() && !lost {
		return refuse(WrongState, "Permohonan ini masih terbuka.")
	}
	if lost && strings.TrimSpace(c.Text) == "" {
		return refuse(Incomplete, "Tuliskan mengapa tautan yang sudah dikirim tidak dapat dipakai.")
	}
	d.add(Event{Kind: Reopened, By: c.By, Text: c.Text})
	d.work()
	return nil
}

// clone copies what apply may change in place.
func clone(s State) State {
	s.Letters = slices.Clone(s.Letters)
	s.Gone = slices.Clone(s.Gone)
	s.Written = slices.Clone(s.Written)
	s.Dispositions = slices.Clone(s.Dispositions)
	s.Pauses = slices.Clone(s.Pauses)
	s.Ended = maps.Clone(s.Ended)
	s.Reminded = maps.Clone(s.Reminded)
	s.By = maps.Clone(s.By)
	if s.Approval != nil {
		approval := *s.Approval
		s.Approval = &approval
	}
	return s
}
