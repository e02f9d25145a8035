package main

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// RebuildCmd computes the projection again from the events.
type RebuildCmd struct {
	ConfigFlag
}

// Run rebuilds all agencies. It fails when the chain of events is broken.
func (c *RebuildCmd) Run(ctx context.Context) error {
	return c.with(ctx, func(o *opened) error {
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
	})
}

// StopResetsCmd holds all resets of an agency at once, or lets them go on.
type StopResetsCmd struct {
	ConfigFlag
	Agency string `required:"" help:"Key of the agency."`
	Resume bool   `help:"Let them go on."`
	By     string `default:"operator" help:"Who decides it; kept with the switch."`
}

// Run switches.
func (c *StopResetsCmd) Run(ctx context.Context) error {
	return c.with(ctx, func(o *opened) error {
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
	})
}
