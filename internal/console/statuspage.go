package console

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"pulih/internal/agency"
	"pulih/internal/complaint"
	"pulih/internal/letter"
	"pulih/internal/request"
	"pulih/internal/sop"
	"pulih/internal/store"
	"pulih/mailflow"
)

// statusPage is for the applicant or their office, from the signed link of a mail. It shows nothing that the mails didn't.
type statusPage struct {
	base
	Agency    *agency.Agency
	S         request.State
	Words     string
	Next      string // what the reader does now
	Applicant bool
	Address   string // where BSrE's link goes; for the applicant alone
	Missing   []string
	Reason    string
	Steps     []statusStep
	Clock     clock
	MayAnswer bool   // did it work?
	MayTell   bool   // that something is wrong
	Answer    string // sudah, belum, gagal: what the link in the mail asked
	Told      string // what the applicant has answered
	Path      string
}

type statusStep struct {
	Words string
	At    time.Time
	State string // done, now, later
}

// status finds the request of a signed link. A wrong signature and a missing request look the same.
func (c *Console) statusOf(p *page) (*agency.Agency, request.State, mailflow.Audience, error) {
	number, audience := p.PathValue("number"), mailflow.Audience(p.PathValue("audience"))
	gone := fmt.Errorf("status page: %w", store.ErrNotFound)
	if !mailflow.CheckStatus(c.status, number, audience, p.PathValue("mac")) || audience != mailflow.ForApplicant && audience != mailflow.ForOffice {
		return nil, request.State{}, "", gone
	}
	prefix, _, _ := strings.Cut(number, "-")
	for _, a := range c.o.Agencies {
		if a.Prefix == prefix {
			s, err := c.o.Store.State(p.ctx(), number)
			return a, s, audience, err
		}
	}
	return nil, request.State{}, "", gone
}

func (c *Console) statusPage(p *page) error {
	a, s, audience, err := c.statusOf(p)
	if err != nil {
		return err
	}
	p.agency, p.who = a, nil
	d := statusPage{base: c.base(p, "Permohonan "+s.Number, ""), Agency: a, S: s, Words: s.ForApplicant(), Applicant: audience == mailflow.ForApplicant,
		Path: p.URL.Path, Missing: s.Missing, Answer: p.URL.Query().Get("jawab")}
	d.Next = nextFor(s, d.Applicant)
	switch s.Status {
	case request.StatusRejected, request.StatusReturned:
		d.Reason = letter.MaskNIK(letter.Mask(s.Words))
	}
	if d.Applicant {
		d.Address = s.Subject.Email
		d.MayAnswer = slices.Contains([]request.Status{request.StatusLink, request.StatusPassphrase, request.StatusCertificate, request.StatusUncertain}, s.Status)
		d.MayTell = d.MayAnswer || s.Status == request.StatusPhoneCheck
		d.Told = map[string]string{request.NoLink: "surel BSrE belum datang", request.Failed: "tidak berhasil"}[s.Trouble]
	}
	if steps, total, err := request.Clocks(s, a, p.now); err == nil {
		d.Clock = mainClock(s, a, steps, total, p.now)
	}
	d.Steps = statusSteps(s)
	return c.show(p, http.StatusOK, "status", d)
}

// statusSteps is the way of every request in the applicant's words, whatever the SOP's own steps are.
func statusSteps(s request.State) []statusStep {
	way := []struct {
		words string
		end   sop.Ends
	}{
		{"Surat permohonan diterima", sop.EndsReceived}, {"Data diperiksa dan permohonan disetujui", sop.EndsApproved}, {"Reset diajukan ke BSrE", sop.EndsReset},
		{"BSrE mengirim tautan ke e-mail dinas", sop.EndsLink}, {"Passphrase baru dibuat", sop.EndsPassphrase}, {"TTE dapat digunakan kembali", sop.EndsUsable},
	}
	var out []statusStep
	now := false
	for _, w := range way {
		step := statusStep{Words: w.words, At: s.Ended[w.end], State: "done"}
		if step.At.IsZero() {
			step.State = "later"
			if !now && s.Status.Open() {
				step.State, now = "now", true
			}
		}
		out = append(out, step)
	}
	return out
}

// nextFor says what the reader does now, in one or two sentences.
func nextFor(s request.State, applicant bool) string {
	switch s.Status {
	case request.StatusReturned:
		return "Mohon lengkapi yang disebut di bawah, dengan membalas surel kami. Waktu layanan berhenti sampai kelengkapan kami terima."
	case request.StatusLink:
		if !applicant {
			return "Pemohon membuka tautan dari BSrE di e-mail dinasnya dan membuat passphrase baru. Kantor tidak perlu melakukan apa pun."
		}
		return "Buka surel dari BSrE di e-mail dinas Anda, cocokkan data, lalu buat passphrase baru. Periksa juga folder spam. Sesudah itu, jawab di bawah."
	case request.StatusUncertain:
		if applicant {
			return "Kami sedang memastikan apakah BSrE sudah mengirim tautan. Bila surel dari BSrE sudah datang, ikuti tautannya dan jawab di bawah; jangan menunggu kami."
		}
	case request.StatusPhoneCheck:
		return "BSrE memeriksa nomor telepon pemohon lewat WhatsApp. Mohon ikuti petunjuknya; reset diajukan sesudah itu."
	case request.StatusPassphrase, request.StatusCertificate:
		if !applicant {
			return "Kantor tidak perlu melakukan apa pun."
		}
		return "Coba bubuhkan tanda tangan elektronik pada satu dokumen, lalu jawab di bawah."
	case request.StatusClosed:
		return "Tidak ada yang perlu dilakukan lagi. Simpan passphrase baru baik-baik; kami tidak pernah menanyakannya."
	case request.StatusRejected:
		return "Baca alasannya di bawah. Bila keberatan, hubungi kami atau sampaikan pengaduan."
	}
	return "Tidak ada yang perlu dilakukan sekarang. Kami memberi tahu lewat surel pada setiap langkah."
}

// answer takes the applicant's "sudah" or "belum". A mail scanner that opens links changes nothing: only this form does.
func (c *Console) statusAnswer(p *page) error {
	a, s, audience, err := c.statusOf(p)
	if err != nil {
		return err
	}
	if audience != mailflow.ForApplicant {
		return fmt.Errorf("status page: %w", store.ErrNotFound)
	}
	if !c.tries.allow("status/"+s.Number, 12, p.now) {
		return say(http.StatusTooManyRequests, "Terlalu banyak jawaban dalam waktu singkat. Coba lagi beberapa menit lagi.")
	}
	by := request.Actor{Role: sop.Applicant, Name: s.Subject.Name, Via: "status"}
	var cmd request.Command
	switch p.PostFormValue("jawab") {
	case "sudah":
		cmd = request.Observe{Kind: request.Usable, At: p.now, By: by, Text: "Pemohon menjawab: sudah berhasil."}
	case "belum", "gagal":
		trouble := request.Trouble{By: by, Code: request.NoLink, Text: "Pemohon menjawab: surel BSrE belum datang."}
		if p.PostFormValue("jawab") == "gagal" {
			trouble.Code, trouble.Text = request.Failed, "Pemohon menjawab: tidak berhasil."
		}
		if words := p.text("cerita", 1000); words != "" {
			trouble.Text += " " + words
		}
		cmd = trouble
	default:
		return say(http.StatusUnprocessableEntity, "Pilih salah satu jawaban.")
	}
	if _, err := c.o.Store.Act(p.ctx(), a, s.Number, p.now, cmd); err != nil {
		return err
	}
	return p.redirect(p.URL.Path + "?kabar=answered")
}

// statusComplaint takes a complaint from the signed page: whoever has the link is the applicant or the office that it was mailed to.
func (c *Console) statusComplaint(p *page) error {
	a, s, audience, err := c.statusOf(p)
	if err != nil {
		return err
	}
	if !c.tries.allow("complaint/"+s.Number, 3, p.now) {
		return say(http.StatusTooManyRequests, "Pengaduan Anda sudah kami terima. Untuk menambah keterangan, balas surel tanda terimanya.")
	}
	from := complaint.Complainant{Name: s.Subject.Name, Email: s.Subject.Email, NIP: s.Subject.NIP, OfficeID: s.Subject.OfficeID, Proven: s.Subject.Known}
	if audience == mailflow.ForOffice {
		o, ok := a.Office(s.Subject.OfficeID)
		if !ok || len(o.Addresses) == 0 {
			return fmt.Errorf("status page: %w", store.ErrNotFound)
		}
		from = complaint.Complainant{Name: o.Name, Email: o.Addresses[0], OfficeID: o.ID, Proven: true}
	}
	_, err = c.o.Store.EnterComplaint(p.ctx(), a, p.now, complaint.Open{Channel: complaint.Mail, At: p.now, From: from, Text: p.text("pengaduan", 2000),
		About: &complaint.About{Number: s.Number, Subject: s.Subject}, By: request.Actor{Role: sop.Applicant, Name: from.Name, Via: "status"}})
	if err != nil {
		return err
	}
	return p.redirect(strings.TrimSuffix(p.URL.Path, "/pengaduan") + "?kabar=complained")
}
