package letter

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Limits of one child process.
type Limits struct {
	Memory int64         // bytes of writable memory (RLIMIT_DATA, and RLIMIT_AS for tools); zero means 230 MiB
	Time   time.Duration // wall time; zero means 9 s
	CPU    time.Duration // processor time, rounded down to seconds but at least one; zero means Time
	Output int64         // bytes of standard output; zero means 16 MiB
}

func (l Limits) withDefaults() Limits {
	if l.Memory == 0 {
		l.Memory = 230 << 20
	}
	if l.Time == 0 {
		l.Time = 9 * time.Second
	}
	if l.CPU == 0 {
		l.CPU = l.Time
	}
	if l.Output == 0 {
		l.Output = 16 << 20
	}
	return l
}

// The ways in which a stranger's file can exceed its limits. They are findings, not failures.
var (
	errTooSlow   = errors.New("batas waktu terlampaui")
	errTooLarge  = errors.New("batas keluaran terlampaui")
	errChildDied = errors.New("alat pembaca berhenti karena batas memori atau kerusakan berkas")
)

// child is a command that reads a stranger's file from standard input.
type child struct {
	path  string
	args  []string
	env   []string
	input []byte
	limit Limits
	own   bool // the own binary: no RLIMIT_AS, since Go reserves addresses that it doesn't use
}

// run starts the child under its limits and returns what it wrote. The file goes through the pipe only after the limits are set, so no
// byte of it is read without them. Nothing of the environment is passed on; the child dies with this process; it has no network where the
// system allows that to be arranged (see isolation).
func (c child) run(ctx context.Context) ([]byte, error) {
	out, _, err := c.runTimed(ctx)
	return out, err
}

// runTimed is run, and tells how much processor time the child took.
func (c child) runTimed(ctx context.Context) ([]byte, time.Duration, error) {
	limit := c.limit.withDefaults()
	ctx, cancel := context.WithTimeout(ctx, limit.Time)
	defer cancel()
	cmd := exec.CommandContext(ctx, c.path, c.args...)
	cmd.Env = append([]string{"PATH=/usr/bin:/bin", "LC_ALL=C.UTF-8", "OMP_THREAD_LIMIT=1", "HOME=/nonexistent", "TMPDIR=" + os.TempDir()}, c.env...)
	cmd.Dir = "/"
	out := &bounded{left: limit.Output, full: cancel}
	errs := &bounded{left: 1 << 20, full: cancel} // a nest of broken objects makes a tool complain by the gigabyte
	cmd.Stdout, cmd.Stderr = out, errs
	cmd.WaitDelay = 2 * time.Second
	gate := &gatedReader{open: make(chan struct{}), data: bytes.NewReader(c.input)}
	cmd.Stdin = gate
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	if err := start(cmd); err != nil {
		close(gate.open)
		return nil, 0, fmt.Errorf("starting %s: %w", c.path, err)
	}
	lerr := setLimits(cmd.Process.Pid, limit, c.own)
	if lerr != nil {
		gate.refuse = true
	}
	close(gate.open)
	err := cmd.Wait()
	used := cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	switch {
	case lerr != nil && !errors.Is(lerr, unix.ESRCH):
		return nil, used, fmt.Errorf("limiting %s: %w", c.path, lerr)
	case out.over, errs.over:
		return out.buf.Bytes(), used, errTooLarge
	case ctx.Err() != nil && errors.Is(ctx.Err(), context.DeadlineExceeded):
		return out.buf.Bytes(), used, errTooSlow
	case ctx.Err() != nil:
		return nil, used, ctx.Err()
	case err != nil:
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			if st, ok := exit.Sys().(syscall.WaitStatus); ok && st.Signaled() {
				if st.Signal() == syscall.SIGXCPU {
					return out.buf.Bytes(), used, errTooSlow
				}
				return out.buf.Bytes(), used, errChildDied
			}
			if c.own && exit.ExitCode() == 2 { // Go's runtime found no memory
				return out.buf.Bytes(), used, errChildDied
			}
			return out.buf.Bytes(), used, &toolError{code: exit.ExitCode(), message: errs.buf.String()}
		}
		return out.buf.Bytes(), used, fmt.Errorf("running %s: %w", c.path, err)
	}
	return out.buf.Bytes(), used, nil
}

// toolError is a tool's own refusal. Its message may quote the file: it is looked at for known causes and never logged or shown.
type toolError struct {
	code    int
	message string
}

func (e *toolError) Error() string { return fmt.Sprintf("alat pembaca gagal (kode %d)", e.code) }

// gatedReader lets the input through once the limits are set.
type gatedReader struct {
	open   chan struct{}
	refuse bool
	data   *bytes.Reader
}

func (g *gatedReader) Read(p []byte) (int, error) {
	<-g.open
	if g.refuse {
		return 0, io.EOF
	}
	return g.data.Read(p)
}

// bounded keeps the first bytes of an output and, when there are more, ends the child.
type bounded struct {
	buf  bytes.Buffer
	left int64
	over bool
	full func()
}

func (b *bounded) Write(p []byte) (int, error) {
	n := len(p)
	if int64(n) > b.left {
		p = p[:b.left]
		b.over = true
		if b.full != nil {
			b.full()
		}
	}
	b.left -= int64(len(p))
	b.buf.Write(p)
	return n, nil
}

func setLimits(pid int, l Limits, own bool) error {
	cpu := uint64(max(1, l.CPU/time.Second))
	limits := []struct {
		what     int
		cur, max uint64
	}{
		{unix.RLIMIT_CPU, cpu, cpu + 1},
		{unix.RLIMIT_CORE, 0, 0},
		{unix.RLIMIT_FSIZE, 0, 0},
		{unix.RLIMIT_NOFILE, 64, 64},
	}
	if !raceEnabled || !own {
		limits = append(limits, struct {
			what     int
			cur, max uint64
		}{unix.RLIMIT_DATA, uint64(l.Memory), uint64(l.Memory)})
	}
	if !own {
		// Addresses, not memory: libraries and fonts are mapped too, so a little more than Memory.
		as := uint64(l.Memory) + 128<<20
		limits = append(limits, struct {
			what     int
			cur, max uint64
		}{unix.RLIMIT_AS, as, as})
	}
	for _, r := range limits {
		if err := unix.Prlimit(pid, r.what, &unix.Rlimit{Cur: r.cur, Max: r.max}, nil); err != nil {
			return err
		}
	}
	return nil
}
