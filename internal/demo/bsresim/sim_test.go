package bsresim_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"pulih/internal/demo/bsresim"
)

const (
	operator = "rini.wulandari"
	password = "sandi-contoh"
	serial   = "5A0B1C2D"
)

// town is a simulator behind a socket, spoken to in the contract's own words.
type town struct {
	t     *testing.T
	sim   *bsresim.Sim
	url   string
	now   time.Time
	uid   string
	token string
}

func newTown(t *testing.T, opt bsresim.Options) *town {
	t.Helper()
	w := &town{t: t, now: time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)}
	opt.Now = func() time.Time { return w.now }
	w.sim = bsresim.New(opt)
	server := httptest.NewServer(w.sim)
	t.Cleanup(func() { w.sim.Close(); server.Close() })
	w.url = server.URL
	w.sim.AddOperator(operator, password)
	w.uid = w.sim.AddUser(bsresim.User{
		NIK: "3303010101010001", Name: "Contoh", Email: "contoh@purbalinggakab.go.id", Phone: "081200000001",
		Certificates: []bsresim.Certificate{{Status: "ISSUE", Serial: serial, NotBefore: w.now.AddDate(-1, 0, 0), NotAfter: w.now.AddDate(1, 0, 0)}},
	})
	_, body := w.signIn(password, w.sim.Code(operator))
	w.token = field(body, "access_token")
	return w
}

// field reads a text member of flat JSON.
func field(body, name string) string {
	_, rest, _ := strings.Cut(body, `"`+name+`":"`)
	value, _, _ := strings.Cut(rest, `"`)
	return value
}

func (w *town) signIn(secret, code string) (int, string) {
	w.t.Helper()
	return w.form(url.Values{"grant_type": {"password"}, "client_id": {"ams"}, "scope": {"openid"}, "username": {operator}, "password": {secret}, "totp": {code}})
}

func (w *town) form(v url.Values) (int, string) {
	w.t.Helper()
	resp, err := http.PostForm(w.url+"/realms/external-service/protocol/openid-connect/token", v)
	if err != nil {
		w.t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, _ := io.ReadAll(resp.Body)
	return resp.StatusCode, string(raw)
}

// try makes a portal call.
func (w *town) try(method, path, body string) (int, string, error) {
	req, err := http.NewRequestWithContext(w.t.Context(), method, w.url+path, strings.NewReader(body))
	if err != nil {
		return 0, "", err
	}
	req.Header.Set("Authorization", "Bearer "+w.token)
	req.Header.Set("X-USER-IP", "10.0.0.1")
	resp, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(req)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(raw), err
}

func (w *town) reset(uid, number string) (int, string, error) {
	return w.try("GET", "/api/rest/manage/cert/passphrase/reset/"+uid+"/"+number, "")
}

func TestAOneTimeCodeWorksOnce(t *testing.T) {
	t.Parallel()
	w := newTown(t, bsresim.Options{})
	code := w.sim.Code(operator)
	if status, _ := w.signIn("salah", code); status != 401 {
		t.Errorf("wrong password: %d", status)
	}
	if status, _ := w.signIn(password, code); status != 200 {
		t.Errorf("right: %d", status)
	}
	if status, _ := w.signIn(password, code); status != 401 {
		t.Errorf("the code again: %d", status)
	}
	old := w.sim.Code(operator)
	w.now = w.now.Add(5 * time.Minute)
	if status, _ := w.signIn(password, old); status != 401 {
		t.Errorf("a code of 5 minutes ago: %d", status)
	}
	if status, _ := w.signIn(password, w.sim.Code(operator)); status != 200 {
		t.Error("a new code doesn't work")
	}
}

func TestSessionsExpireAndIdleOut(t *testing.T) {
	t.Parallel()
	w := newTown(t, bsresim.Options{})
	details := "/api/rest/manage/user/details/" + w.uid
	_, body := w.signIn(password, w.sim.Code(operator))
	w.token = field(body, "access_token")
	refresh := url.Values{"grant_type": {"refresh_token"}, "client_id": {"ams"}, "refresh_token": {field(body, "refresh_token")}}
	if status, _, _ := w.try("GET", details, ""); status != 200 {
		t.Fatalf("fresh: %d", status)
	}
	w.now = w.now.Add(5 * time.Minute)
	if status, _, _ := w.try("GET", details, ""); status != 401 {
		t.Errorf("after the token's life: %d", status)
	}
	status, body := w.form(refresh)
	if status != 200 {
		t.Fatalf("refresh: %d", status)
	}
	if status, _ := w.form(refresh); status != 401 {
		t.Errorf("the same refresh token again: %d", status)
	}
	w.token = field(body, "access_token")
	if status, _, _ := w.try("GET", details, ""); status != 200 {
		t.Errorf("refreshed: %d", status)
	}
	refresh.Set("refresh_token", field(body, "refresh_token"))
	w.now = w.now.Add(12 * time.Hour)
	if status, _ := w.form(refresh); status != 401 {
		t.Errorf("after 12 h idle: %d", status)
	}
}

func TestThePortalsRefusals(t *testing.T) {
	t.Parallel()
	w := newTown(t, bsresim.Options{})
	u, _ := w.sim.User(w.uid)
	expect := func(name string, uid, number string, status int, says string) {
		t.Helper()
		got, body, err := w.reset(uid, number)
		if err != nil || got != status || !strings.Contains(body, says) {
			t.Errorf("%s: %d %s, %v", name, got, body, err)
		}
	}
	expect("the certificate's uuid", w.uid, u.Certificates[0].ID, 404, "Serial number sertifikat tidak valid")
	expect("nobody", "x", serial, 404, "User tidak ditemukan")
	w.sim.Change(w.uid, func(u *bsresim.User) { u.PhoneUnverified = true })
	expect("phone", w.uid, serial, 200, `"success":false`)
	w.sim.ConfirmPhone(w.uid)
	w.sim.Change(w.uid, func(u *bsresim.User) { u.Certificates[0].Status = "REVOKE" })
	expect("revoked", w.uid, serial, 200, `"success":false`)
	w.sim.Change(w.uid, func(u *bsresim.User) { u.Certificates[0].Status = "ISSUE" })
	expect("in lower case", w.uid, strings.ToLower(serial), 200, `"success":true`)
	for _, e := range w.sim.Journal() {
		if e.Executed != (e.N == 5) || e.By != operator {
			t.Errorf("journal: %+v", e)
		}
	}
	w.token = "made-up"
	expect("a made-up token", w.uid, serial, 401, "invalid_token")
}

// A second reset kills the link of the first: the harm that exactly one reset avoids.
func TestASecondResetKillsTheFirstLink(t *testing.T) {
	t.Parallel()
	var mailed int
	w := newTown(t, bsresim.Options{LinkDelay: time.Minute, IssueDelay: time.Hour, NewCertificate: true, OnLink: func(bsresim.Link) { mailed++ }})
	reset := func() {
		if status, _, err := w.reset(w.uid, serial); status != 200 || err != nil {
			t.Fatalf("%d, %v", status, err)
		}
	}
	reset()
	w.now = w.now.Add(time.Minute)
	w.sim.Tick()
	reset()
	if err := w.sim.SetPassphrase(w.uid); !errors.Is(err, bsresim.ErrNoLink) {
		t.Errorf("the first link: %v", err)
	}
	w.now = w.now.Add(time.Minute)
	w.sim.Tick()
	if err := w.sim.SetPassphrase(w.uid); err != nil || mailed != 2 {
		t.Errorf("the second link: %v, %d mails", err, mailed)
	}
	if err := w.sim.SetPassphrase(w.uid); !errors.Is(err, bsresim.ErrNoLink) {
		t.Errorf("a link twice: %v", err)
	}
	if u, _ := w.sim.User(w.uid); len(u.Certificates) != 1 {
		t.Error("issued before its time")
	}
	w.now = w.now.Add(time.Hour)
	if u, _ := w.sim.UserByEmail("CONTOH@purbalinggakab.go.id"); len(u.Certificates) != 2 || u.Certificates[1].Status != "ISSUE" || u.Certificates[0].Status != "REVOKE" {
		t.Errorf("%+v", u.Certificates)
	}
}

// Each fault shows the client what it says, and the journal knows whether BSrE acted.
func TestFaults(t *testing.T) {
	t.Parallel()
	for fault, want := range map[bsresim.Fault]struct {
		status   int
		broken   bool // the exchange fails
		executed bool
	}{
		bsresim.NoFault: {200, false, true}, bsresim.Ambiguous: {200, false, true},
		bsresim.DropBefore: {0, true, false}, bsresim.DropAfter: {0, true, true},
		bsresim.CloseBefore: {0, true, false}, bsresim.CloseAfter: {0, true, true},
		bsresim.ErrorBefore: {502, false, false}, bsresim.ErrorAfter: {500, false, true},
		bsresim.HTMLBefore: {200, false, false}, bsresim.HTMLAfter: {200, false, true}, bsresim.BlockedAfter: {403, false, true},
		bsresim.CutBody: {200, true, true}, bsresim.CutChunk: {200, true, true},
		bsresim.Redirect: {302, false, false}, bsresim.Refuse: {200, false, false}, bsresim.Unauthorized: {401, false, false},
	} {
		t.Run(string(fault), func(t *testing.T) {
			t.Parallel()
			w := newTown(t, bsresim.Options{})
			w.sim.Script(bsresim.CallReset, fault)
			status, _, err := w.reset(w.uid, serial)
			w.sim.Quiet()
			j := w.sim.Journal()
			if status != want.status || (err != nil) != want.broken || len(j) != 1 || j[0].Executed != want.executed {
				t.Errorf("%d, %v, journal %+v", status, err, j)
			}
			if status, _, err := w.reset(w.uid, serial); status != 200 || err != nil {
				t.Errorf("the next call: %d, %v", status, err)
			}
		})
	}
	for fault, executed := range map[bsresim.Fault]bool{bsresim.HangBefore: false, bsresim.HangAfter: true, bsresim.HangThenAct: true} {
		t.Run(string(fault), func(t *testing.T) {
			t.Parallel()
			w := newTown(t, bsresim.Options{})
			w.sim.Script(bsresim.CallReset, fault)
			failed := make(chan error)
			go func() { _, _, err := w.reset(w.uid, serial); failed <- err }()
			w.sim.AwaitCalls(bsresim.CallReset, 1)
			w.sim.Close()
			if err := <-failed; err == nil {
				t.Error("an answer came")
			}
			w.sim.Quiet()
			if j := w.sim.Journal(); len(j) != 1 || j[0].Executed != executed {
				t.Errorf("journal %+v", j)
			}
		})
	}
}

func TestTwoDaemonsAtOnce(t *testing.T) {
	t.Parallel()
	w := newTown(t, bsresim.Options{})
	const each = 25
	var wg sync.WaitGroup
	for daemon := range 2 {
		wg.Go(func() {
			for i := range each {
				uid := w.sim.AddUser(bsresim.User{Email: fmt.Sprintf("p%d-%d@contoh.go.id", daemon, i), Certificates: []bsresim.Certificate{{Status: "ISSUE", Serial: serial}}})
				if status, _, err := w.reset(uid, serial); status != 200 || err != nil {
					t.Errorf("%d, %v", status, err)
				}
			}
		})
	}
	wg.Wait()
	seen := map[int]bool{}
	for _, e := range w.sim.Journal() {
		seen[e.N] = e.Executed
	}
	if len(seen) != 2*each {
		t.Errorf("%d entries, want %d", len(seen), 2*each)
	}
}
