package blob

import (
	"bytes"
	"context"
	"crypto/md5"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

// S3 is a Store in a bucket of an S3-compatible server. Every node of a site may have it open.
type S3 struct {
	// Now dates what goes to the trash.
	Now func() time.Time

	client *minio.Core
	bucket string
	prefix string // "" or "…/"
}

var _ Store = (*S3)(nil)

const (
	pieceSize   = 8 << 20 // held in memory while an upload fills it
	minCompose  = 5 << 20 // S3 joins parts of at least 5 MiB, except the last
	maxCopy     = 5 << 30 // S3 copies at most 5 GiB in one request
	streamParts = 16 << 20
)

// OpenS3 opens s3://KEY:SECRET@HOST[:PORT]/BUCKET[/PREFIX][?insecure=1&region=R]; insecure means plain http. The bucket must
// exist. It writes no marker.
func OpenS3(ctx context.Context, address string, now func() time.Time) (*S3, error) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "s3" || u.Host == "" || u.User == nil {
		// The address holds a secret: it is not repeated.
		return nil, errors.New("blobs: want s3://KEY:SECRET@HOST/BUCKET[/PREFIX][?insecure=1&region=R]")
	}
	bucket, prefix, _ := strings.Cut(strings.Trim(u.Path, "/"), "/")
	if prefix != "" {
		prefix += "/"
	}
	secret, _ := u.User.Password()
	client, err := minio.NewCore(u.Host, &minio.Options{
		Creds: credentials.NewStaticV4(u.User.Username(), secret, ""), Secure: u.Query().Get("insecure") != "1", Region: u.Query().Get("region"),
	})
	if err != nil {
		return nil, fmt.Errorf("open bucket %s: %w", bucket, err)
	}
	switch ok, err := client.BucketExists(ctx, bucket); {
	case err != nil:
		return nil, fmt.Errorf("open bucket %s: %w", bucket, err)
	case !ok:
		return nil, fmt.Errorf("open bucket %s: it does not exist", bucket)
	}
	return &S3{Now: now, client: client, bucket: bucket, prefix: prefix}, nil
}

// s3Error names what callers tell apart. A missing bucket is no missing blob.
func s3Error(err error) error {
	var r minio.ErrorResponse
	if err == nil || !errors.As(err, &r) {
		return err
	}
	switch {
	case r.Code == "NoSuchBucket":
		return err
	case r.StatusCode == http.StatusNotFound:
		return fmt.Errorf("%w (%w)", ErrNotFound, err)
	case r.StatusCode == http.StatusInsufficientStorage, r.Code == "QuotaExceeded", r.Code == "XMinioStorageFull", r.Code == "XMinioAdminBucketQuotaExceeded":
		return fmt.Errorf("%w (%w)", ErrFull, err)
	}
	return err
}

func (s *S3) key(name string) string { return s.prefix + name }

// again does what stores one object, once more while the server answers that something else was under way at the same place:
// a conditional put of the same key, or, in a server over folders, the end of the last object beside it. Nothing was stored then.
func again(ctx context.Context, f func() error) error {
	for pause := 10 * time.Millisecond; ; pause *= 2 {
		err := f()
		var r minio.ErrorResponse
		if !errors.As(err, &r) || r.StatusCode != http.StatusConflict || pause > 2*time.Second {
			return err
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return err
		}
	}
}

func (s *S3) put(ctx context.Context, name string, p []byte, opts minio.PutObjectOptions) error {
	return again(ctx, func() error {
		_, err := s.client.Client.PutObject(ctx, s.bucket, s.key(name), bytes.NewReader(p), int64(len(p)), opts)
		return s3Error(err)
	})
}

func (s *S3) stat(ctx context.Context, name string) (minio.ObjectInfo, error) {
	info, err := s.client.StatObject(ctx, s.bucket, s.key(name), minio.StatObjectOptions{})
	return info, s3Error(err)
}

// get reads length bytes from offset; length < 0 means to the end.
func (s *S3) get(ctx context.Context, name string, offset, length int64) (io.ReadCloser, error) {
	var opts minio.GetObjectOptions
	var err error
	switch {
	case length >= 0:
		err = opts.SetRange(offset, offset+length-1)
	case offset > 0:
		err = opts.SetRange(offset, 0)
	}
	if err != nil {
		return nil, err
	}
	r, _, _, err := s.client.GetObject(ctx, s.bucket, s.key(name), opts)
	return r, s3Error(err)
}

func (s *S3) remove(ctx context.Context, name string) error {
	err := s3Error(s.client.RemoveObject(ctx, s.bucket, s.key(name), minio.RemoveObjectOptions{}))
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	return err
}

// join copies objects, in order, to one on the server's side.
func (s *S3) join(ctx context.Context, to string, from ...string) error {
	srcs := make([]minio.CopySrcOptions, len(from))
	for i, name := range from {
		srcs[i] = minio.CopySrcOptions{Bucket: s.bucket, Object: s.key(name)}
	}
	dst := minio.CopyDestOptions{Bucket: s.bucket, Object: s.key(to)}
	if len(from) == 1 {
		info, err := s.stat(ctx, from[0])
		if err != nil {
			return err
		}
		if info.Size <= maxCopy {
			return again(ctx, func() error {
				_, err := s.client.Client.CopyObject(ctx, dst, srcs[0])
				return s3Error(err)
			})
		}
	}
	return again(ctx, func() error {
		_, err := s.client.ComposeObject(ctx, dst, srcs...)
		return s3Error(err)
	})
}

// each lists objects below a name; the key is given without the store's prefix.
func (s *S3) each(ctx context.Context, below string) iter.Seq2[minio.ObjectInfo, error] {
	return func(yield func(minio.ObjectInfo, error) bool) {
		for info := range s.client.ListObjectsIter(ctx, s.bucket, minio.ListObjectsOptions{Prefix: s.key(below), Recursive: true}) {
			info.Key = strings.TrimPrefix(info.Key, s.prefix)
			if !yield(info, s3Error(info.Err)) || info.Err != nil {
				return
			}
		}
	}
}

// piece is a received part of a stage.
type piece struct {
	name         string
	offset, size int64
}

func stageDir(id string) string { return "tmp/" + stagePrefix + id + "/" }

func pieceName(id string, offset int64) string { return fmt.Sprintf("%s%020d", stageDir(id), offset) }

// pieces lists the pieces of a stage that follow each other from its start.
func (s *S3) pieces(ctx context.Context, id string) (list []piece, size int64, err error) {
	if err := checkStage(id); err != nil {
		return nil, 0, err
	}
	for info, err := range s.each(ctx, stageDir(id)) {
		if err != nil {
			return nil, 0, fmt.Errorf("list stage %s: %w", id, err)
		}
		offset, err := strconv.ParseInt(strings.TrimPrefix(info.Key, stageDir(id)), 10, 64)
		if err != nil || offset != size {
			break // S3 lists in order: what follows a gap was left by a writer that lost
		}
		list = append(list, piece{info.Key, offset, info.Size})
		size += info.Size
	}
	return list, size, nil
}

// Append implements Store. It stores pieces of up to 8 MiB as they fill.
func (s *S3) Append(ctx context.Context, id string, offset int64, r io.Reader) (n int64, err error) {
	_, size, err := s.pieces(ctx, id)
	if err != nil {
		return 0, err
	}
	if size != offset {
		return 0, fmt.Errorf("append to stage %s: %w", id, ErrOffset)
	}
	var buf bytes.Buffer // grows with what comes: most requests are smaller than a piece
	for {
		buf.Reset()
		k, rerr := io.CopyN(&buf, ctxReader{ctx, r}, pieceSize)
		if k > 0 {
			// What came before the request broke off is kept, so the piece is stored even then.
			if err := s.putPiece(context.WithoutCancel(ctx), id, offset+n, buf.Bytes()); err != nil {
				return n, fmt.Errorf("append to stage %s: %w", id, err)
			}
			n += k
		}
		switch {
		case rerr == io.EOF:
			return n, nil
		case rerr != nil:
			return n, fmt.Errorf("append to stage %s: %w", id, rerr)
		}
	}
}

// putPiece creates a piece; of two writers at one offset one succeeds.
func (s *S3) putPiece(ctx context.Context, id string, offset int64, p []byte) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	var opts minio.PutObjectOptions
	opts.SetMatchETagExcept("*")
	err := s.put(ctx, pieceName(id, offset), p, opts)
	var r minio.ErrorResponse
	if !errors.As(err, &r) || r.StatusCode != http.StatusPreconditionFailed {
		return err
	}
	// The client repeats a request whose answer was lost: then the piece that is there is this one.
	info, err := s.stat(ctx, pieceName(id, offset))
	if err != nil {
		return err
	}
	sum := md5.Sum(p)
	if info.Size == int64(len(p)) && strings.Trim(info.ETag, `"`) == hex.EncodeToString(sum[:]) {
		return nil
	}
	return ErrOffset
}

// StageSize implements Store.
func (s *S3) StageSize(ctx context.Context, id string) (int64, error) {
	_, size, err := s.pieces(ctx, id)
	return size, err
}

// Truncate implements Store.
func (s *S3) Truncate(ctx context.Context, id string, size int64) error {
	list, have, err := s.pieces(ctx, id)
	if err != nil {
		return err
	}
	if have < size {
		return fmt.Errorf("truncate stage %s to %d of %d bytes: %w", id, size, have, ErrOffset)
	}
	// From the end, so that what remains after a crash is a shorter stage and no gap.
	for i := len(list) - 1; i >= 0 && list[i].offset+list[i].size > size; i-- {
		p := list[i]
		if p.offset >= size {
			err = s.remove(ctx, p.name)
		} else {
			err = s.cut(ctx, p, size-p.offset)
		}
		if err != nil {
			return fmt.Errorf("truncate stage %s: %w", id, err)
		}
	}
	return nil
}

// cut shortens a piece, which is at most pieceSize long.
func (s *S3) cut(ctx context.Context, p piece, keep int64) error {
	r, err := s.get(ctx, p.name, 0, keep)
	if err != nil {
		return err
	}
	defer r.Close()
	head, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	return s.put(ctx, p.name, head, minio.PutObjectOptions{})
}

// OpenStage implements Store.
func (s *S3) OpenStage(ctx context.Context, id string) (io.ReadCloser, error) {
	list, _, err := s.pieces(ctx, id)
	if err != nil {
		return nil, err
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("open stage %s: %w", id, ErrNotFound)
	}
	return &pieceReader{ctx: ctx, s: s, rest: list}, nil
}

// pieceReader reads pieces one after the other.
type pieceReader struct {
	ctx  context.Context
	s    *S3
	rest []piece
	open io.ReadCloser
}

// Read opens the next piece when it is needed.
func (r *pieceReader) Read(p []byte) (int, error) {
	for {
		if r.open == nil {
			if len(r.rest) == 0 {
				return 0, io.EOF
			}
			var err error
			if r.open, err = r.s.get(r.ctx, r.rest[0].name, 0, -1); err != nil {
				return 0, err
			}
			r.rest = r.rest[1:]
		}
		n, err := r.open.Read(p)
		if err == io.EOF {
			err = r.Close()
		}
		if n > 0 || err != nil {
			return n, err
		}
	}
}

// Close closes the piece that is open.
func (r *pieceReader) Close() error {
	if r.open == nil {
		return nil
	}
	err := r.open.Close()
	r.open = nil
	return err
}

// Commit implements Store.
func (s *S3) Commit(ctx context.Context, id string, ref Ref, size int64) error {
	if err := checkRef(ref); err != nil {
		return err
	}
	list, have, err := s.pieces(ctx, id)
	if err != nil {
		return err
	}
	if len(list) == 0 {
		have, err := s.Stat(ctx, ref)
		if err == nil && have != size {
			err = ErrSize
		}
		if err != nil {
			return fmt.Errorf("commit stage %s: %w", id, err)
		}
		return nil
	}
	if have != size {
		return fmt.Errorf("commit stage %s: %d bytes staged, %d named: %w", id, have, size, ErrSize)
	}
	if err := s.assemble(ctx, list, size, ref); err != nil {
		return fmt.Errorf("commit stage %s: %w", id, err)
	}
	return s.Abort(ctx, id)
}

// assemble makes the pieces one object: on the server when they are large enough, else through this machine.
func (s *S3) assemble(ctx context.Context, list []piece, size int64, ref Ref) error {
	names := make([]string, len(list))
	large := true
	for i, p := range list {
		names[i] = p.name
		large = large && (p.size >= minCompose || i == len(list)-1)
	}
	if large {
		return s.join(ctx, ref.path(), names...)
	}
	return again(ctx, func() error {
		r := &pieceReader{ctx: ctx, s: s, rest: list}
		defer r.Close()
		_, err := s.client.Client.PutObject(ctx, s.bucket, s.key(ref.path()), r, size, minio.PutObjectOptions{PartSize: streamParts, NumThreads: 1})
		return s3Error(err)
	})
}

// Abort implements Store.
func (s *S3) Abort(ctx context.Context, id string) error {
	if err := checkStage(id); err != nil {
		return err
	}
	var names []string
	for info, err := range s.each(ctx, stageDir(id)) {
		if err != nil {
			return fmt.Errorf("abort stage %s: %w", id, err)
		}
		names = append(names, info.Key)
	}
	for i := len(names) - 1; i >= 0; i-- {
		if err := s.remove(ctx, names[i]); err != nil {
			return fmt.Errorf("abort stage %s: %w", id, err)
		}
	}
	return nil
}

// ListStages implements Store.
func (s *S3) ListStages(ctx context.Context, olderThan time.Time) ([]string, error) {
	last := map[string]time.Time{}
	for info, err := range s.each(ctx, "tmp/"+stagePrefix) {
		if err != nil {
			return nil, fmt.Errorf("list stages: %w", err)
		}
		id, _, ok := strings.Cut(strings.TrimPrefix(info.Key, "tmp/"+stagePrefix), "/")
		if ok && info.LastModified.After(last[id]) {
			last[id] = info.LastModified
		}
	}
	var out []string
	for id, at := range last {
		if at.Before(olderThan) {
			out = append(out, id)
		}
	}
	return out, nil
}

// Put implements Store.
func (s *S3) Put(ctx context.Context, r io.Reader) (Ref, int64, error) {
	ref, n, err := s.putAny(ctx, ctxReader{ctx, r})
	if err != nil {
		return "", 0, fmt.Errorf("put blob: %w", err)
	}
	return ref, n, nil
}

func (s *S3) putAny(ctx context.Context, r io.Reader) (Ref, int64, error) {
	h := sha256.New()
	head, err := io.ReadAll(io.LimitReader(r, pieceSize))
	if err != nil {
		return "", 0, err
	}
	h.Write(head) // documented never to fail
	if len(head) < pieceSize {
		ref := Ref(hex.EncodeToString(h.Sum(nil)))
		return ref, int64(len(head)), s.put(ctx, ref.path(), head, minio.PutObjectOptions{})
	}
	name := "tmp/" + putPrefix + rand.Text()
	body := io.MultiReader(bytes.NewReader(head), io.TeeReader(r, h))
	info, err := s.client.Client.PutObject(ctx, s.bucket, s.key(name), body, -1, minio.PutObjectOptions{PartSize: streamParts, NumThreads: 1})
	if err != nil {
		return "", 0, s3Error(err)
	}
	ref := Ref(hex.EncodeToString(h.Sum(nil)))
	if err := s.join(ctx, ref.path(), name); err != nil {
		return "", 0, err
	}
	return ref, info.Size, s.remove(ctx, name)
}
