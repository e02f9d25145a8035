package demo

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"text/template"
	"time"

	"pulih/internal/agency"
	"pulih/internal/config"
	"pulih/internal/demo/bsresim"
	"pulih/internal/demo/mailsim"
	"pulih/internal/demo/srikandisim"
)

//go:embed demo.yaml
var configText string

// secret is every password of the demo; its servers listen on loopback alone.
const secret = "rahasia-demo"

// World is everything around the daemon: the partners' simulators and the mail servers, on loopback. It outlives a killed daemon.
type World struct {
	Clock      *Clock
	Dir        string
	Config     *config.Config
	ConfigPath string
	Srikandi   map[string]*srikandisim.Server // by agency
	BSrE       *bsresim.Sim
	Mail       *mailsim.Sim

	users   map[string]string // NIP -> uid at BSrE
	crowd   []extra
	meddle  func(bsresim.Call, *http.Request) bsresim.Fault // a test's own faults; set before the first call
	mu      sync.Mutex
	lose    map[string]bool // uids whose next reset is carried out and its answer lost
	links   chan bsresim.Link
	mails   string // folder of the mails that went out, to look at
	kept    atomic.Int64
	servers []*http.Server
}

// WorldOptions shape a world.
type WorldOptions struct {
	Dir         string // for the configuration, keys and database
	Clock       *Clock
	Listen      string        // of the daemon's pages
	DatabaseURL string        // empty: the daemon's own private cluster
	Poll        time.Duration // of Srikandi and the inbox
	LogLevel    string        // of the daemon; empty: warn
	Crowd       int           // people beyond the story's own, with a letter each
}

// NewWorld starts the world and writes the configuration that leads into it.
func NewWorld(o WorldOptions) (_ *World, err error) {
	w := &World{Clock: o.Clock, Dir: o.Dir, mails: filepath.Join(o.Dir, "surel"), Srikandi: map[string]*srikandisim.Server{}, users: map[string]string{}, lose: map[string]bool{},
		links: make(chan bsresim.Link, 100)}
	defer func() {
		if err != nil {
			w.Close()
		}
	}()
	w.Mail, err = mailsim.Start(mailsim.Options{Mailboxes: map[string]string{"tte@purbalinggakab.go.id": secret, "kominfo@madiunkota.go.id": secret},
		Route: w.keep})
	if err != nil {
		return nil, fmt.Errorf("starting the mail servers: %w", err)
	}
	w.BSrE = bsresim.New(bsresim.Options{Now: o.Clock.Now, GatewayUser: "pulih", GatewayPassword: secret, LinkDelay: 2 * time.Minute,
		IssueDelay: 3 * time.Minute, OnLink: func(l bsresim.Link) { w.links <- l }, Decide: w.decide})
	bsre, err := w.serve(w.BSrE)
	if err != nil {
		return nil, err
	}
	urls := map[string]string{}
	for _, key := range []string{"purbalingga", "madiun"} {
		w.Srikandi[key] = srikandisim.New(srikandisim.Options{Now: o.Clock.Now, ClientID: "pulih", ClientSecret: secret})
		if urls[key], err = w.serve(w.Srikandi[key]); err != nil {
			return nil, err
		}
	}
	w.Srikandi["madiun"].OfferRegister(false)
	w.crowd = crowdOf(o.Crowd)
	if err := w.configure(o, bsre, urls); err != nil {
		return nil, err
	}
	w.populate()
	return w, nil
}

func (w *World) serve(h http.Handler) (url string, err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("listening for a simulator: %w", err)
	}
	s := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}
	w.servers = append(w.servers, s)
	go func() { _ = s.Serve(l) }() // ends with Close
	return "http://" + l.Addr().String(), nil
}

func (w *World) configure(o WorldOptions, bsre string, srikandi map[string]string) error {
	imapHost, imapPort, err1 := net.SplitHostPort(w.Mail.IMAP)
	smtpHost, smtpPort, err2 := net.SplitHostPort(w.Mail.SMTP)
	if err := errors.Join(err1, err2); err != nil {
		return fmt.Errorf("reading the mail servers' addresses: %w", err)
	}
	secretFile, urlFile := filepath.Join(o.Dir, "secret"), ""
	err := errors.Join(os.MkdirAll(o.Dir, 0o711), os.MkdirAll(w.mails, 0o700), os.WriteFile(secretFile, []byte(secret+"\n"), 0o600))
	if o.DatabaseURL != "" {
		urlFile = filepath.Join(o.Dir, "database-url")
		err = errors.Join(err, os.WriteFile(urlFile, []byte(o.DatabaseURL+"\n"), 0o600))
	}
	if err != nil {
		return fmt.Errorf("writing the demo's secrets: %w", err)
	}
	crowd := map[string][]extra{}
	for _, e := range w.crowd {
		crowd[e.agency] = append(crowd[e.agency], e)
	}
	var text bytes.Buffer
	err = template.Must(template.New("demo.yaml").Parse(configText)).Execute(&text, map[string]any{
		"State": filepath.Join(o.Dir, "state"), "DatabaseURL": urlFile, "Listen": o.Listen, "PublicURL": "http://" + strings.Replace(o.Listen, "127.0.0.1", "localhost", 1),
		"LogLevel": or(o.LogLevel, "warn"), "Secret": secretFile, "Poll": o.Poll.String(), "BSrE": bsre, "Srikandi": srikandi,
		"Crowd": crowd, "IMAPHost": imapHost, "IMAPPort": imapPort, "SMTPHost": smtpHost, "SMTPPort": smtpPort,
	})
	if err != nil {
		return fmt.Errorf("writing the demo's configuration: %w", err)
	}
	w.ConfigPath = filepath.Join(o.Dir, "pulih.yaml")
	if err := os.WriteFile(w.ConfigPath, text.Bytes(), 0o600); err != nil {
		return fmt.Errorf("writing the demo's configuration: %w", err)
	}
	if w.Config, err = config.Load(w.ConfigPath); err != nil {
		return fmt.Errorf("the demo's configuration: %w", err)
	}
	return nil
}

func or(a, b string) string {
	if a == "" {
		return b
	}
	return a
}

// keep writes a mail that went out into a folder, for the reader of the demo.
func (w *World) keep(_ *mailsim.Sim, m mailsim.Accepted) {
	name := fmt.Sprintf("%04d-%s.eml", w.kept.Add(1), strings.Map(func(r rune) rune {
		if r == '@' || r == '.' || r == '-' || r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return '_'
	}, m.To[0]))
	_ = os.WriteFile(filepath.Join(w.mails, name), m.Raw, 0o600) // a convenience: the journal is what counts
}

// LoseAnswer has BSrE carry out the next reset of a user and lose the answer.
func (w *World) LoseAnswer(uid string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lose[uid] = true
}

func (w *World) decide(c bsresim.Call, r *http.Request) bsresim.Fault {
	if w.meddle != nil {
		if fault := w.meddle(c, r); fault != bsresim.NoFault {
			return fault
		}
	}
	if c != bsresim.CallReset {
		return bsresim.NoFault
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for uid := range w.lose {
		if strings.Contains(r.URL.Path, uid) {
			delete(w.lose, uid)
			return bsresim.DropAfter
		}
	}
	return bsresim.NoFault
}

// populate gives every official of the directory a certificate at BSrE, and every verifier an account at BeID.
func (w *World) populate() {
	start := w.Clock.Now()
	n := 0
	for _, a := range w.Config.Agencies() {
		for _, p := range a.Staff {
			w.BSrE.AddOperator(p.ID, secret)
		}
		for i := range a.Offices {
			for _, f := range a.Offices[i].All() {
				n++
				w.users[f.NIP] = w.BSrE.AddUser(bsresim.User{
					NIP: f.NIP, NIK: nik(f.NIP, n), Name: f.Name, Email: f.Email, Position: f.Position, Unit: a.Offices[i].Name, Organization: a.Name,
					Phone: fmt.Sprintf("08110000%04d", n), Certificates: []bsresim.Certificate{{
						ID: fmt.Sprintf("sertifikat-%d", n), Status: "ISSUE", Product: "TTE ASN", Serial: fmt.Sprintf("5a%014x", 0xbeef00+n),
						NotBefore: start.AddDate(-1, 0, 0), NotAfter: start.AddDate(1, 0, 0), Kind: "Individu",
					}},
				})
			}
		}
	}
}

// nik makes an invented number of a region that doesn't exist, with the birth of a NIP: a woman's day is raised by 40.
func nik(nip string, n int) string {
	nip = agency.Digits(nip)
	day := (int(nip[6])-'0')*10 + int(nip[7]) - '0'
	if nip[14] == '2' {
		day += 40
	}
	return fmt.Sprintf("999901%02d%s%s%04d", day, nip[4:6], nip[2:4], n%10000)
}

// NIK is the invented identity number of an official of the demo, as their letters give it.
func (w *World) NIK(nip string) string {
	u, _ := w.BSrE.User(w.users[agency.Digits(nip)])
	return u.NIK
}

// Links are the mails with which BSrE sends a link to an applicant.
func (w *World) Links() <-chan bsresim.Link { return w.links }

// SetPassphrase plays the applicant who opens the newest link.
func (w *World) SetPassphrase(nip string) error {
	return w.BSrE.SetPassphrase(w.users[agency.Digits(nip)])
}

// Close ends all servers.
func (w *World) Close() {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	if w.BSrE != nil {
		w.BSrE.Close()
	}
	for _, s := range w.servers {
		if s.Shutdown(ctx) != nil {
			_ = s.Close()
		}
	}
	if w.Mail != nil {
		w.Mail.Close()
	}
}
