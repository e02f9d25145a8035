package bsre_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"pulih/bsre"
	"pulih/internal/demo/bsresim"
)

func gateway(t *testing.T, url string, version int) *bsre.ESign {
	t.Helper()
	e, err := bsre.NewESign(bsre.ESignConfig{BaseURL: url, User: "pulih", Password: password, Version: version})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestStatusesAsTheGatewayWritesThem(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, status, body string
		want               bsre.Code
		err                error
		says               string
	}{
		{"plain", "200 OK", `{"status":"ISSUE"}`, bsre.Issue, nil, ""},
		{"lower case", "200 OK", `{"status":" issue "}`, bsre.Issue, nil, ""},
		{"upper-case key", "200 OK", `{"STATUS":"ISSUE"}`, bsre.Issue, nil, ""},
		{"inside data", "200 OK", `{"data":{"status":"ISSUE"},"message":"ok"}`, bsre.Issue, nil, "ok"},
		{"inside a list of one", "200 OK", `{"data":[{"status":"EXPIRED"}]}`, bsre.Expired, nil, ""},
		{"in an envelope", "200 OK", `{"status":"success","data":{"data":{"status":"RENEW"}}}`, bsre.Renew, nil, ""},
		{"with blanks", "200 OK", `{"status":"Waiting for verification"}`, bsre.WaitingForVerification, nil, ""},
		{"with hyphens", "200 OK", `{"status":"no-certificate"}`, bsre.NoCertificate, nil, ""},
		{"new", "200 OK", `{"status":"NEW"}`, bsre.New, nil, ""},
		{"suspended", "200 OK", `{"status":"SUSPEND","message":"Ditangguhkan"}`, bsre.Suspend, nil, "Ditangguhkan"},
		{"revoked", "200 OK", `{"status":"REVOKE"}`, bsre.Revoke, nil, ""},
		{"v1 active", "200 OK", `{"status_code":1111,"status":"User aktif","message":"Terdaftar"}`, bsre.Issue, nil, "Terdaftar"},
		{"v1 active as text", "200 OK", `{"status_code":"1111"}`, bsre.Issue, nil, ""},
		{"v1 not registered", "200 OK", `{"status_code":1110,"status":"x","message":"Belum terdaftar"}`, bsre.NotRegistered, nil, "Belum terdaftar"},
		{"v1 another number", "200 OK", `{"status_code":1112,"status":"User","message":"Sertifikat habis"}`, bsre.Unknown, nil, "Sertifikat habis"},
		{"number at a text's end", "400 Bad Request", `{"error":"Proses gagal : User tidak terdaftar 2011"}`, bsre.NotRegistered, nil, "tidak terdaftar"},
		{"number beside an error", "400 Bad Request", `{"error":"User tidak terdaftar","status_code":2011}`, bsre.NotRegistered, nil, ""},
		{"200 with an error", "200 OK", `{"error":"User tidak terdaftar","status_code":2011}`, bsre.NotRegistered, nil, ""},
		{"plain text", "400 Bad Request", `User tidak terdaftar 2011`, bsre.NotRegistered, nil, ""},
		{"a date in the words", "200 OK", `{"status":"ISSUE","message":"Berlaku sampai 2027"}`, bsre.Issue, nil, "2027"},

		{"a new word", "200 OK", `{"status":"ISSUED"}`, bsre.Unknown, nil, ""},
		{"a negation", "200 OK", `{"status":"NOT ISSUE"}`, bsre.Unknown, nil, ""},
		{"an empty word", "200 OK", `{"status":""}`, bsre.Unknown, bsre.ErrUnreadable, ""},
		{"an error beside ISSUE", "200 OK", `{"status":"ISSUE","error":"timeout"}`, bsre.Unknown, nil, "timeout"},
		{"an error's number beside ISSUE", "200 OK", `{"status":"ISSUE","status_code":2031}`, bsre.Unknown, nil, ""},
		{"success false beside ISSUE", "200 OK", `{"success":false,"data":{"status":"ISSUE"}}`, bsre.Unknown, nil, ""},
		{"an envelope that failed", "200 OK", `{"status":"error","data":{"status":"ISSUE"}}`, bsre.Unknown, nil, ""},
		{"two words", "200 OK", `{"status":"ISSUE","data":{"status":"REVOKE"}}`, bsre.Unknown, nil, ""},
		{"two users", "200 OK", `{"data":[{"status":"ISSUE"},{"status":"ISSUE"}]}`, bsre.Unknown, bsre.ErrUnreadable, ""},
		{"1111 that says otherwise", "200 OK", `{"status_code":1111,"status":"TIDAK AKTIF"}`, bsre.Unknown, nil, ""},
		{"1111 of an expired one", "200 OK", `{"status_code":1111,"status":"EXPIRED"}`, bsre.Expired, nil, ""},
		{"ISSUE in a failure", "500 Internal Server Error", `{"status":"ISSUE"}`, bsre.Unknown, bsre.ErrUnreadable, ""},
		{"ISSUE in a refusal", "400 Bad Request", `{"status":"ISSUE"}`, bsre.Unknown, nil, ""},
		{"ISSUE in plain text", "200 OK", `ISSUE`, bsre.Unknown, nil, "ISSUE"},
		{"ISSUE in a page", "200 OK", `<html><body>ISSUE</body></html>`, bsre.Unknown, bsre.ErrUnreadable, ""},
		{"a page", "502 Bad Gateway", `<html><h1>Bad gateway</h1></html>`, bsre.Unknown, bsre.ErrUnreadable, ""},
		{"empty 502", "502 Bad Gateway", ``, bsre.Unknown, bsre.ErrUnreadable, ""},
		{"empty 200", "200 OK", ``, bsre.Unknown, bsre.ErrUnreadable, ""},
		{"null", "200 OK", `null`, bsre.Unknown, bsre.ErrUnreadable, ""},
		{"an empty object", "200 OK", `{}`, bsre.Unknown, bsre.ErrUnreadable, ""},
		{"words alone", "200 OK", `{"message":"Silakan coba lagi"}`, bsre.Unknown, nil, "coba lagi"},
		{"cut", "200 OK", `{"status":"ISS`, bsre.Unknown, bsre.ErrUnreadable, ""},
		{"wrong account", "401 Unauthorized", `{"error":"Unauthorized"}`, bsre.Unknown, bsre.ErrCredentials, ""},
		{"the NIK in the words", "200 OK", `{"status":"X","message":"User ` + nik + ` aneh"}`, bsre.Unknown, nil, "User *** aneh"},
		{"a NIK with blanks", "200 OK", `{"status":"X","message":"3303 0145 0490 0001 aneh"}`, bsre.Unknown, nil, "*** aneh"},
		{"a page inside the words", "200 OK", `{"message":"<b>Sedang</b> <script>x()</script>sibuk"}`, bsre.Unknown, nil, "Sedang sibuk"},
		{"words without end", "200 OK", `{"message":"` + strings.Repeat("a ", 50_000) + `"}`, bsre.Unknown, nil, "…"},
		{"an answer without end", "200 OK", `{"status":"ISSUE","x":"` + strings.Repeat("x", 2<<20) + `"}`, bsre.Unknown, bsre.ErrUnreadable, ""},
		{"deep nesting", "200 OK", strings.Repeat(`{"data":`, 9_000) + `{"status":"ISSUE"}` + strings.Repeat(`}`, 9_000), bsre.Unknown, bsre.ErrUnreadable, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			server := newRawServer(t, func(*http.Request, int) (string, bool) { return httpAnswer(c.status, "", c.body), false })
			for _, version := range []int{1, 2} {
				got, err := gateway(t, server.url, version).Status(t.Context(), bsre.Identity{NIK: nik, Email: email})
				if got.Code != c.want || !errors.Is(err, c.err) || !strings.Contains(got.Message, c.says) {
					t.Errorf("v%d: %s %q, %v; want %s, %v, saying %q", version, got.Code, got.Message, err, c.want, c.err, c.says)
				}
				if got.Resettable() != (c.want == bsre.Issue) || len(got.Message) > 800 {
					t.Errorf("v%d: resettable %v with %d bytes of words", version, got.Resettable(), len(got.Message))
				}
			}
		})
	}
}

// Each documented state comes through both versions, from a gateway that follows the contract.
func TestEachStatusOfTheContract(t *testing.T) {
	t.Parallel()
	w := newWorld(t, bsresim.Options{})
	for _, code := range bsre.Codes {
		w.sim.Change(w.uid, func(u *bsresim.User) { u.Status = string(code) })
		for _, version := range []int{1, 2} {
			got, err := w.esign(version).Status(t.Context(), bsre.Identity{NIK: nik})
			if err != nil || got.Resettable() != (code == bsre.Issue) {
				t.Errorf("v%d %s: %v, %v", version, code, got, err)
			}
			if version == 2 && got.Code != code {
				t.Errorf("v2: %s, want %s", got.Code, code)
			}
		}
	}
	if got, err := w.esign(2).Status(t.Context(), bsre.Identity{Email: "lain@purbalinggakab.go.id"}); err != nil || got.Code != bsre.NotRegistered {
		t.Errorf("somebody else: %v, %v", got, err)
	}
}

func TestTheRequestsOfBothVersions(t *testing.T) {
	t.Parallel()
	type asked struct{ method, path, user, password, body string }
	var got asked
	server := newRawServer(t, func(r *http.Request, _ int) (string, bool) {
		user, secret, _ := r.BasicAuth()
		got = asked{r.Method, r.URL.Path, user, secret, r.Header.Get("Content-Type")}
		return httpAnswer("200 OK", "", `{"status":"ISSUE"}`), false
	})
	ask := func(version int, who bsre.Identity) error {
		_, err := gateway(t, server.url+"/esign/", version).Status(t.Context(), who)
		return err
	}
	if err := ask(1, bsre.Identity{NIK: nik}); err != nil || got != (asked{"GET", "/esign/api/user/status/" + nik, "pulih", password, ""}) {
		t.Errorf("v1: %+v, %v", got, err)
	}
	if err := ask(2, bsre.Identity{Email: email}); err != nil || got != (asked{"POST", "/esign/api/v2/user/check/status", "pulih", password, "application/json"}) {
		t.Errorf("v2: %+v, %v", got, err)
	}
	if ask(1, bsre.Identity{Email: email}) == nil || ask(2, bsre.Identity{}) == nil {
		t.Error("asked without knowing for whom")
	}
}

func TestAdviceForEveryStatus(t *testing.T) {
	t.Parallel()
	needLetter := map[bsre.Code]bool{bsre.Expired: true, bsre.NoCertificate: true, bsre.NotRegistered: true, bsre.Revoke: true, bsre.Suspend: true}
	seen := map[string]bool{}
	for _, code := range append([]bsre.Code{bsre.Unknown}, bsre.Codes...) {
		verifier, person := bsre.Advice(code)
		for _, sentence := range []string{verifier, person} {
			if len(sentence) < 40 || !strings.HasSuffix(sentence, ".") || seen[sentence] {
				t.Errorf("%s: %q", code, sentence)
			}
			seen[sentence] = true
		}
		if strings.Contains(person, "Surat Permohonan") != needLetter[code] {
			t.Errorf("%s: the letter to bring: %q", code, person)
		}
	}
	if v, _ := bsre.Advice("SOMETHING"); !strings.Contains(v, "tidak dapat dipastikan") {
		t.Errorf("unknown code: %q", v)
	}
}

func TestPlainHTTPOnlyWhereTheConfigurationSaysSo(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		url   string
		allow bool
		ok    bool
	}{
		{"http://127.0.0.1:9", false, true}, {"http://localhost/esign", false, true}, {"http://[::1]:9", false, true},
		{"http://esign.contoh.go.id", false, false}, {"http://esign.contoh.go.id", true, true}, {"https://esign.contoh.go.id", false, true},
		{"ftp://esign.contoh.go.id", true, false}, {"esign.contoh.go.id", true, false}, {"https://user:pw@esign.contoh.go.id", true, false},
		{"https://esign.contoh.go.id/?a=b", true, false}, {"", true, false}, {"http://127.evil.example", false, false},
	} {
		_, err := bsre.NewESign(bsre.ESignConfig{BaseURL: c.url, AllowPlainHTTP: c.allow})
		if (err == nil) != c.ok {
			t.Errorf("%q allowed %v: %v", c.url, c.allow, err)
		}
		if err != nil && strings.Contains(err.Error(), "pw") {
			t.Errorf("the error holds the password: %v", err)
		}
	}
	if _, err := bsre.NewESign(bsre.ESignConfig{BaseURL: "https://a.example", Version: 3}); err == nil {
		t.Error("version 3")
	}
	if _, err := bsre.NewAMS(bsre.AMSConfig{BeIDURL: "https://a.example", PortalURL: "https://a.example"}); err == nil {
		t.Error("AMS without the operator's address")
	}
	if _, err := bsre.NewAMS(bsre.AMSConfig{BeIDURL: "https://a.example", PortalURL: "https://a.example", OperatorIP: "10.0.0.1", ResetPath: "/reset/{uid}"}); err == nil {
		t.Error("a reset path without the serial number")
	}
}

// After five failures in a row the gateway is left alone for a while, and tried again afterwards.
func TestADeadGatewayIsLeftAlone(t *testing.T) {
	t.Parallel()
	var well atomic.Bool
	server := newRawServer(t, func(*http.Request, int) (string, bool) {
		if well.Load() {
			return httpAnswer("200 OK", "", `{"status":"ISSUE"}`), false
		}
		return httpAnswer("503 Service Unavailable", "", ""), false
	})
	e, err := bsre.NewESign(bsre.ESignConfig{BaseURL: server.url, Rest: 1})
	if err != nil {
		t.Fatal(err)
	}
	ask := func(e *bsre.ESign) error {
		_, err := e.Status(t.Context(), bsre.Identity{NIK: nik})
		return err
	}
	resting := gateway(t, server.url, 2)
	for range 5 {
		if err := ask(resting); !errors.Is(err, bsre.ErrUnreadable) {
			t.Fatal(err)
		}
		_ = ask(e)
	}
	before := server.asks.Load()
	for range 3 {
		if err := ask(resting); !errors.Is(err, bsre.ErrResting) {
			t.Fatal(err)
		}
	}
	if n := server.asks.Load(); n != before {
		t.Errorf("%d calls while resting", n-before)
	}
	well.Store(true)
	if err := ask(e); err != nil { // its rest is a nanosecond
		t.Errorf("after the rest: %v", err)
	}
}

// What the caller cancels says nothing about the gateway.
func TestCancelledCallsOpenNoBreaker(t *testing.T) {
	t.Parallel()
	server := newRawServer(t, func(*http.Request, int) (string, bool) { return httpAnswer("200 OK", "", `{"status":"ISSUE"}`), false })
	e := gateway(t, server.url, 2)
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	for range 10 {
		if _, err := e.Status(cancelled, bsre.Identity{NIK: nik}); !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
	}
	if s, err := e.Status(t.Context(), bsre.Identity{NIK: nik}); err != nil || s.Code != bsre.Issue {
		t.Errorf("%v, %v", s, err)
	}
}

func TestVerificationOfAPDF(t *testing.T) {
	t.Parallel()
	const signature = `{"signerName":"Sulastri","signatureFormat":"PAdES-BASELINE-LT","signatureDate":"2026-11-20 08:00:00","integrityValid":true,"certificateTrusted":true,` +
		`"timestampInfomation":{"x":1},"signatureAlgoritm":"y","certificateDetails":[{"commonName":"Sulastri","issuerName":"CN=BSRE CA DS G1"}]}`
	for _, c := range []struct {
		name, status, body string
		valid              bool
		err                error
	}{
		{"valid", "200 OK", `{"conclusion":"VALID","signatureCount":1,"signatureInformations":[` + signature + `]}`, true, nil},
		{"passed", "200 OK", `{"conclusion":"TOTAL_PASSED","signatureInformations":[` + signature + `]}`, true, nil},
		{"valid without a signature", "200 OK", `{"conclusion":"VALID","signatureCount":0,"signatureInformations":[]}`, false, nil},
		{"valid, and yet changed", "200 OK", `{"conclusion":"VALID","signatureInformations":[` + strings.Replace(signature, `"integrityValid":true`, `"integrityValid":false`, 1) + `]}`, false, nil},
		{"failed", "200 OK", `{"conclusion":"TOTAL_FAILED","signatureInformations":[` + signature + `]}`, false, nil},
		{"an error", "400 Bad Request", `{"error":"File tidak valid","status_code":2031}`, false, &bsre.Denied{}},
		{"200 with an error", "200 OK", `{"error":"File tidak valid"}`, false, &bsre.Denied{}},
		{"a page", "200 OK", `<html></html>`, false, bsre.ErrUnreadable},
		{"empty", "502 Bad Gateway", ``, false, bsre.ErrUnreadable},
		{"wrong account", "401 Unauthorized", ``, false, bsre.ErrCredentials},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			server := newRawServer(t, func(*http.Request, int) (string, bool) { return httpAnswer(c.status, "", c.body), false })
			v, err := gateway(t, server.url, 2).VerifyPDF(t.Context(), []byte("%PDF-1.7 contoh"))
			var denied *bsre.Denied
			wantsDenied := errors.As(c.err, &denied)
			if v.Valid != c.valid || wantsDenied != errors.As(err, &denied) || !wantsDenied && !errors.Is(err, c.err) {
				t.Errorf("%+v, %v", v, err)
			}
			if c.valid && (v.Signatures[0].Signer != "Sulastri" || v.Signatures[0].At.Hour() != 8 || v.Signatures[0].Issuer != "CN=BSRE CA DS G1") {
				t.Errorf("%+v", v)
			}
		})
	}
	w := newWorld(t, bsresim.Options{})
	for pdf, want := range map[string]bool{"%PDF-1.7 /ByteRange [0 1 2 3]": true, "%PDF-1.7": false} {
		if v, err := w.esign(2).VerifyPDF(t.Context(), []byte(pdf)); err != nil || v.Valid != want {
			t.Errorf("%q: %+v, %v", pdf, v, err)
		}
	}
	if _, err := w.esign(2).VerifyPDF(t.Context(), nil); err == nil {
		t.Error("an empty PDF")
	}
}
