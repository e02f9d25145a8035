package agency

import (
	"regexp"
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
	address = strings.TrimSpace(address)
	at := strings.LastIndexByte(address, '@')
	// "a@evil.example@own.go.id" is no address that a sender can have; whoever writes it hopes for a careless comparison.
	if at <= 0 || domain == "" || strings.Count(address, "@") != 1 || strings.ContainsAny(address, " \t\r\n<>,;") {
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

// titles that stand before a name; those behind it follow a comma. They are kept when they are all there is.
var titles = map[string]bool{
	"dr": true, "drs": true, "dra": true, "drg": true, "drh": true, "ir": true, "prof": true, "h": true, "hj": true, "kh": true,
	"apt": true, "ns": true, "rr": true, "bapak": true, "ibu": true, "sdr": true, "sdri": true, "bpk": true, "a.n": true, "an": true,
	"pak": true, "bu": true, "saudara": true, "saudari": true, "capt": true, "letkol": true, "raden": true,
}

// muhammad is written in many ways at the beginning of a name.
var muhammad = map[string]bool{
	"muhammad": true, "mohammad": true, "muhamad": true, "mohamad": true, "mochammad": true, "mochamad": true, "muh": true, "moh": true, "moch": true,
}

// degree is an academic title behind a name that no comma separates: "Slamet Riyadi S.Pd., M.Si".
var degree = regexp.MustCompile(`\s(?:[SMADsmad]\.\s?[A-Za-z]{1,6}|A\.Md|Ph\.?D|M\.?B\.?A|Sp\.[A-Z])\b.*$`)

// FoldName is a name as compared: what stands before the first comma or degree, lower case, without titles and punctuation.
func FoldName(s string) string {
	s, _, _ = strings.Cut(s, ",")
	if at := degree.FindStringIndex(s); at != nil && strings.Contains(strings.TrimSpace(s[:at[0]]), " ") {
		s = s[:at[0]]
	}
	words := strings.FieldsFunc(strings.ToLower(s), func(r rune) bool { return unicode.IsSpace(r) || r == '.' || r == '-' })
	for i, w := range words {
		words[i] = strings.Map(func(r rune) rune {
			if unicode.IsLetter(r) || unicode.IsDigit(r) {
				return r
			}
			return -1
		}, w)
	}
	for len(words) > 1 && titles[words[0]] {
		words = words[1:]
	}
	if len(words) > 1 && muhammad[words[0]] {
		words[0] = "muhammad"
	}
	return strings.Join(strings.Fields(strings.Join(words, " ")), " ")
}

func fold(s string) string { return strings.Join(strings.Fields(strings.ToLower(s)), " ") }

// foldOffice drops the name of the local government behind an office's name ("Dinas Kesehatan Kabupaten Purbalingga"), punctuation, and
// the spellings in which letterheads differ: "&" for "dan", UPTD for UPT.
func foldOffice(s string) string {
	s = fold(strings.NewReplacer(",", " ", ".", " ", ";", " ", ":", " ", "(", " ", ")", " ", "&", " dan ", "/", " ").Replace(s))
	for _, tail := range []string{" kabupaten ", " kota ", " kab "} {
		if i := strings.Index(s, tail); i > 0 {
			s = s[:i]
		}
	}
	if rest, ok := strings.CutPrefix(s, "uptd "); ok {
		s = "upt " + rest
	}
	return s
}
