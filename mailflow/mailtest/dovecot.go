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

// Dovecot is a running IMAP server.
type Dovecot struct {
	Addr    string      // plain and STARTTLS, host:port
	AddrTLS string      // implicit TLS
	Trust   *tls.Config // trusts its certificate

	t     testing.TB
	dir   string
	owner account
	run   *server
}

// StartDovecot starts a server with a Maildir for each user; all have Password.
func StartDovecot(t testing.TB, users ...string) *Dovecot {
	t.Helper()
	dir := Dir(t)
	return StartDovecotAt(t, dir, users...)
}

// StartDovecotAt starts it on mail that lies at dir already, or will: dir/mail/USER is a Maildir.
func StartDovecotAt(t testing.TB, dir string, users ...string) *Dovecot {
	t.Helper()
	ports := freePorts(t, 2)
	d := &Dovecot{t: t, dir: dir, owner: mailUser(t), Addr: ports[0], AddrTLS: ports[1]}
	cert, key, trust := Certificate(t, dir)
	d.Trust = trust
	var passwords strings.Builder
	for _, u := range users {
		fmt.Fprintf(&passwords, "%s:{PLAIN}%s:%d:%d::%s::\n", u, Password, d.owner.uid, d.owner.gid, dir)
		d.owner.own(t, filepath.Join(dir, "mail"))
		d.owner.own(t, d.Maildir(u))
	}
	write(t, filepath.Join(dir, "users"), passwords.String(), 0o644)
	write(t, filepath.Join(dir, "dovecot.conf"), d.config(cert, key), 0o644)
	d.Start()
	t.Cleanup(d.Stop)
	return d
}

// Maildir is where a user's mail lies.
func (d *Dovecot) Maildir(user string) string { return filepath.Join(d.dir, "mail", user) }

// Start starts it again after Stop, on the same ports.
func (d *Dovecot) Start() {
	d.t.Helper()
	d.run = launch(d.t, "dovecot", exec.Command(binary(d.t, "dovecot"), "-F", "-c", filepath.Join(d.dir, "dovecot.conf")))
	d.run.ready(d.t, d.Addr)
}

// Stop ends it.
func (d *Dovecot) Stop() {
	if d.run != nil {
		d.run.end()
		d.run = nil
	}
}

// PID is the process id of its master.
func (d *Dovecot) PID() int { return d.run.cmd.Process.Pid }

// Renumber stops the server, makes a user's INBOX a new one in its eyes (another UIDVALIDITY, UIDs from 1), and starts it again.
func (d *Dovecot) Renumber(user string) {
	d.t.Helper()
	d.Stop()
	for _, name := range []string{"dovecot-uidlist", "dovecot-uidvalidity"} {
		_ = os.Remove(filepath.Join(d.Maildir(user), name))
	}
	for _, pattern := range []string{"dovecot.index*", "dovecot-uidvalidity.*"} {
		files, _ := filepath.Glob(filepath.Join(d.Maildir(user), pattern))
		for _, f := range files {
			_ = os.Remove(f)
		}
	}
	// UIDVALIDITY is the second of the folder's making: give it one of its own.
	write(d.t, filepath.Join(d.Maildir(user), "dovecot-uidlist"), "3 V1999999999 N1 G0123456789abcdef0123456789abcdef\n", 0o600)
	d.chown(filepath.Join(d.Maildir(user), "dovecot-uidlist"))
	d.Start()
}

// Drop writes a message into a user's INBOX as a delivery agent does.
func (d *Dovecot) Drop(user, name string, raw []byte) {
	d.t.Helper()
	for _, sub := range []string{"tmp", "new", "cur"} {
		d.owner.own(d.t, filepath.Join(d.Maildir(user), sub))
	}
	temporary := filepath.Join(d.Maildir(user), "tmp", name)
	write(d.t, temporary, string(raw), 0o600)
	d.chown(temporary)
	if err := os.Rename(temporary, filepath.Join(d.Maildir(user), "new", name)); err != nil {
		d.t.Fatalf("delivering: %v", err)
	}
}

func (d *Dovecot) chown(path string) {
	d.t.Helper()
	if os.Getuid() == 0 {
		if err := os.Chown(path, d.owner.uid, d.owner.gid); err != nil {
			d.t.Fatalf("giving %s away: %v", filepath.Base(path), err)
		}
	}
}

func (d *Dovecot) config(cert, key string) string {
	login, internal, group, isolation := "dovenull", "dovecot", "dovecot", ""
	if os.Getuid() != 0 {
		login, internal = d.owner.name, d.owner.name
		group = d.owner.group
		isolation = "service anvil {\n  chroot =\n}\nservice imap-login {\n  chroot =\n}\n"
	}
	_, plain, _ := strings.Cut(d.Addr, ":")
	_, secured, _ := strings.Cut(d.AddrTLS, ":")
	return fmt.Sprintf(`protocols = imap
base_dir = %[1]s/run
state_dir = %[1]s/state
log_path = %[1]s/log
listen = 127.0.0.1
default_login_user = %[2]s
default_internal_user = %[3]s
default_internal_group = %[9]s
first_valid_uid = 1
ssl = yes
ssl_cert = <%[4]s
ssl_key = <%[5]s
disable_plaintext_auth = no
auth_mechanisms = plain login
passdb {
  driver = passwd-file
  args = %[1]s/users
}
userdb {
  driver = passwd-file
  args = %[1]s/users
}
mail_location = maildir:%[1]s/mail/%%u
namespace inbox {
  inbox = yes
  separator = /
  mailbox Arsip {
    auto = create
  }
}
mail_max_userip_connections = 100
service imap-login {
  inet_listener imap {
    address = 127.0.0.1
    port = %[6]s
  }
  inet_listener imaps {
    address = 127.0.0.1
    port = %[7]s
    ssl = yes
  }
}
%[8]s`, d.dir, login, internal, cert, key, plain, secured, isolation, group)
}
