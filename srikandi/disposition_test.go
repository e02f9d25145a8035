package srikandi_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"pulih/internal/agency"
	"pulih/internal/request"
	"pulih/internal/sop"
	"pulih/srikandi"
)

var arrived = time.Date(2026, 11, 20, 8, 0, 0, 0, wib)

func minute(m int) time.Time { return arrived.Add(time.Duration(m) * time.Minute) }

// pihak is a member of staff as the wire writes them, or a stranger.
func pihak(id string) srikandi.Pihak {
	p := staff(id)
	return srikandi.Pihak{Position: p.Position, Name: p.Name, NIP: p.NIP}
}

// sent is a disposition; the instruction is Tindaklanjuti unless given.
func sent(id string, at int, from, to string, instruction ...string) srikandi.Disposisi {
	d := srikandi.Disposisi{ID: id, From: pihak(from), SentAt: minute(at)}
	for _, r := range strings.Fields(to) {
		name, withdrawn := strings.CutPrefix(r, "!") // !kabid: withdrawn from them
		p := srikandi.Penerima{Pihak: pihak(name), Status: "dibaca"}
		if withdrawn {
			p.Status = "dibatalkan"
		}
		d.To = append(d.To, p)
	}
	if len(instruction) == 0 {
		instruction = []string{"Tindaklanjuti"}
	}
	for _, text := range instruction {
		d.Instructions = append(d.Instructions, srikandi.Instruksi{Text: text})
	}
	return d
}

func under(parent string, d srikandi.Disposisi) srikandi.Disposisi {
	d.ParentID = parent
	return d
}

// standing is where dispositions have brought a letter, as its request and the clocks of Madiun's SOP tell: the steps of head, division and section.
func standing(ds ...srikandi.Disposisi) stand {
	n := srikandi.Naskah{ReceivedAt: arrived, Dispositions: ds}
	events := []request.Event{{Kind: request.Received, At: arrived, Subject: &request.Subject{}, Letter: &request.Letter{ID: 1, ReceivedAt: arrived}}}
	for _, d := range srikandi.Counting(srikandi.Dispositions(n, dinas)) {
		events = append(events, request.Event{Kind: request.DispositionSeen, At: d.SentAt, Disposition: &d})
	}
	s := request.Fold("CTH-2026-000001", events)
	out := stand{role: s.Holder, holders: s.HolderIDs, since: s.Since, passed: map[sop.Role]time.Time{}}
	steps, _, err := request.Clocks(s, &agency.Agency{SOP: madiun, Calendar: sop.ShippedCalendar(wib)}, arrived.Add(time.Hour))
	if err != nil {
		panic(err)
	}
	for _, c := range steps {
		if c.Step.Ends == sop.EndsDisposition && !c.End.IsZero() {
			out.passed[c.Step.Actors[0]] = c.End
		}
	}
	return out
}

type stand struct {
	role    sop.Role
	holders []string
	since   time.Time
	passed  map[sop.Role]time.Time
}

var madiun = func() *sop.SOP {
	p, err := sop.Shipped("madiun")
	if err != nil {
		panic(err)
	}
	return p
}()

// say puts a standing in a line: "section [kasi] since 2; head 1, division 2".
func say(s stand) string {
	minutes := func(t time.Time) int { return int(t.Sub(arrived) / time.Minute) }
	var passed []string
	for _, role := range sop.Chain {
		if at, ok := s.passed[role]; ok {
			passed = append(passed, fmt.Sprintf("%s %d", role, minutes(at)))
		}
	}
	return fmt.Sprintf("%s [%s] since %d; %s", s.role, strings.Join(s.holders, " "), minutes(s.since), strings.Join(passed, ", "))
}

func TestWhereDispositionsBringALetter(t *testing.T) {
	t.Parallel()
	type dd = []srikandi.Disposisi
	for _, c := range []struct {
		name string
		ds   dd
		want string
	}{
		{"none", nil, "head [] since 0; "},
		{"down the chain", dd{sent("1", 1, "kadin", "kabid"), sent("2", 2, "kabid", "kasi"), sent("3", 3, "kasi", "verif")},
			"verifier [verif] since 3; head 1, division 2, section 3"},
		{"told in any order", dd{sent("3", 3, "kasi", "verif"), sent("1", 1, "kadin", "kabid"), sent("2", 2, "kabid", "kasi")},
			"verifier [verif] since 3; head 1, division 2, section 3"},
		{"Kadin straight to the verifier", dd{sent("1", 4, "kadin", "verif")}, "verifier [verif] since 4; head 4, division 4, section 4"},
		{"for information only", dd{sent("1", 1, "kadin", "kabid", "Untuk diketahui")}, "head [] since 0; "},
		{"to the archive", dd{sent("1", 1, "kadin", "verif", "Arsip")}, "head [] since 0; "},
		{"a favour to the giver", dd{sent("1", 1, "kadin", "kabid", "Siapkan bahan")}, "head [] since 0; "},
		{"passed on though only told", dd{sent("1", 1, "kadin", "kabid", "Untuk diketahui"), sent("2", 2, "kabid", "kasi")},
			"section [kasi] since 2; head 2, division 2"},
		{"several receivers of one level", dd{sent("1", 1, "kadin", "kabid kabid2")}, "division [kabid kabid2] since 1; head 1"},
		{"several receivers of several levels", dd{sent("1", 1, "kadin", "kabid verif")}, "verifier [verif] since 1; head 1, division 1, section 1"},
		{"one of several passes it on", dd{sent("1", 1, "kadin", "kabid kabid2"), sent("2", 2, "kabid2", "kasi")}, "section [kasi] since 2; head 1, division 2"},
		{"a second receiver later", dd{sent("1", 1, "kadin", "kabid"), sent("2", 5, "kadin", "kabid2")}, "division [kabid kabid2] since 1; head 1"},
		{"repeated", dd{sent("1", 1, "kadin", "kabid"), sent("2", 5, "kadin", "kabid")}, "division [kabid] since 1; head 1"},
		{"repeated after it went on", dd{sent("1", 1, "kadin", "kabid"), sent("2", 2, "kabid", "kasi"), sent("3", 5, "kadin", "kabid")},
			"section [kasi] since 2; head 1, division 2"},
		{"one disposition told twice", dd{sent("1", 1, "kadin", "kabid"), sent("1", 1, "kadin", "kabid")}, "division [kabid] since 1; head 1"},
		{"sideways", dd{sent("1", 1, "kadin", "kabid"), sent("2", 2, "kabid", "kabid2")}, "division [kabid2] since 2; head 1"},
		{"backward", dd{sent("1", 1, "kadin", "kabid"), sent("2", 2, "kabid", "kasi"), sent("3", 3, "kasi", "kabid")},
			"division [kabid] since 3; head 1, division 2"},
		{"backward and down again", dd{sent("1", 1, "kadin", "kabid"), sent("2", 2, "kabid", "kasi"), sent("3", 3, "kasi", "kabid"), sent("4", 4, "kabid", "verif")},
			"verifier [verif] since 4; head 1, division 2, section 4"},
		{"back to the head", dd{sent("1", 1, "kadin", "kabid"), sent("2", 2, "kabid", "kadin")}, "head [kadin] since 2; head 1"},
		{"from one verifier to the other", dd{sent("1", 1, "kadin", "verif"), sent("2", 2, "verif", "verif2")},
			"verifier [verif2] since 2; head 1, division 1, section 1"},
		{"backward for information", dd{sent("1", 1, "kadin", "kabid"), sent("2", 2, "kabid", "kadin", "Untuk diketahui")}, "division [kabid] since 1; head 1"},
		{"pulled back by one who doesn't hold it", dd{sent("1", 1, "kadin", "verif"), sent("2", 2, "kabid", "kasi")},
			"verifier [verif] since 1; head 1, division 1, section 1"},
		{"to somebody outside the chain", dd{sent("1", 1, "kadin", "Sekretaris")}, "head [] since 0; "},
		{"to the operator, who is staff but not of the chain", dd{sent("1", 1, "kadin", "operator")}, "head [] since 0; "},
		{"to the chain and outside", dd{sent("1", 1, "kadin", "Sekretaris kabid")}, "division [kabid] since 1; head 1"},
		{"down by way of somebody outside", dd{sent("1", 1, "kadin", "Sekretaris"), sent("2", 2, "Sekretaris", "kasi")}, "section [kasi] since 2; head 2, division 2"},
		{"withdrawn", dd{sent("1", 1, "kadin", "!kabid")}, "head [] since 0; "},
		{"withdrawn from one of two", dd{sent("1", 1, "kadin", "!kabid kabid2")}, "division [kabid2] since 1; head 1"},
		{"withdrawn and sent anew", dd{sent("1", 1, "kadin", "!kabid"), sent("2", 6, "kadin", "kabid2")}, "division [kabid2] since 6; head 6"},
		{"under a withdrawn one", dd{sent("1", 1, "kadin", "!kabid"), under("1", sent("2", 2, "kabid", "kasi"))}, "head [] since 0; "},
		{"under one that is gone", dd{under("9", sent("2", 2, "kabid", "kasi"))}, "head [] since 0; "},
		{"under a withdrawn one, but received twice", dd{sent("1", 1, "kadin", "!kabid"), sent("2", 2, "kadin", "kabid"), under("1", sent("3", 3, "kabid", "kasi"))},
			"section [kasi] since 3; head 2, division 3"},
		{"two deep under a withdrawn one", dd{sent("1", 1, "kadin", "!kabid"), under("1", sent("2", 2, "kabid", "kasi")), under("2", sent("3", 3, "kasi", "verif"))},
			"head [] since 0; "},
		{"a child whose clock is behind its parent's", dd{sent("1", 5, "kadin", "kabid"), under("1", sent("2", 3, "kabid", "kasi"))},
			"section [kasi] since 5; head 5, division 5"},
		{"sent before the letter came, says the clock", dd{sent("1", -30, "kadin", "kabid")}, "division [kabid] since 0; head 0"},
		{"parents in a circle", dd{under("2", sent("1", 1, "kadin", "kabid")), under("1", sent("2", 2, "kabid", "kasi"))}, "section [kasi] since 2; head 2, division 2"},
		{"to oneself", dd{sent("1", 1, "kadin", "kabid"), sent("2", 2, "kabid", "kabid")}, "division [kabid] since 1; head 1"},
		{"without a receiver", dd{sent("1", 1, "kadin", "")}, "head [] since 0; "},
	} {
		if got := say(standing(c.ds...)); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.name, got, c.want)
		}
	}
}

func TestNoTime(t *testing.T) {
	t.Parallel()
	d := sent("1", 0, "kadin", "kabid")
	d.SentAt = time.Time{}
	if got := say(standing(d)); got != "division [kabid] since 0; head 0" {
		t.Error(got)
	}
}

func TestTheNoteCountsOnlyWhereNothingIsTicked(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		ticked, note string
		want         srikandi.Class
	}{
		{"", "Mohon segera diproses", srikandi.Act},
		{"", "", srikandi.Inform},
		{"Untuk diketahui", "Mohon segera diproses", srikandi.Inform},
		{"Tindaklanjuti", "arsip", srikandi.Act},
	} {
		d := sent("1", 1, "kadin", "kabid", c.ticked)
		d.Note = c.note
		ds := srikandi.Dispositions(srikandi.Naskah{Dispositions: []srikandi.Disposisi{d}}, dinas)
		if ds[0].Class != c.want || ds[0].Note != c.note {
			t.Errorf("%q with note %q asks for %s", c.ticked, c.note, ds[0].Class)
		}
	}
}

func TestWhoIsWho(t *testing.T) {
	t.Parallel()
	december := time.Date(2026, 12, 2, 9, 0, 0, 0, wib)
	kabid, verif := pihak("kabid"), pihak("verif")
	for _, c := range []struct {
		name   string
		who    srikandi.Pihak
		at     time.Time
		person string
		role   sop.Role
		byNIP  bool
	}{
		{"by NIP", kabid, arrived, "kabid", sop.Division, true},
		{"by NIP with blanks", srikandi.Pihak{NIP: "19750505 200003 1 002"}, arrived, "kabid", sop.Division, true},
		{"by NIP, whatever the position", srikandi.Pihak{NIP: kabid.NIP, Position: "Analis Muda"}, arrived, "kabid", sop.Division, true},
		{"by position", srikandi.Pihak{Position: "KEPALA BIDANG  PERSANDIAN"}, arrived, "kabid", sop.Division, false},
		{"Plh. by NIP acts as head", srikandi.Pihak{NIP: kabid.NIP, Position: "Plh. Kepala Dinas Komunikasi dan Informatika"}, arrived, "kabid", sop.Head, true},
		{"Plt. without a point", srikandi.Pihak{NIP: kabid.NIP, Position: "Plt Kepala Dinas Komunikasi dan Informatika"}, arrived, "kabid", sop.Head, true},
		{"a deputy in the head's position while the head is away", srikandi.Pihak{NIP: kabid.NIP, Position: "Kepala Dinas Komunikasi dan Informatika"}, december, "kabid", sop.Head, true},
		{"the same when the head is there", srikandi.Pihak{NIP: kabid.NIP, Position: "Kepala Dinas Komunikasi dan Informatika"}, arrived, "kabid", sop.Division, true},
		{"a deputy for themselves", kabid, december, "kabid", sop.Division, true},
		{"Plt. from another office", srikandi.Pihak{NIP: "196001011985031099", Position: "Plt. Kepala Dinas Komunikasi dan Informatika"}, arrived, "", sop.Head, false},
		{"Plt. without NIP isn't the head", srikandi.Pihak{Position: "Plt. Kepala Dinas Komunikasi dan Informatika"}, arrived, "", sop.Head, false},
		{"a successor in a known position", srikandi.Pihak{NIP: "199901012024031088", Position: "Sandiman Ahli Muda"}, arrived, "", sop.Section, false},
		{"a shared position", srikandi.Pihak{Position: verif.Position}, arrived, "", sop.Verifier, false},
		{"a shared position with a name", srikandi.Pihak{Position: verif.Position, Name: "RINI WULANDARI"}, arrived, "verif", sop.Verifier, false},
		{"staff outside the chain", pihak("operator"), arrived, "operator", "", true},
		{"a stranger", srikandi.Pihak{NIP: "196001011985031099", Position: "Sekretaris", Name: "X"}, arrived, "", "", false},
		{"nobody", srikandi.Pihak{}, arrived, "", "", false},
	} {
		d := srikandi.Disposisi{ID: "1", From: c.who, SentAt: c.at}
		got := srikandi.Dispositions(srikandi.Naskah{Dispositions: []srikandi.Disposisi{d}}, dinas)[0].From
		if got.PersonID != c.person || got.Role != c.role || got.ByNIP != c.byNIP {
			t.Errorf("%s: %q %q %v, want %q %q %v", c.name, got.PersonID, got.Role, got.ByNIP, c.person, c.role, c.byNIP)
		}
	}
}

func TestADeputyMaySendToThemselves(t *testing.T) {
	t.Parallel()
	d := sent("1", 1, "kadin", "kabid")
	d.From = srikandi.Pihak{NIP: pihak("kabid").NIP, Position: "Plh. Kepala Dinas Komunikasi dan Informatika"}
	if got := say(standing(d)); got != "division [kabid] since 1; head 1" {
		t.Error(got)
	}
}

// tree draws dispositions as people send them, with real parents, and what a careful reader would say of them.
func tree(t *rapid.T) []srikandi.Disposisi {
	people := []string{"kadin", "kabid", "kabid2", "kasi", "verif", "verif2", "operator", "Sekretaris"}
	n := rapid.IntRange(0, 8).Draw(t, "dispositions")
	var out []srikandi.Disposisi
	received := map[string][]string{"kadin": {""}} // who holds a receipt, of which disposition
	for i := range n {
		var givers []string
		for _, p := range people {
			if len(received[p]) > 0 {
				givers = append(givers, p)
			}
		}
		from := rapid.SampledFrom(givers).Draw(t, "from")
		receivers := rapid.SliceOfNDistinct(rapid.SampledFrom(people), 1, 3, rapid.ID[string]).Draw(t, "to")
		id := fmt.Sprintf("d-%d", i)
		d := sent(id, i+1, from, strings.Join(receivers, " "),
			rapid.SampledFrom([]string{"Tindaklanjuti", "Teruskan", "Untuk diketahui", "Arsip", "Siapkan bahan"}).Draw(t, "instruction"))
		d.ParentID = received[from][len(received[from])-1]
		for _, r := range receivers {
			received[r] = append(received[r], id)
		}
		out = append(out, d)
	}
	return out
}

// withdraw takes dispositions back that nobody passed on, in one of the contract's two ways.
func withdraw(t *rapid.T, ds []srikandi.Disposisi) (told, never []srikandi.Disposisi) {
	for _, d := range ds {
		leaf := !slices.ContainsFunc(ds, func(e srikandi.Disposisi) bool { return e.ParentID == d.ID })
		switch how := rapid.IntRange(0, 5).Draw(t, "withdrawn"); {
		case leaf && how == 0:
			w := d
			w.To = slices.Clone(d.To)
			for i := range w.To {
				w.To[i].Status = "dibatalkan"
			}
			told = append(told, w)
		case leaf && how == 1:
		default:
			told, never = append(told, d), append(never, d)
		}
	}
	return told, never
}

// The rules, in the page's words.
func TestRulesOfDispositions(t *testing.T) {
	t.Parallel()
	asks := func(d srikandi.Disposisi) bool { return srikandi.Instruct(d.Instructions[0].Text).Moves() }
	rapid.Check(t, func(t *rapid.T) {
		all := tree(t)
		told, never := withdraw(t, all)
		got := standing(told...)

		// "A withdrawn disposition has the status dibatalkan at its receivers, or is simply no longer there; it counts as never sent."
		if want := standing(never...); say(got) != say(want) {
			t.Fatalf("withdrawn: %s\nnever sent: %s", say(got), say(want))
		}
		// "A disposition that asks for no action never moves a request."
		if want := standing(slices.DeleteFunc(slices.Clone(never), func(d srikandi.Disposisi) bool {
			return !asks(d) && !slices.ContainsFunc(never, func(e srikandi.Disposisi) bool { return e.ParentID == d.ID })
		})...); say(got) != say(want) {
			t.Fatalf("with those that ask for nothing: %s\nwithout: %s", say(got), say(want))
		}
		// "parent_id may be missing: then the tree follows from who received the letter before they sent it on, by time."
		var orphans []srikandi.Disposisi
		for _, d := range never {
			d.ParentID = ""
			orphans = append(orphans, d)
		}
		if want := standing(orphans...); say(got) != say(want) {
			t.Fatalf("with parents: %s\nwithout: %s", say(got), say(want))
		}
		with := srikandi.Dispositions(srikandi.Naskah{ReceivedAt: arrived, Dispositions: never}, dinas)
		without := srikandi.Dispositions(srikandi.Naskah{ReceivedAt: arrived, Dispositions: orphans}, dinas)
		for i := range with {
			if with[i].ParentID != without[i].ParentID {
				t.Fatalf("%s hangs on %q, found %q", with[i].ID, with[i].ParentID, without[i].ParentID)
			}
		}
		// The order in which a gateway tells them doesn't matter.
		if shuffled := rapid.Permutation(told).Draw(t, "order"); say(standing(shuffled...)) != say(got) {
			t.Fatalf("in order %s, shuffled %s", say(got), say(standing(shuffled...)))
		}
		holds(t, got, never, asks)
	})
}

// holds checks who holds the letter against the dispositions, without following them in order.
func holds(t *rapid.T, got stand, live []srikandi.Disposisi, asks func(srikandi.Disposisi) bool) {
	// A step is done when the letter first went, with a wish for action, to somebody further down than its role.
	for depth, role := range sop.Chain[:3] {
		var first time.Time
		for _, d := range live {
			for _, r := range d.To {
				p, ok := dinas.PersonByNIP(r.NIP)
				if asks(d) && ok && slices.ContainsFunc(p.Roles, func(r sop.Role) bool { return r.Depth() > depth }) && (first.IsZero() || d.SentAt.Before(first)) {
					first = d.SentAt
				}
			}
		}
		if at, done := got.passed[role]; done != !first.IsZero() || done && !at.Equal(first) {
			t.Fatalf("step of %s: %s, but it went further down at %v", role, say(got), first)
		}
	}
	// Whoever holds it was given it, with a wish for action, and did not pass it on since, down, sideways or up.
	for _, id := range got.holders {
		p, _ := dinas.Person(id)
		if !p.Has(got.role) {
			t.Fatalf("%s holds it, the letter is with %q", id, got.role)
		}
		var given time.Time
		for _, d := range live {
			to := slices.ContainsFunc(d.To, func(r srikandi.Penerima) bool { return r.NIP == p.NIP && r.NIP != d.From.NIP })
			on := d.From.NIP == p.NIP && slices.ContainsFunc(d.To, func(r srikandi.Penerima) bool {
				q, ok := dinas.PersonByNIP(r.NIP)
				return ok && r.NIP != p.NIP && slices.ContainsFunc(q.Roles, func(r sop.Role) bool { return r.Depth() >= 0 })
			})
			switch {
			case asks(d) && to:
				given = d.SentAt
			case asks(d) && on:
				given = time.Time{}
			}
		}
		if given.IsZero() {
			t.Fatalf("%s holds it, but nobody gave it to them since they passed it on: %s", id, say(got))
		}
	}
}

func TestVerifiersWord(t *testing.T) {
	t.Parallel()
	word := func(status, note string) srikandi.TindakLanjut {
		return srikandi.TindakLanjut{At: minute(10), Status: status, Note: note}
	}
	for _, c := range []struct {
		f    srikandi.TindakLanjut
		want string // "", "approved", "returned: reason" or "doubted"
	}{
		{word("selesai", "disetujui"), "approved"},
		{word("selesai", "Disetujui."), "approved"},
		{word("disetujui", ""), "approved"},
		{word("", "DISETUJUI, mohon segera direset"), "approved"},
		{word("diproses", "setuju"), "approved"},
		{word("selesai", "dikembalikan: NIP belum ada"), "returned: NIP belum ada"},
		{word("dikembalikan", "Dikembalikan: lampirkan surat: asli"), "returned: lampirkan surat: asli"},
		{word("dikembalikan", "lampirkan surat asli"), "returned: lampirkan surat asli"},
		{word("dikembalikan", ""), "returned: "},
		{word("selesai", "Dikembalikan"), "returned: "},
		{word("selesai", "Disetujui, data sudah sesuai. Terima kasih."), "approved"},
		{word("selesai", "tidak disetujui"), "doubted"},
		{word("selesai", "belum disetujui"), "doubted"},
		{word("selesai", "disetujui dengan catatan: NIP diperbaiki"), "doubted"},
		{word("selesai", "disetujui jika surat asli sudah ada"), "doubted"},
		{word("selesai", "disetujui bila data lengkap"), "doubted"},
		{word("diproses", "disetujui?"), "doubted"},
		{word("diproses", "disetujui / dikembalikan"), "doubted"},
		{word("diproses", "Disetujui\nDikembalikan: NIP salah"), "doubted"},
		{word("diproses", "Dikembalikan atau disetujui"), "doubted"},
		{word("diproses", "Disetujui untuk dikembalikan ke OPD"), "doubted"},
		{word("diproses", "Disetujui untuk Kasi saja"), "doubted"},
		{word("diproses", "Permohonan ini sudah saya periksa dan disetujui"), "doubted"},
		{word("ditolak", "disetujui"), "doubted"},
		{word("dibatalkan", "disetujui"), "doubted"},
		{word("dikembalikan", "disetujui"), "doubted"},
		{word("selesai", "mohon disetujui"), "doubted"},
		{word("selesai", "ACC"), "doubted"},
		{word("disetujui", "tunggu dulu"), "doubted"},
		{word("selesai", ""), ""},
		{word("diproses", "sedang diperiksa"), ""},
		{word("dikembalikan", srikandi.Note("PBG-2026-000123", "Dikembalikan: NIP")), ""},
		{word("selesai", srikandi.Note("PBG-2026-000123", "disetujui")), ""},
		{word("dikembalikan", srikandi.Note("MDN-ADU-2026-000007", "Dikembalikan: NIP")), ""},
		{srikandi.TindakLanjut{Note: "disetujui"}, "doubted"}, // nobody knows when
	} {
		d := sent("d", 5, "kasi", "verif")
		d.To[0].FollowUps = []srikandi.TindakLanjut{c.f}
		ds := srikandi.Dispositions(srikandi.Naskah{ReceivedAt: arrived, Dispositions: []srikandi.Disposisi{d}}, dinas)
		got := ""
		switch decision, ok := srikandi.VerifierDecision(ds, "verif", "verif2"); {
		case ok && decision.Doubt != "":
			got = "doubted"
		case ok && decision.Approved:
			got = "approved"
		case ok:
			got = "returned: " + decision.Reason
		}
		if got != c.want {
			t.Errorf("%q %q is %q, want %q", c.f.Status, c.f.Note, got, c.want)
		}
	}
}

func TestOnlyTheVerifiersOwnWordCounts(t *testing.T) {
	t.Parallel()
	approve := func(edit func(*srikandi.Disposisi)) bool {
		d := sent("d", 5, "kasi", "verif")
		d.To[0].FollowUps = []srikandi.TindakLanjut{{At: minute(9), Note: "disetujui"}}
		edit(&d)
		ds := srikandi.Dispositions(srikandi.Naskah{ReceivedAt: arrived, Dispositions: []srikandi.Disposisi{d}}, dinas)
		decision, ok := srikandi.VerifierDecision(ds, "verif", "verif2")
		return ok && decision.Doubt == "" && !decision.Aside
	}
	for _, c := range []struct {
		name string
		edit func(*srikandi.Disposisi)
		want bool
	}{
		{"the verifier's", func(*srikandi.Disposisi) {}, true},
		{"somebody else's", func(d *srikandi.Disposisi) { d.To[0].Pihak = pihak("kasi") }, false},
		{"without NIP", func(d *srikandi.Disposisi) { d.To[0].NIP = "" }, false},
		{"with another's NIP", func(d *srikandi.Disposisi) { d.To[0].NIP = "199901012024031088" }, false},
		{"on a withdrawn disposition", func(d *srikandi.Disposisi) { d.To[0].Status = "dibatalkan" }, false},
		{"on one for information", func(d *srikandi.Disposisi) { d.Instructions = []srikandi.Instruksi{{Text: "Untuk diketahui"}} }, false},
	} {
		if got := approve(c.edit); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}

// What a verifier says where nothing was asked for is heard, so that they can be told, and never outweighs a decision.
func TestAWordAsideIsNoDecision(t *testing.T) {
	t.Parallel()
	asked, told := sent("asked", 5, "kasi", "verif"), sent("told", 6, "kabid", "verif")
	told.Instructions = []srikandi.Instruksi{{Text: "Untuk diketahui"}}
	asked.To[0].FollowUps = []srikandi.TindakLanjut{{At: minute(9), Note: "dikembalikan: stempel"}}
	told.To[0].FollowUps = []srikandi.TindakLanjut{{At: minute(12), Note: "disetujui"}}
	decision := func(list ...srikandi.Disposisi) srikandi.Decision {
		got, _ := srikandi.VerifierDecision(srikandi.Dispositions(srikandi.Naskah{ReceivedAt: arrived, Dispositions: list}, dinas), "verif")
		return got
	}
	if got, want := decision(told), (srikandi.Decision{Approved: true, Aside: true, At: minute(12), PersonID: "verif", DispositionID: "told"}); got != want {
		t.Errorf("aside alone: %+v", got)
	}
	if got, want := decision(asked, told), (srikandi.Decision{Reason: "stempel", At: minute(9), PersonID: "verif", DispositionID: "asked"}); got != want {
		t.Errorf("beside a decision: %+v", got)
	}
}

func TestTheLastWordCounts(t *testing.T) {
	t.Parallel()
	d := sent("d", 5, "kasi", "verif verif2")
	d.To[0].FollowUps = []srikandi.TindakLanjut{{At: minute(12), Note: "dikembalikan: stempel"}, {At: minute(7), Note: "disetujui"}}
	d.To[1].FollowUps = []srikandi.TindakLanjut{{At: minute(9), Note: "disetujui"}}
	ds := srikandi.Dispositions(srikandi.Naskah{ReceivedAt: arrived, Dispositions: []srikandi.Disposisi{d}}, dinas)
	got, ok := srikandi.VerifierDecision(ds, "verif", "verif2")
	if want := (srikandi.Decision{Reason: "stempel", At: minute(12), PersonID: "verif", DispositionID: "d"}); !ok || got != want {
		t.Errorf("%+v", got)
	}
}
