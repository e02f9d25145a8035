package letter

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/mail"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/emersion/go-message"
	"github.com/emersion/go-message/charset"
	"golang.org/x/text/encoding/charmap"
)

// Bounds of ParseMail. What lies beyond them is left out and said in Mail.Problems.
const (
	maxMailBytes  = 64 << 20 // of the raw message
	maxMailHeader = 512 << 10
	maxMailDepth  = 12  // nested multiparts and messages
	maxMailParts  = 300 // leaves of the whole tree
	maxMailText   = 2 << 20
)

// Mail is a message as a careful clerk unfolds it: who, when, the text that is new, and everything that was attached.
type Mail struct {
	header message.Header

	MessageID  string   // without angle brackets; empty where there is no usable one
	InReplyTo  []string // without angle brackets
	References []string
	Date       time.Time // zero where unreadable; in the zone the sender wrote
	From       []Address
	Sender     []Address
	ReplyTo    []Address
	To, Cc     []Address
	Subject    string

	Text      string // what the sender wrote now; cells of a table row are separated by tabs
	Quoted    string // older mail quoted below or between
	Forwarded string // a mail passed on within the text ("---------- Pesan terusan ---------")
	Sign      string // what stands below "-- "

	Parts    []Part
	Problems []string // in Indonesian, for a human
	// Alternative is the text of the other body where a mail has both plain text and HTML: they should say the same.
	Alternative string
}

// Part is an attachment, an inline image, a nested message or a report part.
type Part struct {
	Name      string // as the sender wrote it; never used as a path
	MIME      string // declared media type, lower case, without parameters
	Data      []byte // decoded
	Inline    bool   // shown within the body
	ContentID string
	Mail      *Mail // the message within message/rfc822; nil otherwise
}

// Address is one mailbox.
type Address struct{ Name, Address string }

// Get returns the raw value of the first such header field, unfolded; empty if there is none.
func (m *Mail) Get(key string) string { return m.header.Get(key) }

// Values returns the raw values of all such header fields, topmost first.
func (m *Mail) Values(key string) []string { return m.header.Values(key) }

// ParseMail reads a raw message, however degraded it is: the result is never nil unless raw is empty or too large, and what could not
// be read is named in Problems. It does no I/O, takes time linear in the message, and keeps to fixed bounds on depth, parts and bytes.
func ParseMail(raw []byte) (*Mail, error) {
	if len(bytes.TrimSpace(raw)) == 0 {
		return nil, errors.New("parsing mail: the message is empty")
	}
	if len(raw) > maxMailBytes {
		return nil, fmt.Errorf("parsing mail: %d bytes, more than %d", len(raw), maxMailBytes)
	}
	left := maxMailParts
	return parseMail(raw, 0, &left), nil
}

// parseMail reads one message; parts is how many leaves the whole tree may still have.
func parseMail(raw []byte, depth int, parts *int) *Mail {
	m := &Mail{}
	header, body := m.splitHeader(raw)
	m.header = header
	m.readHeader()
	b := bodies{}
	m.walk(header, body, depth, parts, &b)
	m.setText(b)
	return m
}

// bodies are the candidates for a mail's text, in order of appearance.
type bodies struct{ plain, html []string }

// walk reads one entity. RFC 2045, 2046; the multipart splitter is our own since go-message gives up a whole multipart for one malformed
// header line in it.
func (m *Mail) walk(h message.Header, body []byte, depth int, parts *int, b *bodies) {
	kind, params := contentType(h)
	if depth > maxMailDepth {
		m.problem("bagian surel bersarang terlalu dalam; sisanya tidak dibaca")
		return
	}
	if strings.HasPrefix(kind, "multipart/") {
		pieces := splitMultipart(body, params["boundary"])
		if len(pieces) > 0 {
			for _, piece := range pieces {
				if *parts <= 0 {
					m.problem("terlalu banyak bagian dalam surel; sisanya tidak dibaca")
					return
				}
				ph, pb := m.splitHeader(piece)
				if kind == "multipart/digest" && ph.Get("Content-Type") == "" {
					ph.Set("Content-Type", "message/rfc822")
				}
				m.walk(ph, pb, depth+1, parts, b)
			}
			return
		}
		m.problem("surel majemuk (multipart) tanpa batas bagian yang sah; dibaca sebagai teks biasa")
		kind = "text/plain"
		h.Set("Content-Type", kind)
	}
	*parts--
	m.leaf(h, kind, params, body, depth, parts, b)
}

// leaf decodes one part and files it as text or as an attachment.
func (m *Mail) leaf(h message.Header, kind string, params map[string]string, body []byte, depth int, parts *int, b *bodies) {
	disposition, dispParams := disposition(h)
	name := fileName(params, dispParams)
	data := m.decode(h, kind, body)
	attached := disposition == "attachment" || name != ""
	switch {
	case kind == "text/plain" && !attached, kind == "" && !attached:
		b.plain = append(b.plain, m.unflow(clip(data), params))
	case kind == "text/html" && !attached:
		b.html = append(b.html, clip(data))
	default:
		p := Part{Name: name, MIME: kind, Data: data, Inline: disposition == "inline" || h.Get("Content-Id") != "",
			ContentID: strings.Trim(strings.TrimSpace(h.Get("Content-Id")), "<>")}
		if disposition == "attachment" {
			p.Inline = false
		}
		if kind == "message/rfc822" || kind == "message/global" {
			if depth >= maxMailDepth {
				m.problem("surel di dalam surel bersarang terlalu dalam; tidak dibaca")
			} else if len(bytes.TrimSpace(data)) > 0 {
				p.Mail = parseMail(data, depth+1, parts)
			}
		}
		if kind == "application/ms-tnef" || strings.EqualFold(name, "winmail.dat") {
			m.problem("lampiran winmail.dat (format Outlook) disimpan tetapi tidak dapat dibaca")
		}
		m.Parts = append(m.Parts, p)
	}
}

func clip(data []byte) string {
	if len(data) > maxMailText {
		data = data[:maxMailText]
	}
	return string(data)
}

// decode undoes the transfer encoding and the charset. A broken or unknown one leaves what could be read, and a problem.
func (m *Mail) decode(h message.Header, kind string, body []byte) []byte {
	enc := strings.ToLower(strings.TrimSpace(h.Get("Content-Transfer-Encoding")))
	if i := strings.IndexAny(enc, " ;("); i >= 0 {
		enc = enc[:i]
	}
	if enc == "base64" && kind != "" && !strings.HasPrefix(kind, "text/") {
		// What is well formed is decoded in one go: most of a mail's bytes are in its attachments.
		trimmed := bytes.TrimSpace(body)
		data := make([]byte, base64.StdEncoding.DecodedLen(len(trimmed)))
		if n, err := base64.StdEncoding.Decode(data, trimmed); err == nil {
			return data[:n]
		}
	}
	h = h.Copy()
	switch enc {
	case "", "7bit", "8bit", "binary", "base64", "quoted-printable":
		h.Set("Content-Transfer-Encoding", enc)
	default:
		m.problem("pengodean bagian surel tidak dikenal; dibaca apa adanya")
		h.Del("Content-Transfer-Encoding")
	}
	if kind == "message/rfc822" && enc != "base64" && enc != "quoted-printable" {
		return body
	}
	e, err := message.New(h, bytes.NewReader(body))
	if e == nil || message.IsUnknownEncoding(err) {
		return m.text(kind, body)
	}
	data, rerr := io.ReadAll(io.LimitReader(e.Body, maxMailBytes))
	if rerr != nil {
		m.problem("sebagian isi surel rusak; yang terbaca dipakai")
		if enc == "base64" {
			if d := looseBase64(body); len(d) > len(data) {
				data = d
			}
		} else if len(data) == 0 {
			data = body
		}
	}
	if message.IsUnknownCharset(err) {
		m.problem("set karakter surel tidak dikenal; huruf tertentu mungkin salah")
	}
	return m.text(kind, data)
}

// text makes sure that text is UTF-8: bytes that aren't are read as windows-1252, which every byte has a meaning in.
func (m *Mail) text(kind string, data []byte) []byte {
	if (kind != "" && !strings.HasPrefix(kind, "text/")) || utf8.Valid(data) {
		return data
	}
	out, err := charmap.Windows1252.NewDecoder().Bytes(data)
	if err != nil {
		return bytes.ToValidUTF8(data, []byte("?"))
	}
	return out
}

// unflow joins the soft line breaks of format=flowed (RFC 3676 section 4.1).
func (m *Mail) unflow(text string, params map[string]string) string {
	text = strings.ReplaceAll(text, "\r\n", "\n")
	text = strings.ReplaceAll(text, "\r", "\n")
	if !strings.EqualFold(params["format"], "flowed") {
		return text
	}
	var b strings.Builder
	lines := strings.Split(text, "\n")
	for i, l := range lines {
		soft := strings.HasSuffix(l, " ") && l != "-- " && i+1 < len(lines) &&
			strings.HasPrefix(l, ">") == strings.HasPrefix(lines[i+1], ">")
		if strings.EqualFold(params["delsp"], "yes") && soft {
			l = l[:len(l)-1]
		}
		if i > 0 && b.Len() > 0 {
			l = strings.TrimPrefix(l, " ") // space-stuffing, section 4.4
		}
		b.WriteString(l)
		if !soft {
			b.WriteByte('\n')
		}
	}
	return b.String()
}

func (m *Mail) problem(s string) {
	for _, p := range m.Problems {
		if p == s {
			return
		}
	}
	if len(m.Problems) < 20 {
		m.Problems = append(m.Problems, s)
	}
}

// splitHeader reads a header block leniently: lines that are no field are skipped with a problem, a missing blank line before the body is
// tolerated, and bytes that are not UTF-8 stay for the decoders.
func (m *Mail) splitHeader(raw []byte) (message.Header, []byte) {
	type field struct{ key, value string }
	var fields []field
	var h message.Header
	rest := raw
	for first := true; len(rest) > 0 && len(raw)-len(rest) < maxMailHeader; first = false {
		line, next := cutLine(rest)
		if len(bytes.TrimRight(line, " \t")) == 0 {
			rest = next
			break
		}
		if first && bytes.HasPrefix(line, []byte("From ")) { // mbox
			rest = next
			continue
		}
		if line[0] == ' ' || line[0] == '\t' {
			if n := len(fields); n > 0 {
				fields[n-1].value += " " + strings.TrimSpace(string(line))
			}
			rest = next
			continue
		}
		key, value, ok := fieldLine(line)
		if !ok {
			if len(fields) == 0 || bytes.HasPrefix(line, []byte("--")) {
				break // no header at all: all of it is body
			}
			m.problem("baris kepala surel tidak sah dilewati")
			rest = next
			continue
		}
		fields = append(fields, field{key, value})
		rest = next
	}
	for i := len(fields) - 1; i >= 0; i-- { // Add puts a field on top
		h.Add(fields[i].key, fields[i].value)
	}
	return h, rest
}

func cutLine(b []byte) (line, rest []byte) {
	i := bytes.IndexByte(b, '\n')
	if i < 0 {
		return bytes.TrimRight(b, "\r"), nil
	}
	return bytes.TrimRight(b[:i], "\r"), b[i+1:]
}

func fieldLine(line []byte) (key, value string, ok bool) {
	i := bytes.IndexByte(line, ':')
	if i <= 0 || i > 100 {
		return "", "", false
	}
	key = strings.TrimRight(string(line[:i]), " \t")
	for _, c := range []byte(key) {
		if c <= ' ' || c >= 127 {
			return "", "", false
		}
	}
	return key, strings.TrimSpace(string(line[i+1:])), key != ""
}

// splitMultipart cuts a body at its boundary lines (RFC 2046 section 5.1.1). A missing closing boundary ends with the body.
func splitMultipart(body []byte, boundary string) [][]byte {
	if boundary == "" {
		return nil
	}
	mark := []byte("--" + boundary)
	var pieces [][]byte
	start := -1
	for at := 0; at < len(body) && len(pieces) <= maxMailParts; {
		end := bytes.IndexByte(body[at:], '\n')
		next := at + end + 1
		if end < 0 {
			next = len(body)
		}
		line := bytes.TrimRight(body[at:next], " \t\r\n")
		if bytes.HasPrefix(line, mark) {
			tail := line[len(mark):]
			closing := bytes.Equal(tail, []byte("--"))
			if len(tail) == 0 || closing {
				if start >= 0 {
					pieces = append(pieces, trimBreak(body[start:at]))
				}
				start = next
				if closing {
					start = -1
					break
				}
			}
		}
		at = next
	}
	if start >= 0 && start < len(body) {
		pieces = append(pieces, body[start:])
	}
	return pieces
}

func trimBreak(b []byte) []byte {
	b = bytes.TrimSuffix(b, []byte("\n"))
	return bytes.TrimSuffix(b, []byte("\r"))
}

// contentType reads the media type leniently; "" counts as text/plain (RFC 2045 section 5.2).
func contentType(h message.Header) (string, map[string]string) {
	raw := h.Get("Content-Type")
	kind, params, err := mime.ParseMediaType(raw)
	if err != nil || kind == "" {
		kind, _, _ = strings.Cut(strings.ToLower(raw), ";")
		kind = strings.TrimSpace(kind)
		if params == nil {
			params = looseParams(raw)
		}
	}
	if raw == "" || !strings.Contains(kind, "/") {
		return "text/plain", params
	}
	return strings.ToLower(kind), params
}

func disposition(h message.Header) (string, map[string]string) {
	raw := h.Get("Content-Disposition")
	kind, params, err := mime.ParseMediaType(raw)
	if err != nil {
		kind, _, _ = strings.Cut(strings.ToLower(raw), ";")
		params = looseParams(raw)
	}
	return strings.ToLower(strings.TrimSpace(kind)), params
}

var looseParam = compile(`(?i);\s*([a-z0-9*-]+)\s*=\s*("[^"]*"?|[^;\s]+)`)

func looseParams(raw string) map[string]string {
	params := map[string]string{}
	for _, m := range looseParam.FindAllStringSubmatch(raw, 20) {
		params[strings.ToLower(m[1])] = strings.Trim(m[2], `"`)
	}
	return params
}

// fileName is RFC 2183's filename or the older name parameter, RFC 2231 and RFC 2047 decoded, without any path before it.
func fileName(typeParams, dispParams map[string]string) string {
	name := dispParams["filename"]
	if name == "" {
		name = typeParams["name"]
	}
	name = decodeWords(name)
	if i := strings.LastIndexAny(name, `/\`); i >= 0 {
		name = name[i+1:]
	}
	name = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == utf8.RuneError || (r >= 0x202a && r <= 0x202e) || (r >= 0x2066 && r <= 0x2069) {
			return -1 // control characters and bidi overrides: "gpj.exe" must not show as "exe.jpg"
		}
		return r
	}, name)
	if len([]rune(name)) > 200 {
		name = string([]rune(name)[:200])
	}
	return strings.TrimSpace(name)
}

var words = mime.WordDecoder{CharsetReader: charset.Reader}

// decodeWords decodes RFC 2047 encoded words; what isn't decodable stays, and bytes that are not UTF-8 are read as windows-1252.
func decodeWords(s string) string {
	if !utf8.ValidString(s) {
		if t, err := charmap.Windows1252.NewDecoder().String(s); err == nil {
			s = t
		}
	}
	if !strings.Contains(s, "=?") {
		return s
	}
	if out, err := words.DecodeHeader(s); err == nil {
		return out
	}
	// One bad word must not hide the good ones.
	fields := strings.Fields(s)
	for i, f := range fields {
		if out, err := words.Decode(f); err == nil {
			fields[i] = out
		}
	}
	return strings.Join(fields, " ")
}

func looseBase64(b []byte) []byte {
	clean := make([]byte, 0, len(b))
	for _, c := range b {
		if c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '+' || c == '/' {
			clean = append(clean, c)
		}
	}
	out := make([]byte, base64.RawStdEncoding.DecodedLen(len(clean)))
	n, _ := base64.RawStdEncoding.Decode(out, clean[:len(clean)/4*4])
	return out[:n]
}

// readHeader fills the parsed fields.
func (m *Mail) readHeader() {
	m.Subject = strings.Join(strings.Fields(decodeWords(m.Get("Subject"))), " ")
	if ids := messageIDs(m.Get("Message-Id")); len(ids) > 0 {
		m.MessageID = ids[0]
	}
	m.InReplyTo = messageIDs(m.Get("In-Reply-To"))
	m.References = messageIDs(strings.Join(m.Values("References"), " "))
	m.From = addresses(m.Values("From"))
	m.Sender = addresses(m.Values("Sender"))
	m.ReplyTo = addresses(m.Values("Reply-To"))
	m.To = addresses(m.Values("To"))
	m.Cc = addresses(m.Values("Cc"))
	if d := m.Get("Date"); d != "" {
		t, err := mail.ParseDate(d)
		if err != nil {
			m.problem("tanggal pada kepala surel tidak terbaca")
		} else {
			m.Date = t
		}
	}
	if len(m.Values("From")) > 1 {
		m.problem("surel memiliki lebih dari satu kepala From")
	}
}

var messageID = compile(`<([^<>\s]+)>`)

// messageIDs finds the identifiers between angle brackets (RFC 5322 section 3.6.4); anything else in the field is ignored.
func messageIDs(s string) []string {
	var out []string
	for _, m := range messageID.FindAllStringSubmatch(s, 200) {
		if len(m[1]) <= 990 { // a line's length (RFC 5322 section 2.1.1)
			out = append(out, m[1])
		}
	}
	return out
}

var anyAddress = compile(`[A-Za-z0-9.!#$%&'*+/=?^_{|}~-]+@[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?`)

// addresses reads an address field, or at least the addresses that can be seen in it.
func addresses(values []string) []Address {
	var out []Address
	parser := mail.AddressParser{WordDecoder: &words}
	for _, v := range values {
		if len(v) > 64<<10 {
			v = v[:64<<10]
		}
		if list, err := parser.ParseList(v); err == nil {
			for _, a := range list {
				out = append(out, Address{Name: a.Name, Address: a.Address})
			}
			continue
		}
		v = decodeWords(v)
		prev := 0
		for _, at := range anyAddress.FindAllStringIndex(v, 200) {
			name := strings.Trim(v[prev:at[0]], " \t,;<>\"'")
			out = append(out, Address{Name: name, Address: v[at[0]:at[1]]})
			prev = at[1]
		}
	}
	return out
}
