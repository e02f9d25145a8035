package config

import (
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
)

const hidden = "[rahasia]"

// Secret is a password, token or key. It prints as [rahasia] in every way that Go prints a value; only Reveal and Read give it away.
type Secret struct {
	value *string // a pointer, so that even a dump by reflection shows an address
	file  string
}

// NewSecret makes a secret of a value at hand, for programs that make their own configuration.
func NewSecret(value string) Secret { return Secret{value: &value} }

// IsZero reports that no secret was configured.
func (s Secret) IsZero() bool { return s.value == nil }

// Reveal returns the secret as it was when the configuration was read; "" when there is none.
func (s Secret) Reveal() string {
	if s.value == nil {
		return ""
	}
	return *s.value
}

// Read returns the secret as it is now: a file is read again, since OAuth tokens are renewed and passwords changed while the daemon runs.
func (s Secret) Read() (string, error) {
	if s.file == "" {
		return s.Reveal(), nil
	}
	v, err := readSecret(s.file)
	if err != nil {
		return "", fmt.Errorf("reading a secret's file: %w", err)
	}
	return v, nil
}

// Format implements fmt.Formatter: no verb shows the secret.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.String()) }

// String implements fmt.Stringer.
func (s Secret) String() string {
	if s.IsZero() {
		return ""
	}
	return hidden
}

// LogValue implements slog.LogValuer.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText implements encoding.TextMarshaler, for YAML and all the rest.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// MarshalJSON implements json.Marshaler.
func (s Secret) MarshalJSON() ([]byte, error) { return []byte(`"` + s.String() + `"`), nil }

// readSecret reads a secret's file without the line end that editors add.
func readSecret(path string) (string, error) {
	data, err := readFile(path)
	if err != nil {
		return "", err
	}
	v := strings.TrimRight(string(data), "\r\n")
	if v == "" {
		return "", fmt.Errorf("the file is empty")
	}
	return v, nil
}

// exposed reports that everybody on the machine may read the file.
func exposed(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().Perm()&0o004 != 0
}
