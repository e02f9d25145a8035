package mailflow

import (
	"bytes"
	"errors"
	"net"
	"strings"

	"github.com/emersion/go-msgauth/authres"
	"github.com/emersion/go-msgauth/dkim"

	"pulih/internal/agency"
	"pulih/internal/letter"
)

// Trust says whose word counts about who sent a mail.
type Trust struct {
	// ServerID is the authserv-id that the agency's own MX writes into Authentication-Results (RFC 8601). That server must remove fields
	// with its own id from incoming mail (RFC 8601, 5). Empty: there is none, and DKIM is checked here.
	ServerID string
	// LookupTXT resolves DKIM keys; nil means the system's resolver.
	LookupTXT func(domain string) ([]string, error)
}

const maxSignatures = 5

// Authenticate says what is known about the sender of a mail. raw is the whole message, as fetched.
//
// A pass for another domain than that of From proves nothing about the sender: it is given as "policy" (RFC 8601, 2.7.1). DMARC is only
// known from the own MX. An unknown result is empty.
func Authenticate(m *letter.Mail, raw []byte, trust Trust) letter.Authentication {
	if trust.ServerID != "" {
		return fromServer(m, raw, trust.ServerID)
	}
	if !AsksDNS(m, trust) {
		return letter.Authentication{DKIM: "none"}
	}
	return letter.Authentication{DKIM: checkDKIM(m, raw, trust.LookupTXT)}
}

// AsksDNS reports whether Authenticate will look keys up, which may take its time.
func AsksDNS(m *letter.Mail, trust Trust) bool {
	return trust.ServerID == "" && m.Get("DKIM-Signature") != ""
}

// fromServer reads the results of the own MX; of several of one kind the best aligned pass counts, since a mail may carry signatures of
// others too.
func fromServer(m *letter.Mail, raw []byte, id string) letter.Authentication {
	var a letter.Authentication
	for _, value := range trustedFields(raw, id) {
		_, results, err := authres.Parse(value)
		if err != nil {
			continue
		}
		for _, r := range results {
			switch r := r.(type) {
			case *authres.SPFResult:
				a.SPF = better(a.SPF, aligned(string(r.Value), m, or(r.From, r.Helo)))
			case *authres.DKIMResult:
				a.DKIM = better(a.DKIM, aligned(string(r.Value), m, or(r.Domain, r.Identifier)))
			case *authres.DMARCResult:
				if a.DMARC == "" {
					a.DMARC = string(r.Value)
				}
			}
		}
	}
	return a
}

// trustedFields are the Authentication-Results fields that the own MX added. It puts them on top of what it got: above its own Received
// field, or, as Postfix's filters do, directly below it. Where its Received field can't be told only the topmost counts.
func trustedFields(raw []byte, id string) []string {
	var trusted []string
	passed := false // the MX's own Received field
	for _, f := range topFields(raw) {
		ours := false
		if strings.EqualFold(f.key, "Authentication-Results") {
			got, _, err := authres.Parse(f.value)
			ours = err == nil && strings.EqualFold(got, id)
		}
		if passed && !ours {
			return trusted
		}
		if ours {
			trusted = append(trusted, f.value)
		}
		if strings.EqualFold(f.key, "Received") && receivedBy(f.value, id) {
			if passed = true; len(trusted) > 0 {
				return trusted
			}
		}
	}
	return trusted[:min(len(trusted), 1)]
}

func receivedBy(received, host string) bool {
	return strings.Contains(" "+strings.ToLower(received)+" ", " by "+strings.ToLower(host)+" ")
}

type field struct{ key, value string }

const maxTopFields = 300

// topFields are the header fields in their order, unfolded.
func topFields(raw []byte) []field {
	var fields []field
	for len(raw) > 0 && len(fields) < maxTopFields {
		line, rest, _ := bytes.Cut(raw, []byte("\n"))
		raw = rest
		text := strings.TrimRight(string(line), "\r")
		if text == "" {
			break
		}
		if text[0] == ' ' || text[0] == '\t' {
			if len(fields) > 0 {
				fields[len(fields)-1].value += " " + strings.TrimSpace(text)
			}
			continue
		}
		if key, value, ok := strings.Cut(text, ":"); ok {
			fields = append(fields, field{strings.TrimSpace(key), strings.TrimSpace(value)})
		}
	}
	return fields
}

// aligned turns a pass for another domain into "policy".
func aligned(value string, m *letter.Mail, domain string) string {
	if value == "pass" && !alignedWith(m, domain) {
		return "policy"
	}
	return value
}

// alignedWith compares with the From field: the same domain, or one above the other on label boundaries (relaxed alignment, RFC 7489, 3.1,
// without a list of public suffixes: a domain of one or two labels like "go.id" aligns with itself alone).
func alignedWith(m *letter.Mail, domain string) bool {
	if at := strings.LastIndexByte(domain, '@'); at >= 0 {
		domain = domain[at+1:]
	}
	domain = strings.ToLower(strings.Trim(domain, " <>."))
	if len(m.From) != 1 || domain == "" {
		return false
	}
	from := strings.ToLower(m.From[0].Address[strings.LastIndexByte(m.From[0].Address, '@')+1:])
	if from == domain {
		return true
	}
	wide := func(d string) bool { return strings.Count(d, ".") < 2 }
	return !wide(domain) && agency.InDomain("x@"+from, domain) || !wide(from) && agency.InDomain("x@"+domain, from)
}

// better keeps the stronger of two results of the same kind.
func better(a, b string) string {
	if a == "" || a != "pass" && b == "pass" || a == "none" {
		return b
	}
	return a
}

// checkDKIM checks the signatures itself.
func checkDKIM(m *letter.Mail, raw []byte, lookup func(string) ([]string, error)) string {
	found, err := dkim.VerifyWithOptions(bytes.NewReader(raw), &dkim.VerifyOptions{LookupTXT: lookup, MaxVerifications: maxSignatures})
	if err != nil && !errors.Is(err, dkim.ErrTooManySignatures) {
		return outcome(err)
	}
	result := ""
	for _, v := range found {
		value := "pass"
		if v.Err != nil {
			value = outcome(v.Err)
		}
		result = better(result, aligned(value, m, v.Domain))
	}
	return or(result, "none")
}

func outcome(err error) string {
	var dns *net.DNSError
	switch {
	case dkim.IsTempFail(err), errors.As(err, &dns):
		return "temperror"
	case dkim.IsPermFail(err):
		return "permerror"
	}
	return "fail"
}
