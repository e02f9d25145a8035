// Package srikandi reads letters and their dispositions from an agency's Srikandi gateway and writes follow-ups back. It speaks the wire
// contract in openapi.yaml; a gateway that differs is another implementation of Gateway (see Folder), not a change to the rest.
//
// Naskah and Disposisi are what the gateway says, in the words of the wire. Disposition and Decision are what it means for a request: pure
// functions of a Naskah and the agency's staff. Nothing here stores anything; Poll hands what it read to a Sink.
//
// A Naskah holds identity numbers and the text of a letter: log its ID, never the value.
package srikandi

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"pulih/internal/letter"
)

// Naskah is one letter as the gateway tells it. Missing and null fields are zero. Times are in the zone they came with, or in the
// configured one where they came without.
type Naskah struct {
	ID      string // opaque; 1..200 bytes without control characters and steps up
	Version int64  // versi: moves with the metadata only

	Number       string // nomor_naskah, raw
	Temporary    bool   // nomor_sementara: the letter isn't signed yet
	AgendaNumber string
	Date         string    // tanggal_naskah, as written; YYYY-MM-DD by contract
	ReceivedAt   time.Time // tanggal_diterima

	Type           string // jenis_naskah
	Nature         string // sifat_naskah
	Urgency        string // tingkat_urgensi
	Classification Classification

	Subject string // hal
	Summary string // ringkasan
	From    Pihak  // asal
	To      []Pihak
	Copies  []Pihak // tembusan

	Attachments []Lampiran

	ReadStatus string // status_baca: open enumeration, for showing only
	ActStatus  string // status_tindak: open enumeration, for showing only
	Cancelled  bool   // dibatalkan

	UpdatedAt time.Time // moves with anything

	Dispositions []Disposisi // never in the rows of a list
	History      []Riwayat   // never in the rows of a list

	// Flaws names elements of lists inside the letter that could not be read and were left out: "disposisi[2].dikirim_pada: ...". They hold
	// no content of the letter. A human should look at Raw.
	Flaws []string
	// Settled is set by Poll: the letter had rested for a second when it was read. Gateways date changes to the second, so one that had not may
	// have changed again under the same updated_at.
	Settled bool
	// Raw is the JSON as it came, for the archive.
	Raw json.RawMessage
}

// Classification is the archive's code for a subject.
type Classification struct{ Code, Text string }

// Pihak is a person or a position as the wire writes it: sender, addressee, giver or receiver of a disposition.
type Pihak struct {
	Kind     string // jenis: "internal", ...; addressees only
	Agency   string // instansi; the sender only
	Unit     string
	Position string // jabatan
	Name     string
	NIP      string // raw
}

// Lampiran is an attachment as listed. Its bytes come from Gateway.Attachment.
type Lampiran struct {
	ID     string
	Name   string // as the sender wrote it; never a path
	MIME   string // as declared; the content decides
	Size   int64  // bytes; 0 is unknown
	SHA256 string // lower-case hex; empty is unknown
	// FileSHA256 is the checksum of the file beside an exported letter where it isn't what the letter tells; empty otherwise.
	FileSHA256 string
}

// Disposisi is one disposition as the wire tells it; Dispositions makes sense of them.
type Disposisi struct {
	ID, ParentID, GroupID string
	From                  Pihak
	To                    []Penerima
	Instructions          []Instruksi
	Note                  string // catatan
	Nature                string // sifat
	Deadline              time.Time
	SentAt                time.Time // dikirim_pada
}

// Penerima is a receiver of a disposition.
type Penerima struct {
	Pihak
	Status    string // belum_dibaca, dibaca, ditindaklanjuti, selesai, dibatalkan, or anything else
	ReadAt    time.Time
	FollowUps []TindakLanjut
}

// TindakLanjut is a follow-up that somebody wrote on a disposition, people in Srikandi and this software alike.
type TindakLanjut struct {
	At     time.Time
	Status string
	Note   string
}

// Instruksi is an instruction as ticked.
type Instruksi struct{ Code, Text string }

// Riwayat is one line of a letter's history, for showing only.
type Riwayat struct {
	At       time.Time
	Who, Did string
}

// BadRow is a row of a list, or a whole letter, that could not be read. It stops nothing else and is kept for a human.
type BadRow struct {
	Raw json.RawMessage // as it came; never logged
	ID  string          // the letter's ID where it could be read: the poller asks for that letter again
	Err error           // what was wrong, without content
	// Gone: the list has the row, and the gateway has no letter with that ID. There is nothing to ask for again.
	Gone bool
}

// LogValue keeps a letter's content out of logs.
func (n Naskah) LogValue() slog.Value { return slog.StringValue(n.ID) }

// LogValue keeps a row's content out of logs.
func (b BadRow) LogValue() slog.Value {
	return slog.GroupValue(slog.String("id", b.ID), slog.Any("error", b.Err))
}

// Decode reads one letter from its JSON. Timestamps without a zone are in zone. The error says which field was wrong and holds no
// content. A letter without an id or updated_at is refused; a bad element of an inner list is left out and named in Flaws.
func Decode(raw json.RawMessage, zone *time.Location) (Naskah, error) {
	r := newRow(raw, "", zone)
	n := Naskah{
		ID:             r.text("id"),
		Version:        r.number("versi"),
		Number:         r.text("nomor_naskah"),
		Temporary:      r.yes("nomor_sementara"),
		AgendaNumber:   r.text("nomor_agenda"),
		Date:           r.text("tanggal_naskah"),
		ReceivedAt:     r.time("tanggal_diterima"),
		Type:           r.text("jenis_naskah"),
		Nature:         r.text("sifat_naskah"),
		Urgency:        r.text("tingkat_urgensi"),
		Classification: classification(r.object("klasifikasi")),
		Subject:        r.text("hal"),
		Summary:        r.text("ringkasan"),
		From:           pihak(r.object("asal")),
		To:             each(r, "tujuan", pihak),
		Copies:         each(r, "tembusan", pihak),
		Attachments:    each(r, "lampiran", lampiran),
		ReadStatus:     r.text("status_baca"),
		ActStatus:      r.text("status_tindak"),
		Cancelled:      r.yes("dibatalkan"),
		UpdatedAt:      r.time("updated_at"),
		Dispositions:   each(r, "disposisi", disposisi),
		History:        each(r, "riwayat", riwayat),
		Raw:            raw,
	}
	n.Flaws = *r.flaws
	switch {
	case r.err() != nil:
	case !validID(n.ID):
		r.fail("id", "expected an identifier")
	case n.UpdatedAt.IsZero():
		r.fail("updated_at", "missing")
	}
	if r.err() != nil {
		return Naskah{}, fmt.Errorf("reading a row: %w", r.err())
	}
	return n, nil
}

// decodeRow is Decode for a page: what can't be read is returned beside the rest.
func decodeRow(raw json.RawMessage, zone *time.Location) (Naskah, *BadRow) {
	n, err := Decode(raw, zone)
	if err == nil {
		return n, nil
	}
	id := newRow(raw, "", zone).text("id")
	if !validID(id) {
		id = ""
	}
	return Naskah{}, &BadRow{Raw: raw, ID: id, Err: err}
}

// Meta is what the reader of letters wants to know of a naskah.
func Meta(n Naskah) letter.Meta {
	return letter.Meta{
		Number:    n.Number,
		Temporary: n.Temporary,
		Date:      n.Date,
		Subject:   n.Subject,
		Summary:   n.Summary,
		Agency:    n.From.Agency,
		Office:    n.From.Unit,
		Signer:    letter.Signer{Name: orNil(n.From.Name), NIP: orNil(digits(n.From.NIP)), Position: orNil(n.From.Position)},
	}
}

func orNil(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func classification(r row) Classification { return Classification{r.text("kode"), r.text("uraian")} }

func pihak(r row) Pihak {
	return Pihak{
		Kind: r.text("jenis"), Agency: r.text("instansi"), Unit: r.text("unit"),
		Position: r.text("jabatan"), Name: r.text("nama"), NIP: r.text("nip"),
	}
}

func lampiran(r row) Lampiran {
	l := Lampiran{
		ID: r.text("id"), Name: r.text("nama"), MIME: r.text("mime"),
		Size: r.number("ukuran"), SHA256: strings.ToLower(r.text("sha256")), FileSHA256: r.text("sha256_berkas"),
	}
	if !validID(l.ID) {
		r.fail("id", "expected an identifier")
	}
	return l
}

func disposisi(r row) Disposisi {
	d := Disposisi{
		ID: r.text("id"), ParentID: r.text("parent_id"), GroupID: r.text("grup_id"),
		From:         pihak(r.object("dari")),
		To:           each(r, "kepada", penerima),
		Instructions: each(r, "instruksi", instruksi),
		Note:         r.text("catatan"),
		Nature:       r.text("sifat"),
		Deadline:     r.time("batas_waktu"),
		SentAt:       r.time("dikirim_pada"),
	}
	if d.ID == "" {
		r.fail("id", "missing")
	}
	return d
}

func penerima(r row) Penerima {
	return Penerima{
		Pihak: pihak(r), Status: r.text("status"), ReadAt: r.time("dibaca_pada"),
		FollowUps: each(r, "tindak_lanjut", tindakLanjut),
	}
}

func tindakLanjut(r row) TindakLanjut {
	return TindakLanjut{At: r.time("waktu"), Status: r.text("status"), Note: r.text("catatan")}
}

func instruksi(r row) Instruksi { return Instruksi{Code: r.text("kode"), Text: r.text("teks")} }

func riwayat(r row) Riwayat {
	return Riwayat{At: r.time("waktu"), Who: r.text("pelaku"), Did: r.text("aksi")}
}
