package sop

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// WorkingDays measures norms like "30 hari kerja": each working day counts as 24 hours of Duration, spent evenly over the hours that the
// office is open that day. So a day of Ramadan is a whole day, and one working day begun on Monday at 10.00 is over on Tuesday at 10.00.
// It is never written in a file; Norm.Measure gives it.
const WorkingDays ClockKind = "working-days"

// Day is one day on the WorkingDays clock.
const Day = 24 * time.Hour

// maxDays bounds what a file or a command line may promise; no standard of a public service goes beyond a year.
const maxDays = 366

var (
	normPart      = regexp.MustCompile(`^(\d{1,6}) ?([a-z]+)(?: |$)`)
	unitThenDigit = regexp.MustCompile(`([a-z])(\d)`) // "2h30m" is read as "2h 30m"
)

var normUnits = map[string]time.Duration{
	"detik": time.Second, "s": time.Second, "menit": time.Minute, "m": time.Minute, "jam": time.Hour, "h": time.Hour,
	"hari": Day, "d": Day,
	"second": time.Second, "seconds": time.Second, "minute": time.Minute, "minutes": time.Minute, "hour": time.Hour, "hours": time.Hour, "day": Day, "days": Day,
}

var workingDays = regexp.MustCompile(`(hari kerja|working days?)$`)

// ParseNorm reads a norm as standards write it ("150 menit", "2 jam 30 menit", "1 hari", "30 hari kerja") or in short ("150m", "2h30m",
// "90s", "30d"); English units do as well. Days on the working clock are working days; on the elapsed clock a day has 24 hours. "hari kerja" is refused on the elapsed
// clock, since it could only be a mistake.
func ParseNorm(text string, clock ClockKind) (Norm, error) {
	want := func(why string) (Norm, error) {
		return Norm{}, fmt.Errorf(`norm %q %s; expected e.g. "150 menit", "2 jam", "1 hari" or "30 hari kerja"`, text, why)
	}
	if clock != Working && clock != Elapsed {
		return Norm{}, fmt.Errorf("clock %q is unknown; expected working or elapsed", clock)
	}
	rest := strings.ToLower(strings.Join(strings.Fields(text), " "))
	rest = unitThenDigit.ReplaceAllString(rest, "$1 $2")
	if workingDays.MatchString(rest) {
		if clock == Elapsed {
			return want("counts working days on an elapsed clock")
		}
		rest = workingDays.ReplaceAllString(rest, "hari")
	}
	n := Norm{Clock: clock}
	for rest != "" {
		m := normPart.FindStringSubmatch(rest)
		if m == nil || normUnits[m[2]] == 0 {
			return want("can't be read")
		}
		rest = rest[len(m[0]):]
		count, _ := strconv.Atoi(m[1]) // at most six digits
		if unit := normUnits[m[2]]; unit == Day {
			n.Days += count
		} else {
			n.Length += time.Duration(count) * unit
		}
		if n.Days > maxDays || n.Length > maxDays*Day {
			return want("is more than a year")
		}
	}
	switch {
	case n.Days > 0 && n.Length > 0:
		return want("mixes days with hours")
	case n.amount() == 0:
		return want("is no time at all")
	}
	return n, nil
}

// Measure says on which clock the norm runs and how much of it may be used. For norms in working days the clock is WorkingDays and each
// day counts as 24 hours.
func (n Norm) Measure() (ClockKind, time.Duration) {
	if n.Days > 0 && n.Clock == Working {
		return WorkingDays, n.amount()
	}
	return n.Clock, n.amount()
}

func (n Norm) amount() time.Duration {
	if n.Days > 0 {
		return time.Duration(n.Days) * Day
	}
	return n.Length
}

// String is the norm in the words of a standard: "150 menit", "24 jam", "1 hari", "30 hari kerja".
func (n Norm) String() string {
	switch {
	case n.Days == 1:
		return "1 hari"
	case n.Days > 0 && n.Clock == Working:
		return fmt.Sprintf("%d hari kerja", n.Days)
	case n.Days > 0:
		return fmt.Sprintf("%d hari", n.Days)
	case n.Length%time.Hour == 0 && n.Length > 0:
		return fmt.Sprintf("%d jam", n.Length/time.Hour)
	case n.Length%time.Minute == 0:
		return fmt.Sprintf("%d menit", n.Length/time.Minute)
	}
	return fmt.Sprintf("%d detik", n.Length/time.Second)
}

// Say puts an amount of this norm's clock into Indonesian words, the sign left out: "42 menit", "1 jam 10 menit", "12 hari kerja".
// What is below a minute, or below a day on a norm in working days, is "kurang dari 1 menit" or "kurang dari 1 hari kerja".
func (n Norm) Say(d time.Duration) string {
	d = d.Abs()
	kind, _ := n.Measure()
	if kind == WorkingDays {
		if d < Day {
			return "kurang dari 1 hari kerja"
		}
		return fmt.Sprintf("%d hari kerja", d/Day)
	}
	if d == 0 {
		return "0 menit"
	}
	if d < time.Minute {
		return "kurang dari 1 menit"
	}
	var words []string
	for _, u := range []struct {
		unit time.Duration
		name string
	}{{24 * time.Hour, "hari"}, {time.Hour, "jam"}, {time.Minute, "menit"}} {
		if u.name == "hari" && kind == Working {
			continue // 24 working hours are no day
		}
		if c := d / u.unit; c > 0 && len(words) < 2 {
			words = append(words, fmt.Sprintf("%d %s", c, u.name))
		}
		d %= u.unit
	}
	return strings.Join(words, " ")
}
