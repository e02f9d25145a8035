package main

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"pulih/internal/agency"
	"pulih/internal/config"
	"pulih/internal/forecast"
)

// SimulateCmd plays an office on a fast clock: how many promises would be kept, and where the queue forms.
type SimulateCmd struct {
	Config   string        `short:"c" default:"pulih.yaml" type:"path" env:"PULIH_CONFIG" help:"Configuration file."`
	Agency   string        `placeholder:"KEY" help:"Agency in the configuration file; its first if left out."`
	Arrivals string        `default:"40/day" placeholder:"N/day" help:"Letters on a working day, on average."`
	Staff    int           `default:"3" help:"Verifiers."`
	Days     int           `default:"250" help:"Working days."`
	Start    string        `placeholder:"DAY" help:"First day, e.g. 2027-01-04; today if left out."`
	Seed     uint64        `default:"1" help:"Another one gives another year."`
	Check    time.Duration `default:"6m" help:"A verifier's work to check a request."`
	Reset    time.Duration `default:"8m" help:"A verifier's work to make the reset in AMS."`
	Share    float64       `default:"0.6" help:"Share of their office hours that verifiers have for requests."`
	To       string        `placeholder:"FILE.html" type:"path" help:"Write a page with charts as well."`
}

// Run plays and answers.
func (c *SimulateCmd) Run() (err error) {
	cfg, err := config.Load(c.Config)
	if err != nil {
		return err
	}
	a, err := c.agency(cfg)
	if err != nil {
		return err
	}
	p, err := c.plan(a)
	if err != nil {
		return err
	}
	answer, err := forecast.Ask(a, p)
	if err != nil {
		return err
	}
	if err := answer.Text(os.Stdout); err != nil || c.To == "" {
		return err
	}
	f, err := os.Create(c.To)
	if err != nil {
		return fmt.Errorf("--to: %w", err)
	}
	return errors.Join(answer.HTML(f), f.Close())
}

func (c *SimulateCmd) agency(cfg *config.Config) (*agency.Agency, error) {
	if c.Agency == "" {
		return cfg.Agencies()[0], nil
	}
	a, ok := cfg.Agency(c.Agency)
	if !ok {
		return nil, fmt.Errorf("--agency: %q tidak ada dalam konfigurasi", c.Agency)
	}
	return a, nil
}

func (c *SimulateCmd) plan(a *agency.Agency) (forecast.Plan, error) {
	p := forecast.Defaults()
	number, unit, _ := strings.Cut(c.Arrivals, "/")
	rate, err := strconv.ParseFloat(number, 64)
	if err != nil || rate <= 0 || rate > 400 || unit != "" && unit != "day" {
		return p, fmt.Errorf("--arrivals: %q; expected letters a day, above 0 and at most 400, e.g. 40/day", c.Arrivals)
	}
	if c.Staff < 1 || c.Staff > 100 {
		return p, fmt.Errorf("--staff: %d; expected 1 to 100", c.Staff)
	}
	if c.Days < 1 || c.Days > 500 {
		return p, fmt.Errorf("--days: %d; expected 1 to 500", c.Days)
	}
	if c.Share <= 0 || c.Share > 1 || c.Check <= 0 || c.Reset <= 0 {
		return p, errors.New("--share, --check, --reset: expected a share above 0 and at most 1, and lengths above 0")
	}
	p.Arrivals, p.Verifiers, p.Days, p.Seed, p.Check, p.Reset, p.VerifyShare = rate, c.Staff, c.Days, c.Seed, c.Check, c.Reset, c.Share
	p.Start = time.Now().In(a.Zone)
	if c.Start != "" {
		if p.Start, err = time.ParseInLocation("2006-01-02", c.Start, a.Zone); err != nil {
			return p, fmt.Errorf("--start: %q is no day; expected e.g. 2027-01-04", c.Start)
		}
	}
	return p, nil
}
