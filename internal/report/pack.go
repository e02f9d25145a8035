package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"pulih/internal/agency"
	"pulih/internal/request"
	"pulih/internal/sop"
	"pulih/mailflow"
)

// Pack is what the monthly evaluation meeting reads (service.md: a meeting of the head of agency, division, section and staff, at least
// once a month).
type Pack struct {
	Agency      *agency.Agency
	From, Until time.Time // in the agency's zone
	Made        time.Time // when it was computed: it stands in the files

	Now, Before Figures // the period, and the one of the same length before
	Waiting     int     // open at the end of the period
	Breaches    []PackBreach
	Outages     []PackOutage
	Complaints  []ClassCount
	ComplBefore []ClassCount
	Resets      map[request.Kind]int
	Repeats     []Repeat
	Rows        []PackRow // opened or ended in the period
}

// PackBreach is a broken promise with what is known of it.
type PackBreach struct {
	Breach
	Office, Applicant string
	Reason            string // as recorded; empty where nobody did
}

// PackOutage is an outage, and how many of the broken promises would have been kept without it.
type PackOutage struct {
	Outage
	Broken int
}

// PackRow is a request's line in the sheet.
type PackRow struct {
	Row
	Applicant string
}

// Name is what the files are called: "PBG-evaluasi-2026-11".
func (p Pack) Name() string {
	return fmt.Sprintf("%s-evaluasi-%s", p.Agency.Prefix, p.From.Format("2006-01"))
}

// Period is "November 2026".
func (p Pack) Period() string { return mailflow.NoticePeriod(p.From, p.Until) }

// step is the title of a step by its index; -1 is the whole.
func (p Pack) step(i int) string {
	if i < 0 {
		return "Seluruh layanan"
	}
	return p.Agency.SOP.Steps[i].Title
}

func (p Pack) norm(i int) *sop.Norm {
	if i < 0 {
		return p.Agency.SOP.Total
	}
	return p.Agency.SOP.Steps[i].Norm
}

func (p Pack) promise(i int) string {
	if n := p.norm(i); n != nil {
		return mailflow.NoticeNorm(*n)
	}
	return "tanpa janji"
}

func (p Pack) office(id string) string {
	if o, ok := p.Agency.Office(id); ok {
		return o.Name
	}
	return "Kantor tidak terdaftar"
}

func (p Pack) person(id string) string {
	if who, ok := p.Agency.Person(id); ok {
		return who.Name
	}
	if id == "" {
		return "Belum diputuskan"
	}
	return id
}

// timed are the steps that can be told of: of what ended, without those that take no time and promise none.
func (p Pack) timed() []StepTime {
	return slices.DeleteFunc(slices.Clone(p.Now.Times), func(t StepTime) bool { return t.Count == 0 || p.norm(t.Step) == nil && t.P90 == 0 })
}

// ended counts what ended in a period.
func (f Figures) ended() int { return f.Kept + f.Broken }

// percent is a share in whole per cent, rounded down: 99,6 per cent is not all.
func percent(part, whole int) string {
	if whole == 0 {
		return "-"
	}
	return fmt.Sprintf("%d%%", part*100/whole)
}

// versus says how a count moved since the month before.
func versus(now, before int) string {
	switch {
	case now == before:
		return "tidak berubah"
	case now > before:
		return fmt.Sprintf("naik %d dari %d", now-before, before)
	}
	return fmt.Sprintf("turun %d dari %d", before-now, before)
}

// Points are what the meeting should talk about, most pressing first, as far as the figures tell.
func (p Pack) Points() []string {
	var out []string
	say := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	f := p.Now
	if f.Broken > 0 {
		by := map[string]int{}
		for _, b := range f.Breaches {
			by[b.Step]++
		}
		worst := ""
		for step, n := range by {
			if n > by[worst] || n == by[worst] && step < worst {
				worst = step
			}
		}
		say("%d dari %d janji lewat; paling sering pada langkah \"%s\" (%d kali).", f.Broken, f.ended(), worst, by[worst])
	}
	if n := countOf(p.Breaches, func(b PackBreach) bool { return b.Reason == "" }); n > 0 {
		say("Sebab %d janji yang lewat belum dicatat.", n)
	}
	for _, o := range p.Outages {
		if o.Broken > 0 {
			say("%d janji lewat karena gangguan %s; tanpa gangguan itu akan ditepati.", o.Broken, o.Title())
		}
	}
	if worst, ok := p.worstOffice(); ok {
		say("%s: %d dari %d permohonannya lewat.", p.office(worst.ID), worst.Broken, worst.Ended())
	}
	for _, c := range p.Complaints {
		if c.Broken > 0 {
			say("Pengaduan golongan %s: %d jawaban lewat dari janji %s.", strings.ToLower(c.Title), c.Broken, mailflow.NoticeNorm(c.Norm))
		}
	}
	if n := p.Resets[request.ResetUncertain]; n > 0 {
		say("%d reset berakhir belum pasti dan harus diperiksa di AMS.", n)
	}
	if n := len(p.Repeats); n > 0 {
		say("%d pemohon mengajukan lebih dari sekali dalam 90 hari.", n)
	}
	if p.Waiting > 0 {
		say("%d permohonan masih terbuka pada akhir bulan.", p.Waiting)
	}
	return out
}

func (p Pack) worstOffice() (Share, bool) {
	worst := slices.MaxFunc(append(slices.Clone(p.Now.Offices), Share{}), func(a, b Share) int {
		return cmp.Or(cmp.Compare(a.Broken, b.Broken), -cmp.Compare(a.Ended(), b.Ended()), -cmp.Compare(a.ID, b.ID))
	})
	return worst, worst.Broken > 1
}

func countOf[T any](list []T, is func(T) bool) int {
	n := 0
	for _, v := range list {
		if is(v) {
			n++
		}
	}
	return n
}

// outcomes are the kinds of reset outcomes with their words, in the order in which they are shown.
var outcomes = []struct {
	kind request.Kind
	word string
}{
	{request.ResetAccepted, "Diterima BSrE"}, {request.ResetConfirmed, "Dilakukan verifikator di AMS"}, {request.ResetRefused, "Ditolak BSrE"}, {request.ApprovalVoided, "Tidak jadi diajukan"},
	{request.ResetNotSent, "Batal terkirim, diajukan kembali"}, {request.ResetUncertain, "Belum pasti"},
}
