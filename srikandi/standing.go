package srikandi

import (
	"slices"
	"time"

	"pulih/internal/sop"
)

// Standing says where the dispositions have brought a letter.
type Standing struct {
	// Role holds the letter now: the head of agency before any disposition moved it.
	Role sop.Role
	// Holders are who holds it, all in Role. Empty while nobody passed it on: it is with the head.
	Holders []Holder
	// Since is when the first of the holders got it; the letter's arrival where there is none.
	Since time.Time
	// Passed tells for each role of the chain that is done when the letter first went past it, from the head downward.
	Passed []Passed
}

// Holder is somebody with whom a letter is.
type Holder struct {
	Party
	Since         time.Time
	DispositionID string
}

// Passed is the moment at which a letter went further down than a role: that role's step of the SOP is done.
type Passed struct {
	Role          sop.Role
	At            time.Time
	DispositionID string
	By            Party
}

// Stand follows the dispositions, in the order that Dispositions gave them, from the head of agency downward:
//
//   - only one that asks for action, and was not withdrawn, moves a letter; a receiver outside the chain moves nothing;
//   - whoever holds the letter and passes it on, down, sideways or back up, no longer holds it; the receivers do;
//   - anybody may pass it further down than it is (a skipped level), but nobody who doesn't hold it can pull it back up;
//   - with several receivers those furthest down hold it;
//   - what was passed once stays passed: a letter sent back up doesn't undo a step, and a repetition doesn't begin it again.
func Stand(received time.Time, ds []Disposition) Standing {
	s := Standing{Role: sop.Head, Since: received}
	now := received
	for _, d := range ds {
		if !d.Asks() {
			continue
		}
		now = later(now, d.SentAt) // clocks disagree; a letter isn't passed on before it came
		s.move(d, now)
	}
	return s
}

func (s *Standing) move(d Disposition, at time.Time) {
	var to []Holder
	deep := -1
	for _, r := range d.To {
		// A deputy may send to themselves: as Plh. head to the division that is theirs.
		if r.Withdrawn || r.Role.Depth() < 0 || r.Role == d.From.Role && same(r.Party, d.From) {
			continue
		}
		deep = max(deep, r.Role.Depth())
		to = append(to, Holder{r.Party, at, d.ID})
	}
	if len(to) == 0 {
		return
	}
	for depth := len(s.Passed); depth < deep; depth++ {
		s.Passed = append(s.Passed, Passed{sop.Chain[depth], at, d.ID, d.From})
	}
	from := slices.IndexFunc(s.Holders, func(h Holder) bool { return same(h.Party, d.From) })
	stay := slices.Clone(s.Holders)
	if from >= 0 {
		stay = slices.Delete(stay, from, from+1)
	}
	s.hold(append(stay, to...))
}

// hold keeps those furthest down, each once, since they first got it.
func (s *Standing) hold(all []Holder) {
	deep := -1
	for _, h := range all {
		deep = max(deep, h.Role.Depth())
	}
	s.Holders, s.Role = nil, sop.Chain[deep]
	for _, h := range all {
		if h.Role.Depth() == deep && !slices.ContainsFunc(s.Holders, func(o Holder) bool { return same(o.Party, h.Party) }) {
			s.Holders = append(s.Holders, h)
		}
	}
	s.Since = s.Holders[0].Since
	for _, h := range s.Holders {
		if h.Since.Before(s.Since) {
			s.Since = h.Since
		}
	}
}
