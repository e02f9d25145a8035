package srikandi

import (
	"bytes"
	"encoding/json"
	"errors"
	"mime/multipart"
	"net/textproto"
	"time"

	"pulih/internal/letter"
)

// registration is the multipart body of a letter to register: a JSON part with what is known, and a part a file.
func registration(n NewNaskah, files []letter.File) (body []byte, mime string, err error) {
	fields, err := json.Marshal(registered(n))
	if err != nil {
		return nil, "", err
	}
	var buf bytes.Buffer
	form := multipart.NewWriter(&buf)
	part := func(disposition, mime string, data []byte) {
		w, e := form.CreatePart(textproto.MIMEHeader{"Content-Disposition": {disposition}, "Content-Type": {mime}})
		if e == nil {
			_, e = w.Write(data)
		}
		err = errors.Join(err, e)
	}
	part(`form-data; name="naskah"`, "application/json", fields)
	for _, f := range files {
		part(multipart.FileContentDisposition("lampiran", or(f.Name, "lampiran")), or(f.MIME, "application/octet-stream"), f.Data)
	}
	err = errors.Join(err, form.Close())
	return buf.Bytes(), form.FormDataContentType(), err
}

// registered holds the fields that are known.
func registered(n NewNaskah) map[string]any {
	from := map[string]any{}
	fields := map[string]any{}
	set := func(in map[string]any, key, value string) {
		if value != "" {
			in[key] = value
		}
	}
	set(from, "instansi", n.From.Agency)
	set(from, "unit", n.From.Unit)
	set(from, "jabatan", n.From.Position)
	set(from, "nama", n.From.Name)
	set(from, "nip", digits(n.From.NIP))
	if len(from) > 0 {
		fields["asal"] = from
	}
	set(fields, "nomor_naskah", n.Number)
	set(fields, "tanggal_naskah", n.Date)
	set(fields, "jenis_naskah", n.Type)
	set(fields, "sifat_naskah", n.Nature)
	set(fields, "hal", n.Subject)
	set(fields, "ringkasan", n.Summary)
	if !n.ReceivedAt.IsZero() {
		set(fields, "tanggal_diterima", n.ReceivedAt.Format(time.RFC3339))
	}
	return fields
}
