package srikandisim

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

func (s *Server) routes() {
	s.mux = http.NewServeMux()
	s.mux.HandleFunc("POST /oauth/token", s.handle(Token, s.token))
	s.mux.HandleFunc("GET /v1/naskah-masuk", s.handle(List, s.authorized(s.list)))
	s.mux.HandleFunc("POST /v1/naskah-masuk", s.handle(Register, s.authorized(s.register)))
	s.mux.HandleFunc("GET /v1/naskah-masuk/{id}", s.handle(Whole, s.authorized(s.letter)))
	s.mux.HandleFunc("GET /v1/naskah-masuk/{id}/lampiran/{lampiran}", s.handle(Attachment, s.authorized(s.attachment)))
	s.mux.HandleFunc("POST /v1/naskah-masuk/{id}/tindak-lanjut", s.handle(Follow, s.authorized(s.followUp)))
	s.mux.HandleFunc("GET /unduh/{link}", s.handle(Link, s.download))
	s.mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { fail(w, http.StatusNotFound, "no_such_call") })
}

type handler = func(w http.ResponseWriter, r *http.Request, f Fault)

func fail(w http.ResponseWriter, status int, code string) {
	answer(w, status, map[string]any{"error": map[string]string{"code": code, "message": http.StatusText(status)}})
}

func answer(w http.ResponseWriter, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	w.Write(body)
}

func (s *Server) token(w http.ResponseWriter, r *http.Request, _ Fault) {
	r.ParseForm() // an unreadable form has no grant_type
	s.mu.Lock()
	defer s.mu.Unlock()
	call := TokenCall{At: s.now()}
	defer func() { s.journal.Tokens = append(s.journal.Tokens, call) }()
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch {
	case kind != "application/x-www-form-urlencoded" || r.PostFormValue("grant_type") != "client_credentials":
		answer(w, http.StatusBadRequest, map[string]string{"error": "unsupported_grant_type"})
	case s.refuse || r.PostFormValue("client_id") != s.opt.ClientID || r.PostFormValue("client_secret") != s.opt.ClientSecret:
		answer(w, http.StatusUnauthorized, map[string]string{"error": "invalid_client"})
	default:
		call.Granted = true
		token := secret()
		s.tokens[token] = s.now().Add(s.opt.TokenLife)
		answer(w, http.StatusOK, map[string]any{
			"access_token": token, "token_type": "Bearer", "expires_in": int(s.opt.TokenLife / time.Second),
		})
	}
}

func (s *Server) authorized(next handler) handler {
	return func(w http.ResponseWriter, r *http.Request, f Fault) {
		s.mu.Lock()
		token, bearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		end, known := s.tokens[token]
		ok := bearer && known && s.now().Before(end)
		s.mu.Unlock()
		if !ok {
			fail(w, http.StatusUnauthorized, "unauthorized")
			return
		}
		next(w, r, f)
	}
}

func (s *Server) list(w http.ResponseWriter, r *http.Request, f Fault) {
	q := r.URL.Query()
	limit := 50
	if text := q.Get("limit"); text != "" {
		var err error
		if limit, err = strconv.Atoi(text); err != nil || limit < 1 || limit > 100 {
			fail(w, http.StatusBadRequest, "limit")
			return
		}
	}
	since, err := time.Parse(time.RFC3339, q.Get("updated_since"))
	if err != nil && q.Get("cursor") == "" {
		fail(w, http.StatusBadRequest, "updated_since")
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	after, ok := parseCursor(q.Get("cursor"))
	if !ok {
		fail(w, http.StatusBadRequest, "cursor")
		return
	}
	now := s.now()
	all := s.sorted()
	first, _ := slices.BinarySearchFunc(all, after, func(e *entry, c cursor) int {
		return cmp.Or(e.UpdatedAt.Compare(c.at), cmp.Compare(e.seq, c.seq+1))
	})
	var rows []json.RawMessage
	var next any
	var last *entry
	for _, e := range all[first:] {
		if e.visible.After(now) || q.Get("cursor") == "" && e.UpdatedAt.Truncate(time.Second).Before(since) {
			continue
		}
		if len(rows) == limit {
			next = cursor{last.UpdatedAt, last.seq}.String()
			break
		}
		last = e
		rows = append(rows, s.wire(e, false))
	}
	rows = s.spoil(rows, f, all, first)
	if rows == nil {
		rows = []json.RawMessage{}
	}
	answer(w, http.StatusOK, map[string]any{"data": rows, "next_cursor": next, "server_time": now.Format(time.RFC3339)})
}

// spoil repeats rows, also of the page before, or makes one of them unreadable and adds one that never was a letter.
func (s *Server) spoil(rows []json.RawMessage, f Fault, all []*entry, first int) []json.RawMessage {
	switch f {
	case Repeated:
		for i := max(0, first-2); i < first; i++ {
			rows = append([]json.RawMessage{s.wire(all[i], false)}, rows...)
		}
		if len(rows) > 0 {
			rows = append(rows, rows[s.rng.IntN(len(rows))])
		}
	case Malformed:
		nonsense := []string{`"bukan objek"`, `{"id":{"a":1},"hal":"tanpa id"}`, `[]`, `{"hal":"tanpa id dan waktu"}`, `17`}
		rows = append(rows, json.RawMessage(nonsense[s.rng.IntN(len(nonsense))]))
		if i := s.rng.IntN(len(rows)); i < len(rows)-1 {
			rows[i] = bytes.Replace(rows[i], []byte(`"updated_at":"`), []byte(`"updated_at":"kemarin sore `), 1)
		}
	}
	return rows
}

type cursor struct {
	at  time.Time
	seq int
}

func (c cursor) String() string {
	return base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, "%d %d", c.at.UnixNano(), c.seq))
}

func parseCursor(text string) (cursor, bool) {
	if text == "" {
		return cursor{}, true
	}
	var nanos int64
	var seq int
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return cursor{}, false
	}
	if _, err := fmt.Sscanf(string(raw), "%d %d", &nanos, &seq); err != nil {
		return cursor{}, false
	}
	return cursor{time.Unix(0, nanos), seq}, true
}

func (s *Server) letter(w http.ResponseWriter, r *http.Request, _ Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.letters[r.PathValue("id")]
	if e == nil {
		fail(w, http.StatusNotFound, "not_found")
		return
	}
	answer(w, http.StatusOK, s.wire(e, true))
}

// link is a short-lived URL.
type link struct {
	file File
	end  time.Time
}

func (s *Server) attachment(w http.ResponseWriter, r *http.Request, f Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.letters[r.PathValue("id")]
	if e == nil {
		fail(w, http.StatusNotFound, "not_found")
		return
	}
	i := slices.IndexFunc(e.Files, func(f File) bool { return f.ID == r.PathValue("lampiran") })
	if i < 0 {
		fail(w, http.StatusNotFound, "not_found")
		return
	}
	file := e.Files[i]
	if f == Mismatch {
		file.Data = append([]byte("%PDF-lain "), file.Data...)
	}
	if !s.opt.Redirect && f != Expired {
		send(w, file)
		return
	}
	l := link{file, s.now().Add(time.Minute)}
	if f == Expired {
		l.end = s.now()
	}
	name := secret()
	s.links[name] = l
	w.Header().Set("Location", "/unduh/"+name+"?X-Signature="+secret())
	w.WriteHeader(http.StatusFound)
}

func (s *Server) download(w http.ResponseWriter, r *http.Request, _ Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.Header.Get("Authorization") != "" {
		s.journal.BearersLeaked++
	}
	l, ok := s.links[r.PathValue("link")]
	if !ok || !s.now().Before(l.end) {
		w.WriteHeader(http.StatusForbidden)
		return
	}
	send(w, l.file)
}

func send(w http.ResponseWriter, f File) {
	w.Header().Set("Content-Type", or(f.MIME, "application/octet-stream"))
	w.Write(f.Data)
}

// receipt is the first answer to an idempotency key.
type receipt struct {
	body []byte
	id   string
}

func (s *Server) followUp(w http.ResponseWriter, r *http.Request, _ Fault) {
	raw, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
	var body struct {
		Disposisi *string `json:"disposisi_id"`
		Status    string  `json:"status"`
		Catatan   string  `json:"catatan"`
	}
	key, id := r.Header.Get("Idempotency-Key"), r.PathValue("id")
	known := func(status string) bool {
		return slices.Contains([]string{"diproses", "dikembalikan", "selesai"}, status)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	call := FollowUpCall{NaskahID: id, Key: key, Body: raw, At: s.now()}
	if first, ok := s.keys["tl "+key]; ok && key != "" && first.id == "" {
		fail(w, http.StatusConflict, "disposition_withdrawn")
		return
	} else if ok && key != "" {
		call.Replay, call.ID = true, first.id
		s.journal.FollowUps = append(s.journal.FollowUps, call)
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		w.Write(first.body)
		return
	}
	if err != nil || key == "" || !strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") ||
		json.Unmarshal(raw, &body) != nil || !known(body.Status) {
		fail(w, http.StatusBadRequest, "bad_request")
		return
	}
	e := s.letters[id]
	if e == nil {
		fail(w, http.StatusNotFound, "not_found")
		return
	}
	if body.Disposisi != nil && !s.write(e, *body.Disposisi, FollowUp{s.now(), body.Status, body.Catatan}) {
		s.keys["tl "+key] = receipt{} // the strictest reading: a key is used up by any answer
		fail(w, http.StatusConflict, "disposition_withdrawn")
		return
	}
	call.ID, call.Status, call.Note = s.newID("tl"), body.Status, body.Catatan
	if body.Disposisi != nil {
		call.DispositionID = *body.Disposisi
	}
	s.journal.FollowUps = append(s.journal.FollowUps, call)
	s.touch(e, "pulih", "tindak lanjut "+body.Status)
	receiptBody, _ := json.Marshal(map[string]string{"id": call.ID, "status": body.Status})
	s.keys["tl "+key] = receipt{receiptBody, call.ID}
	answer(w, http.StatusCreated, json.RawMessage(receiptBody))
}

// write puts a follow-up on a disposition's live receivers; there are none where it was withdrawn.
func (s *Server) write(e *entry, dispositionID string, f FollowUp) bool {
	i := slices.IndexFunc(e.Dispositions, func(d Disposition) bool { return d.ID == dispositionID })
	if i < 0 {
		return false
	}
	e.Dispositions = slices.Clone(e.Dispositions)
	to := slices.Clone(e.Dispositions[i].To)
	live := false
	for j := range to {
		if to[j].Status != "dibatalkan" {
			live = true
			to[j].follow(f)
		}
	}
	e.Dispositions[i].To = to
	return live
}

func (s *Server) register(w http.ResponseWriter, r *http.Request, _ Fault) {
	var fields struct {
		Nomor    string    `json:"nomor_naskah"`
		Tanggal  string    `json:"tanggal_naskah"`
		Diterima time.Time `json:"tanggal_diterima"`
		Jenis    string    `json:"jenis_naskah"`
		Sifat    string    `json:"sifat_naskah"`
		Hal      string    `json:"hal"`
		Ringkas  string    `json:"ringkasan"`
		Asal     struct {
			Instansi, Unit, Jabatan, Nama, Nip string
		} `json:"asal"`
	}
	key := r.Header.Get("Idempotency-Key")
	err := r.ParseMultipartForm(64 << 20)
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.noWrite:
		fail(w, http.StatusNotImplemented, "not_implemented")
		return
	case err != nil, key == "", len(r.MultipartForm.Value["naskah"]) != 1, json.Unmarshal([]byte(r.MultipartForm.Value["naskah"][0]), &fields) != nil:
		fail(w, http.StatusBadRequest, "bad_request")
		return
	}
	call := RegisterCall{Key: key, At: s.now(), Naskah: json.RawMessage(r.MultipartForm.Value["naskah"][0])}
	if first, ok := s.keys["reg "+key]; ok {
		call.Replay, call.NaskahID = true, first.id
		s.journal.Registrations = append(s.journal.Registrations, call)
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		w.Write(first.body)
		return
	}
	for _, header := range r.MultipartForm.File["lampiran"] {
		f, err := header.Open()
		if err != nil {
			fail(w, http.StatusBadRequest, "bad_request")
			return
		}
		data, _ := io.ReadAll(f)
		f.Close()
		call.Files = append(call.Files, File{Name: header.Filename, MIME: header.Header.Get("Content-Type"), Data: data})
	}
	a := fields.Asal
	call.NaskahID = s.add(Letter{
		Number: fields.Nomor, Date: fields.Tanggal, ReceivedAt: fields.Diterima, Type: fields.Jenis, Nature: fields.Sifat,
		Subject: fields.Hal, Summary: fields.Ringkas, From: Party{a.Instansi, a.Unit, a.Jabatan, a.Nama, a.Nip}, Files: call.Files,
	})
	s.journal.Registrations = append(s.journal.Registrations, call)
	body := s.wire(s.letters[call.NaskahID], true)
	s.keys["reg "+key] = receipt{body, call.NaskahID}
	answer(w, http.StatusCreated, body)
}
