package report

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"pulih/internal/agency"
	"pulih/internal/sop"
)

// Sum against a slow count by the words of the definition.
func TestSumAgreesWithACountByHand(t *testing.T) {
	t.Parallel()
	for _, which := range []string{"purbalingga", "madiun"} {
		p, err := sop.Shipped(which)
		if err != nil {
			t.Fatal(err)
		}
		rapid.Check(t, func(t *rapid.T) { checkSum(t, p) })
	}
}

func checkSum(t *rapid.T, p *sop.SOP) {
	wib := time.FixedZone("WIB", 7*3600)
	norms := normsOf(p)
	from := time.Date(2026, 1, 1, 0, 0, 0, 0, wib).AddDate(0, 0, rapid.IntRange(60, 400).Draw(t, "from"))
	until := from.AddDate(0, 0, rapid.IntRange(1, 40).Draw(t, "days"))
	row := rapid.Custom(func(t *rapid.T) Row {
		r := Row{OfficeID: rapid.SampledFrom([]string{"a", "b", ""}).Draw(t, "office"), Decided: rapid.SampledFrom([]string{"v", "w"}).Draw(t, "who")}
		r.OpenedAt = from.Add(time.Duration(rapid.IntRange(-100*24*60, 50*24*60).Draw(t, "opened")) * time.Minute)
		if rapid.Bool().Draw(t, "ended") {
			r.ClosedAt = r.OpenedAt.Add(time.Duration(rapid.IntRange(0, 20*24*60).Draw(t, "took")) * time.Minute)
			r.Rejected = rapid.Bool().Draw(t, "rejected")
		}
		for _, norm := range norms {
			r.Used = append(r.Used, rapid.SampledFrom([]int32{NotEnded, 0, norm - 1, norm, norm + 1, 2 * norm}).Draw(t, "used"))
		}
		return r
	})
	rows := rapid.SliceOfN(row, 0, 30).Draw(t, "rows")
	f := Sum(rows, &agency.Agency{SOP: p}, from, until)

	in, closed, refused, late := 0, 0, 0, 0
	var wholes []int32
	for _, r := range rows {
		if !r.OpenedAt.Before(from) && r.OpenedAt.Before(until) {
			in++
		}
		if r.ClosedAt.IsZero() || r.ClosedAt.Before(from) || !r.ClosedAt.Before(until) {
			continue
		}
		if r.Rejected {
			refused++
		} else {
			closed++
		}
		over := slices.ContainsFunc([]int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, func(i int) bool { return i < len(norms) && norms[i] > 0 && r.Used[i] > norms[i] })
		if norms[0] > 0 {
			over = r.Used[0] > norms[0]
		}
		if over {
			late++
		}
		if r.Used[0] != NotEnded {
			wholes = append(wholes, r.Used[0])
		}
	}
	if f.In != in || f.Closed != closed || f.Refused != refused || f.Broken != late || f.Kept != closed+refused-late || len(f.Breaches) != late {
		t.Fatalf("in %d, closed %d, refused %d, kept %d, broken %d, %d breaches; by hand %d, %d, %d, %d, %d", f.In, f.Closed, f.Refused, f.Kept, f.Broken, len(f.Breaches),
			in, closed, refused, closed+refused-late, late)
	}
	// Parts add up to the whole, whichever way it is cut.
	sums := map[string][2]int{}
	for name, list := range map[string][]Share{"offices": f.Offices, "verifiers": f.Verifiers} {
		for _, s := range list {
			sums[name] = [2]int{sums[name][0] + s.Kept, sums[name][1] + s.Broken}
		}
		if sums[name] != [2]int{f.Kept, f.Broken} {
			t.Fatalf("%s add up to %v, want %d and %d", name, sums[name], f.Kept, f.Broken)
		}
	}
	days := 0
	for _, n := range f.Days {
		days += n
	}
	if days != f.In {
		t.Fatalf("the days add up to %d, want %d", days, f.In)
	}
	// Nearest rank: at least half, and nine tenths, are no longer; and it is one of them.
	slices.Sort(wholes)
	if n := len(wholes); n > 0 {
		median, p90 := int32(f.Times[0].Median/time.Second), int32(f.Times[0].P90/time.Second)
		if median != wholes[(n+1)/2-1] || p90 != wholes[(9*n+9)/10-1] {
			t.Fatalf("median %d, 90th %d of %v", median, p90, wholes)
		}
	}
	if len(f.Weeks) != Weeks || f.Weeks[0].From.Weekday() != time.Monday || !f.Weeks[7].From.Before(until) || f.Weeks[7].From.AddDate(0, 0, 7).Before(until) {
		t.Fatalf("the trend is %v for a period until %s", f.Weeks, until)
	}
}

func TestPeriods(t *testing.T) {
	t.Parallel()
	wib := time.FixedZone("WIB", 7*3600)
	for text, want := range map[string]string{
		"2026-11": "2026-11-01 2026-12-01", "2026-12": "2026-12-01 2027-01-01", "2026-11-23": "2026-11-23 2026-11-24", "2026-W47": "2026-11-16 2026-11-23",
		"2026-W01": "2025-12-29 2026-01-05", "2026-W53": "2026-12-28 2027-01-04", "2025-W53": "", "2026-13": "", "november": "", "": "",
	} {
		from, until, err := ParsePeriod(text, wib)
		got := from.Format("2006-01-02 ") + until.Format("2006-01-02")
		if want == "" && err == nil || want != "" && (err != nil || got != want) {
			t.Errorf("%q is %s, %v; want %q", text, got, err, want)
		}
	}
}

func TestTheStepThatBrokeIt(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		used   Used
		norms  []int32
		step   int
		over   time.Duration
		broken bool
	}{
		"in time":                           {Used{9000, 10, 20}, []int32{9000, 0, 0}, -1, 0, false},
		"the whole, longest step":           {Used{9600, 100, 9000}, []int32{9000, 0, 0}, 1, 10 * time.Minute, true},
		"the whole, step over its own norm": {Used{9600, 700, 8000}, []int32{9000, 300, 0}, 0, 10 * time.Minute, true},
		"a step alone":                      {Used{100, 360, 301}, []int32{0, 300, 300}, 0, time.Minute, true},
		"not measured":                      {Used{}, []int32{9000, 0, 0}, -1, 0, false},
		"another SOP's steps":               {Used{9600, 1}, []int32{9000, 300, 300}, -1, 10 * time.Minute, true},
	} {
		step, over, broken := c.used.broken(c.norms)
		if step != c.step || over != c.over || broken != c.broken {
			t.Errorf("%s: step %d, over %s, broken %v", name, step, over, broken)
		}
	}
}
