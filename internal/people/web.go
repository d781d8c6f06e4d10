package people

import (
	"cmp"
	"errors"
	"html"
	"io"
	"mime/multipart"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"

	"audiomicro/internal/access"
	"audiomicro/internal/accounts"
	"audiomicro/internal/web"
	"audiomicro/internal/web/ui"
)

// Routes lists the pages.
func (s *Store) Routes() []web.Route {
	return []web.Route{
		{Pattern: "GET /people/{name}", Action: access.Look, Handle: s.page},
		{Pattern: "GET /people/{name}/picture", Action: access.Look, Handle: s.picture},
		{Pattern: "GET /settings/profile", Action: access.UseAccount, Handle: s.form},
		{Pattern: "POST /settings/profile", Action: access.UseAccount, Handle: s.save},
		{Pattern: "POST /settings/profile/picture", Action: access.UseAccount, Handle: s.upload},
		{Pattern: "POST /settings/profile/picture/remove", Action: access.UseAccount, Handle: s.remove},
	}
}

func (s *Store) page(w http.ResponseWriter, r *http.Request) error {
	p, err := s.ByName(r.Context(), r.PathValue("name"))
	if err != nil {
		return err
	}
	if p.Name != r.PathValue("name") {
		to := p.URL()
		if r.URL.RawQuery != "" {
			to += "?" + r.URL.RawQuery
		}
		http.Redirect(w, r, to, http.StatusMovedPermanently)
		return nil
	}
	page := 1
	if text := r.URL.Query().Get("page"); text != "" {
		if page, err = strconv.Atoi(text); err != nil || page < 1 || page > 10_000 {
			return web.NotFound()
		}
	}
	var sounds []ui.Sound
	total := 0
	if s.Sounds != nil {
		if sounds, total, err = s.Sounds(r.Context(), p.ID, page); err != nil {
			return err
		}
		if last := s.pager(p, page, total).Pages; total > 0 && page > last { // an old address, from when there were more
			return web.See(w, r, p.URL()+"?page="+strconv.Itoa(last))
		}
	}
	v := ui.ProfilePage{
		Avatar: p.Avatar(), Name: p.Shown(), AboutHTML: paragraphs(p.Bio), Sounds: sounds,
		Facts: "member since " + time.UnixMicro(p.Since).UTC().Format("January 2006") + " · " + ui.Plural(total, "sound", "sounds"),
		Own:   access.From(r.Context()).ID == p.ID, Pager: s.pager(p, page, total),
	}
	if s.Collections != nil {
		if v.Collections, err = s.Collections(r.Context(), p.ID); err != nil {
			return err
		}
	}
	if s.Tones != nil {
		if v.Spectrum, err = s.Tones(r.Context(), p.ID); err != nil {
			return err
		}
		v.Avatar.Tones, v.SpectrumOf = v.Spectrum, "average of "+ui.Plural(total, "sound", "sounds")
	}
	if p.DisplayName != "" && p.DisplayName != p.Name {
		v.Tagline = "@" + p.Name
	}
	if p.Website != "" {
		v.About = append(v.About, ui.Fact{Label: "Web", Value: strings.TrimPrefix(strings.TrimPrefix(p.Website, "https://"), "http://"), URL: p.Website})
	}
	if len(sounds) == 0 {
		v.Also = &ui.Empty{Title: "No sounds yet", Text: p.Shown() + " has published no recordings."}
	}
	return s.Site.Page(w, r, web.View{Title: p.Shown(), Description: cmp.Or(firstWords(p.Bio, 160), "Sounds by "+p.Shown()+", to hear and to license."), Canonical: p.URL(), Edit: func(f *ui.Frame) {
		f.Feeds = append(f.Feeds, ui.Feed{Type: "application/atom+xml", URL: p.URL() + "/feed.atom", Title: "New from " + p.Shown()})
	}}, ui.Profile(v))
}

func (s *Store) pager(p Person, page, total int) ui.Pager {
	size := s.PageSize
	if size == 0 {
		size = 24
	}
	address := func(n int) string { return p.URL() + "?page=" + strconv.Itoa(n) }
	out := ui.Pager{Page: page, Pages: (total + size - 1) / size}
	if page > 1 {
		out.Prev = address(page - 1)
	}
	if page < out.Pages {
		out.Next = address(page + 1)
	}
	for n := 1; n <= out.Pages; n++ {
		switch {
		case n == 1, n == out.Pages, n >= page-2 && n <= page+2:
			out.Links = append(out.Links, ui.Link{Text: strconv.Itoa(n), URL: address(n), Current: n == page})
		case n == page-3, n == page+3:
			out.Links = append(out.Links, ui.Link{Text: "…"})
		}
	}
	return out
}

// paragraphs makes escaped HTML of plain text: an empty line parts paragraphs, a line end breaks the line.
func paragraphs(text string) string {
	var b strings.Builder
	for part := range strings.SplitSeq(text, "\n\n") {
		if part = strings.TrimSpace(part); part != "" {
			b.WriteString("<p>" + strings.ReplaceAll(html.EscapeString(part), "\n", "<br>") + "</p>")
		}
	}
	return b.String()
}

// firstWords cuts text to at most n characters at a blank.
func firstWords(text string, n int) string {
	text = strings.Join(strings.Fields(text), " ")
	runes := []rune(text)
	if len(runes) <= n {
		return text
	}
	cut := string(runes[:n])
	if i := strings.LastIndexByte(cut, ' '); i > 0 {
		cut = cut[:i]
	}
	return cut + "…"
}

// own refuses programs: a key must not change what the account says about itself.
func own(r *http.Request) (access.Actor, error) {
	a := access.From(r.Context())
	if a.Session == 0 {
		return a, web.Refuse(http.StatusForbidden, "Settings are changed in a browser, not with an API key.")
	}
	return a, nil
}

func (s *Store) form(w http.ResponseWriter, r *http.Request) error {
	a, err := own(r)
	if err != nil {
		return err
	}
	p, err := s.Profile(r.Context(), a.ID)
	if err != nil {
		return err
	}
	return s.show(w, r, a, p, nil)
}

func (s *Store) show(w http.ResponseWriter, r *http.Request, a access.Actor, p Profile, errs []ui.FormError) error {
	words, picture := split(errs)
	person := Person{Name: a.Name, DisplayName: p.DisplayName, Picture: p.Picture}
	avatar := person.Avatar()
	avatar.Size = 72
	parts := []templ.Component{
		ui.Box("About you", ui.FormBody(ui.FormPage{
			Action: "/settings/profile", Submit: "Save", Native: true, Errors: words,
			Fields: []ui.Field{
				{Name: "display_name", Label: "Name to show", Value: p.DisplayName, Optional: true, Hint: "Your account stays " + a.Name + ".", MaxLength: MaxDisplayName, Autocomplete: "name"},
				{Name: "bio", Label: "About", Type: "textarea", Value: p.Bio, Optional: true, Rows: 6, MaxLength: MaxBio},
				{Name: "website", Label: "Web address", Type: "url", Value: p.Website, Optional: true, Placeholder: "https://", MaxLength: MaxWebsite, Autocomplete: "url"},
			},
		})),
		ui.Box("Picture", ui.AvatarPart(avatar), ui.FormBody(ui.FormPage{
			Action: "/settings/profile/picture", Submit: "Upload", Multipart: true, Native: true, Errors: picture,
			Fields: []ui.Field{{Name: "picture", Label: "Choose a picture", Type: "file", Accept: "image/png,image/jpeg,image/gif,image/webp",
				Hint: "PNG, JPEG, GIF or WebP up to 10 MB. Its middle is cut to a square; place and camera data are dropped."}},
		})),
	}
	if p.Picture != "" {
		parts = append(parts, ui.RowFormPart(ui.RowForm{Action: "/settings/profile/picture/remove", Button: ui.Button{Label: "Remove the picture", Kind: "stop"}}))
	}
	status := 0
	if len(errs) > 0 {
		status = http.StatusUnprocessableEntity
	}
	w.Header().Set("Cache-Control", "no-store")
	page := ui.SettingsPage{Title: "Profile", Intro: "What others see on your page.", Nav: accounts.SettingsNav("/settings/profile")}
	return s.Site.Page(w, r, web.View{Title: "Profile", Status: status, Edit: func(f *ui.Frame) { f.NoIndex = true }}, ui.Settings(page, ui.Stack(parts...)))
}

// split parts the errors of the two forms.
func split(errs []ui.FormError) (words, picture []ui.FormError) {
	for _, e := range errs {
		if e.Field == "picture" {
			picture = append(picture, e)
		} else {
			words = append(words, e)
		}
	}
	return words, picture
}

func formErrors(err error) []ui.FormError {
	var found accounts.Problems
	if !errors.As(err, &found) {
		return nil
	}
	var list []ui.FormError
	for _, one := range found {
		list = append(list, ui.FormError{Field: one.Field, Text: one.Text})
	}
	return list
}

func (s *Store) save(w http.ResponseWriter, r *http.Request) error {
	a, err := own(r)
	if err != nil {
		return err
	}
	if err := web.ParseForm(w, r, 256<<10); err != nil {
		return err
	}
	p := Profile{DisplayName: r.PostForm.Get("display_name"), Bio: r.PostForm.Get("bio"), Website: r.PostForm.Get("website")}
	err = s.Save(r.Context(), a.ID, p)
	if list := formErrors(err); list != nil {
		kept, err := s.Profile(r.Context(), a.ID)
		if err != nil {
			return err
		}
		p.Picture = kept.Picture
		return s.show(w, r, a, p, list)
	}
	if err != nil {
		return err
	}
	web.Notify(w, s.Site.Secure, "Your profile is saved.")
	return web.See(w, r, "/settings/profile")
}

func (s *Store) upload(w http.ResponseWriter, r *http.Request) error {
	a, err := own(r)
	if err != nil {
		return err
	}
	file, err := pictureFile(w, r)
	if err == nil {
		err = s.SetPicture(r.Context(), a.ID, file)
	}
	if list := formErrors(err); list != nil {
		p, err := s.Profile(r.Context(), a.ID)
		if err != nil {
			return err
		}
		return s.show(w, r, a, p, list)
	}
	if err != nil {
		return err
	}
	web.Notify(w, s.Site.Secure, "Your picture is in place.")
	return web.See(w, r, "/settings/profile")
}

// pictureFile reads the field "picture" of a multipart form into memory, bounded.
func pictureFile(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	r.Body = http.MaxBytesReader(w, r.Body, MaxPictureBytes+64<<10)
	parts, err := r.MultipartReader()
	if err != nil {
		return nil, &web.Public{Status: http.StatusBadRequest, Text: "The form cannot be read. Go back and send it again.", Err: err}
	}
	for {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			return nil, badPicture("Choose a picture first.")
		}
		if err != nil {
			return nil, tooLarge(err)
		}
		if part.FormName() == "picture" {
			return readPart(part)
		}
	}
}

func readPart(part *multipart.Part) ([]byte, error) {
	file, err := io.ReadAll(io.LimitReader(part, MaxPictureBytes+1))
	if err != nil {
		return nil, tooLarge(err)
	}
	if len(file) == 0 {
		return nil, badPicture("Choose a picture first.")
	}
	return file, nil // a longer one is refused by its length
}

func tooLarge(err error) error {
	var big *http.MaxBytesError
	if errors.As(err, &big) {
		return badPicture("The picture is larger than %d MB.", MaxPictureBytes>>20)
	}
	return &web.Public{Status: http.StatusBadRequest, Text: "The form cannot be read. Go back and send it again.", Err: err}
}

func (s *Store) remove(w http.ResponseWriter, r *http.Request) error {
	a, err := own(r)
	if err != nil {
		return err
	}
	if err := s.RemovePicture(r.Context(), a.ID); err != nil {
		return err
	}
	web.Notify(w, s.Site.Secure, "Your picture is removed.")
	return web.See(w, r, "/settings/profile")
}
