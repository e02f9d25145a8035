package srikandi

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// ending is a context that ends when it has been asked so often.
type ending struct {
	context.Context
	asks int
}

func (e *ending) Err() error {
	if e.asks--; e.asks < 0 {
		return context.Canceled
	}
	return nil
}

func folderOf(t *testing.T, files map[string]string) *Folder {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	f, err := NewFolder(dir, "", time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// Between two files it is seen that the daemon stops, and no letter is taken for one without its files then.
func TestAStopWaitsForOneFileOfAFolder(t *testing.T) {
	t.Parallel()
	const letters = 5
	files := map[string]string{}
	for i := range letters {
		files[fmt.Sprintf("s%d.json", i)] = fmt.Sprintf(`{"id":"s%d","lampiran":[{"id":"l-1","nama":"s%d.pdf"}]}`, i, i)
		files[fmt.Sprintf("s%d.pdf", i)] = fmt.Sprint("%PDF ", i)
	}
	stoppedAfter := map[int]bool{} // this many files
	for asks := 0; ; asks++ {
		f := folderOf(t, files)
		_, err := f.List(&ending{t.Context(), asks}, Query{})
		if err == nil {
			break
		}
		if !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		stoppedAfter[len(f.sums)] = true
		for i := range letters {
			if n, err := f.Letter(t.Context(), fmt.Sprint("s", i)); err != nil || n.Attachments[0].SHA256 == "" {
				t.Fatalf("after a stop letter %d has %+v, %v", i, n.Attachments, err)
			}
		}
	}
	for n := range letters {
		if !stoppedAfter[n] {
			t.Errorf("it never stopped after %d files: %v", n, stoppedAfter)
		}
	}
}

// A file that grows while it is read is read as far as it was told, and one that shrinks isn't there.
func TestTheChecksumOfAFileIsThatOfItsSize(t *testing.T) {
	t.Parallel()
	f := folderOf(t, map[string]string{"tumbuh.pdf": "%PDF isi, lalu lagi"})
	sum := sha256.Sum256([]byte("%PDF isi"))
	if got, err := f.hash(t.Context(), "tumbuh.pdf", 8); err != nil || got != hex.EncodeToString(sum[:]) {
		t.Errorf("%s, %v", got, err)
	}
	if got, err := f.hash(t.Context(), "tumbuh.pdf", 100); err == nil {
		t.Errorf("of a file that shrank: %s", got)
	}
}
