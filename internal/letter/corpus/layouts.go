package corpus

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"pulih/internal/letter"
)

// Want is what a careful clerk reads in a letter. Fields that stay nil are not there.
type Want struct {
	Kind       letter.Kind
	Letter     letter.Fields
	Applicants []letter.Applicant
	// KindOnly: the fields of such a letter aren't asked for.
	KindOnly bool
}

// world is who and what one letter is about.
type world struct {
	r       *rand.Rand
	head    Person // signs
	pos     string // as the signature block says
	office  string
	number  string
	date    string // as written
	iso     string
	place   string
	subject string
	people  []Person
}

var months = []string{"Januari", "Februari", "Maret", "April", "Mei", "Juni", "Juli", "Agustus", "September", "Oktober", "November", "Desember"}

func newWorld(seed uint64, applicants int) *world {
	r := rand.New(rand.NewPCG(seed, 4711))
	w := &world{r: r, head: NewPerson(r), office: offices[r.IntN(11)], place: []string{"Purbalingga", "Madiun", "Bobotsari"}[r.IntN(3)]}
	w.head.Office = w.office
	m, d := 1+r.IntN(12), 1+r.IntN(28)
	w.date = fmt.Sprintf("%d %s 2026", d, months[m-1])
	w.iso = fmt.Sprintf("2026-%02d-%02d", m, d)
	w.number = []string{"B/500.12.16.3/%d/DINDIK/XI/2026", "500.12.10/%d.86/2026", "000.5.6.2/%d /2026", "500.12.10.1/%d/33", "046/%d/418.31/2026", "W/500.12/%d/Um"}[r.IntN(6)]
	w.number = fmt.Sprintf(w.number, 100+r.IntN(900))
	w.subject = []string{"Permohonan Reset Passphrase Tanda Tangan Elektronik (TTE)", "Permohonan Lupa Passphrase Sertifikat Elektronik", "Permohonan Reset Passphrase TTE", "Permohonan Pengaturan Ulang Passphrase", "Lupa Passphrase TTE", "Permohonan Reset Pasphrase Sertifikat Elektronik"}[r.IntN(6)]
	w.pos = "Kepala " + w.office
	switch {
	case strings.HasPrefix(w.office, "Kecamatan "):
		w.pos = "Camat " + strings.TrimPrefix(w.office, "Kecamatan ")
	case strings.HasPrefix(w.office, "Kelurahan "):
		w.pos = "Lurah " + strings.TrimPrefix(w.office, "Kelurahan ")
	case strings.HasPrefix(w.office, "Inspektorat"):
		w.pos = "Inspektur Daerah"
	}
	for range applicants {
		w.people = append(w.people, NewPerson(r))
	}
	return w
}

func (w *world) kop(d *Doc) *Doc {
	return d.Center("PEMERINTAH KABUPATEN PURBALINGGA", strings.ToUpper(w.office)).
		Center("Jalan Letnan Jenderal S. Parman Nomor 12 Purbalingga 53316", "Telepon (0281) 891012 Surel kantor@purbalinggakab.go.id").Blank()
}

func (w *world) sign(d *Doc) *Doc {
	return d.Sign(w.pos+",", "", "", "", w.head.Name, w.head.Rank, "NIP. "+SpacedNIP(w.head.NIP))
}

func p(s string) *string { return &s }

func (w *world) signer() *letter.Signer {
	return &letter.Signer{Name: p(w.head.Name), NIP: p(w.head.NIP), Position: p(w.pos)}
}

// want expects every field of the letter and of each applicant; drop removes what a layout doesn't say.
func (w *world) want(drop ...string) Want {
	out := Want{Kind: letter.ResetRequest, Letter: letter.Fields{Number: p(strings.Join(strings.Fields(w.number), " ")), Date: p(w.iso), Subject: p(w.subject), Office: p(strings.ToUpper(w.office)), Signer: w.signer()}}
	for _, x := range w.people {
		out.Applicants = append(out.Applicants, letter.Applicant{Name: p(x.Name), NIP: p(x.NIP), NIK: p(x.NIK), Email: p(x.Email), Phone: p(x.Phone), Position: p(x.Position), Rank: p(x.Rank), Office: p(x.Office)})
	}
	for _, f := range drop {
		switch f {
		case "number":
			out.Letter.Number = nil
		case "date":
			out.Letter.Date = nil
		case "letter.office":
			out.Letter.Office = nil
		case "signer":
			out.Letter.Signer = nil
		case "signer.nip":
			out.Letter.Signer.NIP = nil
		case "signer.position":
			out.Letter.Signer.Position = nil
		}
		for i := range out.Applicants {
			a := &out.Applicants[i]
			switch f {
			case "name":
				a.Name = nil
			case "nip":
				a.NIP = nil
			case "nik":
				a.NIK = nil
			case "email":
				a.Email = nil
			case "phone":
				a.Phone = nil
			case "position":
				a.Position = nil
			case "rank":
				a.Rank = nil
			case "office":
				a.Office = nil
			}
		}
	}
	return out
}

const thanks = "Demikian permohonan ini kami sampaikan, atas perhatian dan kerja samanya diucapkan terima kasih."

func (w *world) head1(d *Doc) *Doc {
	return d.Columns([]string{"Nomor    : " + w.number, "Sifat    : Biasa", "Lampiran : -", "Hal      : " + w.subject}, []string{w.place + ", " + w.date}).
		Lines("Kepada Yth.", "Kepala Dinas Komunikasi dan Informatika", "di -", "     Purbalingga", "")
}

func all(x Person) []string {
	return []string{"Nama", x.Name, "NIP", SpacedNIP(x.NIP), "NIK", x.NIK, "Pangkat/Golongan", x.Rank, "Jabatan", x.Position, "Unit Kerja", x.Office, "Email Dinas", x.Email, "No. HP", x.Phone}
}

// layout writes one kind of letter.
type layout struct {
	name   string
	people int
	write  func(*world) (*Doc, Want)
}

var resetLayouts = []layout{
	{"surat dinas, pasangan label", 1, func(w *world) (*Doc, Want) {
		d := w.head1(w.kop(&Doc{}))
		d.Para("Dengan hormat, sehubungan dengan lupanya passphrase Tanda Tangan Elektronik (TTE) pejabat di lingkungan kami, bersama ini kami mengajukan permohonan reset passphrase atas nama:")
		d.Pairs(all(w.people[0])...).Para(thanks)
		return w.sign(d), w.want()
	}},
	{"kop, tanggal di atas tanda tangan", 1, func(w *world) (*Doc, Want) {
		d := w.kop(&Doc{}).Center("SURAT PERMOHONAN RESET PASSPHRASE", "Nomor : "+w.number).Blank()
		w.subject = "SURAT PERMOHONAN RESET PASSPHRASE"
		x := w.people[0]
		d.Para("Yang bertanda tangan di bawah ini:")
		d.Pairs("Nama", w.head.Name, "NIP", w.head.NIP, "Jabatan", w.pos)
		d.Para("dengan ini mengajukan permohonan reset passphrase sertifikat elektronik untuk:")
		d.Pairs("Nama Lengkap", x.Name, "NIP.", x.NIP, "No. KTP", SpacedNIK(x.NIK), "Jabatan", x.Position, "Instansi", x.Office, "Alamat Email", x.Email, "WhatsApp", x.Phone)
		d.Para("karena yang bersangkutan lupa passphrase.").Para(thanks)
		d.Sign(w.place+", "+w.date, w.pos, "", "", "", w.head.Name, "NIP "+w.head.NIP)
		return d, w.want("rank")
	}},
	{"surat pernyataan diri", 0, func(w *world) (*Doc, Want) {
		w.subject = "SURAT PERNYATAAN LUPA PASSPHRASE SERTIFIKAT ELEKTRONIK"
		w.people = []Person{w.head}
		h := w.head
		d := w.kop(&Doc{}).Center("SURAT PERNYATAAN", "LUPA PASSPHRASE SERTIFIKAT ELEKTRONIK").Blank()
		d.Para("Saya yang bertanda tangan di bawah ini:")
		d.Pairs("Nama", h.Name, "NIP", SpacedNIP(h.NIP), "NIK", h.NIK, "Pangkat/Gol. Ruang", h.Rank, "Jabatan", w.pos, "Unit Kerja", h.Office, "Email Dinas", h.Email, "No HP", h.Phone)
		d.Para("Dengan ini menyatakan bahwa saya lupa passphrase sertifikat elektronik saya dan mohon dilakukan reset.")
		d.Sign(w.place+", "+w.date, "Yang menyatakan,", "", "", h.Name, "NIP. "+SpacedNIP(h.NIP))
		want := w.want("number", "signer.position")
		want.Applicants[0].Position = p(w.pos)
		return d, want
	}},
	{"beberapa pemohon dalam tabel", 3, func(w *world) (*Doc, Want) {
		d := w.head1(w.kop(&Doc{}))
		d.Para("Bersama ini kami mohon bantuan reset passphrase TTE bagi pejabat di lingkungan kami sebagai berikut:")
		rows := [][]string{{"No", "Nama", "NIP", "Jabatan", "Email"}}
		for i, x := range w.people {
			rows = append(rows, []string{fmt.Sprint(i + 1), x.Name, SpacedNIP(x.NIP), x.Position, x.Email})
		}
		d.Table([]float64{8, 42, 38, 40, 42}, rows...).Para(thanks)
		return w.sign(d), w.want("nik", "phone", "rank", "office")
	}},
	{"tabel lebar dengan NIK dan HP", 2, func(w *world) (*Doc, Want) {
		d := w.head1(w.kop(&Doc{}))
		d.Para("Sehubungan dengan pejabat kami yang lupa passphrase, kami mengajukan reset passphrase sertifikat elektronik:")
		rows := [][]string{{"No.", "Nama Lengkap", "NIP", "NIK", "Jabatan", "Email Dinas", "No. HP"}}
		for i, x := range w.people {
			rows = append(rows, []string{fmt.Sprint(i+1) + ".", x.Name, x.NIP, x.NIK, x.Position, x.Email, x.Phone})
		}
		d.Table([]float64{8, 28, 31, 28, 25, 28, 22}, rows...).Para(thanks)
		return w.sign(d), w.want("rank", "office")
	}},
	{"tabel melewati halaman", 14, func(w *world) (*Doc, Want) {
		d := w.head1(w.kop(&Doc{}))
		d.Para("Bersama ini kami mohon reset passphrase TTE untuk pejabat sebagai berikut:")
		rows := [][]string{{"No", "Nama", "NIP", "Pangkat/Golongan", "Jabatan", "Email Dinas"}}
		for i, x := range w.people {
			rows = append(rows, []string{fmt.Sprint(i + 1), x.Name, SpacedNIP(x.NIP), x.Rank, x.Position, x.Email})
		}
		d.Table([]float64{8, 36, 32, 26, 32, 36}, rows...).Para(thanks)
		return w.sign(d), w.want("nik", "phone", "office")
	}},
	{"lampiran daftar nama", 4, func(w *world) (*Doc, Want) {
		d := w.head1(w.kop(&Doc{}))
		d.Para("Bersama ini kami mengajukan permohonan reset passphrase TTE atas nama pejabat sebagaimana daftar terlampir.").Para(thanks)
		w.sign(d).Page()
		d.Lines("Lampiran Surat", "Nomor   : "+w.number, "Tanggal : "+w.date, "").Center("DAFTAR PEMOHON RESET PASSPHRASE").Blank()
		rows := [][]string{{"No", "Nama / NIP", "Jabatan", "Unit Kerja", "Email / No HP"}}
		for i, x := range w.people {
			rows = append(rows, []string{fmt.Sprint(i + 1), x.Name + " NIP. " + SpacedNIP(x.NIP), x.Position, x.Office, x.Email + " " + x.Phone})
		}
		d.Table([]float64{8, 46, 34, 36, 46}, rows...)
		return d, w.want("nik", "rank")
	}},
	{"nilai di baris berikut", 1, func(w *world) (*Doc, Want) {
		x := w.people[0]
		d := w.head1(w.kop(&Doc{}))
		d.Para("Kami mohon dilakukan reset passphrase TTE untuk pegawai berikut:")
		d.Lines("Nama", x.Name, "", "NIP", SpacedNIP(x.NIP), "", "Jabatan", x.Position, "", "Email Dinas", x.Email, "", "No HP", x.Phone, "").Para(thanks)
		return w.sign(d), w.want("nik", "rank", "office")
	}},
	{"nilai di baris berikut dengan titik dua", 1, func(w *world) (*Doc, Want) {
		x := w.people[0]
		d := w.head1(w.kop(&Doc{}))
		d.Para("Kami mohon dilakukan reset passphrase TTE untuk pegawai berikut:")
		d.Lines("Nama:", "  "+x.Name, "NIP:", "  "+SpacedNIP(x.NIP), "NIK:", "  "+x.NIK, "Jabatan:", "  "+x.Position, "Unit Kerja:", "  "+x.Office, "E-mail:", "  "+x.Email, "").Para(thanks)
		return w.sign(d), w.want("rank", "phone")
	}},
	{"prosa", 1, func(w *world) (*Doc, Want) {
		x := w.people[0]
		d := w.head1(w.kop(&Doc{}))
		d.Para(fmt.Sprintf("Dengan hormat, bersama ini kami mohon bantuan reset passphrase TTE atas nama %s, NIP %s, jabatan %s pada %s, dengan alamat email %s dan nomor HP %s, dikarenakan yang bersangkutan lupa passphrase.", x.Name, SpacedNIP(x.NIP), x.Position, strings.ReplaceAll(x.Office, ",", ""), x.Email, x.Phone))
		d.Para(thanks)
		want := w.want("nik", "rank")
		want.Applicants[0].Office = p(strings.ReplaceAll(x.Office, ",", ""))
		return w.sign(d), want
	}},
	{"prosa dengan NIP dalam kurung", 1, func(w *world) (*Doc, Want) {
		x := w.people[0]
		d := w.head1(w.kop(&Doc{}))
		d.Para(fmt.Sprintf("Menindaklanjuti lupanya passphrase sertifikat elektronik milik Saudara %s (NIP. %s) selaku %s, kami mohon dapat dilakukan pengaturan ulang passphrase dengan email %s.", x.Name, x.NIP, x.Position, x.Email))
		d.Para(thanks)
		return w.sign(d), w.want("nik", "rank", "office", "phone")
	}},
	{"rekomendasi dua identitas", 1, func(w *world) (*Doc, Want) {
		x := w.people[0]
		w.subject = "SURAT REKOMENDASI RESET PASSPHRASE SERTIFIKAT ELEKTRONIK"
		d := w.kop(&Doc{}).Center("SURAT REKOMENDASI", "RESET PASSPHRASE SERTIFIKAT ELEKTRONIK", "NOMOR : "+w.number).Blank()
		d.Para("Saya yang bertanda tangan di bawah ini :")
		d.Pairs("Nama", w.head.Name, "NIP", SpacedNIP(w.head.NIP), "Pangkat/Golongan", w.head.Rank, "Jabatan", w.pos, "Instansi", w.office)
		d.Para("memberikan rekomendasi kepada :")
		d.Pairs(all(x)...)
		d.Para("untuk mengajukan reset passphrase sertifikat elektronik pada Dinas Komunikasi dan Informatika.")
		d.Sign("Ditetapkan di "+w.place, "pada tanggal "+w.date, w.pos+",", "", "", "", w.head.Name, w.head.Rank, "NIP. "+SpacedNIP(w.head.NIP))
		return d, w.want()
	}},
	{"Plt.", 1, func(w *world) (*Doc, Want) {
		w.pos = "Plt. " + w.pos
		d := w.head1(w.kop(&Doc{}))
		d.Para("Kami mohon reset passphrase TTE pejabat kami dengan data sebagai berikut:")
		d.Pairs(all(w.people[0])...).Para(thanks)
		return w.sign(d), w.want()
	}},
	{"a.n. dengan sekretaris", 1, func(w *world) (*Doc, Want) {
		d := w.head1(w.kop(&Doc{}))
		d.Para("Kami mohon reset passphrase TTE pejabat kami dengan data sebagai berikut:")
		d.Pairs(all(w.people[0])...).Para(thanks)
		d.Sign("a.n. "+strings.ToUpper(w.pos), "Sekretaris,", "", "", "", w.head.Name, "NIP. "+SpacedNIP(w.head.NIP))
		w.pos = "a.n. " + strings.ToUpper(w.pos) + " Sekretaris"
		return d, w.want()
	}},
	{"a.n. dan u.b.", 1, func(w *world) (*Doc, Want) {
		d := w.head1(w.kop(&Doc{}))
		d.Para("Kami mohon reset passphrase TTE pejabat kami dengan data sebagai berikut:")
		d.Pairs(all(w.people[0])...).Para(thanks)
		d.Sign("a.n. "+w.pos, "Sekretaris", "u.b.", "Kepala Subbagian Umum,", "", "", "", w.head.Name, w.head.Rank, "NIP. "+SpacedNIP(w.head.NIP))
		w.pos = "a.n. " + w.pos + " Sekretaris u.b. Kepala Subbagian Umum"
		return d, w.want()
	}},
	{"formulir Blora, kurung siku", 1, func(w *world) (*Doc, Want) {
		w.subject = "Permohonan Tanda Tangan Elektronik"
		d := w.head1(w.kop(&Doc{}))
		d.Para("Bersama ini kami mengajukan permohonan layanan Tanda Tangan Elektronik:")
		d.Lines("Jenis permohonan : [ ] Pembuatan Baru  [ ] Pembaharuan  [X] Reset", "")
		d.Pairs(all(w.people[0])...).Para(thanks)
		return w.sign(d), w.want()
	}},
	{"formulir, kotak di belakang", 1, func(w *world) (*Doc, Want) {
		w.subject = "Permohonan Layanan TTE"
		d := w.head1(w.kop(&Doc{}))
		d.Lines("Jenis Layanan:", "Penerbitan Baru ( )", "Perpanjangan ( )", "Reset Passphrase (v)", "Pencabutan ( )", "")
		d.Pairs(all(w.people[0])...).Para(thanks)
		return w.sign(d), w.want()
	}},
	{"narahubung bukan pemohon", 1, func(w *world) (*Doc, Want) {
		cp := NewPerson(w.r)
		d := w.head1(w.kop(&Doc{}))
		d.Para("Kami mohon reset passphrase TTE pejabat kami dengan data sebagai berikut:")
		d.Pairs(all(w.people[0])...)
		d.Para("Untuk koordinasi dapat menghubungi narahubung kami:")
		d.Pairs("Nama", cp.Name, "No HP Narahubung", cp.Phone).Para(thanks)
		return w.sign(d), w.want()
	}},
	{"perihal beberapa baris", 1, func(w *world) (*Doc, Want) {
		w.subject = "Permohonan Reset Passphrase Tanda Tangan Elektronik (TTE) Pejabat di Lingkungan Kantor Kami Tahun 2026"
		d := w.kop(&Doc{}).Sign(w.place + ", " + w.date)
		d.Pair("Nomor", w.number).Pair("Sifat", "Segera").Pair("Lampiran", "1 (satu) lembar").Pair("Perihal", w.subject)
		d.Blank().Lines("Yth. Kepala Dinas Komunikasi dan Informatika", "di", "Purbalingga", "")
		d.Para("Kami mohon reset passphrase untuk:")
		d.Pairs(all(w.people[0])...).Para(thanks)
		return w.sign(d), w.want()
	}},
	{"daftar bernomor", 2, func(w *world) (*Doc, Want) {
		d := w.head1(w.kop(&Doc{}))
		d.Para("Kami mohon reset passphrase TTE pegawai berikut:")
		for i, x := range w.people {
			d.Lines(fmt.Sprintf("%d. Nama       : %s", i+1, x.Name), "   NIP        : "+SpacedNIP(x.NIP), "   Jabatan    : "+x.Position, "   E-mail     : "+x.Email, "")
		}
		d.Para(thanks)
		return w.sign(d), w.want("nik", "rank", "office", "phone")
	}},
	{"daftar satu baris per orang", 3, func(w *world) (*Doc, Want) {
		d := w.head1(w.kop(&Doc{}))
		d.Para("Kami mohon reset passphrase TTE pegawai berikut:")
		for i, x := range w.people {
			d.Lines(fmt.Sprintf("%d. %s (NIP %s)", i+1, x.Name, SpacedNIP(x.NIP)))
		}
		d.Blank().Para(thanks)
		return w.sign(d), w.want("nik", "rank", "office", "phone", "email", "position")
	}},
	{"H a l dan tanggal bergaris", 1, func(w *world) (*Doc, Want) {
		w.date = w.iso[8:10] + "-" + w.iso[5:7] + "-2026"
		d := w.kop(&Doc{})
		d.Lines("No.   : "+w.number, "H a l : "+w.subject, "Tanggal : "+w.date, "")
		d.Para("Kami mohon reset keyphrase TTE untuk:")
		d.Pairs(all(w.people[0])...).Para(thanks)
		return w.sign(d), w.want()
	}},
	{"mengetahui dan pemohon berdampingan", 1, func(w *world) (*Doc, Want) {
		x := w.people[0]
		w.subject = "FORMULIR PERMOHONAN RESET PASSPHRASE"
		d := w.kop(&Doc{}).Center("FORMULIR PERMOHONAN RESET PASSPHRASE").Blank()
		d.Pairs("Nama", x.Name, "NIP", x.NIP, "NIK", x.NIK, "Jabatan", x.Position, "Unit Kerja", x.Office, "Email", x.Email, "No. HP", x.Phone, "Alasan", "Lupa passphrase")
		d.Blank().Columns([]string{"Mengetahui,", w.pos, "", "", "", w.head.Name, "NIP. " + SpacedNIP(w.head.NIP)},
			[]string{w.place + ", " + w.date, "Pemohon,", "", "", "", x.Name, "NIP. " + SpacedNIP(x.NIP)})
		return d, w.want("number", "rank")
	}},
	{"TTE tersertifikasi di kaki", 1, func(w *world) (*Doc, Want) {
		d := w.head1(w.kop(&Doc{}))
		d.Para("Kami mohon reset passphrase TTE atas nama:")
		d.Pairs(all(w.people[0])...).Para(thanks)
		d.Sign("Ditandatangani secara elektronik oleh:", strings.ToUpper(w.pos), "", "${ttd}", "", strings.ToUpper(w.head.Name), w.head.Rank, "NIP "+w.head.NIP)
		d.Blank().Lines("Dokumen ini telah ditandatangani secara elektronik menggunakan sertifikat elektronik", "yang diterbitkan oleh Balai Sertifikasi Elektronik (BSrE), BSSN.")
		w.head.Name, w.pos = strings.ToUpper(w.head.Name), strings.ToUpper(w.pos)
		return d, w.want()
	}},
	{"tabel dengan sel di tengah", 3, func(w *world) (*Doc, Want) {
		d := w.head1(w.kop(&Doc{}))
		d.Para("Bersama ini kami mohon reset passphrase TTE pejabat berikut:")
		rows := [][]string{{"NO", "NAMA", "NIP", "JABATAN", "E-MAIL"}}
		for i, x := range w.people {
			rows = append(rows, []string{fmt.Sprint(i + 1), x.Name, SpacedNIP(x.NIP), x.Position, x.Email})
		}
		d.Table([]float64{10, 40, 26, 40, 52}, rows...).Middle().Para(thanks)
		return w.sign(d), w.want("nik", "phone", "rank", "office")
	}},
	{"tabel nama dan NIP bertumpuk", 3, func(w *world) (*Doc, Want) {
		d := w.head1(w.kop(&Doc{}))
		d.Para("Bersama ini kami mohon reset passphrase TTE pejabat berikut:")
		rows := [][]string{{"No", "Nama/NIP", "Pangkat/Gol. Ruang", "Jabatan", "No. HP"}}
		for i, x := range w.people {
			rows = append(rows, []string{fmt.Sprint(i+1) + ".", x.Name + "\nNIP. " + SpacedNIP(x.NIP), x.Rank, x.Position, x.Phone})
		}
		d.Table([]float64{9, 58, 34, 42, 26}, rows...).Para(thanks)
		return w.sign(d), w.want("nik", "email", "office")
	}},
	{"tabel tanpa nomor urut", 3, func(w *world) (*Doc, Want) {
		d := w.head1(w.kop(&Doc{}))
		d.Para("Bersama ini kami mohon reset passphrase TTE pejabat berikut:")
		rows := [][]string{{"Nama", "NIP", "NIK", "Unit Kerja"}}
		for _, x := range w.people {
			rows = append(rows, []string{x.Name, x.NIP, x.NIK, x.Office})
		}
		d.Table([]float64{48, 38, 34, 48}, rows...).Para(thanks)
		return w.sign(d), w.want("email", "phone", "rank", "position")
	}},
	{"tabel dua kolom per orang", 1, func(w *world) (*Doc, Want) {
		x := w.people[0]
		d := w.head1(w.kop(&Doc{}))
		d.Para("Kami mohon reset passphrase TTE dengan data:")
		rows := [][]string{}
		kv := all(x)
		for i := 0; i < len(kv); i += 2 {
			rows = append(rows, []string{kv[i], kv[i+1]})
		}
		d.Table([]float64{50, 100}, rows...).Para(thanks)
		return w.sign(d), w.want()
	}},
	{"tabel melintang, pemohon per kolom", 2, func(w *world) (*Doc, Want) {
		d := w.head1(w.kop(&Doc{}))
		d.Para("Kami mohon reset passphrase TTE dengan data:")
		a, b := w.people[0], w.people[1]
		d.Table([]float64{34, 66, 66}, []string{"Nama", a.Name, b.Name}, []string{"NIP", SpacedNIP(a.NIP), SpacedNIP(b.NIP)}, []string{"Jabatan", a.Position, b.Position}, []string{"Email", a.Email, b.Email}).Para(thanks)
		return w.sign(d), w.want("nik", "phone", "rank", "office")
	}},
	{"pernyataan dengan mengetahui di bawah", 1, func(w *world) (*Doc, Want) {
		x := w.people[0]
		w.subject = "SURAT PERNYATAAN LUPA PASSPHRASE"
		d := w.kop(&Doc{}).Center("SURAT PERNYATAAN LUPA PASSPHRASE", "Nomor: "+w.number).Blank()
		d.Para("Yang bertanda tangan di bawah ini, saya:")
		d.Pairs("Nama", x.Name, "NIP", SpacedNIP(x.NIP), "Jabatan", x.Position, "Unit Kerja", x.Office, "Email", x.Email)
		d.Para("menyatakan lupa passphrase sertifikat elektronik dan memohon agar dilakukan reset.")
		d.Sign(w.place+", "+w.date, "Yang menyatakan,", "", "", x.Name, "NIP. "+SpacedNIP(x.NIP)).Blank()
		d.Lines("Mengetahui,", w.pos, "", "", "", w.head.Name, "NIP. "+SpacedNIP(w.head.NIP))
		return d, w.want("nik", "phone", "rank")
	}},
	{"tanpa NIP dan NIK", 1, func(w *world) (*Doc, Want) {
		x := w.people[0]
		d := w.head1(w.kop(&Doc{}))
		d.Para("Kami mohon reset passphrase TTE pejabat kami dengan data sebagai berikut:")
		d.Pairs("Nama", x.Name, "Jabatan", x.Position, "E-mail", x.Email).Para(thanks)
		return w.sign(d), w.want("nip", "nik", "rank", "office", "phone")
	}},
}
