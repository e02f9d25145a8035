// Package demo is the whole world of the service on one machine: private PostgreSQL, mail servers, simulators of Srikandi and BSrE, two
// agencies with invented people, and a play in which offices write letters, officials pass them on and applicants set new passphrases. It
// is the showcase, and the stage of the crash tests.
package demo

import (
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Clock tells the demo's time, which may run faster than the one on the wall and be moved forward. It is safe for concurrent use.
type Clock struct {
	mu    sync.Mutex
	base  time.Time // the demo's time at real
	real  time.Time
	speed float64
}

// NewClock starts at an instant of the demo's time and runs speed times as fast as the wall's.
func NewClock(start time.Time, speed float64) *Clock {
	return &Clock{base: start, real: time.Now(), speed: speed}
}

// Now is the demo's time.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at(time.Now())
}

func (c *Clock) at(now time.Time) time.Time {
	return c.base.Add(time.Duration(float64(now.Sub(c.real)) * c.speed))
}

// Jump moves the clock forward to an instant, never back.
func (c *Clock) Jump(to time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	if at := c.at(now); to.After(at) {
		c.base, c.real = to, now
	}
}

// String is what ParseClock reads in another process: "2026-11-23T08:00:00+07:00 1763859600000000000 60".
func (c *Clock) String() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return fmt.Sprintf("%s %d %g", c.base.Format(time.RFC3339Nano), c.real.UnixNano(), c.speed)
}

// ParseClock makes the clock of another process, as it was when String was called: jumps after that are not seen.
func ParseClock(text string) (*Clock, error) {
	words := strings.Fields(text)
	if len(words) != 3 {
		return nil, fmt.Errorf("clock %q: expected an instant, nanoseconds and a speed", text)
	}
	base, err := time.Parse(time.RFC3339Nano, words[0])
	if err != nil {
		return nil, fmt.Errorf("clock: %w", err)
	}
	nanos, err := strconv.ParseInt(words[1], 10, 64)
	if err != nil {
		return nil, fmt.Errorf("clock: %w", err)
	}
	speed, err := strconv.ParseFloat(words[2], 64)
	if err != nil || speed <= 0 {
		return nil, fmt.Errorf("clock: the speed must be a number above 0")
	}
	return &Clock{base: base, real: time.Unix(0, nanos), speed: speed}, nil
}
