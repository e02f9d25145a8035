package console_test

import (
	"bytes"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pulih/internal/console"
	"pulih/internal/demo"
	"pulih/internal/letter"
	"pulih/internal/request"
	"pulih/internal/store"
	"pulih/mailflow"
)

// real is a desk as an office has it: no door of the demo.
func real(o *console.Options) { o.Demo, o.DemoAMS = false, nil }

// lastLink is the newest sign-in link as its mail would bring it.
func (d *desk) lastLink() string {
	d.t.Helper()
	var id, items string
	err := d.store.Pool.QueryRow(d.t.Context(), `SELECT items->0->>'text', items::text FROM outbox WHERE template = 'sign-in-link' ORDER BY id DESC LIMIT 1`).Scan(&id, &items)
	if err != nil {
		d.t.Fatal(err)
	}
	secret, _, err := d.store.SignInSecret(d.t.Context(), id, d.clock())
	if err != nil {
		d.t.Fatal(err)
	}
	if strings.Contains(items, secret) {
		d.t.Error("the outbox holds the link in the clear")
	}
	return strings.TrimPrefix(console.LinkURL(d.url, secret), d.url)
}

func TestSignInByMailedLink(t *testing.T) {
	t.Parallel()
	d := newDesk(t, real)
	surya := d.stranger()
	if status, body := surya.post("/masuk", url.Values{"alamat": {"Surya@purbalinggakab.go.id"}, "ke": {"/purbalingga/kantor"}}); status != 200 || !strings.Contains(body, "tautan masuk dikirim") {
		t.Fatalf("asking for a link: %d %s", status, body)
	}
	link := d.lastLink()
	if status, body := surya.get(link); status != 200 || !strings.Contains(body, "Surya Hadiningrat") {
		t.Fatalf("opening the link: %d %s", status, body)
	}
	if got := surya.ask("GET /{agency}", "purbalingga"); got != http.StatusSeeOther {
		t.Errorf("opening the link alone signed somebody in: %d", got)
	}
	if status, body := surya.post(link, nil); status != 200 || !strings.Contains(body, "Kantor dan pejabat") {
		t.Fatalf("using the link doesn't lead where the person wanted to go: %d %s", status, body)
	}
	t.Run("reuse", func(t *testing.T) {
		if status, body := surya.post(link, nil); status != http.StatusGone || !strings.Contains(body, "sudah dipakai") {
			t.Errorf("a used link: %d %s", status, body)
		}
	})
	t.Run("sign out", func(t *testing.T) {
		surya.post("/keluar", nil)
		if got := surya.ask("GET /{agency}", "purbalingga"); got != http.StatusSeeOther {
			t.Errorf("after signing out: %d", got)
		}
	})
}

func TestLinkOpensNothingElsewhereOrLater(t *testing.T) {
	t.Parallel()
	d := newDesk(t, real)
	surya, thief := d.stranger(), d.stranger()
	surya.post("/masuk", url.Values{"alamat": {"surya@purbalinggakab.go.id"}})
	link := d.lastLink()
	for name, who := range map[string]*person{"a browser that asked for nothing": thief, "a browser that asked for another link": d.asked("laras@purbalinggakab.go.id")} {
		for _, got := range []int{first(who.get(link)), first(who.post(link, nil))} {
			if got != http.StatusForbidden {
				t.Errorf("%s: %d", name, got)
			}
		}
	}
	d.pass(store.SignInSpan + time.Second)
	if status, _ := surya.post(link, nil); status != http.StatusGone {
		t.Errorf("after a quarter of an hour: %d", status)
	}
}

func first(status int, _ string) int { return status }

// asked is a browser in which somebody asked for a link.
func (d *desk) asked(address string) *person {
	p := d.stranger()
	p.post("/masuk", url.Values{"alamat": {address}})
	return p
}

// The page doesn't tell who works for the agency, and mails nobody else.
func TestSignInTellsNothing(t *testing.T) {
	t.Parallel()
	d := newDesk(t, real)
	_, known := d.stranger().post("/masuk", url.Values{"alamat": {"surya@purbalinggakab.go.id"}})
	_, unknown := d.stranger().post("/masuk", url.Values{"alamat": {"siapa@purbalinggakab.go.id"}})
	if strings.ReplaceAll(known, "surya@", "siapa@") != unknown {
		t.Error("the answer differs for a known address")
	}
	var mails int
	if err := d.store.Pool.QueryRow(t.Context(), `SELECT count(*) FROM outbox`).Scan(&mails); err != nil || mails != 1 {
		t.Errorf("%d mails, want 1 (%v)", mails, err)
	}
}

func TestThousandTriesGetNowhere(t *testing.T) {
	t.Parallel()
	d := newDesk(t, real)
	surya := d.asked("surya@purbalinggakab.go.id")
	link := d.lastLink()
	refused := 0
	for i := range 1000 {
		guess := fmt.Sprintf("/masuk/tautan/%043d", i)
		if status, _ := d.stranger().get(guess); status == http.StatusTooManyRequests {
			refused++
		} else if status != http.StatusGone {
			t.Fatalf("guess %d: %d", i, status)
		}
	}
	if refused < 900 {
		t.Errorf("only %d of 1000 guesses were refused", refused)
	}
	d.pass(11 * time.Minute)
	if status, _ := surya.post(link, nil); status != http.StatusOK {
		t.Errorf("the link's owner, later: %d", status)
	}
	mails := func() (n int) {
		if err := d.store.Pool.QueryRow(t.Context(), `SELECT count(*) FROM outbox`).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	before := mails()
	for range 50 {
		d.asked("laras@purbalinggakab.go.id")
	}
	if got := mails() - before; got > 5 {
		t.Errorf("%d mails to one person within ten minutes", got)
	}
}

// Behind a reverse proxy visitors are told apart by the address that it adds; what a visitor forges before it changes nothing.
func TestVisitorsBehindAProxyAreToldApart(t *testing.T) {
	t.Parallel()
	d := newDesk(t, real)
	try := func(forwarded string) int {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, d.url+"/masuk/tautan/tebakan", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("X-Forwarded-For", forwarded)
		return first(d.stranger().read(http.DefaultClient.Do(req)))
	}
	last := 0
	for i := range 100 {
		last = try(fmt.Sprintf("198.51.100.%d, 203.0.113.7", i))
	}
	if last != http.StatusTooManyRequests {
		t.Errorf("the hundredth guess of one visitor, each with another forged address: %d", last)
	}
	if got := try("203.0.113.8"); got != http.StatusGone {
		t.Errorf("another visitor: %d", got)
	}
	for i := range 100 {
		last = try(fmt.Sprintf("2001:db8:1:2::%x", i+1))
	}
	if last != http.StatusTooManyRequests {
		t.Errorf("the hundredth guess from one network of IPv6: %d", last)
	}
}

// A cookie that was planted before the sign-in is worth nothing after it.
func TestSessionFixation(t *testing.T) {
	t.Parallel()
	d := newDesk(t, real)
	victim := d.stranger()
	at, _ := url.Parse(d.url)
	victim.client.Jar.SetCookies(at, []*http.Cookie{{Name: "pulih", Value: "ditanam-penyerang-0123456789", Path: "/"}})
	victim.post("/masuk", url.Values{"alamat": {"surya@purbalinggakab.go.id"}})
	victim.post(d.lastLink(), nil)
	if got := victim.ask("GET /{agency}", "purbalingga"); got != http.StatusOK {
		t.Fatalf("signed in: %d", got)
	}
	attacker := d.stranger()
	attacker.client.Jar.SetCookies(at, []*http.Cookie{{Name: "pulih", Value: "ditanam-penyerang-0123456789", Path: "/"}})
	if got := attacker.ask("GET /{agency}", "purbalingga"); got != http.StatusSeeOther {
		t.Errorf("the planted cookie opens the desk: %d", got)
	}
}

// Forms that other sites send are refused, by each sign that a browser gives; so is what has no sign at all.
func TestCrossSiteRequestForgery(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	number := d.request("purbalingga", "dindikbud", "198504222010011912")
	d.atVerifier("purbalingga", number)
	rini := d.as("purbalingga", "rini")
	for name, headers := range map[string]map[string]string{
		"another origin":       {"Origin": "https://jahat.example"},
		"another port":         {"Origin": "http://localhost:1"},
		"null origin":          {"Origin": "null"},
		"cross-site":           {"Sec-Fetch-Site": "cross-site", "Origin": d.url},
		"same-site subdomain":  {"Sec-Fetch-Site": "same-site", "Origin": d.url},
		"no sign of a browser": {},
	} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, d.url+"/purbalingga/permohonan/"+number+"/tolak", strings.NewReader("alasan=palsu"))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		for k, v := range headers {
			req.Header.Set(k, v)
		}
		if status, _ := rini.read(rini.client.Do(req)); status != http.StatusForbidden {
			t.Errorf("%s: %d", name, status)
		}
	}
	if s := d.state(number); s.Status != request.StatusChecking {
		t.Errorf("the request is %s", s.Status)
	}
}

func TestHeaders(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	res, err := d.stranger().client.Get(d.url + "/")
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	for name, want := range map[string]string{"X-Frame-Options": "DENY", "X-Content-Type-Options": "nosniff", "Cache-Control": "no-store", "Referrer-Policy": "same-origin"} {
		if got := res.Header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	policy := res.Header.Get("Content-Security-Policy")
	for _, want := range []string{"default-src 'none'", "frame-ancestors 'none'", "script-src 'self'", "form-action 'self'", "base-uri 'none'"} {
		if !strings.Contains(policy, want) {
			t.Errorf("the policy lacks %q: %s", want, policy)
		}
	}
	if strings.Contains(policy, "unsafe") {
		t.Errorf("the policy allows what is inline: %s", policy)
	}
}

// Beyond this machine cookies are sent over TLS alone, and to no script.
func TestCookiesAreSecure(t *testing.T) {
	t.Parallel()
	d := newDesk(t, real, func(o *console.Options) { o.PublicURL = "https://tte.purbalinggakab.go.id" })
	req, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, d.url+"/masuk", strings.NewReader("alamat=surya%40purbalinggakab.go.id"))
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Sec-Fetch-Site", "same-origin")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	if len(res.Cookies()) == 0 {
		t.Fatal("no cookie marks the browser")
	}
	for _, c := range res.Cookies() {
		if !c.Secure || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || !strings.HasPrefix(c.Name, "__Host-") || c.Path != "/" || c.Domain != "" {
			t.Errorf("cookie %s", c.Raw)
		}
	}
	if res.Header.Get("Strict-Transport-Security") == "" {
		t.Error("browsers aren't told to stay with TLS")
	}
}

// What belongs to one agency can't be reached from the desk of another, by guessing its numbers: not to read, and not to change.
func TestIDsOfAnotherAgency(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	number := d.request("purbalingga", "dindikbud", "198504222010011912")
	d.atVerifier("purbalingga", number)
	letter, _ := d.mail("purbalingga", "dindikbud", "198504222010011912")
	doubt := d.doubt("purbalingga", number, letter, "198504222010011912")
	rini := d.as("purbalingga", "rini")
	rini.post("/purbalingga/pengaduan", url.Values{"saluran": {"telephone"}, "waktu": {monday.Format("2006-01-02T15:04")}, "isi": {"Lambat."}})
	rini.post("/purbalingga/kantor/dinkes/pejabat", url.Values{"nama": {"dr. Fajar Setiadi"}, "nip": {fajar}, "surel": {"baru@purbalinggakab.go.id"}, "tempat": {"official"}})
	var visit int64
	if err := d.store.Pool.QueryRow(t.Context(), `SELECT id FROM visits WHERE agency = 'purbalingga'`).Scan(&visit); err != nil {
		t.Fatal(err)
	}
	before := d.state(number).Version
	form := url.Values{"alasan": {"x"}, "catatan": {"x"}, "putusan": {"join"}, "jenis": {"other"}, "terima": {"ya"}, "teks": {"x"}, "nama": {"X"}, "kepada": {"citra"}, "nomor": {number}}
	for _, id := range []string{"citra", "hendra", "oka", "ayu"} {
		who := d.as("madiun", id)
		for pattern := range matrix {
			if !strings.Contains(strings.TrimPrefix(pattern[strings.Index(pattern, "/"):], "/{agency}"), "{") || strings.Contains(pattern, "{month}") {
				continue
			}
			method, path, _ := strings.Cut(pattern, " ")
			of := fmt.Sprint(letter)
			switch {
			case strings.Contains(path, "/ragu/"):
				of = fmt.Sprint(doubt)
			case strings.Contains(path, "/sesi/"):
				of = fmt.Sprint(visit)
			case strings.Contains(path, "/usul/"):
				of = "1"
			}
			what := number
			if strings.Contains(path, "/pengaduan/") {
				what = "PBG-P-2026-000001"
			}
			path = strings.NewReplacer("{agency}", "madiun", "{number}", what, "{id}", of, "{file}", "0", "{page}", "1", "{office}", "dindikbud", "{act}", "catatan").Replace(path)
			status := 0
			if method == "GET" {
				status, _ = who.get(path)
			} else {
				status, _ = who.post(path, form)
			}
			if status != http.StatusNotFound {
				t.Errorf("%s, %s %s: %d", id, method, path, status)
			}
		}
	}
	if got := d.state(number).Version; got != before {
		t.Errorf("the request has %d events, had %d", got, before)
	}
	if q, err := d.store.Doubt(t.Context(), doubt); err != nil || q.Verdict != "" {
		t.Errorf("the doubt was settled: %q, %v", q.Verdict, err)
	}
	if got := rini.ask("GET /{agency}", "purbalingga"); got != http.StatusOK {
		t.Errorf("the visit was ended: %d", got)
	}
}

const evil = `"><img src=x onerror=alert(1)><script>alert(2)</script>`

// What strangers write comes out as text, in each page that shows it: subject, name, file name, the text of mail and PDF, complaints, notes.
func TestStoredScriptsStayText(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	id, r := d.mail("purbalingga", "dindikbud", "198504222010011912", func(p *demo.Paper, m *demo.Message) {
		p.Subject, m.Name, m.Text = "Permohonan Reset Passphrase TTE "+evil, "../../"+evil+".pdf", "Lampiran "+evil
		p.Applicants[0].Name = "Wahyu " + evil
	})
	number := d.request("purbalingga", "dindikbud", "198504222010011912", func(o *request.Open) {
		o.Letter.ID, o.Letter.Subject, o.Letter.Number = id, evil, evil
		o.Subject.Name, o.Subject.Office, o.Subject.Position = evil, evil, evil
		o.Findings = append(r.Findings, letter.Finding{Code: "x", Severity: letter.Danger, Detail: evil})
	})
	d.atVerifier("purbalingga", number)
	galih := d.as("purbalingga", "galih")
	if status, body := galih.post("/purbalingga/permohonan/"+number+"/catatan", url.Values{"catatan": {evil}}); status != 200 {
		t.Fatalf("%d %s", status, body)
	}
	galih.post("/purbalingga/pengaduan", url.Values{"saluran": {"telephone"}, "waktu": {monday.Format("2006-01-02T15:04")}, "isi": {evil}, "nama": {evil}})
	unclear, _ := d.mail("purbalingga", "dinkes", "", func(p *demo.Paper, m *demo.Message) {
		p.Subject, p.Body, m.Name = "Permohonan Tanda Tangan Elektronik "+evil, "Mohon layanan: Pembuatan Baru / Reset *) "+evil, evil
	})
	status := mailflow.StatusPath(d.store.Keys.Derive("status-link"), number, mailflow.ForApplicant)
	doubt := d.doubt("purbalingga", number, unclear, "198504222010011912")
	for _, path := range []string{fmt.Sprintf("/purbalingga/ragu/%d", doubt), "/purbalingga", "/purbalingga?cari=" + url.QueryEscape(evil), "/purbalingga/permohonan/" + number, "/purbalingga/surat",
		fmt.Sprintf("/purbalingga/surat/%d", id), fmt.Sprintf("/purbalingga/surat/%d", unclear), "/purbalingga/pengaduan", "/purbalingga/pimpinan", "/purbalingga/sistem",
		"/purbalingga/kantor?cari=" + url.QueryEscape(evil), status, "/masuk?ke=" + url.QueryEscape(evil)} {
		_, body := galih.get(path)
		if strings.Contains(body, "<img src=x") || strings.Contains(body, "<script>alert") || strings.Contains(body, `"><img`) {
			t.Errorf("%s runs what a stranger wrote", path)
		}
	}
}

// Files go out as downloads with a name that is a name, and never as a page.
func TestDownloadsAreInert(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	id, _ := d.mail("purbalingga", "dindikbud", "198504222010011912", func(p *demo.Paper, m *demo.Message) {
		m.Name, m.Data = "../../etc/passwd\u202efdp.html", []byte("<script>alert(1)</script>")
	})
	rini := d.as("purbalingga", "rini")
	res, err := rini.client.Get(fmt.Sprintf("%s/purbalingga/surat/%d/berkas/0", d.url, id))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, _ := io.ReadAll(res.Body)
	if res.StatusCode != 200 || string(body) != "<script>alert(1)</script>" {
		t.Errorf("%d %q", res.StatusCode, body)
	}
	if got := res.Header.Get("Content-Type"); got != "application/octet-stream" {
		t.Errorf("type %q", got)
	}
	name := res.Header.Get("Content-Disposition")
	if !strings.HasPrefix(name, "attachment;") || strings.Contains(name, "/") || strings.Contains(name, "..") || strings.Contains(name, "\u202e") {
		t.Errorf("name %q", name)
	}
	if res.Header.Get("X-Content-Type-Options") != "nosniff" || !strings.Contains(res.Header.Get("Content-Security-Policy"), "sandbox") {
		t.Errorf("headers %v", res.Header)
	}
	for _, path := range []string{"/purbalingga/surat/%d/berkas/-1", "/purbalingga/surat/%d/berkas/99", "/purbalingga/surat/%d/berkas/../0", "/purbalingga/surat/%d/lembar/0/1",
		"/purbalingga/surat/999%d/berkas/0", "/aset/../console.go%d", "/aset/x/..%%2f..%%2f%d"} {
		if status, _ := rini.get(fmt.Sprintf(path, id)); status != http.StatusNotFound {
			t.Errorf("%s: %d", path, status)
		}
	}
}

func TestUploadsAreBounded(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	rini := d.as("purbalingga", "rini")
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	part, err := form.CreateFormFile("berkas", "daftar.csv")
	if err != nil {
		t.Fatal(err)
	}
	_, _ = part.Write(bytes.Repeat([]byte("x;"), 2<<20))
	_ = form.Close()
	req, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, d.url+"/purbalingga/kantor/impor", &body)
	req.Header.Set("Content-Type", form.FormDataContentType())
	req.Header.Set("Origin", d.url)
	if status, text := rini.read(rini.client.Do(req)); status != http.StatusRequestEntityTooLarge {
		t.Errorf("4 MB: %d %.200s", status, text)
	}
	if status, _ := rini.post("/purbalingga/permohonan/PBG-2026-000001/catatan", url.Values{"catatan": {strings.Repeat("x", 3<<20)}}); status == http.StatusOK {
		t.Error("a note of 3 MB was taken")
	}
}

// The demo's door opens on this machine alone, and only in a demo.
func TestDemoDoorIsShut(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*console.Options){
		"no demo": real, "public address": func(o *console.Options) { o.PublicURL = "https://tte.purbalinggakab.go.id" },
	} {
		d := newDesk(t, change)
		if status, _ := d.stranger().get("/demo/purbalingga/rini"); status != http.StatusNotFound {
			t.Errorf("%s: %d", name, status)
		}
	}
}

// Status links are signed: another number, another audience or no signature shows nothing.
func TestStatusLinksAreSigned(t *testing.T) {
	t.Parallel()
	d := newDesk(t, real)
	number := d.request("purbalingga", "dindikbud", "198504222010011912")
	other := d.request("purbalingga", "dinkes", "198007192009031914")
	key := d.store.Keys.Derive("status-link")
	good := mailflow.StatusPath(key, number, mailflow.ForApplicant)
	who := d.stranger()
	if status, body := who.get(good); status != 200 || !strings.Contains(body, number) {
		t.Fatalf("%d %s", status, body)
	}
	for _, bad := range []string{strings.Replace(good, number, other, 1), strings.Replace(good, "/p/", "/k/", 1), good[:len(good)-1], good[:len(good)-3] + "AAA",
		mailflow.StatusPath([]byte("anderer"), number, mailflow.ForApplicant), strings.Replace(good, "/p/", "/x/", 1)} {
		if status, _ := who.get(bad); status != http.StatusNotFound {
			t.Errorf("%s: %d", bad, status)
		}
		if status, _ := who.post(bad, url.Values{"jawab": {"sudah"}}); status != http.StatusNotFound {
			t.Errorf("POST %s: %d", bad, status)
		}
	}
	office := mailflow.StatusPath(key, number, mailflow.ForOffice)
	if status, body := who.get(office); status != 200 || strings.Contains(body, "wahyu.nugroho@") {
		t.Errorf("the office's page shows the applicant's address: %d", status)
	}
	for _, secret := range []string{"198504222010011912", d.world.NIK("198504222010011912")} {
		for _, path := range []string{good, office} {
			if _, body := who.get(path); strings.Contains(body, secret) {
				t.Errorf("%s shows an identity number", path)
			}
		}
	}
}

// Of many clicks on one link at the same time, one begins a visit.
func TestLinkIsSpentOnce(t *testing.T) {
	t.Parallel()
	d := newDesk(t, real)
	surya := d.asked("surya@purbalinggakab.go.id")
	link := d.lastLink()
	var wins atomic.Int32
	var clicks sync.WaitGroup
	for range 12 {
		clicks.Go(func() {
			still := *surya
			client := *surya.client
			client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
			still.client = &client
			if status, _ := still.post(link, nil); status == http.StatusSeeOther {
				wins.Add(1)
			}
		})
	}
	clicks.Wait()
	var visits int
	if err := d.store.Pool.QueryRow(t.Context(), `SELECT count(*) FROM visits`).Scan(&visits); err != nil || visits != 1 || wins.Load() != 1 {
		t.Errorf("%d clicks won, %d visits (%v)", wins.Load(), visits, err)
	}
}
