package scheduler

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"pulih/internal/agency"
	"pulih/internal/letter"
	"pulih/internal/request"
	"pulih/internal/store"
	"pulih/srikandi"
)

// readNaskah reads a letter from Srikandi with its files and dispositions. Where only dispositions moved since it was read last, the reading
// stays: files are opened again only when the letter itself was edited.
func (d *Daemon) readNaskah(ctx context.Context, t *tenant, l store.Letter, raw []byte) error {
	n, err := srikandi.Decode(raw, t.Zone)
	if err != nil {
		return d.quarantine(ctx, t, l, "Naskah dari Srikandi tidak dapat dibaca.")
	}
	was, err := d.lastReading(ctx, t, l)
	if err != nil {
		return err
	}
	news, err := d.news(ctx, l, was, n)
	if err != nil {
		return err
	}
	if was != nil && l.ReadVersion < l.Version && len(news) == 0 {
		asked, err := d.store.Doubted(ctx, l.ID) // a human's word may have come since
		if err != nil {
			return err
		}
		if !asked {
			return d.markRead(ctx, t, l, l.Kind, was.reading, func(tx *store.Tx) error { return d.follow(tx, t, l, n, nil, was) })
		}
	}
	reading, err := d.openNaskah(ctx, l, n)
	if err != nil {
		return err
	}
	if reading.Kind == letter.Complaint && was == nil {
		return d.readComplaintNaskah(ctx, t, l, reading, n)
	}
	ref := request.Letter{ID: l.ID, Channel: "srikandi", SrikandiID: n.ID, ReceivedAt: l.ReceivedAt, Number: deref(reading.Letter.Number),
		Date: deref(reading.Letter.Date), Subject: deref(reading.Letter.Subject)}
	if reading.Letter.Signer != nil {
		ref.Signer = deref(reading.Letter.Signer.Name)
	}
	subjects, err := d.judge(ctx, t, l, &reading, letter.Envelope{Channel: "srikandi", ReceivedAt: l.ReceivedAt})
	if err != nil {
		return err
	}
	e := edition{t: t, l: l, n: n, ref: ref, reading: reading, news: news, weighty: was != nil && weighty(was.naskah, n)}
	return d.markRead(ctx, t, l, reading.Kind, reading, func(tx *store.Tx) error {
		numbers, err := d.receiveEdition(tx, e, subjects)
		if err != nil {
			return err
		}
		return d.follow(tx, t, l, n, numbers, was)
	})
}

// receiveEdition brings a reading to the requests of its letter, and opens or joins one for each applicant who has none there.
func (d *Daemon) receiveEdition(tx *store.Tx, e edition, subjects []request.Subject) (numbers []string, err error) {
	fresh, mine, err := d.rejoin(tx, e, subjects)
	if err != nil {
		return nil, err
	}
	if len(mine) == 0 || len(fresh) > 0 {
		if numbers, err = d.receive(tx, e.t, e.l, e.reading, e.ref, fresh, &e.n); err != nil {
			return nil, err
		}
	}
	if len(e.news) > 0 { // whom a later edition names, no earlier word was about
		for _, number := range numbers {
			if _, err := tx.Act(e.t.Agency, number, request.Join{Letter: e.ref, Changed: e.news}); err != nil {
				return nil, err
			}
		}
	}
	return numbers, nil
}

// openNaskah has the letter read with its files.
func (d *Daemon) openNaskah(ctx context.Context, l store.Letter, n srikandi.Naskah) (letter.Reading, error) {
	have, err := d.store.Files(ctx, l.ID)
	if err != nil {
		return letter.Reading{}, err
	}
	meta := srikandi.Meta(n)
	files, findings := filesOf(n, have)
	reading := d.reader.Read(ctx, letter.Input{Meta: &meta, Files: files})
	reading.Findings = append(append(reading.Findings, findings...), flawFindings(n)...)
	return reading, nil
}

// flawFindings names what inside a letter could not be read, by its place alone.
func flawFindings(n srikandi.Naskah) []letter.Finding {
	var places []string
	for _, flaw := range n.Flaws {
		place, _, _ := strings.Cut(flaw, ":")
		places = append(places, strings.TrimPrefix(place, "."))
	}
	if len(places) == 0 {
		return nil
	}
	return []letter.Finding{{Code: "srikandi-flaws", Severity: letter.Warning,
		Detail: "Sebagian isi naskah di Srikandi tidak terbaca (" + strings.Join(places, ", ") + "); periksa di sana."}}
}

// lastReading is a letter as it was read last; nil when it never was.
type lastReading struct {
	naskah  srikandi.Naskah
	reading letter.Reading
}

func (d *Daemon) lastReading(ctx context.Context, t *tenant, l store.Letter) (*lastReading, error) {
	raw, err := d.store.NaskahAsRead(ctx, l)
	if err != nil || raw == nil {
		return nil, err
	}
	n, err := srikandi.Decode(raw, t.Zone)
	if err != nil {
		return nil, nil //nolint:nilerr // it went to quarantine: there is nothing to compare with
	}
	r, err := d.store.Reading(ctx, l.ID)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	return &lastReading{n, r}, nil
}

// news says in words what is different from the last reading and matters; nothing the first time.
func (d *Daemon) news(ctx context.Context, l store.Letter, w *lastReading, n srikandi.Naskah) (out []string, err error) {
	if w == nil {
		return nil, nil
	}
	list, err := d.store.FileList(ctx, l.ID)
	if err != nil {
		return nil, err
	}
	_, missing := filesOf(n, list)
	for _, c := range srikandi.Changes(w.naskah, n) {
		out = append(out, changeWords(c))
	}
	if !slices.Equal(w.naskah.Flaws, n.Flaws) {
		out = append(out, "Bagian naskah yang tidak terbaca berubah")
	}
	lacked := func(list []letter.Finding) bool {
		return slices.ContainsFunc(list, func(f letter.Finding) bool { return f.Code == "attachment-missing" })
	}
	if lacked(w.reading.Findings) && !lacked(missing) {
		out = append(out, "Lampiran yang semula tidak dapat diambil kini terbaca")
	}
	return out, nil
}

// weighty tells whether what was approved may be another letter now. A number that was temporary and is final is Srikandi's usual way.
func weighty(was, n srikandi.Naskah) bool {
	return slices.ContainsFunc(srikandi.Changes(was, n), func(c srikandi.Change) bool {
		switch c.Field {
		case "ringkasan", "nomor_sementara", "tanggal_diterima", "dibatalkan": // the last has rules of its own
			return false
		case "nomor_naskah":
			return !was.Temporary
		}
		return true
	})
}

var fieldWords = map[string]string{
	"nomor_naskah": "Nomor surat", "tanggal_naskah": "Tanggal surat", "hal": "Hal", "ringkasan": "Ringkasan", "asal.instansi": "Instansi asal",
	"asal.unit": "Kantor asal", "asal.jabatan": "Jabatan pengirim", "asal.nama": "Nama pengirim", "asal.nip": "NIP pengirim",
	"nomor_sementara": "Nomor sementara", "dibatalkan": "Pembatalan", "tanggal_diterima": "Tanggal diterima", "lampiran": "Lampiran",
}

// changeWords tells a change for the timeline. Identity numbers are not shown, only that they changed.
func changeWords(c srikandi.Change) string {
	if c.Field == "asal.nip" || c.Field == "lampiran" {
		return fieldWords[c.Field] + " berubah"
	}
	return letter.Mask(fmt.Sprintf("%s: %q menjadi %q", or(fieldWords[c.Field], c.Field), c.Old, c.New))
}

// edition is a new reading of a letter that was read before, or the first.
type edition struct {
	t       *tenant
	l       store.Letter
	n       srikandi.Naskah
	ref     request.Letter
	reading letter.Reading
	news    []string
	weighty bool // an approval rests on what is different
}

// rejoin brings a new reading of a letter to the requests that hang on it already, each with its applicant as the letter names them now. It
// answers the applicants that none of these requests is about, and the requests.
func (d *Daemon) rejoin(tx *store.Tx, e edition, subjects []request.Subject) (fresh []request.Subject, mine []string, err error) {
	mine, err = tx.NumbersOfLetter(e.l.ID)
	if err != nil || len(mine) == 0 {
		return subjects, nil, err
	}
	var unnamed []request.State // requests whose applicant the letter doesn't name any more
	fresh = slices.Clone(subjects)
	for _, number := range mine {
		s, err := tx.State(number)
		if err != nil {
			return nil, nil, err
		}
		i := slices.IndexFunc(fresh, func(f request.Subject) bool { return samePerson(f, s.Subject) })
		if i < 0 {
			unnamed = append(unnamed, s)
			continue
		}
		subject := fresh[i]
		fresh = slices.Delete(fresh, i, i+1)
		if err := d.rejoinOne(tx, e, s, &subject); err != nil {
			return nil, nil, err
		}
	}
	if len(unnamed) == 1 && len(fresh) == 1 { // one for one: the letter names somebody else now
		return nil, mine, d.rejoinOne(tx, e, unnamed[0], &fresh[0])
	}
	for _, s := range unnamed {
		if err := d.rejoinOne(tx, e, s, nil); err != nil {
			return nil, nil, err
		}
	}
	return fresh, mine, nil
}

func samePerson(a, b request.Subject) bool {
	if a.NIP != "" && b.NIP != "" {
		return a.NIP == b.NIP
	}
	return agency.SameName(a.Name, b.Name)
}

// rejoinOne tells one request what is new in its letter. Without a subject the letter doesn't name its applicant any more.
func (d *Daemon) rejoinOne(tx *store.Tx, e edition, s request.State, subject *request.Subject) error {
	cmd := request.Join{Letter: e.ref, Subject: subject, Findings: slices.Clone(e.reading.Findings), Changed: slices.Clone(e.news), Recheck: e.weighty}
	who := s.Subject
	if subject == nil && len(e.news) > 0 {
		cmd.Changed, cmd.Recheck = append(cmd.Changed, "Pemohon tidak lagi disebut dalam surat"), true
		cmd.Findings = append(cmd.Findings, letter.Finding{Code: "applicant-gone", Severity: letter.Danger,
			Detail: "Surat diubah di Srikandi dan tidak lagi menyebut pemohon ini."})
	} else if subject != nil {
		cmd.Changed = append(cmd.Changed, subjectWords(s.Subject, *subject)...)
		who = *subject
	}
	if len(cmd.Changed) > 0 {
		cmd.Findings = append(cmd.Findings, letter.Finding{Code: "letter-changed", Severity: letter.Warning,
			Detail: "Data surat diubah di Srikandi setelah tercatat; lihat riwayat."})
	}
	keys := d.store.Keys.LetterKeys(keyNumber(e.ref, &e.n), e.ref.Date, store.FileSums(e.l, e.reading), e.ref.SrikandiID, who.NIP, who.Name)
	papers := slices.Contains(e.news, fieldWords["lampiran"]+" berubah")
	_, err := tx.JoinLetter(e.t.Agency, s.Number, keys, cmd, papers)
	return err
}

// subjectWords says what about the applicant changed and matters. Numbers are not shown, only that they changed.
func subjectWords(old, new request.Subject) []string {
	var out []string
	tell := func(what, a, b string) {
		if a != b {
			out = append(out, fmt.Sprintf("%s pemohon: %q menjadi %q", what, a, b))
		}
	}
	tell("Nama", old.Name, new.Name)
	tell("Jabatan", old.Position, new.Position)
	tell("Kantor", old.Office, new.Office)
	tell("Alamat e-mail dinas", old.Email, new.Email)
	if old.NIP != new.NIP {
		out = append(out, "NIP pemohon berubah")
	}
	if old.NIK != new.NIK {
		out = append(out, "NIK pemohon berubah")
	}
	if old.Phone != new.Phone {
		out = append(out, "Telepon pemohon berubah")
	}
	return out
}

// follow brings the letter's dispositions and decisions to its requests.
func (d *Daemon) follow(tx *store.Tx, t *tenant, l store.Letter, n srikandi.Naskah, numbers []string, was *lastReading) error {
	numbers, err := d.numbersOf(tx, t, l, n, numbers)
	if err != nil || len(numbers) == 0 {
		return err
	}
	gone, err := tx.IsGone(l.ID)
	if err != nil {
		return err
	}
	dispositions := srikandi.Dispositions(n, t.Agency)
	wasCancelled := was != nil && was.naskah.Cancelled
	for _, number := range numbers {
		cmds := []request.Command{request.Dispose{LetterID: l.ID, Now: srikandi.Counting(dispositions)}}
		switch {
		case n.Cancelled:
			cmds = append(cmds, request.Gone{LetterID: l.ID, Text: isCancelled})
		case gone:
			cmds = append(cmds, request.Gone{LetterID: l.ID, Text: isDeleted})
		case wasCancelled:
			cmds = append(cmds, request.Back{LetterID: l.ID, Text: isRestored})
		}
		st, err := tx.Act(t.Agency, number, cmds...)
		if err == nil && n.Cancelled && !wasCancelled {
			err = d.withdrawn(tx, t, number, l.ID, isCancelled)
		}
		if err != nil {
			return err
		}
		if err := d.decideInSrikandi(tx, t, st, refOf(l, n), dispositions); err != nil {
			return err
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
