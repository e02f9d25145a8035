package store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"pulih/internal/request"
)

// Naskah is a letter from Srikandi as it is to be kept.
type Naskah struct {
	ID         string // there
	Raw        []byte // JSON
	ReceivedAt time.Time
	ChangedAt  time.Time // updated_at
	Settled    bool      // it may be known again by ChangedAt
	Files      bool      // it has attachments, which are fetched before it is read
	// Taken are all of its attachments, where they came with it. They are kept if the letter is new.
	Taken []*Download
}

// SaveNaskah keeps letters from Srikandi: new rows, new versions of changed ones, and nothing more than that it was seen where the bytes are
// those that the row has. The job that fetches its files, or reads it, is inserted with it. It answers how many were written.
func (tx *Tx) SaveNaskah(agencyKey string, list []Naskah) (written int, err error) {
	have, err := tx.lockNaskah(agencyKey, list)
	if err != nil {
		return 0, err
	}
	batch, files := &pgx.Batch{}, &pgx.Batch{}
	var jobs []river.InsertManyParams
	read := func(id int64, version int, n Naskah) {
		written++
		taken := version == 1 && len(n.Taken) > 0
		if taken {
			tx.queueFiles(files, id, n.Taken)
		}
		if n.Files && !taken {
			jobs = append(jobs, river.InsertManyParams{Args: FetchFiles{LetterID: id, Version: version}})
		} else {
			jobs = append(jobs, river.InsertManyParams{Args: ReadLetter{LetterID: id, Version: version}})
		}
	}
	for _, n := range list {
		sum := sha256.Sum256(n.Raw)
		old, ok := have[n.ID]
		switch {
		case !ok:
			batch.Queue(`INSERT INTO letters (agency, channel, source, version, sha256, size, raw, received_at, seen_at, changed_at, settled, asked_at)
				VALUES ($1, 'srikandi', $2, 1, $3, $4, $5, $6, $7, $8, $9, $7)
				ON CONFLICT (agency, channel, source) DO NOTHING RETURNING id`,
				agencyKey, n.ID, sum[:], len(n.Raw), tx.s.Keys.Seal(rawPlace(agencyKey, "srikandi", n.ID, 1), n.Raw), n.ReceivedAt, tx.now, n.ChangedAt,
				n.Settled).QueryRow(func(row pgx.Row) error {
				var id int64
				err := row.Scan(&id)
				if errors.Is(err, pgx.ErrNoRows) {
					return nil // another daemon was faster
				}
				if err == nil {
					read(id, 1, n)
				}
				return err
			})
		case bytes.Equal(old.sum, sum[:]):
			batch.Queue(`UPDATE letters SET settled = settled OR $2, asked_at = $3 WHERE id = $1`, old.id, n.Settled, tx.now)
		default:
			batch.Queue(`INSERT INTO letter_versions (letter_id, version, raw, seen_at) SELECT id, version, raw, $2 FROM letters WHERE id = $1`, old.id, tx.now)
			batch.Queue(`UPDATE letters SET version = $2, sha256 = $3, size = $4, raw = $5, changed_at = $6, settled = $7, asked_at = $8,
				state = 'stored', attempts = 0 WHERE id = $1`, old.id, old.version+1, sum[:], len(n.Raw),
				tx.s.Keys.Seal(rawPlace(agencyKey, "srikandi", n.ID, old.version+1), n.Raw), n.ChangedAt, n.Settled, tx.now)
			read(old.id, old.version+1, n)
		}
	}
	err = tx.SendBatch(tx.ctx, batch).Close()
	if err == nil && files.Len() > 0 {
		err = tx.SendBatch(tx.ctx, files).Close()
	}
	if err != nil {
		return 0, fmt.Errorf("keeping %d letters of %s: %w", len(list), agencyKey, err)
	}
	if len(jobs) > 0 {
		if _, err := tx.s.jobs.InsertManyFastTx(tx.ctx, tx.Tx, jobs); err != nil {
			return 0, fmt.Errorf("queueing %d letters of %s: %w", len(jobs), agencyKey, err)
		}
	}
	return written, nil
}

type naskahRow struct {
	id      int64
	version int
	sum     []byte
}

// lockNaskah locks the rows of letters, in the order of their ids: whoever reads one of them waits, or is waited for.
func (tx *Tx) lockNaskah(agencyKey string, list []Naskah) (map[string]naskahRow, error) {
	ids := make([]string, len(list))
	for i, n := range list {
		ids[i] = n.ID
	}
	rows, err := tx.Query(tx.ctx, `SELECT source, id, version, sha256 FROM letters WHERE agency = $1 AND channel = 'srikandi' AND source = ANY($2)
		ORDER BY id FOR NO KEY UPDATE`, agencyKey, ids)
	if err != nil {
		return nil, fmt.Errorf("locking letters of %s: %w", agencyKey, err)
	}
	have := map[string]naskahRow{}
	var source string
	var r naskahRow
	_, err = pgx.ForEachRow(rows, []any{&source, &r.id, &r.version, &r.sum}, func() error {
		have[source] = naskahRow{r.id, r.version, bytes.Clone(r.sum)}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("locking letters of %s: %w", agencyKey, err)
	}
	return have, nil
}

// NaskahStamps tells when the given letters were last changed in Srikandi, as far as they are stored, settled and not gone.
func (s *Store) NaskahStamps(ctx context.Context, agencyKey string, ids []string) (map[string]time.Time, error) {
	rows, err := s.Pool.Query(ctx, `SELECT source, changed_at FROM letters
		WHERE agency = $1 AND channel = 'srikandi' AND source = ANY($2) AND changed_at IS NOT NULL AND settled AND gone_at IS NULL`, agencyKey, ids)
	if err != nil {
		return nil, fmt.Errorf("reading the stamps of letters: %w", err)
	}
	out := map[string]time.Time{}
	var id string
	var at time.Time
	_, err = pgx.ForEachRow(rows, []any{&id, &at}, func() error { out[id] = at; return nil })
	if err != nil {
		return nil, fmt.Errorf("reading the stamps of letters: %w", err)
	}
	return out, nil
}

// lookedAt is how many letters of open requests one poll asks for again.
const lookedAt = 25

// NaskahDue lists letters to ask Srikandi for by themselves: those owed whose time has come, at most 100, and of the open requests, where a
// deleted letter shows nowhere else, the 25 that nobody asked for longest: every so often before the reset, once a day after it, and hourly one
// that wasn't there, for a gateway may have erred.
func (s *Store) NaskahDue(ctx context.Context, agencyKey string, now time.Time, every time.Duration) ([]string, error) {
	rows, err := s.Pool.Query(ctx, `(SELECT srikandi_id FROM owed_letters WHERE agency = $1 AND next_at <= $2 ORDER BY next_at LIMIT 100)
		UNION ALL (SELECT l.source FROM letters l JOIN request_letters rl ON rl.letter_id = l.id JOIN requests r ON r.number = rl.number
			WHERE r.agency = $1 AND r.closed_at IS NULL AND l.channel = 'srikandi'
			AND coalesce(l.asked_at, l.seen_at) <= $2::timestamptz - CASE WHEN r.reset_at IS NOT NULL THEN interval '1 day'
				WHEN l.gone_at IS NULL THEN $3::interval ELSE interval '1 hour' END
			AND NOT EXISTS (SELECT FROM owed_letters o WHERE o.agency = l.agency AND o.srikandi_id = l.source)
			GROUP BY l.id ORDER BY coalesce(l.asked_at, l.seen_at), l.id LIMIT $4)`, agencyKey, now, every, lookedAt)
	if err != nil {
		return nil, fmt.Errorf("looking for letters to ask for: %w", err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, fmt.Errorf("looking for letters to ask for: %w", err)
	}
	return list, nil
}

// Owe notes a letter that is in Srikandi and couldn't be had, with what came instead. It is asked for again after 5 minutes, 10, 20, ... up
// to 6 hours. It answers true once, when it has been tried so often that a human should know.
func (tx *Tx) Owe(agencyKey, srikandiID, reason string, raw []byte) (tell bool, err error) {
	const patience = 4 // tries: 75 minutes
	if raw == nil {
		raw = []byte{}
	}
	sealed := tx.s.Keys.Seal(owedPlace(agencyKey, srikandiID), raw)
	err = tx.QueryRow(tx.ctx, `INSERT INTO owed_letters AS o (agency, srikandi_id, raw, reason, since, next_at)
		VALUES ($1, $2, $3, $4, $5, $5::timestamptz + interval '5 minutes')
		ON CONFLICT (agency, srikandi_id) DO UPDATE SET raw = $3, reason = $4, tries = o.tries + 1,
			next_at = $5::timestamptz + least(interval '6 hours', interval '5 minutes' * power(2, least(o.tries + 1, 10)))
		RETURNING tries >= $6 AND NOT told`, agencyKey, srikandiID, sealed, reason, tx.now, patience).Scan(&tell)
	if err == nil && tell {
		_, err = tx.Exec(tx.ctx, `UPDATE owed_letters SET told = true WHERE agency = $1 AND srikandi_id = $2`, agencyKey, srikandiID)
	}
	if err != nil {
		return false, fmt.Errorf("noting that letter %s of %s is owed: %w", srikandiID, agencyKey, err)
	}
	return tell, nil
}

func owedPlace(agencyKey, id string) string { return "owed_letters:" + agencyKey + "/" + id + ":raw" }

// AskNow makes letters due that Srikandi has and the archive lacks.
func (tx *Tx) AskNow(agencyKey string, ids []string) error {
	for _, id := range ids {
		_, err := tx.Exec(tx.ctx, `INSERT INTO owed_letters (agency, srikandi_id, raw, reason, since, next_at) VALUES ($1, $2, $3, 'reconcile', $4, $4)
			ON CONFLICT (agency, srikandi_id) DO UPDATE SET next_at = $4`, agencyKey, id, tx.s.Keys.Seal(owedPlace(agencyKey, id), []byte{}), tx.now)
		if err != nil {
			return fmt.Errorf("asking for letter %s of %s: %w", id, agencyKey, err)
		}
	}
	return nil
}

// Paid notes that letters came, or are gone: nothing is owed, and what was refused of them is no longer news.
func (tx *Tx) Paid(agencyKey string, ids []string) error {
	rows, err := tx.Query(tx.ctx, `DELETE FROM owed_letters WHERE agency = $1 AND srikandi_id = ANY($2) RETURNING srikandi_id`, agencyKey, ids)
	if err != nil {
		return fmt.Errorf("settling what %s owes: %w", agencyKey, err)
	}
	paid, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return fmt.Errorf("settling what %s owes: %w", agencyKey, err)
	}
	for _, id := range paid {
		if _, err := tx.Exec(tx.ctx, `DELETE FROM rejections WHERE agency = $1 AND starts_with(source, $2)`, agencyKey, OwedSource(id)+"/"); err != nil {
			return fmt.Errorf("settling what %s owes: %w", agencyKey, err)
		}
	}
	return nil
}

// OwedSource names a letter among the rejections.
func OwedSource(srikandiID string) string { return "srikandi " + srikandiID }

// NaskahAsRead returns the bytes of the version of a letter that was read last; nil when none was.
func (s *Store) NaskahAsRead(ctx context.Context, l Letter) ([]byte, error) {
	if l.ReadVersion == 0 {
		return nil, nil
	}
	if l.ReadVersion == l.Version {
		return s.Raw(ctx, l.ID)
	}
	var sealed []byte
	err := s.Pool.QueryRow(ctx, `SELECT raw FROM letter_versions WHERE letter_id = $1 AND version = $2`, l.ID, l.ReadVersion).Scan(&sealed)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	} else if err != nil {
		return nil, fmt.Errorf("reading an earlier version of letter %d: %w", l.ID, err)
	}
	return s.Keys.Open(rawPlace(l.Agency, l.Channel, l.Source, l.ReadVersion), sealed)
}

// LetterRequest is a letter with a request that hangs on it.
type LetterRequest struct {
	LetterID int64
	Number   string
}

// MarkGone notes that letters were removed at their source, and answers the requests that hang on those that were there until now.
func (tx *Tx) MarkGone(agencyKey string, srikandiIDs []string) ([]LetterRequest, error) {
	return tx.letterRequests("marking letters as gone", `WITH gone AS (SELECT id, gone_at IS NULL AS news FROM letters
			WHERE agency = $1 AND channel = 'srikandi' AND source = ANY($2) ORDER BY id FOR NO KEY UPDATE),
			marked AS (UPDATE letters SET gone_at = coalesce(gone_at, $3), asked_at = $3 WHERE id IN (SELECT id FROM gone) RETURNING id)
		SELECT rl.letter_id, rl.number FROM marked JOIN gone g USING (id) JOIN request_letters rl ON rl.letter_id = g.id
		WHERE g.news ORDER BY rl.letter_id, rl.number`, agencyKey, srikandiIDs, tx.now)
}

// MarkBack notes that letters are there which may have been removed, and answers the requests of those that were.
func (tx *Tx) MarkBack(agencyKey string, srikandiIDs []string) ([]LetterRequest, error) {
	return tx.letterRequests("marking letters as there", `WITH gone AS (SELECT id FROM letters
			WHERE agency = $1 AND channel = 'srikandi' AND source = ANY($2) AND gone_at IS NOT NULL ORDER BY id FOR NO KEY UPDATE),
			back AS (UPDATE letters SET gone_at = NULL WHERE id IN (SELECT id FROM gone) RETURNING id)
		SELECT rl.letter_id, rl.number FROM back b JOIN request_letters rl ON rl.letter_id = b.id ORDER BY rl.letter_id, rl.number`, agencyKey, srikandiIDs)
}

func (tx *Tx) letterRequests(doing, sql string, args ...any) ([]LetterRequest, error) {
	rows, err := tx.Query(tx.ctx, sql, args...)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", doing, err)
	}
	hit, err := pgx.CollectRows(rows, pgx.RowToStructByPos[LetterRequest])
	if err != nil {
		return nil, fmt.Errorf("%s: %w", doing, err)
	}
	return hit, nil
}

// IsGone reports that a letter is no longer there at its source, as this transaction sees it.
func (tx *Tx) IsGone(letterID int64) (gone bool, err error) {
	if err := tx.QueryRow(tx.ctx, `SELECT gone_at IS NOT NULL FROM letters WHERE id = $1`, letterID).Scan(&gone); err != nil {
		return false, fmt.Errorf("looking whether letter %d is there: %w", letterID, err)
	}
	return gone, nil
}

// State folds a request as this transaction sees it.
func (tx *Tx) State(number string) (request.State, error) {
	events, err := tx.s.events(tx.ctx, tx, number)
	if err == nil && len(events) == 0 {
		err = fmt.Errorf("request %s: %w", number, ErrNotFound)
	}
	if err != nil {
		return request.State{}, err
	}
	return request.Fold(number, events), nil
}

// ReadAgain queues a letter for reading, because what is known about it has changed.
func (tx *Tx) ReadAgain(letterID int64) error {
	var version int
	if err := tx.QueryRow(tx.ctx, `UPDATE letters SET state = 'stored', attempts = 0 WHERE id = $1 RETURNING version`, letterID).Scan(&version); err != nil {
		return fmt.Errorf("queueing letter %d again: %w", letterID, err)
	}
	return tx.Enqueue(ReadLetter{LetterID: letterID, Version: version}, nil)
}

// ReviveUnread gives letters that have waited unread for an hour a new job where they have none: theirs was given up. It answers how many.
func (s *Store) ReviveUnread(ctx context.Context, agencyKey string, now time.Time) (n int, err error) {
	err = s.InTx(ctx, now, func(tx *Tx) error {
		rows, err := tx.Query(ctx, `SELECT id, version FROM letters WHERE agency = $1 AND state = 'stored' AND seen_at < $2::timestamptz - interval '1 hour'
			AND id NOT IN (SELECT (args->>'letter_id')::bigint FROM river_job WHERE kind IN ('read_letter', 'fetch_files')
				AND state = ANY($3::river_job_state[])) ORDER BY id LIMIT 50`, agencyKey, now, unfinished())
		if err != nil {
			return fmt.Errorf("looking for forgotten letters of %s: %w", agencyKey, err)
		}
		jobs, err := pgx.CollectRows(rows, pgx.RowToStructByPos[FetchFiles])
		if err != nil {
			return fmt.Errorf("looking for forgotten letters of %s: %w", agencyKey, err)
		}
		for _, args := range jobs {
			if err := tx.Enqueue(args, nil); err != nil {
				return err
			}
		}
		n = len(jobs)
		return nil
	})
	return n, err
}

func unfinished() []string {
	var out []string
	for _, s := range Unfinished {
		out = append(out, string(s))
	}
	return out
}

// wake makes waiting jobs due. A locked one is being changed by River, which locks many in an order of its own: it is left alone.
const wake = `UPDATE river_job SET state = 'available', scheduled_at = now() WHERE id IN (SELECT id FROM river_job WHERE state = $1 AND `

// WakeSource lets the jobs that wait for Srikandi run at once: it works again, or an operator has looked.
func (s *Store) WakeSource(ctx context.Context) error {
	_, err := s.Pool.Exec(ctx, wake+`kind IN ('poll_gateway', 'fetch_files', 'write_follow_up', 'register_letter') FOR UPDATE SKIP LOCKED)`, rivertype.JobStateScheduled)
	if err != nil {
		return fmt.Errorf("waking the jobs for Srikandi: %w", err)
	}
	return nil
}

// WakeFollowUp lets the next follow-up of a letter go: the one before it is settled.
func (s *Store) WakeFollowUp(ctx context.Context, agencyKey, srikandiID string) error {
	_, err := s.Pool.Exec(ctx, wake+`kind = 'write_follow_up'
		AND args @> (SELECT jsonb_build_object('follow_up_id', min(id)) FROM follow_ups WHERE agency = $2 AND srikandi_id = $3 AND state = 'waiting')
		FOR UPDATE SKIP LOCKED)`, rivertype.JobStateScheduled, agencyKey, srikandiID)
	if err != nil {
		return fmt.Errorf("waking the next follow-up: %w", err)
	}
	return nil
}

// Archived is a letter of Srikandi as the archive has it.
type Archived struct {
	ID        string
	ChangedAt time.Time
	Gone      bool
}

// ArchivedSince lists an agency's letters from Srikandi that were changed there at or after a time.
func (s *Store) ArchivedSince(ctx context.Context, agencyKey string, since time.Time) ([]Archived, error) {
	rows, err := s.Pool.Query(ctx, `SELECT source, changed_at, gone_at IS NOT NULL FROM letters
		WHERE agency = $1 AND channel = 'srikandi' AND changed_at >= $2 ORDER BY changed_at, source`, agencyKey, since)
	if err != nil {
		return nil, fmt.Errorf("listing the letters of %s: %w", agencyKey, err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Archived])
	if err != nil {
		return nil, fmt.Errorf("listing the letters of %s: %w", agencyKey, err)
	}
	return list, nil
}

// ArchivedIDs tells which of these letters the archive has, and as of when.
func (s *Store) ArchivedIDs(ctx context.Context, agencyKey string, ids []string) (map[string]Archived, error) {
	rows, err := s.Pool.Query(ctx, `SELECT source, changed_at, gone_at IS NOT NULL FROM letters
		WHERE agency = $1 AND channel = 'srikandi' AND source = ANY($2)`, agencyKey, ids)
	if err != nil {
		return nil, fmt.Errorf("looking letters of %s up: %w", agencyKey, err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Archived])
	if err != nil {
		return nil, fmt.Errorf("looking letters of %s up: %w", agencyKey, err)
	}
	out := map[string]Archived{}
	for _, a := range list {
		out[a.ID] = a
	}
	return out, nil
}
