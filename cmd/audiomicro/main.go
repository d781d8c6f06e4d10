// Command audiomicro is AudioMicro: a stock-audio marketplace and community that anyone can host. See `audiomicro help`.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"audiomicro/internal/ingest/worker"
)

// version is stamped by the Makefile.
var version = "dev"

// command is one word of the command line. run gets what follows the word.
type command struct {
	words, args, help string
	run               func(ctx context.Context, args []string) error
}

func commands() []command {
	return []command{
		{"serve", "[--data DIR] [--listen ADDR] [--url URL] …", "serve the site", serve},
		{"migrate", "", "bring the database up to this program's schema", migrate},
		{"account create", "--name NAME --email ADDR --born YYYY-MM-DD [--role ROLE] [--json]", "make a confirmed account with an API credential", accountCreate},
		{"account show", "NAME [--json]", "show an account without its secrets", accountShow},
		{"account suspend", "NAME [--json]", "shut an account out at once", accountSuspend},
		{"recording list", "[--state STATE] [--json]", "list recordings in any state", recordingList},
		{"recording approve", "ID…|--all [--json]", "publish recordings that wait for review", recordingApprove},
		{"recording reject", "ID --reason TEXT [--json]", "return a recording to its contributor", recordingReject},
		{"demo", "[--packages DIR] [--data DIR] …", "serve a site filled with sounds to try everything on (make demo)", demoSite},
		{"import", "DIR --as NAME [--csv FILE] [--license CODE] [--publish] [--json]", "bring a folder of sounds in; may be run again", importFolder},
		{"order list", "[--state STATE] [--json]", "list the newest orders", orderList},
		{"order pay", "ID… [--json]", "mark orders by invoice paid: the money is here", orderPay},
		{"key list", "[--json]", "list the keys that certificates were signed with", keyList},
		{"key rotate", "[--json]", "sign certificates with a new key; those of before still verify", keyRotate},
		{"verify", "FILE [--key FILE] [--json]", "check a license certificate, offline", verify},
		{"doctor", "[--read-data] [--json]", "compare rows, bytes, licenses and the book", doctor},
		{"backup create", "--to DIR", "copy everything into a new folder while the site runs", backupCreate},
		{"backup verify", "DIR", "read a backup again and list all damage", backupVerify},
		{"backup restore", "DIR", "put a backup into an empty site", backupRestore},
		{"config print", "", "print every setting with its meaning", configPrint},
		{"config check", "", "read the settings and say whether they are right", configCheck},
		{"bench ingest", "FILE… [--outputs hq,lq,marked] [--vs ffmpeg,freesound] [--runs N] [--json]", "measure the analysis and encoding of files", benchIngest},
		{"bench search", "[--docs N] [--runs N] [--vs bleve,fts5,postgres] [--json]", "measure the search index on a made-up catalog", benchSearch},
		{"bench serve", "[--docs N] [--data DIR] [--listen ADDR] [--runs N] [--json]", "serve a made-up catalog and measure its pages; a named folder is filled once", benchServe},
		{"bench similar", "FOLDER | --vectors N [--runs N] [--json]", "measure how well drums find their like in other kits, or the search among N made-up sounds", benchSimilar},
		{"bench hum", "[--count N] [--off SEMITONES] [--wrong SHARE] [--seed N]", "measure how well hummed melodies and beaten rhythms are found, on sounds drawn for it", benchHum},
		{"version", "[--json]", "print the version", printVersion},
	}
}

// usage is an error in how a command was called: exit code 2.
type usage string

func (u usage) Error() string { return string(u) }

func main() {
	if len(os.Args) > 1 && os.Args[1] == "worker" {
		worker.Main(os.Args[2:]) // the isolated decoder
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := run(ctx, os.Args[1:])
	var u usage
	switch {
	case err == nil:
	case errors.As(err, &u):
		fmt.Fprintln(os.Stderr, "audiomicro: "+oneLine(u.Error()))
		os.Exit(2)
	default:
		fmt.Fprintln(os.Stderr, "audiomicro: "+oneLine(err.Error()))
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) == 0 || args[0] == "help" || args[0] == "--help" || args[0] == "-h" {
		fmt.Println("Usage: audiomicro COMMAND")
		for _, c := range commands() {
			fmt.Printf("  %-52s %s\n", strings.TrimSpace(c.words+" "+c.args), c.help)
		}
		fmt.Println("Every setting of `config print` is also a flag (--max-upload 1GB) and an environment variable (AUDIOMICRO_MAX_UPLOAD).")
		return nil
	}
	for _, c := range commands() {
		words := strings.Fields(c.words)
		if len(args) >= len(words) && strings.Join(args[:len(words)], " ") == c.words {
			if rest := args[len(words):]; len(rest) == 1 && (rest[0] == "--help" || rest[0] == "-h") {
				fmt.Printf("Usage: audiomicro %s\n%s\nEvery setting of `audiomicro config print` is a flag too.\n", strings.TrimSpace(c.words+" "+c.args), c.help)
				return nil
			}
			return c.run(ctx, args[len(words):])
		}
	}
	return usage(fmt.Sprintf("unknown command %q: see `audiomicro help`", strings.Join(args, " ")))
}

// oneLine writes a text of several lines as one: scripts read one line per failure.
func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }
