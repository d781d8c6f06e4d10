package ui

import "audiomicro/internal/audio/spectrum"

const (
	rowBars = spectrum.RowBars  // drawn 3 units apart: a grid of 360 x 32
	bigBars = spectrum.WideBars // drawn 3 units apart: a grid of 1260 x 200
)

// decodeRow reads the stored form of a row waveform; nil, drawn as a flat line, when it is empty or damaged.
func decodeRow(s string) []spectrum.Bar {
	row, err := spectrum.DecodeRow(s)
	if err != nil {
		return nil // decorative: a flat line tells no lie about a sound whose length and title stand beside it
	}
	return row.Bars
}

// decodeBig reads the stored form of a big waveform; nil when it is empty or damaged.
func decodeBig(s string) []spectrum.WideBar {
	wide, err := spectrum.DecodeWide(s)
	if err != nil {
		return nil // as above
	}
	return wide.Bars
}
