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
	Aside         bool   // said on a disposition that asked for nothing: it decides nothing
	Doubt         string // why it can't be taken for a decision, though it sounds like one; in Indonesian, for who wrote it
	At            time.Time
	PersonID      string
	DispositionID string
}

// VerifierDecision finds the last decision of these verifiers in a letter's dispositions. It must be said by a receiver known by NIP, on a
// disposition that asked for action and stands, with a time, and plainly; what only sounds like one has a Doubt. One without a time is the
// last where no other is. Where none is, it finds what they said Aside.
func VerifierDecision(ds []Disposition, verifierIDs ...string) (Decision, bool) {
	if last, ok := lastWord(ds, verifierIDs, Disposition.Asks); ok {
		return last, true
	}
	last, ok := lastWord(ds, verifierIDs, func(d Disposition) bool { return !d.Withdrawn })
	last.Aside = ok
	return last, ok
}

func lastWord(ds []Disposition, verifierIDs []string, on func(Disposition) bool) (last Decision, ok bool) {
	for _, d := range ds {
		if !on(d) {
			continue
		}
		for _, r := range d.To {
			if r.Withdrawn || !slices.Contains(verifierIDs, r.PersonID) {
				continue
			}
			for _, f := range r.FollowUps {
				dec, said := decided(f)
				if !said || ok && f.At.Before(last.At) {
					continue
				}
				switch {
				case f.At.IsZero():
					dec.Doubt = "waktunya tidak tercatat di Srikandi."
				case !r.ByNIP:
					dec.Doubt = "penerima disposisi itu tidak tercatat dengan NIP di Srikandi."
				}
				dec.At, dec.PersonID, dec.DispositionID = f.At, r.PersonID, d.ID
				last, ok = dec, true
			}
		}
	}
	return last, ok
}

// Note is the text of a follow-up by the software. The request's number in front tells it from a verifier's own word when the next poll
// brings it back. It is cut to 1,000 characters.
func Note(number, text string) string {
	runes := []rune("[" + number + "] " + strings.Join(strings.Fields(text), " "))
	return string(runes[:min(len(runes), 1000)])
}

var ownNote = regexp.MustCompile(`^\[[A-Z0-9]+(-[A-Z0-9]+)*-\d+\]`)

// plainWords are all that an approval may hold: any other word may be a condition, a denial or somebody else's name, and no list of those is
// ever whole. An approval that isn't taken costs a minute; one that is wrongly taken can't be undone.
var plainWords = append(strings.Fields(`ya ok oke untuk agar dapat direset reset di passphrase passphrasenya tte nya sertifikat elektronik
	silakan silahkan mohon segera proses diproses lanjut lanjutkan dilanjutkan ditindaklanjuti terima kasih data datanya surat suratnya permohonan ini
	sudah telah dan sesuai benar lengkap cocok diperiksa saya kami oleh verifikator pak bu bapak ibu atas dengan`), approving...)

var approving = []string{"disetujui", "setuju", "setujui"}

// decisive are words of which a follow-up is meant as a decision, or sounds like one.
var decisive = strings.Fields(`disetujui setuju setujui menyetujui dikembalikan kembalikan mengembalikan ditolak tolak menolak acc approve approved`)

// agreeing are statuses of a follow-up that don't speak against an approval; what a status says is open (contracts/srikandi.md).
var agreeing = []string{"", StatusProcessing, StatusDone, "disetujui", "setuju", "ditindaklanjuti"}

func decided(f TindakLanjut) (dec Decision, ok bool) {
	note := strings.TrimSpace(f.Note)
	if ownNote.MatchString(note) {
		return Decision{}, false
	}
	status, words := strings.Join(foldWords(f.Status), " "), foldWords(note)
	if len(words) == 0 {
		words = foldWords(f.Status)
	}
	first := ""
	if len(words) > 0 {
		first = words[0]
	}
	says := func(list []string) bool {
		return slices.ContainsFunc(words, func(w string) bool { return slices.Contains(list, w) })
	}
	switch {
	case slices.Contains(approving, first) && slices.Contains(agreeing, status) && !strings.Contains(note, "?") &&
		!slices.ContainsFunc(words, func(w string) bool { return !slices.Contains(plainWords, w) }):
		return Decision{Approved: true}, true
	case first == StatusReturned && !strings.Contains(note, "?") && !says(approving):
		_, reason, _ := strings.Cut(note, ":")
		return Decision{Reason: strings.TrimSpace(reason)}, true
	case status == StatusReturned && !says(decisive):
		return Decision{Reason: note}, true
	case status == StatusReturned, slices.Contains(approving, status), says(decisive):
		return Decision{Doubt: `kata-katanya tidak jelas sebagai keputusan. Tulis "Disetujui" saja, atau "Dikembalikan: " dengan alasannya.`}, true
	}
	return Decision{}, false
}
