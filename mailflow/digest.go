package mailflow

import (
	"slices"
	"strings"
	"time"
)

// Names of the digests: what RenderDigest takes in Digest.Template, and the name of the file below templates/.
const (
	DigestHeadDaily  = "digest-head-daily"  // head of agency, at the close of office hours
	DigestHeadWeekly = "digest-head-weekly" // head of agency
	DigestOffice     = "digest-office"      // head of an office, weekly, own requests only
	DigestVerifier   = "digest-verifier"    // verifier, mornings: the work of the day
)

// DigestTemplates lists the names of all digests.
func DigestTemplates() []string {
	return slices.Clone(digestTemplates)
}

var digestTemplates = []string{DigestHeadDaily, DigestHeadWeekly, DigestOffice, DigestVerifier}

// digestRows is how many rows of one list a digest shows; the rest is counted.
const digestRows = 10

// Digest is what a report by mail says. Names and offices are all that it knows of a person. Lists come in the order in which they are to be
// shown; empty lists and zeroes are said in words.
type Digest struct {
	Template    string
	Now         time.Time // see Notice.Now
	From, Until time.Time // the period, Until exclusive; for DigestVerifier the day of work
	Agency      NoticeAgency
	To          NoticePerson
	Office      string // DigestOffice: the office that it is about
	Promise     string // "150 menit"; empty where the SOP promises nothing for the whole

	In      int // requests opened in the period
	Closed  int // closed with a usable signature
	Refused int // rejected
	Waiting int // open at the end of the period
	Paused  int // of those: waiting for the applicant or office

	Kept, Broken int            // requests finished in the period within the promise, and not
	Breaches     []DigestBreach // the worst of them
	Times        []DigestTime   // the whole first, then each step
	Oldest       []DigestOpen
	DueNext      []DigestOpen // falls due on the next working day
	NextDay      time.Time    // that day
	Complaints   []DigestComplaints
	Trend        []DigestWeek // oldest first, usually 8
	Outages      []DigestOutage

	// The morning of a verifier.
	Work       []DigestOpen // to be examined or confirmed today, most urgent first
	Sessions   int          // approved, waiting for an AMS session
	Uncertain  int          // outcome of the reset unknown
	Unclear    int          // letters that need a decision
	Quarantine int          // messages that could not be read

	Links NoticeLinks
}

// DigestBreach is a promise that was not kept.
type DigestBreach struct {
	Number, Office, Applicant string
	Step                      string // the step that broke it
	Over                      time.Duration
	Reason                    string // as recorded by the one who held it; may be empty
}

// DigestTime sums up how long something took.
type DigestTime struct {
	Title       string // "Seluruh layanan", or the step
	Norm        string // "5 menit"
	Count       int    // how many ended in the period; 0: the row is left out
	Median, P90 time.Duration
	Over        int // of those: longer than the norm
}

// DigestOpen is an open request.
type DigestOpen struct {
	Number, Office, Applicant string
	Step                      string
	Holder                    string
	Since                     time.Time // opened
	Left                      time.Duration
	Due                       time.Time // zero: no norm
	Days                      bool      // see NoticeClock
	Paused                    bool
}

// DigestComplaints counts one class of complaints.
type DigestComplaints struct {
	Class, Norm            string
	In, Open, Kept, Broken int
}

// DigestWeek is one column of the trend.
type DigestWeek struct {
	From         time.Time // Monday
	In           int
	Kept, Broken int
}

// DigestOutage is a time in which a system could not be reached, with the promises that it broke.
type DigestOutage struct {
	System      string
	From, Until time.Time // Until zero: lasts
	Broken      int       // promises that would have been kept without it
}

// digestView is what the templates of digests see.
type digestView struct {
	Digest
	noticeTimes
}

// digestList is a list cut to what a mail bears, and how many were left out.
type digestList[T any] struct {
	Rows []T
	More int
}

func digestTop[T any](rows []T) digestList[T] {
	if len(rows) <= digestRows {
		return digestList[T]{Rows: rows}
	}
	return digestList[T]{Rows: rows[:digestRows], More: len(rows) - digestRows}
}

func (v digestView) TopOldest() digestList[DigestOpen] { return digestTop(v.Oldest) }
func (v digestView) TopDue() digestList[DigestOpen]    { return digestTop(v.DueNext) }
func (v digestView) TopWork() digestList[DigestOpen]   { return digestTop(v.Work) }

// TopBreaches are the worst of all that were broken.
func (v digestView) TopBreaches() digestList[DigestBreach] {
	top := digestTop(v.Breaches)
	top.More = max(v.Broken, len(v.Breaches)) - len(top.Rows)
	return top
}

// Finished is how many promises were put to the test.
func (v digestView) Finished() int { return v.Kept + v.Broken }

// KeptShare is the kept promises in whole per cent, rounded down: 99,6 % is not all.
func (v digestView) KeptShare() int {
	if v.Finished() == 0 {
		return 0
	}
	return v.Kept * 100 / v.Finished()
}

// Number is what the subject begins with; a digest has no number of its own.
func (v digestView) Number() string { return v.Agency.Prefix }

// Numbered: see noticeView.
func (v digestView) Numbered() bool { return false }

// Timed are the lengths that can be told: of what ended at least once.
func (v digestView) Timed() []DigestTime {
	return slices.DeleteFunc(slices.Clone(v.Times), func(t DigestTime) bool { return t.Count == 0 })
}

// ComplaintTotal counts the complaints of all classes that came in or are open.
func (v digestView) ComplaintTotal() int {
	n := 0
	for _, c := range v.Complaints {
		n += c.In + c.Open + c.Kept + c.Broken
	}
	return n
}

// digestRow is an open request as the template "digest-open" sees it.
type digestRow struct {
	Row         DigestOpen
	Time, Since string
	Late        bool
}

// Open says how an open request stands.
func (v digestView) Open(o DigestOpen) digestRow {
	row := digestRow{Row: o, Late: o.Left < 0 && !o.Due.IsZero()}
	switch {
	case o.Paused:
		row.Time, row.Late = "berhenti sementara", false
	case !o.Due.IsZero():
		row.Time = v.left(o.Left, o.Due, o.Days)
	}
	if !o.Since.IsZero() {
		row.Since = v.When(o.Since)
	}
	return row
}

// LateWork counts the work whose promise is broken.
func (v digestView) LateWork() int {
	n := 0
	for _, o := range v.Work {
		if v.Open(o).Late {
			n++
		}
	}
	return n
}

// digestBar is one column of the trend with its heights in pixels.
type digestBar struct {
	DigestWeek
	Day                      int
	Month                    string
	KeptHeight, BrokenHeight int
}

const digestBarHeight = 72

// Bars scales the trend to the tallest week. A week with one request is still seen.
func (v digestView) Bars() []digestBar {
	tallest := 0
	for _, w := range v.Trend {
		tallest = max(tallest, w.Kept+w.Broken)
	}
	height := func(n int) int {
		if n <= 0 {
			return 0
		}
		return max(3, n*digestBarHeight/tallest)
	}
	bars := make([]digestBar, 0, len(v.Trend))
	for _, w := range v.Trend {
		from := w.From.In(v.zone)
		bars = append(bars, digestBar{
			DigestWeek: w, Day: from.Day(), Month: noticeShortMonth(from), KeptHeight: height(w.Kept), BrokenHeight: height(w.Broken),
		})
	}
	return bars
}

// Finished is what the column is as high as.
func (b digestBar) Finished() int { return b.Kept + b.Broken }

// Marks is the column for the text part, lying: "====" kept, "xx" broken.
func (b digestBar) Marks() string {
	const most = 24
	marks := func(s string, height int) string {
		return strings.Repeat(s, (height*most+digestBarHeight-1)/digestBarHeight)
	}
	return marks("=", b.KeptHeight) + marks("x", b.BrokenHeight)
}

// Rhythm names the period's length.
func (v digestView) Rhythm() string {
	if v.Until.Sub(v.From) > 8*24*time.Hour {
		return "bulanan"
	}
	return "mingguan"
}

// Then begins a sentence about the period.
func (v digestView) Then() string {
	if v.Rhythm() == "bulanan" {
		return "Bulan ini"
	}
	return "Pekan ini"
}

// Days is the period in words.
func (v digestView) Days() string {
	return NoticePeriod(v.From.In(v.zone), v.Until.In(v.zone))
}
