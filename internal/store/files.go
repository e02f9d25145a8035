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
	Data    []byte // nil from FileList
}

// Files returns the attachments of a letter with their bytes, also those of earlier versions of the letter.
func (s *Store) Files(ctx context.Context, letterID int64) ([]File, error) {
	list, err := s.FileList(ctx, letterID)
	if err != nil {
		return nil, err
	}
	for i := range list {
		if list[i].Data, err = s.fileData(ctx, letterID, list[i]); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// FileList is Files without the bytes.
func (s *Store) FileList(ctx context.Context, letterID int64) ([]File, error) {
	rows, err := s.Pool.Query(ctx, `SELECT id, source, name, mime, promise, sha256, size, NULL::bytea FROM files WHERE letter_id = $1 ORDER BY id`, letterID)
	if err != nil {
		return nil, fmt.Errorf("listing the files of letter %d: %w", letterID, err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[File])
	if err != nil {
		return nil, fmt.Errorf("listing the files of letter %d: %w", letterID, err)
	}
	return list, nil
}

// fileData opens a file's bytes, and holds them against the sum that was taken when they came: chunks can't be left out.
func (s *Store) fileData(ctx context.Context, letterID int64, f File) ([]byte, error) {
	var sealed []byte
	var upload *int64
	if err := s.Pool.QueryRow(ctx, `SELECT content, upload FROM files WHERE id = $1`, f.ID).Scan(&sealed, &upload); err != nil {
		return nil, fmt.Errorf("reading a file of letter %d: %w", letterID, err)
	}
	if upload == nil {
		return s.Keys.Open(filePlace(letterID, f.Source, f.SHA256), sealed)
	}
	rows, err := s.Pool.Query(ctx, `SELECT n, content FROM file_chunks WHERE upload = $1 ORDER BY n`, *upload)
	if err != nil {
		return nil, fmt.Errorf("reading a file of letter %d: %w", letterID, err)
	}
	defer rows.Close()
	data := make([]byte, 0, f.Size)
	for rows.Next() {
		var n int
		if err := rows.Scan(&n, &sealed); err != nil {
			return nil, fmt.Errorf("reading a file of letter %d: %w", letterID, err)
		}
		plain, err := s.Keys.Open(chunkPlace(*upload, n), sealed)
		if err != nil {
			return nil, err
		}
		data = append(data, plain...)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("reading a file of letter %d: %w", letterID, err)
	}
	if sum := sha256.Sum256(data); string(sum[:]) != string(f.SHA256) {
		return nil, fmt.Errorf("file %d of letter %d is not what was kept", f.ID, letterID)
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
	d := &Download{File: f, s: s, ctx: ctx, sum: sha256.New()}
	err := fetch(d)
	if err == nil && d.chunks > 0 {
		err = d.flush()
	}
	if err != nil && d.chunks > 0 {
		_, undo := s.Pool.Exec(context.WithoutCancel(ctx), `DELETE FROM file_chunks WHERE upload = $1`, d.upload)
		err = errors.Join(err, undo)
	}
	if err != nil {
		return nil, err
	}
	d.SHA256 = d.sum.Sum(nil)
	return d, nil
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
	for _, d := range files {
		var content []byte
		var upload *int64
		if d.chunks > 0 {
			upload = &d.upload
		} else {
			content = tx.s.Keys.Seal(filePlace(letterID, d.Source, d.SHA256), append([]byte{}, d.buf...))
		}
		batch.Queue(`INSERT INTO files (letter_id, source, name, mime, promise, size, sha256, content, upload)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
			ON CONFLICT (letter_id, source, sha256) DO UPDATE SET promise = $5, name = $3, mime = $4`,
			letterID, d.Source, d.Name, d.MIME, d.Promise, d.Size, d.SHA256, content, upload)
	}
	if err := tx.SendBatch(tx.ctx, batch).Close(); err != nil {
		return fmt.Errorf("keeping the files of letter %d: %w", letterID, err)
	}
	return nil
}

// SweepChunks drops the parts of downloads that a crash broke off, or whose content was there. A download lasts minutes, never a day.
func (s *Store) SweepChunks(ctx context.Context) error {
	_, err := s.Pool.Exec(ctx, `DELETE FROM file_chunks c WHERE kept_at < now() - interval '1 day' AND NOT EXISTS (SELECT FROM files f WHERE f.upload = c.upload)`)
	if err != nil {
		return fmt.Errorf("dropping broken downloads: %w", err)
	}
	return nil
}
