package letter

import (
	"slices"
	"strings"
	"unicode"
)

// word is a token of a text: lower case, with where a sentence or block ended before it.
type word struct {
	text  string
	stop  bool // a sentence, heading or block ended before this word
	comma bool // a comma stands before it
	line  int
}

// wordsOf splits lines into words. A blank line, a new list item and the end of a sentence are stops; so is a new page or line that
// begins with a label.
func wordsOf(lines []line) []word {
	var out []word
	stop, comma := true, false
	for i, l := range lines {
		t := strings.ToLower(l.text)
		if strings.TrimSpace(t) == "" {
			stop = true
			continue
		}
		if listMarkEnd(l.text) > 0 {
			stop = true
		}
		if _, _, ok := cutLabel(strings.TrimSpace(l.text)); ok {
			stop = true
		}
		runes := []rune(t)
		for at := 0; at < len(runes); {
			r := runes[at]
			if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
				if (r == '.' || r == '?' || r == '!' || r == ';') && (at+1 >= len(runes) || runes[at+1] == ' ') && !abbreviation(out) {
					stop = true
				}
				if r == '\t' || r == '|' {
					stop = true
				}
				comma = comma || r == ','
				at++
				continue
			}
			start := at
			for at < len(runes) && (unicode.IsLetter(runes[at]) || unicode.IsDigit(runes[at]) || runes[at] == '\'') {
				at++
			}
			out = append(out, word{text: string(runes[start:at]), stop: stop, comma: comma, line: i})
			stop, comma = false, false
		}
	}
	return out
}

// abbreviation: the last word is one that a full stop follows within a sentence.
func abbreviation(words []word) bool {
	if len(words) == 0 {
		return false
	}
	switch w := words[len(words)-1].text; w {
	case "n", "a", "b", "u", "no", "nip", "nik", "dr", "drs", "dra", "ir", "h", "hj", "yth", "sdr", "sdri", "bpk", "plt", "plh", "jl", "tgl", "telp", "gol", "kec", "kab":
		return true
	default:
		return len(w) == 1
	}
}

// passphraseWord: the word, however it is misspelt (letters.md): at most two letters away from how it is said, three in a long word that keeps
// its sound, "paraphrase" excepted.
func passphraseWord(w string) bool {
	if len(w) > 11 {
		w = strings.TrimSuffix(w, "nya")
	}
	if len(w) < 7 || len(w) > 14 || w[0] != 'p' && w[0] != 'f' || strings.HasPrefix(w, "para") || strings.HasPrefix(w, "pharap") {
		return false
	}
	switch w {
	case "passport", "passing", "pasar", "paspor", "password", "passwords":
		return false
	}
	foreign := 0 // letters of none of the spellings: each is an edit
	for i := range len(w) {
		if strings.IndexByte("pashref", w[i]) < 0 {
			foreign++
		}
	}
	if foreign > 3 {
		return false
	}
	for _, target := range []string{"passphrase", "passfrase", "pasprase"} {
		if editDistance(w, target) <= 2 {
			return true
		}
	}
	return len(w) >= 9 && strings.HasPrefix(w, "pas") && hasOneOf(w, "ph", "fr", "pr") && hasOneOf(w, "ra", "ar", "rs", "hr", "fr") && editDistance(w, "passphrase") <= 3
}

func hasOneOf(s string, parts ...string) bool {
	return slices.ContainsFunc(parts, func(p string) bool { return strings.Contains(s, p) })
}

// editDistance counts insertions, deletions, substitutions and swaps of neighbours. The second word has 15 letters at most.
func editDistance(a, b string) int {
	x, y := []rune(a), []rune(b)
	var rows [3][16]int
	prev2, prev, cur := rows[0][:], rows[1][:], rows[2][:]
	for j := range len(y) + 1 {
		prev[j] = j
	}
	for i := 1; i <= len(x); i++ {
		cur[0] = i
		for j := 1; j <= len(y); j++ {
			cost := 1
			if x[i-1] == y[j-1] {
				cost = 0
			}
			cur[j] = min(prev[j]+1, cur[j-1]+1, prev[j-1]+cost)
			if i > 1 && j > 1 && x[i-1] == y[j-2] && x[i-2] == y[j-1] {
				cur[j] = min(cur[j], prev2[j-2]+1)
			}
		}
		prev2, prev, cur = prev, cur, prev2
	}
	return prev[len(y)]
}

// term is what a word or phrase stands for.
type term int

const (
	termNone       term = iota
	termSecret          // passphrase, in all spellings; "kata sandi TTE"
	termPassword        // password, kata sandi, sandi, PIN without TTE beside it
	termSignature       // TTE, tanda tangan elektronik, sertifikat elektronik
	termReset           // reset, atur ulang, pemulihan
	termForget          // lupa, tidak ingat
	termReplace         // penggantian, ganti: a reset only with a reason to think so
	termChange          // ubah, perubahan
	termAsk             // mohon, permohonan, mengajukan
	termIssue           // penerbitan, pendaftaran, pembuatan baru, aktivasi
	termRenew           // perpanjangan, pembaruan
	termRevoke          // pencabutan
	termChangeData      // perubahan data
	termAccount         // e-mail, Srikandi, portal, OTP ...
	termEvent           // undangan, sosialisasi, pelatihan, edaran, laporan ...
	termHowTo           // cara, prosedur, syarat
	termNot             // tidak, bukan, jangan
	termSelf            // saya, kami, beliau
	termCancel          // batal, pembatalan
	termStatus          // menanyakan, tindak lanjut: asks after an earlier request
	termTrouble         // salah, gagal, terblokir, kendala
)

// mark is a term at a place in the text.
type mark struct {
	term    term
	at, end int // words
	text    string
}

// phrase is what may stand for a term.
type phrase struct {
	term  term
	words string
}

// phrases are matched longest first; "*" at the end of a word stands for any ending.
var phrases = []phrase{
	{termSecret, "pass phrase*"}, {termSecret, "pass prase*"}, {termSecret, "pass frase*"}, {termSecret, "pass frasa*"}, {termSecret, "pas phrase*"},
	{termSecret, "pas prase"}, {termSecret, "pass phrse"}, {termSecret, "pass pharse"}, {termSecret, "frasa sandi"}, {termSecret, "frase sandi"}, {termSecret, "frasa kunci"},
	{termSecret, "keyphrase"}, {termSecret, "key phrase"}, {termSecret, "kata sandi frasa"},
	{termSignature, "tanda tangan elektronik"}, {termSignature, "tandatangan elektronik"}, {termSignature, "tanda tangan digital"},
	{termSignature, "sertifikat elektronik"}, {termSignature, "sertifikat digital"}, {termSignature, "sertifikat tte"}, {termSignature, "sertel"},
	{termSignature, "tte"}, {termSignature, "t t e"}, {termSignature, "esign"}, {termSignature, "e sign"}, {termSignature, "bsre"}, {termSignature, "ams"}, {termSignature, "digital signature"},
	{termPassword, "kata sandi"}, {termPassword, "password*"}, {termPassword, "sandi"}, {termPassword, "pin"}, {termPassword, "passwd"}, {termPassword, "kata kunci"}, {termPassword, "pasword*"},
	{termReset, "me reset"}, {termReset, "di reset"}, {termReset, "re set"}, {termReset, "resset"},
	{termReset, "atur ulang"}, {termReset, "pengaturan ulang"}, {termReset, "mengatur ulang"}, {termReset, "diatur ulang"}, {termReset, "setel ulang"}, {termReset, "penyetelan ulang"},
	{termReset, "pemulihan"}, {termReset, "memulihkan"}, {termReset, "dipulihkan"}, {termReset, "pulihkan"}, {termReset, "recovery"}, {termReset, "setting ulang"},
	{termForget, "lupa*"}, {termForget, "terlupa*"}, {termForget, "kelupaan"}, {termForget, "melupakan"}, {termForget, "tidak ingat"}, {termForget, "tidak mengingat"}, {termForget, "tdk ingat"}, {termForget, "nggak ingat"},
	{termForget, "kehilangan"}, {termForget, "forgot"}, {termForget, "ingat lagi"}, {termForget, "hilang"}, {termForget, "tidak hafal"}, {termForget, "tidak hapal"}, {termForget, "tidak bisa diingat"}, {termForget, "tidak dapat diingat"},
	{termForget, "tidak bisa mengingat"}, {termForget, "tidak dapat mengingat"}, {termForget, "gagal mengingat"}, {termForget, "sulit mengingat"}, {termForget, "ndak ingat"}, {termForget, "gak ingat"}, {termForget, "ga ingat"}, {termForget, "tak ingat"},
	// Sundanese, Javanese, Balinese, Minangkabau, Banjarese: offices write as they speak.
	{termForget, "hilap"}, {termForget, "kahilapan"}, {termForget, "poho"}, {termForget, "teu emut"}, {termForget, "kesupen"}, {termForget, "supe"}, {termForget, "lali"}, {termForget, "kelalen"}, {termForget, "engsap"}, {termForget, "lupo"}, {termForget, "kada ingat"},
	{termReplace, "penggantian"}, {termReplace, "mengganti"}, {termReplace, "ganti"}, {termReplace, "diganti"}, {termReplace, "pergantian"},
	{termChange, "ubah"}, {termChange, "mengubah"}, {termChange, "merubah"}, {termChange, "diubah"}, {termChange, "perubahan"}, {termChange, "pengubahan"}, {termChange, "update"}, {termChange, "pemutakhiran"},
	{termAsk, "mohon*"}, {termAsk, "memohon*"}, {termAsk, "dimohon*"}, {termAsk, "permohonan*"}, {termAsk, "bermohon"}, {termAsk, "mengajukan"}, {termAsk, "pengajuan"}, {termAsk, "diajukan"}, {termAsk, "ajukan"},
	{termAsk, "minta"}, {termAsk, "meminta"}, {termAsk, "permintaan"}, {termAsk, "bermaksud"}, {termAsk, "kiranya"}, {termAsk, "dapatnya"}, {termAsk, "bantuan*"}, {termAsk, "bantu*"}, {termAsk, "dibantu"},
	{termAsk, "tolong"}, {termAsk, "membutuhkan"}, {termAsk, "memerlukan"}, {termAsk, "perlu"}, {termAsk, "agar"}, {termAsk, "mengusulkan"}, {termAsk, "usulan"}, {termAsk, "usul"}, {termAsk, "rekomendasi"}, {termAsk, "merekomendasikan"}, {termAsk, "fasilitasi"}, {termAsk, "ingin"}, {termAsk, "hendak"}, {termAsk, "request"}, {termAsk, "please"}, {termAsk, "berkenan"}, {termAsk, "nyuhunkeun"}, {termAsk, "nyuwun"}, {termAsk, "tulung"}, {termAsk, "nunas"},
	{termIssue, "penerbitan"}, {termIssue, "menerbitkan"}, {termIssue, "diterbitkannya"}, {termIssue, "diterbitkan"}, {termIssue, "diaktivasi"}, {termIssue, "pengaktifan"}, {termIssue, "dibuatkannya"}, {termIssue, "pendaftaran"}, {termIssue, "mendaftarkan"}, {termIssue, "didaftarkan"}, {termIssue, "registrasi"}, {termIssue, "pembuatan"}, {termIssue, "dibuatkan"}, {termIssue, "pembuatan baru"},
	{termIssue, "aktivasi"}, {termIssue, "penambahan"}, {termIssue, "permohonan baru"}, {termIssue, "pengajuan baru"}, {termIssue, "akun baru"}, {termIssue, "buat baru"}, {termIssue, "daftar baru"}, {termIssue, "pemberian"},
	{termRenew, "perpanjangan"}, {termRenew, "memperpanjang"}, {termRenew, "diperpanjang"}, {termRenew, "pembaruan"}, {termRenew, "pembaharuan"}, {termRenew, "memperbarui"}, {termRenew, "memperbaharui"}, {termRenew, "diperbarui*"}, {termRenew, "perbarui"}, {termRenew, "diperbaharui"}, {termRenew, "perpanjang"}, {termRenew, "perpanjangannya"}, {termRenew, "renewal"}, {termRenew, "perbaruan"},
	{termRevoke, "pencabutan"}, {termRevoke, "mencabut"}, {termRevoke, "dicabut"}, {termRevoke, "penonaktifan"}, {termRevoke, "menonaktifkan"}, {termRevoke, "dinonaktifkan"}, {termRevoke, "revoke"}, {termRevoke, "revokasi"}, {termRevoke, "penghapusan"}, {termRevoke, "dihapus"},
	{termAccount, "email"}, {termAccount, "e mail"}, {termAccount, "surel"}, {termAccount, "srikandi"}, {termAccount, "portal"}, {termAccount, "beid"}, {termAccount, "be id"}, {termAccount, "otp"}, {termAccount, "google authenticator"}, {termAccount, "authenticator"},
	{termAccount, "cpanel"}, {termAccount, "website"}, {termAccount, "web"}, {termAccount, "vpn"}, {termAccount, "wifi"}, {termAccount, "wi fi"}, {termAccount, "akun"}, {termAccount, "simpeg"}, {termAccount, "sipd"}, {termAccount, "siasn"}, {termAccount, "myasn"}, {termAccount, "sso"}, {termAccount, "hosting"}, {termAccount, "domain"}, {termAccount, "zimbra"}, {termAccount, "webmail"}, {termAccount, "ekinerja"}, {termAccount, "e kinerja"}, {termAccount, "presensi"}, {termAccount, "siak"}, {termAccount, "router"}, {termAccount, "server"}, {termAccount, "aplikasi"}, {termAccount, "credentials"}, {termAccount, "zoom"}, {termAccount, "mailbox"}, {termAccount, "sakti"}, {termAccount, "lpse"}, {termAccount, "spse"}, {termAccount, "account"},
	{termEvent, "undangan"}, {termEvent, "mengundang"}, {termEvent, "sosialisasi"}, {termEvent, "bimbingan teknis"}, {termEvent, "bimtek"}, {termEvent, "pelatihan"}, {termEvent, "webinar"}, {termEvent, "workshop"}, {termEvent, "surat edaran"}, {termEvent, "edaran"},
	{termEvent, "himbauan"}, {termEvent, "imbauan"}, {termEvent, "pengumuman"}, {termEvent, "laporan"}, {termEvent, "rekapitulasi"}, {termEvent, "rekap"}, {termEvent, "notulen"}, {termEvent, "notulensi"}, {termEvent, "survei"}, {termEvent, "survey"}, {termEvent, "kuesioner"}, {termEvent, "jadwal"}, {termEvent, "materi"}, {termEvent, "newsletter"},
	{termEvent, "jawaban"}, {termEvent, "menjawab"}, {termStatus, "menanyakan"}, {termStatus, "tindak lanjut"}, {termStatus, "tindaklanjut"}, {termStatus, "perkembangan"}, {termStatus, "progres"}, {termStatus, "progress"}, {termStatus, "status"}, {termStatus, "apakah sudah"}, {termStatus, "sudah sampai mana"}, {termStatus, "kelanjutan"}, {termStatus, "follow up"}, {termStatus, "mempertanyakan"}, {termEvent, "rapat"}, {termEvent, "surat tugas"}, {termEvent, "evaluasi"}, {termEvent, "monitoring"}, {termEvent, "ucapan terima kasih"}, {termEvent, "draft"}, {termEvent, "rancangan"}, {termEvent, "buletin"}, {termEvent, "asistensi"}, {termEvent, "coaching"}, {termEvent, "narasumber"}, {termEvent, "peserta"}, {termEvent, "bimbingan"}, {termEvent, "kegiatan"}, {termEvent, "diklat"}, {termEvent, "penyampaian sop"}, {termEvent, "penyampaian panduan"}, {termEvent, "kliping"}, {termEvent, "berita"},
	{termHowTo, "tata cara"}, {termHowTo, "cara"}, {termHowTo, "caranya"}, {termHowTo, "prosedur"}, {termHowTo, "prosedurnya"}, {termHowTo, "syarat"}, {termHowTo, "syaratnya"}, {termHowTo, "persyaratan"}, {termHowTo, "persyaratannya"}, {termHowTo, "panduan"}, {termHowTo, "tutorial"}, {termHowTo, "petunjuk"}, {termHowTo, "sop"}, {termHowTo, "alur"}, {termHowTo, "alurnya"}, {termHowTo, "mekanisme"}, {termHowTo, "bagaimana"}, {termHowTo, "langkah langkah"}, {termHowTo, "langkah"}, {termHowTo, "format"}, {termHowTo, "template"}, {termHowTo, "contoh"}, {termHowTo, "buku saku"}, {termHowTo, "tips"}, {termHowTo, "faq"},
	{termNot, "tidak"}, {termNot, "bukan"}, {termNot, "jangan"}, {termNot, "tanpa"}, {termNot, "tak"}, {termNot, "belum pernah"}, {termNot, "bukanlah"}, {termNot, "tdk"}, {termNot, "hindari"}, {termNot, "mencegah"}, {termNot, "menghindari"}, {termNot, "bila"}, {termNot, "jika"}, {termNot, "apabila"}, {termNot, "kalau"}, {termNot, "seandainya"}, {termNot, "ketika"},
	{termSelf, "saya"}, {termSelf, "kami"}, {termSelf, "aku"}, {termSelf, "beliau"}, {termSelf, "bersangkutan"}, {termSelf, "ybs"}, {termSelf, "dikarenakan"}, {termSelf, "karena"}, {termSelf, "sehubungan"}, {termSelf, "telah"}, {termSelf, "sebab"}, {termSelf, "krn"}, {termSelf, "menyatakan"}, {termSelf, "pernyataan"}, {termSelf, "bapak"}, {termSelf, "ibu"}, {termSelf, "abdi"}, {termSelf, "kula"}, {termSelf, "titiang"}, {termSelf, "tiang"}, {termSelf, "ambo"},
	{termCancel, "pembatalan"}, {termCancel, "membatalkan"}, {termCancel, "batal"}, {termCancel, "dibatalkan"}, {termCancel, "tidak jadi"}, {termCancel, "sudah ingat"}, {termCancel, "telah ingat"}, {termCancel, "menarik kembali"}, {termCancel, "ditarik kembali"}, {termCancel, "mencabut permohonan"}, {termCancel, "dibatalkan saja"}, {termCancel, "penarikan permohonan"}, {termCancel, "abaikan"},
	{termCancel, "jangan diproses"}, {termCancel, "jangan dulu"}, {termCancel, "jangan direset"}, {termCancel, "jangan dilakukan"}, {termCancel, "penundaan"}, {termCancel, "ditunda"}, {termCancel, "menunda"}, {termCancel, "penghentian"}, {termCancel, "dihentikan"},
	{termCancel, "tanpa izin"}, {termCancel, "tanpa ijin"}, {termCancel, "tanpa sepengetahuan"}, {termCancel, "disalahgunakan"}, {termCancel, "tidak pernah mengajukan"}, {termCancel, "tidak pernah meminta"}, {termCancel, "tidak pernah memohon"}, {termCancel, "tidak merasa"}, {termCancel, "belum perlu"},
	{termTrouble, "salah"}, {termTrouble, "gagal"}, {termTrouble, "terblokir"}, {termTrouble, "diblokir"}, {termTrouble, "kendala"}, {termTrouble, "terkendala"}, {termTrouble, "kesulitan"}, {termTrouble, "error"}, {termTrouble, "tidak bisa"}, {termTrouble, "tidak dapat"}, {termTrouble, "bermasalah"}, {termTrouble, "invalid"}, {termTrouble, "ditolak"}, {termTrouble, "terkunci"}, {termTrouble, "tdk bisa"}, {termTrouble, "gak bisa"}, {termTrouble, "nggak bisa"}, {termTrouble, "tidak valid"}, {termTrouble, "masalah"},
}

// Changes of data are named by what is done and to what.
const (
	changing = "perubahan ubah mengubah diubah pemutakhiran update updating penyesuaian menyesuaikan disesuaikan koreksi dikoreksi perbaikan diperbaiki ralat pembetulan penggantian pergantian ganti mengganti"
	changed  = "data,nama,gelar,jabatan,pangkat,instansi,identitas,biodata,profil,unit,nip,nik,email,e mail,surel,alamat,nomor,no"
)

// lexicon finds phrases by their first word.
var lexicon = func() map[string][][]lexeme {
	m := map[string][][]lexeme{}
	all := slices.Clone(phrases)
	for verb := range strings.FieldsSeq(changing) {
		for thing := range strings.SplitSeq(changed, ",") {
			all = append(all, phrase{termChangeData, verb + " " + thing})
		}
	}
	for _, p := range all {
		ws := strings.Fields(p.words)
		var l []lexeme
		for _, w := range ws {
			l = append(l, lexeme{strings.TrimSuffix(w, "*"), strings.HasSuffix(w, "*"), p.term})
		}
		key := prefixKey(l[0].text)
		m[key] = append(m[key], l)
	}
	return m
}()

type lexeme struct {
	text string
	open bool
	term term
}

func prefixKey(w string) string { return w[:min(len(w), 3)] }

// marksOf finds the terms in a text, longest phrase first.
func marksOf(words []word) []mark {
	var out []mark
	for i := 0; i < len(words); i++ {
		w := words[i].text
		if passphraseWord(w) {
			out = append(out, mark{termSecret, i, i + 1, w})
			continue
		}
		if strings.Contains(w, "reset") && len(w) <= 15 { // "dipunreset", "pangresetkeun"
			out = append(out, mark{termReset, i, i + 1, w})
			continue
		}
		best, n := termNone, 0
		for _, l := range lexicon[prefixKey(w)] {
			if len(l) > n && matchPhrase(words[i:], l) {
				best, n = l[0].term, len(l)
			}
		}
		if n > 0 && best == termEvent && inOfficeName(words, i) {
			continue
		}
		if n > 0 {
			var t []string
			for _, x := range words[i : i+n] {
				t = append(t, x.text)
			}
			out = append(out, mark{best, i, i + n, strings.Join(t, " ")})
			i += n - 1
		}
	}
	return passwordsOfSignature(words, out)
}

// inOfficeName: the word is part of the name of an office or a position ("Kepala Balai Diklat", "Bidang Pendidikan dan Pelatihan"), and tells of no
// event. Between the two stand nouns alone.
func inOfficeName(words []word, i int) bool {
	for k := i - 1; k >= max(0, i-5) && !words[k+1].stop; k-- {
		switch w := words[k].text; w {
		case "badan", "balai", "bidang", "seksi", "subbidang", "subbagian", "subbag", "bagian", "kabid", "kasi", "kasubbid", "kasubbag", "kabag", "kepala", "upt", "uptd",
			"bkd", "bkpsdm", "lembaga", "pusat", "dinas", "sekretaris", "koordinator", "substansi", "tim":
			return true
		case "dan", "pendidikan", "penelitian", "pengembangan", "kepegawaian", "penyuluhan", "pelatihan", "monitoring", "evaluasi", "sosialisasi", "data",
			"informasi", "perencanaan", "program", "pegawai", "aparatur", "sdm", "asn", "kerja", "tenaga", "pengendalian", "pembinaan", "mutasi", "promosi", "kompetensi":
		default:
			return false
		}
	}
	return false
}

func matchPhrase(words []word, l []lexeme) bool {
	if len(words) < len(l) {
		return false
	}
	for k, x := range l {
		w := words[k].text
		if w != x.text && !(x.open && strings.HasPrefix(w, x.text) && len(w) <= len(x.text)+5) {
			return false
		}
		if k > 0 && words[k].stop {
			return false
		}
	}
	return true
}

// passwordsOfSignature makes "kata sandi TTE", "PIN sertifikat elektronik" the secret, and "PIN/passphrase" one thing. An account named
// nearer wins: "kata sandi e-mail untuk TTE" stays a password.
func passwordsOfSignature(words []word, marks []mark) []mark {
	for i := range marks {
		if marks[i].term != termPassword || i+1 >= len(marks) {
			continue
		}
		next := marks[i+1]
		if next.term == termAccount && next.text == "akun" && i+2 < len(marks) {
			next = marks[i+2]
		}
		if next.term == termSignature && next.at-marks[i].end <= 3 && !words[next.at].stop {
			if i+2 < len(marks) && marks[i+2].term == termAccount && marks[i+2].at-next.end <= 1 && marks[i+2].text != "aplikasi" && marks[i+2].text != "akun" {
				continue
			}
			marks[i].term = termSecret
		}
		if next.term == termSecret && next.at-marks[i].end <= 1 {
			marks[i].term = termSecret
		}
	}
	return marks
}
