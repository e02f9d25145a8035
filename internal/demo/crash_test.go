package demo

import (
	"context"
	"math/rand/v2"
	"net/http"
	"os"
	"path"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pulih/internal/agency"
	"pulih/internal/demo/bsresim"
	"pulih/internal/demo/mailsim"
)

// killer ends daemons by SIGKILL: at random moments, and at the two instants where a crash can do the most harm, when a reset has reached
// BSrE and when a mail has reached its server.
type killer struct {
	*house
	rng   *rand.Rand
	mu    sync.Mutex // guards rng: faults are drawn by many goroutines
	calm  atomic.Bool
	slays chan chan struct{}
	ours  map[string]bool // uids whose resets the software makes; the others' verifiers call by hand

	kills, atReset, atMail int
}

func newKiller(h *house, seed uint64) *killer {
	k := &killer{house: h, rng: rand.New(rand.NewPCG(seed, 8)), slays: make(chan chan struct{}), ours: map[string]bool{}}
	for _, a := range h.world.Config.Agencies() {
		for _, o := range a.Offices {
			for _, f := range o.All() {
				k.ours[h.world.users[f.NIP]] = a.Mode == agency.AMS
			}
		}
	}
	h.world.meddle = k.atBSrE
	h.world.Mail.Fail(k.atSMTP)
	return k
}

func (k *killer) draw(n int) int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.rng.IntN(n)
}

// now has all daemons killed, and returns when they are dead.
func (k *killer) now(ctx context.Context) bool {
	dead := make(chan struct{})
	select {
	case k.slays <- dead:
		<-dead
		return true
	case <-ctx.Done():
		return false
	}
}

// atBSrE kills the caller of a reset before or after BSrE has carried it out.
func (k *killer) atBSrE(c bsresim.Call, r *http.Request) bsresim.Fault {
	if c != bsresim.CallReset || k.calm.Load() || !k.ours[path.Base(path.Dir(r.URL.Path))] || k.draw(3) > 0 {
		return bsresim.NoFault
	}
	fault := []bsresim.Fault{bsresim.DropBefore, bsresim.DropAfter}[k.draw(2)]
	if !k.now(r.Context()) {
		return bsresim.NoFault
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.atReset++
	return fault
}

// atSMTP kills the sender of a mail that the server has taken, before it hears so.
func (k *killer) atSMTP(_, to string) *mailsim.Fault {
	if k.calm.Load() || k.draw(30) > 0 {
		return nil
	}
	before := len(k.world.Mail.Journal())
	dead := make(chan struct{})
	go func() {
		defer close(dead)
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		taken := func(all []mailsim.Accepted) bool {
			for _, m := range all[before:] {
				if m.To[0] == to {
					return true
				}
			}
			return false
		}
		if k.world.Mail.Wait(ctx, taken) == nil && k.now(ctx) {
			k.mu.Lock()
			k.atMail++
			k.mu.Unlock()
		}
	}()
	return &mailsim.Fault{At: mailsim.AfterTaken, Stall: dead, Cut: true}
}

// run kills so many times, with as many daemons alive at a time, each replaced at once.
func (k *killer) run(kills, alive int) {
	for end := k.kills + kills; k.kills < end; {
		for len(k.living()) < alive {
			k.start()
		}
		select {
		case <-time.After(time.Duration(100+k.draw(2600)) * time.Millisecond):
			living := k.living()
			k.slay(living[k.draw(len(living))])
			k.kills++
		case dead := <-k.slays:
			k.kills += len(k.living())
			k.killAll()
			close(dead)
		}
	}
	for len(k.living()) < alive {
		k.start()
	}
}

// rest ends the killing; what was about to kill is let go.
func (k *killer) rest() {
	k.calm.Store(true)
	go func() {
		for dead := range k.slays {
			close(dead)
		}
	}()
}

func dose(usual, soak int) int {
	if os.Getenv("PULIH_SOAK") != "" {
		return soak
	}
	return usual
}

// seed is printed, and taken from PULIH_SEED to see a run again (as far as a race with a clock can be seen again).
func seed(t *testing.T) uint64 {
	seed := rand.Uint64()
	if text := os.Getenv("PULIH_SEED"); text != "" {
		var err error
		if seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("PULIH_SEED=%d", seed)
	return seed
}

// The daemon is killed at random moments while a world of letters goes on, first alone, then with a second one beside it. Afterwards
// everything must have happened, once.
func TestInvariant6ACrashAtAnyInstantGoesOnAsIfNothingHadHappened(t *testing.T) {
	t.Parallel()
	kills := dose(30, 500)
	letters := kills * 3 / 2
	h := newHouse(t, 90, WorldOptions{Crowd: letters, LogLevel: "debug"})
	h.play.Every = time.Duration(kills) * 130 * time.Second / time.Duration(letters)
	if err := h.play.Begin(); err != nil {
		t.Fatal(err)
	}
	k := newKiller(h, seed(t))
	over, killed := context.WithCancel(t.Context())
	go func() {
		defer killed()
		k.run(kills/2, 1)
		k.run(kills-kills/2, 2)
		k.rest()
	}()
	play := func(ctx context.Context) ([]string, error) {
		if err := h.releaseLetters(ctx); err != nil {
			return nil, err
		}
		if over.Err() == nil {
			return []string{"the killing goes on"}, nil
		}
		return h.play.Done(ctx)
	}
	h.until(time.Duration(kills)*6*time.Second+4*time.Minute, play) // far more than it takes: two cores may be busy with other tests
	h.until(2*time.Minute, h.settled)
	h.metrics = h.fetch("/metrics") + h.fetch("/readyz")
	k.evening(t)
	h.killAll()

	a := newAudit(h)
	t.Run("Invariant1NoLetterIsLost", a.letters)
	t.Run("Invariant2OneLetterOneRequest", a.requests)
	t.Run("Invariants3And4NoResetWithoutItsApprovalAndNoneTwice", a.resets)
	var twice, uncertain int
	t.Run("Invariant5NoMailTwice", func(t *testing.T) { twice, uncertain = a.mails(t) })
	t.Run("Invariant6TheEventsAreWhole", a.truth)
	t.Run("Invariant6FollowUpsOnce", a.followUps)
	t.Run("Invariant7NothingPersonalInTheClear", a.secrets)
	t.Run("Invariant8RemindersAndDigestsOnce", a.once)
	tally, err := Count(t.Context(), h.world, h.store)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d kills, %d lives (%d with a reset at BSrE, %d with a mail at its server, the second half with two daemons): %s; %d mails twice and marked, %d uncertain, %d letters read once more, %d times resets held",
		k.kills, h.lives, k.atReset, k.atMail, tally, twice, uncertain, h.released, h.tripped)
}

// evening jumps to the hour of the digests: the daemons see it after one more crash.
func (k *killer) evening(t *testing.T) {
	t.Helper()
	closing, ok := k.world.Config.Agencies()[0].Calendar.CloseOfDay(k.world.Clock.Now())
	if !ok {
		return // a soak ends when it ends
	}
	k.killAll()
	k.world.Clock.Jump(closing.Add(-14 * time.Minute))
	k.start()
	k.start()
	k.until(2*time.Minute, func(ctx context.Context) ([]string, error) {
		missing, err := k.play.digestsOut(ctx)
		return missing, err
	})
	k.until(2*time.Minute, k.settled)
	if log := k.lastWords(); strings.Contains(log, "panic") {
		t.Errorf("a daemon panicked:\n%s", log)
	}
}
