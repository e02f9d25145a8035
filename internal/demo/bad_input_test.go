package demo

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"pulih/internal/demo/bsresim"
	"pulih/internal/demo/srikandisim"
	"pulih/internal/store"
)

// Whatever the world sends, it leaves a row and a word for a human, and the other letters go their way.
func TestBadInputStopsNothingElse(t *testing.T) {
	t.Parallel()
	h := newHouse(t, 90, WorldOptions{})
	var mu sync.Mutex
	faults := map[bsresim.Call]bsresim.Fault{bsresim.CallFind: bsresim.HTMLBefore, bsresim.CallDetails: bsresim.HTMLBefore}
	h.world.meddle = func(c bsresim.Call, r *http.Request) bsresim.Fault {
		if r.Header.Get("X-USER-IP") == verifiersIP {
			return bsresim.NoFault // it is the daemon that must bear it, not the play
		}
		mu.Lock()
		defer mu.Unlock()
		defer delete(faults, c) // once each
		return faults[c]
	}
	gateway := h.world.Srikandi["purbalingga"]
	gateway.Inject(srikandisim.List, srikandisim.HTML, srikandisim.Malformed, srikandisim.Malformed, srikandisim.Empty)
	bare := gateway.AddLetter(srikandisim.Letter{})
	now := h.world.Clock.Now()
	nonsense := [][]byte{
		[]byte("\x00\x01\x02 bukan surel \xff\xfe"), []byte("Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n--x\r\n"),
		[]byte("Subject: =?utf-8?q?" + strings.Repeat("=41", 4000) + "?=\r\n\r\n" + strings.Repeat("permohonan reset passphrase ", 4000)),
		Message{From: "dinkes@purbalinggakab.go.id", To: "tte@purbalinggakab.go.id", Subject: "Permohonan Reset Passphrase TTE", At: now, Text: "Terlampir.",
			Name: "surat.pdf", Data: []byte("PK\x03\x04 bukan PDF")}.Raw(),
	}
	for _, raw := range nonsense {
		if err := h.world.Mail.DeliverTo("tte@purbalinggakab.go.id", "INBOX", raw, now); err != nil {
			t.Fatal(err)
		}
	}
	if err := h.play.Begin(); err != nil {
		t.Fatal(err)
	}
	d := h.start()
	h.until(4*time.Minute, h.play.Done)
	h.until(2*time.Minute, h.settled)

	a := newAudit(h)
	t.Run("everything else went its way", a.requests)
	t.Run("resets", a.resets)
	kept := inbox(t, h.world, "tte@purbalinggakab.go.id")
	if len(kept) <= len(nonsense) {
		t.Errorf("%d mails in the INBOX", len(kept))
	}
	if n := a.count(t, `SELECT count(*) FROM sightings WHERE mailbox LIKE 'purbalingga/%'`); n != len(kept) {
		t.Errorf("%d of %d mails have their row", n, len(kept))
	}
	for _, raw := range kept {
		if len(raw) == 0 {
			continue // the server has nothing of it to give: its row is known by its place alone
		}
		l := h.mailRow(t, raw)
		if l.State == "stored" || l.State == "quarantined" && l.Problem == "" || l.State == "read" && l.Kind == "" {
			t.Errorf("the mail %.30q is %+v", raw, l)
		}
	}
	if l, ok, err := h.store.LetterBySource(t.Context(), "purbalingga", "srikandi", bare); err != nil || !ok || l.State != "read" {
		t.Errorf("a letter without any field: %+v, %v", l, err)
	}
	if n := a.count(t, `SELECT count(*) FROM rejections WHERE what <> ''`); n == 0 {
		t.Error("malformed rows left nothing for the operator")
	}
	if strings.Contains(d.log.String(), "panic") {
		t.Errorf("the daemon panicked:\n%s", d.log)
	}
	mu.Lock()
	defer mu.Unlock()
	if len(faults) > 0 {
		t.Errorf("these never went wrong: %v", faults)
	}
}

// mailRow finds a mail in the archive by its bytes.
func (h *house) mailRow(t *testing.T, raw []byte) store.Letter {
	t.Helper()
	sum := sha256.Sum256(raw)
	l, ok, err := h.store.LetterBySource(t.Context(), "purbalingga", "mail", hex.EncodeToString(sum[:]))
	if err != nil || !ok {
		t.Errorf("no row of the mail %.30q, %v", raw, err)
	}
	return l
}

func TestABrokenConfigurationIsToldInWords(t *testing.T) {
	t.Parallel()
	h := newHouse(t, 90, WorldOptions{})
	good, err := os.ReadFile(h.world.ConfigPath)
	if err != nil {
		t.Fatal(err)
	}
	for what, c := range map[string]struct{ old, new, want string }{
		"an unknown key": {"    sop: purbalingga\n", "    sop: purbalingga\n    warna: biru\n", "warna"},
		"a bad value":    {"    mode: ams\n", "    mode: otomatis\n", "mode"},
		"no such SOP":    {"    sop: madiun\n", "    sop: magetan\n", "magetan"},
		"no YAML":        {"agencies:\n", "agencies: [\n", ""},
		"an empty file":  {string(good), "", ""},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "pulih.yaml")
			if err := os.WriteFile(path, []byte(strings.Replace(string(good), c.old, c.new, 1)), 0o600); err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			cmd := exec.CommandContext(ctx, h.program, "serve", "--config", path)
			out, err := cmd.CombinedOutput()
			if cmd.ProcessState.ExitCode() != 1 {
				t.Errorf("it ended with %v", err)
			}
			if text := string(out); !strings.Contains(text, c.want) || !strings.Contains(text, "pulih.yaml") || strings.Contains(text, "panic") {
				t.Errorf("it says %q", text)
			}
		})
	}
}

// Nobody ran for days: the digests of all of them are made up for once, by one of two daemons that start at the same time.
func TestInvariant8DigestsAreMadeUpForOnce(t *testing.T) {
	t.Parallel()
	h := newHouse(t, 90, WorldOptions{})
	if err := h.play.Begin(); err != nil {
		t.Fatal(err)
	}
	h.start()
	h.until(2*time.Minute, func(ctx context.Context) ([]string, error) {
		var n, ran int
		err := h.store.Pool.QueryRow(ctx, `SELECT (SELECT count(*) FROM requests), (SELECT count(*) FROM schedule_runs WHERE name = 'digest-head-daily')`).Scan(&n, &ran)
		if n > 0 && ran == 2 {
			return nil, err
		}
		return []string{"a first request, and schedules that have begun"}, err
	})
	evening := func(at time.Time, digests int) {
		t.Helper()
		h.killAll()
		h.world.Clock.Jump(at)
		h.start()
		h.start()
		var have []string
		h.until(3*time.Minute, func(ctx context.Context) ([]string, error) {
			rows, err := h.store.Pool.Query(ctx, `SELECT address || ' ' || count(*) || ' ' || bool_and(state = 'sent') FROM outbox
				WHERE template = 'digest-head-daily' GROUP BY address ORDER BY address`)
			if err == nil {
				have, err = pgx.CollectRows(rows, pgx.RowTo[string])
			}
			if len(have) == 2 && !slices.ContainsFunc(have, func(s string) bool { return strings.HasSuffix(s, " false") }) && len(have[0]) > 0 &&
				!strings.Contains(have[0], fmt.Sprintf(" %d ", digests-1)) && !strings.Contains(have[1], fmt.Sprintf(" %d ", digests-1)) {
				return nil, err
			}
			return append([]string{"both heads' digests"}, have...), err
		})
		for _, row := range have {
			if !strings.HasSuffix(row, fmt.Sprintf(" %d true", digests)) {
				t.Errorf("by %v a head has %s digests, want %d", at, row, digests)
			}
		}
	}
	evening(time.Date(2026, 11, 26, 15, 50, 0, 0, monday.Location()), 1) // Thursday, after three evenings
	evening(time.Date(2026, 11, 27, 16, 20, 0, 0, monday.Location()), 2) // and the next one
	newAudit(h).once(t)
}
