package corpus

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"mime"
	"strings"
)

// Mail is an invented message.
type Mail struct {
	From, To, Subject string
	Header            []string // further fields, "Key: value"
	Text, HTML        string
	Files             []File
	Nested            [][]byte // message/rfc822
}

// Bytes renders the message.
func (m Mail) Bytes() []byte {
	var b bytes.Buffer
	to := m.To
	if to == "" {
		to = "tte@dinkominfo.purbalinggakab.go.id"
	}
	from := m.From
	if from == "" {
		from = "Kantor Contoh <kantor@dinpendik.purbalinggakab.go.id>"
	}
	fmt.Fprintf(&b, "From: %s\r\nTo: %s\r\nSubject: %s\r\nDate: Fri, 20 Nov 2026 08:15:00 +0700\r\nMessage-ID: <%x@contoh.purbalinggakab.go.id>\r\nMIME-Version: 1.0\r\n",
		from, to, mime.QEncoding.Encode("utf-8", m.Subject), len(m.Text)*7919+len(m.Subject)*31+len(m.HTML))
	for _, h := range m.Header {
		b.WriteString(h + "\r\n")
	}
	if len(m.Files)+len(m.Nested) == 0 {
		m.body(&b)
		return b.Bytes()
	}
	b.WriteString("Content-Type: multipart/mixed; boundary=\"batas-luar\"\r\n\r\n--batas-luar\r\n")
	m.body(&b)
	for _, n := range m.Nested {
		b.WriteString("\r\n--batas-luar\r\nContent-Type: message/rfc822\r\n\r\n")
		b.Write(n)
	}
	for _, f := range m.Files {
		fmt.Fprintf(&b, "\r\n--batas-luar\r\nContent-Type: %s; name=\"%s\"\r\nContent-Disposition: attachment; filename=\"%s\"\r\nContent-Transfer-Encoding: base64\r\n\r\n", mediaType(f.Name), f.Name, f.Name)
		lines(&b, f.Data)
	}
	b.WriteString("\r\n--batas-luar--\r\n")
	return b.Bytes()
}

func (m Mail) body(b *bytes.Buffer) {
	part := func(kind, text string) {
		fmt.Fprintf(b, "Content-Type: text/%s; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n", kind)
		lines(b, []byte(text))
	}
	switch {
	case m.HTML != "" && m.Text != "":
		b.WriteString("Content-Type: multipart/alternative; boundary=\"batas-dalam\"\r\n\r\n--batas-dalam\r\n")
		part("plain", m.Text)
		b.WriteString("\r\n--batas-dalam\r\n")
		part("html", m.HTML)
		b.WriteString("\r\n--batas-dalam--\r\n")
	case m.HTML != "":
		part("html", m.HTML)
	default:
		part("plain", m.Text)
	}
}

func lines(b *bytes.Buffer, data []byte) {
	s := base64.StdEncoding.EncodeToString(data)
	for len(s) > 76 {
		b.WriteString(s[:76] + "\r\n")
		s = s[76:]
	}
	b.WriteString(s + "\r\n")
}

func mediaType(name string) string {
	switch name[strings.LastIndexByte(name, '.')+1:] {
	case "pdf":
		return "application/pdf"
	case "docx":
		return "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
	case "jpg":
		return "image/jpeg"
	case "png":
		return "image/png"
	case "zip":
		return "application/zip"
	}
	return "application/octet-stream"
}
