package demo

import (
	"path"
	"path/filepath"
	"regexp"
	"strings"
)

var trackNumber = regexp.MustCompile(`^\d+[_ -]+`)

// marsTitles are the titles of the game's effects by file name.
func marsTitles() map[string]string {
	return map[string]string{
		"tab": "Interface tab", "check": "Interface check mark", "click": "Interface click",
		"ballPlanetCollide": "Ball hits planet", "countdown": "Countdown beep", "noFuel": "Out of fuel", "score": "Score", "particle": "Particle tick", "swish": "Swish",
		"shipExplode": "Ship explodes", "pumpShipCollide": "Pump gun hits ship", "blubCollide": "Blub lands", "laser": "Toy laser", "planetExplode": "Planet explodes",
		"blubPop": "Blub pops", "sniper": "Sniper shot", "shipCollide": "Ships collide", "pump": "Pump gun", "shipRespawn": "Ship comes back",
		"shipPlanetCollide": "Ship bumps into planet", "start": "Starting signal", "sniperPlanetCollide": "Sniper hits planet", "shipBallCollide": "Ship hits ball",
		"blub": "Blub", "laserCollide": "Laser hits", "ballRespawn": "Ball comes back", "sniperShipCollide": "Sniper hits ship", "fuel": "Refueling", "ballExplode": "Ball explodes",
		"niceOne": "Announcer: Nice one", "thatWasGreat": "Announcer: That was great", "wellDone": "Announcer: Well done", "impressive": "Announcer: Impressive",
		"notFunny": "Announcer: Not funny", "bam": "Announcer: Bam", "youSuck": "Announcer: You suck",
		"menu": "Menu theme", "tutorial": "Tutorial theme",
	}
}

// mars reads marsshooter-data, whose copyright file gives each folder its license.
func mars(dir string) (Collection, error) {
	c := Collection{Account: "M.A.R.S", Website: "https://mars-game.sourceforge.net/",
		About: "Music and effects of M.A.R.S., a ridiculous shooter: the soundtrack by Obsidian Shell, cartoon effects, an announcer. Brought in from Debian's package " +
			"marsshooter-data for this demo.",
		Packs: map[string]string{
			"M.A.R.S. soundtrack": "Twelve pieces by Obsidian Shell.", "Cartoon effects": "Ships, planets, balls and lasers, all in the public domain.",
			"Announcer": "Seven shouts of the game's announcer.", "Interface": "Clicks and ticks of the game's menus.",
		}}
	papers, err := readCopyright(dir, "marsshooter-data")
	if err != nil {
		return c, err
	}
	base := "usr/share/games/marsshooter"
	files, err := sounds(filepath.Join(dir, base), ".wav", ".ogg")
	if err != nil {
		return c, err
	}
	titles := marsTitles()
	for _, file := range files {
		st, ok := papers.of("data/" + file)
		s := Sound{File: base + "/" + file, License: code(st.license), Source: "https://github.com/thelaui/M.A.R.S.", Credit: strings.Join(st.names(), ", ")}
		name := strings.TrimSuffix(path.Base(file), path.Ext(file))
		s.Title = titles[name]
		switch group := path.Base(path.Dir(file)); group {
		case "music", "audio":
			if s.Title == "" {
				s.Title = music(name)
			}
			s.Pack, s.Category, s.Tags = "M.A.R.S. soundtrack", "m-m", tags("", []string{"music", "soundtrack", "game", "instrumental"})
			s.Description = "From the soundtrack of M.A.R.S., a ridiculous shooter. Composed and recorded by Obsidian Shell."
		case "toon":
			s.Pack, s.Category, s.Tags, s.Credit = "Cartoon effects", "fx-el", tags(s.Title, []string{"cartoon", "game", "space"}), "unnamed author, M.A.R.S."
			s.Description = "A cartoon effect of M.A.R.S., a ridiculous shooter. Its authors gave it to the public domain."
		case "announcer":
			s.Pack, s.Category, s.Tags = "Announcer", "sp-s", tags(s.Title, []string{"voice", "shout", "game"})
			s.Description = "The announcer of M.A.R.S., a ridiculous shooter."
		case "interface":
			s.Pack, s.Category, s.Tags = "Interface", "fx-el", tags(s.Title, []string{"click", "button", "game"})
			s.Description = "A sound of the menus of M.A.R.S., a ridiculous shooter."
		default:
			ok = false
		}
		if !ok || s.License == "" || s.Title == "" {
			c.LeftOut = append(c.LeftOut, file)
			continue
		}
		c.Sounds = append(c.Sounds, s)
	}
	return c, nil
}

// music makes "06_-_Elveszett_Lelkek" into "Elveszett Lelkek".
func music(name string) string {
	words := strings.Fields(strings.ReplaceAll(trackNumber.ReplaceAllString(name, ""), "_", " "))
	for i, w := range words {
		words[i] = upper(w)
		if i > 0 && (w == "of" || w == "the") {
			words[i] = w
		}
	}
	return strings.Join(words, " ")
}
