package corpus

import (
	"fmt"
	"strings"

	"pulih/internal/letter"
)

// plainCase is a mail or letter whose kind is what matters.
type plainCase struct {
	name string
	kind letter.Kind
	mail func(w *world) Mail
}

func text(subject, body string) func(*world) Mail {
	return func(w *world) Mail {
		x := w.people[0]
		r := strings.NewReplacer("{nama}", x.Name, "{nip}", SpacedNIP(x.NIP), "{nik}", x.NIK, "{email}", x.Email, "{hp}", x.Phone, "{jabatan}", x.Position, "{kantor}", x.Office, "{kepala}", w.head.Name, "{nipkepala}", SpacedNIP(w.head.NIP), "{nomor}", w.number, "{tanggal}", w.date)
		return Mail{Subject: r.Replace(subject), Text: r.Replace(body)}
	}
}

func with(m func(*world) Mail, header ...string) func(*world) Mail {
	return func(w *world) Mail {
		x := m(w)
		x.Header = append(x.Header, header...)
		return x
	}
}

func from(m func(*world) Mail, sender string) func(*world) Mail {
	return func(w *world) Mail {
		x := m(w)
		x.From = sender
		return x
	}
}

const identity = "\n\nNama    : {nama}\nNIP     : {nip}\nJabatan : {jabatan}\nEmail   : {email}\n\nTerima kasih.\n"

var plainCases = []plainCase{
	// Requests in the words of a mail.
	{"surel santai", letter.ResetRequest, text("Lupa passphrase", "Assalamualaikum, mohon bantuannya min, saya lupa passphrase TTE saya."+identity)},
	{"surel a.n.", letter.ResetRequest, text("Permohonan Reset Passphrase TTE a.n. {nama}", "Dengan hormat,\n\nMohon dapat dibantu reset pass phrase TTE atas nama tersebut."+identity)},
	{"salah eja passpharse", letter.ResetRequest, text("mohon reset passpharse", "mohon dibantu reset passpharse TTE"+identity)},
	{"salah eja passprase", letter.ResetRequest, text("Reset Passprase", "Kami mohon passprase TTE pejabat berikut dapat direset."+identity)},
	{"PIN/passphrase", letter.ResetRequest, text("Permohonan reset PIN/passphrase", "Mohon reset PIN/passphrase TTE karena lupa."+identity)},
	{"kata sandi TTE", letter.ResetRequest, text("Lupa kata sandi TTE", "Mohon reset kata sandi TTE saya karena lupa."+identity)},
	{"frasa sandi", letter.ResetRequest, text("Permohonan pemulihan frasa sandi", "Kami mengajukan pemulihan frasa sandi sertifikat elektronik untuk pegawai berikut."+identity)},
	{"penggantian karena lupa", letter.ResetRequest, text("Permohonan penggantian passphrase", "Kami mohon penggantian passphrase TTE karena yang bersangkutan lupa."+identity)},
	{"passphrase di Srikandi", letter.ResetRequest, text("Reset passphrase", "Mohon reset passphrase TTE karena saya tidak bisa menandatangani surat di aplikasi Srikandi, lupa passphrase."+identity)},
	// Complaints.
	{"pengaduan lambat", letter.Complaint, text("Pengaduan layanan reset passphrase", "Saya mengadukan pelayanan reset passphrase yang sudah tiga hari belum selesai.")},
	{"keluhan", letter.Complaint, text("Keluhan pelayanan TTE", "Dengan ini kami menyampaikan keluhan atas lambatnya penanganan TTE kami.")},
	{"belum ditanggapi", letter.Complaint, text("Tindak lanjut permohonan kami", "Permohonan reset passphrase kami tanggal 3 November sampai saat ini belum mendapat tanggapan. Kami sangat kecewa.")},
	{"komplain", letter.Complaint, text("komplain", "Saya komplain, verifikator tidak merespon telepon soal TTE saya.")},
	// Replies.
	{"balasan bernomor", letter.Reply, text("Re: [PBG-2026-000123] Kelengkapan permohonan", "Berikut kami lampirkan KTP yang diminta.\n\nPada Kam, 19 Nov 2026 pukul 08.00 Tim menulis:\n> Mohon lengkapi identitas.\n")},
	{"balasan utas", letter.Reply, with(text("Re: Permohonan reset passphrase", "Baik, terima kasih. Dokumen sudah kami perbaiki.\n\n> Mohon perbaiki dokumen Bapak/Ibu.\n"), "In-Reply-To: <abc.123@dinkominfo.purbalinggakab.go.id>", "References: <abc.123@dinkominfo.purbalinggakab.go.id>")},
	{"balasan Outlook", letter.Reply, text("RE: [MDN-2026-000007] Reset passphrase telah diajukan ke BSrE", "Link sudah kami terima.\n\nFrom: Tim <tte@contoh.go.id>\nSent: Thursday, November 19, 2026 8:00 AM\nTo: Pemohon\nSubject: [MDN-2026-000007] Reset passphrase telah diajukan ke BSrE\n\nYth. Bapak/Ibu\n")},
	{"pengaduan bernomor", letter.Reply, text("Balas: [PBG-2026-000045] Pengaduan Anda", "Terima kasih atas jawabannya.")},
	// Bounces.
	{"DSN", letter.Bounce, func(w *world) Mail {
		return Mail{From: "MAILER-DAEMON@mail.contoh.go.id (Mail Delivery System)", Subject: "Undelivered Mail Returned to Sender", Text: "I'm sorry to have to inform you that your message could not be delivered.", Header: []string{"Auto-Submitted: auto-replied", "Return-Path: <>"}}
	}},
	{"bounce Exchange", letter.Bounce, func(w *world) Mail {
		return Mail{From: "postmaster@contoh.go.id", Subject: "Undeliverable: [PBG-2026-000123] Reset passphrase", Text: "Your message couldn't be delivered to the recipient."}
	}},
	{"bounce Gmail", letter.Bounce, with(from(text("Delivery Status Notification (Failure)", "Address not found"), "Mail Delivery Subsystem <mailer-daemon@googlemail.com>"), "X-Failed-Recipients: orang@contoh.go.id")},
	// Automatic replies.
	{"cuti", letter.AutoReply, with(text("Automatic reply: [PBG-2026-000123] Reset passphrase", "Saya sedang cuti sampai 1 Desember."), "Auto-Submitted: auto-replied")},
	{"balasan otomatis tanpa kepala", letter.AutoReply, text("Balasan otomatis: Permohonan", "Terima kasih, surel Anda telah kami terima dan akan segera kami balas.")},
	{"vacation", letter.AutoReply, with(text("Re: Reset passphrase", "Saya sedang tidak di kantor."), "X-Autoreply: yes", "Precedence: auto_reply")},
	// The provider.
	{"BSrE", letter.ProviderNotice, from(text("Pemberitahuan Reset Passphrase Sertifikat Elektronik", "Yth. Pengguna,\nKami telah mengirim tautan reset passphrase untuk permohonan PBG-2026-000123."), "BSrE <noreply@bsre.bssn.go.id>")},
	{"BSSN pemeliharaan", letter.ProviderNotice, from(text("Pemeliharaan sistem", "Layanan AMS akan dipelihara pada Sabtu."), "info@bssn.go.id")},
	// Other services of the certificate.
	{"penerbitan", letter.OtherCertificateService, text("Permohonan Penerbitan Sertifikat Elektronik", "Kami mohon penerbitan sertifikat elektronik bagi pejabat berikut."+identity)},
	{"pendaftaran TTE", letter.OtherCertificateService, text("Permohonan pendaftaran TTE", "Bersama ini kami mengajukan pendaftaran TTE pegawai baru."+identity)},
	{"pembuatan baru", letter.OtherCertificateService, text("Permohonan Pembuatan Baru TTE", "Mohon dibuatkan TTE baru untuk pejabat berikut. Kami bersedia menjaga kerahasiaan passphrase."+identity)},
	{"perpanjangan", letter.OtherCertificateService, text("Permohonan perpanjangan sertifikat elektronik", "Sertifikat elektronik akan habis masa berlakunya, kami mohon perpanjangan."+identity)},
	{"pembaharuan", letter.OtherCertificateService, text("Permohonan Pembaharuan TTE", "Mohon pembaharuan TTE pejabat berikut."+identity)},
	{"pencabutan", letter.OtherCertificateService, text("Permohonan pencabutan sertifikat elektronik", "Karena pensiun, kami mohon pencabutan sertifikat elektronik pegawai berikut."+identity)},
	{"perubahan data", letter.OtherCertificateService, text("Permohonan perubahan data sertifikat elektronik", "Kami mohon perubahan email pada sertifikat elektronik pejabat berikut."+identity)},
	{"rekomendasi penerbitan", letter.OtherCertificateService, text("Surat Rekomendasi Penerbitan Sertifikat Elektronik", "Memberikan rekomendasi untuk penerbitan sertifikat elektronik kepada:"+identity)},
	{"formulir, pembuatan baru", letter.OtherCertificateService, text("Permohonan Tanda Tangan Elektronik", "[X] Pembuatan Baru  [ ] Pembaharuan  [ ] Reset"+identity)},
	{"formulir, centang pembaruan", letter.OtherCertificateService, text("Permohonan TTE", "Jenis: ☐ Penerbitan ☑ Pembaruan ☐ Reset Passphrase"+identity)},
	// All else.
	{"undangan", letter.Other, text("Undangan Sosialisasi TTE", "Mengundang Bapak/Ibu pada sosialisasi TTE. Materi: penggunaan TTE, reset passphrase, dan pengamanan akun.\nHari : Senin\nTempat : Aula")},
	{"edaran", letter.Other, text("Surat Edaran Penggunaan TTE", "Dalam rangka pengamanan, agar seluruh pejabat menjaga passphrase. Apabila lupa passphrase agar mengajukan permohonan reset melalui Dinkominfo.")},
	{"bimtek", letter.Other, text("Bimtek Srikandi", "Kami mohon mengirim peserta bimtek. Peserta membawa laptop dan tidak lupa passphrase TTE.")},
	{"reset e-mail dinas", letter.Other, text("Permohonan reset password email dinas", "Mohon reset password email dinas karena lupa."+identity)},
	{"reset akun Srikandi", letter.Other, text("Reset akun Srikandi", "Mohon bantuan reset password akun Srikandi atas nama berikut."+identity)},
	{"reset OTP", letter.Other, text("Reset Google Authenticator", "Mohon reset OTP / Google Authenticator saya karena ganti HP."+identity)},
	{"reset VPN", letter.Other, text("Permohonan reset kata sandi VPN", "Mohon reset kata sandi VPN kantor kami.")},
	{"cPanel", letter.Other, text("lupa password cpanel website", "Mohon bantuan reset password cPanel website kecamatan.")},
	{"ubah passphrase", letter.Other, text("Cara ubah passphrase", "Saya ingin mengubah passphrase TTE saya, masih ingat yang lama. Apakah bisa mandiri?")},
	{"laporan", letter.Other, text("Laporan layanan TTE bulan Oktober", "Bersama ini kami sampaikan laporan jumlah reset passphrase bulan Oktober.")},
	{"kutipan lama", letter.Other, text("Jadwal pelatihan", "Selamat pagi, kapan jadwal pelatihan Srikandi berikutnya?\n\nPada Sen, 2 Nov 2026 Kantor menulis:\n> Kami mohon reset passphrase TTE atas nama Slamet.\n> NIP 19700101 199003 1 001\n")},
	{"kutipan lama Re", letter.Other, text("Re: Permohonan Reset Passphrase", "Selamat siang. Apakah besok kantor buka?\n\n-----Pesan Asli-----\nKami mohon reset passphrase TTE atas nama Slamet.\n")},
	{"spam", letter.Other, text("Penawaran hosting", "Kami menawarkan hosting murah untuk website dinas.")},
	{"terima kasih", letter.Other, text("Ucapan terima kasih", "Terima kasih atas bantuan tim, TTE kami sudah berfungsi.")},
	// What a clerk can't tell.
	{"reset TTE saja", letter.Unclear, text("Reset TTE", "Mohon reset TTE pejabat berikut."+identity)},
	{"formulir tanpa centang", letter.Unclear, text("Permohonan Tanda Tangan Elektronik", "[ ] Pembuatan Baru  [ ] Pembaharuan  [ ] Reset"+identity)},
	{"formulir dua centang", letter.Unclear, text("Permohonan Tanda Tangan Elektronik", "(v) Pembuatan Baru  ( ) Pembaharuan  (v) Reset"+identity)},
	{"coret yang tidak perlu", letter.Unclear, text("Permohonan Tanda Tangan Elektronik", "Dengan ini mengajukan permohonan pembuatan baru / pembaharuan / reset *) TTE:"+identity+"*) coret yang tidak perlu")},
	{"campuran", letter.Unclear, text("Permohonan TTE", "Kami mohon penerbitan sertifikat elektronik bagi pejabat baru dan reset passphrase bagi pejabat lama."+identity)},
	{"campuran reset dan e-mail", letter.Unclear, text("Permohonan reset", "Mohon reset password email dinas dan reset passphrase TTE pegawai berikut."+identity)},
	{"tidak bisa TTE", letter.Unclear, text("Kendala TTE", "Mohon bantuan, passphrase saya salah terus dan tidak bisa TTE."+identity)},
	{"pembatalan", letter.Unclear, text("Pembatalan permohonan reset passphrase", "Kami mohon permohonan reset passphrase dibatalkan karena yang bersangkutan sudah ingat."+identity)},
	// Dispositions by mail.
	{"disposisi terusan", letter.Disposition, from(text("Fwd: Permohonan Reset Passphrase", "Pak Kasi, tindak lanjuti sesuai ketentuan.\n\n---------- Pesan terusan ---------\nDari: Kantor <kantor@contoh.go.id>\nTanggal: Kam, 19 Nov 2026\nSubjek: Permohonan Reset Passphrase\nKepada: Kominfo\n\nKami mohon reset passphrase TTE."+identity), "Kepala Bidang Persandian <kabid@dinkominfo.purbalinggakab.go.id>")},
	{"disposisi singkat", letter.Disposition, func(w *world) Mail {
		inner := text("Permohonan Reset Passphrase", "Kami mohon reset passphrase TTE."+identity)(w)
		return Mail{From: "Kadin <kadin@dinkominfo.purbalinggakab.go.id>", Subject: "Fw: Permohonan Reset Passphrase", Text: "Disposisi: Kabid, untuk ditindaklanjuti.\n", Nested: [][]byte{inner.Bytes()}}
	}},
}

// special are letters whose container is the point.
func special() []Letter {
	var out []Letter
	add := func(name string, f File, want Want) { out = append(out, Letter{Layout: name, File: f, Want: want}) }
	for i, l := range []int{0, 3, 11} {
		w := newWorld(uint64(900+i), resetLayouts[l].people)
		d, want := resetLayouts[l].write(w)
		pdf := d.PDF()
		cover := Mail{Subject: "Permohonan reset passphrase", Text: "Yth. Dinkominfo,\n\nBersama ini kami kirimkan surat permohonan reset passphrase, mohon dapat diproses.\n\nSalam,\nAdmin Kantor\n", Files: []File{{"surat.pdf", pdf}}}
		add("PDF dalam surel pengantar", File{"pengantar.eml", cover.Bytes()}, want)
		quiet := Mail{Subject: "Surat", Text: "Terlampir.", Files: []File{{"surat.docx", d.DOCX()}}}
		add("DOCX dalam surel singkat", File{"singkat.eml", quiet.Bytes()}, want)
		zipped := Mail{Subject: "Permohonan", Text: "Mohon diterima berkas terlampir.", Files: []File{{"berkas.zip", Zip(File{"berkas/surat.pdf", pdf}, File{"berkas/baca.txt", []byte("berkas")})}}}
		add("PDF dalam zip dalam surel", File{"zip.eml", zipped.Bytes()}, want)
		add("PDF dalam zip", File{"surat.zip", Zip(File{"surat.pdf", pdf})}, want)
		inner := Mail{Subject: w.subject, Text: "Dengan hormat, berikut surat permohonan kami.", Files: []File{{"surat.pdf", pdf}}}
		fwd := Mail{Subject: "Fwd: " + w.subject, Text: "Bersama ini kami teruskan surat permohonan dari kantor kami, mohon bantuannya.\n", Nested: [][]byte{inner.Bytes()}}
		add("surel diteruskan sebagai lampiran", File{"terusan.eml", fwd.Bytes()}, want)
	}
	w := newWorld(990, 1)
	add("PDF kosong", File{"kosong.pdf", (&Doc{}).Blank().PDF()}, Want{Kind: letter.Unclear, KindOnly: true})
	add("PDF rusak", File{"rusak.pdf", []byte("%PDF-1.4\nbukan pdf sama sekali")}, Want{Kind: letter.Unclear, KindOnly: true})
	add("dua surat berbeda", File{"dua.eml", Mail{Subject: "Permohonan", Text: "Terlampir dua surat.", Files: []File{
		{"a.pdf", (&Doc{}).Pair("Hal", "Permohonan Reset Passphrase").Para("Kami mohon reset passphrase TTE atas nama:").Pairs("Nama", w.people[0].Name, "NIP", w.people[0].NIP).PDF()},
		{"b.pdf", (&Doc{}).Pair("Hal", "Permohonan Penerbitan Sertifikat Elektronik").Para("Kami mohon penerbitan sertifikat elektronik.").PDF()}}}.Bytes()}, Want{Kind: letter.Unclear, KindOnly: true})
	return out
}

// Letter is one file of the corpus with what it should be read as.
type Letter struct {
	ID     string
	Layout string
	File   File
	Want   Want
	Scan   bool
}

// Letters builds the whole corpus but for the scans, which need pdftoppm (see Scans).
func Letters() []Letter { return Issue(0) }

// Issue writes the corpus anew, about other people: each number gives other letters, of the same layouts.
func Issue(n int) []Letter {
	var out []Letter
	worldOf := func(seed uint64, applicants int) *world { return newWorld(uint64(n)*1_000_000+seed, applicants) }
	for i, l := range resetLayouts {
		for k, form := range []string{"eml", "html", "pdf", "docx"} {
			w := worldOf(uint64(i*10+k), l.people)
			d, want := l.write(w)
			x := Letter{Layout: l.name, Want: want}
			name := fmt.Sprintf("%02d-%s", i, form)
			switch form {
			case "eml":
				x.File = File{name + ".eml", Mail{Subject: w.subject, Text: d.Text()}.Bytes()}
			case "html":
				x.File = File{name + ".eml", Mail{Subject: w.subject, HTML: d.HTML()}.Bytes()}
			case "pdf":
				x.File = File{name + ".pdf", d.PDF()}
			case "docx":
				x.File = File{name + ".docx", d.DOCX()}
			}
			out = append(out, x)
		}
	}
	for i, c := range plainCases {
		w := worldOf(uint64(5000+i), 1)
		out = append(out, Letter{Layout: c.name, File: File{fmt.Sprintf("k%02d.eml", i), c.mail(w).Bytes()}, Want: Want{Kind: c.kind, KindOnly: true}})
	}
	out = append(out, special()...)
	for i := range out {
		out[i].ID = fmt.Sprintf("L%03d", i+1)
	}
	return out
}
