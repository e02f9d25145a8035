package console

import (
	"net/http"
)

type signInPage struct {
	base
	To, Address, Problem string
	Sent                 bool
}

func (c *Console) signInForm(p *page) error {
	if p.who != nil {
		return p.redirect(home(p.who))
	}
	return c.show(p, http.StatusOK, "masuk", signInPage{base: c.base(p, "Masuk", ""), To: p.URL.Query().Get("ke")})
}

func (c *Console) signOut(p *page) error {
	if p.who != nil {
		if err := c.o.Store.EndVisit(p.ctx(), p.who.agency.Key, "", p.who.visit.ID); err != nil {
			return err
		}
	}
	c.setCookie(p.w, visitCookie, "", -1)
	return p.redirect("/")
}
