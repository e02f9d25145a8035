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
	"maps"
	"path"
	"slices"
	"strings"
	"syscall"
	"time"

	"pulih/internal/agency"
	"pulih/internal/letter"
)

// maxExport is how much of one file is read, in bytes. An attached file that is larger has no checksum.
const maxExport = 64 << 20

// exported is a JSON file of a Folder.
type exported struct {
	size    int64
	changed time.Time
	bad     []BadRow
	cut     bool // it isn't whole: the rows are those from before

	rows  []Naskah // as the file tells them
	since time.Time
}

// attachedFile is a file beside a letter that is its attachment; the zero value is one that isn't there.
type attachedFile struct {
	name    string
	size    int64
	changed int64  // ns
	sum     string // SHA-256 in hex; empty past maxExport
}

// folderLetter is a letter with what lies beside it.
type folderLetter struct {
	Naskah
	file   string
	since  time.Time      // of its rows
	beside []attachedFile // for each attachment
}

// rival is a letter that doesn't count, since another one with its ID does.
type rival struct {
	BadRow
	since time.Time
}

// find returns the letter that counts. Whatever was written since the last look is read before. A letter is gone if no file has it, and none
// that isn't whole may.
func (f *Folder) find(ctx context.Context, id string) (*folderLetter, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if l := f.letters[id]; l != nil && f.unchanged(ctx, l) {
		return l, nil
	}
	if err := f.scan(ctx); err != nil {
		return nil, err
	}
	if l := f.letters[id]; l != nil {
		return l, nil
	}
	for _, e := range f.files {
		for _, bad := range e.bad {
			if bad.ID == id {
				return nil, &Temporary{Err: &BadLetter{bad}}
			}
			if raw := bytes.TrimSpace(bad.Raw); e.cut && (len(raw) == 0 || bytes.Contains(raw, []byte(id))) {
				return nil, &Temporary{Err: fmt.Errorf("%w: a file that may hold the letter isn't whole", ErrAnswer)}
			}
		}
	}
	return nil, ErrGone
}

// unchanged reports that a letter's own files are those of the last scan; a rival of it shows at the next.
func (f *Folder) unchanged(ctx context.Context, l *folderLetter) bool {
	info, err := f.root.Stat(l.file)
	if err != nil {
		return false
	}
	if e := f.files[l.file]; e == nil || e.size != info.Size() || !e.changed.Equal(changeTime(info)) {
		return false
	}
	for i, a := range l.Attachments {
		if f.attached(ctx, places(l.file, l.ID, a)) != l.beside[i] {
			return false
		}
	}
	return true
}

// scan brings everything up to date: what didn't change isn't read again.
func (f *Folder) scan(ctx context.Context) error {
	there := map[string]bool{}
	err := fs.WalkDir(f.root.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || ctx.Err() != nil {
			return errors.Join(err, ctx.Err())
		}
		switch hidden := isHidden(name); {
		case hidden && d.IsDir():
			return fs.SkipDir
		case hidden || d.IsDir():
			return nil
		}
		there[name] = true
		if !d.Type().IsRegular() || !strings.EqualFold(path.Ext(name), ".json") {
			return nil
		}
		info, err := d.Info()
		if errors.Is(err, fs.ErrNotExist) {
			delete(there, name) // taken away meanwhile
			return nil
		}
		if err == nil {
			f.refresh(name, info)
		}
		return err
	})
	if err != nil {
		return &Temporary{Err: fmt.Errorf("reading the folder of letters: %w", err)}
	}
	gone := func(name string) bool { return !there[name] }
	maps.DeleteFunc(f.files, func(name string, _ *exported) bool { return gone(name) })
	maps.DeleteFunc(f.sums, func(name string, _ attachedFile) bool { return gone(name) })
	return f.choose(ctx, gone)
}

func isHidden(name string) bool {
	base := path.Base(name)
	return base != "." && strings.HasPrefix(base, ".")
}

// changeTime is the inode's: unlike the modification time it can't be carried along by cp -p or rsync.
func changeTime(info fs.FileInfo) time.Time {
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return time.Unix(st.Ctim.Unix())
	}
	return info.ModTime()
}

// refresh reads a JSON file that has changed.
func (f *Folder) refresh(name string, info fs.FileInfo) {
	e := f.files[name]
	if e == nil {
		e = &exported{}
		f.files[name] = e
	} else if e.size == info.Size() && e.changed.Equal(changeTime(info)) {
		return
	}
	e.size, e.changed, e.bad = info.Size(), changeTime(info), nil
	data, err := f.content(name)
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	if e.cut = !json.Valid(data); e.cut {
		if err == nil {
			err = fmt.Errorf("reading %s: it isn't whole", letter.Mask(name))
		}
		e.bad = []BadRow{{Raw: data, Err: err}}
		return
	}
	e.rows, e.since = nil, e.changed
	for _, raw := range elements(data) {
		n, bad := decodeRow(stamped(raw, e.changed), f.zone)
		if bad != nil {
			bad.Raw = raw
			e.bad = append(e.bad, *bad)
			continue
		}
		if _, err := Decode(raw, f.zone); err == nil {
			n.Raw = raw // as it came; one without a time is kept with that of its file, for it is decoded again whenever it is read
		}
		e.rows = append(e.rows, n)
	}
}

func (f *Folder) content(name string) ([]byte, error) {
	in, err := f.root.Open(name)
	if err != nil {
		return nil, fmt.Errorf("an exported file can't be opened: %s", letter.Mask(name)) // the error names it unmasked
	}
	defer in.Close()
	data, err := readAll(in, maxExport)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", letter.Mask(name), err)
	}
	return data, nil
}

// choose says which letters count: of several with one ID the last one of the file changed last. When ctx ends, none is known: the next look
// begins where this one ended.
func (f *Folder) choose(ctx context.Context, gone func(name string) bool) error {
	before := f.letters
	f.letters, f.rivals = map[string]*folderLetter{}, nil
	for _, name := range slices.SortedFunc(maps.Keys(f.files), func(a, b string) int {
		return cmp.Or(f.files[a].since.Compare(f.files[b].since), cmp.Compare(a, b))
	}) {
		e := f.files[name]
		for _, n := range e.rows {
			if old := f.letters[n.ID]; old != nil && !earlier(old.Naskah, n) {
				err := fmt.Errorf("reading a row: id: letter %s in %s counts, and this one in %s, changed earlier, is another letter",
					n.ID, letter.Mask(name), letter.Mask(old.file))
				f.rivals = append(f.rivals, rival{BadRow{Raw: old.Raw, Err: err}, e.since})
			}
			f.letters[n.ID] = &folderLetter{Naskah: n, file: name, since: e.since}
		}
	}
	for id, l := range f.letters {
		for _, a := range l.Attachments {
			l.beside = append(l.beside, f.attached(ctx, slices.DeleteFunc(places(l.file, id, a), gone)))
		}
		if err := ctx.Err(); err != nil {
			f.letters = nil // this one's files may be there all the same
			return err
		}
		if old := before[id]; old != nil && old.file == l.file && old.since.Equal(l.since) && slices.Equal(old.beside, l.beside) {
			f.letters[id] = old
		} else {
			f.complete(l)
		}
	}
	return nil
}

// earlier reports that a letter is the same as another one, or was before it was edited.
func earlier(old, n Naskah) bool {
	edited := old.Version < n.Version && (old.Temporary || agency.SameNumber(old.Number, n.Number))
	return edited || len(Changes(old, n)) == 0
}

// places are the names that an attachment's file may have, the likeliest first.
func places(file, id string, l Lampiran) []string {
	dir := path.Dir(file)
	return slices.DeleteFunc([]string{
		path.Join(dir, id, l.ID), path.Join(dir, id, l.Name), path.Join(dir, l.ID), path.Join(dir, l.Name),
	}, isHidden)
}

// attached is the first of these files that is there. One that didn't change isn't read again.
func (f *Folder) attached(ctx context.Context, names []string) attachedFile {
	for _, name := range names {
		info, err := f.root.Stat(name)
		if err != nil || !info.Mode().IsRegular() {
			continue
		}
		now := attachedFile{name: name, size: info.Size(), changed: changeTime(info).UnixNano()}
		if old, ok := f.sums[name]; ok && old.size == now.size && old.changed == now.changed {
			return old
		}
		if now.size <= maxExport {
			if now.sum, err = f.hash(ctx, name, now.size); err != nil {
				continue
			}
		}
		f.sums[name] = now
		return now
	}
	return attachedFile{}
}

// hash is the SHA-256 of a file's first size bytes, in hex: what a file grows by while it is read counts at the next look. It fails for a
// shorter file, and when ctx ends before it begins.
func (f *Folder) hash(ctx context.Context, name string, size int64) (string, error) {
	if err := ctx.Err(); err != nil {
		return "", err
	}
	in, err := f.root.Open(name)
	if err != nil {
		return "", err
	}
	defer in.Close()
	sum := sha256.New()
	if _, err := io.CopyN(sum, in, size); err != nil {
		return "", err
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

// complete tells of a letter what lies beside it, so that a file which is replaced makes another version of its letter.
func (f *Folder) complete(l *folderLetter) {
	files := map[string]attachedFile{}
	for i, at := range l.beside {
		if at.name == "" {
			continue
		}
		files[l.Attachments[i].ID] = at
		l.UpdatedAt = later(l.UpdatedAt, time.Unix(0, at.changed))
	}
	if len(files) == 0 {
		return
	}
	if n, err := Decode(completed(l.Raw, files, f.zone), f.zone); err == nil {
		n.UpdatedAt = l.UpdatedAt
		l.Naskah = n
	}
}

// elements are the letters of a file: a list, a page, or a single one.
func elements(data []byte) []json.RawMessage {
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

// stamped gives a letter the time of its file, whatever it tells itself: an old letter dropped today is new today, and one exported by hand
// needn't know updated_at.
func stamped(raw json.RawMessage, changed time.Time) json.RawMessage {
	var fields map[string]json.RawMessage
	if json.Unmarshal(raw, &fields) != nil || fields == nil {
		return raw
	}
	fields["updated_at"] = encoded(changed.UTC())
	return encoded(fields)
}

// completed gives a letter's attachments the size and checksum of their files where it doesn't tell them. A file that isn't what it tells is
// named in a field of its own, sha256_berkas.
func completed(raw json.RawMessage, files map[string]attachedFile, zone *time.Location) json.RawMessage {
	var fields map[string]json.RawMessage
	var list []json.RawMessage
	if json.Unmarshal(raw, &fields) != nil || json.Unmarshal(fields["lampiran"], &list) != nil {
		return raw
	}
	for i, element := range list {
		r := newRow(element, "", zone)
		l := lampiran(r)
		at, ok := files[l.ID]
		if !ok || r.err() != nil {
			continue
		}
		if (l.Size == 0 || l.Size == at.size) && (l.SHA256 == "" || l.SHA256 == at.sum) {
			r.fields["ukuran"], r.fields["sha256"] = encoded(at.size), encoded(at.sum)
		} else {
			r.fields["sha256_berkas"] = encoded(at.sum)
		}
		list[i] = encoded(r.fields)
	}
	fields["lampiran"] = encoded(list)
	return encoded(fields)
}

// encoded is the JSON of what always has one: a number, a text, a time, JSON that was read before.
func encoded(v any) json.RawMessage {
	out, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return out
}
