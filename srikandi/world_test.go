package srikandi_test

import (
	"context"
	"maps"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"pulih/internal/agency"
	"pulih/internal/demo/srikandisim"
	"pulih/internal/sop"
	"pulih/srikandi"
)

var wib = time.FixedZone("WIB", 7*3600)

// clock is a time that moves when told.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

// world is a gateway on a real socket, and a client of it.
type world struct {
	*clock
	sim    *srikandisim.Server
	server *httptest.Server
	client *srikandi.Client
}

const clientSecret = "rahasia-klien-7731"

func newWorld(t *testing.T, sim srikandisim.Options, edit ...func(*srikandi.ClientConfig)) *world {
	t.Helper()
	w := &world{clock: &clock{t: time.Date(2026, 11, 20, 8, 0, 0, 0, wib)}}
	sim.Now, sim.Zone, sim.ClientID, sim.ClientSecret = w.Now, wib, "pulih", clientSecret
	w.sim = srikandisim.New(sim)
	w.server = httptest.NewServer(w.sim)
	t.Cleanup(w.server.Close)
	w.client = newClient(t, w.server.URL, w.Now, edit...)
	return w
}

func newClient(t *testing.T, url string, now func() time.Time, edit ...func(*srikandi.ClientConfig)) *srikandi.Client {
	t.Helper()
	cfg := srikandi.ClientConfig{
		BaseURL: url, ClientID: "pulih", ClientSecret: clientSecret, Zone: wib, Now: now,
		// Waiting is the clock's business; the breaker's wall clock must not slow a test.
		Timeout: 10 * time.Second, BreakFor: time.Nanosecond,
	}
	for _, e := range edit {
		e(&cfg)
	}
	c, err := srikandi.NewClient(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// register is a Sink in memory: what a database would hold.
type register struct {
	mu      sync.Mutex
	cursor  srikandi.Cursor
	letters map[string]srikandi.Naskah
	bad     map[string]srikandi.BadRow // by ID, or by JSON where there is none
	gone    map[string]bool
	fetched map[string]int // how often a letter was stored
	watch   bool           // ask for every letter held, to find deleted ones
}

func newRegister() *register {
	return &register{
		letters: map[string]srikandi.Naskah{}, bad: map[string]srikandi.BadRow{}, gone: map[string]bool{}, fetched: map[string]int{},
	}
}

func (r *register) Known(_ context.Context, rows []srikandi.Stamp) (map[string]bool, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	known := map[string]bool{}
	for _, row := range rows {
		n, ok := r.letters[row.ID]
		known[row.ID] = ok && n.Settled && n.UpdatedAt.Equal(row.UpdatedAt)
	}
	return known, nil
}

func (r *register) Due(context.Context) ([]string, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	var due []string
	for _, bad := range r.bad {
		if bad.ID != "" {
			due = append(due, bad.ID)
		}
	}
	if r.watch {
		due = append(due, slices.Collect(maps.Keys(r.letters))...)
	}
	return due, nil
}

func (r *register) Commit(_ context.Context, b srikandi.Batch) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, n := range b.Letters {
		r.letters[n.ID] = n
		r.fetched[n.ID]++
		delete(r.bad, n.ID)
	}
	for _, bad := range b.Bad {
		key := bad.ID
		if key == "" {
			key = string(bad.Raw)
		}
		r.bad[key] = bad
	}
	for _, id := range b.Gone {
		r.gone[id] = true
		delete(r.letters, id)
		delete(r.bad, id)
	}
	r.cursor = b.Next
	return nil
}

func (w *world) poller(r *register) srikandi.Poller {
	return srikandi.Poller{Gateway: w.client, Sink: r, Now: w.Now}
}

// The staff of an invented agency.
var dinas = &agency.Agency{
	Key: "contoh",
	Staff: []agency.Person{
		{ID: "kadin", Name: "Dra. Sri Hartati, M.Si.", NIP: "197001011995032001", Position: "Kepala Dinas Komunikasi dan Informatika", Roles: []sop.Role{sop.Head},
			Leave: []agency.Leave{{Deputy: "kabid", From: time.Date(2026, 12, 1, 0, 0, 0, 0, wib), Until: time.Date(2026, 12, 8, 0, 0, 0, 0, wib)}}},
		{ID: "kabid", Name: "Bambang Setiawan, S.T.", NIP: "197505052000031002", Position: "Kepala Bidang Persandian", Roles: []sop.Role{sop.Division}},
		{ID: "kabid2", Name: "Retno Astuti, S.E.", NIP: "197606062001032003", Position: "Kepala Bidang Informatika", Roles: []sop.Role{sop.Division}},
		{ID: "kasi", Name: "Joko Purnomo, S.Kom.", NIP: "198007072005011004", Position: "Sandiman Ahli Muda", Roles: []sop.Role{sop.Section}},
		{ID: "verif", Name: "Rini Wulandari, S.Kom.", NIP: "199008082015032005", Position: "Pranata Komputer Ahli Pertama", Roles: []sop.Role{sop.Verifier}},
		{ID: "verif2", Name: "Agus Salim, A.Md.", NIP: "199109092016031006", Position: "Pranata Komputer Ahli Pertama", Roles: []sop.Role{sop.Verifier}},
		{ID: "operator", Name: "Dewi Lestari", NIP: "199210102017032007", Position: "Pengadministrasi Umum", Roles: []sop.Role{sop.Operator}},
	},
}

func staff(id string) srikandisim.Party {
	p, ok := dinas.Person(id)
	if !ok {
		return srikandisim.Party{Position: id, Name: id, NIP: ""}
	}
	return srikandisim.Party{Position: p.Position, Name: p.Name, NIP: p.NIP}
}

func to(ids ...string) []srikandisim.Receiver {
	var out []srikandisim.Receiver
	for _, id := range ids {
		out = append(out, srikandisim.Receiver{Party: staff(id)})
	}
	return out
}

// permohonan is a letter as offices send it.
func permohonan(number string) srikandisim.Letter {
	return srikandisim.Letter{
		Number: number, Date: "2026-11-19", Subject: "Permohonan Lupa Passphrase Sertifikat Elektronik", Type: "Surat Dinas", Nature: "Biasa",
		From:  srikandisim.Party{Agency: "Pemerintah Kabupaten Contoh", Unit: "Dinas Pendidikan", Position: "Kepala Dinas", Name: "Siti Aminah, M.Pd.", NIP: "19680101 199003 2 001"},
		Files: []srikandisim.File{{Name: "surat.pdf", MIME: "application/pdf", Data: []byte("%PDF-1.4 isi surat " + number)}},
	}
}
