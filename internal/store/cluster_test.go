package store

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// These tests run as whoever runs them: as root they show that PostgreSQL drops its rights, t.TempDir being closed to others.

func TestClusterKeepsItsDataOverARestart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for run := range 3 {
		c := startOrFail(t, dir)
		conn := connect(t, c.URL())
		execute(t, conn, "create table if not exists runs (n int)")
		execute(t, conn, "insert into runs values ($1)", run)
		if got := count(t, conn); got != run+1 {
			t.Errorf("run %d finds %d rows, want %d", run, got, run+1)
		}
		stopOrFail(t, c)
		if err := c.Stop(); err != nil {
			t.Errorf("a second Stop: %v", err)
		}
		if err, open := <-c.Done(); err != nil || !open {
			t.Errorf("Done after Stop yields %v, %v; want nil", err, open)
		}
	}
}

func TestClusterSettings(t *testing.T) {
	t.Parallel()
	c := startOrFail(t, t.TempDir())
	defer stopOrFail(t, c)
	conn := connect(t, c.URL())
	for setting, want := range map[string]string{
		"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on", "data_checksums": "on",
		"server_encoding": "UTF8", "lc_collate": "C.UTF-8", "timezone": "UTC",
		"listen_addresses": "", "unix_socket_permissions": "0777", // the directory is what is closed
	} {
		var got string
		if err := conn.QueryRow(t.Context(), "select current_setting($1)", setting).Scan(&got); err != nil || got != want {
			t.Errorf("%s = %q, %v; want %q", setting, got, err, want)
		}
	}
	info, err := os.Stat(c.socketDir)
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the socket's directory has mode %v, %v; want 0700", info.Mode(), err)
	}
	pid := serverPID(t, conn)
	if ownerOf(t, pid) == 0 {
		t.Error("PostgreSQL runs as root")
	}
	if group, err := syscall.Getpgid(pid); err != nil || group == syscall.Getpgrp() {
		t.Errorf("PostgreSQL is in process group %d (%v), which Ctrl-C in a terminal would end together with us", group, err)
	}
}

func TestSecondClusterInOneDirectoryIsRefused(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	c := startOrFail(t, dir)
	defer stopOrFail(t, c)
	if second, err := StartCluster(t.Context(), dir); !errors.Is(err, ErrClusterInUse) {
		t.Errorf("a second start yields %v, %v; want ErrClusterInUse", second, err)
	}
	connect(t, c.URL()) // the first is none the worse
}

func TestClusterBelowALongPath(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), strings.Repeat("panjang/", 20), "a,b")
	for range 2 {
		c := startOrFail(t, dir)
		connect(t, c.URL())
		sockets := c.socketDir
		stopOrFail(t, c)
		if _, err := os.Stat(sockets); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("Stop leaves %s behind: %v", sockets, err)
		}
	}
}

func TestClusterTellsThatPostgresEnded(t *testing.T) {
	t.Parallel()
	c := startOrFail(t, t.TempDir())
	if err := syscall.Kill(serverPID(t, connect(t, c.URL())), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if err := <-c.Done(); err == nil {
		t.Error("Done yields nil after PostgreSQL was killed")
	}
	stopOrFail(t, c)
}

func TestClusterSurvivesTheDeathOfItsServer(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	c := startOrFail(t, dir)
	conn := connect(t, c.URL())
	execute(t, conn, "create table runs (n int)")
	execute(t, conn, "insert into runs values (1)")
	pid := serverPID(t, conn)
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	<-c.Done()
	stopOrFail(t, c)

	// As after a power cut: the pid file is there, and names a process that has nothing to do with it.
	pidFile := filepath.Join(dir, "data", "postmaster.pid")
	content, err := os.ReadFile(pidFile)
	if err != nil {
		t.Fatal("the killed server's pid file: ", err)
	}
	stranger := strangerOf(t, dir)
	content = append([]byte(strconv.Itoa(stranger)), content[len(strconv.Itoa(pid)):]...)
	if err := os.WriteFile(pidFile, content, 0o600); err != nil {
		t.Fatal(err)
	}
	c = startOrFail(t, dir)
	defer stopOrFail(t, c)
	if got := count(t, connect(t, c.URL())); got != 1 {
		t.Errorf("%d rows after the recovery, want 1", got)
	}
}

func TestClusterLeavesAServerStartedByHandAlone(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	stopOrFail(t, startOrFail(t, dir))
	bin, owner, err := prepareData(t.Context(), dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.Open(filepath.Join(dir, "data"))
	if err != nil {
		t.Fatal(err)
	}
	defer data.Close()
	sockets, err := makeSocketDirectory(t.TempDir(), owner)
	if err != nil {
		t.Fatal(err)
	}
	defer sockets.Close()
	byHand := owner.command(t.Context(), bin, "postgres", data, sockets)
	byHand.Args = append(byHand.Args, "-D", inherited(0), "-k", inherited(1), "-c", "listen_addresses=")
	said, err := byHand.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := byHand.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(said)
	for !strings.Contains(lines.Text(), "ready to accept connections") {
		if !lines.Scan() {
			t.Fatal("the server started by hand ended")
		}
	}
	pidFile := filepath.Join(data.Name(), "postmaster.pid")
	if _, err := StartCluster(t.Context(), dir); err == nil || !strings.Contains(err.Error(), "FATAL") {
		t.Errorf("start beside it: %v, want PostgreSQL's refusal", err)
	}
	os.Remove(pidFile) // as removeStalePID does where it can't look at the process
	if _, err := StartCluster(t.Context(), dir); err == nil || !strings.Contains(err.Error(), "shared memory block") {
		t.Errorf("start beside it when its pid file is gone: %v, want PostgreSQL's refusal", err)
	}
	byHand.Process.Signal(syscall.SIGQUIT)
	io.Copy(io.Discard, said)
	byHand.Wait()
	stopOrFail(t, startOrFail(t, dir))
}

// TestClusterEndsWithItsDaemon kills a process that supervises a cluster, again and again, and starts the next one at once.
func TestClusterEndsWithItsDaemon(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	const kills = 5
	for n := range kills {
		daemon := exec.Command(os.Args[0], "-test.run=^TestDaemonThatIsKilled$")
		daemon.Env = append(os.Environ(), "PULIH_TEST_CLUSTER="+dir)
		daemon.Stderr = os.Stderr
		out, err := daemon.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := daemon.Start(); err != nil {
			t.Fatal(err)
		}
		var rows, pid int
		line, err := bufio.NewReader(out).ReadString('\n')
		if _, scanErr := fmt.Sscanf(line, "rows %d server %d", &rows, &pid); err != nil || scanErr != nil {
			io.Copy(os.Stderr, out)
			t.Fatalf("daemon %d says %q: %v, %v", n, line, err, scanErr)
		}
		if rows != n+1 {
			t.Errorf("daemon %d finds %d rows, want %d", n, rows, n+1)
		}
		if err := daemon.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		daemon.Wait()
		if n == kills-1 {
			data, err := awaitOrphan(t.Context(), filepath.Join(dir, "data"))
			if err != nil {
				t.Fatal("PostgreSQL outlives its daemon: ", err)
			}
			data.Close()
			if _, err := os.Stat(filepath.Join(dir, "data", "postmaster.pid")); !errors.Is(err, os.ErrNotExist) {
				t.Error("PostgreSQL didn't shut down in order: its pid file is still there")
			}
		}
	}
}

// TestDaemonThatIsKilled is the process that TestClusterEndsWithItsDaemon kills; by itself it does nothing.
func TestDaemonThatIsKilled(t *testing.T) {
	dir := os.Getenv("PULIH_TEST_CLUSTER")
	if dir == "" {
		return
	}
	c := startOrFail(t, dir)
	conn := connect(t, c.URL())
	execute(t, conn, "create table if not exists runs (n int)")
	execute(t, conn, "insert into runs values (1)")
	fmt.Printf("rows %d server %d\n", count(t, conn), serverPID(t, conn))
	<-c.Done() // which never comes
}

func TestClusterRefusesInWords(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	stopOrFail(t, startOrFail(t, dir))
	version := filepath.Join(dir, "data", "PG_VERSION")
	if err := os.WriteFile(version, []byte("9\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := StartCluster(t.Context(), dir); err == nil || !strings.Contains(err.Error(), "made by PostgreSQL 9, and only") {
		t.Errorf("data of another version: %v", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "data", "postgresql.conf"), []byte("nonsense\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	bin, err := programs("")
	if err != nil {
		t.Fatal(err)
	}
	major := filepath.Base(filepath.Dir(bin))
	if err := os.WriteFile(version, []byte(major+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := StartCluster(t.Context(), dir); err == nil || !strings.Contains(err.Error(), "syntax error in file") {
		t.Errorf("a broken postgresql.conf: %v, want PostgreSQL's own words", err)
	}
}

func TestClusterStartEndsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	dir := t.TempDir()
	if _, err := StartCluster(ctx, dir); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want that the context was cancelled", err)
	}
	stopOrFail(t, startOrFail(t, dir)) // and leaves nothing in the way
}

func startOrFail(t *testing.T, dir string) *Cluster {
	t.Helper()
	c, err := StartCluster(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func stopOrFail(t *testing.T, c *Cluster) {
	t.Helper()
	if err := c.Stop(); err != nil {
		t.Error(err)
	}
}

func connect(t *testing.T, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close(context.Background()) })
	return conn
}

func execute(t *testing.T, conn *pgx.Conn, sql string, args ...any) {
	t.Helper()
	if _, err := conn.Exec(t.Context(), sql, args...); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

func count(t *testing.T, conn *pgx.Conn) int {
	t.Helper()
	var n int
	if err := conn.QueryRow(t.Context(), "select count(*) from runs").Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func serverPID(t *testing.T, conn *pgx.Conn) int {
	t.Helper()
	var pid int
	if err := conn.QueryRow(t.Context(), "select split_part(pg_read_file('postmaster.pid'), E'\\n', 1)::int").Scan(&pid); err != nil {
		t.Fatal(err)
	}
	return pid
}

func ownerOf(t *testing.T, pid int) uint32 {
	t.Helper()
	info, err := os.Stat(fmt.Sprintf("/proc/%d", pid))
	if err != nil {
		t.Fatal(err)
	}
	return info.Sys().(*syscall.Stat_t).Uid
}

// strangerOf starts an unrelated process of the user who owns the data.
func strangerOf(t *testing.T, dir string) int {
	t.Helper()
	info, err := os.Stat(filepath.Join(dir, "data"))
	if err != nil {
		t.Fatal(err)
	}
	stat := info.Sys().(*syscall.Stat_t)
	cmd := systemUser{stat.Uid, stat.Gid}.command(t.Context(), "/bin", "sleep")
	cmd.Args = append(cmd.Args, strconv.Itoa(int(time.Hour.Seconds())))
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	return cmd.Process.Pid
}
