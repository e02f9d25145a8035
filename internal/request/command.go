package request

import (
	"time"

	"pulih/internal/letter"
)

// Command asks for a change. Decide answers with the events that follow, or with a refusal.
type Command interface{ command() }

// Open starts a request from a letter.
type Open struct {
	Letter   Letter
	Subject  Subject
	Findings []letter.Finding
	By       Actor // who made it a request: the system, or a verifier by hand
	// Dispositions are those that the source shows already: who has passed the letter on is not asked to.
	Dispositions []Disposition
}

// Join adds a letter that is the same request: by the other channel, registered again, or with edited metadata. A nil Subject or
// Findings leaves what the request has.
type Join struct {
	Letter   Letter
	Subject  *Subject // what a new reading of the letter says of the applicant
	Findings []letter.Finding
	Changed  []string // what changed and matters, in Indonesian; empty when nothing did
	Recheck  bool     // an approval that was given before the change doesn't hold
	By       Actor    // who joined it by hand; zero: the software
}

// Part takes a letter out that isn't about this request after all: a verifier's word against the software's.
type Part struct {
	By       Actor
	LetterID int64
	Text     string // why
}

// Dispose tells all dispositions that the source shows for one letter now. What is missing from it and was seen before is withdrawn.
type Dispose struct {
	LetterID int64
	Now      []Disposition
}

// Forward passes the letter on from a page: like a disposition of that person.
type Forward struct {
	By   Actor
	To   []Actor
	Text string
}

// Gone tells that a letter of the request was cancelled or removed in Srikandi.
type Gone struct {
	LetterID int64
	Text     string
}

// Back tells that a letter which was gone is there again.
type Back struct {
	LetterID int64
	Text     string
}

// Assign gives the request to one verifier; an empty Person gives it to all of them.
type Assign struct {
	By     Actor
	Person string
	Text   string
}

// Facts are what a decision about a reset needs to know beyond the request itself. The store fills them in, in the decision's transaction.
type Facts struct {
	Stopped       bool                // the agency's resets are held by its switch
	LastReset     time.Time           // in the applicant's other requests: the last one that was made, or may have been; zero: never
	AgencyToday   int                 // resets of this day, in the agency's zone
	VerifierToday int                 // those in the name of the one who decides
	Corrections   []letter.Correction // in the readings of the request's letters
}

// Approve is a verifier's word. Subject must be what they saw: if the request's subject has changed since, the approval is refused.
type Approve struct {
	By        Actor
	Subject   Subject
	SeenRisks bool // they saw the findings of severity danger and approve all the same
	Compared  bool // they compared with the letter whatever the subject rests on that is a correction
	Text      string
	Letter    *Letter   // in Srikandi, on whose disposition the approval was written; nil for one of ours
	Written   time.Time // there; zero for one of ours
	Facts     Facts
}

// SeeStatus tells what the eSign gateway says of the applicant's certificate. Code is empty when it could not tell.
type SeeStatus struct {
	Code string
	Text string // in words for the verifier
}

// Recheck asks for the certificate's status again.
type Recheck struct{ By Actor }

// Return sends the request back to the office for what is missing.
type Return struct {
	By      Actor
	Missing []string // at least one
	Text    string
}

// Complete ends a return: the office answered with Letter, or a verifier says that it did.
type Complete struct {
	By     Actor
	Letter *Letter
}

// Reject ends the request without a reset.
type Reject struct {
	By   Actor
	Text string // the reason, shown to the office
}

// AwaitSession tells that no AMS session is live. Quiet leaves the mail out: the same people wait for one on another request's account.
type AwaitSession struct{ Quiet bool }

// AskPhone tells that BSrE checks the applicant's telephone before a reset is possible. Again means that it was asked before and is still
// waited for: the applicant gets no second mail.
type AskPhone struct {
	Again bool
	Text  string
}

// Flag adds findings that came to light after the letter was read: AMS's record differs from the letter.
type Flag struct {
	By       Actor
	Findings []letter.Finding
}

// Book writes the call down before it is made.
type Book struct {
	Booking Booking
	Facts   Facts
}

// Outcome is what became of the booked call.
type Outcome struct {
	Approval int  // that the call was booked on; 0: the one that is booked now
	Kind     Kind // ResetAccepted, ResetRefused, ResetNotSent or ResetUncertain
	Text     string
	By       Actor
}

// Unable tells that the call could not be prepared: no such user, no certificate that can be reset, data that differ.
type Unable struct{ Text string }

// Confirm is a verifier's word that the reset was made by hand in AMS: in assisted mode, or after an uncertain call.
type Confirm struct {
	By    Actor
	Facts Facts
}

// CouldNot is a verifier's word that it could not be made, or, after an uncertain call, that it never arrived.
type CouldNot struct {
	By   Actor
	Text string
}

// Unsure is a verifier's word, in assisted mode, that the portal didn't answer: nobody knows whether the link was sent.
type Unsure struct {
	By   Actor
	Text string
}

// Observe tells what was seen of the applicant's way after the link: in the certificate's details, a notice, the applicant's answer or a
// verifier's word. Kind is LinkMailed, PassphraseSet, CertificateIssued or Usable; earlier ends that were not seen are taken as reached
// by then.
type Observe struct {
	Kind Kind
	At   time.Time
	By   Actor
	Text string
}

// Trouble is the applicant's answer that no link came, or that it failed: work for the verifier. The verifiers are told once of each code while the
// request stands where it stands, however often the applicant answers.
type Trouble struct {
	By   Actor
	Code string // NoLink or Failed
	Text string
}

// The applicant's troubles.
const (
	NoLink = "no-link" // BSrE's e-mail hasn't come
	Failed = "failed"  // it came, and led to nothing
)

// Evidence is a notice that may be BSrE's. It proves nothing, since anybody may have written it; but AMS is looked at again at once, and while a
// reset is uncertain the verifiers are told of the first one.
type Evidence struct {
	By   Actor
	Text string
}

// Reopen takes a closed or rejected request up again, or one whose link never reached the applicant.
type Reopen struct {
	By   Actor
	Text string
}

// Note adds a remark.
type Note struct {
	By   Actor
	Text string
}

// Remind tells that marks of a clock were passed.
type Remind struct{ Due []Reminder }

func (Open) command()         {}
func (Join) command()         {}
func (Part) command()         {}
func (Dispose) command()      {}
func (Forward) command()      {}
func (Gone) command()         {}
func (Back) command()         {}
func (Assign) command()       {}
func (Approve) command()      {}
func (SeeStatus) command()    {}
func (Recheck) command()      {}
func (Return) command()       {}
func (Complete) command()     {}
func (Reject) command()       {}
func (AwaitSession) command() {}
func (AskPhone) command()     {}
func (Book) command()         {}
func (Outcome) command()      {}
func (Unable) command()       {}
func (Confirm) command()      {}
func (CouldNot) command()     {}
func (Unsure) command()       {}
func (Observe) command()      {}
func (Trouble) command()      {}
func (Evidence) command()     {}
func (Flag) command()         {}
func (Reopen) command()       {}
func (Note) command()         {}
func (Remind) command()       {}
