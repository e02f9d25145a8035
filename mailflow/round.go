package mailflow

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
)

const (
	// After a change of UIDVALIDITY everything is read again that may have come since the cursor was last known to be complete, and
	// what came this long before: a server's clock and a moved mailbox's dates are not to be relied on.
	rereadMargin = 7 * 24 * time.Hour

	// A cursor is written anew this long after it last was, though nothing came: pages show when a quiet mailbox was read.
	staleAfter = 5 * time.Minute

	headerBytes = 1 << 20 // most of the header fields of a message over the limit
)

// entry is one message in the folder's listing.
type entry struct {
	uid  imap.UID
	size int64
	date time.Time
}

// round reads everything that is new in the folder.
func (in *Inbox) round(ctx context.Context, s *session) error {
	key := in.mailbox.Key()
	cursor, err := in.archive.Cursor(ctx, key)
	if err != nil {
		return fmt.Errorf("reading the cursor in the %w: %w", errArchive, err)
	}
	begun := in.now()
	var folder *imap.SelectData
	err = s.ask(func() (err error) {
		folder, err = s.client.Select(in.mailbox.folder(), &imap.SelectOptions{ReadOnly: in.mailbox.After == Leave}).Wait()
		return err
	})
	if err != nil {
		return fmt.Errorf("opening the folder: %w", err)
	}
	if folder.UIDValidity == 0 {
		return errors.New("opening the folder: the server gives no UIDVALIDITY")
	}
	start, since := in.start(ctx, cursor, folder.UIDValidity)
	var list []entry
	if folder.NumMessages > 0 && (folder.UIDNext == 0 || uint32(folder.UIDNext) > start.UID+1) {
		if list, err = in.list(s, start, since); err != nil {
			return fmt.Errorf("listing the folder: %w", err)
		}
	}
	end := in.end(start, folder, list, begun)
	if end.UID > cursor.UID || end.UIDValidity != cursor.UIDValidity || begun.Sub(cursor.At) >= staleAfter {
		if end, err = in.take(ctx, s, start, end, list); err != nil {
			return err
		}
	}
	if in.mailbox.After != Leave && folder.NumMessages > 0 {
		return in.mark(ctx, s, end.UID)
	}
	return nil
}

// end is where the cursor will be when all of the list is committed.
func (in *Inbox) end(start Cursor, folder *imap.SelectData, list []entry, at time.Time) Cursor {
	end := Cursor{UIDValidity: start.UIDValidity, UID: start.UID, At: at}
	if len(list) > 0 {
		end.UID = uint32(list[len(list)-1].uid)
	}
	for uid := range in.beyond {
		end.UID = max(end.UID, uint32(uid))
	}
	// Nothing to read in a folder that is new to us: what is in it stays out, what comes counts.
	if start.UID == 0 && len(list) == 0 && folder.UIDNext > 0 {
		end.UID = uint32(folder.UIDNext) - 1
	}
	return end
}

// start says where to read from: behind the cursor, or, where UIDs mean something else than they did, from the first with the day to read
// from. Zero is every day.
func (in *Inbox) start(ctx context.Context, cursor Cursor, epoch uint32) (Cursor, time.Time) {
	if in.epoch != epoch {
		in.epoch = epoch
		clear(in.trouble)
		clear(in.beyond)
	}
	if cursor.UIDValidity == epoch {
		return cursor, time.Time{}
	}
	fresh := Cursor{UIDValidity: epoch, At: cursor.At}
	since := in.mailbox.Since
	if cursor.UIDValidity != 0 {
		detail := fmt.Sprintf("UIDVALIDITY berubah dari %d menjadi %d: folder dibaca ulang.", cursor.UIDValidity, epoch)
		if in.recorded != detail {
			in.recorded = detail
			in.log.Warn("UIDVALIDITY changed, reading the folder again", "from", cursor.UIDValidity, "to", epoch)
			in.event(ctx, UIDValidityChanged, detail)
		}
		if !cursor.At.IsZero() && cursor.At.Add(-rereadMargin).After(since) {
			since = cursor.At.Add(-rereadMargin)
		}
	}
	return fresh, since
}

// list lists what lies behind the cursor and isn't committed, in the order of UIDs.
func (in *Inbox) list(s *session, after Cursor, since time.Time) ([]entry, error) {
	var all imap.UIDSet
	all.AddRange(imap.UID(after.UID+1), 0)
	options := &imap.FetchOptions{UID: true, RFC822Size: true, InternalDate: !since.IsZero()}
	var list []entry
	err := s.ask(func() error {
		command := s.client.Fetch(all, options)
		for message := command.Next(); message != nil; message = command.Next() {
			e := readEntry(message)
			// "n:*" always brings the last message, even below n (RFC 3501, 6.4.8).
			if uint32(e.uid) > after.UID && !e.date.Before(since) && !in.beyond[e.uid] {
				list = append(list, e)
			}
		}
		return command.Close()
	})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(list, func(a, b entry) int { return cmp.Compare(a.uid, b.uid) })
	list = slices.CompactFunc(list, func(a, b entry) bool { return a.uid == b.uid })
	in.forgetGone(list)
	return list, nil
}

// forgetGone forgets the difficulties with messages that are no longer there.
func (in *Inbox) forgetGone(list []entry) {
	maps.DeleteFunc(in.trouble, func(uid imap.UID, _ *difficulty) bool {
		return !slices.ContainsFunc(list, func(e entry) bool { return e.uid == uid })
	})
}

func readEntry(message *imapclient.FetchMessageData) entry {
	var e entry
	for item := message.Next(); item != nil; item = message.Next() {
		switch item := item.(type) {
		case imapclient.FetchItemDataUID:
			e.uid = item.UID
		case imapclient.FetchItemDataRFC822Size:
			e.size = item.Size
		case imapclient.FetchItemDataInternalDate:
			e.date = item.Time
		}
	}
	return e
}

// mark sets the keyword on, or moves, all messages that are committed and not marked yet: those of this round, and those of one that was
// cut off between the commit and the mark.
func (in *Inbox) mark(ctx context.Context, s *session, upTo uint32) error {
	if upTo == 0 {
		return nil
	}
	uids, err := in.unmarked(s, upTo)
	if err != nil {
		return fmt.Errorf("looking for unmarked messages: %w", err)
	}
	if len(uids) == 0 {
		return nil
	}
	set := imap.UIDSetNum(uids...)
	err = s.ask(func() error {
		if in.mailbox.After == Keyword {
			store := &imap.StoreFlags{Op: imap.StoreFlagsAdd, Silent: true, Flags: []imap.Flag{imap.Flag(in.mailbox.Marker)}}
			return s.client.Store(set, store, nil).Close()
		}
		if !s.client.Caps().Has(imap.CapMove) {
			return &imap.Error{Type: imap.StatusResponseTypeNo, Text: "server tidak mendukung MOVE"}
		}
		_, err := s.client.Move(set, in.mailbox.Marker).Wait()
		return err
	})
	var answer *imap.Error
	if errors.As(err, &answer) { // the mail is safe; only the mark isn't there
		detail := fmt.Sprintf("Pesan tidak dapat ditandai (%s %s): %s", in.mailbox.After, in.mailbox.Marker, oneLine(answer.Text, 200))
		if in.recorded != detail {
			in.recorded = detail
			in.log.Warn("marking committed messages", "err", err)
			in.event(ctx, MarkerFailed, detail)
		}
		return nil
	}
	return err
}

func (in *Inbox) unmarked(s *session, upTo uint32) ([]imap.UID, error) {
	var read imap.UIDSet
	read.AddRange(1, imap.UID(upTo))
	criteria := &imap.SearchCriteria{UID: []imap.UIDSet{read}}
	if in.mailbox.After == Keyword {
		criteria.NotFlag = []imap.Flag{imap.Flag(in.mailbox.Marker)}
	}
	var found []imap.UID
	err := s.ask(func() error {
		data, err := s.client.UIDSearch(criteria, nil).Wait()
		if err == nil {
			found = data.AllUIDs()
		}
		return err
	})
	if err != nil || in.mailbox.Since.IsZero() || len(found) == 0 {
		return found, err
	}
	// What came before Since was never read.
	var ours []imap.UID
	err = s.ask(func() error {
		command := s.client.Fetch(imap.UIDSetNum(found...), &imap.FetchOptions{UID: true, InternalDate: true})
		for message := command.Next(); message != nil; message = command.Next() {
			if e := readEntry(message); !e.date.Before(in.mailbox.Since) {
				ours = append(ours, e.uid)
			}
		}
		return command.Close()
	})
	return ours, err
}
