package mailflow

import (
	"context"
	"errors"
	"fmt"
	"net/textproto"

	"github.com/emersion/go-imap/v2"
)

// What Probe tells apart; anything else is a connection that failed.
var (
	ErrRefused = errRefused                           // the server refused the sign-in
	ErrFolder  = errors.New("folder can't be opened") // signed in, but the folder isn't there or isn't readable
)

// Probe signs in, opens the folder read-only (EXAMINE) and tells how many messages it holds. It changes nothing on the server.
func (m Mailbox) Probe(ctx context.Context) (messages uint32, err error) {
	if err := m.Check(); err != nil {
		return 0, err
	}
	s, err := (&Inbox{mailbox: m}).open(ctx)
	if err != nil {
		return 0, err
	}
	defer s.close()
	err = s.ask(func() error {
		data, err := s.client.Select(m.folder(), &imap.SelectOptions{ReadOnly: true}).Wait()
		if err == nil {
			messages = data.NumMessages
		}
		return err
	})
	var answer *imap.Error
	if errors.As(err, &answer) {
		return 0, fmt.Errorf("%w: %w", ErrFolder, err)
	}
	if err != nil {
		return 0, fmt.Errorf("opening the folder: %w", err)
	}
	return messages, nil
}

// Probe connects, signs in where the account has a user, and leaves; it sends nothing.
func (a Account) Probe(ctx context.Context) error {
	if err := a.Check(); err != nil {
		return err
	}
	s := NewSender(a)
	defer s.Close()
	conn, err := s.connect(ctx)
	var reply *textproto.Error
	if errors.As(err, &reply) && reply.Code/100 == 5 && a.User != "" {
		return fmt.Errorf("%w: %w", ErrRefused, err)
	}
	if err != nil {
		return err
	}
	s.conn = conn
	return nil
}
