package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
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
	Promise string // what the letter said of it: see KeepFile
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
const chunk = 1 << 20

// KeepFile archives what fetch writes, chunk by chunk, so that no file is whole in memory; the same content again changes nothing. After an
// error of fetch, or a crash, nothing of it is kept. Promise is what the letter says of the file: the file is known again by it.
func (s *Store) KeepFile(ctx context.Context, letterID int64, f File, fetch func(io.Writer) error) error {
	w := &fileWriter{s: s, ctx: ctx, sum: sha256.New()}
	err := fetch(w)
	if err == nil {
		err = w.finish(letterID, f)
	}
	if err != nil && w.chunks > 0 {
		_, undo := s.Pool.Exec(context.WithoutCancel(ctx), `DELETE FROM file_chunks WHERE upload = $1`, w.upload)
		return errors.Join(err, undo)
	}
	return err
}

type fileWriter struct {
	s      *Store
	ctx    context.Context
	sum    hash.Hash
	size   int64
	buf    []byte
	upload int64
	chunks int
}

func (w *fileWriter) Write(p []byte) (int, error) {
	w.sum.Write(p)
	w.size += int64(len(p))
	for rest := p; len(rest) > 0; {
		if len(w.buf) == chunk {
			if err := w.flush(); err != nil {
				return 0, err
			}
		}
		n := min(chunk-len(w.buf), len(rest))
		w.buf = append(w.buf, rest[:n]...)
		rest = rest[n:]
	}
	return len(p), nil
}

// flush seals and stores what is held.
func (w *fileWriter) flush() error {
	if w.chunks == 0 {
		if err := w.s.Pool.QueryRow(w.ctx, `SELECT nextval('uploads')`).Scan(&w.upload); err != nil {
			return fmt.Errorf("beginning to keep a file: %w", err)
		}
	}
	w.chunks++
	_, err := w.s.Pool.Exec(w.ctx, `INSERT INTO file_chunks (upload, n, content) VALUES ($1, $2, $3)`, w.upload, w.chunks,
		w.s.Keys.Seal(chunkPlace(w.upload, w.chunks), w.buf))
	if err != nil {
		return fmt.Errorf("keeping a part of a file: %w", err)
	}
	w.buf = w.buf[:0]
	return nil
}

func (w *fileWriter) finish(letterID int64, f File) error {
	sum := w.sum.Sum(nil)
	var content []byte
	var upload *int64
	if w.chunks == 0 {
		content = w.s.Keys.Seal(filePlace(letterID, f.Source, sum), append([]byte{}, w.buf...))
	} else if err := w.flush(); err != nil {
		return err
	} else {
		upload = &w.upload
	}
	var kept *int64
	err := w.s.Pool.QueryRow(w.ctx, `INSERT INTO files (letter_id, source, name, mime, promise, size, sha256, content, upload)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
		ON CONFLICT (letter_id, source, sha256) DO UPDATE SET promise = $5, name = $3, mime = $4 RETURNING upload`,
		letterID, f.Source, f.Name, f.MIME, f.Promise, w.size, sum, content, upload).Scan(&kept)
	if err == nil && upload != nil && (kept == nil || *kept != *upload) { // that content was there
		_, err = w.s.Pool.Exec(w.ctx, `DELETE FROM file_chunks WHERE upload = $1`, w.upload)
	}
	if err != nil {
		return fmt.Errorf("keeping file %s of letter %d: %w", hex.EncodeToString(sum[:4]), letterID, err)
	}
	return nil
}

// SweepChunks drops the parts of downloads that a crash broke off. An upload lasts minutes, never a day.
func (s *Store) SweepChunks(ctx context.Context) error {
	_, err := s.Pool.Exec(ctx, `DELETE FROM file_chunks c WHERE kept_at < now() - interval '1 day' AND NOT EXISTS (SELECT FROM files f WHERE f.upload = c.upload)`)
	if err != nil {
		return fmt.Errorf("dropping broken downloads: %w", err)
	}
	return nil
}
