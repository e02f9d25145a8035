package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"
)

// clock runs the command as a shell would, at a fixed time: Friday, 20 November 2026, 15.30 WIB.
func clock(t *testing.T, args ...string) (string, error) {
	t.Helper()
	var cmd ClockCmd
	k, err := kong.New(&cmd)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := k.Parse(args); err != nil {
		return "", err
	}
	var out bytes.Buffer
	err = cmd.run(&out, time.Date(2026, 11, 20, 8, 30, 0, 0, time.UTC))
	return out.String(), err
}

func TestClockPrintsOneObject(t *testing.T) {
	t.Parallel()
	friday := []string{"--sop", "purbalingga", "--json", "--start", "2026-11-20T15:00:00+07:00"}
	for _, c := range []struct {
		name string
		args []string
		want string
	}{
		{"across the weekend", []string{"--norm", "150m", "--at", "2026-11-20T16:00:00+07:00"},
			`{"due":"2026-11-23T08:30:00+07:00","used_s":3600,"left_s":5400,"state":"running"`},
		{"now if no time is given", []string{"--norm", "150m"},
			`{"due":"2026-11-23T08:30:00+07:00","used_s":1800,"left_s":7200,"state":"running"`},
		{"over", []string{"--norm", "30m", "--at", "2026-11-20T09:00:00Z"},
			`{"due":"2026-11-20T15:30:00+07:00","used_s":3600,"left_s":-1800,"state":"over"`},
		{"elapsed", []string{"--norm", "24h", "--clock", "elapsed", "--at", "2026-11-21T07:00:00+07:00"},
			`{"due":"2026-11-21T15:00:00+07:00","used_s":57600,"left_s":28800,"state":"running"`},
		{"pauses", []string{"--norm", "1h", "--pause", "2026-11-20T15:10:00+07:00/2026-11-20T15:20:00+07:00", "--pause", "2026-11-20T08:25:00Z/2026-11-20T08:35:00Z"},
			`{"due":"2026-11-20T16:20:00+07:00","used_s":900,"left_s":2700,"state":"paused"`},
		{"open pause", []string{"--norm", "1h", "--pause", "2026-11-20T15:10:00+07:00/"},
			`{"due":null,"used_s":600,"left_s":3000,"state":"paused"`},
		{"working days", []string{"--norm", "30 hari kerja", "--at", "2026-11-20T15:00:00+07:00"},
			`{"due":"2027-01-07T14:30:00+07:00","used_s":0,"left_s":2592000,"state":"running"`},
		{"a working day by its English name", []string{"--norm", "1 working day", "--at", "2026-11-20T15:00:00+07:00"},
			`{"due":"2026-11-23T14:30:00+07:00","used_s":0,"left_s":86400,"state":"running"`},
		{"small t and z, a pause of no length", []string{"--norm", "30 minutes", "--pause", "2026-11-20t08:10:00z/2026-11-20t08:10:00z", "--at", "2026-11-20t08:10:00z"},
			`{"due":"2026-11-20T15:30:00+07:00","used_s":600,"left_s":1200,"state":"running"`},
		{"fractions of a second", []string{"--norm", "1m", "--start", "2026-11-20T15:00:00.5+07:00", "--at", "2026-11-20T15:00:30+07:00"},
			`{"due":"2026-11-20T15:01:01+07:00","used_s":29,"left_s":31,"state":"running"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			out, err := clock(t, append(friday[:len(friday):len(friday)], c.args...)...)
			if err != nil || !strings.HasPrefix(out, c.want+`,"calendar":"2026-2027-`) {
				t.Errorf("%s%v\nexpected %s", out, err, c.want)
			}
			if !json.Valid([]byte(out)) || strings.Count(out, "\n") != 1 {
				t.Errorf("not one object a line: %q", out)
			}
		})
	}
}

func TestClockSpeaksToPeople(t *testing.T) {
	t.Parallel()
	out, err := clock(t, "--sop", "madiun", "--start", "2026-11-20T15:00:00+07:00", "--norm", "150m", "--at", "2026-11-23T08:25:00+07:00")
	want := "Norma        150 menit\nJatuh tempo  2026-11-23 08.30.00 WIB\nTerpakai     2 jam 25 menit\nKeadaan      hampir lewat, tersisa 5 menit\nKalender     2026-2027-"
	if err != nil || !strings.HasPrefix(out, want) {
		t.Errorf("%s%v", out, err)
	}
}

func TestClockExplainsWhatItCantRead(t *testing.T) {
	t.Parallel()
	good := map[string]string{"--sop": "purbalingga", "--start": "2026-11-20T15:00:00+07:00", "--norm": "150m"}
	for _, c := range []struct{ flag, value, want string }{
		{"--sop", "blora", `--sop: SOP "blora" is unknown; expected one of purbalingga, madiun`},
		{"--sop", "", "expected either --sop NAME or --config FILE --agency KEY"},
		{"--config", "pulih.yaml", "expected either --sop NAME or --config FILE --agency KEY"},
		{"--agency", "madiun", "--config and --agency belong together"},
		{"--start", "", `--start: "" is no time; expected RFC 3339`},
		{"--start", "2026-11-20 15:00", `--start: "2026-11-20 15:00" is no time; expected RFC 3339, e.g. 2026-11-20T15:00:00+07:00`},
		{"--start", "2026-11-31T15:00:00+07:00", "is no time"},
		{"--start", "1999-11-30T15:00:00+07:00", "is out of range; expected a year from 2000 to 2199"},
		{"--start", "2025-11-20T15:00:00+07:00", "hari libur tahun 2025 tidak ada di kalender"},
		{"--at", "2028-11-20T15:00:00+07:00", "hari libur tahun 2028 tidak ada di kalender"},
		{"--at", "besok", `--at: "besok" is no time`},
		{"--norm", "", `norm "" is no time at all`},
		{"--norm", "150", `norm "150" can't be read`},
		{"--norm", "-5m", "can't be read"},
		{"--norm", "0m", "is no time at all"},
		{"--clock", "kantor", `clock "kantor" is unknown; expected working or elapsed`},
		{"--pause", "2026-11-20T15:00:00+07:00", "is no span; expected FROM/UNTIL"},
		{"--pause", "2026-11-20T15:00:00+07:00/2026-11-20T14:00:00+07:00", "ends before it begins"},
		{"--pause", "/2026-11-20T14:00:00+07:00", `--pause: "" is no time`},
	} {
		var args []string
		for flag, value := range good {
			if flag != c.flag {
				args = append(args, flag+"="+value)
			}
		}
		out, err := clock(t, append(args, c.flag+"="+c.value)...)
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s %q: %s%v, expected %s", c.flag, c.value, out, err, c.want)
		}
	}
}

func TestClockOfAConfiguredAgency(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "pulih.yaml")
	file := `operator: {email: operator@pulih.example}
agencies:
  - key: rawabiru
    prefix: RBR
    name: Pemerintah Kabupaten Rawa Biru
    unit: Diskominfo
    phone: 0281-555010
    hours_text: Senin-Jumat
    domains: [rawabirukab.example]
    zone: Asia/Jayapura
    sop: purbalingga
    srikandi: {source: folder, folder: surat}
    outbox: {host: smtp.example, from: tte@rawabirukab.example}
    staff:
      - {id: surya, name: Surya, position: Kadin, email: surya@rawabirukab.example, roles: [head]}
      - {id: rini, name: Rini, position: Verifikator, email: rini@rawabirukab.example, roles: [section, verifier]}
    offices:
      - id: dinkes
        name: Dinas Kesehatan
        head: {name: Endah, position: Kepala, email: endah@rawabirukab.example}
`
	if err := os.WriteFile(path, []byte(file), 0o600); err != nil {
		t.Fatal(err)
	}
	args := []string{"--config", path, "--start", "2026-11-20T14:00:00+07:00", "--norm", "1h", "--json"}
	out, err := clock(t, append(args, "--agency", "rawabiru")...)
	if err != nil || !strings.Contains(out, `"due":"2026-11-23T08:00:00+09:00"`) {
		t.Errorf("%s%v, expected 30 minutes on Friday and 30 on Monday in WIT", out, err)
	}
	if _, err := clock(t, append(args, "--agency", "madiun")...); err == nil || !strings.Contains(err.Error(), `"madiun" is unknown; expected one of rawabiru`) {
		t.Errorf("an unknown agency: %v", err)
	}
	if _, err := clock(t, "--config", path+"x", "--agency", "madiun", "--start", "2026-11-20T14:00:00+07:00", "--norm", "1h"); err == nil || !strings.Contains(err.Error(), "reading the configuration") {
		t.Errorf("a missing file: %v", err)
	}
}
