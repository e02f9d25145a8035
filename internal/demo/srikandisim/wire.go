package srikandisim

import (
	"encoding/json"
	"time"
)

type object = map[string]any

// wire writes a letter as the contract shows it. A row of the list has everything but disposisi and riwayat.
func (s *Server) wire(e *entry, whole bool) json.RawMessage {
	o := object{
		"id": e.ID, "versi": e.Version, "nomor_naskah": null(e.Number), "nomor_sementara": e.Temporary, "nomor_agenda": null(e.Agenda),
		"tanggal_naskah": null(e.Date), "tanggal_diterima": s.stamp(e.ReceivedAt), "jenis_naskah": null(e.Type),
		"sifat_naskah": null(e.Nature), "tingkat_urgensi": null(e.Urgency),
		"klasifikasi": object{"kode": "500.12.16.3", "uraian": "Persandian"},
		"hal":         null(e.Subject), "ringkasan": null(e.Summary),
		"asal":   object{"instansi": null(e.From.Agency), "unit": null(e.From.Unit), "jabatan": null(e.From.Position), "nama": null(e.From.Name), "nip": null(e.From.NIP)},
		"tujuan": addressees(e.To), "tembusan": addressees(e.Copies), "lampiran": files(e.Files),
		"status_baca": e.ReadStatus, "status_tindak": e.ActStatus, "dibatalkan": e.Cancelled, "updated_at": s.stamp(e.UpdatedAt),
	}
	if whole {
		dispositions := []any{}
		for _, d := range e.Dispositions {
			dispositions = append(dispositions, s.disposisi(d))
		}
		history := []any{}
		for _, h := range e.History {
			history = append(history, object{"waktu": s.stamp(h.At), "pelaku": h.Who, "aksi": h.Did})
		}
		o["disposisi"], o["riwayat"] = dispositions, history
	}
	raw, err := json.Marshal(o)
	if err != nil {
		panic(err)
	}
	return raw
}

func (s *Server) disposisi(d Disposition) object {
	to := []any{}
	for _, r := range d.To {
		follow := []any{}
		for _, f := range r.FollowUps {
			follow = append(follow, object{"waktu": s.stamp(f.At), "status": f.Status, "catatan": null(f.Note)})
		}
		to = append(to, object{
			"jabatan": null(r.Position), "nama": null(r.Name), "nip": null(r.NIP),
			"status": r.Status, "dibaca_pada": s.stamp(r.ReadAt), "tindak_lanjut": follow,
		})
	}
	instructions := []any{}
	for _, text := range d.Instructions {
		instructions = append(instructions, object{"kode": null(""), "teks": text})
	}
	o := object{
		"id": d.ID, "parent_id": null(d.ParentID), "grup_id": "g-" + d.ID,
		"dari":   object{"jabatan": null(d.From.Position), "nama": null(d.From.Name), "nip": null(d.From.NIP)},
		"kepada": to, "instruksi": instructions, "catatan": null(d.Note), "sifat": "Segera", "batas_waktu": nil,
		"dikirim_pada": s.stamp(d.SentAt),
	}
	if s.opt.OmitParents {
		delete(o, "parent_id")
	}
	return o
}

func addressees(all []Party) []any {
	out := []any{}
	for _, p := range all {
		out = append(out, object{"jenis": "internal", "jabatan": null(p.Position), "unit": null(p.Unit), "nip": null(p.NIP)})
	}
	return out
}

func files(all []File) []any {
	out := []any{}
	for _, f := range all {
		o := object{"id": f.ID, "nama": f.Name, "mime": null(f.MIME), "ukuran": len(f.Data), "sha256": nil}
		if f.NoSum {
			o["ukuran"] = nil
		} else {
			o["sha256"] = f.sum
		}
		out = append(out, o)
	}
	return out
}

// stamp writes a time to the second, as Srikandi does.
func (s *Server) stamp(t time.Time) any {
	switch {
	case t.IsZero():
		return nil
	case s.opt.NaiveTimes:
		return t.In(s.opt.Zone).Format("2006-01-02T15:04:05")
	}
	return t.In(s.opt.Zone).Format(time.RFC3339)
}

func null(s string) any {
	if s == "" {
		return nil
	}
	return s
}
