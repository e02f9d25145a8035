package scheduler_test

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pulih/internal/demo/srikandisim"
	"pulih/internal/request"
	"pulih/internal/sop"
)

// After three weeks of silence everybody gets one mail: what is overdue is told in the summary, not beside it. What comes later is told when
// it comes.
func TestABacklogThatIsOverdueIsOneMailAPerson(t *testing.T) {
	t.Parallel()
	d := setUp(t, 13, srikandisim.Options{})
	d.serve()
	d.polled()
	d.sim.SetOutage(true)
	d.until("it fails", func() bool { return d.count(`SELECT count(*) FROM gateways WHERE failing_since IS NOT NULL`) == 1 })
	for i := range 13 {
		d.advance(42 * time.Hour)
		if i == 12 {
			d.advance(-42*time.Hour + 30*time.Minute) // Monday, three weeks later: half an hour before all is read
		}
		l := d.letter(i, fmt.Sprintf("500.12.10/%d/2026", i+1))
		l.ReceivedAt = d.Now()
		id := d.sim.AddLetter(l)
		switch i % 3 { // some lie at the head, some at a member of the staff, some at a verifier
		case 1:
			d.pass(id, "surya", "bagas")
		case 2:
			d.pass(id, "surya", "rini")
		}
	}
	if !d.cfg.Agencies()[0].Calendar.Open(d.Now()) {
		t.Fatalf("%v is outside office hours: nobody would be reminded", d.Now())
	}
	d.until("the operator is told", func() bool { return d.count(`SELECT count(*) FROM outbox WHERE template = 'operator-alarm'`) == 1 })
	before := d.count(`SELECT coalesce(max(id), 0) FROM outbox`)
	d.sim.SetOutage(false)
	d.until("the summaries", func() bool {
		return d.count(`SELECT count(*) FROM outbox WHERE template = 'backlog-summary' AND kind = 'staff'`) > 0
	})
	d.done("sweep")
	d.until("all mails are out", func() bool { return d.count(`SELECT count(*) FROM outbox WHERE state IN ('waiting', 'sending')`) == 0 })
	const others = ` FROM outbox WHERE id > $1 AND template NOT LIKE 'digest-%' AND template <> 'evaluation-pack'` // these go by the calendar
	if n := d.count(`SELECT count(*)`+others+` AND template <> 'backlog-summary'`, before); n != 0 {
		t.Errorf("%d mails beside the summaries", n)
	}
	for _, person := range []string{"surya", "rini", "bagas"} {
		if n := d.count(`SELECT count(*)`+others+` AND person = $2 AND state = 'sent'`, before, person); n != 1 {
			t.Errorf("%s got %d mails", person, n)
		}
	}
	// The head reads of his own, and of those that are overdue at his staff.
	text, overdue := d.mailTo("backlog-summary", "surya"), 0
	for _, s := range d.requests() {
		told := len(d.events(s.Number, request.Escalated))
		overdue += told
		if told > 0 || s.Holder == sop.Head {
			if !strings.Contains(text, s.Number) {
				t.Errorf("%s, %s, isn't in the head's summary", s.Number, s.ForOffice())
			}
		}
	}
	if overdue < 5 || strings.Count(text, "Lewat waktu pada staf") != overdue {
		t.Errorf("%d are overdue at the staff; the summary says:\n%s", overdue, text)
	}
	byNumber := slices.SortedFunc(slices.Values(d.requests()), func(a, b request.State) int { return cmp.Compare(a.Number, b.Number) })
	if !slices.IsSortedFunc(byNumber, func(a, b request.State) int { return a.OpenedAt.Compare(b.OpenedAt) }) {
		t.Error("the numbers don't follow the order of arrival")
	}
	d.advance(6 * time.Hour) // the newest has become overdue meanwhile
	d.until("a later reminder", func() bool {
		return d.count(`SELECT count(*) FROM outbox WHERE template IN ('reminder', 'escalation')`) > 0
	})
	if n := len(d.events(d.newest(), request.Reminded)); n == 0 {
		t.Error("the newest was never reminded of")
	}
}

func (d *desk) newest() (number string) {
	var at time.Time
	for _, s := range d.requests() {
		if s.OpenedAt.After(at) {
			number, at = s.Number, s.OpenedAt
		}
	}
	return number
}

// mailTo is the text of the one mail of a template to a person.
func (d *desk) mailTo(template, person string) string {
	d.t.Helper()
	id := int64(d.count(`SELECT max(id) FROM outbox WHERE template = $1 AND person = $2`, template, person))
	var mail struct{ Text string }
	if err := d.store.MailContent(d.t.Context(), id, &mail); err != nil {
		d.t.Fatal(err)
	}
	return mail.Text
}

// A daemon that dies while a letter waits for an earlier one says nothing against the letter: its try is taken back before it waits, so that
// many deaths don't bring it to quarantine.
func TestWaitingForAnEarlierLetterIsNoTry(t *testing.T) {
	t.Parallel()
	d := setUp(t, 2, srikandisim.Options{})
	_, err := d.store.Pool.Exec(t.Context(), `CREATE TABLE tried (source text, attempts int);
		CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO tried VALUES (NEW.source, NEW.attempts); RETURN NEW; END';
		CREATE TRIGGER note AFTER UPDATE OF attempts ON letters FOR EACH ROW EXECUTE FUNCTION note();
		CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_advisory_xact_lock(1, TG_ARGV[0]::int); RETURN NEW; END';
		CREATE TRIGGER hold BEFORE INSERT ON requests FOR EACH ROW EXECUTE FUNCTION hold(1);
		CREATE TRIGGER hold BEFORE UPDATE OF attempts ON letters FOR EACH ROW WHEN (NEW.source = 'nm-later') EXECUTE FUNCTION hold(2)`)
	if err != nil {
		t.Fatal(err)
	}
	hold := func(lock int) (release func()) {
		tx, err := d.store.Pool.Begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tx.Exec(t.Context(), `SELECT pg_advisory_xact_lock(1, $1)`, lock); err != nil {
			t.Fatal(err)
		}
		return func() { _ = tx.Rollback(context.WithoutCancel(t.Context())) }
	}
	defer hold(1)()
	release := hold(2)
	defer release()
	for i, id := range []string{"nm-earlier", "nm-later"} {
		l := d.letter(i, fmt.Sprintf("500.12.10/%d/2026", i+1))
		l.ID, l.ReceivedAt = id, d.Now().Add(time.Duration(i-5)*time.Minute)
		d.sim.AddLetter(l)
	}
	d.serve()
	d.until("the earlier one is being read", func() bool {
		return d.count(`SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND classid = 1 AND NOT granted
			AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`) == 2
	})
	release()
	d.until("the later one's try is taken back", func() bool {
		var tries []int
		err := d.store.Pool.QueryRow(t.Context(), `SELECT array_agg(attempts) FROM tried WHERE source = 'nm-later'`).Scan(&tries)
		return err == nil && slices.Equal(tries, []int{1, 0})
	})
}
