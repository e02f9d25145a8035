package mailflow_test

import (
	"fmt"

	"pulih/internal/letter"
	"pulih/mailflow"
	"pulih/mailflow/mailtest"
)

var tokenKey = []byte("kunci uji, bukan rahasia")

// notice is the n-th mail of ours.
func notice(n int) mailflow.Envelope {
	return mailflow.Envelope{
		From:      letter.Address{Name: "Tim Verifikator Sertifikat Elektronik, Dinkominfo", Address: "tte@" + mailtest.Domain},
		To:        letter.Address{Name: "drg. Siti Contoh, M.Kes.", Address: fmt.Sprintf("pemohon%d@%s", n, mailtest.Domain)},
		MessageID: mailflow.NewMessageID(tokenKey, mailtest.Domain, "purbalingga", "PBG-2026-000123", fmt.Sprint(n)),
		Date:      noon,
		Subject:   "[PBG-2026-000123] Reset passphrase telah diajukan ke BSrE — mohon periksa surel dinas Bapak/Ibu",
		Text:      fmt.Sprintf("Yth. Bapak/Ibu,\n\nPermohonan ke-%d telah kami terima.\n.\nBaris setelah titik tunggal.\n", n),
		HTML:      fmt.Sprintf("<p>Permohonan ke-%d telah kami terima.</p>", n),
	}
}
