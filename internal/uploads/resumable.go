package uploads

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	"audiomicro/internal/blob"
	"audiomicro/internal/db"
	"audiomicro/internal/web"
)

// Upload is a file on its way.
type Upload struct {
	ID          int64  `db:"id"`
	Token       string `db:"token"` // last part of its address
	AccountID   int64  `db:"account_id"`
	FileName    string `db:"file_name"`
	ByteSize    int64  `db:"byte_size"`
	Received    int64  `db:"received"`
	SHA256State []byte `db:"sha256_state"`
	MD5State    []byte `db:"md5_state"`
	Accepted    int64  `db:"accepted"` // 1: the first bytes are of a format that this instance takes
	Lease       string `db:"lease"`
	LeaseNode   string `db:"lease_node"`
	LeaseUntil  int64  `db:"lease_until"`
	CreatedAt   int64  `db:"created_at"`
	ExpiresAt   int64  `db:"expires_at"`
	FinishedAt  int64  `db:"finished_at"`
	SHA256      string `db:"sha256"`
	RecordingID int64  `db:"recording_id"`
	Repeated    int64  `db:"repeated"` // 1: the same person had sent these bytes before
}

const uploadColumns = `id, token, account_id, file_name, byte_size, received, sha256_state, md5_state, accepted, lease, lease_node, lease_until,
	created_at, expires_at, finished_at, sha256, recording_id, repeated`

const leaseTime = 30 * time.Second

// Begin announces a file of size bytes.
func (s *Store) Begin(ctx context.Context, account int64, fileName string, size int64) (Upload, error) {
	if size > s.MaxBytes {
		return Upload{}, s.tooLarge()
	}
	if size <= 0 {
		return Upload{}, web.Refuse(http.StatusUnprocessableEntity, "%s is empty. Choose the file again.", baseName(fileName))
	}
	sha, sum, err := newDigest().states()
	if err != nil {
		return Upload{}, err
	}
	now := s.Now()
	most := s.MaxUnfinished
	if most == 0 {
		most = 1000
	}
	n, err := db.Get[int64](ctx, s.DB, `SELECT count(*) FROM upload WHERE account_id = $1 AND finished_at = 0 AND expires_at > $2`, account, now.UnixMicro())
	if err != nil {
		return Upload{}, fmt.Errorf("count uploads: %w", err)
	}
	if n >= most {
		return Upload{}, &web.Public{Status: http.StatusTooManyRequests, RetryAfter: time.Minute,
			Text: fmt.Sprintf("You have %d files on their way, which is the most at once. Finish them or drop them from the upload page.", n)}
	}
	u := Upload{Token: randomHex(), AccountID: account, FileName: baseName(fileName), ByteSize: size, SHA256State: sha, MD5State: sum,
		CreatedAt: now.UnixMicro(), ExpiresAt: now.Add(s.Lifetime).UnixMicro()}
	err = s.DB.Tx(ctx, func(tx *db.Tx) error {
		if u.ID, err = tx.NewID(ctx, "upload"); err != nil {
			return err
		}
		_, err := db.Exec(ctx, tx, `INSERT INTO upload (id, token, account_id, file_name, byte_size, sha256_state, md5_state, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
			u.ID, u.Token, u.AccountID, u.FileName, u.ByteSize, u.SHA256State, u.MD5State, u.CreatedAt, u.ExpiresAt)
		return err
	})
	if err != nil {
		return Upload{}, fmt.Errorf("begin upload: %w", err)
	}
	return u, nil
}

// Find finds an account's upload by its token; other people's do not exist. An expired one is gone.
func (s *Store) Find(ctx context.Context, account int64, token string) (Upload, error) {
	u, err := db.Get[Upload](ctx, s.DB, `SELECT `+uploadColumns+` FROM upload WHERE token = $1`, token)
	if err != nil {
		return u, fmt.Errorf("upload: %w", err)
	}
	if u.AccountID != account {
		return u, fmt.Errorf("upload of another account: %w", db.ErrNotFound)
	}
	if u.FinishedAt == 0 && u.ExpiresAt < s.Now().UnixMicro() {
		return u, web.Refuse(http.StatusGone, "This upload has expired. Send the file again.")
	}
	return u, nil
}

// Unfinished lists an account's files on their way, newest first.
func (s *Store) Unfinished(ctx context.Context, account int64) ([]Upload, error) {
	return db.Query[Upload](ctx, s.DB, `SELECT `+uploadColumns+` FROM upload WHERE account_id = $1 AND finished_at = 0 AND expires_at > $2 ORDER BY created_at DESC LIMIT 200`,
		account, s.Now().UnixMicro())
}

// holder is a request of this process that writes to an upload.
type holder struct {
	cancel context.CancelFunc
	done   chan struct{}
}

var errLost = errors.New("another request took over this upload")

// acquire takes the upload's lease from whoever has it: a request of this process is canceled and waited for, one of
// another process finds out before it records its next chunk.
func (s *Store) acquire(parent context.Context, u Upload) (_ context.Context, _ Upload, release func(), err error) {
	lease := randomHex()
	ctx, cancel := context.WithCancel(parent)
	mine := &holder{cancel: cancel, done: make(chan struct{})}
	s.mu.Lock()
	other := s.holders[u.ID]
	if s.holders == nil {
		s.holders = map[int64]*holder{}
	}
	s.holders[u.ID] = mine
	s.mu.Unlock()
	release = func() {
		cancel()
		s.mu.Lock()
		if s.holders[u.ID] == mine {
			delete(s.holders, u.ID)
		}
		s.mu.Unlock()
		close(mine.done)
		bg := context.WithoutCancel(ctx)
		if _, err := db.Exec(bg, s.DB, `UPDATE upload SET lease = '', lease_until = 0 WHERE id = $1 AND lease = $2`, u.ID, lease); err != nil {
			s.Log.Warn("release upload", "err", err)
		}
	}
	if other != nil {
		other.cancel()
		// Also when this request is taken over itself meanwhile: whoever waits for it waits for the other through it.
		select {
		case <-other.done:
		case <-time.After(time.Second): // it is stuck in a write: its chunk will not be recorded any more
		}
	}
	now := s.Now()
	elsewhere := u.Lease != "" && u.LeaseNode != s.Node && u.LeaseUntil > now.UnixMicro()
	_, err = db.Exec(ctx, s.DB, `UPDATE upload SET lease = $1, lease_node = $2, lease_until = $3 WHERE id = $4`, lease, s.Node, now.Add(leaseTime).UnixMicro(), u.ID)
	if err == nil && elsewhere {
		// A chunk of the other process may be in flight to the stage; it ends within this time and is not recorded.
		select {
		case <-time.After(700 * time.Millisecond):
		case <-ctx.Done():
			err = ctx.Err()
		}
	}
	var fresh Upload
	if err == nil {
		fresh, err = db.Get[Upload](ctx, s.DB, `SELECT `+uploadColumns+` FROM upload WHERE id = $1`, u.ID)
	}
	if err != nil {
		err = lost(parent, ctx, fmt.Errorf("take upload %d: %w", u.ID, err))
		release()
		return nil, u, nil, err
	}
	return ctx, fresh, release, nil
}

// lost turns what failed because a later request took the upload over into errLost. ctx is the holder's own context, parent
// that of its caller.
func lost(parent, ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil && parent.Err() == nil {
		return fmt.Errorf("%w: %w", errLost, err)
	}
	return err
}

// record makes a chunk count: the row follows the synced bytes, and only while the lease is still held.
func (s *Store) record(ctx context.Context, u *Upload, d digest, received int64) error {
	sha, sum, err := d.states()
	if err != nil {
		return err
	}
	now := s.Now()
	n, err := db.Exec(ctx, s.DB, `UPDATE upload SET received = $1, sha256_state = $2, md5_state = $3, accepted = $4, expires_at = $5, lease_until = $6 WHERE id = $7 AND lease = $8`,
		received, sha, sum, u.Accepted, now.Add(s.Lifetime).UnixMicro(), now.Add(leaseTime).UnixMicro(), u.ID, u.Lease)
	if err != nil {
		return fmt.Errorf("record upload %d: %w", u.ID, err)
	}
	if n == 0 {
		return errLost
	}
	u.Received, u.SHA256State, u.MD5State = received, sha, sum
	u.ExpiresAt = now.Add(s.Lifetime).UnixMicro()
	return nil
}

// Receive adds body to an upload at offset and finishes the upload when all bytes are there. When body breaks off, what
// came before is kept. check, when given, is asked after the last byte whether body's checksum is right; if not (or if body
// broke off before it could be told), nothing of body counts.
func (s *Store) Receive(ctx context.Context, u Upload, offset int64, body io.Reader, check *checksum) (Upload, error) {
	held, u, release, err := s.acquire(ctx, u)
	if err != nil {
		return u, err
	}
	defer release()
	u, err = s.receiveHeld(held, u, offset, body, check)
	return u, lost(ctx, held, err)
}

func (s *Store) receiveHeld(ctx context.Context, u Upload, offset int64, body io.Reader, check *checksum) (Upload, error) {
	switch {
	case u.FinishedAt != 0:
		return u, nil
	case offset != u.Received:
		return u, web.Refuse(http.StatusConflict, "The upload holds %d bytes, not %d. Ask with HEAD and go on from there.", u.Received, offset)
	}
	d, err := restore(u.SHA256State, u.MD5State)
	if err != nil {
		return u, fmt.Errorf("upload %d: %w", u.ID, err)
	}
	// Bytes that were staged but never recorded belong to a request that died or lost the lease.
	staged, err := s.Blobs.StageSize(ctx, u.Stage())
	if err == nil && staged > u.Received {
		err = s.Blobs.Truncate(ctx, u.Stage(), u.Received)
	}
	if err != nil {
		return u, full(err)
	}
	before := u
	err = s.receive(ctx, &u, d, body, check)
	if check != nil && err == nil && !check.right() {
		err = errChecksum
	}
	if check != nil && err != nil && u.Received > before.Received {
		if rerr := s.rollBack(context.WithoutCancel(ctx), &u, before); rerr != nil {
			return u, errors.Join(err, rerr)
		}
	}
	if err != nil {
		return u, err
	}
	if u.Received < u.ByteSize {
		return u, nil
	}
	return s.finish(ctx, u)
}

func (s *Store) receive(ctx context.Context, u *Upload, d digest, body io.Reader, check *checksum) error {
	buf := make([]byte, min(chunkBytes, u.ByteSize-u.Received+1))
	defer wakeOn(ctx, body)()
	for {
		n, rerr := fill(ctx, body, buf)
		if u.Received+int64(n) > u.ByteSize {
			return web.Refuse(http.StatusRequestEntityTooLarge, "The file is longer than the %d bytes announced. Start the upload again.", u.ByteSize)
		}
		if n > 0 {
			if err := s.chunk(ctx, u, d, buf[:n]); err != nil {
				return err
			}
			if check != nil {
				check.hash.Write(buf[:n])
			}
		}
		switch {
		case errors.Is(rerr, io.EOF):
			return nil
		case errors.Is(rerr, os.ErrDeadlineExceeded) && ctx.Err() != nil, rerr != nil && ctx.Err() != nil:
			return errLost
		case rerr != nil:
			return fmt.Errorf("upload %d broke off: %w", u.ID, rerr)
		}
	}
}

// wakeOn wakes a read of body that waits for a dead connection when ctx ends. The function it returns ends the watch.
func wakeOn(ctx context.Context, body io.Reader) (end func()) {
	c, ok := body.(interface {
		SetReadDeadline(time.Time) error
		Woken()
	})
	if !ok {
		return func() {}
	}
	woken := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(woken)
		c.SetReadDeadline(time.Unix(1, 0)) // a connection that cannot be woken is waited for one second
	})
	return func() {
		if !stop() {
			<-woken
			c.Woken()
		}
	}
}

// fill reads until buf is full, the body ends, or something was read and half a second has passed.
func fill(ctx context.Context, r io.Reader, buf []byte) (n int, err error) {
	deadline := time.Now().Add(500 * time.Millisecond)
	for n < len(buf) {
		m, err := r.Read(buf[n:])
		n += m
		if err != nil {
			return n, err
		}
		if time.Now().After(deadline) || ctx.Err() != nil {
			return n, nil
		}
	}
	return n, nil
}

// chunk judges the first bytes, syncs the chunk and records it.
func (s *Store) chunk(ctx context.Context, u *Upload, d digest, p []byte) error {
	if u.Accepted == 0 {
		if err := s.judgeStart(ctx, u, p); err != nil {
			return err
		}
	}
	if _, err := s.Blobs.Append(ctx, u.Stage(), u.Received, bytes.NewReader(p)); err != nil {
		if errors.Is(err, blob.ErrOffset) {
			return errLost
		}
		return full(err)
	}
	d.Write(p)
	return s.record(ctx, u, d, u.Received+int64(len(p)))
}

// judgeStart looks at the first 64 KB as soon as they, or all bytes, are there.
func (s *Store) judgeStart(ctx context.Context, u *Upload, p []byte) error {
	have := u.Received + int64(len(p))
	if have < min(sniffBytes, u.ByteSize) {
		return nil
	}
	head := p
	if u.Received > 0 {
		staged, err := s.Blobs.OpenStage(ctx, u.Stage())
		if err != nil {
			return fmt.Errorf("upload %d: %w", u.ID, err)
		}
		defer staged.Close()
		if head, err = io.ReadAll(io.LimitReader(io.MultiReader(io.LimitReader(staged, u.Received), bytes.NewReader(p)), sniffBytes)); err != nil {
			return fmt.Errorf("upload %d: %w", u.ID, err)
		}
	}
	if _, err := s.judge(head[:min(len(head), sniffBytes)]); err != nil {
		if derr := s.drop(context.WithoutCancel(ctx), *u); derr != nil {
			return errors.Join(err, derr)
		}
		return err
	}
	u.Accepted = 1
	return nil
}

func (s *Store) rollBack(ctx context.Context, u *Upload, before Upload) error {
	d, err := restore(before.SHA256State, before.MD5State)
	if err != nil {
		return err
	}
	if err := s.record(ctx, u, d, before.Received); err != nil {
		return err
	}
	return s.Blobs.Truncate(ctx, u.Stage(), before.Received)
}

// finish makes the draft. It may be repeated after a crash: the commit of the bytes and the row are both idempotent.
func (s *Store) finish(ctx context.Context, u Upload) (Upload, error) {
	d, err := restore(u.SHA256State, u.MD5State)
	if err != nil {
		return u, fmt.Errorf("upload %d: %w", u.ID, err)
	}
	head, err := s.head(ctx, u, d)
	if err != nil {
		return u, err
	}
	kind, err := s.judge(head)
	if err != nil {
		return u, err
	}
	_, err = s.complete(ctx, u.Stage(), u.AccountID, u.FileName, u.ByteSize, d, kind, Extra{}, func(tx *db.Tx, t Taken) error {
		u.SHA256, u.RecordingID, u.Repeated, u.FinishedAt = t.SHA256, t.Recording.ID, db.Bool(t.Repeated), s.Now().UnixMicro()
		n, err := db.Exec(ctx, tx, `UPDATE upload SET finished_at = $1, sha256 = $2, recording_id = $3, repeated = $4, lease = '' WHERE id = $5 AND finished_at = 0`,
			u.FinishedAt, u.SHA256, u.RecordingID, u.Repeated, u.ID)
		if err == nil && n == 0 {
			err = errLost
		}
		return err
	})
	if err != nil {
		return u, fmt.Errorf("finish upload %d: %w", u.ID, err)
	}
	return u, nil
}

// head reads the first bytes of a complete upload: from its stage, or from the content when a crash came after the commit.
func (s *Store) head(ctx context.Context, u Upload, d digest) ([]byte, error) {
	var r io.ReadCloser
	r, err := s.Blobs.OpenStage(ctx, u.Stage())
	if errors.Is(err, blob.ErrNotFound) {
		sha, _ := d.hex()
		r, err = s.Blobs.OpenRange(ctx, blob.Ref(sha), 0, min(sniffBytes, u.ByteSize))
	}
	if err != nil {
		return nil, fmt.Errorf("upload %d: %w", u.ID, err)
	}
	defer r.Close()
	return io.ReadAll(io.LimitReader(r, sniffBytes))
}

// Drop forgets an unfinished upload and its bytes.
func (s *Store) Drop(ctx context.Context, u Upload) error {
	held, u, release, err := s.acquire(ctx, u)
	if err != nil {
		return err
	}
	defer release()
	if u.FinishedAt != 0 {
		return web.Refuse(http.StatusConflict, "This upload is complete: delete its draft instead.")
	}
	return lost(ctx, held, s.drop(held, u))
}

func (s *Store) drop(ctx context.Context, u Upload) error {
	n, err := db.Exec(ctx, s.DB, `DELETE FROM upload WHERE id = $1 AND finished_at = 0 AND lease = $2`, u.ID, u.Lease)
	if err != nil {
		return fmt.Errorf("drop upload %d: %w", u.ID, err)
	}
	if n == 0 {
		return errLost // who has it now decides
	}
	return s.Blobs.Abort(ctx, u.Stage())
}

// Sweep finishes what was complete when a process died, drops what has expired, and forgets finished uploads after a day.
func (s *Store) Sweep(ctx context.Context) error {
	now := s.Now()
	rows, err := db.Query[Upload](ctx, s.DB, `SELECT `+uploadColumns+` FROM upload WHERE finished_at = 0 AND (expires_at < $1 OR received = byte_size)`, now.UnixMicro())
	if err != nil {
		return fmt.Errorf("sweep uploads: %w", err)
	}
	failed, first := 0, error(nil) // one does not hold up the others, and a full disk fails them all
	for _, u := range rows {
		switch {
		case u.LeaseUntil > now.UnixMicro():
			continue
		case u.Received == u.ByteSize:
			_, err = s.Receive(ctx, u, u.Received, bytes.NewReader(nil), nil)
		default:
			err = s.drop(ctx, u)
		}
		if err = unlessLost(err); err == nil {
			continue
		}
		if failed++; first == nil {
			first = fmt.Errorf("sweep upload %d: %w", u.ID, err)
		}
	}
	if failed > 1 {
		first = fmt.Errorf("%w (and %d more uploads failed)", first, failed-1)
	}
	_, err = db.Exec(ctx, s.DB, `DELETE FROM upload WHERE finished_at > 0 AND finished_at < $1`, now.Add(-24*time.Hour).UnixMicro())
	return errors.Join(first, err)
}

// Stage names where the blob store keeps the upload's bytes until it is finished.
func (u Upload) Stage() string { return "u" + u.Token }

// AllUnfinished lists everybody's files on their way, for doctor.
func (s *Store) AllUnfinished(ctx context.Context) ([]Upload, error) {
	return db.Query[Upload](ctx, s.DB, `SELECT `+uploadColumns+` FROM upload WHERE finished_at = 0`)
}

// unlessLost forgets that a request took an upload over while it was swept: that request sees to it.
func unlessLost(err error) error {
	if errors.Is(err, errLost) {
		return nil
	}
	return err
}
