package bsre_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"pulih/bsre"
	"pulih/internal/agency"
)

// allowed is a reset that no rule forbids.
func allowed() bsre.GuardInput {
	return bsre.GuardInput{
		Now: noon, Mode: agency.AMS,
		Applicant: agency.Official{Name: "Sulastri, S.Pd.", NIP: "199004052015042001", Email: email},
		Address:   email, Serial: "aa01",
		AMS: &bsre.Details{
			Profile:      bsre.Profile{Email: "SULASTRI@purbalinggakab.go.id"},
			Certificates: []bsre.Certificate{until("AA01", bsre.Issue, 90)},
		},
		Status:   bsre.Issue,
		Approver: agency.Person{ID: "rini", Name: "Rini Wulandari, S.Kom.", NIP: "198808082010012002", Email: "rini@purbalinggakab.go.id"},
	}
}

func rules(in bsre.GuardInput) []string {
	var out []string
	for _, r := range bsre.Guard(in) {
		name := string(r.Rule)
		if r.Hold {
			name += " (hold)"
		}
		if !strings.HasSuffix(r.Sentence, ".") {
			name += " without a sentence"
		}
		out = append(out, name)
	}
	return out
}

func TestGuardRails(t *testing.T) {
	t.Parallel()
	second := agency.Person{ID: "budi", Name: "Budi", NIP: "198001012005011001"}
	for _, c := range []struct {
		name string
		edit func(*bsre.GuardInput)
		want []string
	}{
		{"nothing in the way", func(*bsre.GuardInput) {}, nil},
		{"assisted, AMS not read", func(in *bsre.GuardInput) { in.Mode, in.AMS, in.Status = agency.Assisted, nil, "" }, nil},
		{"no gateway", func(in *bsre.GuardInput) { in.Status = "" }, nil},

		{"stopped", func(in *bsre.GuardInput) { in.Stopped = true }, []string{"stopped (hold)"}},
		{"stopped, assisted", func(in *bsre.GuardInput) { in.Mode, in.AMS, in.Stopped = agency.Assisted, nil, true }, []string{"stopped (hold)"}},
		{"an address that the directory doesn't know", func(in *bsre.GuardInput) {
			in.Address, in.AMS.Profile.Email = "sulastri@gmail.com", "sulastri@gmail.com"
		}, []string{"unknown-address"}},
		{"an applicant that the directory doesn't know", func(in *bsre.GuardInput) { in.Applicant = agency.Official{} }, []string{"unknown-address"}},
		{"AMS has another address", func(in *bsre.GuardInput) { in.AMS.Profile.Email = "lain@purbalinggakab.go.id" }, []string{"other-address"}},
		{"AMS has no address", func(in *bsre.GuardInput) { in.AMS.Profile.Email = "" }, []string{"other-address"}},
		{"no address anywhere", func(in *bsre.GuardInput) { in.Address, in.Applicant.Email, in.AMS.Profile.Email = "", "", "" }, []string{"unknown-address", "other-address"}},
		{"AMS not read", func(in *bsre.GuardInput) { in.AMS = nil }, []string{"not-read (hold)"}},
		{"mode not set, AMS not read", func(in *bsre.GuardInput) { in.Mode, in.AMS = "", nil }, []string{"not-read (hold)"}},
		{"phone unverified", func(in *bsre.GuardInput) { in.AMS.Profile.NeedsPhoneCheck = true }, []string{"phone (hold)"}},

		{"revoked in AMS", func(in *bsre.GuardInput) { in.AMS.Certificates[0].Status = bsre.Revoke }, []string{"not-issue"}},
		{"expired in AMS", func(in *bsre.GuardInput) { in.Now = noon.AddDate(1, 0, 0) }, []string{"not-issue"}},
		{"expired for the gateway", func(in *bsre.GuardInput) { in.Status = bsre.Expired }, []string{"not-issue"}},
		{"the gateway doesn't know", func(in *bsre.GuardInput) { in.Status = bsre.Unknown }, []string{"not-issue (hold)"}},
		{"assisted, and the gateway says no", func(in *bsre.GuardInput) { in.Mode, in.AMS, in.Status = agency.Assisted, nil, bsre.Suspend }, []string{"not-issue"}},
		{"a newer certificate than the approved one", func(in *bsre.GuardInput) {
			in.AMS.Certificates = append(in.AMS.Certificates, until("BB02", bsre.Issue, 900))
		}, []string{"other-serial"}},

		{"approved by the applicant, by NIP", func(in *bsre.GuardInput) { in.Approver.NIP = in.Applicant.NIP }, []string{"own-request"}},
		{"approved by the applicant, by address", func(in *bsre.GuardInput) { in.Approver.Email = strings.ToUpper(email) }, []string{"own-request"}},
		{"approved by the applicant, by name", func(in *bsre.GuardInput) { in.Approver = agency.Person{ID: "s", Name: "SULASTRI"} }, []string{"own-request"}},
		{"approved by nobody", func(in *bsre.GuardInput) { in.Approver = agency.Person{} }, []string{"own-request"}},

		{"again after 6 days", func(in *bsre.GuardInput) { in.LastReset = noon.AddDate(0, 0, -6) }, []string{"repeat"}},
		{"again after 7 days", func(in *bsre.GuardInput) { in.LastReset = noon.AddDate(0, 0, -7) }, nil},
		{"again, the clock went back", func(in *bsre.GuardInput) { in.LastReset = noon.AddDate(0, 0, 40) }, []string{"repeat"}},
		{"again within the agency's own span", func(in *bsre.GuardInput) {
			in.LastReset, in.Rules.RepeatWithin = noon.AddDate(0, 0, -20), 30*24*time.Hour
		}, []string{"repeat"}},
		{"again with a second verifier", func(in *bsre.GuardInput) { in.LastReset, in.Second = noon, second }, nil},
		{"again with oneself as the second", func(in *bsre.GuardInput) { in.LastReset, in.Second = noon, in.Approver }, []string{"repeat"}},
		{"again with the applicant as the second", func(in *bsre.GuardInput) {
			in.LastReset, in.Second = noon, agency.Person{ID: "s", NIP: in.Applicant.NIP}
		}, []string{"repeat"}},

		{"the agency's cap", func(in *bsre.GuardInput) { in.AgencyToday = 50 }, []string{"agency-cap (hold)"}},
		{"below the agency's cap", func(in *bsre.GuardInput) { in.AgencyToday = 49 }, nil},
		{"the agency's own cap", func(in *bsre.GuardInput) { in.AgencyToday, in.Rules.DailyResets = 3, 3 }, []string{"agency-cap (hold)"}},
		{"the verifier's cap", func(in *bsre.GuardInput) { in.VerifierToday, in.VerifierCap = 5, 5 }, []string{"verifier-cap (hold)"}},
		{"everything at once: decisions first, the phone last", func(in *bsre.GuardInput) {
			in.Stopped, in.AMS.Profile.NeedsPhoneCheck, in.AgencyToday, in.Approver = true, true, 50, agency.Person{}
		}, []string{"own-request", "stopped (hold)", "agency-cap (hold)", "phone (hold)"}},
	} {
		in := allowed()
		c.edit(&in)
		if got := rules(in); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

// Whatever else is the case, what Guard lets through in ams mode goes to the one address that letter, directory and AMS share, for a
// certificate in ISSUE, by somebody else than the applicant.
func TestWhatGuardLetsThrough(t *testing.T) {
	t.Parallel()
	addresses := []string{email, strings.ToUpper(email), "lain@purbalinggakab.go.id", ""}
	rapid.Check(t, func(t *rapid.T) {
		in := allowed()
		in.Stopped = rapid.Bool().Draw(t, "stopped")
		in.Address = rapid.SampledFrom(addresses).Draw(t, "address")
		in.Applicant.Email = rapid.SampledFrom(addresses).Draw(t, "directory")
		in.AMS = &bsre.Details{Certificates: drawCertificates(t, "certificates")}
		in.AMS.Profile.Email = rapid.SampledFrom(addresses).Draw(t, "ams")
		in.Serial = rapid.SampledFrom([]string{"aa", "bb", ""}).Draw(t, "serial")
		in.Approver.NIP = rapid.SampledFrom([]string{in.Applicant.NIP, in.Approver.NIP, ""}).Draw(t, "approver")
		in.Status = rapid.SampledFrom([]bsre.Code{"", bsre.Issue, bsre.Unknown, bsre.New}).Draw(t, "status")
		if len(bsre.Guard(in)) > 0 {
			return
		}
		chosen, err := bsre.Choose(*in.AMS, in.Now)
		to := strings.ToLower(in.Address)
		switch {
		case in.Stopped, to == "", to != strings.ToLower(in.Applicant.Email), to != strings.ToLower(in.AMS.Profile.Email),
			err != nil, !bsre.SameSerial(chosen.Serial, in.Serial), in.Approver.NIP == in.Applicant.NIP,
			in.Status != "" && in.Status != bsre.Issue:
			t.Fatalf("let through: to %q, certificate %v (%v)", in.Address, chosen, err)
		}
	})
}
