package bsre_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"pulih/bsre"
	"pulih/internal/demo/bsresim"
)

// attempt is one reset of one applicant: each has an applicant of its own, so that the journal tells attempts apart.
type attempt struct {
	fault           bsresim.Fault
	cut             string // "", "asking", "answering": where a proxy cuts the exchange
	at              int64  // after so many bytes
	byReset         bool
	daemon          int
	state           string // of the certificate
	phoneUnverified bool
	otherSerial     bool
	tokenOver       bool

	uid     string
	outcome bsre.Outcome
}

func drawAttempt(t *rapid.T) *attempt {
	a := &attempt{
		fault:           rapid.SampledFrom(append([]bsresim.Fault{bsresim.NoFault}, bsresim.Faults...)).Draw(t, "fault"),
		cut:             rapid.SampledFrom([]string{"", "", "asking", "answering"}).Draw(t, "cut"),
		byReset:         rapid.Bool().Draw(t, "byReset"),
		daemon:          rapid.IntRange(0, 1).Draw(t, "daemon"),
		state:           rapid.SampledFrom([]string{"ISSUE", "ISSUE", "ISSUE", "REVOKE"}).Draw(t, "state"),
		phoneUnverified: rapid.IntRange(0, 4).Draw(t, "phone") == 0,
		otherSerial:     rapid.IntRange(0, 6).Draw(t, "serial") == 0,
		tokenOver:       rapid.IntRange(0, 8).Draw(t, "token") == 0,
	}
	if a.cut != "" {
		a.at = rapid.Int64Range(0, 420).Draw(t, "at")
	}
	return a
}

// resettable: nothing stands in the way of this attempt.
func (a *attempt) resettable() bool {
	quiet := a.fault == bsresim.NoFault || a.fault == bsresim.Ambiguous
	return quiet && a.cut == "" && a.state == "ISSUE" && !a.phoneUnverified && !a.otherSerial && !a.tokenOver
}

// Whatever goes wrong, an outcome is never claimed wrongly: what BSrE acted upon is never called refused or not sent, and what is called
// accepted was acted upon. Two daemons ask at the same time.
func TestOutcomesAreNeverClaimedWrongly(t *testing.T) {
	t.Parallel()
	rounds := 1
	if os.Getenv("PULIH_SOAK") != "" {
		rounds = 1000 // of 100 histories each
	}
	for range rounds {
		rapid.Check(t, func(rt *rapid.T) {
			attempts := make([]*attempt, rapid.IntRange(1, 12).Draw(rt, "attempts"))
			for i := range attempts {
				attempts[i] = drawAttempt(rt)
			}
			for _, problem := range play(t, attempts) {
				rt.Error(problem)
			}
		})
	}
}

// play makes the attempts side by side and returns what was claimed wrongly.
func play(t *testing.T, attempts []*attempt) (problems []string) {
	faults := map[string]bsresim.Fault{}
	sim := bsresim.New(bsresim.Options{Decide: func(c bsresim.Call, r *http.Request) bsresim.Fault {
		if c == bsresim.CallReset {
			return faults[r.PathValue("uid")]
		}
		return bsresim.NoFault
	}})
	server := httptest.NewServer(sim)
	sim.AddOperator(operator, password)
	var sessions [2]bsre.Session
	for i := range sessions {
		s, err := daemon(t, server.URL, time.Minute).SignIn(t.Context(), operator, password, sim.Code(operator))
		if err != nil {
			t.Fatal(err)
		}
		sessions[i] = s
	}
	for _, a := range attempts {
		u := applicant()
		u.PhoneUnverified, u.Certificates[0].Status = a.phoneUnverified, a.state
		a.uid = sim.AddUser(u)
		faults[a.uid] = a.fault
	}
	var wg sync.WaitGroup
	for _, a := range attempts {
		wg.Go(func() { a.make(t, server.URL, sessions[a.daemon]) })
	}
	wg.Wait()
	server.Close() // waits for what still runs
	sim.Quiet()
	sim.Close()
	for _, a := range attempts {
		if problem := a.check(sim.Journal()); problem != "" {
			problems = append(problems, problem)
		}
	}
	return problems
}

func daemon(t *testing.T, url string, patience time.Duration) *bsre.AMS {
	a, err := bsre.NewAMS(bsre.AMSConfig{BeIDURL: url, PortalURL: url, OperatorIP: "10.1.2.3", ResetTimeout: patience})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func (a *attempt) make(t *testing.T, url string, s bsre.Session) {
	patience := time.Minute
	if strings.HasPrefix(string(a.fault), "hang") {
		patience = 5 * time.Millisecond
	}
	if a.cut != "" {
		proxy := newCutProxy(t, strings.TrimPrefix(url, "http://"))
		defer proxy.close()
		if a.cut == "asking" {
			proxy.cutAt(a.at, -1, a.byReset)
		} else {
			proxy.cutAt(-1, a.at, a.byReset)
		}
		url = proxy.url()
	}
	if a.tokenOver {
		over, err := bsre.OpenSession([]byte(`{"a":"at-over","r":"rt-over","e":"2199-01-01T00:00:00Z","x":"2199-01-01T00:00:00Z"}`))
		if err != nil {
			t.Error(err)
		}
		s = over
	}
	number := serial
	if a.otherSerial {
		number = "0BADC0DE"
	}
	a.outcome = daemon(t, url, patience).Reset(t.Context(), s, a.uid, number)
}

func (a *attempt) check(journal []bsresim.Entry) string {
	mine := slices.DeleteFunc(slices.Clone(journal), func(e bsresim.Entry) bool { return e.UID != a.uid })
	executed := slices.ContainsFunc(mine, func(e bsresim.Entry) bool { return e.Executed })
	wrong := ""
	switch kind := a.outcome.Kind; {
	case len(mine) > 1:
		wrong = "more than one request"
	case kind == bsre.Accepted && !executed:
		wrong = "accepted, but BSrE did nothing"
	case kind == bsre.Refused && executed:
		wrong = "refused, but BSrE acted"
	case kind == bsre.NotSent && len(mine) > 0:
		wrong = "not sent, but it arrived"
	case a.resettable() && kind != bsre.Accepted:
		wrong = "nothing stood in the way"
	default:
		return ""
	}
	return fmt.Sprintf("%s: attempt %+v, journal %+v", wrong, *a, mine)
}
