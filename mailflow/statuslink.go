package mailflow

import (
	"crypto/hmac"
	"crypto/sha256"
	"net/url"
	"strings"
)

// Audience is for whom a status page is: it shows each no more than their mail did.
type Audience string

// The audiences of a status page.
const (
	ForApplicant Audience = "p" // pemohon
	ForOffice    Audience = "k" // kantor
)

// StatusPath is the address of a request's status page below the public URL: "/s/PBG-2026-000123/p/SIGNATURE". Whoever has it sees the
// page without signing in; it is signed, so that nobody makes one up.
func StatusPath(key []byte, number string, for_ Audience) string {
	return "/s/" + number + "/" + string(for_) + "/" + statusMAC(key, number, for_)
}

// StatusURL is the whole address; empty when no public URL is configured.
func StatusURL(key []byte, publicURL, number string, for_ Audience) string {
	if publicURL == "" {
		return ""
	}
	u, err := url.Parse(strings.TrimSuffix(publicURL, "/") + StatusPath(key, number, for_))
	if err != nil {
		return ""
	}
	return u.String()
}

// CheckStatus reports whether the parts of a status page's address were signed by us.
func CheckStatus(key []byte, number string, for_ Audience, signature string) bool {
	return hmac.Equal([]byte(statusMAC(key, number, for_)), []byte(signature))
}

func statusMAC(key []byte, number string, for_ Audience) string {
	h := hmac.New(sha256.New, key)
	h.Write([]byte("status\x00" + number + "\x00" + string(for_)))
	return unpadded.EncodeToString(h.Sum(nil)[:15])
}
