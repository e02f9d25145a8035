package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	socketName = ".s.PGSQL.5432"
	// maxSocketPath is sun_path of unix(7) without its closing zero.
	maxSocketPath = 107
	// lockPatience outlasts what a killed process leaves for a moment: children between fork and exec, which hold its lock too.
	lockPatience = time.Second
	// orphanWait bounds the wait for a PostgreSQL whose daemon was killed: it has been told to stop and is writing its last checkpoint.
	orphanWait = time.Minute
)

// prepareData makes the data directory if there is none, and returns the programs that fit it and the system user that it belongs to.
func prepareData(ctx context.Context, dir string, initOptions []string) (bin string, owner systemUser, err error) {
	data := filepath.Join(dir, "data")
	info, err := os.Stat(data)
	if errors.Is(err, os.ErrNotExist) {
		if bin, err = programs(""); err != nil {
			return "", owner, err
		}
		if owner, err = databaseUser(); err != nil {
			return "", owner, err
		}
		return bin, owner, initialise(ctx, dir, bin, owner, initOptions)
	} else if err != nil {
		return "", owner, fmt.Errorf("looking for the database: %w", err)
	}
	stat := info.Sys().(*syscall.Stat_t)
	owner = systemUser{uid: stat.Uid, gid: stat.Gid}
	if euid := uint32(os.Geteuid()); owner.uid == 0 || euid != 0 && euid != owner.uid {
		return "", owner, fmt.Errorf("the database in %s belongs to system user %d, and this process runs as %d: run it as the owner, "+
			"or change the owner (chown -R); PostgreSQL refuses to run as root", data, owner.uid, euid)
	}
	version, err := os.ReadFile(filepath.Join(data, "PG_VERSION"))
	if err != nil {
		return "", owner, fmt.Errorf("reading the version of the database: %w", err)
	}
	bin, err = programs(strings.TrimSpace(string(version)))
	return bin, owner, err
}

// initialise makes the data directory under another name first: an initdb that was killed leaves nothing that looks finished.
func initialise(ctx context.Context, dir, bin string, owner systemUser, options []string) error {
	Unfinished := filepath.Join(dir, "data.Unfinished")
	if err := errors.Join(os.RemoveAll(Unfinished), os.Mkdir(Unfinished, 0o700), owner.own(Unfinished)); err != nil {
		return fmt.Errorf("making the directory of the database: %w", err)
	}
	f, err := os.Open(Unfinished)
	if err != nil {
		return fmt.Errorf("making the directory of the database: %w", err)
	}
	defer f.Close()
	cmd := owner.command(ctx, bin, "initdb", f)
	cmd.Args = append(cmd.Args, "-D", inherited(0), "--username="+clusterUser, "--auth=trust", "--locale=C.UTF-8", "-E", "UTF8",
		"--data-checksums", "--no-instructions")
	cmd.Args = append(cmd.Args, options...)
	cmd.SysProcAttr.Pdeathsig = syscall.SIGKILL
	cmd.WaitDelay = time.Second
	runtime.LockOSThread() // see supervise
	defer runtime.UnlockOSThread()
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("making the database: initdb: %w: %s", errors.Join(ctx.Err(), err), strings.TrimSpace(string(out)))
	}
	if err := errors.Join(os.Rename(Unfinished, filepath.Join(dir, "data")), syncDirectory(dir)); err != nil {
		return fmt.Errorf("making the database: %w", err)
	}
	return nil
}

// syncDirectory makes a new name in a directory survive a power cut.
func syncDirectory(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Sync()
}

// programs returns the directory of the newest PostgreSQL programs, or of those with the given major version.
func programs(major string) (string, error) {
	dirs, _ := filepath.Glob("/usr/lib/postgresql/*/bin") // fails for a bad pattern only
	dirs = append(dirs, filepath.SplitList(os.Getenv("PATH"))...)
	if out, err := exec.Command("pg_config", "--bindir").Output(); err == nil {
		dirs = append(dirs, strings.TrimSpace(string(out)))
	}
	type found struct {
		dir   string
		major string
	}
	var all []found
	for _, dir := range dirs {
		if _, err := os.Stat(filepath.Join(dir, "initdb")); err != nil {
			continue
		}
		// "postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)", and "18beta1" before a release
		out, err := exec.Command(filepath.Join(dir, "postgres"), "-V").Output()
		if words := strings.Fields(string(out)); err == nil && len(words) >= 3 {
			digits := strings.IndexFunc(words[2]+".", func(r rune) bool { return r < '0' || r > '9' })
			all = append(all, found{dir, words[2][:digits]})
		}
	}
	if len(all) == 0 {
		return "", errors.New("the programs of PostgreSQL aren't installed (Debian: apt install postgresql), and no database URL is configured")
	}
	newest := slices.MaxFunc(all, func(a, b found) int {
		return cmp.Or(cmp.Compare(len(a.major), len(b.major)), cmp.Compare(a.major, b.major))
	})
	if major == "" {
		return newest.dir, nil
	}
	for _, f := range all {
		if f.major == major {
			return f.dir, nil
		}
	}
	return "", fmt.Errorf("the database was made by PostgreSQL %s, and only PostgreSQL %s is installed: install postgresql-%s, or bring "+
		"the database over with pg_upgrade", major, newest.major, major)
}

// systemUser is who PostgreSQL runs as.
type systemUser struct{ uid, gid uint32 }

func databaseUser() (systemUser, error) {
	if os.Geteuid() != 0 {
		return systemUser{uint32(os.Geteuid()), uint32(os.Getegid())}, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err1 := strconv.ParseUint(u.Uid, 10, 32)
		gid, err2 := strconv.ParseUint(u.Gid, 10, 32)
		if err1 == nil && err2 == nil && uid != 0 {
			return systemUser{uint32(uid), uint32(gid)}, nil
		}
	}
	return systemUser{}, errors.New("PostgreSQL refuses to run as root, and there is neither a system user postgres nor nobody")
}

// own gives a path to the user; a process that isn't root is the user already.
func (u systemUser) own(path string) error {
	if os.Geteuid() != 0 {
		return nil
	}
	return os.Chown(path, int(u.uid), int(u.gid))
}

// command runs a program as the user, without this process's environment (which may hold secrets and PG* variables), and in a process
// group of its own, since Ctrl-C in a terminal goes to the whole group and the database must outlive the work on it.
//
// The program finds the directories by inherited descriptors (see inherited), so it needs no right to walk the path to them, which it
// lacks below a directory of root's.
func (u systemUser) command(ctx context.Context, bin, name string, dirs ...*os.File) *exec.Cmd {
	cmd := exec.CommandContext(ctx, filepath.Join(bin, name))
	cmd.Dir = "/"
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "TZ=UTC", "LC_ALL=C.UTF-8"}
	cmd.ExtraFiles = dirs
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if os.Geteuid() == 0 {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: u.uid, Gid: u.gid}
	}
	return cmd
}

// inherited is the path by which a child sees its n-th extra file.
func inherited(n int) string { return fmt.Sprintf("/proc/self/fd/%d", 3+n) }

// lockDirectory locks a directory for as long as the file is open, here or in a child that inherited it, or until unlockDirectory. It
// waits a while for another process's lock and fails with EWOULDBLOCK then.
func lockDirectory(ctx context.Context, dir string, patience time.Duration) (*os.File, error) {
	f, err := os.Open(dir)
	if err != nil {
		return nil, fmt.Errorf("opening the directory of the database: %w", err)
	}
	deadline := time.After(patience)
	for {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return f, nil
		}
		if errors.Is(err, syscall.EWOULDBLOCK) {
			select {
			case <-time.After(5 * time.Millisecond):
				continue
			case <-ctx.Done():
				err = ctx.Err()
			case <-deadline:
			}
		}
		f.Close()
		return nil, fmt.Errorf("locking %s: %w", dir, err)
	}
}

// unlockDirectory doesn't leave it to closing the file: a child that has been forked and hasn't reached its exec yet holds a copy.
func unlockDirectory(f *os.File) {
	_ = syscall.Flock(int(f.Fd()), syscall.LOCK_UN) // fails for a file that is closed, and so unlocked
	f.Close()
}

// awaitOrphan locks the data directory. PostgreSQL's processes inherit that lock, so it is free once the last of them has ended, also when
// the daemon that started them was killed.
func awaitOrphan(ctx context.Context, data string) (*os.File, error) {
	f, err := lockDirectory(ctx, data, orphanWait)
	if err != nil {
		return nil, fmt.Errorf("waiting for the PostgreSQL of an earlier run to end: %w", err)
	}
	return f, nil
}

// removeStalePID removes the pid file that a killed server left behind. Its number may belong to an unrelated process by now, and
// PostgreSQL would take that for a running server and refuse to start. The lock on the data directory says that no server of ours is left;
// one that a person started by hand works in the directory, and should that be hidden from us (root in a container may not look at
// another user's process), PostgreSQL finds its shared memory and refuses all the same.
func removeStalePID(data *os.File) {
	path := filepath.Join(data.Name(), "postmaster.pid")
	content, err := os.ReadFile(path)
	if err != nil {
		return
	}
	pid, _, _ := strings.Cut(string(content), "\n")
	where, err1 := os.Stat(filepath.Join("/proc", pid, "cwd"))
	here, err2 := data.Stat()
	if err1 == nil && err2 == nil && os.SameFile(where, here) {
		return
	}
	os.Remove(path) // should it stay, PostgreSQL judges it
}

// makeSocketDirectory makes the directory of the socket anew: dir/run, or where that is too long for a socket, a directory for temporary
// files to which dir/run points.
func makeSocketDirectory(dir string, owner systemUser) (*os.File, error) {
	run := filepath.Join(dir, "run")
	if earlier, err := os.Readlink(run); err == nil {
		os.RemoveAll(earlier)
	}
	err := os.RemoveAll(run)
	if err != nil {
		return nil, fmt.Errorf("making the directory of the database's socket: %w", err)
	}
	sockets := run
	fits := func(dir string) bool {
		// A comma would separate two hosts in the database's address.
		return len(filepath.Join(dir, socketName)) <= maxSocketPath && !strings.Contains(dir, ",")
	}
	if fits(run) {
		err = os.Mkdir(run, 0o700)
	} else if sockets, err = os.MkdirTemp("", "pulih-"); err == nil {
		err = os.Symlink(sockets, run)
	}
	if err == nil && !fits(sockets) {
		err = fmt.Errorf("%s is too long for a socket; set TMPDIR to a shorter directory", sockets)
	}
	if err = errors.Join(err, owner.own(sockets)); err != nil {
		return nil, fmt.Errorf("making the directory of the database's socket: %w", err)
	}
	return os.Open(sockets)
}

// newLog opens an empty log and keeps the one of the run before.
func newLog(path string) (*os.File, error) {
	if err := os.Rename(path, path+".1"); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("keeping PostgreSQL's last log: %w", err)
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("opening PostgreSQL's log: %w", err)
	}
	return f, nil
}

// tail returns the end of a log, to show why PostgreSQL didn't start.
func tail(log *os.File) string {
	const most = 2000
	info, err := log.Stat()
	if err != nil {
		return ""
	}
	end := make([]byte, min(most, info.Size()))
	n, _ := log.ReadAt(end, info.Size()-int64(len(end)))
	return "\n" + strings.TrimSpace(string(end[:n]))
}
