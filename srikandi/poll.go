package srikandi

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"
)

// Cursor is how far an agency's letters were read. The store keeps it; its zero value reads everything that the gateway has. It
// moves only in the transaction that stores what was read before it (invariant 1).
type Cursor struct {
	UpdatedSince time.Time // up to here all finished rounds saw everything; a round begins Overlap earlier
	Page         string    // next_cursor inside a round; empty between rounds
	High         time.Time // the newest change in this round so far
	// Near is when this round came near the present: a change made before that may still come late, behind the round's back, if the round
	// is interrupted and goes on much later.
	Near time.Time
}

func (c Cursor) same(as Cursor) bool {
	return c.Page == as.Page && c.UpdatedSince.Equal(as.UpdatedSince) && c.High.Equal(as.High) && c.Near.Equal(as.Near)
}

// Stamp names one state of a letter.
type Stamp struct {
	ID        string
	UpdatedAt time.Time
}

// Batch is what one step of a poll read: the letters whole, what couldn't be read, and the letters that the gateway no longer has.
type Batch struct {
	Letters []Naskah
	Bad     []BadRow
	Gone    []string
	Next    Cursor
}

// Sink is where a poll's letters go; the store implements it.
type Sink interface {
	// Known says which of these states are stored. A letter is known if it was stored Settled with the given updated_at: "not older" would
	// miss a change made on a machine whose clock is behind.
	Known(ctx context.Context, rows []Stamp) (map[string]bool, error)
	// Due lists letters to ask for by themselves: those that came as a BadRow with an ID and are still owed (the store spaces the tries), and
	// open ones not looked at for long, since a deleted letter shows nowhere else. At most a page's worth at a time.
	Due(ctx context.Context) ([]string, error)
	// Commit stores a batch and its cursor in one transaction. The same letter or bad row may come again, also unchanged. A letter settles
	// the bad rows with its ID. Bad rows without an ID are the same if their Raw is. A cancelled context is no reason to drop what was read.
	// It may return before the batch is stored: the next Commit or Due then waits for it, and returns its error, before it does anything.
	Commit(ctx context.Context, b Batch) error
}

// Poller reads an agency's letters into a Sink.
type Poller struct {
	Gateway Gateway
	Sink    Sink
	Overlap time.Duration    // how late a row may come: gateways' clocks differ. 0 is 15 min
	Limit   int              // rows a page, 1..100; 0 is 100
	Now     func() time.Time // never past it does the cursor move, whatever a row says
}

// Polled counts what a poll did.
type Polled struct {
	Pages, Rows, Letters, Bad, Gone int
	Skew                            time.Duration // the gateway's clock minus ours, at the last page that told
}

// parallel is how many letters are fetched at a time: enough to hide the way there and back, few enough to be polite.
const parallel = 4

// Poll reads from the cursor to the end, a commit a page. After an error the next Poll goes on from the stored cursor: at most the last
// committed page is read again. A letter that alone can't be had is committed as a BadRow and owed; a gateway that is sick (see
// sick) stops the poll with its error.
func (p Poller) Poll(ctx context.Context, cur Cursor) (Polled, error) {
	p.Overlap, p.Limit = or(p.Overlap, 15*time.Minute), or(p.Limit, 100)
	run := &run{Poller: p, last: cur}
	pages := map[string]bool{}
	for restarted := false; ; {
		if cur.Page != "" {
			pages[cur.Page] = true
		}
		page, err := p.Gateway.List(ctx, Query{UpdatedSince: back(cur.UpdatedSince, p.Overlap), Cursor: cur.Page, Limit: p.Limit})
		switch {
		case errors.Is(err, ErrTooLarge) && p.Limit > 1:
			p.Limit /= 2
			continue
		case cur.Page != "" && !restarted && staleCursor(err):
			// Opaque cursors may run out while the software, or the gateway, was down: the round begins anew.
			restarted, cur = true, Cursor{UpdatedSince: cur.UpdatedSince}
			continue
		case err != nil:
			return run.Polled, err
		}
		looped := pages[page.NextCursor]
		cur = advance(cur, page, p.Overlap, p.Now())
		if looped || cur.Page == "" {
			cur = finish(cur)
		}
		if err := run.page(ctx, page, cur); err != nil {
			return run.Polled, err
		}
		if looped {
			return run.Polled, unreadable("the list's cursor runs in a circle")
		}
		if cur.Page == "" {
			return run.Polled, run.due(ctx)
		}
	}
}

// advance is the cursor behind a page.
func advance(cur Cursor, page Page, overlap time.Duration, now time.Time) Cursor {
	present := now
	if !page.ServerTime.IsZero() && page.ServerTime.Before(now) {
		present = page.ServerTime
	}
	for _, n := range page.Rows {
		cur.High = later(cur.High, n.UpdatedAt)
	}
	if cur.High.After(present.Add(-overlap)) && (cur.Near.IsZero() || present.Before(cur.Near)) {
		cur.Near = present
	}
	cur.Page = page.NextCursor
	return cur
}

// finish ends a round: the next one begins at the newest change, or when this one came near the present if that was earlier. So a change
// dated in the future, by a wrong clock or a malformed row, hides nothing: the cursor never passes the present, by either clock.
func finish(cur Cursor) Cursor {
	since := later(cur.UpdatedSince, cur.High)
	if !cur.Near.IsZero() && cur.Near.Before(since) {
		since = cur.Near
	}
	return Cursor{UpdatedSince: since}
}

// Since lists everything that the gateway has changed at or after a time, without dispositions: for comparing it with the database. A letter
// is in it once.
func Since(ctx context.Context, gw Gateway, since time.Time) ([]Naskah, []BadRow, error) {
	var rows []Naskah
	var bad []BadRow
	seen := map[string]bool{}
	for cursor := ""; ; {
		page, err := gw.List(ctx, Query{UpdatedSince: since, Cursor: cursor, Limit: 100})
		if err != nil {
			return nil, nil, err
		}
		rows, bad = append(rows, page.Rows...), append(bad, page.Bad...)
		if cursor = page.NextCursor; cursor == "" {
			return newest(rows), bad, nil
		}
		if seen[cursor] {
			return nil, nil, unreadable("the list's cursor runs in a circle")
		}
		seen[cursor] = true
	}
}

func staleCursor(err error) bool {
	var refused *Refused
	return errors.As(err, &refused) || errors.Is(err, ErrGone) || errors.Is(err, errMaybeGone) || errors.Is(err, errPage)
}

// run is one Poll.
type run struct {
	Poller
	Polled
	last Cursor    // as it was last given to Commit
	asOf time.Time // the gateway's clock at the last page
}

// due asks for the letters that the sink wants by themselves. It comes last: that the list was had shows that the gateway works, and that a
// letter which can't be had is to blame itself.
func (r *run) due(ctx context.Context) error {
	ids, err := r.Sink.Due(ctx)
	if err != nil {
		return fmt.Errorf("asking which letters are due: %w", err)
	}
	if len(ids) == 0 {
		return nil
	}
	rows := make([]BadRow, len(ids))
	for i, id := range ids {
		rows[i].ID = id
	}
	return r.fetch(ctx, rows, Batch{Next: r.last})
}

// page fetches what is new on a page, and commits it with the cursor behind it.
func (r *run) page(ctx context.Context, page Page, next Cursor) error {
	r.Pages++
	r.Rows += len(page.Rows) + len(page.Bad)
	r.asOf = or(page.ServerTime, r.Now())
	if !page.ServerTime.IsZero() {
		r.Skew = page.ServerTime.Sub(r.Now())
	}
	rows := newest(page.Rows)
	stamps := make([]Stamp, len(rows))
	for i, n := range rows {
		stamps[i] = Stamp{n.ID, n.UpdatedAt}
	}
	known := map[string]bool{}
	if len(stamps) > 0 {
		var err error
		if known, err = r.Sink.Known(ctx, stamps); err != nil {
			return fmt.Errorf("asking which letters are known: %w", err)
		}
	}
	var want []BadRow
	for _, n := range rows {
		if !known[n.ID] {
			want = append(want, BadRow{ID: n.ID, Raw: n.Raw})
		}
	}
	batch := Batch{Next: next}
	for _, bad := range page.Bad {
		if bad.ID == "" {
			batch.Bad = append(batch.Bad, bad)
		} else {
			want = append(want, bad) // the letter by itself may well be readable
		}
	}
	return r.fetch(ctx, want, batch)
}

// fetch asks for letters whole, in order, and commits the batch with them. When the gateway is sick, what was read before is
// committed with the cursor where it was, so that a long page makes progress however often it breaks.
func (r *run) fetch(ctx context.Context, want []BadRow, batch Batch) error {
	type outcome struct {
		letter Naskah
		err    error
	}
	got := make([]outcome, len(want))
	for i := range got {
		got[i].err = errNotAsked
	}
	group, inner := errgroup.WithContext(ctx)
	group.SetLimit(parallel)
	for i, row := range want {
		group.Go(func() error {
			if inner.Err() != nil {
				return nil //nolint:nilerr // whoever broke it off has told why
			}
			n, err := r.Gateway.Letter(inner, row.ID)
			got[i] = outcome{n, err}
			if sick(inner, err) {
				return err
			}
			return nil
		})
	}
	broken := group.Wait()
	var rows []BadRow
	for i, o := range got {
		switch {
		case o.err == nil:
			o.letter.Settled = o.letter.UpdatedAt.Add(time.Second).Before(r.asOf)
			batch.Letters = append(batch.Letters, o.letter)
		case errors.Is(o.err, ErrGone):
			batch.Gone = append(batch.Gone, want[i].ID)
			if bad := want[i]; bad.Err != nil { // the row is all that there ever was of it
				bad.Gone = true
				rows = append(rows, bad)
			}
		case broken == nil:
			batch.Bad = append(batch.Bad, owed(want[i], o.err))
		}
	}
	if broken != nil {
		batch.Next, batch.Bad = r.last, nil
	}
	batch.Bad = append(batch.Bad, rows...)
	if broken != nil && len(batch.Letters)+len(batch.Gone) == 0 {
		return broken
	}
	if len(batch.Letters)+len(batch.Bad)+len(batch.Gone) == 0 && batch.Next.same(r.last) {
		return nil // an idle poll writes nothing
	}
	if err := r.Sink.Commit(ctx, batch); err != nil {
		return fmt.Errorf("storing a page: %w", err)
	}
	r.last = batch.Next
	r.Letters += len(batch.Letters)
	r.Bad += len(batch.Bad)
	r.Gone += len(batch.Gone)
	return broken
}

var errNotAsked = errors.New("srikandi: not asked")

// newest leaves one row a letter, for rows repeat. Across pages Known tells: a letter that was fetched minutes ago may have changed since.
func newest(rows []Naskah) []Naskah {
	at := map[string]int{}
	var out []Naskah
	for _, n := range rows {
		if i, ok := at[n.ID]; !ok {
			at[n.ID] = len(out)
			out = append(out, n)
		} else if n.UpdatedAt.After(out[i].UpdatedAt) {
			out[i] = n
		}
	}
	return out
}

// owed is the bad row of a letter that couldn't be had by itself, with the most telling JSON that there is.
func owed(row BadRow, err error) BadRow {
	var bad *BadLetter
	if errors.As(err, &bad) {
		return BadRow{ID: row.ID, Raw: bad.Row.Raw, Err: bad.Row.Err}
	}
	if row.Err == nil {
		row.Err = err
	}
	return row
}

// sick says that asking for further letters is pointless now: the sign-in was refused, the gateway asked to wait or rests behind the
// breaker, or the caller gave up. A single broken answer isn't it: that may be one letter's fault, and must not stop the others.
func sick(ctx context.Context, err error) bool {
	var t *Temporary
	return err != nil && (ctx.Err() != nil || errors.Is(err, ErrSignIn) || errors.Is(err, ErrOpen) || errors.As(err, &t) && t.RetryAfter > 0)
}

func back(t time.Time, by time.Duration) time.Time {
	if t.IsZero() {
		return t
	}
	return t.Add(-by)
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
