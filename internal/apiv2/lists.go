package apiv2

import (
	"net/http"

	"audiomicro/internal/recordings"
	"audiomicro/internal/search/query"
	"audiomicro/internal/web"
)

// ids gives the published recordings of a window of a list, and how many there are in all.
type ids func(limit, offset int) (list []int64, total int, err error)

// soundList answers with a page of sounds. of is asked twice when the page is not the first: the last page is known by the
// total only.
func (f *Face) soundList(w http.ResponseWriter, r *http.Request, path string, of ids) error {
	p := parse(r.URL.RawQuery)
	_, total, err := of(0, 0)
	if err != nil {
		return err
	}
	win, err := pageOf(p, total)
	if err != nil {
		return err
	}
	list, _, err := of(win.size, win.offset())
	if err != nil {
		return err
	}
	recs, err := f.publishedOf(r, list)
	if err != nil {
		return err
	}
	results, err := f.sounds(r.Context(), recs, fieldsOf(p, byList()))
	if err != nil {
		return err
	}
	return answer(w, r, http.StatusOK, f.list(path, p, win, total, results))
}

// publishedOf reads recordings and leaves out what is not published any more.
func (f *Face) publishedOf(r *http.Request, ids []int64) ([]recordings.Recording, error) {
	all, err := f.Recordings.ByIDs(r.Context(), ids)
	if err != nil {
		return nil, err
	}
	var list []recordings.Recording
	for _, rec := range all {
		if rec.State == recordings.Published {
			list = append(list, rec)
		}
	}
	return list, nil
}

// similar lists what sounds like a recording, nearest first. It takes no query and no filter; clients send some all the same.
func (f *Face) similar(w http.ResponseWriter, r *http.Request) error {
	rec, err := f.published(r)
	if err != nil {
		return err
	}
	if err := knownSpace(parse(r.URL.RawQuery)); err != nil {
		return err
	}
	if err := f.Search.NotReady(); err != nil {
		return err
	}
	hits := f.Search.Similar(rec.ID, query.MaxOffset)
	return f.soundList(w, r, "/apiv2/sounds/"+r.PathValue("id")+"/similar/", within(hits))
}

// within cuts windows out of a list that is there as a whole.
func within(all []int64) ids {
	return func(limit, offset int) ([]int64, int, error) {
		offset = min(offset, len(all))
		return all[offset:min(offset+limit, len(all))], len(all), nil
	}
}

// comments lists what people said about a sound, newest first. Of an unknown one there is nothing.
func (f *Face) comments(w http.ResponseWriter, r *http.Request) error {
	id, err := web.PathID(r, "id")
	if err != nil {
		return err
	}
	p := parse(r.URL.RawQuery)
	recs, err := f.publishedOf(r, []int64{id})
	if err != nil {
		return err
	}
	total := 0
	if len(recs) == 1 {
		if _, total, err = f.Reactions.Comments(r.Context(), id, 0, 0); err != nil {
			return err
		}
	}
	win, err := pageOf(p, total)
	if err != nil {
		return err
	}
	results := []object{}
	if total > 0 {
		list, _, err := f.Reactions.Comments(r.Context(), id, win.size, win.offset())
		if err != nil {
			return err
		}
		for _, c := range list {
			results = append(results, object{{"username", c.Name}, {"comment", c.Body}, {"created", instant(c.CreatedAt)}})
		}
	}
	return answer(w, r, http.StatusOK, f.list("/apiv2/sounds/"+r.PathValue("id")+"/comments/", p, win, total, results))
}

// analysis shows everything that was measured of a sound.
func (f *Face) analysis(w http.ResponseWriter, r *http.Request) error {
	rec, err := f.published(r)
	if err != nil {
		return err
	}
	figures, err := f.Recordings.FiguresOf(r.Context(), []int64{rec.ID})
	if err != nil {
		return err
	}
	out, err := f.measuredOf(choice{descriptors: true, vectors: true}, figures[rec.ID])
	if err != nil {
		return err
	}
	return answer(w, r, http.StatusOK, out)
}
