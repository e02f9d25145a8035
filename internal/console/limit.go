package console

import (
	"net"
	"net/http"
	"net/netip"
	"strings"
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

// remote is the address of who asks, without a port; of IPv6 the network, since one visitor has many addresses of it. A reverse proxy on this
// machine adds its visitor's address as the last of X-Forwarded-For; what stands before may be forged, and what others send isn't believed.
func remote(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	if told := r.Header.Values("X-Forwarded-For"); loopback(host) && len(told) > 0 {
		last := told[len(told)-1]
		if ip := net.ParseIP(strings.TrimSpace(last[strings.LastIndexByte(last, ',')+1:])); ip != nil {
			host = ip.String()
		}
	}
	if ip, err := netip.ParseAddr(host); err == nil && ip.Is6() && !ip.Is4In6() && !ip.IsLoopback() {
		return netip.PrefixFrom(ip.WithZone(""), 64).Masked().String()
	}
	return host
}
