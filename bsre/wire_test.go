package bsre_test

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
)

// rawServer answers each request with the bytes that reply returns, as they are, and closes the connection when they end it. It counts
// connections and whole requests.
type rawServer struct {
	url               string
	connections, asks atomic.Int64
}

// newRawServer: reply gets the request's number on its connection and returns the bytes and whether the connection stays open.
func newRawServer(t *testing.T, reply func(r *http.Request, nth int) (raw string, stay bool)) *rawServer {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &rawServer{url: "http://" + l.Addr().String()}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			s.connections.Add(1)
			wg.Go(func() { s.converse(conn, reply) })
		}
	})
	t.Cleanup(func() { _ = l.Close(); wg.Wait() })
	return s
}

func (s *rawServer) converse(conn net.Conn, reply func(*http.Request, int) (string, bool)) {
	defer conn.Close()
	r := bufio.NewReader(conn)
	for nth := 1; ; nth++ {
		req, err := http.ReadRequest(r)
		if err != nil {
			return
		}
		body, _ := io.ReadAll(req.Body)
		req.Body = io.NopCloser(bytes.NewReader(body))
		s.asks.Add(1)
		raw, stay := reply(req, nth)
		_, _ = io.WriteString(conn, raw)
		if !stay {
			return
		}
	}
}

// cutProxy forwards to a server, and cuts a connection after so many bytes of one direction; negative means never.
type cutProxy struct {
	l                    net.Listener
	target               string
	mu                   sync.Mutex
	fromClient, fromHost int64 // where the next connection is cut
	reset                bool
	passed               [2]atomic.Int64 // bytes of the last connection: from the client, from the host
	wg                   sync.WaitGroup
}

func newCutProxy(t *testing.T, target string) *cutProxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &cutProxy{l: l, target: target, fromClient: -1, fromHost: -1}
	p.wg.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			p.wg.Go(func() { p.forward(conn.(*net.TCPConn)) })
		}
	})
	t.Cleanup(p.close)
	return p
}

func (p *cutProxy) close() {
	_ = p.l.Close()
	p.wg.Wait()
}

func (p *cutProxy) url() string { return "http://" + p.l.Addr().String() }

// cutAt sets where the connections from now on are cut.
func (p *cutProxy) cutAt(fromClient, fromHost int64, reset bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fromClient, p.fromHost, p.reset = fromClient, fromHost, reset
}

func (p *cutProxy) forward(client *net.TCPConn) {
	p.mu.Lock()
	fromClient, fromHost, reset := p.fromClient, p.fromHost, p.reset
	p.mu.Unlock()
	defer client.Close()
	host, err := net.Dial("tcp", p.target)
	if err != nil {
		return
	}
	defer host.Close()
	cut := sync.OnceFunc(func() {
		if reset {
			_ = client.SetLinger(0)
		}
		_ = client.Close()
		_ = host.Close()
	})
	p.passed[0].Store(0)
	p.passed[1].Store(0)
	var wg sync.WaitGroup
	wg.Go(func() { pass(host, client, fromClient, &p.passed[0], cut) })
	wg.Go(func() { pass(client, host, fromHost, &p.passed[1], cut) })
	wg.Wait()
}

// pass copies so many bytes, and cuts. With 0 it waits for the first byte and keeps it: the cut is in the exchange, not before it.
func pass(to io.Writer, from io.Reader, limit int64, passed *atomic.Int64, cut func()) {
	if limit == 0 {
		_, _ = from.Read(make([]byte, 1))
		cut()
		return
	}
	var r io.Reader = from
	if limit > 0 {
		r = io.LimitReader(from, limit)
	}
	buf := make([]byte, 4096)
	for {
		n, err := r.Read(buf)
		if n > 0 {
			passed.Add(int64(n)) // before the write: who gets the bytes may look at once
			if _, werr := to.Write(buf[:n]); werr != nil {
				break
			}
		}
		if err != nil {
			break
		}
	}
	cut()
}
