package blob

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"
)

// s3File reads an object: a stream from the last Seek for Read, a range of its own for each ReadAt.
type s3File struct {
	ctx    context.Context
	s      *S3
	name   string
	size   int64
	pos    int64
	stream io.ReadCloser
}

// Open implements Store.
func (s *S3) Open(ctx context.Context, ref Ref) (File, error) {
	size, err := s.Stat(ctx, ref)
	if err != nil {
		return nil, err
	}
	return &s3File{ctx: ctx, s: s, name: ref.path(), size: size}, nil
}

// Size implements File.
func (f *s3File) Size() int64 { return f.size }

// Read implements io.Reader.
func (f *s3File) Read(p []byte) (int, error) {
	if f.pos >= f.size {
		return 0, io.EOF
	}
	if f.stream == nil {
		r, err := f.s.get(f.ctx, f.name, f.pos, -1)
		if err != nil {
			return 0, err
		}
		f.stream = r
	}
	n, err := f.stream.Read(p)
	f.pos += int64(n)
	if err == io.EOF && f.pos < f.size {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

// ReadAt implements io.ReaderAt.
func (f *s3File) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 {
		return 0, errors.New("read at a negative offset")
	}
	want := min(int64(len(p)), f.size-off)
	if want <= 0 {
		if len(p) == 0 {
			return 0, nil
		}
		return 0, io.EOF
	}
	r, err := f.s.get(f.ctx, f.name, off, want)
	if err != nil {
		return 0, err
	}
	defer r.Close()
	n, err := io.ReadFull(r, p[:want])
	if err == nil && n < len(p) {
		err = io.EOF
	}
	return n, err
}

// Seek implements io.Seeker. The stream goes on when the position stays.
func (f *s3File) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += f.pos
	case io.SeekEnd:
		offset += f.size
	}
	if offset < 0 {
		return 0, errors.New("seek to a negative offset")
	}
	if offset != f.pos {
		f.pos = offset
		return offset, f.Close()
	}
	return offset, nil
}

// Close ends the stream.
func (f *s3File) Close() error {
	if f.stream == nil {
		return nil
	}
	err := f.stream.Close()
	f.stream = nil
	return err
}

// OpenRange implements Store.
func (s *S3) OpenRange(ctx context.Context, ref Ref, offset, length int64) (io.ReadCloser, error) {
	size, err := s.Stat(ctx, ref)
	if err != nil {
		return nil, err
	}
	if length < 0 || length > size-offset {
		length = size - offset
	}
	if length <= 0 {
		return io.NopCloser(bytes.NewReader(nil)), nil
	}
	r, err := s.get(ctx, ref.path(), offset, length)
	if err != nil {
		return nil, fmt.Errorf("read blob %s: %w", ref, err)
	}
	return r, nil
}

// Stat implements Store.
func (s *S3) Stat(ctx context.Context, ref Ref) (int64, error) {
	if err := checkRef(ref); err != nil {
		return 0, err
	}
	info, err := s.stat(ctx, ref.path())
	if err != nil {
		return 0, fmt.Errorf("stat blob %s: %w", ref, err)
	}
	return info.Size, nil
}

// Path implements Store: an object has none.
func (s *S3) Path(Ref) (string, bool) { return "", false }

// Verify implements Store.
func (s *S3) Verify(ctx context.Context, ref Ref) error {
	if err := checkRef(ref); err != nil {
		return err
	}
	r, err := s.get(ctx, ref.path(), 0, -1)
	if err == nil {
		err = rehash(r, ref)
		r.Close()
	}
	if err != nil {
		return fmt.Errorf("verify blob %s: %w", ref, err)
	}
	return nil
}

// List implements Store.
func (s *S3) List(ctx context.Context, f func(ref Ref, size int64) error) error {
	for info, err := range s.each(ctx, "blobs/") {
		if err == nil {
			if ref, perr := ParseRef(info.Key[strings.LastIndexByte(info.Key, '/')+1:]); perr == nil {
				err = f(ref, info.Size)
			}
		}
		if err != nil {
			return fmt.Errorf("list blobs: %w", err)
		}
	}
	return nil
}

// Delete implements Store.
func (s *S3) Delete(ctx context.Context, ref Ref) error {
	if err := checkRef(ref); err != nil {
		return err
	}
	err := s.join(ctx, "trash/"+trashName(s.Now(), ref), ref.path())
	if err == nil {
		err = s.remove(ctx, ref.path())
	}
	if err != nil {
		return fmt.Errorf("delete blob %s: %w", ref, err)
	}
	return nil
}

// inTrash lists the copies of ref in the trash, or all with an empty ref.
func (s *S3) inTrash(ctx context.Context, ref Ref, f func(info minio.ObjectInfo, at time.Time) error) error {
	for info, err := range s.each(ctx, "trash/") {
		if err != nil {
			return err
		}
		at, have, ok := parseTrash(strings.TrimPrefix(info.Key, "trash/"))
		if ok && (ref == "" || have == ref) {
			if err := f(info, at); err != nil {
				return err
			}
		}
	}
	return nil
}

// Restore implements Store.
func (s *S3) Restore(ctx context.Context, ref Ref) error {
	if _, err := s.Stat(ctx, ref); !errors.Is(err, ErrNotFound) {
		return err
	}
	from := ""
	err := s.inTrash(ctx, ref, func(info minio.ObjectInfo, _ time.Time) error { from = info.Key; return nil })
	if err == nil && from == "" {
		err = ErrNotFound
	}
	if err == nil {
		err = s.join(ctx, ref.path(), from)
	}
	if err == nil {
		err = s.remove(ctx, from)
	}
	if err != nil {
		return fmt.Errorf("restore blob %s: %w", ref, err)
	}
	return nil
}

// DeleteNow implements Store.
func (s *S3) DeleteNow(ctx context.Context, ref Ref) error {
	if err := checkRef(ref); err != nil {
		return err
	}
	err := s.remove(ctx, ref.path())
	if err == nil {
		err = s.inTrash(ctx, ref, func(info minio.ObjectInfo, _ time.Time) error { return s.remove(ctx, info.Key) })
	}
	if err != nil {
		return fmt.Errorf("erase blob %s: %w", ref, err)
	}
	return nil
}

// Purge implements Store.
func (s *S3) Purge(ctx context.Context, before time.Time) (blobs int, size int64, err error) {
	err = s.inTrash(ctx, "", func(info minio.ObjectInfo, at time.Time) error {
		if !at.Before(before) {
			return nil
		}
		blobs, size = blobs+1, size+info.Size
		return s.remove(ctx, info.Key)
	})
	if err != nil {
		return blobs, size, fmt.Errorf("purge the trash: %w", err)
	}
	for info, err := range s.each(ctx, "tmp/"+putPrefix) {
		if err == nil && info.LastModified.Before(s.Now().Add(-putLife)) {
			err = s.remove(ctx, info.Key)
		}
		if err != nil {
			return blobs, size, fmt.Errorf("purge temporary files: %w", err)
		}
	}
	return blobs, size, nil
}

// Marker implements Store.
func (s *S3) Marker(ctx context.Context) (string, error) {
	r, err := s.get(ctx, markerName, 0, -1)
	if err != nil {
		return "", fmt.Errorf("read the instance marker: %w", err)
	}
	defer r.Close()
	text, err := io.ReadAll(io.LimitReader(r, 200))
	if err != nil {
		return "", fmt.Errorf("read the instance marker: %w", err)
	}
	return strings.TrimSpace(string(text)), nil
}

// SetMarker implements Store.
func (s *S3) SetMarker(ctx context.Context, id string) error {
	if err := checkMarker(id); err != nil {
		return err
	}
	switch have, err := s.Marker(ctx); {
	case err == nil && have == id:
		return nil
	case err == nil && have != "":
		return fmt.Errorf("mark the store as %s: it is %s: %w", id, have, ErrMarker)
	case err != nil && !errors.Is(err, ErrNotFound):
		return err
	}
	if err := s.put(ctx, markerName, []byte(id+"\n"), minio.PutObjectOptions{}); err != nil {
		return fmt.Errorf("mark the store as %s: %w", id, err)
	}
	return nil
}
