package complaint

import (
	"time"

	"pulih/internal/agency"
	"pulih/internal/request"
)

// Templates that complaints send; mailflow has a file for each.
const (
	MailReceived   = "complaint-received"
	MailAssigned   = "complaint-assigned"
	MailForwarded  = "complaint-forwarded"
	MailAnswered   = "complaint-answered"
	MailReminder   = request.MailReminder
	MailEscalation = request.MailEscalation
)

// Kinds of recipients: to a citizen nothing of any request is shown.
const (
	toApplicant = "applicant"
	toCitizen   = "citizen"
	toStaff     = "staff"
)

// toComplainant answers through the channel that the complaint came by, where the software can: a mail to the sender, or a follow-up in
// Srikandi. Elsewhere there is no effect, and a person tells them.
func (d *decision) toComplainant(template, status, text string) []request.Effect {
	switch d.s.Channel {
	case Mail:
		if d.s.From.Email == "" {
			return nil
		}
		to := request.Recipient{Kind: toCitizen, Name: d.s.From.Name, Address: d.s.From.Email}
		if d.s.Link != nil && d.s.Link.Theirs {
			to.Kind = toApplicant
		}
		return []request.Effect{request.Mail{Template: template, To: to}}
	case Srikandi:
		if l, ok := d.s.InSrikandi(); ok {
			return []request.Effect{request.FollowUp{SrikandiID: l.SrikandiID, Status: status, Text: text}}
		}
	}
	return nil
}

// holders are the people whose work the complaint is now: the one whom it was given to, or their deputy, or all who do the role's work.
func holders(s State, a *agency.Agency, now time.Time) []agency.Person {
	if p, ok := a.Person(s.HolderID); ok {
		return []agency.Person{a.Acting(p, now)}
	}
	return a.Holders(s.Holder, now)
}

func staff(p agency.Person) request.Recipient {
	return request.Recipient{Kind: toStaff, ID: p.ID, Name: p.Name, Address: p.Email}
}
