package request

import (
	"slices"
	"time"

	"pulih/internal/agency"
	"pulih/internal/sop"
)

// seat is somebody with whom the letter is.
type seat struct {
	Actor
	since time.Time
}

// reseat follows the dispositions that count, in the order of their times, to who holds a request that is on its way down the chain:
//
//   - only one that asks for action moves it, and only to people of the chain;
//   - whoever holds it and passes it on, down, sideways or back up, no longer holds it; the receivers do;
//   - anybody may pass it further down than it is (a skipped level), but nobody who doesn't hold it can pull it back up;
//   - with several receivers those furthest down hold it, since the first of them got it.
//
// A step that was passed once stays passed (passedOn): a letter that comes back up is somebody else's work, and no step begins anew.
func (s *State) reseat() {
	if s.Status != StatusReceived && s.Status != StatusChain && s.Status != StatusChecking {
		return
	}
	if _, assigned := s.Ended[sop.EndsDisposition]; assigned {
		return
	}
	var seats []seat
	inTime := slices.SortedStableFunc(slices.Values(s.Dispositions), func(a, b Disposition) int { return a.SentAt.Compare(b.SentAt) })
	for _, d := range inTime {
		if d.Acts {
			seats = pass(seats, d)
		}
	}
	if len(seats) == 0 {
		s.Status = StatusReceived
		s.hold(sop.Head, nil, s.OpenedAt)
		return
	}
	role, since := seats[0].Role, seats[0].since
	var ids []string
	for _, h := range seats {
		ids = appendNew(ids, h.ID)
		if h.since.Before(since) {
			since = h.since
		}
	}
	s.hold(role, ids, since)
	if s.Checkers = nil; role == sop.Verifier {
		s.Checkers = ids
	}
	switch role {
	case sop.Head:
		s.Status = StatusReceived
	case sop.Verifier:
		s.Status = StatusChecking
	default:
		s.Status = StatusChain
	}
}

// pass says who holds the letter after a disposition that asks for action.
func pass(seats []seat, d Disposition) []seat {
	var to []seat
	for _, r := range d.To {
		// A deputy may send to themselves: as Plh. head to the division that is theirs.
		if r.Role.Depth() >= 0 && !(r.Role == d.From.Role && r.same(d.From)) {
			to = append(to, seat{r, d.SentAt})
		}
	}
	if len(to) == 0 {
		return seats
	}
	all := slices.DeleteFunc(slices.Clone(seats), func(h seat) bool { return h.same(d.From) })
	all = append(all, to...)
	deep := slices.MaxFunc(all, func(a, b seat) int { return a.Role.Depth() - b.Role.Depth() }).Role
	var out []seat
	for _, h := range all {
		if h.Role == deep && !slices.ContainsFunc(out, func(o seat) bool { return o.same(h.Actor) }) {
			out = append(out, h)
		}
	}
	return out
}

// same says whether two actors are one person. Those whom the agency doesn't know as its staff are told apart by role and name.
func (a Actor) same(b Actor) bool {
	if a.ID != "" && b.ID != "" {
		return a.ID == b.ID
	}
	return a.Role == b.Role && agency.SameName(a.Name, b.Name)
}

func appendNew(ids []string, id string) []string {
	if id == "" || slices.Contains(ids, id) {
		return ids
	}
	return append(ids, id)
}
