package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"sync"

	"audiomicro/internal/access"
	"audiomicro/internal/app"
	"audiomicro/internal/db"
	"audiomicro/internal/uploads"
)

// importFolder brings a folder of sounds in. When no server works this data's jobs, it works them itself until all is analyzed.
func importFolder(ctx context.Context, args []string) error {
	p, err := parse(args, []string{"as", "csv", "license"}, []string{"publish", "json"})
	if err != nil {
		return err
	}
	if len(p.names) != 1 || p.own["as"] == "" {
		return usage("import needs a folder and --as NAME: audiomicro import DIR --as NAME [--csv FILE] [--license CODE] [--publish]")
	}
	a, work, err := openToWork(ctx, p)
	if err != nil {
		return err
	}
	defer a.Close()
	account, err := a.Accounts.ByName(ctx, p.own["as"])
	if errors.Is(err, db.ErrNotFound) {
		return fmt.Errorf("there is no account %q: make one with `audiomicro account create --role contributor`", p.own["as"])
	}
	if err != nil {
		return err
	}
	if !account.Contributor() {
		return fmt.Errorf("%s is no contributor: the account must accept the contributor terms first", account.Name)
	}
	im := uploads.Importer{
		Store: a.Uploads, Dir: p.names[0], License: p.own["license"], Publish: p.own["publish"] != "",
		As:      access.Actor{ID: account.ID, Name: account.Name, Role: account.Role, Contributor: true, Confirmed: true},
		Approve: func(ctx context.Context, id int64) error { return a.Moderation.Approve(ctx, access.Actor{}, id) },
	}
	if p.own["json"] == "" {
		im.Tell = tellImported
	}
	if p.own["csv"] != "" {
		f, err := os.Open(p.own["csv"])
		if err != nil {
			return err
		}
		defer f.Close()
		im.Table = f
	}
	if work {
		stop := workJobs(ctx, a)
		defer stop()
	}
	list, err := im.Run(ctx)
	if err != nil {
		return err
	}
	return importResult(list, p.own["json"] != "")
}

func tellImported(one uploads.Imported) {
	text := one.State
	if one.ID != 0 {
		text = fmt.Sprintf("%s, recording %d", text, one.ID)
	}
	if !one.New && one.ID != 0 {
		text += ", was here before"
	}
	if one.Error != "" {
		text += ": " + one.Error
	}
	fmt.Printf("%s: %s\n", one.File, text)
}

func importResult(list []uploads.Imported, asJSON bool) error {
	fresh, failed := 0, 0
	for _, one := range list {
		if one.New {
			fresh++
		}
		if one.State == uploads.ImportFailed {
			failed++
		}
	}
	if asJSON {
		if list == nil {
			list = []uploads.Imported{}
		}
		if err := json.NewEncoder(os.Stdout).Encode(map[string]any{"files": list, "new": fresh, "failed": failed}); err != nil {
			return err
		}
	} else {
		fmt.Printf("%d files, %d new, %d failed\n", len(list), fresh, failed)
	}
	if failed > 0 {
		return fmt.Errorf("%d of %d files failed: mend them and run the same command again", failed, len(list))
	}
	return nil
}

// openToWork opens the data to work its jobs. On a SQLite folder that a server works already, the server does it; on PostgreSQL
// this process works beside the servers.
func openToWork(ctx context.Context, p parsed) (a *app.App, work bool, err error) {
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	slog.SetDefault(log)
	if err := siteExists(p); err != nil {
		return nil, false, err
	}
	if p.config.Node == "" {
		p.config.Node = fmt.Sprintf("import-%d", os.Getpid()) // never a server's name: two of one name would clear each other's files
	}
	a, err = app.Open(ctx, p.config, app.Options{Version: version, Log: log, Serve: true})
	if errors.Is(err, app.ErrServed) {
		a, err = open(ctx, p)
		return a, false, err
	}
	return a, true, err
}

// workJobs works jobs until stop is called; jobs under way go back to the queue then.
func workJobs(ctx context.Context, a *app.App) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := a.Jobs.Run(ctx); err != nil && ctx.Err() == nil {
			a.Log.Error("jobs stopped", "err", err)
		}
	})
	return func() {
		cancel()
		wg.Wait()
		if err := os.Remove(a.Ingest.Dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
			a.Log.Warn("remove the working folder", "err", err)
		}
	}
}
