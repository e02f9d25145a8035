package scheduler

import (
	"context"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"pulih/internal/demo/mailsim"
	"pulih/internal/letter"
	"pulih/internal/request"
	"pulih/internal/sop"
	"pulih/internal/store"
	"pulih/mailflow"
	"pulih/mailflow/mailtest"
)

const asks = `Nomor : B/500.12.16.3/91/DINDIKBUD/2026
Hal : Permohonan Reset Passphrase Tanda Tangan Elektronik

Bersama ini kami mengajukan permohonan reset passphrase Tanda Tangan Elektronik (TTE) bagi:

Nama : Wahyu Nugroho, S.Pd.
NIP : 19850422 201001 1 912
Jabatan : Kepala Bidang Pembinaan SD
Unit Kerja : Dinas Pendidikan dan Kebudayaan
Email Dinas : wahyu.nugroho@purbalinggakab.go.id

karena yang bersangkutan lupa passphrase sertifikat elektroniknya.

Kepala Dinas Pendidikan dan Kebudayaan

Tri Handayani, S.Pd., M.M.
NIP. 197105301997022911`

// asksFor is a letter for the n-th official that the directory doesn't know.
func asksFor(n int) string {
	return strings.NewReplacer("/91/", fmt.Sprintf("/%d/", 100+n), "Wahyu Nugroho", "Pegawai "+string(rune('A'+n%26))+string(rune('a'+n/26))+"ni",
		"201001 1 912", fmt.Sprintf("201001 1 %03d", n), "wahyu.nugroho", fmt.Sprintf("pegawai%d", n)).Replace(asks)
}

// wordsOf are a mail's words, however its lines are wrapped and boxed.
func wordsOf(text string) string {
	return strings.Join(strings.Fields(strings.ReplaceAll(text, "|", " ")), " ")
}

const (
	officeAddress = "dindikbud@purbalinggakab.go.id"
	vouches       = "Authentication-Results: mx.purbalinggakab.go.id; dmarc=pass header.from=purbalinggakab.go.id"
	firstNumber   = "PBG-2026-000001"
)

// asked is an office with one open request by mail.
func asked(t *testing.T, edit ...func(string) string) *office {
	o := begin(t, "2026-11-16 09.00", edit...)
	o.mail(officeAddress, "Permohonan Reset Passphrase", asks, vouches)
	if s := o.request(firstNumber); !s.Status.Open() {
		t.Fatalf("the request is %s", s.Status)
	}
	return o
}

func (o *office) request(number string) request.State {
	o.t.Helper()
	s, err := o.store.State(o.t.Context(), number)
	if err != nil {
		o.t.Fatal(err)
	}
	return s
}

func (o *office) number(query string, args ...any) (n int) {
	o.t.Helper()
	if err := o.store.Pool.QueryRow(o.t.Context(), query, args...).Scan(&n); err != nil {
		o.t.Fatal(err)
	}
	return n
}

func TestAForgedTokenIsRefusedAndFlagged(t *testing.T) {
	t.Parallel()
	o := asked(t)
	forged := mailflow.NewMessageID([]byte("another key than ours, 32 bytes!"), "purbalinggakab.go.id", "purbalingga", firstNumber, "1")
	l := o.mail("orang@luar.example", "Re: Permohonan", "Mohon dipercepat.", "In-Reply-To: <"+forged+">")
	if s := o.request(firstNumber); len(s.Letters) != 1 {
		t.Errorf("the mail with a forged token joined the request: %d letters", len(s.Letters))
	}
	if mail := o.last("unclear-letter"); !strings.Contains(wordsOf(mail.Text), "bukan buatan kami") || !strings.Contains(mail.Text, "orang@luar.example") {
		t.Errorf("the verifiers read:\n%s", mail.Text)
	}
	if n := o.number(`SELECT count(*) FROM rejections WHERE source LIKE $1`, fmt.Sprintf("letter %d/%%", l.ID)); n != 1 {
		t.Errorf("%d flags for the forged token, want 1", n)
	}
}

func TestANumberInTheSubjectNeedsASenderWhoBelongs(t *testing.T) {
	t.Parallel()
	o := asked(t)
	for _, c := range []struct {
		from    string
		letters int
	}{
		{"orang@luar.example", 1},
		{"dinkes@purbalinggakab.go.id", 1}, // an office, but not theirs
		{officeAddress, 2},
		{"wahyu.nugroho@purbalinggakab.go.id", 3},
	} {
		o.mail(c.from, "Re: ["+firstNumber+"] Permohonan", "Dengan ini kami sampaikan tambahan keterangan.", vouches)
		if s := o.request(firstNumber); len(s.Letters) != c.letters {
			t.Errorf("after a reply from %s the request has %d letters, want %d", c.from, len(s.Letters), c.letters)
		}
		if mail := o.last("unclear-letter").Text; c.letters == 1 && !strings.Contains(wordsOf(mail), "tidak terbukti bahwa pengirimnya pihak") {
			t.Errorf("the verifiers don't read why the reply from %s joins nothing:\n%s", c.from, mail)
		}
	}
}

func TestADispositionByMailCountsLikeOneInSrikandi(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		from, words, auth string
		opened            bool
		holder            sop.Role
		why               string
	}{
		"an instruction":       {"surya@purbalinggakab.go.id", "Bu Laras, disposisi: mohon ditindaklanjuti.", vouches, true, sop.Division, ""},
		"for information only": {"surya@purbalinggakab.go.id", "Bu Laras, disposisi: untuk diketahui.", vouches, true, sop.Head, ""},
		"nobody vouches":       {"surya@purbalinggakab.go.id", "Bu Laras, disposisi: mohon ditindaklanjuti.", "X-Uji: ya", false, "", "tidak terbukti"},
		"the MX says fail": {"surya@purbalinggakab.go.id", "Bu Laras, disposisi: mohon ditindaklanjuti.",
			"Authentication-Results: mx.purbalinggakab.go.id; dmarc=fail header.from=purbalinggakab.go.id", false, "", "tidak terbukti"},
		"no official": {"orang@luar.example", "Bu Laras, disposisi: mohon ditindaklanjuti.", vouches, false, "", "bukan pejabat"},
		"to nobody":   {"surya@purbalinggakab.go.id", "Mas Bagas, disposisi: mohon ditindaklanjuti.", vouches, false, "", "tidak jelas kepada siapa"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := begin(t, "2026-11-16 09.00", func(yaml string) string {
				return strings.ReplaceAll(yaml, "mail_skips_chain: true", "mail_skips_chain: false")
			})
			inner := strings.Join([]string{"From: " + officeAddress, "To: surya@purbalinggakab.go.id", "Subject: Permohonan Reset Passphrase",
				"Message-ID: <asal@purbalinggakab.go.id>", "Content-Type: text/plain; charset=utf-8", "", asks}, "\n")
			body := "--b\nContent-Type: text/plain; charset=utf-8\n\n" + c.words + "\n\n--b\nContent-Type: message/rfc822\n\n" + inner + "\n--b--\n"
			cc := "Cc: laras@purbalinggakab.go.id"
			if name == "to nobody" {
				cc = "X-Uji: ya"
			}
			l := o.mailAs(c.from, "Fwd: Permohonan Reset Passphrase", body, "multipart/mixed; boundary=b", cc, c.auth)
			if n := o.number(`SELECT count(*) FROM requests`); (n == 1) != c.opened {
				t.Fatalf("%d requests; the letter is %s", n, l.Kind)
			}
			if !c.opened {
				if l.Kind != letter.Unclear {
					t.Errorf("the letter is %s, want a human to look at it", l.Kind)
				}
				if mail := o.last("unclear-letter").Text; !strings.Contains(wordsOf(mail), c.why) {
					t.Errorf("the verifiers don't read why:\n%s", mail)
				}
				return
			}
			if s := o.request(firstNumber); s.Holder != c.holder {
				t.Errorf("the request lies with %q, want %q", s.Holder, c.holder)
			}
		})
	}
}

// A letter in doubt shows what speaks against it in the mail that asks for a decision.
func TestWhatSpeaksAgainstALetterIsInTheMailAboutIt(t *testing.T) {
	t.Parallel()
	o := asked(t)
	o.mail("palsu@jahat.example", "Permohonan Reset Passphrase", strings.Replace(asks, "/91/", "/92/", 1),
		"Authentication-Results: mx.purbalinggakab.go.id; dmarc=fail header.from=jahat.example")
	mail := wordsOf(o.last("unclear-letter").Text)
	for _, want := range []string{"jahat.example", "DMARC"} {
		if !strings.Contains(mail, want) {
			t.Errorf("the verifiers don't read of %s:\n%s", want, mail)
		}
	}
}

func bounced(of, recipient, status string) string {
	return strings.Join([]string{"--b", "Content-Type: text/plain", "", "Tidak sampai.", "--b", "Content-Type: message/delivery-status", "",
		"Reporting-MTA: dns; mx.contoh.example", "", "Final-Recipient: rfc822; " + recipient, "Action: failed", "Status: " + status, "--b",
		"Content-Type: message/rfc822", "", "Message-ID: <" + of + ">", "Subject: x", "", "x", "--b--", ""}, "\n")
}

func TestAnAddressIsDeadOnlyWhenItsOwnMailCameBackForGood(t *testing.T) {
	t.Parallel()
	const applicant = "wahyu.nugroho@purbalinggakab.go.id"
	for name, c := range map[string]struct {
		recipient, status string
		forged            bool
		dead              bool
		noted             bool
	}{
		"for good":              {applicant, "5.1.1", false, true, true},
		"written in capitals":   {strings.ToUpper(applicant), "5.1.1", false, true, true},
		"for now":               {applicant, "4.2.2", false, false, false},
		"about another address": {"orang@luar.example", "5.1.1", false, false, true},
		"forged":                {applicant, "5.1.1", true, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := asked(t)
			o.last("receipt-applicant")
			of := o.idOf("receipt-applicant")
			if c.forged {
				of = mailflow.NewMessageID([]byte("another key than ours, 32 bytes!"), "purbalinggakab.go.id", "purbalingga", firstNumber, "1")
			}
			o.bounce(bounced(of, c.recipient, c.status))
			since, err := o.store.DeadSince(t.Context(), "purbalingga", applicant)
			if err != nil || since.IsZero() == c.dead {
				t.Errorf("dead since %v, %v", since, err)
			}
			if s := o.request(firstNumber); s.Has("address-dead") != c.dead {
				t.Errorf("the verifier sees the findings %+v", s.Findings)
			}
			told := count(o.outbox(), "address-dead > ")
			if want := map[bool]int{true: 2}[c.dead]; told != want {
				t.Errorf("%d verifiers were told, want %d", told, want)
			}
			if noted := strings.Contains(o.request(firstNumber).LastNote, "kembali"); noted != c.noted {
				t.Errorf("the request shows it: %v", noted)
			}
		})
	}
}

// What is known of an address holds for the next letter, too, until its owner answers a mail of ours.
func TestTheNextLetterOfADeadAddressHasTheFindingUntilItsOwnerAnswers(t *testing.T) {
	t.Parallel()
	const applicant = "wahyu.nugroho@purbalinggakab.go.id"
	o := asked(t)
	o.last("receipt-applicant")
	of := o.idOf("receipt-applicant")
	o.bounce(bounced(of, applicant, "5.1.1"))
	again := func(before, serial string) request.State {
		reject := request.Reject{By: request.Actor{ID: "rini", Name: "Rini", Role: sop.Verifier}, Text: "Surat keliru."}
		if _, err := o.store.Act(t.Context(), o.tenant.Agency, "PBG-2026-0000"+before, o.now(), reject); err != nil {
			t.Fatal(err)
		}
		o.mail(officeAddress, "Permohonan Reset Passphrase", strings.Replace(asks, "/91/", "/"+serial+"/", 1), vouches)
		return o.request("PBG-2026-0000" + serial)
	}
	if s := again("01", "02"); !s.Has("address-dead") {
		t.Errorf("the second letter's findings: %+v", s.Findings)
	}
	o.mail(applicant, "Re: Permohonan", "Surel dinas saya sudah aktif lagi.", vouches, "In-Reply-To: <"+of+">")
	if s := again("02", "03"); s.Has("address-dead") {
		t.Errorf("the third letter's findings: %+v", s.Findings)
	}
}

// send makes a try at each mail that waits, as its job does, at a server that refuses some recipients.
func (o *office) send() {
	o.t.Helper()
	rows, err := o.store.Pool.Query(o.t.Context(), `SELECT id FROM outbox WHERE state = 'waiting' ORDER BY id`)
	if err != nil {
		o.t.Fatal(err)
	}
	o.sendAll(rows)
}

func (o *office) sendAll(rows pgx.Rows) {
	o.t.Helper()
	ids, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	if err != nil {
		o.t.Fatal(err)
	}
	for _, id := range ids {
		err := (&mailWorker{d: o.Daemon}).Work(o.t.Context(), &river.Job[store.SendMail]{Args: store.SendMail{OutboxID: id}})
		var snooze *river.JobSnoozeError
		if err != nil && !errors.As(err, &snooze) {
			o.t.Fatal(err)
		}
	}
}

// sendingTo is an office whose mails go to a server; answer gives its words to RCPT TO, nil for consent.
func sendingTo(t *testing.T, answer func(to string) *mailsim.Fault) (func(yaml string) string, *mailsim.Sim) {
	sim, err := mailsim.Start(mailsim.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(sim.Close)
	sim.Fail(func(_, to string) *mailsim.Fault { return answer(to) })
	return func(yaml string) string {
		at := strings.Index(yaml, "outbox:")
		return yaml[:at] + strings.Replace(yaml[at:], "port: 1\n", fmt.Sprintf("port: %d\n      rate_per_minute: 6000\n", mailtest.Port(t, sim.SMTP)), 1)
	}, sim
}

// The own mail server knows its own mailboxes: it refuses a dead address at once, and no bounce ever comes.
func TestAnAddressThatTheServerRefusesIsDead(t *testing.T) {
	t.Parallel()
	const applicant = "wahyu.nugroho@purbalinggakab.go.id"
	for name, c := range map[string]struct {
		code int
		text string
		dead bool
		want string
	}{
		"no such user":    {550, "5.1.1 <" + applicant + ">: Recipient address rejected: User unknown", true, "failed"},
		"without a class": {550, "no such user here", true, "failed"},
		"a block":         {550, "5.7.1 Service unavailable; client host blocked", false, "failed"},
		"not our relay":   {550, "relay not permitted", false, "failed"},
		"full":            {552, "5.2.2 mailbox full", false, "failed"},
		"later":           {450, "4.2.1 greylisted", false, "waiting"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			edit, _ := sendingTo(t, func(to string) *mailsim.Fault {
				if to != applicant {
					return nil
				}
				return &mailsim.Fault{At: mailsim.AtRcpt, Code: c.code, Text: c.text}
			})
			o := asked(t, edit)
			o.send()
			if n := o.number(`SELECT count(*) FROM outbox WHERE template = 'receipt-applicant' AND state = $1`, c.want); n != 1 {
				t.Errorf("the mail is not %s", c.want)
			}
			s := o.request(firstNumber)
			if s.Has("address-dead") != c.dead {
				t.Errorf("findings %+v", s.Findings)
			}
			if told := count(o.outbox(), "address-dead > "); told != map[bool]int{true: 2}[c.dead] {
				t.Errorf("%d verifiers were told", told)
			}
			if noted := strings.Contains(s.LastNote, "ditolak"); noted != (c.want == "failed") {
				t.Errorf("the request shows: %q", s.LastNote)
			}
			if c.dead {
				if mail := o.last("address-dead"); !strings.Contains(mail.Text, applicant) || !strings.Contains(mail.Text, strings.Fields(c.text)[len(strings.Fields(c.text))-1]) {
					t.Errorf("the verifier reads:\n%s", mail.Text)
				}
			}
		})
	}
}

// A mail without an answer to its final dot is sent once more, later, as the same mail; without an answer again it stays in doubt.
func TestAnUncertainMailIsSentOnceMore(t *testing.T) {
	t.Parallel()
	edit, sim := sendingTo(t, func(string) *mailsim.Fault { return &mailsim.Fault{At: mailsim.AfterTaken, Cut: true} })
	o := asked(t, edit)
	o.send()
	mails := len(o.outbox())
	rested := func(hours int) {
		t.Helper()
		if _, err := o.store.Pool.Exec(t.Context(), `UPDATE outbox SET uncertain_at = uncertain_at - make_interval(hours => $1)`, hours); err != nil {
			t.Fatal(err)
		}
		rows, err := o.store.Pool.Query(t.Context(), `SELECT id FROM outbox WHERE state = 'uncertain' ORDER BY id`)
		if err != nil {
			t.Fatal(err)
		}
		o.sendAll(rows)
	}
	for i, want := range []int{1, 2, 2} {
		copies := map[string]int{}
		for _, m := range sim.Journal() {
			copies[m.MessageID]++
		}
		if len(copies) != mails {
			t.Errorf("%d different mails of %d", len(copies), mails)
		}
		for id, n := range copies {
			if n != want {
				t.Errorf("after %d rests the server has %d of %s, want %d", i, n, id, want)
			}
		}
		rested(2)
	}
	if n := o.number(`SELECT count(*) FROM outbox WHERE state = 'uncertain' AND resent`); n != mails {
		t.Errorf("%d of %d mails are shown as uncertain", n, mails)
	}
}

// What a mail says of itself to machines, with the key that the configuration names.
func TestMailsAreSignedAndDigestsAloneCanBeUnsubscribed(t *testing.T) {
	t.Parallel()
	edit, sim := sendingTo(t, func(string) *mailsim.Fault { return nil })
	_, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	key := filepath.Join(t.TempDir(), "dkim.pem")
	if err := os.WriteFile(key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	o := asked(t, edit, func(yaml string) string {
		return strings.Replace(yaml, "from: tte@purbalinggakab.go.id", "from: tte@purbalinggakab.go.id\n      dkim: {domain: purbalinggakab.go.id, selector: s1, key_file: "+key+"}", 1)
	})
	err = o.store.InTx(t.Context(), o.now(), func(tx *store.Tx) error {
		return tx.Notify(DigestNotice("purbalingga", mailflow.DigestHeadDaily, "", "uji", request.Recipient{Kind: "staff", ID: "surya", Name: "Surya",
			Address: "surya@purbalinggakab.go.id"}, o.wib("2026-11-13 00.00"), o.wib("2026-11-16 00.00")))
	})
	if err != nil {
		t.Fatal(err)
	}
	o.send()
	digests := 0
	for _, sent := range sim.Journal() {
		m, err := letter.ParseMail(sent.Raw)
		if err != nil {
			t.Fatal(err)
		}
		digest := strings.Contains(m.Subject, "Ringkasan")
		if digest {
			digests++
		}
		if m.Get("Auto-Submitted") != "auto-generated" || m.Get("X-Auto-Response-Suppress") != "All" || (m.Get("List-Unsubscribe") != "") != digest {
			t.Errorf("%q: Auto-Submitted %q, List-Unsubscribe %q", m.Subject, m.Get("Auto-Submitted"), m.Get("List-Unsubscribe"))
		}
		if (len(m.References) > 0) == digest {
			t.Errorf("%q hangs below %v", m.Subject, m.References)
		}
		if signature := m.Get("DKIM-Signature"); !strings.Contains(signature, "d=purbalinggakab.go.id") || !strings.Contains(signature, "s=s1") {
			t.Errorf("%q is signed %q", m.Subject, signature)
		}
	}
	if n := len(sim.Journal()); digests != 1 || n < 4 {
		t.Errorf("%d mails, %d digests", n, digests)
	}
}

// An address of the office's that leads into our own mailbox makes no loop.
func TestOurOwnMailThatComesBackCallsForNothing(t *testing.T) {
	t.Parallel()
	edit, sim := sendingTo(t, func(string) *mailsim.Fault { return nil })
	o := asked(t, edit)
	o.send()
	before, mails := len(o.outbox()), sim.Journal()
	if len(mails) != before {
		t.Fatalf("%d of %d mails went out", len(mails), before)
	}
	rewritten := regexp.MustCompile(`(?im)^Message-ID: .*$`)
	for i, m := range mails {
		for _, raw := range [][]byte{m.Raw, rewritten.ReplaceAll(m.Raw, fmt.Appendf(nil, "Message-ID: <diteruskan-%d@relay.example>", i))} {
			o.uid++
			if err := o.store.Inbox(o.now).Save(t.Context(), "purbalingga/INBOX",
				[]mailflow.Arrival{{UIDValidity: 1, UID: o.uid, Raw: raw, InternalDate: o.now()}}, mailflow.Cursor{UIDValidity: 1, UID: o.uid}); err != nil {
				t.Fatal(err)
			}
			if l := o.read(); l.Kind != letter.AutoReply {
				t.Errorf("our own mail is %s", l.Kind)
			}
		}
	}
	if n := len(o.outbox()); n != before || o.number(`SELECT count(*) FROM requests`) != 1 {
		t.Errorf("%d more mails, %d requests", n-before, o.number(`SELECT count(*) FROM requests`))
	}
}

// Receipts answer people, and no more than people write.
func TestReceiptsAreCappedAndNeverAnswerAMachine(t *testing.T) {
	t.Parallel()
	edit, sim := sendingTo(t, func(string) *mailsim.Fault { return nil })
	o := begin(t, "2026-11-16 09.00", edit)
	got := func() (n int) {
		o.send()
		for _, m := range sim.Journal() {
			if slices.Contains(m.To, officeAddress) {
				n++
			}
		}
		return n
	}
	letters := 0
	ask := func(head ...string) {
		letters++
		o.mail(officeAddress, "Permohonan Reset Passphrase", asksFor(letters), append(head, vouches)...)
	}
	ask("Auto-Submitted: auto-generated")
	if n := got(); n != 0 || o.number(`SELECT count(*) FROM requests`) != 1 {
		t.Errorf("a machine got %d receipts for its letter, which opened %d requests", n, o.number(`SELECT count(*) FROM requests`))
	}
	for range mostReceiptsADay + 10 {
		ask()
	}
	if n := got(); n != mostReceiptsADay {
		t.Errorf("%d receipts in a day, want %d", n, mostReceiptsADay)
	}
	if n := o.number(`SELECT count(*) FROM requests`); n != letters {
		t.Errorf("%d requests for %d letters", n, letters)
	}
	o.clock("2026-11-18 09.01")
	ask()
	if n := got(); n != mostReceiptsADay+1 {
		t.Errorf("%d receipts after the next day's letter", n)
	}
}

// A thousand letters of strangers are a thousand letters to look at, and few mails; and the news of a genuine one goes through.
func TestAStrangersLettersAreFewMails(t *testing.T) {
	t.Parallel()
	for template, text := range map[string]func(n int) string{
		"work":           asksFor,
		"unclear-letter": func(n int) string { return fmt.Sprintf("Mohon dipercepat, ini yang ke-%d.", n) },
	} {
		t.Run(template, func(t *testing.T) {
			t.Parallel()
			subject, thread := "Permohonan Reset Passphrase", "X-Uji: ya"
			if template == "unclear-letter" {
				subject, thread = "Re: Permohonan", "In-Reply-To: <entah@luar.example>" // to nothing that we know of
			}
			edit, _ := sendingTo(t, func(string) *mailsim.Fault { return nil })
			o := begin(t, "2026-11-16 09.00", edit)
			told := func() int {
				o.send()
				return o.number(`SELECT count(*) FROM outbox WHERE state = 'sent' AND template = $1 AND address = 'rini@purbalinggakab.go.id'`, template)
			}
			for n := range 2 * mostOfStrangersAnHour {
				o.mail("dindikbud@luar.example", subject, text(n), thread)
				told()
			}
			if n := told(); n != mostOfStrangersAnHour {
				t.Errorf("the verifier was told %d times of strangers", n)
			}
			if n := o.number(`SELECT count(*) FROM letters`); n != 2*mostOfStrangersAnHour {
				t.Errorf("%d letters are there", n)
			}
			o.mail(officeAddress, subject, text(500), vouches, thread)
			if n := told(); n != mostOfStrangersAnHour+1 {
				t.Errorf("the genuine letter behind them is told: %d mails", n)
			}
		})
	}
}

// A machine that answers each of our mails and doesn't say that it is one.
func TestAnUnmarkedAutoresponderEndsTheMailsAboutIt(t *testing.T) {
	t.Parallel()
	o := asked(t)
	o.last("receipt-office")
	of := o.idOf("receipt-office")
	for n := range 30 {
		o.clock(fmt.Sprintf("2026-11-16 %02d.%02d", 9+n/2, 30*(n%2)))
		o.mail(officeAddress, "Re: ["+firstNumber+"] Surat diterima", "Terima kasih, surat Anda kami proses.", vouches, "In-Reply-To: <"+of+">")
	}
	if s := o.request(firstNumber); len(s.Letters) != 31 {
		t.Errorf("%d of 30 replies joined the request", len(s.Letters)-1)
	}
	if told := count(o.outbox(), "unclear-letter > rini"); told == 0 || told > mailflow.DefaultDailyAnswers {
		t.Errorf("the verifier was told %d times", told)
	}
}

// The operator hears of a refused sign-in at once, of an outage when it lasts, and of each once.
func TestTheOperatorHearsOfAMailboxThatIsNotRead(t *testing.T) {
	t.Parallel()
	for kind, atOnce := range map[mailflow.EventKind]bool{mailflow.SignInRefused: true, mailflow.OutageBegan: false} {
		o := begin(t, "2026-11-16 09.00")
		archive := mailArchive{o.store.Inbox(o.now), o.Daemon, o.tenant}
		happens := func(kind mailflow.EventKind) {
			t.Helper()
			if err := archive.Event(t.Context(), "purbalingga/tte/INBOX", mailflow.Event{Kind: kind, At: o.now(), Detail: "Server tidak menjawab."}); err != nil {
				t.Fatal(err)
			}
		}
		told := func(at string, want int) {
			t.Helper()
			o.clock(at)
			if err := o.watchMailboxes(t.Context()); err != nil {
				t.Fatal(err)
			}
			if n := count(o.outbox(), "operator-alarm > operator@"); n != want {
				t.Errorf("%s: at %s the operator was told %d times, want %d", kind, at, n, want)
			}
		}
		happens(kind)
		told("2026-11-16 09.29", map[bool]int{true: 1}[atOnce])
		told("2026-11-16 09.31", 1)
		told("2026-11-16 15.00", 1)
		if mail := o.last("operator-alarm"); !strings.Contains(mail.Subject, "Kotak surat resmi") {
			t.Errorf("the subject is %q", mail.Subject)
		}
		happens(mailflow.OutageEnded)
		told("2026-11-16 15.40", 1)
		happens(kind)
		told("2026-11-16 16.30", 2)
	}
}

func TestAutomaticMailIsRecordedAndNeverAnswered(t *testing.T) {
	t.Parallel()
	o := asked(t)
	before := len(o.outbox())
	for i, mark := range []string{"Auto-Submitted: auto-replied", "X-Autoreply: yes", "Precedence: auto_reply"} {
		l := o.mail(officeAddress, fmt.Sprintf("Permohonan Reset Passphrase %d", i), asks, vouches, mark)
		if l.Kind != letter.AutoReply || l.State != "read" {
			t.Errorf("%s: the letter is %s, %s", mark, l.State, l.Kind)
		}
	}
	if n := len(o.outbox()); n != before {
		t.Errorf("%d mails went out to machines", n-before)
	}
}

func (o *office) together(texts ...string) []int64 {
	o.t.Helper()
	var arrivals []mailflow.Arrival
	for i, text := range texts {
		o.uid++
		raw := fmt.Appendf(nil, "From: %s\r\nSubject: Surat %d\r\nMessage-ID: <bersama-%d@contoh.example>\r\n\r\n%s\r\n", officeAddress, i, o.uid, strings.ReplaceAll(text, "\n", "\r\n"))
		arrivals = append(arrivals, mailflow.Arrival{UIDValidity: 1, UID: o.uid, Raw: raw, Size: int64(len(raw)), InternalDate: o.now()})
	}
	for range 2 { // the second time nothing is new
		if err := o.store.Inbox(o.now).Save(o.t.Context(), "purbalingga/INBOX", arrivals, mailflow.Cursor{UIDValidity: 1, UID: o.uid}); err != nil {
			o.t.Fatal(err)
		}
	}
	var ids []int64
	rows, err := o.store.Pool.Query(o.t.Context(), `SELECT letter_id FROM sightings ORDER BY uid`)
	if err != nil {
		o.t.Fatal(err)
	}
	for rows.Next() {
		var id int64
		if err := rows.Scan(&id); err != nil {
			o.t.Fatal(err)
		}
		ids = append(ids, id)
	}
	return ids
}

func (o *office) readTogether(ids []int64, attemptedBy ...string) {
	o.t.Helper()
	job := &river.Job[store.ReadMails]{JobRow: &rivertype.JobRow{AttemptedBy: attemptedBy}, Args: store.ReadMails{LetterIDs: ids}}
	if err := (&batchWorker{d: o.Daemon}).Work(o.t.Context(), job); err != nil {
		o.t.Fatal(err)
	}
}

func TestMailsThatArriveTogether(t *testing.T) {
	t.Parallel()
	o := begin(t, "2026-11-16 09.00")
	ids := o.together("Undangan rapat hari Senin.", asks, "Undangan rapat hari Selasa.")
	if n := o.number(`SELECT count(*) FROM river_job WHERE kind = 'read_mails'`); len(ids) != 3 || n != 1 {
		t.Fatalf("%d letters and %d jobs", len(ids), n)
	}
	o.readTogether(ids, "satu")
	for i, want := range []string{"read", "stored", "read"} {
		if l, err := o.store.Letter(t.Context(), ids[i]); err != nil || l.State != want {
			t.Errorf("letter %d is %s, want %s (%v)", i, l.State, want, err)
		}
	}
	if n := o.number(`SELECT count(*) FROM river_job WHERE kind = 'read_letter'`); n != 1 {
		t.Errorf("%d letters are read by themselves, want the one that asks for something", n)
	}
	r, err := o.store.Reading(t.Context(), ids[0])
	if err != nil || r.Kind != letter.Other {
		t.Errorf("the invitation is %s: %v", r.Kind, err)
	}
}

// One of a batch may have ended the process: then each is read by itself, counted by itself, and the one that can't be read ends in quarantine.
func TestAfterACrashEachMailIsReadByItself(t *testing.T) {
	t.Parallel()
	o := begin(t, "2026-11-16 09.00")
	ids := o.together("Undangan rapat hari Senin.", "Undangan rapat hari Selasa.")
	for range 2 { // the job may run once more although it was done
		o.readTogether(ids, "satu", "dua")
	}
	if n := o.number(`SELECT count(*) FROM river_job WHERE kind = 'read_letter'`); n != 2 {
		t.Fatalf("%d of 2 letters are read by themselves", n)
	}
	for range maxReads { // the first of them ends the process each time
		if _, _, err := o.store.Attempt(t.Context(), ids[0], 1); err != nil {
			t.Fatal(err)
		}
	}
	for _, id := range ids {
		if err := (&readWorker{d: o.Daemon}).Work(t.Context(), &river.Job[store.ReadLetter]{Args: store.ReadLetter{LetterID: id, Version: 1}}); err != nil {
			t.Fatal(err)
		}
	}
	for i, want := range []string{"quarantined", "read"} {
		if l, err := o.store.Letter(t.Context(), ids[i]); err != nil || l.State != want {
			t.Errorf("letter %d is %s, want %s (%v)", i, l.State, want, err)
		}
	}
}

// What the server didn't give lies in quarantine, and is asked for again when an operator says so.
func TestAMessageThatTheServerDidNotGiveIsFetchedAgain(t *testing.T) {
	t.Parallel()
	server := mailtest.StartDovecot(t, "tte")
	secret := filepath.Join(t.TempDir(), "sandi")
	if err := os.WriteFile(secret, []byte(mailtest.Password), 0o600); err != nil {
		t.Fatal(err)
	}
	o := begin(t, "2026-11-16 09.00", func(yaml string) string {
		yaml = strings.Replace(yaml, "port: 1\n", fmt.Sprintf("port: %d\n", mailtest.Port(t, server.Addr)), 1)
		yaml = strings.Replace(yaml, "user: tte@purbalinggakab.go.id", "user: tte", 1)
		return strings.Replace(yaml, "password_file: SECRET", "password_file: "+secret, 1)
	})
	server.Drop("tte", "1.surat", []byte("From: "+officeAddress+"\r\nSubject: Permohonan\r\nMessage-ID: <a@contoh.example>\r\n\r\n"+strings.ReplaceAll(asks, "\n", "\r\n")))
	box := mailflow.Mailbox{Agency: "purbalingga", Host: "127.0.0.1", Port: mailtest.Port(t, server.Addr), TLS: mailflow.Plain, User: "tte",
		Password: func(context.Context) (string, error) { return mailtest.Password, nil }}
	inbox := mailflow.NewInbox(box, o.store.Inbox(o.now), mailflow.Pace{}, nil, o.now)
	if err := inbox.Poll(t.Context()); err != nil {
		t.Fatal(err)
	}
	var epoch uint32
	if err := o.store.Pool.QueryRow(t.Context(), `SELECT uid_validity FROM mailboxes`).Scan(&epoch); err != nil {
		t.Fatal(err)
	}
	// As if it had not been given: the place is known, the bytes aren't.
	if _, err := o.store.Pool.Exec(t.Context(), `TRUNCATE sightings, letters CASCADE; DELETE FROM river_job`); err != nil {
		t.Fatal(err)
	}
	lost := []mailflow.Arrival{{UIDValidity: epoch, UID: 1, InternalDate: o.now(), Problem: "Server tidak memberikan pesan UID 1."},
		{UIDValidity: epoch, UID: 2, InternalDate: o.now(), Problem: "Server tidak memberikan pesan UID 2."}}
	if err := o.store.Inbox(o.now).Save(t.Context(), box.Key(), lost, mailflow.Cursor{UIDValidity: epoch, UID: 2}); err != nil {
		t.Fatal(err)
	}
	list, err := o.store.Quarantined(t.Context())
	if err != nil || len(list) != 2 || !strings.Contains(list[0].Problem, "tidak memberikan") {
		t.Fatalf("%+v, %v", list, err)
	}
	var states []string
	for _, l := range list {
		if err := o.store.RetryLetter(t.Context(), l.ID, o.now()); err != nil {
			t.Fatal(err)
		}
		if err := (&readWorker{d: o.Daemon}).Work(t.Context(), &river.Job[store.ReadLetter]{Args: store.ReadLetter{LetterID: l.ID, Version: 1}}); err != nil {
			t.Fatal(err)
		}
		after, err := o.store.Letter(t.Context(), l.ID)
		if err != nil {
			t.Fatal(err)
		}
		states = append(states, after.State+" "+after.Problem)
	}
	if want := []string{"read ", "quarantined Pesan ini tidak ada lagi di kotak surat."}; !slices.Equal(states, want) {
		t.Errorf("the letters are %q, want %q", states, want)
	}
	if s := o.request(firstNumber); len(s.Letters) != 1 {
		t.Errorf("the letter that was fetched again opened no request")
	}
}

func TestABrokenTemplateOfTheAgencyHoldsNoMailUp(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "receipt-office.html"), []byte("{{.Tidak.Ada}}"), 0o600); err != nil {
		t.Fatal(err)
	}
	o := asked(t, func(yaml string) string {
		return strings.Replace(yaml, "    sop: purbalingga", "    templates: "+folder+"\n    sop: purbalingga", 1)
	})
	if r := o.last("receipt-office"); !strings.Contains(r.Subject, firstNumber) {
		t.Errorf("the mail's subject is %q", r.Subject)
	}
}

// Every nasty message of other projects' tests gives a row and is read; where the folder isn't there, the synthetic ones in mailflow and
// letter have to do.
func TestEveryNastyMailGivesARow(t *testing.T) {
	t.Parallel()
	var files []string
	err := filepath.WalkDir("../../shared/data/mail", func(path string, e os.DirEntry, err error) error {
		if err == nil && e.Type().IsRegular() && e.Name() != "README.md" {
			files = append(files, path)
		}
		return err
	})
	if errors.Is(err, os.ErrNotExist) {
		t.Log("no folder with other projects' messages beside the checkout: nothing to read")
		return
	} else if err != nil || len(files) == 0 {
		t.Fatal(len(files), err)
	}
	o := begin(t, "2026-11-16 09.00")
	contents := map[string]bool{}
	for start := 0; start < len(files); start += 64 {
		var arrivals []mailflow.Arrival
		for _, path := range files[start:min(start+64, len(files))] {
			raw, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			o.uid++
			a := mailflow.Arrival{UIDValidity: 1, UID: o.uid, Raw: raw, Size: int64(len(raw)), InternalDate: o.now()}
			if len(raw) == 0 {
				a.Problem = "Pesan kosong di server."
			}
			contents[string(raw)] = true
			arrivals = append(arrivals, a)
		}
		if err := o.store.Inbox(o.now).Save(t.Context(), "purbalingga/INBOX", arrivals, mailflow.Cursor{UIDValidity: 1, UID: o.uid}); err != nil {
			t.Fatal(err)
		}
	}
	if n := o.number(`SELECT count(*) FROM sightings`); n != len(files) {
		t.Fatalf("%d places for %d files", n, len(files))
	}
	if n := o.number(`SELECT count(*) FROM letters`); n != len(contents) {
		t.Fatalf("%d rows for %d different messages", n, len(contents))
	}
	for id := 1; id <= len(contents); id++ {
		l, err := o.store.Letter(t.Context(), int64(id))
		if err != nil {
			t.Fatal(err)
		}
		begun := time.Now()
		if err := (&readWorker{d: o.Daemon}).Work(t.Context(), &river.Job[store.ReadLetter]{Args: store.ReadLetter{LetterID: l.ID, Version: 1}}); err != nil {
			t.Errorf("%s: %v", files[id-1], err)
		}
		if took := time.Since(begun); took > 30*time.Second { // 10 s of processor time; a busy machine takes longer by the clock
			t.Errorf("%s took %v", files[id-1], took)
		}
	}
	if n := o.number(`SELECT count(*) FROM letters WHERE state = 'stored' OR state = 'quarantined' AND problem IS NULL`); n != 0 {
		t.Errorf("%d letters are neither read nor in quarantine with a reason", n)
	}
	t.Logf("%d files, %d letters, %d in quarantine, %d requests", len(files), len(contents),
		o.number(`SELECT count(*) FROM letters WHERE state = 'quarantined'`), o.number(`SELECT count(*) FROM requests`))
}
