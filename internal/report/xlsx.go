package report

import (
	"bytes"
	"fmt"
	"slices"
	"time"

	"github.com/xuri/excelize/v2"

	"pulih/mailflow"
)

// XLSX is the workbook with the rows behind the pack: a sheet each for the summary, the requests, the breaches, the steps, the offices, the
// verifiers, the complaints and the repeated applicants.
func (p Pack) XLSX() (_ []byte, err error) {
	f := excelize.NewFile()
	defer func() {
		if e := f.Close(); err == nil && e != nil {
			err = e
		}
	}()
	b := &book{f: f, zone: p.Agency.Zone}
	b.styles()
	for _, fill := range []func(*book){p.summarySheet, p.requestSheet, p.breachSheet, p.stepSheet, p.officeSheet, p.verifierSheet, p.complaintSheet, p.repeatSheet} {
		fill(b)
	}
	made := p.Made.UTC().Format(time.RFC3339)
	b.try(f.DeleteSheet("Sheet1"))
	b.try(f.SetDocProps(&excelize.DocProperties{Title: "Bahan rapat evaluasi " + p.Period(), Creator: p.Agency.Unit, Created: made, Modified: made, Language: "id-ID"}))
	f.SetActiveSheet(0)
	var out bytes.Buffer
	b.try(f.Write(&out))
	if b.err != nil {
		return nil, fmt.Errorf("writing the evaluation workbook: %w", b.err)
	}
	return out.Bytes(), nil
}

// book writes sheets; the first error stays.
type book struct {
	f             *excelize.File
	zone          *time.Location
	head, at, pct int
	err           error
}

func (b *book) try(err error) {
	if b.err == nil {
		b.err = err
	}
}

func (b *book) styles() {
	var err error
	b.head, err = b.f.NewStyle(&excelize.Style{Font: &excelize.Font{Bold: true, Color: "FFFFFF"}, Fill: excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{"1F4E8C"}},
		Alignment: &excelize.Alignment{Vertical: "center", WrapText: true}})
	b.try(err)
	format, share := "yyyy-mm-dd hh:mm", "0%"
	b.at, err = b.f.NewStyle(&excelize.Style{CustomNumFmt: &format})
	b.try(err)
	b.pct, err = b.f.NewStyle(&excelize.Style{CustomNumFmt: &share})
	b.try(err)
}

// ratio is a share that is shown in per cent.
type ratio float64

// sheet writes a head and rows, with a filter over them and columns as wide as their words. What people wrote is text, never a formula.
func (b *book) sheet(name string, head []string, rows [][]any) {
	_, err := b.f.NewSheet(name)
	b.try(err)
	widths := make([]float64, len(head))
	for i, h := range head {
		b.set(name, i, 0, h)
		widths[i] = min(max(float64(len(h))+3, 11), 60)
	}
	last, err := excelize.CoordinatesToCellName(max(len(head), 1), 1)
	b.try(err)
	b.try(b.f.SetCellStyle(name, "A1", last, b.head))
	for y, row := range rows {
		for x, v := range row {
			b.set(name, x, y+1, v)
			if s, ok := v.(string); ok && x < len(widths) {
				widths[x] = min(max(widths[x], float64(len(s))+2), 60)
			}
			if _, ok := v.(time.Time); ok {
				widths[x] = max(widths[x], 17)
			}
		}
	}
	for i, w := range widths {
		col, err := excelize.ColumnNumberToName(i + 1)
		b.try(err)
		b.try(b.f.SetColWidth(name, col, col, w))
	}
	b.try(b.f.SetPanes(name, &excelize.Panes{Freeze: true, YSplit: 1, TopLeftCell: "A2", ActivePane: "bottomLeft"}))
	if len(rows) > 0 {
		end, err := excelize.CoordinatesToCellName(len(head), len(rows)+1)
		b.try(err)
		b.try(b.f.AutoFilter(name, "A1:"+end, nil))
	}
}

func (b *book) set(sheet string, x, y int, v any) {
	at, err := excelize.CoordinatesToCellName(x+1, y+1)
	b.try(err)
	style := 0
	switch value := v.(type) {
	case time.Time:
		if value.IsZero() {
			return
		}
		// A sheet knows no zones: the cell shows the office's clock.
		local := value.In(b.zone)
		v, style = time.Date(local.Year(), local.Month(), local.Day(), local.Hour(), local.Minute(), local.Second(), 0, time.UTC), b.at
	case ratio:
		v, style = float64(value), b.pct
	case string:
		b.try(b.f.SetCellStr(sheet, at, value))
		return
	}
	b.try(b.f.SetCellValue(sheet, at, v))
	if style != 0 {
		b.try(b.f.SetCellStyle(sheet, at, at, style))
	}
}

func (p Pack) summarySheet(b *book) {
	now, before := p.Now, p.Before
	rows := [][]any{
		{"Permohonan masuk", now.In, before.In}, {"Selesai", now.Closed, before.Closed}, {"Ditolak", now.Refused, before.Refused},
		{"Janji ditepati", now.Kept, before.Kept}, {"Janji lewat", now.Broken, before.Broken},
		{"Bagian yang ditepati", shareOf(now.Kept, now.ended()), shareOf(before.Kept, before.ended())}, {"Terbuka pada akhir bulan", p.Waiting, nil},
	}
	for _, o := range outcomes {
		rows = append(rows, []any{"Reset: " + o.word, p.Resets[o.kind], nil})
	}
	for _, o := range p.Outages {
		rows = append(rows, []any{"Gangguan " + o.Title() + " sejak " + mailflow.NoticeDateTime(o.From.In(b.zone)) + ": janji yang lewat karenanya", o.Broken, nil})
	}
	b.sheet("Ringkasan", []string{p.Period(), "Bulan ini", "Bulan sebelumnya"}, rows)
}

func shareOf(part, whole int) any {
	if whole == 0 {
		return nil
	}
	return ratio(float64(part) / float64(whole))
}

func (p Pack) requestSheet(b *book) {
	head := []string{"Nomor", "Pemohon", "Kantor", "Masuk", "Berakhir", "Hasil", "Janji", "Diputuskan oleh", "Seluruh layanan (menit)"}
	for _, step := range p.Agency.SOP.Steps {
		head = append(head, step.Title+" (menit)")
	}
	var rows [][]any
	for _, r := range p.Rows {
		outcome, promise := "terbuka", ""
		if !r.ClosedAt.IsZero() {
			outcome, promise = "selesai", "ditepati"
			if r.Rejected {
				outcome = "ditolak"
			}
			if _, _, late := r.Broken(p.Agency); late {
				promise = "lewat"
			}
		}
		row := []any{r.Number, r.Applicant, p.office(r.OfficeID), r.OpenedAt, r.ClosedAt, outcome, promise, p.person(r.Decided)}
		for _, used := range r.Used {
			if used == NotEnded {
				row = append(row, nil)
				continue
			}
			row = append(row, float64(used*10/60)/10)
		}
		rows = append(rows, row[:min(len(row), len(head))])
	}
	b.sheet("Permohonan", head, rows)
}

func (p Pack) breachSheet(b *book) {
	var rows [][]any
	for _, r := range p.Breaches {
		rows = append(rows, []any{r.Number, r.Applicant, r.Office, r.Step, int(r.Over / time.Minute), r.Reason})
	}
	b.sheet("Janji lewat", []string{"Nomor", "Pemohon", "Kantor", "Langkah", "Lewat (menit)", "Sebab yang dicatat"}, rows)
}

func (p Pack) stepSheet(b *book) {
	var rows [][]any
	for _, t := range p.timed() {
		kept := any(nil)
		if p.norm(t.Step) != nil {
			kept = shareOf(t.Count-t.Over, t.Count)
		}
		rows = append(rows, []any{p.step(t.Step), p.promise(t.Step), t.Count, t.Over, kept, int(t.Median / time.Minute), int(t.P90 / time.Minute)})
	}
	b.sheet("Langkah", []string{"Langkah", "Janji", "Berakhir", "Lewat", "Ditepati", "Median (menit)", "Persentil 90 (menit)"}, rows)
}

func (p Pack) officeSheet(b *book) {
	b.sheet("Kantor", []string{"Kantor", "Masuk", "Berakhir", "Ditolak", "Lewat", "Ditepati", "Median (menit)"}, p.shareRows(p.Now.Offices, p.office))
}

func (p Pack) verifierSheet(b *book) {
	people := slices.DeleteFunc(slices.Clone(p.Now.Verifiers), func(s Share) bool { return s.Ended() == 0 })
	b.sheet("Verifikator", []string{"Verifikator", "Masuk", "Berakhir", "Ditolak", "Lewat", "Ditepati", "Median (menit)"}, p.shareRows(people, p.person))
}

func (p Pack) shareRows(list []Share, name func(string) string) [][]any {
	var rows [][]any
	for _, s := range list {
		rows = append(rows, []any{name(s.ID), s.In, s.Ended(), s.Refused, s.Broken, shareOf(s.Kept, s.Ended()), int(s.Median / time.Minute)})
	}
	return rows
}

func (p Pack) complaintSheet(b *book) {
	var rows [][]any
	for _, c := range p.Complaints {
		rows = append(rows, []any{c.Title, mailflow.NoticeNorm(c.Norm), c.In, c.Open, c.Kept, c.Broken, shareOf(c.Kept, c.Kept+c.Broken)})
	}
	b.sheet("Pengaduan", []string{"Golongan", "Janji jawaban", "Masuk", "Terbuka", "Tepat", "Lewat", "Ditepati"}, rows)
}

func (p Pack) repeatSheet(b *book) {
	var rows [][]any
	for _, r := range p.Repeats {
		for _, number := range r.Numbers {
			rows = append(rows, []any{r.Applicant, r.Office, len(r.Numbers), number})
		}
	}
	b.sheet("Pemohon berulang", []string{"Pemohon", "Kantor", "Kali", "Permohonan"}, rows)
}
