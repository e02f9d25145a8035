package mailflow

import (
	"bytes"
	"crypto"
	"errors"
	"fmt"
	"net/mail"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"

	"pulih/internal/letter"
)

// Envelope is one mail to one recipient.
type Envelope struct {
	From letter.Address // the agency's official mailbox: bounces come back to it, and the inbox reads them
	To   letter.Address

	MessageID  string   // from NewMessageID, without angle brackets; the same at every try
	InReplyTo  string   // without angle brackets; empty opens a thread
	References []string // without angle brackets, oldest first

	Date    time.Time // when the notice was decided on, not when this try is made
	Subject string
	Text    string
	HTML    string
	// Images are shown within the HTML as "cid:NAME".
	Images []Attached
	Files  []Attached

	// ListUnsubscribe is a mailto: or https: address; only digests have one.
	ListUnsubscribe string
}

// Attached is an image or a file that goes with a mail.
type Attached struct {
	Name string
	MIME string
	Data []byte
}

// DKIM signs outgoing mail (RFC 6376); the public key is at Selector._domainkey.Domain.
type DKIM struct {
	Domain, Selector string
	Key              crypto.Signer // RSA or Ed25519
}

const maxReferences = 20

// Render makes the message as it goes over the wire. An error means that it can never be sent as it is.
func (e Envelope) Render(sign *DKIM) ([]byte, error) {
	m := gomail.NewMsg(gomail.WithNoDefaultUserAgent(), gomail.WithEncoding(gomail.EncodingQP))
	from, err := plainAddress(e.From)
	if err != nil {
		return nil, fmt.Errorf("sender: %w", err)
	}
	to, err := plainAddress(e.To)
	if err != nil {
		return nil, fmt.Errorf("recipient: %w", err)
	}
	if !validID(e.MessageID) {
		return nil, errors.New("no usable Message-ID")
	}
	m.FromMailAddress(from)
	m.ToMailAddress(to)
	m.SetMessageIDWithValue(e.MessageID)
	m.SetDateWithValue(e.Date)
	m.Subject(oneLine(e.Subject, 500))
	m.SetGenHeader("Auto-Submitted", "auto-generated") // RFC 3834, 5.1
	m.SetGenHeader("X-Auto-Response-Suppress", "All")  // the same for Exchange
	if validID(e.InReplyTo) {
		m.SetGenHeaderPreformatted(gomail.HeaderInReplyTo, "<"+e.InReplyTo+">")
	}
	if refs := e.references(); refs != "" {
		m.SetGenHeaderPreformatted(gomail.HeaderReferences, refs)
	}
	if e.ListUnsubscribe != "" {
		m.SetGenHeaderPreformatted(gomail.HeaderListUnsubscribe, "<"+oneLine(e.ListUnsubscribe, 500)+">")
	}
	m.SetBodyString(gomail.TypeTextPlain, e.Text)
	if e.HTML != "" {
		m.AddAlternativeString(gomail.TypeTextHTML, e.HTML)
	}
	for _, a := range e.Images {
		err = errors.Join(err, m.EmbedReader(a.Name, bytes.NewReader(a.Data),
			gomail.WithFileContentID("<"+a.Name+">"), gomail.WithFileContentType(gomail.ContentType(a.MIME))))
	}
	for _, a := range e.Files {
		err = errors.Join(err, m.AttachReader(a.Name, bytes.NewReader(a.Data), gomail.WithFileContentType(gomail.ContentType(a.MIME))))
	}
	if err != nil {
		return nil, fmt.Errorf("attaching: %w", err)
	}
	if sign != nil {
		m.SetDKIM(gomail.NewDKIMSigner(sign.Domain, sign.Selector, sign.Key))
	}
	var out bytes.Buffer
	if _, err := m.WriteTo(&out); err != nil {
		return nil, fmt.Errorf("rendering: %w", err)
	}
	return out.Bytes(), nil
}

// references is the field's value, one identifier a line: the first and the newest where there are too many.
func (e Envelope) references() string {
	var ids []string
	for _, id := range append(e.References, e.InReplyTo) {
		if validID(id) && (len(ids) == 0 || ids[len(ids)-1] != "<"+id+">") {
			ids = append(ids, "<"+id+">")
		}
	}
	if len(ids) > maxReferences {
		ids = append(ids[:1], ids[len(ids)-maxReferences+1:]...)
	}
	return strings.Join(ids, "\r\n ")
}

// validID keeps foreign identifiers from becoming header fields or breaking the line limit (RFC 5322, 2.1.1).
func validID(id string) bool {
	return id != "" && len(id) <= 900 && ascii(id) && !strings.ContainsAny(id, "<> ")
}

// plainAddress is an address that every server can take: ASCII, so that the mail doesn't depend on SMTPUTF8 at each hop of its way.
func plainAddress(a letter.Address) (*mail.Address, error) {
	parsed, err := mail.ParseAddress("<" + a.Address + ">")
	if err != nil || !ascii(a.Address) {
		return nil, errors.New("alamat surel tidak sah")
	}
	parsed.Name = oneLine(a.Name, 200)
	return parsed, nil
}
