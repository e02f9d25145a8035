package mailflow

import (
	"fmt"
	"strings"
	"time"

	"pulih/internal/sop"
)

// How the service says times: everything that a person reads comes from here, in mails and on pages alike. Times are said in the zone
// that the time.Time carries: convert with t.In(agency.Zone) first.

var (
	noticeDays   = [...]string{"Minggu", "Senin", "Selasa", "Rabu", "Kamis", "Jumat", "Sabtu"}
	noticeMonths = [...]string{"", "Januari", "Februari", "Maret", "April", "Mei", "Juni", "Juli", "Agustus", "September", "Oktober",
		"November", "Desember"}
)

// NoticeZone is the name of the time's zone: WIB, WITA, WIT, or the offset for a place outside Indonesia.
func NoticeZone(t time.Time) string {
	_, offset := t.Zone()
	switch offset {
	case 7 * 3600:
		return "WIB"
	case 8 * 3600:
		return "WITA"
	case 9 * 3600:
		return "WIT"
	}
	return t.Format("UTC-07:00")
}

// NoticeHour is "14.20 WIB".
func NoticeHour(t time.Time) string {
	return t.Format("15.04 ") + NoticeZone(t)
}

// NoticeDay is "23 November 2026".
func NoticeDay(t time.Time) string {
	return fmt.Sprintf("%d %s %d", t.Day(), noticeMonths[t.Month()], t.Year())
}

// NoticeDate is "Senin, 23 November 2026".
func NoticeDate(t time.Time) string {
	return noticeDays[t.Weekday()] + ", " + NoticeDay(t)
}

// NoticeDateTime is "Senin, 23 November 2026 pukul 14.20 WIB".
func NoticeDateTime(t time.Time) string {
	return NoticeDate(t) + " pukul " + NoticeHour(t)
}

// NoticeWhen says a time as seen from now: "hari ini 14.20 WIB", "besok 08.00 WIB", "kemarin 15.10 WIB", "Kamis, 26 November 08.00 WIB",
// with the year when it is not this one. Now is taken in t's zone.
func NoticeWhen(t, now time.Time) string {
	now = now.In(t.Location())
	switch noticeDaysBetween(now, t) {
	case 0:
		return "hari ini " + NoticeHour(t)
	case 1:
		return "besok " + NoticeHour(t)
	case -1:
		return "kemarin " + NoticeHour(t)
	}
	if t.Year() == now.Year() {
		return fmt.Sprintf("%s, %d %s %s", noticeDays[t.Weekday()], t.Day(), noticeMonths[t.Month()], NoticeHour(t))
	}
	return NoticeDate(t) + " " + NoticeHour(t)
}

// noticeDaysBetween counts midnights from a to b, both in one zone; Indonesia has no daylight saving.
func noticeDaysBetween(a, b time.Time) int {
	midnight := func(t time.Time) time.Time { return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC) }
	return int(midnight(b).Sub(midnight(a)) / (24 * time.Hour))
}

// NoticeSpan is a length without its sign, in whole minutes: "42 menit", "1 jam 10 menit", "26 jam", "kurang dari 1 menit". Hours are never
// folded into days, since a day of office hours and a day of the clock differ; from 100 hours on the minutes are left out.
func NoticeSpan(d time.Duration) string {
	if d < 0 {
		d = -d
	}
	hours, minutes := int(d/time.Hour), int(d%time.Hour/time.Minute)
	switch {
	case d == 0:
		return "0 menit"
	case d < time.Minute:
		return "kurang dari 1 menit"
	case hours == 0:
		return fmt.Sprintf("%d menit", minutes)
	case minutes == 0 || hours >= 100:
		return fmt.Sprintf("%d jam", hours)
	}
	return fmt.Sprintf("%d jam %d menit", hours, minutes)
}

// NoticeLeft says time twice: "tersisa 42 menit (hari ini 14.20 WIB)" or "lewat 1 jam 10 menit (kemarin 15.10 WIB)".
func NoticeLeft(left time.Duration, due, now time.Time) string {
	return noticeLeft(left, NoticeSpan(left), due, now)
}

// NoticeLeftDays is NoticeLeft for a norm in working days, which counts 24 hours a day (sop.WorkingDays): "tersisa 12 hari kerja (...)".
func NoticeLeftDays(left time.Duration, due, now time.Time) string {
	span := "kurang dari 1 hari kerja"
	if days := left.Abs() / sop.Day; days > 0 {
		span = fmt.Sprintf("%d hari kerja", days)
	}
	return noticeLeft(left, span, due, now)
}

func noticeLeft(left time.Duration, span string, due, now time.Time) string {
	switch {
	case left == 0:
		return "tepat pada batasnya (" + NoticeWhen(due, now) + ")"
	case left < 0:
		return "lewat " + span + " (" + NoticeWhen(due, now) + ")"
	}
	return "tersisa " + span + " (" + NoticeWhen(due, now) + ")"
}

// NoticeNorm says a norm as the standards do: "150 menit", "24 jam", "1 hari", "30 hari kerja".
func NoticeNorm(n sop.Norm) string {
	if n.Days > 0 {
		if n.Clock == sop.Working {
			return fmt.Sprintf("%d hari kerja", n.Days)
		}
		return fmt.Sprintf("%d hari", n.Days)
	}
	if n.Length >= time.Hour && n.Length%time.Hour == 0 {
		return fmt.Sprintf("%d jam", n.Length/time.Hour)
	}
	return fmt.Sprintf("%d menit", n.Length/time.Minute)
}

// NoticePeriod is a span of days, until exclusive: "Senin, 23 November 2026", "16-20 November 2026", "30 November-4 Desember 2026", or a
// whole month: "November 2026".
func NoticePeriod(from, until time.Time) string {
	last := until.AddDate(0, 0, -1)
	switch {
	case !last.After(from):
		return NoticeDate(from)
	case from.Day() == 1 && until.Equal(from.AddDate(0, 1, 0)):
		return fmt.Sprintf("%s %d", noticeMonths[from.Month()], from.Year())
	case from.Year() != last.Year():
		return NoticeDay(from) + "–" + NoticeDay(last)
	case from.Month() != last.Month():
		return fmt.Sprintf("%d %s–%s", from.Day(), noticeMonths[from.Month()], NoticeDay(last))
	}
	return fmt.Sprintf("%d–%s", from.Day(), NoticeDay(last))
}

// noticeShortMonth is "Nov", for the foot of a chart.
func noticeShortMonth(t time.Time) string {
	return noticeMonths[t.Month()][:3]
}

// noticeList joins words as a sentence does: "a", "a dan b", "a, b, dan c".
func noticeList(words []string) string {
	switch n := len(words); n {
	case 0:
		return ""
	case 1:
		return words[0]
	case 2:
		return words[0] + " dan " + words[1]
	default:
		return strings.Join(words[:n-1], ", ") + ", dan " + words[n-1]
	}
}
