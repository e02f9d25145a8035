// Command bench measures how long a verifier's approval takes to reach BSrE's journal, beside a bare reset call in the same run: a real
// daemon with its job queue on a PostgreSQL that waits for the disk, and the simulated portal over HTTP. It prints a figure a line.
package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"time"

	"pulih/bsre"
	"pulih/internal/agency"
	"pulih/internal/demo"
	"pulih/internal/letter"
	"pulih/internal/request"
	"pulih/internal/sop"
	"pulih/internal/store"
	"pulih/migrations"
	"pulih/scheduler"
)

const rounds = 200

func main() {
	letter.ChildMain()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context) (err error) {
	dir, err := os.MkdirTemp("", "pulih-bench-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if err := os.Chmod(dir, 0o711); err != nil {
		return err
	}
	clock := demo.NewClock(time.Date(2026, 11, 23, 9, 0, 0, 0, bsre.WIB), 1)
	// A person each: a second reset within days needs two verifiers. The crowd is shared out between two agencies.
	world, err := demo.NewWorld(demo.WorldOptions{Dir: dir, Clock: clock, Listen: "127.0.0.1:0", Poll: time.Minute, LogLevel: "error", Crowd: 2 * rounds})
	if err != nil {
		return err
	}
	defer world.Close()
	cluster, err := store.StartCluster(ctx, filepath.Join(dir, "state"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, cluster.Stop()) }()
	keys, err := store.OpenKeys(filepath.Join(dir, "keys"))
	if err != nil {
		return err
	}
	st, err := store.Open(ctx, cluster.URL(), keys)
	if err != nil {
		return err
	}
	defer st.Close()
	if err := migrations.Apply(ctx, st.Pool); err != nil {
		return err
	}
	d, err := scheduler.New(world.Config, st, scheduler.Options{Now: clock.Now, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	work, cancel := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- d.Run(work) }()
	b := bench{world: world, clock: clock, store: st, ams: d.AMS("purbalingga"), agency: world.Config.Agencies()[0]}
	err = b.measure(ctx)
	cancel()
	return errors.Join(err, <-ended)
}

type bench struct {
	world   *demo.World
	clock   *demo.Clock
	store   *store.Store
	ams     *bsre.AMS
	agency  *agency.Agency
	session bsre.Session
}

func (b *bench) measure(ctx context.Context) error {
	people := b.people()
	if len(people) < rounds {
		return fmt.Errorf("%d officials for %d resets", len(people), rounds)
	}
	verifier := b.agency.Holders(sop.Verifier, b.clock.Now())[0].ID
	var bare, whole []time.Duration
	for i, f := range people[:rounds] {
		if i%50 == 0 { // a token lives for minutes
			if err := b.signIn(ctx, verifier); err != nil {
				return err
			}
		}
		u, ok := b.world.BSrE.UserByEmail(f.Email)
		if !ok {
			return fmt.Errorf("an official is unknown to BSrE")
		}
		number, err := b.ask(ctx, i, f)
		if err != nil {
			return err
		}
		begun := b.clock.Now()
		if out := b.ams.Reset(ctx, b.session, u.UID, u.Certificates[0].Serial); out.Kind != bsre.Accepted {
			return fmt.Errorf("the bare call: %s", out.Message)
		}
		bare = append(bare, b.arrived()-b.since(begun))

		s, err := b.store.State(ctx, number)
		if err != nil {
			return err
		}
		calls := len(b.world.BSrE.Journal())
		begun = b.clock.Now()
		cmd := request.Approve{By: request.Actor{Role: sop.Verifier, ID: verifier, Via: "console"}, Subject: s.Subject, SeenRisks: true}
		if _, err := b.store.Act(ctx, b.agency, number, begun, cmd); err != nil {
			return err
		}
		if err := b.settled(ctx, number, calls+1); err != nil {
			return err
		}
		whole = append(whole, b.arrived()-b.since(begun))
	}
	print := func(name string, d time.Duration, goal float64) {
		ms, verdict := float64(d.Microseconds())/1000, "ok"
		if ms > goal {
			verdict = "short"
		}
		fmt.Printf("figure %s %.1f ms goal <= %g %s\n", name, ms, goal, verdict)
	}
	print("reset_bare_call_median", at(bare, 0.5), 50)
	print("reset_bare_call_p99", at(bare, 0.99), 100)
	print("reset_approval_to_journal_median", at(whole, 0.5), 100)
	print("reset_approval_to_journal_p99", at(whole, 0.99), 500)
	print("reset_overhead_median", at(whole, 0.5)-at(bare, 0.5), 50)
	return nil
}

// people are the officials who aren't verifiers, each once.
func (b *bench) people() (out []agency.Official) {
	for i := range b.agency.Offices {
		out = append(out, b.agency.Offices[i].All()...)
	}
	return out
}

func (b *bench) signIn(ctx context.Context, verifier string) error {
	secret, err := os.ReadFile(filepath.Join(b.world.Dir, "secret"))
	if err != nil {
		return err
	}
	password := string(secret[:len(secret)-1])
	b.clock.Jump(b.clock.Now().Add(time.Minute)) // the one-time codes of the last minute are spent
	sign := func() (bsre.Session, error) {
		return b.ams.SignIn(ctx, verifier, password, b.world.BSrE.Code(verifier))
	}
	if b.session, err = sign(); err != nil {
		return err
	}
	lent, err := sign()
	if err != nil {
		return err
	}
	return b.store.SaveSession(ctx, b.agency.Key, verifier, lent.Plain(), lent.RefreshExpiresAt, b.clock.Now())
}

// ask opens a request as a letter that was read does.
func (b *bench) ask(ctx context.Context, i int, f agency.Official) (number string, err error) {
	now := b.clock.Now()
	_, o, _ := b.agency.Official(f.NIP, f.Name)
	subject := request.Subject{Name: f.Name, NIP: f.NIP, Email: f.Email, Position: f.Position, OfficeID: o.ID, Office: o.Name, Known: true}
	err = b.store.InTx(ctx, now, func(tx *store.Tx) error {
		var id int64
		err := tx.QueryRow(ctx, `INSERT INTO letters (agency, channel, source, sha256, size, raw, received_at, seen_at, state)
			VALUES ($1, 'mail', $2, '', 0, '', $3, $3, 'read') RETURNING id`, b.agency.Key, fmt.Sprint("bench-", i), now).Scan(&id)
		if err != nil {
			return err
		}
		s, _, err := tx.Receive(b.agency, [][]byte{fmt.Appendf(nil, "bench-%d", i)}, request.Open{Subject: subject, By: request.Actor{Role: sop.Applicant},
			Letter: request.Letter{ID: id, Channel: "mail", Number: fmt.Sprintf("500.12/%d/2026", i), ReceivedAt: now}})
		number = s.Number
		if err != nil {
			return err
		}
		_, err = tx.Act(b.agency, number, request.Assign{By: request.System})
		return err
	})
	return number, err
}

// settled waits for the outcome of the call and for what follows from it, mails and looks: the next one is measured by itself.
func (b *bench) settled(ctx context.Context, number string, calls int) error {
	for ctx.Err() == nil {
		s, err := b.store.State(ctx, number)
		if err != nil {
			return err
		}
		if s.Status == request.StatusLink && len(b.world.BSrE.Journal()) == calls {
			return b.quiet(ctx)
		}
		if s.Status == request.StatusRefused || s.Status == request.StatusUncertain {
			return fmt.Errorf("%s: %s", number, s.Words)
		}
		time.Sleep(2 * time.Millisecond)
	}
	return ctx.Err()
}

func (b *bench) quiet(ctx context.Context) error {
	for jobs := 1; jobs > 0; time.Sleep(5 * time.Millisecond) {
		err := b.store.Pool.QueryRow(ctx, `SELECT count(*) FROM river_job WHERE state IN ('available', 'running') AND kind NOT IN ('sweep', 'poll_gateway')`).Scan(&jobs)
		if err != nil {
			return err
		}
	}
	return nil
}

var zero = time.Date(2026, 11, 23, 9, 0, 0, 0, bsre.WIB)

func (b *bench) since(t time.Time) time.Duration { return t.Sub(zero) }

func (b *bench) arrived() time.Duration {
	j := b.world.BSrE.Journal()
	return b.since(j[len(j)-1].At)
}

func at(list []time.Duration, share float64) time.Duration {
	list = slices.Sorted(slices.Values(list))
	return list[min(int(share*float64(len(list))), len(list)-1)]
}
