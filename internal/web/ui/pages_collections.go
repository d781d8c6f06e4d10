package ui

import (
	"github.com/a-h/templ"

	"audiomicro/web"
)

// CollectionsPage is /collections: one's own lists, and the form for a new one.
type CollectionsPage struct {
	Favorites int // sounds at /favorites, which stand before the collections
	List      []CollectionCard
	Typed     string // name of a new one that was refused
	Errors    []FormError
}

// CollectionCard is a collection in a list.
type CollectionCard struct {
	URL    string
	Name   string
	Sounds int
	Shared Tag // who sees it
}

// CollectionPage is /collections/{id}.
type CollectionPage struct {
	ID          int64
	Name        string
	Description string
	By          Link
	Own         bool   // the reader may change it
	Key         string // what came with a link, for the forms that need it
	Facts       string // "12 sounds, changed 3 June 2026"
	Gone        string // "1 is no longer here", or empty
	Sounds      []Sound
	Pager       Pager
	ForSale     int    // sounds of this collection that the cart could take
	Unlicensed  int    // sounds of this page that an archive leaves out
	Page        int    // of the list, from 1
	Part        string // which sounds an archive holds where the list has several pages: "sounds 1 to 100"
	FeedURL     string // empty: no feed
	CSVURL      string
	Shared      string // value of the choice
	LinkURL     string // absolute address to give away, or empty
	Errors      []FormError
	Hidden      string // why a moderator hid it; empty: it is not hidden
	CanReport   bool
	Clash       *CollectionClash
	Typed       *CollectionText // what was sent and refused; nil: as it stands
}

// ReportedCollection is a collection that somebody reported, or that is hidden, as moderators see it.
type ReportedCollection struct {
	ID          int64
	Name        string
	Description string
	URL         string // empty: nobody but its owner sees it
	By          Link
	Sounds      int
	Mine        bool // another moderator decides
	Hidden      string
	Reports     []LogLine
	Errors      []FormError // of its form, whose field is "why-" and the number
}

// CollectionText is what describes a collection.
type CollectionText struct{ Name, Description string }

// CollectionClash is a text that was written here and, meanwhile, elsewhere: both are shown, none is lost.
type CollectionClash struct {
	What string // "note of Door slam"
	Mine string
	Now  string
}

// CollectionItem is what stands under a row of one's own collection.
type CollectionItem struct {
	Collection int64
	Item       int64
	Title      string
	Note       string
	Own        bool
}

// CollectPage is /collections/add: the collections that sounds can go into. It is a page and, with script, a dialog.
type CollectPage struct {
	Sounds []Sound // what is added
	Into   []CollectChoice
	Back   string // path that the form leads back to
	Typed  string
	Errors []FormError
}

// CollectChoice is a collection that sounds can go into.
type CollectChoice struct {
	ID    int64
	Name  string
	Count int
	Holds bool // the sound is in it
}

// SearchesPage is /searches.
type SearchesPage struct {
	List   []SavedSearch
	Errors []FormError
	Note   string // why nothing can be counted now; empty when it is
}

// SavedSearch is a search that a person keeps.
type SavedSearch struct {
	ID      int64
	Name    string
	OpenURL string // shows what is found, the newest first, and counts it as seen
	Words   string // the search in words
	New     int    // found since the last look
	Total   int
	FeedURL string // absolute address of its feed
	Problem string // why it cannot be searched for any more
}

// sharedChoices are who may see a collection.
func sharedChoices(now string) []Option {
	list := []Option{{Value: "private", Label: "Only me"}, {Value: "link", Label: "Whoever has the link"}, {Value: "public", Label: "Everybody, on my page"}}
	for i := range list {
		list[i].Selected = list[i].Value == now
	}
	return list
}

// zipNote says what an archive of a page of a collection holds.
func zipNote(p CollectionPage) string {
	text := "Originals, certificates, license texts and the lines to credit."
	switch n := p.Unlicensed; {
	case n == 1:
		text += " One sound is left out: it needs a license."
	case n > 1:
		text += " " + Count(n) + " sounds are left out: they need a license."
	}
	return text
}

// shortcut names the keys of a control to those who cannot see it done.
func shortcut(keys string) templ.Attributes {
	if keys == "" {
		return nil
	}
	return templ.Attributes{"aria-keyshortcuts": keys}
}

func collectionURL(id int64) string { return "/collections/" + id64(id) }

func describeFields(p CollectionPage) []Field {
	text := CollectionText{p.Name, p.Description}
	if p.Typed != nil {
		text = *p.Typed
	}
	return withErrors([]Field{{Name: "name", Label: "Name", Value: text.Name, MaxLength: 128}, {Name: "description", Label: "Description", Type: "textarea", Rows: 4, Value: text.Description, MaxLength: 2000, Optional: true}}, p.Errors)
}

// arranged loads what orders a collection where it is one's own.
func arranged(p CollectionPage) templ.Attributes {
	if !p.Own {
		return nil
	}
	return templ.Attributes{"data-module": "arrange", "data-src": web.URL("arrange.js"), "data-collection": id64(p.ID)}
}

func collectTitle(p CollectPage) string {
	if len(p.Sounds) == 1 {
		return "Add " + p.Sounds[0].Title + " to a collection"
	}
	return "Add " + Plural(len(p.Sounds), "sound", "sounds") + " to a collection"
}

func collectionEmpty(p CollectionPage) Empty {
	e := Empty{Title: "Nothing in it yet", Text: "Press the list sign of any sound, or drag a sound onto this collection."}
	if p.Gone != "" {
		e = Empty{Title: "Nothing to hear now", Text: "What was here is not published at the moment."}
	}
	if p.Own {
		e.Out = &Link{Text: "Find sounds", URL: "/search"}
	}
	return e
}

// fieldErrors are those of fields, generalErrors the others.
func fieldErrors(all []FormError) (out []FormError) {
	for _, e := range all {
		if e.Field != "" {
			out = append(out, e)
		}
	}
	return out
}

func generalErrors(all []FormError) (out []FormError) {
	for _, e := range all {
		if e.Field == "" {
			out = append(out, e)
		}
	}
	return out
}
