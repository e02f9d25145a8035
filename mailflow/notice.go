package mailflow

import (
	"slices"
	"time"

	"pulih/internal/agency"
)

// Names of the notices: what RenderNotice takes in Notice.Template, and the name of the file below templates/.
const (
	NoticeReceiptOffice      = "receipt-office"      // office: the letter arrived
	NoticeReceiptApplicant   = "receipt-applicant"   // applicant: a request was opened for them
	NoticeWork               = "work"                // next person in the chain: disposition or examination awaits
	NoticeSecondApproval     = "second-approval"     // verifier: a repeated reset needs a second pair of eyes
	NoticeUndecided          = "undecided"           // verifier: their approval in Srikandi isn't carried out, and why
	NoticeWithdrawn          = "withdrawn"           // staff: work that was announced is no longer theirs
	NoticeAssisted           = "assisted"            // verifier: make the reset in AMS, then confirm
	NoticeSessionNeeded      = "session-needed"      // verifiers: approved resets wait for an AMS session
	NoticeResetSubmitted     = "reset-submitted"     // applicant, at the registered official address: BSrE will send a link
	NoticeUncertain          = "uncertain"           // verifiers: the outcome of a reset is unknown
	NoticeRefusedByBSrE      = "refused-by-bsre"     // verifier: BSrE refused the reset
	NoticePhoneCheck         = "phone-check"         // applicant: BSrE checks the telephone number first
	NoticeReminderPassphrase = "reminder-passphrase" // applicant: the new passphrase has not been set yet
	NoticeCallApplicant      = "call-applicant"      // verifier: call the applicant, the norm is over
	NoticeDone               = "done"                // applicant and office: TTE can be used again
	NoticeReturned           = "returned"            // office: something is missing
	NoticeCompleted          = "completed"           // office: what was missing has arrived
	NoticeRejected           = "rejected"            // office and applicant: not done, and why
	NoticeReminder           = "reminder"            // holder: near or at the end of the norm, bundled
	NoticeEscalation         = "escalation"          // superior: the norm is over, bundled
	NoticeUnclearLetter      = "unclear-letter"      // verifiers: a letter needs a decision
	NoticeOtherService       = "other-service"       // verifier: a letter for another certificate service is in the inbox
	NoticeComplaintReceived  = "complaint-received"  // complainant
	NoticeComplaintAssigned  = "complaint-assigned"  // verifier
	NoticeComplaintForwarded = "complaint-forwarded" // complainant: handed on to BSrE
	NoticeComplaintAnswered  = "complaint-answered"  // complainant
	NoticeAddressDead        = "address-dead"        // verifier: the applicant's official address bounces
	NoticeOperatorAlarm      = "operator-alarm"      // operator: something stands still
	NoticeBacklogSummary     = "backlog-summary"     // one a person after an outage
	NoticeEvaluationPack     = "evaluation-pack"     // participants of the monthly meeting; the files are attached
	NoticeSignInLink         = "sign-in-link"        // staff: a link to the desk
)

// NoticeTemplates lists the names of all notices, in the order in which a request meets them.
func NoticeTemplates() []string {
	return slices.Clone(noticeTemplates)
}

var noticeTemplates = []string{
	NoticeReceiptOffice, NoticeReceiptApplicant, NoticeWork, NoticeSecondApproval, NoticeUndecided, NoticeWithdrawn, NoticeReturned, NoticeCompleted,
	NoticeAssisted, NoticeSessionNeeded, NoticeResetSubmitted, NoticePhoneCheck, NoticeUncertain, NoticeRefusedByBSrE,
	NoticeReminderPassphrase, NoticeCallApplicant, NoticeDone, NoticeRejected, NoticeReminder, NoticeEscalation, NoticeUnclearLetter,
	NoticeOtherService, NoticeComplaintReceived, NoticeComplaintAssigned, NoticeComplaintForwarded, NoticeComplaintAnswered,
	NoticeAddressDead, NoticeOperatorAlarm, NoticeBacklogSummary, NoticeEvaluationPack, NoticeSignInLink,
}

// Notice is what one mail to one recipient says: plain values, no link to the store. There is no field for a NIK, a NIP or a passphrase,
// so no template can show one; what people write into free text is masked by noticeClean. Zero fields are left out of the mail.
//
// Fields tagged notice:"raw" are shown without masking, notice:"url" must be http or https or are left out, those tagged
// notice:"lines" may have several lines.
type Notice struct {
	Template string    // one of NoticeTemplates
	Now      time.Time // when it is written: "hari ini" is the day of Now in Agency.Zone
	Agency   NoticeAgency
	To       NoticePerson
	Request  NoticeRequest
	Step     NoticeClock // the step that the mail is about
	Total    NoticeClock // the promise for the whole; zero where the SOP gives none

	PassOn bool // work: the letter awaits a disposition and is passed on; otherwise it is to be examined

	Missing []string // returned: what has to be completed, one sentence each
	Reason  string   `notice:"lines"` // why: of a return, a rejection, a refusal, an unclear letter
	Sender  string   // address that an unclear or foreign letter came from

	Links        NoticeLinks
	Items        []NoticeItem // bundled work: reminder, escalation, session-needed, backlog-summary
	Instructions NoticeInstructions
	Complaint    NoticeComplaint
	Outage       NoticeOutage
	Alarm        NoticeAlarm
	SignIn       NoticeSignIn
	Period       string   // evaluation-pack: "November 2026"
	Meeting      string   // evaluation-pack: when and where, in words
	Files        []string // evaluation-pack: names of the attached files
}

// NoticeAgency is who writes. NoticeAgencyOf makes one from the configuration.
type NoticeAgency struct {
	Prefix  string // "PBG": begins the subject where the mail has no number of its own
	Name    string // "Pemerintah Kabupaten Purbalingga"
	Unit    string // "Dinkominfo Kabupaten Purbalingga"
	Team    string // "Tim Verifikator Sertifikat Elektronik"
	Address string // From
	Phone   string `notice:"raw"`
	Hours   string // office hours in words
	Zone    *time.Location
}

// NoticeAgencyOf takes from an agency what its mails say.
func NoticeAgencyOf(a *agency.Agency) NoticeAgency {
	return NoticeAgency{Prefix: a.Prefix, Name: a.Name, Unit: a.Unit, Team: a.Team, Address: a.Address, Phone: a.Phone, Hours: a.Hours, Zone: a.Zone}
}

// NoticeKind says in which part somebody gets a mail; a few templates choose their words by it.
type NoticeKind string

// The kinds of recipients.
const (
	NoticeToStaff     NoticeKind = "staff"
	NoticeToOffice    NoticeKind = "office"
	NoticeToApplicant NoticeKind = "applicant"
	NoticeToCitizen   NoticeKind = "citizen" // a complainant, perhaps unknown to the agency
)

// NoticePerson is the recipient.
type NoticePerson struct {
	Kind     NoticeKind
	Name     string // of the person with titles, or of the office; may be empty for citizens
	Position string // for an office: the position of its head, "Kepala Dinas Pendidikan dan Kebudayaan"
	Address  string
}

// NoticeRequest is the request that the mail is about.
type NoticeRequest struct {
	Number   string // PBG-2026-000123
	State    string // in words for this recipient (desk.md)
	OpenedAt time.Time

	LetterNumber  string
	LetterDate    time.Time // the day written on the letter; its zone is not converted
	LetterSubject string
	Channel       string // "Srikandi", "surel"

	Office    string
	Applicant string // with titles
	Position  string
	// Address is the registered official address, the one that BSrE writes to. Only mails to the applicant there and to verifiers show it.
	Address string
}

// NoticeClock is how a promise stands.
type NoticeClock struct {
	Title  string // the step as the SOP calls it: "Pemeriksaan data pemohon"
	Holder string // who has it: "Kabid, Bapak/Ibu Agus Salim, S.Sos."
	Norm   string // "5 menit"; see NoticeNorm
	Used   time.Duration
	Left   time.Duration // negative once broken
	Due    time.Time     // zero: no norm, nothing is said about time
	Days   bool          // Used and Left count working days, of 24 hours each (sop.WorkingDays)
	Paused bool          // waits for the applicant or office
}

// NoticeLinks lead to pages of ours; all may be empty. Only http and https are accepted.
type NoticeLinks struct {
	Status    string `notice:"url"` // the applicant's or office's page of the request
	Desk      string `notice:"url"` // the page of the desk where the reader acts
	Yes       string `notice:"url"` // answer pages of reminder-passphrase and reset-submitted: "sudah"
	No        string `notice:"url"` // "belum ada e-mail"
	Failed    string `notice:"url"` // "gagal"
	Complaint string `notice:"url"` // where one complains
	Mute      string `notice:"url"` // turns reminders or digests off
}

// NoticeItem is one line of a bundled mail.
type NoticeItem struct {
	Number    string
	Applicant string
	Office    string
	Step      string
	Holder    string
	Left      time.Duration
	Due       time.Time
	Days      bool   // see NoticeClock
	Note      string // what happened, what to do
	URL       string `notice:"url"`
}

// NoticeInstructions prepare a reset that the verifier makes in AMS (assisted mode).
type NoticeInstructions struct {
	Portal   string   `notice:"url"` // address of AMS, http(s); empty: named without a link
	Search   string   // what to search for: the registered official address
	Name     string   // the name that AMS must show
	Serial   string   `notice:"raw"` // serial number of the certificate, hex; empty: the one in status ISSUE
	Validity string   // "12 Maret 2025 s.d. 12 Maret 2027"
	Clicks   []string // the agency's own wording of the way through the portal; empty: the template's
}

// NoticeComplaint is the complaint that the mail is about.
type NoticeComplaint struct {
	Number     string // PBG-P-2026-000012
	Class      string // "ringan"
	Channel    string // "surel", "telepon"
	ReceivedAt time.Time
	From       string // who complains, for staff only
	Summary    string `notice:"lines"`
	Answer     string `notice:"lines"`
}

// NoticeOutage is a span in which a system could not be reached. Until is zero while it lasts.
type NoticeOutage struct {
	System      string // "Srikandi"
	From, Until time.Time
}

// NoticeAlarm tells an operator what stands still, in sentences.
type NoticeAlarm struct {
	Title  string // "Kotak surel dinkominfo@... menolak kata sandi"
	Since  time.Time
	Detail string   `notice:"lines"` // what is known, without secrets
	Effect string   // what this means for the service
	Do     []string // what the operator does
}

// NoticeSignIn is a way into the desk.
type NoticeSignIn struct {
	URL   string `notice:"url"`
	Until time.Time
}
