package store

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"pulih/internal/letter"
)

// Letter is a row of the archive without its bytes.
type Letter struct {
	ID          int64
	Agency      string
	Channel     string // mail or srikandi
	Source      string // srikandi: its id there
	Version     int
	Size        int64
	ReceivedAt  time.Time
	SeenAt      time.Time
	ChangedAt   *time.Time
	MessageID   string
	DuplicateOf int64
	HeadersOnly bool
	State       string // stored, read, quarantined
	Kind        letter.Kind
	ReadVersion int
	Attempts    int
	Problem     string
	GoneAt      *time.Time
}

const letterColumns = `id, agency, channel, source, version, size, received_at, seen_at, changed_at, coalesce(message_id, ''),
	coalesce(duplicate_of, 0), headers_only, state, coalesce(kind, ''), coalesce(read_version, 0), attempts, coalesce(problem, ''), gone_at`

func rawPlace(agencyKey, channel, source string, version int) string {
	return fmt.Sprintf("letters:%s/%s/%s/%d:raw", agencyKey, channel, source, version)
}

// Letter returns a letter, or ErrNotFound.
func (s *Store) Letter(ctx context.Context, id int64) (Letter, error) {
	list, err := s.letters(ctx, `WHERE id = $1`, id)
	if err == nil && len(list) == 0 {
		err = fmt.Errorf("letter %d: %w", id, ErrNotFound)
	}
	if err != nil {
		return Letter{}, err
	}
	return list[0], nil
}

// LettersOf lists the letters of a request, the first first.
func (s *Store) LettersOf(ctx context.Context, number string) ([]Letter, error) {
	return s.letters(ctx, `WHERE id IN (SELECT letter_id FROM request_letters WHERE number = $1) ORDER BY id`, number)
}

// Attention lists an agency's letters that need a human: unclear ones, other services' and those in quarantine, without those that became
// a request or a complaint.
func (s *Store) Attention(ctx context.Context, agencyKey string) ([]Letter, error) {
	return s.letters(ctx, `WHERE agency = $1 AND `+undecided+` ORDER BY received_at DESC LIMIT 500`, agencyKey)
}

// undecided letters need a human.
const undecided = `(state = 'quarantined' OR kind IN ('unclear', 'other-certificate-service'))
	AND NOT EXISTS (SELECT FROM request_letters r WHERE r.letter_id = letters.id)
	AND NOT EXISTS (SELECT FROM complaint_letters c WHERE c.letter_id = letters.id)`

// Quarantined lists the letters that could not be read, of all agencies.
func (s *Store) Quarantined(ctx context.Context) ([]Letter, error) {
	return s.letters(ctx, `WHERE state = 'quarantined' ORDER BY id`)
}

// LetterBySource finds a letter by its id at the source.
func (s *Store) LetterBySource(ctx context.Context, agencyKey, channel, source string) (Letter, bool, error) {
	list, err := s.letters(ctx, `WHERE agency = $1 AND channel = $2 AND source = $3`, agencyKey, channel, source)
	if err != nil || len(list) == 0 {
		return Letter{}, false, err
	}
	return list[0], true, nil
}

func (s *Store) letters(ctx context.Context, where string, args ...any) ([]Letter, error) {
	rows, err := s.Pool.Query(ctx, `SELECT `+letterColumns+` FROM letters `+where, args...)
	if err != nil {
		return nil, fmt.Errorf("reading letters: %w", err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Letter])
	if err != nil {
		return nil, fmt.Errorf("reading letters: %w", err)
	}
	return list, nil
}

// Raw returns a letter's bytes as they came: the mail, or Srikandi's JSON.
func (s *Store) Raw(ctx context.Context, id int64) ([]byte, error) {
	var agencyKey, channel, source string
	var version int
	var sealed []byte
	err := s.Pool.QueryRow(ctx, `SELECT agency, channel, source, version, raw FROM letters WHERE id = $1`, id).
		Scan(&agencyKey, &channel, &source, &version, &sealed)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, fmt.Errorf("letter %d: %w", id, ErrNotFound)
	} else if err != nil {
		return nil, fmt.Errorf("reading letter %d: %w", id, err)
	}
	return s.Keys.Open(rawPlace(agencyKey, channel, source, version), sealed)
}

// Refuse keeps what can't become a letter, for the operator: a malformed row, a forged token. The same from one source again changes nothing;
// it answers whether it is new.
func (tx *Tx) Refuse(agencyKey, what, source string, raw []byte) (fresh bool, err error) {
	sum := sha256.Sum256(raw)
	name := fmt.Sprintf("%s/%x", source, sum[:8])
	tag, err := tx.Exec(tx.ctx, `INSERT INTO rejections (agency, at, what, source, raw) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING`,
		agencyKey, tx.now, what, name, tx.s.Keys.Seal("rejections:"+name+":raw", raw))
	if err != nil {
		return false, fmt.Errorf("keeping a refused row of %s: %w", agencyKey, err)
	}
	return tag.RowsAffected() > 0, nil
}

// ErrChanged means that a letter has changed since it was loaded: there is a job for its new version.
var ErrChanged = errors.New("the letter has changed meanwhile")

// MarkRead writes what was found in a letter, and locks its row for the rest of the transaction. Version is the one that was read: of a letter
// that has changed since, nothing is written, and the answer is ErrChanged, so that an old reading never undoes a newer one.
func (tx *Tx) MarkRead(letterID int64, version int, kind letter.Kind, reading letter.Reading) error {
	sealed, err := tx.s.sealReading(letterID, version, reading)
	if err != nil {
		return err
	}
	tag, err := tx.Exec(tx.ctx, `UPDATE letters SET state = 'read', kind = $3, reading = $4, read_version = $2, problem = NULL
		WHERE id = $1 AND version = $2`, letterID, version, kind, sealed)
	if err == nil && tag.RowsAffected() == 0 {
		err = ErrChanged
	}
	if err != nil {
		return fmt.Errorf("marking letter %d read: %w", letterID, err)
	}
	return nil
}

// SetKind changes a letter's kind by hand.
func (tx *Tx) SetKind(letterID int64, kind letter.Kind) error {
	_, err := tx.Exec(tx.ctx, `UPDATE letters SET kind = $2, state = 'read', problem = NULL WHERE id = $1`, letterID, kind)
	if err != nil {
		return fmt.Errorf("setting the kind of letter %d: %w", letterID, err)
	}
	return nil
}

// Reading returns what was found in a letter; ErrNotFound if it wasn't read yet.
func (s *Store) Reading(ctx context.Context, letterID int64) (letter.Reading, error) {
	return s.reading(ctx, s.Pool, letterID)
}

func (s *Store) reading(ctx context.Context, q querier, letterID int64) (out letter.Reading, err error) {
	var version *int
	var sealed []byte
	err = q.QueryRow(ctx, `SELECT read_version, reading FROM letters WHERE id = $1`, letterID).Scan(&version, &sealed)
	if errors.Is(err, pgx.ErrNoRows) || (err == nil && version == nil) {
		return out, fmt.Errorf("reading of letter %d: %w", letterID, ErrNotFound)
	} else if err != nil {
		return out, fmt.Errorf("loading the reading of letter %d: %w", letterID, err)
	}
	plain, err := s.Keys.Open(fmt.Sprintf("letters:%d/%d:reading", letterID, *version), sealed)
	if err != nil {
		return out, err
	}
	if err := json.Unmarshal(plain, &out); err != nil {
		return out, fmt.Errorf("loading the reading of letter %d: %w", letterID, err)
	}
	return out, nil
}

// Attempt takes up a version of a letter to be read, with its bytes for OpenRaw: ErrNotFound when it was read, or has changed. The try is counted
// before it is made: a crash while reading counts too.
func (s *Store) Attempt(ctx context.Context, letterID int64, version int) (l Letter, sealed []byte, err error) {
	type row struct {
		Letter
		Raw []byte
	}
	rows, err := s.Pool.Query(ctx, `UPDATE letters SET attempts = attempts + 1 WHERE id = $1 AND version = $2 AND state = 'stored'
		RETURNING `+letterColumns+`, raw`, letterID, version)
	if err != nil {
		return l, nil, fmt.Errorf("taking letter %d up: %w", letterID, err)
	}
	r, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByPos[row])
	if errors.Is(err, pgx.ErrNoRows) {
		err = ErrNotFound
	}
	if err != nil {
		return l, nil, fmt.Errorf("taking letter %d up: %w", letterID, err)
	}
	return r.Letter, r.Raw, nil
}

// Spare takes a try back: the letter was opened without harm, and what ends the daemon from here on says nothing against it.
func (s *Store) Spare(ctx context.Context, l Letter) error {
	_, err := s.Pool.Exec(ctx, `UPDATE letters SET attempts = greatest(attempts - 1, 0) WHERE id = $1 AND version = $2 AND state = 'stored'`, l.ID, l.Version)
	if err != nil {
		return fmt.Errorf("taking a try of letter %d back: %w", l.ID, err)
	}
	return nil
}

// OpenRaw unseals a letter's bytes.
func (s *Store) OpenRaw(l Letter, sealed []byte) ([]byte, error) {
	return s.Keys.Open(rawPlace(l.Agency, l.Channel, l.Source, l.Version), sealed)
}

// Quarantine sets a letter aside that can't be read, with the reason in words for the operator.
func (tx *Tx) Quarantine(letterID int64, problem string) error {
	_, err := tx.Exec(tx.ctx, `UPDATE letters SET state = 'quarantined', problem = $2 WHERE id = $1`, letterID, problem)
	if err != nil {
		return fmt.Errorf("putting letter %d in quarantine: %w", letterID, err)
	}
	return nil
}

// RetryLetter takes a letter out of quarantine to be read again.
func (s *Store) RetryLetter(ctx context.Context, letterID int64, now time.Time) error {
	return s.InTx(ctx, now, func(tx *Tx) error {
		var version int
		err := tx.QueryRow(ctx, `UPDATE letters SET state = 'stored', attempts = 0, problem = NULL WHERE id = $1 AND state = 'quarantined'
			RETURNING version`, letterID).Scan(&version)
		if errors.Is(err, pgx.ErrNoRows) {
			return fmt.Errorf("letter %d in quarantine: %w", letterID, ErrNotFound)
		} else if err != nil {
			return fmt.Errorf("releasing letter %d: %w", letterID, err)
		}
		return tx.Enqueue(ReadLetter{LetterID: letterID, Version: version}, nil)
	})
}

// NumbersOfLetter lists the requests that a letter belongs to, as this transaction sees them.
func (tx *Tx) NumbersOfLetter(letterID int64) ([]string, error) {
	return tx.numbers(`SELECT number FROM request_letters WHERE letter_id = $1 ORDER BY number`, letterID)
}

// NumbersOfRegistered lists the requests of the letter from the mail that we registered in Srikandi under an id.
func (tx *Tx) NumbersOfRegistered(agencyKey, srikandiID string) ([]string, error) {
	return tx.numbers(`SELECT number FROM request_letters WHERE letter_id IN (SELECT letter_id FROM registrations WHERE agency = $1 AND srikandi_id = $2)
		ORDER BY number`, agencyKey, srikandiID)
}

func (tx *Tx) numbers(sql string, args ...any) ([]string, error) {
	rows, err := tx.Query(tx.ctx, sql, args...)
	if err != nil {
		return nil, fmt.Errorf("reading a letter's requests: %w", err)
	}
	return pgx.CollectRows(rows, pgx.RowTo[string])
}
