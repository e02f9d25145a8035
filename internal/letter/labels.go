package letter

import (
	"hash/maphash"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// field names what a label announces.
type field string

// The fields that labels announce. skip is a label that ends the value before it and is otherwise left alone.
const (
	fieldName     field = "name"
	fieldNIP      field = "nip"
	fieldNIK      field = "nik"
	fieldIdentity field = "identity" // name, NIP and more in one cell
	fieldNIPNIK   field = "nip+nik"
	fieldPosition field = "position"
	fieldRank     field = "rank"
	fieldRankPos  field = "rank+position"
	fieldOffice   field = "office"
	fieldEmail    field = "email"
	fieldPhone    field = "phone"
	fieldNumber   field = "number"
	fieldDate     field = "date"
	fieldSubject  field = "subject"
	fieldContact  field = "contact"
	fieldSkip     field = "skip"
)

// labels in order: the first that matches the whole label wins. Blanks in a label match any blanks, also none around slashes.
var labels = []struct {
	field   field
	pattern *pattern
}{
	{fieldContact, label(`.*\b(narahubung|contact person|kontak person|cp|penghubung|pic|operator|admin opd)\b.*`)},
	{fieldSkip, label(`.*\b(pribadi|alternatif|lama|ibu kandung|atasan|pejabat penilai)\b.*`)},
	{fieldIdentity, label(`nama( lengkap)?\s*[/&,]\s*n\.?i\.?p\.?|nama( lengkap)?\s*[/&,]?\s*n\.?i\.?p\.?\s*[/&,]?\s*n\.?i\.?k\.?|nama dan nip`)},
	{fieldNIPNIK, label(`n\.?i\.?p\.?\s*/\s*n\.?i\.?k\.?`)},
	{fieldName, label(`nama( lengkap)?( dan gelar)?( (lengkap )?\(?\s*(dengan|beserta|tanpa|&|dan|sesuai)?\s*(gelar|ktp|sk)\s*\)?)?|nama( lengkap)? (pemohon|pegawai|pejabat|asn|pns|pppk|pengguna|user|pemilik( sertifikat| akun)?|yang bersangkutan|pejabat penandatangan|penandatangan|pemegang( sertifikat)?|bersangkutan)( \(.*\))?|atas nama|a\.\s?n\.?|an\.?|nama pemilik sertifikat( elektronik)?|pemohon|nama user|(full )?name|nama jelas|asma|nami|applicant( name)?|employee( name)?`)},
	{fieldNIP, label(`n\s?\.?\s?[i1l|]{1,2}\s?\.?\s?p\s?\.?(\s?\.)?( baru| lama\s*/\s*baru| asn| pns| pegawai| pemohon| pejabat| pengguna| user)?( \([^)]*\))?|nomor induk pegawai( \(nip\))?|no\.?\s?nip|nomor nip|nip\s*/\s*(nrp|nipppk|ni pppk|nrk|niptt|nipppk\.?)|nipppk|ni\s?pppk|nrp`)},
	{fieldNIK, label(`n\s?\.?\s?[i1l|]{1,2}\s?\.?\s?k\s?\.?( pemohon| pegawai| pejabat| pengguna| user)?( \(.*\))?|nik\s*[/(]\s*(no\.?|nomor)?\s*(ktp|e-ktp|identitas)\s*\)?|(no|nomor|n0)\s?\.?\s?(ktp|e-?ktp|nik|identitas)( \(?/?\s*nik\)?)?|nomor induk kependudukan( \(nik\))?|(no\.?|nomor)\s?ktp\s*/\s*nik|ktp|nomor identitas \(ktp\)`)},
	{fieldRankPos, label(`pangkat( ?[/,] ?gol(ongan)?\.?( ?[/,]? ?ruang)?)?( ?[/&,] ?| )jabatan`)},
	{fieldRank, label(`rank|pangkat\s*([/,(]|dan|-|\s)\s*(gol(ongan)?\.?|ruang)?\s*[/,]?\s*(ruang)?\s*\)?\.?|pangkat|gol(ongan)?\.?\s*[/,]?\s*(ruang|pangkat)?|pangkat\s*/\s*gol(ongan)?\.?\s*[/,]?\s*ruang|pangkat\s*/?\s*gol\.?\s*\(?\s*ruang\s*\)?`)},
	{fieldPosition, label(`(nama )?jabatan( saat ini| terakhir| dinas| pemohon| sekarang| struktural| fungsional| dalam dinas)?( / .*)?|jabatan\s*/\s*(pekerjaan|tugas)|selaku|(job )?(position|title)`)},
	{fieldEmail, label(`(alamat )?e-?mail( dinas| resmi)?\s*(/|dan|&)\s*(no\.?|nomor)?\s?(hp|wa|whatsapp|telp|telepon|handphone)\.?(\s*/\s*wa)?|(no\.?|nomor)?\s?(hp|wa|whatsapp|telp|telepon|handphone)\.?(\s*/\s*wa)?\s*(/|dan|&)\s*e-?mail( dinas| resmi)?|(alamat )?(e\s?-?\s?mail|surel|surat elektronik|pos\s?-?\s?el(ektronik)?|mail)( (dinas|resmi|kantor|pemohon|kedinasan|instansi|instansional|pegawai|aktif|user|go\.id|pemerintah|terdaftar|yang terdaftar( di bsre)?|jabatan|asn))*( \(?.{0,24}\)?)?|(alamat )?e-?mail\s*/\s*(surel|username)|akun email( dinas)?|alamat (email|e-mail|surel)( dinas)?`)},
	{fieldPhone, label(`((no|nomor|n0)\s?\.?\s?)?(hp|h\.p|handphone|hand phone|telepon|telpon|telp|tlp|tel|wa|whatsapp|what's app|ponsel|seluler|kontak|telefon)\.?( ?[/&(]? ?(wa|whatsapp|hp|telp|tlp|user|pemohon|aktif|seluler|handphone|telepon|yang dapat dihubungi|yang bisa dihubungi|pengguna|ponsel)\.?\s?\)?)*|hp|h\.p\.?|handphone|telepon( seluler)?|telp\.?|tlp\.?|whatsapp|wa|hp\s*/\s*wa|telepon\s*/\s*(hp|wa)|kontak|no\.? ?hp user|ponsel|(mobile )?phone( number)?|mobile`)},
	{fieldOffice, label(`office|work unit|institution|agency|department|unit (kerja|organisasi)( .{0,24})?|instansi( asal)?( .{0,24})?|(nama )?perangkat daerah( \(?opd\)?)?|(nama )?opd( .{0,16})?|(nama )?dinas|skpd|satuan kerja|satker|asal (instansi|opd|dinas|perangkat daerah|unit kerja)|unit kerja\s*/\s*.{2,24}|tempat tugas|upt|uptd|dinas\s*/\s*(badan|instansi).{0,20}|kantor|instansi\s*/\s*unit kerja|nama (instansi|unit kerja|kantor)|lembaga`)},
	{fieldSubject, label(`h\s?a\s?l|per\s?ihal|p\s?e\s?r\s?i\s?h\s?a\s?l|subjek|subject|subyek`)},
	{fieldNumber, label(`n\s?o\s?m\s?o\s?r( surat| naskah)?|no\s?\.?( surat| naskah)?`)},
	{fieldDate, label(`tanggal( surat| naskah)?|tgl\.?( surat)?`)},
	{fieldSkip, label(`sifat|lampiran|lamp\.?|alamat( kantor| rumah| lengkap| domisili)?|tempat[ ,/]*(dan )?(tanggal|tgl\.?) ?lahir|ttl|tempat lahir|tanggal lahir|tgl\.? lahir|keterangan|ket\.?|alasan.{0,40}|keperluan|kendala|permasalahan|masalah|serial( number)?|nomor seri.{0,30}|masa berlaku.{0,20}|jenis (layanan|permohonan|pengajuan|kelamin|sertifikat|naskah|surat|produk).{0,30}|layanan.{0,40}|permohonan|kepada|yth\.?|dari|tembusan|catatan|no|klasifikasi|kode( pos)?|username|user( id|name)?|akun|website|laman|fax\.?|faks(imili)?|faximile|agama|pendidikan.{0,20}|status( .{0,20})?|npwp|tmt|periode|hari( .{0,12})?|waktu|pukul|jam|tempat|acara|agenda|dasar|tujuan|untuk|provinsi|kabupaten(\s*/\s*kota)?|kota|kecamatan|password|kata sandi|sandi|passphrase( .{0,20})?|pin|otp|cc|subject|sent|from|to|date|hari\s*[/,]\s*tanggal|peran|role|jenis tte|aplikasi|link|tautan|id|nomor agenda|diterima|derajat|jumlah.{0,30}|yang menyatakan|pemohon,?`)},
}

// label makes a pattern of a label; OCR loses blanks, so they may be missing but before words that are left open.
func label(p string) *pattern {
	return compile(`(?i)^(?:` + strings.NewReplacer("( .", `(\s+.`, " ?", `\s*`, " ", `\s*`).Replace(p) + `)$`)
}

var (
	spacedOut = compile(`^(?:\pL )+\pL$`)
	listMark  = compile(`^\s*(?:[-–—•*·▪➢►o]\s+|\(?(?:\d{1,2}[.)]\s*|[a-zA-Z][.)]\s+))`)
)

// listMarkEnd is where the mark of a list's item at the head of a text ends ("1. ", "a) ", "- "); 0 where there is none. Most lines begin with a
// word.
func listMarkEnd(s string) int {
	t := strings.TrimLeft(s, " \t")
	if len(t) < 2 || unicode.IsLetter(rune(t[0])) && t[0] < utf8.RuneSelf && !strings.ContainsRune(".) \t", rune(t[1])) {
		return 0
	}
	if loc := listMark.FindStringIndex(s); loc != nil {
		return loc[1]
	}
	return 0
}

// fieldOf tells what a label announces; a text that announces nothing is no label.
func fieldOf(text string) (field, bool) {
	key := maphash.String(announced.seed, text)
	announced.Lock()
	f, ok := announced.fields[key]
	announced.Unlock()
	if !ok {
		f = announcedBy(text)
		announced.Lock()
		if len(announced.fields) >= 1<<14 {
			clear(announced.fields)
		}
		announced.fields[key] = f
		announced.Unlock()
	}
	return f, f != ""
}

// announced remembers what texts announce: the same labels stand on all letters, and a cell is asked about several times. It keeps no text.
var announced = struct {
	sync.Mutex
	seed   maphash.Seed
	fields map[uint64]field
}{seed: maphash.MakeSeed(), fields: map[uint64]field{}}

func announcedBy(text string) field {
	text = strings.Join(strings.Fields(text), " ")
	text = strings.Trim(text, "*_ \t:;.,|") // marks of bold text in plain mail
	if text == "" || len(text) > 70 {
		return ""
	}
	if spacedOut.MatchString(text) {
		text = strings.ReplaceAll(text, " ", "") // "N a m a"
	}
	for _, l := range labels {
		if l.pattern.MatchString(text) {
			return l.field
		}
	}
	if i := strings.LastIndexByte(text, '('); i > 0 && strings.HasSuffix(text, ")") {
		return announcedBy(text[:i]) // "No. HP (ada WA)"
	}
	return ""
}

// cutLabel splits "Label : value". The colon must follow a known label; list marks before it ("1.", "a.", "-") are skipped.
func cutLabel(s string) (field, string, bool) {
	before, after, ok := cutColon(s)
	if !ok {
		return "", "", false
	}
	if f, ok := fieldOf(before); ok {
		return f, strings.TrimSpace(after), true
	}
	if n := listMarkEnd(before); n > 0 {
		if f, ok := fieldOf(before[n:]); ok {
			return f, strings.TrimSpace(after), true
		}
	}
	return "", "", false
}

// cutColon cuts at the first colon, or at an equals sign before one; OCR reads a colon as a semicolon now and then.
func cutColon(s string) (before, after string, ok bool) {
	i := strings.IndexAny(s, ":=;")
	if i <= 0 || i > 90 {
		return "", "", false
	}
	return s[:i], s[i+1:], true
}
