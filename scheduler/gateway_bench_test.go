package scheduler_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/sync/errgroup"

	"pulih/internal/config/accounts"
	"pulih/internal/demo/srikandisim"
	"pulih/internal/store"
	"pulih/migrations"
	"pulih/srikandi"
)

// BenchmarkSrikandiBacklog reads a backlog of letters with two attachments each (a PDF, and 60 KB), until all of them are committed with their
// files, side by side with a bare loop that only downloads them: the same client, four calls at a time, no database. Each call takes 10 ms
// on the way, as to a gateway in the same city; the figures without any delay show what the database costs where the gateway costs
// nothing. PostgreSQL runs as in production, with fsync.
//
//	go test -run '^$' -bench Srikandi -benchtime 1x -timeout 30m ./scheduler
func BenchmarkSrikandiBacklog(b *testing.B) {
	letters := 10_000
	if n, err := strconv.Atoi(os.Getenv("PULIH_BENCH_LETTERS")); err == nil {
		letters = n
	}
	for range b.N {
		side(b, "srikandi_backlog", letters, 10*time.Millisecond, 1.5)
		side(b, "srikandi_backlog_without_delay", letters/5, 0, 0)
	}
}

// side measures both sides in one run, in turn.
func side(b *testing.B, name string, letters int, delay time.Duration, goal float64) {
	d := setUpOn(b, realDatabase(b), 1, srikandisim.Options{})
	d.delay = delay
	noise := make([]byte, 60_000)
	for i := range noise {
		noise[i] = byte(rand.N(256))
	}
	l := d.letter(0, "005/1/2026")
	l.Subject = "Undangan Rapat Koordinasi"
	for i := range letters {
		l.Number = fmt.Sprintf("005/%d/2026", i+1)
		pdf := append(bytes.Clone(l.Files[0].Data), fmt.Sprintf("\n%% %d\n", i)...)
		d.sim.AddLetter(srikandisim.Letter{Number: l.Number, Date: l.Date, Subject: l.Subject, From: l.From, Files: []srikandisim.File{
			{Name: "surat.pdf", MIME: "application/pdf", Data: pdf}, {Name: "lampiran.bin", MIME: "application/octet-stream", Data: noise}}})
	}
	bare := bareLoop(b, d)
	begun := time.Now()
	stop := d.serve()
	d.untilWithin(20*time.Minute, "letters", func() bool { return d.count(`SELECT count(*) FROM letters`) >= letters })
	figure(name+"_letters_at", time.Since(begun).Seconds(), "s", "", 0)
	d.untilWithin(20*time.Minute, "all is committed", func() bool { return d.count(`SELECT count(*) FROM files`) >= 2*letters })
	ours := time.Since(begun)
	figure(name+"_letters", float64(letters), "letters", "", 0)
	figure(name+"_bare", bare.Seconds(), "s", "", 0)
	figure(name+"_pulih", ours.Seconds(), "s", "", 0)
	op := ""
	if goal > 0 {
		op = "<="
	}
	figure(name+"_ratio", ours.Seconds()/bare.Seconds(), "x", op, goal)
	if delay == 0 {
		idle(b, d, letters)
	}
	stop()
}

// idle measures polls that find nothing: the job from its begin to its end, beside the client's call alone.
func idle(b *testing.B, d *desk, letters int) {
	d.untilWithin(20*time.Minute, "all is read", func() bool { return d.count(`SELECT count(*) FROM letters WHERE state = 'read'`) == letters })
	d.advance(time.Hour) // the letters leave the overlap window
	polls := func() int {
		return d.count(`SELECT count(*) FROM river_job WHERE kind = 'poll_gateway' AND state = 'completed'`)
	}
	before := polls()
	d.until("idle polls", func() bool { return polls() >= before+40 })
	var took float64
	err := d.store.Pool.QueryRow(b.Context(), `SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM finalized_at - attempted_at)) * 1000
		FROM (SELECT * FROM river_job WHERE kind = 'poll_gateway' AND state = 'completed' ORDER BY id DESC LIMIT 30) j`).Scan(&took)
	if err != nil {
		b.Fatal(err)
	}
	client := clientOf(b, d)
	begun := time.Now()
	const calls = 100
	for range calls {
		if _, err := client.List(b.Context(), srikandi.Query{UpdatedSince: d.Now(), Limit: 100}); err != nil {
			b.Fatal(err)
		}
	}
	figure("srikandi_idle_list_alone", time.Since(begun).Seconds()*1000/calls, "ms", "", 0)
	figure("srikandi_idle_poll", took, "ms", "", 0)
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

// realDatabase is a migrated PostgreSQL set up as the daemon sets up its own.
func realDatabase(b *testing.B) string {
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
	return cluster.URL()
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
