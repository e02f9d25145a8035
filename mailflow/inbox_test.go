package mailflow_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2/imapclient"
	"go.uber.org/goleak"

	"pulih/internal/demo/mailsim"
	"pulih/mailflow"
	"pulih/mailflow/mailtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const user = "tte"

var noon = time.Date(2026, 11, 20, 5, 0, 0, 0, time.UTC)

func world(t *testing.T, o mailsim.Options) *mailsim.Sim {
	t.Helper()
	if o.Mailboxes == nil {
		o.Mailboxes = map[string]string{user: mailtest.Password}
	}
	sim, err := mailsim.Start(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(sim.Close)
	return sim
}

// impatient tries again at once.
var impatient = mailflow.Pace{First: time.Millisecond, Most: 4 * time.Millisecond, Refused: time.Hour}

func secret(s string) func(context.Context) (string, error) {
	return func(context.Context) (string, error) { return s, nil }
}

func boxAt(t testing.TB, address string) mailflow.Mailbox {
	return mailflow.Mailbox{
		Agency: "purbalingga", Host: "127.0.0.1", Port: mailtest.Port(t, address), TLS: mailflow.Plain,
		User: user, Password: secret(mailtest.Password), PollEvery: time.Hour, ReadTimeout: 20 * time.Second,
	}
}

func within(t testing.TB, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	t.Cleanup(cancel)
	return ctx
}

// running runs the inbox until the test, or stop, ends it.
func running(t testing.TB, in *mailflow.Inbox) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- in.Run(ctx) }()
	var once atomic.Bool
	stop = func() {
		if once.Swap(true) {
			return
		}
		cancel()
		select {
		case err := <-done:
			if err != nil {
				t.Errorf("Run ended with %v", err)
			}
		case <-time.After(30 * time.Second):
			t.Error("Run doesn't end with its context")
		}
	}
	t.Cleanup(stop)
	return stop
}

func deliver(t testing.TB, sim *mailsim.Sim, numbers ...int) (messages []string) {
	t.Helper()
	for _, n := range numbers {
		raw := mailtest.Message(n, 0, noon)
		if err := sim.Deliver(user, raw); err != nil {
			t.Fatal(err)
		}
		messages = append(messages, string(raw))
	}
	return messages
}

func TestInboxReadsWhatIsThereAndHearsOfWhatComes(t *testing.T) {
	t.Parallel()
	sim := world(t, mailsim.Options{})
	want := deliver(t, sim, 1, 2, 3)
	l := newLedger(t)
	in := mailflow.NewInbox(boxAt(t, sim.IMAP), l, impatient, nil, nil)
	running(t, in)
	ctx := within(t, 20*time.Second)
	l.waitRows(ctx, 3)
	for n := 4; n <= 8; n++ { // the next poll is an hour away: these come by IDLE
		want = append(want, deliver(t, sim, n)...)
		l.waitRows(ctx, n)
	}
	if got := l.messages(); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if s := in.Status(); s.State != mailflow.Working || s.Arrived != 8 || s.LastSuccess.IsZero() || !s.FailingSince.IsZero() {
		t.Errorf("status %+v", s)
	}
}

func TestInboxGoesOnWhereItStopped(t *testing.T) {
	t.Parallel()
	sim := world(t, mailsim.Options{})
	l := newLedger(t)
	ctx := within(t, 20*time.Second)
	for n := 1; n <= 4; n++ {
		deliver(t, sim, n)
		if err := mailflow.NewInbox(boxAt(t, sim.IMAP), l, impatient, nil, nil).Poll(ctx); err != nil {
			t.Fatal(err)
		}
	}
	if len(l.rows) != 4 || len(l.seen) != 4 {
		t.Fatalf("%d rows, %d sightings of 4 messages", len(l.rows), len(l.seen))
	}
	for p, n := range l.seen {
		if n != 1 {
			t.Errorf("message %v was fetched %d times", p, n)
		}
	}
}

func TestInboxLeavesOldMailAlone(t *testing.T) {
	t.Parallel()
	sim := world(t, mailsim.Options{})
	for n, at := range []time.Time{noon.AddDate(0, -2, 0), noon.AddDate(0, 0, 1)} {
		if err := sim.DeliverTo(user, "INBOX", mailtest.Message(n, 0, at), at); err != nil {
			t.Fatal(err)
		}
	}
	box, l := boxAt(t, sim.IMAP), newLedger(t)
	box.Since = noon
	in := mailflow.NewInbox(box, l, impatient, nil, nil)
	for range 2 {
		if err := in.Poll(within(t, 20*time.Second)); err != nil {
			t.Fatal(err)
		}
	}
	if len(l.rows) != 1 || l.rows[0].UID != 2 || l.cursor.UID != 2 {
		t.Errorf("rows %d, cursor %+v; want the second message alone", len(l.rows), l.cursor)
	}
}

func TestInboxReadsAgainWhenUIDVALIDITYChanges(t *testing.T) {
	t.Parallel()
	sim := world(t, mailsim.Options{})
	box, l := boxAt(t, sim.IMAP), newLedger(t)
	in := mailflow.NewInbox(box, l, impatient, nil, nil)
	running(t, in)
	ctx := within(t, 20*time.Second)
	deliver(t, sim, 1, 2)
	l.waitRows(ctx, 2)

	recreate(t, sim)
	deliver(t, sim, 2, 3) // 1 is gone from the server, 2 comes again, 3 is new
	sim.Hangup()
	l.wait(ctx, "the new message and the event", func() bool {
		return len(l.rows) >= 3 && l.happened(mailflow.UIDValidityChanged) > 0 && l.cursor.UIDValidity == 4 && l.cursor.UID == 2
	})
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.rows) != 3 || len(l.seen) != 4 {
		t.Errorf("%d letters of %d sightings, want 3 of 4", len(l.rows), len(l.seen))
	}
	if n := l.happened(mailflow.UIDValidityChanged); n != 1 {
		t.Errorf("the change is recorded %d times", n)
	}
}

// recreate deletes the INBOX and makes it anew.
func recreate(t *testing.T, sim *mailsim.Sim) {
	t.Helper()
	c, err := imapclient.DialInsecure(sim.IMAP, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	err = errors.Join(c.Login(user, mailtest.Password).Wait(), c.Delete("INBOX").Wait(), c.Create("INBOX", nil).Wait())
	if err != nil {
		t.Fatal(err)
	}
}

func TestInboxFetchesOnlyTheHeaderOfWhatIsTooLarge(t *testing.T) {
	t.Parallel()
	sim := world(t, mailsim.Options{})
	for n, size := range []int{100, 90_000, 100} {
		if err := sim.Deliver(user, mailtest.Message(n, size, noon)); err != nil {
			t.Fatal(err)
		}
	}
	box, l := boxAt(t, sim.IMAP), newLedger(t)
	box.Limit = 50_000
	if err := mailflow.NewInbox(box, l, impatient, nil, nil).Poll(within(t, 20*time.Second)); err != nil {
		t.Fatal(err)
	}
	if len(l.rows) != 3 {
		t.Fatalf("%d rows", len(l.rows))
	}
	large := l.rows[1]
	if !large.HeadersOnly || large.Size < 90_000 || !strings.Contains(string(large.Raw), "Message-ID: <surat-1@") || strings.Contains(string(large.Raw), "Baris pengisi") {
		t.Errorf("the large one: headers only %v, size %d, %q", large.HeadersOnly, large.Size, large.Raw)
	}
	if l.rows[0].HeadersOnly || l.rows[2].HeadersOnly {
		t.Error("a small one came without its text")
	}
}

func TestRefusedSignInStopsTheMailbox(t *testing.T) {
	t.Parallel()
	sim := world(t, mailsim.Options{})
	deliver(t, sim, 1)
	proxy := mailtest.StartProxy(t, sim.IMAP, nil)
	box, l := boxAt(t, proxy.Addr), newLedger(t)
	box.Password = secret("bukan sandinya")
	in := mailflow.NewInbox(box, l, impatient, nil, nil)
	stop := running(t, in)
	l.wait(within(t, 20*time.Second), "the event", func() bool { return l.happened(mailflow.SignInRefused) > 0 })
	if s := in.Status(); s.State != mailflow.Refused || s.FailingSince.IsZero() || !strings.Contains(s.Why, "menolak masuk") {
		t.Errorf("status %+v", s)
	}
	<-time.After(100 * time.Millisecond) // far longer than an outage's retry
	stop()
	if n := proxy.Count(); n != 1 {
		t.Errorf("%d sign-ins: accounts are locked by those who insist", n)
	}
}

func TestOutageIsRecordedOnceAndOver(t *testing.T) {
	t.Parallel()
	sim := world(t, mailsim.Options{})
	deliver(t, sim, 1)
	proxy := mailtest.StartProxy(t, sim.IMAP, func(n int) mailtest.Treatment {
		if n < 20 {
			return mailtest.CutAfter(0)
		}
		return nil
	})
	l := newLedger(t)
	in := mailflow.NewInbox(boxAt(t, proxy.Addr), l, impatient, nil, nil)
	running(t, in)
	l.wait(within(t, 20*time.Second), "the end of the outage", func() bool { return l.happened(mailflow.OutageEnded) > 0 && len(l.rows) == 1 })
	l.mu.Lock()
	defer l.mu.Unlock()
	if n := l.happened(mailflow.OutageBegan); n != 1 {
		t.Errorf("one outage is recorded %d times", n)
	}
}

func TestNothingIsLostWhenTheArchiveFails(t *testing.T) {
	t.Parallel()
	sim := world(t, mailsim.Options{})
	numbers := make([]int, 300)
	for i := range numbers {
		numbers[i] = i
	}
	want := deliver(t, sim, numbers...)
	l := newLedger(t)
	l.refuse = func(batch int) error {
		if batch%3 != 0 {
			return errors.New("no connection to the database")
		}
		return nil
	}
	running(t, mailflow.NewInbox(boxAt(t, sim.IMAP), l, impatient, nil, nil))
	l.wait(within(t, 30*time.Second), "all messages", func() bool { return len(l.rows) == 300 && l.cursor.UID == 300 })
	if got := l.messages(); !slices.Equal(got, want) {
		t.Error("the messages came in another order or with another content")
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if n := l.happened(mailflow.MessageUnreadable); n > 0 {
		t.Errorf("%d messages are blamed for the archive's failure", n)
	}
}

// A backlog waits for the disk once, at its end; where the server is told that a message was taken, each commit does.
func TestWhatTheServerIsToldIsOnTheDisk(t *testing.T) {
	t.Parallel()
	for after, relaxes := range map[mailflow.After]bool{mailflow.Leave: true, mailflow.Keyword: false} {
		sim := world(t, mailsim.Options{})
		for n := range 150 {
			deliver(t, sim, n)
		}
		box, l := boxAt(t, sim.IMAP), newLedger(t)
		box.After, box.Marker = after, "Terbaca"
		if err := mailflow.NewInbox(box, l, impatient, nil, nil).Poll(within(t, 20*time.Second)); err != nil || len(l.rows) != 150 {
			t.Fatal(len(l.rows), err)
		}
		if want := l.batches - 1; relaxes && l.relaxed != want || !relaxes && l.relaxed != 0 || l.batches < 2 {
			t.Errorf("after %q: %d of %d batches don't wait for the disk", after, l.relaxed, l.batches)
		}
	}
}

func TestOneBadMessageHoldsUpNoOther(t *testing.T) {
	t.Parallel()
	sim := world(t, mailsim.Options{})
	deliver(t, sim, 1, 2)
	if err := sim.Deliver(user, []byte("Subject: RACUN\r\n\r\nThe server can't say this.\r\n")); err != nil {
		t.Fatal(err)
	}
	deliver(t, sim, 3, 4)
	proxy := mailtest.StartProxy(t, sim.IMAP, func(int) mailtest.Treatment {
		return func(piece []byte, _ <-chan struct{}) ([]byte, bool) {
			text := string(piece)
			if i := strings.Index(text, "RACUN"); i >= 0 {
				return piece[:i], false
			}
			return piece, true
		}
	})
	var clock atomic.Int64
	now := func() time.Time { return noon.Add(time.Duration(clock.Load())) }
	box, l := boxAt(t, proxy.Addr), newLedger(t)
	box.PollEvery = 2 * time.Millisecond
	in := mailflow.NewInbox(box, l, impatient, nil, now)
	running(t, in)
	ctx := within(t, 30*time.Second)
	l.waitRows(ctx, 4) // the four good ones, while the bad one is still tried
	l.mu.Lock()
	if l.cursor.UID != 2 {
		t.Errorf("the cursor is at %d: it passed a message that isn't committed", l.cursor.UID)
	}
	l.mu.Unlock()
	deliver(t, sim, 5)
	clock.Store(int64(time.Minute))
	l.waitRows(ctx, 5)
	for l.happenedSafe(mailflow.MessageUnreadable) == 0 { // its tries count only when their time has come
		clock.Add(int64(time.Minute))
		select {
		case <-time.After(time.Millisecond):
		case <-ctx.Done():
			t.Fatal("the bad message is never given up")
		}
	}
	l.wait(ctx, "a row for the bad message", func() bool { return len(l.rows) == 6 && l.cursor.UID == 6 })
	l.mu.Lock()
	defer l.mu.Unlock()
	bad := l.rows[slices.IndexFunc(l.rows, func(a mailflow.Arrival) bool { return a.UID == 3 })]
	if bad.Problem == "" || len(bad.Raw) != 0 {
		t.Errorf("the bad message's row: problem %q, %d bytes", bad.Problem, len(bad.Raw))
	}
}

func (l *ledger) happenedSafe(kind mailflow.EventKind) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.happened(kind)
}

func TestCommittedMailIsMoved(t *testing.T) {
	t.Parallel()
	sim := world(t, mailsim.Options{})
	deliver(t, sim, 1, 2, 3)
	box, l := boxAt(t, sim.IMAP), newLedger(t)
	box.After, box.Marker = mailflow.Move, "Arsip"
	in := mailflow.NewInbox(box, l, impatient, nil, nil)
	ctx := within(t, 20*time.Second)
	if err := in.Poll(ctx); err != nil {
		t.Fatal(err)
	}
	if in, moved := sim.Count(user, "INBOX"), sim.Count(user, "Arsip"); in != 0 || moved != 3 || len(l.rows) != 3 {
		t.Errorf("%d in the inbox, %d moved, %d rows", in, moved, len(l.rows))
	}
	deliver(t, sim, 4)
	if err := in.Poll(ctx); err != nil {
		t.Fatal(err)
	}
	if sim.Count(user, "Arsip") != 4 || len(l.rows) != 4 {
		t.Errorf("%d moved, %d rows", sim.Count(user, "Arsip"), len(l.rows))
	}
}

func TestUncommittedMailIsNotMoved(t *testing.T) {
	t.Parallel()
	sim := world(t, mailsim.Options{})
	deliver(t, sim, 1, 2)
	box, l := boxAt(t, sim.IMAP), newLedger(t)
	box.After, box.Marker = mailflow.Move, "Arsip"
	l.refuse = func(int) error { return errors.New("no connection to the database") }
	if err := mailflow.NewInbox(box, l, impatient, nil, nil).Poll(within(t, 20*time.Second)); err == nil {
		t.Error("a failed commit went unnoticed")
	}
	if n := sim.Count(user, "INBOX"); n != 2 {
		t.Errorf("%d of 2 messages are still in the inbox", n)
	}
}

func TestPlainConnectionsStayOnThisMachine(t *testing.T) {
	t.Parallel()
	box := mailflow.Mailbox{Host: "imap.purbalingga.test", Port: 143, TLS: mailflow.Plain, User: user, Password: secret("x")}
	if err := mailflow.NewInbox(box, newLedger(t), impatient, nil, nil).Run(t.Context()); !errors.Is(err, mailflow.ErrPlain) {
		t.Errorf("reading without TLS from another host: %v", err)
	}
	sender := mailflow.NewSender(mailflow.Account{Host: "smtp.purbalingga.test", Port: 25, TLS: mailflow.Plain})
	if r := sender.Send(t.Context(), notice(1)); r.State != mailflow.Retry || !strings.Contains(r.Why, "TLS") {
		t.Errorf("sending without TLS to another host: %+v", r)
	}
}

func TestAMessageIsFetchedAgainByCommand(t *testing.T) {
	t.Parallel()
	sim := world(t, mailsim.Options{})
	want := deliver(t, sim, 1, 2)
	large := mailtest.Message(3, 5<<20, noon)
	if err := sim.Deliver(user, large); err != nil {
		t.Fatal(err)
	}
	ctx, box := within(t, 20*time.Second), boxAt(t, sim.IMAP)
	got, err := mailflow.FetchAgain(ctx, box, 1, 2)
	if err != nil || string(got.Raw) != want[1] || got.UID != 2 || got.UIDValidity != 1 {
		t.Errorf("%+v, %v", got, err)
	}
	if got, err := mailflow.FetchAgain(ctx, box, 1, 3); err != nil || len(got.Raw) != len(large) {
		t.Errorf("%d bytes, %v", len(got.Raw), err)
	}
	for _, gone := range [][2]uint32{{1, 9}, {2, 1}} {
		if _, err := mailflow.FetchAgain(ctx, box, gone[0], gone[1]); !errors.Is(err, mailflow.ErrGone) {
			t.Errorf("message %v: %v", gone, err)
		}
	}
}
