package scheduler

import (
	"slices"
	"testing"

	"pulih/mailflow"
)

// The operator reads since when a source fails in the agency's own time, wherever the server's clock stands.
func TestASilentSourceIsToldInTheAgencysTime(t *testing.T) {
	t.Parallel()
	o := begin(t, "2026-11-16 09.00")
	o.mail(officeAddress, "Salam", "Selamat pagi.") // the mailbox has worked before
	silent := mailflow.Event{Kind: mailflow.OutageBegan, At: o.now(), Detail: "Kotak surat tidak menjawab."}
	if err := o.store.Inbox(o.now).Event(t.Context(), "purbalingga/INBOX", silent); err != nil {
		t.Fatal(err)
	}
	want := "purbalingga/INBOX: Kotak surat tidak menjawab. Sejak Senin, 16 November 2026 pukul 09.00 WIB."
	if h := o.Health(t.Context()); !h.Ready || !slices.Contains(h.Sentences, want) {
		t.Errorf("%+v", h)
	}
}
