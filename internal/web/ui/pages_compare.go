package ui

// ComparePage is /compare?a=ID&b=ID.
type ComparePage struct {
	Intro   string
	Actions []Button
	Sides   []CompareSide // one or two
	Table   Table         // what the two are, with what differs; empty with one
	Choose  bool          // the second is to be chosen
	First   string        // the first's number
	With    []Link        // sounds that come close, each leading to the comparison with it
}

// CompareSide is one of the two.
type CompareSide struct {
	Scope Scope
	Drop  string // the comparison without it; empty when it is alone
}

func sideLetter(i int) string { return string(rune('A' + i)) }
