// Command webbuild makes web/dist from web's sources: it bundles style sheets and scripts with esbuild, joins the icons into
// one sprite, names every file after its content, writes .br and .gz twins and a manifest.
//
//	go run -C tools ./webbuild          # write ../web/dist
//	go run -C tools ./webbuild -check   # fail when ../web/dist does not match its sources
package main

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/base32"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/andybalholm/brotli"
	"github.com/evanw/esbuild/pkg/api"
)

// entries are the files that pages name; what they share becomes chunks.
var entries = []string{
	"css/app.css", "css/work.css", "css/review.css", "css/api.css", "css/find.css", "css/scope.css", "css/collections.css", "css/example.css",
	"js/app.js", "js/scope.js", "js/upload.js", "js/batch.js", "js/find.js", "js/compare.js", "js/energy.js", "js/stretch.js", "js/segment.js", "js/arrange.js", "js/example.js", "js/part.js",
}

// copied are files that pages name and that are hashed as they are.
var copied = []string{"icons/mark.svg", "icons/select.svg", "fonts/instrument-sans-am.woff2"}

func main() {
	web := flag.String("web", "../web", "the folder that holds css, js, icons, fonts and dist")
	check := flag.Bool("check", false, "compare with dist instead of writing it")
	flag.Parse()
	if err := run(*web, *check); err != nil {
		fmt.Fprintln(os.Stderr, "webbuild:", err)
		os.Exit(1)
	}
}

func run(web string, check bool) error {
	web, err := filepath.Abs(web)
	if err != nil {
		return err
	}
	files, err := build(web)
	if err != nil {
		return err
	}
	dist := filepath.Join(web, "dist")
	if check {
		return compare(dist, files)
	}
	return write(dist, files)
}

// build returns the content of dist by file name, without the compressed twins.
func build(web string) (map[string][]byte, error) {
	files, manifest := map[string][]byte{}, map[string]string{}
	add := func(plain string, content []byte) {
		ext := filepath.Ext(plain)
		sum := sha256.Sum256(content)
		hashed := strings.TrimSuffix(plain, ext) + "." + base32.StdEncoding.EncodeToString(sum[:])[:8] + ext
		files[hashed], manifest[plain] = content, hashed
	}
	for _, name := range copied {
		content, err := os.ReadFile(filepath.Join(web, name))
		if err != nil {
			return nil, err
		}
		add(filepath.Base(name), content)
	}
	sprite, err := sprite(filepath.Join(web, "icons"))
	if err != nil {
		return nil, err
	}
	add("icons.svg", sprite)
	if err := bundle(web, manifest, files); err != nil {
		return nil, err
	}
	text, err := json.MarshalIndent(manifest, "", "\t")
	if err != nil {
		return nil, err
	}
	files["manifest.json"] = append(text, '\n')
	return files, nil
}

func bundle(web string, manifest map[string]string, files map[string][]byte) error {
	points := make([]string, len(entries))
	for i, e := range entries {
		points[i] = filepath.Join(web, e)
	}
	result := api.Build(api.BuildOptions{
		AbsWorkingDir:     web,
		EntryPoints:       points,
		Outdir:            filepath.Join(web, "dist"),
		EntryNames:        "[name].[hash]",
		ChunkNames:        "chunk.[hash]",
		AssetNames:        "[name].[hash]",
		Bundle:            true,
		Splitting:         true,
		Format:            api.FormatESModule,
		MinifyWhitespace:  true,
		MinifySyntax:      true,
		MinifyIdentifiers: true,
		LegalComments:     api.LegalCommentsNone,
		Charset:           api.CharsetUTF8,
		Target:            api.ES2022,
		// light-dark() and nesting stay as they are written: the supported browsers read them.
		Supported: map[string]bool{"nesting": true},
		// The font is copied under the name that pages preload, so that one file serves both.
		External: []string{"/static/*"},
		Plugins:  []api.Plugin{fontURL(manifest)},
		Metafile: true,
		Write:    false,
	})
	if len(result.Errors) > 0 {
		return errors.New(strings.Join(api.FormatMessages(result.Errors, api.FormatMessagesOptions{}), "\n"))
	}
	for _, w := range api.FormatMessages(result.Warnings, api.FormatMessagesOptions{Kind: api.WarningMessage}) {
		fmt.Fprintln(os.Stderr, w)
	}
	for _, f := range result.OutputFiles {
		files[filepath.Base(f.Path)] = f.Contents
	}
	var meta struct {
		Outputs map[string]struct {
			EntryPoint string `json:"entryPoint"`
			Imports    []struct {
				Path     string `json:"path"`
				Kind     string `json:"kind"`
				External bool   `json:"external"`
			} `json:"imports"`
		} `json:"outputs"`
	}
	if err := json.Unmarshal([]byte(result.Metafile), &meta); err != nil {
		return err
	}
	for path, out := range meta.Outputs {
		if out.EntryPoint == "" {
			continue
		}
		entry := filepath.Base(out.EntryPoint)
		manifest[entry] = filepath.Base(path)
		// What a script imports is listed as "name#0", "name#1" …, so that pages can ask for it before the script is read.
		n := 0
		for _, i := range out.Imports {
			if i.Kind == "import-statement" && !i.External {
				manifest[fmt.Sprintf("%s#%d", entry, n)] = filepath.Base(i.Path)
				n++
			}
		}
	}
	return nil
}

// fontURL turns url("asset:name") in style sheets into the hashed address of a copied file.
func fontURL(manifest map[string]string) api.Plugin {
	return api.Plugin{Name: "asset", Setup: func(b api.PluginBuild) {
		b.OnResolve(api.OnResolveOptions{Filter: "^asset:"}, func(a api.OnResolveArgs) (api.OnResolveResult, error) {
			hashed, ok := manifest[strings.TrimPrefix(a.Path, "asset:")]
			if !ok {
				return api.OnResolveResult{}, fmt.Errorf("no file %s", a.Path)
			}
			return api.OnResolveResult{Path: "/static/" + hashed, External: true}, nil
		})
	}}
}

var (
	svgInside = regexp.MustCompile(`(?s)<svg[^>]*>(.*)</svg>`)
	spaces    = regexp.MustCompile(`\s+`)
)

// sprite joins all icons but those copied into one file of symbols, sorted by name.
func sprite(dir string) ([]byte, error) {
	names, err := filepath.Glob(filepath.Join(dir, "*.svg"))
	if err != nil {
		return nil, err
	}
	slices.Sort(names)
	var b bytes.Buffer
	b.WriteString(`<svg xmlns="http://www.w3.org/2000/svg"><!-- Lucide, ISC License, https://lucide.dev/license -->`)
	for _, name := range names {
		id := strings.TrimSuffix(filepath.Base(name), ".svg")
		if id == "mark" || id == "select" {
			continue
		}
		content, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		inside := svgInside.FindSubmatch(content)
		if inside == nil {
			return nil, fmt.Errorf("%s is not an SVG", name)
		}
		body := strings.ReplaceAll(strings.TrimSpace(string(spaces.ReplaceAll(inside[1], []byte(" ")))), "> <", "><")
		fmt.Fprintf(&b, `<symbol id="%s" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.75" stroke-linecap="round" stroke-linejoin="round">%s</symbol>`, id, body)
	}
	b.WriteString("</svg>\n")
	return b.Bytes(), nil
}

func compressible(name string) bool {
	return strings.HasSuffix(name, ".css") || strings.HasSuffix(name, ".js") || strings.HasSuffix(name, ".svg")
}

func write(dist string, files map[string][]byte) error {
	if err := os.RemoveAll(dist); err != nil {
		return err
	}
	if err := os.MkdirAll(dist, 0o755); err != nil {
		return err
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(dist, name), content, 0o644); err != nil {
			return err
		}
		if !compressible(name) {
			continue
		}
		var br, gz bytes.Buffer
		bw := brotli.NewWriterLevel(&br, brotli.BestCompression)
		gw, err := gzip.NewWriterLevel(&gz, gzip.BestCompression)
		if err != nil {
			return err
		}
		for _, w := range []io.WriteCloser{bw, gw} {
			if _, err := w.Write(content); err != nil {
				return err
			}
			if err := w.Close(); err != nil {
				return err
			}
		}
		fmt.Printf("%-34s %7d  br %6d  gz %6d\n", name, len(content), br.Len(), gz.Len())
		if err := os.WriteFile(filepath.Join(dist, name+".br"), br.Bytes(), 0o644); err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dist, name+".gz"), gz.Bytes(), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// compare tells how dist differs from what its sources give. Twins are compared by what they unpack to.
func compare(dist string, files map[string][]byte) error {
	want := map[string][]byte{}
	for name, content := range files {
		want[name] = content
		if compressible(name) {
			want[name+".br"], want[name+".gz"] = content, content
		}
	}
	var wrong []string
	err := filepath.WalkDir(dist, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		switch filepath.Ext(path) {
		case ".br":
			content, err = io.ReadAll(brotli.NewReader(bytes.NewReader(content)))
		case ".gz":
			var r *gzip.Reader
			if r, err = gzip.NewReader(bytes.NewReader(content)); err == nil {
				content, err = io.ReadAll(r)
			}
		}
		name := d.Name()
		if expected, ok := want[name]; !ok || err != nil || !bytes.Equal(content, expected) {
			wrong = append(wrong, name)
		}
		delete(want, name)
		return nil
	})
	if err != nil {
		return err
	}
	for name := range want {
		wrong = append(wrong, name+" (missing)")
	}
	if len(wrong) > 0 {
		slices.Sort(wrong)
		return fmt.Errorf("web/dist does not match its sources: %s; run `go run -C tools ./webbuild`", strings.Join(wrong, ", "))
	}
	return nil
}
