package scheduler_test

import (
	"testing"

	"pulih/internal/demo/srikandisim"
)

// Strangers write a citizen's number and a passphrase into a subject or a file's name. What the database holds in clear has neither.
func TestWhatIsKeptInClearHasNoIdentityNumbers(t *testing.T) {
	t.Parallel()
	d := setUp(t, 1, srikandisim.Options{Seed: 4})
	l := d.letter(0, "500.12.10/1/2026")
	l.Subject = "Permohonan Reset Passphrase TTE NIK 3303 0101 0180 0002, passphrase lama: Rahasia#77"
	l.Files[0].Name = "KTP_3303010101800002_198504222010011912.pdf"
	d.sim.AddLetter(l)
	d.serve()
	d.until("the request is open", func() bool { return len(d.requests()) == 1 })
	for _, words := range []string{`SELECT count(*) FROM requests WHERE regexp_replace(letter_subject, '[ .-]', '', 'g') ~ '3303010101800002|Rahasia'`,
		`SELECT count(*) FROM files WHERE name ~ '3303010101800002|198504222010011912'`} {
		if d.count(words) != 0 {
			t.Errorf("there are rows of %s", words)
		}
	}
	if d.count(`SELECT count(*) FROM files WHERE name = 'KTP_(nomor identitas)_(nomor identitas).pdf'`) != 1 {
		t.Error("the file isn't known by the rest of its name")
	}
}
