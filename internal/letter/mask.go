package letter

import (
	"regexp"
	"strings"
)

// secretLabel announces a secret: the word, perhaps an adjective, then a colon, an equals sign or "adalah/yaitu".
var secretLabel = regexp.MustCompile(`(?i)\b((?:pass?\s?-?\s?(?:ph?|f)r?h?a?s[ae]|passphrase|passpharse|password|passwd|pwd|kata\s+sandi|frasa\s+sandi|sandi|keyphrase|kode\s+otp|otp|pin|kode\s+verifikasi|kode\s+rahasia|token)(?:\s+(?:tte|saya|kami|lama|baru|sementara|terakhir|beliau|nya|yang lama|e-?mail(?: dinas)?|akun|srikandi|sertifikat(?: elektronik)?|tanda tangan elektronik))*\s*(?:(?:adalah|yaitu|ialah|yakni)\s*:?|[:=])\s*["'“”‘’(]*)([^\s"'“”‘’]+)`)

// secretWord are values that follow a label without being a secret.
var secretWord = regexp.MustCompile(`(?i)^(\.+|-+|_+|…+|\*+|•+|lupa.*|reset.*|tidak|belum|sudah|yang|untuk|dan|atau|tersebut|saya|kami|tte|sertifikat|elektronik|rahasia|kombinasi|kerahasiaan|sebagai|mohon|permohonan|n/a|\[disamarkan\].*)[.,;:]*$`)

const masked = "[disamarkan]"

// Mask replaces the values of passphrases, passwords, PINs and OTPs that a sender wrote into a text. Everything that shows, mails or logs
// a letter's text goes through it; the raw bytes stay sealed in the archive.
func Mask(text string) string {
	out, _ := mask(text)
	return out
}

func mask(text string) (string, bool) {
	if !mayHoldSecret(text) {
		return text, false
	}
	hit := false
	var b strings.Builder
	last := 0
	for _, m := range secretLabel.FindAllStringSubmatchIndex(text, -1) {
		value := strings.TrimRight(text[m[4]:m[5]], ".,;:)")
		if m[4] < last {
			continue
		}
		if strings.ContainsAny(text[m[2]:m[3]], ":=") && beginsLine(text, m[2]) && isSecret(value, text[m[2]:m[3]]) {
			// A labelled line of its own: a passphrase may hold blanks.
			value = text[m[4]:]
			if i := strings.IndexAny(value, "\r\n\t"); i >= 0 {
				value = value[:i]
			}
			value = strings.TrimRight(value, " .,;")
		}
		if !isSecret(value, text[m[2]:m[3]]) {
			continue
		}
		hit = true
		b.WriteString(text[last:m[4]])
		b.WriteString(masked)
		last = m[4] + len(value)
	}
	b.WriteString(text[last:])
	return b.String(), hit
}

// beginsLine: nothing but blanks and list marks stand before the place on its line.
func beginsLine(text string, at int) bool {
	i := strings.LastIndexAny(text[:at], "\n\r\t") + 1
	before := strings.Trim(text[i:at], " *-•_")
	return before == "" || isOrdinal(before)
}

func mayHoldSecret(text string) bool {
	low := strings.ToLower(text)
	for _, w := range []string{"pas", "pwd", "sandi", "otp", "pin", "kode", "token", "keyphrase"} {
		if strings.Contains(low, w) {
			return true
		}
	}
	return false
}

// isSecret: a value after "adalah" must look like a secret, since prose follows that word too; one after a colon is taken for a secret
// unless it is a known word.
func isSecret(value, label string) bool {
	if value == "" || secretWord.MatchString(value) {
		return false
	}
	if strings.ContainsAny(label, ":=") {
		return len(value) >= 3
	}
	return len(value) >= 4 && strings.ContainsAny(value, "0123456789!@#$%^&*_+?")
}

// digitRun is a whole run of digits with single marks between them, so that the 18 digits of a NIP are not taken for 16.
var digitRun = regexp.MustCompile(`\d(?:[ .\-]?\d){15,}`)

// MaskNIK hides the middle of every 16-digit number of a text: the region and the serial stay, so that a person can still compare.
func MaskNIK(text string) string {
	return digitRun.ReplaceAllStringFunc(text, func(s string) string {
		d := digitsOf(s)
		if len(d) != 16 {
			return s
		}
		return d[:4] + "********" + d[12:]
	})
}
