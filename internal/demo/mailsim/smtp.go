package mailsim

import (
	"io"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// session is one SMTP connection.
type session struct {
	sim      *Sim
	conn     *smtp.Conn
	signedIn bool
	from     string
	to       []string
	fault    *Fault
}

var _ smtp.AuthSession = (*session)(nil)

func (s *session) AuthMechanisms() []string {
	if s.sim.options.Token == "" {
		return []string{sasl.Plain}
	}
	return []string{sasl.Plain, "XOAUTH2"}
}

func (s *session) Auth(mechanism string) (sasl.Server, error) {
	if mechanism == "XOAUTH2" {
		return &bearer{token: s.sim.options.Token, refused: smtp.ErrAuthFailed, accept: func(string) error {
			s.signedIn = true
			return nil
		}}, nil
	}
	return sasl.NewPlainServer(func(_, user, password string) error {
		if user != s.sim.options.SMTPUser || password != s.sim.options.SMTPPassword {
			return smtp.ErrAuthFailed
		}
		s.signedIn = true
		return nil
	}), nil
}

func (s *session) Mail(from string, _ *smtp.MailOptions) error {
	if !s.signedIn {
		return smtp.ErrAuthRequired
	}
	s.from = from
	return nil
}

func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.fault = s.sim.fault(s.from, to)
	if err := s.strike(AtRcpt); err != nil {
		return err
	}
	s.to = append(s.to, to)
	return nil
}

func (s *session) Data(r io.Reader) error {
	if s.fault != nil && s.fault.At == AtData {
		_, _ = io.ReadFull(r, make([]byte, 16))
		if err := s.strike(AtData); err != nil {
			return err
		}
	}
	raw, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	if err := s.strike(AtDot); err != nil {
		return err
	}
	s.sim.accept(Accepted{At: time.Now(), From: s.from, To: append([]string(nil), s.to...), MessageID: messageID(raw), Raw: raw})
	return s.strike(AfterTaken)
}

// strike makes the fault happen if it belongs to this stage.
func (s *session) strike(at Stage) error {
	f := s.fault
	if f == nil || f.At != at {
		return nil
	}
	if f.Stall != nil {
		<-f.Stall
	}
	if f.Cut {
		s.conn.Conn().Close()
		return errCut
	}
	if f.Code != 0 {
		return &smtp.SMTPError{Code: f.Code, EnhancedCode: smtp.EnhancedCode{f.Code / 100, 0, 0}, Message: f.Text}
	}
	return nil
}

func (s *session) Reset() { s.from, s.to, s.fault = "", nil, nil }

func (s *session) Logout() error { return nil }
