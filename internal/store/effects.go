package store

import (
	"encoding/json"
	"fmt"
	"time"

	"pulih/internal/agency"
	"pulih/internal/request"
)

// BundleItem is one matter of a mail that tells of several.
type BundleItem struct {
	Number  string `json:"number,omitempty"`
	Version int    `json:"version,omitempty"`
	Step    string `json:"step,omitempty"`
	Mark    string `json:"mark,omitempty"`
	Text    string `json:"text,omitempty"` // no personal data
	Letter  int64  `json:"letter,omitempty"`
}

type bundleKey struct{ agency, template, address string }

type bundle struct {
	to    request.Recipient
	items []BundleItem
}

// effects writes a row and a job for each effect of the request's newest event.
func (tx *Tx) effects(a *agency.Agency, s request.State, list []request.Effect) error {
	for _, effect := range list {
		var err error
		switch e := effect.(type) {
		case request.Mail:
			err = tx.mail(a, s, e)
		case request.FollowUp:
			err = tx.FollowUp(a, s, e)
		case request.Reset:
			err = tx.reset(a, s, e)
		case request.Watch:
			err = tx.watch(a, s, e)
		case request.CheckStatus:
			err = tx.Enqueue(AskStatus{Number: s.Number}, nil)
		default:
			err = fmt.Errorf("unknown effect %T", effect)
		}
		if err != nil {
			return fmt.Errorf("effect of %s/%d: %w", s.Number, s.Version, err)
		}
	}
	return nil
}

func (tx *Tx) mail(a *agency.Agency, s request.State, m request.Mail) error {
	item := BundleItem{Number: s.Number, Version: s.Version, Step: m.Step, Mark: m.Mark}
	if m.Bundle && !tx.hold { // the summary has a line for each
		key := bundleKey{a.Key, m.Template, m.To.Address}
		if tx.bundles[key] == nil {
			tx.bundles[key] = &bundle{to: m.To}
			tx.order = append(tx.order, key)
		}
		tx.bundles[key].items = append(tx.bundles[key].items, item)
		return nil
	}
	return tx.Notify(Notice{
		Agency: a.Key, Once: fmt.Sprintf("event/%s/%d/%s/%s", s.Number, s.Version, m.Template, m.To.Address),
		Number: s.Number, Version: s.Version, Template: m.Template, To: m.To, Items: []BundleItem{item},
	})
}

func (tx *Tx) writeBundles() error {
	for _, key := range tx.order {
		b := tx.bundles[key]
		first := b.items[0]
		n := Notice{
			Agency: key.agency, Once: fmt.Sprintf("bundle/%s/%d/%s/%s/%s", first.Number, first.Version, first.Mark, key.template, key.address),
			Template: key.template, To: b.to, Items: b.items,
		}
		if len(b.items) == 1 {
			n.Number, n.Version = first.Number, first.Version
		}
		if err := tx.Notify(n); err != nil {
			return err
		}
	}
	return nil
}

// Notice is a mail to be written into the outbox. Once names the event and the recipient: a second row with the same name is left out.
type Notice struct {
	Agency   string
	Once     string
	Number   string // "" where the mail is about no single request
	Version  int
	LetterID int64 // 0 for none
	Template string
	To       request.Recipient
	Items    []BundleItem
}

// Notify writes a row of the outbox and its job.
func (tx *Tx) Notify(n Notice) error {
	if tx.hold && held[n.Template] {
		return tx.holdBack(n)
	}
	items := n.Items
	if items == nil {
		items = []BundleItem{}
	}
	detail, err := json.Marshal(items)
	if err != nil {
		return fmt.Errorf("writing a notice's items: %w", err)
	}
	rows, err := tx.Query(tx.ctx, `INSERT INTO outbox (agency, once, number, version, letter_id, template, kind, person, name, address, items, created_at)
		VALUES ($1, $2, nullif($3, ''), nullif($4, 0), nullif($5, 0), $6, $7, $8, $9, $10, $11, $12) ON CONFLICT (once) DO NOTHING RETURNING id`,
		n.Agency, n.Once, n.Number, n.Version, n.LetterID, n.Template, n.To.Kind, n.To.ID, n.To.Name, n.To.Address, detail, tx.now)
	if err != nil {
		return fmt.Errorf("writing notice %s: %w", n.Template, err)
	}
	var id int64
	for rows.Next() {
		if err := rows.Scan(&id); err != nil {
			rows.Close()
			return fmt.Errorf("writing notice %s: %w", n.Template, err)
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("writing notice %s: %w", n.Template, err)
	}
	if id == 0 {
		return nil // it is there already
	}
	return tx.Enqueue(SendMail{OutboxID: id}, nil)
}

// Told reports that a mail of that name was written before.
func (tx *Tx) Told(once string) (told bool, err error) {
	if err := tx.QueryRow(tx.ctx, `SELECT EXISTS (SELECT FROM outbox WHERE once = $1)`, once).Scan(&told); err != nil {
		return false, fmt.Errorf("looking for mail %s: %w", once, err)
	}
	return told, nil
}

// ToldSince counts the mails of a template that were written for an address since an instant, without those that were left out.
func (tx *Tx) ToldSince(agencyKey, template, address string, since time.Time) (n int, err error) {
	err = tx.QueryRow(tx.ctx, `SELECT count(*) FROM outbox WHERE agency = $1 AND template = $2 AND address = $3 AND created_at >= $4
		AND state <> 'cancelled'`, agencyKey, template, address, since).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("counting the mails of template %s: %w", template, err)
	}
	return n, nil
}

// FollowUp queues what is to be written into Srikandi about a request as it stands: once a version, status and letter.
func (tx *Tx) FollowUp(a *agency.Agency, s request.State, f request.FollowUp) error {
	var id int64
	key := fmt.Sprintf("%s-%d-%s", s.Number, s.Version, f.Status)
	if f.Copy > 0 {
		key += fmt.Sprintf("-%d", f.Copy)
	}
	err := tx.QueryRow(tx.ctx, `INSERT INTO follow_ups (agency, number, version, srikandi_id, disposition, status, sealed, key, created_at)
		VALUES ($1, $2, $3, $4, nullif($5, ''), $6, $7, $8, $9) RETURNING id`,
		a.Key, s.Number, s.Version, f.SrikandiID, f.Disposition, f.Status, tx.s.Keys.Seal(notePlace(key), []byte(f.Text)), key, tx.now).Scan(&id)
	if err != nil {
		return fmt.Errorf("writing follow-up %s: %w", f.Status, err)
	}
	return tx.Enqueue(WriteFollowUp{FollowUpID: id}, nil)
}

func notePlace(key string) string { return "follow_ups:" + key + ":sealed" }
