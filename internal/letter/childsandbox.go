package letter

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Isolation says how children are kept from the network, from this process and from its files.
type Isolation string

// The ways, best first. Neither needs a privilege, nor a namespace; both hold for root too.
const (
	IsolationFull     Isolation = "full"     // no network, no other process, no file but the system's programs and fonts
	IsolationSyscalls Isolation = "syscalls" // no network, no other process; the kernel has no Landlock, so files as this user reads them
	IsolationNone     Isolation = "none"     // limits of memory and time alone
)

// spawner starts children from one operating system thread that never ends: Pdeathsig fires when the *thread* that started a child dies, and
// what a thread has given up (seccomp, Landlock) its children have given up too, at no cost a child.
type spawner struct {
	requests chan spawn
	mode     Isolation
}

type spawn struct {
	cmd  *exec.Cmd
	done chan error
}

var theSpawner = sync.OnceValue(func() *spawner {
	s := &spawner{requests: make(chan spawn)}
	ready := make(chan struct{})
	go s.loop(ready)
	<-ready
	return s
})

func start(cmd *exec.Cmd) error {
	s := spawn{cmd: cmd, done: make(chan error, 1)}
	theSpawner().requests <- s
	return <-s.done
}

// ChildIsolation tells how children are kept apart on this system.
func ChildIsolation() Isolation { return theSpawner().mode }

func (s *spawner) loop(ready chan struct{}) {
	runtime.LockOSThread() // never unlocked: the thread is no longer like the others
	s.mode = IsolationNone
	if unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == nil {
		files := forbidFiles()
		if forbidCalls() == nil {
			s.mode = IsolationSyscalls
			if files == nil {
				s.mode = IsolationFull
			}
		}
	}
	close(ready)
	for r := range s.requests {
		r.done <- r.cmd.Start()
	}
}

// What a child may read: programs and their libraries, fonts, and devices that hold nothing.
var (
	readable = []string{"/usr", "/bin", "/lib", "/lib64", "/etc/fonts", "/etc/ld.so.cache", "/etc/localtime", "/var/cache/fontconfig", "/dev/zero", "/dev/urandom"}
	writable = []string{"/dev/null"}
)

const (
	readAccess  = unix.LANDLOCK_ACCESS_FS_READ_FILE | unix.LANDLOCK_ACCESS_FS_READ_DIR | unix.LANDLOCK_ACCESS_FS_EXECUTE
	fileAccess  = unix.LANDLOCK_ACCESS_FS_READ_FILE | unix.LANDLOCK_ACCESS_FS_EXECUTE // of what is no folder
	writeAccess = fileAccess | unix.LANDLOCK_ACCESS_FS_WRITE_FILE
	allAccess   = unix.LANDLOCK_ACCESS_FS_MAKE_SYM<<1 - 1 // all of Landlock's first version
)

// forbidFiles takes all files from this thread but the system's own. Landlock also keeps it from looking into processes that haven't given
// up the same, this one among them (landlock(7), "Ptrace restrictions").
func forbidFiles() error {
	attr := unix.LandlockRulesetAttr{Handled_access_fs: allAccess}
	fd, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, uintptr(unsafe.Pointer(&attr)), unsafe.Sizeof(attr.Handled_access_fs), 0)
	if errno != 0 {
		return errno
	}
	defer unix.Close(int(fd))
	for _, p := range append(filepath.SplitList(os.Getenv("PATH")), readable...) {
		if p != "/" && filepath.IsAbs(p) {
			allow(int(fd), p, readAccess)
		}
	}
	allow(int(fd), "/proc/self/exe", readAccess)
	for _, p := range writable {
		allow(int(fd), p, writeAccess)
	}
	if _, _, errno := unix.Syscall(unix.SYS_LANDLOCK_RESTRICT_SELF, fd, 0, 0); errno != 0 {
		return errno
	}
	return nil
}

// allow adds a rule; what doesn't exist needs none.
func allow(ruleset int, path string, access uint64) {
	fd, err := unix.Open(path, unix.O_PATH|unix.O_CLOEXEC, 0)
	if err != nil {
		return
	}
	defer unix.Close(fd)
	var st unix.Stat_t
	if unix.Fstat(fd, &st) == nil && st.Mode&unix.S_IFMT != unix.S_IFDIR {
		access &= writeAccess
	}
	rule := unix.LandlockPathBeneathAttr{Allowed_access: access, Parent_fd: int32(fd)}
	_, _, _ = unix.Syscall6(unix.SYS_LANDLOCK_ADD_RULE, uintptr(ruleset), unix.LANDLOCK_RULE_PATH_BENEATH, uintptr(unsafe.Pointer(&rule)), 0, 0, 0)
}

// forbidden are the system calls that no reader of a file needs: the network, other processes, the own limits, and the kernel's wide doors.
var forbidden = []uint32{
	unix.SYS_SOCKET, unix.SYS_SOCKETPAIR, unix.SYS_CONNECT, unix.SYS_IO_URING_SETUP,
	unix.SYS_PTRACE, unix.SYS_PROCESS_VM_READV, unix.SYS_PROCESS_VM_WRITEV, unix.SYS_PIDFD_GETFD, unix.SYS_KILL,
	unix.SYS_PRLIMIT64, unix.SYS_SETRLIMIT,
	unix.SYS_BPF, unix.SYS_PERF_EVENT_OPEN, unix.SYS_USERFAULTFD, unix.SYS_KEYCTL, unix.SYS_ADD_KEY, unix.SYS_REQUEST_KEY,
	unix.SYS_UNSHARE, unix.SYS_SETNS, unix.SYS_MOUNT, unix.SYS_OPEN_BY_HANDLE_AT, unix.SYS_INIT_MODULE, unix.SYS_FINIT_MODULE, unix.SYS_KEXEC_LOAD,
}

var auditArch = map[string]uint32{"amd64": unix.AUDIT_ARCH_X86_64, "arm64": unix.AUDIT_ARCH_AARCH64}

// x32 marks the calls of amd64's second table, by which the list could be passed.
const x32 = 0x4000_0000

// forbidCalls installs a seccomp filter for this thread: forbidden calls fail with EPERM.
func forbidCalls() error {
	arch, ok := auditArch[runtime.GOARCH]
	if !ok {
		return unix.ENOTSUP
	}
	const load, equal, atLeast, answer = unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, unix.BPF_JMP | unix.BPF_JGE | unix.BPF_K, unix.BPF_RET | unix.BPF_K
	no := unix.SockFilter{Code: answer, K: unix.SECCOMP_RET_ERRNO | uint32(unix.EPERM)}
	program := []unix.SockFilter{
		{Code: load, K: 4}, // seccomp_data.arch
		{Code: equal, K: arch, Jt: 1}, no,
		{Code: load, K: 0}, // seccomp_data.nr
		{Code: atLeast, K: x32, Jf: 1}, no,
	}
	for _, nr := range forbidden {
		program = append(program, unix.SockFilter{Code: equal, K: nr, Jf: 1}, no)
	}
	program = append(program, unix.SockFilter{Code: answer, K: unix.SECCOMP_RET_ALLOW})
	prog := unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]}
	if _, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, 0, uintptr(unsafe.Pointer(&prog))); errno != 0 {
		return errno
	}
	return nil
}
