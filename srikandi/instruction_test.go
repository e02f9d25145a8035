package srikandi_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"pulih/srikandi"
)

var instructions = []struct {
	texts string // several, separated by |
	want  srikandi.Class
}{
	// The list of the service's page, each by itself.
	{"Tindaklanjuti", srikandi.Act},
	{"Untuk ditindaklanjuti", srikandi.Act},
	{"Proses lebih lanjut", srikandi.Act},
	{"Proses sesuai ketentuan", srikandi.Act},
	{"Selesaikan", srikandi.Act},
	{"Koordinasikan", srikandi.Act},
	{"Koordinasi/konfirmasikan", srikandi.Act},
	{"Teruskan", srikandi.Forward},
	{"Untuk diketahui", srikandi.Inform},
	{"Arsip", srikandi.Archive},
	{"Seperlunya", srikandi.Other},
	{"Teliti", srikandi.Act},
	{"Pelajari/telaah/sarannya", srikandi.Other},
	{"Tanggapan dan saran", srikandi.Other},
	{"Untuk dijawab", srikandi.Act},
	{"Siapkan bahan", srikandi.Other},
	{"Wakili/hadir", srikandi.Other},
	// As people write them.
	{"TINDAK LANJUTI!", srikandi.Act},
	{"Mohon segera di-tindaklanjuti.", srikandi.Act},
	{"TL", srikandi.Act},
	{"UDK", srikandi.Inform},
	{"mohon diteruskan ke verifikator", srikandi.Forward},
	{"Arsipkan", srikandi.Archive},
	{"Untuk diarsipkan", srikandi.Archive},
	{"Sebagai informasi", srikandi.Inform},
	{"Bicarakan dengan saya", srikandi.Other},
	{"Laporkan hasil tindak lanjut", srikandi.Other},
	{"Tanggapi", srikandi.Act},
	{"entahlah", srikandi.Other},
	{"", srikandi.Inform},
	{" . ", srikandi.Inform},
	// Several: the strongest.
	{"Untuk diketahui|Tindaklanjuti", srikandi.Act},
	{"Arsip|Untuk diketahui", srikandi.Inform},
	{"Teruskan|Arsip", srikandi.Forward},
	{"Teruskan|Proses lebih lanjut", srikandi.Act},
	{"Siapkan bahan|Untuk diketahui", srikandi.Other},
	{"Seperlunya|Arsip", srikandi.Other},
	{"Untuk diketahui dan ditindaklanjuti", srikandi.Act},
	{"Untuk diketahui dan diarsipkan", srikandi.Inform},
	// Negations ask for nothing.
	{"Tidak perlu ditindaklanjuti", srikandi.Inform},
	{"Sudah diproses, arsipkan", srikandi.Inform},
	{"Jangan diteruskan", srikandi.Inform},
	{"Belum perlu diproses", srikandi.Inform},
	{"telah selesai di proses", srikandi.Inform},
	{"Berkas tidak lengkap, teruskan ke verifikator", srikandi.Forward},
	{"Belum ada disposisi; tindaklanjuti", srikandi.Act},
	// Words inside words are other words.
	{"Prosesi pelantikan", srikandi.Other},
	{"Informatika", srikandi.Other},
	{"Profil", srikandi.Other},
}

func TestInstruct(t *testing.T) {
	t.Parallel()
	for _, c := range instructions {
		if got := srikandi.Instruct(strings.Split(c.texts, "|")...); got != c.want {
			t.Errorf("%q asks for %s, want %s", c.texts, got, c.want)
		}
	}
}

// "Only the ones that ask for action move a request on; untuk diketahui and arsip never do."
func TestKnowingAndKeepingNeverMove(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		texts := rapid.SliceOfN(rapid.SampledFrom([]string{"Untuk diketahui", "Arsip", "UNTUK DIKETAHUI", "arsipkan", "Diketahui", "untuk  diarsipkan", "Untuk diketahui/arsip"}), 1, 5).
			Draw(t, "texts")
		if c := srikandi.Instruct(texts...); c.Moves() {
			t.Fatalf("%q moves a request: %s", texts, c)
		}
	})
}

// A mix asks for the strongest of its parts, in any order.
func TestAMixIsItsStrongest(t *testing.T) {
	t.Parallel()
	order := []srikandi.Class{srikandi.Archive, srikandi.Inform, srikandi.Other, srikandi.Forward, srikandi.Act}
	rank := func(c srikandi.Class) int {
		for i, o := range order {
			if o == c {
				return i
			}
		}
		return -1
	}
	single := rapid.SampledFrom([]string{"Arsip", "Untuk diketahui", "Seperlunya", "Siapkan bahan", "Teruskan", "Tindaklanjuti", "Selesaikan", "Untuk dijawab"})
	rapid.Check(t, func(t *rapid.T) {
		texts := rapid.SliceOfN(single, 1, 6).Draw(t, "texts")
		want := srikandi.Archive
		for _, text := range texts {
			if c := srikandi.Instruct(text); rank(c) > rank(want) {
				want = c
			}
		}
		if got := srikandi.Instruct(texts...); got != want {
			t.Fatalf("%q asks for %s, want %s", texts, got, want)
		}
	})
}
