package record

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"

	"github.com/ktriage/ktriage/diagnose/fact"
)

// Pack writes a whole recording anew, as small as it gets: one frame, which takes
// longer to compress and could not be read while it grew. What is in it is the same.
// A damaged recording is an error.
func Pack(ctx context.Context, to io.Writer, from *Reader) error {
	z, err := zstd.NewWriter(to, zstd.WithEncoderLevel(zstd.SpeedBestCompression), zstd.WithWindowSize(window), zstd.WithEncoderConcurrency(1))
	if err != nil {
		return fmt.Errorf("pack %s: %w", from.name, err)
	}
	lines := json.NewEncoder(z)
	err = lines.Encode(from.Header())
	for err == nil {
		var b fact.Batch
		if b, err = from.Next(ctx); err == nil {
			err = lines.Encode(b)
		}
	}
	if errors.Is(err, io.EOF) {
		err = from.Damage()
	}
	if err = errors.Join(err, z.Close()); err != nil {
		return fmt.Errorf("pack %s: %w", from.name, err)
	}
	return nil
}
