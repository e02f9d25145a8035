package letter

import (
	"time"

	"pulih/internal/agency"
)

// Check compares a reading with what is known: the directory of offices and officials, how the letter came, and earlier requests. It is
// pure. Each finding is shown to the verifier; none drops a letter. docs/findings.md lists the codes.
func Check(r Reading, env Envelope, a *agency.Agency, past []Past, now time.Time) []Finding {
	return nil
}
