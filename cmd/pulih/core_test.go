package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
)

const crashVariable = "PULIH_TEST_CRASH"

// TestCrashChild dies as a daemon would whose memory is corrupt, with a generous limit for cores.
func TestCrashChild(t *testing.T) {
	mode := os.Getenv(crashVariable)
	if mode == "" {
		return
	}
	limit := syscall.Rlimit{}
	if err := syscall.Getrlimit(syscall.RLIMIT_CORE, &limit); err != nil {
		t.Fatal(err)
	}
	limit.Cur = limit.Max
	if err := syscall.Setrlimit(syscall.RLIMIT_CORE, &limit); err != nil {
		t.Fatal(err)
	}
	if mode == "guarded" {
		noCoreDumps()
	}
	_ = syscall.Kill(os.Getpid(), syscall.SIGSYS) // Go has no handler of its own that would exit in good order
	select {}
}

func TestACrashLeavesNoMemoryBehind(t *testing.T) {
	t.Parallel()
	dumped := func(mode string) bool {
		cmd := exec.Command(os.Args[0], "-test.run=^TestCrashChild$")
		cmd.Env = append(os.Environ(), crashVariable+"="+mode, "GOTRACEBACK=crash")
		cmd.Dir = t.TempDir()
		err := cmd.Run()
		var exit *exec.ExitError
		if !errors.As(err, &exit) || !exit.Sys().(syscall.WaitStatus).Signaled() {
			t.Fatalf("%s: ended by %v", mode, err)
		}
		files, _ := filepath.Glob(filepath.Join(cmd.Dir, "core*"))
		return exit.Sys().(syscall.WaitStatus).CoreDump() || len(files) > 0
	}
	if dumped("guarded") {
		t.Error("a core was dumped")
	}
	if !dumped("unguarded") {
		t.Log("this system writes no cores at all: nothing was shown by that")
	}
}
