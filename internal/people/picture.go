package people

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"image"
	"image/color"
	_ "image/gif" // decoders of what people upload
	"image/jpeg"
	"image/png"
	"io"
	"net/http"
	"time"

	"golang.org/x/image/draw"
	_ "golang.org/x/image/webp" // another one

	"audiomicro/internal/accounts"
	"audiomicro/internal/blob"
	"audiomicro/internal/web"
)

// Limits of an uploaded picture, and the side of what is made of it in pixels.
const (
	MaxPictureBytes  = 10 << 20
	MaxPicturePixels = 40_000_000
	pictureSide      = 256
)

func badPicture(format string, args ...any) error {
	return accounts.Problems{{Field: "picture", Text: fmt.Sprintf(format, args...)}}
}

// SetPicture draws a PNG, JPEG, GIF or WebP anew as a square and makes it the account's picture. Problems say why a file is
// refused.
func (s *Store) SetPicture(ctx context.Context, account int64, file []byte) error {
	s.painting.Lock()
	small, err := square(file)
	s.painting.Unlock()
	if err != nil {
		return err
	}
	ref, _, err := s.Blobs.Put(ctx, bytes.NewReader(small))
	if err != nil {
		return fmt.Errorf("keep picture of %d: %w", account, err)
	}
	return s.setPicture(ctx, account, string(ref))
}

// RemovePicture takes the picture away.
func (s *Store) RemovePicture(ctx context.Context, account int64) error {
	return s.setPicture(ctx, account, "")
}

// square reads a picture and gives its middle as a square of pictureSide: JPEG, or PNG where it is see-through.
func square(file []byte) (_ []byte, err error) {
	if len(file) > MaxPictureBytes {
		return nil, badPicture("The picture is larger than %d MB.", MaxPictureBytes>>20)
	}
	// Only the header is read here: 33 bytes of PNG can declare more pixels than fit into memory.
	c, kind, err := image.DecodeConfig(bytes.NewReader(file))
	if err != nil {
		return nil, badPicture("This is not a PNG, JPEG, GIF or WebP picture.")
	}
	if c.Width <= 0 || c.Height <= 0 || int64(c.Width)*int64(c.Height) > MaxPicturePixels {
		return nil, badPicture("The picture has %d × %d pixels; up to %d million fit.", c.Width, c.Height, MaxPicturePixels/1_000_000)
	}
	defer func() {
		// A decoder that panics over a damaged file must not take the request down with a page of its own.
		if p := recover(); p != nil {
			err = badPicture("This picture is damaged.")
		}
	}()
	img, _, err := image.Decode(bytes.NewReader(file))
	if err != nil {
		return nil, badPicture("This picture is damaged or cut off.")
	}
	b := img.Bounds()
	side := min(b.Dx(), b.Dy())
	from := image.Rect(0, 0, side, side).Add(b.Min).Add(image.Pt((b.Dx()-side)/2, (b.Dy()-side)/2))
	out := image.NewNRGBA(image.Rect(0, 0, pictureSide, pictureSide))
	draw.CatmullRom.Scale(out, out.Bounds(), img, from, draw.Src, nil)
	if kind == "jpeg" {
		out = turn(out, orientation(file))
	}
	var buf bytes.Buffer
	if out.Opaque() {
		err = jpeg.Encode(&buf, out, &jpeg.Options{Quality: 88})
	} else {
		err = png.Encode(&buf, out)
	}
	return buf.Bytes(), err
}

// turn applies an Exif orientation (1 to 8) to a square.
func turn(in *image.NRGBA, orientation int) *image.NRGBA {
	if orientation < 2 || orientation > 8 {
		return in
	}
	out, last := image.NewNRGBA(in.Bounds()), pictureSide-1
	for y := range pictureSide {
		for x := range pictureSide {
			sx, sy := x, y
			switch orientation {
			case 2:
				sx = last - x
			case 3:
				sx, sy = last-x, last-y
			case 4:
				sy = last - y
			case 5:
				sx, sy = y, x
			case 6:
				sx, sy = y, last-x
			case 7:
				sx, sy = last-y, last-x
			case 8:
				sx, sy = last-y, x
			}
			out.SetNRGBA(x, y, in.At(sx, sy).(color.NRGBA))
		}
	}
	return out
}

// orientation reads tag 0x0112 of the first image directory of a JPEG's Exif segment (CIPA DC-008, 4.5.4 and 4.6.4): cameras
// write sideways pixels and say so there. 1, the usual one, for anything that cannot be read.
func orientation(file []byte) int {
	for at := 2; at+4 <= len(file) && file[at] == 0xFF; {
		marker, size := file[at+1], int(binary.BigEndian.Uint16(file[at+2:]))
		if marker == 0xDA || size < 2 || at+2+size > len(file) {
			return 1
		}
		segment := file[at+4 : at+2+size]
		if exif, ok := bytes.CutPrefix(segment, []byte("Exif\x00\x00")); marker == 0xE1 && ok {
			return tiffOrientation(exif)
		}
		at += 2 + size
	}
	return 1
}

func tiffOrientation(b []byte) int {
	if len(b) < 8 {
		return 1
	}
	var order binary.ByteOrder = binary.LittleEndian
	if string(b[:2]) == "MM" {
		order = binary.BigEndian
	}
	at := int64(order.Uint32(b[4:]))
	if at+2 > int64(len(b)) {
		return 1
	}
	n := int64(order.Uint16(b[at:]))
	for i := range n {
		entry := at + 2 + 12*i
		if entry+12 > int64(len(b)) {
			return 1
		}
		if order.Uint16(b[entry:]) == 0x0112 {
			if v := int(order.Uint16(b[entry+8:])); v >= 1 && v <= 8 {
				return v
			}
			return 1
		}
	}
	return 1
}

// picture serves a person's picture.
func (s *Store) picture(w http.ResponseWriter, r *http.Request) error {
	p, err := s.ByName(r.Context(), r.PathValue("name"))
	if err != nil {
		return err
	}
	if p.Picture == "" {
		return web.NotFound()
	}
	f, err := s.Blobs.OpenRange(r.Context(), blob.Ref(p.Picture), 0, -1)
	if err != nil {
		return fmt.Errorf("open picture: %w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, 1<<20))
	if err != nil {
		return fmt.Errorf("read picture: %w", err)
	}
	h := w.Header()
	h.Set("Content-Type", http.DetectContentType(data))
	h.Set("Content-Disposition", "inline")
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	h.Set("ETag", `"`+p.Picture[:32]+`"`)
	if r.URL.Query().Get("v") == p.Picture[:12] {
		h.Set("Cache-Control", "public, max-age=604800")
	} else {
		h.Set("Cache-Control", "public, no-cache")
	}
	// No Last-Modified: the ETag is enough.
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(data))
	return nil
}
