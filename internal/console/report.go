package console

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"fmt"
	"html/template"
	"net/http"
	"slices"
	"strings"
	"time"

	"pulih/internal/report"
	"pulih/internal/store"
	"pulih/mailflow"
)

// reportPage is Pimpinan: is the promise kept, and if not, where.
type reportPage struct {
	base
	Promise   string
	Period    string
	Week      time.Time // the one week that is looked at; zero: a longer period
	Choices   []choice
	D         mailflow.Digest
	Finished  int
	Share     int // per cent kept
	Weeks     []weekRow
	Chart     template.HTML
	Breaches  []breachRow
	Steps     []mailflow.DigestTime
	Oldest    []mailflow.DigestOpen
	Offices   []choice // with requests in the period
	Office    string
	SOPTitle  string
	Path      string
	Available bool
	Packs     []choice // months whose evaluation pack can be downloaded
}

type choice struct {
	Name, Value string
	Here        bool
}

type weekRow struct {
	From             time.Time
	Value            string // as choosePeriod reads it
	In, Kept, Broken int
}

type breachRow struct {
	mailflow.DigestBreach
	Path string
	Over string
}

// periods that the page offers, as spans up to the end of today.
var periods = []struct {
	name, value string
	from        func(today time.Time) time.Time
}{
	{"minggu ini", "minggu", monday},
	{"bulan ini", "bulan", func(t time.Time) time.Time { return t.AddDate(0, 0, 1-t.Day()) }},
	{"12 minggu", "12", func(t time.Time) time.Time { return monday(t).AddDate(0, 0, -7*11) }},
}

func monday(t time.Time) time.Time { return t.AddDate(0, 0, -(int(t.Weekday())+6)%7) }

func (c *Console) reportPage(p *page) error {
	d, err := c.loadReport(p)
	if err != nil {
		return err
	}
	return c.show(p, http.StatusOK, "pimpinan", d)
}

func (c *Console) loadReport(p *page) (reportPage, error) {
	d := reportPage{base: c.base(p, "Pimpinan", "Pimpinan"), Office: p.URL.Query().Get("kantor"), SOPTitle: p.agency.SOP.Title, Path: "/" + p.agency.Key + "/pimpinan",
		Available: c.o.Report != nil}
	if c.o.Report == nil {
		return d, nil
	}
	if _, ok := p.agency.Office(d.Office); d.Office != "" && !ok {
		return d, fmt.Errorf("office: %w", store.ErrNotFound)
	}
	now := p.now.In(p.agency.Zone)
	today := time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, p.agency.Zone)
	tomorrow := today.AddDate(0, 0, 1)
	from, until := d.choosePeriod(p.URL.Query().Get("masa"), today, tomorrow)
	var err error
	if d.D, err = c.o.Report(p.ctx(), p.agency.Key, mailflow.DigestHeadWeekly, d.Office, from, until); err != nil {
		return d, err
	}
	d.Promise, d.Steps, d.Oldest = d.D.Promise, d.D.Times, d.D.Oldest
	if d.Finished = d.D.Kept + d.D.Broken; d.Finished > 0 {
		d.Share = d.D.Kept * 100 / d.Finished
	}
	for _, b := range d.D.Breaches {
		d.Breaches = append(d.Breaches, breachRow{b, "/" + p.agency.Key + "/permohonan/" + b.Number, mailflow.NoticeSpan(b.Over)})
	}
	trend := d.D.Trend
	if !until.Equal(tomorrow) {
		trend = nil
	}
	if d.Weeks, err = c.weeks(p, d.Office, trend, tomorrow); err != nil {
		return d, err
	}
	d.Chart = weekChart(d.Weeks)
	for _, o := range p.agency.Offices {
		d.Offices = append(d.Offices, choice{o.Name, o.ID, o.ID == d.Office})
	}
	if c.o.Pack != nil {
		d.Packs = packs(now)
	}
	slices.SortFunc(d.Offices, func(a, b choice) int { return cmp.Compare(a.Name, b.Name) })
	return d, nil
}

// choosePeriod is the span that the address names: one of the periods, or the week of a Monday. Anything else is the last of them.
func (d *reportPage) choosePeriod(name string, today, tomorrow time.Time) (from, until time.Time) {
	d.Period = periods[len(periods)-1].value
	from, until = periods[len(periods)-1].from(today), tomorrow
	for _, x := range periods {
		if x.value == name {
			d.Period, from = name, x.from(today)
		}
	}
	if day, err := time.ParseInLocation(time.DateOnly, name, today.Location()); err == nil && day.Equal(monday(day)) && day.Before(tomorrow) && day.After(today.AddDate(-10, 0, 0)) {
		d.Period, d.Week, from, until = name, day, day, day.AddDate(0, 0, 7)
	}
	for _, x := range periods {
		d.Choices = append(d.Choices, choice{x.name, x.value, x.value == d.Period})
	}
	return from, until
}

// weeks are the last twelve up to until. A report's trend has the newest eight; nil: the report was about another time.
func (c *Console) weeks(p *page, office string, trend []mailflow.DigestWeek, until time.Time) ([]weekRow, error) {
	newest := monday(until.Add(-time.Nanosecond)).AddDate(0, 0, -7*(report.Weeks-1))
	first := newest.AddDate(0, 0, 7*(report.Weeks-12))
	end := newest
	if trend == nil {
		end = until
	}
	rows, err := c.o.Store.Measures(p.ctx(), p.agency.Key, office, first, end)
	if err != nil {
		return nil, err
	}
	all := report.Sum(rows, p.agency, newest, newest).Weeks[2*report.Weeks-12:]
	if trend == nil {
		all = append(all, report.Sum(rows, p.agency, until, until).Weeks...)
	}
	var out []weekRow
	for _, w := range all {
		out = append(out, weekRow{w.From, w.From.Format(time.DateOnly), w.In, w.Kept, w.Broken})
	}
	for _, w := range trend {
		out = append(out, weekRow{w.From, w.From.Format(time.DateOnly), w.In, w.Kept, w.Broken})
	}
	return out, nil
}

// weekChart draws the weeks as bars, kept below and broken above, each with its number: colour says nothing alone. The table beside it has
// the same figures.
func weekChart(weeks []weekRow) template.HTML {
	const width, height, foot = 1200.0, 220.0, 30.0
	most := 0
	for _, w := range weeks {
		most = max(most, w.Kept+w.Broken)
	}
	if most == 0 {
		return ""
	}
	var b strings.Builder
	fmt.Fprintf(&b, `<svg class="chart" viewBox="0 0 %g %g" aria-hidden="true" focusable="false"><defs><pattern id="garis" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><path class="stripe" d="M0 0v6"/></pattern></defs>`, width, height)
	fmt.Fprintf(&b, `<path class="axis" d="M0 %gH%g"/>`, height-foot+.5, width)
	step := width / float64(max(len(weeks), 1))
	scale := (height - foot - 22) / float64(most)
	for i, w := range weeks {
		x, wide := float64(i)*step+step*0.25, step*0.5
		y := height - foot
		if w.Kept > 0 {
			h := float64(w.Kept) * scale
			y -= h
			fmt.Fprintf(&b, `<rect class="kept" x="%.1f" y="%.1f" width="%.1f" height="%.1f"/>`, x, y, wide, h)
		}
		if w.Broken > 0 {
			h := float64(w.Broken) * scale
			y -= h
			fmt.Fprintf(&b, `<rect class="broken" x="%.1f" y="%.1f" width="%.1f" height="%.1f"/><rect fill="url(#garis)" x="%.1f" y="%.1f" width="%.1f" height="%.1f"/>`,
				x, y, wide, h, x, y, wide, h)
		}
		if n := w.Kept + w.Broken; n > 0 {
			fmt.Fprintf(&b, `<text class="n" x="%.1f" y="%.1f">%d</text>`, x+wide/2, y-6, n)
		}
		fmt.Fprintf(&b, `<text class="week" x="%.1f" y="%.1f">%d/%d</text>`, x+wide/2, height-foot+20, w.From.Day(), w.From.Month())
	}
	b.WriteString(`</svg>`)
	return template.HTML(b.String())
}

// packs are the evaluation packs that can be downloaded: this month so far, and the eleven before.
func packs(now time.Time) []choice {
	var out []choice
	first := time.Date(now.Year(), now.Month(), 1, 0, 0, 0, 0, now.Location())
	for i := range 12 {
		month := first.AddDate(0, -i, 0)
		out = append(out, choice{Name: mailflow.NoticePeriod(month, month.AddDate(0, 1, 0)), Value: month.Format("2006-01")})
	}
	return out
}

// choosePack leads from the form's month to its file.
func (c *Console) choosePack(p *page) error {
	month, kind := p.URL.Query().Get("bulan"), p.URL.Query().Get("berkas")
	if _, err := time.Parse("2006-01", month); err != nil || kind != "pdf" && kind != "xlsx" {
		return say(http.StatusUnprocessableEntity, "Pilih bulan dan jenis berkasnya.")
	}
	return p.redirect("/" + p.agency.Key + "/pimpinan/bahan/" + month + "/" + kind)
}

// downloadPack hands out the pack of a month for the evaluation meeting, as PDF or XLSX. It names people, so the download is recorded.
func (c *Console) downloadPack(p *page) error {
	from, err := time.ParseInLocation("2006-01", p.PathValue("month"), p.agency.Zone)
	kind := p.PathValue("kind")
	if err != nil || kind != "pdf" && kind != "xlsx" || c.o.Pack == nil || from.After(p.now) || from.Before(p.now.AddDate(-10, 0, 0)) {
		return fmt.Errorf("pack: %w", store.ErrNotFound)
	}
	files, err := c.o.Pack(p.ctx(), p.agency.Key, from, from.AddDate(0, 1, 0))
	if err != nil {
		return err
	}
	i := slices.IndexFunc(files, func(f mailflow.Attached) bool { return strings.HasSuffix(f.Name, "."+kind) })
	if i < 0 {
		return fmt.Errorf("pack as %s: %w", kind, store.ErrNotFound)
	}
	if err := c.o.Store.InTx(p.ctx(), p.now, func(tx *store.Tx) error {
		return tx.Audit(p.agency.Key, p.who.person.ID, "mengunduh bahan rapat", "bahan/"+from.Format("2006-01"), files[i].Name)
	}); err != nil {
		return err
	}
	p.w.Header().Set("Content-Type", files[i].MIME)
	p.w.Header().Set("Content-Disposition", disposition(files[i].Name))
	p.w.Header().Set("Content-Security-Policy", "default-src 'none'; sandbox")
	_, _ = p.w.Write(files[i].Data)
	return nil
}

// exportReport hands the period's breaches out as CSV.
func (c *Console) exportReport(p *page) error {
	d, err := c.loadReport(p)
	if err != nil {
		return err
	}
	var out bytes.Buffer
	out.WriteString("\uFEFF")
	w := csv.NewWriter(&out)
	w.Comma = ';'
	rows := [][]string{{"nomor", "kantor", "pemohon", "langkah", "lewat_menit", "alasan"}}
	for _, b := range d.D.Breaches {
		rows = append(rows, []string{b.Number, cell(b.Office), cell(b.Applicant), cell(b.Step), fmt.Sprint(int(b.Over.Minutes())), cell(b.Reason)})
	}
	if err := w.WriteAll(rows); err != nil {
		return fmt.Errorf("writing the report as CSV: %w", err)
	}
	p.w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	p.w.Header().Set("Content-Disposition", disposition("janji-layanan-"+p.agency.Key+".csv"))
	_, _ = p.w.Write(out.Bytes())
	return nil
}
