package bsre

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// maxPDF bounds what is sent for verification, and maxVerification what comes back, in bytes.
const (
	maxPDF          = 20 << 20
	maxVerification = 8 << 20
)

// Verification is BSrE's judgement of a signed PDF.
type Verification struct {
	Valid       bool   // conclusion VALID or TOTAL_PASSED, with at least one signature
	Conclusion  string // as written
	Description string // for showing
	Signatures  []Signature
}

// Signature is one signature in the PDF.
type Signature struct {
	Signer     string
	Format     string    // "PAdES-BASELINE-LT"
	At         time.Time // zero when unreadable
	Intact     bool      // integrityValid
	Trusted    bool      // certificateTrusted
	CommonName string
	Issuer     string
}

// VerifyPDF asks the gateway to verify a PDF's signatures. It takes up to 40 s for a few megabytes. The PDF is at most 20 MiB.
func (e *ESign) VerifyPDF(ctx context.Context, pdf []byte) (Verification, error) {
	c := call{client: e.verify, doing: "asking the eSign gateway to verify a PDF", limit: maxVerification}
	if len(pdf) == 0 || len(pdf) > maxPDF {
		return Verification{}, fmt.Errorf("%s: expected 1 to %d bytes, not %d", c.doing, maxPDF, len(pdf))
	}
	req, err := e.request(ctx, http.MethodPost, "/api/v2/verify/pdf", map[string]string{"file": base64.StdEncoding.EncodeToString(pdf)})
	if err != nil {
		return Verification{}, fmt.Errorf("%s: %w", c.doing, err)
	}
	// Not behind the breaker of status calls: a slow verification says nothing about them.
	a, err := c.do(req)
	if err != nil {
		return Verification{}, err
	}
	return readVerification(c, a)
}

func readVerification(c call, a answer) (Verification, error) {
	if a.status == 401 || a.status == 403 {
		return Verification{}, fmt.Errorf("%s: %w", c.doing, ErrCredentials)
	}
	var wire struct {
		Conclusion  text `json:"conclusion"`
		Description text `json:"description"`
		Count       text `json:"signatureCount"`
		Signatures  []struct {
			Signer       text `json:"signerName"`
			Format       text `json:"signatureFormat"`
			Date         text `json:"signatureDate"`
			Intact       text `json:"integrityValid"`
			Trusted      text `json:"certificateTrusted"`
			Certificates []struct {
				CommonName text `json:"commonName"`
				Issuer     text `json:"issuerName"`
			} `json:"certificateDetails"`
		} `json:"signatureInformations"`
	}
	if a.status != http.StatusOK || json.Unmarshal(a.body, &wire) != nil || wire.Conclusion == "" {
		if o, ok := object(a.body); ok && a.status < 500 {
			if words := a.words(o); words != "" {
				return Verification{}, fmt.Errorf("%s: %w", c.doing, &Denied{Words: words})
			}
		}
		return Verification{}, c.unreadable(a)
	}
	v := Verification{Conclusion: a.clean(string(wire.Conclusion)), Description: a.clean(string(wire.Description))}
	for _, s := range wire.Signatures {
		sig := Signature{
			Signer: string(s.Signer), Format: string(s.Format), At: readDate(string(s.Date), WIB),
			Intact: s.Intact == "true", Trusted: s.Trusted == "true",
		}
		if len(s.Certificates) > 0 {
			sig.CommonName, sig.Issuer = string(s.Certificates[0].CommonName), string(s.Certificates[0].Issuer)
		}
		v.Signatures = append(v.Signatures, sig)
	}
	passed := strings.EqualFold(v.Conclusion, "VALID") || strings.EqualFold(v.Conclusion, "TOTAL_PASSED")
	v.Valid = passed && len(v.Signatures) > 0
	for _, s := range v.Signatures {
		v.Valid = v.Valid && s.Intact && s.Trusted
	}
	return v, nil
}
