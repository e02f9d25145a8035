package scheduler

import (
	"context"
	"errors"
	"time"

	"pulih/internal/request"
	"pulih/internal/store"
	"pulih/srikandi"
)

// askEvery is how often Srikandi is asked again for the letter of a request whose reset wasn't made yet: a letter that was deleted shows
// nowhere else (store.NaskahDue).
func (d *Daemon) askEvery(t *tenant) time.Duration {
	if t.Calendar.Open(d.now()) {
		return 5 * time.Minute
	}
	return time.Hour
}

const (
	isCancelled = "Surat ini dibatalkan di Srikandi."
	isDeleted   = "Surat ini tidak ada lagi di Srikandi."
	isBack      = "Surat ini ada kembali di Srikandi."
	isRestored  = "Pembatalan surat ini dicabut di Srikandi."
)

// whereabouts tells the requests of letters that are no longer there, and of those that were gone and are there: a gateway may have erred. What
// was voided meanwhile stays void. All letters are marked before the first request is touched: a reader takes the two in that order as well.
func (d *Daemon) whereabouts(tx *store.Tx, t *tenant, there []srikandi.Naskah, missing []string) error {
	var standing []string
	for _, n := range there {
		if !n.Cancelled {
			standing = append(standing, n.ID)
		}
	}
	back, err := tx.MarkBack(t.Key, standing)
	if err != nil {
		return err
	}
	gone, err := tx.MarkGone(t.Key, missing)
	if err != nil {
		return err
	}
	for _, b := range back {
		if _, err := tx.Act(t.Agency, b.Number, request.Back{LetterID: b.LetterID, Text: isBack}); err != nil {
			return err
		}
	}
	for _, g := range gone {
		if err := d.withdrawn(tx, t, g.Number, g.LetterID, isDeleted); err != nil {
			return err
		}
	}
	return nil
}

// withdrawn tells a request what its sender has just done to its letter. An approval that waits for its call was given on a letter that
// stood: it is void. Who approves again has seen the finding, and is heard.
func (d *Daemon) withdrawn(tx *store.Tx, t *tenant, number string, letterID int64, why string) error {
	st, err := tx.Act(t.Agency, number, request.Gone{LetterID: letterID, Text: why})
	if err != nil || !st.Voidable() {
		return err
	}
	_, err = tx.Act(t.Agency, number, request.Unable{Text: why + " Reset tidak diajukan; pastikan dahulu kepada kantor pengirimnya."})
	return err
}

const (
	// lookWithin is how long a reset waits for one answer of Srikandi's.
	lookWithin = 10 * time.Second
	// lookPatience is how long after its approval a reset waits for a Srikandi that doesn't answer, or for an edited letter to be read.
	lookPatience = 5 * time.Minute

	unanswered = held("Srikandi tidak menjawab; surat dilihat sekali lagi sebelum reset diajukan.")
	unread     = held("Surat ini baru diubah di Srikandi; dibaca dahulu sebelum reset diajukan.")
	missing    = held(isDeleted)
)

// letterStands asks Srikandi for the letters of an approved request, right before its reset is made: a reset for a withdrawn letter can't be
// undone. The error is held while the reset must wait, or when what was found has voided its approval.
func (d *Daemon) letterStands(ctx context.Context, t *tenant, s request.State) error {
	for _, l := range s.Letters {
		if t.gateway == nil || l.Channel != "srikandi" {
			continue
		}
		if err := d.lookAtLetter(ctx, t, s, l); err != nil {
			return err
		}
	}
	return nil
}

func (d *Daemon) lookAtLetter(ctx context.Context, t *tenant, s request.State, ref request.Letter) error {
	l, err := d.store.Letter(ctx, ref.ID)
	if err != nil || l.GoneAt != nil { // gone before the approval: its verifier knew
		return err
	}
	was, err := d.lastReading(ctx, t, l)
	if err != nil {
		return err
	}
	within, cancel := context.WithTimeout(ctx, lookWithin)
	defer cancel()
	n, err := t.gateway.Letter(within, ref.SrikandiID)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, srikandi.ErrGone):
		err = d.store.InTx(ctx, d.now(), func(tx *store.Tx) error { return d.whereabouts(tx, t, nil, []string{ref.SrikandiID}) })
		if err == nil {
			err = missing
		}
		return err
	case err != nil:
		d.log.Warn("letter not seen again before its reset", "agency", t.Key, "letter", l.ID, "err", err)
		return unanswered
	case was == nil || len(srikandi.Changes(was.naskah, n)) == 0: // what was approved is the same; was it taken back?
		if _, back := takenBack(t, s, ref.ID, srikandi.Dispositions(n, t.Agency)); !back {
			return nil
		}
	}
	err = d.store.InTx(ctx, d.now(), func(tx *store.Tx) error {
		_, err := tx.SaveNaskah(t.Key, []store.Naskah{d.kept(n)})
		return err
	})
	if err == nil {
		err = unread
	}
	return err
}

// lookBeforeAssisted does so before a verifier is asked to make the reset by hand, and says whether their mail must wait: for an edited letter
// to be read, not for an answer of Srikandi's, since what is found later goes to the verifiers as well. A mail whose approval is void isn't
// sent (stale).
func (d *Daemon) lookBeforeAssisted(ctx context.Context, t *tenant, number string) (wait bool, err error) {
	s, err := d.store.State(ctx, number)
	if err != nil || !s.Status.AwaitsReset() {
		return false, err
	}
	err = d.letterStands(ctx, t, s)
	if errors.Is(err, unread) && d.now().Before(s.Approval.At.Add(lookPatience)) {
		return true, nil
	}
	var waits held
	if errors.As(err, &waits) {
		return false, nil
	}
	return false, err
}
