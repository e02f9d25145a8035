package console

import (
	"cmp"
	"fmt"
	"net/http"
	"net/mail"
	"slices"
	"strings"

	"pulih/internal/agency"
	"pulih/internal/request"
	"pulih/internal/store"
)

// officesPage is Kantor: the directory.
type officesPage struct {
	base
	Search  string
	Offices []officeRow
	More    int
	Waiting []changeRow
	MayEdit bool
	Total   int
}

type officeRow struct {
	agency.Office
	Path      string
	Officials int
	NoAddress int // officials without an address: no reset is possible for them
}

type changeRow struct {
	store.DirectoryChange
	Office, Who string
	Words       []string
	Own         bool
}

func (c *Console) officesPage(p *page) error {
	d := officesPage{base: c.base(p, "Kantor dan pejabat", "Kantor"), Search: strings.TrimSpace(p.URL.Query().Get("cari")), MayEdit: p.who.may(editOffices), Total: len(p.agency.Offices)}
	for _, o := range p.agency.Offices {
		if d.Search != "" && !officeMatches(o, d.Search) {
			continue
		}
		row := officeRow{Office: o, Path: "/" + p.agency.Key + "/kantor/" + o.ID}
		for _, f := range o.All() {
			row.Officials++
			if f.Email == "" {
				row.NoAddress++
			}
		}
		d.Offices = append(d.Offices, row)
	}
	slices.SortStableFunc(d.Offices, func(a, b officeRow) int { return cmp.Compare(fold(a.Name), fold(b.Name)) })
	if len(d.Offices) > rowsShown {
		d.More, d.Offices = len(d.Offices)-rowsShown, d.Offices[:rowsShown]
	}
	changes, err := c.o.Store.DirectoryChanges(p.ctx(), p.agency.Key, "")
	if err != nil {
		return err
	}
	for _, x := range changes {
		if x.Accepted == nil {
			d.Waiting = append(d.Waiting, c.changeRow(p, x))
		}
	}
	return c.show(p, http.StatusOK, "kantor", d)
}

func officeMatches(o agency.Office, text string) bool {
	text = fold(text)
	for _, s := range append(append([]string{o.Name, o.ID}, o.Aliases...), o.Addresses...) {
		if strings.Contains(fold(s), text) {
			return true
		}
	}
	return slices.ContainsFunc(o.All(), func(f agency.Official) bool {
		return strings.Contains(fold(f.Name), text) || strings.Contains(fold(f.Email), text) || agency.Digits(text) != "" && agency.Digits(text) == agency.Digits(f.NIP)
	})
}

// changeRow says a change in words: what becomes of what.
func (c *Console) changeRow(p *page, x store.DirectoryChange) changeRow {
	row := changeRow{DirectoryChange: x, Office: x.OfficeID, Who: c.nameOf(p, x.Person), Own: x.Person == p.who.person.ID}
	if o, ok := p.agency.Office(x.OfficeID); ok {
		row.Office = o.Name
	}
	switch b := x.Body; {
	case b.Office != nil:
		row.Words = append(row.Words, "Kantor "+b.Office.Name, "alamat: "+or(strings.Join(b.Office.Addresses, ", "), "tidak ada"))
	case b.Gone != nil:
		row.Words = append(row.Words, b.Gone.Name+" tidak lagi pejabat di sini")
	case b.Official != nil:
		row.Words = append(row.Words, b.Official.Name+", "+placeWords[b.Place])
		before := agency.Official{}
		if b.Before != nil {
			before = *b.Before
		}
		row.Words = append(row.Words, differences(before, *b.Official)...)
	}
	return row
}

var placeWords = map[store.Place]string{store.PlaceHead: "kepala", store.PlaceActing: "pelaksana (Plt., Plh.)", store.PlaceOfficial: "pejabat"}

func differences(before, after agency.Official) []string {
	var out []string
	for _, f := range []struct{ label, x, y string }{
		{"nama", before.Name, after.Name}, {"NIP", spacedNIP(before.NIP), spacedNIP(after.NIP)}, {"jabatan", before.Position, after.Position},
		{"e-mail", before.Email, after.Email}, {"telepon", before.Phone, after.Phone},
	} {
		if f.x != f.y {
			out = append(out, fmt.Sprintf("%s: %s menjadi %s", f.label, or(f.x, "kosong"), or(f.y, "kosong")))
		}
	}
	return out
}

// officePage is one office with its officials.
type officePage struct {
	base
	O       agency.Office
	Path    string
	People  []officialRow
	Waiting []changeRow
	History []changeRow
	MayEdit bool
	IsNew   bool
}

type officialRow struct {
	agency.Official
	Place      store.Place
	PlaceWords string
	Index      int
}

func (c *Console) officePage(p *page) error {
	o, ok := p.agency.Office(p.PathValue("office"))
	if !ok {
		return fmt.Errorf("office: %w", store.ErrNotFound)
	}
	d := officePage{base: c.base(p, o.Name, "Kantor"), O: *o, Path: "/" + p.agency.Key + "/kantor/" + o.ID, MayEdit: p.who.may(editOffices)}
	add := func(place store.Place, list ...agency.Official) {
		for _, f := range list {
			if f.Name != "" {
				d.People = append(d.People, officialRow{Official: f, Place: place, PlaceWords: placeWords[place], Index: len(d.People)})
			}
		}
	}
	add(store.PlaceHead, o.Head)
	add(store.PlaceActing, o.Acting...)
	add(store.PlaceOfficial, o.Officials...)
	changes, err := c.o.Store.DirectoryChanges(p.ctx(), p.agency.Key, o.ID)
	if err != nil {
		return err
	}
	for _, x := range slices.Backward(changes) {
		if x.Accepted == nil {
			d.Waiting = append(d.Waiting, c.changeRow(p, x))
		} else if len(d.History) < 50 {
			d.History = append(d.History, c.changeRow(p, x))
		}
	}
	return c.show(p, http.StatusOK, "opd", d)
}

// saveOfficial changes or adds an official.
func (c *Console) saveOfficial(p *page) error {
	o, ok := p.agency.Office(p.PathValue("office"))
	if !ok {
		return fmt.Errorf("office: %w", store.ErrNotFound)
	}
	f := agency.Official{Name: p.text("nama", 200), NIP: agency.Digits(p.text("nip", 40)), Position: p.text("jabatan", 200), Email: strings.ToLower(p.text("surel", 200)), Phone: p.text("telepon", 40)}
	place := store.Place(p.text("tempat", 20))
	if placeWords[place] == "" {
		place = store.PlaceOfficial
	}
	if err := checkOfficial(p.agency, f); err != nil {
		return err
	}
	x, changed := officialChange(o, f, place)
	if !changed {
		return p.redirect("/" + p.agency.Key + "/kantor/" + o.ID)
	}
	return c.change(p, o.ID, []store.DirectoryChange{x})
}

// officialChange is the change that makes f stand at a place of the office; false when it does already. A NIK is never entered here: what the
// directory knows of one stays.
func officialChange(o *agency.Office, f agency.Official, place store.Place) (store.DirectoryChange, bool) {
	x := store.DirectoryChange{OfficeID: o.ID, Body: store.DirectoryBody{Official: &f, Place: place}}
	var before agency.Official
	for _, g := range append(append([]agency.Official{o.Head}, o.Acting...), o.Officials...) {
		if g.Name != "" && store.SameOfficial(f, g) {
			before = g
		}
	}
	at := store.PlaceOfficial
	switch {
	case before.Name == "":
		at = ""
	case store.SameOfficial(before, o.Head):
		at = store.PlaceHead
	case slices.ContainsFunc(o.Acting, func(g agency.Official) bool { return store.SameOfficial(before, g) }):
		at = store.PlaceActing
	}
	f.NIK = before.NIK
	x.Body.Official = &f
	if before.Name != "" {
		x.Body.Before = &before
	}
	// Where links and mails go, and whose signature counts, is not for one person to change.
	x.Second = !strings.EqualFold(before.Email, f.Email) || place != at && place != store.PlaceOfficial
	return x, before != f || place != at
}

func checkOfficial(a *agency.Agency, f agency.Official) error {
	switch {
	case f.Name == "":
		return say(http.StatusUnprocessableEntity, "Tuliskan nama pejabat.")
	case f.NIP != "" && len(f.NIP) != 18:
		return say(http.StatusUnprocessableEntity, "NIP %s terdiri dari %d angka; seharusnya 18.", f.Name, len(f.NIP))
	case f.Email != "":
		return checkAddress(a, f.Email)
	}
	return nil
}

func checkAddress(a *agency.Agency, address string) error {
	if parsed, err := mail.ParseAddress(address); err != nil || parsed.Address != address {
		return say(http.StatusUnprocessableEntity, "Alamat %q bukan alamat e-mail.", address)
	}
	if !a.OwnDomain(address) {
		return say(http.StatusUnprocessableEntity, "Alamat %s bukan alamat dinas: harus di %s.", address, strings.Join(a.Domains, " atau "))
	}
	return nil
}

func (c *Console) dropOfficial(p *page) error {
	o, ok := p.agency.Office(p.PathValue("office"))
	if !ok {
		return fmt.Errorf("office: %w", store.ErrNotFound)
	}
	want := agency.Official{Name: p.text("nama", 200), NIP: p.text("nip", 40)}
	for _, f := range append(slices.Clone(o.Acting), o.Officials...) {
		if store.SameOfficial(want, f) {
			return c.change(p, o.ID, []store.DirectoryChange{{OfficeID: o.ID, Body: store.DirectoryBody{Gone: &f}}})
		}
	}
	return say(http.StatusConflict, "Kepala kantor diganti, bukan dihapus: simpan kepala yang baru.")
}

// saveOffice changes an office's own data, or adds an office.
func (c *Console) saveOffice(p *page) error {
	id := p.PathValue("office")
	next := agency.Office{ID: id, Name: p.text("nama", 200), Aliases: listOf(p.text("alias", 500)), Addresses: listOf(strings.ToLower(p.text("alamat", 1000)))}
	if next.Name == "" {
		return say(http.StatusUnprocessableEntity, "Tuliskan nama kantor.")
	}
	for _, address := range next.Addresses {
		if err := checkAddress(p.agency, address); err != nil {
			return err
		}
	}
	x := store.DirectoryChange{OfficeID: id, Second: true, Body: store.DirectoryBody{Office: &next}}
	if o, ok := p.agency.Office(id); ok {
		x.Second = !slices.Equal(o.Addresses, next.Addresses)
		if !x.Second && o.Name == next.Name && slices.Equal(o.Aliases, next.Aliases) {
			return p.redirect("/" + p.agency.Key + "/kantor/" + id)
		}
	} else {
		return fmt.Errorf("office: %w", store.ErrNotFound)
	}
	return c.change(p, id, []store.DirectoryChange{x})
}

func (c *Console) addOffice(p *page) error {
	name := p.text("nama", 200)
	id := slug(p.text("kode", 40))
	if name == "" || id == "" {
		return say(http.StatusUnprocessableEntity, "Tuliskan nama kantor dan kodenya, misalnya dindikbud.")
	}
	if _, ok := p.agency.Office(id); ok || id == "impor" {
		return say(http.StatusConflict, "Kode %s sudah dipakai kantor lain.", id)
	}
	return c.change(p, id, []store.DirectoryChange{{OfficeID: id, Body: store.DirectoryBody{Office: &agency.Office{ID: id, Name: name}}}})
}

func slug(s string) string {
	return strings.Trim(strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			return r
		case r == ' ' || r == '-' || r == '_':
			return '-'
		}
		return -1
	}, strings.ToLower(s)), "-")
}

func listOf(s string) []string {
	var out []string
	for _, x := range strings.FieldsFunc(s, func(r rune) bool { return r == ',' || r == ';' || r == '\n' }) {
		if x = strings.TrimSpace(x); x != "" {
			out = append(out, x)
		}
	}
	return out
}

// change writes changes down with a line in the audit log each, and goes back to the office.
func (c *Console) change(p *page, officeID string, list []store.DirectoryChange) error {
	err := c.o.Store.InTx(p.ctx(), p.now, func(tx *store.Tx) error {
		for _, x := range list {
			x.Agency, x.Person = p.agency.Key, p.who.person.ID
			id, err := tx.ChangeDirectory(x)
			if err != nil {
				return err
			}
			action := "mengubah daftar pejabat"
			if x.Second {
				action = "mengusulkan perubahan daftar pejabat"
			}
			words := strings.Join(c.changeRow(p, x).Words, "; ")
			if err := tx.Audit(p.agency.Key, p.who.person.ID, action, fmt.Sprintf("kantor/%s", x.OfficeID), fmt.Sprintf("%d: %s", id, words)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	if slices.ContainsFunc(list, func(x store.DirectoryChange) bool { return x.Second }) {
		return p.redirect("/" + p.agency.Key + "/kantor?kabar=waiting")
	}
	return p.redirect("/" + p.agency.Key + "/kantor/" + officeID + "?kabar=saved")
}

// settleChange is the second person's word. Open requests of an official whose address is now known are told of it, so that a verifier can go on.
func (c *Console) settleChange(p *page) error {
	id, err := pathID(p, "id")
	if err != nil {
		return err
	}
	accept := p.PostFormValue("terima") == "ya"
	err = c.o.Store.InTx(p.ctx(), p.now, func(tx *store.Tx) error {
		if err := tx.SettleDirectory(p.agency.Key, id, p.who.person.ID, accept); err != nil {
			return err
		}
		action := "menyetujui perubahan daftar pejabat"
		if !accept {
			action = "menolak perubahan daftar pejabat"
		}
		return tx.Audit(p.agency.Key, p.who.person.ID, action, "kantor", fmt.Sprint(id))
	})
	if err != nil {
		return err
	}
	return p.redirect("/" + p.agency.Key + "/kantor?kabar=saved")
}

// refreshSubject takes what the directory knows now over into an open request: the address that was missing, a corrected office. Who did it
// stays in the events, and an approval made on the old data is used up (request.Join).
func (c *Console) refreshSubject(p *page) error {
	number := p.PathValue("number")
	if _, err := c.o.Store.Request(p.ctx(), p.agency.Key, number); err != nil {
		return err
	}
	s, err := c.o.Store.State(p.ctx(), number)
	if err != nil {
		return err
	}
	next, changed := fromDirectory(p.agency, s.Subject)
	if len(changed) == 0 || len(s.Letters) == 0 {
		return say(http.StatusConflict, "Daftar pejabat tidak memuat hal baru untuk permohonan ini.")
	}
	return c.act(p, "corrected", request.Join{Letter: s.Letters[0], Subject: &next, Changed: changed, By: p.who.actor(decide)})
}

// fromDirectory is the subject with what the directory knows of the official, and the changes in words.
func fromDirectory(a *agency.Agency, s request.Subject) (request.Subject, []string) {
	f, o, ok := a.Official(s.NIP, s.Name)
	if !ok {
		return s, nil
	}
	next := s
	next.Email, next.Known = f.Email, f.Email != ""
	next.OfficeID, next.Office = o.ID, o.Name
	next.NIP = or(s.NIP, agency.Digits(f.NIP))
	var changed []string
	for _, x := range []struct{ label, from, to string }{{"E-mail dinas", s.Email, next.Email}, {"Kantor", s.Office, next.Office}} {
		if x.from != x.to {
			changed = append(changed, fmt.Sprintf("%s menurut daftar pejabat: %s", x.label, or(x.to, "tidak ada")))
		}
	}
	return next, changed
}
