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

// SearchPage is /search.
type SearchPage struct {
	Query      string
	Heading    string // the query, or "All sounds", or a kind
	Total      int
	Note       string // second line: "similar to …"
	DidYouMean *Link
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
	License         LicenseBox
	Contributor     PersonCard
	Credit          string // attribution line to copy
	Similar         []Sound
	SimilarURL      string
	Pack            []Sound // others of the pack
	PackLink        *Link
	Stats           []Fact // downloads, plays, published
	History         []LogLine
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
	Avatar     Avatar
	Name       string
	Tagline    string
	Facts      string // "member since May 2024 · 212 sounds"
	AboutHTML  string
	About      []Fact
	Sounds     []Sound
	Packs      []PackCard
	Pager      Pager
	Spectrum   [8]uint8 // average spectrum; all zero: card left out
	SpectrumOf string   // "average of 212 sounds"
	Own        bool
	Heading    string // over the sounds; "Sounds" when empty
	Also       *Empty // instead of Sounds
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
	TagIdeas    []string
}

// BatchSaved answers an autosave.
type BatchSaved struct {
	ID     int64             `json:"id"`
	Saved  string            `json:"saved"`  // "Saved."
	Tone   string            `json:"tone"`   // of the state column
	Check  string            `json:"check"`  // its text
	Errors map[string]string `json:"errors"` // column to sentence
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

// CartPage is /cart. Lines post to /cart/update (line, model) and /cart/remove (line).
type CartPage struct {
	Lines    []CartLine
	Subtotal string
	Note     *Note
	Next     Link   // to checkout, or to sign-in first
	Royalty  string // "$15.50 of this goes to the three people who made the sounds."
}

// CartLine is one license in the cart.
type CartLine struct {
	ID     string
	Sound  Sound
	Models []Option
	Price  string
	Stale  string // "The price rose from $3 to $4." or empty
}

// CheckoutPage is /checkout: licensee, company, project, country, provider.
type CheckoutPage struct {
	Lines         []CartLine // read only
	Fields        []Field    // licensee, company, project
	Billing       []Field    // country
	Providers     []Option
	ProviderError string
	Errors        []FormError
	Summary       []Fact
	Total         string
	PayLabel      string // "Pay $38.75"
	Royalty       string
	Terms         *Link
	TermsText     string // "By paying you accept the"
	Signed        string // "Signed in as mara. Your cart is kept if anything fails."
	Hidden        []Hidden
	Disclosure    string // what the provider sees
}

// OrderPage is /orders/{id}.
type OrderPage struct {
	Number       string
	State        Tag
	Note         *Note
	Lines        []OrderLine
	Summary      []Fact
	Total        string
	Facts        []Fact
	Instructions []Fact // how to pay a manual invoice
	Actions      []Button
	Forms        []RowForm
	At           int64
}

// OrderLine is one license of an order.
type OrderLine struct {
	Sound       Sound
	Model       string
	Price       string
	Certificate *Link
	Download    *Link
}

// LibraryPage is /library.
type LibraryPage struct {
	Query   string
	Filters []Link // chips; Current is chosen
	Groups  []LibraryGroup
	Sorts   []Option
	Empty   *Empty
	Total   int
	Pager   Pager
}

// LibraryGroup is a project with its sounds.
type LibraryGroup struct {
	Title string
	Note  string
	Items []LibraryItem
	Act   *Button
}

// LibraryItem is one license held.
type LibraryItem struct {
	Sound       Sound
	Model       string
	Certificate *Link // number, or credit line
	At          int64
	DownloadURL string
	FileType    string // "WAV"
	Revoked     string // why, or empty
}

// CertificatePage is /verify/{number} and a buyer's view of a certificate.
type CertificatePage struct {
	Number       string // in groups
	IssuedAt     int64
	Issuer       string
	Title        string
	By           string
	RecordingURL string
	RecordingRef string // "recordings/48113"
	BigBars      string // for the wave and the seal
	Bars         string
	Licensee     string
	Project      string
	License      string // "Standard, terms version 7"
	Term         string // "Perpetual, worldwide"
	Covered      []string
	NotCovered   []string
	Hashes       []Fact // File SHA-256, Terms SHA-256, Signed Ed25519
	Warranty     string
	QR           [][]bool // modules; nil: no QR
	VerifyURL    string
	Valid        bool
	Status       string // "Valid and signed", "Revoked", "Altered"
	StatusText   string
	Facts        []Fact
	Actions      []Button // PDF, JSON, copy verify link
	Credit       string
	Crumb        *Link
}

// VerifyPage is /verify: look a certificate up.
type VerifyPage struct {
	Number string
	Error  string
	KeyURL string
}

// EarningsPage is /earnings.
type EarningsPage struct {
	Intro   string
	Stats   []Stat
	Months  []MonthBar
	Unit    string // axis labels' formatting is the caller's: Ticks
	Ticks   []Tick
	Sold    Table
	Journal Table
	Pager   Pager
	CSVURL  string
	Ranges  []Option // name "range"
	Empty   *Empty
}

// MonthBar is one bar of the earnings chart.
type MonthBar struct {
	Label  string  // "Nov"
	Amount string  // "$380.00"
	Height float64 // 0..1 of the highest tick
}

// Tick is a line of a chart's value axis.
type Tick struct {
	Label  string
	Height float64 // 0..1
}

// ReviewPage is /review and /review/{id}.
type ReviewPage struct {
	Waiting int
	Queue   []ReviewItem
	Case    *ReviewCase // nil: nothing waits
	Oldest  string      // "oldest waits 19 h"
}

// ReviewItem is one line of the queue.
type ReviewItem struct {
	Sound   Sound
	URL     string
	Age     string
	Note    string
	Current bool
}

// ReviewCase is the recording being judged. The form posts decision=approve|return, reason, note to /review/{id}.
type ReviewCase struct {
	Scope           Scope
	By              Link
	Sent            string // "uploaded 18 hours ago"
	Flag            *Tag
	DescriptionHTML string
	Tags            []Link
	Facts           []Fact
	Matches         []ReviewMatch
	Note            *Note
	Reasons         []Option
	NoteText        string
	Errors          []FormError
	Action          string // "/review/{id}"
	Uploader        []Fact
	Log             []LogLine
	NextURL         string
	Own             bool // the moderator's own upload: no decision
	PersonURL       string
}

// ReviewMatch is a recording like the one being judged.
type ReviewMatch struct {
	Sound Sound
	Facts []Fact
	Why   string
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
