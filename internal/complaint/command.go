package complaint

import (
	"time"

	"pulih/internal/request"
)

// Command asks for a change. Decide answers with the events that follow, or with a refusal.
type Command interface{ command() }

// Open starts a complaint: from a letter that the software read, or as a member of staff enters it.
type Open struct {
	Channel Channel
	At      time.Time // when they complained; the promise counts from then
	From    Complainant
	Text    string
	Letter  *request.Letter // mail and Srikandi
	Class   string          // set at once by a person; empty: the rules propose
	About   *About          // the request that its thread or number points to
	By      request.Actor
	// Quiet: no receipt by mail. The sender is a machine, or has had enough receipts today.
	Quiet bool
}

// About names a request by its number and the subject that the request has now.
type About struct {
	Number  string
	Subject request.Subject
}

// Join adds a letter to the complaint: a reply in its thread, or the same letter by the other channel.
type Join struct {
	Letter request.Letter
	Text   string
	Same   bool // the same letter again, not an answer to ours
}

// Classify sets the class.
type Classify struct {
	By    request.Actor
	Class string
	Text  string // why, when it makes the promise longer
}

// Assign gives the complaint to one person of the chain; an empty Person gives it back to all who hold its class.
type Assign struct {
	By     request.Actor
	Person string
	Text   string
}

// Relate says which request the complaint is about; nil for none.
type Relate struct {
	By    request.Actor
	About *About
}

// HandOn tells that a person took the complaint to BSrE.
type HandOn struct {
	By   request.Actor
	Text string // what BSrE is asked; shown to the complainant
}

// HandBack tells what BSrE said, or that the complaint is taken back from there.
type HandBack struct {
	By   request.Actor
	Text string
}

// Answer ends the complaint with an answer, through the channel it came by.
type Answer struct {
	By        request.Actor
	Class     string // sets the class in the same step
	Text      string // as the complainant reads it
	Delivered bool   // the person has told it: needed where the software can't
}

// Undelivered tells that a mail to the complainant came back for good.
type Undelivered struct {
	Answer bool // it was the answer
	Text   string
}

// Dismiss ends the complaint without an answer: it is none, or was withdrawn.
type Dismiss struct {
	By   request.Actor
	Text string
}

// Reopen takes an ended complaint up again, with a clock that begins anew.
type Reopen struct {
	By   request.Actor
	Text string
}

// Note adds a remark.
type Note struct {
	By   request.Actor
	Text string
}

// Remind tells that marks of the clock were passed.
type Remind struct{ Due []request.Reminder }

func (Undelivered) command() {}
func (Open) command()        {}
func (Join) command()        {}
func (Classify) command()    {}
func (Assign) command()      {}
func (Relate) command()      {}
func (HandOn) command()      {}
func (HandBack) command()    {}
func (Answer) command()      {}
func (Dismiss) command()     {}
func (Reopen) command()      {}
func (Note) command()        {}
func (Remind) command()      {}
