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

// Run lists the quarantine.
func (c *QuarantineListCmd) Run(ctx context.Context) error { return c.run(ctx, os.Stdout) }

func (c *QuarantineListCmd) run(ctx context.Context, out io.Writer) error {
	return c.with(ctx, func(o *opened) error {
		list, err := o.store.Quarantined(ctx)
		if err != nil {
			return err
		}
		if len(list) == 0 {
			_, err := fmt.Fprintln(out, "Karantina kosong.")
			return err
		}
		w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
		fmt.Fprintln(w, "Surat\tInstansi\tSaluran\tDiterima\tSebab")
		for _, l := range list {
			fmt.Fprintf(w, "%d\t%s\t%s\t%s\t%s\n", l.ID, l.Agency, l.Channel, o.at(l), l.Problem)
		}
		return w.Flush()
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
		_, err = fmt.Fprintf(out, "Surat %d (%s, %s), %d bita, diterima %s\nKeadaan: %s, %d kali dicoba\n", l.ID, l.Agency, l.Channel, l.Size, o.at(l),
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

// at is when a letter was received, in its agency's zone.
func (o *opened) at(l store.Letter) string {
	at := l.ReceivedAt
	if a, ok := o.cfg.Agency(l.Agency); ok {
		at = at.In(a.Zone)
	}
	return at.Format("2006-01-02 15:04 MST")
}
