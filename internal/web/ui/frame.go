package ui

// Frame is what surrounds a page's body: head, site head, footer and player.
type Frame struct {
	Title       string  // the page's own title; the site's name is added. Empty on home.
	SiteName    string  // shown beside the mark; "AudioMicro" when empty
	Description string  // one sentence for search engines and link previews
	Path        string  // the request's path and query; sign-in leads back to it
	Query       string  // the search field's text
	Person      *Person // nil for a visitor
	CartCount   int     // lines in the cart
	Theme       string  // "light", "dark", or "" for the system's choice
	Notice      *Notice // what just happened, shown once as a toast
	Canonical   string  // absolute address, or empty
	Feeds       []Feed  // what programs read instead of the page
	Image       string  // absolute address of a picture for link previews, or empty
	JSONLD      string  // one JSON-LD document, or empty; dropped when it is not valid JSON
	Section     string  // which link of the head is current: SectionSounds, SectionPacks, SectionLicensing, SectionUpload or ""
	HideSearch  bool    // home has its search in the page
	NoIndex     bool    // asks search engines to leave the page out
	DevMail     bool    // adds a link to /dev/mail to the footer (dev instances without SMTP)
	SourceURL   string  // where the program's sources are; no link when empty
	Operator    string  // who runs this copy; "its operator" when empty
}

// Feed is another form of a page, for programs.
type Feed struct{ Type, URL, Title string }

// Sections of the site head.
const (
	SectionSounds    = "sounds"
	SectionPacks     = "packs"
	SectionLicensing = "licensing"
	SectionUpload    = "upload"
)

// Person is the signed-in account as the head needs it.
type Person struct {
	Name        string // the name in /people/{name}
	Role        string // "member", "contributor", "moderator", "admin"
	Initials    string // taken from Name when empty
	PictureURL  string // empty: initials
	Contributor bool   // has accepted the contributor terms: shows My sounds and Earnings
}

// Tones of notices, notes, tags and states.
const (
	ToneGood   = "good"
	ToneWarn   = "warn"
	ToneBad    = "bad"
	ToneSignal = "signal" // new, unread
	TonePlain  = ""
)

// Notice is a toast: one sentence, and perhaps an undo.
type Notice struct {
	Text      string
	Tone      string // ToneGood, ToneWarn, ToneBad or TonePlain
	UndoURL   string // POST target that takes the act back; no button when empty
	UndoLabel string // "Undo" when empty
}

// Link is an address with its text.
type Link struct {
	Text    string
	URL     string
	Current bool   // the page the reader is on
	Count   string // shown after the text, or empty
}

// Note is a tinted line with an icon that stays on the page.
type Note struct {
	Tone  string // ToneGood, ToneWarn, ToneBad or TonePlain
	Lead  string // bold first words, or empty
	Text  string
	Links []Link // follow the text, separated by commas
}

// Fact is a row of a definition list.
type Fact struct {
	Label string
	Value string
	URL   string // makes Value a link
	Mono  bool   // hashes and file names
}

// Tag is a small word: a state, a kind, a note behind a name.
type Tag struct {
	Text string
	Tone string
	Icon string // name of an icon, or empty
	URL  string // makes it a link, or empty
}

// Person card pieces.

// Avatar draws a person: picture, else the average spectrum as tone bars, else initials.
type Avatar struct {
	Name       string
	PictureURL string
	Initials   string   // taken from Name when empty
	Tones      [8]uint8 // height 0..255 of the eight tone bands of the person's average sound; all zero: initials
	Size       int      // 28, 40 (default) or 72 px
}
