package mailflow

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/emersion/go-imap/v2"
)

// Inbox reads one mailbox into an Archive. Make it with NewInbox; only one may read a mailbox at a time, across all daemons: whoever calls
// Run holds the lock for Mailbox.Key.
type Inbox struct {
	mailbox Mailbox
	archive Archive
	log     *slog.Logger
	now     func() time.Time
	pace    Pace

	mu     sync.Mutex
	status Status

	// What the running round remembers of earlier ones; only the goroutine in Run or Poll touches it.
	epoch    uint32                   // the UIDVALIDITY that the two maps below are about
	trouble  map[imap.UID]*difficulty // messages that the server didn't give
	beyond   map[imap.UID]bool        // committed, but past the cursor, which waits for one in trouble
	recorded string                   // the event last recorded, so that it is recorded once
}

// Pace says how fast failures are tried again. The zero Pace takes the defaults.
type Pace struct {
	First   time.Duration // after the first failure, doubled with each further one; zero means 1 s
	Most    time.Duration // never longer; zero means 5 min
	Refused time.Duration // after a refused sign-in; zero means 30 min: accounts are locked by those who insist
	Tries   int           // failures before a message counts as unreadable; zero means 5
	GiveUp  time.Duration // and not before this long after the first of them; zero means 10 min: a server may be ill for a while
}

func (p Pace) first() time.Duration   { return or(p.First, time.Second) }
func (p Pace) most() time.Duration    { return or(p.Most, 5*time.Minute) }
func (p Pace) refused() time.Duration { return or(p.Refused, 30*time.Minute) }
func (p Pace) tries() int             { return or(p.Tries, 5) }
func (p Pace) giveUp() time.Duration  { return or(p.GiveUp, 10*time.Minute) }

// after is the wait before the next try: doubled each time, with jitter of a quarter to both sides so that mailboxes that failed together
// don't come back together.
func (p Pace) after(failures int) time.Duration {
	wait := p.most()
	if shift := failures - 1; shift < 20 && p.first()<<shift < wait {
		wait = p.first() << shift
	}
	return wait*3/4 + rand.N(wait/2+1)
}

// difficulty is a message that the server didn't give so far. It is tried alone, after the others, and holds up none of them.
type difficulty struct {
	tries int
	since time.Time // of the first failure
	next  time.Time // not tried before
	size  int64     // what the server sent where it had announced less; 0 otherwise
}

// NewInbox makes an Inbox. log and now may be nil (no log, the clock on the wall).
func NewInbox(m Mailbox, a Archive, pace Pace, log *slog.Logger, now func() time.Time) *Inbox {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	if now == nil {
		now = time.Now
	}
	return &Inbox{
		mailbox: m, archive: a, pace: pace, now: now,
		log:     log.With("agency", m.Agency, "folder", m.folder()),
		status:  Status{Mailbox: m.Key(), State: Starting},
		trouble: map[imap.UID]*difficulty{}, beyond: map[imap.UID]bool{},
	}
}

// Run reads the mailbox until ctx ends, and returns nil then: at once at the start, whenever the server tells of new mail (IDLE), and
// every Mailbox.PollEvery whatever it tells. Failures are tried again for ever, each outage is recorded and logged once. The only error
// it returns is a wrong setting.
func (in *Inbox) Run(ctx context.Context) error {
	if err := in.mailbox.Check(); err != nil {
		return fmt.Errorf("mailbox %s: %w", in.mailbox.Key(), err)
	}
	defer in.set(func(s *Status) { s.State = Stopped })
	for failures := 0; ; {
		before := in.Status().LastSuccess
		err := in.attend(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if !in.Status().LastSuccess.Equal(before) {
			failures = 0
		}
		failures++
		wait := in.pace.after(failures)
		if errors.Is(err, errRefused) {
			wait = in.pace.refused()
		}
		in.failed(ctx, err, wait)
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return nil
		}
	}
}

// Poll reads the mailbox once, over a connection of its own.
func (in *Inbox) Poll(ctx context.Context) error {
	if err := in.mailbox.Check(); err != nil {
		return fmt.Errorf("mailbox %s: %w", in.mailbox.Key(), err)
	}
	s, err := in.open(ctx)
	if err == nil {
		defer s.close()
		err = in.round(ctx, s)
	}
	if err != nil {
		in.failed(ctx, err, 0)
		return err
	}
	in.worked(ctx)
	return nil
}

// Status tells how the mailbox fares. It may be called at any time.
func (in *Inbox) Status() Status {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.status
}

// attend keeps one connection and reads over it until it fails.
func (in *Inbox) attend(ctx context.Context) error {
	s, err := in.open(ctx)
	if err != nil {
		return err
	}
	defer s.close()
	for {
		if err := in.round(ctx, s); err != nil {
			return err
		}
		in.set(func(st *Status) { st.Idle = s.idles })
		in.worked(ctx)
		if err := s.wait(ctx, in.mailbox.pollEvery()); err != nil {
			return err
		}
	}
}

func (in *Inbox) set(change func(*Status)) {
	in.mu.Lock()
	defer in.mu.Unlock()
	change(&in.status)
}

// worked notes a complete round.
func (in *Inbox) worked(ctx context.Context) {
	var before Status
	in.set(func(s *Status) {
		before = *s
		s.State, s.LastSuccess, s.FailingSince, s.Why = Working, in.now(), time.Time{}, ""
	})
	switch {
	case !before.FailingSince.IsZero():
		in.log.Info("mailbox is read again", "failing_since", before.FailingSince)
		in.event(ctx, OutageEnded, "Kotak surat terbaca kembali.")
	case before.State == Starting: // an outage may have outlived the daemon that recorded it
		in.event(ctx, ReadingBegan, "Kotak surat mulai dibaca.")
	}
}

// failed notes a failure, and records and logs the first of a row.
func (in *Inbox) failed(ctx context.Context, err error, wait time.Duration) {
	state, kind := Failing, OutageBegan
	if errors.Is(err, errRefused) {
		state, kind = Refused, SignInRefused
	}
	why := explain(err)
	var changed bool
	in.set(func(s *Status) {
		changed = s.State != state
		if s.FailingSince.IsZero() {
			s.FailingSince = in.now()
		}
		s.State, s.Why, s.Idle = state, why, false
	})
	if changed {
		in.log.Warn("mailbox can't be read", "state", state, "retry_in", wait, "err", err)
		in.event(ctx, kind, why)
	} else {
		in.log.Debug("mailbox still can't be read", "retry_in", wait, "err", err)
	}
}

// event records an event; that it can't be recorded is no reason to stop reading.
func (in *Inbox) event(ctx context.Context, kind EventKind, detail string) {
	e := Event{Kind: kind, At: in.now(), Detail: detail}
	if err := in.archive.Event(ctx, in.mailbox.Key(), e); err != nil && ctx.Err() == nil {
		in.log.Error("recording an event of the mailbox", "kind", kind, "err", err)
	}
}
