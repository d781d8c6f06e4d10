package web

// BrowserKey is something that scripts keep in the reader's browser (localStorage); nothing of it is sent to the server.
type BrowserKey struct {
	Name  string // a name that ends in "." is a prefix
	Holds string // what, in words for the policy's table
	Until string // when it goes
}

// BrowserKeys are all keys that the scripts of this site write. A test compares them with the scripts.
func BrowserKeys() []BrowserKey {
	return []BrowserKey{
		{"am.volume", "the player's volume", "until you clear it"},
		{"am.muted", "whether the player is muted", "until you clear it"},
		{"am.keys", "whether single-letter keys are on", "until you clear it"},
		{"am.view", "waveform, spectrogram or both on a recording's page", "until you clear it"},
		{"am.up.", "name, size and address of an upload that is not finished, so that it can go on after a reload", "until the upload is finished or forgotten"},
	}
}
