package console

import (
	"net"
	"net/http"
	"sync"
	"time"
)

// limiter counts tries by name within a window that slides: of a person, an address, a browser. It is in memory: a second daemon doubles
// the allowance at most, and links and passkeys don't hang on it.
type limiter struct {
	mu    *sync.Mutex
	tries map[string][]time.Time
}

const (
	limitWindow = 10 * time.Minute
	limitNames  = 20_000 // names that are remembered; beyond, the oldest window is dropped whole
)

func newLimiter() limiter { return limiter{mu: &sync.Mutex{}, tries: map[string][]time.Time{}} }

// allow counts a try and reports whether it is within the limit. Tries beyond it aren't counted, so that waiting helps.
func (l limiter) allow(name string, most int, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.tries) > limitNames {
		clear(l.tries)
	}
	list := l.tries[name]
	for len(list) > 0 && now.Sub(list[0]) > limitWindow {
		list = list[1:]
	}
	if len(list) >= most {
		l.tries[name] = list
		return false
	}
	l.tries[name] = append(list, now)
	return true
}

// remote is the address of who asks, without a port. Behind a proxy it is the proxy's: then the limits by person hold alone.
func remote(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}
