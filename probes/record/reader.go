package record

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"

	"github.com/klauspost/compress/zstd"

	"github.com/ktriage/ktriage/diagnose/fact"
)

// Bounds of what is read back: a recording can come from anyone.
const (
	maxLine    = 64 << 20 // bytes of one batch
	maxObjects = 1 << 20  // observations, runs and marks of one batch, and the objects in their values
	maxWindow  = 16 << 20
)

// Reader gives the batches of a recording, at once: pacing is the caller's. It
// is a fact.Source.
type Reader struct {
	name   string
	header Header
	zstd   *zstd.Decoder
	lines  *bufio.Reader
	file   io.Closer
	line   int
	damage error
	close  sync.Once
}

var _ fact.Source = (*Reader)(nil)

// Open opens a recording by its path.
func Open(path string) (*Reader, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	r, err := NewReader(path, f)
	if err != nil {
		f.Close()
		return nil, err
	}
	r.file = f
	return r, nil
}

// NewReader reads a recording; name stands in its errors.
func NewReader(name string, from io.Reader) (*Reader, error) {
	z, err := zstd.NewReader(from, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxWindow))
	if err != nil {
		return nil, fmt.Errorf("%s: not a recording: %w", name, err)
	}
	r := &Reader{name: name, zstd: z, lines: bufio.NewReaderSize(z, 64<<10)}
	text, err := r.readLine()
	if err == nil {
		err = json.Unmarshal(text, &r.header)
	}
	switch {
	case err != nil:
		err = fmt.Errorf("%s: not a recording: %w", name, plain(err))
	case r.header.Format != Format:
		err = fmt.Errorf("%s:1: format %q, expected %q", name, r.header.Format, Format)
	}
	if err != nil {
		z.Close()
		return nil, err
	}
	return r, nil
}

// Header is the first line of the recording.
func (r *Reader) Header() Header { return r.header }

// Damage says, after io.EOF, why the recording ends where it does: nil when it
// is whole. One still being written ends in the middle too.
func (r *Reader) Damage() error { return r.damage }

// Next is the next batch, io.EOF after the last one that can be read.
func (r *Reader) Next(ctx context.Context) (fact.Batch, error) {
	if err := ctx.Err(); err != nil {
		return fact.Batch{}, err
	}
	if r.damage != nil {
		return fact.Batch{}, io.EOF
	}
	text, err := r.readLine()
	if err == io.EOF {
		return fact.Batch{}, io.EOF
	}
	var b fact.Batch
	if err == nil {
		b, err = decode(text)
	}
	if err != nil {
		r.damage = fmt.Errorf("%s:%d: %w; %d batches before it are used", r.name, r.line, plain(err), r.line-2)
		return fact.Batch{}, io.EOF
	}
	return b, nil
}

// Close lets go of the file.
func (r *Reader) Close() error {
	var err error
	r.close.Do(func() {
		r.zstd.Close()
		if r.file != nil {
			err = r.file.Close()
		}
	})
	return err
}

// readLine is the next line without its end; io.EOF at a clean end, and
// io.ErrUnexpectedEOF for a line without an end.
func (r *Reader) readLine() ([]byte, error) {
	r.line++
	var text []byte
	for {
		part, err := r.lines.ReadSlice('\n')
		if len(text)+len(part) > maxLine {
			return nil, fmt.Errorf("a line of more than %d bytes", maxLine)
		}
		text = append(text, part...)
		switch {
		case err == nil:
			return bytes.TrimSuffix(text, []byte{'\n'}), nil
		case err == bufio.ErrBufferFull:
		case err == io.EOF && len(text) == 0:
			return nil, io.EOF
		case err == io.EOF:
			return nil, io.ErrUnexpectedEOF
		default:
			return nil, err
		}
	}
}

// decode parses one line.
func decode(text []byte) (fact.Batch, error) {
	var b fact.Batch
	if n := objects(text); n > maxObjects {
		return b, fmt.Errorf("%d objects in one batch, at most %d are read", n, maxObjects)
	}
	if err := json.Unmarshal(text, &b); err != nil {
		return fact.Batch{}, fmt.Errorf("batch: %w", err)
	}
	if b.At.IsZero() {
		return fact.Batch{}, errors.New(`batch: field "at" is missing, a time was expected`)
	}
	return b, nil
}

// plain puts the usual ends of a damaged file into words.
func plain(err error) error {
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return errors.New("the recording has no end: cut off, or still being written")
	case errors.Is(err, zstd.ErrMagicMismatch):
		return errors.New("no zstd data here")
	case errors.Is(err, io.EOF):
		return errors.New("it is empty")
	}
	return err
}

// objects counts what could be an object in a line of JSON: none begins
// otherwise, so a line that would unfold into too many is refused unread.
func objects(line []byte) int { return bytes.Count(line, []byte{'{'}) }
