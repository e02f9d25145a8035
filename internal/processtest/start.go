// Package processtest starts the processes of tests.
package processtest

import (
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
)

// Start starts a command, whose ProcessState is set when gone is closed. Nothing outlives the test's own process: the command is killed with
// it, or gets the death signal of its SysProcAttr where it has one.
func Start(t testing.TB, cmd *exec.Cmd) (gone <-chan struct{}) {
	t.Helper()
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	}
	started, ended := make(chan error), make(chan struct{})
	go func() {
		// The death signal comes when the starting thread ends, not the process: hold it, or another test's end kills this one's process.
		runtime.LockOSThread()
		defer close(ended)
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait() // the state tells it
		}
	}()
	if err := <-started; err != nil {
		t.Fatalf("starting %s: %v", filepath.Base(cmd.Path), err)
	}
	return ended
}
