package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"pulih/internal/agency"
	"pulih/internal/config"
	"pulih/internal/demo"
	"pulih/internal/store"
	"pulih/migrations"
)

// ConfigFlag is the one flag that every command with a database has.
type ConfigFlag struct {
	Config string `short:"c" default:"pulih.yaml" type:"path" env:"PULIH_CONFIG" help:"Configuration file."`
}

// opened is a configuration with its database at hand.
type opened struct {
	cfg     *config.Config
	store   *store.Store
	cluster *store.Cluster // nil: the database is not ours
	demo    *demo.World    // nil but in the demo
}

// open reads the configuration, starts the private cluster where no database is configured, migrates, and connects. When the daemon has the
// cluster already, a command joins it there.
func (f ConfigFlag) open(ctx context.Context) (*opened, error) {
	cfg, err := config.Load(f.Config)
	if err != nil {
		return nil, err
	}
	return openConfig(ctx, cfg)
}

func openConfig(ctx context.Context, cfg *config.Config) (*opened, error) {
	keys, err := store.OpenKeys(cfg.Keys.File)
	if err != nil {
		return nil, err
	}
	o := &opened{cfg: cfg}
	url := cfg.Database.URL.Reveal()
	if url == "" {
		if url, err = o.startCluster(ctx); err != nil {
			return nil, err
		}
	}
	if err := migrate(ctx, url); err != nil {
		return nil, errors.Join(err, o.stopCluster())
	}
	if o.store, err = store.Open(ctx, url, keys); err != nil {
		return nil, errors.Join(err, o.stopCluster())
	}
	for _, a := range cfg.Agencies() {
		if err := o.store.KeepSOP(ctx, a, time.Now()); err != nil {
			return nil, errors.Join(err, o.close())
		}
	}
	return o, nil
}

func (o *opened) startCluster(ctx context.Context) (url string, err error) {
	note := filepath.Join(o.cfg.State, "database-url")
	o.cluster, err = store.StartCluster(ctx, filepath.Join(o.cfg.State, "postgres"))
	if errors.Is(err, store.ErrClusterInUse) {
		known, readErr := os.ReadFile(note)
		if readErr != nil {
			return "", err
		}
		return strings.TrimSpace(string(known)), nil
	}
	if err != nil {
		return "", err
	}
	url = o.cluster.URL()
	if err := os.WriteFile(note, []byte(url+"\n"), 0o600); err != nil {
		return "", errors.Join(fmt.Errorf("noting the cluster's address: %w", err), o.stopCluster())
	}
	return url, nil
}

// agency is the agency of that key, with its directory as it stands now.
func (o *opened) agency(ctx context.Context, key string) (*agency.Agency, error) {
	a, ok := o.cfg.Agency(key)
	if !ok {
		return nil, fmt.Errorf("--agency: %q tidak ada dalam konfigurasi", key)
	}
	return o.store.Directory(ctx, a)
}

// byNumber is the agency of a request or complaint: its prefix tells.
func (o *opened) byNumber(ctx context.Context, number string) (*agency.Agency, error) {
	prefix, _, _ := strings.Cut(number, "-")
	for _, a := range o.cfg.Agencies() {
		if a.Prefix == prefix {
			return o.store.Directory(ctx, a)
		}
	}
	return nil, fmt.Errorf("nomor %s bukan milik instansi mana pun dalam konfigurasi", number)
}

func (o *opened) stopCluster() error {
	if o.cluster == nil {
		return nil
	}
	return o.cluster.Stop()
}

// with does something with an opened installation.
func (f ConfigFlag) with(ctx context.Context, do func(*opened) error) error {
	o, err := f.open(ctx)
	if err != nil {
		return err
	}
	return errors.Join(do(o), o.close())
}

func (o *opened) close() error {
	o.store.Close()
	return o.stopCluster()
}

func migrate(ctx context.Context, url string) error {
	pool, err := pgxpool.New(ctx, url)
	if err != nil {
		return errors.New("the database URL can't be read")
	}
	defer pool.Close()
	return migrations.Apply(ctx, pool)
}

// logger writes what the configuration asks for to standard error.
func logger(cfg *config.Config) *slog.Logger {
	var level slog.Level
	_ = level.UnmarshalText([]byte(cfg.Log.Level)) // the configuration has checked it
	opts := &slog.HandlerOptions{Level: level}
	if cfg.Log.Format == "json" {
		return slog.New(slog.NewJSONHandler(os.Stderr, opts))
	}
	return slog.New(slog.NewTextHandler(os.Stderr, opts))
}
