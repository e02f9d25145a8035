package mailflow

import (
	"bufio"
	"bytes"
	"mime"
	"net/textproto"
	"regexp"
	"strings"

	"pulih/internal/letter"
)

// Bounce says that a mail did not arrive. Anybody can write one: it counts only when Of is a genuine token (ReadToken) and Recipient is
// whom that outbox row went to.
type Bounce struct {
	Of        string // Message-ID of the mail, without angle brackets; empty where the report doesn't say
	Recipient string // the address that failed, as reported; empty where it doesn't say
	Permanent bool   // the address is dead; otherwise it may work later
	Delayed   bool   // nothing failed yet: the server is still trying
	Status    string // "5.1.1" (RFC 3463); empty if unknown
	Why       string // the server's words, one line, long numbers masked
}

// ReadBounce reads a delivery status report: RFC 3464, and the dialects of servers that write only for people (Exim, qmail, Postfix
// without a report, Exchange, Gmail). It is false for all else, also for reports that a mail did arrive.
func ReadBounce(m *letter.Mail) (Bounce, bool) {
	b, found, report := readReport(m)
	if report && !found {
		return Bounce{}, false // it was delivered, relayed or expanded
	}
	if !report {
		if b, found = readDialect(m); !found {
			return Bounce{}, false
		}
	}
	if b.Why == "" {
		b.explain(reportText(m)) // OpenSMTPD says why only to people
	}
	if b.Of == "" {
		b.Of = returnedID(m)
	}
	b.Why = maskNumbers(oneLine(b.Why, 300))
	return b, true
}

// explain finds the server's words about the recipient in the part for people.
func (b *Bounce) explain(text string) {
	at := 0
	if b.Recipient != "" {
		at = max(strings.Index(strings.ToLower(text), strings.ToLower(b.Recipient)), 0)
	}
	if at >= len(text) { // lower case may be longer
		at = 0
	}
	b.Why = reason(text[at:])
	if b.Status == "" || strings.HasSuffix(b.Status, ".0.0") {
		b.Status = or(statusCode.FindString(b.Why), b.Status)
	}
	b.Permanent = b.Permanent && permanent(b.Status, b.Why)
}

// readReport reads the machine's part of an RFC 3464 report. report says that there is one, found that a recipient failed or is delayed.
func readReport(m *letter.Mail) (b Bounce, found, report bool) {
	for _, p := range m.Parts {
		if p.MIME != "message/delivery-status" && p.MIME != "message/global-delivery-status" {
			continue
		}
		groups := fieldGroups(p.Data)
		for _, g := range groups {
			if g.Get("Action") == "" && g.Get("Final-Recipient") == "" && g.Get("Original-Recipient") == "" {
				continue
			}
			report = true
			if one, ok := readRecipient(g); ok && (!found || b.Delayed && !one.Delayed) {
				b, found = one, true
			}
		}
	}
	return b, found, report
}

// readRecipient reads one recipient's group of fields (RFC 3464, 2.3).
func readRecipient(g textproto.MIMEHeader) (Bounce, bool) {
	b := Bounce{
		Recipient: typedAddress(or(g.Get("Original-Recipient"), g.Get("Final-Recipient"))),
		Status:    statusCode.FindString(g.Get("Status")),
		Why:       afterType(g.Get("Diagnostic-Code")),
	}
	// Postfix and Exchange give the address before an alias as the original; some servers leave it "unknown".
	if !strings.Contains(b.Recipient, "@") {
		b.Recipient = typedAddress(g.Get("Final-Recipient"))
	}
	if b.Status == "" || strings.HasSuffix(b.Status, ".0.0") {
		b.Status = or(statusCode.FindString(b.Why), b.Status)
	}
	switch firstWord(g.Get("Action")) {
	case "failed":
		b.Permanent = permanent(b.Status, b.Why)
	case "delayed":
		b.Delayed = true
	case "delivered", "relayed", "expanded":
		return Bounce{}, false
	default: // no or an unknown word: the status tells
		if !strings.HasPrefix(b.Status, "5") && !strings.HasPrefix(b.Status, "4") {
			return Bounce{}, false
		}
		b.Permanent = permanent(b.Status, b.Why)
	}
	return b, true
}

var (
	statusCode = regexp.MustCompile(`\b[245]\.\d{1,3}\.\d{1,3}\b`)
	replyCode  = regexp.MustCompile(`\b([45])\d\d[ -]`)
	// Full mailboxes, greylisting and blocks come with 5.x.x too, but say nothing about the address.
	notForEver = regexp.MustCompile(`^5\.(2\.[23]|3\.[14]|4\.\d+|7\.\d+)$`)
	gaveUp     = regexp.MustCompile(`(?i)(retry time ?out|retry timeout exceeded|not yet been delivered|quota|mailbox (is )?full|penuh|greylist|graylist|try again later|` +
		`temporar|spam|blocked|blacklist|rate limit|relay|not permitted|authenticat)`)
)

// permanent tells an address that is dead from a mail that wasn't taken. What is unknown is not permanent.
func permanent(status, why string) bool {
	switch {
	case strings.HasPrefix(status, "4"), notForEver.MatchString(status), gaveUp.MatchString(why):
		return false
	case strings.HasPrefix(status, "5"):
		return true
	}
	code := replyCode.FindStringSubmatch(why)
	return code != nil && code[1] == "5"
}

var (
	daemon        = regexp.MustCompile(`(?i)^(mailer[-_.]?daemon|postmaster|mail[-_.]?daemon|mdaemon|microsoftexchange[0-9a-f]+|exchange)@`)
	bounceSubject = regexp.MustCompile(`(?i)(undeliver|undelivered mail|mail delivery (failed|failure|system)|delivery status notification|delivery (has )?failed|` +
		`delivery failure|failure notice|returned mail|nondeliverable|tidak terkirim|gagal (di)?kirim|pengiriman gagal|warning: (message|could not send)|delayed mail|` +
		`message delayed)`)
	delaySubject = regexp.MustCompile(`(?i)(delay|warning: (message|could not send)|not yet delivered|tertunda)`)
	bareAddress  = regexp.MustCompile(`[\w.!#$%&'*+/=?^{|}~-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+`)
	codeLine     = regexp.MustCompile(`\b([45]\d\d[ -]|[45]\.\d{1,3}\.\d{1,3}\b)`)
	reasonLine   = regexp.MustCompile(`(?i)(unknown user|no such user|user unknown|does ?n[o']t exist|not found|tidak ditemukan|` +
		`unrouteable|no mailbox here|couldn't find any host|quota|full|retry timeout|rejected|address couldn't be found)`)
)

// readDialect reads reports made for people. It wants two marks: a machine sent it, and it speaks of a mail that failed.
func readDialect(m *letter.Mail) (Bounce, bool) {
	failed := m.Get("X-Failed-Recipients") // Exim, Gmail
	subject := bounceSubject.MatchString(m.Subject)
	if failed == "" && !(subject && fromDaemon(m)) {
		return Bounce{}, false
	}
	text := reportText(m)
	b := Bounce{Recipient: bareAddress.FindString(failed), Delayed: delaySubject.MatchString(m.Subject)}
	if b.Recipient == "" {
		b.Recipient = failedAddress(m, text)
	}
	b.explain(text)
	b.Permanent = !b.Delayed && permanent(b.Status, b.Why)
	if !b.Permanent && !b.Delayed && b.Status == "" && replyCode.FindString(b.Why) == "" {
		b.Permanent = deadWords.MatchString(b.Why)
	}
	return b, true
}

var deadWords = regexp.MustCompile(`(?i)(unknown user|no such user|user unknown|does ?n[o']t exist|no mailbox here|unrouteable|couldn't be found|couldn't find any host)`)

func fromDaemon(m *letter.Mail) bool {
	if v := m.Values("Return-Path"); len(v) > 0 && strings.TrimSpace(v[0]) == "<>" {
		return true
	}
	for _, a := range m.From {
		if daemon.MatchString(a.Address) {
			return true
		}
	}
	return strings.EqualFold(m.Get("Content-Type"), "multipart/report")
}

const maxReportText = 64 << 10

// reportText is the report without the mail that it returns.
func reportText(m *letter.Mail) string {
	text := m.Text
	if strings.TrimSpace(text) == "" {
		text = m.Quoted + "\n" + m.Forwarded
	}
	if len(text) > maxReportText {
		text = strings.ToValidUTF8(text[:maxReportText], "")
	}
	return text
}

// failedAddress is the first address in the report that isn't the report's own.
func failedAddress(m *letter.Mail, text string) string {
	own := map[string]bool{}
	for _, list := range [][]letter.Address{m.From, m.To, m.Sender, m.ReplyTo} {
		for _, a := range list {
			own[strings.ToLower(a.Address)] = true
		}
	}
	for _, at := range bareAddress.FindAllStringIndex(text, 50) {
		address := strings.ToLower(text[at[0]:at[1]])
		if !own[address] && !daemon.MatchString(address) && !strings.HasPrefix(address, tokenMark+".") {
			return text[at[0]:at[1]]
		}
	}
	return ""
}

// reason is the first line with a code, or else the first that sounds like a reason.
func reason(text string) string {
	lines := strings.Split(text, "\n")
	lines = lines[:min(len(lines), 60)]
	for _, sounds := range []*regexp.Regexp{codeLine, reasonLine} {
		for _, line := range lines {
			if sounds.MatchString(line) {
				return strings.TrimSpace(line)
			}
		}
	}
	return ""
}

// returnedID finds the Message-ID of the mail that the report returns: as a message, as its header fields, or within the text.
func returnedID(m *letter.Mail) string {
	for _, p := range m.Parts {
		switch {
		case p.Mail != nil && p.Mail.MessageID != "":
			return p.Mail.MessageID
		case p.MIME == "text/rfc822-headers" || p.MIME == "message/rfc822-headers" || p.MIME == "message/rfc822" || p.MIME == "message/global-headers":
			if id := idIn(string(clip(p.Data))); id != "" {
				return id
			}
		}
	}
	for _, text := range []string{m.Text, m.Quoted, m.Forwarded} {
		if id := idIn(text[:min(len(text), maxReportText)]); id != "" {
			return id
		}
	}
	for _, id := range append(append([]string(nil), m.InReplyTo...), m.References...) {
		return id // Gmail and Exchange thread their reports
	}
	return ""
}

var idField = regexp.MustCompile(`(?im)^[> \t]*Message-ID:\s*<([^<>\s]+)>`)

func idIn(text string) string {
	if id := idField.FindStringSubmatch(text); id != nil && len(id[1]) <= 900 {
		return id[1]
	}
	return ""
}

func clip(b []byte) []byte { return b[:min(len(b), maxReportText)] }

const maxGroups = 200

// fieldGroups reads blocks of header fields, forgivingly: a broken line is left out.
func fieldGroups(data []byte) []textproto.MIMEHeader {
	var groups []textproto.MIMEHeader
	current := textproto.MIMEHeader{}
	last := ""
	lines := bufio.NewScanner(bytes.NewReader(clip(data)))
	lines.Buffer(make([]byte, 0, 4096), maxReportText+1)
	for lines.Scan() && len(groups) < maxGroups {
		line := strings.TrimRight(lines.Text(), "\r")
		switch {
		case strings.TrimSpace(line) == "":
			if len(current) > 0 {
				groups, current, last = append(groups, current), textproto.MIMEHeader{}, ""
			}
		case (line[0] == ' ' || line[0] == '\t') && last != "":
			values := current[last]
			values[len(values)-1] += " " + strings.TrimSpace(line)
		default:
			key, value, ok := strings.Cut(line, ":")
			if !ok {
				last = ""
				continue
			}
			last = textproto.CanonicalMIMEHeaderKey(strings.TrimSpace(key))
			current[last] = append(current[last], strings.TrimSpace(value))
		}
	}
	if len(current) > 0 {
		groups = append(groups, current)
	}
	return groups
}

// typedAddress reads "rfc822; name@host" (RFC 3464, 2.1.2), also "<name@host>" and RFC 2047 or xtext remains.
func typedAddress(s string) string {
	s = afterType(s)
	if decoded, err := new(mime.WordDecoder).DecodeHeader(s); err == nil {
		s = decoded
	}
	s = strings.Trim(s, " <>\"")
	if found := bareAddress.FindString(s); found != "" {
		return found
	}
	return oneLine(s, 254)
}

func afterType(s string) string {
	if kind, rest, ok := strings.Cut(s, ";"); ok && !strings.ContainsAny(strings.TrimSpace(kind), " @<") {
		return strings.TrimSpace(rest)
	}
	return strings.TrimSpace(s)
}
