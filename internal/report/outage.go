package report

import (
	"time"

	"pulih/internal/agency"
	"pulih/internal/request"
	"pulih/internal/sop"
)

// Outage is a span in which a partner could not be reached.
type Outage struct {
	System      string // srikandi, bsre, inbox, outbox
	From, Until time.Time
	Problem     string
}

// Lasts reports whether it has not ended: Until is zero.
func (o Outage) Lasts() bool { return o.Until.IsZero() }

// Title is the system's Indonesian name.
func (o Outage) Title() string {
	switch o.System {
	case "srikandi":
		return "Srikandi"
	case "bsre":
		return "BSrE"
	case "inbox":
		return "kotak surel masuk"
	case "outbox":
		return "pengiriman surel"
	}
	return o.System
}

// Noticeable is how long an outage must last to be told of: a poll that failed once is none.
const Noticeable = 10 * time.Minute

// ClocksWithout is request.Clocks with the outages taken out: how the promise would stand if nobody had had to wait for the partners. The
// promise itself is the one with them; this is shown beside it.
func ClocksWithout(s request.State, a *agency.Agency, at time.Time, outages []Outage) (steps []request.StepClock, total *request.StepClock, err error) {
	return request.Clocks(withoutOutages(s, outages), a, at)
}

// BlamedOn reports whether a promise that was broken would have been kept without the outages.
func BlamedOn(s request.State, a *agency.Agency, outages []Outage) (bool, error) {
	row, err := Measure(withoutOutages(s, outages), a)
	if err != nil {
		return false, err
	}
	_, _, broken := row.Broken(a)
	return !broken, nil
}

func withoutOutages(s request.State, outages []Outage) request.State {
	pauses := append([]sop.Pause{}, s.Pauses...)
	for _, o := range outages {
		pauses = append(pauses, sop.Pause{From: o.From, Until: o.Until})
	}
	s.Pauses = pauses
	return s
}
