// Package srikandisim is a Srikandi gateway in memory: an http.Handler that speaks the wire contract of srikandi/openapi.yaml exactly, with
// letters that a script writes, journals of what was called, and every fault of the contract's last section on demand. It shares no
// code with the client, so that a slip in one isn't hidden by the same slip in the other.
package srikandisim

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	mathrand "math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"time"
)

// Options are what a Server needs to begin.
type Options struct {
	Now          func() time.Time // nil: time.Now
	Zone         *time.Location   // of the times it writes; nil: WIB
	ClientID     string
	ClientSecret string
	TokenLife    time.Duration // 0: an hour
	Seed         uint64        // of the random faults
	// OmitParents leaves parent_id out of dispositions, NaiveTimes the zone out of times, as SIKD does.
	OmitParents, NaiveTimes bool
	// Redirect serves attachments by a 302 to a short-lived URL.
	Redirect bool
}

// Letter is a letter as the simulator keeps it. Zero fields are null on the wire.
type Letter struct {
	ID         string // empty: made up
	Version    int64
	Number     string
	Temporary  bool
	Agenda     string
	Date       string // YYYY-MM-DD
	ReceivedAt time.Time
	Type       string
	Nature     string
	Urgency    string
	Subject    string
	Summary    string
	From       Party
	To, Copies []Party
	Files      []File
	ReadStatus string
	ActStatus  string
	Cancelled  bool
	UpdatedAt  time.Time

	Dispositions []Disposition
	History      []Event
}

// Party is somebody on the wire.
type Party struct{ Agency, Unit, Position, Name, NIP string }

// File is an attachment. NoSum leaves its size and checksum out of the letter.
type File struct {
	ID, Name, MIME string
	Data           []byte
	NoSum          bool
	sum            string // of Data
}

// Disposition passes a letter on.
type Disposition struct {
	ID, ParentID string
	From         Party
	To           []Receiver
	Instructions []string
	Note         string
	SentAt       time.Time
}

// Receiver is a receiver of a disposition.
type Receiver struct {
	Party
	Status    string
	ReadAt    time.Time
	FollowUps []FollowUp
}

// FollowUp is what somebody wrote on a disposition.
type FollowUp struct {
	At           time.Time
	Status, Note string
}

// Event is a line of a letter's history.
type Event struct {
	At       time.Time
	Who, Did string
}

// entry is a letter in the register.
type entry struct {
	Letter
	seq     int       // of its last change: orders changes of the same second
	visible time.Time // the list shows the change from then on (late rows)
}

// Server is the gateway. All methods may be called at any time by anybody.
type Server struct {
	opt Options
	mux *http.ServeMux

	mu       sync.Mutex
	letters  map[string]*entry
	order    []*entry // by (updated_at, seq); nil when stale
	deleted  []string
	seq, ids int
	rng      *mathrand.Rand

	tokens map[string]time.Time // bearer -> end
	links  map[string]link      // short-lived URLs
	keys   map[string]receipt   // idempotency keys

	faults   Faults
	scripted map[Route][]Fault
	outage   bool
	refuse   bool // sign-in
	noWrite  bool // 501 for registering
	skew     time.Duration

	journal Journal
}

// New makes an empty gateway.
func New(opt Options) *Server {
	if opt.Now == nil {
		opt.Now = time.Now
	}
	if opt.Zone == nil {
		opt.Zone = time.FixedZone("WIB", 7*3600)
	}
	if opt.TokenLife == 0 {
		opt.TokenLife = time.Hour
	}
	s := &Server{
		opt: opt, letters: map[string]*entry{}, tokens: map[string]time.Time{}, links: map[string]link{}, keys: map[string]receipt{},
		scripted: map[Route][]Fault{}, rng: mathrand.New(mathrand.NewPCG(opt.Seed, 28)),
	}
	s.journal.Calls = map[Route]int{}
	s.routes()
	return s
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

// now is the gateway's clock, in its zone.
func (s *Server) now() time.Time { return s.opt.Now().Add(s.skew).In(s.opt.Zone) }

func (s *Server) newID(prefix string) string {
	s.ids++
	return fmt.Sprintf("%s-%06d", prefix, s.ids)
}

// AddLetter registers a letter and returns its ID.
func (s *Server) AddLetter(l Letter) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.add(l)
}

func (s *Server) add(l Letter) string {
	now := s.now()
	if l.ID == "" {
		l.ID = s.newID(fmt.Sprintf("nm-%d", now.Year()))
	}
	if l.Version == 0 {
		l.Version = 1
	}
	if l.ReceivedAt.IsZero() {
		l.ReceivedAt = now
	}
	l.ReadStatus, l.ActStatus = or(l.ReadStatus, "BELUM"), or(l.ActStatus, "BARU")
	l.file()
	e := &entry{Letter: l}
	s.letters[l.ID] = e
	s.touch(e, "pencatat", "dicatat")
	return l.ID
}

// file gives a letter's attachments their IDs and sums.
func (l *Letter) file() {
	l.Files = slices.Clone(l.Files)
	for i := range l.Files {
		f := &l.Files[i]
		sum := sha256.Sum256(f.Data)
		f.ID, f.sum = or(f.ID, fmt.Sprintf("l-%d", i+1)), hex.EncodeToString(sum[:])
	}
}

// touch dates a change.
func (s *Server) touch(e *entry, who, did string) {
	now := s.now()
	s.seq++
	e.seq, e.UpdatedAt, e.visible = s.seq, now, now
	if s.chance(s.faults.Late) {
		e.visible = now.Add(s.faults.LateBy)
	}
	e.History = append(e.History, Event{now, who, did})
	s.order = nil
}

// change runs a change of one letter; it reports whether the letter is there.
func (s *Server) change(id, who, did string, do func(*entry) bool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.letters[id]
	if e == nil || !do(e) {
		return false
	}
	s.touch(e, who, did)
	return true
}

// Edit changes a letter's metadata: a new version.
func (s *Server) Edit(id string, edit func(*Letter)) bool {
	return s.change(id, "pencatat", "diubah", func(e *entry) bool {
		edit(&e.Letter)
		e.Letter.file()
		e.Version++
		return true
	})
}

// Cancel marks a letter as dibatalkan.
func (s *Server) Cancel(id string) bool {
	return s.Edit(id, func(l *Letter) { l.Cancelled = true })
}

// Delete removes a letter: it is no longer in the list, and 404 by itself.
func (s *Server) Delete(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.letters[id] == nil {
		return false
	}
	delete(s.letters, id)
	s.deleted = append(s.deleted, id)
	s.order = nil
	return true
}

// Dispose passes a letter on and returns the disposition's ID, empty if there is no such letter. Missing IDs, times and statuses are filled
// in; the parent is the sender's last receipt where ParentID is empty.
func (s *Server) Dispose(id string, d Disposition) string {
	s.change(id, or(d.From.Name, d.From.Position), "disposisi", func(e *entry) bool {
		d.ID = or(d.ID, s.newID("d"))
		if d.SentAt.IsZero() {
			d.SentAt = s.now()
		}
		d.To = slices.Clone(d.To)
		for i := range d.To {
			d.To[i].Status = or(d.To[i].Status, "belum_dibaca")
		}
		for _, before := range e.Dispositions {
			for _, r := range before.To {
				if d.ParentID == "" && r.Party.NIP != "" && r.Party.NIP == d.From.NIP && r.Status != "dibatalkan" {
					d.ParentID = before.ID
				}
			}
		}
		e.ActStatus = "DISPOSISI"
		e.Dispositions = append(e.Dispositions, d)
		return true
	})
	return d.ID
}

// disposition changes one disposition of a letter.
func (s *Server) disposition(id, dispositionID, who, did string, do func(*Disposition)) bool {
	return s.change(id, who, did, func(e *entry) bool {
		for i := range e.Dispositions {
			if e.Dispositions[i].ID == dispositionID {
				// What Truth gave out stays as it was.
				e.Dispositions = slices.Clone(e.Dispositions)
				e.Dispositions[i].To = slices.Clone(e.Dispositions[i].To)
				do(&e.Dispositions[i])
				return true
			}
		}
		return false
	})
}

// Withdraw gives a disposition the status dibatalkan at all its receivers.
func (s *Server) Withdraw(id, dispositionID string) bool {
	return s.disposition(id, dispositionID, "pengirim", "disposisi dibatalkan", func(d *Disposition) {
		for i := range d.To {
			d.To[i].Status = "dibatalkan"
		}
	})
}

// Remove takes a disposition away: it is simply no longer there.
func (s *Server) Remove(id, dispositionID string) bool {
	return s.change(id, "pengirim", "disposisi ditarik", func(e *entry) bool {
		before := len(e.Dispositions)
		e.Dispositions = slices.DeleteFunc(slices.Clone(e.Dispositions), func(d Disposition) bool { return d.ID == dispositionID })
		return len(e.Dispositions) < before
	})
}

// Read marks a disposition as read by whoever has that NIP.
func (s *Server) Read(id, dispositionID, nip string) bool {
	return s.disposition(id, dispositionID, "penerima", "dibaca", func(d *Disposition) {
		for i := range d.To {
			if d.To[i].NIP == nip && d.To[i].Status == "belum_dibaca" {
				d.To[i].Status, d.To[i].ReadAt = "dibaca", s.now()
			}
		}
	})
}

// Answer is a follow-up that a person writes inside Srikandi: "disetujui", "dikembalikan: ...".
func (s *Server) Answer(id, dispositionID, nip, status, note string) bool {
	return s.disposition(id, dispositionID, "penerima", "tindak lanjut", func(d *Disposition) {
		for i := range d.To {
			if d.To[i].NIP == nip && d.To[i].Status != "dibatalkan" {
				d.To[i].follow(FollowUp{s.now(), status, note})
			}
		}
	})
}

func (r *Receiver) follow(f FollowUp) {
	r.FollowUps = append(slices.Clone(r.FollowUps), f)
	r.Status = "ditindaklanjuti"
	if f.Status == "selesai" {
		r.Status = "selesai"
	}
}

// Truth is the register as it is: what a database should say after everything was read. It is a copy.
func (s *Server) Truth() (letters []Letter, deleted []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.sorted() {
		l := e.Letter
		l.UpdatedAt = l.UpdatedAt.Truncate(time.Second) // as the wire says it
		l.Dispositions, l.Files, l.History = slices.Clone(l.Dispositions), slices.Clone(l.Files), slices.Clone(l.History)
		letters = append(letters, l)
	}
	return letters, slices.Clone(s.deleted)
}

// sorted is the register in the order of the list.
func (s *Server) sorted() []*entry {
	if s.order == nil {
		s.order = make([]*entry, 0, len(s.letters))
		for _, e := range s.letters {
			s.order = append(s.order, e)
		}
		slices.SortFunc(s.order, func(a, b *entry) int {
			if c := a.UpdatedAt.Compare(b.UpdatedAt); c != 0 {
				return c
			}
			return a.seq - b.seq
		})
	}
	return s.order
}

func secret() string {
	b := make([]byte, 16)
	rand.Read(b)
	return hex.EncodeToString(b)
}

func or[T comparable](v, fallback T) T {
	var zero T
	if v == zero {
		return fallback
	}
	return v
}
