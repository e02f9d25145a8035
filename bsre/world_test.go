package bsre_test

import (
	"net/http/httptest"
	"testing"
	"time"

	"pulih/bsre"
	"pulih/internal/demo/bsresim"
)

// Known secrets of the invented world. No error and no printed value may hold one (secrets_test.go).
const (
	nik      = "3303014504900001"
	password = "Sandi-Rahasia-77"
	operator = "rini.wulandari"
	email    = "sulastri@purbalinggakab.go.id"
	serial   = "5A0B1C2D3E4F60718293"
)

// world is a BSrE of one agency: a simulator behind a socket, a verifier with a session, an applicant with a certificate.
type world struct {
	t    *testing.T
	sim  *bsresim.Sim
	url  string
	now  time.Time
	ams  *bsre.AMS
	uid  string
	sess bsre.Session
}

func newWorld(t *testing.T, opt bsresim.Options) *world {
	t.Helper()
	w := &world{t: t, now: time.Date(2026, 11, 20, 9, 0, 0, 0, bsre.WIB)}
	if opt.Now == nil {
		opt.Now = func() time.Time { return w.now }
	}
	w.sim = bsresim.New(opt)
	server := httptest.NewServer(w.sim)
	t.Cleanup(func() { w.sim.Close(); server.Close() })
	w.url = server.URL
	w.uid = w.sim.AddUser(applicant())
	w.sim.AddOperator(operator, password)
	w.ams = w.client(server.URL)
	w.sess = w.signIn()
	return w
}

func applicant() bsresim.User {
	return bsresim.User{
		NIK: nik, NIP: "199004052015042001", Name: "Sulastri, S.Pd.", Email: email, Position: "Kepala Dinas",
		Unit: "Dinas Pendidikan dan Kebudayaan", Organization: "Pemerintah Kabupaten Purbalingga", Phone: "081200000001",
		Certificates: []bsresim.Certificate{{
			Status: "ISSUE", Product: "BSrE", Serial: serial, Kind: "Individu",
			NotBefore: time.Date(2025, 3, 1, 8, 0, 0, 0, bsre.WIB), NotAfter: time.Date(2027, 3, 1, 8, 0, 0, 0, bsre.WIB),
		}},
	}
}

func (w *world) client(url string) *bsre.AMS {
	w.t.Helper()
	ams, err := bsre.NewAMS(bsre.AMSConfig{
		BeIDURL: url, PortalURL: url, OperatorIP: "10.1.2.3", Now: func() time.Time { return w.now },
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return ams
}

func (w *world) signIn() bsre.Session {
	w.t.Helper()
	s, err := w.ams.SignIn(w.t.Context(), operator, password, w.sim.Code(operator))
	if err != nil {
		w.t.Fatal(err)
	}
	return s
}

func (w *world) esign(version int) *bsre.ESign {
	w.t.Helper()
	e, err := bsre.NewESign(bsre.ESignConfig{BaseURL: w.url, User: "pulih", Password: "gateway-demo", Version: version})
	if err != nil {
		w.t.Fatal(err)
	}
	return e
}
