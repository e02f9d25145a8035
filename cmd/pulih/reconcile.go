package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"text/tabwriter"
	"time"

	"pulih/internal/config"
	"pulih/internal/config/accounts"
	"pulih/internal/sop"
	"pulih/internal/store"
	"pulih/srikandi"
)

// ReconcileCmd holds what Srikandi has against the archive.
type ReconcileCmd struct {
	ConfigFlag
	Since  string `required:"" placeholder:"YYYY-MM-DD" help:"Compare what was changed on this day or later."`
	Agency string `help:"Key of one agency; all of them without it."`
	Fetch  bool   `help:"Have the daemon read what is missing or newer."`
}

// Run compares. It fails when something is missing and --fetch was not given, so that a script notices.
func (c *ReconcileCmd) Run(ctx context.Context) error { return c.run(ctx, os.Stdout) }

func (c *ReconcileCmd) run(ctx context.Context, out io.Writer) error {
	return c.with(ctx, func(o *opened) error { return c.compare(ctx, o, out, time.Now()) })
}

func (c *ReconcileCmd) compare(ctx context.Context, o *opened, out io.Writer, now time.Time) error {
	var failed error // of one agency; the others are compared all the same
	found, different := false, 0
	for i := range o.cfg.Tenants {
		t := &o.cfg.Tenants[i]
		if t.Srikandi == nil || c.Agency != "" && c.Agency != t.Key {
			continue
		}
		found = true
		since, err := time.ParseInLocation(time.DateOnly, c.Since, t.Agency.Zone)
		if err != nil {
			return fmt.Errorf("tanggal %q tidak terbaca; tulis seperti 2026-11-20", c.Since)
		}
		gaps, err := compare(ctx, o.store, t, since, now)
		if err != nil {
			failed = errors.Join(failed, fmt.Errorf("%s: %w", t.Name, err))
			continue
		}
		different += len(gaps.missing) + len(gaps.stale)
		if err := gaps.print(out, t.Name); err != nil {
			return err
		}
		if c.Fetch {
			ask := append(gaps.missing, gaps.stale...)
			if err := o.store.InTx(ctx, now, func(tx *store.Tx) error { return tx.AskNow(t.Key, ask) }); err != nil {
				return err
			}
			different = 0
		}
	}
	switch {
	case !found:
		return errors.New("tidak ada instansi dengan Srikandi yang cocok dalam konfigurasi")
	case different > 0:
		return errors.Join(failed, fmt.Errorf("%d naskah belum terbaca; jalankan lagi dengan --fetch agar pulih serve mengambilnya", different))
	}
	return failed
}

// gaps are the differences between Srikandi and the archive, as letters' ids there.
type gaps struct {
	seen    int
	missing []string // Srikandi has them, the archive doesn't
	stale   []string // Srikandi has a newer state
	extra   []string // the archive has them, Srikandi doesn't any more
	bad     []string // rows that can't be read; of one without an id, what is wrong with it
}

func compare(ctx context.Context, st *store.Store, t *config.Tenant, since, now time.Time) (gaps, error) {
	var g gaps
	state, err := st.Gateway(ctx, t.Key, nil)
	if err != nil {
		return g, err
	}
	if state.RefusedAt != nil {
		return g, errors.New("Srikandi menolak akun instansi; periksa akun, lalu jalankan pulih sources retry")
	}
	gateway, err := accounts.Gateway(t, func() time.Time { return now })
	if err != nil {
		return g, err
	}
	if c, ok := gateway.(interface{ Close() }); ok {
		defer c.Close()
	}
	rows, bad, err := srikandi.Since(ctx, gateway, since)
	if err != nil {
		return g, err
	}
	g.seen = len(rows)
	ids := make([]string, len(rows))
	there := map[string]bool{}
	for i, n := range rows {
		ids[i], there[n.ID] = n.ID, true
	}
	for _, b := range bad {
		there[b.ID] = true
		if b.ID != "" {
			g.bad = append(g.bad, b.ID)
		} else {
			g.bad = append(g.bad, b.Err.Error())
		}
	}
	have, err := st.ArchivedIDs(ctx, t.Key, ids)
	if err != nil {
		return g, err
	}
	for _, n := range rows {
		switch a, ok := have[n.ID]; {
		case !ok:
			g.missing = append(g.missing, n.ID)
		case a.Gone || !a.ChangedAt.Equal(n.UpdatedAt.UTC().Truncate(time.Microsecond)):
			g.stale = append(g.stale, n.ID)
		}
	}
	archived, err := st.ArchivedSince(ctx, t.Key, since)
	if err != nil {
		return g, err
	}
	for _, a := range archived {
		if !there[a.ID] && !a.Gone {
			g.extra = append(g.extra, a.ID)
		}
	}
	return g, nil
}

func (g gaps) print(out io.Writer, name string) error {
	text := fmt.Sprintf("%s: %d naskah di Srikandi; %d belum ada di pulih, %d lebih baru di Srikandi, %d ada di pulih tetapi tidak lagi di Srikandi.\n",
		name, g.seen, len(g.missing), len(g.stale), len(g.extra))
	for _, part := range []struct {
		what string
		ids  []string
	}{{"belum ada", g.missing}, {"lebih baru", g.stale}, {"tidak lagi di Srikandi", g.extra}, {"baris tidak terbaca", g.bad}} {
		for _, id := range part.ids {
			text += fmt.Sprintf("  %-22s  %s\n", part.what, id)
		}
	}
	_, err := io.WriteString(out, text)
	return err
}

// SourcesCmd looks after the sources of letters.
type SourcesCmd struct {
	Retry SourcesRetryCmd `cmd:"" help:"Let the daemon sign in to Srikandi again after a refusal; check the account first."`
}

// SourcesRetryCmd ends the rest after a refused sign-in.
type SourcesRetryCmd struct {
	ConfigFlag
	Agency string `required:"" help:"Key of the agency."`
}

// Run ends it.
func (c *SourcesRetryCmd) Run(ctx context.Context) error { return c.run(ctx, os.Stdout) }

func (c *SourcesRetryCmd) run(ctx context.Context, out io.Writer) error {
	return c.with(ctx, func(o *opened) error {
		if err := o.store.RetrySignIn(ctx, c.Agency, time.Now()); errors.Is(err, store.ErrNotFound) {
			return fmt.Errorf("Srikandi instansi %q belum pernah dibaca", c.Agency)
		} else if err != nil {
			return err
		}
		_, err := fmt.Fprintln(out, "pulih serve akan mencoba masuk ke Srikandi lagi pada pembacaan berikutnya.")
		return err
	})
}

// DoubtsCmd settles letters that may be a request that is there already.
type DoubtsCmd struct {
	List  DoubtsListCmd  `cmd:"" help:"List the open doubts."`
	Join  DoubtsJoinCmd  `cmd:"" help:"The letter belongs to that request."`
	Apart DoubtsApartCmd `cmd:"" help:"The letter is a request of its own."`
}

// DoubtsListCmd lists.
type DoubtsListCmd struct{ ConfigFlag }

// settling is what join and apart have in common.
type settling struct {
	ConfigFlag
	By    string `required:"" placeholder:"ID" help:"Who decides it, by their id in the configuration."`
	Doubt int64  `arg:""`
}

// DoubtsJoinCmd joins.
type DoubtsJoinCmd struct{ settling }

// DoubtsApartCmd keeps apart.
type DoubtsApartCmd struct{ settling }

// Run lists the open doubts of all agencies.
func (c *DoubtsListCmd) Run(ctx context.Context) error { return c.run(ctx, os.Stdout) }

func (c *DoubtsListCmd) run(ctx context.Context, out io.Writer) error {
	return c.with(ctx, func(o *opened) error {
		w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
		none := true
		for _, a := range o.cfg.Agencies() {
			list, err := o.store.Doubts(ctx, a.Key)
			if err != nil {
				return err
			}
			for _, d := range list {
				none = false
				fmt.Fprintf(w, "%d\t%s\tsurat %d\t%s\t%s\t%s\n", d.ID, d.Agency, d.LetterID, d.Number, o.at(d.Agency, d.AskedAt), d.Why)
			}
		}
		if none {
			fmt.Fprintln(w, "Tidak ada surat yang perlu dibandingkan.")
		}
		return w.Flush()
	})
}

// Run joins.
func (c *DoubtsJoinCmd) Run(ctx context.Context) error { return c.settle(ctx, store.Join, os.Stdout) }

// Run keeps apart.
func (c *DoubtsApartCmd) Run(ctx context.Context) error { return c.settle(ctx, store.Apart, os.Stdout) }

func (c *settling) settle(ctx context.Context, v store.Verdict, out io.Writer) error {
	return c.with(ctx, func(o *opened) error {
		d, err := o.store.Doubt(ctx, c.Doubt)
		if errors.Is(err, store.ErrNotFound) {
			return fmt.Errorf("pertanyaan %d tidak ada", c.Doubt)
		} else if err != nil {
			return err
		}
		a, ok := o.cfg.Agency(d.Agency)
		if !ok {
			return fmt.Errorf("instansi %q tidak ada dalam konfigurasi", d.Agency)
		}
		if p, ok := a.Person(c.By); !ok || !p.Has(sop.Verifier) {
			return fmt.Errorf("%q bukan verifikator %s", c.By, a.Name)
		}
		err = o.store.SettleDoubt(ctx, d.ID, v, c.By, time.Now())
		if errors.Is(err, store.ErrNotFound) {
			return fmt.Errorf("pertanyaan %d sudah dijawab oleh %s", d.ID, d.SettledBy)
		} else if err != nil {
			return err
		}
		what := map[store.Verdict]string{store.Join: "bergabung dengan ", store.Apart: "terpisah dari "}[v] + d.Number
		_, err = fmt.Fprintf(out, "Surat %d dibaca lagi oleh pulih serve: %s.\n", d.LetterID, what)
		return err
	})
}
