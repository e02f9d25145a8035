package srikandi

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"sync"
	"time"

	"pulih/internal/letter"
)

// Folder is a Gateway over a directory of exported letters, dropped by hand or by a bridge (`source: folder`). Every *.json file below it
// is one Naskah, a list of them, or a page {"data":[..]}. An attachment lies beside its letter's file, or in a directory named for
// the letter's ID, under its own ID or name. Names that begin with a dot are left alone: write there, then rename.
//
// Files that are written in place count once they are whole: of a JSON file that can't be read as a whole, what it held before counts on. Of
// two files with letters of one ID the one changed last counts; the other letter is a BadRow, unless it is an earlier version.
//
// A letter's UpdatedAt is when its file, or a file attached to it, last changed on this machine, so that an old letter dropped today is new
// today. Times of follow-ups and letters inside are those of the JSON. An attachment's size and checksum are those of the file, where the
// JSON doesn't tell them.
type Folder struct {
	root   *os.Root
	outbox *os.Root // nil: follow-ups are not offered
	zone   *time.Location

	mu      sync.Mutex
	files   map[string]*exported
	sums    map[string]attachedFile  // by name
	letters map[string]*folderLetter // those that count, by ID
	rivals  []rival                  // those that don't, though they are other letters
}

var _ Gateway = (*Folder)(nil)

// NewFolder opens a directory. Follow-ups are written to outbox as JSON files, one a key; with an empty outbox they are not offered.
func NewFolder(dir, outbox string, zone *time.Location) (*Folder, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("opening the folder of letters: %w", err)
	}
	f := &Folder{root: root, zone: zone, files: map[string]*exported{}, sums: map[string]attachedFile{}}
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
	add := func(at time.Time, name string, e entry) {
		e.key = at.UTC().Format("20060102T150405.000000000") + " " + name
		if q.Cursor != "" && e.key > q.Cursor || q.Cursor == "" && !at.Before(q.UpdatedSince) {
			all = append(all, e)
		}
	}
	for id, l := range f.letters {
		add(l.UpdatedAt, id, entry{row: l.Naskah})
	}
	for name, file := range f.files {
		for i := range file.bad {
			add(file.changed, fmt.Sprintf("%s bad %06d", name, i), entry{bad: &file.bad[i]})
		}
	}
	for i, r := range f.rivals {
		add(r.since, fmt.Sprintf("%s rival %06d", r.ID, i), entry{bad: &r.BadRow})
	}
	slices.SortFunc(all, func(a, b entry) int { return cmp.Compare(a.key, b.key) })
	var page Page
	if limit := or(q.Limit, 50); len(all) > limit {
		all = all[:limit]
		page.NextCursor = all[limit-1].key
	}
	for _, e := range all {
		if e.bad != nil {
			page.Bad = append(page.Bad, *e.bad)
			continue
		}
		e.row.Dispositions, e.row.History = nil, nil
		page.Rows = append(page.Rows, e.row)
	}
	return page, nil
}

// Letter implements Gateway.
func (f *Folder) Letter(ctx context.Context, id string) (Naskah, error) {
	l, err := f.find(ctx, id)
	if err != nil {
		return Naskah{}, wrap(err, "reading letter "+id)
	}
	return l.Naskah, nil
}

// Attachment implements Gateway.
func (f *Folder) Attachment(ctx context.Context, naskahID string, want Lampiran, w io.Writer, limit int64) error {
	doing := "reading attachment " + want.ID + " of letter " + naskahID
	l, err := f.find(ctx, naskahID)
	if err != nil {
		return wrap(err, doing)
	}
	if want.Size > limit {
		return wrap(ErrTooLarge, doing)
	}
	for _, name := range places(l.file, naskahID, want) {
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
