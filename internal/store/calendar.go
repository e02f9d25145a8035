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

// Recount computes a request's deadline with the calendar in force, and notes it when it moved.
func (tx *Tx) Recount(a *agency.Agency, number string) error {
	before, err := tx.deadline("requests", number) // before Act projects the state again
	if err != nil {
		return err
	}
	st, err := tx.Act(a, number)
	if err != nil {
		return err
	}
	now, err := tx.s.projection(a, st)
	if err != nil {
		return fmt.Errorf("projecting %s: %w", number, err)
	}
	var cmds []request.Command
	if text := moved(a, before, now.DueAt); text != "" {
		cmds = append(cmds, request.Note{By: request.System, Text: text})
	}
	_, err = tx.actOn(a, st, cmds)
	return err
}

// RecountComplaint does the same for a complaint.
func (tx *Tx) RecountComplaint(a *agency.Agency, number string) error {
	before, err := tx.deadline("complaints", number)
	if err != nil {
		return err
	}
	st, err := tx.ActComplaint(a, number)
	if err != nil {
		return err
	}
	now, err := tx.s.complaintRow(a, st)
	if err != nil {
		return fmt.Errorf("projecting %s: %w", number, err)
	}
	var cmds []complaint.Command
	if text := moved(a, before, now.DueAt); text != "" {
		cmds = append(cmds, complaint.Note{By: request.System, Text: text})
	}
	_, err = tx.actOnComplaint(a, st, cmds)
	return err
}

func (tx *Tx) deadline(table, number string) (due *time.Time, err error) {
	err = tx.QueryRow(tx.ctx, `SELECT due_at FROM `+table+` WHERE number = $1`, number).Scan(&due)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return nil, fmt.Errorf("reading the deadline of %s: %w", number, err)
	}
	return due, nil
}

// moved says that a deadline moved; "" when it did not, or was not known.
func moved(a *agency.Agency, before, now *time.Time) string {
	if before == nil || now == nil || before.Equal(*now) {
		return ""
	}
	return fmt.Sprintf("Kalender berubah: batas waktu dari %s menjadi %s.", mailflow.NoticeDateTime(before.In(a.Zone)), mailflow.NoticeDateTime(now.In(a.Zone)))
}
