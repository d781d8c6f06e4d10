package ui

import (
	"crypto/sha256"
	"encoding/base64"
)

// EmbedPage is one sound in a frame on somebody else's page: no script, the browser's own player.
type EmbedPage struct {
	Sound    Sound
	BigBars  string // of the large size
	URL      string // absolute, of the sound's page
	By       Link   // absolute
	License  Link   // absolute
	SiteName string
	SiteURL  string
	Size     string // "small", "medium", "large"
}

// embedCSS is the look of an embedded sound. It stands in the page, so that one request shows it.
const embedCSS = `:root{color-scheme:light dark;--ink:light-dark(#16181d,#eceef2);--ink-2:light-dark(#5a606b,#a2a9b6);--ground:light-dark(#fff,#15171c);--line:light-dark(#dfe2e8,#30343d)}
*{box-sizing:border-box;margin:0}
body{font:14px/1.35 system-ui,sans-serif;color:var(--ink);background:var(--ground)}
main{height:100vh;display:flex;flex-direction:column;gap:6px;padding:8px 10px;border:1px solid var(--line);border-radius:6px;overflow:hidden}
header{display:flex;gap:10px;align-items:baseline;min-width:0}
h1{font-size:14px;font-weight:600;overflow:hidden;text-overflow:ellipsis;white-space:nowrap;min-width:0}
a{color:inherit}
p{color:var(--ink-2);white-space:nowrap;font-size:12.5px}
header p:last-child{margin-inline-start:auto}
audio{width:100%;height:36px;flex:none}
.wave{flex:1;min-height:0;width:100%;fill:none}
.wave path{vector-effect:non-scaling-stroke;stroke-width:1.75px;stroke-linecap:round}
.s0{stroke:light-dark(oklch(.490 .170 28),oklch(.640 .195 30))}.s1{stroke:light-dark(oklch(.550 .168 42),oklch(.690 .175 45))}
.s2{stroke:light-dark(oklch(.595 .138 62),oklch(.750 .158 65))}.s3{stroke:light-dark(oklch(.605 .125 90),oklch(.800 .148 90))}
.s4{stroke:light-dark(oklch(.600 .128 132),oklch(.812 .145 130))}.s5{stroke:light-dark(oklch(.600 .108 172),oklch(.822 .122 172))}
.s6{stroke:light-dark(oklch(.605 .098 212),oklch(.835 .108 212))}.s7{stroke:light-dark(oklch(.600 .135 250),oklch(.850 .074 245))}`

// EmbedStyle names the style of an embedded sound as a Content-Security-Policy does.
func EmbedStyle() string {
	sum := sha256.Sum256([]byte(embedCSS))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}
