package scheduler

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/riverqueue/river"

	"pulih/internal/letter"
	"pulih/internal/request"
	"pulih/internal/sop"
	"pulih/internal/store"
	"pulih/mailflow"
	"pulih/srikandi"
)

// pollWorker reads what is new in an agency's Srikandi.
type pollWorker struct {
	river.WorkerDefaults[store.PollGateway]
	d *Daemon
}

func (w *pollWorker) Work(ctx context.Context, job *river.Job[store.PollGateway]) error {
	t, ok := w.d.tenants[job.Args.Agency]
	if !ok || t.gateway == nil {
		return nil
	}
	var cur srikandi.Cursor
	if err := w.d.store.GatewayCursor(ctx, t.Key, &cur); err != nil {
		return err
	}
	if cur == (srikandi.Cursor{}) {
		cur.UpdatedSince = w.d.now().Add(-7 * 24 * time.Hour)
		if since := t.conf.Srikandi.Since; !since.IsZero() {
			cur.UpdatedSince = since.In(t.Zone)
		}
	}
	poller := srikandi.Poller{Gateway: t.gateway, Sink: &sink{d: w.d, t: t}, Overlap: t.conf.Srikandi.Overlap, Now: w.d.now}
	if _, err := poller.Poll(ctx, cur); err != nil {
		return w.d.pollFailed(ctx, t, err)
	}
	return w.d.store.GatewayWorks(ctx, t.Key, w.d.now())
}

// pollFailed notes an outage. It is tried again at the next poll; the operator is told once, and at once only when somebody must act.
func (d *Daemon) pollFailed(ctx context.Context, t *tenant, cause error) error {
	if ctx.Err() != nil {
		return cause
	}
	problem := "Srikandi tidak dapat dihubungi."
	if errors.Is(cause, srikandi.ErrSignIn) {
		problem = "Srikandi menolak akun instansi; pembacaan berhenti sampai akun diperiksa."
	}
	now := d.now()
	since, err := d.store.GatewayFailed(ctx, t.Key, problem, now)
	if err != nil {
		return errors.Join(cause, err)
	}
	if errors.Is(cause, srikandi.ErrSignIn) || now.Sub(since) > 30*time.Minute {
		once := fmt.Sprintf("alarm/%s/srikandi/%s", t.Key, since.UTC().Format(time.RFC3339))
		if err := d.alarm(ctx, t, once, problem); err != nil {
			return errors.Join(cause, err)
		}
	}
	return cause
}

// alarm mails the operator once for one outage.
func (d *Daemon) alarm(ctx context.Context, t *tenant, once, problem string) error {
	return d.store.InTx(ctx, d.now(), func(tx *store.Tx) error {
		return tx.Notify(store.Notice{Agency: t.Key, Once: once, Template: mailflow.NoticeOperatorAlarm, Items: []store.BundleItem{{Text: problem}},
			To: request.Recipient{Kind: "operator", Name: "Operator", Address: d.cfg.Operator.Email}})
	})
}

// sink keeps what a poll reads.
type sink struct {
	d *Daemon
	t *tenant
}

func (s *sink) Known(ctx context.Context, rows []srikandi.Stamp) (map[string]bool, error) {
	ids := make([]string, len(rows))
	for i, r := range rows {
		ids[i] = r.ID
	}
	have, err := s.d.store.NaskahStamps(ctx, s.t.Key, ids)
	if err != nil {
		return nil, err
	}
	known := map[string]bool{}
	for _, r := range rows {
		at, ok := have[r.ID]
		known[r.ID] = ok && at.Equal(r.UpdatedAt.UTC().Truncate(time.Microsecond))
	}
	return known, nil
}

// Due asks again for letters that an open request hangs on and that were not looked at for a day: a deleted letter shows nowhere else.
func (s *sink) Due(ctx context.Context) ([]string, error) {
	return s.d.store.NaskahUnseen(ctx, s.t.Key, s.d.now())
}

func (s *sink) Commit(ctx context.Context, b srikandi.Batch) error {
	return s.d.store.InTx(ctx, s.d.now(), func(tx *store.Tx) error {
		for _, n := range b.Letters {
			received := n.ReceivedAt
			if received.IsZero() {
				received = s.d.now()
			}
			if _, _, err := tx.SaveNaskah(s.t.Key, n.ID, n.Raw, received, n.UpdatedAt); err != nil {
				return err
			}
		}
		for _, bad := range b.Bad {
			if err := tx.Refuse(s.t.Key, "Baris dari Srikandi tidak dapat dibaca: "+bad.Err.Error(), "srikandi "+bad.ID, bad.Raw); err != nil {
				return err
			}
		}
		for _, id := range b.Gone {
			if err := s.gone(ctx, tx, id); err != nil {
				return err
			}
		}
		return tx.SaveGatewayCursor(s.t.Key, b.Next)
	})
}

func (s *sink) gone(ctx context.Context, tx *store.Tx, id string) error {
	l, ok, err := s.d.store.LetterBySource(ctx, s.t.Key, "srikandi", id)
	if err != nil || !ok || l.GoneAt != nil {
		return err
	}
	if err := tx.MarkGone(l.ID); err != nil {
		return err
	}
	return s.d.tellGone(ctx, tx, s.t, l.ID, "Surat ini tidak ada lagi di Srikandi.")
}

func (d *Daemon) tellGone(ctx context.Context, tx *store.Tx, t *tenant, letterID int64, why string) error {
	list, err := d.store.RequestsOfLetter(ctx, letterID)
	if err != nil {
		return err
	}
	for _, r := range list {
		if _, err := tx.Act(t.Agency, r.Number, request.Gone{LetterID: letterID, Text: why}); err != nil {
			return err
		}
	}
	return nil
}

// maxAttachment is the most that is taken of one file, in bytes.
const maxAttachment = 35 << 20

// fetchFiles downloads the attachments that the archive lacks. What can't be had for good is left out, and the
// reading says so; an outage is no failure
// of the letter, it waits.
func (d *Daemon) fetchFiles(ctx context.Context, t *tenant, l store.Letter, n srikandi.Naskah) error {
	have, err := d.store.Files(ctx, l.ID)
	if err != nil {
		return err
	}
	for _, want := range n.Attachments {
		if slices.ContainsFunc(have, func(f store.File) bool { return f.Source == want.ID }) {
			continue
		}
		var buf bytes.Buffer
		err := t.gateway.Attachment(ctx, n.ID, want, &buf, maxAttachment)
		var temporary *srikandi.Temporary
		switch {
		case err == nil:
			if err := d.store.SaveFile(ctx, l.ID, want.ID, want.Name, want.MIME, buf.Bytes()); err != nil {
				return err
			}
		case errors.As(err, &temporary), errors.Is(err, srikandi.ErrSignIn), ctx.Err() != nil:
			return d.snooze(err)
		default:
			d.log.Warn("attachment can't be had", "agency", t.Key, "letter", l.ID, "err", err)
		}
	}
	return nil
}

// snooze waits as long as a partner asks for, or a while; it counts no attempt, so that an outage of weeks loses nothing.
func (d *Daemon) snooze(cause error) error {
	wait := time.Minute
	var temporary *srikandi.Temporary
	if errors.As(cause, &temporary) && temporary.RetryAfter > 0 {
		wait = min(temporary.RetryAfter, time.Hour)
	}
	if errors.Is(cause, srikandi.ErrSignIn) {
		wait = 30 * time.Minute
	}
	if d.opts.Fast {
		wait = 200 * time.Millisecond
	}
	return river.JobSnooze(wait)
}

// soon is how long something waits for its turn.
func (d *Daemon) soon() time.Duration {
	if d.opts.Fast {
		return 100 * time.Millisecond
	}
	return 5 * time.Second
}

// follow brings the letter's dispositions, changes and decisions to its requests.
func (d *Daemon) follow(tx *store.Tx, t *tenant, l store.Letter, n srikandi.Naskah, numbers []string) error {
	numbers, err := d.numbersOf(tx, t, l, n, numbers)
	if err != nil {
		return err
	}
	changed, err := d.changes(tx, t, l, n)
	if err != nil {
		return err
	}
	dispositions := srikandi.Dispositions(n, t.Agency)
	for _, number := range numbers {
		cmds := []request.Command{request.Dispose{LetterID: l.ID, Now: disposals(dispositions)}}
		if len(changed) > 0 {
			cmds = append(cmds, request.Join{Letter: refOf(l, n), Changed: changed, Findings: []letter.Finding{{Code: "letter-changed",
				Severity: letter.Warning, Detail: "Data surat diubah di Srikandi setelah tercatat; lihat riwayat."}}})
		}
		if n.Cancelled {
			cmds = append(cmds, request.Gone{LetterID: l.ID, Text: "Surat ini dibatalkan di Srikandi."})
		}
		st, err := tx.Act(t.Agency, number, cmds...)
		if err != nil {
			return err
		}
		if t.Rules.SrikandiDecides {
			if err := d.decideInSrikandi(tx, t, st, dispositions); err != nil {
				return err
			}
		}
	}
	return nil
}

// numbersOf adds the requests that the letter belongs to already: from an earlier reading, or because we registered it from a mail.
func (d *Daemon) numbersOf(tx *store.Tx, t *tenant, l store.Letter, n srikandi.Naskah, numbers []string) ([]string, error) {
	mine, err := tx.NumbersOfLetter(l.ID)
	if err != nil {
		return nil, err
	}
	registered, err := tx.NumbersOfRegistered(t.Key, n.ID)
	if err != nil {
		return nil, err
	}
	for _, number := range registered {
		if !slices.Contains(mine, number) && !slices.Contains(numbers, number) {
			if _, err := tx.Act(t.Agency, number, request.Join{Letter: refOf(l, n)}); err != nil {
				return nil, err
			}
		}
	}
	all := append(append(slices.Clone(numbers), mine...), registered...)
	slices.Sort(all)
	return slices.Compact(all), nil
}

func refOf(l store.Letter, n srikandi.Naskah) request.Letter {
	return request.Letter{ID: l.ID, Channel: "srikandi", SrikandiID: n.ID, Number: n.Number, Date: n.Date, Subject: n.Subject, Signer: n.From.Name,
		ReceivedAt: l.ReceivedAt}
}

// changes says what was edited since the version before.
func (d *Daemon) changes(tx *store.Tx, t *tenant, l store.Letter, n srikandi.Naskah) ([]string, error) {
	if l.Version < 2 {
		return nil, nil
	}
	raw, err := tx.PreviousRaw(l)
	if err != nil || raw == nil {
		return nil, err
	}
	before, err := srikandi.Decode(raw, t.Zone)
	if err != nil {
		return nil, nil // what couldn't be read before has no changes to tell
	}
	var out []string
	for _, c := range srikandi.Changes(before, n) {
		out = append(out, fmt.Sprintf("%s: %q menjadi %q", c.Field, c.Old, c.New))
	}
	return out, nil
}

// disposals are the dispositions in the request's words. A withdrawn one counts as never sent.
func disposals(list []srikandi.Disposition) []request.Disposition {
	var out []request.Disposition
	for _, d := range list {
		if d.Withdrawn {
			continue
		}
		r := request.Disposition{ID: d.ID, From: actor(d.From), Acts: d.Asks(), Text: joined(d.Raw, d.Note), SentAt: d.SentAt}
		for _, to := range d.To {
			if !to.Withdrawn {
				r.To = append(r.To, actor(to.Party))
			}
		}
		out = append(out, r)
	}
	return out
}

func joined(raw []string, note string) string {
	out := ""
	for _, s := range append(slices.Clone(raw), note) {
		if s == "" {
			continue
		}
		if out != "" {
			out += "; "
		}
		out += s
	}
	return letter.Mask(out)
}

func actor(p srikandi.Party) request.Actor {
	return request.Actor{Role: p.Role, ID: p.PersonID, Name: or(p.Name, p.Position), Via: "srikandi"}
}

// decideInSrikandi takes a verifier's follow-up for their decision, where the agency allows it.
func (d *Daemon) decideInSrikandi(tx *store.Tx, t *tenant, st request.State, list []srikandi.Disposition) error {
	if st.Status != request.StatusChecking {
		return nil
	}
	var verifiers []string
	for _, p := range t.Holders(sop.Verifier, d.now()) {
		verifiers = append(verifiers, p.ID)
	}
	dec, ok := srikandi.VerifierDecision(list, verifiers...)
	if !ok || dec.At.Before(st.Since) {
		return nil
	}
	p, _ := t.Person(dec.PersonID)
	by := request.Actor{Role: sop.Verifier, ID: p.ID, Name: p.Name, Via: "srikandi"}
	var cmd request.Command = request.Return{By: by, Missing: []string{or(dec.Reason, "Lihat catatan pada disposisi di Srikandi")}}
	if dec.Approved {
		cmd = request.Approve{By: by, Subject: st.Subject}
	}
	_, err := tx.Act(t.Agency, st.Number, cmd)
	var refusal *request.Refusal
	if !errors.As(err, &refusal) {
		return err
	}
	note := "Keputusan di Srikandi tidak dijalankan: " + refusal.Message
	if st.LastNote == note {
		return nil
	}
	if _, err = tx.Act(t.Agency, st.Number, request.Note{By: request.System, Text: note}); err != nil {
		return err
	}
	return d.tellVerifiers(tx, t, st.Letters[0].ID, mailflow.NoticeWork)
}

// followUpWorker writes one follow-up into Srikandi, in order per letter.
type followUpWorker struct {
	river.WorkerDefaults[store.WriteFollowUp]
	d *Daemon
}

func (w *followUpWorker) Work(ctx context.Context, job *river.Job[store.WriteFollowUp]) error {
	f, mustWait, err := w.d.store.FollowUp(ctx, job.Args.FollowUpID)
	if err != nil {
		return err
	}
	t, ok := w.d.tenants[f.Agency]
	if !ok || t.gateway == nil || f.State != "waiting" {
		return nil
	}
	if mustWait {
		return river.JobSnooze(w.d.soon())
	}
	send := srikandi.FollowUp{DispositionID: f.Disposition, Status: f.Status, Note: srikandi.Note(f.Number, f.Note)}
	_, err = t.gateway.FollowUp(ctx, f.SrikandiID, f.Key, send)
	if errors.Is(err, srikandi.ErrWithdrawn) {
		send.DispositionID = "" // the word itself still holds: it goes onto the letter
		_, err = t.gateway.FollowUp(ctx, f.SrikandiID, f.Key, send)
	}
	var refused *srikandi.Refused
	switch {
	case err == nil:
		return w.d.store.SettleFollowUp(ctx, f.ID, "done", "", w.d.now())
	case errors.Is(err, srikandi.ErrGone), errors.Is(err, srikandi.ErrNotOffered), errors.Is(err, srikandi.ErrWithdrawn), errors.As(err, &refused):
		w.d.log.Error("follow-up given up", "agency", t.Key, "number", f.Number, "err", err)
		return w.d.store.SettleFollowUp(ctx, f.ID, "dropped", err.Error(), w.d.now())
	}
	return w.d.snooze(err)
}

// registerWorker writes a letter that came by mail into Srikandi, where the gateway can.
type registerWorker struct {
	river.WorkerDefaults[store.RegisterLetter]
	d *Daemon
}

func (w *registerWorker) Work(ctx context.Context, job *river.Job[store.RegisterLetter]) error {
	l, err := w.d.store.Letter(ctx, job.Args.LetterID)
	if err != nil {
		return err
	}
	t, ok := w.d.tenants[l.Agency]
	if !ok || t.gateway == nil {
		return nil
	}
	r, err := w.d.store.Reading(ctx, l.ID)
	if err != nil {
		return err
	}
	files, err := w.d.mailFiles(ctx, l)
	if err != nil {
		return err
	}
	n, err := t.gateway.Register(ctx, fmt.Sprintf("pulih-%s-letter-%d", t.Key, l.ID), naskahOf(t, l, r), files)
	var refused *srikandi.Refused
	switch {
	case err == nil:
	case errors.Is(err, srikandi.ErrNotOffered), errors.As(err, &refused):
		n.ID = "" // the letter stays in our own archive alone
		if refused != nil {
			w.d.log.Error("registration refused", "agency", t.Key, "letter", l.ID, "err", err)
		}
	default:
		return w.d.snooze(err)
	}
	return w.d.store.InTx(ctx, w.d.now(), func(tx *store.Tx) error { return tx.Registered(t.Key, l.ID, n.ID) })
}

func naskahOf(t *tenant, l store.Letter, r letter.Reading) srikandi.NewNaskah {
	n := srikandi.NewNaskah{Number: deref(r.Letter.Number), Date: deref(r.Letter.Date), Subject: deref(r.Letter.Subject), Type: "Surat Dinas",
		ReceivedAt: l.ReceivedAt.In(t.Zone), Summary: "Masuk lewat surel dinas."}
	n.From.Agency, n.From.Unit = t.Name, deref(r.Letter.Office)
	if s := r.Letter.Signer; s != nil {
		n.From.Name, n.From.NIP, n.From.Position = deref(s.Name), deref(s.NIP), deref(s.Position)
	}
	return n
}

// mailFiles are the attachments of a mail, or the mail itself where the letter is its text.
func (d *Daemon) mailFiles(ctx context.Context, l store.Letter) ([]letter.File, error) {
	raw, err := d.store.Raw(ctx, l.ID)
	if err != nil {
		return nil, err
	}
	m, err := letter.ParseMail(raw)
	if err != nil {
		return nil, err
	}
	var files []letter.File
	for _, p := range m.Parts {
		if p.Name != "" && len(p.Data) > 0 && !p.Inline {
			files = append(files, letter.File{Name: p.Name, MIME: p.MIME, Data: p.Data})
		}
	}
	if len(files) == 0 {
		files = append(files, letter.File{Name: "surat.eml", MIME: "message/rfc822", Data: raw})
	}
	return files, nil
}
