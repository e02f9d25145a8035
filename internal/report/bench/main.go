// Command bench measures the clocks and the reports on a real PostgreSQL: a sweep over 100,000 open requests, and a digest over a year of
// 100,000. It prints the queries' plans and one line a figure. `make bench-clocks` runs it.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
	_ "time/tzdata"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"pulih/internal/agency"
	"pulih/internal/config"
	"pulih/internal/letter"
	"pulih/internal/request"
	"pulih/internal/store"
	"pulih/mailflow"
	"pulih/migrations"
	"pulih/scheduler"
)

// due is how many requests have a mark that has come: what one sweep reminds of at most.
const due = 500

func main() {
	letter.ChildMain()
	open := flag.Int("open", 100_000, "open requests")
	year := flag.Int("year", 100_000, "requests that came and ended within the year")
	flag.Parse()
	if err := run(context.Background(), *open, *year); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// bench is the world that is measured.
type bench struct {
	ctx    context.Context
	now    time.Time
	store  *store.Store
	daemon *scheduler.Daemon
	agency *agency.Agency
	plans  []string
	plain  *scheduler.Daemon // the same, with every query's plan told
	told   *store.Store
}

func run(ctx context.Context, open, year int) (err error) {
	dir, err := os.MkdirTemp("", "pulih-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	cluster, err := store.StartThrowawayCluster(ctx, dir)
	if err != nil {
		return err
	}
	defer func() {
		if e := cluster.Stop(); err == nil {
			err = e
		}
	}()
	b := &bench{ctx: ctx, now: time.Date(2026, 12, 15, 10, 0, 0, 0, time.FixedZone("WIB", 7*3600))}
	if err := b.connect(dir, cluster.URL()); err != nil {
		return err
	}
	defer b.store.Close()
	defer b.told.Close()
	fmt.Printf("filling: %d open requests, %d of them with a mark that has come; %d requests of the year 2026\n", open, due, year)
	if err := b.fill(open, year); err != nil {
		return err
	}
	return b.measure()
}

func (b *bench) connect(dir, url string) error {
	secret := filepath.Join(dir, "secret")
	if err := os.WriteFile(secret, []byte("rahasia-uji\n"), 0o600); err != nil {
		return err
	}
	text := strings.NewReplacer("STATE", dir, "SECRET", secret).Replace(yaml + agencyYAML + other.Replace(agencyYAML))
	cfg, err := config.Parse([]byte(text), filepath.Join(dir, "pulih.yaml"), os.Getenv)
	if err != nil {
		return err
	}
	b.agency = cfg.Agencies()[0]
	keys, err := store.OpenKeys(filepath.Join(dir, "keys"))
	if err != nil {
		return err
	}
	pool, err := pgxpool.New(b.ctx, url)
	if err != nil {
		return err
	}
	if err := migrations.Apply(b.ctx, pool); err != nil {
		return err
	}
	pool.Close()
	if b.store, err = store.Open(b.ctx, url, keys); err != nil {
		return err
	}
	explained, err := pgxpool.ParseConfig(url)
	if err != nil {
		return err
	}
	for key, value := range map[string]string{"session_preload_libraries": "auto_explain", "auto_explain.log_min_duration": "0", "auto_explain.log_analyze": "on",
		"auto_explain.log_level": "notice", "auto_explain.log_timing": "off", "TimeZone": "UTC"} {
		explained.ConnConfig.RuntimeParams[key] = value
	}
	explained.ConnConfig.OnNotice = func(_ *pgconn.PgConn, n *pgconn.Notice) { b.plans = append(b.plans, n.Message) }
	if pool, err = pgxpool.NewWithConfig(b.ctx, explained); err != nil {
		return err
	}
	b.told = &store.Store{Pool: pool, Keys: keys}
	opts := scheduler.Options{Now: func() time.Time { return b.now }}
	if b.daemon, err = scheduler.New(cfg, b.store, opts); err != nil {
		return err
	}
	b.plain, err = scheduler.New(cfg, b.told, opts)
	return err
}

// fill makes the requests that the sweep reminds of by the software's own rules, and the rest as rows of the projections.
func (b *bench) fill(open, year int) error {
	began := b.now
	b.now = began.Add(-100 * time.Minute) // 60 % of 150 minutes are over at ten
	for i := range due {
		err := b.store.InTx(b.ctx, b.now, func(tx *store.Tx) error {
			var id int64
			err := tx.QueryRow(b.ctx, `INSERT INTO letters (agency, channel, source, sha256, size, raw, received_at, seen_at, state, kind)
				VALUES ('contoh', 'mail', $1, '', 0, '', $2, $2, 'read', 'reset-request') RETURNING id`, fmt.Sprint("seed-", i), b.now).Scan(&id)
			if err != nil {
				return err
			}
			_, _, err = tx.Receive(b.agency, [][]byte{b.store.Keys.Lookup("request", fmt.Sprint(i))}, request.Open{
				Letter: request.Letter{ID: id, Channel: "mail", ReceivedAt: b.now}, Subject: request.Subject{Name: fmt.Sprint("Pemohon Contoh ", i), OfficeID: "kantor"},
			})
			return err
		})
		if err != nil {
			return err
		}
	}
	b.now = began
	for _, sql := range []string{
		// Open ones whose marks are still to come, over the next twenty days.
		fmt.Sprintf(`INSERT INTO requests (`+columns+`) SELECT 'PBG-2026-' || 100000 + n, agency, version, status, sop, step, holder, holder_ids, since, applicant || n, applicant_fold || n, nip_key, office_id, office,
			letter_number, number_fold, letter_subject, channels, dangers, warnings, opened_at - n * interval '10 seconds', NULL::timestamptz, NULL::timestamptz,
			due_at + (1 + n %% 1000) * interval '25 minutes', remind_at + (1 + n %% 1000) * interval '25 minutes', calendar
			FROM requests, generate_series(1, %d) n WHERE number = 'PBG-2026-000001'`, open-due),
		`INSERT INTO measures (number, agency, office_id, opened_at, closed_at, rejected, decided, sop, used)
			SELECT number, agency, office_id, opened_at, NULL, false, '', sop, '{-1,0,-1,-1,-1,-1,-1}' FROM requests WHERE number LIKE 'PBG-2026-1%' ON CONFLICT DO NOTHING`,
		fmt.Sprintf(`INSERT INTO measures (number, agency, office_id, opened_at, closed_at, rejected, decided, sop, used)
			SELECT 'PBG-2026-' || 300000 + n, 'lain', 'kantor' || n %% 60, at, at + interval '3 hours', n %% 40 = 0, 'verifikator' || n %% 7, 'purbalingga-28',
				ARRAY[1500 + (n * 7919) %% 8000, 0, (n * 31) %% 900, (n * 37) %% 900, (n * 41) %% 3000, (n * 43) %% 1200, (n * 47) %% 5000]
			FROM (SELECT n, timestamptz '2026-01-02 08:00+07' + n * interval '347 days' / %[1]d AS at FROM generate_series(1, %[1]d) n) s`, year),
		fmt.Sprintf(`INSERT INTO requests (`+columns+`) SELECT 'PBG-2026-' || 300000 + n, 'lain', r.version, 'closed', r.sop, '', '', '{}'::text[], m.closed_at, r.applicant || n, r.applicant_fold || n, NULL::bytea, m.office_id, 'Kantor',
			'', '', '', '{mail}'::text[], 0, 0, m.opened_at, m.closed_at, m.closed_at, NULL::timestamptz, NULL::timestamptz, r.calendar
			FROM requests r, generate_series(1, %d) n JOIN measures m ON m.number = 'PBG-2026-' || 300000 + n WHERE r.number = 'PBG-2026-000001'`, year),
		`ANALYZE`,
	} {
		if _, err := b.store.Pool.Exec(b.ctx, sql); err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) measure() error {
	from, until := time.Date(2026, 1, 1, 0, 0, 0, 0, b.agency.Zone), time.Date(2027, 1, 1, 0, 0, 0, 0, b.agency.Zone)
	find := func(s *store.Store) error {
		list, err := s.RemindersDue(b.ctx, b.agency.Key, b.now, due)
		if err == nil && len(list) != due {
			err = fmt.Errorf("%d requests have a mark that has come, want %d", len(list), due)
		}
		if err == nil {
			_, err = s.ComplaintRemindersDue(b.ctx, b.agency.Key, b.now, due)
		}
		if err == nil {
			_, _, err = s.OtherCalendar(b.ctx, b.agency.Key, b.agency.Calendar.Version(), due)
		}
		return err
	}
	digest := func(d *scheduler.Daemon) error {
		out, err := d.Report(b.ctx, "lain", mailflow.DigestHeadWeekly, "", from, until)
		if err == nil {
			_, err = mailflow.RenderDigest(out, nil)
		}
		return err
	}
	figures := []struct {
		name string
		goal int // milliseconds; 0: a peer, for comparison
		runs int
		do   func() error
	}{
		{"clocks_sweep_finds_due_ms", 1000, 5, func() error { return find(b.store) }},
		{"clocks_peer_scan_without_index_ms", 0, 3, b.scan},
		{"clocks_sweep_reminds_of_500_ms", 1000, 1, func() error { return b.daemon.Sweep(b.ctx) }},
		{"clocks_sweep_with_nothing_due_ms", 1000, 5, func() error { return b.daemon.Sweep(b.ctx) }},
		{"digest_year_ms", 1000, 5, func() error { return digest(b.daemon) }},
		{"digest_peer_percentiles_in_sql_ms", 0, 3, b.percentiles},
	}
	// Plans first: the sweep changes what is due.
	for _, f := range []func() error{func() error { return find(b.told) }, func() error { return digest(b.plain) }} {
		if err := f(); err != nil {
			return err
		}
	}
	fmt.Printf("\nplans of the queries\n\n%s\n\n", strings.Join(b.plans, "\n\n"))
	for _, f := range figures {
		took, err := median(f.runs, f.do)
		if err != nil {
			return fmt.Errorf("%s: %w", f.name, err)
		}
		ms := float64(took.Microseconds()) / 1000
		switch {
		case f.goal == 0:
			fmt.Printf("figure %s %.1f ms peer\n", f.name, ms)
		case ms <= float64(f.goal):
			fmt.Printf("figure %s %.1f ms goal <= %d ok\n", f.name, ms, f.goal)
		default:
			fmt.Printf("figure %s %.1f ms goal <= %d short\n", f.name, ms, f.goal)
		}
	}
	return b.check()
}

// check makes sure that the sweep did what it was timed for.
func (b *bench) check() error {
	var reminded, mails int
	err := b.store.Pool.QueryRow(b.ctx, `SELECT (SELECT count(*) FROM events WHERE kind = 'Reminded'), (SELECT count(*) FROM outbox WHERE template = 'reminder')`).Scan(&reminded, &mails)
	if err == nil && (reminded != due || mails == 0 || mails > 10) {
		err = fmt.Errorf("%d marks were told in %d mails, want %d in a few", reminded, mails, due)
	}
	fmt.Printf("checked: %d marks told in %d mails\n", reminded, mails)
	return err
}

// scan is the peer of the sweep's query: the same question without its index.
func (b *bench) scan() error {
	tx, err := b.store.Pool.Begin(b.ctx)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback(b.ctx) }()
	if _, err := tx.Exec(b.ctx, `SET LOCAL enable_indexscan = off; SET LOCAL enable_bitmapscan = off; SET LOCAL enable_indexonlyscan = off`); err != nil {
		return err
	}
	var n int
	return tx.QueryRow(b.ctx, `SELECT count(*) FROM (SELECT number FROM requests WHERE agency = $1 AND remind_at <= $2 ORDER BY remind_at LIMIT 500) s`, b.agency.Key, b.now).Scan(&n)
}

// percentiles is the peer of the digest: median and 90th percentile of each step by PostgreSQL alone.
func (b *bench) percentiles() error {
	_, err := b.store.Pool.Exec(b.ctx, `SELECT step, percentile_disc(0.5) WITHIN GROUP (ORDER BY seconds), percentile_disc(0.9) WITHIN GROUP (ORDER BY seconds)
		FROM measures, unnest(used) WITH ORDINALITY AS u (seconds, step) WHERE agency = $1 AND closed_at >= '2026-01-01' AND closed_at < '2027-01-01' AND seconds >= 0
		GROUP BY step`, "lain")
	return err
}

func median(runs int, f func() error) (time.Duration, error) {
	var took []time.Duration
	for range runs {
		begin := time.Now()
		if err := f(); err != nil {
			return 0, err
		}
		took = append(took, time.Since(begin))
	}
	slices.Sort(took)
	return took[len(took)/2], nil
}

const columns = `number, agency, version, status, sop, step, holder, holder_ids, since, applicant, applicant_fold, nip_key, office_id, office,
			letter_number, number_fold, letter_subject, channels, dangers, warnings, opened_at, closed_at, reset_at, due_at, remind_at, calendar`

// other makes a second agency of the first, whose rows the queries must pass over.
var other = strings.NewReplacer("key: contoh", "key: lain", "prefix: PBG", "prefix: LAI", "contoh.example", "lain.example")

const yaml = `
state: STATE
operator:
  email: operator@contoh.example
agencies:
`

const agencyYAML = `  - key: contoh
    prefix: PBG
    name: Pemerintah Kabupaten Contoh
    unit: Dinkominfo Kabupaten Contoh
    phone: (0281) 555010
    hours_text: Senin-Kamis 07.30-16.00, Jumat 07.30-16.30 WIB
    domains: [contoh.example]
    sop: purbalingga
    rules:
      mail_skips_chain: true
    inbox: {host: 127.0.0.1, port: 1, tls: none, user: tte@contoh.example, password_file: SECRET}
    outbox: {host: 127.0.0.1, port: 1, tls: none, from: tte@contoh.example}
    schedules: {digest_head: "off", digest_head_weekly: "off", digest_office: "off", digest_verifier: "off", pack: "off"}
    staff:
      - {id: surya, name: Surya Contoh, position: Kepala Dinas, email: surya@contoh.example, roles: [head]}
      - {id: laras, name: Laras Contoh, position: Kepala Bidang, email: laras@contoh.example, roles: [division]}
      - {id: bagas, name: Bagas Contoh, position: Kepala Seksi, email: bagas@contoh.example, roles: [section]}
      - {id: rini, name: Rini Contoh, position: Verifikator, email: rini@contoh.example, roles: [verifier]}
      - {id: galih, name: Galih Contoh, position: Verifikator Muda, email: galih@contoh.example, roles: [verifier]}
    offices:
      - id: kantor
        name: Dinas Contoh
        addresses: [dinas@contoh.example]
        head: {name: Tri Contoh, position: Kepala Dinas Contoh, email: tri@contoh.example}
`
