package bsre_test

import (
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"pulih/bsre"
	"pulih/internal/demo/bsresim"
)

func TestAPersonIsFoundByEmailThenByNIK(t *testing.T) {
	t.Parallel()
	w := newWorld(t, bsresim.Options{})
	twin := applicant()
	twin.NIK, twin.Email = "3303010101010002", "kembar@purbalinggakab.go.id"
	w.sim.AddUser(twin)
	w.sim.AddUser(twin)
	for _, c := range []struct {
		name, email, nik string
		uid              string
		err              error
	}{
		{"by e-mail", email, nik, w.uid, nil},
		{"by e-mail in another case", strings.ToUpper(email), "", w.uid, nil},
		{"by NIK when the e-mail is another in AMS", "lama@purbalinggakab.go.id", nik, w.uid, nil},
		{"by NIK alone", "", nik, w.uid, nil},
		{"two by e-mail", twin.Email, nik, "", bsre.ErrAmbiguous},
		{"two by NIK", "lama@purbalinggakab.go.id", twin.NIK, "", bsre.ErrAmbiguous},
		{"nobody", "tak.ada@purbalinggakab.go.id", "3303010101010003", "", bsre.ErrNotFound},
		{"nothing known", "", "", "", bsre.ErrNotFound},
	} {
		uid, err := w.ams.Find(t.Context(), &w.sess, c.email, c.nik)
		if uid != c.uid || !errors.Is(err, c.err) {
			t.Errorf("%s: %q, %v", c.name, uid, err)
		}
	}
	w.sim.Script(bsresim.CallFind, bsresim.Ambiguous)
	if _, err := w.ams.Find(t.Context(), &w.sess, email, nik); !errors.Is(err, bsre.ErrAmbiguous) {
		t.Errorf("%v", err)
	}
}

func TestFindReadsOddRows(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, status, body string
		uid                string
		err                error
	}{
		{"one", "200 OK", `{"data":{"records":1,"aaData":[{"id":"u-1"}]}}`, "u-1", nil},
		{"records as text", "200 OK", `{"data":{"records":"1","aaData":[{"id":"u-1"}]}}`, "u-1", nil},
		{"no count", "200 OK", `{"data":{"aaData":[{"id":"u-1"}]}}`, "u-1", nil},
		{"more records than rows", "200 OK", `{"data":{"records":7,"aaData":[{"id":"u-1"}]}}`, "", bsre.ErrAmbiguous},
		{"more rows than records", "200 OK", `{"data":{"records":1,"aaData":[{"id":"u-1"},{"id":"u-1"}]}}`, "", bsre.ErrAmbiguous},
		{"none", "200 OK", `{"data":{"records":0,"aaData":[]}}`, "", bsre.ErrNotFound},
		{"none, as null", "200 OK", `{"data":{"records":0,"aaData":null}}`, "", bsre.ErrNotFound},
		{"a record without its row", "200 OK", `{"data":{"records":1,"aaData":[]}}`, "", bsre.ErrUnreadable},
		{"a row without an id", "200 OK", `{"data":{"records":1,"aaData":[{"id":null}]}}`, "", bsre.ErrUnreadable},
		{"an id that is a path", "200 OK", `{"data":{"records":1,"aaData":[{"id":"../../x"}]}}`, "", bsre.ErrUnreadable},
		{"no data", "200 OK", `{}`, "", bsre.ErrUnreadable},
		{"empty data", "200 OK", `{"data":{}}`, "", bsre.ErrUnreadable},
		{"a list", "200 OK", `[]`, "", bsre.ErrUnreadable},
		{"a page", "200 OK", `<html></html>`, "", bsre.ErrUnreadable},
		{"a redirect", "302 Found", ``, "", bsre.ErrUnreadable},
		{"502", "502 Bad Gateway", ``, "", bsre.ErrUnreadable},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			server := newRawServer(t, func(*http.Request, int) (string, bool) {
				return httpAnswer(c.status, "Location: /login\r\n", c.body), false
			})
			s := lentSession(t)
			uid, err := clientFor(t, server.url).Find(t.Context(), &s, email, "")
			if uid != c.uid || !errors.Is(err, c.err) {
				t.Errorf("%q, %v", uid, err)
			}
		})
	}
}

func TestDetailsWithBlanksAndBothKindsOfDates(t *testing.T) {
	t.Parallel()
	read := func(t *testing.T, body string) (bsre.Details, error) {
		server := newRawServer(t, func(*http.Request, int) (string, bool) { return httpAnswer("200 OK", "", body), false })
		s := lentSession(t)
		return clientFor(t, server.url).Details(t.Context(), &s, someUID)
	}
	d, err := read(t, `{"data":{"profile":{"nama":" Sulastri, S.Pd. ","emailAddress":"`+email+`","nik":`+nik+`,"nip":null,"phone":"","phoneVerified":"false"},
		"sertifikat":[
			{"id":"c1","status":"issue","serialNumber":"5a0b","notBeforeDate":"2025-03-01 08:00:00","notAfterDate":"2027-03-01T01:00:00Z"},
			{"id":"c2","status":null,"serialNumber":123,"notBeforeDate":"kemarin","notAfterDate":"2027-03-01T08:00:00.000+0700"},
			"rusak",{}]}}`)
	if err != nil {
		t.Fatal(err)
	}
	p := d.Profile
	if p.Name != "Sulastri, S.Pd." || p.NIK != nik || p.NIP != "" || !p.NeedsPhoneCheck || len(d.Certificates) != 4 {
		t.Errorf("profile %q %q %q %v, %d certificates", p.Name, p.NIK, p.NIP, p.NeedsPhoneCheck, len(d.Certificates))
	}
	first, second := d.Certificates[0], d.Certificates[1]
	if first.Status != bsre.Issue || !first.NotBefore.Equal(time.Date(2025, 3, 1, 1, 0, 0, 0, time.UTC)) || !first.NotAfter.Equal(time.Date(2027, 3, 1, 8, 0, 0, 0, bsre.WIB)) {
		t.Errorf("%v %v %v", first, first.NotBefore, first.NotAfter)
	}
	if second.Status != bsre.Unknown || second.Serial != "123" || !second.NotBefore.IsZero() || !second.NotAfter.Equal(first.NotAfter) {
		t.Errorf("%v %v %v", second, second.NotBefore, second.NotAfter)
	}
	for verified, needs := range map[string]bool{"true": false, "false": true, "null": false, `"0"`: true, `""`: false} {
		d, err := read(t, `{"data":{"profile":{"phoneVerified":`+verified+`}}}`)
		if err != nil || d.Profile.NeedsPhoneCheck != needs {
			t.Errorf("phoneVerified %s: %v, %v", verified, d.Profile.NeedsPhoneCheck, err)
		}
	}
	for _, body := range []string{`{}`, `{"data":{}}`, `{"data":{"profile":null,"sertifikat":[]}}`, `{"data":{"profile":[]}}`, `{"success":false}`, `{"data":{"profile":{`} {
		if _, err := read(t, body); !errors.Is(err, bsre.ErrUnreadable) {
			t.Errorf("%s: %v", body, err)
		}
	}
	var denied *bsre.Denied
	if _, err := read(t, `{"success":false,"message":"User tidak ditemukan"}`); !errors.As(err, &denied) || denied.Words != "User tidak ditemukan" {
		t.Errorf("%v", err)
	}
}

// On 401 a reading call refreshes and is repeated exactly once, and the caller gets the new session.
func TestAReadingCallRefreshesOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, bsresim.Options{})
	before := w.sess
	w.sim.Script(bsresim.CallDetails, bsresim.Unauthorized)
	if _, err := w.ams.Details(t.Context(), &w.sess, w.uid); err != nil {
		t.Fatal(err)
	}
	if calls := w.sim.Calls(); calls[bsresim.CallDetails] != 2 || calls[bsresim.CallToken] != 2 || w.sess == before {
		t.Errorf("calls %v, session renewed %v", calls, w.sess != before)
	}
	w.sim.Script(bsresim.CallDetails, bsresim.Unauthorized, bsresim.Unauthorized)
	if _, err := w.ams.Details(t.Context(), &w.sess, w.uid); !errors.Is(err, bsre.ErrSessionEnded) {
		t.Errorf("%v", err)
	}
	if calls := w.sim.Calls(); calls[bsresim.CallDetails] != 4 || calls[bsresim.CallToken] != 3 {
		t.Errorf("calls %v", calls)
	}
	w.sim.EndSessions()
	if _, err := w.ams.Find(t.Context(), &w.sess, email, nik); !errors.Is(err, bsre.ErrSessionEnded) {
		t.Errorf("%v", err)
	}
	if calls := w.sim.Calls(); calls[bsresim.CallFind] != 1 || calls[bsresim.CallToken] != 4 {
		t.Errorf("calls %v", calls)
	}
	if _, err := w.ams.Details(t.Context(), &bsre.Session{}, w.uid); !errors.Is(err, bsre.ErrSessionEnded) {
		t.Errorf("no session: %v", err)
	}
}

// A reset is never preceded by a refresh or followed by a repetition of its own.
func TestAResetNeverRefreshes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, bsresim.Options{})
	w.sim.Script(bsresim.CallReset, bsresim.Unauthorized)
	if o := w.ams.Reset(t.Context(), w.sess, w.uid, serial); o.Kind != bsre.Refused || !o.SessionEnded {
		t.Errorf("%+v", o)
	}
	if calls := w.sim.Calls(); calls[bsresim.CallReset] != 1 || calls[bsresim.CallToken] != 1 {
		t.Errorf("calls %v", calls)
	}
}

func TestASessionFromSignInToItsEnd(t *testing.T) {
	t.Parallel()
	w := newWorld(t, bsresim.Options{})
	var denied *bsre.Denied

	code := w.sim.Code(operator)
	if _, err := w.ams.SignIn(t.Context(), operator, "salah-sekali", code); !errors.As(err, &denied) || denied.Words != "Invalid user credentials" {
		t.Errorf("wrong password: %v", err)
	}
	s, err := w.ams.SignIn(t.Context(), operator, password, code)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.ams.SignIn(t.Context(), operator, password, code); !errors.As(err, &denied) {
		t.Errorf("a code used twice: %v", err)
	}
	if calls := w.sim.Calls(); calls[bsresim.CallToken] != 4 { // one in newWorld, three here: none was tried again
		t.Errorf("calls %v", calls)
	}

	if !s.ExpiresAt.Equal(w.now.Add(5*time.Minute)) || !s.RefreshExpiresAt.Equal(w.now.Add(12*time.Hour)) {
		t.Errorf("ends %v and %v", s.ExpiresAt, s.RefreshExpiresAt)
	}
	kept, err := bsre.OpenSession(s.Plain())
	if err != nil {
		t.Fatal(err)
	}
	w.now = w.now.Add(4*time.Minute + 30*time.Second)
	if err := w.ams.Fresh(t.Context(), &kept); err != nil || !kept.ExpiresAt.Equal(w.now.Add(5*time.Minute)) {
		t.Errorf("fresh: ends %v, %v", kept.ExpiresAt, err)
	}
	if err := w.ams.Fresh(t.Context(), &kept); err != nil || w.sim.Calls()[bsresim.CallToken] != 5 {
		t.Errorf("fresh although it is: %v", err)
	}
	if _, err := w.ams.Refresh(t.Context(), s); !errors.Is(err, bsre.ErrSessionEnded) {
		t.Errorf("with tokens of before: %v", err)
	}
	if !kept.Alive(w.now.Add(12*time.Hour-time.Second)) || kept.Alive(w.now.Add(12*time.Hour)) {
		t.Error("alive for another span than 12 h")
	}
	w.now = w.now.Add(12 * time.Hour)
	if err := w.ams.Fresh(t.Context(), &kept); !errors.Is(err, bsre.ErrSessionEnded) {
		t.Errorf("after 12 h idle: %v", err)
	}
	if (bsre.Session{}).Alive(w.now) {
		t.Error("no session is alive")
	}
	if _, err := bsre.OpenSession([]byte(`{"a":""}`)); err == nil {
		t.Error("opened a session without a token")
	}
}

func TestTokensAsBeIDWritesThem(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, status, body string
		err                error
		lives, rests       time.Duration
	}{
		{"usual", "200 OK", `{"access_token":"a","refresh_token":"r","expires_in":300,"refresh_expires_in":1800}`, nil, 5 * time.Minute, 30 * time.Minute},
		{"as texts", "200 OK", `{"access_token":"a","refresh_token":"r","expires_in":"300","refresh_expires_in":"1800"}`, nil, 5 * time.Minute, 30 * time.Minute},
		{"without ends", "200 OK", `{"access_token":"a","refresh_token":"r"}`, nil, time.Minute, 12 * time.Hour},
		{"never ending", "200 OK", `{"access_token":"a","refresh_token":"r","expires_in":60,"refresh_expires_in":0}`, nil, time.Minute, 12 * time.Hour},
		{"absurd ends", "200 OK", `{"access_token":"a","refresh_token":"r","expires_in":-5,"refresh_expires_in":1e300}`, nil, time.Minute, 12 * time.Hour},
		{"no token", "200 OK", `{"refresh_token":"r"}`, bsre.ErrUnreadable, 0, 0},
		{"a token with a line end", "200 OK", `{"access_token":"a\r\nX-Evil: 1"}`, bsre.ErrUnreadable, 0, 0},
		{"refused", "401 Unauthorized", `{"error":"invalid_grant","error_description":"Account disabled"}`, &bsre.Denied{}, 0, 0},
		{"refused with 400", "400 Bad Request", `{"error":"invalid_grant"}`, &bsre.Denied{}, 0, 0},
		{"a page for 401", "401 Unauthorized", `<html></html>`, bsre.ErrUnreadable, 0, 0},
		{"a page", "200 OK", `<html></html>`, bsre.ErrUnreadable, 0, 0},
		{"502", "502 Bad Gateway", ``, bsre.ErrUnreadable, 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			now := time.Date(2026, 11, 20, 9, 0, 0, 0, bsre.WIB)
			server := newRawServer(t, func(*http.Request, int) (string, bool) { return httpAnswer(c.status, "", c.body), false })
			a := clientFor(t, server.url, func(c *bsre.AMSConfig) { c.Now = func() time.Time { return now } })
			s, err := a.SignIn(t.Context(), operator, password, "123456")
			var denied *bsre.Denied
			switch {
			case errors.As(c.err, &denied):
				if !errors.As(err, &denied) {
					t.Errorf("%v", err)
				}
			case !errors.Is(err, c.err):
				t.Errorf("%v", err)
			case c.err == nil && (s.ExpiresAt.Sub(now) != c.lives || s.RefreshExpiresAt.Sub(now) != c.rests):
				t.Errorf("ends after %v and %v", s.ExpiresAt.Sub(now), s.RefreshExpiresAt.Sub(now))
			}
		})
	}
}

// A trouble at BeID while refreshing isn't the session's end: the caller keeps what it has and tries later.
func TestARefreshThatFailsForAWhileKeepsTheSession(t *testing.T) {
	t.Parallel()
	w := newWorld(t, bsresim.Options{})
	kept := w.sess
	w.sim.Script(bsresim.CallToken, bsresim.ErrorBefore)
	w.sim.Script(bsresim.CallDetails, bsresim.Unauthorized)
	if _, err := w.ams.Details(t.Context(), &w.sess, w.uid); !errors.Is(err, bsre.ErrUnreadable) || errors.Is(err, bsre.ErrSessionEnded) {
		t.Errorf("%v", err)
	}
	if w.sess != kept {
		t.Error("the session changed")
	}
	if _, err := w.ams.Details(t.Context(), &w.sess, w.uid); err != nil {
		t.Error(err)
	}
}

func TestAPhoneThatIsNotVerified(t *testing.T) {
	t.Parallel()
	var asked []bsresim.User
	w := newWorld(t, bsresim.Options{OnPhone: func(u bsresim.User) { asked = append(asked, u) }})
	w.sim.Change(w.uid, func(u *bsresim.User) { u.PhoneUnverified = true })
	d, err := w.ams.Details(t.Context(), &w.sess, w.uid)
	if err != nil || !d.Profile.NeedsPhoneCheck {
		t.Fatalf("%v, %v", d.Profile.NeedsPhoneCheck, err)
	}
	if o := w.ams.Reset(t.Context(), w.sess, w.uid, serial); o.Kind != bsre.Refused {
		t.Errorf("%+v", o)
	}
	if o := w.ams.VerifyPhone(t.Context(), w.sess, w.uid, "081299999999"); o.Kind != bsre.Refused {
		t.Errorf("another number: %+v", o)
	}
	if o := w.ams.VerifyPhone(t.Context(), w.sess, w.uid, ""); o.Kind != bsre.NotSent {
		t.Errorf("no number: %+v", o)
	}
	if o := w.ams.VerifyPhone(t.Context(), w.sess, w.uid, d.Profile.Phone); o.Kind != bsre.Accepted || len(asked) != 1 {
		t.Errorf("%+v, asked %d", o, len(asked))
	}
	if j := w.sim.Journal(); len(j) != 1 || j[0].Executed {
		t.Errorf("journal %+v", j)
	}
	w.sim.ConfirmPhone(w.uid)
	if o := w.ams.Reset(t.Context(), w.sess, w.uid, serial); o.Kind != bsre.Accepted {
		t.Errorf("%+v", o)
	}
}

// Gateway and portal hang on every reading call; a reset goes out all the same, and the breakers that opened don't hold it.
func TestStatusCallsNeverDelayResets(t *testing.T) {
	t.Parallel()
	w := newWorld(t, bsresim.Options{})
	hanging := make([]bsresim.Fault, 40)
	for i := range hanging {
		hanging[i] = bsresim.HangBefore
	}
	w.sim.Script(bsresim.CallStatus, hanging...)
	w.sim.Script(bsresim.CallDetails, hanging...)
	esign, uid := w.esign(2), w.uid
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() { _, _ = esign.Status(t.Context(), bsre.Identity{NIK: nik}) })
		s := w.sess
		wg.Go(func() { _, _ = w.ams.Details(t.Context(), &s, uid) })
	}
	w.sim.AwaitCalls(bsresim.CallDetails, 4) // as many as the readers' connections
	w.sim.AwaitCalls(bsresim.CallStatus, 4)
	if o := w.ams.Reset(t.Context(), w.sess, uid, serial); o.Kind != bsre.Accepted {
		t.Errorf("%+v", o)
	}
	w.sim.Close()
	wg.Wait()
	if _, err := esign.Status(t.Context(), bsre.Identity{NIK: nik}); !errors.Is(err, bsre.ErrResting) {
		t.Errorf("the breaker of status calls: %v", err)
	}
	if o := w.ams.Reset(t.Context(), w.sess, uid, serial); o.Kind != bsre.Accepted {
		t.Errorf("while the readers rest: %+v", o)
	}
}
