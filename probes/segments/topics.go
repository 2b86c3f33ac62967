package segments

import (
	"maps"
	"slices"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/segments/batch"
)

// Columns is what batches look like, in the columns of the fact.
func Columns(topics map[string]*Topic) (c fact.TopicBatches) {
	c = fact.TopicBatches{Topic: []string{}} // an empty list in JSON, not null
	for _, name := range slices.Sorted(maps.Keys(topics)) {
		t := topics[name]
		codecs := map[string]int{}
		for i, n := range t.Codecs {
			if n > 0 {
				codecs[batch.Codec(i).String()] = int(n)
			}
		}
		c.Topic, c.Batches, c.Records, c.Bytes, c.Single = append(c.Topic, name), append(c.Batches, t.Batches), append(c.Records, t.Records), append(c.Bytes, t.Bytes), append(c.Single, t.Sizes[0])
		c.Codecs, c.Unproduced, c.Repeated, c.Example = append(c.Codecs, codecs), append(c.Unproduced, t.Unproduced), append(c.Repeated, t.Repeated), append(c.Example, t.Example.text())
		c.Sizes, c.Magic = append(c.Sizes, t.Sizes), append(c.Magic, t.Magic)
		c.Unpacked, c.Alike, c.AlikeExample = append(c.Unpacked, t.Unpacked), append(c.Alike, t.Alike), append(c.AlikeExample, t.AlikeExample.text())
	}
	return c
}
