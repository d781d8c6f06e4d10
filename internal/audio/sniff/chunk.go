package sniff

import "bytes"

// Padded tells whether the bytes that follow a chunk of odd length in a RIFF or AIFF file begin with its padding byte. The
// standards ask for one (Multimedia Programming Interface 1.0 §2, EA IFF 85 §3); many programs leave it out, and read files
// without it. next is what follows, 5 bytes or more where the file has them.
func Padded(next []byte) bool {
	if len(next) < 5 {
		return len(next) > 0 && next[0] == 0
	}
	// A padding byte may be anything, so the chunk that is known to exist decides before the zero.
	for _, id := range []string{
		"data", "fmt ", "LIST", "fact", "bext", "iXML", "id3 ", "ID3 ", "JUNK", "junk", "PAD ", "FLLR", "cue ", "smpl", "inst", "_PMX", "axml", "chna", "ds64",
		"COMM", "SSND", "NAME", "AUTH", "(c) ", "ANNO", "COMT", "MARK", "INST", "FVER", "APPL", "CHAN",
	} {
		switch {
		case bytes.HasPrefix(next[1:], []byte(id)):
			return true
		case bytes.HasPrefix(next, []byte(id)):
			return false
		}
	}
	for _, c := range next[:4] {
		if c < ' ' || c > '~' { // no id begins here
			return true
		}
	}
	return false
}
