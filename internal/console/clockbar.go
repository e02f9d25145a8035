package console

import (
	"fmt"
	"html/template"
	"strings"
	"time"

	"pulih/internal/agency"
	"pulih/internal/request"
	"pulih/internal/sop"
	"pulih/mailflow"
)

// clock is a promise as a page shows it: a bar, and time said twice.
type clock struct {
	Words string // "tersisa 42 menit"
	When  string // "s.d. hari ini 14.20 WIB"
	State sop.ClockState
	Norm  string // "150 menit"
	Used  string // "1 jam 48 menit"
	bar   []span // shares of the norm, pauses between
	Title string // what the promise is about
}

// span is a stretch of time used, as shares of the norm. Gap: a pause follows it.
type span struct {
	from, to float64
	gap      bool
}

// clockOf reads a step's clock, or that of the whole. A zero clock means that nothing is promised or it hasn't begun.
func clockOf(s request.State, a *agency.Agency, c request.StepClock, now time.Time) clock {
	if c.Reading == nil {
		return clock{}
	}
	norm, r := c.Step.Norm, *c.Reading
	out := clock{State: r.State, Norm: mailflow.NoticeNorm(*norm), Used: norm.Say(r.Used), Title: request.StepTitle(a.Procedure(s.SOPVersion), c.Step.ID)}
	out.Words, out.When = clockWords(*norm, r, c, now.In(a.Zone), a.Zone)
	out.bar = spans(a, c, *norm, now)
	return out
}

func clockWords(n sop.Norm, r sop.Reading, c request.StepClock, now time.Time, zone *time.Location) (words, when string) {
	if !r.Due.IsZero() {
		when = "s.d. " + mailflow.NoticeWhen(r.Due.In(zone), now)
	}
	switch {
	case r.State == sop.Kept:
		return "ditepati: " + n.Say(r.Used), "selesai " + mailflow.NoticeWhen(c.End.In(zone), now)
	case r.State == sop.Broken:
		return "lewat " + n.Say(r.Left), "selesai " + mailflow.NoticeWhen(c.End.In(zone), now)
	case r.State == sop.Paused:
		return "berhenti, tersisa " + n.Say(r.Left), "menunggu pemohon"
	case r.Left < 0:
		return "lewat " + n.Say(r.Left), "batas " + mailflow.NoticeWhen(r.Due.In(zone), now)
	case r.State == sop.Outside:
		return "tersisa " + n.Say(r.Left) + ", di luar jam kerja", when
	}
	return "tersisa " + n.Say(r.Left), when
}

// spans lays the time used along the norm; each pause is a gap at its place.
func spans(a *agency.Agency, c request.StepClock, n sop.Norm, now time.Time) []span {
	kind, length := n.Measure()
	end := now
	if !c.End.IsZero() && c.End.Before(now) {
		end = c.End
	}
	var out []span
	at, used := c.Start, time.Duration(0)
	add := func(until time.Time, gap bool) {
		if until.After(end) {
			until = end
		}
		if !until.After(at) {
			return
		}
		d, err := a.Calendar.Used(kind, at, until, nil)
		if err != nil {
			return // a year without a calendar: the words say what is known
		}
		out = append(out, span{from: float64(used) / float64(length), to: float64(used+d) / float64(length), gap: gap})
		used += d
	}
	for _, p := range c.Pauses {
		if !p.Until.IsZero() && !p.Until.After(c.Start) || p.From.After(end) {
			continue
		}
		add(p.From, true)
		if p.Until.IsZero() {
			return out
		}
		if p.Until.After(at) {
			at = p.Until
		}
	}
	add(end, false)
	return out
}

// The bar's measures in its own units: the norm takes three quarters, what is over the rest.
const (
	barWidth  = 160.0
	barNorm   = 120.0
	barHeight = 14.0
)

// svg draws the bar. It is made of numbers alone, and says nothing that the words beside it don't.
func (c clock) svg() template.HTML {
	if c.State == "" {
		return ""
	}
	var b strings.Builder
	fmt.Fprintf(&b, `<svg class="bar bar-%s" viewBox="0 0 %g %g" width="%g" height="%g" aria-hidden="true" focusable="false">`,
		c.State, barWidth, barHeight, barWidth, barHeight)
	fmt.Fprintf(&b, `<rect class="track" x="0.5" y="3.5" width="%g" height="7" rx="2"/>`, barNorm-1)
	for _, s := range c.bar {
		from, to := place(s.from), place(s.to)
		within := min(to, barNorm)
		if within > from {
			fmt.Fprintf(&b, `<rect class="fill" x="%.1f" y="3" width="%.1f" height="8" rx="1"/>`, from, within-from)
		}
		if to > barNorm {
			begin := max(from, barNorm)
			fmt.Fprintf(&b, `<rect class="over" x="%.1f" y="3" width="%.1f" height="8"/>`, begin, max(to-begin, 1.5))
		}
		if s.gap {
			fmt.Fprintf(&b, `<path class="gap" d="M%.1f 1v12M%.1f 1v12"/>`, min(to, barWidth-3)+0.8, min(to, barWidth-3)+2.8)
		}
	}
	for _, mark := range []float64{0.6, 0.9} {
		fmt.Fprintf(&b, `<path class="mark" d="M%.1f 2v10"/>`, mark*barNorm)
	}
	fmt.Fprintf(&b, `<path class="end" d="M%.1f 0v14"/></svg>`, barNorm)
	return template.HTML(b.String())
}

// place is where a share of the norm lies on the bar; far beyond the end it stays at the edge.
func place(share float64) float64 { return min(max(share, 0)*barNorm, barWidth) }

// icons are drawn with strokes of the text's colour.
var icons = map[string]string{
	"danger":   `<path d="M8 1.5 15 14H1Z"/><path d="M8 6v4M8 11.6v.8"/>`,
	"warning":  `<circle cx="8" cy="8" r="6.5"/><path d="M8 4.5v4.2M8 10.8v.8"/>`,
	"info":     `<circle cx="8" cy="8" r="6.5"/><path d="M8 7v4.5M8 4.4v.8"/>`,
	"mail":     `<rect x="1.5" y="3" width="13" height="10" rx="1.5"/><path d="m2 4 6 5 6-5"/>`,
	"srikandi": `<path d="M3 1.5h7L13 5v9.5H3Z"/><path d="M10 1.5V5h3M5.5 8h5M5.5 11h5"/>`,
	"file":     `<path d="M3 1.5h7L13 5v9.5H3Z"/><path d="M10 1.5V5h3"/>`,
	"check":    `<path d="m2.5 8.5 3.5 4 7.5-9"/>`,
	"cross":    `<path d="m3 3 10 10M13 3 3 13"/>`,
	"clock":    `<circle cx="8" cy="8" r="6.5"/><path d="M8 4v4.2l2.8 1.8"/>`,
	"person":   `<circle cx="8" cy="5" r="3"/><path d="M2 14.5c.6-3.4 3-5 6-5s5.4 1.6 6 5"/>`,
	"key":      `<circle cx="5" cy="8" r="3.3"/><path d="M8.3 8H15M12.5 8v3"/>`,
}

func icon(name string) template.HTML {
	return template.HTML(`<svg class="icon" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true" focusable="false">` + icons[name] + `</svg>`)
}
