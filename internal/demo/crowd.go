package demo

import (
	"fmt"
	"time"

	"pulih/internal/letter"
)

// extra is an official of the crowd: invented people beyond those of the demo's own story, each with one letter, so that a test has many
// letters under way at any time.
type extra struct {
	n      int
	agency string
	office string
	Name   string
	NIP    string
	Email  string
}

var (
	givenNames  = [...]string{"Adi", "Bayu", "Cahyo", "Dewi", "Eko", "Fitri", "Gunawan", "Hesti", "Indra", "Joko", "Kartika", "Lukman", "Mega", "Nanang", "Puji", "Rahmat", "Sekar"}
	familyNames = [...]string{"Saputra", "Lestari", "Nugraha", "Pertiwi", "Santoso", "Utami", "Wibowo", "Rahayu", "Kurniawan", "Anggraini", "Hidayat", "Maharani", "Susanto"}
)

// crowdOf invents n people: of three, two belong to Purbalingga and one to Madiun.
func crowdOf(n int) []extra {
	var out []extra
	for i := range n {
		e := extra{n: i, agency: "purbalingga", office: "dindikbud", Email: fmt.Sprintf("pejabat%03d@purbalinggakab.go.id", i),
			Name: givenNames[i%len(givenNames)] + " " + familyNames[i/len(givenNames)%len(familyNames)],
			NIP:  fmt.Sprintf("%d%02d%02d2005%02d%d%03d", 1970+i%20, 1+i%12, 1+i%28, 1+i%12, 1+i%2, i%1000)}
		if i%3 == 2 {
			e.agency, e.office, e.Email = "madiun", "bkpsdm", fmt.Sprintf("pejabat%03d@madiunkota.go.id", i)
		}
		out = append(out, e)
	}
	return out
}

// scenes are the crowd's letters, one every so often on the demo's clock. Every fifth comes by both channels, every seventh is returned
// once.
func crowdScenes(crowd []extra, every time.Duration) []scene {
	var out []scene
	for _, e := range crowd {
		s := scene{
			name: fmt.Sprintf("pejabat %d", e.n), agency: e.agency, office: e.office, who: []string{e.NIP}, channel: "mail", plain: e.n%4 == 1,
			number: fmt.Sprintf("500.12.10/%04d-C/2026", e.n), subject: "Permohonan Reset Passphrase Tanda Tangan Elektronik (TTE)",
			after: time.Duration(e.n) * every, kind: letter.ResetRequest, ends: closed,
		}
		if e.n%2 == 0 {
			s.channel = "srikandi"
		}
		if e.n%7 == 6 {
			s.verifier = returns
		}
		out = append(out, s)
		if e.n%5 == 4 {
			s.again, s.joins, s.name, s.after, s.plain = s.name, s.name, s.name+" sekali lagi", s.after+every/2, false
			if s.channel == "mail" {
				s.channel = "srikandi"
			} else {
				s.channel = "mail"
			}
			out = append(out, s)
		}
	}
	return out
}
