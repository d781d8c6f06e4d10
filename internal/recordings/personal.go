package recordings

import "audiomicro/internal/personal"

// Personal declares what this domain's tables hold about people.
func Personal() personal.Declaration {
	public := []personal.Audience{personal.Everyone}
	uses := []personal.Use{personal.Publish, personal.Sell}
	content := personal.Column{Cat: personal.Content, Uses: uses, See: public, Export: true, Rectify: true, Erase: personal.Delete}
	staff := personal.Column{Cat: personal.Moderation, Uses: []personal.Use{personal.Moderate}, See: []personal.Audience{personal.Self, personal.Moderators}, Export: true, Erase: personal.Delete}
	file := personal.Column{Cat: personal.Content, Uses: uses, See: []personal.Audience{personal.Self, personal.Moderators}, Export: true, Erase: personal.Delete}
	// Kept as precisely as the contributor types it, until the contributor takes it back or the recording goes; the file's own location is taken out
	// of uploads unless its contributor keeps it.
	place := personal.Column{Cat: personal.Location, Uses: []personal.Use{personal.Publish}, See: public, Export: true, Rectify: true, Erase: personal.Null}
	return personal.Declaration{Domain: "recordings", Tables: []personal.Table{
		{Name: "pack", Subject: "pack.owner_id", Why: "Recordings that belong together.", Cols: personal.With(
			personal.Plain("id", "name_folded", "created_at"), personal.Group(content, "owner_id", "name", "description"))},
		{Name: "recording", Subject: "recording.owner_id", Why: "The recordings that the site publishes and licenses.", Cols: personal.With(
			personal.Plain("id", "token", "processing", "processing_note", "progress", "paid", "downloads", "updated_at", "submit_when_ready", "marked"),
			personal.Group(content, "owner_id", "title", "description", "category", "pack_id", "ai_training", "credit", "source_url", "published_at", "created_at", "submitted_at"),
			personal.Group(place, "place_lat", "place_lon", "place_zoom"),
			personal.Group(staff, "state", "return_note"),
			personal.Group(file, "file_name", "sha256", "md5", "rights", "rights_at"),
			personal.Group(personal.Column{Cat: personal.Content, Uses: uses, See: public, Export: true, Erase: personal.Delete}, "byte_size", "container", "codec", "ext",
				"sample_rate", "channels", "bit_depth", "lossless", "seconds", "frames", "lufs", "loudness_range", "true_peak", "preview_lufs", "preview_true_peak", "tempo", "tempo_confidence", "musical_key",
				"key_confidence", "centroid", "loopable", "bars", "wave", "tones"))},
		{Name: "recording_tag", Subject: "recording_tag.recording_id -> recording.owner_id", Why: "The words under which a recording is found.", Cols: personal.With(
			personal.Plain("recording_id", "position"), personal.Group(content, "tag"))},
		{Name: "recording_media", Subject: "recording_media.recording_id -> recording.owner_id", Why: "Previews and pictures made from a recording.", Cols: personal.With(
			personal.Plain("recording_id", "name", "byte_size", "content_type", "created_at"), personal.Group(file, "sha256"))},
		{Name: "recording_analysis", Subject: "recording_analysis.recording_id -> recording.owner_id", Why: "What was measured, for search and for finding copies.", Cols: personal.With(
			personal.Plain("recording_id", "version", "described", "created_at"), personal.Group(file, "descriptors", "vector", "fingerprint", "pcm_sha256"))},
		{Name: "recording_contour", Subject: "recording_contour.recording_id -> recording.owner_id", Why: "Melody and rhythm, for searches by humming and beating.", Cols: personal.With(
			personal.Plain("recording_id", "version"), personal.Group(file, "melody", "rhythm"))},
		{Name: "recording_detail", Subject: "recording_detail.recording_id -> recording.owner_id", Why: "What a second, longer look measured.", Cols: personal.With(
			personal.Plain("recording_id", "version", "created_at"), personal.Group(file, "descriptors"))},
		{Name: "recording_measure", Subject: "recording_measure.recording_id -> recording.owner_id", Why: "What was measured, once more, as filters read it.", Cols: personal.With(
			personal.Plain("recording_id"), personal.Group(file, append(measures(), noteName)...))},
		{Name: "recording_print", Subject: "recording_print.recording_id -> recording.owner_id", Why: "Parts of a recording's fingerprint, for finding copies.", Cols: personal.With(
			personal.Plain("recording_id"), personal.Group(file, "item"))},
		{Name: "recording_unheard", Subject: "recording_unheard.recording_id -> recording.owner_id", Why: "Which originals the site cannot listen to any more, for its operator.", Cols: personal.With(
			personal.Plain("recording_id", "pass", "reason", "noted_at", "looked_at"))},
		{Name: "recording_edit", Subject: "recording_edit.recording_id -> recording.owner_id", Why: "What a recording said, and for how much it was offered, before that was changed.", Cols: personal.With(
			personal.Plain("id", "recording_id", "at"), personal.Group(file, "editor_id", "was"))},
	}}
}
