package forecast

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
	_ "time/tzdata"

	"pulih/internal/agency"
	"pulih/internal/sop"
)

func contoh(t *testing.T, which string) *agency.Agency {
	t.Helper()
	wib, err := time.LoadLocation("Asia/Jakarta")
	if err != nil {
		t.Fatal(err)
	}
	p, err := sop.Shipped(which)
	if err != nil {
		t.Fatal(err)
	}
	return &agency.Agency{Key: which, Prefix: "PBG", Unit: "Dinkominfo Contoh", Zone: wib, SOP: p, Calendar: sop.ShippedCalendar(wib)}
}

func plan(a *agency.Agency, perDay float64, verifiers int) Plan {
	p := Defaults()
	p.Arrivals, p.Verifiers, p.Days = perDay, verifiers, 20
	p.Start = time.Date(2026, 8, 3, 0, 0, 0, 0, a.Zone)
	return p
}

func TestMoreVerifiersKeepMorePromisesAndTheQueueIsWhereTheWorkIs(t *testing.T) {
	t.Parallel()
	a := contoh(t, "purbalingga")
	var kept []float64
	for n := 1; n <= 4; n++ {
		r, err := Run(a, plan(a, 40, n))
		if err != nil {
			t.Fatal(err)
		}
		kept = append(kept, r.Kept())
		in := r.Figures.In
		if in < 700 || in > 900 {
			t.Errorf("%d letters in 20 days of 40", in)
		}
		if got := r.Figures.Closed + r.Open; got != in {
			t.Errorf("%d came in and %d ended or are open", in, got)
		}
		if n == 1 {
			// One verifier has 270 minutes a day for 40 times 14: most stays undone, and it stays with them.
			verifier := r.Desks[len(r.Desks)-1]
			if r.Open < in/3 || verifier.LongestRow < 60 || verifier.Busy < 0.95 || r.Desks[0].LongestRow > 50 {
				t.Errorf("one verifier leaves %d of %d open; desks %+v", r.Open, in, r.Desks)
			}
		}
	}
	if !slices.IsSorted(kept) || kept[0] > 0.5 || kept[3] < 0.8 {
		t.Errorf("kept with one to four verifiers: %v", kept)
	}
}

func TestTheSameSeedGivesTheSameYear(t *testing.T) {
	t.Parallel()
	a := contoh(t, "madiun")
	var answers [3]bytes.Buffer
	for i := range answers {
		p := plan(a, 12, 2)
		p.Days, p.Seed = 15, uint64(max(i, 1))
		answer, err := Ask(a, p)
		if err != nil {
			t.Fatal(err)
		}
		if err := answer.Text(&answers[i]); err != nil {
			t.Fatal(err)
		}
		if err := answer.HTML(&answers[i]); err != nil {
			t.Fatal(err)
		}
	}
	if answers[0].String() != answers[1].String() {
		t.Error("the same seed gave another answer")
	}
	if answers[0].String() == answers[2].String() {
		t.Error("another seed gave the same answer")
	}
	for _, want := range []string{"Yang diandaikan", "> 2 ", "Verifikator", "<svg"} {
		if !strings.Contains(answers[0].String(), want) {
			t.Errorf("the answer doesn't say %q", want)
		}
	}
}

func TestAYearWithoutACalendarIsRefused(t *testing.T) {
	t.Parallel()
	a := contoh(t, "purbalingga")
	p := plan(a, 5, 1)
	p.Start, p.Days = time.Date(2027, 12, 1, 0, 0, 0, 0, a.Zone), 60
	if _, err := Run(a, p); !errors.Is(err, sop.ErrNoCalendar) {
		t.Errorf("the error is %v", err)
	}
}
