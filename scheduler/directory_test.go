package scheduler

import (
	"testing"

	"pulih/internal/demo/bsresim"
	"pulih/internal/request"
	"pulih/internal/store"
)

// TestAnAddressChangedOnThePageHoldsEverywhere follows a new address of an official from the second person's word into the reading of
// letters, the request, and its mails.
func TestAnAddressChangedOnThePageHoldsEverywhere(t *testing.T) {
	t.Parallel()
	o := begin(t, "2026-11-16 09.00")
	const moved = "wahyu.n@purbalinggakab.go.id"
	before, office, _ := o.Official(wahyu, "")
	after := before
	after.Email = moved
	var change int64
	o.tx(func(tx *store.Tx) (err error) {
		change, err = tx.ChangeDirectory(store.DirectoryChange{Agency: o.Key, OfficeID: office.ID, Person: "rini", Second: true,
			Body: store.DirectoryBody{Official: &after, Place: store.PlaceOfficial, Before: &before}})
		return err
	})
	if got := o.registered(); got != before.Email {
		t.Errorf("one person alone has moved the address to %s", got)
	}
	o.tx(func(tx *store.Tx) error { return tx.SettleDirectory(o.Key, change, "galih", true) })
	if got := o.registered(); got != moved {
		t.Errorf("the address is still %s", got)
	}

	o.mail(officeAddress, "Permohonan Reset Passphrase", asks, vouches)
	if got := o.request(firstNumber).Subject.Email; got != moved {
		t.Errorf("the request was opened for %s", got)
	}
	if count(o.outbox(), "receipt-applicant > "+moved) != 1 {
		t.Errorf("mails: %v", o.outbox())
	}
}

// TestNoResetGoesToAnAddressThatHasJustChanged: the approval was given for the old one.
func TestNoResetGoesToAnAddressThatHasJustChanged(t *testing.T) {
	t.Parallel()
	p := openPortal(t, bsresim.Options{})
	number := p.ask(wahyu)
	p.signIn("rini")
	p.approve(number, "rini")
	f, office, _ := p.Official(wahyu, "")
	f.Email = "pindah@purbalinggakab.go.id"
	p.tx(func(tx *store.Tx) error {
		_, err := tx.ChangeDirectory(store.DirectoryChange{Agency: p.Key, OfficeID: office.ID, Person: "rini", Body: store.DirectoryBody{Official: &f, Place: store.PlaceOfficial}})
		return err
	})
	p.run()
	p.expectCalls()
	if s := p.state(number); s.Status == request.StatusApproved {
		t.Errorf("nobody was told: %s", s.Status)
	}
}

func (o *office) registered() string {
	o.t.Helper()
	t, err := o.Daemon.tenant(o.t.Context(), o.Key)
	if err != nil {
		o.t.Fatal(err)
	}
	f, _, _ := t.Official(wahyu, "")
	return f.Email
}

func (o *office) tx(do func(tx *store.Tx) error) {
	o.t.Helper()
	if err := o.store.InTx(o.t.Context(), o.now(), do); err != nil {
		o.t.Fatal(err)
	}
}
