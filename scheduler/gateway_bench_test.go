package scheduler_test

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/sync/errgroup"

	"pulih/internal/config/accounts"
	"pulih/internal/demo"
	"pulih/internal/demo/srikandisim"
	"pulih/internal/store"
	"pulih/migrations"
	"pulih/scheduler"
	"pulih/srikandi"
)

// BenchmarkSrikandiBacklog reads a backlog of letters with two attachments each (a PDF of a page, and 60 KB): one in ten asks for a reset, each
// for somebody else, the others are the usual post of an office. It takes until the last letter is read and its request opened, side by side with
// a bare loop that only downloads them: the same client, four calls at a time, no database. Each call takes 10 ms on the way, as to a gateway in
// the same city; the figures without any delay show what reading costs where the gateway costs nothing. PostgreSQL runs as in production, with
// fsync. Processor time is that of this process, simulator included, of its children, and of PostgreSQL.
//
//	go test -run '^$' -bench Srikandi -benchtime 1x -timeout 60m ./scheduler
func BenchmarkSrikandiBacklog(b *testing.B) {
	letters := 10_000
	if n, err := strconv.Atoi(os.Getenv("PULIH_BENCH_LETTERS")); err == nil {
		letters = n
	}
	for range b.N {
		backlog(b, "srikandi_backlog", letters, 10*time.Millisecond, 1.5)
		backlog(b, "srikandi_backlog_without_delay", letters/5, 0, 0)
	}
}

// backlog measures both sides in one run, in turn.
func backlog(b *testing.B, name string, letters int, delay time.Duration, goal float64) {
	url, server := realDatabase(b)
	d := setUpOn(b, url, letters/10+1, srikandisim.Options{})
	d.delay = delay
	post(d, letters)
	d.advance(2 * time.Hour) // a backlog has rested
	before := cpu(b, server)
	bare := bareLoop(b, d)
	bareCPU := cpu(b, server).sum() - before.sum()

	begun, before := time.Now(), cpu(b, server)
	stop := d.serveWith(scheduler.Options{Now: d.Now})
	archived := until(b, d, begun, `SELECT count(*) >= 2 * $1 FROM files`, letters)
	read := until(b, d, begun, `SELECT NOT EXISTS (SELECT FROM letters WHERE state = 'stored') AND (SELECT count(*) = $1 FROM letters)`, letters)
	readCPU := cpu(b, server)
	stop()
	if n := d.count(`SELECT count(*) FROM requests`); n != (letters+9)/10 {
		b.Fatalf("%d requests of %d", n, (letters+9)/10)
	}
	figure(name+"_letters", float64(letters), "letters", "", 0)
	figure(name+"_bare", bare.Seconds(), "s", "", 0)
	figure(name+"_bare_cpu", bareCPU.Seconds(), "s", "", 0)
	figure(name+"_archived", archived.Seconds(), "s", "", 0)
	figure(name+"_read", read.Seconds(), "s", "", 0)
	figure(name+"_read_cpu", (readCPU.sum() - before.sum()).Seconds(), "s", "", 0)
	figure(name+"_read_cpu_daemon", (readCPU.self - before.self).Seconds(), "s", "", 0)
	figure(name+"_read_cpu_readers", (readCPU.children - before.children).Seconds(), "s", "", 0)
	figure(name+"_read_cpu_postgres", (readCPU.postgres - before.postgres).Seconds(), "s", "", 0)
	op := ""
	if goal > 0 {
		op = "<="
	}
	figure(name+"_archived_ratio", archived.Seconds()/bare.Seconds(), "x", "", 0)
	figure(name+"_ratio", read.Seconds()/bare.Seconds(), "x", op, goal)
	if delay == 0 {
		idle(b, d, server)
	}
}

// until waits for a condition, and looks so seldom that looking costs nothing.
func until(b *testing.B, d *desk, begun time.Time, sql string, letters int) time.Duration {
	b.Helper()
	tick := time.NewTicker(250 * time.Millisecond)
	defer tick.Stop()
	for done := false; !done; <-tick.C {
		if err := d.store.Pool.QueryRow(b.Context(), sql, letters).Scan(&done); err != nil {
			b.Fatal(err)
		}
	}
	return time.Since(begun)
}

// post fills the register.
func post(d *desk, letters int) {
	noise := make([]byte, 60_000)
	for i := range noise {
		noise[i] = byte(rand.N(256))
	}
	for i := range letters {
		paper := demo.Paper{Office: &d.a.Offices[0], Agency: d.a, Number: fmt.Sprintf("005/%d/2026", i+1), Date: d.Now(), Subject: "Undangan Rapat Koordinasi",
			Body: "Mengharap kehadiran Saudara pada rapat koordinasi pengelolaan data sektoral\nyang akan dilaksanakan di aula pada pukul 09.00 WIB."}
		l := d.letterOf(paper)
		if i%10 == 0 {
			l = d.letter(i/10, fmt.Sprintf("500.12.10/%d/2026", i+1))
		}
		l.Files = append(l.Files, srikandisim.File{Name: "lampiran.bin", MIME: "application/octet-stream", Data: append(fmt.Appendf(nil, "%08d", i), noise...)})
		d.sim.AddLetter(l)
	}
}

// idle measures polls that find nothing: what each costs in processor time, sweeps and all, beside the client's call alone.
func idle(b *testing.B, d *desk, server int) {
	stop := d.serve()
	defer stop()
	calls := func() int {
		n := 0
		for _, c := range d.sim.Journal().Calls {
			n += c
		}
		return n
	}
	polls := func() int { return d.sim.Journal().Calls[srikandisim.List] }
	d.untilWithin(10*time.Minute, "no work is left", func() bool {
		return d.count(`SELECT count(*) FROM river_job WHERE kind NOT IN ('poll_gateway', 'sweep') AND finalized_at IS NULL AND state <> 'scheduled'`) == 0
	})
	d.advance(time.Hour)          // what was written last leaves the overlap window
	for asking := true; asking; { // letters of open requests are asked for again first, a page's worth a poll
		first, before := polls(), calls()
		d.until("two polls", func() bool { return polls() >= first+2 })
		asking = calls()-before > polls()-first
	}
	before, begun, others, first := cpu(b, server), time.Now(), calls(), polls()
	d.untilWithin(time.Minute, "idle polls", func() bool { return polls() >= first+60 })
	n := float64(polls() - first)
	figure("srikandi_idle_poll_cpu", float64((cpu(b, server).sum()-before.sum()).Microseconds())/1000/n, "ms", "", 0)
	figure("srikandi_idle_poll_calls", float64(calls()-others)/n, "calls", "<=", 1)
	figure("srikandi_idle_polls_apart", time.Since(begun).Seconds()*1000/n, "ms", "", 0)
	client, begun, before := clientOf(b, d), time.Now(), cpu(b, server)
	const alone = 200
	for range alone {
		if _, err := client.List(b.Context(), srikandi.Query{UpdatedSince: d.Now(), Limit: 100}); err != nil {
			b.Fatal(err)
		}
	}
	figure("srikandi_idle_list_alone", time.Since(begun).Seconds()*1000/alone, "ms", "", 0)
	figure("srikandi_idle_list_alone_cpu", float64((cpu(b, server).sum()-before.sum()).Microseconds())/1000/alone, "ms", "", 0)
}

// usage is processor time used so far: by this process with the simulator, by its children that ended, and by PostgreSQL.
type usage struct{ self, children, postgres time.Duration }

func (u usage) sum() time.Duration { return u.self + u.children + u.postgres }

// cpu reads it; the postmaster has that pid.
func cpu(b *testing.B, postmaster int) (out usage) {
	for who, sum := range map[int]*time.Duration{syscall.RUSAGE_SELF: &out.self, syscall.RUSAGE_CHILDREN: &out.children} {
		var u syscall.Rusage
		if err := syscall.Getrusage(who, &u); err != nil {
			b.Fatal(err)
		}
		*sum = time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		b.Fatal(err)
	}
	for _, name := range stats {
		text, err := os.ReadFile(name)
		if err != nil {
			continue // ended meanwhile
		}
		_, after, _ := strings.Cut(string(text), ") ") // proc(5): the fields after the name begin with the state and the parent
		f := strings.Fields(after)
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(name)))
		own := pid == postmaster
		if len(f) < 15 || !own && f[1] != strconv.Itoa(postmaster) {
			continue
		}
		times := f[11:13] // user and system, in ticks of 10 ms
		if own {
			times = f[11:15] // and those of the backends that ended
		}
		for _, t := range times {
			n, _ := strconv.Atoi(t)
			out.postgres += time.Duration(n) * 10 * time.Millisecond
		}
	}
	return out
}

func clientOf(b *testing.B, d *desk) srikandi.Gateway {
	gateway, err := accounts.Gateway(&d.cfg.Tenants[0], d.Now)
	if err != nil {
		b.Fatal(err)
	}
	return gateway
}

// bareLoop downloads everything and keeps nothing.
func bareLoop(b *testing.B, d *desk) time.Duration {
	l := &loop{gateway: clientOf(b, d)}
	begun := time.Now()
	if _, err := (srikandi.Poller{Gateway: l.gateway, Sink: l, Now: d.Now}).Poll(b.Context(), srikandi.Cursor{}); err != nil {
		b.Fatal(err)
	}
	return time.Since(begun)
}

type loop struct{ gateway srikandi.Gateway }

func (l *loop) Known(context.Context, []srikandi.Stamp) (map[string]bool, error) { return nil, nil }
func (l *loop) Due(context.Context) ([]string, error)                            { return nil, nil }

func (l *loop) Commit(ctx context.Context, batch srikandi.Batch) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(4)
	for _, n := range batch.Letters {
		for _, a := range n.Attachments {
			group.Go(func() error { return l.gateway.Attachment(ctx, n.ID, a, io.Discard, 35<<20) })
		}
	}
	return group.Wait()
}

// realDatabase is a migrated PostgreSQL set up as the daemon sets up its own, and its pid.
func realDatabase(b *testing.B) (url string, pid int) {
	dir, err := os.MkdirTemp("", "pulih-bench-")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o711); err != nil {
		b.Fatal(err)
	}
	cluster, err := store.StartCluster(b.Context(), filepath.Join(dir, "postgres"))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = cluster.Stop() })
	pool, err := pgxpool.New(b.Context(), cluster.URL())
	if err != nil {
		b.Fatal(err)
	}
	defer pool.Close()
	if err := migrations.Apply(b.Context(), pool); err != nil {
		b.Fatal(err)
	}
	lock, err := os.ReadFile(filepath.Join(dir, "postgres", "data", "postmaster.pid"))
	if err != nil {
		b.Fatal(err)
	}
	first, _, _ := strings.Cut(string(lock), "\n")
	if pid, err = strconv.Atoi(first); err != nil {
		b.Fatal(err)
	}
	return cluster.URL(), pid
}

// figure prints one line; without an operator there is no goal.
func figure(name string, value float64, unit, op string, goal float64) {
	if op == "" {
		fmt.Printf("figure %s %.2f %s\n", name, value, unit)
		return
	}
	verdict := "short"
	if value <= goal {
		verdict = "ok"
	}
	fmt.Printf("figure %s %.2f %s goal %s %.2f %s\n", name, value, unit, op, goal, verdict)
}
