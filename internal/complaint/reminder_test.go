package complaint

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"pulih/internal/agency"
	"pulih/internal/request"
	"pulih/internal/sop"
)

// sweep plays the scheduler from one instant to another, each ten minutes, and lists what it sends.
func (l *life) sweep(from, until string) []string {
	l.t.Helper()
	var out []string
	for at := l.wib(from); !at.After(l.wib(until)); at = at.Add(10 * time.Minute) {
		next, err := NextMark(l.s, l.a)
		if err != nil {
			l.t.Fatal(err)
		}
		due, err := Reminders(l.s, l.a, at)
		if err != nil {
			l.t.Fatal(err)
		}
		if len(due) > 0 && (next.IsZero() || next.After(at)) {
			l.t.Errorf("at %v %v is due, but the next mark is at %v", at, due, next)
		}
		if len(due) == 0 {
			continue
		}
		l.do(at.Format("2 15.04"), Remind{Due: due})
		for _, s := range l.sent() {
			s, _, _ = strings.Cut(strings.ReplaceAll(s, "@purbalinggakab.go.id", ""), "@")
			out = append(out, at.Format("2 15.04 ")+s)
		}
	}
	return out
}

func expectLines(t *testing.T, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("sent\n  %s\nexpected\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
}

func TestHoldersAndTheirSuperiorsAreRemindedOnceInOfficeHours(t *testing.T) {
	t.Parallel()
	l := begin(t)
	l.do("16 13.01", Open{Channel: WhatsApp, At: l.wib("16 13.00"), From: stranger, Text: "Tautan belum masuk.", Class: "light", By: rini})
	l.do("16 13.05", Assign{By: bagas, Person: "dewi"})
	expectLines(t, l.sweep("16 13.10", "18 12.00"), []string{
		"16 14.20 reminder to staff dewi 60", // 72 of 120 minutes, at the next sweep
		"16 14.50 reminder to staff dewi 90",
		"16 15.00 reminder to staff dewi 100",
		"17 07.30 escalation to staff bagas atasan-1", // one hour after the end at 15.00: 16.00, when the office closes
		"17 08.30 escalation to staff tari atasan-2",
		"17 09.30 escalation to staff surya atasan-3",
	})
	if next, err := NextMark(l.s, l.a); !next.IsZero() || err != nil {
		t.Errorf("one more at %v, %v", next, err)
	}
}

func TestAnAnswerEndsTheReminders(t *testing.T) {
	t.Parallel()
	l := begin(t)
	l.do("16 13.01", Open{Channel: WhatsApp, At: l.wib("16 13.00"), From: stranger, Text: "Tautan belum masuk.", Class: "light", By: rini})
	if got := l.sweep("16 13.10", "16 14.20"); len(got) != 2 {
		t.Errorf("sent %v", got)
	}
	l.do("16 14.25", Answer{By: rini, Text: "Sudah.", Delivered: true})
	expectLines(t, l.sweep("16 14.30", "18 12.00"), nil)
	l.do("18 12.05", Reopen{By: rini, Text: "ditelepon lagi"})
	expectLines(t, l.sweep("18 13.00", "18 15.00"), []string{ // reopened within the break: the clock begins at 13.00
		"18 14.20 reminder to staff rini 60", "18 14.20 reminder to staff dewi 60",
		"18 14.50 reminder to staff rini 90", "18 14.50 reminder to staff dewi 90",
		"18 15.00 reminder to staff rini 100", "18 15.00 reminder to staff dewi 100",
	})
}

func TestSuperiorsEndAtTheHead(t *testing.T) {
	t.Parallel()
	l := begin(t)
	l.a.SOP = quick(l.a.SOP)
	l.do("16 09.01", byMail(l, stranger, "Ada pungli."))
	expectLines(t, l.sweep("16 09.10", "17 16.00"), []string{
		"16 09.40 reminder to staff bagas 60", "16 10.00 reminder to staff bagas 100", // 90 % and the end came between two sweeps
		"16 10.30 escalation to staff tari atasan-1", "16 11.00 escalation to staff surya atasan-2",
	})
}

// quick is an SOP whose class for misconduct has the shortest promise of all: one hour.
func quick(s *sop.SOP) *sop.SOP {
	out := *s
	out.Complaints = slices.Clone(s.Complaints)
	out.Complaints[3].Norm = sop.Norm{Length: time.Hour, Clock: sop.Working}
	return &out
}

func TestAVerifierCantAnswerWhatTheyJustHandedUp(t *testing.T) {
	t.Parallel()
	l := begin(t)
	l.a.SOP = quick(l.a.SOP)
	l.do("16 09.01", byMail(l, stranger, "Kapan dijawab?"))
	l.refused("16 09.10", Answer{By: rini, Class: "supervised", Text: "Sudah."}, request.NotAllowed)
	l.expect(StatusNew, sop.Verifier)
	l.do("16 09.11", Answer{By: bagas, Class: "supervised", Text: "Sudah."})
}

func TestADeputyIsRemindedForWhoeverIsAway(t *testing.T) {
	t.Parallel()
	l := begin(t)
	l.do("16 13.01", Open{Channel: Box, At: l.wib("16 13.00"), From: stranger, Text: "Tautan belum masuk.", By: rini})
	l.do("16 13.05", Assign{By: rini, Person: "dewi"})
	for i := range l.a.Staff {
		if l.a.Staff[i].ID == "dewi" {
			l.a.Staff[i].Leave = []agency.Leave{{Deputy: "tari", From: l.wib("16 14.00"), Until: l.wib("18 00.00")}}
		}
	}
	// Nobody set the class, but it has the shortest promise already: no mail about that.
	expectLines(t, l.sweep("16 14.20", "16 15.50"), []string{
		"16 14.20 reminder to staff tari 60", "16 14.50 reminder to staff tari 90", "16 15.00 reminder to staff tari 100",
	})
}

func TestOfSeveralPassedMarksOnlyTheLastIsTold(t *testing.T) {
	t.Parallel()
	l := begin(t)
	l.do("16 13.01", Open{Channel: WhatsApp, At: l.wib("16 13.00"), From: stranger, Text: "Tautan belum masuk.", Class: "light", By: rini})
	expectLines(t, l.sweep("16 15.10", "16 15.50"), []string{"16 15.10 reminder to staff rini 100", "16 15.10 reminder to staff dewi 100"})
}

func TestALongPromiseThatNobodyConfirmedIsAskedAbout(t *testing.T) {
	t.Parallel()
	l := begin(t)
	l.do("16 13.01", byMail(l, stranger, "Ada pungli.")) // received at 9.00
	if l.s.Class.ID != "supervised" {
		t.Fatalf("class %v", l.s.Class)
	}
	expectLines(t, l.sweep("16 13.10", "20 16.30"), []string{"16 13.10 reminder to staff bagas golongan"})
	l.do("20 16.30", Classify{By: bagas, Class: "supervised"})
	expectLines(t, l.sweep("23 07.30", "30 16.00"), nil) // the first mark, 60 % of 30 days, comes in December
	next, err := NextMark(l.s, l.a)
	if err != nil || DateOf(next) != "2026-12-10" { // 18 working days after Monday, 16 November
		t.Errorf("next mark at %v, %v", next, err)
	}
}

// DateOf keeps a failing test readable.
func DateOf(t time.Time) string { return t.Format(time.DateOnly) }

func TestAYearWithoutCalendarStopsTheSweepLoudly(t *testing.T) {
	t.Parallel()
	l := begin(t)
	l.s = l.s.With([]Event{{Kind: Received, At: time.Date(2027, 12, 20, 3, 0, 0, 0, time.UTC), Channel: Box,
		Class: &Class{ID: "supervised", Norm: sop.Norm{Days: 30, Clock: sop.Working}, Holder: sop.Section}}})
	if _, err := NextMark(l.s, l.a); err == nil {
		t.Error("a mark in 2028 was computed")
	}
	if _, err := Reading(l.s, l.a, time.Date(2027, 12, 21, 3, 0, 0, 0, time.UTC)); err == nil {
		t.Error("a deadline in 2028 was computed")
	}
}

// TestWhateverHappensTheLifeHoldsTogether plays random commands by random people and looks at what must always be so.
func TestWhateverHappensTheLifeHoldsTogether(t *testing.T) {
	t.Parallel()
	outer := t
	rapid.Check(t, func(t *rapid.T) {
		l := begin(outer)
		now := l.wib("2 08.00")
		actor := func() request.Actor {
			return rapid.SampledFrom([]request.Actor{rini, dewi, bagas, surya, {ID: "orang-lain"}, request.System}).Draw(t, "by")
		}
		class := func() string {
			return rapid.SampledFrom([]string{"", "light", "normative", "unsupervised", "supervised", "x"}).Draw(t, "class")
		}
		words := func() string {
			return rapid.SampledFrom([]string{"", "Belum.", "Ada pungli", "Terima kasih", "Tentang Joko Susilo", "PBG-2026-000123"}).Draw(t, "text")
		}
		var letters int64
		letter := func() *request.Letter {
			letters += rapid.Int64Range(0, 1).Draw(t, "new letter")
			from := rapid.SampledFrom([]string{joko.Email, stranger.Email}).Draw(t, "from")
			return &request.Letter{ID: letters, Channel: "mail", From: from, ReceivedAt: now.Add(-time.Duration(rapid.IntRange(0, 90).Draw(t, "late")) * time.Minute)}
		}
		for range rapid.IntRange(1, 25).Draw(t, "commands") {
			now = now.Add(time.Duration(rapid.IntRange(1, 400).Draw(t, "minutes")) * time.Minute)
			var cmd Command
			switch rapid.IntRange(0, 10).Draw(t, "command") {
			case 0:
				cmd = Open{Channel: rapid.SampledFrom(Channels).Draw(t, "channel"), At: now, From: rapid.SampledFrom([]Complainant{joko, stranger}).Draw(t, "who"),
					Text: words(), Letter: letter(), Class: class(), By: actor()}
			case 1:
				cmd = Join{Letter: *letter(), Text: words(), Same: rapid.Bool().Draw(t, "same")}
			case 2:
				cmd = Classify{By: actor(), Class: class(), Text: words()}
			case 3:
				cmd = Assign{By: actor(), Person: rapid.SampledFrom([]string{"", "rini", "bagas", "x"}).Draw(t, "person")}
			case 4:
				cmd = Relate{By: actor(), About: &jokos}
			case 5:
				cmd = HandOn{By: actor(), Text: words()}
			case 6:
				cmd = HandBack{By: actor(), Text: words()}
			case 7:
				cmd = Answer{By: actor(), Class: class(), Text: words(), Delivered: rapid.Bool().Draw(t, "delivered")}
			case 8:
				cmd = Dismiss{By: actor(), Text: words()}
			case 9:
				cmd = Reopen{By: actor(), Text: words()}
			case 10:
				due, err := Reminders(l.s, l.a, now)
				if err != nil {
					t.Fatal(err)
				}
				cmd = Remind{Due: due}
			}
			before := l.s
			events, effects, err := Decide(l.s, cmd, l.a, now)
			if err != nil {
				continue
			}
			l.events = append(l.events, events...)
			l.s = l.s.With(events)
			if before.Version+len(events) != l.s.Version {
				t.Fatalf("%d events made version %d of %d", len(events), l.s.Version, before.Version)
			}
			if before.Version > 0 && len(events) > 0 && before.Status != "" && len(before.Rounds) > len(l.s.Rounds) {
				t.Fatal("a promise vanished")
			}
			holdsTogether(t, l, effects)
		}
	})
}

func holdsTogether(t *rapid.T, l *life, effects []request.Effect) {
	s := l.s
	again := Fold(s.Number, l.events)
	if again.Version != s.Version || again.Status != s.Status || again.Holder != s.Holder || len(again.Rounds) != len(s.Rounds) || again.Answer != s.Answer {
		t.Fatalf("folded at once %+v\nstep by step %+v", again, s)
	}
	if s.Version == 0 {
		return
	}
	if s.Status.Open() != s.ClosedAt.IsZero() || s.Status.Open() != s.Round().Until.IsZero() {
		t.Fatalf("%s, closed at %v, promise until %v", s.Status, s.ClosedAt, s.Round().Until)
	}
	for i, r := range s.Rounds {
		if i > 0 && (s.Rounds[i-1].Until.IsZero() || r.From.Before(s.Rounds[i-1].Until)) {
			t.Fatalf("promises overlap: %+v", s.Rounds)
		}
	}
	if (s.Status == StatusBSrE) != (len(s.AtBSrE) > 0 && s.AtBSrE[len(s.AtBSrE)-1].Until.IsZero()) {
		t.Fatalf("%s, at BSrE %v", s.Status, s.AtBSrE)
	}
	if s.Status == StatusAnswered && !s.ClassSet {
		t.Fatal("answered, though nobody set the class")
	}
	if s.Holder.Depth() < 0 || s.Class != nil && s.Holder.Depth() > s.Class.Holder.Depth() {
		t.Fatalf("held by %s, which may not hold class %v", s.Holder, s.Class)
	}
	stranger := s.Link == nil || !s.Link.Theirs
	for _, e := range effects {
		if m, ok := e.(request.Mail); ok && m.To.Kind == toApplicant && stranger {
			t.Fatalf("%s was written as to the applicant, to %s", m.Template, m.To.Address)
		}
	}
}

func TestEveryStateHasWords(t *testing.T) {
	t.Parallel()
	for _, status := range []Status{StatusNew, StatusOpen, StatusBSrE, StatusAnswered, StatusDismissed} {
		s := State{Status: status, Holder: sop.Verifier}
		if s.ForOffice() == string(status) || s.ForComplainant() == string(status) {
			t.Errorf("%s has no words", status)
		}
	}
	if s := (State{Status: StatusOpen, Holder: sop.Section}); s.ForOffice() != "Menunggu jawaban Kasi" {
		t.Errorf("said %q", s.ForOffice())
	}
}
