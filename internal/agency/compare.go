package agency

import (
	"strings"
	"unicode"
)

// Digits keeps the ASCII digits of s: NIP and NIK are written with and without blanks.
func Digits(s string) string {
	var b strings.Builder
	for _, r := range s {
		if r >= '0' && r <= '9' {
			b.WriteRune(r)
		}
	}
	return b.String()
}

// InDomain reports whether the address lies in the domain or a subdomain of it. The comparison is on label boundaries:
// "evilpurbalinggakab.go.id" is not in "purbalinggakab.go.id" (service.md, "Mail").
func InDomain(address, domain string) bool {
	at := strings.LastIndexByte(address, '@')
	if at < 0 || domain == "" {
		return false
	}
	host := strings.ToLower(strings.TrimSuffix(address[at+1:], "."))
	domain = strings.ToLower(strings.TrimPrefix(domain, "."))
	return host == domain || strings.HasSuffix(host, "."+domain)
}

// SameAddress compares two e-mail addresses without case; empty ones are never the same.
func SameAddress(a, b string) bool {
	a, b = strings.TrimSpace(a), strings.TrimSpace(b)
	return a != "" && strings.EqualFold(a, b)
}

// SameNumber compares letter numbers with blanks collapsed and case folded; the raw text is what is kept (service.md, "Letter numbers").
// An empty number equals nothing.
func SameNumber(a, b string) bool {
	fa, fb := FoldNumber(a), FoldNumber(b)
	return fa != "" && fa == fb
}

// FoldNumber is the form in which letter numbers are compared and indexed.
func FoldNumber(s string) string {
	return strings.Join(strings.Fields(strings.ReplaceAll(strings.ToLower(s), "/", " / ")), "")
}

// SameName compares names of persons without titles, case, punctuation and blanks. Empty names equal nothing.
func SameName(a, b string) bool {
	fa, fb := FoldName(a), FoldName(b)
	return fa != "" && fa == fb
}

// titles that stand before a name; those behind it follow a comma. "M." and "H." are kept out when they are all there is.
var titles = map[string]bool{
	"dr": true, "drs": true, "dra": true, "drg": true, "drh": true, "ir": true, "prof": true, "h": true, "hj": true, "kh": true,
	"apt": true, "ns": true, "rr": true, "bapak": true, "ibu": true, "sdr": true, "sdri": true, "bpk": true, "a.n": true, "an": true,
}

// FoldName is a name as compared: what stands before the first comma, lower case, without titles and punctuation.
func FoldName(s string) string {
	s, _, _ = strings.Cut(s, ",")
	words := strings.FieldsFunc(strings.ToLower(s), func(r rune) bool { return unicode.IsSpace(r) || r == '.' })
	for len(words) > 1 && titles[words[0]] {
		words = words[1:]
	}
	for i, w := range words {
		words[i] = strings.Map(func(r rune) rune {
			if unicode.IsLetter(r) || unicode.IsDigit(r) {
				return r
			}
			return -1
		}, w)
	}
	return strings.Join(strings.Fields(strings.Join(words, " ")), " ")
}

func fold(s string) string { return strings.Join(strings.Fields(strings.ToLower(s)), " ") }

// foldOffice drops the name of the local government behind an office's name: "Dinas Kesehatan Kabupaten Purbalingga".
func foldOffice(s string) string {
	s = fold(strings.Trim(s, " .,;:"))
	for _, tail := range []string{" kabupaten ", " kota ", " kab. ", " kab "} {
		if i := strings.Index(s, tail); i > 0 {
			s = s[:i]
		}
	}
	return s
}
