package mailflow

import (
	"slices"
	"time"
)

// Samples for `pulih mail preview` and the tests: one invented case told from its letter to its end. No name, number or address in it is
// anybody's.

var noticeSampleNow = time.Date(2026, 11, 23, 13, 38, 0, 0, time.FixedZone("WIB", 7*3600))

// NoticeSamples is one notice for each template, in the order of NoticeTemplates.
func NoticeSamples() []Notice {
	out := make([]Notice, 0, len(noticeTemplates))
	for _, name := range noticeTemplates {
		out = append(out, noticeSample(name))
	}
	return out
}

// NoticeSampleBare is the least that a notice for the template can know: no links, no clocks, no lists. It must still make a whole mail.
func NoticeSampleBare(template string) Notice {
	full := noticeSample(template)
	n := Notice{Template: template, Now: full.Now, Agency: NoticeAgency{Prefix: "PBG", Unit: full.Agency.Unit, Team: full.Agency.Team, Zone: full.Agency.Zone}, To: NoticePerson{Kind: full.To.Kind}}
	n.Request.Number, n.Complaint.Number = full.Request.Number, full.Complaint.Number
	n.SignIn.URL = full.SignIn.URL
	return n
}

func noticeSampleAgency() NoticeAgency {
	return NoticeAgency{
		Prefix: "PBG", Name: "Pemerintah Kabupaten Purbalingga", Unit: "Dinkominfo Kabupaten Purbalingga", Team: "Tim Verifikator Sertifikat Elektronik",
		Address: "dinkominfo@purbalinggakab.go.id", Phone: "(0281) 000-0000", Hours: "Senin–Kamis 07.30–16.00, Jumat 07.30–16.30 WIB",
		Zone: noticeSampleNow.Location(),
	}
}

var (
	noticeSampleOffice    = NoticePerson{NoticeToOffice, "Dinas Pendidikan dan Kebudayaan", "Kepala Dinas Pendidikan dan Kebudayaan", "dindikbud@purbalinggakab.go.id"}
	noticeSampleApplicant = NoticePerson{NoticeToApplicant, "Endah Contohsari, S.Pd., M.M.", "Kepala Bidang Pembinaan Sekolah Dasar", "endah.contohsari@purbalinggakab.go.id"}
	noticeSampleVerifier  = NoticePerson{NoticeToStaff, "Rini Contohwati, S.Kom.", "Pranata Komputer Ahli Muda", "rini.contoh@purbalinggakab.go.id"}
	noticeSampleSection   = NoticePerson{NoticeToStaff, "Bagas Misalnya, S.T.", "Kepala Seksi Keamanan Informasi", "bagas.misal@purbalinggakab.go.id"}
	noticeSampleHead      = NoticePerson{NoticeToStaff, "Dra. Hj. Sri Umpama, M.Si.", "Kepala Dinas Komunikasi dan Informatika", "kadin@purbalinggakab.go.id"}
	noticeSampleCitizen   = NoticePerson{NoticeToCitizen, "Warga Contoh", "", "warga.contoh@example.org"}
)

func noticeSample(template string) Notice {
	now := noticeSampleNow
	n := Notice{
		Template: template, Now: now, Agency: noticeSampleAgency(), To: noticeSampleVerifier,
		Request: NoticeRequest{
			Number: "PBG-2026-000123", State: "Data sedang diperiksa", OpenedAt: now.Add(-108 * time.Minute),
			LetterNumber: "B/500.12.16.3/573/DINDIKBUD/XI/2026", LetterDate: now.AddDate(0, 0, -3), Channel: "Srikandi",
			LetterSubject: "Permohonan Lupa Passphrase Sertifikat Elektronik",
			Office:        "Dinas Pendidikan dan Kebudayaan", Applicant: "Endah Contohsari, S.Pd., M.M.",
			Position: "Kepala Bidang Pembinaan Sekolah Dasar", Address: "endah.contohsari@purbalinggakab.go.id",
		},
		Total: NoticeClock{Norm: "150 menit", Used: 48 * time.Minute, Left: 102 * time.Minute, Due: now.Add(102 * time.Minute)},
		Links: NoticeLinks{Status: "https://tte.purbalinggakab.go.id/s/contoh", Desk: "https://tte.purbalinggakab.go.id/meja/PBG-2026-000123"},
	}
	examine := NoticeClock{Title: "Pemeriksaan surat dan data pemohon", Norm: "30 menit", Left: 18 * time.Minute, Due: now.Add(18 * time.Minute)}
	instructions := NoticeInstructions{Portal: "https://ams.example.go.id", Search: n.Request.Address, Name: n.Request.Applicant,
		Serial: "5A3F90C1D27E44B8", Validity: "12 Maret 2025 sampai 12 Maret 2027"}
	items := []NoticeItem{
		{Number: "PBG-2026-000118", Applicant: "drg. Tirto Misalkan", Office: "Dinas Kesehatan", Step: "Pengajuan reset ke BSrE", Holder: "Rini Contohwati, S.Kom.",
			Left: -70 * time.Minute, Due: now.Add(-70 * time.Minute), URL: "https://tte.purbalinggakab.go.id/meja/PBG-2026-000118"},
		{Number: "PBG-2026-000121", Applicant: "Galih Andaikata, S.H.", Office: "Sekretariat Daerah, Bagian Hukum", Step: "Pemeriksaan surat dan data pemohon",
			Holder: "Rini Contohwati, S.Kom.", Left: 6 * time.Minute, Due: now.Add(6 * time.Minute), URL: "https://tte.purbalinggakab.go.id/meja/PBG-2026-000121"},
		{Number: "PBG-2026-000123", Applicant: n.Request.Applicant, Office: n.Request.Office, Step: examine.Title, Holder: "Rini Contohwati, S.Kom.",
			Left: 18 * time.Minute, Due: now.Add(18 * time.Minute), URL: n.Links.Desk},
	}
	bundle := func() {
		n.Request, n.Total = NoticeRequest{}, NoticeClock{}
		n.Items = items
		n.Links = NoticeLinks{Desk: "https://tte.purbalinggakab.go.id/meja"}
	}
	complaint := func(to NoticePerson) {
		n.To = to
		n.Total, n.Links.Status = NoticeClock{}, ""
		n.Complaint = NoticeComplaint{Number: "PBG-P-2026-000012", Class: "ringan", Channel: "surel", ReceivedAt: now.Add(-20 * time.Minute)}
		n.Step = NoticeClock{Norm: "2 jam", Left: 100 * time.Minute, Due: now.Add(100 * time.Minute)}
		n.Links.Desk = "https://tte.purbalinggakab.go.id/meja/pengaduan/12"
	}
	switch template {
	case NoticeReceiptOffice:
		n.To, n.Request.State = noticeSampleOffice, ""
	case NoticeReceiptApplicant:
		n.To, n.Request.State = noticeSampleApplicant, "Surat sedang didisposisikan"
	case NoticeWork:
		n.Step = examine
		n.Reason = "Kasi: Untuk ditindaklanjuti sesuai ketentuan."
	case NoticeSecondApproval:
		n.Step = examine
		n.Reason = "Reset untuk pemohon yang sama telah dilakukan 3 hari yang lalu (PBG-2026-000104)."
	case NoticeUndecided:
		n.Step = examine
		n.Reason = "surat diubah setelah, atau sewaktu, keputusan itu dibuat."
	case NoticeWithdrawn:
		n.To = noticeSampleSection
		n.Reason = "Disposisi ditarik kembali oleh pengirimnya di Srikandi."
		n.Links = NoticeLinks{}
	case NoticeReturned:
		n.To, n.Request.State = noticeSampleOffice, "Ada yang perlu dilengkapi"
		n.Total.Paused = true
		n.Missing = []string{"Surat belum dibubuhi stempel dinas.", "Jabatan pemohon pada surat berbeda dengan data kami; mohon dipastikan.",
			"E-mail dinas pemohon belum dicantumkan."}
		n.Reason = "Halaman kedua surat tidak terbaca. Mohon dipindai ulang."
	case NoticeCompleted:
		n.To = noticeSampleOffice
	case NoticeAssisted:
		n.Step = NoticeClock{Title: "Pengajuan reset di AMS BSrE", Norm: "15 menit", Left: 12 * time.Minute, Due: now.Add(12 * time.Minute)}
		n.Instructions = instructions
	case NoticeSessionNeeded:
		bundle()
	case NoticeResetSubmitted:
		n.To = noticeSampleApplicant
		n.Step = NoticeClock{Title: "Pemohon membuat passphrase baru", Norm: "30 menit", Left: 30 * time.Minute, Due: now.Add(30 * time.Minute)}
		const page = "https://tte.purbalinggakab.go.id/s/contoh?jawab="
		n.Links.Yes, n.Links.No, n.Links.Failed = page+"sudah", page+"belum", page+"gagal"
	case NoticePhoneCheck:
		n.To, n.Request.State = noticeSampleApplicant, "Permohonan disetujui"
		n.Total.Paused = true
	case NoticeUncertain:
		n.Instructions = instructions
		n.Reason = "Sambungan ke BSrE terputus setelah permintaan dikirim."
		n.Step = NoticeClock{Title: "Memastikan hasil reset", Norm: "15 menit", Left: 9 * time.Minute, Due: now.Add(9 * time.Minute)}
	case NoticeRefusedByBSrE:
		n.Reason = "Nomor seri sertifikat tidak valid"
		n.Step = NoticeClock{Title: "Pengajuan reset di AMS BSrE", Norm: "15 menit", Left: -4 * time.Minute, Due: now.Add(-4 * time.Minute)}
	case NoticeReminderPassphrase, NoticeCallApplicant:
		n.Step = NoticeClock{Title: "Pemohon membuat passphrase baru", Norm: "30 menit", Left: 6 * time.Minute, Due: now.Add(6 * time.Minute)}
		if template == NoticeCallApplicant {
			n.Step.Left, n.Step.Due = -70*time.Minute, now.Add(-70*time.Minute)
			break
		}
		n.To = noticeSampleApplicant
		const page = "https://tte.purbalinggakab.go.id/s/contoh?jawab="
		n.Links.Yes, n.Links.No, n.Links.Failed = page+"sudah", page+"belum", page+"gagal"
	case NoticeDone:
		n.To = noticeSampleApplicant
		n.Total.Used = 96 * time.Minute
		n.Links.Complaint = "https://tte.purbalinggakab.go.id/pengaduan"
	case NoticeRejected:
		n.To, n.Request.State = noticeSampleOffice, "Permohonan tidak dapat diproses"
		n.Total = NoticeClock{}
		n.Reason = "Surat tidak ditandatangani oleh kepala perangkat daerah atau pejabat yang mewakilinya."
		n.Missing = []string{"Ajukan surat baru yang ditandatangani kepala dinas atau Plt./Plh. kepala dinas dan dibubuhi stempel."}
		n.Links.Complaint = "https://tte.purbalinggakab.go.id/pengaduan"
	case NoticeReminder:
		bundle()
		n.Links.Mute = "https://tte.purbalinggakab.go.id/saya/surel"
	case NoticeEscalation:
		bundle()
		n.To, n.Items = noticeSampleSection, n.Items[:1]
	case NoticeUnclearLetter, NoticeOtherService:
		n.Sender = "dinkes@purbalinggakab.go.id"
		n.Total = NoticeClock{}
		n.Request = NoticeRequest{OpenedAt: now.Add(-6 * time.Minute), LetterNumber: "500.12.10/1104.86/2026", LetterDate: now.AddDate(0, 0, -3),
			LetterSubject: "Permohonan Tanda Tangan Elektronik", Office: "Dinas Kesehatan", Channel: "surel"}
		n.Links = NoticeLinks{Desk: "https://tte.purbalinggakab.go.id/meja/surat/88"}
		n.Reason = "Formulir gabungan: kotak “Reset” dan “Pembaharuan” sama-sama ditandai."
		if template == NoticeOtherService {
			n.Reason = "penerbitan sertifikat baru"
		}
	case NoticeComplaintReceived, NoticeComplaintForwarded:
		complaint(noticeSampleCitizen)
		if template == NoticeComplaintForwarded {
			n.Complaint.Class, n.Step = "normatif", NoticeClock{Norm: "4 jam", Left: 220 * time.Minute, Due: now.Add(1210 * time.Minute)}
		}
	case NoticeComplaintAssigned:
		complaint(noticeSampleVerifier)
		n.Complaint.From, n.Complaint.Summary = "Warga Contoh", "Tautan dari BSrE belum datang sejak kemarin.\nMohon bantuannya."
	case NoticeComplaintAnswered:
		complaint(noticeSampleCitizen)
		n.Step = NoticeClock{}
		n.Complaint.Answer = "Tautan telah dikirim ulang oleh BSrE hari ini pukul 13.10 WIB.\nMohon periksa e-mail dinas, termasuk folder spam. Kami mohon maaf atas keterlambatan ini."
	case NoticeAddressDead:
		n.Reason = "550 5.1.1 mailbox unavailable"
		n.Step = examine
	case NoticeOperatorAlarm:
		n.Request, n.Total = NoticeRequest{}, NoticeClock{}
		n.Links = NoticeLinks{Desk: "https://tte.purbalinggakab.go.id/sistem"}
		n.Alarm = NoticeAlarm{Title: "Srikandi menolak masuk", Since: now.Add(-35 * time.Minute), Detail: "Dua kali ditolak (401 invalid_client). Percobaan berikutnya pukul 14.35 WIB.",
			Effect: "Surat baru di Srikandi belum terbaca; surat melalui surel tetap diproses.",
			Do:     []string{"Periksa client id dan secret pada konfigurasi.", "Jalankan “pulih check” dan baca jawabannya."}}
	case NoticeBacklogSummary:
		bundle()
		n.Items = []NoticeItem{{Number: "PBG-2026-000118", Applicant: "drg. Tirto Misalkan", Office: "Dinas Kesehatan", Note: "Disposisi diterima; menunggu pemeriksaan Bapak/Ibu."},
			{Number: "PBG-2026-000121", Applicant: "Galih Andaikata, S.H.", Office: "Sekretariat Daerah, Bagian Hukum", Note: "Kelengkapan diterima dari kantor."}}
		n.Outage = NoticeOutage{System: "Srikandi", From: now.Add(-29 * time.Hour), Until: now.Add(-20 * time.Minute)}
	case NoticeEvaluationPack:
		n.To, n.Request, n.Total = noticeSampleHead, NoticeRequest{}, NoticeClock{}
		n.Period, n.Meeting = "November 2026", "Kamis, 3 Desember 2026 pukul 09.00 WIB"
		n.Files = []string{"evaluasi-2026-11.pdf", "evaluasi-2026-11.xlsx"}
		n.Links = NoticeLinks{Desk: "https://tte.purbalinggakab.go.id/pimpinan"}
	case NoticeSignInLink:
		n.Request, n.Total, n.Links = NoticeRequest{}, NoticeClock{}, NoticeLinks{}
		n.SignIn = NoticeSignIn{URL: "https://tte.purbalinggakab.go.id/masuk/contoh", Until: now.Add(15 * time.Minute)}
	}
	return n
}

// DigestSamples is one digest for each template, in the order of DigestTemplates.
func DigestSamples() []Digest {
	out := make([]Digest, 0, len(digestTemplates))
	for _, name := range digestTemplates {
		out = append(out, digestSample(name))
	}
	return out
}

// DigestSampleZero is a digest of a period in which nothing happened.
func DigestSampleZero(template string) Digest {
	full := digestSample(template)
	d := Digest{Template: template, Now: full.Now, From: full.From, Until: full.Until, Agency: full.Agency, To: full.To, Office: full.Office, Promise: full.Promise, NextDay: full.NextDay}
	for _, w := range full.Trend {
		d.Trend = append(d.Trend, DigestWeek{From: w.From})
	}
	for _, t := range full.Times {
		d.Times = append(d.Times, DigestTime{Title: t.Title, Norm: t.Norm})
	}
	for _, c := range full.Complaints {
		d.Complaints = append(d.Complaints, DigestComplaints{Class: c.Class, Norm: c.Norm})
	}
	return d
}

func digestSample(template string) Digest {
	zone := noticeSampleNow.Location()
	now := time.Date(2026, 11, 23, 16, 0, 0, 0, zone)
	day := time.Date(2026, 11, 23, 0, 0, 0, 0, zone)
	d := Digest{
		Template: template, Now: now, From: day, Until: day.AddDate(0, 0, 1), Agency: noticeSampleAgency(), To: noticeSampleHead, Promise: "150 menit",
		In: 7, Closed: 6, Refused: 1, Waiting: 4, Paused: 1, Kept: 6, Broken: 1,
		Breaches: []DigestBreach{{Number: "PBG-2026-000118", Office: "Dinas Kesehatan", Applicant: "drg. Tirto Misalkan", Step: "Pengajuan reset ke BSrE",
			Over: 70 * time.Minute, Reason: "Sesi AMS tidak tersedia"}},
		Times: []DigestTime{{"Seluruh layanan", "150 menit", 7, 92 * time.Minute, 171 * time.Minute, 1}, {"Disposisi", "15 menit", 7, 6 * time.Minute, 14 * time.Minute, 0},
			{"Pemeriksaan surat dan data pemohon", "30 menit", 7, 18 * time.Minute, 28 * time.Minute, 0}, {"Pengajuan reset ke BSrE", "15 menit", 6, 9 * time.Minute, 85 * time.Minute, 1},
			{"Pemohon membuat passphrase baru", "", 6, 34 * time.Minute, 66 * time.Minute, 0}},
		Oldest: []DigestOpen{
			{Number: "PBG-2026-000111", Office: "Kecamatan Bobotsari", Applicant: "Wening Ibaratno, S.Sos.", Step: "Dikembalikan: kelengkapan", Holder: "Kecamatan Bobotsari", Since: now.AddDate(0, 0, -4), Paused: true},
			{Number: "PBG-2026-000119", Office: "Dinas Kesehatan", Applicant: "drg. Tirto Misalkan", Step: "Menunggu sesi AMS verifikator", Holder: "Rini Contohwati, S.Kom.", Since: now.Add(-5 * time.Hour), Left: -95 * time.Minute, Due: now.Add(-95 * time.Minute)},
			{Number: "PBG-2026-000123", Office: "Dinas Pendidikan dan Kebudayaan", Applicant: "Endah Contohsari, S.Pd., M.M.", Step: "Menunggu pemeriksaan", Holder: "Rini Contohwati, S.Kom.", Since: now.Add(-50 * time.Minute), Left: 40 * time.Minute, Due: now.Add(16*time.Hour + 10*time.Minute)}},
		NextDay: day.AddDate(0, 0, 1),
		Complaints: []DigestComplaints{{"ringan", "2 jam", 1, 0, 1, 0}, {"normatif", "4 jam", 0, 0, 0, 0}, {"tidak berkadar pengawasan", "1 hari", 1, 1, 0, 1},
			{"berkadar pengawasan", "30 hari kerja", 0, 1, 0, 0}},
		Outages: []DigestOutage{{System: "Srikandi", From: now.Add(-6 * time.Hour), Until: now.Add(-5 * time.Hour), Broken: 0}},
		Links:   NoticeLinks{Desk: "https://tte.purbalinggakab.go.id/pimpinan", Mute: "https://tte.purbalinggakab.go.id/saya/surel"},
	}
	d.DueNext = slices.Clone(d.Oldest[2:])
	kept, broken := []int{21, 26, 18, 30, 33, 12, 28, 25}, []int{4, 2, 0, 5, 3, 0, 1, 2}
	for i := range kept {
		d.Trend = append(d.Trend, DigestWeek{From: day.AddDate(0, 0, 7*(i-7)), In: kept[i] + broken[i] + i%3, Kept: kept[i], Broken: broken[i]})
	}
	switch template {
	case DigestHeadWeekly, DigestOffice:
		d.From, d.Until = day.AddDate(0, 0, -7), day
		d.Now = day.Add(8 * time.Hour)
		if template == DigestHeadWeekly {
			d.In, d.Closed, d.Refused, d.Kept, d.Broken = 29, 25, 2, 25, 2
			break
		}
		d.Office, d.To = "Dinas Pendidikan dan Kebudayaan", noticeSampleOffice
		d.In, d.Closed, d.Refused, d.Waiting, d.Paused, d.Kept, d.Broken = 3, 2, 0, 1, 0, 2, 0
		d.Breaches, d.Outages, d.Oldest, d.Complaints = nil, nil, d.Oldest[2:], nil
		d.Times = d.Times[:1]
		d.Times[0] = DigestTime{"Seluruh layanan", "150 menit", 2, 88 * time.Minute, 101 * time.Minute, 0}
		for i := range d.Trend {
			d.Trend[i] = DigestWeek{From: d.Trend[i].From, In: i % 3, Kept: i % 3}
		}
		d.Links = NoticeLinks{Status: "https://tte.purbalinggakab.go.id/k/contoh", Mute: "https://tte.purbalinggakab.go.id/k/contoh/surel"}
	case DigestVerifier:
		d.To, d.Now = noticeSampleVerifier, day.Add(7*time.Hour+30*time.Minute)
		d.Work = slices.Clone(d.Oldest[1:])
		d.Sessions, d.Uncertain, d.Unclear, d.Quarantine = 2, 1, 1, 0
		d.Links.Desk = "https://tte.purbalinggakab.go.id/meja"
	}
	return d
}
