// Command pulih runs the passphrase reset service of a local government; see README.md.
package main

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"

	"pulih/internal/letter"
)

var cli struct {
	Serve      ServeCmd      `cmd:"" help:"Run the daemon."`
	Demo       DemoCmd       `cmd:"" help:"Run the whole service with simulated partners and invented people."`
	Approve    ApproveCmd    `cmd:"" help:"Approve a reset."`
	Return     ReturnCmd     `cmd:"" help:"Give a request back to its office for what is missing."`
	Reject     RejectCmd     `cmd:"" help:"End a request without a reset."`
	Explain    ExplainCmd    `cmd:"" help:"Record why a request took longer than promised."`
	Complaint  ComplaintCmd  `cmd:"" help:"Work with complaints about the service."`
	Digest     DigestCmd     `cmd:"" help:"Compute the digest of a period; show, write or mail it."`
	Pack       PackCmd       `cmd:"" help:"Write the monthly evaluation pack: PDF and XLSX."`
	Simulate   SimulateCmd   `cmd:"" help:"Play an office on a fast clock: are three verifiers enough?"`
	Rebuild    RebuildCmd    `cmd:"" help:"Check the chain of events and compute the projection again."`
	Quarantine QuarantineCmd `cmd:"" help:"Work with letters that could not be read."`
	StopResets StopResetsCmd `cmd:"" help:"Hold all resets of an agency at once."`
	Reconcile  ReconcileCmd  `cmd:"" help:"Compare what Srikandi has with what was read."`
	Doubts     DoubtsCmd     `cmd:"" help:"Settle letters that may be a request that is there already."`
	Sources    SourcesCmd    `cmd:"" help:"Look after the sources of letters."`

	Invite InviteCmd `cmd:"" help:"Print a link with which a member of the staff signs in for the first time."`

	Clock   ClockCmd   `cmd:"" help:"Compute a deadline on an agency's calendar."`
	Inspect InspectCmd `cmd:"" help:"Read letters (.eml, .pdf, ...) and show what was found; needs no service."`
	Check   CheckCmd   `cmd:"" help:"Validate the configuration and try every connection."`
	Mail    MailCmd    `cmd:"" help:"Work with the mail templates."`
}

func main() {
	letter.ChildMain()
	noCoreDumps()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	k := kong.Parse(&cli,
		kong.Name("pulih"),
		kong.Description("Layanan reset passphrase sertifikat elektronik."),
		kong.ShortUsageOnError(),
		kong.Exit(func(code int) {
			if code == 80 { // kong's own for a command line that it can't read
				code = wrongUse
			}
			os.Exit(code)
		}),
		kong.BindTo(ctx, (*context.Context)(nil)),
	)
	err := k.Run()
	stop()
	if err != nil {
		k.Errorf("%s", err)
		code := 1
		if _, ok := errors.AsType[mistake](err); ok {
			code = wrongUse
		}
		os.Exit(code)
	}
}

// wrongUse is the exit code for a command line that says something impossible.
const wrongUse = 2

// mistake is an error of what the command line says.
type mistake struct{ error }
