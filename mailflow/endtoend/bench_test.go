package endtoend

// The benchmarks measure the way of mail through the real daemon, side by side with mbsync:
//
//	go test -run '^$' -bench Mail -benchtime 1x -timeout 30m ./mailflow/endtoend

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"pulih/internal/demo/mailsim"
	"pulih/mailflow/mailtest"
)

const (
	messages = 5000
	size     = 40_000
	rounds   = 3
	arrivals = 100
)

// BenchmarkMailFetch fetches a mailbox of 5,000 messages of 40 KB: mbsync to a Maildir with fsync, the daemon to stored, parsed, classified
// and committed letters. Both are timed as whole processes, in turn; the medians count.
func BenchmarkMailFetch(b *testing.B) {
	dovecot := mailtest.StartDovecot(b, user)
	fill(b, dovecot)
	mbsync(b, dovecot) // once for Dovecot's own indexes and the page cache
	for range b.N {
		var theirs, ours, theirWork, ourWork []float64
		memory := 0.0
		for range rounds {
			before := worked()
			theirs = append(theirs, mbsync(b, dovecot).Seconds())
			theirWork = append(theirWork, worked()-before)
			took, work, peak := daemon(b, dovecot)
			ours, ourWork, memory = append(ours, took.Seconds()), append(ourWork, work), max(memory, peak)
		}
		them, us := median(theirs), median(ours)
		figure("mail_fetch_mbsync", them, "s", "", 0)
		figure("mail_fetch_pulih", us, "s", "<=", them)
		figure("mail_fetch_memory", memory, "MB", "<", 150)
		// What each takes of the processors, without Dovecot's part: it doesn't depend on what else the machine does. Ours is with PostgreSQL's.
		figure("mail_fetch_mbsync_cpu", median(theirWork), "s", "", 0)
		figure("mail_fetch_pulih_cpu", median(ourWork), "s", "", 0)
		b.ReportMetric(us/them, "pulih/mbsync")
	}
}

// BenchmarkMailArrival drops letters one by one into Dovecot's INBOX and takes the time until the SMTP server has the verifier's mail.
func BenchmarkMailArrival(b *testing.B) {
	dovecot := mailtest.StartDovecot(b, user)
	sim, err := mailsim.Start(mailsim.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer sim.Close()
	d := start(b, dovecot.Addr, sim.SMTP)
	for range b.N {
		var took []float64
		for n := range arrivals {
			begun := time.Now()
			dovecot.Drop(user, fmt.Sprintf("%d.surat", n), request(n))
			ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
			var at time.Time
			err := sim.Wait(ctx, func(journal []mailsim.Accepted) bool {
				count := 0
				for _, m := range journal {
					if slices.Contains(m.To, "verifikator@purbalinggakab.go.id") {
						count, at = count+1, m.At
					}
				}
				return count > n
			})
			cancel()
			if err != nil {
				b.Fatalf("letter %d: %v\n%s", n, err, d.log())
			}
			took = append(took, at.Sub(begun).Seconds())
		}
		slices.Sort(took)
		figure("mail_arrival_median", median(took), "s", "<", 1)
		figure("mail_arrival_p99", took[len(took)*99/100], "s", "<", 2)
	}
}

// worked is the processor time, in seconds, of all children that have ended so far, with theirs.
func worked() float64 {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_CHILDREN, &u) // fails for a wrong argument alone
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()).Seconds()
}

func figure(name string, value float64, unit, op string, goal float64) {
	if op == "" {
		fmt.Printf("figure %s %.2f %s\n", name, value, unit)
		return
	}
	verdict := "short"
	if op == "<=" && value <= goal || op == "<" && value < goal {
		verdict = "ok"
	}
	fmt.Printf("figure %s %.2f %s goal %s %.2f %s\n", name, value, unit, op, goal, verdict)
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}

// fill puts the messages into the mailbox: office mail of no special kind, with a small attachment.
func fill(b *testing.B, d *mailtest.Dovecot) {
	b.Helper()
	random := rand.New(rand.NewPCG(1, 2))
	attachment := make([]byte, size*3/5)
	at := time.Now().Add(-time.Hour)
	for n := range messages {
		for i := range attachment {
			attachment[i] = byte(random.Uint32())
		}
		var m bytes.Buffer
		fmt.Fprintf(&m, "From: Sekretariat <sekretariat@purbalinggakab.go.id>\r\nTo: %s@purbalinggakab.go.id\r\nSubject: Undangan rapat koordinasi %d\r\n"+
			"Message-ID: <undangan-%d@purbalinggakab.go.id>\r\nDate: %s\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=batas\r\n\r\n"+
			"--batas\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nNomor : 005/%d/2026\r\nHal : Undangan\r\n\r\nMengharap kehadiran Bapak/Ibu.\r\n\r\n"+
			"--batas\r\nContent-Type: application/octet-stream; name=\"data.bin\"\r\nContent-Transfer-Encoding: base64\r\n\r\n",
			user, n, n, at.Format(time.RFC1123Z), n)
		text := base64.StdEncoding.EncodeToString(attachment)
		for len(text) > 0 {
			line := text[:min(76, len(text))]
			text = text[len(line):]
			m.WriteString(line + "\r\n")
		}
		for m.Len() < size-10 {
			m.WriteString(strings.Repeat(" ", 70) + "\r\n")
		}
		m.WriteString("--batas--\r\n")
		d.Drop(user, fmt.Sprintf("%d.%06d.surat", at.Unix(), n), m.Bytes())
	}
}

// mbsync fetches the mailbox into a fresh Maildir.
func mbsync(b *testing.B, d *mailtest.Dovecot) time.Duration {
	b.Helper()
	dir := mailtest.Dir(b)
	conf := filepath.Join(dir, "mbsyncrc")
	text := fmt.Sprintf("FSync yes\n\nIMAPAccount uji\nHost 127.0.0.1\nPort %d\nUser %s\nPass %s\nSSLType None\nAuthMechs LOGIN\n\nIMAPStore jauh\nAccount uji\n\n"+
		"MaildirStore dekat\nPath %[4]s/mail/\nInbox %[4]s/inbox\n\nChannel uji\nFar :jauh:\nNear :dekat:\nPatterns INBOX\nSync Pull New\nCreate Near\nSyncState *\n",
		mailtest.Port(b, d.Addr), user, mailtest.Password, dir)
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		b.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "mail"), 0o700); err != nil {
		b.Fatal(err)
	}
	begun := time.Now()
	out, err := exec.Command("mbsync", "-q", "-c", conf, "-a").CombinedOutput()
	took := time.Since(begun)
	if err != nil {
		b.Fatalf("mbsync: %v\n%s", err, out)
	}
	files, err := os.ReadDir(filepath.Join(dir, "inbox", "new"))
	if err != nil || len(files) != messages {
		b.Fatalf("mbsync fetched %d messages: %v", len(files), err)
	}
	_ = os.RemoveAll(dir)
	return took
}

// daemon runs the real daemon on an empty database until every letter is read, and gives its time, the processor time of it and of the
// database in seconds, and its peak memory in MB.
func daemon(b *testing.B, dovecot *mailtest.Dovecot) (took time.Duration, work, peak float64) {
	b.Helper()
	d := start(b, dovecot.Addr, "127.0.0.1:9")
	before := worked() // the building is over
	defer func() {
		d.end()
		work = worked() - before
	}()
	deadline := time.Now().Add(10 * time.Minute)
	stored := 0.0
	for read := 0; read < messages; {
		if time.Now().After(deadline) {
			b.Fatalf("%d letters read\n%s", read, d.log())
		}
		select {
		case err := <-d.done:
			b.Fatalf("the daemon ended: %v\n%s", err, d.log())
		case <-time.After(100 * time.Millisecond): // the question costs the database something
		}
		all := 0
		err := d.pool.QueryRow(b.Context(), `SELECT count(*) FILTER (WHERE state = 'read'), count(*) FROM letters`).Scan(&read, &all)
		if err != nil {
			b.Fatal(err)
		}
		if all == messages && stored == 0 {
			stored = time.Since(d.begun).Seconds()
			b.Logf("stored after %.2f s, %d of them read", stored, read)
		}
	}
	return time.Since(d.begun), 0, d.peak()
}
