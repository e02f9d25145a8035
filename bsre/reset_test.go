package bsre_test

import (
	"context"
	"crypto/x509"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"pulih/bsre"
	"pulih/internal/demo/bsresim"
)

// A session that no server gave: for servers that answer anything.
func lentSession(t *testing.T) bsre.Session {
	t.Helper()
	s, err := bsre.OpenSession([]byte(`{"a":"token-lent","r":"refresh-lent","e":"2199-01-01T00:00:00Z","x":"2199-01-01T00:00:00Z"}`))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

const someUID = "0b7a3c52-1111-4222-8333-944455566677"

func clientFor(t *testing.T, url string, edit ...func(*bsre.AMSConfig)) *bsre.AMS {
	t.Helper()
	conf := bsre.AMSConfig{BeIDURL: url, PortalURL: url, OperatorIP: "10.1.2.3"}
	for _, e := range edit {
		e(&conf)
	}
	a, err := bsre.NewAMS(conf)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func httpAnswer(status, extra, body string) string {
	return "HTTP/1.1 " + status + "\r\nContent-Type: application/json\r\nContent-Length: " + strconv.Itoa(len(body)) + "\r\n" + extra + "\r\n" + body
}

func TestWhatAnAnswerToAResetProves(t *testing.T) {
	t.Parallel()
	const (
		accepted  = bsre.Accepted
		refused   = bsre.Refused
		uncertain = bsre.Uncertain
	)
	for _, c := range []struct {
		name string
		raw  string
		want bsre.Kind
		ends bool   // SessionEnded
		says string // in the message
	}{
		{"success true", httpAnswer("200 OK", "", `{"success":true,"message":"Link terkirim"}`), accepted, false, "Link terkirim"},
		{"success not mentioned", httpAnswer("200 OK", "", `{"message":"Link terkirim"}`), accepted, false, ""},
		{"success null", httpAnswer("202 Accepted", "", `{"success":null}`), accepted, false, ""},
		{"after an interim answer", "HTTP/1.1 103 Early Hints\r\n\r\n" + httpAnswer("200 OK", "", `{"success":true}`), accepted, false, ""},
		{"chunked", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10\r\n{\"success\":true}\r\n0\r\n\r\n", accepted, false, ""},
		{"until close", "HTTP/1.0 200 OK\r\n\r\n{\"success\":true}", accepted, false, ""},

		{"success false", httpAnswer("200 OK", "", `{"success":false,"message":"Nomor telepon belum diverifikasi"}`), refused, false, "Nomor telepon belum"},
		{"success false without words", httpAnswer("200 OK", "", `{"success":false}`), refused, false, "tanpa alasan"},
		{"unknown serial", httpAnswer("404 Not Found", "", `{"message":"Serial number sertifikat tidak valid"}`), refused, false, "Serial number"},
		{"bad request with words", httpAnswer("400 Bad Request", "", `{"success":false,"message":"X-USER-IP wajib"}`), refused, false, "X-USER-IP"},
		{"forbidden by the portal's own word", httpAnswer("403 Forbidden", "", `{"success":false,"message":"Bukan instansi Anda"}`), refused, false, "Bukan"},
		{"token ran out, as JSON", httpAnswer("401 Unauthorized", "", `{"error":"invalid_token"}`), refused, true, "invalid_token"},
		{"token ran out, as a challenge", httpAnswer("401 Unauthorized", "WWW-Authenticate: Bearer error=\"invalid_token\"\r\n", ""), refused, true, "Sesi AMS"},

		{"success false with a server error", httpAnswer("500 Internal Server Error", "", `{"success":false,"message":"gagal"}`), uncertain, false, ""},
		{"success is a text", httpAnswer("200 OK", "", `{"success":"false"}`), uncertain, false, ""},
		{"success is a number", httpAnswer("200 OK", "", `{"success":0}`), uncertain, false, ""},
		{"an error beside no success", httpAnswer("200 OK", "", `{"error":"gagal"}`), uncertain, false, ""},
		{"no object", httpAnswer("200 OK", "", `[]`), uncertain, false, ""},
		{"null", httpAnswer("200 OK", "", `null`), uncertain, false, ""},
		{"a text", httpAnswer("200 OK", "", `"ok"`), uncertain, false, ""},
		{"two objects", httpAnswer("200 OK", "", `{"success":true}{"success":false}`), uncertain, false, ""},
		{"nothing", httpAnswer("204 No Content", "", ""), uncertain, false, ""},
		{"empty", httpAnswer("200 OK", "", ""), uncertain, false, ""},
		{"a page", httpAnswer("200 OK", "", "<html>Pemeliharaan</html>"), uncertain, false, ""},
		{"a firewall's page", httpAnswer("403 Forbidden", "", "<html>Blocked</html>"), uncertain, false, ""},
		{"forbidden in JSON by whom", httpAnswer("403 Forbidden", "", `{"message":"Blocked by policy"}`), uncertain, false, ""},
		{"a page for 401", httpAnswer("401 Unauthorized", "", "<html>Login</html>"), uncertain, false, ""},
		{"a page for 404", httpAnswer("404 Not Found", "", "<html>Not found</html>"), uncertain, false, ""},
		{"404 that claims success", httpAnswer("404 Not Found", "", `{"success":true,"message":"x"}`), uncertain, false, ""},
		{"redirect to the sign-in", httpAnswer("302 Found", "Location: /login\r\n", ""), uncertain, false, ""},
		{"request time-out", httpAnswer("408 Request Timeout", "", `{"message":"timeout"}`), uncertain, false, ""},
		{"conflict", httpAnswer("409 Conflict", "", `{"message":"sedang diproses"}`), uncertain, false, ""},
		{"too many", httpAnswer("429 Too Many Requests", "", `{"message":"terlalu banyak"}`), uncertain, false, ""},
		{"bad gateway", httpAnswer("502 Bad Gateway", "", ""), uncertain, false, ""},
		{"gateway time-out in JSON", httpAnswer("504 Gateway Timeout", "", `{"message":"upstream"}`), uncertain, false, ""},
		{"upgrade", "HTTP/1.1 101 Switching Protocols\r\n\r\n", uncertain, false, ""},
		{"interim answers without end", strings.Repeat("HTTP/1.1 103 Early Hints\r\n\r\n", 9), uncertain, false, ""},
		{"cut body", "HTTP/1.1 200 OK\r\nContent-Length: 40\r\n\r\n{\"success\":true}", uncertain, false, ""},
		{"cut chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10\r\n{\"success\":true}\r\n", uncertain, false, ""},
		{"no HTTP", "SSH-2.0-OpenSSH_9.9\r\n", uncertain, false, ""},
		{"head without end", "HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", 2<<20), uncertain, false, ""},
		{"body without end", "HTTP/1.1 200 OK\r\n\r\n{\"a\":\"" + strings.Repeat("x", 2<<20) + `"}`, uncertain, false, ""},
		{"silence", "", uncertain, false, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			server := newRawServer(t, func(*http.Request, int) (string, bool) { return c.raw, false })
			got := clientFor(t, server.url).Reset(t.Context(), lentSession(t), someUID, serial)
			if got.Kind != c.want || got.SessionEnded != c.ends || !strings.Contains(got.Message, c.says) {
				t.Errorf("%+v, want %s, ended %v, saying %q", got, c.want, c.ends, c.says)
			}
			if n := server.asks.Load(); n != 1 {
				t.Errorf("%d requests, want 1", n)
			}
		})
	}
}

func TestTheResetIsTheRequestOfTheContract(t *testing.T) {
	t.Parallel()
	var got *http.Request
	server := newRawServer(t, func(r *http.Request, _ int) (string, bool) {
		got = r
		return httpAnswer("200 OK", "", `{"success":true}`), false
	})
	a := clientFor(t, server.url+"/portal/")
	if o := a.Reset(t.Context(), lentSession(t), someUID, serial); o.Kind != bsre.Accepted {
		t.Fatalf("%+v", o)
	}
	if got.Method != "GET" || got.RequestURI != "/portal/api/rest/manage/cert/passphrase/reset/"+someUID+"/"+serial {
		t.Errorf("%s %s", got.Method, got.RequestURI)
	}
	for name, want := range map[string]string{"Authorization": "Bearer token-lent", "X-User-Ip": "10.1.2.3", "Expect": ""} {
		if v := got.Header.Get(name); v != want {
			t.Errorf("%s: %q, want %q", name, v, want)
		}
	}
	if !got.Close {
		t.Error("the connection is not given up after the call")
	}
}

// A server that answers the first request of a connection, then reads the second and closes: the way in which a kept-alive connection
// dies. net/http sends such a GET again by itself; a reset isn't sent again.
func TestNoLayerRepeatsAReset(t *testing.T) {
	t.Parallel()
	dying := func(t *testing.T) *rawServer {
		return newRawServer(t, func(r *http.Request, nth int) (string, bool) {
			if nth == 1 && !strings.Contains(r.URL.Path, "passphrase") || r.URL.Path == "/again" && nth == 1 {
				return httpAnswer("200 OK", "", `{"data":{"profile":{},"sertifikat":[]}}`), true
			}
			return "", false
		})
	}

	t.Run("net/http's client would", func(t *testing.T) {
		t.Parallel()
		server := dying(t)
		client := &http.Client{Transport: &http.Transport{}}
		for range 2 {
			resp, err := client.Get(server.url + "/again")
			if err != nil {
				t.Fatal(err)
			}
			_, _ = io.Copy(io.Discard, resp.Body) // only what was read to the end is kept alive
			resp.Body.Close()
		}
		client.CloseIdleConnections()
		if n := server.asks.Load(); n != 3 {
			t.Fatalf("two calls made %d requests; this test can't show a repetition", n)
		}
	})
	t.Run("ours does not", func(t *testing.T) {
		t.Parallel()
		server := dying(t)
		a, s := clientFor(t, server.url), lentSession(t)
		if _, err := a.Details(t.Context(), &s, someUID); err != nil {
			t.Fatal(err)
		}
		for range 3 {
			if o := a.Reset(t.Context(), s, someUID, serial); o.Kind != bsre.Uncertain {
				t.Fatalf("%+v", o)
			}
		}
		if asks, conns := server.asks.Load(), server.connections.Load(); asks != 4 || conns != 4 {
			t.Errorf("one reading and three resets made %d requests on %d connections, want 4 on 4", asks, conns)
		}
	})
}

func TestAResetThatCannotLeaveIsNotSent(t *testing.T) {
	t.Parallel()
	const closed = "http://127.0.0.77:9" // an ephemeral port that was closed may be somebody else's by now
	open := newRawServer(t, func(*http.Request, int) (string, bool) { return "", false })
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	ended, err := bsre.OpenSession([]byte(`{"a":"token-lent","r":"r","e":"2020-01-01T00:00:00Z","x":"2199-01-01T00:00:00Z"}`))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, url, uid, serial string
		ctx                    context.Context
		session                bsre.Session
		ends                   bool
	}{
		{"nobody listens", closed, someUID, serial, t.Context(), lentSession(t), false},
		{"cancelled before", open.url, someUID, serial, cancelled, lentSession(t), false},
		{"token known to be over", open.url, someUID, serial, t.Context(), ended, true},
		{"no session", open.url, someUID, serial, t.Context(), bsre.Session{}, true},
		{"a uuid instead of the serial", open.url, someUID, someUID, t.Context(), lentSession(t), false},
		{"no serial", open.url, someUID, "", t.Context(), lentSession(t), false},
		{"a path instead of the uid", open.url, "../x", serial, t.Context(), lentSession(t), false},
		{"no uid", open.url, "", serial, t.Context(), lentSession(t), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := clientFor(t, c.url).Reset(c.ctx, c.session, c.uid, c.serial)
			if o.Kind != bsre.NotSent || o.SessionEnded != c.ends || o.Message == "" {
				t.Errorf("%+v", o)
			}
		})
	}
	if n := open.asks.Load(); n != 0 {
		t.Errorf("%d requests arrived", n)
	}
}

func TestAResetOverTLS(t *testing.T) {
	t.Parallel()
	sim := bsresim.New(bsresim.Options{})
	server := quietTLS(t, sim)
	trusted := x509.NewCertPool()
	trusted.AddCert(server.Certificate())
	sim.AddOperator(operator, password)
	uid := sim.AddUser(applicant())
	trusting := clientFor(t, server.URL, func(c *bsre.AMSConfig) { c.RootCAs = trusted })
	session, err := trusting.SignIn(t.Context(), operator, password, sim.Code(operator))
	if err != nil {
		t.Fatal(err)
	}
	if o := clientFor(t, server.URL).Reset(t.Context(), session, uid, serial); o.Kind != bsre.NotSent {
		t.Errorf("to a server that isn't trusted: %+v", o)
	}
	plain := strings.Replace(server.URL, "https://", "http://", 1)
	if o := clientFor(t, plain).Reset(t.Context(), session, uid, serial); o.Kind != bsre.Uncertain {
		t.Errorf("plain HTTP to a TLS server: %+v", o)
	}
	if n := len(sim.Journal()); n != 0 {
		t.Fatalf("%d resets arrived", n)
	}
	if o := trusting.Reset(t.Context(), session, uid, serial); o.Kind != bsre.Accepted {
		t.Errorf("%+v", o)
	}
	if n := len(sim.Journal()); n != 1 {
		t.Errorf("%d resets arrived, want 1", n)
	}
}

// quietTLS is a TLS server that keeps the handshakes we let fail to itself.
func quietTLS(t *testing.T, h http.Handler) *httptest.Server {
	server := httptest.NewUnstartedServer(h)
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	t.Cleanup(server.Close)
	return server
}

func TestAResetIgnoresProxiesOfTheEnvironment(t *testing.T) {
	// 0.0.0.0 reaches this machine and isn't excluded from proxies, as loopback addresses are.
	server := quietTLS(t, http.NotFoundHandler())
	_, port, _ := net.SplitHostPort(strings.TrimPrefix(server.URL, "https://"))
	target := "https://0.0.0.0:" + port

	u, _ := url.Parse(target)
	if p, err := http.ProxyFromEnvironment(&http.Request{URL: u}); err != nil || p == nil {
		t.Fatalf("the environment names no proxy (%v): this test shows nothing", err)
	}
	before := envProxy.Load()
	a, s := clientFor(t, target), lentSession(t)
	if o := a.Reset(t.Context(), s, someUID, serial); o.Kind != bsre.NotSent {
		t.Errorf("%+v", o)
	}
	if _, err := a.Details(t.Context(), &s, someUID); err == nil {
		t.Error("details from a server that isn't trusted")
	}
	if n := envProxy.Load() - before; n != 0 {
		t.Errorf("the proxy got %d connections", n)
	}
}

func TestAResetThatIsCancelledOnTheWayIsUncertain(t *testing.T) {
	t.Parallel()
	arrived := make(chan struct{})
	release := make(chan struct{})
	server := newRawServer(t, func(*http.Request, int) (string, bool) {
		close(arrived)
		<-release
		return httpAnswer("200 OK", "", `{"success":true}`), false
	})
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-arrived; cancel() }()
	o := clientFor(t, server.url).Reset(ctx, lentSession(t), someUID, serial)
	close(release)
	if o.Kind != bsre.Uncertain {
		t.Errorf("%+v", o)
	}
}

func TestAResetThatIsNotAnsweredInTimeIsUncertain(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	server := newRawServer(t, func(*http.Request, int) (string, bool) { <-release; return "", false })
	a := clientFor(t, server.url, func(c *bsre.AMSConfig) { c.ResetTimeout = 50 * time.Millisecond })
	o := a.Reset(t.Context(), lentSession(t), someUID, serial)
	close(release)
	if o.Kind != bsre.Uncertain || !strings.Contains(o.Message, "tidak menjawab") {
		t.Errorf("%+v", o)
	}
}

// A request that is too long for the kernel's buffers breaks while it is written: what was written may be enough to be acted upon.
func TestAResetThatBreaksWhileItIsWrittenIsUncertain(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		_, _ = conn.Read(make([]byte, 1))
		_ = conn.(*net.TCPConn).SetLinger(0)
		_ = conn.Close()
	}()
	long, err := bsre.OpenSession([]byte(`{"a":"` + strings.Repeat("x", 8<<20) + `","r":"r","e":"2199-01-01T00:00:00Z","x":"2199-01-01T00:00:00Z"}`))
	if err != nil {
		t.Fatal(err)
	}
	if o := clientFor(t, "http://"+l.Addr().String()).Reset(t.Context(), long, someUID, serial); o.Kind != bsre.Uncertain {
		t.Errorf("%+v", o)
	}
}

// The exchange is cut at every byte of both directions, by an orderly close and by a TCP reset. Only the whole answer tells anything.
func TestAResetCutAtEveryByte(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name     string
		faults   bsresim.Fault
		whole    bsre.Kind
		executed bool
	}{
		{"accepted", bsresim.NoFault, bsre.Accepted, true},
		{"refused", bsresim.Refuse, bsre.Refused, false},
		{"session ended", bsresim.Unauthorized, bsre.Refused, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, bsresim.Options{Decide: func(call bsresim.Call, _ *http.Request) bsresim.Fault {
				if call == bsresim.CallReset {
					return c.faults
				}
				return bsresim.NoFault
			}})
			proxy := newCutProxy(t, strings.TrimPrefix(w.url, "http://"))
			a := w.client(proxy.url())
			w.now = w.now.Add(time.Minute)
			if o := a.Reset(t.Context(), w.sess, w.uid, serial); o.Kind != c.whole {
				t.Fatalf("uncut: %+v", o)
			}
			asked, answered := proxy.passed[0].Load(), proxy.passed[1].Load()
			if asked < 100 || answered < 100 {
				t.Fatalf("passed %d and %d bytes", asked, answered)
			}
			for _, reset := range []bool{false, true} {
				for at := range asked {
					proxy.cutAt(at, -1, reset)
					if o := a.Reset(t.Context(), w.sess, w.uid, serial); o.Kind != bsre.Uncertain {
						t.Fatalf("request cut after %d of %d bytes (reset %v): %+v", at, asked, reset, o)
					}
				}
			}
			if n := len(w.sim.Journal()); n != 1 {
				t.Fatalf("%d resets arrived of requests that were cut", n-1)
			}
			for _, reset := range []bool{false, true} {
				for at := range answered {
					proxy.cutAt(-1, at, reset)
					if o := a.Reset(t.Context(), w.sess, w.uid, serial); o.Kind != bsre.Uncertain {
						t.Fatalf("answer cut after %d of %d bytes (reset %v): %+v", at, answered, reset, o)
					}
				}
			}
			w.sim.Quiet()
			for _, e := range w.sim.Journal() {
				if e.Executed != c.executed {
					t.Fatalf("journal: %+v", e)
				}
			}
		})
	}
}
