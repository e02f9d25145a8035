package store_test

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"pulih/internal/request"
	"pulih/internal/store"
)

func TestInvariant2TheSameLetterReceivedByManyAtOnceIsOneRequest(t *testing.T) {
	t.Parallel()
	s := open(t)
	other := s.join()
	ratna := request.Subject{Name: "Ratna Dewi", NIP: "197812052005012921", Email: "ratna@contoh.go.id", Known: true}
	var letters []int64
	for i := range 8 { // the same letter, registered again and again
		letters = append(letters, s.letter(fmt.Sprintf("nm-%d", i)))
	}
	var all sync.WaitGroup
	var mu sync.Mutex
	numbers, opened := map[string]bool{}, 0
	for i, id := range letters {
		for _, who := range []request.Subject{wahyu, ratna} {
			all.Go(func() {
				st := []*store.Store{s.Store, other}[i%2]
				state, first, err := receive(t.Context(), st, s.a, id, "B/573/2026", who, noon)
				if err != nil {
					t.Error(err)
				}
				mu.Lock()
				defer mu.Unlock()
				numbers[state.Number+" "+who.Name] = true
				if first {
					opened++
				}
			})
		}
	}
	all.Wait()
	if opened != 2 || len(numbers) != 2 {
		t.Errorf("%d requests were opened, found are %v; want one for each applicant", opened, numbers)
	}
	if n := s.count(`SELECT count(*) FROM requests`); n != 2 {
		t.Errorf("%d rows", n)
	}
	if n := s.count(`SELECT count(*) FROM request_letters`); n != 16 {
		t.Errorf("%d letters are linked, want 8 to each", n)
	}
	if n := s.count(`SELECT count(*) FROM outbox WHERE template = 'work'`); n != 2 {
		t.Errorf("%d mails tell the head, want one a request", n)
	}
}

func TestALetterIsKnownByAnyOfItsKeys(t *testing.T) {
	t.Parallel()
	s := open(t)
	k := s.Keys
	first := k.LetterKeys(" B/573 / 2026", "2026-11-20", [][]byte{[]byte("sum-1"), []byte("sum-2")}, "nm-7", wahyu.NIP, wahyu.Name)
	for what, c := range map[string]struct {
		keys [][]byte
		same bool
	}{
		"number":              {k.LetterKeys("b/573/2026", "2026-11-21", nil, "", wahyu.NIP, ""), true},
		"number, next year":   {k.LetterKeys("b/573/2026", "2027-01-02", nil, "", wahyu.NIP, ""), false},
		"number, blank NIP":   {k.LetterKeys("b/573/2026", "2026-11-21", nil, "", "", wahyu.Name), false},
		"number, somebody":    {k.LetterKeys("b/573/2026", "2026-11-21", nil, "", "199001252019032904", ""), false},
		"NIP with blanks":     {k.LetterKeys("b/573/2026", "2026-11-21", nil, "", "19850422 201001 1 912", ""), true},
		"one of the files":    {k.LetterKeys("", "", [][]byte{[]byte("sum-2"), []byte("sum-9")}, "", wahyu.NIP, ""), true},
		"id in Srikandi":      {k.LetterKeys("", "", nil, "nm-7", wahyu.NIP, ""), true},
		"nothing in common":   {k.LetterKeys("b/574/2026", "2026-11-20", [][]byte{[]byte("sum-3")}, "nm-8", wahyu.NIP, ""), false},
		"nothing to go by":    {k.LetterKeys("", "", nil, "", wahyu.NIP, wahyu.Name), false},
		"an impossible date":  {k.LetterKeys("b/573/2026", "", nil, "", wahyu.NIP, ""), false},
		"a file named nm-7":   {k.LetterKeys("", "", [][]byte{[]byte("nm-7")}, "", wahyu.NIP, ""), false},
		"a number like a sum": {k.LetterKeys("sum-1", "2026-11-20", nil, "", wahyu.NIP, ""), false},
	} {
		same := slices.ContainsFunc(c.keys, func(k []byte) bool {
			return slices.ContainsFunc(first, func(f []byte) bool { return slices.Equal(f, k) })
		})
		if same != c.same {
			t.Errorf("%s: known again: %v, want %v", what, same, c.same)
		}
	}
}

func TestTheChainOfEventsTellsWhatWasTamperedWith(t *testing.T) {
	t.Parallel()
	for what, sql := range map[string]string{
		"nothing":                  `SELECT 1`,
		"a body":                   `UPDATE events SET body = set_byte(body, length(body) - 1, get_byte(body, length(body) - 1) # 1) WHERE chain = 2`,
		"a time":                   `UPDATE events SET at = at - interval '1 hour' WHERE chain = 3`,
		"when it was seen":         `UPDATE events SET seen = seen - interval '1 microsecond' WHERE chain = 3`,
		"a kind":                   `UPDATE events SET kind = 'Approved' WHERE chain = 2`,
		"a number":                 `UPDATE events SET number = 'CTH-2026-000009', version = 1 WHERE chain = 4`,
		"an event removed":         `DELETE FROM events WHERE chain = 2`,
		"the last event removed":   `DELETE FROM events WHERE chain = (SELECT max(chain) FROM events)`,
		"the first event removed":  `DELETE FROM events WHERE chain = 1`,
		"all events removed":       `DELETE FROM events`,
		"an event added":           `INSERT INTO events (number, version, agency, chain, kind, at, seen, body, previous, hash) SELECT number, 99, agency, 99, kind, at, seen, body, hash, hash FROM events WHERE chain = 4`,
		"two events exchanged":     `UPDATE events SET chain = CASE chain WHEN 2 THEN -3 ELSE -2 END WHERE chain IN (2, 3); UPDATE events SET chain = -chain WHERE chain < 0`,
		"a hash":                   `UPDATE events SET hash = previous WHERE chain = 4`,
		"the end of the chain":     `UPDATE chains SET last = last - 1`,
		"given to another agency":  `UPDATE events SET agency = 'lain' WHERE chain = 4`,
		"the chain's own row gone": `DELETE FROM chains`,
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			s := open(t)
			for _, number := range []string{"B/1/2026", "B/2/2026"} {
				st := s.opened(number)
				if _, err := s.Act(t.Context(), s.a, st.Number, noon, request.Note{By: rini, Text: "catatan"}); err != nil {
					t.Fatal(err)
				}
			}
			s.run(sql)
			n, err := s.VerifyChain(t.Context(), s.a.Key)
			if what == "nothing" {
				if err != nil || n < 4 {
					t.Errorf("an untouched chain: %d events, %v", n, err)
				}
			} else if !errors.Is(err, store.ErrChainBroken) {
				t.Errorf("%d events, %v; want it found", n, err)
			}
		})
	}
}

func TestTheChainIsVerifiedWhileOthersWrite(t *testing.T) {
	t.Parallel()
	s := open(t)
	st := s.opened("B/1/2026")
	done := make(chan error, 1)
	go func() {
		for range 60 {
			if _, err := s.Act(t.Context(), s.a, st.Number, noon, request.Note{By: rini, Text: "catatan"}); err != nil {
				done <- err
				return
			}
		}
		done <- nil
	}()
	for {
		if _, err := s.VerifyChain(t.Context(), s.a.Key); err != nil {
			t.Fatal(err)
		}
		select {
		case err := <-done:
			if err != nil {
				t.Fatal(err)
			}
			return
		default:
		}
	}
}

func TestTheProjectionFollowsFromTheEvents(t *testing.T) {
	t.Parallel()
	s := open(t)
	rapid.Check(t, func(rt *rapid.T) {
		number := s.opened(fmt.Sprintf("B/%d/2026", s.count(`SELECT count(*) FROM letters`))).Number
		at := noon
		for range rapid.IntRange(1, 6).Draw(rt, "commands") {
			at = at.Add(time.Duration(rapid.IntRange(0, 300).Draw(rt, "minutes")) * time.Minute)
			state, err := s.State(t.Context(), number)
			if err != nil {
				rt.Fatal(err)
			}
			cmd := rapid.SampledFrom([]request.Command{
				request.Assign{By: rini}, request.Approve{By: rini, Subject: state.Subject}, request.Return{By: rini, Missing: []string{"stempel"}},
				request.Complete{By: rini}, request.Reject{By: rini, Text: "palsu"}, request.Note{By: rini, Text: "catatan"},
				request.Confirm{By: rini}, request.Observe{Kind: request.Usable, At: at}, request.Reopen{By: rini, Text: "lagi"},
			}).Draw(rt, "command")
			var refusal *request.Refusal
			if _, err := s.Act(t.Context(), s.a, number, at, cmd); err != nil && !errors.As(err, &refusal) {
				rt.Fatal(err)
			}
		}
	})
	if n, different, err := s.Rebuild(t.Context(), s.a, noon); err != nil || len(different) > 0 || n < 100 {
		t.Errorf("of %d rows those of %v don't follow from their events, %v", n, different, err)
	}
	// And a row that was changed or lost is made again.
	numbers := []string{s.opened("B/x/2026").Number, s.opened("B/y/2026").Number}
	s.run(`UPDATE requests SET status = 'closed', closed_at = now() WHERE number = $1`, numbers[0])
	s.run(`DELETE FROM requests WHERE number = $1`, numbers[1])
	_, different, err := s.Rebuild(t.Context(), s.a, noon)
	if err != nil || !slices.Equal(different, numbers) {
		t.Errorf("rebuilt are %v, %v; want %v", different, err, numbers)
	}
	if r, err := s.Request(t.Context(), s.a.Key, numbers[0]); err != nil || r.Status != request.StatusReceived {
		t.Errorf("%s is %s, %v", numbers[0], r.Status, err)
	}
}

func TestAnotherAgencySeesNothing(t *testing.T) {
	t.Parallel()
	s := open(t)
	st := s.opened("B/1/2026")
	other := office(t, "lain", "LAN")
	if _, err := s.Act(t.Context(), other, st.Number, noon, request.Note{By: rini}); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("another agency acts: %v", err)
	}
	if _, err := s.Request(t.Context(), other.Key, st.Number); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("another agency reads: %v", err)
	}
	if list, err := s.Queue(t.Context(), other.Key); err != nil || len(list) > 0 {
		t.Errorf("another agency's queue: %v, %v", list, err)
	}
	if past, err := s.Past(t.Context(), other.Key, wahyu.NIP, wahyu.Name, "B/1/2026"); err != nil || len(past) > 0 {
		t.Errorf("another agency's past: %v, %v", past, err)
	}
	state, opened, err := receive(t.Context(), s.Store, other, s.letter("B/1/2026"), "B/1/2026", wahyu, noon)
	if err != nil || !opened || state.Number != "LAN-2026-000001" {
		t.Errorf("the same letter to another agency: %s, opened %v, %v", state.Number, opened, err)
	}
}

// The last days of the last year that the calendar covers: the deadline may lie in it and a superior's mark beyond.
func TestALetterIsKeptWhereTheCalendarEnds(t *testing.T) {
	t.Parallel()
	s := open(t)
	end := s.a.Calendar.EndsAt(noon)
	for hours := range 30 {
		at := end.Add(-time.Duration(hours) * time.Hour)
		number := fmt.Sprintf("B/%d/2027", hours)
		st, opened, err := receive(t.Context(), s.Store, s.a, s.letter(number), number, wahyu, at)
		if err != nil || !opened {
			t.Fatalf("%v before the calendar's end: opened %v, %v", end.Sub(at), opened, err)
		}
		if _, err := s.Act(t.Context(), s.a, st.Number, at, request.Assign{By: rini}); err != nil {
			t.Fatalf("%v before the calendar's end: %v", end.Sub(at), err)
		}
	}
}

func TestDecisionsAtOnceAreOne(t *testing.T) {
	t.Parallel()
	s := open(t)
	st := s.opened("B/1/2026")
	if _, err := s.Act(t.Context(), s.a, st.Number, noon, request.Assign{By: rini}); err != nil {
		t.Fatal(err)
	}
	galih := request.Actor{ID: "galih", Name: "Galih", Role: "verifier"}
	var all sync.WaitGroup
	errs := make(chan error, 8)
	for i := range 8 {
		all.Go(func() {
			_, err := s.Act(t.Context(), s.a, st.Number, noon, request.Approve{By: []request.Actor{rini, galih}[i%2], Subject: wahyu})
			errs <- err
		})
	}
	all.Wait()
	done := 0
	for range 8 {
		var refusal *request.Refusal
		if err := <-errs; err == nil {
			done++
		} else if !errors.As(err, &refusal) || refusal.Code != request.WrongState {
			t.Error(err)
		}
	}
	if n := s.count(`SELECT count(*) FROM resets`); done != 1 || n != 1 {
		t.Errorf("%d approvals of the same request, %d resets in the queue; want one", done, n)
	}
}

func TestNumbersCountUpWithinTheYear(t *testing.T) {
	t.Parallel()
	s := open(t)
	for i, want := range []string{"CTH-2026-000001", "CTH-2026-000002"} {
		if got := s.opened(fmt.Sprintf("B/%d/2026", i)).Number; got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	eve := time.Date(2026, 12, 31, 23, 30, 0, 0, time.UTC) // New Year's morning in WIB
	st, _, err := receive(t.Context(), s.Store, s.a, s.letter("B/9/2026"), "B/9/2026", wahyu, eve)
	if err != nil || st.Number != "CTH-2027-000001" {
		t.Errorf("%s, %v", st.Number, err)
	}
}

func TestPastRequestsOfTheSamePersonOrNumberAreFound(t *testing.T) {
	t.Parallel()
	s := open(t)
	st := s.opened("B/573 / 2026")
	for what, c := range map[string]struct {
		nip, name, number string
		want              int
	}{
		"by NIP":           {"19850422 201001 1 912", "", "", 1},
		"by name":          {"", "WAHYU NUGROHO", "", 1},
		"by number":        {"", "", "b/573/2026", 1},
		"of nobody":        {"", "", "", 0},
		"of somebody else": {"199001252019032904", "Orang Lain", "B/1/2026", 0},
	} {
		past, err := s.Past(t.Context(), s.a.Key, c.nip, c.name, c.number)
		if err != nil || len(past) != c.want {
			t.Errorf("%s: %v, %v", what, past, err)
		}
		if c.want == 1 && past[0].Request != st.Number {
			t.Errorf("%s: %v", what, past)
		}
	}
}
