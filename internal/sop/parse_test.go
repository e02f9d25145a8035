package sop

import (
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

func shippedSOP(t testing.TB, name string) *SOP {
	t.Helper()
	s, err := Shipped(name)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestPurbalinggaPromises150MinutesUntilTheLink(t *testing.T) {
	t.Parallel()
	s := shippedSOP(t, "purbalingga")
	if s.Total == nil || *s.Total != (Norm{Length: 150 * time.Minute, Clock: Working}) || s.TotalEnds != EndsLink {
		t.Errorf("total %v until %s, expected 150 working minutes until the link", s.Total, s.TotalEnds)
	}
	want := []Ends{EndsReceived, EndsDisposition, EndsDisposition, EndsReset, EndsLink, EndsPassphrase}
	for i, step := range s.Steps {
		if step.Norm != nil {
			t.Errorf("step %s has a norm of %v, the standard gives none", step.ID, step.Norm)
		}
		if i >= len(want) || step.Ends != want[i] {
			t.Errorf("step %d ends with %s", i+1, step.Ends)
		}
	}
	if len(s.Steps) != 6 || len(s.Requirements) != 3 {
		t.Errorf("%d steps and %d requirements, expected 6 and 3", len(s.Steps), len(s.Requirements))
	}
}

func TestMadiunHasTenStepsWithTheirNorms(t *testing.T) {
	t.Parallel()
	s := shippedSOP(t, "madiun")
	if s.Total != nil {
		t.Errorf("total %v, the SOP promises nothing for the whole", s.Total)
	}
	five := &Norm{Length: 5 * time.Minute, Clock: Working}
	want := []struct {
		actor Role
		ends  Ends
		norm  *Norm
	}{
		{Applicant, EndsReceived, nil},
		{Head, EndsDisposition, five},
		{Division, EndsDisposition, five},
		{Section, EndsDisposition, five},
		{Verifier, EndsApproved, five},
		{Verifier, EndsReset, five},
		{BSrE, EndsLink, &Norm{Length: 15 * time.Minute, Clock: Elapsed}},
		{Applicant, EndsPassphrase, &Norm{Length: 15 * time.Minute, Clock: Working}},
		{BSrE, EndsCertificate, &Norm{Length: 24 * time.Hour, Clock: Elapsed}},
		{Applicant, EndsUsable, five},
	}
	if len(s.Steps) != len(want) {
		t.Fatalf("%d steps, expected %d", len(s.Steps), len(want))
	}
	for i, w := range want {
		step := s.Steps[i]
		same := (step.Norm == nil) == (w.norm == nil) && (w.norm == nil || *step.Norm == *w.norm)
		if !slices.Equal(step.Actors, []Role{w.actor}) || step.Ends != w.ends || !same {
			t.Errorf("step %d: %v, %s, %v; expected %s, %s, %v", i+1, step.Actors, step.Ends, step.Norm, w.actor, w.ends, w.norm)
		}
	}
}

func TestShippedComplaintClasses(t *testing.T) {
	t.Parallel()
	want := []ComplaintClass{
		{"light", "Ringan", Norm{Length: 2 * time.Hour, Clock: Working}, Verifier},
		{"normative", "Normatif", Norm{Length: 4 * time.Hour, Clock: Working}, Verifier},
		{"unsupervised", "Tidak berkadar pengawasan", Norm{Days: 1, Clock: Working}, Verifier},
		{"supervised", "Berkadar pengawasan", Norm{Days: 30, Clock: Working}, Section},
	}
	for _, name := range ShippedNames {
		if s := shippedSOP(t, name); !slices.Equal(s.Complaints, want) {
			t.Errorf("%s: %v", name, s.Complaints)
		}
	}
	if _, err := Shipped("blora"); err == nil || !strings.Contains(err.Error(), "purbalingga, madiun") {
		t.Errorf("an unknown SOP: %v", err)
	}
}

func TestAThirdSOPNeedsNoCode(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("testdata/rawabiru.yaml")
	if err != nil {
		t.Fatal(err)
	}
	s, err := Parse(data, "rawabiru.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Steps) != 5 || s.Total.Days != 2 || s.TotalEnds != EndsUsable {
		t.Errorf("read %+v", s)
	}
	if n := s.Steps[1].Norm; *n != (Norm{Length: 90 * time.Minute, Clock: Working}) {
		t.Errorf("1 jam 30 menit was read as %v", n)
	}
	if needs := s.Steps[3].Needs; needs != "Surat\nKartu pegawai" {
		t.Errorf("needs %q", needs)
	}
	if n := s.Complaints[0].Norm; n != (Norm{Days: 3, Clock: Elapsed}) {
		t.Errorf("3d elapsed was read as %v", n)
	}
}

func TestBrokenSOPFilesAreExplained(t *testing.T) {
	t.Parallel()
	data, err := shipped.ReadFile("data/madiun.yaml")
	if err != nil {
		t.Fatal(err)
	}
	good := string(data)
	small := "id: s\ntitle: S\nsource: S\ntotal: {norm: 1 jam, clock: working, ends: received}\nsteps:\n  - {id: a, title: A, actors: [applicant], ends: received}\n"
	if _, err := Parse([]byte(small), "m.yaml"); err != nil {
		t.Fatal(err)
	}
	line := func(marker string) string {
		before, _, ok := strings.Cut(good, marker)
		if !ok {
			t.Fatalf("%q is not in madiun.yaml", marker)
		}
		return "m.yaml:" + strconv.Itoa(strings.Count(before, "\n")+1) + ": "
	}
	for _, c := range []struct{ name, old, new, want string }{
		{"empty", good, "", "m.yaml:1: the file is empty; expected an SOP with id, title, source and steps"},
		{"a comment alone", good, "# nothing\n", "m.yaml:1: the file is empty; expected"},
		{"a list", good, "- a\n- b\n", "m.yaml:1: has another shape than expected"},
		{"no YAML", "id: madiun", "id: \"madiun", "not readable as YAML"},
		{"tabs", "  - id: head\n", "\t- id: head\n", "not readable as YAML"},
		{"unknown key", "source:", "sumber:", line("source:") + `"sumber" is no key here; expected one of id, title, source, total, steps, requirements, complaints`},
		{"unknown key of a step", "    norm: 5 menit", "    norma: 5 menit", line("    norm: 5 menit") + `"norma" is no key here; expected one of id, title, actors, ends, norm, clock, needs, output`},
		{"key twice", "title: Reset", "id: x\ntitle: Reset", line("title: Reset") + `not readable as YAML: mapping key "id" already defined`},
		{"no id", "id: madiun-12.4.1.4\n", "", "id: missing or empty"},
		{"id that is no key", "id: madiun-12.4.1.4", "id: Kota Madiun", line("id: madiun") + `id: "Kota Madiun" is no key; expected small letters, digits, dots and hyphens`},
		{"no title", "    title: Kadin menerima permohonan dan meneruskan kepada Kabid\n", "", line("  - id: head") + "steps[1].title: missing or empty"},
		{"no steps", good[strings.Index(good, "steps:"):], "", "steps: missing; expected one step at least"},
		{"step is text", "  - id: head\n", "  - head\n  - id: head\n", line("  - id: head") + "has another shape than expected"},
		{"unknown actor", "actors: [head]", "actors: [camat]", line("actors: [head]") + `steps[1].actors: "camat" is unknown; expected one of applicant, bsre, head, division, section, verifier`},
		{"operator", "actors: [head]", "actors: [operator]", line("actors: [head]") + `steps[1].actors: "operator" is unknown`},
		{"actor twice", "actors: [head]", "actors: [head, head]", line("actors: [head]") + `steps[1].actors: "head" is there twice`},
		{"no actors", "    actors: [head]\n", "", line("  - id: head") + "steps[1].actors: missing; expected one actor at least"},
		{"actors not a list", "actors: [head]", "actors: head", line("actors: [head]") + "has another shape than expected"},
		{"unknown end", "ends: approved", "ends: validated", line("ends: approved") + `steps[4].ends: "validated" is unknown; expected one of received, disposition, approved, reset, link, passphrase, certificate, usable`},
		{"ends backwards", "ends: passphrase", "ends: reset", line("ends: passphrase") + `steps[7].ends: "reset" can't follow "link"; expected the order received, `},
		{"same end twice", "ends: link", "ends: reset", line("ends: link") + `steps[6].ends: "reset" can't follow "reset"`},
		{"disposition by the applicant", "actors: [head]", "actors: [applicant]", line("actors: [head]") + `steps[1].actors: "applicant" gives no dispositions; expected head, division or section`},
		{"disposition upwards", "actors: [section]", "actors: [head]", line("actors: [section]") + `steps[3].actors: dispositions go down the chain (head, division, section, verifier); "head" was passed before`},
		{"disposition on one level", "actors: [section]", "actors: [division]", line("actors: [section]") + `steps[3].actors: dispositions go down the chain (head, division, section, verifier); "division" was passed before`},
		{"norm without clock", "    norm: 5 menit\n    clock: working\n", "    norm: 5 menit\n", line("  - id: head") + "steps[1].clock: missing or empty"},
		{"clock without norm", "    norm: 5 menit\n    clock: working\n", "    clock: working\n", line("  - id: head") + "steps[1].norm: missing or empty"},
		{"unknown clock", "    clock: working", "    clock: kantor", line("    clock: working") + `steps[1]: clock "kantor" is unknown; expected working or elapsed`},
		{"unknown unit", "5 menit", "5 minggu", line("    norm: 5 menit") + `steps[1]: norm "5 minggu" can't be read; expected e.g. "150 menit", "2 jam", "1 hari" or "30 hari kerja"`},
		{"norm is nothing", "5 menit", "0 menit", `norm "0 menit" is no time at all`},
		{"norm mixes", "5 menit", "1 hari 5 menit", `norm "1 hari 5 menit" mixes days with hours`},
		{"norm too long", "30 hari kerja", "3000 hari kerja", line("    norm: 30 hari kerja") + `complaints[3]: norm "3000 hari kerja" is more than a year`},
		{"working days on the wall", "30 hari kerja\n    clock: working", "30 hari kerja\n    clock: elapsed", `norm "30 hari kerja" counts working days on an elapsed clock`},
		{"norm is a list", "norm: 5 menit", "norm: [5]", line("    norm: 5 menit") + "has no plain text; expected a single value"},
		{"step id twice", "  - id: division", "  - id: head", line("  - id: division") + `steps[2].id: "head" is taken already`},
		{"complaint without norm", "    norm: 2 jam\n    clock: working\n", "", line("  - id: light") + "complaints[0].norm: missing or empty"},
		{"complaint for nobody", "holder: section", "holder: camat", line("    holder: section") + `complaints[3].holder: "camat" is unknown; expected one of head, division, section, verifier`},
		{"total ends nowhere", "requirements:", "total:\n  norm: 1 jam\n  clock: working\n  ends: closed\nrequirements:", `total.ends: "closed" is unknown`},
		{"total ends with no step", good, strings.Replace(small, "ends: received", "ends: approved", 1), `m.yaml:4: total.ends: no step ends with "approved"; expected the end of a step`},
		{"requirement twice", "  - id: identity", "  - id: letter", line("  - id: identity") + `requirements[1].id: "letter" is taken already`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			bad := strings.Replace(good, c.old, c.new, 1)
			_, err := Parse([]byte(bad), "m.yaml")
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("said   %v\nwanted %s", err, c.want)
			}
		})
	}
}

func TestNormsInWords(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text  string
		clock ClockKind
		want  Norm
		words string
	}{
		{"150 menit", Working, Norm{Length: 150 * time.Minute, Clock: Working}, "150 menit"},
		{"150m", Working, Norm{Length: 150 * time.Minute, Clock: Working}, "150 menit"},
		{"2h30m", Elapsed, Norm{Length: 150 * time.Minute, Clock: Elapsed}, "150 menit"},
		{" 2  Jam 30 Menit ", Elapsed, Norm{Length: 150 * time.Minute, Clock: Elapsed}, "150 menit"},
		{"24 jam", Elapsed, Norm{Length: 24 * time.Hour, Clock: Elapsed}, "24 jam"},
		{"90s", Working, Norm{Length: 90 * time.Second, Clock: Working}, "90 detik"},
		{"1 hari", Working, Norm{Days: 1, Clock: Working}, "1 hari"},
		{"1d", Elapsed, Norm{Days: 1, Clock: Elapsed}, "1 hari"},
		{"30 hari kerja", Working, Norm{Days: 30, Clock: Working}, "30 hari kerja"},
		{"30d", Working, Norm{Days: 30, Clock: Working}, "30 hari kerja"},
		{"3 hari", Elapsed, Norm{Days: 3, Clock: Elapsed}, "3 hari"},
	} {
		n, err := ParseNorm(c.text, c.clock)
		if err != nil || n != c.want || n.String() != c.words {
			t.Errorf("%q on %s: %+v %q, %v", c.text, c.clock, n, n, err)
		}
	}
	for _, bad := range []string{"", "5", "menit", "hari kerja", "-5 menit", "1.5 jam", "5 menit!", "9999999 menit", "999999h 999999h 999999h 999999h", "5 m enit", "366d 1d"} {
		if n, err := ParseNorm(bad, Working); err == nil {
			t.Errorf("%q was read as %v", bad, n)
		}
	}
}

func TestLengthsInWords(t *testing.T) {
	t.Parallel()
	minutes := Norm{Length: 150 * time.Minute, Clock: Working}
	wall := Norm{Length: 24 * time.Hour, Clock: Elapsed}
	days := Norm{Days: 30, Clock: Working}
	for _, c := range []struct {
		norm Norm
		d    time.Duration
		want string
	}{
		{minutes, 42 * time.Minute, "42 menit"},
		{minutes, -70 * time.Minute, "1 jam 10 menit"},
		{minutes, 59 * time.Second, "kurang dari 1 menit"},
		{minutes, 0, "0 menit"},
		{minutes, 26 * time.Hour, "26 jam"},
		{wall, 26*time.Hour + 5*time.Minute, "1 hari 2 jam"},
		{wall, 3 * time.Hour, "3 jam"},
		{days, 12*Day + 5*time.Hour, "12 hari kerja"},
		{days, 5 * time.Hour, "kurang dari 1 hari kerja"},
	} {
		if got := c.norm.Say(c.d); got != c.want {
			t.Errorf("%v of %v: %q, expected %q", c.d, c.norm, got, c.want)
		}
	}
}

// FuzzParse: whatever the file, an SOP or an error that names it.
func FuzzParse(f *testing.F) {
	for _, name := range ShippedNames {
		data, err := shipped.ReadFile("data/" + name + ".yaml")
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte("id: &a x\ntitle: *a\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := Parse(data, "f.yaml")
		if err != nil && !strings.HasPrefix(err.Error(), "f.yaml:") {
			t.Errorf("%q", err)
		}
		if err == nil && (len(s.Steps) == 0 || s.ID == "") {
			t.Errorf("accepted %+v", s)
		}
	})
}
