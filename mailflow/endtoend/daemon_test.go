// Package endtoend sends mail through the real daemon: Dovecot on one side, an SMTP server on the other, PostgreSQL between.
package endtoend

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"pulih/internal/store"
	"pulih/mailflow/mailtest"
	"pulih/migrations"
)

const user = "tte"

// running is a daemon with its database.
type running struct {
	b           testing.TB
	dir, binary string
	cmd         *exec.Cmd
	done        chan error
	begun       time.Time
	pool        *pgxpool.Pool
	stop        func()
}

func start(b testing.TB, imap, smtp string) *running {
	b.Helper()
	d := &running{b: b, dir: mailtest.Dir(b)}
	cluster, err := store.StartCluster(b.Context(), filepath.Join(d.dir, "pg"))
	if err != nil {
		b.Fatal(err)
	}
	if d.pool, err = pgxpool.New(b.Context(), cluster.URL()); err != nil {
		b.Fatal(err)
	}
	if err := migrations.Apply(b.Context(), d.pool); err != nil {
		b.Fatal(err)
	}
	d.write("secret", mailtest.Password)
	d.write("url", cluster.URL())
	d.write("pulih.yaml", fmt.Sprintf(config, d.dir, mailtest.Port(b, imap), mailtest.Port(b, smtp), directory()))
	d.binary = filepath.Join(d.dir, "pulih")
	if out, err := exec.Command("go", "build", "-o", d.binary, "pulih/cmd/pulih").CombinedOutput(); err != nil {
		b.Fatalf("building the daemon: %v\n%s", err, out)
	}
	b.Cleanup(d.end)
	d.stop = func() {
		d.finish()
		d.pool.Close()
		_ = cluster.Stop()
		_ = os.RemoveAll(d.dir)
	}
	d.launch()
	return d
}

// launch starts the process.
func (d *running) launch() {
	d.b.Helper()
	log, err := os.OpenFile(filepath.Join(d.dir, "log"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		d.b.Fatal(err)
	}
	defer log.Close()
	d.cmd = exec.Command(d.binary, "serve", "--config", filepath.Join(d.dir, "pulih.yaml"))
	d.cmd.Stdout, d.cmd.Stderr = log, log
	d.begun = time.Now()
	if err := d.cmd.Start(); err != nil {
		d.b.Fatal(err)
	}
	cmd := d.cmd
	done := make(chan error, 1)
	d.done = done
	go func() {
		done <- cmd.Wait()
		close(done) // whoever asks later knows, too
	}()
}

// kill ends the process between two instructions.
func (d *running) kill() {
	_ = d.cmd.Process.Kill()
	<-d.done
}

// finish lets the process end as a service manager does.
func (d *running) finish() {
	_ = d.cmd.Process.Signal(syscall.SIGTERM)
	<-d.done
}

func (d *running) end() {
	if d.stop != nil {
		d.stop()
		d.stop = nil
	}
}

func (d *running) write(name, text string) {
	if err := os.WriteFile(filepath.Join(d.dir, name), []byte(text), 0o600); err != nil {
		d.b.Fatal(err)
	}
}

func (d *running) log() string {
	text, _ := os.ReadFile(filepath.Join(d.dir, "log"))
	return string(text[max(0, len(text)-4000):])
}

// peak is the most memory that the daemon held, in MB.
func (d *running) peak() float64 {
	status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", d.cmd.Process.Pid))
	for line := range strings.SplitSeq(string(status), "\n") {
		if kb, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			n, _ := strconv.Atoi(strings.TrimSpace(strings.TrimSuffix(kb, "kB")))
			return float64(n) / 1024
		}
	}
	d.b.Fatal("the daemon's memory can't be read")
	return 0
}

// offices is how many offices there are: none of them writes more letters than one does in a day.
const offices = 200

// request is a reset request for the n-th applicant, from one of the offices.
func request(n int) []byte {
	return fmt.Appendf(nil, "From: Kantor Contoh <kantor%[4]d@purbalinggakab.go.id>\r\nTo: tte@purbalinggakab.go.id\r\nSubject: Permohonan Reset Passphrase TTE %[1]d\r\n"+
		"Message-ID: <permohonan-%[1]d@purbalinggakab.go.id>\r\nDate: %[2]s\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"+
		"Nomor    : B/500.12.16.3/%[1]d/KANTOR/2026\r\nHal      : Permohonan Reset Passphrase Tanda Tangan Elektronik\r\n\r\n"+
		"Dengan hormat, bersama ini kami mengajukan permohonan reset passphrase Tanda Tangan Elektronik (TTE) bagi:\r\n\r\n"+
		"Nama        : Wahyu Contoh %[3]s\r\nNIP         : 19850422 201001 1 %03[1]d\r\nJabatan     : Guru\r\nUnit Kerja  : Kantor Contoh %[4]d\r\n"+
		"Email Dinas : pemohon%[1]d@purbalinggakab.go.id\r\n\r\nkarena yang bersangkutan lupa passphrase sertifikat elektroniknya.\r\n\r\n"+
		"Kepala Kantor Contoh %[4]d\r\n\r\nTri Contoh, S.Pd.\r\nNIP. 19710530 199702 2 911\r\n",
		n, time.Now().Format(time.RFC1123Z), string(rune('A'+n%26))+string(rune('a'+n/26%26))+string(rune('a'+n/676)), n%offices)
}

// directory lists the offices as the configuration does.
func directory() string {
	var b strings.Builder
	for n := range offices {
		fmt.Fprintf(&b, "      - id: kantor%[1]d\n        name: Kantor Contoh %[1]d\n        addresses: [kantor%[1]d@purbalinggakab.go.id]\n"+
			"        head: {name: \"Tri Contoh, S.Pd.\", position: Kepala Kantor Contoh %[1]d, email: kepala%[1]d@purbalinggakab.go.id}\n", n)
	}
	return b.String()
}

const config = `state: %[1]s/state
database:
  url_file: %[1]s/url
listen: 127.0.0.1:0
public_url: http://localhost:8028
operator:
  email: operator@purbalinggakab.go.id
agencies:
  - key: purbalingga
    prefix: PBG
    name: Pemerintah Kabupaten Purbalingga
    unit: Dinkominfo Kabupaten Purbalingga
    phone: (0281) 555010
    hours_text: Senin-Jumat
    domains: [purbalinggakab.go.id]
    sop: purbalingga
    rules:
      mail_skips_chain: true
    inbox:
      host: 127.0.0.1
      port: %[2]d
      tls: none
      user: tte
      password_file: %[1]s/secret
    outbox:
      host: 127.0.0.1
      port: %[3]d
      tls: none
      from: tte@purbalinggakab.go.id
      rate_per_minute: 6000
    staff:
      - id: surya
        name: Surya Contoh, M.Si.
        nip: 19680214 199303 1 901
        position: Kepala Dinas Komunikasi dan Informatika
        email: kadin@purbalinggakab.go.id
        roles: [head, division, section]
      - id: rini
        name: Rini Contoh, S.Kom.
        nip: 19900125 201903 2 904
        position: Pranata Komputer Ahli Pertama
        email: verifikator@purbalinggakab.go.id
        roles: [verifier]
    offices:
%[4]s`
