package demo

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"pulih/internal/request"
)

// beat is how often the world moves on, on the wall's clock.
const beat = 50 * time.Millisecond

// patience is how long Once waits for the play's end, on the wall's clock.
const patience = 55 * time.Second

// Forever plays until ctx ends.
func (p *Play) Forever(ctx context.Context) error {
	for {
		if err := p.Step(ctx); err != nil && ctx.Err() == nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(beat):
		}
	}
}

// Once plays to the end: every letter has reached the state that the scenario expects, and the day's digests are out. What is missing when
// patience ends is the error.
func (p *Play) Once(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if err := p.until(ctx, p.Done); err != nil {
		return err
	}
	// The rest of the day: the digests go out a quarter of an hour before the offices close.
	now := p.World.Clock.Now()
	evening, ok := p.World.Config.Agencies()[0].Calendar.CloseOfDay(now)
	if !ok {
		return errors.New("the play's day has no office hours")
	}
	p.World.Clock.Jump(evening.Add(-14 * time.Minute))
	if err := p.until(ctx, p.digestsOut); err != nil {
		return err
	}
	return p.until(ctx, p.quiet)
}

// until steps until nothing is missing.
func (p *Play) until(ctx context.Context, done func(context.Context) (missing []string, err error)) error {
	var missing []string
	for {
		if err := p.Step(ctx); err != nil {
			return unfinished(ctx, missing, err)
		}
		var err error
		if missing, err = done(ctx); err != nil {
			return unfinished(ctx, missing, err)
		}
		if len(missing) == 0 {
			return nil
		}
		if err := p.hurry(ctx); err != nil {
			return unfinished(ctx, missing, err)
		}
		select {
		case <-ctx.Done():
			return unfinished(ctx, missing, ctx.Err())
		case <-time.After(beat):
		}
	}
}

func unfinished(ctx context.Context, missing []string, err error) error {
	if ctx.Err() == nil {
		return err
	}
	return fmt.Errorf("the play did not end: %s", strings.Join(missing, "; "))
}

// hurry moves the clock on while everybody only waits for the applicants.
func (p *Play) hurry(ctx context.Context) error {
	if p.elapsed() < p.scenes[len(p.scenes)-1].after || slices.ContainsFunc(p.scenes, func(s scene) bool { return !p.sent[s.name] }) {
		return nil
	}
	var busy int
	err := p.Store.Pool.QueryRow(ctx, `SELECT count(*) FROM requests WHERE closed_at IS NULL AND status NOT IN ($1, $2, $3)`,
		request.StatusLink, request.StatusPassphrase, request.StatusCertificate).Scan(&busy)
	if err != nil || busy > 0 {
		return err
	}
	p.World.Clock.Jump(p.World.Clock.Now().Add(30 * time.Second))
	return nil
}

// digestsOut waits for the day's digests: each head of agency, and each head of an office with requests.
func (p *Play) digestsOut(ctx context.Context) ([]string, error) {
	var missing []string
	for _, a := range p.World.Config.Agencies() {
		for _, template := range []string{"digest-head-daily", "digest-office"} {
			var sent, open int
			err := p.Store.Pool.QueryRow(ctx, `SELECT count(*) FILTER (WHERE state = 'sent'), count(*) FILTER (WHERE state IN ('waiting', 'sending'))
				FROM outbox WHERE agency = $1 AND template = $2`, a.Key, template).Scan(&sent, &open)
			if err != nil {
				return nil, fmt.Errorf("looking for digests: %w", err)
			}
			if sent == 0 || open > 0 {
				missing = append(missing, a.Key+": "+template)
			}
		}
	}
	return missing, nil
}

// quiet waits until nothing is under way: each mail is with its server, each follow-up in Srikandi.
func (p *Play) quiet(ctx context.Context) ([]string, error) {
	var mails, followUps int
	err := p.Store.Pool.QueryRow(ctx, `SELECT (SELECT count(*) FROM outbox WHERE state IN ('waiting', 'sending')),
		(SELECT count(*) FROM follow_ups WHERE state = 'waiting')`).Scan(&mails, &followUps)
	if err != nil {
		return nil, fmt.Errorf("looking for work: %w", err)
	}
	if mails+followUps > 0 {
		return []string{fmt.Sprintf("%d surel dan %d tindak lanjut belum keluar", mails, followUps)}, nil
	}
	return nil, nil
}
