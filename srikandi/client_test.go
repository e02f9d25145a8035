package srikandi_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pulih/internal/demo/srikandisim"
	"pulih/internal/letter"
	"pulih/srikandi"
)

// calls are the contract's calls, each made on a letter with an attachment and a disposition.
var calls = []struct {
	route srikandisim.Route
	make  func(t *testing.T, w *world, id, disposition string) error
}{
	{srikandisim.List, func(t *testing.T, w *world, _, _ string) error {
		_, err := w.client.List(t.Context(), srikandi.Query{})
		return err
	}},
	{srikandisim.Whole, func(t *testing.T, w *world, id, _ string) error {
		n, err := w.client.Letter(t.Context(), id)
		if err == nil && n.ID != id {
			t.Errorf("got letter %q", n.ID)
		}
		return err
	}},
	{srikandisim.Attachment, func(t *testing.T, w *world, id, _ string) error {
		l := permohonan("7").Files[0]
		var got bytes.Buffer
		err := w.client.Attachment(t.Context(), id, srikandi.Lampiran{ID: "l-1", MIME: l.MIME, Size: int64(len(l.Data))}, &got, 1<<20)
		if err == nil && !bytes.Equal(got.Bytes(), l.Data) {
			t.Errorf("got %d other bytes and no error", got.Len())
		}
		return err
	}},
	{srikandisim.Follow, func(t *testing.T, w *world, id, d string) error {
		_, err := w.client.FollowUp(t.Context(), id, "kunci-1", srikandi.FollowUp{DispositionID: d, Status: srikandi.StatusDone})
		return err
	}},
	{srikandisim.Register, func(t *testing.T, w *world, _, _ string) error {
		_, err := w.client.Register(t.Context(), "kunci-2", srikandi.NewNaskah{Number: "8"}, []letter.File{{Name: "a.pdf", Data: []byte("x")}})
		return err
	}},
}

// Every fault alone, at every call: the client says "temporary" and nothing worse, and the next call succeeds. What was to be written is
// written once. (net/http itself repeats a call whose kept-alive connection died without an answer; the key makes that safe.)
func TestEachFaultIsTemporaryAndTheNextCallSucceeds(t *testing.T) {
	t.Parallel()
	faults := []srikandisim.Fault{srikandisim.TooMany, srikandisim.Unavailable, srikandisim.Internal, srikandisim.BadGateway, srikandisim.HTML,
		srikandisim.LostPage, srikandisim.Empty, srikandisim.Drop, srikandisim.Cut, srikandisim.Lost}
	for _, call := range calls {
		for _, fault := range faults {
			t.Run(fmt.Sprintf("%s/%s", call.route, fault), func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, srikandisim.Options{})
				id := w.sim.AddLetter(permohonan("7"))
				d := w.sim.Dispose(id, srikandisim.Disposition{From: staff("kadin"), To: to("kabid")})
				w.sim.Inject(call.route, fault)
				err := call.make(t, w, id, d)
				var temporary *srikandi.Temporary
				repeated := err == nil && (fault == srikandisim.Drop || fault == srikandisim.Lost)
				if !repeated && !errors.As(err, &temporary) {
					t.Fatalf("error is %v, want a temporary one", err)
				}
				if err := call.make(t, w, id, d); err != nil {
					t.Fatalf("the next call: %v", err)
				}
				j := w.sim.Journal()
				accepted := 0
				for _, f := range j.FollowUps {
					if !f.Replay {
						accepted++
					}
				}
				for _, r := range j.Registrations {
					if !r.Replay {
						accepted++
					}
				}
				if writes := call.route == srikandisim.Follow || call.route == srikandisim.Register; writes && accepted != 1 {
					t.Errorf("written %d times", accepted)
				}
			})
		}
	}
}

func TestRefusedTokenIsRenewedOnce(t *testing.T) {
	t.Parallel()
	for _, call := range calls {
		t.Run(string(call.route), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, srikandisim.Options{})
			id := w.sim.AddLetter(permohonan("7"))
			d := w.sim.Dispose(id, srikandisim.Disposition{From: staff("kadin"), To: to("kabid")})
			if err := call.make(t, w, id, d); err != nil {
				t.Fatal(err)
			}
			w.sim.RevokeTokens()
			if err := call.make(t, w, id, d); err != nil {
				t.Fatalf("after the token was refused: %v", err)
			}
			if tokens := w.sim.Journal().Tokens; len(tokens) != 2 {
				t.Errorf("%d tokens taken, want 2", len(tokens))
			}
		})
	}
}

func TestTokenIsRenewedBeforeItRunsOut(t *testing.T) {
	t.Parallel()
	w := newWorld(t, srikandisim.Options{TokenLife: time.Hour})
	for range 5 {
		if _, err := w.client.List(t.Context(), srikandi.Query{}); err != nil {
			t.Fatal(err)
		}
		w.Advance(59*time.Minute + 45*time.Second)
	}
	j := w.sim.Journal()
	if len(j.Tokens) != 5 || j.Calls[srikandisim.List] != 5 {
		t.Errorf("%d tokens for %d lists, want 5 for 5: a token was used that had run out", len(j.Tokens), j.Calls[srikandisim.List])
	}
}

// Srikandi restricts accounts that try again and again: one refused round, then quiet, however many callers there are.
func TestNoLoginLoop(t *testing.T) {
	t.Parallel()
	refusals := map[string]func(w *world){
		"the token endpoint refuses": func(w *world) { w.sim.RefuseSignIn(true) },
		"new tokens are refused too": func(w *world) {
			for range 500 {
				w.sim.Inject(srikandisim.List, srikandisim.Unauthorized)
			}
		},
	}
	for name, refuse := range refusals {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, srikandisim.Options{})
			list := func() error { _, err := w.client.List(t.Context(), srikandi.Query{}); return err }
			if err := list(); err != nil {
				t.Fatal(err)
			}
			refuse(w)
			tokens := func() int { return len(w.sim.Journal().Tokens) }
			calls := func() int {
				n := 0
				for _, c := range w.sim.Journal().Calls {
					n += c
				}
				return n
			}
			before := tokens()
			var group sync.WaitGroup
			for range 8 {
				group.Go(func() {
					for range 20 {
						if err := list(); !errors.Is(err, srikandi.ErrSignIn) {
							t.Errorf("error is %v, want ErrSignIn", err)
						}
					}
				})
			}
			group.Wait()
			if took := tokens() - before; took < 1 || took > 2 {
				t.Errorf("%d sign-ins in the refused round, want one, or two where callers met", took)
			}
			if since, until, refused := w.client.SignInRefused(); !refused || !since.Equal(w.Now()) || until.Sub(since) != 12*time.Hour {
				t.Errorf("SignInRefused is %v %v %v", since, until, refused)
			}
			quiet := calls()
			w.Advance(11 * time.Hour)
			is(t, list(), srikandi.ErrSignIn)
			if calls() != quiet {
				t.Error("the gateway was called while the client should rest")
			}
			w.Advance(2 * time.Hour)
			round := tokens()
			for range 20 {
				is(t, list(), srikandi.ErrSignIn)
			}
			if took := tokens() - round; took < 1 || took > 2 {
				t.Errorf("%d sign-ins after the rest, want a token and at most one more", took)
			}
			w.client.Retry()
			is(t, list(), srikandi.ErrSignIn)
			if took := tokens() - round; took < 2 || took > 4 {
				t.Errorf("%d sign-ins after the rest and the operator's retry", took)
			}
		})
	}
}

// Callers that meet refusals one after the other, each while the one before is still trying, take no more than two tokens together.
func TestCallersInARowAreNoLoginLoop(t *testing.T) {
	t.Parallel()
	var tokens, calls atomic.Int32
	held, release := make(chan struct{}, 100), make(chan struct{})
	gateway := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/oauth/token" {
			fmt.Fprintf(rw, `{"access_token":"t%d","expires_in":3600}`, tokens.Add(1))
			return
		}
		if calls.Add(1)%2 == 0 { // a second try
			held <- struct{}{}
			<-release
		}
		rw.WriteHeader(http.StatusUnauthorized)
	}))
	defer gateway.Close()
	client := newClient(t, gateway.URL, time.Now)
	var group sync.WaitGroup
	for range 6 {
		done := make(chan struct{})
		group.Go(func() {
			defer close(done)
			if _, err := client.List(t.Context(), srikandi.Query{}); !errors.Is(err, srikandi.ErrSignIn) {
				t.Errorf("error is %v, want ErrSignIn", err)
			}
		})
		select {
		case <-held:
		case <-done:
		}
	}
	close(release)
	group.Wait()
	if n := tokens.Load(); n != 2 {
		t.Errorf("%d sign-ins, want 2", n)
	}
}

func TestSignInWorksAgainAfterTheOperatorLooked(t *testing.T) {
	t.Parallel()
	w := newWorld(t, srikandisim.Options{})
	w.sim.RefuseSignIn(true)
	_, err := w.client.List(t.Context(), srikandi.Query{})
	is(t, err, srikandi.ErrSignIn)
	w.sim.RefuseSignIn(false)
	_, err = w.client.List(t.Context(), srikandi.Query{})
	is(t, err, srikandi.ErrSignIn)
	w.client.Retry()
	if _, err = w.client.List(t.Context(), srikandi.Query{}); err != nil {
		t.Fatal(err)
	}
	if _, _, refused := w.client.SignInRefused(); refused {
		t.Error("still said to be refused")
	}
}

// A refusal outlives a restart: a daemon that starts again and again is a login loop too.
func TestRefusalOutlivesARestart(t *testing.T) {
	t.Parallel()
	w := newWorld(t, srikandisim.Options{})
	again := newClient(t, w.server.URL, w.Now, func(c *srikandi.ClientConfig) { c.RefusedAt = w.Now().Add(-time.Hour) })
	_, err := again.List(t.Context(), srikandi.Query{})
	is(t, err, srikandi.ErrSignIn)
	if n := len(w.sim.Journal().Tokens); n != 0 {
		t.Errorf("%d sign-ins", n)
	}
}

// A token endpoint in trouble is no refusal.
func TestTokenEndpointInTroubleIsTemporary(t *testing.T) {
	t.Parallel()
	for _, fault := range []srikandisim.Fault{srikandisim.TooMany, srikandisim.Unavailable, srikandisim.Internal, srikandisim.HTML, srikandisim.LostPage,
		srikandisim.Empty, srikandisim.Drop, srikandisim.Cut, srikandisim.Lost} {
		w := newWorld(t, srikandisim.Options{})
		w.sim.Inject(srikandisim.Token, fault)
		_, err := w.client.List(t.Context(), srikandi.Query{})
		var temporary *srikandi.Temporary
		if !errors.As(err, &temporary) || errors.Is(err, srikandi.ErrSignIn) {
			t.Errorf("%s: error is %v", fault, err)
		}
		if _, err := w.client.List(t.Context(), srikandi.Query{}); err != nil {
			t.Errorf("%s: afterwards: %v", fault, err)
		}
	}
}

func TestAskedToWait(t *testing.T) {
	t.Parallel()
	for _, fault := range []srikandisim.Fault{srikandisim.TooMany, srikandisim.Unavailable} {
		w := newWorld(t, srikandisim.Options{})
		w.sim.SetFaults(srikandisim.Faults{RetryAfter: 90 * time.Second})
		w.sim.Inject(srikandisim.List, fault)
		_, err := w.client.List(t.Context(), srikandi.Query{})
		var temporary *srikandi.Temporary
		if !errors.As(err, &temporary) || temporary.RetryAfter != 90*time.Second {
			t.Fatalf("%s: error is %v", fault, err)
		}
		w.Advance(60 * time.Second)
		_, err = w.client.Letter(t.Context(), "nm-1")
		if !errors.As(err, &temporary) || temporary.RetryAfter != 30*time.Second {
			t.Errorf("%s: another caller waits %v", fault, err)
		}
		if n := w.sim.Journal().Calls[srikandisim.Whole]; n != 0 {
			t.Errorf("%s: the gateway was called %d times while it asked to wait", fault, n)
		}
		w.Advance(30 * time.Second)
		if _, err := w.client.List(t.Context(), srikandi.Query{}); err != nil {
			t.Errorf("%s: after the wait: %v", fault, err)
		}
	}
}

func TestRetryAfterAsDate(t *testing.T) {
	t.Parallel()
	w := newWorld(t, srikandisim.Options{})
	gateway := answering(t, func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Retry-After", w.Now().Add(2*time.Minute).UTC().Format(http.TimeFormat))
		rw.WriteHeader(http.StatusServiceUnavailable)
	})
	_, err := newClient(t, gateway, w.Now).List(t.Context(), srikandi.Query{})
	var temporary *srikandi.Temporary
	if !errors.As(err, &temporary) || temporary.RetryAfter != 2*time.Minute {
		t.Errorf("error is %#v", err)
	}
}

func TestBreakerLeavesABrokenGatewayAlone(t *testing.T) {
	t.Parallel()
	w := newWorld(t, srikandisim.Options{}, func(c *srikandi.ClientConfig) { c.BreakFor = time.Hour })
	w.sim.SetOutage(true)
	for range 50 {
		if _, err := w.client.List(t.Context(), srikandi.Query{}); err == nil {
			t.Fatal("no error in an outage")
		}
	}
	_, err := w.client.List(t.Context(), srikandi.Query{})
	is(t, err, srikandi.ErrOpen)
	if n := w.sim.Journal().Calls[srikandisim.Token]; n != 5 {
		t.Errorf("%d calls reached the broken gateway, want 5", n)
	}
}

func TestMissingLettersDontOpenTheBreaker(t *testing.T) {
	t.Parallel()
	w := newWorld(t, srikandisim.Options{}, func(c *srikandi.ClientConfig) { c.BreakFor = time.Hour })
	for range 20 {
		_, err := w.client.Letter(t.Context(), "nm-tidak-ada")
		is(t, err, srikandi.ErrGone)
	}
}

// A 404 from a proxy that lost its way must not make every letter look deleted.
func TestNotFoundIsBelievedOnlyFromTheGateway(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		listWorks bool
		body      string
		gone      bool
	}{
		"the gateway's own body":          {false, `{"error":{"code":"not_found","message":"x"}}`, true},
		"empty, and the list works":       {true, ``, true},
		"a page, and the list works":      {true, `<html>404</html>`, false},
		"another form, the list works":    {true, `{"detail":"Not Found"}`, true},
		"a page, and the list is 404 too": {false, `<html>404</html>`, false},
		"empty, and the list is 404 too":  {false, ``, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			gateway := answering(t, func(rw http.ResponseWriter, r *http.Request) {
				if c.listWorks && r.URL.Path == "/v1/naskah-masuk" {
					io.WriteString(rw, `{"data":[],"next_cursor":null}`)
					return
				}
				rw.WriteHeader(http.StatusNotFound)
				io.WriteString(rw, c.body)
			})
			client := newClient(t, gateway, time.Now)
			_, err := client.Letter(t.Context(), "nm-1")
			_, err2 := client.FollowUp(t.Context(), "nm-1", "k", srikandi.FollowUp{Status: srikandi.StatusDone})
			var temporary *srikandi.Temporary
			for _, err := range []error{err, err2} {
				if errors.Is(err, srikandi.ErrGone) != c.gone || errors.As(err, &temporary) == c.gone {
					t.Errorf("error is %v, gone should be %v", err, c.gone)
				}
			}
		})
	}
}

// A page with any 4xx is a proxy's, and says nothing of the letter or of the call: what was to be written is kept and tried again. The
// gateway's own word in JSON stands, and so does a proxy's that a call is too large, since it will be the next time.
func TestARefusalInHTMLIsAnOutage(t *testing.T) {
	t.Parallel()
	const page = "<!DOCTYPE html><title>Akses ditolak</title>"
	for _, c := range []struct {
		status int
		body   string
		want   string
	}{
		{400, page, "temporary"}, {403, page, "temporary"}, {404, page, "temporary"}, {405, page, "temporary"}, {409, page, "temporary"},
		{410, page, "temporary"}, {403, "Forbidden\n", "temporary"}, {404, `{"error":{"code":"not_fo`, "temporary"},
		{413, page, "refused"}, {403, `{"error":{"code":"forbidden"}}`, "refused"}, {400, ``, "refused"},
		{404, `{"error":{"code":"not_found"}}`, "gone"}, {410, ``, "gone"},
	} {
		gateway := answering(t, func(rw http.ResponseWriter, _ *http.Request) {
			rw.WriteHeader(c.status)
			io.WriteString(rw, c.body)
		})
		for _, call := range calls[1:] {
			err := call.make(t, &world{client: newClient(t, gateway, time.Now)}, "nm-1", "d-1")
			var temporary *srikandi.Temporary
			var refused *srikandi.Refused
			got := "neither"
			switch {
			case errors.As(err, &temporary):
				got = "temporary"
			case errors.As(err, &refused):
				got = "refused"
			case errors.Is(err, srikandi.ErrGone):
				got = "gone"
			}
			if got != c.want {
				t.Errorf("%s, %d %s: %s (%v), want %s", call.route, c.status, c.body, got, err, c.want)
			}
		}
	}
}

// A refused sign-in is refused in whatever form: a page is no reason to try again and again.
func TestARefusedSignInInHTMLIsNoLoginLoop(t *testing.T) {
	t.Parallel()
	for _, status := range []int{400, 401, 403} {
		var tokens atomic.Int32
		gateway := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
			tokens.Add(1)
			rw.WriteHeader(status)
			io.WriteString(rw, "<html>ditolak</html>")
		}))
		t.Cleanup(gateway.Close)
		client := newClient(t, gateway.URL, time.Now)
		for range 5 {
			_, err := client.List(t.Context(), srikandi.Query{})
			is(t, err, srikandi.ErrSignIn)
		}
		if n := tokens.Load(); n != 1 {
			t.Errorf("%d: %d sign-ins, want 1", status, n)
		}
	}
}

func TestOtherAnswers(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		status int
		body   string
		want   error
	}{
		{200, `{"error":{"code":"x"}}`, srikandi.ErrAnswer},
		{200, `[]`, srikandi.ErrAnswer},
		{200, `null`, srikandi.ErrAnswer},
		{200, `{"data":{}}`, srikandi.ErrAnswer},
		{200, `{"data":[]`, srikandi.ErrAnswer},
		{200, `{"data":null,"server_time":"2026-11-20T08:15:00+07:00"}`, nil},
		{200, `{"data":[],"next_cursor":null,"server_time":"entah"}`, nil},
		{204, ``, srikandi.ErrAnswer},
		{302, ``, srikandi.ErrAnswer},
		{501, ``, srikandi.ErrNotOffered},
		{504, `<html>`, srikandi.ErrAnswer},
		{200, `{"data":["` + strings.Repeat("a", 2000) + `"]}`, srikandi.ErrTooLarge},
	} {
		gateway := answering(t, func(rw http.ResponseWriter, _ *http.Request) {
			rw.Header().Set("Location", "https://sso.example/login")
			rw.WriteHeader(c.status)
			io.WriteString(rw, c.body)
		})
		client := newClient(t, gateway, time.Now, func(c *srikandi.ClientConfig) { c.MaxAnswer = 1000 })
		if _, err := client.List(t.Context(), srikandi.Query{}); !errors.Is(err, c.want) {
			t.Errorf("%d %.40s: error is %v, want %v", c.status, c.body, err, c.want)
		}
	}
	gateway := answering(t, func(rw http.ResponseWriter, _ *http.Request) {
		rw.WriteHeader(http.StatusUnprocessableEntity)
		io.WriteString(rw, `{"error":{"code":"invalid_status"}}`)
	})
	_, err := newClient(t, gateway, time.Now).List(t.Context(), srikandi.Query{})
	var refused *srikandi.Refused
	if !errors.As(err, &refused) || refused.Status != 422 || refused.Code != "invalid_status" {
		t.Errorf("error is %v", err)
	}
}

// What a stranger's answer or URL holds must not reach a log by way of an error.
func TestErrorsHoldNoSecrets(t *testing.T) {
	t.Parallel()
	const nip, passphrase = "199008082015032005", "Kata5andi#Rahasia"
	bodies := []string{
		fmt.Sprintf(`{"error":{"code":"%s","message":"%s"}}`, nip, passphrase),
		fmt.Sprintf(`{"error":"%s %s"}`, nip, passphrase),
		fmt.Sprintf(`{"data":[{"id":"nm-1","updated_at":"%s","versi":"%s","nip":%s}],"next_cursor":{"a":"%s"}}`, passphrase, passphrase, nip, passphrase),
		fmt.Sprintf(`{"id":"nm-1","updated_at":"%s","versi":%s.5}`, passphrase, nip),
		fmt.Sprintf(`{"id":"nm-1","updated_at":"2026-11-20T08:00:00+07:00","versi":%s.5,"disposisi":[{"id":"%s","dikirim_pada":"%s"}]}`, nip, nip, passphrase),
		passphrase + nip,
		"<html>" + passphrase,
	}
	check := func(what string, err error) {
		t.Helper()
		text := fmt.Sprintf("%v %+v %#v", err, err, err)
		for _, secret := range []string{nip, passphrase, clientSecret, "tok-rahasia", "tanda-tangan"} {
			if strings.Contains(text, secret) {
				t.Errorf("%s: the error holds %q: %v", what, secret, err)
			}
		}
	}
	for _, body := range bodies {
		for _, status := range []int{200, 400, 403, 404, 409, 500} {
			gateway := answering(t, func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(status); io.WriteString(rw, body) })
			client := newClient(t, gateway, time.Now)
			page, err := client.List(t.Context(), srikandi.Query{})
			check("list", err)
			for _, bad := range page.Bad {
				check("bad row", bad.Err)
			}
			n, err := client.Letter(t.Context(), "nm-1")
			check("letter", err)
			check("flaws", errors.New(strings.Join(n.Flaws, " ")))
			_, err = client.FollowUp(t.Context(), "nm-1", "k", srikandi.FollowUp{})
			check("follow-up", err)
		}
	}
	// A line that isn't HTTP, and a redirect to a place that doesn't answer: net/http would quote both.
	dead := httptest.NewServer(http.NotFoundHandler())
	dead.Close()
	gateway := answering(t, func(rw http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.Path, "lampiran") {
			http.Redirect(rw, r, dead.URL+"/x?sig=tanda-tangan", http.StatusFound)
			return
		}
		conn, _, err := http.NewResponseController(rw).Hijack()
		if err == nil {
			io.WriteString(conn, passphrase+"\r\n\r\n")
			conn.Close()
		}
	})
	client := newClient(t, gateway, time.Now)
	_, err := client.List(t.Context(), srikandi.Query{})
	if err == nil {
		t.Error("nonsense was taken for an answer")
	}
	check("nonsense", err)
	err = client.Attachment(t.Context(), "nm-1", srikandi.Lampiran{ID: "l-1"}, io.Discard, 10)
	if err == nil {
		t.Error("a dead place was taken for an attachment")
	}
	check("redirect", err)
}

// A receipt that says little is a receipt: asking again for a better one would never end.
func TestThinReceipts(t *testing.T) {
	t.Parallel()
	gateway := answering(t, func(rw http.ResponseWriter, r *http.Request) {
		rw.WriteHeader(http.StatusCreated)
		if strings.HasSuffix(r.URL.Path, "tindak-lanjut") {
			io.WriteString(rw, `{"status":"selesai"}`)
			return
		}
		io.WriteString(rw, `{"id":"nm-77"}`)
	})
	client := newClient(t, gateway, time.Now)
	if got, err := client.FollowUp(t.Context(), "nm-1", "k", srikandi.FollowUp{Status: srikandi.StatusDone}); err != nil || got.Status != "selesai" {
		t.Errorf("follow-up: %+v, %v", got, err)
	}
	if got, err := client.Register(t.Context(), "k", srikandi.NewNaskah{}, nil); err != nil || got.ID != "nm-77" {
		t.Errorf("register: %s, %v", got.ID, err)
	}
}

func TestOnlySecureBaseURLs(t *testing.T) {
	t.Parallel()
	for url, ok := range map[string]bool{
		"https://gerbang.example.go.id":           true,
		"https://gerbang.example.go.id/srikandi/": true,
		"http://127.0.0.1:8080":                   true,
		"http://[::1]:8080":                       true,
		"http://localhost":                        true,
		"http://gerbang.example.go.id":            false,
		"http://10.0.0.1":                         false,
		"http://localhost.example":                false,
		"http://127.0.0.1.example":                false,
		"ftp://127.0.0.1":                         false,
		"gerbang.example.go.id":                   false,
		"https://user:pass@gerbang.example":       false,
		"https://gerbang.example/?a=b":            false,
		"":                                        false,
	} {
		_, err := srikandi.NewClient(srikandi.ClientConfig{BaseURL: url, ClientID: "a", ClientSecret: "b", Zone: wib, Now: time.Now})
		if (err == nil) != ok {
			t.Errorf("%q: %v", url, err)
		}
	}
}

func TestBasePathAndStrangeIDs(t *testing.T) {
	t.Parallel()
	var path atomic.Value
	gateway := answering(t, func(rw http.ResponseWriter, r *http.Request) {
		path.Store(r.URL.EscapedPath())
		io.WriteString(rw, `{"id":"nm/mdn 1?#%2e","updated_at":"2026-11-20T08:00:00+07:00"}`)
	})
	if _, err := newClient(t, gateway+"/gerbang/v7/", time.Now).Letter(t.Context(), "nm/mdn 1?#%2e"); err != nil {
		t.Error(err)
	}
	if got := path.Load(); got != "/gerbang/v7/v1/naskah-masuk/nm%2Fmdn%201%3F%23%252e" {
		t.Errorf("called %s", got)
	}
}

func TestAnotherLetterIsNoAnswer(t *testing.T) {
	t.Parallel()
	gateway := answering(t, func(rw http.ResponseWriter, _ *http.Request) {
		io.WriteString(rw, `{"id":"nm-2","updated_at":"2026-11-20T08:00:00+07:00"}`)
	})
	_, err := newClient(t, gateway, time.Now).Letter(t.Context(), "nm-1")
	is(t, err, srikandi.ErrAnswer)
}

// answering is a gateway that gives tokens and otherwise answers so.
func answering(t *testing.T, answer http.HandlerFunc) string {
	t.Helper()
	mux := http.NewServeMux()
	token := func(rw http.ResponseWriter, _ *http.Request) {
		io.WriteString(rw, `{"access_token":"tok-rahasia","token_type":"Bearer","expires_in":3600}`)
	}
	mux.HandleFunc("POST /oauth/token", token)
	mux.HandleFunc("POST /gerbang/v7/oauth/token", token)
	mux.HandleFunc("/", answer)
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s.URL
}
