package store

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"pulih/internal/agency"
	"pulih/internal/sop"
)

// Mark changes whenever something of an agency changed that its pages show: requests, letters, complaints.
func (s *Store) Mark(ctx context.Context, agencyKey string) (string, error) {
	var mark string
	err := s.Pool.QueryRow(ctx, `SELECT coalesce((SELECT last FROM chains WHERE agency = $1), 0)::text || '-' ||
		coalesce((SELECT max(id) FROM letters WHERE agency = $1), 0)::text || '-' ||
		(SELECT count(*) FROM letters WHERE agency = $1 AND (state = 'quarantined' OR kind IN ('unclear', 'other-certificate-service')))::text || '-' ||
		(SELECT count(*) FROM doubts WHERE agency = $1 AND verdict IS NULL)::text`, agencyKey).Scan(&mark)
	if err != nil {
		return "", fmt.Errorf("reading the mark of %s: %w", agencyKey, err)
	}
	return mark, nil
}

// DeskView is who looks at an agency's queue, and when.
type DeskView struct {
	Roles  []sop.Role           // the visitor's
	People []string             // whose work is theirs: their own id, and those of the people whom they act for
	Now    time.Time            //
	Near   map[string]time.Time // by step: what falls due until then is nearly over; "" is for steps that aren't named
}

// DeskFilter chooses rows of the queue; its values stand in the page's address.
type DeskFilter string

// The filters. Each but the last lists open requests by time left; the last lists ended ones, the newest first.
const (
	DeskAll    DeskFilter = ""
	DeskMine   DeskFilter = "saya"
	DeskNear   DeskFilter = "hampir"
	DeskOver   DeskFilter = "lewat"
	DeskClosed DeskFilter = "selesai"
)

// deskConditions are the filters over the names of DeskView.args.
var deskConditions = map[DeskFilter]string{
	DeskAll:  `true`,
	DeskMine: `holder = ANY(@roles) AND (cardinality(holder_ids) = 0 OR holder_ids && @people)`,
	DeskNear: `due_at >= @now AND due_at <= @latest AND due_at <= coalesce((@until::timestamptz[])[array_position(@steps::text[], step)], @rest)`,
	DeskOver: `due_at < @now`,
}

func (v DeskView) args(agencyKey string) pgx.NamedArgs {
	var steps []string
	var until []time.Time
	for step, at := range v.Near {
		steps, until = append(steps, step), append(until, at)
	}
	rest, latest := v.Near[""], v.Now.AddDate(-1, 0, 0) // nothing
	if rest.IsZero() {
		rest = latest
	}
	for _, at := range until {
		if at.After(latest) {
			latest = at
		}
	}
	return pgx.NamedArgs{"agency": agencyKey, "roles": v.Roles, "people": v.People, "now": v.Now, "steps": steps, "until": until, "rest": rest, "latest": latest}
}

// DeskCounts counts an agency's open requests by filter, and those that wait for a verifier's session at AMS.
func (s *Store) DeskCounts(ctx context.Context, agencyKey string, v DeskView) (counts map[DeskFilter]int, sessions int, err error) {
	var all, mine, near, late int
	const open = `(SELECT count(*) FROM requests WHERE agency = @agency AND closed_at IS NULL AND `
	err = s.Pool.QueryRow(ctx, `SELECT `+open+deskConditions[DeskAll]+`), `+open+deskConditions[DeskMine]+`), `+open+deskConditions[DeskNear]+`),
		`+open+deskConditions[DeskOver]+`), `+open+`status = 'waiting-session')`, v.args(agencyKey)).Scan(&all, &mine, &near, &late, &sessions)
	if err != nil {
		return nil, 0, fmt.Errorf("counting the queue of %s: %w", agencyKey, err)
	}
	return map[DeskFilter]int{DeskAll: all, DeskMine: mine, DeskNear: near, DeskOver: late}, sessions, nil
}

// DeskRows lists rows of a filter, from the one with that place, counted from 0.
func (s *Store) DeskRows(ctx context.Context, agencyKey string, f DeskFilter, v DeskView, from, most int) ([]Request, error) {
	args := v.args(agencyKey)
	args["from"], args["most"] = from, most
	if f == DeskClosed {
		return s.requests(ctx, `WHERE agency = @agency AND closed_at IS NOT NULL ORDER BY closed_at DESC, number OFFSET @from LIMIT @most`, args)
	}
	return s.requests(ctx, `WHERE agency = @agency AND closed_at IS NULL AND `+deskConditions[f]+` ORDER BY due_at, opened_at, number OFFSET @from LIMIT @most`, args)
}

// Undecided counts an agency's letters that need a human (Attention), and those that may be a request that is there already (Doubts).
func (s *Store) Undecided(ctx context.Context, agencyKey string) (letters, doubts int, err error) {
	err = s.Pool.QueryRow(ctx, `SELECT (SELECT count(*) FROM letters WHERE agency = $1 AND `+undecided+`),
		(SELECT count(DISTINCT letter_id) FROM doubts WHERE agency = $1 AND verdict IS NULL)`, agencyKey).Scan(&letters, &doubts)
	if err != nil {
		return 0, 0, fmt.Errorf("counting the undecided letters of %s: %w", agencyKey, err)
	}
	return letters, doubts, nil
}

// UndecidedLetters lists the letters that Attention does, a page of them: those in quarantine first, then unclear ones, the newest first.
func (s *Store) UndecidedLetters(ctx context.Context, agencyKey string, from, most int) ([]Letter, error) {
	return s.letters(ctx, `WHERE agency = $1 AND `+undecided+` ORDER BY state <> 'quarantined', kind = 'other-certificate-service', received_at DESC, id OFFSET $2 LIMIT $3`, agencyKey, from, most)
}

// SearchLetters is how many characters a search has at least: below, it would find nearly everything.
const SearchLetters = 3

// Search lists an agency's requests, open and ended, that match a text: a whole NIP, or a part of the request's number, the letter's number,
// the applicant's or the office's name. Open ones come first, then the newest.
func (s *Store) Search(ctx context.Context, agencyKey, text string, from, most int) ([]Request, error) {
	text = strings.ToLower(strings.TrimSpace(text))
	if d := agency.Digits(text); len(d) == 18 {
		return s.requests(ctx, `WHERE agency = $1 AND nip_key = $2 ORDER BY closed_at IS NOT NULL, opened_at DESC, number OFFSET $3 LIMIT $4`, agencyKey, s.Keys.Lookup("nip", d), from, most)
	}
	pattern := "%" + strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(text) + "%"
	return s.requests(ctx, `WHERE agency = $1 AND words LIKE $2 ORDER BY closed_at IS NOT NULL, opened_at DESC, number OFFSET $3 LIMIT $4`, agencyKey, pattern, from, most)
}
