package spectrum

import (
	"image/color"
	"math"
)

// ground is the dark theme's sunken surface.
var ground = color.RGBA{14, 15, 17, 255}

// toneInk is the dark theme's tone ramp, warm (low) to cool (high).
var toneInk = [Tones]color.RGBA{
	oklch(.640, .195, 30), oklch(.690, .175, 45), oklch(.750, .158, 65), oklch(.800, .148, 90),
	oklch(.812, .145, 130), oklch(.822, .122, 172), oklch(.835, .108, 212), oklch(.850, .074, 245),
}

// oklch converts lightness, chroma and hue (degrees) to sRGB by Ottosson's Oklab matrices; colors outside are clipped.
func oklch(l, c, h float64) color.RGBA {
	a, b := c*math.Cos(h*math.Pi/180), c*math.Sin(h*math.Pi/180)
	cube := func(v float64) float64 { return v * v * v }
	long := cube(l + 0.3963377774*a + 0.2158037573*b)
	medium := cube(l - 0.1055613458*a - 0.0638541728*b)
	short := cube(l - 0.0894841775*a - 1.2914855480*b)
	encode := func(v float64) uint8 {
		if v <= 0.0031308 {
			v *= 12.92
		} else {
			v = 1.055*math.Pow(v, 1/2.4) - 0.055
		}
		return uint8(math.Round(255 * min(max(v, 0), 1)))
	}
	return color.RGBA{
		encode(4.0767416621*long - 3.3077115913*medium + 0.2309699292*short),
		encode(-1.2684380046*long + 2.6097574011*medium - 0.3413193965*short),
		encode(-0.0041960863*long - 0.7034186147*medium + 1.7076147010*short),
		255,
	}
}

// rampAt is the color of a frequency in Hz, between the middles of the tone bands.
func rampAt(hz float64) color.RGBA {
	at := Tones*math.Log2(hz/toneLow)/math.Log2(toneHigh/toneLow) - 0.5
	at = min(max(at, 0), Tones-1)
	i := min(int(at), Tones-2)
	return blend(toneInk[i], toneInk[i+1], at-float64(i))
}

func blend(under, over color.RGBA, alpha float64) color.RGBA {
	mix := func(a, b uint8) uint8 { return uint8(math.Round(float64(a) + alpha*(float64(b)-float64(a)))) }
	return color.RGBA{mix(under.R, over.R), mix(under.G, over.G), mix(under.B, over.B), 255}
}
