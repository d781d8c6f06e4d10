package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"audiomicro/internal/config"
)

func file(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "audiomicro.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestPrecedence sets one key in all three places: flags win over the environment, which wins over the file.
func TestPrecedence(t *testing.T) {
	path := file(t, "max_upload: 1MB\nsite_name: File\nmoderation: off\n")
	c, err := config.Load(path, []string{"AUDIOMICRO_SITE_NAME=Environment", "AUDIOMICRO_MAX_UPLOAD=2MB", "PATH=/bin"}, map[string]string{"max_upload": "3MB", "upload_lifetime": "2h"})
	if err != nil {
		t.Fatal(err)
	}
	if c.MaxUpload != 3e6 || c.SiteName != "Environment" || c.Moderation != "off" || c.UploadLifetime != 2*time.Hour || c.Currency != "USD" {
		t.Errorf("got %+v", c)
	}
	if c.URL != "http://localhost:8080" || c.MailFrom != "audiomicro@localhost" {
		t.Errorf("derived: %s, %s", c.URL, c.MailFrom)
	}
}

func TestRefusals(t *testing.T) {
	for name, try := range map[string]struct {
		file, env, flag, value, want string
	}{
		"unknown key in the file":    {file: "colour: red\n", want: "colour"},
		"unknown environment":        {env: "AUDIOMICRO_COLOUR=red", want: "AUDIOMICRO_COLOUR"},
		"unknown flag":               {flag: "colour", value: "red", want: "--colour"},
		"size":                       {flag: "max_upload", value: "much", want: "2GB"},
		"negative size":              {flag: "max_upload", value: "-1", want: "size"},
		"dev beyond loopback":        {file: "dev: true\nlisten: 0.0.0.0:80\n", want: "loopback"},
		"dev on every address":       {file: "dev: true\nlisten: :80\n", want: "loopback"},
		"metrics beyond loopback":    {flag: "metrics_listen", value: "0.0.0.0:9090", want: "loopback"},
		"another database":           {flag: "database", value: "mysql://x", want: "postgres://"},
		"no address":                 {flag: "url", value: "sounds.example.org", want: "http"},
		"royalty beyond the whole":   {flag: "royalty_basis_points", value: "10001", want: "10000"},
		"moderation between on, off": {flag: "moderation", value: "perhaps", want: "on nor off"},
		"currency":                   {flag: "currency", value: "usd", want: "ISO"},
		"currency nobody knows":      {flag: "currency", value: "ABC", want: "ISO"},
		"no number":                  {flag: "workers", value: "two", want: "number"},
		"port beyond the last":       {flag: "listen", value: "localhost:99999", want: "listen"},
		"level":                      {env: "AUDIOMICRO_LOG_LEVEL=loud", want: "debug, info"},
		"proxy":                      {flag: "trusted_proxies", value: "127.0.0.1,proxy", want: `"proxy"`},
		"mail server":                {flag: "smtp", value: "http://mail.example.org", want: "smtp://"},
		"bucket":                     {flag: "blobs", value: "s3://KEY:hush@host", want: "BUCKET"},
		"sender":                     {file: "mail_from: nobody\n", want: "mail_from"},
		"name of two lines":          {file: "site_name: \"a\\nBcc: b\"\n", want: "one line"},
		"no time":                    {flag: "upload_lifetime", value: "-1h", want: "upload_lifetime"},
		"program":                    {flag: "ffmpeg", value: "/nowhere/ffmpeg", want: "no program"},
	} {
		t.Run(name, func(t *testing.T) {
			path, env, flags := "", []string{}, map[string]string{}
			if try.file != "" {
				path = file(t, try.file)
			}
			if try.env != "" {
				env = append(env, try.env)
			}
			if try.flag != "" {
				flags[try.flag] = try.value
			}
			_, err := config.Load(path, env, flags)
			if err == nil || !strings.Contains(err.Error(), try.want) {
				t.Errorf("error %v, want one with %q", err, try.want)
			}
			if err != nil && strings.Contains(err.Error(), "hush") {
				t.Errorf("the error tells a secret: %v", err)
			}
		})
	}
}

// TestListenAlone fills in what follows from the listen address, also one without a name.
func TestListenAlone(t *testing.T) {
	for listen, want := range map[string][2]string{
		":8080": {"http://localhost:8080", "audiomicro@localhost"}, "[::1]:8080": {"http://[::1]:8080", "audiomicro@localhost"}, "127.0.0.1:8080": {"http://127.0.0.1:8080", "audiomicro@127.0.0.1"},
	} {
		c, err := config.Load("", nil, map[string]string{"listen": listen})
		if err != nil || c.URL != want[0] || c.MailFrom != want[1] {
			t.Errorf("%s: %s, %s, %v", listen, c.URL, c.MailFrom, err)
		}
	}
}

// TestSample reads back what `config print` writes: the sample has every key and means the defaults.
func TestSample(t *testing.T) {
	var b strings.Builder
	if err := config.Default().Print(&b); err != nil {
		t.Fatal(err)
	}
	for _, key := range config.Keys() {
		if !strings.Contains(b.String(), "\n"+key+":") {
			t.Errorf("the sample lacks %s", key)
		}
	}
	got, err := config.Load(file(t, b.String()), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	want, err := config.Load("", nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	got.TrustedProxies, want.TrustedProxies = nil, nil
	if got.MaxUpload != want.MaxUpload || got.UploadLifetime != want.UploadLifetime || got.URL != want.URL || got.Workers != want.Workers || got.Moderation != want.Moderation {
		t.Errorf("read back %+v, want %+v", got, want)
	}
}
