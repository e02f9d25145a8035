package complaint

import (
	"maps"
	"slices"
	"time"

	"pulih/internal/request"
	"pulih/internal/sop"
)

// Status is where a complaint stands.
type Status string

// The states of a complaint.
const (
	StatusNew       Status = "new"  // nobody has set its class yet
	StatusOpen      Status = "open" // waits for an answer
	StatusBSrE      Status = "bsre" // waits for BSrE; the clock runs on: the promise is the office's
	StatusAnswered  Status = "answered"
	StatusDismissed Status = "dismissed"
)

// Open reports whether the complaint still needs anybody's work.
func (s Status) Open() bool { return s == StatusNew || s == StatusOpen || s == StatusBSrE }

// Round is one promise: from the complaint, or its reopening, to the answer.
type Round struct {
	From  time.Time
	Until time.Time // zero while it runs
	Class *Class    // nil when the SOP has no classes
	// Dismissed: it ended without an answer, so nothing was kept or broken.
	Dismissed bool
}

// Clock is the round's promise at work; false without a class.
func (r Round) Clock() (sop.Clock, bool) {
	if r.Class == nil {
		return sop.Clock{}, false
	}
	return sop.Clock{Start: r.From, Norm: r.Class.Norm, End: r.Until}, true
}

// State is everything that follows from a complaint's events.
type State struct {
	Number  string
	Version int // number of events
	Status  Status

	Channel    Channel
	From       Complainant
	Texts      []string // the complainant's own words: the complaint and what joined it
	Letters    []request.Letter
	ReceivedAt time.Time
	ClosedAt   time.Time // zero while open

	Class    *Class
	ClassSet bool     // by a person; else it is what the rules proposed
	Reasons  []string // why the rules proposed it
	Link     *Link

	Holder   sop.Role
	HolderID string // one person, when it was given to them
	Since    time.Time

	Rounds   []Round
	AtBSrE   []sop.Pause // when it lay with BSrE: shown beside the clock, which runs on
	Answer   string      // the last answer
	Words    string      // BSrE's last words, or the reason of the last change
	Reminded map[string]bool
}

// Fold computes the state of a complaint from its events. It accepts any list: what the events say is what counts.
func Fold(number string, events []Event) State {
	return State{Number: number, Reminded: map[string]bool{}}.With(events)
}

// With is the state after further events.
func (s State) With(events []Event) State {
	s = clone(s)
	for _, e := range events {
		s.apply(e)
	}
	return s
}

// Round is the promise that runs now, or the last one.
func (s *State) Round() Round {
	if len(s.Rounds) == 0 {
		return Round{}
	}
	return s.Rounds[len(s.Rounds)-1]
}

// InSrikandi returns the complaint's letter in Srikandi, if it has one: the answer goes there.
func (s *State) InSrikandi() (request.Letter, bool) {
	for _, l := range s.Letters {
		if l.SrikandiID != "" {
			return l, true
		}
	}
	return request.Letter{}, false
}

func (s *State) apply(e Event) {
	s.Version++
	switch e.Kind {
	case Received:
		s.receive(e)
	case LetterJoined:
		s.join(e)
	case Classified:
		s.ClassSet = true
		s.classify(e.Class, e.At)
		if s.Status == StatusNew {
			s.Status = StatusOpen
		}
	case Linked:
		s.Link = e.Link
	case Assigned:
		s.HolderID, s.Since = e.Person, e.At
		if e.Role != "" {
			s.Holder = e.Role
		}
	case HandedOn:
		s.Status, s.Since = StatusBSrE, e.At
		s.AtBSrE = append(s.AtBSrE, sop.Pause{From: e.At})
	case HandedBack:
		s.Status, s.Words, s.Since = s.working(), e.Text, e.At
		s.leaveBSrE(e.At)
	case Answered, Dismissed:
		s.end(e)
	case Reopened:
		s.Status, s.ClosedAt, s.Words, s.Since = s.working(), time.Time{}, e.Text, e.At
		s.Rounds = append(s.Rounds, Round{From: e.At, Class: s.Class})
	case Reminded, Escalated:
		s.Reminded[e.Step+"/"+e.Mark] = true
	}
}

func (s *State) receive(e Event) {
	s.Status, s.Channel, s.ReceivedAt, s.Since = StatusNew, e.Channel, e.At, e.At
	s.Reasons = e.Reasons
	s.Holder = sop.Verifier
	if e.From != nil {
		s.From = *e.From
	}
	s.Rounds = []Round{{From: e.At}}
	s.classify(e.Class, e.At)
	s.join(e)
}

func (s *State) join(e Event) {
	if e.Text != "" {
		s.Texts = append(s.Texts, e.Text)
	}
	if e.Letter == nil {
		return
	}
	i := slices.IndexFunc(s.Letters, func(l request.Letter) bool { return l.ID == e.Letter.ID })
	if i >= 0 {
		s.Letters[i] = *e.Letter
		return
	}
	s.Letters = append(s.Letters, *e.Letter)
}

// classify puts the class in force for the running promise. Whoever was given the complaint keeps it unless the class belongs to another
// role than the one before.
func (s *State) classify(c *Class, at time.Time) {
	before := sop.Verifier
	if s.Class != nil {
		before = s.Class.Holder
	}
	s.Class = c
	if n := len(s.Rounds); n > 0 && s.Rounds[n-1].Until.IsZero() {
		s.Rounds[n-1].Class = c
	}
	if c != nil && c.Holder != before {
		s.Holder, s.HolderID, s.Since = c.Holder, "", at
	}
}

func (s *State) end(e Event) {
	s.Status, s.ClosedAt = StatusAnswered, e.At
	if e.Kind == Dismissed {
		s.Status, s.Words = StatusDismissed, e.Text
	} else {
		s.Answer = e.Text
	}
	s.leaveBSrE(e.At)
	if n := len(s.Rounds); n > 0 {
		s.Rounds[n-1].Until, s.Rounds[n-1].Dismissed = e.At, e.Kind == Dismissed
	}
}

func (s *State) leaveBSrE(at time.Time) {
	if n := len(s.AtBSrE); n > 0 && s.AtBSrE[n-1].Until.IsZero() {
		s.AtBSrE[n-1].Until = at
	}
}

// working is the status of a complaint that lies with the office.
func (s *State) working() Status {
	if s.ClassSet {
		return StatusOpen
	}
	return StatusNew
}

// clone copies what apply may change in place.
func clone(s State) State {
	s.Texts = slices.Clone(s.Texts)
	s.Letters = slices.Clone(s.Letters)
	s.Rounds = slices.Clone(s.Rounds)
	s.AtBSrE = slices.Clone(s.AtBSrE)
	s.Reminded = maps.Clone(s.Reminded)
	return s
}
