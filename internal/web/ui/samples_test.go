package ui_test

import (
	"fmt"
	"math/rand/v2"

	"audiomicro/internal/web/ui"
)

func sampleHome() ui.HomePage {
	kinds := []string{"Impacts", "Bells and metal", "Water and steam", "Percussion loops", "Hums and rooms", "Strings", "Machines", "Doors and objects"}
	tiles := make([]ui.Tile, len(kinds))
	for i, k := range kinds {
		tiles[i] = ui.Tile{Title: k, URL: "/search?category=x", Count: 1204 - 77*i, SpectrogramURL: fmt.Sprintf("/media/%d.png", i)}
	}
	return ui.HomePage{
		Recordings: 4821, People: 193, Try: []ui.Link{{Text: "door, wood", URL: "/search?q=door"}, {Text: "drone under 60 s", URL: "/search?q=drone"}, {Text: "free, CC0", URL: "/search?license=cc0"}},
		Featured: &ui.Featured{Sound: sound(2), SpectrogramURL: "/media/2.png", Why: "Recording of the day"},
		Kinds:    tiles, AllKinds: &ui.Link{Text: "All 82 kinds", URL: "/search"}, New: sounds(3, 9), NewNote: "137 today, reviewed by people", Popular: sounds(0, 4),
	}
}

func sampleFacets() []ui.Facet {
	keys := []string{"C", "C♯", "D", "D♯", "E", "F", "F♯", "G", "G♯", "A", "A♯", "B"}
	octave := make([]ui.FacetOption, 12)
	for i, k := range keys {
		octave[i] = ui.FacetOption{Value: k, Label: k, Count: i * 3 % 7, Selected: i == 4}
	}
	tones := make([]ui.FacetOption, 8)
	for i := range tones {
		tones[i] = ui.FacetOption{Value: fmt.Sprint(i), Label: fmt.Sprintf("Tone %d of 8", i+1), Count: 40 - (i-3)*(i-3)*2, Selected: i == 5}
	}
	return []ui.Facet{
		{Name: "category", Title: "Kind", Options: []ui.FacetOption{{Value: "fx-i", Label: "Impacts", Count: 412, Selected: true}, {Value: "m-p", Label: "Percussion", Count: 186}, {Value: "fx-o", Label: "Doors and objects", Count: 143}, {Value: "fx-w", Label: "Whooshes", Count: 0}}, More: &ui.Link{Text: "14 more", URL: "/search?all=category"}},
		{Name: "brightness", Title: "Brightness", Kind: ui.FacetBrightness, Options: tones},
		{Title: "Length", Kind: ui.FacetRange, Histogram: []int{3, 9, 20, 26, 24, 16, 11, 9, 7, 5, 4, 3, 2, 2, 1, 1}, MinName: "length_min", MaxName: "length_max", MinValue: "0.5", MaxValue: "15", Unit: "s", ChosenLo: 1, ChosenHi: 12},
		{Name: "license", Title: "License", Options: []ui.FacetOption{{Value: "standard", Label: "Standard", Count: 267}, {Value: "cc0", Label: "CC0", Count: 48}}},
		{Name: "key", Title: "Key", Kind: ui.FacetKey, Options: octave},
		{Name: "price", Title: "Price", Options: []ui.FacetOption{{Value: "free", Label: "Free", Count: 114}, {Value: "3", Label: "Up to $3", Count: 231}}, Closed: true},
	}
}

func sampleSearch() ui.SearchPage {
	list := sounds(0, 12)
	list[1].Note = &ui.Tag{Text: "New", Tone: ui.ToneSignal}
	list[3].Action, list[5].Action, list[5].ActionURL = ui.ActionInCart, ui.ActionOwned, "/library/1/download"
	list[7].Unavailable, list[7].PreviewURL = "being analyzed", ""
	return ui.SearchPage{
		Query: "drum", Heading: "drum", Total: 412, Facets: sampleFacets(), ResetURL: "/search?q=drum",
		Chips: []ui.Chip{{Label: "Kind", Value: "Impacts", Remove: "/search?q=drum"}, {Label: "Length", Value: "0.5–15 s", Remove: "/search?q=drum"}},
		Sorts: []ui.Option{{Value: "relevance", Label: "Best match", Selected: true}, {Value: "new", Label: "Newest"}}, Sounds: list,
		Pager: ui.Pager{Page: 1, Pages: 9, Next: "/search?q=drum&page=2", Links: []ui.Link{{Text: "1", URL: "/search?q=drum", Current: true}, {Text: "2", URL: "/search?q=drum&page=2"}, {Text: "…"}, {Text: "9", URL: "/search?q=drum&page=9"}}},
	}
}

var sampleTech = []ui.Fact{{Label: "Format", Value: "WAV, 96 kHz, 24 bit, stereo"}, {Label: "Length", Value: "0:08.0"}, {Label: "Tempo", Value: "112 BPM"}, {Label: "Loudness", Value: "−18.4 LUFS, peak −1.2 dBTP"}, {Label: "AI training", Value: "Not allowed"}}

func sampleRecording() ui.RecordingPage {
	return ui.RecordingPage{
		Scope: scopeOf(2), Byline: []ui.Link{{Text: "Seville, Spain"}, {Text: "Rooms with one player", URL: "/packs/1"}},
		DescriptionHTML: "<p>Two small condensers at forearm height, one room pair three meters back. The loop closes on beat one with the tail folded in, so it repeats without a seam.</p>",
		Tags:            []ui.Link{{Text: "hand drum", URL: "/search?tag=x"}, {Text: "loop", URL: "/search?tag=loop"}, {Text: "dry room", URL: "/search?tag=dry"}}, Tech: sampleTech,
		License: ui.LicenseBox{RecordingID: 40002, CompareURL: "/licenses", Helper: &ui.Link{Text: "Compare what each covers", URL: "/licenses"}, Paid: []ui.Offer{
			{Code: "personal", Name: "Personal", Price: "$4", Summary: "One private project. No client, no ads."}, {Code: "standard", Name: "Standard", Price: "$9", Summary: "Web, social and client work. One project, 10,000 copies, ads up to 100,000 people.", Selected: true}, {Code: "broadcast-1m", Name: "Broadcast 1M", Price: "$19", Summary: "Radio, TV and games up to 1 million people. Five seats."}}},
		Contributor: ui.PersonCard{Avatar: ui.Avatar{Name: "Tomas Vega", Tones: [8]uint8{120, 200, 255, 180, 90, 60, 40, 20}}, Name: "Tomas Vega", URL: "/people/x", Text: "214 sounds, since 2024"},
		Credit:      `"Hand drum circle, two bars" by Tomas Vega, audiomicro.example/recordings/40002`, Similar: sounds(3, 4), SimilarURL: "/search?similar=40002",
		History: []ui.LogLine{{At: noon, Who: "Tomas Vega", Text: "Title changed"}}, Stats: []ui.Fact{{Label: "Downloads", Value: "31"}, {Label: "Published", Value: "23 Nov 2026"}},
	}
}

func sampleFree() ui.RecordingPage {
	p := sampleRecording()
	p.Scope = scopeOf(1)
	p.Scope.SpectrogramURL = ""
	p.License = ui.LicenseBox{RecordingID: 40001, Free: []ui.Offer{{Code: "cc-by-4.0", Name: "CC BY 4.0", Summary: "Any use, also commercial, with the credit line.", URL: "/licenses/cc-by-4.0"}}, FreeURL: "/recordings/40001/download", Owned: []ui.Fact{{Label: "CC BY 4.0", Value: "23 Nov 2026", URL: "/library"}}, OwnedURL: "/library/1/download"}
	p.Note = &ui.Note{Tone: ui.ToneWarn, Lead: "In review.", Text: "Only you and moderators see this page."}
	p.Actions = []ui.Button{{Label: "Edit", Icon: "pencil-line", URL: "/recordings/40001/edit"}}
	p.Forms = []ui.RowForm{{Action: "/recordings/40001/unpublish", Button: ui.Button{Label: "Unpublish", Kind: "stop"}}}
	p.History = nil
	return p
}

func samplePacks() []ui.PackCard {
	return []ui.PackCard{{Title: "Rooms with one player", URL: "/packs/1", By: "Tomas Vega", Count: 12, Bars: []string{shapes[2].row(1), shapes[0].row(2), shapes[3].row(3)}}, {Title: "Iron", URL: "/packs/2", By: "field station", Count: 1, Bars: []string{shapes[1].row(4)}}}
}

func sampleProfile() ui.ProfilePage {
	return ui.ProfilePage{Avatar: ui.Avatar{Name: "Ines Kato", Tones: [8]uint8{20, 60, 90, 140, 190, 220, 255, 190}}, Name: "Ines Kato", Tagline: "Bells, glass and other things that ring. Kobe.", Facts: "member since May 2024 · 212 sounds, 14 packs", AboutHTML: "<p>I record what rings.</p>",
		About: []ui.Fact{{Label: "Country", Value: "Japan"}, {Label: "Joined", Value: "May 2024"}}, Sounds: sounds(0, 4), Packs: samplePacks(), Spectrum: [8]uint8{20, 60, 90, 140, 190, 220, 255, 190}, SpectrumOf: "average of 212 sounds", Own: true}
}

func sampleUpload() ui.UploadPage {
	return ui.UploadPage{MaxBytes: 2e9, Accepted: "WAV, AIFF, FLAC, MP3, Ogg Vorbis and Opus.", DescribeURL: "/upload/describe?ids=1,2", Drafts: []ui.Draft{
		{ID: 1, FileName: "BELL_HALL_01.wav", Title: "Bell hall 01", Bytes: 4200000, Seconds: 6.7, Bars: shapes[0].row(1), State: "ready", StateText: "Ready to describe", URL: "/upload/describe?ids=1", PreviewURL: "/media/0.wav", DeleteURL: "/upload/1/delete"},
		{ID: 2, FileName: "DRUM_CIRCLE.flac", Bytes: 18200000, State: "analyzing", StateText: "Analyzing, 64 %", Percent: 64, DeleteURL: "/upload/2/delete"},
		{ID: 3, FileName: "notes.pdf", Bytes: 81000, State: "failed", StateText: "Not a sound: this is a PDF. This site takes WAV, AIFF, FLAC, MP3, Ogg Vorbis and Opus.", DeleteURL: "/upload/3/delete"},
	}}
}

var sampleCategories = []ui.Option{{Value: "", Label: "Choose"}, {Value: "m-p", Label: "Percussion", Group: "Music"}, {Value: "is-p", Label: "Piano", Group: "Instrument samples"}, {Value: "fx-o", Label: "Objects", Group: "Sound effects"}}

func sampleBatch() ui.BatchPage {
	p := ui.BatchPage{IDs: "1,2,3", Saved: "Saved 4 seconds ago.", Categories: sampleCategories, Licenses: []ui.Option{{Value: "standard", Label: "Standard"}, {Value: "cc-by-4.0", Label: "CC BY 4.0"}}, Packs: []string{"Rooms"}, CSVURL: "/upload/describe.csv?ids=1", CSVApply: "/upload/describe.csv", SaveURL: "/upload/describe/save", Ready: 8, NeedYou: 4, Uploading: 1, Currency: "USD",
		Problems: []ui.Link{{Text: "BELL_TEMPLE_01: two more tags", URL: "#f-tags.3"}, {Text: "TILL_DRAWER: title and tags", URL: "#f-title.4"}}}
	r := rand.New(rand.NewPCG(1, 1))
	for i := range 10 {
		row := ui.BatchRow{ID: int64(i + 1), Sound: sound(i), FileName: fmt.Sprintf("TAKE_%02d_LONG_NAME.wav", i), Title: shapes[i].title, Tags: "drum, wood, loop", Category: "m-p", License: "standard", Price: fmt.Sprint(1 + r.IntN(8)), Check: ui.Tag{Text: "Ready", Tone: ui.ToneGood}, EditURL: fmt.Sprintf("/upload/describe?ids=%d", i+1)}
		if i == 3 {
			row.Title, row.Tags, row.Check = "", "", ui.Tag{Text: "Title, tags", Tone: ui.ToneBad}
			row.Errors = map[string]string{"title": "Add a title", "tags": "At least 3"}
		}
		if i == 9 {
			row.Busy, row.Percent, row.Title, row.Tags, row.Check = true, 64, "", "", ui.Tag{Text: "64 %, 0:18 left", Icon: "upload"}
		}
		p.Rows = append(p.Rows, row)
	}
	return p
}

func sampleDescribe() ui.DescribePage {
	return ui.DescribePage{Title: "Describe BELL_HALL_01.wav", Intro: "Nothing is public until it is reviewed.", Sound: sound(0), Action: "/upload/describe",
		Fields: []ui.Field{{Name: "title", Label: "Title", Value: "Hall bell", Wide: true}, {Name: "description", Label: "Description", Type: "textarea", Wide: true, Hint: "Markdown."}, {Name: "category", Label: "Kind", Type: "select", Options: sampleCategories, Value: "fx-o"}, {Name: "tags", Label: "Tags", Value: "bell", Hint: "3 to 30, comma between."}, {Name: "pack", Label: "Pack", Optional: true}},
		Offers: []ui.OfferChoice{{Code: "cc-by-4.0", Name: "CC BY 4.0", Summary: "Free for any use with credit.", Free: true}, {Code: "standard", Name: "Standard", Summary: "Web, social and client work.", Checked: true, Price: "3", Floor: "at least $1"}, {Code: "broadcast-1m", Name: "Broadcast 1M", Summary: "Up to one million people.", Price: "0.5", Floor: "at least $1", Error: "Below the floor of $1."}},
		Errors: []ui.FormError{{Field: "tags", Text: "Two more tags."}, {Field: "price-broadcast-1m", Text: "Broadcast 1M: at least $1."}}, Personal: []ui.PersonalField{{Key: "bext.Originator", Source: "BWF bext", Name: "Originator", Value: "Ines Kato", Why: "A person's name."}},
		Rights: ui.Field{Name: "rights", Label: "I made this recording or have the right to license it.", Type: "checkbox"}, AITraining: ui.Field{Name: "ai", Label: "AI models may be trained on it.", Type: "checkbox", Hint: "Off unless you tick it."}, Save: "Save", Submit: "Submit for review", Tech: sampleTech, TagIdeas: []string{"metal", "strike"}}
}

func sampleMine() ui.MySoundsPage {
	return ui.MySoundsPage{Filters: []ui.Link{{Text: "All", URL: "/my-sounds", Count: "9", Current: true}, {Text: "Returned", URL: "/my-sounds?state=returned", Count: "1"}},
		Drafts: []ui.MySound{{Sound: sound(0), State: ui.Tag{Text: "Published", Tone: ui.ToneGood}, EditURL: "/recordings/1/edit", Forms: []ui.RowForm{{Action: "/recordings/1/unpublish", Button: ui.Button{Label: "Unpublish", Kind: "bare"}}}}, {Sound: sound(1), State: ui.Tag{Text: "Returned", Tone: ui.ToneWarn}, Note: "Wind noise from 0:01 on. Send a take without it.", EditURL: "/recordings/2/edit"}}}
}

func sampleLines() []ui.CartLine {
	models := []ui.Option{{Value: "personal", Label: "Personal"}, {Value: "standard", Label: "Standard", Selected: true}}
	return []ui.CartLine{{ID: "1", Sound: sound(2), Models: models, Price: "$9.00"}, {ID: "2", Sound: sound(0), Models: models, Price: "$3.00", Stale: "The price rose from $2 to $3."}, {ID: "3", Sound: sound(3), Models: models, Price: "$3.00"}}
}

func sampleCheckout() ui.CheckoutPage {
	return ui.CheckoutPage{Lines: sampleLines(), Fields: []ui.Field{{Name: "licensee", Label: "Licensee", Value: "Noor Haddad", Hint: "A person or a company"}, {Name: "company", Label: "Company", Optional: true}, {Name: "project", Label: "Project", Value: ""}},
		Billing: []ui.Field{{Name: "country", Label: "Country", Type: "select", Options: []ui.Option{{Value: "SE", Label: "Sweden", Selected: true}}}}, Providers: []ui.Option{{Value: "test", Label: "Test", Hint: "No money moves", Selected: true}, {Value: "manual", Label: "Invoice", Hint: "30 days"}},
		Errors: []ui.FormError{{Field: "project", Text: "Name the project."}}, Summary: []ui.Fact{{Label: "3 licenses", Value: "$15.00"}, {Label: "VAT, 25 %", Value: "$3.75"}}, Total: "$18.75", PayLabel: "Pay $18.75", Royalty: "$5.25 of this goes to the three people who made the sounds.", Terms: &ui.Link{Text: "license terms, version 1", URL: "/licenses/standard"}, Signed: "Signed in as Noor Haddad. Your cart is kept if anything fails.", Disclosure: "The provider sees your name, country and the sum, not what you license."}
}

func sampleOrder() ui.OrderPage {
	return ui.OrderPage{Number: "2026-00418", State: ui.Tag{Text: "Waits for payment", Tone: ui.ToneWarn}, At: noon, Total: "$18.75", Summary: []ui.Fact{{Label: "3 licenses", Value: "$15.00"}}, Facts: []ui.Fact{{Label: "Licensee", Value: "Noor Haddad"}}, Instructions: []ui.Fact{{Label: "Reference", Value: "AM-2026-00418", Mono: true}},
		Lines: []ui.OrderLine{{Sound: sound(2), Model: "Standard", Price: "$9.00"}, {Sound: sound(0), Model: "Standard", Price: "$3.00", Certificate: &ui.Link{Text: "7F3K-20QX", URL: "/verify/x"}, Download: &ui.Link{Text: "WAV", URL: "/library/1/download"}}}, Forms: []ui.RowForm{{Action: "/orders/1/cancel", Button: ui.Button{Label: "Cancel the order", Kind: "stop"}}}}
}

func sampleLibrary() ui.LibraryPage {
	item := func(i int, model string) ui.LibraryItem {
		return ui.LibraryItem{Sound: sound(i), Model: model, Certificate: &ui.Link{Text: "7F3K-20QX-88M1", URL: "/verify/x"}, At: noon, DownloadURL: "/library/1/download", FileType: "WAV"}
	}
	revoked := item(5, "Standard")
	revoked.Revoked = "Refunded"
	return ui.LibraryPage{Total: 64, Filters: []ui.Link{{Text: "All", URL: "/library", Count: "64", Current: true}, {Text: "Standard", URL: "/library?model=standard", Count: "51"}}, Sorts: []ui.Option{{Value: "project", Label: "By project", Selected: true}, {Value: "date", Label: "By date"}},
		Groups: []ui.LibraryGroup{{Title: "The Crossing, short film", Note: "3 sounds", Items: []ui.LibraryItem{item(2, "Standard"), item(0, "Broadcast 1M"), revoked}}, {Title: "No project", Note: "1 sound", Items: []ui.LibraryItem{item(1, "CC BY")}}}}
}

func sampleCertificate() ui.CertificatePage {
	r := rand.New(rand.NewPCG(2, 2))
	qr := make([][]bool, 29)
	for y := range qr {
		qr[y] = make([]bool, 29)
		for x := range qr[y] {
			qr[y][x] = r.IntN(2) == 0
		}
	}
	return ui.CertificatePage{Number: "7F3K20QX-88M1ZRTA-55PQ", IssuedAt: noon, Issuer: "AudioMicro", Title: shapes[2].title, By: "Tomas Vega", RecordingURL: "/recordings/40002", RecordingRef: "recordings/40002", BigBars: shapes[2].wide(2), Licensee: "Noor Haddad, Northern Tide AB", Project: "The Crossing, short film", License: "Standard, terms version 1", Term: "Perpetual, worldwide",
		Covered: []string{"Web, social and client work", "Paid ads, up to 100,000 people", "Up to 10,000 copies"}, NotCovered: []string{"Reselling the sound alone", "Broadcast, cinema", "Training of AI models"}, Hashes: []ui.Fact{{Label: "File SHA-256", Value: "9c417be20d5f88a144c0f1d36a27b95e03de71c85512ea904b6f2dd1a83c6e0f"}, {Label: "Terms SHA-256", Value: "51aa0e7dc3f29b1466d820b5fe317c49d0a688173f5ec2bb19e470ad5d684ac3"}, {Label: "Signed, Ed25519", Value: "Qm2xv8Tf0LrK7dJsuW1pZyE4hN9caGb3XoVi6Rk5tMqDCwUePfHl2Sj0AzYnB8g="}},
		Warranty: "The contributor warrants that the recording is original and cleared. Anyone can check this page, or the file offline with the public key.", QR: qr, VerifyURL: "https://audiomicro.example/verify/x", Valid: true, Status: "Valid and signed", StatusText: "The signature matches this site's key, and the license is not revoked.", Facts: []ui.Fact{{Label: "Downloads", Value: "1"}, {Label: "Order", Value: "2026-00418", URL: "/orders/1"}}, Actions: []ui.Button{{Label: "JSON", Icon: "file-text", URL: "/verify/x.json", Native: true}, {Label: "PDF", Icon: "download", URL: "/verify/x.pdf", Kind: "main", Native: true}}, Credit: `"Hand drum circle" by Tomas Vega`, Crumb: &ui.Link{Text: "Library", URL: "/library"}}
}

func sampleEarnings() ui.EarningsPage {
	p := ui.EarningsPage{CSVURL: "/earnings.csv", Ranges: []ui.Option{{Value: "12", Label: "Last 12 months", Selected: true}}, Stats: []ui.Stat{{Label: "Payable now", Figure: "$412.80", Text: "from 61 licenses"}, {Label: "On hold", Figure: "$96.50", Text: "may still be refunded"}, {Label: "This month", Figure: "$380.00", Text: "31 licenses"}, {Label: "Your share", Figure: "35 %", Text: "of the net price"}},
		Ticks: []ui.Tick{{Label: "$0", Height: 0}, {Label: "$200", Height: .5}, {Label: "$400", Height: 1}},
		Sold:  ui.Table{Caption: "What sold", Head: []ui.Column{{Title: "Sound"}, {Title: "Wave"}, {Title: "Licenses", Figure: true}, {Title: "You earned", Figure: true}}}}
	for i, m := range []string{"Dec", "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov"} {
		p.Months = append(p.Months, ui.MonthBar{Label: m, Amount: fmt.Sprintf("$%d.00", 100+i*25), Height: float64(100+i*25) / 400})
	}
	for i := range 4 {
		p.Sold.Rows = append(p.Sold.Rows, []ui.Cell{{Text: shapes[i].title, URL: "/recordings/1"}, {Bars: shapes[i].row(1)}, {Text: fmt.Sprint(61 - i*9)}, {Text: fmt.Sprintf("$%d.50", 274-i*50)}})
	}
	return p
}

func sampleReview() ui.ReviewPage {
	p := ui.ReviewPage{Waiting: 23, Oldest: "oldest waits 19 h"}
	for i := range 7 {
		p.Queue = append(p.Queue, ui.ReviewItem{Sound: sound(i), URL: fmt.Sprintf("/review/%d", i), Age: fmt.Sprintf("%d h", 19-i), Current: i == 2})
	}
	p.Case = &ui.ReviewCase{Scope: scopeOf(2), By: ui.Link{Text: "Tomas Vega", URL: "/people/x"}, Sent: "uploaded 18 hours ago", Flag: &ui.Tag{Text: "Possible duplicate", Tone: ui.ToneWarn}, DescriptionHTML: "<p>Two bars.</p>", Tags: []ui.Link{{Text: "drum", URL: "/search?tag=drum"}}, Facts: sampleTech,
		Matches: []ui.ReviewMatch{{Sound: sound(5), Why: "98 % the same fingerprint", Facts: []ui.Fact{{Label: "Format", Value: "MP3, 128 kbit/s"}}}}, Reasons: []ui.Option{{Value: "", Label: "Choose"}, {Value: "noise", Label: "Noise or damage"}}, Action: "/review/2", Uploader: []ui.Fact{{Label: "Member", Value: "2 days"}, {Label: "Uploads", Value: "4"}}, Log: []ui.LogLine{{At: noon, Text: "Duplicate check"}}, NextURL: "/review/3"}
	return p
}

func sampleLicenses() ui.LicensesPage {
	return ui.LicensesPage{Intro: "Pay once, use for good. Prices are the contributor's; these are the usual ones.",
		Paid:    []ui.LicenseCard{{Name: "Personal", URL: "/licenses/personal", Price: "from $1", Summary: "Private projects.", Covered: []string{"One project"}, NotCovered: []string{"Client work"}}, {Name: "Standard", URL: "/licenses/standard", Price: "from $3", Summary: "Web, social and client work.", Covered: []string{"Web and social", "10,000 copies"}, NotCovered: []string{"Broadcast"}}},
		Free:    []ui.LicenseCard{{Name: "CC0", URL: "/licenses/cc0", Price: "Free", Summary: "Any use.", Covered: []string{"Everything"}}},
		Compare: ui.Table{Caption: "Licenses compared", Head: []ui.Column{{Title: "License"}, {Title: "Copies", Figure: true}}, Rows: [][]ui.Cell{{{Text: "Standard", URL: "/licenses/standard"}, {Text: "10,000"}}}}}
}
