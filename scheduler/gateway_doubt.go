package scheduler

import (
	"context"
	"fmt"
	"strings"
	"time"

	"pulih/internal/agency"
	"pulih/internal/request"
	"pulih/internal/sop"
	"pulih/internal/store"
	"pulih/mailflow"
)

// alikeWithin is how long a request may lie back for a letter to be another copy of what it came from: outages last weeks, and what was lost in
// one is registered again under another number.
const alikeWithin = 30 * 24 * time.Hour

// answer is what is known about a letter that may be a request which is there already.
type answer struct {
	join  string // the request that it belongs to: a human said so
	waits bool   // for a human
}

// doubt looks whether a letter that would open a request may be one that is there already, and asks a human if it can't be told: both letters
// side by side, join or apart. Until then the letter opens nothing; its clock starts at its arrival all the same.
func (d *Daemon) doubt(tx *store.Tx, t *tenant, l store.Letter, ref request.Letter, number string, s request.Subject, keys [][]byte) (answer, error) {
	_, known, err := tx.Known(t.Key, keys)
	if err != nil || known {
		return answer{}, err
	}
	who := d.store.Keys.Who(s.NIP, s.Name)
	asked, err := tx.DoubtsAbout(l.ID, who)
	if err != nil {
		return answer{}, err
	}
	apart := map[string]bool{}
	var a answer
	for _, q := range asked {
		switch q.Verdict {
		case store.Join:
			return answer{join: q.Number}, nil
		case store.Apart:
			apart[q.Number] = true
		default:
			a.waits = true
		}
	}
	alike, err := tx.Alike(t.Key, s.NIP, s.Name, number, l.ReceivedAt.Add(-alikeWithin))
	if err != nil {
		return a, err
	}
	for _, other := range alike {
		why := likeness(other, l.ID, ref, number, s)
		if why == "" || apart[other.Number] {
			continue
		}
		a.waits = true
		id, err := tx.AskDoubt(t.Key, l.ID, who, other.Number, why)
		if err != nil {
			return a, err
		}
		if id == 0 {
			continue // asked before
		}
		if err := d.askHumans(tx, t, l.ID, fmt.Sprintf("doubt/%d", id)); err != nil {
			return a, err
		}
	}
	return a, nil
}

// likeness says why a letter may be another copy of a request's letter; "" if nothing speaks for it.
func likeness(other request.State, letterID int64, ref request.Letter, number string, s request.Subject) string {
	same := samePerson(other.Subject, s)
	for _, l := range other.Letters {
		switch {
		case l.ID == letterID:
			return "" // several applicants in one letter
		case same && l.Date != "" && l.Date == ref.Date:
			return "Pemohon dan tanggal surat sama dengan " + other.Number + ", tetapi nomor dan berkasnya berbeda."
		case !same && number != "" && agency.SameNumber(l.Number, number) && sameYear(l.Date, ref.Date):
			return "Nomor surat sama dengan " + other.Number + ", tetapi pemohonnya berbeda."
		}
	}
	if same && other.Status.Open() {
		return "Pemohon masih mempunyai permohonan yang berjalan, " + other.Number + ", dari surat lain."
	}
	return ""
}

// sameYear compares the years of two dates; an unknown one fits any.
func sameYear(a, b string) bool {
	return a == "" || b == "" || a[:min(4, len(a))] == b[:min(4, len(b))]
}

// askHumans mails the verifiers about a letter in doubt, once under a name.
func (d *Daemon) askHumans(tx *store.Tx, t *tenant, letterID int64, once string) error {
	for _, p := range t.Holders(sop.Verifier, d.now()) {
		err := tx.Notify(store.Notice{Agency: t.Key, Once: once + "/" + p.Email, LetterID: letterID, Template: mailflow.NoticeUnclearLetter,
			To: request.Recipient{Kind: "staff", ID: p.ID, Name: p.Name, Address: p.Email}})
		if err != nil {
			return err
		}
	}
	return nil
}

// askAgain reminds of doubts that nobody has settled: once each office day, for a letter that waits keeps no promise.
func (d *Daemon) askAgain(ctx context.Context, t *tenant) error {
	now := d.now()
	if !t.Calendar.Open(now) {
		return nil
	}
	list, err := d.store.Doubts(ctx, t.Key)
	if err != nil || len(list) == 0 {
		return err
	}
	return d.store.InTx(ctx, now, func(tx *store.Tx) error {
		for _, q := range list {
			if now.Sub(q.AskedAt) < 4*time.Hour {
				continue
			}
			if err := d.askHumans(tx, t, q.LetterID, fmt.Sprintf("doubt/%d/%s", q.ID, now.In(t.Zone).Format(time.DateOnly))); err != nil {
				return err
			}
		}
		return nil
	})
}

// whyDoubtful is what the verifiers read about a letter in doubt; "" for others.
func (d *Daemon) whyDoubtful(ctx context.Context, letterID int64) (string, error) {
	list, err := d.store.DoubtsOf(ctx, letterID)
	if err != nil || len(list) == 0 {
		return "", err
	}
	lines := []string{"Surat ini mungkin sama dengan permohonan yang sudah ada; putuskan: gabungkan atau pisahkan."}
	for _, q := range list {
		lines = append(lines, q.Why)
	}
	return strings.Join(lines, "\n"), nil
}
