package accounts

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pulih/internal/config"
	"pulih/internal/demo/bsresim"
	"pulih/internal/demo/mailsim"
	"pulih/internal/demo/srikandisim"
	"pulih/internal/store"
	"pulih/mailflow/mailtest"
)

// world has everything that an agency's configuration can name, on loopback: real Dovecot and PostgreSQL, an SMTP server, and the
// simulators of Srikandi and BSrE.
type world struct {
	dir        string
	imap       *mailtest.Dovecot
	smtp       *mailsim.Sim // OpenSMTPD is mailflow's to try; here a sign-in is enough
	database   string
	srikandi   *srikandisim.Server
	gateway    *httptest.Server
	sso, esign *httptest.Server
	bsre       *bsresim.Sim
}

var now = time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{dir: mailtest.Dir(t)}
	w.imap = mailtest.StartDovecotAt(t, w.dir, "tte")
	w.imap.Drop("tte", "1.surat", mailtest.Message(1, 0, time.Now()))
	w.imap.Drop("tte", "2.surat", mailtest.Message(2, 0, time.Now()))
	var err error
	if w.smtp, err = mailsim.Start(mailsim.Options{SMTPUser: "tte", SMTPPassword: mailtest.Password}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.smtp.Close)
	w.srikandi = srikandisim.New(srikandisim.Options{Now: func() time.Time { return now }, ClientID: "pulih", ClientSecret: "rahasia-srikandi"})
	w.gateway = httptest.NewServer(w.srikandi)
	t.Cleanup(w.gateway.Close)
	w.bsre = bsresim.New(bsresim.Options{GatewayUser: "pulih", GatewayPassword: "rahasia-esign"})
	t.Cleanup(w.bsre.Close)
	w.esign = httptest.NewUnstartedServer(w.bsre)
	w.esign.Config.ErrorLog = log.New(io.Discard, "", 0) // of refused certificates, which is what is tried
	w.esign.StartTLS()
	t.Cleanup(w.esign.Close)
	w.sso = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/.well-known/openid-configuration" {
			fmt.Fprintf(rw, `{"issuer": %[1]q, "authorization_endpoint": "%[1]s/masuk", "token_endpoint": "%[1]s/token", "jwks_uri": "%[1]s/kunci"}`, w.sso.URL)
		}
	}))
	t.Cleanup(w.sso.Close)
	cluster, err := store.StartThrowawayCluster(t.Context(), filepath.Join(mailtest.Dir(t), "pg"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cluster.Stop() })
	w.database = cluster.URL()
	w.write(t, "ca.pem", string(certificateOf(t, w.imap.AddrTLS))+string(certificateOf(t, w.esign.Listener.Addr().String())))
	for name, secret := range map[string]string{"sandi": mailtest.Password, "srikandi": "rahasia-srikandi", "esign": "rahasia-esign", "db": w.database, "wrong": "salah-sekali"} {
		w.write(t, name, secret)
	}
	return w
}

func (w *world) write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(w.dir, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// certificateOf asks a server for its certificate: it is its own authority.
func certificateOf(t *testing.T, address string) []byte {
	t.Helper()
	conn, err := tls.Dial("tcp", address, &tls.Config{InsecureSkipVerify: true}) //nolint:gosec // a test's own server on loopback
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: conn.ConnectionState().PeerCertificates[0].Raw})
}

// file is a configuration of that world with some of it replaced: pairs of old and new.
func (w *world) file(replace ...string) string {
	_, imap, _ := net.SplitHostPort(w.imap.AddrTLS)
	_, smtp, _ := net.SplitHostPort(w.smtp.SMTP)
	text := fmt.Sprintf(`state: %[1]s/pulih
database: {url_file: db}
operator: {email: operator@pulih.example}
agencies:
  - key: purbalingga
    prefix: PBG
    name: Pemerintah Kabupaten Purbalingga
    unit: Dinkominfo
    phone: 0281-555010
    hours_text: Senin-Jumat
    domains: [purbalinggakab.go.id]
    sop: purbalingga
    ca_file: ca.pem
    srikandi: {url: '%[2]s', client_id: pulih, client_secret_file: srikandi}
    inbox: {host: 127.0.0.1, port: %[3]s, tls: tls, user: tte, password_file: sandi}
    outbox: {host: 127.0.0.1, port: %[4]s, tls: none, user: tte, password_file: sandi, from: tte@purbalinggakab.go.id}
    bsre:
      esign: {url: '%[5]s', user: pulih, password_file: esign}
      ams: {beid_url: '%[5]s', portal_url: '%[5]s', operator_ip: 203.0.113.7}
    sso: {issuer: '%[6]s', client_id: pulih, client_secret_file: srikandi}
    staff:
      - {id: surya, name: Surya, position: Kadin, email: surya@purbalinggakab.go.id, roles: [head]}
      - {id: rini, name: Rini, position: Verifikator, email: rini@purbalinggakab.go.id, roles: [section, verifier]}
    offices:
      - {id: dinkes, name: Dinas Kesehatan, head: {name: Endah, position: Kepala, email: endah@purbalinggakab.go.id}}
`, w.dir, w.gateway.URL, imap, smtp, w.esign.URL, w.sso.URL)
	return strings.NewReplacer(replace...).Replace(text)
}

func (w *world) try(t *testing.T, replace ...string) map[string]Finding {
	t.Helper()
	c, err := config.Parse([]byte(w.file(replace...)), filepath.Join(w.dir, "pulih.yaml"), os.Getenv)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]Finding{}
	for _, f := range Try(context.Background(), c, now) {
		out[f.Part] = f
	}
	return out
}

func TestAWorkingInstallationIsToldPartByPart(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	got := w.try(t)
	for part, want := range map[string]string{
		"database": "Basis data: tersambung ke PostgreSQL ",
		"state":    "Direktori state: " + w.dir + "/pulih belum ada dan akan dibuat pada awal pertama.",
		"keys":     "Kunci penyegel: belum ada; akan dibuat pada awal pertama. Simpan salinannya di tempat lain.",
		"programs": "Pembaca surat: pdftotext dan tesseract (bahasa Indonesia) tersedia; pembaca berkas terkurung tanpa jaringan dan tanpa berkas lain.",
		"calendar": "Kalender Purbalingga: jam kerja dan hari libur ada sampai Jumat, 31 Desember 2027.",
		"srikandi": "Srikandi Purbalingga: masuk berhasil, daftar naskah terbaca.",
		"inbox":    "Kotak surat Purbalingga: masuk berhasil, 2 pesan di INBOX.",
		"outbox":   "Pengiriman surat Purbalingga: masuk ke " + w.smtp.SMTP + " berhasil.",
		"esign":    "eSign Purbalingga: menjawab pertanyaan status.",
		"beid":     "BeID Purbalingga: dapat dihubungi (tanpa masuk).",
		"portal":   "Portal AMS Purbalingga: dapat dihubungi (tanpa masuk).",
		"sso":      "SSO Purbalingga: mengenalkan diri sebagai layanan masuk.",
	} {
		if f := got[part]; f.State != OK || !strings.HasPrefix(f.Sentence, want) {
			t.Errorf("%s: %s, %q; expected %q", part, f.State, f.Sentence, want)
		}
	}
	// Nothing was changed by it.
	if _, err := os.Stat(filepath.Join(w.dir, "pulih")); !os.IsNotExist(err) {
		t.Error("the check made the state directory")
	}
	if unseen, _ := filepath.Glob(filepath.Join(w.imap.Maildir("tte"), "cur", "*:2,*S*")); len(unseen) > 0 {
		t.Error("the check marked mail as read")
	}
	if calls := w.bsre.Journal(); len(calls) > 0 {
		t.Errorf("the check left %v in BSrE's journal", calls)
	}
}

func TestEachFailureIsASentenceThatSaysWhatToDo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	closed := closedPort(t)
	_, imap, _ := net.SplitHostPort(w.imap.AddrTLS)
	_, plain, _ := net.SplitHostPort(w.imap.Addr)
	_, smtp, _ := net.SplitHostPort(w.smtp.SMTP)
	for _, c := range []struct {
		name, part string
		replace    []string
		want       string
	}{
		{"database gone", "database", []string{"url_file: db", "url_file: gone"}, "Basis data: alamat 127.0.0.1:" + closed + " menolak sambungan; periksa database, dan apakah servernya berjalan."},
		{"Srikandi gone", "srikandi", []string{w.gateway.URL, "http://127.0.0.1:" + closed}, "Srikandi Purbalingga: alamat 127.0.0.1:" + closed + " menolak sambungan; periksa srikandi.url, dan apakah servernya berjalan."},
		{"Srikandi's secret", "srikandi", []string{"client_secret_file: srikandi", "client_secret_file: wrong"}, "Srikandi Purbalingga: server menolak masuk; periksa srikandi.client_id dan client_secret. Jangan dicoba berulang-ulang: akun dapat dibatasi."},
		{"Srikandi's address is another server", "srikandi", []string{w.gateway.URL, w.gateway.URL + "/lain"}, "Srikandi Purbalingga: tersambung, tetapi jawabannya bukan jawaban Srikandi; periksa srikandi.url."},
		{"mailbox gone", "inbox", []string{"port: " + imap, "port: " + closed}, "Kotak surat Purbalingga: alamat 127.0.0.1:" + closed + " menolak sambungan; periksa inbox.host, inbox.port dan inbox.tls, dan apakah servernya berjalan."},
		{"mailbox's password", "inbox", []string{"user: tte, password_file: sandi}", "user: tte, password_file: wrong}"}, "Kotak surat Purbalingga: server 127.0.0.1:" + imap + " menolak masuk; periksa inbox.user dan kata sandi atau tokennya."},
		{"mailbox's folder", "inbox", []string{"user: tte, password_file: sandi}", "user: tte, password_file: sandi, folder: Permohonan}"}, "Kotak surat Purbalingga: masuk berhasil, tetapi folder Permohonan tidak dapat dibuka; periksa inbox.folder."},
		{"mailbox without TLS", "inbox", []string{"port: " + imap, "port: " + plain}, "Kotak surat Purbalingga: alamat 127.0.0.1:" + plain + " tidak memakai TLS; periksa inbox.host, inbox.port dan inbox.tls."},
		{"mailbox of an unknown authority", "inbox", []string{"    ca_file: ca.pem\n", ""}, "Kotak surat Purbalingga: sertifikat TLS 127.0.0.1:" + imap + " tidak dikenal; bila penerbitnya milik instansi sendiri, sebut berkasnya di ca_file."},
		{"SMTP gone", "outbox", []string{"port: " + smtp, "port: " + closed}, "Pengiriman surat Purbalingga: alamat 127.0.0.1:" + closed + " menolak sambungan; periksa outbox.host, outbox.port dan outbox.tls, dan apakah servernya berjalan."},
		{"SMTP password", "outbox", []string{"user: tte, password_file: sandi, from", "user: tte, password_file: wrong, from"}, "Pengiriman surat Purbalingga: server 127.0.0.1:" + smtp + " menolak masuk; periksa outbox.user dan kata sandi atau tokennya."},
		{"eSign's password", "esign", []string{"password_file: esign", "password_file: wrong"}, "eSign Purbalingga: server menolak akun; periksa bsre.esign.user dan kata sandinya."},
		{"eSign of an unknown authority", "esign", []string{"    ca_file: ca.pem\n", ""}, "eSign Purbalingga: sertifikat TLS " + w.esign.Listener.Addr().String() + " tidak dikenal; bila penerbitnya milik instansi sendiri, sebut berkasnya di ca_file."},
		{"portal gone", "portal", []string{"portal_url: '" + w.esign.URL, "portal_url: 'https://127.0.0.1:" + closed}, "Portal AMS Purbalingga: alamat 127.0.0.1:" + closed + " menolak sambungan; periksa bsre.ams.portal_url, dan apakah servernya berjalan."},
		{"sign-on at another address", "sso", []string{w.sso.URL, w.sso.URL + "/lain"}, "SSO Purbalingga: dapat dihubungi, tetapi bukan layanan OpenID Connect di alamat itu; periksa sso.issuer, sampai garis miring terakhirnya."},
		{"state is a file", "state", []string{"/pulih\n", "/db\n"}, "Direktori state: " + w.dir + "/db bukan direktori."},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.name == "database gone" {
				w.write(t, "gone", "postgres://pulih:salah-sekali@127.0.0.1:"+closed+"/pulih")
			}
			got := w.try(t, c.replace...)
			if f := got[c.part]; f.State != Failed || f.Sentence != c.want {
				t.Errorf("%s\ngot  %q\nwant %q", f.State, f.Sentence, c.want)
			}
			for _, f := range got {
				if strings.Contains(f.Sentence, "salah-sekali") || strings.Contains(f.Sentence, "rahasia") || strings.Contains(f.Sentence, mailtest.Password) {
					t.Errorf("a secret stands in %q", f.Sentence)
				}
				alone := !strings.Contains(c.name, "authority") && c.part != "state" // those two touch other parts as well
				if f.Part != c.part && f.State == Failed && alone {
					t.Errorf("%s failed as well: %q", f.Part, f.Sentence)
				}
			}
		})
	}
}

func TestTheEmbeddedDatabaseIsTriedWithoutBeingMade(t *testing.T) {
	t.Parallel()
	if state, words := tryCluster(t.Context()); state != OK {
		t.Errorf("%s: %s", state, words)
	}
}

func TestACalendarThatEndsIsToldTwoMonthsAhead(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("../../../docs/pulih.example.yaml")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "secret"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	data = bytes.ReplaceAll(data, []byte("password_file: secrets/"), []byte("password_file: secret #"))
	data = bytes.ReplaceAll(data, []byte("client_secret_file: secrets/"), []byte("client_secret_file: secret #"))
	data = bytes.ReplaceAll(data, []byte("oauth_token_file: /run"), []byte("oauth_token_file: secret #"))
	c, err := config.Parse(data, filepath.Join(dir, "pulih.yaml"), func(string) string { return "x" })
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []struct {
		at    string
		state State
		words string
	}{
		{"2027-10-31T00:00:00+07:00", OK, "jam kerja dan hari libur ada sampai Jumat, 31 Desember 2027."},
		{"2027-11-03T00:00:00+07:00", Warning, "hari libur hanya ada sampai Jumat, 31 Desember 2027; siapkan berkas tahun berikutnya di closed_days."},
		{"2028-01-01T00:00:00+07:00", Failed, "hari libur tahun 2028 belum ada; isi closed_days."},
	} {
		at, err := time.Parse(time.RFC3339, want.at)
		if err != nil {
			t.Fatal(err)
		}
		if state, words := tryCalendar(&c.Tenants[0], at); state != want.state || words != want.words {
			t.Errorf("%s: %s, %q; expected %s, %q", want.at, state, words, want.state, want.words)
		}
	}
}

// closedPort is a port of loopback at which nobody listens.
func closedPort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return port
}

func TestAFullMailboxWithoutABeginningIsPointedOut(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for i := range manyMessages {
		w.imap.Drop("tte", fmt.Sprintf("%d.lama", i+3), mailtest.Message(i+3, 0, now))
	}
	if f := w.try(t)["inbox"]; f.State != Warning || !strings.Contains(f.Sentence, "202 pesan") || !strings.Contains(f.Sentence, "inbox.since") {
		t.Errorf("%s, %q", f.State, f.Sentence)
	}
	if f := w.try(t, "user: tte, password_file: sandi}", "user: tte, password_file: sandi, since: 2026-11-20}")["inbox"]; f.State != OK {
		t.Errorf("with since: %s, %q", f.State, f.Sentence)
	}
}
