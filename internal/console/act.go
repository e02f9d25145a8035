package console

import (
	"net/http"
	"slices"
	"strings"

	"pulih/internal/agency"
	"pulih/internal/request"
	"pulih/internal/sop"
	"pulih/internal/store"
)

const longText = 4000 // characters of what a person writes

// act carries out commands on the request of the path and goes back to its page with the news.
func (c *Console) act(p *page, code string, cmds ...request.Command) error {
	number := p.PathValue("number")
	if _, err := c.o.Store.Request(p.ctx(), p.agency.Key, number); err != nil {
		return err
	}
	s, err := c.o.Store.Act(p.ctx(), p.agency, number, p.now, cmds...)
	if err != nil {
		return err
	}
	if code == "approve" && s.Status == request.StatusSecond {
		code = "second"
	}
	return p.redirect("/" + p.agency.Key + "/permohonan/" + number + "?kabar=" + code)
}

// approve: the checklist must be ticked whole, since an approval says that everything was checked.
func (c *Console) approve(p *page) error {
	number := p.PathValue("number")
	if _, err := c.o.Store.Request(p.ctx(), p.agency.Key, number); err != nil {
		return err
	}
	s, err := c.o.Store.State(p.ctx(), number)
	if err != nil {
		return err
	}
	for _, need := range p.agency.Procedure(s.SOPVersion).Requirements {
		if !slices.Contains(p.PostForm["periksa"], need.ID) {
			return say(http.StatusUnprocessableEntity, "Centang setiap persyaratan yang telah Anda periksa: %s. Bila ada yang tidak terpenuhi, kembalikan suratnya.", need.Title)
		}
	}
	return c.act(p, "approve", request.Approve{By: p.who.actor(decide), Subject: c.seen(s.Subject, p.text("lihat", 200)),
		SeenRisks: p.PostFormValue("bahaya") == "ya", Compared: p.PostFormValue("cocok") == "ya", Text: p.text("catatan", longText)})
}

// missing are the reasons of a return: those ticked, by their words, and one of their own.
func (p *page) missing(s request.State) []string {
	var out []string
	for _, id := range p.PostForm["kurang"] {
		for _, need := range p.agency.Procedure(s.SOPVersion).Requirements {
			if need.ID == id {
				out = append(out, need.Title)
			}
		}
		for _, r := range reasons {
			if r.ID == id {
				out = append(out, r.Words)
			}
		}
	}
	for line := range strings.Lines(p.text("lainnya", longText)) {
		if line = strings.TrimSpace(line); line != "" {
			out = append(out, line)
		}
	}
	return out
}

// reason is one thing that offices leave out, beside the SOP's own requirements.
type reason struct{ ID, Words string }

var reasons = []reason{
	{"nip", "NIP pemohon yang lengkap (18 angka)"},
	{"email", "E-mail dinas pemohon, sesuai daftar pejabat"},
	{"position", "Jabatan dan unit kerja pemohon yang sekarang"},
	{"legible", "Pindaian surat yang terbaca jelas"},
}

func (c *Console) giveBack(p *page) error {
	number := p.PathValue("number")
	if _, err := c.o.Store.Request(p.ctx(), p.agency.Key, number); err != nil {
		return err
	}
	s, err := c.o.Store.State(p.ctx(), number)
	if err != nil {
		return err
	}
	return c.act(p, "return", request.Return{By: p.who.actor(decide), Missing: p.missing(s), Text: p.text("pesan", longText)})
}

func (c *Console) reject(p *page) error {
	return c.act(p, "reject", request.Reject{By: p.who.actor(decide), Text: p.text("alasan", longText)})
}

func (c *Console) complete(p *page) error {
	return c.act(p, "complete", request.Complete{By: p.who.actor(decide)})
}

func (c *Console) confirm(p *page) error {
	return c.act(p, "confirm", request.Confirm{By: p.who.actor(decide)})
}

func (c *Console) couldNot(p *page) error {
	return c.act(p, "unable", request.CouldNot{By: p.who.actor(decide), Text: p.text("alasan", longText)})
}

// unsure: the portal didn't answer, and nobody knows whether the link was sent.
func (c *Console) unsure(p *page) error {
	return c.act(p, "unsure", request.Unsure{By: p.who.actor(decide), Text: p.text("alasan", longText)})
}

// usable is the verifier's word that the applicant can sign again.
func (c *Console) usable(p *page) error {
	by := p.who.actor(decide)
	return c.act(p, "usable", request.Observe{Kind: request.Usable, At: p.now, By: by, Text: or(p.text("alasan", longText), "Verifikator menyatakan TTE dapat digunakan.")})
}

func (c *Console) reopen(p *page) error {
	text := p.text("alasan", longText)
	if text == "" {
		return say(http.StatusUnprocessableEntity, "Tuliskan mengapa permohonan ini dibuka kembali.")
	}
	return c.act(p, "reopen", request.Reopen{By: p.who.actor(decide), Text: text})
}

func (c *Console) addNote(p *page) error {
	text := p.text("catatan", longText)
	if text == "" {
		return say(http.StatusUnprocessableEntity, "Catatan masih kosong.")
	}
	return c.act(p, "note", request.Note{By: p.who.actor(note), Text: text})
}

// forward passes the letter on like a disposition of the visitor.
func (c *Console) forward(p *page) error {
	var to []request.Actor
	by := p.who.actor(forward)
	for _, id := range p.PostForm["kepada"] {
		person, ok := p.agency.Person(id)
		if !ok {
			return say(http.StatusUnprocessableEntity, "Penerima tidak dikenal.")
		}
		to = append(to, request.Actor{Role: below(p, by.Role, person), ID: person.ID, Name: person.Name, Via: "console"})
	}
	text := strings.Join(append(slices.Clone(p.PostForm["instruksi"]), p.text("catatan", longText)), "; ")
	return c.act(p, "forward", request.Forward{By: by, To: to, Text: strings.Trim(text, "; ")})
}

// below is the role in which a person receives a letter from somebody of the given role: the highest under it.
func below(p *page, from sop.Role, to agency.Person) sop.Role {
	for _, r := range sop.Chain {
		if r.Depth() > from.Depth() && slices.Contains(rolesOf(p.agency, to, p.now), r) {
			return r
		}
	}
	return ""
}

func (c *Console) assign(p *page) error {
	return c.act(p, "assign", request.Assign{By: p.who.actor(assign), Person: p.text("kepada", 100), Text: p.text("catatan", longText)})
}

// reveal shows the NIK for a few minutes to the one who asked, and records that they did.
func (c *Console) reveal(p *page) error {
	number := p.PathValue("number")
	if _, err := c.o.Store.Request(p.ctx(), p.agency.Key, number); err != nil {
		return err
	}
	err := c.o.Store.InTx(p.ctx(), p.now, func(tx *store.Tx) error {
		return tx.Audit(p.agency.Key, p.who.person.ID, nikAction, number, "")
	})
	if err != nil {
		return err
	}
	return p.redirect("/" + p.agency.Key + "/permohonan/" + number + "#data")
}

// revealed is the NIK if the visitor asked for it a few minutes ago.
func (c *Console) revealed(p *page, s request.State) (string, error) {
	if s.Subject.NIK == "" || !p.who.may(seeIdentity) {
		return "", nil
	}
	ok, err := c.o.Store.DidLately(p.ctx(), p.agency.Key, p.who.person.ID, nikAction, s.Number, p.now.Add(-nikOpen))
	if err != nil || !ok {
		return "", err
	}
	return s.Subject.NIK, nil
}

func or(a, b string) string {
	if a == "" {
		return b
	}
	return a
}
