package query

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
)

// placeField is where a recording was made. Conditions on it are Equal leaves of a field that the index does not hold: their values are "*" (it
// is told), "LAT,LON,KM" (within so many kilometers), or "SOUTH,WEST,NORTH,EAST".
const placeField = "geotag"

// placed holds where a recording was made in an area.
func placed(numbers ...float64) *Filter {
	text := make([]string, len(numbers))
	for i, v := range numbers {
		text[i] = strconv.FormatFloat(v, 'f', -1, 64)
	}
	return Is(outsidePrefix+placeField, strings.Join(text, ","))
}

// point reads "LAT,LON" or "LAT LON".
func point(s string) (lat, lon float64, ok bool) {
	parts := strings.FieldsFunc(s, func(r rune) bool { return r == ',' || r == ' ' })
	if len(parts) != 2 {
		return 0, 0, false
	}
	lat, err := strconv.ParseFloat(parts[0], 64)
	lon, err2 := strconv.ParseFloat(parts[1], 64)
	return lat, lon, err == nil && err2 == nil && math.Abs(lat) <= 90 && math.Abs(lon) <= 180
}

// around reads {!geofilt sfield=geotag pt=LAT,LON d=KM}, the recordings around a place; with bbox it is the rectangle around that circle.
func (p *filterParser) around() (*Filter, error) {
	const known = "only {!geofilt sfield=geotag pt=LAT,LON d=KM} is known"
	end := strings.IndexByte(p.in[p.at:], '}')
	if end < 0 {
		return nil, p.fault("a closing brace is missing")
	}
	words := strings.Fields(p.in[p.at+2 : p.at+end])
	given := map[string]string{}
	for i, w := range words {
		if key, v, ok := strings.Cut(w, "="); ok && i > 0 {
			given[key] = v
		}
	}
	if len(words) == 0 || words[0] != "geofilt" && words[0] != "bbox" || given["sfield"] != placeField {
		return nil, p.fault(known)
	}
	lat, lon, ok := point(given["pt"])
	km, err := strconv.ParseFloat(given["d"], 64)
	if !ok || err != nil || !(km >= 0) || km > 50_000 { // more than the way around
		return nil, p.fault(known)
	}
	p.at += end + 1
	if words[0] == "geofilt" {
		return placed(lat, lon, km), nil
	}
	const kmOfDegree, rad = 111.195, math.Pi / 180
	high, wide := km/kmOfDegree, 180.0
	if math.Abs(lat)+high < 90 { // without a pole; the meridians that touch the circle do so nearer to the pole than its middle
		wide = math.Asin(math.Sin(high*rad)/math.Cos(lat*rad)) / rad
	}
	if wide >= 180 {
		return placed(math.Max(lat-high, -90), -180, math.Min(lat+high, 90), 180), nil
	}
	return placed(lat-high, turned(lon-wide), lat+high, turned(lon+wide)), nil
}

// turned brings a longitude beyond the date line back between -180 and 180.
func turned(lon float64) float64 {
	switch {
	case lon < -180:
		return lon + 360
	case lon > 180:
		return lon - 360
	}
	return lon
}

// place makes the condition of a value of geotag.
func (p *filterParser) place(value string) (*Filter, error) {
	if value == "*" {
		return Is(outsidePrefix+placeField, "*"), nil
	}
	if inner, ok := quotedRange(value); ok {
		a, b, _ := strings.Cut(inner, " TO ")
		return p.corners(unquote(a), unquote(b))
	}
	if m := regexp.MustCompile(`^(?i)(Intersects|IsWithin|IsDisjointTo)\(([^()]*)\)$`).FindStringSubmatch(strings.TrimSpace(value)); m != nil {
		n := strings.Fields(m[2])
		if len(n) != 4 {
			return nil, typeFault(placeField, "Intersects(minLon minLat maxLon maxLat)", value)
		}
		box, err := p.corners(n[1]+","+n[0], n[3]+","+n[2])
		if err != nil || !strings.EqualFold(m[1], "IsDisjointTo") {
			return box, err
		}
		return All(Is(outsidePrefix+placeField, "*"), Except(box)), nil
	}
	if lat, lon, ok := point(value); ok {
		return placed(lat, lon, lat, lon), nil
	}
	return nil, typeFault(placeField, "lat,lon", value)
}

// corners makes the condition that a place lies between its south-western and its north-eastern corner.
func (p *filterParser) corners(a, b string) (*Filter, error) {
	south, west, ok := point(a)
	north, east, ok2 := point(b)
	if !ok || !ok2 {
		return nil, typeFault(placeField, "lat,lon", fmt.Sprintf("%s TO %s", a, b))
	}
	if south > north {
		return nil, p.fault("the southern corner %s lies north of %s", a, b)
	}
	return placed(south, west, north, east), nil
}
