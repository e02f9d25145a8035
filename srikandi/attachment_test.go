package srikandi_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"pulih/internal/demo/srikandisim"
	"pulih/srikandi"
)

// first is a letter's first attachment as the gateway lists it.
func first(t *testing.T, w *world, id string) srikandi.Lampiran {
	t.Helper()
	n, err := w.client.Letter(t.Context(), id)
	if err != nil || len(n.Attachments) == 0 {
		t.Fatalf("letter %s has %d attachments: %v", id, len(n.Attachments), err)
	}
	return n.Attachments[0]
}

func TestShortLivedURLs(t *testing.T) {
	t.Parallel()
	w := newWorld(t, srikandisim.Options{Redirect: true})
	id := w.sim.AddLetter(permohonan("7"))
	want := first(t, w, id)
	download := func() (string, error) {
		var got bytes.Buffer
		err := w.client.Attachment(t.Context(), id, want, &got, 1<<20)
		return got.String(), err
	}
	if got, err := download(); err != nil || got != "%PDF-1.4 isi surat 7" {
		t.Errorf("got %q, %v", got, err)
	}
	w.sim.Inject(srikandisim.Attachment, srikandisim.Expired, srikandisim.Expired)
	before := w.sim.Journal().Calls
	if got, err := download(); err != nil || got != "%PDF-1.4 isi surat 7" {
		t.Errorf("with two expired URLs: got %q, %v", got, err)
	}
	if n := w.sim.Journal().Calls[srikandisim.Attachment] - before[srikandisim.Attachment]; n != 3 {
		t.Errorf("asked %d times, want 3", n)
	}
	w.sim.Inject(srikandisim.Attachment, srikandisim.Expired, srikandisim.Expired, srikandisim.Expired)
	_, err := download()
	var temporary *srikandi.Temporary
	if !errors.As(err, &temporary) {
		t.Errorf("with three expired URLs: %v", err)
	}
	if j := w.sim.Journal(); j.BearersLeaked != 0 || j.Calls[srikandisim.Link] != 7 {
		t.Errorf("%d bearer tokens leaked in %d downloads (want 0 in 7)", j.BearersLeaked, j.Calls[srikandisim.Link])
	}
}

// The bearer token must not reach another host either, however many redirects there are.
func TestBearerStaysHome(t *testing.T) {
	t.Parallel()
	elsewhere := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "" || strings.Contains(fmt.Sprint(r.Header), "tok-rahasia") {
			t.Errorf("the bearer token went to %s", r.URL.Path)
		}
		if r.URL.Path == "/a" {
			http.Redirect(w, r, "/b", http.StatusTemporaryRedirect)
			return
		}
		io.WriteString(w, "isi")
	}))
	defer elsewhere.Close()
	gateway := answering(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, elsewhere.URL+"/a#x", http.StatusFound)
	})
	var got bytes.Buffer
	if err := newClient(t, gateway, time.Now).Attachment(t.Context(), "nm-1", srikandi.Lampiran{ID: "l-1"}, &got, 10); err != nil || got.String() != "isi" {
		t.Errorf("got %q, %v", got.String(), err)
	}
}

func TestRedirectsThatAreNotFollowed(t *testing.T) {
	t.Parallel()
	for _, target := range []string{"http://berkas.example.go.id/x", "file:///etc/passwd", "", "://", "gopher://127.0.0.1/", "."} {
		gateway := answering(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", target)
			w.WriteHeader(http.StatusFound)
		})
		err := newClient(t, gateway, time.Now).Attachment(t.Context(), "nm-1", srikandi.Lampiran{ID: "l-1"}, io.Discard, 10)
		var temporary *srikandi.Temporary
		if !errors.As(err, &temporary) {
			t.Errorf("%q: %v", target, err)
		}
	}
}

func TestAttachmentIsCheckedAgainstItsLetter(t *testing.T) {
	t.Parallel()
	data := []byte("%PDF-1.4 isi")
	sum := sha256.Sum256(data)
	hash := hex.EncodeToString(sum[:])
	other := strings.Repeat("0", 64)
	gateway := answering(t, func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasSuffix(r.URL.Path, "kosong"):
		case strings.HasSuffix(r.URL.Path, "halaman"):
			io.WriteString(w, "<!DOCTYPE html><title>Masuk</title>")
		default:
			w.Header().Set("Content-Type", "application/pdf")
			w.Write(data)
		}
	})
	client := newClient(t, gateway, time.Now)
	for _, c := range []struct {
		name  string
		want  srikandi.Lampiran
		limit int64
		err   error
	}{
		{"nothing promised", srikandi.Lampiran{ID: "l"}, 100, nil},
		{"size and sum", srikandi.Lampiran{ID: "l", Size: 12, SHA256: hash}, 100, nil},
		{"exactly the limit", srikandi.Lampiran{ID: "l", Size: 12}, 12, nil},
		{"one more than the limit", srikandi.Lampiran{ID: "l"}, 11, srikandi.ErrTooLarge},
		{"promised more than the limit", srikandi.Lampiran{ID: "l", Size: 200}, 100, srikandi.ErrTooLarge},
		{"another size", srikandi.Lampiran{ID: "l", Size: 13}, 100, srikandi.ErrMismatch},
		{"another sum", srikandi.Lampiran{ID: "l", SHA256: other}, 100, srikandi.ErrMismatch},
		{"no bytes", srikandi.Lampiran{ID: "kosong"}, 100, srikandi.ErrAnswer},
		{"a web page", srikandi.Lampiran{ID: "halaman", MIME: "application/pdf"}, 100, srikandi.ErrAnswer},
		{"a web page that was meant", srikandi.Lampiran{ID: "halaman", MIME: "text/html"}, 100, nil},
	} {
		err := client.Attachment(t.Context(), "nm-1", c.want, io.Discard, c.limit)
		if !errors.Is(err, c.err) {
			t.Errorf("%s: %v, want %v", c.name, err, c.err)
		}
		var temporary *srikandi.Temporary
		if wantTemporary := errors.Is(c.err, srikandi.ErrMismatch) || errors.Is(c.err, srikandi.ErrAnswer); errors.As(err, &temporary) != wantTemporary {
			t.Errorf("%s: temporary is %v", c.name, !wantTemporary)
		}
	}
}

// The archive's own failure isn't the gateway's, and speaks for no outage.
func TestArchiveFailureIsItsOwn(t *testing.T) {
	t.Parallel()
	full := errors.New("no space left")
	w := newWorld(t, srikandisim.Options{}, func(c *srikandi.ClientConfig) { c.BreakFor = time.Hour })
	id := w.sim.AddLetter(permohonan("7"))
	want := first(t, w, id)
	for range 10 {
		err := w.client.Attachment(t.Context(), id, want, failing{full}, 1<<20)
		is(t, err, full)
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

// The caller's own cancellation is not the gateway's fault.
func TestCancelledCallIsTheCallers(t *testing.T) {
	t.Parallel()
	w := newWorld(t, srikandisim.Options{}, func(c *srikandi.ClientConfig) { c.BreakFor = time.Hour })
	w.sim.SetFaults(srikandisim.Faults{Chance: map[srikandisim.Fault]float64{srikandisim.Slow: 1}, SlowBy: time.Hour})
	for range 10 {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := w.client.List(ctx, srikandi.Query{})
		is(t, err, context.Canceled)
	}
	w.sim.SetFaults(srikandisim.Faults{})
	if _, err := w.client.List(t.Context(), srikandi.Query{}); err != nil {
		t.Error(err)
	}
}

// A gateway that says nothing, or stops in the middle of a file, is given up after the timeout.
func TestSilenceIsTemporary(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	gateway := answering(t, func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.Path, "lampiran") {
			w.Header().Set("Content-Length", "100")
			io.WriteString(w, "%PDF")
			http.NewResponseController(w).Flush()
		}
		select {
		case <-release:
		case <-r.Context().Done():
		}
	})
	t.Cleanup(func() { close(release) })
	client := newClient(t, gateway, time.Now, func(c *srikandi.ClientConfig) { c.Timeout = 50 * time.Millisecond })
	var temporary *srikandi.Temporary
	if _, err := client.List(t.Context(), srikandi.Query{}); !errors.As(err, &temporary) {
		t.Errorf("list: %v", err)
	}
	if err := client.Attachment(t.Context(), "nm-1", srikandi.Lampiran{ID: "l"}, io.Discard, 1000); !errors.As(err, &temporary) {
		t.Errorf("attachment: %v", err)
	}
}
