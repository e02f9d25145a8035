package console

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"pulih/internal/agency"
	"pulih/internal/letter"
	"pulih/internal/request"
	"pulih/internal/store"
)

// doubtPage shows a letter that may be a request which is there already beside that request's letter: join or apart.
type doubtPage struct {
	base
	Doubt    store.Doubt
	S        request.State // the request that it may belong to
	Words    string
	Facts    []fact // Letter: the new letter; Directory: the request's
	New, Old letterView
	Path     string
	MaySort  bool
}

func (c *Console) doubtPage(p *page) error {
	q, err := c.doubtOf(p)
	if err != nil {
		return err
	}
	l, err := c.o.Store.Letter(p.ctx(), q.LetterID)
	if err != nil {
		return err
	}
	s, err := c.o.Store.State(p.ctx(), q.Number)
	if err != nil {
		return err
	}
	d := doubtPage{base: c.base(p, "Surat yang mungkin sama", "Surat"), Doubt: q, S: s, Words: s.ForOffice(), Path: fmt.Sprintf("/%s/ragu/%d", p.agency.Key, q.ID),
		MaySort: p.who.may(sortLetters) && q.Verdict == ""}
	newer, err := c.o.Store.Reading(p.ctx(), l.ID)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	if d.New, _, err = c.letterView(p, l); err != nil {
		return err
	}
	older := letter.Reading{}
	if letters, err := c.o.Store.LettersOf(p.ctx(), q.Number); err != nil {
		return err
	} else if len(letters) > 0 {
		if d.Old, older, err = c.letterView(p, letters[0]); err != nil {
			return err
		}
	}
	d.Facts = alike(p.agency, s, newer, older, l.ReceivedAt, d.base)
	return c.show(p, http.StatusOK, "ragu", d)
}

// alike holds the two letters against each other, field by field.
func alike(a *agency.Agency, s request.State, newer, older letter.Reading, received time.Time, b base) []fact {
	ap := applicantOf(newer, s.Subject)
	if ap.Name == nil && len(newer.Applicants) > 0 {
		ap = newer.Applicants[0]
	}
	same := func(x, y string) bool { return agency.SameName(x, y) || fold(x) == fold(y) }
	list := []fact{
		row4("Nomor surat", str(newer.Letter.Number), str(older.Letter.Number), agency.SameNumber),
		row4("Tanggal surat", dateWords(str(newer.Letter.Date)), dateWords(str(older.Letter.Date)), same),
		row4("Hal", clean(str(newer.Letter.Subject)), clean(str(older.Letter.Subject)), same),
		row4("Pemohon", str(ap.Name), s.Subject.Name, same), row4("NIP", spacedNIP(agency.Digits(str(ap.NIP))), spacedNIP(s.Subject.NIP), same),
		row4("Kantor", or(str(ap.Office), str(newer.Letter.Office)), s.Subject.Office, sameOffice(a)),
		row4("Penanda tangan", signerName(newer), signerName(older), same),
		row4("Diterima", b.DateTime(received), b.DateTime(s.OpenedAt), same),
		row4("Berkas", fileNames(newer), fileNames(older), func(string, string) bool { return sameFiles(newer, older) }),
	}
	return slices.DeleteFunc(list, func(f fact) bool { return f.Letter == "" && f.Directory == "" })
}

func signerName(r letter.Reading) string {
	if r.Letter.Signer == nil {
		return ""
	}
	return str(r.Letter.Signer.Name)
}

func fileNames(r letter.Reading) string {
	var names []string
	for _, a := range r.Attachments {
		names = append(names, safeName(a.Name))
	}
	return strings.Join(names, ", ")
}

func sameFiles(x, y letter.Reading) bool {
	return slices.ContainsFunc(x.Attachments, func(a letter.Attachment) bool {
		return slices.ContainsFunc(y.Attachments, func(b letter.Attachment) bool { return a.SHA256 == b.SHA256 })
	})
}

// doubtOf is the doubt of the path; ErrNotFound for one of another agency.
func (c *Console) doubtOf(p *page) (store.Doubt, error) {
	id, err := pathID(p, "id")
	if err != nil {
		return store.Doubt{}, err
	}
	q, err := c.o.Store.Doubt(p.ctx(), id)
	if err == nil && q.Agency != p.agency.Key {
		err = fmt.Errorf("doubt %d: %w", id, store.ErrNotFound)
	}
	return q, err
}

// settleDoubt takes a verifier's word; the letter is read again with it.
func (c *Console) settleDoubt(p *page) error {
	q, err := c.doubtOf(p)
	if err != nil {
		return err
	}
	verdict := store.Verdict(p.text("putusan", 10))
	action, code := "menggabungkan surat dengan permohonan", "joined"
	switch verdict {
	case store.Join:
	case store.Apart:
		action, code = "memisahkan surat dari permohonan", "parted"
	default:
		return say(http.StatusUnprocessableEntity, "Pilih: gabungkan atau pisahkan.")
	}
	err = c.o.Store.SettleDoubt(p.ctx(), q.ID, verdict, p.who.person.ID, p.now)
	if errors.Is(err, store.ErrNotFound) {
		return say(http.StatusConflict, "Surat ini baru saja diputuskan oleh orang lain.")
	} else if err != nil {
		return err
	}
	err = c.o.Store.InTx(p.ctx(), p.now, func(tx *store.Tx) error {
		return tx.Audit(p.agency.Key, p.who.person.ID, action, letterTarget(q.LetterID), q.Number)
	})
	if err != nil {
		return err
	}
	return p.redirect("/" + p.agency.Key + "/surat?kabar=" + code)
}

// joinLetter makes a letter part of a request that is there already, by a verifier's hand: papers that came under another subject, a copy.
func (c *Console) joinLetter(p *page) error {
	l, err := c.letterOf(p)
	if err != nil {
		return err
	}
	number := strings.ToUpper(p.text("nomor", 40))
	row, err := c.o.Store.Request(p.ctx(), p.agency.Key, number)
	if errors.Is(err, store.ErrNotFound) {
		return say(http.StatusUnprocessableEntity, "Permohonan %s tidak ditemukan. Nomornya seperti %s-%d-000123.", number, p.agency.Prefix, p.now.Year())
	} else if err != nil {
		return err
	}
	s, err := c.o.Store.State(p.ctx(), number)
	if err != nil {
		return err
	}
	r, err := c.o.Store.Reading(p.ctx(), l.ID)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	ref := letterRef(l, r)
	err = c.o.Store.InTx(p.ctx(), p.now, func(tx *store.Tx) error {
		if of, err := tx.NumbersOfLetter(l.ID); err != nil {
			return err
		} else if len(of) > 0 {
			return say(http.StatusConflict, "Surat ini sudah menjadi bagian dari %s.", strings.Join(of, ", "))
		}
		keys := c.o.Store.Keys.LetterKeys(ref.Number, ref.Date, store.FileSums(l, r), ref.SrikandiID, s.Subject.NIP, s.Subject.Name)
		join := request.Join{Letter: ref, Findings: r.Findings, By: p.who.actor(sortLetters)}
		if _, err := tx.JoinLetter(p.agency, number, keys, join, p.PostFormValue("lengkap") == "ya"); err != nil {
			return err
		}
		kind := letter.ResetRequest
		if row.Status == request.StatusReturned {
			kind = letter.Reply
		}
		return errors.Join(tx.SetKind(l.ID, kind), tx.Audit(p.agency.Key, p.who.person.ID, "menggabungkan surat dengan permohonan", letterTarget(l.ID), number))
	})
	if err != nil {
		return err
	}
	return p.redirect("/" + p.agency.Key + "/permohonan/" + number + "?kabar=joined")
}

// partLetter takes a letter out of a request that it isn't about; it comes back to Surat, where somebody decides what it is.
func (c *Console) partLetter(p *page) error {
	number := p.PathValue("number")
	if _, err := c.o.Store.Request(p.ctx(), p.agency.Key, number); err != nil {
		return err
	}
	id, err := pathID(p, "id")
	if err != nil {
		return err
	}
	err = c.o.Store.InTx(p.ctx(), p.now, func(tx *store.Tx) error {
		if err := tx.PartLetter(p.agency, number, request.Part{By: p.who.actor(sortLetters), LetterID: id, Text: p.text("alasan", longText)}); err != nil {
			return err
		}
		return tx.Audit(p.agency.Key, p.who.person.ID, "memisahkan surat dari permohonan", letterTarget(id), number)
	})
	if err != nil {
		return err
	}
	return p.redirect(fmt.Sprintf("/%s/surat/%d?kabar=parted", p.agency.Key, id))
}

// letterRef is what a request keeps of a letter.
func letterRef(l store.Letter, r letter.Reading) request.Letter {
	ref := request.Letter{ID: l.ID, Channel: l.Channel, Number: str(r.Letter.Number), Date: str(r.Letter.Date), Subject: clean(str(r.Letter.Subject)),
		Signer: signerName(r), MessageID: l.MessageID, ReceivedAt: l.ReceivedAt}
	if l.Channel == "srikandi" {
		ref.SrikandiID = l.Source
	}
	return ref
}
