package sop

// Role is a place in the procedure, never a person's title: after the delayering of 2021 a section head may be called "Sandiman Ahli
// Muda", so people are bound to roles by configuration alone (service.md, "Signers").
type Role string

// The roles that SOP files and configurations may name.
const (
	Applicant Role = "applicant" // pemohon, and the office that writes for them
	Head      Role = "head"      // Kadin
	Division  Role = "division"  // Kabid
	Section   Role = "section"   // Kasi
	Verifier  Role = "verifier"  // verifikator
	BSrE      Role = "bsre"      // the certificate authority
	Operator  Role = "operator"  // runs the software; no step of an SOP
	Auditor   Role = "auditor"   // reads, changes nothing; no step of an SOP
)

// Chain is the way down of a disposition, from the head of agency to the verifier.
var Chain = []Role{Head, Division, Section, Verifier}

// Depth says how far down the chain a role stands, 0 for the head; -1 for roles outside the chain.
func (r Role) Depth() int {
	for i, c := range Chain {
		if c == r {
			return i
		}
	}
	return -1
}

// Valid reports whether r is one of the known roles.
func (r Role) Valid() bool {
	switch r {
	case Applicant, Head, Division, Section, Verifier, BSrE, Operator, Auditor:
		return true
	}
	return false
}

// Title is the short Indonesian name that pages and mails show.
func (r Role) Title() string {
	switch r {
	case Applicant:
		return "Pemohon"
	case Head:
		return "Kadin"
	case Division:
		return "Kabid"
	case Section:
		return "Kasi"
	case Verifier:
		return "Verifikator"
	case BSrE:
		return "BSrE"
	case Operator:
		return "Operator"
	case Auditor:
		return "Auditor"
	}
	return string(r)
}
