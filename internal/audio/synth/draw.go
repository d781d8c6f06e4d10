package synth

import "math"

const turn = 2 * math.Pi

// glassBell adds the inharmonic partials of a struck bell (ratios after Jean-Claude Risset's computed bell).
func glassBell(c *canvas) {
	ratios := []float64{.56, .5615, .92, .9235, 1.19, 1.7, 2, 2.74, 3, 3.76, 4.07}
	levels := []float64{.6, .45, .8, .5, 1, .75, .65, .5, .4, .25, .2}
	lengths := []float64{1, .9, .65, .55, .325, .35, .25, .2, .15, .1, .075}
	base := note(76)
	for p, ratio := range ratios {
		pan := .6 * math.Sin(float64(p)*2.4)
		c.each(func(i int, t float64) {
			rise := 1 - math.Exp(-t/.0008)
			c.add(i, pan, levels[p]*rise*math.Exp(-t*6.9/(7.5*lengths[p]+.4))*math.Sin(turn*base*ratio*t))
		})
	}
	var f filter
	c.each(func(i int, t float64) { // the stroke itself
		_, _, high := f.step(c.noise(), 5200, .8)
		c.add(i, 0, .8*high*math.Exp(-t/.004))
	})
	c.room(2.6, 6500, .35)
	c.fade(0, 1.2)
}

func riser(c *canvas) {
	var left, right, tone filter
	phases := [6]float64{}
	c.each(func(i int, t float64) {
		up := t / 8
		swell := math.Pow(up, 2.2)
		hz := 180 * math.Pow(2, 6*up)
		_, l, _ := left.step(c.noise(), hz, 1.6)
		_, r, _ := right.step(c.noise(), hz*1.03, 1.6)
		c.left[i] += .75 * swell * l
		c.right[i] += .75 * swell * r
		pitch := note(38) * math.Pow(2, 3*up*up)
		flutter := .75 + .25*math.Sin(turn*(2*t+up*up*22))
		for k := range phases {
			step := pitch * (1 + .004*float64(k-3)) * float64(1+k%2) / SampleRate
			phases[k] += step
			low, _, _ := tone.step(saw(phases[k], step), 300+7000*swell, .9)
			c.add(i, float64(k-2)/3.2, .16*swell*flutter*low)
		}
	})
	c.room(1.2, 7000, .22)
}

func drone(c *canvas) {
	var filters [10]filter
	var phases [10]float64
	for k := range phases {
		phases[k] = c.random.Float64()
	}
	c.each(func(i int, t float64) {
		for k := range phases {
			octave := []float64{26, 38, 38, 45, 50}[k%5]
			step := note(octave+.09*math.Sin(float64(k)*1.7+t*.31)) / SampleRate
			phases[k] += step
			corner := 190 + 150*math.Sin(turn*t/12+float64(k)) + 90*math.Sin(turn*t/4.7+float64(2*k))
			low, _, _ := filters[k].step(saw(phases[k], step), max(corner, 70), 1.4)
			c.add(i, .9*math.Sin(float64(k)*2.1+t*.2), .2*low)
		}
	})
	var air filter
	c.each(func(i int, t float64) {
		_, band, _ := air.step(c.noise(), 620+280*math.Sin(turn*t/7), 4)
		c.add(i, math.Sin(turn*t/5), .035*band)
	})
	c.room(4, 2600, .4)
	c.fade(1.2, 2)
}

func kick(c *canvas) {
	phase := 0.0
	var snap filter
	c.each(func(i int, t float64) {
		hz := 49 + 150*math.Exp(-t/.028) + 900*math.Exp(-t/.0028)
		phase += hz / SampleRate
		body := math.Sin(turn*phase) * math.Exp(-t/.21)
		_, _, click := snap.step(c.noise(), 3500, .8)
		c.add(i, 0, math.Tanh(1.7*body)+.28*click*math.Exp(-t/.0035))
	})
	c.fade(0, .25)
}

func snare(c *canvas) {
	var wires, edge filter
	c.each(func(i int, t float64) {
		shell := .55*math.Sin(turn*(186*t+2.1*(1-math.Exp(-t/.02))))*math.Exp(-t/.085) + .35*math.Sin(turn*331*t)*math.Exp(-t/.05)
		_, _, high := wires.step(c.noise(), 1500, .7)
		_, band, _ := edge.step(c.noise(), 5200, 1.2)
		rattle := .42*high*math.Exp(-t/.11) + .3*band*math.Exp(-t/.17)
		c.add(i, 0, shell)
		c.add(i, .12*c.noise(), rattle*(1-math.Exp(-t/.0006)))
	})
	c.room(.45, 7500, .3)
	c.fade(0, .2)
}

// rain drops thousands of short resonant drops onto a bed of filtered noise; what passes the end goes on at the beginning.
func rain(c *canvas) {
	frames := len(c.left)
	bed := func(out []float64) {
		var low, high filter
		for i := -SampleRate; i < frames; i++ { // a second of run-in settles the filters
			_, _, h := high.step(c.noise(), 900, .7)
			l, _, _ := low.step(h, 7200, .7)
			if i >= 0 {
				out[i] += .05 * l
			}
		}
		join := SampleRate / 2 // the last half second crosses over into sound that continues the beginning
		for i := range join {
			g := float64(i) / float64(join)
			var x float64
			_, _, h := high.step(c.noise(), 900, .7)
			x, _, _ = low.step(h, 7200, .7)
			out[i] = out[i]*math.Sqrt(g) + .05*x*math.Sqrt(1-g)
		}
	}
	bed(c.left)
	bed(c.right)
	for range 9000 {
		at := c.random.IntN(frames)
		size := math.Pow(c.random.Float64(), 6)
		hz := 1400 + 5200*c.random.Float64()*(1-.6*size)
		length := .0015 + .006*size
		pan := 1.8*c.random.Float64() - .9
		level := .03 + .5*size
		for k := range int(8 * length * SampleRate) {
			t := float64(k) / SampleRate
			c.add(at+k, pan, level*math.Exp(-t/length)*math.Sin(turn*(hz*t+9000*t*t))*min(1, t/.0003))
		}
	}
	c.room(.5, 5000, .12)
}

func wind(c *canvas) {
	var body, whistle, second [2]filter
	gust := func(t, shift float64) float64 {
		x := .5 + .26*math.Sin(turn*t/5.3+shift) + .17*math.Sin(turn*t/2.15+2*shift) + .1*math.Sin(turn*t/.83+shift*5)
		return min(max(x, .04), 1)
	}
	pink := [2]float64{}
	c.each(func(i int, t float64) {
		for s, out := range [2][]float64{c.left, c.right} {
			g := gust(t+.12*float64(s), 1.3)
			pink[s] += .06 * (c.noise() - pink[s])
			low, _, _ := body[s].step(pink[s]*3, 160+520*g, .8)
			_, tone, _ := whistle[s].step(c.noise(), 480+720*g*g, 16)
			_, upper, _ := second[s].step(c.noise(), 880+1250*g*g, 22)
			move := .75 + .25*math.Sin(turn*t/12+math.Pi*float64(s))
			out[i] += move * (.9*low*g + .2*tone*g*g + .1*upper*g*g*g)
		}
	})
	c.room(1.4, 3000, .2)
	c.fade(.8, 1.4)
}

func laser(c *canvas) {
	phase := 0.0
	shot := make([]float64, len(c.left))
	c.each(func(i int, t float64) {
		hz := 140 + 3900*math.Exp(-t/.075)
		phase += hz / SampleRate
		wave := math.Sin(turn*phase + 2.2*math.Exp(-t/.1)*math.Sin(turn*phase*1.5))
		shot[i] = wave * math.Exp(-t/.16) * min(1, t/.002)
	})
	for echo := range 4 {
		delay, level := int(.13*SampleRate)*echo, math.Pow(.38, float64(echo))
		pan := []float64{-.15, .8, -.8, .5}[echo]
		for i := range len(shot) - delay {
			c.add(i+delay, pan, level*shot[i])
		}
	}
	c.fade(0, .3)
}

// clickLoop is four bars at 120 beats per minute: a beat every 24000 frames exactly.
func clickLoop(c *canvas) {
	const beat = SampleRate / 2
	for eighth := range 32 {
		hz, level, length := 1150.0, .6, .018
		switch {
		case eighth%8 == 0:
			hz, level, length = 1720, 1, .024
		case eighth%2 == 1:
			hz, level, length = 2900, .16, .008
		}
		if eighth >= 28 && eighth%2 == 1 { // the last bar leads back
			level *= 2
		}
		for k := range SampleRate / 5 {
			t := float64(k) / SampleRate
			wood := math.Sin(turn*hz*t) + .5*math.Sin(turn*hz*2.63*t)*math.Exp(-t/.006)
			c.add(eighth*beat/2+k, .25*float64(eighth%2), level*math.Exp(-t/length)*wood*min(1, t/.0004))
		}
	}
	c.room(.35, 5200, .1)
}

func pad(c *canvas) {
	notes := []float64{45, 57, 60, 64, 67, 71}
	for n, pitch := range notes {
		for voice := range 3 {
			var f filter
			phase := c.random.Float64()
			drift := c.random.Float64() * 6
			pan := .75 * float64(voice-1)
			c.each(func(i int, t float64) {
				step := note(pitch+.07*float64(voice-1)+.03*math.Sin(turn*t*.23+drift)) / SampleRate
				phase += step
				open := 1 - math.Exp(-t/1.6)
				if t > 7 {
					open *= math.Exp(-(t - 7) / 1.4)
				}
				low, _, _ := f.step(saw(phase, step), 320+1500*open+180*math.Sin(turn*t/6+drift), .8)
				enter := min(1, t/(1.1+.12*float64(n)))
				c.add(i, pan, .1*low*enter*enter)
			})
		}
	}
	c.room(3, 4200, .35)
	c.fade(.05, 3.2)
}

func subDrop(c *canvas) {
	phase := 0.0
	var thud filter
	c.each(func(i int, t float64) {
		hz := 24 + 71*math.Exp(-t/1.1)
		phase += hz / SampleRate
		x := math.Tanh(1.5*math.Sin(turn*phase)) * math.Exp(-t/2.2) * min(1, t/.006)
		low, _, _ := thud.step(c.noise(), 90+2400*math.Exp(-t/.05), .9)
		c.add(i, 0, x)
		c.add(i, .3*math.Sin(turn*t*3), .9*low*math.Exp(-t/.2))
	})
	c.room(1.8, 1200, .12)
	c.fade(0, 1)
}

func alarm(c *canvas) {
	var horn, ring filter
	phase := 0.0
	c.each(func(i int, t float64) {
		hz := 740.0
		if math.Mod(t, .5) >= .25 {
			hz = 988
		}
		step := hz / SampleRate
		phase += step
		square := saw(phase, step) - saw(phase+.5, step)
		_, band, _ := horn.step(square, 1900, 1.1)
		_, metal, _ := ring.step(square, 3300, 7)
		local := math.Mod(t, .25)
		c.add(i, 0, (.7*band+.22*metal)*min(1, local/.004, (.25-local)/.004)*.8)
	})
	c.room(.8, 4500, .22)
	c.fade(.002, .25)
}

func chime(c *canvas) {
	for n, pitch := range []float64{76, 80, 83} {
		start := int(float64(n) * .11 * SampleRate)
		hz := note(pitch)
		for k := range len(c.left) - start {
			t := float64(k) / SampleRate
			x := math.Sin(turn*hz*t)*math.Exp(-t/.42) + .35*math.Sin(turn*hz*3.93*t)*math.Exp(-t/.07) + .12*math.Sin(turn*hz*9.2*t)*math.Exp(-t/.018)
			c.add(start+k, .4*float64(n-1), .5*x*min(1, t/.0015))
		}
	}
	c.room(1.3, 6000, .25)
	c.fade(0, .5)
}

// arpeggio plays sixteenths on a plucked string (Karplus and Strong 1983, with a fractional delay for the tuning).
func arpeggio(c *canvas) {
	chords := [4][4]float64{{60, 64, 67, 72}, {57, 60, 64, 69}, {53, 60, 65, 69}, {55, 59, 62, 67}}
	order := [16]int{0, 1, 2, 3, 2, 1, 2, 3, 0, 1, 2, 3, 2, 3, 2, 1}
	const sixteenth = SampleRate * 60 / 100 / 4
	for bar, chord := range chords {
		for s, which := range order {
			level := .8
			if s%4 == 0 {
				level = 1.05
			}
			c.pluck((bar*16+s)*sixteenth, chord[which], 1.3, level, .55*math.Sin(float64(s)*1.1))
		}
		c.pluck(bar*16*sixteenth, chord[0]-12, 2.4, 1, 0)
	}
	c.room(1.1, 5200, .22)
}

func (c *canvas) pluck(start int, pitch, seconds, level, pan float64) {
	period := SampleRate/note(pitch) - .5 // the averaging below delays by half a sample
	size := int(period)
	part := period - float64(size)
	string := make([]float64, size+1)
	last := 0.0
	for i := range string {
		last += .55 * (c.noise() - last) // a soft plectrum
		string[i] = last
	}
	loss := math.Pow(10, -3/(note(pitch)*seconds))
	before, at := 0.0, 0
	for k := range int(seconds * SampleRate) {
		next := (at + 1) % len(string)
		x := (1-part)*string[next] + part*string[at]
		string[at] = loss * .5 * (x + before)
		before = x
		at = next
		end := min(1, float64(int(seconds*SampleRate)-k)/2000)
		c.add(start+k, pan, level*x*end)
	}
}
