package console

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"time"

	"pulih/internal/letter"
	"pulih/mailflow"
)

// views are the parsed pages, by the name of their file. Each has the layout and the parts with it.
type views map[string]*template.Template

func parseViews(files fs.FS) (views, error) {
	shared, err := template.New("").Funcs(template.FuncMap{
		"asset":       func(name string) string { return "/aset/" + assetVersion + "/" + name },
		"mask":        func(s string) string { return letter.MaskNIK(letter.Mask(s)) },
		"hide":        hideNIK,
		"lower":       strings.ToLower,
		"lines":       func(s string) []string { return strings.Split(s, "\n") },
		"icon":        icon,
		"mailname":    func(template string) string { return or(mailWords[template], template) },
		"bar":         func(c clock) template.HTML { return c.svg() },
		"certificate": certificate,
		"deref":       func(b *bool) bool { return b != nil && *b },
		"span":        mailflow.NoticeSpan,
		"dict":        dict,
	}).ParseFS(files, "templates/parts/*.html")
	if err != nil {
		return nil, fmt.Errorf("reading the shared templates: %w", err)
	}
	names, err := fs.Glob(files, "templates/*.html")
	if err != nil {
		return nil, fmt.Errorf("listing the templates: %w", err)
	}
	out := views{}
	for _, name := range names {
		t, err := template.Must(shared.Clone()).ParseFS(files, name)
		if err != nil {
			return nil, fmt.Errorf("reading template %s: %w", name, err)
		}
		out[strings.TrimSuffix(path.Base(name), ".html")] = t
	}
	return out, nil
}

// dict passes several named values to a part of a page.
func dict(pairs ...any) (map[string]any, error) {
	if len(pairs)%2 != 0 {
		return nil, fmt.Errorf("dict needs pairs")
	}
	out := map[string]any{}
	for i := 0; i < len(pairs); i += 2 {
		key, ok := pairs[i].(string)
		if !ok {
			return nil, fmt.Errorf("dict needs words as keys")
		}
		out[key] = pairs[i+1]
	}
	return out, nil
}

// assetVersion is part of the assets' address: a changed stylesheet is fetched, an unchanged one never again.
var assetVersion = func() string {
	h := sha256.New()
	_ = fs.WalkDir(assetFiles, ".", func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			data, _ := assetFiles.ReadFile(name) // embedded: can't fail
			h.Write(data)
		}
		return err
	})
	return hex.EncodeToString(h.Sum(nil))[:12]
}()

// base is what every page has. Pages embed it.
type base struct {
	Title string
	Here  string // the page's entry in the navigation
	Who   *visitor
	Now   time.Time
	Zone  *time.Location
	News  string // what has just been done
	Demo  bool
	Mark  string // see store.Mark; empty: the page doesn't watch for news
}

func (c *Console) base(p *page, title, here string) base {
	b := base{Title: title, Here: here, Who: p.who, Now: p.now, Zone: time.UTC, Demo: c.o.Demo, News: news[p.URL.Query().Get("kabar")]}
	switch {
	case p.agency != nil:
		b.Zone = p.agency.Zone
	case p.who != nil:
		b.Zone = p.who.agency.Zone
	case len(c.o.Agencies) > 0:
		b.Zone = c.o.Agencies[0].Zone
	}
	b.Now = b.Now.In(b.Zone)
	return b
}

// When says a time as seen from now; see mailflow.NoticeWhen.
func (b base) When(t time.Time) string { return mailflow.NoticeWhen(t.In(b.Zone), b.Now) }

// Since is When without a word that every row would repeat: "08.04", "kemarin 15.10 WIB".
func (b base) Since(t time.Time) string {
	return strings.TrimSuffix(strings.TrimPrefix(b.When(t), "hari ini "), " "+mailflow.NoticeZone(b.Now))
}
func (b base) Hour(t time.Time) string     { return mailflow.NoticeHour(t.In(b.Zone)) }
func (b base) Day(t time.Time) string      { return mailflow.NoticeDay(t.In(b.Zone)) }
func (b base) DateTime(t time.Time) string { return mailflow.NoticeDateTime(t.In(b.Zone)) }
func (b base) Machine(t time.Time) string  { return t.In(b.Zone).Format(time.RFC3339) }

// May reports whether the visitor may do something, by the name of the action.
func (b base) May(name string) bool { return b.Who != nil && b.Who.may(action(name)) }

// Tab is an entry of the navigation.
type Tab struct {
	Name, Path string
	Here       bool
}

// Tabs are the pages that the visitor may open.
func (b base) Tabs() []Tab {
	if b.Who == nil {
		return nil
	}
	var out []Tab
	for _, t := range []struct {
		name, path string
		needs      action
	}{
		{"Meja kerja", "", readDesk}, {"Surat", "/surat", readLetters}, {"Pengaduan", "/pengaduan", readComplaint}, {"Kantor", "/kantor", readOffices},
		{"Pimpinan", "/pimpinan", readReport}, {"Sistem", "/sistem", readSystem},
	} {
		if b.Who.may(t.needs) {
			out = append(out, Tab{Name: t.name, Path: "/" + b.Who.agency.Key + t.path, Here: b.Here == t.name})
		}
	}
	return out
}

// Agency is the visitor's agency without the words that all share: "Kabupaten Purbalingga".
func (b base) Agency() string {
	if b.Who == nil {
		return ""
	}
	return strings.TrimPrefix(b.Who.agency.Name, "Pemerintah ")
}

// Key is the first part of the desk's paths.
func (b base) Key() string {
	if b.Who == nil {
		return ""
	}
	return b.Who.agency.Key
}

// show renders a page. It is rendered whole before the first byte goes out, so that a mistake is an error page and not half a page.
func (c *Console) show(p *page, status int, name string, data any) error {
	t, ok := c.views[name]
	if !ok {
		return fmt.Errorf("no template %q", name)
	}
	var out bytes.Buffer
	if err := t.ExecuteTemplate(&out, "layout", data); err != nil {
		return fmt.Errorf("rendering %s: %w", name, err)
	}
	p.w.Header().Set("Content-Type", "text/html; charset=utf-8")
	p.w.WriteHeader(status)
	_, _ = p.w.Write(out.Bytes())
	return nil
}

// fail shows what went wrong and what to do next.
func (c *Console) fail(w http.ResponseWriter, r *http.Request, status int, message string) {
	p := &page{Request: r, w: w, now: c.o.Now()}
	p.who, _ = c.visitorOf(r, p.now) // without a database the page does without a name
	title := "Tidak dapat dilakukan"
	if status == http.StatusNotFound {
		title = "Tidak ditemukan"
	}
	back := "/"
	if from := r.Header.Get("Referer"); r.Method != http.MethodGet && strings.HasPrefix(from, c.origin(r)+"/") {
		back = strings.TrimPrefix(from, c.origin(r))
	}
	data := struct {
		base
		Message, Back string
	}{c.base(p, title, ""), message, back}
	if err := c.show(p, status, "gagal", data); err != nil {
		c.o.Log.Error("showing a failure", "err", err)
		http.Error(w, message, status)
	}
}

func (c *Console) origin(r *http.Request) string {
	scheme := "http"
	if c.secure {
		scheme = "https"
	}
	return scheme + "://" + r.Host
}

// news are the sentences after a change, by the code in the address that the change leads to.
var news = map[string]string{
	"approve":    "Disetujui. Langkah berikutnya tampak di bawah.",
	"second":     "Persetujuan pertama tercatat. Verifikator lain diminta menyetujui.",
	"return":     "Dikembalikan. Surel permintaan kelengkapan sedang dikirim; waktu berhenti sampai kantor menjawab.",
	"reject":     "Ditolak. Kantor dan pemohon diberi tahu.",
	"complete":   "Kelengkapan dinyatakan diterima; waktu berjalan kembali.",
	"confirm":    "Reset dinyatakan terlaksana. Pemohon diberi tahu bahwa tautan BSrE akan datang.",
	"unsure":     "Dicatat sebagai belum pasti. Periksa di AMS sebelum mengajukan lagi.",
	"unable":     "Dicatat. Permohonan kembali ke pemeriksaan.",
	"forward":    "Surat diteruskan.",
	"assign":     "Ditugaskan.",
	"note":       "Catatan disimpan.",
	"reopen":     "Permohonan dibuka kembali.",
	"usable":     "Dicatat: TTE dapat digunakan. Permohonan selesai.",
	"session":    "Sesi AMS tersambung. Reset yang menunggu segera diajukan.",
	"nosession":  "Sesi AMS diakhiri.",
	"request":    "Surat dijadikan permohonan.",
	"sorted":     "Surat disisihkan. Ia tetap tersimpan di arsip.",
	"retry":      "Surat dibaca ulang.",
	"saved":      "Tersimpan.",
	"waiting":    "Tersimpan sebagai usul. Perubahan alamat atau kepala kantor berlaku setelah disetujui orang kedua.",
	"ended":      "Sesi diakhiri.",
	"explained":  "Alasan dicatat. Pimpinan melihatnya di laporan.",
	"joined":     "Surat digabungkan dengan permohonan.",
	"parted":     "Surat dipisahkan.",
	"corrected":  "Data pemohon dibetulkan. Yang lama tetap tercatat di riwayat.",
	"complained": "Pengaduan Anda kami terima. Tanda terimanya dikirim lewat surel.",
	"answered":   "Terima kasih. Jawaban Anda tercatat.",
}
