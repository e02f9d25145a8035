package main

import (
	"errors"
	"fmt"
	"html"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"pulih/mailflow"
)

// MailCmd works with the mail templates.
type MailCmd struct {
	Preview MailPreviewCmd `cmd:"" help:"Render every mail with sample data to a folder, to look at them."`
}

// MailPreviewCmd renders all mails, so that the author of a template sees what the readers will.
type MailPreviewCmd struct {
	To        string `required:"" type:"path" help:"Folder for the rendered mails; made if missing."`
	Templates string `type:"existingdir" help:"The agency's own folder of templates, laid over the shipped ones."`
}

// Run writes NAME.html and NAME.txt for each mail, and index.html that shows them side by side.
func (c *MailPreviewCmd) Run() error { return c.run(os.Stdout) }

func (c *MailPreviewCmd) run(out io.Writer) error {
	var override fs.FS
	if c.Templates != "" {
		override = os.DirFS(c.Templates)
	}
	if err := os.MkdirAll(c.To, 0o755); err != nil {
		return fmt.Errorf("making the folder: %w", err)
	}
	var index strings.Builder
	var failed []error
	count := 0
	keep := func(name string, mail mailflow.Rendered, err error) {
		if err == nil {
			err = c.write(name, mail)
		}
		if err != nil {
			failed = append(failed, err)
			return
		}
		count++
		fmt.Fprintf(&index, previewRow, name, html.EscapeString(mail.Subject))
	}
	for _, n := range mailflow.NoticeSamples() {
		mail, err := mailflow.RenderNotice(n, override)
		keep(n.Template, mail, err)
	}
	for _, d := range mailflow.DigestSamples() {
		mail, err := mailflow.RenderDigest(d, override)
		keep(d.Template, mail, err)
		mail, err = mailflow.RenderDigest(mailflow.DigestSampleZero(d.Template), override)
		keep(d.Template+"-zero", mail, err)
	}
	page := fmt.Sprintf(previewPage, index.String())
	if err := os.WriteFile(filepath.Join(c.To, "index.html"), []byte(page), 0o644); err != nil {
		failed = append(failed, err)
	}
	fmt.Fprintf(out, "%d surel di %s\n", count, filepath.Join(c.To, "index.html"))
	return errors.Join(failed...)
}

func (c *MailPreviewCmd) write(name string, mail mailflow.Rendered) error {
	if err := os.WriteFile(filepath.Join(c.To, name+".html"), []byte(mail.HTML), 0o644); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(c.To, name+".txt"), []byte("Subject: "+mail.Subject+"\n\n"+mail.Text), 0o644)
}

const previewRow = `<section id="%[1]s"><h2>%[2]s</h2><p><a href="%[1]s.html">%[1]s.html</a> · <a href="%[1]s.txt">teks</a></p>
<div><iframe src="%[1]s.html" width="640" height="900" loading="lazy"></iframe><iframe src="%[1]s.html" width="390" height="900" loading="lazy"></iframe><iframe src="%[1]s.txt" width="640" height="900" loading="lazy"></iframe></div></section>
`

const previewPage = `<!doctype html>
<html lang="id"><head><meta charset="utf-8"><title>Surel pulih</title>
<style>:root{color-scheme:light dark}body{font:16px/1.5 system-ui,sans-serif;margin:24px}h2{font-size:16px}div{display:flex;gap:16px;overflow-x:auto}iframe{border:1px solid #8886;border-radius:6px;flex:none}</style></head>
<body><h1>Surel pulih</h1>
%s</body></html>
`
