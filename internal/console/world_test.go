package console_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pulih/bsre"
	"pulih/internal/agency"
	"pulih/internal/config"
	"pulih/internal/config/accounts"
	"pulih/internal/console"
	"pulih/internal/demo"
	"pulih/internal/letter"
	"pulih/internal/request"
	"pulih/internal/sop"
	"pulih/internal/store"
	"pulih/internal/store/storetest"
	"pulih/mailflow"
	"pulih/scheduler"
)

// desk is the console on a real database, with the demo's two agencies around it. Its clock stands still until a test moves it.
type desk struct {
	t     testing.TB
	world *demo.World
	store *store.Store
	url   string
	mu    sync.Mutex
	now   time.Time
	mails int
	stub  bool // routes answer without doing anything
}

var monday = time.Date(2026, 11, 23, 9, 0, 0, 0, time.FixedZone("WIB", 7*3600))

func (d *desk) clock() time.Time {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.now
}

func (d *desk) pass(span time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.now = d.now.Add(span)
}

// newDesk opens a desk; change may shape its options.
func newDesk(t testing.TB, change ...func(*console.Options)) *desk {
	t.Helper()
	return openDesk(t, &desk{t: t, now: monday}, change...)
}

func openDesk(t testing.TB, d *desk, change ...func(*console.Options)) *desk {
	t.Helper()
	dir := t.TempDir()
	databaseURL := storetest.New(t)
	var err error
	d.world, err = demo.NewWorld(demo.WorldOptions{Dir: dir, Clock: demo.NewClock(monday, 1), Listen: "127.0.0.1:1", DatabaseURL: databaseURL, Poll: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.world.Close)
	for _, a := range d.world.Config.Agencies() { // the demo's operators are verifiers too, and it has no auditor
		domain := a.Domains[0]
		a.Staff = append(a.Staff, agency.Person{ID: "oka", Name: "Oka Permana", Email: "oka@" + domain, Roles: []sop.Role{sop.Operator}},
			agency.Person{ID: "ayu", Name: "Ayu Larasati", Email: "ayu@" + domain, Roles: []sop.Role{sop.Auditor}})
	}
	keys, err := store.OpenKeys(filepath.Join(dir, "keys"))
	if err != nil {
		t.Fatal(err)
	}
	if d.store, err = store.Open(t.Context(), databaseURL, keys); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.store.Close)
	conf := d.world.Config.Tenants[0].BSrE.AMS
	portal, err := bsre.NewAMS(bsre.AMSConfig{BeIDURL: conf.BeIDURL, PortalURL: conf.PortalURL, OperatorIP: conf.OperatorIP, Now: d.clock})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(nil)
	d.url = "http://localhost:" + server.Listener.Addr().String()[strings.LastIndexByte(server.Listener.Addr().String(), ':')+1:]
	daemon, err := scheduler.New(d.world.Config, d.store, scheduler.Options{Now: d.clock})
	if err != nil {
		t.Fatal(err)
	}
	pack := func(ctx context.Context, key string, from, until time.Time) ([]mailflow.Attached, error) {
		p, err := daemon.Pack(ctx, key, from, until)
		if err != nil {
			return nil, err
		}
		return scheduler.PackFiles(p)
	}
	check := func(ctx context.Context, key string) []accounts.Finding {
		one := *d.world.Config
		one.Tenants = slices.DeleteFunc(slices.Clone(one.Tenants), func(t config.Tenant) bool { return t.Key != key })
		return accounts.Try(ctx, &one, d.clock())
	}
	options := console.Options{Report: daemon.Report, Pack: pack, Check: check, Sentences: func(ctx context.Context) []string { return daemon.Health(ctx).Sentences },
		Store: d.store, Agencies: d.world.Config.Agencies(), PublicURL: d.url, Now: d.clock, Reader: letter.NewReader(letter.Options{}),
		Guide: daemon.Guide,
		AMS: func(key string) *bsre.AMS {
			if key == "purbalingga" {
				return portal
			}
			return nil
		},
		DemoAMS: func(_, person string) (string, string, string) { return d.world.Account(person) }, Demo: true,
	}
	for _, f := range change {
		f(&options)
	}
	handler, err := console.New(options)
	if d.stub {
		handler, err = console.NewStubbed(options)
	}
	if err != nil {
		t.Fatal(err)
	}
	server.Config.Handler = handler
	server.Start()
	t.Cleanup(server.Close)
	return d
}

func (d *desk) agency(key string) *agency.Agency {
	a, ok := d.world.Config.Agency(key)
	if !ok {
		d.t.Fatalf("no agency %s", key)
	}
	return a
}

// mail brings a letter of an office for an official into the archive and reads it, as the scheduler does; change may make it strange.
func (d *desk) mail(key, officeID, nip string, change ...func(*demo.Paper, *demo.Message)) (int64, letter.Reading) {
	d.t.Helper()
	d.mails++
	a := d.agency(key)
	o, _ := a.Office(officeID)
	paper := demo.Paper{Office: o, Agency: a, Number: fmt.Sprintf("800/%d/2026", 100+d.mails), Date: time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC), NIK: d.world.NIK,
		Subject: "Permohonan Reset Passphrase Tanda Tangan Elektronik (TTE)"}
	if f, _, ok := a.Official(nip, ""); ok {
		paper.Applicants = []agency.Official{f}
	}
	m := demo.Message{From: o.Addresses[0], To: a.Address, Subject: paper.Subject, Text: "Yth. Bapak/Ibu,\n\nTerlampir surat permohonan.\n\nTerima kasih.", Name: "surat.pdf",
		At: d.clock().In(a.Zone)}
	m.Data = paper.PDF()
	for _, f := range change {
		m.Data = nil
		f(&paper, &m)
		if m.Data == nil {
			m.Data = paper.PDF()
		}
	}
	m.Subject = paper.Subject
	raw := m.Raw()
	ctx := d.t.Context()
	err := d.store.Inbox(d.clock).Save(ctx, key+"/INBOX", []mailflow.Arrival{{UID: uint32(d.mails), UIDValidity: 1, Raw: raw, Size: int64(len(raw)), InternalDate: d.clock()}},
		mailflow.Cursor{UIDValidity: 1, UID: uint32(d.mails)})
	if err != nil {
		d.t.Fatal(err)
	}
	var id int64
	if err := d.store.Pool.QueryRow(ctx, `SELECT max(id) FROM letters`).Scan(&id); err != nil {
		d.t.Fatal(err)
	}
	r := letter.NewReader(letter.Options{}).Read(ctx, letter.Input{Mail: raw})
	if err := d.store.InTx(ctx, d.clock(), func(tx *store.Tx) error { return tx.MarkRead(id, 1, r.Kind, r) }); err != nil {
		d.t.Fatal(err)
	}
	return id, r
}

// request opens a request from a letter of an office, and has the chain pass it to the verifiers unless it shall stay with the head.
func (d *desk) request(key, officeID, nip string, change ...func(*request.Open)) string {
	d.t.Helper()
	id, r := d.mail(key, officeID, nip)
	return d.requestFrom(key, id, r, nip, change...)
}

// requestFrom opens a request from a letter that was read.
func (d *desk) requestFrom(key string, id int64, r letter.Reading, nip string, change ...func(*request.Open)) string {
	d.t.Helper()
	a := d.agency(key)
	f, o, _ := a.Official(nip, "")
	open := request.Open{Letter: request.Letter{ID: id, Channel: "mail", Number: *r.Letter.Number, Date: "2026-11-23", Subject: *r.Letter.Subject, ReceivedAt: d.clock()},
		Subject: request.Subject{Name: f.Name, NIP: f.NIP, NIK: d.world.NIK(nip), Email: f.Email, Position: f.Position, OfficeID: o.ID, Office: o.Name, Known: true},
		By:      request.Actor{Role: sop.Applicant, Name: o.Name, Via: "mail"}, Findings: r.Findings}
	for _, f := range change {
		f(&open)
	}
	var number string
	err := d.store.InTx(d.t.Context(), d.clock(), func(tx *store.Tx) error {
		s, _, err := tx.Receive(a, d.store.Keys.LetterKeys(open.Letter.Number, open.Letter.Date, nil, "", nip, open.Subject.Name), open)
		number = s.Number
		return err
	})
	if err != nil {
		d.t.Fatal(err)
	}
	return number
}

// atVerifier gives a request to the verifiers.
func (d *desk) atVerifier(key, number string) {
	d.t.Helper()
	if _, err := d.store.Act(d.t.Context(), d.agency(key), number, d.clock(), request.Assign{By: request.System}); err != nil {
		d.t.Fatal(err)
	}
}

func (d *desk) state(number string) request.State {
	d.t.Helper()
	s, err := d.store.State(d.t.Context(), number)
	if err != nil {
		d.t.Fatal(err)
	}
	return s
}

// person is somebody with a browser of their own, without JavaScript.
type person struct {
	d      *desk
	client *http.Client
	plain  bool // sends no Origin
}

func (d *desk) stranger() *person {
	jar, err := cookiejar.New(nil)
	if err != nil {
		d.t.Fatal(err)
	}
	return &person{d: d, client: &http.Client{Jar: jar}}
}

// as signs somebody in through the demo's door.
func (d *desk) as(key, id string) *person {
	d.t.Helper()
	p := d.stranger()
	if status, body := p.get("/demo/" + key + "/" + id); status != http.StatusOK {
		d.t.Fatalf("signing in as %s: %d %s", id, status, body)
	}
	return p
}

func (p *person) get(path string) (status int, body string) {
	p.d.t.Helper()
	return p.read(p.client.Get(p.d.url + path))
}

func (p *person) post(path string, form url.Values) (status int, body string) {
	p.d.t.Helper()
	req, err := http.NewRequestWithContext(p.d.t.Context(), http.MethodPost, p.d.url+path, strings.NewReader(form.Encode()))
	if err != nil {
		p.d.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if !p.plain {
		req.Header.Set("Origin", p.d.url)
	}
	return p.read(p.client.Do(req))
}

func (p *person) read(res *http.Response, err error) (int, string) {
	p.d.t.Helper()
	if err != nil {
		p.d.t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		p.d.t.Fatal(err)
	}
	return res.StatusCode, string(body)
}
