package srikandisim

import (
	"encoding/json"
	"maps"
	"slices"
	"time"
)

// Journal is what was called. Follow-ups and registrations are those that were accepted, replays of a key included.
type Journal struct {
	Calls         map[Route]int // faulty ones included
	Tokens        []TokenCall
	FollowUps     []FollowUpCall
	Registrations []RegisterCall
	BearersLeaked int // calls of a short-lived URL that carried a bearer token
}

// TokenCall is a request for a token that reached the gateway.
type TokenCall struct {
	At      time.Time
	Granted bool
}

// FollowUpCall is an accepted follow-up. A replay has the first one's ID and nothing else of it.
type FollowUpCall struct {
	ID, NaskahID, DispositionID, Key string
	Status, Note                     string
	Body                             json.RawMessage
	At                               time.Time
	Replay                           bool
}

// RegisterCall is an accepted registration.
type RegisterCall struct {
	Key, NaskahID string
	Naskah        json.RawMessage
	Files         []File
	At            time.Time
	Replay        bool
}

// Journal returns a copy.
func (s *Server) Journal() Journal {
	s.mu.Lock()
	defer s.mu.Unlock()
	j := s.journal
	j.Calls = maps.Clone(j.Calls)
	j.Tokens, j.FollowUps, j.Registrations = slices.Clone(j.Tokens), slices.Clone(j.FollowUps), slices.Clone(j.Registrations)
	return j
}
