package letter

import (
	"slices"
	"strings"
)

// asking is what a sentence asks for, seen from one action in it.
type asking int

const (
	askedNothing asking = iota
	askedThis           // "mohon bantuan Saudara untuk mereset"
	askedElse           // "mohon daftar pejabat yang meminta reset"
)

// askFor tells whether an action is what its sentence asks for: the last word before it that asks outright must govern it; where there is none,
// any asking word before it does ("permohonan", "bantuan", "agar"), unless what is needed is something else ("kami perlu data"), or something is
// asked about the request ("permohonan reset kami mohon dicarikan").
func askFor(words []word, marks []mark, a mark) asking {
	if proposes(words, a) {
		return askedElse
	}
	said := askedNothing
	for i := len(marks) - 1; i >= 0; i-- {
		x := marks[i]
		if x.term != termAsk || x.end > a.at || a.at-x.at > 45 || !sameSentence(words, x.at, a.at) {
			continue
		}
		before := ""
		if x.at > 0 && !words[x.at].stop {
			before = words[x.at-1].text
		}
		switch {
		case words[x.end].text == "maaf", past[before] && asksOutright(x.text):
		case readers(words, x), papers[paperOf(words, x)], refused(words, a) != "" && !asksOutright(x.text) && (before == "" || told[before]):
			return askedElse
		case asksOutright(x.text) && before == "yang": // "bukan kami yang mengajukan"
		case asksOutright(x.text):
			return governs(words, marks, x, a)
		case requestNoun[x.text] && !brings(words, x, a):
		case (before == "" || before == "surat") && otherwiseTreated(words, marks, a):
			return askedElse
		case needing[x.text] && said == askedNothing:
			if said = governs(words, marks, x, a); said == askedElse && a.term == termReset {
				return said
			}
		default:
			said = askedThis
		}
	}
	return said
}

// brings tells whether a sentence makes a request by its noun: it stands by itself ("permohonan reset passphrase atas nama") or is handed over ("kami
// sampaikan permohonan reset"). One that is received, wanted by others, a part of something else, or has a verb of its own is only told of.
func brings(words []word, ask, a mark) bool {
	if led := paperOf(words, ask); led != "" && !handing[led] {
		return false
	}
	for k := ask.at; k >= 0 && !words[k].stop; k-- {
		if k > 0 && doubting[words[k-1].text] {
			return false
		}
	}
	for k := a.end; k < len(words) && !words[k].stop && !words[k].comma; k++ {
		switch w := words[k].text; {
		case predicate[w]:
			return false
		case w == "yang" || reason[w] || joining[w]:
			return true
		}
	}
	return true
}

// proposes: how requests are to be made or served is the matter, not this one: "agar permohonan reset dapat dilayani secara daring".
func proposes(words []word, a mark) bool {
	for k := a.end; k < len(words) && !words[k].stop; k++ {
		switch w := words[k].text; {
		case w == "yang" || reason[w]:
			return false
		case served[w], w == "sendiri" && isVerb(words[k-1].text):
			return true
		}
	}
	return false
}

// readers: the asking is the reader's own: "apakah benar Saudara mengajukan", "surat Saudara perihal permohonan".
func readers(words []word, ask mark) bool {
	for k := ask.at - 1; k >= 0 && !words[k+1].stop; k-- {
		switch words[k].text {
		case "saudara", "saudari", "sdr", "anda":
			led := ""
			if k > 0 && !words[k].stop {
				led = words[k-1].text
			}
			return led == "surat" || led == "benar" || k == ask.at-1 && led != "kepada" && secondHand[ask.text]
		}
	}
	return false
}

// paperOf is the noun of which the request is a part: "contoh" in "contoh pengisian surat permohonan reset".
func paperOf(words []word, ask mark) string {
	for k := ask.at - 1; k >= 0 && !words[k+1].stop; k-- {
		if w := words[k].text; !within[w] {
			return w
		}
	}
	return ""
}

// refused is the word that turns the request down, behind the action: "tidak dapat kami proses", "kami kembalikan".
func refused(words []word, a mark) string {
	not := -9
	for k := a.end; k < len(words) && !words[k].stop; k++ {
		switch w := words[k].text; {
		case w == "tidak" || w == "tdk" || (w == "dapat" || w == "bisa") && words[k-1].text == "belum":
			not = k
		case turnedDown[w]:
			return w
		case k-not <= 3 && dealtWith[w]:
			return words[not].text + " … " + w
		}
	}
	return ""
}

// otherwiseTreated: behind the action, the sentence asks for something that isn't help.
func otherwiseTreated(words []word, marks []mark, a mark) bool {
	for _, x := range marks {
		if x.at < a.end || x.term != termAsk || !asksOutright(x.text) || !sameSentence(words, a.at, x.at) {
			continue
		}
		for k := x.end; k < len(words) && !words[k].stop; k++ {
			if w := words[k].text; !helping[w] {
				return isVerb(w) && !slices.ContainsFunc(marks, func(m mark) bool { return m.at == k && m.term != termCancel })
			}
		}
	}
	return false
}

// governs walks from the asking word to the action. Words that help to ask are passed. What else follows ("mohon data") may be the action's
// subject ("mohon Bapak Kadis mereset", "mohon akun kami direset"); with a person it may also be joined by "untuk", or be what befell ("mohon
// pegawai kami yang lupa"); behind another verb ("mohon dicarikan") the action isn't asked for, unless that is joined to it ("dan direset").
func governs(words []word, marks []mark, ask, a mark) asking {
	const (
		open = iota
		person
		thing
		verb
	)
	marked := map[int]bool{}
	for _, m := range marks {
		for k := m.at; k < m.end && slices.Contains([]term{termAsk, termSecret, termSignature, termPassword, termReset, termForget, termSelf}, m.term); k++ {
			marked[k] = true
		}
	}
	state, broken, relative := open, false, false
	for k := ask.end; k < a.at; k++ {
		w := words[k].text
		broken = broken || words[k].comma && k > ask.end || reason[w]
		switch {
		case joining[w], state <= person && purpose[w], state < verb && !relative && helping[w] && isVerb(w):
			state, relative = open, false
		case w == "yang":
			relative = true
		case w == "surat" && k == ask.end && ask.text != "mengajukan": // "mohon surat permohonan reset dikembalikan"
			state = max(state, thing)
		case marked[k] || reason[w] || helping[w] || strings.HasPrefix(w, "se") && strings.HasSuffix(w, "nya"): // "secepatnya"
		case strings.Contains(w, "kominfo") && (words[k-1].text == "ke" || words[k-1].text == "kepada"): // "mohon dimintakan ke Dinkominfo"
		case strings.Contains(w, "kominfo") || persons[w]:
			state = max(state, person)
		case isVerb(w):
			state = verb
		default:
			state = max(state, thing)
		}
	}
	broken = broken || words[a.at].comma
	switch acts := strings.HasPrefix(a.text, "di") || strings.HasPrefix(a.text, "me"); {
	case state == open,
		state == person && (acts || a.term == termForget),
		state == thing && acts && !relative:
		return askedThis
	case broken:
		return askedNothing
	}
	return askedElse
}

// isVerb: "dicarikan", "mengirim".
func isVerb(w string) bool {
	return len(w) > 5 && (strings.HasPrefix(w, "di") || strings.HasPrefix(w, "me")) && !notVerbs[w] && !strings.HasPrefix(w, "dinas") && !strings.HasPrefix(w, "digital")
}

func setOf(words string) map[string]bool {
	set := map[string]bool{}
	for w := range strings.FieldsSeq(words) {
		set[w] = true
	}
	return set
}

var (
	// past: before "meminta" or "mengajukan", a word after which an earlier asking is told.
	past = setOf("pernah telah sudah")
	// needing asks for what it governs, in other words.
	needing = setOf("memerlukan membutuhkan perlu ingin hendak bermaksud")
	// requestNoun names a request; who uses it may ask for one or speak of one.
	requestNoun = setOf("permohonan permintaan pengajuan usulan usul")
	// handing: before a request's noun, a word with which it is made. Others may be asked for with it, or follow from it.
	handing = setOf("sampaikan menyampaikan disampaikan teruskan meneruskan diteruskan kirim kirimkan mengirim mengirimkan dikirimkan lampirkan melampirkan terlampir ajukan mengajukan diajukan " +
		"membuat buat ini itu berikut hal perihal kami saya dengan untuk sehubungan terkait mengenai tentang ada adanya maksud bermaksud hendak ingin mau mohon memohon meminta minta tolong dan atau serta " +
		"jenis segera re fw fwd dari karena maka yth nb pak bu bapak ibu layanan")
	// doubting: before a request's noun, a word of one that isn't made.
	doubting = setOf("apakah bukan bukanlah beredar palsu setiap")
	// predicate: behind a request, a word by which something is told of it.
	predicate = setOf("telah sudah sedang pernah diterima dicatat tercatat teregistrasi selesai wajib harus adalah ialah palsu dibayarkan masuk kemarin lalu selanjutnya dilakukan dilayani")
	// served: behind a request, words for how such are served.
	served = setOf("cukup dilayani dibuka daring online luring loket dipermudah disederhanakan diwakilkan")
	// answering: before somebody's request, a word by which the writer only follows it.
	answering = setOf("sesuai memenuhi menjawab berdasarkan")
	// papers: before "permohonan", a word that makes it a thing, or somebody's words about it.
	papers = setOf("terima bukti salinan fotokopi arsip rekap daftar riwayat jumlah status contoh format template blangko ralat penolakan konfirmasi klarifikasi")
	// secondHand: behind "Saudara", what the reader does, not the writer.
	secondHand = setOf("mengajukan meminta memohon bermohon")
	// within a paper: words between its name and the request.
	within = setOf("surat formulir berkas pengisian atas")
	// told: before "permohonan", words after which something is said of it.
	told       = setOf("surat bahwa atas terhadap maka")
	turnedDown = setOf("ditolak tolak dikembalikan kembalikan")
	dealtWith  = setOf("proses diproses penuhi dipenuhi setujui disetujui kabulkan dikabulkan tindaklanjuti ditindaklanjuti layani dilayani laksanakan dilaksanakan lanjutkan dilanjutkan")
	joining    = setOf("agar supaya dan serta beserta sekaligus maupun atau lalu kemudian")
	purpose    = setOf("untuk guna utk dalam")
	reason     = setOf("karena dikarenakan sehubungan berhubung sebab krn")
	notVerbs   = setOf("melalui menurut mengenai dimaksud diantara dibawah dimana direktur direktorat diskominfo dinkominfo disdik dinkes dinsos medis menteri")
	persons    = setOf("admin tim operator petugas verifikator helpdesk dinas badan bidang kepala kabid kadis kasi sekretaris camat lurah kades pejabat pegawai asn pns staf user pengguna nama akun pemohon bsre bssn pemda pemkab pemerintah")
	// helping words stand between "mohon" and what is asked for.
	helping = setOf("dengan hormat sangat kepada ke kpd sdr sdri saudara saudari pak mas mbak kak kakak min anda bpk bapak ibu bu dapat bisa sekiranya segera lagi juga kembali untuk dalam rangka " +
		"dilakukan dilakukannya dilaksanakan diproses diberikan diberi memberikan melakukan melaksanakan memproses difasilitasi memfasilitasi ditindaklanjuti menindaklanjuti mengalami dibukakan diterima diadakan membantu dikabulkan disetujui dimintakan mintakan dimohonkan diajukan secara resmi " +
		"menyampaikan sampaikan tindak lanjut proses kesediaan kesediaannya perkenan perkenannya kebijakan kebijakannya fasilitas layanan pelayanan dukungan percepatan prioritas penanganan langkah teknis perhatian kerja sama kerjasama izin ijin persetujuan penyelesaian " +
		"surat hal perihal tentang mengenai terkait atas berupa yaitu yakni bagi oleh di pada ini itu berikut tersebut tsb bawah terlampir akan a n an kep")
)

// needsObject: an ask that governs what follows it, so that it asks for nothing that stands before.
var needsObject = setOf("meminta agar perlu")

// directAsk: "kami mohon reset passphrase", "mengajukan permohonan reset": the ask stands right before the action, with nothing between
// that it might ask for instead.
func directAsk(words []word, marks []mark, a mark) bool {
	if a.term == termForget {
		return false
	}
	for _, x := range marks {
		if x.at >= a.at || !sameSentence(words, x.at, a.at) || words[x.end].text == "maaf" {
			continue
		}
		switch {
		case x.term == termAsk && a.at-x.end <= 3 && asksOutright(x.text):
			for _, y := range marks {
				if y.at >= x.end && y.at < a.at && (y.term == termEvent || y.term == termHowTo || y.term == termNot) {
					return false
				}
			}
			return x.at == 0 || words[x.at].stop || !reported[words[x.at-1].text] && !readers(words, x)
		}
	}
	return false
}

func asksOutright(w string) bool {
	for _, p := range []string{"mohon", "memohon", "dimohon", "mengajukan", "minta", "meminta", "tolong", "bermohon", "please", "mengusulkan", "nyuwun", "nyuhunkeun", "nunas", "tulung"} {
		if strings.HasPrefix(w, p) {
			return true
		}
	}
	return false
}

// reported: a word before "permohonan" or "mengajukan" after which somebody's asking is told, not done.
var reported = setOf("surat atas tentang perihal akan dapat bisa agar segera wajib harus telah sudah pernah yang setiap terhadap mengenai hal untuk")
