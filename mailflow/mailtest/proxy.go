package mailtest

import (
	"net"
	"sync"
	"testing"
)

// Proxy passes connections on to a server, and treats the way from the server to the client as a bad network does.
type Proxy struct {
	Addr string

	listener net.Listener
	target   string

	mu     sync.Mutex
	treat  func(n int) Treatment
	conns  map[net.Conn]bool
	count  int
	over   chan struct{}
	closed bool
	done   sync.WaitGroup
}

// Treatment changes what a server says on one connection. It gets each piece and says what to pass on, and whether the connection goes on.
// It may block until over, which is closed when the proxy ends. nil passes everything on.
type Treatment func(piece []byte, over <-chan struct{}) (pass []byte, goOn bool)

// StartProxy listens on a free port; treat gives the treatment of the n-th connection, from 0.
func StartProxy(t testing.TB, target string, treat func(n int) Treatment) *Proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("starting a proxy: %v", err)
	}
	p := &Proxy{Addr: l.Addr().String(), listener: l, target: target, treat: treat, conns: map[net.Conn]bool{}, over: make(chan struct{})}
	p.done.Go(p.serve)
	t.Cleanup(p.Close)
	return p
}

// Count is how many connections came.
func (p *Proxy) Count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.count
}

// Drop closes the connections that are open now.
func (p *Proxy) Drop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.conns {
		c.Close()
	}
}

// Close ends it with all its connections.
func (p *Proxy) Close() {
	p.mu.Lock()
	if !p.closed {
		close(p.over)
	}
	p.closed = true
	for c := range p.conns {
		c.Close()
	}
	p.mu.Unlock()
	p.listener.Close()
	p.done.Wait()
}

func (p *Proxy) serve() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("tcp", p.target)
		if err != nil {
			client.Close()
			continue
		}
		p.mu.Lock()
		var treatment Treatment
		if p.treat != nil {
			treatment = p.treat(p.count)
		}
		p.count++
		p.conns[client], p.conns[server] = true, true
		if p.closed {
			client.Close()
			server.Close()
		}
		p.mu.Unlock()
		p.done.Go(func() { p.pass(client, server, nil) })
		p.done.Go(func() { p.pass(server, client, treatment) })
	}
}

func (p *Proxy) pass(from, to net.Conn, treatment Treatment) {
	defer func() {
		from.Close()
		to.Close()
		p.mu.Lock()
		delete(p.conns, from)
		delete(p.conns, to)
		p.mu.Unlock()
	}()
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		piece, goOn := buffer[:n], true
		if treatment != nil && n > 0 {
			piece, goOn = treatment(piece, p.over)
		}
		if len(piece) > 0 {
			if _, err := to.Write(piece); err != nil {
				return
			}
		}
		if err != nil || !goOn {
			return
		}
	}
}

// CutAfter passes n bytes on and ends the connection.
func CutAfter(n int) Treatment {
	return func(piece []byte, _ <-chan struct{}) ([]byte, bool) {
		if len(piece) > n {
			return piece[:n], false
		}
		n -= len(piece)
		return piece, true
	}
}

// StallAfter passes n bytes on, and then nothing; the connection stays open.
func StallAfter(n int) Treatment {
	return func(piece []byte, over <-chan struct{}) ([]byte, bool) {
		if len(piece) > n {
			<-over
			return nil, false
		}
		n -= len(piece)
		return piece, true
	}
}

// InsertAfter passes n bytes on, then something else, and then the rest.
func InsertAfter(n int, what string) Treatment {
	inserted := false
	return func(piece []byte, _ <-chan struct{}) ([]byte, bool) {
		if inserted || len(piece) <= n {
			n -= len(piece)
			return piece, true
		}
		inserted = true
		return append(append(append([]byte(nil), piece[:n]...), what...), piece[n:]...), true
	}
}
