package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"pulih/internal/agency"
	"pulih/internal/complaint"
	"pulih/internal/letter"
	"pulih/internal/request"
	"pulih/internal/sop"
)

// Complaint is a row of the projection of complaints. It follows from the events alone (RebuildComplaints).
type Complaint struct {
	Number     string
	Agency     string
	Version    int
	Status     complaint.Status
	Channel    complaint.Channel
	Class      string // sop.ComplaintClass.ID; "" where the SOP has none
	ClassSet   bool   // by a person; else it is what the rules propose
	Holder     sop.Role
	HolderID   string // agency.Person.ID; "": all who hold the role
	Since      time.Time
	Request    string // the request that it is about, or ""
	ReceivedAt time.Time
	ClosedAt   *time.Time
	DueAt      *time.Time
	RemindAt   *time.Time
	Calendar   string
	Sender     []byte // keyed hash of the complainant's address

	// Sealed at rest. Only people who may act on complaints see them.
	From    string // who complains: their name, or else what else is known of them
	Summary string // the first words, at most summaryLength characters
}

const summaryLength = 160

const complaintColumns = `number, agency, version, status, channel, class, class_set, holder, holder_id, since, request, received_at, closed_at,
	due_at, remind_at, calendar, sender, about`

// about is what the sealed column holds.
type about struct {
	From    string `json:"from,omitempty"`
	Summary string `json:"summary,omitempty"`
}

func aboutPlace(number string) string { return "complaints:" + number + ":about" }

var complaintNumber = regexp.MustCompile(`^[A-Z]{2,6}-P-\d{4}-\d{6}$`)

// IsComplaint tells numbers of complaints (PBG-P-2026-000012) from those of requests (PBG-2026-000012).
func IsComplaint(number string) bool { return complaintNumber.MatchString(number) }

// EnterComplaint opens a complaint that a person enters: from the channels that the software doesn't read, or out of a letter. A letter
// is known again by its id; entering it twice joins. A *request.Refusal says what is missing.
func (s *Store) EnterComplaint(ctx context.Context, a *agency.Agency, now time.Time, cmd complaint.Open) (complaint.State, error) {
	var state complaint.State
	err := s.InTx(ctx, now, func(tx *Tx) error {
		var keys [][]byte
		if cmd.Letter != nil {
			keys = s.Keys.ComplaintKeys(cmd.Letter.ID, "", "", nil, "")
			if err := tx.SetKind(cmd.Letter.ID, letter.Complaint); err != nil {
				return err
			}
		}
		var err error
		state, _, err = tx.ReceiveComplaint(a, keys, cmd)
		return err
	})
	return state, err
}

// ActComplaint carries out commands on a complaint, one after the other, in one transaction. A *request.Refusal undoes all of them;
// ErrNotFound means that this agency has no such complaint.
func (s *Store) ActComplaint(ctx context.Context, a *agency.Agency, number string, now time.Time, cmds ...complaint.Command) (complaint.State, error) {
	var state complaint.State
	err := s.InTx(ctx, now, func(tx *Tx) error {
		var err error
		state, err = tx.ActComplaint(a, number, cmds...)
		return err
	})
	return state, err
}

// Complaints lists an agency's complaints that came in [from, until), the newest first.
func (s *Store) Complaints(ctx context.Context, agencyKey string, from, until time.Time) ([]Complaint, error) {
	return s.complaints(ctx, s.Pool, `WHERE agency = $1 AND received_at >= $2 AND received_at < $3 ORDER BY received_at DESC, number DESC`, agencyKey, from, until)
}

// OpenComplaints lists an agency's open complaints, the most urgent first.
func (s *Store) OpenComplaints(ctx context.Context, agencyKey string) ([]Complaint, error) {
	return s.complaints(ctx, s.Pool, `WHERE agency = $1 AND closed_at IS NULL ORDER BY due_at NULLS LAST, received_at, number`, agencyKey)
}

// Complaint returns one row, or ErrNotFound: also for a number of another agency.
func (s *Store) Complaint(ctx context.Context, agencyKey, number string) (Complaint, error) {
	list, err := s.complaints(ctx, s.Pool, `WHERE agency = $1 AND number = $2`, agencyKey, number)
	if err == nil && len(list) == 0 {
		err = fmt.Errorf("complaint %s: %w", number, ErrNotFound)
	}
	if err != nil {
		return Complaint{}, err
	}
	return list[0], nil
}

// ComplaintsAbout lists the complaints that are linked to a request.
func (s *Store) ComplaintsAbout(ctx context.Context, agencyKey, request string) ([]Complaint, error) {
	return s.complaints(ctx, s.Pool, `WHERE agency = $1 AND request = $2 AND request <> '' ORDER BY received_at`, agencyKey, request)
}

// ComplaintRemindersDue lists at most limit complaints with a mark that has come.
func (s *Store) ComplaintRemindersDue(ctx context.Context, agencyKey string, now time.Time, limit int) ([]Complaint, error) {
	return s.complaints(ctx, s.Pool, `WHERE agency = $1 AND remind_at <= $2 ORDER BY remind_at LIMIT $3`, agencyKey, now, limit)
}

// ComplaintEvents returns the events of a complaint, oldest first; none for a number that isn't there.
func (s *Store) ComplaintEvents(ctx context.Context, number string) ([]complaint.Event, error) {
	return s.complaintEvents(ctx, s.Pool, number)
}

// ComplaintState folds the events of a complaint; ErrNotFound when it has none.
func (s *Store) ComplaintState(ctx context.Context, number string) (complaint.State, error) {
	events, err := s.ComplaintEvents(ctx, number)
	if err == nil && len(events) == 0 {
		err = fmt.Errorf("complaint %s: %w", number, ErrNotFound)
	}
	if err != nil {
		return complaint.State{}, err
	}
	return complaint.Fold(number, events), nil
}

// ComplaintsTouching folds the complaints of an agency that were open at any time in [from, until).
func (s *Store) ComplaintsTouching(ctx context.Context, agencyKey string, from, until time.Time) ([]complaint.State, error) {
	rows, err := s.Pool.Query(ctx, `SELECT `+eventColumns+` FROM complaints c JOIN events e USING (number, agency)
		WHERE c.agency = $1 AND c.received_at < $3 AND (c.closed_at IS NULL OR c.closed_at >= $2) ORDER BY c.received_at, e.number, e.version`,
		agencyKey, from, until)
	if err != nil {
		return nil, fmt.Errorf("reading complaints with their events: %w", err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[eventRow])
	if err != nil {
		return nil, fmt.Errorf("reading complaints with their events: %w", err)
	}
	var out []complaint.State
	for i, r := range list {
		e, err := openEventAs[complaint.Event](s, r)
		if err != nil {
			return nil, err
		}
		if i == 0 || r.Number != list[i-1].Number {
			out = append(out, complaint.Fold(r.Number, nil))
		}
		out[len(out)-1] = out[len(out)-1].With([]complaint.Event{e})
	}
	return out, nil
}

// About is what a complaint keeps of the request that it is about; ErrNotFound for a number that this agency doesn't have.
func (s *Store) About(ctx context.Context, agencyKey, number string) (*complaint.About, error) {
	if _, err := s.Request(ctx, agencyKey, number); err != nil {
		return nil, err
	}
	st, err := s.State(ctx, number)
	if err != nil {
		return nil, err
	}
	return &complaint.About{Number: number, Subject: st.Subject}, nil
}

// LettersOfComplaint lists the letters of a complaint, the first first.
func (s *Store) LettersOfComplaint(ctx context.Context, number string) ([]Letter, error) {
	return s.letters(ctx, `WHERE id IN (SELECT letter_id FROM complaint_letters WHERE number = $1) ORDER BY id`, number)
}

// ComplaintsOfLetter lists the numbers of the complaints that a letter belongs to.
func (s *Store) ComplaintsOfLetter(ctx context.Context, letterID int64) ([]string, error) {
	rows, err := s.Pool.Query(ctx, `SELECT number FROM complaint_letters WHERE letter_id = $1 ORDER BY number`, letterID)
	if err != nil {
		return nil, fmt.Errorf("reading a letter's complaints: %w", err)
	}
	return pgx.CollectRows(rows, pgx.RowTo[string])
}

// ComplaintKeys are the marks by which the same complaint is known again: the letter, its number with its year, each file's content, and
// its id in Srikandi. They are keyed hashes.
func (k *Keys) ComplaintKeys(letterID int64, number, date string, files [][]byte, srikandiID string) [][]byte {
	keys := k.LetterKeys(number, date, files, srikandiID, "", "pengaduan")
	return append(keys, k.Lookup("complaint", fmt.Sprintf("letter\x00%d", letterID)))
}

// ReceiveComplaint opens a complaint, or joins its letter to the one that has any of the keys.
func (tx *Tx) ReceiveComplaint(a *agency.Agency, keys [][]byte, cmd complaint.Open) (st complaint.State, opened bool, err error) {
	if _, _, err := tx.lockChain(a.Key); err != nil {
		return st, false, err
	}
	var number string
	err = tx.QueryRow(tx.ctx, `SELECT number FROM complaint_keys WHERE agency = $1 AND key = ANY($2) ORDER BY number LIMIT 1`, a.Key, keys).Scan(&number)
	switch {
	case err == nil:
		if st, err = tx.ActComplaint(a, number, complaint.Join{Letter: *cmd.Letter, Same: true}); err != nil {
			return st, false, err
		}
	case errors.Is(err, pgx.ErrNoRows):
		if number, err = tx.nextNumber(a, "P-"+tx.now.In(a.Zone).Format("2006")); err != nil {
			return st, false, err
		}
		if st, err = tx.actOnComplaint(a, complaint.Fold(number, nil), []complaint.Command{cmd}); err != nil {
			return st, false, err
		}
		opened = true
	default:
		return st, false, fmt.Errorf("looking for a letter's complaint: %w", err)
	}
	for _, key := range keys {
		if _, err := tx.Exec(tx.ctx, `INSERT INTO complaint_keys (agency, key, number) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`, a.Key, key, number); err != nil {
			return st, false, fmt.Errorf("keeping the keys of %s: %w", number, err)
		}
	}
	return st, opened, nil
}

// ActComplaint carries out commands on a complaint that exists.
func (tx *Tx) ActComplaint(a *agency.Agency, number string, cmds ...complaint.Command) (complaint.State, error) {
	st, err := tx.loadComplaint(a, number)
	if err != nil {
		return complaint.State{}, err
	}
	return tx.actOnComplaint(a, st, cmds)
}

// loadComplaint folds a complaint as it will stay until this transaction ends.
func (tx *Tx) loadComplaint(a *agency.Agency, number string) (complaint.State, error) {
	if _, _, err := tx.lockChain(a.Key); err != nil {
		return complaint.State{}, err
	}
	var owner string
	err := tx.QueryRow(tx.ctx, `SELECT agency FROM complaints WHERE number = $1`, number).Scan(&owner)
	if errors.Is(err, pgx.ErrNoRows) || err == nil && owner != a.Key {
		return complaint.State{}, fmt.Errorf("complaint %s: %w", number, ErrNotFound)
	} else if err != nil {
		return complaint.State{}, fmt.Errorf("reading the owner of %s: %w", number, err)
	}
	events, err := tx.s.complaintEvents(tx.ctx, tx, number)
	if err != nil {
		return complaint.State{}, err
	}
	return tx.recountedComplaint(a, complaint.Fold(number, events))
}

func (tx *Tx) actOnComplaint(a *agency.Agency, st complaint.State, cmds []complaint.Command) (complaint.State, error) {
	for _, cmd := range cmds {
		events, effects, err := complaint.Decide(st, cmd, a, tx.now)
		if err != nil {
			return st, err
		}
		if len(events) > 0 {
			facts := make([]fact, len(events))
			for i, e := range events {
				facts[i] = fact{kind: string(e.Kind), at: e.At, seen: e.Seen, body: e}
			}
			if err := tx.appendFacts(a.Key, st.Number, st.Version, facts); err != nil {
				return st, err
			}
		}
		st = st.With(events)
		// Mails and follow-ups hang on the number and the event alone.
		if err := tx.effects(a, request.State{Number: st.Number, Version: st.Version}, effects); err != nil {
			return st, err
		}
	}
	return st, tx.projectComplaint(a, st)
}

// RemindComplaint tells of the marks of a complaint that have come, as this transaction sees it.
func (tx *Tx) RemindComplaint(a *agency.Agency, number string) error {
	st, err := tx.loadComplaint(a, number)
	if err != nil {
		return err
	}
	due, err := complaint.Reminders(st, a, tx.now)
	if err != nil {
		return err
	}
	_, err = tx.actOnComplaint(a, st, []complaint.Command{complaint.Remind{Due: due}})
	return err
}

// ComplaintsFrom lists the numbers of the complaints that came from an address since an instant, the newest first: machines that answer each
// other, and people who write fifty times, are stopped by it.
func (tx *Tx) ComplaintsFrom(agencyKey, address string, since time.Time) ([]string, error) {
	rows, err := tx.Query(tx.ctx, `SELECT number FROM complaints WHERE agency = $1 AND sender = $2 AND received_at > $3 ORDER BY received_at DESC, number DESC`,
		agencyKey, tx.s.senderKey(address), since)
	if err != nil {
		return nil, fmt.Errorf("counting a sender's complaints: %w", err)
	}
	return pgx.CollectRows(rows, pgx.RowTo[string])
}

func (s *Store) senderKey(address string) []byte {
	return s.Keys.Lookup("address", strings.ToLower(address))
}

func (s *Store) complaintEvents(ctx context.Context, q querier, number string) ([]complaint.Event, error) {
	list, err := eventRows(ctx, q, number, true)
	if err != nil {
		return nil, err
	}
	out := make([]complaint.Event, len(list))
	for i, r := range list {
		if out[i], err = openEventAs[complaint.Event](s, r); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (s *Store) complaints(ctx context.Context, q querier, where string, args ...any) ([]Complaint, error) {
	rows, err := q.Query(ctx, `SELECT `+complaintColumns+` FROM complaints `+where, args...)
	if err != nil {
		return nil, fmt.Errorf("reading complaints: %w", err)
	}
	list, err := pgx.CollectRows(rows, s.scanComplaint)
	if err != nil {
		return nil, fmt.Errorf("reading complaints: %w", err)
	}
	return list, nil
}

func (s *Store) scanComplaint(row pgx.CollectableRow) (c Complaint, err error) {
	var sealed []byte
	err = row.Scan(&c.Number, &c.Agency, &c.Version, &c.Status, &c.Channel, &c.Class, &c.ClassSet, &c.Holder, &c.HolderID, &c.Since, &c.Request,
		&c.ReceivedAt, &c.ClosedAt, &c.DueAt, &c.RemindAt, &c.Calendar, &c.Sender, &sealed)
	if err != nil {
		return c, err
	}
	plain, err := s.Keys.Open(aboutPlace(c.Number), sealed)
	if err != nil {
		return c, err
	}
	var a about
	if err := json.Unmarshal(plain, &a); err != nil {
		return c, fmt.Errorf("reading what %s is about: %w", c.Number, err)
	}
	c.From, c.Summary = a.From, a.Summary
	return c, nil
}

// complaintRow computes the row of a state. Without a calendar for the year its clock stays open, as with requests.
func (s *Store) complaintRow(a *agency.Agency, st complaint.State) (Complaint, error) {
	c := Complaint{
		Number: st.Number, Agency: a.Key, Version: st.Version, Status: st.Status, Channel: st.Channel, ClassSet: st.ClassSet, Holder: st.Holder,
		HolderID: st.HolderID, Since: micro(st.Since), ReceivedAt: micro(st.ReceivedAt), ClosedAt: optional(st.ClosedAt), Calendar: a.Calendar.Version(),
		Sender: s.senderKey(st.From.Email), From: st.From.Called(), Summary: summary(st.Texts),
	}
	if st.Class != nil {
		c.Class = st.Class.ID
	}
	if st.Link != nil {
		c.Request = st.Link.Number
	}
	if !st.Status.Open() {
		return c, nil
	}
	r, err := complaint.Reading(st, a, st.Since)
	var next time.Time
	if err == nil {
		next, err = complaint.NextMark(st, a)
	}
	if errors.Is(err, sop.ErrNoCalendar) {
		return c, nil
	} else if err != nil {
		return c, err
	}
	if r != nil {
		c.DueAt = optional(r.Due)
	}
	c.RemindAt = optional(next)
	return c, nil
}

func summary(texts []string) string {
	if len(texts) == 0 {
		return ""
	}
	words := []rune(letter.Mask(texts[0]))
	if len(words) <= summaryLength {
		return string(words)
	}
	return string(words[:summaryLength]) + " …"
}

func (tx *Tx) projectComplaint(a *agency.Agency, st complaint.State) error {
	c, err := tx.s.complaintRow(a, st)
	if err != nil {
		return fmt.Errorf("projecting %s: %w", st.Number, err)
	}
	plain, err := json.Marshal(about{From: c.From, Summary: c.Summary})
	if err != nil {
		return fmt.Errorf("projecting %s: %w", st.Number, err)
	}
	_, err = tx.Exec(tx.ctx, `INSERT INTO complaints (`+complaintColumns+`)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)
		ON CONFLICT (number) DO UPDATE SET (version, status, channel, class, class_set, holder, holder_id, since, request, received_at, closed_at, due_at,
			remind_at, calendar, sender, about)
		= (excluded.version, excluded.status, excluded.channel, excluded.class, excluded.class_set, excluded.holder, excluded.holder_id, excluded.since,
			excluded.request, excluded.received_at, excluded.closed_at, excluded.due_at, excluded.remind_at, excluded.calendar, excluded.sender, excluded.about)`,
		c.Number, c.Agency, c.Version, c.Status, c.Channel, c.Class, c.ClassSet, c.Holder, c.HolderID, c.Since, c.Request, c.ReceivedAt, c.ClosedAt,
		c.DueAt, c.RemindAt, c.Calendar, c.Sender, tx.s.Keys.Seal(aboutPlace(c.Number), plain))
	if err != nil {
		return fmt.Errorf("writing the row of %s: %w", st.Number, err)
	}
	for _, l := range st.Letters {
		if _, err := tx.Exec(tx.ctx, `INSERT INTO complaint_letters (number, letter_id) VALUES ($1, $2) ON CONFLICT DO NOTHING`, st.Number, l.ID); err != nil {
			return fmt.Errorf("linking letter %d to %s: %w", l.ID, st.Number, err)
		}
	}
	return nil
}

// RebuildComplaints computes every row of an agency's complaints again from its events. It answers how many there are and the numbers of
// those whose stored row was different.
func (s *Store) RebuildComplaints(ctx context.Context, a *agency.Agency, now time.Time) (complaints int, different []string, err error) {
	rows, err := s.Pool.Query(ctx, `SELECT number FROM events WHERE agency = $1 AND version = 1 AND kind = $2 ORDER BY number`, a.Key, complaint.Received)
	if err != nil {
		return 0, nil, fmt.Errorf("listing the complaints of %s: %w", a.Key, err)
	}
	numbers, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return 0, nil, fmt.Errorf("listing the complaints of %s: %w", a.Key, err)
	}
	for _, number := range numbers {
		same, err := s.rebuildComplaint(ctx, a, number, now)
		if err != nil {
			return complaints, different, err
		}
		complaints++
		if !same {
			different = append(different, number)
		}
	}
	return complaints, different, nil
}

func (s *Store) rebuildComplaint(ctx context.Context, a *agency.Agency, number string, now time.Time) (same bool, err error) {
	err = s.InTx(ctx, now, func(tx *Tx) error {
		if _, _, err := tx.lockChain(a.Key); err != nil {
			return err
		}
		events, err := s.complaintEvents(ctx, tx, number)
		if err != nil {
			return err
		}
		st := complaint.Fold(number, events)
		want, err := s.complaintRow(a, st)
		if err != nil {
			return err
		}
		have, err := s.complaints(ctx, tx, `WHERE number = $1`, number)
		if err != nil {
			return err
		}
		if same = len(have) == 1 && sameComplaint(have[0], want); same {
			return nil
		}
		return tx.projectComplaint(a, st)
	})
	return same, err
}

func sameComplaint(a, b Complaint) bool {
	for _, c := range []*Complaint{&a, &b} {
		c.Since, c.ReceivedAt = c.Since.UTC(), c.ReceivedAt.UTC()
		for _, t := range []**time.Time{&c.ClosedAt, &c.DueAt, &c.RemindAt} {
			if *t != nil {
				u := (*t).UTC()
				*t = &u
			}
		}
	}
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	return errX == nil && errY == nil && string(x) == string(y)
}
