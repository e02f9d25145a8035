package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"pulih/internal/config"
	"pulih/internal/letter"
	"pulih/mailflow"
)

// InspectCmd reads letters from files, without any service, and shows what was found.
type InspectCmd struct {
	JSON   bool     `name:"json" help:"One JSON object a line instead of a report for a person."`
	Config string   `placeholder:"FILE" type:"path" help:"Configuration file: adds the findings of the directory."`
	Agency string   `placeholder:"KEY" help:"Agency of the configuration; may be left out where there is one only."`
	Roots  string   `type:"existingdir" help:"Folder with trusted root certificates, for PDF signatures."`
	NoOCR  bool     `name:"no-ocr" help:"Leave scans unread."`
	Color  string   `enum:"auto,always,never" default:"auto" help:"Colours in the report: ${enum}."`
	Files  []string `arg:"" name:"file" help:"Letters: .eml, .pdf, .docx, .jpg, .png, .zip, .txt, .html; - is standard input."`
}

// Run reads the files on all cores and tells them in their order. A file that can't be understood gives a reading with findings; one that
// can't be opened does too, and is an error, told after the others were shown.
func (c *InspectCmd) Run(ctx context.Context) error {
	tenant, installed, err := c.tenant()
	if err != nil {
		return err
	}
	roots := c.Roots
	if roots == "" {
		roots = installed
	}
	reader := letter.NewReader(letter.Options{Roots: roots, NoOCR: c.NoOCR})
	type outcome struct {
		reading letter.Reading
		err     error
	}
	results := make([]chan outcome, len(c.Files))
	for i := range results {
		results[i] = make(chan outcome, 1)
	}
	go func() {
		free := make(chan struct{}, runtime.GOMAXPROCS(0))
		for i, name := range c.Files {
			free <- struct{}{}
			go func() {
				r, err := c.read(ctx, reader, tenant, name)
				results[i] <- outcome{r, err}
				<-free
			}()
		}
	}()
	shown := report{w: bufio.NewWriter(os.Stdout), p: paint(c.colours())}
	var failed []error
	for i := range c.Files {
		o := <-results[i]
		failed = append(failed, o.err)
		if err := ctx.Err(); err != nil {
			return err
		}
		if c.JSON {
			err = writeJSON(shown.w, o.reading)
		} else {
			shown.reading(o.reading)
		}
		if err = errors.Join(err, shown.w.Flush()); err != nil {
			return fmt.Errorf("writing the reading: %w", err)
		}
	}
	if !c.JSON && len(c.Files) > 1 {
		shown.sum()
		failed = append(failed, shown.w.Flush())
	}
	return errors.Join(failed...)
}

// maxLoad is what is held in memory of one file; letter opens none that is larger.
const maxLoad = 64 << 20

// read opens and reads one file, "-" being standard input.
func (c *InspectCmd) read(ctx context.Context, reader *letter.Reader, t *config.Tenant, name string) (letter.Reading, error) {
	in, r, err := load(name)
	if in != nil {
		r = reader.Read(ctx, *in)
		if t != nil {
			r.Findings = append(r.Findings, letter.Check(r, envelope(*in, t), t.Agency, nil, time.Now())...)
		}
	}
	r.File = name
	return r, err
}

// load reads a file into memory; one that is too large, or can't be had, has its reading at once.
func load(name string) (*letter.Input, letter.Reading, error) {
	base, file := filepath.Base(name), os.Stdin
	if name == "-" {
		base = "masukan"
	} else {
		f, err := os.Open(name)
		if err != nil {
			return nil, letter.Unopened(base, "file-missing", "tidak ada atau tidak boleh dibuka", nil), err
		}
		defer f.Close()
		file = f
	}
	head, sum := limited{left: maxLoad}, sha256.New()
	if st, err := file.Stat(); err == nil && st.Mode().IsRegular() {
		if st.Size() > maxLoad {
			head.left = 4 << 10 // its kind alone is of interest
		}
		head.Grow(int(min(st.Size(), int64(head.left))))
	}
	size, err := io.Copy(io.MultiWriter(sum, &head), file)
	if err != nil {
		return nil, letter.Unopened(base, "file-missing", "folder, atau rusak pada penyimpanannya", nil), err
	}
	if size <= maxLoad {
		in := letter.InputOf(base, head.Bytes())
		return &in, letter.Reading{}, nil
	}
	kind, _, _ := strings.Cut(http.DetectContentType(head.Bytes()), ";")
	return nil, letter.Unopened(base, "file-too-large", "terlalu besar untuk dibaca", &letter.Attachment{
		Name: base, MIME: kind, Size: size, SHA256: hex.EncodeToString(sum.Sum(nil)),
	}), nil
}

// limited keeps the first bytes.
type limited struct {
	bytes.Buffer
	left int
}

func (l *limited) Write(p []byte) (int, error) {
	n, _ := l.Buffer.Write(p[:min(len(p), l.left)])
	l.left -= n
	return len(p), nil
}

// tenant is the agency whose directory the letters are held against, and the folder of the configuration's roots; nil without --config.
func (c *InspectCmd) tenant() (*config.Tenant, string, error) {
	if c.Config == "" {
		if c.Agency != "" {
			return nil, "", errors.New("--agency needs --config")
		}
		return nil, "", nil
	}
	cfg, err := config.LoadPublic(c.Config)
	if err != nil {
		return nil, "", err
	}
	if c.Agency == "" && len(cfg.Tenants) == 1 {
		return &cfg.Tenants[0], cfg.Roots, nil
	}
	if t, ok := cfg.Tenant(c.Agency); ok {
		return t, cfg.Roots, nil
	}
	var keys []string
	for _, a := range cfg.Agencies() {
		keys = append(keys, a.Key)
	}
	return nil, "", fmt.Errorf("--agency: %q is unknown; expected one of %s", c.Agency, strings.Join(keys, ", "))
}

// envelope is what a file itself tells about how its letter came. Without an own mail server's results nothing vouches for the sender.
func envelope(in letter.Input, t *config.Tenant) letter.Envelope {
	if in.Mail == nil {
		return letter.Envelope{}
	}
	env := letter.Envelope{Channel: "mail"}
	m, err := letter.ParseMail(in.Mail)
	if err != nil {
		return env
	}
	env.ReceivedAt = m.Date
	if len(m.From) > 0 {
		env.From = m.From[0].Address
	}
	if t.Inbox != nil && t.Inbox.AuthservID != "" {
		auth := mailflow.Authenticate(m, in.Mail, mailflow.Trust{ServerID: t.Inbox.AuthservID})
		env.Auth = &auth
	}
	return env
}

// writeJSON writes one line. The signer is always an object, with null for what isn't there, so that scripts need no special case.
func writeJSON(w io.Writer, r letter.Reading) error {
	if r.Letter.Signer == nil {
		r.Letter.Signer = &letter.Signer{}
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return enc.Encode(r)
}

func (c *InspectCmd) colours() bool {
	switch c.Color {
	case "always":
		return true
	case "never":
		return false
	}
	st, err := os.Stdout.Stat()
	return err == nil && st.Mode()&os.ModeCharDevice != 0 && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
}
