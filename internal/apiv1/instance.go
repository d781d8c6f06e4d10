package apiv1

import (
	"context"

	"audiomicro/internal/access"
	"audiomicro/internal/audio/taxonomy"
	"audiomicro/internal/recordings"
)

// Instance is what this site is and takes.
type Instance struct {
	Name        string     `json:"name"`
	URL         string     `json:"url" format:"uri"`
	Currency    string     `json:"currency" doc:"Of every price here."`
	Reviewed    bool       `json:"reviewed" doc:"People look at recordings before they are published."`
	MembersOnly bool       `json:"members_only_previews" doc:"Visitors hear the first seconds only."`
	MP3         bool       `json:"mp3_previews"`
	Recordings  int        `json:"recordings" doc:"How many are published."`
	Formats     []Format   `json:"formats"`
	Limits      Bounds     `json:"limits"`
	Providers   []Provider `json:"payment_providers"`
	Categories  []Category `json:"categories" doc:"The Broad Sound Taxonomy."`
	Rights      string     `json:"rights_declaration" doc:"What a contributor declares of every recording."`
}

// Format is a kind of file.
type Format struct {
	Name  string `json:"name"`
	Taken bool   `json:"taken" doc:"Whether recordings in it are taken here, and sounds to search by."`
	By    string `json:"read_by,omitempty" enum:"AudioMicro,ffmpeg" doc:"What reads it; left out where nothing does."`
	Why   string `json:"why,omitempty" doc:"Why not."`
}

// Bounds are how large things may be.
type Bounds struct {
	FileBytes   int64   `json:"file_bytes"`
	Title       int     `json:"title" doc:"Characters."`
	Description int     `json:"description" doc:"Characters."`
	MinTags     int     `json:"min_tags"`
	MaxTags     int     `json:"max_tags"`
	ExampleSize int64   `json:"example_bytes" doc:"Of a sound to search by."`
	ExampleTime float64 `json:"example_seconds" doc:"How much of a sound to search by is listened to."`
}

// Provider is a way to pay.
type Provider struct {
	Code  string `json:"code"`
	Label string `json:"label"`
	Hint  string `json:"hint"`
}

func (f *Face) instanceOperations() {
	add(f, operation{route: "GET /site", id: "get-site", tag: tagSite, summary: "Read what this site is and takes", action: access.Look}, f.instance)
	add(f, operation{route: "GET /formats", id: "list-formats", tag: tagSite, summary: "List the formats that this site reads", action: access.Look, text: "Those that it refuses too, with the reason. They stand in `/site` as well."},
		func(ctx context.Context, _ *struct{}) (*body[List[Format]], error) {
			list := f.decoded(ctx)
			return answer(List[Format]{Items: list, Total: len(list)}), nil
		})
}

func (f *Face) instance(ctx context.Context, _ *struct{}) (*body[Instance], error) {
	published, err := f.Search.Len(ctx)
	if err != nil {
		return nil, err
	}
	out := Instance{
		Name: f.Site.Name, URL: f.Site.URL, Currency: f.Licensing.Currency, Reviewed: !f.Moderation.Off, MembersOnly: f.Listening.MembersOnly, MP3: f.Listening.MakeMP3 != nil,
		Recordings: published, Formats: f.decoded(ctx), Providers: []Provider{}, Rights: recordings.RightsText,
		Limits: Bounds{f.Uploads.MaxBytes, recordings.MaxTitle, recordings.MaxDescription, recordings.MinTags, recordings.MaxTags, f.Search.Ear.MaxBytes, f.Search.Ear.Seconds},
	}
	for _, p := range f.Payments.Providers {
		out.Providers = append(out.Providers, Provider{p.Name(), p.Label(), p.Hint()})
	}
	for _, c := range taxonomy.Categories() {
		out.Categories = append(out.Categories, Category{c.Code, c.Group, c.Leaf()})
	}
	return answer(out), nil
}

// decoded lists the formats that this instance reads.
func (f *Face) decoded(ctx context.Context) (out []Format) {
	ways, _ := f.Ingest.Ways(ctx)
	for _, way := range ways {
		format := Format{Name: way.Format, Taken: way.Why == "", Why: way.Why}
		switch {
		case way.Native:
			format.By = "AudioMicro"
		case format.Taken:
			format.By = "ffmpeg"
		}
		out = append(out, format)
	}
	return out
}
