package bsre_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"pulih/bsre"
)

var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, bsre.WIB)

func until(serial string, status bsre.Code, days int) bsre.Certificate {
	return bsre.Certificate{Serial: serial, Status: status, NotBefore: noon.AddDate(-1, 0, 0), NotAfter: noon.AddDate(0, 0, days)}
}

func undated(serial string) bsre.Certificate {
	return bsre.Certificate{Serial: serial, Status: bsre.Issue}
}

func TestTheCertificateThatAResetIsFor(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		have []bsre.Certificate
		want string
		why  bsre.Why
		says string
	}{
		{"the only one", []bsre.Certificate{until("aa", bsre.Issue, 9)}, "aa", "", ""},
		{"the latest", []bsre.Certificate{until("aa", bsre.Issue, 9), until("bb", bsre.Issue, 90), until("cc", bsre.Issue, 30)}, "bb", "", ""},
		{"not a later one that was revoked", []bsre.Certificate{until("aa", bsre.Issue, 9), until("bb", bsre.Revoke, 90)}, "aa", "", ""},
		{"the only one, its end unknown", []bsre.Certificate{undated("aa"), until("bb", bsre.Expired, -3)}, "aa", "", ""},
		{"the one that isn't over", []bsre.Certificate{until("aa", bsre.Issue, -1), until("bb", bsre.Issue, 1)}, "bb", "", ""},

		{"none", nil, "", bsre.WhyNone, "belum memiliki"},
		{"none in ISSUE", []bsre.Certificate{until("aa", bsre.Expired, -9), until("bb", bsre.Unknown, 9)}, "", bsre.WhyNotIssue, "EXPIRED, UNKNOWN"},
		{"over", []bsre.Certificate{until("aa", bsre.Issue, 0)}, "", bsre.WhyExpired, "lewat masa berlakunya"},
		{"two that end together", []bsre.Certificate{until("aa", bsre.Issue, 9), until("bb", bsre.Issue, 9)}, "", bsre.WhyUndecided, "Periksa langsung"},
		{"two, one end unknown", []bsre.Certificate{until("aa", bsre.Issue, 9), undated("bb")}, "", bsre.WhyUndecided, "Periksa langsung"},
		{"no serial number", []bsre.Certificate{until("", bsre.Issue, 9)}, "", bsre.WhyNoSerial, "Nomor seri"},
		{"a uuid for a serial number", []bsre.Certificate{until(someUID, bsre.Issue, 9)}, "", bsre.WhyNoSerial, "Nomor seri"},
	} {
		got, err := bsre.Choose(bsre.Details{Certificates: c.have}, noon)
		var no *bsre.NoChoice
		switch {
		case c.why == "" && (err != nil || got.Serial != c.want):
			t.Errorf("%s: %v, %v", c.name, got, err)
		case c.why != "" && (!errors.As(err, &no) || no.Why != c.why || got.Serial != "" || !strings.Contains(no.Sentence(), c.says)):
			t.Errorf("%s: %v, %v", c.name, got, err)
		}
	}
}

func drawCertificates(t *rapid.T, label string) []bsre.Certificate {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) bsre.Certificate {
		c := bsre.Certificate{
			Serial: rapid.SampledFrom([]string{"aa", "AA", "0aa", "bb", "cc", "", "no-hex"}).Draw(t, "serial"),
			Status: rapid.SampledFrom([]bsre.Code{bsre.Issue, bsre.Issue, bsre.Expired, bsre.Revoke, bsre.Unknown}).Draw(t, "status"),
		}
		if rapid.Bool().Draw(t, "dated") {
			c.NotBefore = noon.AddDate(0, 0, rapid.IntRange(-400, 20).Draw(t, "from"))
			c.NotAfter = noon.AddDate(0, 0, rapid.IntRange(-20, 400).Draw(t, "until"))
		}
		return c
	}), 0, 4).Draw(t, label)
}

// What is chosen is in ISSUE and not over, and no other one in ISSUE ends as late.
func TestChoosingNeverGuesses(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		d := bsre.Details{Certificates: drawCertificates(t, "certificates")}
		got, err := bsre.Choose(d, noon)
		if err != nil {
			return
		}
		if got.Status != bsre.Issue || !got.NotAfter.IsZero() && !noon.Before(got.NotAfter) {
			t.Fatalf("chose %v until %v", got, got.NotAfter)
		}
		rivals := 0
		for _, c := range d.Certificates {
			if c.Status == bsre.Issue && (c.NotAfter.IsZero() || noon.Before(c.NotAfter) && (got.NotAfter.IsZero() || !c.NotAfter.Before(got.NotAfter))) {
				rivals++
			}
		}
		if rivals != 1 {
			t.Fatalf("%d certificates could have been chosen of %d", rivals, len(d.Certificates))
		}
	})
}

func TestWhatShowsThatThePassphraseWasSet(t *testing.T) {
	t.Parallel()
	booked := noon
	at := func(serial string, status bsre.Code, from time.Time) bsre.Certificate {
		return bsre.Certificate{Serial: serial, Status: status, NotBefore: from, NotAfter: noon.AddDate(1, 0, 0)}
	}
	long := noon.AddDate(-1, 0, 0)
	before := []bsre.Certificate{at("AA01", bsre.Issue, long), at("BB01", bsre.Issue, long)}
	for _, c := range []struct {
		name          string
		before, after []bsre.Certificate
		want          bool
	}{
		{"nothing changed", before, before, false},
		{"newer beginning", before, []bsre.Certificate{at("aa01", bsre.Issue, booked.Add(time.Hour))}, true},
		{"newer beginning, dated back to midnight", before, []bsre.Certificate{at("AA01", bsre.Issue, booked.Add(-12*time.Hour))}, true},
		{"newer beginning, but not in ISSUE", before, []bsre.Certificate{at("AA01", bsre.Renew, booked.Add(time.Hour))}, false},
		{"a beginning shifted by a zone", before, []bsre.Certificate{at("AA01", bsre.Issue, long.Add(7*time.Hour))}, false},
		{"the beginning is gone", before, []bsre.Certificate{at("AA01", bsre.Issue, time.Time{})}, false},
		{"another serial", before, []bsre.Certificate{at("AA01", bsre.Revoke, long), at("CC01", bsre.Issue, booked.Add(time.Hour))}, true},
		{"another serial, undated", before, []bsre.Certificate{at("CC01", bsre.Issue, time.Time{})}, true},
		{"another serial, not yet in ISSUE", before, []bsre.Certificate{at("CC01", bsre.New, booked.Add(time.Hour))}, false},
		{"another serial that was there before", before, []bsre.Certificate{at("BB01", bsre.Issue, long)}, false},
		{"another serial from long ago", before, []bsre.Certificate{at("CC01", bsre.Issue, long)}, false},
		{"the same serial, written otherwise", before, []bsre.Certificate{at("00:aa:01", bsre.Issue, long)}, false},
		{"nothing was read before, old one now", nil, before, false},
		{"nothing was read before, undated one now", nil, []bsre.Certificate{at("CC01", bsre.Issue, time.Time{})}, false},
		{"nothing was read before, fresh one now", nil, []bsre.Certificate{at("CC01", bsre.Issue, booked.Add(time.Hour))}, true},
		{"nothing was read before, the same one fresh", nil, []bsre.Certificate{at("AA01", bsre.Issue, booked.Add(time.Hour))}, false},
		{"nothing is there now", before, nil, false},
	} {
		done, why := bsre.Completed(bsre.Details{Certificates: c.before}, bsre.Details{Certificates: c.after}, booked, "AA01")
		if done != c.want || !strings.HasSuffix(why, ".") {
			t.Errorf("%s: %v (%s)", c.name, done, why)
		}
	}
}

// The record of before never shows completion by itself, whatever is in it and however often it is read.
func TestTheSameRecordIsNeverCompletion(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		d := bsre.Details{Certificates: drawCertificates(t, "before")}
		serial := rapid.SampledFrom([]string{"aa", "AA", "bb", "", "zz"}).Draw(t, "serial")
		booked := noon.AddDate(0, 0, rapid.IntRange(-500, 30).Draw(t, "booked"))
		// One serial in several rows with several dates is a record that BSrE doesn't write.
		seen := map[string]bool{}
		d.Certificates = slices.DeleteFunc(d.Certificates, func(c bsre.Certificate) bool {
			key := strings.TrimLeft(strings.ToLower(c.Serial), "0")
			again := seen[key]
			seen[key] = true
			return again
		})
		if done, why := bsre.Completed(d, d, booked, serial); done {
			t.Fatalf("completed: %s", why)
		}
	})
}
