package store

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"

	"github.com/jackc/pgx/v5"
)

// File is an attachment from Srikandi in the archive.
type File struct {
	ID      int64
	Source  string // its id there
	Name    string
	MIME    string
	Promise string // what the letter said of it: the file is known again by it
	SHA256  []byte // of the bytes as they came
	Size    int64
	Data    []byte `db:"-"` // nil from FileList
}

// Files returns the attachments of a letter with their bytes, also those of earlier versions of the letter.
func (s *Store) Files(ctx context.Context, letterID int64) ([]File, error) {
	rows, err := s.Pool.Query(ctx, `SELECT `+fileColumns+`, content, upload FROM files WHERE letter_id = $1 ORDER BY id`, letterID)
	if err != nil {
		return nil, fmt.Errorf("reading the files of letter %d: %w", letterID, err)
	}
	type row struct {
		File
		Content []byte
		Upload  *int64
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[row])
	if err != nil {
		return nil, fmt.Errorf("reading the files of letter %d: %w", letterID, err)
	}
	out := make([]File, len(list))
	for i, r := range list {
		if r.Upload != nil {
			r.Data, err = s.chunks(ctx, *r.Upload, r.File)
		} else {
			r.Data, err = s.Keys.Open(filePlace(letterID, r.Source, r.SHA256), r.Content)
		}
		if err != nil {
			return nil, fmt.Errorf("reading file %d of letter %d: %w", r.ID, letterID, err)
		}
		out[i] = r.File
	}
	return out, nil
}

const fileColumns = `id, source, name, mime, promise, sha256, size`

// FileList is Files without the bytes.
func (s *Store) FileList(ctx context.Context, letterID int64) ([]File, error) {
	rows, err := s.Pool.Query(ctx, `SELECT `+fileColumns+` FROM files WHERE letter_id = $1 ORDER BY id`, letterID)
	if err != nil {
		return nil, fmt.Errorf("listing the files of letter %d: %w", letterID, err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[File])
	if err != nil {
		return nil, fmt.Errorf("listing the files of letter %d: %w", letterID, err)
	}
	return list, nil
}

// chunks opens a file that lies in parts, and holds it against the sum that was taken when it came: parts can't be left out.
func (s *Store) chunks(ctx context.Context, upload int64, f File) ([]byte, error) {
	rows, err := s.Pool.Query(ctx, `SELECT n, content FROM file_chunks WHERE upload = $1 ORDER BY n`, upload)
	if err != nil {
		return nil, err
	}
	data := make([]byte, 0, f.Size)
	var n int
	var sealed []byte
	_, err = pgx.ForEachRow(rows, []any{&n, &sealed}, func() error {
		plain, err := s.Keys.Open(chunkPlace(upload, n), sealed)
		data = append(data, plain...)
		return err
	})
	if err != nil {
		return nil, err
	}
	if sum := sha256.Sum256(data); string(sum[:]) != string(f.SHA256) {
		return nil, errors.New("it is not what was kept")
	}
	return data, nil
}

func filePlace(letterID int64, source string, sum []byte) string {
	return fmt.Sprintf("files:%d/%s/%x:content", letterID, source, sum)
}

func chunkPlace(upload int64, n int) string {
	return fmt.Sprintf("file_chunks:%d/%d:content", upload, n)
}

// chunk is how much of a file is held in memory and sealed at a time, in bytes.
const chunk = 256 << 10

// Download is a file on its way into the archive: at most a chunk of it is in memory, the rest is sealed in the database, where nobody sees it
// until KeepFiles.
type Download struct {
	File
	s      *Store
	ctx    context.Context
	sum    hash.Hash
	buf    []byte
	upload int64
	chunks int
}

// Download takes in what fetch writes. After an error of fetch, or a crash, nothing of it is kept.
func (s *Store) Download(ctx context.Context, f File, fetch func(io.Writer) error) (*Download, error) {
	d := &Download{File: f, s: s, ctx: ctx, sum: sha256.New(), buf: []byte{}}
	err := fetch(d)
	if err == nil && d.chunks > 0 {
		err = d.flush()
	}
	if err != nil {
		return nil, errors.Join(err, d.Drop())
	}
	d.SHA256 = d.sum.Sum(nil)
	return d, nil
}

// Drop takes back a download that isn't kept.
func (d *Download) Drop() error {
	if d.chunks == 0 {
		return nil
	}
	if _, err := d.s.Pool.Exec(context.WithoutCancel(d.ctx), `DELETE FROM file_chunks WHERE upload = $1`, d.upload); err != nil {
		return fmt.Errorf("dropping a download: %w", err)
	}
	return nil
}

// Write implements io.Writer.
func (d *Download) Write(p []byte) (int, error) {
	d.sum.Write(p)
	d.Size += int64(len(p))
	for rest := p; len(rest) > 0; {
		if len(d.buf) == chunk {
			if err := d.flush(); err != nil {
				return 0, err
			}
		}
		n := min(chunk-len(d.buf), len(rest))
		d.buf = append(d.buf, rest[:n]...)
		rest = rest[n:]
	}
	return len(p), nil
}

// flush seals and stores what is held.
func (d *Download) flush() error {
	if d.chunks == 0 {
		if err := d.s.Pool.QueryRow(d.ctx, `SELECT nextval('uploads')`).Scan(&d.upload); err != nil {
			return fmt.Errorf("beginning to keep a file: %w", err)
		}
	}
	d.chunks++
	_, err := d.s.Pool.Exec(d.ctx, `INSERT INTO file_chunks (upload, n, content) VALUES ($1, $2, $3)`, d.upload, d.chunks,
		d.s.Keys.Seal(chunkPlace(d.upload, d.chunks), d.buf))
	if err != nil {
		return fmt.Errorf("keeping a part of a file: %w", err)
	}
	d.buf = d.buf[:0]
	return nil
}

// KeepFiles archives downloads of a letter; the same content again changes nothing. The transaction isn't waited for on the disk: the job
// that makes it is done only in a later one that is, and a log that is cut behind neither has the job made again.
func (tx *Tx) KeepFiles(letterID int64, files []*Download) error {
	batch := &pgx.Batch{}
	batch.Queue(`SET LOCAL synchronous_commit = off`)
	tx.queueFiles(batch, letterID, files)
	if err := tx.SendBatch(tx.ctx, batch).Close(); err != nil {
		return fmt.Errorf("keeping the files of letter %d: %w", letterID, err)
	}
	return nil
}

func (tx *Tx) queueFiles(batch *pgx.Batch, letterID int64, files []*Download) {
	for _, d := range files {
		var content []byte
		var upload *int64
		if d.chunks > 0 {
			upload = &d.upload
		} else {
			content = tx.s.Keys.Seal(filePlace(letterID, d.Source, d.SHA256), d.buf)
		}
		batch.Queue(`INSERT INTO files (letter_id, source, name, mime, promise, size, sha256, content, upload)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
			ON CONFLICT (letter_id, source, sha256) DO UPDATE SET promise = $5, name = $3, mime = $4`,
			letterID, d.Source, d.Name, d.MIME, d.Promise, d.Size, d.SHA256, content, upload)
	}
}

// SweepChunks drops the parts of downloads that a crash broke off, or whose content was there. A download lasts minutes, never a day.
func (s *Store) SweepChunks(ctx context.Context) error {
	_, err := s.Pool.Exec(ctx, `DELETE FROM file_chunks c WHERE kept_at < now() - interval '1 day' AND NOT EXISTS (SELECT FROM files f WHERE f.upload = c.upload)`)
	if err != nil {
		return fmt.Errorf("dropping broken downloads: %w", err)
	}
	return nil
}
