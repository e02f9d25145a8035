package console

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"pulih/internal/config/accounts"
	"pulih/internal/store"
)

// systemPage is Sistem: whether everything works, since when not, and what can be done.
type systemPage struct {
	base
	Sources   []sourceRow
	Jobs      []jobRow
	Waiting   []jobCount
	Mails     []store.Outgoing
	Visits    []visitRow
	Audit     []auditLine
	Sentences []string
	Calendar  time.Time // first instant without a calendar
	CalSoon   bool
	StoppedAt time.Time
	StoppedBy string
	MayRun    bool
	MayStop   bool
	MayAudit  bool
	AMS       *amsState
	Checked   []accounts.Finding // what `pulih check` says, on the operator's click
	MayCheck  bool
}

type sourceRow struct {
	Name, Words string
	Good        bool
	Last        *time.Time
	Since       *time.Time
}

type jobRow struct {
	store.Job
	Words, StateWords string
}

type jobCount struct {
	store.JobCount
	Words string
}

var jobWords = map[string]string{
	"read_letter": "Membaca surat", "send_mail": "Mengirim surel", "write_follow_up": "Menulis tindak lanjut ke Srikandi",
	"register_letter": "Mendaftarkan surat ke Srikandi", "run_resets": "Mengajukan reset", "watch_request": "Mengamati sertifikat",
	"poll_gateway": "Mengambil surat dari Srikandi", "ask_status": "Menanyakan status sertifikat",
}

var jobStates = map[string]string{"retryable": "gagal, akan dicoba lagi", "discarded": "menyerah"}

func (c *Console) systemPage(p *page) error {
	d, err := c.loadSystem(p)
	if err != nil {
		return err
	}
	return c.show(p, http.StatusOK, "sistem", d)
}

// checkNow tries the agency's connections and says what `pulih check` would.
func (c *Console) checkNow(p *page) error {
	if c.o.Check == nil {
		return fmt.Errorf("checking: %w", store.ErrNotFound)
	}
	// Partners restrict accounts that sign in again and again.
	if !c.tries.allow("check/"+p.agency.Key, 4, p.now) {
		return say(http.StatusTooManyRequests, "Sambungan baru saja diperiksa beberapa kali. Tunggu sepuluh menit.")
	}
	found := c.o.Check(p.ctx(), p.agency.Key)
	d, err := c.loadSystem(p)
	if err != nil {
		return err
	}
	d.Checked = found
	return c.show(p, http.StatusOK, "sistem", d)
}

func (c *Console) loadSystem(p *page) (*systemPage, error) {
	key := p.agency.Key
	d := &systemPage{MayCheck: p.who.may(runSystem) && c.o.Check != nil,
		base: c.base(p, "Sistem", "Sistem"), MayRun: p.who.may(runSystem), MayStop: p.who.may(stopResets), MayAudit: p.who.may(readAudit)}
	var err error
	if d.Sources, err = c.sources(p); err != nil {
		return nil, err
	}
	jobs, err := c.o.Store.Jobs(p.ctx(), key)
	if err != nil {
		return nil, err
	}
	for _, j := range jobs {
		d.Jobs = append(d.Jobs, jobRow{Job: j, Words: or(jobWords[j.Kind], j.Kind), StateWords: or(jobStates[j.State], j.State)})
	}
	counts, err := c.o.Store.JobCounts(p.ctx(), key)
	if err != nil {
		return nil, err
	}
	for _, n := range counts {
		d.Waiting = append(d.Waiting, jobCount{n, or(jobWords[n.Kind], n.Kind)})
	}
	if d.Mails, err = c.o.Store.TroubledMails(p.ctx(), key, p.now); err != nil {
		return nil, err
	}
	if d.MayRun {
		if d.Visits, err = c.visits(p, ""); err != nil {
			return nil, err
		}
	}
	if d.MayAudit {
		list, err := c.o.Store.AuditLog(p.ctx(), key, "", 60)
		if err != nil {
			return nil, err
		}
		d.Audit = auditLines(p.agency, list)
	}
	if d.StoppedAt, d.StoppedBy, err = c.o.Store.Switch(p.ctx(), key); err != nil {
		return nil, err
	}
	d.StoppedBy = c.nameOf(p, d.StoppedBy)
	d.Calendar = p.agency.Calendar.EndsAt(p.now)
	d.CalSoon = d.Calendar.Sub(p.now) < 60*24*time.Hour
	if c.o.Sentences != nil {
		for _, s := range c.o.Sentences(p.ctx()) {
			if c.concerns(s, key) {
				d.Sentences = append(d.Sentences, s)
			}
		}
	}
	return d, nil
}

// concerns keeps sentences about other agencies away: each begins with whom it is about.
func (c *Console) concerns(sentence, key string) bool {
	for _, a := range c.o.Agencies {
		if a.Key != key && (strings.HasPrefix(sentence, a.Key) || strings.HasPrefix(sentence, a.Name)) {
			return false
		}
	}
	return true
}

// sources are the agency's gateway and mailboxes.
func (c *Console) sources(p *page) ([]sourceRow, error) {
	gateways, mailboxes, err := c.o.Store.Sources(p.ctx())
	if err != nil {
		return nil, err
	}
	var out []sourceRow
	add := func(name string, s store.Source) {
		row := sourceRow{Name: name, Last: s.LastSuccess, Since: s.FailingSince, Good: s.FailingSince == nil && s.LastSuccess != nil, Words: s.Problem}
		if row.Words == "" && s.LastSuccess == nil {
			row.Words = "Belum pernah terhubung."
		}
		out = append(out, row)
	}
	for _, s := range gateways {
		if s.Name == p.agency.Key {
			add("Srikandi", s)
		}
	}
	for _, s := range mailboxes {
		if key, rest, _ := strings.Cut(s.Name, "/"); key == p.agency.Key {
			add("Kotak surel "+strings.TrimSuffix(rest, "/INBOX"), s)
		}
	}
	return out, nil
}

func (c *Console) retryJob(p *page) error {
	return c.changeJob(p, "mengulang pekerjaan", c.o.Store.RetryJob)
}
func (c *Console) cancelJob(p *page) error {
	return c.changeJob(p, "membatalkan pekerjaan", c.o.Store.CancelJob)
}

func (c *Console) changeJob(p *page, action string, change func(ctx context.Context, agencyKey string, id int64) error) error {
	id, err := pathID(p, "id")
	if err != nil {
		return err
	}
	if err := change(p.ctx(), p.agency.Key, id); err != nil {
		return err
	}
	return c.recorded(p, action, "pekerjaan/"+p.PathValue("id"), "/sistem?kabar=saved")
}

// recorded writes a line into the audit log and goes back to a page of the desk.
func (c *Console) recorded(p *page, action, target, back string) error {
	err := c.o.Store.InTx(p.ctx(), p.now, func(tx *store.Tx) error {
		return tx.Audit(p.agency.Key, p.who.person.ID, action, target, "")
	})
	if err != nil {
		return err
	}
	return p.redirect("/" + p.agency.Key + back)
}

func (c *Console) sendAgain(p *page) error {
	id, err := pathID(p, "id")
	if err != nil {
		return err
	}
	err = c.o.Store.InTx(p.ctx(), p.now, func(tx *store.Tx) error {
		if err := tx.SendAgain(p.agency.Key, id); err != nil {
			return err
		}
		return tx.Audit(p.agency.Key, p.who.person.ID, "mengirim ulang surel", "surel/"+p.PathValue("id"), "")
	})
	if err != nil {
		return err
	}
	return p.redirect("/" + p.agency.Key + "/sistem?kabar=saved")
}

// holdResets is the emergency brake. Whoever may decide may pull it; letting go is for the head and the operator.
func (c *Console) holdResets(p *page) error {
	stop := p.PostFormValue("tahan") == "ya"
	if !stop && !p.who.may(releaseResets) {
		return say(http.StatusForbidden, "Melepas penahanan adalah keputusan Kadin atau operator.")
	}
	if err := c.o.Store.StopResets(p.ctx(), p.agency.Key, p.who.person.ID, stop, p.now); err != nil {
		return err
	}
	action := "menahan semua reset"
	if !stop {
		action = "melepas penahanan reset"
	}
	return c.recorded(p, action, "reset", "/sistem?kabar=saved")
}
