package config

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

func TestSecretsShowInNoWayOfPrinting(t *testing.T) {
	t.Parallel()
	text, path, env := example(t)
	c, err := Parse([]byte(text), path, env)
	if err != nil {
		t.Fatal(err)
	}
	s := c.Tenants[0].Inbox.Password
	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%p", "%T", "%!", "%08.3f"} {
		for _, v := range []any{s, &s, *c, c.Tenants, c.Tenants[0].Inbox, *c.Tenants[0].Inbox, []Secret{s}, map[string]Secret{"a": s}, struct{ S any }{s}} {
			fmt.Fprintf(&out, verb+"\n", v)
		}
	}
	for _, v := range []any{s, &s, c} {
		data, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		out.Write(data)
		for _, h := range []slog.Handler{slog.NewTextHandler(&out, nil), slog.NewJSONHandler(&out, nil)} {
			slog.New(h).Info("konfigurasi", "v", v, slog.Group("g", "s", s))
		}
	}
	data, err := yaml.Marshal(struct{ S Secret }{s})
	if err != nil {
		t.Fatal(err)
	}
	out.Write(data)
	out.WriteString(fmt.Sprint(s, s.String()))
	const value = "sesuatu-purbalingga-imap"
	if s.Reveal() != value {
		t.Fatalf("Reveal gives %q", s.Reveal())
	}
	if strings.Contains(out.String(), "sesuatu") || strings.Contains(out.String(), fmt.Sprintf("%x", value)) {
		t.Error("a secret shows")
	}
	if !strings.Contains(out.String(), hidden) {
		t.Error("nothing says that there is a secret")
	}
}

func TestASecretFileIsReadAgain(t *testing.T) {
	t.Parallel()
	text, path, env := example(t)
	c, err := Parse([]byte(text), path, env)
	if err != nil {
		t.Fatal(err)
	}
	mdn, _ := c.Tenant("madiun")
	token := filepath.Join(filepath.Dir(path), "imap-token")
	if err := os.WriteFile(token, []byte("token baru\r\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := mdn.Inbox.OAuthToken.Read(); err != nil || got != "token baru" {
		t.Errorf("Read gives %q, %v; expected the renewed token", got, err)
	}
	if err := os.Remove(token); err != nil {
		t.Fatal(err)
	}
	if _, err := mdn.Inbox.OAuthToken.Read(); err == nil {
		t.Error("a vanished file gives no error")
	}
}

func TestASecretThatEverybodyMayReadIsAWarning(t *testing.T) {
	t.Parallel()
	text, path, env := example(t)
	if err := os.Chmod(filepath.Join(filepath.Dir(path), "secrets", "purbalingga-imap"), 0o644); err != nil {
		t.Fatal(err)
	}
	c, err := Parse([]byte(text), path, env)
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Warnings) != 1 || !strings.Contains(c.Warnings[0], "agencies[0].inbox.password_file") {
		t.Errorf("warnings: %q; expected one on the mailbox's password", c.Warnings)
	}
}

func TestAnEmptySecretFileIsAMistake(t *testing.T) {
	t.Parallel()
	text, path, env := example(t)
	if err := os.WriteFile(filepath.Join(filepath.Dir(path), "secrets", "purbalingga-imap"), []byte("\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Parse([]byte(text), path, env)
	if !strings.Contains(fmt.Sprint(err), "agencies[0].inbox.password_file: the file named here can't be read (paths are relative to this file): the file is empty") {
		t.Errorf("got %v", err)
	}
}
