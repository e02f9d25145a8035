package letter

import (
	"fmt"
	"strings"
	"time"
)

var (
	// nipRun is 18 digits with single or double blanks, dots or dashes between groups. What follows must not be a digit.
	nipRun   = compile(`\d(?:[ .\-]{0,3}\d){17}`)
	nikRun   = compile(`\d(?:[ .\-]{0,2}\d){15}`)
	emailRun = compile(`[A-Za-z0-9][A-Za-z0-9._%+\-]*\s?(?:@|\[at\]|\(at\))\s?[A-Za-z0-9][A-Za-z0-9\-]*(?:\.[A-Za-z0-9\-]+)+`)
	phoneRun = compile(`(?:\(?\+?62\)?[ \-]?|\(?0)[\d][\d \-.()]{6,18}\d`)
	onlyNIP  = compile(`(?i)^\s*(?:[(*_]\s*)?n\s?\.?\s?i\s?\.?\s?p\s?\.?(?:\s?[.,]|\s*[:;=])*\s*(\d[\d .\-]*|[\dlIO][\dOoDQlI|SBZ .\-]{11,})\)?[*_]?\s*$`)
)

func digitsOf(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, s)
}

// findNIP returns the first run of 18 digits, blanks allowed, that isn't part of a longer one.
func findNIP(s string) (string, bool) { return findRun(nipRun, s, 18) }

// findNIK returns the first run of 16 digits.
func findNIK(s string) (string, bool) { return findRun(nikRun, s, 16) }

func findRun(re *pattern, s string, n int) (string, bool) {
	for _, at := range re.FindAllStringIndex(s, 50) {
		if at[0] > 0 && s[at[0]-1] >= '0' && s[at[0]-1] <= '9' {
			continue
		}
		rest := strings.TrimLeft(s[at[1]:], " ")
		if len(rest) > 0 && rest[0] >= '0' && rest[0] <= '9' && (len(rest) == len(s[at[1]:]) || n == 16) {
			continue // a longer number
		}
		if d := digitsOf(s[at[0]:at[1]]); len(d) == n {
			return d, true
		}
	}
	return "", false
}

// findEmail returns the first address, as written without blanks around the sign.
func findEmail(s string) (string, bool) {
	m := emailRun.FindString(s)
	if m == "" {
		return "", false
	}
	m = strings.NewReplacer("[at]", "@", "(at)", "@", " ", "").Replace(m)
	if end := runOn.FindStringSubmatchIndex(m); end != nil {
		m = m[:end[2]]
	}
	return strings.TrimRight(m, ".-"), true
}

// runOn is what follows a country without a blank: the telephone below in the same cell, or the word of another column.
var runOn = compile(`\.id([0-9A-Z][0-9A-Za-z-]*)$`)

// setIdentity reads a cell that holds a person: a name, and in any order below or behind it NIP, NIK, rank and position, with or without labels.
func (p *person) setIdentity(text string, line int) {
	rest := text
	cut := func(f field, at []int) {
		if at != nil {
			p.set(f, spaced(rest[at[0]:at[1]]), line)
			rest = rest[:at[0]] + "\n" + rest[at[1]:]
		}
	}
	if _, ok := findNIP(spaced(rest)); ok {
		cut(fieldNIP, nipRun.FindStringIndex(spaced(rest)))
	}
	if _, ok := findNIK(spaced(rest)); ok {
		cut(fieldNIK, nikRun.FindStringIndex(spaced(rest)))
	}
	cut(fieldRank, rankWithin.FindStringIndex(rest))
	name, named := "", false
	for _, l := range strings.Split(rest, "\n") {
		l = strings.TrimRight(strings.Trim(identityLabel.ReplaceAllString(strings.TrimLeft(l, " ,;/(|–-"), ""), " "), " ;/(|–-")
		switch {
		case l == "" || l == ")":
			named = named || name != ""
		case name != "" && (named || beginsWithPosition(l)):
			named = true
			if positionWord.MatchString(l) {
				p.set(fieldPosition, l, line)
			}
		default:
			name = strings.TrimSpace(name + " " + l)
		}
	}
	p.set(fieldName, strings.TrimRight(cleanName(name), " /-,;("), line)
}

// spaced keeps the places of a text's bytes.
func spaced(s string) string { return strings.ReplaceAll(s, "\n", " ") }

// identityLabel are labels within such a cell.
var identityLabel = compile(`(?i)^(nama|nip|nik|n\.i\.p\.?|pangkat(\s*[/,]\s*gol(ongan)?)?|gol(ongan)?|jabatan)(\b|$)\.?\s*[:.=]*|\b(nip|nik|pangkat|jabatan)\.?\s*[:.=]*$`)

// misread are characters that OCR confuses with digits.
var misread = strings.NewReplacer("O", "0", "o", "0", "D", "0", "Q", "0", "l", "1", "I", "1", "i", "1", "|", "1", "!", "1", "S", "5", "s", "5",
	"B", "8", "Z", "2", "z", "2", "g", "9", "q", "9", "b", "6", "G", "6", "T", "7", "A", "4")

// correction proposes what a number of n digits may have been before OCR confused letters with digits; "" if it can't tell.
func correction(raw string, n int) string {
	compact := strings.Map(func(r rune) rune {
		if r == ' ' || r == '.' || r == '-' || r == '\t' {
			return -1
		}
		return r
	}, raw)
	compact = strings.TrimLeft(compact, ":;")
	if len([]rune(compact)) != n || len(digitsOf(compact)) < n-4 || len(digitsOf(compact)) == n {
		return ""
	}
	if fixed := misread.Replace(compact); len(digitsOf(fixed)) == n {
		return fixed
	}
	return ""
}

// nipProblem tells what is wrong with the structure of a NIP (service.md, "Identity numbers"); "" if nothing is. Months of appointment
// above 12 occur with contract staff and are a warning like the rest, never a rejection.
func nipProblem(nip string) string {
	if len(nip) != 18 {
		return fmt.Sprintf("terdiri atas %d angka, seharusnya 18", len(nip))
	}
	born, err := time.Parse("20060102", nip[:8])
	if err != nil || born.Year() < 1940 || born.Year() > 2015 {
		return "tanggal lahir di dalamnya tidak mungkin"
	}
	year, month := nip[8:12], nip[12:14]
	if year < "1960" || year > "2099" {
		return "tahun pengangkatan di dalamnya tidak mungkin"
	}
	if month == "00" || month > "12" {
		return "bulan pengangkatan di dalamnya tidak lazim (dapat terjadi pada PPPK)"
	}
	if nip[14] != '1' && nip[14] != '2' {
		return "angka jenis kelamin di dalamnya bukan 1 atau 2"
	}
	return ""
}

// nikDate is the birth date in a NIK as DDMMYY, a woman's 40 taken off; ok is false where it is no date.
func nikDate(nik string) (string, bool) {
	if len(nik) != 16 {
		return "", false
	}
	d := []byte(nik[6:12])
	if d[0] >= '4' {
		d[0] -= 4
	}
	if _, err := time.Parse("020106", string(d)); err != nil {
		return "", false
	}
	return string(d), true
}
