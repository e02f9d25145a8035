package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"pulih/internal/agency"
	"pulih/internal/complaint"
	"pulih/internal/request"
	"pulih/internal/sop"
	"pulih/internal/store"
	"pulih/mailflow"
)

// ComplaintCmd works with complaints about the service.
type ComplaintCmd struct {
	Enter  ComplaintEnterCmd  `cmd:"" help:"Enter a complaint that came by another channel than mail or Srikandi."`
	Class  ComplaintClassCmd  `cmd:"" help:"Set the class, and with it the promised time."`
	Answer ComplaintAnswerCmd `cmd:"" help:"Answer, through the channel that the complaint came by."`
	HandOn ComplaintHandOnCmd `cmd:"" help:"Tell that the complaint was taken to BSrE."`
	Back   ComplaintBackCmd   `cmd:"" help:"Tell what BSrE said; the office goes on."`
	List   ComplaintListCmd   `cmd:"" help:"List the open complaints of all agencies."`
}

// ComplaintEnterCmd enters one.
type ComplaintEnterCmd struct {
	ConfigFlag
	Agency  string `required:"" placeholder:"KEY" help:"Agency in the configuration file."`
	As      string `required:"" placeholder:"ID" help:"Who enters it, by their id in the configuration."`
	Channel string `required:"" enum:"whatsapp,telephone,in-person,box,sp4n-lapor,instagram,twitter,facebook,mail,srikandi" help:"How it came (${enum})."`
	From    string `help:"Name of whoever complains."`
	Phone   string `help:"Their telephone."`
	Email   string `help:"Their mail address."`
	Handle  string `help:"Their name on the social network or complaint site."`
	At      string `placeholder:"TIME" help:"When they complained, RFC 3339; now if left out."`
	Class   string `placeholder:"CLASS" help:"Its class (light, normative, unsupervised, supervised); proposed by rules if left out."`
	About   string `placeholder:"NUMBER" help:"The request that it is about."`
	Known   bool   `help:"You know the person: their identity stands."`
	Text    string `arg:"" help:"The complaint in the person's words."`
}

// Run enters.
func (c *ComplaintEnterCmd) Run(ctx context.Context) error {
	return c.with(ctx, func(o *opened) error {
		a, err := o.agency(ctx, c.Agency)
		if err != nil {
			return err
		}
		by, err := actor(a, c.As)
		if err != nil {
			return err
		}
		now := time.Now()
		open := complaint.Open{Channel: complaint.Channel(c.Channel), At: now, Text: c.Text, Class: c.Class, By: by,
			From: complaint.Complainant{Name: c.From, Phone: c.Phone, Email: c.Email, Handle: c.Handle, Proven: c.Known}}
		if office, ok := a.OfficeByAddress(c.Email); ok {
			open.From.OfficeID = office.ID
		}
		if c.At != "" {
			if open.At, err = parseTime("--at", c.At); err != nil {
				return err
			}
		}
		if c.About != "" {
			if open.About, err = o.store.About(ctx, a.Key, c.About); errors.Is(err, store.ErrNotFound) {
				return fmt.Errorf("--about: permohonan %s tidak ada", c.About)
			} else if err != nil {
				return err
			}
		}
		s, err := o.store.EnterComplaint(ctx, a, now, open)
		if err != nil {
			return err
		}
		return sayComplaint(os.Stdout, a, s, now)
	})
}

// complaintFlags are what class and answer have in common.
type complaintFlags struct {
	ConfigFlag
	As     string `required:"" placeholder:"ID" help:"Who does it, by their id in the configuration."`
	Number string `arg:"" help:"Number of the complaint, e.g. PBG-P-2026-000012."`
}

// ComplaintClassCmd sets the class.
type ComplaintClassCmd struct {
	complaintFlags
	Class string `arg:"" help:"light, normative, unsupervised or supervised, as the SOP has them."`
	Why   string `help:"Why, when it makes the promised time longer."`
}

// ComplaintAnswerCmd answers.
type ComplaintAnswerCmd struct {
	complaintFlags
	Text      string `arg:"" help:"The answer, as the complainant reads it."`
	Class     string `help:"Set the class in the same step."`
	Delivered bool   `help:"You have told them: needed where the software can't."`
}

// ComplaintHandOnCmd tells that BSrE was asked.
type ComplaintHandOnCmd struct {
	complaintFlags
	Text string `arg:"" help:"What BSrE was asked, as the complainant may read it."`
}

// ComplaintBackCmd tells what BSrE said.
type ComplaintBackCmd struct {
	complaintFlags
	Text string `arg:"" help:"BSrE's words."`
}

// Run hands on.
func (c *ComplaintHandOnCmd) Run(ctx context.Context) error {
	return c.act(ctx, func(by request.Actor) complaint.Command { return complaint.HandOn{By: by, Text: c.Text} })
}

// Run takes back.
func (c *ComplaintBackCmd) Run(ctx context.Context) error {
	return c.act(ctx, func(by request.Actor) complaint.Command { return complaint.HandBack{By: by, Text: c.Text} })
}

// Run sets the class.
func (c *ComplaintClassCmd) Run(ctx context.Context) error {
	return c.act(ctx, func(by request.Actor) complaint.Command {
		return complaint.Classify{By: by, Class: c.Class, Text: c.Why}
	})
}

// Run answers.
func (c *ComplaintAnswerCmd) Run(ctx context.Context) error {
	return c.act(ctx, func(by request.Actor) complaint.Command {
		return complaint.Answer{By: by, Class: c.Class, Text: c.Text, Delivered: c.Delivered}
	})
}

func (c *complaintFlags) act(ctx context.Context, command func(by request.Actor) complaint.Command) error {
	return c.with(ctx, func(o *opened) error {
		a, err := o.byNumber(ctx, c.Number)
		if err != nil {
			return err
		}
		by, err := actor(a, c.As)
		if err != nil {
			return err
		}
		now := time.Now()
		s, err := o.store.ActComplaint(ctx, a, c.Number, now, command(by))
		if errors.Is(err, store.ErrNotFound) {
			return fmt.Errorf("pengaduan %s tidak ada", c.Number)
		} else if err != nil {
			return err
		}
		return sayComplaint(os.Stdout, a, s, now)
	})
}

func actor(a *agency.Agency, id string) (request.Actor, error) {
	p, ok := a.Person(id)
	if !ok {
		return request.Actor{}, fmt.Errorf("%s tidak mengenal %q", a.Name, id)
	}
	by := request.Actor{ID: p.ID, Name: p.Name, Via: "cli"}
	for _, role := range sop.Chain {
		if p.Has(role) {
			by.Role = role
		}
	}
	return by, nil
}

func sayComplaint(out io.Writer, a *agency.Agency, s complaint.State, now time.Time) error {
	line := s.Number + ": " + s.ForOffice()
	if s.Class != nil {
		line += ", golongan " + strings.ToLower(s.Class.Title) + " (" + mailflow.NoticeNorm(s.Class.Norm) + ")"
	}
	if s.Status.Open() {
		r, err := complaint.Reading(s, a, now)
		if err != nil {
			return err
		}
		if r != nil {
			say := mailflow.NoticeLeft
			if kind, _ := s.Class.Norm.Measure(); kind == sop.WorkingDays {
				say = mailflow.NoticeLeftDays
			}
			line += ", " + say(r.Left, r.Due, now.In(a.Zone))
		}
	}
	_, err := fmt.Fprintln(out, line+".")
	return err
}

// ComplaintListCmd lists.
type ComplaintListCmd struct {
	ConfigFlag
	Closed bool `help:"Also those of the last 30 days that are closed."`
}

// Run lists, the most urgent first.
func (c *ComplaintListCmd) Run(ctx context.Context) error {
	return c.with(ctx, func(o *opened) error {
		now := time.Now()
		w := tabwriter.NewWriter(os.Stdout, 2, 4, 2, ' ', 0)
		for _, a := range o.cfg.Agencies() {
			list, err := o.store.OpenComplaints(ctx, a.Key)
			if err != nil {
				return err
			}
			if c.Closed {
				recent, err := o.store.Complaints(ctx, a.Key, now.AddDate(0, 0, -30), now)
				if err != nil {
					return err
				}
				for _, r := range recent {
					if r.ClosedAt != nil {
						list = append(list, r)
					}
				}
			}
			for _, r := range list {
				due := ""
				if r.DueAt != nil {
					due = mailflow.NoticeWhen(r.DueAt.In(a.Zone), now)
				}
				state := complaint.State{Status: r.Status, Holder: r.Holder}
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", r.Number, r.Channel.Title(), r.Class, state.ForOffice(), due)
			}
		}
		return w.Flush()
	})
}
