package mailflow_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/time/rate"

	"pulih/internal/demo/mailsim"
	"pulih/internal/letter"
	"pulih/mailflow"
	"pulih/mailflow/mailtest"
)

var tokenKey = []byte("kunci uji, bukan rahasia")

// notice is the n-th mail of ours.
func notice(n int) mailflow.Envelope {
	return mailflow.Envelope{
		From:      letter.Address{Name: "Tim Verifikator Sertifikat Elektronik, Dinkominfo", Address: "tte@" + mailtest.Domain},
		To:        letter.Address{Name: "drg. Siti Contoh, M.Kes.", Address: fmt.Sprintf("pemohon%d@%s", n, mailtest.Domain)},
		MessageID: mailflow.NewMessageID(tokenKey, mailtest.Domain, "purbalingga", "PBG-2026-000123", fmt.Sprint(n)),
		Date:      noon,
		Subject:   "[PBG-2026-000123] Reset passphrase telah diajukan ke BSrE — mohon periksa surel dinas Bapak/Ibu",
		Text:      fmt.Sprintf("Yth. Bapak/Ibu,\n\nPermohonan ke-%d telah kami terima.\n.\nBaris setelah titik tunggal.\n", n),
		HTML:      fmt.Sprintf("<p>Permohonan ke-%d telah kami terima.</p>", n),
	}
}

func accountAt(t testing.TB, address string) mailflow.Account {
	return mailflow.Account{
		Agency: "purbalingga", Host: "127.0.0.1", Port: mailtest.Port(t, address), TLS: mailflow.Plain, Timeout: 20 * time.Second, Idle: time.Hour,
	}
}

func sender(t testing.TB, a mailflow.Account) *mailflow.Sender {
	s := mailflow.NewSender(a)
	t.Cleanup(s.Close)
	return s
}

func TestSendOutcomes(t *testing.T) {
	t.Parallel()
	always := func(f mailsim.Fault) func(string, string) *mailsim.Fault {
		return func(string, string) *mailsim.Fault { return &f }
	}
	for name, c := range map[string]struct {
		fault    mailsim.Fault
		want     mailflow.SendState
		code     int
		journals int
	}{
		"no fault":                       {want: mailflow.Sent, code: 250, journals: 1},
		"recipient busy":                 {mailsim.Fault{At: mailsim.AtRcpt, Code: 450, Text: "greylisted"}, mailflow.Retry, 450, 0},
		"recipient unknown":              {mailsim.Fault{At: mailsim.AtRcpt, Code: 550, Text: "no such user"}, mailflow.Failed, 550, 0},
		"cut before the text":            {mailsim.Fault{At: mailsim.AtRcpt, Cut: true}, mailflow.Retry, 0, 0},
		"full disk at the dot":           {mailsim.Fault{At: mailsim.AtDot, Code: 452, Text: "full"}, mailflow.Retry, 452, 0},
		"spam at the dot":                {mailsim.Fault{At: mailsim.AtDot, Code: 554, Text: "spam"}, mailflow.Failed, 554, 0},
		"closing at the dot":             {mailsim.Fault{At: mailsim.AtDot, Code: 421, Text: "bye"}, mailflow.Retry, 421, 0},
		"cut at the dot, not taken":      {mailsim.Fault{At: mailsim.AtDot, Cut: true}, mailflow.Uncertain, 0, 0},
		"cut at the dot, taken":          {mailsim.Fault{At: mailsim.AfterTaken, Cut: true}, mailflow.Uncertain, 0, 1},
		"unknown class at the dot":       {mailsim.Fault{At: mailsim.AfterTaken, Code: 354, Text: "again?"}, mailflow.Uncertain, 354, 1},
		"another word of consent at dot": {mailsim.Fault{At: mailsim.AfterTaken, Code: 251, Text: "forwarded"}, mailflow.Sent, 250, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sim := world(t, mailsim.Options{})
			s := sender(t, accountAt(t, sim.SMTP))
			for _, connection := range []string{"new", "kept"} {
				before := len(sim.Journal())
				if c.fault.At != "" {
					sim.Fail(always(c.fault))
				}
				r := s.Send(t.Context(), notice(1))
				taken := len(sim.Journal()) - before
				if r.State != c.want || r.Code != c.code || taken != c.journals {
					t.Errorf("over a %s connection: %+v with %d mails taken, want %s %d with %d", connection, r, taken, c.want, c.code, c.journals)
				}
				if r.Dead != (name == "recipient unknown") {
					t.Errorf("over a %s connection: the address is dead: %v", connection, r.Dead)
				}
				if (r.Why == "") != (r.State == mailflow.Sent) {
					t.Errorf("over a %s connection: state %s, reason %q", connection, r.State, r.Why)
				}
				// Whatever happened to it, the next mail goes its way.
				sim.Fail(nil)
				if r := s.Send(t.Context(), notice(2)); r.State != mailflow.Sent {
					t.Errorf("the next mail: %+v", r)
				}
			}
		})
	}
}

func TestServerSilentAtTheDotIsUncertain(t *testing.T) {
	t.Parallel()
	sim := world(t, mailsim.Options{})
	free := make(chan struct{})
	sim.Fail(func(string, string) *mailsim.Fault { return &mailsim.Fault{At: mailsim.AfterTaken, Stall: free} })
	account := accountAt(t, sim.SMTP)
	account.Timeout = 100 * time.Millisecond
	if r := sender(t, account).Send(t.Context(), notice(1)); r.State != mailflow.Uncertain {
		t.Errorf("%+v", r)
	}
	close(free)
}

func TestAMailCutInItsTextIsNeverTaken(t *testing.T) {
	t.Parallel()
	sim := world(t, mailsim.Options{})
	sim.Fail(func(string, string) *mailsim.Fault { return &mailsim.Fault{At: mailsim.AtData, Cut: true} })
	e := notice(1)
	e.Text = strings.Repeat("Baris yang panjang dan banyak sekali jumlahnya.\n", 100_000)
	r := sender(t, accountAt(t, sim.SMTP)).Send(t.Context(), e)
	if r.State == mailflow.Sent || r.State == mailflow.Failed || len(sim.Journal()) != 0 {
		t.Errorf("%+v with %d mails taken", r, len(sim.Journal()))
	}
}

func TestSenderKeepsItsConnection(t *testing.T) {
	t.Parallel()
	sim := world(t, mailsim.Options{SMTPUser: user, SMTPPassword: mailtest.Password})
	proxy := mailtest.StartProxy(t, sim.SMTP, nil)
	account := accountAt(t, proxy.Addr)
	account.User, account.Password = user, secret(mailtest.Password)
	s := sender(t, account)
	var wg sync.WaitGroup
	for n := range 20 {
		wg.Go(func() {
			if r := s.Send(t.Context(), notice(n)); r.State != mailflow.Sent {
				t.Errorf("mail %d: %+v", n, r)
			}
		})
	}
	wg.Wait()
	if proxy.Count() != 1 || len(sim.Journal()) != 20 {
		t.Errorf("%d connections, %d mails; want 20 over one", proxy.Count(), len(sim.Journal()))
	}
	// A connection that the server closed meanwhile costs no mail, and no second copy.
	proxy.Drop()
	if r := s.Send(t.Context(), notice(20)); r.State != mailflow.Sent || len(sim.Journal()) != 21 {
		t.Errorf("%+v with %d mails taken", r, len(sim.Journal()))
	}
}

func TestAMailIsBookedWhenItIsAboutToGo(t *testing.T) {
	t.Parallel()
	sim := world(t, mailsim.Options{})
	s := sender(t, accountAt(t, sim.SMTP))
	booked := 0
	book := func(context.Context) error {
		booked++
		if n := len(sim.Journal()); n != 0 {
			t.Errorf("booked when the server had %d mails already", n)
		}
		return nil
	}
	sim.Fail(func(string, string) *mailsim.Fault {
		return &mailsim.Fault{At: mailsim.AtRcpt, Code: 450, Text: "greylisted"}
	})
	if r := s.SendBooked(t.Context(), notice(1), book); r.State != mailflow.Retry || booked != 0 {
		t.Errorf("%+v, booked %d times: a refused recipient leaves nothing in doubt", r, booked)
	}
	sim.Fail(nil)
	refuse := func(context.Context) error { return errors.New("no connection to the database") }
	if r := s.SendBooked(t.Context(), notice(1), refuse); r.State != mailflow.NotBooked || len(sim.Journal()) != 0 {
		t.Errorf("%+v with %d mails taken: what can't be booked isn't sent", r, len(sim.Journal()))
	}
	if r := s.SendBooked(t.Context(), notice(1), book); r.State != mailflow.Sent || booked != 1 {
		t.Errorf("%+v, booked %d times", r, booked)
	}
}

func TestRefusedSignInBlamesNoMail(t *testing.T) {
	t.Parallel()
	sim := world(t, mailsim.Options{SMTPUser: user, SMTPPassword: mailtest.Password})
	account := accountAt(t, sim.SMTP)
	account.User, account.Password = user, secret("bukan sandinya")
	if r := sender(t, account).Send(t.Context(), notice(1)); r.State != mailflow.Retry || !r.Refused || r.Code != 535 {
		t.Errorf("%+v", r)
	}
}

func TestSendingIsSecuredOrNothing(t *testing.T) {
	t.Parallel()
	cert, key, trust := mailtest.Certificate(t, t.TempDir())
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		t.Fatal(err)
	}
	sim := world(t, mailsim.Options{SMTPUser: user, SMTPPassword: mailtest.Password, TLS: &tls.Config{Certificates: []tls.Certificate{pair}}})
	bare := world(t, mailsim.Options{})
	for _, c := range []struct {
		mode    mailflow.TLSMode
		address string
		trust   *tls.Config
		want    mailflow.SendState
	}{
		{mailflow.StartTLS, sim.SMTP, trust, mailflow.Sent},
		{mailflow.ImplicitTLS, sim.SMTPS, trust, mailflow.Sent},
		{mailflow.StartTLS, sim.SMTP, nil, mailflow.Retry},
		{mailflow.ImplicitTLS, sim.SMTPS, nil, mailflow.Retry},
		{mailflow.StartTLS, bare.SMTP, trust, mailflow.Retry}, // offers no STARTTLS
	} {
		account := accountAt(t, c.address)
		account.TLS, account.TLSConfig, account.User, account.Password = c.mode, c.trust, user, secret(mailtest.Password)
		if r := sender(t, account).Send(t.Context(), notice(1)); r.State != c.want {
			t.Errorf("%s, trusting %v: %+v", c.mode, c.trust != nil, r)
		}
	}
	if len(sim.Journal()) != 2 || len(bare.Journal()) != 0 {
		t.Errorf("%d and %d mails went out", len(sim.Journal()), len(bare.Journal()))
	}
}

func TestXOAUTH2(t *testing.T) {
	t.Parallel()
	sim := world(t, mailsim.Options{SMTPUser: user, SMTPPassword: "lain", Token: "tanda-uji"})
	deliver(t, sim, 1)
	for token, right := range map[string]bool{"tanda-uji": true, "salah": false} {
		box, l := boxAt(t, sim.IMAP), newLedger(t)
		box.Password, box.Token = nil, secret(token)
		in := mailflow.NewInbox(box, l, impatient, nil, nil)
		if err := in.Poll(within(t, 20*time.Second)); (err == nil) != right || (len(l.rows) == 1) != right {
			t.Errorf("reading with token %q: %d rows, %v", token, len(l.rows), err)
		}
		if s := in.Status(); !right && s.State != mailflow.Refused {
			t.Errorf("reading with token %q: %+v", token, s)
		}
		account := accountAt(t, sim.SMTP)
		account.User, account.Token = user, secret(token)
		if r := sender(t, account).Send(t.Context(), notice(1)); (r.State == mailflow.Sent) != right || r.Refused == right {
			t.Errorf("sending with token %q: %+v", token, r)
		}
	}
}

func TestRateLimit(t *testing.T) {
	t.Parallel()
	sim := world(t, mailsim.Options{})
	account := accountAt(t, sim.SMTP)
	account.Rate = rate.NewLimiter(rate.Every(time.Hour), 2)
	s := sender(t, account)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	for n, want := range []mailflow.SendState{mailflow.Sent, mailflow.Sent, mailflow.Retry} {
		if r := s.Send(ctx, notice(n)); r.State != want {
			t.Errorf("mail %d: %+v", n, r)
		}
	}
	if n := len(sim.Journal()); n != 2 {
		t.Errorf("%d mails went out", n)
	}
}

func TestAMailSaysWhatItIs(t *testing.T) {
	t.Parallel()
	sim := world(t, mailsim.Options{})
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	account := accountAt(t, sim.SMTP)
	account.DKIM = &mailflow.DKIM{Domain: mailtest.Domain, Selector: "s1", Key: private}
	e := notice(1)
	e.InReplyTo = "surat-1@" + mailtest.Domain
	for n := range 40 {
		e.References = append(e.References, fmt.Sprintf("lama-%d@%s", n, mailtest.Domain))
	}
	e.Images = []mailflow.Attached{{Name: "batang.png", MIME: "image/png", Data: []byte("\x89PNG bukan gambar")}}
	e.HTML = `<p>Jam</p><img src="cid:batang.png" alt="42 menit">`
	if r := sender(t, account).Send(t.Context(), e); r.State != mailflow.Sent {
		t.Fatalf("%+v", r)
	}
	raw := sim.Journal()[0].Raw
	m, err := letter.ParseMail(raw)
	if err != nil {
		t.Fatal(err)
	}
	if len(m.Problems) > 0 {
		t.Errorf("our own mail has problems: %v", m.Problems)
	}
	for field, want := range map[string]string{"Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "All", "List-Unsubscribe": ""} {
		if got := m.Get(field); got != want {
			t.Errorf("%s: %q, want %q", field, got, want)
		}
	}
	if m.MessageID != e.MessageID || m.Subject != e.Subject || len(m.To) != 1 || m.To[0] != e.To || len(m.From) != 1 || m.From[0] != e.From {
		t.Errorf("id %q, subject %q, to %+v, from %+v", m.MessageID, m.Subject, m.To, m.From)
	}
	if !strings.Contains(m.Text, "Permohonan ke-1 telah kami terima.\n.\nBaris setelah titik tunggal.") {
		t.Errorf("text %q", m.Text)
	}
	if !m.Date.Equal(noon) {
		t.Errorf("date %v", m.Date)
	}
	if n := len(m.References); n != 20 || m.References[0] != "lama-0@"+mailtest.Domain || m.References[19] != e.InReplyTo {
		t.Errorf("%d references, from %q to %q", n, m.References[0], m.References[n-1])
	}
	if i := len(m.Parts); i != 1 || m.Parts[0].ContentID != "batang.png" || !m.Parts[0].Inline {
		t.Errorf("parts %+v", m.Parts)
	}
	for line := range strings.SplitSeq(string(raw), "\r\n") {
		if len(line) > 998 {
			t.Errorf("a line of %d bytes", len(line))
		}
	}
	key := "v=DKIM1; k=ed25519; p=" + base64.StdEncoding.EncodeToString(public)
	lookup := func(domain string) ([]string, error) {
		if domain != "s1._domainkey."+mailtest.Domain {
			return nil, fmt.Errorf("nobody asked for %s", domain)
		}
		return []string{key}, nil
	}
	trust := mailflow.Trust{LookupTXT: lookup}
	if a := mailflow.Authenticate(m, raw, trust); a.DKIM != "pass" {
		t.Errorf("our signature: %+v", a)
	}
	changed := bytes.Replace(raw, []byte("ke-1"), []byte("ke-9"), 1)
	if a := mailflow.Authenticate(m, changed, trust); a.DKIM != "fail" {
		t.Errorf("our signature over another text: %+v", a)
	}
	if kind, why := mailflow.IsAutomatic(m); kind != mailflow.AutoGenerated {
		t.Errorf("our own mail is taken for %s (%s): two installations would answer each other", kind, why)
	}
}

func TestStrangersWordsBecomeNoFields(t *testing.T) {
	t.Parallel()
	sim := world(t, mailsim.Options{})
	e := notice(1)
	e.Subject = "Surat\r\nBcc: semua@jahat.test\r\n\r\nisi"
	e.To.Name = "Nama\r\nBcc: semua@jahat.test"
	e.InReplyTo = "x@y>\r\nBcc: semua@jahat.test"
	e.References = []string{"a b@c", "a@b\r\nBcc: semua@jahat.test"}
	if r := sender(t, accountAt(t, sim.SMTP)).Send(t.Context(), e); r.State != mailflow.Sent {
		t.Fatalf("%+v", r)
	}
	m, err := letter.ParseMail(sim.Journal()[0].Raw)
	if err != nil {
		t.Fatal(err)
	}
	if m.Get("Bcc") != "" || m.Get("In-Reply-To") != "" || m.Get("References") != "" || !strings.HasPrefix(m.Subject, "Surat Bcc: semua") {
		t.Errorf("bcc %q, in reply to %q, references %q, subject %q", m.Get("Bcc"), m.Get("In-Reply-To"), m.Get("References"), m.Subject)
	}
	for _, bad := range []string{"", "bukan alamat", "a@b\r\nRCPT TO:<c@d>", "surél@contoh.test", "a@b.test, c@d.test"} {
		e := notice(1)
		e.To.Address = bad
		if r := sender(t, accountAt(t, sim.SMTP)).Send(t.Context(), e); r.State != mailflow.Failed {
			t.Errorf("to %q: %+v", bad, r)
		}
	}
	if n := len(sim.Journal()); n != 1 {
		t.Errorf("%d mails went out", n)
	}
}

func TestRetriesSpanTwoDays(t *testing.T) {
	t.Parallel()
	var total, last time.Duration
	tries := 1
	for ; tries < 100; tries++ {
		pause, again := mailflow.RetryAfter(tries)
		if !again {
			break
		}
		if pause < last {
			t.Errorf("try %d comes after %v, the one before after %v", tries, pause, last)
		}
		total, last = total+pause, pause
	}
	if total < 47*time.Hour || total > 49*time.Hour || tries > 30 {
		t.Errorf("%d tries over %v", tries, total)
	}
}
