package ui

import (
	"strings"

	"github.com/a-h/templ"
)

// flatLine is the waveform of nothing.
var flatLine = rowPaths(nil)[0]

// toneIcon is the icon beside a state's word.
func toneIcon(tone string) string {
	switch tone {
	case ToneGood:
		return "circle-check"
	case ToneWarn, ToneBad:
		return "triangle-alert"
	default:
		return "clock"
	}
}

// dataAttributes lets through data-* attributes only, so that a caller cannot smuggle a handler in.
func dataAttributes(attrs map[string]string) templ.Attributes {
	out := templ.Attributes{}
	for name, value := range attrs {
		if strings.HasPrefix(name, "data-") {
			out[name] = value
		}
	}
	return out
}

func headOf(t Table, i int) string {
	if i < len(t.Head) {
		return t.Head[i].Title
	}
	return ""
}

func avatarSize(size int) string {
	switch {
	case size >= 72:
		return "big"
	case size > 0 && size < 40:
		return "small"
	default:
		return ""
	}
}
