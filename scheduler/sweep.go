package scheduler

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/riverqueue/river"

	"pulih/internal/config"
	"pulih/internal/request"
	"pulih/internal/sop"
	"pulih/internal/store"
	"pulih/mailflow"
)

// sweepWorker looks for what time alone makes due. It keeps nothing in memory: whatever was missed while no daemon ran is found by the
// next one.
type sweepWorker struct {
	river.WorkerDefaults[store.Sweep]
	d *Daemon
}

func (w *sweepWorker) Work(ctx context.Context, _ *river.Job[store.Sweep]) error {
	return w.d.Sweep(ctx)
}

// Sweep looks once for all that time alone has made due.
func (d *Daemon) Sweep(ctx context.Context) error {
	var errs []error
	for _, configured := range d.order {
		t, err := d.tenant(ctx, configured.Key)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		errs = append(errs, d.recount(ctx, t), d.remind(ctx, t), d.runSchedules(ctx, t), d.wakeResets(ctx, t))
	}
	_, err := d.store.WatchesDue(ctx, d.now())
	return errors.Join(append(errs, err, d.watchMailboxes(ctx))...)
}

// remindBatch is how many requests one sweep reminds of: the mails of a sweep are bundled per person.
const remindBatch = 500

// gathering is how long a mark waits for others, so that nine that come within minutes are one mail: a thirtieth of the shortest promise,
// 4 minutes with Purbalingga's two hours for a light complaint, 10 seconds with Madiun's 5 minutes a step, at most longestGathering.
func gathering(p *sop.SOP) time.Duration {
	wait := longestGathering
	shorten := func(n sop.Norm) {
		_, length := n.Measure()
		wait = min(wait, length/30)
	}
	for _, step := range p.Steps {
		if step.Norm != nil {
			shorten(*step.Norm)
		}
	}
	if p.Total != nil {
		shorten(*p.Total)
	}
	for _, c := range p.Complaints {
		shorten(c.Norm)
	}
	return wait
}

const longestGathering = 5 * time.Minute

// remind tells the holders, and later their superiors, of marks that have come. All of one sweep is one transaction, so that each person
// gets one mail.
func (d *Daemon) remind(ctx context.Context, t *tenant) error {
	now := d.now()
	if !t.Calendar.Open(now) {
		return nil
	}
	due, err := d.store.RemindersDue(ctx, t.Key, now, remindBatch)
	if err == nil {
		due, err = d.afterSummary(ctx, t, due)
	}
	if err != nil {
		return err
	}
	complaints, err := d.store.ComplaintRemindersDue(ctx, t.Key, now, remindBatch)
	if err != nil {
		return err
	}
	wait := gathering(t.SOP)
	waited := func(since *time.Time) bool { return now.Sub(*since) >= wait }
	ripe := len(due) > 0 && waited(due[0].RemindAt) || len(complaints) > 0 && waited(complaints[0].RemindAt)
	if !ripe && (len(due)+len(complaints) == 0 || t.Calendar.Open(now.Add(wait))) {
		return nil // others may come; but nothing waits beyond the close of hours
	}
	return d.store.InTx(ctx, now, func(tx *store.Tx) error {
		for _, r := range due {
			if err := tx.Remind(t.Agency, r.Number); err != nil {
				return fmt.Errorf("reminding of %s: %w", r.Number, err)
			}
		}
		for _, c := range complaints {
			if err := tx.RemindComplaint(t.Agency, c.Number); err != nil {
				return fmt.Errorf("reminding of %s: %w", c.Number, err)
			}
		}
		return nil
	})
}

// recountBatch is how many deadlines one sweep computes again after a change of the calendar.
const recountBatch = 200

// recount computes the deadlines again that were made with another calendar. Acting on a request notes where its deadline moved.
func (d *Daemon) recount(ctx context.Context, t *tenant) error {
	requests, complaints, err := d.store.OtherCalendar(ctx, t.Key, t.Calendar.Version(), recountBatch)
	if err != nil {
		return err
	}
	for _, number := range requests {
		if err := d.store.InTx(ctx, d.now(), func(tx *store.Tx) error { _, err := tx.Act(t.Agency, number); return err }); err != nil {
			return err
		}
	}
	for _, number := range complaints {
		if err := d.store.InTx(ctx, d.now(), func(tx *store.Tx) error { _, err := tx.ActComplaint(t.Agency, number); return err }); err != nil {
			return err
		}
	}
	return nil
}

// schedule is a report that goes out by the clock.
type schedule struct {
	name string
	when config.Schedule
	to   func(t *tenant, last, at time.Time) []sending
}

// sending is one mail of a schedule: to whom, and about which span.
type sending struct {
	to          request.Recipient
	office      string
	from, until time.Time
}

func (t *tenant) schedules() []schedule {
	s := t.conf.Schedules
	return []schedule{
		{mailflow.DigestHeadDaily, s.DigestHead, headDaily},
		{mailflow.DigestHeadWeekly, s.DigestHeadWeekly, headWeekly},
		{mailflow.DigestOffice, s.DigestOffice, perOffice},
		{mailflow.DigestVerifier, s.DigestVerifier, verifierMorning},
		{mailflow.NoticeEvaluationPack, s.Pack, packToMeeting},
	}
}

// runSchedules sends what came due since the last run: once, however long nobody ran (made up for once, not seven times).
func (d *Daemon) runSchedules(ctx context.Context, t *tenant) error {
	for _, s := range t.schedules() {
		if s.when.Off() {
			continue
		}
		if err := d.runSchedule(ctx, t, s); err != nil {
			return err
		}
	}
	return nil
}

func (d *Daemon) runSchedule(ctx context.Context, t *tenant, s schedule) error {
	now := d.now()
	last, ran, err := d.store.LastRun(ctx, t.Key, s.name)
	if err != nil {
		return err
	}
	if !ran { // a new agency: nothing was missed
		return d.store.InTx(ctx, now, func(tx *store.Tx) error { _, err := tx.Ran(t.Key, s.name, now, now); return err })
	}
	at := s.when.Next(last)
	if at.After(now) {
		return nil
	}
	for next := s.when.Next(at); !next.After(now); next = s.when.Next(at) {
		at = next
	}
	if !t.sendsNow(at, now) {
		return nil // it comes when the office opens
	}
	return d.store.InTx(ctx, now, func(tx *store.Tx) error {
		first, err := tx.Ran(t.Key, s.name, last, at)
		if err != nil || !first {
			return err
		}
		for _, r := range s.to(t, last.In(t.Zone), at.In(t.Zone)) {
			if err := tx.Notify(DigestNotice(t.Key, s.name, r.office, at.UTC().Format(time.RFC3339), r.to, r.from, r.until)); err != nil {
				return err
			}
		}
		return nil
	})
}

// sendsNow: nobody gets a report outside office hours; one for the very close of hours may still go out then.
func (t *tenant) sendsNow(at, now time.Time) bool {
	return t.Calendar.Open(now) || t.Calendar.Open(at.Add(-time.Second)) && now.Sub(at) < closing
}

// closing is how long after the close of hours a report that is due at it may be sent.
const closing = 10 * time.Minute

// DigestNotice is a report to be mailed: it is made when it is sent, over [from, until), for an office or with an empty one the whole agency.
// Once tells apart what may go out again: two with the same one are one mail.
func DigestNotice(agencyKey, template, office, once string, to request.Recipient, from, until time.Time) store.Notice {
	// The span is kept in the outbox: "2026-11-23T00:00:00+07:00 2026-11-24T00:00:00+07:00 dindikbud".
	span := from.Format(time.RFC3339) + " " + until.Format(time.RFC3339) + " " + office
	return store.Notice{Agency: agencyKey, Once: fmt.Sprintf("%s/%s/%s/%s", template, agencyKey, once, to.Address), Template: template, To: to,
		Items: []store.BundleItem{{Text: span}}}
}

func day(at time.Time) time.Time {
	return time.Date(at.Year(), at.Month(), at.Day(), 0, 0, 0, 0, at.Location())
}

func headDaily(t *tenant, _, at time.Time) []sending {
	return toRole(t, sop.Head, at, day(at), day(at).AddDate(0, 0, 1))
}

func headWeekly(t *tenant, _, at time.Time) []sending {
	until := day(at).AddDate(0, 0, 1)
	return toRole(t, sop.Head, at, until.AddDate(0, 0, -7), until)
}

func verifierMorning(t *tenant, _, at time.Time) []sending {
	return toRole(t, sop.Verifier, at, day(at), day(at).AddDate(0, 0, 1))
}

func toRole(t *tenant, role sop.Role, at, from, until time.Time) []sending {
	var out []sending
	for _, p := range t.Holders(role, at) {
		out = append(out, sending{to: request.Recipient{Kind: "staff", ID: p.ID, Name: p.Name, Address: p.Email}, from: from, until: until})
	}
	return out
}

// perOffice goes to the head of each office, about its own requests on the days since the report before; one without any is left out when
// the mail is made.
func perOffice(t *tenant, last, at time.Time) []sending {
	var out []sending
	for _, o := range t.Offices {
		if o.Head.Email == "" {
			continue
		}
		to := request.Recipient{Kind: "office", ID: o.ID, Name: o.Head.Name, Address: o.Head.Email}
		out = append(out, sending{to: to, office: o.ID, from: last, until: at})
	}
	return out
}
