package request_test

import (
	"testing"
	"time"

	"pulih/internal/agency"
	"pulih/internal/request"
	"pulih/internal/sop"
)

// An office with other steps needs a file, not code: internal/sop/testdata/rawabiru.yaml has no step for the approval, the link or the
// certificate, no head of division, and promises the whole in working days.
func TestAThirdSOPNeedsAFileNotCode(t *testing.T) {
	t.Parallel()
	f := open(t, office(t, "rawabiru", agency.AMS))
	want := func(step string) {
		t.Helper()
		steps, total, err := request.Clocks(f.s, f.a, f.now)
		if err != nil {
			t.Fatal(err)
		}
		c, running := request.Current(steps)
		if step == "" && running || step != "" && c.Step.ID != step {
			t.Errorf("at %s the step at work is %q, want %q", f.s.Status, c.Step.ID, step)
		}
		if total == nil || !total.End.IsZero() != (step == "") {
			t.Errorf("at %s the whole ended %v", f.s.Status, total.End)
		}
		for _, c := range append(steps, *total) {
			if c.Reading == nil {
				continue
			}
			norm := c.Step.Norm
			if c.Step.ID == request.TotalStep {
				norm = f.a.SOP.Total
			}
			if _, length := norm.Measure(); c.Reading.Used+c.Reading.Left != length {
				t.Errorf("step %s: used %v and left %v don't make %v", c.Step.ID, c.Reading.Used, c.Reading.Left, length)
			}
		}
	}
	want("kadin")
	f.later(20 * time.Minute)
	f.must(request.Dispose{LetterID: 1, Now: []request.Disposition{passed("d1", f.now, kadin, kasi)}})
	want("kasi")
	f.later(10 * time.Minute)
	f.must(request.Dispose{LetterID: 1, Now: []request.Disposition{passed("d1", f.now.Add(-10*time.Minute), kadin, kasi), passed("d2", f.now, kasi, rini)}})
	want("reset")
	f.later(46 * time.Minute) // past the 45 minutes that this SOP gives
	due, err := request.Reminders(f.s, f.a, f.now)
	if err != nil || len(due) == 0 || due[0].Step != "reset" || due[0].Mark != "100" {
		t.Fatalf("due is %v, %v", due, err)
	}
	f.must(request.Remind{Due: due})
	f.must(f.approval(rini))
	want("reset") // approving ends no step of this SOP
	f.must(f.booking(), request.Outcome{Kind: request.ResetAccepted})
	want("selesai")
	f.later(3 * time.Hour)
	f.must(request.Observe{Kind: request.Usable, At: f.now})
	want("")
	f.is(request.StatusClosed)
	if _, ok := f.s.Ended[sop.EndsCertificate]; !ok {
		t.Error("what this SOP has no step for is known all the same")
	}
}
