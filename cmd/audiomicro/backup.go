package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"

	"audiomicro/internal/app"
)

func backupCreate(ctx context.Context, args []string) error {
	p, err := alone("backup create", args, []string{"to"}, []string{"json"})
	if err != nil {
		return err
	}
	if p.own["to"] == "" {
		return usage("backup create needs --to DIR")
	}
	a, err := open(ctx, p)
	if err != nil {
		return err
	}
	report, err := a.Backup(ctx, p.own["to"])
	if err := errors.Join(err, a.Close()); err != nil {
		return err
	}
	return p.print(report, fmt.Sprintf("Backed up %d rows and %d files (%d bytes) to %s. `audiomicro backup verify` reads it again.", report.Rows, report.Blobs, report.Bytes, p.own["to"]))
}

func backupVerify(_ context.Context, args []string) error {
	p, err := parse(args, nil, []string{"json"})
	if err != nil {
		return err
	}
	if len(p.names) != 1 {
		return usage("backup verify needs the backup's folder")
	}
	problems, err := app.VerifyBackup(p.names[0])
	if err != nil {
		return err
	}
	text := "The backup is whole."
	if len(problems) > 0 {
		text = strings.Join(problems, "\n")
	} else {
		problems = []string{} // in JSON a list as well
	}
	if err := p.print(map[string]any{"problems": problems}, text); err != nil {
		return err
	}
	if len(problems) > 0 {
		return fmt.Errorf("the backup is damaged in %d places: make a new one", len(problems))
	}
	return nil
}

func backupRestore(ctx context.Context, args []string) error {
	p, err := parse(args, nil, []string{"json"})
	if err != nil {
		return err
	}
	if len(p.names) != 1 {
		return usage("backup restore needs the backup's folder")
	}
	report, err := app.Restore(ctx, p.config, p.names[0], app.Options{Version: version, Log: slog.Default()})
	if err != nil {
		return err
	}
	return p.print(report, fmt.Sprintf("Restored %d rows, %d files and %d jobs.", report.Rows, report.Blobs, report.Jobs))
}

func doctor(ctx context.Context, args []string) error {
	p, err := alone("doctor", args, nil, []string{"json", "read-data"})
	if err != nil {
		return err
	}
	a, err := open(ctx, p)
	if err != nil {
		return err
	}
	d, err := a.Doctor(ctx, p.own["read-data"] != "")
	if err := errors.Join(err, a.Close()); err != nil {
		return err
	}
	text := fmt.Sprintf("%d contents, %d of them read again. No problems.", d.Blobs, d.Read)
	if len(d.Problems) > 0 {
		text = strings.Join(d.Problems, "\n")
	}
	for _, n := range d.Notes {
		text += "\nNote: " + n
	}
	if err := p.print(d, text); err != nil {
		return err
	}
	if len(d.Problems) > 0 {
		return fmt.Errorf("doctor found %d problems: what is lost or altered is in your last backup, see `audiomicro backup verify`", len(d.Problems))
	}
	return nil
}

// print writes v as JSON with --json, else the text.
func (p parsed) print(v any, text string) error {
	if p.own["json"] != "" {
		return json.NewEncoder(os.Stdout).Encode(v)
	}
	_, err := fmt.Println(text)
	return err
}
