package srikandisim

import (
	"bytes"
	"net/http"
	"strconv"
	"time"
)

// Route names a call of the contract.
type Route string

// The routes. File is the short-lived URL that an attachment redirects to.
const (
	Token      Route = "token"
	List       Route = "list"
	Whole      Route = "letter"
	Attachment Route = "attachment"
	Link       Route = "file"
	Follow     Route = "follow-up"
	Register   Route = "register"
)

// Fault is one thing that can go wrong with one call.
type Fault string

// The faults of single calls. Cut and Lost carry the call out and then lose the answer, in part or wholly; the others don't carry it
// out. Mismatch, Expired belong to attachments, Malformed, Repeated to lists. None lets one call pass, in a script.
const (
	None         Fault = "none"
	Unauthorized Fault = "401"
	TooMany      Fault = "429"
	Unavailable  Fault = "503"
	Internal     Fault = "500"
	BadGateway   Fault = "502 html"
	HTML         Fault = "200 html"
	LostPage     Fault = "404 html" // of a proxy that lost its way
	Empty        Fault = "empty"
	Drop         Fault = "drop"
	Cut          Fault = "cut"
	Lost         Fault = "lost"
	Slow         Fault = "slow"
	Malformed    Fault = "malformed"
	Repeated     Fault = "repeated"
	Mismatch     Fault = "mismatch"
	Expired      Fault = "expired"
)

// Faults are those that come by themselves, each with its probability a call (0..1), drawn with the seed.
type Faults struct {
	Chance     map[Fault]float64
	RetryAfter time.Duration // of 429 and 503, whole seconds; 0 leaves the header out
	SlowBy     time.Duration // real time
	Late       float64       // probability that a change shows late in the list
	LateBy     time.Duration
}

// SetFaults sets the faults that come by themselves; the zero value ends them.
func (s *Server) SetFaults(f Faults) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = f
}

// Inject makes the next calls of a route fail so, one after the other, before any fault that comes by itself.
func (s *Server) Inject(route Route, faults ...Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.scripted[route] = append(s.scripted[route], faults...)
}

// SetOutage cuts every connection, or ends that.
func (s *Server) SetOutage(on bool) { s.set(func() { s.outage = on }) }

// RefuseSignIn refuses the client's credentials, and every token given out before.
func (s *Server) RefuseSignIn(on bool) {
	s.set(func() {
		s.refuse = on
		clear(s.tokens)
	})
}

// RevokeTokens makes every token given out so far worthless.
func (s *Server) RevokeTokens() { s.set(func() { clear(s.tokens) }) }

// OfferRegister switches registering letters on (the default) or off (501).
func (s *Server) OfferRegister(on bool) { s.set(func() { s.noWrite = !on }) }

// SetSkew sets the gateway's clock ahead (or behind) of Options.Now.
func (s *Server) SetSkew(d time.Duration) { s.set(func() { s.skew = d }) }

func (s *Server) set(do func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	do()
}

// chance is drawn with the seed. The caller holds mu.
func (s *Server) chance(p float64) bool { return p > 0 && s.rng.Float64() < p }

// allFaults is the order in which chances are drawn: a map's would undo the seed.
var allFaults = []Fault{Unauthorized, TooMany, Unavailable, Internal, BadGateway, HTML, Empty, Drop, Cut, Lost, Slow,
	Malformed, Repeated, Mismatch, Expired, LostPage}

// next counts a call and says what shall go wrong with it.
func (s *Server) next(route Route) Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.journal.Calls[route]++
	if s.outage {
		return Drop
	}
	if script := s.scripted[route]; len(script) > 0 {
		s.scripted[route] = script[1:]
		return script[0]
	}
	for _, f := range allFaults {
		if s.chance(s.faults.Chance[f]) {
			return f
		}
	}
	return None
}

const page = "<!DOCTYPE html><html><head><title>Srikandi</title></head><body><h1>Sedang dalam pemeliharaan</h1></body></html>"

// handle serves one call with its fault. do gets the faults that concern the answer's content.
func (s *Server) handle(route Route, do func(w http.ResponseWriter, r *http.Request, f Fault)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		switch fault := s.next(route); fault {
		case Unauthorized:
			fail(w, http.StatusUnauthorized, "unauthorized")
		case TooMany, Unavailable:
			s.wait(w, fault)
		case Internal:
			fail(w, http.StatusInternalServerError, "internal")
		case BadGateway, HTML, LostPage:
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			w.WriteHeader(map[Fault]int{BadGateway: http.StatusBadGateway, HTML: http.StatusOK, LostPage: http.StatusNotFound}[fault])
			w.Write([]byte(page))
		case Empty:
			w.WriteHeader(http.StatusOK)
		case Drop:
			panic(http.ErrAbortHandler)
		case Cut, Lost:
			kept := &recorder{header: http.Header{}, status: http.StatusOK}
			do(kept, r, None)
			if fault == Cut {
				kept.half(w)
			}
			panic(http.ErrAbortHandler)
		case Slow:
			s.sleep(r)
			do(w, r, None)
		default:
			do(w, r, fault)
		}
	}
}

func (s *Server) wait(w http.ResponseWriter, fault Fault) {
	s.mu.Lock()
	after := s.faults.RetryAfter
	s.mu.Unlock()
	if after > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(after/time.Second)))
	}
	if fault == TooMany {
		fail(w, http.StatusTooManyRequests, "too_many_requests")
		return
	}
	fail(w, http.StatusServiceUnavailable, "unavailable")
}

func (s *Server) sleep(r *http.Request) {
	s.mu.Lock()
	by := s.faults.SlowBy
	s.mu.Unlock()
	select {
	case <-time.After(by):
	case <-r.Context().Done():
	}
}

// recorder keeps an answer to lose it.
type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (r *recorder) Header() http.Header         { return r.header }
func (r *recorder) WriteHeader(status int)      { r.status = status }
func (r *recorder) Write(p []byte) (int, error) { return r.body.Write(p) }

// half sends the first half of the answer, promising the whole.
func (r *recorder) half(w http.ResponseWriter) {
	for k, v := range r.header {
		w.Header()[k] = v
	}
	w.Header().Set("Content-Length", strconv.Itoa(r.body.Len()))
	w.WriteHeader(r.status)
	w.Write(r.body.Bytes()[:r.body.Len()/2])
	http.NewResponseController(w).Flush()
}
