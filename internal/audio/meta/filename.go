package meta

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// FromFileName makes a title, tags and a category out of a file's name. Names by the Universal Category System
// (CatID_FXName_CreatorID_SourceID, universalcategorysystem.com) give a Broad Sound Taxonomy code such as "fx-a"; others give "".
// Folders in name and the extension are ignored. The title is at most 200 runes, tags are lower-case words, at most 15.
func FromFileName(name string) (title string, tags []string, category string) {
	name = clean(name, 1000)
	if i := strings.LastIndexAny(name, `/\`); i >= 0 {
		name = name[i+1:]
	}
	name = strings.ReplaceAll(name, "\n", " ")
	if i := strings.LastIndexByte(name, '.'); i > 0 && len(name)-i <= 6 && !strings.ContainsAny(name[i:], " _-") {
		name = name[:i]
	}
	if m := freesoundName.FindStringSubmatch(name); m != nil { // ID__user__title
		name = m[1]
	}
	var words []string
	text := name
	if parts := strings.Split(name, "_"); len(parts) >= 2 {
		id, _, _ := strings.Cut(parts[0], "-") // CatID-UserCategory
		if c, ok := ucsFind(id); ok {
			category = c.code
			text = parts[1]
			words = strings.Fields(strings.ToLower(c.name))
		}
	}
	title = titleText(text)
	for _, w := range append(splitWords(title), words...) {
		if len(tags) == 15 {
			break
		}
		if n := utf8.RuneCountInString(w); n >= 3 && n <= 30 && !stopWords[w] && strings.IndexFunc(w, unicode.IsLetter) >= 0 && !contains(tags, w) {
			tags = append(tags, w)
		}
	}
	return title, tags, category
}

var (
	freesoundName = regexp.MustCompile(`^\d+__[^_]+(?:_[^_]+)*__(.+)$`)
	trackNumber   = regexp.MustCompile(`^\d{1,3}[ .\-]+(\D)`)
	spaces        = regexp.MustCompile(`\s+`)
)

// titleText turns separators into spaces and drops a leading track number.
func titleText(s string) string {
	s = strings.ReplaceAll(s, "_", " ")
	if !strings.Contains(s, " ") { // hyphens join words unless the name has spaces
		s = strings.ReplaceAll(s, "-", " ")
	}
	s = strings.TrimSpace(spaces.ReplaceAllString(s, " "))
	if m := trackNumber.FindStringSubmatchIndex(s); m != nil {
		s = s[m[2]:]
	}
	s = strings.Trim(s, " .-")
	if r := []rune(s); len(r) > 200 {
		s = strings.TrimSpace(string(r[:200]))
	}
	return s
}

// splitWords cuts a title into lower-case words, also where CamelCase begins a new one.
func splitWords(s string) (words []string) {
	var b strings.Builder
	flush := func() {
		if b.Len() > 0 {
			words = append(words, strings.ToLower(b.String()))
			b.Reset()
		}
	}
	prev := rune(0)
	for _, r := range s {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			flush()
			prev = 0
			continue
		}
		if unicode.IsUpper(r) && unicode.IsLower(prev) {
			flush()
		}
		b.WriteRune(r)
		prev = r
	}
	flush()
	return words
}

var stopWords = func() map[string]bool {
	m := map[string]bool{}
	for _, w := range strings.Fields("the and for with from into untitled audio sound recording file track final master mix export bounce edit new copy take version stereo mono wav aif aiff flac mp3 ogg") {
		m[w] = true
	}
	return m
}()

// ucsEntry is a UCS category: the short name its ids begin with, its name, and the Broad Sound Taxonomy code nearest to it.
type ucsEntry struct{ name, code string }

// ucsFind looks a CatID such as AMBForst or DOORWood up: the longest known beginning, followed by a subcategory that
// begins with one capital. Ambiences go by their subcategory.
func ucsFind(id string) (ucsEntry, bool) {
	for n := min(len(id), 5); n >= 2; n-- {
		c, ok := ucsCategories[id[:n]]
		if !ok || len(id) < n+2 || len(id) > n+12 || !unicode.IsUpper(rune(id[n])) || !unicode.IsLower(rune(id[n+1])) {
			continue
		}
		if id[:n] == "AMB" {
			if code, ok := ucsAmbiences[id[n:]]; ok {
				c.code = code
			}
		}
		if code, ok := ucsSpecial[id]; ok {
			c.code = code
		}
		return c, true
	}
	return ucsEntry{}, false
}

// ucsCategory is the taxonomy code of a CatID, or "".
func ucsCategory(id string) string {
	c, _ := ucsFind(strings.TrimSpace(id))
	return c.code
}

var ucsCategories = map[string]ucsEntry{
	"AIR": {"air", "fx-n"}, "AERO": {"aircraft", "fx-v"}, "ALRM": {"alarms", "fx-m"}, "AMB": {"ambience", "ss-n"}, "ANML": {"animals", "fx-a"},
	"ARCH": {"archived", "fx-other"}, "BEEP": {"beeps", "fx-el"}, "BELL": {"bells", "fx-o"}, "BIRD": {"birds", "fx-a"}, "BOAT": {"boats", "fx-v"},
	"BLLT": {"bullets", "fx-other"}, "TOON": {"cartoon", "fx-el"}, "CERM": {"ceramics", "fx-o"}, "CHAN": {"chains", "fx-o"}, "CHEM": {"chemicals", "fx-n"},
	"CLOCK": {"clocks", "fx-m"}, "CLOTH": {"cloth", "fx-o"}, "COMM": {"communications", "fx-el"}, "CMPT": {"computers", "fx-m"}, "CREA": {"creatures", "fx-a"},
	"CRWD": {"crowds", "sp-c"}, "DSGN": {"designed", "fx-el"}, "DEST": {"destruction", "fx-o"}, "DIRT": {"dirt sand", "fx-n"}, "DOOR": {"doors", "fx-o"},
	"DRWR": {"drawers", "fx-o"}, "ELEC": {"electricity", "fx-el"}, "EQUIP": {"equipment", "fx-o"}, "EXPL": {"explosions", "fx-n"}, "FART": {"farts", "fx-h"},
	"FGHT": {"fight", "fx-h"}, "FIRE": {"fire", "fx-n"}, "FRWK": {"fireworks", "fx-n"}, "FOLY": {"foley", "fx-o"}, "FOOD": {"food drink", "fx-o"},
	"FEET": {"footsteps", "fx-h"}, "GAME": {"games", "fx-o"}, "GEO": {"geothermal", "fx-n"}, "GLAS": {"glass", "fx-o"}, "GORE": {"gore", "fx-other"},
	"GUN": {"guns", "fx-o"}, "GUNS": {"guns", "fx-o"}, "HORN": {"horns", "fx-m"}, "HMN": {"human", "fx-h"}, "ICE": {"ice", "fx-n"}, "LASR": {"lasers", "fx-el"},
	"LETH": {"leather", "fx-o"}, "LIQD": {"liquid mud", "fx-n"}, "MACH": {"machines", "fx-m"}, "MAGC": {"magic", "fx-el"}, "MECH": {"mechanical", "fx-m"},
	"METL": {"metal", "fx-o"}, "MOTR": {"motors", "fx-m"}, "MOVE": {"movement", "fx-o"}, "MUSC": {"musical", "m-other"}, "NATD": {"natural disaster", "fx-n"},
	"OBJ": {"objects", "fx-o"}, "PAPR": {"paper", "fx-o"}, "PLAS": {"plastic", "fx-o"}, "RAIN": {"rain", "fx-n"}, "ROBT": {"robots", "fx-el"},
	"ROCK": {"rocks", "fx-n"}, "ROPE": {"rope", "fx-o"}, "RUBR": {"rubber", "fx-o"}, "SCI": {"scifi", "fx-el"}, "SCIFI": {"scifi", "fx-el"}, "SNOW": {"snow", "fx-n"},
	"SPRT": {"sports", "fx-other"}, "SWSH": {"swooshes", "fx-el"}, "WHSH": {"swooshes", "fx-el"}, "TOOL": {"tools", "fx-o"}, "TOY": {"toys", "fx-o"}, "TOYS": {"toys", "fx-o"},
	"TRN": {"trains", "fx-v"}, "UI": {"user interface", "fx-el"}, "VEGE": {"vegetation", "fx-n"}, "VEH": {"vehicles", "fx-v"}, "VOX": {"voices", "sp-s"},
	"WATR": {"water", "fx-n"}, "WEAP": {"weapons", "fx-o"}, "WTHR": {"weather", "fx-n"}, "WHST": {"whistles", "fx-h"}, "WIND": {"wind", "fx-n"},
	"WNDW": {"windows", "fx-o"}, "WING": {"wings", "fx-a"}, "WOOD": {"wood", "fx-o"},
}

// ucsAmbiences are the subcategories of AMB that are not nature.
var ucsAmbiences = map[string]string{
	"Room": "ss-i", "Roomtone": "ss-i", "Int": "ss-i", "Offc": "ss-i", "Rest": "ss-i", "Schl": "ss-i", "Hosp": "ss-i", "Libr": "ss-i", "Resd": "ss-i", "Fact": "ss-i", "Indu": "ss-i",
	"Jail": "ss-i", "Lab": "ss-i", "Rlig": "ss-i", "Whse": "ss-i", "Bar": "ss-i", "Chur": "ss-i", "Mall": "ss-i", "Shop": "ss-i", "Tone": "ss-i", "Prsn": "ss-i", "Basm": "ss-i",
	"Urbn": "ss-u", "Traf": "ss-u", "Mrkt": "ss-u", "Tran": "ss-u", "Cnst": "ss-u", "Park": "ss-u", "Subn": "ss-u", "Town": "ss-u", "Airp": "ss-u", "Publ": "ss-u", "Cele": "ss-u",
	"Fun": "ss-u", "Spor": "ss-u", "Stad": "ss-u", "Prot": "ss-u", "Emrg": "ss-u", "Naut": "ss-u",
	"Sci": "ss-s", "SciF": "ss-s", "Dsgn": "ss-s", "Fant": "ss-s", "Horr": "ss-s", "Spce": "ss-s", "Misc": "ss-other",
}

// ucsSpecial are ids whose subcategory belongs elsewhere than the rest of their category.
var ucsSpecial = map[string]string{
	"MUSCPerc": "is-p", "MUSCDrum": "is-p", "MUSCStr": "is-s", "MUSCString": "is-s", "MUSCWind": "is-w", "MUSCBras": "is-w", "MUSCKey": "is-k", "MUSCPno": "is-k", "MUSCSyn": "is-e", "MUSCSynth": "is-e",
	"MUSCLoop": "m-other", "MUSCSong": "m-m", "MUSCInst": "m-si", "VOXSing": "m-si", "VOXProc": "sp-p", "VOXRobt": "sp-p", "VOXCrwd": "sp-c", "DSGNAmb": "ss-s", "DSGNDron": "ss-s", "BIRDAmb": "ss-n",
}
