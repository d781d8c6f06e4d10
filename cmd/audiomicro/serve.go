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
	"strings"

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
	collectOften()
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
	switch {
	case err != nil && ctx.Err() != nil: // stopped before it was ready, as asked
		return nil
	case err != nil:
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

// collectOften lets the heap grow by a tenth, not by its double, between two collections. Most of it is the search index, which
// stays and holds few pointers: memory is dearer here than the collector's time. GOGC in the environment decides otherwise.
func collectOften() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(10)
	}
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
