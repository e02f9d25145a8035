package request

import (
	"slices"
	"strings"

	"pulih/internal/agency"
	"pulih/internal/letter"
	"pulih/internal/sop"
)

// decideReset is the way from the approval to a usable signature.
func (d *decision) decideReset(cmd Command) error {
	switch c := cmd.(type) {
	case AwaitSession:
		return d.awaitSession(c)
	case AskPhone:
		if d.s.Status == StatusApproved || d.s.Status == StatusWaitingSession {
			d.add(Event{Kind: PhoneCheckAsked, By: System, Text: c.Text})
			if !c.Again {
				d.do(toApplicant(MailPhoneCheck, d.s)...)
			}
		}
		return nil
	case Flag:
		d.flag(c.By, c.Findings)
		return nil
	case Evidence:
		d.evidence(c)
		return nil
	case Book:
		return d.book(c)
	case Outcome:
		return d.outcome(c)
	case Unable:
		if !d.s.Voidable() {
			return refuse(WrongState, "Permohonan ini tidak menunggu reset.")
		}
		d.refused(ApprovalVoided, System, c.Text)
		return nil
	case Confirm:
		return d.confirm(c)
	case CouldNot:
		return d.couldNot(c)
	case Unsure:
		return d.unsure(c)
	case Observe:
		return d.observe(c)
	case Trouble:
		return d.trouble(c)
	}
	return refuse(WrongState, "Perintah tidak dikenal.")
}

func (d *decision) awaitsReset() bool { return d.s.Status.AwaitsReset() }

// AwaitsReset reports whether an approval waits for its call.
func (s Status) AwaitsReset() bool {
	return s == StatusApproved || s == StatusWaitingSession || s == StatusPhoneCheck
}

// awaitSession: the call is made in the name of the one who approved; any verifier can help where the agency lends sessions.
func (d *decision) awaitSession(c AwaitSession) error {
	if d.s.Status != StatusApproved && d.s.Status != StatusPhoneCheck {
		return nil
	}
	d.add(Event{Kind: SessionAwaited, By: System})
	who := d.a.Holders(sop.Verifier, d.now)
	if p, ok := d.a.Person(d.s.Approval.By.ID); ok && !d.a.Rules.LendSessions {
		who = []agency.Person{p}
	}
	if !c.Quiet {
		d.do(toStaff(MailSessionNeeded, who)...)
	}
	return nil
}

// flag adds what the request doesn't know yet.
func (d *decision) flag(by Actor, more []letter.Finding) {
	all := mergeFindings(d.s.Findings, more)
	if len(all) == len(d.s.Findings) {
		return
	}
	var words []string
	for _, f := range all[len(d.s.Findings):] {
		words = append(words, f.Detail)
	}
	d.add(Event{Kind: Flagged, By: by, Findings: all, Text: strings.Join(words, " ")})
}

// book refuses whatever isn't covered by the approval in force: another subject's address, or an approval that a call was made on
// (invariants 3 and 4).
func (d *decision) book(c Book) error {
	switch ap := d.s.Approval; {
	case !d.awaitsReset() || ap == nil:
		return refuse(WrongState, "Permohonan ini tidak menunggu reset.")
	case d.s.Booking != nil:
		return refuse(WrongState, "Reset untuk persetujuan ini sudah pernah diajukan.")
	case c.Booking.Approval != ap.Version:
		return refuse(DataChanged, "Persetujuan telah berganti.")
	case ap.Subject != d.s.Subject:
		return refuse(DataChanged, "Data pemohon berubah sejak disetujui.")
	case !agency.SameAddress(c.Booking.Email, ap.Subject.Email):
		return refuse(DataChanged, "Alamat di AMS berbeda dari alamat yang disetujui.")
	case ap.Second == nil && d.recent(c.Facts):
		return refuse(DataChanged, "Sementara itu ada reset lain untuk pemohon ini.")
	case c.Booking.UID == "" || c.Booking.Serial == "":
		return refuse(Incomplete, "Pengguna atau sertifikat di AMS belum diketahui.")
	}
	b := c.Booking
	d.add(Event{Kind: ResetBooked, By: Actor{Role: sop.Verifier, ID: b.Verifier, Via: "ams"}, Booking: &b})
	return nil
}

func (d *decision) outcome(c Outcome) error {
	mine := d.s.Booking != nil && (c.Approval == 0 || c.Approval == d.s.Booking.Approval)
	if !mine || d.s.Status != StatusBooked && d.s.Status != StatusUncertain {
		return d.lateOutcome(c)
	}
	switch c.Kind {
	case ResetAccepted:
		d.accepted(Event{Kind: ResetAccepted, By: c.By, Text: c.Text})
	case ResetRefused:
		d.refused(ResetRefused, c.By, c.Text)
	case ResetNotSent:
		d.add(Event{Kind: ResetNotSent, By: c.By, Text: c.Text})
		d.do(Reset{Due: d.resetDue()})
	case ResetUncertain:
		if d.s.Status == StatusBooked {
			d.uncertain(c.By, c.Text)
		}
	default:
		return refuse(Incomplete, "Hasil reset tidak dikenal: %s.", c.Kind)
	}
	return nil
}

// uncertain leaves the next step to a human; what the details show right away helps them.
func (d *decision) uncertain(by Actor, text string) {
	d.add(Event{Kind: ResetUncertain, By: by, Text: text})
	d.do(toStaff(MailUncertain, d.a.Holders(sop.Verifier, d.now))...)
	d.do(Watch{AtOnce: true})
}

// lateOutcome is one that comes when nobody waits for it any more: its maker was thought dead. It must not be lost, and where another call
// isn't booked yet it spares that one.
func (d *decision) lateOutcome(c Outcome) error {
	switch {
	case c.Kind == ResetAccepted && d.s.ResetCalls > 0 && d.beforeCall():
		d.accepted(Event{Kind: ResetAccepted, By: c.By, Text: "Jawaban BSrE datang terlambat: " + c.Text})
	default:
		d.add(Event{Kind: NoteAdded, By: c.By, Text: "Hasil reset yang datang terlambat: " + c.Text})
		if c.Kind == ResetAccepted && d.s.Status == StatusRejected { // a link is under way that nobody wants any more
			d.do(toStaff(MailUncertain, d.a.Holders(sop.Verifier, d.now))...)
		}
	}
	return nil
}

// beforeCall reports that no call is booked now, but one may follow.
func (d *decision) beforeCall() bool {
	return d.awaitsReset() || slices.Contains([]Status{StatusChecking, StatusSecond, StatusRefused}, d.s.Status)
}

// accepted: the portal's call is what sends the link (contracts/bsre.md), so that its success ends both steps.
func (d *decision) accepted(e Event) {
	says := "Menurut jawaban portal, tautan dikirim ke e-mail dinas."
	if e.Kind == ResetConfirmed {
		says = "Verifikator melakukan reset di AMS; dengan itu BSrE mengirim tautan ke e-mail dinas."
	}
	d.add(e)
	d.add(Event{Kind: LinkMailed, At: e.At, By: Actor{Role: sop.BSrE, Via: e.By.Via}, Text: says})
	d.do(toApplicant(MailResetSubmitted, d.s)...)
	d.do(Watch{})
}

func (d *decision) refused(kind Kind, by Actor, text string) {
	d.add(Event{Kind: kind, By: by, Text: text})
	d.do(toStaff(MailRefusedByBSrE, d.a.Holders(sop.Verifier, d.now))...)
	// Why may name the applicant's data: it stands in the verifiers' mail.
	d.do(followUp(d.s, "diproses", "Reset tidak terlaksana; permohonan diperiksa kembali oleh verifikator.")...)
}

// confirm is open in AMS mode too: a verifier without a session may make the reset by hand.
func (d *decision) confirm(c Confirm) error {
	if err := d.verifier(c.By); err != nil {
		return err
	}
	if !d.awaitsReset() && d.s.Status != StatusUncertain {
		return refuse(WrongState, "Tidak ada reset yang menunggu konfirmasi.")
	}
	if d.awaitsReset() {
		d.flag(System, d.againstRules(c.Facts))
	}
	d.accepted(Event{Kind: ResetConfirmed, By: c.By})
	d.do(CheckStatus{})
	return nil
}

func (d *decision) couldNot(c CouldNot) error {
	if err := d.verifier(c.By); err != nil {
		return err
	}
	if !d.awaitsReset() && d.s.Status != StatusUncertain {
		return refuse(WrongState, "Tidak ada reset yang menunggu konfirmasi.")
	}
	if strings.TrimSpace(c.Text) == "" {
		return refuse(Incomplete, "Tuliskan mengapa reset tidak dapat dilakukan.")
	}
	d.add(Event{Kind: ApprovalVoided, By: c.By, Text: c.Text})
	return nil
}

// unsure is the assisted mode's uncertain call: the portal didn't answer the verifier.
func (d *decision) unsure(c Unsure) error {
	if err := d.verifier(c.By); err != nil {
		return err
	}
	if !d.awaitsReset() {
		return refuse(WrongState, "Tidak ada reset yang menunggu konfirmasi.")
	}
	d.uncertain(c.By, or(c.Text, "Portal AMS tidak menjawab verifikator."))
	return nil
}

func or(a, b string) string {
	if strings.TrimSpace(a) == "" {
		return b
	}
	return a
}

// observe takes the latest thing seen and fills in what must have happened before it: nobody can sign again who got no link.
func (d *decision) observe(c Observe) error {
	early := d.s.Status == StatusBooked || d.s.Status == StatusUncertain || d.s.Tried && d.beforeCall()
	if !early && !slices.Contains([]Status{StatusLink, StatusPassphrase, StatusCertificate}, d.s.Status) {
		return nil
	}
	if early {
		d.add(Event{Kind: ResetAccepted, At: c.At, By: c.By, Text: "Diketahui kemudian: " + c.Text})
	}
	way := []struct {
		end  sop.Ends
		kind Kind
	}{{sop.EndsLink, LinkMailed}, {sop.EndsPassphrase, PassphraseSet}, {sop.EndsCertificate, CertificateIssued}, {sop.EndsUsable, Usable}}
	last := slices.IndexFunc(way, func(w struct {
		end  sop.Ends
		kind Kind
	}) bool {
		return w.kind == c.Kind
	})
	for i := 0; i <= last; i++ {
		if _, done := d.s.Ended[way[i].end]; !done {
			d.add(Event{Kind: way[i].kind, At: c.At, By: c.By, Text: c.Text})
		}
	}
	if _, usable := d.s.Ended[sop.EndsUsable]; usable {
		d.add(Event{Kind: Closed, By: c.By})
		d.do(toApplicant(MailDone, d.s)...)
		d.do(toOffice(MailDone, d.s, d.a)...)
		d.do(followUp(d.s, "selesai", "Passphrase telah diatur ulang; TTE dapat digunakan kembali. "+d.times())...)
	}
	return nil
}

// times are when the request reached what, for the letter in Srikandi, in the agency's zone.
func (d *decision) times() string {
	var out []string
	for _, w := range []struct {
		words string
		end   sop.Ends
	}{{"diterima", sop.EndsReceived}, {"disetujui", sop.EndsApproved}, {"diajukan ke BSrE", sop.EndsReset}, {"tautan terkirim", sop.EndsLink}, {"selesai", sop.EndsUsable}} {
		if at := d.s.Ended[w.end]; !at.IsZero() {
			out = append(out, w.words+" "+at.In(d.a.Zone).Format("02/01/2006 15.04"))
		}
	}
	return strings.ToUpper(out[0][:1]) + out[0][1:] + ", " + strings.Join(out[1:], ", ") + " " + d.now.In(d.a.Zone).Format("MST") + "."
}

func (d *decision) evidence(c Evidence) {
	first := !d.s.Noticed
	d.add(Event{Kind: NoteAdded, By: c.By, Code: notice, Text: c.Text})
	if !first || !slices.Contains([]Status{StatusUncertain, StatusLink, StatusPassphrase, StatusCertificate}, d.s.Status) {
		return
	}
	d.do(Watch{AtOnce: true})
	if d.s.Status == StatusUncertain {
		d.do(toStaff(MailUncertain, d.a.Holders(sop.Verifier, d.now))...)
	}
}

func (d *decision) trouble(c Trouble) error {
	if !slices.Contains([]Status{StatusLink, StatusPassphrase, StatusCertificate, StatusUncertain, StatusPhoneCheck}, d.s.Status) {
		return refuse(WrongState, "Permohonan ini tidak sedang menunggu pemohon.")
	}
	code := or(c.Code, Failed)
	if d.s.Trouble == code && d.s.LastNote == c.Text {
		return nil
	}
	told := d.s.Trouble == code
	d.add(Event{Kind: NoteAdded, By: c.By, Code: code, Text: c.Text})
	if !told {
		d.do(toStaff(MailCallApplicant, d.a.Holders(sop.Verifier, d.now))...)
	}
	return nil
}
