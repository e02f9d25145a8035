package console_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"pulih/internal/console"
)

// provider is an office's single sign-on over a real socket: discovery, keys, code with PKCE, signed id_token.
type provider struct {
	*httptest.Server
	key      *rsa.PrivateKey
	email    string
	verified bool
	nonce    string // of the last request, unless a test spoils it
	spoil    func(claims map[string]any)
	verifier string // PKCE challenge of the last request
}

func newProvider(t *testing.T) *provider {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	p := &provider{key: key, email: "surya@purbalinggakab.go.id", verified: true}
	mux := http.NewServeMux()
	answer := func(w http.ResponseWriter, v any) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(v)
	}
	mux.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, r *http.Request) {
		answer(w, map[string]any{"issuer": p.URL, "authorization_endpoint": p.URL + "/masuk", "token_endpoint": p.URL + "/token", "jwks_uri": p.URL + "/kunci",
			"id_token_signing_alg_values_supported": []string{"RS256"}})
	})
	mux.HandleFunc("GET /kunci", func(w http.ResponseWriter, r *http.Request) {
		answer(w, map[string]any{"keys": []any{map[string]string{"kty": "RSA", "alg": "RS256", "use": "sig", "kid": "1", "n": base64url(key.N.Bytes()), "e": base64url(big.NewInt(int64(key.E)).Bytes())}}})
	})
	mux.HandleFunc("GET /masuk", func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		p.nonce, p.verifier = q.Get("nonce"), q.Get("code_challenge")
		http.Redirect(w, r, q.Get("redirect_uri")+"?code=sekali&state="+url.QueryEscape(q.Get("state")), http.StatusFound)
	})
	mux.HandleFunc("POST /token", func(w http.ResponseWriter, r *http.Request) {
		sum := sha256.Sum256([]byte(r.FormValue("code_verifier")))
		if r.FormValue("code") != "sekali" || base64url(sum[:]) != p.verifier {
			http.Error(w, `{"error":"invalid_grant"}`, http.StatusBadRequest)
			return
		}
		answer(w, map[string]any{"access_token": "a", "token_type": "Bearer", "id_token": p.token(t)})
	})
	p.Server = httptest.NewServer(mux)
	t.Cleanup(p.Close)
	return p
}

func base64url(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

func (p *provider) token(t *testing.T) string {
	claims := map[string]any{"iss": p.URL, "sub": "1", "aud": "pulih", "exp": time.Now().Add(time.Hour).Unix(), "iat": time.Now().Unix(), "nonce": p.nonce,
		"email": p.email, "email_verified": p.verified}
	if p.spoil != nil {
		p.spoil(claims)
	}
	head, _ := json.Marshal(map[string]string{"alg": "RS256", "kid": "1"})
	body, _ := json.Marshal(claims)
	signed := base64url(head) + "." + base64url(body)
	sum := sha256.Sum256([]byte(signed))
	sig, err := rsa.SignPKCS1v15(rand.Reader, p.key, crypto.SHA256, sum[:])
	if err != nil {
		t.Error(err)
	}
	return signed + "." + base64url(sig)
}

func TestSingleSignOn(t *testing.T) {
	t.Parallel()
	sso := newProvider(t)
	d := newDesk(t, real, func(o *console.Options) {
		o.OIDC = map[string]console.OIDC{"purbalingga": {Issuer: sso.URL, ClientID: "pulih", ClientSecret: "rahasia", Strong: true}}
	})
	enter := func() int {
		who := d.stranger()
		who.get("/oidc/purbalingga")
		return who.ask("GET /{agency}", "purbalingga")
	}
	if got := enter(); got != http.StatusOK {
		t.Fatalf("signing in: %d", got)
	}
	if status, _ := d.stranger().get("/oidc/madiun"); status != http.StatusNotFound {
		t.Errorf("an agency without single sign-on: %d", status)
	}
	for name, spoil := range map[string]func(claims map[string]any){
		"another nonce":      func(c map[string]any) { c["nonce"] = "lain" },
		"another audience":   func(c map[string]any) { c["aud"] = "lain" },
		"another issuer":     func(c map[string]any) { c["iss"] = "https://jahat.example" },
		"an old token":       func(c map[string]any) { c["exp"] = time.Now().Add(-time.Hour).Unix() },
		"an unverified mail": func(c map[string]any) { c["email_verified"] = false },
		"no mail":            func(c map[string]any) { delete(c, "email") },
		"somebody else's":    func(c map[string]any) { c["email"] = "orang@purbalinggakab.go.id" },
		"another agency's":   func(c map[string]any) { c["email"] = "hendra@madiunkota.go.id" },
	} {
		sso.spoil = spoil
		if got := enter(); got != http.StatusSeeOther {
			t.Errorf("%s: %d", name, got)
		}
	}
	sso.spoil = nil
	t.Run("an answer that nobody asked for", func(t *testing.T) {
		who := d.stranger()
		if status, _ := who.get("/oidc/purbalingga/kembali?code=sekali&state=x"); status != http.StatusForbidden {
			t.Errorf("%d", status)
		}
	})
}
