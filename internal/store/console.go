package store

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// This file keeps who is at the desk: visits, the links that begin them, and the audit log. Secrets are kept as their SHA-256: they have
// 256 bits of their own, so nobody guesses them from it.

// Visit is a person's session at the desk.
type Visit struct {
	ID      int64
	Agency  string
	Person  string // agency.Person.ID
	Strong  bool   // a passkey was shown
	Vouched bool   // begun by an invitation from the operator's machine
	Browser string // what the browser calls itself, in short
	BegunAt time.Time
	UsedAt  time.Time
	EndsAt  time.Time
}

// How long a visit may last: without a click, and altogether.
const (
	VisitIdle = 2 * time.Hour
	VisitMost = 12 * time.Hour
)

const visitColumns = `id, agency, person, strong, vouched, browser, begun_at, used_at, ends_at`

// BeginVisit starts a visit under a fresh secret, and forgets those that have ended.
func (s *Store) BeginVisit(ctx context.Context, secret string, v Visit, now time.Time) error {
	return s.InTx(ctx, now, func(tx *Tx) error { return tx.beginVisit(secret, v) })
}

func (tx *Tx) beginVisit(secret string, v Visit) error {
	_, err := tx.Exec(tx.ctx, `DELETE FROM visits WHERE ends_at <= $1 OR used_at <= $2`, tx.now, tx.now.Add(-VisitIdle))
	if err == nil {
		_, err = tx.Exec(tx.ctx, `INSERT INTO visits (token, agency, person, strong, vouched, browser, begun_at, used_at, ends_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $7, $8)`, digest(secret), v.Agency, v.Person, v.Strong, v.Vouched, v.Browser, tx.now, tx.now.Add(VisitMost))
	}
	if err != nil {
		return fmt.Errorf("beginning a visit: %w", err)
	}
	return nil
}

// Visit returns the live visit of a secret and notes that it is in use; false when there is none.
func (s *Store) Visit(ctx context.Context, secret string, now time.Time) (Visit, bool, error) {
	rows, err := s.Pool.Query(ctx, `SELECT `+visitColumns+` FROM visits WHERE token = $1 AND ends_at > $2 AND used_at > $3`,
		digest(secret), now, now.Add(-VisitIdle))
	if err != nil {
		return Visit{}, false, fmt.Errorf("looking for a visit: %w", err)
	}
	v, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByPos[Visit])
	if errors.Is(err, pgx.ErrNoRows) {
		return Visit{}, false, nil
	} else if err != nil {
		return Visit{}, false, fmt.Errorf("looking for a visit: %w", err)
	}
	if now.Sub(v.UsedAt) > time.Minute { // not a write for each click
		if _, err := s.Pool.Exec(ctx, `UPDATE visits SET used_at = $2 WHERE id = $1`, v.ID, now); err != nil {
			return v, false, fmt.Errorf("noting a visit: %w", err)
		}
	}
	return v, true, nil
}

// Visits lists an agency's live visits, of one person or, with an empty one, of all.
func (s *Store) Visits(ctx context.Context, agencyKey, person string, now time.Time) ([]Visit, error) {
	rows, err := s.Pool.Query(ctx, `SELECT `+visitColumns+` FROM visits WHERE agency = $1 AND ($2 = '' OR person = $2) AND ends_at > $3 AND used_at > $4
		ORDER BY used_at DESC, id DESC`, agencyKey, person, now, now.Add(-VisitIdle))
	if err != nil {
		return nil, fmt.Errorf("listing visits: %w", err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Visit])
	if err != nil {
		return nil, fmt.Errorf("listing visits: %w", err)
	}
	return list, nil
}

// EndVisit ends a visit of an agency; one of a certain person unless that is empty. ErrNotFound when there is none.
func (s *Store) EndVisit(ctx context.Context, agencyKey, person string, id int64) error {
	tag, err := s.Pool.Exec(ctx, `DELETE FROM visits WHERE agency = $1 AND ($2 = '' OR person = $2) AND id = $3`, agencyKey, person, id)
	if err != nil {
		return fmt.Errorf("ending a visit: %w", err)
	}
	if tag.RowsAffected() == 0 {
		return fmt.Errorf("visit %d: %w", id, ErrNotFound)
	}
	return nil
}

// StrengthenVisit replaces a visit's secret after a passkey was shown: a secret from before is worth nothing after (session fixation).
func (s *Store) StrengthenVisit(ctx context.Context, id int64, secret string, now time.Time) error {
	_, err := s.Pool.Exec(ctx, `UPDATE visits SET token = $2, strong = true, used_at = $3 WHERE id = $1`, id, digest(secret), now)
	if err != nil {
		return fmt.Errorf("strengthening a visit: %w", err)
	}
	return nil
}

func digest(secret string) []byte {
	sum := sha256.Sum256([]byte(secret))
	return sum[:]
}

// Audited is one line of the audit log.
type Audited struct {
	ID     int64
	Agency string
	At     time.Time
	Person string
	Action string
	Target string
	Detail []byte // sealed
}

// Audit writes a line into the audit log. Target holds no personal data; detail is sealed and may be empty.
func (tx *Tx) Audit(agencyKey, person, action, target, detail string) error {
	var plain []byte
	if detail != "" {
		plain = []byte(detail)
	}
	_, err := tx.Exec(tx.ctx, `INSERT INTO audit (agency, at, person, action, target, detail) VALUES ($1, $2, $3, $4, $5, $6)`,
		agencyKey, tx.now, person, action, target, tx.s.Keys.Seal(auditPlace(agencyKey, target), plain))
	if err != nil {
		return fmt.Errorf("writing the audit log: %w", err)
	}
	return nil
}

func auditPlace(agencyKey, target string) string {
	return "audit:" + agencyKey + "/" + target + ":detail"
}

// AuditLog lists an agency's last lines, the newest first; about one target unless that is empty. Details are opened.
func (s *Store) AuditLog(ctx context.Context, agencyKey, target string, most int) ([]Audited, error) {
	rows, err := s.Pool.Query(ctx, `SELECT id, agency, at, person, action, target, detail FROM audit WHERE agency = $1 AND ($2 = '' OR target = $2)
		ORDER BY id DESC LIMIT $3`, agencyKey, target, most)
	if err != nil {
		return nil, fmt.Errorf("reading the audit log: %w", err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Audited])
	if err != nil {
		return nil, fmt.Errorf("reading the audit log: %w", err)
	}
	for i, a := range list {
		if list[i].Detail, err = s.Keys.Open(auditPlace(a.Agency, a.Target), a.Detail); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// DidLately reports whether a person did something to a target since an instant, by the audit log.
func (s *Store) DidLately(ctx context.Context, agencyKey, person, action, target string, since time.Time) (did bool, err error) {
	err = s.Pool.QueryRow(ctx, `SELECT EXISTS (SELECT FROM audit WHERE agency = $1 AND person = $2 AND action = $3 AND target = $4 AND at > $5)`,
		agencyKey, person, action, target, since).Scan(&did)
	if err != nil {
		return false, fmt.Errorf("reading the audit log: %w", err)
	}
	return did, nil
}
