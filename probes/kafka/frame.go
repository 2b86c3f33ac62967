package kafka

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"

	"github.com/twmb/franz-go/pkg/kbin"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// maxAnswer is the size in bytes of the largest answer that is read. The
// metadata of a million partitions takes about 50 MiB.
const maxAnswer = 128 << 20

// maxHello bounds the answers that precede trust: what a broker supports.
const maxHello = 1 << 20

// readFrame reads one answer without its size. Memory is taken as bytes
// arrive, never as a size claims.
func readFrame(r io.Reader, limit int) ([]byte, error) {
	var head [4]byte
	if n, err := io.ReadFull(r, head[:]); err != nil {
		if n > 0 && err == io.ErrUnexpectedEOF {
			err = fmt.Errorf("%w: closed after %d of the 4 bytes of a size: %w", errGarbled, n, err)
		}
		return nil, err
	}
	size := int64(int32(binary.BigEndian.Uint32(head[:])))
	if size < 4 || size > int64(limit) {
		return nil, fmt.Errorf("%w: size %d, 4 to %d is expected%s", errGarbled, size, limit, looksLike(head))
	}
	for b, at := make([]byte, min(size, 64<<10)), 0; ; {
		n, err := io.ReadFull(r, b[at:])
		if at += n; err != nil {
			if err == io.EOF || err == io.ErrUnexpectedEOF {
				err = fmt.Errorf("%w: closed after %d of %d bytes: %w", errGarbled, at, size, io.ErrUnexpectedEOF)
			}
			clear(b)
			return nil, err
		}
		if int64(at) == size {
			return b, nil
		}
		larger := make([]byte, min(size, 2*int64(at)))
		copy(larger, b)
		clear(b) // nobody's data is left lying about
		b = larger
	}
}

// looksLike says what else a listener may be whose first bytes are no size.
func looksLike(head [4]byte) string {
	switch {
	case head[0] >= 0x14 && head[0] <= 0x17 && head[1] == 3:
		return "; these are bytes of TLS: the listener wants security.protocol SSL or SASL_SSL"
	case bytes.Equal(head[:], []byte("HTTP")):
		return "; the port speaks HTTP: it is no listener of Kafka, another port is expected"
	case bytes.HasPrefix(head[:], []byte("SSH")):
		return "; the port speaks SSH"
	}
	return ""
}

// parseAnswer reads the answer to a request from a frame. An answer to
// ApiVersions in version 0, which is how a broker says that it does not know
// the version asked in, comes back as such.
func parseAnswer(frame []byte, r kmsg.Request, correlation int32) (kmsg.Response, error) {
	b := kbin.Reader{Src: frame}
	if id := b.Int32(); !b.Ok() || id != correlation {
		return nil, fmt.Errorf("%w: correlation id %d, %d is expected", errGarbled, id, correlation)
	}
	answer := r.ResponseKind()
	if _, hello := r.(*kmsg.ApiVersionsRequest); hello {
		// Its header is never flexible, so that old brokers can answer.
		if code := b.Src; len(code) >= 2 && binary.BigEndian.Uint16(code) == unsupportedVersion {
			answer.SetVersion(0)
		}
	} else if r.IsFlexible() {
		kmsg.SkipTags(&b)
	}
	if !b.Ok() {
		return nil, fmt.Errorf("%w: the header of %s is cut short", errGarbled, kmsg.NameForKey(r.Key()))
	}
	if err := answer.ReadFrom(b.Src); err != nil {
		return nil, fmt.Errorf("%w: %s version %d: %w", errGarbled, kmsg.NameForKey(r.Key()), r.GetVersion(), err)
	}
	return answer, nil
}

const unsupportedVersion = 35 // Kafka's error code
