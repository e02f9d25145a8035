// Package request is the life of a request to reset a passphrase. A request is an append-only list of events; its state, its step of the
// SOP, its clocks and what may happen next are computed from the events, the agency's SOP and its calendar by pure functions: no I/O, and
// time comes in as an argument.
package request

import (
	"time"

	"pulih/internal/letter"
	"pulih/internal/sop"
)

// Kind names what happened, as a fact in the past.
type Kind string

// The events of a request.
const (
	Received             Kind = "Received"             // a letter opened the request
	LetterJoined         Kind = "LetterJoined"         // the same letter came by the other channel, or again
	LetterChanged        Kind = "LetterChanged"        // the letter's metadata or reading changed after the request was opened
	LetterGone           Kind = "LetterGone"           // the letter was cancelled or removed in Srikandi
	LetterBack           Kind = "LetterBack"           // it is there again, or no longer cancelled
	LetterParted         Kind = "LetterParted"         // a verifier found that a letter isn't about this request
	DispositionSeen      Kind = "DispositionSeen"      // a disposition that concerns the letter
	DispositionWithdrawn Kind = "DispositionWithdrawn" // it counts as never sent
	Assigned             Kind = "Assigned"             // given to one verifier by a person or a rule
	Validated            Kind = "Validated"            // the verifier found identity and papers complete
	StatusSeen           Kind = "StatusSeen"           // what the eSign gateway says of the applicant's certificate
	ReturnedToApplicant  Kind = "ReturnedToApplicant"  // papers are missing; the clock stands still
	Completed            Kind = "Completed"            // papers completed; the clock goes on
	Approved             Kind = "Approved"             // a verifier approved the reset of exactly this subject
	Rejected             Kind = "Rejected"
	ResetBooked          Kind = "ResetBooked"    // the call is about to be made; written before dialling
	ResetAccepted        Kind = "ResetAccepted"  // the portal accepted the call
	ApprovalVoided       Kind = "ApprovalVoided" // no call is made on the approval: it can't be made, or its data changed
	ResetRefused         Kind = "ResetRefused"   // the portal refused it
	ResetNotSent         Kind = "ResetNotSent"   // the booked call provably never left
	ResetUncertain       Kind = "ResetUncertain"
	ResetConfirmed       Kind = "ResetConfirmed" // assisted mode: the verifier made the reset in AMS
	PhoneCheckAsked      Kind = "PhoneCheckAsked"
	SessionAwaited       Kind = "SessionAwaited" // approved, but no verifier's AMS session is live
	LinkMailed           Kind = "LinkMailed"
	PassphraseSet        Kind = "PassphraseSet"
	CertificateIssued    Kind = "CertificateIssued"
	Usable               Kind = "Usable"
	Closed               Kind = "Closed"
	Reopened             Kind = "Reopened"
	Flagged              Kind = "Flagged" // findings that came to light after the letter was read
	Reminded             Kind = "Reminded"
	Escalated            Kind = "Escalated"
	NoteAdded            Kind = "NoteAdded"
	BreachExplained      Kind = "BreachExplained" // why a promise was broken
)

// Actor is who did something, as far as the source tells.
type Actor struct {
	Role sop.Role `json:"role,omitempty"`
	ID   string   `json:"id,omitempty"`   // agency.Person.ID for staff
	Name string   `json:"name,omitempty"` //
	Via  string   `json:"via,omitempty"`  // srikandi, mail, console, cli, ams, system
}

// System is the software itself.
var System = Actor{Name: "pulih", Via: "system"}

// Subject is the official whose passphrase is reset, with the exact data that an approval covers. It holds identity numbers: events are
// sealed at rest.
type Subject struct {
	Name     string `json:"name,omitempty"`
	NIP      string `json:"nip,omitempty"`
	NIK      string `json:"nik,omitempty"`
	Email    string `json:"email,omitempty"` // where BSrE sends the link: the registered address where the directory knows one
	Phone    string `json:"phone,omitempty"`
	Position string `json:"position,omitempty"`
	OfficeID string `json:"office_id,omitempty"` // empty: the directory doesn't know the office
	Office   string `json:"office,omitempty"`
	Known    bool   `json:"known,omitempty"` // the directory knows the official and the address
}

// Letter is what a request keeps of a letter that belongs to it.
type Letter struct {
	ID         int64     `json:"id"` // row in the archive
	Channel    string    `json:"channel"`
	SrikandiID string    `json:"srikandi_id,omitempty"`
	Number     string    `json:"number,omitempty"`
	Date       string    `json:"date,omitempty"` // YYYY-MM-DD
	Subject    string    `json:"subject,omitempty"`
	Signer     string    `json:"signer,omitempty"`
	From       string    `json:"from,omitempty"` // sender's address
	MessageID  string    `json:"message_id,omitempty"`
	ReceivedAt time.Time `json:"received_at"`
}

// Disposition is an instruction that passed the letter on, already bound to roles (srikandi.Dispositions, or a mail of the chain).
type Disposition struct {
	ID       string    `json:"id"`
	LetterID int64     `json:"letter_id,omitempty"`
	From     Actor     `json:"from"`
	To       []Actor   `json:"to"`
	Acts     bool      `json:"acts"` // it asks for action; others never move a request
	Text     string    `json:"text,omitempty"`
	SentAt   time.Time `json:"sent_at"`
}

// Booking is the reset call exactly as it will be made.
type Booking struct {
	Approval int    `json:"approval"` // version of the Approved event that it acts on
	UID      string `json:"uid"`
	Serial   string `json:"serial"`
	Email    string `json:"email"`
	Verifier string `json:"verifier"` // whose session makes the call
}

// Event is one fact. Only the payloads that its kind calls for are set.
type Event struct {
	Kind Kind      `json:"kind"`
	At   time.Time `json:"at"`   // when it happened, as the source says
	Seen time.Time `json:"seen"` // when the software learned of it
	By   Actor     `json:"by"`

	SOP         string           `json:"sop,omitempty"`         // Received
	SOPVersion  string           `json:"sop_version,omitempty"` // Received: the SOP's text in force, whose norms the request keeps
	Subject     *Subject         `json:"subject,omitempty"`     // Received, Approved, LetterChanged
	Written     *time.Time       `json:"written,omitempty"`     // Approved: when the approver wrote it in Srikandi; nil: decided here
	Letter      *Letter          `json:"letter,omitempty"`
	Findings    []letter.Finding `json:"findings,omitempty"`
	Disposition *Disposition     `json:"disposition,omitempty"`
	Booking     *Booking         `json:"booking,omitempty"`
	Person      string           `json:"person,omitempty"` // Assigned: Person.ID
	Missing     []string         `json:"missing,omitempty"`
	Text        string           `json:"text,omitempty"` // reason, note, the portal's words
	Step        string           `json:"step,omitempty"` // Reminded, Escalated
	Mark        string           `json:"mark,omitempty"` // Reminded: "60", "90", "100"; Escalated: Person.ID
	Again       bool             `json:"again,omitempty"`
	Code        string           `json:"code,omitempty"` // StatusSeen: bsre.Code; NoteAdded: NoLink, Failed or notice
}
