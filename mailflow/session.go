package mailflow

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
	"github.com/emersion/go-sasl"
)

// errRefused marks a refused sign-in: not an outage, and not to be repeated soon.
var errRefused = errors.New("sign-in refused")

// errArchive marks a failure on our own side.
var errArchive = errors.New("archive")

// session is one signed-in IMAP connection.
type session struct {
	link   *link
	client *imapclient.Client
	idles  bool          // the server has IDLE
	news   chan struct{} // holds one token when the server told of new mail
	free   func() bool   // unbinds the context
}

// open connects and signs in. The connection is closed when ctx ends, whatever it waits for.
func (in *Inbox) open(ctx context.Context) (*session, error) {
	m := in.mailbox
	conn, l, err := dial(ctx, m.Host, m.Port, m.TLS, m.TLSConfig, m.patience())
	if err != nil {
		return nil, fmt.Errorf("connecting to %s: %w", m.Host, err)
	}
	s := &session{link: l, news: make(chan struct{}, 1)}
	s.free = context.AfterFunc(ctx, func() { l.Close() })
	l.expect()
	if err := s.greet(m, conn); err != nil {
		s.close()
		return nil, fmt.Errorf("connecting to %s: %w", m.Host, err)
	}
	if err := s.signIn(ctx, m); err != nil {
		s.close()
		return nil, fmt.Errorf("signing in at %s: %w", m.Host, err)
	}
	s.idles = s.client.Caps().Has(imap.CapIdle)
	l.rest()
	return s, nil
}

func (s *session) greet(m Mailbox, conn net.Conn) error {
	options := &imapclient.Options{
		UnilateralDataHandler: &imapclient.UnilateralDataHandler{
			// Runs on the reading goroutine: it must not block.
			Mailbox: func(data *imapclient.UnilateralDataMailbox) {
				if data.NumMessages != nil {
					select {
					case s.news <- struct{}{}:
					default:
					}
				}
			},
		},
	}
	if m.TLS == StartTLS {
		options.TLSConfig = tlsFor(m.Host, m.TLSConfig)
		client, err := imapclient.NewStartTLS(conn, options)
		if err != nil {
			return err
		}
		s.client = client
		return nil
	}
	s.client = imapclient.New(conn, options)
	return s.client.WaitGreeting()
}

func (s *session) signIn(ctx context.Context, m Mailbox) error {
	if s.client.State() == imap.ConnStateAuthenticated { // PREAUTH
		return nil
	}
	caps := s.client.Caps()
	if caps == nil {
		return errors.New("the server doesn't say what it can do")
	}
	if m.Token != nil {
		token, err := m.Token(ctx)
		if err != nil {
			return fmt.Errorf("getting a token: %w", err)
		}
		return refusal(s.client.Authenticate(&xoauth2{user: m.User, token: token}))
	}
	password, err := m.Password(ctx)
	if err != nil {
		return fmt.Errorf("getting the password: %w", err)
	}
	if caps.Has(imap.CapLoginDisabled) || !ascii(m.User+password) {
		return refusal(s.client.Authenticate(sasl.NewPlainClient("", m.User, password)))
	}
	return refusal(s.client.Login(m.User, password).Wait())
}

// refusal tells a refused sign-in from a server in trouble (RFC 5530).
func refusal(err error) error {
	var answer *imap.Error
	if !errors.As(err, &answer) || answer.Type == imap.StatusResponseTypeBye {
		return err
	}
	switch answer.Code {
	case imap.ResponseCodeUnavailable, imap.ResponseCodeInUse, imap.ResponseCodeLimit, imap.ResponseCodeServerBug:
		return err
	}
	return fmt.Errorf("%w: %w", errRefused, err)
}

// close ends the connection at once; it leaves no goroutine behind.
func (s *session) close() {
	s.free()
	s.link.Close()
	if s.client != nil {
		s.client.Close() // waits for the reading goroutine; why it ended was said before
	}
}

// ask runs one command with the watch on.
func (s *session) ask(command func() error) error {
	s.link.expect()
	defer s.link.rest()
	return command()
}

// wait returns when the server tells of new mail or the span is over. An error is a lost connection.
func (s *session) wait(ctx context.Context, span time.Duration) error {
	timer := time.NewTimer(span)
	defer timer.Stop()
	if !s.idles {
		return s.rest(ctx, timer.C)
	}
	var idle *imapclient.IdleCommand
	err := s.ask(func() (err error) { idle, err = s.client.Idle(); return err })
	var answer *imap.Error
	if errors.As(err, &answer) { // promised, but refused
		s.idles = false
		return s.rest(ctx, timer.C)
	}
	if err != nil {
		return fmt.Errorf("beginning to idle: %w", err)
	}
	rested := s.rest(ctx, timer.C)
	err = s.ask(func() error { return errors.Join(idle.Close(), idle.Wait()) })
	if rested != nil {
		return rested
	}
	if err != nil {
		return fmt.Errorf("ending to idle: %w", err)
	}
	return nil
}

func (s *session) rest(ctx context.Context, over <-chan time.Time) error {
	select {
	case <-s.news:
		return nil
	case <-over:
		return nil
	case <-s.client.Closed():
		return fmt.Errorf("the server closed the connection: %w", io.ErrUnexpectedEOF)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// xoauth2 is Google's and Microsoft's bearer token mechanism. A refusal comes as a challenge with details, to be answered with nothing.
type xoauth2 struct{ user, token string }

func (x *xoauth2) Start() (string, []byte, error) {
	return "XOAUTH2", []byte("user=" + x.user + "\x01auth=Bearer " + x.token + "\x01\x01"), nil
}

func (x *xoauth2) Next([]byte) ([]byte, error) { return []byte{}, nil }

func ascii(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r > 126 || r < 32 }) < 0
}

// explain says in one Indonesian sentence what fails, for the operator.
func explain(err error) string {
	var dns *net.DNSError
	var authority x509.UnknownAuthorityError
	var name x509.HostnameError
	var expired x509.CertificateInvalidError
	var answer *imap.Error
	switch {
	case errors.Is(err, errArchive):
		return "Surat belum dapat disimpan: basis data tidak menerima."
	case errors.Is(err, errRefused):
		return "Server menolak masuk: periksa nama pengguna dan kata sandi atau token."
	case errors.As(err, &dns):
		return "Nama server surel tidak ditemukan di DNS."
	case errors.As(err, &authority), errors.As(err, &name), errors.As(err, &expired):
		return "Sertifikat TLS server surel tidak dapat dipercaya."
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded):
		return "Server surel tidak menjawab."
	case errors.Is(err, syscall.ECONNREFUSED):
		return "Server surel menolak sambungan."
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, net.ErrClosed):
		return "Sambungan ke server surel terputus."
	case errors.As(err, &answer):
		return "Server surel menjawab: " + oneLine(answer.Text, 200)
	}
	return "Kotak surat tidak dapat dibaca: " + oneLine(err.Error(), 200)
}

// oneLine makes foreign text fit for a line of a page or a log: no control characters, at most n bytes or a little more.
func oneLine(s string, n int) string {
	s = strings.Join(strings.FieldsFunc(strings.ToValidUTF8(s, "?"), func(r rune) bool { return r <= ' ' || r == 127 }), " ")
	if len(s) > n {
		s = strings.ToValidUTF8(s[:n], "") + "…"
	}
	return s
}
