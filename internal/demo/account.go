package demo

// Account is a verifier's own account at the simulated BeID, with the one-time code of now: for the demo's page, which fills in the form for
// the reader.
func (w *World) Account(person string) (user, password, otp string) {
	return person, secret, w.BSrE.Code(person)
}
