package certificate

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"unicode/utf8"
)

// maxInteger is the largest integer that every JSON reader keeps exactly (RFC 8785 §3.2.2.3, 2^53 - 1).
const maxInteger = 1<<53 - 1

const (
	maxDocument = 64 << 10 // bytes of a certificate file
	maxDepth    = 8
)

// canonical rewrites a JSON value in the one form that is signed: RFC 8785 (JSON Canonicalization Scheme) restricted to what
// certificates hold. Object names are ASCII, unique and sorted; numbers are integers within ±(2^53-1); there is no space
// between tokens. Everything else is refused rather than guessed, so that two readers can't see two different certificates
// under one signature.
func canonical(src []byte) ([]byte, error) {
	if len(src) > maxDocument {
		return nil, fmt.Errorf("%d bytes, more than %d", len(src), maxDocument)
	}
	if !utf8.Valid(src) {
		return nil, errors.New("not UTF-8")
	}
	d := json.NewDecoder(bytes.NewReader(src))
	d.UseNumber()
	var out bytes.Buffer
	if err := canonicalValue(&out, d, 0); err != nil {
		return nil, err
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, errors.New("text after the end")
	}
	return out.Bytes(), nil
}

func canonicalValue(out *bytes.Buffer, d *json.Decoder, depth int) error {
	if depth > maxDepth {
		return errors.New("nested too deeply")
	}
	token, err := d.Token()
	if err != nil {
		return err
	}
	switch v := token.(type) {
	case json.Delim:
		if v == '{' {
			return canonicalObject(out, d, depth)
		}
		return canonicalArray(out, d, depth)
	case string:
		writeString(out, v)
	case json.Number:
		n, err := strconv.ParseInt(v.String(), 10, 64)
		if err != nil || n > maxInteger || n < -maxInteger {
			return fmt.Errorf("%.30q is not an integer that every reader keeps", v.String())
		}
		out.WriteString(strconv.FormatInt(n, 10))
	case bool:
		out.WriteString(strconv.FormatBool(v))
	default:
		return errors.New("null is not used")
	}
	return nil
}

func canonicalObject(out *bytes.Buffer, d *json.Decoder, depth int) error {
	members := map[string][]byte{}
	for d.More() {
		token, err := d.Token()
		if err != nil {
			return err
		}
		name, ok := token.(string)
		if !ok {
			return errors.New("object name is not a string")
		}
		for i := range len(name) {
			if name[i] < ' ' || name[i] > '~' {
				return fmt.Errorf("object name %.30q is not ASCII", name)
			}
		}
		if _, twice := members[name]; twice {
			return fmt.Errorf("%.30q stands there twice", name)
		}
		var value bytes.Buffer
		if err := canonicalValue(&value, d, depth+1); err != nil {
			return err
		}
		members[name] = value.Bytes()
	}
	if _, err := d.Token(); err != nil {
		return err
	}
	names := make([]string, 0, len(members))
	for name := range members {
		names = append(names, name)
	}
	slices.Sort(names)
	out.WriteByte('{')
	for i, name := range names {
		if i > 0 {
			out.WriteByte(',')
		}
		writeString(out, name)
		out.WriteByte(':')
		out.Write(members[name])
	}
	out.WriteByte('}')
	return nil
}

func canonicalArray(out *bytes.Buffer, d *json.Decoder, depth int) error {
	out.WriteByte('[')
	for i := 0; d.More(); i++ {
		if i > 0 {
			out.WriteByte(',')
		}
		if err := canonicalValue(out, d, depth+1); err != nil {
			return err
		}
	}
	_, err := d.Token()
	out.WriteByte(']')
	return err
}

// writeString writes a string with the escapes of RFC 8785 §3.2.2.2 and no others.
func writeString(out *bytes.Buffer, s string) {
	const short = "btn\x00fr" // \b \t \n, nothing for 0x0B, \f \r
	out.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			out.WriteByte('\\')
			out.WriteRune(r)
		case r >= '\b' && r <= '\r' && r != '\v':
			out.WriteByte('\\')
			out.WriteByte(short[r-'\b'])
		case r < ' ':
			fmt.Fprintf(out, `\u%04x`, r)
		default:
			out.WriteRune(r)
		}
	}
	out.WriteByte('"')
}
