package scheduler

import (
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"pulih/internal/demo/bsresim"
	"pulih/internal/request"
)

// child is what a daemon in a process of its own needs.
type child struct {
	Database, Keys, Portal, Point string
	At                            time.Time
}

const childVariable = "PULIH_TEST_RESET_CHILD"

// TestResetChild is the daemon that the crash tests kill: it works the queue once, and kills itself with SIGKILL at its failpoint.
func TestResetChild(t *testing.T) {
	var c child
	if text := os.Getenv(childVariable); text == "" {
		return
	} else if err := json.Unmarshal([]byte(text), &c); err != nil {
		t.Fatal(err)
	}
	keyDirs.Store(c.Database, c.Keys)
	p := &portal{office: &office{t: t, url: c.Database, at: c.At}}
	p.Daemon = p.daemon(amsYAML(c.Portal))
	p.tenant = p.Daemon.order[0]
	p.failpoint = func(point string) {
		if point == c.Point {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {}
		}
	}
	p.run()
}

// A daemon is killed between any two statements around the call, in another process, as a power cut does it. What the next one finds is
// gone on with: at most one reset, and where nobody can know, a human decides.
func TestADaemonKilledAroundTheCall(t *testing.T) {
	t.Parallel()
	for point, want := range map[string]struct {
		calls  int
		status request.Status
	}{
		"prepared": {1, request.StatusLink}, // nothing was booked: the next daemon makes the call
		"booking":  {1, request.StatusLink}, // the booking wasn't committed
		"booked":   {0, request.StatusUncertain},
		"left":     {0, request.StatusUncertain}, // on the wire, never delivered
		"arrived":  {1, request.StatusUncertain},
		"called":   {1, request.StatusUncertain},
		"settling": {1, request.StatusUncertain}, // the outcome wasn't committed
		"settled":  {1, request.StatusLink},
	} {
		t.Run(point, func(t *testing.T) {
			t.Parallel()
			k := &killer{point: point}
			var w *wire
			p := openPortalThrough(t, bsresim.Options{Decide: k.decide}, func(url string) string { w = newWire(t, url); return w.url() })
			if point == "left" {
				w.asking = 40
			}
			w.tap = func(at string) { k.at(at) }
			p.signIn("rini")
			number := p.approved(head, "rini")
			k.run(t, child{Database: p.office.url, Keys: filepath.Dir(p.keyFile()), Portal: p.url, Point: point, At: p.now()})
			p.sim.Quiet()
			p.awaitLock()
			for range 3 {
				p.run()
				p.pass(time.Hour)
			}
			if n := len(p.calls()); n != want.calls {
				t.Errorf("BSrE got %d resets, want %d\n%s", n, want.calls, p.story(number))
			}
			p.expect(number, want.status)
			if want.status == request.StatusUncertain && p.mails("uncertain") != 2 {
				t.Error("the verifiers weren't told")
			}
		})
	}
}

// killer ends the child from outside, where its own failpoints don't reach.
type killer struct {
	point string
	mu    sync.Mutex
	cmd   *exec.Cmd
}

func (k *killer) at(point string) {
	if point != k.point {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.cmd != nil {
		_ = k.cmd.Process.Kill()
	}
}

func (k *killer) decide(c bsresim.Call, _ *http.Request) bsresim.Fault {
	if c == bsresim.CallReset {
		k.at("arrived")
	}
	return bsresim.NoFault
}

func (k *killer) run(t *testing.T, c child) {
	t.Helper()
	text, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	k.mu.Lock()
	k.cmd = exec.Command(os.Args[0], "-test.run=^TestResetChild$")
	k.cmd.Env = append(os.Environ(), childVariable+"="+string(text))
	err = k.cmd.Start()
	k.mu.Unlock()
	if err != nil {
		t.Fatal(err)
	}
	err = k.cmd.Wait()
	k.mu.Lock()
	k.cmd = nil
	k.mu.Unlock()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
		t.Fatalf("the child ended by %v, not by SIGKILL", err)
	}
}

// awaitLock waits until the database has noticed that the child is gone.
func (p *portal) awaitLock() {
	p.t.Helper()
	conn, err := p.store.Pool.Acquire(p.t.Context())
	if err != nil {
		p.t.Fatal(err)
	}
	defer conn.Release()
	if _, err := conn.Exec(p.t.Context(), `SELECT pg_advisory_lock(7239003, hashtext($1))`, p.Key); err != nil {
		p.t.Fatal(err)
	}
	if _, err := conn.Exec(p.t.Context(), `SELECT pg_advisory_unlock(7239003, hashtext($1))`, p.Key); err != nil {
		p.t.Fatal(err)
	}
}
