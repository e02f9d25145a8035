package store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"pulih/internal/agency"
	"pulih/internal/request"
)

// lockChain takes the agency's place at the end of its chain of hashes. All writers of one agency queue here, so that a request's events
// are always decided on its newest state.
func (tx *Tx) lockChain(agencyKey string) (last int64, hash []byte, err error) {
	if end, mine := tx.ends[agencyKey]; mine { // locked already: nobody else moves it
		return end.last, end.hash, nil
	}
	take := func() error {
		return tx.QueryRow(tx.ctx, `SELECT last, hash FROM chains WHERE agency = $1 FOR UPDATE`, agencyKey).Scan(&last, &hash)
	}
	if err = take(); errors.Is(err, pgx.ErrNoRows) { // the agency's first event
		if _, err = tx.Exec(tx.ctx, `INSERT INTO chains (agency, last, hash) VALUES ($1, 0, '') ON CONFLICT DO NOTHING`, agencyKey); err == nil {
			err = take()
		}
	}
	if err != nil {
		return 0, nil, fmt.Errorf("locking the events of %s: %w", agencyKey, err)
	}
	tx.ends[agencyKey] = chainEnd{last, hash}
	return last, hash, nil
}

// chainEnd is the place and the hash of an agency's last event.
type chainEnd struct {
	last int64
	hash []byte
}

// fact is an event of a request or a complaint on its way into the chain.
type fact struct {
	kind     string
	at, seen time.Time
	body     any // the event itself
}

func (tx *Tx) appendEvents(agencyKey, number string, from int, events []request.Event) error {
	facts := make([]fact, len(events))
	for i, e := range events {
		facts[i] = fact{kind: string(e.Kind), at: e.At, seen: e.Seen, body: e}
	}
	return tx.appendFacts(agencyKey, number, from, facts)
}

// appendFacts writes events behind version from and moves the chain's end.
func (tx *Tx) appendFacts(agencyKey, number string, from int, events []fact) error {
	last, previous, err := tx.lockChain(agencyKey)
	if err != nil {
		return err
	}
	batch := &pgx.Batch{}
	for i, e := range events {
		version := from + i + 1
		plain, err := json.Marshal(e.body)
		if err != nil {
			return fmt.Errorf("writing event %s of %s: %w", e.kind, number, err)
		}
		// Postgres keeps microseconds: the hash must be made of what will be read back.
		row := eventRow{Number: number, Version: version, Agency: agencyKey, Chain: last + int64(i) + 1, Kind: e.kind,
			At: e.at.UTC().Truncate(time.Microsecond), Seen: e.seen.UTC().Truncate(time.Microsecond), Previous: previous}
		row.Body = tx.s.Keys.Seal(row.place(), plain)
		row.Hash = row.sum()
		previous = row.Hash
		batch.Queue(`INSERT INTO events (number, version, agency, chain, kind, at, seen, body, previous, hash)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
			row.Number, row.Version, row.Agency, row.Chain, row.Kind, row.At, row.Seen, row.Body, row.Previous, row.Hash)
	}
	batch.Queue(`UPDATE chains SET last = $2, hash = $3 WHERE agency = $1`, agencyKey, last+int64(len(events)), previous)
	if err := tx.SendBatch(tx.ctx, batch).Close(); err != nil {
		return fmt.Errorf("writing %d events of %s: %w", len(events), number, err)
	}
	tx.ends[agencyKey] = chainEnd{last + int64(len(events)), previous}
	return nil
}

type eventRow struct {
	Number   string
	Version  int
	Agency   string
	Chain    int64
	Kind     string
	At       time.Time
	Seen     time.Time
	Body     []byte
	Previous []byte
	Hash     []byte
}

func (r eventRow) place() string { return fmt.Sprintf("events:%s/%d:body", r.Number, r.Version) }

// sum covers everything that the row says, and the row before it.
func (r eventRow) sum() []byte {
	h := sha256.New()
	for _, part := range [][]byte{r.Previous, []byte(r.Agency), []byte(r.Number), []byte(r.Kind), r.Body} {
		h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(part))))
		h.Write(part)
	}
	for _, n := range []int64{r.Chain, int64(r.Version), r.At.UnixMicro(), r.Seen.UnixMicro()} {
		h.Write(binary.BigEndian.AppendUint64(nil, uint64(n)))
	}
	return h.Sum(nil)
}

type querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

// Events returns the events of a request, oldest first; none for a number that isn't there.
func (s *Store) Events(ctx context.Context, number string) ([]request.Event, error) {
	return s.events(ctx, s.Pool, number)
}

const eventColumns = `e.number, e.version, e.agency, e.chain, e.kind, e.at, e.seen, e.body, e.previous, e.hash`

// eventRows reads a request's events, or a complaint's: the number of one is never taken for the other's.
func eventRows(ctx context.Context, q querier, number string, complaint bool) ([]eventRow, error) {
	if IsComplaint(number) != complaint {
		return nil, nil
	}
	rows, err := q.Query(ctx, `SELECT `+eventColumns+` FROM events e WHERE number = $1 ORDER BY version`, number)
	if err != nil {
		return nil, fmt.Errorf("reading the events of %s: %w", number, err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[eventRow])
	if err != nil {
		return nil, fmt.Errorf("reading the events of %s: %w", number, err)
	}
	return list, nil
}

func (s *Store) events(ctx context.Context, q querier, number string) ([]request.Event, error) {
	list, err := eventRows(ctx, q, number, false)
	if err != nil {
		return nil, err
	}
	return s.openEvents(list)
}

func (s *Store) openEvents(list []eventRow) (_ []request.Event, err error) {
	out := make([]request.Event, len(list))
	for i, r := range list {
		if out[i], err = s.openEvent(r); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (s *Store) openEvent(r eventRow) (request.Event, error) { return openEventAs[request.Event](s, r) }

func openEventAs[E any](s *Store, r eventRow) (e E, err error) {
	plain, err := s.Keys.Open(r.place(), r.Body)
	if err != nil {
		return e, err
	}
	if err := json.Unmarshal(plain, &e); err != nil {
		return e, fmt.Errorf("reading event %d of %s: %w", r.Version, r.Number, err)
	}
	return e, nil
}

// State folds the events of a request; ErrNotFound when it has none.
func (s *Store) State(ctx context.Context, number string) (request.State, error) {
	events, err := s.Events(ctx, number)
	if err == nil && len(events) == 0 {
		err = fmt.Errorf("request %s: %w", number, ErrNotFound)
	}
	if err != nil {
		return request.State{}, err
	}
	return request.Fold(number, events), nil
}

// ErrChainBroken means that an event was changed, removed or added behind the software's back.
var ErrChainBroken = errors.New("the chain of events is broken")

// VerifyChain goes through all events of an agency and compares each with its hash and the one before. Others may write meanwhile.
func (s *Store) VerifyChain(ctx context.Context, agencyKey string) (events int64, err error) {
	snapshot := pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}
	err = pgx.BeginTxFunc(ctx, s.Pool, snapshot, func(tx pgx.Tx) error {
		events, err = verifyChain(ctx, tx, agencyKey)
		return err
	})
	return events, err
}

func verifyChain(ctx context.Context, tx pgx.Tx, agencyKey string) (events int64, err error) {
	rows, err := tx.Query(ctx, `SELECT number, version, agency, chain, kind, at, seen, body, previous, hash FROM events
		WHERE agency = $1 ORDER BY chain`, agencyKey)
	if err != nil {
		return 0, fmt.Errorf("reading the events of %s: %w", agencyKey, err)
	}
	defer rows.Close()
	previous := []byte{}
	for rows.Next() {
		r, err := pgx.RowToStructByPos[eventRow](rows)
		if err != nil {
			return events, fmt.Errorf("reading the events of %s: %w", agencyKey, err)
		}
		events++
		if r.Chain != events || !bytes.Equal(r.Previous, previous) || !bytes.Equal(r.Hash, r.sum()) {
			return events, fmt.Errorf("%w at event %d of %s, %s", ErrChainBroken, r.Version, r.Number, r.Kind)
		}
		previous = r.Hash
	}
	if err := rows.Err(); err != nil {
		return events, fmt.Errorf("reading the events of %s: %w", agencyKey, err)
	}
	var last int64
	var hash []byte
	err = tx.QueryRow(ctx, `SELECT last, hash FROM chains WHERE agency = $1`, agencyKey).Scan(&last, &hash)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return events, fmt.Errorf("reading the chain's end of %s: %w", agencyKey, err)
	}
	if last != events || !bytes.Equal(hash, previous) {
		return events, fmt.Errorf("%w at its end: %d events, %d expected", ErrChainBroken, events, last)
	}
	return events, nil
}

// Act carries out commands on a request that exists.
func (tx *Tx) Act(a *agency.Agency, number string, cmds ...request.Command) (request.State, error) {
	st, err := tx.load(a, number)
	if err != nil {
		return request.State{}, err
	}
	return tx.actOn(a, st, cmds)
}

// load folds a request as it will stay until this transaction ends.
func (tx *Tx) load(a *agency.Agency, number string) (request.State, error) {
	if _, _, err := tx.lockChain(a.Key); err != nil {
		return request.State{}, err
	}
	rows, err := eventRows(tx.ctx, tx, number, false)
	if err != nil {
		return request.State{}, err
	}
	if len(rows) == 0 || rows[0].Agency != a.Key {
		return request.State{}, fmt.Errorf("request %s: %w", number, ErrNotFound)
	}
	events, err := tx.s.openEvents(rows)
	if err != nil {
		return request.State{}, err
	}
	return tx.recounted(a, request.Fold(number, events))
}

func (tx *Tx) actOn(a *agency.Agency, s request.State, cmds []request.Command) (request.State, error) {
	for _, cmd := range cmds {
		cmd, err := tx.informed(a, s, cmd)
		if err != nil {
			return s, err
		}
		events, effects, err := request.Decide(s, cmd, a, tx.now)
		if err != nil {
			return s, err
		}
		if len(events) == 0 && len(effects) == 0 {
			continue
		}
		if len(events) > 0 {
			if err := tx.appendEvents(a.Key, s.Number, s.Version, events); err != nil {
				return s, err
			}
		}
		s = s.With(events)
		if err := tx.effects(a, s, effects); err != nil {
			return s, err
		}
	}
	return s, tx.project(a, s)
}

// News is an event with its place in the agency's chain.
type News struct {
	Chain  int64
	Number string
	Event  request.Event
}

// EventsAfter lists at most 200 events of an agency behind a place in its chain, oldest first.
func (s *Store) EventsAfter(ctx context.Context, agencyKey string, chain int64) ([]News, error) {
	rows, err := s.Pool.Query(ctx, `SELECT number, version, agency, chain, kind, at, seen, body, previous, hash FROM events
		WHERE agency = $1 AND chain > $2 ORDER BY chain LIMIT 200`, agencyKey, chain)
	if err != nil {
		return nil, fmt.Errorf("reading the news of %s: %w", agencyKey, err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[eventRow])
	if err != nil {
		return nil, fmt.Errorf("reading the news of %s: %w", agencyKey, err)
	}
	out := make([]News, len(list))
	for i, r := range list {
		out[i] = News{Chain: r.Chain, Number: r.Number}
		if out[i].Event, err = s.openEvent(r); err != nil {
			return nil, err
		}
	}
	return out, nil
}
