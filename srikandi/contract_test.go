package srikandi_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/legacy"

	"pulih/internal/demo/srikandisim"
	"pulih/internal/letter"
	"pulih/srikandi"
)

// referee stands between client and simulator and holds both to openapi.yaml.
type referee struct {
	t      *testing.T
	router routers.Router
	proxy  *httputil.ReverseProxy

	mu   sync.Mutex
	seen map[string]int // operation and status
}

func init() { openapi3filter.RegisterBodyDecoder("application/pdf", openapi3filter.FileBodyDecoder) }

func newReferee(t *testing.T, target string) *referee {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromData(srikandi.OpenAPI)
	if err != nil {
		t.Fatal(err)
	}
	if err := doc.Validate(context.Background()); err != nil {
		t.Fatalf("openapi.yaml isn't OpenAPI: %v", err)
	}
	router, err := legacy.NewRouter(doc)
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	r := &referee{t: t, router: router, seen: map[string]int{}}
	r.proxy = &httputil.ReverseProxy{Rewrite: func(p *httputil.ProxyRequest) { p.SetURL(u) }}
	return r
}

func (r *referee) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	if strings.HasPrefix(req.URL.Path, "/unduh/") { // not of the contract
		r.proxy.ServeHTTP(w, req)
		return
	}
	route, params, err := r.router.FindRoute(req)
	if err != nil {
		r.t.Errorf("the client called %s %s, which the contract doesn't have: %v", req.Method, req.URL.Path, err)
		w.WriteHeader(http.StatusTeapot)
		return
	}
	body, _ := io.ReadAll(req.Body)
	req.Body = io.NopCloser(bytes.NewReader(body))
	options := &openapi3filter.Options{
		AuthenticationFunc: func(_ context.Context, in *openapi3filter.AuthenticationInput) error {
			if !strings.HasPrefix(in.RequestValidationInput.Request.Header.Get("Authorization"), "Bearer ") {
				r.t.Errorf("%s went without a bearer token", route.Operation.OperationID)
			}
			return nil
		},
		IncludeResponseStatus: true,
	}
	in := &openapi3filter.RequestValidationInput{Request: req, PathParams: params, Route: route, Options: options}
	if err := openapi3filter.ValidateRequest(req.Context(), in); err != nil {
		r.t.Errorf("the client's %s breaks the contract: %v", route.Operation.OperationID, err)
	}
	req.Body = io.NopCloser(bytes.NewReader(body))
	rec := httptest.NewRecorder()
	r.proxy.ServeHTTP(rec, req)
	out := &openapi3filter.ResponseValidationInput{
		RequestValidationInput: in, Status: rec.Code, Header: rec.Header(), Body: io.NopCloser(bytes.NewReader(rec.Body.Bytes())), Options: options,
	}
	if strings.HasPrefix(rec.Header().Get("Content-Type"), "application/json") || rec.Code == http.StatusFound {
		if err := openapi3filter.ValidateResponse(req.Context(), out); err != nil {
			r.t.Errorf("the simulator's answer to %s breaks the contract: %v", route.Operation.OperationID, err)
		}
	}
	r.mu.Lock()
	r.seen[route.Operation.OperationID+" "+http.StatusText(rec.Code)]++
	r.mu.Unlock()
	for k, v := range rec.Header() {
		w.Header()[k] = v
	}
	w.WriteHeader(rec.Code)
	w.Write(rec.Body.Bytes())
}

func TestClientAndSimulatorKeepTheContract(t *testing.T) {
	t.Parallel()
	for name, options := range map[string]srikandisim.Options{
		"with zones":                {Redirect: true},
		"as SIKD, without zones":    {NaiveTimes: true, OmitParents: true},
		"attachments without hints": {},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, options)
			ref := newReferee(t, w.server.URL)
			front := httptest.NewServer(ref)
			defer front.Close()
			client := newClient(t, front.URL, w.Now)
			everyCall(t, w, client)
			for _, want := range []string{"token OK", "list OK", "letter OK", "letter Not Found", "followUp Created", "followUp OK", "followUp Conflict",
				"register Created", "register OK", "register Not Implemented", "token Unauthorized"} {
				if ref.seen[want] == 0 {
					t.Errorf("the contract's %q was never tried: %v", want, ref.seen)
				}
			}
		})
	}
}

// everyCall makes each call of the contract, with each answer that isn't a fault.
func everyCall(t *testing.T, w *world, client *srikandi.Client) {
	t.Helper()
	ctx := t.Context()
	var last, withdrawn string
	for _, number := range []string{"1", "2", "3"} {
		last = w.sim.AddLetter(permohonan(number))
	}
	d := w.sim.Dispose(last, srikandisim.Disposition{From: staff("kadin"), To: to("kabid", "kasi"), Instructions: []string{"Tindaklanjuti"}})
	withdrawn = w.sim.Dispose(last, srikandisim.Disposition{From: staff("kabid"), To: to("kasi"), Note: "mohon diproses"})
	w.sim.Withdraw(last, withdrawn)
	w.sim.Answer(last, d, staff("kabid").NIP, "diteruskan", "")
	must := func(what string, err error) {
		t.Helper()
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
	}
	page, err := client.List(ctx, srikandi.Query{Limit: 2})
	must("first page", err)
	page, err = client.List(ctx, srikandi.Query{Cursor: page.NextCursor, Limit: 2})
	must("second page", err)
	if len(page.Rows) != 1 || page.NextCursor != "" {
		t.Fatalf("second page has %d rows and cursor %q", len(page.Rows), page.NextCursor)
	}
	n, err := client.Letter(ctx, last)
	must("letter", err)
	must("attachment", client.Attachment(ctx, last, n.Attachments[0], io.Discard, 1<<20))
	fu := srikandi.FollowUp{DispositionID: d, Status: srikandi.StatusProcessing, Note: "diterima"}
	_, err = client.FollowUp(ctx, last, "k1", fu)
	must("follow-up", err)
	_, err = client.FollowUp(ctx, last, "k1", fu)
	must("follow-up again", err)
	_, err = client.FollowUp(ctx, last, "k2", srikandi.FollowUp{Status: srikandi.StatusDone})
	must("follow-up on the letter", err)
	_, err = client.FollowUp(ctx, last, "k3", srikandi.FollowUp{DispositionID: withdrawn, Status: srikandi.StatusDone})
	is(t, err, srikandi.ErrWithdrawn)
	_, err = client.Letter(ctx, "nm-tidak-ada")
	is(t, err, srikandi.ErrGone)
	baru := srikandi.NewNaskah{Number: "9", Date: "2026-11-20", ReceivedAt: w.Now(), Subject: "Permohonan", From: srikandi.Pihak{Unit: "Dinkes", NIP: "19900808 201503 2 005"}}
	files := []letter.File{{Name: `surat "asli".pdf`, MIME: "application/pdf", Data: []byte("%PDF")}, {Name: "", Data: []byte("x")}}
	_, err = client.Register(ctx, "r1", baru, files)
	must("register", err)
	_, err = client.Register(ctx, "r1", baru, files)
	must("register again", err)
	w.sim.OfferRegister(false)
	_, err = client.Register(ctx, "r2", baru, nil)
	is(t, err, srikandi.ErrNotOffered)
	w.sim.RefuseSignIn(true)
	_, err = client.Letter(ctx, last)
	is(t, err, srikandi.ErrSignIn)
}
