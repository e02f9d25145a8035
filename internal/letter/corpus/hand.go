package corpus

import (
	"embed"
	"fmt"
	"path"
	"strings"

	"pulih/internal/letter"
)

//go:embed hand/*.txt
var handFiles embed.FS

// Hand are letters typed by hand, one a file: what is wanted stands above a line of three dashes, the letter below. A letter that begins
// with a From field is a mail.
func Hand() ([]Letter, error) {
	entries, err := handFiles.ReadDir("hand")
	if err != nil {
		return nil, fmt.Errorf("listing the letters: %w", err)
	}
	var out []Letter
	for _, e := range entries {
		b, err := handFiles.ReadFile("hand/" + e.Name())
		if err != nil {
			return nil, fmt.Errorf("reading a letter: %w", err)
		}
		for i, piece := range strings.Split(string(b), "\n=====\n") {
			head, body, ok := strings.Cut(strings.TrimLeft(piece, "\n"), "\n---\n")
			if !ok {
				return nil, fmt.Errorf("%s: letter %d has no line of dashes", e.Name(), i+1)
			}
			l := Letter{ID: fmt.Sprintf("%s-%02d", strings.TrimSuffix(path.Base(e.Name()), ".txt"), i+1), Want: wanted(head)}
			l.Layout = l.ID
			l.File = File{l.ID + ".txt", []byte(body)}
			if strings.HasPrefix(body, "From: ") {
				l.File.Name = l.ID + ".eml"
			}
			if strings.HasPrefix(body, "<") {
				l.File.Name = l.ID + ".html"
			}
			out = append(out, l)
		}
	}
	return out, nil
}

// wanted reads "key: value" lines; each "applicant:" begins a person, whose fields follow with a dash before them.
func wanted(head string) Want {
	w := Want{KindOnly: true}
	signer := func() *letter.Signer {
		if w.Letter.Signer == nil {
			w.Letter.Signer = &letter.Signer{}
		}
		return w.Letter.Signer
	}
	for _, l := range strings.Split(head, "\n") {
		key, value, _ := strings.Cut(l, ":")
		v := strings.TrimSpace(value)
		var a *letter.Applicant
		if n := len(w.Applicants); n > 0 {
			a = &w.Applicants[n-1]
		}
		if key != "kind" {
			w.KindOnly = false
		}
		switch strings.TrimSpace(key) {
		case "kind":
			w.Kind = letter.Kind(v)
		case "number":
			w.Letter.Number = p(v)
		case "date":
			w.Letter.Date = p(v)
		case "subject":
			w.Letter.Subject = p(v)
		case "office":
			w.Letter.Office = p(v)
		case "signer":
			signer().Name = p(v)
		case "signer.nip":
			signer().NIP = p(v)
		case "signer.position":
			signer().Position = p(v)
		case "applicant":
			w.Applicants = append(w.Applicants, letter.Applicant{Name: p(v)})
		case "- nip":
			a.NIP = p(v)
		case "- nik":
			a.NIK = p(v)
		case "- email":
			a.Email = p(v)
		case "- phone":
			a.Phone = p(v)
		case "- position":
			a.Position = p(v)
		case "- rank":
			a.Rank = p(v)
		case "- office":
			a.Office = p(v)
		}
	}
	return w
}
