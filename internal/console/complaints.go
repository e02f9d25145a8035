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

// complaintsPage is Pengaduan.
type complaintsPage struct {
	base
	Rows    []complaintRow
	Ended   []complaintRow
	MayWork bool
}

type complaintRow struct {
	store.Complaint
	Words, Channel, Class, Holder, Path string
	Mine                                bool
	Clock                               clock
}

// mayRead: what may be about a verifier isn't for verifiers. A complaint is read by the role that holds it and by everybody above.
func mayRead(v *visitor, holder sop.Role) bool {
	if slices.Contains(v.roles, sop.Auditor) {
		return true
	}
	return slices.ContainsFunc(v.roles, func(r sop.Role) bool { return r.Depth() >= 0 && r.Depth() <= max(holder.Depth(), 0) })
}

func (c *Console) complaintsPage(p *page) error {
	open, err := c.o.Store.OpenComplaints(p.ctx(), p.agency.Key)
	if err != nil {
		return err
	}
	all, err := c.o.Store.Complaints(p.ctx(), p.agency.Key, p.now.AddDate(0, -3, 0), p.now.AddDate(0, 0, 1))
	if err != nil {
		return err
	}
	d := complaintsPage{base: c.base(p, "Pengaduan", "Pengaduan"), MayWork: p.who.may(workComplaint)}
	if d.Mark, err = c.o.Store.Mark(p.ctx(), p.agency.Key); err != nil {
		return err
	}
	for _, x := range open {
		if mayRead(p.who, x.Holder) && len(d.Rows) < rowsShown {
			row, err := c.complaintRow(p, x)
			if err != nil {
				return err
			}
			d.Rows = append(d.Rows, row)
		}
	}
	for _, x := range all {
		if x.ClosedAt != nil && mayRead(p.who, x.Holder) && len(d.Ended) < 30 {
			row, err := c.complaintRow(p, x)
			if err != nil {
				return err
			}
			d.Ended = append(d.Ended, row)
		}
	}
	return c.show(p, http.StatusOK, "pengaduan", d)
}

func (c *Console) complaintRow(p *page, x store.Complaint) (complaintRow, error) {
	s, err := c.o.Store.ComplaintState(p.ctx(), x.Number)
	if err != nil {
		return complaintRow{}, err
	}
	row := complaintRow{Complaint: x, Words: s.ForOffice(), Channel: s.Channel.Title(), Path: "/" + p.agency.Key + "/pengaduan/" + x.Number,
		Clock: complaintClock(p.agency, s, p.now), Mine: x.ClosedAt == nil && slices.Contains(p.who.roles, x.Holder) && (x.HolderID == "" || x.HolderID == p.who.person.ID)}
	if s.Class != nil {
		row.Class = s.Class.Title
	}
	row.Holder = x.Holder.Title()
	if person, ok := p.agency.Person(x.HolderID); ok {
		row.Holder = person.Name
	}
	if row.Mine {
		row.Holder = "Anda"
	}
	return row, nil
}

func complaintClock(a *agency.Agency, s complaint.State, now time.Time) clock {
	r, err := complaint.Reading(s, a, now)
	if err != nil || r == nil || s.Class == nil {
		return clock{}
	}
	round := s.Round()
	sc := request.StepClock{Start: round.From, End: round.Until, Reading: r, Step: sop.Step{Title: s.Class.Title, Norm: &s.Class.Norm}}
	out := clock{State: r.State, Norm: mailflow.NoticeNorm(s.Class.Norm), Used: s.Class.Norm.Say(r.Used), Title: s.Class.Title}
	out.Words, out.When = clockWords(s.Class.Norm, *r, sc, now.In(a.Zone), a.Zone)
	out.bar = spans(a, sc, s.Class.Norm, now)
	return out
}

// complaintPage is one complaint.
type complaintPage struct {
	base
	S        complaint.State
	Words    string
	Holder   string
	Clock    clock
	Texts    []string
	Timeline []line
	Classes  []sop.ComplaintClass
	People   []agency.Person
	Path     string
	MayWork  bool
	Open     bool
	AtBSrE   bool
	Tells    bool // the software itself answers through the channel
	Channel  string
	Received time.Time
}

func (c *Console) complaintPage(p *page) error {
	number := p.PathValue("number")
	row, err := c.complaintOf(p, number)
	if err != nil {
		return err
	}
	events, err := c.o.Store.ComplaintEvents(p.ctx(), number)
	if err != nil {
		return err
	}
	s := complaint.Fold(number, events)
	mails, err := c.o.Store.MailsOf(p.ctx(), number)
	if err != nil {
		return err
	}
	d := complaintPage{base: c.base(p, number, "Pengaduan"), S: s, Words: s.ForOffice(), Clock: complaintClock(p.agency, s, p.now), Classes: p.agency.SOP.Complaints,
		Timeline: complaintTimeline(p.agency, events, mails), Path: "/" + p.agency.Key + "/pengaduan/" + number, Open: s.Status.Open(), AtBSrE: s.Status == complaint.StatusBSrE,
		Channel: s.Channel.Title(), Tells: s.Channel.Automatic() && (s.Channel != complaint.Mail || s.From.Email != ""), MayWork: p.who.may(workComplaint), Received: s.ReceivedAt}
	d.Holder = row.Holder.Title()
	if person, ok := p.agency.Person(row.HolderID); ok {
		d.Holder = person.Name
	}
	for _, t := range s.Texts {
		d.Texts = append(d.Texts, clean(t))
	}
	for _, r := range sop.Chain[:max(row.Holder.Depth(), 0)+1] {
		for _, person := range p.agency.Holders(r, p.now) {
			if !slices.ContainsFunc(d.People, func(have agency.Person) bool { return have.ID == person.ID }) {
				d.People = append(d.People, person)
			}
		}
	}
	return c.show(p, http.StatusOK, "aduan", d)
}

// complaintOf is a row of the agency that the visitor may read, or ErrNotFound.
func (c *Console) complaintOf(p *page, number string) (store.Complaint, error) {
	row, err := c.o.Store.Complaint(p.ctx(), p.agency.Key, number)
	if err == nil && !mayRead(p.who, row.Holder) {
		err = fmt.Errorf("complaint %s: %w", number, store.ErrNotFound)
	}
	return row, err
}

var complaintEvents = map[complaint.Kind]string{
	complaint.Received: "Pengaduan diterima", complaint.LetterJoined: "Surat lanjutan", complaint.Classified: "Golongan ditetapkan", complaint.Linked: "Dihubungkan dengan permohonan",
	complaint.Assigned: "Ditugaskan", complaint.HandedOn: "Diteruskan ke BSrE", complaint.HandedBack: "Kembali dari BSrE", complaint.Answered: "Dijawab",
	complaint.Dismissed: "Ditutup tanpa jawaban", complaint.Reopened: "Dibuka kembali", complaint.Reminded: "Pengingat dikirim", complaint.Escalated: "Atasan diberi tahu",
	complaint.NoteAdded: "Catatan",
}

func complaintTimeline(a *agency.Agency, events []complaint.Event, mails []store.Outgoing) []line {
	var out []line
	for i, e := range events {
		l := line{At: e.At, Words: or(complaintEvents[e.Kind], "Perubahan"), Text: clean(e.Text), Who: e.By.Name, Role: e.By.Role.Title(), Via: viaWords[e.By.Via],
			Heavy: slices.Contains([]complaint.Kind{complaint.Received, complaint.Answered, complaint.Dismissed, complaint.HandedOn}, e.Kind)}
		switch {
		case e.Kind == complaint.Received:
			l.Text = "" // it stands on the left
		case e.Class != nil:
			l.Words += ": " + e.Class.Title
		case e.Link != nil:
			l.Words += " " + e.Link.Number
		case e.Kind == complaint.Assigned:
			if person, ok := a.Person(e.Person); ok {
				l.Words += " kepada " + person.Name
			}
		}
		if e.By == request.System {
			l.Who, l.Via = "", "oleh pulih"
		}
		for _, m := range mails {
			if m.Version == i+1 {
				l.Mails = append(l.Mails, mailLine{Words: or(mailWords[m.Template], m.Template), To: or(m.Name, m.Address), State: mailStates[m.State], Bounced: m.BouncedAt != nil})
			}
		}
		out = append(out, l)
	}
	return out
}

type newComplaintPage struct {
	base
	Channels []channelChoice
	Classes  []sop.ComplaintClass
	Today    string
}

type channelChoice struct{ ID, Title string }

func (c *Console) newComplaint(p *page) error {
	d := newComplaintPage{base: c.base(p, "Catat pengaduan", "Pengaduan"), Classes: p.agency.SOP.Complaints, Today: p.now.In(p.agency.Zone).Format("2006-01-02T15:04")}
	for _, ch := range complaint.Channels {
		d.Channels = append(d.Channels, channelChoice{string(ch), ch.Title()})
	}
	return c.show(p, http.StatusOK, "catat", d)
}

// enterComplaint takes what somebody said on the telephone, at the counter or elsewhere.
func (c *Console) enterComplaint(p *page) error {
	at, err := time.ParseInLocation("2006-01-02T15:04", p.text("waktu", 20), p.agency.Zone)
	if err != nil || at.After(p.now.Add(time.Minute)) || at.Before(p.now.AddDate(0, -6, 0)) {
		return say(http.StatusUnprocessableEntity, "Tuliskan kapan pengaduan diterima; tidak di masa depan dan tidak lebih dari enam bulan lalu.")
	}
	cmd := complaint.Open{Channel: complaint.Channel(p.text("saluran", 30)), At: at, Text: p.text("isi", complaint.MaxText), Class: p.text("golongan", 40), By: p.who.actor(workComplaint),
		From: complaint.Complainant{Name: p.text("nama", 200), Email: p.text("surel", 200), Phone: p.text("telepon", 40), Handle: p.text("akun", 100), Proven: p.PostFormValue("kenal") == "ya"}}
	if number := strings.ToUpper(p.text("permohonan", 40)); number != "" {
		if cmd.About, err = c.o.Store.About(p.ctx(), p.agency.Key, number); err != nil {
			return say(http.StatusUnprocessableEntity, "Permohonan %s tidak ada. Kosongkan bila tidak tahu nomornya.", letter.Mask(number))
		}
	}
	s, err := c.o.Store.EnterComplaint(p.ctx(), p.agency, p.now, cmd)
	if err != nil {
		return err
	}
	return p.redirect("/" + p.agency.Key + "/pengaduan/" + s.Number + "?kabar=saved")
}

// actComplaint carries out one of the actions on a complaint.
func (c *Console) actComplaint(p *page) error {
	number := p.PathValue("number")
	if _, err := c.complaintOf(p, number); err != nil {
		return err
	}
	by, text := p.who.actor(workComplaint), p.text("teks", complaint.MaxText)
	var cmd complaint.Command
	switch p.PathValue("act") {
	case "golongan":
		cmd = complaint.Classify{By: by, Class: p.text("golongan", 40), Text: text}
	case "tugaskan":
		cmd = complaint.Assign{By: by, Person: p.text("kepada", 100), Text: text}
	case "jawab":
		cmd = complaint.Answer{By: by, Class: p.text("golongan", 40), Text: text, Delivered: p.PostFormValue("sampai") == "ya"}
	case "teruskan":
		cmd = complaint.HandOn{By: by, Text: text}
	case "kembali":
		cmd = complaint.HandBack{By: by, Text: text}
	case "tutup":
		cmd = complaint.Dismiss{By: by, Text: text}
	case "buka":
		cmd = complaint.Reopen{By: by, Text: text}
	case "catatan":
		cmd = complaint.Note{By: by, Text: text}
	case "hubungkan":
		about, err := c.o.Store.About(p.ctx(), p.agency.Key, strings.ToUpper(p.text("permohonan", 40)))
		if err != nil {
			return say(http.StatusUnprocessableEntity, "Permohonan itu tidak ada.")
		}
		cmd = complaint.Relate{By: by, About: about}
	default:
		return fmt.Errorf("complaint: %w", store.ErrNotFound)
	}
	s, err := c.o.Store.ActComplaint(p.ctx(), p.agency, number, p.now, cmd)
	if err != nil {
		return err
	}
	if !mayRead(p.who, s.Holder) { // it went up, out of their sight
		return p.redirect("/" + p.agency.Key + "/pengaduan?kabar=saved")
	}
	return p.redirect("/" + p.agency.Key + "/pengaduan/" + number + "?kabar=saved")
}
