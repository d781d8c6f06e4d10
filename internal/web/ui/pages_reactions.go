package ui

import "strings"

// Reactions are what people made of a recording, under it on its page and alone on /recordings/{id}/comments.
type Reactions struct {
	RecordingID int64
	Rating      string // "4.5 of 5, 12 ratings"; empty without any
	MyStars     string // "0" to "5"; empty: the reader has not rated
	CanReact    bool   // the reader may comment and favor
	CanRate     bool   // and rate: not one's own
	SignInURL   string // for visitors
	Why         string // why a member may not react
	Favored     bool   // among the reader's favorites
	Lists       []Link // the reader's collections that hold it
	Comments    []CommentLine
	Total       int
	MoreURL     string // all comments; empty when all are shown
	Typed       string // a comment that was refused
	Errors      []FormError
	Pager       Pager
}

// CommentLine is one comment.
type CommentLine struct {
	ID      int64
	By      Link
	At      int64
	Body    string
	Delete  bool   // the reader wrote it
	Remove  bool   // the reader is a moderator
	Removed string // why a moderator removed it; only its author sees it then
}

// FavoritesPage is /favorites.
type FavoritesPage struct {
	Lists  []Link // the reader's collections
	Sounds []Sound
	Pager  Pager
}

func starOptions() []Option {
	return []Option{{Value: "5", Label: "5 stars"}, {Value: "4", Label: "4 stars"}, {Value: "3", Label: "3 stars"}, {Value: "2", Label: "2 stars"}, {Value: "1", Label: "1 star"}}
}

func commentsTitle(n int) string {
	if n == 0 {
		return "Comments"
	}
	return Plural(n, "comment", "comments")
}

// paragraphs parts a plain text at its line ends.
func paragraphs(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return r == '\n' })
}
