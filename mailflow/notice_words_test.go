package mailflow

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"pulih/internal/sop"
)

var (
	noticeWIB  = time.FixedZone("WIB", 7*3600)
	noticeWITA = time.FixedZone("+08", 8*3600)
	noticeWIT  = time.FixedZone("", 9*3600)
)

func TestNoticeWhen(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 23, 13, 38, 0, 0, noticeWIB)
	for _, c := range []struct {
		t    time.Time
		want string
	}{
		{now.Add(42 * time.Minute), "hari ini 14.20 WIB"},
		{time.Date(2026, 11, 23, 0, 0, 0, 0, noticeWIB), "hari ini 00.00 WIB"},
		{time.Date(2026, 11, 24, 8, 5, 0, 0, noticeWIB), "besok 08.05 WIB"},
		{time.Date(2026, 11, 22, 23, 59, 0, 0, noticeWIB), "kemarin 23.59 WIB"},
		{time.Date(2026, 11, 26, 8, 0, 0, 0, noticeWIB), "Kamis, 26 November 08.00 WIB"},
		{time.Date(2027, 1, 4, 7, 30, 0, 0, noticeWIB), "Senin, 4 Januari 2027 07.30 WIB"},
		{time.Date(2026, 11, 24, 0, 30, 0, 0, noticeWIT), "besok 00.30 WIT"}, // 22.30 WIB the day before
		{time.Date(2026, 11, 23, 9, 0, 0, 0, noticeWITA), "hari ini 09.00 WITA"},
	} {
		if got := NoticeWhen(c.t, now); got != c.want {
			t.Errorf("%v: %q, want %q", c.t, got, c.want)
		}
	}
	if got := NoticeDateTime(now.Add(42 * time.Minute)); got != "Senin, 23 November 2026 pukul 14.20 WIB" {
		t.Error(got)
	}
	if got := NoticeZone(now.UTC()); got != "UTC+00:00" {
		t.Error(got)
	}
}

func TestNoticeSpan(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		0: "0 menit", 20 * time.Second: "kurang dari 1 menit", -20 * time.Second: "kurang dari 1 menit", time.Minute: "1 menit",
		42*time.Minute + 59*time.Second: "42 menit", time.Hour: "1 jam", 70 * time.Minute: "1 jam 10 menit", -70 * time.Minute: "1 jam 10 menit",
		26 * time.Hour: "26 jam", 225*time.Hour + 3*time.Minute: "225 jam",
	} {
		if got := NoticeSpan(d); got != want {
			t.Errorf("%v: %q, want %q", d, got, want)
		}
	}
}

func TestNoticeLeftSaysTimeTwice(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 23, 13, 38, 0, 0, noticeWIB)
	for left, want := range map[time.Duration]string{
		42 * time.Minute:  "tersisa 42 menit (hari ini 14.20 WIB)",
		-70 * time.Minute: "lewat 1 jam 10 menit (hari ini 12.28 WIB)",
		-5 * time.Second:  "lewat kurang dari 1 menit (hari ini 13.37 WIB)",
		0:                 "tepat pada batasnya (hari ini 13.38 WIB)",
	} {
		if got := NoticeLeft(left, now.Add(left), now); got != want {
			t.Errorf("%v: %q, want %q", left, got, want)
		}
	}
}

func TestNoticeNorm(t *testing.T) {
	t.Parallel()
	for want, n := range map[string]sop.Norm{
		"5 menit": {Length: 5 * time.Minute}, "150 menit": {Length: 150 * time.Minute}, "24 jam": {Length: 24 * time.Hour, Clock: sop.Elapsed},
		"30 hari kerja": {Days: 30, Clock: sop.Working}, "1 hari": {Days: 1, Clock: sop.Elapsed},
	} {
		if got := NoticeNorm(n); got != want {
			t.Errorf("%+v: %q, want %q", n, got, want)
		}
	}
}

func TestNoticePeriod(t *testing.T) {
	t.Parallel()
	day := func(y int, m time.Month, d int) time.Time { return time.Date(y, m, d, 0, 0, 0, 0, noticeWIB) }
	for _, c := range []struct {
		from, until time.Time
		want        string
	}{
		{day(2026, 11, 23), day(2026, 11, 24), "Senin, 23 November 2026"},
		{day(2026, 11, 16), day(2026, 11, 23), "16–22 November 2026"},
		{day(2026, 11, 30), day(2026, 12, 7), "30 November–6 Desember 2026"},
		{day(2026, 12, 28), day(2027, 1, 4), "28 Desember 2026–3 Januari 2027"},
		{day(2026, 11, 1), day(2026, 12, 1), "November 2026"},
	} {
		if got := NoticePeriod(c.from, c.until); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}

func TestNoticeWrapKeepsEveryWord(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := strings.Join(rapid.SliceOf(rapid.StringOf(rapid.RuneFrom([]rune("aäW-.,/漢")))).Draw(t, "words"), " ")
		width := rapid.IntRange(-3, 90).Draw(t, "width")
		lines := textWrap(s, width)
		for _, l := range lines {
			if n := len([]rune(l)); n > max(width, textNarrowest) || n == 0 {
				t.Fatalf("line of %d at width %d: %q", n, width, l)
			}
		}
		if got, want := strings.Join(strings.Fields(strings.Join(lines, "")), ""), strings.Join(strings.Fields(s), ""); got != want {
			t.Fatalf("%q became %q", want, got)
		}
	})
}
