package srikandi

import (
	"slices"
	"strings"
	"time"

	"pulih/internal/agency"
	"pulih/internal/letter"
	"pulih/internal/request"
	"pulih/internal/sop"
)

// Disposition is one disposition as the agency understands it.
type Disposition struct {
	ID       string
	ParentID string // as told, or found by who received the letter before they sent it on; empty at a root
	From     Party
	To       []Receiver
	Raw      []string  // the instructions as ticked
	Note     string    // catatan, raw
	Class    Class     // what it asks for
	SentAt   time.Time // never before the letter came, nor before the disposition that it hangs on
	// Withdrawn: it counts as never sent. All its receivers have it withdrawn, or it hangs on a disposition that was.
	Withdrawn bool
}

// Party is somebody in a disposition. PersonID and Role are empty for people outside the agency's staff.
type Party struct {
	PersonID string
	Role     sop.Role // the deepest of the chain that they hold, or the one that they act in (Plt., Plh.)
	Name     string   // as the gateway writes it
	Position string   // as the gateway writes it
	NIP      string   // digits
	ByNIP    bool     // known by NIP, which is certain; a position is a hint, for positions pass from person to person
}

// Receiver is a party that a disposition went to.
type Receiver struct {
	Party
	Status    string
	ReadAt    time.Time
	Withdrawn bool
	FollowUps []TindakLanjut
}

// Asks says whether the disposition asks a receiver for action, and still stands.
func (d Disposition) Asks() bool { return !d.Withdrawn && d.Class.Moves() }

// Counting are the dispositions that count, in the words of a request. A withdrawn one counts as never sent.
func Counting(list []Disposition) []request.Disposition {
	var out []request.Disposition
	for _, d := range list {
		if d.Withdrawn {
			continue
		}
		words := slices.DeleteFunc(append(slices.Clone(d.Raw), d.Note), func(s string) bool { return s == "" })
		r := request.Disposition{ID: d.ID, From: d.From.actor(), Acts: d.Asks(), Text: letter.Mask(strings.Join(words, "; ")), SentAt: d.SentAt}
		for _, to := range d.To {
			if !to.Withdrawn {
				r.To = append(r.To, to.actor())
			}
		}
		out = append(out, r)
	}
	return out
}

func (p Party) actor() request.Actor {
	return request.Actor{Role: p.Role, ID: p.PersonID, Name: or(p.Name, p.Position), Via: "srikandi"}
}

// Dispositions reads a letter's dispositions: parents before children, otherwise by time. People are bound to the agency's staff by NIP,
// then by position. A disposition that occurs twice under one ID is one.
func Dispositions(n Naskah, a *agency.Agency) []Disposition {
	out := make([]Disposition, 0, len(n.Dispositions))
	for _, w := range inOrder(n.Dispositions) {
		sent := later(n.ReceivedAt, w.SentAt) // clocks disagree; a letter isn't passed on before it came
		d := Disposition{
			ID: w.ID, ParentID: w.ParentID, Note: w.Note, SentAt: sent,
			From: bind(w.From, a, sent), Withdrawn: len(w.To) > 0,
		}
		for _, p := range w.To {
			r := Receiver{
				Party: bind(p.Pihak, a, sent), Status: p.Status, ReadAt: p.ReadAt, FollowUps: p.FollowUps,
				Withdrawn: strings.EqualFold(p.Status, "dibatalkan"),
			}
			d.To = append(d.To, r)
			d.Withdrawn = d.Withdrawn && r.Withdrawn
		}
		d.Raw, d.Class = instructions(w)
		ground(&d, out)
		out = append(out, d)
	}
	return out
}

// instructions gives the ticked texts and what they ask for. The note is free text, and free text is easily misread: it counts only where
// nothing was ticked.
func instructions(w Disposisi) ([]string, Class) {
	var texts []string
	for _, i := range w.Instructions {
		if text := or(i.Text, i.Code); text != "" {
			texts = append(texts, text)
		}
	}
	if len(texts) == 0 {
		return nil, Instruct(w.Note)
	}
	return texts, Instruct(texts...)
}

// ground finds what a disposition hangs on among those before it, and withdraws it with a ground that is gone: a withdrawn disposition
// counts as never sent (contract), so its receiver had nothing to pass on, unless the letter reached them another way.
func ground(d *Disposition, before []Disposition) {
	live := func(e Disposition) bool { return !e.Withdrawn }
	named := slices.IndexFunc(before, func(e Disposition) bool { return e.ID == d.ParentID && d.ParentID != "" })
	if named >= 0 && live(before[named]) {
		d.SentAt = later(d.SentAt, before[named].SentAt)
		return
	}
	for _, e := range slices.Backward(before) {
		if live(e) && slices.ContainsFunc(e.To, func(r Receiver) bool { return !r.Withdrawn && same(r.Party, d.From) }) {
			d.ParentID, d.SentAt = e.ID, later(d.SentAt, e.SentAt)
			return
		}
	}
	if d.ParentID != "" {
		d.Withdrawn = true
	}
}

// same says whether two parties are one.
func same(a, b Party) bool {
	switch {
	case a.NIP != "" && b.NIP != "":
		return a.NIP == b.NIP
	case a.PersonID != "" && b.PersonID != "":
		return a.PersonID == b.PersonID
	}
	return a.Position != "" && strings.EqualFold(a.Position, b.Position) && (a.Name == "" || b.Name == "" || agency.SameName(a.Name, b.Name))
}

// inOrder sorts by time, parents before children even where clocks disagree, and leaves one disposition an ID: the last told.
func inOrder(told []Disposisi) []Disposisi {
	byID := map[string]Disposisi{}
	for _, d := range told {
		byID[d.ID] = d
	}
	sorted := make([]Disposisi, 0, len(byID))
	listed := map[string]bool{}
	for _, d := range told {
		if !listed[d.ID] {
			listed[d.ID] = true
			sorted = append(sorted, byID[d.ID])
		}
	}
	slices.SortStableFunc(sorted, func(a, b Disposisi) int { return a.SentAt.Compare(b.SentAt) })
	out := make([]Disposisi, 0, len(sorted))
	const begun, done = 1, 2
	state := map[string]int{}
	var place func(d Disposisi)
	place = func(d Disposisi) {
		if state[d.ID] == done {
			return
		}
		state[d.ID] = begun
		if parent, ok := byID[d.ParentID]; ok && state[parent.ID] == begun {
			d.ParentID = "" // a circle: no parent is better than that one
		} else if ok {
			place(parent)
		}
		state[d.ID] = done
		out = append(out, d)
	}
	for _, d := range sorted {
		place(d)
	}
	return out
}

// bind finds a party among the staff. A NIP that nobody has is somebody new in their position: the role is known, the person isn't.
func bind(p Pihak, a *agency.Agency, at time.Time) Party {
	out := Party{Name: p.Name, Position: p.Position, NIP: digits(p.NIP)}
	inPosition := holdersOf(p.Position, a)
	if person, ok := a.PersonByNIP(out.NIP); ok {
		out.PersonID, out.ByNIP, out.Role = person.ID, true, deepest(person)
		for _, principal := range inPosition {
			if principal.ID != person.ID && (acting(p.Position) || deputises(person, principal, at)) {
				out.Role = deepest(principal)
			}
		}
		return out
	}
	if named := slices.DeleteFunc(slices.Clone(inPosition), func(q agency.Person) bool { return !agency.SameName(q.Name, p.Name) }); len(named) > 0 {
		inPosition = named
	}
	for i, q := range inPosition {
		if i == 0 {
			out.Role = deepest(q)
		} else if out.Role != deepest(q) {
			out.Role = "" // one title, several roles: who is meant can't be told
		}
	}
	if len(inPosition) == 1 && out.NIP == "" && !acting(p.Position) {
		out.PersonID = inPosition[0].ID
	}
	return out
}

// holdersOf lists everybody with that position: titles like "Sandiman Ahli Muda" are shared.
func holdersOf(position string, a *agency.Agency) []agency.Person {
	var out []agency.Person
	for i := range a.Staff {
		if p, ok := (&agency.Agency{Staff: a.Staff[i : i+1]}).PersonByPosition(position); ok {
			out = append(out, p)
		}
	}
	return out
}

func acting(position string) bool {
	words := foldWords(position)
	return len(words) > 1 && slices.Contains([]string{"plt", "plh", "pj"}, words[0])
}

func deputises(p, principal agency.Person, at time.Time) bool {
	return slices.ContainsFunc(principal.Leave, func(l agency.Leave) bool {
		return l.Deputy == p.ID && !at.Before(l.From) && at.Before(l.Until)
	})
}

// deepest is the person's role furthest down the chain, empty where they have none there: a section head who verifies too is handed
// letters to verify them.
func deepest(p agency.Person) sop.Role {
	for _, role := range slices.Backward(sop.Chain) {
		if p.Has(role) {
			return role
		}
	}
	return ""
}
