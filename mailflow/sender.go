package mailflow

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/textproto"
	"regexp"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"
	"github.com/wneessen/go-mail/smtp"
	"golang.org/x/time/rate"
)

// Account is how an agency's mail is sent.
type Account struct {
	Agency string
	Host   string
	Port   int
	TLS    TLSMode
	// TLSConfig carries the agency's own certificate authorities; nil means the system's. ServerName is filled in.
	TLSConfig *tls.Config

	// User is empty where the server takes our mail without signing in. Password is asked at each connection; Token, where set, is used
	// instead (XOAUTH2).
	User     string
	Password func(context.Context) (string, error)
	Token    func(context.Context) (string, error)

	Hello   string        // our own host name in EHLO; "" means localhost
	Rate    *rate.Limiter // shared by all senders of the agency; nil means no limit
	DKIM    *DKIM         // nil: not signed here
	Timeout time.Duration // longest silence while an answer is due; zero means 60 s
	Idle    time.Duration // an unused connection is closed after this; zero means 30 s
}

// Check says what is wrong with the settings, in Indonesian, or nil.
func (a Account) Check() error {
	if err := a.TLS.allow(a.Host); err != nil {
		return err
	}
	if a.User != "" && a.Password == nil && a.Token == nil {
		return fmt.Errorf("kata sandi atau token untuk %s belum diatur", a.User)
	}
	return nil
}

// SendState is what became of a try to send.
type SendState string

// The outcomes of a try.
const (
	Sent   SendState = "sent"   // the server took it
	Retry  SendState = "retry"  // it certainly wasn't taken, and may be later
	Failed SendState = "failed" // it never will be: the server refused it for good
	// NotBooked: book refused it, so nothing was sent. Another worker may have it: its row is not to be touched for that.
	NotBooked SendState = "not-booked"
	// Uncertain: the whole mail went over, the answer to its final dot didn't come back. The server may have it. The only case in which
	// a mail can be sent twice, so it isn't repeated blindly (invariant 5).
	Uncertain SendState = "uncertain"
)

// Result is the outcome of one try.
type Result struct {
	State    SendState
	Code     int    // SMTP reply code, 0 where no answer came
	Enhanced string // "5.1.1" where the server says so (RFC 3463)
	Why      string // one line for the operator with the server's words, long numbers masked; empty when sent
	// Dead: the server refused this recipient since there is no such address. It needs no bounce to say so.
	Dead bool
	// Refused: the sign-in was refused. It says nothing about the mail, and the operator must act.
	Refused bool
}

// RetryAfter is the pause before the next try after so many tries that ended in Retry, and false once the tries have spanned two days.
func RetryAfter(tries int) (time.Duration, bool) {
	pauses := []time.Duration{time.Minute, 5 * time.Minute, 15 * time.Minute, 30 * time.Minute, time.Hour, 2 * time.Hour}
	if tries <= len(pauses) {
		return pauses[max(tries, 1)-1], true
	}
	// From then on every four hours: 3 h 51 min and eleven times 4 h make 47 h 51 min.
	return 4 * time.Hour, tries <= len(pauses)+11
}

// UncertainAfter is how long an uncertain mail rests before it is sent once more, with the same Message-ID, where the agency wants that.
const UncertainAfter = time.Hour

// Sender sends an agency's mail over one connection that it keeps open. It is safe for concurrent use; mails go one after the other.
type Sender struct {
	account Account
	turn    chan struct{} // holds a token while somebody uses what is below
	conn    *line
	idle    *time.Timer
}

// line is an open SMTP connection.
type line struct {
	link *link
	smtp *smtp.Client
	used bool // a mail went over it before
}

// NewSender makes a Sender. It connects at the first Send.
func NewSender(a Account) *Sender { return &Sender{account: a, turn: make(chan struct{}, 1)} }

// Close ends the connection.
func (s *Sender) Close() {
	s.turn <- struct{}{}
	defer func() { <-s.turn }()
	s.quit()
}

// Send makes one try to hand the mail to the server. It never tries twice once the server may have it.
func (s *Sender) Send(ctx context.Context, e Envelope) Result { return s.SendBooked(ctx, e, nil) }

// SendBooked is Send, with book called at the last moment at which the mail certainly isn't sent yet: its turn has come, and the server
// has agreed to sender and recipient. A row that is marked there is in doubt after a crash, and no other row is. When book fails, the mail
// isn't sent, and the outcome is NotBooked.
func (s *Sender) SendBooked(ctx context.Context, e Envelope, book func(context.Context) error) Result {
	raw, err := e.Render(s.account.DKIM)
	if err != nil {
		return Result{State: Failed, Why: oneLine(err.Error(), 200)}
	}
	if s.account.Rate != nil {
		if err := s.account.Rate.Wait(ctx); err != nil {
			return Result{State: Retry, Why: "batas laju pengiriman: " + err.Error()}
		}
	}
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
	case <-ctx.Done():
		return Result{State: Retry, Why: ctx.Err().Error()}
	}
	if s.idle != nil {
		s.idle.Stop()
	}
	defer s.restLater()
	result, again := s.try(ctx, e, raw, book)
	if again {
		// The server had closed the kept connection; nothing of this mail went over it.
		result, _ = s.try(ctx, e, raw, book)
	}
	return result
}

// try sends over the open connection or a new one. again is true if a kept connection turned out to be dead.
func (s *Sender) try(ctx context.Context, e Envelope, raw []byte, book func(context.Context) error) (result Result, again bool) {
	if s.conn == nil {
		conn, err := s.connect(ctx)
		if err != nil {
			result := reading(err, Retry)
			// Whatever the server says to a greeting or a sign-in isn't about this mail.
			result.Refused = result.State == Failed
			result.State = Retry
			return result, false
		}
		s.conn = conn
	}
	c := s.conn
	stop := context.AfterFunc(ctx, func() { c.link.Close() })
	defer stop()
	stale := c.used
	c.used = true
	err := offer(c.smtp, e)
	if err == nil && book != nil {
		if err = book(ctx); err != nil {
			if c.smtp.Reset() != nil {
				s.drop()
			}
			return Result{State: NotBooked, Why: oneLine(err.Error(), 200)}, false
		}
	}
	if err == nil {
		err = deliver(c.smtp, raw)
	}
	if err == nil {
		return Result{State: Sent, Code: 250}, false
	}
	var final *finalError
	result = reading(err, Retry)
	if errors.As(err, &final) && result.Code < 400 {
		result.State = Uncertain
	}
	result.Dead = errors.As(err, new(*recipientError)) && noSuchAddress(result)
	if result.Code < 400 || result.Code == 421 || c.smtp.Reset() != nil {
		s.drop()
	}
	return result, stale && !errors.As(err, new(*begunError)) && (result.Code == 0 || result.Code == 421) && ctx.Err() == nil
}

// begunError: the server accepted MAIL FROM, so the connection was alive for this mail. recipientError: its answer is about the recipient.
// finalError: the mail was written to its end.
type begunError struct{ error }
type recipientError struct{ error }
type finalError struct{ error }

func (e *begunError) Unwrap() error     { return e.error }
func (e *recipientError) Unwrap() error { return e.error }
func (e *finalError) Unwrap() error     { return e.error }

// noSuchAddress tells a dead address from one that is full, blocked, or not ours to write to by the answer to RCPT TO (RFC 5321, 4.2.3;
// RFC 7504 for 556; RFC 3463 for the enhanced codes).
func noSuchAddress(r Result) bool {
	switch r.Code {
	case 550, 551, 553, 556:
		return permanent(r.Enhanced, r.Why)
	}
	return false
}

// offer begins a mail.
func offer(c *smtp.Client, e Envelope) error {
	if err := c.Mail("<" + e.From.Address + ">"); err != nil {
		return fmt.Errorf("MAIL FROM: %w", err)
	}
	if err := c.Rcpt("<" + e.To.Address + ">"); err != nil {
		return &begunError{&recipientError{fmt.Errorf("RCPT TO: %w", err)}}
	}
	return nil
}

// deliver writes the mail to the final dot and reads the answer to it.
func deliver(c *smtp.Client, raw []byte) error {
	w, err := c.Data()
	if err != nil {
		return &begunError{fmt.Errorf("DATA: %w", err)}
	}
	if _, err := w.Write(raw); err != nil {
		return &begunError{fmt.Errorf("writing the mail: %w", err)}
	}
	err = w.Close()
	var reply *textproto.Error
	if err == nil || errors.As(err, &reply) && reply.Code/100 == 2 {
		return nil
	}
	return &begunError{&finalError{fmt.Errorf("final dot: %w", err)}}
}

// connect opens a connection and signs in.
func (s *Sender) connect(ctx context.Context) (*line, error) {
	a := s.account
	patience := or(a.Timeout, time.Minute)
	c := &line{}
	options := []gomail.Option{
		gomail.WithPort(a.Port), gomail.WithTimeout(patience), gomail.WithHELO(or(a.Hello, "localhost")),
		gomail.WithTLSConfig(tlsFor(a.Host, a.TLSConfig)),
		// Its demand on every hop of the way makes mails bounce that need no UTF-8 in their envelope.
		gomail.WithoutSMTPUTF8(),
		gomail.WithDialContextFunc(func(ctx context.Context, _, _ string) (net.Conn, error) {
			conn, l, err := dial(ctx, a.Host, a.Port, a.TLS, a.TLSConfig, patience)
			if err == nil {
				c.link = l
				l.expect() // SMTP reads only when an answer is due
			}
			return conn, err
		}),
	}
	switch a.TLS {
	case ImplicitTLS:
		options = append(options, gomail.WithSSL())
	case StartTLS:
		options = append(options, gomail.WithTLSPolicy(gomail.TLSMandatory))
	default:
		options = append(options, gomail.WithTLSPolicy(gomail.NoTLS))
	}
	if a.User != "" {
		auth, err := a.auth(ctx)
		if err != nil {
			return nil, err
		}
		options = append(options, gomail.WithSMTPAuthCustom(auth))
	}
	client, err := gomail.NewClient(a.Host, options...)
	if err != nil {
		return nil, fmt.Errorf("setting up SMTP: %w", err)
	}
	stop := context.AfterFunc(ctx, func() {
		if c.link != nil {
			c.link.Close()
		}
	})
	defer stop()
	if c.smtp, err = client.DialToSMTPClientWithContext(ctx); err != nil {
		if c.link != nil {
			c.link.Close()
		}
		return nil, fmt.Errorf("connecting to %s: %w", a.Host, err)
	}
	return c, nil
}

// auth chooses among what the server offers; go-mail refuses to send a password in the clear to any host but this machine.
func (a Account) auth(ctx context.Context) (smtp.Auth, error) {
	if a.Token != nil {
		token, err := a.Token(ctx)
		if err != nil {
			return nil, fmt.Errorf("getting a token: %w", err)
		}
		return smtp.XOAuth2Auth(a.User, token), nil
	}
	password, err := a.Password(ctx)
	if err != nil {
		return nil, fmt.Errorf("getting the password: %w", err)
	}
	return &passwordAuth{
		plain: smtp.PlainAuth("", a.User, password, a.Host, Loopback(a.Host)),
		login: smtp.LoginAuth(a.User, password, a.Host, Loopback(a.Host)),
	}, nil
}

// passwordAuth is PLAIN, or LOGIN where the server has only that.
type passwordAuth struct{ plain, login, chosen smtp.Auth }

func (p *passwordAuth) Start(server *smtp.ServerInfo) (string, []byte, error) {
	p.chosen = p.plain
	offers := strings.Join(server.Auth, " ")
	if !strings.Contains(offers, "PLAIN") && strings.Contains(offers, "LOGIN") {
		p.chosen = p.login
	}
	return p.chosen.Start(server)
}

func (p *passwordAuth) Next(challenge []byte, more bool) ([]byte, error) {
	return p.chosen.Next(challenge, more)
}

// reading turns an error into a result by the class of the reply; without one the outcome is the given one.
func reading(err error, otherwise SendState) Result {
	r := Result{State: otherwise, Why: maskNumbers(oneLine(err.Error(), 300))}
	var reply *textproto.Error
	if !errors.As(err, &reply) {
		return r
	}
	r.Code = reply.Code
	r.Enhanced = enhancedCode.FindString(reply.Msg)
	switch {
	case reply.Code >= 500:
		r.State = Failed
	case reply.Code >= 400:
		r.State = Retry
	}
	return r
}

var (
	enhancedCode = regexp.MustCompile(`^[245]\.\d{1,3}\.\d{1,3}\b`)
	longNumber   = regexp.MustCompile(`\d[\d .-]{13,}\d`)
)

// maskNumbers hides what may be an identity number in foreign text.
func maskNumbers(s string) string { return longNumber.ReplaceAllString(s, "…") }

func (s *Sender) restLater() {
	if s.conn == nil {
		return
	}
	s.idle = time.AfterFunc(or(s.account.Idle, 30*time.Second), s.Close)
}

// drop closes the connection without a word: after a broken mail, even QUIT would end the text and have it delivered.
func (s *Sender) drop() {
	s.conn.link.Close()
	s.conn = nil
}

func (s *Sender) quit() {
	if s.idle != nil {
		s.idle.Stop()
	}
	if s.conn == nil {
		return
	}
	_ = s.conn.smtp.Quit() // a courtesy
	s.drop()
}
