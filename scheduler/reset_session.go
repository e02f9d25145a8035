package scheduler

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"time"

	"pulih/bsre"
	"pulih/internal/agency"
	"pulih/internal/request"
	"pulih/internal/sop"
)

// lent is a verifier's session, for one piece of work.
type lent struct {
	verifier string
	session  bsre.Session
}

// lend finds the session that a reset is made in: that of the verifier who approved, or, where the agency allows it, of another one who
// isn't the applicant.
func (d *Daemon) lend(ctx context.Context, t *tenant, s request.State) (lent, bool, error) {
	whose := []string{s.Approval.By.ID}
	if t.Rules.LendSessions {
		holders, err := d.store.SessionHolders(ctx, t.Key, d.now())
		if err != nil {
			return lent{}, false, err
		}
		for _, p := range t.Holders(sop.Verifier, d.now()) {
			if p.ID != whose[0] && slices.Contains(holders, p.ID) && !s.Subject.Is(p) {
				whose = append(whose, p.ID)
			}
		}
	}
	return d.anySession(ctx, t, whose)
}

// anySession is the first live one of these verifiers'.
func (d *Daemon) anySession(ctx context.Context, t *tenant, whose []string) (lent, bool, error) {
	var failed error
	for _, verifier := range whose {
		session, ok, err := d.session(ctx, t, verifier)
		if ok {
			return lent{verifier, session}, true, nil
		}
		failed = errors.Join(failed, err)
	}
	return lent{}, false, failed
}

// session loads the verifier's AMS session and makes sure that its token lasts through a call.
func (d *Daemon) session(ctx context.Context, t *tenant, verifier string) (bsre.Session, bool, error) {
	plain, ok, err := d.store.Session(ctx, t.Key, verifier, d.now())
	if err != nil || !ok {
		return bsre.Session{}, false, err
	}
	s, err := bsre.OpenSession(plain)
	if err != nil {
		return s, false, err
	}
	if d.lasts(s) {
		return s, true, nil
	}
	s, err = d.renew(ctx, t, verifier, s)
	if errors.Is(err, bsre.ErrSessionEnded) {
		return s, false, nil
	}
	return s, err == nil, err
}

func (d *Daemon) lasts(s bsre.Session) bool { return d.now().Add(time.Minute).Before(s.ExpiresAt) }

// renewing is the agency's client for reading in a verifier's session.
func (d *Daemon) renewing(t *tenant, verifier string) *bsre.AMS {
	return t.ams.Renewing(func(ctx context.Context, failed bsre.Session) (bsre.Session, error) {
		return d.renew(ctx, t, verifier, failed)
	})
}

// renew takes new tokens for a session whose own don't work any more. A refresh spends the refresh token, so one worker at a time makes it,
// and whoever comes second uses what the first has brought. A session is dropped only when the very tokens that are stored were refused.
func (d *Daemon) renew(ctx context.Context, t *tenant, verifier string, failed bsre.Session) (bsre.Session, error) {
	release, err := d.store.LockSession(ctx, t.Key, verifier)
	if err != nil {
		return bsre.Session{}, err
	}
	defer release()
	plain, ok, err := d.store.Session(ctx, t.Key, verifier, d.now())
	if err != nil {
		return bsre.Session{}, err
	}
	if !ok {
		return bsre.Session{}, bsre.ErrSessionEnded // signed out, or run out
	}
	s, err := bsre.OpenSession(plain)
	if err != nil {
		return s, err
	}
	if !bytes.Equal(plain, failed.Plain()) && d.lasts(s) {
		return s, nil
	}
	renewed, err := t.ams.Refresh(ctx, s)
	if errors.Is(err, bsre.ErrSessionEnded) {
		return s, errors.Join(err, d.store.DropSessionOf(ctx, t.Key, verifier, plain))
	} else if err != nil {
		return s, d.heard(ctx, t, err)
	}
	return renewed, d.store.RenewSession(context.WithoutCancel(ctx), t.Key, verifier, renewed.Plain(), later(renewed.ExpiresAt, renewed.RefreshExpiresAt))
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// anyHolder finds a live session of anybody in the agency: reading is not acting in somebody's name.
func (d *Daemon) anyHolder(ctx context.Context, t *tenant) (lent, bool, error) {
	holders, err := d.store.SessionHolders(ctx, t.Key, d.now())
	if err != nil {
		return lent{}, false, err
	}
	verifies := func(id string) bool {
		return slices.ContainsFunc(t.Holders(sop.Verifier, d.now()), func(p agency.Person) bool { return p.ID == id })
	}
	return d.anySession(ctx, t, slices.DeleteFunc(holders, func(id string) bool { return !verifies(id) }))
}
