package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"pulih/internal/config"
	"pulih/internal/config/accounts"
)

// CheckCmd validates the configuration and tries what it names.
type CheckCmd struct {
	ConfigFlag
	JSON bool `name:"json" help:"Print one JSON object."`
}

// Run answers in sentences for the operator. It fails when the configuration or a connection does; warnings are no failure.
func (c *CheckCmd) Run(ctx context.Context) error { return c.run(ctx, os.Stdout, time.Now()) }

func (c *CheckCmd) run(ctx context.Context, out io.Writer, now time.Time) error {
	report := checkReport{File: c.Config, Problems: []config.Problem{}, Warnings: []string{}, Findings: []accounts.Finding{}}
	cfg, err := config.Load(c.Config)
	var problems config.Problems
	switch {
	case errors.As(err, &problems):
		report.Problems = problems
	case err != nil:
		return err
	default:
		report.Agencies = len(cfg.Tenants)
		report.Warnings = append(report.Warnings, cfg.Warnings...)
		report.Findings = accounts.Try(ctx, cfg, now)
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	report.OK = report.failures() == 0
	if c.JSON {
		err = json.NewEncoder(out).Encode(report)
	} else {
		err = report.print(out)
	}
	if err != nil {
		return err
	}
	switch n := report.failures(); {
	case len(problems) > 0:
		return fmt.Errorf("konfigurasi tidak dapat dipakai: %d kesalahan", n)
	case n > 0:
		return fmt.Errorf("%d dari %d pemeriksaan gagal", n, len(report.Findings))
	}
	return nil
}

// checkReport is the object that --json prints.
type checkReport struct {
	File     string             `json:"file"`
	OK       bool               `json:"ok"`
	Agencies int                `json:"agencies"`
	Problems []config.Problem   `json:"problems"` // mistakes in the file; with any of them nothing was tried
	Warnings []string           `json:"warnings"`
	Findings []accounts.Finding `json:"findings"`
}

func (r checkReport) failures() int {
	n := len(r.Problems)
	for _, f := range r.Findings {
		if f.State == accounts.Failed {
			n++
		}
	}
	return n
}

func (r checkReport) print(out io.Writer) error {
	if len(r.Problems) > 0 {
		_, err := fmt.Fprintf(out, "Konfigurasi %s: %d kesalahan.\n%s\n", r.File, len(r.Problems), config.Problems(r.Problems))
		return err
	}
	text := fmt.Sprintf("Konfigurasi %s: dapat dipakai, %d instansi.\n", r.File, r.Agencies)
	for _, w := range r.Warnings {
		text += "perhatian  " + w + "\n"
	}
	words := map[accounts.State]string{accounts.OK: "baik       ", accounts.Warning: "perhatian  ", accounts.Failed: "GAGAL      "}
	for _, f := range r.Findings {
		text += words[f.State] + f.Sentence + "\n"
	}
	_, err := io.WriteString(out, text)
	return err
}
