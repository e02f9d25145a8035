package console_test

import (
	"bytes"
	"cmp"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"pulih/internal/letter"
	"pulih/internal/request"
	"pulih/mailflow"
)

// gallery is a desk in the middle of a morning, with something of everything.
func gallery(t *testing.T) (d *desk, pages map[string]string) {
	t.Helper()
	d = newDesk(t)
	weeks := 2
	if os.Getenv("PULIH_SCREENS") != "" {
		weeks = 10
	}
	d.pastWeeks(weeks)
	danger := func(o *request.Open) {
		o.Findings = append(o.Findings, letter.Finding{Code: "address-differs", Severity: letter.Danger, Detail: "E-mail pemohon pada surat berbeda dari alamat resmi yang terdaftar."})
	}
	a := d.agency("purbalingga")
	var numbers []string
	for i, who := range []struct{ office, nip string }{{"dindikbud", wahyu}, {"dinkes", fajar}, {"dpupr", "198612242011011924"}, {"dindikbud", "197812052005012921"}, {"dinkes", "198803112012012922"}} {
		change := func(*request.Open) {}
		if i == 1 {
			change = danger
		}
		numbers = append(numbers, d.request("purbalingga", who.office, who.nip, change))
		d.pass(21 * 60e9)
	}
	for _, n := range numbers[:4] {
		d.atVerifier("purbalingga", n)
	}
	rini := request.Actor{Role: "verifier", ID: "rini", Name: "Rini Wulandari, S.Kom.", Via: "console"}
	act := func(n string, cmds ...request.Command) {
		t.Helper()
		if _, err := d.store.Act(t.Context(), a, n, d.clock(), cmds...); err != nil {
			t.Fatal(err)
		}
	}
	act(numbers[3], request.Return{By: rini, Missing: []string{"Stempel OPD"}})
	act(numbers[2], request.Approve{By: rini, Subject: d.state(numbers[2]).Subject})
	unclear, _ := d.mail("purbalingga", "dpupr", "", unclearForm)
	d.as("purbalingga", "rini").post("/purbalingga/pengaduan", map[string][]string{"saluran": {"telephone"}, "waktu": {d.clock().Format("2006-01-02T15:04")},
		"isi": {"Tautan belum saya terima sejak kemarin."}, "nama": {"Wahyu Nugroho"}})
	d.as("purbalingga", "rini").post("/purbalingga/kantor/dinkes/pejabat", map[string][]string{"nama": {"dr. Fajar Setiadi"}, "nip": {fajar}, "jabatan": {"Sekretaris Dinas Kesehatan"}, "surel": {"fajar.baru@purbalinggakab.go.id"}, "tempat": {"official"}})
	d.pass(40 * 60e9)
	linked := d.request("purbalingga", "dpupr", "196909171996031923")
	d.atVerifier("purbalingga", linked)
	act(linked, request.Approve{By: rini, Subject: d.state(linked).Subject, SeenRisks: true}, request.Confirm{By: rini})
	second, _ := d.mail("purbalingga", "dindikbud", wahyu)
	doubt := d.doubt("purbalingga", numbers[0], second, wahyu)
	key := d.store.Keys.Derive("status-link")
	return d, map[string]string{
		"surat-mungkin-sama": fmt.Sprintf("/purbalingga/ragu/%d", doubt), "status-pemohon": mailflow.StatusPath(key, linked, mailflow.ForApplicant), "tautan-terkirim": "/purbalingga/permohonan/" + linked,
		"masuk": "/masuk", "kunci": "/purbalingga/akun/kunci", "kosong": "/madiun", "kosong-surat": "/madiun/surat", "kosong-pimpinan": "/madiun/pimpinan",
		"meja-kerja": "/purbalingga", "permohonan": "/purbalingga/permohonan/" + numbers[1], "surat": "/purbalingga/surat", "surat-belum-jelas": fmt.Sprintf("/purbalingga/surat/%d", unclear),
		"pengaduan": "/purbalingga/pengaduan", "pengaduan-satu": "/purbalingga/pengaduan/PBG-P-2026-000001", "catat-pengaduan": "/purbalingga/pengaduan/baru",
		"kantor": "/purbalingga/kantor", "kantor-satu": "/purbalingga/kantor/dinkes", "pimpinan": "/purbalingga/pimpinan", "sistem": "/purbalingga/sistem",
		"akun": "/purbalingga/akun", "ams": "/purbalingga/ams", "demo": "/", "status": mailflow.StatusPath(key, numbers[3], mailflow.ForOffice),
		"dikembalikan": "/purbalingga/permohonan/" + numbers[3], "tidak-ada": "/purbalingga/tidak-ada",
	}
}

// pastWeeks has the agency serve two to four requests a week until now, some of them late.
func (d *desk) pastWeeks(n int) {
	d.t.Helper()
	a, end := d.agency("purbalingga"), d.clock()
	rini := request.Actor{Role: "verifier", ID: "rini", Name: "Rini Wulandari, S.Kom.", Via: "console"}
	// Nobody twice within a week: that would need a second verifier.
	people := [2][]struct{ office, nip string }{
		{{"dindikbud", wahyu}, {"dinkes", fajar}, {"dpupr", "198612242011011924"}, {"dindikbud", "197812052005012921"}},
		{{"dinkes", "198803112012012922"}, {"dinkes", "197001081999032913"}, {"dindikbud", "197105301997022911"}, {"dpupr", "196909171996031923"}},
	}
	d.pass(-time.Duration(n) * 7 * 24 * time.Hour)
	for week := range n {
		monday := d.clock()
		for _, who := range people[week%2][:2+week*week%3] {
			number := d.request("purbalingga", who.office, who.nip)
			d.atVerifier("purbalingga", number)
			d.pass(35 * time.Minute)
			if week%4 == 1 && who.office == "dindikbud" || week == 6 && who.nip == fajar {
				d.pass(3 * time.Hour)
			}
			cmds := []request.Command{request.Approve{By: rini, Subject: d.state(number).Subject}, request.Confirm{By: rini}, request.Observe{Kind: request.Usable, At: d.clock(), By: rini}}
			if _, err := d.store.Act(d.t.Context(), a, number, d.clock(), cmds...); err != nil {
				d.t.Fatal(err)
			}
		}
		d.pass(monday.Add(7 * 24 * time.Hour).Sub(d.clock()))
	}
	d.pass(end.Sub(d.clock()))
}

// Every page, on a phone, a tablet and a desktop, light and dark: nothing is wider than the window, and axe-core finds nothing to complain of
// (WCAG 2.2 A and AA). PULIH_SCREENS=DIR keeps pictures.
func TestLook(t *testing.T) {
	t.Parallel()
	axe, err := os.ReadFile("testdata/axe.min.js")
	if err != nil {
		t.Fatal(err)
	}
	d, pages := gallery(t)
	galih, citra := d.sit("purbalingga", "galih"), d.sit("madiun", "citra") // with much to do, and with nothing
	all := os.Getenv("PULIH_SOAK") != "" || os.Getenv("PULIH_SCREENS") != ""
	for name, path := range pages {
		w := galih
		if strings.HasPrefix(path, "/madiun") {
			w = citra
		}
		for _, mode := range []string{"light", "dark"} {
			_, err := chromedp.Call(w.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
				{Name: "prefers-color-scheme", Value: mode}, {Name: "prefers-reduced-motion", Value: "reduce"}}})
			if err != nil {
				t.Fatal(err)
			}
			for _, width := range []int64{390, 1024, 1440} {
				w.do(chromedp.EmulateViewport(width, 900))
				if !all && (mode == "light") != (width == 390) {
					continue // a phone by day and the others by night: the whole set is PULIH_SOAK's
				}
				w.open(path)
				where := fmt.Sprintf("%s, %s, %d px", name, mode, width)
				w.fits(where, width)
				if all || width != 1024 {
					w.inspect(string(axe), where)
				}
				w.keep(fmt.Sprintf("%s-%d-%s", name, width, mode))
			}
		}
	}
}

func (w *window) fits(where string, width int64) {
	w.d.t.Helper()
	if wide, err := chromedp.Run(w.ctx, chromedp.Evaluate[int64]("document.documentElement.scrollWidth")); err != nil || wide > width {
		w.d.t.Errorf("%s: %d px wide, %v", where, wide, err)
	}
}

func (w *window) inspect(axe, where string) {
	w.d.t.Helper()
	if _, err := chromedp.Run(w.ctx, chromedp.Evaluate[bool](axe+"\n;true")); err != nil {
		w.d.t.Fatal(err)
	}
	found, err := chromedp.Run(w.ctx, chromedp.Evaluate[[]string](`axe.run(document, {runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]})
		.then((r) => r.violations.map((v) => v.id + ": " + v.help + " " + v.nodes.slice(0, 3).map((n) => n.html + " " + (n.any[0]?.message || "")).join(" | ")))`, chromedp.EvalAwaitPromise))
	if err != nil {
		w.d.t.Fatal(err)
	}
	for _, f := range found {
		w.d.t.Errorf("%s: %.400s", where, f)
	}
}

// keep writes a picture of what the window shows, in few colours, where the environment asks for one.
func (w *window) keep(name string) {
	dir := os.Getenv("PULIH_SCREENS")
	if dir == "" {
		return
	}
	shot, err := chromedp.Run(w.ctx, chromedp.FullScreenshot(100))
	if err != nil {
		w.d.t.Fatal(err)
	}
	full, err := png.Decode(bytes.NewReader(shot))
	if err != nil {
		w.d.t.Fatal(err)
	}
	var out bytes.Buffer
	encoder := png.Encoder{CompressionLevel: png.BestCompression}
	if err := encoder.Encode(&out, fewColours(full, 1100)); err != nil {
		w.d.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name+".png"), out.Bytes(), 0o644); err != nil {
		w.d.t.Fatal(err)
	}
}

// fewColours keeps the 63 most frequent colours of a picture, and at most some lines of it: a third of the bytes.
func fewColours(img image.Image, lines int) image.Image {
	box := img.Bounds()
	box.Max.Y = min(box.Max.Y, box.Min.Y+lines)
	count := map[color.RGBA]int{}
	for y := box.Min.Y; y < box.Max.Y; y++ {
		for x := box.Min.X; x < box.Max.X; x++ {
			r, g, b, _ := img.At(x, y).RGBA()
			count[color.RGBA{uint8(r>>8) &^ 7, uint8(g>>8) &^ 7, uint8(b>>8) &^ 7, 255}]++
		}
	}
	all := slices.Collect(maps.Keys(count))
	slices.SortFunc(all, func(a, b color.RGBA) int { return cmp.Compare(count[b], count[a]) })
	palette := color.Palette{color.White}
	for _, c := range all[:min(len(all), 63)] {
		c.R, c.G, c.B = c.R|c.R>>5, c.G|c.G>>5, c.B|c.B>>5
		palette = append(palette, c)
	}
	out := image.NewPaletted(box, palette)
	near := map[color.Color]uint8{}
	for y := box.Min.Y; y < box.Max.Y; y++ {
		for x := box.Min.X; x < box.Max.X; x++ {
			c := img.At(x, y)
			i, ok := near[c]
			if !ok {
				i = uint8(palette.Index(c))
				near[c] = i
			}
			out.SetColorIndex(x, y, i)
		}
	}
	return out
}
