package console

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"pulih/internal/agency"
	"pulih/internal/complaint"
	"pulih/internal/letter"
	"pulih/internal/request"
	"pulih/internal/store"
)

// lettersPage is Surat: what a machine can't decide.
type lettersPage struct {
	base
	pager
	Doubts                  []doubtRow
	Unclear, Broken, Others []letterRow
	Rejected                []store.Rejection
	MayRead                 bool
}

type letterRow struct {
	store.Letter
	Path, Words, Why, Subject, From string
}

type doubtRow struct {
	store.Doubt
	Path string
}

func (c *Console) lettersPage(p *page) error {
	number, from := pageOf(p)
	list, err := c.o.Store.UndecidedLetters(p.ctx(), p.agency.Key, from, rowsShown+1)
	if err != nil {
		return err
	}
	d := lettersPage{base: c.base(p, "Surat", "Surat"), MayRead: p.who.may(readDesk), pager: pagerOf(p, number, len(list) > rowsShown)}
	if d.Mark, err = c.o.Store.Mark(p.ctx(), p.agency.Key); err != nil {
		return err
	}
	if number == 1 {
		if err := c.loadDoubts(p, &d); err != nil {
			return err
		}
		if d.Rejected, err = c.o.Store.Rejections(p.ctx(), p.agency.Key); err != nil {
			return err
		}
		d.Rejected = d.Rejected[:min(len(d.Rejected), rowsShown)]
	}
	for _, l := range list[:min(len(list), rowsShown)] {
		row, err := c.letterRow(p, l)
		if err != nil {
			return err
		}
		switch {
		case l.State == "quarantined":
			d.Broken = append(d.Broken, row)
		case l.Kind == letter.OtherCertificateService:
			d.Others = append(d.Others, row)
		default:
			d.Unclear = append(d.Unclear, row)
		}
	}
	return c.show(p, http.StatusOK, "surat", d)
}

func (c *Console) loadDoubts(p *page, d *lettersPage) error {
	list, err := c.o.Store.Doubts(p.ctx(), p.agency.Key)
	for _, q := range list[:min(len(list), rowsShown)] {
		d.Doubts = append(d.Doubts, doubtRow{q, fmt.Sprintf("/%s/ragu/%d", p.agency.Key, q.ID)})
	}
	return err
}

// rejectedShown bounds what is shown of a rejected row, in bytes.
const rejectedShown = 20_000

type rejectedPage struct {
	base
	R    store.Rejection
	Text string
}

// rejectedPage shows what came and could not become a letter, as it came: numbers that identify people are masked.
func (c *Console) rejectedPage(p *page) error {
	id, err := pathID(p, "id")
	if err != nil {
		return err
	}
	list, err := c.o.Store.Rejections(p.ctx(), p.agency.Key)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(list, func(r store.Rejection) bool { return r.ID == id })
	if i < 0 {
		return fmt.Errorf("rejection %d: %w", id, store.ErrNotFound)
	}
	raw, err := c.o.Store.RejectedRaw(p.ctx(), id)
	if err != nil {
		return err
	}
	text := clean(strings.ToValidUTF8(string(raw[:min(len(raw), rejectedShown)]), "\uFFFD"))
	return c.show(p, http.StatusOK, "tertolak", rejectedPage{c.base(p, "Tidak dapat menjadi surat", "Surat"), list[i], text})
}

// letterRow says why a letter is here; what it says is for those who may read letters.
func (c *Console) letterRow(p *page, l store.Letter) (letterRow, error) {
	row := letterRow{Letter: l, Path: fmt.Sprintf("/%s/surat/%d", p.agency.Key, l.ID), Words: kindWords[l.Kind], Why: l.Problem}
	if !p.who.may(readDesk) {
		return row, nil
	}
	r, err := c.o.Store.Reading(p.ctx(), l.ID)
	if errors.Is(err, store.ErrNotFound) {
		return row, nil
	}
	row.Subject, row.From = clean(str(r.Letter.Subject)), clean(str(r.Letter.Office))
	row.Why = or(row.Why, strings.Join(r.Reasons, "; "))
	return row, err
}

// letterPage is one letter with what can be done about it.
type letterPage struct {
	base
	L          store.Letter
	V          letterView
	Requests   []store.Request
	Findings   []letter.Finding
	Applicants []candidate
	Officials  []officeGroup
	MaySort    bool
	MayJoin    bool
	Doubts     []doubtRow
	MayRetry   bool
	MayRead    bool
	Audit      []auditLine
	Path       string
	FormNumber string
	FormDate   string
}

// candidate is an applicant as the letter was read, to be corrected before it becomes a request.
type candidate struct {
	Name, NIP, Position, Office, Email string
	Match                              string // NIP or name of the official in the directory that it seems to be
}

type officeGroup struct {
	Name      string
	Officials []agency.Official
}

func (c *Console) letterPage(p *page) error {
	l, err := c.letterOf(p)
	if err != nil {
		return err
	}
	d := letterPage{base: c.base(p, fmt.Sprintf("Surat %d", l.ID), "Surat"), L: l, Path: fmt.Sprintf("/%s/surat/%d", p.agency.Key, l.ID), MayRead: p.who.may(readDesk),
		MayRetry: p.who.may(retryLetters) && l.State == "quarantined"}
	if d.Requests, err = c.o.Store.RequestsOfLetter(p.ctx(), l.ID); err != nil {
		return err
	}
	if d.MayRead {
		var r letter.Reading
		if d.V, r, err = c.letterView(p, l); err != nil {
			return err
		}
		d.Findings, d.FormNumber, d.FormDate = r.Findings, str(r.Letter.Number), str(r.Letter.Date)
		d.candidates(p.agency, r)
	}
	doubts, err := c.o.Store.DoubtsOf(p.ctx(), l.ID)
	if err != nil {
		return err
	}
	for _, q := range doubts {
		d.Doubts = append(d.Doubts, doubtRow{q, fmt.Sprintf("/%s/ragu/%d", p.agency.Key, q.ID)})
	}
	free := p.who.may(sortLetters) && len(d.Requests) == 0
	d.MaySort, d.MayJoin = free && l.State == "read" && len(doubts) == 0, free && l.State != "stored" && len(doubts) == 0
	if d.Audit, err = c.auditOf(p, letterTarget(l.ID)); err != nil {
		return err
	}
	return c.show(p, http.StatusOK, "lembar", d)
}

func (d *letterPage) candidates(a *agency.Agency, r letter.Reading) {
	for _, ap := range r.Applicants {
		k := candidate{Name: str(ap.Name), NIP: str(ap.NIP), Position: str(ap.Position), Office: or(str(ap.Office), str(r.Letter.Office)), Email: str(ap.Email)}
		if f, _, ok := a.Official(k.NIP, k.Name); ok {
			k.Match = f.NIP
		}
		d.Applicants = append(d.Applicants, k)
	}
	if len(d.Applicants) == 0 {
		d.Applicants = []candidate{{Office: str(r.Letter.Office)}}
	}
	d.Officials = officials(a)
}

// makeRequest opens a request from a letter by a verifier's hand. Whom it is about is chosen from the directory, or written as the letter says
// it: then no reset is possible until the directory knows the address.
func (c *Console) makeRequest(p *page) error {
	l, err := c.letterOf(p)
	if err != nil {
		return err
	}
	if l.State != "read" {
		return say(http.StatusConflict, "Surat ini belum terbaca; baca ulang dahulu.")
	}
	r, err := c.o.Store.Reading(p.ctx(), l.ID)
	if err != nil {
		return err
	}
	subject, err := c.chosen(p)
	if err != nil {
		return err
	}
	by := p.who.actor(sortLetters)
	ref := letterRef(l, r)
	ref.Number, ref.Date = or(p.text("nomor", 200), ref.Number), or(p.text("tanggal", 10), ref.Date)
	read := request.Subject{Office: str(r.Letter.Office)}
	if len(r.Applicants) > 0 {
		ap := applicantOf(r, subject)
		read.Name, read.NIP, read.Position, read.Office, read.Email = str(ap.Name), agency.Digits(str(ap.NIP)), str(ap.Position), or(str(ap.Office), read.Office), str(ap.Email)
	}
	corrected := append(subjectChanges(read, subject), letterChanges(r, ref)...)
	var number string
	err = c.o.Store.InTx(p.ctx(), p.now, func(tx *store.Tx) error {
		keys := append(c.o.Store.Keys.LetterKeys(ref.Number, ref.Date, store.FileSums(l, r), ref.SrikandiID, subject.NIP, subject.Name), c.o.Store.Keys.HandKey(l.ID, subject))
		s, _, err := tx.Receive(p.agency, keys, request.Open{Letter: ref, Subject: subject, Findings: r.Findings, By: by})
		if err != nil {
			return err
		}
		number = s.Number
		if len(corrected) > 0 {
			text := "Dari yang terbaca di surat, dibetulkan " + strings.Join(corrected, "; ") + "."
			if _, err := tx.Act(p.agency, number, request.Note{By: by, Text: text}); err != nil {
				return err
			}
		}
		return errors.Join(tx.SetKind(l.ID, letter.ResetRequest), tx.Audit(p.agency.Key, p.who.person.ID, "menjadikan permohonan", letterTarget(l.ID), s.Number))
	})
	if err != nil {
		return err
	}
	return p.redirect("/" + p.agency.Key + "/permohonan/" + number + "?kabar=request")
}

// letterChanges says where the letter's number or date was corrected.
func letterChanges(r letter.Reading, ref request.Letter) []string {
	var out []string
	if was := str(r.Letter.Number); was != ref.Number {
		out = append(out, fmt.Sprintf("nomor surat: %s menjadi %s", or(was, "kosong"), or(ref.Number, "kosong")))
	}
	if was := str(r.Letter.Date); was != ref.Date {
		out = append(out, fmt.Sprintf("tanggal surat: %s menjadi %s", or(dateWords(was), "kosong"), or(dateWords(ref.Date), "kosong")))
	}
	return out
}

// chosen is the applicant of the form.
func (c *Console) chosen(p *page) (request.Subject, error) {
	if nip := p.text("pejabat", 30); nip != "" {
		f, o, ok := p.agency.Official(nip, "")
		if !ok {
			return request.Subject{}, say(http.StatusUnprocessableEntity, "Pejabat itu tidak ada lagi dalam daftar.")
		}
		return request.Subject{Name: f.Name, NIP: agency.Digits(f.NIP), NIK: agency.Digits(f.NIK), Email: f.Email, Phone: f.Phone, Position: f.Position,
			OfficeID: o.ID, Office: o.Name, Known: f.Email != ""}, nil
	}
	s := request.Subject{Name: p.text("nama", 200), NIP: agency.Digits(p.text("nip", 40)), Position: p.text("jabatan", 200), Office: p.text("kantor", 200)}
	if s.Name == "" {
		return s, say(http.StatusUnprocessableEntity, "Pilih pemohon dari daftar pejabat, atau tuliskan namanya seperti di surat.")
	}
	if len(s.NIP) != 0 && len(s.NIP) != 18 {
		return s, say(http.StatusUnprocessableEntity, "NIP terdiri dari 18 angka; yang ditulis %d. Periksa lagi, atau kosongkan.", len(s.NIP))
	}
	if f, o, ok := p.agency.Official(s.NIP, s.Name); ok {
		s.Name, s.NIP, s.Email, s.Known, s.OfficeID, s.Office = f.Name, agency.Digits(f.NIP), f.Email, f.Email != "", o.ID, o.Name
	} else if o, ok := p.agency.OfficeByName(s.Office); ok {
		s.OfficeID, s.Office = o.ID, o.Name
	}
	return s, nil
}

// setAside says that a letter is no request. It stays in the archive, and who said so is kept.
func (c *Console) setAside(p *page) error {
	l, err := c.letterOf(p)
	if err != nil {
		return err
	}
	kind := letter.Kind(p.text("jenis", 40))
	if !slices.Contains([]letter.Kind{letter.Other, letter.Complaint, letter.Reply, letter.OtherCertificateService}, kind) {
		return say(http.StatusUnprocessableEntity, "Pilih apa surat ini.")
	}
	if kind == letter.Complaint {
		return c.openComplaint(p, l)
	}
	err = c.o.Store.InTx(p.ctx(), p.now, func(tx *store.Tx) error {
		numbers, err := tx.NumbersOfLetter(l.ID)
		if err != nil {
			return err
		}
		if len(numbers) > 0 {
			return say(http.StatusConflict, "Surat ini sudah menjadi permohonan %s.", strings.Join(numbers, ", "))
		}
		if kind == letter.OtherCertificateService {
			kind = letter.Other // seen by a person: nothing is left to decide
		}
		return errors.Join(tx.SetKind(l.ID, kind), tx.Audit(p.agency.Key, p.who.person.ID, "menyisihkan surat", letterTarget(l.ID), p.text("catatan", 500)))
	})
	if err != nil {
		return err
	}
	return p.redirect("/" + p.agency.Key + "/surat?kabar=sorted")
}

// openComplaint makes a complaint of a letter that was taken for something else.
func (c *Console) openComplaint(p *page, l store.Letter) error {
	v, _, err := c.letterView(p, l)
	if err != nil {
		return err
	}
	var text []string
	for _, d := range v.Texts {
		for _, line := range d.Lines {
			text = append(text, line.Text)
		}
	}
	ref := request.Letter{ID: l.ID, Channel: l.Channel, Subject: v.Subject, From: v.Sender, MessageID: l.MessageID, ReceivedAt: l.ReceivedAt}
	cmd := complaint.Open{Channel: complaint.Mail, At: l.ReceivedAt, From: complaint.Complainant{Email: v.Sender}, Text: strings.TrimSpace(strings.Join(text, "\n")),
		Letter: &ref, By: p.who.actor(sortLetters)}
	if l.Channel == "srikandi" {
		cmd.Channel, ref.SrikandiID = complaint.Srikandi, l.Source
	}
	s, err := c.o.Store.EnterComplaint(p.ctx(), p.agency, p.now, cmd)
	if err != nil {
		return err
	}
	if !mayRead(p.who, s.Holder) {
		return p.redirect("/" + p.agency.Key + "/surat?kabar=sorted")
	}
	return p.redirect("/" + p.agency.Key + "/pengaduan/" + s.Number + "?kabar=saved")
}

func (c *Console) retryLetter(p *page) error {
	l, err := c.letterOf(p)
	if err != nil {
		return err
	}
	if err := c.o.Store.RetryLetter(p.ctx(), l.ID, p.now); err != nil {
		return err
	}
	err = c.o.Store.InTx(p.ctx(), p.now, func(tx *store.Tx) error {
		return tx.Audit(p.agency.Key, p.who.person.ID, "membaca ulang surat", letterTarget(l.ID), "")
	})
	if err != nil {
		return err
	}
	return p.redirect("/" + p.agency.Key + "/surat?kabar=retry")
}

type auditLine struct {
	store.Audited
	Name, Words string
}

func (c *Console) auditOf(p *page, target string) ([]auditLine, error) {
	list, err := c.o.Store.AuditLog(p.ctx(), p.agency.Key, target, 200)
	if err != nil {
		return nil, err
	}
	return auditLines(p.agency, list), nil
}

func auditLines(a *agency.Agency, list []store.Audited) []auditLine {
	out := make([]auditLine, len(list))
	for i, x := range list {
		out[i] = auditLine{Audited: x, Name: x.Person, Words: string(x.Detail)}
		if p, ok := a.Person(x.Person); ok {
			out[i].Name = p.Name
		}
	}
	return out
}
