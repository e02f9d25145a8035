package console

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"pulih/internal/agency"
	"pulih/internal/request"
	"pulih/internal/sop"
	"pulih/internal/store"
)

// rowsShown bounds a list's length: a page that takes a second is read by nobody.
const rowsShown = 100

// deskPage is Meja kerja: the queue by time left.
type deskPage struct {
	base
	Filter, Search string
	Rows           []row
	More           int // rows that aren't shown
	All, Mine      int
	Near, Over     int
	Letters        int // letters that need a decision
	AMS            *amsState
	Filters        []filter
}

type filter struct {
	Name, Value string
	Count       int
	Here        bool
	Shape       string // near, over
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
	d := deskPage{base: c.base(p, "Meja kerja", "Meja kerja"), Filter: p.URL.Query().Get("saring"), Search: strings.TrimSpace(p.URL.Query().Get("cari"))}
	var err error
	if d.Mark, err = c.o.Store.Mark(p.ctx(), p.agency.Key); err != nil {
		return err
	}
	queue, err := c.o.Store.Queue(p.ctx(), p.agency.Key)
	if err != nil {
		return err
	}
	d.count(p, queue)
	list, err := c.deskList(p, &d, queue)
	if err != nil {
		return err
	}
	if len(list) > rowsShown {
		d.More, list = len(list)-rowsShown, list[:rowsShown]
	}
	if d.Rows, err = c.rows(p, list); err != nil {
		return err
	}
	letters, err := c.o.Store.Attention(p.ctx(), p.agency.Key)
	if err != nil {
		return err
	}
	d.Letters = len(letters)
	if d.AMS, err = c.amsState(p, queue); err != nil {
		return err
	}
	return c.show(p, http.StatusOK, "meja", d)
}

// count sorts the open requests into the filters, from the projection alone: it holds for queues of any length.
func (d *deskPage) count(p *page, queue []store.Request) {
	d.All = len(queue)
	for _, r := range queue {
		if p.who.holds(r, p.now) {
			d.Mine++
		}
		switch {
		case over(r, p.now):
			d.Over++
		case near(r, p.agency, p.now):
			d.Near++
		}
	}
	d.Filters = []filter{
		{Name: "semua", Count: d.All}, {Name: "menunggu saya", Value: "saya", Count: d.Mine},
		{Name: "hampir lewat", Value: "hampir", Count: d.Near, Shape: "near"}, {Name: "lewat", Value: "lewat", Count: d.Over, Shape: "over"},
		{Name: "selesai", Value: "selesai", Count: -1},
	}
	for i := range d.Filters {
		d.Filters[i].Here = d.Filters[i].Value == d.Filter && d.Search == ""
	}
}

func (c *Console) deskList(p *page, d *deskPage, queue []store.Request) ([]store.Request, error) {
	if d.Search != "" {
		return c.o.Store.Search(p.ctx(), p.agency.Key, d.Search, rowsShown)
	}
	keep := func(r store.Request) bool { return true }
	switch d.Filter {
	case "saya":
		keep = func(r store.Request) bool { return p.who.holds(r, p.now) }
	case "hampir":
		keep = func(r store.Request) bool { return !over(r, p.now) && near(r, p.agency, p.now) }
	case "lewat":
		keep = func(r store.Request) bool { return over(r, p.now) }
	case "selesai":
		return c.o.Store.ClosedRequests(p.ctx(), p.agency.Key, rowsShown)
	}
	return slices.DeleteFunc(queue, func(r store.Request) bool { return !keep(r) }), nil
}

// rows computes what the projection doesn't hold: the clocks with their pauses, from the events of the rows that are shown.
func (c *Console) rows(p *page, list []store.Request) ([]row, error) {
	numbers := make([]string, len(list))
	for i, r := range list {
		numbers[i] = r.Number
	}
	states, err := c.o.Store.States(p.ctx(), numbers)
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
			out[i].Findings = append(out[i].Findings, findingCount{"danger", "temuan berbahaya", r.Dangers})
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

func over(r store.Request, now time.Time) bool { return r.DueAt != nil && now.After(*r.DueAt) }

// near: less than a tenth of the norm is left, counted on its own calendar.
func near(r store.Request, a *agency.Agency, now time.Time) bool {
	if r.DueAt == nil || r.DueAt.Before(now) {
		return false
	}
	norm := a.SOP.Total
	for _, step := range a.SOP.Steps {
		if step.ID == r.Step && step.Norm != nil {
			norm = step.Norm
		}
	}
	if norm == nil {
		return false
	}
	kind, length := norm.Measure()
	left, err := a.Calendar.Used(kind, now, *r.DueAt, nil)
	return err == nil && left*10 <= length
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
