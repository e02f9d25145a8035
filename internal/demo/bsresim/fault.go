package bsresim

import (
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"strconv"
)

// Call is a kind of call.
type Call string

// The calls of the contract.
const (
	CallStatus  Call = "status" // eSign, both versions
	CallVerify  Call = "verify"
	CallToken   Call = "token"
	CallFind    Call = "find"
	CallDetails Call = "details"
	CallPhone   Call = "phone"
	CallReset   Call = "reset"
)

// Fault is what goes wrong in a call. "Before" means that the call had no effect, "after" that it had.
type Fault string

// The faults. NoFault in a script means a good answer.
const (
	NoFault      Fault = ""
	HangBefore   Fault = "hang-before"   // no answer until the client gives up
	HangAfter    Fault = "hang-after"    //
	HangThenAct  Fault = "hang-then-act" // acts when the client has given up
	DropBefore   Fault = "drop-before"   // TCP reset instead of an answer
	DropAfter    Fault = "drop-after"    //
	CloseBefore  Fault = "close-before"  // orderly close instead of an answer, as a dead kept-alive connection does
	CloseAfter   Fault = "close-after"   //
	ErrorBefore  Fault = "error-before"  // 502, empty
	ErrorAfter   Fault = "error-after"   // 500 with JSON that says success false
	HTMLBefore   Fault = "html-before"   // 200 with a page "sedang pemeliharaan"
	HTMLAfter    Fault = "html-after"    // 200 with a page
	BlockedAfter Fault = "blocked-after" // 403 page of a firewall that inspects answers
	CutBody      Fault = "cut-body"      // acts; half of the answer's body
	CutChunk     Fault = "cut-chunk"     // acts; a chunked answer without its end
	Redirect     Fault = "redirect"      // 302 to the sign-in page, no effect
	Refuse       Fault = "refuse"        // 200 {"success":false,...}, no effect
	Unauthorized Fault = "unauthorized"  // 401, no effect
	Ambiguous    Fault = "ambiguous"     // find: one row more than there is; elsewhere no fault
)

// Faults lists every fault.
var Faults = []Fault{
	HangBefore, HangAfter, HangThenAct, DropBefore, DropAfter, CloseBefore, CloseAfter, ErrorBefore, ErrorAfter, HTMLBefore, HTMLAfter,
	BlockedAfter, CutBody, CutChunk, Redirect, Refuse, Unauthorized, Ambiguous,
}

// Script queues faults for the next calls of a kind, in order.
func (s *Sim) Script(c Call, faults ...Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.script[c] = append(s.script[c], faults...)
}

func (s *Sim) nextFault(c Call, r *http.Request) Fault {
	s.mu.Lock()
	s.calls[c]++
	s.moved.Broadcast()
	queue := s.script[c]
	if len(queue) > 0 {
		s.script[c] = queue[1:]
		s.mu.Unlock()
		return queue[0]
	}
	s.mu.Unlock()
	if s.opt.Decide != nil {
		return s.opt.Decide(c, r)
	}
	return NoFault
}

// reply is an answer that isn't written yet.
type reply struct {
	status   int
	body     []byte
	executed bool // what the call is for was done
}

// serve plays a call with its fault: act has the effect and makes the answer; note, where given, journals what happened.
func (s *Sim) serve(c Call, act func(*http.Request) reply, note func(r *http.Request, outcome string, executed bool)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		s.enterCall(1)
		defer s.enterCall(-1)
		s.Tick()
		fault := s.nextFault(c, r)
		rep, acted := reply{}, false
		switch fault {
		case NoFault, Ambiguous, HangAfter, DropAfter, CloseAfter, ErrorAfter, HTMLAfter, BlockedAfter, CutBody, CutChunk:
			rep, acted = act(r), true
		case HangThenAct:
			s.hang(r)
			rep, acted = act(r), true
		}
		if fault == Ambiguous && c == CallFind && rep.status == http.StatusOK {
			rows := []any{map[string]any{"id": uuid()}, map[string]any{"id": uuid()}}
			rep = answerJSON(http.StatusOK, map[string]any{"data": map[string]any{"records": len(rows), "aaData": rows}})
		}
		if note != nil {
			outcome := string(fault)
			if fault == NoFault {
				outcome = fmt.Sprintf("HTTP %d", rep.status)
			}
			note(r, outcome, acted && rep.executed)
		}
		s.Tick()
		s.fail(w, r, fault, rep)
	}
}

func (s *Sim) hang(r *http.Request) {
	select {
	case <-r.Context().Done():
	case <-s.done:
	}
}

// fail writes the answer, or what the fault makes of it.
func (s *Sim) fail(w http.ResponseWriter, r *http.Request, fault Fault, rep reply) {
	page := func(status int, text string) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.WriteHeader(status)
		_, _ = fmt.Fprintf(w, "<!doctype html><html><head><title>%s</title></head><body><h1>%s</h1></body></html>", text, text)
	}
	switch fault {
	case HangBefore, HangAfter:
		s.hang(r)
		drop(w, true)
	case HangThenAct, DropBefore, DropAfter:
		drop(w, true)
	case CloseBefore, CloseAfter:
		drop(w, false)
	case ErrorBefore:
		w.WriteHeader(http.StatusBadGateway)
	case ErrorAfter:
		send(w, reply{status: 500, body: []byte(`{"success":false,"message":"Terjadi kesalahan pada server"}`)})
	case HTMLBefore:
		page(http.StatusOK, "Sistem sedang dalam pemeliharaan")
	case HTMLAfter:
		page(http.StatusOK, "Permintaan Anda sedang diproses")
	case BlockedAfter:
		page(http.StatusForbidden, "Request blocked")
	case Redirect:
		http.Redirect(w, r, "/login", http.StatusFound)
	case Refuse:
		send(w, reply{status: 200, body: []byte(`{"success":false,"message":"Permintaan tidak dapat diproses"}`)})
	case Unauthorized:
		w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token"`)
		send(w, reply{status: 401, body: []byte(`{"error":"invalid_token","error_description":"Token tidak berlaku"}`)})
	case CutBody:
		cut(w, rep, "Content-Length: "+strconv.Itoa(len(rep.body)), string(rep.body[:len(rep.body)/2]))
	case CutChunk:
		cut(w, rep, "Transfer-Encoding: chunked", fmt.Sprintf("%x\r\n%s\r\n", len(rep.body), rep.body))
	default:
		send(w, rep)
	}
}

func send(w http.ResponseWriter, rep reply) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(rep.body)))
	w.WriteHeader(rep.status)
	_, _ = w.Write(rep.body)
}

// drop ends the connection without an answer.
func drop(w http.ResponseWriter, reset bool) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	if t, ok := conn.(*tls.Conn); ok && reset {
		conn = t.NetConn()
	}
	if t, ok := conn.(*net.TCPConn); ok && reset {
		_ = t.SetLinger(0)
	}
	_ = conn.Close()
}

// cut writes the head and a part of the body by hand.
func cut(w http.ResponseWriter, rep reply, length, part string) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	_, _ = fmt.Fprintf(conn, "HTTP/1.1 %d %s\r\nContent-Type: application/json\r\n%s\r\n\r\n%s", rep.status, http.StatusText(rep.status), length, part)
	_ = conn.Close()
}
