package mailtest

import (
	"crypto/tls"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// OpenSMTPD is a running mail server with a queue. It needs root.
type OpenSMTPD struct {
	Addr         string      // takes mail from everybody, without signing in
	AddrStartTLS string      // wants STARTTLS and a sign-in with a user's name and Password
	AddrTLS      string      // the same with implicit TLS
	Trust        *tls.Config // trusts its certificate
}

// StartOpenSMTPD starts a server that delivers mail for users at Domain to Maildirs at dir/mail/USER, as Dovecot at the same dir reads it,
// and relays everything else to next (host:port on loopback; empty: refuses it). What next refuses comes back as a bounce.
func StartOpenSMTPD(t testing.TB, dir, next string, users ...string) *OpenSMTPD {
	t.Helper()
	if os.Getuid() != 0 {
		t.Fatal("OpenSMTPD can only be started as root: run the tests as root, or in a container")
	}
	s := &OpenSMTPD{Addr: local(freePort(t)), AddrStartTLS: local(freePort(t)), AddrTLS: local(freePort(t))}
	own := Dir(t)
	cert, key, trust := Certificate(t, own)
	s.Trust = trust
	owner := mailUser(t)
	var credentials, virtual strings.Builder
	for _, u := range users {
		fmt.Fprintf(&credentials, "%s %s\n", u, encrypt(t))
		fmt.Fprintf(&virtual, "%s@%s %s\n", u, Domain, owner.name)
		owner.own(t, filepath.Join(dir, "mail"))
		owner.own(t, filepath.Join(dir, "mail", u))
	}
	write(t, filepath.Join(own, "credentials"), credentials.String(), 0o600)
	write(t, filepath.Join(own, "virtual"), virtual.String(), 0o644)
	relay := ""
	if next != "" {
		relay = fmt.Sprintf("action \"on\" relay host \"smtp://%s\"\nmatch from any for any action \"on\"\n", next)
	}
	port := func(address string) string { _, p, _ := strings.Cut(address, ":"); return p }
	write(t, filepath.Join(own, "smtpd.conf"), fmt.Sprintf(`pki uji cert "%[1]s"
pki uji key "%[2]s"
table credentials file:%[3]s/credentials
table virtual file:%[3]s/virtual
listen on 127.0.0.1 port %[4]s hostname mx.%[9]s
listen on 127.0.0.1 port %[5]s tls-require pki uji auth <credentials> hostname mx.%[9]s
listen on 127.0.0.1 port %[6]s smtps pki uji auth <credentials> hostname mx.%[9]s
action "local" maildir "%[7]s/mail/%%{rcpt.user}" virtual <virtual>
match from any for domain "%[9]s" action "local"
%[8]s`, cert, key, own, port(s.Addr), port(s.AddrStartTLS), port(s.AddrTLS), dir, relay, Domain), 0o600)

	// Its queue and socket have fixed places: a mount namespace gives this server places of its own.
	for _, d := range []string{"spool/smtpd", "run"} {
		if err := os.MkdirAll(filepath.Join(own, d), 0o711); err != nil {
			t.Fatalf("making %s: %v", d, err)
		}
	}
	script := `mount --bind "$1/spool" /var/spool && mount --bind "$1/run" /run && exec "$2" -d -f "$1/smtpd.conf"`
	run := launch(t, "OpenSMTPD", exec.Command(binary(t, "unshare"), "--mount", "--propagation", "private", "sh", "-c", script, "sh", own, binary(t, "smtpd")))
	t.Cleanup(run.end)
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("OpenSMTPD said:\n%s", run.out)
		}
	})
	run.ready(t, s.Addr)
	return s
}

// encrypt makes the hash that the credentials table wants.
func encrypt(t testing.TB) string {
	t.Helper()
	out, err := exec.Command(binary(t, "smtpctl"), "encrypt", Password).Output()
	if err != nil {
		t.Fatalf("encrypting a password: %v", err)
	}
	return strings.TrimSpace(string(out))
}
