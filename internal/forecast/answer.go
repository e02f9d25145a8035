package forecast

import (
	"fmt"
	"html/template"
	"io"
	"strings"
	"text/tabwriter"

	"pulih/internal/agency"
	"pulih/mailflow"
)

// Answer is the plan played with fewer and with more verifiers: "are three enough?"
type Answer struct {
	Agency *agency.Agency
	Asked  Result   // with the number asked for
	Others []Result // from one fewer to two more, the asked one among them
}

// Ask plays a plan, and beside it the same letters with one verifier fewer, one more and two more.
func Ask(a *agency.Agency, p Plan) (Answer, error) {
	out := Answer{Agency: a}
	for n := max(1, p.Verifiers-1); n <= p.Verifiers+2; n++ {
		other := p
		other.Verifiers = n
		r, err := Run(a, other)
		if err != nil {
			return out, err
		}
		if out.Others = append(out.Others, r); n == p.Verifiers {
			out.Asked = r
		}
	}
	return out, nil
}

// Verdict is the answer in one sentence.
func (a Answer) Verdict() string {
	worst := a.Asked.Desks[0]
	for _, d := range a.Asked.Desks {
		if d.LongestRow > worst.LongestRow {
			worst = d
		}
	}
	kept := int(a.Asked.Kept() * 100)
	where := fmt.Sprintf("antrean terpanjang ada pada %s (rata-rata menunggu %s pada jam kerja, paling banyak %d surat)", worst.Role.Title(), mailflow.NoticeSpan(worst.Wait), worst.LongestRow)
	if a.Asked.Open > 2*int(a.Asked.Plan.Arrivals) {
		return fmt.Sprintf("%d verifikator tidak cukup: %d permohonan masih terbuka pada akhir masa, hanya %d%% janji ditepati; %s.", a.Asked.Plan.Verifiers, a.Asked.Open, kept, where)
	}
	answer := fmt.Sprintf("Dengan %d verifikator %d%% janji ditepati; %s.", a.Asked.Plan.Verifiers, kept, where)
	for i, r := range a.Others {
		if i > 0 && a.Others[i-1].Plan.Verifiers == a.Asked.Plan.Verifiers {
			answer += fmt.Sprintf(" Satu verifikator lagi: %d%%.", int(r.Kept()*100))
		}
	}
	return answer
}

// Assumptions are what the answer hangs on, one sentence each.
func (p Plan) Assumptions() []string {
	share := func(f float64) string { return fmt.Sprintf("%d%%", int(f*100+0.5)) }
	return []string{
		fmt.Sprintf("Rata-rata %g surat tiap hari kerja (acak menurut Poisson), %s di antaranya datang setelah jam kerja.", p.Arrivals, share(p.After)),
		fmt.Sprintf("%d hari kerja mulai %s; benih acak %d.", p.Days, mailflow.NoticeDay(p.Start), p.Seed),
		fmt.Sprintf("Pejabat melihat surat baru setelah rata-rata %s dan meneruskannya dengan %s kerja; mereka menyediakan %s jam kerjanya untuk surat.", mailflow.NoticeSpan(p.Glance), mailflow.NoticeSpan(p.Forward), share(p.ChiefShare)),
		fmt.Sprintf("Verifikator melihat permohonan baru setelah rata-rata %s, memeriksa %s dan mengajukan reset %s; menyediakan %s jam kerjanya untuk permohonan.", mailflow.NoticeSpan(p.Look), mailflow.NoticeSpan(p.Check), mailflow.NoticeSpan(p.Reset), share(p.VerifyShare)),
		fmt.Sprintf("%s permohonan dikembalikan; kantor melengkapi dalam rata-rata %s pada jam kerja, jam berhenti selama itu.", share(p.Returned), mailflow.NoticeSpan(p.Answer)),
		fmt.Sprintf("BSrE mengirim tautan dalam rata-rata %s, pemohon membuat passphrase dalam %s, sertifikat dapat dipakai %s sesudahnya.", mailflow.NoticeSpan(p.Link), mailflow.NoticeSpan(p.Passphrase), mailflow.NoticeSpan(p.Certificate)),
		"Lama tiap pekerjaan acak: kebanyakan lebih pendek dari rata-ratanya, sebagian jauh lebih panjang.",
	}
}

// Text writes the answer for a terminal: a table and a chart of bars.
func (a Answer) Text(out io.Writer) error {
	fmt.Fprintf(out, "%s\n%s\n\nYang diandaikan:\n", a.Agency.Unit, a.Agency.SOP.Title)
	for _, s := range a.Asked.Plan.Assumptions() {
		fmt.Fprintf(out, "  - %s\n", s)
	}
	fmt.Fprintf(out, "\nJanji yang ditepati menurut jumlah verifikator:\n")
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "  verifikator\tditepati\t\tlewat\tmedian\tpersentil 90\tterbuka di akhir\tkesibukan verifikator")
	for _, r := range a.Others {
		mark := " "
		if r.Plan.Verifiers == a.Asked.Plan.Verifiers {
			mark = ">"
		}
		whole, d := r.Figures.Times[0], r.Desks[len(r.Desks)-1]
		fmt.Fprintf(w, "%s %d\t%6s\t%s\t%d\t%s\t%s\t%d\t%.0f%%\n", mark, r.Plan.Verifiers, percent(r.Kept()), bar(r.Kept(), 20), r.Figures.Broken, mailflow.NoticeSpan(whole.Median),
			mailflow.NoticeSpan(whole.P90), r.Open, d.Busy*100)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(out, "\nTempat antrean terbentuk, dengan %d verifikator:\n", a.Asked.Plan.Verifiers)
	w = tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "  meja\torang\tdikerjakan\tkesibukan\t\tmenunggu rata-rata\tantrean terpanjang")
	for _, d := range a.Asked.Desks {
		fmt.Fprintf(w, "  %s\t%d\t%d\t%.0f%%\t%s\t%s\t%d\n", d.Role.Title(), d.People, d.Done, d.Busy*100, bar(d.Busy, 20), mailflow.NoticeSpan(d.Wait), d.LongestRow)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(out, "\n%s\n", a.Verdict())
	return err
}

// percent is a share with one decimal, rounded down: "86,1%".
func percent(share float64) string {
	tenths := int(share*1000 + 1e-9)
	return fmt.Sprintf("%d,%d%%", tenths/10, tenths%10)
}

func bar(share float64, width int) string {
	n := min(max(int(share*float64(width)+0.5), 0), width)
	return strings.Repeat("█", n) + strings.Repeat("·", width-n)
}

// HTML writes the answer as a page of its own, with its chart as SVG within.
func (a Answer) HTML(out io.Writer) error {
	return page.Execute(out, struct {
		Answer
		Verdict string
		Bars    []svgBar
		Days    []svgBar
	}{a, a.Verdict(), a.bars(), a.backlog()})
}

type svgBar struct {
	X, Y, W, H float64
	Label      string
	Value      string
	Late       float64 // height of the broken part, at the top
}

const chart = 160.0

func (a Answer) bars() []svgBar {
	var out []svgBar
	for i, r := range a.Others {
		kept := r.Kept() * chart
		out = append(out, svgBar{X: float64(40 + i*110), Y: chart - kept + 20, W: 64, H: kept, Late: chart - kept, Label: fmt.Sprintf("%d verifikator", r.Plan.Verifiers), Value: percent(r.Kept())})
	}
	return out
}

// backlog is what waited at the verifiers at the close of each day.
func (a Answer) backlog() []svgBar {
	most := 1
	for _, n := range a.Asked.Backlog {
		most = max(most, n)
	}
	var out []svgBar
	w := 640 / float64(max(len(a.Asked.Backlog), 1))
	for i, n := range a.Asked.Backlog {
		h := float64(n) / float64(most) * 90
		out = append(out, svgBar{X: float64(i) * w, Y: 100 - h, W: max(w-0.6, 0.6), H: h})
	}
	return out
}

var page = template.Must(template.New("forecast").Funcs(template.FuncMap{
	"span": mailflow.NoticeSpan, "percent": func(f float64) string { return fmt.Sprintf("%.0f%%", f*100) },
}).Parse(`<!doctype html>
<html lang="id"><meta charset="utf-8"><title>Simulasi {{.Agency.Unit}}</title>
<style>
body{font:16px/1.5 system-ui,sans-serif;color:#1d232b;max-width:720px;margin:32px auto;padding:0 16px}
h1{font-size:28px;line-height:1.2;margin:0 0 4px}h2{font-size:20px;margin:32px 0 8px}
.verdict{background:#f4f6f9;border-left:4px solid #1f4e8c;padding:12px 16px;border-radius:6px}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums;font-size:14px}th{text-align:left;color:#5c6673;font-weight:600}
td,th{padding:6px 8px;border-bottom:1px solid #d9dee5}td.n,th.n{text-align:right}li{margin:2px 0;font-size:14px;color:#5c6673}
svg{width:100%;height:auto}text{font:13px system-ui,sans-serif;fill:#1d232b}
</style>
<h1>Cukupkah {{.Asked.Plan.Verifiers}} verifikator?</h1>
<p>{{.Agency.SOP.Title}}, {{.Agency.Unit}}</p>
<p class="verdict">{{.Verdict}}</p>
<h2>Janji yang ditepati</h2>
<svg viewBox="0 0 480 220" role="img" aria-label="Janji yang ditepati menurut jumlah verifikator">
{{range .Bars}}<rect x="{{.X}}" y="20" width="{{.W}}" height="{{.Late}}" fill="#b3261e"/><rect x="{{.X}}" y="{{.Y}}" width="{{.W}}" height="{{.H}}" fill="#1f4e8c"/>
<text x="{{.X}}" y="14">{{.Value}}</text><text x="{{.X}}" y="200">{{.Label}}</text>{{end}}
</svg>
<p>Biru: ditepati; merah, di atas: lewat.</p>
<table><tr><th>Verifikator</th><th class="n">Ditepati</th><th class="n">Lewat</th><th class="n">Median</th><th class="n">Persentil 90</th><th class="n">Terbuka di akhir</th></tr>
{{range .Others}}<tr><td>{{.Plan.Verifiers}}</td><td class="n">{{percent .Kept}}</td><td class="n">{{.Figures.Broken}}</td>{{with index .Figures.Times 0}}<td class="n">{{span .Median}}</td><td class="n">{{span .P90}}</td>{{end}}<td class="n">{{.Open}}</td></tr>
{{end}}</table>
<h2>Tempat antrean terbentuk</h2>
<table><tr><th>Meja</th><th class="n">Orang</th><th class="n">Dikerjakan</th><th class="n">Kesibukan</th><th class="n">Menunggu rata-rata</th><th class="n">Antrean terpanjang</th></tr>
{{range .Asked.Desks}}<tr><td>{{.Role.Title}}</td><td class="n">{{.People}}</td><td class="n">{{.Done}}</td><td class="n">{{percent .Busy}}</td><td class="n">{{span .Wait}}</td><td class="n">{{.LongestRow}}</td></tr>
{{end}}</table>
<h2>Antrean verifikator tiap akhir hari kerja</h2>
<svg viewBox="0 0 640 104" role="img" aria-label="Antrean verifikator tiap akhir hari kerja">{{range .Days}}<rect x="{{.X}}" y="{{.Y}}" width="{{.W}}" height="{{.H}}" fill="#1f4e8c"/>{{end}}<rect x="0" y="100" width="640" height="0.6" fill="#5c6673"/></svg>
<h2>Yang diandaikan</h2>
<ul>{{range .Asked.Plan.Assumptions}}<li>{{.}}</li>{{end}}</ul>
</html>
`))
