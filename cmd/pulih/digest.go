package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"pulih/internal/agency"
	reports "pulih/internal/report"
	"pulih/internal/request"
	"pulih/internal/sop"
	"pulih/internal/store"
	"pulih/mailflow"
	"pulih/scheduler"
)

// DigestCmd computes a digest of any period.
type DigestCmd struct {
	ConfigFlag
	Agency string `required:"" placeholder:"KEY" help:"Agency in the configuration file."`
	Period string `placeholder:"PERIOD" help:"A month (2026-11), a week (2026-W47) or a day (2026-11-23); today if left out."`
	Office string `placeholder:"ID" help:"Only this office's requests, as its head gets them."`
	To     string `placeholder:"FILE.html" type:"path" xor:"where" help:"Write it to a file instead of showing its text."`
	Send   bool   `xor:"where" help:"Mail it to the head of agency, or with --office to the office's head. The daemon sends it."`
}

// Run shows, writes or sends the digest.
func (c *DigestCmd) Run(ctx context.Context) error {
	return c.with(ctx, func(o *opened) error {
		a, err := o.agency(ctx, c.Agency)
		if err != nil {
			return err
		}
		now := time.Now()
		if c.Period == "" {
			c.Period = now.In(a.Zone).Format("2006-01-02")
		}
		from, until, err := reports.ParsePeriod(c.Period, a.Zone)
		if err != nil {
			return fmt.Errorf("--period: %w", err)
		}
		template := mailflow.DigestHeadWeekly
		if until.Sub(from) <= 24*time.Hour {
			template = mailflow.DigestHeadDaily
		}
		if c.Office != "" {
			if _, ok := a.Office(c.Office); !ok {
				return fmt.Errorf("--office: %s tidak mengenal %q", a.Name, c.Office)
			}
			template = mailflow.DigestOffice
		}
		if c.Send {
			return c.send(ctx, o, a, template, from, until, now)
		}
		d, err := scheduler.New(o.cfg, o.store, scheduler.Options{})
		if err != nil {
			return err
		}
		digest, err := d.Report(ctx, a.Key, template, c.Office, from, until)
		if err != nil {
			return err
		}
		r, err := mailflow.RenderDigest(digest, nil)
		if err != nil {
			return err
		}
		if c.To == "" {
			_, err = fmt.Printf("%s\n\n%s\n", r.Subject, r.Text)
			return err
		}
		if err := os.WriteFile(c.To, []byte(r.HTML), 0o600); err != nil {
			return fmt.Errorf("--to: %w", err)
		}
		return nil
	})
}

func (c *DigestCmd) send(ctx context.Context, o *opened, a *agency.Agency, template string, from, until, now time.Time) error {
	to := headsOf(a, c.Office, now)
	err := o.store.InTx(ctx, now, func(tx *store.Tx) error {
		for _, p := range to {
			if err := tx.Notify(scheduler.DigestNotice(a.Key, template, c.Office, "pulih digest "+now.UTC().Format(time.RFC3339), p, from, until)); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		fmt.Printf("%d ringkasan menunggu dikirim.\n", len(to))
	}
	return err
}

func headsOf(a *agency.Agency, office string, now time.Time) []request.Recipient {
	if o, ok := a.Office(office); ok {
		return []request.Recipient{{Kind: "office", ID: o.ID, Name: o.Head.Name, Address: o.Head.Email}}
	}
	var out []request.Recipient
	for _, p := range a.Holders(sop.Head, now) {
		out = append(out, request.Recipient{Kind: "staff", ID: p.ID, Name: p.Name, Address: p.Email})
	}
	return out
}
