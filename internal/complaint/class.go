package complaint

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"pulih/internal/sop"
)

// Rule proposes a class when one of its words stands in the complaint. Words are regular expressions between word boundaries, matched
// against lower case with single blanks.
type Rule struct {
	Class string
	Words []string
}

// Rules are tried from the first to the last; the first that matches proposes. What could be misconduct comes first: it must not be answered
// by the one whom it is about. The words are ours: the standard names the classes and doesn't define them.
var Rules = []Rule{
	{Class: "supervised", Words: []string{
		`pungli`, `pungutan liar`, `(me|di)?minta(i)? (sejumlah )?(uang|imbalan|bayaran|biaya tambahan)`, `uang (pelicin|rokok|jasa|tips)`, `suap`, `menyuap`, `disuap`,
		`gratifikasi`, `imbalan`, `korupsi`, `kolusi`, `nepotisme`, `calo`, `penyalahgunaan`, `disalahgunakan`, `menyalahgunakan`,
		`diskriminasi`, `pilih kasih`, `pemalsuan`, `memalsukan`, `dipalsukan`, `mengancam`, `diancam`, `ancaman`, `intimidasi`, `pelecehan`,
		`kebocoran data`, `data (saya |kami )?bocor`, `tanpa (izin|ijin|persetujuan|sepengetahuan)( saya| kami)?`,
		`(bukan|tidak pernah) (saya|kami)?\s?(yang )?(meminta|mengajukan|memohon)`, `pelanggaran (disiplin|kode etik)`, `kode etik`,
		`berkadar pengawasan`, `inspektorat`, `ombudsman`,
	}},
	{Class: "normative", Words: []string{
		`persyaratan`, `syaratnya`, `prosedur\w*`, `sop`, `standar pelayanan`, `maklumat`, `ketentuan\w*`, `peraturan\w*`, `aturan\w*`, `biaya`, `tarif`,
		`150 menit`, `batas waktu`, `janji layanan`, `waktu pelayanan`, `jangka waktu`, `tidak sesuai`, `ditolak`, `penolakan`, `dikembalikan`,
		`keberatan`, `jam (kerja|layanan|pelayanan)`,
	}},
	{Class: "light", Words: []string{
		`belum`, `kapan`, `lambat`, `lamban`, `lama`, `menunggu`, `status`, `sampai (di )?mana`, `bagaimana`, `tidak (bisa|dapat|masuk|menerima|muncul|terkirim|berhasil)`,
		`gagal`, `error`, `eror`, `tautan\w*`, `link\w*`, `salah (ketik|alamat|nama|kirim)`, `tidak (di)?(balas|jawab|respon|respons|tanggapi)`, `sulit`, `kesulitan`,
	}},
	{Class: "unsupervised", Words: []string{
		`saran`, `menyarankan`, `masukan`, `kritik`, `usul(an)?`, `mengusulkan`, `permintaan informasi`, `mohon informasi`, `apresiasi`, `harapan`, `sebaiknya`,
	}},
}

// Proposal is what the rules make of a complaint. A person sets the class.
type Proposal struct {
	Class   *Class // nil when the SOP has no classes
	Reasons []string
}

// Propose reads the complaint's own words; quoted lines are left out. Only classes of the SOP are proposed. Without any sign it is the class
// with the shortest norm: a person may lengthen a promise that nobody has broken yet.
func Propose(text string, classes []sop.ComplaintClass) Proposal {
	words := ownWords(text)
	for i, rule := range Rules {
		class, ok := find(classes, rule.Class)
		if !ok {
			continue
		}
		if m := compiled[i].FindString(words); m != "" {
			return Proposal{Class: class, Reasons: []string{fmt.Sprintf("menyebut %q", strings.TrimSpace(m))}}
		}
	}
	if class := shortest(classes); class != nil {
		return Proposal{Class: class, Reasons: []string{"tidak ada petunjuk golongan; dihitung dengan batas yang terpendek"}}
	}
	return Proposal{}
}

var compiled = func() []*regexp.Regexp {
	var out []*regexp.Regexp
	for _, r := range Rules {
		out = append(out, regexp.MustCompile(`\b(?:`+strings.Join(r.Words, "|")+`)\b`))
	}
	return out
}()

func find(classes []sop.ComplaintClass, id string) (*Class, bool) {
	i := slices.IndexFunc(classes, func(c sop.ComplaintClass) bool { return c.ID == id })
	if i < 0 {
		return nil, false
	}
	return inForce(classes[i]), true
}

func shortest(classes []sop.ComplaintClass) *Class {
	if len(classes) == 0 {
		return nil
	}
	return inForce(slices.MinFunc(classes, func(a, b sop.ComplaintClass) int { return compareNorms(a.Norm, b.Norm) }))
}

func inForce(c sop.ComplaintClass) *Class {
	return &Class{ID: c.ID, Title: c.Title, Norm: c.Norm, Holder: c.Holder}
}

// compareNorms orders promises by their length; a working day counts as longer than any hours of one.
func compareNorms(a, b sop.Norm) int {
	_, x := a.Measure()
	_, y := b.Measure()
	return int(min(max(x-y, -1), 1))
}

var quoteHead = regexp.MustCompile(`(?m)^\s*(pada|on)\b.*\b(menulis|wrote):\s*$`)

// ownWords is the text without what it quotes, in lower case with single blanks.
func ownWords(text string) string {
	text = strings.ToLower(text)
	if at := quoteHead.FindStringIndex(text); at != nil {
		text = text[:at[0]]
	}
	var lines []string
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(strings.TrimSpace(line), ">") {
			lines = append(lines, line)
		}
	}
	return strings.Join(strings.Fields(strings.Join(lines, " ")), " ")
}

// thanks are the words of which a reply that asks for nothing is made.
var thanks = func() map[string]bool {
	out := map[string]bool{}
	for w := range strings.FieldsSeq(`terima kasih terimakasih makasih trims matur nuwun suwun banyak baik ok oke siap noted sip mantap
		pak bu ibu bapak bpk mas mbak min admin tim kami saya atas untuk jawaban jawabannya informasi informasinya bantuan bantuannya penjelasan
		penjelasannya tanggapan tanggapannya respon responnya pelayanan pelayanannya perhatian perhatiannya sangat sudah jelas cukup membantu
		selesai bisa berhasil lancar kembali dan yang dengan hormat salam wassalam wassalamualaikum assalamualaikum wr wb selamat pagi siang
		sore malam dinas verifikator sukses selalu semoga`) {
		out[w] = true
	}
	return out
}()

// onlyThanks reports whether a reply says thank you and nothing else: then an answered complaint stays answered. One word that isn't known
// here, or no, is enough to open it again.
func onlyThanks(text, name string) bool {
	known := map[string]bool{}
	for _, w := range lettersOnly(strings.ToLower(name)) {
		known[w] = true
	}
	words := lettersOnly(ownWords(text))
	for _, w := range words {
		if !thanks[w] && !known[w] {
			return false
		}
	}
	return len(words) > 0
}

func lettersOnly(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return (r < 'a' || r > 'z') && r < 0x80 })
}
