package config

import (
	"fmt"
	"net/mail"
	"net/netip"
	"net/url"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"time"

	"pulih/internal/agency"
)

// rule is what the tag `is` asks of a text.
type rule struct {
	ok      func(string) bool
	noun    string // "%q is no <noun>"
	want    string // "expected <want>"
	private bool   // the value is not repeated in messages
}

var rules = map[string]rule{
	"domain":  {domainName.MatchString, "domain name", "e.g. purbalinggakab.go.id", false},
	"email":   {isAddress, "e-mail address", "e.g. nama@purbalinggakab.go.id", false},
	"host":    {isHost, "host", "a name or an IP address without a port, e.g. mail.purbalinggakab.go.id", false},
	"ip":      {isIP, "IP address", "e.g. 203.0.113.7", false},
	"key":     {regexp.MustCompile(`^[a-z][a-z0-9-]{1,39}$`).MatchString, "key", "2 to 40 lower-case letters, digits and hyphens, a letter first, e.g. purbalingga", false},
	"listen":  {isListen, "address to listen at", "host:port, e.g. 127.0.0.1:8028", false},
	"nik":     {sixteen.MatchString, "NIK", "16 digits", true},
	"nip":     {isNIP, "NIP", "18 digits, with or without blanks", true},
	"path":    {func(string) bool { return true }, "path", "relative to this file", false},
	"phone":   {regexp.MustCompile(`^[0-9+() ./-]{5,40}$`).MatchString, "telephone number", "e.g. (0281) 891012", false},
	"prefix":  {regexp.MustCompile(`^[A-Z]{2,5}$`).MatchString, "prefix", "2 to 5 capital letters, e.g. PBG", false},
	"url":     {isURL, "URL", "http(s)://host[:port][/path] without user name, query or fragment", true},
	"urlpath": {regexp.MustCompile(`^/[A-Za-z0-9/{}._~-]+$`).MatchString, "path of a URL", "e.g. /api/rest/manage/user/list", false},
	"zone":    {isZone, "time zone", `e.g. "Asia/Jakarta", "Asia/Makassar" or "Asia/Jayapura"`, false},
}

var (
	domainName = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)
	envName    = regexp.MustCompile(`^[A-Z][A-Z0-9_]*$`)
	sixteen    = regexp.MustCompile(`^[0-9]{16}$`)
)

// isAddress accepts a bare addr-spec (RFC 5321, section 4.1.2) without quoting, comments or a display name.
func isAddress(s string) bool {
	a, err := mail.ParseAddress(s)
	if err != nil || a.Address != s || a.Name != "" || strings.ContainsAny(s, "\"<>() ") {
		return false
	}
	_, host, _ := strings.Cut(s, "@")
	return len(s) <= 254 && strings.Contains(host, ".") && domainName.MatchString(strings.ToLower(host))
}

func isHost(s string) bool { return domainName.MatchString(strings.ToLower(s)) || isIP(s) }

func isIP(s string) bool { _, err := netip.ParseAddr(s); return err == nil }

func isListen(s string) bool {
	i := strings.LastIndexByte(s, ':')
	if i < 0 {
		return false
	}
	port, err := strconv.ParseUint(s[i+1:], 10, 16)
	host := strings.Trim(s[:i], "[]")
	return err == nil && port <= 65535 && (host == "" || isHost(host))
}

// isNIP accepts any 18 digits: contract staff use months above 12 (service.md, "Identity numbers").
func isNIP(s string) bool {
	return len(agency.Digits(s)) == 18 && strings.Trim(s, "0123456789 ") == ""
}

// isURL refuses user names in a URL (they would carry a password into logs) and what can't be a base for paths.
func isURL(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && isHost(u.Hostname()) &&
		u.User == nil && u.RawQuery == "" && u.Fragment == "" && !strings.HasSuffix(s, "?") && !strings.HasSuffix(s, "#")
}

// isZone refuses "Local": what it means depends on the machine.
func isZone(s string) bool {
	if s == "Local" {
		return false
	}
	_, err := time.LoadLocation(s)
	return err == nil
}

// loopback reports whether a host is this machine, where plain text is allowed (contracts: plain HTTP only to a loopback address).
func loopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}

// parseDuration is time.ParseDuration with whole days before it: "90d". A day is 24 hours.
func parseDuration(s string) (time.Duration, error) {
	if n, ok := strings.CutSuffix(s, "d"); ok {
		days, err := strconv.ParseUint(n, 10, 16)
		return time.Duration(days) * 24 * time.Hour, err
	}
	d, err := time.ParseDuration(s)
	if err == nil && d < 0 {
		err = fmt.Errorf("negative")
	}
	return d, err
}

// expectation says in words what a field takes, for messages and for the test that reads docs/configuration.md.
func expectation(t reflect.Type, tag reflect.StructTag) string {
	if list := tag.Get("oneof"); list != "" && t.Kind() != reflect.Slice {
		return "one of: " + strings.Join(strings.Fields(list), ", ")
	}
	if name := tag.Get("is"); name != "" && t.Kind() != reflect.Slice {
		return article(rules[name].noun) + ", " + rules[name].want
	}
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch t {
	case reflect.TypeFor[time.Duration]():
		return "a length of time, e.g. 30s, 15m, 2h or 90d"
	case reflect.TypeFor[Date]():
		return "a day, e.g. 2026-11-16"
	case reflect.TypeFor[Size]():
		return "a size, e.g. 35MB"
	case reflect.TypeFor[Intervals]():
		return `hours, e.g. "07.30-12.00, 13.00-16.00", or closed`
	case reflect.TypeFor[Window]():
		return "days and hours, e.g. mon-fri 07.30-21.00"
	case reflect.TypeFor[Schedule]():
		return `a schedule, e.g. "45 7 * * 1-5", open+15m, close-15m or off`
	}
	switch t.Kind() {
	case reflect.Struct:
		return "keys with values: " + strings.Join(keysOf(t), ", ")
	case reflect.Slice:
		return "a list, each item " + expectation(t.Elem(), tag)
	case reflect.Bool:
		return "true or false"
	case reflect.Int:
		if tag.Get("max") != "" {
			return "a whole number from " + tag.Get("min") + " to " + tag.Get("max")
		}
		return "a whole number"
	case reflect.Float64:
		return "a number"
	}
	return "a text"
}

func article(noun string) string {
	if strings.HasPrefix(noun, "e-mail") || strings.HasPrefix(noun, "IP") || strings.HasPrefix(noun, "address") {
		return "an " + noun
	}
	return "a " + noun
}

func isSetter(t reflect.Type) bool { return reflect.PointerTo(t).Implements(reflect.TypeFor[setter]()) }
