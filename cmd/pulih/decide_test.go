package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pulih/internal/letter"
	"pulih/internal/request"
	"pulih/internal/sop"
	"pulih/internal/store"
)

// Whoever approves at the command line says there too that they compared a corrected number with the letter.
func TestApprovalAtTheCommandLineComparesCorrections(t *testing.T) {
	t.Parallel()
	dir, err := os.MkdirTemp("", "setujui") // short: a socket lies in it
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	file := ConfigFlag{filepath.Join(dir, "pulih.yaml")}
	if err := os.WriteFile(file.Config, []byte(quarantineYAML), 0o600); err != nil {
		t.Fatal(err)
	}
	const nip = "198301192008012962"
	var number string
	open := func(o *opened) error {
		a, now := o.cfg.Agencies()[0], time.Now()
		return o.store.InTx(t.Context(), now, func(tx *store.Tx) error {
			if _, err := tx.SaveNaskah(a.Key, []store.Naskah{{ID: "nm-1", Raw: []byte(`{"id":"nm-1"}`), ReceivedAt: now, ChangedAt: now, Settled: true}}); err != nil {
				return err
			}
			var id int64
			if err := tx.QueryRow(t.Context(), `SELECT id FROM letters`).Scan(&id); err != nil {
				return err
			}
			err := tx.MarkRead(id, 1, letter.ResetRequest, letter.Reading{Kind: letter.ResetRequest,
				Corrections: []letter.Correction{{Field: "applicants[0].nip", Read: "1983Oll92008012962", Proposed: nip, Used: true}}})
			if err != nil {
				return err
			}
			s, _, err := tx.Receive(a, [][]byte{[]byte("surat")}, request.Open{Letter: request.Letter{ID: id, Channel: "srikandi", ReceivedAt: now},
				Subject: request.Subject{Name: "Tuti Lestari", NIP: nip, Email: "tuti@madiunkota.go.id", Known: true}, By: request.Actor{Role: sop.Applicant}})
			if err == nil {
				_, err = tx.Act(a, s.Number, request.Assign{By: request.System})
			}
			number = s.Number
			return err
		})
	}
	if err := file.with(t.Context(), open); err != nil {
		t.Fatal(err)
	}
	approve := ApproveCmd{Deciding: Deciding{ConfigFlag: file, As: "ayu", Number: number}}
	if err := approve.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "Untuk NIP pemohon dipakai koreksi pulih") || !strings.Contains(err.Error(), "--compared") ||
		strings.Contains(err.Error(), nip) {
		t.Errorf("approved without comparing: %v", err)
	}
	approve.Compared = true
	if err := approve.Run(t.Context()); err != nil {
		t.Errorf("approved after comparing: %v", err)
	}
}
