package report

import (
	"slices"
	"time"

	"pulih/internal/agency"
	"pulih/internal/complaint"
	"pulih/internal/sop"
)

// ClassCount counts one class of complaints.
type ClassCount struct {
	ID, Title string
	Norm      sop.Norm
	In        int // came in the period
	Open      int // open at the end of it
	Kept      int // answered in the period, within the promise
	Broken    int
}

// SumComplaints counts the classes of the SOP, and any that complaints still have from an earlier one. A reopened complaint has several
// promises, each counted when it was answered; a dismissed one has none.
func SumComplaints(states []complaint.State, a *agency.Agency, from, until, at time.Time) ([]ClassCount, error) {
	var out []ClassCount
	for _, c := range a.SOP.Complaints {
		out = append(out, ClassCount{ID: c.ID, Title: c.Title, Norm: c.Norm})
	}
	of := func(c complaint.Class) *ClassCount {
		i := slices.IndexFunc(out, func(have ClassCount) bool { return have.ID == c.ID })
		if i < 0 {
			out, i = append(out, ClassCount{ID: c.ID, Title: c.Title, Norm: c.Norm}), len(out)
		}
		return &out[i]
	}
	within := func(t time.Time) bool { return !t.Before(from) && t.Before(until) }
	for _, s := range states {
		if s.Class == nil {
			continue
		}
		if within(s.ReceivedAt) {
			of(*s.Class).In++
		}
		if s.ReceivedAt.Before(until) && (s.ClosedAt.IsZero() || s.ClosedAt.After(at)) {
			of(*s.Class).Open++
		}
		for _, r := range s.Rounds {
			clock, ok := r.Clock()
			if !ok || r.Dismissed || r.Until.IsZero() || !within(r.Until) {
				continue
			}
			reading, err := a.Calendar.Read(clock, r.Until)
			if err != nil {
				return nil, err
			}
			c := of(*r.Class)
			if reading.Left < 0 {
				c.Broken++
			} else {
				c.Kept++
			}
		}
	}
	return out, nil
}
