package mailflow

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"time"
)

// TLSMode says how a connection is protected.
type TLSMode string

// The modes. Plain is refused but for loopback hosts: a password and identity numbers would cross the network in the clear.
const (
	ImplicitTLS TLSMode = "tls"
	StartTLS    TLSMode = "starttls"
	Plain       TLSMode = "none"
)

// ErrPlain is returned for an unprotected connection to a host that is not loopback.
var ErrPlain = errors.New("sambungan tanpa TLS hanya boleh ke alamat loopback (127.0.0.1, ::1, localhost)")

// Loopback reports whether host names this machine itself: localhost or a loopback address. No name is looked up.
func Loopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// allow checks that the mode may be used with the host.
func (mode TLSMode) allow(host string) error {
	switch mode {
	case ImplicitTLS, StartTLS:
		return nil
	case Plain:
		if Loopback(host) {
			return nil
		}
		return ErrPlain
	}
	return fmt.Errorf("mode TLS %q tidak dikenal: tls, starttls atau none", mode)
}

// link is a connection whose deadline rolls: while an answer is awaited, each read must bring something within the patience. The mail
// libraries set deadlines of their own, which don't cover the waiting for an answer (go-imap) or cover a whole message with one span
// (go-mail), so theirs are ignored.
type link struct {
	net.Conn
	patience time.Duration

	mu    sync.Mutex
	await bool // an answer is due
}

// dial opens a connection to host:port, with TLS at once where the mode says so. The context bounds the dialling and the handshake.
func dial(ctx context.Context, host string, port int, mode TLSMode, conf *tls.Config, patience time.Duration) (net.Conn, *link, error) {
	if err := mode.allow(host); err != nil {
		return nil, nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", net.JoinHostPort(host, fmt.Sprint(port)))
	if err != nil {
		return nil, nil, err
	}
	l := &link{Conn: conn, patience: patience}
	if mode != ImplicitTLS {
		return l, l, nil
	}
	secured := tls.Client(l, tlsFor(host, conf))
	if err := secured.HandshakeContext(ctx); err != nil {
		conn.Close()
		return nil, nil, fmt.Errorf("TLS: %w", err)
	}
	return secured, l, nil
}

func tlsFor(host string, conf *tls.Config) *tls.Config {
	if conf == nil {
		conf = &tls.Config{}
	}
	conf = conf.Clone()
	if conf.ServerName == "" {
		conf.ServerName = host
	}
	if conf.MinVersion == 0 {
		conf.MinVersion = tls.VersionTLS12
	}
	return conf
}

// expect starts the watch: from now on, silence longer than the patience ends the connection.
func (l *link) expect() { l.watch(true, l.patience) }

// rest ends the watch: nothing is due, and silence is fine.
func (l *link) rest() { l.watch(false, 0) }

func (l *link) watch(on bool, within time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.await = on
	var at time.Time
	if on {
		at = time.Now().Add(within)
	}
	// A failure shows at the next read or write.
	_ = l.Conn.SetReadDeadline(at)
}

func (l *link) Read(p []byte) (int, error) {
	l.mu.Lock()
	if l.await {
		_ = l.Conn.SetReadDeadline(time.Now().Add(l.patience))
	}
	l.mu.Unlock()
	return l.Conn.Read(p)
}

func (l *link) Write(p []byte) (int, error) {
	_ = l.Conn.SetWriteDeadline(time.Now().Add(l.patience))
	return l.Conn.Write(p)
}

// The libraries' own deadlines are not wanted.

func (l *link) SetDeadline(time.Time) error      { return nil }
func (l *link) SetReadDeadline(time.Time) error  { return nil }
func (l *link) SetWriteDeadline(time.Time) error { return nil }
