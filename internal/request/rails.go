package request

import (
	"fmt"
	"time"

	"pulih/internal/agency"
	"pulih/internal/letter"
)

// The guard rails that hold wherever the call is made. In AMS mode package bsre asks them and more again, just before the call is booked; in
// assisted mode the approval is the last word that the software has.

// repeated reports that the applicant's last reset is so recent that another one needs a second pair of eyes: it kills the link that the
// first one sent.
func (d *decision) repeated(f Facts) bool { return d.s.Has("repeated-reset") || d.recent(f) }

func (d *decision) recent(f Facts) bool {
	last := f.LastReset
	if d.s.LastReset.After(last) {
		last = d.s.LastReset
	}
	span := d.a.Rules.RepeatWithin
	if span == 0 {
		span = 7 * 24 * time.Hour
	}
	return !last.IsZero() && d.now.Sub(last) < span
}

// capped is the daily limit that is reached, in words; empty when none is.
func (d *decision) capped(f Facts) string {
	if limit := orInt(d.a.Rules.DailyResets, 50); f.AgencyToday >= limit {
		return fmt.Sprintf("Batas %d reset sehari untuk instansi ini telah tercapai.", limit)
	}
	if limit := orInt(d.a.Rules.VerifierDailyResets, 30); f.VerifierToday >= limit {
		return fmt.Sprintf("Batas %d reset sehari untuk verifikator ini telah tercapai.", limit)
	}
	return ""
}

func orInt(n, otherwise int) int {
	if n == 0 {
		return otherwise
	}
	return n
}

// againstRules are the rails that a reset made by hand has broken. What happened is written down all the same: a fact that is refused is
// lost, and the next verifier would make the reset again.
func (d *decision) againstRules(f Facts) []letter.Finding {
	var out []letter.Finding
	broken := func(code, detail string) {
		out = append(out, letter.Finding{Code: code, Severity: letter.Danger, Detail: detail})
	}
	ap := d.s.Approval
	if f.Stopped {
		broken("reset-while-stopped", "Reset dinyatakan terlaksana sewaktu semua reset instansi ini ditahan.")
	}
	if words := d.capped(f); words != "" {
		broken("reset-over-cap", words+" Reset ini melewatinya.")
	}
	if ap != nil && (ap.Subject != d.s.Subject || !agency.SameAddress(ap.Subject.Email, d.s.Subject.Email)) {
		broken("reset-other-data", "Data pemohon berubah antara persetujuan dan reset.")
	}
	if ap != nil && ap.Second == nil && d.s.Status != StatusUncertain && d.repeated(f) {
		broken("reset-repeated", "Reset berulang dinyatakan terlaksana tanpa persetujuan verifikator kedua.")
	}
	return out
}
