package collections

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"audiomicro/internal/access"
	"audiomicro/internal/web"
	"audiomicro/internal/web/ui"
)

// chosen reads the ids of recordings that are to be added.
func chosen(values []string) ([]int64, error) {
	if len(values) > MaxAtOnce {
		return nil, web.Refuse(http.StatusUnprocessableEntity, "Add at most %d sounds at once.", MaxAtOnce)
	}
	var out []int64
	for _, v := range values {
		id, err := strconv.ParseInt(v, 10, 64)
		if err != nil || id <= 0 {
			return nil, web.NotFound()
		}
		out = append(out, id)
	}
	if len(out) == 0 {
		return nil, web.NotFound()
	}
	return out, nil
}

func (s *Store) choose(w http.ResponseWriter, r *http.Request) error {
	back := r.URL.Query().Get("back")
	if u, err := url.Parse(r.Referer()); back == "" && err == nil && u.Host == r.Host {
		back = u.RequestURI()
	}
	return s.showChoice(w, r, r.URL.Query()["recording"], back, "", nil)
}

func (s *Store) showChoice(w http.ResponseWriter, r *http.Request, recordings []string, back, typed string, errs []ui.FormError) error {
	ids, err := chosen(recordings)
	if err != nil {
		return err
	}
	me := access.From(r.Context())
	p := ui.CollectPage{Back: web.SafePath(back), Typed: typed, Errors: errs}
	if p.Sounds, err = s.Rows(r.Context(), ids); err != nil {
		return err
	}
	if len(p.Sounds) == 0 {
		return web.NotFound()
	}
	if p.Back == "/" {
		p.Back = p.Sounds[0].URL
	}
	list, err := s.Of(r.Context(), me.ID)
	if err != nil {
		return err
	}
	holding := map[int64]bool{}
	if len(ids) == 1 {
		if holding, err = s.Holding(r.Context(), me.ID, ids[0]); err != nil {
			return err
		}
	}
	for _, c := range list {
		p.Into = append(p.Into, ui.CollectChoice{ID: c.ID, Name: c.Name, Count: int(c.Shown), Holds: holding[c.ID]})
	}
	v := web.View{Title: "Add to a collection", Edit: func(f *ui.Frame) { f.NoIndex = true }}
	if len(errs) > 0 {
		v.Status = http.StatusUnprocessableEntity
	}
	return s.Site.Page(w, r, v, ui.Collect(p))
}

// done is the answer of a change to a script.
type done struct {
	Text string `json:"text"`
	Undo string `json:"undo,omitempty"`
	At   string `json:"at,omitempty"` // where the collection is
}

// told answers a change: a script with JSON, a form with a notice on the page that back names.
func (s *Store) told(w http.ResponseWriter, r *http.Request, d done, back string) error {
	if web.WantsJSON(r) {
		return web.WriteJSON(w, http.StatusOK, d)
	}
	web.NotifyUndo(w, s.Site.Secure, d.Text, d.Undo)
	return web.See(w, r, back)
}

func (s *Store) add(w http.ResponseWriter, r *http.Request) error {
	if err := web.ParseForm(w, r, formLimit); err != nil {
		return err
	}
	ids, err := chosen(r.PostForm["recording"])
	if err != nil {
		return err
	}
	into, name, back := int64(0), r.PostForm.Get("name"), web.SafePath(r.PostForm.Get("back"))
	if text := r.PostForm.Get("collection"); text != "" {
		if into, err = strconv.ParseInt(text, 10, 64); err != nil || into <= 0 {
			return web.NotFound()
		}
	}
	added, err := s.Add(r.Context(), access.From(r.Context()).ID, into, name, ids)
	if err != nil {
		errs, rest := forForm(err, "name")
		if rest != nil || web.WantsJSON(r) {
			return err
		}
		return s.showChoice(w, r, r.PostForm["recording"], back, name, errs)
	}
	d := done{Text: "It is in " + added.Collection.Name + " already.", At: added.Collection.Path()}
	switch {
	case added.New == 1:
		d.Text = "Added to " + added.Collection.Name + "."
	case added.New > 1:
		d.Text = ui.Plural(added.New, "sound", "sounds") + " added to " + added.Collection.Name + "."
	case len(ids) > 1:
		d.Text = "They are in " + added.Collection.Name + " already."
	}
	if added.New > 0 {
		d.Undo = fmt.Sprintf("%s/undo?added=%d&back=%s", d.At, added.At, url.QueryEscape(back))
	}
	return s.told(w, r, d, back)
}
