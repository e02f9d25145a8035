package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"pulih/internal/config"
	"pulih/internal/config/accounts"
	"pulih/internal/console"
	"pulih/internal/letter"
	"pulih/mailflow"
	"pulih/scheduler"
)

// handler puts the health pages beside the console.
func handler(o *opened, d *scheduler.Daemon, opts scheduler.Options) (http.Handler, error) {
	desk := console.Options{Store: o.store, Agencies: o.cfg.Agencies(), PublicURL: o.cfg.PublicURL, Now: opts.Now, Log: opts.Log, AMS: d.AMS, Guide: d.Guide,
		Reader: letter.NewReader(letter.Options{}), Report: d.Report, OIDC: map[string]console.OIDC{}, Sentences: func(ctx context.Context) []string { return d.Health(ctx).Sentences }}
	for _, t := range o.cfg.Tenants {
		if t.SSO != nil {
			desk.OIDC[t.Key] = console.OIDC{Issuer: t.SSO.Issuer, ClientID: t.SSO.ClientID, ClientSecret: t.SSO.ClientSecret.Reveal(), Name: t.SSO.Name,
				Strong: t.SSO.Strong, Client: accounts.HTTPClient(&t)}
		}
	}
	desk.Pack = func(ctx context.Context, key string, from, until time.Time) ([]mailflow.Attached, error) {
		pack, err := d.Pack(ctx, key, from, until)
		if err != nil {
			return nil, err
		}
		return scheduler.PackFiles(pack)
	}
	desk.Check = func(ctx context.Context, key string) []accounts.Finding {
		one := *o.cfg
		one.Tenants = slices.DeleteFunc(slices.Clone(one.Tenants), func(t config.Tenant) bool { return t.Key != key })
		return accounts.Try(ctx, &one, opts.Now())
	}
	if o.demo != nil {
		desk.Demo, desk.DemoAMS = true, func(_, person string) (user, password, otp string) { return o.demo.Account(person) }
	}
	pages, err := console.New(desk)
	if err != nil {
		return nil, fmt.Errorf("preparing the pages: %w", err)
	}
	mux := http.NewServeMux()
	mux.Handle("/", pages)
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = w.Write([]byte("ok\n"))
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), 3*time.Second)
		defer cancel()
		report := d.Health(ctx)
		w.Header().Set("Content-Type", "application/json")
		if !report.Ready {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		_ = json.NewEncoder(w).Encode(report)
	})
	mux.Handle("GET /metrics", promhttp.HandlerFor(d.Metrics(), promhttp.HandlerOpts{}))
	return mux, nil
}
