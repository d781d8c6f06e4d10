package licensing

import (
	"bytes"
	"embed"
	"fmt"
	"io/fs"
	"strings"
	"text/template"

	"audiomicro/internal/licensing/certificate"
)

// Terms are a license's conditions as fields.
type Terms = certificate.Terms

// Unlimited is the value of a limit in Terms that there is none.
const Unlimited = certificate.Unlimited

// Kind says whether a license costs money.
type Kind string

// The kinds of licenses.
const (
	Free Kind = "free"
	Paid Kind = "paid"
)

// Model is a kind of license that contributors may offer: an operator's data, not code. What is legal in it (name, summary,
// terms, text) has a version; prices, floor and whether it is offered do not.
type Model struct {
	Code        string
	Kind        Kind
	Version     int64
	Name        string
	Summary     string // one line
	Terms       Terms
	Text        string // the agreement, Markdown
	TextSHA256  string // hex, of Text
	Deed        string // public address of the license, for those that are not this site's; with http:// as Freesound's clients expect
	ImportsOnly bool   // not offered to contributors, only kept for imported recordings
	MusicMinor  int64  // default price of music, minor units
	SFXMinor    int64  // default price of everything else
	FloorMinor  int64  // lowest price a contributor may ask
	Active      bool   // offered for new sales and new offers
	Position    int64  // order in lists: from the narrowest to the widest
	CreatedAt   int64  // of this version, unix microseconds
}

// IsFree tells whether the license costs nothing.
func (m Model) IsFree() bool { return m.Kind == Free }

// DefaultMinor is the price proposed for a recording of a category (Broad Sound Taxonomy code): music for music and
// instrument samples, sound effects for everything else.
func (m Model) DefaultMinor(category string) int64 {
	if strings.HasPrefix(category, "m-") || strings.HasPrefix(category, "is-") {
		return m.MusicMinor
	}
	return m.SFXMinor
}

//go:embed text/*.md
var texts embed.FS

// open are the terms that all free licenses share.
var open = Terms{
	Projects: Unlimited, Seats: Unlimited, Audience: Unlimited, Copies: Unlimited, AdReach: Unlimited,
	Commercial: true, Broadcast: true, Theatrical: true, ClientWork: true, Standalone: true, Territory: "worldwide",
}

// Defaults are the license models of a new instance, in the order in which they are listed. floor is the lowest price of every
// paid one, in minor units.
func Defaults(floor int64) ([]Model, error) {
	attribution := open
	attribution.Attribution = true
	shareAlike := attribution
	shareAlike.ShareAlike = true
	nonCommercial := attribution
	nonCommercial.Commercial, nonCommercial.AdReach, nonCommercial.ClientWork = false, 0, false
	paid := func(t Terms) Terms {
		t.Commercial, t.Territory, t.Performance, t.AITraining = t.ClientWork, "worldwide", certificate.Forbidden, certificate.Forbidden
		return t
	}
	models := []Model{
		{Code: "cc0", Kind: Free, Name: "CC0", Summary: "Use it for anything, no credit needed.", Terms: open, Deed: "http://creativecommons.org/publicdomain/zero/1.0/"},
		{Code: "cc-by-4.0", Kind: Free, Name: "CC BY 4.0", Summary: "Use it for anything, and credit the creator.", Terms: attribution, Deed: "http://creativecommons.org/licenses/by/4.0/"},
		{Code: "cc-by-nc-4.0", Kind: Free, Name: "CC BY-NC 4.0", Summary: "Credit the creator; nothing that earns money.", Terms: nonCommercial, Deed: "http://creativecommons.org/licenses/by-nc/4.0/"},
		{Code: "cc-by-3.0", Kind: Free, ImportsOnly: true, Name: "CC BY 3.0", Summary: "Use it for anything, and credit the creator.", Terms: attribution, Deed: "http://creativecommons.org/licenses/by/3.0/"},
		{Code: "cc-by-sa-4.0", Kind: Free, ImportsOnly: true, Name: "CC BY-SA 4.0", Summary: "Credit the creator and share your work alike.", Terms: shareAlike, Deed: "http://creativecommons.org/licenses/by-sa/4.0/"},
		{Code: "cc-by-sa-3.0", Kind: Free, ImportsOnly: true, Name: "CC BY-SA 3.0", Summary: "Credit the creator and share your work alike.", Terms: shareAlike, Deed: "http://creativecommons.org/licenses/by-sa/3.0/"},
		{Code: "mit", Kind: Free, ImportsOnly: true, Name: "MIT", Summary: "Use it for anything, and keep the copyright notice.", Terms: attribution, Deed: "https://opensource.org/license/mit"},
		{Code: "public-domain", Kind: Free, ImportsOnly: true, Name: "Public domain", Summary: "Free of known copyright.", Terms: open, Deed: "http://creativecommons.org/publicdomain/mark/1.0/"},
		{Code: "personal", Kind: Paid, Name: "Personal", Summary: "One project of your own that earns nothing.", MusicMinor: 900, SFXMinor: 100,
			Terms: paid(Terms{Projects: 1, Seats: 1, Copies: 100})},
		{Code: "standard", Kind: Paid, Name: "Standard", Summary: "Web, social and client work, one project, paid ads up to 100,000 people.", MusicMinor: 1900, SFXMinor: 300,
			Terms: paid(Terms{Projects: 1, Seats: 1, Copies: 10_000, AdReach: 100_000, ClientWork: true})},
		{Code: "broadcast-1m", Kind: Paid, Name: "Broadcast 1M", Summary: "Broadcast and ads up to one million people, 100,000 copies.", MusicMinor: 5900, SFXMinor: 900,
			Terms: paid(Terms{Projects: 1, Seats: 5, Copies: 100_000, AdReach: 1_000_000, Audience: 1_000_000, Broadcast: true, ClientWork: true})},
		{Code: "broadcast-10m", Kind: Paid, Name: "Broadcast 10M & Film", Summary: "Broadcast and ads up to ten million people, cinema, a million copies.", MusicMinor: 14900, SFXMinor: 1900,
			Terms: paid(Terms{Projects: 1, Seats: 5, Copies: 1_000_000, AdReach: 10_000_000, Audience: 10_000_000, Broadcast: true, Theatrical: true, ClientWork: true})},
		{Code: "unlimited", Kind: Paid, Name: "Unlimited", Summary: "No limits of reach, copies or projects, with a signed contract.", MusicMinor: 39900, SFXMinor: 4900,
			Terms: paid(Terms{Projects: Unlimited, Seats: Unlimited, Copies: Unlimited, AdReach: Unlimited, Audience: Unlimited, Broadcast: true, Theatrical: true, ClientWork: true, Contract: true})},
	}
	for i := range models {
		m := &models[i]
		m.Version, m.Active, m.Position = 1, true, int64(10*(i+1))
		if m.Kind == Paid {
			m.FloorMinor = min(floor, m.SFXMinor)
		}
		var err error
		if m.Text, err = defaultText(*m); err != nil {
			return nil, err
		}
		m.TextSHA256 = textHash(m.Text)
	}
	return models, nil
}

// defaultText is the text of a model that the program ships: a file of its own for free licenses, one template filled from the
// terms for paid ones, so that text and fields can't contradict each other.
func defaultText(m Model) (string, error) {
	if m.Kind == Free {
		b, err := fs.ReadFile(texts, "text/"+m.Code+".md")
		return string(b), err
	}
	t, err := template.ParseFS(texts, "text/paid.md")
	if err != nil {
		return "", fmt.Errorf("read license text: %w", err)
	}
	var out bytes.Buffer
	if err := t.Execute(&out, words(m)); err != nil {
		return "", fmt.Errorf("write license text %s: %w", m.Code, err)
	}
	return out.String(), nil
}

// wording is what the template of paid licenses is filled with.
type wording struct {
	Model
	ProjectsText, TermText, TerritoryText, SeatsText, PerformanceText string
	Uses, Bans                                                        []string
}

func words(m Model) wording {
	t := m.Terms
	w := wording{Model: m, ProjectsText: "in the one project named on your certificate", TermText: ", without end", TerritoryText: "anywhere in the world",
		SeatsText:       "Anyone who works on the project for you may use the file for it.",
		PerformanceText: "The license covers the synchronization and the copying of the sound. Royalties for public performance and broadcast are not part of it: where the contributor is a member of a collecting society, the broadcaster or the venue reports and pays them as usual; your certificate names what a cue sheet asks for.",
	}
	if t.Projects == Unlimited {
		w.ProjectsText = "in any number of projects"
	} else if t.Projects > 1 {
		w.ProjectsText = fmt.Sprintf("in up to %d projects", t.Projects)
	}
	if t.TermMonths > 0 {
		w.TermText = " for " + strings.ToLower(t.Duration())
	}
	if t.Territory != "" && t.Territory != "worldwide" {
		w.TerritoryText = "in " + t.Territory
	}
	switch {
	case t.Seats == 1:
		w.SeatsText = "One person works with the file itself. Who edits or mixes the finished project may receive it inside the project's session."
	case t.Seats > 1:
		w.SeatsText = fmt.Sprintf("Up to %d people may work with the file itself.", t.Seats)
	}
	if t.Performance == certificate.Allowed {
		w.PerformanceText = "Public performance of the project is part of this license; nothing is owed to a collecting society for it."
	}
	for _, line := range t.Covered() {
		if line != "Edits, loops, mixes" {
			w.Uses = append(w.Uses, line+".")
		}
	}
	if t.ClientWork {
		w.Uses = append(w.Uses, "You may make the project for a client and hand it over; the client may use it as this license allows. The license then stays with the project.")
	}
	if !t.Commercial {
		w.Bans = append(w.Bans, "Do not use it in work that earns money, advertises something or is made for a client.")
	}
	if !t.Broadcast {
		w.Bans = append(w.Bans, "Do not broadcast the project on television, radio or a subscription streaming service.")
	}
	if !t.Theatrical {
		w.Bans = append(w.Bans, "Do not show the project in cinemas for money.")
	}
	if t.AdReach == 0 {
		w.Bans = append(w.Bans, "Do not use the project in paid advertising.")
	}
	return w
}
