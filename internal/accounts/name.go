package accounts

import (
	"net/mail"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// reserved names could be taken for the site or its staff; only the command line and the setup page give them.
var reserved = foldAll("admin", "administrator", "moderator", "mod", "support", "help", "helpdesk", "staff", "team", "root",
	"system", "audiomicro", "site", "official", "security", "abuse", "postmaster", "hostmaster", "webmaster", "mail", "info",
	"contact", "me", "you", "settings", "account", "api", "null", "nil", "none", "undefined", "anonymous", "everyone",
	"nobody", "deleted", "guest", "visitor", "new", "edit", "billing", "legal", "privacy", "operator", "owner")

func foldAll(names ...string) map[string]bool {
	out := map[string]bool{}
	for _, n := range names {
		out[FoldName(n)] = true
	}
	return out
}

// lookalikes maps letters to the Latin letter that most fonts draw the same way, after lower case. It is the part of
// Unicode Technical Standard 39's confusables that single letters of Cyrillic, Greek and Armenian names need, with the
// digits that pass for letters.
var lookalikes = map[rune]rune{
	'0': 'o', '1': 'l', 'ı': 'i', 'ȷ': 'j', 'ſ': 's', 'ƽ': 's', 'ɡ': 'g', 'ɩ': 'i',
	'а': 'a', 'в': 'b', 'с': 'c', 'ԁ': 'd', 'е': 'e', 'ё': 'ë', 'ғ': 'f', 'һ': 'h', 'і': 'i', 'ї': 'ï', 'ј': 'j', 'к': 'k', 'ӏ': 'l',
	'м': 'm', 'н': 'h', 'о': 'o', 'р': 'p', 'ԛ': 'q', 'г': 'r', 'ѕ': 's', 'т': 't', 'ц': 'u', 'ѵ': 'v', 'ѡ': 'w', 'ԝ': 'w', 'х': 'x',
	'у': 'y', 'ү': 'y', 'ь': 'b', 'ӕ': 'æ', 'ә': 'ə',
	'α': 'a', 'β': 'b', 'γ': 'y', 'ε': 'e', 'ζ': 'z', 'η': 'n', 'ι': 'i', 'κ': 'k', 'μ': 'u', 'ν': 'v', 'ο': 'o', 'ρ': 'p', 'σ': 'o',
	'ς': 's', 'τ': 't', 'υ': 'u', 'χ': 'x', 'ω': 'w', 'ϲ': 'c', 'ϳ': 'j', 'ό': 'ó', 'ά': 'á', 'έ': 'é', 'ί': 'í',
	'օ': 'o', 'ո': 'n', 'ս': 'u', 'հ': 'h', 'ց': 'g', 'զ': 'q', 'յ': 'j', 'լ': 'l', 'ѐ': 'è', 'ѝ': 'ѝ',
}

// FoldName gives the form under which a name is unique: NFKC, lower case, and look-alike letters made one, so that nobody
// can pass for somebody else by case or alphabet. Folding a folded name changes nothing.
func FoldName(name string) string {
	if !utf8.ValidString(name) || len(name) > 400 {
		return ""
	}
	s := norm.NFKC.String(strings.ToLower(norm.NFKC.String(name)))
	s = strings.Map(func(r rune) rune {
		if to, ok := lookalikes[r]; ok {
			return to
		}
		return r
	}, s)
	return norm.NFKC.String(s)
}

// cleanName brings a typed name into the form that is shown.
func cleanName(name string) string { return norm.NFKC.String(strings.TrimSpace(name)) }

// nameProblem says what is wrong with a name in its clean form; empty when it is fine. Names are 3 to 30 letters and digits
// of any script with . _ - between them.
func nameProblem(name string) string {
	n := 0
	for i, r := range name {
		letter := unicode.IsLetter(r) || unicode.IsNumber(r)
		if !letter && (i == 0 || r != '.' && r != '_' && r != '-') {
			return "A name has letters, digits and . _ - and begins with a letter or digit."
		}
		n++
	}
	if !utf8.ValidString(name) || n < 3 || n > 30 {
		return "A name has 3 to 30 characters."
	}
	return ""
}

// FoldEmail gives the form under which an address is unique, and whether it is an address at all: one that the mail
// system's grammar (RFC 5322 addr-spec, plain local parts) and its lengths (RFC 5321 §4.5.3.1) allow.
func FoldEmail(address string) (string, bool) {
	s := norm.NFKC.String(strings.ToLower(cleanEmail(address)))
	local, domain, ok := strings.Cut(s, "@")
	if !ok || local == "" || len(local) > 64 || len(s) > 254 || !utf8.ValidString(s) {
		return "", false
	}
	if strings.ContainsFunc(s, func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || strings.ContainsRune(`"<>()[]\,;:`, r)
	}) {
		return "", false
	}
	labels := strings.Split(domain, ".")
	for _, l := range labels {
		if l == "" || len(l) > 63 || strings.HasPrefix(l, "-") || strings.HasSuffix(l, "-") ||
			strings.ContainsFunc(l, func(r rune) bool {
				return r != '-' && !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r)
			}) {
			return "", false
		}
	}
	if len(labels) < 2 && domain != "localhost" {
		return "", false
	}
	parsed, err := mail.ParseAddress(s)
	if err != nil || parsed.Address != s || parsed.Name != "" {
		return "", false
	}
	return s, true
}

// cleanEmail is the form in which an address is kept and written to: NFKC, as typed otherwise, for the part before the @ may
// depend on case (RFC 5321 §2.4).
func cleanEmail(address string) string { return norm.NFKC.String(strings.TrimSpace(address)) }
