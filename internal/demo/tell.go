package demo

import (
	"context"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"pulih/internal/agency"
	"pulih/internal/complaint"
	"pulih/internal/letter"
	"pulih/internal/request"
	"pulih/internal/sop"
	"pulih/internal/store"
	"pulih/mailflow"
)

// tell says what happened since the last time, one line an event.
func (p *Play) tell(ctx context.Context) error {
	if p.Tell == nil {
		return nil
	}
	for _, a := range p.World.Config.Agencies() {
		news, err := p.Store.EventsAfter(ctx, a.Key, p.told[a.Key])
		if err != nil {
			return err
		}
		for _, n := range news {
			p.told[a.Key] = n.Chain
			p.Tell(lineOf(a, n))
		}
	}
	return nil
}

var told = map[request.Kind]string{
	request.Received: "surat diterima", request.LetterJoined: "surat yang sama bergabung", request.LetterChanged: "data surat berubah",
	request.DispositionSeen: "disposisi", request.DispositionWithdrawn: "disposisi ditarik", request.Assigned: "ditugaskan kepada verifikator",
	request.Validated: "identitas dan kelengkapan diperiksa", request.ReturnedToApplicant: "dikembalikan untuk dilengkapi",
	request.Completed: "kelengkapan diterima", request.Approved: "disetujui", request.Rejected: "ditolak", request.ResetBooked: "reset dicatat, lalu diajukan ke BSrE",
	request.ResetAccepted: "BSrE menerima reset", request.ResetRefused: "BSrE menolak reset", request.ApprovalVoided: "reset tidak diajukan", request.ResetUncertain: "hasil reset belum pasti",
	request.ResetNotSent: "reset belum terkirim", request.ResetConfirmed: "verifikator menyatakan reset terlaksana", request.LinkMailed: "BSrE mengirim tautan",
	request.SessionAwaited: "menunggu sesi AMS verifikator", request.PhoneCheckAsked: "BSrE memeriksa telepon pemohon",
	request.PassphraseSet: "passphrase baru dibuat", request.CertificateIssued: "sertifikat terbit", request.Usable: "TTE dapat digunakan",
	request.Closed: "selesai", request.Reopened: "dibuka kembali", request.Reminded: "pengingat", request.Escalated: "pengingat kepada atasan",
	request.StatusSeen: "status sertifikat di BSrE", request.NoteAdded: "catatan", request.LetterGone: "surat tidak ada lagi di Srikandi", request.LetterBack: "surat ada kembali di Srikandi",
	request.BreachExplained:    "sebab keterlambatan dicatat",
	kindOf(complaint.Received): "pengaduan masuk", kindOf(complaint.LetterJoined): "surat pengaduan bergabung", kindOf(complaint.Classified): "golongan pengaduan ditetapkan",
	kindOf(complaint.Linked): "pengaduan dikaitkan dengan permohonan", kindOf(complaint.Assigned): "pengaduan ditugaskan", kindOf(complaint.HandedOn): "pengaduan diteruskan ke BSrE",
	kindOf(complaint.HandedBack): "BSrE menjawab pengaduan", kindOf(complaint.Answered): "pengaduan dijawab", kindOf(complaint.Dismissed): "pengaduan ditutup tanpa jawaban",
	kindOf(complaint.Reopened): "pengaduan dibuka kembali", kindOf(complaint.Reminded): "pengingat pengaduan", kindOf(complaint.Escalated): "pengingat pengaduan kepada atasan",
	kindOf(complaint.NoteAdded): "catatan pengaduan",
}

// kindOf: events of complaints lie in the same chain, and are told of without the complainant's words.
func kindOf(k complaint.Kind) request.Kind { return request.Kind(k) }

// lineOf is "08.07  PBG-2026-000001  disposisi: Surya Hadiningrat kepada Laras Puspitasari".
func lineOf(a *agency.Agency, n store.News) string {
	e := n.Event
	text := told[e.Kind]
	switch {
	case e.Subject != nil && e.Kind == request.Received:
		text += ": " + e.Subject.Name + ", " + e.Subject.Office + " (" + e.Letter.Channel + ")"
	case e.Disposition != nil && len(e.Disposition.To) > 0:
		text += ": " + e.Disposition.From.Name + " kepada " + e.Disposition.To[0].Name
	case store.IsComplaint(n.Number):
	case e.Step != "":
		text += ": " + request.StepTitle(a.SOP, e.Step) + " (" + e.Mark + ")"
	case e.Text != "" && e.Kind != request.LinkMailed:
		text += ": " + e.Text
	}
	return e.Seen.In(a.Zone).Format("15.04") + "  " + n.Number + "  " + text
}

// Table prints how each request went: step by step who, when, norm, used, kept or broken.
func Table(ctx context.Context, out io.Writer, w *World, st *store.Store) error {
	for _, a := range w.Config.Agencies() {
		states, err := st.StatesTouching(ctx, a.Key, "", time.Time{}, w.Clock.Now().AddDate(1, 0, 0))
		if err != nil {
			return err
		}
		for _, s := range states {
			if err := tableOf(out, a, s, w.Clock.Now()); err != nil {
				return err
			}
		}
	}
	return nil
}

func tableOf(out io.Writer, a *agency.Agency, s request.State, now time.Time) error {
	steps, total, err := request.Clocks(s, a, now)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "\n%s  %s  %s  (%s)  %s\n", s.Number, s.Subject.Name, s.Subject.Office, a.SOP.ID, s.ForOffice())
	w := tabwriter.NewWriter(out, 2, 4, 2, ' ', 0)
	if total != nil {
		steps = append(steps, *total)
	}
	for _, c := range steps {
		who, when, norm, used, verdict := c.By.Name, "", "-", "-", ""
		if who == "" && len(c.Step.Actors) > 0 {
			who = c.Step.Actors[0].Title()
		}
		if !c.End.IsZero() {
			when = c.End.In(a.Zone).Format("02/01 15.04")
		}
		if c.Reading != nil {
			norm, used, verdict = normOf(a.SOP, c), mailflow.NoticeSpan(c.Reading.Used), c.Reading.State.Title()
		}
		fmt.Fprintf(w, "  %s\t%s\t%s\t%s\t%s\t%s\n", shorten(c.Step.Title, 58), shorten(who, 30), when, norm, used, verdict)
	}
	return w.Flush()
}

func normOf(p *sop.SOP, c request.StepClock) string {
	if c.Step.Norm != nil {
		return mailflow.NoticeNorm(*c.Step.Norm)
	}
	return mailflow.NoticeNorm(*p.Total)
}

func shorten(s string, most int) string {
	if r := []rune(s); len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return s
}

// Tally is what the demo counts, from the database and the simulators' journals.
type Tally struct {
	Letters, Requests, Closed, Resets, Mails, Reminders, Digests int
}

// Count counts.
func Count(ctx context.Context, w *World, st *store.Store) (Tally, error) {
	var t Tally
	err := st.Pool.QueryRow(ctx, `SELECT (SELECT count(*) FROM letters), (SELECT count(*) FROM requests),
		(SELECT count(*) FROM requests WHERE status = 'closed'),
		(SELECT count(*) FROM events WHERE kind IN ('Reminded', 'Escalated')),
		(SELECT count(*) FROM outbox WHERE template LIKE 'digest-%' AND state = 'sent')`).
		Scan(&t.Letters, &t.Requests, &t.Closed, &t.Reminders, &t.Digests)
	if err != nil {
		return t, fmt.Errorf("counting: %w", err)
	}
	for _, e := range w.BSrE.Journal() {
		if e.Executed {
			t.Resets++
		}
	}
	t.Mails = len(w.Mail.Journal())
	return t, nil
}

func (t Tally) String() string {
	return fmt.Sprintf("%d letters, %d requests, %d closed, %d resets, %d mails, %d reminders, %d digests", t.Letters, t.Requests, t.Closed, t.Resets,
		t.Mails, t.Reminders, t.Digests)
}

// Done reports whether every scene has come to its end; otherwise it says what is missing, for a person.
func (p *Play) Done(ctx context.Context) (missing []string, err error) {
	requests := map[string][]store.Request{}
	for _, a := range p.World.Config.Agencies() {
		list, err := p.Store.Requests(ctx, a.Key, time.Time{}, p.World.Clock.Now().AddDate(1, 0, 0))
		if err != nil {
			return nil, err
		}
		for _, r := range list {
			requests[r.LetterNumber] = append(requests[r.LetterNumber], r)
		}
	}
	for _, s := range p.scenes {
		if !p.sent[s.name] {
			missing = append(missing, s.name+": belum dikirim")
			continue
		}
		missing = append(missing, s.missing(requests)...)
	}
	kinds, err := p.kinds(ctx)
	if err != nil {
		return nil, err
	}
	for _, s := range p.scenes {
		if kinds[s.kind] == 0 {
			missing = append(missing, fmt.Sprintf("%s: tidak ada surat yang terbaca sebagai %s", s.name, s.kind))
		} else {
			kinds[s.kind]--
		}
	}
	return missing, nil
}

func (s scene) missing(requests map[string][]store.Request) []string {
	if s.joins != "" {
		return nil // its paper's request is looked at in the other scene, and must be one
	}
	have := requests[s.number]
	if len(have) != len(s.ends) {
		return []string{fmt.Sprintf("%s: %d permohonan, seharusnya %d", s.name, len(have), len(s.ends))}
	}
	var out []string
	for i, want := range s.ends {
		if have[i].Status != want {
			out = append(out, fmt.Sprintf("%s: %s %s, seharusnya %s", s.name, have[i].Number, have[i].Status, want))
		}
	}
	return out
}

// kinds counts what the letters of the play were read as; those that we registered in Srikandi ourselves come back and don't count.
func (p *Play) kinds(ctx context.Context) (map[letter.Kind]int, error) {
	rows, err := p.Store.Pool.Query(ctx, `SELECT coalesce(kind, ''), count(*) FROM letters
		WHERE NOT EXISTS (SELECT FROM registrations r WHERE channel = 'srikandi' AND r.srikandi_id = source AND r.agency = letters.agency) GROUP BY kind`)
	if err != nil {
		return nil, fmt.Errorf("counting kinds: %w", err)
	}
	defer rows.Close()
	out := map[letter.Kind]int{}
	for rows.Next() {
		var kind letter.Kind
		var n int
		if err := rows.Scan(&kind, &n); err != nil {
			return nil, fmt.Errorf("counting kinds: %w", err)
		}
		out[kind] = n
	}
	return out, rows.Err()
}
