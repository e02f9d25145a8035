package srikandi

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Attachment implements Gateway.
func (c *Client) Attachment(ctx context.Context, naskahID string, want Lampiran, w io.Writer, limit int64) error {
	doing := "downloading attachment " + want.ID + " of letter " + naskahID
	if want.Size > limit {
		return fmt.Errorf("%s: %w", doing, ErrTooLarge)
	}
	rq := call{method: http.MethodGet, path: []string{"v1", "naskah-masuk", naskahID, "lampiran", want.ID}}
	err := c.guarded(ctx, c.cfg.AttachmentTimeout, func(ctx context.Context) error {
		return c.withToken(ctx, func(token string) error {
			// A short-lived URL may run out before it is used: it is asked for again (contract, "Reading").
			err := errExpired
			for ask := 0; ask < 3 && errors.Is(err, errExpired); ask++ {
				err = c.download(ctx, rq, token, want, w, limit)
			}
			if errors.Is(err, errExpired) {
				return &Temporary{Err: err}
			}
			return err
		})
	})
	return wrap(c.surelyGone(ctx, err), doing)
}

var errExpired = errors.New("srikandi: a download URL was refused three times")

// download asks the gateway for the bytes, or for the place where they are.
func (c *Client) download(ctx context.Context, rq call, token string, want Lampiran, w io.Writer, limit int64) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	resp, err := c.send(ctx, rq, token)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	elsewhere := false
	for hops := 0; isRedirect(resp.StatusCode); hops++ {
		if hops == 3 {
			return unreadable("an attachment: too many redirects")
		}
		elsewhere = true
		if resp, err = c.follow(ctx, resp); err != nil {
			return err
		}
		defer resp.Body.Close()
	}
	switch {
	case resp.StatusCode == http.StatusOK:
		return c.save(cancel, resp, want, w, limit)
	case elsewhere && (resp.StatusCode == http.StatusForbidden || resp.StatusCode == http.StatusUnauthorized ||
		resp.StatusCode == http.StatusNotFound || resp.StatusCode == http.StatusGone):
		// Storage services say 403 for an expired URL, some 401, 404 or 410. It is the URL that is gone, not the letter.
		return errExpired
	}
	body, _ := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	return c.failure(resp, body)
}

func isRedirect(status int) bool {
	switch status {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		return true
	}
	return false
}

// follow goes to a redirect's target without the bearer token.
func (c *Client) follow(ctx context.Context, resp *http.Response) (*http.Response, error) {
	target, err := resp.Location()
	if err != nil || !mayFollow(c.base, target) {
		return nil, unreadable("an attachment: its redirect can't be followed")
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, (&url.URL{
		Scheme: target.Scheme, User: target.User, Host: target.Host, Path: target.Path, RawPath: target.RawPath, RawQuery: target.RawQuery,
	}).String(), nil)
	if err != nil {
		return nil, unreadable("an attachment: its redirect can't be followed")
	}
	req.Header.Set("User-Agent", "pulih")
	next, err := c.http.Do(req)
	if err != nil {
		return nil, broken(err)
	}
	return next, nil
}

// mayFollow: a gateway out in the world can't send the software to this machine's own services, nor to a place without TLS.
func mayFollow(gateway, target *url.URL) bool {
	return target.Host != "" && secure(target, isLoopback(gateway)) && (isLoopback(gateway) || !isLoopback(target))
}

// save streams the body and checks it against what the letter promised.
func (c *Client) save(cancel context.CancelFunc, resp *http.Response, want Lampiran, w io.Writer, limit int64) error {
	if kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type")); kind == "text/html" && !strings.Contains(want.MIME, "html") {
		return unreadable("an attachment: a web page came instead")
	}
	// A download may take long, but silence may not.
	silence := time.AfterFunc(c.cfg.Timeout, cancel)
	defer silence.Stop()
	body := readerFunc(func(p []byte) (int, error) {
		n, err := resp.Body.Read(p)
		silence.Reset(c.cfg.Timeout)
		return n, err
	})
	sum := sha256.New()
	to := &keepError{w: io.MultiWriter(w, sum)}
	n, err := io.Copy(to, io.LimitReader(body, limit+1))
	switch {
	case to.err != nil:
		return fmt.Errorf("writing an attachment: %w", to.err)
	case err != nil:
		return broken(err)
	case n > limit:
		return ErrTooLarge
	}
	return matches(want, n, hex.EncodeToString(sum.Sum(nil)))
}

// matches compares what came with what was promised. No bytes at all are never an attachment, unless that was promised.
func matches(want Lampiran, size int64, sum string) error {
	switch {
	case want.Size > 0 && size != want.Size, want.SHA256 != "" && sum != want.SHA256:
		return &Temporary{Err: ErrMismatch}
	case size == 0 && want.SHA256 == "":
		return unreadable("an attachment: no bytes")
	}
	return nil
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// keepError tells the archive's errors from the network's.
type keepError struct {
	w   io.Writer
	err error
}

func (k *keepError) Write(p []byte) (int, error) {
	n, err := k.w.Write(p)
	k.err = err
	return n, err
}
