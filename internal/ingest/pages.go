package ingest

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"

	"github.com/a-h/templ"

	"audiomicro/internal/access"
	"audiomicro/internal/audio/describe"
	"audiomicro/internal/audio/synth"
	"audiomicro/internal/db"
	"audiomicro/internal/ingest/worker"
	"audiomicro/internal/recordings"
	"audiomicro/internal/web"
	"audiomicro/internal/web/ui"
)

// Routes are the pages of this domain.
func (s *Store) Routes() []web.Route {
	return []web.Route{
		{Pattern: "GET /admin/formats", Action: access.Administer, Handle: s.formatsPage},
		{Pattern: "POST /admin/formats", Action: access.Administer, Handle: s.hearAgain},
	}
}

// formatsPage shows an operator what this instance can read and write, through what, and what the decoders are shut in with.
func (s *Store) formatsPage(w http.ResponseWriter, r *http.Request) error {
	ways, version := s.Ways(r.Context())
	formats := ui.Table{Caption: "Formats of recordings", Head: []ui.Column{{Title: "Format"}, {Title: "Read by"}, {Title: "State"}}}
	for _, way := range ways {
		by, tag := ui.Cell{Text: "AudioMicro"}, ui.Tag{Text: "Accepted", Tone: ui.ToneGood}
		switch {
		case way.Why != "":
			by, tag = ui.Cell{Text: "nothing", Sub: way.Why}, ui.Tag{Text: "Refused", Tone: ui.ToneWarn}
		case !way.Native:
			by = ui.Cell{Text: "ffmpeg " + version, Sub: way.Through}
		}
		formats.Rows = append(formats.Rows, []ui.Cell{{Text: way.Format}, by, {Tag: &tag}})
	}
	previews := ui.Table{Caption: "Previews", Head: []ui.Column{{Title: "Preview"}, {Title: "Made by"}}, Rows: [][]ui.Cell{
		{{Text: "Ogg Opus, 96 and 48 kbit/s"}, {Text: "AudioMicro"}}, {{Text: "MP3, 128 and 64 kbit/s, on first request"}, {Text: "AudioMicro"}},
	}}
	walls, err := s.walls(r.Context())
	if err != nil {
		return err
	}
	fresh, err := s.fresh(r.Context())
	if err != nil {
		return err
	}
	silent, err := s.silent(r.Context())
	if err != nil {
		return err
	}
	p := ui.PlainPage{Title: "Formats", Intro: "What this instance reads and makes. Install ffmpeg and restart to add to it; the setting ffmpeg names another path, or off."}
	return s.Site.Page(w, r, web.View{Title: p.Title}, ui.Plain(p, templ.Join(ui.TablePart(formats), ui.TablePart(previews), ui.TablePart(fresh), silent, ui.TablePart(walls))))
}

// fresh tells how many recordings still wait in the background to be measured as this version of the program does.
func (s *Store) fresh(ctx context.Context) (ui.Table, error) {
	t := ui.Table{Caption: "Measurements", Head: []ui.Column{{Title: "Pass"}, {Title: "By this version", Figure: true}, {Title: "State"}}}
	f, err := s.Recordings.Freshness(ctx, describe.Version, describe.DetailVersion)
	if err != nil {
		return t, err
	}
	row := func(name, what string, behind int64) {
		tag := ui.Tag{Text: "Done", Tone: ui.ToneGood}
		if behind > 0 {
			tag = ui.Tag{Text: fmt.Sprintf("%d wait", behind)}
			if behind == 1 {
				tag.Text = "1 waits"
			}
		}
		t.Rows = append(t.Rows, []ui.Cell{{Text: name, Sub: what}, {Text: fmt.Sprintf("%d of %d", f.Analyzed-behind, f.Analyzed)}, {Tag: &tag}})
	}
	row("First", "Tempo, key, spectrum, pictures. What an older version measured is measured again when nothing else is to be heard; what people wrote stays.", f.Undescribed)
	row("Second", "Timbre, beats, faults. It takes longer and follows the first.", f.Undetailed)
	return t, nil
}

// reasons tell an operator why an original cannot be listened to, and what to do; the worker's codes that are not here speak for themselves.
var reasons = map[recordings.Reason]struct{ name, what string }{
	recordings.Missing:    {"Bytes are missing", "The store has them not. Bring them back from a backup; within an hour the site finds them there."},
	recordings.Altered:    {"Bytes are altered", "They are not those that were sent. Bring them back from a backup; within a day the site finds them whole."},
	recordings.Unreadable: {"The disk cannot read them", "Look at the disk, then bring the bytes back from a backup; within a day the site finds them whole."},
	worker.Unsupported:    {"Format not read here", "Install ffmpeg if it was read through that."},
	worker.Undecoded:      {"The decoder does not work", "Look at the installation of ffmpeg."},
	worker.Timeout:        {"Took too long", ""},
	worker.OutOfMemory:    {"Needed too much memory", ""},
	worker.Damaged:        {"Damaged when they were sent", ""},
}

// named is how many recordings the page names of those that cannot be listened to for one reason; a bare list is enough beyond.
const named = 20

// silent lists the recordings that the background cannot listen to any more, by reason; nothing when there are none.
func (s *Store) silent(ctx context.Context) (templ.Component, error) {
	list, err := s.Recordings.Unheard(ctx, named)
	if err != nil || len(list) == 0 {
		return templ.NopComponent, err
	}
	t := ui.Table{Caption: "Cannot be measured again", Head: []ui.Column{{Title: "Original"}, {Title: "Recordings", Figure: true}, {Title: "Last noted"}, {Title: ""}}}
	for _, u := range list {
		why, ok := reasons[u.Reason]
		if !ok {
			why.name = "The decoder says: " + string(u.Reason)
		}
		if why.what == "" {
			why.what = "Tried again once a week."
		}
		again := &ui.RowForm{Action: "/admin/formats", Hidden: []ui.Hidden{{Name: "reason", Value: string(u.Reason)}}, Button: ui.Button{Label: "Try again", Of: why.name}}
		var last []ui.Link
		for _, id := range u.IDs {
			name := strconv.FormatInt(id, 10)
			last = append(last, ui.Link{Text: name, URL: "/recordings/" + name})
		}
		t.Rows = append(t.Rows, []ui.Cell{{Text: why.name, Sub: why.what}, {Text: strconv.FormatInt(u.Count, 10)}, {List: last}, {Form: again}})
	}
	return ui.TablePart(t), nil
}

// hearAgain gives what could not be listened to for a reason back to the background.
func (s *Store) hearAgain(w http.ResponseWriter, r *http.Request) error {
	if err := web.ParseForm(w, r, 1<<10); err != nil {
		return err
	}
	why := recordings.Reason(r.PostForm.Get("reason"))
	if err := s.DB.Tx(r.Context(), func(tx *db.Tx) error { return s.Recordings.HearAgainOf(r.Context(), tx, why) }); err != nil {
		return err
	}
	web.Notify(w, s.Site.Secure, "The recordings are tried again in the background.")
	return web.See(w, r, "/admin/formats")
}

// walls runs a real pass over a tenth of a second of silence and tells what the kernel shut it in with.
func (s *Store) walls(ctx context.Context) (ui.Table, error) {
	t := ui.Table{Caption: "What decoders are shut in with", Head: []ui.Column{{Title: "Wall"}, {Title: "Keeps away"}, {Title: "State"}}}
	var wav bytes.Buffer
	if err := synth.WriteWAV(&wav, [][]float32{make([]float32, 4800)}, 48_000); err != nil {
		return t, err
	}
	if err := os.MkdirAll(s.Dir, 0o700); err != nil {
		return t, err
	}
	dir, err := os.MkdirTemp(s.Dir, "walls-")
	if err != nil {
		return t, err
	}
	defer os.RemoveAll(dir) // Clear takes what is left
	path := filepath.Join(dir, "silence.wav")
	if err := os.WriteFile(path, wav.Bytes(), 0o600); err != nil {
		return t, err
	}
	src, err := os.Open(path)
	if err != nil {
		return t, err
	}
	defer src.Close()
	out := filepath.Join(dir, "out")
	if err := os.Mkdir(out, 0o700); err != nil {
		return t, err
	}
	res, err := worker.Start(ctx, worker.Request{Size: int64(wav.Len())}, src, out, nil)
	if err != nil {
		return t, fmt.Errorf("try the worker: %w", err)
	}
	standing := strings.Join(res.Usage.Walls, " ")
	row := func(name, what string, stands bool, missing string) {
		tag := ui.Tag{Text: "Stands", Tone: ui.ToneGood}
		if !stands {
			tag = ui.Tag{Text: "Missing", Tone: ui.ToneWarn}
			what += " " + missing
		}
		t.Rows = append(t.Rows, []ui.Cell{{Text: name}, {Text: what}, {Tag: &tag}})
	}
	linux := runtime.GOOS == "linux"
	row("A process for each file", "A crash or a loop ends one job only: an own session, an empty environment and folder, all of it killed at its end.", true, "")
	row("Limits", "Address space, processor time that grows with the sound decoded, file size, open files, wall time.", linux, "Only wall time and memory are limited on this system.")
	row("Landlock", "Every file but the job's own folder, the source, and for native programs the system's libraries; TCP where the kernel knows it.", strings.Contains(standing, "landlock"), "This kernel has it not, or not switched on (Linux 5.13, lsm=landlock).")
	row("seccomp", "The network, tracing, mounting and, without native programs, starting any other program.", strings.Contains(standing, "seccomp"), "This kernel or processor has it not.")
	t.Rows = append(t.Rows, []ui.Cell{{Text: "Namespaces"}, {Text: "Landlock and seccomp keep the same away without a privilege that many hosts refuse."}, {Tag: &ui.Tag{Text: "Not used"}}})
	return t, nil
}
