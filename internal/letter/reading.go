// Package letter reads letters as a careful clerk does: from raw mail, PDF, DOCX, images and Srikandi's metadata to a kind, fields and
// findings, each with its evidence. What can't be told from the text is unclear and goes to a human; nothing is guessed.
//
// Strangers' files are never parsed in this process: they are opened by child processes under limits of time and memory.
package letter

import "time"

// Kind is what a letter is (letters.md, "Kinds").
type Kind string

// The kinds of letters.
const (
	ResetRequest            Kind = "reset-request"
	Complaint               Kind = "complaint"
	Reply                   Kind = "reply"
	Disposition             Kind = "disposition"
	Bounce                  Kind = "bounce"
	AutoReply               Kind = "auto-reply"
	ProviderNotice          Kind = "provider-notice"
	OtherCertificateService Kind = "other-certificate-service"
	Other                   Kind = "other"
	Unclear                 Kind = "unclear"
)

// Input is one letter as it came: a mail, or Srikandi's metadata with its attachments, or a single file.
type Input struct {
	Mail []byte // raw RFC 5322 message; nil for letters from Srikandi
	// Parsed is what ParseMail made of Mail, for who has it already; nil means that it is parsed here.
	Parsed *Mail
	Meta   *Meta  // Srikandi's metadata; nil for mail
	Files  []File // attachments from Srikandi, or the one file to inspect
}

// Meta is what Srikandi says about a letter (contracts/srikandi.md).
type Meta struct {
	Number    string
	Temporary bool // nomor_sementara: the letter isn't signed yet
	Date      string
	Subject   string
	Summary   string
	Agency    string // asal.instansi
	Office    string // asal.unit
	Signer    Signer // asal
}

// File is an attachment.
type File struct {
	Name string // as the sender wrote it; never a path
	MIME string // as declared; the content decides
	Data []byte
}

// Reading is what was found in a letter. Its JSON is one line of `pulih inspect --json`; keys may be added, none renamed. It holds
// identity numbers: seal it before it is stored, and log nothing of it.
type Reading struct {
	File        string       `json:"file"`
	Kind        Kind         `json:"kind"`
	Reasons     []string     `json:"reasons"` // why this kind, and what spoke against, in Indonesian
	Letter      Fields       `json:"letter"`
	Applicants  []Applicant  `json:"applicants"`
	Attachments []Attachment `json:"attachments"`
	Signature   Signature    `json:"signature"`
	Findings    []Finding    `json:"findings"`
	Evidence    []Evidence   `json:"evidence"`
	Corrections []Correction `json:"corrections"`
}

// Fields are those of the letter itself. Empty ones are null in JSON.
type Fields struct {
	Number  *string `json:"number"`  // raw text
	Date    *string `json:"date"`    // YYYY-MM-DD
	Subject *string `json:"subject"` //
	Office  *string `json:"office"`  // as written
	Signer  *Signer `json:"signer"`
}

// Signer is who signed a letter.
type Signer struct {
	Name     *string `json:"name"`
	NIP      *string `json:"nip"` // digits only
	Position *string `json:"position"`
}

// Applicant is one official whose passphrase is to be reset, as the letter writes it. Absent fields are null.
type Applicant struct {
	Name     *string `json:"name"`
	NIP      *string `json:"nip"` // 18 digits without blanks
	NIK      *string `json:"nik"` // 16 digits without blanks
	Email    *string `json:"email"`
	Phone    *string `json:"phone"`
	Position *string `json:"position"`
	Rank     *string `json:"rank"`
	Office   *string `json:"office"`
}

// Attachment is one file of the letter. Text is what could be read of it, secrets masked; null when nothing could.
type Attachment struct {
	Name   string  `json:"name"`
	MIME   string  `json:"mime"` // by content
	Size   int64   `json:"size"` // bytes
	SHA256 string  `json:"sha256"`
	Text   *string `json:"text"`
}

// SignatureStatus is the verdict on a PDF's signatures.
type SignatureStatus string

// The verdicts on a PDF's electronic signatures.
const (
	SignatureNone          SignatureStatus = "none"
	SignatureValid         SignatureStatus = "valid"
	SignatureInvalid       SignatureStatus = "invalid"
	SignatureUntrusted     SignatureStatus = "untrusted"
	SignatureIndeterminate SignatureStatus = "indeterminate"
)

// Signature sums up all signatures of a letter: the worst verdict, and the last signer's name.
type Signature struct {
	Status SignatureStatus `json:"status"`
	Signer *string         `json:"signer"`
	Each   []Signed        `json:"each"` // every signature and document timestamp, in the order in which they were made
}

// Signed is one electronic signature of a file.
type Signed struct {
	File   string          `json:"file"`
	Signer *string         `json:"signer"` // null for a document timestamp
	Issuer *string         `json:"issuer"` // of the certificate, as it says itself; null where it can't be read
	Status SignatureStatus `json:"status"`
	Time   *time.Time      `json:"time"`  // of a trusted timestamp; null without one
	Codes  []string        `json:"codes"` // why the verdict isn't "valid", and what else is worth knowing
	Whole  bool            `json:"whole"` // covers the file to its end
	Stamp  bool            `json:"stamp"` // a document timestamp, not a person's signature
}

// Severity says how heavy a finding is.
type Severity string

// The severities, lightest first. Danger is what an attack would look like; it never drops a letter by itself.
const (
	Info    Severity = "info"
	Warning Severity = "warning"
	Danger  Severity = "danger"
)

// Finding is something that the verifier sees beside the letter.
type Finding struct {
	Code     string   `json:"code"`
	Severity Severity `json:"severity"`
	Detail   string   `json:"detail"` // one sentence in Indonesian, without identity numbers
}

// Evidence says where a field was found, so that the page can show the verifier the line of the letter.
type Evidence struct {
	Field string `json:"field"` // "letter.number", "applicants[0].nip"
	Part  string `json:"part"`  // "mail", "srikandi", or the attachment's name
	Page  int    `json:"page"`  // from 1; 0 where there are no pages
	Text  string `json:"text"`  // the line, secrets masked
	How   string `json:"how"`   // "text", "ocr", "metadata"
}

// Correction is a number that was not read as digits: OCR takes O for 0, l for 1. The proposal stands in the field only if it has the
// structure of a NIP or NIK; a finding says so either way. In a letter's number it is the Roman month.
type Correction struct {
	Field    string `json:"field"`    // as in Evidence
	Read     string `json:"read"`     // what was read
	Proposed string `json:"proposed"` // digits; the whole number of a letter
	Used     bool   `json:"used"`     // whether the field holds the proposal, or what was read
}

// Envelope is what is known about how a letter came, for Check.
type Envelope struct {
	Channel    string // "mail" or "srikandi"
	From       string // address of the mail's sender
	ReceivedAt time.Time
	Auth       *Authentication // nil for Srikandi
}

// Authentication is what the agency's own mail server, or our own check, found about a mail's sender. Values are those of RFC 8601
// ("pass", "fail", "none", ...); empty is unknown.
type Authentication struct {
	SPF, DKIM, DMARC string
}

// Past is an earlier request, for findings about numbers used again and repeated resets.
type Past struct {
	Request       string // PBG-2026-000123
	LetterNumber  string
	ApplicantNIP  string
	ApplicantName string
	At            time.Time
	Reset         bool // a reset was accepted
}
