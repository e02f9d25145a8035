// Package scheduler makes things happen when they are due: it holds the workers of all jobs, the readers of the mailboxes, the periodic
// polls, and the sweep of clocks and schedules. It wires the partners' packages (srikandi, mailflow, bsre) to the store; the rules are
// elsewhere.
package scheduler

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"

	"pulih/bsre"
	"pulih/internal/agency"
	"pulih/internal/config"
	"pulih/internal/config/accounts"
	"pulih/internal/letter"
	"pulih/internal/store"
	"pulih/mailflow"
	"pulih/srikandi"
)

// Options are the daemon's surroundings.
type Options struct {
	Now   func() time.Time // the agencies' clock; nil means the clock on the wall
	Log   *slog.Logger
	Sweep time.Duration // between two sweeps; zero means 5 s
	// Fast makes polls and retries follow at once: for the demo and tests, where a day lasts seconds.
	Fast bool
}

// Daemon does the work of all agencies. Several daemons may share a database.
type Daemon struct {
	store   *store.Store
	cfg     *config.Config
	now     func() time.Time
	log     *slog.Logger
	opts    Options
	reader  *letter.Reader
	tenants map[string]*tenant
	order   []*tenant
	mailKey []byte
	jobs    *river.Client[pgx.Tx]
	id      string
	turns   turns

	failpoint func(point string) // set by tests alone
}

// tenant is an agency with its connections.
type tenant struct {
	*agency.Agency
	*connections
}

// connections are an agency's. Those that aren't configured are nil.
type connections struct {
	conf      *config.Tenant
	gateway   srikandi.Gateway
	sender    *mailflow.Sender
	esign     *bsre.ESign
	ams       *bsre.AMS
	templates fs.FS
	broken    sync.Map // the agency's own templates that can't be used, once logged
}

// New wires the agencies of a configuration to a migrated database. It connects to nobody yet.
func New(cfg *config.Config, st *store.Store, opts Options) (*Daemon, error) {
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	if opts.Sweep == 0 {
		opts.Sweep = 5 * time.Second
	}
	d := &Daemon{
		store: st, cfg: cfg, now: opts.Now, log: opts.Log, opts: opts, reader: letter.NewReader(letter.Options{Roots: cfg.Roots, Now: opts.Now}),
		tenants: map[string]*tenant{}, mailKey: st.Keys.Derive("message-id"), id: store.NewClientID(),
	}
	for i := range cfg.Tenants {
		t, err := d.newTenant(&cfg.Tenants[i])
		if err != nil {
			return nil, fmt.Errorf("agency %s: %w", cfg.Tenants[i].Key, err)
		}
		d.tenants[t.Key] = t
		d.order = append(d.order, t)
	}
	return d, d.makeJobs()
}

func (d *Daemon) newTenant(conf *config.Tenant) (*tenant, error) {
	t := &tenant{conf.Agency, &connections{conf: conf, sender: mailflow.NewSender(accounts.Account(conf))}}
	var err1, err2, err3 error
	t.gateway, err1 = accounts.Gateway(conf, d.now, d.patience)
	t.esign, err2 = accounts.ESign(conf)
	t.ams, err3 = accounts.AMS(conf, d.now)
	for _, err := range []error{err1, err2, err3} {
		if err != nil && !errors.Is(err, accounts.ErrNone) {
			return nil, err
		}
	}
	if conf.Templates != "" {
		t.templates = os.DirFS(conf.Templates)
	}
	return t, nil
}

// tenant is an agency with its directory as it stands now, for one job: an address that was changed on the page a moment ago holds already. It
// is nil where none of that key is configured any more.
func (d *Daemon) tenant(ctx context.Context, agencyKey string) (*tenant, error) {
	t, ok := d.tenants[agencyKey]
	if !ok {
		return nil, nil
	}
	now, err := d.store.Directory(ctx, t.Agency)
	if err != nil {
		return nil, err
	}
	return &tenant{now, t.connections}, nil
}

// patience sets how long the gateway's client rests after repeated failures: hardly, where a day lasts seconds.
func (d *Daemon) patience(c *srikandi.ClientConfig) {
	if d.opts.Fast {
		c.BreakFor = 100 * time.Millisecond
	}
}

// AMS returns the agency's client of the portal, for signing in on the page; nil where none is configured.
func (d *Daemon) AMS(agencyKey string) *bsre.AMS {
	if t, ok := d.tenants[agencyKey]; ok {
		return t.ams
	}
	return nil
}

// Guide is where an agency's verifiers click in the portal.
func (d *Daemon) Guide(agencyKey string) bsre.Guide {
	if t, ok := d.tenants[agencyKey]; ok {
		return accounts.Guide(t.conf)
	}
	return bsre.Guide{}
}

func (d *Daemon) makeJobs() error {
	workers := river.NewWorkers()
	river.AddWorker(workers, &readWorker{d: d})
	river.AddWorker(workers, &batchWorker{d: d})
	river.AddWorker(workers, &fetchWorker{d: d})
	river.AddWorker(workers, &mailWorker{d: d})
	river.AddWorker(workers, &followUpWorker{d: d})
	river.AddWorker(workers, &registerWorker{d: d})
	river.AddWorker(workers, &resetWorker{d: d})
	river.AddWorker(workers, &watchWorker{d: d})
	river.AddWorker(workers, &statusWorker{d: d})
	river.AddWorker(workers, &signatureWorker{d: d})
	river.AddWorker(workers, &pollWorker{d: d})
	river.AddWorker(workers, &sweepWorker{d: d})
	cfg := &river.Config{
		ID:      d.id,
		Workers: workers,
		Queues: map[string]river.QueueConfig{
			// Letters wait for their child processes, and for one another: with three, two cores stand idle.
			store.QueueRead: {MaxWorkers: 6}, store.QueueFetch: {MaxWorkers: 4}, store.QueueMail: {MaxWorkers: 4}, store.QueueReset: {MaxWorkers: max(4, 2*len(d.order))},
			store.QueueSource: {MaxWorkers: 6}, store.QueueWatch: {MaxWorkers: 4}, store.QueueClock: {MaxWorkers: 1},
		},
		PeriodicJobs:         d.periodic(),
		FetchCooldown:        20 * time.Millisecond,
		JobTimeout:           5 * time.Minute,
		RescueStuckJobsAfter: time.Hour, // orphans of a dead daemon are taken over much sooner, by the sweep
		RetryPolicy:          retryPolicy{fast: d.opts.Fast},
		ErrorHandler:         &failures{log: d.log},
		Logger:               slog.New(levelHandler{d.log.Handler()}),
	}
	var err error
	d.jobs, err = river.NewClient(riverpgxv5.New(d.store.Pool), cfg)
	if err != nil {
		return fmt.Errorf("making the job client: %w", err)
	}
	return nil
}

func (d *Daemon) periodic() []*river.PeriodicJob {
	jobs := []*river.PeriodicJob{river.NewPeriodicJob(river.PeriodicInterval(d.opts.Sweep),
		func() (river.JobArgs, *river.InsertOpts) { return store.Sweep{}, onlyOne }, &river.PeriodicJobOpts{ID: "sweep", RunOnStart: true})}
	for _, t := range d.order {
		if t.gateway == nil {
			continue
		}
		every := t.conf.Srikandi.Poll
		if d.opts.Fast {
			every = 250 * time.Millisecond
		}
		jobs = append(jobs, river.NewPeriodicJob(river.PeriodicInterval(every),
			func() (river.JobArgs, *river.InsertOpts) { return store.PollGateway{Agency: t.Key}, onlyOne },
			&river.PeriodicJobOpts{ID: "poll_" + t.Key, RunOnStart: true}))
	}
	return jobs
}

// onlyOne keeps a second job of the same kind out while one waits or runs.
var onlyOne = &river.InsertOpts{UniqueOpts: river.UniqueOpts{ByArgs: true, ByState: store.Unfinished}}

// StopWithin is how long a stop may take: what runs is finished or handed back by then.
const StopWithin = 10 * time.Second

// Run works until ctx ends, and then finishes or hands back what runs, within StopWithin.
func (d *Daemon) Run(ctx context.Context) error {
	here, err := d.store.Announce(ctx, d.id)
	if err != nil {
		return err
	}
	defer here.End(ctx)
	if err := d.store.TakeOver(ctx); err != nil {
		return err
	}
	if err := d.rememberRefusals(ctx); err != nil {
		return err
	}
	work, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	if err := d.jobs.Start(work); err != nil {
		return fmt.Errorf("starting the jobs: %w", err)
	}
	var readers sync.WaitGroup
	readers.Go(func() { d.standIn(ctx, here) })
	for _, t := range d.order {
		if t.conf.Inbox != nil {
			box, err := accounts.Mailbox(t.conf)
			if err != nil {
				return err
			}
			in := mailflow.NewInbox(box, mailArchive{d.store.Inbox(d.now), d, t}, mailflow.Pace{}, d.log, d.now)
			readers.Go(func() { d.readInbox(ctx, t, in) })
		}
	}
	<-ctx.Done()
	stopped := d.stop(ctx)
	readers.Wait()
	for _, t := range d.order {
		t.sender.Close()
	}
	return stopped
}

// standIn stays known to the other daemons, and takes over from those that died. It is no job of its own: the one that would do it may be
// what a dead daemon was at.
func (d *Daemon) standIn(ctx context.Context, here *store.Presence) {
	for {
		select {
		case <-time.After(d.opts.Sweep):
		case <-ctx.Done():
			return
		}
		err := here.Renew(ctx)
		if err == nil {
			err = d.store.TakeOver(ctx)
		}
		if err != nil && ctx.Err() == nil {
			d.log.Error("standing in for dead daemons", "err", err)
		}
	}
}

// stop lets running jobs end by themselves for most of the time, and cancels the rest: a cancelled job goes back to its queue.
func (d *Daemon) stop(ctx context.Context) error {
	soft, cancel := context.WithTimeout(context.WithoutCancel(ctx), StopWithin*7/10)
	defer cancel()
	err := d.jobs.Stop(soft)
	if err == nil {
		return nil
	}
	hard, cancel := context.WithTimeout(context.WithoutCancel(ctx), StopWithin*2/10)
	defer cancel()
	if err := d.jobs.StopAndCancel(hard); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("stopping the jobs: %w", err)
	}
	return nil
}

// readInbox reads a mailbox whenever this daemon holds its lock; another daemon's lock is tried again now and then.
func (d *Daemon) readInbox(ctx context.Context, t *tenant, in *mailflow.Inbox) {
	for ctx.Err() == nil {
		release, ok, err := d.store.LockMailbox(ctx, in.Status().Mailbox)
		if err != nil {
			d.log.Error("locking a mailbox", "agency", t.Key, "err", err)
		}
		if ok {
			err = in.Run(ctx)
			release()
			if err != nil {
				d.log.Error("reading a mailbox", "agency", t.Key, "err", err)
			}
		}
		wait := 10 * time.Second
		if d.opts.Fast {
			wait = 200 * time.Millisecond
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
		}
	}
}
