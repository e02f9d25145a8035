package srikandi

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"pulih/internal/letter"
)

// Gateway is a way to an agency's Srikandi. Client speaks the wire contract, Folder reads an export. A method's error is one of this
// package's, or the context's; whatever isn't named here is a *Temporary, for what is unknown may be tried again: reading changes
// nothing, and writing carries an idempotency key.
type Gateway interface {
	// List returns one page of letters, oldest change first, without their dispositions.
	List(ctx context.Context, q Query) (Page, error)
	// Letter returns one letter whole. ErrGone when it is no longer there.
	Letter(ctx context.Context, id string) (Naskah, error)
	// Attachment writes an attachment's bytes to w, at most limit of them, and checks them against the size and the checksum that the letter
	// promised where it did. After an error what was written is to be thrown away. ErrTooLarge, ErrGone, or *Temporary; ErrMismatch
	// stands inside a *Temporary, because the letter may have been edited meanwhile: read it again, then try again.
	Attachment(ctx context.Context, naskahID string, want Lampiran, w io.Writer, limit int64) error
	// FollowUp writes what was done about a letter. The same key is accepted once; to send it again is safe. ErrWithdrawn when the
	// disposition was withdrawn, ErrGone when the letter is no longer there, ErrNotOffered where the gateway can't write.
	FollowUp(ctx context.Context, naskahID, key string, f FollowUp) (FollowUpResult, error)
	// Register enters a letter that came by another channel, with its files, once per key. ErrNotOffered where the gateway can't.
	Register(ctx context.Context, key string, n NewNaskah, files []letter.File) (Naskah, error)
}

// Query asks for the letters changed at or after UpdatedSince; a Cursor outweighs it. Limit is 1..100, 0 for 50.
type Query struct {
	UpdatedSince time.Time
	Cursor       string
	Limit        int
}

// Page is one answer to a Query.
type Page struct {
	Rows       []Naskah
	Bad        []BadRow
	NextCursor string    // empty on the last page
	ServerTime time.Time // the gateway's clock; zero where it didn't say
}

// The statuses that the contract lets a FollowUp have.
const (
	StatusProcessing = "diproses"
	StatusReturned   = "dikembalikan"
	StatusDone       = "selesai"
)

// FollowUp is what the software writes about a letter. Build Note with Note, so that it isn't taken for a verifier's word when it comes
// back with the next poll.
type FollowUp struct {
	DispositionID string // empty: on the letter itself
	Status        string
	Note          string
}

// FollowUpResult is the gateway's receipt. Replay means that the key had been accepted before; Status is then that of the first time.
type FollowUpResult struct {
	ID, Status string
	Replay     bool
}

// NewNaskah is a letter to register. Empty fields are left out: only what is known is said.
type NewNaskah struct {
	Number     string
	Date       string    // YYYY-MM-DD
	ReceivedAt time.Time // when it truly arrived
	Type       string
	Nature     string
	Subject    string
	Summary    string
	From       Pihak
}

// What can become of a call, besides success. Everything else is a *Temporary.
var (
	// ErrSignIn: the gateway refused the client's credentials. No call is made until an operator has looked (Client.Retry), or the long rest
	// is over: Srikandi restricts accounts that try again and again.
	ErrSignIn = errors.New("srikandi: sign-in refused, an operator must look")
	// ErrGone: the letter or attachment is no longer there.
	ErrGone = errors.New("srikandi: no longer there")
	// ErrWithdrawn: the disposition was withdrawn.
	ErrWithdrawn = errors.New("srikandi: disposition withdrawn")
	// ErrNotOffered: this gateway doesn't have that call.
	ErrNotOffered = errors.New("srikandi: not offered by this gateway")
	// ErrTooLarge: more bytes than the limit.
	ErrTooLarge = errors.New("srikandi: larger than allowed")
	// ErrMismatch: an attachment differs from what its letter promised.
	ErrMismatch = errors.New("srikandi: attachment differs from its size or checksum")
	// ErrAnswer: the answer isn't what the contract says: HTML, an empty or cut body, JSON of another form.
	ErrAnswer = errors.New("srikandi: unreadable answer")
	// ErrOpen: too many calls failed in a row; the gateway is left alone for a while.
	ErrOpen = errors.New("srikandi: resting after repeated failures")
)

// Temporary is an error after which the same call may be made again. RetryAfter is what the gateway asked for, 0 where it didn't.
type Temporary struct {
	RetryAfter time.Duration
	Err        error
}

func (t *Temporary) Error() string { return t.Err.Error() }
func (t *Temporary) Unwrap() error { return t.Err }

// Refused is an answer that will be the same the next time: the call was wrong, or isn't allowed.
type Refused struct {
	Status int    // HTTP status
	Code   string // the gateway's error code, empty unless it is a plain word
}

func (r *Refused) Error() string {
	return strings.TrimSuffix(fmt.Sprintf("srikandi: refused with status %d: %s", r.Status, r.Code), ": ")
}
