package srikandi_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"pulih/internal/demo/srikandisim"
	"pulih/srikandi"
)

// Every fault of the contract's last section, mixed at random, while letters arrive, are edited, passed on, withdrawn, cancelled and
// deleted, and follow-ups are written from two clients: at the end what was read equals the gateway's register, and nothing is twice in
// its journal. PULIH_SOAK=1 makes it 10,000 letters and 30,000 dispositions.
func TestEveryFaultMixed(t *testing.T) {
	t.Parallel()
	letters := 300
	if os.Getenv("PULIH_SOAK") != "" {
		letters = 10_000
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	m := &mixed{
		world: newWorld(t, srikandisim.Options{Seed: seed, Redirect: seed%2 == 0, NaiveTimes: seed%3 == 0, OmitParents: seed%5 == 0}),
		r:     newRegister(), rng: rand.New(rand.NewPCG(seed, 5)), t: t, archive: map[string]string{},
	}
	m.other = newClient(t, m.server.URL, m.Now)
	chance := map[srikandisim.Fault]float64{}
	for _, f := range []srikandisim.Fault{srikandisim.Unauthorized, srikandisim.TooMany, srikandisim.Unavailable, srikandisim.Internal, srikandisim.BadGateway,
		srikandisim.HTML, srikandisim.LostPage, srikandisim.Empty, srikandisim.Drop, srikandisim.Cut, srikandisim.Lost, srikandisim.Slow} {
		chance[f] = 0.01
	}
	for _, f := range []srikandisim.Fault{srikandisim.Malformed, srikandisim.Repeated, srikandisim.Mismatch, srikandisim.Expired} {
		chance[f] = 0.1
	}
	m.sim.SetFaults(srikandisim.Faults{Chance: chance, RetryAfter: 7 * time.Second, SlowBy: time.Millisecond, Late: 0.1, LateBy: 10 * time.Minute})
	for len(m.ids) < letters {
		m.live()
		m.pollOnce()
		m.write()
	}
	m.settle()
	m.compare()
}

type mixed struct {
	*world
	t     *testing.T
	r     *register
	rng   *rand.Rand
	other *srikandi.Client // a second daemon's

	ids     []string
	archive map[string]string // letter/attachment -> bytes
	due     []followUp        // not yet accepted
	wanted  int               // follow-ups that were to be written
	refused int               // of them: on letters or dispositions that were gone
}

type followUp struct {
	key, letter, disposition string
}

func (m *mixed) oneOf(ids []string) string { return ids[m.rng.IntN(len(ids))] }

// live lets people do a day's work.
func (m *mixed) live() {
	people := []string{"kadin", "kabid", "kabid2", "kasi", "verif", "Sekretaris"}
	for range 10 + m.rng.IntN(30) {
		id := m.sim.AddLetter(permohonan(fmt.Sprint(len(m.ids) + 1)))
		m.ids = append(m.ids, id)
		for range 3 {
			m.Advance(time.Duration(m.rng.IntN(900)) * time.Millisecond) // often within one second
			letter := m.oneOf(m.ids[max(0, len(m.ids)-100):])
			d := m.sim.Dispose(letter, srikandisim.Disposition{
				From: staff(m.oneOf(people)), To: to(m.oneOf(people)), Instructions: []string{m.oneOf([]string{"Tindaklanjuti", "Untuk diketahui", "Teruskan"})},
			})
			switch m.rng.IntN(12) {
			case 0:
				m.sim.Withdraw(letter, d)
			case 1:
				m.sim.Remove(letter, d)
			case 2:
				m.sim.Answer(letter, d, staff("verif").NIP, "selesai", "disetujui")
			case 3:
				m.sim.Edit(letter, func(l *srikandisim.Letter) { l.Number += "/ubah" })
			case 4:
				m.due = append(m.due, followUp{fmt.Sprint("kunci-", m.wanted), letter, d})
				m.wanted++
			}
		}
		switch m.rng.IntN(40) {
		case 0:
			m.sim.Cancel(m.oneOf(m.ids))
		case 1:
			m.sim.Delete(m.oneOf(m.ids))
		case 2:
			m.sim.RevokeTokens()
		}
	}
	m.sim.SetSkew(time.Duration(m.rng.IntN(240)-120) * time.Second)
	if m.rng.IntN(20) == 0 {
		m.sim.SetOutage(true)
		m.pollOnce()
		m.Advance(time.Duration(m.rng.IntN(14*24)) * time.Hour)
		m.sim.SetOutage(false)
	}
	m.Advance(time.Minute)
}

// pollOnce polls, and waits as asked; a second refusal of a token in a row is the operator's.
func (m *mixed) pollOnce() {
	m.client.Retry()
	poller := m.poller(m.r)
	poller.Limit = 10 + m.rng.IntN(90)
	_, err := poller.Poll(m.t.Context(), m.r.cursor)
	m.expected(err)
	for id, n := range m.r.letters {
		m.download(id, n)
	}
}

// download archives attachments that aren't there yet, from letters that still are.
func (m *mixed) download(id string, n srikandi.Naskah) {
	for _, l := range n.Attachments {
		if _, ok := m.archive[id+"/"+l.ID]; ok {
			continue
		}
		var got bytes.Buffer
		err := m.client.Attachment(m.t.Context(), id, l, &got, 1<<20)
		if err == nil {
			m.archive[id+"/"+l.ID] = got.String()
		} else if !errors.Is(err, srikandi.ErrGone) {
			m.expected(err)
		}
	}
}

// write sends follow-ups by either client, sometimes by both.
func (m *mixed) write() {
	m.other.Retry()
	var left []followUp
	for _, f := range m.due {
		client := m.client
		if m.rng.IntN(2) == 0 {
			client = m.other
		}
		_, err := client.FollowUp(m.t.Context(), f.letter, f.key, srikandi.FollowUp{DispositionID: f.disposition, Status: srikandi.StatusProcessing})
		switch {
		case errors.Is(err, srikandi.ErrGone), errors.Is(err, srikandi.ErrWithdrawn):
			m.refused++
		case err != nil:
			m.expected(err)
			left = append(left, f)
		case m.rng.IntN(5) == 0:
			left = append(left, f) // a daemon that died before it noted the answer sends it again
		}
	}
	m.due = left
}

func (m *mixed) expected(err error) {
	m.t.Helper()
	if err == nil || errors.Is(err, srikandi.ErrSignIn) {
		return
	}
	var temporary *srikandi.Temporary
	if !errors.As(err, &temporary) || errors.Is(err, context.Canceled) {
		m.t.Fatalf("unexpected: %v", err)
	}
	m.Advance(temporary.RetryAfter)
}

// settle ends the faults and gives the software the time that it would have.
func (m *mixed) settle() {
	m.sim.SetFaults(srikandisim.Faults{})
	m.sim.SetSkew(0)
	m.Advance(24 * time.Hour)
	m.client.Retry()
	m.other.Retry()
	for len(m.due) > 0 {
		m.write()
	}
	m.Advance(time.Minute)
	m.r.watch = true
	for range 2 {
		m.pollOnce()
		m.Advance(time.Minute)
	}
}

func (m *mixed) compare() {
	truth, deleted := m.sim.Truth()
	if len(m.r.letters) != len(truth) {
		m.t.Errorf("%d letters read, %d in the register", len(m.r.letters), len(truth))
	}
	for _, want := range truth {
		got, ok := m.r.letters[want.ID]
		if !ok {
			m.t.Fatalf("%s is missing", want.ID)
		}
		if a, b := readLetter(got), trueLetter(want); a != b {
			m.t.Fatalf("%s\n read %s\n true %s", want.ID, a, b)
		}
		for _, f := range want.Files {
			if m.archive[want.ID+"/"+f.ID] != string(f.Data) {
				m.t.Fatalf("attachment %s of %s is wrong or missing", f.ID, want.ID)
			}
		}
	}
	for _, id := range deleted {
		if _, ok := m.r.letters[id]; ok {
			m.t.Errorf("%s was deleted and is still there", id)
		}
	}
	for _, bad := range m.r.bad {
		if bad.ID != "" {
			m.t.Errorf("%s is still owed: %v", bad.ID, bad.Err)
		}
	}
	j := m.sim.Journal()
	first := map[string]int{}
	for _, f := range j.FollowUps {
		if !f.Replay {
			first[f.Key]++
		}
	}
	for key, n := range first {
		if n != 1 {
			m.t.Errorf("%s was written %d times", key, n)
		}
	}
	if len(first)+m.refused < m.wanted || len(first) > m.wanted {
		m.t.Errorf("%d follow-ups written, %d refused, of %d", len(first), m.refused, m.wanted)
	}
	if j.BearersLeaked != 0 {
		m.t.Errorf("%d bearer tokens leaked", j.BearersLeaked)
	}
	dispositions := 0
	for _, l := range truth {
		dispositions += len(l.Dispositions)
	}
	m.t.Logf("%d letters, %d dispositions, %d follow-ups, %d deleted, %d bad rows kept, %d calls", len(truth), dispositions, len(first), len(deleted),
		len(m.r.bad), j.Calls[srikandisim.List]+j.Calls[srikandisim.Whole]+j.Calls[srikandisim.Attachment])
}

// readLetter and trueLetter tell a letter in words, from either side.
func readLetter(n srikandi.Naskah) string {
	var b strings.Builder
	fmt.Fprint(&b, n.Version, n.Number, n.Subject, n.Cancelled, n.UpdatedAt.Unix(), n.From.NIP, n.Flaws)
	for _, d := range n.Dispositions {
		fmt.Fprint(&b, " | ", d.ID, d.From.NIP, d.From.Position, d.SentAt.Unix(), d.Instructions[0].Text)
		for _, r := range d.To {
			fmt.Fprint(&b, " > ", r.NIP, r.Status)
			for _, f := range r.FollowUps {
				fmt.Fprint(&b, " ", f.At.Unix(), f.Status, f.Note)
			}
		}
	}
	return b.String()
}

func trueLetter(l srikandisim.Letter) string {
	var b strings.Builder
	fmt.Fprint(&b, l.Version, l.Number, l.Subject, l.Cancelled, l.UpdatedAt.Unix(), l.From.NIP, []string(nil))
	for _, d := range l.Dispositions {
		fmt.Fprint(&b, " | ", d.ID, d.From.NIP, d.From.Position, d.SentAt.Unix(), d.Instructions[0])
		for _, r := range d.To {
			fmt.Fprint(&b, " > ", r.NIP, r.Status)
			for _, f := range r.FollowUps {
				fmt.Fprint(&b, " ", f.At.Unix(), f.Status, f.Note)
			}
		}
	}
	return b.String()
}
