package store

import (
	"encoding/hex"
	"errors"
	"fmt"
	"slices"

	"pulih/internal/agency"
	"pulih/internal/letter"
	"pulih/internal/request"
)

// PartLetter takes a letter out of a request that it isn't about. Its marks no longer lead there, but for those that a remaining letter has too,
// and a human decides what it is: it is unclear from now on.
func (tx *Tx) PartLetter(a *agency.Agency, number string, cmd request.Part) error {
	s, err := tx.Act(a, number, cmd)
	if err != nil {
		return err
	}
	gone, err := tx.keysOf(cmd.LetterID, s.Subject)
	if err != nil {
		return err
	}
	for _, l := range s.Letters {
		kept, err := tx.keysOf(l.ID, s.Subject)
		if err != nil {
			return err
		}
		gone = slices.DeleteFunc(gone, func(k []byte) bool {
			return slices.ContainsFunc(kept, func(other []byte) bool { return string(k) == string(other) })
		})
	}
	_, err = tx.Exec(tx.ctx, `DELETE FROM request_keys WHERE agency = $1 AND number = $2 AND key = ANY($3)`, a.Key, number, gone)
	if err == nil {
		_, err = tx.Exec(tx.ctx, `DELETE FROM request_letters WHERE number = $1 AND letter_id = $2`, number, cmd.LetterID)
	}
	if err != nil {
		return fmt.Errorf("parting letter %d from %s: %w", cmd.LetterID, number, err)
	}
	return tx.SetKind(cmd.LetterID, letter.Unclear)
}

// keysOf are the marks that a letter of the archive has for an applicant.
func (tx *Tx) keysOf(letterID int64, who request.Subject) ([][]byte, error) {
	l, err := tx.s.Letter(tx.ctx, letterID)
	if err != nil {
		return nil, err
	}
	r, err := tx.s.Reading(tx.ctx, letterID)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return nil, err
	}
	var number, date, srikandiID string
	if r.Letter.Number != nil {
		number = *r.Letter.Number
	}
	if r.Letter.Date != nil {
		date = *r.Letter.Date
	}
	if l.Channel == "srikandi" {
		srikandiID = l.Source
	}
	return append(tx.s.Keys.LetterKeys(number, date, FileSums(l, r), srikandiID, who.NIP, who.Name), tx.s.Keys.HandKey(letterID, who)), nil
}

// HandKey is the mark of a request that a person made of a letter.
func (k *Keys) HandKey(letterID int64, who request.Subject) []byte {
	return k.Lookup("request", fmt.Sprintf("letter\x00%d\x00%s", letterID, who.NIP+who.Name))
}

// FileSums are the contents by which a letter is known again; a mail itself is one, since it is registered so in Srikandi.
func FileSums(l Letter, r letter.Reading) [][]byte {
	var sums [][]byte
	if sum, err := hex.DecodeString(l.Source); err == nil && l.Channel == "mail" {
		sums = append(sums, sum)
	}
	for _, f := range r.Attachments {
		if sum, err := hex.DecodeString(f.SHA256); err == nil && len(sum) > 0 {
			sums = append(sums, sum)
		}
	}
	return sums
}
