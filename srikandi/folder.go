package srikandi

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"pulih/internal/letter"
)

// Folder is a Gateway over a directory of exported letters, dropped by hand or by a bridge (`source: folder`). Every *.json file below it
// is one Naskah, a list of them, or a page {"data":[..]}. An attachment lies beside its letter's file, or in a directory named for
// the letter's ID, under its own ID or name. Names that begin with a dot are left alone: write there, then rename.
//
// A letter's UpdatedAt is when its file last changed on this machine, so that an old letter dropped today is new today. Times of follow-ups
// and letters inside are those of the JSON.
type Folder struct {
	root   *os.Root
	outbox *os.Root // nil: follow-ups are not offered
	zone   *time.Location

	mu    sync.Mutex
	files map[string]exported
}

var _ Gateway = (*Folder)(nil)

// exported is one JSON file as last read.
type exported struct {
	size    int64
	changed time.Time
	rows    []Naskah
	bad     []BadRow
}

const maxExport = 64 << 20 // bytes of a JSON file

// NewFolder opens a directory. Follow-ups are written to outbox as JSON files, one a key; with an empty outbox they are not offered.
func NewFolder(dir, outbox string, zone *time.Location) (*Folder, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("opening the folder of letters: %w", err)
	}
	f := &Folder{root: root, zone: zone, files: map[string]exported{}}
	if outbox != "" {
		if f.outbox, err = os.OpenRoot(outbox); err != nil {
			return nil, errors.Join(fmt.Errorf("opening the folder of follow-ups: %w", err), root.Close())
		}
	}
	return f, nil
}

// Close releases the directories.
func (f *Folder) Close() error {
	if f.outbox == nil {
		return f.root.Close()
	}
	return errors.Join(f.root.Close(), f.outbox.Close())
}

// List implements Gateway.
func (f *Folder) List(ctx context.Context, q Query) (Page, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.scan(ctx); err != nil {
		return Page{}, err
	}
	type entry struct {
		key string
		row Naskah
		bad *BadRow
	}
	var all []entry
	for name, file := range f.files {
		if file.changed.Before(q.UpdatedSince) && q.Cursor == "" {
			continue
		}
		at := file.changed.UTC().Format("20060102T150405.000000000")
		for i, n := range file.rows {
			all = append(all, entry{key: fmt.Sprintf("%s %s %06d", at, name, i), row: n})
		}
		for i := range file.bad {
			all = append(all, entry{key: fmt.Sprintf("%s %s bad %06d", at, name, i), bad: &file.bad[i]})
		}
	}
	slices.SortFunc(all, func(a, b entry) int { return cmp.Compare(a.key, b.key) })
	var page Page
	limit := or(q.Limit, 50)
	last := ""
	for _, e := range all {
		if e.key <= q.Cursor {
			continue
		}
		if len(page.Rows)+len(page.Bad) == limit {
			page.NextCursor = last
			break
		}
		last = e.key
		if e.bad != nil {
			page.Bad = append(page.Bad, *e.bad)
			continue
		}
		e.row.Dispositions, e.row.History = nil, nil
		page.Rows = append(page.Rows, e.row)
	}
	return page, nil
}

// Letter implements Gateway. Where two files hold the same letter, the one changed last counts.
func (f *Folder) Letter(ctx context.Context, id string) (Naskah, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.scan(ctx); err != nil {
		return Naskah{}, err
	}
	n, _, err := f.find(id)
	return n, wrap(err, "reading letter "+id)
}

func (f *Folder) find(id string) (found Naskah, file string, err error) {
	err = ErrGone
	for name, e := range f.files {
		for _, n := range e.rows {
			if n.ID == id && (err != nil || n.UpdatedAt.After(found.UpdatedAt)) {
				found, file, err = n, name, nil
			}
		}
	}
	return found, file, err
}

// Attachment implements Gateway.
func (f *Folder) Attachment(ctx context.Context, naskahID string, want Lampiran, w io.Writer, limit int64) error {
	f.mu.Lock()
	_, file, err := f.find(naskahID)
	f.mu.Unlock()
	doing := "reading attachment " + want.ID + " of letter " + naskahID
	if err != nil {
		return wrap(err, doing)
	}
	if want.Size > limit {
		return wrap(ErrTooLarge, doing)
	}
	dir := path.Dir(file)
	for _, name := range []string{
		path.Join(dir, naskahID, want.ID), path.Join(dir, naskahID, want.Name), path.Join(dir, want.ID), path.Join(dir, want.Name),
	} {
		// Root keeps names like "../../etc/passwd" inside the folder.
		if info, err := f.root.Stat(name); err == nil && info.Mode().IsRegular() {
			return wrap(f.copy(name, want, w, limit), doing)
		}
	}
	return wrap(&Temporary{Err: errors.New("srikandi: the file isn't there yet")}, doing)
}

func (f *Folder) copy(name string, want Lampiran, w io.Writer, limit int64) error {
	in, err := f.root.Open(name)
	if err != nil {
		return &Temporary{Err: err}
	}
	defer in.Close()
	sum := sha256.New()
	to := &keepError{w: io.MultiWriter(w, sum)}
	n, err := io.Copy(to, io.LimitReader(in, limit+1))
	switch {
	case to.err != nil:
		return fmt.Errorf("writing an attachment: %w", to.err)
	case err != nil:
		return &Temporary{Err: err}
	case n > limit:
		return ErrTooLarge
	}
	return matches(want, n, hex.EncodeToString(sum.Sum(nil)))
}

// FollowUp implements Gateway: a file in the outbox, named for the key, that is never written twice.
func (f *Folder) FollowUp(_ context.Context, naskahID, key string, fu FollowUp) (FollowUpResult, error) {
	if f.outbox == nil {
		return FollowUpResult{}, ErrNotOffered
	}
	sum := sha256.Sum256([]byte(key))
	id := hex.EncodeToString(sum[:16])
	type file struct {
		Naskah    string  `json:"naskah_id"`
		Key       string  `json:"idempotency_key"`
		Disposisi *string `json:"disposisi_id"`
		Status    string  `json:"status"`
		Catatan   string  `json:"catatan"`
	}
	data, err := json.MarshalIndent(file{naskahID, key, orNil(fu.DispositionID), fu.Status, fu.Note}, "", "  ")
	if err != nil {
		return FollowUpResult{}, wrap(err, "writing a follow-up on letter "+naskahID)
	}
	name, draft := id+".json", "."+id
	if first, err := f.outbox.ReadFile(name); err == nil {
		var was file
		if json.Unmarshal(first, &was) != nil {
			return FollowUpResult{}, &Temporary{Err: fmt.Errorf("%w: an earlier follow-up", ErrAnswer)}
		}
		return FollowUpResult{ID: id, Status: was.Status, Replay: true}, nil
	}
	if err := errors.Join(f.outbox.WriteFile(draft, data, 0o640), f.outbox.Rename(draft, name)); err != nil {
		return FollowUpResult{}, wrap(&Temporary{Err: err}, "writing a follow-up on letter "+naskahID)
	}
	return FollowUpResult{ID: id, Status: fu.Status}, nil
}

// Register implements Gateway: an export has no register.
func (f *Folder) Register(context.Context, string, NewNaskah, []letter.File) (Naskah, error) {
	return Naskah{}, ErrNotOffered
}

// scan brings files up to date: what didn't change isn't read again.
func (f *Folder) scan(ctx context.Context) error {
	seen := map[string]bool{}
	err := fs.WalkDir(f.root.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || ctx.Err() != nil {
			return errors.Join(err, ctx.Err())
		}
		hidden := name != "." && strings.HasPrefix(d.Name(), ".")
		if hidden && d.IsDir() {
			return fs.SkipDir
		}
		if hidden || !d.Type().IsRegular() || !strings.EqualFold(path.Ext(name), ".json") {
			return nil
		}
		info, err := d.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil // taken away meanwhile
		}
		if err != nil {
			return err
		}
		seen[name] = true
		changed := changeTime(info)
		if old, ok := f.files[name]; ok && old.size == info.Size() && old.changed.Equal(changed) {
			return nil
		}
		e := exported{size: info.Size(), changed: changed}
		e.rows, e.bad = f.read(name, changed)
		f.files[name] = e
		return nil
	})
	if err != nil {
		return &Temporary{Err: fmt.Errorf("reading the folder of letters: %w", err)}
	}
	for name := range f.files {
		if !seen[name] {
			delete(f.files, name)
		}
	}
	return nil
}

// changeTime is the inode's: unlike the modification time it can't be carried along by cp -p or rsync.
func changeTime(info fs.FileInfo) time.Time {
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return time.Unix(st.Ctim.Unix())
	}
	return info.ModTime()
}

func (f *Folder) read(name string, changed time.Time) (rows []Naskah, bad []BadRow) {
	in, err := f.root.Open(name)
	if err != nil {
		return nil, []BadRow{{Err: fmt.Errorf("opening an exported file: %w", err)}}
	}
	defer in.Close()
	data, err := readAll(in, maxExport)
	if err != nil {
		return nil, []BadRow{{Err: fmt.Errorf("reading an exported file: %w", err)}}
	}
	for _, raw := range elements(data) {
		n, b := decodeRow(stamped(raw, changed), f.zone)
		if b != nil {
			b.Raw = raw
			bad = append(bad, *b)
			continue
		}
		if _, err := Decode(raw, f.zone); err == nil {
			n.Raw = raw // as it came; one without a time is kept with that of its file, for it is decoded again whenever it is read
		}
		n.UpdatedAt = changed
		rows = append(rows, n)
	}
	return rows, bad
}

// elements are the letters of a file: a list, a page, or a single one.
func elements(data []byte) []json.RawMessage {
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	var list []json.RawMessage
	if json.Unmarshal(data, &list) == nil {
		return list
	}
	var page struct {
		Data []json.RawMessage `json:"data"`
	}
	if json.Unmarshal(data, &page) == nil && page.Data != nil {
		return page.Data
	}
	return []json.RawMessage{data}
}

// stamped gives a letter the file's time where it has none: exports made by hand need not know updated_at.
func stamped(raw json.RawMessage, changed time.Time) json.RawMessage {
	var fields map[string]json.RawMessage
	if json.Unmarshal(raw, &fields) != nil || fields == nil {
		return raw
	}
	fields["updated_at"] = json.RawMessage(changed.UTC().AppendFormat(nil, `"`+time.RFC3339Nano+`"`))
	out, err := json.Marshal(fields)
	if err != nil {
		return raw
	}
	return out
}
