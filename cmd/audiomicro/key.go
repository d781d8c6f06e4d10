package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"audiomicro/internal/licensing"
)

// keyLine is a key that signs certificates, or did, as the commands print it.
type keyLine struct {
	ID      string `json:"id"` // as certificates name it
	Current bool   `json:"current"`
	Made    string `json:"made"` // RFC 3339
}

func keyOf(k licensing.SigningKey) keyLine {
	return keyLine{ID: k.ID, Current: k.Current == 1, Made: time.UnixMicro(k.CreatedAt).UTC().Format(time.RFC3339)}
}

// keyRotate has a new key sign certificates. Those that were signed before verify as before.
func keyRotate(ctx context.Context, args []string) (err error) {
	p, err := parse(args, nil, []string{"json"})
	if err != nil {
		return err
	}
	if len(p.names) != 0 {
		return usage("usage: audiomicro key rotate [--json]")
	}
	a, err := open(ctx, p)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	id, err := a.Licensing.RotateKey(ctx)
	if err != nil {
		return err
	}
	all, err := a.Licensing.SigningKeys(ctx)
	if err != nil {
		return err
	}
	if p.own["json"] != "" {
		return json.NewEncoder(os.Stdout).Encode(keyOf(all[0]))
	}
	fmt.Printf("key %s signs certificates from now on; the %d before it still verify theirs. Who verifies offline needs the new %s/licenses/key.\n", id, len(all)-1, a.Config.URL)
	return nil
}

// keyList prints the ids of the keys, the one that signs first.
func keyList(ctx context.Context, args []string) (err error) {
	p, err := parse(args, nil, []string{"json"})
	if err != nil {
		return err
	}
	if len(p.names) != 0 {
		return usage("usage: audiomicro key list [--json]")
	}
	a, err := open(ctx, p)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	all, err := a.Licensing.SigningKeys(ctx)
	if err != nil {
		return err
	}
	lines := make([]keyLine, len(all))
	for i, k := range all {
		lines[i] = keyOf(k)
	}
	if p.own["json"] != "" {
		return json.NewEncoder(os.Stdout).Encode(lines)
	}
	for _, l := range lines {
		does := "verifies what it signed"
		if l.Current {
			does = "signs"
		}
		fmt.Printf("%s  %s  %s\n", l.ID, l.Made, does)
	}
	return nil
}
