// Package corpus builds labelled letters of invented persons in the layouts of many offices, to measure how well letters are read. Each
// layout is written once as a document and rendered as mail text, HTML, PDF, DOCX, scan, archive or forwarded mail.
package corpus

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// Person is an invented official.
type Person struct {
	Name     string // with titles
	NIP      string
	NIK      string
	Email    string
	Phone    string
	Position string
	Rank     string
	Office   string
}

var (
	before  = []string{"", "", "", "Drs. ", "Dra. ", "dr. ", "Ir. ", "H. ", "Hj. ", "Dr. ", "Drs. H. ", "drg. ", "Dr. Ir. "}
	given   = []string{"Slamet", "Sri", "Bambang", "Endang", "Agus", "Dwi", "Tri", "Wahyu", "Eko", "Siti", "Yuni", "Rahmat", "Nur", "Budi", "Ratna", "Hendra", "Ika", "Kartika", "Mulyono", "Suharti", "Teguh", "Wening", "Anisa", "Fajar", "Galih"}
	second  = []string{"Aminah", "Riyadi", "Hidayati", "Santoso", "Prasetyo", "Lestari", "Kusuma", "Wibowo", "Handayani", "Nugroho", "Rahayu", "Setiawan", "Pertiwi", "Wijayanti", "Purnomo", "Utami", "Maryono", "Astuti", "Saputra", "Widodo", "Iskandar", "Puspita", "Hartono", "Sukmawati"}
	third   = []string{"", "", "", " Adi", " Putri", " Laksono", " Dewi", " Ramadhan"}
	after   = []string{"", ", S.Pd.", ", S.Kom.", ", S.E., M.M.", ", S.Sos., M.Si.", ", S.H.", ", M.Pd.", ", S.STP., M.A.P.", ", A.Md.", ", S.T., M.T.", ", S.K.M., M.Kes.", ", S.IP"}
	offices = []string{"Dinas Pendidikan dan Kebudayaan", "Dinas Kesehatan", "Badan Kepegawaian dan Pengembangan Sumber Daya Manusia", "Dinas Pekerjaan Umum dan Penataan Ruang", "Kecamatan Bobotsari", "Inspektorat Daerah", "Dinas Lingkungan Hidup", "Badan Keuangan Daerah", "Satuan Polisi Pamong Praja", "Dinas Sosial, Pengendalian Penduduk dan Keluarga Berencana", "Kelurahan Kandang Gampang", "Dinas Perhubungan", "RSUD dr. R. Goeteng Taroenadibrata", "UPTD Puskesmas Kutasari"}
	jobs    = []string{"Kepala Bidang Pembinaan Sekolah Dasar", "Sekretaris", "Kepala Subbagian Umum dan Kepegawaian", "Kepala Seksi Pelayanan", "Analis Kebijakan Ahli Muda", "Pranata Komputer Ahli Pertama", "Bendahara Pengeluaran", "Kepala Bidang Anggaran", "Kepala UPTD Puskesmas", "Guru Ahli Madya"}
	ranks   = []string{"Pembina (IV/a)", "Penata Tk. I (III/d)", "Penata Muda (III/a)", "Pembina Tk. I / IV/b", "Penata / III/c", "Pembina Utama Muda, IV/c"}
)

// NewPerson invents a person; the same random source gives the same one.
func NewPerson(r *rand.Rand) Person {
	first, last := pick(r, given), pick(r, second)
	plain := first + pick(r, third) + " " + last
	woman := r.IntN(2)
	y, m, d := 1965+r.IntN(33), 1+r.IntN(12), 1+r.IntN(28)
	nip := fmt.Sprintf("%04d%02d%02d%04d%02d%d%03d", y, m, d, y+22+r.IntN(5), 1+r.IntN(12), 1+woman, 1+r.IntN(20))
	nik := fmt.Sprintf("3303%02d%02d%02d%02d%04d", 1+r.IntN(18), d+40*woman, m, y%100, 1+r.IntN(9))
	return Person{
		Name: pick(r, before) + plain + pick(r, after), NIP: nip, NIK: nik,
		Email:    strings.ToLower(first) + "." + strings.ToLower(strings.ReplaceAll(last, " ", "")) + fmt.Sprint(r.IntN(90)+10) + "@purbalinggakab.go.id",
		Phone:    fmt.Sprintf("08%d%08d", 11+r.IntN(80), r.IntN(100000000)),
		Position: pick(r, jobs), Rank: pick(r, ranks), Office: pick(r, offices),
	}
}

func pick(r *rand.Rand, list []string) string { return list[r.IntN(len(list))] }

// SpacedNIP is the usual way to write a NIP.
func SpacedNIP(n string) string { return n[:8] + " " + n[8:14] + " " + n[14:15] + " " + n[15:] }

// SpacedNIK writes a NIK in groups.
func SpacedNIK(n string) string { return n[:4] + " " + n[4:8] + " " + n[8:12] + " " + n[12:] }
