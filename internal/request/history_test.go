package request_test

import (
	"errors"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"pulih/internal/agency"
	"pulih/internal/letter"
	"pulih/internal/request"
	"pulih/internal/sop"
)

// forward are the commands that lead on from a state, by their place in anything: half of the draws, so that histories come far.
var forward = map[request.Status][]int{
	request.StatusReceived: {2, 4, 6}, request.StatusChain: {2, 4, 6}, request.StatusChecking: {7, 7, 7, 10}, request.StatusReturned: {11},
	request.StatusSecond: {7}, request.StatusApproved: {15, 15, 13, 14, 19}, request.StatusWaitingSession: {15}, request.StatusPhoneCheck: {15},
	request.StatusBooked: {17}, request.StatusUncertain: {17, 19, 7}, request.StatusRefused: {7}, request.StatusLink: {20}, request.StatusPassphrase: {20}, request.StatusClosed: {22}, request.StatusRejected: {22},
}

// anything draws a command that might come at any time, from anybody, sensible or not.
func anything(rt *rapid.T, f *file) request.Command {
	by := rini
	if rapid.IntRange(0, 2).Draw(rt, "not rini") > 0 {
		by = rapid.SampledFrom([]request.Actor{galih, galih, galih, kadin, kabid, kasi, operator, stranger, request.System, {}}).Draw(rt, "by")
	}
	text := rapid.SampledFrom([]string{"Sudah diperiksa.", "Sudah diperiksa.", ""}).Draw(rt, "text")
	at := f.now.Add(-time.Duration(rapid.IntRange(-10, 600).Draw(rt, "minutes ago")) * time.Minute)
	subject := f.s.Subject
	if rapid.IntRange(0, 9).Draw(rt, "other subject") == 9 {
		subject.Email = "lain@contoh.go.id"
	}
	l := request.Letter{ID: int64(rapid.IntRange(1, 3).Draw(rt, "letter")), Channel: "mail", ReceivedAt: at}
	if l.ID == 2 {
		l.Channel, l.SrikandiID = "srikandi", "nm-2"
	}
	kind := rapid.IntRange(0, 23).Draw(rt, "command")
	if likely := forward[f.s.Status]; likely != nil && rapid.Bool().Draw(rt, "onwards") {
		kind = rapid.SampledFrom(likely).Draw(rt, "likely")
	}
	switch kind {
	case 0:
		return request.Open{Letter: l, Subject: subject, By: by}
	case 1:
		return request.Join{Letter: l, Subject: &subject, Changed: []string{"Nomor: lama menjadi baru"}, Findings: danger("number-mismatch")}
	case 2, 3:
		return request.Dispose{LetterID: l.ID, Now: dispositions(rt, f)}
	case 4:
		return request.Forward{By: by, To: []request.Actor{rapid.SampledFrom([]request.Actor{kabid, kasi, rini, operator}).Draw(rt, "to")}}
	case 5:
		return rapid.SampledFrom([]request.Command{request.Gone{LetterID: l.ID, Text: "hilang"}, request.Back{LetterID: l.ID, Text: "kembali"}}).Draw(rt, "whereabouts")
	case 6:
		return request.Assign{By: by, Person: rapid.SampledFrom([]string{"rini", "", "op"}).Draw(rt, "whom")}
	case 7, 8, 9:
		return request.Approve{By: by, Subject: subject, SeenRisks: rapid.IntRange(0, 3).Draw(rt, "seen") < 3, Text: text, Facts: facts(rt, f)}
	case 10:
		return request.Return{By: by, Missing: []string{"stempel"}, Text: text}
	case 11:
		c := request.Complete{By: by}
		if rapid.Bool().Draw(rt, "letter") {
			c.Letter = &l
		}
		return c
	case 12:
		return request.Reject{By: by, Text: text}
	case 13:
		return request.AwaitSession{}
	case 14:
		return request.AskPhone{}
	case 15, 16:
		b := request.Booking{UID: "u-1", Serial: "5A01", Email: subject.Email, Verifier: by.ID}
		if f.s.Approval != nil {
			b.Approval = f.s.Approval.Version - rapid.SampledFrom([]int{0, 0, 0, 1}).Draw(rt, "stale booking")
		}
		return request.Book{Booking: b, Facts: facts(rt, f)}
	case 17, 18:
		return request.Outcome{Kind: rapid.SampledFrom([]request.Kind{request.ResetAccepted, request.ResetRefused, request.ResetNotSent, request.ResetUncertain, request.Closed}).Draw(rt, "outcome"),
			Text: text, Approval: rapid.SampledFrom([]int{0, 0, 3}).Draw(rt, "outcome's approval")}
	case 19:
		return rapid.SampledFrom([]request.Command{request.Unable{Text: "tidak ada"}, request.Confirm{By: by, Facts: facts(rt, f)}, request.CouldNot{By: by, Text: text},
			request.Unsure{By: by, Text: text}, request.Trouble{By: by, Text: text}, request.Flag{By: by, Findings: danger("ams-differs")},
			request.Evidence{By: by, Text: text}}).Draw(rt, "word")
	case 20, 21:
		return request.Observe{Kind: rapid.SampledFrom([]request.Kind{request.LinkMailed, request.PassphraseSet, request.CertificateIssued, request.Usable}).Draw(rt, "seen"), At: at, By: by}
	case 22:
		return rapid.SampledFrom([]request.Command{request.Reopen{By: by, Text: text}, request.Note{By: by, Text: text}, request.Explain{By: by, Text: text},
			request.SeeStatus{Code: rapid.SampledFrom([]string{"ISSUE", "", "EXPIRED"}).Draw(rt, "status")}, request.Recheck{By: by}}).Draw(rt, "aside")
	}
	due, err := request.Reminders(f.s, f.a, f.now)
	if err != nil {
		rt.Fatal(err)
	}
	return request.Remind{Due: due}
}

func facts(rt *rapid.T, f *file) (out request.Facts) {
	if rapid.IntRange(0, 5).Draw(rt, "recent reset") == 5 {
		out.LastReset = f.now.Add(-24 * time.Hour)
	}
	return out
}

func dispositions(rt *rapid.T, f *file) []request.Disposition {
	var out []request.Disposition
	chain := []request.Actor{kadin, kabid, kasi, rini, galih}
	for i := range rapid.IntRange(0, 3).Draw(rt, "dispositions") {
		out = append(out, request.Disposition{
			ID: fmt.Sprintf("d%d", i), From: rapid.SampledFrom(chain).Draw(rt, "from"), To: []request.Actor{rapid.SampledFrom(chain).Draw(rt, "to")},
			Acts: rapid.Bool().Draw(rt, "acts"), SentAt: f.now.Add(-time.Duration(rapid.IntRange(0, 60).Draw(rt, "sent")) * time.Minute),
		})
	}
	return out
}

// TestHistories sends anything at a request, in any order, and holds what must be true of every history.
func TestHistories(t *testing.T) {
	t.Parallel()
	agencies := []*agency.Agency{office(t, "purbalingga", agency.AMS), office(t, "madiun", agency.Assisted), office(t, "rawabiru", agency.AMS)}
	rounds := 10
	reached := map[request.Kind]int{}
	defer func() {
		// Histories that don't come far prove little.
		for _, kind := range []request.Kind{request.Approved, request.ResetBooked, request.ResetUncertain, request.ResetNotSent, request.Closed, request.Reopened, request.ReturnedToApplicant, request.PhoneCheckAsked} {
			if reached[kind] < 5 {
				t.Errorf("%s came %d times only", kind, reached[kind])
			}
		}
	}()
	if os.Getenv("PULIH_SOAK") != "" {
		rounds = 400
	}
	for range rounds { // of 100 histories each
		rapid.Check(t, func(rt *rapid.T) {
			f := open(t, rapid.SampledFrom(agencies).Draw(rt, "agency"), func(o *request.Open) {
				if rapid.IntRange(0, 4).Draw(rt, "repeated") == 4 {
					o.Findings = []letter.Finding{{Code: "repeated-reset", Severity: letter.Warning}}
				}
				if rapid.IntRange(0, 4).Draw(rt, "own") == 4 {
					o.Subject.NIP = "199001252019032903" // rini's
				}
			})
			for range rapid.IntRange(1, 40).Draw(rt, "length") {
				f.now = f.now.Add(time.Duration(rapid.SampledFrom([]int{0, 1, 7, 40, 200, 1500}).Draw(rt, "minutes")) * time.Minute)
				cmd := anything(rt, f)
				if err := step(f, cmd); err != nil {
					rt.Fatalf("%v\nafter %T%+v\n%s", err, cmd, cmd, tale(f))
				}
			}
			for _, e := range f.events {
				reached[e.Kind]++
			}
		})
	}
}

func step(f *file, cmd request.Command) error {
	before, n := f.s, len(f.events)
	if err := f.try(cmd); err != nil {
		var refusal *request.Refusal
		if !errors.As(err, &refusal) || refusal.Code == "" || refusal.Message == "" {
			return fmt.Errorf("refused without words: %w", err)
		}
		if len(f.events) != n {
			return errors.New("a refused command left events")
		}
		return nil
	}
	return errors.Join(sameFold(f), callsAreApproved(f, before, n), clocksAddUp(f), marksAgree(f), mailsStayHome(f))
}

// sameFold: the state follows from the events alone, however they are taken in.
func sameFold(f *file) error {
	if whole := request.Fold(f.s.Number, f.events); !reflect.DeepEqual(normal(whole), normal(f.s)) {
		return fmt.Errorf("the events folded at once give another state:\n%+v\n%+v", whole, f.s)
	}
	return nil
}

// normal takes empty and missing lists for the same.
func normal(s request.State) request.State {
	for _, list := range []*[]string{&s.HolderIDs, &s.Missing} {
		if len(*list) == 0 {
			*list = nil
		}
	}
	if len(s.Dispositions) == 0 {
		s.Dispositions = nil
	}
	return s
}

// callsAreApproved holds invariants 3 and 4 by the events alone, in words of its own.
func callsAreApproved(f *file, before request.State, n int) error {
	spent := map[int]bool{}
	approvals := map[int]request.Event{}
	for i, e := range f.events {
		switch e.Kind {
		case request.Approved:
			approvals[i+1] = e
		case request.ResetNotSent:
			clear(spent)
		case request.ResetBooked:
			given, ok := approvals[e.Booking.Approval]
			by, staff := f.a.Person(given.By.ID)
			switch {
			case !ok:
				return fmt.Errorf("event %d books without an approval", i+1)
			case spent[e.Booking.Approval]:
				return fmt.Errorf("event %d books a second call on one approval", i+1)
			case !staff || !by.Has(sop.Verifier):
				return fmt.Errorf("event %d books on the word of %q", i+1, given.By.ID)
			case by.NIP == given.Subject.NIP:
				return fmt.Errorf("event %d books the verifier's own reset", i+1)
			case given.Subject.Email != e.Booking.Email || !given.Subject.Known:
				return fmt.Errorf("event %d sends the link elsewhere", i+1)
			case i >= n && *given.Subject != before.Subject:
				return fmt.Errorf("event %d books on data that have changed", i+1)
			}
			spent[e.Booking.Approval] = true
		}
	}
	return nil
}

// clocksAddUp holds invariant 9, and that a clock stands still only while somebody outside owes something.
func clocksAddUp(f *file) error {
	steps, total, err := request.Clocks(f.s, f.a, f.now)
	if err != nil {
		return err
	}
	if total != nil {
		steps = append(steps, *total)
	}
	for i, c := range steps {
		if !c.End.IsZero() && c.End.Before(c.Start) {
			return fmt.Errorf("step %s ends before it begins", c.Step.ID)
		}
		if i > 0 && c.Step.ID != request.TotalStep && !c.Start.IsZero() && c.Start.Before(steps[i-1].End) {
			return fmt.Errorf("step %s begins before the one above it ended", c.Step.ID)
		}
		if c.Reading == nil {
			continue
		}
		norm := c.Step.Norm
		if c.Step.ID == request.TotalStep {
			norm = f.a.SOP.Total
		}
		if _, length := norm.Measure(); c.Reading.Used+c.Reading.Left != length || c.Reading.Used < 0 {
			return fmt.Errorf("step %s: used %v and left %v don't make %v", c.Step.ID, c.Reading.Used, c.Reading.Left, length)
		}
	}
	paused := f.s.Status == request.StatusReturned || f.s.Status == request.StatusPhoneCheck
	running := true
	for i, p := range f.s.Pauses {
		if !p.Until.IsZero() && p.Until.Before(p.From) {
			return fmt.Errorf("pause %d ends before it begins", i)
		}
		running = running && !p.Until.IsZero()
	}
	if paused == running {
		return fmt.Errorf("at %s the clock stands still: %v, pauses %v", f.s.Status, !running, f.s.Pauses)
	}
	return nil
}

// marksAgree: the sweep's index never says "now" where nobody would be told, or it would ask for ever; and after telling it moves on.
func marksAgree(f *file) error {
	next, err := request.NextMark(f.s, f.a)
	if err != nil {
		return err
	}
	due, err := request.Reminders(f.s, f.a, f.now)
	if err != nil {
		return err
	}
	come := !next.IsZero() && !next.After(f.now)
	switch open := f.a.Calendar.Open(f.now); {
	case !open && len(due) > 0:
		return errors.New("somebody would be reminded outside office hours")
	case open && come != (len(due) > 0):
		return fmt.Errorf("the next mark is %v, due are %v", next, due)
	case !come || !open:
		return nil
	}
	events, _, err := request.Decide(f.s, request.Remind{Due: due}, f.a, f.now)
	if err != nil || len(events) == 0 {
		return fmt.Errorf("%d marks are due and none is told, %w", len(due), err)
	}
	told := f.s.With(events)
	if again, err := request.Reminders(told, f.a, f.now); err != nil || len(again) > 0 {
		return fmt.Errorf("after telling all, %v are due, %w", again, err)
	}
	if next, err := request.NextMark(told, f.a); err != nil || !next.IsZero() && !next.After(f.now) {
		return fmt.Errorf("after telling all, the next mark is %v, %w", next, err)
	}
	return nil
}

// mailsStayHome: whatever a letter says, mails go to registered addresses.
func mailsStayHome(f *file) error {
	known := []string{"dindikbud@contoh.go.id", applicant.Email, "lain@contoh.go.id"}
	for _, p := range f.a.Staff {
		known = append(known, p.Email)
	}
	for _, e := range f.effects {
		if m, ok := e.(request.Mail); ok && !slices.Contains(known, m.To.Address) {
			return fmt.Errorf("%s goes to %q", m.Template, m.To.Address)
		}
		if fu, ok := e.(request.FollowUp); ok && fu.Status == "selesai" && f.s.Status.Open() {
			return fmt.Errorf("Srikandi is told selesai at %s", f.s.Status)
		}
	}
	return nil
}

func tale(f *file) string {
	var out strings.Builder
	for i, e := range f.events {
		fmt.Fprintf(&out, "%2d %s at %s seen %s by %s %s %s%s\n", i+1, e.Kind, e.At.Format("02 15:04"), e.Seen.Format("02 15:04"), e.By.ID, e.Text, e.Step, e.Mark)
	}
	fmt.Fprintf(&out, "now %s: %s with %s since %v", f.now.Format("02 15:04"), f.s.Status, f.s.Holder, f.s.Since)
	return out.String()
}
