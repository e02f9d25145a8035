package demo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"pulih/internal/letter"
	"pulih/internal/processtest"
	"pulih/internal/store"
	"pulih/internal/store/storetest"
	"pulih/migrations"
)

func TestMain(m *testing.M) {
	letter.ChildMain()
	storetest.Main(m, func(ctx context.Context, address string) error {
		pool, err := pgxpool.New(ctx, address)
		if err != nil {
			return err
		}
		defer pool.Close()
		return migrations.Apply(ctx, pool)
	}, func() { _ = os.RemoveAll(programDir) })
}

// program makes the real program, once for all tests.
var program = sync.OnceValues(func() (path string, err error) {
	if programDir, err = os.MkdirTemp("", "pulih-test-bin-"); err != nil {
		return "", err
	}
	path = filepath.Join(programDir, "pulih")
	cmd := exec.Command("go", "build", "-o", path, "pulih/cmd/pulih")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building pulih: %w\n%s", err, out)
	}
	return path, nil
})

var programDir string

// house is a world with a database, in which daemons live and die as processes of their own.
type house struct {
	t       *testing.T
	world   *World
	store   *store.Store
	play    *Play
	program string

	mu      sync.Mutex
	daemons []*daemon
	lives   int
	logs    bytes.Buffer // of the dead
	metrics string       // as a living one told them

	released int // letters taken out of quarantine
	tripped  int // times that the operator let the resets go on
}

// daemon is one running `pulih serve`.
type daemon struct {
	cmd  *exec.Cmd
	log  *notes
	gone <-chan struct{}
}

// notes is a log that is read while it is written.
type notes struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (n *notes) Write(p []byte) (int, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.text.Write(p)
}

func (n *notes) String() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.text.String()
}

var monday = time.Date(2026, 11, 23, 8, 5, 0, 0, time.FixedZone("WIB", 7*60*60))

// newHouse makes a world whose database is one of the test's cluster. The options' folder, clock and database are filled in.
func newHouse(t *testing.T, speed float64, o WorldOptions) *house {
	t.Helper()
	o.Dir, o.Clock, o.Listen, o.Poll, o.DatabaseURL = t.TempDir(), NewClock(monday, speed), "127.0.0.1:0", time.Second, storetest.New(t)
	h := &house{t: t}
	h.enter(o)
	keys, err := store.OpenKeys(h.world.Config.Keys.File)
	if err != nil {
		t.Fatal(err)
	}
	if h.store, err = store.Open(t.Context(), o.DatabaseURL, keys); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.store.Close)
	h.play = &Play{World: h.world, Store: h.store, Verifier: true}
	return h
}

func (h *house) enter(o WorldOptions) {
	h.t.Helper()
	var err error
	if h.program, err = program(); err != nil {
		h.t.Fatal(err)
	}
	if h.world, err = NewWorld(o); err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(h.world.Close)
	h.t.Cleanup(h.killAll)
}

// start begins a daemon's life.
func (h *house) start() *daemon {
	h.t.Helper()
	d := &daemon{log: &notes{}}
	d.cmd = exec.Command(h.program, "serve", "--config", h.world.ConfigPath, "--clock", h.world.Clock.String())
	d.cmd.Stdout, d.cmd.Stderr = d.log, d.log
	d.gone = processtest.Start(h.t, d.cmd)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.daemons = append(h.daemons, d)
	h.lives++
	return d
}

// slay ends a daemon by SIGKILL, wherever it is.
func (h *house) slay(d *daemon) {
	h.mu.Lock()
	for i, have := range h.daemons {
		if have == d {
			h.daemons = append(h.daemons[:i], h.daemons[i+1:]...)
			break
		}
	}
	h.mu.Unlock()
	select {
	case <-d.gone:
		h.t.Errorf("a daemon ended by itself: %v\n%s", d.cmd.ProcessState, d.log)
		return
	default:
	}
	if err := d.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		h.t.Error(err)
	}
	<-d.gone
	h.mu.Lock()
	defer h.mu.Unlock()
	h.logs.WriteString(d.log.String())
}

// fetch reads a page of a living daemon.
func (h *house) fetch(path string) string {
	h.t.Helper()
	address := regexp.MustCompile(`listen=(\S+)`)
	for _, d := range h.living() {
		found := address.FindStringSubmatch(d.log.String())
		if found == nil {
			continue
		}
		answer, err := http.Get("http://" + found[1] + path)
		if err != nil {
			h.t.Fatal(err)
		}
		defer answer.Body.Close()
		body, err := io.ReadAll(answer.Body)
		if err != nil || len(body) == 0 {
			h.t.Fatalf("%s: %d bytes, %v", path, len(body), err)
		}
		return string(body)
	}
	h.t.Error("no daemon told where it listens")
	return ""
}

// living lists the daemons.
func (h *house) living() []*daemon {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]*daemon(nil), h.daemons...)
}

func (h *house) killAll() {
	for _, d := range h.living() {
		h.slay(d)
	}
}

// until plays until nothing is missing; patience is on the wall's clock.
func (h *house) until(patience time.Duration, done func(context.Context) ([]string, error)) {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(h.t.Context(), patience)
	defer cancel()
	for n := 0; ; n++ {
		err := h.play.Step(ctx)
		var missing []string
		if err == nil && n%10 == 0 { // asking is dearer than playing
			missing, err = done(ctx)
			if err == nil && len(missing) == 0 {
				return
			}
		}
		if err != nil {
			h.t.Fatalf("%v; missing: %q\n%s", err, missing, h.lastWords())
		}
		select {
		case <-ctx.Done():
			missing, _ := done(h.t.Context())
			h.t.Fatalf("after %v is missing: %q\n%s", patience, missing, h.lastWords())
		case <-time.After(beat):
		}
	}
}

// settled waits for what follows the play's end: mails and follow-ups are out, and each letter is stored as Srikandi has it now.
func (h *house) settled(ctx context.Context) ([]string, error) {
	missing, err := h.play.quiet(ctx)
	for key, sim := range h.world.Srikandi {
		letters, _ := sim.Truth()
		for _, l := range letters {
			var n int
			if err == nil {
				err = h.store.Pool.QueryRow(ctx, `SELECT count(*) FROM letters WHERE agency = $1 AND source = $2 AND changed_at = $3 AND state = 'read'`,
					key, l.ID, l.UpdatedAt).Scan(&n)
			}
			if n == 0 {
				missing = append(missing, key+": "+l.ID+" as it is now")
			}
		}
	}
	return missing, err
}

// lastWords ends all daemons and tells what they logged, and where things stand.
func (h *house) lastWords() string {
	var out bytes.Buffer
	rows, err := h.store.Pool.Query(h.t.Context(), `SELECT 'letters ' || channel || ' ' || state || ' ' || coalesce(kind, '') || ': ' || count(*) FROM letters GROUP BY channel, state, kind
		UNION ALL SELECT 'letter ' || id || ': ' || problem FROM letters WHERE problem IS NOT NULL
		UNION ALL SELECT 'jobs ' || kind || ' ' || state || ': ' || count(*) || ' ' || coalesce(max(errors[1]->>'error'), '') FROM river_job WHERE state <> 'completed' GROUP BY kind, state`)
	if err == nil {
		var lines []string
		lines, err = pgx.CollectRows(rows, pgx.RowTo[string])
		fmt.Fprintln(&out, strings.Join(lines, "\n"))
	}
	if err != nil {
		fmt.Fprintln(&out, err)
	}
	for _, d := range h.living() {
		h.slay(d)
		lines := strings.SplitAfter(d.log.String(), "\n")
		fmt.Fprintf(&out, "--- daemon %d\n%s", d.cmd.Process.Pid, strings.Join(lines[max(0, len(lines)-20):], ""))
	}
	return out.String()
}
