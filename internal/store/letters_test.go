package store_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"pulih/internal/letter"
	"pulih/internal/store"
	"pulih/mailflow"
)

const box = "contoh/INBOX"

func mail(uid uint32, messageID, text string) mailflow.Arrival {
	raw := []byte("From: <dinkes@contoh.go.id>\r\nMessage-ID: <" + messageID + ">\r\n\r\n" + text + "\r\n")
	return mailflow.Arrival{UIDValidity: 7, UID: uid, InternalDate: noon, Size: int64(len(raw)), Raw: raw}
}

func (s *archive) save(next uint32, arrivals ...mailflow.Arrival) {
	s.t.Helper()
	validity := uint32(7)
	if len(arrivals) > 0 {
		validity = arrivals[0].UIDValidity
	}
	in := s.Inbox(func() time.Time { return noon })
	if err := in.Save(s.t.Context(), box, arrivals, mailflow.Cursor{UIDValidity: validity, UID: next, At: noon}); err != nil {
		s.t.Fatal(err)
	}
}

func (s *archive) cursor() mailflow.Cursor {
	s.t.Helper()
	c, err := s.Inbox(time.Now).Cursor(s.t.Context(), box)
	if err != nil {
		s.t.Fatal(err)
	}
	return c
}

// toRead counts the letters that jobs will read.
func (s *archive) toRead() int {
	s.t.Helper()
	return s.count(`SELECT coalesce(sum(CASE kind WHEN 'read_letter' THEN 1 ELSE jsonb_array_length(args->'letter_ids') END), 0) FROM river_job
		WHERE kind IN ('read_letter', 'read_mails')`)
}

// mailflow.Archive says what Save must do.
func TestTheInboxIsKeptAsItWasRead(t *testing.T) {
	t.Parallel()
	s := open(t)
	if c := s.cursor(); c != (mailflow.Cursor{}) {
		t.Errorf("an unread mailbox's cursor is %+v", c)
	}
	expect := func(what string, letters, sightings, jobs int) {
		t.Helper()
		l, si := s.count(`SELECT count(*) FROM letters`), s.count(`SELECT count(*) FROM sightings`)
		j := s.toRead()
		if l != letters || si != sightings || j != jobs {
			t.Errorf("%s: %d letters, %d sightings, %d to be read; want %d, %d, %d", what, l, si, j, letters, sightings, jobs)
		}
	}
	s.save(2, mail(1, "a@contoh", "surat pertama"), mail(2, "b@contoh", "surat kedua"))
	expect("two mails", 2, 2, 2)
	s.save(2, mail(1, "a@contoh", "surat pertama"), mail(2, "b@contoh", "surat kedua"))
	expect("the same batch after a lost answer", 2, 2, 2)
	s.save(3, mail(3, "a@contoh", "surat pertama"))
	expect("the same bytes again", 2, 3, 2)
	s.save(4, mail(4, "a@contoh", "isi lain"))
	expect("the same Message-ID with other bytes", 3, 4, 3)
	if n := s.count(`SELECT count(*) FROM letters WHERE duplicate_of IS NOT NULL`); n != 1 {
		t.Errorf("%d letters carry the flag of a Message-ID used twice", n)
	}
	s.save(6, mailflow.Arrival{UIDValidity: 7, UID: 5, InternalDate: noon, Problem: "Server tidak memberikan surel ini."},
		mailflow.Arrival{UIDValidity: 7, UID: 6, InternalDate: noon, Problem: "Server tidak memberikan surel ini."})
	expect("two that can't be had", 5, 6, 3)
	if n := s.count(`SELECT count(*) FROM letters WHERE state = 'quarantined' AND problem <> ''`); n != 2 {
		t.Errorf("%d are in quarantine, want both", n)
	}
	if c := s.cursor(); c.UID != 6 || c.UIDValidity != 7 || !c.At.Equal(noon) {
		t.Errorf("the cursor is %+v", c)
	}
	s.save(3)
	if c := s.cursor(); c.UID != 6 {
		t.Errorf("the cursor went back to %d", c.UID)
	}
	// After a change of UIDVALIDITY the whole folder comes again under other numbers.
	again := mail(1, "b@contoh", "surat kedua")
	again.UIDValidity = 8
	s.save(1, again)
	expect("the folder comes again", 5, 7, 3)
	if c := s.cursor(); c.UID != 1 || c.UIDValidity != 8 {
		t.Errorf("the cursor is %+v, want that of the new numbers", c)
	}
	l, ok, err := s.LetterBySource(t.Context(), "contoh", "mail", "nothing")
	if ok || err != nil {
		t.Errorf("a letter that isn't there: %v, %v", l, err)
	}
	raw, err := s.Raw(t.Context(), 1)
	if err != nil || string(raw) != string(mail(1, "a@contoh", "surat pertama").Raw) {
		t.Errorf("the first mail reads %q, %v", raw, err)
	}
}

// How a mailbox fares is known from its first try on, and right again with its first success, whoever saw it fail.
func TestAMailboxThatWasNeverReadShowsWhy(t *testing.T) {
	t.Parallel()
	s := open(t)
	fares := func(kind mailflow.EventKind, at time.Time, want string) {
		t.Helper()
		if err := s.Inbox(time.Now).Event(t.Context(), box, mailflow.Event{Kind: kind, At: at, Detail: string(kind)}); err != nil {
			t.Fatal(err)
		}
		_, boxes, err := s.Sources(t.Context())
		if err != nil || len(boxes) != 1 {
			t.Fatal(len(boxes), err)
		}
		got := boxes[0].Problem
		if boxes[0].FailingSince != nil {
			got += boxes[0].FailingSince.UTC().Format(" since 15.04")
		}
		if got != want {
			t.Errorf("after %s the mailbox is %q, want %q", kind, got, want)
		}
	}
	fares(mailflow.SignInRefused, noon, "sign-in-refused since "+noon.UTC().Format("15.04"))
	fares(mailflow.OutageBegan, noon.Add(time.Hour), "outage-began since "+noon.UTC().Format("15.04"))
	if c := s.cursor(); c != (mailflow.Cursor{}) {
		t.Errorf("a mailbox that was never read has the cursor %+v", c)
	}
	fares(mailflow.OutageEnded, noon.Add(2*time.Hour), "")
	fares(mailflow.OutageBegan, noon.Add(3*time.Hour), "outage-began since "+noon.Add(3*time.Hour).UTC().Format("15.04"))
	fares(mailflow.ReadingBegan, noon.Add(4*time.Hour), "") // a new daemon
	s.save(2, mail(1, "a@contoh", "surat pertama"))
	if c := s.cursor(); c.UID != 2 || c.UIDValidity != 7 {
		t.Errorf("the cursor is %+v", c)
	}
}

func TestInvariant1TwoReadersOfOneMailboxKeepEachMailOnce(t *testing.T) {
	t.Parallel()
	s := open(t)
	other := s.join()
	var all sync.WaitGroup
	for i := range 4 {
		all.Go(func() {
			st := []*store.Store{s.Store, other}[i%2]
			for uid := uint32(1); uid <= 20; uid++ {
				m := mail(uid, fmt.Sprintf("m%d@contoh", uid), "isi")
				// An error leaves nothing behind, and the batch comes again.
				var err error
				for range 20 {
					if err = st.Inbox(time.Now).Save(t.Context(), box, []mailflow.Arrival{m}, mailflow.Cursor{UIDValidity: 7, UID: uid}); err == nil {
						break
					}
				}
				if err != nil {
					t.Errorf("mail %d: %v", uid, err)
				}
			}
		})
	}
	all.Wait()
	if letters, seen := s.count(`SELECT count(*) FROM letters`), s.count(`SELECT count(*) FROM sightings`); letters != 20 || seen != 20 {
		t.Errorf("%d letters, %d sightings; want 20", letters, seen)
	}
	if jobs := s.toRead(); jobs != 20 {
		t.Errorf("%d are to be read, want 20", jobs)
	}
	if c := s.cursor(); c.UID != 20 {
		t.Errorf("the cursor is at %d", c.UID)
	}
}

func TestHostileHeadsAreKeptToo(t *testing.T) {
	t.Parallel()
	s := open(t)
	for i, id := range []string{strings.Repeat("x", 5000) + "@contoh", "nol\x00@contoh", "\xff\xfe@contoh", "", "a@b>\r\nMessage-ID: <c@d"} {
		s.save(uint32(i+1), mail(uint32(i+1), id, "isi"))
	}
	s.save(6, mailflow.Arrival{UIDValidity: 7, UID: 6, InternalDate: noon, Raw: []byte{}})
	s.save(7, mailflow.Arrival{UIDValidity: 7, UID: 7, InternalDate: noon, Raw: []byte("tanpa kepala sama sekali")})
	if n := s.count(`SELECT count(*) FROM letters`); n != 7 {
		t.Errorf("%d letters, want all 7", n)
	}
}

func TestALetterFromSrikandiHasVersions(t *testing.T) {
	t.Parallel()
	s := open(t)
	save := func(raw string, at time.Time, files bool) (written int) {
		s.in(at, func(tx *store.Tx) error {
			var err error
			written, err = tx.SaveNaskah("contoh", []store.Naskah{{ID: "nm-1", Raw: []byte(raw), ReceivedAt: noon, ChangedAt: at, Settled: true, Files: files}})
			return err
		})
		return written
	}
	if save(`{"hal":"satu"}`, noon, false) != 1 || save(`{"hal":"satu"}`, noon, false) != 0 || save(`{"hal":"dua"}`, noon.Add(time.Hour), true) != 1 {
		t.Error("a new letter, the same one and a changed one")
	}
	l, ok, err := s.LetterBySource(t.Context(), "contoh", "srikandi", "nm-1")
	if err != nil || !ok || l.Version != 2 || l.State != "stored" {
		t.Fatalf("%+v, %v", l, err)
	}
	raw, err := s.Raw(t.Context(), l.ID)
	if err != nil || string(raw) != `{"hal":"dua"}` {
		t.Errorf("it reads %s, %v", raw, err)
	}
	if n := s.count(`SELECT count(*) FROM letter_versions WHERE letter_id = $1 AND version = 1`, l.ID); n != 1 {
		t.Error("the version before is gone")
	}
	if jobs := s.count(`SELECT count(*) FROM river_job WHERE kind IN ('read_letter', 'fetch_files')`); jobs != 2 {
		t.Errorf("%d jobs, want one a version", jobs)
	}
	// A reading of the old version says nothing of the new one.
	err = s.InTx(t.Context(), noon, func(tx *store.Tx) error {
		return tx.MarkRead(l.ID, 1, letter.Other, letter.Reading{Kind: letter.Other})
	})
	if err == nil {
		t.Error("a reading of the version before was kept")
	}
	if now, err := s.Letter(t.Context(), l.ID); err != nil || now.State != "stored" {
		t.Errorf("it is %s, %v", now.State, err)
	}
	if _, err := s.Reading(t.Context(), l.ID); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("the reading of a letter that wasn't read: %v", err)
	}
	s.in(noon, func(tx *store.Tx) error {
		return tx.MarkRead(l.ID, 2, letter.Other, letter.Reading{Kind: letter.Other, Reasons: []string{"undangan"}})
	})
	if r, err := s.Reading(t.Context(), l.ID); err != nil || r.Kind != letter.Other || r.Reasons[0] != "undangan" {
		t.Errorf("its reading: %+v, %v", r, err)
	}
}

func TestQuarantine(t *testing.T) {
	t.Parallel()
	s := open(t)
	id := s.letter("nm-1")
	s.in(noon, func(tx *store.Tx) error { return tx.Quarantine(id, "Tidak terbaca.") })
	list, err := s.Quarantined(t.Context())
	if err != nil || len(list) != 1 || list[0].Problem != "Tidak terbaca." {
		t.Fatalf("%v, %v", list, err)
	}
	if err := s.RetryLetter(t.Context(), id, noon); err != nil {
		t.Fatal(err)
	}
	if l, err := s.Letter(t.Context(), id); err != nil || l.State != "stored" || l.Attempts != 0 || l.Problem != "" {
		t.Errorf("%+v, %v", l, err)
	}
	if err := s.RetryLetter(t.Context(), id, noon); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("a letter that isn't in quarantine: %v", err)
	}
	if jobs := s.count(`SELECT count(*) FROM river_job WHERE kind = 'read_letter'`); jobs != 2 {
		t.Errorf("%d jobs, want another one", jobs)
	}
}

// The same seal doesn't open in another place, or with another key.
func TestWhatIsSealedOpensInItsPlaceAlone(t *testing.T) {
	t.Parallel()
	s := open(t)
	first, second := s.letter("nm-1"), s.letter("nm-2")
	s.run(`UPDATE letters SET raw = (SELECT raw FROM letters WHERE id = $1) WHERE id = $2`, first, second)
	if raw, err := s.Raw(t.Context(), second); err == nil {
		t.Errorf("bytes of another letter opened: %s", raw)
	}
	keys, err := store.OpenKeys(t.TempDir() + "/keys")
	if err != nil {
		t.Fatal(err)
	}
	if raw, err := (&store.Store{Pool: s.Pool, Keys: keys}).Raw(t.Context(), first); err == nil {
		t.Errorf("another key opened %s", raw)
	}
}
