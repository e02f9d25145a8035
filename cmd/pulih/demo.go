package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"time"

	"pulih/internal/console"
	"pulih/internal/demo"
	"pulih/internal/sop"
	"pulih/scheduler"
)

// DemoCmd runs the whole service with simulated partners and invented people.
type DemoCmd struct {
	Once   bool    `help:"Play the verifiers too, on a fast clock, and check how each letter ended."`
	Listen string  `default:"127.0.0.1:8028" help:"Address of the pages."`
	Speed  float64 `default:"4" help:"How much faster than the wall the demo's clock runs (with --once: 90)."`
	State  string  `type:"path" help:"Folder to keep the demo's data in; default: one that goes away at the end."`
}

// Run plays until the scenario has ended (--once) or the reader ends it with Ctrl-C.
func (c *DemoCmd) Run(ctx context.Context) (err error) {
	begun := time.Now()
	dir := c.State
	if dir == "" {
		if dir, err = os.MkdirTemp("", "pulih-demo-"); err != nil {
			return fmt.Errorf("making the demo's folder: %w", err)
		}
		defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	}
	if err := errors.Join(os.MkdirAll(dir, 0o711), os.Chmod(dir, 0o711)); err != nil { // the database's own user must reach its part
		return fmt.Errorf("opening the demo's folder: %w", err)
	}
	listen := c.Listen
	if c.Once {
		c.Speed, listen = 90, "127.0.0.1:0"
	}
	listener, err := net.Listen("tcp", listen)
	if err != nil {
		return fmt.Errorf("listening for pages: %w", err)
	}
	defer listener.Close()
	world, err := demo.NewWorld(demo.WorldOptions{Dir: dir, Clock: demo.NewClock(c.start(begun), c.Speed), Listen: listener.Addr().String(), Poll: time.Second})
	if err != nil {
		return err
	}
	defer world.Close()
	o, err := openConfig(ctx, world.Config)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, o.close()) }()
	o.demo = world
	return c.play(ctx, world, o, listener, begun)
}

// start is Monday morning with --once, so that each run tells the same story; otherwise now, or the next time the offices are open.
func (c *DemoCmd) start(now time.Time) time.Time {
	wib := time.FixedZone("WIB", 7*60*60)
	if c.Once {
		return time.Date(2026, 11, 23, 8, 5, 0, 0, wib)
	}
	cal := sop.ShippedCalendar(wib)
	if closing, ok := cal.CloseOfDay(now); ok && cal.Open(now) && closing.Sub(now) > 90*time.Minute {
		return now
	}
	next, err := cal.NextOpen(now.Add(4 * time.Hour))
	if err != nil {
		return now
	}
	return next.Add(30 * time.Minute)
}

func (c *DemoCmd) play(ctx context.Context, world *demo.World, o *opened, listener net.Listener, begun time.Time) error {
	work, cancel := context.WithCancel(ctx)
	defer cancel()
	opts := scheduler.Options{Now: world.Clock.Now, Log: logger(world.Config), Sweep: 100 * time.Millisecond, Fast: true}
	d, err := scheduler.New(o.cfg, o.store, opts)
	if err != nil {
		return err
	}
	served := make(chan error, 1)
	go func() {
		err := serveOn(work, o, d, listener, opts)
		cancel() // a service that can't begin ends the play
		served <- err
	}()
	p := &demo.Play{World: world, Store: o.store, Verifier: c.Once, Tell: func(line string) { fmt.Println(line) }}
	if err := p.Begin(); err != nil {
		return err
	}
	if c.Once {
		err = p.Once(work)
	} else {
		fmt.Printf("\n  pulih melayani di http://localhost:%d — akhiri dengan Ctrl-C\n  surel yang keluar dapat dilihat di %s\n\n",
			listener.Addr().(*net.TCPAddr).Port, filepath.Join(world.Dir, "surel"))
		for _, l := range console.DemoLinks(o.cfg.PublicURL, o.cfg.Agencies()) {
			fmt.Printf("  %-30s %-22s %s\n", l.Agency, l.Role, l.URL)
		}
		fmt.Println()
		err = p.Forever(work)
	}
	cancel()
	err = errors.Join(err, <-served)
	if err != nil || !c.Once {
		return err
	}
	if err := demo.Table(ctx, os.Stdout, world, o.store); err != nil {
		return err
	}
	tally, err := demo.Count(ctx, world, o.store)
	if err != nil {
		return err
	}
	fmt.Printf("\ndemo: %s, %.1fs\n", tally, time.Since(begun).Seconds())
	return nil
}
