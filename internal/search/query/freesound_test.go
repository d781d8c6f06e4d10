package query_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"audiomicro/internal/search/query"
)

var now = time.Date(2026, 11, 23, 16, 30, 5, 0, time.UTC)

func TestFreesound(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"tag:nature duration:[1 TO 20]":             "and(tagword:nature length[1..20])",
		`type:wav AND -tag:"far away"`:              `and(type="wav" not(tagword:"far away"))`,
		"type:(wav OR aiff)":                        `or(type="wav" type="aiff")`,
		"tag:(rain AND night)":                      "and(tagword:rain tagword:night)",
		"type:wav OR type:aiff channels:2":          `or(type="wav" and(type="aiff" channels="2"))`,
		"(type:wav OR type:aiff) channels:2":        `and(or(type="wav" type="aiff") channels="2")`,
		`duration:"5"`:                              "length[5..5]",
		`id:"12"`:                                   `id="12"`,
		"id:(1 OR 2 OR 3)":                          `or(id="1" id="2" id="3")`,
		"samplerate:[44100 TO *]":                   "rate[44100..]",
		`license:"Attribution"`:                     `license="cc-by"`,
		`license:"Attribution Noncommercial"`:       `license="cc-by-nc"`,
		`license:"Creative Commons 0"`:              `license="cc0"`,
		`license: "Creative Commons 0" type:wav`:    `and(license="cc0" type="wav")`,
		`username:"Some One"`:                       `by="some one"`,
		`pack_grouping:"123_My pack"`:               `pack_id="123"`,
		`category:"Sound effects"`:                  `category="fx"`,
		`subcategory:"Animals"`:                     `category="fx-a"`,
		`category:"Animals"`:                        "or()",
		"created:[NOW-1YEAR/DAY TO NOW]":            "published[1763856000000000..1795451405000000]",
		"created:[2026-01-01T00:00:00Z TO *]":       "published[1767225600000000..]",
		"num_downloads:{10 TO 20}":                  "downloads[11..19]",
		"loudness:[-30 TO -10]":                     "loudness[-30..-10]",
		"loudness:-14":                              "loudness[-14..-14]",
		"NOT type:mp3":                              `not(type="mp3")`,
		"--type:mp3":                                `type="mp3"`,
		"+type:mp3 && tag:a || tag:b":               `or(and(type="mp3" tagword:a) tagword:b)`,
		`tonality:"C# minor"`:                       `key="C#m"`,
		"loopable:true":                             `loop="yes"`,
		"name:foot*":                                "title:foot*",
		"description:*":                             "and()",
		`name:"say \"hi\""`:                         `title:"say hi"`,
		"bpm:120":                                   "tempo[119.5..120.5]",
		"tag:ORANGE":                                "tagword:orange",
		`created:"[NOW-1YEAR/DAY TO NOW]"`:          "published[1763856000000000..1795451405000000]", // a client quotes ranges too
		`duration:"[1 TO 20]"`:                      "length[1..20]",
		`name:"[1 TO 20]"`:                          `title:"1 to 20"`,
		"is_remix:false":                            "and()",
		"is_explicit:true":                          "or()",
		"md5:0123ABC":                               `outside:md5="0123abc"`,
		"brightness:[10 TO *]":                      "outside:brightness[10..]",
		"log_attack_time:-1.5":                      "outside:log_attack_time[-1.5..-1.5]",
		`single_event:"true"`:                       `outside:single_event="true"`,
		"{!geofilt sfield=geotag pt=1,2 d=3} tag:a": `and(outside:geotag="1,2,3" tagword:a)`,
		`geotag:"Intersects(-74 40 -73 41)"`:        `outside:geotag="40,-74,41,-73"`,
		`geotag:["1,2" TO "3,4"]`:                   `outside:geotag="1,2,3,4"`,
		`geotag:"IsDisjointTo(170 -10 -170 10)"`:    `and(outside:geotag="*" not(outside:geotag="-10,170,10,-170"))`,
		"is_geotagged:true":                         `outside:geotag="*"`,
		"is_geotagged:0":                            `not(outside:geotag="*")`,
		"geotag:*":                                  `outside:geotag="*"`,
		`geotag:"1.5,-2"`:                           `outside:geotag="1.5,-2,1.5,-2"`,
		"{!bbox sfield=geotag pt=0,180 d=111.195}":  `outside:geotag="-1,179,1,-179"`,
		"{!bbox sfield=geotag pt=60,0 d=1111.95}":   `outside:geotag="50,-20.322037016506144,70,20.322037016506144"`, // 0.32 degrees beyond where the circle's middle is as wide
		"{!bbox sfield=geotag pt=89.9,0 d=100}":     `outside:geotag="89.00067898736455,-180,90,180"`,
	} {
		got, err := query.ParseFreesound(in, now)
		if err != nil || got.String() != want {
			t.Errorf("%s: %s, %v, want %s", in, got, err, want)
		}
	}
	const hint = " (please check that your filter syntax and field names are correct)"
	for _, c := range []struct {
		in   string
		kind query.FilterFault
		text string // the whole text, or its beginning and end where it says where
	}{
		{"", query.FilterEmpty, "Invalid filter."}, {"  ", query.FilterEmpty, "Invalid filter."},
		{"samplerate:x", query.FilterType, "Filter parsing error: 'samplerate' value must be int, got 'x'"},
		{"duration:[a TO 2]", query.FilterType, "Filter parsing error: 'duration' value must be float, got 'a'"},
		{"created:yesterday", query.FilterType, "Filter parsing error: 'created' value must be datetime, got 'yesterday'"},
		{"loopable:maybe", query.FilterType, "Filter parsing error: 'loopable' value must be bool, got 'maybe'"},
		{"id:[1 TO b]", query.FilterType, "Filter parsing error: 'id' value must be int, got 'b'"},
		{"duration:NaN", query.FilterType, "Filter parsing error: 'duration' value must be float, got 'NaN'"},
		{"tags:rain", query.FilterUnknown, "Search server error: undefined field tags" + hint},
		{"is_remix:x", query.FilterType, "Filter parsing error: 'is_remix' value must be bool, got 'x'"},
		{"num_comments:2.5", query.FilterType, "Filter parsing error: 'num_comments' value must be int, got '2.5'"},
		{"warmth:hot", query.FilterType, "Filter parsing error: 'warmth' value must be float, got 'hot'"},
		{"mfcc:1", query.FilterUnknown, "Search server error: undefined field mfcc" + hint},
		{"{!geofilt sfield=x pt=1,2 d=3}", query.FilterSyntax, ""}, {"{!geofilt sfield=geotag pt=91,2 d=3}", query.FilterSyntax, ""}, {"{!geofilt sfield=geotag pt=1,2}", query.FilterSyntax, ""},
		{`geotag:"Intersects(1 2 3)"`, query.FilterType, "Filter parsing error: 'geotag' value must be Intersects(minLon minLat maxLon maxLat), got 'Intersects(1 2 3)'"}, {"geotag:here", query.FilterType, "Filter parsing error: 'geotag' value must be lat,lon, got 'here'"}, {`geotag:["1,2" TO *]`, query.FilterType, "Filter parsing error: 'geotag' value must be lat,lon, got '1,2 TO *'"}, {"{!geofilt sfield=geotag", query.FilterSyntax, ""},
		{`geotag:["42,1" TO "41,2"]`, query.FilterSyntax, ""}, {`geotag:"Intersects(1 42 2 41)"`, query.FilterSyntax, ""},
		{"type:[a TO b]", query.FilterUnsupported, "Search server error: a range of type is not supported" + hint},
		{"rain", query.FilterSyntax, ""}, {"tag:", query.FilterSyntax, ""}, {`tag:"a`, query.FilterSyntax, ""}, {"(tag:a", query.FilterSyntax, ""}, {"tag:a)", query.FilterSyntax, ""},
		{"duration:[1 2]", query.FilterSyntax, ""}, {"duration:[1 TO 2", query.FilterSyntax, ""}, {"tag:a AND", query.FilterSyntax, ""}, {"OR tag:a", query.FilterSyntax, ""},
		{"tag:()", query.FilterSyntax, ""}, {strings.Repeat("(", 50) + "tag:a", query.FilterSyntax, ""}, {strings.Repeat("tag:a ", 101), query.FilterSyntax, ""},
		{strings.Repeat("tag:a ", 1000), query.FilterSyntax, ""},
	} {
		_, err := query.ParseFreesound(c.in, now)
		var fault *query.FilterError
		if !errors.As(err, &fault) || fault.Kind != c.kind {
			t.Errorf("%.40s: %v", c.in, err)
			continue
		}
		if c.text != "" && err.Error() != c.text || c.text == "" && (!strings.HasPrefix(err.Error(), "Search server error: ") || !strings.HasSuffix(err.Error(), hint)) {
			t.Errorf("%.40s: %q, want %q", c.in, err, c.text)
		}
	}
}

// FuzzFreesound: whatever the text, a filter or a *FilterError.
func FuzzFreesound(f *testing.F) {
	for _, s := range []string{"tag:nature duration:[1 TO 20]", `type:(wav OR aiff) -license:"Attribution"`, "created:[NOW-1YEAR/DAY TO NOW+2MONTHS]", "(a:b", `name:"x\`,
		"id:{1 TO *}", "NOT NOT tag:a", "tonality:(\"C minor\" OR Am)", "created:2026-01-01T00:00:00Z+999999YEARS", "num_downloads:99999999999999999999"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		filter, err := query.ParseFreesound(s, now)
		var fault *query.FilterError
		if err != nil && !errors.As(err, &fault) || err == nil && filter == nil {
			t.Fatalf("%q: %v, %v", s, filter, err)
		}
		_ = filter.String()
	})
}
