package scheduler_test

import (
	"testing"

	"pulih/internal/demo/srikandisim"
	"pulih/internal/request"
)

// While a proxy answers with its own page that nothing is there, no letter is gone, and what was to be written is kept until it can be.
func TestAProxysPageIsAnOutage(t *testing.T) {
	t.Parallel()
	d, s := setUpRini(t, 1)
	d.followUps(1) // the receipt
	for range 4 {
		d.sim.Inject(srikandisim.Follow, srikandisim.LostPage)
		d.sim.Inject(srikandisim.Whole, srikandisim.LostPage)
	}
	d.advance(minutes) // letters of open requests are asked for
	d.act(s.Number, request.Return{By: rini, Missing: []string{"Fotokopi SK"}})
	f := d.followUps(2)
	d.polled()
	if f.DispositionID == "" || f.Status != "dikembalikan" || f.Replay {
		t.Errorf("%+v", f)
	}
	if n := len(d.events(s.Number, request.LetterGone)) + len(d.events(s.Number, request.NoteAdded)) + d.count(`SELECT count(*) FROM letters WHERE gone_at IS NOT NULL`); n != 0 {
		t.Error("the letter was taken for gone, or the follow-up given up")
	}
}

// A file is taken as it is only when it differed every time, not when one broken download follows an outage.
func TestABrokenDownloadAfterAnOutageIsTriedAgain(t *testing.T) {
	t.Parallel()
	d := setUp(t, 1, srikandisim.Options{})
	d.sim.AddLetter(d.letter(0, "500.12.10/1/2026"))
	for range 8 { // one for the page, and more tries than a file may differ
		d.sim.Inject(srikandisim.Attachment, srikandisim.Internal)
	}
	d.sim.Inject(srikandisim.Attachment, srikandisim.Mismatch, srikandisim.Mismatch)
	d.serve()
	if s := d.request(opened); s.Has("attachment-differs") || s.Has("attachment-missing") {
		t.Errorf("findings %+v", s.Findings)
	}
}
