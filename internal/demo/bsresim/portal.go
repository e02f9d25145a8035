package bsresim

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"
)

func (s *Sim) routes() {
	s.mux = http.NewServeMux()
	on := func(pattern string, c Call, act func(*http.Request) reply) {
		s.mux.HandleFunc(pattern, s.serve(c, act, nil))
	}
	on("GET /api/user/status/{nik}", CallStatus, s.statusV1)
	on("POST /api/v2/user/check/status", CallStatus, s.statusV2)
	on("POST /api/v2/verify/pdf", CallVerify, s.verifyPDF)
	on("POST /realms/external-service/protocol/openid-connect/token", CallToken, s.token)
	on("POST /api/rest/manage/user/list", CallFind, s.find)
	on("GET /api/rest/manage/user/details/{uid}", CallDetails, s.details)
	on("POST /api/rest/manage/user/verify/phone", CallPhone, s.verifyPhone)
	s.mux.HandleFunc("GET /api/rest/manage/cert/passphrase/reset/{uid}/{serial}", s.serve(CallReset, s.reset, s.note))
}

// ServeHTTP serves gateway, BeID and portal together: their paths don't meet, so one base URL does for all three.
func (s *Sim) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

func answerJSON(status int, v any) reply {
	raw, _ := json.Marshal(v)
	return reply{status: status, body: raw}
}

func body(r *http.Request) (v map[string]any) {
	raw, _ := io.ReadAll(io.LimitReader(r.Body, 64<<20))
	_ = json.Unmarshal(raw, &v)
	return v
}

// --- eSign gateway

func (s *Sim) gateway(r *http.Request) bool {
	user, password, ok := r.BasicAuth()
	return ok && user == s.opt.GatewayUser && password == s.opt.GatewayPassword
}

func (s *Sim) statusV1(r *http.Request) reply {
	if !s.gateway(r) {
		return answerJSON(401, map[string]any{"error": "Unauthorized"})
	}
	switch status := s.statusOf(func(u *User) bool { return u.NIK == r.PathValue("nik") }); status {
	case "ISSUE":
		return answerJSON(200, map[string]any{"status_code": 1111, "status": "ISSUE", "message": "User aktif"})
	case "NOT_REGISTERED":
		return answerJSON(200, map[string]any{"status_code": 1110, "status": status, "message": "User tidak terdaftar"})
	default:
		return answerJSON(200, map[string]any{"status_code": 1112, "status": status, "message": "Status sertifikat: " + status})
	}
}

func (s *Sim) statusV2(r *http.Request) reply {
	if !s.gateway(r) {
		return answerJSON(401, map[string]any{"error": "Unauthorized"})
	}
	q := body(r)
	status := s.statusOf(func(u *User) bool { return u.NIK == q["nik"] || q["nik"] == nil && sameFold(u.Email, q["email"]) })
	return answerJSON(200, map[string]any{"status": status})
}

func sameFold(have string, want any) bool {
	w, ok := want.(string)
	return ok && have != "" && strings.EqualFold(have, w)
}

func (s *Sim) statusOf(is func(*User) bool) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.settle()
	i := slices.IndexFunc(s.users, is)
	if i < 0 {
		return "NOT_REGISTERED"
	}
	u := s.users[i]
	if u.Status != "" {
		return u.Status
	}
	status := "NO_CERTIFICATE"
	for _, c := range u.Certificates {
		if status = c.Status; status == "ISSUE" {
			break
		}
	}
	return status
}

func (s *Sim) verifyPDF(r *http.Request) reply {
	if !s.gateway(r) {
		return answerJSON(401, map[string]any{"error": "Unauthorized"})
	}
	file, _ := body(r)["file"].(string)
	pdf, err := base64.StdEncoding.DecodeString(file)
	if err != nil || len(pdf) == 0 {
		return answerJSON(400, map[string]any{"error": "File tidak valid", "status_code": 2031})
	}
	if s.opt.Verify != nil {
		return answerJSON(200, s.opt.Verify(pdf))
	}
	if !strings.Contains(string(pdf), "/ByteRange") {
		return answerJSON(200, map[string]any{"conclusion": "NO_SIGNATURE", "description": "Dokumen tidak memiliki tanda tangan elektronik", "signatureCount": 0, "signatureInformations": []any{}})
	}
	return answerJSON(200, map[string]any{
		"conclusion": "VALID", "description": "Dokumen asli", "signatureCount": 1,
		"signatureInformations": []any{map[string]any{
			"signerName": "Penanda Tangan Contoh", "signatureFormat": "PAdES-BASELINE-LT", "signatureDate": s.opt.Now().Format(time.RFC3339),
			"integrityValid": true, "certificateTrusted": true, "signatureAlgoritm": "SHA256withRSA", "timestampInfomation": map[string]any{},
			"certificateDetails": []any{map[string]any{"commonName": "Penanda Tangan Contoh", "issuerName": "CN=BSRE CA DS G1,O=Badan Siber dan Sandi Negara,C=ID"}},
		}},
	})
}

// --- BeID

func (s *Sim) token(r *http.Request) reply {
	s.mu.Lock()
	defer s.mu.Unlock()
	denied := func(why string) reply {
		return answerJSON(401, map[string]any{"error": "invalid_grant", "error_description": why})
	}
	if r.ParseForm() != nil || r.Form.Get("client_id") != "ams" {
		return answerJSON(400, map[string]any{"error": "invalid_client", "error_description": "Invalid client"})
	}
	now := s.opt.Now()
	switch r.Form.Get("grant_type") {
	case "password":
		name := r.Form.Get("username")
		o := s.operators[name]
		if o == nil || o.password != r.Form.Get("password") || !o.spend(r.Form.Get("totp"), now) {
			return denied("Invalid user credentials")
		}
		ses := &session{operator: name}
		s.sessions = append(s.sessions, ses)
		return s.grant(ses, now)
	case "refresh_token":
		for _, ses := range s.sessions {
			if ses.refresh == r.Form.Get("refresh_token") && now.Before(ses.idleUntil) {
				return s.grant(ses, now)
			}
		}
		return denied("Token is not active")
	}
	return answerJSON(400, map[string]any{"error": "unsupported_grant_type"})
}

// grant gives new tokens; the old ones end.
func (s *Sim) grant(ses *session, now time.Time) reply {
	ses.access, ses.refresh = "at-"+random(24), "rt-"+random(24)
	ses.accessUntil, ses.idleUntil = now.Add(s.opt.AccessLife), now.Add(s.opt.SessionIdle)
	return answerJSON(200, map[string]any{
		"access_token": ses.access, "refresh_token": ses.refresh, "token_type": "Bearer",
		"expires_in": int(s.opt.AccessLife.Seconds()), "refresh_expires_in": int(s.opt.SessionIdle.Seconds()),
	})
}

// bearer returns the operator whose token the call carries. It needs the lock.
func (s *Sim) bearer(r *http.Request) string {
	token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	now := s.opt.Now()
	for _, ses := range s.sessions {
		if token != "" && ses.access == token && now.Before(ses.accessUntil) && now.Before(ses.idleUntil) {
			ses.idleUntil = now.Add(s.opt.SessionIdle)
			return ses.operator
		}
	}
	return ""
}

// --- AMS portal

// enter checks what every portal call needs. It needs the lock.
func (s *Sim) enter(r *http.Request) (reply, bool) {
	if s.bearer(r) == "" {
		return answerJSON(401, map[string]any{"error": "invalid_token", "error_description": "Token tidak berlaku"}), false
	}
	if r.Header.Get("X-USER-IP") == "" {
		return answerJSON(400, map[string]any{"success": false, "message": "X-USER-IP wajib diisi"}), false
	}
	return reply{}, true
}

func (s *Sim) find(r *http.Request) reply {
	q := body(r)
	s.mu.Lock()
	defer s.mu.Unlock()
	if rep, ok := s.enter(r); !ok {
		return rep
	}
	filters, _ := q["filters"].(map[string]any)
	rows := []any{}
	for _, u := range s.users {
		if filters["email"] != nil && sameFold(u.Email, filters["email"]) || filters["nik"] != nil && u.NIK == filters["nik"] {
			rows = append(rows, map[string]any{"id": u.UID})
		}
	}
	return answerJSON(200, map[string]any{"data": map[string]any{"records": len(rows), "aaData": rows}})
}

func (s *Sim) details(r *http.Request) reply {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.settle()
	if rep, ok := s.enter(r); !ok {
		return rep
	}
	u := s.user(r.PathValue("uid"))
	if u == nil {
		return answerJSON(404, map[string]any{"success": false, "message": "User tidak ditemukan"})
	}
	certificates := []any{}
	for _, c := range u.Certificates {
		certificates = append(certificates, map[string]any{
			"id": c.ID, "status": c.Status, "product": c.Product, "serialNumber": c.Serial, "jenisSertifikat": c.Kind,
			"notBeforeDate": s.date(c.NotBefore, c.RFC3339), "notAfterDate": s.date(c.NotAfter, c.RFC3339),
		})
	}
	return answerJSON(200, map[string]any{"data": map[string]any{
		"profile": map[string]any{
			"nama": u.Name, "emailAddress": u.Email, "nik": blank(u.NIK), "nip": blank(u.NIP), "jabatanOrganisasi": blank(u.Position),
			"organisasiUnit": blank(u.Unit), "organisasi": blank(u.Organization), "phone": blank(u.Phone), "status": "ACTIVE",
			"phoneVerified": !u.PhoneUnverified,
		},
		"sertifikat": certificates,
	}})
}

func blank(s string) any {
	if s == "" {
		return nil
	}
	return s
}

func (s *Sim) date(t time.Time, rfc3339 bool) any {
	switch {
	case t.IsZero():
		return nil
	case rfc3339:
		return t.Format(time.RFC3339)
	}
	return t.In(s.opt.Zone).Format("2006-01-02 15:04:05")
}

func (s *Sim) verifyPhone(r *http.Request) reply {
	q := body(r)
	s.mu.Lock()
	rep, ok := s.enter(r)
	uid, _ := q["uid"].(string)
	u := s.user(uid)
	var who User
	if u != nil {
		who = u.clone()
	}
	s.mu.Unlock()
	switch {
	case !ok:
		return rep
	case u == nil || who.Phone == "" || who.Phone != q["phone"]:
		return answerJSON(200, map[string]any{"success": false, "message": "Nomor telepon tidak sesuai"})
	}
	if s.opt.OnPhone != nil {
		s.opt.OnPhone(who)
	}
	rep = answerJSON(200, map[string]any{"success": true, "message": "Verifikasi dikirim melalui WhatsApp"})
	rep.executed = true
	return rep
}

func (s *Sim) reset(r *http.Request) reply {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.settle()
	if rep, ok := s.enter(r); !ok {
		return rep
	}
	refused := func(status int, why string) reply {
		return answerJSON(status, map[string]any{"success": false, "message": why})
	}
	u := s.user(r.PathValue("uid"))
	if u == nil {
		return refused(404, "User tidak ditemukan")
	}
	i := slices.IndexFunc(u.Certificates, func(c Certificate) bool { return strings.EqualFold(c.Serial, r.PathValue("serial")) })
	switch {
	case i < 0:
		return refused(404, "Serial number sertifikat tidak valid")
	case u.Certificates[i].Status != "ISSUE":
		return refused(200, "Sertifikat tidak dalam status ISSUE")
	case u.PhoneUnverified:
		return refused(200, "Nomor telepon belum diverifikasi")
	}
	s.links[u.UID] = &link{Link: Link{User: u.clone(), At: s.opt.Now()}}
	rep := answerJSON(200, map[string]any{"success": true, "message": "Link reset passphrase telah dikirim"})
	rep.executed = true
	return rep
}

// note journals a reset call that arrived, whatever became of it.
func (s *Sim) note(r *http.Request, outcome string, executed bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.journal = append(s.journal, Entry{
		N: len(s.journal) + 1, UID: r.PathValue("uid"), Serial: r.PathValue("serial"), By: s.bearer(r), At: s.opt.Now(),
		Outcome: outcome, Executed: executed,
	})
}
