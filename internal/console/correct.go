package console

import (
	"fmt"
	"net/http"
	"slices"

	"pulih/internal/agency"
	"pulih/internal/request"
	"pulih/internal/store"
)

// correctSubject puts right whom an open request is about: the wrong official was found, or the letter was misread. Who did it and what it was
// before stay in the events, and an approval of the old data is used up (request.Join).
func (c *Console) correctSubject(p *page) error {
	number := p.PathValue("number")
	if _, err := c.o.Store.Request(p.ctx(), p.agency.Key, number); err != nil {
		return err
	}
	s, err := c.o.Store.State(p.ctx(), number)
	if err != nil {
		return err
	}
	if !correctable(s.Status) || len(s.Letters) == 0 {
		return say(http.StatusConflict, "Reset permohonan ini sudah diajukan; datanya tidak dapat dibetulkan lagi.")
	}
	next, err := c.chosen(p)
	if err != nil {
		return err
	}
	if next.NIP == agency.Digits(s.Subject.NIP) { // what the form doesn't ask for stays with the same person
		next.NIK, next.Phone = or(next.NIK, s.Subject.NIK), or(next.Phone, s.Subject.Phone)
	}
	changed := subjectChanges(s.Subject, next)
	if len(changed) == 0 {
		return say(http.StatusConflict, "Tidak ada yang berubah.")
	}
	return c.act(p, "corrected", request.Join{Letter: s.Letters[0], Subject: &next, Changed: changed, By: p.who.actor(decide)})
}

// correctable: no reset was made on the data yet, nor may have been.
func correctable(s request.Status) bool {
	return slices.Contains([]request.Status{request.StatusReceived, request.StatusChain, request.StatusChecking, request.StatusReturned, request.StatusSecond,
		request.StatusApproved, request.StatusWaitingSession, request.StatusRefused}, s)
}

// subjectChanges says what becomes of what.
func subjectChanges(from, to request.Subject) []string {
	var out []string
	for _, f := range []struct{ label, from, to string }{
		{"nama", from.Name, to.Name}, {"NIP", spacedNIP(agency.Digits(from.NIP)), spacedNIP(agency.Digits(to.NIP))}, {"jabatan", from.Position, to.Position},
		{"kantor", from.Office, to.Office}, {"e-mail dinas", from.Email, to.Email},
	} {
		if f.from != f.to {
			out = append(out, fmt.Sprintf("%s: %s menjadi %s", f.label, or(f.from, "kosong"), or(f.to, "kosong")))
		}
	}
	return out
}

// officials groups the directory for a choice.
func officials(a *agency.Agency) []officeGroup {
	out := make([]officeGroup, len(a.Offices))
	for i := range a.Offices {
		out[i] = officeGroup{a.Offices[i].Name, a.Offices[i].All()}
	}
	return out
}

// explain records why a promise was broken, for the heads and the monthly meeting.
func (c *Console) explain(p *page) error {
	return c.act(p, "explained", request.Explain{By: p.who.actor(explainBreach), Text: p.text("alasan", longText)})
}

// doubtsAbout are the open doubts whether another letter belongs to a request.
func (c *Console) doubtsAbout(p *page, number string) ([]store.Doubt, error) {
	list, err := c.o.Store.Doubts(p.ctx(), p.agency.Key)
	return slices.DeleteFunc(list, func(q store.Doubt) bool { return q.Number != number }), err
}
