package mailflow_test

import (
	"crypto/tls"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	"pulih/internal/demo/mailsim"
	"pulih/internal/letter"
	"pulih/mailflow"
	"pulih/mailflow/mailtest"
)

func TestDovecotOverEachKindOfConnection(t *testing.T) {
	t.Parallel()
	d := mailtest.StartDovecot(t, user)
	raw := mailtest.Message(1, 0, noon)
	d.Drop(user, "1.surat", raw)
	for mode, address := range map[mailflow.TLSMode]string{mailflow.Plain: d.Addr, mailflow.StartTLS: d.Addr, mailflow.ImplicitTLS: d.AddrTLS} {
		box, l := boxAt(t, address), newLedger(t)
		box.TLS, box.TLSConfig = mode, d.Trust
		if err := mailflow.NewInbox(box, l, impatient, nil, nil).Poll(within(t, 20*time.Second)); err != nil {
			t.Fatalf("%s: %v", mode, err)
		}
		if got := l.messages(); len(got) != 1 || got[0] != string(raw) {
			t.Errorf("%s: got %q", mode, got)
		}
		if mode == mailflow.Plain {
			continue
		}
		box.TLSConfig = &tls.Config{}
		in := mailflow.NewInbox(box, newLedger(t), impatient, nil, nil)
		if err := in.Poll(within(t, 20*time.Second)); err == nil || !strings.Contains(in.Status().Why, "Sertifikat") {
			t.Errorf("%s with an unknown authority: %v, %q", mode, err, in.Status().Why)
		}
	}
	if flags := flagsOf(t, d); len(flags) != 1 || len(flags[0]) != 0 {
		t.Errorf("reading changed the flags to %v", flags)
	}
}

// flagsOf lists the flags of each message, but \Recent.
func flagsOf(t *testing.T, d *mailtest.Dovecot) (all [][]imap.Flag) {
	t.Helper()
	c, err := imapclient.DialInsecure(d.Addr, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.Login(user, mailtest.Password).Wait(); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Select("INBOX", &imap.SelectOptions{ReadOnly: true}).Wait(); err != nil {
		t.Fatal(err)
	}
	var set imap.SeqSet
	set.AddRange(1, 0)
	found, err := c.Fetch(set, &imap.FetchOptions{Flags: true}).Collect()
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range found {
		all = append(all, slices.DeleteFunc(m.Flags, func(f imap.Flag) bool { return f == `\Recent` }))
	}
	return all
}

func TestDovecotRestartsAndRenumbers(t *testing.T) {
	t.Parallel()
	d := mailtest.StartDovecot(t, user)
	box, l := boxAt(t, d.Addr), newLedger(t)
	in := mailflow.NewInbox(box, l, impatient, nil, nil)
	running(t, in)
	ctx := within(t, 60*time.Second)
	for n := 1; n <= 3; n++ {
		d.Drop(user, fmt.Sprintf("%d.surat", n), mailtest.Message(n, 20_000, noon))
	}
	l.waitRows(ctx, 3)

	d.Stop()
	l.wait(ctx, "the outage", func() bool { return l.happened(mailflow.OutageBegan) == 1 })
	d.Drop(user, "4.surat", mailtest.Message(4, 20_000, noon))
	d.Start()
	l.waitRows(ctx, 4)

	d.Renumber(user)
	d.Drop(user, "5.surat", mailtest.Message(5, 20_000, noon))
	l.waitRows(ctx, 5)
	l.wait(ctx, "the cursor behind all", func() bool { return l.cursor.UIDValidity == 1999999999 && l.cursor.UID == 5 })
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.rows) != 5 || l.happened(mailflow.UIDValidityChanged) != 1 {
		t.Errorf("%d rows of 5 messages, events %v", len(l.rows), l.events)
	}
}

func TestCommittedMailGetsAKeyword(t *testing.T) {
	t.Parallel()
	d := mailtest.StartDovecot(t, user)
	for n := range 3 {
		d.Drop(user, fmt.Sprintf("%d.surat", n), mailtest.Message(n, 0, noon))
	}
	box, l := boxAt(t, d.Addr), newLedger(t)
	box.After, box.Marker = mailflow.Keyword, "$Pulih"
	if err := mailflow.NewInbox(box, l, impatient, nil, nil).Poll(within(t, 20*time.Second)); err != nil {
		t.Fatal(err)
	}
	for _, flags := range flagsOf(t, d) {
		if !slices.EqualFunc(flags, []imap.Flag{"$Pulih"}, func(a, b imap.Flag) bool { return strings.EqualFold(string(a), string(b)) }) {
			t.Errorf("flags %v", flags)
		}
	}
	if len(l.rows) != 3 || l.happened(mailflow.MarkerFailed) > 0 {
		t.Errorf("%d rows, events %v", len(l.rows), l.events)
	}
}

// A whole circle on real servers: our sender hands a notice to OpenSMTPD, which delivers one to a Maildir, where Dovecot tells the inbox
// of it, and another to a host that refuses it, so that its report comes back the same way.
func TestNoticeAndItsBounceGoRound(t *testing.T) {
	t.Parallel()
	refusing := world(t, mailsim.Options{})
	refusing.Fail(func(_, to string) *mailsim.Fault {
		return &mailsim.Fault{At: mailsim.AtRcpt, Code: 550, Text: "mailbox of " + to + " is gone"}
	})
	dir := mailtest.Dir(t)
	d := mailtest.StartDovecotAt(t, dir, user)
	mta := mailtest.StartOpenSMTPD(t, dir, refusing.SMTP, user)
	l := newLedger(t)
	running(t, mailflow.NewInbox(boxAt(t, d.Addr), l, impatient, nil, nil))
	ctx := within(t, 60*time.Second)

	s := sender(t, accountAt(t, mta.Addr))
	for n := range 3 {
		e := notice(n + 1)
		e.To.Address = user + "@" + mailtest.Domain
		if r := s.Send(ctx, e); r.State != mailflow.Sent {
			t.Fatalf("%+v", r)
		}
		l.waitRows(ctx, n+1)
		m := parse(t, l.rows[n].Raw)
		if m.MessageID != e.MessageID || m.Subject != e.Subject {
			t.Errorf("came with id %q, subject %q", m.MessageID, m.Subject)
		}
	}

	lost := notice(4)
	lost.To.Address = "pensiun@lain.test"
	if r := s.Send(ctx, lost); r.State != mailflow.Sent {
		t.Fatalf("%+v", r)
	}
	l.waitRows(ctx, 4)
	m := parse(t, l.rows[3].Raw)
	b, ok := mailflow.ReadBounce(m)
	if !ok || !b.Permanent || b.Recipient != "pensiun@lain.test" || b.Of != lost.MessageID || !strings.Contains(b.Why, "550") {
		t.Errorf("the bounce: %v %+v of %q\n%s", ok, b, m.Subject, l.rows[3].Raw)
	}
	if token, verdict := mailflow.ReadToken(tokenKey, b.Of); verdict != mailflow.Genuine || token.Outbox != "4" {
		t.Errorf("its token: %v %+v", verdict, token)
	}
	if may, _ := mailflow.MayAnswer(m, 0, 0); may {
		t.Error("the bounce would be answered")
	}

	unknown := notice(5)
	unknown.To.Address = "tidak.ada@" + mailtest.Domain
	if r := s.Send(ctx, unknown); r.State != mailflow.Failed || r.Code/100 != 5 {
		t.Errorf("to nobody: %+v", r)
	}
}

func parse(t testing.TB, raw []byte) *letter.Mail {
	t.Helper()
	m, err := letter.ParseMail(raw)
	if err != nil {
		t.Fatal(err)
	}
	return m
}
