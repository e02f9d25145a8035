package mailflow

import (
	"flag"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/html"
)

var noticeUpdate = flag.Bool("update", false, "write testdata/golden anew from what the templates say now")

// noticeMail is a rendered sample under its golden name.
type noticeMail struct {
	name string
	Rendered
}

// noticeMails renders every sample: each notice whole and bare, each digest full and of nothing.
func noticeMails(t *testing.T) []noticeMail {
	t.Helper()
	var mails []noticeMail
	keep := func(name string, r Rendered, err error) {
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		mails = append(mails, noticeMail{name, r})
	}
	for _, n := range NoticeSamples() {
		r, err := RenderNotice(n, nil)
		keep(n.Template, r, err)
		r, err = RenderNotice(NoticeSampleBare(n.Template), nil)
		keep(n.Template+"-bare", r, err)
	}
	for _, d := range DigestSamples() {
		r, err := RenderDigest(d, nil)
		keep(d.Template, r, err)
		r, err = RenderDigest(DigestSampleZero(d.Template), nil)
		keep(d.Template+"-zero", r, err)
	}
	return mails
}

func TestNoticeGolden(t *testing.T) {
	t.Parallel()
	for _, m := range noticeMails(t) {
		for ext, got := range map[string]string{".txt": "Subject: " + m.Subject + "\n\n" + m.Text, ".html": m.HTML} {
			if ext == ".html" && strings.HasSuffix(m.name, "-bare") {
				continue // the text tells the same
			}
			file := filepath.Join("testdata", "golden", m.name+ext)
			if *noticeUpdate {
				if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
				continue
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Error(err)
			} else if got != string(want) {
				t.Errorf("%s differs from what is rendered now; look at the difference, then run go test ./mailflow -run NoticeGolden -update\ngot:\n%s", file, got)
			}
		}
	}
}

func TestNoticeEachTemplateHasItsFileAndSample(t *testing.T) {
	t.Parallel()
	names := append(append(NoticeTemplates(), DigestTemplates()...), "layout", "parts")
	for i, n := range names {
		names[i] = n + ".html"
	}
	var files []string
	entries, err := fs.ReadDir(templateFiles, "templates")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.Name() != "mail.css" {
			files = append(files, e.Name())
		}
	}
	slices.Sort(names)
	if !slices.Equal(names, files) {
		t.Errorf("files:\n%v\nnames:\n%v", files, names)
	}
	for i, n := range NoticeSamples() {
		if n.Template != noticeTemplates[i] || n.Now.IsZero() {
			t.Errorf("sample %d is of %q", i, n.Template)
		}
	}
}

func TestNoticeSaysWhatEveryMailMust(t *testing.T) {
	t.Parallel()
	for _, m := range noticeMails(t) {
		flat := strings.Join(strings.Fields(m.Text), " ")
		for _, want := range []string{"Yth. ", "Hormat kami, Tim Verifikator Sertifikat Elektronik Dinkominfo Kabupaten Purbalingga",
			"Kami tidak pernah meminta passphrase, kata sandi atau kode OTP."} {
			if !strings.Contains(flat, want) {
				t.Errorf("%s does not say %q", m.name, want)
			}
		}
		if !regexp.MustCompile(`^\[PBG(-2026-000\d\d\d|-P-2026-0000\d\d)?\] \p{Lu}|^\[PBG[-\d]*\] \d`).MatchString(m.Subject) {
			t.Errorf("%s: subject %q", m.name, m.Subject)
		}
		if number := strings.Trim(strings.Fields(m.Subject)[0], "[]"); number != "PBG" && !strings.Contains(flat, "Nomor "+number+".") {
			t.Errorf("%s does not give its number %s at the end", m.name, number)
		}
		for _, bad := range []string{"<no value>", "%!", "{{", "ZgotmplZ", " ,", " .", "..", "()", ": .", "<nil>", "Januari 1 "} {
			text := regexp.MustCompile(`(?m)^[\w ]+ +: |-{3,}|={2,}`).ReplaceAllString(m.Text, "")
			if strings.Contains(strings.Join(strings.Fields(text), " "), bad) {
				t.Errorf("%s contains %q", m.name, bad)
			}
		}
	}
}

func TestNoticeTextIsWrappedAndPlain(t *testing.T) {
	t.Parallel()
	for _, m := range noticeMails(t) {
		for _, line := range strings.Split(m.Text, "\n") {
			if utf8.RuneCountInString(line) > noticeColumns && !strings.Contains(line, "://") {
				t.Errorf("%s: line of %d columns: %s", m.name, utf8.RuneCountInString(line), line)
			}
			if strings.TrimRight(line, " ") != line {
				t.Errorf("%s: blanks at the end of %q", m.name, line)
			}
		}
		if strings.Contains(m.Text, "\n\n\n") || strings.ContainsAny(m.Text, "\r\t") {
			t.Errorf("%s: two empty lines, a tab or a carriage return", m.name)
		}
	}
}

// The twin: each word and each address of the HTML stands in the text too. The chart is told by a table there.
func TestNoticeTextSaysAllThatTheHTMLSays(t *testing.T) {
	t.Parallel()
	for _, m := range noticeMails(t) {
		text := map[string]bool{}
		for _, w := range strings.FieldsFunc(m.Text, noticeIsBreak) {
			text[w] = true
		}
		root := noticeParse(t, m.HTML)
		for n := range root.Descendants() {
			switch {
			case n.Type == html.ElementNode && n.Data == "a":
				if href := nodeAttr(n, "href"); !strings.HasPrefix(href, "mailto:") && !strings.Contains(m.Text, href) {
					t.Errorf("%s: the text lacks the address %s", m.name, href)
				}
			case n.Type == html.TextNode && noticeInMail(n):
				for _, w := range strings.FieldsFunc(n.Data, noticeIsBreak) {
					if !text[w] {
						t.Errorf("%s: the text lacks the word %q of %q", m.name, w, n.Data)
					}
				}
			}
		}
	}
}

func noticeIsBreak(r rune) bool {
	return !unicode.IsLetter(r) && !unicode.IsDigit(r)
}

// noticeInMail tells the words of the body from the head, the chart and its legend.
func noticeInMail(n *html.Node) bool {
	inside := false
	for p := n.Parent; p != nil; p = p.Parent {
		if nodeClass(p) == "trend" || nodeClass(p) == "quiet" && strings.HasPrefix(nodeText(p), "Permohonan yang berakhir tiap pekan") {
			return false
		}
		inside = inside || strings.Contains(nodeClass(p), "mail")
	}
	return inside
}

func noticeParse(t *testing.T, s string) *html.Node {
	t.Helper()
	root, err := html.Parse(strings.NewReader(s))
	if err != nil {
		t.Fatal(err)
	}
	return root
}

func TestNoticeHTMLNeedsNothingFromOutside(t *testing.T) {
	t.Parallel()
	for _, m := range noticeMails(t) {
		// Gmail cuts a mail after 102 KB, and a style sheet after 8192 bytes.
		if len(m.HTML) > 102<<10 {
			t.Errorf("%s has %d bytes", m.name, len(m.HTML))
		}
		for n := range noticeParse(t, m.HTML).Descendants() {
			if n.Type != html.ElementNode {
				continue
			}
			if slices.Contains([]string{"script", "link", "img", "iframe", "object", "form", "base", "svg", "input"}, n.Data) {
				t.Errorf("%s has a <%s>", m.name, n.Data)
			}
			for _, a := range n.Attr {
				if a.Key == "src" || a.Key == "background" || strings.HasPrefix(a.Key, "on") || strings.Contains(a.Val, "url(") {
					t.Errorf("%s: %s=%q", m.name, a.Key, a.Val)
				}
			}
			if n.Data == "style" && (len(n.FirstChild.Data) > 8192 || strings.Contains(n.FirstChild.Data, "url(") || strings.Contains(n.FirstChild.Data, "@import")) {
				t.Errorf("%s: style sheet of %d bytes, or one that loads something", m.name, len(n.FirstChild.Data))
			}
		}
	}
}

// Whatever a stranger writes: identity numbers are masked, in all templates, in subject, text and HTML.
func TestNoticeShowsNoIdentityNumber(t *testing.T) {
	t.Parallel()
	const nik, nip = "3303015708850001", "19850817 201001 2 003"
	for _, r := range noticeFilled(t, "NIK "+nik+" NIP "+nip+" nik 3303.0157.0885.0001") {
		for _, part := range []string{r.Subject, r.Text, r.HTML} {
			for _, secret := range []string{nik, nip, "201001 2 003", "3303.0157"} {
				if strings.Contains(strings.Join(strings.Fields(part), " "), secret) {
					t.Errorf("%s shows %s", r.name, secret)
				}
			}
		}
	}
	var names []string
	noticeFields(reflect.TypeFor[Notice](), &names)
	noticeFields(reflect.TypeFor[Digest](), &names)
	for _, n := range names {
		if regexp.MustCompile(`(?i)nik|nip|passphrase|password|secret|token`).MatchString(n) {
			t.Errorf("a notice has a field %s: nothing that must not be shown belongs there", n)
		}
	}
}

func TestNoticeHoldsAgainstInjection(t *testing.T) {
	t.Parallel()
	attack := "</td></table><script>alert(1)</script><img src=https://evil.example/x>\"'><a href='javascript:x'>{{.Agency}}\r\nBcc: korban@example.org\u202egpj.exe\x00\x1b[31m\u2028"
	for _, r := range noticeFilled(t, attack) {
		if strings.ContainsAny(r.Subject, "\r\n\x00\x1b\u202e\u2028") {
			t.Errorf("%s: subject %q", r.name, r.Subject)
		}
		if strings.ContainsAny(r.Text+r.HTML, "\r\x00\x1b\u202e\u2028") {
			t.Errorf("%s: control characters", r.name)
		}
		for n := range noticeParse(t, r.HTML).Descendants() {
			if n.Type == html.ElementNode && (n.Data == "script" || n.Data == "img") {
				t.Errorf("%s: <%s>", r.name, n.Data)
			}
			if href := nodeAttr(n, "href"); href != "" && !strings.HasPrefix(href, "https://tte.example.go.id/") {
				t.Errorf("%s: leads to %s", r.name, href)
			}
		}
	}
	for _, address := range []string{"javascript:alert(1)", "data:text/html,x", " //evil.example", "ftp://x"} {
		n := noticeSample(NoticeReceiptOffice)
		n.Links.Status = address
		r, err := RenderNotice(n, nil)
		if err != nil || strings.Contains(r.HTML+r.Text, address) {
			t.Errorf("a link to %q: shown, or %v", address, err)
		}
	}
}

// noticeFilled renders all templates with each string of the data being s, but the addresses.
func noticeFilled(t *testing.T, s string) []noticeMail {
	t.Helper()
	var out []noticeMail
	for _, name := range noticeTemplates {
		n := noticeSample(name)
		noticeFill(reflect.ValueOf(&n).Elem(), "", s)
		n.Template = name
		for _, kind := range []NoticeKind{NoticeToOffice, NoticeToApplicant} { // the others are greeted as the applicant is
			n.To.Kind = kind
			r, err := RenderNotice(n, nil)
			if err != nil {
				t.Fatal(name, err)
			}
			out = append(out, noticeMail{name, r})
		}
	}
	for _, name := range digestTemplates {
		d := digestSample(name)
		noticeFill(reflect.ValueOf(&d).Elem(), "", s)
		d.Template, d.To.Kind = name, NoticeToStaff
		r, err := RenderDigest(d, nil)
		if err != nil {
			t.Fatal(name, err)
		}
		out = append(out, noticeMail{name, r})
	}
	return out
}

func noticeFill(v reflect.Value, tag, s string) {
	switch v.Kind() {
	case reflect.String:
		switch tag {
		case "url":
			v.SetString("https://tte.example.go.id/\"><script>")
		case "raw":
			v.SetString("0281")
		default:
			v.SetString(s)
		}
	case reflect.Slice:
		if v.Len() == 0 {
			v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		}
		for i := range v.Len() {
			noticeFill(v.Index(i), tag, s)
		}
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			return
		}
		for i := range v.NumField() {
			noticeFill(v.Field(i), v.Type().Field(i).Tag.Get("notice"), s)
		}
	}
}

func noticeFields(t reflect.Type, names *[]string) {
	switch {
	case t.Kind() == reflect.Slice:
		noticeFields(t.Elem(), names)
	case t.Kind() == reflect.Struct && t != reflect.TypeFor[time.Time]():
		for f := range t.Fields() {
			*names = append(*names, t.Name()+"."+f.Name)
			noticeFields(f.Type, names)
		}
	}
}

// A link mail must never bring a link that looks like BSrE's, and goes without the status page when there is none.
func TestNoticeResetMailBringsNoLinkOfItsOwn(t *testing.T) {
	t.Parallel()
	n := noticeSample(NoticeResetSubmitted)
	n.Links = NoticeLinks{}
	r, err := RenderNotice(n, nil)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(r.Text, "://") || strings.Contains(r.HTML, "href=") {
		t.Errorf("a link:\n%s", r.Text)
	}
	for _, want := range []string{"endah.contohsari@purbalinggakab.go.id", "SUDAH", "BELUM", "paling sedikit 8 karakter", "swafoto", "bukan kami"} {
		if !strings.Contains(strings.Join(strings.Fields(r.Text), " "), want) {
			t.Errorf("does not say %q:\n%s", want, r.Text)
		}
	}
}

func TestNoticeComplainantSeesNothingOfOthers(t *testing.T) {
	t.Parallel()
	for _, name := range []string{NoticeComplaintReceived, NoticeComplaintForwarded, NoticeComplaintAnswered} {
		n := noticeSample(name)
		n.Complaint.Summary, n.Complaint.From = "isi aduan orang", "orang lain"
		r, err := RenderNotice(n, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, secret := range []string{n.Request.Number, n.Request.Applicant, n.Request.Office, n.Request.Address, "isi aduan", "orang lain"} {
			if strings.Contains(r.Text+r.HTML+r.Subject, secret) {
				t.Errorf("%s shows %q", name, secret)
			}
		}
	}
}

func TestNoticeNumberOfTheSubject(t *testing.T) {
	t.Parallel()
	one := noticeSample(NoticeReminder)
	one.Items = one.Items[:1]
	for _, c := range []struct {
		n    Notice
		want string
	}{
		{noticeSample(NoticeDone), "[PBG-2026-000123] Selesai: TTE dapat digunakan kembali"},
		{noticeSample(NoticeComplaintReceived), "[PBG-P-2026-000012] Pengaduan telah kami terima"},
		{noticeSample(NoticeReminder), "[PBG] 3 permohonan menunggu Bapak/Ibu"},
		{one, "[PBG-2026-000118] 1 permohonan menunggu Bapak/Ibu"},
	} {
		if r, err := RenderNotice(c.n, nil); err != nil || r.Subject != c.want {
			t.Errorf("%s: %q, %v; want %q", c.n.Template, r.Subject, err, c.want)
		}
	}
}

func TestNoticeTimesAreTheAgencys(t *testing.T) {
	t.Parallel()
	n := noticeSample(NoticeWork)
	n.Now, n.Agency.Zone = n.Now.UTC(), time.FixedZone("Asia/Jayapura", 9*3600)
	n.Step.Due = n.Step.Due.UTC()
	r, err := RenderNotice(n, nil)
	if err != nil || !strings.Contains(r.Text, "tersisa 18 menit (hari ini 15.56 WIT)") {
		t.Errorf("%v\n%s", err, r.Text)
	}
}

func TestNoticeLongNamesWrap(t *testing.T) {
	t.Parallel()
	long := "Prof. Dr. Ir. Raden Mas " + strings.Repeat("Contohwijayakusumaningratdiningrat ", 6) + strings.Repeat("W", 120) + ", S.Kom., M.M."
	for _, r := range noticeFilled(t, long) {
		if utf8.RuneCountInString(r.Subject) > noticeMaxSubject {
			t.Errorf("%s: subject of %d characters", r.name, utf8.RuneCountInString(r.Subject))
		}
		for _, line := range strings.Split(r.Text, "\n") {
			if utf8.RuneCountInString(line) > noticeColumns && !strings.Contains(line, "://") {
				t.Errorf("%s: line of %d columns: %s", r.name, utf8.RuneCountInString(line), line)
			}
		}
	}
}

func TestNoticeRefusesWhatItCannotWrite(t *testing.T) {
	t.Parallel()
	unknown, zoneless, timeless, linkless := noticeSample(NoticeDone), noticeSample(NoticeDone), noticeSample(NoticeDone), noticeSample(NoticeSignInLink)
	unknown.Template, zoneless.Agency.Zone, timeless.Now, linkless.SignIn.URL = "../done", nil, time.Time{}, "javascript:x"
	for want, n := range map[string]Notice{"no template": unknown, "no time zone": zoneless, "time of writing": timeless, "without its address": linkless} {
		if _, err := RenderNotice(n, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v; want %q", err, want)
		}
	}
}

func TestNoticeAgencysOwnTemplates(t *testing.T) {
	t.Parallel()
	own := fstest.MapFS{
		"done.html":  {Data: []byte(`{{define "subject"}}Rampung{{end}}{{define "body"}}<p>Sampun rampung, {{.Request.Applicant}}.</p>{{end}}`)},
		"parts.html": {Data: []byte(`{{define "sign"}}<p>Matur nuwun</p>{{end}}`)},
	}
	if err := TemplateCheck(own); err != nil {
		t.Error(err)
	}
	r, err := RenderNotice(noticeSample(NoticeDone), own)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"Sampun rampung, Endah Contohsari", "Matur nuwun", "Kami tidak pernah meminta"} {
		if !strings.Contains(strings.Join(strings.Fields(r.Text), " "), want) || r.Subject != "[PBG-2026-000123] Rampung" {
			t.Errorf("lacks %q: %s\n%s", want, r.Subject, r.Text)
		}
	}
	if r, err = RenderNotice(noticeSample(NoticeReturned), own); err != nil || !strings.Contains(r.Text, "Matur nuwun") || !strings.Contains(r.Text, "Cara melengkapi") {
		t.Errorf("the shipped template with the agency's own part: %v\n%s", err, r.Text)
	}
}

func TestNoticeFaultyTemplatesAreNamed(t *testing.T) {
	t.Parallel()
	body := func(s string) string {
		return `{{define "subject"}}x{{end}}{{define "body"}}<p>y</p>` + s + `{{end}}`
	}
	for _, c := range []struct{ file, source, want string }{
		{"done.html", body(`<img src="https://evil.example/x.png">`), "<img>"},
		{"done.html", body(`<p onclick="x()">x</p>`), "onclick"},
		{"done.html", body(`<p style="color:red">x</p>`), "style"},
		{"done.html", body(`<a href="ftp://x">x</a>`), "a link must begin"},
		{"done.html", body(`<p class="besar">x</p>`), "besar"},
		{"done.html", body(`{{.Nik}}`), "Nik"},
		{"done.html", body(`{{if}}`), "done.html"},
		{"parts.html", `{{define "foot"}}<script>x</script>{{end}}`, "<script>"},
		{"mail.css", "p { background:url(https://evil.example) }", "line 1"},
		{"mail.css", "p color:red", "line 1"},
	} {
		_, err := RenderNotice(noticeSample(NoticeDone), fstest.MapFS{c.file: {Data: []byte(c.source)}})
		name := strings.TrimSuffix(c.file, path.Ext(c.file))
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), name) && c.file != "parts.html" {
			t.Errorf("%s with %s: %v; want %q", c.file, c.source, err, c.want)
		}
	}
	err := TemplateCheck(fstest.MapFS{"selesai.html": {Data: []byte(body(""))}, "done.html": {Data: []byte(body(`<img src="x">`))}})
	if err == nil || !strings.Contains(err.Error(), "selesai.html: no mail has that name") || !strings.Contains(err.Error(), "template done") {
		t.Errorf("a check that doesn't name both faults: %v", err)
	}
}

// A field that no template shows is one that a caller fills for nothing.
func TestNoticeEachFieldIsSaid(t *testing.T) {
	t.Parallel()
	var said strings.Builder
	words := map[string]string{} // what was put into a field -> the field
	for _, name := range noticeTemplates {
		n := noticeSample(name)
		noticeName(reflect.ValueOf(&n).Elem(), "", "Notice", words)
		n.Template = name
		for _, kind := range []NoticeKind{NoticeToOffice, NoticeToStaff} {
			n.To.Kind = kind
			n.Instructions.Clicks = nil
			r, err := RenderNotice(n, nil)
			if err != nil {
				t.Fatal(err)
			}
			said.WriteString(r.HTML)
		}
	}
	for _, name := range digestTemplates {
		d := digestSample(name)
		d.Work = slices.Clone(d.Oldest)
		noticeName(reflect.ValueOf(&d).Elem(), "", "Digest", words)
		d.Template, d.To.Kind = name, NoticeToStaff
		r, err := RenderDigest(d, nil)
		if err != nil {
			t.Fatal(err)
		}
		said.WriteString(r.HTML)
	}
	for word, field := range words {
		if !strings.Contains(said.String(), word) && !slices.Contains([]string{"Notice.Template", "Digest.Template", "Notice.To.Kind", "Digest.To.Kind",
			"Notice.Total.Title", "Notice.Total.Holder", "Notice.Instructions.Clicks", "Notice.Agency.Prefix"}, field) && !strings.Contains(field, ".Links.") {
			t.Errorf("no template says %s", field)
		}
	}
}

// noticeName puts into each string a word that names its field.
func noticeName(v reflect.Value, tag, field string, words map[string]string) {
	switch v.Kind() {
	case reflect.String:
		word := "kata" + strings.ReplaceAll(field, ".", "")
		if tag == "url" {
			word = "https://tte.example.go.id/" + word
		}
		v.SetString(word)
		words[word] = field
	case reflect.Slice:
		for i := range v.Len() {
			noticeName(v.Index(i), tag, field, words)
		}
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			return
		}
		for i := range v.NumField() {
			f := v.Type().Field(i)
			noticeName(v.Field(i), f.Tag.Get("notice"), field+"."+f.Name, words)
		}
	}
}

func FuzzNoticeRender(f *testing.F) {
	f.Add("Endah, S.Pd.", "Permohonan reset", "baris satu\nbaris dua", uint8(3))
	f.Add("<b>", "\r\nBcc: x", "{{.}}", uint8(0))
	f.Add(strings.Repeat("W", 500), "a\u202eb", "\xff\xfe", uint8(19))
	f.Fuzz(func(t *testing.T, name, subject, reason string, which uint8) {
		n := noticeSample(noticeTemplates[int(which)%len(noticeTemplates)])
		n.To.Name, n.Request.Applicant, n.Request.LetterSubject, n.Reason = name, name, subject, reason
		r, err := RenderNotice(n, nil)
		if err != nil {
			t.Fatal(err)
		}
		if strings.ContainsFunc(r.Subject, unicode.IsControl) || !utf8.ValidString(r.Subject+r.Text+r.HTML) {
			t.Errorf("subject %q, or invalid UTF-8", r.Subject)
		}
		if identityNumber.MatchString(r.Subject) {
			t.Errorf("an identity number in %q", r.Subject)
		}
	})
}
