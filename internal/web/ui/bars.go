package ui

// decodeRow reads the stored form of a row waveform; nil when it is damaged.
func decodeRow(s string) []Bar {
	if len(s)%2 != 0 || len(s)/2 != rowBars {
		return nil
	}
	bars := make([]Bar, rowBars)
	for i := range bars {
		bars[i] = Bar{Height: s[2*i] - 'a' + 1, Tone: s[2*i+1] - '0'}
	}
	return bars
}

// decodeBig reads the stored form of a big waveform; nil when it is damaged.
func decodeBig(s string) []BigBar {
	if len(s)%3 != 0 || len(s)/3 != bigBars {
		return nil
	}
	bars := make([]BigBar, bigBars)
	for i := range bars {
		bars[i] = BigBar{Min: -int8(s[3*i] - ' '), Max: int8(s[3*i+1] - ' '), Tone: s[3*i+2] - '0'}
	}
	return bars
}
