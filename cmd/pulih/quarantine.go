package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"text/tabwriter"
	"time"

	"pulih/internal/store"
)

// QuarantineCmd works with letters that could not be read.
type QuarantineCmd struct {
	List  QuarantineListCmd  `cmd:"" help:"List the letters in quarantine."`
	Show  QuarantineShowCmd  `cmd:"" help:"Show what is known of one."`
	Retry QuarantineRetryCmd `cmd:"" help:"Read one again."`
	Row   QuarantineRowCmd   `cmd:"" help:"Write the raw bytes of a row that never became a letter."`
}

// QuarantineListCmd lists.
type QuarantineListCmd struct{ ConfigFlag }

// QuarantineShowCmd shows one.
type QuarantineShowCmd struct {
	ConfigFlag
	Letter int64 `arg:""`
	Raw    bool  `help:"Write the letter's raw bytes to standard output. They may hold personal data."`
}

// QuarantineRetryCmd reads one again.
type QuarantineRetryCmd struct {
	ConfigFlag
	Letter int64 `arg:""`
}

// QuarantineRowCmd writes one row.
type QuarantineRowCmd struct {
	ConfigFlag
	Row int64 `arg:""`
}

// Run lists the quarantine.
func (c *QuarantineListCmd) Run(ctx context.Context) error { return c.run(ctx, os.Stdout) }

func (c *QuarantineListCmd) run(ctx context.Context, out io.Writer) error {
	return c.with(ctx, func(o *opened) error {
		list, err := o.store.Quarantined(ctx)
		if err != nil {
			return err
		}
		rows, err := o.store.Rejections(ctx, "")
		if err != nil {
			return err
		}
		if len(list)+len(rows) == 0 {
			_, err := fmt.Fprintln(out, "Karantina kosong.")
			return err
		}
		w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
		if len(list) > 0 {
			fmt.Fprintln(w, "Surat\tInstansi\tSaluran\tDiterima\tSebab")
		}
		for _, l := range list {
			fmt.Fprintf(w, "%d\t%s\t%s\t%s\t%s\n", l.ID, l.Agency, l.Channel, o.at(l.Agency, l.ReceivedAt), l.Problem)
		}
		if len(rows) > 0 {
			fmt.Fprintln(w, "Baris\tInstansi\tAsal\tDilihat\tSebab")
		}
		for _, r := range rows {
			fmt.Fprintf(w, "%d\t%s\t%s\t%s\t%s\n", r.ID, r.Agency, r.Source, o.at(r.Agency, r.At), r.What)
		}
		return w.Flush()
	})
}

// Run writes a row's bytes. They may hold personal data.
func (c *QuarantineRowCmd) Run(ctx context.Context) error { return c.run(ctx, os.Stdout) }

func (c *QuarantineRowCmd) run(ctx context.Context, out io.Writer) error {
	return c.with(ctx, func(o *opened) error {
		raw, err := o.store.RejectedRaw(ctx, c.Row)
		if errors.Is(err, store.ErrNotFound) {
			return fmt.Errorf("tidak ada baris %d", c.Row)
		}
		if err == nil {
			_, err = out.Write(raw)
		}
		return err
	})
}

// Run shows a letter.
func (c *QuarantineShowCmd) Run(ctx context.Context) error { return c.run(ctx, os.Stdout) }

func (c *QuarantineShowCmd) run(ctx context.Context, out io.Writer) error {
	return c.with(ctx, func(o *opened) error {
		l, err := o.store.Letter(ctx, c.Letter)
		if errors.Is(err, store.ErrNotFound) {
			return fmt.Errorf("tidak ada surat %d", c.Letter)
		} else if err != nil {
			return err
		}
		if c.Raw {
			raw, err := o.store.Raw(ctx, l.ID)
			if err == nil {
				_, err = out.Write(raw)
			}
			return err
		}
		state := map[string]string{"stored": "menunggu dibaca", "read": "terbaca", "quarantined": "dalam karantina"}[l.State]
		_, err = fmt.Fprintf(out, "Surat %d (%s, %s), %d bita, diterima %s\nKeadaan: %s, %d kali dicoba\n", l.ID, l.Agency, l.Channel, l.Size, o.at(l.Agency, l.ReceivedAt),
			state, l.Attempts)
		if err == nil && l.Problem != "" {
			_, err = fmt.Fprintf(out, "Sebab: %s\n", l.Problem)
		}
		return err
	})
}

// Run takes a letter out of quarantine.
func (c *QuarantineRetryCmd) Run(ctx context.Context) error { return c.run(ctx, os.Stdout) }

func (c *QuarantineRetryCmd) run(ctx context.Context, out io.Writer) error {
	return c.with(ctx, func(o *opened) error {
		err := o.store.RetryLetter(ctx, c.Letter, time.Now())
		if errors.Is(err, store.ErrNotFound) {
			return fmt.Errorf("surat %d tidak ada dalam karantina", c.Letter)
		} else if err != nil {
			return err
		}
		_, err = fmt.Fprintf(out, "Surat %d dibaca lagi oleh pulih serve.\n", c.Letter)
		return err
	})
}

// at is an instant in an agency's zone.
func (o *opened) at(agencyKey string, at time.Time) string {
	if a, ok := o.cfg.Agency(agencyKey); ok {
		at = at.In(a.Zone)
	}
	return at.Format("2006-01-02 15:04 MST")
}
