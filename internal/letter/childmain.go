package letter

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime/debug"
)

// childEnv names the work of a child: the own binary, started again under limits to open one stranger's file.
const childEnv = "PULIH_CHILD"

// ChildMain must be called first in main, and in TestMain of packages that read letters. In an ordinary process it returns at once; in a
// child it reads a file from standard input, writes what is in it to standard output, and exits.
func ChildMain() {
	work := os.Getenv(childEnv)
	if work == "" {
		return
	}
	debug.SetMemoryLimit(160 << 20)
	debug.SetGCPercent(50)
	data, err := io.ReadAll(os.Stdin)
	out := bufio.NewWriterSize(os.Stdout, 64<<10)
	if err == nil {
		err = childWork(work, data, out)
	}
	if err == nil {
		err = out.Flush()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(3)
	}
	os.Exit(0)
}

// moreWork is what the tests of the limits have children do.
var moreWork map[string]func(data []byte, out *bufio.Writer) error

func childWork(work string, data []byte, out *bufio.Writer) error {
	switch work {
	case "docx":
		return docxText(data, out)
	case "odt":
		return odtText(data, out)
	case "xlsx":
		return xlsxText(data, out)
	case "zip":
		return unzip(data, out)
	case "image":
		return normalizeImage(data, out)
	case "pdfsig":
		return childSignatures(data, out)
	}
	if f := moreWork[work]; f != nil {
		return f(data, out)
	}
	return fmt.Errorf("unknown child work %q", work)
}

// self runs the own binary as a child for one kind of work: the very file that runs, even when a newer one has taken its place.
func (r *Reader) self(work string, input []byte) child {
	return child{path: "/proc/self/exe", env: []string{childEnv + "=" + work, "GOMAXPROCS=1", "GOTRACEBACK=none"}, input: input, limit: r.opts.Limits, own: true}
}

// A frame is one file that a child took out of an archive: a JSON line, then the bytes.
type frame struct {
	Name    string `json:"name"`
	Size    int    `json:"size"`
	Problem string `json:"problem,omitempty"`
}

func writeFrame(out *bufio.Writer, f frame, data []byte) error {
	f.Size = len(data)
	b, err := json.Marshal(f)
	if err != nil {
		return err
	}
	out.Write(b)
	out.WriteByte('\n')
	_, err = out.Write(data)
	return err
}

func readFrames(b []byte) []archived {
	var out []archived
	for len(b) > 0 && len(out) < 1000 {
		head, rest, ok := bytes.Cut(b, []byte("\n"))
		var f frame
		if !ok || json.Unmarshal(head, &f) != nil || f.Size < 0 || f.Size > len(rest) {
			return out
		}
		out = append(out, archived{frame: f, data: rest[:f.Size]})
		b = rest[f.Size:]
	}
	return out
}

type archived struct {
	frame
	data []byte
}
