package mailtest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// OpenSMTPD is a running mail server with a queue. It needs root. It takes mail from everybody, without signing in and without TLS: Debian
// 12's package can't do TLS with its OpenSSL (every handshake ends in "EVP lib"), so that part is proven on other servers.
type OpenSMTPD struct {
	Addr string // host:port
}

// StartOpenSMTPD starts a server that delivers mail for users at Domain to Maildirs at dir/mail/USER, as Dovecot at the same dir reads it,
// and relays everything else to next (host:port on loopback; empty: refuses it). What next refuses comes back as a bounce.
func StartOpenSMTPD(t testing.TB, dir, next string, users ...string) *OpenSMTPD {
	t.Helper()
	if os.Getuid() != 0 {
		t.Fatal("OpenSMTPD refuses to start for anybody but root, since it gives each of its processes a user of its own: run this test as root, or in a container")
	}
	s := &OpenSMTPD{Addr: freePorts(t, 1)[0]}
	own := Dir(t)
	owner := mailUser(t)
	var boxes strings.Builder
	for _, u := range users {
		fmt.Fprintf(&boxes, "%s@%s %s\n", u, Domain, owner.name)
		owner.own(t, filepath.Join(dir, "mail"))
		owner.own(t, filepath.Join(dir, "mail", u))
	}
	write(t, filepath.Join(own, "boxes"), boxes.String(), 0o644)
	relay := ""
	if next != "" {
		relay = fmt.Sprintf("action \"on\" relay host \"smtp://%s\"\nmatch from any for any action \"on\"\n", next)
	}
	_, port, _ := strings.Cut(s.Addr, ":")
	write(t, filepath.Join(own, "smtpd.conf"), fmt.Sprintf(`table boxes file:%[1]s/boxes
listen on 127.0.0.1 port %[2]s hostname mx.%[3]s
action "local" maildir "%[4]s/mail/%%{rcpt.user}" virtual <boxes>
match from any for domain "%[3]s" action "local"
%[5]s`, own, port, Domain, dir, relay), 0o600)

	// Its queue and socket have fixed places: a mount namespace gives this server places of its own. Where a container forbids that, it is
	// the container that this test has for itself.
	for _, d := range []string{"spool/smtpd", "run"} {
		if err := os.MkdirAll(filepath.Join(own, d), 0o711); err != nil {
			t.Fatalf("making %s: %v", d, err)
		}
	}
	places := []string{"unshare", "--mount", "--propagation", "private"}
	script := `mount --bind "$1/spool" /var/spool && mount --bind "$1/run" /run && exec "$2" -d -f "$1/smtpd.conf"`
	if exec.Command(places[0], append(places[1:], "true")...).Run() != nil {
		places, script = nil, `exec "$2" -d -f "$1/smtpd.conf"`
	}
	args := append(places, "sh", "-c", script, "sh", own, binary(t, "smtpd"))
	run := launch(t, "OpenSMTPD", exec.Command(args[0], args[1:]...))
	t.Cleanup(run.end)
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("OpenSMTPD said:\n%s", run.said())
		}
	})
	run.ready(t, s.Addr)
	return s
}
