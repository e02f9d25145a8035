package console

import (
	"fmt"
	"net/http"
	"strings"

	"pulih/internal/agency"
	"pulih/internal/sop"
	"pulih/internal/store"
)

// DemoLink is a ready way into the demo's desk as one person.
type DemoLink struct {
	Agency, Role, Name, URL string
}

// DemoLinks lists a link for each role of each agency, the verifiers first. They work for a console with Options.Demo alone.
func DemoLinks(publicURL string, agencies []*agency.Agency) []DemoLink {
	var out []DemoLink
	for _, a := range agencies {
		seen := map[string]bool{}
		for _, role := range []sop.Role{sop.Verifier, sop.Head, sop.Division, sop.Section, sop.Operator, sop.Auditor} {
			for _, p := range a.Staff {
				if p.Has(role) && !seen[p.ID] {
					seen[p.ID] = true
					title := role.Title()
					if role != sop.Operator && p.Has(sop.Operator) {
						title += " dan operator"
					}
					out = append(out, DemoLink{Agency: a.Name, Role: title, Name: p.Name, URL: fmt.Sprintf("%s/demo/%s/%s", strings.TrimSuffix(publicURL, "/"), a.Key, p.ID)})
				}
			}
		}
	}
	return out
}

// demoHere: choosing a role freely is for a demo on this machine alone.
func (c *Console) demoHere(r *http.Request) bool {
	return c.o.Demo && loopback(c.public.Hostname()) && loopback(remote(r))
}

type demoPage struct {
	base
	Agencies []demoAgency
}

type demoAgency struct {
	Name, SOP string
	Links     []DemoLink
}

// front is the first page: the desk for who is signed in, the roles of the demo, or the sign-in form.
func (c *Console) front(p *page) error {
	if c.demoHere(p.Request) {
		d := demoPage{base: c.base(p, "Demo pulih", "")}
		for _, a := range c.o.Agencies {
			d.Agencies = append(d.Agencies, demoAgency{Name: a.Name, SOP: a.SOP.Title, Links: DemoLinks("", []*agency.Agency{a})})
		}
		return c.show(p, http.StatusOK, "demo", d)
	}
	if p.who != nil {
		return p.redirect(home(p.who))
	}
	return p.redirect("/masuk")
}

// home is the first page of the desk for a person: the first one that they may read.
func home(v *visitor) string {
	switch {
	case v.may(readDesk):
		return "/" + v.agency.Key
	case v.may(readSystem):
		return "/" + v.agency.Key + "/sistem"
	}
	return "/" + v.agency.Key + "/akun"
}

func (c *Console) demoEnter(p *page) error {
	a, ok := c.agencies[p.PathValue("key")]
	if !ok || !c.demoHere(p.Request) {
		return fmt.Errorf("demo: %w", store.ErrNotFound)
	}
	person, ok := a.Person(p.PathValue("person"))
	if !ok {
		return fmt.Errorf("demo: %w", store.ErrNotFound)
	}
	if err := c.begin(p, store.Visit{Agency: a.Key, Person: person.ID, Strong: true}); err != nil {
		return err
	}
	return p.redirect(home(&visitor{agency: a, person: person, roles: rolesOf(a, person, p.now)}))
}
