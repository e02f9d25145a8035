package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"pulih/internal/console"
	"pulih/internal/store"
)

// InviteCmd lets a member of the staff in at first start, or again after they lost their passkey.
type InviteCmd struct {
	ConfigFlag
	Address string `arg:"" help:"Official e-mail address of a member of the staff."`
}

// Run prints a link. Whoever opens it is that person and may enrol a passkey, so it is given to nobody else.
func (c *InviteCmd) Run(ctx context.Context) error {
	return c.with(ctx, func(o *opened) error {
		if o.cfg.PublicURL == "" {
			return errors.New("public_url belum diatur: tanpa itu tautan tidak tahu ke mana")
		}
		found := false
		for _, a := range o.cfg.Agencies() {
			person, ok := a.PersonByEmail(c.Address)
			if !ok {
				continue
			}
			found = true
			var url string
			err := o.store.InTx(ctx, time.Now(), func(tx *store.Tx) error {
				made, err := console.Invite(tx, o.cfg.PublicURL, a.Key, person.ID)
				url = made
				return err
			})
			if err != nil {
				return err
			}
			fmt.Printf("%s, %s:\n%s\nBerlaku satu kali selama %d menit. Berikan langsung kepada orangnya.\n", person.Name, a.Name, url, int(store.SignInSpan.Minutes()))
		}
		if !found {
			return fmt.Errorf("tidak ada petugas dengan alamat %s dalam konfigurasi", c.Address)
		}
		return nil
	})
}
