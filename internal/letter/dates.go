package letter

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

var months = map[string]int{
	"januari": 1, "jan": 1, "februari": 2, "pebruari": 2, "feb": 2, "peb": 2, "maret": 3, "mar": 3, "mrt": 3, "april": 4, "apr": 4,
	"mei": 5, "juni": 6, "jun": 6, "juli": 7, "jul": 7, "agustus": 8, "ags": 8, "agu": 8, "agt": 8, "agust": 8, "aug": 8,
	"september": 9, "sept": 9, "sep": 9, "oktober": 10, "okt": 10, "oct": 10, "november": 11, "nopember": 11, "nov": 11, "nop": 11,
	"desember": 12, "des": 12, "dec": 12,
}

var (
	wordDate  = compile(`(?i)\b(\d{1,2})\s*[-. ]?\s*([a-z]{3,9})\.?\s*[-., ]?\s*(\d{4})\b`)
	digitDate = compile(`\b(\d{1,2})\s?[-/.]\s?(\d{1,2})\s?[-/.]\s?(\d{4})\b`)
	isoDate   = compile(`\b(\d{4})-(\d{2})-(\d{2})\b`)
	// placeDate is the line "Purbalingga, 19 November 2026", with the day of the week before it or the Hijri date behind it.
	placeDate = compile(`(?i)(?:^|\s|\t)([A-Z][A-Za-z.' -]{2,30}?)\s*,\s*(?:` + weekday + `\s*,?\s+)?(?:tanggal\s+|tgl\.?\s+)?(\d{1,2}\s*[-. ]?\s*[a-z]{3,9}\.?\s*[-., ]?\s*\d{4}|\d{1,2}\s?[-/.]\s?\d{1,2}\s?[-/.]\s?\d{4})` + hijri + `\s*\.?\s*$`)
	// openDate is a date with its day left blank.
	openDate = compile(`(?i)(?:^|\s)([A-Z][A-Za-z]{2,20})\s*,\s*[. _…]*\s(januari|februari|pebruari|maret|april|mei|juni|juli|agustus|september|oktober|november|nopember|desember)\s+\d{4}\s*$`)
)

const (
	weekday = `(?:senin|selasa|rabu|kamis|jum.?at|sabtu|minggu|ahad)`
	// hijri is what follows a date where two calendars are used: "12 November 2026 M / 2 Jumadil Akhir 1448 H".
	hijri     = `(?:\s*(?:M|Masehi)\b\.?)?(?:\s*[/|(]?\s*` + hijriDate + `(?:\s*H(?:ijriah|ijriyah)?\b\.?)?\)?)?`
	hijriDate = `\d{1,2}\s+\pL[\pL' -]{3,20}\s+1[34]\d{2}`
)

var romanMonths = setOf("I II III IV V VI VII VIII IX X XI XII")

// romanMonth corrects the month in a letter's number where OCR read 1 or l for I: "800/12/X1/2026". The digits 111 before the year may be the
// letter's own; what they'd be as a month is only offered. The correction is nil where there is none.
func romanMonth(number string) (string, *Correction) {
	segments := strings.Split(number, "/")
	for i := 1; i < len(segments)-1; i++ {
		s := strings.TrimSpace(segments[i])
		roman := strings.NewReplacer("1", "I", "l", "I", "|", "I", "!", "I").Replace(s)
		digits := digitsOf(s) == s
		if roman == s || !romanMonths[roman] || digits && (s != "111" || len(strings.TrimSpace(segments[i+1])) != 4) {
			continue
		}
		segments[i] = roman
		c := &Correction{Field: "letter.number", Read: number, Proposed: strings.Join(segments, "/"), Used: !digits}
		if !c.Used {
			return number, c
		}
		return c.Proposed, c
	}
	return number, nil
}

// parseDate reads the first date in Indonesian or digits, day before month. It returns YYYY-MM-DD.
func parseDate(s string) (string, bool) {
	if m := isoDate.FindStringSubmatch(s); m != nil {
		return checkDate(m[3], m[2], m[1])
	}
	for _, m := range wordDate.FindAllStringSubmatch(s, 10) {
		if n, ok := months[strings.ToLower(m[2])]; ok {
			return checkDate(m[1], strconv.Itoa(n), m[3])
		}
	}
	if m := digitDate.FindStringSubmatch(s); m != nil {
		return checkDate(m[1], m[2], m[3])
	}
	return "", false
}

func checkDate(day, month, year string) (string, bool) {
	d, _ := strconv.Atoi(day)
	m, _ := strconv.Atoi(month)
	y, _ := strconv.Atoi(year)
	t := time.Date(y, time.Month(m), d, 0, 0, 0, 0, time.UTC)
	if y < 1990 || y > 2100 || t.Day() != d || int(t.Month()) != m {
		return "", false
	}
	return fmt.Sprintf("%04d-%02d-%02d", y, m, d), true
}
