package srikandi

import (
	"regexp"
	"slices"
	"strings"
	"time"
)

// Decision is a verifier's word, written in Srikandi as a follow-up on their disposition: "disetujui" or "dikembalikan: ...". It counts
// where the agency allows it, and only for what the verifier saw: compare At with the letter's last change.
type Decision struct {
	Approved      bool
	Reason        string // of a return: what is missing; may be empty
	At            time.Time
	PersonID      string
	DispositionID string
}

// VerifierDecision finds the last decision of these verifiers in a letter's dispositions. It must be said by a receiver known by NIP, on a
// disposition that asked for action and stands, with a time, and plainly: "disetujui dengan catatan" and the like are for a human.
func VerifierDecision(ds []Disposition, verifierIDs ...string) (Decision, bool) {
	var last Decision
	for _, d := range ds {
		if !d.Asks() {
			continue
		}
		for _, r := range d.To {
			if r.Withdrawn || !r.ByNIP || !slices.Contains(verifierIDs, r.PersonID) {
				continue
			}
			for _, f := range r.FollowUps {
				approved, reason, ok := decided(f)
				if ok && !f.At.IsZero() && !f.At.Before(last.At) {
					last = Decision{approved, reason, f.At, r.PersonID, d.ID}
				}
			}
		}
	}
	return last, !last.At.IsZero()
}

// Note is the text of a follow-up by the software. The request's number in front tells it from a verifier's own word when the next poll
// brings it back. It is cut to 1,000 characters.
func Note(number, text string) string {
	runes := []rune("[" + number + "] " + strings.Join(strings.Fields(text), " "))
	return string(runes[:min(len(runes), 1000)])
}

var ownNote = regexp.MustCompile(`^\[[A-Z0-9]+(-[A-Z0-9]+)*-\d+\]`)

// doubts make an approval conditional or deny it.
var doubts = []string{"tidak", "tdk", "belum", "bukan", "jangan", "catatan", "setelah", "jika", "apabila", "bila", "asal", "asalkan", "kecuali", "namun",
	"tapi", "tetapi", "syarat", "menunggu", "tunda", "ditunda", "sebelum", "kembalikan", "dikembalikan", "tolak", "ditolak", "batal", "dibatalkan"}

func decided(f TindakLanjut) (approved bool, reason string, ok bool) {
	note := strings.TrimSpace(f.Note)
	if ownNote.MatchString(note) {
		return false, "", false
	}
	status, words := foldWords(f.Status), foldWords(note)
	opens := func(with ...string) bool {
		return len(words) > 0 && slices.Contains(with, words[0]) || len(words) == 0 && len(status) == 1 && slices.Contains(with, status[0])
	}
	doubted := slices.ContainsFunc(append(status, words...), func(w string) bool { return slices.Contains(doubts, w) })
	switch {
	case opens("disetujui", "setuju", "setujui"):
		return true, "", !doubted
	case opens("dikembalikan"):
		if len(words) > 0 {
			_, reason, _ = strings.Cut(note, ":")
		}
		return false, strings.TrimSpace(reason), true
	case len(status) == 1 && status[0] == StatusReturned:
		return false, note, true
	case len(status) == 1 && status[0] == "disetujui":
		return true, "", !doubted
	}
	return false, "", false
}
