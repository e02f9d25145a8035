package scheduler

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"pulih/internal/demo/bsresim"
	"pulih/internal/request"
)

// Passwords, one-time codes, tokens and identity numbers are in no log, not even at debug level, in no job's arguments, and in no column of
// the database in clear: every value of every table is looked through.
func TestSecretsStayInsideTheReset(t *testing.T) {
	t.Parallel()
	p := openPortal(t, bsresim.Options{})
	var log bytes.Buffer
	p.log = slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	code := p.sim.Code("rini")
	p.signIn("rini")
	secrets := []string{amsPassword, code}
	keepTokens := func() {
		plain, ok, err := p.store.Session(t.Context(), p.Key, "rini", p.now())
		if err != nil || !ok {
			t.Fatal(err)
		}
		var tokens map[string]any
		if err := json.Unmarshal(plain, &tokens); err != nil {
			t.Fatal(err)
		}
		secrets = append(secrets, tokens["a"].(string), tokens["r"].(string))
	}
	keepTokens()
	for _, email := range []string{headEmail, "wahyu.nugroho@purbalinggakab.go.id"} {
		u, _ := p.sim.UserByEmail(email)
		secrets = append(secrets, u.NIK, u.NIP, u.UID, u.Certificates[0].Serial)
	}
	// Every way goes wrong once: what is logged then is the trap.
	p.sim.Script(bsresim.CallReset, bsresim.DropAfter, bsresim.Unauthorized)
	p.sim.Script(bsresim.CallFind, bsresim.ErrorBefore, bsresim.HTMLBefore, bsresim.Unauthorized)
	p.sim.Script(bsresim.CallDetails, bsresim.DropBefore, bsresim.CutBody)
	first, second := p.approved(head, "rini"), p.approved(wahyu, "rini")
	for range 8 {
		p.run()
		p.pass(16 * time.Minute)
		p.look(first)
	}
	keepTokens() // refreshed meanwhile
	p.expect(first, request.StatusUncertain)
	p.expect(second, request.StatusRefused)
	p.approve(second, "rini")
	p.run()
	p.expect(second, request.StatusLink)

	search := func(where, text string) {
		for i, s := range secrets {
			if strings.Contains(text, s) {
				t.Errorf("%s holds secret %d (%s...)", where, i, s[:4])
			}
		}
	}
	if log.Len() == 0 {
		t.Error("nothing was logged: the test proves nothing")
	}
	search("the log", log.String())
	everyValue(t, p.store.Pool.Config().ConnString(), search)
}

// everyValue goes through all tables, River's too, as a person with a database client would.
func everyValue(t *testing.T, url string, search func(where, text string)) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(t.Context()))
	rows, err := conn.Query(t.Context(), `SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' AND table_type = 'BASE TABLE'`)
	if err != nil {
		t.Fatal(err)
	}
	tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil || len(tables) < 20 {
		t.Fatalf("%d tables, %v", len(tables), err)
	}
	for _, table := range tables {
		rows, err := conn.Query(t.Context(), `SELECT * FROM `+pgx.Identifier{table}.Sanitize())
		if err != nil {
			t.Fatal(err)
		}
		for rows.Next() {
			values, err := rows.Values()
			if err != nil {
				t.Fatal(err)
			}
			for i, v := range values {
				text := fmt.Sprint(v)
				if raw, ok := v.([]byte); ok {
					text = string(raw)
				}
				search("the database, "+table+"."+rows.FieldDescriptions()[i].Name, text)
			}
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
	}
}
