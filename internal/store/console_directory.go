package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"pulih/internal/agency"
)

// Place is where an official stands in an office.
type Place string

// The places of an office.
const (
	PlaceHead     Place = "head"
	PlaceActing   Place = "acting" // may sign for the head
	PlaceOfficial Place = "official"
)

// DirectoryChange is one change of an agency's directory. Exactly one of Office, Official and Gone is set.
type DirectoryChange struct {
	ID        int64
	Agency    string
	OfficeID  string
	Body      DirectoryBody
	Person    string
	At        time.Time
	Second    bool // needs a second person
	SettledBy string
	SettledAt *time.Time
	Accepted  *bool // nil: waits
}

// DirectoryBody is what changes.
type DirectoryBody struct {
	Office   *agency.Office   `json:"office,omitempty"`   // its name, aliases and addresses
	Official *agency.Official `json:"official,omitempty"` // known by NIP, or by name where they have none
	Place    Place            `json:"place,omitempty"`
	Gone     *agency.Official `json:"gone,omitempty"`
	Before   *agency.Official `json:"before,omitempty"` // as it was, for whoever must agree
}

// ChangeDirectory writes a change down. One that needs no second person holds at once.
func (tx *Tx) ChangeDirectory(c DirectoryChange) (id int64, err error) {
	plain, err := json.Marshal(c.Body)
	if err != nil {
		return 0, fmt.Errorf("writing a change of the directory: %w", err)
	}
	err = tx.QueryRow(tx.ctx, `INSERT INTO directory_changes (agency, office_id, body, person, at, second, accepted) VALUES ($1, $2, '', $3, $4, $5, CASE WHEN $5 THEN NULL ELSE true END)
		RETURNING id`, c.Agency, c.OfficeID, c.Person, tx.now, c.Second).Scan(&id)
	if err == nil {
		_, err = tx.Exec(tx.ctx, `UPDATE directory_changes SET body = $2 WHERE id = $1`, id, tx.s.Keys.Seal(changePlace(id), plain))
	}
	if err != nil {
		return 0, fmt.Errorf("writing a change of the directory: %w", err)
	}
	return id, nil
}

func changePlace(id int64) string { return fmt.Sprintf("directory_changes:%d:body", id) }

// SettleDirectory is the second person's word on a waiting change. ErrNotFound: it isn't there, was settled, or is their own.
func (tx *Tx) SettleDirectory(agencyKey string, id int64, person string, accept bool) error {
	tag, err := tx.Exec(tx.ctx, `UPDATE directory_changes SET settled_by = $3, settled_at = $4, accepted = $5
		WHERE agency = $1 AND id = $2 AND accepted IS NULL AND person <> $3`, agencyKey, id, person, tx.now, accept)
	if err != nil {
		return fmt.Errorf("settling a change of the directory: %w", err)
	}
	if tag.RowsAffected() == 0 {
		return fmt.Errorf("change %d of the directory: %w", id, ErrNotFound)
	}
	return nil
}

// DirectoryChanges lists an agency's changes, the oldest first; those of one office unless that is empty.
func (s *Store) DirectoryChanges(ctx context.Context, agencyKey, officeID string) ([]DirectoryChange, error) {
	rows, err := s.Pool.Query(ctx, `SELECT id, agency, office_id, body, person, at, second, coalesce(settled_by, ''), settled_at, accepted FROM directory_changes
		WHERE agency = $1 AND ($2 = '' OR office_id = $2) ORDER BY id`, agencyKey, officeID)
	if err != nil {
		return nil, fmt.Errorf("reading the directory of %s: %w", agencyKey, err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (c DirectoryChange, err error) {
		var sealed []byte
		if err := row.Scan(&c.ID, &c.Agency, &c.OfficeID, &sealed, &c.Person, &c.At, &c.Second, &c.SettledBy, &c.SettledAt, &c.Accepted); err != nil {
			return c, err
		}
		plain, err := s.Keys.Open(changePlace(c.ID), sealed)
		if err != nil {
			return c, err
		}
		return c, json.Unmarshal(plain, &c.Body)
	})
	if err != nil {
		return nil, fmt.Errorf("reading the directory of %s: %w", agencyKey, err)
	}
	return list, nil
}

// directoryVersion changes whenever an agency's directory does.
func (s *Store) directoryVersion(ctx context.Context, agencyKey string) (version string, err error) {
	err = s.Pool.QueryRow(ctx, `SELECT count(*) FILTER (WHERE accepted) || '-' || count(accepted) || '-' || coalesce(max(id), 0) FROM directory_changes WHERE agency = $1`, agencyKey).Scan(&version)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return "", fmt.Errorf("reading the directory of %s: %w", agencyKey, err)
	}
	return version, nil
}

// directory is an agency with its changes up to a version.
type directory struct {
	version      string
	base, agency *agency.Agency
}

// Directory is the agency with the accepted changes over the directory of its configuration, as they stand now: who decides anything by an
// address asks for it anew. The agency itself stays as it is, and the answer is shared: it is for reading.
func (s *Store) Directory(ctx context.Context, a *agency.Agency) (*agency.Agency, error) {
	version, err := s.directoryVersion(ctx, a.Key)
	if err != nil {
		return nil, err
	}
	if have, ok := s.directories.Load(a.Key); ok && have.(directory).version == version && have.(directory).base == a {
		return have.(directory).agency, nil
	}
	changes, err := s.DirectoryChanges(ctx, a.Key, "")
	if err != nil {
		return nil, err
	}
	now := WithChanges(a, changes)
	s.directories.Store(a.Key, directory{version, a, now})
	return now, nil
}

// WithChanges is the agency with accepted changes, in their order. It is pure, and shares everything with a but the offices.
func WithChanges(a *agency.Agency, changes []DirectoryChange) *agency.Agency {
	out := *a
	out.Offices = make([]agency.Office, len(a.Offices))
	for i, o := range a.Offices {
		o.Acting, o.Officials = slices.Clone(o.Acting), slices.Clone(o.Officials)
		out.Offices[i] = o
	}
	for _, c := range changes {
		if c.Accepted != nil && *c.Accepted {
			applyChange(&out, c)
		}
	}
	return &out
}

func applyChange(a *agency.Agency, c DirectoryChange) {
	o, ok := a.Office(c.OfficeID)
	if !ok {
		if c.Body.Office == nil {
			return // the office left the configuration
		}
		a.Offices = append(a.Offices, agency.Office{ID: c.OfficeID})
		o = &a.Offices[len(a.Offices)-1]
	}
	switch b := c.Body; {
	case b.Office != nil:
		o.Name, o.Aliases, o.Addresses = b.Office.Name, b.Office.Aliases, b.Office.Addresses
	case b.Gone != nil:
		removeOfficial(o, *b.Gone)
	case b.Official != nil:
		removeOfficial(o, *b.Official)
		switch b.Place {
		case PlaceHead:
			o.Head = *b.Official
		case PlaceActing:
			o.Acting = append(o.Acting, *b.Official)
		default:
			o.Officials = append(o.Officials, *b.Official)
		}
	}
}

func removeOfficial(o *agency.Office, f agency.Official) {
	same := func(g agency.Official) bool { return SameOfficial(f, g) }
	o.Acting, o.Officials = slices.DeleteFunc(o.Acting, same), slices.DeleteFunc(o.Officials, same)
	if same(o.Head) {
		o.Head = agency.Official{}
	}
}

// SameOfficial knows a person again by NIP, or by name where one of the two has none.
func SameOfficial(f, g agency.Official) bool {
	x, y := agency.Digits(f.NIP), agency.Digits(g.NIP)
	if x != "" && y != "" {
		return x == y
	}
	return agency.SameName(f.Name, g.Name)
}
