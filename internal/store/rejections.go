package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// Rejection is what came and could not become a letter: a malformed row from Srikandi, a forged token. Its bytes are kept for a human.
type Rejection struct {
	ID     int64
	Agency string
	At     time.Time
	What   string // a sentence, without content
	Source string // where it came from, with the id there if it has one
}

// Rejections lists what was rejected, the newest 500; of all agencies if the key is empty.
func (s *Store) Rejections(ctx context.Context, agencyKey string) ([]Rejection, error) {
	rows, err := s.Pool.Query(ctx, `SELECT id, agency, at, what, source FROM rejections WHERE $1 IN ('', agency) ORDER BY id DESC LIMIT 500`, agencyKey)
	if err != nil {
		return nil, fmt.Errorf("listing what was rejected: %w", err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Rejection])
	if err != nil {
		return nil, fmt.Errorf("listing what was rejected: %w", err)
	}
	for i, r := range list { // the rest tells rows of one source apart
		list[i].Source = r.Source[:max(0, strings.LastIndexByte(r.Source, '/'))]
	}
	return list, nil
}

// RejectedRaw returns the bytes as they came.
func (s *Store) RejectedRaw(ctx context.Context, id int64) ([]byte, error) {
	var source string
	var sealed []byte
	err := s.Pool.QueryRow(ctx, `SELECT source, raw FROM rejections WHERE id = $1`, id).Scan(&source, &sealed)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, fmt.Errorf("rejection %d: %w", id, ErrNotFound)
	} else if err != nil {
		return nil, fmt.Errorf("reading rejection %d: %w", id, err)
	}
	return s.Keys.Open("rejections:"+source+":raw", sealed)
}
