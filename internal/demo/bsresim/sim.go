// Package bsresim plays BSrE for the demo and the tests: the agency's eSign gateway, the sign-in at BeID and the AMS portal, in memory,
// as contracts/bsre.md describes them and with the failures that it names. It shares no code with package bsre, so that a
// misunderstanding in one isn't repeated in the other. It never runs in production and holds invented people only.
package bsresim

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha1" //nolint:gosec // RFC 6238 names it
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// Options are the world's rules. The zero value is a quiet world: links are mailed and certificates issued at once.
type Options struct {
	Now  func() time.Time // nil means time.Now
	Zone *time.Location   // of dates without a zone; nil means UTC+7

	GatewayUser, GatewayPassword string // Basic at the eSign gateway; empty: "pulih", "gateway-demo"

	AccessLife  time.Duration // of an access token; 0 means 5 minutes
	SessionIdle time.Duration // 0 means 12 hours

	LinkDelay      time.Duration // from the reset to BSrE's mail
	IssueDelay     time.Duration // from the new passphrase to the certificate
	NewCertificate bool          // a reset ends in another serial number; otherwise in a newer notBeforeDate

	OnLink  func(Link) // BSrE mails a link; called without locks, from Tick or a request
	OnPhone func(User) // BSrE sends the WhatsApp check; likewise

	// Decide chooses the fault of each call that Script has none for. It may be called by many goroutines, and leaves the body unread.
	Decide func(Call, *http.Request) Fault
	// Verify answers /api/v2/verify/pdf; nil means that a PDF with a /ByteRange is validly signed.
	Verify func(pdf []byte) map[string]any
}

// User is a person at BSrE.
type User struct {
	UID             string // given by AddUser when empty
	NIK, NIP        string
	Name            string
	Email           string
	Position        string
	Unit            string
	Organization    string
	Phone           string
	PhoneUnverified bool
	Status          string // as the gateway tells it; empty: from the certificates
	Certificates    []Certificate
}

// Certificate is one of a user's.
type Certificate struct {
	ID, Status, Product, Serial, Kind string
	NotBefore, NotAfter               time.Time
	RFC3339                           bool // its dates are written so, and otherwise without a zone
}

// Link is what the applicant gets by mail. It isn't a working address; a newer one of the same user replaces it.
type Link struct {
	User User
	At   time.Time // of the reset
}

// Entry is a reset call that reached the portal.
type Entry struct {
	N           int
	UID, Serial string
	By          string // the operator of the token; empty when it was none
	At          time.Time
	Outcome     string // what was answered, or the fault
	Executed    bool   // BSrE sent, or will send, a link
}

// Sim is the simulator. It is safe for concurrent use, also by several daemons.
type Sim struct {
	opt  Options
	mux  *http.ServeMux
	done chan struct{}

	mu        sync.Mutex
	users     []*User
	operators map[string]*operator
	sessions  []*session
	script    map[Call][]Fault
	calls     map[Call]int
	journal   []Entry
	links     map[string]*link // by uid: only the newest lives
	issues    map[string]time.Time
	shut      bool
	inFlight  int
	moved     *sync.Cond // a call arrived or ended
}

type operator struct {
	password string
	secret   []byte
	used     map[uint64]bool // time steps whose code was spent
}

type session struct {
	operator, access, refresh string
	accessUntil, idleUntil    time.Time
}

type link struct {
	Link
	mailed bool
}

// New makes an empty world.
func New(opt Options) *Sim {
	if opt.Now == nil {
		opt.Now = time.Now
	}
	if opt.Zone == nil {
		opt.Zone = time.FixedZone("WIB", 7*60*60)
	}
	if opt.GatewayUser == "" {
		opt.GatewayUser, opt.GatewayPassword = "pulih", "gateway-demo"
	}
	if opt.AccessLife == 0 {
		opt.AccessLife = 5 * time.Minute
	}
	if opt.SessionIdle == 0 {
		opt.SessionIdle = 12 * time.Hour
	}
	s := &Sim{
		opt: opt, done: make(chan struct{}), operators: map[string]*operator{}, script: map[Call][]Fault{}, calls: map[Call]int{},
		links: map[string]*link{}, issues: map[string]time.Time{},
	}
	s.moved = sync.NewCond(&s.mu)
	s.routes()
	return s
}

// Close lets hanging calls go.
func (s *Sim) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.shut {
		s.shut = true
		close(s.done)
	}
}

// Quiet waits until no call is under way: what a client gave up may still be acted upon, as in life.
func (s *Sim) Quiet() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.inFlight > 0 {
		s.moved.Wait()
	}
}

func (s *Sim) enterCall(delta int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.inFlight += delta
	s.moved.Broadcast()
}

// AwaitCalls waits until so many calls of a kind have arrived since the start.
func (s *Sim) AwaitCalls(c Call, n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.calls[c] < n {
		s.moved.Wait()
	}
}

// AddUser adds a person and returns their uid.
func (s *Sim) AddUser(u User) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if u.UID == "" {
		u.UID = uuid()
	}
	u.Certificates = slices.Clone(u.Certificates)
	for i := range u.Certificates {
		if u.Certificates[i].ID == "" {
			u.Certificates[i].ID = uuid()
		}
	}
	s.users = append(s.users, &u)
	return u.UID
}

// User returns a person as they are now.
func (s *Sim) User(uid string) (User, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.settle()
	if u := s.user(uid); u != nil {
		return u.clone(), true
	}
	return User{}, false
}

// UserByEmail finds the first person with that address, case ignored.
func (s *Sim) UserByEmail(email string) (User, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.settle()
	for _, u := range s.users {
		if strings.EqualFold(u.Email, email) {
			return u.clone(), true
		}
	}
	return User{}, false
}

// Change edits a person.
func (s *Sim) Change(uid string, edit func(*User)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if u := s.user(uid); u != nil {
		edit(u)
	}
}

// ConfirmPhone plays the user who answers the WhatsApp check.
func (s *Sim) ConfirmPhone(uid string) {
	s.Change(uid, func(u *User) { u.PhoneUnverified = false })
}

// AddOperator gives a verifier an account at BeID.
func (s *Sim) AddOperator(name, password string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	secret := make([]byte, 20)
	_, _ = rand.Read(secret)
	s.operators[name] = &operator{password, secret, map[uint64]bool{}}
}

// Code is the operator's next unspent one-time code, as their authenticator shows it; empty when the codes of this minute are spent.
func (s *Sim) Code(name string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.operators[name]
	if o == nil {
		return ""
	}
	for _, step := range o.window(s.opt.Now()) {
		if !o.used[step] {
			return o.code(step)
		}
	}
	return ""
}

// EndSessions signs everybody out, as the portal does at night.
func (s *Sim) EndSessions() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sessions = nil
}

// Journal returns the reset calls that reached the portal, oldest first.
func (s *Sim) Journal() []Entry {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.journal)
}

// Calls counts the calls that arrived, by kind.
func (s *Sim) Calls() map[Call]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.calls)
}

// ErrNoLink: the applicant has no link that still works.
var ErrNoLink = errors.New("no link that works")

// SetPassphrase plays the applicant who opens the newest link: the certificate follows after IssueDelay. The link is spent.
func (s *Sim) SetPassphrase(uid string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.settle()
	l := s.links[uid]
	if l == nil || !l.mailed {
		return ErrNoLink
	}
	delete(s.links, uid)
	s.issues[uid] = s.opt.Now().Add(s.opt.IssueDelay)
	s.settle()
	return nil
}

// Tick does what has fallen due: mails links, issues certificates. Requests do it too; a demo without requests calls it.
func (s *Sim) Tick() {
	s.mu.Lock()
	s.settle()
	due := s.dueLinks()
	s.mu.Unlock()
	for _, l := range due {
		if s.opt.OnLink != nil {
			s.opt.OnLink(l)
		}
	}
}

func (s *Sim) dueLinks() []Link {
	var due []Link
	now := s.opt.Now()
	for _, l := range s.links {
		if !l.mailed && !now.Before(l.At.Add(s.opt.LinkDelay)) {
			l.mailed = true
			due = append(due, l.Link)
		}
	}
	slices.SortFunc(due, func(a, b Link) int { return a.At.Compare(b.At) })
	return due
}

// settle issues the certificates that are due. It needs the lock.
func (s *Sim) settle() {
	now := s.opt.Now()
	for uid, at := range s.issues {
		if now.Before(at) {
			continue
		}
		delete(s.issues, uid)
		if u := s.user(uid); u != nil {
			u.issue(at, s.opt.NewCertificate)
		}
	}
}

func (u *User) issue(at time.Time, another bool) {
	for i := range u.Certificates {
		c := &u.Certificates[i]
		if c.Status != "ISSUE" {
			continue
		}
		if !another {
			c.NotBefore = at
			return
		}
		fresh := *c
		fresh.ID, fresh.Serial, fresh.NotBefore, fresh.NotAfter = uuid(), serial(), at, at.AddDate(2, 0, 0)
		c.Status = "REVOKE"
		u.Certificates = append(u.Certificates, fresh)
		return
	}
}

func (u *User) clone() User {
	c := *u
	c.Certificates = slices.Clone(u.Certificates)
	return c
}

func (s *Sim) user(uid string) *User {
	for _, u := range s.users {
		if u.UID == uid {
			return u
		}
	}
	return nil
}

// window are the time steps whose codes are taken now: the present one, the one before, the one after (RFC 6238, section 5.2).
func (o *operator) window(now time.Time) []uint64 {
	step := uint64(now.Unix() / 30)
	return []uint64{step, step + 1, step - 1}
}

func (o *operator) code(step uint64) string {
	mac := hmac.New(sha1.New, o.secret)
	_ = binary.Write(mac, binary.BigEndian, step)
	sum := mac.Sum(nil)
	at := sum[len(sum)-1] & 0xf
	return fmt.Sprintf("%06d", (binary.BigEndian.Uint32(sum[at:])&0x7fffffff)%1_000_000)
}

// spend takes a code once.
func (o *operator) spend(code string, now time.Time) bool {
	for _, step := range o.window(now) {
		if o.code(step) == code && !o.used[step] {
			o.used[step] = true
			return true
		}
	}
	return false
}

func uuid() string {
	h := random(16)
	return h[:8] + "-" + h[8:12] + "-4" + h[13:16] + "-a" + h[17:20] + "-" + h[20:]
}

func serial() string { return strings.ToUpper("5" + random(16)[1:]) }

func random(bytes int) string {
	b := make([]byte, bytes)
	_, _ = rand.Read(b)
	return hex.EncodeToString(b)
}
