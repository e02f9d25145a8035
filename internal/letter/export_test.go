package letter

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// RaceEnabled tells tests that everything takes ten times as long.
const RaceEnabled = raceEnabled

// RunChild starts one kind of child work for the tests of the limits.
func RunChild(ctx context.Context, r *Reader, work string, input []byte) ([]byte, error) {
	return r.self(work, input).run(ctx)
}

// What a child would do whose reader a stranger's file has taken over. Each writes "done" if it succeeds.
func init() {
	moreWork = map[string]func([]byte, *bufio.Writer) error{
		"spin": func([]byte, *bufio.Writer) error {
			for n := 0; ; n++ {
				runtime.KeepAlive(n)
			}
		},
		"hoard": func([]byte, *bufio.Writer) error {
			for hoard := [][]byte{}; ; {
				hoard = append(hoard, bytes.Repeat([]byte{1}, 16<<20))
				runtime.KeepAlive(hoard)
			}
		},
		"environment": func(_ []byte, out *bufio.Writer) error {
			for _, e := range os.Environ() {
				fmt.Fprintln(out, e)
			}
			return nil
		},
		"dial": func(address []byte, out *bufio.Writer) error {
			c, err := net.DialTimeout("tcp", string(address), time.Second)
			if err != nil {
				return err
			}
			defer c.Close()
			return managed(out)
		},
		"datagram": func(address []byte, out *bufio.Writer) error {
			c, err := net.Dial("udp", string(address))
			if err != nil {
				return err
			}
			defer c.Close()
			return managed(out)
		},
		"read": func(file []byte, out *bufio.Writer) error {
			if _, err := os.ReadFile(string(file)); err != nil {
				return err
			}
			return managed(out)
		},
		"write": func(file []byte, out *bufio.Writer) error {
			if err := os.WriteFile(string(file), nil, 0o600); err != nil {
				return err
			}
			return managed(out)
		},
		"memory": func(place []byte, out *bufio.Writer) error {
			at, err := strconv.ParseUint(string(place), 10, 64)
			if err != nil {
				return err
			}
			f, err := os.Open(fmt.Sprintf("/proc/%d/mem", os.Getppid()))
			if err != nil {
				return err
			}
			defer f.Close()
			if _, err := f.ReadAt(make([]byte, 1), int64(at)); err != nil && err != io.EOF {
				return err
			}
			return managed(out)
		},
		"trace": func(_ []byte, out *bufio.Writer) error {
			if err := unix.PtraceAttach(os.Getppid()); err != nil {
				return err
			}
			return managed(out)
		},
		"signal": func(_ []byte, out *bufio.Writer) error {
			if err := unix.Kill(os.Getppid(), 0); err != nil {
				return err
			}
			return managed(out)
		},
		"unlimit": func(_ []byte, out *bufio.Writer) error {
			if err := unix.Setrlimit(unix.RLIMIT_DATA, &unix.Rlimit{Cur: unix.RLIM_INFINITY, Max: unix.RLIM_INFINITY}); err != nil {
				return err
			}
			return managed(out)
		},
	}
}

func managed(out *bufio.Writer) error {
	_, err := out.WriteString("done")
	return err
}
