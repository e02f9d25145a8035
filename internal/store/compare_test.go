package store_test

import (
	"errors"
	"testing"
	"time"

	"pulih/internal/letter"
	"pulih/internal/request"
	"pulih/internal/sop"
	"pulih/internal/store"
)

// The store lays the corrections of every letter of a request before whoever decides, so that no way of approving goes around them.
func TestNoWayAroundComparingACorrection(t *testing.T) {
	t.Parallel()
	for _, via := range []string{"console", "cli", "srikandi"} {
		t.Run(via, func(t *testing.T) {
			t.Parallel()
			s := open(t)
			st := s.opened("800/1/2026")
			first, second, unread := st.Letters[0].ID, s.letter("nm-scan"), s.letter("nm-unread")
			s.in(noon, func(tx *store.Tx) error {
				return errors.Join(
					tx.MarkRead(first, 1, letter.ResetRequest, letter.Reading{Kind: letter.ResetRequest}),
					tx.MarkRead(second, 1, letter.ResetRequest, letter.Reading{Kind: letter.ResetRequest, Corrections: []letter.Correction{
						{Field: "applicants[0].nip", Read: "198504222O10011912", Proposed: wahyu.NIP, Used: true}}}))
			})
			by := request.Actor{Role: sop.Verifier, ID: "rini", Name: "Rini", Via: via}
			for _, id := range []int64{second, unread} { // the scan came later, by the other channel
				if _, err := s.Act(t.Context(), s.a, st.Number, noon, request.Join{Letter: request.Letter{ID: id, Channel: "srikandi", ReceivedAt: noon}}); err != nil {
					t.Fatal(err)
				}
			}
			approve := request.Approve{By: by, Subject: st.Subject}
			_, err := s.Act(t.Context(), s.a, st.Number, noon.Add(time.Minute), request.Assign{By: request.System}, approve)
			var refusal *request.Refusal
			if !errors.As(err, &refusal) || refusal.Code != request.NotCompared {
				t.Fatalf("approved without a look at the letter: %v", err)
			}
			approve.Compared = true
			after, err := s.Act(t.Context(), s.a, st.Number, noon.Add(time.Minute), request.Assign{By: request.System}, approve)
			if err != nil || after.Status != request.StatusApproved {
				t.Fatalf("%s, %v", after.Status, err)
			}
		})
	}
}
