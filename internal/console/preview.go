package console

import (
	"net/http"
	"strings"
	"time"

	"pulih/internal/request"
	"pulih/mailflow"
)

type previewPage struct {
	base
	Number, Path, To  string
	Subject, Text     string
	Ticked            []string
	Others, Message   string
	Missing           []string
	ToOffice, ToOwner bool
}

// preview shows the mail of a return before it goes out. Nothing is changed yet.
func (c *Console) preview(p *page) error {
	number := p.PathValue("number")
	if _, err := c.o.Store.Request(p.ctx(), p.agency.Key, number); err != nil {
		return err
	}
	s, err := c.o.Store.State(p.ctx(), number)
	if err != nil {
		return err
	}
	missing := p.missing(s)
	cmd := request.Return{By: p.who.actor(decide), Missing: missing, Text: p.text("pesan", longText)}
	_, effects, err := request.Decide(s, cmd, p.agency, p.now) // would it be taken? then it is shown
	if err != nil {
		return err
	}
	d := previewPage{base: c.base(p, "Kembalikan "+number, "Meja kerja"), Number: number, Path: "/" + p.agency.Key + "/permohonan/" + number,
		Ticked: p.PostForm["kurang"], Others: p.text("lainnya", longText), Message: cmd.Text, Missing: missing}
	var to []string
	var first *request.Mail
	for _, e := range effects {
		if m, ok := e.(request.Mail); ok {
			if first == nil {
				first = &m
			}
			to = append(to, m.To.Address)
		}
	}
	d.To = strings.Join(to, ", ")
	if first != nil {
		n := mailflow.Notice{Template: mailflow.NoticeReturned, Now: p.now, Agency: mailflow.NoticeAgencyOf(p.agency),
			To:      mailflow.NoticePerson{Kind: mailflow.NoticeKind(first.To.Kind), Name: first.To.Name, Address: first.To.Address},
			Missing: missing, Reason: cmd.Text, Request: noticeRequest(p, s)}
		r, err := mailflow.RenderNotice(n, nil)
		if err != nil {
			return err
		}
		d.Subject, d.Text = r.Subject, r.Text
	}
	return c.show(p, http.StatusOK, "pratinjau", d)
}

func noticeRequest(p *page, s request.State) mailflow.NoticeRequest {
	r := mailflow.NoticeRequest{Number: s.Number, State: s.ForApplicant(), OpenedAt: s.OpenedAt.In(p.agency.Zone), Office: s.Subject.Office, Applicant: s.Subject.Name,
		Position: s.Subject.Position}
	if len(s.Letters) > 0 {
		l := s.Letters[0]
		r.LetterNumber, r.LetterSubject, r.Channel = l.Number, l.Subject, strings.ToLower(channelWords[l.Channel])
		if l.Channel == "srikandi" {
			r.Channel = "Srikandi"
		}
		if day, err := time.ParseInLocation("2006-01-02", l.Date, p.agency.Zone); err == nil {
			r.LetterDate = day
		}
	}
	return r
}
