package letter_test

import (
	"os"
	"testing"

	"pulih/internal/letter"
)

// TestMain lets the test binary be the child that opens strangers' files.
func TestMain(m *testing.M) {
	letter.ChildMain()
	os.Exit(m.Run())
}
