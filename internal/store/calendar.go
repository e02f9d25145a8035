package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"pulih/internal/agency"
	"pulih/internal/complaint"
	"pulih/internal/request"
	"pulih/mailflow"
)

// OtherCalendar lists at most limit open requests, and as many complaints, whose deadline was made with another calendar than this.
func (s *Store) OtherCalendar(ctx context.Context, agencyKey, version string, limit int) (requests, complaints []string, err error) {
	for table, into := range map[string]*[]string{"requests": &requests, "complaints": &complaints} {
		// Two ranges, so that the index answers: nothing is there on every day but that of a change.
		rows, err := s.Pool.Query(ctx, `SELECT number FROM `+table+` WHERE agency = $1 AND closed_at IS NULL AND calendar < $2
			UNION ALL SELECT number FROM `+table+` WHERE agency = $1 AND closed_at IS NULL AND calendar > $2 LIMIT $3`, agencyKey, version, limit)
		if err != nil {
			return nil, nil, fmt.Errorf("looking for deadlines of another calendar: %w", err)
		}
		if *into, err = pgx.CollectRows(rows, pgx.RowTo[string]); err != nil {
			return nil, nil, fmt.Errorf("looking for deadlines of another calendar: %w", err)
		}
	}
	return requests, complaints, nil
}

// recounted notes on a request where the calendar in force puts its deadline, if that is elsewhere than before: whatever is done with the
// request first after a change of the calendar, its deadline never moves silently.
func (tx *Tx) recounted(a *agency.Agency, st request.State) (request.State, error) {
	before, other, err := tx.otherCalendar(a, "requests", st.Number)
	if err != nil || !other {
		return st, err
	}
	now, err := tx.s.projection(a, st)
	if err != nil {
		return st, fmt.Errorf("projecting %s: %w", st.Number, err)
	}
	if text := moved(a, before, now.DueAt); text != "" {
		return tx.actOn(a, st, []request.Command{request.Note{By: request.System, Text: text}})
	}
	return st, nil
}

// recountedComplaint does the same for a complaint.
func (tx *Tx) recountedComplaint(a *agency.Agency, st complaint.State) (complaint.State, error) {
	before, other, err := tx.otherCalendar(a, "complaints", st.Number)
	if err != nil || !other {
		return st, err
	}
	now, err := tx.s.complaintRow(a, st)
	if err != nil {
		return st, fmt.Errorf("projecting %s: %w", st.Number, err)
	}
	if text := moved(a, before, now.DueAt); text != "" {
		return tx.actOnComplaint(a, st, []complaint.Command{complaint.Note{By: request.System, Text: text}})
	}
	return st, nil
}

// otherCalendar reports that a row's deadline was made with another calendar than the one in force.
func (tx *Tx) otherCalendar(a *agency.Agency, table, number string) (due *time.Time, other bool, err error) {
	var calendar string
	err = tx.QueryRow(tx.ctx, `SELECT calendar, due_at FROM `+table+` WHERE number = $1`, number).Scan(&calendar, &due)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, false, nil
	} else if err != nil {
		return nil, false, fmt.Errorf("reading the deadline of %s: %w", number, err)
	}
	return due, calendar != a.Calendar.Version(), nil
}

// moved says that a deadline moved; "" when it did not, or was not known.
func moved(a *agency.Agency, before, now *time.Time) string {
	if before == nil || now == nil || before.Equal(*now) {
		return ""
	}
	return fmt.Sprintf("Kalender berubah: batas waktu dari %s menjadi %s.", mailflow.NoticeDateTime(before.In(a.Zone)), mailflow.NoticeDateTime(now.In(a.Zone)))
}
