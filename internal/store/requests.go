package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"pulih/internal/agency"
	"pulih/internal/letter"
	"pulih/internal/request"
	"pulih/internal/sop"
)

// Request is a row of the projection: what pages, sweeps and reports query. It follows from the events alone (Rebuild).
type Request struct {
	Number        string
	Agency        string
	Version       int
	Status        request.Status
	SOP           string
	Step          string
	Holder        sop.Role
	HolderIDs     []string
	Since         time.Time
	Applicant     string
	NIPKey        []byte
	OfficeID      string
	Office        string
	LetterNumber  string
	LetterSubject string
	Channels      []string
	Dangers       int
	Warnings      int
	OpenedAt      time.Time
	ClosedAt      *time.Time
	ResetAt       *time.Time
	DueAt         *time.Time
	RemindAt      *time.Time
	Calendar      string
}

const requestColumns = `number, agency, version, status, sop, step, holder, holder_ids, since, applicant, nip_key, office_id, office,
	letter_number, letter_subject, channels, dangers, warnings, opened_at, closed_at, reset_at, due_at, remind_at, calendar`

// projection computes the row of a state.
func (s *Store) projection(a *agency.Agency, st request.State) (Request, error) {
	r := Request{
		Number: st.Number, Agency: a.Key, Version: st.Version, Status: st.Status, SOP: st.SOP, Holder: st.Holder,
		HolderIDs: append([]string{}, st.HolderIDs...), Since: micro(st.Since), Applicant: st.Subject.Name,
		NIPKey: s.Keys.Lookup("nip", agency.Digits(st.Subject.NIP)), OfficeID: st.Subject.OfficeID, Office: st.Subject.Office,
		OpenedAt: micro(st.OpenedAt), ClosedAt: optional(st.ClosedAt), ResetAt: optional(st.Ended[sop.EndsReset]),
		Calendar: a.Calendar.Version(), Channels: []string{},
	}
	for i, l := range st.Letters {
		if i == 0 || r.LetterNumber == "" {
			r.LetterNumber, r.LetterSubject = l.Number, letter.Scrub(l.Subject)
		}
		if !slices.Contains(r.Channels, l.Channel) {
			r.Channels = append(r.Channels, l.Channel)
		}
	}
	for _, f := range st.Findings {
		switch f.Severity {
		case letter.Danger:
			r.Dangers++
		case letter.Warning:
			r.Warnings++
		}
	}
	return r, clocks(&r, a, st)
}

// clocks fills in what hangs on the calendar. A year without closed days leaves it open: the calendar's own alarm tells the operator, and
// the request must not be lost for it.
func clocks(r *Request, a *agency.Agency, st request.State) error {
	steps, total, err := request.Clocks(st, a, st.Since)
	if errors.Is(err, sop.ErrNoCalendar) {
		return nil
	} else if err != nil {
		return err
	}
	if c, ok := request.Current(steps); ok {
		r.Step = c.Step.ID
	}
	r.DueAt = optional(request.Due(steps, total))
	next, err := request.NextMark(st, a)
	r.RemindAt = optional(next)
	return err
}

func micro(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }

func optional(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = micro(t)
	return &t
}

const upsertRequest = `INSERT INTO requests (` + requestColumns + `, applicant_fold, number_fold)
	VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26)
	ON CONFLICT (number) DO UPDATE SET (version, status, sop, step, holder, holder_ids, since, applicant, nip_key, office_id, office,
		letter_number, letter_subject, channels, dangers, warnings, opened_at, closed_at, reset_at, due_at, remind_at, calendar,
		applicant_fold, number_fold)
	= (excluded.version, excluded.status, excluded.sop, excluded.step, excluded.holder, excluded.holder_ids, excluded.since,
		excluded.applicant, excluded.nip_key, excluded.office_id, excluded.office, excluded.letter_number, excluded.letter_subject,
		excluded.channels, excluded.dangers, excluded.warnings, excluded.opened_at, excluded.closed_at, excluded.reset_at,
		excluded.due_at, excluded.remind_at, excluded.calendar, excluded.applicant_fold, excluded.number_fold)`

func (tx *Tx) project(a *agency.Agency, st request.State) error {
	r, err := tx.s.projection(a, st)
	if err != nil {
		return fmt.Errorf("projecting %s: %w", st.Number, err)
	}
	batch := &pgx.Batch{} // a sweep projects hundreds in one transaction: one round trip each
	batch.Queue(upsertRequest,
		r.Number, r.Agency, r.Version, r.Status, r.SOP, r.Step, r.Holder, r.HolderIDs, r.Since, r.Applicant, r.NIPKey, r.OfficeID, r.Office,
		r.LetterNumber, r.LetterSubject, r.Channels, r.Dangers, r.Warnings, r.OpenedAt, r.ClosedAt, r.ResetAt, r.DueAt, r.RemindAt, r.Calendar,
		agency.FoldName(r.Applicant), agency.FoldNumber(r.LetterNumber))
	for _, l := range st.Letters {
		batch.Queue(`INSERT INTO request_letters (number, letter_id) VALUES ($1, $2) ON CONFLICT DO NOTHING`, st.Number, l.ID)
	}
	if err := measure(batch, a, st); err != nil {
		return err
	}
	if err := tx.SendBatch(tx.ctx, batch).Close(); err != nil {
		return fmt.Errorf("writing the row of %s: %w", st.Number, err)
	}
	return nil
}

// Receive opens a request for a letter and applicant, or joins the one that has any of the keys (invariant 2). Keys are made by LetterKeys.
func (tx *Tx) Receive(a *agency.Agency, keys [][]byte, cmd request.Open) (s request.State, opened bool, err error) {
	if _, _, err := tx.lockChain(a.Key); err != nil {
		return s, false, err
	}
	var number string
	err = tx.QueryRow(tx.ctx, `SELECT number FROM request_keys WHERE agency = $1 AND key = ANY($2) ORDER BY number LIMIT 1`, a.Key, keys).Scan(&number)
	switch {
	case err == nil:
		if s, err = tx.Act(a, number, request.Join{Letter: cmd.Letter, Findings: cmd.Findings}); err != nil {
			return s, false, err
		}
	case errors.Is(err, pgx.ErrNoRows):
		if number, err = tx.nextNumber(a, tx.now.In(a.Zone).Format("2006")); err != nil {
			return s, false, err
		}
		if s, err = tx.actOn(a, request.Fold(number, nil), []request.Command{cmd}); err != nil {
			return s, false, err
		}
		opened = true
	default:
		return s, false, fmt.Errorf("looking for the request of letter %d: %w", cmd.Letter.ID, err)
	}
	return s, opened, tx.keepKeys(a.Key, number, keys)
}

// nextNumber gives short, sayable numbers: PBG-2026-000123.
func (tx *Tx) nextNumber(a *agency.Agency, series string) (string, error) {
	var n int64
	err := tx.QueryRow(tx.ctx, `INSERT INTO numbers (agency, series, last) VALUES ($1, $2, 1)
		ON CONFLICT (agency, series) DO UPDATE SET last = numbers.last + 1 RETURNING last`, a.Key, series).Scan(&n)
	if err != nil {
		return "", fmt.Errorf("taking the next number of %s: %w", a.Key, err)
	}
	return fmt.Sprintf("%s-%s-%06d", a.Prefix, series, n), nil
}

// LetterKeys are the marks by which the same request is known again, one letter and one applicant: the letter's number with its year, each
// file's content, and the letter's id in Srikandi. They are keyed hashes.
func (k *Keys) LetterKeys(number, date string, files [][]byte, srikandiID, nip, name string) [][]byte {
	who := agency.Digits(nip)
	if who == "" {
		who = agency.FoldName(name)
	}
	var keys [][]byte
	add := func(kind, value string) {
		if value != "" {
			keys = append(keys, k.Lookup("request", kind+"\x00"+value+"\x00"+who))
		}
	}
	if folded := agency.FoldNumber(number); folded != "" {
		add("number", folded+"\x00"+date[:min(4, len(date))])
	}
	for _, f := range files {
		add("file", string(f))
	}
	add("srikandi", srikandiID)
	return keys
}

// Queue lists an agency's open requests, the most urgent first.
func (s *Store) Queue(ctx context.Context, agencyKey string) ([]Request, error) {
	return s.requests(ctx, `WHERE agency = $1 AND closed_at IS NULL ORDER BY due_at NULLS LAST, opened_at, number`, agencyKey)
}

// Requests lists an agency's requests that were opened in [from, until), oldest first.
func (s *Store) Requests(ctx context.Context, agencyKey string, from, until time.Time) ([]Request, error) {
	return s.requests(ctx, `WHERE agency = $1 AND opened_at >= $2 AND opened_at < $3 ORDER BY opened_at, number`, agencyKey, from, until)
}

// Request returns one row of the projection, or ErrNotFound: also for a number of another agency.
func (s *Store) Request(ctx context.Context, agencyKey, number string) (Request, error) {
	list, err := s.requests(ctx, `WHERE agency = $1 AND number = $2`, agencyKey, number)
	if err == nil && len(list) == 0 {
		err = fmt.Errorf("request %s: %w", number, ErrNotFound)
	}
	if err != nil {
		return Request{}, err
	}
	return list[0], nil
}

// RequestsOfLetter lists the requests that a letter belongs to.
func (s *Store) RequestsOfLetter(ctx context.Context, letterID int64) ([]Request, error) {
	return s.requests(ctx, `WHERE number IN (SELECT number FROM request_letters WHERE letter_id = $1) ORDER BY number`, letterID)
}

// RemindersDue lists at most limit requests with a mark that has come.
func (s *Store) RemindersDue(ctx context.Context, agencyKey string, now time.Time, limit int) ([]Request, error) {
	return s.requests(ctx, `WHERE agency = $1 AND remind_at <= $2 ORDER BY remind_at LIMIT $3`, agencyKey, now, limit)
}

func (s *Store) requests(ctx context.Context, where string, args ...any) ([]Request, error) {
	rows, err := s.Pool.Query(ctx, `SELECT `+requestColumns+` FROM requests `+where, args...)
	if err != nil {
		return nil, fmt.Errorf("reading requests: %w", err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Request])
	if err != nil {
		return nil, fmt.Errorf("reading requests: %w", err)
	}
	return list, nil
}

// Past lists earlier requests that a new letter is held against: of the same applicant, or with the same letter number.
func (s *Store) Past(ctx context.Context, agencyKey, nip, name, letterNumber string) ([]letter.Past, error) {
	nipKey := s.Keys.Lookup("nip", agency.Digits(nip))
	list, err := s.requests(ctx, `WHERE number IN (
			SELECT number FROM requests WHERE agency = $1 AND nip_key = $2
			UNION SELECT number FROM requests WHERE agency = $1 AND applicant_fold = $3 AND $3 <> ''
			UNION SELECT number FROM requests WHERE agency = $1 AND number_fold = $4 AND $4 <> '')
		ORDER BY opened_at DESC LIMIT 50`, agencyKey, nipKey, agency.FoldName(name), agency.FoldNumber(letterNumber))
	if err != nil {
		return nil, err
	}
	var past []letter.Past
	for _, r := range list {
		p := letter.Past{Request: r.Number, LetterNumber: r.LetterNumber, ApplicantName: r.Applicant, At: r.OpenedAt}
		if r.ResetAt != nil {
			p.Reset, p.At = true, *r.ResetAt
		}
		if slices.Equal(r.NIPKey, nipKey) && len(nipKey) > 0 {
			p.ApplicantNIP = agency.Digits(nip)
		}
		past = append(past, p)
	}
	return past, nil
}

// Rebuild computes every row of an agency's projection again from its events. It answers how many requests there are and the numbers of
// those whose stored row was different.
func (s *Store) Rebuild(ctx context.Context, a *agency.Agency, now time.Time) (requests int, different []string, err error) {
	rows, err := s.Pool.Query(ctx, `SELECT DISTINCT number FROM events WHERE agency = $1 AND version = 1 AND kind = 'Received' ORDER BY number`, a.Key)
	if err != nil {
		return 0, nil, fmt.Errorf("listing the requests of %s: %w", a.Key, err)
	}
	numbers, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return 0, nil, fmt.Errorf("listing the requests of %s: %w", a.Key, err)
	}
	for _, number := range numbers {
		same, err := s.rebuildOne(ctx, a, number, now)
		if err != nil {
			return requests, different, err
		}
		requests++
		if !same {
			different = append(different, number)
		}
	}
	return requests, different, nil
}

func (s *Store) rebuildOne(ctx context.Context, a *agency.Agency, number string, now time.Time) (same bool, err error) {
	err = s.InTx(ctx, now, func(tx *Tx) error {
		if _, _, err := tx.lockChain(a.Key); err != nil {
			return err
		}
		events, err := s.events(ctx, tx, number)
		if err != nil {
			return err
		}
		st := request.Fold(number, events)
		want, err := s.projection(a, st)
		if err != nil {
			return err
		}
		rows, err := tx.Query(ctx, `SELECT `+requestColumns+` FROM requests WHERE number = $1`, number)
		if err != nil {
			return fmt.Errorf("reading the row of %s: %w", number, err)
		}
		have, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByPos[Request])
		if err != nil && !errors.Is(err, pgx.ErrNoRows) {
			return fmt.Errorf("reading the row of %s: %w", number, err)
		}
		measured, err := tx.sameMeasure(a, st)
		if err != nil {
			return err
		}
		if same = measured && sameRow(have, want); same {
			return nil
		}
		return tx.project(a, st)
	})
	return same, err
}

func sameRow(a, b Request) bool {
	x, errX := json.Marshal(utc(a))
	y, errY := json.Marshal(utc(b))
	return errX == nil && errY == nil && string(x) == string(y)
}

func utc(r Request) Request {
	r.Since, r.OpenedAt = r.Since.UTC(), r.OpenedAt.UTC()
	for _, t := range []**time.Time{&r.ClosedAt, &r.ResetAt, &r.DueAt, &r.RemindAt} {
		if *t != nil {
			u := (*t).UTC()
			*t = &u
		}
	}
	return r
}

// Remind tells of the marks of a request that have come, as this transaction sees it.
func (tx *Tx) Remind(a *agency.Agency, number string) error {
	s, err := tx.load(a, number)
	if err != nil {
		return err
	}
	due, err := request.Reminders(s, a, tx.now)
	if err != nil {
		return err
	}
	_, err = tx.actOn(a, s, []request.Command{request.Remind{Due: due}})
	return err
}

// StatesTouching folds the requests of an agency, or of one of its offices, that were open at any time in [from, until).
func (s *Store) StatesTouching(ctx context.Context, agencyKey, officeID string, from, until time.Time) ([]request.State, error) {
	rows, err := s.Pool.Query(ctx, `SELECT e.number, e.version, e.agency, e.chain, e.kind, e.at, e.seen, e.body, e.previous, e.hash
		FROM requests r JOIN events e ON e.number = r.number
		WHERE r.agency = $1 AND ($2 = '' OR r.office_id = $2) AND r.opened_at < $4 AND (r.closed_at IS NULL OR r.closed_at >= $3)
		ORDER BY r.opened_at, e.number, e.version`, agencyKey, officeID, from, until)
	if err != nil {
		return nil, fmt.Errorf("reading requests with their events: %w", err)
	}
	defer rows.Close()
	var out []request.State
	var number string
	var events []request.Event
	flush := func() {
		if len(events) > 0 {
			out = append(out, request.Fold(number, events))
		}
		events = nil
	}
	for rows.Next() {
		r, err := pgx.RowToStructByPos[eventRow](rows)
		if err != nil {
			return nil, fmt.Errorf("reading requests with their events: %w", err)
		}
		if r.Number != number {
			flush()
			number = r.Number
		}
		e, err := s.openEvent(r)
		if err != nil {
			return nil, err
		}
		events = append(events, e)
	}
	flush()
	return out, rows.Err()
}
