package mailsim

import (
	"crypto/subtle"
	"strings"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapserver"
	"github.com/emersion/go-imap/v2/imapserver/imapmemserver"
	"github.com/emersion/go-sasl"
)

// mailbox is one IMAP connection. It idles better than imapmemserver, which doesn't tell of mail that came between the last command and the
// IDLE, and it knows XOAUTH2.
type mailbox struct {
	*imapmemserver.UserSession // nil before the sign-in
	sim                        *Sim
}

var _ imapserver.SessionSASL = (*mailbox)(nil)

func (m *mailbox) Login(user, password string) error {
	u := m.sim.users[user]
	if u == nil {
		return imapserver.ErrAuthFailed
	}
	if err := u.Login(user, password); err != nil {
		return err
	}
	m.UserSession = imapmemserver.NewUserSession(u)
	return nil
}

func (m *mailbox) AuthenticateMechanisms() []string {
	if m.sim.options.Token == "" {
		return []string{sasl.Plain}
	}
	return []string{sasl.Plain, "XOAUTH2"}
}

func (m *mailbox) Authenticate(mechanism string) (sasl.Server, error) {
	if mechanism == sasl.Plain {
		return sasl.NewPlainServer(func(_, user, password string) error { return m.Login(user, password) }), nil
	}
	return &bearer{token: m.sim.options.Token, refused: imapserver.ErrAuthFailed, accept: func(user string) error {
		u := m.sim.users[user]
		if u == nil {
			return imapserver.ErrAuthFailed
		}
		m.UserSession = imapmemserver.NewUserSession(u)
		return nil
	}}, nil
}

// Idle tells of everything that is new, also of what came before it began.
func (m *mailbox) Idle(w *imapserver.UpdateWriter, stop <-chan struct{}) error {
	for {
		delivered := m.sim.nextDelivery()
		if err := m.Poll(w, true); err != nil {
			return err
		}
		select {
		case <-delivered:
		case <-stop:
			return nil
		}
	}
}

func (m *mailbox) Append(folder string, r imap.LiteralReader, options *imap.AppendOptions) (*imap.AppendData, error) {
	defer m.sim.tellDelivery()
	return m.UserSession.Append(folder, r, options)
}

func (s *Sim) nextDelivery() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.delivered
}

func (s *Sim) tellDelivery() {
	s.mu.Lock()
	defer s.mu.Unlock()
	close(s.delivered)
	s.delivered = make(chan struct{})
}

// bearer is the server's side of XOAUTH2: a refusal comes as a challenge with details first.
type bearer struct {
	token   string
	accept  func(user string) error
	refused error
	told    bool
}

func (b *bearer) Next(response []byte) (challenge []byte, done bool, err error) {
	if b.told {
		return nil, false, b.refused
	}
	if response == nil {
		return []byte{}, false, nil
	}
	var user, token string
	for part := range strings.SplitSeq(string(response), "\x01") {
		if v, ok := strings.CutPrefix(part, "user="); ok {
			user = v
		}
		if v, ok := strings.CutPrefix(part, "auth=Bearer "); ok {
			token = v
		}
	}
	if subtle.ConstantTimeCompare([]byte(token), []byte(b.token)) == 1 {
		return nil, true, b.accept(user)
	}
	b.told = true
	return []byte(`{"status":"400","schemes":"Bearer"}`), false, nil
}
