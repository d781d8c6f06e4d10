// Package config is AudioMicro's settings: one documented struct, read from the command line, the environment
// (AUDIOMICRO_…) and a YAML file, in that order of precedence. Unknown keys are refused; the printed sample comes from the
// struct itself.
package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/mail"
	"net/netip"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"audiomicro/internal/money"
)

// Config holds every setting. The zero value of a field means its default; the doc tag is what `config print` shows.
type Config struct {
	Data          string `yaml:"data" default:"./data" doc:"folder of the SQLite database, the blobs and working files"`
	Listen        string `yaml:"listen" default:"localhost:8080" doc:"address the web server listens on"`
	URL           string `yaml:"url" doc:"public address of the site, as https://sounds.example.org; default: http:// and the listen address"`
	Database      string `yaml:"database" doc:"postgres:// address; empty: SQLite in the data folder"`
	Blobs         string `yaml:"blobs" doc:"s3://KEY:SECRET@HOST/BUCKET[?insecure=1&region=R]; empty: files in the data folder"`
	SMTP          string `yaml:"smtp" doc:"smtp://[user:password@]host:port or smtps://…; empty: mail waits, with a warning (dev: readable at /dev/mail)"`
	MailFrom      string `yaml:"mail_from" doc:"sender address of all mail; default: audiomicro@ and the host of url"`
	MetricsListen string `yaml:"metrics_listen" doc:"loopback address for /metrics, as 127.0.0.1:9090; empty: off"`
	Dev           bool   `yaml:"dev" doc:"for trying things out on loopback: test payments, readable mail at /dev/mail"`

	SiteName   string `yaml:"site_name" default:"AudioMicro" doc:"what the site calls itself"`
	Operator   string `yaml:"operator" default:"the operator of this site" doc:"who runs the site; issuer of licenses and invoices"`
	Address    string `yaml:"address" doc:"postal address of the operator, printed on invoices"`
	BankDetail string `yaml:"bank_detail" doc:"how to pay an invoice of the manual provider, as shown to buyers"`

	Currency      string `yaml:"currency" default:"USD" doc:"ISO 4217 code of all prices; fixed once a recording has a price"`
	RoyaltyBasis  int    `yaml:"royalty_basis_points" default:"3500" doc:"the contributor's share of the net price, in hundredths of a percent (3500 = 35 %)"`
	TaxBasis      int    `yaml:"tax_basis_points" default:"0" doc:"tax added to every order, in hundredths of a percent"`
	TaxName       string `yaml:"tax_name" default:"Tax" doc:"what the tax is called on invoices"`
	Moderation    string `yaml:"moderation" default:"on" doc:"on: a moderator approves every recording; off: what is submitted is published at once"`
	MemberPreview bool   `yaml:"members_only_previews" doc:"full-length previews for members only; visitors hear the first 30 seconds"`

	MaxUpload      Bytes         `yaml:"max_upload" default:"2GB" doc:"largest file a contributor may upload"`
	UploadLifetime time.Duration `yaml:"upload_lifetime" default:"168h" doc:"how long an unfinished upload is kept after its last byte"`
	MaxLength      time.Duration `yaml:"max_length" default:"24h" doc:"longest recording accepted"`
	Workers        int           `yaml:"workers" default:"2" doc:"how many recordings are analyzed at once on this node"`
	SearchEars     int           `yaml:"search_ears" default:"1" doc:"how many sounds that visitors search by are listened to at once on this node; others wait a few seconds, then are asked to come back"`
	MaxExample     Bytes         `yaml:"max_example" default:"20MB" doc:"largest sound that a visitor may search by"`
	ExampleLength  time.Duration `yaml:"example_length" default:"60s" doc:"how much of such a sound is listened to"`
	FFmpeg         string        `yaml:"ffmpeg" default:"auto" doc:"native ffmpeg for M4A/AAC and more: auto (search the PATH), off, or a path"`
	MarkSeconds    int           `yaml:"mark_seconds" default:"6" doc:"seconds between the audible marks in previews of paid recordings"`

	TrustedProxies []string `yaml:"trusted_proxies" doc:"addresses or networks whose X-Forwarded-For is believed, as 127.0.0.1 or 10.0.0.0/8"`
	Node           string   `yaml:"node" doc:"name of this process among several on one database, the same after a restart; default: host name and listen address"`
	LogLevel       string   `yaml:"log_level" default:"info" doc:"debug, info, warn or error"`
}

// Bytes is a size: a number with an optional unit KB, MB or GB (powers of 1000) or KiB, MiB, GiB.
type Bytes int64

// UnmarshalText reads a size.
func (b *Bytes) UnmarshalText(text []byte) error {
	s := strings.TrimSpace(string(text))
	units := []struct {
		name string
		n    int64
	}{{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"KB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"", 1}}
	for _, u := range units {
		num, ok := strings.CutSuffix(s, u.name)
		if !ok {
			continue
		}
		n, err := strconv.ParseInt(strings.TrimSpace(num), 10, 64)
		if err != nil || n < 0 || n > (1<<62)/u.n {
			return fmt.Errorf("%q is not a size: write 500MB or 2GB", s)
		}
		*b = Bytes(n * u.n)
		return nil
	}
	return fmt.Errorf("%q is not a size", s)
}

// UnmarshalYAML reads a size from a YAML scalar.
func (b *Bytes) UnmarshalYAML(n *yaml.Node) error { return b.UnmarshalText([]byte(n.Value)) }

// MarshalYAML writes the size in bytes.
func (b Bytes) MarshalYAML() (any, error) { return int64(b), nil }

// Default is the configuration with every default filled in.
func Default() Config {
	var c Config
	v := reflect.ValueOf(&c).Elem()
	for i := range v.NumField() {
		if def := v.Type().Field(i).Tag.Get("default"); def != "" {
			if err := set(v.Field(i), def); err != nil {
				panic(err) // a default that does not parse is a defect of the struct above
			}
		}
	}
	return c
}

// Keys lists the names of all settings in the order of the struct.
func Keys() []string {
	t := reflect.TypeFor[Config]()
	out := make([]string, t.NumField())
	for i := range out {
		out[i] = t.Field(i).Tag.Get("yaml")
	}
	return out
}

// IsSwitch tells whether a key is a yes/no setting, so that its flag needs no value.
func IsSwitch(key string) bool {
	for _, f := range reflect.VisibleFields(reflect.TypeFor[Config]()) {
		if f.Tag.Get("yaml") == key {
			return f.Type.Kind() == reflect.Bool
		}
	}
	return false
}

func set(f reflect.Value, text string) error {
	switch p := f.Addr().Interface().(type) {
	case *Bytes:
		return p.UnmarshalText([]byte(text))
	case *time.Duration:
		d, err := time.ParseDuration(text)
		if err != nil {
			return fmt.Errorf("%q is not a duration: write 30s or 24h", text)
		}
		*p = d
	case *string:
		*p = text
	case *int:
		n, err := strconv.Atoi(text)
		if err != nil {
			return fmt.Errorf("%q is not a number", text)
		}
		*p = n
	case *bool:
		b, err := strconv.ParseBool(text)
		if err != nil {
			return fmt.Errorf("%q is neither true nor false", text)
		}
		*p = b
	case *[]string:
		*p = strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' })
	default:
		return fmt.Errorf("no way to set a %s", f.Type())
	}
	return nil
}

// Load reads the settings: defaults, then the YAML file (when named), then the environment, then flags (keys with
// underscores, values as text). Every unknown key and impossible value is an error that names it.
func Load(file string, environ []string, flags map[string]string) (Config, error) {
	c := Default()
	if file != "" {
		text, err := os.ReadFile(file)
		if err != nil {
			return c, fmt.Errorf("read config: %w", err)
		}
		dec := yaml.NewDecoder(bytes.NewReader(text))
		dec.KnownFields(true)
		if err := dec.Decode(&c); err != nil && !errors.Is(err, io.EOF) {
			return c, fmt.Errorf("config %s: %w (see `audiomicro config print`)", file, err)
		}
	}
	v := reflect.ValueOf(&c).Elem()
	byKey := map[string]reflect.Value{}
	for i, key := range Keys() {
		byKey[key] = v.Field(i)
	}
	for _, kv := range environ {
		name, value, _ := strings.Cut(kv, "=")
		key, ok := strings.CutPrefix(name, "AUDIOMICRO_")
		if !ok || strings.HasPrefix(key, "TEST_") || key == "CONFIG" {
			continue
		}
		f, ok := byKey[strings.ToLower(key)]
		if !ok {
			return c, fmt.Errorf("environment variable %s names no setting (see `audiomicro config print`)", name)
		}
		if err := set(f, value); err != nil {
			return c, fmt.Errorf("environment variable %s: %w", name, err)
		}
	}
	for key, value := range flags {
		f, ok := byKey[key]
		if !ok {
			return c, fmt.Errorf("--%s names no setting (see `audiomicro config print`)", strings.ReplaceAll(key, "_", "-"))
		}
		if err := set(f, value); err != nil {
			return c, fmt.Errorf("--%s: %w", strings.ReplaceAll(key, "_", "-"), err)
		}
	}
	return c, c.check()
}

func (c *Config) check() error {
	host, port, err := net.SplitHostPort(c.Listen)
	if _, badPort := net.LookupPort("tcp", port); err != nil || badPort != nil {
		return fmt.Errorf("listen: %q is not host:port, as localhost:8080", c.Listen)
	}
	if c.Dev && !loopback(host) {
		return fmt.Errorf("listen: dev mode serves loopback addresses only (test payments and readable mail are open to whoever connects), not %q", c.Listen)
	}
	if c.MetricsListen != "" {
		if h, _, err := net.SplitHostPort(c.MetricsListen); err != nil || !loopback(h) {
			return fmt.Errorf("metrics_listen: %q is not a loopback host:port, as 127.0.0.1:9090", c.MetricsListen)
		}
	}
	if c.URL == "" {
		if c.URL = "http://" + c.Listen; host == "" {
			c.URL = "http://localhost" + c.Listen // every address; links need one of them
		}
	}
	u, err := url.Parse(c.URL)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return fmt.Errorf("url: %q is not an http(s) address", c.URL)
	}
	if strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return fmt.Errorf("url: %q is more than a host: the site lives at the root, as https://sounds.example.org", c.URL)
	}
	c.URL = strings.TrimRight(c.URL, "/")
	if c.MailFrom == "" {
		if c.MailFrom = "audiomicro@" + u.Hostname(); strings.Contains(u.Hostname(), ":") {
			c.MailFrom = "audiomicro@localhost" // an IPv6 address is no name for mail
		}
	}
	if c.Moderation != "on" && c.Moderation != "off" {
		return fmt.Errorf("moderation: %q is neither on nor off", c.Moderation)
	}
	if !money.Known(c.Currency) {
		return fmt.Errorf("currency: %q is not an ISO 4217 code, as USD", c.Currency)
	}
	for key, n := range map[string]int{"royalty_basis_points": c.RoyaltyBasis, "tax_basis_points": c.TaxBasis} {
		if n < 0 || n > 10000 {
			return fmt.Errorf("%s: %d is not between 0 and 10000", key, n)
		}
	}
	if c.Workers < 1 || c.Workers > 256 {
		return fmt.Errorf("workers: %d is not between 1 and 256", c.Workers)
	}
	if c.SearchEars < 1 || c.SearchEars > 256 {
		return fmt.Errorf("search_ears: %d is not between 1 and 256", c.SearchEars)
	}
	if c.MaxExample < 1<<10 {
		return fmt.Errorf("max_example: %d bytes hold no sound: write 20MB", c.MaxExample)
	}
	if c.MarkSeconds < 2 {
		return fmt.Errorf("mark_seconds: %d is too short, at least 2", c.MarkSeconds)
	}
	if c.Database != "" && !strings.HasPrefix(c.Database, "postgres://") && !strings.HasPrefix(c.Database, "postgresql://") {
		return errors.New("database: only postgres:// addresses; leave it empty for SQLite in the data folder")
	}
	if c.Data == "" {
		return errors.New("data: name a folder")
	}
	return errors.Join(c.checkTexts(), c.checkElsewhere())
}

// checkTexts looks at settings that are short texts: they stand in one line of a page, a mail or an invoice.
func (c *Config) checkTexts() error {
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.LogLevel)); err != nil || strings.ContainsAny(c.LogLevel, "+-") {
		return fmt.Errorf("log_level: %q is none of debug, info, warn, error", c.LogLevel)
	}
	if a, err := mail.ParseAddress(c.MailFrom); err != nil || a.Address != c.MailFrom {
		return fmt.Errorf("mail_from: %q is not a mail address, as audiomicro@example.org", c.MailFrom)
	}
	for key, text := range map[string]string{"site_name": c.SiteName, "operator": c.Operator, "tax_name": c.TaxName, "node": c.Node} {
		if strings.ContainsFunc(text, unicode.IsControl) || !utf8.ValidString(text) {
			return fmt.Errorf("%s: %q is not one line of text", key, text)
		}
	}
	for key, d := range map[string]time.Duration{"upload_lifetime": c.UploadLifetime, "max_length": c.MaxLength, "example_length": c.ExampleLength} {
		if d <= 0 {
			return fmt.Errorf("%s: %s is no time at all: write 24h", key, d)
		}
	}
	return nil
}

// checkElsewhere looks at settings that name other machines and programs, without asking them.
func (c *Config) checkElsewhere() error {
	for _, p := range c.TrustedProxies {
		_, noNet := netip.ParsePrefix(p)
		if _, err := netip.ParseAddr(p); err != nil && noNet != nil {
			return fmt.Errorf("trusted_proxies: %q is neither an address nor a network, as 127.0.0.1 or 10.0.0.0/8", p)
		}
	}
	// These two hold a password: they are not repeated.
	if u, err := url.Parse(c.SMTP); c.SMTP != "" && (err != nil || u.Hostname() == "" || u.Scheme != "smtp" && u.Scheme != "smtps") {
		return errors.New("smtp: want smtp://[user:password@]host[:port] or smtps://[user:password@]host[:port]")
	}
	if u, err := url.Parse(c.Blobs); c.Blobs != "" && (err != nil || u.Scheme != "s3" || u.Host == "" || u.User == nil || strings.Trim(u.Path, "/") == "") {
		return errors.New("blobs: want s3://KEY:SECRET@HOST/BUCKET[/PREFIX][?insecure=1&region=R]")
	}
	if tool := c.FFmpeg; tool != "auto" && tool != "off" && tool != "" {
		if _, err := exec.LookPath(tool); err != nil {
			return fmt.Errorf("ffmpeg: %q is no program here: write auto, off or its path", tool)
		}
	}
	return nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// Secure tells whether the site's public address is https.
func (c Config) Secure() bool { return strings.HasPrefix(c.URL, "https://") }

// SQLiteFile is the path of the SQLite database.
func (c Config) SQLiteFile() string { return filepath.Join(c.Data, "audiomicro.db") }

// Print writes a YAML sample with every key, its meaning and its value in c.
func (c Config) Print(w io.Writer) error {
	v := reflect.ValueOf(c)
	for i := range v.NumField() {
		f := v.Type().Field(i)
		value, err := yaml.Marshal(printable(v.Field(i)))
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(w, "# %s (default: %s)\n%s: %s", f.Tag.Get("doc"), orNone(f.Tag.Get("default")), f.Tag.Get("yaml"), value)
		if err != nil {
			return err
		}
	}
	return nil
}

func printable(v reflect.Value) any {
	switch x := v.Interface().(type) {
	case time.Duration:
		return x.String()
	case []string:
		if x == nil {
			return []string{}
		}
		return x
	default:
		return x
	}
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}
