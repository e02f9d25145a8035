package request

import "pulih/internal/sop"

// ForOffice says where the request stands in the words of the agency's own people (desk.md, "Words").
func (s *State) ForOffice() string {
	switch s.Status {
	case StatusReceived, StatusChain:
		return "Menunggu disposisi " + s.Holder.Title()
	case StatusChecking:
		return "Menunggu pemeriksaan"
	case StatusReturned:
		return "Dikembalikan: kelengkapan"
	case StatusSecond:
		return "Menunggu persetujuan kedua"
	case StatusApproved:
		return "Disetujui, menunggu pengajuan"
	case StatusWaitingSession:
		return "Menunggu sesi AMS verifikator"
	case StatusPhoneCheck:
		return "Menunggu pemeriksaan telepon oleh BSrE"
	case StatusBooked:
		return "Diajukan ke BSrE"
	case StatusUncertain:
		return "Belum pasti: periksa di AMS"
	case StatusRefused:
		return "Reset tidak terlaksana: periksa kembali"
	case StatusLink:
		return "Tautan terkirim, menunggu pemohon"
	case StatusPassphrase:
		return "Passphrase baru dibuat"
	case StatusCertificate:
		return "Sertifikat terbit"
	case StatusClosed:
		return "Selesai"
	case StatusRejected:
		return "Ditolak"
	}
	return string(s.Status)
}

// ForApplicant says it in the words of the applicant and their office.
func (s *State) ForApplicant() string {
	switch s.Status {
	case StatusReceived:
		return "Surat permohonan telah kami terima"
	case StatusChain:
		return "Surat sedang didisposisikan"
	case StatusChecking, StatusSecond, StatusRefused:
		return "Data sedang diperiksa"
	case StatusReturned:
		return "Ada yang perlu dilengkapi"
	case StatusApproved, StatusWaitingSession:
		return "Permohonan disetujui"
	case StatusPhoneCheck:
		return "BSrE memeriksa nomor telepon Anda"
	case StatusBooked:
		return "Reset diajukan ke BSrE"
	case StatusUncertain:
		return "Reset sedang dipastikan"
	case StatusLink:
		return "BSrE telah mengirim tautan ke e-mail dinas"
	case StatusPassphrase:
		return "Passphrase baru berhasil dibuat"
	case StatusCertificate:
		return "Sertifikat elektronik telah terbit"
	case StatusClosed:
		return "Selesai: TTE dapat digunakan kembali"
	case StatusRejected:
		return "Permohonan tidak dapat diproses"
	}
	return string(s.Status)
}

// StepTitle is the name of a step for a reader; the whole's for TotalStep.
func StepTitle(p *sop.SOP, id string) string {
	for _, step := range p.Steps {
		if step.ID == id {
			return step.Title
		}
	}
	if id == TotalStep {
		return "Seluruh layanan"
	}
	return id
}
