package meta

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"unicode/utf8"
)

const (
	maxXMLDepth = 24
	maxXMLItems = 1000
)

var errXML = errors.New("not plain XML")

// parseIXML lists the texts of an iXML chunk (iXML 3.01) by their path below the root. encoding/xml expands no entities of
// the file's own; a document type declaration, too much depth or too many elements make the chunk one unreadable field.
func parseIXML(p []byte, size int64, b *block) {
	p = bytes.TrimRight(p, "\x00 \r\n\t")
	b.rewrite = cutChunk(p, "iXML")
	err := errXML
	if size <= maxText && utf8.Valid(p) {
		err = walkIXML(p, b)
	}
	if err != nil {
		b.items = nil
		b.rewrite = dropWhole
		b.opaque("iXML", "unreadable text", size, 0, b.end-b.off, "Cannot be read here, so nobody knows what it tells.")
	}
}

func walkIXML(p []byte, b *block) error {
	d := xml.NewDecoder(bytes.NewReader(p))
	d.Strict = true
	d.CharsetReader = func(_ string, r io.Reader) (io.Reader, error) { return r, nil } // the bytes are valid UTF-8
	var path []string
	var text strings.Builder
	var from, to int64
	attribute := "" // the name in a Steinberg name/value pair
	for {
		at := d.InputOffset()
		tok, err := d.Token()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		switch t := tok.(type) {
		case xml.Directive:
			return errXML
		case xml.StartElement:
			if path = append(path, t.Name.Local); len(path) > maxXMLDepth {
				return errXML
			}
			text.Reset()
			from, to = 0, 0
		case xml.CharData:
			if text.Len() == 0 {
				from = at
			}
			text.Write(t)
			to = d.InputOffset()
		case xml.EndElement:
			if v := strings.TrimSpace(text.String()); v != "" && to > from {
				if len(b.items) >= maxXMLItems {
					return errXML
				}
				name := strings.Join(path[min(1, len(path)-1):], "/")
				switch last := path[len(path)-1]; {
				case strings.HasSuffix(name, "/ATTR/NAME"):
					attribute = v
				case strings.HasSuffix(name, "/ATTR/VALUE") && attribute != "":
					name = strings.TrimSuffix(name, "ATTR_LIST/ATTR/VALUE") + attribute
					b.add(name, v, from, to)
				case last == "TYPE" && strings.Contains(name, "/ATTR/"):
				default:
					b.add(name, v, from, to)
				}
			}
			path = path[:len(path)-1]
			text.Reset()
			from, to = 0, 0
		}
	}
}
