// Package uploads brings files in: resumable by tus 1.0 at /uploads/, by a plain form, and by the functions that the command
// line and the API call. It sniffs the content, hashes on the way, and makes a draft that carries what the file already says.
//
// It keeps files on their way in table upload; the bytes wait in a stage of the blob store. What was acknowledged is on disk:
// data are synced, then the row, then the answer. A dead connection never blocks: each request takes the upload's lease, and
// a holder that lost it stops before its next write is recorded. Unfinished uploads expire.
package uploads

import (
	"bytes"
	"context"
	"crypto/md5" // the Freesound API shows it; nothing relies on it
	"crypto/rand"
	"crypto/sha256"
	"embed"
	"encoding"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"path"
	"strings"
	"sync"
	"time"
	"unicode"

	"audiomicro/internal/access"
	"audiomicro/internal/audio/meta"
	"audiomicro/internal/audio/sniff"
	"audiomicro/internal/blob"
	"audiomicro/internal/db"
	"audiomicro/internal/feed"
	"audiomicro/internal/licensing"
	"audiomicro/internal/recordings"
	"audiomicro/internal/web"
	"audiomicro/internal/web/ui"
)

//go:embed schema/*.sql
var schema embed.FS

// Schema holds this domain's tables.
func Schema() fs.FS {
	return db.Folder(schema)
}

// Store takes files.
type Store struct {
	DB         *db.DB
	Blobs      blob.Store
	Recordings *recordings.Store
	Site       *web.Site
	Log        *slog.Logger
	Now        func() time.Time
	Node       string        // names this process in leases
	MaxBytes   int64         // largest file
	Lifetime   time.Duration // of an unfinished upload after its last byte
	FFmpeg     bool          // a native ffmpeg was found: more formats are accepted
	// MaxUnfinished is how many files an account may have on their way at once; zero means 1,000.
	MaxUnfinished int64

	Licensing *licensing.Store
	Feed      *feed.Feed
	// Hears chooses the previews that an actor gets of a recording; app sets it to listening's answer.
	Hears func(a access.Actor, rec recordings.Recording, licensed bool) (hq, lq string)
	// Terms is the form that accepts the contributor terms and then leads to next; app sets it to accounts'.
	Terms func(next string) ui.FormPage
	// TermsHTML is the text of the contributor terms.
	TermsHTML string

	mu      sync.Mutex
	holders map[int64]*holder
}

// Accepted is the sentence that says what this instance takes.
func (s *Store) Accepted() string { return sniff.Accepted(s.FFmpeg) }

// sniffBytes is how much of a file tells its format.
const sniffBytes = 64 << 10

// chunkBytes is the most that one sync and one row acknowledge.
const chunkBytes = 4 << 20

// digest is the pair of hashes that travels with the bytes; its state is kept with each chunk, so that finishing needs no
// second read.
type digest struct{ sha256, md5 hash.Hash }

func newDigest() digest { return digest{sha256.New(), md5.New()} }

func (d digest) Write(p []byte) (int, error) {
	d.sha256.Write(p)
	return d.md5.Write(p)
}

func (d digest) states() (sha, sum []byte, err error) {
	if sha, err = d.sha256.(encoding.BinaryMarshaler).MarshalBinary(); err != nil {
		return nil, nil, err
	}
	sum, err = d.md5.(encoding.BinaryMarshaler).MarshalBinary()
	return sha, sum, err
}

func restore(sha, sum []byte) (digest, error) {
	d := newDigest()
	if err := d.sha256.(encoding.BinaryUnmarshaler).UnmarshalBinary(sha); err != nil {
		return d, err
	}
	return d, d.md5.(encoding.BinaryUnmarshaler).UnmarshalBinary(sum)
}

func (d digest) hex() (sha, sum string) {
	return hex.EncodeToString(d.sha256.Sum(nil)), hex.EncodeToString(d.md5.Sum(nil))
}

// judge refuses what is no sound this instance takes, by content.
func (s *Store) judge(head []byte) (sniff.Kind, error) {
	k, err := sniff.Detect(head)
	if err == nil && (!k.NeedsFFmpeg || s.FFmpeg) {
		return k, nil
	}
	var refused *sniff.RefusedError
	if errors.As(err, &refused) {
		return k, &web.Public{Status: http.StatusUnsupportedMediaType, Text: "This file is " + refused.Found + ", not a sound recording. " + s.Accepted(), Err: err}
	}
	if err != nil {
		return k, &web.Public{Status: http.StatusUnsupportedMediaType, Text: "This file's content is no sound that this site takes. " + s.Accepted(), Err: err}
	}
	return k, web.Refuse(http.StatusUnsupportedMediaType, "This is a %s file, which this site cannot decode. %s", k, s.Accepted())
}

// Taken is a file that became a draft, or was one before.
type Taken struct {
	Recording recordings.Recording
	SHA256    string // hex, of the whole file
	Repeated  bool   // the same person sent these bytes before: Recording is the existing one
}

// Extra is what an importer knows beyond the file itself. Empty fields leave what the file says.
type Extra struct {
	Credit, SourceURL string
	Describe          func(recordings.Description) recordings.Description
}

// Take reads a whole file of an account into a draft. The file counts only when Take returned nil.
func (s *Store) Take(ctx context.Context, account int64, fileName string, r io.Reader, extra Extra) (Taken, error) {
	stage := "f" + randomHex()
	taken, err := s.take(ctx, stage, account, fileName, r, extra)
	if err != nil {
		if aerr := s.Blobs.Abort(context.WithoutCancel(ctx), stage); aerr != nil {
			s.Log.Warn("drop a refused file", "err", aerr)
		}
	}
	return taken, err
}

func (s *Store) take(ctx context.Context, stage string, account int64, fileName string, r io.Reader, extra Extra) (Taken, error) {
	d := newDigest()
	buf := make([]byte, chunkBytes)
	var size int64
	var kind sniff.Kind
	for {
		n, err := io.ReadFull(r, buf)
		ended := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
		if err != nil && !ended {
			return Taken{}, fmt.Errorf("read file: %w", err)
		}
		if size == 0 {
			if n == 0 {
				return Taken{}, web.Refuse(http.StatusUnprocessableEntity, "%s is empty. Choose the file again.", baseName(fileName))
			}
			if kind, err = s.judge(buf[:min(n, sniffBytes)]); err != nil {
				return Taken{}, err
			}
		}
		if size+int64(n) > s.MaxBytes {
			return Taken{}, s.tooLarge()
		}
		if n > 0 {
			d.Write(buf[:n])
			if _, err := s.Blobs.Append(ctx, stage, size, bytes.NewReader(buf[:n])); err != nil {
				return Taken{}, full(err)
			}
			size += int64(n)
		}
		if ended {
			return s.complete(ctx, stage, account, fileName, size, d, kind, extra, nil)
		}
	}
}

func (s *Store) tooLarge() error {
	return web.Refuse(http.StatusRequestEntityTooLarge, "This file is larger than the %s that this site takes.", ui.Bytes(s.MaxBytes))
}

// full gives a full disk its own answer.
func full(err error) error {
	if errors.Is(err, blob.ErrFull) {
		return &web.Public{Status: http.StatusInsufficientStorage, Text: "The site's disk is full. What was received is kept; try again later.", Err: err, RetryAfter: time.Minute}
	}
	return err
}

// complete makes content of a stage and a draft of the content. also runs in the draft's transaction.
func (s *Store) complete(ctx context.Context, stage string, account int64, fileName string, size int64, d digest, kind sniff.Kind, extra Extra, also func(tx *db.Tx, t Taken) error) (Taken, error) {
	sha, sum := d.hex()
	if err := s.Blobs.Commit(ctx, stage, blob.Ref(sha), size); err != nil {
		return Taken{}, fmt.Errorf("commit upload: %w", full(err))
	}
	desc, err := s.read(ctx, blob.Ref(sha), fileName, kind)
	if err != nil {
		return Taken{}, err
	}
	if extra.Describe != nil {
		desc = extra.Describe(desc)
	}
	t := Taken{SHA256: sha}
	err = s.DB.Tx(ctx, func(tx *db.Tx) error {
		t = Taken{SHA256: sha}
		if err := tx.Lock(ctx, "original "+sha); err != nil { // the same file may come twice at the same moment
			return err
		}
		same, err := s.Recordings.SameBytes(ctx, tx, sha)
		if err != nil {
			return err
		}
		for _, rec := range same {
			if rec.OwnerID == account {
				t.Recording, t.Repeated = rec, true
			}
		}
		if !t.Repeated {
			t.Recording, err = s.Recordings.Create(ctx, tx, recordings.Original{
				OwnerID: account, FileName: baseName(fileName), SHA256: sha, MD5: sum, Container: kind.Container, Codec: kind.Codec, Ext: kind.Ext,
				ByteSize: size, Description: desc, Credit: extra.Credit, SourceURL: extra.SourceURL,
			})
			if err != nil {
				return err
			}
		}
		if also == nil {
			return nil
		}
		return also(tx, t)
	})
	if err != nil {
		return Taken{}, fmt.Errorf("make draft: %w", err)
	}
	// The bytes may have lain there already, and whoever deleted the last draft of them may not have seen this one yet.
	if _, err := s.Blobs.Stat(ctx, blob.Ref(sha)); errors.Is(err, blob.ErrNotFound) {
		err = s.Blobs.Restore(ctx, blob.Ref(sha))
		if err != nil {
			return Taken{}, fmt.Errorf("restore upload: %w", err)
		}
	}
	return t, nil
}

// read gathers what the file already says about itself.
func (s *Store) read(ctx context.Context, ref blob.Ref, fileName string, kind sniff.Kind) (recordings.Description, error) {
	f, err := s.Blobs.Open(ctx, ref)
	if err != nil {
		return recordings.Description{}, fmt.Errorf("read upload: %w", err)
	}
	defer f.Close()
	var desc recordings.Description
	title, tags, category := meta.FromFileName(baseName(fileName))
	desc.Title, desc.Tags, desc.Category = title, tags, category
	found, err := meta.Read(f, f.Size(), kind)
	if err != nil {
		// What cannot be read is left out: the decoder has the last word on whether the file is damaged.
		s.Log.Info("read tags", "sha256", string(ref), "err", err)
		return desc, nil
	}
	if found.Title != "" {
		desc.Title = found.Title
	}
	if found.Category != "" {
		desc.Category = found.Category
	}
	desc.Description = strings.TrimSpace(found.Description + "\n\n" + origin(found))
	desc.Tags = recordings.CleanTags(append(append(found.Keywords, splitGenre(found.Genre)...), desc.Tags...))
	return desc, nil
}

// origin is one line of who made the sound and when, as the file says; the contributor reads it before anybody else does.
func origin(t meta.Tags) string {
	switch {
	case t.Artist != "" && t.Date != "":
		return "By " + t.Artist + ", " + t.Date + "."
	case t.Artist != "":
		return "By " + t.Artist + "."
	case t.Date != "":
		return "Made " + t.Date + "."
	}
	return ""
}

func splitGenre(genre string) []string {
	return strings.FieldsFunc(genre, func(r rune) bool { return r == ',' || r == ';' || r == '/' })
}

// baseName is the last part of a name that a browser sent, whichever slashes it uses: at most 255 bytes of text without
// control characters and without the marks that turn its direction, which hide what a file is.
func baseName(name string) string {
	name = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r >= 0x202A && r <= 0x202E || r >= 0x2066 && r <= 0x2069 {
			return -1
		}
		return r
	}, strings.ToValidUTF8(name, ""))
	name = strings.TrimSpace(path.Base(strings.ReplaceAll(name, "\\", "/")))
	if name == "." || name == "/" || name == "" {
		return "upload"
	}
	const most = 255
	if len(name) <= most {
		return name
	}
	// The end says what it is.
	ext := path.Ext(name)
	if len(ext) > 10 {
		ext = ""
	}
	return strings.ToValidUTF8(name[:most-len(ext)], "") + ext
}

func randomHex() string {
	var b [16]byte
	rand.Read(b[:])
	return hex.EncodeToString(b[:])
}
