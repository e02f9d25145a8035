package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"pulih/internal/request"
	"pulih/internal/store"
)

// ExplainCmd records why a promise was broken: digests and the meeting's pack show it.
type ExplainCmd struct {
	ConfigFlag
	As     string `required:"" placeholder:"ID" help:"Who says so, by their id in the configuration."`
	Number string `arg:"" help:"Number of the request, e.g. PBG-2026-000123."`
	Text   string `arg:"" help:"Why it took longer than promised."`
}

// Run records.
func (c *ExplainCmd) Run(ctx context.Context) error {
	return c.with(ctx, func(o *opened) error {
		a, err := o.byNumber(ctx, c.Number)
		if err != nil {
			return err
		}
		by, err := actor(a, c.As)
		if err != nil {
			return err
		}
		s, err := o.store.Act(ctx, a, c.Number, time.Now(), request.Explain{By: by, Text: c.Text})
		if errors.Is(err, store.ErrNotFound) {
			return fmt.Errorf("permohonan %s tidak ada", c.Number)
		} else if err != nil {
			return err
		}
		fmt.Printf("%s: sebabnya dicatat: %s\n", s.Number, s.BreachReason)
		return nil
	})
}
