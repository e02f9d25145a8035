package letter

import (
	"strings"
)

var (
	columnStart   = compile(`(?i)^(kepada\b|yth\b|yang terhormat|kpd\b|di\s*[-–]?\s*$|di\s*-?\s*(tempat|purbalingga|madiun)\b|tempat$|u\.p\.)`)
	sentenceStart = compile(`^(?i:dengan (ini|hormat)|demikian\w*|atas perhatian\w*|untuk itu|untuk keperluan|bersama ini|sehubungan|menindaklanjuti|berdasarkan|dalam rangka|memberikan rekomendasi|menerangkan|menyatakan|adalah benar|mengajukan|mohon|memohon|selanjutnya|bahwa|yang bersangkutan|terima kasih|hormat kami|tembusan|nomor|catatan|kami|saya|surat (ini|pernyataan)|mengetahui|merekomendasikan|assalam|wassalam|salam|selamat (pagi|siang|sore)|adapun|berikut|pada hari|kepada|yth|disampaikan|bertindak|yang (bertanda|menyatakan)|telah|karena|dikarenakan|oleh karena|agar|guna|apabila|sebagai|berkenaan|dalam hal|perlu|maka)\b`)
	titleBefore   = compile(`^(?i:(bapak|ibu|bpk|sdr|sdri|saudara|saudari|pak|bu|yth)\.?(/i)?\s+)+`)
	nameLike      = compile(`^[\p{L}'’` + "`" + `.,\- ()&/]+$`)
	rankOnly      = compile(`(?i)^\(?\s*(pangkat\s*:?\s*)?` + rankWords + `[\s,/(–-]*((gol(ongan)?|ruang)\.?\s*)*((?:[iv1l]{1,4}\s*[/.–-]?|\w{1,4}\s*[/.–-])\s*[a-e])?\s*\)?\.?$|^\(?\s*ahli (pertama|muda|madya|utama)\s*\)?$|^(gol(ongan)?\.?\s*)?\(?[IV]+\s*/\s*[a-e]\)?$`)
	// rankFirst is a rank with its grade, before a position in the same cell; rankWithin one anywhere.
	rankFirst    = compile(`(?i)^` + rankWords + `[\s,/(–-]*[iv]{1,3}\s*[/.]?\s*[a-e]\)?`)
	rankWithin   = compile(`(?i)(?:\b` + rankWords + `[\s,/(–-]*)?\b[iv]{1,3}\s*/\s*[a-e]\b\)?`)
	positionWord = compile(`(?i)\b(kepala|sekretaris|camat|lurah|direktur|inspektur|kabid|kabag|kasi|kasubbag|kasubag|plt|plh|pj|a\.?\s?n|u\.?\s?b|asisten|staf ahli|bupati|wali\s?kota|kades|ketua|koordinator|pranata|analis|pengadministrasi|penelaah|arsiparis|auditor|penyuluh|sandiman|pejabat|bendahara|pengelola|guru|dokter|pimpinan|wakil|panewu|wali nagari|keuchik|geuchik|perbekel|bendesa|kuwu|pambakal|penghulu|mantri|wedana|hukum tua|rektor|dekan|jenderal|komandan|danru|ahli (pertama|muda|madya|utama))\b`)
)

// rankWords are a civil servant's rank, however short: "Pembina Utama Mdy.", "Penata Tkt. I", "Pengatur Tk.1".
const rankWords = `(?:pembina|penata|pengatur|juru)(?:\s+(?:utama|muda|madya|mdy|md|tingkat|tkt?)\b\.?\s*(?:[i1l]{1,2}\b)?)*`

// startsColumn: text that begins the address block beside the letter's head.
func startsColumn(s string) bool { return columnStart.MatchString(s) || placeDate.MatchString(s) }

func startsSentence(s string) bool { return sentenceStart.MatchString(s) }

// emptyValue: nothing was filled in.
func emptyValue(v string) bool {
	return strings.Trim(v, " \t\r\n.…_-–—*/:;,()xX") == "" || strings.Contains(v, "....") || strings.Contains(v, "……") || strings.Contains(v, "___") || strings.ContainsAny(v, "([<") && fillIn.MatchString(v)
}

// fillIn is what a form wants to be written there: "(diisi nama lengkap)".
var fillIn = compile(`(?i)^\s*[(\[<]\s*(di\s?isi|isi|isikan|tulis|ketik)\b`)

// plausible tells whether a value without a colon before it can be one of that field.
func plausible(f field, v string) bool {
	switch f {
	case fieldNIP, fieldNIK:
		return len(digitsOf(v)) >= 10
	case fieldEmail:
		return strings.Contains(v, "@")
	case fieldPhone:
		return len(digitsOf(v)) >= 8
	case fieldName:
		return len(digitsOf(v)) == 0 && len(v) < 80 && nameLike.MatchString(v) && !startsSentence(v)
	case fieldIdentity:
		return len(v) < 120
	case fieldNumber:
		return strings.Contains(v, "/") && digitsOf(v) != ""
	case fieldDate:
		_, ok := parseDate(v)
		return ok && len(v) < 30
	case fieldSkip, fieldContact:
		return true
	}
	return len(v) < 160 && !startsSentence(v)
}

// cleanName takes off forms of address, brackets and trailing marks; titles stay.
func cleanName(v string) string {
	v = strings.Join(strings.Fields(v), " ")
	v = strings.Trim(v, " \t:;*_\"“”|")
	if strings.Contains(v, ",") {
		v = vocative.ReplaceAllString(v, "")
	}
	v = titleBefore.ReplaceAllString(v, "")
	if i := regexpIndex(nameEnd, v); i > 0 {
		v = v[:i]
	}
	v, _ = cutPosition(v)
	v = strings.TrimRight(v, " ,;:-/(")
	if strings.HasPrefix(v, "(") && strings.HasSuffix(v, ")") {
		v = strings.Trim(v, "() ")
	}
	if strings.Count(v, ")") > strings.Count(v, "(") {
		v = strings.TrimRight(v, ") ")
	}
	return v
}

// vocative is whom a chatty sentence addresses before it names somebody: "Pak Kabid, Arif Budiman lupa".
var vocative = compile(`^(?i:pak|bu|bapak|ibu|mas|mbak|kak|min|admin)(\s+(?i:kabid|kasi|kadis|admin|sekretaris|kepala))?\s*,\s+`)

// cutPosition parts a name from the position that follows it behind a comma: "Slamet, S.Kom., Camat Kutasari".
func cutPosition(v string) (name, position string) {
	for i, r := range v {
		if r != ',' || i == 0 {
			continue
		}
		segment, _, _ := strings.Cut(v[i+1:], ",")
		if segment = strings.TrimSpace(segment); positionWord.MatchString(segment) && !degree.MatchString(segment) {
			return v[:i], segment
		}
	}
	return v, ""
}

// nameEnd is where a name ends in running text.
var nameEnd = compile(`(?i)\s*[,;(/|-]*\s*(\bn\.?i\.?p\b|\bnik\b|\bjabatan\b|\bpangkat\b|\bselaku\b|\bsebagai\b|\bdengan\b|\byang\b|\bpada\b|\bmohon\b|\buntuk\b|\btelah\b|\bkarena\b|\bdikarenakan\b|\bagar\b|\be-?mail\b|\bno\.? ?hp\b|\balamat\b|\bunit kerja\b|\bdari\b|\badalah\b|\bdi\s+(lingkungan|dinas)\b|\bdan\b|\bserta\b|\bkami\b|\batas perhatian\b)`)

func regexpIndex(re *pattern, s string) int {
	if at := re.FindStringIndex(s); at != nil {
		return at[0]
	}
	return -1
}

// looksLikeName: a line that can be a person's name in a signature block.
func looksLikeName(s string) bool {
	s = strings.Trim(s, " ()*_")
	if len(s) < 3 || len(s) > 70 || !nameLike.MatchString(s) || startsSentence(s) || rankOnly.MatchString(s) {
		return false
	}
	main, _, _ := strings.Cut(s, ",")
	if _, label := fieldOf(main); label {
		return false
	}
	if positionWord.MatchString(main) || officeWord.MatchString(main) {
		return false
	}
	first := []rune(s)[0]
	return first >= 'A' && first <= 'Z' || first == '(' || first >= 'a' && first <= 'z' && strings.HasPrefix(s, "dr")
}

var officeWord = compile(`(?i)\b(dinas|badan|biro|kecamatan|kelurahan|inspektorat|sekretariat|uptd?|puskesmas|rumah sakit|rsud|satuan polisi|kantor|bagian|bidang|smpn?|sdn?|sma|smk|tk negeri|sekolah|kabupaten|kota|pemerintah|desa|unit|balai|perusahaan|perumda|laboratorium|distrik|nagari|gampong|kapanewon|kalurahan|kemantren|kampung|setda|setwan|puskeswan|stadion|umpeg|sekretaris|tim|admin|operator|verifikator)\b`)

// cleanValue is for positions, ranks, offices and subjects.
func cleanValue(v string) string {
	v = strings.Join(strings.Fields(v), " ")
	v = strings.Trim(v, " \t:;*_|")
	return strings.TrimRight(v, " ,")
}

// splitInline separates further labels within a value: "Slamet, NIP. 1970..., Jabatan: Camat".
func splitInline(f found) []found {
	if f.field == fieldSubject || f.field == fieldNumber || f.field == fieldSkip || f.field == fieldDate {
		return []found{f}
	}
	out := []found{f}
	for range 8 {
		last := &out[len(out)-1]
		at := inlineLabel.FindStringSubmatchIndex(last.value)
		if at == nil {
			return out
		}
		fd, ok := fieldOf(last.value[at[2]:at[3]])
		if !ok {
			return out
		}
		rest := strings.TrimSpace(last.value[at[1]:])
		next := found{field: fd, value: rest, line: f.line, end: f.end, labelAt: f.labelAt, valueAt: f.valueAt}
		last.value = strings.TrimRight(strings.TrimSpace(last.value[:at[0]]), ",;(|/-– ")
		out = append(out, next)
	}
	return out
}

var inlineLabel = compile(`(?i)(?:^|[\s,;(|/–-]+)(nama(?: lengkap)?|nip|n\.i\.p|nik|no\.? ?ktp|jabatan|pangkat\s*[/,]\s*gol(?:ongan)?(?:[.\s/]*ruang)?|pangkat|unit kerja|opd|instansi|perangkat daerah|(?:alamat )?e-?mail(?: dinas| resmi)?|no(?:mor|\.)? ?(?:hp|wa|telp|telepon|handphone|whatsapp)(?:\s*/\s*wa)?|hp)\s*\.?\s*[:=]\s*`)
