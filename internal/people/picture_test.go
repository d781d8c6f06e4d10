package people

import "testing"

// FuzzOrientation feeds the reader of camera data; the decoders of pictures are the standard library's, which fuzzes them.
func FuzzOrientation(f *testing.F) {
	f.Add([]byte("\xff\xd8\xff\xe1\x00\x22Exif\x00\x00MM\x00*\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00\x06\x00\x00"))
	f.Add([]byte("\xff\xd8\xff\xe1\x00\x10Exif\x00\x00II*\x00\xff\xff\xff\xff"))
	f.Add([]byte("\xff\xd8\xff\xe0\x00\x02\xff\xe1\x00\x01"))
	f.Add([]byte("\xff\xd8\xff\xe1\xff\xffExif\x00\x00"))
	f.Fuzz(func(t *testing.T, file []byte) {
		for _, o := range []int{orientation(file), tiffOrientation(file)} {
			if o < 1 || o > 8 {
				t.Fatalf("orientation %d", o)
			}
		}
	})
}
