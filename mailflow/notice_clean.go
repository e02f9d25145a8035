package mailflow

import (
	"reflect"
	"regexp"
	"strings"
	"time"
	"unicode"
)

// noticeMaxText is how many characters of one value a mail shows: strangers write letter subjects and complaints.
const noticeMaxText = 2000

// identityNumber finds what looks like a NIK (16 digits) or NIP (18), written with blanks, dots or hyphens between or without.
var identityNumber = regexp.MustCompile(`\b\d(?:[ .-]?\d){14,18}\b`)

const identityMask = "[nomor identitas disamarkan]"

// noticeClean makes every string of a value fit to be shown: control and direction characters go (RFC 5322 header injection, and names that
// read backwards), blanks are collapsed, identity numbers masked, lengths bounded. It works on a copy; v must be a struct.
func noticeClean[T any](v T) T {
	out := reflect.New(reflect.TypeOf(v)).Elem()
	out.Set(noticeCleaned(reflect.ValueOf(v), ""))
	return out.Interface().(T)
}

func noticeCleaned(v reflect.Value, tag string) reflect.Value {
	out := reflect.New(v.Type()).Elem()
	switch v.Kind() {
	case reflect.String:
		out.SetString(noticeCleanText(v.String(), tag))
	case reflect.Slice:
		if v.IsNil() {
			return v
		}
		out.Set(reflect.MakeSlice(v.Type(), v.Len(), v.Len()))
		for i := range v.Len() {
			out.Index(i).Set(noticeCleaned(v.Index(i), tag))
		}
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			return v
		}
		for i := range v.NumField() {
			out.Field(i).Set(noticeCleaned(v.Field(i), v.Type().Field(i).Tag.Get("notice")))
		}
	default:
		return v
	}
	return out
}

func noticeCleanText(s, tag string) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	if tag == "lines" {
		lines := strings.Split(strings.ReplaceAll(s, "\r\n", "\n"), "\n")
		kept := lines[:0]
		for _, l := range lines {
			if l = noticeCleanText(l, ""); l != "" {
				kept = append(kept, l)
			}
		}
		return noticeCut(strings.Join(kept, "\n"), noticeMaxText)
	}
	s = strings.Join(strings.Fields(strings.Map(noticeRune, s)), " ")
	switch tag {
	case "url":
		if !strings.HasPrefix(s, "https://") && !strings.HasPrefix(s, "http://") {
			return ""
		}
		return s
	case "raw":
	default:
		s = identityNumber.ReplaceAllString(s, identityMask)
	}
	return noticeCut(s, noticeMaxText)
}

// noticeRune turns line ends into blanks and drops what can't be seen: controls, and format characters such as U+202E.
func noticeRune(r rune) rune {
	switch {
	case unicode.IsSpace(r):
		return ' '
	case unicode.In(r, unicode.Cc, unicode.Cf, unicode.Co, unicode.Cs):
		return -1
	}
	return r
}

// noticeCut shortens to n characters, the last of which is then an ellipsis.
func noticeCut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	r := []rune(s)
	if len(r) <= n {
		return s
	}
	return strings.TrimSpace(string(r[:n-1])) + "…"
}
