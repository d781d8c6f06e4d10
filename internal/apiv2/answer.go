package apiv2

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"maps"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// member is one key of an object with its value: a string, bool, int, int64, decimal, nil, []string, object, []object or faults.
type member struct {
	key   string
	value any
}

// object is a JSON object whose keys keep their order.
type object []member

// MarshalJSON writes the members in order.
func (o object) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, m := range o {
		if i > 0 {
			b.WriteByte(',')
		}
		for j, v := range []any{m.key, m.value} {
			if j == 1 {
				b.WriteByte(':')
			}
			if err := encode(&b, v); err != nil {
				return nil, err
			}
		}
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// encode writes v as JSON without escaping & < >, which addresses are full of: the type of the answer is never HTML.
func encode(b *bytes.Buffer, v any) error {
	enc := json.NewEncoder(b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return err
	}
	b.Truncate(b.Len() - 1) // the line's end
	return nil
}

// decimal is a number that is written with a decimal point even when it is whole: clients tell floats from integers by it.
type decimal float64

func (d decimal) String() string {
	v := float64(d)
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return "0.0"
	}
	s := strconv.FormatFloat(v, 'f', -1, 64)
	if !strings.Contains(s, ".") {
		s += ".0"
	}
	return s
}

// MarshalJSON writes the number.
func (d decimal) MarshalJSON() ([]byte, error) { return []byte(d.String()), nil }

// faults are what is wrong with the fields of a form: field to sentences. As an error it is answered with 400.
type faults map[string][]string

func (f faults) Error() string {
	var out []string
	for _, field := range slices.Sorted(maps.Keys(f)) {
		out = append(out, field+": "+strings.Join(f[field], " "))
	}
	return strings.Join(out, "; ")
}

func (f faults) add(field, text string) { f[field] = append(f[field], text) }

// orNil is f as an error, nil when nothing is wrong.
func (f faults) orNil() error {
	if len(f) == 0 {
		return nil
	}
	return f
}

// format is "json" or "xml", from ?format= or the Accept header; ok is false for a format that there is not.
func format(r *http.Request) (name string, ok bool) {
	if name, given := parse(r.URL.RawQuery).get("format"); given && name != "" {
		return name, name == "json" || name == "xml"
	}
	accept := r.Header.Get("Accept")
	if (strings.Contains(accept, "application/xml") || strings.Contains(accept, "text/xml")) && !strings.Contains(accept, "application/json") && !strings.Contains(accept, "text/html") {
		return "xml", true
	}
	return "json", true
}

// answer writes v in the format that was asked for.
func answer(w http.ResponseWriter, r *http.Request, status int, v any) error {
	var b bytes.Buffer
	kind := "application/json"
	if name, _ := format(r); name == "xml" {
		kind = "application/xml; charset=utf-8"
		b.WriteString(`<?xml version="1.0" encoding="utf-8"?>` + "\n<root>")
		if err := writeXML(&b, v); err != nil {
			return err
		}
		b.WriteString("</root>")
	} else if err := encode(&b, v); err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", kind)
	h.Set("Content-Length", strconv.Itoa(b.Len()))
	h.Add("Vary", "Accept, Authorization, Cookie")
	if h.Get("Cache-Control") == "" {
		h.Set("Cache-Control", "private, no-cache")
	}
	w.WriteHeader(status)
	_, err := w.Write(b.Bytes())
	return err
}

// writeXML writes v as Freesound's XML has it: an element per key, list-item for members of lists, True and False, nothing for
// null.
func writeXML(b *bytes.Buffer, v any) error {
	text := ""
	switch v := v.(type) {
	case nil:
	case object:
		for _, m := range v {
			if err := element(b, m.key, m.value); err != nil {
				return err
			}
		}
	case []object:
		for _, o := range v {
			if err := element(b, "list-item", o); err != nil {
				return err
			}
		}
	case []string:
		for _, s := range v {
			if err := element(b, "list-item", s); err != nil {
				return err
			}
		}
	case faults:
		for _, field := range slices.Sorted(maps.Keys(v)) {
			if err := element(b, field, v[field]); err != nil {
				return err
			}
		}
	case bool:
		if text = "False"; v {
			text = "True"
		}
	case string:
		text = v
	case decimal:
		text = v.String()
	case int:
		text = strconv.Itoa(v)
	case int64:
		text = strconv.FormatInt(v, 10)
	}
	return xml.EscapeText(b, []byte(text))
}

func element(b *bytes.Buffer, name string, v any) error {
	name = elementName(name)
	b.WriteString("<" + name + ">")
	if err := writeXML(b, v); err != nil {
		return err
	}
	b.WriteString("</" + name + ">")
	return nil
}

// elementName drops what an XML name cannot have; only the list of resources has such keys.
func elementName(key string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '-', r == '_':
			return r
		case r == ' ':
			return '_'
		}
		return -1
	}, key)
}
