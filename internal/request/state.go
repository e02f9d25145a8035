package request

import (
	"maps"
	"slices"
	"time"

	"pulih/internal/letter"
	"pulih/internal/sop"
)

// Status is where a request stands (desk.md, "Words").
type Status string

// The states of a request.
const (
	StatusReceived       Status = "received"        // at the head of agency, or not yet in the chain
	StatusChain          Status = "chain"           // at a role of the chain above the verifier
	StatusChecking       Status = "checking"        // at the verifier
	StatusReturned       Status = "returned"        // waits for the office's papers
	StatusSecond         Status = "second-approval" // approved once, a second verifier must approve too
	StatusApproved       Status = "approved"        // waits for the reset
	StatusWaitingSession Status = "waiting-session" // waits for a verifier's AMS session
	StatusPhoneCheck     Status = "phone-check"     // BSrE verifies the applicant's telephone first
	StatusBooked         Status = "booked"          // the call is being made
	StatusUncertain      Status = "uncertain"       // nobody knows whether the call arrived
	StatusRefused        Status = "refused"         // BSrE refused, or nothing could be sent; back at the verifier
	StatusLink           Status = "link"            // link mailed, waits for the applicant
	StatusPassphrase     Status = "passphrase"      // new passphrase set
	StatusCertificate    Status = "certificate"     // new certificate seen
	StatusClosed         Status = "closed"
	StatusRejected       Status = "rejected"
)

// Open reports whether the request still needs anybody's work.
func (s Status) Open() bool { return s != StatusClosed && s != StatusRejected && s != "" }

// State is everything that follows from a request's events.
type State struct {
	Number  string
	Version int // number of events
	SOP     string
	// SOPVersion is the text of the SOP in force when the request came (agency.Procedure); empty for requests from before it was noted.
	SOPVersion string
	Status     Status

	OpenedAt   time.Time // arrival of the first letter
	ClosedAt   time.Time // zero while open
	Reopenings []Reopening

	Subject      Subject
	Letters      []Letter
	Gone         []int64   // letters of it that are no longer in Srikandi, or are cancelled there
	ChangedAt    time.Time // when one of its letters was last seen edited, gone or back; zero: never
	Findings     []letter.Finding
	Dispositions []Disposition // those that count; withdrawn ones are gone

	Holder       sop.Role  // whose work it is now
	HolderIDs    []string  // named people, when the disposition or an assignment names them, or an approval is theirs
	Checkers     []string  // the verifiers whom the disposition or an assignment named: it comes back to them
	Since        time.Time // since when
	SinceVersion int       // the event that brought it there
	RemindedHere bool      // a clock's mark was told since then
	Trouble      string    // what the applicant last answered since then: NoLink or Failed
	Noticed      bool      // a notice that may be BSrE's came since then

	Approval   *Approval // the approval in force; nil after a refusal or before any
	Approvals  int       // approvals ever given
	Booking    *Booking  // the call that the approval in force led to
	BookedAt   time.Time
	LastCall   *Booking // the last call that was ever booked, whatever became of it
	LastCallAt time.Time
	LastReset  time.Time // when BSrE last took a reset in this request, as far as is known
	Tried      bool      // a call was made, or may have been: signs of a new certificate count
	PhoneAsked int       // version of the approval that BSrE's check of the telephone was asked for
	ResetCalls int       // bookings ever made
	Confirmed  bool      // assisted mode: the verifier made it by hand
	Words      string    // last words of BSrE, or the reason of a return or rejection
	Missing    []string
	LastNote   string

	BreachReason string    // why a promise was broken, as somebody of the chain recorded it
	DecidedBy    Actor     // the verifier who approved or rejected last
	DecidedAt    time.Time // when the last approval, return or rejection came; zero: never
	Written      []Written // the approvals written in Srikandi that were carried out: each is, once, whatever became of it

	Certificate     string // status of the applicant's certificate as the gateway told it last ("ISSUE", ...); empty: not asked or not known
	CertificateSeen time.Time

	Pauses   []sop.Pause
	Ended    map[sop.Ends]time.Time // when each end was reached, but for dispositions
	Reminded map[string]bool        // "step/mark"
	By       map[sop.Ends]Actor
}

// Reopening is when a request went back to the verifiers, and how far it had come before.
type Reopening struct {
	At       time.Time
	ClosedAt time.Time // zero: it was open
	Ended    map[sop.Ends]time.Time
}

// Approval is a verifier's word on exactly this subject.
type Approval struct {
	Version int // the Approved event's place in the list, from 1
	At      time.Time
	By      Actor
	Second  *Actor
	Subject Subject
	Letter  int64 // the letter in Srikandi on whose disposition it was written; zero for one of ours
}

// Written is an approval as it stands on a disposition in Srikandi.
type Written struct {
	By string // Person.ID
	At time.Time
}

// Fold computes the state of a request from its events. It accepts any list: what the events say is what counts.
func Fold(number string, events []Event) State {
	s := State{Number: number, Ended: map[sop.Ends]time.Time{}, Reminded: map[string]bool{}, By: map[sop.Ends]Actor{}}
	for _, e := range events {
		s.apply(e)
	}
	return s
}

func (s *State) apply(e Event) {
	s.Version++
	switch e.Kind {
	case LetterChanged, LetterGone, LetterBack:
		s.ChangedAt = e.Seen
	case Approved, ReturnedToApplicant, Rejected:
		s.DecidedAt = e.Seen
	}
	switch e.Kind {
	case Received:
		s.open(e)
	case LetterJoined, LetterChanged, Flagged:
		s.join(e)
	case NoteAdded:
		s.LastNote = e.Text
		switch {
		case e.Code == notice:
			s.Noticed = true
			if s.Status == StatusUncertain {
				s.Words = e.Text
			}
		case e.Code != "", e.By.Role == sop.Verifier: // they have seen to it; the applicant's next answer is news
			s.Trouble = e.Code
		}
	case BreachExplained:
		s.BreachReason = e.Text
	case StatusSeen:
		s.Certificate, s.CertificateSeen = e.Code, e.At
	case LetterParted:
		s.part(e.Letter.ID)
	case LetterGone:
		s.Gone, s.Findings = append(s.Gone, e.Letter.ID), e.Findings
	case LetterBack:
		s.Findings = e.Findings
		s.stands(e.Letter.ID)
	case Validated:
	case DispositionSeen:
		s.dispose(*e.Disposition)
	case DispositionWithdrawn:
		s.withdraw(e)
	case Assigned:
		s.Checkers = appendNew(nil, e.Person)
		s.back(e.At)
		s.end(sop.EndsDisposition, e)
		s.Status = StatusChecking
	case ReturnedToApplicant:
		// A first approval that waited for a second one is void: the papers that come may say something else.
		s.Status, s.Missing, s.Words, s.Approval = StatusReturned, e.Missing, e.Text, nil
		s.hold(sop.Applicant, nil, e.At)
		s.Pauses = append(s.Pauses, sop.Pause{From: e.At})
	case Completed:
		s.resume(e.At)
		s.Status, s.Missing = StatusChecking, nil
		s.back(e.At)
	case Approved:
		s.approve(e)
	case Rejected:
		s.resume(e.At)
		s.Status, s.Words, s.ClosedAt, s.DecidedBy = StatusRejected, e.Text, e.At, e.By
		s.hold("", nil, e.At)
	default:
		s.applyReset(e)
	}
}

// applyReset goes on from the approval to the end.
func (s *State) applyReset(e Event) {
	if s.Status == StatusPhoneCheck && e.Kind != Reminded && e.Kind != Escalated {
		s.resume(e.At)
	}
	switch e.Kind {
	case SessionAwaited:
		s.Status = StatusWaitingSession
		s.hold(sop.Verifier, s.approver(), e.At)
	case PhoneCheckAsked:
		// The applicant owes BSrE an answer: until it comes the office's clock stands still.
		s.Status = StatusPhoneCheck
		if s.Approval != nil {
			s.PhoneAsked = s.Approval.Version
		}
		s.Pauses = append(s.Pauses, sop.Pause{From: e.At})
		s.hold(sop.Applicant, nil, e.At)
	case ResetBooked:
		s.Status, s.Booking, s.BookedAt = StatusBooked, e.Booking, e.At
		s.LastCall, s.LastCallAt = e.Booking, e.At
		s.ResetCalls++
		s.hold(sop.BSrE, nil, e.At)
	case ResetNotSent:
		// The call provably never left: the approval stands, and may be booked again.
		s.Status, s.Words, s.Booking = StatusApproved, e.Text, nil
		s.hold(sop.Verifier, s.approver(), e.At)
	case ResetUncertain:
		s.Status, s.Words, s.Tried = StatusUncertain, e.Text, true
		s.back(e.At)
	case ResetRefused, ApprovalVoided:
		// The approval is used up: another call needs another approval (invariant 4).
		s.Status, s.Words, s.Approval, s.Booking = StatusRefused, e.Text, nil, nil
		delete(s.Ended, sop.EndsApproved)
		s.back(e.At)
	case ResetAccepted, ResetConfirmed:
		s.Confirmed = e.Kind == ResetConfirmed
		s.Status, s.Tried = StatusLink, true
		if e.At.After(s.LastReset) {
			s.LastReset = e.At
		}
		s.end(sop.EndsReset, e)
		s.hold(sop.BSrE, nil, e.At)
	case LinkMailed:
		s.Status = StatusLink
		s.end(sop.EndsLink, e)
		s.hold(sop.Applicant, nil, e.At)
	case PassphraseSet:
		s.Status = StatusPassphrase
		s.end(sop.EndsPassphrase, e)
		s.hold(sop.BSrE, nil, e.At)
	case CertificateIssued:
		s.Status = StatusCertificate
		s.end(sop.EndsCertificate, e)
		s.hold(sop.Applicant, nil, e.At)
	case Usable:
		s.end(sop.EndsUsable, e)
	case Closed:
		s.Status, s.ClosedAt = StatusClosed, e.At
		s.hold("", nil, e.At)
	case Reopened:
		s.Tried = s.Tried && s.ClosedAt.IsZero() // a link that was used up proves nothing any more
		s.Reopenings = append(slices.Clip(s.Reopenings), Reopening{At: e.At, ClosedAt: s.ClosedAt, Ended: maps.Clone(s.Ended)})
		s.Status, s.ClosedAt, s.Approval, s.Booking = StatusChecking, time.Time{}, nil, nil
		for _, end := range []sop.Ends{sop.EndsApproved, sop.EndsReset, sop.EndsLink, sop.EndsPassphrase, sop.EndsCertificate, sop.EndsUsable} {
			delete(s.Ended, end)
		}
		s.back(e.At)
	case Reminded, Escalated:
		s.Reminded[e.Step+"/"+e.Mark], s.RemindedHere = true, true
	}
}

func (s *State) open(e Event) {
	s.SOP, s.SOPVersion, s.OpenedAt, s.Status = e.SOP, e.SOPVersion, e.At, StatusReceived
	s.Subject, s.Findings = *e.Subject, e.Findings
	s.Letters = append(s.Letters, *e.Letter)
	s.end(sop.EndsReceived, e)
	s.hold(sop.Head, nil, e.At)
}

func (s *State) join(e Event) {
	if e.Subject != nil {
		s.Subject = *e.Subject
	}
	if e.Findings != nil {
		s.Findings = e.Findings
	}
	if e.Letter == nil {
		return
	}
	for i, l := range s.Letters {
		if l.ID == e.Letter.ID {
			s.Letters[i] = *e.Letter
			return
		}
	}
	s.Letters = append(s.Letters, *e.Letter)
}

// dispose adds a disposition; reseat says what follows.
func (s *State) dispose(d Disposition) {
	i := slices.IndexFunc(s.Dispositions, func(have Disposition) bool { return have.ID == d.ID && have.LetterID == d.LetterID })
	if i >= 0 {
		s.Dispositions[i] = d
	} else {
		s.Dispositions = append(s.Dispositions, d)
	}
	s.reseat()
}

func (s *State) part(letterID int64) {
	s.Letters = slices.DeleteFunc(s.Letters, func(l Letter) bool { return l.ID == letterID })
	s.Dispositions = slices.DeleteFunc(s.Dispositions, func(d Disposition) bool { return d.LetterID == letterID })
	s.stands(letterID)
	s.reseat()
}

// stands forgets that a letter was gone. The finding stays for as long as another of the request's letters is.
func (s *State) stands(letterID int64) {
	s.Gone = slices.DeleteFunc(s.Gone, func(id int64) bool { return id == letterID })
	if len(s.Gone) == 0 {
		s.Findings = slices.DeleteFunc(slices.Clone(s.Findings), func(f letter.Finding) bool { return f.Code == "letter-gone" })
	}
}

func (s *State) withdraw(e Event) {
	s.Dispositions = slices.DeleteFunc(s.Dispositions, func(d Disposition) bool {
		return d.ID == e.Disposition.ID && d.LetterID == e.Disposition.LetterID
	})
	s.reseat()
}

func (s *State) approve(e Event) {
	if e.Written != nil {
		s.Written = append(s.Written, Written{e.By.ID, *e.Written})
	}
	if s.Approval != nil && s.Status == StatusSecond {
		by := e.By
		s.Approval.Second = &by
	} else {
		s.Approval = &Approval{Version: s.Version, At: e.At, By: e.By, Subject: *e.Subject}
		if e.Letter != nil {
			s.Approval.Letter = e.Letter.ID
		}
		s.Booking = nil
	}
	s.Approvals++
	s.DecidedBy = e.By
	if e.Mark == needsSecond {
		s.Status = StatusSecond
		s.hold(sop.Verifier, nil, e.At)
		return
	}
	s.Status = StatusApproved
	s.end(sop.EndsApproved, e)
	s.hold(sop.Verifier, s.approver(), e.At)
}

// needsSecond marks an approval that doesn't suffice alone.
const needsSecond = "needs-second"

func (s *State) resume(at time.Time) {
	if n := len(s.Pauses); n > 0 && s.Pauses[n-1].Until.IsZero() {
		if from := s.Pauses[n-1].From; at.Before(from) {
			at = from // a source's clock may be behind
		}
		s.Pauses[n-1].Until = at
	}
}

// approver is whose work the reset is.
func (s *State) approver() []string {
	if s.Approval == nil {
		return nil
	}
	return appendNew(nil, s.Approval.By.ID)
}

// back gives the request to the verifiers, to those who were named if any were.
func (s *State) back(since time.Time) { s.hold(sop.Verifier, s.Checkers, since) }

func (s *State) hold(role sop.Role, ids []string, since time.Time) {
	s.Holder, s.HolderIDs, s.Since = role, ids, since
	s.SinceVersion, s.RemindedHere, s.Trouble, s.Noticed = s.Version, false, "", false
}

// end keeps the first time that an end was reached: a second letter or notice doesn't move it.
func (s *State) end(end sop.Ends, e Event) {
	if _, ok := s.Ended[end]; !ok {
		s.Ended[end] = e.At
		s.By[end] = e.By
	}
}

// notice is the code of a note that tells of a mail which may be BSrE's.
const notice = "notice"

// AfterReset reports whether what came in then can be about the link that the applicant waits for.
func (s *State) AfterReset(at time.Time) bool {
	switch s.Status {
	case StatusUncertain:
		return s.LastCall == nil && !at.Before(s.Since) || s.LastCall != nil && at.After(s.LastCallAt)
	case StatusLink, StatusPassphrase, StatusCertificate:
		return !at.Before(s.Ended[sop.EndsReset])
	}
	return false
}

// Has reports whether a finding with that code lies on the request.
func (s *State) Has(code string) bool {
	return slices.ContainsFunc(s.Findings, func(f letter.Finding) bool { return f.Code == code })
}

// HasWritten reports whether that approval in Srikandi was carried out before.
func (s *State) HasWritten(by string, at time.Time) bool {
	return slices.ContainsFunc(s.Written, func(w Written) bool { return w.By == by && w.At.Equal(at) })
}

// Voidable reports whether there is an approval whose reset wasn't made, nor may have been.
func (s *State) Voidable() bool {
	return s.Approval != nil && (s.Status.AwaitsReset() || s.Status == StatusSecond)
}

// InSrikandi returns the request's letter in Srikandi, if it has one: follow-ups go there.
func (s *State) InSrikandi() (Letter, bool) {
	for _, l := range s.Letters {
		if l.SrikandiID != "" {
			return l, true
		}
	}
	return Letter{}, false
}

// With returns the state after more events; s stays as it is.
func (s State) With(events []Event) State {
	s = clone(s)
	for _, e := range events {
		s.apply(e)
	}
	return s
}
