package uploads

import "audiomicro/internal/personal"

// Personal declares what this domain's tables hold about people.
func Personal() personal.Declaration {
	own := personal.Column{Cat: personal.Content, Uses: []personal.Use{personal.RunService}, See: []personal.Audience{personal.Self}, Export: true, Erase: personal.Delete}
	return personal.Declaration{
		Domain: "uploads",
		Tables: []personal.Table{{
			Name: "upload", Subject: "upload.account_id", Why: "Files on their way, so that an interrupted upload goes on where it stopped.",
			Cols: personal.With(
				personal.Plain("id", "token", "received", "sha256_state", "md5_state", "accepted", "lease", "lease_node", "lease_until", "expires_at", "repeated"),
				personal.Group(own, "account_id", "file_name", "byte_size", "created_at", "finished_at", "sha256", "recording_id"),
			),
		}},
		Keys: []personal.BrowserKey{},
	}
}
