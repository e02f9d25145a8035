package mailflow

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"regexp"
	"strings"

	"pulih/internal/letter"
)

// Token is what our Message-ID says about a mail of ours: which outbox row it is, and of which request.
type Token struct {
	Agency  string
	Request string // "PBG-2026-000123"; empty for mails of no request, like digests
	Outbox  string // the outbox row's ID
}

// Verdict says whether a Message-ID is ours.
type Verdict string

// The verdicts. Forged looks like ours and isn't signed by us: it is refused and flagged.
const (
	Foreign Verdict = "foreign"
	Genuine Verdict = "genuine"
	Forged  Verdict = "forged"
)

const (
	tokenMark = "pulih"
	noRequest = "0"
	macBytes  = 10 // 80 bits, tried only by mail
)

var unpadded = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// NewMessageID makes the Message-ID of an outbox row, without angle brackets: always the same for the same row. agency and outbox are of
// letters, digits and hyphens; domain is the agency's mail domain.
func NewMessageID(key []byte, domain, agency, request, outbox string) string {
	t := Token{Agency: agency, Request: request, Outbox: outbox}
	return strings.Join([]string{tokenMark, agency, or(request, noRequest), outbox, t.mac(key)}, ".") + "@" + domain
}

// ReadToken reads one of our Message-IDs, as it came back in References or In-Reply-To or within a bounce. The domain is not looked at:
// gateways rewrite it. Case is not, either.
func ReadToken(key []byte, messageID string) (Token, Verdict) {
	local, _, _ := strings.Cut(strings.Trim(messageID, " <>"), "@")
	parts := strings.Split(local, ".")
	if len(parts) != 5 || !strings.EqualFold(parts[0], tokenMark) {
		return Token{}, Foreign
	}
	t := Token{Agency: strings.ToLower(parts[1]), Request: strings.ToUpper(parts[2]), Outbox: strings.ToLower(parts[3])}
	if t.Request == noRequest {
		t.Request = ""
	}
	if !hmac.Equal([]byte(strings.ToLower(parts[4])), []byte(t.mac(key))) {
		return Token{}, Forged
	}
	return t, Genuine
}

func (t Token) mac(key []byte) string {
	h := hmac.New(sha256.New, key)
	h.Write([]byte("message-id\x00" + strings.ToLower(t.Agency) + "\x00" + strings.ToUpper(t.Request) + "\x00" + strings.ToLower(t.Outbox)))
	return unpadded.EncodeToString(h.Sum(nil)[:macBytes])
}

// Thread says which request a mail belongs to, and how sure that is.
type Thread struct {
	Token   Token
	Verdict Verdict // Genuine: the sender has seen a mail of ours of that request
	Forged  bool    // an identifier looks like ours and isn't, whatever else was found
	// Number is the request number in the subject, empty if there is none or more than one. It proves nothing by itself: it counts only
	// when the sender belongs to that request (never by subject alone).
	Number string
}

const maxThreadIDs = 200

// ReadThread finds our token among the identifiers that the mail answers, the nearest first.
func ReadThread(key []byte, m *letter.Mail) Thread {
	t := Thread{Verdict: Foreign, Number: CaseNumber(m.Subject)}
	ids := append([]string(nil), m.InReplyTo...)
	for i := len(m.References) - 1; i >= 0; i-- {
		ids = append(ids, m.References[i])
	}
	for i, id := range ids {
		if i == maxThreadIDs {
			break
		}
		token, verdict := ReadToken(key, id)
		switch {
		case verdict == Forged:
			t.Forged = true
		case verdict == Genuine && t.Verdict != Genuine:
			t.Token, t.Verdict = token, Genuine
		}
	}
	if t.Verdict != Genuine && t.Forged {
		t.Verdict = Forged
	}
	return t
}

var caseNumber = regexp.MustCompile(`(?i)(?:^|[^\pL\pN-])([A-Z]{2,6}-(?:P-)?20[0-9]{2}-[0-9]{6})(?:$|[^\pL\pN-])`)

// CaseNumber is the number of a request or a complaint in a subject ("Re: [PBG-2026-000123] ...", "[PBG-P-2026-000012]"), upper case; empty if there is none, or if there are
// different ones.
func CaseNumber(subject string) string {
	if len(subject) > 2000 {
		subject = subject[:2000]
	}
	found := ""
	for {
		at := caseNumber.FindStringSubmatchIndex(subject)
		if at == nil {
			return found
		}
		number := strings.ToUpper(subject[at[2]:at[3]])
		if found != "" && number != found {
			return ""
		}
		found = number
		subject = subject[at[3]:]
	}
}
