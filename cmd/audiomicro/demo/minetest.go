package demo

import (
	"crypto/sha256"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// claim is what a mod's README says of some sounds. Each of says must stand in the README, white space aside; otherwise
// the files are left out.
type claim struct {
	mod     string
	files   string // patterns of base names, separated by blanks
	license string // as the README writes it; empty: as the package's copyright file has it
	credit  string
	source  string
	says    []string
}

const (
	by      = "CC-BY-3.0"
	bySA    = "CC-BY-SA-3.0"
	cc0     = "CC0"
	people  = "https://freesound.org/people/"
	unnamed = "celeron55, Perttu Ahola"
)

// minetestClaims follow the READMEs of Minetest Game 5.6. Where several sounds were mixed, the strictest license counts.
func minetestClaims() []claim {
	mito := []string{"Mito551 (sounds) (CC BY-SA 3.0):"}
	glass := func(n, who, id string) claim {
		return claim{"default", "default_break_glass." + n + ".ogg", by, who, people + who + "/sounds/" + id + "/",
			[]string{"Glass breaking sounds (CC BY 3.0):", n + ": http://www.freesound.org/people/" + who + "/sounds/" + id + "/"}}
	}
	// one is the README's usual form: author, license, address, files.
	one := func(files, who, license, address, stated string) claim {
		return claim{"default", files, license, who, address, []string{stated}}
	}
	return []claim{
		{"default", "default_cool_lava.*.ogg", bySA, unnamed, "", []string{"Everything not listed in here: celeron55, Perttu Ahola <celeron55@gmail.com> (CC BY-SA 3.0)"}},
		glass("1", "cmusounddesign", "71947"), glass("2", "Tomlija", "97669"), glass("3", "lsprice", "88808"),
		{"default", "default_dig_crumbly.ogg", bySA, "Mito551", "", append(mito, "default_dig_crumbly.*.ogg")},
		{"default", "default_dig_dig_immediate.ogg", bySA, "Mito551", "", append(mito, "default_dig_dig_immediate.ogg")},
		{"default", "default_dig_oddly_breakable_by_hand.ogg", bySA, "Mito551", "", append(mito, "default_dig_oddly_breakable_by_hand.ogg")},
		{"default", "default_dug_node.*.ogg", bySA, "Mito551", "", append(mito, "default_dug_node.*.ogg")},
		{"default", "default_grass_footstep.?.ogg", bySA, "Mito551", "", append(mito, "default_grass_footstep.1.ogg default_grass_footstep.2.ogg default_grass_footstep.3.ogg")},
		{"default", "default_gravel_footstep.*.ogg", bySA, "Mito551", "", append(mito, "default_gravel_footstep.*.ogg")},
		{"default", "default_place_node.*.ogg", bySA, "Mito551", "", append(mito, "default_place_node.*.ogg")},
		{"default", "default_place_node_hard.*.ogg", bySA, "Mito551", "", append(mito, "default_place_node_hard.*.ogg")},
		{"default", "default_glass_footstep.ogg", bySA, "Mito551", "", append(mito, "default_glass_footstep.ogg")},
		{"default", "default_wood_footstep.?.ogg", bySA, "Mito551", "", append(mito, "default_wood_footstep.1.ogg default_wood_footstep.2.ogg")},
		{"default", "default_dirt_footstep.?.ogg", bySA, "Mito551", "", append(mito, "default_dirt_footstep.1.ogg default_dirt_footstep.2.ogg")},
		one("default_dig_metal.ogg", "yadronoff", by, people+"yadronoff/sounds/320397/", "default_dig_metal.ogg - yadronoff - CC-BY-3.0 - https://www.freesound.org/people/yadronoff/sounds/320397/"),
		one("default_dug_metal.*.ogg", "Iwan Gabovitch (qubodup)", cc0, "https://opengameart.org/users/qubodup", "default_dug_metal.*.ogg - Iwan Gabovitch - qubodup - CC0"),
		one("default_metal_footstep.*.ogg", "mypantsfelldown", cc0, people+"mypantsfelldown/sounds/398937/", "default_metal_footstep.*.ogg - (CC0 1.0) - CC0 1.0 - https://freesound.org/people/mypantsfelldown/sounds/398937/"),
		one("default_place_node_metal.*.ogg", "Ogrebane", cc0, "https://opengameart.org/content/wood-and-metal-sound-effects-volume-2", "default_place_node_metal.*.ogg - Ogrebane - CC0"),
		one("default_tool_breaks.*.ogg", "HerbertBoland, edited by sofar", by, people+"HerbertBoland/sounds/33206/", "Tool breaking sounds added by sofar: CC-BY-3.0 default_tool_breaks.* - http://www.freesound.org/people/HerbertBoland/sounds/33206/"),
		one("default_water_footstep.*.ogg", "AGFX", by, people+"AGFX/packs/1253/", "AGFX (CC BY 3.0): https://www.freesound.org/people/AGFX/packs/1253/ default_water_footstep.1.ogg default_water_footstep.2.ogg default_water_footstep.3.ogg"),
		one("default_dig_snappy.ogg", "blukotek", cc0, people+"blukotek/sounds/251660/", "blukotek (CC0 1.0): https://www.freesound.org/people/blukotek/sounds/251660/ default_dig_snappy.ogg"),
		one("default_chest_*.ogg", "sofar, after Sevin7, Percy Duke, kingsamas, bulbastre and Yoyodaman234", by, people+"kingsamas/sounds/135576/",
			"default_chest_open.ogg default_chest_close.ogg - http://www.freesound.org/people/Sevin7/sounds/269722/ CC0 - http://www.freesound.org/people/Percy%20Duke/sounds/23448/ CC-BY-3.0"),
		one("default_snow_footstep.*.ogg", "Ryding", cc0, people+"Ryding/sounds/94337/", "Ryding (CC0 1.0): http://freesound.org/people/Ryding/sounds/94337/ default_snow_footstep.*.ogg"),
		one("default_item_smoke.ogg", "Ferk, after bart", cc0, "https://opengameart.org/users/bart", "Ferk (CC0 1.0): default_item_smoke.ogg, based on a sound by http://opengameart.org/users/bart"),
		one("player_damage.ogg", "sonictechtonic", by, people+"sonictechtonic/sounds/241872/", "sonictechtonic (CC BY 3.0): https://www.freesound.org/people/sonictechtonic/sounds/241872/ player_damage.ogg"),
		one("default_dig_choppy.*.ogg", "Sheyvan", cc0, people+"Sheyvan/sounds/476113/", "Sheyvan (CC0 1.0): https://freesound.org/people/Sheyvan/sounds/476113/ default_dig_choppy.*.ogg"),
		one("default_gravel_dig.*.ogg default_gravel_dug.*.ogg", "lolamadeus", cc0, people+"lolamadeus/sounds/179341/", "lolamadeus (CC0 1.0): https://freesound.org/people/lolamadeus/sounds/179341/ default_gravel_dig.*.ogg default_gravel_dug.*.ogg"),
		one("default_dig_cracky.*.ogg", "Benboncan", by, people+"Benboncan/sounds/71823/", "Benboncan (CC BY 3.0): https://freesound.org/people/Benboncan/sounds/71823/ default_dig_cracky.*.ogg"),
		one("default_hard_footstep.*.ogg", "Erdie", by, people+"Erdie/sounds/41579/", "Erdie (CC BY 3.0): https://freesound.org/people/Erdie/sounds/41579/ default_hard_footstep.*.ogg"),
		one("default_sand_footstep.*.ogg", "worthahep88", cc0, people+"worthahep88/sounds/319224/", "worthahep88 (CC0 1.0): https://freesound.org/people/worthahep88/sounds/319224/ default_sand_footstep.*.ogg"),
		one("default_ice_dig.*.ogg", "dheming", by, people+"dheming/sounds/268023/", "dheming (CC BY 3.0): https://freesound.org/people/dheming/sounds/268023/ default_ice_dig.*.ogg"),
		one("default_ice_footstep.*.ogg", "InspectorJ", by, people+"InspectorJ/sounds/416967/", "InspectorJ (CC BY 3.0): https://freesound.org/people/InspectorJ/sounds/416967/ default_ice_footstep.*.ogg"),
		one("default_ice_dug.ogg", "Angel_Perez_Grandi", by, people+"Angel_Perez_Grandi/sounds/49190/", "Angel_Perez_Grandi (CC BY 3.0): https://freesound.org/people/Angel_Perez_Grandi/sounds/49190/ default_ice_dug.ogg"),
		one("default_furnace_active.ogg", "iankath", cc0, people+"iankath/sounds/173991/", "iankath (CC0 1.0) https://freesound.org/people/iankath/sounds/173991/ default_furnace_active.ogg"),

		{"doors", "doors_door_open.ogg", by, "CGEffex, modified by BlockMen", "", []string{"Opening-Sound created by CGEffex (CC BY 3.0), modified by BlockMen door_open.ogg"}},
		{"doors", "doors_door_close.ogg", by, "bennstir", "", []string{"Closing-Sound created by bennstir (CC BY 3.0) door_close.ogg"}},
		{"doors", "doors_fencegate_open.ogg", cc0, "mhtaylor67", people + "mhtaylor67/sounds/126041/", []string{"fencegate_open.ogg: http://www.freesound.org/people/mhtaylor67/sounds/126041/ - (CC0 1.0)"}},
		{"doors", "doors_fencegate_close.ogg", by, "BarkersPinhead and rivernile7", people + "BarkersPinhead/sounds/274807/", []string{"fencegate_close.ogg: http://www.freesound.org/people/BarkersPinhead/sounds/274807/ - (CC-BY-3.0) http://www.freesound.org/people/rivernile7/sounds/249573/ - (CC-BY-3.0)"}},
		{"doors", "doors_steel_door_*.ogg", by, "HazMatt", people + "HazMattt/sounds/187283/", []string{"Steel door sounds open & close (CC-BY-3.0) by HazMatt"}},
		{"doors", "doors_glass_door_*.ogg", cc0, "SkeetMasterFunk69", people + "SkeetMasterFunk69/sounds/235546/", []string{"doors_glass_door_open.ogg, doors_glass_door_close.ogg: https://www.freesound.org/people/SkeetMasterFunk69/sounds/235546/ (CC0 1.0)"}},

		{"tnt", "tnt_explode.ogg", cc0, "steveygos93, edited by TumeniNodes", "https://freesound.org/s/80401/", []string{"tnt_explode.ogg renamed, edited, and converted to .ogg from Explosion2.wav by steveygos93 (CC0 1.0)"}},
		{"tnt", "tnt_ignite.ogg", cc0, "theneedle.tv, edited by TumeniNodes", "https://freesound.org/s/316682/", []string{"tnt_ignite.ogg renamed, edited, and converted to .ogg from sparkler_fuse_nm.wav by theneedle.tv (CC0 1.0)"}},
		{"tnt", "tnt_gunpowder_burning.ogg", cc0, "frankelmedico, edited by TumeniNodes", "https://freesound.org/s/348767/", []string{"tnt_gunpowder_burning.ogg renamed, edited, and converted to .ogg from road flare ignite burns.wav by frankelmedico (CC0 1.0)"}},

		{"fire", "fire_extinguish_flame.*.ogg", bySA, unnamed, "", []string{"Everything not listed in here: Copyright (C) 2012 Perttu Ahola (celeron55) <celeron55@gmail.com> (CC BY-SA 3.0)"}},
		{"fire", "fire_small.ogg", by, "dobroide", people + "dobroide/sounds/4211/", []string{"dobroide (CC BY 3.0) http://www.freesound.org/people/dobroide/sounds/4211/ fire_small.ogg"}},
		{"fire", "fire_large.ogg fire_fire.*.ogg", by, "Dynamicell", people + "Dynamicell/sounds/17548/", []string{"Dynamicell (CC BY 3.0) http://www.freesound.org/people/Dynamicell/sounds/17548/ fire_large.ogg fire_fire.*.ogg"}},
		{"fire", "fire_flint_and_steel.ogg", by, "Benboncan", people + "Benboncan/sounds/66457/", []string{"Benboncan (CC BY 3.0) https://www.freesound.org/people/Benboncan/sounds/66457/ fire_flint_and_steel.ogg"}},

		{"env_sounds", "env_sounds_water.*.ogg", cc0, "Yuval", people + "Yuval/sounds/197023/", []string{"Yuval (CC0 1.0) https://freesound.org/people/Yuval/sounds/197023/ env_sounds_water.*.ogg"}},
		{"env_sounds", "env_sounds_lava.*.ogg", cc0, "Halion", people + "Halion/sounds/17785/", []string{"Halion (CC0 1.0) https://freesound.org/people/Halion/sounds/17785/ env_sounds_lava.*.ogg"}},
		{"xpanes", "xpanes_steel_bar_door_*.ogg", bySA, "TumeniNodes", "", []string{"TumeniNodes (CC BY-SA 3.0):", "xpanes_steel_bar_door_close.ogg xpanes_steel_bar_door_open.ogg"}},
		{"carts", "carts_cart_moving.*.ogg", "", "PilzAdam, SmallJoker and the Minetest developers", "", nil},
	}
}

// block is a family of Minetest's sounds: what their names begin with.
type block struct {
	stem, title, category, pack string
	tags                        []string
}

func minetestBlocks() []block {
	step, dig := []string{"footstep", "walking", "game"}, []string{"dig", "hit", "game"}
	door, flame := []string{"door", "hinge", "game"}, []string{"fire", "flame", "burning"}
	return []block{
		{"default_dirt_footstep", "Footstep on dirt", "fx-h", "Footsteps", step}, {"default_glass_footstep", "Footstep on glass", "fx-h", "Footsteps", step},
		{"default_grass_footstep", "Footstep on grass", "fx-h", "Footsteps", step}, {"default_gravel_footstep", "Footstep on gravel", "fx-h", "Footsteps", step},
		{"default_hard_footstep", "Footstep on hard ground", "fx-h", "Footsteps", step}, {"default_ice_footstep", "Footstep on ice", "fx-h", "Footsteps", step},
		{"default_metal_footstep", "Footstep on metal", "fx-h", "Footsteps", step}, {"default_sand_footstep", "Footstep on sand", "fx-h", "Footsteps", step},
		{"default_snow_footstep", "Footstep on snow", "fx-h", "Footsteps", step}, {"default_water_footstep", "Footstep in water", "fx-h", "Footsteps", step},
		{"default_wood_footstep", "Footstep on wood", "fx-h", "Footsteps", step},
		{"default_dig_choppy", "Chopping wood", "fx-o", "Digging and building", append(dig, "axe")}, {"default_dig_cracky", "Pickaxe on rock", "fx-o", "Digging and building", append(dig, "stone")},
		{"default_dig_crumbly", "Digging loose soil", "fx-o", "Digging and building", append(dig, "earth")}, {"default_dig_dig_immediate", "Quick dig", "fx-o", "Digging and building", dig},
		{"default_dig_metal", "Hitting metal", "fx-o", "Digging and building", append(dig, "clang")}, {"default_dig_oddly_breakable_by_hand", "Breaking by hand", "fx-o", "Digging and building", dig},
		{"default_dig_snappy", "Snapping a plant", "fx-o", "Digging and building", append(dig, "leaves")}, {"default_dug_metal", "Metal block comes loose", "fx-o", "Digging and building", dig},
		{"default_dug_node", "Block comes loose", "fx-o", "Digging and building", dig}, {"default_gravel_dig", "Digging gravel", "fx-o", "Digging and building", append(dig, "stones")},
		{"default_gravel_dug", "Gravel gives way", "fx-o", "Digging and building", append(dig, "stones")}, {"default_ice_dig", "Picking at ice", "fx-o", "Digging and building", append(dig, "crack")},
		{"default_ice_dug", "Ice breaks", "fx-o", "Digging and building", append(dig, "crack")}, {"default_place_node_hard", "Placing a hard block", "fx-o", "Digging and building", []string{"place", "thud", "game"}},
		{"default_place_node_metal", "Placing a metal block", "fx-o", "Digging and building", []string{"place", "clang", "game"}},
		{"default_place_node", "Placing a block", "fx-o", "Digging and building", []string{"place", "thud", "game"}},
		{"default_break_glass", "Glass breaks", "fx-o", "Digging and building", []string{"break", "shatter", "window"}}, {"default_tool_breaks", "Tool breaks", "fx-o", "Digging and building", []string{"snap", "crack", "game"}},
		{"default_chest_close", "Chest closes", "fx-o", "Doors and chests", []string{"chest", "lid", "wood"}}, {"default_chest_open", "Chest opens", "fx-o", "Doors and chests", []string{"chest", "lid", "wood"}},
		{"doors_door_close", "Wooden door closes", "fx-o", "Doors and chests", door}, {"doors_door_open", "Wooden door opens", "fx-o", "Doors and chests", door},
		{"doors_fencegate_close", "Fence gate closes", "fx-o", "Doors and chests", append(door, "garden")}, {"doors_fencegate_open", "Fence gate opens", "fx-o", "Doors and chests", append(door, "garden")},
		{"doors_glass_door_close", "Glass door closes", "fx-o", "Doors and chests", door}, {"doors_glass_door_open", "Glass door opens", "fx-o", "Doors and chests", door},
		{"doors_steel_door_close", "Steel door closes", "fx-o", "Doors and chests", append(door, "metal")}, {"doors_steel_door_open", "Steel door opens", "fx-o", "Doors and chests", append(door, "metal")},
		{"xpanes_steel_bar_door_close", "Barred steel door closes", "fx-o", "Doors and chests", append(door, "prison")}, {"xpanes_steel_bar_door_open", "Barred steel door opens", "fx-o", "Doors and chests", append(door, "prison")},
		{"default_cool_lava", "Lava cools with a hiss", "fx-n", "Fire, water and lava", []string{"lava", "hiss", "steam"}}, {"default_furnace_active", "Furnace burning", "fx-m", "Fire, water and lava", append(flame, "furnace")},
		{"default_item_smoke", "Puff of smoke", "fx-n", "Fire, water and lava", []string{"smoke", "puff", "game"}}, {"env_sounds_lava", "Lava bubbling", "fx-n", "Fire, water and lava", []string{"lava", "bubbles", "volcano"}},
		{"env_sounds_water", "Flowing water", "fx-n", "Fire, water and lava", []string{"water", "stream", "brook"}}, {"fire_extinguish_flame", "Flame goes out", "fx-n", "Fire, water and lava", append(flame, "hiss")},
		{"fire_fire", "Fire burning", "fx-n", "Fire, water and lava", append(flame, "crackle")}, {"fire_flint_and_steel", "Flint and steel", "fx-o", "Fire, water and lava", append(flame, "spark")},
		{"fire_large", "Large fire", "fx-n", "Fire, water and lava", append(flame, "crackle")}, {"fire_small", "Small fire", "fx-n", "Fire, water and lava", append(flame, "crackle")},
		{"tnt_explode", "Explosion", "fx-n", "Explosives and carts", []string{"explosion", "blast", "boom"}}, {"tnt_gunpowder_burning", "Gunpowder burning", "fx-n", "Explosives and carts", []string{"fuse", "powder", "sizzle"}},
		{"tnt_ignite", "Fuse ignites", "fx-n", "Explosives and carts", []string{"fuse", "ignite", "sizzle"}}, {"carts_cart_moving", "Mine cart on rails", "fx-v", "Explosives and carts", []string{"cart", "rails", "rolling"}},
		{"player_damage", "Player is hurt", "fx-h", "Explosives and carts", []string{"hurt", "damage", "game"}}, {"soundstuff_mono", "Mono test tone", "fx-el", "Explosives and carts", []string{"test", "mono", "game"}},
	}
}

// minetest reads minetest-data. A mod's README is more exact than the package's copyright file, which gives whole folders one
// license; that file counts for the four sounds of which no README speaks.
func minetest(dir string) (Collection, error) {
	c := Collection{Account: "Minetest", Website: "https://www.minetest.net/",
		About: "The sounds of Minetest Game, the open voxel game: footsteps on every ground, digging, doors, fire. Each page names who made the sound. Brought in from " +
			"Debian's package minetest-data for this demo.",
		Packs: map[string]string{
			"Footsteps":            "A walk through Minetest: dirt, glass, grass, gravel, ice, metal, sand, snow, water, wood.",
			"Digging and building": "What a pickaxe, an axe and bare hands do to the blocks of Minetest.",
			"Doors and chests":     "Wood, glass, steel: everything in Minetest that opens and closes.",
			"Fire, water and lava": "The elements of Minetest.",
			"Explosives and carts": "TNT, mine carts and the rest.",
		}}
	papers, err := readCopyright(dir, "minetest-data")
	if err != nil {
		return c, err
	}
	base := "usr/share/games/minetest/games"
	files, err := sounds(filepath.Join(dir, base), ".ogg")
	if err != nil {
		return c, err
	}
	readmes := map[string]string{}
	claims, blocks := minetestClaims(), minetestBlocks()
	seen := map[[sha256.Size]byte]bool{}
	for _, file := range files {
		data, err := os.ReadFile(filepath.Join(dir, base, file))
		if err != nil {
			return c, err
		}
		if sum := sha256.Sum256(data); seen[sum] { // the hiss of lava is the same file as the flame that goes out
			c.Repeated = append(c.Repeated, file)
			continue
		} else {
			seen[sum] = true
		}
		mod := path.Base(path.Dir(path.Dir(file))) // …/mods/MOD/sounds/FILE
		if _, ok := readmes[mod]; !ok {
			text, _ := os.ReadFile(filepath.Join(dir, base, "minetest_game/mods", mod, "README.txt")) // without one nothing is claimed
			readmes[mod] = strings.Join(strings.Fields(string(text)), " ")
		}
		s, ok := minetestLicense(papers, claims, readmes[mod], mod, file)
		title, b, known := blockOf(blocks, path.Base(file))
		if !ok || !known {
			c.LeftOut = append(c.LeftOut, file)
			continue
		}
		s.File, s.Title, s.Category, s.Pack, s.Tags = base+"/"+file, title, b.category, b.pack, tags(title, b.tags)
		s.Description = "A sound of Minetest Game, by " + s.Credit + "."
		c.Sounds = append(c.Sounds, s)
	}
	return c, nil
}

// minetestLicense finds license, credit and source of a file.
func minetestLicense(papers copyright, claims []claim, readme, mod, file string) (Sound, bool) {
	base := path.Base(file)
	for _, cl := range claims {
		if cl.mod != mod || cl.license == "" || !slices.ContainsFunc(strings.Fields(cl.files), func(p string) bool { return match(p, base) }) {
			continue
		}
		for _, s := range cl.says {
			if !strings.Contains(readme, s) {
				return Sound{}, false
			}
		}
		return Sound{License: code(cl.license), Credit: cl.credit, Source: cl.source}, code(cl.license) != ""
	}
	// No README speaks of it: the copyright file does, under the name the folder has in the source package.
	_, below, _ := strings.Cut(file, "minetest_game/")
	if below == "" {
		below = file
	} else {
		below = "mtg/" + below
	}
	st, ok := papers.of(below)
	out := Sound{License: code(st.license), Credit: "the Minetest developers"}
	for _, cl := range claims {
		if cl.mod == mod && cl.license == "" {
			out.Credit = cl.credit
		}
	}
	stem, _, _ := strings.Cut(base, ".")
	return out, ok && out.License != "" && !strings.Contains(readme, stem)
}

// blockOf gives the title of a file: its family's, with the number that the file has.
func blockOf(blocks []block, base string) (string, block, bool) {
	name := strings.TrimSuffix(base, ".ogg")
	stem, n, numbered := strings.Cut(name, ".")
	for _, b := range blocks {
		if b.stem == stem {
			if numbered {
				return b.title + " " + n, b, true
			}
			return b.title, b, true
		}
	}
	return "", block{}, false
}
