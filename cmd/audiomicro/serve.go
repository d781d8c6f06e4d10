package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"strings"
	"time"

	"audiomicro/internal/app"
)

func serve(ctx context.Context, args []string) error {
	p, err := alone("serve", args, nil, nil)
	if err != nil {
		return err
	}
	log, err := logger(p.config.LogLevel)
	if err != nil {
		return err
	}
	go paceCollector(ctx)
	a, err := app.Open(ctx, p.config, app.Options{Version: version, Log: log, Migrate: true, Serve: true})
	if err != nil {
		return err
	}
	defer a.Close()
	l, err := net.Listen("tcp", p.config.Listen)
	if err != nil {
		return fmt.Errorf("listen on %s: %w (is another server running? choose another address with --listen)", p.config.Listen, err)
	}
	s, err := a.Start(ctx, l)
	if err != nil {
		return err
	}
	a.Welcome(ctx, os.Stderr)
	select {
	case <-ctx.Done():
		log.Info("stopping: requests under way may finish")
		return s.Stop(context.WithoutCancel(ctx))
	case err := <-s.Failed():
		return err
	}
}

// paceCollector paces the garbage collector while a site is served. A big site's heap is mostly the search index, which stays and
// holds few pointers: a tenth of it is room enough between two collections, for memory is dearer there than the collector's time.
// A small site's tenth would be used up by half an answer, so there the room is collectRoom, though never more than what lives. GOGC
// in the environment decides otherwise.
func paceCollector(ctx context.Context) {
	if os.Getenv("GOGC") != "" {
		return
	}
	percent := 10
	debug.SetGCPercent(percent)
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	for every := time.Tick(time.Second); ; {
		select {
		case <-ctx.Done():
			return
		case <-every:
		}
		metrics.Read(live)
		if want := growth(live[0].Value.Uint64()); want != percent {
			percent = want
			debug.SetGCPercent(percent)
		}
	}
}

// collectRoom is how many bytes may be asked for between two collections on a small site.
const collectRoom = 32 << 20

// growth is the percentage of the live bytes by which a heap grows before it is collected: in steps of ten, so that it changes seldom.
func growth(live uint64) int {
	return min(max(int(100*collectRoom/max(live, 1))/10*10, 10), 100)
}

func migrate(ctx context.Context, args []string) error {
	p, err := alone("migrate", args, nil, nil)
	if err != nil {
		return err
	}
	a, err := app.Open(ctx, p.config, app.Options{Version: version, Log: slog.Default(), Migrate: true})
	if err != nil {
		return err
	}
	fmt.Println("The database has this program's schema.")
	return a.Close()
}

// logger writes JSON lines to the standard error stream.
func logger(level string) (*slog.Logger, error) {
	var l slog.Level
	if err := l.UnmarshalText([]byte(strings.ToUpper(level))); err != nil {
		return nil, usage(fmt.Sprintf("log_level %q is none of debug, info, warn, error", level))
	}
	log := slog.New(slog.NewJSONHandler(os.Stderr, &slog.HandlerOptions{Level: l}))
	slog.SetDefault(log)
	return log, nil
}

// open opens the site's data for a command that looks at what is there: a mistyped folder is an error and not a new site.
func open(ctx context.Context, p parsed) (*app.App, error) {
	if err := siteExists(p); err != nil {
		return nil, err
	}
	return openOrMake(ctx, p)
}

// siteExists refuses a folder without a site: a mistyped --data would else make an empty one.
func siteExists(p parsed) error {
	if p.config.Database != "" {
		return nil
	}
	if _, err := os.Stat(p.config.SQLiteFile()); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("there is no site in the folder %s: name the right one with --data", p.config.Data)
	}
	return nil
}

// openOrMake opens the site's data for a command that runs beside the server, and makes an empty site where there is none.
// Its log goes to the standard error stream from warnings on.
func openOrMake(ctx context.Context, p parsed) (*app.App, error) {
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	slog.SetDefault(log)
	return app.Open(ctx, p.config, app.Options{Version: version, Log: log})
}
