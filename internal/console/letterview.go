package console

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"path"
	"strings"
	"sync"
	"time"

	"pulih/internal/letter"
	"pulih/internal/request"
	"pulih/internal/store"
	"pulih/mailflow"
)

// letterView is a letter as the desk shows it: text with the found fields marked, and its files.
type letterView struct {
	ID       int64
	Channel  string
	Received time.Time
	Gone     bool
	Kind     letter.Kind
	Number   string
	Date     string
	Subject  string
	Sender   string
	Reasons  []string
	Texts    []document
	Other    document // lines that were read and that no text above shows
	Signed   *signatureView
	Files    []fileView
	Sheets   []sheet // pictures of its pages, when the reader asked for them
	HasSheet bool
	Problem  string
	State    string
	Path     string
	anchors  map[string]string // where a field's line stands on the page, by letter.Evidence's name of the field
}

type fileView struct {
	Name, MIME, Size, Path string
	Picture                bool
}

type sheet struct {
	Path, Words string
}

// loadLetters fills in the letters of a request, and the facts from the first of them with what all of them have corrected.
func (c *Console) loadLetters(p *page, d *requestPage) error {
	letters, err := c.o.Store.LettersOf(p.ctx(), d.S.Number)
	if err != nil {
		return err
	}
	var corrected []letter.Correction
	for i, l := range letters {
		v, r, err := c.letterView(p, l)
		if err != nil {
			return err
		}
		d.Letters = append(d.Letters, v)
		if i == 0 {
			d.Facts = factsOf(p.agency, d.S, r)
		}
		d.tellSources(v, r, i == 0)
		corrected = append(corrected, r.Corrections...)
	}
	d.Compare = request.FieldWords(d.S.Subject.RestsOn(corrected))
	return nil
}

func (c *Console) letterView(p *page, l store.Letter) (letterView, letter.Reading, error) {
	v := letterView{ID: l.ID, Channel: l.Channel, Received: l.ReceivedAt, Gone: l.GoneAt != nil, Kind: l.Kind, Problem: l.Problem, State: l.State,
		Path: fmt.Sprintf("/%s/surat/%d", p.agency.Key, l.ID)}
	r, err := c.o.Store.Reading(p.ctx(), l.ID)
	if errors.Is(err, store.ErrNotFound) {
		return v, r, nil
	} else if err != nil {
		return v, r, err
	}
	v.Number, v.Date, v.Subject, v.Reasons = str(r.Letter.Number), dateWords(str(r.Letter.Date)), str(r.Letter.Subject), r.Reasons
	t := layText(&v, r)
	if l.Channel == "mail" && !l.HeadersOnly {
		if err := c.mailText(p, l, t); err != nil {
			return v, r, err
		}
	}
	if l.Channel == "srikandi" {
		t.metadata()
	}
	for i, a := range r.Attachments {
		f := fileView{Name: safeName(a.Name), MIME: a.MIME, Size: sizeWords(a.Size), Path: fmt.Sprintf("%s/berkas/%d", v.Path, i), Picture: pictured(a.MIME)}
		v.Files = append(v.Files, f)
		v.HasSheet = v.HasSheet || f.Picture
		if a.Text != nil {
			t.add(f.Name, a.Name, *a.Text)
		}
	}
	t.rest()
	v.Signed = signatureOf(r.Signature)
	if v.HasSheet {
		if v.Sheets, err = c.sheets(p, l, r, v); err != nil {
			return v, r, err
		}
	}
	return v, r, nil
}

func (c *Console) mailText(p *page, l store.Letter, t *laidText) error {
	raw, err := c.o.Store.Raw(p.ctx(), l.ID)
	if err != nil {
		return err
	}
	m, err := letter.ParseMail(raw)
	if err != nil {
		return nil //nolint:nilerr // it is in quarantine, with the reason
	}
	if len(m.From) > 0 {
		t.v.Sender = m.From[0].Address
	}
	if t.v.Subject == "" {
		t.v.Subject = m.Subject
	}
	t.add("Isi surel", "mail", m.Text)
	t.add("Surel yang diteruskan", "mail:forwarded", m.Forwarded)
	t.add("Kutipan surel sebelumnya", "", m.Quoted)
	return nil
}

// dateWords is "23 November 2026" for "2026-11-23"; anything else stays as it is.
func dateWords(s string) string {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return s
	}
	return mailflow.NoticeDay(t)
}

func clean(s string) string { return letter.MaskNIK(letter.Mask(s)) }

func fold(s string) string { return strings.Join(strings.Fields(strings.ToLower(s)), " ") }

func str(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// spacedNIP writes a NIP in its four parts: birth, appointment, sex, serial.
func spacedNIP(s string) string {
	if len(s) != 18 {
		return s
	}
	return s[:8] + " " + s[8:14] + " " + s[14:15] + " " + s[15:]
}

func sizeWords(n int64) string {
	switch {
	case n >= 1<<20:
		return strings.Replace(fmt.Sprintf("%.1f MB", float64(n)/(1<<20)), ".", ",", 1)
	case n >= 1<<10:
		return fmt.Sprintf("%d KB", n>>10)
	}
	return fmt.Sprintf("%d bita", n)
}

// safeName is a file's name without a path or anything that a browser or shell would read as more than a name.
func safeName(name string) string {
	name = path.Base(strings.ReplaceAll(name, `\`, "/"))
	name = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || strings.ContainsRune(`"<>|:*?;%`+"`$&'", r) || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 {
			return '_'
		}
		return r
	}, strings.ToValidUTF8(name, "_"))
	name = strings.Trim(name, ". ")
	if r := []rune(name); len(r) > 120 {
		name = string(r[:100]) + "…" + string(r[len(r)-12:])
	}
	if name == "" || name == "/" {
		return "berkas"
	}
	return name
}

func pictured(mime string) bool { return mime == "application/pdf" }

// The original sheets show identity numbers as they were written, so opening them is recorded; for sheetsOpen after it they can be looked at.
const (
	sheetsOpen  = 30 * time.Minute
	sheetAction = "melihat lembar asli"
	nikAction   = "melihat NIK"
	nikOpen     = 10 * time.Minute
)

func letterTarget(id int64) string { return fmt.Sprintf("surat/%d", id) }

// openSheets records that a person looks at the original pages.
func (c *Console) openSheets(p *page) error {
	l, err := c.letterOf(p)
	if err != nil {
		return err
	}
	err = c.o.Store.InTx(p.ctx(), p.now, func(tx *store.Tx) error {
		return tx.Audit(p.agency.Key, p.who.person.ID, sheetAction, letterTarget(l.ID), "")
	})
	if err != nil {
		return err
	}
	return p.redirect(c.back(p, fmt.Sprintf("/%s/surat/%d", p.agency.Key, l.ID)) + "#surat")
}

// back is the page of the desk that a form was sent from, or the other one.
func (c *Console) back(p *page, otherwise string) string {
	if from := p.PostFormValue("dari"); safePath(from, p.agency.Key) {
		return from
	}
	return otherwise
}

// safePath: a path of that agency's desk and nothing else, so that no link leads people out of it.
func safePath(s, key string) bool {
	return (s == "/"+key || strings.HasPrefix(s, "/"+key+"/")) && !strings.Contains(s, "//") && !strings.ContainsFunc(s, func(r rune) bool {
		return r <= ' ' || r > '~' || strings.ContainsRune("\\?#%", r)
	})
}

// letterOf is the letter of the path; ErrNotFound for one of another agency.
func (c *Console) letterOf(p *page) (store.Letter, error) {
	id, err := pathID(p, "id")
	if err != nil {
		return store.Letter{}, err
	}
	l, err := c.o.Store.Letter(p.ctx(), id)
	if err == nil && l.Agency != p.agency.Key {
		err = fmt.Errorf("letter %d: %w", id, store.ErrNotFound)
	}
	return l, err
}

// sheets lists the pictures that the visitor may see now.
func (c *Console) sheets(p *page, l store.Letter, r letter.Reading, v letterView) ([]sheet, error) {
	ok, err := c.o.Store.DidLately(p.ctx(), p.agency.Key, p.who.person.ID, sheetAction, letterTarget(l.ID), p.now.Add(-sheetsOpen))
	if err != nil || !ok {
		return nil, err
	}
	var out []sheet
	for i, a := range r.Attachments {
		if !pictured(a.MIME) {
			continue
		}
		pages, err := c.render(p.ctx(), l, r, i)
		if err != nil {
			c.o.Log.Warn("rendering a letter's pages", "letter", l.ID, "err", err)
			continue
		}
		for n := range pages {
			out = append(out, sheet{Path: fmt.Sprintf("%s/lembar/%d/%d", v.Path, i, n+1), Words: fmt.Sprintf("%s, halaman %d", safeName(a.Name), n+1)})
		}
	}
	return out, nil
}

// sheetPicture serves one page as a picture: never the PDF itself, whatever is in it.
func (c *Console) sheetPicture(p *page) error {
	l, err := c.letterOf(p)
	if err != nil {
		return err
	}
	ok, err := c.o.Store.DidLately(p.ctx(), p.agency.Key, p.who.person.ID, sheetAction, letterTarget(l.ID), p.now.Add(-sheetsOpen))
	if err != nil {
		return err
	}
	file, err1 := pathID(p, "file")
	number, err2 := pathID(p, "page")
	if err := errors.Join(err1, err2); err != nil || !ok {
		return fmt.Errorf("sheet: %w", store.ErrNotFound)
	}
	r, err := c.o.Store.Reading(p.ctx(), l.ID)
	if err != nil {
		return err
	}
	pages, err := c.render(p.ctx(), l, r, int(file))
	if err != nil {
		return err
	}
	if number < 1 || int(number) > len(pages) {
		return fmt.Errorf("page %d: %w", number, store.ErrNotFound)
	}
	p.w.Header().Set("Content-Type", "image/png")
	p.w.Header().Set("Cache-Control", "private, max-age=600")
	_, _ = p.w.Write(pages[number-1])
	return nil
}

// download hands out a file as it came, as something to keep and never to show: browsers don't open it within the desk. It is recorded.
func (c *Console) download(p *page) error {
	l, err := c.letterOf(p)
	if err != nil {
		return err
	}
	index, err := pathID(p, "file")
	if err != nil {
		return err
	}
	r, err := c.o.Store.Reading(p.ctx(), l.ID)
	if err != nil {
		return err
	}
	data, name, err := c.fileData(p.ctx(), l, r, int(index))
	if err != nil {
		return err
	}
	err = c.o.Store.InTx(p.ctx(), p.now, func(tx *store.Tx) error {
		return tx.Audit(p.agency.Key, p.who.person.ID, "mengunduh berkas", letterTarget(l.ID), name)
	})
	if err != nil {
		return err
	}
	h := p.w.Header()
	h.Set("Content-Type", "application/octet-stream")
	h.Set("Content-Disposition", disposition(name))
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	_, _ = p.w.Write(data)
	return nil
}

// disposition names a download (RFC 6266): in ASCII for old browsers, and in UTF-8.
func disposition(name string) string {
	name = safeName(name)
	ascii := strings.Map(func(r rune) rune {
		if r > '~' {
			return '_'
		}
		return r
	}, name)
	var b strings.Builder
	for _, x := range []byte(name) {
		if x >= '0' && x <= '9' || x >= 'a' && x <= 'z' || x >= 'A' && x <= 'Z' || x == '.' || x == '-' || x == '_' {
			b.WriteByte(x)
		} else {
			fmt.Fprintf(&b, "%%%02X", x)
		}
	}
	return fmt.Sprintf(`attachment; filename="%s"; filename*=UTF-8''%s`, ascii, b.String())
}

// fileData finds the bytes of an attachment of the reading: in the archive for Srikandi, in the message for mail. It is known by its hash.
func (c *Console) fileData(ctx context.Context, l store.Letter, r letter.Reading, index int) (data []byte, name string, err error) {
	if index < 0 || index >= len(r.Attachments) {
		return nil, "", fmt.Errorf("file %d of letter %d: %w", index, l.ID, store.ErrNotFound)
	}
	want := r.Attachments[index].SHA256
	name = safeName(r.Attachments[index].Name)
	if l.Channel == "srikandi" {
		files, err := c.o.Store.Files(ctx, l.ID)
		if err != nil {
			return nil, "", err
		}
		for _, f := range files {
			if hex.EncodeToString(f.SHA256) == want {
				return f.Data, name, nil
			}
		}
		return nil, "", fmt.Errorf("file %d of letter %d: %w", index, l.ID, store.ErrNotFound)
	}
	raw, err := c.o.Store.Raw(ctx, l.ID)
	if err != nil {
		return nil, "", err
	}
	m, err := letter.ParseMail(raw)
	if err != nil {
		return nil, "", fmt.Errorf("file %d of letter %d: %w", index, l.ID, store.ErrNotFound)
	}
	if data := partOf(m, want, 0); data != nil {
		return data, name, nil
	}
	return nil, "", fmt.Errorf("file %d of letter %d: %w", index, l.ID, store.ErrNotFound)
}

func partOf(m *letter.Mail, want string, depth int) []byte {
	for _, part := range m.Parts {
		if sum := sha256.Sum256(part.Data); hex.EncodeToString(sum[:]) == want {
			return part.Data
		}
		if part.Mail != nil && depth < 4 {
			if data := partOf(part.Mail, want, depth+1); data != nil {
				return data
			}
		}
	}
	return nil
}

// pictures keeps rendered pages for a while: a page of the desk is loaded again at every piece of news. They are in memory alone.
type pictures struct {
	mu    sync.Mutex
	list  []picture // oldest first
	bytes int
	turn  chan struct{} // one rendering at a time
}

type picture struct {
	key   string
	pages [][]byte
	size  int
}

const (
	picturesKept = 48 << 20 // bytes
	sheetsShown  = 8        // pages of one file
)

func (c *Console) render(ctx context.Context, l store.Letter, r letter.Reading, index int) ([][]byte, error) {
	if index < 0 || index >= len(r.Attachments) || !pictured(r.Attachments[index].MIME) {
		return nil, fmt.Errorf("file %d of letter %d: %w", index, l.ID, store.ErrNotFound)
	}
	key := fmt.Sprintf("%d/%s", l.ID, r.Attachments[index].SHA256)
	if pages, ok := c.pictures.get(key); ok {
		return pages, nil
	}
	c.pictures.mu.Lock()
	if c.pictures.turn == nil {
		c.pictures.turn = make(chan struct{}, 1)
	}
	turn := c.pictures.turn
	c.pictures.mu.Unlock()
	select {
	case turn <- struct{}{}:
		defer func() { <-turn }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if pages, ok := c.pictures.get(key); ok {
		return pages, nil
	}
	data, _, err := c.fileData(ctx, l, r, index)
	if err != nil {
		return nil, err
	}
	pages, err := c.o.Reader.Pages(ctx, data, sheetsShown)
	if err != nil {
		return nil, err
	}
	c.pictures.put(key, pages)
	return pages, nil
}

func (k *pictures) get(key string) ([][]byte, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, p := range k.list {
		if p.key == key {
			return p.pages, true
		}
	}
	return nil, false
}

func (k *pictures) put(key string, pages [][]byte) {
	p := picture{key: key, pages: pages}
	for _, b := range pages {
		p.size += len(b)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.list, k.bytes = append(k.list, p), k.bytes+p.size
	for k.bytes > picturesKept && len(k.list) > 1 {
		k.bytes -= k.list[0].size
		k.list = k.list[1:]
	}
}

func pathID(p *page, name string) (int64, error) {
	var n int64
	s := p.PathValue(name)
	if len(s) == 0 || len(s) > 18 {
		return 0, fmt.Errorf("%s in a path: %w", name, store.ErrNotFound)
	}
	for _, r := range s {
		if r < '0' || r > '9' {
			return 0, fmt.Errorf("%s in a path: %w", name, store.ErrNotFound)
		}
		n = n*10 + int64(r-'0')
	}
	return n, nil
}
