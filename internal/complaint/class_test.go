package complaint

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pulih/internal/sop"
)

func TestTheRulesPropose(t *testing.T) {
	t.Parallel()
	classes := office(t).SOP.Complaints
	for _, c := range []struct{ text, want, because string }{
		{"Petugas MEMINTA  UANG supaya cepat.", "supervised", "meminta uang"},
		{"Saya dimintai imbalan oleh staf.", "supervised", "dimintai imbalan"},
		{"Passphrase saya direset tanpa sepengetahuan saya", "supervised", "tanpa sepengetahuan saya"},
		{"Saya tidak pernah mengajukan reset, tetapi menerima tautan.", "supervised", "tidak pernah mengajukan"},
		{"Ada pilih kasih dalam pelayanan.", "supervised", "pilih kasih"},
		{"Data kami bocor ke luar.", "supervised", "data kami bocor"},
		{"Sudah lewat 150 menit, padahal standar pelayanan menjanjikannya.", "normative", "150 menit"},
		{"Permohonan kami ditolak tanpa alasan.", "normative", "ditolak"},
		{"Apa saja persyaratan yang diminta? Prosedurnya rumit.", "normative", "persyaratan"},
		{"Tautan reset belum kami terima.", "light", "tautan"},
		{"Telepon tidak dijawab sejak pagi.", "light", "tidak dijawab"},
		{"Kapan selesai?", "light", "kapan"},
		{"Saran kami: sediakan nomor antrean.", "unsupervised", "saran"},
		{"Mohon informasi pelatihan TTE.", "unsupervised", "mohon informasi"},
		{"Saran: tautannya lama sekali, tolong dipercepat.", "light", "tautannya"}, // the shorter promise of two
		{"Halo admin", "light", ""}, // no sign: the shortest promise
		{"", "light", ""},
		{"> Petugas meminta uang\nItu kutipan, kapan dijawab?", "light", "kapan"},
		{"Kapan dijawab?\nPada Sen, 16 Nov 2026 09.00 Tim menulis:\nada pungli", "light", "kapan"},
		{"Kami sopan bertanya.", "light", ""}, // "sop" is a word of its own
		{"Usulan biaya tambahan", "normative", "biaya"},
	} {
		p := Propose(c.text, classes)
		if p.Class == nil || p.Class.ID != c.want || !strings.Contains(p.Reasons[0], c.because) || (c.because == "") != strings.Contains(p.Reasons[0], "tidak ada petunjuk") {
			t.Errorf("%q: %+v because %q, expected %s because of %q", c.text, p.Class, p.Reasons, c.want, c.because)
		}
	}
}

func TestOnlyClassesOfTheSOPAreProposed(t *testing.T) {
	t.Parallel()
	two := []sop.ComplaintClass{
		{ID: "umum", Title: "Umum", Norm: sop.Norm{Days: 3, Clock: sop.Working}, Holder: sop.Verifier},
		{ID: "cepat", Title: "Cepat", Norm: sop.Norm{Length: 5 * time.Hour, Clock: sop.Working}, Holder: sop.Head},
	}
	if p := Propose("Petugas meminta uang.", two); p.Class.ID != "cepat" || p.Class.Holder != sop.Head {
		t.Errorf("proposed %+v", p.Class)
	}
	if p := Propose("Petugas meminta uang.", nil); p.Class != nil || p.Reasons != nil {
		t.Errorf("without classes %+v", p)
	}
	known := office(t).SOP.Complaints
	for _, r := range Rules {
		if !slices.ContainsFunc(known, func(c sop.ComplaintClass) bool { return c.ID == r.Class }) {
			t.Errorf("rule for %q, which no shipped SOP has", r.Class)
		}
		for _, w := range r.Words {
			if w != strings.ToLower(w) || strings.Contains(w, "  ") {
				t.Errorf("%q can never match", w)
			}
		}
	}
}

func TestThanks(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"Terima kasih":                       true,
		"Ok, terima kasih banyak Bu!":        true,
		"Baik, terima kasih.\n\nSalam\nJoko": true,
		"Terima kasih, sudah bisa kembali":   true,
		"Terima kasih, tetapi belum":         false,
		"Terima kasih. Kapan selesai?":       false,
		"Tidak":                              false,
		"":                                   false,
		"\u2764\ufe0f":                       false,
		"Terima kasih\n> jawaban lama yang belum": true,
		"Terima kasih\nBudi":                      false,
	} {
		if got := onlyThanks(text, "Joko Susilo, S.Kep."); got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
}
