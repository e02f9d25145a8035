package bsre_test

import (
	"encoding/json"
	"strings"
	"testing"

	"pulih/bsre"
)

// Whatever a gateway answers, ISSUE is read only from a JSON object that says so.
func FuzzIssueIsNeverGuessed(f *testing.F) {
	f.Add(200, `{"status":"ISSUE"}`)
	f.Add(200, `{"status_code":1111}`)
	f.Add(500, `{"status":"ISSUE"}`)
	f.Add(200, `{"data":[{"status":"issue"},{}]}`)
	f.Add(200, `{"status":"NOT_ISSUE","message":"ISSUE"}`)
	f.Add(200, `<p>ISSUE 1111</p>`)
	f.Fuzz(func(t *testing.T, status int, body string) {
		got, err := bsre.ReadStatusForTest(status, []byte(body))
		if got.Code != bsre.Issue {
			return
		}
		upper := strings.ToUpper(body)
		if err != nil || status < 200 || status > 299 || !json.Valid([]byte(body)) || !strings.Contains(upper, "STATUS") && !strings.Contains(body, `\u`) {
			t.Fatalf("ISSUE from HTTP %d %q (%v)", status, body, err)
		}
	})
}

// Whatever the portal answers, a reset counts as accepted only with a 2xx JSON object without success false, and as refused only with
// words of the portal or a 401.
func FuzzOutcomesAreNeverGuessed(f *testing.F) {
	f.Add(200, false, `{"success":true}`)
	f.Add(200, false, `{"success":false,"message":"tidak"}`)
	f.Add(404, false, `{"message":"Serial number sertifikat tidak valid"}`)
	f.Add(401, true, ``)
	f.Add(403, false, `<html>`)
	f.Add(500, false, `{"success":false}`)
	f.Fuzz(func(t *testing.T, status int, challenge bool, body string) {
		o := bsre.JudgeForTest(status, challenge, []byte(body))
		var object struct {
			Success any `json:"success"`
		}
		isObject := json.Unmarshal([]byte(body), &object) == nil && strings.HasPrefix(strings.TrimSpace(body), "{")
		switch o.Kind {
		case bsre.Accepted:
			if status < 200 || status > 299 || !isObject || object.Success == false {
				t.Fatalf("accepted: HTTP %d %q", status, body)
			}
		case bsre.Refused:
			ok := status == 401 && (challenge || isObject) || isObject && (object.Success == false || status == 400 || status == 404 || status == 422)
			if !ok || status >= 500 {
				t.Fatalf("refused: HTTP %d %q", status, body)
			}
		case bsre.NotSent:
			t.Fatal("not sent, and yet answered")
		}
		if len([]rune(o.Message)) > 200 {
			t.Fatalf("%d characters of words", len([]rune(o.Message)))
		}
	})
}

// Details of any shape are read or refused, and what is read never leads to a choice that isn't in ISSUE.
func FuzzDetails(f *testing.F) {
	f.Add(`{"data":{"profile":{"nama":"x","phoneVerified":false},"sertifikat":[{"status":"ISSUE","serialNumber":"aa","notAfterDate":"2027-03-01 08:00:00"}]}}`)
	f.Add(`{"data":{"profile":{},"sertifikat":{}}}`)
	f.Add(`{"data":{"profile":{"nik":1e99},"sertifikat":[null,1,"x",[],{"status":{}}]}}`)
	f.Fuzz(func(t *testing.T, body string) {
		d, err := bsre.ReadDetailsForTest([]byte(body))
		if err != nil {
			return
		}
		if c, err := bsre.Choose(d, noon); err == nil && c.Status != bsre.Issue {
			t.Fatalf("chose %v", c)
		}
	})
}
