package srikandi

import (
	"net/url"
	"testing"
)

func TestWhereARedirectMayLead(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		gateway, target string
		may             bool
	}{
		{"https://gerbang.example.go.id", "https://berkas.example.go.id/x", true},
		{"https://gerbang.example.go.id", "http://berkas.example.go.id/x", false},
		{"https://gerbang.example.go.id", "http://127.0.0.1:5432/x", false},
		{"https://gerbang.example.go.id", "https://127.0.0.1/x", false},
		{"https://gerbang.example.go.id", "https://localhost/x", false},
		{"https://gerbang.example.go.id", "https:///x", false},
		{"http://127.0.0.1:1", "http://127.0.0.1:2/x", true},
		{"http://127.0.0.1:1", "http://berkas.example.go.id/x", false},
		{"http://127.0.0.1:1", "https://berkas.example.go.id/x", true},
	} {
		gateway, err := url.Parse(c.gateway)
		if err != nil {
			t.Fatal(err)
		}
		target, err := url.Parse(c.target)
		if err != nil {
			t.Fatal(err)
		}
		if got := mayFollow(gateway, target); got != c.may {
			t.Errorf("from %s to %s: %v", c.gateway, c.target, got)
		}
	}
}
