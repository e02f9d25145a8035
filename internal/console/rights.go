package console

import (
	"slices"
	"time"

	"pulih/internal/agency"
	"pulih/internal/request"
	"pulih/internal/sop"
)

// action is something that a person does at the desk. Each route needs exactly one.
type action string

const (
	readDesk      action = "read desk"      // queue, requests, letters and their files
	forward       action = "forward"        // pass a letter on, like a disposition
	assign        action = "assign"         // give a request to a verifier
	decide        action = "decide"         // approve, return, reject, confirm, and what belongs to it
	note          action = "note"           //
	explainBreach action = "explain breach" // why a promise was broken
	seeIdentity   action = "see identity"   // show a NIK; recorded
	lendSession   action = "lend session"   // sign in at AMS
	sortLetters   action = "sort letters"   // unclear letters: make a request, or set aside
	readLetters   action = "read letters"   // that letters wait, and why; what they say needs readDesk
	retryLetters  action = "retry letters"  // quarantine
	readComplaint action = "read complaint" //
	workComplaint action = "work complaint" //
	readOffices   action = "read offices"   // the directory
	editOffices   action = "edit offices"   //
	readReport    action = "read report"    // Pimpinan
	readSystem    action = "read system"    //
	runSystem     action = "run system"     // retry and cancel jobs, end others' visits
	stopResets    action = "stop resets"    // the emergency brake
	releaseResets action = "release resets" // let go of it
	consent       action = "consent"        // to somebody else's passkey
	readAudit     action = "read audit"     //
	ownAccount    action = "own account"    // own visits and passkeys
)

// rights says who may do what. What isn't here is denied; request.Decide and complaint.Decide have their own, finer word after it.
var rights = map[action][]sop.Role{
	readDesk:      {sop.Head, sop.Division, sop.Section, sop.Verifier, sop.Auditor},
	forward:       {sop.Head, sop.Division, sop.Section},
	assign:        {sop.Head, sop.Division, sop.Section, sop.Verifier},
	decide:        {sop.Verifier},
	note:          {sop.Head, sop.Division, sop.Section, sop.Verifier},
	explainBreach: {sop.Head, sop.Division, sop.Section, sop.Verifier},
	seeIdentity:   {sop.Verifier},
	lendSession:   {sop.Verifier},
	sortLetters:   {sop.Verifier},
	readLetters:   {sop.Head, sop.Division, sop.Section, sop.Verifier, sop.Operator, sop.Auditor},
	retryLetters:  {sop.Verifier, sop.Operator},
	readComplaint: {sop.Head, sop.Division, sop.Section, sop.Verifier, sop.Auditor},
	workComplaint: {sop.Head, sop.Division, sop.Section, sop.Verifier},
	readOffices:   {sop.Head, sop.Division, sop.Section, sop.Verifier, sop.Operator, sop.Auditor},
	editOffices:   {sop.Verifier, sop.Operator},
	readReport:    {sop.Head, sop.Division, sop.Section, sop.Verifier, sop.Auditor},
	readSystem:    {sop.Head, sop.Verifier, sop.Operator, sop.Auditor},
	runSystem:     {sop.Operator},
	stopResets:    {sop.Head, sop.Verifier, sop.Operator},
	releaseResets: {sop.Head, sop.Operator},
	consent:       {sop.Verifier, sop.Operator},
	readAudit:     {sop.Head, sop.Operator, sop.Auditor},
	ownAccount:    {sop.Head, sop.Division, sop.Section, sop.Verifier, sop.Operator, sop.Auditor},
}

// permitted reports whether any of the roles may do it.
func permitted(roles []sop.Role, a action) bool {
	return slices.ContainsFunc(rights[a], func(r sop.Role) bool { return slices.Contains(roles, r) })
}

// needsPasskey: who can approve, or change where links go, shows a passkey first.
func needsPasskey(roles []sop.Role) bool {
	return slices.Contains(roles, sop.Verifier) || slices.Contains(roles, sop.Operator)
}

// rolesOf are a person's roles today: their own, and those of the people whom they act for.
func rolesOf(a *agency.Agency, p agency.Person, at time.Time) []sop.Role {
	roles := slices.Clone(p.Roles)
	for _, r := range append(slices.Clone(sop.Chain), sop.Operator, sop.Auditor) {
		acts := slices.ContainsFunc(a.Holders(r, at), func(h agency.Person) bool { return h.ID == p.ID })
		if acts && !slices.Contains(roles, r) {
			roles = append(roles, r)
		}
	}
	return roles
}

// actor is the person as events name them, in the highest of their roles that may do the action.
func (v *visitor) actor(a action) request.Actor {
	by := request.Actor{ID: v.person.ID, Name: v.person.Name, Via: "console"}
	for _, r := range rights[a] {
		if slices.Contains(v.roles, r) {
			by.Role = r
			break
		}
	}
	return by
}

// may is for pages: whether to offer it.
func (v *visitor) may(a action) bool { return permitted(v.roles, a) }
