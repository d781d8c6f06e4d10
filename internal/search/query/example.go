package query

// Kind is what a search by example compares.
type Kind string

// The kinds of examples; each is a parameter of the search page's address.
const (
	Like   Kind = "like"   // the sound as a whole
	Melody Kind = "melody" //
	Rhythm Kind = "rhythm" //
)

// Kinds lists the kinds of examples, the first that an address has counts.
func Kinds() []Kind { return []Kind{Like, Melody, Rhythm} }

// Example is a sound by which the hits are ordered. The zero Example is none.
type Example struct {
	Kind  Kind
	Value string // the measurements, as the package that compares them writes them
}

// maxExample bounds Example.Value: 96 events of two bytes in base64 take 256 characters.
const maxExample = 256

// Is tells whether there is an example.
func (e Example) Is() bool { return e.Kind != "" }
