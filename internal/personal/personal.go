// Package personal is the vocabulary in which every domain declares what its tables hold about people: personal.go beside
// each schema. A column without a declaration fails the build's tests, so that the published policy, the export and the
// erasure can be made from what the program really stores.
//
// Sources: the privacy policy's bullets 2-10; GDPR art. 13, 15, 17, 30.
package personal

import "time"

// Category says what kind of datum a column is.
type Category string

// The categories.
const (
	None       Category = "none"       // says nothing about a person
	Identifier Category = "identifier" // account ids and names
	Contact    Category = "contact"    // e-mail addresses
	Secret     Category = "secret"     // hashes of passwords and tokens
	AgeBand    Category = "age band"   // adult, or waiting for a guardian; never the birth date
	Profile    Category = "profile"    // what people say about themselves
	Content    Category = "content"    // recordings and their descriptions
	Location   Category = "location"   // where somebody was, as they chose to tell it
	Commerce   Category = "commerce"   // orders, licenses, the book
	Usage      Category = "usage"      // when, what, how much
	Network    Category = "network"    // addresses, browsers
	Mail       Category = "mail"       // messages that were sent
	Moderation Category = "moderation" // reviews and their reasons
)

// Use is a purpose for which a datum is kept.
type Use string

// The purposes.
const (
	RunService Use = "run the service"
	Secure     Use = "keep the account safe"
	Publish    Use = "publish what the contributor chose to publish"
	Sell       Use = "license recordings and prove it"
	Account    Use = "keep the books the law asks for"
	Moderate   Use = "review recordings"
	Count      Use = "count downloads and show them to the contributor"
)

// Audience says who can see a datum.
type Audience string

// The audiences.
const (
	Everyone   Audience = "everyone"
	Self       Audience = "the person"
	OtherParty Audience = "the other party of the license"
	Moderators Audience = "moderators"
	Admins     Audience = "admins"
	NoOne      Audience = "no one"
)

// Action is what an erasure does with a datum.
type Action string

// The actions. The zero value is not an answer: a test fails on it.
const (
	Delete    Action = "delete"    // the row goes
	Null      Action = "null"      // the value is emptied
	Tombstone Action = "tombstone" // replaced by a keyed hash, so that a name stays reserved
	Keep      Action = "keep"      // kept, which needs Hold
	NotAbout  Action = "not about a person"
)

// Column declares one column.
type Column struct {
	Name    string
	Cat     Category
	Uses    []Use
	See     []Audience
	Export  bool   // part of the person's own copy
	Rectify bool   // the person can correct it
	Erase   Action // what an erasure does
	Hold    string // why it is kept, with Keep
	Protect string // "hashed", "signed", or empty for plain
}

// Table declares one table.
type Table struct {
	Name    string
	Subject string        // path to the person, as "recording.owner_id"; empty with NotPersonal
	Why     string        // one sentence: why the table exists
	Retain  time.Duration // 0: as long as the object lives
	Clock   string        // the column from which Retain counts
	// NotPersonal tables hold no person's data; their columns need no answers but must be listed.
	NotPersonal bool
	Cols        []Column
}

// Cookie declares one cookie.
type Cookie struct {
	Name, Why string
	Essential bool
	Lives     time.Duration
}

// BrowserKey declares one key of the browser's own storage.
type BrowserKey struct{ Name, Why string }

// Declaration is what one domain declares.
type Declaration struct {
	Domain  string
	Tables  []Table
	Cookies []Cookie
	Keys    []BrowserKey
}

// Plain lists columns that say nothing about a person.
func Plain(names ...string) []Column {
	out := make([]Column, len(names))
	for i, n := range names {
		out[i] = Column{Name: n, Cat: None, See: []Audience{Admins}, Erase: NotAbout}
	}
	return out
}

// With joins lists of columns.
func With(lists ...[]Column) []Column {
	var out []Column
	for _, l := range lists {
		out = append(out, l...)
	}
	return out
}

// Group gives several columns the same answers.
func Group(like Column, names ...string) []Column {
	out := make([]Column, len(names))
	for i, n := range names {
		out[i] = like
		out[i].Name = n
	}
	return out
}

// Undeclared compares a database's tables and columns with the declarations, both ways, and lists every difference in words.
// ignore names tables of libraries, with the reason.
func Undeclared(tables map[string][]string, all []Declaration, ignore map[string]string) []string {
	var out []string
	declared := map[string]map[string]bool{}
	for _, d := range all {
		for _, t := range d.Tables {
			if declared[t.Name] != nil {
				out = append(out, "table "+t.Name+" is declared twice")
			}
			cols := map[string]bool{}
			for _, c := range t.Cols {
				cols[c.Name] = true
				out = append(out, problems(t, c)...)
			}
			declared[t.Name] = cols
			if !t.NotPersonal && t.Subject == "" {
				out = append(out, "table "+t.Name+" declares no subject")
			}
			if _, ok := tables[t.Name]; !ok {
				out = append(out, "table "+t.Name+" is declared but does not exist")
			}
		}
	}
	for name, cols := range tables {
		if ignore[name] != "" {
			continue
		}
		known := declared[name]
		if known == nil {
			out = append(out, "table "+name+" is not declared")
			continue
		}
		for _, c := range cols {
			if !known[c] {
				out = append(out, "column "+name+"."+c+" is not declared")
			}
			delete(known, c)
		}
		for c := range known {
			out = append(out, "column "+name+"."+c+" is declared but does not exist")
		}
	}
	return out
}

func problems(t Table, c Column) []string {
	var out []string
	at := t.Name + "." + c.Name
	if c.Erase == "" {
		out = append(out, "column "+at+" does not say what an erasure does")
	}
	if c.Erase == Keep && c.Hold == "" {
		out = append(out, "column "+at+" is kept without a reason")
	}
	if c.Cat == "" {
		out = append(out, "column "+at+" has no category")
	}
	if c.Cat != None && t.NotPersonal {
		out = append(out, "column "+at+" is personal in a table that says it is not")
	}
	if c.Cat != None && len(c.Uses) == 0 {
		out = append(out, "column "+at+" has no purpose")
	}
	return out
}
