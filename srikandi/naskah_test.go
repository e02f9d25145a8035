package srikandi_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"testing"
	"time"

	"pulih/srikandi"
)

// The contract's own example, with its blanks filled.
const example = `{"id":"nm-2026-000123","versi":3,
 "nomor_naskah":"B/500.12.16.3/573/DINDIKBUD/XI/2026","nomor_sementara":false,"nomor_agenda":"1187",
 "tanggal_naskah":"2026-11-19","tanggal_diterima":"2026-11-20T07:41:09+07:00",
 "jenis_naskah":"Surat Dinas","sifat_naskah":"Biasa","tingkat_urgensi":"Segera",
 "klasifikasi":{"kode":"500.12.16.3","uraian":"Persandian"},
 "hal":"Permohonan Lupa Passphrase Sertifikat Elektronik","ringkasan":"..",
 "asal":{"instansi":"Pemerintah Kabupaten Contoh","unit":"Dinas Pendidikan dan Kebudayaan","jabatan":"Kepala Dinas","nama":"Siti","nip":"19680101 199003 2 001"},
 "tujuan":[{"jenis":"internal","jabatan":"Kepala Dinas Komunikasi dan Informatika","unit":"Dinkominfo","nip":"1"}],
 "tembusan":[],
 "lampiran":[{"id":"l-1","nama":"surat.pdf","mime":"application/pdf","ukuran":182331,"sha256":null}],
 "status_baca":"SUDAH","status_tindak":"DISPOSISI","dibatalkan":false,"updated_at":"2026-11-20T08:02:44+07:00",
 "disposisi":[{"id":"d-9001","parent_id":null,"grup_id":"g-77",
 "dari":{"jabatan":"Kepala Dinas","nama":"A","nip":"1"},
 "kepada":[{"jabatan":"Kepala Bidang X","nama":"B","nip":"2","status":"dibaca","dibaca_pada":"2026-11-20T08:03:00","tindak_lanjut":[{"waktu":"2026-11-20 08:05:00","status":"diteruskan","catatan":"ok"}]}],
 "instruksi":[{"kode":"TL","teks":"Untuk ditindaklanjuti"}],
 "catatan":"Mohon segera diproses","sifat":"Segera","batas_waktu":null,
 "dikirim_pada":"2026-11-20T08:02:44+07:00"}],
 "riwayat":[{"waktu":"2026-11-20T07:41:09+07:00","pelaku":"TU","aksi":"dicatat"}],
 "kolom_baru":{"apa":"saja"}}`

func TestDecodeTheContractsExample(t *testing.T) {
	t.Parallel()
	n, err := srikandi.Decode(json.RawMessage(example), wib)
	if err != nil {
		t.Fatal(err)
	}
	at := func(h, m, s int) time.Time { return time.Date(2026, 11, 20, h, m, s, 0, wib) }
	check := func(what string, got, want any) {
		t.Helper()
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s is %#v, want %#v", what, got, want)
		}
	}
	check("id", n.ID, "nm-2026-000123")
	check("version", n.Version, int64(3))
	check("number", n.Number, "B/500.12.16.3/573/DINDIKBUD/XI/2026")
	check("received", n.ReceivedAt.Equal(at(7, 41, 9)), true)
	check("updated", n.UpdatedAt.Equal(at(8, 2, 44)), true)
	check("attachments", n.Attachments, []srikandi.Lampiran{{ID: "l-1", Name: "surat.pdf", MIME: "application/pdf", Size: 182331}})
	check("office", n.From.Unit, "Dinas Pendidikan dan Kebudayaan")
	check("flaws", n.Flaws, []string(nil))
	d := n.Dispositions[0]
	check("parent", d.ParentID, "")
	check("instructions", d.Instructions, []srikandi.Instruksi{{Code: "TL", Text: "Untuk ditindaklanjuti"}})
	check("deadline", d.Deadline.IsZero(), true)
	check("read, without a zone", d.To[0].ReadAt.Equal(at(8, 3, 0)), true)
	check("follow-up, without a zone", d.To[0].FollowUps[0].At.Equal(at(8, 5, 0)), true)
	check("raw", string(n.Raw), example)

	meta := srikandi.Meta(n)
	check("meta signer", *meta.Signer.NIP, "196801011990032001")
	check("meta office", meta.Office, "Dinas Pendidikan dan Kebudayaan")
	check("meta subject", meta.Subject, n.Subject)
}

func TestTolerance(t *testing.T) {
	t.Parallel()
	const head = `{"id":"nm-1","updated_at":"2026-11-20T08:00:00+07:00",`
	for _, c := range []struct {
		name, json string
		err        string // part of the error; empty: readable
		flaws      int
		number     string
	}{
		{"the least", `{"id":"nm-1","updated_at":"2026-11-20T08:00:00Z"}`, "", 0, ""},
		{"null is missing", head + `"nomor_naskah":null,"lampiran":null,"asal":null,"disposisi":null,"versi":null,"dibatalkan":null}`, "", 0, ""},
		{"a number for a text", head + `"nomor_naskah":1187}`, "", 0, "1187"},
		{"a text for a number", head + `"versi":"3"}`, "", 0, ""},
		{"a numeric id", `{"id":77,"updated_at":"2026-11-20 08:00:00"}`, "", 0, ""},
		{"a NUL, which no database takes", head + `"nomor_naskah":"a\u0000b"}`, "", 0, "ab"},
		{"an unknown enumeration", head + `"status_baca":"SEBAGIAN"}`, "", 0, ""},
		{"a bad disposition", head + `"disposisi":[{"id":"d-1"},"x",{"dari":{}},{"id":"d-2","dikirim_pada":"kemarin"}]}`, "", 3, ""},
		{"a bad receiver", head + `"disposisi":[{"id":"d-1","kepada":[null,{"nip":{}}]}]}`, "", 2, ""},
		{"a bad attachment", head + `"lampiran":[{"nama":"tanpa id"},{"id":"../x"}]}`, "", 2, ""},
		{"no id", `{"updated_at":"2026-11-20T08:00:00Z"}`, "id: expected", 0, ""},
		{"an id that is a path", `{"id":"../token","updated_at":"2026-11-20T08:00:00Z"}`, "id: expected", 0, ""},
		{"an id that is a step up", `{"id":"..","updated_at":"2026-11-20T08:00:00Z"}`, "id: expected", 0, ""},
		{"an endless id", `{"id":"` + strings.Repeat("a", 201) + `","updated_at":"2026-11-20T08:00:00Z"}`, "id: expected", 0, ""},
		{"no updated_at", `{"id":"nm-1"}`, "updated_at: missing", 0, ""},
		{"no time", `{"id":"nm-1","updated_at":"kemarin"}`, "updated_at: expected a timestamp", 0, ""},
		{"a time that no letter has", `{"id":"nm-1","updated_at":"0001-01-01T00:00:00Z"}`, "updated_at: expected a timestamp", 0, ""},
		{"a subject that is none", head + `"hal":{}}`, "hal: expected a text", 0, ""},
		{"a sender that is none", head + `"asal":"Dinas"}`, "asal: expected a JSON object", 0, ""},
		{"a nested field", head + `"asal":{"nip":[]}}`, "asal.nip: expected a text", 0, ""},
		{"a list that is none", head + `"disposisi":{}}`, "disposisi: expected a list", 0, ""},
		{"a negative version", head + `"versi":-3}`, "versi: expected a whole number", 0, ""},
		{"a maybe", head + `"dibatalkan":"mungkin"}`, "dibatalkan: expected true or false", 0, ""},
		{"a list for a row", `[]`, "expected a JSON object", 0, ""},
		{"null for a row", `null`, "expected a JSON object", 0, ""},
		{"no JSON", `<html>`, "expected a JSON object", 0, ""},
		{"nothing", ``, "expected a JSON object", 0, ""},
	} {
		n, err := srikandi.Decode(json.RawMessage(c.json), wib)
		switch {
		case c.err == "" && err != nil:
			t.Errorf("%s: %v", c.name, err)
		case c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)):
			t.Errorf("%s: error is %v, want %q", c.name, err, c.err)
		case len(n.Flaws) != c.flaws || n.Number != c.number:
			t.Errorf("%s: flaws %q, number %q", c.name, n.Flaws, n.Number)
		}
	}
}

func TestTimesWithoutAZoneAreInTheConfiguredOne(t *testing.T) {
	t.Parallel()
	wit := time.FixedZone("WIT", 9*3600)
	for text, want := range map[string]string{
		"2026-11-20T08:00:00":           "2026-11-19T23:00:00Z",
		"2026-11-20 08:00:00":           "2026-11-19T23:00:00Z",
		"2026-11-20T08:00":              "2026-11-19T23:00:00Z",
		"2026-11-20":                    "2026-11-19T15:00:00Z",
		"2026-11-20T08:00:00.250":       "2026-11-19T23:00:00.25Z",
		"2026-11-20T08:00:00Z":          "2026-11-20T08:00:00Z",
		"2026-11-20T08:00:00+07:00":     "2026-11-20T01:00:00Z",
		"2026-11-20T08:00:00+0700":      "2026-11-20T01:00:00Z",
		"2026-11-20 08:00:00+07:00":     "2026-11-20T01:00:00Z",
		"2026-11-20T08:00:00.123+07:00": "2026-11-20T01:00:00.123Z",
	} {
		n, err := srikandi.Decode(json.RawMessage(fmt.Sprintf(`{"id":"a","updated_at":%q}`, text)), wit)
		if got := n.UpdatedAt.UTC().Format(time.RFC3339Nano); err != nil || got != want {
			t.Errorf("%s: %s %v, want %s", text, got, err, want)
		}
	}
}

func TestALetterIsLoggedByItsID(t *testing.T) {
	t.Parallel()
	n, err := srikandi.Decode(json.RawMessage(example), wib)
	if err != nil {
		t.Fatal(err)
	}
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "letter", n, "bad", srikandi.BadRow{ID: "nm-9", Raw: n.Raw})
	if !strings.Contains(log.String(), "nm-2026-000123") || strings.Contains(log.String(), "Siti") || strings.Contains(log.String(), "19680101") {
		t.Error(log.String())
	}
}

func TestChanges(t *testing.T) {
	t.Parallel()
	read := func(replace ...string) srikandi.Naskah {
		n, err := srikandi.Decode(json.RawMessage(strings.NewReplacer(replace...).Replace(example)), wib)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	old := read()
	for _, c := range []struct {
		replace []string
		fields  string
	}{
		{nil, ""},
		{[]string{`"versi":3`, `"versi":4`, `"SUDAH"`, `"BELUM"`}, ""},
		{[]string{"B/500.12.16.3/573", "b / 500.12.16.3 / 573"}, ""},
		{[]string{"19680101 199003 2 001", "196801011990032001"}, ""},
		{[]string{"/573/", "/574/"}, "nomor_naskah"},
		{[]string{"19680101 199003 2 001", "196801011990032002", `"Siti"`, `"Sita"`}, "asal.nama asal.nip"},
		{[]string{"182331", "182332"}, "lampiran"},
		{[]string{`"dibatalkan":false`, `"dibatalkan":true`, "Lupa Passphrase", "Reset"}, "hal dibatalkan"},
	} {
		var fields []string
		for _, change := range srikandi.Changes(old, read(c.replace...)) {
			fields = append(fields, change.Field)
			if change.Old == change.New {
				t.Errorf("%s changed from %q to itself", change.Field, change.Old)
			}
		}
		if got := strings.Join(fields, " "); got != c.fields {
			t.Errorf("%q changes %q, want %q", c.replace, got, c.fields)
		}
	}
}

// Whatever a gateway sends, reading it ends, and an error quotes nothing of it.
func FuzzDecode(f *testing.F) {
	f.Add([]byte(example))
	f.Add([]byte(`{"id":"nm-1","updated_at":"2026-11-20T08:00:00Z","disposisi":[{"id":"a","parent_id":"a","kepada":[{}]}]}`))
	f.Add([]byte(`{"id":"nm-1","updated_at":"RAHASIA","versi":"RAHASIA"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		n, err := srikandi.Decode(data, wib)
		if err != nil {
			if strings.Contains(err.Error(), "RAHASIA") {
				t.Errorf("the error quotes the row: %v", err)
			}
			return
		}
		if n.ID == "" || n.UpdatedAt.IsZero() {
			t.Errorf("a letter without id or time: %q", data)
		}
		ds := srikandi.Dispositions(n, dinas)
		if len(ds) > len(n.Dispositions) {
			t.Errorf("%d dispositions of %d", len(ds), len(n.Dispositions))
		}
		if got := standing(n.Dispositions...); got.role.Depth() < 0 {
			t.Errorf("with %q, outside the chain", got.role)
		}
		srikandi.VerifierDecision(ds, "verif")
		srikandi.Meta(n)
		srikandi.Changes(srikandi.Naskah{}, n)
	})
}
