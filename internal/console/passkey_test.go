package console_test

import (
	"strings"
	"testing"

	"github.com/chromedp/cdproto/webauthn"
	"github.com/chromedp/chromedp"

	"pulih/internal/console"
	"pulih/internal/store"
)

// withKeys gives the window a virtual authenticator that knows its owner.
func (w *window) withKeys() webauthn.AuthenticatorID {
	w.d.t.Helper()
	if _, err := chromedp.Call(w.ctx, webauthn.Enable, webauthn.EnableParams{}); err != nil {
		w.d.t.Fatal(err)
	}
	res, err := chromedp.Call(w.ctx, webauthn.AddVirtualAuthenticator, webauthn.AddVirtualAuthenticatorParams{Options: &webauthn.VirtualAuthenticatorOptions{
		Protocol: webauthn.AuthenticatorProtocolCtap2, Transport: webauthn.AuthenticatorTransportInternal, HasResidentKey: true, HasUserVerification: true,
		IsUserVerified: true, AutomaticPresenceSimulation: true,
	}})
	if err != nil {
		w.d.t.Fatal(err)
	}
	return res.AuthenticatorID
}

// invited is a link as `pulih invite` prints it.
func (d *desk) invited(key, id string) string {
	d.t.Helper()
	var link string
	err := d.store.InTx(d.t.Context(), d.clock(), func(tx *store.Tx) (err error) {
		link, err = console.Invite(tx, d.url, key, id)
		return err
	})
	if err != nil {
		d.t.Fatal(err)
	}
	return strings.TrimPrefix(link, d.url)
}

// byMail signs somebody in with a mailed link, in this window.
func (w *window) byMail(address string) {
	w.d.t.Helper()
	w.open("/masuk")
	w.fill("#alamat", address)
	w.press("Kirim tautan masuk")
	w.reads("tautan masuk dikirim")
	w.open(w.d.lastLink())
	w.press("Masuk")
}

// The whole way of two verifiers: the first is invited and enrols a passkey at once; the second comes by mail, enrols one, and gets in when
// the first has consented; later the passkey alone stands between the mail and the desk.
func TestPasskeys(t *testing.T) {
	t.Parallel()
	d := newDesk(t, real)
	rini := d.window()
	rini.withKeys()
	rini.open(d.invited("purbalingga", "rini"))
	rini.press("Masuk")
	rini.reads("Undangan operator sudah menjamin Anda")
	rini.press("Daftarkan kunci sandi")
	rini.reads("Belum ada permohonan.")

	galih := d.window()
	authenticator := galih.withKeys()
	galih.byMail("galih@purbalinggakab.go.id")
	galih.reads("harus menyetujuinya")
	galih.press("Daftarkan kunci sandi")
	galih.reads("menunggu persetujuan dari Rini Wulandari")
	galih.open("/purbalingga")
	galih.reads("menunggu persetujuan") // the gate, not the desk

	rini.open("/purbalingga/akun")
	rini.reads("Kunci sandi yang menunggu persetujuan Anda")
	rini.press("Setujui")
	rini.reads("Tersimpan.")
	galih.open("/purbalingga")
	galih.press("Tunjukkan kunci sandi")
	galih.reads("Belum ada permohonan.")
	galih.open("/purbalingga/akun")
	galih.reads("disetujui: Rini Wulandari")

	t.Run("another day, the right finger", func(t *testing.T) {
		galih.press("Keluar")
		galih.reads("Tulis alamat e-mail dinas Anda")
		galih.byMail("galih@purbalinggakab.go.id")
		galih.press("Tunjukkan kunci sandi")
		galih.reads("Belum ada permohonan.")
	})
	t.Run("another day, the wrong finger", func(t *testing.T) {
		galih.press("Keluar")
		galih.reads("Tulis alamat e-mail dinas Anda")
		if _, err := chromedp.Call(galih.ctx, webauthn.SetUserVerified, webauthn.SetUserVerifiedParams{AuthenticatorID: authenticator, IsUserVerified: false}); err != nil {
			t.Fatal(err)
		}
		galih.byMail("galih@purbalinggakab.go.id")
		galih.press("Tunjukkan kunci sandi")
		galih.reads("Kunci sandi tidak jadi dipakai")
		galih.open("/purbalingga")
		galih.reads("Tunjukkan kunci sandi")
	})
	t.Run("a mailbox alone enrols nothing over an existing passkey", func(t *testing.T) {
		thief := d.window()
		thief.withKeys()
		thief.byMail("galih@purbalinggakab.go.id")
		thief.reads("Tunjukkan kunci sandi")
		status, err := chromedp.Run(thief.ctx, chromedp.Evaluate[int64](`fetch("/purbalingga/akun/kunci/minta", {method: "POST"}).then((r) => r.status)`, chromedp.EvalAwaitPromise))
		if err != nil || status != 403 {
			t.Errorf("enrolling: %d, %v", status, err)
		}
	})
}
