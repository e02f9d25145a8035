package console

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"pulih/bsre"
	"pulih/internal/agency"
	"pulih/internal/letter"
	"pulih/internal/request"
)

// amsState is the strip that tells whether approved resets can be made now.
type amsState struct {
	Mine    bool // the visitor's own session is live
	Others  []string
	Waiting int
	Stopped *time.Time // resets are held since then; nil: they aren't
	Stopper string     // who held them
	ByHand  bool       // the agency makes its resets by hand
	Lends   bool       // another verifier's session will do (agency.Rules.LendSessions)
	MayLend bool
	Demo    bool
	Path    string
	From    string // the page to come back to
}

// amsState is nil where the agency makes its resets by hand and they aren't held; waiting is how many resets wait for a session.
func (c *Console) amsState(p *page, waiting int) (*amsState, error) {
	line, err := c.o.Store.Line(p.ctx(), p.agency.Key)
	if err != nil {
		return nil, err
	}
	if p.agency.Mode != agency.AMS || c.amsOf(p.agency.Key) == nil {
		if line.StoppedAt == nil {
			return nil, nil
		}
		return &amsState{Stopped: line.StoppedAt, Stopper: c.nameOf(p, line.StoppedBy), ByHand: true}, nil
	}
	holders, err := c.o.Store.SessionHolders(p.ctx(), p.agency.Key, p.now)
	if err != nil {
		return nil, err
	}
	out := &amsState{Mine: slices.Contains(holders, p.who.person.ID), MayLend: p.who.may(lendSession), Lends: p.agency.Rules.LendSessions, Demo: c.o.Demo, Path: "/" + p.agency.Key + "/ams", From: p.URL.Path, Waiting: waiting}
	for _, id := range holders {
		if person, ok := p.agency.Person(id); ok && id != p.who.person.ID {
			out.Others = append(out.Others, person.Name)
		}
	}
	if line.StoppedAt != nil {
		out.Stopped, out.Stopper = line.StoppedAt, c.nameOf(p, line.StoppedBy)
	}
	return out, nil
}

func (c *Console) amsOf(key string) *bsre.AMS {
	if c.o.AMS == nil {
		return nil
	}
	return c.o.AMS(key)
}

// guide tells what to do in AMS by hand; nik is empty unless it may be shown, and chosen is the certificate that was read there, nil when
// nobody looked.
func (c *Console) guide(p *page, s request.Subject, nik string, chosen *bsre.Certificate) []string {
	return c.o.Guide(p.agency.Key).Steps(bsre.Subject{Name: s.Name, NIP: s.NIP, NIK: nik, Email: s.Email}, chosen)
}

type amsPage struct {
	base
	User, Password, OTP string // filled in by the demo alone
	From, Problem       string
	Live                bool
}

func (c *Console) amsForm(p *page) error {
	if c.amsOf(p.agency.Key) == nil {
		return say(http.StatusNotFound, "Instansi ini melakukan reset langsung di portal AMS, tanpa sesi di sini.")
	}
	d := amsPage{base: c.base(p, "Sesi AMS", "Meja kerja"), From: c.here(p)}
	return c.showAMS(p, http.StatusOK, d)
}

func (c *Console) showAMS(p *page, status int, d amsPage) error {
	if c.o.DemoAMS != nil {
		d.User, d.Password, d.OTP = c.o.DemoAMS(p.agency.Key, p.who.person.ID)
	}
	_, live, err := c.o.Store.Session(p.ctx(), p.agency.Key, p.who.person.ID, p.now)
	if err != nil {
		return err
	}
	d.Live = live
	return c.show(p, status, "ams", d)
}

// here is the page to come back to, from the address.
func (c *Console) here(p *page) string {
	from := p.URL.Query().Get("dari")
	if safePath(from, p.agency.Key) {
		return from
	}
	return "/" + p.agency.Key
}

// lend takes the verifier's own password and one-time code, uses them for one call and keeps neither.
func (c *Console) lend(p *page) error {
	portal := c.amsOf(p.agency.Key)
	if portal == nil {
		return say(http.StatusNotFound, "Instansi ini melakukan reset langsung di portal AMS, tanpa sesi di sini.")
	}
	if !c.tries.allow("ams/"+p.agency.Key+"/"+p.who.person.ID, 6, p.now) {
		return say(http.StatusTooManyRequests, "Terlalu banyak percobaan. Tunggu beberapa menit; BSrE mengunci akun yang berulang kali salah.")
	}
	d := amsPage{base: c.base(p, "Sesi AMS", "Meja kerja"), From: c.back(p, "/"+p.agency.Key)}
	ctx, cancel := context.WithTimeout(p.ctx(), 40*time.Second)
	defer cancel()
	session, err := portal.SignIn(ctx, p.text("akun", 200), p.PostFormValue("sandi"), p.text("otp", 12))
	var denied *bsre.Denied
	switch {
	case errors.As(err, &denied):
		d.Problem = "BSrE menolak: " + denied.Words + ". Kode OTP hanya berlaku sekali; tunggu kode berikutnya."
		return c.showAMS(p, http.StatusUnprocessableEntity, d)
	case err != nil:
		c.o.Log.Warn("signing in at AMS", "agency", p.agency.Key, "err", err)
		d.Problem = "BSrE tidak dapat dihubungi sekarang. Reset yang disetujui tetap menunggu; tidak ada yang hilang."
		return c.showAMS(p, http.StatusBadGateway, d)
	}
	err = c.o.Store.SaveSession(p.ctx(), p.agency.Key, p.who.person.ID, session.Plain(), later(session.ExpiresAt, session.RefreshExpiresAt), p.now)
	if err != nil {
		return err
	}
	return p.redirect(c.back(p, "/"+p.agency.Key) + "?kabar=session")
}

func (c *Console) endLending(p *page) error {
	if err := c.o.Store.DropSession(p.ctx(), p.agency.Key, p.who.person.ID); err != nil {
		return err
	}
	return p.redirect("/" + p.agency.Key + "?kabar=nosession")
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// compareAMS shows the portal's record beside letter and directory. It reads in the verifier's own session and keeps nothing of it.
func (c *Console) compareAMS(p *page) error {
	d, err := c.loadRequest(p, p.PathValue("number"))
	if err != nil {
		return err
	}
	details, err := c.amsDetails(p, d.S.Subject)
	if err != nil {
		return err
	}
	d.Portal = true
	profile := details.Profile
	for i, f := range d.Facts {
		d.Facts[i].AMS = map[string]string{"Nama": profile.Name, "NIP": spacedNIP(profile.NIP), "Jabatan": profile.Position, "Kantor": profile.Unit, "E-mail dinas": profile.Email,
			"Telepon": profile.Phone, "NIK": clean(profile.NIK)}[f.Label]
	}
	subject := bsre.Subject{Name: d.S.Subject.Name, NIP: d.S.Subject.NIP, NIK: d.S.Subject.NIK, Email: d.S.Subject.Email}
	for _, diff := range bsre.Compare(details, subject) {
		d.Findings = append(d.Findings, letter.Finding{Code: "ams-differs", Severity: severityOf(diff), Detail: "Data di AMS berbeda dari surat dan daftar pejabat: " + diff.Field + "."})
	}
	chosen, err := bsre.Choose(details, p.now)
	var none *bsre.NoChoice
	switch {
	case errors.As(err, &none):
		d.Findings = append(d.Findings, letter.Finding{Code: "ams-certificate", Severity: letter.Danger, Detail: none.Sentence()})
	case d.Can.Confirm:
		d.Guide = c.guide(p, d.S.Subject, d.NIK, &chosen)
	}
	return c.show(p, http.StatusOK, "permohonan", d)
}

func (c *Console) amsDetails(p *page, s request.Subject) (bsre.Details, error) {
	portal := c.amsOf(p.agency.Key)
	if portal == nil {
		return bsre.Details{}, say(http.StatusConflict, "Instansi ini tidak menyambungkan AMS ke pulih.")
	}
	ctx, cancel := context.WithTimeout(p.ctx(), 30*time.Second)
	defer cancel()
	release, err := c.o.Store.LockSession(ctx, p.agency.Key, p.who.person.ID)
	if err != nil {
		return bsre.Details{}, err
	}
	defer release()
	plain, ok, err := c.o.Store.Session(ctx, p.agency.Key, p.who.person.ID, p.now)
	if err != nil {
		return bsre.Details{}, err
	}
	if !ok {
		return bsre.Details{}, say(http.StatusConflict, "Sambungkan sesi AMS Anda dahulu, lalu bandingkan.")
	}
	session, err := bsre.OpenSession(plain)
	if err != nil {
		return bsre.Details{}, err
	}
	before := session
	uid, err := portal.Find(ctx, &session, s.Email, s.NIK)
	var details bsre.Details
	if err == nil {
		details, err = portal.Details(ctx, &session, uid)
	}
	if session != before {
		if err := c.o.Store.RenewSession(ctx, p.agency.Key, p.who.person.ID, session.Plain(), later(session.ExpiresAt, session.RefreshExpiresAt)); err != nil {
			return details, err
		}
	}
	switch {
	case errors.Is(err, bsre.ErrNotFound):
		return details, say(http.StatusNotFound, "AMS tidak mengenal pemohon ini dengan e-mail dinas maupun NIK dari surat.")
	case errors.Is(err, bsre.ErrAmbiguous):
		return details, say(http.StatusConflict, "AMS menemukan lebih dari satu pengguna. Periksa langsung di portal; jangan setujui sebelum jelas.")
	case errors.Is(err, bsre.ErrSessionEnded):
		return details, say(http.StatusConflict, "Sesi AMS Anda telah berakhir. Sambungkan lagi, lalu bandingkan.")
	case err != nil:
		c.o.Log.Warn("reading AMS", "agency", p.agency.Key, "err", err)
		return details, say(http.StatusBadGateway, "AMS tidak dapat dibaca sekarang. Coba lagi beberapa menit lagi.")
	}
	return details, nil
}

func severityOf(d bsre.Difference) letter.Severity {
	if d.Severity == bsre.Danger {
		return letter.Danger
	}
	return letter.Warning
}
