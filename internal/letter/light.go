package letter

import "strings"

// Light reports whether a mail can be read without a child process: no attachment within it needs one.
func (m *Mail) Light() bool {
	for _, p := range m.Parts {
		if p.Mail != nil {
			if !p.Mail.Light() {
				return false
			}
			continue
		}
		switch kind := sniff(File{Name: p.Name, MIME: p.MIME, Data: p.Data}); {
		case kind == "application/pdf", kind == mimeDOCX, kind == mimeODT, kind == mimeXLSX, kind == "application/zip",
			kind == "message/rfc822", strings.HasPrefix(kind, "image/"):
			return false
		}
	}
	return true
}
