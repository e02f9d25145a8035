package console

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"pulih/internal/agency"
	"pulih/internal/store"
)

// The directory as a table: one row an official, the head first. It is what is exported and imported.
var csvColumns = []string{"kode_kantor", "kantor", "alamat_kantor", "tempat", "nama", "nip", "jabatan", "email", "telepon"}

var csvPlaces = map[string]store.Place{"kepala": store.PlaceHead, "pelaksana": store.PlaceActing, "pejabat": store.PlaceOfficial}

// exportOffices hands the directory out. It holds no NIK.
func (c *Console) exportOffices(p *page) error {
	var out bytes.Buffer
	out.WriteString("\uFEFF") // so that Excel reads UTF-8
	w := csv.NewWriter(&out)
	w.Comma = ';' // what Indonesian settings of Excel expect
	rows := [][]string{csvColumns}
	for _, o := range p.agency.Offices {
		add := func(place string, list ...agency.Official) {
			for _, f := range list {
				if f.Name != "" {
					rows = append(rows, []string{o.ID, cell(o.Name), cell(strings.Join(o.Addresses, ", ")), place, cell(f.Name), nipCell(f.NIP), cell(f.Position), cell(f.Email), cell(f.Phone)})
				}
			}
		}
		add("kepala", o.Head)
		add("pelaksana", o.Acting...)
		add("pejabat", o.Officials...)
	}
	if err := w.WriteAll(rows); err != nil {
		return fmt.Errorf("writing the directory as CSV: %w", err)
	}
	if err := c.o.Store.InTx(p.ctx(), p.now, func(tx *store.Tx) error {
		return tx.Audit(p.agency.Key, p.who.person.ID, "mengunduh daftar pejabat", "kantor", "")
	}); err != nil {
		return err
	}
	p.w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	p.w.Header().Set("Content-Disposition", disposition("daftar-pejabat-"+p.agency.Key+".csv"))
	_, _ = p.w.Write(out.Bytes())
	return nil
}

// cell keeps a spreadsheet from taking text for a formula.
func cell(s string) string {
	if s != "" && strings.ContainsRune("=+-@\t\r", rune(s[0])) {
		return "'" + s
	}
	return s
}

// nipCell: 18 digits are too many for a spreadsheet's numbers, so they stand in groups, which import takes as well.
func nipCell(s string) string { return spacedNIP(s) }

const csvRows = 5000

// importOffices reads a table and shows what would change; with "terapkan" it changes it. Offices and officials that the table doesn't name stay.
func (c *Console) importOffices(p *page) error {
	text := p.PostFormValue("tabel")
	if file, _, err := p.FormFile("berkas"); err == nil {
		data, err := io.ReadAll(io.LimitReader(file, maxBody))
		if err != nil {
			return fmt.Errorf("reading an upload: %w", err)
		}
		text = string(data)
	} else if large := new(http.MaxBytesError); errors.As(err, &large) {
		return err
	}
	changes, err := readDirectory(p.agency, text)
	if err != nil {
		return err
	}
	if p.PostFormValue("terapkan") == "ya" && len(changes) > 0 {
		return c.change(p, changes[0].OfficeID, changes)
	}
	d := importPage{base: c.base(p, "Impor daftar pejabat", "Kantor"), Table: text}
	for _, x := range changes {
		x.Person = p.who.person.ID
		row := c.changeRow(p, x)
		d.Changes = append(d.Changes, row)
		if x.Second {
			d.Second++
		}
	}
	return c.show(p, http.StatusOK, "impor", d)
}

type importPage struct {
	base
	Table   string
	Changes []changeRow
	Second  int
}

// readDirectory computes the changes that a table asks for. A mistake is named with its line, and nothing is changed then.
func readDirectory(a *agency.Agency, text string) ([]store.DirectoryChange, error) {
	text = strings.TrimPrefix(strings.ToValidUTF8(text, "\uFFFD"), "\uFEFF")
	bad := func(line int, format string, args ...any) error {
		return say(http.StatusUnprocessableEntity, "Baris %d: %s Tidak ada yang diubah.", line, fmt.Sprintf(format, args...))
	}
	r := csv.NewReader(strings.NewReader(text))
	r.FieldsPerRecord = -1
	if head, _, _ := strings.Cut(text, "\n"); strings.Count(head, ";") >= strings.Count(head, ",") {
		r.Comma = ';'
	}
	head, err := r.Read()
	if err != nil {
		return nil, say(http.StatusUnprocessableEntity, "Berkas kosong atau bukan CSV. Unduh dahulu daftarnya, ubah, lalu unggah.")
	}
	at := map[string]int{}
	for i, name := range head {
		at[strings.ToLower(strings.TrimSpace(name))] = i
	}
	for _, need := range []string{"kode_kantor", "tempat", "nama"} {
		if _, ok := at[need]; !ok {
			return nil, say(http.StatusUnprocessableEntity, "Kolom %q tidak ada di baris pertama. Kolomnya: %s.", need, strings.Join(csvColumns, ", "))
		}
	}
	next := store.WithChanges(a, nil) // what the table asks for so far
	var out []store.DirectoryChange
	for line := 2; ; line++ {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return nil, bad(line, "tidak dapat dibaca sebagai CSV.")
		}
		if line > csvRows {
			return nil, bad(line, "lebih dari %d baris.", csvRows)
		}
		get := func(name string) string {
			i, ok := at[name]
			if !ok || i >= len(row) || len(row[i]) > 1000 {
				return ""
			}
			return strings.TrimPrefix(strings.TrimSpace(row[i]), "'")
		}
		changes, err := directoryRow(next, get)
		if err != nil {
			return nil, bad(line, "%s", err)
		}
		for _, x := range changes {
			yes := true
			x.Accepted = &yes
			next = store.WithChanges(next, []store.DirectoryChange{x})
			x.Accepted = nil
			out = append(out, x)
		}
	}
}

// directoryRow is what one row changes.
func directoryRow(a *agency.Agency, get func(string) string) ([]store.DirectoryChange, error) {
	id := slug(get("kode_kantor"))
	if id == "" {
		return nil, errors.New("kode_kantor kosong.")
	}
	var out []store.DirectoryChange
	o, ok := a.Office(id)
	addresses := listOf(strings.ToLower(get("alamat_kantor")))
	for _, address := range addresses {
		if err := checkAddress(a, address); err != nil {
			return nil, err
		}
	}
	if !ok {
		if get("kantor") == "" {
			return nil, fmt.Errorf("kantor %q belum ada; isi kolom kantor dengan namanya.", id)
		}
		o = &agency.Office{ID: id, Name: get("kantor"), Addresses: addresses}
		out = append(out, store.DirectoryChange{OfficeID: id, Second: len(addresses) > 0, Body: store.DirectoryBody{Office: o}})
	} else if name := get("kantor"); name != "" && name != o.Name || len(addresses) > 0 && strings.Join(addresses, ",") != strings.ToLower(strings.Join(o.Addresses, ",")) {
		changed := agency.Office{ID: id, Name: or(name, o.Name), Aliases: o.Aliases, Addresses: o.Addresses}
		if len(addresses) > 0 {
			changed.Addresses = addresses
		}
		out = append(out, store.DirectoryChange{OfficeID: id, Second: strings.Join(changed.Addresses, ",") != strings.Join(o.Addresses, ","), Body: store.DirectoryBody{Office: &changed}})
	}
	place, known := csvPlaces[strings.ToLower(get("tempat"))]
	if !known {
		return nil, fmt.Errorf("tempat %q tidak dikenal; pakai kepala, pelaksana, atau pejabat.", get("tempat"))
	}
	f := agency.Official{Name: get("nama"), NIP: agency.Digits(get("nip")), Position: get("jabatan"), Email: strings.ToLower(get("email")), Phone: get("telepon")}
	if err := checkOfficial(a, f); err != nil {
		return nil, err
	}
	if x, changed := officialChange(o, f, place); changed {
		out = append(out, x)
	}
	return out, nil
}
