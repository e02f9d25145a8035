package request

import (
	"slices"
	"time"

	"pulih/internal/agency"
	"pulih/internal/sop"
)

// Effect is something to be done in the outside world because of an event: a durable row and a job in the event's transaction.
type Effect interface{ effect() }

// Mail is one notice to one recipient. The text is made when it is sent, from the request as it stood at the event.
type Mail struct {
	Template string // a template of mailflow
	To       Recipient
	Step     string // reminders: the step, or "total"
	Mark     string // reminders: the mark
	Bundle   bool   // joins the recipient's other mails of the same template in this transaction
}

// Recipient is who gets a mail. ID names a member of staff; others have only an address.
type Recipient struct {
	Kind    string // staff, office, applicant, operator
	ID      string
	Name    string
	Address string
}

// FollowUp is written back into Srikandi (contracts/srikandi.md, "Writing").
type FollowUp struct {
	SrikandiID  string
	Disposition string // empty for none
	Status      string // diproses, dikembalikan, selesai
	Text        string
	Copy        int // which of the request's letters in Srikandi: 0 is the first
}

// Reset asks for the call in AMS mode, in the agency's queue, in order of the deadline.
type Reset struct{ Due time.Time }

// Watch asks to look after the certificate until it can be used. AtOnce has it looked at right away: nobody knows what a call did.
type Watch struct{ AtOnce bool }

// CheckStatus asks the eSign gateway about the applicant's certificate, so that the verifier knows it before they decide.
type CheckStatus struct{}

func (Mail) effect()     {}
func (FollowUp) effect() {}
func (Reset) effect()    {}
func (Watch) effect()    {}

func (CheckStatus) effect() {}

// Templates that requests send; mailflow has a file for each.
const (
	MailReceiptOffice      = "receipt-office"
	MailReceiptApplicant   = "receipt-applicant"
	MailWork               = "work"
	MailSecondApproval     = "second-approval"
	MailCompleted          = "completed"
	MailAssisted           = "assisted"
	MailSessionNeeded      = "session-needed"
	MailResetSubmitted     = "reset-submitted"
	MailUncertain          = "uncertain"
	MailRefusedByBSrE      = "refused-by-bsre"
	MailPhoneCheck         = "phone-check"
	MailReminderPassphrase = "reminder-passphrase"
	MailCallApplicant      = "call-applicant"
	MailDone               = "done"
	MailReturned           = "returned"
	MailRejected           = "rejected"
	MailReminder           = "reminder"
	MailEscalation         = "escalation"
)

// toStaff writes to people of the agency, one mail each.
func toStaff(template string, people []agency.Person) []Effect {
	var out []Effect
	for _, p := range people {
		if p.Email != "" {
			out = append(out, Mail{Template: template, To: staff(p)})
		}
	}
	return out
}

func staff(p agency.Person) Recipient {
	return Recipient{Kind: "staff", ID: p.ID, Name: p.Name, Address: p.Email}
}

// toOffice writes to the registered addresses of the subject's office, never to a sender's address that the directory doesn't know: a
// stranger learns nothing and can't make the software write to a third person.
func toOffice(template string, s State, a *agency.Agency) []Effect {
	o, ok := a.Office(s.Subject.OfficeID)
	if !ok {
		return nil
	}
	var out []Effect
	for _, address := range o.Addresses {
		out = append(out, Mail{Template: template, To: Recipient{Kind: "office", ID: o.ID, Name: o.Name, Address: address}})
	}
	if len(out) == 0 && o.Head.Email != "" {
		out = append(out, Mail{Template: template, To: Recipient{Kind: "office", ID: o.ID, Name: o.Head.Name, Address: o.Head.Email}})
	}
	return out
}

// toApplicant writes to the registered official address alone.
func toApplicant(template string, s State) []Effect {
	if !s.Subject.Known || s.Subject.Email == "" {
		return nil
	}
	return []Effect{Mail{Template: template, To: Recipient{Kind: "applicant", Name: s.Subject.Name, Address: s.Subject.Email}}}
}

// followUp writes to the letter in Srikandi, on the disposition that reached the verifier if there is one; of several letters to that which
// reached them last, for an earlier one may have been registered again. That the request has ended is written to each of its letters there:
// whoever looks at a copy would wait for ever.
func followUp(s State, status, text string) []Effect {
	var all []FollowUp
	newest, last := 0, time.Time{}
	for _, l := range s.Letters {
		if l.SrikandiID == "" {
			continue
		}
		disposition, at := s.reachedVerifier(l.ID)
		if at.After(last) {
			newest, last = len(all), at
		}
		all = append(all, FollowUp{SrikandiID: l.SrikandiID, Disposition: disposition, Status: status, Text: text, Copy: len(all)})
	}
	if status != "selesai" && len(all) > 1 {
		all = all[newest : newest+1]
		all[0].Copy = 0
	}
	out := make([]Effect, len(all))
	for i, f := range all {
		out[i] = f
	}
	return out
}

// reachedVerifier is the last disposition that gave a letter to a verifier, and when; empty for none.
func (s *State) reachedVerifier(letterID int64) (id string, at time.Time) {
	for _, d := range s.Dispositions {
		toVerifier := slices.ContainsFunc(d.To, func(a Actor) bool { return a.Role == sop.Verifier })
		if d.Acts && d.LetterID == letterID && toVerifier && !d.SentAt.Before(at) {
			id, at = d.ID, d.SentAt
		}
	}
	return id, at
}

// holders are the people whose work the request is now: named ones, or all who do the role's work today.
func holders(s State, a *agency.Agency, now time.Time) []agency.Person {
	if s.Holder.Depth() < 0 {
		return nil
	}
	all := a.Holders(s.Holder, now)
	if len(s.HolderIDs) == 0 {
		return all
	}
	var out []agency.Person
	for _, id := range s.HolderIDs {
		if p, ok := a.Person(id); ok {
			out = append(out, a.Acting(p, now))
		}
	}
	if len(out) == 0 {
		return all
	}
	return out
}
