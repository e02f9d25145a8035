package store

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

const clusterUser = "pulih"

// stopWait leaves room in the ten seconds that the daemon has to end.
const stopWait = 7 * time.Second

// ErrClusterInUse says that another live process supervises the cluster.
var ErrClusterInUse = errors.New("another pulih is using this directory")

// Cluster is a private PostgreSQL that lives and dies with this process: it listens on a Unix socket only, and the kernel tells it to
// stop when its supervisor is killed.
//
// Nothing asks for a password. The socket lies in a directory of mode 0700 that belongs to the database's system user, so whoever can
// reach the socket can read the data files too, and a password would guard nothing.
type Cluster struct {
	socketDir string
	proc      *os.Process
	lock      *os.File      // the cluster's directory, locked while this process lives
	exited    chan struct{} // closed once PostgreSQL has ended
	done      chan error
}

// StartCluster starts the cluster whose files lie below dir, and makes it first if there is none. It returns once the cluster answers.
// A cluster left over by a killed process is waited for (up to a minute) and recovered. The context bounds the start, not the cluster's life.
//
// As root, PostgreSQL runs as the user postgres, or nobody if there is none, or as the owner of the data that is there already. Dir may
// lie below directories that this user can't enter.
//
// It returns ErrClusterInUse when another process has the cluster.
func StartCluster(ctx context.Context, dir string) (*Cluster, error) {
	return startCluster(ctx, dir, nil, nil)
}

// StartThrowawayCluster is StartCluster for data that need not survive a crash of the machine: it never waits for the disk. For tests.
func StartThrowawayCluster(ctx context.Context, dir string) (*Cluster, error) {
	return startCluster(ctx, dir, []string{"--no-sync"},
		[]string{"fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=300"})
}

// URL returns the address for pgx, with the right to create databases and roles.
func (c *Cluster) URL() string {
	address := url.URL{Scheme: "postgres", User: url.User(clusterUser), Path: "/postgres",
		RawQuery: url.Values{"host": {c.socketDir}, "port": {"5432"}}.Encode()}
	return address.String()
}

// Done yields one value when PostgreSQL has ended, by Stop (nil) or by itself, and is closed then.
func (c *Cluster) Done() <-chan error { return c.done }

// Stop ends the cluster, cutting its connections, and returns once it has ended. Data that was committed stays. Stop may be called twice.
func (c *Cluster) Stop() error {
	defer unlockDirectory(c.lock)
	for _, sig := range []os.Signal{
		syscall.SIGINT,  // "fast": roll back, write a checkpoint
		syscall.SIGQUIT, // "immediate": the next start recovers from the log
		syscall.SIGKILL,
	} {
		if err := c.proc.Signal(sig); err != nil && !errors.Is(err, os.ErrProcessDone) {
			return fmt.Errorf("stopping PostgreSQL: %w", err)
		}
		select {
		case <-c.exited:
			return os.RemoveAll(c.socketDir)
		case <-time.After(stopWait):
		}
	}
	return errors.New("stopping PostgreSQL: it doesn't end, not even when killed")
}

func startCluster(ctx context.Context, dir string, initOptions, settings []string) (_ *Cluster, err error) {
	dir, err = filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("finding the directory of the database: %w", err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("making the directory of the database: %w", err)
	}
	lock, err := lockDirectory(ctx, dir, lockPatience)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return nil, fmt.Errorf("starting PostgreSQL in %s: %w", dir, ErrClusterInUse)
	} else if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			unlockDirectory(lock)
		}
	}()

	bin, owner, err := prepareData(ctx, dir, initOptions)
	if err != nil {
		return nil, err
	}
	data, err := awaitOrphan(ctx, filepath.Join(dir, "data"))
	if err != nil {
		return nil, err
	}
	defer data.Close()
	removeStalePID(data)
	sockets, err := makeSocketDirectory(dir, owner)
	if err != nil {
		return nil, err
	}
	defer sockets.Close()
	log, err := newLog(filepath.Join(dir, "postgres.log"))
	if err != nil {
		return nil, err
	}
	defer log.Close()

	cmd := owner.command(context.WithoutCancel(ctx), bin, "postgres", data, sockets)
	cmd.Args = append(cmd.Args, "-D", inherited(0), "-k", inherited(1))
	for _, s := range append([]string{
		"listen_addresses=", // the socket only
		"timezone=UTC", "log_timezone=UTC", "jit=off",
		// An ERROR's text and DETAIL quote the values of a row, which may be a person's; the client gets them anyway.
		"log_min_messages=log", "log_min_error_statement=panic", "log_error_verbosity=terse",
		"log_checkpoints=off", "log_autovacuum_min_duration=-1",
	}, settings...) {
		cmd.Args = append(cmd.Args, "-c", s)
	}
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr.Pdeathsig = syscall.SIGINT

	c := &Cluster{lock: lock, socketDir: sockets.Name(), exited: make(chan struct{}), done: make(chan error, 1)}
	if err := c.supervise(cmd); err != nil {
		return nil, fmt.Errorf("starting PostgreSQL: %w", err)
	}
	if err := c.awaitAnswer(ctx); err != nil {
		return nil, fmt.Errorf("starting PostgreSQL in %s: %w%s", dir, errors.Join(err, c.Stop()), tail(log))
	}
	return c, nil
}

// supervise starts the command and watches it. The parent in Pdeathsig is a thread, so the goroutine keeps its thread until PostgreSQL
// has ended.
func (c *Cluster) supervise(cmd *exec.Cmd) error {
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		err := cmd.Start()
		c.proc = cmd.Process
		started <- err
		if err != nil {
			return
		}
		err = cmd.Wait()
		close(c.exited)
		if err != nil {
			c.done <- fmt.Errorf("PostgreSQL ended: %w", err)
		} else {
			c.done <- nil
		}
		close(c.done)
	}()
	return <-started
}

func (c *Cluster) awaitAnswer(ctx context.Context) error {
	for {
		conn, err := pgx.Connect(ctx, c.URL())
		if err == nil {
			return conn.Close(ctx)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("it doesn't answer: %w", errors.Join(ctx.Err(), err))
		case <-c.exited:
			return errors.New("it ended at once")
		case <-time.After(5 * time.Millisecond):
		}
	}
}
