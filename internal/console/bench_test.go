package console_test

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"testing"
	"time"

	"pulih/internal/request"
)

// BenchmarkDesk measures the pages over 100,000 requests of three years, a tenth of them open, on a real PostgreSQL. `make bench-desk` runs it.
func BenchmarkDesk(b *testing.B) {
	const open, ended = 10_000, 90_000
	d := newDesk(b)
	number := d.request("purbalingga", "dindikbud", wahyu)
	d.atVerifier("purbalingga", number)
	for range 60 { // what the first page shows has its events, as in life
		d.atVerifier("purbalingga", d.request("purbalingga", "dinkes", fajar))
	}
	d.copies(number, open-1)
	d.endedCopies(number, ended)
	if _, err := d.store.Pool.Exec(b.Context(), `VACUUM ANALYZE`); err != nil {
		b.Fatal(err)
	}
	rini, surya := d.as("purbalingga", "rini"), d.as("purbalingga", "surya")
	pages := []struct {
		name, path string
		who        *person
	}{
		{"queue", "/purbalingga", rini}, {"queue_mine", "/purbalingga?saring=saya", rini}, {"queue_near", "/purbalingga?saring=hampir", rini},
		{"queue_page_40", "/purbalingga?hal=40", rini}, {"ended", "/purbalingga?saring=selesai", rini},
		{"search_name", "/purbalingga?cari=contoh+4711", rini}, {"search_office", "/purbalingga?cari=pendidikan", rini}, {"search_nothing", "/purbalingga?cari=tidak+akan+ada", rini},
		{"search_nip", "/purbalingga?cari=" + wahyu, rini}, {"request", "/purbalingga/permohonan/" + number, rini}, {"letters", "/purbalingga/surat", rini},
		{"complaints", "/purbalingga/pengaduan", rini}, {"offices", "/purbalingga/kantor", rini}, {"system", "/purbalingga/sistem", rini},
		{"news", "/purbalingga/kabar", rini}, {"heads", "/purbalingga/pimpinan", surya},
	}
	for b.Loop() {
		fmt.Printf("%d requests of three years, %d of them open; the median of 15\n", open+ended, open)
		for _, p := range pages {
			took, size := median(b, p.who, p.path)
			tell("desk_"+p.name+"_ms", float64(took.Microseconds())/1000, "ms", 100)
			tell("desk_"+p.name+"_kb", float64(size)/1024, "KB", 100)
			if p.name == "queue" { // the peer: what HTTP, sign-in and a page of these bytes cost without any request in it
				took, _ := median(b, rini, "/purbalingga/akun")
				fmt.Printf("figure desk_peer_account_page_ms %.1f ms peer\n", float64(took.Microseconds())/1000)
			}
		}
	}
}

func tell(name string, value float64, unit string, goal float64) {
	verdict := "ok"
	if value > goal {
		verdict = "short"
	}
	fmt.Fprintf(os.Stdout, "figure %s %.1f %s goal <= %g %s\n", name, value, unit, goal, verdict)
}

// median opens a page often enough to tell, and answers the bytes that went over the wire's body.
func median(b *testing.B, who *person, path string) (time.Duration, int) {
	b.Helper()
	var took []time.Duration
	var size int
	for range 15 {
		begun := time.Now()
		res, err := who.client.Get(who.d.url + path)
		if err != nil {
			b.Fatal(err)
		}
		body, err := io.ReadAll(res.Body)
		_ = res.Body.Close()
		if err != nil || res.StatusCode != http.StatusOK {
			b.Fatalf("%s: %d, %v", path, res.StatusCode, err)
		}
		took, size = append(took, time.Since(begun)), len(body)
	}
	slices.Sort(took)
	return took[len(took)/2], size
}

// endedCopies makes ended requests of the years before like a given one, with the measures that reports count.
func (d *desk) endedCopies(number string, n int) {
	d.t.Helper()
	for _, sql := range []string{
		`INSERT INTO requests (number, agency, version, status, sop, step, holder, holder_ids, since, applicant, applicant_fold, nip_key, office_id, office, letter_number, number_fold,
			letter_subject, channels, dangers, warnings, opened_at, closed_at, reset_at, due_at, remind_at, calendar)
		SELECT 'PBG-2025-' || 100000 + n, agency, version, '` + string(request.StatusClosed) + `', sop, '', '', '{}', since, 'Pemohon Lama ' || n, applicant_fold, NULL, office_id,
			office, '800/' || n, '', letter_subject, channels, 0, 0, opened_at - n * interval '17 minutes', opened_at - n * interval '17 minutes' + interval '2 hours', NULL, NULL, NULL, calendar
		FROM requests, generate_series(1, $2) n WHERE number = $1`,
		`INSERT INTO measures (number, agency, office_id, opened_at, closed_at, rejected, decided, sop, used)
		SELECT 'PBG-2025-' || 100000 + n, agency, office_id, opened_at - n * interval '17 minutes', opened_at - n * interval '17 minutes' + interval '2 hours', false, 'rini', sop, used
		FROM measures, generate_series(1, $2) n WHERE number = $1`,
	} {
		if _, err := d.store.Pool.Exec(d.t.Context(), sql, number, n); err != nil {
			d.t.Fatal(err)
		}
	}
}
