package mailflow

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"slices"
	"strings"
	"sync"
	"time"
)

// templateFiles are the shipped templates. Each file defines "subject" and "body" in a small HTML of blocks; the subject is also the mail's
// heading. From one body come both the HTML part, styled by mail.css inside layout.html, and the text part, so neither can say
// less than the other. parts.html has what all mails share.
//
//go:embed templates/*.html templates/mail.css
var templateFiles embed.FS

// Rendered is a mail's content. Subject has one line; Text is wrapped at 76 columns; HTML needs nothing from outside.
type Rendered struct {
	Subject, Text, HTML string
}

// noticeMaxSubject is how many characters a subject has at most: beyond that programs cut it anyway.
const noticeMaxSubject = 150

// RenderNotice makes the mail. override is the agency's own folder of template files (nil: none): a file there replaces the shipped file
// of the same name, but parts.html, whose definitions replace the shipped ones one by one. An error names the file at fault; with
// override nil there is none but for an unknown Template or a missing Agency.Zone, Now or sign-in address.
func RenderNotice(n Notice, override fs.FS) (Rendered, error) {
	if !slices.Contains(noticeTemplates, n.Template) {
		return Rendered{}, fmt.Errorf("rendering a notice: no template %q", n.Template)
	}
	n = noticeClean(n)
	if n.Template == NoticeSignInLink && n.SignIn.URL == "" {
		return Rendered{}, errors.New("rendering a notice: a sign-in mail without its address")
	}
	times, err := newNoticeTimes(n.Now, n.Agency.Zone)
	if err != nil {
		return Rendered{}, fmt.Errorf("rendering %s: %w", n.Template, err)
	}
	return renderMail(n.Template, noticeView{n, times}, override)
}

// RenderDigest makes the mail of a digest; see RenderNotice for override and errors.
func RenderDigest(d Digest, override fs.FS) (Rendered, error) {
	if !slices.Contains(digestTemplates, d.Template) {
		return Rendered{}, fmt.Errorf("rendering a digest: no template %q", d.Template)
	}
	times, err := newNoticeTimes(d.Now, d.Agency.Zone)
	if err != nil {
		return Rendered{}, fmt.Errorf("rendering %s: %w", d.Template, err)
	}
	return renderMail(d.Template, digestView{noticeClean(d), times}, override)
}

// noticeTimes says times in the agency's zone, for templates.
type noticeTimes struct {
	now  time.Time
	zone *time.Location
}

func newNoticeTimes(now time.Time, zone *time.Location) (noticeTimes, error) {
	if zone == nil {
		return noticeTimes{}, errors.New("the agency has no time zone")
	}
	if now.IsZero() {
		return noticeTimes{}, errors.New("the time of writing is missing")
	}
	return noticeTimes{now.In(zone), zone}, nil
}

func (t noticeTimes) When(at time.Time) string     { return NoticeWhen(at.In(t.zone), t.now) }
func (t noticeTimes) DateTime(at time.Time) string { return NoticeDateTime(at.In(t.zone)) }
func (t noticeTimes) Date(at time.Time) string     { return NoticeDate(at.In(t.zone)) }
func (t noticeTimes) Hour(at time.Time) string     { return NoticeHour(at.In(t.zone)) }
func (t noticeTimes) Today() string                { return NoticeDate(t.now) }
func (t noticeTimes) Span(d time.Duration) string  { return NoticeSpan(d) }
func (t noticeTimes) Left(left time.Duration, due time.Time) string {
	return NoticeLeft(left, due.In(t.zone), t.now)
}

func (t noticeTimes) left(left time.Duration, due time.Time, days bool) string {
	if days {
		return NoticeLeftDays(left, due.In(t.zone), t.now)
	}
	return t.Left(left, due)
}

// Day is the day of a letter: what is written there, in whatever zone it was stored.
func (t noticeTimes) Day(at time.Time) string { return NoticeDay(at) }

// Lines splits a text of several lines.
func (t noticeTimes) Lines(s string) []string {
	if s == "" {
		return nil
	}
	return strings.Split(s, "\n")
}

// List joins words as a sentence does.
func (t noticeTimes) List(words []string) string { return noticeList(words) }

// noticeView is what the templates of notices see.
type noticeView struct {
	Notice
	noticeTimes
}

// Number is what the subject begins with: the number of the complaint or request, or the agency's prefix where a mail bundles several.
func (v noticeView) Number() string {
	switch {
	case v.Complaint.Number != "":
		return v.Complaint.Number
	case v.Request.Number != "":
		return v.Request.Number
	case len(v.Items) == 1 && v.Items[0].Number != "":
		return v.Items[0].Number
	}
	return v.Agency.Prefix
}

// Numbered reports whether the mail is about one case.
func (v noticeView) Numbered() bool { return v.Number() != v.Agency.Prefix }

// Matters is what the items of a bundle are: permohonan, pengaduan, or both.
func (v noticeView) Matters() string {
	complaints := 0
	for _, i := range v.Items {
		if strings.Contains(i.Number, "-P-") {
			complaints++
		}
	}
	switch complaints {
	case 0:
		return "permohonan"
	case len(v.Items):
		return "pengaduan"
	}
	return "permohonan dan pengaduan"
}

// Time says how a promise stands; empty where there is none.
func (v noticeView) Time(c NoticeClock) string {
	switch {
	case c.Due.IsZero():
		return ""
	case c.Paused:
		return "berhenti sementara, menunggu pemohon atau kantornya"
	}
	return v.left(c.Left, c.Due, c.Days)
}

// Late reports a broken promise.
func (v noticeView) Late(c NoticeClock) bool { return c.Left < 0 }

// noticeLine is one line of a cell.
type noticeLine struct {
	Text        string
	Quiet, Late bool
}

// ItemLines is what stands beside a request in a bundle: what happened, its step, who holds it, its time.
func (v noticeView) ItemLines(i NoticeItem) []noticeLine {
	lines := []noticeLine{
		{Text: i.Step}, {Text: i.Holder, Quiet: true}, {Text: v.Time(NoticeClock{Left: i.Left, Due: i.Due, Days: i.Days}), Late: i.Left < 0}, {Text: i.Note},
	}
	return slices.DeleteFunc(lines, func(l noticeLine) bool { return l.Text == "" })
}

// LateItems counts the lines whose promise is broken.
func (v noticeView) LateItems() int {
	n := 0
	for _, i := range v.Items {
		if i.Left < 0 {
			n++
		}
	}
	return n
}

// renderMail executes a template once and dresses the result twice.
func renderMail(name string, view any, override fs.FS) (Rendered, error) {
	set, err := templateSet(name, override)
	if err != nil {
		return Rendered{}, fmt.Errorf("reading template %s: %w", name, err)
	}
	page, err := newTemplatePage(set, view)
	if err != nil {
		return Rendered{}, fmt.Errorf("rendering template %s: %w", name, err)
	}
	style, err := templateStyle(override)
	if err != nil {
		return Rendered{}, err
	}
	var body, foot strings.Builder
	if err := style.write(&body, page.body); err != nil {
		return Rendered{}, fmt.Errorf("rendering template %s: %w", name, err)
	}
	if err := style.write(&foot, page.foot); err != nil {
		return Rendered{}, fmt.Errorf("rendering template parts: %w", err)
	}
	var out bytes.Buffer
	err = set.ExecuteTemplate(&out, "layout", templateLayout{
		View: view, Subject: page.subject, Preheader: page.preheader(), Body: template.HTML(body.String()), Foot: template.HTML(foot.String()),
	})
	if err != nil {
		return Rendered{}, fmt.Errorf("rendering template layout: %w", err)
	}
	return Rendered{Subject: page.subject, Text: page.text(), HTML: out.String()}, nil
}

// templateLayout is what layout.html sees. Body and Foot were escaped when the page was executed and written from a tree since.
type templateLayout struct {
	View               any
	Subject, Preheader string
	Body, Foot         template.HTML
}

// Outlook is a comment that only Word's renderer reads; html/template would drop it from the file.
func (templateLayout) Outlook(markup string) template.HTML {
	return template.HTML("<!--[if mso]>" + markup + "<![endif]-->")
}

// templateShipped are the sets without an agency's own files, each parsed and escaped once.
var templateShipped sync.Map // name -> *template.Template

// templateSet is the shared parts, the agency's, and the one template.
func templateSet(name string, override fs.FS) (*template.Template, error) {
	if override != nil {
		return parseTemplates(name, override)
	}
	if set, ok := templateShipped.Load(name); ok {
		return set.(*template.Template), nil
	}
	set, err := parseTemplates(name, nil)
	if err == nil {
		templateShipped.Store(name, set)
	}
	return set, err
}

// parseTemplates reads the shipped shared files, lays the agency's over them, and then the template's own.
func parseTemplates(name string, override fs.FS) (*template.Template, error) {
	set, err := template.ParseFS(templateFiles, "templates/layout.html", "templates/parts.html")
	if err != nil {
		return nil, err
	}
	for _, file := range []string{"layout.html", "parts.html"} {
		if own, ok, err := templateOverride(override, file); err != nil {
			return nil, err
		} else if ok {
			if _, err := set.New(file).Parse(own); err != nil {
				return nil, err
			}
		}
	}
	source, err := templateSource(name+".html", override)
	if err != nil {
		return nil, err
	}
	return set.New(name + ".html").Parse(source)
}

// TemplateCheck renders all mails with an agency's own folder of templates and reports every fault in it: an unknown file name, an error
// of syntax, an unknown field, an element that mails can't have.
func TemplateCheck(override fs.FS) error {
	files, err := fs.ReadDir(override, ".")
	if err != nil {
		return fmt.Errorf("reading the templates: %w", err)
	}
	var faults []error
	for _, f := range files {
		if _, err := fs.Stat(templateFiles, "templates/"+f.Name()); err != nil && !strings.HasPrefix(f.Name(), ".") {
			faults = append(faults, fmt.Errorf("template %s: no mail has that name", f.Name()))
		}
	}
	for _, n := range NoticeSamples() {
		_, err := RenderNotice(n, override)
		faults = append(faults, err)
	}
	for _, d := range DigestSamples() {
		_, err := RenderDigest(d, override)
		faults = append(faults, err)
	}
	return errors.Join(faults...)
}

// templateSource is the agency's file, or the shipped one.
func templateSource(file string, override fs.FS) (string, error) {
	if own, ok, err := templateOverride(override, file); ok || err != nil {
		return own, err
	}
	shipped, err := templateFiles.ReadFile("templates/" + file)
	return string(shipped), err
}

func templateOverride(override fs.FS, file string) (string, bool, error) {
	if override == nil {
		return "", false, nil
	}
	own, err := fs.ReadFile(override, file)
	if errors.Is(err, fs.ErrNotExist) {
		return "", false, nil
	}
	return string(own), err == nil, err
}
