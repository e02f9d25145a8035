package bsre

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// NoChoice says why no certificate can be chosen for a reset.
type NoChoice struct {
	Why   Why
	Found []Code // the states of the certificates that there are, in the portal's order
}

// Why is a reason for NoChoice.
type Why string

// The reasons.
const (
	WhyNone      Why = "none"      // the user has no certificate
	WhyNotIssue  Why = "not-issue" // none is in ISSUE
	WhyExpired   Why = "expired"   // those in ISSUE are past their validity
	WhyNoSerial  Why = "no-serial" // the chosen one's serial number is missing or isn't hex
	WhyUndecided Why = "undecided" // several in ISSUE, and the dates don't tell which is the latest
)

func (n *NoChoice) Error() string { return "choosing a certificate: " + string(n.Why) }

// Sentence tells the verifier, in Indonesian.
func (n *NoChoice) Sentence() string {
	switch n.Why {
	case WhyNone:
		return "Pengguna ini belum memiliki sertifikat di AMS."
	case WhyNotIssue:
		var states []string
		for _, c := range n.Found {
			states = append(states, string(c))
		}
		return "Tidak ada sertifikat yang berstatus ISSUE (yang ada: " + strings.Join(states, ", ") + ")."
	case WhyExpired:
		return "Sertifikat yang berstatus ISSUE sudah lewat masa berlakunya."
	case WhyNoSerial:
		return "Nomor seri sertifikat tidak tercatat atau tidak terbaca di AMS."
	}
	return "Ada beberapa sertifikat berstatus ISSUE dan tanggalnya tidak menunjukkan mana yang terakhir. Periksa langsung di AMS."
}

// Choose returns the certificate that a reset is for: the one in ISSUE with the latest end of validity. The error is a *NoChoice. A
// certificate whose end isn't known is chosen only when it is the only one in ISSUE.
func Choose(d Details, now time.Time) (Certificate, error) {
	no := &NoChoice{Why: WhyNone}
	var issued, valid []Certificate
	for _, c := range d.Certificates {
		no.Found = append(no.Found, c.Status)
		if c.Status != Issue {
			continue
		}
		issued = append(issued, c)
		if c.NotAfter.IsZero() || now.Before(c.NotAfter) {
			valid = append(valid, c)
		}
	}
	switch {
	case len(d.Certificates) == 0:
		return Certificate{}, no
	case len(issued) == 0:
		no.Why = WhyNotIssue
		return Certificate{}, no
	case len(valid) == 0:
		no.Why = WhyExpired
		return Certificate{}, no
	}
	slices.SortStableFunc(valid, func(a, b Certificate) int { return b.NotAfter.Compare(a.NotAfter) })
	undated := slices.ContainsFunc(valid, func(c Certificate) bool { return c.NotAfter.IsZero() })
	switch {
	case len(valid) > 1 && (undated || valid[0].NotAfter.Equal(valid[1].NotAfter)):
		no.Why = WhyUndecided
		return Certificate{}, no
	case !isSerial(valid[0].Serial):
		no.Why = WhyNoSerial
		return Certificate{}, no
	}
	return valid[0], nil
}

// Backdating is how far before the booking a certificate that the reset brought may begin: authorities date back, some to midnight.
const Backdating = 24 * time.Hour

// Completed reports whether the details after a reset show that the applicant has set the new passphrase: a newer beginning of the
// certificate that was reset, or another serial number in ISSUE. ISSUE alone proves nothing, it holds before and after
// (contracts/bsre.md, "Success"). why is an Indonesian sentence either way.
func Completed(before, after Details, bookedAt time.Time, serial string) (done bool, why string) {
	old, known := bySerial(before, serial)
	earliest := bookedAt.Add(-Backdating)
	for _, c := range after.Certificates {
		if c.Status != Issue {
			continue
		}
		fresh := c.NotBefore.After(earliest)
		if SameSerial(c.Serial, serial) {
			if fresh && c.NotBefore.After(old.NotBefore) && known {
				return true, "Sertifikat yang sama berlaku mulai tanggal yang baru."
			}
			continue
		}
		_, wasThere := bySerial(before, c.Serial)
		if wasThere || foldSerial(c.Serial) == "" {
			continue
		}
		if fresh || c.NotBefore.IsZero() && known {
			return true, "Sertifikat dengan nomor seri baru telah terbit."
		}
	}
	return false, "Belum ada sertifikat baru; status ISSUE saja tidak membuktikan passphrase sudah dibuat."
}

func bySerial(d Details, serial string) (Certificate, bool) {
	for _, c := range d.Certificates {
		if SameSerial(c.Serial, serial) {
			return c, true
		}
	}
	return Certificate{}, false
}

// String tells a certificate apart for an operator: its end of serial and state, no person.
func (c Certificate) String() string {
	s := c.Serial
	if len(s) > 6 {
		s = "…" + s[len(s)-6:]
	}
	return fmt.Sprintf("%s (%s)", s, c.Status)
}
