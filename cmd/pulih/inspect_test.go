package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"pulih/internal/letter"
	"pulih/internal/letter/corpus"
)

// TestMain lets the test binary be the child that opens strangers' files.
func TestMain(m *testing.M) {
	letter.ChildMain()
	if os.Getenv("PULIH_TEST_MAIN") != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// pulih runs the command in a process of its own, as a shell does.
func pulih(t *testing.T, stdin []byte, env []string, args ...string) (out, complaint string, code int) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], args...)
	cmd.Env = append([]string{"PULIH_TEST_MAIN=1", "PATH=" + os.Getenv("PATH"), "TERM=xterm"}, env...)
	cmd.Stdin = bytes.NewReader(stdin)
	var o, e bytes.Buffer
	cmd.Stdout, cmd.Stderr = &o, &e
	err := cmd.Run()
	if err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return o.String(), e.String(), cmd.ProcessState.ExitCode()
}

func aLetter(name string) *corpus.Doc {
	return (&corpus.Doc{}).Center("PEMERINTAH KABUPATEN PURBALINGGA", "DINAS KESEHATAN").Pair("Nomor", "B/500/12/DINKES/XI/2026").
		Pair("Hal", "Permohonan Reset Passphrase TTE").Para("Kami mohon reset passphrase TTE atas nama:").
		Pairs("Nama", name, "NIP", "198001012005012001").Sign("Kepala Dinas Kesehatan,", "", "", "Drs. Slamet Riyadi, M.Kes.", "NIP. 19700101 199003 1 001")
}

// One line a file, in the order given; what can't be opened has its line too, and stops nothing else.
func TestInspectTellsOneLineAFileInOrder(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var files, want []string
	for i := range 24 {
		name := filepath.Join(dir, fmt.Sprintf("surat-%02d.pdf", i))
		if err := os.WriteFile(name, aLetter(fmt.Sprintf("Siti Nomor %d", i)).PDF(), 0o600); err != nil {
			t.Fatal(err)
		}
		files, want = append(files, name), append(want, "reset-request")
	}
	large := filepath.Join(dir, "besar.jpg")
	if err := os.WriteFile(large, []byte("\xff\xd8\xff\xe0"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(large, 200<<20); err != nil {
		t.Fatal(err)
	}
	files, want = append(files, filepath.Join(dir, "tidak-ada.pdf"), dir, large, "-", files[0]), append(want, "unclear", "unclear", "unclear", "reset-request", "reset-request")
	out, complaint, code := pulih(t, aLetter("Siti Aminah").PDF(), nil, append([]string{"inspect", "--json"}, files...)...)
	lines := strings.Split(strings.TrimSuffix(out, "\n"), "\n")
	if code != 1 || !strings.Contains(complaint, "tidak-ada.pdf") || len(lines) != len(files) {
		t.Fatalf("exit %d, %d lines for %d files: %s", code, len(lines), len(files), complaint)
	}
	for i, l := range lines {
		var r letter.Reading
		if err := json.Unmarshal([]byte(l), &r); err != nil {
			t.Fatalf("line %d: %v", i, err)
		}
		if r.File != files[i] || string(r.Kind) != want[i] {
			t.Errorf("line %d is %s (%s), not %s (%s)", i, r.File, r.Kind, files[i], want[i])
		}
	}
	var r letter.Reading
	if err := json.Unmarshal([]byte(lines[26]), &r); err != nil || r.Attachments[0].Size != 200<<20 || len(r.Attachments[0].SHA256) != 64 || r.Findings[0].Code != "file-too-large" {
		t.Errorf("the large file: %+v %v", r, err)
	}
}

// The shape that scripts rely on: null for what isn't there, and lists that are never null.
func TestInspectWritesNullForWhatIsNotThere(t *testing.T) {
	t.Parallel()
	out, _, code := pulih(t, []byte("Halo, apa kabar? Salam dari kami semua."), nil, "inspect", "--json", "-")
	if code != 0 {
		t.Fatalf("exit %d", code)
	}
	var got map[string]any
	if err := json.Unmarshal([]byte(out), &got); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"reasons", "applicants", "attachments", "findings", "evidence"} {
		if _, ok := got[key].([]any); !ok {
			t.Errorf("%s is %v", key, got[key])
		}
	}
	letter, _ := got["letter"].(map[string]any)
	signer, _ := letter["signer"].(map[string]any)
	signature, _ := got["signature"].(map[string]any)
	for name, part := range map[string]map[string]any{"number": letter, "date": letter, "subject": letter, "office": letter, "name": signer, "nip": signer, "position": signer, "signer": signature} {
		if v, ok := part[name]; !ok || v != nil {
			t.Errorf("%s is %v, there: %v", name, v, ok)
		}
	}
	if signature["status"] != "none" {
		t.Errorf("signature %v", signature)
	}
}

// What a person sees: the line of the letter below the value, what is missing, and colours only where they are wanted.
func TestInspectShowsAPersonWhereItWasRead(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "surat.pdf")
	if err := os.WriteFile(file, aLetter("Siti \x1b[31mAminah").PDF(), 0o600); err != nil {
		t.Fatal(err)
	}
	plain, _, code := pulih(t, nil, nil, "inspect", file)
	for _, want := range []string{"PERMOHONAN RESET PASSPHRASE", "└ hal. 1: NIP", "198001012005012001", "tidak ada      ", "surat.pdf  PDF, "} {
		if !strings.Contains(plain, want) {
			t.Errorf("no %q in\n%s", want, plain)
		}
	}
	if code != 0 || strings.Contains(plain, "\x1b") {
		t.Errorf("exit %d; escapes reach a pipe: %q", code, plain)
	}
	if coloured, _, _ := pulih(t, nil, nil, "inspect", "--color", "always", file); !strings.Contains(coloured, "\x1b[1;34mPERMOHONAN") || strings.Contains(coloured, "\x1b[31m") {
		t.Errorf("colours: %q", coloured)
	}
}

// On a terminal there are colours, unless the person doesn't want any (no-color.org).
func TestInspectColoursATerminal(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "surat.pdf")
	if err := os.WriteFile(file, aLetter("Siti Aminah").PDF(), 0o600); err != nil {
		t.Fatal(err)
	}
	for env, want := range map[string]bool{"TERM=xterm": true, "NO_COLOR=1": false, "TERM=dumb": false} {
		if got := strings.Contains(onTerminal(t, env, "inspect", file), "\x1b["); got != want {
			t.Errorf("%s: colours %v, want %v", env, got, want)
		}
	}
}

// onTerminal runs the command with a pseudo-terminal for its output.
func onTerminal(t *testing.T, env string, args ...string) string {
	t.Helper()
	terminal, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer terminal.Close()
	n, err := unix.IoctlGetInt(int(terminal.Fd()), unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(int(terminal.Fd()), unix.TIOCSPTLCK, 0)
	}
	if err != nil {
		t.Fatal(err)
	}
	line, err := os.OpenFile(fmt.Sprint("/dev/pts/", n), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], args...)
	cmd.Env = []string{"PULIH_TEST_MAIN=1", "PATH=" + os.Getenv("PATH"), "TERM=xterm", env}
	cmd.Stdout = line
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line.Close()
	out, _ := io.ReadAll(terminal) // ends with EIO when the command has closed its side
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// With the configuration a letter is held against the directory. It may be anybody's who can read the file: secrets aren't needed for it.
func TestInspectHoldsALetterAgainstTheDirectory(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	example := filepath.Join("..", "..", "docs", "pulih.example.yaml")
	send := func(name, from string) string {
		file := filepath.Join(dir, name)
		mail := "From: " + from + "\r\nTo: tte@purbalinggakab.go.id\r\nDate: Mon, 23 Nov 2026 08:00:00 +0700\r\nSubject: Permohonan reset passphrase TTE\r\n\r\n" +
			"Kami mohon reset passphrase TTE atas nama:\r\nNama : dr. Fajar Setiadi\r\nNIP : 198007192009031914\r\n"
		if err := os.WriteFile(file, []byte(mail), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	for from, stranger := range map[string]bool{"dinkes@purbalinggakab.go.id": false, "dinkes.purbalingga@gmail.example": true} {
		out, complaint, code := pulih(t, nil, nil, "inspect", "--json", "--config", example, "--agency", "purbalingga", send("surat.eml", from))
		if code != 0 || strings.Contains(out, `"code":"sender-outside-domain"`) != stranger {
			t.Errorf("from %s: exit %d %s\n%s", from, code, complaint, out)
		}
	}
	if _, complaint, code := pulih(t, nil, nil, "inspect", "--config", example, send("surat.eml", "dinkes@purbalinggakab.go.id")); code == 0 || !strings.Contains(complaint, "purbalingga, madiun") {
		t.Errorf("which agency? exit %d %s", code, complaint)
	}
}
