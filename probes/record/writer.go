// Package record keeps batches in a file and gives them back: zstd frames of
// JSON lines, a header first, then one batch a line. Only raw observations are
// kept, so that a recording is concluded from anew each time it is read.
package record

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/ktriage/ktriage/diagnose/fact"
)

// Format is the value of Header.Format that this package writes and reads.
const Format = "ktriage.recording/v1"

// Header is the first line of a recording.
type Header struct {
	Format   string    `json:"format"`
	Tool     string    `json:"tool"` // version of ktriage
	Started  time.Time `json:"started"`
	Cluster  string    `json:"cluster,omitempty"` // cluster id, where it was known at the start
	Redacted bool      `json:"redacted,omitempty"`
}

// Limits are what a recording must not do.
type Limits struct {
	MaxSize int64    // bytes of the file; 0: no limit but the room on the file system
	LogDirs []string // of brokers: nothing is written below these
}

const (
	window    = 8 << 20  // how far back a batch may repeat an earlier one
	frameSize = 64 << 20 // uncompressed bytes after which a new frame begins: a broken one costs no more than itself
	checkRoom = time.Second
)

// ErrStopped is wrapped by the error of a Write that ends a recording for a
// reason of the limits. The file is complete without that batch.
var ErrStopped = errors.New("recording stopped")

// Writer appends batches to a recording. It belongs to one goroutine.
type Writer struct {
	file   *os.File
	zstd   *zstd.Encoder
	limits Limits
	size   int64 // bytes in the file
	frame  int64 // uncompressed bytes in the open frame
	last   int64 // compressed bytes of the largest batch lately
	asked  time.Time
	closed bool

	redactor *Redactor // nil: names stay
	mapping  string    // file of its pseudonyms
}

// Create makes a recording. The file must not exist, must not lie below a
// broker's log dir, and its file system must have room.
func Create(path string, h Header, limits Limits) (*Writer, error) {
	if err := Refuse(path, limits.LogDirs); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("record: %w", err)
	}
	w := &Writer{file: f, limits: limits, asked: time.Now()}
	w.zstd, err = zstd.NewWriter(&counted{w}, zstd.WithWindowSize(window), zstd.WithEncoderConcurrency(1))
	if err == nil {
		h.Format = Format
		err = w.line(h)
	}
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("record to %s: %w", path, err)
	}
	return w, nil
}

// counted counts what reaches the file.
type counted struct{ w *Writer }

func (c *counted) Write(p []byte) (int, error) {
	n, err := c.w.file.Write(p)
	c.w.size += int64(n)
	return n, err
}

// Size is the bytes in the file so far.
func (w *Writer) Size() int64 { return w.size }

// Write appends one batch and hands it to the operating system, so that a crash
// of ktriage loses at most the batch it is writing. An error that wraps
// ErrStopped says that a limit ended the recording, which is then complete.
func (w *Writer) Write(b fact.Batch) error {
	if w.closed {
		return fmt.Errorf("write to %s: %w", w.file.Name(), os.ErrClosed)
	}
	if why := w.full(); why != nil {
		if err := w.Close(); err != nil {
			return err
		}
		return fmt.Errorf("%w: %w", ErrStopped, why)
	}
	if w.redactor != nil {
		b = w.redactor.Batch(b)
		if err := w.redactor.mapping(w.mapping); err != nil {
			return err
		}
	}
	before := w.size
	if err := w.line(b); err != nil {
		return fmt.Errorf("write to %s: %w", w.file.Name(), err)
	}
	w.last = max(w.size-before, w.last*9/10)
	return nil
}

// full says which limit the next batch could pass.
func (w *Writer) full() error {
	if w.limits.MaxSize > 0 && w.size+2*w.last+1024 > w.limits.MaxSize {
		return fmt.Errorf("the next batch could pass %d bytes", w.limits.MaxSize)
	}
	if time.Since(w.asked) < checkRoom {
		return nil
	}
	w.asked = time.Now()
	return room(filepath.Dir(w.file.Name()))
}

func (w *Writer) line(v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	text = append(text, '\n')
	if w.frame > 0 && w.frame+int64(len(text)) > frameSize {
		if err := w.zstd.Close(); err != nil {
			return err
		}
		w.zstd.Reset(&counted{w})
		w.frame = 0
	}
	w.frame += int64(len(text))
	if _, err := w.zstd.Write(text); err != nil {
		return err
	}
	return w.zstd.Flush()
}

// Close completes the file and makes it durable. A second Close does nothing.
func (w *Writer) Close() error {
	if w.closed {
		return nil
	}
	w.closed = true
	err := errors.Join(w.zstd.Close(), w.file.Sync(), w.file.Close())
	if err != nil {
		return fmt.Errorf("complete %s: %w", w.file.Name(), err)
	}
	return nil
}

// Tee is a source whose batches are also written. What cannot be written ends
// it: a recording with a hole would tell another story.
func Tee(from fact.Source, to *Writer) fact.Source { return &tee{from, to} }

type tee struct {
	from fact.Source
	to   *Writer
}

func (t *tee) Next(ctx context.Context) (fact.Batch, error) {
	b, err := t.from.Next(ctx)
	if err != nil {
		return b, err
	}
	return b, t.to.Write(b)
}
