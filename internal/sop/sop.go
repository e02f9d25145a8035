// Package sop holds the office's own procedure as data: steps, roles, norms and requirements from an SOP file, the business calendar, and
// the clocks that follow from both. It is pure: no I/O, and time comes in as an argument.
package sop

import "time"

// Norm is a promised length on a calendar.
type Norm struct {
	Length time.Duration // for ByDays: unused
	Days   int           // whole days, for norms like "30 hari kerja"; 0 otherwise
	Clock  ClockKind
}

// ClockKind says which time counts.
type ClockKind string

const (
	Working ClockKind = "working" // office hours only
	Elapsed ClockKind = "elapsed" // the clock on the wall
)

// Pause is an interval in which a clock stands still. A zero Until is still open.
type Pause struct{ From, Until time.Time }

// Ends says what completes a step. The names are those of request's events, but for "disposition": the letter was passed on to somebody
// further down the chain than every actor of the step.
type Ends string

const (
	EndsReceived    Ends = "received"
	EndsDisposition Ends = "disposition"
	EndsApproved    Ends = "approved"
	EndsReset       Ends = "reset"       // BSrE accepted the reset, or the verifier confirmed it
	EndsLink        Ends = "link"        // BSrE mailed the link
	EndsPassphrase  Ends = "passphrase"  // the applicant set a new passphrase
	EndsCertificate Ends = "certificate" // the new certificate was seen
	EndsUsable      Ends = "usable"      // the applicant can sign again
)

// Step is one row of the SOP.
type Step struct {
	ID     string
	Title  string // Indonesian, as the SOP says it
	Actors []Role // who does it; the first is who is reminded
	Ends   Ends
	Norm   *Norm  // nil: the SOP promises nothing for this step
	Needs  string // the SOP's column "kelengkapan"
	Output string // the SOP's column "output"
}

// Requirement is something that the letter must bring, shown as the verifier's checklist.
type Requirement struct {
	ID    string
	Title string
}

// SOP is one service standard, complete.
type SOP struct {
	ID           string // "purbalingga-28"
	Version      string // of what it says: comments and layout of its file don't count
	File         []byte `json:"-"` // as it was written
	Title        string
	Source       string // the document that it implements
	Total        *Norm  // promise for the whole, nil when the SOP gives none
	TotalEnds    Ends   // what ends the total clock
	Steps        []Step
	Requirements []Requirement
	Complaints   []ComplaintClass
}

// ComplaintClass is a class of complaint with its norm.
type ComplaintClass struct {
	ID     string // light, normative, unsupervised, supervised
	Title  string
	Norm   Norm
	Holder Role // who answers it: the verifier unless the file says otherwise
}
