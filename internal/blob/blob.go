// Package blob keeps the bytes of recordings and what is made from them, each under the SHA-256 of its content.
//
// Two stores share one contract (blobtest runs it on both): Local in a folder, S3 in a bucket. Both use this layout:
//
//	instance               the id of the installation the bytes belong to; without it nothing starts and nothing is collected
//	blobs/ab/cd/abcd…      one file or object per content, named by its SHA-256 in lower-case hex; never changed
//	tmp/s-ID               staged upload ID (Local: one file; S3: tmp/s-ID/OFFSET, one object per received piece)
//	tmp/p-RANDOM           a Put under way
//	trash/MICROS-REF       deleted content, with the moment of deletion, until Purge
//
// Promises: when Append, Commit, Put, Delete or SetMarker returned nil, its effect survives loss of power (Local: fsync of
// file and folders; S3: the server's answer). A name under blobs/ appears only with complete content. Content whose
// fsync failed counts as lost and is not acknowledged.
//
// References are the caller's: write the blob first and then the row that names it. Whoever deletes removes the row, calls
// Delete, looks for a row that came back meanwhile, and calls Restore if there is one.
package blob

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

// Errors that callers tell apart. Everything else is a fault of the disk, the network or the server.
var (
	// ErrNotFound: no such blob, stage, trashed blob or marker.
	ErrNotFound = errors.New("blob not found")
	// ErrOffset: an Append does not continue where the stage ends. Nothing was changed.
	ErrOffset = errors.New("offset is not the end of what was staged")
	// ErrSize: a Commit names another size than was staged. Nothing was changed.
	ErrSize = errors.New("staged size differs")
	// ErrFull: the disk or the bucket's quota has no room. Nothing was kept of the call's bytes.
	ErrFull = errors.New("no room for more bytes")
	// ErrCorrupt: the bytes do not have the hash that is their name.
	ErrCorrupt = errors.New("content does not match its hash")
	// ErrMarker: the store belongs to another installation.
	ErrMarker = errors.New("the blob store belongs to another installation")
	// ErrSync: the disk refused to make bytes durable; the bytes of the call count as lost.
	ErrSync = errors.New("the disk did not confirm a write")
)

// Ref names content: its SHA-256 in lower-case hex, 64 characters.
type Ref string

// ParseRef checks that s is a Ref.
func ParseRef(s string) (Ref, error) {
	if len(s) != 64 || strings.Trim(s, "0123456789abcdef") != "" {
		return "", fmt.Errorf("%q is not a SHA-256 in hex", s)
	}
	return Ref(s), nil
}

// path is the place of r below the root.
func (r Ref) path() string { return "blobs/" + string(r[:2]) + "/" + string(r[2:4]) + "/" + string(r) }

// File is open content. It may be read from several goroutines through ReadAt only.
type File interface {
	io.ReadSeekCloser
	io.ReaderAt
	// Size in bytes.
	Size() int64
}

// Store is what Local and S3 both do. Times come from the Now field of the store.
type Store interface {
	// Append adds r to the end of stage id (8-64 characters of A-Z a-z 0-9 - _; made by the first byte), which must hold
	// exactly offset bytes, and returns how many bytes are now durable. When r fails or ctx ends, what was received before
	// is kept, n counts it, and the error is returned beside it.
	Append(ctx context.Context, id string, offset int64, r io.Reader) (n int64, err error)
	// StageSize tells how many bytes stage id holds; a stage never written to holds 0.
	StageSize(ctx context.Context, id string) (int64, error)
	// Truncate cuts stage id to size bytes: a piece with a wrong checksum, or a tail that was received but not recorded.
	Truncate(ctx context.Context, id string, size int64) error
	// OpenStage reads what was staged so far, from the start. ErrNotFound when there is nothing.
	OpenStage(ctx context.Context, id string) (io.ReadCloser, error)
	// Commit makes the stage the content ref of size bytes. The caller has computed ref over exactly the staged bytes (Verify
	// reads again). Repeating a Commit that succeeded is no error.
	Commit(ctx context.Context, id string, ref Ref, size int64) error
	// Abort forgets a stage; an unknown one is no error.
	Abort(ctx context.Context, id string) error
	// ListStages lists stages last written before olderThan.
	ListStages(ctx context.Context, olderThan time.Time) ([]string, error)

	// Put stores all of r.
	Put(ctx context.Context, r io.Reader) (Ref, int64, error)
	// Open opens content for random access; S3 fetches ranges as they are read.
	Open(ctx context.Context, ref Ref) (File, error)
	// OpenRange reads length bytes from offset; length < 0 means to the end.
	OpenRange(ctx context.Context, ref Ref, offset, length int64) (io.ReadCloser, error)
	// Stat is the size in bytes.
	Stat(ctx context.Context, ref Ref) (int64, error)
	// Path is the file of the content when it is a local file.
	Path(ref Ref) (string, bool)
	// Verify reads the content from the disk again and compares its hash: ErrCorrupt, ErrNotFound or nil.
	Verify(ctx context.Context, ref Ref) error
	// List calls f for every content, in no order, until f fails.
	List(ctx context.Context, f func(ref Ref, size int64) error) error

	// Delete moves content to the trash. ErrNotFound when there is none.
	Delete(ctx context.Context, ref Ref) error
	// Restore takes content back from the trash; content that is in place is no error.
	Restore(ctx context.Context, ref Ref) error
	// DeleteNow removes content and its copies in the trash at once (erasure); none is no error.
	DeleteNow(ctx context.Context, ref Ref) error
	// Purge empties the trash of what was deleted before, and removes temporary files of Puts that died a day ago.
	Purge(ctx context.Context, before time.Time) (blobs int, bytes int64, err error)

	// Marker is the id of the installation the store belongs to, or ErrNotFound.
	Marker(ctx context.Context) (string, error)
	// SetMarker marks a store without marker; ErrMarker when it has another one.
	SetMarker(ctx context.Context, id string) error
}

const (
	stagePrefix = "s-"
	putPrefix   = "p-"
	markerName  = "instance"
	putLife     = 24 * time.Hour
)

func checkStage(id string) error {
	if len(id) < 8 || len(id) > 64 || strings.Trim(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
		return fmt.Errorf("%q is not a stage id", id)
	}
	return nil
}

func checkRef(ref Ref) error {
	_, err := ParseRef(string(ref))
	return err
}

func checkMarker(id string) error {
	if id == "" || len(id) > 100 || strings.ContainsAny(id, "\r\n") {
		return fmt.Errorf("%q is not an instance id", id)
	}
	return nil
}

func trashName(at time.Time, ref Ref) string {
	return strconv.FormatInt(at.UnixMicro(), 10) + "-" + string(ref)
}

// parseTrash reads a name made by trashName; ok is false for anything else.
func parseTrash(name string) (at time.Time, ref Ref, ok bool) {
	micros, hash, _ := strings.Cut(name, "-")
	n, err := strconv.ParseInt(micros, 10, 64)
	if err != nil {
		return time.Time{}, "", false
	}
	ref, err = ParseRef(hash)
	return time.UnixMicro(n), ref, err == nil
}

// rehash reads r to its end and compares.
func rehash(r io.Reader, ref Ref) error {
	h := sha256.New()
	if _, err := io.Copy(h, r); err != nil {
		return err
	}
	if got := hex.EncodeToString(h.Sum(nil)); got != string(ref) {
		return fmt.Errorf("found %s: %w", got, ErrCorrupt)
	}
	return nil
}

// ctxReader ends with the context's error, so that a copy stops when its request does.
type ctxReader struct {
	ctx context.Context
	r   io.Reader
}

func (c ctxReader) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(p)
}
