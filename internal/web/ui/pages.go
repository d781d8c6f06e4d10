package ui

// HomePage is /.
type HomePage struct {
	Recordings int
	People     int
	Try        []Link    // searches to try
	Featured   *Featured // nil on an empty instance
	Kinds      []Tile
	AllKinds   *Link // "All 82 kinds"
	New        []Sound
	NewNote    string // "137 recordings, reviewed by people"
	Popular    []Sound
	CanUpload  bool // the reader is a contributor: an empty instance invites to upload
}

// Featured is the recording of the day.
type Featured struct {
	Sound          Sound
	SpectrogramURL string
	Why            string // "Recording of the day"
}

// PartResults names the part of the search page that web/js/find.js asks for.
const PartResults = "results"

// SearchPage is /search.
type SearchPage struct {
	Query      string
	Heading    string // the query, or "All sounds", or a kind
	Total      int
	Note       string // second line: "the nearest of 5,012"
	About      string // what a search by example compares, and what not
	BySound    string // address of the page where a sound is chosen
	DidYouMean *Link
	Also       []string // synonyms that were searched for too
	Typed      *Link    // the search without them
	Some       bool     // no sound has all the words: these have some
	Begun      string   // the last word, where it was taken for the beginning of one
	Packs      *Link    // turns the grouping by packs on or off
	Save       *RowForm // keeps this search; nil for visitors and for a search for everything
	Facets     []Facet
	Chips      []Chip
	ResetURL   string
	Sorts      []Option
	Hidden     []Hidden // parameters the facets do not hold, kept by both forms
	Sounds     []Sound
	Pager      Pager
	Empty      *Empty // instead of Sounds
	TookMS     float64
}

// RecordingPage is /recordings/{id}.
type RecordingPage struct {
	Scope           Scope
	Byline          []Link // after the contributor: pack, place; Text without URL is plain
	Note            *Note  // state for its owner: in review, returned with a reason, unpublished
	Actions         []Button
	Forms           []RowForm // owner's and moderator's acts
	DescriptionHTML string    // sanitized
	Tags            []Link
	Tech            []Fact
	Measured        []Fact // more of it, folded; empty: not measured
	License         LicenseBox
	Contributor     PersonCard
	Credit          string // attribution line to copy
	Credits         []Link // the same in other forms
	Embed           string // HTML for other sites' pages; empty: it cannot be embedded
	Similar         []Sound
	SimilarURL      string
	Pack            []Sound // others of the pack
	PackLink        *Link
	Stats           []Fact // downloads, plays, published
	History         []LogLine
	Reactions       *Reactions // nil while it is not public
	// Wide description facts for phones are the same data.
}

// LicenseBox is the card that sells or gives a recording.
type LicenseBox struct {
	RecordingID int64
	Paid        []Offer
	Free        []Offer
	CompareURL  string // /licenses
	FreeURL     string // POST target of a free download; a GET link when FreeSignIn
	FreeSignIn  bool   // visitors: FreeURL leads to sign-in
	InCart      string // model code already in the cart, or empty
	Owned       []Fact // licenses the reader holds: label and link
	OwnedURL    string // download of the newest license held
	Why         string // why nothing can be licensed; empty when it can
	Helper      *Link  // "Which license do I need?"
}

// Offer is one license model at its price.
type Offer struct {
	Code     string
	Name     string
	Price    string // "$9"; empty or "Free" for free ones
	Summary  string
	URL      string // the license's page or deed
	Selected bool
}

// PersonCard is a contributor beside a recording.
type PersonCard struct {
	Avatar Avatar
	Name   string
	URL    string
	Text   string // "214 sounds, since 2024"
}

// LogLine is one dated event.
type LogLine struct {
	At   int64
	Who  string
	Text string
}

// PackPage is /packs/{id}.
type PackPage struct {
	Title           string
	By              Link
	DescriptionHTML string
	Sounds          []Sound
	Facts           []Fact
	Credits         string // attribution lines, one each
	Pager           Pager
	Actions         []Button
}

// PacksPage is /packs.
type PacksPage struct {
	Packs []PackCard
	Pager Pager
}

// PackCard is a pack in a list.
type PackCard struct {
	Title string
	URL   string
	By    string
	Count int
	Bars  []string // up to four row waveforms
}

// ProfilePage is /people/{name}.
type ProfilePage struct {
	Avatar      Avatar
	Name        string
	Tagline     string
	Facts       string // "member since May 2024 · 212 sounds"
	AboutHTML   string
	About       []Fact
	Sounds      []Sound
	Packs       []PackCard
	Pager       Pager
	Spectrum    [8]uint8 // average spectrum; all zero: card left out
	SpectrumOf  string   // "average of 212 sounds"
	Own         bool
	Heading     string // over the sounds; "Sounds" when empty
	Also        *Empty // instead of Sounds
	Collections []Link // those that the person shows to everybody
}

// UploadPage is /upload. The form posts multipart field "files" to /upload; scripts use tus at TusURL.
type UploadPage struct {
	TusURL      string // "/uploads/" when empty
	MaxBytes    int64
	Accepted    string    // the sentence naming accepted formats
	NeedTerms   *FormPage // contributor terms to accept first; nil when accepted
	Drafts      []Draft
	EventsURL   string // server-sent events "draft" with {"id","state","text","percent"}, or empty: reload link
	DescribeURL string // all ready drafts
	Note        *Note
}

// Draft is an uploaded file on its way.
type Draft struct {
	ID         int64
	FileName   string
	Title      string
	Bytes      int64
	Seconds    float64
	Bars       string
	State      string // "uploading", "queued", "analyzing", "ready", "failed", "duplicate", "review", "returned", "published", "unpublished"
	StateText  string // "64 %", "Ready to describe", the reason of a failure and what to do
	Percent    int    // 0..100 while uploading or analyzing
	URL        string // its describe page
	PreviewURL string
	UploadID   string // tus id of an unfinished upload, or empty
	DeleteURL  string // POST, or empty
	At         int64
}

// BatchPage is /upload/describe?ids=. Field names are CellName(id, column): "title.48113".
type BatchPage struct {
	IDs        string // as in the address
	Rows       []BatchRow
	Problems   []Link // "BELL_TEMPLE_01: two more tags" to its cell
	Saved      string // "Saved 4 seconds ago."
	Categories []Option
	Licenses   []Option // what the license cell offers; Value is given back as it is
	Packs      []string // own packs' titles, suggestions
	CSVURL     string   // download
	CSVApply   string   // POST multipart field "csv"; empty: no button
	CSVErrors  []FormError
	SaveURL    string // POST one row as form values for autosave, answers JSON BatchSaved
	Ready      int
	NeedYou    int
	Uploading  int
	SubmitURL  string // "/upload/describe" when empty
	RightsText string // the rights declaration
	Currency   string // "USD"
	EventsURL  string
}

// BatchRow is one recording of the sheet.
type BatchRow struct {
	ID          int64
	Sound       Sound
	FileName    string
	Title       string
	Description string
	Tags        string // comma separated
	Category    string // option value
	Pack        string
	Place       string // as typed: latitude, longitude
	License     string // option value
	Price       string // as typed; paid models only
	Rights      bool
	AITraining  bool
	Tempo       string
	Key         string
	Check       Tag               // the state column
	Errors      map[string]string // column name to sentence
	Percent     int               // while uploading or analyzing
	Busy        bool              // cannot be edited yet
	EditURL     string            // one form for this sound
	Seen        string            // version of what the row shows, given back with its cells
	TagIdeas    []string
}

// BatchSaved answers an autosave.
type BatchSaved struct {
	ID     int64             `json:"id"`
	Saved  string            `json:"saved"`  // "Saved."
	Tone   string            `json:"tone"`   // of the state column
	Check  string            `json:"check"`  // its text
	Errors map[string]string `json:"errors"` // column to sentence
	Both   []string          `json:"both"`   // the columns among them that another page changed meanwhile
	Seen   string            `json:"seen"`   // of the row from now on
	Ready  int               `json:"ready"`  // rows ready on this page
}

// DescribePage is the form for one sound: /upload/describe?ids=one, or /recordings/{id}/edit.
type DescribePage struct {
	Title      string
	Intro      string
	Sound      Sound
	Action     string
	Hidden     []Hidden
	Fields     []Field // title, description, category, tags, pack …
	Offers     []OfferChoice
	Errors     []FormError
	Personal   []PersonalField
	Rights     Field  // checkbox
	AITraining Field  // checkbox
	Save       string // label of the plain button
	Submit     string // label of the main button, or empty
	Note       *Note
	Tech       []Fact
	TagIdeas   []string
}

// OfferChoice is a license model a contributor may offer. Field names: "offer" = Code, "price-"+Code.
type OfferChoice struct {
	Code    string
	Name    string
	Summary string
	Free    bool
	Checked bool
	Price   string // as typed or the default
	Floor   string // "at least $1"
	Error   string
	URL     string
}

// PersonalField is something personal found in a file. Field name "keep" = Key keeps it.
type PersonalField struct {
	Key    string
	Source string
	Name   string
	Value  string
	Why    string
	Keep   bool
}

// MySoundsPage is /my-sounds.
type MySoundsPage struct {
	Filters []Link
	Drafts  []MySound
	Empty   *Empty
	Pager   Pager
}

// MySound is one own recording.
type MySound struct {
	Sound   Sound
	State   Tag
	Note    string // reviewer's reason
	EditURL string
	Forms   []RowForm // unpublish, submit
	At      int64
	Select  bool
}

// LicensesPage is /licenses.
type LicensesPage struct {
	Intro   string
	Paid    []LicenseCard
	Free    []LicenseCard
	Compare Table
}

// LicenseCard is a model in plain words.
type LicenseCard struct {
	Name       string
	URL        string
	Price      string
	Summary    string
	Covered    []string
	NotCovered []string
}

// LicensePage is /licenses/{code}.
type LicensePage struct {
	Name       string
	Summary    string
	Version    string
	Facts      []Fact
	Covered    []string
	NotCovered []string
	TextHTML   string
	Deed       *Link
	Versions   []Link
}

// ErrorPage is what a failed request shows.
type ErrorPage struct {
	Status    int
	Title     string // "Not here"
	Text      string
	RequestID string
	Out       *Link
}

// PlainPage is a heading, a sentence and anything below.
type PlainPage struct {
	Title   string
	Intro   string
	Actions []Button
	Note    *Note
	Crumb   *Link
	Read    bool // reading width
}
