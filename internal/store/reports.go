package store

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"pulih/internal/agency"
	"pulih/internal/report"
	"pulih/internal/request"
)

// This file keeps what reports read: the measures of requests, the outages of the partners, and counts.

// measure writes the row that reports count, beside the projection that pages query.
func measure(batch *pgx.Batch, a *agency.Agency, st request.State) error {
	r, err := report.Measure(st, a)
	if err != nil {
		return fmt.Errorf("measuring %s: %w", st.Number, err)
	}
	batch.Queue(`INSERT INTO measures (number, agency, office_id, opened_at, closed_at, rejected, decided, sop, used)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
		ON CONFLICT (number) DO UPDATE SET (office_id, opened_at, closed_at, rejected, decided, sop, used)
		= (excluded.office_id, excluded.opened_at, excluded.closed_at, excluded.rejected, excluded.decided, excluded.sop, excluded.used)`,
		r.Number, a.Key, r.OfficeID, micro(r.OpenedAt), optional(r.ClosedAt), r.Rejected, r.Decided, r.SOP, r.Used)
	return nil
}

// sameMeasure reports whether the stored measures of a request are those that follow from its events.
func (tx *Tx) sameMeasure(a *agency.Agency, st request.State) (bool, error) {
	want, err := report.Measure(st, a)
	if err != nil {
		return false, fmt.Errorf("measuring %s: %w", st.Number, err)
	}
	rows, err := tx.Query(tx.ctx, `SELECT `+measureColumns+` FROM measures WHERE number = $1`, st.Number)
	if err != nil {
		return false, fmt.Errorf("reading the measures of %s: %w", st.Number, err)
	}
	list, err := collectMeasures(rows)
	if err != nil || len(list) != 1 {
		return false, err
	}
	have := list[0]
	return have.OfficeID == want.OfficeID && have.OpenedAt.Equal(micro(want.OpenedAt)) && have.ClosedAt.Equal(micro(want.ClosedAt)) &&
		have.Rejected == want.Rejected && have.Decided == want.Decided && have.SOP == want.SOP && slices.Equal(have.Used, want.Used), nil
}

const measureColumns = `number, office_id, opened_at, closed_at, rejected, decided, sop, array_send(used)`

// measureReader reads rows of measures. A year has 100,000: the array is taken as PostgreSQL sends it, the numbers lie in few large pieces,
// and the names of offices, people and SOPs, which repeat, are kept once.
type measureReader struct {
	names map[string]string
	room  []int32
}

func (m *measureReader) scan(row pgx.CollectableRow) (r report.Row, err error) {
	var closed pgtype.Timestamptz
	var office, decided, version, used pgtype.DriverBytes
	if err = row.Scan(&r.Number, &office, &r.OpenedAt, &closed, &r.Rejected, &decided, &version, &used); err != nil {
		return r, err
	}
	r.OfficeID, r.Decided, r.SOP = m.name(office), m.name(decided), m.name(version)
	if closed.Valid {
		r.ClosedAt = closed.Time
	}
	r.Used, err = m.used(used)
	return r, err
}

func (m *measureReader) name(sent []byte) string {
	name, known := m.names[string(sent)]
	if !known {
		name = string(sent)
		m.names[name] = name
	}
	return name
}

// used decodes array_send of an int[]: dimensions, flags, element type, length, lower bound, and then a length and a value each.
func (m *measureReader) used(sent []byte) (report.Used, error) {
	const head, element, piece = 20, 8, 4096
	if len(sent) < head {
		return report.Used{}, nil // an empty array has no dimensions
	}
	n := int(binary.BigEndian.Uint32(sent[12:]))
	if binary.BigEndian.Uint32(sent) != 1 || len(sent) != head+n*element {
		return nil, errors.New("the measures are no row of numbers")
	}
	if len(m.room) < n {
		m.room = make([]int32, max(n, piece))
	}
	used := report.Used(m.room[:n:n])
	m.room = m.room[n:]
	for i := range used {
		used[i] = int32(binary.BigEndian.Uint32(sent[head+i*element+4:]))
	}
	return used, nil
}

func collectMeasures(rows pgx.Rows) ([]report.Row, error) {
	m := measureReader{names: map[string]string{}}
	return pgx.CollectRows(rows, m.scan)
}

// Measures lists what was opened or ended in [from, until) in an agency, or in one of its offices.
func (s *Store) Measures(ctx context.Context, agencyKey, officeID string, from, until time.Time) ([]report.Row, error) {
	rows, err := s.Pool.Query(ctx, `SELECT `+measureColumns+` FROM measures WHERE agency = $1 AND ($2 = '' OR office_id = $2)
		AND (opened_at >= $3 AND opened_at < $4 OR closed_at >= $3 AND closed_at < $4)`, agencyKey, officeID, from, until)
	if err != nil {
		return nil, fmt.Errorf("reading the measures of %s: %w", agencyKey, err)
	}
	list, err := collectMeasures(rows)
	if err != nil {
		return nil, fmt.Errorf("reading the measures of %s: %w", agencyKey, err)
	}
	return list, nil
}

// OpenCount counts an agency's, or one office's, requests by status: those that were open at an instant. The status is today's.
func (s *Store) OpenCount(ctx context.Context, agencyKey, officeID string, at time.Time) (map[request.Status]int, error) {
	rows, err := s.Pool.Query(ctx, `SELECT status, count(*) FROM (
			SELECT status FROM requests WHERE agency = $1 AND ($2 = '' OR office_id = $2) AND opened_at < $3 AND closed_at IS NULL
			UNION ALL SELECT status FROM requests WHERE agency = $1 AND ($2 = '' OR office_id = $2) AND opened_at < $3 AND closed_at >= $3
		) r GROUP BY status`, agencyKey, officeID, at)
	if err != nil {
		return nil, fmt.Errorf("counting the open requests of %s: %w", agencyKey, err)
	}
	out := map[request.Status]int{}
	var status request.Status
	var n int
	if _, err := pgx.ForEachRow(rows, []any{&status, &n}, func() error { out[status] = n; return nil }); err != nil {
		return nil, fmt.Errorf("counting the open requests of %s: %w", agencyKey, err)
	}
	return out, nil
}

// Oldest lists at most limit requests that were open at an instant, the oldest first.
func (s *Store) Oldest(ctx context.Context, agencyKey, officeID string, at time.Time, limit int) ([]Request, error) {
	return s.requests(ctx, `WHERE number IN (
			(SELECT number FROM requests WHERE agency = $1 AND ($2 = '' OR office_id = $2) AND opened_at < $3 AND closed_at IS NULL ORDER BY opened_at LIMIT $4)
			UNION ALL SELECT number FROM requests WHERE agency = $1 AND ($2 = '' OR office_id = $2) AND opened_at < $3 AND closed_at >= $3)
		ORDER BY opened_at, number LIMIT $4`, agencyKey, officeID, at, limit)
}

// Falling lists at most limit open requests that fall due in [from, until), the first first.
func (s *Store) Falling(ctx context.Context, agencyKey, officeID string, from, until time.Time, limit int) ([]Request, error) {
	return s.requests(ctx, `WHERE agency = $1 AND ($2 = '' OR office_id = $2) AND closed_at IS NULL AND due_at >= $3 AND due_at < $4
		ORDER BY due_at, number LIMIT $5`, agencyKey, officeID, from, until, limit)
}

// HeldBy lists at most limit open requests whose work is a role's, the most urgent first.
func (s *Store) HeldBy(ctx context.Context, agencyKey, role string, limit int) ([]Request, error) {
	return s.requests(ctx, `WHERE agency = $1 AND holder = $2 AND closed_at IS NULL ORDER BY due_at NULLS LAST, opened_at, number LIMIT $3`, agencyKey, role, limit)
}

// StatesOf folds several requests of an agency, by number.
func (s *Store) StatesOf(ctx context.Context, agencyKey string, numbers []string) (map[string]request.State, error) {
	rows, err := s.Pool.Query(ctx, `SELECT `+eventColumns+` FROM events e WHERE agency = $1 AND number = ANY($2) ORDER BY number, version`, agencyKey, numbers)
	if err != nil {
		return nil, fmt.Errorf("reading requests with their events: %w", err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[eventRow])
	if err != nil {
		return nil, fmt.Errorf("reading requests with their events: %w", err)
	}
	events := map[string][]request.Event{}
	for _, r := range list {
		if IsComplaint(r.Number) {
			continue
		}
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

// ResetCounts counts what became of reset calls in [from, until), by the kind of the event.
func (s *Store) ResetCounts(ctx context.Context, agencyKey string, from, until time.Time) (map[request.Kind]int, error) {
	rows, err := s.Pool.Query(ctx, `SELECT kind, count(*) FROM events WHERE agency = $1 AND at >= $2 AND at < $3
		AND kind IN ('ResetAccepted', 'ResetRefused', 'ResetNotSent', 'ResetUncertain', 'ResetConfirmed', 'ApprovalVoided') GROUP BY kind`, agencyKey, from, until)
	if err != nil {
		return nil, fmt.Errorf("counting the resets of %s: %w", agencyKey, err)
	}
	out := map[request.Kind]int{}
	var kind request.Kind
	var n int
	if _, err := pgx.ForEachRow(rows, []any{&kind, &n}, func() error { out[kind] = n; return nil }); err != nil {
		return nil, fmt.Errorf("counting the resets of %s: %w", agencyKey, err)
	}
	return out, nil
}

// Repeated lists applicants with a request in [from, until) who had another one since back: name, office, and the requests' numbers.
func (s *Store) Repeated(ctx context.Context, agencyKey string, back, from, until time.Time) ([]report.Repeat, error) {
	rows, err := s.Pool.Query(ctx, `SELECT max(applicant), max(office), array_agg(number ORDER BY number) FROM requests
		WHERE agency = $1 AND nip_key IS NOT NULL AND opened_at >= $2 AND opened_at < $4
		GROUP BY nip_key HAVING count(*) > 1 AND max(opened_at) >= $3 ORDER BY count(*) DESC, max(applicant) LIMIT 200`, agencyKey, back, from, until)
	if err != nil {
		return nil, fmt.Errorf("looking for repeated applicants of %s: %w", agencyKey, err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[report.Repeat])
	if err != nil {
		return nil, fmt.Errorf("looking for repeated applicants of %s: %w", agencyKey, err)
	}
	return list, nil
}

// BeginOutage notes that a partner can't be reached: srikandi, bsre, inbox or outbox. One that lasts already is left as it is.
func (s *Store) BeginOutage(ctx context.Context, agencyKey, system, problem string, at time.Time) error {
	_, err := s.Pool.Exec(ctx, `INSERT INTO outages (agency, system, began_at, problem) VALUES ($1, $2, $3, $4)
		ON CONFLICT (agency, system) WHERE ended_at IS NULL DO NOTHING`, agencyKey, system, at, problem)
	if err != nil {
		return fmt.Errorf("noting an outage of %s: %w", system, err)
	}
	return nil
}

// EndOutage notes that a partner answers again.
func (s *Store) EndOutage(ctx context.Context, agencyKey, system string, at time.Time) error {
	_, err := s.Pool.Exec(ctx, `UPDATE outages SET ended_at = greatest($3, began_at) WHERE agency = $1 AND system = $2 AND ended_at IS NULL`,
		agencyKey, system, at)
	if err != nil {
		return fmt.Errorf("noting the end of an outage of %s: %w", system, err)
	}
	return nil
}

// Outages lists the outages of an agency's partners that touch [from, until) and are long enough to be noticed by now, the first first.
func (s *Store) Outages(ctx context.Context, agencyKey string, from, until, now time.Time) ([]report.Outage, error) {
	rows, err := s.Pool.Query(ctx, `SELECT system, began_at, ended_at, problem FROM outages
		WHERE agency = $1 AND began_at < $3 AND coalesce(ended_at, $4) > $2 AND coalesce(ended_at, $4) - began_at >= $5
		ORDER BY began_at, id`, agencyKey, from, until, now, report.Noticeable)
	if err != nil {
		return nil, fmt.Errorf("reading the outages of %s: %w", agencyKey, err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (o report.Outage, err error) {
		var ended *time.Time
		err = row.Scan(&o.System, &o.From, &ended, &o.Problem)
		if ended != nil {
			o.Until = *ended
		}
		return o, err
	})
	if err != nil {
		return nil, fmt.Errorf("reading the outages of %s: %w", agencyKey, err)
	}
	return list, nil
}

// Applicants lists the names of those whose request was opened or ended in [from, until), by its number.
func (s *Store) Applicants(ctx context.Context, agencyKey string, from, until time.Time) (map[string]string, error) {
	rows, err := s.Pool.Query(ctx, `SELECT number, applicant FROM requests WHERE agency = $1
		AND (opened_at >= $2 AND opened_at < $3 OR closed_at >= $2 AND closed_at < $3)`, agencyKey, from, until)
	if err != nil {
		return nil, fmt.Errorf("reading the applicants of %s: %w", agencyKey, err)
	}
	out := map[string]string{}
	var number, name string
	if _, err := pgx.ForEachRow(rows, []any{&number, &name}, func() error { out[number] = name; return nil }); err != nil {
		return nil, fmt.Errorf("reading the applicants of %s: %w", agencyKey, err)
	}
	return out, nil
}
