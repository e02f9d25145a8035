package scheduler_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pulih/internal/demo/srikandisim"
	"pulih/internal/request"
)

// minutes is how long a letter that was deleted may go unnoticed in office hours.
const minutes = 6 * time.Minute

var ends = map[string]func(d *desk, id string){
	"cancelled": func(d *desk, id string) { d.sim.Cancel(id) },
	"cancelled late": func(d *desk, id string) {
		d.sim.SetFaults(srikandisim.Faults{Late: 1, LateBy: 24 * time.Hour})
		d.sim.Cancel(id)
		d.advance(minutes)
	},
	"simply not there": func(d *desk, id string) { d.sim.Delete(id); d.advance(minutes) },
}

// A request is told within minutes that its letter was withdrawn, also where no row of the list says so.
func TestALetterThatGoesFlagsItsRequest(t *testing.T) {
	t.Parallel()
	for name, end := range ends {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := setUp(t, 1, srikandisim.Options{})
			id := d.received()
			end(d, id)
			s := d.request(flagged("letter-gone"))
			d.polled()
			if n := len(d.events(s.Number, request.LetterGone)); n != 1 {
				t.Errorf("told %d times", n)
			}
		})
	}
}

// A gateway may err, and a sender change their mind: what is there again isn't called gone.
func TestALetterThatIsBack(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ end, back func(d *desk, id string) }{
		"was not there": {
			func(d *desk, id string) { d.sim.Delete(id); d.advance(minutes) },
			func(d *desk, id string) {
				l := d.letter(0, "500.12.10/1/2026")
				l.ID = id
				d.sim.AddLetter(l)
			}},
		"was cancelled": {
			func(d *desk, id string) { d.sim.Cancel(id) },
			func(d *desk, id string) { d.sim.Edit(id, func(l *srikandisim.Letter) { l.Cancelled = false }) }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := setUp(t, 1, srikandisim.Options{})
			id := d.received()
			c.end(d, id)
			d.request(flagged("letter-gone"))
			d.advance(time.Minute)
			c.back(d, id)
			d.request(func(s request.State) bool { return !s.Has("letter-gone") })
		})
	}
}

// An approval was given on a letter that stood; who approves a withdrawn one all the same has been told, and is heard.
func TestAnApprovalEndsWithItsLetter(t *testing.T) {
	t.Parallel()
	for name, end := range ends {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d, s := setUpRini(t, 1)
			approve := approval(s)
			d.act(s.Number, approve)
			d.advance(time.Minute)
			end(d.desk, d.id)
			s = d.request(in(request.StatusRefused))
			if s.Approval != nil || !s.Has("letter-gone") || !strings.Contains(s.Words, "Reset tidak diajukan") {
				t.Errorf("approval %+v, words %q", s.Approval, s.Words)
			}
			if n := d.count(`SELECT count(*) FROM outbox WHERE template = 'refused-by-bsre' AND number = $1`, s.Number); n != 2 {
				t.Errorf("%d verifiers are told", n)
			}
			d.act(s.Number, approve)
			d.advance(time.Hour)
			d.polled()
			if s = d.requests()[0]; s.Status != request.StatusApproved {
				t.Errorf("the second approval came to %s: %s", s.Status, s.Words)
			}
		})
	}
}

// Who asks again and again is a burden to Srikandi: at most 25 letters a poll, those first that nobody asked for longest, once a day after the
// reset, and not at all when the request is closed.
func TestHowOftenOpenLettersAreAskedFor(t *testing.T) {
	t.Parallel()
	const letters = 30
	d := setUp(t, letters, srikandisim.Options{})
	ids := make([]string, letters)
	for i := range letters {
		ids[i] = d.sim.AddLetter(d.letter(i, fmt.Sprintf("500.12.10/%d/2026", i+1)))
	}
	stop := d.serve()
	d.until("all are read", func() bool { return len(d.requests()) == letters })
	stop()
	change := func(sql string, args ...any) {
		if _, err := d.store.Pool.Exec(t.Context(), sql, args...); err != nil {
			t.Fatal(err)
		}
	}
	for i, id := range ids { // the first was asked for last
		change(`UPDATE letters SET asked_at = $2 WHERE source = $1`, id, d.Now().Add(-time.Duration(i)*time.Second))
	}
	due := func(after time.Duration) []string {
		list, err := d.store.NaskahDue(t.Context(), d.a.Key, d.Now().Add(after), 5*time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		return list
	}
	if list := due(4 * time.Minute); len(list) != 0 {
		t.Errorf("%d letters are asked for after 4 minutes", len(list))
	}
	slices.Reverse(ids)
	if list := due(5 * time.Minute); !slices.Equal(list, ids[:25]) {
		t.Errorf("after 5 minutes %d are asked for: %v", len(list), list)
	}
	of := func(ids []string) string {
		return `number IN (SELECT number FROM request_letters JOIN letters ON id = letter_id WHERE source IN ('` + strings.Join(ids, "', '") + `'))`
	}
	change(`UPDATE letters SET gone_at = now() WHERE source = $1`, ids[0])
	if due(40 * time.Minute)[0] == ids[0] || due(61 * time.Minute)[0] != ids[0] {
		t.Error("a letter that isn't there isn't asked for hourly")
	}
	change(`UPDATE letters SET gone_at = NULL`)
	change(`UPDATE requests SET reset_at = now() WHERE ` + of(ids[:10]))
	change(`UPDATE requests SET closed_at = now() WHERE ` + of(ids[10:20]))
	if list := due(23 * time.Hour); !slices.Equal(list, ids[20:]) {
		t.Errorf("of 10 that wait for their reset, 10 after it and 10 that are closed %v are asked for", list)
	}
	if list := due(25 * time.Hour); !slices.Equal(list, append(ids[:10:10], ids[20:]...)) {
		t.Errorf("a day later %v are asked for", list)
	}
}
