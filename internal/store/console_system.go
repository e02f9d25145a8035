package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river/rivertype"
)

// Job is a job of an agency as the operator sees it: ids and words, nothing personal.
type Job struct {
	ID          int64
	Kind        string
	State       string
	Attempt     int
	MaxAttempts int
	ScheduledAt time.Time
	CreatedAt   time.Time
	Target      string // the request, letter or mail that it is about
	Problem     string // the last error
}

// agencyOfJob finds whose work a job is; periodic ones of the whole daemon belong to nobody.
const agencyOfJob = `CASE j.kind
	WHEN 'read_letter' THEN (SELECT agency FROM letters WHERE id = (j.args->>'letter_id')::bigint)
	WHEN 'register_letter' THEN (SELECT agency FROM letters WHERE id = (j.args->>'letter_id')::bigint)
	WHEN 'send_mail' THEN (SELECT agency FROM outbox WHERE id = (j.args->>'outbox_id')::bigint)
	WHEN 'write_follow_up' THEN (SELECT agency FROM follow_ups WHERE id = (j.args->>'follow_up_id')::bigint)
	WHEN 'watch_request' THEN (SELECT agency FROM requests WHERE number = j.args->>'number')
	ELSE j.args->>'agency' END`

// Jobs lists an agency's jobs that failed and will be tried again, or were given up; those given up first, at most 100. Polls aren't among them:
// the next one is on its way, and Sources tells how they fare.
func (s *Store) Jobs(ctx context.Context, agencyKey string) ([]Job, error) {
	rows, err := s.Pool.Query(ctx, `SELECT j.id, j.kind, j.state::text, j.attempt, j.max_attempts, j.scheduled_at, j.created_at,
			coalesce(j.args->>'number', 'surat ' || (j.args->>'letter_id'), 'surel ' || (j.args->>'outbox_id'), 'tindak lanjut ' || (j.args->>'follow_up_id'), ''),
			coalesce(j.errors[array_upper(j.errors, 1)]->>'error', '')
		FROM river_job j WHERE j.state IN ('discarded', 'retryable') AND j.kind <> 'poll_gateway' AND `+agencyOfJob+` = $1
		ORDER BY j.state = 'discarded' DESC, j.scheduled_at LIMIT 100`, agencyKey)
	if err != nil {
		return nil, fmt.Errorf("reading the jobs of %s: %w", agencyKey, err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Job])
	if err != nil {
		return nil, fmt.Errorf("reading the jobs of %s: %w", agencyKey, err)
	}
	return list, nil
}

// JobCount is how many jobs of a kind wait or run, and since when the first of them does.
type JobCount struct {
	Kind  string
	N     int
	Since time.Time
}

// JobCounts counts an agency's jobs that wait for their turn or run.
func (s *Store) JobCounts(ctx context.Context, agencyKey string) ([]JobCount, error) {
	rows, err := s.Pool.Query(ctx, `SELECT j.kind, count(*)::int, min(j.created_at) FROM river_job j
		WHERE j.state IN ('available', 'pending', 'scheduled', 'running') AND `+agencyOfJob+` = $1 GROUP BY j.kind ORDER BY j.kind`, agencyKey)
	if err != nil {
		return nil, fmt.Errorf("counting the jobs of %s: %w", agencyKey, err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[JobCount])
	if err != nil {
		return nil, fmt.Errorf("counting the jobs of %s: %w", agencyKey, err)
	}
	return list, nil
}

// RetryJob has a job of an agency tried again now. ErrNotFound: also for one of another agency.
func (s *Store) RetryJob(ctx context.Context, agencyKey string, id int64) error {
	if err := s.ownJob(ctx, agencyKey, id); err != nil {
		return err
	}
	if _, err := s.jobs.JobRetry(ctx, id); err != nil {
		return fmt.Errorf("retrying job %d: %w", id, err)
	}
	return nil
}

// CancelJob gives a job of an agency up for good.
func (s *Store) CancelJob(ctx context.Context, agencyKey string, id int64) error {
	if err := s.ownJob(ctx, agencyKey, id); err != nil {
		return err
	}
	if _, err := s.jobs.JobCancel(ctx, id); err != nil && !errors.Is(err, rivertype.ErrNotFound) {
		return fmt.Errorf("cancelling job %d: %w", id, err)
	}
	// River leaves what it has given up by itself as it is; the operator has seen it, and it goes from the list.
	if _, err := s.Pool.Exec(ctx, `UPDATE river_job SET state = 'cancelled' WHERE id = $1 AND state = 'discarded'`, id); err != nil {
		return fmt.Errorf("cancelling job %d: %w", id, err)
	}
	return nil
}

func (s *Store) ownJob(ctx context.Context, agencyKey string, id int64) error {
	var own bool
	err := s.Pool.QueryRow(ctx, `SELECT coalesce((SELECT `+agencyOfJob+` = $2 FROM river_job j WHERE j.id = $1), false)`, id, agencyKey).Scan(&own)
	if err != nil {
		return fmt.Errorf("looking for job %d: %w", id, err)
	}
	if !own {
		return fmt.Errorf("job %d: %w", id, ErrNotFound)
	}
	return nil
}

// TroubledMails lists an agency's mails that are uncertain, were given up or came back in the last 30 days, the newest first.
func (s *Store) TroubledMails(ctx context.Context, agencyKey string, now time.Time) ([]Outgoing, error) {
	return s.outgoing(ctx, `WHERE agency = $1 AND (state IN ('uncertain', 'failed') OR bounced_at > $2) ORDER BY id DESC LIMIT 100`, agencyKey, now.AddDate(0, 0, -30))
}

// SendAgain has a mail that was given up or is uncertain sent once more, because a person says so.
func (tx *Tx) SendAgain(agencyKey string, id int64) error {
	tag, err := tx.Exec(tx.ctx, `UPDATE outbox SET state = 'waiting', reply = NULL WHERE agency = $1 AND id = $2 AND state IN ('uncertain', 'failed')`, agencyKey, id)
	if err != nil {
		return fmt.Errorf("sending mail %d again: %w", id, err)
	}
	if tag.RowsAffected() == 0 {
		return fmt.Errorf("mail %d: %w", id, ErrNotFound)
	}
	return tx.Enqueue(SendMail{OutboxID: id}, nil)
}

// Switch tells since when and by whom an agency's resets are held; zero when they aren't.
func (s *Store) Switch(ctx context.Context, agencyKey string) (since time.Time, by string, err error) {
	var at *time.Time
	err = s.Pool.QueryRow(ctx, `SELECT resets_stopped_at, coalesce(stopped_by, '') FROM switches WHERE agency = $1`, agencyKey).Scan(&at, &by)
	if errors.Is(err, pgx.ErrNoRows) || err == nil && at == nil {
		return time.Time{}, "", nil
	} else if err != nil {
		return time.Time{}, "", fmt.Errorf("reading the switch of %s: %w", agencyKey, err)
	}
	return *at, by, nil
}
