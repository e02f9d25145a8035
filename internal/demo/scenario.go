package demo

import (
	"fmt"
	"time"

	"pulih/internal/letter"
	"pulih/internal/request"
)

// scene is one letter of the play: when it comes, how, and what must have become of it in the end.
type scene struct {
	name    string
	agency  string
	after   time.Duration // since the play's beginning, on the demo's clock
	office  string
	who     []string // NIPs of the applicants
	channel string   // srikandi or mail
	number  string
	subject string

	email   string // the letter gives another address than the registered one
	body    string // instead of the usual text
	from    string // sender of the mail; empty: the office's address
	plain   bool   // the letter is the mail's own text, not a PDF
	raw     []byte // the whole attachment, instead of a PDF
	again   string // the same paper as an earlier scene's
	headers []string

	verifier verdict
	fault    bool // BSrE's answer to the reset is lost
	slow     bool // the verifier lets the norm pass

	kind  letter.Kind      // what it must be read as
	ends  []request.Status // of each request that it opens, in order of the applicants
	joins string           // scene whose request it belongs to
}

// verdict is what the play's verifier decides.
type verdict string

const (
	approves verdict = ""
	returns  verdict = "return" // first, and approves when the office has answered
	rejects  verdict = "reject"
	leaves   verdict = "leave" // for a human: nobody plays them
)

var closed = []request.Status{request.StatusClosed}

// scenario is the play. It is data: the director below knows nothing of its letters.
func scenario() []scene {
	const reset = "Permohonan Reset Passphrase Tanda Tangan Elektronik (TTE)"
	const lupa = "Permohonan Lupa Passphrase Sertifikat Elektronik"
	return []scene{
		{name: "surat lewat Srikandi", agency: "purbalingga", office: "dindikbud", who: []string{"198504222010011912"}, channel: "srikandi",
			number: "B/500.12.16.3/573/DINDIKBUD/XI/2026", subject: lupa, kind: letter.ResetRequest, ends: closed},
		{name: "surat lewat Srikandi, SOP Madiun", agency: "madiun", office: "bkpsdm", who: []string{"198301192008012962"}, channel: "srikandi",
			number: "800/1290/401.204/2026", subject: reset, after: time.Minute, kind: letter.ResetRequest, ends: closed},
		{name: "surat sebagai isi surel", agency: "purbalingga", office: "dinkes", who: []string{"198007192009031914"}, channel: "mail", plain: true,
			number: "500.12.10/1104.86/2026", subject: reset, after: 2 * time.Minute, kind: letter.ResetRequest, ends: closed},
		{name: "surat yang sama, lewat surel", agency: "purbalingga", office: "dindikbud", who: []string{"198504222010011912"}, channel: "mail",
			again: "surat lewat Srikandi", after: 3 * time.Minute, kind: letter.ResetRequest, joins: "surat lewat Srikandi"},
		{name: "dua pemohon dalam satu surat", agency: "purbalingga", office: "dpupr", who: []string{"198612242011011924", "196909171996031923"},
			channel: "srikandi", number: "000.5.6.2/417/2026", subject: reset, after: 4 * time.Minute, kind: letter.ResetRequest,
			ends: []request.Status{request.StatusClosed, request.StatusClosed}},
		{name: "undangan sosialisasi", agency: "purbalingga", office: "dinkes", channel: "mail", plain: true, number: "005/88/2026",
			subject: "Undangan Sosialisasi TTE", after: 5 * time.Minute, kind: letter.Other, verifier: leaves,
			body: "Mengharap kehadiran Bapak/Ibu pada sosialisasi tanda tangan elektronik.\nAcara membahas cara membuat passphrase yang aman.\nHari Rabu pukul 09.00 WIB di Pendopo."},
		{name: "surat langsung ke verifikator", agency: "madiun", office: "dispendukcapil", who: []string{"198409092010011964"}, channel: "mail",
			number: "470/233/401.107/2026", subject: reset, after: 5 * time.Minute, kind: letter.ResetRequest, ends: closed},
		{name: "surat kurang lengkap", agency: "purbalingga", office: "dindikbud", who: []string{"197812052005012921"}, channel: "mail",
			number: "B/500.12.16.3/581/DINDIKBUD/XI/2026", subject: reset, after: 6 * time.Minute, verifier: returns, kind: letter.ResetRequest, ends: closed},
		{name: "surat palsu", agency: "purbalingga", office: "dinkes", who: []string{"197001081999032913"}, channel: "mail", plain: true,
			from: "kepala.dinkes@surel-gratis.example", email: "endah.dinkes@surel-gratis.example", number: "500.12.10/2000/2026", subject: reset,
			after: 7 * time.Minute, verifier: rejects, kind: letter.ResetRequest, ends: []request.Status{request.StatusRejected}},
		{name: "penerbitan baru", agency: "madiun", office: "bkpsdm", channel: "mail", plain: true, number: "800/1301/401.204/2026",
			subject: "Permohonan Penerbitan Sertifikat Elektronik", after: 8 * time.Minute, kind: letter.OtherCertificateService, verifier: leaves,
			body: "Bersama ini kami mohon penerbitan sertifikat elektronik baru bagi pejabat\nyang baru dilantik pada dinas kami."},
		{name: "jawaban BSrE hilang", agency: "purbalingga", office: "dinkes", who: []string{"198803112012012922"}, channel: "srikandi",
			number: "B/445/77/PKM-KLM/XI/2026", subject: lupa, after: 9 * time.Minute, fault: true, kind: letter.ResetRequest, ends: closed},
		{name: "formulir gabungan tanpa tanda", agency: "purbalingga", office: "dpupr", channel: "mail", plain: true, number: "000.5.6.2/420/2026",
			subject: "Permohonan Tanda Tangan Elektronik", after: 10 * time.Minute, kind: letter.Unclear, verifier: leaves,
			body: "Mohon layanan tanda tangan elektronik: Pembuatan Baru / Pembaharuan / Reset *)\n*) coret yang tidak perlu"},
		{name: "berkas rusak", agency: "madiun", office: "dispendukcapil", channel: "mail", number: "-", subject: "Permohonan Reset Passphrase TTE",
			raw: []byte("%PDF-1.7 ini bukan PDF"), body: "Terlampir surat permohonan reset passphrase TTE.", after: 11 * time.Minute,
			kind: letter.Unclear, verifier: leaves},
		{name: "balasan otomatis", agency: "madiun", office: "bkpsdm", channel: "mail", plain: true, number: "-", subject: "Otomatis: sedang tugas luar",
			body: "Saya sedang tugas luar sampai hari Jumat.", headers: []string{"Auto-Submitted: auto-replied"}, after: 12 * time.Minute,
			kind: letter.AutoReply, verifier: leaves},
		{name: "verifikator terlambat", agency: "madiun", office: "bkpsdm", who: []string{"197004121996031961"}, channel: "srikandi", slow: true,
			number: "800/1305/401.204/2026", subject: reset, after: 6 * time.Minute, kind: letter.ResetRequest, ends: closed},
	}
}

// paper makes the letter of a scene, or of the one that it repeats.
func (w *World) paper(all []scene, s scene) (Paper, error) {
	for _, other := range all {
		if s.again != "" && other.name == s.again {
			return w.paper(all, other)
		}
	}
	a, ok := w.Config.Agency(s.agency)
	if !ok {
		return Paper{}, fmt.Errorf("scene %q: no agency %q", s.name, s.agency)
	}
	o, ok := a.Office(s.office)
	if !ok {
		return Paper{}, fmt.Errorf("scene %q: no office %q", s.name, s.office)
	}
	p := Paper{Office: o, Agency: a, Number: s.number, Date: w.Clock.Now().In(a.Zone), Subject: s.subject, Email: s.email, Body: s.body, NIK: w.NIK}
	p.Date = time.Date(p.Date.Year(), p.Date.Month(), p.Date.Day(), 0, 0, 0, 0, time.UTC)
	for _, nip := range s.who {
		f, _, ok := a.Official(nip, "")
		if !ok {
			return Paper{}, fmt.Errorf("scene %q: no official", s.name)
		}
		p.Applicants = append(p.Applicants, f)
	}
	return p, nil
}
