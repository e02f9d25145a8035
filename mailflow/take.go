package mailflow

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
	"golang.org/x/sync/errgroup"
)

const (
	commandMessages = 500     // most messages asked for by one command
	chunkMessages   = 64      // most messages committed at once
	chunkBytes      = 4 << 20 // and about as many bytes
)

// chunk is what is committed in one transaction.
type chunk struct {
	arrivals []Arrival
	next     Cursor
}

// take fetches the listed messages and commits them, chunk by chunk, fetching the next while one is committed. It returns the cursor that
// was committed last.
func (in *Inbox) take(ctx context.Context, s *session, from, to Cursor, list []entry) (Cursor, error) {
	fetching, cancel := context.WithCancel(ctx)
	defer cancel()
	chunks := make(chan chunk)
	cursor := from
	var commits errgroup.Group
	commits.Go(func() error {
		for c := range chunks {
			if err := in.commit(ctx, c); err != nil {
				cancel()
				return err
			}
			cursor = c.next
			for _, a := range c.arrivals {
				in.beyond[imap.UID(a.UID)] = true
			}
		}
		return nil
	})
	// The archive failed: nobody takes what the server still sends.
	stop := context.AfterFunc(fetching, func() { s.link.Close() })
	t := &taking{in: in, session: s, list: list, next: from, end: to, got: map[imap.UID]bool{}, chunks: chunks, done: fetching.Done()}
	fetched := t.run(fetching)
	stop()
	close(chunks)
	err := commits.Wait()
	in.settle(cursor)
	if err != nil {
		return cursor, err
	}
	return cursor, fetched
}

// commit hands a chunk to the archive.
func (in *Inbox) commit(ctx context.Context, c chunk) error {
	if err := in.archive.Save(ctx, in.mailbox.Key(), c.arrivals, c.next); err != nil {
		return fmt.Errorf("committing %d messages to the %w: %w", len(c.arrivals), errArchive, err)
	}
	in.set(func(s *Status) { s.Arrived += int64(len(c.arrivals)) })
	return nil
}

// settle keeps in mind only what is committed although the cursor couldn't pass it yet.
func (in *Inbox) settle(cursor Cursor) {
	for uid := range in.beyond {
		delete(in.trouble, uid)
		if uint32(uid) <= cursor.UID {
			delete(in.beyond, uid)
		}
	}
}

// stumble notes that the server didn't give a message.
func (in *Inbox) stumble(uid imap.UID, size int64) {
	d := in.trouble[uid]
	if d == nil {
		d = &difficulty{since: in.now()}
		in.trouble[uid] = d
	}
	d.tries++
	d.size = max(d.size, size)
	d.next = in.now()
	if d.tries > 1 {
		d.next = d.next.Add(in.pace.after(d.tries - 1))
	}
}

// taking is one pass over a listing.
type taking struct {
	in      *Inbox
	session *session
	list    []entry // ascending
	settled int     // so many of the list are in chunks
	next    Cursor  // the cursor behind them
	end     Cursor  // and behind all
	got     map[imap.UID]bool
	pending []Arrival
	bytes   int
	chunks  chan<- chunk
	done    <-chan struct{}
}

// run fetches all that is well in as few commands as the sizes allow, then tries what is in trouble one by one. What was fetched is
// committed in any case; an error is a lost connection.
func (t *taking) run(ctx context.Context) error {
	var well, ill []entry
	for _, e := range t.list {
		if t.in.trouble[e.uid] == nil {
			well = append(well, e)
		} else {
			ill = append(ill, e)
		}
	}
	for len(well) > 0 {
		n := t.portion(well)
		if err := t.fetch(well[:n]); err != nil {
			t.flush()
			return err
		}
		well = well[n:]
	}
	for _, e := range ill {
		if err := t.retry(ctx, e); err != nil {
			t.flush()
			return err
		}
	}
	t.flush()
	return nil
}

// portion is how many of the list one command may ask for: one that is too large goes alone, since only its header is asked for.
func (t *taking) portion(list []entry) int {
	for i, e := range list {
		if i == commandMessages || e.size > t.in.mailbox.limit() {
			return max(i, 1)
		}
	}
	return len(list)
}

// retry tries a message in trouble alone, or gives it up.
func (t *taking) retry(ctx context.Context, e entry) error {
	d := t.in.trouble[e.uid]
	now := t.in.now()
	if d.tries >= t.in.pace.tries() && now.Sub(d.since) >= t.in.pace.giveUp() {
		why := fmt.Sprintf("Server tidak memberikan pesan UID %d setelah %d kali dicoba.", e.uid, d.tries)
		t.in.log.Warn("giving up a message", "uid", e.uid, "tries", d.tries)
		t.in.event(ctx, MessageUnreadable, why)
		t.add(Arrival{UIDValidity: t.end.UIDValidity, UID: uint32(e.uid), InternalDate: now, Size: e.size, Problem: why})
		return nil
	}
	if now.Before(d.next) {
		return nil
	}
	e.size = max(e.size, d.size)
	return t.fetch([]entry{e})
}

// fetch asks for the messages with one command and adds what comes. Messages that don't come are in trouble from then on; the error is a
// lost connection, and then the first that is missing is the one that may have broken it.
func (t *taking) fetch(want []entry) error {
	headers := want[0].size > t.in.mailbox.limit()
	section := &imap.FetchItemBodySection{Peek: true}
	if headers {
		section.Specifier, section.Partial = imap.PartSpecifierHeader, &imap.SectionPartial{Size: headerBytes}
	}
	// A message that was in trouble twice is asked for with nothing that could be malformed but itself.
	d := t.in.trouble[want[0].uid]
	plain := d != nil && d.tries > 1
	options := &imap.FetchOptions{
		UID: true, RFC822Size: !plain, InternalDate: !plain, Flags: !plain, BodySection: []*imap.FetchItemBodySection{section},
	}
	var uids imap.UIDSet
	for _, e := range want {
		uids.AddNum(e.uid)
	}
	err := t.session.ask(func() error { return t.receive(t.session.client.Fetch(uids, options), headers) })

	var answer *imap.Error
	alive := err == nil || errors.As(err, &answer) // NO: some messages can't be given
	if !alive && t.ended() {
		return err // by us, or by the archive: no message is to blame
	}
	for _, e := range want {
		if !t.got[e.uid] {
			t.in.stumble(e.uid, 0)
			if !alive {
				break
			}
		}
	}
	if alive {
		return nil
	}
	return fmt.Errorf("fetching messages: %w", err)
}

func (t *taking) ended() bool {
	select {
	case <-t.done:
		return true
	default:
		return false
	}
}

// receive reads the answers to a command.
func (t *taking) receive(command *imapclient.FetchCommand, headers bool) error {
	for message := command.Next(); message != nil; message = command.Next() {
		a, err := t.arrival(message, headers)
		if errors.Is(err, errNoContent) {
			continue
		}
		if err != nil {
			// The connection is dead, and so is its reading goroutine. To drain the command would read the cut literal once more.
			t.session.link.Close()
			return err
		}
		if !t.add(a) {
			t.session.link.Close()
			command.Close()
			return context.Canceled
		}
	}
	return command.Close() // Next gives nil at the end and at an error alike
}

var errNoContent = errors.New("the server gives no content")

// arrival reads one answer. Each literal is read before the next item, and to its announced length: a connection cut in the middle of a
// literal looks like its end.
func (t *taking) arrival(message *imapclient.FetchMessageData, headers bool) (Arrival, error) {
	a := Arrival{UIDValidity: t.end.UIDValidity, HeadersOnly: headers}
	content := false
	for item := message.Next(); item != nil; item = message.Next() {
		switch item := item.(type) {
		case imapclient.FetchItemDataUID:
			a.UID = uint32(item.UID)
		case imapclient.FetchItemDataRFC822Size:
			a.Size = item.Size
		case imapclient.FetchItemDataInternalDate:
			a.InternalDate = item.Time
		case imapclient.FetchItemDataFlags:
			for _, f := range item.Flags {
				a.Flags = append(a.Flags, string(f))
			}
		case imapclient.FetchItemDataBodySection:
			if item.Literal == nil {
				continue
			}
			if item.Literal.Size() > max(t.in.mailbox.limit(), headerBytes) {
				t.in.stumble(imap.UID(a.UID), item.Literal.Size())
				continue
			}
			a.Raw = make([]byte, item.Literal.Size())
			if _, err := io.ReadFull(item.Literal, a.Raw); err != nil {
				return a, fmt.Errorf("message cut short: %w", io.ErrUnexpectedEOF)
			}
			content = true
		}
	}
	if !content || a.UID == 0 {
		return a, errNoContent
	}
	if len(a.Raw) == 0 {
		a.Problem = "Pesan kosong di server."
	}
	a.Size = max(a.Size, int64(len(a.Raw)))
	if a.InternalDate.IsZero() {
		a.InternalDate = t.in.now()
	}
	return a, nil
}

// add takes an arrival into the chunk, and says false when nobody commits any more.
func (t *taking) add(a Arrival) bool {
	t.got[imap.UID(a.UID)] = true
	t.pending = append(t.pending, a)
	t.bytes += len(a.Raw)
	if len(t.pending) < chunkMessages && t.bytes < chunkBytes {
		return true
	}
	return t.flush()
}

// flush hands the chunk on, with the cursor behind the last message before which none is missing.
func (t *taking) flush() bool {
	before := t.next
	for t.settled < len(t.list) && t.got[t.list[t.settled].uid] {
		t.next.UID = uint32(t.list[t.settled].uid)
		t.settled++
	}
	if t.settled == len(t.list) {
		t.next = t.end
	}
	if len(t.pending) == 0 && t.next == before {
		return true
	}
	c := chunk{arrivals: t.pending, next: t.next}
	c.next.More = t.in.mailbox.After == Leave && t.next != t.end
	t.pending, t.bytes = nil, 0
	select {
	case t.chunks <- c:
		return true
	case <-t.done:
		return false
	}
}
