package scheduler

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"

	"pulih/internal/config"
	"pulih/internal/letter"
	"pulih/internal/sop"
	"pulih/internal/store"
	"pulih/internal/store/storetest"
	"pulih/mailflow"
	"pulih/migrations"
)

func TestMain(m *testing.M) {
	letter.ChildMain()
	storetest.Main(m, func(ctx context.Context, url string) error {
		pool, err := pgxpool.New(ctx, url)
		if err != nil {
			return err
		}
		defer pool.Close()
		return migrations.Apply(ctx, pool)
	})
}

// office is one agency at work on a real database and a clock that only the test moves. No partner is connected: letters are laid into
// the archive as the inbox does, and jobs run when the test says so.
type office struct {
	*Daemon
	t   *testing.T
	url string
	*tenant

	mu  sync.Mutex
	at  time.Time
	uid uint32
}

// begin opens the office at an instant ("2026-11-16 08.00", WIB); edit changes its configuration.
func begin(t *testing.T, at string, edit ...func(yaml string) string) *office {
	t.Helper()
	o := &office{t: t, url: storetest.New(t)}
	o.at = o.wib(at)
	o.Daemon = o.daemon(edit...)
	o.tenant = o.Daemon.order[0]
	return o
}

// daemon is one more daemon on the same database.
func (o *office) daemon(edit ...func(yaml string) string) *Daemon {
	o.t.Helper()
	dir := o.t.TempDir()
	secret := filepath.Join(dir, "secret")
	if err := os.WriteFile(secret, []byte("rahasia-uji\n"), 0o600); err != nil {
		o.t.Fatal(err)
	}
	text := officeYAML
	for _, f := range edit {
		text = f(text)
	}
	text = strings.NewReplacer("SECRET", secret, "STATE", dir, "DAYS", o.closedDays(dir)).Replace(text)
	cfg, err := config.Parse([]byte(text), filepath.Join(dir, "pulih.yaml"), os.Getenv)
	if err != nil {
		o.t.Fatal(err)
	}
	keys, err := store.OpenKeys(filepath.Join(filepath.Dir(o.keyFile()), "keys"))
	if err != nil {
		o.t.Fatal(err)
	}
	st, err := store.Open(o.t.Context(), o.url, keys)
	if err != nil {
		o.t.Fatal(err)
	}
	o.t.Cleanup(st.Close)
	d, err := New(cfg, st, Options{Now: o.now, Fast: true})
	if err != nil {
		o.t.Fatal(err)
	}
	return d
}

// closedDays is a file with the shipped closed days and one more: Tuesday, 17 November 2026.
func (o *office) closedDays(dir string) string {
	o.t.Helper()
	text := "date,kind,name,decree\n"
	for _, d := range sop.ShippedClosedDays() {
		text += fmt.Sprintf("%s,%s,%q,%q\n", d.Date, d.Kind, d.Name, d.Decree)
	}
	path := filepath.Join(dir, "libur.csv")
	if err := os.WriteFile(path, []byte(text+"2026-11-17,local,Hari uji,\n"), 0o600); err != nil {
		o.t.Fatal(err)
	}
	return path
}

var keyDirs sync.Map

// keyFile is shared by all daemons of one database.
func (o *office) keyFile() string {
	dir, _ := keyDirs.LoadOrStore(o.url, o.t.TempDir())
	return filepath.Join(dir.(string), "keys")
}

func (o *office) now() time.Time {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.at
}

func (o *office) set(at time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.at = at
}

func (o *office) clock(at string) { o.set(o.wib(at)) }

func (o *office) wib(s string) time.Time {
	o.t.Helper()
	at, err := time.ParseInLocation("2006-01-02 15.04", s, time.FixedZone("WIB", 7*3600))
	if err != nil {
		o.t.Fatal(err)
	}
	return at
}

// mail lays a mail into the inbox and reads it. Head lines beyond the usual may be given.
func (o *office) mail(from, subject, text string, head ...string) store.Letter {
	o.t.Helper()
	return o.mailAs(from, subject, text, "text/plain; charset=utf-8", head...)
}

func (o *office) mailAs(from, subject, text, contentType string, head ...string) store.Letter {
	o.t.Helper()
	o.uid++
	lines := append([]string{
		"From: " + from, "To: tte@purbalinggakab.go.id", "Subject: " + subject, "Date: " + o.now().Format(time.RFC1123Z),
		fmt.Sprintf("Message-ID: <%d.%d@pengirim.example>", o.uid, o.now().UnixNano()), "MIME-Version: 1.0", "Content-Type: " + contentType,
	}, head...)
	raw := []byte(strings.Join(lines, "\r\n") + "\r\n\r\n" + strings.ReplaceAll(text, "\n", "\r\n") + "\r\n")
	err := o.store.Inbox(o.now).Save(o.t.Context(), "purbalingga/INBOX",
		[]mailflow.Arrival{{UIDValidity: 1, UID: o.uid, Raw: raw, Size: int64(len(raw)), InternalDate: o.now()}}, mailflow.Cursor{UIDValidity: 1, UID: o.uid})
	if err != nil {
		o.t.Fatal(err)
	}
	return o.read()
}

// read reads the newest letter, as its job does.
func (o *office) read() store.Letter {
	o.t.Helper()
	var id int64
	var version int
	if err := o.store.Pool.QueryRow(o.t.Context(), `SELECT id, version FROM letters ORDER BY id DESC LIMIT 1`).Scan(&id, &version); err != nil {
		o.t.Fatal(err)
	}
	worker := &readWorker{d: o.Daemon}
	if err := worker.Work(o.t.Context(), &river.Job[store.ReadLetter]{Args: store.ReadLetter{LetterID: id, Version: version}}); err != nil {
		o.t.Fatal(err)
	}
	l, err := o.store.Letter(o.t.Context(), id)
	if err != nil {
		o.t.Fatal(err)
	}
	return l
}

// outbox lists all mails so far as "template > address", the oldest first.
func (o *office) outbox() []string {
	o.t.Helper()
	rows, err := o.store.Pool.Query(o.t.Context(), `SELECT template || ' > ' || address FROM outbox ORDER BY id`)
	if err != nil {
		o.t.Fatal(err)
	}
	var list []string
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			o.t.Fatal(err)
		}
		list = append(list, s)
	}
	return list
}

// last renders the newest mail of a template; "" where it isn't sent.
func (o *office) last(template string) mailflow.Rendered {
	o.t.Helper()
	var id int64
	if err := o.store.Pool.QueryRow(o.t.Context(), `SELECT id FROM outbox WHERE template = $1 ORDER BY id DESC LIMIT 1`, template).Scan(&id); err != nil {
		o.t.Fatalf("no mail %s: %v", template, err)
	}
	m, err := o.store.Outgoing(o.t.Context(), id)
	if err != nil {
		o.t.Fatal(err)
	}
	e, send, err := o.envelope(o.t.Context(), o.tenant, m)
	if err != nil {
		o.t.Fatal(err)
	}
	if !send {
		return mailflow.Rendered{}
	}
	// As the worker books it, so that answers and bounces find it.
	if ok, err := o.store.Dial(o.t.Context(), id, e.MessageID, e); err != nil || !ok {
		o.t.Fatal(ok, err)
	}
	if err := o.store.Settle(o.t.Context(), id, "sent", "250 ok", o.now()); err != nil {
		o.t.Fatal(err)
	}
	return mailflow.Rendered{Subject: e.Subject, Text: e.Text, HTML: e.HTML}
}

// idOf is the Message-ID of the newest mail of a template.
func (o *office) idOf(template string) string {
	o.t.Helper()
	var id string
	if err := o.store.Pool.QueryRow(o.t.Context(), `SELECT message_id FROM outbox WHERE template = $1 AND message_id IS NOT NULL ORDER BY id DESC LIMIT 1`, template).Scan(&id); err != nil {
		o.t.Fatal(err)
	}
	return id
}

func count(list []string, prefix string) int {
	n := 0
	for _, s := range list {
		if strings.HasPrefix(s, prefix) {
			n++
		}
	}
	return n
}

const officeYAML = `
state: STATE
operator:
  email: operator@purbalinggakab.go.id
agencies:
  - key: purbalingga
    prefix: PBG
    name: Pemerintah Kabupaten Purbalingga
    unit: Dinkominfo Kabupaten Purbalingga
    phone: (0281) 555010
    hours_text: Senin-Kamis 07.30-16.00, Jumat 07.30-16.30 WIB
    domains: [purbalinggakab.go.id]
    sop: purbalingga
    rules:
      mail_skips_chain: true
    inbox:
      host: 127.0.0.1
      port: 1
      tls: none
      user: tte@purbalinggakab.go.id
      password_file: SECRET
      authserv_id: mx.purbalinggakab.go.id
    outbox:
      host: 127.0.0.1
      port: 1
      tls: none
      from: tte@purbalinggakab.go.id
    staff:
      - {id: surya, name: "Drs. Surya Hadiningrat, M.Si.", nip: "196802141993031901", position: Kepala Dinas, email: surya@purbalinggakab.go.id, roles: [head]}
      - {id: laras, name: "Laras Puspitasari, S.T.", nip: "197409032000032902", position: Kepala Bidang Informatika, email: laras@purbalinggakab.go.id, roles: [division]}
      - {id: bagas, name: "Bagas Wirayuda, S.Kom.", nip: "198206172008011903", position: Pranata Komputer Ahli Muda, email: bagas@purbalinggakab.go.id, roles: [section]}
      - {id: rini, name: "Rini Wulandari, S.Kom.", nip: "199001252019032904", position: Pranata Komputer Ahli Pertama, email: rini@purbalinggakab.go.id, roles: [verifier]}
      - {id: galih, name: "Galih Prasetyo, A.Md.", nip: "199508112022031905", position: Pranata Komputer Terampil, email: galih@purbalinggakab.go.id, roles: [verifier]}
    offices:
      - id: dindikbud
        name: Dinas Pendidikan dan Kebudayaan
        addresses: [dindikbud@purbalinggakab.go.id]
        head: {name: "Tri Handayani, S.Pd., M.M.", nip: "197105301997022911", position: Kepala Dinas Pendidikan dan Kebudayaan, email: tri.handayani@purbalinggakab.go.id}
        officials:
          - {name: "Wahyu Nugroho, S.Pd.", nip: "198504222010011912", position: Kepala Bidang Pembinaan SD, email: wahyu.nugroho@purbalinggakab.go.id}
      - id: dinkes
        name: Dinas Kesehatan
        addresses: [dinkes@purbalinggakab.go.id]
        head: {name: "drg. Endah Kusumastuti, M.Kes.", nip: "197001081999032913", position: Kepala Dinas Kesehatan, email: endah.kusumastuti@purbalinggakab.go.id}
`
