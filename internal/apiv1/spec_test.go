package apiv1_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"audiomicro/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

type object = map[string]any

// spec is the document of a running site, and what was seen of it.
type spec struct {
	doc      object
	compiler *jsonschema.Compiler
	schemas  map[string]*jsonschema.Schema // by place in the document

	mu   sync.Mutex
	seen map[string]bool // "GET /api/v1/site 200"
}

const documentAt = "https://test.example/openapi.json"

// specOf reads the document from a site and checks it against the schema of OpenAPI 3.1.
func specOf(t testing.TB, s *testkit.Site) *spec {
	t.Helper()
	got := s.Visitor().Get("/api/v1/openapi.json")
	if got.Status != http.StatusOK || got.Header.Get("Content-Type") != "application/openapi+json" || got.Header.Get("Access-Control-Allow-Origin") != "*" {
		t.Fatalf("openapi.json: %d %v", got.Status, got.Header)
	}
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(got.Text))
	if err != nil {
		t.Fatal(err)
	}
	meta, err := os.Open("testdata/openapi-3.1.json")
	if err != nil {
		t.Fatal(err)
	}
	defer meta.Close()
	rules, err := jsonschema.UnmarshalJSON(meta)
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	c.AssertFormat()
	for at, v := range map[string]any{"https://test.example/oas.json": rules, documentAt: doc} {
		if err := c.AddResource(at, v); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.MustCompile("https://test.example/oas.json").Validate(doc); err != nil {
		t.Errorf("the document is no OpenAPI 3.1: %v", err)
	}
	sp := &spec{doc: doc.(object), compiler: c, schemas: map[string]*jsonschema.Schema{}, seen: map[string]bool{}}
	if sp.doc["openapi"] != "3.1.0" {
		t.Errorf("openapi: %v", sp.doc["openapi"])
	}
	// Every schema must be one of JSON Schema 2020-12, also those that no answer below uses.
	for name, schema := range sp.doc["components"].(object)["schemas"].(object) {
		if err := c.MustCompile("https://json-schema.org/draft/2020-12/schema").Validate(schema); err != nil {
			t.Errorf("schema %s: %v", name, err)
		}
		sp.schema(t, "/components/schemas/"+name)
	}
	return sp
}

// schema compiles the schema at a place of the document.
func (sp *spec) schema(t testing.TB, place string) *jsonschema.Schema {
	t.Helper()
	sp.mu.Lock()
	defer sp.mu.Unlock()
	if s := sp.schemas[place]; s != nil {
		return s
	}
	s, err := sp.compiler.Compile(documentAt + "#" + (&url.URL{Path: place}).EscapedPath())
	if err != nil {
		t.Fatalf("schema at %s: %v", place, err)
	}
	sp.schemas[place] = s
	return s
}

// entry is one operation of the document.
type entry struct {
	method, path string
	op           object
}

func (e entry) name() string { return e.method + " " + e.path }

func (e entry) has(part string) bool { _, ok := e.op[part]; return ok }

// entries lists the operations of the document.
func (sp *spec) entries() []entry {
	var out []entry
	paths := sp.doc["paths"].(object)
	for _, path := range slices.Sorted(maps.Keys(paths)) {
		for method, op := range paths[path].(object) {
			out = append(out, entry{strings.ToUpper(method), path, op.(object)})
		}
	}
	return out
}

// find finds the operation that a request is for; a path with fewer names in it goes first, as in net/http.
func (sp *spec) find(method, path string) (entry, bool) {
	parts := strings.Split(path, "/")
	var found entry
	least := 100
	for _, e := range sp.entries() {
		want := strings.Split(e.path, "/")
		if e.method != method || len(want) != len(parts) {
			continue
		}
		names, ok := 0, true
		for i, w := range want {
			if strings.HasPrefix(w, "{") {
				names++
			} else if w != parts[i] {
				ok = false
			}
		}
		if ok && names < least {
			found, least = e, names
		}
	}
	return found, least < 100
}

// client is a program with a credential.
type client struct {
	t    testing.TB
	site *testkit.Site
	spec *spec
	auth string // of the Authorization header; empty: none
}

func (c client) as(auth string) client { c.auth = auth; return c }

// answer is what a request got.
type answer struct {
	testkit.Answer
	v any
}

// at reads a field of the answer by a path as "items.0.id".
func (a answer) at(path string) any {
	v := a.v
	for part := range strings.SplitSeq(path, ".") {
		switch x := v.(type) {
		case object:
			v = x[part]
		case []any:
			var i int
			if _, err := fmt.Sscan(part, &i); err != nil || i >= len(x) {
				return nil
			}
			v = x[i]
		default:
			return nil
		}
	}
	return v
}

func (a answer) id(path string) int64 {
	n, _ := a.at(path).(json.Number)
	id, _ := n.Int64()
	return id
}

func (a answer) text(path string) string { return fmt.Sprint(a.at(path)) }

// call sends a request, of JSON when body is not nil, and checks status and answer against the document.
func (c client) call(want int, method, path string, body any, header ...string) answer {
	c.t.Helper()
	h := http.Header{}
	if c.auth != "" {
		h.Set("Authorization", c.auth)
	}
	raw, ok := body.(string)
	if body != nil && !ok {
		b, err := json.Marshal(body)
		if err != nil {
			c.t.Fatal(err)
		}
		raw = string(b)
	}
	if body != nil {
		h.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(header); i += 2 {
		h.Set(header[i], header[i+1])
	}
	got := c.site.Visitor().Do(method, path, h, strings.NewReader(raw))
	where := fmt.Sprintf("%s %s", method, path)
	if got.Status != want {
		c.t.Errorf("%s: %d, want %d: %.600s", where, got.Status, want, got.Text)
	}
	clean, _, _ := strings.Cut(path, "?")
	e, found := c.spec.find(method, clean)
	if !found {
		c.t.Fatalf("%s is not in the document", where)
	}
	if want < 300 && body != nil && !ok {
		c.check("the request "+where, c.spec.schema(c.t, pointer(e, "requestBody/content/application~1json/schema")), []byte(raw))
	}
	return answer{got, c.verify(where, e, got)}
}

// pointer is the place of a part of an operation in the document.
func pointer(e entry, part string) string {
	return "/paths/" + strings.ReplaceAll(e.path, "/", "~1") + "/" + strings.ToLower(e.method) + "/" + part
}

// verify checks an answer against the document, notes it as seen, and gives it decoded.
func (c client) verify(where string, e entry, got testkit.Answer) any {
	c.t.Helper()
	status := fmt.Sprint(got.Status)
	res, ok := e.op["responses"].(object)[status].(object)
	if !ok {
		c.t.Errorf("%s: the document knows no answer %s", where, status)
		return nil
	}
	c.spec.mu.Lock()
	c.spec.seen[e.name()+" "+status] = true
	c.spec.mu.Unlock()
	content, _ := res["content"].(object)
	if len(content) == 0 {
		if got.Text != "" && got.Status != http.StatusRequestedRangeNotSatisfiable {
			c.t.Errorf("%s: %s with a body: %.200s", where, status, got.Text)
		}
		return nil
	}
	kind := got.Header.Get("Content-Type")
	media, ok := content[kind].(object)
	if !ok {
		c.t.Errorf("%s: an answer of type %q, the document has %v", where, kind, slices.Collect(maps.Keys(content)))
		return nil
	}
	if media["schema"] == nil {
		return nil
	}
	place := pointer(e, "responses/"+status+"/content/"+strings.ReplaceAll(kind, "/", "~1")+"/schema")
	v := c.check(where, c.spec.schema(c.t, place), []byte(got.Text))
	if got.Status >= 400 {
		p, _ := v.(object)
		if fmt.Sprint(p["status"]) != status || p["request"] != got.Header.Get("X-Request-Id") || !strings.HasSuffix(fmt.Sprint(p["detail"]), ".") {
			c.t.Errorf("%s: problem %v", where, p)
		}
	}
	return v
}

func (c client) check(where string, schema *jsonschema.Schema, raw []byte) any {
	c.t.Helper()
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		c.t.Errorf("%s: %v in %.300s", where, err, raw)
		return nil
	}
	if err := schema.Validate(v); err != nil {
		c.t.Errorf("%s does not fit the document: %v\n%.600s", where, err, raw)
	}
	return v
}

func asJSON(t testing.TB, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
