package bsre_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"pulih/bsre"
)

// spaced is the NIK as people write it.
const spaced = "3303 0145 0490 0001"

func secretsOf(s bsre.Session) []string {
	var tokens struct{ A, R string }
	_ = json.Unmarshal(s.Plain(), &tokens)
	return []string{nik, spaced, password, "845127", tokens.A, tokens.R, "token-lent", "refresh-lent"}
}

func tell(t *testing.T, where, text string, secrets []string) {
	t.Helper()
	for _, s := range secrets {
		if s != "" && strings.Contains(text, s) {
			t.Errorf("%s reveals %q: %s", where, s, text)
		}
	}
}

// printed is everything that logs and careless code make of a value.
func printed(v any) string {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%v %+v %#v %s %q %d %x\n", v, v, v, v, v, v, v)
	fmt.Fprintf(&b, "%v %+v %#v\n", struct{ V any }{v}, struct{ V any }{v}, struct{ V any }{v})
	for _, h := range []slog.Handler{slog.NewTextHandler(&b, nil), slog.NewJSONHandler(&b, nil)} {
		slog.New(h).Info("x", "v", v, "in", []any{v})
	}
	return b.String()
}

func TestPrintedValuesRevealNothing(t *testing.T) {
	t.Parallel()
	s := lentSession(t)
	secrets := secretsOf(s)
	type holder struct{ inside bsre.Session } // fmt can't call methods of unexported fields
	tell(t, "a struct around a session", fmt.Sprintf("%v %+v %#v", holder{s}, holder{s}, &holder{s}), secrets)
	tell(t, "a session", printed(s), secrets)
	tell(t, "a session's pointer", printed(&s), secrets)
	raw, _ := json.Marshal(map[string]any{"s": s, "p": &s})
	tell(t, "a session as JSON", string(raw), secrets)

	d := bsre.Details{UID: someUID, Profile: bsre.Profile{Name: "Sulastri", NIK: nik, Email: email}}
	who := bsre.Subject{Name: "Sulastri", NIK: "3303014504900002", Email: "lain@contoh.go.id"}
	secrets = append(secrets, "3303014504900002", email, "Sulastri")
	for name, v := range map[string]any{
		"details": d, "profile": d.Profile, "subject": who, "identity": bsre.Identity{NIK: nik, Email: email},
		"difference": bsre.Compare(d, who)[0], "differences": bsre.Compare(d, who),
	} {
		text := fmt.Sprintf("%v %+v %#v %s", v, v, v, v)
		var b bytes.Buffer
		slog.New(slog.NewTextHandler(&b, nil)).Info("x", "v", v)
		tell(t, name, text+b.String(), secrets)
	}
	for _, diff := range bsre.Compare(d, who) {
		tell(t, "a difference's values", diff.Letter+diff.AMS, []string{nik, "3303014504900002"})
	}
}

// everythingSent is the request in one line, in clear, and the NIK as people write it.
func everythingSent(r *http.Request) string {
	_ = r.ParseForm()
	_, basic, _ := r.BasicAuth()
	sent := []string{r.Header.Get("Authorization"), basic, strings.ReplaceAll(r.URL.Path, "/", " "), nik, spaced}
	if raw, _ := io.ReadAll(r.Body); len(raw) > 0 && raw[0] == '{' {
		sent = append(sent, strings.NewReplacer(`"`, " ", "{", " ", "}", " ").Replace(string(raw)))
	}
	for _, values := range r.Form {
		sent = append(sent, values...)
	}
	return strings.Join(sent, " ")
}

// A server that echoes whatever it is sent, in every place of an answer, and one that answers no HTTP at all.
func TestErrorsRevealNothing(t *testing.T) {
	t.Parallel()
	echoes := []func(sent string) string{
		func(s string) string {
			return httpAnswer("400 Bad Request", "", `{"error":"`+s+`","status_code":2031}`)
		},
		func(s string) string {
			return httpAnswer("401 Unauthorized", "", `{"error":"invalid_grant","error_description":"`+s+`"}`)
		},
		func(s string) string { return httpAnswer("404 Not Found", "", `{"message":"`+s+`"}`) },
		func(s string) string { return httpAnswer("200 OK", "", `{"success":false,"message":"`+s+`"}`) },
		func(s string) string { return httpAnswer("200 OK", "", `{"status":"`+s+`","message":"`+s+`"}`) },
		func(s string) string { return httpAnswer("200 OK", "", `<html>`+s+`</html>`) },
		func(s string) string { return httpAnswer("200 OK", "", s) },
		func(s string) string { return httpAnswer("500 "+s, "", s) },
		func(s string) string {
			return httpAnswer("302 Found", "Location: http://127.0.0.1:1/"+strings.ReplaceAll(s, " ", "")+"\r\n", "")
		},
		func(s string) string { return "HTTP/1.1 " + s + "\r\n\r\n" },
		func(s string) string { return s },
		func(s string) string { return "HTTP/1.1 200 OK\r\n" + s + "\r\n\r\n" },
		func(s string) string { return "HTTP/1.1 200 OK\r\nTransfer-Encoding: " + s + "\r\n\r\n" },
		func(s string) string { return "HTTP/1.1 200 OK\r\nContent-Length: " + s + "\r\n\r\n" },
		func(string) string { return "" },
	}
	for i, echo := range echoes {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			server := newRawServer(t, func(r *http.Request, _ int) (string, bool) {
				return echo(everythingSent(r)), false
			})
			a, s := clientFor(t, server.url), lentSession(t)
			secrets := secretsOf(s)
			report := func(where string, err error) {
				t.Helper()
				if err == nil {
					return
				}
				tell(t, where, printed(err), secrets)
				for inner := err; inner != nil; inner = errors.Unwrap(inner) {
					tell(t, where+" (inner)", inner.Error(), secrets)
				}
				var denied *bsre.Denied
				if errors.As(err, &denied) {
					tell(t, where+" (words)", denied.Words, secrets)
				}
			}
			for _, version := range []int{1, 2} {
				e := gateway(t, server.url, version)
				status, err := e.Status(t.Context(), bsre.Identity{NIK: nik})
				report("status", err)
				tell(t, "status", fmt.Sprintf("%+v %s %s", status, status.Raw, status.Message), secrets)
				_, err = e.VerifyPDF(t.Context(), []byte(nik))
				report("verify", err)
			}
			_, err := a.SignIn(t.Context(), operator, password, "845127")
			report("sign-in", err)
			_, err = a.Refresh(t.Context(), s)
			report("refresh", err)
			_, err = a.Find(t.Context(), &s, "", nik)
			report("find", err)
			_, err = a.Details(t.Context(), &s, someUID)
			report("details", err)
			o := a.Reset(t.Context(), s, someUID, serial)
			tell(t, "reset", fmt.Sprintf("%+v", o), secrets)
			o = a.VerifyPhone(t.Context(), s, someUID, "081200000001")
			tell(t, "phone", fmt.Sprintf("%+v", o), append(secrets, "081200000001"))
		})
	}
}

// Addresses with the NIK in them reach no error, whichever way the connection fails.
func TestErrorsOfTheConnectionHoldNoURL(t *testing.T) {
	t.Parallel()
	closed := newRawServer(t, func(*http.Request, int) (string, bool) { return "", false })
	for name, url := range map[string]string{
		"refused": "http://127.0.0.77:9", "closed": closed.url, "no such host": "http://esign..contoh:1", "odd port": "http://127.0.0.1:99999",
	} {
		e, err := bsre.NewESign(bsre.ESignConfig{BaseURL: url, Version: 1, AllowPlainHTTP: true})
		if err != nil {
			t.Fatal(err)
		}
		_, err = e.Status(t.Context(), bsre.Identity{NIK: nik})
		if err == nil || !errors.Is(err, bsre.ErrUnreachable) || strings.Contains(err.Error(), "/api/") || errors.Is(err, io.EOF) {
			t.Errorf("%s: %v", name, err)
		}
		tell(t, name, printed(err), []string{nik, "/api/user"})
	}
}
