package ui

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
	Waiting       []Note // earlier orders that this one may take the place of
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
	Waiting  int
	Queue    []ReviewItem
	Case     *ReviewCase // nil: nothing waits
	Oldest   string      // "oldest waits 19 h"
	Reported int         // collections that somebody reported
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
