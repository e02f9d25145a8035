package srikandi

import (
	"slices"
	"strings"
	"unicode"
)

// Class is what a disposition asks of its receiver.
type Class string

// The classes, strongest first. A disposition with several instructions has the strongest of theirs.
const (
	Act     Class = "act"     // deal with the letter: moves a request
	Forward Class = "forward" // pass the letter on: moves a request
	Other   Class = "other"   // something for the giver, or nothing definite: moves nothing, a human sees the text
	Inform  Class = "inform"  // know of it: never moves a request
	Archive Class = "archive" // keep it: never moves a request
)

// Moves says whether a disposition of this class passes a request to its receiver: only what asks for action on the letter does
// (service.md, "Disposition instructions").
func (c Class) Moves() bool { return c == Act || c == Forward }

// strength orders the classes; "" is no instruction at all.
var strength = map[Class]int{"": 0, Archive: 1, Inform: 2, Other: 3, Forward: 4, Act: 5}

// phrases says what the offices' instructions mean. The test of a phrase is: does the receiver now hold the letter, and is the letter's own
// matter to be carried on by them? What asks for a favour to the giver (advice, material, a seat in a meeting) leaves the letter where
// it was, and what can't be told goes to a human: a wrong "other" costs a reminder, a wrong "act" makes somebody answer for a step
// that nobody gave them. Words are compared whole, in lower case, without punctuation; of two phrases that overlap the longer counts.
var phrases = []struct {
	class Class
	why   string
	texts []string
}{
	{Act, "carry the matter on", []string{
		"tindak lanjut", "tindaklanjut", "tindak lanjuti", "tindaklanjuti", "ditindaklanjuti", "ditindak lanjuti", "di tindaklanjuti", "di tindak lanjuti",
		"menindaklanjuti", "tl", "utl", "proses", "diproses", "di proses", "proseskan", "memproses",
		"selesaikan", "diselesaikan", "di selesaikan", "menyelesaikan", "penyelesaian",
		"laksanakan", "dilaksanakan", "di laksanakan", "kerjakan", "dikerjakan", "di kerjakan", "fasilitasi", "difasilitasi", "layani", "dilayani",
		"penuhi", "dipenuhi", "bantu", "dibantu", "tangani", "ditangani", "eksekusi",
	}},
	{Act, "settle it together with others; the receiver answers for it", []string{
		"koordinasi", "koordinasikan", "dikoordinasikan", "konfirmasi", "konfirmasikan", "dikonfirmasikan", "koordinasi konfirmasikan",
	}},
	{Act, "examine it: for a reset the verifier's very task, and what a section does before it passes a letter on", []string{
		"teliti", "diteliti", "di teliti", "periksa", "diperiksa", "cek", "dicek", "verifikasi", "diverifikasi", "validasi", "divalidasi",
	}},
	{Act, "answer it: the answer to a request is to deal with it", []string{
		"jawab", "dijawab", "di jawab", "balas", "dibalas", "tanggapi", "ditanggapi",
	}},
	{Forward, "pass it on", []string{
		"teruskan", "diteruskan", "di teruskan", "lanjutkan", "dilanjutkan", "sampaikan", "disampaikan", "distribusikan", "didistribusikan",
	}},
	{Other, "advice to the giver, who decides", []string{
		"pelajari", "dipelajari", "telaah", "ditelaah", "telaahan", "saran", "sarannya", "saran saudara", "pendapat", "tanggapan", "kajian", "kaji", "dikaji",
		"pertimbangan", "pertimbangkan", "tanggapan dan saran", "bicarakan", "dibicarakan", "bicarakan dengan saya", "menghadap", "menghadap saya",
	}},
	{Other, "material for the giver", []string{
		"siapkan", "disiapkan", "siapkan bahan", "bahan", "siapkan jawaban", "siapkan konsep", "konsep jawaban", "konsep", "buatkan konsep", "laporkan",
		"dilaporkan", "laporkan hasilnya", "hasil tindak lanjut", "laporkan hasil tindak lanjut", "hasil tindak lanjutnya",
	}},
	{Other, "a seat in a meeting", []string{
		"wakili", "mewakili", "diwakili", "hadir", "hadiri", "dihadiri", "menghadiri", "wakili hadir", "agendakan", "jadwalkan", "dampingi",
	}},
	{Other, "as you see fit: nothing definite", []string{"seperlunya", "sesuai kebutuhan", "gunakan seperlunya"}},
	{Inform, "know of it", []string{
		"diketahui", "di ketahui", "ketahui", "mengetahui", "maklum", "dimaklumi", "udk", "info", "informasi", "sebagai informasi", "perhatikan",
		"diperhatikan", "untuk perhatian", "tembusan", "pedomani", "dipedomani", "jadikan pedoman",
	}},
	{Archive, "keep it", []string{"arsip", "arsipkan", "diarsipkan", "di arsipkan", "arsip saja", "file", "difile", "simpan", "disimpan", "deponir"}},
}

// negations in front of a phrase turn it into information: "tidak perlu ditindaklanjuti", "sudah diproses", "jangan diteruskan". Fillers may
// stand between; any other word begins something new: "berkas tidak lengkap, teruskan".
var (
	negations = []string{"tidak", "tdk", "tak", "jangan", "belum", "bukan", "tanpa", "sudah", "telah", "sdh", "tlh"}
	fillers   = []string{"perlu", "usah", "harus", "boleh", "dapat", "bisa", "lagi", "untuk", "di", "selesai", "kami", "saya"}
)

// longest holds the phrases by their words, those with the most words first.
var longest = func() []phrase {
	var all []phrase
	for _, p := range phrases {
		for _, text := range p.texts {
			all = append(all, phrase{strings.Fields(text), p.class})
		}
	}
	slices.SortStableFunc(all, func(a, b phrase) int { return len(b.words) - len(a.words) })
	return all
}()

type phrase struct {
	words []string
	class Class
}

// Instruct says what instructions ask for, taken together: the strongest of them. Text without a known phrase is Other, no text is Inform:
// a letter sent along without a word asks for nothing.
func Instruct(texts ...string) Class {
	var strongest Class
	for _, text := range texts {
		words := foldWords(text)
		if len(words) == 0 {
			continue
		}
		if c := classify(words); strength[c] > strength[strongest] {
			strongest = c
		}
	}
	return or(strongest, Inform)
}

// classify takes the strongest phrase in a text.
func classify(words []string) Class {
	var strongest Class
	for i := 0; i < len(words); {
		p, ok := phraseAt(words[i:])
		if !ok {
			i++
			continue
		}
		c := p.class
		if c.Moves() && negated(words[:i]) {
			c = Inform
		}
		if strength[c] > strength[strongest] {
			strongest = c
		}
		i += len(p.words)
	}
	return or(strongest, Other)
}

func phraseAt(words []string) (phrase, bool) {
	for _, p := range longest {
		if len(p.words) <= len(words) && slices.Equal(p.words, words[:len(p.words)]) {
			return p, true
		}
	}
	return phrase{}, false
}

// negated looks at the words before a phrase.
func negated(before []string) bool {
	for _, w := range slices.Backward(before) {
		if slices.Contains(negations, w) {
			return true
		}
		if !slices.Contains(fillers, w) {
			return false
		}
	}
	return false
}

// foldWords splits a text into lower-case words; "Koordinasi/konfirmasikan" is two, "tindak-lanjuti" is two.
func foldWords(s string) []string {
	return strings.FieldsFunc(strings.ToLower(s), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
}
