package store

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"pulih/internal/agency"
	"pulih/internal/request"
)

// Mark changes whenever something of an agency changed that its pages show: requests, letters, complaints.
func (s *Store) Mark(ctx context.Context, agencyKey string) (string, error) {
	var mark string
	err := s.Pool.QueryRow(ctx, `SELECT coalesce((SELECT last FROM chains WHERE agency = $1), 0)::text || '-' ||
		coalesce((SELECT max(id) FROM letters WHERE agency = $1), 0)::text || '-' ||
		(SELECT count(*) FROM letters WHERE agency = $1 AND (state = 'quarantined' OR kind IN ('unclear', 'other-certificate-service')))::text`, agencyKey).Scan(&mark)
	if err != nil {
		return "", fmt.Errorf("reading the mark of %s: %w", agencyKey, err)
	}
	return mark, nil
}

// Search lists an agency's requests, open and closed, that match a text: a number, a letter's number, a whole NIP, or a part of the
// applicant's or office's name. The newest come first.
func (s *Store) Search(ctx context.Context, agencyKey, text string, most int) ([]Request, error) {
	text = strings.TrimSpace(text)
	var nip []byte
	if d := agency.Digits(text); len(d) == 18 {
		nip = s.Keys.Lookup("nip", d)
	}
	pattern := "%" + strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(strings.ToLower(text)) + "%"
	return s.requests(ctx, `WHERE agency = $1 AND (nip_key = $2 OR lower(number) LIKE $3 OR lower(applicant) LIKE $3 OR lower(office) LIKE $3
		OR lower(letter_number) LIKE $3 OR office_id = lower($5)) ORDER BY closed_at IS NOT NULL, opened_at DESC, number LIMIT $4`,
		agencyKey, nip, pattern, most, text)
}

// ClosedRequests lists an agency's last ended requests, the newest first.
func (s *Store) ClosedRequests(ctx context.Context, agencyKey string, most int) ([]Request, error) {
	return s.requests(ctx, `WHERE agency = $1 AND closed_at IS NOT NULL ORDER BY closed_at DESC, number LIMIT $2`, agencyKey, most)
}

// States folds several requests at once, by number.
func (s *Store) States(ctx context.Context, numbers []string) (map[string]request.State, error) {
	rows, err := s.Pool.Query(ctx, `SELECT number, version, agency, chain, kind, at, seen, body, previous, hash FROM events
		WHERE number = ANY($1) ORDER BY number, version`, numbers)
	if err != nil {
		return nil, fmt.Errorf("reading events: %w", err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[eventRow])
	if err != nil {
		return nil, fmt.Errorf("reading events: %w", err)
	}
	events := map[string][]request.Event{}
	for _, r := range list {
		e, err := s.openEvent(r)
		if err != nil {
			return nil, err
		}
		events[r.Number] = append(events[r.Number], e)
	}
	out := make(map[string]request.State, len(events))
	for number, list := range events {
		out[number] = request.Fold(number, list)
	}
	return out, nil
}
