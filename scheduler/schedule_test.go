package scheduler

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pulih/internal/complaint"
	"pulih/internal/request"
	"pulih/internal/sop"
	"pulih/internal/store"
)

// TestAYearOfSchedulesAndReminders runs two daemons on one database through 2026, with the daemon down now and then for hours, days or two
// weeks. What must have gone out is computed beside it from the firings alone.
func TestAYearOfSchedulesAndReminders(t *testing.T) {
	t.Parallel()
	o := begin(t, "2025-12-31 12.00")
	from, until := o.Daemon.now(), o.wib("2027-01-01 00.00")
	other := o.daemon()
	daemons := []*Daemon{o.Daemon, other}
	rng := rand.New(rand.NewPCG(2026, 11))
	down := outagesOfTheDaemon(rng, from, until)

	var want []string
	last := map[string]time.Time{}
	for _, s := range o.schedules() {
		last[s.name] = from
	}
	day1 := time.Date(from.Year(), from.Month(), from.Day(), 0, 0, 0, 0, from.Location())
	opened := 0
	for d := day1; d.Before(until); d = d.AddDate(0, 0, 1) {
		for _, clock := range []string{"02.00", "07.29", "07.31", "07.46", "09.00", "11.40", "13.10", "14.59", "15.01", "15.46", "16.01", "16.31", "21.00"} {
			at := o.wib(d.Format("2006-01-02 ") + clock).Add(time.Duration(rng.IntN(50)) * time.Second)
			if !at.After(from) || slices.ContainsFunc(down, func(p sop.Pause) bool { return !at.Before(p.From) && at.Before(p.Until) }) {
				continue
			}
			o.set(at)
			if clock == "09.00" && d.Day()%9 == 0 && o.Calendar.Open(at) {
				opened++
				o.openRequest(t, "Wahyu Nugroho, S.Pd.")
				o.enter(t, "Kapan selesai?")
			}
			sweepTogether(t, daemons)
			for _, s := range o.schedules() {
				firing := latestFiring(s, last[s.name], at)
				if !firing.IsZero() && (o.Calendar.Open(at) || o.Calendar.Open(firing.Add(-time.Second)) && at.Sub(firing) < 10*time.Minute) {
					last[s.name] = firing
					for _, to := range recipients(o, s, firing) {
						want = append(want, fmt.Sprintf("%s/purbalingga/%s/%s", s.name, firing.UTC().Format(time.RFC3339), to))
					}
				}
			}
		}
	}
	if opened == 0 || len(want) < 100 {
		t.Fatalf("the year had %d requests and %d reports to send", opened, len(want))
	}
	o.checkReports(t, want)
	o.checkReminders(t)
}

// sweepTogether lets all daemons sweep at the same moment.
func sweepTogether(t *testing.T, daemons []*Daemon) {
	t.Helper()
	var wg sync.WaitGroup
	for _, d := range daemons {
		wg.Go(func() {
			for _, err := range []error{d.remind(t.Context(), d.order[0]), d.runSchedules(t.Context(), d.order[0])} {
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
}

// outagesOfTheDaemon are spans in which nothing runs: some hours, some days, two weeks.
func outagesOfTheDaemon(rng *rand.Rand, from, until time.Time) []sop.Pause {
	var out []sop.Pause
	for _, length := range []time.Duration{3 * time.Hour, 9 * time.Hour, 30 * time.Hour, 4 * 24 * time.Hour, 14 * 24 * time.Hour} {
		for range 3 {
			at := from.Add(time.Duration(rng.Int64N(int64(until.Sub(from)))))
			out = append(out, sop.Pause{From: at, Until: at.Add(length)})
		}
	}
	return out
}

func latestFiring(s schedule, last, now time.Time) (at time.Time) {
	for next := s.when.Next(last); !next.After(now); next = s.when.Next(next) {
		at = next
	}
	return at
}

func recipients(o *office, s schedule, at time.Time) []string {
	switch s.name {
	case "digest-office":
		return []string{"tri.handayani@purbalinggakab.go.id", "endah.kusumastuti@purbalinggakab.go.id"}
	case "digest-verifier":
		return []string{"rini@purbalinggakab.go.id", "galih@purbalinggakab.go.id"}
	case "evaluation-pack":
		var out []string
		for _, p := range o.Staff {
			out = append(out, p.Email)
		}
		return out
	}
	return []string{"surya@purbalinggakab.go.id"}
}

func (o *office) checkReports(t *testing.T, want []string) {
	t.Helper()
	rows, err := o.store.Pool.Query(t.Context(), `SELECT once, created_at FROM outbox WHERE template LIKE 'digest-%' OR template = 'evaluation-pack' ORDER BY id`)
	if err != nil {
		t.Fatal(err)
	}
	var have []string
	for rows.Next() {
		var once string
		var at time.Time
		if err := rows.Scan(&once, &at); err != nil {
			t.Fatal(err)
		}
		have = append(have, once)
		o.inHours(t, once, at)
	}
	slices.Sort(want)
	slices.Sort(have)
	if !slices.Equal(have, want) {
		missing := slices.DeleteFunc(slices.Clone(want), func(s string) bool { return slices.Contains(have, s) })
		extra := slices.DeleteFunc(slices.Clone(have), func(s string) bool { return slices.Contains(want, s) })
		t.Errorf("%d reports, want %d; missing %q, beyond %q", len(have), len(want), missing[:min(5, len(missing))], extra[:min(5, len(extra))])
	}
}

// checkReminders: each mark of each clock was told once to each person, in office hours.
func (o *office) checkReminders(t *testing.T) {
	t.Helper()
	rows, err := o.store.Pool.Query(t.Context(), `SELECT address, items, created_at FROM outbox WHERE template IN ('reminder', 'escalation')`)
	if err != nil {
		t.Fatal(err)
	}
	told := map[string]int{}
	for rows.Next() {
		var address string
		var detail []byte
		var at time.Time
		if err := rows.Scan(&address, &detail, &at); err != nil {
			t.Fatal(err)
		}
		var items []store.BundleItem
		if err := json.Unmarshal(detail, &items); err != nil {
			t.Fatal(err)
		}
		o.inHours(t, "a reminder", at)
		for _, i := range items {
			told[i.Number+" "+i.Step+" "+i.Mark+" "+address]++
		}
	}
	numbers := map[string]bool{}
	for what, n := range told {
		numbers[strings.Fields(what)[0]] = true
		if n != 1 {
			t.Errorf("%s was told %d times", what, n)
		}
	}
	// Nobody does anything all year: each of them must have reached the head.
	for number := range numbers {
		heads := 0
		for what := range told {
			if strings.HasPrefix(what, number+" ") && strings.HasSuffix(what, " surya@purbalinggakab.go.id") {
				heads++
			}
		}
		if heads != 1 && !o.young(t, number) {
			t.Errorf("the head was told of %s %d times", number, heads)
		}
	}
	if len(numbers) < 10 {
		t.Errorf("only %d requests and complaints were reminded of", len(numbers))
	}
}

// young: it came so late in the year that the last mark is still to come.
func (o *office) young(t *testing.T, number string) bool {
	t.Helper()
	var at *time.Time
	table := "requests"
	if store.IsComplaint(number) {
		table = "complaints"
	}
	if err := o.store.Pool.QueryRow(t.Context(), `SELECT remind_at FROM `+table+` WHERE number = $1`, number).Scan(&at); err != nil {
		t.Fatal(err)
	}
	return at != nil
}

func (o *office) inHours(t *testing.T, what string, at time.Time) {
	t.Helper()
	if !o.Calendar.Open(at) && !o.Calendar.Open(at.Add(-10*time.Minute)) {
		t.Errorf("%s was made outside office hours, %s", what, at.In(o.Zone).Format("Mon 2006-01-02 15.04"))
	}
}

func (o *office) enter(t *testing.T, text string) complaint.State {
	t.Helper()
	st, err := o.store.EnterComplaint(t.Context(), o.Agency, o.Daemon.now(), complaint.Open{
		Channel: complaint.Telephone, At: o.Daemon.now(), From: complaint.Complainant{Name: "Pelapor"}, Text: text, Class: "light", By: rini,
	})
	if err != nil {
		t.Fatal(err)
	}
	return st
}

func TestOneMailTellsOfNineRequests(t *testing.T) {
	t.Parallel()
	o := begin(t, "2026-11-16 08.00")
	for range 9 {
		o.openRequest(t, "Wahyu Nugroho, S.Pd.")
	}
	o.enter(t, "Kapan?")
	o.clock("2026-11-16 10.00")
	for range 3 {
		sweepTogether(t, []*Daemon{o.Daemon})
	}
	if n := count(o.outbox(), "reminder > rini@"); n != 1 {
		t.Errorf("%d reminders to one person, want 1", n)
	}
	if m := o.last("reminder"); !strings.Contains(m.Subject, "10 permohonan dan pengaduan") {
		t.Errorf("the subject is %q", m.Subject)
	}
}

// Nine marks come 25 seconds apart while the daemons look every five: each verifier gets one mail. The tenth comes alone, and just before the
// office closes: it waits for nobody.
func TestMarksThatComeWithinMinutesAreOneMail(t *testing.T) {
	t.Parallel()
	o := begin(t, "2026-11-16 08.00")
	for range 9 {
		o.openRequest(t, "Wahyu Nugroho, S.Pd.")
		o.set(o.now().Add(25 * time.Second))
	}
	for o.clock("2026-11-16 09.29"); o.now().Before(o.wib("2026-11-16 09.45")); o.set(o.now().Add(5 * time.Second)) {
		sweepTogether(t, []*Daemon{o.Daemon})
	}
	if n := count(o.outbox(), "reminder > rini@"); n != 1 {
		t.Errorf("%d reminders to one person, want 1", n)
	}
	if m := o.last("reminder"); !strings.Contains(m.Subject, "9 permohonan") {
		t.Errorf("the subject is %q", m.Subject)
	}

	o.clock("2026-11-20 14.58")
	o.openRequest(t, "Wahyu Nugroho, S.Pd.") // 60 % is at 16.28, the office closes at 16.30
	before := count(o.outbox(), "reminder > rini@")
	for o.clock("2026-11-20 16.27"); o.now().Before(o.wib("2026-11-20 16.29")); o.set(o.now().Add(5 * time.Second)) {
		sweepTogether(t, []*Daemon{o.Daemon})
	}
	if n := count(o.outbox(), "reminder > rini@"); n != before+1 {
		t.Errorf("%d reminders before the office closed, want 1", n-before)
	}
}

// Where a step has five minutes, a mark can't wait for five.
func TestAShortPromiseWaitsForNobody(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]time.Duration{"purbalingga": 4 * time.Minute, "madiun": 10 * time.Second} {
		p, err := sop.Shipped(name)
		if err != nil || gathering(p) != want {
			t.Errorf("marks of %s wait %s, want %s (%v)", name, gathering(p), want, err)
		}
	}
}

// The norm in the SOP's file changes while requests are open: those keep theirs, new ones have the new one.
func TestAChangedNormChangesNothingForOpenRequests(t *testing.T) {
	t.Parallel()
	o := begin(t, "2026-11-16 08.00")
	o.keepSOPs(t, o.Daemon)
	old := o.openRequest(t, "Wahyu Nugroho, S.Pd.")
	shipped, err := sop.Shipped("purbalingga")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "sop.yaml")
	if err := os.WriteFile(file, bytes.Replace(shipped.File, []byte("norm: 150 menit"), []byte("norm: 60 menit"), 1), 0o600); err != nil {
		t.Fatal(err)
	}
	other := o.daemon(func(yaml string) string { return strings.Replace(yaml, "sop: purbalingga\n", "sop: "+file+"\n", 1) })
	o.keepSOPs(t, other)
	o.Daemon, o.tenant = other, other.order[0]
	young := o.openRequest(t, "drg. Endah Kusumastuti, M.Kes.")
	for _, want := range []struct {
		number, due string
		norm        time.Duration
	}{{old.Number, "2026-11-16 10.30", 150 * time.Minute}, {young.Number, "2026-11-16 09.00", time.Hour}} {
		// Something happens to it under the new file.
		st, err := o.store.Act(t.Context(), o.Agency, want.number, o.now(), request.Note{By: rini, Text: "Ditelepon."})
		if err != nil {
			t.Fatal(err)
		}
		r, err := o.store.Request(t.Context(), "purbalingga", want.number)
		if err != nil || !r.DueAt.Equal(o.wib(want.due)) {
			t.Errorf("%s is due %v, want %s (%v)", want.number, r.DueAt, want.due, err)
		}
		_, total, err := request.Clocks(st, o.Agency, o.now())
		if err != nil || total.Reading.Left != want.norm || o.Agency.Procedure(st.SOPVersion).Total.Length != want.norm {
			t.Errorf("%s has %s left, want %s (%v)", want.number, total.Reading.Left, want.norm, err)
		}
	}
	// Both take 90 minutes: the old one kept its promise, the young one broke its own.
	o.clock("2026-11-16 09.30")
	for _, number := range []string{old.Number, young.Number} {
		if _, err := o.store.Act(t.Context(), o.Agency, number, o.now(), request.Reject{By: rini, Text: "Bukan pejabat kami."}); err != nil {
			t.Fatal(err)
		}
	}
	d, err := o.Report(t.Context(), "purbalingga", "digest-head-daily", "", o.wib("2026-11-16 00.00"), o.wib("2026-11-17 00.00"))
	if err != nil || d.Kept != 1 || d.Broken != 1 || len(d.Breaches) != 1 || d.Breaches[0].Number != young.Number {
		t.Errorf("%d kept, %d broken: %+v, %v", d.Kept, d.Broken, d.Breaches, err)
	}
	if n, different, err := o.store.Rebuild(t.Context(), o.Agency, o.now()); err != nil || n != 2 || len(different) > 0 {
		t.Errorf("rebuilding %d requests changes %q, %v", n, different, err)
	}
}

func (o *office) keepSOPs(t *testing.T, d *Daemon) {
	t.Helper()
	if err := d.store.KeepSOP(t.Context(), d.order[0].Agency, o.now()); err != nil {
		t.Fatal(err)
	}
}

func TestRemindersFollowPreferencesAndDeputies(t *testing.T) {
	t.Parallel()
	o := begin(t, "2026-11-16 08.00", func(yaml string) string {
		yaml = strings.Replace(yaml, "email: rini@purbalinggakab.go.id", "reminders: end, email: rini@purbalinggakab.go.id", 1)
		yaml = strings.Replace(yaml, "email: galih@purbalinggakab.go.id", "reminders: off, email: galih@purbalinggakab.go.id", 1)
		return strings.Replace(yaml, "email: bagas@purbalinggakab.go.id", "reminders: off, leave: [{deputy: laras, first_day: 2026-11-16, last_day: 2026-11-16}], email: bagas@purbalinggakab.go.id", 1)
	})
	o.openRequest(t, "Wahyu Nugroho, S.Pd.")
	for _, at := range []string{"09.36", "10.21", "10.36", "11.51"} {
		o.clock("2026-11-16 " + at)
		sweepTogether(t, []*Daemon{o.Daemon})
	}
	out := o.outbox()
	for mail, want := range map[string]int{
		"reminder > rini@": 1, "reminder > galih@": 0, "escalation > bagas@": 0, "escalation > laras@": 1,
	} {
		if n := count(out, mail); n != want {
			t.Errorf("%d × %s, want %d", n, mail, want)
		}
	}
}

func TestAChangeOfTheCalendarMovesDeadlinesWithANote(t *testing.T) {
	t.Parallel()
	o := begin(t, "2026-11-16 15.00")
	st := o.openRequest(t, "Wahyu Nugroho, S.Pd.")
	o.enter(t, "Kapan?")
	early := o.openRequest(t, "drg. Endah Kusumastuti, M.Kes.")
	// Tuesday becomes a closed day.
	other := o.daemon(func(yaml string) string {
		return strings.Replace(yaml, "    sop: purbalingga\n", "    sop: purbalingga\n    closed_days: [DAYS]\n", 1)
	})
	// Somebody is quicker than the sweep: this deadline doesn't move silently either.
	if _, err := o.store.Act(t.Context(), other.order[0].Agency, early.Number, o.now(), request.Note{By: rini, Text: "Ditelepon."}); err != nil {
		t.Fatal(err)
	}
	if events, err := o.store.Events(t.Context(), early.Number); err != nil || !strings.HasPrefix(events[len(events)-2].Text, "Kalender berubah: ") {
		t.Errorf("the events before the note are %+v, %v", events[len(events)-2], err)
	}
	for range 2 {
		if err := other.recount(t.Context(), other.order[0]); err != nil {
			t.Fatal(err)
		}
	}
	events, err := o.store.Events(t.Context(), st.Number)
	if err != nil {
		t.Fatal(err)
	}
	note := events[len(events)-1]
	want := "Kalender berubah: batas waktu dari Selasa, 17 November 2026 pukul 09.00 WIB menjadi Rabu, 18 November 2026 pukul 09.00 WIB."
	if note.Kind != request.NoteAdded || note.Text != want || len(events) != st.Version+1 {
		t.Errorf("the last of %d events is %s %q", len(events), note.Kind, note.Text)
	}
	r, err := o.store.Request(t.Context(), "purbalingga", st.Number)
	if err != nil || !r.DueAt.Equal(o.wib("2026-11-18 09.00")) || r.Calendar != other.order[0].Calendar.Version() {
		t.Errorf("the request is due %v by calendar %s, %v", r.DueAt, r.Calendar, err)
	}
	if c, err := o.store.Complaint(t.Context(), "purbalingga", "PBG-P-2026-000001"); err != nil || !c.DueAt.Equal(o.wib("2026-11-18 08.30")) {
		t.Errorf("the complaint is due %v, %v", c.DueAt, err)
	}
}
