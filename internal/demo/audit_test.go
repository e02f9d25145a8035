package demo

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	"pulih/internal/agency"
	"pulih/internal/request"
	"pulih/internal/sop"
)

// audit counts, after a play, from the partners' journals and the database, and holds both against the invariants (architecture.md).
type audit struct {
	*house
	events map[string][]request.Event
	owner  map[string]*agency.Agency
}

func newAudit(h *house) *audit {
	h.t.Helper()
	a := &audit{house: h, events: map[string][]request.Event{}, owner: map[string]*agency.Agency{}}
	for _, ag := range h.world.Config.Agencies() {
		list, err := h.store.Requests(h.t.Context(), ag.Key, time.Time{}, h.world.Clock.Now().AddDate(1, 0, 0))
		if err != nil {
			h.t.Fatal(err)
		}
		for _, r := range list {
			a.owner[r.Number] = ag
			if a.events[r.Number], err = h.store.Events(h.t.Context(), r.Number); err != nil {
				h.t.Fatal(err)
			}
		}
	}
	return a
}

func (a *audit) count(t *testing.T, sql string, args ...any) (n int) {
	t.Helper()
	if err := a.store.Pool.QueryRow(t.Context(), sql, args...).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// column lists the first column of a query.
func (a *audit) column(t *testing.T, sql string, args ...any) (out []string) {
	t.Helper()
	rows, err := a.store.Pool.Query(t.Context(), sql, args...)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			t.Fatal(err)
		}
		out = append(out, s)
	}
	if rows.Err() != nil {
		t.Fatal(rows.Err())
	}
	return out
}

// letters: each mail in an INBOX and each letter in a Srikandi has its row, once, and each row has its letter (invariant 1).
func (a *audit) letters(t *testing.T) {
	for _, ag := range a.world.Config.Agencies() {
		var want []string
		for _, raw := range inbox(t, a.world, ag.Address) {
			sum := sha256.Sum256(raw)
			want = append(want, hex.EncodeToString(sum[:]))
		}
		have := a.column(t, `SELECT source FROM letters WHERE agency = $1 AND channel = 'mail'`, ag.Key)
		same(t, ag.Key+": mails in the INBOX and their rows", have, want)
		if n := a.count(t, `SELECT count(*) FROM sightings WHERE mailbox LIKE $1`, ag.Key+"/%"); n != len(want) {
			t.Errorf("%s: %d sightings of %d mails", ag.Key, n, len(want))
		}
		letters, _ := a.world.Srikandi[ag.Key].Truth()
		var ids []string
		for _, l := range letters {
			ids = append(ids, l.ID+" "+l.UpdatedAt.UTC().Format(time.RFC3339))
		}
		same(t, ag.Key+": letters in Srikandi, in their last state, and their rows",
			a.column(t, `SELECT source || ' ' || to_char(changed_at, 'YYYY-MM-DD"T"HH24:MI:SS"Z"') FROM letters WHERE agency = $1 AND channel = 'srikandi'`, ag.Key), ids)
	}
	if n := a.count(t, `SELECT count(*) FROM letters WHERE state <> 'read'`); n != 0 {
		t.Errorf("%d letters are not read", n)
	}
}

func same(t *testing.T, what string, have, want []string) {
	t.Helper()
	slices.Sort(have)
	slices.Sort(want)
	if slices.Equal(have, want) {
		return
	}
	seen := map[string]int{}
	for _, s := range want {
		seen[s]++
	}
	for _, s := range have {
		seen[s]--
	}
	for s, n := range seen {
		if n > 0 {
			t.Errorf("%s: lacks %s (%d)", what, s, n)
		} else if n < 0 {
			t.Errorf("%s: %s is too much (%d)", what, s, -n)
		}
	}
}

// inbox fetches what lies in a mailbox, over IMAP like anybody.
func inbox(t *testing.T, w *World, user string) [][]byte {
	t.Helper()
	c, err := imapclient.DialInsecure(w.Mail.IMAP, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.Login(user, secret).Wait(); err != nil {
		t.Fatal(err)
	}
	box, err := c.Select("INBOX", &imap.SelectOptions{ReadOnly: true}).Wait()
	if err != nil {
		t.Fatal(err)
	}
	if box.NumMessages == 0 {
		return nil
	}
	whole := &imap.FetchItemBodySection{Peek: true}
	messages, err := c.Fetch(imap.SeqSet{{Start: 1, Stop: box.NumMessages}}, &imap.FetchOptions{BodySection: []*imap.FetchItemBodySection{whole}}).Collect()
	if err != nil {
		t.Fatal(err)
	}
	var out [][]byte
	for _, m := range messages {
		out = append(out, m.FindBodySection(whole))
	}
	return out
}

// requests: one for each letter and applicant, in the state that the scenario expects (invariants 2 and 6).
func (a *audit) requests(t *testing.T) {
	missing, err := a.play.Done(t.Context())
	if err != nil || len(missing) > 0 {
		t.Errorf("missing: %q, %v", missing, err)
	}
	want := 0
	for _, s := range a.play.scenes {
		if s.joins == "" {
			want += len(s.ends)
		}
	}
	if len(a.events) != want {
		t.Errorf("%d requests, want %d", len(a.events), want)
	}
	for _, number := range a.column(t, `SELECT number FROM requests r WHERE NOT EXISTS (SELECT FROM request_letters l WHERE l.number = r.number)`) {
		t.Errorf("%s has no letter", number)
	}
	if given := a.column(t, `SELECT kind || ' ' || args::text FROM river_job WHERE state = 'discarded' AND kind NOT IN ('poll_gateway', 'sweep', 'watch_request')`); len(given) > 0 {
		t.Errorf("jobs were given up: %q", given)
	}
}

// resets: no call without an approval that allows it, at most one for each (invariants 3 and 4).
func (a *audit) resets(t *testing.T) {
	bookings := map[string][]time.Time{} // by uid
	byHand := map[string]int{}
	for number, events := range a.events {
		approvedBooking := map[int]bool{}
		for i, e := range events {
			switch e.Kind {
			case request.ResetBooked:
				s := request.Fold(number, events[:i])
				a.allowed(t, s, *e.Booking)
				if approvedBooking[e.Booking.Approval] {
					t.Errorf("%s: approval %d led to two calls", number, e.Booking.Approval)
				}
				approvedBooking[e.Booking.Approval] = true
				bookings[e.Booking.UID] = append(bookings[e.Booking.UID], e.At)
			case request.ResetNotSent:
				approvedBooking = map[int]bool{}
			case request.ResetConfirmed:
				if u, ok := a.world.BSrE.UserByEmail(events[0].Subject.Email); ok && a.owner[number].Mode == agency.Assisted {
					byHand[u.UID]++
				}
			}
		}
	}
	calls, executed := map[string][]time.Time{}, map[string]int{}
	for _, c := range a.world.BSrE.Journal() {
		calls[c.UID] = append(calls[c.UID], c.At)
		if c.Executed {
			executed[c.UID]++
		}
	}
	for uid, list := range calls {
		perBooking := make([]int, len(bookings[uid])+1)
		slices.SortFunc(bookings[uid], time.Time.Compare)
		for _, at := range list {
			i := 0
			for i < len(bookings[uid]) && !bookings[uid][i].After(at) {
				i++
			}
			perBooking[i]++
		}
		if perBooking[0] > byHand[uid] {
			t.Errorf("%s: %d calls reached BSrE that nobody had booked", uid, perBooking[0])
		}
		for _, n := range perBooking[1:] {
			if n > 1 {
				t.Errorf("%s: %d calls reached BSrE for one booking", uid, n)
			}
		}
	}
	for number, events := range a.events {
		u, _ := a.world.BSrE.UserByEmail(events[0].Subject.Email)
		want := 0
		if request.Fold(number, events).Status == request.StatusClosed {
			want = 1
		}
		if got := executed[u.UID]; got != want {
			t.Errorf("%s, %s: BSrE sent %d links, want %d\n%s", number, request.Fold(number, events).Status, got, want, a.story(number))
		}
	}
}

// allowed checks an approval in force at a booking.
func (a *audit) allowed(t *testing.T, s request.State, b request.Booking) {
	t.Helper()
	if s.Approval == nil {
		t.Errorf("%s: booked without an approval", s.Number)
		return
	}
	by, _ := a.owner[s.Number].Person(s.Approval.By.ID)
	uid := a.world.users[s.Approval.Subject.NIP]
	switch {
	case !by.Has(sop.Verifier):
		t.Errorf("%s: approved by %s, who is no verifier", s.Number, s.Approval.By.ID)
	case agency.Digits(by.NIP) == agency.Digits(s.Approval.Subject.NIP):
		t.Errorf("%s: approved by the applicant", s.Number)
	case s.Approval.Subject != s.Subject, b.Email != s.Approval.Subject.Email, b.UID != uid:
		t.Errorf("%s: the call isn't made on what was approved", s.Number)
	case b.Approval != s.Approval.Version:
		t.Errorf("%s: booked on approval %d, in force is %d", s.Number, b.Approval, s.Approval.Version)
	}
}

func (a *audit) story(number string) string {
	var out strings.Builder
	for i, e := range a.events[number] {
		fmt.Fprintf(&out, "  %2d %s %s %s\n", i+1, e.Seen.In(monday.Location()).Format("15:04:05.000"), e.Kind, e.Text)
	}
	return out.String()
}

// mails: what counts as sent was taken once; what was taken twice is marked (invariant 5).
func (a *audit) mails(t *testing.T) (twice, uncertain int) {
	taken := map[string]int{}
	for _, m := range a.world.Mail.Journal() {
		taken[m.MessageID]++
	}
	rows, err := a.store.Pool.Query(t.Context(), `SELECT id, template, state, coalesce(message_id, ''), resent FROM outbox`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	known := map[string]bool{}
	for rows.Next() {
		var id int64
		var template, state, messageID string
		var resent bool
		if err := rows.Scan(&id, &template, &state, &messageID, &resent); err != nil {
			t.Fatal(err)
		}
		messageID = strings.Trim(messageID, "<>")
		known[messageID] = true
		n, least, most := taken[messageID], 0, 0
		switch state {
		case "sent":
			least, most = 1, 1
		case "uncertain":
			most = 1
			uncertain++
		case "cancelled":
		default:
			t.Errorf("mail %d (%s) is %s in the end", id, template, state)
		}
		if resent {
			most++
		}
		if n > 1 {
			twice++
		}
		if n < least || n > most {
			t.Errorf("mail %d (%s), %s, resent: %v: the server took it %d times", id, template, state, resent, n)
		}
	}
	if rows.Err() != nil {
		t.Fatal(rows.Err())
	}
	for id := range taken {
		if !known[id] {
			t.Errorf("the server took %s, which no row tells of", id)
		}
	}
	for _, twin := range a.column(t, `SELECT string_agg(id::text || ' ' || template, ', ') FROM outbox WHERE number IS NOT NULL
		GROUP BY number, version, template, address, items HAVING count(*) > 1`) {
		t.Errorf("two mails for one event and recipient: %s", twin)
	}
	return twice, uncertain
}

// followUps: each is in Srikandi once, in order, replays apart.
func (a *audit) followUps(t *testing.T) {
	for key, sim := range a.world.Srikandi {
		written := map[string]int{}
		last := map[string]string{}
		for _, f := range sim.Journal().FollowUps {
			if !f.Replay {
				written[f.Key]++
				last[f.NaskahID] = f.Status
			}
		}
		var have []string
		for k, n := range written {
			have = append(have, k)
			if n > 1 {
				t.Errorf("%s: %s was written %d times", key, k, n)
			}
		}
		same(t, key+": follow-ups in Srikandi and their rows", have, a.column(t, `SELECT key FROM follow_ups WHERE agency = $1 AND state = 'done'`, key))
		for id, status := range last {
			if status != "selesai" {
				t.Errorf("%s: the last follow-up on %s is %s", key, id, status)
			}
		}
		registered := map[string]int{}
		for _, r := range sim.Journal().Registrations {
			if !r.Replay {
				registered[r.Key]++
			}
		}
		for k, n := range registered {
			if n > 1 {
				t.Errorf("%s: %s was registered %d times", key, k, n)
			}
		}
	}
	if n := a.count(t, `SELECT count(*) FROM follow_ups WHERE state <> 'done'`); n != 0 {
		t.Errorf("%d follow-ups are not done", n)
	}
}

// truth: the chain of events is whole, and the projection is what follows from them.
func (a *audit) truth(t *testing.T) {
	for _, ag := range a.world.Config.Agencies() {
		if _, err := a.store.VerifyChain(t.Context(), ag.Key); err != nil {
			t.Error(err)
		}
		if _, different, err := a.store.Rebuild(t.Context(), ag, a.world.Clock.Now()); err != nil || len(different) > 0 {
			t.Errorf("%s: the projection of %q was different, %v", ag.Key, different, err)
		}
	}
}

// once: reminders and digests went out once each, however many daemons there were (invariant 8).
func (a *audit) once(t *testing.T) {
	for number, events := range a.events {
		told := map[string]bool{}
		for _, e := range events {
			if e.Kind != request.Reminded && e.Kind != request.Escalated {
				continue
			}
			if told[e.Step+"/"+e.Mark] {
				t.Errorf("%s: reminded twice of %s at %s", number, e.Step, e.Mark)
			}
			told[e.Step+"/"+e.Mark] = true
		}
	}
	for _, twin := range a.column(t, `SELECT template || ' ' || address FROM outbox WHERE template LIKE 'digest-%' GROUP BY template, address, items HAVING count(*) > 1`) {
		t.Errorf("two digests of one day: %s", twin)
	}
	for _, twin := range a.column(t, `SELECT i->>'number' || ' ' || (i->>'step') || ' ' || (i->>'mark') || ' ' || address FROM outbox, jsonb_array_elements(items) i
		WHERE template IN ('reminder', 'escalation') GROUP BY i->>'number', i->>'step', i->>'mark', address HAVING count(*) > 1`) {
		t.Errorf("two mails about one mark: %s", twin)
	}
}

// releaseLetters takes letters out of quarantine that are there only because daemons died while reading them, as an operator would.
func (h *house) releaseLetters(ctx context.Context) error {
	list, err := h.store.Quarantined(ctx)
	if err != nil {
		return err
	}
	for _, l := range list {
		if strings.HasPrefix(l.Problem, "Tidak terbaca setelah") {
			if err := h.store.RetryLetter(ctx, l.ID, h.world.Clock.Now()); err != nil {
				return err
			}
			h.released++
		}
	}
	return h.letResetsGoOn(ctx)
}

// letResetsGoOn is the operator's answer to the breaker: several calls in a row were uncertain because their daemons were killed.
func (h *house) letResetsGoOn(ctx context.Context) error {
	for _, ag := range h.world.Config.Agencies() {
		line, err := h.store.Line(ctx, ag.Key)
		if err == nil && line.StoppedAt != nil {
			h.tripped++
			err = h.store.StopResets(ctx, ag.Key, "operator", false, h.world.Clock.Now())
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// secrets: no identity number, password, token or mail's text in any log, metric, job or column in the clear (invariant 7). The daemons
// logged everything that they can.
func (a *audit) secrets(t *testing.T) {
	find := a.finder()
	if planted := "x" + hex.EncodeToString([]byte("7"+monday.Format("2006"))) + hex.EncodeToString([]byte(a.world.Config.Tenants[0].Offices[0].Head.NIP)); find(planted) == "" {
		t.Fatal("the search finds nothing")
	}
	search := func(where, text string) {
		if found := find(text); found != "" {
			t.Errorf("%s holds %s", where, found)
		}
	}
	if a.logs.Len() < 1000 || a.metrics == "" {
		t.Fatalf("%d bytes of logs, %d of metrics: nothing to look into", a.logs.Len(), len(a.metrics))
	}
	search("the log", a.logs.String())
	search("the metrics", a.metrics)
	for _, table := range a.column(t, `SELECT tablename::text FROM pg_tables WHERE schemaname = 'public' ORDER BY 1`) {
		search("the table "+table, strings.Join(a.column(t, `SELECT to_jsonb(t)::text FROM `+table+` t`), "\n"))
	}
}

// finder makes a search for everything that must not be in the clear, as text or as the hexadecimal digits of an unsealed column.
func (a *audit) finder() func(text string) (found string) {
	numbers := map[string]string{}
	for nip, uid := range a.world.users {
		u, _ := a.world.BSrE.User(uid)
		numbers[nip], numbers[u.NIK] = "a NIP", "a NIK"
	}
	words := []string{secret, "kami mengajukan permohonan", "telah dibubuhi stempel"}
	for _, nip := range slices.Collect(maps.Keys(a.world.users)) {
		words = append(words, spaced(nip))
	}
	digits, coded := regexp.MustCompile(`\d{16,}`), regexp.MustCompile(`(?:3\d){16,}`)
	among := func(run string) string {
		for i := range run {
			for _, n := range []int{16, 18} {
				if i+n <= len(run) && numbers[run[i:i+n]] != "" {
					return numbers[run[i:i+n]]
				}
			}
		}
		return ""
	}
	return func(text string) string {
		for _, run := range digits.FindAllString(text, -1) {
			if found := among(run); found != "" {
				return found
			}
		}
		for _, run := range coded.FindAllString(text, -1) {
			if plain, err := hex.DecodeString(run); err == nil && among(string(plain)) != "" {
				return among(string(plain)) + ", unsealed"
			}
		}
		for i, w := range words {
			if at := strings.Index(text, w); at >= 0 {
				return fmt.Sprintf("a secret: %.120q", text[max(0, at-60):])
			} else if i < 3 && strings.Contains(text, hex.EncodeToString([]byte(w))) {
				return "a letter's text, unsealed"
			}
		}
		return ""
	}
}
