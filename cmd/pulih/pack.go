package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	reports "pulih/internal/report"
	"pulih/scheduler"
)

// PackCmd writes the monthly evaluation pack.
type PackCmd struct {
	ConfigFlag
	Agency string `required:"" placeholder:"KEY" help:"Agency in the configuration file."`
	Period string `required:"" placeholder:"YYYY-MM" help:"The month, e.g. 2026-11."`
	To     string `required:"" placeholder:"DIR" type:"path" help:"Directory for the PDF and the XLSX."`
}

// Run writes both files.
func (c *PackCmd) Run(ctx context.Context) error {
	return c.with(ctx, func(o *opened) error {
		a, err := o.agency(ctx, c.Agency)
		if err != nil {
			return err
		}
		from, until, err := reports.ParsePeriod(c.Period, a.Zone)
		if err != nil || until.Sub(from) < 28*24*time.Hour {
			return fmt.Errorf("--period: %q bukan bulan; tuliskan misalnya 2026-11", c.Period)
		}
		d, err := scheduler.New(o.cfg, o.store, scheduler.Options{})
		if err != nil {
			return err
		}
		pack, err := d.Pack(ctx, a.Key, from, until)
		if err != nil {
			return err
		}
		files, err := scheduler.PackFiles(pack)
		if err != nil {
			return err
		}
		if err := os.MkdirAll(c.To, 0o700); err != nil {
			return fmt.Errorf("--to: %w", err)
		}
		for _, f := range files {
			path := filepath.Join(c.To, f.Name)
			if err := os.WriteFile(path, f.Data, 0o600); err != nil {
				return fmt.Errorf("--to: %w", err)
			}
			fmt.Println(path)
		}
		return nil
	})
}
