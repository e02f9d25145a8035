package scheduler

import (
	"errors"
	"fmt"
	"time"

	"pulih/internal/request"
	"pulih/internal/sop"
	"pulih/internal/store"
	"pulih/mailflow"
	"pulih/srikandi"
)

// decideInSrikandi takes a verifier's follow-up for their decision, where the agency allows it. An approval that isn't carried out is told to
// who wrote it: they would wait for its reset.
func (d *Daemon) decideInSrikandi(tx *store.Tx, t *tenant, st request.State, list []srikandi.Disposition) error {
	var verifiers []string
	for _, p := range t.Holders(sop.Verifier, d.now()) {
		verifiers = append(verifiers, p.ID)
	}
	dec, ok := srikandi.VerifierDecision(list, verifiers...)
	if !ok {
		return nil
	}
	second := st.Status == request.StatusSecond && st.Approval.By.ID != dec.PersonID
	if !t.Rules.SrikandiDecides || st.Status != request.StatusChecking && !second || dec.At.Before(st.Since) {
		return d.unheard(tx, t, st, dec)
	}
	p, _ := t.Person(dec.PersonID)
	by := request.Actor{Role: sop.Verifier, ID: p.ID, Name: p.Name, Via: "srikandi"}
	var cmd request.Command = request.Return{By: by, Missing: []string{or(dec.Reason, "Lihat catatan pada disposisi di Srikandi")}}
	if dec.Approved {
		// One on a letter that was edited afterwards, or may have been, is a decision on other data.
		changed, err := tx.LastChange(st.Number)
		if err != nil {
			return err
		}
		if dec.At.Before(changed) {
			return d.notDecided(tx, t, st, dec, "surat diubah setelah, atau sewaktu, keputusan itu dibuat.")
		}
		cmd = request.Approve{By: by, Subject: st.Subject}
	}
	_, err := tx.Act(t.Agency, st.Number, cmd)
	var refusal *request.Refusal
	if !errors.As(err, &refusal) {
		return err
	}
	return d.notDecided(tx, t, st, dec, refusal.Message)
}

// unheard tells of an approval that came where none is carried out. What was decided since, in Srikandi or on a page, has answered it; a minute
// is what clocks may differ.
func (d *Daemon) unheard(tx *store.Tx, t *tenant, st request.State, dec srikandi.Decision) error {
	waits := st.Status == request.StatusSecond || st.Status == request.StatusUncertain
	if !dec.Approved || st.Approval != nil && !waits || !t.Rules.SrikandiDecides && st.Status != request.StatusChecking {
		return nil
	}
	decided, err := tx.DecidedSince(st.Number, dec.At.Add(-time.Minute))
	if err != nil || decided {
		return err
	}
	switch {
	case !t.Rules.SrikandiDecides:
		return d.notDecided(tx, t, st, dec, "keputusan di instansi ini dibuat di meja kerja.")
	case st.Status == request.StatusChecking:
		return d.notDecided(tx, t, st, dec, "keputusan itu ditulis sebelum permohonan ini menunggu pemeriksaan.")
	}
	return d.notDecided(tx, t, st, dec, "permohonan ini sedang tidak menunggu pemeriksaan ("+st.ForOffice()+").")
}

// notDecided tells why a decision isn't carried out, once: in the history, on the disposition where it was made, and by a mail to who made it.
func (d *Daemon) notDecided(tx *store.Tx, t *tenant, st request.State, dec srikandi.Decision, why string) error {
	p, _ := t.Person(dec.PersonID)
	once := fmt.Sprintf("undecided/%s/%s/%d", st.Number, p.ID, dec.At.Unix())
	if told, err := tx.Told(once); err != nil || told {
		return err
	}
	note := "Keputusan di Srikandi tidak dijalankan: " + why
	st, err := tx.Act(t.Agency, st.Number, request.Note{By: request.System, Text: note})
	if err != nil {
		return err
	}
	if l, ok := st.InSrikandi(); ok {
		err = tx.FollowUp(t.Agency, st, request.FollowUp{SrikandiID: l.SrikandiID, Disposition: dec.DispositionID, Status: srikandi.StatusProcessing, Text: note})
	}
	return errors.Join(err, tx.Notify(store.Notice{Agency: t.Key, Number: st.Number, Once: once, Template: mailflow.NoticeUndecided,
		To: request.Recipient{Kind: "staff", ID: p.ID, Name: p.Name, Address: p.Email}, Items: []store.BundleItem{{Number: st.Number, Text: why}}}))
}
