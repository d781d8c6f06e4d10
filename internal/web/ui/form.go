package ui

// Option is one choice of a select, a radio group or a checkbox group.
type Option struct {
	Value    string
	Label    string
	Hint     string // second line of a radio or checkbox
	Price    string // right-aligned on a radio card, or empty
	Group    string // optgroup title, or empty
	Selected bool
	Disabled string // why it cannot be chosen; empty when it can
}

// Field is a labeled control. Its id is "f-" + Name, which ErrorSummary links to.
type Field struct {
	Name         string
	Label        string
	Type         string // "text" (default), "email", "password", "number", "date", "search", "url", "file", "textarea", "select", "checkbox", "radio"
	Value        string // the option for select and radio; "on" checks a checkbox
	Hint         string
	Error        string
	Optional     bool // marked in words; required ones are not marked
	Placeholder  string
	Autocomplete string
	InputMode    string
	Min, Max     string
	Step         string
	MaxLength    int // runes; 0 for no limit
	Rows         int // of a textarea
	Options      []Option
	Accept       string // of a file field
	Multiple     bool
	Autofocus    bool
	ReadOnly     bool
	Mono         bool
	Wide         bool   // spans both columns of a two-column form
	List         string // id of a datalist
}

// FormError is a problem with one field, listed at the top and beside the field.
type FormError struct {
	Field string // Field.Name, or empty for the form as a whole
	Text  string
}

// Hidden is a value a form carries along.
type Hidden struct{ Name, Value string }

// Button is a button or, with URL, a link that looks like one.
type Button struct {
	Label    string
	Of       string // what it acts on, heard but not seen: a list's buttons differ only by it
	Kind     string // "" outlined, "main" filled (one per view), "bare", "stop"
	Icon     string
	URL      string // a link; else a submit button
	Name     string // of a submit button
	Value    string
	Form     string            // id of the form it submits, when it stands outside
	Type     string            // "submit" (default) or "button" (needs script; hidden without)
	Disabled string            // reason shown beside; empty when enabled
	Key      string            // printed on it, e.g. "A"
	Native   bool              // a link that must not be boosted: downloads, other content types
	Attrs    map[string]string // data-* attributes
	Big      bool
}

// FormPage is any plain form: sign-in, reset, settings.
type FormPage struct {
	Title     string
	Intro     string
	Note      *Note
	Action    string // POST target
	Hidden    []Hidden
	Fields    []Field
	Errors    []FormError // those without Field, and those of Fields, are listed together
	Submit    string
	Stop      bool // the submit button destroys something
	Cancel    *Link
	Links     []Link // below the form
	Multipart bool
	Native    bool // not boosted: the answer sets cookies that change the whole frame, or leaves the site
}

// SignUpPage is the form of POST /sign-up: name, email, password, born_year, born_month, born_day, next.
type SignUpPage struct {
	Name, Email      string
	Year, Month, Day string // as typed
	Next             string
	Errors           []FormError // Field: name, email, password, born
	MinPassword      int         // runes; 0 means 10
}

// SignInPage is the form of POST /sign-in: email, password, next.
type SignInPage struct {
	Email  string
	Next   string
	Errors []FormError
	Note   *Note
}

// SettingsPage is the settings' rail with one body.
type SettingsPage struct {
	Title string
	Intro string
	Nav   []Link // Current marks this page
}

// SessionRow is one sign-in of the account.
type SessionRow struct {
	ID      string
	Device  string // "Firefox on Linux"
	Place   string // network address or empty
	StartAt int64
	SeenAt  int64
	Current bool
}

// Table is plain data in rows; the first column heads its row.
type Table struct {
	Caption string // read by screen readers
	Head    []Column
	Rows    [][]Cell
	Foot    []Cell
}

// Column heads a column of a Table.
type Column struct {
	Title  string
	Figure bool // right-aligned tabular figures
}

// Cell is one value of a Table.
type Cell struct {
	Text string
	URL  string
	Sub  string // second line in ink-3
	Tag  *Tag
	Mono bool
	Bars string  // draws a row waveform instead of text
	Act  *Button // a button or link
	Form *RowForm
	List []Link // after one another
}

// RowForm is a one-button POST inside a table cell.
type RowForm struct {
	Action string
	Hidden []Hidden
	Button Button
}

// Stat is one figure of a strip (at most four).
type Stat struct {
	Label  string
	Figure string
	Text   string
	URL    string // makes Text a link
}
