package srikandisim_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"pulih/internal/demo/srikandisim"
)

// gateway is a simulator on a socket with a token.
type gateway struct {
	*srikandisim.Server
	t          *testing.T
	url, token string
}

func start(t *testing.T) *gateway {
	t.Helper()
	now := time.Date(2026, 11, 20, 8, 0, 0, 0, time.UTC)
	sim := srikandisim.New(srikandisim.Options{Now: func() time.Time { return now }, ClientID: "a", ClientSecret: "b"})
	server := httptest.NewServer(sim)
	t.Cleanup(server.Close)
	g := &gateway{Server: sim, t: t, url: server.URL}
	_, body := g.call("POST", "/oauth/token", url.Values{"grant_type": {"client_credentials"}, "client_id": {"a"}, "client_secret": {"b"}}.Encode(),
		"Content-Type", "application/x-www-form-urlencoded")
	var got struct {
		Token string `json:"access_token"`
	}
	if err := json.Unmarshal([]byte(body), &got); err != nil || got.Token == "" {
		t.Fatalf("no token: %s", body)
	}
	g.token = got.Token
	return g
}

func (g *gateway) call(method, path, body string, headers ...string) (int, string) {
	g.t.Helper()
	req, err := http.NewRequestWithContext(g.t.Context(), method, g.url+path, strings.NewReader(body))
	if err != nil {
		g.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+g.token)
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		g.t.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		g.t.Fatal(err)
	}
	return resp.StatusCode, string(data)
}

// A lenient simulator would hide a client's slips.
func TestTheSimulatorIsStrict(t *testing.T) {
	t.Parallel()
	g := start(t)
	id := g.AddLetter(srikandisim.Letter{Number: "1"})
	d := g.Dispose(id, srikandisim.Disposition{To: []srikandisim.Receiver{{Party: srikandisim.Party{NIP: "1"}}}})
	gone := g.Dispose(id, srikandisim.Disposition{To: []srikandisim.Receiver{{Party: srikandisim.Party{NIP: "2"}}}})
	g.Remove(id, gone)
	since := "updated_since=" + url.QueryEscape("2026-11-01T00:00:00+07:00")
	follow := func(disposition, status string) string {
		return fmt.Sprintf(`{"disposisi_id":%q,"status":%q,"catatan":"","lampiran":[]}`, disposition, status)
	}
	const jsonType = "application/json"
	for _, c := range []struct {
		method, path, body string
		headers            []string
		want               int
	}{
		{"GET", "/v1/naskah-masuk?" + since, "", nil, 200},
		{"GET", "/v1/naskah-masuk?" + since + "&limit=100", "", nil, 200},
		{"GET", "/v1/naskah-masuk", "", nil, 400},
		{"GET", "/v1/naskah-masuk?updated_since=2026-11-01T00:00:00", "", nil, 400},
		{"GET", "/v1/naskah-masuk?" + since + "&limit=0", "", nil, 400},
		{"GET", "/v1/naskah-masuk?" + since + "&limit=101", "", nil, 400},
		{"GET", "/v1/naskah-masuk?cursor=x", "", nil, 400},
		{"GET", "/v1/naskah-masuk?" + since, "", []string{"Authorization", "Bearer salah"}, 401},
		{"GET", "/v1/naskah-masuk/" + id, "", nil, 200},
		{"GET", "/v1/naskah-masuk/x", "", nil, 404},
		{"GET", "/v1/naskah-masuk/" + id + "/lampiran/x", "", nil, 404},
		{"GET", "/v2", "", nil, 404},
		{"POST", "/v1/naskah-masuk/" + id + "/tindak-lanjut", follow(d, "selesai"), []string{"Content-Type", jsonType}, 400},
		{"POST", "/v1/naskah-masuk/" + id + "/tindak-lanjut", follow(d, "disetujui"), []string{"Content-Type", jsonType, "Idempotency-Key", "k"}, 400},
		{"POST", "/v1/naskah-masuk/" + id + "/tindak-lanjut", follow(d, "selesai"), []string{"Idempotency-Key", "k"}, 400},
		{"POST", "/v1/naskah-masuk/" + id + "/tindak-lanjut", follow(gone, "selesai"), []string{"Content-Type", jsonType, "Idempotency-Key", "withdrawn"}, 409},
		{"POST", "/v1/naskah-masuk/" + id + "/tindak-lanjut", follow(d, "selesai"), []string{"Content-Type", jsonType, "Idempotency-Key", "withdrawn"}, 409},
		{"POST", "/v1/naskah-masuk/x/tindak-lanjut", follow(d, "selesai"), []string{"Content-Type", jsonType, "Idempotency-Key", "k"}, 404},
		{"POST", "/v1/naskah-masuk/" + id + "/tindak-lanjut", follow(d, "diproses"), []string{"Content-Type", jsonType, "Idempotency-Key", "k"}, 201},
		{"POST", "/v1/naskah-masuk/" + id + "/tindak-lanjut", "lain sama sekali", []string{"Idempotency-Key", "k"}, 200},
		{"POST", "/v1/naskah-masuk", "", []string{"Idempotency-Key", "k"}, 400},
	} {
		if got, body := g.call(c.method, c.path, c.body, c.headers...); got != c.want {
			t.Errorf("%s %s: %d %.80s, want %d", c.method, c.path, got, body, c.want)
		}
	}
	j := g.Journal()
	if len(j.FollowUps) != 2 || j.FollowUps[0].Replay || !j.FollowUps[1].Replay || j.FollowUps[0].ID != j.FollowUps[1].ID {
		t.Errorf("%+v", j.FollowUps)
	}
	letters, _ := g.Truth()
	if got := letters[0].Dispositions[0].To[0]; got.Status != "ditindaklanjuti" || len(got.FollowUps) != 1 {
		t.Errorf("the follow-up left %+v", got)
	}
}
