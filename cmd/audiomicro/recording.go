package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"

	"audiomicro/internal/access"
	"audiomicro/internal/app"
	"audiomicro/internal/recordings"
	"audiomicro/internal/web"
)

// recordingLine is a recording as the command prints it.
type recordingLine struct {
	ID         int64   `json:"id"`
	Owner      string  `json:"owner"`
	Title      string  `json:"title"`
	State      string  `json:"state"`
	Processing string  `json:"processing"`
	File       string  `json:"file"`
	SHA256     string  `json:"sha256"`
	Seconds    float64 `json:"seconds"`
}

func recordingList(ctx context.Context, args []string) error {
	p, err := parse(args, []string{"state"}, []string{"json"})
	if err != nil {
		return err
	}
	state := recordings.State(p.own["state"])
	switch state {
	case "", recordings.Draft, recordings.Submitted, recordings.Returned, recordings.Published, recordings.Unpublished:
	default:
		return usage(fmt.Sprintf("--state %s is none of draft, submitted, returned, published, unpublished", state))
	}
	if len(p.names) != 0 {
		return usage("recording list takes no names")
	}
	a, err := open(ctx, p)
	if err != nil {
		return err
	}
	defer a.Close()
	lines := []recordingLine{}
	names := map[int64]string{}
	err = eachRecording(ctx, a, state, func(rec recordings.Recording) error {
		name, known := names[rec.OwnerID]
		if !known {
			owner, err := a.Accounts.ByID(ctx, rec.OwnerID)
			if err != nil {
				return err
			}
			name, names[rec.OwnerID] = owner.Name, owner.Name
		}
		lines = append(lines, recordingLine{rec.ID, name, rec.Title, string(rec.State), string(rec.Processing), rec.FileName, rec.SHA256, rec.Seconds})
		return nil
	})
	if err != nil {
		return err
	}
	if p.own["json"] != "" {
		return json.NewEncoder(os.Stdout).Encode(lines)
	}
	for _, l := range lines {
		fmt.Printf("%-8d %-11s %-9s %-20s %s (%s)\n", l.ID, l.State, l.Processing, l.Owner, l.Title, l.File)
	}
	return nil
}

// eachRecording calls f for every recording of a state, newest first.
func eachRecording(ctx context.Context, a *app.App, state recordings.State, f func(recordings.Recording) error) error {
	seen := map[int64]bool{} // recordings made in the same microsecond may stand on two pages
	filter := recordings.Filter{State: state, Limit: 500}
	for {
		list, err := a.Recordings.List(ctx, filter)
		if err != nil {
			return err
		}
		fresh := 0
		for _, rec := range list {
			if seen[rec.ID] {
				continue
			}
			seen[rec.ID] = true
			fresh++
			if err := f(rec); err != nil {
				return err
			}
		}
		if fresh == 0 {
			return nil
		}
		filter.Before = list[len(list)-1].CreatedAt + 1
	}
}

func recordingApprove(ctx context.Context, args []string) error {
	p, err := parse(args, nil, []string{"all", "json"})
	if err != nil {
		return err
	}
	all := p.own["all"] != ""
	if all == (len(p.names) > 0) {
		return usage("recording approve needs ids or --all")
	}
	ids, err := parseIDs(p.names)
	if err != nil {
		return err
	}
	a, err := open(ctx, p)
	if err != nil {
		return err
	}
	defer a.Close()
	if all {
		err := eachRecording(ctx, a, recordings.Submitted, func(rec recordings.Recording) error {
			ids = append(ids, rec.ID)
			return nil
		})
		if err != nil {
			return err
		}
	}
	return decide(ids, p.own["json"] != "", "published", func(id int64) error { return a.Moderation.Approve(ctx, access.Actor{}, id) })
}

func recordingReject(ctx context.Context, args []string) error {
	p, err := parse(args, []string{"reason"}, []string{"json"})
	if err != nil {
		return err
	}
	if len(p.names) != 1 || p.own["reason"] == "" {
		return usage("recording reject needs an id and --reason TEXT, which the contributor reads")
	}
	ids, err := parseIDs(p.names)
	if err != nil {
		return err
	}
	a, err := open(ctx, p)
	if err != nil {
		return err
	}
	defer a.Close()
	return decide(ids, p.own["json"] != "", "returned", func(id int64) error {
		return a.Moderation.Return(ctx, access.Actor{}, id, "other", p.own["reason"])
	})
}

func parseIDs(names []string) ([]int64, error) {
	var ids []int64
	for _, n := range names {
		id, err := strconv.ParseInt(n, 10, 64)
		if err != nil || id <= 0 {
			return nil, usage(fmt.Sprintf("%q is no id: ids are whole numbers from 1", n))
		}
		ids = append(ids, id)
	}
	return ids, nil
}

// decide does one thing with each recording; one that is refused does not stop the others.
func decide(ids []int64, asJSON bool, state string, do func(id int64) error) error {
	type line struct {
		ID    int64  `json:"id"`
		State string `json:"state,omitempty"`
		Error string `json:"error,omitempty"`
	}
	lines, failed := []line{}, 0
	for _, id := range ids {
		l := line{ID: id, State: state}
		if err := do(id); err != nil {
			var p *web.Public
			l = line{ID: id, Error: err.Error()}
			if errors.As(err, &p) {
				l.Error = p.Text
			}
			failed++
		}
		lines = append(lines, l)
		if !asJSON {
			fmt.Printf("%d: %s%s\n", id, l.State, l.Error)
		}
	}
	if asJSON {
		if err := json.NewEncoder(os.Stdout).Encode(lines); err != nil {
			return err
		}
	}
	if failed > 0 {
		return fmt.Errorf("%d of %d recordings could not be decided on", failed, len(ids))
	}
	return nil
}
