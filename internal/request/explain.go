package request

import (
	"slices"
	"strings"

	"pulih/internal/sop"
)

// Explain records why a promise was broken, for the digests and the monthly meeting. It changes nothing else; a later one replaces it.
type Explain struct {
	By   Actor
	Text string
}

func (Explain) command() {}

// explain: whoever of the chain worked on it may say why; and only where there is something to explain.
func (d *decision) explain(c Explain) error {
	chain := slices.ContainsFunc(sop.Chain, func(role sop.Role) bool { return d.isStaff(c.By, role) })
	if !chain {
		return refuse(NotAllowed, "Hanya pejabat dalam rantai disposisi atau verifikator yang dapat mencatat sebabnya.")
	}
	if strings.TrimSpace(c.Text) == "" {
		return refuse(Incomplete, "Tuliskan mengapa waktunya lewat.")
	}
	steps, total, err := Clocks(d.s, d.a, d.now)
	if err != nil {
		return err
	}
	over := func(c StepClock) bool { return c.Reading != nil && c.Reading.Left < 0 }
	if !slices.ContainsFunc(steps, over) && (total == nil || !over(*total)) {
		return refuse(WrongState, "Tidak ada waktu yang lewat pada permohonan ini.")
	}
	if text := strings.TrimSpace(c.Text); text != d.s.BreachReason {
		d.add(Event{Kind: BreachExplained, By: c.By, Text: text})
	}
	return nil
}
