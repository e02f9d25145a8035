package scheduler

import (
	"errors"
	"fmt"
	"strings"

	"pulih/internal/request"
	"pulih/internal/sop"
	"pulih/internal/store"
	"pulih/mailflow"
	"pulih/srikandi"
)

// decideInSrikandi takes a verifier's follow-up for their decision, where the agency allows it. One that isn't carried out is told to who wrote
// it: they would wait for it.
func (d *Daemon) decideInSrikandi(tx *store.Tx, t *tenant, st request.State, on request.Letter, list []srikandi.Disposition) error {
	st, err := d.takeBack(tx, t, st, on, list)
	if err != nil {
		return err
	}
	var verifiers []string
	for _, p := range t.Holders(sop.Verifier, d.now()) {
		verifiers = append(verifiers, p.ID)
	}
	dec, ok := srikandi.VerifierDecision(list, verifiers...)
	if !ok {
		return nil
	}
	if used, err := tx.Approved(st.Number, writtenAt(t, dec)); err != nil || used { // an approval is carried out once, whatever became of it
		return err
	}
	checking := st.Status == request.StatusChecking || st.Status == request.StatusRefused ||
		st.Status == request.StatusSecond && st.Approval.By.ID != dec.PersonID
	switch {
	case dec.Doubt != "":
		if !t.Rules.SrikandiDecides || !checking || !dec.At.IsZero() && dec.At.Before(st.Since) {
			return nil
		}
		return d.notDecided(tx, t, st, dec, dec.Doubt)
	case !t.Rules.SrikandiDecides || !checking || dec.At.Before(st.Since):
		return d.unheard(tx, t, st, dec)
	}
	p, _ := t.Person(dec.PersonID)
	by := request.Actor{Role: sop.Verifier, ID: p.ID, Name: p.Name, Via: "srikandi"}
	var cmd request.Command = returned(by, dec)
	if dec.Approved {
		// One on a letter that was edited afterwards, or may have been, is a decision on other data.
		changed, err := tx.LastChange(st.Number)
		if err != nil {
			return err
		}
		if dec.At.Before(changed) {
			return d.notDecided(tx, t, st, dec, "surat diubah setelah, atau sewaktu, keputusan itu dibuat.")
		}
		cmd = request.Approve{By: by, Subject: st.Subject, Letter: &on, Text: writtenAt(t, dec)}
	}
	_, err = tx.Act(t.Agency, st.Number, cmd)
	var refusal *request.Refusal
	if !errors.As(err, &refusal) {
		return err
	}
	return d.notDecided(tx, t, st, dec, refusal.Message)
}

// writtenAt tells of an approval when it was written in Srikandi.
func writtenAt(t *tenant, dec srikandi.Decision) string {
	return "Ditulis di Srikandi pada " + dec.At.In(t.Zone).Format("2006-01-02 15.04.05") + " oleh " + dec.PersonID + "."
}

func returned(by request.Actor, dec srikandi.Decision) request.Return {
	return request.Return{By: by, Missing: []string{or(dec.Reason, "Lihat catatan pada disposisi di Srikandi")}}
}

// takeBack voids an approval whose reset wasn't made yet, when the word on which it rests is no longer there, or a return came after it.
func (d *Daemon) takeBack(tx *store.Tx, t *tenant, st request.State, on request.Letter, list []srikandi.Disposition) (request.State, error) {
	dec, back := takenBack(st, on.ID, list)
	if !back || !t.Rules.SrikandiDecides {
		return st, nil
	}
	st, err := tx.Act(t.Agency, st.Number, request.Unable{Text: "Persetujuan itu diubah atau dicabut di Srikandi; reset tidak diajukan."})
	if err != nil || dec.Doubt != "" || dec.Approved || dec.At.IsZero() {
		return st, err
	}
	p, _ := t.Person(dec.PersonID)
	again, err := tx.Act(t.Agency, st.Number, returned(request.Actor{Role: sop.Verifier, ID: p.ID, Name: p.Name, Via: "srikandi"}, dec))
	var refusal *request.Refusal
	if errors.As(err, &refusal) {
		return st, d.notDecided(tx, t, st, dec, refusal.Message)
	}
	return again, err
}

// takenBack tells whether the approver's last word in Srikandi is another one than the approval that waits for its reset.
func takenBack(st request.State, letterID int64, list []srikandi.Disposition) (dec srikandi.Decision, back bool) {
	if st.Approval == nil || !st.Status.AwaitsReset() && st.Status != request.StatusSecond {
		return srikandi.Decision{}, false
	}
	dec, said := srikandi.VerifierDecision(list, st.Approval.By.ID)
	approves := said && dec.Approved && dec.Doubt == ""
	if st.Approval.Letter == letterID {
		return dec, !approves
	}
	return dec, said && !approves && dec.Doubt == "" && dec.At.After(st.Approval.At)
}

// unheard tells of an approval that came where none is carried out. What was decided since, in Srikandi or on a page, has answered it.
func (d *Daemon) unheard(tx *store.Tx, t *tenant, st request.State, dec srikandi.Decision) error {
	waits := st.Status == request.StatusSecond || st.Status == request.StatusUncertain || st.Status == request.StatusRefused
	if !dec.Approved || st.Approval != nil && !waits || !t.Rules.SrikandiDecides && st.Status != request.StatusChecking {
		return nil
	}
	decided, err := tx.DecidedSince(st.Number, dec.At)
	if err != nil || decided {
		return err
	}
	switch {
	case !t.Rules.SrikandiDecides:
		return d.notDecided(tx, t, st, dec, "keputusan di instansi ini dibuat di meja kerja.")
	case st.Status == request.StatusChecking, st.Status == request.StatusRefused:
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
		To: request.Recipient{Kind: "staff", ID: p.ID, Name: p.Name, Address: p.Email}, Items: []store.BundleItem{{Number: st.Number, Text: strings.ToUpper(why[:1]) + why[1:]}}}))
}
