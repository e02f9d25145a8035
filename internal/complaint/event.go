// Package complaint is the life of a complaint (pengaduan) about the service, in the style of package request: an append-only list of
// events, a state folded from them, and a pure Decide. Actors, letters, mails and follow-ups are those of requests.
package complaint

import (
	"time"

	"pulih/internal/request"
	"pulih/internal/sop"
)

// Kind names what happened, as a fact in the past.
type Kind string

// The events of a complaint.
const (
	Received     Kind = "ComplaintReceived"     // it came in, with the class that the rules propose
	LetterJoined Kind = "ComplaintLetterJoined" // a further letter belongs to it
	Classified   Kind = "ComplaintClassified"   // a person set the class
	Linked       Kind = "ComplaintLinked"       // it is about that request; without a link: about none
	Assigned     Kind = "ComplaintAssigned"     // given to one person, or with an empty Person back to all who do the work
	HandedOn     Kind = "ComplaintHandedOn"     // to BSrE
	HandedBack   Kind = "ComplaintHandedBack"   // BSrE answered, or it was taken back
	Answered     Kind = "ComplaintAnswered"
	Dismissed    Kind = "ComplaintDismissed" // it is none: ended without an answer, with a reason
	Reopened     Kind = "ComplaintReopened"
	Reminded     Kind = "ComplaintReminded"
	Escalated    Kind = "ComplaintEscalated"
	NoteAdded    Kind = "ComplaintNoteAdded"
)

// Complainant is who complains. It holds personal data: events are sealed at rest.
type Complainant struct {
	Name     string `json:"name,omitempty"`
	Email    string `json:"email,omitempty"`
	Phone    string `json:"phone,omitempty"`
	Handle   string `json:"handle,omitempty"` // name on the social network or the complaint site
	NIP      string `json:"nip,omitempty"`
	OfficeID string `json:"office_id,omitempty"` // empty: the directory doesn't know them
	// Proven: their identity stands. The mail came from a registered address and passed authentication, Srikandi names them, or a member
	// of staff knows them.
	Proven bool `json:"proven,omitempty"`
}

// Link is the request that a complaint is about.
type Link struct {
	Number    string `json:"number"`
	Applicant string `json:"applicant,omitempty"`
	// Theirs: the complainant is the applicant or the office that wrote, beyond doubt. To anybody else nothing of the request is shown.
	Theirs bool `json:"theirs,omitempty"`
}

// Class is a class of complaint as it was in force when it was proposed or set: a later change of the SOP doesn't move old promises.
type Class struct {
	ID     string   `json:"id"`
	Title  string   `json:"title"`
	Norm   sop.Norm `json:"norm"`
	Holder sop.Role `json:"holder"`
}

// Event is one fact. Only what its kind calls for is set.
type Event struct {
	Kind Kind          `json:"kind"`
	At   time.Time     `json:"at"`   // when it happened, as the source says
	Seen time.Time     `json:"seen"` // when the software learned of it
	By   request.Actor `json:"by"`

	Channel Channel         `json:"channel,omitempty"` // Received
	From    *Complainant    `json:"from,omitempty"`    // Received
	Letter  *request.Letter `json:"letter,omitempty"`  // Received, LetterJoined
	Class   *Class          `json:"class,omitempty"`   // Received: as proposed; Classified: as set
	Reasons []string        `json:"reasons,omitempty"` // Received: why this class
	Link    *Link           `json:"link,omitempty"`    // Linked
	Person  string          `json:"person,omitempty"`  // Assigned: Person.ID
	Role    sop.Role        `json:"role,omitempty"`    // Assigned
	Text    string          `json:"text,omitempty"`    // the complaint's words, an answer, a reason, BSrE's words
	Step    string          `json:"step,omitempty"`    // Reminded, Escalated
	Mark    string          `json:"mark,omitempty"`
}
