package letter

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// Lines below a whole one belong to the row above only where cells set in the middle, or at the bottom, of their rows can't look the same.
func TestLinesBetweenRowsBelongAboveOnlyWhenNothingElseIsPossible(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		wrapped []int // lines below each whole one
		want    bool
	}{
		{[]int{0, 0, 0}, true},
		{[]int{1, 1, 1}, true},
		{[]int{2, 1, 2, 2}, true},
		{[]int{0, 1}, true},
		{[]int{2}, true},
		{[]int{1, 1}, false},       // or one line, and three around their middle
		{[]int{1, 2, 1}, false},    // or one, three and three
		{[]int{1, 0}, false},       // or one line, and two set at the bottom
		{[]int{2, 1, 0, 0}, false}, // nothing below the last: set at the bottom
	} {
		var whole []int
		lines := 0
		for _, n := range c.wrapped {
			whole = append(whole, lines)
			lines += 1 + n
		}
		if got := len(waysBut(whole, lines)) == 0; got != c.want {
			t.Errorf("%v: %v, want %v", c.wrapped, got, c.want)
		}
	}
}

// A table is in doubt, and its page is drawn, where its words leave two readings.
func TestATableWhoseWordsDontTellIsInDoubt(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		table string
		doubt bool
	}{
		"a title follows a comma": {`
Nama             NIP                   Jabatan
Siti Aminah,     198303162018072019    Camat
S.H.
Budi Nugroho,    197609142001021007    Lurah
S.H.`, false},
		"a name may end above, or begin": {`
Nama             NIP                   Jabatan
Siti Aminah      198303162018072019    Camat
Wijayanti
Budi Nugroho     197609142001021007    Lurah
Prasetyo`, true},
		"every line fills every column": {`
Nama             NIP               Jabatan
Siti Aminah      19830316 20180    Camat
Wijayanti        7 2 019           Kutasari
Budi Nugroho     19760914 20010    Lurah
Prasetyo         2 1 007           Kandang`, true},
		"a NIP is broken, and rows are numbered": {`
No   Nama             NIP               Jabatan
1    Siti Aminah      19830316 20180    Camat
     Wijayanti        7 2 019
2    Budi Nugroho     19760914 20010    Lurah
     Prasetyo         2 1 007`, false},
		"nothing is numbered": {`
Nama             Jabatan             Unit Kerja
Siti Aminah      Kepala Seksi        Kecamatan
Wijayanti        Pelayanan           Kutasari`, true},
		"the heading runs on": {`
No   Nama             NIP                   Jabatan
                                            saat ini
1    Siti Aminah      198303162018072019    Kepala Seksi
                                            Pelayanan
2    Budi Nugroho     197609142001021007    Kepala Seksi
                                            Anggaran
3    Endah Lestari    198505052010012005    Kepala Seksi
                                            Pembinaan`, true},
		"a row has no NIP": {`
Nama             NIP
Siti Aminah      198303162018072019
Budi Nugroho,
                 -
S.Sos., M.Si.`, true},
		"a numbered row has no NIP": {`
No   Nama             NIP                  Jabatan
1    Siti Aminah      19830316 201807      Camat
                      2 019
2    Budi Nugroho                          Lurah
3    Endah Lestari    19850505 201001      Sekretaris
                      2 005`, true},
		"another row's address": {`
Nama / NIP                          Jabatan    Email / No. HP
Siti Aminah 198303162018072019      Camat      siti@demakkab.go.id 081300000085
Budi Nugroho                                   budi@demakkab.go.id`, true},
		"columns without a heading": {`
      Nama             Jabatan    Unit Kerja            NIP
1     Siti Aminah                 Kecamatan Kutasari    198303162018072019
2     Budi Nugroho                Kecamatan Demak       197609142001021007`, true},
	} {
		_, doubtful := newSheet(newDocument("surat.pdf", "text", "Kami mohon reset passphrase TTE bagi:\n"+c.table+"\n\nDemikian, terima kasih.\n\f")).layOutTables()
		if (len(doubtful) > 0) != c.doubt {
			t.Errorf("%s: doubtful pages %v", name, doubtful)
		}
	}
}

// However a table's cells are set, wrapped and broken: what isn't in doubt is read right, and what can't be told is in doubt.
func TestATableThatIsNotInDoubtIsReadRight(t *testing.T) {
	t.Parallel()
	told := map[string]int{}
	for seed := range uint64(1500) {
		r := rand.New(rand.NewPCG(seed, 20))
		p := printed(r)
		lines, doubtful := newSheet(newDocument("surat.pdf", "text", p.text)).layOutTables()
		if len(doubtful) > 0 {
			continue
		}
		told[p.set]++
		var got []string
		for _, x := range newSheet(document{lines: lines}).tables() {
			got = append(got, described(p.columns, x.values))
		}
		if !slices.Equal(got, p.rows) {
			t.Fatalf("seed %d, set at the %s:\n%s\nread as\n%s\nwant\n%s", seed, p.set, p.text, strings.Join(got, "\n"), strings.Join(p.rows, "\n"))
		}
	}
	if told["top"] < 600 || told["middle"] < 150 {
		t.Errorf("told without a picture: %v", told)
	}
}

// printedRows is a table as pdftotext gives it, and what its rows hold.
type printedRows struct {
	text    string
	set     string // where cells stand in their rows
	columns []field
	rows    []string
}

func described(columns []field, values map[field]string) string {
	var out []string
	for _, f := range columns {
		if f != fieldSkip {
			out = append(out, values[f])
		}
	}
	return strings.Join(out, " | ")
}

func printed(r *rand.Rand) printedRows {
	one := func(of ...string) string { return of[r.IntN(len(of))] }
	p := printedRows{set: one("top", "top", "middle", "bottom")}
	headings := map[field]string{fieldSkip: "No", fieldName: "Nama", fieldNIP: "NIP", fieldNIK: "NIK", fieldPosition: "Jabatan", fieldEmail: "Email"}
	if r.IntN(4) > 0 {
		p.columns = append(p.columns, fieldSkip)
	}
	p.columns = append(p.columns, fieldName, fieldNIP)
	for _, f := range []field{fieldNIK, fieldPosition, fieldEmail} {
		if r.IntN(3) > 0 {
			p.columns = append(p.columns, f)
		}
	}
	widths := map[field]int{fieldSkip: 3, fieldName: 14 + r.IntN(20), fieldNIP: 10 + r.IntN(14), fieldNIK: 9 + r.IntN(10), fieldPosition: 12 + r.IntN(20), fieldEmail: 14 + r.IntN(30)}
	spacedNIP, number := r.IntN(2) == 0, r.IntN(2) == 0
	place := map[field]int{}
	at := 0
	heading := ""
	for _, f := range p.columns {
		heading += strings.Repeat(" ", at-utf8.RuneCountInString(heading)) + headings[f]
		place[f] = at
		at += widths[f] + 3
	}
	text := []string{"Kami mohon reset passphrase TTE bagi pegawai berikut:", "", heading}
	for n := range 1 + r.IntN(5) {
		name := one("Siti", "Budi", "Endah", "Bambang Eko", "dr. Ratna") + " " + one("Aminah", "Wijayanti", "Nugroho", "Prasetyo Hadi")
		address := strings.ToLower(strings.ReplaceAll(strings.TrimPrefix(name, "dr. "), " ", "."))
		name += one("", "", ", S.H.", ", S.Sos., M.Si.", ", S.STP., M.A.P.")
		nip := fmt.Sprintf("19%02d%02d%02d20%02d%02d%d%03d", 60+r.IntN(39), 1+r.IntN(12), 1+r.IntN(28), r.IntN(20), 1+r.IntN(12), 1+r.IntN(2), 1+r.IntN(20))
		value := map[field]string{
			fieldName: name, fieldNIP: nip,
			fieldNIK:      fmt.Sprintf("330301%02d%02d%02d%04d", 1+r.IntN(28), 1+r.IntN(12), 60+r.IntN(39), 1+r.IntN(20)),
			fieldPosition: one("Sekretaris", "Kepala Bidang Anggaran", "Kepala Seksi Pelayanan Umum dan Kepegawaian", "Camat Kutasari", "Analis Kebijakan Ahli Muda"),
			fieldEmail:    address + one("@purbalinggakab.go.id", "@madiunkab.go.id", "@demakkab.go.id"),
		}
		p.rows = append(p.rows, described(p.columns, value))
		value[fieldSkip] = fmt.Sprint(n+1) + map[bool]string{true: "."}[number]
		if spacedNIP {
			value[fieldNIP] = nip[:8] + " " + nip[8:14] + " " + nip[14:15] + " " + nip[15:]
		}
		cells, most := map[field][]string{}, 0
		for _, f := range p.columns {
			cells[f] = broken(value[f], widths[f])
			most = max(most, len(cells[f]))
		}
		for half := range 2 * most {
			l := ""
			for _, f := range p.columns {
				down := map[string]int{"middle": most - len(cells[f]), "bottom": 2 * (most - len(cells[f]))}[p.set]
				if k := half - down; k >= 0 && k%2 == 0 && k/2 < len(cells[f]) {
					l += strings.Repeat(" ", place[f]-utf8.RuneCountInString(l)) + cells[f][k/2]
				}
			}
			if l != "" {
				text = append(text, l)
			}
		}
	}
	p.text = strings.Join(append(text, "", "Demikian, atas perhatian Saudara kami ucapkan terima kasih.", "\f"), "\n")
	return p
}

// broken wraps a cell between words, and within those that are too long.
func broken(s string, width int) []string {
	var out []string
	l := ""
	for _, w := range strings.Fields(s) {
		if l != "" && len(l)+1+len(w) > width {
			out, l = append(out, l), ""
		}
		if l != "" {
			l += " "
		}
		for l += w; len(l) > width; l = l[width:] {
			out = append(out, l[:width])
		}
	}
	return append(out, l)
}
