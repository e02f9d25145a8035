package console_test

import (
	"fmt"
	"html"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"pulih/internal/agency"
	"pulih/internal/request"
	"pulih/internal/sop"
)

// copies fills the queue with rows like that of a request: numbers from 100001 on, each a minute later than the one before.
func (d *desk) copies(number string, n int) {
	d.t.Helper()
	_, err := d.store.Pool.Exec(d.t.Context(), `INSERT INTO requests (number, agency, version, status, sop, step, holder, holder_ids, since, applicant, applicant_fold, nip_key, office_id,
			office, letter_number, number_fold, letter_subject, channels, dangers, warnings, opened_at, closed_at, reset_at, due_at, remind_at, calendar)
		SELECT 'PBG-2026-' || 100000 + n, agency, version, status, sop, step, holder, holder_ids, since, 'Pemohon Contoh ' || n, applicant_fold, NULL, office_id,
			office, '800/' || n, '', letter_subject, channels, 0, 0, opened_at, NULL, NULL, due_at + n * interval '1 minute', NULL, calendar
		FROM requests, generate_series(1, $2) n WHERE number = $1`, number, n)
	if err != nil {
		d.t.Fatal(err)
	}
}

// rowsOn are the numbers on a page of the desk.
func rowsOn(body string) []string {
	var out []string
	for _, part := range strings.Split(body, `<th scope="row"><a href="`)[1:] {
		_, part, _ = strings.Cut(part, ">")
		number, _, _ := strings.Cut(part, "<")
		out = append(out, number)
	}
	return out
}

// A long queue is led through page by page: each request once, by time left.
func TestLongQueueHasPages(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	number := d.request("purbalingga", "dindikbud", wahyu)
	d.atVerifier("purbalingga", number)
	d.copies(number, 119)
	rini := d.as("purbalingga", "rini")
	for name, path := range map[string]string{"queue": "/purbalingga", "search": "/purbalingga?cari=DINAS+pendidikan", "filter": "/purbalingga?saring=saya"} {
		var seen []string
		for next, pages := path, 0; next != ""; pages++ {
			status, body := rini.get(next)
			if status != 200 || pages > 3 {
				t.Fatalf("%s, page %d: %d", name, pages+1, status)
			}
			seen = append(seen, rowsOn(body)...)
			next = ""
			if at := strings.Index(body, `rel="next"`); at > 0 {
				link := body[:at]
				link = link[strings.LastIndex(link, `href="`)+len(`href="`):]
				next = html.UnescapeString(strings.TrimSuffix(strings.TrimSpace(link), `"`))
			}
		}
		if once := slices.Compact(slices.Sorted(slices.Values(seen))); len(seen) != 120 || len(once) != 120 {
			t.Errorf("%s: %d rows, %d of them once", name, len(seen), len(once))
		}
		if name == "queue" && (seen[0] != number || seen[1] != "PBG-2026-100001" || seen[119] != "PBG-2026-100119") {
			t.Errorf("the order is %s, %s ... %s", seen[0], seen[1], seen[119])
		}
	}
	if _, body := rini.get("/purbalingga?hal=99"); !strings.Contains(body, "Sebelumnya") {
		t.Error("beyond the last page there is no way back")
	}
	if _, body := rini.get("/purbalingga?cari=sd"); !strings.Contains(body, "sedikitnya tiga huruf") {
		t.Error("a search for two letters isn't refused with words")
	}
	for text, want := range map[string]string{"pemohon contoh 77": "PBG-2026-100077", "800/78": "PBG-2026-100078", "2026-100079": "PBG-2026-100079", "%%%": "", "___": ""} {
		_, body := rini.get("/purbalingga?cari=" + url.QueryEscape(text))
		if got := strings.Join(rowsOn(body), ","); got != want {
			t.Errorf("searching %q finds %q, want %q", text, got, want)
		}
	}
}

// The filters say what the rules do: whose work it is, what is nearly over and what is over.
func TestFilters(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	a := d.agency("purbalingga")
	late := d.request("purbalingga", "dindikbud", wahyu)
	d.atVerifier("purbalingga", late)
	d.pass(140 * time.Minute) // of 150
	galihs := d.request("purbalingga", "dinkes", fajar)
	by := request.Actor{Role: sop.Section, ID: "bagas", Name: "Bagas", Via: "console"}
	if _, err := d.store.Act(t.Context(), a, galihs, d.clock(), request.Assign{By: by, Person: "galih"}); err != nil {
		t.Fatal(err)
	}
	heads := d.request("purbalingga", "dpupr", "198612242011011924")
	filtered := func(id, filter string) string {
		t.Helper()
		_, body := d.as("purbalingga", id).get("/purbalingga?saring=" + filter)
		got := rowsOn(body)
		slices.Sort(got)
		return strings.Join(got, " ")
	}
	for _, c := range []struct{ who, filter, want string }{
		{"rini", "saya", late}, {"galih", "saya", late + " " + galihs}, {"surya", "saya", heads}, {"bagas", "saya", ""}, {"ayu", "saya", ""},
		{"rini", "hampir", late}, {"rini", "lewat", ""}, {"rini", "", late + " " + galihs + " " + heads}, {"rini", "aneh", late + " " + galihs + " " + heads},
	} {
		if got := filtered(c.who, c.filter); got != c.want {
			t.Errorf("%s, %q: %q, want %q", c.who, c.filter, got, c.want)
		}
	}
	d.pass(11 * time.Minute)
	if got := filtered("rini", "lewat"); got != late {
		t.Errorf("over: %q, want %q", got, late)
	}
	if got := filtered("rini", "hampir"); got != "" {
		t.Errorf("nearly over, once it is over: %q", got)
	}
	// Whoever acts for somebody has their work.
	for i, p := range a.Staff {
		if p.ID == "galih" {
			a.Staff[i].Leave = []agency.Leave{{From: d.clock().Add(-time.Hour), Until: d.clock().Add(time.Hour), Deputy: "rini"}}
		}
	}
	if got := filtered("rini", "saya"); got != late+" "+galihs {
		t.Errorf("the deputy's work: %q", got)
	}
}

// The keys lead through the list and to the search, and tell of themselves.
func TestKeys(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	first := d.request("purbalingga", "dindikbud", wahyu)
	d.pass(time.Minute)
	second := d.request("purbalingga", "dinkes", fajar)
	w := d.sit("purbalingga", "rini")
	w.reads(second)
	chosen := func() string {
		text, err := chromedp.Run(w.ctx, chromedp.Evaluate[string](`document.querySelector("tr.chosen a")?.innerText || ""`))
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	for _, step := range []struct{ key, want string }{{"j", first}, {"j", second}, {"j", second}, {"k", first}, {"k", first}} {
		w.do(chromedp.KeyEvent(step.key))
		if got := chosen(); got != step.want {
			t.Errorf("after %q: %q, want %q", step.key, got, step.want)
		}
	}
	w.do(chromedp.KeyEvent("?"), chromedp.WaitVisible(`dialog[open]`), chromedp.KeyEvent("\x1b"), chromedp.WaitNotVisible(`dialog`))
	w.do(chromedp.KeyEvent("/"), chromedp.WaitVisible(`#cari:focus`))
	w.do(chromedp.KeyEvent("\b"), chromedp.KeyEvent("fajar"), chromedp.KeyEvent("\r")) // a real keyboard brings no "/" along
	w.reads("1 permohonan cocok dengan “fajar”")
	if got := fmt.Sprint(first, second); strings.Contains(w.text(), first) {
		t.Errorf("the search shows another request of %s", got)
	}
	w.open("/purbalingga/permohonan/" + second)
	w.do(chromedp.KeyEvent("u"))
	w.reads("menunggu saya")
}
