package uploads

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"

	"audiomicro/internal/access"
	"audiomicro/internal/feed"
	"audiomicro/internal/recordings"
)

// heartbeat keeps proxies from closing a silent stream, and finds out that the reader has gone.
const heartbeat = 15 * time.Second

// draftEvent tells where one recording is.
type draftEvent struct {
	ID      int64  `json:"id"`
	State   string `json:"state"`
	Text    string `json:"text"`
	Percent int    `json:"percent"`
}

// events streams the progress of the actor's own recordings as server-sent events named draft. An event's id is the number
// of the change in the feed, so that a reader that comes back with Last-Event-ID misses nothing.
func (s *Store) events(w http.ResponseWriter, r *http.Request) error {
	a := access.From(r.Context())
	seq, err := strconv.ParseInt(r.Header.Get("Last-Event-ID"), 10, 64)
	if err != nil || seq < 0 {
		if seq, err = s.Feed.Head(r.Context()); err != nil {
			return err
		}
	}
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no") // nginx would hold events back
	w.WriteHeader(http.StatusOK)
	out := http.NewResponseController(w)
	send := func(text string) error {
		if err := out.SetWriteDeadline(s.Now().Add(time.Minute)); err != nil {
			return err
		}
		if _, err := fmt.Fprint(w, text); err != nil {
			return err
		}
		return out.Flush()
	}
	if err := send(fmt.Sprintf("retry: 2000\nid: %d\n: hello\n\n", seq)); err != nil {
		return nil // the reader has gone
	}
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	changes := make(chan []feed.Change)
	go s.Feed.Follow(ctx, seq, func(list []feed.Change) error {
		select {
		case changes <- list:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	})
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	for {
		text := ": still here\n\n"
		select {
		case <-ctx.Done():
			return nil
		case <-s.Site.Closing:
			return nil
		case <-beat.C:
		case list := <-changes:
			if text, err = s.draftEvents(ctx, a.ID, list); err != nil {
				s.Log.Warn("tell about drafts", "err", err)
				return nil // the reader comes back to the same place
			}
		}
		if text == "" {
			continue
		}
		if err := send(text); err != nil {
			return nil // the reader has gone
		}
	}
}

// draftEvents writes the events for those of the changes that are about an account's own recordings.
func (s *Store) draftEvents(ctx context.Context, account int64, list []feed.Change) (string, error) {
	last := map[int64]int64{}
	var ids []int64
	for _, c := range list {
		if c.Kind == "recording" {
			if last[c.ID] == 0 {
				ids = append(ids, c.ID)
			}
			last[c.ID] = c.Seq
		}
	}
	recs, err := s.Recordings.ByIDs(ctx, ids)
	if err != nil {
		return "", err
	}
	// In the order of the feed: a reader whose connection breaks in between comes back to the right place.
	slices.SortFunc(recs, func(a, b recordings.Recording) int { return cmp.Compare(last[a.ID], last[b.ID]) })
	text := ""
	for _, rec := range recs {
		if rec.OwnerID == account {
			text += eventText(last[rec.ID], rec)
		}
	}
	return text, nil
}

func eventText(seq int64, rec recordings.Recording) string {
	e := draftEvent{ID: rec.ID}
	e.State, e.Text, e.Percent = progress(rec)
	data, err := json.Marshal(e)
	if err != nil {
		return "" // strings and numbers always marshal
	}
	return fmt.Sprintf("id: %d\nevent: draft\ndata: %s\n\n", seq, data)
}
