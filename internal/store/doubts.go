package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"pulih/internal/agency"
	"pulih/internal/request"
)

// Doubt is a letter that may be a request that is there already: a human looks at both and says Join or Apart. Until then the letter waits.
type Doubt struct {
	ID        int64
	Agency    string
	LetterID  int64
	Number    string // the request that it may belong to
	Why       string // one sentence
	AskedAt   time.Time
	Verdict   Verdict // empty while it is open
	SettledBy string
	SettledAt *time.Time
}

// Verdict is a human's word on a doubt.
type Verdict string

// The verdicts.
const (
	Join  Verdict = "join"  // the letter belongs to that request
	Apart Verdict = "apart" // it doesn't
)

const doubtColumns = `id, agency, letter_id, number, why, asked_at, coalesce(verdict, ''), coalesce(settled_by, ''), settled_at`

// Doubts lists an agency's open doubts, oldest first.
func (s *Store) Doubts(ctx context.Context, agencyKey string) ([]Doubt, error) {
	return s.doubts(ctx, s.Pool, `WHERE agency = $1 AND verdict IS NULL ORDER BY id`, agencyKey)
}

// Doubt returns one, or ErrNotFound.
func (s *Store) Doubt(ctx context.Context, id int64) (Doubt, error) {
	list, err := s.doubts(ctx, s.Pool, `WHERE id = $1`, id)
	if err == nil && len(list) == 0 {
		err = fmt.Errorf("doubt %d: %w", id, ErrNotFound)
	}
	if err != nil {
		return Doubt{}, err
	}
	return list[0], nil
}

// DoubtsOf lists the open doubts about a letter.
func (s *Store) DoubtsOf(ctx context.Context, letterID int64) ([]Doubt, error) {
	return s.doubts(ctx, s.Pool, `WHERE letter_id = $1 AND verdict IS NULL ORDER BY id`, letterID)
}

// Doubted reports that there is or was a doubt about a letter.
func (s *Store) Doubted(ctx context.Context, letterID int64) (yes bool, err error) {
	if err := s.Pool.QueryRow(ctx, `SELECT EXISTS (SELECT FROM doubts WHERE letter_id = $1)`, letterID).Scan(&yes); err != nil {
		return false, fmt.Errorf("looking for doubts about letter %d: %w", letterID, err)
	}
	return yes, nil
}

func (s *Store) doubts(ctx context.Context, q querier, where string, args ...any) ([]Doubt, error) {
	rows, err := q.Query(ctx, `SELECT `+doubtColumns+` FROM doubts `+where, args...)
	if err != nil {
		return nil, fmt.Errorf("reading doubts: %w", err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Doubt])
	if err != nil {
		return nil, fmt.Errorf("reading doubts: %w", err)
	}
	return list, nil
}

// SettleDoubt takes a human's word on a doubt, and has the letter read again with it. Join settles the letter's other doubts about the same
// applicant too. Of a doubt that is settled already it answers ErrNotFound.
func (s *Store) SettleDoubt(ctx context.Context, id int64, v Verdict, by string, now time.Time) error {
	if v != Join && v != Apart {
		return fmt.Errorf("settling doubt %d: unknown verdict %q", id, v)
	}
	return s.InTx(ctx, now, func(tx *Tx) error {
		var letterID int64
		var who []byte
		err := tx.QueryRow(ctx, `UPDATE doubts SET verdict = $2, settled_by = $3, settled_at = $4 WHERE id = $1 AND verdict IS NULL RETURNING letter_id, who`,
			id, v, by, now).Scan(&letterID, &who)
		if errors.Is(err, pgx.ErrNoRows) {
			return fmt.Errorf("open doubt %d: %w", id, ErrNotFound)
		}
		if err == nil && v == Join {
			_, err = tx.Exec(ctx, `UPDATE doubts SET verdict = 'apart', settled_by = $3, settled_at = $4 WHERE letter_id = $1 AND who = $2 AND verdict IS NULL`,
				letterID, who, by, now)
		}
		if err != nil {
			return fmt.Errorf("settling doubt %d: %w", id, err)
		}
		return tx.ReadAgain(letterID)
	})
}

// Who is the mark of an applicant of a letter, for doubts.
func (k *Keys) Who(nip, name string) []byte {
	if d := agency.Digits(nip); d != "" {
		return k.Lookup("doubt", d)
	}
	return k.Lookup("doubt", agency.FoldName(name)+"\x00")
}

// DoubtsAbout lists all doubts that there ever were about an applicant of a letter.
func (tx *Tx) DoubtsAbout(letterID int64, who []byte) ([]Doubt, error) {
	return tx.s.doubts(tx.ctx, tx, `WHERE letter_id = $1 AND who = $2 ORDER BY id`, letterID, who)
}

// AskDoubt asks a human; it answers the doubt's id, and 0 if it was asked before.
func (tx *Tx) AskDoubt(agencyKey string, letterID int64, who []byte, number, why string) (id int64, err error) {
	err = tx.QueryRow(tx.ctx, `INSERT INTO doubts (agency, letter_id, who, number, why, asked_at) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT DO NOTHING RETURNING id`, agencyKey, letterID, who, number, why, tx.now).Scan(&id)
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, nil
	} else if err != nil {
		return 0, fmt.Errorf("asking about letter %d: %w", letterID, err)
	}
	return id, nil
}

// Known finds the request that has any of the keys of LetterKeys.
func (tx *Tx) Known(agencyKey string, keys [][]byte) (number string, ok bool, err error) {
	if _, _, err := tx.lockChain(agencyKey); err != nil {
		return "", false, err
	}
	err = tx.QueryRow(tx.ctx, `SELECT number FROM request_keys WHERE agency = $1 AND key = ANY($2) ORDER BY number LIMIT 1`, agencyKey, keys).Scan(&number)
	if errors.Is(err, pgx.ErrNoRows) {
		return "", false, nil
	} else if err != nil {
		return "", false, fmt.Errorf("looking for a letter's request: %w", err)
	}
	return number, true, nil
}

// Alike folds the requests that a letter could be another copy of: those opened at or after a time for the same applicant, by NIP or name, or
// from a letter with the same number. The newest 20.
func (tx *Tx) Alike(agencyKey, nip, name, letterNumber string, since time.Time) ([]request.State, error) {
	numbers, err := tx.numbers(`SELECT number FROM requests WHERE opened_at >= $5 AND number IN (
			SELECT number FROM requests WHERE agency = $1 AND nip_key = $2
			UNION SELECT number FROM requests WHERE agency = $1 AND applicant_fold = $3 AND $3 <> ''
			UNION SELECT number FROM requests WHERE agency = $1 AND number_fold = $4 AND $4 <> '') ORDER BY opened_at DESC LIMIT 20`,
		agencyKey, tx.s.Keys.Lookup("nip", agency.Digits(nip)), agency.FoldName(name), agency.FoldNumber(letterNumber), since)
	if err != nil {
		return nil, err
	}
	var out []request.State
	for _, number := range numbers {
		events, err := tx.s.events(tx.ctx, tx, number)
		if err != nil {
			return nil, err
		}
		out = append(out, request.Fold(number, events))
	}
	return out, nil
}

// JoinLetter adds a letter, or a new edition of one, to a request; the letter is known by the keys from now on. Papers says that it brings what
// a returned request waits for.
func (tx *Tx) JoinLetter(a *agency.Agency, number string, keys [][]byte, cmd request.Join, papers bool) (request.State, error) {
	s, err := tx.Act(a, number, cmd)
	if err == nil && papers && s.Status == request.StatusReturned {
		s, err = tx.Act(a, number, request.Complete{By: request.System, Letter: &cmd.Letter})
	}
	if err != nil {
		return s, err
	}
	return s, tx.keepKeys(a.Key, number, keys)
}

func (tx *Tx) keepKeys(agencyKey, number string, keys [][]byte) error {
	for _, key := range keys {
		if _, err := tx.Exec(tx.ctx, `INSERT INTO request_keys (agency, key, number) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`, agencyKey, key, number); err != nil {
			return fmt.Errorf("keeping the keys of %s: %w", number, err)
		}
	}
	return nil
}
