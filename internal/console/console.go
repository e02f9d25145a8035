// Package console is the desk: the pages of verifiers, heads and operators, and the status page of applicants and their offices. It shows
// what the store has and asks request.Decide for every change; it decides nothing itself. Pages work without JavaScript.
package console

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/go-webauthn/webauthn/webauthn"

	"pulih/bsre"
	"pulih/internal/agency"
	"pulih/internal/config/accounts"
	"pulih/internal/letter"
	"pulih/internal/request"
	"pulih/internal/store"
	"pulih/mailflow"
)

// Options are the desk's surroundings. Store, Agencies, PublicURL, Guide and Reader are required.
type Options struct {
	Store     *store.Store
	Agencies  []*agency.Agency
	PublicURL string           // where people reach the desk: "https://tte.purbalinggakab.go.id"; cookies are Secure unless it is loopback
	Now       func() time.Time // the agencies' clock; nil means the clock on the wall
	Log       *slog.Logger
	AMS       func(agencyKey string) *bsre.AMS  // nil, or answers nil: no portal is configured
	Guide     func(agencyKey string) bsre.Guide // where the agency's verifiers click in the portal
	Reader    *letter.Reader
	// Report computes a digest (scheduler.Daemon.Report); nil: the page does without.
	Report func(ctx context.Context, agencyKey, template, office string, from, until time.Time) (mailflow.Digest, error)
	// Pack makes the files of the evaluation pack of a span (scheduler.PackFiles); nil: there are none.
	Pack func(ctx context.Context, agencyKey string, from, until time.Time) ([]mailflow.Attached, error)
	// Check tries an agency's connections as `pulih check` does; nil: the page does without.
	Check func(ctx context.Context, agencyKey string) []accounts.Finding
	// Sentences are those of the daemon's health; nil: none.
	Sentences func(ctx context.Context) []string
	// OIDC is the single sign-on of each agency that has one.
	OIDC map[string]OIDC
	// DemoAMS fills the form for an AMS session in the demo: account, password and the one-time code of now.
	DemoAMS func(agencyKey, person string) (user, password, otp string)
	// Demo lets anybody on this machine choose a role, and asks for no passkey.
	Demo bool
}

// Console serves the pages.
type Console struct {
	o        Options
	agencies map[string]*agency.Agency
	views    views
	status   []byte // key of the status links
	public   *url.URL
	secure   bool // cookies only over TLS
	desk     *http.ServeMux
	open     *http.ServeMux
	pictures pictures
	tries    limiter
	webauthn *webauthn.WebAuthn // nil: the address allows no passkeys
}

//go:embed templates
var templateFiles embed.FS

//go:embed assets
var assetFiles embed.FS

// New prepares the pages. It fails on templates that don't parse and on agencies whose key is one of the desk's own paths.
func New(o Options) (*Console, error) { return newConsole(o, routes) }

func newConsole(o Options, routes []route) (*Console, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	c := &Console{o: o, agencies: map[string]*agency.Agency{}, status: o.Store.Keys.Derive("status-link"), tries: newLimiter()}
	var err error
	if c.public, err = url.Parse(o.PublicURL); err != nil {
		return nil, fmt.Errorf("the desk's public address: %w", err)
	}
	if c.webauthn, err = newWebAuthn(c.public); err != nil {
		return nil, err
	}
	c.secure = c.public.Scheme == "https" || (c.public.Host != "" && !loopback(c.public.Hostname()))
	for _, a := range o.Agencies {
		c.agencies[a.Key] = a
	}
	if c.views, err = parseViews(templateFiles); err != nil {
		return nil, err
	}
	assets, err := fs.Sub(assetFiles, "assets")
	if err != nil {
		return nil, fmt.Errorf("opening the desk's assets: %w", err)
	}
	c.open, c.desk = http.NewServeMux(), http.NewServeMux()
	c.open.Handle("GET /aset/", cached(http.StripPrefix("/aset/"+assetVersion+"/", http.FileServerFS(assets))))
	for _, r := range openRoutes {
		c.open.Handle(r.pattern, c.serveOpen(r))
	}
	for _, r := range routes {
		if len(rights[r.needs]) == 0 {
			return nil, fmt.Errorf("route %s: nobody may %q", r.pattern, r.needs)
		}
		c.desk.Handle(r.pattern, c.serveDesk(r))
	}
	return c, nil
}

// ServeHTTP answers a request. Other sites' forms are refused before anything else (RFC 6454; Sec-Fetch-Site).
func (c *Console) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	protect(w.Header(), c.secure)
	if !sameOrigin(r) {
		c.fail(w, r, http.StatusForbidden, "Permintaan ini datang dari halaman lain. Buka kembali halaman pulih, lalu ulangi.")
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	first, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	mux := c.open
	if _, ok := c.agencies[first]; ok {
		mux = c.desk
	}
	if _, pattern := mux.Handler(r); pattern == "" {
		c.fail(w, r, http.StatusNotFound, notFound)
		return
	}
	mux.ServeHTTP(w, r)
}

// maxBody bounds what a page's form may bring, in bytes: the largest is a directory of offices as CSV.
const maxBody = 2 << 20

// route is one page or form of the desk. Its pattern begins with the agency's key.
type route struct {
	pattern string
	needs   action
	serve   func(c *Console, p *page) error
}

// openRoute is a page without a visit: sign-in and status.
type openRoute struct {
	pattern string
	serve   func(c *Console, p *page) error
}

// page is one request to the desk with everything that its handler needs.
type page struct {
	*http.Request
	w      http.ResponseWriter
	now    time.Time
	who    *visitor       // nil on open pages without a visit
	agency *agency.Agency // nil on open pages
}

func (p *page) ctx() context.Context { return p.Request.Context() }

// parse reads a form before its handler runs, so that one that is too large is refused and not taken for an empty one.
func (p *page) parse() error {
	if p.Method != http.MethodPost || strings.HasPrefix(p.Header.Get("Content-Type"), "application/json") {
		return nil
	}
	err := p.ParseMultipartForm(maxBody)
	var large *http.MaxBytesError
	switch {
	case err == nil, errors.Is(err, http.ErrNotMultipart):
		return nil
	case errors.As(err, &large):
		return err
	}
	return say(http.StatusBadRequest, "Isian tidak dapat dibaca. Muat ulang halaman, lalu coba lagi.")
}

// text is a form's field as a person wrote it: trimmed, bounded, of valid UTF-8, with line ends as \n.
func (p *page) text(name string, most int) string {
	s := strings.ToValidUTF8(strings.TrimSpace(strings.ReplaceAll(p.PostFormValue(name), "\r\n", "\n")), "\uFFFD")
	s = strings.ReplaceAll(s, "\x00", "")
	if r := []rune(s); len(r) > most {
		return string(r[:most])
	}
	return s
}

func (p *page) redirect(path string) error {
	http.Redirect(p.w, p.Request, path, http.StatusSeeOther)
	return nil
}

func (c *Console) serveOpen(r openRoute) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		p := &page{Request: req, w: w, now: c.o.Now()}
		var err error
		if p.who, err = c.visitorOf(req, p.now); err == nil {
			err = p.parse()
		}
		if err == nil {
			err = r.serve(c, p)
		}
		c.answer(p, err)
	})
}

// serveDesk lets in who has a visit at that agency and the right. To everybody else the page isn't there: not even that it exists is told.
func (c *Console) serveDesk(r route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		p := &page{Request: req, w: w, now: c.o.Now()}
		var err error
		if p.who, err = c.visitorOf(req, p.now); err != nil {
			c.answer(p, err)
			return
		}
		if p.who == nil {
			c.askSignIn(p)
			return
		}
		p.agency = p.who.agency
		first, _, _ := strings.Cut(strings.TrimPrefix(req.URL.Path, "/"), "/")
		if first != p.agency.Key || !p.who.may(r.needs) {
			c.fail(w, req, http.StatusNotFound, notFound)
			return
		}
		if p.who.weak() && r.needs != ownAccount {
			_ = p.redirect("/" + p.agency.Key + "/akun/kunci")
			return
		}
		if p.agency, err = c.o.Store.Directory(p.ctx(), p.agency); err != nil {
			c.answer(p, err)
			return
		}
		if err := p.parse(); err != nil {
			c.answer(p, err)
			return
		}
		c.answer(p, r.serve(c, p))
	})
}

// askSignIn sends people to the sign-in page, and from there back to where they wanted to go.
func (c *Console) askSignIn(p *page) {
	if p.Method != http.MethodGet {
		c.fail(p.w, p.Request, http.StatusUnauthorized, "Sesi Anda telah berakhir. Masuk kembali, lalu ulangi; belum ada yang berubah.")
		return
	}
	_ = p.redirect("/masuk?ke=" + url.QueryEscape(p.URL.Path))
}

const notFound = "Halaman ini tidak ada, atau bukan untuk Anda."

// answer turns a handler's error into a page. What a person can mend comes as its own words; the rest is logged here, once.
func (c *Console) answer(p *page, err error) {
	var refusal *request.Refusal
	var said *sentence
	var large *http.MaxBytesError
	switch {
	case err == nil, errors.Is(err, context.Canceled):
	case errors.Is(err, store.ErrNotFound):
		c.fail(p.w, p.Request, http.StatusNotFound, notFound)
	case errors.As(err, &refusal):
		c.fail(p.w, p.Request, http.StatusConflict, refusal.Message)
	case errors.As(err, &said):
		c.fail(p.w, p.Request, said.status, said.text)
	case errors.As(err, &large):
		c.fail(p.w, p.Request, http.StatusRequestEntityTooLarge, "Kiriman ini terlalu besar. Batasnya 2 MB.")
	default:
		c.o.Log.Error("serving a page", "pattern", p.Pattern, "err", err)
		c.fail(p.w, p.Request, http.StatusInternalServerError, "Halaman tidak dapat ditampilkan sekarang. Coba muat ulang; bila tetap begitu, beri tahu operator.")
	}
}

// sentence is an error that a person reads as it is.
type sentence struct {
	status int
	text   string
}

func (s *sentence) Error() string { return s.text }

func say(status int, format string, args ...any) error {
	return &sentence{status, fmt.Sprintf(format, args...)}
}

// protect sets what browsers are told with every answer: nothing inline, nothing from elsewhere, no frame, nothing kept on disk.
func protect(h http.Header, secure bool) {
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; "+
		"form-action 'self'; frame-ancestors 'none'; base-uri 'none'")
	h.Set("X-Frame-Options", "DENY")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Permissions-Policy", "camera=(), microphone=(), geolocation=()")
	h.Set("Cache-Control", "no-store")
	if secure {
		h.Set("Strict-Transport-Security", "max-age=31536000")
	}
}

var crossOrigin = http.NewCrossOriginProtection()

// sameOrigin refuses forms that other sites send. A browser names the origin with every POST (RFC 6454, section 7.2); what doesn't isn't one.
func sameOrigin(r *http.Request) bool {
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		return true
	}
	return crossOrigin.Check(r) == nil && (r.Header.Get("Sec-Fetch-Site") != "" || r.Header.Get("Origin") != "")
}

// cached lets browsers keep the assets: their address changes with their content.
func cached(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
		next.ServeHTTP(w, r)
	})
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || (ip != nil && ip.IsLoopback())
}
