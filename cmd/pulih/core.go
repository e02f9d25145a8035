package main

import "syscall"

// noCoreDumps keeps this process, and those that it starts, from leaving their memory on a disk: a password that a verifier has just typed,
// and the tokens of their session, are in it for a while, and Go has no way to wipe them.
func noCoreDumps() {
	// A limit can always be lowered; where the system forbids even that, it writes no cores either.
	_ = syscall.Setrlimit(syscall.RLIMIT_CORE, &syscall.Rlimit{})
	// PR_SET_DUMPABLE: no core whatever the limit (a pipe to a collector ignores it), and no other process of this user may attach.
	_, _, _ = syscall.RawSyscall(syscall.SYS_PRCTL, syscall.PR_SET_DUMPABLE, 0, 0)
}
