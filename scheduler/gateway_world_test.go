package scheduler_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"pulih/internal/agency"
	"pulih/internal/config"
	"pulih/internal/demo"
	"pulih/internal/demo/srikandisim"
	"pulih/internal/request"
	"pulih/internal/sop"
	"pulih/internal/store"
	"pulih/internal/store/storetest"
	"pulih/scheduler"
)

var wib = time.FixedZone("WIB", 7*3600)

// desk is an agency whose daemon reads a simulated Srikandi into a real database, on a clock that the test moves.
type desk struct {
	t      testing.TB
	sim    *srikandisim.Server
	url    string // of the simulator
	smtp   string
	db     string
	dir    string
	config string // path
	cfg    *config.Config
	a      *agency.Agency
	store  *store.Store

	mu  sync.Mutex
	now time.Time

	delay  time.Duration // of each call; set before the first
	broken sync.Map      // ids of letters that can't be had by themselves, and the status that they answer
}

// setUp begins on Monday at half past eight. People is how many officials the one office has.
func setUp(t testing.TB, people int, opt srikandisim.Options, edit ...func(yaml string) string) *desk {
	t.Helper()
	return setUpOn(t, storetest.New(t), people, opt, edit...)
}

// setUpOn is setUp on a migrated database.
func setUpOn(t testing.TB, db string, people int, opt srikandisim.Options, edit ...func(yaml string) string) *desk {
	t.Helper()
	d := &desk{t: t, now: time.Date(2026, 11, 23, 8, 30, 0, 0, wib), db: db, dir: t.TempDir()}
	if opt.Now == nil {
		opt.Now = d.Now
	}
	opt.Zone, opt.ClientID, opt.ClientSecret = wib, "pulih", secret
	d.sim = srikandisim.New(opt)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select { // the way to the gateway and back
		case <-time.After(d.delay):
		case <-r.Context().Done():
			return
		}
		if status, broken := d.broken.Load(path.Base(r.URL.Path)); broken {
			w.WriteHeader(status.(int))
			return
		}
		d.sim.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	d.url, d.smtp = server.URL, sinkSMTP(t)
	d.configure(people, edit...)
	return d
}

const secret = "rahasia-uji"

func (d *desk) configure(people int, edit ...func(string) string) {
	d.t.Helper()
	host, port, err := net.SplitHostPort(d.smtp)
	if err != nil {
		d.t.Fatal(err)
	}
	file := func(name, text string) string {
		at := filepath.Join(d.dir, name)
		if err := os.WriteFile(at, []byte(text+"\n"), 0o600); err != nil {
			d.t.Fatal(err)
		}
		return at
	}
	var officials strings.Builder
	for i := range people {
		if i > 0 && i%100 == 0 {
			fmt.Fprintf(&officials, "      - id: kantor%d\n        name: Kecamatan Nomor %d\n        addresses: [kantor%d@purbalinggakab.go.id]\n        head: {name: \"Camat Ke%d\", nip: \"19710530199702%04d\", position: Camat, email: camat%d@purbalinggakab.go.id}\n        officials:\n", i, i, i, i, 2000+i/100, i)
		}
		f := official(i)
		fmt.Fprintf(&officials, "          - {name: %q, nip: %q, position: %q, email: %s}\n", f.Name, f.NIP, f.Position, f.Email)
	}
	text := strings.NewReplacer("STATE", d.dir, "DATABASE", file("database-url", d.db), "SECRET", file("secret", secret), "SRIKANDI", d.url,
		"HOST", host, "PORT", port, "OFFICIALS", officials.String()).Replace(deskYAML)
	for _, f := range edit {
		text = f(text)
	}
	d.config = file("pulih.yaml", text)
	if d.cfg, err = config.Load(d.config); err != nil {
		d.t.Fatal(err)
	}
	d.a = d.cfg.Agencies()[0]
	keys, err := store.OpenKeys(d.cfg.Keys.File)
	if err != nil {
		d.t.Fatal(err)
	}
	if d.store, err = store.Open(d.t.Context(), d.db, keys); err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(d.store.Close)
}

func (d *desk) Now() time.Time {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.now
}

func (d *desk) advance(by time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.now = d.now.Add(by)
}

// serve runs a daemon until stop is called, or the test ends.
func (d *desk) serve() (stop func()) {
	d.t.Helper()
	return d.serveWith(scheduler.Options{Now: d.Now, Fast: true, Sweep: 200 * time.Millisecond})
}

func (d *desk) serveWith(opts scheduler.Options) (stop func()) {
	d.t.Helper()
	daemon, err := scheduler.New(d.cfg, d.store, opts)
	if err != nil {
		d.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- daemon.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			d.t.Errorf("the daemon ended with: %v", err)
		}
	})
	d.t.Cleanup(stop)
	return stop
}

// until waits for a condition that the daemon brings about.
func (d *desk) until(what string, is func() bool) {
	d.t.Helper()
	d.untilWithin(40*time.Second, what, is)
}

func (d *desk) untilWithin(limit time.Duration, what string, is func() bool) {
	d.t.Helper()
	tick := time.NewTicker(25 * time.Millisecond)
	defer tick.Stop()
	patience := time.After(limit)
	for !is() {
		select {
		case <-tick.C:
		case <-patience:
			d.dump()
			d.t.Fatalf("in vain waited for: %s", what)
		}
	}
}

// count is the one number that a query answers.
func (d *desk) count(sql string, args ...any) int {
	d.t.Helper()
	var n int
	if err := d.store.Pool.QueryRow(d.t.Context(), sql, args...).Scan(&n); err != nil {
		d.t.Fatal(err)
	}
	return n
}

// done waits until two jobs of a kind have ended since: the second began later.
func (d *desk) done(kind string) {
	d.t.Helper()
	const jobs = `SELECT count(*) FROM river_job WHERE kind = $1 AND state = 'completed'`
	before := d.count(jobs, kind)
	d.until("two jobs "+kind, func() bool { return d.count(jobs, kind) >= before+2 })
}

// followUps waits until so many are written in Srikandi, and returns the last.
func (d *desk) followUps(n int) srikandisim.FollowUpCall {
	d.t.Helper()
	d.until(fmt.Sprintf("follow-up %d in Srikandi", n), func() bool { return len(d.sim.Journal().FollowUps) == n })
	return d.sim.Journal().FollowUps[n-1]
}

// polled waits until a whole poll began and ended after now.
func (d *desk) polled() {
	d.t.Helper()
	before := d.sim.Journal().Calls[srikandisim.List]
	d.until("two polls", func() bool { return d.sim.Journal().Calls[srikandisim.List] >= before+2 })
}

// requests are all there are, folded.
func (d *desk) requests() []request.State {
	d.t.Helper()
	list, err := d.store.Requests(d.t.Context(), d.a.Key, time.Time{}, d.Now().AddDate(1, 0, 0))
	if err != nil {
		d.t.Fatal(err)
	}
	var out []request.State
	for _, r := range list {
		s, err := d.store.State(d.t.Context(), r.Number)
		if err != nil {
			d.t.Fatal(err)
		}
		out = append(out, s)
	}
	return out
}

// request waits for the one request that there should be.
func (d *desk) request(is func(request.State) bool) (s request.State) {
	d.t.Helper()
	d.until("the request", func() bool {
		all := d.requests()
		if len(all) > 1 {
			d.t.Fatalf("%d requests", len(all))
		}
		if len(all) == 1 {
			s = all[0]
		}
		return len(all) == 1 && is(s)
	})
	return s
}

func opened(request.State) bool { return true }

func in(status request.Status) func(request.State) bool {
	return func(s request.State) bool { return s.Status == status }
}

func flagged(finding string) func(request.State) bool {
	return func(s request.State) bool { return s.Has(finding) }
}

// act carries out what somebody does on a page.
func (d *desk) act(number string, cmds ...request.Command) {
	d.t.Helper()
	if _, err := d.store.Act(d.t.Context(), d.a, number, d.Now(), cmds...); err != nil {
		d.t.Fatal(err)
	}
}

var rini = request.Actor{Role: sop.Verifier, ID: "rini", Name: "Rini"}

func approval(s request.State) request.Approve {
	return request.Approve{By: rini, Subject: s.Subject, SeenRisks: true}
}

// received is the letter of the first official, whose request was opened a minute ago.
func (d *desk) received() (id string) {
	d.t.Helper()
	id = d.sim.AddLetter(d.letter(0, "500.12.10/1/2026"))
	d.serve()
	d.request(opened)
	d.advance(time.Minute)
	return id
}

// exchange gives a letter the paper of another official, a minute later.
func (d *desk) exchange(id string, i int, number string) {
	d.advance(time.Minute)
	files := d.letter(i, number).Files
	d.sim.Edit(id, func(l *srikandisim.Letter) { l.Files = files })
}

// riniDesk is a desk with the letter of its first official, which was passed on to the verifier Rini.
type riniDesk struct {
	*desk
	id, disposition string // of the letter, and to her
	stop            func() // ends the daemon
}

// setUpRini begins when the request is at her.
func setUpRini(t testing.TB, people int, edit ...func(yaml string) string) (*riniDesk, request.State) {
	t.Helper()
	d := &riniDesk{desk: setUp(t, people, srikandisim.Options{}, edit...)}
	d.id = d.sim.AddLetter(d.letter(0, "500.12.10/1/2026"))
	d.disposition = d.pass(d.id, "surya", "rini")
	d.stop = d.serve()
	return d, d.request(in(request.StatusChecking))
}

// says writes Rini's words on her disposition in Srikandi, a minute later.
func (d *riniDesk) says(status, words string) {
	d.advance(time.Minute)
	d.sim.Answer(d.id, d.disposition, d.party("rini").NIP, status, words)
}

// reads waits until pulih's words stand there.
func (d *riniDesk) reads(words string) {
	d.t.Helper()
	d.until("it is said there", func() bool {
		return slices.ContainsFunc(d.sim.Journal().FollowUps, func(f srikandisim.FollowUpCall) bool {
			return f.DispositionID == d.disposition && strings.Contains(f.Note, words)
		})
	})
}

// letter is a request letter of one official, with a PDF.
func (d *desk) letter(i int, number string) srikandisim.Letter {
	o, f := &d.a.Offices[0], official(i)
	paper := demo.Paper{Office: o, Agency: d.a, Number: number, Date: time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC),
		Subject: "Permohonan Reset Passphrase Tanda Tangan Elektronik (TTE)", Applicants: []agency.Official{f}}
	return d.letterOf(paper)
}

func (d *desk) letterOf(paper demo.Paper) srikandisim.Letter {
	return srikandisim.Letter{
		Number: paper.Number, Date: paper.Date.Format(time.DateOnly), Type: "Surat Dinas", Nature: "Biasa", Subject: paper.Subject,
		From:  srikandisim.Party{Agency: d.a.Name, Unit: paper.Office.Name, Position: paper.Office.Head.Position, Name: paper.Office.Head.Name, NIP: paper.Office.Head.NIP},
		Files: []srikandisim.File{{Name: "surat.pdf", MIME: "application/pdf", Data: paper.PDF()}},
	}
}

// pass hands a letter from one member of staff to another, for action.
func (d *desk) pass(letterID, from, to string) string {
	return d.sim.Dispose(letterID, srikandisim.Disposition{From: d.party(from), To: []srikandisim.Receiver{{Party: d.party(to)}}, Instructions: []string{"Tindaklanjuti"}})
}

func (d *desk) party(id string) srikandisim.Party {
	p, _ := d.a.Person(id)
	return srikandisim.Party{Position: p.Position, Name: p.Name, NIP: p.NIP}
}

func (d *desk) events(number string, kind request.Kind) (out []request.Event) {
	d.t.Helper()
	all, err := d.store.Events(d.t.Context(), number)
	if err != nil {
		d.t.Fatal(err)
	}
	for _, e := range all {
		if e.Kind == kind {
			out = append(out, e)
		}
	}
	return out
}

var given = [...]string{"Adi", "Bayu", "Cahyo", "Dewi", "Eko", "Fitri", "Gunawan", "Hesti", "Indra", "Kartika", "Lukman", "Mega", "Nanang", "Puji", "Rahmat", "Sekar", "Tono"}

// official is an invented person: each number another one.
func official(i int) agency.Official {
	letters := fmt.Sprintf("%c%c%c%c", 'A'+i/17/676%26, 'a'+i/17/26%26, 'a'+i/17%26, 'a'+i/17/17576%26)
	return agency.Official{Name: given[i%len(given)] + " " + letters + "wijaya", Position: "Pengawas Sekolah", Email: fmt.Sprintf("pejabat%05d@purbalinggakab.go.id", i),
		NIP: fmt.Sprintf("%d%02d%02d20%02d%02d%d%03d", 1970+i/1000%20, 1+i%12, 1+i%28, 5+i/20000, 1+i%12, 1+i%2, i%1000)}
}

// sinkSMTP takes every mail and keeps none.
func sinkSMTP(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return takesAll{}, nil }))
	s.Domain, s.ErrorLog = "mailsim.test", log.New(io.Discard, "", 0)
	go func() { _ = s.Serve(l) }() // ends with Close
	t.Cleanup(func() { _ = s.Close() })
	return l.Addr().String()
}

type takesAll struct{}

func (takesAll) Mail(string, *smtp.MailOptions) error { return nil }
func (takesAll) Rcpt(string, *smtp.RcptOptions) error { return nil }
func (takesAll) Data(r io.Reader) error               { _, err := io.Copy(io.Discard, r); return err }
func (takesAll) Reset()                               {}
func (takesAll) Logout() error                        { return nil }

const deskYAML = `
state: STATE
database:
  url_file: DATABASE
listen: 127.0.0.1:0
log:
  level: error
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
      srikandi_decides: true
      daily_resets: 1000
    srikandi:
      url: SRIKANDI
      client_id: pulih
      client_secret_file: SECRET
      poll: 1s
    outbox:
      host: HOST
      port: PORT
      tls: none
      from: tte@purbalinggakab.go.id
      rate_per_minute: 6000
    staff:
      - {id: surya, name: "Drs. Surya Hadiningrat, M.Si.", nip: "196802141993031901", position: Kepala Dinas Komunikasi dan Informatika, email: surya@purbalinggakab.go.id, roles: [head]}
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
OFFICIALS
`

// dump tells what the gateway's row and the unfinished jobs say, for a test that failed.
func (d *desk) dump() {
	rows, err := d.store.Pool.Query(d.t.Context(), `SELECT 'gateway: ' || row_to_json(g)::text FROM gateways g
		UNION ALL SELECT 'letter: ' || concat_ws(' ', id, source, version, state, kind, read_version, attempts, problem) FROM letters
		UNION ALL SELECT 'job: ' || concat_ws(' ', kind, args, state, attempt, errors[array_upper(errors, 1)]) FROM (SELECT * FROM river_job WHERE kind <> 'sweep' AND (state <> 'completed')
			ORDER BY id DESC LIMIT 20) j`)
	if err != nil {
		d.t.Log(err)
		return
	}
	defer rows.Close()
	for rows.Next() {
		var s string
		if rows.Scan(&s) == nil {
			d.t.Log(s)
		}
	}
}
