package bsre

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Kind is what is known after a reset call.
type Kind string

// The four kinds. Only NotSent and Refused prove that BSrE sent no link; Uncertain is for a human to settle.
const (
	Accepted  Kind = "accepted"
	Refused   Kind = "refused"
	Uncertain Kind = "uncertain"
	NotSent   Kind = "not-sent"
)

// Outcome is what became of the one call.
type Outcome struct {
	Kind    Kind
	Message string // for the verifier: the portal's own words when it refused, else an Indonesian sentence
	Status  int    // HTTP status, 0 when no answer was read
	// SessionEnded: refused or not sent because the session is over. The approval stands; it waits for a session.
	SessionEnded bool
}

// Reset makes the call that has BSrE mail the link: one HTTP request, once. It neither refreshes the session nor repeats anything, and
// when ctx ends on the way the outcome is Uncertain. Book the reset before calling it.
func (a *AMS) Reset(ctx context.Context, s Session, uid, serial string) Outcome {
	if !isUID(uid) || !isSerial(serial) {
		return Outcome{Kind: NotSent, Message: "Pengguna atau nomor seri sertifikat tidak terbaca; tidak ada yang dikirim."}
	}
	path := strings.NewReplacer("{uid}", uid, "{serialNumber}", serial).Replace(a.conf.ResetPath)
	return a.sendOnce(ctx, s, http.MethodGet, path, nil, uid, serial)
}

// VerifyPhone has BSrE send the user its WhatsApp check, which the portal wants before a reset when the phone isn't verified. It is made
// once, like a reset, and is none: nothing was reset by it.
func (a *AMS) VerifyPhone(ctx context.Context, s Session, uid, phone string) Outcome {
	if !isUID(uid) || strings.TrimSpace(phone) == "" {
		return Outcome{Kind: NotSent, Message: "Pengguna atau nomor telepon tidak tercatat; tidak ada yang dikirim."}
	}
	return a.sendOnce(ctx, s, http.MethodPost, a.conf.PhonePath, map[string]string{"uid": uid, "phone": phone}, uid, phone)
}

func (a *AMS) sendOnce(ctx context.Context, s Session, method, path string, body any, hide ...string) Outcome {
	if s.tokens == nil || !a.conf.Now().Before(s.ExpiresAt) {
		return Outcome{Kind: NotSent, Message: "Sesi AMS telah berakhir; tidak ada yang dikirim.", SessionEnded: true}
	}
	req, err := newRequest(ctx, method, a.portal, path, body)
	if err != nil {
		return Outcome{Kind: NotSent, Message: "Alamat portal tidak dapat disusun; tidak ada yang dikirim."}
	}
	a.identify(req, s)
	req.Header.Set("Accept", "application/json")
	req.Close = true

	conn, err := a.dial(ctx)
	if err != nil {
		return Outcome{Kind: NotSent, Message: "Portal AMS tidak dapat dihubungi; tidak ada yang dikirim."}
	}
	defer conn.Close()
	return exchange(ctx, conn, req, a.conf.ResetTimeout, hide...)
}

// dial opens a connection for one call. net/http's Transport isn't used for it, on purpose: it repeats idempotent requests on kept-alive
// connections that died, and writes from a goroutine of its own, so that after a cancelled call nobody can say whether bytes left.
// Here nothing is sent before dial has returned, and everything may have been sent after.
func (a *AMS) dial(ctx context.Context) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, a.conf.DialTimeout)
	defer cancel()
	dialer := &net.Dialer{KeepAlive: -1}
	address := net.JoinHostPort(a.portal.Hostname(), port(a.portal))
	if a.portal.Scheme != "https" {
		return dialer.DialContext(ctx, "tcp", address)
	}
	conf := a.tls.Clone()
	conf.ServerName = a.portal.Hostname()
	conf.NextProtos = []string{"http/1.1"}
	return (&tls.Dialer{NetDialer: dialer, Config: conf}).DialContext(ctx, "tcp", address)
}

func port(u *url.URL) string {
	if p := u.Port(); p != "" {
		return p
	}
	if u.Scheme == "https" {
		return "443"
	}
	return "80"
}

// exchange writes the request and reads its answer, in this goroutine. From the first line on the server may act.
func exchange(ctx context.Context, conn net.Conn, req *http.Request, within time.Duration, hide ...string) Outcome {
	_ = conn.SetDeadline(time.Now().Add(within))
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()

	if err := req.Write(conn); err != nil {
		return uncertain(err)
	}
	got, challenge, err := readAnswer(conn, req)
	if err != nil {
		return uncertain(err)
	}
	return judge(got, challenge, hide...)
}

func uncertain(err error) Outcome {
	o := Outcome{Kind: Uncertain, Message: "Sambungan ke AMS terputus setelah permintaan dikirim. Periksa di AMS apakah permintaan itu sudah dijalankan."}
	if errors.Is(cause(err), context.DeadlineExceeded) {
		o.Message = "AMS tidak menjawab dalam waktunya. Periksa di AMS apakah permintaan itu sudah dijalankan."
	}
	return o
}

// readAnswer reads the whole answer, at most maxAnswer bytes with its head. challenge reports a WWW-Authenticate header.
func readAnswer(conn net.Conn, req *http.Request) (got answer, challenge bool, err error) {
	r := bufio.NewReader(io.LimitReader(conn, maxAnswer))
	for range 5 { // 1xx answers before the real one (RFC 9110, section 15.2)
		resp, err := http.ReadResponse(r, req)
		if err != nil {
			return answer{}, false, err
		}
		if resp.StatusCode >= 100 && resp.StatusCode < 200 && resp.StatusCode != http.StatusSwitchingProtocols {
			continue
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		return answer{resp.StatusCode, body, credentials(req)}, resp.Header.Get("WWW-Authenticate") != "", err
	}
	return answer{}, false, errors.New("too many interim answers")
}

// judge decides what an answer proves. Refused needs proof that the portal didn't act:
//
//   - success false: the portal's own word.
//   - 401: the request "has not been applied" (RFC 9110, section 15.5.2), if it comes as a challenge or as the portal's JSON.
//   - 400, 404, 422 with words in JSON: the portal looked at the request and found it wrong ("Serial number sertifikat tidak valid").
//   - 403 without success false proves nothing: a firewall that inspects answers sends it after the portal has acted.
//
// A page in HTML, a redirect, a 5xx, and whatever else isn't in the contract prove nothing either.
func judge(got answer, challenge bool, hide ...string) Outcome {
	o := Outcome{Kind: Uncertain, Status: got.status, Message: "Jawaban AMS tidak dapat dipastikan artinya. Periksa di AMS apakah permintaan itu sudah dijalankan."}
	body, isObject := object(got.body)
	words := got.words(body, hide...)
	success := verdictOf(body)
	refuse := func() Outcome {
		o.Kind, o.Message = Refused, firstOf(words, "AMS menolak permintaan tanpa alasan.")
		return o
	}
	switch {
	case got.status == http.StatusUnauthorized && success != yes && (challenge || isObject && words != ""):
		o.SessionEnded = true
		words = firstOf(words, "Sesi AMS telah berakhir.")
		return refuse()
	case !isObject || success == odd:
	case got.status >= 200 && got.status < 300:
		if success == no {
			return refuse()
		}
		if success == yes || !failed(body) {
			o.Kind, o.Message = Accepted, firstOf(words, "AMS menerima permintaan ini.")
		}
	case got.status == http.StatusBadRequest, got.status == http.StatusNotFound, got.status == http.StatusUnprocessableEntity:
		if success != yes && (words != "" || success == no) {
			return refuse()
		}
	case got.status == http.StatusForbidden && success == no:
		return refuse()
	}
	return o
}

// verdict is the member "success": absent or null, true, false, or something odd.
type verdict int

const (
	silent verdict = iota
	yes
	no
	odd
)

func verdictOf(o map[string]json.RawMessage) verdict {
	switch raw := string(member(o, "success")); raw {
	case "", "null":
		return silent
	case "true":
		return yes
	case "false":
		return no
	}
	return odd
}

// failed reports an error beside a missing "success".
func failed(o map[string]json.RawMessage) bool {
	switch string(member(o, "error")) {
	case "", "null", "false", `""`:
		return false
	}
	return true
}
