package srikandi

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"pulih/internal/agency"
)

// Change is a difference between two versions of a letter's metadata, in words for the verifier. Letters are edited after they were
// registered (service.md).
type Change struct {
	Field    string // of the wire: "nomor_naskah", "asal.nama", "lampiran"
	Old, New string // raw; may hold names and numbers: seal, never log
}

// Changes compares what a request is decided on: number, date, subject, sender, attachments, cancellation. Blanks and case aren't changes.
func Changes(old, new Naskah) []Change {
	var out []Change
	compare := func(field, a, b string, same bool) {
		if !same && strings.Join(strings.Fields(a), " ") != strings.Join(strings.Fields(b), " ") {
			out = append(out, Change{field, a, b})
		}
	}
	text := func(field, a, b string) { compare(field, a, b, strings.EqualFold(a, b)) }
	compare("nomor_naskah", old.Number, new.Number, agency.SameNumber(old.Number, new.Number))
	text("tanggal_naskah", old.Date, new.Date)
	text("hal", old.Subject, new.Subject)
	text("ringkasan", old.Summary, new.Summary)
	text("asal.instansi", old.From.Agency, new.From.Agency)
	text("asal.unit", old.From.Unit, new.From.Unit)
	text("asal.jabatan", old.From.Position, new.From.Position)
	text("asal.nama", old.From.Name, new.From.Name)
	compare("asal.nip", old.From.NIP, new.From.NIP, digits(old.From.NIP) == digits(new.From.NIP))
	text("nomor_sementara", yesNo(old.Temporary), yesNo(new.Temporary))
	text("dibatalkan", yesNo(old.Cancelled), yesNo(new.Cancelled))
	text("tanggal_diterima", stamp(old.ReceivedAt), stamp(new.ReceivedAt))
	text("lampiran", files(old), files(new))
	return out
}

func yesNo(b bool) string {
	if b {
		return "ya"
	}
	return "tidak"
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// files lists a letter's attachments so that any other byte makes another list.
func files(n Naskah) string {
	var all []string
	for _, l := range n.Attachments {
		sum := or(l.FileSHA256, l.SHA256)
		if sum != "" {
			sum = " " + sum[:min(len(sum), 12)]
		}
		all = append(all, fmt.Sprintf("%s (%d bita%s)", l.Name, l.Size, sum))
	}
	slices.Sort(all)
	return strings.Join(all, ", ")
}
