// Package mailtest starts real mail servers for tests: Dovecot, and OpenSMTPD with its queue, each on free ports of loopback, with a
// configuration and data of its own, ended by process id when the test ends. And a proxy that treats a connection as a bad network does.
// A missing server fails the test.
package mailtest

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	mathrand "math/rand/v2"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"pulih/internal/processtest"
)

// Domain is the mail domain of the servers.
const Domain = "purbalingga.test"

// Password is that of every user.
const Password = "sandi-uji-coba"

// startWithin bounds the start of a server.
const startWithin = 20 * time.Second

// Dir makes a directory with a short path (Unix sockets have at most 107 bytes) that other users may enter; it goes with the test.
func Dir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "surel")
	if err != nil {
		t.Fatalf("making a directory: %v", err)
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatalf("opening the directory: %v", err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// server is a process of a test.
type server struct {
	name string
	cmd  *exec.Cmd
	out  string // file with what it says
	done <-chan struct{}
}

// launch starts a server that stays in the foreground. It ends with the test, and with the test's process.
func launch(t testing.TB, name string, cmd *exec.Cmd) *server {
	t.Helper()
	// A file, not a pipe: nobody has to wait for the last child to close it.
	out, err := os.Create(filepath.Join(t.TempDir(), "output"))
	if err != nil {
		t.Fatalf("starting %s: %v", name, err)
	}
	defer out.Close()
	cmd.Stdout, cmd.Stderr = out, out
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM, Setpgid: true}
	return &server{name: name, cmd: cmd, out: out.Name(), done: processtest.Start(t, cmd)}
}

// end stops the process and waits for it.
func (s *server) end() {
	_ = s.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-s.done:
	case <-time.After(10 * time.Second):
		_ = s.cmd.Process.Kill()
		<-s.done
	}
	// Its children may linger for a while (Dovecot's do, with a client that idles): the group is ours alone.
	_ = syscall.Kill(-s.cmd.Process.Pid, syscall.SIGKILL)
}

// ready waits for the greeting at an address.
func (s *server) ready(t testing.TB, address string) {
	t.Helper()
	deadline := time.Now().Add(startWithin)
	for time.Now().Before(deadline) {
		select {
		case <-s.done:
			t.Fatalf("%s ended at its start:\n%s", s.name, s.said())
		case <-time.After(10 * time.Millisecond):
		}
		conn, err := net.DialTimeout("tcp", address, time.Second)
		if err != nil {
			continue
		}
		_ = conn.SetDeadline(time.Now().Add(time.Second))
		_, err = conn.Read(make([]byte, 1))
		conn.Close()
		if err == nil {
			return
		}
	}
	t.Fatalf("%s doesn't answer at %s:\n%s", s.name, address, s.said())
}

// said is what a server said so far.
func (s *server) said() string {
	text, err := os.ReadFile(s.out)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// freePorts finds addresses on 127.0.0.1 that nobody listens on, none of them twice. They lie below the ports that the system gives to
// clients: one of those may be taken before the server listens.
func freePorts(t testing.TB, n int) (addresses []string) {
	t.Helper()
	given.Lock()
	defer given.Unlock()
	for len(addresses) < n {
		address := fmt.Sprintf("127.0.0.1:%d", 12_000+mathrand.IntN(20_000))
		l, err := net.Listen("tcp", address)
		if err != nil {
			continue
		}
		l.Close()
		if !given.ports[address] {
			given.ports[address] = true
			addresses = append(addresses, address)
		}
	}
	return addresses
}

var given = struct {
	sync.Mutex
	ports map[string]bool
}{ports: map[string]bool{}}

// Port is the port of a host:port.
func Port(t testing.TB, address string) int {
	t.Helper()
	_, port, err := net.SplitHostPort(address)
	n, err2 := strconv.Atoi(port)
	if err != nil || err2 != nil {
		t.Fatalf("no port in %q", address)
	}
	return n
}

func binary(t testing.TB, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		path = filepath.Join("/usr/sbin", name) // not in every user's PATH
		if _, err := os.Stat(path); err != nil {
			t.Fatalf("%s is missing: run scripts/setup", name)
		}
	}
	return path
}

func write(t testing.TB, path, text string, mode os.FileMode) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatalf("writing %s: %v", filepath.Base(path), err)
	}
}

// account is the system user that mail belongs to: the test's own, or as root one without rights.
type account struct {
	name, group string
	uid, gid    int
}

func mailUser(t testing.TB) account {
	t.Helper()
	name := "nobody"
	if os.Getuid() != 0 {
		me, err := user.Current()
		if err != nil {
			t.Fatalf("who am I: %v", err)
		}
		name = me.Username
	}
	u, err := user.Lookup(name)
	if err != nil {
		t.Fatalf("looking for user %s: %v", name, err)
	}
	group, err := user.LookupGroupId(u.Gid)
	if err != nil {
		t.Fatalf("looking for the group of user %s: %v", name, err)
	}
	uid, _ := strconv.Atoi(u.Uid)
	gid, _ := strconv.Atoi(u.Gid)
	return account{name, group.Name, uid, gid}
}

// own gives a directory to the account, making it where it is missing.
func (a account) own(t testing.TB, dir string) string {
	t.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatalf("making %s: %v", filepath.Base(dir), err)
	}
	if os.Getuid() == 0 {
		if err := os.Chown(dir, a.uid, a.gid); err != nil {
			t.Fatalf("giving %s away: %v", filepath.Base(dir), err)
		}
	}
	return dir
}

// Certificate writes a certificate for loopback and its key to dir, and returns what a client needs to trust it.
func Certificate(t testing.TB, dir string) (certFile, keyFile string, trust *tls.Config) {
	t.Helper()
	// RSA: OpenSMTPD keeps the key in a process of its own, which can do nothing else.
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatalf("making a key: %v", err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "localhost"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, IsCA: true, BasicConstraintsValid: true,
		DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatalf("making a certificate: %v", err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatalf("writing a key: %v", err)
	}
	certFile, keyFile = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	write(t, certFile, string(certificate), 0o644)
	write(t, keyFile, string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})), 0o600)
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(certificate)
	return certFile, keyFile, &tls.Config{RootCAs: roots}
}

// Message makes a plain message of about size bytes (0: as short as it is) with n in its Message-ID and subject.
func Message(n, size int, at time.Time) []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "From: Dinas Contoh <dinas@%[1]s>\r\nTo: Dinkominfo <tte@%[1]s>\r\nSubject: Permohonan %[2]d\r\nMessage-ID: <surat-%[2]d@%[1]s>\r\n"+
		"Date: %[3]s\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nNomor urut %[2]d.\r\n",
		Domain, n, at.Format(time.RFC1123Z))
	line := fmt.Sprintf("Baris pengisi surat nomor %d: dengan hormat kami sampaikan permohonan ini.\r\n", n)
	for b.Len() < size {
		b.WriteString(line)
	}
	return []byte(b.String())
}
