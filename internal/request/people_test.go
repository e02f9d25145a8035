package request_test

import (
	"errors"
	"os"
	"testing"
	"time"

	"pulih/internal/agency"
	"pulih/internal/letter"
	"pulih/internal/request"
	"pulih/internal/sop"
)

// The people of these tests. All are invented.
var (
	zone      = time.FixedZone("WIB", 7*3600)
	morning   = time.Date(2026, 11, 23, 8, 0, 0, 0, zone) // a Monday
	kadin     = request.Actor{ID: "surya", Name: "Surya", Role: sop.Head}
	kabid     = request.Actor{ID: "laras", Name: "Laras", Role: sop.Division}
	kasi      = request.Actor{ID: "bagas", Name: "Bagas", Role: sop.Section}
	rini      = request.Actor{ID: "rini", Name: "Rini", Role: sop.Verifier}
	galih     = request.Actor{ID: "galih", Name: "Galih", Role: sop.Verifier}
	operator  = request.Actor{ID: "op", Name: "Operator", Role: sop.Operator}
	stranger  = request.Actor{ID: "orang-lain", Name: "Orang Lain", Role: sop.Verifier}
	applicant = request.Subject{Name: "Wahyu Nugroho, S.Pd.", NIP: "198504222010011912", NIK: "9999010101800001", Email: "wahyu.nugroho@contoh.go.id",
		OfficeID: "dindikbud", Office: "Dinas Pendidikan", Known: true}
)

// office is an agency with the given procedure: a shipped one, or a file of internal/sop/testdata.
func office(t testing.TB, procedure string, mode agency.ResetMode) *agency.Agency {
	t.Helper()
	p, err := sop.Shipped(procedure)
	if err != nil {
		data, readErr := os.ReadFile("../sop/testdata/" + procedure + ".yaml")
		if readErr != nil {
			t.Fatal(err, readErr)
		}
		if p, err = sop.Parse(data, procedure); err != nil {
			t.Fatal(err)
		}
	}
	a := &agency.Agency{Key: "contoh", Prefix: "CTH", Name: "Pemerintah Kabupaten Contoh", Domains: []string{"contoh.go.id"}, Zone: zone, SOP: p,
		Calendar: sop.ShippedCalendar(zone), Mode: mode}
	for _, by := range []request.Actor{kadin, kabid, kasi, rini, galih, operator} {
		a.Staff = append(a.Staff, agency.Person{ID: by.ID, Name: by.Name, NIP: "19900125201903290" + string(rune('0'+len(a.Staff))),
			Email: by.ID + "@contoh.go.id", Roles: []sop.Role{by.Role}})
	}
	a.Offices = []agency.Office{{ID: "dindikbud", Name: "Dinas Pendidikan", Addresses: []string{"dindikbud@contoh.go.id"},
		Head:      agency.Official{Name: "Tri Handayani", Email: "tri.handayani@contoh.go.id"},
		Officials: []agency.Official{{Name: applicant.Name, NIP: applicant.NIP, Email: applicant.Email}}}}
	return a
}

// file is a request under way in a test, with a clock that the test moves.
type file struct {
	t      testing.TB
	a      *agency.Agency
	now    time.Time
	events []request.Event
	s      request.State
	// effects are those of the last command.
	effects []request.Effect
}

func open(t testing.TB, a *agency.Agency, change ...func(*request.Open)) *file {
	t.Helper()
	f := &file{t: t, a: a, now: morning, s: request.Fold("CTH-2026-000001", nil)}
	cmd := request.Open{Letter: request.Letter{ID: 1, Channel: "srikandi", SrikandiID: "nm-1", Number: "B/573/2026", ReceivedAt: morning}, Subject: applicant,
		By: request.Actor{Role: sop.Applicant, Name: "Dinas Pendidikan"}}
	for _, c := range change {
		c(&cmd)
	}
	f.must(cmd)
	return f
}

func (f *file) try(cmd request.Command) error {
	f.t.Helper()
	events, effects, err := request.Decide(f.s, cmd, f.a, f.now)
	if err != nil {
		return err
	}
	f.events, f.s, f.effects = append(f.events, events...), f.s.With(events), effects
	return nil
}

func (f *file) must(cmds ...request.Command) {
	f.t.Helper()
	for _, cmd := range cmds {
		if err := f.try(cmd); err != nil {
			f.t.Fatalf("%T at %s: %v", cmd, f.s.Status, err)
		}
	}
}

// refused expects a refusal with that code, and that nothing changed.
func (f *file) refused(code string, cmd request.Command) {
	f.t.Helper()
	before := f.s
	err := f.try(cmd)
	var refusal *request.Refusal
	if !errors.As(err, &refusal) {
		f.t.Errorf("%T at %s: %v, want the refusal %s", cmd, before.Status, err, code)
		return
	}
	if refusal.Code != code || refusal.Message == "" {
		f.t.Errorf("%T at %s is refused as %s (%s), want %s", cmd, before.Status, refusal.Code, refusal.Message, code)
	}
}

func (f *file) is(want request.Status) {
	f.t.Helper()
	if f.s.Status != want {
		f.t.Fatalf("it is %s, want %s", f.s.Status, want)
	}
}

func (f *file) later(d time.Duration) { f.now = f.now.Add(d) }

// passed is one disposition that asks for action.
func passed(id string, at time.Time, from request.Actor, to ...request.Actor) request.Disposition {
	return request.Disposition{ID: id, From: from, To: to, Acts: true, SentAt: at}
}

// toVerifier brings the letter to rini.
func (f *file) toVerifier() *file {
	f.t.Helper()
	f.must(request.Dispose{LetterID: 1, Now: []request.Disposition{passed("d1", f.now, kadin, rini)}})
	f.is(request.StatusChecking)
	return f
}

func (f *file) approval(by request.Actor) request.Approve {
	return request.Approve{By: by, Subject: f.s.Subject, Text: "Data cocok."}
}

func (f *file) booking() request.Book {
	return request.Book{Booking: request.Booking{Approval: f.s.Approval.Version, UID: "u-1", Serial: "5A01", Email: f.s.Approval.Subject.Email,
		Verifier: f.s.Approval.By.ID}}
}

func (f *file) booked() *file {
	f.t.Helper()
	f.must(f.approval(rini))
	f.must(f.booking())
	f.is(request.StatusBooked)
	return f
}

func danger(code string) []letter.Finding {
	return []letter.Finding{{Code: code, Severity: letter.Danger, Detail: "Temuan " + code}}
}

// mails lists the templates and addresses of the last command's mails.
func (f *file) mails() map[string][]string {
	out := map[string][]string{}
	for _, e := range f.effects {
		if m, ok := e.(request.Mail); ok {
			out[m.Template] = append(out[m.Template], m.To.Address)
		}
	}
	return out
}
