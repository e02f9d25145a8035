package mailflow

import (
	"context"
	"errors"
	"fmt"

	"github.com/emersion/go-imap/v2"
)

// ErrGone says that a message is not in the mailbox any more, or can't be found there since its UIDs mean something else.
var ErrGone = errors.New("surat tidak ada lagi di kotak surat")

// FetchAgain fetches one message that is in the archive already but with a Problem: the operator's quarantine retry. It reads beside a
// running Inbox without disturbing it and marks nothing. Of a message over the limit it brings the header fields.
func FetchAgain(ctx context.Context, m Mailbox, uidValidity, uid uint32) (Arrival, error) {
	if err := m.Check(); err != nil {
		return Arrival{}, fmt.Errorf("mailbox %s: %w", m.Key(), err)
	}
	in := NewInbox(m, nil, Pace{}, nil, nil)
	s, err := in.open(ctx)
	if err != nil {
		return Arrival{}, err
	}
	defer s.close()
	var folder *imap.SelectData
	err = s.ask(func() (err error) {
		folder, err = s.client.Select(m.folder(), &imap.SelectOptions{ReadOnly: true}).Wait()
		return err
	})
	if err != nil {
		return Arrival{}, fmt.Errorf("opening the folder: %w", err)
	}
	if folder.UIDValidity != uidValidity {
		return Arrival{}, fmt.Errorf("message %d of another UIDVALIDITY: %w", uid, ErrGone)
	}
	found := entry{}
	err = s.ask(func() error {
		command := s.client.Fetch(imap.UIDSetNum(imap.UID(uid)), &imap.FetchOptions{UID: true, RFC822Size: true})
		for message := command.Next(); message != nil; message = command.Next() {
			found = readEntry(message)
		}
		return command.Close()
	})
	if err != nil {
		return Arrival{}, fmt.Errorf("looking for message %d: %w", uid, err)
	}
	if found.uid != imap.UID(uid) {
		return Arrival{}, fmt.Errorf("message %d: %w", uid, ErrGone)
	}
	chunks := make(chan chunk, 1)
	t := &taking{in: in, session: s, end: Cursor{UIDValidity: uidValidity}, got: map[imap.UID]bool{}, chunks: chunks}
	if err := t.fetch([]entry{found}); err != nil {
		return Arrival{}, err
	}
	t.flush()
	select {
	case c := <-chunks:
		if len(c.arrivals) == 1 {
			return c.arrivals[0], nil
		}
	default:
	}
	return Arrival{}, fmt.Errorf("message %d: %w", uid, errNoContent)
}
