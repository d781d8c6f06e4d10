// Package certificate makes and checks the proof of a license: a JSON document signed with Ed25519 (RFC 8032), and the page
// that prints it.
//
// The package is pure: it reads no clock, no disk and no database. A document holds a certificate and its signature:
//
//	{"certificate": {…}, "signature": "base64"}
//
// What is signed is the canonical form of the certificate object (RFC 8785: names sorted, no spaces), so a document may be
// indented, moved and mailed without harm, while any change of a value shows. The signing key is used for nothing else, and
// the certificate's "format" member is signed with the rest.
//
// Promises: Verify accepts exactly the documents that Sign made with one of the given keys; a later version may add members,
// which Verify covers with the signature and ignores. Whether a license was revoked is not in the document: only the issuer's
// verify page knows, and who checks offline says so.
package certificate

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base32"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"audiomicro/internal/money"
)

// Format is the value of a certificate's "format" member.
const Format = "audiomicro-certificate-1"

// Reasons why a document is not accepted; test with errors.Is. Their texts are fit for visitors.
var (
	ErrMalformed  = errors.New("this is not a license certificate")
	ErrUnknownKey = errors.New("the certificate is signed with a key that is not this site's")
	ErrAltered    = errors.New("the certificate was altered after it was signed")
)

// Certificate states who may use which recording under which license.
type Certificate struct {
	Format    string    `json:"format"`
	Number    string    `json:"number"` // 26 characters of base32, see NewNumber
	Issued    time.Time `json:"issued"` // RFC 3339, UTC, whole seconds
	Issuer    Issuer    `json:"issuer"`
	Licensee  Licensee  `json:"licensee"`
	Project   string    `json:"project"`
	Recording Recording `json:"recording"`
	License   License   `json:"license"`
	Order     Order     `json:"order"`
}

// Issuer is the site that sold the license.
type Issuer struct {
	Name string `json:"name"`
	URL  string `json:"url"` // public address without a slash at its end
	Key  string `json:"key"` // KeyID of the signing key
}

// Licensee is who holds the license.
type Licensee struct {
	Name    string `json:"name"`
	Company string `json:"company"`
}

// Recording is the sound, named so that it can be recognized: by its bytes (SHA-256 of the original file) and by its sound
// (SHA-256 of the acoustic fingerprint).
type Recording struct {
	ID          int64  `json:"id"`
	Title       string `json:"title"`
	Contributor string `json:"contributor"`
	FileName    string `json:"file_name"`
	SHA256      string `json:"sha256"`             // hex
	Fingerprint string `json:"fingerprint_sha256"` // hex; empty when there is none
	Bytes       int64  `json:"bytes"`
	DurationMS  int64  `json:"duration_ms"`
}

// License is the model that was sold, in the version that was sold.
type License struct {
	Code       string `json:"code"`
	Name       string `json:"name"`
	Version    int64  `json:"version"`
	TextSHA256 string `json:"text_sha256"` // hex, of the legal text's UTF-8 bytes
	Terms      Terms  `json:"terms"`
}

// Order is how the license was acquired. Amount is the price of this license before tax; a free license has a zero amount.
type Order struct {
	Number string       `json:"number"`
	Amount money.Amount `json:"amount"`
}

// crockford is Douglas Crockford's base 32: no I, L, O or U, which people misread or misspeak.
var crockford = base32.NewEncoding("0123456789ABCDEFGHJKMNPQRSTVWXYZ").WithPadding(base32.NoPadding)

// NewNumber draws a certificate's number from random: 128 bits as 26 characters of Crockford's base 32.
func NewNumber(random io.Reader) (string, error) {
	var b [16]byte
	if _, err := io.ReadFull(random, b[:]); err != nil {
		return "", fmt.Errorf("draw certificate number: %w", err)
	}
	return crockford.EncodeToString(b[:]), nil
}

// ParseNumber reads a number as people write it: any case, with dashes or spaces, o for 0, i and l for 1. It returns the
// stored form, or ErrMalformed.
func ParseNumber(text string) (string, error) {
	if len(text) > 80 {
		return "", ErrMalformed
	}
	s := strings.Map(func(r rune) rune {
		switch r {
		case '-', ' ', '\u00a0', '\u2010', '\u2011', '\u2013':
			return -1
		case 'o', 'O':
			return '0'
		case 'i', 'I', 'l', 'L':
			return '1'
		}
		return r
	}, text)
	s = strings.ToUpper(s)
	b, err := crockford.DecodeString(s)
	if err != nil || len(b) != 16 || crockford.EncodeToString(b) != s {
		return "", ErrMalformed
	}
	return s, nil
}

// Group writes a number in groups that can be read aloud: 5-5-5-5-6 characters. Other texts come back as they are.
func Group(number string) string {
	if len(number) != 26 {
		return number
	}
	return number[:5] + "-" + number[5:10] + "-" + number[10:15] + "-" + number[15:20] + "-" + number[20:]
}

// KeyID names a public key: the first 16 hex digits of the SHA-256 of its 32 bytes.
func KeyID(public ed25519.PublicKey) string {
	sum := sha256.Sum256(public)
	return hex.EncodeToString(sum[:8])
}

// EncodeKey writes a public key as PEM (RFC 7468, SubjectPublicKeyInfo of RFC 8410), the form openssl reads.
func EncodeKey(public ed25519.PublicKey) ([]byte, error) {
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		return nil, fmt.Errorf("encode public key: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), nil
}

// ParseKeys reads one or more public keys from PEM, in order. Blocks that are not Ed25519 public keys are errors.
func ParseKeys(text []byte) ([]ed25519.PublicKey, error) {
	var keys []ed25519.PublicKey
	for len(bytes.TrimSpace(text)) > 0 {
		block, rest := pem.Decode(text)
		if block == nil {
			break
		}
		text = rest
		any, err := x509.ParsePKIXPublicKey(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("read public key: %w", err)
		}
		key, ok := any.(ed25519.PublicKey)
		if !ok {
			return nil, errors.New("read public key: it is not an Ed25519 key")
		}
		keys = append(keys, key)
	}
	if len(keys) == 0 {
		return nil, errors.New("read public key: there is no PEM block")
	}
	return keys, nil
}

// Encode gives the canonical bytes of a certificate: what is signed.
func Encode(c Certificate) ([]byte, error) {
	c.Issued = c.Issued.UTC().Truncate(time.Second)
	raw, err := json.Marshal(c)
	if err != nil {
		return nil, fmt.Errorf("encode certificate %s: %w", c.Number, err)
	}
	out, err := canonical(raw)
	if err != nil {
		return nil, fmt.Errorf("encode certificate %s: %w", c.Number, err)
	}
	return out, nil
}

// Sign fills in the format and the key's id, and returns the certificate's canonical bytes and their signature (64 bytes).
func Sign(c Certificate, key ed25519.PrivateKey) (payload, signature []byte, err error) {
	c.Format = Format
	c.Issuer.Key = KeyID(key.Public().(ed25519.PublicKey))
	if payload, err = Encode(c); err != nil {
		return nil, nil, err
	}
	return payload, ed25519.Sign(key, payload), nil
}

// Document puts canonical bytes and their signature into the file that the licensee keeps, indented for people.
func Document(payload, signature []byte) ([]byte, error) {
	var out bytes.Buffer
	whole := `{"certificate":` + string(payload) + `,"signature":"` + base64.StdEncoding.EncodeToString(signature) + `"}`
	if err := json.Indent(&out, []byte(whole), "", "  "); err != nil {
		return nil, fmt.Errorf("write certificate: %w", err)
	}
	out.WriteByte('\n')
	return out.Bytes(), nil
}

// Verify checks a document against the issuer's public keys. It returns the certificate when one of them signed exactly these
// values. Otherwise the error wraps ErrMalformed, ErrUnknownKey or ErrAltered; with the last two the certificate's claims are
// returned too, so that a page can say what was claimed. They prove nothing.
func Verify(document []byte, keys ...ed25519.PublicKey) (Certificate, error) {
	c, payload, signature, err := Parse(document)
	if err != nil {
		return Certificate{}, err
	}
	return c, Check(payload, signature, c.Issuer.Key, keys...)
}

// Parse takes a document apart without checking its signature: the claims, the canonical bytes and the signature.
func Parse(document []byte) (c Certificate, payload, signature []byte, err error) {
	whole, err := canonical(document)
	if err != nil {
		return c, nil, nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	// A map, not a struct: encoding/json takes a struct's names in any case, and then "Certificate" beside "certificate" would be
	// one thing to this reader and another to the next.
	var envelope map[string]json.RawMessage
	if err := json.Unmarshal(whole, &envelope); err != nil {
		return c, nil, nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	if len(envelope) != 2 || envelope["certificate"] == nil || envelope["signature"] == nil {
		return c, nil, nil, fmt.Errorf("%w: it holds something else than a certificate and its signature", ErrMalformed)
	}
	if err := json.Unmarshal(envelope["signature"], &signature); err != nil {
		return c, nil, nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	if err := json.Unmarshal(envelope["certificate"], &c); err != nil {
		return Certificate{}, nil, nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	if c.Format != Format {
		return Certificate{}, nil, nil, fmt.Errorf("%w: its format is %.40q, not %q", ErrMalformed, c.Format, Format)
	}
	return c, envelope["certificate"], signature, nil
}

// Check checks canonical bytes against their signature with the key named keyID among keys.
func Check(payload, signature []byte, keyID string, keys ...ed25519.PublicKey) error {
	for _, key := range keys {
		if KeyID(key) != keyID {
			continue
		}
		if ed25519.Verify(key, payload, signature) {
			return nil
		}
		return ErrAltered
	}
	return fmt.Errorf("%w (key %.16q)", ErrUnknownKey, keyID)
}
