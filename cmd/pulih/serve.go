package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"

	"pulih/internal/demo"
	"pulih/scheduler"
)

// ServeCmd runs the daemon until it is told to stop.
type ServeCmd struct {
	ConfigFlag
	Clock string `hidden:"" help:"A clock that runs faster, for tests: see demo.ParseClock."`
}

// Run serves until SIGTERM or Ctrl-C, and then finishes or hands back what runs within ten seconds.
func (c *ServeCmd) Run(ctx context.Context) error {
	now, fast := time.Now, false
	if c.Clock != "" {
		clock, err := demo.ParseClock(c.Clock)
		if err != nil {
			return err
		}
		now, fast = clock.Now, true
	}
	o, err := c.open(ctx)
	if err != nil {
		return err
	}
	log := logger(o.cfg)
	for _, w := range o.cfg.Warnings {
		log.Warn(w)
	}
	opts := scheduler.Options{Now: now, Log: log, Fast: fast}
	if fast {
		opts.Sweep = 100 * time.Millisecond
	}
	return errors.Join(serve(ctx, o, opts), o.close())
}

// serve runs workers, readers and pages on an open database.
func serve(ctx context.Context, o *opened, opts scheduler.Options) error {
	d, err := scheduler.New(o.cfg, o.store, opts)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", o.cfg.Listen)
	if err != nil {
		return fmt.Errorf("listening for pages: %w", err)
	}
	return serveOn(ctx, o, d, listener, opts)
}

func serveOn(ctx context.Context, o *opened, d *scheduler.Daemon, listener net.Listener, opts scheduler.Options) error {
	desk, err := handler(o, d, opts)
	if err != nil {
		return err
	}
	pages := &http.Server{
		Handler: desk, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: time.Minute, IdleTimeout: 2 * time.Minute,
		ErrorLog: slog.NewLogLogger(opts.Log.Handler(), slog.LevelDebug),
	}
	opts.Log.Info("pulih is at work", "listen", listener.Addr().String(), "agencies", len(o.cfg.Tenants))
	if err := tellSOPs(ctx, o, opts.Log); err != nil {
		return err
	}
	work, ctx := errgroup.WithContext(ctx)
	work.Go(func() error { return d.Run(ctx) })
	work.Go(func() error {
		if err := pages.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			return fmt.Errorf("serving pages: %w", err)
		}
		return nil
	})
	if o.cluster != nil {
		work.Go(func() error {
			select {
			case err := <-o.cluster.Done():
				return fmt.Errorf("the private database ended: %w", err)
			case <-ctx.Done():
				return nil
			}
		})
	}
	work.Go(func() error {
		<-ctx.Done()
		stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), scheduler.StopWithin/2)
		defer cancel()
		return pages.Shutdown(stop)
	})
	return work.Wait()
}

// tellSOPs says which SOP is in force, and how many open requests still go by another one.
func tellSOPs(ctx context.Context, o *opened, log *slog.Logger) error {
	for _, a := range o.cfg.Agencies() {
		open, err := o.store.OpenUnder(ctx, a.Key)
		if err != nil {
			return err
		}
		log.Info("SOP in force", "agency", a.Key, "sop", a.SOP.ID, "version", a.SOP.Version)
		for version, n := range open {
			if p := a.Procedure(version); p != a.SOP {
				log.Info("open requests go by the SOP in force when they came", "agency", a.Key, "sop", p.ID, "version", version, "requests", n)
			}
		}
	}
	return nil
}
