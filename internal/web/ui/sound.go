package ui

import (
	"slices"

	"github.com/a-h/templ"
)

// Sound is a recording as a row, a player and a card need it.
type Sound struct {
	ID             int64
	URL            string // /recordings/{id}
	Title          string
	Contributor    string
	ContributorURL string
	Bars           string  // 120 bars as spectrum.Row.Encode packs them; a flat line when empty or damaged
	Seconds        float64 // length
	Tempo          int     // BPM rounded; 0 when unknown or irrelevant
	Key            string  // "A♯", "F min"; empty when unknown
	PriceLabel     string  // "Free", "$3"
	LicenseLabel   string  // "CC BY", "Standard"
	Free           bool
	PreviewURL     string          // the better preview; empty: nothing to play (the row says Note instead)
	PreviewLQ      string          // the small preview for Save-Data, or empty
	LoudnessGain   float64         // dB to add so that previews sound equally loud
	Action         string          // one of the Action constants
	ActionURL      string          // where the action leads; "/cart" when empty and Action is ActionCart
	ActionPost     bool            // the action is a POST even though it is not ActionCart (e.g. a free license)
	Model          string          // license model code that ActionCart adds
	Note           *Tag            // one tag behind the contributor
	Unavailable    string          // why it cannot be played ("being analyzed"); empty when it can
	Picked         bool            // drawn as selected
	FavorURL       string          // POST target of the heart; empty: the reader cannot keep favorites
	Favored        bool            // among the reader's favorites
	CollectURL     string          // where the sound is put into a collection; empty: it cannot be
	Foot           templ.Component // stands under the row, or nil
}

// What a row's last button does.
const (
	ActionNone     = ""
	ActionCart     = "cart"     // POST recording and model
	ActionInCart   = "in-cart"  // link to the cart
	ActionDownload = "download" // a free recording
	ActionOwned    = "owned"    // licensed before: link to its download
)

// SoundList is a box of rows.
type SoundList struct {
	Label   string // names the list for screen readers: "Results", "New today"
	Sounds  []Sound
	Compact bool   // 44 px rows of one line
	ShowTK  bool   // show tempo and key, where one of the sounds has any
	Next    string // where the list goes on, for who plays all of it; empty on its last page
}

// tk tells whether the rows have a column of tempo and key; an empty one would take its room from the waveforms.
func (l SoundList) tk() bool {
	return l.ShowTK && slices.ContainsFunc(l.Sounds, func(s Sound) bool { return tempoKey(s) != "" })
}

// Scope is the big drawing of one sound: waveform, spectrogram, one time axis.
type Scope struct {
	Sound          Sound
	BigBars        string   // 420 bars as spectrum.Wide.Encode packs them; a flat line when empty
	PeaksURLs      []string // audiowaveform .dat (8 bit) for the canvas: the whole one, then with 8 and 64 pairs joined; empty: only BigBars
	SpectrogramURL string   // energy PNG 800x200, or empty: no spectrogram lane
	LevelsURL      string   // blocks of it at several widths to zoom into (spectrum.WriteLevels); empty unless the sound is long
	Tools          bool     // with tempo and pitch, and the visitor's own video
}

// Tile is a kind of sound on home.
type Tile struct {
	Title          string
	URL            string
	Count          int
	SpectrogramURL string // energy PNG 320x120; a flat line when empty
}

// Chip is a chosen filter that a press removes.
type Chip struct {
	Label  string // "Kind"; may be empty
	Value  string // "Impacts"
	Remove string // the search without it
}

// Facet is one block of the rail.
type Facet struct {
	Name    string // query parameter
	Title   string
	Kind    string // FacetCheck, FacetBrightness, FacetRange, FacetKey
	Options []FacetOption
	More    *Link // "14 more"
	Closed  bool  // folded at first

	// FacetRange and FacetBrightness.
	Histogram []int  // counts per bin, low to high
	MinName   string // query parameter of the lower end, e.g. "length_min"
	MaxName   string
	MinValue  string // as typed
	MaxValue  string
	Unit      string // "s", "BPM"
	ChosenLo  int    // first bin inside the chosen range
	ChosenHi  int    // one past the last bin inside the chosen range; 0: all bins
}

// Kinds of facets.
const (
	FacetCheck      = "check"
	FacetBrightness = "brightness" // eight options, one per tone class, drawn as a histogram over the ramp
	FacetRange      = "range"
	FacetKey        = "key" // twelve options named C, C♯, … B
)

// FacetOption is one value of a facet. Zero counts stay in place.
type FacetOption struct {
	Value    string
	Label    string
	Count    int
	Selected bool
}

// Pager links result pages.
type Pager struct {
	Page  int // from 1
	Pages int
	Prev  string // address, or empty
	Next  string
	Links []Link // page numbers; Current marks this one; Text "…" with no URL is a gap
}

// Empty says what was looked for and the nearest way out.
type Empty struct {
	Title   string // "Nothing matches \"frog kazoo\" with 3 filters"
	Text    string
	Out     *Link  // one button
	Also    []Link // after Text
	HeadTag string // "h2" (default) or "h1"
}
