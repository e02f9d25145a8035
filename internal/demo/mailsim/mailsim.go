// Package mailsim is the world's mail for the demo and the tests: an IMAP server with mailboxes in memory (IDLE works) and an SMTP server
// that journals every mail it accepts, both on loopback. It can fail in the ways that servers do. It runs in another process than the
// daemon, or in the test itself, so that its journal outlives a killed daemon.
package mailsim

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapserver"
	"github.com/emersion/go-imap/v2/imapserver/imapmemserver"
	"github.com/emersion/go-smtp"
)

// Options describe the world.
type Options struct {
	// Mailboxes maps a user name to its password. Each gets the folders INBOX, Arsip and Terkirim.
	Mailboxes map[string]string
	// SMTPUser and SMTPPassword are asked for when sending; empty: nobody needs to sign in.
	SMTPUser, SMTPPassword string
	// Token is the bearer token that XOAUTH2 takes from every user, in both directions; empty: the servers don't offer it.
	Token string
	// TLS, if given, lets SMTP offer STARTTLS, and opens a second port with TLS from the start.
	TLS *tls.Config
	// IMAPAddr and SMTPAddr are loopback addresses to listen on; empty means a free port of 127.0.0.1.
	IMAPAddr, SMTPAddr string
	// Route is called for each accepted mail, outside of any lock: it may Deliver an answer, a bounce, or the mail itself.
	Route func(*Sim, Accepted)
}

// Accepted is a mail that the SMTP server took responsibility for.
type Accepted struct {
	At        time.Time
	From      string   // envelope sender
	To        []string // envelope recipients
	MessageID string   // without angle brackets
	Raw       []byte
}

// Fault says how the SMTP server treats the next mail.
type Fault struct {
	// Code and Text answer instead of 250: 4xx or 5xx.
	Code int
	Text string
	At   Stage
	Cut  bool // close the connection instead of answering
	// Stall says nothing any more until this channel is closed.
	Stall <-chan struct{}
}

// Stage is a moment in the taking of a mail.
type Stage string

// The stages. AfterTaken answers wrongly after the mail was journaled: the case that SMTP can't tell from AtDot.
const (
	AtRcpt     Stage = "rcpt"
	AtData     Stage = "data" // in the middle of the text
	AtDot      Stage = "dot"  // the whole text came, it isn't taken
	AfterTaken Stage = "taken"
)

// Sim is the running world.
type Sim struct {
	IMAP, SMTP string // host:port
	SMTPS      string // the same with TLS from the start; empty without Options.TLS

	options Options
	imap    *imapserver.Server
	smtp    *smtp.Server
	users   map[string]*imapmemserver.User
	open    *doors
	done    sync.WaitGroup

	mu        sync.Mutex
	journal   []Accepted
	faults    func(from, to string) *Fault
	changed   chan struct{} // closed and replaced with each accepted mail
	delivered chan struct{} // the same for what comes into any mailbox
}

// Start opens both servers.
func Start(o Options) (*Sim, error) {
	s := &Sim{options: o, users: map[string]*imapmemserver.User{}, changed: make(chan struct{}), delivered: make(chan struct{})}
	for name, password := range o.Mailboxes {
		user := imapmemserver.NewUser(name, password)
		for _, folder := range []string{"INBOX", "Arsip", "Terkirim"} {
			if err := user.Create(folder, nil); err != nil {
				return nil, fmt.Errorf("mail simulator: creating %s: %w", folder, err)
			}
		}
		s.users[name] = user
	}
	quiet := log.New(io.Discard, "", 0)
	s.imap = imapserver.New(&imapserver.Options{
		NewSession: func(*imapserver.Conn) (imapserver.Session, *imapserver.GreetingData, error) {
			return &mailbox{sim: s}, nil, nil
		},
		Caps:         imap.CapSet{imap.CapIMAP4rev1: {}, imap.CapUIDPlus: {}, imap.CapMove: {}},
		Logger:       quiet,
		InsecureAuth: true,
	})
	s.smtp = smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) {
		return &session{sim: s, conn: c, signedIn: o.SMTPUser == ""}, nil
	}))
	s.smtp.Domain, s.smtp.ErrorLog, s.smtp.AllowInsecureAuth = "mailsim.test", quiet, true
	s.smtp.TLSConfig = o.TLS
	s.smtp.MaxMessageBytes, s.smtp.ReadTimeout, s.smtp.WriteTimeout = 64<<20, 5*time.Minute, time.Minute
	return s, s.listen()
}

func (s *Sim) listen() error {
	imapDoor, err := listen(s.options.IMAPAddr)
	if err != nil {
		return fmt.Errorf("mail simulator: %w", err)
	}
	smtpDoor, err := listen(s.options.SMTPAddr)
	if err != nil {
		imapDoor.Close()
		return fmt.Errorf("mail simulator: %w", err)
	}
	s.IMAP, s.SMTP = imapDoor.Addr().String(), smtpDoor.Addr().String()
	s.open = &doors{conns: map[net.Conn]bool{}}
	s.done.Go(func() { _ = s.imap.Serve(door{imapDoor, s.open}) })
	s.done.Go(func() { _ = s.smtp.Serve(smtpDoor) })
	if s.options.TLS == nil {
		return nil
	}
	secured, err := listen("")
	if err != nil {
		s.Close()
		return fmt.Errorf("mail simulator: %w", err)
	}
	s.SMTPS = secured.Addr().String()
	s.done.Go(func() { _ = s.smtp.Serve(tls.NewListener(secured, s.options.TLS)) })
	return nil
}

func listen(address string) (net.Listener, error) {
	if address == "" {
		address = "127.0.0.1:0"
	}
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	if ip := net.ParseIP(host); ip == nil || !ip.IsLoopback() {
		return nil, fmt.Errorf("%s is not a loopback address", address)
	}
	return net.Listen("tcp", address)
}

// Close ends both servers and all connections.
func (s *Sim) Close() {
	s.open.slam()
	s.imap.Close()
	s.smtp.Close()
	s.done.Wait()
}

// Deliver puts a message into a user's INBOX, as another server's mail would come in; who idles is told at once.
func (s *Sim) Deliver(user string, raw []byte) error {
	return s.DeliverTo(user, "INBOX", raw, time.Now())
}

// DeliverTo puts a message into a folder, with the date that the server got it.
func (s *Sim) DeliverTo(user, folder string, raw []byte, at time.Time) error {
	u := s.users[user]
	if u == nil {
		return fmt.Errorf("mail simulator: no mailbox %s", user)
	}
	if _, err := u.Append(folder, literal{bytes.NewReader(raw)}, &imap.AppendOptions{Time: at}); err != nil {
		return fmt.Errorf("mail simulator: delivering to %s: %w", user, err)
	}
	s.tellDelivery()
	return nil
}

// Count is how many messages a folder has.
func (s *Sim) Count(user, folder string) int {
	u := s.users[user]
	if u == nil {
		return 0
	}
	data, err := u.Status(folder, &imap.StatusOptions{NumMessages: true})
	if err != nil || data.NumMessages == nil {
		return 0
	}
	return int(*data.NumMessages)
}

// Hangup closes all IMAP connections, as a restarted server does.
func (s *Sim) Hangup() { s.open.slam() }

// Fail sets what happens to coming mails: choose is asked at each recipient and gives nil for no fault. nil ends all faults.
func (s *Sim) Fail(choose func(from, to string) *Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = choose
}

// Journal lists the accepted mails in their order.
func (s *Sim) Journal() []Accepted {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Accepted(nil), s.journal...)
}

// Wait returns when the journal satisfies the wish, or with the context's error.
func (s *Sim) Wait(ctx context.Context, wish func([]Accepted) bool) error {
	for {
		s.mu.Lock()
		journal, changed := append([]Accepted(nil), s.journal...), s.changed
		s.mu.Unlock()
		if wish(journal) {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("mail simulator: waiting with %d mails journaled: %w", len(journal), ctx.Err())
		}
	}
}

func (s *Sim) accept(a Accepted) {
	s.mu.Lock()
	s.journal = append(s.journal, a)
	close(s.changed)
	s.changed = make(chan struct{})
	s.mu.Unlock()
	if s.options.Route != nil {
		s.options.Route(s, a)
	}
}

func (s *Sim) fault(from, to string) *Fault {
	s.mu.Lock()
	choose := s.faults
	s.mu.Unlock()
	if choose == nil {
		return nil
	}
	return choose(from, to)
}

// literal is a message to append.
type literal struct{ *bytes.Reader }

func (l literal) Size() int64 { return int64(l.Len()) }

// doors knows the open connections, so that they can be slammed.
type doors struct {
	mu    sync.Mutex
	conns map[net.Conn]bool
}

func (d *doors) slam() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for c := range d.conns {
		c.Close()
	}
}

type door struct {
	net.Listener
	open *doors
}

func (d door) Accept() (net.Conn, error) {
	c, err := d.Listener.Accept()
	if err != nil {
		return nil, err
	}
	d.open.mu.Lock()
	defer d.open.mu.Unlock()
	d.open.conns[c] = true
	return guest{c, d.open}, nil
}

type guest struct {
	net.Conn
	open *doors
}

func (g guest) Close() error {
	g.open.mu.Lock()
	delete(g.open.conns, g.Conn)
	g.open.mu.Unlock()
	return g.Conn.Close()
}

var errCut = errors.New("mail simulator: connection cut by a fault")

func messageID(raw []byte) string {
	head, _, _ := bytes.Cut(raw, []byte("\r\n\r\n"))
	text := strings.ReplaceAll(strings.ReplaceAll(string(head), "\r\n ", " "), "\r\n\t", " ")
	for line := range strings.SplitSeq(text, "\r\n") {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.EqualFold(key, "Message-ID") {
			return strings.Trim(value, " \t<>")
		}
	}
	return ""
}
