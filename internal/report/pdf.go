package report

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"time"

	"codeberg.org/go-pdf/fpdf"

	"pulih/internal/request"
	"pulih/mailflow"
)

// How many rows the paper shows; the sheet has all of them.
const (
	paperOffices  = 12
	paperBreaches = 12
	paperRepeats  = 8
	paperPeople   = 8
)

// PDF draws the pack on two to four pages. The same pack always gives the same bytes.
func (p Pack) PDF() ([]byte, error) {
	doc := fpdf.New("P", "mm", "A4", "")
	doc.SetMargins(left, top, 210-right)
	doc.SetAutoPageBreak(false, 0)
	doc.SetCreationDate(p.Made.UTC())
	doc.SetModificationDate(p.Made.UTC())
	doc.SetCatalogSort(true)
	doc.SetTitle("Bahan rapat evaluasi "+p.Period(), true)
	doc.SetAuthor(p.Agency.Unit, true)
	doc.SetLang("id-ID")
	doc.AliasNbPages("{n}")
	s := &sheet{pdf: doc, tr: doc.UnicodeTranslatorFromDescriptor("")}
	doc.SetFooterFunc(func() { p.foot(s) })
	doc.AddPage()
	s.y = top
	p.head(s)
	p.volume(s)
	p.steps(s)
	p.offices(s)
	p.breaches(s)
	p.complaints(s)
	p.workload(s)
	p.repeats(s)
	p.comparison(s)
	var out bytes.Buffer
	if err := doc.Output(&out); err != nil {
		return nil, fmt.Errorf("drawing the evaluation pack: %w", err)
	}
	return out.Bytes(), nil
}

func (p Pack) foot(s *sheet) {
	s.line(left, 284, right, faint)
	s.font("", 7.6, quiet)
	s.put(left-1, 285, 140, 4, p.Agency.Unit+"  ·  dihitung "+mailflow.NoticeDateTime(p.Made.In(p.Agency.Zone)), "L")
	s.put(right-30, 285, 31, 4, fmt.Sprintf("%d dari {n}", s.pdf.PageNo()), "R")
}

// head is the title, the four big numbers and what to talk about.
func (p Pack) head(s *sheet) {
	s.box(0, 0, 210, 40, accent)
	s.font("B", 20, white)
	s.put(left-1, 10, width, 9, "Bahan rapat evaluasi layanan", "L")
	s.font("", 12, white)
	s.put(left-1, 20, width, 6, p.Agency.SOP.Title+", "+p.Period(), "L")
	s.font("", 9.5, white)
	s.put(left-1, 28, width, 5, p.Agency.Unit, "L")
	s.y = 47
	f := p.Now
	gap := 4.0
	w := (width - 3*gap) / 4
	s.tile(left, w, itoa(f.In), "permohonan masuk", versus(f.In, p.Before.In), false)
	s.tile(left+w+gap, w, itoa(f.Closed), "selesai", fmt.Sprintf("%d ditolak", f.Refused), false)
	s.tile(left+2*(w+gap), w, percent(f.Kept, f.ended()), "janji ditepati", "bulan sebelumnya "+percent(p.Before.Kept, p.Before.ended()), false)
	s.tile(left+3*(w+gap), w, itoa(f.Broken), "janji lewat", versus(f.Broken, p.Before.Broken), f.Broken > 0)
	s.y += 27
	s.heading("Yang perlu dibahas", 20)
	points := p.Points()
	if len(points) == 0 {
		points = []string{"Tidak ada yang menonjol: tidak ada janji yang lewat dan tidak ada yang tertunda."}
	}
	for _, point := range points[:min(len(points), 8)] {
		s.font("", 9.5, ink)
		for i, l := range s.breaks(point, width-5, 3) {
			if i == 0 {
				s.put(left-1, s.y, 5, 4.8, "•", "L")
			}
			s.put(left+3, s.y, width-4, 4.8, l, "L")
			s.y += 4.8
		}
		s.y += 0.6
	}
}

// volume is how many came and went: week by week with the promise, and day by day.
func (p Pack) volume(s *sheet) {
	s.heading("Volume dan janji, delapan pekan terakhir", 46)
	var bars []standing
	for _, w := range p.Now.Weeks {
		bars = append(bars, standing{label: shortDay(w.From), kept: w.Kept, late: w.Broken, value: true})
	}
	if p.Now.ended()+p.Before.ended() == 0 {
		s.say("Tidak ada permohonan yang berakhir, sehingga tidak ada janji yang diuji.", quiet)
		return
	}
	s.legend(left, legendEntry{accent, "berakhir, janji ditepati"}, legendEntry{broken, "berakhir, janji lewat"})
	s.columns(left, width, 30, bars)
	s.font("", 8, quiet)
	s.put(left-1, s.y-1, width, 4, "Permohonan yang berakhir tiap pekan, menurut hari Seninnya.", "L")
	s.y += 3
	if p.Now.In == 0 {
		return
	}
	s.heading("Permohonan masuk per hari", 34)
	bars = nil
	for i, n := range p.Now.Days {
		label := ""
		if i%2 == 0 || len(p.Now.Days) <= 16 {
			label = strconv.Itoa(p.From.AddDate(0, 0, i).Day())
		}
		bars = append(bars, standing{label: label, kept: n, value: true, pale: true})
	}
	s.columns(left, width, 22, bars)
}

func shortDay(t time.Time) string {
	return fmt.Sprintf("%d %s", t.Day(), strings.Fields(mailflow.NoticeDay(t))[1][:3])
}

// steps is the promise by step.
func (p Pack) steps(s *sheet) {
	s.heading("Janji menurut langkah", 60)
	timed := p.timed()
	if len(timed) == 0 {
		s.say("Tidak ada permohonan yang berakhir bulan ini.", quiet)
		return
	}
	var rows [][]cell
	for _, t := range timed {
		share := []part{{0, accent}}
		kept := "-"
		if p.norm(t.Step) != nil {
			ok := float64(t.Count-t.Over) / float64(t.Count)
			share, kept = []part{{ok, accent}, {1 - ok, broken}}, percent(t.Count-t.Over, t.Count)
		}
		rows = append(rows, []cell{
			{text: p.step(t.Step), bold: t.Step < 0}, text(p.promise(t.Step)), {text: kept, late: t.Over > 0}, {bar: share},
			text(mailflow.NoticeSpan(t.Median)), text(mailflow.NoticeSpan(t.P90)), text(itoa(t.Count)),
		})
	}
	s.table([]column{{"Langkah", 53, false}, {"Janji", 20, false}, {"Ditepati", 15, true}, {"", 22, false}, {"Median", 26, true}, {"Persentil 90", 26, true}, {"Jumlah", 12, true}}, rows)
}

// offices is the promise by office.
func (p Pack) offices(s *sheet) {
	s.heading("Janji menurut kantor", 30)
	if len(p.Now.Offices) == 0 {
		s.say("Tidak ada permohonan bulan ini.", quiet)
		return
	}
	var rows [][]cell
	for _, o := range p.Now.Offices[:min(len(p.Now.Offices), paperOffices)] {
		ok := 0.0
		if o.Ended() > 0 {
			ok = float64(o.Kept) / float64(o.Ended())
		}
		bar := []part{{ok, accent}, {1 - ok, broken}}
		if o.Ended() == 0 {
			bar = []part{}
		}
		rows = append(rows, []cell{text(p.office(o.ID)), text(itoa(o.In)), text(itoa(o.Ended())), {text: itoa(o.Broken), late: o.Broken > 0},
			text(percent(o.Kept, o.Ended())), {bar: bar}, text(spanOrDash(o.Median, o.Ended()))})
	}
	s.table([]column{{"Kantor", 66, false}, {"Masuk", 13, true}, {"Berakhir", 15, true}, {"Lewat", 12, true}, {"Ditepati", 15, true}, {"", 27, false}, {"Median", 26, true}}, rows)
	s.more(len(p.Now.Offices)-paperOffices, "kantor")
}

func (s *sheet) more(n int, what string) {
	if n > 0 {
		s.say(fmt.Sprintf("dan %d %s lainnya: lihat berkas XLSX.", n, what), quiet)
	}
}

// breaches are the broken promises with their reasons, and the outages that broke some.
func (p Pack) breaches(s *sheet) {
	s.heading("Janji yang lewat dan sebabnya", 24)
	if len(p.Breaches) == 0 {
		s.say("Tidak ada janji yang lewat bulan ini.", ink)
	} else {
		var rows [][]cell
		for _, b := range p.Breaches[:min(len(p.Breaches), paperBreaches)] {
			reason := b.Reason
			if reason == "" {
				reason = "sebab belum dicatat"
			}
			rows = append(rows, []cell{{text: b.Number, bold: true}, text(b.Applicant + ", " + b.Office), text(b.Step),
				{text: mailflow.NoticeSpan(b.Over), late: true}, text(reason)})
		}
		s.table([]column{{"Permohonan", 31, false}, {"Pemohon dan kantor", 39, false}, {"Langkah", 36, false}, {"Lewat", 25, true}, {"Sebab", 43, false}}, rows)
		s.more(len(p.Breaches)-paperBreaches, "janji")
	}
	for _, o := range p.Outages {
		until := "masih berlangsung"
		if !o.Lasts() {
			until = "sampai " + mailflow.NoticeDateTime(o.Until.In(p.Agency.Zone))
		}
		s.say(fmt.Sprintf("Gangguan %s: %s, %s. Janji yang akan ditepati tanpanya: %d.", o.Title(), mailflow.NoticeDateTime(o.From.In(p.Agency.Zone)), until, o.Broken), quiet)
	}
}

func (p Pack) complaints(s *sheet) {
	s.heading("Pengaduan menurut golongan", 30)
	var rows [][]cell
	in, before := 0, 0
	for _, c := range p.Complaints {
		in += c.In
		rows = append(rows, []cell{text(c.Title), text(mailflow.NoticeNorm(c.Norm)), text(itoa(c.In)), text(itoa(c.Open)), text(itoa(c.Kept)),
			{text: itoa(c.Broken), late: c.Broken > 0}, text(percent(c.Kept, c.Kept+c.Broken))})
	}
	for _, c := range p.ComplBefore {
		before += c.In
	}
	if len(rows) == 0 {
		s.say("Standar layanan ini tidak memuat golongan pengaduan.", quiet)
		return
	}
	s.table([]column{{"Golongan", 64, false}, {"Janji jawaban", 28, false}, {"Masuk", 16, true}, {"Terbuka", 16, true}, {"Tepat", 16, true}, {"Lewat", 16, true}, {"Ditepati", 18, true}}, rows)
	s.say(fmt.Sprintf("%d pengaduan masuk, %s.", in, versus(in, before)), quiet)
}

// workload is who decided how much, and what became of the reset calls.
func (p Pack) workload(s *sheet) {
	s.heading("Beban kerja verifikator", 24)
	var rows [][]cell
	most := 1
	for _, v := range p.Now.Verifiers {
		most = max(most, v.Ended())
	}
	for _, v := range p.Now.Verifiers[:min(len(p.Now.Verifiers), paperPeople)] {
		rows = append(rows, []cell{text(p.person(v.ID)), text(itoa(v.Ended())), {bar: []part{{float64(v.Ended()) / float64(most), accent}}}, text(itoa(v.Refused)),
			{text: itoa(v.Broken), late: v.Broken > 0}, text(spanOrDash(v.Median, v.Ended()))})
	}
	if len(rows) == 0 {
		s.say("Tidak ada permohonan yang diputuskan bulan ini.", quiet)
	} else {
		s.table([]column{{"Verifikator", 62, false}, {"Berakhir", 18, true}, {"", 30, false}, {"Ditolak", 16, true}, {"Lewat", 16, true}, {"Median seluruhnya", 32, true}}, rows)
	}
	s.heading("Hasil pengajuan reset", 24)
	rows, most = nil, 1
	for _, o := range outcomes {
		most = max(most, p.Resets[o.kind])
	}
	for _, o := range outcomes {
		n := p.Resets[o.kind]
		rows = append(rows, []cell{text(o.word), {text: itoa(n), bold: n > 0 && o.kind == request.ResetUncertain}, {bar: []part{{float64(n) / float64(most), accent}}}})
	}
	s.table([]column{{"Hasil", 80, false}, {"Jumlah", 20, true}, {"", 74, false}}, rows)
}

func (p Pack) repeats(s *sheet) {
	s.heading("Pemohon berulang dalam 90 hari", 20)
	if len(p.Repeats) == 0 {
		s.say("Tidak ada.", ink)
		return
	}
	var rows [][]cell
	for _, r := range p.Repeats[:min(len(p.Repeats), paperRepeats)] {
		rows = append(rows, []cell{text(r.Applicant), text(r.Office), text(itoa(len(r.Numbers))), text(strings.Join(r.Numbers, ", "))})
	}
	s.table([]column{{"Pemohon", 50, false}, {"Kantor", 52, false}, {"Kali", 10, true}, {"Permohonan", 62, false}}, rows)
	s.more(len(p.Repeats)-paperRepeats, "pemohon")
}

// comparison holds the month against the one before.
func (p Pack) comparison(s *sheet) {
	s.heading("Dibandingkan bulan sebelumnya", 34)
	now, before := p.Now, p.Before
	row := func(what, this, that string) []cell { return []cell{text(what), {text: this, bold: true}, text(that)} }
	rows := [][]cell{
		row("Masuk", itoa(now.In), itoa(before.In)), row("Selesai", itoa(now.Closed), itoa(before.Closed)), row("Ditolak", itoa(now.Refused), itoa(before.Refused)),
		row("Janji ditepati", percent(now.Kept, now.ended()), percent(before.Kept, before.ended())),
	}
	if len(now.Times) > 0 && len(before.Times) > 0 {
		rows = append(rows, row("Median seluruh layanan", spanOrDash(now.Times[0].Median, now.Times[0].Count), spanOrDash(before.Times[0].Median, before.Times[0].Count)),
			row("Persentil 90 seluruh layanan", spanOrDash(now.Times[0].P90, now.Times[0].Count), spanOrDash(before.Times[0].P90, before.Times[0].Count)))
	}
	s.table([]column{{"", 70, false}, {p.Period(), 40, true}, {mailflow.NoticePeriod(before.From, before.Until), 40, true}}, rows)
}

func spanOrDash(d time.Duration, n int) string {
	if n == 0 {
		return "-"
	}
	return mailflow.NoticeSpan(d)
}

func itoa(n int) string { return strconv.Itoa(n) }
