package mailflow

import (
	"context"
	"crypto/tls"
	"fmt"
	"time"
)

// Mailbox is one folder of an agency's official mailbox, and how it is read.
type Mailbox struct {
	Agency string // key of the agency
	Host   string
	Port   int
	TLS    TLSMode
	// TLSConfig carries the agency's own certificate authorities; nil means the system's. ServerName is filled in.
	TLSConfig *tls.Config

	User string
	// Password is asked at each sign-in, so that a changed secret needs no restart. Token, where set, is used instead (XOAUTH2).
	Password func(context.Context) (string, error)
	Token    func(context.Context) (string, error)

	Folder string // "" means INBOX
	// Since: mail that reached the server before this day is not read when the mailbox is new to us. Zero means all of it.
	Since time.Time

	After  After  // what to do with a message once it is committed; zero means nothing: the folder is opened read-only
	Marker string // the keyword to set, or the folder to move to

	PollEvery   time.Duration // the poll behind IDLE, or the only one; zero means 30 s
	ReadTimeout time.Duration // longest silence while an answer is due; zero means 25 s. With PollEvery: below a minute
	Limit       int64         // bytes; of larger messages only the headers are fetched; zero means 35 MB
}

// After says what is done with a message on the server after it was committed. Nothing is ever deleted.
type After string

// The choices. Keyword sets an IMAP keyword, Move moves to another folder (only where the server has MOVE, RFC 6851: its replacement by
// COPY and EXPUNGE would delete when the copy fails).
const (
	Leave   After = ""
	Keyword After = "keyword"
	Move    After = "move"
)

// Defaults of Mailbox.
const (
	DefaultPollEvery   = 30 * time.Second
	DefaultReadTimeout = 25 * time.Second
	DefaultLimit       = 35 << 20
)

// Key names the mailbox in the archive: one cursor and one reader for each. It stays the same when the server moves to another host.
func (m Mailbox) Key() string { return m.Agency + "/" + m.User + "/" + m.folder() }

// Check says what is wrong with the settings, in Indonesian, or nil.
func (m Mailbox) Check() error {
	if err := m.TLS.allow(m.Host); err != nil {
		return err
	}
	switch m.After {
	case Leave:
	case Keyword, Move:
		if m.Marker == "" {
			return fmt.Errorf("after: %s memerlukan nama kata kunci atau folder", m.After)
		}
	default:
		return fmt.Errorf("after: %q tidak dikenal: keyword atau move", m.After)
	}
	if m.Password == nil && m.Token == nil {
		return fmt.Errorf("kata sandi atau token untuk %s belum diatur", m.User)
	}
	return nil
}

func (m Mailbox) folder() string           { return or(m.Folder, "INBOX") }
func (m Mailbox) pollEvery() time.Duration { return or(m.PollEvery, DefaultPollEvery) }
func (m Mailbox) patience() time.Duration  { return or(m.ReadTimeout, DefaultReadTimeout) }
func (m Mailbox) limit() int64             { return or(m.Limit, DefaultLimit) }

func or[T comparable](v, otherwise T) T {
	var zero T
	if v == zero {
		return otherwise
	}
	return v
}

// Cursor is how far a mailbox was read: every message with a UID up to this one, under this UIDVALIDITY, is committed or was deliberately
// left out (Mailbox.Since). The zero Cursor is a mailbox never read.
type Cursor struct {
	UIDValidity uint32
	UID         uint32
	At          time.Time // when the folder was seen to hold nothing beyond UID; where reading again starts if UIDVALIDITY changes
	// More is set towards Archive.Save alone: more messages follow at once, and nothing is done on the server for these. Then a commit need
	// not wait for the disk: should the machine fail, cursor and letters are gone together, and the messages are fetched again.
	More bool
}

// Arrival is one message as the server has it.
type Arrival struct {
	UIDValidity  uint32
	UID          uint32
	InternalDate time.Time // when the server received it
	Size         int64     // RFC822.SIZE, bytes
	Flags        []string
	// Raw is the message, or only its header fields with HeadersOnly. Empty when Problem says why it couldn't be had.
	Raw         []byte
	HeadersOnly bool   // larger than Mailbox.Limit: a human reads it in the mailbox
	Problem     string // why the server doesn't give this message, in Indonesian; it goes to quarantine
}

// Archive keeps what the inbox reads. The store implements it.
type Archive interface {
	// Cursor returns how far the mailbox was read, zero if never.
	Cursor(ctx context.Context, mailbox string) (Cursor, error)

	// Save commits the arrivals and the cursor in ONE transaction, or nothing of both. What it must do:
	//
	//   - One row for each arrival, in order, also for those with a Problem or HeadersOnly. The bytes are kept as they are (sealed).
	//   - An arrival whose (mailbox, UIDValidity, UID) has a row is that row: the same batch may come again after a lost commit answer.
	//   - An arrival whose bytes have a row in the same agency (same SHA-256 of Raw) is a further sighting of that letter and opens no
	//     second one; after a change of UIDVALIDITY the whole folder comes again like this. It is linked, never swallowed.
	//   - The same Message-ID with other bytes is a row of its own with a flag.
	//   - The cursor never goes back below the same UIDValidity. An empty batch only moves it. Without Cursor.More, what it returns from
	//     is on the disk.
	//
	// The next step for new letters (the job that reads them) is inserted in the same transaction. Save must not keep Raw after it
	// returned. An error means that nothing was committed or that it is unknown; the batch will come again.
	Save(ctx context.Context, mailbox string, arrivals []Arrival, next Cursor) error

	// Event records something that the operator should know of. It must not fail for want of a known kind.
	Event(ctx context.Context, mailbox string, e Event) error
}

// Event is something that happened to a mailbox, other than mail.
type Event struct {
	Kind   EventKind
	At     time.Time
	Detail string // one sentence in Indonesian, without secrets
}

// EventKind names an event.
type EventKind string

// The events of a mailbox.
const (
	ReadingBegan       EventKind = "reading-began" // the first complete round since the start
	OutageBegan        EventKind = "outage-began"
	OutageEnded        EventKind = "outage-ended"
	SignInRefused      EventKind = "sign-in-refused"     // not an outage: the operator must act
	UIDValidityChanged EventKind = "uidvalidity-changed" // the folder is read again
	MessageUnreadable  EventKind = "message-unreadable"  // the server doesn't give it; it has a row with a Problem
	MarkerFailed       EventKind = "marker-failed"       // keyword or move didn't work; the mail itself is safe
)

// State is how a mailbox fares.
type State string

// The states of a mailbox.
const (
	Starting State = "starting"
	Working  State = "working"
	Failing  State = "failing" // an outage: tried again soon
	Refused  State = "refused" // sign-in refused: tried again slowly
	Stopped  State = "stopped"
)

// Status tells the health page about a mailbox.
type Status struct {
	Mailbox      string
	State        State
	LastSuccess  time.Time // end of the last complete round; zero if none yet
	FailingSince time.Time // zero while it works
	Why          string    // what fails, one sentence in Indonesian
	Arrived      int64     // messages committed since start
	Idle         bool      // the server tells of new mail at once; otherwise it is polled
}
