package scheduler

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"pulih/mailflow"
)

// Health is how the daemon fares, in sentences for the operator. Ready means that it can do its work; a partner that is down is no reason
// to restart the daemon, so it makes a sentence and not unreadiness.
type Health struct {
	Ready     bool     `json:"ready"`
	Sentences []string `json:"sentences"`
}

// calendarAlarm is how long before its end a calendar without a successor is reported.
const calendarAlarm = 60 * 24 * time.Hour

// Health looks at the database, the calendars and the sources.
func (d *Daemon) Health(ctx context.Context) Health {
	h := Health{Ready: true, Sentences: []string{}}
	say := func(format string, args ...any) { h.Sentences = append(h.Sentences, fmt.Sprintf(format, args...)) }
	if err := d.store.Pool.Ping(ctx); err != nil {
		h.Ready = false
		say("Basis data tidak menjawab.")
		return h
	}
	now := d.now()
	for _, t := range d.order {
		switch end := t.Calendar.EndsAt(now); {
		case !end.After(now):
			h.Ready = false
			say("%s: kalender hari libur tahun %d belum ada; tenggat tidak dapat dihitung.", t.Name, now.In(t.Zone).Year())
		case end.Sub(now) < calendarAlarm:
			say("%s: kalender hari libur berakhir %s; pasang berkas tahun berikutnya.", t.Name, end.In(t.Zone).Format("2006-01-02"))
		}
	}
	gateways, mailboxes, err := d.store.Sources(ctx)
	if err != nil {
		h.Ready = false
		say("Keadaan sumber surat tidak terbaca dari basis data.")
		return h
	}
	for _, s := range append(gateways, mailboxes...) {
		if s.FailingSince != nil {
			key, _, _ := strings.Cut(s.Name, "/") // a mailbox is named after its agency
			zone := time.UTC
			if t, ok := d.tenants[key]; ok {
				zone = t.Zone
			}
			say("%s: %s Sejak %s.", s.Name, s.Problem, mailflow.NoticeDateTime(s.FailingSince.In(zone)))
		}
	}
	return h
}

// Metrics are counted in the database when they are asked for: they are true for all daemons together and survive a restart. Labels are
// keys and states; no person, office or number is among them.
func (d *Daemon) Metrics() *prometheus.Registry {
	r := prometheus.NewRegistry()
	r.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), &counts{d: d})
	return r
}

type counts struct{ d *Daemon }

var described = map[string]*prometheus.Desc{
	"letters":  prometheus.NewDesc("pulih_letters", "Letters in the archive.", []string{"agency", "channel", "state"}, nil),
	"requests": prometheus.NewDesc("pulih_requests", "Requests.", []string{"agency", "status"}, nil),
	"mails":    prometheus.NewDesc("pulih_mails", "Mails in the outbox.", []string{"agency", "state"}, nil),
	"jobs":     prometheus.NewDesc("pulih_jobs", "Jobs that wait or failed.", []string{"kind", "state"}, nil),
	"overdue":  prometheus.NewDesc("pulih_requests_overdue", "Open requests past their deadline.", []string{"agency"}, nil),
}

func (c *counts) Describe(ch chan<- *prometheus.Desc) {
	for _, desc := range described {
		ch <- desc
	}
}

func (c *counts) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	list, err := c.d.store.Counts(ctx, c.d.now())
	if err != nil {
		c.d.log.Warn("counting for the metrics", "err", err)
		return
	}
	for _, n := range list {
		ch <- prometheus.MustNewConstMetric(described[n.What], prometheus.GaugeValue, float64(n.N), n.Labels...)
	}
}
