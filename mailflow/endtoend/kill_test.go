package endtoend

import (
	"fmt"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"pulih/internal/demo/mailsim"
	"pulih/mailflow/mailtest"
)

// booked is how many mails a kill may leave in doubt: the one that was on its way.
const booked = 1

// TestKilledAtRandom kills the daemon at random moments while mail comes in and goes out. Afterwards every message has one row, and the
// server has every mail once; those whose fate a kill left open are marked, counted and named (invariants 1, 5 and 6).
func TestKilledAtRandom(t *testing.T) {
	incoming, kills := 120, 8
	if os.Getenv("PULIH_SOAK") == "1" {
		incoming, kills = 2000, 100
	}
	dovecot := mailtest.StartDovecot(t, user)
	sim, err := mailsim.Start(mailsim.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer sim.Close()
	// The server takes its time with each answer, so that kills hit mails on their way.
	sim.Fail(func(string, string) *mailsim.Fault {
		free := make(chan struct{})
		time.AfterFunc(40*time.Millisecond, func() { close(free) })
		return &mailsim.Fault{At: mailsim.AfterTaken, Stall: free}
	})
	d := start(t, dovecot.Addr, sim.SMTP)

	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	dropped := 0
	for k := range kills {
		for ; dropped < incoming*(k+1)/kills; dropped++ {
			// Every other one is a request, with a mail each to the office, the applicant and the verifier.
			raw := mailtest.Message(dropped, 2000, time.Now())
			if dropped%2 == 0 {
				raw = request(dropped / 2)
			}
			dovecot.Drop(user, fmt.Sprintf("%d.surat", dropped), raw)
		}
		select {
		case err := <-d.done:
			t.Fatalf("the daemon ended by itself: %v\n%s", err, d.log())
		case <-time.After(time.Duration(200+random.IntN(1500)) * time.Millisecond):
		}
		d.kill()
		d.launch()
	}
	last := time.Now()
	d.await(t, 4*time.Minute, incoming)
	t.Logf("all done %v after the last kill", time.Since(last).Round(time.Millisecond))

	count := func(query string) (n int) {
		t.Helper()
		if err := d.pool.QueryRow(t.Context(), query).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	if n := count(`SELECT count(*) FROM letters`); n != incoming {
		t.Errorf("%d rows for %d messages", n, incoming)
	}
	if n := count(`SELECT count(DISTINCT source) FROM letters`); n != incoming {
		t.Errorf("%d different messages have a row, of %d", n, incoming)
	}
	copies := map[string]int{}
	for _, m := range sim.Journal() {
		copies[m.MessageID]++
	}
	rows, err := d.pool.Query(t.Context(), `SELECT id, coalesce(message_id, ''), state, resent FROM outbox ORDER BY id`)
	if err != nil {
		t.Fatal(err)
	}
	outgoing, uncertain, once := 0, 0, 0
	for rows.Next() {
		var id int64
		var messageID, state string
		var resent bool // it was uncertain, and was sent once more: marked, and the only way to arrive twice (invariant 5)
		if err := rows.Scan(&id, &messageID, &state, &resent); err != nil {
			t.Fatal(err)
		}
		outgoing++
		n := copies[messageID]
		delete(copies, messageID)
		switch {
		case resent && n <= 2:
			uncertain++
			t.Logf("mail %d was sent once more; the server has %d of it", id, n)
		case state == "sent" && n == 1:
			once++
		case state == "cancelled" && n == 0:
		case state == "uncertain" && n <= 1:
			uncertain++
			t.Logf("mail %d is uncertain; the server has %d of it", id, n)
		default:
			t.Errorf("mail %d is %s, and the server has %d of it", id, state, n)
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	for id, n := range copies {
		t.Errorf("the server has %d of a mail that no row knows: %s", n, id)
	}
	if once+uncertain < incoming {
		t.Errorf("only %d mails went out for %d messages", once+uncertain, incoming)
	}
	if most := kills * booked; uncertain > most {
		t.Errorf("%d mails are uncertain after %d kills, at most %d may be", uncertain, kills, most)
	}
	t.Logf("%d messages, %d mails, %d of them sent once, %d kills, %d uncertain", incoming, outgoing, once, kills, uncertain)
}

// await returns when nothing is left to do.
func (d *running) await(t *testing.T, within time.Duration, letters int) {
	t.Helper()
	for deadline := time.Now().Add(within); ; {
		var read, waiting int
		err := d.pool.QueryRow(t.Context(), `SELECT (SELECT count(*) FROM letters WHERE state = 'read'),
			(SELECT count(*) FROM outbox WHERE state IN ('waiting', 'sending'))`).Scan(&read, &waiting)
		if err != nil {
			t.Fatal(err)
		}
		if read >= letters && waiting == 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("after %v %d of %d letters are read, %d mails wait\n%s", within, read, letters, waiting, d.log())
		}
		select {
		case err := <-d.done:
			t.Fatalf("the daemon ended by itself: %v\n%s", err, d.log())
		case <-time.After(50 * time.Millisecond):
		}
	}
}
