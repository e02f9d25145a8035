package bsre_test

import (
	"testing"
	"time"

	"pulih/bsre"
	"pulih/internal/demo/bsresim"
)

// The whole way of one applicant: status, find, details, reset, the link by mail, the new passphrase, the certificate.
func TestAnOfficialCanSignAgainAfterOneReset(t *testing.T) {
	t.Parallel()
	for _, another := range []bool{false, true} {
		var mailed []bsresim.Link
		w := newWorld(t, bsresim.Options{
			NewCertificate: another, LinkDelay: 3 * time.Minute, IssueDelay: time.Hour,
			OnLink: func(l bsresim.Link) { mailed = append(mailed, l) },
		})
		for _, version := range []int{1, 2} {
			status, err := w.esign(version).Status(t.Context(), bsre.Identity{NIK: nik, Email: email})
			if err != nil || !status.Resettable() {
				t.Fatalf("v%d: status %v, %v", version, status, err)
			}
		}
		uid, err := w.ams.Find(t.Context(), &w.sess, email, nik)
		if err != nil || uid != w.uid {
			t.Fatalf("found %q, %v", uid, err)
		}
		before, err := w.ams.Details(t.Context(), &w.sess, uid)
		if err != nil {
			t.Fatal(err)
		}
		chosen, err := bsre.Choose(before, w.now)
		if err != nil || chosen.Serial != serial {
			t.Fatalf("chose %v, %v", chosen, err)
		}

		booked := w.now
		if o := w.ams.Reset(t.Context(), w.sess, uid, chosen.Serial); o.Kind != bsre.Accepted {
			t.Fatalf("outcome %+v", o)
		}
		if j := w.sim.Journal(); len(j) != 1 || !j[0].Executed || j[0].By != operator || j[0].Serial != serial {
			t.Fatalf("journal %+v", j)
		}
		if err := w.sim.SetPassphrase(uid); err == nil {
			t.Fatal("the link works before it was mailed")
		}
		w.now = w.now.Add(4 * time.Minute)
		w.sim.Tick()
		if len(mailed) != 1 || mailed[0].User.Email != email {
			t.Fatalf("mailed %+v", mailed)
		}
		if err := w.sim.SetPassphrase(uid); err != nil {
			t.Fatal(err)
		}
		w.completed(before, booked, false)
		w.now = w.now.Add(2 * time.Hour) // past the token's life as well: the details' reader refreshes
		w.completed(before, booked, true)
	}
}

func (w *world) completed(before bsre.Details, booked time.Time, want bool) {
	w.t.Helper()
	after, err := w.ams.Details(w.t.Context(), &w.sess, w.uid)
	if err != nil {
		w.t.Fatal(err)
	}
	if done, why := bsre.Completed(before, after, booked, serial); done != want {
		w.t.Fatalf("completed %v (%s), want %v", done, why, want)
	}
}
