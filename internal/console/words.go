package console

import (
	"strings"

	"pulih/internal/letter"
	"pulih/internal/request"
)

// eventWords say what happened, for the timeline.
var eventWords = map[request.Kind]string{
	request.Received: "Surat diterima", request.LetterJoined: "Surat bergabung dengan permohonan ini", request.LetterChanged: "Data surat berubah",
	request.LetterGone: "Surat tidak ada lagi di Srikandi", request.LetterBack: "Surat ada kembali di Srikandi", request.DispositionSeen: "Disposisi", request.DispositionWithdrawn: "Disposisi ditarik",
	request.Assigned: "Ditugaskan", request.Validated: "Identitas dan kelengkapan diperiksa", request.ReturnedToApplicant: "Dikembalikan untuk dilengkapi",
	request.Completed: "Kelengkapan diterima", request.Approved: "Disetujui", request.Rejected: "Ditolak",
	request.ResetBooked: "Reset dicatat, lalu diajukan ke BSrE", request.ResetAccepted: "BSrE menerima reset", request.ResetRefused: "BSrE menolak reset", request.ApprovalVoided: "Reset tidak diajukan",
	request.ResetNotSent: "Reset belum terkirim", request.ResetUncertain: "Hasil reset belum pasti", request.ResetConfirmed: "Reset dinyatakan terlaksana di AMS",
	request.PhoneCheckAsked: "BSrE memeriksa telepon pemohon", request.SessionAwaited: "Menunggu sesi AMS verifikator", request.LinkMailed: "BSrE mengirim tautan",
	request.PassphraseSet: "Passphrase baru dibuat", request.CertificateIssued: "Sertifikat terbit", request.Usable: "TTE dapat digunakan", request.Closed: "Selesai",
	request.StatusSeen: "Status sertifikat dilihat", request.Flagged: "Temuan baru", request.Reopened: "Dibuka kembali", request.Reminded: "Pengingat dikirim", request.Escalated: "Atasan diberi tahu", request.NoteAdded: "Catatan", request.LetterParted: "Surat dipisahkan", request.BreachExplained: "Alasan lewat waktu",
}

// mailWords name the mails for the timeline.
var mailWords = map[string]string{
	"receipt-office": "Tanda terima kepada kantor", "receipt-applicant": "Tanda terima kepada pemohon", "work": "Pemberitahuan pekerjaan",
	"second-approval": "Permintaan persetujuan kedua", "assisted": "Panduan reset di AMS", "session-needed": "Permintaan sesi AMS",
	"reset-submitted": "Pemberitahuan reset diajukan", "uncertain": "Pemberitahuan hasil belum pasti", "refused-by-bsre": "Pemberitahuan penolakan BSrE",
	"phone-check": "Pemberitahuan pemeriksaan telepon", "reminder-passphrase": "Pengingat membuat passphrase", "call-applicant": "Permintaan menghubungi pemohon",
	"done": "Pemberitahuan selesai", "returned": "Permintaan kelengkapan", "completed": "Kelengkapan diterima", "rejected": "Pemberitahuan penolakan",
	"reminder": "Pengingat", "escalation": "Pemberitahuan kepada atasan", "address-dead": "Pemberitahuan alamat tidak dapat dihubungi",
	"unclear-letter": "Surat perlu diputuskan", "other-service": "Surat layanan lain", "operator-alarm": "Pemberitahuan kepada operator",
	"sign-in-link": "Tautan masuk", "complaint-received": "Tanda terima pengaduan", "complaint-assigned": "Pengaduan ditugaskan",
	"complaint-forwarded": "Pengaduan diteruskan", "complaint-answered": "Jawaban pengaduan", "withdrawn": "Pekerjaan dialihkan", "undecided": "Keputusan di Srikandi belum dijalankan",
	"digest-head-daily": "Ringkasan harian", "digest-head-weekly": "Ringkasan mingguan", "digest-office": "Ringkasan untuk kantor",
	"evaluation-pack": "Bahan rapat evaluasi", "backlog-summary": "Ringkasan setelah gangguan",
}

var mailStates = map[string]string{
	"waiting": "menunggu dikirim", "sending": "sedang dikirim", "sent": "terkirim", "uncertain": "belum pasti terkirim", "failed": "gagal", "cancelled": "dibatalkan",
}

// kindWords name what a letter is.
var kindWords = map[letter.Kind]string{
	letter.ResetRequest: "Permohonan reset", letter.Complaint: "Pengaduan", letter.Reply: "Balasan", letter.Disposition: "Disposisi", letter.Bounce: "Surel kembali",
	letter.AutoReply: "Balasan otomatis", letter.ProviderNotice: "Pemberitahuan BSrE", letter.OtherCertificateService: "Layanan sertifikat lain",
	letter.Other: "Lain-lain", letter.Unclear: "Belum jelas",
}

// fieldWords name the fields of a reading, by the end of their path.
var fieldWords = map[string]string{
	"letter.number": "Nomor", "letter.date": "Tanggal", "letter.subject": "Hal", "letter.office": "Kantor", "letter.signer.name": "Penanda tangan",
	"letter.signer.nip": "NIP penanda tangan", "letter.signer.position": "Jabatan penanda tangan", "name": "Nama", "nip": "NIP", "nik": "NIK", "email": "E-mail dinas",
	"phone": "Telepon", "position": "Jabatan", "rank": "Pangkat", "office": "Unit kerja",
}

func fieldWord(path string) string {
	if w, ok := fieldWords[path]; ok {
		return w
	}
	return fieldWords[path[strings.LastIndexByte(path, '.')+1:]]
}

var channelWords = map[string]string{"srikandi": "Srikandi", "mail": "Surel"}

var viaWords = map[string]string{
	"srikandi": "lewat Srikandi", "mail": "lewat surel", "console": "di meja kerja", "cli": "dari baris perintah", "ams": "lewat AMS", "system": "oleh pulih",
	"status": "lewat halaman status",
}

// certificateWords say what the gateway's status of a certificate means (contracts/bsre.md).
var certificateWords = map[string]string{
	"ISSUE": "aktif", "EXPIRED": "habis masa berlaku", "RENEW": "sedang diperbarui", "WAITING_FOR_VERIFICATION": "menunggu verifikasi", "NEW": "belum diaktifkan",
	"NO_CERTIFICATE": "belum punya sertifikat", "NOT_REGISTERED": "belum terdaftar", "SUSPEND": "ditangguhkan", "REVOKE": "dicabut",
}

func certificate(code string) string {
	if w := certificateWords[code]; w != "" {
		return w + " (" + code + ")"
	}
	return code
}
