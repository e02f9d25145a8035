package accounts

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"

	"github.com/jackc/pgx/v5/pgconn"
)

// reach makes one GET of a base URL, without signing in and without following what it says: any HTTP answer will do. No proxy: BSrE's
// clients use none.
func reach(ctx context.Context, base string, roots *x509.CertPool) error {
	client := &http.Client{
		Transport:     &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}, DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, base, nil)
	if err != nil {
		return err
	}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	return resp.Body.Close()
}

// address is the host:port of a base URL.
func address(base string) string {
	u, err := url.Parse(base)
	if err != nil {
		return base
	}
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	return net.JoinHostPort(u.Hostname(), port)
}

// explain says why a server couldn't be reached, and which keys to look at.
func explain(err error, at, keys string) string {
	var (
		dns     *net.DNSError
		unknown x509.UnknownAuthorityError
		name    x509.HostnameError
		invalid x509.CertificateInvalidError
		record  tls.RecordHeaderError
		denied  *pgconn.PgError
		slow    interface{ Timeout() bool }
	)
	switch {
	case errors.As(err, &denied):
		return "server " + at + " menolak (" + brief(errors.New(denied.Message)) + "); periksa " + keys + "."
	case errors.As(err, &dns) && dns.IsNotFound:
		return "nama host " + dns.Name + " tidak ditemukan; periksa " + keys + "."
	case errors.As(err, &unknown):
		return "sertifikat TLS " + at + " tidak dikenal; bila penerbitnya milik instansi sendiri, sebut berkasnya di ca_file."
	case errors.As(err, &name):
		return "sertifikat TLS " + at + " bukan untuk nama host itu; periksa " + keys + "."
	case errors.As(err, &invalid):
		return "sertifikat TLS " + at + " tidak berlaku, mungkin sudah kedaluwarsa; hubungi pengelola server itu."
	case errors.As(err, &record):
		return "alamat " + at + " tidak memakai TLS; periksa " + keys + "."
	case errors.Is(err, syscall.ECONNREFUSED):
		return "alamat " + at + " menolak sambungan; periksa " + keys + ", dan apakah servernya berjalan."
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &slow) && slow.Timeout():
		return "alamat " + at + " tidak menjawab; periksa " + keys + ", jaringan dan firewall."
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, net.ErrClosed):
		return "alamat " + at + " memutus sambungan; periksa " + keys + "."
	}
	return "alamat " + at + " tidak dapat dihubungi (" + brief(err) + "); periksa " + keys + "."
}

// brief makes an error's text fit for a sentence: one line, at most 160 characters.
func brief(err error) string {
	words := []rune(strings.Join(strings.Fields(err.Error()), " "))
	if len(words) > 160 {
		words = append(words[:159], '…')
	}
	return string(words)
}
