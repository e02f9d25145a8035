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
	if !ok || st.HasWritten(dec.PersonID, dec.At) {
		return nil
	}
	checking := st.Status == request.StatusChecking || st.Status == request.StatusRefused ||
		st.Status == request.StatusSecond && st.Approval.By.ID != dec.PersonID
	waits, early := t.Rules.SrikandiDecides && checking, dec.At.Before(st.Since)
	switch {
	case dec.Aside:
		return d.unheard(tx, t, st, dec)
	case dec.Doubt != "" && waits && (!early || dec.At.IsZero()):
		return d.notDecided(tx, t, st, dec, dec.Doubt)
	case dec.Doubt != "":
		return nil
	case !waits || early:
		return d.unheard(tx, t, st, dec)
	case !dec.Approved:
		_, err = d.carryOut(tx, t, st, dec, returned(t, dec))
		return err
	case dec.At.Before(st.ChangedAt): // it is a decision on other data, or may be
		return d.notDecided(tx, t, st, dec, "surat diubah setelah, atau sewaktu, keputusan itu dibuat.")
	}
	_, err = d.carryOut(tx, t, st, dec, request.Approve{By: decider(t, dec), Subject: st.Subject, Letter: &on, Written: dec.At,
		Text: "Ditulis di Srikandi pada " + dec.At.In(t.Zone).Format("2006-01-02 15.04.05") + " oleh " + dec.PersonID + "."})
	return err
}

func decider(t *tenant, dec srikandi.Decision) request.Actor {
	p, _ := t.Person(dec.PersonID)
	return request.Actor{Role: sop.Verifier, ID: p.ID, Name: p.Name, Via: "srikandi"}
}

func returned(t *tenant, dec srikandi.Decision) request.Return {
	return request.Return{By: decider(t, dec), Missing: []string{or(dec.Reason, "Lihat catatan pada disposisi di Srikandi")}}
}

// carryOut makes a decision of Srikandi's one of ours, or tells its writer why it is refused.
func (d *Daemon) carryOut(tx *store.Tx, t *tenant, st request.State, dec srikandi.Decision, cmd request.Command) (request.State, error) {
	after, err := tx.Act(t.Agency, st.Number, cmd)
	var refusal *request.Refusal
	if errors.As(err, &refusal) {
		return st, d.notDecided(tx, t, st, dec, refusal.Message)
	}
	return after, err
}

// takeBack voids an approval whose reset wasn't made yet, when the word on which it rests is no longer there, or a return came after it.
func (d *Daemon) takeBack(tx *store.Tx, t *tenant, st request.State, on request.Letter, list []srikandi.Disposition) (request.State, error) {
	dec, back := takenBack(t, st, on.ID, list)
	if !back {
		return st, nil
	}
	st, err := tx.Act(t.Agency, st.Number, request.Unable{Text: "Persetujuan itu diubah atau dicabut di Srikandi; reset tidak diajukan."})
	if err != nil || dec.Doubt != "" || dec.Aside || dec.Approved || dec.At.IsZero() {
		return st, err
	}
	return d.carryOut(tx, t, st, dec, returned(t, dec))
}

// takenBack tells whether the approver's last word in Srikandi is another one than the approval that waits for its reset.
func takenBack(t *tenant, st request.State, letterID int64, list []srikandi.Disposition) (dec srikandi.Decision, back bool) {
	if !t.Rules.SrikandiDecides || !st.Voidable() {
		return srikandi.Decision{}, false
	}
	dec, said := srikandi.VerifierDecision(list, st.Approval.By.ID)
	approves := said && dec.Approved && dec.Doubt == "" && !dec.Aside
	if st.Approval.Letter == letterID {
		return dec, !approves
	}
	return dec, said && !approves && dec.Doubt == "" && !dec.Aside && dec.At.After(st.Approval.At)
}

// unheard tells of a decision that came where none is carried out: an approval, or whatever was said aside. What was decided since, in Srikandi or on a page, has answered it.
func (d *Daemon) unheard(tx *store.Tx, t *tenant, st request.State, dec srikandi.Decision) error {
	waits := st.Status == request.StatusSecond || st.Status == request.StatusUncertain || st.Status == request.StatusRefused
	if !dec.Approved && !dec.Aside || st.Approval != nil && !waits || !t.Rules.SrikandiDecides && st.Status != request.StatusChecking {
		return nil
	}
	if !st.DecidedAt.IsZero() && !st.DecidedAt.Before(dec.At) {
		return nil
	}
	switch {
	case !t.Rules.SrikandiDecides:
		return d.notDecided(tx, t, st, dec, "keputusan di instansi ini dibuat di meja kerja.")
	case dec.Aside:
		return d.notDecided(tx, t, st, dec, "disposisi itu hanya untuk diketahui; tulis keputusan pada disposisi yang meminta tindakan.")
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
