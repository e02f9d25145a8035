package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// This file keeps what Srikandi's workers need: follow-ups and registrations.

// FollowUp is a row of follow_ups.
type FollowUp struct {
	ID          int64
	Agency      string
	Number      string
	SrikandiID  string
	Disposition string
	Status      string
	Note        string
	Key         string
	State       string
}

// FollowUp returns one row and whether an earlier one of the same letter still waits: they are written in order.
func (s *Store) FollowUp(ctx context.Context, id int64) (f FollowUp, mustWait bool, err error) {
	var sealed []byte
	err = s.Pool.QueryRow(ctx, `SELECT id, agency, number, srikandi_id, coalesce(disposition, ''), status, note, sealed, key, state,
		EXISTS (SELECT FROM follow_ups e WHERE e.agency = f.agency AND e.srikandi_id = f.srikandi_id AND e.id < f.id AND e.state = 'waiting')
		FROM follow_ups f WHERE id = $1`, id).Scan(&f.ID, &f.Agency, &f.Number, &f.SrikandiID, &f.Disposition, &f.Status, &f.Note, &sealed, &f.Key, &f.State, &mustWait)
	if err == nil && sealed != nil {
		var plain []byte
		plain, err = s.Keys.Open(notePlace(f.Key), sealed)
		f.Note = string(plain)
	}
	if err != nil {
		return f, false, fmt.Errorf("reading follow-up %d: %w", id, err)
	}
	return f, mustWait, nil
}

// TwinOf finds another letter of a request in Srikandi that is there, when one is gone: the newest; "" if there is none, or if it
// is told the same by itself.
func (s *Store) TwinOf(ctx context.Context, f FollowUp) (string, error) {
	var twin string
	err := s.Pool.QueryRow(ctx, `SELECT l.source FROM letters l JOIN request_letters rl ON rl.letter_id = l.id
		WHERE rl.number = $1 AND l.channel = 'srikandi' AND l.source <> $2 AND l.gone_at IS NULL
			AND NOT EXISTS (SELECT FROM follow_ups own WHERE own.number = $1 AND own.srikandi_id = l.source AND own.version = (SELECT version FROM follow_ups WHERE id = $3))
		ORDER BY l.id DESC LIMIT 1`, f.Number, f.SrikandiID, f.ID).Scan(&twin)
	if errors.Is(err, pgx.ErrNoRows) {
		return "", nil
	} else if err != nil {
		return "", fmt.Errorf("looking for another letter of %s: %w", f.Number, err)
	}
	return twin, nil
}

// SettleFollowUp writes what became of it: "done", or "dropped" when the letter is gone.
func (tx *Tx) SettleFollowUp(id int64, state, reply string) error {
	_, err := tx.Exec(tx.ctx, `UPDATE follow_ups SET state = $2, reply = $3, done_at = $4 WHERE id = $1`, id, state, reply, tx.now)
	if err != nil {
		return fmt.Errorf("settling follow-up %d: %w", id, err)
	}
	return nil
}

// AskRegistration queues a letter that came by mail for Srikandi, once.
func (tx *Tx) AskRegistration(agencyKey string, letterID int64) error {
	tag, err := tx.Exec(tx.ctx, `INSERT INTO registrations (letter_id, agency, state) VALUES ($1, $2, 'waiting') ON CONFLICT DO NOTHING`, letterID, agencyKey)
	if err != nil {
		return fmt.Errorf("queueing the registration of letter %d: %w", letterID, err)
	}
	if tag.RowsAffected() == 0 {
		return nil
	}
	return tx.Enqueue(RegisterLetter{LetterID: letterID}, nil)
}

// Registered notes where a letter from the mail stands in Srikandi; an empty id means that the gateway offers no registration. The
// requests of the letter are known by that id from now on.
func (tx *Tx) Registered(agencyKey string, letterID int64, srikandiID string) error {
	state := "done"
	if srikandiID == "" {
		state = "not-offered"
	}
	_, err := tx.Exec(tx.ctx, `UPDATE registrations SET state = $2, srikandi_id = nullif($3, '') WHERE letter_id = $1`, letterID, state, srikandiID)
	if err != nil {
		return fmt.Errorf("noting the registration of letter %d: %w", letterID, err)
	}
	return nil
}

// RegisteredFrom finds the letter from the mail that was registered in Srikandi under an id.
func (s *Store) RegisteredFrom(ctx context.Context, agencyKey, srikandiID string) (letterID int64, ok bool, err error) {
	err = s.Pool.QueryRow(ctx, `SELECT letter_id FROM registrations WHERE agency = $1 AND srikandi_id = $2`, agencyKey, srikandiID).Scan(&letterID)
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, false, nil
	} else if err != nil {
		return 0, false, fmt.Errorf("looking for a registered letter: %w", err)
	}
	return letterID, true, nil
}
