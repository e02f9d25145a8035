package console

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"pulih/internal/agency"
	"pulih/internal/request"
	"pulih/internal/sop"
	"pulih/internal/store"
)

// rowsShown bounds a list's length: a page that takes a second is read by nobody.
const rowsShown = 50

// deskPage is Meja kerja: the queue by time left.
type deskPage struct {
	base
	pager
	Filter  store.DeskFilter
	Search  string
	Short   bool // too little to search for
	Rows    []row
	Letters int // letters that need a decision
	Doubts  int // letters that may be there already
	AMS     *amsState
	Filters []filter
}

type filter struct {
	Name  string
	Value store.DeskFilter
	Count int
	Here  bool
	Shape string // near, over
}

// pager leads through a list that is longer than a page.
type pager struct {
	Page       int // from 1
	Prev, Next string
}

// pageOf is the page that the address asks for: its number, and the place of its first row.
func pageOf(p *page) (number, from int) {
	number, err := strconv.Atoi(p.URL.Query().Get("hal"))
	if err != nil || number < 1 || number > 100_000 {
		number = 1
	}
	return number, (number - 1) * rowsShown
}

// pagerOf leads to the pages before and after; more tells that there is one after.
func pagerOf(p *page, number int, more bool) pager {
	to := func(n int) string {
		q := p.URL.Query()
		q.Del("kabar")
		q.Set("hal", strconv.Itoa(n))
		return p.URL.Path + "?" + q.Encode()
	}
	out := pager{Page: number}
	if number > 1 {
		out.Prev = to(number - 1)
	}
	if more {
		out.Next = to(number + 1)
	}
	return out
}

// row is one request in the queue.
type row struct {
	store.Request
	Words    string // where it stands
	Holder   string
	Since    time.Time
	Mine     bool
	Clock    clock
	Findings []findingCount
	Path     string
	Closed   bool
}

type findingCount struct {
	Shape, Words string
	N            int
}

func (c *Console) desktop(p *page) error {
	d := deskPage{base: c.base(p, "Meja kerja", "Meja kerja"), Filter: store.DeskFilter(p.URL.Query().Get("saring")), Search: strings.TrimSpace(p.URL.Query().Get("cari"))}
	if !slices.Contains([]store.DeskFilter{store.DeskMine, store.DeskNear, store.DeskOver, store.DeskClosed}, d.Filter) {
		d.Filter = store.DeskAll
	}
	var err error
	if d.Mark, err = c.o.Store.Mark(p.ctx(), p.agency.Key); err != nil {
		return err
	}
	view := deskView(p)
	counts, sessions, err := c.o.Store.DeskCounts(p.ctx(), p.agency.Key, view)
	if err != nil {
		return err
	}
	d.setFilters(counts)
	number, from := pageOf(p)
	list, err := c.deskList(p, &d, view, from)
	if err != nil {
		return err
	}
	d.pager = pagerOf(p, number, len(list) > rowsShown)
	if d.Rows, err = c.rows(p, list[:min(len(list), rowsShown)]); err != nil {
		return err
	}
	if d.Letters, d.Doubts, err = c.o.Store.Undecided(p.ctx(), p.agency.Key); err != nil {
		return err
	}
	if d.AMS, err = c.amsState(p, sessions); err != nil {
		return err
	}
	return c.show(p, http.StatusOK, "meja", d)
}

func (d *deskPage) setFilters(counts map[store.DeskFilter]int) {
	d.Filters = []filter{{Name: "semua", Value: store.DeskAll}, {Name: "menunggu saya", Value: store.DeskMine}, {Name: "hampir lewat", Value: store.DeskNear, Shape: "near"},
		{Name: "lewat", Value: store.DeskOver, Shape: "over"}, {Name: "selesai", Value: store.DeskClosed}}
	for i, f := range d.Filters {
		d.Filters[i].Here = f.Value == d.Filter && d.Search == ""
		d.Filters[i].Count = -1
		if n, ok := counts[f.Value]; ok {
			d.Filters[i].Count = n
		}
	}
}

// deskList reads one row more than a page has: it tells whether there is another page.
func (c *Console) deskList(p *page, d *deskPage, view store.DeskView, from int) ([]store.Request, error) {
	switch {
	case d.Search == "":
		return c.o.Store.DeskRows(p.ctx(), p.agency.Key, d.Filter, view, from, rowsShown+1)
	case utf8.RuneCountInString(d.Search) < store.SearchLetters:
		d.Short = true
		return nil, nil
	}
	return c.o.Store.Search(p.ctx(), p.agency.Key, d.Search, from, rowsShown+1)
}

// deskView is the visitor's look at the queue. Nearly over is what has less than a tenth of its norm left, counted on the norm's own calendar.
func deskView(p *page) store.DeskView {
	v := store.DeskView{Roles: p.who.roles, People: []string{p.who.person.ID}, Now: p.now, Near: map[string]time.Time{}}
	for _, s := range p.agency.Staff {
		if s.ID != p.who.person.ID && p.agency.Acting(s, p.now).ID == p.who.person.ID {
			v.People = append(v.People, s.ID)
		}
	}
	tenth := func(step string, norm *sop.Norm) {
		if norm == nil {
			return
		}
		n := *norm
		if kind, length := n.Measure(); kind == sop.WorkingDays {
			n = sop.Norm{Clock: sop.Working, Days: max(n.Days/10, 1)}
		} else {
			n = sop.Norm{Clock: kind, Length: length / 10}
		}
		if at, err := p.agency.Calendar.Due(n, p.now, nil); err == nil {
			v.Near[step] = at
		}
	}
	tenth("", p.agency.SOP.Total)
	for _, step := range p.agency.SOP.Steps {
		tenth(step.ID, step.Norm)
	}
	return v
}

// rows computes what the projection doesn't hold: the clocks with their pauses, from the events of the rows that are shown.
func (c *Console) rows(p *page, list []store.Request) ([]row, error) {
	numbers := make([]string, len(list))
	for i, r := range list {
		numbers[i] = r.Number
	}
	states, err := c.o.Store.StatesOf(p.ctx(), p.agency.Key, numbers)
	if err != nil {
		return nil, err
	}
	out := make([]row, len(list))
	for i, r := range list {
		s := states[r.Number]
		out[i] = row{Request: r, Words: s.ForOffice(), Mine: p.who.holds(r, p.now), Since: r.Since, Path: "/" + p.agency.Key + "/permohonan/" + r.Number,
			Holder: holderWords(p.agency, p.who, s, p.now), Closed: r.ClosedAt != nil}
		if steps, total, err := request.Clocks(s, p.agency, p.now); err == nil {
			out[i].Clock = mainClock(s, p.agency, steps, total, p.now)
		}
		if r.Dangers > 0 {
			out[i].Findings = append(out[i].Findings, findingCount{"danger", "berbahaya", r.Dangers})
		}
		if r.Warnings > 0 {
			out[i].Findings = append(out[i].Findings, findingCount{"warning", "peringatan", r.Warnings})
		}
	}
	return out, nil
}

// mainClock is the promise that a row shows: of those that run, the one that ends first.
func mainClock(s request.State, a *agency.Agency, steps []request.StepClock, total *request.StepClock, now time.Time) clock {
	var best *request.StepClock
	better := func(c *request.StepClock) {
		if c.Reading == nil {
			return
		}
		if best == nil || !best.Running() && c.Running() || best.Running() == c.Running() && !c.Reading.Due.IsZero() && c.Reading.Due.Before(best.Reading.Due) {
			best = c
		}
	}
	if c, ok := request.Current(steps); ok {
		better(&c)
	}
	if total != nil {
		better(total)
	}
	if best == nil && !s.Status.Open() {
		for i := range steps {
			if steps[i].Reading != nil && (best == nil || steps[i].Reading.Left < best.Reading.Left) {
				best = &steps[i]
			}
		}
	}
	if best == nil {
		return clock{}
	}
	return clockOf(s, a, *best, now)
}

// holds: the request is this person's work now, by name or because it is their role's.
func (v *visitor) holds(r store.Request, now time.Time) bool {
	if r.ClosedAt != nil || !slices.Contains(v.roles, r.Holder) || r.Holder.Depth() < 0 {
		return false
	}
	if len(r.HolderIDs) == 0 {
		return true
	}
	return slices.ContainsFunc(r.HolderIDs, func(id string) bool {
		p, ok := v.agency.Person(id)
		return ok && (p.ID == v.person.ID || v.agency.Acting(p, now).ID == v.person.ID)
	})
}

// holderWords names who has the request: "Anda", a name, or the role.
func holderWords(a *agency.Agency, v *visitor, s request.State, now time.Time) string {
	if !s.Status.Open() {
		return ""
	}
	if s.Holder == sop.Applicant || s.Holder == sop.BSrE {
		return s.Holder.Title()
	}
	var names []string
	for _, id := range s.HolderIDs {
		if p, ok := a.Person(id); ok {
			p = a.Acting(p, now)
			if v != nil && p.ID == v.person.ID {
				return "Anda"
			}
			names = append(names, p.Name)
		}
	}
	if len(names) > 0 {
		return strings.Join(names, " atau ")
	}
	if holders := a.Holders(s.Holder, now); len(holders) == 1 {
		if v != nil && holders[0].ID == v.person.ID {
			return "Anda"
		}
		return holders[0].Name
	}
	if s.Holder == sop.Verifier {
		return "Semua verifikator"
	}
	return s.Holder.Title()
}

// mark tells a page whether there is news for it: store.Mark.
func (c *Console) mark(p *page) error {
	mark, err := c.o.Store.Mark(p.ctx(), p.agency.Key)
	if err != nil {
		return err
	}
	p.w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, err = p.w.Write([]byte(mark))
	if err != nil {
		return context.Canceled // the browser went away
	}
	return nil
}
