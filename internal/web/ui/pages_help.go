package ui

import "strings"

// homeCount is the fact under the headline: "48,210 recordings from 1,932 people."
func homeCount(p HomePage) string {
	return Plural(p.Recordings, "recording", "recordings") + " from " + Plural(max(p.People, 1), "person", "people") + "."
}

func homeEmpty(p HomePage) Empty {
	e := Empty{Title: "No recording is published yet", Text: "The first one appears here as soon as it is reviewed.", Out: &Link{Text: "Sign up", URL: "/sign-up"}}
	if p.CanUpload {
		e.Out = &Link{Text: "Upload recordings", URL: "/upload"}
	}
	return e
}

// keyClass places a key of the octave: white keys fill the row, black ones lie over it.
func keyClass(label string) string {
	note := strings.TrimSpace(label)
	sharp := strings.ContainsAny(note, "♯#♭")
	if note == "" {
		return "white"
	}
	if sharp {
		return "black k-" + strings.ToLower(note[:1])
	}
	return "white"
}

func withSize(a Avatar, size int) Avatar {
	a.Size = size
	return a
}

// chosenOffer is the paid offer a card starts with: the one marked Selected, else the first.
func chosenOffer(l LicenseBox) string {
	for _, o := range l.Paid {
		if o.Selected {
			return o.Code
		}
	}
	if len(l.Paid) > 0 {
		return l.Paid[0].Code
	}
	return ""
}
