package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"pulih/internal/request"
)

// This file keeps the ways in: links of one use, and passkeys.

// SignIn is a link that begins a visit.
type SignIn struct {
	ID      int64
	Agency  string
	Person  string
	Vouched bool
	Bound   bool // to the browser that asked for it
	Browser []byte
	EndsAt  time.Time
	UsedAt  *time.Time
}

// SignInSpan is how long a link may be used.
const SignInSpan = 15 * time.Minute

const signInColumns = `id, agency, person, browser IS NULL, browser IS NOT NULL, browser, ends_at, used_at`

// OfferSignIn keeps a link for a person. Browser is the secret of the browser that asked; an empty one makes an invitation, which any browser
// may use and which vouches for its holder: only somebody at the operator's machine makes one.
func (tx *Tx) OfferSignIn(agencyKey, person, secret, browser string) (id int64, err error) {
	var bound []byte
	if browser != "" {
		bound = digest(browser)
	}
	_, err = tx.Exec(tx.ctx, `DELETE FROM sign_ins WHERE ends_at < $1`, tx.now.Add(-24*time.Hour))
	if err == nil {
		err = tx.QueryRow(tx.ctx, `INSERT INTO sign_ins (agency, person, token, browser, created_at, ends_at) VALUES ($1, $2, $3, $4, $5, $6) RETURNING id`,
			agencyKey, person, digest(secret), bound, tx.now, tx.now.Add(SignInSpan)).Scan(&id)
	}
	if err == nil {
		_, err = tx.Exec(tx.ctx, `UPDATE sign_ins SET secret = $2 WHERE id = $1`, id, tx.s.Keys.Seal(signInPlace(id), []byte(secret)))
	}
	if err != nil {
		return 0, fmt.Errorf("keeping a sign-in link: %w", err)
	}
	return id, nil
}

func signInPlace(id int64) string { return fmt.Sprintf("sign_ins:%d:secret", id) }

// MailSignIn writes the mail that brings a link to its person. The outbox names the link by its id alone.
func (tx *Tx) MailSignIn(agencyKey string, id int64, to request.Recipient) error {
	return tx.Notify(Notice{Agency: agencyKey, Once: fmt.Sprintf("sign-in/%d", id), Template: "sign-in-link", To: to,
		Items: []BundleItem{{Text: fmt.Sprint(id)}}})
}

// SignInSecret opens a link's secret for its mail; ErrNotFound once it was used or has ended.
func (s *Store) SignInSecret(ctx context.Context, id string, now time.Time) (secret string, ends time.Time, err error) {
	var n int64
	var sealed []byte
	if _, err := fmt.Sscan(id, &n); err != nil {
		return "", ends, fmt.Errorf("sign-in link: %w", ErrNotFound)
	}
	err = s.Pool.QueryRow(ctx, `SELECT secret, ends_at FROM sign_ins WHERE id = $1 AND used_at IS NULL AND ends_at > $2 AND secret IS NOT NULL`, n, now).Scan(&sealed, &ends)
	if errors.Is(err, pgx.ErrNoRows) {
		return "", ends, fmt.Errorf("sign-in link %d: %w", n, ErrNotFound)
	} else if err != nil {
		return "", ends, fmt.Errorf("reading sign-in link %d: %w", n, err)
	}
	plain, err := s.Keys.Open(signInPlace(n), sealed)
	return string(plain), ends, err
}

// FindSignIn returns the link of a secret, used or not, or ErrNotFound.
func (s *Store) FindSignIn(ctx context.Context, secret string) (SignIn, error) {
	rows, err := s.Pool.Query(ctx, `SELECT `+signInColumns+` FROM sign_ins WHERE token = $1`, digest(secret))
	if err != nil {
		return SignIn{}, fmt.Errorf("looking for a sign-in link: %w", err)
	}
	l, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByPos[SignIn])
	if errors.Is(err, pgx.ErrNoRows) {
		return l, fmt.Errorf("sign-in link: %w", ErrNotFound)
	} else if err != nil {
		return l, fmt.Errorf("looking for a sign-in link: %w", err)
	}
	return l, nil
}

// SameBrowser reports whether a link may be used by the browser with that secret.
func (l SignIn) SameBrowser(secret string) bool {
	return !l.Bound || string(l.Browser) == string(digest(secret))
}

// UseSignIn spends a link and begins the visit that it stands for, in one transaction: of two clicks one wins. False: it was spent or has ended.
func (s *Store) UseSignIn(ctx context.Context, l SignIn, visitSecret string, v Visit, now time.Time) (ok bool, err error) {
	err = s.InTx(ctx, now, func(tx *Tx) error {
		tag, err := tx.Exec(ctx, `UPDATE sign_ins SET used_at = $2, secret = NULL WHERE id = $1 AND used_at IS NULL AND ends_at > $2`, l.ID, now)
		if err != nil {
			return fmt.Errorf("using a sign-in link: %w", err)
		}
		if ok = tag.RowsAffected() == 1; !ok {
			return nil
		}
		return tx.beginVisit(visitSecret, v)
	})
	return ok, err
}

// Passkey is a credential of a person. It opens nothing before somebody consented.
type Passkey struct {
	ID          []byte
	Agency      string
	Person      string
	Name        string
	Credential  []byte // JSON of webauthn.Credential
	CreatedAt   time.Time
	UsedAt      *time.Time
	ConsentedBy string // empty: waits
	ConsentedAt *time.Time
}

const passkeyColumns = `id, agency, person, name, credential, created_at, used_at, coalesce(consented_by, ''), consented_at`

func passkeyPlace(id []byte) string { return fmt.Sprintf("passkeys:%x:credential", id) }

// AddPasskey keeps a new credential, and writes who may be asked for consent into the audit log.
func (tx *Tx) AddPasskey(k Passkey) error {
	_, err := tx.Exec(tx.ctx, `INSERT INTO passkeys (id, agency, person, name, credential, created_at, consented_by, consented_at)
		VALUES ($1, $2, $3, $4, $5, $6, nullif($7, ''), CASE WHEN $7 = '' THEN NULL ELSE $6::timestamptz END)`,
		k.ID, k.Agency, k.Person, k.Name, tx.s.Keys.Seal(passkeyPlace(k.ID), k.Credential), tx.now, k.ConsentedBy)
	if err != nil {
		return fmt.Errorf("keeping a passkey: %w", err)
	}
	return nil
}

// Passkeys lists an agency's, of one person or, with an empty one, of all.
func (s *Store) Passkeys(ctx context.Context, agencyKey, person string) ([]Passkey, error) {
	rows, err := s.Pool.Query(ctx, `SELECT `+passkeyColumns+` FROM passkeys WHERE agency = $1 AND ($2 = '' OR person = $2) ORDER BY created_at, id`, agencyKey, person)
	if err != nil {
		return nil, fmt.Errorf("reading passkeys: %w", err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Passkey])
	if err != nil {
		return nil, fmt.Errorf("reading passkeys: %w", err)
	}
	for i, k := range list {
		if list[i].Credential, err = s.Keys.Open(passkeyPlace(k.ID), k.Credential); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// UsePasskey keeps a credential's new counter.
func (s *Store) UsePasskey(ctx context.Context, id, credential []byte, now time.Time) error {
	_, err := s.Pool.Exec(ctx, `UPDATE passkeys SET credential = $2, used_at = $3 WHERE id = $1`, id, s.Keys.Seal(passkeyPlace(id), credential), now)
	if err != nil {
		return fmt.Errorf("noting the use of a passkey: %w", err)
	}
	return nil
}

// ConsentPasskey lets a person's new credential open the desk. Nobody consents to their own.
func (tx *Tx) ConsentPasskey(agencyKey string, id []byte, by string) (person string, err error) {
	err = tx.QueryRow(tx.ctx, `UPDATE passkeys SET consented_by = $3, consented_at = $4 WHERE agency = $1 AND id = $2 AND consented_by IS NULL AND person <> $3
		RETURNING person`, agencyKey, id, by, tx.now).Scan(&person)
	if errors.Is(err, pgx.ErrNoRows) {
		return "", fmt.Errorf("passkey: %w", ErrNotFound)
	} else if err != nil {
		return "", fmt.Errorf("consenting to a passkey: %w", err)
	}
	return person, nil
}

// DropPasskey removes a credential; one of a certain person unless that is empty.
func (tx *Tx) DropPasskey(agencyKey, person string, id []byte) (owner string, err error) {
	err = tx.QueryRow(tx.ctx, `DELETE FROM passkeys WHERE agency = $1 AND ($2 = '' OR person = $2) AND id = $3 RETURNING person`, agencyKey, person, id).Scan(&owner)
	if errors.Is(err, pgx.ErrNoRows) {
		return "", fmt.Errorf("passkey: %w", ErrNotFound)
	} else if err != nil {
		return "", fmt.Errorf("dropping a passkey: %w", err)
	}
	return owner, nil
}

// BeginCeremony keeps what a visit's passkey is asked; TakeCeremony hands it out once.
func (s *Store) BeginCeremony(ctx context.Context, visit int64, data []byte) error {
	_, err := s.Pool.Exec(ctx, `UPDATE visits SET ceremony = $2 WHERE id = $1`, visit, s.Keys.Seal(ceremonyPlace(visit), data))
	if err != nil {
		return fmt.Errorf("keeping a passkey's question: %w", err)
	}
	return nil
}

// TakeCeremony returns what BeginCeremony kept, and forgets it; ErrNotFound when there is none.
func (s *Store) TakeCeremony(ctx context.Context, visit int64) ([]byte, error) {
	var sealed []byte
	err := s.Pool.QueryRow(ctx, `UPDATE visits v SET ceremony = NULL FROM (SELECT id, ceremony FROM visits WHERE id = $1 FOR UPDATE) o
		WHERE v.id = o.id AND o.ceremony IS NOT NULL RETURNING o.ceremony`, visit).Scan(&sealed)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, fmt.Errorf("a passkey's question: %w", ErrNotFound)
	} else if err != nil {
		return nil, fmt.Errorf("taking a passkey's question: %w", err)
	}
	return s.Keys.Open(ceremonyPlace(visit), sealed)
}

func ceremonyPlace(visit int64) string { return fmt.Sprintf("visits:%d:ceremony", visit) }
