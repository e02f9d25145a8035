package request_test

import (
	"errors"
	"testing"
	"time"
	_ "time/tzdata"

	"pulih/internal/agency"
	"pulih/internal/request"
	"pulih/internal/sop"
)

func TestABrokenPromiseIsExplainedByTheChainAndOnlyWhenBroken(t *testing.T) {
	t.Parallel()
	wib := time.FixedZone("WIB", 7*3600)
	p, err := sop.Shipped("purbalingga")
	if err != nil {
		t.Fatal(err)
	}
	a := &agency.Agency{Key: "purbalingga", Prefix: "PBG", Zone: wib, SOP: p, Calendar: sop.ShippedCalendar(wib), Staff: []agency.Person{
		{ID: "rini", Roles: []sop.Role{sop.Verifier}}, {ID: "op", Roles: []sop.Role{sop.Operator}},
	}}
	opened := time.Date(2026, 11, 16, 8, 0, 0, 0, wib)
	s := request.Fold("PBG-2026-000001", []request.Event{{Kind: request.Received, At: opened, Subject: &request.Subject{}, Letter: &request.Letter{ID: 1}}})
	rini := request.Actor{ID: "rini", Role: sop.Verifier}
	for _, c := range []struct {
		what string
		at   time.Time
		cmd  request.Explain
		code string
	}{
		{"in time", opened.Add(time.Hour), request.Explain{By: rini, Text: "AMS lambat"}, request.WrongState},
		{"by somebody else", opened.Add(4 * time.Hour), request.Explain{By: request.Actor{ID: "op"}, Text: "AMS lambat"}, request.NotAllowed},
		{"without words", opened.Add(4 * time.Hour), request.Explain{By: rini, Text: " "}, request.Incomplete},
		{"late", opened.Add(4 * time.Hour), request.Explain{By: rini, Text: " AMS lambat "}, ""},
	} {
		events, effects, err := request.Decide(s, c.cmd, a, c.at)
		var refusal *request.Refusal
		if c.code != "" {
			if !errors.As(err, &refusal) || refusal.Code != c.code {
				t.Errorf("explaining %s gave %v, want %s", c.what, err, c.code)
			}
			continue
		}
		if err != nil || len(events) != 1 || len(effects) != 0 {
			t.Fatalf("explaining %s: %v, %d events, %d effects", c.what, err, len(events), len(effects))
		}
		after := s.With(events)
		if after.BreachReason != "AMS lambat" || after.Status != s.Status || after.Holder != s.Holder {
			t.Errorf("afterwards the reason is %q, the status %q", after.BreachReason, after.Status)
		}
		again, _, err := request.Decide(after, c.cmd, a, c.at)
		if err != nil || len(again) != 0 {
			t.Errorf("saying it twice made %d events, %v", len(again), err)
		}
	}
}
