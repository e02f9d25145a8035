package mailflow

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func digestText(t *testing.T, d Digest) string {
	t.Helper()
	r, err := RenderDigest(d, nil)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(strings.Fields(r.Text), " ")
}

func TestDigestSaysWhatIssueSevenLists(t *testing.T) {
	t.Parallel()
	for _, want := range []string{
		"Masuk : 7 Selesai : 6 Ditolak : 1 Menunggu : 4", "6 dari 7 ditepati (85 persen); 1 lewat.", // in, out, waiting; kept and broken
		"PBG-2026-000118 Pengajuan reset ke BSrE drg. Tirto Misalkan lewat 1 jam 10 menit", "Sesi AMS tidak tersedia", // the step that broke it, by how much, why
		"Seluruh layanan 1 jam 32 menit 2 jam 51 menit 1 dari 7", "Pengajuan reset ke BSrE 9 menit 1 jam 25 menit 1 dari 6", // median and p90
		"Terbuka paling lama", "PBG-2026-000111", "Jatuh tempo Selasa, 24 November 2026", "tersisa 40 menit (besok 08.10 WIB)",
		"tidak berkadar pengawasan 1 1 0 1 janji 1 hari", "8 pekan terakhir", "26 Okt 35 30 5 ====================xxxx",
		"Gangguan Srikandi: hari ini 10.00 WIB sampai hari ini 11.00 WIB. Tidak ada janji yang lewat karenanya.",
	} {
		if got := digestText(t, digestSample(DigestHeadDaily)); !strings.Contains(got, want) {
			t.Errorf("lacks %q:\n%s", want, got)
		}
	}
}

func TestDigestOfNothing(t *testing.T) {
	t.Parallel()
	got := digestText(t, DigestSampleZero(DigestHeadWeekly))
	for _, want := range []string{"Pekan ini tidak ada permohonan yang berakhir.", "Tidak ada permohonan yang terbuka.", "Tidak ada pengaduan.", "5 Okt 0 0 0"} {
		if !strings.Contains(got, want) {
			t.Errorf("lacks %q:\n%s", want, got)
		}
	}
	if strings.Contains(got, "persen") || strings.Contains(got, "lewat.") {
		t.Errorf("a share of nothing:\n%s", got)
	}
}

func TestDigestOfAHundred(t *testing.T) {
	t.Parallel()
	d := digestHundred(DigestHeadDaily)
	r, err := RenderDigest(d, nil)
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(r.Text, "dan 90 lainnya di meja kerja."); n != 3 {
		t.Errorf("%d lists cut, want breaches, oldest and due", n)
	}
	if len(r.HTML) > 102<<10 {
		t.Errorf("%d bytes: Gmail cuts after 102 KB", len(r.HTML))
	}
	if strings.Contains(r.Text, "Semua ditepati") || !strings.Contains(r.Text, "99 persen") {
		t.Errorf("199 of 200 are not all:\n%s", r.Text)
	}
}

// digestHundred is a digest with a hundred rows in each list and long names.
func digestHundred(template string) Digest {
	d := digestSample(template)
	d.In, d.Closed, d.Waiting, d.Kept, d.Broken = 300, 200, 100, 199, 1
	long := "Dr. dr. Contohwijayakusumaningrat Andaikatasewandanawati Misalnyahadiningrat, Sp.OG(K)., M.Kes., FISQua."
	office := "Badan Perencanaan Pembangunan, Penelitian dan Pengembangan Daerah, UPTD Laboratorium Pengujian Contoh Wilayah Selatan"
	var open []DigestOpen
	d.Breaches = nil
	for i := range 100 {
		number := fmt.Sprintf("PBG-2026-%06d", 1000+i)
		open = append(open, DigestOpen{Number: number, Office: office, Applicant: long, Step: "Pemeriksaan surat dan data pemohon beserta kelengkapannya",
			Holder: long, Since: d.Now.Add(-30 * time.Hour), Left: time.Duration(50-i) * time.Minute, Due: d.Now.Add(time.Duration(50-i) * time.Minute)})
		d.Breaches = append(d.Breaches, DigestBreach{Number: number, Office: office, Applicant: long, Step: open[i].Step, Over: time.Duration(i) * time.Hour})
	}
	d.Oldest, d.DueNext = open, open
	if template == DigestVerifier {
		d.Work = open
	}
	for i := range d.Trend {
		d.Trend[i].Kept, d.Trend[i].Broken = 1000*i, i
	}
	return d
}

func TestDigestBars(t *testing.T) {
	t.Parallel()
	zone := time.FixedZone("WIB", 7*3600)
	week := time.Date(2026, 11, 23, 0, 0, 0, 0, zone)
	view := digestView{Digest{Trend: []DigestWeek{{From: week, Kept: 0}, {From: week, Kept: 900, Broken: 1}, {From: week, Kept: 450}}}, noticeTimes{week, zone}}
	bars := view.Bars()
	for i, want := range [][2]int{{0, 0}, {digestBarHeight * 900 / 901, 3}, {digestBarHeight * 450 / 901, 0}} {
		if got := [2]int{bars[i].KeptHeight, bars[i].BrokenHeight}; got != want {
			t.Errorf("week %d: %v, want %v", i, got, want)
		}
	}
	if view.Trend = nil; len(view.Bars()) != 0 {
		t.Error("columns without weeks")
	}
}

func TestDigestOfTheVerifierBeginsWithTheDanger(t *testing.T) {
	t.Parallel()
	got := digestText(t, digestSample(DigestVerifier))
	danger, work := strings.Index(got, "1 reset belum pasti: periksa di AMS, jangan diulang."), strings.Index(got, "Menunggu Bapak/Ibu")
	if danger < 0 || work < danger || !strings.Contains(got, "2 permohonan atau pengaduan menunggu Bapak/Ibu hari ini; 1 di antaranya sudah lewat waktunya.") {
		t.Error(got)
	}
}

func TestDigestUnknownTemplate(t *testing.T) {
	t.Parallel()
	d := digestSample(DigestOffice)
	d.Template = NoticeDone
	if _, err := RenderDigest(d, nil); err == nil {
		t.Error("a notice's template was taken for a digest")
	}
}

func BenchmarkNoticeRender(b *testing.B) {
	n := noticeSample(NoticeWork)
	for b.Loop() {
		if _, err := RenderNotice(n, nil); err != nil {
			b.Fatal(err)
		}
	}
}
