package bsre

import "fmt"

// Guide is where to click in the portal, for the assisted mode. The portal's labels aren't documented and change, so they are configuration.
type Guide struct {
	PortalURL string // empty: the agency didn't say
	Users     string // the menu with the users
	Search    string // the field to search in
	Details   string // the link that opens a user
	Reset     string // the button
}

// Steps tells the verifier what to do in AMS, one Indonesian sentence a step. chosen is the certificate that the software has read, nil
// when it couldn't read AMS.
func (g Guide) Steps(who Subject, chosen *Certificate) []string {
	certificate := "Pada daftar sertifikat, pilih yang berstatus ISSUE dengan masa berlaku paling akhir. Bila tidak ada yang ISSUE, jangan lanjutkan; pilih \"Tidak dapat dilakukan\" di pulih."
	if chosen != nil {
		certificate = fmt.Sprintf("Pada daftar sertifikat, pilih yang bernomor seri %s (ISSUE, berlaku sampai %s).", chosen.Serial, day(*chosen))
	}
	return []string{
		fmt.Sprintf("Buka %s dan masuk dengan akun Anda sendiri.", firstOf(g.PortalURL, "portal AMS")),
		fmt.Sprintf("Buka menu \"%s\", cari %s pada kolom \"%s\". Bila tidak ditemukan, cari dengan NIK dari surat. Bila hasilnya lebih dari satu, berhenti dan pilih \"Tidak dapat dilakukan\" di pulih.", g.Users, who.Email, g.Search),
		fmt.Sprintf("Buka \"%s\" dan cocokkan nama (%s), NIP, NIK, dan e-mail (%s) dengan surat.", g.Details, who.Name, who.Email),
		certificate,
		fmt.Sprintf("Tekan \"%s\" satu kali saja. Bila layar tidak menjawab, jangan ulangi; pilih \"Belum pasti\" di pulih.", g.Reset),
		"Kembali ke halaman permohonan di pulih dan catat hasilnya.",
	}
}

var months = [...]string{"Januari", "Februari", "Maret", "April", "Mei", "Juni", "Juli", "Agustus", "September", "Oktober", "November", "Desember"}

func day(c Certificate) string {
	if c.NotAfter.IsZero() {
		return "tanggal yang tidak tercatat"
	}
	t := c.NotAfter.In(WIB)
	return fmt.Sprintf("%d %s %d", t.Day(), months[t.Month()-1], t.Year())
}
