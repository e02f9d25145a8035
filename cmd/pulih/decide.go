package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"pulih/internal/letter"
	"pulih/internal/request"
	"pulih/internal/sop"
	"pulih/internal/store"
)

// Deciding is what approve, return and reject have in common.
type Deciding struct {
	ConfigFlag
	As     string `required:"" placeholder:"ID" help:"The verifier who decides, by their id in the configuration."`
	Number string `arg:"" help:"Number of the request, e.g. PBG-2026-000123."`
}

// ApproveCmd approves a reset.
type ApproveCmd struct {
	Deciding
	SeenRisks bool   `help:"The findings of severity danger were checked."`
	Compared  bool   `help:"What pulih corrected was compared with the letter: NIP, NIK or e-mail that was not read as it is used."`
	Text      string `help:"A remark; needed when an earlier call is uncertain."`
}

// ReturnCmd gives a request back to its office.
type ReturnCmd struct {
	Deciding
	Missing []string `required:"" placeholder:"WHAT" sep:"none" help:"What is missing; may be given several times."`
	Text    string   `help:"More words for the office."`
}

// RejectCmd ends a request without a reset.
type RejectCmd struct {
	Deciding
	Reason string `required:"" help:"The reason, as the office will read it."`
}

// saying is how one says at the command line what an approval lacks.
var saying = map[string]string{request.RisksUnseen: "--seen-risks", request.NotCompared: "--compared"}

// Run approves.
func (c *ApproveCmd) Run(ctx context.Context) error {
	return c.decide(ctx, func(by request.Actor, s request.State) request.Command {
		return request.Approve{By: by, Subject: s.Subject, SeenRisks: c.SeenRisks, Compared: c.Compared, Text: c.Text}
	})
}

// Run returns.
func (c *ReturnCmd) Run(ctx context.Context) error {
	return c.decide(ctx, func(by request.Actor, _ request.State) request.Command {
		return request.Return{By: by, Missing: c.Missing, Text: c.Text}
	})
}

// Run rejects.
func (c *RejectCmd) Run(ctx context.Context) error {
	return c.decide(ctx, func(by request.Actor, _ request.State) request.Command { return request.Reject{By: by, Text: c.Reason} })
}

func (c *Deciding) decide(ctx context.Context, command func(by request.Actor, s request.State) request.Command) error {
	return c.with(ctx, func(o *opened) error {
		a, err := o.byNumber(ctx, c.Number)
		if err != nil {
			return err
		}
		p, ok := a.Person(c.As)
		if !ok {
			return fmt.Errorf("%s tidak mengenal %q", a.Name, c.As)
		}
		s, err := o.store.State(ctx, c.Number)
		if errors.Is(err, store.ErrNotFound) {
			return fmt.Errorf("permohonan %s tidak ada", c.Number)
		} else if err != nil {
			return err
		}
		for _, f := range s.Findings {
			if f.Severity != letter.Info {
				fmt.Printf("%s: %s\n", f.Severity, f.Detail)
			}
		}
		by := request.Actor{Role: sop.Verifier, ID: p.ID, Name: p.Name, Via: "cli"}
		s, err = o.store.Act(ctx, a, c.Number, time.Now(), command(by, s))
		var refusal *request.Refusal
		if errors.As(err, &refusal) && saying[refusal.Code] != "" {
			return fmt.Errorf("%w (di sini: %s)", err, saying[refusal.Code])
		} else if err != nil {
			return err
		}
		fmt.Printf("%s: %s\n", s.Number, s.ForOffice())
		return nil
	})
}
