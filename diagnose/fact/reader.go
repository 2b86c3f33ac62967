package fact

import "time"

// Reader is what a sign reads facts through. It notes every read, so that the
// evidence of a sign is exactly what it looked at.
type Reader interface {
	// Latest is the newest value of a key on a subject, false when unknown.
	Latest(*Def, Subject) (any, bool)
	// Past is the known values of a key on a subject within the window that the
	// reader keeps, oldest first, the newest included.
	Past(*Def, Subject) []Sample
	// Subjects is the subjects on which a key has been observed, sorted.
	Subjects(*Def) []Subject
	// Now is the time of the newest batch.
	Now() time.Time
}

// Sample is one known value and when it was so.
type Sample struct {
	At    time.Time
	Value any
}

// Latest is the key's newest value on a subject; false when it is unknown.
func (k Of[T]) Latest(r Reader, s Subject) (value T, known bool) {
	v, ok := r.Latest(k.def, s)
	if !ok {
		return value, false
	}
	value, known = v.(T)
	return value, known
}

// Before is the oldest value of the key on a subject that is at most window
// old, and its time; false when there is none older than the newest.
func (k Of[T]) Before(r Reader, s Subject, window time.Duration) (value T, at time.Time, known bool) {
	past := r.Past(k.def, s)
	if len(past) < 2 {
		return value, at, false
	}
	newest := past[len(past)-1].At
	for _, p := range past[:len(past)-1] {
		if newest.Sub(p.At) <= window {
			value, known = p.Value.(T)
			return value, p.At, known
		}
	}
	return value, at, false
}

// Subjects is the subjects on which the key has been observed, sorted.
func (k Of[T]) Subjects(r Reader) []Subject { return r.Subjects(k.def) }

// Growth is how much a counter grew over the window and in how many seconds.
// A counter that restarted counts from zero again; false with fewer than two
// samples.
func Growth(k Of[float64], r Reader, s Subject, window time.Duration) (by, seconds float64, known bool) {
	past := r.Past(k.def, s)
	if len(past) < 2 {
		return 0, 0, false
	}
	newest := past[len(past)-1]
	var from time.Time
	for i := len(past) - 1; i > 0; i-- {
		if newest.At.Sub(past[i-1].At) > window {
			break
		}
		a, _ := past[i-1].Value.(float64)
		b, _ := past[i].Value.(float64)
		if b >= a {
			by += b - a
		} else {
			by += b
		}
		from = past[i-1].At
	}
	if from.IsZero() {
		return 0, 0, false
	}
	return by, newest.At.Sub(from).Seconds(), true
}
