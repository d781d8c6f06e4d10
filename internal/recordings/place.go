package recordings

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"strings"

	"audiomicro/internal/db"
)

// Place is where a recording was made, as its contributor tells it. Who does not want to be found tells fewer decimals, or nothing.
type Place struct {
	Lat, Lon float64 // degrees, north and east
	Zoom     int64   // how closely a map is to show it, as the Freesound API has it; 0: not said
}

// PlaceRefused tells what is wrong with a place that ParsePlace does not take.
const PlaceRefused = "Write a place as latitude and longitude in degrees, such as 41.40, 2.17."

// ParsePlace reads "41.4, 2.17" or "41.4, 2.17, 12"; an empty text is no place.
func ParsePlace(s string) (*Place, bool) {
	if s = strings.TrimSpace(s); s == "" {
		return nil, true
	}
	parts := strings.Split(s, ",")
	if len(parts) != 2 && len(parts) != 3 {
		return nil, false
	}
	var p Place
	for i, to := range []*float64{&p.Lat, &p.Lon} {
		v, err := strconv.ParseFloat(strings.TrimSpace(parts[i]), 64)
		if err != nil {
			return nil, false
		}
		*to = v
	}
	if len(parts) == 3 {
		zoom, err := strconv.ParseInt(strings.TrimSpace(parts[2]), 10, 64)
		if err != nil {
			return nil, false
		}
		p.Zoom = zoom
	}
	p = p.rounded()
	return &p, p.Known()
}

// rounded is p to a tenth of a meter, without minus zero.
func (p Place) rounded() Place {
	return Place{math.Round(p.Lat*1e6)/1e6 + 0, math.Round(p.Lon*1e6)/1e6 + 0, p.Zoom}
}

// Known tells whether p is a place on earth.
func (p Place) Known() bool {
	return math.Abs(p.Lat) <= 90 && math.Abs(p.Lon) <= 180 && p.Zoom >= 0 && p.Zoom <= 30
}

// String is p as ParsePlace reads it; empty for none.
func (p *Place) String() string {
	if p == nil {
		return ""
	}
	s := degrees(p.Lat) + ", " + degrees(p.Lon)
	if p.Zoom != 0 {
		s += ", " + strconv.FormatInt(p.Zoom, 10)
	}
	return s
}

func degrees(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }

// Place is where r was made; nil when its contributor does not tell.
func (r Recording) Place() *Place {
	if r.PlaceLat == nil || r.PlaceLon == nil {
		return nil
	}
	return &Place{*r.PlaceLat, *r.PlaceLon, r.PlaceZoom}
}

// Area is a part of the earth between two parallels and two meridians, in degrees; East below West crosses the date line. With KM not 0 it
// is what of that lies within so many kilometers of Lat, Lon.
type Area struct {
	South, West, North, East float64
	Lat, Lon, KM             float64
}

// Around is the area within some kilometers of a point; with none it is the point, as precisely as places are kept.
func Around(lat, lon, km float64) Area {
	km = max(km, leastKM)
	reach := km / kmOfDegree
	return Area{South: lat - reach, North: lat + reach, West: -180, East: 180, Lat: lat, Lon: lon, KM: km}
}

// leastKM is a tenth of a meter, to which places are rounded.
const leastKM = 1e-4

// kmOfDegree is the length of a degree of a meridian on a sphere of the earth's mean radius (IUGG R1, 6371.0088 km).
const kmOfDegree = 6371.0088 * math.Pi / 180

// kilometers is the great-circle distance of two points (haversine).
func kilometers(lat1, lon1, lat2, lon2 float64) float64 {
	const rad = math.Pi / 180
	half := func(a, b float64) float64 { s := math.Sin((b - a) * rad / 2); return s * s }
	h := half(lat1, lat2) + math.Cos(lat1*rad)*math.Cos(lat2*rad)*half(lon1, lon2)
	return 2 * math.Asin(math.Min(1, math.Sqrt(h))) / rad * kmOfDegree
}

// Placed lists the recordings that were made in an area, published or not, in no order.
func (s *Store) Placed(ctx context.Context, a Area) ([]int64, error) {
	lon := `place_lon BETWEEN $3 AND $4`
	if a.East < a.West {
		lon = `(place_lon >= $3 OR place_lon <= $4)`
	}
	var out []int64
	err := db.Rows(ctx, s.DB, func(row []any) error {
		if a.KM == 0 || kilometers(a.Lat, a.Lon, row[1].(float64), row[2].(float64)) <= a.KM {
			out = append(out, row[0].(int64))
		}
		return nil
	}, `SELECT id, place_lat, place_lon FROM recording WHERE place_lat IS NOT NULL AND place_lat BETWEEN $1 AND $2 AND `+lon, a.South, a.North, a.West, a.East)
	if err != nil {
		return nil, fmt.Errorf("recordings by place: %w", err)
	}
	return out, nil
}
