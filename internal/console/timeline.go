package console

import (
	"slices"
	"strings"
	"time"

	"pulih/internal/agency"
	"pulih/internal/letter"
	"pulih/internal/request"
	"pulih/internal/sop"
	"pulih/internal/store"
)

// line is one event of the timeline, or a mail that went out.
type line struct {
	At    time.Time
	Seen  time.Time // when it was learned of, if that was later
	Words string
	Text  string
	Who   string
	Role  string
	Via   string
	Link  string // evidence: a letter
	Shape string // icon
	Heavy bool   // a decision
	Mails []mailLine
}

type mailLine struct {
	Words, To, State string
	Bounced          bool
	Reply            string
}

// timeline lists what happened, the oldest first, with the mails that each event caused. Version is that of the SOP that the request follows.
func timeline(a *agency.Agency, version string, events []request.Event, mails []store.Outgoing) []line {
	out := make([]line, 0, len(events))
	for i, e := range events {
		l := line{At: e.At, Words: eventWords[e.Kind], Text: letter.MaskNIK(letter.Mask(e.Text)), Who: e.By.Name, Role: e.By.Role.Title(), Via: viaWords[e.By.Via]}
		if e.Seen.Sub(e.At) > time.Minute {
			l.Seen = e.Seen
		}
		if l.Words == "" {
			l.Words = string(e.Kind)
		}
		detail(&l, a, version, e)
		for _, m := range mails {
			if m.Version == i+1 {
				l.Mails = append(l.Mails, mailLine{Words: or(mailWords[m.Template], m.Template), To: or(m.Name, m.Address), State: mailStates[m.State], Bounced: m.BouncedAt != nil, Reply: m.Reply})
			}
		}
		out = append(out, l)
	}
	return out
}

func detail(l *line, a *agency.Agency, version string, e request.Event) {
	l.Heavy = slices.Contains([]request.Kind{request.Received, request.Approved, request.ReturnedToApplicant, request.Rejected, request.ResetAccepted,
		request.ResetConfirmed, request.ResetRefused, request.ApprovalVoided, request.ResetUncertain, request.Closed}, e.Kind)
	switch {
	case e.Disposition != nil:
		var to []string
		for _, r := range e.Disposition.To {
			to = append(to, or(r.Name, r.Role.Title()))
		}
		l.Words += " kepada " + strings.Join(to, ", ")
		l.Text = e.Disposition.Text
		if !e.Disposition.Acts {
			l.Words += " (tidak meminta tindakan)"
		}
		if l.Who == "" {
			l.Who, l.Role = e.Disposition.From.Name, e.Disposition.From.Role.Title()
		}
	case e.Kind == request.Assigned && e.Person != "":
		if p, ok := a.Person(e.Person); ok {
			l.Words += " kepada " + p.Name
		}
	case e.Kind == request.Assigned:
		l.Words += " kepada semua verifikator"
	case e.Step != "":
		l.Words += ": " + request.StepTitle(a.Procedure(version), e.Step)
		if e.Kind == request.Reminded {
			l.Text = e.Mark + " % waktu terpakai"
		}
	case len(e.Missing) > 0:
		l.Text = strings.TrimSpace("Diminta: " + strings.Join(e.Missing, "; ") + ". " + l.Text)
	}
	if e.Letter != nil {
		l.Link = letterTarget(e.Letter.ID)
		l.Shape = e.Letter.Channel
	}
	switch {
	case e.By == request.System:
		l.Who, l.Via = "", "oleh pulih"
	case e.By.Role == sop.BSrE:
		l.Who = "" // the role says it
	}
}
