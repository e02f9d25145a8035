package accounts

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"
	"golang.org/x/sys/unix"

	"pulih/bsre"
	"pulih/internal/config"
	"pulih/internal/letter"
	"pulih/internal/store"
	"pulih/mailflow"
	"pulih/srikandi"
)

// State is how a part stands.
type State string

// The states. A Warning stops nothing today.
const (
	OK      State = "ok"
	Warning State = "warning"
	Failed  State = "failed"
)

// Finding is what trying one part showed, in a sentence for the operator.
type Finding struct {
	Agency   string `json:"agency,omitempty"` // key; "" for the installation as a whole
	Part     string `json:"part"`             // database, state, keys, programs, calendar, srikandi, inbox, outbox, esign, beid, portal, sso
	State    State  `json:"state"`
	Sentence string `json:"sentence"` // Indonesian; holds no secret
}

// patience bounds one trial; a gateway that answers later than this is of no use to a verifier who waits.
const patience = 20 * time.Second

// trial is one part to be tried. It answers the state and what follows "Part Agency: ".
type trial struct {
	agency, part, name string
	try                func(context.Context) (State, string)
}

// Try tries every part of a configuration, several at a time, and answers in the order of the file. It changes nothing: it reads one page of
// Srikandi, opens the mailbox read-only, sends no mail, asks eSign about an address of the agency's own, and signs in to no portal.
func Try(ctx context.Context, c *config.Config, now time.Time) []Finding {
	trials := installation(c)
	for i := range c.Tenants {
		trials = append(trials, ofAgency(&c.Tenants[i], now)...)
	}
	findings := make([]Finding, len(trials))
	var group errgroup.Group
	group.SetLimit(8)
	for i, t := range trials {
		group.Go(func() error {
			within, cancel := context.WithTimeout(ctx, patience)
			defer cancel()
			state, words := t.try(within)
			findings[i] = Finding{t.agency, t.part, state, t.name + ": " + words}
			return nil
		})
	}
	_ = group.Wait() // no trial returns an error
	return findings
}

// Label is an agency's short name in sentences: its key with capitals, which no two agencies share.
func Label(key string) string {
	words := strings.Split(key, "-")
	for i, w := range words {
		if w != "" {
			words[i] = strings.ToUpper(w[:1]) + w[1:]
		}
	}
	return strings.Join(words, " ")
}

func installation(c *config.Config) []trial {
	return []trial{
		{"", "database", "Basis data", func(ctx context.Context) (State, string) { return tryDatabase(ctx, c) }},
		{"", "state", "Direktori state", func(context.Context) (State, string) { return tryState(c.State) }},
		{"", "keys", "Kunci penyegel", func(context.Context) (State, string) { return tryKeys(c.Keys.File) }},
		{"", "programs", "Pembaca surat", tryPrograms},
		{"", "signature_roots", "Akar tanda tangan", func(context.Context) (State, string) { return tryRoots(c.Roots) }},
	}
}

func ofAgency(t *config.Tenant, now time.Time) []trial {
	label := Label(t.Key)
	trials := []trial{{t.Key, "calendar", "Kalender " + label, func(context.Context) (State, string) { return tryCalendar(t, now) }}}
	add := func(part, name string, try func(context.Context) (State, string)) {
		trials = append(trials, trial{t.Key, part, name + " " + label, try})
	}
	if t.Srikandi != nil {
		add("srikandi", "Srikandi", func(ctx context.Context) (State, string) { return trySrikandi(ctx, t, now) })
	}
	if t.Inbox != nil {
		add("inbox", "Kotak surat", func(ctx context.Context) (State, string) { return tryInbox(ctx, t) })
	}
	if t.Templates != "" {
		add("templates", "Naskah surel", func(context.Context) (State, string) { return tryTemplates(t.Templates) })
	}
	add("outbox", "Pengiriman surat", func(ctx context.Context) (State, string) { return tryOutbox(ctx, t) })
	if t.BSrE.ESign != nil {
		add("esign", "eSign", func(ctx context.Context) (State, string) { return tryESign(ctx, t) })
	}
	if a := t.BSrE.AMS; a != nil {
		add("beid", "BeID", func(ctx context.Context) (State, string) { return tryReach(ctx, t, a.BeIDURL, "bsre.ams.beid_url") })
		add("portal", "Portal AMS", func(ctx context.Context) (State, string) { return tryReach(ctx, t, a.PortalURL, "bsre.ams.portal_url") })
	}
	if t.SSO != nil {
		add("sso", "SSO", func(ctx context.Context) (State, string) { return trySSO(ctx, t) })
	}
	return trials
}

func tryDatabase(ctx context.Context, c *config.Config) (State, string) {
	if c.Database.URL.IsZero() {
		return tryCluster(ctx)
	}
	conf, err := pgx.ParseConfig(c.Database.URL.Reveal())
	if err != nil {
		return Failed, "alamatnya tidak terbaca; tulis postgres://pengguna:sandi@host/basisdata."
	}
	conn, err := pgx.ConnectConfig(ctx, conf)
	if err != nil {
		return Failed, explain(err, fmt.Sprintf("%s:%d", conf.Host, conf.Port), "database")
	}
	defer conn.Close(context.WithoutCancel(ctx))
	var version string
	var number int
	if err := conn.QueryRow(ctx, "SELECT current_setting('server_version'), current_setting('server_version_num')::int").Scan(&version, &number); err != nil {
		return Failed, "tersambung, tetapi tidak menjawab pertanyaan."
	}
	if number < oldestPostgres {
		return Failed, fmt.Sprintf("PostgreSQL %s terlalu lama; diperlukan versi 13 atau lebih baru.", version)
	}
	return OK, fmt.Sprintf("tersambung ke PostgreSQL %s.", version)
}

const oldestPostgres = 130000

// tryCluster starts a private PostgreSQL elsewhere, empty, and throws it away: making the real one is left to the daemon and its user.
func tryCluster(ctx context.Context) (State, string) {
	dir, err := os.MkdirTemp("", "pulih-check-")
	if err != nil {
		return Failed, "direktori sementara tidak dapat dibuat; periksa ruang dan hak tulis di " + os.TempDir() + "."
	}
	defer os.RemoveAll(dir)
	cluster, err := store.StartThrowawayCluster(ctx, dir)
	if err != nil {
		return Failed, "PostgreSQL tidak dapat dijalankan di komputer ini (" + brief(err) + "); pasang paket postgresql atau isi database.url_file."
	}
	if err := cluster.Stop(); err != nil {
		return Warning, "PostgreSQL dapat dijalankan, tetapi tidak berhenti dengan baik."
	}
	return OK, "PostgreSQL milik sendiri dapat dijalankan di komputer ini."
}

// tryState looks whether the directory can be written, or made, without making it.
func tryState(dir string) (State, string) {
	at := dir
	for {
		info, err := os.Stat(at)
		switch {
		case err == nil && !info.IsDir():
			return Failed, at + " bukan direktori."
		case err == nil && unix.Access(at, unix.W_OK|unix.X_OK) != nil:
			return Failed, at + " tidak dapat ditulisi; beri hak tulis kepada pengguna yang menjalankan pulih."
		case err == nil && at == dir:
			return OK, dir + " dapat ditulisi."
		case err == nil:
			return OK, dir + " belum ada dan akan dibuat pada awal pertama."
		case !errors.Is(err, os.ErrNotExist) || filepath.Dir(at) == at:
			return Failed, dir + " tidak dapat dibuka; periksa hak aksesnya."
		}
		at = filepath.Dir(at)
	}
}

func tryKeys(path string) (State, string) {
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
		return OK, "belum ada; akan dibuat pada awal pertama. Simpan salinannya di tempat lain."
	}
	if _, err := store.OpenKeys(path); err != nil {
		return Failed, "berkas " + path + " tidak terbaca (" + brief(err) + "); tanpa berkas ini isi basis data tidak dapat dibuka."
	}
	return OK, "terbaca. Simpan salinannya di tempat lain."
}

// tryRoots counts the certificates that vouch for the signers of PDFs.
func tryRoots(folder string) (State, string) {
	if folder == "" {
		return OK, "belum ada (signature_roots); tanda tangan elektronik diperiksa keutuhannya, tanpa penerbit yang dipercaya."
	}
	roots, err := letter.RootsIn(folder)
	switch {
	case err != nil:
		return Failed, "folder " + folder + " tidak terbaca (" + brief(err) + ")."
	case len(roots) == 0:
		return Warning, "folder " + folder + " tidak memuat sertifikat (PEM atau DER)."
	}
	return OK, fmt.Sprintf("%d sertifikat akar.", len(roots))
}

// tryPrograms looks for the child processes that open strangers' files.
func tryPrograms(ctx context.Context) (State, string) {
	for program, packet := range map[string]string{"pdftotext": "poppler-utils", "tesseract": "tesseract-ocr"} {
		if _, err := exec.LookPath(program); err != nil {
			return Failed, fmt.Sprintf("program %s tidak ada; pasang paket %s.", program, packet)
		}
	}
	languages, err := exec.CommandContext(ctx, "tesseract", "--list-langs").CombinedOutput()
	if err != nil || !strings.Contains("\n"+string(languages)+"\n", "\nind\n") {
		return Failed, "tesseract belum mengenal bahasa Indonesia; pasang paket tesseract-ocr-ind."
	}
	if letter.ChildIsolation() != letter.IsolationFull {
		return Warning, "pdftotext dan tesseract tersedia, tetapi kernel ini tidak dapat mengurung pembaca berkas sepenuhnya (seccomp, Landlock)."
	}
	return OK, "pdftotext dan tesseract (bahasa Indonesia) tersedia; pembaca berkas terkurung tanpa jaringan dan tanpa berkas lain."
}

// calendarNotice: before a year without holidays the operator has two months to get the file (issue: health turns red 60 days ahead).
const calendarNotice = 60 * 24 * time.Hour

func tryCalendar(t *config.Tenant, now time.Time) (State, string) {
	end := t.Agency.Calendar.EndsAt(now)
	switch last := end.AddDate(0, 0, -1); {
	case !end.After(now):
		return Failed, fmt.Sprintf("hari libur tahun %d belum ada; isi closed_days.", now.In(t.Agency.Zone).Year())
	case end.Sub(now) < calendarNotice:
		return Warning, fmt.Sprintf("hari libur hanya ada sampai %s; siapkan berkas tahun berikutnya di closed_days.", mailflow.NoticeDate(last))
	default:
		return OK, fmt.Sprintf("jam kerja dan hari libur ada sampai %s.", mailflow.NoticeDate(last))
	}
}

func trySrikandi(ctx context.Context, t *config.Tenant, now time.Time) (State, string) {
	s := t.Srikandi
	gateway, err := Gateway(t, func() time.Time { return now })
	if err != nil {
		return Failed, "folder " + s.Folder + " tidak dapat dibuka; periksa srikandi.folder dan hak aksesnya."
	}
	if c, ok := gateway.(interface{ Close() }); ok {
		defer c.Close()
	}
	if c, ok := gateway.(io.Closer); ok {
		defer c.Close()
	}
	page, err := gateway.List(ctx, srikandi.Query{UpdatedSince: now.AddDate(0, 0, -7), Limit: 1})
	switch {
	case errors.Is(err, srikandi.ErrSignIn):
		return Failed, "server menolak masuk; periksa srikandi.client_id dan client_secret. Jangan dicoba berulang-ulang: akun dapat dibatasi."
	case errors.Is(err, srikandi.ErrAnswer):
		return Failed, "tersambung, tetapi jawabannya bukan jawaban Srikandi; periksa srikandi.url."
	case err != nil:
		return Failed, explain(err, address(s.URL), "srikandi.url")
	case s.Source == "folder":
		return OK, "folder " + s.Folder + " terbaca."
	case len(page.Bad) > 0:
		return Warning, "masuk berhasil, tetapi ada naskah yang tidak lengkap; pulih akan menyimpannya untuk diperiksa."
	case !page.ServerTime.IsZero() && page.ServerTime.Sub(now).Abs() > s.Overlap && s.Overlap > 0:
		return Warning, fmt.Sprintf("masuk berhasil, tetapi jam server berbeda %s; perbesar srikandi.overlap.", mailflow.NoticeSpan(page.ServerTime.Sub(now).Abs()))
	}
	return OK, "masuk berhasil, daftar naskah terbaca."
}

func tryInbox(ctx context.Context, t *config.Tenant) (State, string) {
	m, err := Mailbox(t)
	if err != nil {
		return Failed, brief(err)
	}
	at := fmt.Sprintf("%s:%d", m.Host, m.Port)
	messages, err := m.Probe(ctx)
	switch {
	case errors.Is(err, mailflow.ErrRefused):
		return Failed, "server " + at + " menolak masuk; periksa inbox.user dan kata sandi atau tokennya."
	case errors.Is(err, mailflow.ErrFolder):
		return Failed, "masuk berhasil, tetapi folder " + t.Inbox.Folder + " tidak dapat dibuka; periksa inbox.folder."
	case err != nil:
		return Failed, explain(err, at, "inbox.host, inbox.port dan inbox.tls")
	}
	words := fmt.Sprintf("masuk berhasil, %d pesan di %s.", messages, t.Inbox.Folder)
	if messages > manyMessages && t.Inbox.Since.IsZero() {
		return Warning, words + " Tanpa inbox.since, yang lama pun dibaca pada awal pertama dan dapat menjadi permohonan; sebut hari mulainya."
	}
	return OK, words
}

// manyMessages are more than a new mailbox has: most of them were answered long ago.
const manyMessages = 200

func tryTemplates(folder string) (State, string) {
	if err := mailflow.TemplateCheck(os.DirFS(folder)); err != nil {
		return Failed, "berkas di " + folder + " tidak dapat dipakai, naskah bawaan dipakai sebagai gantinya: " + strings.ReplaceAll(err.Error(), "\n", "; ")
	}
	return OK, "naskah di " + folder + " dapat dipakai."
}

func tryOutbox(ctx context.Context, t *config.Tenant) (State, string) {
	a := Account(t)
	at := fmt.Sprintf("%s:%d", a.Host, a.Port)
	switch err := a.Probe(ctx); {
	case errors.Is(err, mailflow.ErrRefused):
		return Failed, "server " + at + " menolak masuk; periksa outbox.user dan kata sandi atau tokennya."
	case err != nil:
		return Failed, explain(err, at, "outbox.host, outbox.port dan outbox.tls")
	case a.User == "":
		return OK, "server " + at + " menerima sambungan tanpa masuk."
	}
	return OK, "masuk ke " + at + " berhasil."
}

// tryESign asks for the status of the agency's own address, or of no NIK at all: any readable answer shows that the account is accepted.
func tryESign(ctx context.Context, t *config.Tenant) (State, string) {
	e := t.BSrE.ESign
	if err := reach(ctx, e.URL, t.RootCAs); err != nil {
		return Failed, explain(err, address(e.URL), "bsre.esign.url")
	}
	client, err := ESign(t)
	if err != nil {
		return Failed, brief(err)
	}
	_, err = client.Status(ctx, bsre.Identity{NIK: noNIK(e.Version), Email: t.Outbox.From})
	switch {
	case errors.Is(err, bsre.ErrCredentials):
		return Failed, "server menolak akun; periksa bsre.esign.user dan kata sandinya."
	case err != nil:
		return Failed, "tersambung, tetapi jawabannya tidak terbaca; periksa bsre.esign.url dan bsre.esign.version."
	}
	return OK, "menjawab pertanyaan status."
}

func noNIK(version string) string {
	if version == "v1" { // it can't ask by address
		return "0000000000000000"
	}
	return ""
}

// trySSO reads the provider's own description (OpenID Connect Discovery 1.0).
func trySSO(ctx context.Context, t *config.Tenant) (State, string) {
	if err := reach(ctx, t.SSO.Issuer, t.RootCAs); err != nil {
		return Failed, explain(err, address(t.SSO.Issuer), "sso.issuer")
	}
	if _, err := oidc.NewProvider(oidc.ClientContext(ctx, HTTPClient(t)), t.SSO.Issuer); err != nil {
		return Failed, "dapat dihubungi, tetapi bukan layanan OpenID Connect di alamat itu; periksa sso.issuer, sampai garis miring terakhirnya."
	}
	return OK, "mengenalkan diri sebagai layanan masuk."
}

// tryReach looks whether a web server answers at all, without signing in.
func tryReach(ctx context.Context, t *config.Tenant, url, key string) (State, string) {
	if err := reach(ctx, url, t.RootCAs); err != nil {
		return Failed, explain(err, address(url), key)
	}
	return OK, "dapat dihubungi (tanpa masuk)."
}
