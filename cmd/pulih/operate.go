package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"pulih/internal/store"
)

// RebuildCmd computes the projection again from the events.
type RebuildCmd struct {
	ConfigFlag
}

// Run rebuilds all agencies. It fails when the chain of events is broken.
func (c *RebuildCmd) Run(ctx context.Context) (err error) {
	o, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, o.close()) }()
	for _, a := range o.cfg.Agencies() {
		events, err := o.store.VerifyChain(ctx, a.Key)
		if err != nil {
			return fmt.Errorf("%s: %w", a.Name, err)
		}
		requests, different, err := o.store.Rebuild(ctx, a, time.Now())
		if err != nil {
			return err
		}
		complaints, differ, err := o.store.RebuildComplaints(ctx, a, time.Now())
		if err != nil {
			return err
		}
		different = append(different, differ...)
		fmt.Printf("%s: %d peristiwa, rantai utuh; %d permohonan dan %d pengaduan dibangun ulang, %d berbeda.\n", a.Name, events, requests, complaints, len(different))
		if len(different) > 0 {
			fmt.Printf("  diperbaiki: %s\n", strings.Join(different, ", "))
		}
	}
	return nil
}

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
func (c *QuarantineListCmd) Run(ctx context.Context) error {
	return c.with(ctx, func(st *store.Store) error {
		list, err := st.Quarantined(ctx)
		if err != nil {
			return err
		}
		if len(list) == 0 {
			fmt.Println("Karantina kosong.")
			return nil
		}
		w := tabwriter.NewWriter(os.Stdout, 0, 4, 2, ' ', 0)
		for _, l := range list {
			fmt.Fprintf(w, "%d\t%s\t%s\t%s\t%s\n", l.ID, l.Agency, l.Channel, l.ReceivedAt.Format("2006-01-02 15:04"), l.Problem)
		}
		return w.Flush()
	})
}

// Run shows a letter.
func (c *QuarantineShowCmd) Run(ctx context.Context) error {
	return c.with(ctx, func(st *store.Store) error {
		if c.Raw {
			raw, err := st.Raw(ctx, c.Letter)
			if err == nil {
				_, err = os.Stdout.Write(raw)
			}
			return err
		}
		l, err := st.Letter(ctx, c.Letter)
		if err != nil {
			return err
		}
		fmt.Printf("Surat %d (%s, %s), %d bita, diterima %s\nKeadaan: %s\nSebab: %s\n", l.ID, l.Agency, l.Channel, l.Size,
			l.ReceivedAt.Format(time.RFC3339), l.State, l.Problem)
		return nil
	})
}

// Run takes a letter out of quarantine.
func (c *QuarantineRetryCmd) Run(ctx context.Context) error {
	return c.with(ctx, func(st *store.Store) error {
		if err := st.RetryLetter(ctx, c.Letter, time.Now()); err != nil {
			return err
		}
		fmt.Printf("Surat %d dibaca lagi oleh pulih serve.\n", c.Letter)
		return nil
	})
}

func (f ConfigFlag) with(ctx context.Context, do func(*store.Store) error) error {
	o, err := f.open(ctx)
	if err != nil {
		return err
	}
	return errors.Join(do(o.store), o.close())
}

// StopResetsCmd holds all resets of an agency at once, or lets them go on.
type StopResetsCmd struct {
	ConfigFlag
	Agency string `required:"" help:"Key of the agency."`
	Resume bool   `help:"Let them go on."`
	By     string `default:"operator" help:"Who decides it; kept with the switch."`
}

// Run switches.
func (c *StopResetsCmd) Run(ctx context.Context) (err error) {
	o, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, o.close()) }()
	a, err := o.agency(ctx, c.Agency)
	if err != nil {
		return err
	}
	if err := o.store.StopResets(ctx, a.Key, c.By, !c.Resume, time.Now()); err != nil {
		return err
	}
	if c.Resume {
		fmt.Printf("%s: reset berjalan kembali.\n", a.Name)
	} else {
		fmt.Printf("%s: semua reset ditahan. Jalankan lagi dengan --resume.\n", a.Name)
	}
	return nil
}
