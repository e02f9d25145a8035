package scheduler

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/riverqueue/river"
	"golang.org/x/sync/errgroup"

	"pulih/internal/letter"
	"pulih/internal/store"
	"pulih/srikandi"
)

// fetchWorker brings a letter's attachments into the archive, and then has it read.
type fetchWorker struct {
	river.WorkerDefaults[store.FetchFiles]
	d *Daemon
}

// Timeout is enough for several large files over a slow line.
func (w *fetchWorker) Timeout(*river.Job[store.FetchFiles]) time.Duration { return 30 * time.Minute }

const (
	maxAttachment = 35 << 20 // the most that is taken of one file, in bytes
	maxFiles      = 50       // of one letter
	// fileTries is after how many failures of one file, while the gateway works otherwise, a letter is read without it: about an hour.
	fileTries = 12
	// mismatchTries is how often a file may differ from what its letter promises, before it is taken as it is.
	mismatchTries = 5
)

func (w *fetchWorker) Work(ctx context.Context, job *river.Job[store.FetchFiles]) error {
	l, err := w.d.store.Letter(ctx, job.Args.LetterID)
	if err != nil {
		return err
	}
	t, err := w.d.tenant(ctx, l.Agency)
	if err != nil {
		return err
	}
	if t == nil || l.State != "stored" || l.Version != job.Args.Version {
		return nil // changed since, or of an agency that isn't configured any more
	}
	var files []*store.Download
	var changed bool
	var failed error
	if t.gateway != nil {
		raw, err := w.d.store.Raw(ctx, l.ID)
		if err != nil {
			return err
		}
		if n, err := srikandi.Decode(raw, t.Zone); err == nil { // otherwise the reading says so
			files, changed, failed = w.d.fetchFiles(ctx, t, l, n, job)
		}
	}
	if (failed != nil || changed) && len(files) == 0 {
		return failed
	}
	err = w.d.store.InTx(context.WithoutCancel(ctx), w.d.now(), func(tx *store.Tx) error {
		if err := tx.KeepFiles(l.ID, files); err != nil || failed != nil || changed {
			return err
		}
		return tx.Enqueue(store.ReadLetter{LetterID: l.ID, Version: l.Version}, nil)
	})
	if err != nil {
		return err
	}
	return failed
}

// fetchFiles downloads the attachments that the archive lacks: all until the first that has to be tried again. What can't be had for good is
// left out, and the reading says so. Changed says that the letter has changed meanwhile, and another job is at it.
func (d *Daemon) fetchFiles(ctx context.Context, t *tenant, l store.Letter, n srikandi.Naskah, job *river.Job[store.FetchFiles]) (got []*store.Download, changed bool, err error) {
	have, err := d.store.FileList(ctx, l.ID)
	if err != nil {
		return nil, false, err
	}
	for _, want := range wanted(n) {
		if _, ok := archived(have, n, want); ok {
			continue
		}
		file, err := d.fetchFile(ctx, t, n, want, mismatches(job) >= mismatchTries)
		var temporary *srikandi.Temporary
		switch {
		case err == nil:
			got = append(got, file)
		case ctx.Err() != nil:
			return got, false, err
		case errors.Is(err, srikandi.ErrMismatch):
			if changed, asked := d.askLetter(ctx, t, n.ID); asked == nil && changed {
				return got, true, nil
			}
			return got, false, err
		case errors.Is(err, srikandi.ErrSignIn), errors.As(err, &temporary) && temporary.RetryAfter > 0:
			return got, false, d.snooze(err, job.CreatedAt)
		case temporary != nil:
			giveUp, look := d.hopeless(ctx, t, job.Attempt)
			if look != nil || !giveUp {
				return got, false, errors.Join(err, look)
			}
			d.log.Error("attachment given up", "agency", t.Key, "letter", l.ID, "err", err)
		case errors.Is(err, srikandi.ErrGone), errors.Is(err, srikandi.ErrTooLarge), errors.Is(err, srikandi.ErrNotOffered), isRefused(err):
			d.log.Warn("attachment can't be had", "agency", t.Key, "letter", l.ID, "err", err)
		default:
			return got, false, err // ours: the archive's
		}
	}
	return got, false, nil
}

// mismatches counts the tries of a job that ended with a file that differs: an outage before them says nothing of the file.
func mismatches(job *river.Job[store.FetchFiles]) (n int) {
	for _, e := range job.Errors {
		if strings.Contains(e.Error, srikandi.ErrMismatch.Error()) {
			n++
		}
	}
	return n
}

const (
	// pageFiles is how much of attachments is taken along with a page of letters, in bytes: it is held in memory until the page is stored, beside
	// that of the next one.
	pageFiles = 32 << 20
	// pageTime is how long a page waits for its attachments.
	pageTime = time.Minute
	// pageCalls is how many are downloaded at a time.
	pageCalls = 4
)

// take downloads the attachments of letters that are new, so that they are committed, and read, together with the letters. It is for the usual
// case alone: what is large or fails is left to a fetchWorker, which tries again, and nil here.
func (s *sink) take(ctx context.Context, letters []srikandi.Naskah) ([][]*store.Download, error) {
	out := make([][]*store.Download, len(letters))
	if s.slow {
		return out, nil
	}
	ids := make([]string, len(letters))
	for i, n := range letters {
		ids[i] = n.ID
	}
	have, err := s.d.store.ArchivedIDs(ctx, s.t.Key, ids)
	if ctx.Err() != nil {
		return out, nil // the daemon stops: the letters are committed without them
	} else if err != nil {
		return nil, err
	}
	within, cancel := context.WithTimeout(ctx, pageTime)
	defer cancel()
	group, inner := errgroup.WithContext(within)
	group.SetLimit(pageCalls)
	room := int64(pageFiles)
	for i, n := range letters {
		size, known := sizeOf(n)
		if _, old := have[n.ID]; old || !known || size > room {
			continue
		}
		room -= size
		out[i] = make([]*store.Download, len(n.Attachments))
		for j, want := range n.Attachments {
			group.Go(func() (err error) {
				out[i][j], err = s.d.fetchFile(inner, s.t, n, want, false)
				return err
			})
		}
	}
	s.slow = group.Wait() != nil // the jobs meet the error again, and tell of it
	for i, files := range out {
		if !slices.Contains(files, nil) {
			continue
		}
		out[i] = nil
		for _, f := range files {
			if f == nil {
				continue
			}
			if err := f.Drop(); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

// sizeOf adds up what a letter's attachments are said to measure, in bytes.
func sizeOf(n srikandi.Naskah) (sum int64, known bool) {
	for _, a := range n.Attachments {
		if a.Size <= 0 || a.Size > pageFiles {
			return 0, false
		}
		sum += a.Size
	}
	return sum, len(n.Attachments) <= maxFiles
}

func isRefused(err error) bool {
	var refused *srikandi.Refused
	return errors.As(err, &refused)
}

// fetchFile downloads one file. Bare takes it without holding it against the letter's promise: the promise was wrong every time.
func (d *Daemon) fetchFile(ctx context.Context, t *tenant, n srikandi.Naskah, want srikandi.Lampiran, bare bool) (*store.Download, error) {
	f := store.File{Source: want.ID, Name: letter.Scrub(want.Name), MIME: want.MIME, Promise: promise(n, want)}
	if bare {
		want = srikandi.Lampiran{ID: want.ID, Name: want.Name, MIME: want.MIME}
	}
	return d.store.Download(ctx, f, func(w io.Writer) error { return t.gateway.Attachment(ctx, n.ID, want, w, maxAttachment) })
}

// askLetter reads a letter again: one that was edited explains a file that differs.
func (d *Daemon) askLetter(ctx context.Context, t *tenant, id string) (changed bool, err error) {
	n, err := t.gateway.Letter(ctx, id)
	if err != nil {
		return false, err
	}
	err = d.store.InTx(ctx, d.now(), func(tx *store.Tx) error {
		written, err := tx.SaveNaskah(t.Key, []store.Naskah{d.kept(n)})
		changed = written > 0
		return err
	})
	return changed, err
}

// hopeless reports that a file failed often enough while the gateway itself works.
func (d *Daemon) hopeless(ctx context.Context, t *tenant, attempt int) (bool, error) {
	if attempt < fileTries {
		return false, nil
	}
	g, err := d.store.Gateway(ctx, t.Key, nil)
	return err == nil && g.FailingSince == nil, err
}

// wanted are the attachments that are taken of a letter.
func wanted(n srikandi.Naskah) []srikandi.Lampiran {
	return n.Attachments[:min(len(n.Attachments), maxFiles)]
}

// promise is what a letter says of a file, as far as it is evidence of its content. Without a checksum the letter's version stands in.
func promise(n srikandi.Naskah, l srikandi.Lampiran) string {
	if sum := or(l.FileSHA256, l.SHA256); sum != "" {
		return fmt.Sprintf("%d %s", l.Size, sum)
	}
	return fmt.Sprintf("%d v%d", l.Size, n.Version)
}

// archived finds an attachment of a letter among the letter's files of all versions.
func archived(have []store.File, n srikandi.Naskah, want srikandi.Lampiran) (store.File, bool) {
	i := slices.IndexFunc(have, func(f store.File) bool { return f.Source == want.ID && f.Promise == promise(n, want) })
	if i < 0 {
		return store.File{}, false
	}
	return have[i], true
}

// filesOf are a letter's files as the reader wants them, with what is to be said of those that are missing or differ.
func filesOf(n srikandi.Naskah, have []store.File) (files []letter.File, findings []letter.Finding) {
	missing := len(n.Attachments) > maxFiles
	var differ []string
	for _, want := range wanted(n) {
		f, ok := archived(have, n, want)
		if !ok {
			missing = true
			continue
		}
		files = append(files, letter.File{Name: f.Name, MIME: f.MIME, Data: f.Data})
		if want.Size > 0 && f.Size != want.Size || want.SHA256 != "" && hex.EncodeToString(f.SHA256) != want.SHA256 {
			differ = append(differ, want.Name)
		}
	}
	if missing {
		findings = append(findings, letter.Finding{Code: "attachment-missing", Severity: letter.Warning,
			Detail: "Ada lampiran yang tidak dapat diambil dari Srikandi; periksa di sana."})
	}
	if len(differ) > 0 {
		findings = append(findings, letter.Finding{Code: "attachment-differs", Severity: letter.Warning,
			Detail: "Isi lampiran berbeda dari ukuran atau sidik yang tercatat di Srikandi: " + strings.Join(differ, ", ") + "."})
	}
	return files, findings
}
