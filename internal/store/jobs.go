package store

import "github.com/riverqueue/river"

// The jobs. Their arguments are ids only: River keeps them in the clear (libraries.md).

// ReadLetter reads a stored letter and acts on it.
type ReadLetter struct {
	LetterID int64 `json:"letter_id"`
	Version  int   `json:"version"`
}

// ReadMails reads mails that arrived together. Those that ask for more than a look are left to a ReadLetter of their own.
type ReadMails struct {
	LetterIDs []int64 `json:"letter_ids"`
}

// FetchFiles brings the attachments of a letter from Srikandi into the archive, and then has it read.
type FetchFiles struct {
	LetterID int64 `json:"letter_id"`
	Version  int   `json:"version"`
}

// SendMail sends one row of the outbox.
type SendMail struct {
	OutboxID int64 `json:"outbox_id"`
}

// WriteFollowUp writes one row of follow_ups into Srikandi.
type WriteFollowUp struct {
	FollowUpID int64 `json:"follow_up_id"`
}

// RegisterLetter writes a letter that came by mail into Srikandi.
type RegisterLetter struct {
	LetterID int64 `json:"letter_id"`
}

// RunResets makes the waiting resets of an agency, one after the other, in order of their deadline.
type RunResets struct {
	Agency string `json:"agency" river:"unique"`
}

// WatchRequest looks once after the certificate of a request.
type WatchRequest struct {
	Number string `json:"number" river:"unique"`
}

// AskStatus asks the eSign gateway about the applicant's certificate.
type AskStatus struct {
	Number string `json:"number"`
}

// PollGateway reads what is new in an agency's Srikandi.
type PollGateway struct {
	Agency string `json:"agency" river:"unique"`
}

// Sweep looks for what time alone makes due: reminders, watches, schedules.
type Sweep struct{}

func (ReadLetter) Kind() string     { return "read_letter" }
func (ReadMails) Kind() string      { return "read_mails" }
func (FetchFiles) Kind() string     { return "fetch_files" }
func (SendMail) Kind() string       { return "send_mail" }
func (WriteFollowUp) Kind() string  { return "write_follow_up" }
func (RegisterLetter) Kind() string { return "register_letter" }
func (RunResets) Kind() string      { return "run_resets" }
func (WatchRequest) Kind() string   { return "watch_request" }
func (AskStatus) Kind() string      { return "ask_status" }
func (PollGateway) Kind() string    { return "poll_gateway" }
func (Sweep) Kind() string          { return "sweep" }

// Queues keep slow partners apart: a mail server that hangs delays no reset.
const (
	QueueRead   = "read"
	QueueFetch  = "fetch" // attachments from Srikandi
	QueueMail   = "mail"
	QueueReset  = "reset"
	QueueSource = "source" // Srikandi, both ways
	QueueWatch  = "watch"
	QueueClock  = "clock"
)

func (ReadLetter) InsertOpts() river.InsertOpts {
	return river.InsertOpts{Queue: QueueRead, MaxAttempts: 8}
}
func (ReadMails) InsertOpts() river.InsertOpts {
	return river.InsertOpts{Queue: QueueRead, MaxAttempts: 1000}
}
func (FetchFiles) InsertOpts() river.InsertOpts {
	return river.InsertOpts{Queue: QueueFetch, MaxAttempts: 1000}
}
func (SendMail) InsertOpts() river.InsertOpts {
	return river.InsertOpts{Queue: QueueMail, MaxAttempts: 24}
}
func (WriteFollowUp) InsertOpts() river.InsertOpts {
	return river.InsertOpts{Queue: QueueSource, MaxAttempts: 1000}
}
func (RegisterLetter) InsertOpts() river.InsertOpts {
	return river.InsertOpts{Queue: QueueSource, MaxAttempts: 1000}
}
func (RunResets) InsertOpts() river.InsertOpts {
	return river.InsertOpts{Queue: QueueReset, MaxAttempts: 3}
}
func (WatchRequest) InsertOpts() river.InsertOpts {
	return river.InsertOpts{Queue: QueueWatch, MaxAttempts: 2}
}
func (AskStatus) InsertOpts() river.InsertOpts {
	return river.InsertOpts{Queue: QueueWatch, MaxAttempts: 3}
}
func (PollGateway) InsertOpts() river.InsertOpts {
	return river.InsertOpts{Queue: QueueSource, MaxAttempts: 1}
}
func (Sweep) InsertOpts() river.InsertOpts {
	return river.InsertOpts{Queue: QueueClock, MaxAttempts: 1}
}
