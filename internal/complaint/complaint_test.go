package complaint

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
	_ "time/tzdata"

	"pulih/internal/agency"
	"pulih/internal/request"
	"pulih/internal/sop"
)

// office is Purbalingga with invented people: Rini and Dewi verify, Bagas leads their section, Tari the division, Surya the agency.
func office(t testing.TB) *agency.Agency {
	t.Helper()
	wib, err := time.LoadLocation("Asia/Jakarta")
	if err != nil {
		t.Fatal(err)
	}
	s, err := sop.Shipped("purbalingga")
	if err != nil {
		t.Fatal(err)
	}
	person := func(id string, role sop.Role) agency.Person {
		return agency.Person{ID: id, Name: strings.ToUpper(id[:1]) + id[1:], Email: id + "@purbalinggakab.go.id", Roles: []sop.Role{role}}
	}
	return &agency.Agency{
		Key: "purbalingga", Prefix: "PBG", Zone: wib, SOP: s, Calendar: sop.ShippedCalendar(wib),
		Staff: []agency.Person{
			person("surya", sop.Head), person("tari", sop.Division), person("bagas", sop.Section), person("rini", sop.Verifier), person("dewi", sop.Verifier),
		},
		Offices: []agency.Office{{
			ID: "dinkes", Name: "Dinas Kesehatan", Addresses: []string{"dinkes@purbalinggakab.go.id"},
			Head:      agency.Official{Name: "dr. Endah Lestari", Email: "endah@purbalinggakab.go.id"},
			Officials: []agency.Official{{Name: "Joko Susilo, S.Kep.", Email: "joko@purbalinggakab.go.id"}},
		}},
	}
}

var (
	rini  = request.Actor{Role: sop.Verifier, ID: "rini", Via: "console"}
	dewi  = request.Actor{Role: sop.Verifier, ID: "dewi", Via: "console"}
	bagas = request.Actor{Role: sop.Section, ID: "bagas", Via: "console"}
	surya = request.Actor{Role: sop.Head, ID: "surya", Via: "console"}

	joko     = Complainant{Name: "Joko Susilo", Email: "joko@purbalinggakab.go.id", OfficeID: "dinkes", Proven: true}
	stranger = Complainant{Name: "Seseorang", Email: "seseorang@surel.example"}
	jokos    = About{Number: "PBG-2026-000123", Subject: request.Subject{
		Name: "Joko Susilo, S.Kep.", Email: "joko@purbalinggakab.go.id", OfficeID: "dinkes", Office: "Dinas Kesehatan", Known: true}}
)

// life plays commands, each at a time of its own, and keeps what follows.
type life struct {
	t       *testing.T
	a       *agency.Agency
	s       State
	events  []Event
	effects []request.Effect // of the last command
}

func begin(t *testing.T) *life { return &life{t: t, a: office(t), s: Fold("PBG-P-2026-000012", nil)} }

// wib reads "16 09.30" as the 16th of November 2026, 09.30 WIB; it was a Monday.
func (l *life) wib(s string) time.Time {
	l.t.Helper()
	at, err := time.ParseInLocation("2 15.04 1/2006", s+" 11/2026", l.a.Zone)
	if err != nil {
		l.t.Fatal(err)
	}
	return at
}

func (l *life) try(at string, cmd Command) error {
	l.t.Helper()
	events, effects, err := Decide(l.s, cmd, l.a, l.wib(at))
	if err != nil {
		if len(events)+len(effects) > 0 {
			l.t.Errorf("a refusal came with events")
		}
		return err
	}
	l.events = append(l.events, events...)
	l.s, l.effects = l.s.With(events), effects
	return nil
}

func (l *life) do(at string, cmd Command) {
	l.t.Helper()
	if err := l.try(at, cmd); err != nil {
		l.t.Fatalf("%T was refused: %v", cmd, err)
	}
}

func (l *life) refused(at string, cmd Command, code string) {
	l.t.Helper()
	err := l.try(at, cmd)
	if r, ok := errors.AsType[*request.Refusal](err); !ok || r.Code != code {
		l.t.Errorf("%T: %v, expected to be refused as %s", cmd, err, code)
	}
}

// sent lists the effects of the last command in words.
func (l *life) sent() []string {
	var out []string
	for _, e := range l.effects {
		switch e := e.(type) {
		case request.Mail:
			out = append(out, strings.TrimSpace(fmt.Sprintf("%s to %s %s %s", e.Template, e.To.Kind, e.To.Address, e.Mark)))
		case request.FollowUp:
			out = append(out, fmt.Sprintf("%s in Srikandi: %s", e.Status, e.Text))
		default:
			out = append(out, fmt.Sprintf("%T", e))
		}
	}
	return out
}

func (l *life) expectSent(want ...string) {
	l.t.Helper()
	if got := l.sent(); !slices.Equal(got, want) {
		l.t.Errorf("sent\n  %s\nexpected\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
}

func (l *life) expect(status Status, holder sop.Role) {
	l.t.Helper()
	if l.s.Status != status || l.s.Holder != holder {
		l.t.Errorf("%s, held by %s; expected %s, %s", l.s.Status, l.s.Holder, status, holder)
	}
}

func (l *life) reading(at string) sop.Reading {
	l.t.Helper()
	r, err := Reading(l.s, l.a, l.wib(at))
	if err != nil || r == nil {
		l.t.Fatalf("reading at %s: %v, %v", at, r, err)
	}
	return *r
}

func mail(id int64, from, at string, l *life) *request.Letter {
	return &request.Letter{ID: id, Channel: "mail", From: from, ReceivedAt: l.wib(at)}
}

func byMail(l *life, from Complainant, text string) Open {
	letter := mail(1, from.Email, "16 09.00", l)
	return Open{Channel: Mail, At: letter.ReceivedAt, From: from, Text: text, Letter: letter, By: request.System}
}

func TestAComplaintByMailIsClassifiedAndAnsweredByMail(t *testing.T) {
	t.Parallel()
	l := begin(t)
	l.do("16 09.01", byMail(l, joko, "Tautan reset belum saya terima sampai sekarang."))
	l.expect(StatusNew, sop.Verifier)
	l.expectSent("complaint-received to citizen joko@purbalinggakab.go.id",
		"complaint-assigned to staff rini@purbalinggakab.go.id", "complaint-assigned to staff dewi@purbalinggakab.go.id")
	if l.s.Class.ID != "light" || l.s.ClassSet || l.s.Reasons[0] != `menyebut "tautan"` {
		t.Errorf("proposed %v because %v", l.s.Class, l.s.Reasons)
	}
	if r := l.reading("16 10.00"); !r.Due.Equal(l.wib("16 11.00")) || r.Used != time.Hour {
		t.Errorf("two hours from nine o'clock: %+v", r)
	}

	l.do("16 09.30", Classify{By: rini, Class: "normative", Text: "menyangkut waktu pelayanan"})
	l.expect(StatusOpen, sop.Verifier)
	if r := l.reading("16 10.00"); !r.Due.Equal(l.wib("16 14.00")) {
		t.Errorf("four hours from nine o'clock, the break left out: %v", r.Due)
	}

	l.do("16 13.30", Answer{By: rini, Text: "Tautan telah kami kirim ulang melalui BSrE."})
	l.expect(StatusAnswered, sop.Verifier)
	l.expectSent("complaint-answered to citizen joko@purbalinggakab.go.id")
	if r := l.reading("20 10.00"); r.State != sop.Kept || r.Used != 3*time.Hour+30*time.Minute {
		t.Errorf("answered after 3 h 30 min of 4: %+v", r)
	}
	l.refused("16 13.31", Answer{By: dewi, Text: "Sekali lagi"}, request.WrongState)
}

func TestEventsSurviveTheArchive(t *testing.T) {
	t.Parallel()
	l := begin(t)
	open := byMail(l, joko, "Tautan belum masuk.")
	open.About = &jokos
	l.do("16 09.01", open)
	l.do("16 09.30", HandOn{By: rini, Text: "Mohon diperiksa."})
	l.do("16 10.00", Answer{By: rini, Class: "light", Text: "Sudah."})
	stored, err := json.Marshal(l.events)
	if err != nil {
		t.Fatal(err)
	}
	var read []Event
	if err := json.Unmarshal(stored, &read); err != nil {
		t.Fatal(err)
	}
	again, err := json.Marshal(Fold(l.s.Number, read))
	if err != nil {
		t.Fatal(err)
	}
	if was, err := json.Marshal(l.s); err != nil || !bytes.Equal(again, was) {
		t.Errorf("was  %s (%v)\nread %s", was, err, again)
	}
}

func TestEveryChannelIsAnsweredAsItCame(t *testing.T) {
	t.Parallel()
	if len(Channels) != 10 {
		t.Fatalf("%d channels, the standard names ten", len(Channels))
	}
	seen := map[string]bool{}
	for _, channel := range Channels {
		if title := channel.Title(); title == "" || seen[title] || !channel.Valid() {
			t.Errorf("%s is called %q", channel, title)
		} else {
			seen[title] = true
		}
		l := begin(t)
		open := Open{Channel: channel, At: l.wib("16 09.00"), From: stranger, Text: "Kapan dijawab?", By: rini}
		if channel == Srikandi {
			open.Letter = &request.Letter{ID: 7, Channel: "srikandi", SrikandiID: "nm-2026-000123", ReceivedAt: open.At}
		}
		l.do("16 09.01", open)
		opened := len(l.sent()) // Dewi is told, and whoever complained by mail or Srikandi
		l.do("16 09.10", Classify{By: rini, Class: "light"})
		if channel.Automatic() {
			if opened != 2 {
				t.Errorf("%s: sent %v when it came", channel, l.sent())
			}
			l.do("16 09.20", Answer{By: rini, Text: "Sudah dijawab."})
			if len(l.effects) != 1 {
				t.Errorf("%s: answered by %v", channel, l.sent())
			}
			continue
		}
		if opened != 1 {
			t.Errorf("%s: %d mails when it was entered, expected one to Dewi", channel, opened)
		}
		l.refused("16 09.20", Answer{By: rini, Text: "Sudah dijawab."}, request.Incomplete)
		l.do("16 09.21", Answer{By: rini, Text: "Sudah dijawab.", Delivered: true})
		l.expectSent()
	}
	l := begin(t)
	l.refused("16 09.00", Open{Channel: "merpati", Text: "x", By: rini}, request.Incomplete)
	l.refused("16 09.00", Open{Channel: WhatsApp, Text: "  ", By: rini}, request.Incomplete)
}

func TestSrikandiGetsFollowUps(t *testing.T) {
	t.Parallel()
	l := begin(t)
	l.do("16 09.01", Open{Channel: Srikandi, At: l.wib("16 09.00"), From: joko, Text: "Mohon penjelasan prosedur.", By: request.System,
		Letter: &request.Letter{ID: 7, Channel: "srikandi", SrikandiID: "nm-2026-000123"}})
	if got := l.sent()[0]; got != "diproses in Srikandi: Pengaduan tercatat dengan nomor PBG-P-2026-000012." {
		t.Errorf("sent %s", got)
	}
	l.do("16 09.10", HandOn{By: rini, Text: "Mohon diperiksa di AMS."})
	l.expectSent("diproses in Srikandi: Pengaduan diteruskan ke BSrE.")
	l.do("16 09.20", Answer{By: rini, Class: "normative", Text: "Prosedurnya ada di laman kami."})
	l.expectSent("selesai in Srikandi: Prosedurnya ada di laman kami.")
}

func TestTheClassIsSetByAHumanBeforeTheAnswer(t *testing.T) {
	t.Parallel()
	l := begin(t)
	l.do("16 09.01", byMail(l, joko, "Tautan belum masuk."))
	l.refused("16 09.10", Answer{By: rini, Text: "Sudah."}, Unclassified)
	l.refused("16 09.10", Classify{By: rini, Class: "berat"}, request.Incomplete)
	l.refused("16 09.10", Classify{By: rini, Class: "unsupervised"}, request.Incomplete) // longer, and no reason
	l.refused("16 09.10", Answer{By: rini, Class: "unsupervised", Text: "Sudah."}, request.Incomplete)
	l.do("16 09.10", Classify{By: rini, Class: "light"})
	l.do("16 09.11", Classify{By: dewi, Class: "light"})
	if len(l.effects) != 0 || l.s.Version != 2 {
		t.Errorf("setting the same class again made %d events", l.s.Version)
	}
	l.do("16 09.12", Answer{By: rini, Class: "light", Text: "Sudah."})
	l.refused("16 09.13", Classify{By: rini, Class: "normative", Text: "terlambat"}, request.WrongState)
}

func TestWhatMayBeMisconductIsNotForVerifiers(t *testing.T) {
	t.Parallel()
	l := begin(t)
	l.do("16 09.01", byMail(l, stranger, "Verifikator meminta uang untuk mempercepat reset."))
	l.expect(StatusNew, sop.Section)
	l.expectSent("complaint-received to citizen seseorang@surel.example", "complaint-assigned to staff bagas@purbalinggakab.go.id")
	for _, cmd := range []Command{
		Classify{By: rini, Class: "light"}, Answer{By: rini, Class: "light", Text: "Tidak benar."}, Dismiss{By: rini, Text: "bukan pengaduan"},
		Assign{By: rini, Person: "rini"}, HandOn{By: rini}, Reopen{By: rini}, Relate{By: rini, About: &jokos},
	} {
		l.refused("16 09.10", cmd, request.NotAllowed)
	}
	l.refused("16 09.20", Assign{By: bagas, Person: "rini"}, request.NotAllowed)
	if r := l.reading("16 09.10"); r.Left < 29*sop.Day {
		t.Errorf("30 working days: %+v", r)
	}
	l.do("16 09.30", Assign{By: bagas, Person: "surya"})
	l.expect(StatusNew, sop.Head)
	l.refused("16 09.40", Classify{By: bagas, Class: "supervised"}, request.NotAllowed)
	l.do("16 09.40", Classify{By: surya, Class: "supervised"})
	l.expect(StatusOpen, sop.Head)
	l.do("16 10.00", Answer{By: surya, Text: "Telah diperiksa."})
}

func TestAVerifierWhoEntersAComplaintCantClassifyItAway(t *testing.T) {
	t.Parallel()
	l := begin(t)
	open := Open{Channel: Telephone, At: l.wib("16 09.00"), From: stranger, Text: "Ada pungli di loket.", Class: "light", By: rini}
	l.do("16 09.01", open)
	l.expect(StatusNew, sop.Section)
	l.expectSent("complaint-assigned to staff bagas@purbalinggakab.go.id")

	l = begin(t)
	open.Text = "Kapan selesai?"
	open.Class = "unsupervised"
	l.do("16 09.01", open)
	l.expect(StatusOpen, sop.Verifier)
	if l.s.Class.ID != "unsupervised" || !l.s.ClassSet {
		t.Errorf("class %v", l.s.Class)
	}

	l = begin(t)
	open.Class = "supervised"
	l.do("16 09.01", open) // a verifier may hand it up
	l.expect(StatusOpen, sop.Section)
	l.expectSent("complaint-assigned to staff bagas@purbalinggakab.go.id")
}

func TestAStrangerLearnsNothingOfOthers(t *testing.T) {
	t.Parallel()
	open := func(from Complainant, text string) *life {
		l := begin(t)
		o := byMail(l, from, text)
		o.About = &jokos
		l.do("16 09.01", o)
		l.do("16 09.02", Classify{By: rini, Class: "normative", Text: "prosedur"})
		return l
	}
	kind := func(l *life) string { return l.effects[0].(request.Mail).To.Kind }

	l := open(stranger, "Reset pejabat itu bagaimana?")
	if l.s.Link.Theirs {
		t.Error("a stranger owns the request")
	}
	l.refused("16 09.10", Answer{By: rini, Text: "Permohonan PBG-2026-000123 sudah selesai."}, Discloses)
	l.refused("16 09.10", Answer{By: rini, Text: "Reset atas nama  JOKO\nSusilo sudah selesai."}, Discloses)
	l.refused("16 09.10", HandOn{By: rini, Text: "Mohon periksa reset Joko Susilo."}, Discloses)
	l.do("16 09.10", Answer{By: rini, Text: "Kami tidak dapat menyampaikan keterangan tentang permohonan orang lain."})
	if kind(l) != "citizen" {
		t.Errorf("answered as to a %s", kind(l))
	}

	l = open(stranger, "Bagaimana permohonan PBG-2026-000123?")
	l.do("16 09.10", HandOn{By: rini, Text: "Tentang PBG-2026-000123: mohon diperiksa."}) // they wrote the number themselves
	l.refused("16 09.20", Answer{By: rini, Text: "Permohonan Joko Susilo sudah selesai."}, Discloses)

	spoofed := joko
	spoofed.Proven = false
	if l := open(spoofed, "Bagaimana?"); l.s.Link.Theirs {
		t.Error("a From address alone proves nothing")
	}
	colleague := Complainant{Name: "Rekan", Email: "rekan@purbalinggakab.go.id", OfficeID: "dinkes", Proven: true}
	if l := open(colleague, "Bagaimana?"); l.s.Link.Theirs {
		t.Error("a colleague is not the applicant")
	}
	for _, own := range []Complainant{
		joko,
		{Email: "DINKES@purbalinggakab.go.id", Proven: true},
		{Email: "endah@purbalinggakab.go.id", Proven: true},
	} {
		l := open(own, "Bagaimana?")
		if !l.s.Link.Theirs {
			t.Errorf("%s may ask about the request", own.Email)
		}
		l.do("16 09.10", Answer{By: rini, Text: "Permohonan PBG-2026-000123 atas nama Joko Susilo sudah selesai."})
		if kind(l) != "applicant" {
			t.Errorf("answered as to a %s", kind(l))
		}
	}
}

func TestLinksAreSetAndTakenAway(t *testing.T) {
	t.Parallel()
	l := begin(t)
	l.do("16 09.01", byMail(l, joko, "Belum ada tautan."))
	l.do("16 09.02", Relate{By: rini, About: &jokos})
	l.do("16 09.03", Relate{By: rini, About: &jokos})
	if l.s.Version != 2 || l.s.Link.Number != "PBG-2026-000123" || !l.s.Link.Theirs {
		t.Errorf("linked to %+v after %d events", l.s.Link, l.s.Version)
	}
	l.do("16 09.04", Relate{By: rini})
	l.do("16 09.05", Relate{By: rini})
	if l.s.Version != 3 || l.s.Link != nil {
		t.Errorf("still linked to %+v after %d events", l.s.Link, l.s.Version)
	}
}

func TestToBSrEAndBackWhileTheClockRuns(t *testing.T) {
	t.Parallel()
	l := begin(t)
	l.do("16 09.01", byMail(l, joko, "Tautan gagal dibuka."))
	l.do("16 09.10", Classify{By: rini, Class: "light"})
	l.refused("16 09.15", HandBack{By: rini, Text: "x"}, request.WrongState)
	l.do("16 09.20", HandOn{By: rini, Text: "Tautan tidak dapat dibuka."})
	l.expect(StatusBSrE, sop.Verifier)
	l.expectSent("complaint-forwarded to citizen joko@purbalinggakab.go.id")
	l.refused("16 09.21", HandOn{By: dewi}, request.WrongState)
	if r := l.reading("16 10.00"); r.State != sop.Running || r.Used != time.Hour {
		t.Errorf("the promise is the office's, BSrE or not: %+v", r)
	}
	l.do("16 10.30", HandBack{By: request.System, Text: "Tautan diperbarui."})
	l.expect(StatusOpen, sop.Verifier)
	l.expectSent("complaint-assigned to staff rini@purbalinggakab.go.id", "complaint-assigned to staff dewi@purbalinggakab.go.id")
	if want := (sop.Pause{From: l.wib("16 09.20"), Until: l.wib("16 10.30")}); len(l.s.AtBSrE) != 1 || l.s.AtBSrE[0] != want {
		t.Errorf("at BSrE %v", l.s.AtBSrE)
	}
	l.do("16 11.30", Answer{By: rini, Text: "Sudah diperbarui."})
	if r := l.reading("16 12.00"); r.State != sop.Broken || r.Left != -30*time.Minute {
		t.Errorf("two and a half hours of two: %+v", r)
	}
}

func TestAReplyOpensAnAnsweredComplaintAgainUnlessItSaysThanks(t *testing.T) {
	t.Parallel()
	answered := func() *life {
		l := begin(t)
		l.do("16 09.01", byMail(l, joko, "Tautan belum masuk."))
		l.do("16 10.00", Answer{By: rini, Class: "light", Text: "Sudah dikirim."})
		return l
	}
	l := answered()
	l.do("17 08.00", Join{Letter: *mail(2, joko.Email, "17 08.00", l), Text: "Terima kasih banyak, Bu.\nJoko Susilo\n\nPada Sen, 16 Nov 2026 10.00 Tim menulis:\n> Sudah dikirim."})
	l.expect(StatusAnswered, sop.Verifier)
	l.expectSent()

	l = answered()
	l.do("17 08.00", Join{Letter: *mail(2, "lain@surel.example", "17 08.00", l), Text: "Saya juga belum menerima."})
	l.expect(StatusAnswered, sop.Verifier) // somebody else wrote: a person looks at it
	if len(l.effects) != 2 || len(l.s.Texts) != 1 {
		t.Errorf("sent %v, words %q", l.sent(), l.s.Texts)
	}

	l = answered()
	l.do("17 08.00", Join{Letter: *mail(2, joko.Email, "17 08.00", l), Text: "Terima kasih, tetapi belum masuk juga."})
	l.expect(StatusOpen, sop.Verifier)
	if r := l.reading("17 09.00"); !r.Due.Equal(l.wib("17 10.00")) || r.Used != time.Hour {
		t.Errorf("a new promise from 08.00: %+v", r)
	}
	if first := l.s.Rounds[0]; !first.Until.Equal(l.wib("16 10.00")) {
		t.Errorf("the first promise ended at %v", first.Until)
	}
	l.do("17 08.00", Join{Letter: *mail(2, joko.Email, "17 08.00", l), Text: "Terima kasih, tetapi belum masuk juga."})
	if len(l.effects) != 0 || len(l.s.Rounds) != 2 {
		t.Error("the same letter counted twice")
	}
	l.do("17 08.30", Answer{By: dewi, Text: "Kini sudah."})

	crossed := answered()
	crossed.do("16 10.05", Join{Letter: *mail(2, joko.Email, "16 09.58", crossed), Text: "Masih belum."})
	if r := crossed.s.Round(); r.From.Before(crossed.s.Rounds[0].Until) {
		t.Errorf("a mail that crossed the answer began a promise at %v", r.From)
	}
}

func TestTheSameLetterByTheOtherChannelJoinsSilently(t *testing.T) {
	t.Parallel()
	l := begin(t)
	l.do("16 09.01", byMail(l, joko, "Tautan belum masuk."))
	l.do("16 09.30", Join{Letter: request.Letter{ID: 9, Channel: "srikandi", SrikandiID: "nm-1", ReceivedAt: l.wib("16 09.25")}, Text: "Tautan belum masuk.", Same: true})
	l.expectSent()
	if len(l.s.Letters) != 2 || len(l.s.Texts) != 1 || !l.s.Round().From.Equal(l.wib("16 09.00")) {
		t.Errorf("%d letters, words %q, promise from %v", len(l.s.Letters), l.s.Texts, l.s.Round().From)
	}
}

func TestDismissedComplaintsKeepAndBreakNothing(t *testing.T) {
	t.Parallel()
	l := begin(t)
	l.do("16 09.01", byMail(l, stranger, "Promo sepatu."))
	l.refused("16 09.10", Dismiss{By: rini, Text: " "}, request.Incomplete)
	l.do("18 09.10", Dismiss{By: rini, Text: "Iklan, bukan pengaduan."})
	l.expect(StatusDismissed, sop.Verifier)
	l.expectSent()
	if r, err := Reading(l.s, l.a, l.wib("18 10.00")); r != nil || err != nil {
		t.Errorf("a dismissed complaint has a clock: %+v, %v", r, err)
	}
	l.do("18 11.00", Reopen{By: dewi, Text: "Ternyata pengaduan."})
	l.expect(StatusNew, sop.Verifier)
	l.refused("18 11.01", Reopen{By: dewi}, request.WrongState)
}

func TestOnlyTheOfficeActs(t *testing.T) {
	t.Parallel()
	l := begin(t)
	nobody := request.Actor{Role: sop.Verifier, ID: "orang-lain"}
	l.refused("16 09.00", Classify{By: rini, Class: "light"}, request.WrongState)
	l.do("16 09.01", byMail(l, joko, "Tautan belum masuk."))
	l.refused("16 09.02", byMail(l, joko, "Lagi."), request.WrongState)
	for _, cmd := range []Command{
		Classify{By: nobody, Class: "light"}, Answer{By: nobody, Class: "light", Text: "x"}, Dismiss{By: nobody, Text: "x"}, HandOn{By: nobody},
		Assign{By: nobody, Person: "rini"}, Relate{By: nobody},
	} {
		l.refused("16 09.05", cmd, request.NotAllowed)
	}
	l.do("16 09.06", Assign{By: bagas, Person: "dewi"}) // a superior may
	l.expectSent("complaint-assigned to staff dewi@purbalinggakab.go.id")
	l.refused("16 09.07", Assign{By: dewi, Person: "orang-lain"}, request.NotAllowed)
	l.do("16 09.08", Assign{By: dewi})
	if l.s.HolderID != "" || l.s.Holder != sop.Verifier {
		t.Errorf("held by %s %s", l.s.Holder, l.s.HolderID)
	}
	// Dewi is away: her deputy Tari acts for her.
	for i := range l.a.Staff {
		if l.a.Staff[i].ID == "dewi" {
			l.a.Staff[i].Leave = []agency.Leave{{Deputy: "tari", From: l.wib("17 00.00"), Until: l.wib("18 00.00")}}
		}
	}
	l.do("17 09.00", Assign{By: bagas, Person: "tari"})
	l.expect(StatusNew, sop.Verifier)
	l.do("17 09.01", Note{By: rini, Text: "Sudah ditelepon."})
	if l.events[len(l.events)-1].Kind != NoteAdded {
		t.Error("the note is missing")
	}
}

func TestAnSOPWithoutClassesPromisesNothing(t *testing.T) {
	t.Parallel()
	l := begin(t)
	bare := *l.a.SOP
	bare.Complaints = nil
	l.a.SOP = &bare
	l.do("16 09.01", byMail(l, joko, "Tautan belum masuk."))
	if r, err := Reading(l.s, l.a, l.wib("18 10.00")); r != nil || err != nil {
		t.Errorf("%+v, %v", r, err)
	}
	if next, err := NextMark(l.s, l.a); !next.IsZero() || err != nil {
		t.Errorf("a reminder at %v, %v", next, err)
	}
	l.do("16 09.02", Answer{By: rini, Text: "Sudah."})
	l.expect(StatusAnswered, sop.Verifier)
}

func TestALaterChangeOfTheSOPDoesNotMoveThePromise(t *testing.T) {
	t.Parallel()
	l := begin(t)
	l.do("16 09.01", byMail(l, joko, "Tautan belum masuk."))
	l.do("16 09.10", Classify{By: rini, Class: "light"})
	changed := *l.a.SOP
	changed.Complaints = slices.Clone(changed.Complaints)
	changed.Complaints[0].Norm.Length = time.Hour
	l.a.SOP = &changed
	if r := l.reading("16 09.30"); !r.Due.Equal(l.wib("16 11.00")) {
		t.Errorf("due %v, two hours were promised", r.Due)
	}
}

func TestLongTextsAreCut(t *testing.T) {
	t.Parallel()
	l := begin(t)
	l.do("16 09.01", byMail(l, stranger, strings.Repeat("é belum ", MaxText)))
	if n := len([]rune(l.s.Texts[0])); n > MaxText+2 {
		t.Errorf("%d characters were kept", n)
	}
	late := begin(t)
	open := byMail(late, stranger, "belum")
	open.At = late.wib("18 09.00")
	late.do("16 09.01", open)
	if !late.s.ReceivedAt.Equal(late.wib("16 09.01")) {
		t.Errorf("received at %v, after it was seen", late.s.ReceivedAt)
	}
}
