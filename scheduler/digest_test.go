package scheduler

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"

	"pulih/internal/request"
	"pulih/internal/sop"
	"pulih/mailflow"
)

// aMonth plays requests and complaints of November 2026: kept ones, one broken and explained, one rejected, one open; an outage of Srikandi.
func aMonth(t *testing.T) *office {
	o := begin(t, "2026-11-02 08.00")
	do := func(number string, cmds ...request.Command) {
		t.Helper()
		if _, err := o.store.Act(t.Context(), o.Agency, number, o.Daemon.now(), cmds...); err != nil {
			t.Fatal(err)
		}
	}
	verifier := request.Actor{Role: sop.Verifier, ID: "rini", Name: "Rini Wulandari, S.Kom.", Via: "console"}
	finish := func(st request.State, after time.Duration) {
		t.Helper()
		o.set(st.OpenedAt.Add(after))
		now, err := o.store.State(t.Context(), st.Number)
		if err != nil {
			t.Fatal(err)
		}
		do(st.Number, request.Approve{By: verifier, Subject: now.Subject}, request.Confirm{By: verifier}, request.Observe{Kind: request.LinkMailed, By: verifier},
			request.Observe{Kind: request.Usable, By: verifier})
	}
	finish(o.openRequest(t, "Wahyu Nugroho, S.Pd."), time.Hour) // kept
	o.clock("2026-11-09 09.00")
	late := o.openRequest(t, "drg. Endah Kusumastuti, M.Kes.")
	finish(late, 5*time.Hour) // four working hours: broken by an hour and a half
	do(late.Number, request.Explain{By: verifier, Text: "Srikandi tidak dapat dihubungi."})
	for _, f := range []func() error{
		func() error {
			return o.store.BeginOutage(t.Context(), "purbalingga", "srikandi", "x", o.wib("2026-11-09 09.30"))
		},
		func() error {
			return o.store.EndOutage(t.Context(), "purbalingga", "srikandi", o.wib("2026-11-09 11.30"))
		},
	} {
		if err := f(); err != nil {
			t.Fatal(err)
		}
	}
	o.clock("2026-11-16 08.00")
	do(o.openRequest(t, "Wahyu Nugroho, S.Pd.").Number, request.Reject{By: verifier, Text: "Surat tidak bertanda tangan."})
	o.clock("2026-11-27 15.45")
	o.openRequest(t, "Wahyu Nugroho, S.Pd.")
	o.enter(t, "Kapan selesai?")
	o.clock("2026-11-27 16.00")
	return o
}

func TestADigestTellsTheTruth(t *testing.T) {
	t.Parallel()
	o := aMonth(t)
	d, err := o.Report(t.Context(), "purbalingga", mailflow.DigestHeadWeekly, "", o.wib("2026-11-01 00.00"), o.wib("2026-12-01 00.00"))
	if err != nil {
		t.Fatal(err)
	}
	if d.In != 4 || d.Closed != 2 || d.Refused != 1 || d.Waiting != 1 || d.Kept != 2 || d.Broken != 1 {
		t.Errorf("in %d, closed %d, refused %d, waiting %d, kept %d, broken %d", d.In, d.Closed, d.Refused, d.Waiting, d.Kept, d.Broken)
	}
	if len(d.Breaches) != 1 || d.Breaches[0].Over != 90*time.Minute || d.Breaches[0].Reason != "Srikandi tidak dapat dihubungi." || d.Breaches[0].Applicant != "drg. Endah Kusumastuti, M.Kes." ||
		d.Breaches[0].Step != "Reset passphrase dilakukan di AMS BSrE" {
		t.Errorf("the breach is %+v", d.Breaches)
	}
	if len(d.Outages) != 1 || d.Outages[0].Broken != 1 {
		t.Errorf("the outage is %+v: without its two hours the promise would have been kept", d.Outages)
	}
	if len(d.Oldest) != 1 || len(d.DueNext) != 1 || !d.NextDay.Equal(o.wib("2026-11-30 00.00")) {
		t.Errorf("oldest %+v, due %+v on %s", d.Oldest, d.DueNext, d.NextDay)
	}
	if len(d.Complaints) != 4 || d.Complaints[0].In != 1 || d.Complaints[0].Open != 1 {
		t.Errorf("complaints %+v", d.Complaints)
	}
	if d.Times[0].Count != 3 || d.Times[0].Over != 1 || d.Times[0].Median != time.Hour || d.Times[0].P90 != 4*time.Hour {
		t.Errorf("the whole took %+v", d.Times[0])
	}
	if w := d.Trend[3]; len(d.Trend) != 8 || !w.From.Equal(o.wib("2026-11-02 00.00")) || w.In != 1 || w.Kept != 1 {
		t.Errorf("the trend is %+v", d.Trend)
	}
	r, err := mailflow.RenderDigest(d, nil)
	if err != nil || !strings.Contains(r.Subject, "Ringkasan bulanan November 2026") {
		t.Errorf("the subject is %q, %v", r.Subject, err)
	}
	if err := os.WriteFile(filepath.Join(t.ArtifactDir(), "digest.html"), []byte(r.HTML), 0o600); err != nil {
		t.Fatal(err)
	}
	dinkes, err := o.Report(t.Context(), "purbalingga", mailflow.DigestOffice, "dinkes", o.wib("2026-11-01 00.00"), o.wib("2026-12-01 00.00"))
	if err != nil || dinkes.In != 1 || dinkes.Waiting != 0 || dinkes.Complaints[0].In != 0 {
		t.Errorf("the office's digest has in %d, waiting %d, complaints %+v, %v", dinkes.In, dinkes.Waiting, dinkes.Complaints, err)
	}
	morning, err := o.Report(t.Context(), "purbalingga", mailflow.DigestVerifier, "", o.wib("2026-11-27 00.00"), o.wib("2026-11-28 00.00"))
	if err != nil || len(morning.Work) != 2 {
		t.Errorf("a verifier's work is %+v, %v", morning.Work, err)
	}
}

func TestMeasuresAreRebuilt(t *testing.T) {
	t.Parallel()
	o := aMonth(t)
	if _, different, err := o.store.Rebuild(t.Context(), o.Agency, o.Daemon.now()); err != nil || len(different) != 0 {
		t.Fatalf("different after writing: %q, %v", different, err)
	}
	if _, err := o.store.Pool.Exec(t.Context(), `UPDATE measures SET used = '{}'`); err != nil {
		t.Fatal(err)
	}
	if _, different, err := o.store.Rebuild(t.Context(), o.Agency, o.Daemon.now()); err != nil || len(different) != 4 {
		t.Errorf("different after spoiling: %q, %v", different, err)
	}
	if _, different, err := o.store.Rebuild(t.Context(), o.Agency, o.Daemon.now()); err != nil || len(different) != 0 {
		t.Errorf("different after rebuilding: %q, %v", different, err)
	}
}

func TestThePackIsMailedWithItsFilesAndKeptSealed(t *testing.T) {
	t.Parallel()
	o := aMonth(t)
	o.clock("2026-11-30 10.00")
	sweepTogether(t, []*Daemon{o.Daemon}) // a new agency: nothing was missed
	o.clock("2026-12-03 09.05")
	sweepTogether(t, []*Daemon{o.Daemon, o.daemon()})
	if n := count(o.outbox(), "evaluation-pack > "); n != 5 {
		t.Fatalf("%d packs, want one for each of the five who meet: %q", n, o.outbox())
	}
	m := o.last("evaluation-pack")
	if !strings.Contains(m.Subject, "November 2026") || !strings.Contains(m.Text, "PBG-evaluasi-2026-11.xlsx") {
		t.Errorf("the mail is %q: %s", m.Subject, m.Text)
	}
	var id int64
	if err := o.store.Pool.QueryRow(t.Context(), `SELECT id FROM outbox WHERE template = 'evaluation-pack' AND state = 'sent'`).Scan(&id); err != nil {
		t.Fatal(err)
	}
	var kept mailflow.Envelope
	if err := o.store.MailContent(t.Context(), id, &kept); err != nil || len(kept.Files) != 2 {
		t.Fatalf("%d files were kept, %v", len(kept.Files), err)
	}
	if !bytes.HasPrefix(kept.Files[0].Data, []byte("%PDF-")) {
		t.Error("the first file is no PDF")
	}
	book, err := excelize.OpenReader(bytes.NewReader(kept.Files[1].Data))
	if err != nil {
		t.Fatal(err)
	}
	rows, err := book.GetRows("Permohonan")
	if err != nil || len(rows) != 5 || rows[2][1] != "drg. Endah Kusumastuti, M.Kes." || rows[2][6] != "lewat" || rows[2][8] != "240" {
		t.Errorf("the sheet of requests is %q, %v", rows, err)
	}
	breaches, err := book.GetRows("Janji lewat")
	if err != nil || len(breaches) != 2 || breaches[1][4] != "90" || breaches[1][5] != "Srikandi tidak dapat dihubungi." {
		t.Errorf("the sheet of breaches is %q, %v", breaches, err)
	}
	repeats, err := book.GetRows("Pemohon berulang")
	if err != nil || len(repeats) != 4 {
		t.Errorf("the sheet of repeated applicants is %q, %v", repeats, err)
	}
}

func TestOutagesOfSourcesAreKeptAsSpans(t *testing.T) {
	t.Parallel()
	o := begin(t, "2026-11-16 08.00")
	fail := func(at string) {
		t.Helper()
		if _, err := o.store.GatewayFailed(t.Context(), "purbalingga", "tidak dapat dihubungi", o.wib(at)); err != nil {
			t.Fatal(err)
		}
	}
	work := func(at string) {
		t.Helper()
		if err := o.store.GatewayWorks(t.Context(), "purbalingga", o.wib(at)); err != nil {
			t.Fatal(err)
		}
	}
	work("2026-11-16 08.00")
	fail("2026-11-16 09.00")
	fail("2026-11-16 09.30")
	work("2026-11-16 10.15")
	fail("2026-11-16 11.00")
	work("2026-11-16 11.01") // one poll that failed is no outage
	fail("2026-11-16 12.00")
	list, err := o.store.Outages(t.Context(), "purbalingga", o.wib("2026-11-16 00.00"), o.wib("2026-11-17 00.00"), o.wib("2026-11-16 13.00"))
	if err != nil || len(list) != 2 || !list[0].From.Equal(o.wib("2026-11-16 09.00")) || !list[0].Until.Equal(o.wib("2026-11-16 10.15")) || !list[1].Lasts() {
		t.Errorf("the outages are %+v, %v", list, err)
	}
}
